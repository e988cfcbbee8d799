/* System services on open files: reading, writing, controlling. */
#include "io/device.h"
#include "io/file.h"
#include "io/io.h"
#include "io/request.h"
#include "io/transfer.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ob/object.h"

#include <ntifs.h>

/* A request on a handle, from its arguments to its status. */
struct call {
    PFILE_OBJECT file; /* referenced */
    PKEVENT event;     /* referenced, or NULL */
    ACCESS_MASK access;
    PIO_STATUS_BLOCK status_block; /* the caller's */
    PDEVICE_OBJECT device;
    PIRP irp;
};

static void release(struct call *call)
{
    if (call->irp != NULL) {
        io_request_discard(call->irp);
    }
    if (call->event != NULL) {
        ob_dereference(call->event);
    }
    if (call->file != NULL) {
        ob_dereference(call->file);
    }
}

static NTSTATUS reference_objects(struct call *call, HANDLE file, HANDLE event)
{
    ACCESS_MASK access;
    void *object = NULL;
    NTSTATUS status = ob_reference_handle(file, &io_file_type, &object, &call->access);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    call->file = object;
    if (event != NULL) {
        status = ob_reference_handle(event, *ExEventObjectType, &object, &access);
        if (!NT_SUCCESS(status)) {
            return status;
        }
        call->event = object;
        KeClearEvent(call->event);
    }
    return STATUS_SUCCESS;
}

/* Looks up the handles and makes the IRP. On failure nothing is left. */
static NTSTATUS begin(struct call *call, HANDLE file, HANDLE event, PIO_APC_ROUTINE apc,
                      PIO_STATUS_BLOCK status_block, UCHAR major_function)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (apc != NULL) {
        ke_not_implemented("a file service with an APC routine");
    }
    *call = (struct call){.status_block = status_block};
    NTSTATUS status = reference_objects(call, file, event);
    if (!NT_SUCCESS(status)) {
        release(call);
        return status;
    }
    call->device = io_device_top(call->file->DeviceObject);
    struct io_request request = {
        .device = call->device,
        .file = call->file,
        .major_function = major_function,
        .mode = io_caller_mode(),
    };
    call->irp = io_request_create(&request, IO_IRP_THREADED, _ReturnAddress());
    if (call->irp == NULL) {
        release(call);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_SUCCESS;
}

/* Hands the references over to the IRP: its end drops them. */
static void attach_objects(const struct call *call)
{
    struct io_irp_record *record = io_irp_record(call->irp);
    record->file = call->file;
    record->event = call->event;
    KeClearEvent(&call->file->Event);
}

/* Sends and returns at once; the status block and the event tell of the end. */
static NTSTATUS send_asynchronously(const struct call *call)
{
    call->irp->UserEvent = call->event;
    call->irp->UserIosb = call->status_block;
    return IofCallDriver(call->device, call->irp);
}

static NTSTATUS send(const struct call *call)
{
    bool is_synchronous = (call->file->Flags & FO_SYNCHRONOUS_IO) != 0;
    attach_objects(call);
    if (is_synchronous) {
        call->irp->Flags |= IRP_SYNCHRONOUS_API;
        return io_request_wait(call->device, call->irp, call->status_block);
    }
    return send_asynchronously(call);
}

/* Sends what begin() made, if status says that its buffers are in place. */
static NTSTATUS send_prepared(struct call *call, NTSTATUS status)
{
    if (!NT_SUCCESS(status)) {
        release(call);
        return status;
    }
    return send(call);
}

/*
 * Reads from a device. Without an own event the file's is signalled. STATUS_PENDING for a file
 * opened without FILE_SYNCHRONOUS_IO_..., until the end. PASSIVE_LEVEL. (DEV-76)
 */
NTSTATUS ZwReadFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                    PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
                    PLARGE_INTEGER ByteOffset, PULONG Key)
{
    struct call call;
    UNREFERENCED_PARAMETER(ApcContext);
    NTSTATUS status = begin(&call, FileHandle, Event, ApcRoutine, IoStatusBlock, IRP_MJ_READ);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(call.irp);
    location->Parameters.Read.Length = Length;
    location->Parameters.Read.Key = Key != NULL ? *Key : 0;
    location->Parameters.Read.ByteOffset.QuadPart = ByteOffset != NULL ? ByteOffset->QuadPart : 0;
    call.irp->Flags |= IRP_READ_OPERATION;
    return send_prepared(&call, io_transfer_read(call.irp, call.device, Buffer, Length));
}

