/* Events: who is released, what stays signalled, and what a driver must not do to them. */
#include "bugcheck.h"
#include "kernel.h"

static void an_event_begins_in_the_state_asked_for(void **state)
{
    PROVES("EVT-01");
    static const EVENT_TYPE types[] = {NotificationEvent, SynchronizationEvent};
    for (int i = 0; i < 2; i++) {
        KEVENT event;
        KeInitializeEvent(&event, types[i], FALSE);
        assert_int_equal(KeReadStateEvent(&event), 0);
        assert_int_equal(poll_object(&event), STATUS_TIMEOUT);
        KeInitializeEvent(&event, types[i], TRUE);
        assert_int_not_equal(KeReadStateEvent(&event), 0);
        assert_int_equal(poll_object(&event), STATUS_SUCCESS);
        /* Only the type decides whether that wait reset it. */
        assert_int_equal(KeReadStateEvent(&event) != 0, types[i] == NotificationEvent);
    }
}

/* Threads that wait for one event and count themselves when they were released. */
struct crowd {
    KEVENT event;
    KSEMAPHORE released;
    PKTHREAD threads[3];
};

static VOID wait_in_crowd(PVOID context)
{
    struct crowd *crowd = context;
    wait_object(&crowd->event);
    KeReleaseSemaphore(&crowd->released, IO_NO_INCREMENT, 1, FALSE);
}

static void crowd_gather(struct crowd *crowd, EVENT_TYPE type)
{
    KeInitializeEvent(&crowd->event, type, FALSE);
    KeInitializeSemaphore(&crowd->released, 0, 3);
    for (int i = 0; i < 3; i++) {
        crowd->threads[i] = start_thread(wait_in_crowd, crowd);
    }
    for (int i = 0; i < 3; i++) {
        await_blocked(crowd->threads[i]);
    }
}

static int crowd_blocked(const struct crowd *crowd)
{
    int blocked = 0;
    for (int i = 0; i < 3; i++) {
        blocked += poll_object(crowd->threads[i]) == STATUS_TIMEOUT;
    }
    return blocked;
}

static void crowd_leave(struct crowd *crowd)
{
    for (int i = 0; i < 3; i++) {
        join_thread(crowd->threads[i]);
    }
}

static void a_notification_event_releases_all_and_stays_signalled(void **state)
{
    PROVES("EVT-03", "EVT-07");
    struct crowd crowd;
    crowd_gather(&crowd, NotificationEvent);
    assert_int_equal(KeSetEvent(&crowd.event, IO_NO_INCREMENT, FALSE), 0);
    crowd_leave(&crowd);
    assert_int_not_equal(KeReadStateEvent(&crowd.event), 0);
    assert_int_equal(poll_object(&crowd.event), STATUS_SUCCESS);
    KeClearEvent(&crowd.event);
    assert_int_equal(poll_object(&crowd.event), STATUS_TIMEOUT);
}

static void a_synchronization_event_releases_one_at_a_time(void **state)
{
    PROVES("EVT-04", "WAIT-19");
    struct crowd crowd;
    crowd_gather(&crowd, SynchronizationEvent);
    for (int released = 1; released <= 3; released++) {
        assert_int_equal(KeSetEvent(&crowd.event, EVENT_INCREMENT, FALSE), 0);
        assert_int_equal(KeReadStateEvent(&crowd.event), 0);
        assert_int_equal(wait_object(&crowd.released), STATUS_SUCCESS);
        assert_int_equal(KeReadStateSemaphore(&crowd.released), 0);
        assert_true(crowd_blocked(&crowd) >= 3 - released);
    }
    crowd_leave(&crowd);
    assert_int_equal(KeReadStateEvent(&crowd.event), 0);
}

static void a_synchronization_event_is_kept_for_one_wait(void **state)
{
    PROVES("EVT-04", "EVT-05", "EVT-06");
    KEVENT event;
    KeInitializeEvent(&event, SynchronizationEvent, FALSE);
    assert_int_equal(KeSetEvent(&event, IO_NO_INCREMENT, FALSE), 0);
    assert_int_not_equal(KeSetEvent(&event, IO_NO_INCREMENT, FALSE), 0);
    assert_int_equal(wait_object(&event), STATUS_SUCCESS);
    assert_int_equal(poll_object(&event), STATUS_TIMEOUT);
}

