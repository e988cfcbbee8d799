/*
 * The one kernel object. All state of the emulator hangs from it: the dispatcher's parts live in
 * it, every other area (ob, ex, io, ...) keeps a state block of its own, found by its module's
 * number.
 *
 * wskemu_boot() makes a kernel, wskemu_shutdown() takes it down. A bug check halts it: it is then
 * abandoned as it stands, with its threads, and the next boot makes a new one.
 */
#ifndef KE_KERNEL_H
#define KE_KERNEL_H

#include <wdm.h>

#include "base/mutex.h"
#include "base/poller.h"
#include "ke/address.h"
#include "ke/lead.h"
#include "ke/processor.h"
#include "ke/thread.h"
#include "ke/timer.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The areas that keep state, in the order in which they start; they stop in the reverse order. */
enum ke_module_number {
    KE_MODULE_VERIFIER,
    KE_MODULE_OB,
    KE_MODULE_EX,
    KE_MODULE_MM,
    KE_MODULE_PS,
    KE_MODULE_IO,
    KE_MODULE_NMR,
    KE_MODULE_WSK,
    KE_MODULE_HARNESS,
    KE_MODULE_COUNT
};

/* What an area tells the kernel of itself. Each function may be NULL. */
struct ke_module {
    const char *name;
    size_t state_bytes;
    /* Fills the zeroed state. */
    NTSTATUS (*start)(void *state);
    /* Ends what runs (workers), before anything is counted; drivers are unloaded by then. */
    void (*quiesce)(void *state);
    /* Prints what was left, a line each, and returns how many things that were. */
    unsigned (*report)(void *state);
    /* Whether something of it still runs, so that the kernel cannot be freed. */
    bool (*is_busy)(void *state);
    /* Frees all that the state holds. */
    void (*stop)(void *state);
};

/* Most loops of the network. */
#define KE_LOOPS_MAX 8

/* When results of WSK's calls are delivered; wskemu.h tells. */
enum ke_completion { KE_COMPLETION_INLINE, KE_COMPLETION_DEFERRED, KE_COMPLETION_RANDOM };

/* What a driver must not depend on, as this kernel does it. */
struct ke_policy {
    ULONG processors;
    ULONG loops; /* of the network */
    enum ke_completion completion;
    ULONG seed; /* of what is drawn while it runs */
};

struct ke_kernel {
    uint64_t generation;
    struct ke_policy policy;
    uint64_t boot_ns;         /* base_clock_ns() at boot */
    uint64_t boot_wall_100ns; /* system time at boot */

    /* The dispatcher lock: guards all waits, dispatcher objects, timers, DPC queues, the lead,
     * parked addresses and the list of threads. */
    struct base_mutex lock;

    struct ke_threads threads;
    struct ke_processors processors;
    struct ke_timers timers;
    struct ke_lead lead;
    struct ke_addresses addresses;
    LIST_ENTRY bugcheck_callbacks; /* guarded by the dispatcher lock, as the next */
    LIST_ENTRY bugcheck_reason_callbacks;
    /* One a loop, those with a poll function; the first is led by whoever waits, see lead.c. */
    struct base_poller pollers[KE_LOOPS_MAX];
    struct base_park *no_network_park; /* what the poller of a kernel without network sleeps on */

    const struct ke_module *module[KE_MODULE_COUNT];
    void *state[KE_MODULE_COUNT];
};

/* The running kernel; NULL before boot, after shutdown and after a bug check. */
extern struct ke_kernel *_Atomic ke_running;

/* Whether the last kernel was halted by a bug check and none was booted since. */
extern atomic_bool ke_is_halted;

/*
 * The kernel that the calling thread has entered. It is the thread's own, not the running one, so
 * that a thread that is on its way while its kernel is halted never touches the next one.
 */
static inline struct ke_kernel *ke_kernel(void)
{
    ke_current();
    return ke_thread_slot.kernel;
}

/* The same for a thread that has entered in this call already, as whoever holds the dispatcher lock
 * has. */
static inline struct ke_kernel *ke_entered(void)
{
    return ke_thread_slot.kernel;
}

/* Makes the kernel. */
NTSTATUS ke_kernel_create(const struct ke_policy *policy);

/* Starts one area on the running kernel. */
NTSTATUS ke_kernel_start_module(enum ke_module_number number, const struct ke_module *module);

/* Takes the running kernel down; returns how many things were left. */
unsigned ke_kernel_destroy(void);

/* Leaves the running kernel as it stands: nobody enters it again. */
void ke_kernel_abandon(void);

/* The state block of an area of the running kernel. */
static inline void *ke_state(enum ke_module_number number)
{
    return ke_kernel()->state[number];
}

static inline void ke_lock(void)
{
    base_mutex_lock(&ke_kernel()->lock);
}

static inline void ke_unlock(void)
{
    struct ke_kernel *kernel = ke_entered();
    if (kernel->lead.wake_count != 0) {
        ke_lead_unlock_and_wake(kernel);
    } else {
        base_mutex_unlock(&kernel->lock);
    }
}

#endif
