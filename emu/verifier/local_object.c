/*
 * Dispatcher objects on a stack.
 *
 * An event, timer or mutex that a routine of the driver initialises on its stack is nothing any
 * more once the routine has returned, though its memory looks as before until somebody writes
 * there. A table remembers such objects by their address: the slot that the address falls to holds
 * it, with bit 0 set once the routine has returned. Another object may take the slot; then the
 * former is forgotten, and a mistake with it is not seen. An address is taken for gone only until
 * an object is initialised there again.
 */
#include "verifier/local_object.h"

#include "base/stack.h"
#include "ke/bugcheck.h"
#include "ke/callback.h"
#include "ke/dpc.h"
#include "ke/kernel.h"
#include "ke/timer.h"

#include <stdatomic.h>
#include <stdint.h>

#define SLOTS 256
#define GONE ((uintptr_t)1)

/* Farther below a routine's frame begins another stack, or none. */
#define BYTES_MAX (16 * 1024 * 1024)

static atomic_uintptr_t slots[SLOTS];

BASE_THREAD_LOCAL bool verifier_has_local_objects;

static atomic_uintptr_t *slot_of(uintptr_t object)
{
    return &slots[(object >> 3) * 0x9E3779B97F4A7C15ULL >> 56];
}

void verifier_local_object_note(const void *object)
{
    uintptr_t address = (uintptr_t)object;
    uintptr_t callback = (uintptr_t)ke_callback_innermost();
    atomic_uintptr_t *slot = slot_of(address);
    if (callback - address < BYTES_MAX) {
        verifier_has_local_objects = true;
        atomic_store_explicit(slot, address, memory_order_relaxed);
    } else if (atomic_load_explicit(slot, memory_order_relaxed) == (address | GONE)) {
        atomic_store_explicit(slot, 0, memory_order_relaxed);
    }
}

bool verifier_local_object_find_gone(const void *object)
{
    uintptr_t address = (uintptr_t)object;
    return atomic_load_explicit(slot_of(address), memory_order_relaxed) == (address | GONE);
}

static void bury(uintptr_t low, uintptr_t high)
{
    for (size_t i = 0; i < SLOTS; i++) {
        uintptr_t address = atomic_load_explicit(&slots[i], memory_order_relaxed);
        if ((address & GONE) == 0 && address >= low && address < high) {
            atomic_compare_exchange_strong(&slots[i], &address, address | GONE);
        }
    }
}

static void check_timers(const struct ke_callback *callback, uintptr_t low, size_t bytes)
{
    const KTIMER *timer = ke_timers_find((const void *)low, bytes);
    if (timer != NULL) {
        ke_bugcheck(TIMER_OR_DPC_INVALID, 0x0, (ULONG_PTR)timer, low, low + bytes, "TIMER-02",
                    "The driver's routine %p, called as %s, returned while the timer %p, which "
                    "lies on its stack, was set.",
                    callback->routine, callback->what, (const void *)timer);
    }
}

static void check_dpcs(const struct ke_callback *callback, uintptr_t low, size_t bytes)
{
    const KDPC *dpc = ke_dpc_find((const void *)low, bytes);
    if (dpc != NULL) {
        ke_bugcheck(TIMER_OR_DPC_INVALID, 0x1, (ULONG_PTR)dpc, low, low + bytes, "DPC-15",
                    "The driver's routine %p, called as %s, returned while the DPC %p, which lies "
                    "on its stack, was queued.",
                    callback->routine, callback->what, (const void *)dpc);
    }
}

void verifier_local_objects_bury(const struct ke_callback *callback)
{
    uintptr_t low;
    uintptr_t high;
    uintptr_t frame = (uintptr_t)callback;
    base_stack_bounds(&low, &high);
    if (frame <= low || frame >= high) {
        return;
    }
    check_timers(callback, low, frame - low);
    check_dpcs(callback, low, frame - low);
    bury(low, frame);
    verifier_has_local_objects = callback->outer != NULL;
}
