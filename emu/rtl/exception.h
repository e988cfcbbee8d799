/*
 * Structured exception handling, as the emulator itself uses it. The driver's side is excpt.h.
 */
#ifndef RTL_EXCEPTION_H
#define RTL_EXCEPTION_H

#include <wdm.h>
#include <excpt.h>

#include "base/local.h"

#include <stdbool.h>

/*
 * A barrier stands round every call into driver code that the emulator makes in its own time (DPCs,
 * completion routines, threads, work items), and round every wait that may lead the loop: a raise
 * above it never reaches a try statement below it. Pushes and pops nest.
 */
struct seh_barrier {
    struct wskemu_seh_guard *top;  /* the innermost guard when it was pushed */
    struct wskemu_seh_guard *base; /* the barrier round this one */
};

#ifdef _MSC_VER
void seh_barrier_push(struct seh_barrier *barrier);
void seh_barrier_pop(struct seh_barrier *barrier);
#else

/* Guards of the calling thread; those from base on lie beyond the innermost barrier. */
struct seh_guards {
    struct wskemu_seh_guard *top;
    struct wskemu_seh_guard *base;
};

extern BASE_THREAD_LOCAL struct seh_guards seh_guards;
void seh_forget_above(const struct wskemu_seh_guard *stop);

static inline void seh_barrier_push(struct seh_barrier *barrier)
{
    barrier->top = seh_guards.top;
    barrier->base = seh_guards.base;
    seh_guards.base = seh_guards.top;
}

/* Also right after a jump out of the code above the barrier: guards left there are forgotten. */
static inline void seh_barrier_pop(struct seh_barrier *barrier)
{
    if (seh_guards.top != barrier->top) {
        seh_forget_above(barrier->top);
    }
    seh_guards.base = barrier->base;
}

#endif

/* Forgets the calling thread's guards. */
void seh_thread_exit(void);

/* Whether a raise here would reach a handler of the driver (rule MDL-28). */
bool seh_is_protected(void);

/* Makes faults of driver code raise, on every thread. May be called again at any time. */
void seh_catch_faults(void);

/* Raises into the driver's innermost try statement; returns if there is no handler. */
void seh_dispatch(const EXCEPTION_RECORD *record, const CONTEXT *machine);

/* The same, with a bug check if nobody catches. */
_Noreturn void seh_raise(const EXCEPTION_RECORD *record, const CONTEXT *machine);

#endif
