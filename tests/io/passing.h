/* Dispatch routines of drivers that complete IRPs or pass them on, as documented. */
#ifndef TESTS_IO_PASSING_H
#define TESTS_IO_PASSING_H

#include "io_driver.h"

static inline NTSTATUS complete_marked(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoMarkIrpPending(irp);
    complete(irp, STATUS_SUCCESS, 0);
    return STATUS_PENDING;
}

static inline NTSTATUS mark_and_continue(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(context);
    if (irp->PendingReturned) {
        IoMarkIrpPending(irp);
    }
    return STATUS_CONTINUE_COMPLETION;
}

static inline NTSTATUS pass_copied(PDEVICE_OBJECT device, PIRP irp)
{
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, mark_and_continue, NULL, TRUE, TRUE, TRUE);
    return IoCallDriver(node_of(device)->lower, irp);
}

static inline NTSTATUS pass_skipped(PDEVICE_OBJECT device, PIRP irp)
{
    IoSkipCurrentIrpStackLocation(irp);
    return IoCallDriver(node_of(device)->lower, irp);
}

static inline NTSTATUS pass_marked(PDEVICE_OBJECT device, PIRP irp)
{
    IoMarkIrpPending(irp);
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, mark_and_continue, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(node_of(device)->lower, irp);
    return STATUS_PENDING;
}

#endif
