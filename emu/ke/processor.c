#include "ke/processor.h"

#include "ke/dpc.h"
#include "ke/kernel.h"

static bool is_allowed(const struct _KTHREAD *thread, const struct ke_processor *processor)
{
    return thread->affinity == 0 || ((thread->affinity >> processor->number) & 1) != 0;
}

bool ke_processor_try_claim(struct _KTHREAD *thread, struct ke_processor *processor)
{
    struct _KTHREAD *nobody = NULL;
    if (!atomic_compare_exchange_strong(&processor->owner, &nobody, thread)) {
        return false;
    }
    thread->processor = processor;
    thread->last_processor = processor;
    return true;
}

static bool try_claim_any(struct _KTHREAD *thread)
{
    struct ke_processors *processors = &ke_kernel()->processors;
    struct ke_processor *last = thread->last_processor;
    if (last != NULL && is_allowed(thread, last) && ke_processor_try_claim(thread, last)) {
        return true;
    }
    for (ULONG i = 0; i < processors->count; i++) {
        struct ke_processor *processor = &processors->processor[i];
        if (is_allowed(thread, processor) && ke_processor_try_claim(thread, processor)) {
            return true;
        }
    }
    return false;
}

void ke_processor_claim(struct _KTHREAD *thread)
{
    struct ke_processors *processors = &ke_kernel()->processors;
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

void ke_processor_release(struct _KTHREAD *thread)
{
    struct ke_processors *processors = &ke_kernel()->processors;
    struct ke_processor *processor = thread->processor;
    do {
        ke_dpc_drain(processor);
        thread->processor = NULL;
        atomic_store(&processor->owner, NULL);
        if (atomic_load(&processors->claimers) != 0) {
            atomic_fetch_add(&processors->releases, 1);
            ke_address_wake(&processors->releases, true);
        }
        /* A DPC queued between the drain and the store found an owner and left it to us. */
    } while (atomic_load(&processor->dpc_count) != 0 && ke_processor_try_claim(thread, processor));
}
