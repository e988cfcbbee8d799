/*
 * Sockets: life and death.
 *
 * References keep a socket: one from its making until it is closed, one of its net socket until
 * that has closed, one of each IRP until it was completed, and one of every delivery in progress.
 * WskCloseSocket cancels what is pending, closes the net socket, and completes when the last
 * reference went: by then nothing of this socket runs or will run.
 */
#include "wsk/wsk.h"

#include "ke/limit.h"
#include "wsk/extension.h"
#include "wsk/option.h"

#include <stdlib.h>

static void role_ready(struct wsk_socket *socket, unsigned events)
{
    switch (socket->role) {
    case WSK_ROLE_LISTENER:
        wsk_listener_ready(socket, events);
        return;
    case WSK_ROLE_CONNECTION:
        wsk_connection_ready(socket, events);
        return;
    case WSK_ROLE_DATAGRAM:
        wsk_datagram_ready(socket, events);
        return;
    case WSK_ROLE_NONE:
        return;
    }
}

static unsigned role_wanted(struct wsk_socket *socket)
{
    switch (socket->role) {
    case WSK_ROLE_LISTENER:
        return wsk_listener_wanted(socket);
    case WSK_ROLE_CONNECTION:
        return wsk_connection_wanted(socket);
    case WSK_ROLE_DATAGRAM:
        return wsk_datagram_wanted(socket);
    case WSK_ROLE_NONE:
        break;
    }
    return 0;
}

static void role_end(struct wsk_socket *socket)
{
    switch (socket->role) {
    case WSK_ROLE_LISTENER:
        wsk_listener_end(socket);
        return;
    case WSK_ROLE_CONNECTION:
        wsk_connection_end(socket);
        return;
    case WSK_ROLE_DATAGRAM:
        wsk_datagram_end(socket);
        return;
    case WSK_ROLE_NONE:
        return;
    }
}

void wsk_socket_want(struct wsk_socket *socket)
{
    if (socket->net == NULL || socket->is_closing) {
        return;
    }
    unsigned wanted = socket->is_dead ? 0 : role_wanted(socket);
    if (wanted != socket->wanted) {
        socket->wanted = wanted;
        net_want(socket->net, wanted);
    }
}

static void on_ready(void *context, unsigned events)
{
    struct wsk_socket *socket = context;
    wsk_socket_lock(socket);
    wsk_socket_reference_locked(socket);
    if (!socket->is_closing && !socket->is_dead) {
        role_ready(socket, events);
        wsk_socket_want(socket);
    }
    wsk_socket_unlock(socket);
    wsk_queue_drain(&socket->receive);
    wsk_queue_drain(&socket->send);
    wsk_socket_dereference(socket);
}

static void on_closed(void *context)
{
    wsk_socket_dereference(context);
}

static const struct net_callbacks callbacks = {.on_ready = on_ready, .on_closed = on_closed};

/* ---- making ---- */

static void start_role(struct wsk_socket *socket)
{
    switch (socket->category) {
    case WSK_FLAG_LISTEN_SOCKET:
        socket->role = WSK_ROLE_LISTENER;
        wsk_listener_start(socket);
        return;
    case WSK_FLAG_CONNECTION_SOCKET:
        socket->role = WSK_ROLE_CONNECTION;
        wsk_connection_start(socket);
        return;
    case WSK_FLAG_DATAGRAM_SOCKET:
        socket->role = WSK_ROLE_DATAGRAM;
        wsk_datagram_start(socket);
        return;
    default:
        return;
    }
}

void wsk_stream_set_role(struct wsk_socket *socket, enum wsk_role role)
{
    const WSK_CLIENT_STREAM_DISPATCH *tables = socket->stream_dispatch;
    socket->role = role;
    socket->dispatch = NULL;
    if (role == WSK_ROLE_LISTENER) {
        socket->dispatch = tables != NULL ? tables->Listen : NULL;
        wsk_listener_start(socket);
    } else if (role == WSK_ROLE_CONNECTION) {
        socket->dispatch = tables != NULL ? tables->Connect : NULL;
        wsk_connection_start(socket);
    }
    wsk_events_begin_role(socket);
}

