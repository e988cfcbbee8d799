#include "io/transfer.h"

#include "base/sanitize.h"
#include "ex/pool.h"
#include "io/irp.h"
#include "ke/bugcheck.h"
#include "ke/warning.h"
#include "verifier/level.h"
#include "verifier/once.h"

#include <excpt.h>
#include <string.h>

/* So many bytes in turn are taken for memory that nobody wrote. */
#define FRESH_RUN 8

#define VENDOR_TYPE_MIN 0x8000
#define VENDOR_FUNCTION_MIN 0x800

static NTSTATUS copy_in(PVOID to, const void *from, ULONG bytes)
{
    __try {
        memcpy(to, from, bytes);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

NTSTATUS io_transfer_buffer(PIRP irp, const void *input, ULONG input_bytes, PVOID output,
                            ULONG output_bytes)
{
    ULONG bytes = input_bytes > output_bytes ? input_bytes : output_bytes;
    irp->UserBuffer = output;
    if (bytes == 0) {
        return STATUS_SUCCESS;
    }
    irp->AssociatedIrp.SystemBuffer =
        ex_pool_allocate(NonPagedPoolNx, bytes, IO_TRANSFER_TAG, _ReturnAddress());
    if (irp->AssociatedIrp.SystemBuffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    irp->Flags |= IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER;
    if (output_bytes != 0) {
        irp->Flags |= IRP_INPUT_OPERATION;
        io_irp_record(irp)->output_bytes = output_bytes;
    }
    return input_bytes != 0 ? copy_in(irp->AssociatedIrp.SystemBuffer, input, input_bytes)
                            : STATUS_SUCCESS;
}

static NTSTATUS lock_pages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation)
{
    __try {
        MmProbeAndLockPages(mdl, mode, operation);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

NTSTATUS io_transfer_lock(PIRP irp, PVOID buffer, ULONG bytes, LOCK_OPERATION operation)
{
    if (bytes == 0) {
        return STATUS_SUCCESS;
    }
    PMDL mdl = IoAllocateMdl(buffer, bytes, FALSE, FALSE, irp);
    if (mdl == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return lock_pages(mdl, irp->RequestorMode, operation);
}

NTSTATUS io_transfer_read(PIRP irp, PDEVICE_OBJECT device, PVOID buffer, ULONG bytes)
{
    irp->UserBuffer = buffer;
    if ((device->Flags & DO_BUFFERED_IO) != 0) {
        return io_transfer_buffer(irp, NULL, 0, buffer, bytes);
    }
    return (device->Flags & DO_DIRECT_IO) != 0 ? io_transfer_lock(irp, buffer, bytes, IoWriteAccess)
                                               : STATUS_SUCCESS;
}

NTSTATUS io_transfer_write(PIRP irp, PDEVICE_OBJECT device, PVOID buffer, ULONG bytes)
{
    irp->UserBuffer = buffer;
    if ((device->Flags & DO_BUFFERED_IO) != 0) {
        return io_transfer_buffer(irp, buffer, bytes, buffer, 0);
    }
    return (device->Flags & DO_DIRECT_IO) != 0 ? io_transfer_lock(irp, buffer, bytes, IoReadAccess)
                                               : STATUS_SUCCESS;
}

/* A vendor's device type with a function that is not a vendor's. Each code is told of once. */
static void check_code(ULONG code)
{
    ULONG function = IoGetFunctionCodeFromCtlCode(code);
    if (DEVICE_TYPE_FROM_CTL_CODE(code) >= VENDOR_TYPE_MIN && function < VENDOR_FUNCTION_MIN &&
        verifier_speaks_first("DEV-63", (const void *)(ULONG_PTR)code)) {
        ke_warning("DEV-63",
                   "the control code 0x%08X has the device type 0x%X, which is a vendor's, and the "
                   "function 0x%X; those of vendors begin at 0x800",
                   code, DEVICE_TYPE_FROM_CTL_CODE(code), function);
    }
}

NTSTATUS io_transfer_control(PIRP irp, PIO_STACK_LOCATION location, ULONG code, PVOID input,
                             ULONG input_bytes, PVOID output, ULONG output_bytes)
{
    ULONG method = METHOD_FROM_CTL_CODE(code);
    check_code(code);
    location->Parameters.DeviceIoControl.IoControlCode = code;
    location->Parameters.DeviceIoControl.InputBufferLength = input_bytes;
    location->Parameters.DeviceIoControl.OutputBufferLength = output_bytes;
    location->Parameters.DeviceIoControl.Type3InputBuffer = NULL;
    if (method == METHOD_NEITHER) {
        irp->UserBuffer = output;
        location->Parameters.DeviceIoControl.Type3InputBuffer = input;
        return STATUS_SUCCESS;
    }
    if (method == METHOD_BUFFERED) {
        return io_transfer_buffer(irp, input, input_bytes, output, output_bytes);
    }
    NTSTATUS status = io_transfer_buffer(irp, input, input_bytes, output, 0);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    LOCK_OPERATION operation = method == METHOD_IN_DIRECT ? IoReadAccess : IoWriteAccess;
    return io_transfer_lock(irp, output, output_bytes, operation);
}

/* The first of so many bytes that nobody wrote, or NULL. */
static const UCHAR *find_fresh(const UCHAR *buffer, size_t bytes)
{
    size_t end = min(bytes, EX_POOL_FRESH_BYTES_MAX);
    size_t in_turn = 0;
    for (size_t i = 0; i < end; i++) {
        in_turn = buffer[i] == EX_POOL_FRESH_BYTE ? in_turn + 1 : 0;
        if (in_turn == FRESH_RUN) {
            return &buffer[i + 1 - FRESH_RUN];
        }
    }
    return NULL;
}

/* Pool that nobody wrote tells whoever made the request what the kernel had there before. */
static void check_written(PIRP irp, ULONG_PTR bytes)
{
    const UCHAR *buffer = irp->AssociatedIrp.SystemBuffer;
    const UCHAR *fresh = verifier_is_on() ? find_fresh(buffer, bytes) : NULL;
    if (fresh != NULL) {
        ke_warning("DEV-75",
                   "the driver completed the IRP %p with Information %llu and did not write the "
                   "output from byte %llu on: uninitialised pool goes to whoever made the request",
                   (void *)irp, (unsigned long long)bytes, (unsigned long long)(fresh - buffer));
    }
}

void io_transfer_copy_back(PIRP irp)
{
    ULONG flags = IRP_BUFFERED_IO | IRP_INPUT_OPERATION;
    ULONG_PTR bytes = irp->IoStatus.Information;
    if ((irp->Flags & flags) != flags || NT_ERROR(irp->IoStatus.Status) || bytes == 0) {
        return;
    }
    ULONG room = io_irp_record(irp)->output_bytes;
    if (bytes > room) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x312, 0, (ULONG_PTR)irp, 0, "DEV-68",
                    "The driver completed the IRP %p with Information %llu; the output buffer has "
                    "%u bytes.",
                    (void *)irp, (unsigned long long)bytes, room);
    }
    check_written(irp, bytes);
    memcpy(irp->UserBuffer, irp->AssociatedIrp.SystemBuffer, bytes);
}

/* A guard is no memory that may be used. */
BASE_NOT_SANITIZED static UCHAR byte_of_guard(const volatile UCHAR *damage)
{
    return *damage;
}

void io_transfer_report_damage(PIRP irp, const UCHAR *damage)
{
    const UCHAR *buffer = irp->AssociatedIrp.SystemBuffer;
    struct ex_pool_info info = {.bytes = 0};
    ex_pool_find_start(buffer, &info);
    ke_bugcheck(BAD_POOL_HEADER, damage > buffer ? 0x21 : 0x20, (ULONG_PTR)buffer, info.bytes,
                byte_of_guard(damage), "DEV-74",
                "The driver wrote outside of the system buffer %p of %llu bytes of the IRP %p, "
                "which it completes: the byte at offset %lld was overwritten with 0x%02X.",
                (const void *)buffer, (unsigned long long)info.bytes, (void *)irp,
                (long long)(damage - buffer), byte_of_guard(damage));
}

void io_transfer_release(PIRP irp)
{
    if ((irp->Flags & IRP_DEALLOCATE_BUFFER) != 0) {
        ex_pool_free(irp->AssociatedIrp.SystemBuffer, IO_TRANSFER_TAG, _ReturnAddress());
        irp->Flags &= ~(ULONG)IRP_DEALLOCATE_BUFFER;
    }
    while (irp->MdlAddress != NULL) {
        PMDL mdl = irp->MdlAddress;
        irp->MdlAddress = mdl->Next;
        if ((mdl->MdlFlags & MDL_PAGES_LOCKED) != 0) {
            MmUnlockPages(mdl);
        }
        IoFreeMdl(mdl);
    }
}
