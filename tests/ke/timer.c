/* Timers. */
#include "kernel.h"

#define HOUR (-10000000LL * 3600)

static LARGE_INTEGER due(LONGLONG units)
{
    LARGE_INTEGER time = {.QuadPart = units};
    return time;
}

struct counted {
    KTIMER timer;
    KDPC dpc;
    KEVENT ran;
    volatile LONG runs;
    KIRQL irql;
};

static VOID count_run(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct counted *counted = context;
    counted->irql = KeGetCurrentIrql();
    InterlockedIncrement(&counted->runs);
    KeSetEvent(&counted->ran, 0, FALSE);
}

static void prepare(struct counted *counted, TIMER_TYPE type)
{
    KeInitializeTimerEx(&counted->timer, type);
    KeInitializeDpc(&counted->dpc, count_run, counted);
    KeInitializeEvent(&counted->ran, SynchronizationEvent, FALSE);
    counted->runs = 0;
}

static void timers_expire_once(void **state)
{
    PROVES("TIMER-01", "TIMER-03", "TIMER-04", "TIMER-06", "TIMER-16");
    struct counted counted;
    prepare(&counted, NotificationTimer);
    assert_false(KeReadStateTimer(&counted.timer));
    assert_false(KeSetTimer(&counted.timer, due(HOUR), &counted.dpc));
    assert_false(KeReadStateTimer(&counted.timer));
    assert_true(KeSetTimer(&counted.timer, due(-1000), &counted.dpc));
    assert_int_equal(wait_object(&counted.timer), STATUS_SUCCESS);
    wait_object(&counted.ran);
    assert_true(KeReadStateTimer(&counted.timer));
    assert_int_equal(counted.runs, 1);
    assert_int_equal(counted.irql, DISPATCH_LEVEL);
    assert_false(KeSetTimer(&counted.timer, due(HOUR), NULL));
    assert_false(KeReadStateTimer(&counted.timer));
    assert_true(KeCancelTimer(&counted.timer));
}

static void absolute_times_are_system_times(void **state)
{
    PROVES("TIMER-04");
    KTIMER timer;
    LARGE_INTEGER now;
    KeInitializeTimer(&timer);
    KeQuerySystemTime(&now);
    KeSetTimer(&timer, due(now.QuadPart + 10000), NULL);
    assert_int_equal(wait_object(&timer), STATUS_SUCCESS);
    LARGE_INTEGER later;
    KeQuerySystemTime(&later);
    assert_true(later.QuadPart >= now.QuadPart + 10000);
    KeSetTimer(&timer, due(now.QuadPart - 10000), NULL);
    assert_int_equal(wait_object(&timer), STATUS_SUCCESS);
    KeSetTimer(&timer, due(0), NULL);
    assert_int_equal(wait_object(&timer), STATUS_SUCCESS);
}

static void types_reset_differently(void **state)
{
    PROVES("TIMER-01", "TIMER-07", "WAIT-19");
    KTIMER notification;
    KTIMER synchronization;
    KeInitializeTimer(&notification);
    KeInitializeTimerEx(&synchronization, SynchronizationTimer);
    KeSetTimer(&notification, due(-10), NULL);
    KeSetTimer(&synchronization, due(-10), NULL);
    wait_object(&notification);
    wait_object(&synchronization);
    assert_int_equal(poll_object(&notification), STATUS_SUCCESS);
    assert_int_equal(poll_object(&synchronization), STATUS_TIMEOUT);
}

static void periodic_timers_go_on(void **state)
{
    PROVES("TIMER-05", "TIMER-08", "TIMER-09");
    struct counted counted;
    prepare(&counted, SynchronizationTimer);
    KeSetTimerEx(&counted.timer, due(-10), 1, &counted.dpc);
    for (int i = 0; i < 3; i++) {
        wait_object(&counted.ran);
        wait_object(&counted.timer);
    }
    assert_true(KeCancelTimer(&counted.timer));
    KeFlushQueuedDpcs();
    LONG runs = counted.runs;
    assert_true(runs >= 3);
    assert_false(KeCancelTimer(&counted.timer));
}

