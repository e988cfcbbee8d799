/* Spin locks: levels, exclusion, and the mistakes around them. */
#include "bugcheck.h"
#include "kernel.h"

static void an_initialised_lock_is_free(void **state)
{
    PROVES("SPIN-01", "SPIN-13");
    KSPIN_LOCK lock = 0x1234;
    KIRQL irql;
    KeRaiseIrql(HIGH_LEVEL, &irql);
    KeInitializeSpinLock(&lock);
    BOOLEAN is_free = KeTestSpinLock(&lock);
    KIRQL level = KeGetCurrentIrql();
    KeLowerIrql(irql);
    assert_true(is_free);
    assert_int_equal(level, HIGH_LEVEL);
}

static void acquiring_raises_and_releasing_restores(void **state)
{
    PROVES("SPIN-03", "SPIN-04", "SPIN-13", "IRQL-02");
    static const KIRQL levels[] = {PASSIVE_LEVEL, APC_LEVEL, DISPATCH_LEVEL};
    for (int i = 0; i < 3; i++) {
        KSPIN_LOCK lock;
        KIRQL outer;
        KIRQL old;
        KeInitializeSpinLock(&lock);
        KeRaiseIrql(levels[i], &outer);
        KeAcquireSpinLock(&lock, &old);
        KIRQL held_at = KeGetCurrentIrql();
        BOOLEAN is_free = KeTestSpinLock(&lock);
        KeReleaseSpinLock(&lock, old);
        KIRQL after = KeGetCurrentIrql();
        KIRQL again = KeAcquireSpinLockRaiseToDpc(&lock);
        KeReleaseSpinLock(&lock, again);
        KeLowerIrql(outer);
        assert_int_equal(old, levels[i]);
        assert_int_equal(again, levels[i]);
        assert_int_equal(held_at, DISPATCH_LEVEL);
        assert_false(is_free);
        assert_int_equal(after, levels[i]);
        assert_true(KeTestSpinLock(&lock));
    }
}

static void the_at_dpc_level_pair_leaves_the_level(void **state)
{
    PROVES("SPIN-08");
    static const KIRQL levels[] = {DISPATCH_LEVEL, DISPATCH_LEVEL + 1};
    for (int i = 0; i < 2; i++) {
        KSPIN_LOCK lock;
        KIRQL irql;
        KIRQL seen[2];
        KeInitializeSpinLock(&lock);
        KeRaiseIrql(levels[i], &irql);
        KeAcquireSpinLockAtDpcLevel(&lock);
        seen[0] = KeGetCurrentIrql();
        KeReleaseSpinLockFromDpcLevel(&lock);
        seen[1] = KeGetCurrentIrql();
        KeLowerIrql(irql);
        assert_int_equal(seen[0], levels[i]);
        assert_int_equal(seen[1], levels[i]);
    }
}

