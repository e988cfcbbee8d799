/* At which level the kernel calls a driver's routines. */
#include "../io/io_driver.h"

static KIRQL entry_level;
static KIRQL unload_level;
static KIRQL dispatch_level;
static KIRQL routine_level;
static volatile LONG dpc_ran;
static KDPC late_dpc;

static VOID run_late(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    InterlockedExchange(&dpc_ran, 1);
}

/* Leaves a DPC queued, of low importance so that it does not run here. */
static VOID unload(PDRIVER_OBJECT driver)
{
    unload_level = KeGetCurrentIrql();
    KeInitializeDpc(&late_dpc, run_late, NULL);
    KeSetImportanceDpc(&late_dpc, LowImportance);
    KeInsertQueueDpc(&late_dpc, NULL, NULL);
    unload_devices(driver);
}

static int enter(void *object, void *registry_path)
{
    entry_level = KeGetCurrentIrql();
    int status = plain_entry(object, registry_path);
    ((PDRIVER_OBJECT)object)->DriverUnload = unload;
    return status;
}

static NTSTATUS note_dispatch(PDEVICE_OBJECT device, PIRP irp)
{
    dispatch_level = KeGetCurrentIrql();
    return complete(irp, STATUS_SUCCESS, 0);
}

static VOID note_work(PVOID context)
{
    routine_level = KeGetCurrentIrql();
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

static VOID note_thread(PVOID context)
{
    routine_level = KeGetCurrentIrql();
}

static void most_routines_run_at_passive_level(void **state)
{
    PROVES("IRQL-08");
    HANDLE handle;
    WORK_QUEUE_ITEM item;
    KEVENT done;
    entry_level = unload_level = dispatch_level = routine_level = HIGH_LEVEL;
    PDRIVER_OBJECT driver = load_entry(enter);
    add_device(driver, L"\\Device\\levels", note_dispatch, NULL);
    assert_int_equal(
        open_device(L"\\Device\\levels", GENERIC_READ, FILE_SYNCHRONOUS_IO_NONALERT, &handle),
        STATUS_SUCCESS);
    assert_int_equal(dispatch_level, PASSIVE_LEVEL);
    dispatch_level = HIGH_LEVEL;
    ZwClose(handle);
    assert_int_equal(dispatch_level, PASSIVE_LEVEL);

    KeInitializeEvent(&done, NotificationEvent, FALSE);
    ExInitializeWorkItem(&item, note_work, &done);
    ExQueueWorkItem(&item, DelayedWorkQueue);
    wait_object(&done);
    assert_int_equal(routine_level, PASSIVE_LEVEL);
    routine_level = HIGH_LEVEL;
    join_thread(start_thread(note_thread, NULL));
    assert_int_equal(routine_level, PASSIVE_LEVEL);

    assert_int_equal(wskemu_unload_driver(driver), STATUS_SUCCESS);
    assert_int_equal(entry_level, PASSIVE_LEVEL);
    assert_int_equal(unload_level, PASSIVE_LEVEL);
}

static void unloading_flushes_the_dpcs_of_the_driver(void **state)
{
    PROVES("TIMER-13");
    dpc_ran = 0;
    PDRIVER_OBJECT driver = load_entry(enter);
    assert_int_equal(wskemu_unload_driver(driver), STATUS_SUCCESS);
    assert_int_equal(dpc_ran, 1);
}

static NTSTATUS note_completion(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    routine_level = KeGetCurrentIrql();
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS keep_pending(PDEVICE_OBJECT device, PIRP irp)
{
    IoMarkIrpPending(irp);
    return STATUS_PENDING;
}

static void a_completion_routine_runs_at_the_level_of_the_completer(void **state)
{
    PROVES("IRQL-10");
    static const KIRQL levels[] = {PASSIVE_LEVEL, APC_LEVEL, DISPATCH_LEVEL};
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, keep_pending, NULL);
    for (int i = 0; i < 3; i++) {
        KIRQL irql;
        PIRP irp = IoAllocateIrp(device->StackSize, FALSE);
        IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_DEVICE_CONTROL;
        IoSetCompletionRoutine(irp, note_completion, NULL, TRUE, TRUE, TRUE);
        assert_int_equal(IoCallDriver(device, irp), STATUS_PENDING);
        routine_level = HIGH_LEVEL;
        KeRaiseIrql(levels[i], &irql);
        complete(irp, STATUS_SUCCESS, 0);
        KeLowerIrql(irql);
        assert_int_equal(routine_level, levels[i]);
        IoFreeIrp(irp);
    }
}

static VOID note_cancel(PDEVICE_OBJECT device, PIRP irp)
{
    routine_level = KeGetCurrentIrql();
    IoReleaseCancelSpinLock(irp->CancelIrql);
}

static void a_cancel_routine_runs_at_dispatch_level(void **state)
{
    PROVES("IRQL-09");
    PIRP irp = IoAllocateIrp(1, FALSE);
    routine_level = PASSIVE_LEVEL;
    IoSetCancelRoutine(irp, note_cancel);
    assert_true(IoCancelIrp(irp));
    assert_int_equal(routine_level, DISPATCH_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    IoFreeIrp(irp);
}

static const struct CMUnitTest tests[] = {
    kernel_test(most_routines_run_at_passive_level),
    kernel_test(unloading_flushes_the_dpcs_of_the_driver),
    kernel_test(a_completion_routine_runs_at_the_level_of_the_completer),
    kernel_test(a_cancel_routine_runs_at_dispatch_level),
};

TEST_MAIN(tests)
