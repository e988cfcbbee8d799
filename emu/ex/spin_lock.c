/*
 * Reader and writer spin locks: a word lock in the driver's 32-bit variable. Held at
 * DISPATCH_LEVEL; a thread that has to wait parks and keeps its processor, as it would while
 * spinning.
 */
#include "ex/word_lock.h"
#include "ke/bugcheck.h"
#include "ke/irql.h"
#include "ke/thread.h"
#include "verifier/lock_order.h"

static volatile ULONG *word_of(PEX_SPIN_LOCK lock)
{
    return (volatile ULONG *)lock;
}

static void check_at_most_dispatch(PEX_SPIN_LOCK lock, const char *function)
{
    KIRQL irql = ke_current()->irql;
    if (irql > DISPATCH_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x42, irql, (ULONG_PTR)lock, 0, "IRQL-13",
                    "The driver called %s at IRQL %u; the highest level allowed is "
                    "DISPATCH_LEVEL.",
                    function, irql);
    }
}

static void check_at_dispatch(PEX_SPIN_LOCK lock, const char *function)
{
    KIRQL irql = ke_current()->irql;
    if (irql < DISPATCH_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x40, irql, (ULONG_PTR)lock, 0, "IRQL-13",
                    "The driver called %s at IRQL %u; it needs DISPATCH_LEVEL.", function, irql);
    }
}

static _Noreturn void report_not_held(PEX_SPIN_LOCK lock, const char *function)
{
    ke_bugcheck(SPIN_LOCK_NOT_OWNED, (ULONG_PTR)lock, 0, 0, 0, "SPIN-38",
                "The driver called %s for the lock %p, which is not held in that mode.", function,
                (volatile void *)lock);
}

/* The lock as the verifier knows it. */
static const void *key_of(PEX_SPIN_LOCK lock)
{
    return (const void *)(ULONG_PTR)lock;
}

static void acquire_shared(PEX_SPIN_LOCK lock, const void *site)
{
    verifier_lock_not_again(&verifier_shared_spin_lock, key_of(lock), false, "SPIN-36");
    ex_word_lock_shared(word_of(lock), false);
    ke_current()->spin_locks_held++;
    verifier_lock_shared(&verifier_shared_spin_lock, key_of(lock), site);
}

static void acquire_exclusive(PEX_SPIN_LOCK lock, const void *site)
{
    verifier_lock_not_again(&verifier_shared_spin_lock, key_of(lock), false, "SPIN-36");
    verifier_lock_wanted(&verifier_shared_spin_lock, key_of(lock));
    ex_word_lock_exclusive(word_of(lock), false);
    ke_current()->spin_locks_held++;
    verifier_lock_taken(&verifier_shared_spin_lock, key_of(lock), site);
}

static void release_shared(PEX_SPIN_LOCK lock, const char *function)
{
    check_at_dispatch(lock, function);
    verifier_lock_dropped(key_of(lock));
    ke_current()->spin_locks_held--;
    if (!ex_word_lock_release_shared(word_of(lock))) {
        report_not_held(lock, function);
    }
}

static void release_exclusive(PEX_SPIN_LOCK lock, const char *function)
{
    check_at_dispatch(lock, function);
    verifier_lock_dropped(key_of(lock));
    ke_current()->spin_locks_held--;
    if (!ex_word_lock_release_exclusive(word_of(lock))) {
        report_not_held(lock, function);
    }
}

/* Raises to DISPATCH_LEVEL, takes the lock with other readers, returns the old level. (SPIN-33) */
KIRQL ExAcquireSpinLockShared(PEX_SPIN_LOCK SpinLock)
{
    check_at_most_dispatch(SpinLock, __func__);
    KIRQL old = ke_raise_irql(DISPATCH_LEVEL);
    acquire_shared(SpinLock, _ReturnAddress());
    return old;
}

/* Undoes ExAcquireSpinLockShared. DISPATCH_LEVEL. (SPIN-33) */
VOID ExReleaseSpinLockShared(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql)
{
    release_shared(SpinLock, __func__);
    ke_lower_irql(OldIrql);
}

/* Raises to DISPATCH_LEVEL, takes the lock alone, returns the old level. (SPIN-33) */
KIRQL ExAcquireSpinLockExclusive(PEX_SPIN_LOCK SpinLock)
{
    check_at_most_dispatch(SpinLock, __func__);
    KIRQL old = ke_raise_irql(DISPATCH_LEVEL);
    acquire_exclusive(SpinLock, _ReturnAddress());
    return old;
}

/* Undoes ExAcquireSpinLockExclusive, and a conversion. DISPATCH_LEVEL. (SPIN-33, SPIN-38) */
VOID ExReleaseSpinLockExclusive(PEX_SPIN_LOCK SpinLock, KIRQL OldIrql)
{
    release_exclusive(SpinLock, __func__);
    ke_lower_irql(OldIrql);
}

/* As ExAcquireSpinLockShared; the level is DISPATCH_LEVEL or above and stays. */
VOID ExAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    check_at_dispatch(SpinLock, __func__);
    acquire_shared(SpinLock, _ReturnAddress());
}

/* Undoes ExAcquireSpinLockSharedAtDpcLevel. */
VOID ExReleaseSpinLockSharedFromDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    release_shared(SpinLock, __func__);
}

/* As ExAcquireSpinLockExclusive; the level is DISPATCH_LEVEL or above and stays. */
VOID ExAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    check_at_dispatch(SpinLock, __func__);
    acquire_exclusive(SpinLock, _ReturnAddress());
}

/* Undoes ExAcquireSpinLockExclusiveAtDpcLevel, and a conversion. */
VOID ExReleaseSpinLockExclusiveFromDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    release_exclusive(SpinLock, __func__);
}

/* Makes a reader the writer if it is the only one and no writer waits; else it stays a reader.
 * DISPATCH_LEVEL. (SPIN-37) */
LOGICAL ExTryConvertSharedSpinLockExclusive(PEX_SPIN_LOCK SpinLock)
{
    check_at_dispatch(SpinLock, __func__);
    return ex_word_lock_convert(word_of(SpinLock));
}

/* Takes the lock as a reader if that needs no waiting. DISPATCH_LEVEL or above. */
LOGICAL ExTryAcquireSpinLockSharedAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    check_at_dispatch(SpinLock, __func__);
    bool is_taken = ex_word_lock_try_shared(word_of(SpinLock));
    if (is_taken) {
        ke_current()->spin_locks_held++;
        verifier_lock_shared(&verifier_shared_spin_lock, key_of(SpinLock), _ReturnAddress());
    }
    return is_taken;
}

/* Takes the lock as the writer if that needs no waiting. DISPATCH_LEVEL or above. */
LOGICAL ExTryAcquireSpinLockExclusiveAtDpcLevel(PEX_SPIN_LOCK SpinLock)
{
    check_at_dispatch(SpinLock, __func__);
    bool is_taken = ex_word_lock_try_exclusive(word_of(SpinLock));
    if (is_taken) {
        ke_current()->spin_locks_held++;
        verifier_lock_taken(&verifier_shared_spin_lock, key_of(SpinLock), _ReturnAddress());
    }
    return is_taken;
}
