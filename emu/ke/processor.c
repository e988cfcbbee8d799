#include "ke/processor.h"

#include "ke/dpc.h"
#include "ke/kernel.h"

static bool try_claim_any(struct _KTHREAD *thread)
{
    struct ke_processors *processors = &thread->kernel->processors;
    for (ULONG i = 0; i < processors->count; i++) {
        struct ke_processor *processor = &processors->processor[i];
        if (ke_processor_is_allowed(thread, processor) &&
            ke_processor_try_claim(thread, processor)) {
            return true;
        }
    }
    return false;
}

void ke_processor_claim_any(struct _KTHREAD *thread)
{
    struct ke_processors *processors = &thread->kernel->processors;
    if (try_claim_any(thread)) {
        return;
    }
    atomic_fetch_add(&processors->claimers, 1);
    for (;;) {
        ULONG64 seen = atomic_load(&processors->releases);
        if (try_claim_any(thread)) {
            break;
        }
        ke_address_wait(&processors->releases, sizeof(processors->releases), seen, false);
    }
    atomic_fetch_sub(&processors->claimers, 1);
}

static void tell_claimers(struct ke_processors *processors)
{
    if (atomic_load(&processors->claimers) != 0) {
        atomic_fetch_add(&processors->releases, 1);
        ke_address_wake(&processors->releases, true);
    }
}

static void drain_and_free(struct _KTHREAD *thread, struct ke_processor *processor)
{
    ke_dpc_drain(processor);
    thread->processor = NULL;
    atomic_store(&processor->owner, NULL);
}

void ke_processor_drain_and_release(struct _KTHREAD *thread)
{
    struct ke_processor *processor = thread->processor;
    drain_and_free(thread, processor);
    ke_processor_look_back(thread, processor);
}

void ke_processor_look_back(struct _KTHREAD *thread, struct ke_processor *processor)
{
    tell_claimers(processor->all);
    while (atomic_load(&processor->dpc_count) != 0 && ke_processor_try_claim(thread, processor)) {
        drain_and_free(thread, processor);
        tell_claimers(processor->all);
    }
}
