/*
 * Assertions of any thread: kept here until the test asks. They may come from code that holds spin
 * locks, at any IRQL, and after the kernel has ended: nothing here enters the kernel.
 */
#include <wskemu/assert.h>

#include "base/log.h"
#include "base/mutex.h"
#include "harness/assertion.h"
#include "rtl/status_name.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#define FAILURES_MAX 16

static struct base_mutex lock; /* guards the two below */
static struct wskemu_failure failures[FAILURES_MAX];
static unsigned failure_count;

/* 0 nobody has initialised the lock, 1 somebody does, 2 it is */
static atomic_int lock_state;

static void take_lock(void)
{
    int expected = 0;
    if (atomic_compare_exchange_strong(&lock_state, &expected, 1)) {
        base_mutex_init(&lock);
        atomic_store(&lock_state, 2);
    }
    while (atomic_load(&lock_state) != 2) {
        YieldProcessor();
    }
    base_mutex_lock(&lock);
}

void wskemu_fail_at(const char *file, int line, const char *format, ...)
{
    struct wskemu_failure failure = {.file = file, .line = line};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure.text, sizeof(failure.text), format, arguments);
    va_end(arguments);
    base_log("%s:%d: assertion failed: %s\n", file, line, failure.text);
    take_lock();
    if (failure_count < FAILURES_MAX) {
        failures[failure_count++] = failure;
    }
    base_mutex_unlock(&lock);
}

BOOLEAN wskemu_failure_take(struct wskemu_failure *failure)
{
    take_lock();
    bool is_there = failure_count != 0;
    if (is_there) {
        *failure = failures[0];
        failure_count--;
        memmove(&failures[0], &failures[1], failure_count * sizeof(failures[0]));
    }
    base_mutex_unlock(&lock);
    return is_there;
}

bool assertion_has_failed(void)
{
    take_lock();
    bool is_there = failure_count != 0;
    base_mutex_unlock(&lock);
    return is_there;
}

void wskemu_failures_forget(void)
{
    take_lock();
    failure_count = 0;
    base_mutex_unlock(&lock);
}

const char *wskemu_status_name(NTSTATUS status)
{
    const char *name = rtl_status_name(status);
    return name != NULL ? name : "";
}

BOOLEAN wskemu_check_null(const char *file, int line, const char *expression, const void *pointer,
                          BOOLEAN is_null)
{
    if ((pointer == NULL) == (is_null != FALSE)) {
        return TRUE;
    }
    wskemu_fail_at(file, line, "%s is %p", expression, pointer);
    return FALSE;
}

BOOLEAN wskemu_check_equal(const char *file, int line, const char *expression, LONG64 value,
                           LONG64 other, BOOLEAN is_equal)
{
    if ((value == other) == (is_equal != FALSE)) {
        return TRUE;
    }
    wskemu_fail_at(file, line, "%s is %lld (0x%llX), %s %lld (0x%llX)", expression,
                   (long long)value, (unsigned long long)value,
                   is_equal ? "not" : "as it should not be:", (long long)other,
                   (unsigned long long)other);
    return FALSE;
}

BOOLEAN wskemu_check_string(const char *file, int line, const char *expression, const char *value,
                            const char *expected)
{
    if (strcmp(value, expected) == 0) {
        return TRUE;
    }
    wskemu_fail_at(file, line, "%s is \"%s\", not \"%s\"", expression, value, expected);
    return FALSE;
}

BOOLEAN wskemu_check_status(const char *file, int line, const char *expression, NTSTATUS value,
                            NTSTATUS expected)
{
    if (value == expected) {
        return TRUE;
    }
    wskemu_fail_at(file, line, "%s is 0x%08X %s, not 0x%08X %s", expression, (unsigned)value,
                   wskemu_status_name(value), (unsigned)expected, wskemu_status_name(expected));
    return FALSE;
}

BOOLEAN wskemu_check_success(const char *file, int line, const char *expression, NTSTATUS value)
{
    if (NT_SUCCESS(value)) {
        return TRUE;
    }
    wskemu_fail_at(file, line, "%s is 0x%08X %s, which is no success", expression, (unsigned)value,
                   wskemu_status_name(value));
    return FALSE;
}
