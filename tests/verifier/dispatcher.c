/* Waits, DPCs, timers and what else the dispatcher is asked for in a wrong way. */
#include "full.h"

static KEVENT event;
static KMUTEX mutex;
static KDPC dpc;
static KTIMER timer;

static VOID no_dpc(PKDPC object, PVOID context, PVOID argument1, PVOID argument2)
{
}

static void initialize(void)
{
    KeInitializeEvent(&event, NotificationEvent, TRUE);
    KeInitializeMutex(&mutex, 0);
    KeInitializeDpc(&dpc, no_dpc, NULL);
    KeInitializeTimer(&timer);
}

/* ---- waits ---- */

static void wait_for_mutex_in_user_mode(void *context)
{
    initialize();
    KeWaitForSingleObject(&mutex, Executive, UserMode, FALSE, NULL);
}

static void raise_instead_of_waiting(void *context)
{
    KIRQL old;
    initialize();
    KeSetEvent(&event, IO_NO_INCREMENT, TRUE);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
}

static void lower_instead_of_waiting(void *context)
{
    initialize();
    KeSetEvent(&event, IO_NO_INCREMENT, TRUE);
    KeLowerIrql(PASSIVE_LEVEL);
}

static void set_instead_of_waiting(void *context)
{
    initialize();
    KeSetEvent(&event, IO_NO_INCREMENT, TRUE);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
}

static void wait_for_fast_mutex(void *context)
{
    static FAST_MUTEX fast;
    ExInitializeFastMutex(&fast);
    wait_object(&fast);
}

static void wait_with_spin_lock(void *context)
{
    static KSPIN_LOCK lock;
    KIRQL irql;
    initialize();
    KeClearEvent(&event);
    KeInitializeSpinLock(&lock);
    KeAcquireSpinLock(&lock, &irql);
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
}

static void bad_waits_are_caught(void **state)
{
    PROVES("WAIT-13", "WAIT-30", "FAST-10", "SPIN-21");
    expect_bugcheck(wait_with_spin_lock, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x121,
                    "SPIN-21");
    expect_bugcheck(wait_for_mutex_in_user_mode, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE1,
                    "WAIT-13");
    expect_bugcheck(raise_instead_of_waiting, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE5,
                    "WAIT-30");
    expect_bugcheck(lower_instead_of_waiting, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE5,
                    "WAIT-30");
    expect_bugcheck(set_instead_of_waiting, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE5,
                    "WAIT-30");
    expect_bugcheck(wait_for_fast_mutex, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE1, "FAST-10");
}

static void wait_well(void *context)
{
    initialize();
    KeWaitForSingleObject(&event, Executive, UserMode, FALSE, NULL);
    wait_object(&mutex);
    KeReleaseMutex(&mutex, TRUE);
    wait_object(&event);
    KeSetEvent(&event, IO_NO_INCREMENT, TRUE);
    wait_object(&event);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
}

static void good_waits_are_left_alone(void **state)
{
    STAYS_SILENT("WAIT-13", "WAIT-30", "FAST-10", "WAIT-12", "MUTEX-10");
    expect_silence(wait_well, NULL);
    expect_silence_at_full(wait_well);
}

/* ---- DPCs and timers ---- */

static void set_target_while_queued(void *context)
{
    initialize();
    KeRaiseIrqlToDpcLevel();
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeSetTargetProcessorDpc(&dpc, 1);
}

static void set_importance_while_queued(void *context)
{
    initialize();
    KeRaiseIrqlToDpcLevel();
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeSetImportanceDpc(&dpc, HighImportance);
}

static void queue_dpc_of_timer(void *context)
{
    LARGE_INTEGER due = interval_ms(60000);
    initialize();
    KeSetTimer(&timer, due, &dpc);
    KeInsertQueueDpc(&dpc, NULL, NULL);
}

static void bad_dpcs_are_caught(void **state)
{
    PROVES("DPC-09", "TIMER-14");
    expect_bugcheck(set_target_while_queued, NULL, TIMER_OR_DPC_INVALID, ANY_PARAMETER, "DPC-09");
    expect_bugcheck(set_importance_while_queued, NULL, TIMER_OR_DPC_INVALID, ANY_PARAMETER,
                    "DPC-09");
    expect_at_full(queue_dpc_of_timer, TIMER_OR_DPC_INVALID, "TIMER-14", "KeInsertQueueDpc");
}

