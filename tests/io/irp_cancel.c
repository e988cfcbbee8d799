/* Cancelling IRPs: who ends them, and under which lock. */
#include "bugcheck.h"
#include "io_driver.h"

/* What the cancel routine saw. */
static struct {
    LONG calls;
    KIRQL irql;
    KIRQL cancel_irql;
    BOOLEAN flag;
    PDRIVER_CANCEL routine_left;
    PIRP irp;
} seen;

static VOID note_and_complete(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    seen.calls++;
    seen.irql = KeGetCurrentIrql();
    seen.cancel_irql = irp->CancelIrql;
    seen.flag = irp->Cancel;
    seen.routine_left = irp->CancelRoutine;
    seen.irp = irp;
    IoReleaseCancelSpinLock(irp->CancelIrql);
    complete(irp, STATUS_CANCELLED, 0);
}

/* An IRP as the driver that holds it has it: with a location, to be taken back by its maker. */
static PIRP hold_irp(PRKEVENT event)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, take_back, event, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(irp);
    IoMarkIrpPending(irp);
    RtlZeroMemory(&seen, sizeof(seen));
    return irp;
}

static void cancelling_calls_the_routine_once(void **state)
{
    PROVES("CANCEL-01", "CANCEL-02", "CANCEL-15");
    PIRP irp = hold_irp(NULL);
    assert_null(IoSetCancelRoutine(irp, note_and_complete));
    assert_false(irp->Cancel);
    assert_true(IoCancelIrp(irp));
    assert_int_equal(seen.calls, 1);
    assert_true(seen.flag);
    assert_null(seen.routine_left);
    assert_int_equal(irp->IoStatus.Status, STATUS_CANCELLED);
    assert_false(IoCancelIrp(irp));
    assert_int_equal(seen.calls, 1);
    IoFreeIrp(irp);
}

static void cancelling_without_a_routine_sets_the_flag_only(void **state)
{
    PROVES("CANCEL-01", "CANCEL-02", "CANCEL-04", "CANCEL-15");
    KIRQL irql;
    PIRP irp = hold_irp(NULL);
    assert_false(IoCancelIrp(irp));
    assert_true(irp->Cancel);
    assert_null(irp->CancelRoutine);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    IoAcquireCancelSpinLock(&irql); /* it is free */
    IoReleaseCancelSpinLock(irql);
    complete(irp, STATUS_SUCCESS, 0);
    IoFreeIrp(irp);
}

static void the_routine_runs_at_dispatch_level_with_the_old_level_kept(void **state)
{
    PROVES("CANCEL-03");
    STAYS_SILENT("CANCEL-16");
    static const KIRQL levels[] = {PASSIVE_LEVEL, APC_LEVEL, DISPATCH_LEVEL};
    for (int i = 0; i < 3; i++) {
        KIRQL old;
        PIRP irp = hold_irp(NULL);
        IoSetCancelRoutine(irp, note_and_complete);
        KeRaiseIrql(levels[i], &old);
        IoCancelIrp(irp);
        KIRQL after = KeGetCurrentIrql();
        KeLowerIrql(old);
        assert_int_equal(after, levels[i]);
        assert_int_equal(seen.irql, DISPATCH_LEVEL);
        assert_int_equal(seen.cancel_irql, levels[i]);
        IoFreeIrp(irp);
    }
}

static void exchanging_the_routine_returns_the_old_one(void **state)
{
    PROVES("CANCEL-08");
    STAYS_SILENT("CANCEL-13");
    PIRP irp = hold_irp(NULL);
    assert_null(IoSetCancelRoutine(irp, note_and_complete));
    assert_ptr_equal(IoSetCancelRoutine(irp, NULL), note_and_complete);
    assert_null(IoSetCancelRoutine(irp, NULL));
    assert_false(IoCancelIrp(irp));
    assert_int_equal(seen.calls, 0);
    complete(irp, STATUS_SUCCESS, 0);
    IoFreeIrp(irp);
}

static void the_cancel_lock_raises_and_restores(void **state)
{
    PROVES("CANCEL-20");
    STAYS_SILENT("CANCEL-18", "CANCEL-21");
    static const KIRQL levels[] = {PASSIVE_LEVEL, APC_LEVEL, DISPATCH_LEVEL};
    for (int i = 0; i < 3; i++) {
        KIRQL old;
        KIRQL kept;
        KeRaiseIrql(levels[i], &old);
        IoAcquireCancelSpinLock(&kept);
        KIRQL held = KeGetCurrentIrql();
        IoReleaseCancelSpinLock(kept);
        KIRQL after = KeGetCurrentIrql();
        KeLowerIrql(old);
        assert_int_equal(kept, levels[i]);
        assert_int_equal(held, DISPATCH_LEVEL);
        assert_int_equal(after, levels[i]);
    }
}

