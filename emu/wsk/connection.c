/* Connections: what their directions have in common. */
#include "wsk/connection.h"

#include "trace/network.h"
#include "wsk/indication.h"
#include "wsk/wsk.h"

static void start(struct wsk_socket *socket)
{
    RtlZeroMemory(&socket->connection, sizeof(socket->connection));
    InitializeListHead(&socket->connection.retained);
    socket->receive.indicate = wsk_connection_indicate;
    socket->send.indicate = wsk_send_indicate;
}

static void begin_backlog(struct wsk_socket *socket)
{
    wsk_send_measure_backlog(socket);
    socket->connection.is_backlog_changed = false;
}

void wsk_connection_begin(struct wsk_socket *socket)
{
    net_local_address(socket->net, &socket->local);
    net_remote_address(socket->net, &socket->remote);
    wsk_connection_set_no_delay(socket);
    begin_backlog(socket);
}

/* Connections begin with the listener's options and its address, if that is one, and with the same
 * ideal backlog: the first one's. */
void wsk_connection_begin_accepted(struct wsk_socket *socket, struct wsk_socket *listener)
{
    SIZE_T *backlog = &listener->listener.accepted_backlog;
    socket->local = listener->local;
    if (wsk_address_is_wildcard(&listener->local)) {
        net_local_address(socket->net, &socket->local);
    }
    net_remote_address(socket->net, &socket->remote);
    if (*backlog == 0) {
        begin_backlog(socket);
        *backlog = socket->connection.ideal_backlog;
    }
    socket->connection.ideal_backlog = *backlog;
}

void wsk_connection_set_no_delay(struct wsk_socket *socket)
{
    /* WSK_FLAG_NODELAY has nothing to override: no send waits for another. */
    net_set_option(socket->net, NET_OPTION_NO_DELAY, 1);
}

void wsk_connection_look_for_events(struct wsk_socket *socket)
{
    if (socket->events.enabled != 0) {
        socket->receive.is_event_due = true;
    }
}

NTSTATUS wsk_connection_status(const struct wsk_socket *socket)
{
    if (socket->role != WSK_ROLE_CONNECTION || socket->state != WSK_CONNECTED) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    return STATUS_SUCCESS;
}

NTSTATUS wsk_connection_stream_status(const struct wsk_socket *socket)
{
    NTSTATUS status = wsk_connection_status(socket);
    return NT_SUCCESS(status) ? socket->connection.failure : status;
}

void wsk_connection_fail(struct wsk_socket *socket, NTSTATUS failure)
{
    struct wsk_connection *connection = &socket->connection;
    if (connection->failure != STATUS_SUCCESS) {
        return;
    }
    connection->has_ended = true;
    connection->failure = failure;
    trace_socket(TRACE_SOCKET_FAIL, socket, connection->is_local_end, failure, NULL, NULL);
    wsk_indication_free(connection->held);
    connection->held = NULL;
    wsk_queue_finish_all(&socket->receive, failure);
    wsk_queue_finish_all(&socket->send, failure);
    socket->receive.is_event_due = true;
    /* Whoever learned of it delivers one direction only, in place. */
    wsk_queue_post(&socket->receive);
    wsk_queue_post(&socket->send);
}

SIZE_T wsk_connection_read(struct wsk_socket *socket, const struct net_buffer *buffers,
                           unsigned count)
{
    size_t moved = 0;
    enum net_error error = net_receive(socket->net, buffers, count, &moved);
    if (error == NET_AGAIN) {
        return 0;
    }
    if (error != NET_OK) {
        wsk_connection_fail(socket, wsk_status(error));
    } else if (moved == 0) {
        socket->connection.has_ended = true;
        socket->receive.is_event_due = true;
        trace_socket(TRACE_SOCKET_END, socket, 0, STATUS_SUCCESS, NULL, NULL);
    }
    trace_stream(TRACE_RECEIVE, socket, wsk_queue_first(&socket->receive), buffers, moved);
    return moved;
}

static void ready(struct wsk_socket *socket, unsigned events)
{
    struct wsk_connection *connection = &socket->connection;
    if ((events & NET_HUNG_UP) != 0) {
        connection->is_hung_up = true;
        if (connection->arrival != NULL) {
            wsk_inspect_hung_up(socket);
        }
    }
    if ((events & NET_WRITABLE) != 0) {
        wsk_send_pump(socket);
    }
    if ((events & (NET_READABLE | NET_HUNG_UP)) != 0 && socket->state == WSK_CONNECTED) {
        connection->is_drained = false;
        wsk_receive_pump(socket);
        wsk_connection_look_for_events(socket);
    }
}

/* Whether somebody would take data if it came. */
static bool wants_data(const struct wsk_socket *socket)
{
    const struct wsk_connection *connection = &socket->connection;
    if (connection->has_ended || connection->held != NULL || connection->indicated != NULL) {
        return false;
    }
    return wsk_queue_first(&socket->receive) != NULL ||
           (wsk_connection_listens(socket, WSK_EVENT_RECEIVE) && !connection->is_suspended);
}

static unsigned wanted(struct wsk_socket *socket)
{
    const struct wsk_connection *connection = &socket->connection;
    if (socket->state != WSK_CONNECTED) {
        return socket->state == WSK_CONNECTING ? NET_WRITABLE : 0;
    }
    if (connection->failure != STATUS_SUCCESS) {
        return 0;
    }
    unsigned wanted = wants_data(socket) ? NET_READABLE : 0;
    if (wsk_queue_first(&socket->send) != NULL) {
        wanted |= NET_WRITABLE;
    }
    if (!connection->is_hung_up && !connection->has_ended &&
        (wsk_connection_listens(socket, WSK_EVENT_DISCONNECT) || connection->arrival != NULL)) {
        wanted |= NET_HUNG_UP;
    }
    return wanted;
}

static void end(struct wsk_socket *socket)
{
    struct wsk_connection *connection = &socket->connection;
    wsk_indication_free(connection->held);
    while (!IsListEmpty(&connection->retained)) {
        struct wsk_indication *indication =
            CONTAINING_RECORD(RemoveHeadList(&connection->retained), struct wsk_indication, link);
        wsk_indication_abandon(indication);
    }
}

void wsk_request_cancelled(struct wsk_socket *socket, PIRP irp)
{
    switch (wsk_request_of(irp)->operation) {
    case WSK_OPERATION_CONNECT:
    case WSK_OPERATION_SOCKET_CONNECT:
        wsk_connect_cancelled(socket);
        return;
    case WSK_OPERATION_DISCONNECT:
        socket->connection.is_send_shut = false;
        return;
    default:
        return;
    }
}

const struct wsk_role_operations wsk_connection_role = {
    .events = WSK_CONNECTION_EVENTS, .start = start, .ready = ready, .wanted = wanted, .end = end};

struct wsk_connection_and_beyond wsk_connection_and_beyond = {
    .table =
        {
            .Basic = {.WskControlSocket = wsk_control_socket, .WskCloseSocket = wsk_close_socket},
            .WskBind = wsk_bind,
            .WskConnect = wsk_connect,
            .WskGetLocalAddress = wsk_get_local_address,
            .WskGetRemoteAddress = wsk_get_remote_address,
            .WskSend = wsk_send,
            .WskReceive = wsk_receive,
            .WskDisconnect = wsk_disconnect,
            .WskRelease = wsk_release_data,
            .WskConnectEx = wsk_connect_ex,
            .WskSendEx = wsk_send_ex,
            .WskReceiveEx = wsk_receive_ex,
        },
    .beyond = WSK_ALL_BEYOND,
};
