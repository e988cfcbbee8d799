/*
 * Requests.
 *
 * An IRP that the I/O manager made ends at the top of the walk: buffered output goes back, buffers,
 * MDLs and the IRP itself are freed, then the status block is written and the event signalled, in
 * this order, because whoever waits for the event may look for what was left.
 */
#include "io/request.h"

#include "io/io.h"
#include "io/thread_irps.h"
#include "io/transfer.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ob/object.h"
#include "ps/thread.h"

#include <ntddk.h>

PIRP io_request_create(const struct io_request *request, enum io_irp_kind kind, const void *creator)
{
    PIRP irp = io_irp_create(request->device->StackSize, kind, creator);
    if (irp == NULL) {
        return NULL;
    }
    irp->RequestorMode = request->mode;
    irp->Tail.Overlay.Thread = (PETHREAD)ke_current();
    irp->Tail.Overlay.OriginalFileObject = request->file;
    PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(irp);
    location->MajorFunction = request->major_function;
    location->FileObject = request->file;
    location->DeviceObject = request->device;
    if (kind == IO_IRP_THREADED) {
        io_thread_irps_insert(irp);
    }
    return irp;
}

void io_request_discard(PIRP irp)
{
    io_transfer_release(irp);
    if (io_irp_record(irp)->kind == IO_IRP_THREADED) {
        io_thread_irps_remove(irp);
    }
    io_irp_release(irp);
}

NTSTATUS io_request_wait(PDEVICE_OBJECT device, PIRP irp, PIO_STATUS_BLOCK result)
{
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    irp->UserEvent = &event;
    irp->UserIosb = result;
    NTSTATUS status = IofCallDriver(device, irp);
    if (status != STATUS_PENDING) {
        return status;
    }
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    return result->Status;
}

/* ---- the end ---- */

static _Noreturn void never_taken_back(PIRP irp)
{
    ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x200, (ULONG_PTR)irp, 0, 0, "IRP-04",
                "The IRP %p, which a driver allocated, was completed and no completion routine "
                "was called to take it back.",
                (void *)irp);
}

/* The last associated IRP completes the master. (IRP-99) */
static void finish_associated(PIRP irp)
{
    PIRP master = irp->AssociatedIrp.MasterIrp;
    io_transfer_release(irp);
    io_irp_release(irp);
    if (InterlockedDecrement(&master->AssociatedIrp.IrpCount) == 0) {
        IofCompleteRequest(master, IO_NO_INCREMENT);
    }
}

/* What the request's maker learns: nothing of an error that it got as a return value. (IRP-98) */
static bool is_reported(const IRP *irp)
{
    return !NT_ERROR(irp->IoStatus.Status) || irp->PendingReturned;
}

/* The status block comes before all signals, whichever of them its reader waits for. The maker's
 * event comes last: it may be gone from then on. */
static void finish(PIRP irp)
{
    PFILE_OBJECT file = io_irp_record(irp)->file;
    PKEVENT its_event = io_irp_record(irp)->event;
    IO_STATUS_BLOCK result = irp->IoStatus;
    PIO_STATUS_BLOCK block = irp->UserIosb;
    PKEVENT event = irp->UserEvent;
    bool is_told = is_reported(irp);
    io_transfer_copy_back(irp);
    io_request_discard(irp);
    if (is_told && block != NULL) {
        *block = result;
    }
    if (file != NULL) {
        KeSetEvent(&file->Event, IO_NO_INCREMENT, FALSE);
        ob_dereference(file);
    }
    if (is_told && its_event != NULL && its_event != event) {
        KeSetEvent(its_event, IO_NO_INCREMENT, FALSE);
    }
    if (is_told && event != NULL) {
        KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    }
    if (its_event != NULL) {
        ob_dereference(its_event);
    }
}

void io_request_finish(PIRP irp)
{
    const struct io_irp_record *record = io_irp_record(irp);
    if (record == NULL || record->kind == IO_IRP_DRIVERS || record->kind == IO_IRP_ASYNCHRONOUS) {
        never_taken_back(irp);
    }
    if (record->kind == IO_IRP_ASSOCIATED) {
        finish_associated(irp);
    } else {
        finish(irp);
    }
}

/* ---- what drivers build ---- */

static void check_buffer(PVOID buffer, ULONG bytes, PDEVICE_OBJECT device, ULONG_PTR what)
{
    if (buffer == NULL && bytes != 0) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x9, (ULONG_PTR)device, what,
                    (ULONG)STATUS_ACCESS_VIOLATION, "IRP-106",
                    "The driver called IoBuildDeviceIoControlRequest with %u bytes at NULL.",
                    bytes);
    }
}

/*
 * A control request for the device, queued to the calling thread, or NULL when memory is short or
 * a buffer cannot be locked. Event may be NULL if a completion routine is set. Its IRP is not freed
 * by the driver. PASSIVE_LEVEL. (IRP-100, IRP-107)
 */
