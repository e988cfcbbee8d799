/* Waiting for one object: timeouts, levels, modes, and what a satisfied wait takes. */
#include "bugcheck.h"
#include "kernel.h"

#define UNITS_PER_MS 10000

static ULONGLONG now(void)
{
    ULONG64 counter;
    return KeQueryInterruptTimePrecise(&counter);
}

static LARGE_INTEGER system_time(void)
{
    LARGE_INTEGER time;
    KeQuerySystemTimePrecise(&time);
    return time;
}

static NTSTATUS wait_until(PVOID object, LARGE_INTEGER timeout)
{
    return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &timeout);
}

static void a_satisfied_wait_returns_success(void **state)
{
    PROVES("WAIT-01", "WAIT-05");
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, TRUE);
    assert_int_equal(wait_object(&event), 0);
    assert_int_equal(poll_object(&event), STATUS_SUCCESS);
    assert_int_equal(wait_until(&event, interval_ms(1000)), STATUS_SUCCESS);
}

static void other_results_are_successes_too(void **state)
{
    PROVES("WAIT-02", "WAIT-23");
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    assert_true(NT_SUCCESS(poll_object(&event)));
    assert_int_equal(STATUS_TIMEOUT, 0x102);
    assert_int_equal(STATUS_ALERTED, 0x101);
    assert_int_equal(STATUS_USER_APC, 0xC0);
    assert_true(NT_SUCCESS(STATUS_TIMEOUT) && NT_SUCCESS(STATUS_ALERTED) &&
                NT_SUCCESS(STATUS_USER_APC) && NT_SUCCESS(STATUS_ABANDONED_WAIT_0));
}

static void a_timeout_of_zero_takes_what_it_can_and_never_blocks(void **state)
{
    PROVES("WAIT-05", "WAIT-19");
    STAYS_SILENT("WAIT-08");
    KEVENT event;
    KMUTEX mutex;
    KIRQL irql;
    KeInitializeEvent(&event, SynchronizationEvent, TRUE);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    NTSTATUS first = poll_object(&event);
    NTSTATUS second = poll_object(&event);
    KeLowerIrql(irql);
    assert_int_equal(first, STATUS_SUCCESS);
    assert_int_equal(second, STATUS_TIMEOUT);
    KeInitializeMutex(&mutex, 0);
    assert_int_equal(poll_object(&mutex), STATUS_SUCCESS);
    assert_int_equal(KeReleaseMutex(&mutex, FALSE), 0);
}

static void a_negative_timeout_is_an_interval(void **state)
{
    PROVES("WAIT-06", "WAIT-32");
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    ULONGLONG start = now();
    assert_int_equal(wait_until(&event, interval_ms(2)), STATUS_TIMEOUT);
    assert_true(now() - start >= 2 * UNITS_PER_MS);
}

static void a_positive_timeout_is_a_system_time(void **state)
{
    PROVES("WAIT-07", "WAIT-32");
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    LARGE_INTEGER due = system_time();
    due.QuadPart += 2 * UNITS_PER_MS;
    assert_int_equal(wait_until(&event, due), STATUS_TIMEOUT);
    assert_true(system_time().QuadPart >= due.QuadPart);
}

static void a_time_that_has_passed_ends_a_wait_at_once(void **state)
{
    PROVES("WAIT-07");
    KEVENT event;
    LARGE_INTEGER past = {.QuadPart = 1};
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    assert_int_equal(wait_until(&event, past), STATUS_TIMEOUT);
    past = system_time();
    assert_int_equal(wait_until(&event, past), STATUS_TIMEOUT);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
    assert_int_equal(wait_until(&event, past), STATUS_SUCCESS);
}

static void a_very_long_timeout_does_not_wrap(void **state)
{
    PROVES("WAIT-06", "WAIT-07");
    static const LONGLONG timeouts[] = {MINLONGLONG, MINLONGLONG + 1, MAXLONGLONG};
    for (int i = 0; i < 3; i++) {
        LARGE_INTEGER timeout = {.QuadPart = timeouts[i]};
        KEVENT event;
        KTIMER timer;
        KeInitializeEvent(&event, NotificationEvent, FALSE);
        KeInitializeTimer(&timer);
        KeSetTimer(&timer, timeout, NULL);
        assert_false(KeReadStateTimer(&timer));
        assert_true(KeCancelTimer(&timer));
    }
}

/* ---- another thread ends the wait ---- */

struct waiter {
    KEVENT event;
    NTSTATUS status;
    KPROCESSOR_MODE mode;
    BOOLEAN is_alertable;
    KIRQL irql;
    KIRQL irql_after;
    LONG timeout_ms;
};

