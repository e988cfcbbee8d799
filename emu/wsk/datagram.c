/*
 * Datagram sockets: UDP and raw.
 *
 * datagram_send.c       WskSendTo, WskSendMessages
 * datagram_receive.c    WskReceiveFrom
 * datagram_indication.c WskReceiveFromEvent, WskRelease
 * control_data.c        what goes along with a datagram besides its data
 *
 * A datagram that arrives goes to the first WskReceiveFrom that waits; only if none does, to the
 * event. What the event refused is buffered and comes first, in either way. With a fixed remote
 * address, datagrams of others are thrown away wherever one is taken.
 */
#include "wsk/datagram.h"

#include "wsk/wsk.h"

static void start(struct wsk_socket *socket)
{
    InitializeListHead(&socket->datagram.sends);
    socket->receive.indicate = wsk_datagram_indicate;
}

static void ready(struct wsk_socket *socket, unsigned events)
{
    if ((events & NET_WRITABLE) != 0) {
        wsk_datagram_send_more(socket);
    }
    if ((events & NET_READABLE) != 0) {
        wsk_datagram_receive_more(socket);
        if (wsk_datagram_is_event_wanted(socket)) {
            socket->receive.is_event_due = true;
        }
    }
}

static unsigned wanted(struct wsk_socket *socket)
{
    unsigned wanted = 0;
    if (wsk_queue_first(&socket->send) != NULL) {
        wanted |= NET_WRITABLE;
    }
    /* Who delivers asks again when he is done: no readiness is needed while a callback runs. */
    if (wsk_queue_first(&socket->receive) != NULL ||
        (!socket->receive.is_delivering && wsk_datagram_is_event_wanted(socket))) {
        wanted |= NET_READABLE;
    }
    return wanted;
}

static void end(struct wsk_socket *socket)
{
    wsk_datagram_drop_sends(socket);
    wsk_datagram_end_indications(socket);
}

void wsk_datagram_set_remote(struct wsk_socket *socket, const struct net_address *address)
{
    socket->datagram.has_remote = address != NULL;
    if (address != NULL) {
        socket->datagram.remote = *address;
    }
}

void wsk_datagram_set_target(struct wsk_socket *socket, const struct net_address *address)
{
    socket->datagram.has_target = address != NULL;
    if (address != NULL) {
        socket->datagram.target = *address;
    }
}

/* A raw socket's addresses have no port. */
bool wsk_datagram_is_welcome(const struct wsk_socket *socket, const struct net_address *sender)
{
    const struct net_address *remote = &socket->datagram.remote;
    if (!socket->datagram.has_remote) {
        return true;
    }
    SIZE_T length = remote->family == NET_IPV4 ? 4 : sizeof(remote->bytes);
    return sender->family == remote->family &&
           (socket->type == SOCK_RAW || sender->port == remote->port) &&
           RtlEqualMemory(sender->bytes, remote->bytes, length);
}

bool wsk_datagram_is_passing(enum net_error error)
{
    return error == NET_REFUSED || error == NET_RESET || error == NET_UNREACHABLE_NETWORK ||
           error == NET_UNREACHABLE_HOST || error == NET_TIMED_OUT;
}

const struct wsk_role_operations wsk_datagram_role = {
    .events = WSK_EVENT_RECEIVE_FROM, .start = start, .ready = ready, .wanted = wanted, .end = end};

struct wsk_datagram_and_beyond wsk_datagram_and_beyond = {
    .table =
        {
            .Basic = {.WskControlSocket = wsk_control_socket, .WskCloseSocket = wsk_close_socket},
            .WskBind = wsk_bind,
            .WskSendTo = wsk_send_to,
            .WskReceiveFrom = wsk_receive_from,
            .WskRelease = wsk_release_datagrams,
            .WskGetLocalAddress = wsk_get_local_address,
            .WskSendMessages = wsk_send_messages,
        },
    .beyond = WSK_ALL_BEYOND,
};
