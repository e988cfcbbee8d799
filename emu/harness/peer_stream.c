#include "harness/peer.h"

#include "base/log.h"
#include "ke/limit.h"

/* Peers: TCP. */

#define BACKLOG 4096
#define COMPARED_AT_ONCE 4096

/* Connected, refused, or not yet: an address of the other end is there only when connected. */
static enum net_error connect_step(struct peer_call *call)
{
    struct net_address remote;
    enum net_error error = net_error_of(call->peer->net);
    if (error == NET_OK && net_remote_address(call->peer->net, &remote) != NET_OK) {
        error = NET_AGAIN;
    }
    return error;
}

static NTSTATUS connect_from(const SOCKADDR *from, const SOCKADDR *to, const void *creator,
                             struct wskemu_peer **out)
{
    struct net_address local;
    struct net_address remote;
    struct wskemu_peer *peer;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    *out = NULL;
    if (!wsk_address_from(to, &remote) || (from != NULL && !wsk_address_from(from, &local))) {
        return STATUS_INVALID_PARAMETER;
    }
    NTSTATUS status =
        peer_open(PEER_CONNECTION, remote.family, from != NULL ? &local : NULL, creator, &peer);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    enum net_error error = net_connect(peer->net, &remote);
    struct peer_call call = {.peer = peer};
    status =
        error == NET_AGAIN ? peer_repeat(&call, NET_WRITABLE, connect_step) : wsk_status(error);
    if (status != STATUS_SUCCESS) {
        peer_close(peer, true);
        return status;
    }
    *out = peer;
    return STATUS_SUCCESS;
}

NTSTATUS wskemu_peer_connect(const SOCKADDR *address, struct wskemu_peer **out)
{
    return connect_from(NULL, address, _ReturnAddress(), out);
}

NTSTATUS wskemu_peer_connect_from(const SOCKADDR *local, const SOCKADDR *address,
                                  struct wskemu_peer **out)
{
    return connect_from(local, address, _ReturnAddress(), out);
}

NTSTATUS wskemu_peer_listen(const SOCKADDR *address, struct wskemu_peer **out)
{
    struct net_address local;
    struct wskemu_peer *peer;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    *out = NULL;
    if (!wsk_address_from(address, &local)) {
        return STATUS_INVALID_PARAMETER;
    }
    NTSTATUS status = peer_open(PEER_LISTENER, local.family, &local, _ReturnAddress(), &peer);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    enum net_error error = net_listen(peer->net, BACKLOG);
    if (error != NET_OK) {
        peer_close(peer, true);
        return wsk_status(error);
    }
    *out = peer;
    return STATUS_SUCCESS;
}

/* bytes is the new peer. */
static enum net_error accept_step(struct peer_call *call)
{
    struct wskemu_peer *accepted = (struct wskemu_peer *)(PVOID)call->bytes;
    return net_accept(call->peer->net, &peer_callbacks, accepted, &accepted->net);
}