static VOID wait_as_told(PVOID context)
{
    struct waiter *waiter = context;
    LARGE_INTEGER timeout = interval_ms(waiter->timeout_ms);
    KIRQL old;
    KeRaiseIrql(waiter->irql, &old);
    waiter->status =
        KeWaitForSingleObject(&waiter->event, Executive, waiter->mode, waiter->is_alertable,
                              waiter->timeout_ms != 0 ? &timeout : NULL);
    waiter->irql_after = KeGetCurrentIrql();
    KeLowerIrql(old);
}

static PKTHREAD waiter_start(struct waiter *waiter)
{
    waiter->status = STATUS_PENDING;
    KeInitializeEvent(&waiter->event, NotificationEvent, FALSE);
    PKTHREAD thread = start_thread(wait_as_told, waiter);
    await_blocked(thread);
    return thread;
}

static void a_wait_without_timeout_lasts_until_the_object_is_signalled(void **state)
{
    PROVES("WAIT-04", "WAIT-01");
    struct waiter waiter = {.mode = KernelMode};
    LARGE_INTEGER soon = interval_ms(2);
    PKTHREAD thread = waiter_start(&waiter);
    assert_int_equal(wait_until(thread, soon), STATUS_TIMEOUT);
    KeSetEvent(&waiter.event, IO_NO_INCREMENT, FALSE);
    join_thread(thread);
    assert_int_equal(waiter.status, STATUS_SUCCESS);
}

static void only_its_object_ends_a_wait_in_either_mode(void **state)
{
    PROVES("WAIT-16");
    static const KPROCESSOR_MODE modes[] = {KernelMode, UserMode};
    for (int i = 0; i < 2; i++) {
        struct waiter waiter = {.mode = modes[i]};
        PKTHREAD thread = waiter_start(&waiter);
        assert_int_equal(poll_object(thread), STATUS_TIMEOUT);
        KeSetEvent(&waiter.event, IO_NO_INCREMENT, FALSE);
        join_thread(thread);
        assert_int_equal(waiter.status, STATUS_SUCCESS);
    }
}

static void a_thread_waits_at_apc_level(void **state)
{
    PROVES("IRQL-15", "WAIT-08");
    STAYS_SILENT("WAIT-08");
    struct waiter waiter = {.mode = KernelMode, .irql = APC_LEVEL};
    PKTHREAD thread = waiter_start(&waiter);
    KeSetEvent(&waiter.event, IO_NO_INCREMENT, FALSE);
    join_thread(thread);
    assert_int_equal(waiter.status, STATUS_SUCCESS);
    assert_int_equal(waiter.irql_after, APC_LEVEL);
}

static void a_signal_in_time_beats_the_timeout(void **state)
{
    PROVES("WAIT-01");
    struct waiter waiter = {.mode = KernelMode, .timeout_ms = 20000};
    PKTHREAD thread = waiter_start(&waiter);
    KeSetEvent(&waiter.event, IO_NO_INCREMENT, FALSE);
    join_thread(thread);
    assert_int_equal(waiter.status, STATUS_SUCCESS);
}

/* After its timeout a thread must be out of the event's list. */
static void a_wait_that_timed_out_takes_no_later_signal(void **state)
{
    PROVES("WAIT-19");
    KEVENT event;
    KeInitializeEvent(&event, SynchronizationEvent, FALSE);
    for (int i = 0; i < 20; i++) {
        LARGE_INTEGER soon = {.QuadPart = -100};
        assert_int_equal(wait_until(&event, soon), STATUS_TIMEOUT);
        KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
        assert_int_equal(poll_object(&event), STATUS_SUCCESS);
    }
}

/* ---- Wait TRUE ---- */

static void a_call_with_wait_true_leaves_the_level_raised_until_the_wait(void **state)
{
    PROVES("WAIT-29");
    KEVENT event;
    KSEMAPHORE semaphore;
    KMUTEX mutex;
    KIRQL levels[4];
    KeInitializeEvent(&event, SynchronizationEvent, FALSE);
    KeInitializeSemaphore(&semaphore, 0, 1);
    KeInitializeMutex(&mutex, 0);
    wait_object(&mutex);

    KeSetEvent(&event, IO_NO_INCREMENT, TRUE);
    levels[0] = KeGetCurrentIrql();
    wait_object(&event);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);

    KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 1, TRUE);
    levels[1] = KeGetCurrentIrql();
    wait_object(&semaphore);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);

    KeReleaseMutex(&mutex, TRUE);
    levels[2] = KeGetCurrentIrql();
    wait_object(&mutex);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    KeReleaseMutex(&mutex, FALSE);

    KePulseEvent(&event, IO_NO_INCREMENT, TRUE);
    levels[3] = KeGetCurrentIrql();
    PVOID objects[1] = {&mutex};
    KeWaitForMultipleObjects(1, objects, WaitAny, Executive, KernelMode, FALSE, NULL, NULL);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    KeReleaseMutex(&mutex, FALSE);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(levels[i], DISPATCH_LEVEL);
    }
}

/* ---- contracts ---- */

static KEVENT used;

