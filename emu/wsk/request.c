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
#include "ke/callback.h"
#include "ke/limit.h"
#include "ke/warning.h"
#include "mm/mm.h"
#include "trace/trace.h"
#include "wsk/memory.h"
#include "wsk/misuse.h"
#include "wsk/watch.h"

C_ASSERT(sizeof(struct wsk_request) <= RTL_FIELD_SIZE(IRP, Tail.Overlay.DriverContext));

static void begin(struct wsk_socket *socket, PIRP irp, const char *function, const void *site)
{
    ke_limit_at_most(DISPATCH_LEVEL, function);
    trace_call_from(function, socket, irp, site);
}

/* The socket was not given to WskCloseSocket yet. */
static void check_open(struct wsk_socket *socket, PIRP irp, const char *function)
{
    if (socket->is_closing) {
        wsk_call_after_close(socket, irp, function);
    }
}

NTSTATUS wsk_close_begin_from(struct wsk_socket *socket, PIRP irp, const char *function,
                              const void *site)
{
    begin(socket, irp, function, site);
    if (irp == NULL) {
        wsk_misuse_no_irp(function, "socket", socket);
        return STATUS_INVALID_PARAMETER;
    }
    if (atomic_exchange(&socket->is_closing, true)) {
        wsk_call_after_close(socket, irp, function);
    }
    wsk_call_check_close(socket);
    ke_callback_started(function, wsk_event_of == socket);
    return STATUS_SUCCESS;
}

NTSTATUS wsk_control_begin_from(struct wsk_socket *socket, PIRP irp, const char *function,
                                const void *site)
{
    begin(socket, irp, function, site);
    check_open(socket, irp, function);
    if (!socket->is_dead) {
        return STATUS_SUCCESS;
    }
    wsk_dead_call(socket, function);
    return irp == NULL ? STATUS_FILE_FORCED_CLOSED : wsk_irp_refuse(irp, STATUS_FILE_FORCED_CLOSED);
}

void wsk_release_begin_from(struct wsk_socket *socket, const void *site)
{
    begin(socket, NULL, "WskRelease", site);
    check_open(socket, NULL, "WskRelease");
}

NTSTATUS wsk_call_begin_from(struct wsk_socket *socket, PIRP irp, const char *function,
                             const void *site)
{
    if (irp == NULL) {
        begin(socket, irp, function, site);
        wsk_misuse_no_irp(function, "socket", socket);
        return STATUS_INVALID_PARAMETER;
    }
    return wsk_control_begin_from(socket, irp, function, site);
}

static bool has_buffer(const struct wsk_request *request)
{
    switch (request->operation) {
    case WSK_OPERATION_CONNECT:
    case WSK_OPERATION_SEND:
    case WSK_OPERATION_RECEIVE:
    case WSK_OPERATION_DISCONNECT:
    case WSK_OPERATION_SEND_TO:
    case WSK_OPERATION_RECEIVE_FROM:
        return true;
    default:
        return false;
    }
}

void wsk_request_hold(PIRP irp)
{
    struct wsk_request *request = wsk_request_of(irp);
    if ((request->flags & WSK_REQUEST_HOLDS) == 0 && verifier_is_on() && has_buffer(request) &&
        request->mdl != NULL) {
        request->flags |= WSK_REQUEST_HOLDS;
        mm_mdl_hold(request->mdl);
        if (verifier_is_full()) {
            wsk_watch_begin(irp);
        }
    }
}

void wsk_request_let_go(PIRP irp)
{
    struct wsk_request *request = wsk_request_of(irp);
    if (verifier_is_full()) {
        wsk_watch_end(irp);
    }
    request->flags &= (USHORT)~WSK_REQUEST_HOLDS;
    mm_mdl_let_go(request->mdl);
}

NTSTATUS wsk_call_end(struct wsk_queue *queue)
{
    struct wsk_socket *socket = queue->socket;
    wsk_socket_reference_locked(socket);
    if (wsk_queue_first(queue) != NULL) {
        wsk_socket_want(socket); /* before driver code runs */
        wsk_request_hold(wsk_queue_last(queue));
    }
    wsk_call_settle();
    wsk_queue_deliver(queue);
    wsk_socket_unlock_and_dereference(socket);
    return STATUS_PENDING;
}

NTSTATUS wsk_call_end_with(struct wsk_queue *queue, PIRP irp, NTSTATUS status,
                           ULONG_PTR information)
{
    struct wsk_socket *socket = queue->socket;
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    wsk_socket_reference_locked(socket);
    wsk_call_settle();
    wsk_queue_complete(queue, irp);
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
    const char *rule = irp->StackCount == 0 ? "WSK-IRP-05" : "WSK-IRP-06";
    ke_bugcheck(NO_MORE_IRP_STACK_LOCATIONS, (ULONG_PTR)irp, 0, 0, 0,
                is_in_use ? "WSK-IRP-14" : rule, "The driver passed the IRP %p to WSK, %s.",
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
    wsk_call_settle();
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
        wsk_memory_check_there((const VOID *)request.left, "output buffer", request.rule);
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
    wsk_call_settle();
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

NTSTATUS wsk_irp_finish_output(struct wsk_socket *socket, PIRP irp, ULONG_PTR information,
                               const VOID *output, const char *rule)
{
    struct wsk_request result = {.operation = WSK_OPERATION_RESULT, .socket = socket};
    result.left = verifier_is_full() ? (SIZE_T)output : 0;
    result.rule = rule;
    wsk_irp_take(irp);
    wsk_socket_reference(socket);
    finish(irp, &result, STATUS_SUCCESS, information);
    return STATUS_PENDING;
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
        mm_mdl_note_given(mdl);
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
    if (mdl != NULL && left != 0 && offset + left <= MmGetMdlByteCount(mdl)) {
        UCHAR *only = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
        buffers[0] = (struct net_buffer){.base = only + offset, .length = left};
        return 1;
    }
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
    unsigned count = pieces_of(request->mdl, request->offset, request->left, buffers);
    if ((request->flags & WSK_REQUEST_HOLDS) != 0 && verifier_is_full()) {
        for (unsigned i = 0; i < count; i++) {
            wsk_memory_check_there(buffers[i].base, "buffer of a pending request", "WSK-BUF-09");
        }
    }
    return count;
}

unsigned wsk_buffer_pieces(const WSK_BUF *buffer, struct net_buffer *buffers)
{
    check_buffer(buffer);
    return pieces_of(buffer->Mdl, buffer->Offset, buffer->Length, buffers);
}

void wsk_request_advance(PIRP irp, SIZE_T moved)
{
    struct wsk_request *request = wsk_request_of(irp);
    irp->IoStatus.Information += moved;
    request->left -= moved;
    request->offset += (ULONG)moved;
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
