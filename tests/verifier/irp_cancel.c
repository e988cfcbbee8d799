/* Cancelable IRPs: what drivers must do with them, and drivers that do. */
#include "../io/passing.h"
#include "twins.h"

#define VIOLATION DRIVER_VERIFIER_IOMANAGER_VIOLATION

/* How the driver ends a cancelled IRP. */
static NTSTATUS cancel_status;
static ULONG_PTR cancel_information;
static KEVENT ended; /* the cancel routine has returned, or nearly */
static PIRP held;

static VOID cancel(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    complete(irp, cancel_status, cancel_information);
    KeSetEvent(&ended, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS hold_cancelable(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoMarkIrpPending(irp);
    held = irp;
    IoSetCancelRoutine(irp, cancel);
    if (irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL) {
        complete(irp, STATUS_CANCELLED, 0);
    }
    return STATUS_PENDING;
}

static NTSTATUS hold_unmarked(PDEVICE_OBJECT device, PIRP irp)
{
    held = irp;
    IoSetCancelRoutine(irp, cancel);
    KeSetEvent(node_of(device)->context, IO_NO_INCREMENT, FALSE);
    wait_object(&ended);
    return STATUS_CANCELLED;
}

static PIRP send_to(PDRIVER_DISPATCH dispatch, PDEVICE_OBJECT *device)
{
    KeInitializeEvent(&ended, NotificationEvent, FALSE);
    *device = add_device(load_plain(), NULL, dispatch, NULL);
    PIRP irp = allocate_for(*device, IRP_MJ_READ, NULL);
    IoCallDriver(*device, irp);
    return irp;
}

static void end(PIRP irp, PDEVICE_OBJECT device)
{
    IoFreeIrp(irp);
    wskemu_unload_driver(device->DriverObject);
}

/* ---- how a cancelled IRP ends ---- */

static void cancel_with(NTSTATUS status, ULONG_PTR information)
{
    PDEVICE_OBJECT device;
    cancel_status = status;
    cancel_information = information;
    PIRP irp = send_to(hold_cancelable, &device);
    IoCancelIrp(irp);
    end(irp, device);
}

static void cancel_with_success(void *context)
{
    UNREFERENCED_PARAMETER(context);
    cancel_with(STATUS_SUCCESS, 0);
}

static void cancel_with_information(void *context)
{
    UNREFERENCED_PARAMETER(context);
    cancel_with(STATUS_CANCELLED, 7);
}

static void cancel_properly(void *context)
{
    UNREFERENCED_PARAMETER(context);
    cancel_with(STATUS_CANCELLED, 0);
}

static void test_a_cancel_routine_that_ends_otherwise_is_caught(void **state)
{
    PROVES("CANCEL-19");
    expect_warning(cancel_with_success, NULL, "CANCEL-19");
    expect_warning(cancel_with_information, NULL, "CANCEL-19");
}

static void test_a_cancel_routine_that_ends_as_documented_is_fine(void **state)
{
    STAYS_SILENT("CANCEL-05", "CANCEL-11", "CANCEL-12", "CANCEL-19", "CANCEL-16");
    expect_silence(cancel_properly, NULL);
}

/* ---- before it is processed ---- */

static void complete_with_routine(void *context)
{
    PDEVICE_OBJECT device;
    UNREFERENCED_PARAMETER(context);
    send_to(hold_cancelable, &device);
    complete(held, STATUS_SUCCESS, 0);
}

static void complete_what_was_cancelled(void *context)
{
    PDEVICE_OBJECT device;
    UNREFERENCED_PARAMETER(context);
    cancel_status = STATUS_CANCELLED;
    cancel_information = 0;
    PIRP irp = send_to(hold_cancelable, &device);
    IoCancelIrp(irp);
    IoSetCancelRoutine(held, NULL);
    complete(held, STATUS_SUCCESS, 0);
}

static void complete_in_turn(void *context)
{
    PDEVICE_OBJECT device;
    UNREFERENCED_PARAMETER(context);
    PIRP irp = send_to(hold_cancelable, &device);
    if (IoSetCancelRoutine(held, NULL) != NULL) {
        complete(held, STATUS_SUCCESS, 0);
    }
    end(irp, device);
}

static void test_processing_an_irp_that_is_cancelable_is_caught(void **state)
{
    PROVES("CANCEL-11", "DV-59");
    expect_bugcheck(complete_with_routine, NULL, VIOLATION, 0x7, "IRP-91");
    expect_bugcheck(complete_what_was_cancelled, NULL, MULTIPLE_IRP_COMPLETE_REQUESTS,
                    ANY_PARAMETER, "IRP-93");
}

static void test_processing_an_irp_that_is_not_cancelable_any_more_is_fine(void **state)
{
    STAYS_SILENT("CANCEL-11", "DV-59");
    expect_silence(complete_in_turn, NULL);
}

/* ---- marked pending ---- */

struct sender {
    PDEVICE_OBJECT device;
    PIRP irp;
};

static VOID send_in_thread(PVOID context)
{
    struct sender *sender = context;
    IoCallDriver(sender->device, sender->irp);
}

static void cancel_unmarked(void *context)
{
    KEVENT is_held;
    struct sender sender;
    UNREFERENCED_PARAMETER(context);
    cancel_status = STATUS_CANCELLED;
    cancel_information = 0;
    KeInitializeEvent(&is_held, NotificationEvent, FALSE);
    KeInitializeEvent(&ended, NotificationEvent, FALSE);
    sender.device = add_device(load_plain(), NULL, hold_unmarked, &is_held);
    sender.irp = allocate_for(sender.device, IRP_MJ_READ, NULL);
    PKTHREAD thread = start_thread(send_in_thread, &sender);
    wait_object(&is_held);
    IoCancelIrp(sender.irp);
    join_thread(thread);
    end(sender.irp, sender.device);
}

static void test_a_cancelable_irp_that_is_not_marked_pending_is_caught(void **state)
{
    PROVES("CANCEL-12");
    expect_warning(cancel_unmarked, NULL, "CANCEL-12");
}

/* ---- master and associated IRPs ---- */

static BOOLEAN cancels_parts;
static PIRP part;

static VOID cancel_master(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    if (cancels_parts) {
        IoCancelIrp(part);
    }
}

static NTSTATUS split(PDEVICE_OBJECT device, PIRP irp)
{
    IoMarkIrpPending(irp);
    irp->AssociatedIrp.IrpCount = 1;
    part = IoMakeAssociatedIrp(irp, 1);
    IoGetNextIrpStackLocation(part)->MajorFunction = IRP_MJ_READ;
    IoSetCancelRoutine(irp, cancel_master);
    IoCallDriver(node_of(device)->context, part);
    return STATUS_PENDING;
}

static void cancel_split(void *context)
{
    PDRIVER_OBJECT driver = load_plain();
    KeInitializeEvent(&ended, NotificationEvent, FALSE);
    cancels_parts = context != NULL;
    cancel_status = STATUS_CANCELLED;
    cancel_information = 0;
    PDEVICE_OBJECT other = add_device(driver, NULL, hold_cancelable, NULL);
    PDEVICE_OBJECT device = add_device(driver, NULL, split, other);
    PIRP irp = allocate_for(device, IRP_MJ_READ, NULL);
    IoCallDriver(device, irp);
    irp->IoStatus.Status = STATUS_CANCELLED;
    IoCancelIrp(irp);
    if (!cancels_parts) {
        IoCancelIrp(part);
    }
    end(irp, device);
}

static void test_not_cancelling_the_parts_of_a_master_is_caught(void **state)
{
    PROVES("CANCEL-25");
    expect_warning(cancel_split, NULL, "CANCEL-25");
}

static void test_cancelling_the_parts_of_a_master_is_fine(void **state)
{
    STAYS_SILENT("CANCEL-25");
    expect_silence(cancel_split, (PVOID)1);
}

/* ---- cancel-safe queues ---- */

static IO_CSQ csq;
static KSPIN_LOCK csq_lock;
static FAST_MUTEX csq_mutex;
static LIST_ENTRY csq_irps;

static VOID csq_insert(PIO_CSQ queue, PIRP irp)
{
    UNREFERENCED_PARAMETER(queue);
    InsertTailList(&csq_irps, &irp->Tail.Overlay.ListEntry);
}

static VOID csq_remove(PIO_CSQ queue, PIRP irp)
{
    UNREFERENCED_PARAMETER(queue);
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
}

static PIRP csq_peek(PIO_CSQ queue, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(queue);
    UNREFERENCED_PARAMETER(context);
    LIST_ENTRY *entry = irp == NULL ? csq_irps.Flink : irp->Tail.Overlay.ListEntry.Flink;
    return entry == &csq_irps ? NULL : CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
}

static VOID csq_acquire(PIO_CSQ queue, PKIRQL irql)
{
    UNREFERENCED_PARAMETER(queue);
    KeAcquireSpinLock(&csq_lock, irql);
}

static VOID csq_release(PIO_CSQ queue, KIRQL irql)
{
    UNREFERENCED_PARAMETER(queue);
    KeReleaseSpinLock(&csq_lock, irql);
}

static VOID csq_acquire_mutex(PIO_CSQ queue, PKIRQL irql)
{
    UNREFERENCED_PARAMETER(queue);
    UNREFERENCED_PARAMETER(irql);
    ExAcquireFastMutex(&csq_mutex);
}

static VOID csq_release_mutex(PIO_CSQ queue, KIRQL irql)
{
    UNREFERENCED_PARAMETER(queue);
    UNREFERENCED_PARAMETER(irql);
    ExReleaseFastMutex(&csq_mutex);
}

static VOID csq_complete(PIO_CSQ queue, PIRP irp)
{
    UNREFERENCED_PARAMETER(queue);
    complete(irp, cancel_status, cancel_information);
}

static NTSTATUS enqueue(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoCsqInsertIrp(&csq, irp, NULL);
    return STATUS_PENDING;
}

static void make_csq(PIO_CSQ_ACQUIRE_LOCK acquire, PIO_CSQ_RELEASE_LOCK release)
{
    InitializeListHead(&csq_irps);
    KeInitializeSpinLock(&csq_lock);
    ExInitializeFastMutex(&csq_mutex);
    IoCsqInitialize(&csq, csq_insert, csq_remove, csq_peek, acquire, release, csq_complete);
}

/* context: the status with which the driver ends the cancelled IRP. */
static void cancel_queued(void *context)
{
    PDEVICE_OBJECT device;
    cancel_status = (NTSTATUS)(ULONG_PTR)context;
    cancel_information = 0;
    make_csq(csq_acquire, csq_release);
    PIRP irp = send_to(enqueue, &device);
    IoCancelIrp(irp);
    end(irp, device);
}

static void overwrite_context(void *context)
{
    static IO_CSQ_IRP_CONTEXT stranger;
    PDEVICE_OBJECT device;
    UNREFERENCED_PARAMETER(context);
    make_csq(csq_acquire, csq_release);
    PIRP irp = send_to(enqueue, &device);
    irp->Tail.Overlay.DriverContext[3] = &stranger;
    IoCsqRemoveNextIrp(&csq, NULL);
}

static void use_other_contexts(void *context)
{
    PDEVICE_OBJECT device;
    UNREFERENCED_PARAMETER(context);
    make_csq(csq_acquire, csq_release);
    PIRP irp = send_to(enqueue, &device);
    irp->Tail.Overlay.DriverContext[0] = &csq;
    complete(IoCsqRemoveNextIrp(&csq, NULL), STATUS_SUCCESS, 0);
    end(irp, device);
}

static void insert_at_dispatch(PIO_CSQ_ACQUIRE_LOCK acquire, PIO_CSQ_RELEASE_LOCK release)
{
    make_csq(acquire, release);
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, enqueue, NULL);
    PIRP irp = allocate_for(device, IRP_MJ_READ, NULL);
    KIRQL old = KeRaiseIrqlToDpcLevel();
    IoCallDriver(device, irp);
    KeLowerIrql(old);
    complete(IoCsqRemoveNextIrp(&csq, NULL), STATUS_SUCCESS, 0);
    end(irp, device);
}

static void lock_by_mutex(void *context)
{
    UNREFERENCED_PARAMETER(context);
    insert_at_dispatch(csq_acquire_mutex, csq_release_mutex);
}

static void lock_by_spin_lock(void *context)
{
    UNREFERENCED_PARAMETER(context);
    insert_at_dispatch(csq_acquire, csq_release);
}

static void test_misuse_of_a_cancel_safe_queue_is_caught(void **state)
{
    PROVES("CANCEL-29", "CANCEL-40", "CANCEL-41");
    expect_warning(cancel_queued, (PVOID)(ULONG_PTR)STATUS_SUCCESS, "CANCEL-40");
    expect_bugcheck(overwrite_context, NULL, VIOLATION, ANY_PARAMETER, "CANCEL-29");
    expect_bugcheck(lock_by_mutex, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, ANY_PARAMETER, NULL);
}

static void test_use_of_a_cancel_safe_queue_is_fine(void **state)
{
    STAYS_SILENT("CANCEL-29", "CANCEL-40", "CANCEL-41");
    expect_silence(cancel_queued, (PVOID)(ULONG_PTR)(ULONG)STATUS_CANCELLED);
    expect_silence(use_other_contexts, NULL);
    expect_silence(lock_by_spin_lock, NULL);
}

/* ---- one driver on top of another ---- */

static VOID cancel_above(PDEVICE_OBJECT device, PIRP irp)
{
    cancel(device, irp);
}

static NTSTATUS hold(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoMarkIrpPending(irp);
    held = irp;
    return STATUS_PENDING;
}

static NTSTATUS pass_and_make_cancelable(PDEVICE_OBJECT device, PIRP irp)
{
    NTSTATUS status = pass_copied(device, irp);
    IoSetCancelRoutine(irp, cancel_above);
    return status;
}

static NTSTATUS make_cancelable_and_pass(PDEVICE_OBJECT device, PIRP irp)
{
    IoSetCancelRoutine(irp, cancel_above);
    if (IoSetCancelRoutine(irp, NULL) == NULL) {
        return STATUS_PENDING;
    }
    return pass_copied(device, irp);
}

/* A device of another driver on top, whose code holds the routine that cancels above. */
static void send_through(void *context)
{
    static struct wskemu_driver_image image = {.name = "above", .entry = plain_entry};
    PDRIVER_OBJECT above = NULL;
    image.text_begin = (const void *)(ULONG_PTR)cancel_above;
    image.text_end = (const char *)image.text_begin + 1;
    PDEVICE_OBJECT bottom = add_device(load_plain(), NULL, hold, NULL);
    assert_int_equal(wskemu_load_driver(&image, &above), STATUS_SUCCESS);
    PDEVICE_OBJECT top =
        add_device_above(above, bottom, (PDRIVER_DISPATCH)(ULONG_PTR)context, NULL);
    PIRP irp = allocate_for(top, IRP_MJ_READ, NULL);
    IoCallDriver(top, irp);
    complete(held, STATUS_SUCCESS, 0);
    IoFreeIrp(irp);
    wskemu_unload_driver(above);
    wskemu_unload_driver(bottom->DriverObject);
}

static void test_making_cancelable_what_a_driver_below_has_is_caught(void **state)
{
    PROVES("CANCEL-14");
    expect_bugcheck(send_through, (PVOID)(ULONG_PTR)pass_and_make_cancelable, VIOLATION, 0x7,
                    "CANCEL-14");
}

static void test_making_cancelable_before_passing_on_is_fine(void **state)
{
    STAYS_SILENT("CANCEL-14", "CANCEL-13");
    expect_silence(send_through, (PVOID)(ULONG_PTR)make_cancelable_and_pass);
}

static const struct CMUnitTest tests[] = {
    kernel_test(test_making_cancelable_what_a_driver_below_has_is_caught),
    kernel_test(test_making_cancelable_before_passing_on_is_fine),
    kernel_test(test_a_cancel_routine_that_ends_otherwise_is_caught),
    kernel_test(test_a_cancel_routine_that_ends_as_documented_is_fine),
    kernel_test(test_processing_an_irp_that_is_cancelable_is_caught),
    kernel_test(test_processing_an_irp_that_is_not_cancelable_any_more_is_fine),
    kernel_test(test_a_cancelable_irp_that_is_not_marked_pending_is_caught),
    kernel_test(test_not_cancelling_the_parts_of_a_master_is_caught),
    kernel_test(test_cancelling_the_parts_of_a_master_is_fine),
    kernel_test(test_misuse_of_a_cancel_safe_queue_is_caught),
    kernel_test(test_use_of_a_cancel_safe_queue_is_fine),
};

TEST_MAIN(tests)
