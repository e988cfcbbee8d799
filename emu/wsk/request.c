/*
 * Requests: IRPs while WSK owns them.
 *
 * An accepted IRP is marked pending before anything else, so that PendingReturned is TRUE exactly
 * when STATUS_PENDING is returned, even if it completes first. What the request needs is kept in
 * the IRP's DriverContext and in WSK's own stack location; it stands in one list by ListEntry.
 *
 * A result that is known at once and belongs to no queue is completed in place, or, if the
 * completion policy says so, by a DPC that the leader runs. Once IofCompleteRequest was called the
 * IRP is the driver's: nothing here touches it afterwards.
 */
#include "wsk/wsk.h"

#include "io/irp_check.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ke/warning.h"
#include "trace/trace.h"

C_ASSERT(sizeof(struct wsk_request) <= RTL_FIELD_SIZE(IRP, Tail.Overlay.DriverContext));

/* The socket was not given to WskCloseSocket yet. */
static void check_open(struct wsk_socket *socket, PIRP irp, const char *function)
{
    if (socket->is_closing) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)socket, (ULONG_PTR)irp, 0, 0,
                    "WSK-CLOSE-10",
                    "The driver called %s on the socket %p after it had called WskCloseSocket on "
                    "it.",
                    function, (void *)socket);
    }
}

