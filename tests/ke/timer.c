/* Timers: when they expire, what they signal, which DPC they queue. */
#include "bugcheck.h"
#include "kernel.h"

#include "ke/kernel.h"

#define UNITS_PER_MS 10000

/* A timer whose DPC counts and says so. */
struct alarm {
    KTIMER timer;
    KDPC dpc;
    KSEMAPHORE rung;
    volatile LONG count;
    BOOLEAN was_set_in_dpc;
    KIRQL irql;
};

static VOID ring(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct alarm *alarm = context;
    alarm->irql = KeGetCurrentIrql();
    InterlockedIncrement(&alarm->count);
    KeReleaseSemaphore(&alarm->rung, IO_NO_INCREMENT, 1, FALSE);
}

static void alarm_make(struct alarm *alarm, PKDEFERRED_ROUTINE routine)
{
    RtlZeroMemory(alarm, sizeof(*alarm));
    KeInitializeTimer(&alarm->timer);
    KeInitializeDpc(&alarm->dpc, routine, alarm);
    KeInitializeSemaphore(&alarm->rung, 0, MAXLONG);
}

static ULONGLONG now(void)
{
    ULONG64 counter;
    return KeQueryInterruptTimePrecise(&counter);
}

static LARGE_INTEGER units(LONGLONG count)
{
    LARGE_INTEGER time = {.QuadPart = count};
    return time;
}

static LARGE_INTEGER system_time_in(LONGLONG count)
{
    LARGE_INTEGER time;
    KeQuerySystemTimePrecise(&time);
    time.QuadPart += count;
    return time;
}

static void a_timer_begins_not_signalled(void **state)
{
    PROVES("TIMER-01", "TIMER-16");
    KTIMER timer;
    KeInitializeTimer(&timer);
    assert_false(KeReadStateTimer(&timer));
    assert_false(KeCancelTimer(&timer));
    KeInitializeTimerEx(&timer, SynchronizationTimer);
    assert_false(KeReadStateTimer(&timer));
    assert_int_equal(poll_object(&timer), STATUS_TIMEOUT);
    KeInitializeTimerEx(&timer, NotificationTimer);
    assert_false(KeReadStateTimer(&timer));
}

static void a_timer_that_nobody_waits_for_expires(void **state)
{
    PROVES("TIMER-06", "TIMER-16");
    KTIMER timer;
    KeInitializeTimer(&timer);
    assert_false(KeSetTimer(&timer, interval_ms(1), NULL));
    while (!KeReadStateTimer(&timer)) {
        YieldProcessor();
    }
    assert_false(KeCancelTimer(&timer));
}

static void a_relative_due_time_is_an_interval(void **state)
{
    PROVES("TIMER-04", "TIMER-03");
    KTIMER timer;
    KeInitializeTimer(&timer);
    ULONGLONG start = now();
    KeSetTimer(&timer, interval_ms(2), NULL);
    assert_false(KeReadStateTimer(&timer) && now() - start < 2 * UNITS_PER_MS);
    assert_int_equal(wait_object(&timer), STATUS_SUCCESS);
    assert_true(now() - start >= 2 * UNITS_PER_MS);
}

static void a_positive_due_time_is_a_system_time(void **state)
{
    PROVES("TIMER-04");
    KTIMER timer;
    KeInitializeTimer(&timer);
    LARGE_INTEGER due = system_time_in(2 * UNITS_PER_MS);
    KeSetTimer(&timer, due, NULL);
    assert_int_equal(wait_object(&timer), STATUS_SUCCESS);
    assert_true(system_time_in(0).QuadPart >= due.QuadPart);
}

static void a_time_that_has_passed_expires_at_once(void **state)
{
    PROVES("TIMER-04", "TIMER-06");
    const LONGLONG passed[] = {0, 1, system_time_in(0).QuadPart};
    for (int i = 0; i < 3; i++) {
        struct alarm alarm;
        alarm_make(&alarm, ring);
        assert_false(KeSetTimer(&alarm.timer, units(passed[i]), &alarm.dpc));
        assert_true(KeReadStateTimer(&alarm.timer));
        assert_int_equal(wait_object(&alarm.rung), STATUS_SUCCESS);
        assert_false(KeCancelTimer(&alarm.timer));
        KeFlushQueuedDpcs();
    }
}

static void an_expired_timer_queues_its_dpc(void **state)
{
    PROVES("TIMER-06", "IRQL-09");
    struct alarm alarm;
    alarm_make(&alarm, ring);
    KeSetTimer(&alarm.timer, interval_ms(1), &alarm.dpc);
    assert_int_equal(wait_object(&alarm.rung), STATUS_SUCCESS);
    assert_int_equal(alarm.irql, DISPATCH_LEVEL);
    assert_true(KeReadStateTimer(&alarm.timer));
    KeFlushQueuedDpcs();
    assert_int_equal(alarm.count, 1);
}

