/* What drivers must keep of IRPs that they make and give away. See irp_check.c. */
#ifndef IO_IRP_CHECK_H
#define IO_IRP_CHECK_H

#include <wdm.h>

#include "base/local.h"

/* Bug checks if the IRP may not be freed, or used anew. caller is the driver's return address. */
void io_irp_check_freeable(PIRP irp, const void *caller);
void io_irp_check_reusable(PIRP irp, const void *caller);

/* Bug checks if somebody wrote to a stack location that is nobody's, or to one of a lower driver's
 * below the last. */
void io_irp_check_locations(PIRP irp);

/* Looks at the completion routine of an IRP that leaves its driver: for a device, and for WSK. */
void io_irp_check_sent(PIRP irp);

/* The same for WSK, which takes the IRP right after. IRQL <= DISPATCH_LEVEL. (WSK-IRP-09, 10) */
void io_irp_hand_to_wsk(PIRP irp);

/* The routine that IoSetCompletionRoutineEx sets. */
NTSTATUS io_completion_run_kept(PDEVICE_OBJECT device, PIRP irp, PVOID context);

void io_completion_report_unsent(PIRP irp, const char *what);

/* Bug checks if IoSetCompletionRoutineEx was called for the IRP, which was not sent then: what says
 * what became of it, "freed". (IRP-60) */
static inline void io_completion_check_unsent(PIRP irp, const char *what)
{
    if (irp->CurrentLocation > 1 && irp->CurrentLocation <= irp->StackCount + 1 &&
        IoGetNextIrpStackLocation(irp)->CompletionRoutine == io_completion_run_kept) {
        io_completion_report_unsent(irp, what);
    }
}

/* The IRP whose cancel routine runs on this thread. */
extern BASE_THREAD_LOCAL const IRP *io_cancelled;

void io_cancel_look_at_completion(PIRP irp);

/* Looks at an IRP that is completed while its cancel routine runs on this thread. (CANCEL-19) */
static inline void io_cancel_check_completion(PIRP irp)
{
    if (irp == io_cancelled) {
        io_cancel_look_at_completion(irp);
    }
}

/* Has it name another rule: the routine is the cancel-safe queue's. (CANCEL-40) */
void io_cancel_is_in_queue(void);

#endif
