/* Deferred procedure calls: queueing, order, processors, and what a routine must not do. */
#include "bugcheck.h"
#include "kernel.h"

#define RECORDS 8

/* What DPC routines write down: numbers, in the order in which they ran. */
struct record {
    volatile LONG count;
    ULONG_PTR number[RECORDS];
    KIRQL irql;
    PVOID context;
    PVOID arguments[2];
    PKDPC dpc;
    PKTHREAD thread;
    ULONG processor;
};

static struct record record;

static VOID note(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    PROCESSOR_NUMBER number;
    KeGetCurrentProcessorNumberEx(&number);
    LONG place = record.count;
    record.number[place % RECORDS] = (ULONG_PTR)context;
    record.irql = KeGetCurrentIrql();
    record.context = context;
    record.arguments[0] = argument1;
    record.arguments[1] = argument2;
    record.dpc = dpc;
    record.thread = KeGetCurrentThread();
    record.processor = number.Number;
    WriteRelease(&record.count, place + 1);
}

static void numbered(PKDPC dpc, ULONG_PTR number)
{
    KeInitializeDpc(dpc, note, (PVOID)number);
}

static void await_count(LONG count)
{
    while (ReadAcquire(&record.count) < count) {
        YieldProcessor();
    }
}

static int begin(void **state)
{
    RtlZeroMemory(&record, sizeof(record));
    return kernel_setup(state);
}

#define kernel_test_from_zero(function)                                                            \
    cmocka_unit_test_setup_teardown(function, begin, kernel_teardown)

static void a_dpc_runs_with_its_context_and_arguments(void **state)
{
    PROVES("DPC-01", "DPC-03", "DPC-05", "IRQL-09");
    KDPC dpc;
    int context;
    int arguments[2];
    KeInitializeDpc(&dpc, note, &context);
    assert_ptr_equal(dpc.DeferredContext, &context);
    assert_true(dpc.DeferredRoutine == note);
    assert_true(KeInsertQueueDpc(&dpc, &arguments[0], &arguments[1]));
    KeFlushQueuedDpcs();
    assert_int_equal(record.count, 1);
    assert_ptr_equal(record.dpc, &dpc);
    assert_ptr_equal(record.context, &context);
    assert_ptr_equal(record.arguments[0], &arguments[0]);
    assert_ptr_equal(record.arguments[1], &arguments[1]);
    assert_int_equal(record.irql, DISPATCH_LEVEL);
}

static void a_queued_dpc_is_not_queued_again(void **state)
{
    PROVES("DPC-02");
    KDPC dpc;
    KIRQL irql;
    numbered(&dpc, 1);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    BOOLEAN first = KeInsertQueueDpc(&dpc, (PVOID)1, (PVOID)2);
    BOOLEAN second = KeInsertQueueDpc(&dpc, (PVOID)3, (PVOID)4);
    KeLowerIrql(irql);
    assert_true(first);
    assert_false(second);
    assert_int_equal(record.count, 1);
    assert_ptr_equal(record.arguments[0], (PVOID)1);
    assert_ptr_equal(record.arguments[1], (PVOID)2);
}

static VOID queue_itself(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    LONG left = *(LONG *)context;
    *(LONG *)context = left - 1;
    if (left > 1 && !KeInsertQueueDpc(dpc, argument1, argument2)) {
        *(LONG *)context = -1;
    }
}

static void a_routine_may_queue_its_own_dpc(void **state)
{
    PROVES("DPC-04");
    KDPC dpc;
    LONG left = 5;
    KeInitializeDpc(&dpc, queue_itself, &left);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeFlushQueuedDpcs();
    assert_int_equal(left, 0);
}

static void a_dpc_of_medium_importance_runs_at_once_on_this_processor(void **state)
{
    PROVES("DPC-08");
    KDPC dpc;
    numbered(&dpc, 1);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    assert_int_equal(record.count, 1);
    assert_ptr_equal(record.thread, KeGetCurrentThread());
}

static void a_dpc_of_low_importance_is_left_to_others(void **state)
{
    PROVES("DPC-08");
    KDPC dpc;
    numbered(&dpc, 1);
    KeSetImportanceDpc(&dpc, LowImportance);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    await_count(1); /* without entering the kernel */
    assert_ptr_not_equal(record.thread, KeGetCurrentThread());
}

static void queue_for_processor(PKDPC dpc, UCHAR number)
{
    PROCESSOR_NUMBER target = {.Number = number};
    assert_int_equal(KeSetTargetProcessorDpcEx(dpc, &target), STATUS_SUCCESS);
    KeInsertQueueDpc(dpc, NULL, NULL);
}

