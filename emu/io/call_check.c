/* What is looked at before an IRP is sent. */
#include "io/call.h"

#include "base/sanitize.h"
#include "base/stack.h"
#include "io/io.h"
#include "ke/bugcheck.h"
#include "ke/thread.h"
#include "ke/warning.h"
#include "verifier/level.h"
#include "verifier/rule.h"

#include <string.h>

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
        verifier_rule_speak("DV-47");
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x23A, (ULONG_PTR)caller, (ULONG_PTR)irp,
                    0, "IRP-45",
                    "The driver sent the IRP %p with major function 0x%02X at DISPATCH_LEVEL. "
                    "Driver Verifier checks it, too: see rule DV-47",
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

/* Without the lock: a device that gets requests is seldom attached or detached meanwhile. */
BASE_NOT_SANITIZED static const DEVICE_OBJECT *below(const volatile DEVICE_OBJECT *device)
{
    const volatile DEVOBJ_EXTENSION *extension = device->DeviceObjectExtension;
    return extension->AttachedTo;
}

/* A device on top of another takes over how that one gets its buffers. (DEV-40) */
static void check_attached(PDEVICE_OBJECT device)
{
    const ULONG buffering = DO_BUFFERED_IO | DO_DIRECT_IO;
    const DEVICE_OBJECT *lower = below(device);
    if (lower == NULL || lower->DriverObject == device->DriverObject) {
        return;
    }
    if (((lower->Flags ^ device->Flags) & buffering) != 0) {
        ke_violation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x244, (ULONG_PTR)device, 0, 0, "DEV-40",
                     "The device %p lies on top of %p and did not take over its DO_BUFFERED_IO or "
                     "DO_DIRECT_IO.",
                     (void *)device, (const void *)lower);
    }
    if (lower->DeviceType != device->DeviceType) {
        ke_violation(
            DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x246, (ULONG_PTR)device, 0, 0, "DEV-40",
            "The device %p, of type 0x%X, lies on top of %p and did not take over its type "
            "0x%X.",
            (void *)device, device->DeviceType, (const void *)lower, lower->DeviceType);
    }
}

/* An IRP of its driver's has room for all the drivers that it is sent through. (IRP-02) */
static void check_room(PDEVICE_OBJECT device, PIRP irp)
{
    const struct io_irp_record *record = io_irp_record(irp);
    bool is_fresh =
        record != NULL && record->kind == IO_IRP_DRIVERS && record->receiver == IO_IRP_TO_NOBODY;
    if (is_fresh && irp->CurrentLocation > 1 && irp->CurrentLocation - 1 < device->StackSize) {
        ke_warning("IRP-02",
                   "the driver sent the IRP %p, allocated by %s, with %d stack locations left to "
                   "the device %p, whose StackSize is %d",
                   (void *)irp, base_stack_site(record->creator).text, irp->CurrentLocation - 1,
                   (void *)device, device->StackSize);
    }
}

/* ---- the location that it is sent to ---- */

static bool is_empty(const IO_STACK_LOCATION *location)
{
    const ULONG_PTR *parameters = (const ULONG_PTR *)(const void *)&location->Parameters;
    return location->MajorFunction == 0 && location->MinorFunction == 0 && location->Flags == 0 &&
           location->FileObject == NULL && parameters[0] == 0 && parameters[1] == 0 &&
           parameters[2] == 0 && parameters[3] == 0;
}

static bool is_same(const IO_STACK_LOCATION *one, const IO_STACK_LOCATION *other)
{
    return one->MajorFunction == other->MajorFunction &&
           one->MinorFunction == other->MinorFunction && one->Flags == other->Flags &&
           one->FileObject == other->FileObject &&
           RtlEqualMemory((const UCHAR *)&one->Parameters, (const UCHAR *)&other->Parameters,
                          sizeof(one->Parameters));
}

/* Whether the sender took its whole location over, with what the driver above set in it. */
static bool is_copied_by_hand(const IO_STACK_LOCATION *location, const IO_STACK_LOCATION *above)
{
    return location->CompletionRoutine != NULL && location->Context != NULL &&
           location->CompletionRoutine == above->CompletionRoutine &&
           location->Context == above->Context;
}

static void wrong_location(PIRP irp, ULONG code, const char *rule, const char *what,
                           const void *caller)
{
    ke_violation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, code, (ULONG_PTR)caller, (ULONG_PTR)irp, 0,
                 rule, "The driver sent the IRP %p on, at %s, %s", (void *)irp,
                 base_stack_site(caller).text, what);
}

static void check_control(PIRP irp, const IO_STACK_LOCATION *location, bool is_skipped,
                          const void *caller)
{
    const UCHAR of_drivers = SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL;
    if ((location->Control & SL_PENDING_RETURNED) != 0 && is_skipped) {
        wrong_location(irp, 0x212, "IRP-30",
                       "with its own stack location skipped that it had marked pending; copy the "
                       "location instead.",
                       caller);
        return;
    }
    if ((location->Control & ~of_drivers) != 0) {
        wrong_location(irp, 0x206, "IRP-36",
                       "with a Control member that the driver wrote itself, or did not clear, in "
                       "the next stack location.",
                       caller);
    }
}

/* Once a kernel is enough: it costs a little, and harms nothing. */
static void warn_of_copy(PIRP irp, const void *caller)
{
    if (atomic_exchange(&io_state()->has_warned_of_copy, true)) {
        return;
    }
    ke_warning("IRP-34",
               "the driver copied its stack location of the IRP %p and set no completion routine, "
               "at %s; IoSkipCurrentIrpStackLocation is enough",
               (void *)irp, base_stack_site(caller).text);
}

void io_call_check_location(PIRP irp, const IO_STACK_LOCATION *location, bool is_skipped,
                            const void *caller)
{
    if (!verifier_is_on()) {
        return;
    }
    bool has_above = irp->CurrentLocation < irp->StackCount;
    const IO_STACK_LOCATION *above = location + 1;
    if (has_above && !is_skipped && is_copied_by_hand(location, above)) {
        wrong_location(irp, 0x207, "IRP-33",
                       "with a stack location copied by hand, completion routine and all.", caller);
        return;
    }
    check_control(irp, location, is_skipped, caller);
    if (!has_above || is_skipped) {
        return;
    }
    if (is_empty(location) && above->MajorFunction != 0) {
        wrong_location(irp, 0x212, "IRP-40",
                       "without having set up the next stack location: neither copied nor skipped "
                       "its own.",
                       caller);
        return;
    }
    if (location->CompletionRoutine == NULL && (above->Control & SL_PENDING_RETURNED) == 0 &&
        above->DeviceObject != NULL && is_same(location, above)) {
        warn_of_copy(irp, caller);
    }
}

void io_call_check(PDEVICE_OBJECT device, PIRP irp, const void *caller)
{
    check_device(device);
    check_attached(device);
    check_irp(irp, caller);
    check_threaded(irp, caller);
    check_room(device, irp);
}
