#include "command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 24
#define OPTION_BASE 256 /* above every letter */

void command_complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("wskemu: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

void command_misuse(const struct command *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "wskemu %s: ", command->name);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\nTry: wskemu %s --help\n", command->name);
    va_end(arguments);
    exit(EXIT_USAGE);
}

static void print_option(const struct command_option *option)
{
    char form[64];
    snprintf(form, sizeof(form), "%c%c%s--%s%s%s", option->letter != 0 ? '-' : ' ',
             option->letter != 0 ? option->letter : ' ', option->letter != 0 ? ", " : "  ",
             option->name, option->argument != NULL ? " " : "",
             option->argument != NULL ? option->argument : "");
    printf("  %-28s %s\n", form, option->text);
}

void command_print_help(const struct command *command)
{
    printf("usage: wskemu %s %s\n\n%s\n\n", command->name, command->usage, command->about);
    for (const struct command_option *option = command->options; option->name != NULL; option++) {
        print_option(option);
    }
    printf("  -h, --help                   prints this\n");
    if (command->more != NULL) {
        printf("\n%s", command->more);
    }
}

/* Makes getopt's tables; returns how many options there are. */
static int fill_tables(const struct command *command, struct option *table, char *letters)
{
    int count = 0;
    *letters++ = ':';
    for (const struct command_option *option = command->options; option->name != NULL; option++) {
        table[count] =
            (struct option){.name = option->name,
                            .has_arg = option->argument != NULL ? required_argument : no_argument,
                            .val = OPTION_BASE + count};
        count++;
        if (option->letter != 0) {
            *letters++ = option->letter;
            *letters = ':';
            letters += option->argument != NULL;
        }
    }
    table[count] = (struct option){.name = "help", .has_arg = no_argument, .val = 'h'};
    *letters++ = 'h';
    *letters = '\0';
    return count;
}

static int index_of_letter(const struct command *command, int letter)
{
    int index = 0;
    while (command->options[index].name != NULL && command->options[index].letter != letter) {
        index++;
    }
    return index;
}

/* The option that begins as the unknown one does, if any. */
static const char *like(const struct command *command, const char *unknown)
{
    const char *word = unknown + strspn(unknown, "-");
    for (const struct command_option *option = command->options; option->name != NULL; option++) {
        if (word[0] != '\0' && strncmp(option->name, word, 3) == 0) {
            return option->name;
        }
    }
    return NULL;
}

int command_next_option(const struct command *command, int count, char **arguments,
                        const char **value)
{
    struct option table[OPTIONS_MAX + 2] = {{0}};
    char letters[3 * OPTIONS_MAX];
    fill_tables(command, table, letters);
    opterr = 0;
    int at = optind;
    int found = getopt_long(count, arguments, letters, table, NULL);
    *value = optarg;
    if (found == -1) {
        return -1;
    }
    if (found == 'h') {
        command_print_help(command);
        exit(EXIT_CLEAN);
    }
    if (found == ':') {
        command_misuse(command, "%s needs an argument", arguments[optind - 1]);
    }
    if (found == '?') {
        const char *wrong = arguments[optind > at ? optind - 1 : at];
        const char *other = like(command, wrong);
        command_misuse(command, "unknown option %s%s%s%s", wrong,
                       other != NULL ? " (did you mean --" : "", other != NULL ? other : "",
                       other != NULL ? "?)" : "");
    }
    return found >= OPTION_BASE ? found - OPTION_BASE : index_of_letter(command, found);
}

uint64_t command_number(const struct command *command, const char *what, const char *text,
                        uint64_t limit)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 0);
    if (end == text || *end != '\0' || text[0] == '-' || errno != 0 || number > limit) {
        command_misuse(command, "%s: %s is no number from 0 to %llu", what, text,
                       (unsigned long long)limit);
    }
    return number;
}
