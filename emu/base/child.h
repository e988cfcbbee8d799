/* Running another program to its end, or to its time limit. */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stdbool.h>
#include <stdint.h>

struct base_child {
    const char *program;            /* a path */
    const char *const *arguments;   /* behind the program's name; NULL at the end */
    const char *const *environment; /* "NAME=VALUE" in addition to ours; NULL at the end */
    const char *output;             /* a file that gets its output, errors too */
    uint64_t time_limit_ms;
};

struct base_child_end {
    bool is_killed; /* its time was over */
    int signal;     /* that ended it, or 0 */
    int64_t status; /* what it returned */
};

/* Runs it, by exec, and waits; false if it could not be started. No kernel is needed. */
bool base_child_run(const struct base_child *child, struct base_child_end *end);

/* The path of the running program; "" if it is not known. Lives as long as the process. */
const char *base_program_path(void);

#endif
