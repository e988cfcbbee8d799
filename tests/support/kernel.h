/* What tests of the kernel need besides test.h: threads, times, expected bug checks. */
#ifndef TESTS_SUPPORT_KERNEL_H
#define TESTS_SUPPORT_KERNEL_H

#include "test.h"

#include <ntddk.h>

#include <wskemu/wskemu.h>

/* An interval of so many milliseconds, as waits take it. */
static inline LARGE_INTEGER interval_ms(LONG milliseconds)
{
    LARGE_INTEGER interval;
    interval.QuadPart = -10000LL * milliseconds;
    return interval;
}

/* Waits for one object with a timeout of zero. */
static inline NTSTATUS poll_object(PVOID object)
{
    LARGE_INTEGER none = {.QuadPart = 0};
    return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &none);
}

/* Waits for one object for ever. */
static inline NTSTATUS wait_object(PVOID object)
{
    return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, NULL);
}

/* A running system thread, referenced. */
PKTHREAD start_thread(PKSTART_ROUTINE routine, PVOID context);

/* Waits for the end of a thread that start_thread gave, and forgets it. */
void join_thread(PKTHREAD thread);

/* Returns when the thread sleeps in the dispatcher. */
void await_blocked(PKTHREAD thread);

/* Runs body(context), which must end in this bug check with this first parameter, broken rule
 * (NULL: any); then boots a new kernel. */
void expect_bugcheck_(const char *file, int line, void (*body)(void *), void *context, ULONG code,
                      ULONG_PTR parameter1, const char *rule);
#define expect_bugcheck(body, context, code, parameter1, rule)                                     \
    expect_bugcheck_(__FILE__, __LINE__, body, context, code, parameter1, rule)

/* Any first parameter. */
#define ANY_PARAMETER ((ULONG_PTR)0xA5A5A5A5A5A5A5A5ULL)

#endif