static void a_try_takes_a_free_lock_only(void **state)
{
    PROVES("SPIN-11");
    KSPIN_LOCK lock;
    KIRQL irql;
    KeInitializeSpinLock(&lock);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    BOOLEAN first = KeTryToAcquireSpinLockAtDpcLevel(&lock);
    BOOLEAN second = KeTryToAcquireSpinLockAtDpcLevel(&lock);
    KeReleaseSpinLockFromDpcLevel(&lock);
    BOOLEAN third = KeTryToAcquireSpinLockAtDpcLevel(&lock);
    KeReleaseSpinLock(&lock, irql); /* the partner that its page names */
    assert_true(first);
    assert_false(second);
    assert_true(third);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

struct contest {
    KSPIN_LOCK lock;
    LONG counter; /* guarded by the lock */
    volatile LONG is_held;
    volatile LONG shall_release;
    volatile LONG dpcs;
};

static VOID count_often(PVOID context)
{
    struct contest *contest = context;
    for (int i = 0; i < 500; i++) {
        KIRQL irql;
        KeAcquireSpinLock(&contest->lock, &irql);
        contest->counter++;
        KeReleaseSpinLock(&contest->lock, irql);
    }
}

static void contest_run(ULONG processors)
{
    const struct wskemu_options options = {.processors = processors};
    struct contest contest = {.counter = 0};
    PKTHREAD threads[3];
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
    KeInitializeSpinLock(&contest.lock);
    for (int i = 0; i < 3; i++) {
        threads[i] = start_thread(count_often, &contest);
    }
    for (int i = 0; i < 3; i++) {
        join_thread(threads[i]);
    }
    assert_int_equal(contest.counter, 1500);
    assert_int_equal(wskemu_shutdown(), 0);
}

static void one_thread_holds_a_lock_at_a_time(void **state)
{
    PROVES("SPIN-03", "SPIN-04");
    STAYS_SILENT("SPIN-17");
    contest_run(1);
    contest_run(2);
    contest_run(4);
}

static VOID hold(PVOID context)
{
    struct contest *contest = context;
    KIRQL irql;
    KeAcquireSpinLock(&contest->lock, &irql);
    InterlockedExchange(&contest->is_held, 1);
    while (ReadAcquire(&contest->shall_release) == 0) {
        YieldProcessor();
    }
    KeStallExecutionProcessor(200);
    KeReleaseSpinLock(&contest->lock, irql);
}

static VOID lock_in_dpc(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct contest *contest = context;
    InterlockedExchange(&contest->shall_release, 1);
    KeAcquireSpinLockAtDpcLevel(&contest->lock);
    contest->counter++;
    KeReleaseSpinLockFromDpcLevel(&contest->lock);
    InterlockedIncrement(&contest->dpcs);
}

/* The thread that waits for the timer runs its DPC, which waits for a lock of another thread. */
static void a_dpc_waits_for_a_lock_on_top_of_a_waiting_thread(void **state)
{
    PROVES("SPIN-03", "SPIN-08");
    for (int i = 0; i < 5; i++) {
        struct contest contest = {.counter = 0};
        KTIMER timer;
        KDPC dpc;
        LARGE_INTEGER due = {.QuadPart = -1000};
        KeInitializeSpinLock(&contest.lock);
        KeInitializeTimer(&timer);
        KeInitializeDpc(&dpc, lock_in_dpc, &contest);
        PKTHREAD thread = start_thread(hold, &contest);
        while (ReadAcquire(&contest.is_held) == 0) {
            YieldProcessor();
        }
        KeSetTimer(&timer, due, &dpc);
        join_thread(thread);
        KeFlushQueuedDpcs();
        assert_int_equal(contest.counter, 1);
        assert_int_equal(contest.dpcs, 1);
    }
}

/* ---- contracts ---- */

static KSPIN_LOCK used;

static void acquire_twice(void *context)
{
    KIRQL irql;
    KeInitializeSpinLock(&used);
    KeAcquireSpinLock(&used, &irql);
    KeAcquireSpinLock(&used, &irql);
}

static void acquiring_a_lock_twice_stops(void **state)
{
    PROVES("SPIN-14", "SPIN-17", "BUGCHECK-09");
    struct wskemu_bugcheck stop = bugcheck_of(acquire_twice, NULL);
    assert_bugcheck(stop, SPIN_LOCK_ALREADY_OWNED, 0, 0, 0, 0);
}

static void release_unheld(void *context)
{
    KeInitializeSpinLock(&used);
    KeRaiseIrqlToDpcLevel();
    KeReleaseSpinLock(&used, PASSIVE_LEVEL);
}

static void releasing_a_lock_that_nobody_holds_stops(void **state)
{
    PROVES("SPIN-15", "BUGCHECK-10");
    struct wskemu_bugcheck stop = bugcheck_of(release_unheld, NULL);
    assert_bugcheck(stop, SPIN_LOCK_NOT_OWNED, ANY, ANY, ANY, ANY);
}

static struct contest foreign;

static void release_foreign(void *context)
{
    RtlZeroMemory(&foreign, sizeof(foreign));
    KeInitializeSpinLock(&foreign.lock);
    start_thread(hold, &foreign);
    while (ReadAcquire(&foreign.is_held) == 0) {
        YieldProcessor();
    }
    KeRaiseIrqlToDpcLevel();
    KeReleaseSpinLockFromDpcLevel(&foreign.lock);
}

static void releasing_the_lock_of_another_thread_stops(void **state)
{
    struct wskemu_bugcheck stop = bugcheck_of(release_foreign, NULL);
    InterlockedExchange(&foreign.shall_release, 1); /* its thread parks at its next call */
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1004, &foreign.lock, ANY, ANY);
    assert_int_not_equal(stop.parameter[2], stop.parameter[3]);
}

static void acquire_too_high(void *context)
{
    KIRQL irql;
    KeInitializeSpinLock(&used);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &irql);
    KeAcquireSpinLock(&used, &irql);
}

