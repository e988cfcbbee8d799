/*
 * Emulated processors. DISPATCH_LEVEL owns one: whoever raises to it claims a free processor, or
 * parks until one is free, so that code at DISPATCH_LEVEL on one processor is exclusive (IRQL-11).
 */
#ifndef KE_PROCESSOR_H
#define KE_PROCESSOR_H

#include <wdm.h>

#include "ke/thread.h"

#include <stdatomic.h>
#include <stdbool.h>

#define KE_PROCESSORS_MAX 64

struct ke_processor {
    _Atomic(struct _KTHREAD *) owner;
    ULONG number;
    struct ke_processors *all;
    atomic_uint dpc_count; /* length of the queue; written under the dispatcher lock */
    PKDPC dpc_first;       /* guarded by the dispatcher lock */
    PKDPC dpc_last;
};

struct ke_processors {
    ULONG count;
    struct ke_processor processor[KE_PROCESSORS_MAX];
    _Atomic ULONG64 releases; /* counts; claimers that found none free park here */
    atomic_uint claimers;     /* how many parked */
    atomic_uint dpc_count;    /* in all queues; written under the dispatcher lock */
};

/* Claims exactly this one if it is free. */
static inline bool ke_processor_try_claim(struct _KTHREAD *thread, struct ke_processor *processor)
{
    struct _KTHREAD *nobody = NULL;
    if (!atomic_compare_exchange_strong(&processor->owner, &nobody, thread)) {
        return false;
    }
    thread->processor = processor;
    thread->last_processor = processor;
    return true;
}

/* Whether the thread's affinity has the processor. */
static inline bool ke_processor_is_allowed(const struct _KTHREAD *thread,
                                           const struct ke_processor *processor)
{
    return thread->affinity == 0 || ((thread->affinity >> processor->number) & 1) != 0;
}

/* Claims any, or parks until one is free. */
void ke_processor_claim_any(struct _KTHREAD *thread);

/* Claims a processor for the calling thread: one in the thread's affinity. */
static inline void ke_processor_claim(struct _KTHREAD *thread)
{
    struct ke_processor *last = thread->last_processor;
    if (last == NULL || !ke_processor_is_allowed(thread, last) ||
        !ke_processor_try_claim(thread, last)) {
        ke_processor_claim_any(thread);
    }
}

/* Drains the processor's DPC queue, then frees the processor. */
void ke_processor_drain_and_release(struct _KTHREAD *thread);

/* Tells claimers of a processor that the thread just freed, and drains it once more if a DPC was
 * left on it while it still had an owner. */
void ke_processor_look_back(struct _KTHREAD *thread, struct ke_processor *processor);

/* As ke_processor_drain_and_release; in place while nobody else wants anything. */
static inline void ke_processor_release(struct _KTHREAD *thread)
{
    struct ke_processor *processor = thread->processor;
    if (atomic_load(&processor->dpc_count) != 0) {
        ke_processor_drain_and_release(thread);
        return;
    }
    thread->processor = NULL;
    atomic_store(&processor->owner, NULL);
    if (atomic_load(&processor->all->claimers) != 0 || atomic_load(&processor->dpc_count) != 0) {
        ke_processor_look_back(thread, processor);
    }
}

#endif
