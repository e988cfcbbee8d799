/*
 * Completing IRPs: the walk from the completing driver's stack location upwards.
 *
 * Each location that is left is emptied before the routine that the driver above stored in it is
 * called. A routine that returns STATUS_MORE_PROCESSING_REQUIRED owns the IRP from the moment in
 * which it was entered: the walk ends and touches the IRP no more. At the top the request ends for
 * whoever made it.
 */
#include "base/stack.h"
#include "io/call.h"
#include "io/driver.h"
#include "io/io.h"
#include "io/irp_check.h"
#include "io/request.h"
#include "io/transfer.h"
#include "ke/bugcheck.h"
#include "ke/callback.h"
#include "ke/limit.h"
#include "ke/warning.h"
#include "trace/trace.h"
#include "verifier/object.h"
#include "verifier/once.h"

#include <stdlib.h>

static bool wants(const IO_STACK_LOCATION *location, const IRP *irp)
{
    UCHAR flag = NT_SUCCESS(irp->IoStatus.Status) ? SL_INVOKE_ON_SUCCESS : SL_INVOKE_ON_ERROR;
    return (location->Control & flag) != 0 ||
           (irp->Cancel && (location->Control & SL_INVOKE_ON_CANCEL) != 0);
}

/* Empties a location that has done its work, so that a reused IRP starts clean. (IRP-86) */
static void clear_location(PIO_STACK_LOCATION location)
{
    location->MinorFunction = 0;
    location->Flags = 0;
    location->Control = 0;
    location->Parameters.Others.Argument1 = NULL;
    location->Parameters.Others.Argument2 = NULL;
    location->Parameters.Others.Argument3 = NULL;
    location->Parameters.Others.Argument4 = NULL;
    location->FileObject = NULL;
    location->CompletionRoutine = NULL;
    location->Context = NULL;
}

static bool is_at_top(const IRP *irp)
{
    return irp->CurrentLocation > irp->StackCount;
}

static void check_state(const struct ke_callback *callback)
{
    const struct _KTHREAD *thread = ke_current();
    if (thread->irql != callback->irql) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xFA, (ULONG_PTR)callback->routine,
                    callback->irql, thread->irql, "IRP-65",
                    "The driver's completion routine %p was called at IRQL %u and returned at "
                    "%u.",
                    callback->routine, callback->irql, thread->irql);
    }
    if (thread->kernel_apc_disable != callback->kernel_apc_disable ||
        thread->special_apc_disable != callback->special_apc_disable) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xFB, (ULONG_PTR)callback->routine,
                    (USHORT)thread->kernel_apc_disable, (USHORT)callback->kernel_apc_disable,
                    "IRP-65",
                    "The driver's completion routine %p returned inside a critical or guarded "
                    "region that it entered, or left one that it did not enter.",
                    callback->routine);
    }
}

/* Whether WSK had the IRP in the location right below the current one. */
static bool comes_from_wsk(PIRP irp)
{
    const struct io_irp_record *record = io_irp_record(irp);
    return record != NULL && record->receiver == IO_IRP_TO_WSK &&
           record->wsk_location == irp->CurrentLocation - 1;
}

/* A routine that lets completion go on has to carry the pending mark up. (IRP-67, IRP-68) */
static void check_went_on(PIRP irp, NTSTATUS returned, const void *routine)
{
    if (returned == STATUS_PENDING) {
        ke_warning(comes_from_wsk(irp) ? "WSK-IRP-17" : "IRP-67",
                   "the completion routine %p returned STATUS_PENDING", routine);
    }
    if (irp->PendingReturned && !is_at_top(irp) &&
        (IoGetCurrentIrpStackLocation(irp)->Control & SL_PENDING_RETURNED) == 0) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x228, (ULONG_PTR)routine, (ULONG_PTR)irp,
                    0, comes_from_wsk(irp) ? "WSK-IRP-21" : "IRP-68",
                    "The driver's completion routine %p saw PendingReturned for the IRP %p, let "
                    "completion go on and did not call IoMarkIrpPending.",
                    routine, (void *)irp);
    }
}