static void release_too_high(void *context)
{
    KIRQL irql;
    KIRQL higher;
    KeInitializeSpinLock(&used);
    KeAcquireSpinLock(&used, &irql);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &higher);
    KeReleaseSpinLock(&used, irql);
}

static void locks_at_wrong_levels_stop(void **state)
{
    PROVES("SPIN-05");
    struct wskemu_bugcheck stop = bugcheck_of(acquire_too_high, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x42, DISPATCH_LEVEL + 1, &used, 0);
    stop = bugcheck_of(release_too_high, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x32, DISPATCH_LEVEL + 1, &used, 0);
}

static void acquire_below_dispatch_level(void *context)
{
    KeInitializeSpinLock(&used);
    KeAcquireSpinLockAtDpcLevel(&used);
}

static void release_below_dispatch_level(void *context)
{
    KeInitializeSpinLock(&used);
    KeReleaseSpinLockFromDpcLevel(&used);
}

static void at_dpc_level_functions_below_it_stop(void **state)
{
    PROVES("SPIN-09");
    struct wskemu_bugcheck stop = bugcheck_of(acquire_below_dispatch_level, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x40, PASSIVE_LEVEL, &used, 0);
    stop = bugcheck_of(release_below_dispatch_level, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x41, PASSIVE_LEVEL, &used, 0);
}

static void wait_with_lock(void *context)
{
    KEVENT event;
    KIRQL irql;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    KeInitializeSpinLock(&used);
    KeAcquireSpinLock(&used, &irql);
    wait_object(&event);
}

static void waiting_with_a_lock_stops(void **state)
{
    PROVES("SPIN-21", "SPIN-23");
    struct wskemu_bugcheck stop = bugcheck_of(wait_with_lock, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x121, ANY, ANY, 0);
}

static void release_lower(void *context)
{
    KIRQL outer;
    KIRQL inner;
    KSPIN_LOCK other;
    KeInitializeSpinLock(&used);
    KeInitializeSpinLock(&other);
    KeAcquireSpinLock(&used, &outer);
    KeAcquireSpinLock(&other, &inner);
    KeReleaseSpinLock(&other, outer); /* the value of the other acquisition */
}

static void releasing_with_the_level_of_another_acquisition_stops(void **state)
{
    PROVES("SPIN-06", "SPIN-07");
    struct wskemu_bugcheck stop = bugcheck_of(release_lower, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x31, DISPATCH_LEVEL, PASSIVE_LEVEL,
                    0);
}

static void acquire_uninitialised(void *context)
{
    KIRQL irql;
    used = *(KSPIN_LOCK *)context;
    KeAcquireSpinLock(&used, &irql);
}

static void acquiring_a_lock_that_was_never_initialised_stops(void **state)
{
    PROVES("SPIN-02");
    KSPIN_LOCK garbage = 0xCDCDCDCDCDCDCDC8;
    struct wskemu_bugcheck stop = bugcheck_of(acquire_uninitialised, &garbage);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1002, &used, 0, 0);
}

static void acquire_queued_and_plain(void *context)
{
    KLOCK_QUEUE_HANDLE handle;
    KeInitializeSpinLock(&used);
    KeAcquireInStackQueuedSpinLock(&used, &handle);
    KeAcquireSpinLockAtDpcLevel(&used);
}

static void acquiring_a_queued_lock_as_a_plain_one_stops(void **state)
{
    PROVES("SPIN-28");
    struct wskemu_bugcheck stop = bugcheck_of(acquire_queued_and_plain, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1008, &used, 0, 0);
}

static VOID release_without_lowering(PVOID context)
{
    KIRQL irql;
    KeInitializeSpinLock(&used);
    KeAcquireSpinLock(&used, &irql);
    KeReleaseSpinLockFromDpcLevel(&used);
}

static void mix_in_thread(void *context)
{
    wait_object(start_thread(release_without_lowering, NULL));
}

static VOID release_in_dpc(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    KeAcquireSpinLockAtDpcLevel(&used);
    KeReleaseSpinLock(&used, PASSIVE_LEVEL);
}

static void mix_in_dpc(void *context)
{
    static KDPC dpc;
    KeInitializeSpinLock(&used);
    KeInitializeDpc(&dpc, release_in_dpc, NULL);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeFlushQueuedDpcs();
}