static void a_dpc_of_high_importance_runs_at_once_on_any_processor(void **state)
{
    PROVES("DPC-08", "DPC-07");
    static const KDPC_IMPORTANCE importances[] = {MediumHighImportance, HighImportance};
    LONG count = 0;
    for (int i = 0; i < 2; i++) {
        for (UCHAR number = 0; number < 2; number++) {
            KDPC dpc;
            numbered(&dpc, 1);
            KeSetImportanceDpc(&dpc, importances[i]);
            queue_for_processor(&dpc, number);
            await_count(++count);
            assert_int_equal(record.processor, number);
        }
    }
    KeFlushQueuedDpcs();
}

static void dpcs_run_in_order_and_the_important_first(void **state)
{
    PROVES("DPC-07", "DPC-05");
    static const KDPC_IMPORTANCE importances[4] = {MediumImportance, MediumHighImportance,
                                                   HighImportance, LowImportance};
    static const ULONG_PTR order[4] = {3, 1, 2, 4};
    KDPC dpcs[4];
    KIRQL irql;
    for (ULONG_PTR i = 0; i < 4; i++) {
        numbered(&dpcs[i], i + 1);
        KeSetImportanceDpc(&dpcs[i], importances[i]);
    }
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    for (int i = 0; i < 4; i++) {
        KeInsertQueueDpc(&dpcs[i], NULL, NULL);
    }
    LONG before = record.count;
    KeLowerIrql(irql);
    KeFlushQueuedDpcs();
    assert_int_equal(before, 0);
    assert_int_equal(record.count, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(record.number[i], order[i]);
    }
}

static void a_dpc_runs_on_the_processor_chosen_for_it(void **state)
{
    PROVES("DPC-07");
    assert_int_equal(wskemu_shutdown(), 0);
    const struct wskemu_options options = {.processors = 4};
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
    KDPC dpc;
    for (UCHAR number = 0; number < 4; number++) {
        numbered(&dpc, number);
        KeSetTargetProcessorDpc(&dpc, (CCHAR)number);
        KeInsertQueueDpc(&dpc, NULL, NULL);
        KeFlushQueuedDpcs();
        assert_int_equal(record.count, number + 1);
        assert_int_equal(record.processor, number);
        queue_for_processor(&dpc, (UCHAR)(3 - number));
        KeFlushQueuedDpcs();
        assert_int_equal(record.processor, 3 - number);
        record.count = number + 1;
    }
    PROCESSOR_NUMBER none = {.Number = 4};
    assert_int_equal(KeSetTargetProcessorDpcEx(&dpc, &none), STATUS_INVALID_PARAMETER);
}

static void a_dpc_is_taken_off_its_queue(void **state)
{
    PROVES("DPC-10");
    KDPC dpcs[3];
    KIRQL irql;
    for (ULONG_PTR i = 0; i < 3; i++) {
        numbered(&dpcs[i], i);
    }
    assert_false(KeRemoveQueueDpc(&dpcs[1]));
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    for (int i = 0; i < 3; i++) {
        KeInsertQueueDpc(&dpcs[i], NULL, NULL);
    }
    BOOLEAN removed = KeRemoveQueueDpc(&dpcs[1]);
    BOOLEAN again = KeRemoveQueueDpc(&dpcs[1]);
    BOOLEAN last = KeRemoveQueueDpc(&dpcs[2]);
    BOOLEAN back = KeInsertQueueDpc(&dpcs[2], NULL, NULL);
    KeLowerIrql(irql);
    assert_true(removed && last && back);
    assert_false(again);
    assert_int_equal(record.count, 2);
    assert_int_equal(record.number[0], 0);
    assert_int_equal(record.number[1], 2);
    assert_false(KeRemoveQueueDpc(&dpcs[0]));
}

/* ---- two processors ---- */

/* A DPC routine that runs on two processors waits in each until the other has come. */
struct meeting {
    KDPC dpc;
    volatile LONG arrived;
    volatile LONG left;
};

static VOID meet(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct meeting *meeting = context;
    InterlockedIncrement(&meeting->arrived);
    while (ReadAcquire(&meeting->arrived) < 2) {
        YieldProcessor();
    }
    InterlockedIncrement(&meeting->left);
}

static VOID queue_meeting(PVOID context)
{
    struct meeting *meeting = context;
    KeInsertQueueDpc(&meeting->dpc, NULL, NULL);
}

