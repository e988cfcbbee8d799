/*
 * Sockets: life and death.
 *
 * A socket is referenced by its net socket, until that has closed, and by every call and delivery
 * in progress. WskCloseSocket cancels what is pending, closes the net socket, and completes when
 * the last reference went: by then nothing of this socket runs or will run.
 */
#include "wsk/wsk.h"

#include <stdlib.h>

static void on_ready(void *context, unsigned events)
{
    struct wsk_socket *socket = context;
    wsk_socket_reference(socket);
    base_mutex_lock(&socket->lock);
    wsk_socket_pump(socket, events);
    base_mutex_unlock(&socket->lock);
    wsk_queue_deliver(socket, &socket->receive);
    wsk_queue_deliver(socket, &socket->send);
    wsk_socket_dereference(socket);
}

static void on_closed(void *context)
{
    wsk_socket_dereference(context);
}

const struct net_callbacks wsk_socket_callbacks = {.on_ready = on_ready, .on_closed = on_closed};

NTSTATUS wsk_socket_create(struct wsk_client *client, ADDRESS_FAMILY family, const VOID *dispatch,
                           PVOID context, struct wsk_socket **out)
{
    struct wsk_socket *socket = calloc(1, sizeof(*socket));
    if (socket == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    socket->public.Dispatch = dispatch;
    socket->client = client;
    socket->context = context;
    socket->family = family;
    socket->references = 1;
    base_mutex_init(&socket->lock);
    InitializeListHead(&socket->receive.pending);
    InitializeListHead(&socket->receive.done);
    InitializeListHead(&socket->send.pending);
    InitializeListHead(&socket->send.done);
    wsk_client_hold(client);
    wsk_list_insert(&wsk_state()->sockets, &socket->link);
    *out = socket;
    return STATUS_SUCCESS;
}

void wsk_socket_reference(struct wsk_socket *socket)
{
    base_mutex_lock(&socket->lock);
    socket->references++;
    base_mutex_unlock(&socket->lock);
}

void wsk_socket_dereference(struct wsk_socket *socket)
{
    base_mutex_lock(&socket->lock);
    bool is_last = --socket->references == 0;
    base_mutex_unlock(&socket->lock);
    if (!is_last) {
        return;
    }
    PIRP irp = socket->close_irp;
    struct wsk_client *client = socket->client;
    wsk_list_remove(&socket->link);
    base_mutex_destroy(&socket->lock);
    free(socket);
    if (irp != NULL) {
        irp->IoStatus.Status = STATUS_SUCCESS;
        irp->IoStatus.Information = 0;
        IofCompleteRequest(irp, IO_NETWORK_INCREMENT);
    }
    wsk_client_release(client);
}

static void pump_queue(struct wsk_socket *socket, struct wsk_queue *queue,
                       bool step(struct wsk_socket *socket, PIRP irp))
{
    PIRP irp;
    while ((irp = wsk_queue_first(queue)) != NULL && step(socket, irp)) {
    }
}

void wsk_socket_pump(struct wsk_socket *socket, unsigned events)
{
    if (socket->close_irp != NULL) {
        return;
    }
    if ((events & NET_READABLE) != 0) {
        pump_queue(socket, &socket->receive,
                   socket->state == WSK_LISTENING ? wsk_accept_step : wsk_receive_step);
    }
    if ((events & NET_WRITABLE) != 0) {
        pump_queue(socket, &socket->send, wsk_send_step);
    }
    unsigned wanted = (wsk_queue_first(&socket->receive) != NULL ? NET_READABLE : 0) |
                      (wsk_queue_first(&socket->send) != NULL ? NET_WRITABLE : 0);
    if (wanted != socket->wanted || wanted != 0) {
        socket->wanted = wanted;
        net_want(socket->net, wanted);
    }
}

static void cancel_queue(struct wsk_queue *queue)
{
    PIRP irp;
    while ((irp = wsk_queue_first(queue)) != NULL) {
        wsk_queue_finish_first(queue, STATUS_CANCELLED, wsk_request_of(irp)->moved);
    }
}

NTSTATUS WSKAPI wsk_close_socket(PWSK_SOCKET Socket, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    wsk_irp_take(Irp);
    IoMarkIrpPending(Irp);
    wsk_socket_reference(socket);
    base_mutex_lock(&socket->lock);
    bool is_abortive = wsk_queue_first(&socket->send) != NULL;
    cancel_queue(&socket->receive);
    cancel_queue(&socket->send);
    socket->close_irp = Irp;
    base_mutex_unlock(&socket->lock);
    wsk_queue_deliver(socket, &socket->receive);
    wsk_queue_deliver(socket, &socket->send);
    net_close(socket->net, is_abortive);
    wsk_socket_dereference(socket);
    return STATUS_PENDING;
}