static const void *table_of(ULONG category)
{
    switch (category) {
    case WSK_FLAG_LISTEN_SOCKET:
        return &wsk_listen_dispatch;
    case WSK_FLAG_CONNECTION_SOCKET:
        return &wsk_connection_dispatch;
    case WSK_FLAG_DATAGRAM_SOCKET:
        return &wsk_datagram_dispatch;
    case WSK_FLAG_STREAM_SOCKET:
        return &wsk_stream_dispatch;
    default:
        return &wsk_basic_dispatch;
    }
}

/* A socket without a net socket; it holds its client. */
static struct wsk_socket *create(const struct wsk_socket_request *request)
{
    struct wsk_socket *socket = calloc(1, sizeof(*socket));
    if (socket == NULL) {
        return NULL;
    }
    socket->public.Dispatch = table_of(request->category);
    socket->client = request->client;
    socket->family = request->family;
    socket->type = request->type;
    socket->protocol = request->protocol;
    socket->category = request->category;
    socket->options = request->family == AF_INET6 ? WSK_OPTION_IPV6_ONLY : 0;
    socket->context = request->context;
    if (request->category == WSK_FLAG_STREAM_SOCKET) {
        socket->stream_dispatch = request->dispatch;
    } else {
        socket->dispatch = request->dispatch;
    }
    socket->references = 1;
    base_mutex_init(&socket->lock);
    wsk_queue_init(&socket->receive, socket);
    wsk_queue_init(&socket->send, socket);
    wsk_queue_init(&socket->control, socket);
    start_role(socket);
    wsk_events_init(socket);
    wsk_client_hold_socket(socket->client);
    wsk_list_insert(&wsk_state()->sockets, &socket->link);
    wsk_security_attach(socket, request);
    return socket;
}

static enum net_type net_type_of(USHORT type)
{
    return type == SOCK_STREAM ? NET_STREAM : type == SOCK_DGRAM ? NET_DATAGRAM : NET_RAW;
}

NTSTATUS wsk_socket_open_net(struct wsk_socket *socket)
{
    struct net_socket *net;
    enum net_error error =
        net_socket_open(wsk_net(), wsk_net_family(socket->family), net_type_of(socket->type),
                        (int)socket->protocol, &callbacks, socket, &net);
    if (error == NET_OK) {
        socket->net = net;
        wsk_socket_reference_locked(socket);
    }
    return wsk_status(error);
}

