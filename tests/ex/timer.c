/* Timers that the kernel allocates. */
#include "kernel.h"

struct counted {
    volatile LONG calls;
    volatile LONG deletions;
    KIRQL irql;
    KEVENT called;
    KEVENT deleted;
};

static VOID count_call(PEX_TIMER timer, PVOID context)
{
    struct counted *counted = context;
    counted->irql = KeGetCurrentIrql();
    InterlockedIncrement(&counted->calls);
    KeSetEvent(&counted->called, 0, FALSE);
}

static VOID count_deletion(PVOID context)
{
    struct counted *counted = context;
    InterlockedIncrement(&counted->deletions);
    KeSetEvent(&counted->deleted, 0, FALSE);
}

static void prepare(struct counted *counted)
{
    RtlZeroMemory(counted, sizeof(*counted));
    KeInitializeEvent(&counted->called, SynchronizationEvent, FALSE);
    KeInitializeEvent(&counted->deleted, NotificationEvent, FALSE);
}

static void timers_signal_by_their_kind(void **state)
{
    PROVES("TIMER-18", "TIMER-20");
    PEX_TIMER synchronization = ExAllocateTimer(NULL, NULL, 0);
    PEX_TIMER notification = ExAllocateTimer(NULL, NULL, EX_TIMER_NOTIFICATION);
    assert_non_null(synchronization);
    assert_false(ExSetTimer(synchronization, -10, 0, NULL));
    assert_false(ExSetTimer(notification, -10, 0, NULL));
    assert_int_equal(wait_object(synchronization), STATUS_SUCCESS);
    assert_int_equal(wait_object(notification), STATUS_SUCCESS);
    assert_int_equal(poll_object(synchronization), STATUS_TIMEOUT);
    assert_int_equal(poll_object(notification), STATUS_SUCCESS);
    ExDeleteTimer(synchronization, TRUE, TRUE, NULL);
    ExDeleteTimer(notification, TRUE, TRUE, NULL);
}

static void callbacks_run_at_dispatch_level(void **state)
{
    PROVES("TIMER-20", "TIMER-22", "TIMER-23", "TIMER-25");
    struct counted counted;
    EXT_DELETE_PARAMETERS parameters;
    prepare(&counted);
    PEX_TIMER timer = ExAllocateTimer(count_call, &counted, EX_TIMER_HIGH_RESOLUTION);
    ExSetTimer(timer, -10, 0, NULL);
    wait_object(&counted.called);
    assert_int_equal(counted.irql, DISPATCH_LEVEL);
    assert_false(ExSetTimer(timer, -10000000LL * 3600, 0, NULL));
    assert_true(ExSetTimer(timer, -10000000LL * 3600, 0, NULL));
    assert_true(ExCancelTimer(timer, NULL));
    assert_false(ExCancelTimer(timer, NULL));
    assert_false(ExSetTimer(timer, -10, 10000, NULL));
    wait_object(&counted.called);
    wait_object(&counted.called);
    ExInitializeDeleteTimerParameters(&parameters);
    parameters.DeleteCallback = count_deletion;
    parameters.DeleteContext = &counted;
    assert_true(ExDeleteTimer(timer, TRUE, TRUE, &parameters));
    LONG calls = counted.calls;
    assert_int_equal(counted.deletions, 1);
    assert_true(calls >= 3);
}

static VOID delete_itself(PEX_TIMER timer, PVOID context)
{
    struct counted *counted = context;
    EXT_DELETE_PARAMETERS parameters;
    ExInitializeDeleteTimerParameters(&parameters);
    parameters.DeleteCallback = count_deletion;
    parameters.DeleteContext = counted;
    ExDeleteTimer(timer, TRUE, FALSE, &parameters);
    counted->calls = ExSetTimer(timer, -10, 0, NULL) + ExCancelTimer(timer, NULL) +
                     ExDeleteTimer(timer, TRUE, FALSE, NULL);
}

