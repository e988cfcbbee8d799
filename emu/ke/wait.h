/* Waiting: the one place that blocks. See wait.c. */
#ifndef KE_WAIT_H
#define KE_WAIT_H

#include <wdm.h>

#include <stdbool.h>
#include <stdint.h>

struct _KTHREAD;

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
};

/* Fills the header of a dispatcher object. Bug checks if a thread waits for it. */
void ke_object_initialize(DISPATCHER_HEADER *object, UCHAR type, UCHAR words, LONG state);

/*
 * Makes an object signalled with the state given and satisfies the waits that this allows. The
 * write of SignalState is the last touch of the object. The dispatcher lock is held.
 */
void ke_object_signal(DISPATCHER_HEADER *object, LONG state);

/* Bug checks if the object was never initialised. what is "an event". The lock is held. */
void ke_object_check(const DISPATCHER_HEADER *object, const char *what);

/* Ends a call that signalled with Wait TRUE: the thread stays at DISPATCH_LEVEL until its next
 * wait, which restores its level. (WAIT-29) */
void ke_wait_next(void);

/* Turns a kernel timeout into a deadline of base_clock_ns(): NULL is for ever. */
uint64_t ke_deadline(const LARGE_INTEGER *timeout);

/* Blocks until wait->is_done or the deadline; the dispatcher lock is held on entry and on return.
 * */
void ke_block(struct ke_wait *wait, uint64_t deadline_ns);

/* Ends a wait with a status and lets its thread run. The dispatcher lock is held. */
void ke_wait_finish(struct ke_wait *wait, NTSTATUS status);

#endif