static void cancelled_timers_do_not_expire(void **state)
{
    PROVES("TIMER-09", "TIMER-03");
    struct counted counted;
    prepare(&counted, NotificationTimer);
    LARGE_INTEGER timeout = interval_ms(4);
    KeSetTimer(&counted.timer, due(-20000), &counted.dpc);
    assert_true(KeCancelTimer(&counted.timer));
    assert_false(KeCancelTimer(&counted.timer));
    assert_int_equal(KeWaitForSingleObject(&counted.timer, Executive, KernelMode, FALSE, &timeout),
                     STATUS_TIMEOUT);
    assert_int_equal(counted.runs, 0);
    KeSetTimer(&counted.timer, due(-10), &counted.dpc);
    wait_object(&counted.ran);
    assert_false(KeCancelTimer(&counted.timer));
}

static VOID hold_dpc(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct counted *counted = context;
    KeSetEvent(&counted->ran, 0, FALSE);
    while (ReadAcquire(&counted->runs) == 0) {
        YieldProcessor();
    }
    InterlockedIncrement(&counted->runs);
}

static void cancelling_does_not_stop_a_running_dpc(void **state)
{
    PROVES("TIMER-10");
    struct counted counted;
    prepare(&counted, NotificationTimer);
    KeInitializeDpc(&counted.dpc, hold_dpc, &counted);
    KeSetTimer(&counted.timer, due(-10), &counted.dpc);
    /* The DPC runs on whoever leads the loop: not on this thread, which only looks. */
    while (KeReadStateEvent(&counted.ran) == 0) {
        YieldProcessor();
    }
    assert_false(KeCancelTimer(&counted.timer));
    InterlockedExchange(&counted.runs, 1);
    KeFlushQueuedDpcs();
    assert_int_equal(counted.runs, 2);
}

static void coalescable_timers_expire(void **state)
{
    PROVES("TIMER-17");
    KTIMER timer;
    ULONGLONG before = KeQueryInterruptTime();
    KeInitializeTimer(&timer);
    assert_false(KeSetCoalescableTimer(&timer, due(-10000), 0, 5, NULL));
    assert_int_equal(wait_object(&timer), STATUS_SUCCESS);
    assert_true(KeQueryInterruptTime() >= before + 10000);
    assert_false(KeSetCoalescableTimer(&timer, due(HOUR), 0, 0, NULL));
    assert_true(KeCancelTimer(&timer));
}

static void many_timers_expire_in_order(void **state)
{
    PROVES("TIMER-06");
    static KTIMER timers[100];
    for (int i = 0; i < 100; i++) {
        KeInitializeTimer(&timers[i]);
        KeSetTimer(&timers[i], due(-10LL * ((i * 37) % 100)), NULL);
    }
    for (int i = 0; i < 100; i++) {
        assert_int_equal(wait_object(&timers[i]), STATUS_SUCCESS);
    }
}

static void timers_that_stay_set_are_reported(void **state)
{
    static KTIMER timer;
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    KeInitializeTimer(&timer);
    KeSetTimer(&timer, due(HOUR), NULL);
    assert_int_equal(wskemu_shutdown(), 1);
}

static const struct CMUnitTest tests[] = {
    kernel_test(timers_expire_once),
    kernel_test(absolute_times_are_system_times),
    kernel_test(types_reset_differently),
    kernel_test(periodic_timers_go_on),
    kernel_test(cancelled_timers_do_not_expire),
    kernel_test(cancelling_does_not_stop_a_running_dpc),
    kernel_test(coalescable_timers_expire),
    kernel_test(many_timers_expire_in_order),
    cmocka_unit_test(timers_that_stay_set_are_reported),
};

TEST_MAIN(tests)
