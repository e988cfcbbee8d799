/*
 * Spin locks.
 *
 * The lock is one word in the driver's memory: 0 while free, else its owner, a thread, with bit 0
 * set once somebody sleeps for it. A contended lock parks its thread at the word's address (the
 * processor stays the sleeper's, as it would while spinning) and never runs the loop.
 */
#include "ke/spin_lock.h"

#include "ke/bugcheck.h"
#include "ke/irql.h"
#include "ke/kernel.h"
#include "ke/patience.h"
#include "verifier/lock_order.h"
#include "verifier/resident.h"

#define CONTENDED ((ULONG_PTR)1)

/* Set in a lock that is held as a queued one. */
#define QUEUED ((ULONG_PTR)2)

static ULONG_PTR load(const KSPIN_LOCK *lock)
{
    return __atomic_load_n(lock, __ATOMIC_ACQUIRE);
}

static bool try_swap(PKSPIN_LOCK lock, ULONG_PTR from, ULONG_PTR to)
{
    return __atomic_compare_exchange_n(lock, &from, to, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void check_not_owner(PKSPIN_LOCK lock, ULONG_PTR word, const struct _KTHREAD *thread)
{
    if ((word & ~CONTENDED) == (ULONG_PTR)thread) {
        ke_bugcheck(SPIN_LOCK_ALREADY_OWNED, 0, 0, 0, 0, "SPIN-14",
                    "The driver acquired the spin lock %p, which the same thread holds already. "
                    "On Windows it would spin for ever.",
                    (void *)lock);
    }
}

/* Whether that is a thread of the running kernel. */
static bool is_thread(ULONG_PTR address)
{
    LIST_ENTRY *head = &ke_kernel()->threads.all;
    bool is_found = false;
    ke_lock();
    for (LIST_ENTRY *entry = head->Flink; entry != head && !is_found; entry = entry->Flink) {
        is_found = (ULONG_PTR)CONTAINING_RECORD(entry, struct _KTHREAD, link) == address;
    }
    ke_unlock();
    return is_found;
}

_Noreturn void ke_spin_lock_report_garbage(PKSPIN_LOCK lock)
{
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1002, (ULONG_PTR)lock, 0, 0, "SPIN-02",
                "The driver acquired the spin lock %p, which was never initialised.", (void *)lock);
}

/* A lock that was never initialised holds anything; one that is held holds its owner. */
static void check_initialised(PKSPIN_LOCK lock, ULONG_PTR word)
{
    ULONG_PTR owner = word & ~CONTENDED;
    if (is_thread(owner) || load(lock) != word || is_thread(owner)) {
        return;
    }
    if ((word & QUEUED) == 0 || ke_spin_lock_is_garbage(word)) {
        ke_spin_lock_report_garbage(lock);
    }
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1008, (ULONG_PTR)lock, 0, 0, "SPIN-28",
                "The driver acquired the spin lock %p, which is held as a queued spin lock.",
                (void *)lock);
}

/* The thread that holds it. */
static const void *holder_of(const void *lock, unsigned n)
{
    return n == 0 ? (const void *)(load(lock) & ~(CONTENDED | QUEUED)) : NULL;
}

/* Sleeps until the lock was free, then takes it marked as contended: others may sleep on. */
static void acquire_contended(PKSPIN_LOCK lock, struct _KTHREAD *thread)
{
    struct ke_reason reason = {.what = "the spin lock",
                               .object = lock,
                               .kind = KE_REASON_LOCK,
                               .rule = "SPIN-19",
                               .holder = holder_of};
    ke_reason_begin(&reason);
    while (!try_swap(lock, 0, (ULONG_PTR)thread | CONTENDED)) {
        ULONG_PTR word = load(lock);
        if (word == 0) {
            continue;
        }
        check_not_owner(lock, word, thread);
        check_initialised(lock, word);
        if ((word & CONTENDED) == 0 && !try_swap(lock, word, word | CONTENDED)) {
            continue;
        }
        ke_address_wait(lock, sizeof(*lock), word | CONTENDED, false);
    }
    ke_reason_end(&reason);
}

void ke_spin_lock_acquire(PKSPIN_LOCK lock)
{
    struct _KTHREAD *thread = ke_current();
    if (!try_swap(lock, 0, (ULONG_PTR)thread)) {
        acquire_contended(lock, thread);
    }
    thread->spin_locks_held++;
}

static void check_owner(PKSPIN_LOCK lock, ULONG_PTR word, const struct _KTHREAD *thread)
{
    ULONG_PTR owner = word & ~CONTENDED;
    if (owner == 0) {
        ke_bugcheck(SPIN_LOCK_NOT_OWNED, (ULONG_PTR)lock, 0, 0, 0, "SPIN-15",
                    "The driver released the spin lock %p, which nobody holds.", (void *)lock);
    }
    if (owner != (ULONG_PTR)thread) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1004, (ULONG_PTR)lock, owner,
                    (ULONG_PTR)thread, "SPIN-16",
                    "The driver released the spin lock %p, which another thread acquired.",
                    (void *)lock);
    }
}

void ke_spin_lock_release(PKSPIN_LOCK lock)
{
    struct _KTHREAD *thread = ke_current();
    check_owner(lock, load(lock), thread);
    thread->spin_locks_held--;
    if ((__atomic_exchange_n(lock, 0, __ATOMIC_SEQ_CST) & CONTENDED) != 0) {
        ke_address_wake(lock, false);
    }
}

