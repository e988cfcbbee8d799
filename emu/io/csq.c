/*
 * Cancel-safe queues: the driver keeps IRPs as it likes and locks as it likes; the queue sees to
 * cancellation.
 *
 * DriverContext[3] of a queued IRP is its context if it was inserted with one, else the queue; both
 * begin with a type. Whoever exchanges the cancel routine for NULL may take the IRP out: a remover
 * that gets NULL leaves the IRP to the cancel routine, which will take the queue's lock.
 */
#include "io/io.h"
#include "io/irp_check.h"
#include "ke/bugcheck.h"
#include "ke/callback.h"
#include "ke/limit.h"

#define CONTEXT_SLOT 3

static void initialize(PIO_CSQ csq, ULONG type, PIO_CSQ_REMOVE_IRP remove,
                       PIO_CSQ_PEEK_NEXT_IRP peek_next, PIO_CSQ_ACQUIRE_LOCK acquire,
                       PIO_CSQ_RELEASE_LOCK release, PIO_CSQ_COMPLETE_CANCELED_IRP complete)
{
    csq->Type = type;
    csq->CsqRemoveIrp = remove;
    csq->CsqPeekNextIrp = peek_next;
    csq->CsqAcquireLock = acquire;
    csq->CsqReleaseLock = release;
    csq->CsqCompleteCanceledIrp = complete;
    csq->ReservePointer = NULL;
}

/* Makes a queue of the driver's callbacks. STATUS_SUCCESS. Any IRQL. (CANCEL-26) */
NTSTATUS IoCsqInitialize(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP CsqInsertIrp,
                         PIO_CSQ_REMOVE_IRP CsqRemoveIrp, PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp,
                         PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock, PIO_CSQ_RELEASE_LOCK CsqReleaseLock,
                         PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp)
{
    initialize(Csq, IO_TYPE_CSQ, CsqRemoveIrp, CsqPeekNextIrp, CsqAcquireLock, CsqReleaseLock,
               CsqCompleteCanceledIrp);
    Csq->CsqInsertIrp = CsqInsertIrp;
    return STATUS_SUCCESS;
}

/* The same with an insert callback that may refuse. Any IRQL. (CANCEL-26) */
NTSTATUS IoCsqInitializeEx(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP_EX CsqInsertIrp,
                           PIO_CSQ_REMOVE_IRP CsqRemoveIrp, PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp,
                           PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock, PIO_CSQ_RELEASE_LOCK CsqReleaseLock,
                           PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp)
{
    initialize(Csq, IO_TYPE_CSQ_EX, CsqRemoveIrp, CsqPeekNextIrp, CsqAcquireLock, CsqReleaseLock,
               CsqCompleteCanceledIrp);
    Csq->CsqInsertIrp = (PIO_CSQ_INSERT_IRP)(ULONG_PTR)CsqInsertIrp;
    return STATUS_SUCCESS;
}

static PVOID *slot_of(PIRP irp)
{
    return &irp->Tail.Overlay.DriverContext[CONTEXT_SLOT];
}

/* Ties an IRP to the queue, and to the context if there is one. (CANCEL-28) */
/* The driver's routines that one call of ours calls in turn: they end at the level of the first. */
static const char queue_routines[] = "routines of a cancel-safe queue";

static void bind(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context)
{
    *slot_of(irp) = csq;
    if (context != NULL) {
        context->Type = IO_TYPE_CSQ_IRP_CONTEXT;
        context->Irp = irp;
        context->Csq = csq;
        *slot_of(irp) = context;
    }
}

static PIO_CSQ_IRP_CONTEXT context_of(PIRP irp)
{
    PIO_CSQ_IRP_CONTEXT context = *slot_of(irp);
    return context->Type == IO_TYPE_CSQ_IRP_CONTEXT ? context : NULL;
}

static PIO_CSQ csq_of(PIRP irp)
{
    PIO_CSQ_IRP_CONTEXT context = context_of(irp);
    return context != NULL ? context->Csq : *slot_of(irp);
}

static void unbind(PIRP irp)
{
    PIO_CSQ_IRP_CONTEXT context = context_of(irp);
    if (context != NULL) {
        context->Irp = NULL;
    }
    *slot_of(irp) = NULL;
}

/* What a slot in use may hold: the queue that the caller knows, or a context of the IRP. */
static void check_slot(PIRP irp, const IO_CSQ *csq)
{
    const void *held = *slot_of(irp);
    const IO_CSQ_IRP_CONTEXT *context = held;
    bool is_ours = held == csq || (held != NULL && context->Type == IO_TYPE_CSQ_IRP_CONTEXT &&
                                   context->Irp == irp);
    if (!is_ours) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x200, (ULONG_PTR)irp, (ULONG_PTR)held, 0,
                    "CANCEL-29",
                    "The driver changed DriverContext[3] of the IRP %p while it was in the "
                    "cancel-safe queue %p.",
                    (void *)irp, (const void *)csq);
    }
}