PIRP IoBuildDeviceIoControlRequest(ULONG IoControlCode, PDEVICE_OBJECT DeviceObject,
                                   PVOID InputBuffer, ULONG InputBufferLength, PVOID OutputBuffer,
                                   ULONG OutputBufferLength, BOOLEAN InternalDeviceIoControl,
                                   PKEVENT Event, PIO_STATUS_BLOCK IoStatusBlock)
{
    struct io_request request = {
        .device = DeviceObject,
        .major_function =
            InternalDeviceIoControl ? IRP_MJ_INTERNAL_DEVICE_CONTROL : IRP_MJ_DEVICE_CONTROL,
        .mode = KernelMode,
    };
    KE_IRQL_AT_MOST(APC_LEVEL);
    check_buffer(InputBuffer, InputBufferLength, DeviceObject, IoControlCode);
    check_buffer(OutputBuffer, OutputBufferLength, DeviceObject, IoControlCode);
    PIRP irp = io_request_create(&request, IO_IRP_THREADED, _ReturnAddress());
    if (irp == NULL) {
        return NULL;
    }
    NTSTATUS status =
        io_transfer_control(irp, IoGetNextIrpStackLocation(irp), IoControlCode, InputBuffer,
                            InputBufferLength, OutputBuffer, OutputBufferLength);
    if (!NT_SUCCESS(status)) {
        io_request_discard(irp);
        return NULL;
    }
    io_irp_record(irp)->is_event_wanted = true;
    irp->UserEvent = Event;
    irp->UserIosb = IoStatusBlock;
    return irp;
}

static NTSTATUS fill_transfer(PIRP irp, PDEVICE_OBJECT device, PVOID buffer, ULONG bytes,
                              const LARGE_INTEGER *offset)
{
    PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(irp);
    UCHAR major_function = location->MajorFunction;
    if (major_function == IRP_MJ_READ) {
        location->Parameters.Read.Length = bytes;
        location->Parameters.Read.ByteOffset.QuadPart = offset != NULL ? offset->QuadPart : 0;
        irp->Flags |= IRP_READ_OPERATION;
        return io_transfer_read(irp, device, buffer, bytes);
    }
    if (major_function == IRP_MJ_WRITE) {
        location->Parameters.Write.Length = bytes;
        location->Parameters.Write.ByteOffset.QuadPart = offset != NULL ? offset->QuadPart : 0;
        irp->Flags |= IRP_WRITE_OPERATION;
        return io_transfer_write(irp, device, buffer, bytes);
    }
    if (major_function == IRP_MJ_PNP) {
        irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    }
    return STATUS_SUCCESS;
}

static PIRP build_transfer(enum io_irp_kind kind, const struct io_request *request, PVOID buffer,
                           ULONG bytes, const LARGE_INTEGER *offset, const void *creator)
{
    PIRP irp = io_request_create(request, kind, creator);
    if (irp == NULL) {
        return NULL;
    }
    NTSTATUS status = fill_transfer(irp, request->device, buffer, bytes, offset);
    if (!NT_SUCCESS(status)) {
        io_request_discard(irp);
        return NULL;
    }
    return irp;
}

/*
 * A read, write, flush, shutdown or PnP request queued to the calling thread, or NULL. As with
 * IoBuildDeviceIoControlRequest, the I/O manager frees its IRP. PASSIVE_LEVEL. (IRP-100)
 */
PIRP IoBuildSynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject, PVOID Buffer,
                                  ULONG Length, PLARGE_INTEGER StartingOffset, PKEVENT Event,
                                  PIO_STATUS_BLOCK IoStatusBlock)
{
    struct io_request request = {
        .device = DeviceObject, .major_function = (UCHAR)MajorFunction, .mode = KernelMode};
    KE_IRQL_AT_MOST(APC_LEVEL);
    PIRP irp =
        build_transfer(IO_IRP_THREADED, &request, Buffer, Length, StartingOffset, _ReturnAddress());
    if (irp != NULL) {
        io_irp_record(irp)->is_event_wanted = true;
        irp->UserEvent = Event;
        irp->UserIosb = IoStatusBlock;
    }
    return irp;
}

/*
 * The same for a request that belongs to no thread; its completion routine frees what the IRP
 * holds and the IRP. IRQL <= DISPATCH_LEVEL. (IRP-108 to IRP-110)
 */
PIRP IoBuildAsynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject, PVOID Buffer,
                                   ULONG Length, PLARGE_INTEGER StartingOffset,
                                   PIO_STATUS_BLOCK IoStatusBlock)
{
    struct io_request request = {
        .device = DeviceObject, .major_function = (UCHAR)MajorFunction, .mode = KernelMode};
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    PIRP irp = build_transfer(IO_IRP_ASYNCHRONOUS, &request, Buffer, Length, StartingOffset,
                              _ReturnAddress());
    if (irp != NULL) {
        irp->UserIosb = IoStatusBlock;
    }
    return irp;
}

/*
 * A part of a driver's request, with locations of its own. The driver counts its parts in the
 * master's AssociatedIrp.IrpCount; the last one completes the master. NULL when memory is short.
 * IRQL <= DISPATCH_LEVEL. (IRP-99)
 */
PIRP IoMakeAssociatedIrp(PIRP Irp, CCHAR StackSize)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    PIRP irp = io_irp_create(StackSize, IO_IRP_ASSOCIATED, _ReturnAddress());
    if (irp == NULL) {
        return NULL;
    }
    irp->Flags |= IRP_ASSOCIATED_IRP;
    irp->AssociatedIrp.MasterIrp = Irp;
    irp->Tail.Overlay.Thread = Irp->Tail.Overlay.Thread;
    return irp;
}
