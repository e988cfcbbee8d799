/*
 * The dispatcher's part of a thread.
 *
 * Every host thread that enters the emulator has one: system threads and workers get theirs when
 * they are made, a thread of the test is adopted at its first call.
 */
#ifndef KE_THREAD_H
#define KE_THREAD_H

#include <wdm.h>

#include "base/cold.h"
#include "base/local.h"
#include "base/park.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct ke_processor;
struct ke_reason;
struct ke_wait;
struct ke_kernel;

/* Calls within each other that a thread keeps record of. */
#define KE_CALLS_MAX 12

struct _KTHREAD {
    DISPATCHER_HEADER Header; /* signalled when the thread has ended */
    LIST_ENTRY link;          /* in ke_threads.all; guarded by the dispatcher lock */
    struct base_park *park;
    uint64_t generation; /* of the kernel it belongs to */
    struct ke_kernel *kernel;

    /* Written by the thread itself only. */
    KIRQL irql;
    KIRQL irql_before[HIGH_LEVEL + 1];   /* for each level: where the raise to it came from */
    struct ke_processor *processor;      /* owned while irql >= DISPATCH_LEVEL */
    struct ke_processor *last_processor; /* tried first at the next claim */
    unsigned spin_locks_held;
    SHORT kernel_apc_disable;  /* minus the depth of KeEnterCriticalRegion */
    SHORT special_apc_disable; /* minus the depth of KeEnterGuardedRegion */
    KPRIORITY priority;
    KAFFINITY affinity;        /* emulated processors it may run on; 0 means all */
    UCHAR ideal_processor;     /* a hint that is only kept; anybody's, atomic */
    unsigned dpc_depth;        /* how many DPC routines run on top of each other on it */
    unsigned completion_depth; /* completions of WSK that stand on each other on it */
    unsigned call_count;       /* functions of WSK that execute on it, within each other */
    /* What they are for, the outermost first; of calls that are settled NULL. Others read it. */
    _Atomic(const void *) calls[KE_CALLS_MAX];
    bool is_wait_next; /* signalled with Wait TRUE: its next wait restores wait_irql */
    KIRQL wait_irql;
    const struct ke_reason *reason; /* why it waits, innermost first; see patience.h */
    uintptr_t stack_low;            /* where its stack lies; 0 if it never ran */
    uintptr_t stack_high;

    /* Guarded by the dispatcher lock. */
    struct ke_wait *wait; /* what it waits for, while it waits */
    bool is_parked;       /* sleeps on its park, or is about to */
    LIST_ENTRY mutants;   /* mutexes it owns */

    bool is_worker;       /* the emulator's own: is never handed the lead */
    bool is_adopted;      /* a thread of the host, made by somebody else */
    atomic_bool is_aside; /* it only serves the user: no driver waits for what it does */
};

struct ke_threads {
    LIST_ENTRY all;
    /* Makes the thread object of the calling host thread; supplied by ps. */
    struct _KTHREAD *(*adopt)(void);
};

/* Which thread this host thread is, and in which kernel. */
struct ke_thread_slot {
    uint64_t generation;
    struct ke_kernel *kernel;
    struct _KTHREAD *thread;
    bool is_emulated; /* made by the emulator, so that it ends with its kernel */
};

extern BASE_THREAD_LOCAL struct ke_thread_slot ke_thread_slot;
extern _Atomic uint64_t ke_generation;

BASE_COLD struct _KTHREAD *ke_current_slow(void);

/* The calling thread. A thread of a halted kernel does not return from here. */
static inline struct _KTHREAD *ke_current(void)
{
    if (ke_thread_slot.generation == atomic_load_explicit(&ke_generation, memory_order_acquire)) {
        return ke_thread_slot.thread;
    }
    return ke_current_slow();
}

/* APC disable counts as bug checks tell them: special in the high, normal kernel in the low 16
 * bits. */
static inline ULONG ke_apc_counts(SHORT special, SHORT kernel)
{
    return ((ULONG)(USHORT)special << 16) | (USHORT)kernel;
}

static inline ULONG ke_thread_apc_counts(const struct _KTHREAD *thread)
{
    return ke_apc_counts(thread->special_apc_disable, thread->kernel_apc_disable);
}

/* Prepares the dispatcher's part of a zeroed thread object; false when the host is out of memory.
 * */
bool ke_thread_initialize(struct _KTHREAD *thread);

/* Makes the calling host thread be that thread. */
void ke_thread_enter(struct _KTHREAD *thread, bool is_emulated);

/* Makes the calling host thread, which boots the kernel, belong to it before it is adopted. */
void ke_thread_enter_kernel(struct ke_kernel *kernel);

/* Makes a thread object for the calling host thread, which has none. */
struct _KTHREAD *ke_thread_adopt(void);

/* Ends the calling thread: signals it. The object itself is its owner's. */
void ke_thread_leave(struct _KTHREAD *thread);

/* The last that the calling thread does with its kernel. */
void ke_thread_forget(void);

/* Releases what ke_thread_initialize took. */
void ke_thread_finalize(struct _KTHREAD *thread);

#endif
