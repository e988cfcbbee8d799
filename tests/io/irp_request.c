/* Requests that the I/O manager makes for drivers, and how they end. */
#include "bugcheck.h"
#include "io_driver.h"

#define CODE_BUFFERED CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

/* What the device does with a request, and what it saw. */
struct target {
    NTSTATUS status;
    ULONG_PTR information;
    BOOLEAN is_pending;
    PIRP kept;
    KEVENT arrived;
    UCHAR major_function;
    KPROCESSOR_MODE mode;
    IO_STACK_LOCATION location;
    PMDL mdl;
    CSHORT mdl_flags;
    PVOID system_buffer;
    UCHAR input[16];
    ULONG flags;
};

static VOID cancel_kept(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    complete(irp, STATUS_CANCELLED, 0);
}

static NTSTATUS keep(struct target *target, PIRP irp)
{
    IoMarkIrpPending(irp);
    target->kept = irp;
    IoSetCancelRoutine(irp, cancel_kept);
    KeSetEvent(&target->arrived, IO_NO_INCREMENT, FALSE);
    return STATUS_PENDING;
}

static NTSTATUS serve(PDEVICE_OBJECT device, PIRP irp)
{
    struct target *target = node_of(device)->context;
    target->location = *IoGetCurrentIrpStackLocation(irp);
    target->major_function = target->location.MajorFunction;
    target->mode = irp->RequestorMode;
    target->mdl = irp->MdlAddress;
    target->mdl_flags = irp->MdlAddress != NULL ? irp->MdlAddress->MdlFlags : 0;
    target->system_buffer = irp->AssociatedIrp.SystemBuffer;
    target->flags = irp->Flags;
    if (target->system_buffer != NULL) {
        RtlCopyMemory(target->input, target->system_buffer, 4);
        RtlFillMemory(target->system_buffer, 4, 'o');
    }
    return target->is_pending ? keep(target, irp)
                              : complete(irp, target->status, target->information);
}

static PDEVICE_OBJECT make_target(struct target *target)
{
    RtlZeroMemory(target, sizeof(*target));
    KeInitializeEvent(&target->arrived, SynchronizationEvent, FALSE);
    return add_device(load_plain(), NULL, serve, target);
}

static const IO_STATUS_BLOCK untouched = {.Status = (NTSTATUS)0x12345678, .Information = 99};

/* A control with 4 bytes in and out. */
struct control {
    KEVENT event;
    IO_STATUS_BLOCK block;
    UCHAR input[4];
    UCHAR output[4];
    PIRP irp;
};

static void build_control(struct control *control, PDEVICE_OBJECT device, BOOLEAN is_internal)
{
    KeInitializeEvent(&control->event, NotificationEvent, FALSE);
    control->block = untouched;
    RtlFillMemory(control->input, sizeof(control->input), 'i');
    RtlFillMemory(control->output, sizeof(control->output), '-');
    control->irp =
        IoBuildDeviceIoControlRequest(CODE_BUFFERED, device, control->input, 4, control->output, 4,
                                      is_internal, &control->event, &control->block);
    assert_non_null(control->irp);
}

static void a_control_request_is_ready_to_be_sent(void **state)
{
    PROVES("IRP-100", "IRP-107");
    struct target target;
    struct control control;
    PDEVICE_OBJECT device = make_target(&target);
    for (int i = 0; i < 2; i++) {
        build_control(&control, device, (BOOLEAN)i);
        PIO_STACK_LOCATION next = IoGetNextIrpStackLocation(control.irp);
        assert_int_equal(next->Parameters.DeviceIoControl.IoControlCode, CODE_BUFFERED);
        assert_int_equal(next->Parameters.DeviceIoControl.InputBufferLength, 4);
        assert_int_equal(next->Parameters.DeviceIoControl.OutputBufferLength, 4);
        assert_ptr_equal(control.irp->Tail.Overlay.Thread, PsGetCurrentThread());
        assert_false(IsListEmpty(&control.irp->ThreadListEntry));
        assert_int_equal(IoCallDriver(device, control.irp), STATUS_SUCCESS);
        assert_int_equal(target.major_function,
                         i == 0 ? IRP_MJ_DEVICE_CONTROL : IRP_MJ_INTERNAL_DEVICE_CONTROL);
        assert_int_equal(target.mode, KernelMode);
        assert_memory_equal(target.input, "iiii", 4);
    }
}

static void the_end_writes_the_block_and_sets_the_event(void **state)
{
    PROVES("IRP-97");
    STAYS_SILENT("IRP-46", "IRP-104", "IRP-106", "DEV-68", "IRP-90");
    struct target target;
    struct control control;
    PDEVICE_OBJECT device = make_target(&target);
    target.information = 3;
    build_control(&control, device, FALSE);
    assert_int_equal(IoCallDriver(device, control.irp), STATUS_SUCCESS);
    assert_int_not_equal(KeReadStateEvent(&control.event), 0);
    assert_int_equal(control.block.Status, STATUS_SUCCESS);
    assert_int_equal(control.block.Information, 3);
    assert_memory_equal(control.output, "ooo-", 4);
}

