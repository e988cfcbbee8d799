/* Push locks. */
#include "kernel.h"

struct lock {
    EX_PUSH_LOCK lock;
    KEVENT go;
    volatile LONG order;
    LONG reader_came;
    LONG writer_came;
    volatile LONG readers;
    volatile LONG writers;
    volatile LONG broken;
};

static VOID read_once(PVOID context)
{
    struct lock *lock = context;
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&lock->lock);
    lock->reader_came = InterlockedIncrement(&lock->order);
    ExReleasePushLockShared(&lock->lock);
    KeLeaveCriticalRegion();
}

static VOID write_once(PVOID context)
{
    struct lock *lock = context;
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&lock->lock);
    lock->writer_came = InterlockedIncrement(&lock->order);
    ExReleasePushLockExclusive(&lock->lock);
    KeLeaveCriticalRegion();
}

static void readers_share(void **state)
{
    PROVES("FAST-29");
    struct lock lock = {.order = 0};
    ExInitializePushLock(&lock.lock);
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&lock.lock);
    join_thread(start_thread(read_once, &lock));
    assert_int_equal(lock.reader_came, 1);
    ExReleasePushLockShared(&lock.lock);
    KeLeaveCriticalRegion();
    assert_true(lock.lock == 0);
}

static void readers_wait_behind_a_waiting_writer(void **state)
{
    PROVES("FAST-29", "FAST-31");
    struct lock lock = {.order = 0};
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&lock.lock);
    PKTHREAD writer = start_thread(write_once, &lock);
    await_blocked(writer);
    PKTHREAD reader = start_thread(read_once, &lock);
    await_blocked(reader);
    assert_int_equal(lock.order, 0);
    ExReleasePushLockShared(&lock.lock);
    KeLeaveCriticalRegion();
    join_thread(writer);
    join_thread(reader);
    assert_int_equal(lock.writer_came, 1);
    assert_int_equal(lock.reader_came, 2);
}

#define THREADS 4
#define ROUNDS 500

static VOID read_and_write(PVOID context)
{
    struct lock *lock = context;
    for (int i = 0; i < ROUNDS; i++) {
        KeEnterCriticalRegion();
        if (i % 4 == 0) {
            ExAcquirePushLockExclusive(&lock->lock);
            LONG others = InterlockedIncrement(&lock->writers) - 1 + lock->readers;
            InterlockedExchangeAdd(&lock->broken, others);
            InterlockedDecrement(&lock->writers);
            ExReleasePushLockExclusive(&lock->lock);
        } else {
            ExAcquirePushLockShared(&lock->lock);
            InterlockedIncrement(&lock->readers);
            InterlockedExchangeAdd(&lock->broken, lock->writers);
            InterlockedDecrement(&lock->readers);
            ExReleasePushLockShared(&lock->lock);
        }
        KeLeaveCriticalRegion();
    }
}

static void writers_are_alone(void **state)
{
    PROVES("FAST-29");
    STAYS_SILENT("FAST-34");
    struct lock lock = {.order = 0};
    PKTHREAD threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        threads[i] = start_thread(read_and_write, &lock);
    }
    for (int i = 0; i < THREADS; i++) {
        join_thread(threads[i]);
    }
    assert_int_equal(lock.broken, 0);
    assert_true(lock.lock == 0);
}

/* ---- misuse ---- */

static void acquire_outside_region(void *context)
{
    EX_PUSH_LOCK lock = 0;
    ExAcquirePushLockExclusive(&lock);
}

static void release_outside_region(void *context)
{
    EX_PUSH_LOCK lock = 0;
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&lock);
    KeLeaveCriticalRegion();
    ExReleasePushLockShared(&lock);
}

static void release_in_other_mode(void *context)
{
    EX_PUSH_LOCK lock = 0;
    KeEnterCriticalRegion();
    ExAcquirePushLockShared(&lock);
    ExReleasePushLockExclusive(&lock);
}

static void acquire_high(void *context)
{
    EX_PUSH_LOCK lock = 0;
    KeRaiseIrqlToDpcLevel();
    ExAcquirePushLockShared(&lock);
}

static void misuse_stops(void **state)
{
    PROVES("FAST-30", "FAST-34", "IRQL-13");
    const ULONG code = DRIVER_VERIFIER_DETECTED_VIOLATION;
    expect_bugcheck(acquire_outside_region, NULL, code, 0xEA, "FAST-30");
    expect_bugcheck(release_outside_region, NULL, code, 0xEB, "FAST-30");
    expect_bugcheck(release_in_other_mode, NULL, code, 0x1007, "FAST-34");
    expect_bugcheck(acquire_high, NULL, DRIVER_VIOLATION, 2, "IRQL-13");
}

static const struct CMUnitTest tests[] = {
    kernel_test(readers_share),
    kernel_test(readers_wait_behind_a_waiting_writer),
    kernel_test(writers_are_alone),
    kernel_test(misuse_stops),
};

TEST_MAIN(tests)