static void a_timer_that_is_set_again_forgets_its_former_setting(void **state)
{
    PROVES("TIMER-03");
    struct alarm former;
    struct alarm latter;
    alarm_make(&former, ring);
    alarm_make(&latter, ring);
    KTIMER *timer = &former.timer;
    assert_false(KeSetTimer(timer, interval_ms(10000), &former.dpc));
    assert_true(KeSetTimerEx(timer, interval_ms(1), 0, &latter.dpc));
    assert_int_equal(wait_object(&latter.rung), STATUS_SUCCESS);
    assert_int_equal(wait_object(timer), STATUS_SUCCESS);
    /* Setting it makes it not signalled, and an expired one was not set. */
    assert_false(KeSetTimer(timer, interval_ms(10000), NULL));
    assert_false(KeReadStateTimer(timer));
    assert_true(KeCancelTimer(timer));
    KeFlushQueuedDpcs();
    assert_int_equal(former.count, 0);
    assert_int_equal(latter.count, 1);
}

static void a_notification_timer_stays_signalled_until_it_is_set(void **state)
{
    PROVES("TIMER-07", "WAIT-19");
    KTIMER timer;
    KeInitializeTimer(&timer);
    KeSetTimer(&timer, units(0), NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(wait_object(&timer), STATUS_SUCCESS);
    }
    KeSetTimer(&timer, interval_ms(10000), NULL);
    assert_int_equal(poll_object(&timer), STATUS_TIMEOUT);
    assert_true(KeCancelTimer(&timer));
}

struct waiters {
    KTIMER timer;
    KSEMAPHORE released;
    PKTHREAD threads[2];
};

static VOID wait_for_timer(PVOID context)
{
    struct waiters *waiters = context;
    wait_object(&waiters->timer);
    KeReleaseSemaphore(&waiters->released, IO_NO_INCREMENT, 1, FALSE);
}

static void waiters_start(struct waiters *waiters, TIMER_TYPE type)
{
    KeInitializeTimerEx(&waiters->timer, type);
    KeInitializeSemaphore(&waiters->released, 0, 2);
    for (int i = 0; i < 2; i++) {
        waiters->threads[i] = start_thread(wait_for_timer, waiters);
        await_blocked(waiters->threads[i]);
    }
    KeSetTimer(&waiters->timer, interval_ms(1), NULL);
    wait_object(&waiters->released);
}

static void waiters_end(struct waiters *waiters)
{
    for (int i = 0; i < 2; i++) {
        join_thread(waiters->threads[i]);
    }
}

static void a_synchronization_timer_releases_one_waiter(void **state)
{
    PROVES("TIMER-07", "TIMER-01", "WAIT-19");
    struct waiters waiters;
    waiters_start(&waiters, SynchronizationTimer);
    assert_false(KeReadStateTimer(&waiters.timer));
    assert_int_equal(KeReadStateSemaphore(&waiters.released), 0);
    KeSetTimer(&waiters.timer, units(0), NULL);
    waiters_end(&waiters);
    assert_false(KeReadStateTimer(&waiters.timer));
}

static void a_notification_timer_releases_all_waiters(void **state)
{
    PROVES("TIMER-07");
    struct waiters waiters;
    waiters_start(&waiters, NotificationTimer);
    waiters_end(&waiters);
    assert_true(KeReadStateTimer(&waiters.timer));
}

static void a_periodic_timer_expires_again_and_again(void **state)
{
    PROVES("TIMER-05", "TIMER-08");
    struct alarm alarm;
    alarm_make(&alarm, ring);
    ULONGLONG start = now();
    KeSetTimerEx(&alarm.timer, interval_ms(1), 2, &alarm.dpc);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(wait_object(&alarm.rung), STATUS_SUCCESS);
    }
    assert_true(now() - start >= 5 * UNITS_PER_MS); /* 1 ms and two periods of 2 ms */
    assert_true(KeCancelTimer(&alarm.timer));
    KeFlushQueuedDpcs();
}

static void a_period_of_zero_is_one_shot(void **state)
{
    PROVES("TIMER-05", "TIMER-09");
    KTIMER timer;
    KeInitializeTimerEx(&timer, SynchronizationTimer);
    KeSetTimerEx(&timer, units(0), 0, NULL);
    assert_int_equal(wait_object(&timer), STATUS_SUCCESS);
    assert_false(KeCancelTimer(&timer));
    LARGE_INTEGER soon = interval_ms(2);
    assert_int_equal(KeWaitForSingleObject(&timer, Executive, KernelMode, FALSE, &soon),
                     STATUS_TIMEOUT);
}