NTSTATUS wskemu_peer_accept(struct wskemu_peer *listener, struct wskemu_peer **out)
{
    *out = NULL;
    NTSTATUS status = peer_enter(listener, __func__);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    struct wskemu_peer *accepted = peer_create(PEER_CONNECTION, _ReturnAddress());
    if (accepted == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    accepted->deadline_ms = listener->deadline_ms;
    struct peer_call call = {.peer = listener, .bytes = (UCHAR *)accepted};
    status = peer_repeat(&call, NET_READABLE, accept_step);
    if (status != STATUS_SUCCESS) {
        peer_free(accepted);
        return status;
    }
    *out = accepted;
    return STATUS_SUCCESS;
}

static void advance(struct peer_call *call, size_t moved)
{
    call->bytes += moved;
    call->left -= moved;
    call->moved += moved;
}

static enum net_error send_step(struct peer_call *call)
{
    struct net_buffer buffer = {.base = call->bytes, .length = call->left};
    size_t moved = 0;
    enum net_error error = net_send(call->peer->net, &buffer, 1, &moved);
    advance(call, error == NET_OK ? moved : 0);
    return error;
}

static enum net_error receive_step(struct peer_call *call)
{
    struct net_buffer buffer = {.base = call->bytes, .length = call->left};
    size_t moved = 0;
    enum net_error error = net_receive(call->peer->net, &buffer, 1, &moved);
    advance(call, error == NET_OK ? moved : 0);
    return error;
}

NTSTATUS wskemu_peer_send(struct wskemu_peer *peer, const void *data, SIZE_T length, SIZE_T *sent)
{
    struct peer_call call = {.peer = peer, .bytes = (UCHAR *)data, .left = length};
    *sent = 0;
    NTSTATUS status = peer_enter(peer, __func__);
    if (NT_SUCCESS(status) && length != 0) {
        status = peer_repeat(&call, NET_WRITABLE, send_step);
    }
    *sent = call.moved;
    return status;
}

NTSTATUS wskemu_peer_send_all(struct wskemu_peer *peer, const void *data, SIZE_T length)
{
    struct peer_call call = {.peer = peer, .bytes = (UCHAR *)data, .left = length};
    NTSTATUS status = peer_enter(peer, __func__);
    while (status == STATUS_SUCCESS && call.left != 0) {
        status = peer_repeat(&call, NET_WRITABLE, send_step);
    }
    return status;
}

/* Takes what is there, or waits for it. */
static NTSTATUS receive(struct peer_call *call)
{
    SIZE_T before = call->moved;
    NTSTATUS status = peer_repeat(call, NET_READABLE, receive_step);
    return status == STATUS_SUCCESS && call->moved == before ? STATUS_END_OF_FILE : status;
}

static NTSTATUS receive_exactly(struct peer_call *call)
{
    NTSTATUS status = STATUS_SUCCESS;
    while (status == STATUS_SUCCESS && call->left != 0) {
        status = receive(call);
    }
    return status;
}

NTSTATUS wskemu_peer_receive(struct wskemu_peer *peer, void *buffer, SIZE_T length,
                             SIZE_T *received)
{
    struct peer_call call = {.peer = peer, .bytes = buffer, .left = length};
    *received = 0;
    NTSTATUS status = peer_enter(peer, __func__);
    if (NT_SUCCESS(status) && length != 0) {
        status = receive(&call);
    }
    *received = call.moved;
    return status;
}

NTSTATUS wskemu_peer_receive_exactly(struct wskemu_peer *peer, void *buffer, SIZE_T length)
{
    struct peer_call call = {.peer = peer, .bytes = buffer, .left = length};
    NTSTATUS status = peer_enter(peer, __func__);
    return NT_SUCCESS(status) ? receive_exactly(&call) : status;
}

static NTSTATUS compare(const UCHAR *received, const UCHAR *expected, SIZE_T length, SIZE_T place)
{
    for (SIZE_T i = 0; i < length; i++) {
        if (received[i] != expected[i]) {
            base_log("peer: byte %llu is 0x%02X, expected 0x%02X\n", (unsigned long long)place + i,
                     received[i], expected[i]);
            return STATUS_DATA_ERROR;
        }
    }
    return STATUS_SUCCESS;
}

NTSTATUS wskemu_peer_expect_bytes(struct wskemu_peer *peer, const void *expected, SIZE_T length)
{
    UCHAR received[COMPARED_AT_ONCE];
    struct peer_call call = {.peer = peer};
    NTSTATUS status = peer_enter(peer, __func__);
    while (status == STATUS_SUCCESS && call.moved < length) {
        SIZE_T place = call.moved;
        call.bytes = received;
        call.left = length - place < sizeof(received) ? length - place : sizeof(received);
        status = receive(&call);
        if (status == STATUS_SUCCESS) {
            status = compare(received, (const UCHAR *)expected + place, call.moved - place, place);
        } else {
            base_log("peer: %llu bytes came of %llu expected\n", (unsigned long long)place,
                     (unsigned long long)length);
        }
    }
    return status;
}

NTSTATUS wskemu_peer_expect_end(struct wskemu_peer *peer)
{
    UCHAR byte;
    struct peer_call call = {.peer = peer, .bytes = &byte, .left = sizeof(byte)};
    NTSTATUS status = peer_enter(peer, __func__);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = receive(&call);
    if (status == STATUS_SUCCESS) {
        base_log("peer: a byte 0x%02X came, expected the end of the stream\n", byte);
        return STATUS_DATA_ERROR;
    }
    return status == STATUS_END_OF_FILE ? STATUS_SUCCESS : status;
}

NTSTATUS wskemu_peer_shutdown_send(struct wskemu_peer *peer)
{
    NTSTATUS status = peer_enter(peer, __func__);
    return NT_SUCCESS(status) ? wsk_status(net_shutdown_send(peer->net)) : status;
}
