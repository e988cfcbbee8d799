#include "verifier/option.h"

#include "base/log.h"
#include "base/process.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "WSKEMU_"
#define PREFIX_LENGTH (sizeof(PREFIX) - 1)
#define USED_BYTES_MAX 96
#define LINE_BYTES_MAX 1024

enum option_kind {
    OPTION_KIND_CHOICE, /* one of values, which are separated by | */
    OPTION_KIND_NUMBER, /* from lowest to highest */
    OPTION_KIND_SEED,   /* a number or "random" */
    OPTION_KIND_TEXT,
    OPTION_KIND_TOOL /* not the kernel's, but of tests and tools */
};

struct option {
    const char *name;
    enum option_kind kind;
    const char *values;
    unsigned long lowest;
    unsigned long highest;
    const char *otherwise;
};

#define X(name, kind, values, lowest, highest, otherwise)                                          \
    {PREFIX #name, kind, values, lowest, highest, otherwise},
static const struct option options[] = {
#include "options_table.inc"
};
#undef X

/* What the run uses: written at boot, by one thread, and only read afterwards. */
static struct {
    char text[USED_BYTES_MAX];
    const char *how; /* NULL: from the environment, or the default */
} used[OPTION_COUNT];

/* ---- checking ---- */

static bool parse_number(const char *text, unsigned long *number)
{
    char *end;
    *number = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0';
}

/* Where the n-th of texts that are separated by | begins, and how long it is; NULL if none. */
static const char *choice_at(const char *values, unsigned n, size_t *length)
{
    while (n != 0) {
        values = strchr(values, '|');
        if (values == NULL) {
            return NULL;
        }
        values++;
        n--;
    }
    *length = strcspn(values, "|");
    return values;
}

static bool find_choice(const struct option *option, const char *text, unsigned *found)
{
    const char *choice;
    size_t length;
    for (unsigned n = 0; (choice = choice_at(option->values, n, &length)) != NULL; n++) {
        if (strlen(text) == length && memcmp(choice, text, length) == 0) {
            *found = n;
            return true;
        }
    }
    return false;
}

static bool is_possible(const struct option *option, const char *text)
{
    unsigned long number;
    unsigned choice;
    switch (option->kind) {
    case OPTION_KIND_CHOICE:
        return find_choice(option, text, &choice);
    case OPTION_KIND_NUMBER:
        return parse_number(text, &number) && number >= option->lowest && number <= option->highest;
    case OPTION_KIND_SEED:
        return strcmp(text, "random") == 0 || parse_number(text, &number);
    default:
        return true;
    }
}

/* How many letters have to be changed, put in or left out at most: a rough measure. */
static size_t distance_of(const char *one, const char *other)
{
    size_t common = 0;
    size_t tail = 0;
    size_t one_length = strlen(one);
    size_t other_length = strlen(other);
    size_t shorter = one_length < other_length ? one_length : other_length;
    size_t longer = one_length < other_length ? other_length : one_length;
    while (common < shorter && one[common] == other[common]) {
        common++;
    }
    while (tail < shorter - common &&
           one[one_length - 1 - tail] == other[other_length - 1 - tail]) {
        tail++;
    }
    return longer - common - tail;
}

static const struct option *most_like(const char *name)
{
    const struct option *best = &options[0];
    for (size_t i = 1; i < OPTION_COUNT; i++) {
        if (distance_of(name, options[i].name) < distance_of(name, best->name)) {
            best = &options[i];
        }
    }
    return best;
}

static const struct option *find(const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

static void check_variable(void *context, const char *name, const char *text)
{
    bool *is_right = context;
    if (strncmp(name, PREFIX, PREFIX_LENGTH) != 0 || *text == '\0') {
        return;
    }
    const struct option *option = find(name);
    if (option == NULL) {
        base_log("wskemu: %s is set in the environment, but is no option; did you mean %s? "
                 "docs/testing.md lists them all.\n",
                 name, most_like(name)->name);
    } else if (!is_possible(option, text)) {
        base_log("wskemu: %s=%s is not possible; it may be %s.\n", name, text, option->values);
    } else {
        return;
    }
    *is_right = false;
}

bool verifier_options_check(void)
{
    bool is_right = true;
    base_environment_each(check_variable, &is_right);
    return is_right;
}

/* ---- asking ---- */

bool verifier_option_is_set(enum verifier_option option)
{
    return *base_environment(options[option].name, "") != '\0';
}

const char *verifier_option_text(enum verifier_option option)
{
    const char *text = base_environment(options[option].name, "");
    return *text != '\0' ? text : options[option].otherwise;
}

unsigned long verifier_option_number(enum verifier_option option)
{
    return strtoul(verifier_option_text(option), NULL, 10);
}

unsigned verifier_option_choice(enum verifier_option option)
{
    unsigned choice = 0;
    if (!find_choice(&options[option], verifier_option_text(option), &choice)) {
        find_choice(&options[option], options[option].otherwise, &choice);
    }
    return choice;
}

/* ---- what the run uses ---- */

void verifier_option_use(enum verifier_option option, const char *how, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(used[option].text, USED_BYTES_MAX, format, arguments);
    va_end(arguments);
    used[option].how = how;
}

void verifier_option_use_choice(enum verifier_option option, const char *how, unsigned n)
{
    size_t length = 0;
    const char *choice = choice_at(options[option].values, n, &length);
    verifier_option_use(option, how, "%.*s", (int)length, choice != NULL ? choice : "");
}

void verifier_options_use_environment(void)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const char *text = verifier_option_text((enum verifier_option)i);
        verifier_option_use((enum verifier_option)i, NULL, "%s", text);
    }
}

void verifier_options_print(void)
{
    char line[LINE_BYTES_MAX];
    int length = snprintf(line, sizeof(line), "Options:");
    for (size_t i = 0; i < OPTION_COUNT && length < LINE_BYTES_MAX; i++) {
        if (options[i].kind != OPTION_KIND_TOOL && used[i].text[0] != '\0') {
            length +=
                snprintf(line + length, LINE_BYTES_MAX - (size_t)length, " %s=%s%s%s%s",
                         options[i].name, used[i].text, used[i].how != NULL ? " (" : "",
                         used[i].how != NULL ? used[i].how : "", used[i].how != NULL ? ")" : "");
        }
    }
    base_log("%s\n", line);
}
