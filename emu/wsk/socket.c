/*
 * Sockets: life and death.
 *
 * References keep a socket: one from its making until it is closed, one of its net socket until
 * that has closed, one of each IRP until it was completed, and one of every delivery in progress.
 * WskCloseSocket cancels what is pending, closes the net socket, and completes when the last
 * reference went: by then nothing of this socket runs or will run.
 */
#include "wsk/table.h"
#include "wsk/wsk.h"

#include "ke/limit.h"
#include "ke/warning.h"
#include "trace/network.h"
#include "verifier/object.h"
#include "wsk/extension.h"
#include "wsk/memory.h"
#include "wsk/option.h"

#include <stdlib.h>

static void no_start(struct wsk_socket *socket)
{
    UNREFERENCED_PARAMETER(socket);
}

static void no_ready(struct wsk_socket *socket, unsigned events)
{
    UNREFERENCED_PARAMETER(socket);
    UNREFERENCED_PARAMETER(events);
}

static unsigned nothing_wanted(struct wsk_socket *socket)
{
    UNREFERENCED_PARAMETER(socket);
    return 0;
}

static const struct wsk_role_operations no_role = {
    .start = no_start, .ready = no_ready, .wanted = nothing_wanted, .end = no_start};

const struct wsk_role_operations *wsk_role_of(const struct wsk_socket *socket)
{
    static const struct wsk_role_operations *const roles[] = {
        [WSK_ROLE_NONE] = &no_role,
        [WSK_ROLE_LISTENER] = &wsk_listener_role,
        [WSK_ROLE_CONNECTION] = &wsk_connection_role,
        [WSK_ROLE_DATAGRAM] = &wsk_datagram_role,
    };
    return roles[socket->role];
}

void wsk_socket_want(struct wsk_socket *socket)
{
    if (socket->net == NULL || socket->is_closing) {
        return;
    }
    unsigned wanted = socket->is_dead ? 0 : wsk_role_of(socket)->wanted(socket);
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
        wsk_role_of(socket)->ready(socket, events);
    }
    bool has_received = wsk_queue_drain(&socket->receive);
    bool has_sent = wsk_queue_drain(&socket->send);
    if (!has_received && !has_sent) {
        wsk_socket_want(socket); /* which else whoever delivered has done */
    }
    wsk_socket_unlock_and_dereference(socket);
}

static void on_closed(void *context)
{
    wsk_socket_dereference(context);
}

static const struct net_callbacks callbacks = {.on_ready = on_ready, .on_closed = on_closed};

/* ---- making ---- */

/* What a socket of a category begins as. */
struct category {
    ULONG flag;
    enum wsk_role role;
    const VOID *dispatch; /* the table of WSK's functions */
};

static const struct category *category_of(ULONG flag)
{
    static const struct category categories[] = {
        {WSK_FLAG_LISTEN_SOCKET, WSK_ROLE_LISTENER, &wsk_listen_dispatch},
        {WSK_FLAG_CONNECTION_SOCKET, WSK_ROLE_CONNECTION, &wsk_connection_dispatch},
        {WSK_FLAG_DATAGRAM_SOCKET, WSK_ROLE_DATAGRAM, &wsk_datagram_dispatch},
        {WSK_FLAG_STREAM_SOCKET, WSK_ROLE_NONE, &wsk_stream_dispatch},
        {WSK_FLAG_BASIC_SOCKET, WSK_ROLE_NONE, &wsk_basic_dispatch},
    };
    const struct category *category = categories;
    while (category->flag != flag && category->flag != WSK_FLAG_BASIC_SOCKET) {
        category++;
    }
    return category;
}

void wsk_stream_set_role(struct wsk_socket *socket, enum wsk_role role)
{
    const WSK_CLIENT_STREAM_DISPATCH *tables = socket->stream_dispatch;
    socket->role = role;
    socket->dispatch = NULL;
    if (tables != NULL && role == WSK_ROLE_LISTENER) {
        socket->dispatch = tables->Listen;
    } else if (tables != NULL && role == WSK_ROLE_CONNECTION) {
        socket->dispatch = tables->Connect;
    }
    wsk_role_of(socket)->start(socket);
    wsk_events_begin_role(socket);
}

/* A socket without a net socket; it holds its client. */
static struct wsk_socket *create(const struct wsk_socket_request *request)
{
    const struct category *category = category_of(request->category);
    struct wsk_socket *socket = calloc(1, sizeof(*socket));
    if (socket == NULL) {
        return NULL;
    }
    socket->public.Dispatch = category->dispatch;
    socket->role = category->role;
    socket->client = request->client;
    socket->family = request->family;
    socket->type = request->type;
    socket->protocol = request->protocol;
    socket->creator = request->creator;
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
    wsk_role_of(socket)->start(socket);
    wsk_events_init(socket);
    wsk_client_hold_socket(socket->client);
    wsk_list_insert(&wsk_state()->sockets, &socket->link);
    verifier_object_born(request->creator != NULL ? "socket" : "accepted socket", socket,
                         request->creator);
    wsk_security_attach(socket, request);
    if (request->rules != NULL) {
        wsk_table_given(socket, request->context, request->dispatch, request->rules);
    }
    return socket;
}

