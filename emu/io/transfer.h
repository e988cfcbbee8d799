/* How the buffers of a request reach the driver and come back. See transfer.c. */
#ifndef IO_TRANSFER_H
#define IO_TRANSFER_H

#include <wdm.h>

#include "ex/pool.h"

/* Of the buffers that the I/O manager makes: "Io  ". */
#define IO_TRANSFER_TAG 0x20206F49

/*
 * Buffered: one system buffer for input and output, the input copied in. STATUS_SUCCESS,
 * STATUS_INSUFFICIENT_RESOURCES, or the exception that the input's memory raised.
 */
NTSTATUS io_transfer_buffer(PIRP irp, const void *input, ULONG input_bytes, PVOID output,
                            ULONG output_bytes);

/* Direct: an MDL of the buffer, locked. Statuses as above. */
NTSTATUS io_transfer_lock(PIRP irp, PVOID buffer, ULONG bytes, LOCK_OPERATION operation);

/* A read or write of the kind that the device's flags ask for. Statuses as above. */
NTSTATUS io_transfer_read(PIRP irp, PDEVICE_OBJECT device, PVOID buffer, ULONG bytes);
NTSTATUS io_transfer_write(PIRP irp, PDEVICE_OBJECT device, PVOID buffer, ULONG bytes);

/* A control of the kind that its code asks for. Statuses as above. */
NTSTATUS io_transfer_control(PIRP irp, PIO_STACK_LOCATION location, ULONG code, PVOID input,
                             ULONG input_bytes, PVOID output, ULONG output_bytes);

/* Copies buffered output back as the IRP's status says. */
void io_transfer_copy_back(PIRP irp);

void io_transfer_report_damage(PIRP irp, const UCHAR *damage);

/* Bug checks if somebody wrote outside of the system buffer. */
static inline void io_transfer_check_buffer(PIRP irp)
{
    if ((irp->Flags & IRP_DEALLOCATE_BUFFER) != 0) {
        const UCHAR *damage = ex_pool_damage(irp->AssociatedIrp.SystemBuffer);
        if (damage != NULL) {
            io_transfer_report_damage(irp, damage);
        }
    }
}

/* Frees the system buffer and the MDLs. */
void io_transfer_release(PIRP irp);

#endif