static void one_dpc_runs_on_two_processors_at_once(void **state)
{
    PROVES("DPC-06", "DPC-04");
    struct meeting meeting = {.arrived = 0};
    KeInitializeDpc(&meeting.dpc, meet, &meeting);
    PKTHREAD thread = start_thread(queue_meeting, &meeting);
    while (ReadAcquire(&meeting.arrived) == 0) {
        YieldProcessor();
    }
    assert_true(KeInsertQueueDpc(&meeting.dpc, NULL, NULL));
    join_thread(thread);
    KeFlushQueuedDpcs();
    assert_int_equal(meeting.left, 2);
}

struct slow {
    KDPC dpc;
    volatile LONG has_begun;
    volatile LONG has_ended;
};

static VOID run_slowly(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct slow *slow = context;
    InterlockedExchange(&slow->has_begun, 1);
    KeStallExecutionProcessor(500);
    InterlockedExchange(&slow->has_ended, 1);
}

static VOID queue_slow(PVOID context)
{
    struct slow *slow = context;
    KeInsertQueueDpc(&slow->dpc, NULL, NULL);
}

static void flushing_waits_for_dpcs_that_run_elsewhere(void **state)
{
    PROVES("DPC-11");
    struct slow slow = {.has_begun = 0};
    KeInitializeDpc(&slow.dpc, run_slowly, &slow);
    PKTHREAD thread = start_thread(queue_slow, &slow);
    while (ReadAcquire(&slow.has_begun) == 0) {
        YieldProcessor();
    }
    KeFlushQueuedDpcs();
    assert_int_equal(ReadAcquire(&slow.has_ended), 1);
    join_thread(thread);
}

struct serial {
    KDPC dpcs[4];
    volatile LONG inside;
    volatile LONG collisions;
    volatile LONG runs;
};

static VOID run_alone(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct serial *serial = context;
    if (InterlockedIncrement(&serial->inside) != 1) {
        InterlockedIncrement(&serial->collisions);
    }
    InterlockedIncrement(&serial->runs);
    InterlockedDecrement(&serial->inside);
}

static VOID queue_all(PVOID context)
{
    struct serial *serial = context;
    for (int i = 0; i < 100; i++) {
        KeInsertQueueDpc(&serial->dpcs[i % 4], NULL, NULL);
    }
}

static void dpcs_of_one_processor_run_one_after_the_other(void **state)
{
    PROVES("DPC-05");
    struct serial serial = {.runs = 0};
    PKTHREAD threads[3];
    for (int i = 0; i < 4; i++) {
        KeInitializeDpc(&serial.dpcs[i], run_alone, &serial);
        KeSetTargetProcessorDpc(&serial.dpcs[i], 1);
    }
    for (int i = 0; i < 3; i++) {
        threads[i] = start_thread(queue_all, &serial);
    }
    for (int i = 0; i < 3; i++) {
        join_thread(threads[i]);
    }
    KeFlushQueuedDpcs();
    assert_int_equal(serial.collisions, 0);
    assert_true(serial.runs >= 4);
}

/* ---- DPCs of an idle kernel ---- */

static void a_dpc_for_another_processor_runs_while_nobody_waits(void **state)
{
    PROVES("DPC-07");
    KDPC dpcs[2];
    for (UCHAR i = 0; i < 2; i++) {
        numbered(&dpcs[i], i);
        queue_for_processor(&dpcs[i], i);
        await_count(i + 1);
    }
}

static void a_threaded_dpc_runs_at_one_of_its_levels(void **state)
{
    PROVES("DPC-16");
    KDPC dpc;
    KeInitializeThreadedDpc(&dpc, note, &record);
    assert_true(KeInsertQueueDpc(&dpc, (PVOID)1, (PVOID)2));
    KeFlushQueuedDpcs();
    await_count(1);
    assert_true(record.irql == PASSIVE_LEVEL || record.irql == DISPATCH_LEVEL);
    assert_ptr_equal(record.context, &record);
    assert_ptr_equal(record.arguments[1], (PVOID)2);
}

static VOID look_at_event(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    *(NTSTATUS *)context = poll_object(argument1);
}

static void a_threaded_dpc_may_look_at_an_event(void **state)
{
    STAYS_SILENT("DPC-17");
    KDPC dpc;
    KEVENT event;
    NTSTATUS status = STATUS_PENDING;
    KeInitializeEvent(&event, NotificationEvent, TRUE);
    KeInitializeThreadedDpc(&dpc, look_at_event, &status);
    KeInsertQueueDpc(&dpc, &event, NULL);
    KeFlushQueuedDpcs();
    assert_int_equal(status, STATUS_SUCCESS);
}