NTSTATUS wsk_close_begin_from(struct wsk_socket *socket, PIRP irp, const char *function,
                              const void *site)
{
    ke_limit_at_most(DISPATCH_LEVEL, function);
    trace_call_from(function, socket, irp, site);
    if (irp == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    check_open(socket, irp, function);
    return STATUS_SUCCESS;
}

NTSTATUS wsk_control_begin_from(struct wsk_socket *socket, PIRP irp, const char *function,
                                const void *site)
{
    ke_limit_at_most(DISPATCH_LEVEL, function);
    trace_call_from(function, socket, irp, site);
    check_open(socket, irp, function);
    if (!socket->is_dead) {
        return STATUS_SUCCESS;
    }
    return irp == NULL ? STATUS_FILE_FORCED_CLOSED : wsk_irp_refuse(irp, STATUS_FILE_FORCED_CLOSED);
}

NTSTATUS wsk_call_begin_from(struct wsk_socket *socket, PIRP irp, const char *function,
                             const void *site)
{
    return irp == NULL ? wsk_close_begin_from(socket, irp, function, site)
                       : wsk_control_begin_from(socket, irp, function, site);
}

NTSTATUS wsk_call_end(struct wsk_queue *queue)
{
    struct wsk_socket *socket = queue->socket;
    wsk_socket_reference_locked(socket);
    if (wsk_queue_first(queue) != NULL) {
        wsk_socket_want(socket); /* before driver code runs */
    }
    wsk_queue_deliver(queue);
    wsk_socket_unlock_and_dereference(socket);
    return STATUS_PENDING;
}

/* An IRP that WSK has already has its last location in use, too. */
static void check_location(PIRP irp)
{
    if (irp->CurrentLocation > 1) {
        return;
    }
    bool is_in_use = irp->CancelRoutine != NULL;
    ke_bugcheck(NO_MORE_IRP_STACK_LOCATIONS, (ULONG_PTR)irp, 0, 0, 0,
                is_in_use ? "WSK-IRP-14" : "WSK-IRP-06", "The driver passed the IRP %p to WSK, %s.",
                (void *)irp,
                is_in_use ? "which has it from an earlier call and has not completed it"
                          : "which has no stack location left for it");
}

static void take(PIRP irp)
{
    check_location(irp);
    io_irp_hand_to_wsk(irp);
    IoSetNextIrpStackLocation(irp);
    irp->IoStatus.Status = STATUS_PENDING;
    irp->IoStatus.Information = 0;
}

void wsk_irp_take(PIRP irp)
{
    take(irp);
    IoMarkIrpPending(irp);
}

static void complete(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IofCompleteRequest(irp, IO_NETWORK_INCREMENT);
}

NTSTATUS wsk_irp_refuse(PIRP irp, NTSTATUS status)
{
    take(irp);
    complete(irp, status, 0);
    return status;
}

NTSTATUS wsk_irp_succeed(PIRP irp, ULONG_PTR information)
{
    take(irp);
    complete(irp, STATUS_SUCCESS, information);
    return STATUS_SUCCESS;
}

/* Has the DPC complete it. The socket or client that it needs stays held until then. */
static void defer(PIRP irp)
{
    struct wsk_state *wsk = wsk_state();
    base_mutex_lock(&wsk->lock);
    InsertTailList(&wsk->deferred, &irp->Tail.Overlay.ListEntry);
    base_mutex_unlock(&wsk->lock);
    KeInsertQueueDpc(&wsk->deferred_dpc, NULL, NULL);
}

static void complete_result(PIRP irp)
{
    struct wsk_request request = *wsk_request_of(irp);
    if (request.operation == WSK_OPERATION_CLOSE) {
        wsk_socket_finish_close(request.socket, irp);
        return;
    }
    if (request.socket != NULL) {
        wsk_security_settle(request.socket);
    }
    IofCompleteRequest(irp, IO_NETWORK_INCREMENT);
    if (request.socket != NULL) {
        wsk_socket_dereference(request.socket);
    } else if (request.client != NULL) {
        wsk_client_release_request(request.client);
    }
}

static PIRP next_deferred(struct wsk_state *wsk)
{
    PLIST_ENTRY entry = NULL;
    base_mutex_lock(&wsk->lock);
    if (!IsListEmpty(&wsk->deferred)) {
        entry = RemoveHeadList(&wsk->deferred);
    }
    base_mutex_unlock(&wsk->lock);
    return entry == NULL ? NULL : CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
}

static VOID run_deferred(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    PIRP irp;
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(argument1);
    UNREFERENCED_PARAMETER(argument2);
    while ((irp = next_deferred(context)) != NULL) {
        complete_result(irp);
    }
}

void wsk_requests_start(struct wsk_state *wsk)
{
    InitializeListHead(&wsk->deferred);
    KeInitializeDpc(&wsk->deferred_dpc, run_deferred, wsk);
    /* Low: the leader runs it, in another context, and never the thread that queues it at once. */
    KeSetImportanceDpc(&wsk->deferred_dpc, LowImportance);
}

/* Completes an IRP whose result is known, by the policy, and lets go of what it needs. */
static void finish(PIRP irp, const struct wsk_request *result, NTSTATUS status,
                   ULONG_PTR information)
{
    *wsk_request_of(irp) = *result;
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    if (wsk_policy_defers()) {
        defer(irp);
    } else {
        complete_result(irp);
    }
}

void wsk_irp_complete(struct wsk_socket *socket, PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    struct wsk_request result = {.operation = WSK_OPERATION_RESULT, .socket = socket};
    if (socket != NULL) {
        wsk_socket_reference(socket);
    }
    finish(irp, &result, status, information);
}

void wsk_irp_complete_for_client(struct wsk_client *client, PIRP irp, NTSTATUS status,
                                 ULONG_PTR information)
{
    struct wsk_request result = {.operation = WSK_OPERATION_RESULT, .client = client};
    finish(irp, &result, status, information);
}

void wsk_irp_complete_close(struct wsk_socket *socket, PIRP irp)
{
    struct wsk_request result = {.operation = WSK_OPERATION_CLOSE, .socket = socket};
    finish(irp, &result, STATUS_SUCCESS, 0);
}

NTSTATUS wsk_irp_finish(struct wsk_socket *socket, PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    wsk_irp_take(irp);
    wsk_irp_complete(socket, irp, status, information);
    return STATUS_PENDING;
}

/* ---- memory ---- */

_Noreturn static void buffer_broken(const char *rule, const WSK_BUF *buffer, const char *how)
{
    ke_bugcheck(
        DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)buffer->Mdl, buffer->Offset, buffer->Length,
        0, rule, "The driver gave WSK a WSK_BUF (MDL %p, offset %u, length %llu) %s.",
        (void *)buffer->Mdl, (unsigned)buffer->Offset, (unsigned long long)buffer->Length, how);
}

