/*
 * The sending direction of a connection: connect, sends and disconnect, in order.
 *
 * WSK does not buffer: a send completes when the host has taken all of its bytes.
 */
#include "ke/warning.h"
#include "trace/network.h"
#include "wsk/connect.h"
#include "wsk/misuse.h"
#include "wsk/wsk.h"

/* Below this a send that has to wait says nothing about the ideal backlog. */
#define IDEAL_BACKLOG_MIN 65536

/* Moves bytes until none is left: NET_OK, NET_AGAIN, or why no more can be moved. */
static enum net_error move(struct wsk_socket *socket, PIRP irp)
{
    struct net_buffer buffers[NET_BUFFERS_MAX];
    struct wsk_request *request = wsk_request_of(irp);
    while (request->left != 0) {
        size_t moved = 0;
        unsigned count = wsk_request_buffers(request, buffers);
        enum net_error error = net_send(socket->net, buffers, count, &moved);
        if (error != NET_OK) {
            return error;
        }
        trace_stream(TRACE_SEND, socket, irp, buffers, moved);
        wsk_request_advance(irp, moved);
    }
    return NET_OK;
}

/* The first request, or its data, did not all go. */
static void stop_moving(struct wsk_socket *socket, enum net_error error)
{
    if (error != NET_AGAIN) {
        wsk_connection_fail(socket, wsk_status(error));
    } else if (wsk_connection_listens(socket, WSK_EVENT_SEND_BACKLOG)) {
        wsk_send_measure_backlog(socket);
    }
}

static bool send_step(struct wsk_socket *socket, PIRP irp)
{
    enum net_error error = move(socket, irp);
    if (error != NET_OK) {
        stop_moving(socket, error);
        return false;
    }
    wsk_queue_finish(&socket->send, irp, STATUS_SUCCESS, irp->IoStatus.Information);
    return true;
}

static bool disconnect_step(struct wsk_socket *socket, PIRP irp)
{
    enum net_error error = move(socket, irp);
    if (error != NET_OK) {
        stop_moving(socket, error);
        return false;
    }
    error = net_shutdown_send(socket->net);
    if (error != NET_OK) {
        wsk_connection_fail(socket, wsk_status(error));
        return false;
    }
    trace_socket(TRACE_SOCKET_SHUTDOWN, socket, 0, STATUS_SUCCESS, NULL, NULL);
    wsk_queue_finish(&socket->send, irp, STATUS_SUCCESS, 0);
    return true;
}

static bool step(struct wsk_socket *socket, PIRP irp)
{
    switch (wsk_request_of(irp)->operation) {
    case WSK_OPERATION_CONNECT:
    case WSK_OPERATION_SOCKET_CONNECT:
        return wsk_connect_step(socket, irp);
    case WSK_OPERATION_DISCONNECT:
        return disconnect_step(socket, irp);
    default:
        return send_step(socket, irp);
    }
}

void wsk_send_pump(struct wsk_socket *socket)
{
    PIRP irp;
    while ((irp = wsk_queue_first(&socket->send)) != NULL && step(socket, irp)) {
    }
}

void wsk_send_measure_backlog(struct wsk_socket *socket)
{
    int bytes = 0;
    if (net_get_option(socket->net, NET_OPTION_SEND_BUFFER, &bytes) != NET_OK) {
        return;
    }
    SIZE_T ideal = bytes < IDEAL_BACKLOG_MIN ? IDEAL_BACKLOG_MIN : (SIZE_T)bytes;
    if (ideal != socket->connection.ideal_backlog) {
        socket->connection.ideal_backlog = ideal;
        socket->connection.is_backlog_changed = true;
        socket->send.is_event_due = true;
    }
}