static void clear_and_reset_make_an_event_not_signalled(void **state)
{
    PROVES("EVT-07", "EVT-10");
    KEVENT event;
    assert_int_equal(EVENT_INCREMENT, 1);
    assert_int_equal(IO_NO_INCREMENT, 0);
    KeInitializeEvent(&event, NotificationEvent, TRUE);
    assert_int_not_equal(KeResetEvent(&event), 0);
    assert_int_equal(KeReadStateEvent(&event), 0);
    assert_int_equal(KeResetEvent(&event), 0);
    KeSetEvent(&event, EVENT_INCREMENT, FALSE);
    KeClearEvent(&event);
    assert_int_equal(KeReadStateEvent(&event), 0);
}

static void a_pulse_releases_who_waits_now(void **state)
{
    PROVES("EVT-09");
    struct crowd crowd;
    crowd_gather(&crowd, NotificationEvent);
    assert_int_equal(KePulseEvent(&crowd.event, IO_NO_INCREMENT, FALSE), 0);
    crowd_leave(&crowd);
    assert_int_equal(KeReadStateEvent(&crowd.event), 0);

    crowd_gather(&crowd, SynchronizationEvent);
    KePulseEvent(&crowd.event, IO_NO_INCREMENT, FALSE);
    assert_int_equal(wait_object(&crowd.released), STATUS_SUCCESS);
    assert_int_equal(KeReadStateSemaphore(&crowd.released), 0);
    assert_true(crowd_blocked(&crowd) >= 2);
    KePulseEvent(&crowd.event, IO_NO_INCREMENT, FALSE);
    KePulseEvent(&crowd.event, IO_NO_INCREMENT, FALSE);
    crowd_leave(&crowd);
}

static void a_pulse_that_nobody_waits_for_is_lost(void **state)
{
    PROVES("EVT-09");
    KEVENT event;
    KeInitializeEvent(&event, SynchronizationEvent, TRUE);
    assert_int_not_equal(KePulseEvent(&event, IO_NO_INCREMENT, FALSE), 0);
    assert_int_equal(poll_object(&event), STATUS_TIMEOUT);
    assert_int_equal(KePulseEvent(&event, IO_NO_INCREMENT, FALSE), 0);
    assert_int_equal(poll_object(&event), STATUS_TIMEOUT);
}

static void an_event_is_set_at_dispatch_level(void **state)
{
    PROVES("EVT-08");
    STAYS_SILENT("EVT-08");
    struct crowd crowd;
    KIRQL irql;
    crowd_gather(&crowd, NotificationEvent);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    KeSetEvent(&crowd.event, IO_NO_INCREMENT, FALSE);
    KeLowerIrql(irql);
    crowd_leave(&crowd);
}

static VOID set_from_dpc(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

static void a_dpc_releases_a_waiter(void **state)
{
    struct crowd crowd;
    KDPC dpc;
    crowd_gather(&crowd, NotificationEvent);
    KeInitializeDpc(&dpc, set_from_dpc, &crowd.event);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    crowd_leave(&crowd);
}

/* ---- an event ends as soon as it is seen signalled ---- */

struct short_lived {
    KEVENT *volatile event;
    volatile LONG is_ending;
};

static VOID set_each(PVOID context)
{
    struct short_lived *short_lived = context;
    while (ReadAcquire(&short_lived->is_ending) == 0) {
        KEVENT *event = InterlockedExchangePointer((PVOID *)&short_lived->event, NULL);
        if (event != NULL) {
            KeSetEvent(event, IO_NO_INCREMENT, FALSE);
        } else {
            YieldProcessor();
        }
    }
}

static void an_event_may_be_freed_once_it_is_seen_signalled(void **state)
{
    PROVES("EVT-07");
    struct short_lived short_lived = {.event = NULL};
    PKTHREAD thread = start_thread(set_each, &short_lived);
    for (int i = 0; i < 100; i++) {
        KEVENT *event = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*event), 'tneE');
        KeInitializeEvent(event, NotificationEvent, FALSE);
        InterlockedExchangePointer((PVOID *)&short_lived.event, event);
        while (KeReadStateEvent(event) == 0) {
            YieldProcessor();
        }
        ExFreePool(event);
    }
    InterlockedExchange(&short_lived.is_ending, 1);
    join_thread(thread);
}

/* ---- named events ---- */