static VOID ask_watchdog(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    KDPC_WATCHDOG_INFORMATION information;
    *(NTSTATUS *)context = KeQueryDpcWatchdogInformation(&information);
}

static void the_watchdog_answers_inside_a_dpc_only(void **state)
{
    PROVES("DPC-18");
    KDPC_WATCHDOG_INFORMATION information;
    NTSTATUS status = STATUS_PENDING;
    KDPC dpc;
    KeInitializeDpc(&dpc, ask_watchdog, &status);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeFlushQueuedDpcs();
    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(KeQueryDpcWatchdogInformation(&information), STATUS_UNSUCCESSFUL);
}

/* ---- contracts ---- */

static KDPC used;
static KTIMER used_timer;
static KMUTEX used_mutex;

static VOID enter_region(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    LARGE_INTEGER none = {.QuadPart = 0};
    KeWaitForSingleObject(&used_mutex, Executive, KernelMode, FALSE, &none);
}

static void queue_entering(void *context)
{
    KeInitializeMutex(&used_mutex, 0);
    KeInitializeDpc(&used, enter_region, NULL);
    KeInsertQueueDpc(&used, NULL, NULL);
    KeFlushQueuedDpcs();
}

static void set_entering(void *context)
{
    KeInitializeMutex(&used_mutex, 0);
    KeInitializeDpc(&used, enter_region, NULL);
    KeInitializeTimer(&used_timer);
    KeSetTimer(&used_timer, interval_ms(0), &used);
    KeFlushQueuedDpcs();
}

static void a_dpc_that_changes_the_apc_count_stops(void **state)
{
    PROVES("DPC-13", "BUGCHECK-40");
    ULONG_PTR routine = (ULONG_PTR)enter_region;
    struct wskemu_bugcheck stop = bugcheck_of(queue_entering, NULL);
    assert_bugcheck(stop, TIMER_OR_DPC_INVALID, 0x4, routine, ANY, ANY);
    assert_int_not_equal(stop.parameter[2], stop.parameter[3]);
    stop = bugcheck_of(set_entering, NULL);
    assert_bugcheck(stop, TIMER_OR_DPC_INVALID, 0x5, routine, ANY, ANY);
    assert_int_not_equal(stop.parameter[2], stop.parameter[3]);
}

static VOID lower(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    KeLowerIrql(PASSIVE_LEVEL);
}

static VOID stay_raised(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    KIRQL irql;
    KeRaiseIrql(HIGH_LEVEL, &irql);
}

static void queue_routine(void *context)
{
    KeInitializeDpc(&used, *(PKDEFERRED_ROUTINE *)context, NULL);
    KeInsertQueueDpc(&used, NULL, NULL);
    KeFlushQueuedDpcs();
}

static void a_dpc_that_changes_the_level_stops(void **state)
{
    PROVES("DPC-13", "IRQL-07", "IRQL-14", "BUGCHECK-41");
    PKDEFERRED_ROUTINE routine = lower;
    struct wskemu_bugcheck stop = bugcheck_of(queue_routine, &routine);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x31, DISPATCH_LEVEL, PASSIVE_LEVEL,
                    1);
    routine = stay_raised;
    stop = bugcheck_of(queue_routine, &routine);
    assert_int_equal(stop.code, IRQL_UNEXPECTED_VALUE);
    assert_int_equal(stop.parameter[0] >> 16, HIGH_LEVEL);
    assert_int_equal((stop.parameter[0] >> 8) & 0xFF, DISPATCH_LEVEL);
}

static KEVENT used_event;

static VOID wait_for_event(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    wait_object(&used_event);
}

static void queue_threaded_waiting(void *context)
{
    KeInitializeEvent(&used_event, NotificationEvent, FALSE);
    KeInitializeThreadedDpc(&used, wait_for_event, NULL);
    KeInsertQueueDpc(&used, NULL, NULL);
    KeFlushQueuedDpcs();
}

static void a_threaded_dpc_that_waits_stops(void **state)
{
    PROVES("DPC-17");
    struct wskemu_bugcheck stop = bugcheck_of(queue_threaded_waiting, NULL);
    assert_bugcheck(stop, ATTEMPTED_SWITCH_FROM_DPC, ANY, 0, ANY, 0);
}

static KSPIN_LOCK used_lock;

static VOID keep_lock(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    KeAcquireSpinLockAtDpcLevel(&used_lock);
}

static void a_dpc_that_keeps_a_spin_lock_stops(void **state)
{
    PROVES("SPIN-23", "SPIN-17");
    PKDEFERRED_ROUTINE routine = keep_lock;
    KeInitializeSpinLock(&used_lock);
    struct wskemu_bugcheck stop = bugcheck_of(queue_routine, &routine);
    assert_bugcheck(stop, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x4000A, ANY, 0, 0);
}

