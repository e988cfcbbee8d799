/* Reader and writer spin locks. */
#include "kernel.h"

struct lock {
    EX_SPIN_LOCK lock;
    KEVENT go;
    volatile LONG order;
    LONG reader_came;
    LONG writer_came;
    volatile LONG readers;
    volatile LONG writers;
    volatile LONG broken;
};

static void locks_raise_and_restore(void **state)
{
    PROVES("SPIN-32", "SPIN-33");
    EX_SPIN_LOCK lock = 0;
    KIRQL old = ExAcquireSpinLockShared(&lock);
    KIRQL raised = KeGetCurrentIrql();
    ExReleaseSpinLockShared(&lock, old);
    assert_int_equal(sizeof(lock), 4);
    assert_int_equal(old, PASSIVE_LEVEL);
    assert_int_equal(raised, DISPATCH_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);

    KeRaiseIrql(APC_LEVEL, &old);
    KIRQL before = ExAcquireSpinLockExclusive(&lock);
    raised = KeGetCurrentIrql();
    ExReleaseSpinLockExclusive(&lock, before);
    KIRQL after = KeGetCurrentIrql();
    KeLowerIrql(old);
    assert_int_equal(before, APC_LEVEL);
    assert_int_equal(raised, DISPATCH_LEVEL);
    assert_int_equal(after, APC_LEVEL);
    assert_int_equal(lock, 0);
}

static void the_only_reader_becomes_the_writer(void **state)
{
    PROVES("SPIN-32", "SPIN-37");
    STAYS_SILENT("SPIN-38");
    EX_SPIN_LOCK lock = 0;
    KIRQL old = KeRaiseIrqlToDpcLevel();
    ExAcquireSpinLockSharedAtDpcLevel(&lock);
    LOGICAL second = ExTryAcquireSpinLockSharedAtDpcLevel(&lock);
    LOGICAL writer = ExTryAcquireSpinLockExclusiveAtDpcLevel(&lock);
    LOGICAL early = ExTryConvertSharedSpinLockExclusive(&lock);
    ExReleaseSpinLockSharedFromDpcLevel(&lock);
    LOGICAL alone = ExTryConvertSharedSpinLockExclusive(&lock);
    LOGICAL reader = ExTryAcquireSpinLockSharedAtDpcLevel(&lock);
    ExReleaseSpinLockExclusiveFromDpcLevel(&lock);
    LOGICAL later = ExTryAcquireSpinLockExclusiveAtDpcLevel(&lock);
    ExReleaseSpinLockExclusiveFromDpcLevel(&lock);
    KeLowerIrql(old);
    assert_true(second);
    assert_false(writer);
    assert_false(early);
    assert_true(alone);
    assert_false(reader);
    assert_true(later);
    assert_int_equal(lock, 0);
}

static VOID write_once(PVOID context)
{
    struct lock *lock = context;
    wait_object(&lock->go);
    KIRQL old = ExAcquireSpinLockExclusive(&lock->lock);
    lock->writer_came = InterlockedIncrement(&lock->order);
    ExReleaseSpinLockExclusive(&lock->lock, old);
}

/* Whether a reader would be let in now. */
static BOOLEAN admits_reader(PEX_SPIN_LOCK lock)
{
    if (!ExTryAcquireSpinLockSharedAtDpcLevel(lock)) {
        return FALSE;
    }
    ExReleaseSpinLockSharedFromDpcLevel(lock);
    return TRUE;
}

static void waiting_writers_hold_new_readers_back(void **state)
{
    PROVES("SPIN-35", "SPIN-37");
    struct lock lock = {.order = 0};
    KeInitializeEvent(&lock.go, NotificationEvent, FALSE);
    PKTHREAD writer = start_thread(write_once, &lock);
    KIRQL old = ExAcquireSpinLockShared(&lock.lock);
    BOOLEAN first = admits_reader(&lock.lock);
    KeSetEvent(&lock.go, 0, FALSE);
    while (admits_reader(&lock.lock)) {
        YieldProcessor();
    }
    LOGICAL converted = ExTryConvertSharedSpinLockExclusive(&lock.lock);
    LONG before = lock.order;
    ExReleaseSpinLockShared(&lock.lock, old);
    join_thread(writer);
    assert_true(first);
    assert_false(converted);
    assert_int_equal(before, 0);
    assert_int_equal(lock.writer_came, 1);
}

#define THREADS 3
#define ROUNDS 400

static VOID read_and_write(PVOID context)
{
    struct lock *lock = context;
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 4 == 0) {
            KIRQL old = ExAcquireSpinLockExclusive(&lock->lock);
            InterlockedExchangeAdd(&lock->broken, InterlockedIncrement(&lock->writers) - 1);
            InterlockedExchangeAdd(&lock->broken, lock->readers);
            InterlockedDecrement(&lock->writers);
            ExReleaseSpinLockExclusive(&lock->lock, old);
        } else {
            KIRQL old = ExAcquireSpinLockShared(&lock->lock);
            InterlockedIncrement(&lock->readers);
            InterlockedExchangeAdd(&lock->broken, lock->writers);
            InterlockedDecrement(&lock->readers);
            ExReleaseSpinLockShared(&lock->lock, old);
        }
    }
}

static void writers_are_alone(void **state)
{
    PROVES("SPIN-32");
    struct lock lock = {.order = 0};
    PKTHREAD threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        threads[i] = start_thread(read_and_write, &lock);
    }
    for (int i = 0; i < THREADS; i++) {
        join_thread(threads[i]);
    }
    assert_int_equal(lock.broken, 0);
    assert_int_equal(lock.lock, 0);
}

/* ---- misuse ---- */

static void acquire_low(void *context)
{
    EX_SPIN_LOCK lock = 0;
    ExAcquireSpinLockSharedAtDpcLevel(&lock);
}

static void release_converted_as_shared(void *context)
{
    EX_SPIN_LOCK lock = 0;
    KIRQL old = ExAcquireSpinLockShared(&lock);
    ExTryConvertSharedSpinLockExclusive(&lock);
    ExReleaseSpinLockShared(&lock, old);
}

static void misuse_stops(void **state)
{
    PROVES("SPIN-38", "IRQL-13");
    expect_bugcheck(acquire_low, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x40, "IRQL-13");
    expect_bugcheck(release_converted_as_shared, NULL, SPIN_LOCK_NOT_OWNED, ANY_PARAMETER,
                    "SPIN-38");
}

static const struct CMUnitTest tests[] = {
    kernel_test(locks_raise_and_restore),
    kernel_test(the_only_reader_becomes_the_writer),
    kernel_test(waiting_writers_hold_new_readers_back),
    kernel_test(writers_are_alone),
    kernel_test(misuse_stops),
};

TEST_MAIN(tests)