static void deleted_timers_do_nothing(void **state)
{
    PROVES("TIMER-22", "TIMER-24", "TIMER-25");
    STAYS_SILENT("TIMER-27");
    struct counted counted;
    prepare(&counted);
    counted.calls = -1;
    PEX_TIMER timer = ExAllocateTimer(delete_itself, &counted, 0);
    ExSetTimer(timer, -10, 10000, NULL);
    wait_object(&counted.deleted);
    assert_int_equal(counted.deletions, 1);
    assert_int_equal(counted.calls, 0);
}

static void uncancelled_timers_expire_before_they_go(void **state)
{
    struct counted counted;
    EXT_DELETE_PARAMETERS parameters;
    prepare(&counted);
    ExInitializeDeleteTimerParameters(&parameters);
    parameters.DeleteCallback = count_deletion;
    parameters.DeleteContext = &counted;
    PEX_TIMER timer = ExAllocateTimer(count_call, &counted, 0);
    ExSetTimer(timer, -20000, 0, NULL);
    assert_false(ExDeleteTimer(timer, FALSE, FALSE, &parameters));
    wait_object(&counted.deleted);
    assert_int_equal(counted.calls, 1);
}

/* ---- misuse ---- */

static void allocate_contradiction(void *context)
{
    ExAllocateTimer(NULL, NULL, EX_TIMER_HIGH_RESOLUTION | EX_TIMER_NO_WAKE);
}

static void set_absolutely(void *context)
{
    ExSetTimer(ExAllocateTimer(NULL, NULL, EX_TIMER_HIGH_RESOLUTION), 0, 0, NULL);
}

static void wait_without_cancel(void *context)
{
    ExDeleteTimer(ExAllocateTimer(NULL, NULL, 0), FALSE, TRUE, NULL);
}

static void wait_high(void *context)
{
    PEX_TIMER timer = ExAllocateTimer(NULL, NULL, 0);
    KeRaiseIrqlToDpcLevel();
    ExDeleteTimer(timer, TRUE, TRUE, NULL);
}

static void misuse_stops(void **state)
{
    PROVES("TIMER-19", "TIMER-21", "TIMER-26", "TIMER-27");
    const ULONG code = DRIVER_VERIFIER_DETECTED_VIOLATION;
    expect_bugcheck(allocate_contradiction, NULL, code, ANY_PARAMETER, "TIMER-19");
    expect_bugcheck(set_absolutely, NULL, code, ANY_PARAMETER, "TIMER-21");
    expect_bugcheck(wait_without_cancel, NULL, code, ANY_PARAMETER, "TIMER-26");
    expect_bugcheck(wait_high, NULL, DRIVER_VIOLATION, 2, "TIMER-27");
}

static void resolution_only_gets_finer(void **state)
{
    PROVES("TIME-13", "TIME-15");
    ULONG longest;
    ULONG shortest;
    ULONG current;
    ExQueryTimerResolution(&longest, &shortest, &current);
    assert_int_equal(current, longest);
    assert_true(shortest < longest);
    assert_int_equal(ExSetTimerResolution(20000, TRUE), 20000);
    assert_int_equal(ExSetTimerResolution(50000, TRUE), 20000);
    ExQueryTimerResolution(&longest, &shortest, &current);
    assert_int_equal(current, 20000);
    assert_int_equal(ExSetTimerResolution(0, FALSE), 20000);
    assert_int_equal(ExSetTimerResolution(0, FALSE), longest);
}

static const struct CMUnitTest tests[] = {
    kernel_test(timers_signal_by_their_kind),
    kernel_test(callbacks_run_at_dispatch_level),
    kernel_test(deleted_timers_do_nothing),
    kernel_test(uncancelled_timers_expire_before_they_go),
    kernel_test(misuse_stops),
    kernel_test(resolution_only_gets_finer),
};

TEST_MAIN(tests)
