#include "ke/kernel.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/park.h"
#include "ke/bugcheck_callback.h"
#include "ke/dpc.h"

#include <stdlib.h>

struct ke_kernel *_Atomic ke_running;
atomic_bool ke_is_halted;
_Atomic uint64_t ke_generation;

/* Counts boots; 0 is never a generation. */
static uint64_t generations;

/*
 * Kernels halted by a bug check, with all that hangs from them: their threads may still sleep in
 * them, so they stay reachable until the process ends.
 */
struct abandoned {
    struct abandoned *next;
    struct ke_kernel *kernel;
};

static struct abandoned *abandoned_kernels;

/* The poller of a kernel without a network: a parking place. */
static bool poll_nothing(void *context, uint64_t deadline_ns)
{
    base_park_wait(context, deadline_ns);
    return false;
}

static void deliver_nothing(void *context)
{
    UNREFERENCED_PARAMETER(context);
}

static void kick_nothing(void *context)
{
    base_park_wake(context);
}

static bool watches_nothing(void *context)
{
    UNREFERENCED_PARAMETER(context);
    return false;
}

static const struct base_poller no_network = {
    .poll = poll_nothing,
    .deliver = deliver_nothing,
    .kick = kick_nothing,
    .active = watches_nothing,
};

static void initialize_processors(struct ke_processors *processors, ULONG count)
{
    processors->count = count;
    for (ULONG i = 0; i < count; i++) {
        processors->processor[i].number = i;
        processors->processor[i].all = processors;
    }
}

NTSTATUS ke_kernel_create(const struct ke_policy *policy)
{
    struct ke_kernel *kernel = calloc(1, sizeof(*kernel));
    if (kernel == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    kernel->pollers[0] = no_network;
    kernel->no_network_park = base_park_create();
    if (kernel->no_network_park == NULL) {
        free(kernel);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    kernel->pollers[0].context = kernel->no_network_park;
    kernel->generation = ++generations;
    kernel->boot_ns = base_clock_ns();
    kernel->boot_wall_100ns = base_clock_wall_100ns();
    base_mutex_init(&kernel->lock);
    InitializeListHead(&kernel->threads.all);
    InitializeListHead(&kernel->bugcheck_callbacks);
    InitializeListHead(&kernel->bugcheck_reason_callbacks);
    kernel->policy = *policy;
    initialize_processors(&kernel->processors, policy->processors);
    for (int i = 0; i < KE_ADDRESS_BUCKETS; i++) {
        InitializeListHead(&kernel->addresses.bucket[i]);
    }
    atomic_store(&ke_running, kernel);
    atomic_store(&ke_is_halted, false);
    atomic_store(&ke_generation, kernel->generation);
    ke_thread_enter_kernel(kernel);
    return STATUS_SUCCESS;
}

NTSTATUS ke_kernel_start_module(enum ke_module_number number, const struct ke_module *module)
{
    void *state = calloc(1, module->state_bytes);
    if (state == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ke_kernel()->module[number] = module;
    ke_kernel()->state[number] = state;
    return module->start != NULL ? module->start(state) : STATUS_SUCCESS;
}

static void quiesce_modules(void)
{
    for (int i = KE_MODULE_COUNT - 1; i >= 0; i--) {
        const struct ke_module *module = ke_kernel()->module[i];
        if (module != NULL && module->quiesce != NULL) {
            module->quiesce(ke_kernel()->state[i]);
        }
    }
}

static unsigned report_modules(void)
{
    unsigned left = ke_timers_report() + ke_dpc_report() + ke_bugcheck_callbacks_report();
    for (int i = KE_MODULE_COUNT - 1; i >= 0; i--) {
        const struct ke_module *module = ke_kernel()->module[i];
        if (module != NULL && module->report != NULL) {
            left += module->report(ke_kernel()->state[i]);
        }
    }
    return left;
}

static void stop_modules(void)
{
    for (int i = KE_MODULE_COUNT - 1; i >= 0; i--) {
        const struct ke_module *module = ke_kernel()->module[i];
        if (module != NULL && module->stop != NULL) {
            module->stop(ke_kernel()->state[i]);
        }
        free(ke_kernel()->state[i]);
        ke_kernel()->state[i] = NULL;
    }
}

static bool is_busy(void)
{
    for (int i = 0; i < KE_MODULE_COUNT; i++) {
        const struct ke_module *module = ke_kernel()->module[i];
        if (module != NULL && module->is_busy != NULL && module->is_busy(ke_kernel()->state[i])) {
            return true;
        }
    }
    return false;
}

unsigned ke_kernel_destroy(void)
{
    struct ke_kernel *kernel = ke_kernel();
    quiesce_modules();
    ke_lead_stop();
    unsigned left = report_modules();
    if (is_busy()) {
        /* Threads that still run park at their next entry, in a kernel that stays. */
        atomic_store(&ke_generation, 0);
        ke_kernel_abandon();
        ke_thread_forget();
        return left;
    }
    stop_modules();
    ke_timers_free();
    atomic_store(&ke_generation, 0);
    atomic_store(&ke_running, NULL);
    ke_thread_forget();
    base_park_release(kernel->no_network_park);
    base_mutex_destroy(&kernel->lock);
    free(kernel);
    return left;
}

void ke_kernel_abandon(void)
{
    struct abandoned *abandoned = calloc(1, sizeof(*abandoned));
    if (abandoned == NULL) {
        abort();
    }
    abandoned->kernel = atomic_exchange(&ke_running, NULL);
    abandoned->next = abandoned_kernels;
    abandoned_kernels = abandoned;
}