/* Writes to a device, as ZwReadFile reads. PASSIVE_LEVEL. (DEV-76) */
NTSTATUS ZwWriteFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                     PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer, ULONG Length,
                     PLARGE_INTEGER ByteOffset, PULONG Key)
{
    struct call call;
    UNREFERENCED_PARAMETER(ApcContext);
    NTSTATUS status = begin(&call, FileHandle, Event, ApcRoutine, IoStatusBlock, IRP_MJ_WRITE);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(call.irp);
    location->Parameters.Write.Length = Length;
    location->Parameters.Write.Key = Key != NULL ? *Key : 0;
    location->Parameters.Write.ByteOffset.QuadPart = ByteOffset != NULL ? ByteOffset->QuadPart : 0;
    call.irp->Flags |= IRP_WRITE_OPERATION;
    return send_prepared(&call, io_transfer_write(call.irp, call.device, Buffer, Length));
}

/* What a user's handle must have been opened for. (DEV-64) */
static bool may_control(const struct call *call, ULONG code)
{
    ULONG needed = (code >> 14) & (FILE_READ_ACCESS | FILE_WRITE_ACCESS);
    return call->irp->RequestorMode == KernelMode || (call->access & needed) == needed;
}

static NTSTATUS control(HANDLE handle, HANDLE event, PIO_APC_ROUTINE apc,
                        PIO_STATUS_BLOCK status_block, ULONG code, PVOID input, ULONG input_bytes,
                        PVOID output, ULONG output_bytes, UCHAR major_function)
{
    struct call call;
    NTSTATUS status = begin(&call, handle, event, apc, status_block, major_function);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (!may_control(&call, code)) {
        return send_prepared(&call, STATUS_ACCESS_DENIED);
    }
    PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(call.irp);
    location->Flags = (UCHAR)(((call.access & FILE_READ_DATA) != 0 ? SL_READ_ACCESS_GRANTED : 0) |
                              ((call.access & FILE_WRITE_DATA) != 0 ? SL_WRITE_ACCESS_GRANTED : 0));
    status =
        io_transfer_control(call.irp, location, code, input, input_bytes, output, output_bytes);
    return send_prepared(&call, status);
}

/*
 * Sends a control code to a device; its buffers go as the code's method says. STATUS_ACCESS_DENIED
 * where a user's handle lacks the access that the code names. PASSIVE_LEVEL. (DEV-64 to DEV-72)
 */
NTSTATUS ZwDeviceIoControlFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine,
                               PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
                               ULONG IoControlCode, PVOID InputBuffer, ULONG InputBufferLength,
                               PVOID OutputBuffer, ULONG OutputBufferLength)
{
    UNREFERENCED_PARAMETER(ApcContext);
    return control(FileHandle, Event, ApcRoutine, IoStatusBlock, IoControlCode, InputBuffer,
                   InputBufferLength, OutputBuffer, OutputBufferLength, IRP_MJ_DEVICE_CONTROL);
}

/* As ZwDeviceIoControlFile, as IRP_MJ_FILE_SYSTEM_CONTROL. PASSIVE_LEVEL. */
NTSTATUS ZwFsControlFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine,
                         PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock, ULONG FsControlCode,
                         PVOID InputBuffer, ULONG InputBufferLength, PVOID OutputBuffer,
                         ULONG OutputBufferLength)
{
    UNREFERENCED_PARAMETER(ApcContext);
    return control(FileHandle, Event, ApcRoutine, IoStatusBlock, FsControlCode, InputBuffer,
                   InputBufferLength, OutputBuffer, OutputBufferLength, IRP_MJ_FILE_SYSTEM_CONTROL);
}

/* Has the device write out what it holds back. Waits in any case. PASSIVE_LEVEL. */
NTSTATUS ZwFlushBuffersFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock)
{
    struct call call;
    NTSTATUS status = begin(&call, FileHandle, NULL, NULL, IoStatusBlock, IRP_MJ_FLUSH_BUFFERS);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    attach_objects(&call);
    return io_request_wait(call.device, call.irp, IoStatusBlock);
}
