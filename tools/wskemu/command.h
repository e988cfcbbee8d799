/* What the sub-commands share. Each is a function in a file of its name. */
#ifndef COMMAND_H
#define COMMAND_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Exit statuses; the manual lists them. */
enum {
    EXIT_CLEAN = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_LOADED = 3,
    EXIT_LEFT_THINGS = 4,
    EXIT_NO_RUN = 5,     /* no running driver answers */
    EXIT_STUCK = 6,      /* a driver did not come back in time */
    EXIT_BUGCHECK = 70,  /* BASE_EXIT_BUGCHECK */
    EXIT_INTERRUPT = 130 /* a second Ctrl-C */
};

/* A sub-command: arguments as for main(), arguments[0] is its name. */
typedef int command_function(int count, char **arguments);

command_function command_run, command_build, command_ioctl, command_status, command_session,
    command_trace;

/* An option, for getopt and for --help. */
struct command_option {
    const char *name;     /* "port", for --port */
    const char *argument; /* what --help calls its argument; NULL: it has none */
    const char *text;     /* for --help */
    char letter;          /* of the short form, or 0 */
};

struct command {
    const char *name;
    const char *usage;                    /* behind the name */
    const char *about;                    /* one line */
    const char *more;                     /* further lines of --help, or NULL */
    const struct command_option *options; /* up to one without a name */
};

/*
 * The next option's index in command->options, with its argument in *value; -1 at the end, and
 * then optind is the first other argument. --help is answered, and a wrong option is explained, by
 * ending the program.
 */
int command_next_option(const struct command *command, int count, char **arguments,
                        const char **value);

void command_print_help(const struct command *command);

/* Prints "wskemu: ..." to the standard error stream. */
__attribute__((format(printf, 1, 2))) void command_complain(const char *format, ...);

/* Complains and ends the program with EXIT_USAGE, naming --help. */
__attribute__((format(printf, 2, 3))) _Noreturn void command_misuse(const struct command *command,
                                                                    const char *format, ...);

/* A number of an option, decimal or 0x; misuse if it is none or larger than limit. */
uint64_t command_number(const struct command *command, const char *what, const char *text,
                        uint64_t limit);

#endif
