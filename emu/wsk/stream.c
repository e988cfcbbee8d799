/*
 * Stream sockets: they get a role by WskListen or by a connect.
 *
 * The table of WSK's functions stays the same for the socket's whole life. Each function looks at
 * role and state, so one of the wrong role is refused with STATUS_INVALID_DEVICE_STATE; the
 * driver's callbacks are those of the sub-table of the role. A failed connect gives the role back.
 */
#include "wsk/misuse.h"
#include "wsk/wsk.h"

/*
 * Has a bound stream socket listen, for good. The IRP completes when listening has begun.
 * Information 0. STATUS_INVALID_DEVICE_STATE if it is not bound or has a role.
 * <= DISPATCH_LEVEL. (WSK-LSTN)
 */
NTSTATUS WSKAPI wsk_listen(PWSK_SOCKET Socket, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    WSK_CALL(socket, WSK_FLAG_STREAM_SOCKET, "WskListen");
    NTSTATUS status = wsk_call_begin(socket, Irp, "WskListen");
    if (!NT_SUCCESS(status)) {
        return status;
    }
    wsk_socket_lock(socket);
    if (socket->role != WSK_ROLE_NONE || socket->state != WSK_BOUND) {
        return wsk_misuse_refuse_state(socket, Irp, STATUS_INVALID_DEVICE_STATE, "WskListen");
    }
    NTSTATUS result = wsk_listener_listen(socket);
    if (NT_SUCCESS(result)) {
        /* After a connect that failed the host may have taken another port. */
        net_local_address(socket->net, &socket->local);
        wsk_stream_set_role(socket, WSK_ROLE_LISTENER);
        wsk_socket_want(socket);
    }
    wsk_socket_unlock(socket);
    return wsk_irp_finish(socket, Irp, result, 0);
}

struct wsk_stream_and_beyond wsk_stream_and_beyond = {
    .table =
        {
            .Basic = {.WskControlSocket = wsk_control_socket, .WskCloseSocket = wsk_close_socket},
            .WskBind = wsk_bind,
            .WskAccept = wsk_accept,
            .WskConnect = wsk_connect,
            .WskListen = wsk_listen,
            .WskSend = wsk_send,
            .WskReceive = wsk_receive,
            .WskDisconnect = wsk_disconnect,
            .WskRelease = wsk_release_data,
            .WskGetLocalAddress = wsk_get_local_address,
            .WskGetRemoteAddress = wsk_get_remote_address,
            .WskConnectEx = wsk_connect_ex,
            .WskSendEx = wsk_send_ex,
            .WskReceiveEx = wsk_receive_ex,
        },
    .beyond = WSK_ALL_BEYOND,
};