static void use_dpcs_well(void *context)
{
    LARGE_INTEGER due = interval_ms(60000);
    initialize();
    KeSetImportanceDpc(&dpc, HighImportance);
    KeSetTargetProcessorDpc(&dpc, 0);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeFlushQueuedDpcs();
    KeSetImportanceDpc(&dpc, LowImportance);
    KeSetTimer(&timer, due, &dpc);
    KeCancelTimer(&timer);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeFlushQueuedDpcs();
}

static void good_dpcs_are_left_alone(void **state)
{
    STAYS_SILENT("DPC-09", "TIMER-14");
    expect_silence(use_dpcs_well, NULL);
    expect_silence_at_full(use_dpcs_well);
}

/* ---- time ---- */

static void stall_long(void *context)
{
    KeStallExecutionProcessor(51);
}

static void stall_shortly(void *context)
{
    KeStallExecutionProcessor(50);
}

static void a_long_stall_is_warned_of(void **state)
{
    PROVES("TIME-16");
    expect_warning(stall_long, NULL, "TIME-16");
}

static void a_short_stall_is_not(void **state)
{
    STAYS_SILENT("TIME-16");
    expect_silence(stall_shortly, NULL);
}

/* Runs body and ends the kernel; returns what was told of it. */
static const char *told_at_shutdown(void (*body)(void), unsigned *left)
{
    body();
    log_capture();
    *left = wskemu_shutdown();
    const char *text = log_captured();
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    return text;
}

static void forget_resolution(void)
{
    ExSetTimerResolution(10000, TRUE);
}

static void forget_timer(void)
{
    assert_non_null(ExAllocateTimer(NULL, NULL, 0));
}

static void what_is_left_is_told(void **state)
{
    PROVES("TIME-14", "TIMER-28");
    unsigned left;
    assert_non_null(strstr(told_at_shutdown(forget_resolution, &left), "timer resolution"));
    assert_int_equal(left, 1);
    assert_non_null(strstr(told_at_shutdown(forget_timer, &left), "forget_timer"));
    assert_int_equal(left, 1);
}

static void tidy_up(void)
{
    ExSetTimerResolution(10000, TRUE);
    ExSetTimerResolution(0, FALSE);
    ExDeleteTimer(ExAllocateTimer(NULL, NULL, 0), TRUE, TRUE, NULL);
}

static void nothing_is_told_where_nothing_is_left(void **state)
{
    STAYS_SILENT("TIME-14", "TIMER-28");
    unsigned left;
    assert_string_equal(told_at_shutdown(tidy_up, &left), "");
    assert_int_equal(left, 0);
}

/* ---- queues that are the system's ---- */

static VOID signal_event(PVOID context)
{
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
}

static void queue_work(void *context)
{
    static WORK_QUEUE_ITEM item;
    const WORK_QUEUE_TYPE *type = context;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    ExInitializeWorkItem(&item, signal_event, NULL);
    ExQueueWorkItem(&item, *type);
    wait_object(&event);
}

static void the_systems_queue_is_warned_of(void **state)
{
    PROVES("WORK-15");
    WORK_QUEUE_TYPE type = HyperCriticalWorkQueue;
    expect_warning(queue_work, &type, "WORK-15");
}

static void the_drivers_queue_is_not(void **state)
{
    STAYS_SILENT("WORK-15");
    WORK_QUEUE_TYPE type = DelayedWorkQueue;
    expect_silence(queue_work, &type);
}

static const struct CMUnitTest tests[] = {
    kernel_test(bad_waits_are_caught),
    kernel_test(good_waits_are_left_alone),
    kernel_test(bad_dpcs_are_caught),
    kernel_test(good_dpcs_are_left_alone),
    kernel_test(a_long_stall_is_warned_of),
    kernel_test(a_short_stall_is_not),
    kernel_test(what_is_left_is_told),
    kernel_test(nothing_is_told_where_nothing_is_left),
    kernel_test(the_systems_queue_is_warned_of),
    kernel_test(the_drivers_queue_is_not),
};

TEST_MAIN(tests)
