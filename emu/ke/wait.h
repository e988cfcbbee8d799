/* Waiting: the one place that blocks. See wait.c. */
#ifndef KE_WAIT_H
#define KE_WAIT_H

#include <wdm.h>

#include "ke/thread.h"

#include "verifier/local_object.h"

#include "base/clock.h"
#include "base/word.h"

#include <stdbool.h>
#include <stdint.h>

/* DISPATCHER_HEADER.Type, Windows' values. */
enum ke_object_type {
    KE_EVENT_NOTIFICATION = 0,
    KE_EVENT_SYNCHRONIZATION = 1,
    KE_MUTANT = 2,
    KE_PROCESS = 3,
    KE_QUEUE = 4,
    KE_SEMAPHORE = 5,
    KE_THREAD = 6,
    KE_TIMER_NOTIFICATION = 8,
    KE_TIMER_SYNCHRONIZATION = 9,
};

struct verifier_stack;

/* One object of one wait, in the object's wait list. Lives on the waiter's stack. */
struct ke_wait_block {
    LIST_ENTRY link;
    struct ke_wait *wait;
    DISPATCHER_HEADER *object;
};

/* One thread's wait. Guarded by the dispatcher lock. */
struct ke_wait {
    struct _KTHREAD *thread;
    struct ke_wait *outer; /* what the thread waited for when a callback made it wait for this */
    struct ke_wait_block *blocks;
    ULONG count;
    bool is_all;       /* WaitAll */
    bool may_lead;     /* the thread may run the loop meanwhile */
    bool is_done;      /* satisfied or ended; blocks are unlinked */
    KIRQL irql;        /* at which the thread waits */
    SHORT apc_disable; /* what the mutexes taken add to the thread's count, once it runs on */
    NTSTATUS status;   /* of the finished wait */
    const void *what;  /* what a parked thread waits for, for reports */
    uint64_t deadline_ns;
    struct verifier_stack *stack; /* where the thread shall write its stack down, or NULL */
};

/* Fills the header of a dispatcher object. Bug checks if a thread waits for it. */
void ke_object_initialize(DISPATCHER_HEADER *object, UCHAR type, UCHAR words, LONG state);

/*
 * Makes an object signalled with the state given and satisfies the waits that this allows. The
 * write of SignalState is the last touch of the object. The dispatcher lock is held.
 */
void ke_object_signal(DISPATCHER_HEADER *object, LONG state);

_Noreturn void ke_object_is_none(const DISPATCHER_HEADER *object, const char *what);

/* Bug checks if the object was never initialised, or is gone. what is "an event". The lock is held.
 */
static inline void ke_object_check(const DISPATCHER_HEADER *object, const char *what)
{
    if (object->WaitListHead.Flink == NULL || object->Type > KE_TIMER_SYNCHRONIZATION ||
        verifier_local_object_is_gone(object)) {
        ke_object_is_none(object, what);
    }
}

/* Ends a call that signalled with Wait TRUE: the thread stays at DISPATCH_LEVEL until its next
 * wait, which restores its level. (WAIT-29) */
void ke_wait_next(void);

/* Bug checks: the thread calls function where it has to wait. */
void ke_report_wait_next(const char *function);

/* First in functions that are called instead of the wait. */
static inline void ke_check_wait_next(const struct _KTHREAD *thread, const char *function)
{
    if (thread->is_wait_next) {
        ke_report_wait_next(function);
    }
}

/* Turns a kernel timeout into a deadline of base_clock_ns(): NULL is for ever. */
uint64_t ke_deadline(const LARGE_INTEGER *timeout);

/* Whether a deadline is over. */
static inline bool ke_is_past(uint64_t deadline_ns)
{
    return deadline_ns != BASE_FOREVER && base_clock_ns() >= deadline_ns;
}

/* Blocks until wait->is_done or the deadline; the dispatcher lock is held on entry and on return.
 * */
void ke_block(struct ke_wait *wait, uint64_t deadline_ns);

/* Ends a wait with a status and lets its thread run. The dispatcher lock is held. */
void ke_wait_finish(struct ke_wait *wait, NTSTATUS status);

#endif
