/* In-stack queued spin locks. */
#include "kernel.h"

#define WAITERS 3

struct queue {
    KSPIN_LOCK lock;
    LONG order;
    LONG count;
};

static void handles_keep_the_level(void **state)
{
    PROVES("SPIN-24");
    STAYS_SILENT("SPIN-26", "SPIN-27");
    KSPIN_LOCK lock;
    KLOCK_QUEUE_HANDLE handle;
    KIRQL old;
    KeInitializeSpinLock(&lock);
    KeRaiseIrql(APC_LEVEL, &old);
    KeAcquireInStackQueuedSpinLock(&lock, &handle);
    KIRQL held = KeGetCurrentIrql();
    BOOLEAN is_free = KeTestSpinLock(&lock);
    KeReleaseInStackQueuedSpinLock(&handle);
    KIRQL after = KeGetCurrentIrql();
    KeLowerIrql(old);
    assert_int_equal(handle.OldIrql, APC_LEVEL);
    assert_int_equal(held, DISPATCH_LEVEL);
    assert_int_equal(after, APC_LEVEL);
    assert_false(is_free);
    assert_true(KeTestSpinLock(&lock));

    KeRaiseIrql(DISPATCH_LEVEL, &old);
    KeAcquireInStackQueuedSpinLockAtDpcLevel(&lock, &handle);
    KeReleaseInStackQueuedSpinLockFromDpcLevel(&handle);
    held = KeGetCurrentIrql();
    KeLowerIrql(old);
    assert_int_equal(held, DISPATCH_LEVEL);
}

struct waiter {
    struct queue *queue;
    KEVENT go;
    LONG came;
};

static VOID wait_in_line(PVOID context)
{
    struct waiter *waiter = context;
    KLOCK_QUEUE_HANDLE handle;
    wait_object(&waiter->go);
    KeAcquireInStackQueuedSpinLock(&waiter->queue->lock, &handle);
    waiter->came = ++waiter->queue->order;
    KeReleaseInStackQueuedSpinLock(&handle);
}

/* Lets one thread after the other ask for the lock, which is held meanwhile. */
static void line_up(struct queue *queue, struct waiter *waiters)
{
    KLOCK_QUEUE_HANDLE handle;
    KeAcquireInStackQueuedSpinLock(&queue->lock, &handle);
    for (int i = 0; i < WAITERS; i++) {
        KSPIN_LOCK last = ReadULongPtrAcquire(&queue->lock);
        KeSetEvent(&waiters[i].go, 0, FALSE);
        while (ReadULongPtrAcquire(&queue->lock) == last) {
            YieldProcessor();
        }
    }
    KeReleaseInStackQueuedSpinLock(&handle);
}

static void waiters_come_in_the_order_in_which_they_asked(void **state)
{
    PROVES("SPIN-25");
    /* A processor for each waiter, and one more. */
    static const struct wskemu_options options = {.processors = WAITERS + 1};
    struct queue queue = {.lock = 0};
    struct waiter waiters[WAITERS];
    PKTHREAD threads[WAITERS];
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
    for (int i = 0; i < WAITERS; i++) {
        waiters[i].queue = &queue;
        KeInitializeEvent(&waiters[i].go, NotificationEvent, FALSE);
        threads[i] = start_thread(wait_in_line, &waiters[i]);
    }
    line_up(&queue, waiters);
    for (int i = 0; i < WAITERS; i++) {
        join_thread(threads[i]);
        assert_int_equal(waiters[i].came, i + 1);
    }
    assert_int_equal(wskemu_shutdown(), 0);
}

#define ROUNDS 1000

static VOID count_under_lock(PVOID context)
{
    struct queue *queue = context;
    KLOCK_QUEUE_HANDLE handle;
    for (int i = 0; i < ROUNDS; i++) {
        KeAcquireInStackQueuedSpinLock(&queue->lock, &handle);
        queue->count++;
        KeReleaseInStackQueuedSpinLock(&handle);
    }
}

static void one_thread_at_a_time_holds_it(void **state)
{
    PROVES("SPIN-24");
    STAYS_SILENT("SPIN-28", "SPIN-30");
    struct queue queue = {.lock = 0};
    PKTHREAD threads[WAITERS];
    for (int i = 0; i < WAITERS; i++) {
        threads[i] = start_thread(count_under_lock, &queue);
    }
    for (int i = 0; i < WAITERS; i++) {
        join_thread(threads[i]);
    }
    assert_int_equal(queue.count, WAITERS * ROUNDS);
}

/* ---- misuse ---- */

static void release_high(void *context)
{
    KLOCK_QUEUE_HANDLE handle;
    KIRQL dispatch;
    KeAcquireInStackQueuedSpinLock(context, &handle);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &dispatch);
    KeReleaseInStackQueuedSpinLock(&handle);
}

static void acquire_high(void *context)
{
    KLOCK_QUEUE_HANDLE handle;
    KIRQL old;
    KeRaiseIrql(DISPATCH_LEVEL + 1, &old);
    KeAcquireInStackQueuedSpinLock(context, &handle);
}

static void acquire_low(void *context)
{
    KLOCK_QUEUE_HANDLE handle;
    KeAcquireInStackQueuedSpinLockAtDpcLevel(context, &handle);
}

static void release_twice(void *context)
{
    KLOCK_QUEUE_HANDLE handle;
    KeRaiseIrqlToDpcLevel();
    KeAcquireInStackQueuedSpinLockAtDpcLevel(context, &handle);
    KeReleaseInStackQueuedSpinLockFromDpcLevel(&handle);
    KeReleaseInStackQueuedSpinLockFromDpcLevel(&handle);
}

static void mix(void *context)
{
    KLOCK_QUEUE_HANDLE handle;
    KeRaiseIrqlToDpcLevel();
    KeAcquireSpinLockAtDpcLevel(context);
    KeAcquireInStackQueuedSpinLockAtDpcLevel(context, &handle);
}

static void misuse_stops(void **state)
{
    PROVES("SPIN-26", "SPIN-27", "SPIN-28", "SPIN-30");
    const ULONG code = DRIVER_VERIFIER_DETECTED_VIOLATION;
    static KSPIN_LOCK locks[5];
    expect_bugcheck(release_high, &locks[0], code, 0x36, "SPIN-26");
    expect_bugcheck(acquire_high, &locks[1], code, 0x42, "SPIN-26");
    expect_bugcheck(acquire_low, &locks[2], code, 0x40, "SPIN-27");
    expect_bugcheck(release_twice, &locks[3], SPIN_LOCK_NOT_OWNED, ANY_PARAMETER, "SPIN-30");
    expect_bugcheck(mix, &locks[4], code, 0x1008, "SPIN-28");
}

static const struct CMUnitTest tests[] = {
    kernel_test(handles_keep_the_level),
    cmocka_unit_test(waiters_come_in_the_order_in_which_they_asked),
    kernel_test(one_thread_at_a_time_holds_it),
    kernel_test(misuse_stops),
};

TEST_MAIN(tests)