/* The IRP was cancelled: it leaves the queue and goes to the driver's routine. (CANCEL-38) */
static VOID cancel(PDEVICE_OBJECT device, PIRP irp)
{
    KIRQL irql;
    PIO_CSQ csq = csq_of(irp);
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    csq->CsqAcquireLock(csq, &irql);
    csq->CsqRemoveIrp(csq, irp);
    unbind(irp);
    csq->CsqReleaseLock(csq, irql);
    io_cancel_is_in_queue();
    csq->CsqCompleteCanceledIrp(csq, irp);
}

static NTSTATUS call_insert(PIO_CSQ csq, PIRP irp, PVOID insert_context)
{
    if (csq->Type == IO_TYPE_CSQ_EX) {
        PIO_CSQ_INSERT_IRP_EX insert = (PIO_CSQ_INSERT_IRP_EX)(ULONG_PTR)csq->CsqInsertIrp;
        return insert(csq, irp, insert_context);
    }
    csq->CsqInsertIrp(csq, irp);
    return STATUS_SUCCESS;
}

/* Makes a queued IRP cancelable. TRUE if it was cancelled before and is the caller's again. */
static bool was_cancelled(PIRP irp)
{
    IoSetCancelRoutine(irp, cancel);
    return irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL;
}

static NTSTATUS insert(PIO_CSQ csq, PIRP irp, PIO_CSQ_IRP_CONTEXT context, PVOID insert_context)
{
    KIRQL irql;
    struct ke_callback callback;
    bool is_cancelled = false;
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    ke_callback_enter(&callback, queue_routines, (const void *)(ULONG_PTR)csq->CsqInsertIrp);
    csq->CsqAcquireLock(csq, &irql);
    bind(csq, irp, context);
    NTSTATUS status = call_insert(csq, irp, insert_context);
    if (NT_SUCCESS(status)) {
        IoMarkIrpPending(irp);
        is_cancelled = was_cancelled(irp);
        if (is_cancelled) {
            csq->CsqRemoveIrp(csq, irp);
            unbind(irp);
        }
    } else {
        unbind(irp);
    }
    csq->CsqReleaseLock(csq, irql);
    ke_callback_leave(&callback);
    if (is_cancelled) {
        csq->CsqCompleteCanceledIrp(csq, irp);
    }
    return status;
}

/*
 * Queues an IRP and marks it pending; with a Context it can be removed by that. One that is
 * cancelled already goes to CsqCompleteCanceledIrp. IRQL <= DISPATCH_LEVEL. (CANCEL-30, CANCEL-31)
 */
VOID IoCsqInsertIrp(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context)
{
    insert(Csq, Irp, Context, NULL);
}

/* The same; a queue of IoCsqInitializeEx may refuse, and the IRP stays the caller's. (CANCEL-32) */
NTSTATUS IoCsqInsertIrpEx(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context, PVOID InsertContext)
{
    return insert(Csq, Irp, Context, InsertContext);
}

/* The first IRP from the queue's peek callback that is not being cancelled; it is taken out. */
static PIRP take_next(PIO_CSQ csq, PVOID peek_context)
{
    PIRP irp = csq->CsqPeekNextIrp(csq, NULL, peek_context);
    while (irp != NULL && IoSetCancelRoutine(irp, NULL) == NULL) {
        irp = csq->CsqPeekNextIrp(csq, irp, peek_context);
    }
    if (irp != NULL) {
        check_slot(irp, csq);
        csq->CsqRemoveIrp(csq, irp);
        unbind(irp);
    }
    return irp;
}

/* Takes the next IRP that matches out of the queue; NULL if none does. <= DISPATCH. (CANCEL-35) */
PIRP IoCsqRemoveNextIrp(PIO_CSQ Csq, PVOID PeekContext)
{
    KIRQL irql;
    struct ke_callback callback;
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    ke_callback_enter(&callback, queue_routines, (const void *)(ULONG_PTR)Csq->CsqPeekNextIrp);
    Csq->CsqAcquireLock(Csq, &irql);
    PIRP irp = take_next(Csq, PeekContext);
    Csq->CsqReleaseLock(Csq, irql);
    ke_callback_leave(&callback);
    return irp;
}

/*
 * Takes the IRP that was inserted with the context out of the queue; NULL if it has left or is
 * being cancelled. IRQL <= DISPATCH_LEVEL. (CANCEL-36)
 */
PIRP IoCsqRemoveIrp(PIO_CSQ Csq, PIO_CSQ_IRP_CONTEXT Context)
{
    KIRQL irql;
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    Csq->CsqAcquireLock(Csq, &irql);
    PIRP irp = Context->Irp;
    if (irp != NULL && IoSetCancelRoutine(irp, NULL) == NULL) {
        irp = NULL;
    }
    if (irp != NULL) {
        Csq->CsqRemoveIrp(Csq, irp);
        unbind(irp);
    }
    Csq->CsqReleaseLock(Csq, irql);
    return irp;
}