static void a_pending_request_tells_its_end(void **state)
{
    PROVES("IRP-97", "IRP-98");
    STAYS_SILENT("IRP-102");
    static const NTSTATUS statuses[] = {STATUS_SUCCESS, STATUS_UNSUCCESSFUL};
    struct target target;
    struct control control;
    PDEVICE_OBJECT device = make_target(&target);
    target.is_pending = TRUE;
    for (int i = 0; i < 2; i++) {
        build_control(&control, device, FALSE);
        assert_int_equal(IoCallDriver(device, control.irp), STATUS_PENDING);
        assert_int_equal(KeReadStateEvent(&control.event), 0);
        assert_int_equal(control.block.Status, untouched.Status);
        IoSetCancelRoutine(target.kept, NULL);
        complete(target.kept, statuses[i], 0);
        wait_object(&control.event);
        assert_int_equal(control.block.Status, statuses[i]);
        assert_int_equal(control.block.Information, 0);
    }
}

static void an_error_at_once_is_only_returned(void **state)
{
    PROVES("IRP-98");
    struct target target;
    struct control control;
    PDEVICE_OBJECT device = make_target(&target);
    target.status = STATUS_INVALID_PARAMETER;
    build_control(&control, device, FALSE);
    assert_int_equal(IoCallDriver(device, control.irp), STATUS_INVALID_PARAMETER);
    assert_int_equal(KeReadStateEvent(&control.event), 0);
    assert_int_equal(control.block.Status, untouched.Status);
    assert_int_equal(control.block.Information, untouched.Information);
    assert_memory_equal(control.output, "----", 4);
}

static void a_warning_at_once_is_told(void **state)
{
    PROVES("IRP-98");
    struct target target;
    struct control control;
    PDEVICE_OBJECT device = make_target(&target);
    target.status = STATUS_BUFFER_OVERFLOW;
    target.information = 4;
    build_control(&control, device, FALSE);
    assert_int_equal(IoCallDriver(device, control.irp), STATUS_BUFFER_OVERFLOW);
    assert_int_not_equal(KeReadStateEvent(&control.event), 0);
    assert_int_equal(control.block.Status, STATUS_BUFFER_OVERFLOW);
    assert_memory_equal(control.output, "oooo", 4);
}

static void a_request_that_is_not_sent_is_completed_by_its_maker(void **state)
{
    PROVES("IRP-97");
    struct target target;
    struct control control;
    PDEVICE_OBJECT device = make_target(&target);
    build_control(&control, device, FALSE);
    complete(control.irp, STATUS_CANCELLED, 0);
    assert_int_equal(control.block.Status, untouched.Status);
}

/* ---- file system requests ---- */

static void a_synchronous_read_goes_as_the_device_wants(void **state)
{
    PROVES("IRP-97", "IRP-100");
    struct target target;
    KEVENT event;
    IO_STATUS_BLOCK block;
    UCHAR buffer[4] = "----";
    LARGE_INTEGER offset = {.QuadPart = 512};
    PDEVICE_OBJECT device = make_target(&target);
    device->Flags |= DO_BUFFERED_IO;
    target.information = 4;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    PIRP irp =
        IoBuildSynchronousFsdRequest(IRP_MJ_READ, device, buffer, 4, &offset, &event, &block);
    assert_false(IsListEmpty(&irp->ThreadListEntry));
    assert_int_equal(IoCallDriver(device, irp), STATUS_SUCCESS);
    assert_int_equal(target.major_function, IRP_MJ_READ);
    assert_int_equal(target.location.Parameters.Read.Length, 4);
    assert_int_equal(target.location.Parameters.Read.ByteOffset.QuadPart, 512);
    assert_memory_equal(buffer, "oooo", 4);
    assert_int_equal(block.Information, 4);
}

static void a_synchronous_flush_needs_no_buffer(void **state)
{
    PROVES("IRP-100");
    struct target target;
    KEVENT event;
    IO_STATUS_BLOCK block;
    PDEVICE_OBJECT device = make_target(&target);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    PIRP irp =
        IoBuildSynchronousFsdRequest(IRP_MJ_FLUSH_BUFFERS, device, NULL, 0, NULL, &event, &block);
    assert_int_equal(IoCallDriver(device, irp), STATUS_SUCCESS);
    assert_int_equal(target.major_function, IRP_MJ_FLUSH_BUFFERS);
    assert_null(target.system_buffer);
    assert_null(target.mdl);
}

