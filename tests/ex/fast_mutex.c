/* Fast mutexes and guarded mutexes. */
#include "kernel.h"

static void fast_mutex_raises_to_apc_level(void **state)
{
    PROVES("FAST-01", "FAST-02", "FAST-03", "IRQL-20");
    STAYS_SILENT("FAST-04");
    FAST_MUTEX mutex;
    ExInitializeFastMutex(&mutex);
    ExAcquireFastMutex(&mutex);
    assert_int_equal(KeGetCurrentIrql(), APC_LEVEL);
    assert_int_equal(mutex.OldIrql, PASSIVE_LEVEL);
    ExReleaseFastMutex(&mutex);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_true(ExTryToAcquireFastMutex(&mutex));
    assert_int_equal(KeGetCurrentIrql(), APC_LEVEL);
    ExReleaseFastMutex(&mutex);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void nested_fast_mutexes_restore_their_levels(void **state)
{
    PROVES("FAST-02");
    STAYS_SILENT("FAST-06");
    FAST_MUTEX outer;
    FAST_MUTEX inner;
    ExInitializeFastMutex(&outer);
    ExInitializeFastMutex(&inner);
    ExAcquireFastMutex(&outer);
    ExAcquireFastMutex(&inner);
    ExReleaseFastMutex(&inner);
    assert_int_equal(KeGetCurrentIrql(), APC_LEVEL);
    ExReleaseFastMutex(&outer);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void unsafe_pair_leaves_the_level(void **state)
{
    PROVES("FAST-07");
    STAYS_SILENT("FAST-08");
    FAST_MUTEX mutex;
    ExInitializeFastMutex(&mutex);
    KeEnterCriticalRegion();
    ExAcquireFastMutexUnsafe(&mutex);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    ExReleaseFastMutexUnsafe(&mutex);
    KeLeaveCriticalRegion();
}

static void guarded_mutex_enters_a_guarded_region(void **state)
{
    PROVES("FAST-11", "FAST-12", "IRQL-20");
    STAYS_SILENT("FAST-13");
    KGUARDED_MUTEX mutex;
    KeInitializeGuardedMutex(&mutex);
    KeAcquireGuardedMutex(&mutex);
    assert_true(KeAreAllApcsDisabled());
    assert_true(KeAreApcsDisabled());
    assert_int_equal(KeGetCurrentIrql(), APC_LEVEL);
    KeReleaseGuardedMutex(&mutex);
    assert_false(KeAreAllApcsDisabled());
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_true(KeTryToAcquireGuardedMutex(&mutex));
    assert_true(KeAreApcsDisabled());
    KeReleaseGuardedMutex(&mutex);
    assert_false(KeAreApcsDisabled());
    KeEnterGuardedRegion();
    KeAcquireGuardedMutexUnsafe(&mutex);
    KeReleaseGuardedMutexUnsafe(&mutex);
    KeLeaveGuardedRegion();
}

/* ---- two threads ---- */

struct contest {
    FAST_MUTEX mutex;
    KEVENT go;
    volatile LONG inside;
    volatile LONG entries;
    BOOLEAN try_result;
    KIRQL try_level;
};

static VOID try_fast(PVOID context)
{
    struct contest *contest = context;
    wait_object(&contest->go);
    contest->try_result = ExTryToAcquireFastMutex(&contest->mutex);
    contest->try_level = KeGetCurrentIrql();
}

static VOID try_guarded(PVOID context)
{
    struct contest *contest = context;
    wait_object(&contest->go);
    contest->try_result = KeTryToAcquireGuardedMutex(&contest->mutex);
    contest->try_level = KeGetCurrentIrql();
}

static void held_mutexes_are_refused_at_once(void **state)
{
    PROVES("FAST-03", "FAST-11", "FAST-12");
    static PKSTART_ROUTINE const routines[] = {try_fast, try_guarded};
    for (int i = 0; i < 2; i++) {
        struct contest contest = {.try_result = TRUE};
        ExInitializeFastMutex(&contest.mutex);
        KeInitializeEvent(&contest.go, NotificationEvent, FALSE);
        PKTHREAD thread = start_thread(routines[i], &contest);
        ExAcquireFastMutex(&contest.mutex);
        KeSetEvent(&contest.go, 0, FALSE);
        join_thread(thread);
        ExReleaseFastMutex(&contest.mutex);
        assert_false(contest.try_result);
        assert_int_equal(contest.try_level, PASSIVE_LEVEL);
    }
}

#define THREADS 4
#define ROUNDS 500

static VOID enter_often(PVOID context)
{
    struct contest *contest = context;
    for (int i = 0; i < ROUNDS; i++) {
        ExAcquireFastMutex(&contest->mutex);
        if (InterlockedIncrement(&contest->inside) == 1) {
            contest->entries++;
        }
        InterlockedDecrement(&contest->inside);
        ExReleaseFastMutex(&contest->mutex);
    }
}

static void one_thread_at_a_time_is_inside(void **state)
{
    PROVES("FAST-02");
    STAYS_SILENT("FAST-05");
    struct contest contest = {.inside = 0};
    PKTHREAD threads[THREADS];
    ExInitializeFastMutex(&contest.mutex);
    for (int i = 0; i < THREADS; i++) {
        threads[i] = start_thread(enter_often, &contest);
    }
    for (int i = 0; i < THREADS; i++) {
        join_thread(threads[i]);
    }
    assert_int_equal(contest.entries, THREADS * ROUNDS);
}

static VOID acquire_once(PVOID context)
{
    struct contest *contest = context;
    wait_object(&contest->go);
    ExAcquireFastMutex(&contest->mutex);
    contest->entries++;
    ExReleaseFastMutex(&contest->mutex);
}

static void a_waiter_gets_the_mutex(void **state)
{
    PROVES("FAST-02");
    struct contest contest = {.inside = 0};
    ExInitializeFastMutex(&contest.mutex);
    KeInitializeEvent(&contest.go, NotificationEvent, FALSE);
    PKTHREAD thread = start_thread(acquire_once, &contest);
    ExAcquireFastMutex(&contest.mutex);
    KeSetEvent(&contest.go, 0, FALSE);
    while (ReadAcquire(&contest.mutex.Count) == 0) {
        YieldProcessor();
    }
    LONG entries = contest.entries;
    ExReleaseFastMutex(&contest.mutex);
    join_thread(thread);
    assert_int_equal(entries, 0);
    assert_int_equal(contest.entries, 1);
    assert_int_equal(contest.mutex.Contention, 1);
}

/* ---- misuse ---- */

static void acquire_twice(void *context)
{
    FAST_MUTEX mutex;
    ExInitializeFastMutex(&mutex);
    ExAcquireFastMutex(&mutex);
    ExAcquireFastMutex(&mutex);
}

static void acquire_high(void *context)
{
    FAST_MUTEX mutex;
    ExInitializeFastMutex(&mutex);
    KeRaiseIrqlToDpcLevel();
    ExAcquireFastMutex(&mutex);
}

static void release_low(void *context)
{
    FAST_MUTEX mutex;
    ExInitializeFastMutex(&mutex);
    ExAcquireFastMutex(&mutex);
    KeLowerIrql(PASSIVE_LEVEL);
    ExReleaseFastMutex(&mutex);
}

static void release_free(void *context)
{
    FAST_MUTEX mutex;
    KIRQL old;
    ExInitializeFastMutex(&mutex);
    KeRaiseIrql(APC_LEVEL, &old);
    ExReleaseFastMutex(&mutex);
}

static void acquire_unsafely(void *context)
{
    FAST_MUTEX mutex;
    ExInitializeFastMutex(&mutex);
    ExAcquireFastMutexUnsafe(&mutex);
}

static void release_unsafely(void *context)
{
    FAST_MUTEX mutex;
    ExInitializeFastMutex(&mutex);
    KeEnterCriticalRegion();
    ExAcquireFastMutexUnsafe(&mutex);
    KeLeaveCriticalRegion();
    ExReleaseFastMutexUnsafe(&mutex);
}

static void acquire_guarded_unsafely(void *context)
{
    KGUARDED_MUTEX mutex;
    KeInitializeGuardedMutex(&mutex);
    KeAcquireGuardedMutexUnsafe(&mutex);
}

static VOID return_with_mutex(PVOID context)
{
    ExAcquireFastMutex(context);
}

static void leave_thread_with_mutex(void *context)
{
    FAST_MUTEX mutex;
    ExInitializeFastMutex(&mutex);
    join_thread(start_thread(return_with_mutex, &mutex));
}

static void misuse_stops(void **state)
{
    PROVES("FAST-04", "FAST-05", "FAST-06", "FAST-08", "FAST-13", "FAST-14");
    const ULONG code = DRIVER_VERIFIER_DETECTED_VIOLATION;
    expect_bugcheck(acquire_twice, NULL, code, 0x1000, "FAST-05");
    expect_bugcheck(acquire_high, NULL, code, 0x33, "FAST-04");
    expect_bugcheck(release_low, NULL, code, 0x34, "FAST-04");
    expect_bugcheck(release_free, NULL, code, 0x1007, "FAST-06");
    expect_bugcheck(acquire_unsafely, NULL, code, 0x39, "FAST-08");
    expect_bugcheck(release_unsafely, NULL, code, 0x3A, "FAST-08");
    expect_bugcheck(acquire_guarded_unsafely, NULL, code, 0x39, "FAST-13");
    expect_bugcheck(leave_thread_with_mutex, NULL, IRQL_UNEXPECTED_VALUE, ANY_PARAMETER, NULL);
}

static const struct CMUnitTest tests[] = {
    kernel_test(fast_mutex_raises_to_apc_level),
    kernel_test(nested_fast_mutexes_restore_their_levels),
    kernel_test(unsafe_pair_leaves_the_level),
    kernel_test(guarded_mutex_enters_a_guarded_region),
    kernel_test(held_mutexes_are_refused_at_once),
    kernel_test(one_thread_at_a_time_is_inside),
    kernel_test(a_waiter_gets_the_mutex),
    kernel_test(misuse_stops),
};

TEST_MAIN(tests)