static void check_at_dispatch(PKSPIN_LOCK lock, ULONG verifier_code, const char *function)
{
    KIRQL irql = ke_current()->irql;
    if (irql < DISPATCH_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, verifier_code, irql, (ULONG_PTR)lock, 0,
                    "SPIN-09", "The driver called %s at IRQL %u; it needs DISPATCH_LEVEL.",
                    function, irql);
    }
}

static void check_at_most_dispatch(PKSPIN_LOCK lock, const char *function)
{
    KIRQL irql = ke_current()->irql;
    if (irql > DISPATCH_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x42, irql, (ULONG_PTR)lock, 0, "SPIN-05",
                    "The driver called %s at IRQL %u; the highest level allowed is "
                    "DISPATCH_LEVEL.",
                    function, irql);
    }
}

static void check_release_level(PKSPIN_LOCK lock, const char *function)
{
    KIRQL irql = ke_current()->irql;
    if (irql != DISPATCH_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x32, irql, (ULONG_PTR)lock, 0, "SPIN-05",
                    "The driver called %s at IRQL %u; a spin lock is released at DISPATCH_LEVEL.",
                    function, irql);
    }
}

/* As ke_spin_lock_acquire, for the driver at site; see verifier_spin_lock_taken. */
static inline void acquire_for(PKSPIN_LOCK lock, const void *site, enum verifier_pairing pairing,
                               KIRQL old, const void *saved)
{
    verifier_lock_wanted(&verifier_spin_lock, lock);
    ke_spin_lock_acquire(lock);
    verifier_spin_lock_taken(lock, site, pairing, old, saved);
}

/* Makes the lock free. Any IRQL. (SPIN-01) */
VOID(KeInitializeSpinLock)(PKSPIN_LOCK SpinLock)
{
    verifier_check_object(SpinLock, "spin lock", 0xE1, "SPIN-02");
    verifier_lock_initialised(SpinLock);
    __atomic_store_n(SpinLock, 0, __ATOMIC_RELEASE);
}

/* Raises to DISPATCH_LEVEL, takes the lock and returns the old level. (SPIN-03) */
KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
{
    check_at_most_dispatch(SpinLock, "KeAcquireSpinLock");
    KIRQL old = ke_raise_irql(DISPATCH_LEVEL);
    acquire_for(SpinLock, _ReturnAddress(), VERIFIER_PAIR_RAISED, old, NULL);
    return old;
}

/* As KeAcquireSpinLockRaiseToDpc, storing the old level in *OldIrql. */
VOID(KeAcquireSpinLock)(PKSPIN_LOCK SpinLock, PKIRQL OldIrql)
{
    check_at_most_dispatch(SpinLock, "KeAcquireSpinLock");
    KIRQL old = ke_raise_irql(DISPATCH_LEVEL);
    acquire_for(SpinLock, _ReturnAddress(), VERIFIER_PAIR_RAISED, old, OldIrql);
    *OldIrql = old;
}

/* Frees the lock and lowers to NewIrql, which the acquisition returned. (SPIN-04) */
VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
    check_release_level(SpinLock, "KeReleaseSpinLock");
    verifier_spin_lock_dropped(SpinLock, VERIFIER_PAIR_RAISED, NewIrql);
    ke_spin_lock_release(SpinLock);
    ke_lower_irql(NewIrql);
}

/* Takes the lock at DISPATCH_LEVEL or above, where it stays. (SPIN-08) */
VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    check_at_dispatch(SpinLock, 0x40, "KeAcquireSpinLockAtDpcLevel");
    acquire_for(SpinLock, _ReturnAddress(), VERIFIER_PAIR_KEPT, 0, NULL);
}

/* Frees the lock and leaves the level alone. (SPIN-08) */
VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
{
    check_at_dispatch(SpinLock, 0x41, "KeReleaseSpinLockFromDpcLevel");
    verifier_spin_lock_dropped(SpinLock, VERIFIER_PAIR_KEPT, 0);
    ke_spin_lock_release(SpinLock);
}

/* Takes the lock if it is free, at DISPATCH_LEVEL; returns at once. (SPIN-11) */
BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    check_at_dispatch(SpinLock, 0x40, "KeTryToAcquireSpinLockAtDpcLevel");
    struct _KTHREAD *thread = ke_current();
    if (!try_swap(SpinLock, 0, (ULONG_PTR)thread)) {
        return FALSE;
    }
    thread->spin_locks_held++;
    verifier_lock_taken(&verifier_spin_lock, SpinLock, _ReturnAddress());
    return TRUE;
}

/* FALSE while somebody holds the lock. Any IRQL. (SPIN-13) */
BOOLEAN KeTestSpinLock(PKSPIN_LOCK SpinLock)
{
    return load(SpinLock) == 0;
}

/* Takes the lock in a DPC routine, threaded or not; returns the old level. (SPIN-31) */
KIRQL KeAcquireSpinLockForDpc(PKSPIN_LOCK SpinLock)
{
    return KeAcquireSpinLockRaiseToDpc(SpinLock);
}

/* Frees a lock taken with KeAcquireSpinLockForDpc. (SPIN-31) */
VOID KeReleaseSpinLockForDpc(PKSPIN_LOCK SpinLock, KIRQL OldIrql)
{
    KeReleaseSpinLock(SpinLock, OldIrql);
}
