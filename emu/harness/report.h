/*
 * A report: sections of rows of named values, written as text or as JSON.
 *
 *     sockets:
 *       state=listening local=127.0.0.1:7777 remote=-
 *
 *     {"sockets":[{"state":"listening","local":"127.0.0.1:7777","remote":"-"}]}
 */
#ifndef HARNESS_REPORT_H
#define HARNESS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct report {
    char *text; /* NULL when memory is short */
    size_t used;
    size_t capacity;
    bool is_json;
    bool has_section;
    bool has_row;
    bool has_value;
};

void report_begin(struct report *report, bool is_json);
void report_section(struct report *report, const char *name);
void report_row(struct report *report);
void report_text(struct report *report, const char *name, const char *value);
void report_number(struct report *report, const char *name, uint64_t value);
void report_seconds(struct report *report, const char *name, uint64_t ns);

/* The whole text, for free(); NULL when memory was short. */
char *report_end(struct report *report);

#endif