/* At level full the release is caught, see tests/verifier/lock.c; here, what comes of it. */
static struct wskemu_bugcheck stop_at_standard(void (*mix)(void *))
{
    static const struct wskemu_options options = {.verifier = WSKEMU_VERIFIER_STANDARD};
    assert_int_equal(wskemu_shutdown(), 0);
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
    return bugcheck_of(mix, NULL);
}

static void mixing_the_pairs_stops(void **state)
{
    PROVES("SPIN-10");
    struct wskemu_bugcheck stop = stop_at_standard(mix_in_thread);
    assert_int_equal(stop.code, IRQL_UNEXPECTED_VALUE);
    stop = stop_at_standard(mix_in_dpc);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x31, DISPATCH_LEVEL, PASSIVE_LEVEL,
                    1);
}

/* ---- in DPC routines ---- */

static KIRQL dpc_levels[2];

static VOID lock_for_dpc(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    KLOCK_QUEUE_HANDLE handle;
    KIRQL before = KeGetCurrentIrql();
    KIRQL old = KeAcquireSpinLockForDpc(context);
    dpc_levels[0] = KeGetCurrentIrql();
    KeReleaseSpinLockForDpc(context, old);
    KeAcquireInStackQueuedSpinLockForDpc(context, &handle);
    dpc_levels[1] = KeGetCurrentIrql();
    KeReleaseInStackQueuedSpinLockForDpc(&handle);
    if (old != before || KeGetCurrentIrql() != before) {
        dpc_levels[0] = HIGH_LEVEL;
    }
}

static void the_for_dpc_pairs_serve_both_kinds_of_dpc(void **state)
{
    PROVES("SPIN-31");
    KSPIN_LOCK lock;
    KDPC dpc;
    KeInitializeSpinLock(&lock);
    for (int is_threaded = 0; is_threaded < 2; is_threaded++) {
        if (is_threaded) {
            KeInitializeThreadedDpc(&dpc, lock_for_dpc, &lock);
        } else {
            KeInitializeDpc(&dpc, lock_for_dpc, &lock);
        }
        dpc_levels[0] = dpc_levels[1] = PASSIVE_LEVEL;
        KeInsertQueueDpc(&dpc, NULL, NULL);
        KeFlushQueuedDpcs();
        assert_int_equal(dpc_levels[0], DISPATCH_LEVEL);
        assert_int_equal(dpc_levels[1], DISPATCH_LEVEL);
    }
    /* As a threaded DPC does that runs at PASSIVE_LEVEL. */
    lock_for_dpc(NULL, &lock, NULL, NULL);
    assert_int_equal(dpc_levels[0], DISPATCH_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

/* Out of order, but each with a level that keeps DISPATCH_LEVEL while one is held. */
static void two_locks_may_be_released_in_the_order_of_acquisition(void **state)
{
    KSPIN_LOCK locks[2];
    KIRQL outer;
    KIRQL inner;
    KeInitializeSpinLock(&locks[0]);
    KeInitializeSpinLock(&locks[1]);
    KeAcquireSpinLock(&locks[0], &outer);
    KeAcquireSpinLock(&locks[1], &inner);
    KeReleaseSpinLock(&locks[0], inner);
    KeReleaseSpinLock(&locks[1], outer);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static const struct CMUnitTest tests[] = {
    kernel_test(an_initialised_lock_is_free),
    kernel_test(acquiring_raises_and_releasing_restores),
    kernel_test(the_at_dpc_level_pair_leaves_the_level),
    kernel_test(a_try_takes_a_free_lock_only),
    cmocka_unit_test(one_thread_holds_a_lock_at_a_time),
    kernel_test(a_dpc_waits_for_a_lock_on_top_of_a_waiting_thread),
    kernel_test(acquiring_a_lock_twice_stops),
    kernel_test(releasing_a_lock_that_nobody_holds_stops),
    kernel_test(releasing_the_lock_of_another_thread_stops),
    kernel_test(locks_at_wrong_levels_stop),
    kernel_test(at_dpc_level_functions_below_it_stop),
    kernel_test(waiting_with_a_lock_stops),
    kernel_test(releasing_with_the_level_of_another_acquisition_stops),
    kernel_test(acquiring_a_lock_that_was_never_initialised_stops),
    kernel_test(acquiring_a_queued_lock_as_a_plain_one_stops),
    kernel_test(mixing_the_pairs_stops),
    kernel_test(the_for_dpc_pairs_serve_both_kinds_of_dpc),
    kernel_test(two_locks_may_be_released_in_the_order_of_acquisition),
};

TEST_MAIN(tests)
