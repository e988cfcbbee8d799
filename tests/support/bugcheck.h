/* Expected bug checks, with all that they say. */
#ifndef TESTS_SUPPORT_BUGCHECK_H
#define TESTS_SUPPORT_BUGCHECK_H

#include "test.h"

#include <wskemu/wskemu.h>

/* Runs body(context), which must end in a bug check, boots a new kernel and says what it was. */
struct wskemu_bugcheck bugcheck_of_(const char *file, int line, void (*body)(void *context),
                                    void *context);
#define bugcheck_of(body, context) bugcheck_of_(__FILE__, __LINE__, body, context)

/* The same; returns what was printed of it, which is valid until the next log_capture. */
const char *printed_of_(const char *file, int line, void (*body)(void *context), void *context);
#define printed_of(body, context) printed_of_(__FILE__, __LINE__, body, context)

/* Fails unless it is this bug check, with these parameters. */
void assert_bugcheck_(const char *file, int line, const struct wskemu_bugcheck *bugcheck,
                      ULONG code, ULONG_PTR parameter1, ULONG_PTR parameter2, ULONG_PTR parameter3,
                      ULONG_PTR parameter4);
#define assert_bugcheck(bugcheck, code, p1, p2, p3, p4)                                            \
    assert_bugcheck_(__FILE__, __LINE__, &(bugcheck), code, (ULONG_PTR)(p1), (ULONG_PTR)(p2),      \
                     (ULONG_PTR)(p3), (ULONG_PTR)(p4))

/* Any value of a parameter. */
#define ANY ((ULONG_PTR)0xA5A5A5A5A5A5A5A5ULL)

#endif
