/*
 * In-stack queued spin locks: waiters get the lock in the order in which they asked (SPIN-25).
 *
 * The lock word points, with bit 1 set, at the handle of the last one that asked; each handle
 * points at the next. A handle's Lock field carries two bits in its low end, as on Windows: WAIT
 * while its thread waits, OWNER while it holds the lock. A waiter parks at its own handle. After
 * OWNER was handed on, the next handle may vanish at any time, so it is not touched again.
 */
#include "ke/address.h"
#include "ke/bugcheck.h"
#include "ke/irql.h"
#include "ke/kernel.h"
#include "ke/patience.h"
#include "ke/spin_lock.h"
#include "verifier/lock_order.h"

#define WAIT 0x1ULL
#define OWNER 0x2ULL
#define HANDLE_BITS 0x3ULL

/* In a lock word: it is held in the queued way. An ordinary holder's word has not this bit. */
#define QUEUED 0x2ULL

static ULONG_PTR *state_of(KSPIN_LOCK_QUEUE *queue)
{
    return (ULONG_PTR *)(void *)(ULONG_PTR)&queue->Lock;
}

static ULONG_PTR load_state(KSPIN_LOCK_QUEUE *queue)
{
    return __atomic_load_n(state_of(queue), __ATOMIC_ACQUIRE);
}

static KSPIN_LOCK_QUEUE *load_next(KSPIN_LOCK_QUEUE *queue)
{
    return __atomic_load_n(&queue->Next, __ATOMIC_SEQ_CST);
}

static _Noreturn void report_mixed(PKSPIN_LOCK lock)
{
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1008, (ULONG_PTR)lock, 0, 0, "SPIN-28",
                "The driver acquired the spin lock %p as a queued lock while it is held as an "
                "ordinary one. A lock is used always in the one way or always in the other.",
                (void *)lock);
}

