/* Deferred procedure calls; see dpc.c. */
#ifndef KE_DPC_H
#define KE_DPC_H

#include "ke/processor.h"

/* Queues the DPC of a timer; the dispatcher lock is held. Nothing changes if it is queued already.
 * The caller calls ke_dpc_dispatch after it dropped the lock. */
void ke_dpc_queue_for_timer(PKDPC dpc, PVOID argument1, PVOID argument2);

/* Sees to it that queued DPCs run: here at once where the level allows it. No lock is held. */
void ke_dpc_dispatch(void);

/* Runs every DPC queued on the processor that the calling thread owns. */
void ke_dpc_drain(struct ke_processor *processor);

/* Claims each free processor that has DPCs and drains it. Below DISPATCH_LEVEL; no lock held. */
void ke_dpc_run_orphans(void);

/* Whether a free processor has DPCs queued. */
bool ke_dpc_has_orphans(void);

/* The first queued DPC whose object begins in the range, or NULL; no lock is held. */
PKDPC ke_dpc_find(const void *start, size_t bytes);

/* Prints the DPCs still queued and returns how many. */
unsigned ke_dpc_report(void);

#endif
