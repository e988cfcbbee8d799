/* Waiting for the end of a thread, and sleeping. */
#include "bugcheck.h"
#include "kernel.h"

struct ending {
    KEVENT go;
    NTSTATUS status;
    volatile LONG has_ended;
};

static VOID end_when_told(PVOID context)
{
    struct ending *ending = context;
    wait_object(&ending->go);
    InterlockedExchange(&ending->has_ended, 1);
    PsTerminateSystemThread(ending->status);
}

static void a_thread_is_signalled_once_it_has_ended_and_stays_so(void **state)
{
    PROVES("WAIT-20", "WAIT-19", "THREAD-15");
    struct ending ending = {.status = STATUS_SUCCESS};
    LARGE_INTEGER soon = interval_ms(1);
    KeInitializeEvent(&ending.go, NotificationEvent, FALSE);
    PKTHREAD thread = start_thread(end_when_told, &ending);
    assert_int_equal(poll_object(thread), STATUS_TIMEOUT);
    assert_int_equal(KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, &soon),
                     STATUS_TIMEOUT);
    KeSetEvent(&ending.go, IO_NO_INCREMENT, FALSE);
    assert_int_equal(wait_object(thread), STATUS_SUCCESS);
    assert_int_equal(ReadAcquire(&ending.has_ended), 1);
    assert_int_equal(wait_object(thread), STATUS_SUCCESS);
    assert_int_equal(poll_object(thread), STATUS_SUCCESS);
    ObDereferenceObject(thread);
}

static VOID wait_for_thread(PVOID context)
{
    wait_object(context);
}

static void the_end_of_a_thread_releases_all_who_wait_for_it(void **state)
{
    PROVES("WAIT-20");
    struct ending ending = {.status = STATUS_SUCCESS};
    PKTHREAD waiters[3];
    KeInitializeEvent(&ending.go, NotificationEvent, FALSE);
    PKTHREAD thread = start_thread(end_when_told, &ending);
    for (int i = 0; i < 3; i++) {
        waiters[i] = start_thread(wait_for_thread, thread);
        await_blocked(waiters[i]);
    }
    KeSetEvent(&ending.go, IO_NO_INCREMENT, FALSE);
    for (int i = 0; i < 3; i++) {
        join_thread(waiters[i]);
    }
    join_thread(thread);
}

static void threads_and_events_are_waited_for_together(void **state)
{
    PROVES("WAIT-20", "WAIT-21");
    struct ending endings[2] = {{.status = STATUS_SUCCESS}, {.status = STATUS_SUCCESS}};
    PVOID threads[2];
    for (int i = 0; i < 2; i++) {
        KeInitializeEvent(&endings[i].go, NotificationEvent, FALSE);
        threads[i] = start_thread(end_when_told, &endings[i]);
    }
    KeSetEvent(&endings[1].go, IO_NO_INCREMENT, FALSE);
    assert_int_equal(
        KeWaitForMultipleObjects(2, threads, WaitAny, Executive, KernelMode, FALSE, NULL, NULL),
        STATUS_WAIT_0 + 1);
    KeSetEvent(&endings[0].go, IO_NO_INCREMENT, FALSE);
    assert_int_equal(
        KeWaitForMultipleObjects(2, threads, WaitAll, Executive, KernelMode, FALSE, NULL, NULL),
        STATUS_SUCCESS);
    ObDereferenceObject(threads[0]);
    ObDereferenceObject(threads[1]);
}

/* ---- sleeping ---- */

static ULONGLONG now(void)
{
    ULONG64 counter;
    return KeQueryInterruptTimePrecise(&counter);
}

static void a_delay_lasts_as_long_as_asked(void **state)
{
    PROVES("THREAD-25", "THREAD-26", "THREAD-29", "WAIT-32");
    LARGE_INTEGER interval = interval_ms(2);
    ULONGLONG start = now();
    assert_int_equal(KeDelayExecutionThread(KernelMode, FALSE, &interval), STATUS_SUCCESS);
    assert_true(now() - start >= 20000);

    LARGE_INTEGER due;
    LARGE_INTEGER after;
    KeQuerySystemTimePrecise(&due);
    due.QuadPart += 20000;
    assert_int_equal(KeDelayExecutionThread(KernelMode, FALSE, &due), STATUS_SUCCESS);
    KeQuerySystemTimePrecise(&after);
    assert_true(after.QuadPart >= due.QuadPart);
}

static void a_delay_of_nothing_returns_at_once(void **state)
{
    PROVES("THREAD-28");
    LARGE_INTEGER interval = {.QuadPart = 0};
    LARGE_INTEGER past = {.QuadPart = 1};
    assert_int_equal(KeDelayExecutionThread(KernelMode, FALSE, &interval), STATUS_SUCCESS);
    assert_int_equal(KeDelayExecutionThread(KernelMode, FALSE, &past), STATUS_SUCCESS);
}

static void delay_at_dispatch_level(void *context)
{
    LARGE_INTEGER interval = interval_ms(1);
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    KeDelayExecutionThread(KernelMode, FALSE, &interval);
}

static VOID delay_in_dpc_routine(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    LARGE_INTEGER interval = interval_ms(1);
    KeDelayExecutionThread(KernelMode, FALSE, &interval);
}

static void delay_in_dpc(void *context)
{
    static KDPC dpc;
    KeInitializeDpc(&dpc, delay_in_dpc_routine, NULL);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeFlushQueuedDpcs();
}

static void sleeping_at_dispatch_level_stops(void **state)
{
    PROVES("THREAD-27", "IRQL-13", "DPC-13");
    struct wskemu_bugcheck stop = bugcheck_of(delay_at_dispatch_level, NULL);
    assert_bugcheck(stop, DRIVER_VIOLATION, 2, DISPATCH_LEVEL, APC_LEVEL, 0);
    stop = bugcheck_of(delay_in_dpc, NULL);
    assert_bugcheck(stop, ATTEMPTED_SWITCH_FROM_DPC, ANY, 0, ANY, 0);
}

static void a_thread_sleeps_at_apc_level(void **state)
{
    STAYS_SILENT("THREAD-27");
    LARGE_INTEGER interval = interval_ms(1);
    KIRQL irql;
    KeRaiseIrql(APC_LEVEL, &irql);
    NTSTATUS status = KeDelayExecutionThread(KernelMode, FALSE, &interval);
    KeLowerIrql(irql);
    assert_int_equal(status, STATUS_SUCCESS);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_thread_is_signalled_once_it_has_ended_and_stays_so),
    kernel_test(the_end_of_a_thread_releases_all_who_wait_for_it),
    kernel_test(threads_and_events_are_waited_for_together),
    kernel_test(a_delay_lasts_as_long_as_asked),
    kernel_test(a_delay_of_nothing_returns_at_once),
    kernel_test(sleeping_at_dispatch_level_stops),
    kernel_test(a_thread_sleeps_at_apc_level),
};

TEST_MAIN(tests)
