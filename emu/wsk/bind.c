/* Binding, for every category. */
#include "trace/network.h"
#include "wsk/misuse.h"
#include "wsk/wsk.h"

static NTSTATUS bind_net(struct wsk_socket *socket, const struct net_address *address)
{
    enum net_error error = net_bind(socket->net, address);
    if (error == NET_OK) {
        error = net_local_address(socket->net, &socket->local);
    }
    if (error != NET_OK) {
        return wsk_status(error);
    }
    if (socket->role == WSK_ROLE_LISTENER) {
        return wsk_listener_listen(socket);
    }
    socket->state = WSK_BOUND;
    return STATUS_SUCCESS;
}

NTSTATUS wsk_bind_address(struct wsk_socket *socket, const struct net_address *address)
{
    NTSTATUS status = wsk_share_enter(socket, address);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = bind_net(socket, address);
    trace_socket(TRACE_SOCKET_BIND, socket, 0, status,
                 NT_SUCCESS(status) ? &socket->local : address, NULL);
    if (!NT_SUCCESS(status)) {
        wsk_share_leave(socket);
        return status;
    }
    wsk_share_settle(socket, &socket->local);
    wsk_socket_want(socket);
    return STATUS_SUCCESS;
}

/* The lock is held. Returns the status to refuse with, or the result is in *result. */
static NTSTATUS bind_locked(struct wsk_socket *socket, const struct net_address *address,
                            NTSTATUS *result)
{
    if (socket->state != WSK_OPENED) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    if (socket->role == WSK_ROLE_LISTENER) {
        if (socket->type != SOCK_STREAM) {
            *result = STATUS_NOT_IMPLEMENTED;
            return STATUS_SUCCESS;
        }
        wsk_inspect_check(socket);
    }
    *result = wsk_bind_address(socket, address);
    return STATUS_SUCCESS;
}

/*
 * Binds a socket to LocalAddress, of the socket's family, unicast or multicast; a listening socket
 * begins to listen. Flags: 0. Information 0. <= DISPATCH_LEVEL. (WSK-BIND)
 *
 * Refused with STATUS_INVALID_PARAMETER (flags, family), STATUS_INVALID_DEVICE_STATE (is bound);
 * completed with what binding says: STATUS_ADDRESS_ALREADY_EXISTS, STATUS_ACCESS_DENIED,
 * STATUS_INVALID_ADDRESS_COMPONENT; STATUS_NOT_IMPLEMENTED for a listening socket of UDP.
 */
NTSTATUS WSKAPI wsk_bind(PWSK_SOCKET Socket, PSOCKADDR LocalAddress, ULONG Flags, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    WSK_CALL(socket, WSK_BINDABLE, "WskBind");
    struct net_address address;
    NTSTATUS result;
    NTSTATUS status = wsk_call_begin(socket, Irp, "WskBind");
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (Flags != 0) {
        return wsk_misuse_refuse(socket, Irp, STATUS_INVALID_PARAMETER, "WSK-BIND-01", "WskBind",
                                 "with flags, which are reserved");
    }
    status = wsk_address_of(socket, LocalAddress, &address);
    if (!NT_SUCCESS(status)) {
        wsk_address_warn("WSK-BIND-02", "WskBind", socket, LocalAddress);
        return wsk_irp_refuse(Irp, status);
    }
    wsk_socket_lock(socket);
    status = bind_locked(socket, &address, &result);
    wsk_socket_unlock(socket);
    return NT_SUCCESS(status) ? wsk_irp_finish(socket, Irp, result, 0)
                              : wsk_irp_refuse(Irp, status);
}
