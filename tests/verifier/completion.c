/* What must not be done while an IRP is completed: hold a spin lock, or block. */
#include "../io/io_driver.h"
#include "full.h"

static KSPIN_LOCK lock;
static KEVENT event;

static NTSTATUS complete_under_lock(PDEVICE_OBJECT device, PIRP irp)
{
    KIRQL old;
    UNREFERENCED_PARAMETER(device);
    KeAcquireSpinLock(&lock, &old);
    NTSTATUS status = complete(irp, STATUS_SUCCESS, 0);
    KeReleaseSpinLock(&lock, old);
    return status;
}

static NTSTATUS complete_after_lock(PDEVICE_OBJECT device, PIRP irp)
{
    KIRQL old;
    UNREFERENCED_PARAMETER(device);
    KeAcquireSpinLock(&lock, &old);
    KeReleaseSpinLock(&lock, old);
    return complete(irp, STATUS_SUCCESS, 0);
}

/* Sends an IRP to a device with that dispatch routine, and waits for its end. */
static void send_to(PDRIVER_DISPATCH dispatch, PIO_COMPLETION_ROUTINE routine)
{
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, dispatch, NULL);
    PIRP irp = allocate_for(device, IRP_MJ_READ, NULL);
    KeInitializeSpinLock(&lock);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    IoSetCompletionRoutine(irp, routine, &event, TRUE, TRUE, TRUE);
    IoCallDriver(device, irp);
    wait_object(&event);
    IoFreeIrp(irp);
    wskemu_unload_driver(device->DriverObject);
}

static void complete_badly(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_to(complete_under_lock, take_back);
}

static void completing_under_a_spin_lock_is_caught(void **state)
{
    PROVES("SPIN-22");
    expect_warning(complete_badly, NULL, "SPIN-22");
}

static void complete_well(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_to(complete_after_lock, take_back);
}

static void completing_after_it_was_released_is_left_alone(void **state)
{
    STAYS_SILENT("SPIN-22", "IRP-92");
    expect_silence(complete_well, NULL);
    expect_silence_at_full(complete_well);
}

/* ---- blocking ---- */

static NTSTATUS wait_in_routine(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    LARGE_INTEGER soon = interval_ms(1);
    KeWaitForSingleObject(context, Executive, KernelMode, FALSE, &soon);
    return take_back(device, irp, context);
}

static NTSTATUS look_in_routine(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    poll_object(context);
    return take_back(device, irp, context);
}

static void block_in_routine(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_to(complete_after_lock, wait_in_routine);
}

static void a_completion_routine_that_blocks_is_caught(void **state)
{
    PROVES("WAIT-28");
    at_full();
    expect_warning(block_in_routine, NULL, "WAIT-28");
}

static VOID block_in_thread(PVOID context)
{
    LARGE_INTEGER soon = interval_ms(1);
    KeWaitForSingleObject(context, Executive, KernelMode, FALSE, &soon);
}

static VOID block_in_work(PDEVICE_OBJECT device, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    block_in_thread(&event);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

static void block_elsewhere(void *context)
{
    KEVENT done;
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    PIO_WORKITEM item = IoAllocateWorkItem(device);
    UNREFERENCED_PARAMETER(context);
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    IoQueueWorkItem(item, block_in_work, DelayedWorkQueue, &done);
    wait_object(&done);
    IoFreeWorkItem(item);
    join_thread(start_thread(block_in_thread, &event));
    wskemu_unload_driver(device->DriverObject);
    send_to(complete_after_lock, look_in_routine);
}

static void threads_and_work_items_may_block(void **state)
{
    STAYS_SILENT("WAIT-28");
    expect_silence_at_full(block_elsewhere);
}

static const struct CMUnitTest tests[] = {
    kernel_test(completing_under_a_spin_lock_is_caught),
    kernel_test(completing_after_it_was_released_is_left_alone),
    kernel_test(a_completion_routine_that_blocks_is_caught),
    kernel_test(threads_and_work_items_may_block),
};

TEST_MAIN(tests)
