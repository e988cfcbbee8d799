#include "wsk/missing.h"
#include "wsk/wsk.h"

#define BACKLOG 511

/* Binding, listening and accepting. */

/* Where an accept wants the addresses; kept as the request's otherwise unused fields. */
static void store_addresses(struct wsk_socket *accepted, const struct wsk_request *request)
{
    struct net_address address;
    PSOCKADDR local = (PSOCKADDR)(PVOID)request->mdl;
    PSOCKADDR remote = (PSOCKADDR)request->offset;
    if (local != NULL && net_local_address(accepted->net, &address) == NET_OK) {
        wsk_address_to(&address, local);
    }
    if (remote != NULL && net_remote_address(accepted->net, &address) == NET_OK) {
        wsk_address_to(&address, remote);
    }
}

bool wsk_accept_step(struct wsk_socket *listener, PIRP irp)
{
    struct wsk_request *request = wsk_request_of(irp);
    struct wsk_socket *accepted;
    NTSTATUS status = wsk_socket_create(listener->client, listener->family,
                                        &wsk_connection_dispatch, (PVOID)request->left, &accepted);
    if (!NT_SUCCESS(status)) {
        wsk_queue_finish_first(&listener->receive, status, 0);
        return true;
    }
    enum net_error error =
        net_accept(listener->net, &wsk_socket_callbacks, accepted, &accepted->net);
    if (error != NET_OK) {
        wsk_socket_dereference(accepted);
        if (error == NET_AGAIN) {
            return false;
        }
        wsk_queue_finish_first(&listener->receive, wsk_status(error), 0);
        return true;
    }
    accepted->state = WSK_CONNECTED;
    store_addresses(accepted, request);
    wsk_queue_finish_first(&listener->receive, STATUS_SUCCESS, (ULONG_PTR)&accepted->public);
    return true;
}

NTSTATUS WSKAPI wsk_bind(PWSK_SOCKET Socket, PSOCKADDR LocalAddress, ULONG Flags, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    struct net_address address;
    UNREFERENCED_PARAMETER(Flags);
    if (!wsk_address_from(LocalAddress, &address)) {
        return wsk_irp_refuse(Irp, STATUS_INVALID_PARAMETER);
    }
    bool is_listener = socket->public.Dispatch == &wsk_listen_dispatch;
    base_mutex_lock(&socket->lock);
    enum net_error error = net_bind(socket->net, &address);
    if (error == NET_OK && is_listener) {
        error = net_listen(socket->net, BACKLOG);
    }
    if (error == NET_OK) {
        socket->state = is_listener ? WSK_LISTENING : WSK_BOUND;
    }
    base_mutex_unlock(&socket->lock);
    return wsk_irp_finish(Irp, wsk_status(error), 0);
}

static NTSTATUS WSKAPI accept_connection(PWSK_SOCKET ListenSocket, ULONG Flags,
                                         PVOID AcceptSocketContext,
                                         CONST WSK_CLIENT_CONNECTION_DISPATCH *AcceptSocketDispatch,
                                         PSOCKADDR LocalAddress, PSOCKADDR RemoteAddress, PIRP Irp)
{
    struct wsk_socket *listener = wsk_socket_of(ListenSocket);
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(AcceptSocketDispatch);
    wsk_irp_take(Irp);
    IoMarkIrpPending(Irp);
    *wsk_request_of(Irp) = (struct wsk_request){.mdl = (PMDL)(PVOID)LocalAddress,
                                                .offset = (ULONG_PTR)RemoteAddress,
                                                .left = (SIZE_T)AcceptSocketContext};
    wsk_socket_reference(listener);
    base_mutex_lock(&listener->lock);
    wsk_queue_append(&listener->receive, Irp);
    wsk_socket_pump(listener, NET_READABLE);
    base_mutex_unlock(&listener->lock);
    wsk_queue_deliver(listener, &listener->receive);
    wsk_socket_dereference(listener);
    return STATUS_PENDING;
}

NTSTATUS WSKAPI wsk_get_local_address(PWSK_SOCKET Socket, PSOCKADDR LocalAddress, PIRP Irp)
{
    struct net_address address;
    enum net_error error = net_local_address(wsk_socket_of(Socket)->net, &address);
    if (error == NET_OK) {
        wsk_address_to(&address, LocalAddress);
    }
    return wsk_irp_finish(Irp, wsk_status(error), 0);
}

const WSK_PROVIDER_LISTEN_DISPATCH wsk_listen_dispatch = {
    .Basic = {.WskControlSocket = wsk_control_socket, .WskCloseSocket = wsk_close_socket},
    .WskBind = wsk_bind,
    .WskAccept = accept_connection,
    .WskInspectComplete = wsk_inspect_complete,
    .WskGetLocalAddress = wsk_get_local_address,
};
