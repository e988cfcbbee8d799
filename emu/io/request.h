/* Requests that the I/O manager makes, and their end. See request.c. */
#ifndef IO_REQUEST_H
#define IO_REQUEST_H

#include <wdm.h>

#include "io/irp.h"

struct io_request {
    PDEVICE_OBJECT device; /* to which it goes: the top of a stack */
    PFILE_OBJECT file;     /* may be NULL; the caller's reference outlasts the request */
    UCHAR major_function;
    KPROCESSOR_MODE mode;
};

/* An IRP for the request, its next location filled in but for Parameters. NULL without memory. */
PIRP io_request_create(const struct io_request *request, enum io_irp_kind kind,
                       const void *creator);

/* Frees a request that was not sent, with its buffers. */
void io_request_discard(PIRP irp);

/* Sends a request and waits for its end; *result is not set by one that fails at once (IRP-98).
 * PASSIVE_LEVEL. */
NTSTATUS io_request_wait(PDEVICE_OBJECT device, PIRP irp, PIO_STATUS_BLOCK result);

/* Ends a request whose IRP reached the top: copies results, frees, signals. */
void io_request_finish(PIRP irp);

#endif
