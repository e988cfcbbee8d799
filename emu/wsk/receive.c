/*
 * Receiving on a connection by IRPs, in the order in which they were queued.
 *
 * Bytes come first from what an event did not accept, then from the host, straight into the
 * driver's MDL. Bytes that moved into a request are its own even if it is cancelled: they stand in
 * its Information and are delivered to nobody else.
 */
#include "ke/warning.h"
#include "wsk/indication.h"
#include "wsk/misuse.h"
#include "wsk/wsk.h"

#define DRAIN_BYTES 8192

static void finish(struct wsk_socket *socket, PIRP irp, NTSTATUS status)
{
    /* What an event left resumes it only after this receive has completed. (WSK-HDR-17) */
    socket->connection.is_suspended = false;
    wsk_connection_look_for_events(socket);
    wsk_queue_finish(&socket->receive, irp, status, irp->IoStatus.Information);
}

/* Takes from what is held. */
static void take_held(struct wsk_socket *socket, PIRP irp, bool is_drain)
{
    struct wsk_indication *held = socket->connection.held;
    if (held == NULL) {
        return;
    }
    held->start = is_drain ? held->end
                           : held->start + wsk_request_copy_in(irp, held->data + held->start,
                                                               held->end - held->start);
    if (held->start == held->end) {
        socket->connection.held = NULL;
        wsk_indication_free(held);
    }
}

/* Reads from the host until there is nothing, and throws it away. */
static void drain(struct wsk_socket *socket)
{
    UCHAR scratch[DRAIN_BYTES];
    struct net_buffer buffer = {.base = scratch, .length = sizeof(scratch)};
    while (!socket->connection.has_ended && wsk_connection_read(socket, &buffer, 1) != 0) {
    }
}

static void read_into(struct wsk_socket *socket, PIRP irp)
{
    struct net_buffer buffers[NET_BUFFERS_MAX];
    struct wsk_request *request = wsk_request_of(irp);
    SIZE_T moved;
    do {
        unsigned count = wsk_request_buffers(request, buffers);
        moved = wsk_connection_read(socket, buffers, count);
        if (moved != 0) {
            wsk_request_advance(irp, moved);
        }
    } while (moved != 0 && request->left != 0 && (request->flags & WSK_FLAG_WAITALL) != 0);
}

static bool is_satisfied(PIRP irp)
{
    const struct wsk_request *request = wsk_request_of(irp);
    if ((request->flags & WSK_FLAG_DRAIN) != 0) {
        return false;
    }
    return request->left == 0 ||
           (irp->IoStatus.Information != 0 && (request->flags & WSK_FLAG_WAITALL) == 0);
}

/* Does what the first receive allows; whether it is finished. A failure finishes it elsewhere. */
static bool step(struct wsk_socket *socket, PIRP irp)
{
    struct wsk_connection *connection = &socket->connection;
    bool is_drain = (wsk_request_of(irp)->flags & WSK_FLAG_DRAIN) != 0;
    take_held(socket, irp, is_drain);
    if (!is_satisfied(irp) && !connection->has_ended && connection->held == NULL) {
        if (is_drain) {
            drain(socket);
        } else {
            read_into(socket, irp);
        }
        if (connection->failure != STATUS_SUCCESS) {
            return false; /* wsk_connection_fail has finished it */
        }
    }
    if (is_satisfied(irp)) {
        finish(socket, irp, STATUS_SUCCESS);
        return true;
    }
    if (connection->has_ended) {
        finish(socket, irp, connection->failure);
        return true;
    }
    return false;
}

void wsk_receive_pump(struct wsk_socket *socket)
{
    PIRP irp;
    while (socket->connection.indicated == NULL &&
           (irp = wsk_queue_first(&socket->receive)) != NULL && step(socket, irp)) {
    }
}

static NTSTATUS check_flags(const WSK_BUF *buffer, ULONG flags)
{
    const ULONG both = WSK_FLAG_WAITALL | WSK_FLAG_DRAIN;
    if (buffer == NULL || (flags & both) == both) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((flags & ~both) != 0) {
        return STATUS_NOT_SUPPORTED;
    }
    return (flags & WSK_FLAG_DRAIN) != 0 && buffer->Length != 0 ? STATUS_INVALID_PARAMETER
                                                                : STATUS_SUCCESS;
}

/* What check_flags refused; a flag that is not known breaks no rule. */
static void warn_of_flags(const struct wsk_socket *socket, const WSK_BUF *buffer, ULONG flags)
{
    const ULONG both = WSK_FLAG_WAITALL | WSK_FLAG_DRAIN;
    if (buffer == NULL) {
        wsk_misuse("WSK-RECV-03", "WskReceive", "socket", socket, "without a buffer");
    } else if ((flags & both) == both) {
        wsk_misuse("WSK-RECV-15", "WskReceive", "socket", socket,
                   "with both WSK_FLAG_WAITALL and WSK_FLAG_DRAIN");
    } else if ((flags & ~both) == 0) {
        wsk_misuse("WSK-RECV-14", "WskReceive", "socket", socket,
                   "with WSK_FLAG_DRAIN and a buffer that has a length");
    }
}

static NTSTATUS start(struct wsk_socket *socket, const WSK_BUF *buffer, ULONG flags, PIRP irp)
{
    wsk_socket_lock(socket);
    NTSTATUS status = wsk_connection_stream_status(socket);
    if (!NT_SUCCESS(status)) {
        return wsk_misuse_refuse_state(socket, irp, status, "WskReceive");
    }
    wsk_irp_take(irp);
    wsk_request_start(irp, socket, WSK_OPERATION_RECEIVE, buffer, flags);
    wsk_queue_append(&socket->receive, irp);
    wsk_receive_pump(socket);
    return wsk_call_end(&socket->receive);
}

/*
 * Receives into Buffer: what there is, all of it (WSK_FLAG_WAITALL), or nothing ever
 * (WSK_FLAG_DRAIN). Information: bytes received; 0 with success is the end of the stream.
 * <= DISPATCH_LEVEL. (WSK-RECV)
 */
NTSTATUS WSKAPI wsk_receive(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    WSK_CALL(socket, WSK_STREAMS, "WskReceive");
    NTSTATUS status = wsk_call_begin(socket, Irp, "WskReceive");
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = check_flags(Buffer, Flags);
    if (!NT_SUCCESS(status)) {
        warn_of_flags(socket, Buffer, Flags);
        return wsk_irp_refuse(Irp, status);
    }
    return start(socket, Buffer, Flags, Irp);
}

/* As WskReceive; there is no control information. Reserved for the system. (WSK-DISP-14) */
NTSTATUS WSKAPI wsk_receive_ex(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags,
                               PULONG ControlInfoLength, PCMSGHDR ControlInfo, PULONG ControlFlags,
                               PIRP Irp)
{
    UNREFERENCED_PARAMETER(ControlInfo);
    ke_warning("WSK-DISP-14", "WskReceiveEx is reserved for the system");
    if (ControlInfoLength != NULL) {
        *ControlInfoLength = 0;
    }
    if (ControlFlags != NULL) {
        *ControlFlags = 0;
    }
    return wsk_receive(Socket, Buffer, Flags, Irp);
}