/* A routine that gave the IRP away, or freed it, has to say so. The IRP may be gone. */
static void check_still_ours(PIRP irp, CHAR location, NTSTATUS returned, const void *routine)
{
    if (!io_irp_is_alive(irp)) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x20A, (ULONG_PTR)routine, (ULONG_PTR)irp,
                    0, "IRP-71",
                    "The driver's completion routine %p freed the IRP %p and returned 0x%08X; it "
                    "has to return STATUS_MORE_PROCESSING_REQUIRED.",
                    routine, (void *)irp, (unsigned)returned);
    }
    if (irp->CurrentLocation < location) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x209, (ULONG_PTR)routine, (ULONG_PTR)irp,
                    0, "IRP-73",
                    "The driver's completion routine %p sent the IRP %p again and returned 0x%08X; "
                    "it has to return STATUS_MORE_PROCESSING_REQUIRED.",
                    routine, (void *)irp, (unsigned)returned);
    }
    io_irp_check_locations(irp);
}

/* Which rule speaks of the completion of an own IRP. */
static const char *rule_of_own(const struct io_irp_record *record)
{
    if (record != NULL && record->receiver == IO_IRP_TO_WSK) {
        return "WSK-IRP-11";
    }
    return record != NULL && record->kind == IO_IRP_ASYNCHRONOUS ? "IRP-109" : "IRP-04";
}

/* The driver's own IRP goes on to an end that it has not. (IRP-04, IRP-109, WSK-IRP-11) */
static void check_taken_back(PIRP irp, NTSTATUS returned, const void *routine)
{
    if (!is_at_top(irp) || !io_irp_is_drivers(irp)) {
        return;
    }
    const struct io_irp_record *record = io_irp_record(irp);
    ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x200, (ULONG_PTR)irp, (ULONG_PTR)routine,
                (ULONG)returned, rule_of_own(record),
                "The completion routine %s returned 0x%08X for the IRP %p, which its driver "
                "allocated: it has to return STATUS_MORE_PROCESSING_REQUIRED.",
                base_stack_site_of(routine).text, (unsigned)returned, (void *)irp);
}

static const char completion_routine[] = "a completion routine";

bool io_completion_runs(void)
{
    const struct ke_callback *callback = ke_callback_innermost();
    return callback != NULL && callback->what == completion_routine;
}

/* Returns whether the routine took the IRP back. */
static inline bool call_routine(PIRP irp, PIO_COMPLETION_ROUTINE routine, PVOID context)
{
    struct ke_callback callback;
    PDEVICE_OBJECT device = is_at_top(irp) ? NULL : IoGetCurrentIrpStackLocation(irp)->DeviceObject;
    CHAR location = irp->CurrentLocation;
    ke_callback_enter(&callback, completion_routine, (void *)(ULONG_PTR)routine);
    NTSTATUS status = routine(device, irp, context);
    check_state(&callback);
    ke_callback_leave_with(&callback, status);
    if (status == STATUS_MORE_PROCESSING_REQUIRED) {
        return true;
    }
    check_still_ours(irp, location, status, (const void *)(ULONG_PTR)routine);
    check_went_on(irp, status, (const void *)(ULONG_PTR)routine);
    check_taken_back(irp, status, (const void *)(ULONG_PTR)routine);
    return false;
}

/* Climbs one location. Returns whether a completion routine took the IRP back. */
static bool climb(PIRP irp)
{
    PIO_STACK_LOCATION location = irp->Tail.Overlay.CurrentStackLocation;
    struct io_call_shard *shard = io_calls_may_have(irp) ? io_calls_lock(irp) : NULL;
    irp->CurrentLocation++;
    irp->Tail.Overlay.CurrentStackLocation++;
    irp->PendingReturned = (location->Control & SL_PENDING_RETURNED) != 0;
    if (shard != NULL) {
        io_calls_note_left(shard, irp, location);
    }
    bool is_wanted = location->CompletionRoutine != NULL && wants(location, irp);
    if (!is_wanted && irp->PendingReturned && !is_at_top(irp)) {
        IoMarkIrpPending(irp);
    }
    if (shard != NULL) {
        io_calls_unlock(shard);
    }
    PIO_COMPLETION_ROUTINE routine = location->CompletionRoutine;
    PVOID context = location->Context;
    clear_location(location);
    return is_wanted && call_routine(irp, routine, context);
}

