/* A rule's two drivers: the bad one must be caught, its good twin must not be spoken of. */
#ifndef TESTS_VERIFIER_TWINS_H
#define TESTS_VERIFIER_TWINS_H

#include "kernel.h"
#include "log.h"

#include <string.h>

/* Runs body(context), of which the emulator must warn, naming the rule. */
static inline void expect_warning_(const char *file, int line, void (*body)(void *), void *context,
                                   const char *rule)
{
    char head[64] = "warning ";
    strncat(head, rule, sizeof(head) - strlen(head) - 1);
    strncat(head, ":", sizeof(head) - strlen(head) - 1);
    log_capture();
    body(context);
    const char *text = log_captured();
    if (strstr(text, head) == NULL) {
        print_error("expected a warning of %s, got: %s\n", rule, text[0] != '\0' ? text : "none");
        _fail(file, line);
    }
}
#define expect_warning(body, context, rule) expect_warning_(__FILE__, __LINE__, body, context, rule)

/* Runs body(context), of which the emulator must say nothing. */
static inline void expect_silence_(const char *file, int line, void (*body)(void *), void *context)
{
    log_capture();
    body(context);
    const char *text = log_captured();
    if (text[0] != '\0') {
        print_error("expected silence, got: %s\n", text);
        _fail(file, line);
    }
}
#define expect_silence(body, context) expect_silence_(__FILE__, __LINE__, body, context)

#endif
