#include "ke/callback.h"

#include "base/local.h"
#include "base/stack.h"
#include "ke/bugcheck.h"
#include "ke/kernel.h"
#include "ke/warning.h"
#include "rtl/status_name.h"
#include "trace/trace.h"
#include "verifier/local_object.h"
#include "verifier/lock_order.h"
#include "verifier/object.h"
#include "verifier/resident.h"

static BASE_THREAD_LOCAL struct ke_callback *innermost;
static BASE_THREAD_LOCAL uint64_t entered; /* routines */

const struct ke_callback *ke_callback_innermost(void)
{
    return innermost;
}

void ke_callback_jumped_to(const struct ke_callback *callback)
{
    innermost = (struct ke_callback *)(ULONG_PTR)callback;
}

void ke_callback_enter(struct ke_callback *callback, const char *what, const void *routine)
{
    struct _KTHREAD *thread = ke_current();
    callback->what = what;
    callback->routine = routine;
    callback->started = NULL;
    callback->number = ++entered;
    callback->is_own = false;
    callback->irql = thread->irql;
    callback->spin_locks_held = thread->spin_locks_held;
    callback->kernel_apc_disable = thread->kernel_apc_disable;
    callback->special_apc_disable = thread->special_apc_disable;
    callback->outer = innermost;
    innermost = callback;
    seh_barrier_push(&callback->barrier);
    ex_paged_routine_begins();
    trace_callback(what, routine);
}

void ke_callback_started(const char *function, bool is_own)
{
    if (innermost != NULL) {
        innermost->started = function;
        innermost->is_own = is_own;
    }
}

static void check_irql(const struct ke_callback *callback, const struct _KTHREAD *thread)
{
    if (thread->irql == callback->irql) {
        return;
    }
    const void *mutex = verifier_lock_kept(&verifier_fast_mutex, callback);
    if (mutex != NULL) {
        ke_bugcheck(IRQL_UNEXPECTED_VALUE,
                    ((ULONG_PTR)thread->irql << 16) | ((ULONG_PTR)callback->irql << 8), 0,
                    (ULONG_PTR)callback->routine, 0, "FAST-14",
                    "The driver's routine %p, called as %s, returned without releasing the fast "
                    "mutex %p, and so at IRQL %u.",
                    callback->routine, callback->what, mutex, thread->irql);
    }
    ke_bugcheck(IRQL_UNEXPECTED_VALUE,
                ((ULONG_PTR)thread->irql << 16) | ((ULONG_PTR)callback->irql << 8), 0,
                (ULONG_PTR)callback->routine, 0, "IRQL-14",
                "The driver's routine %p, called as %s at IRQL %u, returned at IRQL %u.",
                callback->routine, callback->what, callback->irql, thread->irql);
}

ULONG ke_callback_apc_counts(const struct ke_callback *callback)
{
    return ke_apc_counts(callback->special_apc_disable, callback->kernel_apc_disable);
}

static void check_regions(const struct ke_callback *callback, const struct _KTHREAD *thread)
{
    ULONG after = ke_thread_apc_counts(thread);
    if (after != ke_callback_apc_counts(callback)) {
        ke_bugcheck(APC_INDEX_MISMATCH, (ULONG_PTR)callback->routine, 0, after, 1, "IRQL-18",
                    "The driver's routine %p, called as %s, returned inside a critical or guarded "
                    "region that it entered, or left one that it did not enter.",
                    callback->routine, callback->what);
    }
}

static void check_spin_locks(const struct ke_callback *callback, const struct _KTHREAD *thread)
{
    static const char condition[] = "a spin lock is released before the routine returns";
    if (thread->spin_locks_held != callback->spin_locks_held) {
        verifier_object_is_subject(callback->routine);
        ke_bugcheck(
            DRIVER_VERIFIER_DETECTED_VIOLATION, 0x4000A, (ULONG_PTR)condition, 0, 0, "SPIN-23",
            "The driver's routine %p, called as %s holding %u spin locks, returned holding "
            "%u.",
            callback->routine, callback->what, callback->spin_locks_held, thread->spin_locks_held);
    }
}

/* All that is checked, at one look. */
static inline bool is_as_it_was(const struct ke_callback *callback, const struct _KTHREAD *thread)
{
    return thread->irql == callback->irql && thread->spin_locks_held == callback->spin_locks_held &&
           thread->kernel_apc_disable == callback->kernel_apc_disable &&
           thread->special_apc_disable == callback->special_apc_disable;
}

static inline void leave(struct ke_callback *callback, const NTSTATUS *status)
{
    const struct _KTHREAD *thread = ke_current();
    seh_barrier_pop(&callback->barrier);
    if (verifier_is_full() || !is_as_it_was(callback, thread)) {
        check_irql(callback, thread);
        check_spin_locks(callback, thread);
        verifier_routine_left(callback);
        check_regions(callback, thread);
    }
    verifier_local_objects_left(callback);
    innermost = callback->outer;
    trace_callback_return(callback->what, callback->routine, status);
}

void ke_callback_leave(struct ke_callback *callback)
{
    leave(callback, NULL);
}

void ke_callback_leave_with(struct ke_callback *callback, NTSTATUS status)
{
    leave(callback, &status);
}

void ke_callback_warn_of_status(const char *rule, const char *what, const void *routine,
                                NTSTATUS status, const char *what_follows)
{
    const char *name = rtl_status_name(status);
    ke_warning(rule, "%s (%s) returned 0x%08X%s%s%s%s", what, base_stack_site_of(routine).text,
               (unsigned)status, name != NULL ? " " : "", name != NULL ? name : "",
               what_follows != NULL ? ": " : "", what_follows != NULL ? what_follows : "");
}