NTSTATUS wsk_socket_open(const struct wsk_socket_request *request, struct wsk_socket **out)
{
    struct wsk_socket *socket = create(request);
    if (socket == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NTSTATUS status =
        request->category == WSK_FLAG_BASIC_SOCKET ? STATUS_SUCCESS : wsk_socket_open_net(socket);
    if (!NT_SUCCESS(status)) {
        wsk_socket_dereference(socket);
        return status;
    }
    *out = socket;
    return STATUS_SUCCESS;
}

NTSTATUS wsk_socket_accept(struct wsk_socket *listener, struct wsk_socket **accepted)
{
    struct wsk_socket_request request = {.client = listener->client,
                                         .family = listener->family,
                                         .type = SOCK_STREAM,
                                         .protocol = IPPROTO_TCP,
                                         .category = WSK_FLAG_CONNECTION_SOCKET,
                                         .process = listener->process};
    struct wsk_socket *socket = create(&request);
    if (socket == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    enum net_error error = net_accept(listener->net, &callbacks, socket, &socket->net);
    if (error != NET_OK) {
        wsk_socket_dereference(socket);
        return wsk_status(error);
    }
    socket->references++;
    socket->options = listener->options & ~WSK_OPTION_CONDITIONAL;
    socket->state = WSK_CONNECTED;
    wsk_connection_begin(socket);
    *accepted = socket;
    return STATUS_SUCCESS;
}

/* ---- ending ---- */

void wsk_socket_reference(struct wsk_socket *socket)
{
    wsk_socket_lock(socket);
    wsk_socket_reference_locked(socket);
    wsk_socket_unlock(socket);
}

void wsk_socket_finish_close(struct wsk_socket *socket, PIRP irp)
{
    struct wsk_client *client = socket->client;
    wsk_list_remove(&socket->link);
    wsk_security_detach(socket);
    wsk_extensions_end(socket);
    base_mutex_destroy(&socket->lock);
    free(socket);
    if (irp != NULL) {
        IofCompleteRequest(irp, IO_NETWORK_INCREMENT);
    }
    wsk_client_release_socket(client);
}

void wsk_socket_abandon(struct wsk_socket *socket)
{
    role_end(socket);
    wsk_security_detach(socket);
    wsk_extensions_end(socket);
    base_mutex_destroy(&socket->lock);
    free(socket);
}

void wsk_socket_dereference(struct wsk_socket *socket)
{
    wsk_socket_lock(socket);
    bool is_last = --socket->references == 0;
    PIRP irp = socket->close_irp;
    wsk_socket_unlock(socket);
    if (!is_last) {
        return;
    }
    role_end(socket);
    if (irp != NULL) {
        wsk_irp_complete_close(socket, irp);
    } else {
        wsk_socket_finish_close(socket, NULL);
    }
}

/* A close is graceful only after both directions have ended. (WSK-CLOSE-14, WSK-CLOSE-15) */
static bool must_abort(const struct wsk_socket *socket)
{
    return socket->role == WSK_ROLE_CONNECTION && socket->state != WSK_OPENED &&
           socket->state != WSK_BOUND &&
           !(socket->connection.has_ended && socket->connection.is_send_shut);
}

/* Cancels what is pending and lets go of the net socket and the first reference. */
static void close_socket(struct wsk_socket *socket, PIRP irp, bool is_abortive)
{
    wsk_socket_lock(socket);
    wsk_socket_reference_locked(socket);
    socket->is_closing = true;
    socket->close_irp = irp;
    is_abortive = is_abortive || must_abort(socket);
    wsk_queue_finish_all(&socket->receive, STATUS_CANCELLED);
    wsk_queue_finish_all(&socket->send, STATUS_CANCELLED);
    wsk_queue_finish_all(&socket->control, STATUS_CANCELLED);
    wsk_share_leave(socket);
    struct net_socket *net = socket->net;
    socket->net = NULL;
    wsk_socket_unlock(socket);
    wsk_queue_deliver(&socket->receive);
    wsk_queue_deliver(&socket->send);
    wsk_queue_deliver(&socket->control);
    if (net != NULL) {
        net_close(net, is_abortive);
    }
    wsk_socket_dereference(socket);
    wsk_socket_dereference(socket);
}

void wsk_socket_discard(struct wsk_socket *socket)
{
    close_socket(socket, NULL, true);
}

/* Closes a socket; what is pending is cancelled and completes before. <= DISPATCH. (WSK-CLOSE) */
NTSTATUS WSKAPI wsk_close_socket(PWSK_SOCKET Socket, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    NTSTATUS status = wsk_close_begin(socket, Irp, "WskCloseSocket");
    if (!NT_SUCCESS(status)) {
        return status;
    }
    wsk_irp_take(Irp);
    close_socket(socket, Irp, false);
    return STATUS_PENDING;
}

void wsk_socket_kill(struct wsk_socket *socket)
{
    wsk_socket_lock(socket);
    if (socket->is_dead || socket->is_closing) {
        wsk_socket_unlock(socket);
        return;
    }
    wsk_socket_reference_locked(socket);
    socket->is_dead = true;
    wsk_queue_finish_all(&socket->receive, STATUS_FILE_FORCED_CLOSED);
    wsk_queue_finish_all(&socket->send, STATUS_FILE_FORCED_CLOSED);
    wsk_queue_finish_all(&socket->control, STATUS_FILE_FORCED_CLOSED);
    socket->receive.is_event_due = true;
    wsk_queue_post(&socket->receive);
    wsk_queue_post(&socket->send);
    wsk_queue_post(&socket->control);
    wsk_socket_want(socket);
    wsk_socket_unlock(socket);
    wsk_socket_dereference(socket);
}

const WSK_PROVIDER_BASIC_DISPATCH wsk_basic_dispatch = {
    .WskControlSocket = wsk_control_socket,
    .WskCloseSocket = wsk_close_socket,
};
