/*
 * Rundown protection.
 *
 * The word is Windows': bit 0 (EX_RUNDOWN_ACTIVE) once rundown has begun, above it the number of
 * holders. Who waits for the rundown parks at the word's address. The release of the last holder is
 * the last touch of the word, because the waiter may free it at once.
 */
#include "ke/address.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ke/patience.h"
#include "verifier/resident.h"

/* A cache-aware reference is a plain one in memory of its own. */
struct _EX_RUNDOWN_REF_CACHE_AWARE {
    EX_RUNDOWN_REF reference;
    ULONG tag; /* of the pool block it lies in; 0 in the driver's own memory */
    ULONG reserved;
};

static ULONG_PTR load(PEX_RUNDOWN_REF reference)
{
    return __atomic_load_n(&reference->Count, __ATOMIC_SEQ_CST);
}

static void store(PEX_RUNDOWN_REF reference, ULONG_PTR value)
{
    __atomic_store_n(&reference->Count, value, __ATOMIC_SEQ_CST);
}

static bool acquire(PEX_RUNDOWN_REF reference, ULONG count)
{
    ULONG_PTR value = load(reference);
    while ((value & EX_RUNDOWN_ACTIVE) == 0) {
        ULONG_PTR after = value + (ULONG_PTR)count * EX_RUNDOWN_COUNT_INC;
        if (__atomic_compare_exchange_n(&reference->Count, &value, after, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
            return true;
        }
    }
    return false;
}

static _Noreturn void report_not_held(PEX_RUNDOWN_REF reference, ULONG_PTR value, ULONG count)
{
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1007, (ULONG_PTR)reference, value, count,
                "FAST-37",
                "The driver released rundown protection %p %u times, which is held %llu times.",
                (void *)reference, count, (unsigned long long)(value >> EX_RUNDOWN_COUNT_SHIFT));
}

static void release(PEX_RUNDOWN_REF reference, ULONG count)
{
    ULONG_PTR less = (ULONG_PTR)count * EX_RUNDOWN_COUNT_INC;
    ULONG_PTR before = load(reference);
    do {
        if (before < less) {
            report_not_held(reference, before, count);
        }
    } while (!__atomic_compare_exchange_n(&reference->Count, &before, before - less, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    if (before - less == EX_RUNDOWN_ACTIVE) {
        ke_address_wake(&reference->Count, true);
    }
}

static void wait_for_release(PEX_RUNDOWN_REF reference)
{
    ULONG_PTR value = __atomic_or_fetch(&reference->Count, EX_RUNDOWN_ACTIVE, __ATOMIC_SEQ_CST);
    struct ke_reason reason = {
        .what = "the rundown of", .object = reference, .kind = KE_REASON_LOCK, .rule = "FAST-40"};
    ke_reason_begin(&reason);
    while (value != EX_RUNDOWN_ACTIVE) {
        ke_address_wait(&reference->Count, sizeof(reference->Count), value, true);
        value = load(reference);
    }
    ke_reason_end(&reason);
}

static void check_run_down(PEX_RUNDOWN_REF reference, const char *rule, const char *function)
{
    ULONG_PTR value = load(reference);
    if (value != EX_RUNDOWN_ACTIVE) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1005, (ULONG_PTR)reference, value, 0,
                    rule,
                    "The driver called %s for rundown protection %p, which is not run down: wait "
                    "with ExWaitForRundownProtectionRelease first.",
                    function, (void *)reference);
    }
}

/* Makes the protection whole, with no holder. IRQL <= APC_LEVEL. (FAST-35) */
VOID ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    store(RunRef, 0);
}

/* Makes protection that was run down whole again. IRQL <= APC_LEVEL. (FAST-41) */
VOID ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    check_run_down(RunRef, "FAST-41", __func__);
    store(RunRef, 0);
}

/* Adds a holder; FALSE once rundown has begun. IRQL <= DISPATCH_LEVEL. (FAST-36) */
BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    verifier_check_touch(RunRef, __func__, "FAST-47");
    return acquire(RunRef, 1);
}

/* Adds Count holders; FALSE once rundown has begun. IRQL <= DISPATCH_LEVEL. (FAST-44) */
BOOLEAN ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    verifier_check_touch(RunRef, __func__, "FAST-47");
    return acquire(RunRef, Count);
}

/* Takes a holder away. IRQL <= DISPATCH_LEVEL. (FAST-37) */
VOID ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    verifier_check_touch(RunRef, __func__, "FAST-47");
    release(RunRef, 1);
}

/* Takes Count holders away. IRQL <= DISPATCH_LEVEL. (FAST-44) */
VOID ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    verifier_check_touch(RunRef, __func__, "FAST-47");
    release(RunRef, Count);
}

/* Marks the rundown as finished, after the wait. IRQL <= APC_LEVEL. (FAST-42, FAST-43) */
VOID ExRundownCompleted(PEX_RUNDOWN_REF RunRef)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    check_run_down(RunRef, "FAST-43", __func__);
}

/* Refuses new holders and waits until the last one has gone. IRQL <= APC_LEVEL. (FAST-38) */
VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    wait_for_release(RunRef);
}

/* ---- cache-aware: the same (FAST-45) ---- */

/* Protection in pool of its own, or NULL. IRQL <= APC_LEVEL. */
PEX_RUNDOWN_REF_CACHE_AWARE ExAllocateCacheAwareRundownProtection(POOL_TYPE PoolType, ULONG PoolTag)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    PEX_RUNDOWN_REF_CACHE_AWARE run_ref = ExAllocatePoolZero(PoolType, sizeof(*run_ref), PoolTag);
    if (run_ref != NULL) {
        run_ref->tag = PoolTag;
    }
    return run_ref;
}

/* Frees what ExAllocateCacheAwareRundownProtection gave. IRQL <= APC_LEVEL. */
VOID ExFreeCacheAwareRundownProtection(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    ExFreePoolWithTag(RunRefCacheAware, RunRefCacheAware->tag);
}

/* Bytes that ExInitializeRundownProtectionCacheAware needs. */
SIZE_T ExSizeOfRundownProtectionCacheAware(VOID)
{
    return sizeof(struct _EX_RUNDOWN_REF_CACHE_AWARE);
}

/* Prepares protection in the driver's own memory. IRQL <= APC_LEVEL. */
VOID ExInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware,
                                             SIZE_T RunRefSize)
{
    UNREFERENCED_PARAMETER(RunRefSize);
    RunRefCacheAware->tag = 0;
    ExInitializeRundownProtection(&RunRefCacheAware->reference);
}

VOID ExReInitializeRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExReInitializeRundownProtection(&RunRefCacheAware->reference);
}

BOOLEAN ExAcquireRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    return ExAcquireRundownProtection(&RunRefCacheAware->reference);
}

BOOLEAN ExAcquireRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware,
                                               ULONG Count)
{
    return ExAcquireRundownProtectionEx(&RunRefCacheAware->reference, Count);
}

VOID ExReleaseRundownProtectionCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExReleaseRundownProtection(&RunRefCacheAware->reference);
}

VOID ExReleaseRundownProtectionCacheAwareEx(PEX_RUNDOWN_REF_CACHE_AWARE RunRef, ULONG Count)
{
    ExReleaseRundownProtectionEx(&RunRef->reference, Count);
}

VOID ExRundownCompletedCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRefCacheAware)
{
    ExRundownCompleted(&RunRefCacheAware->reference);
}

VOID ExWaitForRundownProtectionReleaseCacheAware(PEX_RUNDOWN_REF_CACHE_AWARE RunRef)
{
    ExWaitForRundownProtectionRelease(&RunRef->reference);
}