/* Whether the request ends here though nobody has a location: its maker did not send it. */
static bool was_never_sent(PIRP irp)
{
    const struct io_irp_record *record = io_irp_record(irp);
    return irp->CurrentLocation == irp->StackCount + 1 && record != NULL &&
           (record->kind == IO_IRP_THREADED || record->kind == IO_IRP_ASSOCIATED);
}

/* Whether it is an IRP that the driver made itself and gave to nobody. */
static bool is_own_and_unsent(PIRP irp)
{
    const struct io_irp_record *record = io_irp_record(irp);
    return record != NULL && record->kind == IO_IRP_DRIVERS &&
           record->receiver == IO_IRP_TO_NOBODY && is_at_top(irp);
}

static void check_not_completed(PIRP irp)
{
    if (io_irp_is_alive(irp) && is_own_and_unsent(irp) && !verifier_irp_was_completed(irp)) {
        ke_bugcheck(MULTIPLE_IRP_COMPLETE_REQUESTS, (ULONG_PTR)irp, 0, 0, 0, "IRP-04",
                    "The driver completed the IRP %p, which it allocated itself and sent to "
                    "nobody: it is freed with IoFreeIrp.",
                    (void *)irp);
    }
    if (!io_irp_is_alive(irp) || (is_at_top(irp) && !was_never_sent(irp))) {
        ke_bugcheck(MULTIPLE_IRP_COMPLETE_REQUESTS, (ULONG_PTR)irp, 0, 0, 0, "IRP-93",
                    "The driver completed the IRP %p, which was completed already.", (void *)irp);
    }
}

void io_completion_report_unsent(PIRP irp, const char *what)
{
    ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x4100F, (ULONG_PTR)irp, 0, 0, "IRP-60",
                 "The driver called IoSetCompletionRoutineEx for the IRP %p and then %s it "
                 "without having sent it: what the routine needs is never freed.",
                 (void *)irp, what);
}

/* An IRP that nobody ever received; once for each place that makes such IRPs. (IRP-95) */
static void check_was_sent(PIRP irp)
{
    const struct io_irp_record *record = io_irp_record(irp);
    bool is_unsent =
        record != NULL && record->kind == IO_IRP_DRIVERS && record->receiver == IO_IRP_TO_NOBODY;
    if (is_unsent && verifier_speaks_first("IRP-95", record->creator)) {
        ke_warning("IRP-95",
                   "the IRP %p, allocated by %s, was completed and had never been sent to a driver",
                   (void *)irp, base_stack_site(record->creator).text);
    }
}

/* The routines above may want the same lock, or wait. What WSK completes, it completes itself. */
static void check_no_spin_lock(PIRP irp, const void *caller)
{
    unsigned held = ke_current()->spin_locks_held;
    const struct io_irp_record *record = held != 0 ? io_irp_record(irp) : NULL;
    if (held != 0 && (record == NULL || record->receiver != IO_IRP_TO_WSK) &&
        verifier_speaks_first("SPIN-22", caller)) {
        ke_warning("SPIN-22", "the driver completed the IRP %p, at %s, while it held %u spin locks",
                   (void *)irp, base_stack_site(caller).text, held);
    }
}

/* Of an IRP that is completed while a cancel routine is set: the completing driver's own, or that
 * of one above it, which passed the IRP on and set the routine after that. */
