/*
 * Connecting: WskConnect, WskConnectEx, WskSocketConnect.
 *
 * The connect stands first in the sending direction until the host knows its result. A stream
 * socket takes the role of a connection when it begins to connect, and loses it if that fails.
 *
 * A socket whose connect was cancelled is of no use but to be closed: the host goes on connecting.
 */
#include "wsk/connect.h"

#include "ke/limit.h"
#include "ke/warning.h"
#include "trace/network.h"
#include "trace/trace.h"
#include "wsk/misuse.h"
#include "wsk/wsk.h"

#include <string.h>

/* Most bytes that WskConnectEx sends. (WSK-CONN-17) */
#define CONNECT_DATA_MAX 65535

static void give_up(struct wsk_socket *socket)
{
    socket->state = WSK_BOUND;
    if (socket->category == WSK_FLAG_STREAM_SOCKET) {
        wsk_stream_set_role(socket, WSK_ROLE_NONE);
    }
}

static void establish(struct wsk_socket *socket)
{
    socket->state = WSK_CONNECTED;
    wsk_connection_begin(socket);
    socket->connection.is_offered = true;
}

/* The connect has a result. Whether its request is finished: with data, it goes on as a send. */
static bool settle(struct wsk_socket *socket, PIRP irp, enum net_error error)
{
    struct wsk_request *request = wsk_request_of(irp);
    if (error != NET_OK) {
        trace_socket(TRACE_SOCKET_CONNECT, socket, 0, wsk_status(error), &socket->local, NULL);
        give_up(socket);
        wsk_queue_finish(&socket->send, irp, wsk_status(error), 0);
        return true;
    }
    establish(socket);
    trace_socket(TRACE_SOCKET_CONNECT, socket, 0, STATUS_SUCCESS, &socket->local, &socket->remote);
    if (request->operation == WSK_OPERATION_SOCKET_CONNECT) {
        wsk_queue_finish(&socket->send, irp, STATUS_SUCCESS, (ULONG_PTR)&socket->public);
        return true;
    }
    if (request->left != 0) {
        request->operation = WSK_OPERATION_SEND;
        return true; /* still first: the pump sends its data */
    }
    wsk_queue_finish(&socket->send, irp, STATUS_SUCCESS, 0);
    return true;
}

bool wsk_connect_step(struct wsk_socket *socket, PIRP irp)
{
    return settle(socket, irp, net_error_of(socket->net));
}

void wsk_connect_cancelled(struct wsk_socket *socket)
{
    socket->state = WSK_CONNECTED; /* so that closing resets it */
    wsk_connection_fail(socket, STATUS_CONNECTION_ABORTED);
    socket->connection.is_local_end = true;
}

/* Begins to connect; the IRP is taken. The lock is held on entry, not on return. Returns
 * STATUS_PENDING. */
static NTSTATUS begin(struct wsk_socket *socket, const struct net_address *remote, PIRP irp)
{
    if (socket->role == WSK_ROLE_NONE) {
        wsk_stream_set_role(socket, WSK_ROLE_CONNECTION);
    }
    socket->state = WSK_CONNECTING;
    wsk_queue_append(&socket->send, irp);
    if (wsk_queue_first(&socket->send) == irp) {
        enum net_error error = wsk_address_is_wildcard(remote) || remote->port == 0
                                   ? NET_ADDRESS_NOT_AVAILABLE
                                   : net_connect(socket->net, remote);
        if (error != NET_AGAIN) {
            settle(socket, irp, error);
            wsk_send_pump(socket);
        }
    } else {
        give_up(socket); /* it was cancelled before */
    }
    return wsk_call_end(&socket->send);
}

static NTSTATUS connect_to(struct wsk_socket *socket, const SOCKADDR *address,
                           const WSK_BUF *buffer, PIRP irp, const char *function)
{
    struct net_address remote;
    NTSTATUS status = wsk_address_of(socket, address, &remote);
    if (!NT_SUCCESS(status)) {
        wsk_address_warn(strcmp(function, "WskConnect") == 0 ? "WSK-CONN-02" : "WSK-CONN-15",
                         function, socket, address);
        return wsk_irp_refuse(irp, status);
    }
    wsk_socket_lock(socket);
    if (socket->state != WSK_BOUND || socket->role == WSK_ROLE_LISTENER) {
        return wsk_misuse_refuse_state(socket, irp, STATUS_INVALID_DEVICE_STATE, function);
    }
    wsk_irp_take(irp);
    wsk_request_start(irp, socket, WSK_OPERATION_CONNECT, buffer, WSK_REQUEST_CONNECTS);
    return begin(socket, &remote, irp);
}

/* Connects a bound socket. Information 0. <= DISPATCH_LEVEL. (WSK-CONN) */
NTSTATUS WSKAPI wsk_connect(PWSK_SOCKET Socket, PSOCKADDR RemoteAddress, ULONG Flags, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    WSK_CALL(socket, WSK_STREAMS, "WskConnect");
    NTSTATUS status = wsk_call_begin(socket, Irp, "WskConnect");
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (Flags != 0) {
        return wsk_misuse_refuse(socket, Irp, STATUS_INVALID_PARAMETER, "WSK-CONN-01", "WskConnect",
                                 "with flags, which are reserved");
    }
    return connect_to(socket, RemoteAddress, NULL, Irp, "WskConnect");
}