static void queue_for_no_processor(void *context)
{
    numbered(&used, 1);
    KeSetTargetProcessorDpc(&used, 7);
    KeInsertQueueDpc(&used, NULL, NULL);
}

static void a_dpc_for_a_processor_that_is_not_there_stops(void **state)
{
    PROVES("BUGCHECK-40");
    struct wskemu_bugcheck stop = bugcheck_of(queue_for_no_processor, NULL);
    assert_bugcheck(stop, TIMER_OR_DPC_INVALID, 0x3, &used, 7, wskemu_policy().processors);
}

static void free_queued(void *context)
{
    KIRQL irql;
    KDPC *dpc = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*dpc), 'cpDT');
    *(KDPC **)context = dpc;
    numbered(dpc, 1);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    KeInsertQueueDpc(dpc, NULL, NULL);
    ExFreePool(dpc);
}

static void freeing_a_queued_dpc_stops(void **state)
{
    PROVES("DPC-15", "BUGCHECK-40");
    KDPC *dpc = NULL;
    struct wskemu_bugcheck stop = bugcheck_of(free_queued, &dpc);
    assert_bugcheck(stop, TIMER_OR_DPC_INVALID, 0x1, dpc, dpc, dpc + 1);
}

static void initialize_queued(void *context)
{
    KIRQL irql;
    numbered(&used, 1);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    KeInsertQueueDpc(&used, NULL, NULL);
    numbered(&used, 2);
}

static void initializing_a_queued_dpc_stops(void **state)
{
    PROVES("TIMER-02");
    struct wskemu_bugcheck stop = bugcheck_of(initialize_queued, NULL);
    assert_bugcheck(stop, KERNEL_SECURITY_CHECK_FAILURE, 3, 0, 0, 0);
}

static void flush_at_dispatch_level(void *context)
{
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    KeFlushQueuedDpcs();
}

static void flushing_at_dispatch_level_stops(void **state)
{
    PROVES("DPC-12", "IRQL-13", "BUGCHECK-65");
    struct wskemu_bugcheck stop = bugcheck_of(flush_at_dispatch_level, NULL);
    assert_bugcheck(stop, DRIVER_VIOLATION, 1, DISPATCH_LEVEL, PASSIVE_LEVEL, 0);
}

static const struct CMUnitTest tests[] = {
    kernel_test_from_zero(a_dpc_runs_with_its_context_and_arguments),
    kernel_test_from_zero(a_queued_dpc_is_not_queued_again),
    kernel_test_from_zero(a_routine_may_queue_its_own_dpc),
    kernel_test_from_zero(a_dpc_of_medium_importance_runs_at_once_on_this_processor),
    kernel_test_from_zero(a_dpc_of_low_importance_is_left_to_others),
    kernel_test_from_zero(a_dpc_of_high_importance_runs_at_once_on_any_processor),
    kernel_test_from_zero(dpcs_run_in_order_and_the_important_first),
    kernel_test_from_zero(a_dpc_runs_on_the_processor_chosen_for_it),
    kernel_test_from_zero(a_dpc_is_taken_off_its_queue),
    kernel_test_from_zero(one_dpc_runs_on_two_processors_at_once),
    kernel_test_from_zero(flushing_waits_for_dpcs_that_run_elsewhere),
    kernel_test_from_zero(dpcs_of_one_processor_run_one_after_the_other),
    kernel_test_from_zero(a_dpc_for_another_processor_runs_while_nobody_waits),
    kernel_test_from_zero(a_threaded_dpc_runs_at_one_of_its_levels),
    kernel_test_from_zero(a_threaded_dpc_may_look_at_an_event),
    kernel_test_from_zero(the_watchdog_answers_inside_a_dpc_only),
    kernel_test_from_zero(a_dpc_that_changes_the_apc_count_stops),
    kernel_test_from_zero(a_dpc_that_changes_the_level_stops),
    kernel_test_from_zero(a_threaded_dpc_that_waits_stops),
    kernel_test_from_zero(a_dpc_that_keeps_a_spin_lock_stops),
    kernel_test_from_zero(a_dpc_for_a_processor_that_is_not_there_stops),
    kernel_test_from_zero(freeing_a_queued_dpc_stops),
    kernel_test_from_zero(initializing_a_queued_dpc_stops),
    kernel_test_from_zero(flushing_at_dispatch_level_stops),
};

TEST_MAIN(tests)
