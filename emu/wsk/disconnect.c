/* Disconnecting: gracefully in the order of the sends, or abortively at once. */
#include "wsk/connect.h"
#include "wsk/misuse.h"
#include "wsk/wsk.h"

/* Resets the connection: gives the net socket away, and ends what is pending. */
static NTSTATUS abort_connection(struct wsk_socket *socket, PIRP irp)
{
    wsk_socket_lock(socket);
    NTSTATUS status = wsk_connection_status(socket);
    if (!NT_SUCCESS(status)) {
        return wsk_misuse_refuse_state(socket, irp, status, "WskDisconnect");
    }
    struct net_socket *net = socket->net;
    wsk_socket_reference_locked(socket);
    socket->connection.is_local_end = true;
    wsk_queue_finish_all(&socket->send, STATUS_CANCELLED);
    wsk_connection_fail(socket, STATUS_CONNECTION_ABORTED);
    socket->net = NULL;
    wsk_socket_unlock(socket);
    if (net != NULL) {
        net_close(net, true);
    }
    wsk_socket_lock(socket);
    wsk_queue_deliver(&socket->receive);
    wsk_queue_deliver(&socket->send);
    wsk_socket_unlock(socket);
    status = wsk_irp_finish(socket, irp, STATUS_SUCCESS, 0);
    wsk_socket_dereference(socket);
    return status;
}

/*
 * Ends a connection: gracefully after all that was sent and Buffer, if given, or abortively.
 * <= DISPATCH_LEVEL. (WSK-DISC)
 */
NTSTATUS WSKAPI wsk_disconnect(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    WSK_CALL(socket, WSK_STREAMS, "WskDisconnect");
    NTSTATUS status = wsk_call_begin(socket, Irp, "WskDisconnect");
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (Flags == WSK_FLAG_ABORTIVE && Buffer != NULL) {
        return wsk_misuse_refuse(socket, Irp, STATUS_INVALID_PARAMETER, "WSK-DISC-04",
                                 "WskDisconnect", "with WSK_FLAG_ABORTIVE and a buffer");
    }
    if ((Flags & ~WSK_FLAG_ABORTIVE) != 0) {
        return wsk_irp_refuse(Irp, STATUS_INVALID_PARAMETER);
    }
    return Flags != 0 ? abort_connection(socket, Irp)
                      : wsk_send_start(socket, WSK_OPERATION_DISCONNECT, Buffer, 0, Irp);
}