/* Connects and sends Buffer, if given. Information: bytes sent. <= DISPATCH_LEVEL. (WSK-CONN-15
 * to WSK-CONN-29) */
NTSTATUS WSKAPI wsk_connect_ex(PWSK_SOCKET Socket, PSOCKADDR RemoteAddress, PWSK_BUF Buffer,
                               ULONG Flags, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    WSK_CALL(socket, WSK_STREAMS, "WskConnectEx");
    NTSTATUS status = wsk_call_begin(socket, Irp, "WskConnectEx");
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (Flags != 0) {
        return wsk_misuse_refuse(socket, Irp, STATUS_INVALID_PARAMETER, "WSK-CONN-19",
                                 "WskConnectEx", "with flags, which are reserved");
    }
    if (Buffer != NULL && Buffer->Length > CONNECT_DATA_MAX) {
        return wsk_misuse_refuse(socket, Irp, STATUS_BUFFER_OVERFLOW, "WSK-CONN-19", "WskConnectEx",
                                 "with a buffer of more than 65,535 bytes");
    }
    return connect_to(socket, RemoteAddress, Buffer, Irp, "WskConnectEx");
}

/* Binds and begins to connect a new socket, or says why not. */
static NTSTATUS bind_new(struct wsk_socket *socket, const SOCKADDR *local)
{
    struct net_address address;
    NTSTATUS status = wsk_address_of(socket, local, &address);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    wsk_socket_lock(socket);
    status = wsk_bind_address(socket, &address);
    wsk_socket_unlock(socket);
    return status;
}

static NTSTATUS make_and_connect(const struct wsk_socket_request *request, const SOCKADDR *local,
                                 const SOCKADDR *remote, PIRP irp)
{
    struct wsk_socket *socket;
    struct net_address address;
    NTSTATUS status = wsk_socket_open(request, &socket);
    if (!NT_SUCCESS(status)) {
        return wsk_irp_refuse(irp, status);
    }
    status = wsk_address_of(socket, remote, &address);
    if (NT_SUCCESS(status)) {
        status = bind_new(socket, local);
    } else {
        wsk_address_warn("WSK-SOCK-45", "WskSocketConnect", socket, remote);
    }
    if (!NT_SUCCESS(status)) {
        wsk_socket_discard(socket);
        return wsk_irp_refuse(irp, status);
    }
    wsk_irp_take(irp);
    wsk_request_start(irp, socket, WSK_OPERATION_SOCKET_CONNECT, NULL, 0);
    wsk_socket_lock(socket);
    return begin(socket, &address, irp);
}

/*
 * Makes a connection-oriented socket, binds and connects it. Information: the socket; after a
 * failure there is none. <= DISPATCH_LEVEL. (WSK-SOCK-38 to WSK-SOCK-52)
 */
NTSTATUS WSKAPI wsk_socket_connect(PWSK_CLIENT Client, USHORT SocketType, ULONG Protocol,
                                   PSOCKADDR LocalAddress, PSOCKADDR RemoteAddress, ULONG Flags,
                                   PVOID SocketContext,
                                   CONST WSK_CLIENT_CONNECTION_DISPATCH *Dispatch,
                                   PEPROCESS OwningProcess, PETHREAD OwningThread,
                                   PSECURITY_DESCRIPTOR SecurityDescriptor, PIRP Irp)
{
    ke_limit_at_most(DISPATCH_LEVEL, "WskSocketConnect");
    trace_call("WskSocketConnect", Client, Irp);
    if (Client == NULL) {
        return STATUS_INVALID_HANDLE;
    }
    if (Irp == NULL) {
        wsk_misuse_no_irp("WskSocketConnect", "client", Client);
        return STATUS_INVALID_PARAMETER;
    }
    struct wsk_client *client = wsk_client_enter(Client);
    struct wsk_socket_request request = {.client = client,
                                         .type = SocketType,
                                         .protocol = Protocol,
                                         .category = WSK_FLAG_CONNECTION_SOCKET,
                                         .context = SocketContext,
                                         .dispatch = Dispatch,
                                         .process = OwningProcess,
                                         .thread = OwningThread,
                                         .security = SecurityDescriptor,
                                         .creator = _ReturnAddress(),
                                         .rules = &wsk_socket_connect_rules};
    NTSTATUS status = STATUS_INVALID_PARAMETER;
    if (Flags != 0) {
        ke_warning("WSK-SOCK-39", "WskSocketConnect was called with Flags 0x%X, which are reserved",
                   (unsigned)Flags);
    }
    if (LocalAddress == NULL || RemoteAddress == NULL) {
        wsk_misuse("WSK-SOCK-45", "WskSocketConnect", "client", Client,
                   "without a local or a remote address");
    }
    if (LocalAddress != NULL && RemoteAddress != NULL &&
        (Flags & ~WSK_FLAG_CONNECTION_SOCKET) == 0) {
        request.family = LocalAddress->sa_family;
        status = wsk_socket_check(&request);
    }
    status = NT_SUCCESS(status) ? make_and_connect(&request, LocalAddress, RemoteAddress, Irp)
                                : wsk_irp_refuse(Irp, status);
    wsk_client_release_request(client);
    return status;
}