static VOID cancel_and_ring(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct alarm *alarm = context;
    alarm->was_set_in_dpc = KeCancelTimer(&alarm->timer);
    ring(dpc, context, argument1, argument2);
}

static void a_periodic_timer_is_set_again_before_its_dpc_runs(void **state)
{
    PROVES("TIMER-08", "TIMER-09");
    struct alarm alarm;
    alarm_make(&alarm, cancel_and_ring);
    KeSetTimerEx(&alarm.timer, units(0), 1000, &alarm.dpc);
    wait_object(&alarm.rung);
    KeFlushQueuedDpcs();
    assert_true(alarm.was_set_in_dpc);
    assert_false(KeCancelTimer(&alarm.timer));
    assert_int_equal(alarm.count, 1);
}

static void a_one_shot_timer_is_not_set_any_more_when_its_dpc_runs(void **state)
{
    PROVES("TIMER-06", "TIMER-09");
    struct alarm alarm;
    alarm_make(&alarm, cancel_and_ring);
    KeSetTimer(&alarm.timer, units(0), &alarm.dpc);
    wait_object(&alarm.rung);
    KeFlushQueuedDpcs();
    assert_false(alarm.was_set_in_dpc);
}

static void a_cancelled_timer_neither_signals_nor_queues(void **state)
{
    PROVES("TIMER-09");
    struct alarm alarm;
    alarm_make(&alarm, ring);
    KeSetTimer(&alarm.timer, interval_ms(1), &alarm.dpc);
    BOOLEAN was_set = KeCancelTimer(&alarm.timer);
    LARGE_INTEGER later = interval_ms(2);
    NTSTATUS status = KeWaitForSingleObject(&alarm.timer, Executive, KernelMode, FALSE, &later);
    KeFlushQueuedDpcs();
    assert_int_equal(status, was_set ? STATUS_TIMEOUT : STATUS_SUCCESS);
    assert_int_equal(alarm.count, was_set ? 0 : 1);
    assert_false(KeCancelTimer(&alarm.timer));
}

static void cancelling_leaves_a_dpc_that_is_queued(void **state)
{
    PROVES("TIMER-10");
    struct alarm alarm;
    KIRQL irql;
    alarm_make(&alarm, ring);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    KeSetTimer(&alarm.timer, units(0), &alarm.dpc); /* its DPC waits for the level to be lowered */
    BOOLEAN was_set = KeCancelTimer(&alarm.timer);
    LONG before = alarm.count;
    KeLowerIrql(irql);
    KeFlushQueuedDpcs();
    assert_false(was_set);
    assert_int_equal(before, 0);
    assert_int_equal(alarm.count, 1);
}

static VOID free_timer(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    ExFreePool(CONTAINING_RECORD(dpc, struct alarm, dpc));
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

static void a_dpc_may_free_its_one_shot_timer(void **state)
{
    PROVES("TIMER-15", "DPC-04");
    STAYS_SILENT("TIMER-15");
    for (int i = 0; i < 10; i++) {
        KEVENT freed;
        struct alarm *alarm = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*alarm), 'mrlA');
        alarm_make(alarm, ring);
        KeInitializeEvent(&freed, NotificationEvent, FALSE);
        KeInitializeDpc(&alarm->dpc, free_timer, &freed);
        KeSetTimer(&alarm->timer, units(-100 * i), &alarm->dpc);
        assert_int_equal(wait_object(&freed), STATUS_SUCCESS);
        KeFlushQueuedDpcs();
    }
}

static VOID free_periodic(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    ExFreePool(context);
}

static void let_a_dpc_free_its_periodic_timer(void *context)
{
    struct alarm *alarm = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*alarm), 'mrlA');
    *(struct alarm **)context = alarm;
    alarm_make(alarm, free_periodic);
    KeSetTimerEx(&alarm->timer, units(0), 1000, &alarm->dpc);
    KeFlushQueuedDpcs();
}

static void a_dpc_must_not_free_its_periodic_timer(void **state)
{
    PROVES("TIMER-15", "TIMER-02");
    struct alarm *alarm = NULL;
    struct wskemu_bugcheck stop = bugcheck_of(let_a_dpc_free_its_periodic_timer, &alarm);
    assert_bugcheck(stop, TIMER_OR_DPC_INVALID, 0, &alarm->timer, alarm, alarm + 1);
}