/* Makes the handle the last one in the lock's word; returns the one before it, or NULL. */
static KSPIN_LOCK_QUEUE *enqueue(PKSPIN_LOCK lock, KSPIN_LOCK_QUEUE *queue)
{
    ULONG_PTR word = __atomic_load_n(lock, __ATOMIC_RELAXED);
    do {
        if (ke_spin_lock_is_garbage(word)) {
            ke_spin_lock_report_garbage(lock);
        }
        if (word != 0 && (word & QUEUED) == 0) {
            report_mixed(lock);
        }
    } while (!__atomic_compare_exchange_n(lock, &word, (ULONG_PTR)queue | QUEUED, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    return (KSPIN_LOCK_QUEUE *)(word & ~HANDLE_BITS);
}

static void wait_for_turn(KSPIN_LOCK_QUEUE *queue, KSPIN_LOCK_QUEUE *before)
{
    __atomic_store_n(&before->Next, queue, __ATOMIC_SEQ_CST);
    ke_address_wake(&before->Next, true);
    ULONG_PTR state = load_state(queue);
    struct ke_reason reason = {.what = "its turn at the spin lock",
                               .object = (const void *)(state & ~HANDLE_BITS),
                               .kind = KE_REASON_LOCK,
                               .rule = "SPIN-19"};
    ke_reason_begin(&reason);
    while ((state & WAIT) != 0) {
        ke_address_wait(state_of(queue), sizeof(ULONG_PTR), state, false);
        state = load_state(queue);
    }
    ke_reason_end(&reason);
}

static void acquire(PKSPIN_LOCK lock, PKLOCK_QUEUE_HANDLE handle, const void *site)
{
    verifier_lock_handle(handle);
    verifier_lock_wanted(&verifier_spin_lock, lock);
    KSPIN_LOCK_QUEUE *queue = &handle->LockQueue;
    queue->Next = NULL;
    __atomic_store_n(state_of(queue), (ULONG_PTR)lock | WAIT, __ATOMIC_RELEASE);
    KSPIN_LOCK_QUEUE *before = enqueue(lock, queue);
    if (before == NULL) {
        __atomic_store_n(state_of(queue), (ULONG_PTR)lock | OWNER, __ATOMIC_RELEASE);
    } else {
        wait_for_turn(queue, before);
    }
    ke_current()->spin_locks_held++;
    verifier_lock_taken(&verifier_spin_lock, lock, site);
}

static PKSPIN_LOCK lock_of(PKLOCK_QUEUE_HANDLE handle)
{
    return (PKSPIN_LOCK)(load_state(&handle->LockQueue) & ~HANDLE_BITS);
}

static void check_owned(PKLOCK_QUEUE_HANDLE handle)
{
    if ((load_state(&handle->LockQueue) & OWNER) == 0) {
        ke_bugcheck(SPIN_LOCK_NOT_OWNED, (ULONG_PTR)lock_of(handle), (ULONG_PTR)handle, 0, 0,
                    "SPIN-30",
                    "The driver released a queued spin lock with the handle %p, which holds none.",
                    (void *)handle);
    }
}

static void hand_on(KSPIN_LOCK_QUEUE *next, PKSPIN_LOCK lock)
{
    __atomic_store_n(state_of(next), (ULONG_PTR)lock | OWNER, __ATOMIC_SEQ_CST);
    ke_address_wake(state_of(next), true);
}

static void release(PKLOCK_QUEUE_HANDLE handle)
{
    check_owned(handle);
    KSPIN_LOCK_QUEUE *queue = &handle->LockQueue;
    PKSPIN_LOCK lock = lock_of(handle);
    verifier_lock_dropped(lock);
    ke_current()->spin_locks_held--;
    __atomic_store_n(state_of(queue), (ULONG_PTR)lock, __ATOMIC_RELEASE);
    ULONG_PTR word = (ULONG_PTR)queue | QUEUED;
    if (__atomic_compare_exchange_n(lock, &word, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
        return;
    }
    /* Somebody has asked, and is about to link itself to this handle if it has not yet. */
    while (load_next(queue) == NULL) {
        ke_address_wait(&queue->Next, sizeof(ULONG_PTR), 0, false);
    }
    hand_on(load_next(queue), lock);
}

static void check_at_most_dispatch(PKSPIN_LOCK lock, const char *function)
{
    KIRQL irql = ke_current()->irql;
    if (irql > DISPATCH_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x42, irql, (ULONG_PTR)lock, 0, "SPIN-26",
                    "The driver called %s at IRQL %u; the highest level allowed is "
                    "DISPATCH_LEVEL.",
                    function, irql);
    }
}

static void check_release_level(PKLOCK_QUEUE_HANDLE handle, const char *function)
{
    KIRQL irql = ke_current()->irql;
    if (irql != DISPATCH_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x36, irql, (ULONG_PTR)lock_of(handle),
                    handle->OldIrql, "SPIN-26",
                    "The driver called %s at IRQL %u; a queued spin lock is released at "
                    "DISPATCH_LEVEL.",
                    function, irql);
    }
}

static void check_at_dispatch(const void *lock, ULONG verifier_code, const char *function)
{
    KIRQL irql = ke_current()->irql;
    if (irql < DISPATCH_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, verifier_code, irql, (ULONG_PTR)lock, 0,
                    "SPIN-27", "The driver called %s at IRQL %u; it needs DISPATCH_LEVEL.",
                    function, irql);
    }
}

/* Raises to DISPATCH_LEVEL and takes the lock; the handle keeps the old level. (SPIN-24) */
VOID KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    check_at_most_dispatch(SpinLock, __func__);
    LockHandle->OldIrql = ke_raise_irql(DISPATCH_LEVEL);
    acquire(SpinLock, LockHandle, _ReturnAddress());
}

/* Frees the lock and restores the level. DISPATCH_LEVEL. (SPIN-24) */
VOID KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle)
{
    check_release_level(LockHandle, __func__);
    release(LockHandle);
    ke_lower_irql(LockHandle->OldIrql);
}

/* Takes the lock at DISPATCH_LEVEL or above, where it stays. (SPIN-27) */
VOID KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    check_at_dispatch(SpinLock, 0x40, __func__);
    LockHandle->OldIrql = ke_current()->irql;
    acquire(SpinLock, LockHandle, _ReturnAddress());
}

/* Frees the lock and leaves the level alone. (SPIN-27) */
VOID KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle)
{
    check_at_dispatch(LockHandle, 0x41, __func__);
    release(LockHandle);
}

/* As KeAcquireInStackQueuedSpinLock, in a DPC routine, threaded or not. (SPIN-31) */
VOID KeAcquireInStackQueuedSpinLockForDpc(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    KeAcquireInStackQueuedSpinLock(SpinLock, LockHandle);
}

/* Undoes KeAcquireInStackQueuedSpinLockForDpc. (SPIN-31) */
VOID KeReleaseInStackQueuedSpinLockForDpc(PKLOCK_QUEUE_HANDLE LockHandle)
{
    KeReleaseInStackQueuedSpinLock(LockHandle);
}
