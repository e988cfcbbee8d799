/*
 * Emulated processors. DISPATCH_LEVEL owns one: whoever raises to it claims a free processor, or
 * parks until one is free, so that code at DISPATCH_LEVEL on one processor is exclusive (IRQL-11).
 */
#ifndef KE_PROCESSOR_H
#define KE_PROCESSOR_H

#include <wdm.h>

#include <stdatomic.h>
#include <stdbool.h>

#define KE_PROCESSORS_MAX 64

struct _KTHREAD;

struct ke_processor {
    _Atomic(struct _KTHREAD *) owner;
    ULONG number;
    atomic_uint dpc_count; /* length of the queue; written under the dispatcher lock */
    PKDPC dpc_first;       /* guarded by the dispatcher lock */
    PKDPC dpc_last;
};

struct ke_processors {
    ULONG count;
    struct ke_processor processor[KE_PROCESSORS_MAX];
    _Atomic ULONG64 releases; /* counts; claimers that found none free park here */
    atomic_uint claimers;     /* how many parked */
};

/* Claims a processor for the calling thread: one in the thread's affinity. */
void ke_processor_claim(struct _KTHREAD *thread);

/* Claims exactly this one if it is free. */
bool ke_processor_try_claim(struct _KTHREAD *thread, struct ke_processor *processor);

/* Drains the processor's DPC queue, then frees the processor. */
void ke_processor_release(struct _KTHREAD *thread);

#endif
