#include "harness/peer.h"

#include "ke/limit.h"

/* Peers: UDP. */

/* A call, and the one datagram that it moves. */
struct datagram_call {
    struct peer_call call; /* first */
    struct net_datagram datagram;
};

NTSTATUS wskemu_peer_open_datagram(const SOCKADDR *address, struct wskemu_peer **out)
{
    struct net_address local;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    *out = NULL;
    if (!wsk_address_from(address, &local)) {
        return STATUS_INVALID_PARAMETER;
    }
    return peer_open(PEER_DATAGRAM, local.family, &local, _ReturnAddress(), out);
}

static enum net_error send_step(struct peer_call *call)
{
    struct datagram_call *sending = CONTAINING_RECORD(call, struct datagram_call, call);
    unsigned done = 0;
    return net_send_datagrams(call->peer->net, &sending->datagram, 1, &done);
}

static enum net_error receive_step(struct peer_call *call)
{
    struct datagram_call *receiving = CONTAINING_RECORD(call, struct datagram_call, call);
    unsigned done = 0;
    return net_receive_datagrams(call->peer->net, &receiving->datagram, 1, &done);
}

NTSTATUS wskemu_peer_send_to(struct wskemu_peer *peer, const SOCKADDR *address, const void *data,
                             SIZE_T length)
{
    struct net_buffer buffer = {.base = (PVOID)(ULONG_PTR)data, .length = length};
    struct datagram_call sending = {.call = {.peer = peer},
                                    .datagram = {.buffers = &buffer, .count = 1}};
    NTSTATUS status = peer_enter(peer, __func__);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (!wsk_address_from(address, &sending.datagram.address)) {
        return STATUS_INVALID_PARAMETER;
    }
    return peer_repeat(&sending.call, NET_WRITABLE, send_step);
}

NTSTATUS wskemu_peer_receive_from(struct wskemu_peer *peer, void *buffer, SIZE_T length,
                                  SIZE_T *received, SOCKADDR_STORAGE *from)
{
    struct net_buffer room = {.base = buffer, .length = length};
    struct datagram_call receiving = {.call = {.peer = peer},
                                      .datagram = {.buffers = &room, .count = 1}};
    *received = 0;
    NTSTATUS status = peer_enter(peer, __func__);
    if (NT_SUCCESS(status)) {
        status = peer_repeat(&receiving.call, NET_READABLE, receive_step);
    }
    if (status != STATUS_SUCCESS) {
        return status;
    }
    *received = receiving.datagram.length;
    if (from != NULL) {
        RtlZeroMemory(from, sizeof(*from));
        wsk_address_to(&receiving.datagram.address, (SOCKADDR *)from);
    }
    bool is_cut = (receiving.datagram.flags & NET_TRUNCATED) != 0;
    return is_cut ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}
