/* Deferred procedure calls; see dpc.c. */
#ifndef KE_DPC_H
#define KE_DPC_H

#include "ke/code.h"
#include "ke/processor.h"

/* Queues the DPC of a timer; the caller holds the dispatcher lock and is at DISPATCH_LEVEL. Nothing
 * changes if the DPC is queued already. */
void ke_dpc_queue_for_timer(PKDPC dpc, PVOID argument1, PVOID argument2);

/* Runs every DPC queued on the processor that the calling thread owns. */
void ke_dpc_drain(struct ke_processor *processor);

/* Claims each free processor that has DPCs and drains it. Below DISPATCH_LEVEL; no lock held. */
void ke_dpc_run_orphans(void);

/* Whether a free processor has DPCs queued. */
bool ke_dpc_has_orphans(void);

/* The first queued DPC whose object begins in the range, or NULL; no lock is held. */
PKDPC ke_dpc_find(const void *start, size_t bytes);

/* The first queued DPC whose routine lies in the code, or NULL; no lock is held. */
PKDPC ke_dpc_find_of(const struct ke_code *code);

/* Prints the DPCs still queued and returns how many. */
unsigned ke_dpc_report(void);

/* Bug checks: function was called for what was never initialised as a DPC. */
_Noreturn void ke_dpc_is_none(const KDPC *dpc, const char *function);

/* KDPC.Type, Windows' values. */
enum { KE_DPC_ORDINARY = 19, KE_DPC_THREADED = 24 };

static inline void ke_dpc_check(const KDPC *dpc, const char *function)
{
    if (dpc->Type != KE_DPC_ORDINARY && dpc->Type != KE_DPC_THREADED) {
        ke_dpc_is_none(dpc, function);
    }
}

#endif
