/* The addresses of a socket. They are stored during the call, so before the IRP completes. */
#include "wsk/memory.h"
#include "wsk/misuse.h"
#include "wsk/wsk.h"

/* The lock is held on entry, not on return. */
static NTSTATUS query(struct wsk_socket *socket, bool is_known,
                      const struct net_address *its_address, SOCKADDR *out, PIRP irp,
                      const char *function)
{
    struct net_address address = *its_address;
    if (out != NULL && !is_known) {
        return wsk_misuse_refuse_state(socket, irp, STATUS_INVALID_DEVICE_STATE, function);
    }
    wsk_socket_unlock(socket);
    if (out == NULL) {
        return wsk_irp_refuse(irp, STATUS_INVALID_PARAMETER);
    }
    wsk_address_to(&address, out);
    return wsk_irp_finish_output(socket, irp, 0, out, "WSK-ADDR-12");
}

/*
 * Stores the local address, in the SOCKADDR type of the socket's family. Information 0.
 * STATUS_INVALID_DEVICE_STATE if the socket is not bound. <= DISPATCH_LEVEL. (WSK-ADDR)
 */
NTSTATUS WSKAPI wsk_get_local_address(PWSK_SOCKET Socket, PSOCKADDR LocalAddress, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    WSK_CALL(socket, WSK_BINDABLE, "WskGetLocalAddress");
    NTSTATUS status = wsk_call_begin(socket, Irp, "WskGetLocalAddress");
    wsk_memory_check_resident(LocalAddress, "buffer", "WskGetLocalAddress", "WSK-ADDR-11");
    if (!NT_SUCCESS(status)) {
        return status;
    }
    wsk_socket_lock(socket);
    return query(socket, socket->state != WSK_OPENED, &socket->local, LocalAddress, Irp,
                 "WskGetLocalAddress");
}

/*
 * Stores the peer's address, in the SOCKADDR type of the socket's family. Information 0.
 * STATUS_INVALID_DEVICE_STATE if the socket is not connected. <= DISPATCH_LEVEL. (WSK-ADDR)
 */
NTSTATUS WSKAPI wsk_get_remote_address(PWSK_SOCKET Socket, PSOCKADDR RemoteAddress, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    WSK_CALL(socket, WSK_STREAMS, "WskGetRemoteAddress");
    NTSTATUS status = wsk_call_begin(socket, Irp, "WskGetRemoteAddress");
    wsk_memory_check_resident(RemoteAddress, "buffer", "WskGetRemoteAddress", "WSK-ADDR-11");
    if (!NT_SUCCESS(status)) {
        return status;
    }
    wsk_socket_lock(socket);
    return query(socket, socket->state == WSK_CONNECTED, &socket->remote, RemoteAddress, Irp,
                 "WskGetRemoteAddress");
}