/* A driver and a canceller race for an IRP; whoever exchanges the routine ends it. */
struct race {
    KEVENT start;
    KEVENT taken;
    PIRP irp;
    LONG by_driver;
};

static VOID race_to_complete(PVOID context)
{
    struct race *race = context;
    wait_object(&race->start);
    if (IoSetCancelRoutine(race->irp, NULL) != NULL) {
        race->by_driver++;
        complete(race->irp, STATUS_SUCCESS, 0);
    }
}

static VOID race_to_cancel(PVOID context)
{
    struct race *race = context;
    wait_object(&race->start);
    IoCancelIrp(race->irp);
}

static void completion_and_cancellation_meet_once(void **state)
{
    PROVES("CANCEL-08");
    STAYS_SILENT("CANCEL-06");
    for (int i = 0; i < 30; i++) {
        struct race race = {.by_driver = 0};
        KeInitializeEvent(&race.start, NotificationEvent, FALSE);
        KeInitializeEvent(&race.taken, SynchronizationEvent, FALSE);
        race.irp = hold_irp(&race.taken);
        IoSetCancelRoutine(race.irp, note_and_complete);
        PKTHREAD driver = start_thread(race_to_complete, &race);
        PKTHREAD canceller = start_thread(race_to_cancel, &race);
        KeSetEvent(&race.start, IO_NO_INCREMENT, FALSE);
        join_thread(driver);
        join_thread(canceller);
        wait_object(&race.taken);
        assert_int_equal(KeReadStateEvent(&race.taken), 0);
        assert_int_equal(seen.calls + race.by_driver, 1);
        IoFreeIrp(race.irp);
    }
}

/* ---- what must be caught ---- */

static VOID keep_the_lock(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
}

static void cancel_into_kept_lock(void *context)
{
    PIRP irp = hold_irp(NULL);
    UNREFERENCED_PARAMETER(context);
    IoSetCancelRoutine(irp, keep_the_lock);
    IoCancelIrp(irp);
}

static void cancel_freed(void *context)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    UNREFERENCED_PARAMETER(context);
    IoFreeIrp(irp);
    IoCancelIrp(irp);
}

static VOID take_the_lock_again(PDEVICE_OBJECT device, PIRP irp)
{
    KIRQL irql;
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    IoAcquireCancelSpinLock(&irql);
}

static void cancel_into_second_acquire(void *context)
{
    PIRP irp = hold_irp(NULL);
    UNREFERENCED_PARAMETER(context);
    IoSetCancelRoutine(irp, take_the_lock_again);
    IoCancelIrp(irp);
}

static void release_at_passive_level(void *context)
{
    UNREFERENCED_PARAMETER(context);
    IoReleaseCancelSpinLock(PASSIVE_LEVEL);
}

static void misuse_of_the_cancel_lock_is_caught(void **state)
{
    PROVES("CANCEL-06", "CANCEL-16", "CANCEL-17", "CANCEL-18", "CANCEL-21");
    struct wskemu_bugcheck caught = bugcheck_of(cancel_into_kept_lock, NULL);
    assert_bugcheck(caught, DRIVER_RETURNED_HOLDING_CANCEL_LOCK, ANY, (ULONG_PTR)keep_the_lock, ANY,
                    ANY);
    expect_bugcheck(cancel_freed, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, ANY_PARAMETER,
                    "CANCEL-06");
    expect_bugcheck(cancel_into_second_acquire, NULL, SPIN_LOCK_ALREADY_OWNED, ANY_PARAMETER,
                    "CANCEL-18");
    expect_bugcheck(release_at_passive_level, NULL, DRIVER_VIOLATION, ANY_PARAMETER, "CANCEL-21");
}

static const struct CMUnitTest tests[] = {
    kernel_test(cancelling_calls_the_routine_once),
    kernel_test(cancelling_without_a_routine_sets_the_flag_only),
    kernel_test(the_routine_runs_at_dispatch_level_with_the_old_level_kept),
    kernel_test(exchanging_the_routine_returns_the_old_one),
    kernel_test(the_cancel_lock_raises_and_restores),
    kernel_test(completion_and_cancellation_meet_once),
    kernel_test(misuse_of_the_cancel_lock_is_caught),
};

TEST_MAIN(tests)
