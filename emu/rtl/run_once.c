/*
 * One-time initialisation.
 *
 * The word's two low bits say how far it is; the others hold the context once it is done. A thread
 * that finds another at work sleeps at the word's address. Asynchronous initialisation lets several
 * threads work at once, and the first to complete wins.
 */
#include <wdm.h>

#include "ke/address.h"
#include "rtl/level.h"

#define STATE_MASK ((ULONG_PTR)3)
#define STATE_NEW ((ULONG_PTR)0)
#define STATE_BUSY ((ULONG_PTR)1)
#define STATE_ASYNC ((ULONG_PTR)2)
#define STATE_DONE ((ULONG_PTR)3)

static ULONG_PTR load(PRTL_RUN_ONCE run_once)
{
    return __atomic_load_n(&run_once->Value, __ATOMIC_ACQUIRE);
}

static BOOLEAN change(PRTL_RUN_ONCE run_once, ULONG_PTR from, ULONG_PTR to)
{
    return __atomic_compare_exchange_n(&run_once->Value, &from, to, FALSE, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

/* The same as RTL_RUN_ONCE_INIT. */
VOID RtlRunOnceInitialize(PRTL_RUN_ONCE RunOnce)
{
    RunOnce->Value = STATE_NEW;
}

static NTSTATUS get_context(ULONG_PTR value, PVOID *context)
{
    if (context != NULL) {
        *context = (PVOID)(value & ~STATE_MASK);
    }
    return STATUS_SUCCESS;
}

/* STATUS_SUCCESS if the initialisation is done, with its context; STATUS_PENDING if the caller
 * shall do it and then call RtlRunOnceComplete; else STATUS_UNSUCCESSFUL (only checked, and not
 * done) or STATUS_INVALID_PARAMETER (flags, or the other kind is under way). Waits for another
 * caller who is at it. IRQL <= APC_LEVEL. */
NTSTATUS RtlRunOnceBeginInitialize(PRTL_RUN_ONCE RunOnce, ULONG Flags, PVOID *Context)
{
    BOOLEAN async = Flags == RTL_RUN_ONCE_ASYNC;
    if (Flags != 0 && !async && Flags != RTL_RUN_ONCE_CHECK_ONLY) {
        return STATUS_INVALID_PARAMETER;
    }
    for (;;) {
        ULONG_PTR value = load(RunOnce);
        if ((value & STATE_MASK) == STATE_DONE) {
            return get_context(value, Context);
        }
        if (Flags == RTL_RUN_ONCE_CHECK_ONLY) {
            return STATUS_UNSUCCESSFUL;
        }
        if (value == STATE_NEW) {
            if (change(RunOnce, STATE_NEW, async ? STATE_ASYNC : STATE_BUSY)) {
                return STATUS_PENDING;
            }
        } else if ((value == STATE_ASYNC) != async) {
            return STATUS_INVALID_PARAMETER;
        } else if (async) {
            return STATUS_PENDING;
        } else {
            ke_address_wait(&RunOnce->Value, sizeof(RunOnce->Value), value, true);
        }
    }
}

/* Ends what RtlRunOnceBeginInitialize began: done, with a context whose two low bits are 0, or with
 * RTL_RUN_ONCE_INIT_FAILED to be tried again. STATUS_SUCCESS, STATUS_INVALID_PARAMETER,
 * STATUS_UNSUCCESSFUL (nothing under way), STATUS_OBJECT_NAME_COLLISION (asynchronous, and another
 * one was first). */
NTSTATUS RtlRunOnceComplete(PRTL_RUN_ONCE RunOnce, ULONG Flags, PVOID Context)
{
    BOOLEAN failed = (Flags & RTL_RUN_ONCE_INIT_FAILED) != 0;
    BOOLEAN async = (Flags & RTL_RUN_ONCE_ASYNC) != 0;
    if ((Flags & ~(RTL_RUN_ONCE_INIT_FAILED | RTL_RUN_ONCE_ASYNC)) != 0 || (failed && async) ||
        (failed && Context != NULL) || ((ULONG_PTR)Context & STATE_MASK) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    ULONG_PTR expected = async ? STATE_ASYNC : STATE_BUSY;
    ULONG_PTR next = failed ? STATE_NEW : (ULONG_PTR)Context | STATE_DONE;
    if (!change(RunOnce, expected, next)) {
        BOOLEAN late = async && (load(RunOnce) & STATE_MASK) == STATE_DONE;
        return late ? STATUS_OBJECT_NAME_COLLISION : STATUS_UNSUCCESSFUL;
    }
    if (!async) {
        ke_address_wake(&RunOnce->Value, true);
    }
    return STATUS_SUCCESS;
}

/* Calls the routine unless a call before has returned TRUE; other callers wait meanwhile.
 * STATUS_SUCCESS, or STATUS_UNSUCCESSFUL if it returned FALSE. IRQL <= APC_LEVEL. */
NTSTATUS RtlRunOnceExecuteOnce(PRTL_RUN_ONCE RunOnce, PRTL_RUN_ONCE_INIT_FN InitFn, PVOID Parameter,
                               PVOID *Context)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    PVOID context = NULL;
    NTSTATUS status = RtlRunOnceBeginInitialize(RunOnce, 0, &context);
    if (status == STATUS_PENDING) {
        if (!InitFn(RunOnce, Parameter, &context)) {
            RtlRunOnceComplete(RunOnce, RTL_RUN_ONCE_INIT_FAILED, NULL);
            return STATUS_UNSUCCESSFUL;
        }
        status = RtlRunOnceComplete(RunOnce, 0, context);
    }
    if (NT_SUCCESS(status) && Context != NULL) {
        *Context = context;
    }
    return status;
}
