#include "wsk/missing.h"
#include "wsk/wsk.h"

/* Connections: connecting, sending, receiving. */

bool wsk_receive_step(struct wsk_socket *socket, PIRP irp)
{
    struct net_buffer buffers[NET_BUFFERS_MAX];
    struct wsk_request *request = wsk_request_of(irp);
    size_t moved = 0;
    unsigned count = wsk_request_buffers(request, buffers);
    enum net_error error = net_receive(socket->net, buffers, count, &moved);
    if (error == NET_AGAIN) {
        return false;
    }
    wsk_queue_finish_first(&socket->receive, wsk_status(error), moved);
    return true;
}

/* Ends the connect that stands first in the send queue. */
static void finish_connect(struct wsk_socket *socket, enum net_error error)
{
    socket->state = error == NET_OK ? WSK_CONNECTED : WSK_BOUND;
    wsk_queue_finish_first(&socket->send, wsk_status(error), 0);
}

bool wsk_send_step(struct wsk_socket *socket, PIRP irp)
{
    struct net_buffer buffers[NET_BUFFERS_MAX];
    struct wsk_request *request = wsk_request_of(irp);
    size_t moved = 0;
    if (socket->state == WSK_CONNECTING) {
        finish_connect(socket, net_connect_result(socket->net));
        return true;
    }
    unsigned count = wsk_request_buffers(request, buffers);
    enum net_error error = net_send(socket->net, buffers, count, &moved);
    if (error == NET_AGAIN) {
        return false;
    }
    wsk_request_advance(request, moved);
    if (error != NET_OK || request->left == 0) {
        wsk_queue_finish_first(&socket->send, wsk_status(error), request->moved);
    }
    return true;
}

static NTSTATUS WSKAPI connect_socket(PWSK_SOCKET Socket, PSOCKADDR RemoteAddress, ULONG Flags,
                                      PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    struct net_address address;
    UNREFERENCED_PARAMETER(Flags);
    if (!wsk_address_from(RemoteAddress, &address)) {
        return wsk_irp_refuse(Irp, STATUS_INVALID_PARAMETER);
    }
    base_mutex_lock(&socket->lock);
    if (socket->state != WSK_BOUND) {
        base_mutex_unlock(&socket->lock);
        return wsk_irp_refuse(Irp, STATUS_INVALID_DEVICE_STATE);
    }
    wsk_irp_take(Irp);
    IoMarkIrpPending(Irp);
    wsk_request_start(Irp, NULL);
    socket->references++;
    socket->state = WSK_CONNECTING;
    wsk_queue_append(&socket->send, Irp);
    enum net_error error = net_connect(socket->net, &address);
    if (error != NET_AGAIN) {
        finish_connect(socket, error);
    }
    wsk_socket_pump(socket, 0);
    base_mutex_unlock(&socket->lock);
    wsk_queue_deliver(socket, &socket->send);
    wsk_socket_dereference(socket);
    return STATUS_PENDING;
}

/* Queues a transfer and does in place what can be done at once, if it is the first. */
static NTSTATUS transfer(PWSK_SOCKET public, const WSK_BUF *buffer, PIRP irp, bool is_send)
{
    struct wsk_socket *socket = wsk_socket_of(public);
    struct wsk_queue *queue = is_send ? &socket->send : &socket->receive;
    base_mutex_lock(&socket->lock);
    if (socket->state != WSK_CONNECTED) {
        base_mutex_unlock(&socket->lock);
        return wsk_irp_refuse(irp, STATUS_INVALID_DEVICE_STATE);
    }
    wsk_irp_take(irp);
    IoMarkIrpPending(irp);
    wsk_request_start(irp, buffer);
    socket->references++;
    bool is_first = wsk_queue_first(queue) == NULL;
    wsk_queue_append(queue, irp);
    if (is_first) {
        wsk_socket_pump(socket, is_send ? NET_WRITABLE : NET_READABLE);
    }
    base_mutex_unlock(&socket->lock);
    wsk_queue_deliver(socket, queue);
    wsk_socket_dereference(socket);
    return STATUS_PENDING;
}

static NTSTATUS WSKAPI send_data(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Flags);
    return transfer(Socket, Buffer, Irp, true);
}

static NTSTATUS WSKAPI receive_data(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Flags);
    return transfer(Socket, Buffer, Irp, false);
}

static NTSTATUS WSKAPI get_remote_address(PWSK_SOCKET Socket, PSOCKADDR RemoteAddress, PIRP Irp)
{
    struct net_address address;
    enum net_error error = net_remote_address(wsk_socket_of(Socket)->net, &address);
    if (error == NET_OK) {
        wsk_address_to(&address, RemoteAddress);
    }
    return wsk_irp_finish(Irp, wsk_status(error), 0);
}

const WSK_PROVIDER_CONNECTION_DISPATCH wsk_connection_dispatch = {
    .Basic = {.WskControlSocket = wsk_control_socket, .WskCloseSocket = wsk_close_socket},
    .WskBind = wsk_bind,
    .WskConnect = connect_socket,
    .WskGetLocalAddress = wsk_get_local_address,
    .WskGetRemoteAddress = get_remote_address,
    .WskSend = send_data,
    .WskReceive = receive_data,
    .WskDisconnect = wsk_disconnect,
    .WskRelease = wsk_release_data,
    .WskConnectEx = wsk_connect_ex,
    .WskSendEx = wsk_send_ex,
    .WskReceiveEx = wsk_receive_ex,
};