static void tell_opened(const struct wsk_socket *socket)
{
    trace_socket_open(socket, socket->family, socket->type, socket->protocol, socket->category);
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
    tell_opened(socket);
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
    wsk_connection_begin_accepted(socket, listener);
    tell_opened(socket);
    trace_socket(TRACE_SOCKET_ACCEPT, socket, (ULONG_PTR)listener, STATUS_SUCCESS, &socket->local,
                 &socket->remote);
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

/*
 * Keeps the memory of a closed socket for a while: who uses it then is told that it was closed.
 * A call that executes still needs it, however much time has passed.
 */
static void bury(struct wsk_socket *socket)
{
    struct wsk_state *wsk = wsk_state();
    for (unsigned i = 0; i < WSK_GRAVES && socket != NULL; i++) {
        base_mutex_lock(&wsk->lock);
        struct wsk_socket **grave = &wsk->grave[wsk->next_grave++ % WSK_GRAVES];
        struct wsk_socket *old = *grave;
        *grave = socket;
        base_mutex_unlock(&wsk->lock);
        socket = old != NULL && wsk_calls_elsewhere(old) != 0 ? old : NULL;
        if (socket == NULL) {
            free(old);
        }
    }
    free(socket);
}

void wsk_graves_stop(struct wsk_state *wsk)
{
    for (unsigned i = 0; i < WSK_GRAVES; i++) {
        free(wsk->grave[i]);
    }
}

static void destroy(struct wsk_socket *socket)
{
    wsk_security_detach(socket);
    wsk_extensions_end(socket);
    base_mutex_destroy(&socket->lock);
    verifier_object_gone(socket, NULL);
    atomic_store(&socket->is_closed, true);
    if (verifier_is_on()) {
        bury(socket);
    } else {
        free(socket);
    }
}

void wsk_socket_finish_close(struct wsk_socket *socket, PIRP irp)
{
    struct wsk_client *client = socket->client;
    if (irp != NULL && verifier_is_full()) {
        wsk_memory_check_there(socket->context, "socket context", "WSK-CLOSE-23");
    }
    if (irp != NULL) {
        wsk_table_check_there(socket);
    }
    wsk_list_remove(&socket->link);
    wsk_table_leave(socket);
    destroy(socket);
    if (irp != NULL) {
        IofCompleteRequest(irp, IO_NETWORK_INCREMENT);
    }
    wsk_client_release_socket(client);
}

void wsk_socket_abandon(struct wsk_socket *socket)
{
    wsk_role_of(socket)->end(socket);
    destroy(socket);
}

void wsk_socket_unlock_and_dereference(struct wsk_socket *socket)
{
    bool is_last = --socket->references == 0;
    PIRP irp = socket->close_irp;
    wsk_socket_unlock(socket);
    if (!is_last) {
        return;
    }
    wsk_role_of(socket)->end(socket);
    if (irp != NULL) {
        wsk_irp_complete_close(socket, irp);
    } else {
        wsk_socket_finish_close(socket, NULL);
    }
}

void wsk_socket_dereference(struct wsk_socket *socket)
{
    wsk_socket_lock(socket);
    wsk_socket_unlock_and_dereference(socket);
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
    socket->is_closing = true;
    socket->close_irp = irp;
    is_abortive = is_abortive || must_abort(socket);
    trace_socket(TRACE_SOCKET_CLOSE, socket, is_abortive, STATUS_SUCCESS, NULL, NULL);
    wsk_queue_finish_all(&socket->receive, STATUS_CANCELLED);
    wsk_queue_finish_all(&socket->send, STATUS_CANCELLED);
    wsk_queue_finish_all(&socket->control, STATUS_CANCELLED);
    wsk_share_leave(socket);
    struct net_socket *net = socket->net;
    socket->net = NULL;
    wsk_queue_deliver(&socket->receive);
    wsk_queue_deliver(&socket->send);
    wsk_queue_deliver(&socket->control);
    wsk_socket_unlock(socket);
    if (net != NULL) {
        net_close(net, is_abortive);
    }
    wsk_socket_dereference(socket);
}

void wsk_socket_discard(struct wsk_socket *socket)
{
    close_socket(socket, NULL, true);
}

static void check_released(struct wsk_socket *socket)
{
    wsk_socket_lock(socket);
    bool has_kept =
        socket->role == WSK_ROLE_CONNECTION && !IsListEmpty(&socket->connection.retained);
    wsk_socket_unlock(socket);
    if (has_kept) {
        ke_warning("WSK-IND-13",
                   "the socket %p is closed with data that its receive event kept and that was "
                   "not given to WskRelease",
                   (void *)socket);
    }
}

/* Closes a socket; what is pending is cancelled and completes before. <= DISPATCH. (WSK-CLOSE) */
NTSTATUS WSKAPI wsk_close_socket(PWSK_SOCKET Socket, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    NTSTATUS status = wsk_close_begin(socket, Irp, "WskCloseSocket");
    if (!NT_SUCCESS(status)) {
        return status;
    }
    check_released(socket);
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
    socket->is_dead = true;
    if (wsk_queue_first(&socket->receive) != NULL || wsk_queue_first(&socket->send) != NULL) {
        wsk_dead_tell(socket, "WSK-CLOSE-20");
    }
    wsk_queue_finish_all(&socket->receive, STATUS_FILE_FORCED_CLOSED);
    wsk_queue_finish_all(&socket->send, STATUS_FILE_FORCED_CLOSED);
    wsk_queue_finish_all(&socket->control, STATUS_FILE_FORCED_CLOSED);
    socket->receive.is_event_due = true;
    wsk_queue_post(&socket->receive);
    wsk_queue_post(&socket->send);
    wsk_queue_post(&socket->control);
    wsk_socket_want(socket);
    wsk_socket_unlock(socket);
}

struct wsk_basic_and_beyond wsk_basic_and_beyond = {
    .table =
        {
            .WskControlSocket = wsk_control_socket,
            .WskCloseSocket = wsk_close_socket,
        },
    .beyond = WSK_ALL_BEYOND,
};