static void a_named_event_is_created_signalled_and_opened_after_that(void **state)
{
    PROVES("EVT-11");
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\tested");
    HANDLE handles[2];
    PKEVENT first = IoCreateNotificationEvent(&name, &handles[0]);
    assert_non_null(first);
    assert_int_equal(poll_object(first), STATUS_SUCCESS);
    assert_int_equal(poll_object(first), STATUS_SUCCESS);
    KeClearEvent(first);
    PKEVENT second = IoCreateNotificationEvent(&name, &handles[1]);
    assert_ptr_equal(first, second);
    assert_int_equal(KeReadStateEvent(second), 0); /* it is as it was */
    assert_int_equal(ZwClose(handles[0]), STATUS_SUCCESS);
    assert_int_equal(ZwClose(handles[1]), STATUS_SUCCESS);

    PKEVENT synchronization = IoCreateSynchronizationEvent(&name, &handles[0]);
    assert_non_null(synchronization);
    assert_int_equal(poll_object(synchronization), STATUS_SUCCESS);
    assert_int_equal(poll_object(synchronization), STATUS_TIMEOUT);
    assert_int_equal(ZwClose(handles[0]), STATUS_SUCCESS);
}

/* ---- contracts ---- */

static KEVENT used;

static VOID wait_for_used(PVOID context)
{
    wait_object(&used);
}

static void initialize_while_waited_for(void *context)
{
    KeInitializeEvent(&used, NotificationEvent, FALSE);
    await_blocked(start_thread(wait_for_used, NULL));
    KeInitializeEvent(&used, NotificationEvent, FALSE);
}

static void initializing_an_event_in_use_stops(void **state)
{
    PROVES("EVT-02");
    struct wskemu_bugcheck stop = bugcheck_of(initialize_while_waited_for, NULL);
    assert_bugcheck(stop, KERNEL_SECURITY_CHECK_FAILURE, 3, 0, 0, 0);
    assert_string_equal(stop.rule, "EVT-02");
}

static void an_event_is_made_anew_once_its_waiter_has_left(void **state)
{
    KeInitializeEvent(&used, NotificationEvent, FALSE);
    PKTHREAD thread = start_thread(wait_for_used, NULL);
    await_blocked(thread);
    KeSetEvent(&used, IO_NO_INCREMENT, FALSE);
    join_thread(thread);
    KeInitializeEvent(&used, SynchronizationEvent, FALSE);
    assert_int_equal(poll_object(&used), STATUS_TIMEOUT);
}

static void set_too_high(void *context)
{
    KIRQL irql;
    KeInitializeEvent(&used, NotificationEvent, FALSE);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &irql);
    KeSetEvent(&used, IO_NO_INCREMENT, FALSE);
}

static void set_to_wait_at_dispatch_level(void *context)
{
    KIRQL irql;
    KeInitializeEvent(&used, NotificationEvent, FALSE);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    KeSetEvent(&used, IO_NO_INCREMENT, TRUE);
}

static void setting_an_event_too_high_stops(void **state)
{
    PROVES("EVT-08", "DV-34");
    struct wskemu_bugcheck stop = bugcheck_of(set_too_high, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x80, DISPATCH_LEVEL + 1, &used, 0);
    stop = bugcheck_of(set_to_wait_at_dispatch_level, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x20016, ANY, 0, 0);
}

static const struct CMUnitTest tests[] = {
    kernel_test(an_event_begins_in_the_state_asked_for),
    kernel_test(a_notification_event_releases_all_and_stays_signalled),
    kernel_test(a_synchronization_event_releases_one_at_a_time),
    kernel_test(a_synchronization_event_is_kept_for_one_wait),
    kernel_test(clear_and_reset_make_an_event_not_signalled),
    kernel_test(a_pulse_releases_who_waits_now),
    kernel_test(a_pulse_that_nobody_waits_for_is_lost),
    kernel_test(an_event_is_set_at_dispatch_level),
    kernel_test(a_dpc_releases_a_waiter),
    kernel_test(an_event_may_be_freed_once_it_is_seen_signalled),
    kernel_test(a_named_event_is_created_signalled_and_opened_after_that),
    kernel_test(initializing_an_event_in_use_stops),
    kernel_test(an_event_is_made_anew_once_its_waiter_has_left),
    kernel_test(setting_an_event_too_high_stops),
};

TEST_MAIN(tests)
