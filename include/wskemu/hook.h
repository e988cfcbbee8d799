/*
 * Hooks: what a driver calls can be counted, delayed, made to fail, or replaced by a function of
 * the test's. A function is named as the driver calls it:
 *
 *  - an entry of WSK's dispatch tables, "WskSend": in all tables that have it, whoever calls;
 *  - a function of the kernel, "ExAllocatePool2", "WskRegister", "NmrRegisterClient": the calls of
 *    all drivers that wskemu_add_driver() built, and none of the test's or the emulator's own. Not
 *    with Microsoft's compiler.
 *
 * A macro or an inline function of the headers is no function: hook what it calls
 * (IofCompleteRequest, IofCallDriver, KeAcquireSpinLockRaiseToDpc). What cannot be hooked is said,
 * fails the test, and returns a status that is no success.
 *
 * Hooks belong to the process. They end at the end of wskemu_shutdown(), after the drivers were
 * unloaded, or at wskemu_unhook. A function that nobody hooks costs a driver one jump.
 *
 *     wskemu_hook_fail_nth("ExAllocatePool2", 3, STATUS_INSUFFICIENT_RESOURCES);
 *     wskemu_hook_replace("WskSend", my_send);
 *     wskemu_will_return("IoAllocateIrp", NULL);
 *     wskemu_expect("WskDisconnect", 2, WSK_FLAG_ABORTIVE);
 *     ...
 *     assert_int_equal(wskemu_calls("WskCloseSocket"), 2);
 */
#ifndef WSKEMU_HOOK_H
#define WSKEMU_HOOK_H

#include <wdm.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Any function, to be cast. */
typedef void (*wskemu_function)(void);

/* A call of a function that is hooked, while it is made. */
struct wskemu_call {
    const char *function;
    ULONG number;               /* 1: the first since the function was hooked */
    const void *return_address; /* in the caller */
    const ULONG64 *frame;       /* for wskemu_argument */
};

/* The n-th argument, from 0; the upper half of one of 32 bits is undefined. No call has more than
 * 16. */
ULONG64 wskemu_argument(const struct wskemu_call *call, ULONG n);

#define WSKEMU_HOOK_ARGUMENTS 16

/*
 * What is done with which calls. A call that matches is counted, and the hook takes those from the
 * first on, so many. A zeroed one takes every call and does nothing but count them.
 */
struct wskemu_hook {
    ULONG matches;                           /* bit n: argument n has to be argument[n] */
    ULONG64 argument[WSKEMU_HOOK_ARGUMENTS]; /* compared as 32 bits if it has no more */
    BOOLEAN (*condition)(const struct wskemu_call *call, void *context); /* or NULL */
    void *context;                                                       /* of condition */
    ULONG first; /* 0 and 1: from the first on */
    ULONG count; /* 0: all of them */

    /* The call waits first: as a wait below DISPATCH_LEVEL, else keeping its processor. */
    ULONG delay_ms;

    /*
     * It is made to fail: it has no effect, and returns the result: a status, or 0 for NULL. A WSK
     * call with an IRP completes the IRP with the result; if is_late it returns STATUS_PENDING, and
     * the IRP completes when the completion policy says.
     */
    BOOLEAN fails;
    BOOLEAN is_late;
    ULONG64 result;

    wskemu_function replacement; /* is called instead, with the same prototype; NULL: nothing is */
};

/*
 * Hooks a function, beside the hooks that it has: of several that take a call the last one set
 * does. STATUS_SUCCESS; STATUS_PROCEDURE_NOT_FOUND if there is no such function,
 * STATUS_NOT_SUPPORTED with Microsoft's compiler, STATUS_INSUFFICIENT_RESOURCES for more hooks than
 * 16 a function, or functions than 256.
 */
NTSTATUS wskemu_hook(const char *function, const struct wskemu_hook *hook);

/* Takes all hooks from a function, and what is queued for it; and from all functions. */
void wskemu_unhook(const char *function);
void wskemu_unhook_all(void);

/* How often drivers have called the function since it was hooked. */
ULONG wskemu_calls(const char *function);

/*
 * The function itself, for a replacement to call. Of a function of the kernel that is simply its
 * name; an entry of a dispatch table is that of this table (socket->Dispatch, or the provider's).
 */
wskemu_function wskemu_original(const char *function, const void *dispatch);

/* Counts. */
static inline NTSTATUS wskemu_hook_watch(const char *function)
{
    struct wskemu_hook hook = {0};
    return wskemu_hook(function, &hook);
}

/* Each call fails, or the nth from now on. */
static inline NTSTATUS wskemu_hook_fail_nth(const char *function, ULONG nth, ULONG64 result)
{
    struct wskemu_hook hook = {0};
    hook.fails = TRUE;
    hook.result = result;
    hook.first = nth;
    hook.count = nth != 0;
    return wskemu_hook(function, &hook);
}

#define wskemu_hook_fail(function, result) wskemu_hook_fail_nth(function, 0, (ULONG64)(result))

static inline NTSTATUS wskemu_hook_delay(const char *function, ULONG delay_ms)
{
    struct wskemu_hook hook = {0};
    hook.delay_ms = delay_ms;
    return wskemu_hook(function, &hook);
}

static inline NTSTATUS wskemu_hook_replace_by(const char *function, wskemu_function replacement)
{
    struct wskemu_hook hook = {0};
    hook.replacement = replacement;
    return wskemu_hook(function, &hook);
}

#define wskemu_hook_replace(function, replacement)                                                 \
    wskemu_hook_replace_by(function, (wskemu_function)(replacement))

/*
 * Queues, of the process: any thread may take from them, at any IRQL <= DISPATCH_LEVEL.
 *
 * wskemu_will_return queues what a function returns: its next call returns it and does nothing
 * else, before any other hook is asked. wskemu_expect queues what an argument of its next call is
 * to be. Both hook the function if it can be. If it cannot, it is one of the test's own, a
 * replacement or a callback, which takes them by wskemu_mock and wskemu_check.
 *
 * An argument that is another, and what is left in a queue when wskemu_shutdown() ends, fails the
 * test, with the line that queued it.
 */
#define wskemu_will_return(function, value)                                                        \
    wskemu_queue_result(function, (ULONG64)(value), __FILE__, __LINE__)
#define wskemu_expect(function, n, value)                                                          \
    wskemu_queue_expectation(function, n, (ULONG64)(value), __FILE__, __LINE__)

/* In the function of that name: what was queued first for it to return; 0, and a failed test, if
 * nothing is. */
#define wskemu_mock() wskemu_take_result(__func__, __FILE__, __LINE__)

/* In the function of that name: argument n is what was queued first for it. */
#define wskemu_check(n, value)                                                                     \
    wskemu_take_expectation(__func__, n, (ULONG64)(value), __FILE__, __LINE__)

/* What the above call. */
void wskemu_queue_result(const char *function, ULONG64 value, const char *file, int line);
void wskemu_queue_expectation(const char *function, ULONG n, ULONG64 value, const char *file,
                              int line);
ULONG64 wskemu_take_result(const char *function, const char *file, int line);
void wskemu_take_expectation(const char *function, ULONG n, ULONG64 value, const char *file,
                             int line);

#ifdef __cplusplus
}
#endif

#endif