static void a_coalescable_timer_expires_within_its_tolerance(void **state)
{
    PROVES("TIMER-17");
    struct alarm alarm;
    alarm_make(&alarm, ring);
    ULONGLONG start = now();
    assert_false(KeSetCoalescableTimer(&alarm.timer, interval_ms(1), 4, 2, &alarm.dpc));
    wait_object(&alarm.rung);
    assert_true(now() - start >= 1 * UNITS_PER_MS);
    wait_object(&alarm.rung);
    assert_true(now() - start >= (1 + 4 - 2) * UNITS_PER_MS);
    assert_true(KeSetCoalescableTimer(&alarm.timer, interval_ms(1000), 0, 0, NULL));
    assert_true(KeCancelTimer(&alarm.timer));
    KeFlushQueuedDpcs();
}

static void timers_expire_in_the_order_of_their_due_times(void **state)
{
    PROVES("TIMER-06");
    KTIMER timers[8];
    static const int order[8] = {5, 2, 7, 0, 6, 3, 1, 4};
    PVOID objects[8];
    KWAIT_BLOCK blocks[8];
    LARGE_INTEGER origin = system_time_in(UNITS_PER_MS);
    for (int i = 0; i < 8; i++) {
        KeInitializeTimerEx(&timers[i], NotificationTimer);
        objects[i] = &timers[i];
        KeSetTimer(&timers[i], units(origin.QuadPart + order[i] * 1000), NULL);
    }
    for (int due = 0; due < 8; due++) {
        int place = 0;
        while (order[place] != due) {
            place++;
        }
        assert_int_equal(wait_object(&timers[place]), STATUS_SUCCESS);
        assert_true(system_time_in(0).QuadPart >= origin.QuadPart + due * 1000);
    }
    assert_int_equal(
        KeWaitForMultipleObjects(8, objects, WaitAll, Executive, KernelMode, FALSE, NULL, blocks),
        STATUS_SUCCESS);
}

static void many_timers_are_set_and_cancelled_in_any_order(void **state)
{
    PROVES("TIMER-09");
    enum { COUNT = 300 };
    static KTIMER timers[COUNT];
    for (int i = 0; i < COUNT; i++) {
        KeInitializeTimer(&timers[i]);
        assert_false(KeSetTimer(&timers[i], interval_ms(10000 + i * 7919 % 1000), NULL));
    }
    for (int i = 0; i < COUNT; i++) {
        assert_true(KeCancelTimer(&timers[i * 77 % COUNT]));
    }
    for (int i = 0; i < COUNT; i++) {
        assert_false(KeCancelTimer(&timers[i]));
    }
}

/* ---- contracts ---- */

static struct alarm used;

static void initialize_while_set(void *context)
{
    alarm_make(&used, ring);
    KeSetTimer(&used.timer, interval_ms(10000), NULL);
    KeInitializeTimer(&used.timer);
}

static void initializing_a_timer_that_is_set_stops(void **state)
{
    PROVES("TIMER-02");
    struct wskemu_bugcheck stop = bugcheck_of(initialize_while_set, NULL);
    assert_bugcheck(stop, KERNEL_SECURITY_CHECK_FAILURE, 3, 0, 0, 0);
    assert_string_equal(stop.rule, "TIMER-02");
}

static void a_timer_is_made_anew_once_it_is_cancelled(void **state)
{
    alarm_make(&used, ring);
    KeSetTimer(&used.timer, interval_ms(10000), NULL);
    assert_true(KeCancelTimer(&used.timer));
    KeInitializeTimer(&used.timer);
    assert_false(KeReadStateTimer(&used.timer));
}

static void free_while_set(void *context)
{
    struct alarm *alarm = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*alarm), 'mrlA');
    *(struct alarm **)context = alarm;
    alarm_make(alarm, ring);
    KeSetTimer(&alarm->timer, interval_ms(10000), NULL);
    ExFreePool(alarm);
}

static void freeing_a_timer_that_is_set_stops(void **state)
{
    PROVES("TIMER-02", "POOL-37", "BUGCHECK-40");
    struct alarm *alarm = NULL;
    struct wskemu_bugcheck stop = bugcheck_of(free_while_set, &alarm);
    assert_bugcheck(stop, TIMER_OR_DPC_INVALID, 0, &alarm->timer, alarm, alarm + 1);
}

#define MANY_SET 10000

static struct alarm *many_set[MANY_SET];

static void set_many(int count)
{
    for (int i = 0; i < count; i++) {
        many_set[i] = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(struct alarm), 'mrlA');
        alarm_make(many_set[i], ring);
        KeSetTimer(&many_set[i]->timer, interval_ms(60000 + i), &many_set[i]->dpc);
    }
}