static void check_buffer(const WSK_BUF *buffer)
{
    if (buffer->Mdl == NULL) {
        if (buffer->Length != 0) {
            buffer_broken("WSK-BUF-03", buffer, "that has a length and no MDL");
        }
        return;
    }
    SIZE_T needed = buffer->Offset + buffer->Length;
    SIZE_T described = 0;
    for (PMDL mdl = buffer->Mdl; mdl != NULL && described < needed; mdl = mdl->Next) {
        if ((mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL)) == 0) {
            buffer_broken("WSK-BUF-05", buffer, "whose memory is neither locked nor non-paged");
        }
        described += MmGetMdlByteCount(mdl);
    }
    if (described < needed || needed < buffer->Length) {
        buffer_broken("WSK-BUF-08", buffer, "that is longer than its MDLs");
    }
    if (buffer->Offset > MmGetMdlByteCount(buffer->Mdl)) {
        /* Drivers count on it that the offset runs through the chain. */
        ke_warning("WSK-BUF-02",
                   "the offset %u of a WSK_BUF lies beyond its first MDL, which has %u bytes",
                   (unsigned)buffer->Offset, (unsigned)MmGetMdlByteCount(buffer->Mdl));
    }
}

void wsk_request_start(PIRP irp, struct wsk_socket *socket, enum wsk_operation operation,
                       const WSK_BUF *buffer, ULONG flags)
{
    struct wsk_request *request = wsk_request_of(irp);
    RtlZeroMemory(request, sizeof(*request));
    request->socket = socket;
    request->operation = (UCHAR)operation;
    request->flags = (USHORT)flags;
    if (buffer != NULL) {
        check_buffer(buffer);
        request->mdl = buffer->Mdl;
        request->offset = buffer->Offset;
        request->left = buffer->Length;
    }
}

static unsigned pieces_of(PMDL mdl, SIZE_T offset, SIZE_T left, struct net_buffer *buffers)
{
    unsigned count = 0;
    for (; mdl != NULL && left != 0 && count < NET_BUFFERS_MAX; mdl = mdl->Next) {
        SIZE_T here = MmGetMdlByteCount(mdl);
        if (offset >= here) {
            offset -= here;
            continue;
        }
        SIZE_T length = here - offset < left ? here - offset : left;
        UCHAR *base = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
        buffers[count++] = (struct net_buffer){.base = base + offset, .length = length};
        left -= length;
        offset = 0;
    }
    return count;
}

unsigned wsk_request_buffers(const struct wsk_request *request, struct net_buffer *buffers)
{
    return pieces_of(request->mdl, request->offset, request->left, buffers);
}

unsigned wsk_buffer_pieces(const WSK_BUF *buffer, struct net_buffer *buffers)
{
    check_buffer(buffer);
    return pieces_of(buffer->Mdl, buffer->Offset, buffer->Length, buffers);
}

void wsk_request_advance(PIRP irp, SIZE_T moved)
{
    struct wsk_request *request = wsk_request_of(irp);
    SIZE_T offset = request->offset + moved;
    irp->IoStatus.Information += moved;
    request->left -= moved;
    while (request->left != 0 && offset >= MmGetMdlByteCount(request->mdl)) {
        offset -= MmGetMdlByteCount(request->mdl);
        request->mdl = request->mdl->Next;
    }
    request->offset = (ULONG)offset;
}

SIZE_T wsk_request_copy_in(PIRP irp, const void *data, SIZE_T length)
{
    struct net_buffer buffers[NET_BUFFERS_MAX];
    const UCHAR *next = data;
    SIZE_T left = length;
    while (left != 0 && wsk_request_of(irp)->left != 0) {
        wsk_request_buffers(wsk_request_of(irp), buffers);
        SIZE_T moved = buffers[0].length < left ? buffers[0].length : left;
        RtlCopyMemory(buffers[0].base, next, moved);
        wsk_request_advance(irp, moved);
        next += moved;
        left -= moved;
    }
    return length - left;
}
