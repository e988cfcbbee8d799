/* Hooks, for the rest of the harness. See hook.c. */
#ifndef HARNESS_HOOK_H
#define HARNESS_HOOK_H

#include <wskemu/hook.h>

#include <stdbool.h>

/* What is done with a call: as in struct wskemu_hook, or an exception. */
struct hook_action {
    bool fails;
    bool is_late;
    bool raises; /* the result, an NTSTATUS */
    ULONG delay_ms;
    ULONG64 result;
    wskemu_function replacement;
};

/* Decides over calls before all else; false: the call is none of its. It runs on the caller's
 * thread, without a lock. */
typedef bool hook_decider(const void *context, const struct wskemu_call *call,
                          struct hook_action *action);

/* Has a decider asked at each call of a function, until the process ends; false if there is no such
 * function. */
bool hook_decide(const char *function, hook_decider *decider, const void *context);

/* Ends the hooks of the test; what is left queued fails it. */
void hook_end(void);

/* ---- queues ---- */

/* Queues a value: what the function returns, or what its n-th argument is to be. */
#define MOCK_RESULT (-1)
void mock_queue(const char *function, int what, ULONG64 value, const char *file, int line);

/* Takes what was queued for the function to return; false if nothing is. */
bool mock_take(const char *function, ULONG64 *value);

/* Compares the call's arguments with what was queued for them. */
void mock_check(const struct wskemu_call *call);

/* Whether two are the same, as far as they are defined. */
bool mock_is_equal(ULONG64 value, ULONG64 expected);

void mock_forget(const char *function);

/* Forgets everything and says, by a failure of the test each, what was still queued. */
void mock_end(void);

#endif
