/* Spin locks. */
#include "kernel.h"

static void locks_raise_to_dispatch_level(void **state)
{
    PROVES("SPIN-01", "SPIN-03", "SPIN-04", "SPIN-13");
    KSPIN_LOCK lock = 1;
    KIRQL old;
    KeRaiseIrql(HIGH_LEVEL, &old);
    KeInitializeSpinLock(&lock);
    KeLowerIrql(old);
    assert_true(KeTestSpinLock(&lock));

    KeRaiseIrql(APC_LEVEL, &old);
    KIRQL before;
    KeAcquireSpinLock(&lock, &before);
    KIRQL raised = KeGetCurrentIrql();
    BOOLEAN was_free = KeTestSpinLock(&lock);
    KeReleaseSpinLock(&lock, before);
    KIRQL after = KeGetCurrentIrql();
    KeLowerIrql(old);
    assert_int_equal(before, APC_LEVEL);
    assert_int_equal(raised, DISPATCH_LEVEL);
    assert_false(was_free);
    assert_int_equal(after, APC_LEVEL);

    before = KeAcquireSpinLockRaiseToDpc(&lock);
    raised = KeGetCurrentIrql();
    KeReleaseSpinLock(&lock, before);
    assert_int_equal(before, PASSIVE_LEVEL);
    assert_int_equal(raised, DISPATCH_LEVEL);
    assert_true(KeTestSpinLock(&lock));
}

static void dpc_level_functions_leave_the_level(void **state)
{
    PROVES("SPIN-08", "SPIN-11");
    KSPIN_LOCK lock = 0;
    KIRQL old = KeRaiseIrqlToDpcLevel();
    KeAcquireSpinLockAtDpcLevel(&lock);
    KIRQL held = KeGetCurrentIrql();
    BOOLEAN again = KeTryToAcquireSpinLockAtDpcLevel(&lock);
    KeReleaseSpinLockFromDpcLevel(&lock);
    BOOLEAN once = KeTryToAcquireSpinLockAtDpcLevel(&lock);
    KeReleaseSpinLockFromDpcLevel(&lock);
    KIRQL released = KeGetCurrentIrql();
    KeLowerIrql(old);
    assert_int_equal(held, DISPATCH_LEVEL);
    assert_int_equal(released, DISPATCH_LEVEL);
    assert_false(again);
    assert_true(once);
}

static void functions_for_dpcs_raise_and_restore(void **state)
{
    PROVES("SPIN-31");
    KSPIN_LOCK lock = 0;
    KLOCK_QUEUE_HANDLE handle;
    KIRQL old = KeAcquireSpinLockForDpc(&lock);
    KIRQL held = KeGetCurrentIrql();
    KeReleaseSpinLockForDpc(&lock, old);
    assert_int_equal(old, PASSIVE_LEVEL);
    assert_int_equal(held, DISPATCH_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    KeAcquireInStackQueuedSpinLockForDpc(&lock, &handle);
    held = KeGetCurrentIrql();
    KeReleaseInStackQueuedSpinLockForDpc(&handle);
    assert_int_equal(held, DISPATCH_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

#define THREADS 3
#define ROUNDS 1000

struct counted {
    KSPIN_LOCK lock;
    LONG count;
};

static VOID count_under_lock(PVOID context)
{
    struct counted *counted = context;
    for (int i = 0; i < ROUNDS; i++) {
        KIRQL old;
        KeAcquireSpinLock(&counted->lock, &old);
        counted->count++;
        KeReleaseSpinLock(&counted->lock, old);
    }
}

static void one_thread_at_a_time_holds_it(void **state)
{
    PROVES("SPIN-03");
    struct counted counted = {0, 0};
    PKTHREAD threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        threads[i] = start_thread(count_under_lock, &counted);
    }
    for (int i = 0; i < THREADS; i++) {
        join_thread(threads[i]);
    }
    assert_int_equal(counted.count, THREADS * ROUNDS);
}

/* ---- misuse ---- */

static void acquire_high(void *context)
{
    KIRQL old;
    KeRaiseIrql(DISPATCH_LEVEL + 1, &old);
    KeAcquireSpinLock((PKSPIN_LOCK)context, &old);
}

static void release_high(void *context)
{
    KIRQL old;
    KIRQL dispatch;
    KeAcquireSpinLock((PKSPIN_LOCK)context, &old);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &dispatch);
    KeReleaseSpinLock(context, old);
}

static void acquire_low(void *context)
{
    KeAcquireSpinLockAtDpcLevel(context);
}

static void release_from_low(void *context)
{
    KeReleaseSpinLockFromDpcLevel(context);
}

static void keep_and_lower(void *context)
{
    KIRQL old;
    KeAcquireSpinLock((PKSPIN_LOCK)context, &old);
    KeLowerIrql(old);
}

static void acquire_twice(void *context)
{
    KIRQL old;
    KeAcquireSpinLock((PKSPIN_LOCK)context, &old);
    KeAcquireSpinLock((PKSPIN_LOCK)context, &old);
}

static void release_free(void *context)
{
    KeRaiseIrqlToDpcLevel();
    KeReleaseSpinLock(context, PASSIVE_LEVEL);
}

static void misuse_stops(void **state)
{
    PROVES("SPIN-05", "SPIN-09", "SPIN-14", "SPIN-15", "SPIN-23");
    const ULONG code = DRIVER_VERIFIER_DETECTED_VIOLATION;
    static KSPIN_LOCK lock;
    static void (*const bodies[])(void *) = {acquire_high, release_high, acquire_low,
                                             release_from_low};
    static const ULONG subcodes[] = {0x42, 0x32, 0x40, 0x41};
    for (int i = 0; i < 4; i++) {
        KeInitializeSpinLock(&lock);
        expect_bugcheck(bodies[i], &lock, code, subcodes[i], NULL);
    }
    KeInitializeSpinLock(&lock);
    expect_bugcheck(acquire_twice, &lock, SPIN_LOCK_ALREADY_OWNED, ANY_PARAMETER, "SPIN-14");
    KeInitializeSpinLock(&lock);
    expect_bugcheck(keep_and_lower, &lock, code, ANY_PARAMETER, "SPIN-23");
    KeInitializeSpinLock(&lock);
    expect_bugcheck(release_free, &lock, SPIN_LOCK_NOT_OWNED, ANY_PARAMETER, "SPIN-15");
}

static const struct CMUnitTest tests[] = {
    kernel_test(locks_raise_to_dispatch_level),
    kernel_test(dpc_level_functions_leave_the_level),
    kernel_test(functions_for_dpcs_raise_and_restore),
    kernel_test(one_thread_at_a_time_holds_it),
    kernel_test(misuse_stops),
};

TEST_MAIN(tests)
