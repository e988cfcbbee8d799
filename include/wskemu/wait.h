/*
 * A test waits, for a limited time. Each function returns STATUS_SUCCESS; STATUS_TIMEOUT when the
 * time is over, having printed what was pending: IRPs with who made and sent them, sockets with
 * where they were made; or STATUS_ASSERTION_FAILURE as soon as an assertion of any thread has
 * failed (wskemu/assert.h). IRQL < DISPATCH_LEVEL.
 */
#ifndef WSKEMU_WAIT_H
#define WSKEMU_WAIT_H

#include <wdm.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Waits for an event, a thread, a timer or any other object that KeWaitForSingleObject takes. */
NTSTATUS wskemu_wait(PVOID object, ULONG timeout_ms);

/* Waits until an IRP that was sent is completed: its IoStatus is set, its completion routine is
 * about to run or has run. It must not be freed before this returns. */
NTSTATUS wskemu_wait_irp(PIRP irp, ULONG timeout_ms);

/* Waits until condition(context) is TRUE, which is asked every millisecond. */
NTSTATUS wskemu_wait_until(BOOLEAN (*condition)(void *context), void *context, ULONG timeout_ms);

/* Prints what is pending and returns how many things that are. */
unsigned wskemu_print_pending(void);

#ifdef __cplusplus
}
#endif

#endif