static void cancel_and_free(int first, int last)
{
    for (int i = first; i < last; i++) {
        KeCancelTimer(&many_set[i]->timer);
        ExFreePool(many_set[i]);
    }
}

static void free_the_last_of_many(void *context)
{
    set_many(MANY_SET);
    cancel_and_free(0, MANY_SET - 1);
    ExFreePool(many_set[MANY_SET - 1]);
}

/* How many timers are looked at while a thousand other blocks are freed. */
static size_t looks_of_a_thousand(int set)
{
    set_many(set);
    size_t before = ke_kernel()->timers.steps;
    for (int i = 0; i < 1000; i++) {
        ExFreePool(ExAllocatePool2(POOL_FLAG_NON_PAGED, (SIZE_T)(i % 10 + 1) * 50, 'mrlA'));
    }
    return ke_kernel()->timers.steps - before;
}

static void freeing_memory_is_quick_while_timers_are_set(void **state)
{
    assert_true(looks_of_a_thousand(20) < 5 * 1000);
    cancel_and_free(0, 20);
    size_t before = ke_kernel()->timers.steps;
    assert_true(looks_of_a_thousand(MANY_SET) < 20 * 1000);
    cancel_and_free(0, MANY_SET);
    assert_true(ke_kernel()->timers.steps - before < 20 * (1000 + MANY_SET));
    struct wskemu_bugcheck stop = bugcheck_of(free_the_last_of_many, NULL);
    assert_bugcheck(stop, TIMER_OR_DPC_INVALID, 0, &many_set[MANY_SET - 1]->timer, ANY, ANY);
}

static void set_too_high(void *context)
{
    KIRQL irql;
    alarm_make(&used, ring);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &irql);
    KeSetTimer(&used.timer, interval_ms(1), NULL);
}

static void setting_a_timer_above_dispatch_level_stops(void **state)
{
    PROVES("IRQL-13");
    struct wskemu_bugcheck stop = bugcheck_of(set_too_high, NULL);
    assert_bugcheck(stop, DRIVER_VIOLATION, 2, DISPATCH_LEVEL + 1, DISPATCH_LEVEL, 0);
}

static void leave_a_timer(void **state)
{
    alarm_make(&used, ring);
    KeSetTimer(&used.timer, interval_ms(10000), NULL);
}

static void discard(void *context, const char *text, size_t length)
{
}

static void a_timer_that_is_left_set_is_reported(void **state)
{
    PROVES("TIMER-12");
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    leave_a_timer(state);
    wskemu_log_redirect(discard, NULL);
    assert_int_equal(wskemu_shutdown(), 1);
    wskemu_log_redirect(NULL, NULL);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_timer_begins_not_signalled),
    kernel_test(a_timer_that_nobody_waits_for_expires),
    kernel_test(a_relative_due_time_is_an_interval),
    kernel_test(a_positive_due_time_is_a_system_time),
    kernel_test(a_time_that_has_passed_expires_at_once),
    kernel_test(an_expired_timer_queues_its_dpc),
    kernel_test(a_timer_that_is_set_again_forgets_its_former_setting),
    kernel_test(a_notification_timer_stays_signalled_until_it_is_set),
    kernel_test(a_synchronization_timer_releases_one_waiter),
    kernel_test(a_notification_timer_releases_all_waiters),
    kernel_test(a_periodic_timer_expires_again_and_again),
    kernel_test(a_period_of_zero_is_one_shot),
    kernel_test(a_periodic_timer_is_set_again_before_its_dpc_runs),
    kernel_test(a_one_shot_timer_is_not_set_any_more_when_its_dpc_runs),
    kernel_test(a_cancelled_timer_neither_signals_nor_queues),
    kernel_test(cancelling_leaves_a_dpc_that_is_queued),
    kernel_test(a_dpc_may_free_its_one_shot_timer),
    kernel_test(a_dpc_must_not_free_its_periodic_timer),
    kernel_test(a_coalescable_timer_expires_within_its_tolerance),
    kernel_test(timers_expire_in_the_order_of_their_due_times),
    kernel_test(many_timers_are_set_and_cancelled_in_any_order),
    kernel_test(initializing_a_timer_that_is_set_stops),
    kernel_test(a_timer_is_made_anew_once_it_is_cancelled),
    kernel_test(freeing_a_timer_that_is_set_stops),
    kernel_test(freeing_memory_is_quick_while_timers_are_set),
    kernel_test(setting_a_timer_above_dispatch_level_stops),
    cmocka_unit_test(a_timer_that_is_left_set_is_reported),
};

TEST_MAIN(tests)
