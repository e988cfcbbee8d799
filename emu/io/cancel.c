/*
 * Cancelling IRPs.
 *
 * Whoever exchanges the cancel routine for NULL owns the IRP's end: the canceller then calls the
 * routine, the driver then completes the IRP itself. The Cancel flag is written before the
 * exchange and read after it, which is how both see each other without a common lock.
 */
#include "io/irp.h"

#include "base/local.h"
#include "base/sanitize.h"
#include "io/io.h"
#include "io/irp_check.h"
#include "ke/bugcheck.h"
#include "ke/callback.h"
#include "ke/irql.h"
#include "ke/limit.h"
#include "ke/spin_lock.h"
#include "ke/warning.h"
#include "trace/trace.h"

/* Drivers read the flag as a plain member while we write it, and are right to do so. */
BASE_NOT_SANITIZED static void set_cancel_flag(volatile BOOLEAN *flag)
{
    *flag = TRUE;
}

/* Takes the cancel spin lock. IRQL <= DISPATCH_LEVEL. (CANCEL-20) */
VOID IoAcquireCancelSpinLock(PKIRQL Irql)
{
    struct io_cancel *cancel = &io_state()->cancel;
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (atomic_load_explicit(&cancel->holder, memory_order_relaxed) == ke_current()) {
        ke_bugcheck(SPIN_LOCK_ALREADY_OWNED, (ULONG_PTR)&cancel->lock, 0, 0, 0, "CANCEL-18",
                    "The driver called IoAcquireCancelSpinLock while it held that lock: a cancel "
                    "routine is entered with it.");
    }
    *Irql = ke_raise_irql(DISPATCH_LEVEL);
    ke_spin_lock_acquire(&cancel->lock);
    atomic_store_explicit(&cancel->holder, ke_current(), memory_order_relaxed);
}

/* Frees the cancel spin lock and lowers to Irql. DISPATCH_LEVEL. (CANCEL-20, CANCEL-21) */
VOID IoReleaseCancelSpinLock(KIRQL Irql)
{
    struct io_cancel *cancel = &io_state()->cancel;
    KE_IRQL_EXACTLY(DISPATCH_LEVEL);
    if (atomic_load_explicit(&cancel->holder, memory_order_relaxed) == ke_current()) {
        atomic_store_explicit(&cancel->holder, NULL, memory_order_relaxed);
    }
    ke_spin_lock_release(&cancel->lock);
    ke_lower_irql(Irql);
}

/* ---- what cancel routines have to do ---- */

BASE_THREAD_LOCAL const IRP *io_cancelled;

/* That call of the routine, and the rule that says how it ends. */
static BASE_THREAD_LOCAL const struct ke_callback *cancelled_by;
static BASE_THREAD_LOCAL const char *cancelled_rule;

void io_cancel_is_in_queue(void)
{
    cancelled_rule = "CANCEL-40";
}

void io_cancel_look_at_completion(PIRP irp)
{
    if (ke_callback_innermost() != cancelled_by) {
        return;
    }
    io_cancelled = NULL;
    if (irp->IoStatus.Status != STATUS_CANCELLED || irp->IoStatus.Information != 0) {
        ke_warning(cancelled_rule,
                   "the driver completed the cancelled IRP %p with status 0x%08X and information "
                   "%llu; it should be STATUS_CANCELLED and 0",
                   (void *)irp, (unsigned)irp->IoStatus.Status,
                   (unsigned long long)irp->IoStatus.Information);
    }
}

/* Before its routine is called. The cancel spin lock is held, so nobody else ends the IRP. */
static void check_cancelable(const IRP *irp)
{
    bool is_marked = irp->CurrentLocation > irp->StackCount ||
                     (irp->Tail.Overlay.CurrentStackLocation->Control & SL_PENDING_RETURNED) != 0;
    if (!is_marked) {
        ke_warning("CANCEL-12",
                   "the IRP %p has a cancel routine, and its driver has not marked it pending",
                   (const void *)irp);
    }
}

/* A driver may cancel what it made, not what it was given. (CANCEL-05) */
static void check_owner(PIRP irp)
{
    const struct io_irp_record *record = io_irp_record(irp);
    if (io_call_is_in_dispatch(irp)) {
        ke_warning(record != NULL && record->receiver == IO_IRP_TO_WSK ? "WSK-IRP-31" : "CANCEL-05",
                   "the driver cancelled the IRP %p, which it was given by another driver",
                   (void *)irp);
    }
}

static void check_alive(PIRP irp)
{
    if (!io_irp_is_alive(irp)) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x20A, 0, 0, 0, "CANCEL-06",
                    "The driver cancelled the IRP %p, which is no IRP, or was freed already.",
                    (void *)irp);
    }
}

static void call_routine(PIRP irp, PDRIVER_CANCEL routine, const struct ke_callback *callback)
{
    struct io_cancel *cancel = &io_state()->cancel;
    PDEVICE_OBJECT device = irp->CurrentLocation > irp->StackCount
                                ? NULL
                                : irp->Tail.Overlay.CurrentStackLocation->DeviceObject;
    const struct io_irp_record *record = io_irp_record(irp);
    bool is_wsks = record != NULL && record->receiver == IO_IRP_TO_WSK;
    irp->CancelIrql = callback->irql;
    check_cancelable(irp);
    io_cancelled = is_wsks ? NULL : irp; /* WSK has rules of its own for the result */
    cancelled_by = callback;
    cancelled_rule = "CANCEL-19";
    routine(device, irp);
    io_cancelled = NULL;
    io_irps_check_parts(irp);
    if (atomic_load_explicit(&cancel->holder, memory_order_relaxed) == ke_current()) {
        ke_bugcheck(DRIVER_RETURNED_HOLDING_CANCEL_LOCK, (ULONG_PTR)irp, (ULONG_PTR)routine, 0, 0,
                    "CANCEL-17",
                    "The driver's cancel routine %p returned without releasing the cancel spin "
                    "lock.",
                    (void *)(ULONG_PTR)routine);
    }
}

/*
 * Marks an IRP as cancelled and calls its cancel routine, which releases the cancel spin lock.
 * Returns TRUE if there was one. IRQL <= DISPATCH_LEVEL. (CANCEL-01 to CANCEL-04)
 */
BOOLEAN IoCancelIrp(PIRP Irp)
{
    struct ke_callback callback;
    KIRQL irql;
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_alive(Irp);
    check_owner(Irp);
    ke_callback_enter(&callback, "a cancel routine", NULL);
    IoAcquireCancelSpinLock(&irql);
    set_cancel_flag(&Irp->Cancel);
    PDRIVER_CANCEL routine = IoSetCancelRoutine(Irp, NULL);
    trace_irp_cancel(Irp, routine != NULL);
    if (routine != NULL) {
        callback.routine = (const void *)(ULONG_PTR)routine;
        call_routine(Irp, routine, &callback);
    } else {
        IoReleaseCancelSpinLock(irql);
    }
    ke_callback_leave(&callback);
    return routine != NULL;
}
