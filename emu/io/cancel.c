/*
 * Cancelling IRPs.
 *
 * Whoever exchanges the cancel routine for NULL owns the IRP's end: the canceller then calls the
 * routine, the driver then completes the IRP itself. The Cancel flag is written before the
 * exchange and read after it, which is how both see each other without a common lock.
 */
#include "io/irp.h"

#include "io/io.h"
#include "ke/bugcheck.h"
#include "ke/callback.h"
#include "ke/irql.h"
#include "ke/limit.h"
#include "ke/spin_lock.h"

#if defined(__GNUC__)
#define NOT_SANITIZED __attribute__((no_sanitize("thread"), noinline))
#else
#define NOT_SANITIZED
#endif

/* Drivers read the flag as a plain member while we write it, and are right to do so. */
NOT_SANITIZED static void set_cancel_flag(volatile BOOLEAN *flag)
{
    *flag = TRUE;
}

/* Takes the cancel spin lock. IRQL <= DISPATCH_LEVEL. (CANCEL-20) */
VOID IoAcquireCancelSpinLock(PKIRQL Irql)
{
    struct io_cancel *cancel = &io_state()->cancel;
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
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

static void call_routine(PIRP irp, PDRIVER_CANCEL routine, const struct ke_callback *callback)
{
    struct io_cancel *cancel = &io_state()->cancel;
    PDEVICE_OBJECT device = irp->CurrentLocation > irp->StackCount
                                ? NULL
                                : irp->Tail.Overlay.CurrentStackLocation->DeviceObject;
    irp->CancelIrql = callback->irql;
    routine(device, irp);
    if (atomic_load_explicit(&cancel->holder, memory_order_relaxed) == ke_current()) {
        ke_bugcheck(DRIVER_RETURNED_HOLDING_CANCEL_LOCK, (ULONG_PTR)irp, (ULONG_PTR)routine, 0, 0,
                    "CANCEL-17",
                    "The driver's cancel routine %p returned without releasing the cancel spin "
                    "lock.",
                    (void *)(ULONG_PTR)routine);
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
    ke_callback_enter(&callback, "a cancel routine", NULL);
    IoAcquireCancelSpinLock(&irql);
    set_cancel_flag(&Irp->Cancel);
    PDRIVER_CANCEL routine = IoSetCancelRoutine(Irp, NULL);
    if (routine != NULL) {
        callback.routine = (const void *)(ULONG_PTR)routine;
        call_routine(Irp, routine, &callback);
    } else {
        IoReleaseCancelSpinLock(irql);
    }
    ke_callback_leave(&callback);
    return routine != NULL;
}