static const char *rule_of_cancelable(PIRP irp, PDRIVER_CANCEL routine)
{
    const struct ke_code *code = ke_code_of((const void *)(ULONG_PTR)routine);
    if (code == NULL || is_at_top(irp)) {
        return "IRP-91";
    }
    const DEVICE_OBJECT *device = IoGetCurrentIrpStackLocation(irp)->DeviceObject;
    const struct io_driver *driver =
        device != NULL ? CONTAINING_RECORD(device->DriverObject, struct io_driver, object) : NULL;
    return driver != NULL && code != &driver->code ? "CANCEL-14" : "IRP-91";
}

/* The usual case at one look: an IRP with one location, which WSK has and completes. */
static inline bool is_of_wsk(PIRP irp, KIRQL irql)
{
    const struct io_irp_record *record = io_irp_record(irp);
    return io_irp_is_alive(irp) && irp->StackCount == 1 && irp->CurrentLocation == 1 &&
           record != NULL && record->receiver == IO_IRP_TO_WSK && !io_calls_may_have(irp) &&
           irp != io_cancelled && irql <= DISPATCH_LEVEL &&
           irp->IoStatus.Status != STATUS_PENDING && irp->IoStatus.Status != (NTSTATUS)0xFFFFFFFF &&
           io_irp_cancel_routine(irp) == NULL;
}

static inline void check_completion(PIRP irp, const void *caller)
{
    KIRQL irql = ke_current()->irql;
    if (is_of_wsk(irp, irql)) {
        return;
    }
    check_not_completed(irp);
    if (verifier_is_on()) {
        io_transfer_check_buffer(irp);
        io_call_check_held(irp, 0x209, "completed", caller);
        io_completion_check_unsent(irp, "completed");
        check_was_sent(irp);
        check_no_spin_lock(irp, caller);
        io_cancel_check_completion(irp);
    }
    if (irql > DISPATCH_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0xE, irql, (ULONG_PTR)irp, 0, "IRP-92",
                    "The driver completed the IRP %p at IRQL %u.", (void *)irp, irql);
    }
    if (irp->IoStatus.Status == STATUS_PENDING || irp->IoStatus.Status == (NTSTATUS)0xFFFFFFFF) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x6, (ULONG)irp->IoStatus.Status,
                    (ULONG_PTR)irp, 0, "IRP-89", "The driver completed the IRP %p with 0x%08X.",
                    (void *)irp, (unsigned)irp->IoStatus.Status);
    }
    PDRIVER_CANCEL cancel_routine = io_irp_cancel_routine(irp);
    if (cancel_routine != NULL) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x7, (ULONG_PTR)cancel_routine,
                    (ULONG_PTR)irp, 0, rule_of_cancelable(irp, cancel_routine),
                    "The driver completed the IRP %p while its cancel routine was set.",
                    (void *)irp);
    }
}

static void complete(PIRP irp, const void *caller)
{
    check_completion(irp, caller);
    trace_completion(irp, caller);
    while (!is_at_top(irp)) {
        if (climb(irp)) {
            return;
        }
    }
    io_request_finish(irp);
}

/*
 * Completes an IRP whose IoStatus is set: calls the completion routines above, then ends the
 * request for whoever made it. IRQL <= DISPATCH_LEVEL. (IRP-84 to IRP-88)
 */
VOID FASTCALL IofCompleteRequest(PIRP Irp, CCHAR PriorityBoost)
{
    UNREFERENCED_PARAMETER(PriorityBoost);
    ke_current();
    complete(Irp, _ReturnAddress());
}

/* As IofCompleteRequest. */
VOID(IoCompleteRequest)(PIRP Irp, CCHAR PriorityBoost)
{
    UNREFERENCED_PARAMETER(PriorityBoost);
    ke_current();
    complete(Irp, _ReturnAddress());
}

/* ---- routines that keep their driver loaded ---- */

/* What IoSetCompletionRoutineEx stored; freed when the routine is called, or not to be. */
struct kept_routine {
    PIO_COMPLETION_ROUTINE routine;
    PVOID context;
    PDRIVER_OBJECT driver;
    bool on_success;
    bool on_error;
    bool on_cancel;
};

