/* What is looked at before an IRP is sent. */
#include "io/call.h"

#include "io/irp.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"

static void check_device(PDEVICE_OBJECT device)
{
    if (device == NULL) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x204, 0, 0, 0, "IRP-43",
                    "The driver called IoCallDriver with device object NULL.");
    }
    if (device->Type != IO_TYPE_DEVICE || device->DriverObject == NULL) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x4, (ULONG_PTR)device, 0, 0, "IRP-43",
                    "The driver called IoCallDriver with %p, which is no device object.",
                    (void *)device);
    }
}

static void check_irp(PIRP irp, const void *caller)
{
    if (!io_irp_is_alive(irp)) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x3, (ULONG_PTR)irp, 0, 0, "IRP-43",
                    "The driver called IoCallDriver with %p, which is no IRP, or was freed "
                    "already.",
                    (void *)irp);
    }
    if (io_irp_cancel_routine(irp) != NULL) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x203, (ULONG_PTR)caller, (ULONG_PTR)irp,
                    0, "IRP-42",
                    "The driver passed on the IRP %p while its cancel routine was set.",
                    (void *)irp);
    }
}

/* Which requests drivers may send to each other at DISPATCH_LEVEL. (IRP-45) */
static bool is_for_dispatch_level(UCHAR major_function)
{
    switch (major_function) {
    case IRP_MJ_READ:
    case IRP_MJ_WRITE:
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_INTERNAL_DEVICE_CONTROL:
    case IRP_MJ_POWER:
        return true;
    default:
        return false;
    }
}

void io_call_check_level(PIRP irp, UCHAR major_function, const void *caller)
{
    KIRQL irql = ke_current()->irql;
    if (irql > DISPATCH_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x10, irql, 0, 0, "IRP-45",
                    "The driver called IoCallDriver at IRQL %u.", irql);
    }
    if (irql == DISPATCH_LEVEL && !is_for_dispatch_level(major_function)) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x23A, (ULONG_PTR)caller, (ULONG_PTR)irp,
                    0, "IRP-45",
                    "The driver sent the IRP %p with major function 0x%02X at DISPATCH_LEVEL.",
                    (void *)irp, major_function);
    }
}

/* What the thread's I/O needs at the first call of a request that is queued to it. */
static void check_threaded(PIRP irp, const void *caller)
{
    const struct io_irp_record *record = io_irp_record(irp);
    if (record == NULL || record->kind != IO_IRP_THREADED ||
        irp->CurrentLocation <= irp->StackCount) {
        return;
    }
    const struct _KTHREAD *thread = ke_current();
    if (thread->irql >= APC_LEVEL || thread->special_apc_disable != 0) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x302, (ULONG_PTR)caller, (ULONG_PTR)irp,
                    thread->irql, "IRP-46",
                    "The driver sent the IRP %p, whose completion needs an APC, at IRQL %u or in "
                    "a guarded region.",
                    (void *)irp, thread->irql);
    }
    if (irp->UserEvent != NULL && KeReadStateEvent(irp->UserEvent) != 0) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x307, (ULONG_PTR)caller, (ULONG_PTR)irp,
                    0, "IRP-104",
                    "The driver sent the IRP %p with an event that is signalled already.",
                    (void *)irp);
    }
}

void io_call_check(PDEVICE_OBJECT device, PIRP irp, const void *caller)
{
    check_device(device);
    check_irp(irp, caller);
    check_threaded(irp, caller);
}