static VOID wait_in_dpc(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    wait_object(&used);
}

static void queue_waiting_dpc(void *context)
{
    KDPC dpc;
    KeInitializeEvent(&used, NotificationEvent, FALSE);
    KeInitializeDpc(&dpc, wait_in_dpc, NULL);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeFlushQueuedDpcs();
}

static void waiting_in_a_dpc_stops(void **state)
{
    PROVES("WAIT-09", "DPC-13", "IRQL-12", "BUGCHECK-32");
    struct wskemu_bugcheck stop = bugcheck_of(queue_waiting_dpc, NULL);
    assert_bugcheck(stop, ATTEMPTED_SWITCH_FROM_DPC, ANY, 0, ANY, 0);
    assert_true(stop.parameter[0] != 0 && stop.parameter[2] != 0);
}

static LARGE_INTEGER a_while;

static void wait_at_level(KIRQL level, PLARGE_INTEGER timeout)
{
    KIRQL irql;
    KeInitializeEvent(&used, NotificationEvent, FALSE);
    KeRaiseIrql(level, &irql);
    KeWaitForSingleObject(&used, Executive, KernelMode, FALSE, timeout);
}

static void wait_for_ever_at_dispatch_level(void *context)
{
    wait_at_level(DISPATCH_LEVEL, NULL);
}

static void wait_a_while_at_dispatch_level(void *context)
{
    a_while = interval_ms(1);
    wait_at_level(DISPATCH_LEVEL, &a_while);
}

static void poll_above_dispatch_level(void *context)
{
    a_while = interval_ms(0);
    wait_at_level(DISPATCH_LEVEL + 1, &a_while);
}

static void waiting_at_a_raised_level_stops(void **state)
{
    PROVES("WAIT-08", "WAIT-09", "IRQL-11", "IRQL-12");
    struct wskemu_bugcheck stop = bugcheck_of(wait_for_ever_at_dispatch_level, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x121, ANY, &used, 0);
    stop = bugcheck_of(wait_a_while_at_dispatch_level, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x122, ANY, &used, &a_while);
    stop = bugcheck_of(poll_above_dispatch_level, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x120, ANY, &used, &a_while);
}

static KEVENT never_made;

static void wait_for_what_was_never_made(void *context)
{
    wait_object(&never_made);
}

static void set_what_was_never_made(void *context)
{
    KeSetEvent(&never_made, IO_NO_INCREMENT, FALSE);
}

static void using_an_object_that_was_never_initialised_stops(void **state)
{
    PROVES("WAIT-11");
    struct wskemu_bugcheck stop = bugcheck_of(wait_for_what_was_never_made, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE1, &never_made, 0, 0);
    stop = bugcheck_of(set_what_was_never_made, NULL);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE1, &never_made, 0, 0);
}

static void wait_on_stack_in_user_mode(void *context)
{
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, TRUE);
    *(PVOID *)context = &event;
    KeWaitForSingleObject(&event, Executive, UserMode, FALSE, NULL);
}

static void a_user_mode_wait_for_something_on_the_stack_stops(void **state)
{
    PROVES("WAIT-12");
    PVOID event = NULL;
    struct wskemu_bugcheck stop = bugcheck_of(wait_on_stack_in_user_mode, &event);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x123, event, 0, 0);
}

static void a_user_mode_wait_for_something_elsewhere_is_allowed(void **state)
{
    STAYS_SILENT("WAIT-12");
    KeInitializeEvent(&used, NotificationEvent, TRUE);
    assert_int_equal(KeWaitForSingleObject(&used, Executive, UserMode, FALSE, NULL),
                     STATUS_SUCCESS);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_satisfied_wait_returns_success),
    kernel_test(other_results_are_successes_too),
    kernel_test(a_timeout_of_zero_takes_what_it_can_and_never_blocks),
    kernel_test(a_negative_timeout_is_an_interval),
    kernel_test(a_positive_timeout_is_a_system_time),
    kernel_test(a_time_that_has_passed_ends_a_wait_at_once),
    kernel_test(a_very_long_timeout_does_not_wrap),
    kernel_test(a_wait_without_timeout_lasts_until_the_object_is_signalled),
    kernel_test(only_its_object_ends_a_wait_in_either_mode),
    kernel_test(a_thread_waits_at_apc_level),
    kernel_test(a_signal_in_time_beats_the_timeout),
    kernel_test(a_wait_that_timed_out_takes_no_later_signal),
    kernel_test(a_call_with_wait_true_leaves_the_level_raised_until_the_wait),
    kernel_test(waiting_in_a_dpc_stops),
    kernel_test(waiting_at_a_raised_level_stops),
    kernel_test(using_an_object_that_was_never_initialised_stops),
    kernel_test(a_user_mode_wait_for_something_on_the_stack_stops),
    kernel_test(a_user_mode_wait_for_something_elsewhere_is_allowed),
};

TEST_MAIN(tests)