static bool is_wanted_by(const struct kept_routine *kept, const IRP *irp)
{
    bool by_status = NT_SUCCESS(irp->IoStatus.Status) ? kept->on_success : kept->on_error;
    return by_status || (irp->Cancel && kept->on_cancel);
}

/* Stands in for the driver's routine, always called, so that what was allocated is freed. */
NTSTATUS io_completion_run_kept(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct kept_routine kept = *(struct kept_routine *)context;
    free(context);
    NTSTATUS status = STATUS_CONTINUE_COMPLETION;
    if (is_wanted_by(&kept, irp)) {
        status = kept.routine(device, irp, kept.context);
    } else if (irp->PendingReturned && !is_at_top(irp)) {
        IoMarkIrpPending(irp);
    }
    io_driver_unpin(kept.driver);
    return status;
}

/* The device is one of the driver's that sets the routine, not the one that it sends to. */
static void check_owner(PDEVICE_OBJECT device, PIRP irp)
{
    const DEVICE_OBJECT *holder =
        is_at_top(irp) ? NULL : IoGetCurrentIrpStackLocation(irp)->DeviceObject;
    if (holder != NULL && holder->DriverObject != device->DriverObject) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x4100F, (ULONG_PTR)device, (ULONG_PTR)irp,
                     0, "IRP-61",
                     "The driver that holds the IRP %p called IoSetCompletionRoutineEx with the "
                     "device %p, which is another driver's: that one would be kept loaded.",
                     (void *)irp, (void *)device);
    }
}

/*
 * As IoSetCompletionRoutine, but keeps the driver of DeviceObject loaded until the routine has
 * run. STATUS_SUCCESS, STATUS_INSUFFICIENT_RESOURCES. IRQL <= DISPATCH_LEVEL. (IRP-59)
 */
NTSTATUS IoSetCompletionRoutineEx(PDEVICE_OBJECT DeviceObject, PIRP Irp,
                                  PIO_COMPLETION_ROUTINE CompletionRoutine, PVOID Context,
                                  BOOLEAN InvokeOnSuccess, BOOLEAN InvokeOnError,
                                  BOOLEAN InvokeOnCancel)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_owner(DeviceObject, Irp);
    struct kept_routine *kept = malloc(sizeof(*kept));
    if (kept == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *kept = (struct kept_routine){
        .routine = CompletionRoutine,
        .context = Context,
        .driver = DeviceObject->DriverObject,
        .on_success = InvokeOnSuccess != FALSE,
        .on_error = InvokeOnError != FALSE,
        .on_cancel = InvokeOnCancel != FALSE,
    };
    io_driver_pin(kept->driver);
    IoSetCompletionRoutine(Irp, io_completion_run_kept, kept, TRUE, TRUE, TRUE);
    return STATUS_SUCCESS;
}

/* ---- sending and waiting ---- */

static NTSTATUS signal_and_keep(PDEVICE_OBJECT device, PIRP irp, PVOID event)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void send_and_wait(PDEVICE_OBJECT device, PIRP irp)
{
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    IoSetCompletionRoutine(irp, signal_and_keep, &event, TRUE, TRUE, TRUE);
    IofCallDriver(device, irp);
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
}

/*
 * Passes the caller's IRP on as it is and waits until the driver below is done; the caller owns it
 * again then. FALSE if there is no next location. IRQL <= APC_LEVEL. (IRP-48)
 */
BOOLEAN IoForwardIrpSynchronously(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    if (Irp->CurrentLocation <= 1) {
        return FALSE;
    }
    IoCopyCurrentIrpStackLocationToNext(Irp);
    send_and_wait(DeviceObject, Irp);
    return TRUE;
}

/* Sends an IRP whose next location is set up, waits, and returns its status. <= APC_LEVEL. */
NTSTATUS IoSynchronousCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    send_and_wait(DeviceObject, Irp);
    return Irp->IoStatus.Status;
}
