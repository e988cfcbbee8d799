#include "harness/peer.h"

#include "ke/limit.h"

/* Peers: addresses. */

static NTSTATUS give(enum net_error error, const struct net_address *from, SOCKADDR_STORAGE *to)
{
    RtlZeroMemory(to, sizeof(*to));
    if (error == NET_OK) {
        wsk_address_to(from, (SOCKADDR *)to);
    }
    return wsk_status(error);
}

SOCKADDR_STORAGE wskemu_loopback(ADDRESS_FAMILY family, USHORT port)
{
    struct net_address loopback = {.family = NET_IPV4, .port = port, .bytes = {127, 0, 0, 1}};
    struct net_address loopback6 = {.family = NET_IPV6, .port = port, .bytes = {[15] = 1}};
    SOCKADDR_STORAGE address;
    give(NET_OK, family == AF_INET ? &loopback : &loopback6, &address);
    return address;
}

USHORT wskemu_port(const SOCKADDR *address)
{
    struct net_address plain;
    return wsk_address_from(address, &plain) ? plain.port : 0;
}

USHORT wskemu_free_port(ADDRESS_FAMILY family, USHORT type)
{
    struct net_address address = {0};
    struct wskemu_peer *peer;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    wsk_address_from(WSKEMU_LOOPBACK(family, 0), &address);
    NTSTATUS status = peer_open(type == SOCK_DGRAM ? PEER_DATAGRAM : PEER_LISTENER, address.family,
                                &address, _ReturnAddress(), &peer);
    if (!NT_SUCCESS(status)) {
        return 0;
    }
    enum net_error error = net_local_address(peer->net, &address);
    peer_close(peer, true);
    return error == NET_OK ? address.port : 0;
}

NTSTATUS wskemu_peer_local_address(struct wskemu_peer *peer, SOCKADDR_STORAGE *address)
{
    struct net_address local;
    NTSTATUS status = peer_enter(peer, __func__);
    return NT_SUCCESS(status) ? give(net_local_address(peer->net, &local), &local, address)
                              : status;
}

NTSTATUS wskemu_peer_remote_address(struct wskemu_peer *peer, SOCKADDR_STORAGE *address)
{
    struct net_address remote;
    NTSTATUS status = peer_enter(peer, __func__);
    return NT_SUCCESS(status) ? give(net_remote_address(peer->net, &remote), &remote, address)
                              : status;
}
