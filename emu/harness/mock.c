/*
 * What functions are to return, and what their arguments are to be: one queue of the process, in
 * which each function finds its own by name. Who gave the name may free it.
 */
#include "base/mutex.h"
#include "harness/hook.h"

#include <wskemu/assert.h>

#include <stdlib.h>
#include <string.h>

struct queued {
    struct queued *next;
    int what; /* MOCK_RESULT, or the number of an argument */
    ULONG64 value;
    const char *file;
    int line;
    char function[];
};

static struct base_mutex lock; /* guards the queue */
static struct queued *first;

void mock_queue(const char *function, int what, ULONG64 value, const char *file, int line)
{
    size_t bytes = strlen(function) + 1;
    struct queued *queued = malloc(sizeof(*queued) + bytes);
    if (queued == NULL) {
        wskemu_fail_at(file, line, "no memory to queue a value for %s", function);
        return;
    }
    *queued = (struct queued){.what = what, .value = value, .file = file, .line = line};
    memcpy(queued->function, function, bytes);
    base_mutex_lock(&lock);
    struct queued **link = &first;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = queued;
    base_mutex_unlock(&lock);
}

/* The oldest that is for this; the caller frees it. */
static struct queued *take(const char *function, int what)
{
    base_mutex_lock(&lock);
    struct queued **link = &first;
    while (*link != NULL && ((*link)->what != what || strcmp((*link)->function, function) != 0)) {
        link = &(*link)->next;
    }
    struct queued *taken = *link;
    if (taken != NULL) {
        *link = taken->next;
    }
    base_mutex_unlock(&lock);
    return taken;
}

bool mock_take(const char *function, ULONG64 *value)
{
    struct queued *queued = take(function, MOCK_RESULT);
    if (queued == NULL) {
        return false;
    }
    *value = queued->value;
    free(queued);
    return true;
}

bool mock_is_equal(ULONG64 value, ULONG64 expected)
{
    bool is_narrow = (LONG64)expected == (LONG)expected || expected == (ULONG)expected;
    return is_narrow ? (ULONG)value == (ULONG)expected : value == expected;
}

/* Fails the test, where the value was queued, if the argument is another. */
static void compare(const char *function, const struct queued *queued, ULONG64 value)
{
    if (!mock_is_equal(value, queued->value)) {
        wskemu_fail_at(queued->file, queued->line,
                       "argument %d of %s is %lld (0x%llX), not %lld (0x%llX)", queued->what,
                       function, (long long)value, (unsigned long long)value,
                       (long long)queued->value, (unsigned long long)queued->value);
    }
}

void mock_check(const struct wskemu_call *call)
{
    for (ULONG n = 0; n < WSKEMU_HOOK_ARGUMENTS; n++) {
        struct queued *queued = take(call->function, (int)n);
        if (queued != NULL) {
            compare(call->function, queued, wskemu_argument(call, n));
            free(queued);
        }
    }
}

ULONG64 wskemu_take_result(const char *function, const char *file, int line)
{
    ULONG64 value = 0;
    if (!mock_take(function, &value)) {
        wskemu_fail_at(file, line, "nothing is queued for %s to return", function);
    }
    return value;
}

void wskemu_take_expectation(const char *function, ULONG n, ULONG64 value, const char *file,
                             int line)
{
    struct queued *queued = take(function, (int)n);
    if (queued == NULL) {
        wskemu_fail_at(file, line, "nothing is queued for argument %u of %s", (unsigned)n,
                       function);
        return;
    }
    compare(function, queued, value);
    free(queued);
}

/* Takes out all that is for the function, or all; NULL when there is no more. */
static struct queued *take_any(const char *function)
{
    base_mutex_lock(&lock);
    struct queued **link = &first;
    while (*link != NULL && function != NULL && strcmp((*link)->function, function) != 0) {
        link = &(*link)->next;
    }
    struct queued *taken = *link;
    if (taken != NULL) {
        *link = taken->next;
    }
    base_mutex_unlock(&lock);
    return taken;
}

void mock_forget(const char *function)
{
    struct queued *queued;
    while ((queued = take_any(function)) != NULL) {
        free(queued);
    }
}

void mock_end(void)
{
    struct queued *queued;
    while ((queued = take_any(NULL)) != NULL) {
        if (queued->what == MOCK_RESULT) {
            wskemu_fail_at(queued->file, queued->line, "%s was not called to return 0x%llX",
                           queued->function, (unsigned long long)queued->value);
        } else {
            wskemu_fail_at(queued->file, queued->line,
                           "%s was not called with 0x%llX as argument %d", queued->function,
                           (unsigned long long)queued->value, queued->what);
        }
        free(queued);
    }
}