/* The completion routine of an asynchronous request frees what the IRP holds. */
static NTSTATUS release_all(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    if ((irp->Flags & IRP_DEALLOCATE_BUFFER) != 0) {
        ExFreePool(irp->AssociatedIrp.SystemBuffer);
    }
    while (irp->MdlAddress != NULL) {
        PMDL mdl = irp->MdlAddress;
        irp->MdlAddress = mdl->Next;
        MmUnlockPages(mdl);
        IoFreeMdl(mdl);
    }
    IoFreeIrp(irp);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void send_asynchronously(PDEVICE_OBJECT device, ULONG major_function, PVOID buffer,
                                ULONG bytes)
{
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    PIRP irp = IoBuildAsynchronousFsdRequest(major_function, device, buffer, bytes, NULL, NULL);
    assert_non_null(irp);
    assert_true(IsListEmpty(&irp->ThreadListEntry));
    assert_ptr_equal(irp->Tail.Overlay.Thread, PsGetCurrentThread());
    IoSetCompletionRoutine(irp, release_all, &event, TRUE, TRUE, TRUE);
    assert_int_equal(IoCallDriver(device, irp), STATUS_SUCCESS);
    wait_object(&event);
}

static void an_asynchronous_write_goes_as_the_device_wants(void **state)
{
    PROVES("IRP-108", "IRP-110", "IRP-17");
    STAYS_SILENT("IRP-109");
    struct target target;
    UCHAR buffer[4] = "wwww";
    PDEVICE_OBJECT device = make_target(&target);
    send_asynchronously(device, IRP_MJ_WRITE, buffer, 4);
    assert_null(target.mdl);
    assert_null(target.system_buffer);
    device->Flags |= DO_BUFFERED_IO;
    send_asynchronously(device, IRP_MJ_WRITE, buffer, 4);
    assert_null(target.mdl);
    assert_memory_equal(target.input, "wwww", 4);
    assert_true((target.flags & IRP_DEALLOCATE_BUFFER) != 0);
    device->Flags = (device->Flags & ~(ULONG)DO_BUFFERED_IO) | DO_DIRECT_IO;
    send_asynchronously(device, IRP_MJ_READ, buffer, 4);
    assert_non_null(target.mdl);
    assert_true((target.mdl_flags & MDL_PAGES_LOCKED) != 0);
    send_asynchronously(device, IRP_MJ_FLUSH_BUFFERS, NULL, 0);
    assert_int_equal(target.major_function, IRP_MJ_FLUSH_BUFFERS);
}

/* ---- parts of a request ---- */

static NTSTATUS split(PDEVICE_OBJECT device, PIRP irp)
{
    PIRP parts[2];
    IoMarkIrpPending(irp);
    irp->AssociatedIrp.IrpCount = 2;
    for (int i = 0; i < 2; i++) {
        parts[i] = IoMakeAssociatedIrp(irp, node_of(device)->lower->StackSize);
        IoGetNextIrpStackLocation(parts[i])->MajorFunction = IRP_MJ_READ;
    }
    irp->IoStatus.Status = STATUS_SUCCESS;
    irp->IoStatus.Information = 2;
    for (int i = 0; i < 2; i++) {
        IoCallDriver(node_of(device)->lower, parts[i]);
    }
    return STATUS_PENDING;
}

static NTSTATUS remember_first(PDEVICE_OBJECT device, PIRP irp)
{
    PIRP *parts = node_of(device)->context;
    IoMarkIrpPending(irp);
    parts[parts[0] == NULL ? 0 : 1] = irp;
    return STATUS_PENDING;
}

static void the_master_waits_for_all_parts(void **state)
{
    PROVES("IRP-99");
    PIRP parts[2] = {NULL, NULL};
    KEVENT done;
    PDRIVER_OBJECT driver = load_plain();
    PDEVICE_OBJECT bottom = add_device(driver, NULL, remember_first, parts);
    PDEVICE_OBJECT top = add_device_above(driver, bottom, split, NULL);
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    PIRP irp = allocate_for(top, IRP_MJ_READ, &done);
    assert_int_equal(IoCallDriver(top, irp), STATUS_PENDING);
    complete(parts[1], STATUS_SUCCESS, 0);
    assert_int_equal(KeReadStateEvent(&done), 0);
    complete(parts[0], STATUS_SUCCESS, 0);
    assert_int_not_equal(KeReadStateEvent(&done), 0);
    assert_int_equal(irp->IoStatus.Information, 2);
    IoFreeIrp(irp);
}

static NTSTATUS free_part(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(context);
    IoFreeIrp(irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void a_part_that_is_taken_back_does_not_count(void **state)
{
    PROVES("IRP-17", "IRP-99");
    PIRP master = IoAllocateIrp(1, FALSE);
    IoSetNextIrpStackLocation(master);
    master->AssociatedIrp.IrpCount = 1;
    PIRP part = IoMakeAssociatedIrp(master, 1);
    IoSetCompletionRoutine(part, free_part, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(part);
    complete(part, STATUS_SUCCESS, 0);
    assert_int_equal(master->AssociatedIrp.IrpCount, 1);
    IoFreeIrp(master);
}

/* ---- the end of a thread ---- */

struct leaver {
    struct target target;
    struct control control;
    PDEVICE_OBJECT device;
};

static VOID send_and_leave(PVOID context)
{
    struct leaver *leaver = context;
    build_control(&leaver->control, leaver->device, FALSE);
    IoCallDriver(leaver->device, leaver->control.irp);
}

static void a_thread_that_ends_cancels_its_requests(void **state)
{
    PROVES("IRP-101", "CANCEL-23");
    static struct leaver leaver;
    leaver.device = make_target(&leaver.target);
    leaver.target.is_pending = TRUE;
    join_thread(start_thread(send_and_leave, &leaver));
    assert_int_not_equal(KeReadStateEvent(&leaver.control.event), 0);
    assert_int_equal(leaver.control.block.Status, STATUS_CANCELLED);
}

/* ---- what must be caught ---- */

static void free_threaded(void *context)
{
    struct target target;
    struct control control;
    UNREFERENCED_PARAMETER(context);
    build_control(&control, make_target(&target), FALSE);
    IoFreeIrp(control.irp);
}

static void reuse_threaded(void *context)
{
    struct target target;
    struct control control;
    UNREFERENCED_PARAMETER(context);
    build_control(&control, make_target(&target), FALSE);
    IoReuseIrp(control.irp, STATUS_SUCCESS);
}

static void send_with_event_set(void *context)
{
    struct target target;
    struct control control;
    UNREFERENCED_PARAMETER(context);
    PDEVICE_OBJECT device = make_target(&target);
    build_control(&control, device, FALSE);
    KeSetEvent(&control.event, IO_NO_INCREMENT, FALSE);
    IoCallDriver(device, control.irp);
}

static void send_in_guarded_region(void *context)
{
    struct target target;
    struct control control;
    UNREFERENCED_PARAMETER(context);
    PDEVICE_OBJECT device = make_target(&target);
    build_control(&control, device, FALSE);
    KeEnterGuardedRegion();
    IoCallDriver(device, control.irp);
}

static void build_with_null(void *context)
{
    struct target target;
    UNREFERENCED_PARAMETER(context);
    IoBuildDeviceIoControlRequest(CODE_BUFFERED, make_target(&target), NULL, 4, NULL, 0, FALSE,
                                  NULL, NULL);
}

static void overstate(void *context)
{
    struct target target;
    struct control control;
    UNREFERENCED_PARAMETER(context);
    PDEVICE_OBJECT device = make_target(&target);
    target.information = 5;
    build_control(&control, device, FALSE);
    IoCallDriver(device, control.irp);
}

static void misuse_of_a_request_is_caught(void **state)
{
    PROVES("IRP-12", "IRP-46", "IRP-102", "IRP-104", "IRP-106", "DEV-68", "IRP-90");
    ULONG code = DRIVER_VERIFIER_IOMANAGER_VIOLATION;
    expect_bugcheck(free_threaded, NULL, code, 0x2, "IRP-102");
    expect_bugcheck(reuse_threaded, NULL, code, 0x311, "IRP-16");
    expect_bugcheck(send_with_event_set, NULL, code, 0x307, "IRP-104");
    expect_bugcheck(send_in_guarded_region, NULL, code, 0x302, "IRP-46");
    expect_bugcheck(build_with_null, NULL, code, 0x9, "IRP-106");
    expect_bugcheck(overstate, NULL, code, 0x312, "DEV-68");
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_control_request_is_ready_to_be_sent),
    kernel_test(the_end_writes_the_block_and_sets_the_event),
    kernel_test(a_pending_request_tells_its_end),
    kernel_test(an_error_at_once_is_only_returned),
    kernel_test(a_warning_at_once_is_told),
    kernel_test(a_request_that_is_not_sent_is_completed_by_its_maker),
    kernel_test(a_synchronous_read_goes_as_the_device_wants),
    kernel_test(a_synchronous_flush_needs_no_buffer),
    kernel_test(an_asynchronous_write_goes_as_the_device_wants),
    kernel_test(the_master_waits_for_all_parts),
    kernel_test(a_part_that_is_taken_back_does_not_count),
    kernel_test(a_thread_that_ends_cancels_its_requests),
    kernel_test(misuse_of_a_request_is_caught),
};

TEST_MAIN(tests)