bool wsk_send_indicate(struct wsk_socket *socket)
{
    struct ke_callback callback;
    const WSK_CLIENT_CONNECTION_DISPATCH *table = socket->dispatch;
    if (!socket->connection.is_backlog_changed || socket->is_dead ||
        !wsk_connection_listens(socket, WSK_EVENT_SEND_BACKLOG) ||
        !wsk_event_begin(socket, WSK_EVENT_SEND_BACKLOG)) {
        return false;
    }
    socket->connection.is_backlog_changed = false;
    PFN_WSK_SEND_BACKLOG_EVENT routine = table->WskSendBacklogEvent;
    SIZE_T ideal = socket->connection.ideal_backlog;
    PVOID context = socket->context;
    wsk_socket_unlock(socket);
    ke_callback_enter(&callback, "WskSendBacklogEvent", (void *)(ULONG_PTR)routine);
    NTSTATUS status = routine(context, ideal);
    ke_callback_leave_with(&callback, status);
    if (status != STATUS_SUCCESS) {
        ke_callback_warn_of_status("WSK-EVT-65", "WskSendBacklogEvent",
                                   (const void *)(ULONG_PTR)routine, status, NULL);
    }
    wsk_socket_lock(socket);
    wsk_event_end(socket, &socket->send, WSK_EVENT_SEND_BACKLOG);
    return true;
}

/* Whether the connection takes a send. The lock is held. */
static NTSTATUS send_status(const struct wsk_socket *socket)
{
    NTSTATUS status = wsk_connection_stream_status(socket);
    return NT_SUCCESS(status) && socket->connection.is_send_shut ? STATUS_INVALID_DEVICE_STATE
                                                                 : status;
}

/* Nothing stands before the request: it stands in the queue only if it has to wait, or fails. */
static NTSTATUS send_at_once(struct wsk_socket *socket, PIRP irp)
{
    enum net_error error = move(socket, irp);
    if (error == NET_OK) {
        return wsk_call_end_with(&socket->send, irp, STATUS_SUCCESS, irp->IoStatus.Information);
    }
    wsk_queue_append(&socket->send, irp);
    stop_moving(socket, error);
    return wsk_call_end(&socket->send);
}

NTSTATUS wsk_send_start(struct wsk_socket *socket, enum wsk_operation operation,
                        const WSK_BUF *buffer, ULONG flags, PIRP irp)
{
    wsk_socket_lock(socket);
    NTSTATUS status = send_status(socket);
    if (!NT_SUCCESS(status)) {
        bool is_send = operation == WSK_OPERATION_SEND;
        return wsk_misuse_refuse_state(socket, irp, status, is_send ? "WskSend" : "WskDisconnect");
    }
    wsk_irp_take(irp);
    wsk_request_start(irp, socket, operation, buffer, flags);
    socket->connection.is_send_shut = operation == WSK_OPERATION_DISCONNECT;
    if (operation == WSK_OPERATION_SEND && wsk_queue_is_idle(&socket->send) && !irp->Cancel) {
        return send_at_once(socket, irp);
    }
    bool is_first = wsk_queue_first(&socket->send) == NULL;
    wsk_queue_append(&socket->send, irp);
    if (is_first) {
        wsk_send_pump(socket);
    }
    return wsk_call_end(&socket->send);
}

/*
 * Sends all of Buffer. Information: bytes sent, the whole length on success. <= DISPATCH_LEVEL.
 * (WSK-SEND)
 */
NTSTATUS WSKAPI wsk_send(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    WSK_CALL(socket, WSK_STREAMS, "WskSend");
    NTSTATUS status = wsk_call_begin(socket, Irp, "WskSend");
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (Buffer == NULL) {
        return wsk_misuse_refuse(socket, Irp, STATUS_INVALID_PARAMETER, "WSK-SEND-03", "WskSend",
                                 "without a buffer");
    }
    if ((Flags & ~WSK_FLAG_NODELAY) != 0) {
        return wsk_misuse_refuse(socket, Irp, STATUS_NOT_SUPPORTED, "WSK-SEND-15", "WskSend",
                                 "with a flag other than WSK_FLAG_NODELAY");
    }
    return wsk_send_start(socket, WSK_OPERATION_SEND, Buffer, Flags, Irp);
}

/* As WskSend; control information is ignored. Reserved for the system. (WSK-DISP-14) */
NTSTATUS WSKAPI wsk_send_ex(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags,
                            ULONG ControlInfoLength, PCMSGHDR ControlInfo, PIRP Irp)
{
    UNREFERENCED_PARAMETER(ControlInfoLength);
    UNREFERENCED_PARAMETER(ControlInfo);
    ke_warning("WSK-DISP-14", "WskSendEx is reserved for the system");
    return wsk_send(Socket, Buffer, Flags, Irp);
}
