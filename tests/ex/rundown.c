/* Rundown protection, plain and cache-aware. */
#include "kernel.h"

struct guarded {
    EX_RUNDOWN_REF plain;
    PEX_RUNDOWN_REF_CACHE_AWARE aware;
    volatile LONG is_down;
};

static void holders_come_and_go(void **state)
{
    PROVES("FAST-35", "FAST-36", "FAST-39", "FAST-44");
    STAYS_SILENT("FAST-37");
    EX_RUNDOWN_REF reference;
    ExInitializeRundownProtection(&reference);
    assert_true(ExAcquireRundownProtection(&reference));
    assert_true(ExAcquireRundownProtectionEx(&reference, 3));
    assert_int_equal(reference.Count, 4 * EX_RUNDOWN_COUNT_INC);
    ExReleaseRundownProtectionEx(&reference, 2);
    ExReleaseRundownProtection(&reference);
    ExReleaseRundownProtection(&reference);
    assert_int_equal(reference.Count, 0);
    ExWaitForRundownProtectionRelease(&reference);
    assert_false(ExAcquireRundownProtection(&reference));
    assert_false(ExAcquireRundownProtectionEx(&reference, 2));
    ExWaitForRundownProtectionRelease(&reference);
}

static void completed_rundown_lasts_until_reinitialised(void **state)
{
    PROVES("FAST-42", "FAST-36");
    STAYS_SILENT("FAST-41", "FAST-43");
    EX_RUNDOWN_REF reference;
    ExInitializeRundownProtection(&reference);
    ExWaitForRundownProtectionRelease(&reference);
    ExRundownCompleted(&reference);
    assert_false(ExAcquireRundownProtection(&reference));
    ExWaitForRundownProtectionRelease(&reference);
    ExReInitializeRundownProtection(&reference);
    assert_true(ExAcquireRundownProtection(&reference));
    ExReleaseRundownProtection(&reference);
}

static VOID wait_plain(PVOID context)
{
    struct guarded *guarded = context;
    ExWaitForRundownProtectionRelease(&guarded->plain);
    InterlockedIncrement(&guarded->is_down);
}

static void waiter_returns_after_the_last_holder(void **state)
{
    PROVES("FAST-36", "FAST-38");
    struct guarded guarded = {.is_down = 0};
    KIRQL old;
    ExInitializeRundownProtection(&guarded.plain);
    ExAcquireRundownProtectionEx(&guarded.plain, 2);
    PKTHREAD thread = start_thread(wait_plain, &guarded);
    await_blocked(thread);
    assert_false(ExAcquireRundownProtection(&guarded.plain));
    ExReleaseRundownProtection(&guarded.plain);
    assert_int_equal(guarded.is_down, 0);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    ExReleaseRundownProtection(&guarded.plain);
    KeLowerIrql(old);
    join_thread(thread);
    assert_int_equal(guarded.is_down, 1);
}

static VOID wait_aware(PVOID context)
{
    struct guarded *guarded = context;
    ExWaitForRundownProtectionReleaseCacheAware(guarded->aware);
    InterlockedIncrement(&guarded->is_down);
}

static void cache_aware_protection_behaves_the_same(void **state)
{
    PROVES("FAST-45");
    struct guarded guarded = {.is_down = 0};
    guarded.aware = ExAllocateCacheAwareRundownProtection(NonPagedPoolNx, 'nuRC');
    assert_non_null(guarded.aware);
    assert_true(ExAcquireRundownProtectionCacheAware(guarded.aware));
    assert_true(ExAcquireRundownProtectionCacheAwareEx(guarded.aware, 2));
    PKTHREAD thread = start_thread(wait_aware, &guarded);
    await_blocked(thread);
    assert_false(ExAcquireRundownProtectionCacheAware(guarded.aware));
    ExReleaseRundownProtectionCacheAwareEx(guarded.aware, 2);
    ExReleaseRundownProtectionCacheAware(guarded.aware);
    join_thread(thread);
    ExRundownCompletedCacheAware(guarded.aware);
    ExReInitializeRundownProtectionCacheAware(guarded.aware);
    assert_true(ExAcquireRundownProtectionCacheAware(guarded.aware));
    ExReleaseRundownProtectionCacheAware(guarded.aware);
    ExFreeCacheAwareRundownProtection(guarded.aware);
}

#define THREADS 3

static VOID hold_until_down(PVOID context)
{
    struct guarded *guarded = context;
    while (ExAcquireRundownProtection(&guarded->plain)) {
        if (guarded->is_down != 0) {
            InterlockedExchange(&guarded->is_down, -100);
        }
        ExReleaseRundownProtection(&guarded->plain);
    }
}

static void nobody_holds_after_the_wait(void **state)
{
    PROVES("FAST-38");
    struct guarded guarded = {.is_down = 0};
    PKTHREAD threads[THREADS];
    ExInitializeRundownProtection(&guarded.plain);
    for (int i = 0; i < THREADS; i++) {
        threads[i] = start_thread(hold_until_down, &guarded);
    }
    LARGE_INTEGER pause = interval_ms(1);
    KeDelayExecutionThread(KernelMode, FALSE, &pause);
    ExWaitForRundownProtectionRelease(&guarded.plain);
    InterlockedIncrement(&guarded.is_down);
    for (int i = 0; i < THREADS; i++) {
        join_thread(threads[i]);
    }
    assert_int_equal(guarded.is_down, 1);
}

/* ---- misuse ---- */

static void release_unheld(void *context)
{
    EX_RUNDOWN_REF reference;
    ExInitializeRundownProtection(&reference);
    ExReleaseRundownProtection(&reference);
}

static void reinitialise_held(void *context)
{
    EX_RUNDOWN_REF reference;
    ExInitializeRundownProtection(&reference);
    ExAcquireRundownProtection(&reference);
    ExReInitializeRundownProtection(&reference);
}

static void complete_unwaited(void *context)
{
    EX_RUNDOWN_REF reference;
    ExInitializeRundownProtection(&reference);
    ExRundownCompleted(&reference);
}

static void wait_high(void *context)
{
    EX_RUNDOWN_REF reference;
    ExInitializeRundownProtection(&reference);
    KeRaiseIrqlToDpcLevel();
    ExWaitForRundownProtectionRelease(&reference);
}

static void misuse_stops(void **state)
{
    PROVES("FAST-37", "FAST-41", "FAST-43", "FAST-47");
    const ULONG code = DRIVER_VERIFIER_DETECTED_VIOLATION;
    expect_bugcheck(release_unheld, NULL, code, 0x1007, "FAST-37");
    expect_bugcheck(reinitialise_held, NULL, code, 0x1005, "FAST-41");
    expect_bugcheck(complete_unwaited, NULL, code, 0x1005, "FAST-43");
    expect_bugcheck(wait_high, NULL, DRIVER_VIOLATION, 2, "IRQL-13");
}

static const struct CMUnitTest tests[] = {
    kernel_test(holders_come_and_go),
    kernel_test(completed_rundown_lasts_until_reinitialised),
    kernel_test(waiter_returns_after_the_last_holder),
    kernel_test(cache_aware_protection_behaves_the_same),
    kernel_test(nobody_holds_after_the_wait),
    kernel_test(misuse_stops),
};

TEST_MAIN(tests)
