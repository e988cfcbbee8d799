/*
 * Datagrams, one with each call: Winsock has none for more.
 *
 * WSARecvMsg is an extension that has to be asked for. A datagram that did not fit is an error to
 * it, with the buffers filled. On a socket of both families a datagram of IPv4 says where it went
 * to in one of two forms; both give an address of IPv4.
 */
#include <winsock2.h>
#include <ws2tcpip.h>

#include "net/uv/descriptor.h"

#include "net/uv/address.h"
#include "net/uv/error.h"

#include <mswsock.h>
#include <stdatomic.h>
#include <string.h>

#define CONTROL_BYTES 256

/* Room for Winsock's view of one datagram. */
struct host_datagram {
    WSAMSG message;
    struct sockaddr_storage address;
    WSABUF pieces[NET_BUFFERS_MAX];
    _Alignas(WSACMSGHDR) char control[CONTROL_BYTES];
};

static void fill(struct host_datagram *host, const struct net_datagram *datagram)
{
    memset(&host->message, 0, sizeof(host->message));
    for (unsigned i = 0; i < datagram->count; i++) {
        host->pieces[i].buf = datagram->buffers[i].base;
        host->pieces[i].len = (ULONG)datagram->buffers[i].length;
    }
    host->message.lpBuffers = host->pieces;
    host->message.dwBufferCount = datagram->count;
    host->message.name = (struct sockaddr *)&host->address;
    host->message.Control.buf = host->control;
}

/* ---- receiving ---- */

static LPFN_WSARECVMSG receive_message(uv_os_sock_t sock)
{
    static _Atomic(LPFN_WSARECVMSG) known;
    LPFN_WSARECVMSG function = atomic_load(&known);
    GUID id = WSAID_WSARECVMSG;
    DWORD bytes;
    if (function == NULL && WSAIoctl(sock, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof(id),
                                     &function, sizeof(function), &bytes, NULL, NULL) == 0) {
        atomic_store(&known, function);
    }
    return function;
}

static void read_packet(const WSACMSGHDR *item, struct net_control *control)
{
    if (item->cmsg_level == IPPROTO_IP) {
        IN_PKTINFO info;
        memcpy(&info, WSA_CMSG_DATA(item), sizeof(info));
        control->packet = address_from_ipv4(&info.ipi_addr);
        control->interface_index = info.ipi_ifindex;
        return;
    }
    IN6_PKTINFO info;
    memcpy(&info, WSA_CMSG_DATA(item), sizeof(info));
    struct net_address address = address_from_ipv6(&info.ipi6_addr);
    control->packet = address_unmapped(&address);
    control->interface_index = info.ipi6_ifindex;
}

static void read_item(const WSACMSGHDR *item, struct net_control *control)
{
    bool is_ipv4 = item->cmsg_level == IPPROTO_IP;
    if (item->cmsg_type == (is_ipv4 ? IP_PKTINFO : IPV6_PKTINFO)) {
        read_packet(item, control);
        control->present |= NET_CONTROL_PACKET;
    } else if (item->cmsg_type == (is_ipv4 ? IP_HOPLIMIT : IPV6_HOPLIMIT)) {
        memcpy(&control->hop_limit, WSA_CMSG_DATA(item), sizeof(int));
        control->present |= NET_CONTROL_HOP_LIMIT;
    } else if (item->cmsg_type == (is_ipv4 ? IP_TOS : IPV6_TCLASS)) {
        memcpy(&control->traffic, WSA_CMSG_DATA(item), sizeof(int));
        control->present |= NET_CONTROL_TRAFFIC;
    }
}

static void read_control(WSAMSG *message, struct net_control *control)
{
    memset(control, 0, sizeof(*control));
    for (WSACMSGHDR *item = WSA_CMSG_FIRSTHDR(message); item != NULL;
         item = WSA_CMSG_NXTHDR(message, item)) {
        if (item->cmsg_level == IPPROTO_IP || item->cmsg_level == IPPROTO_IPV6) {
            read_item(item, control);
        }
    }
}

static unsigned flags_of(const WSAMSG *message, const struct net_control *control,
                         bool is_truncated)
{
    bool is_known = (control->present & NET_CONTROL_PACKET) != 0;
    bool is_multicast = is_known && address_is_multicast(&control->packet);
    bool is_broadcast = is_known && address_is_limited_broadcast(&control->packet);
    is_truncated = is_truncated || (message->dwFlags & MSG_TRUNC) != 0;
    is_multicast = is_multicast || (message->dwFlags & MSG_MCAST) != 0;
    is_broadcast = is_broadcast || (message->dwFlags & MSG_BCAST) != 0;
    return (is_truncated ? (unsigned)NET_TRUNCATED : 0) |
           (is_multicast ? (unsigned)NET_WAS_MULTICAST : 0) |
           (is_broadcast ? (unsigned)NET_WAS_BROADCAST : 0);
}

static size_t room_of(const struct net_datagram *datagram)
{
    size_t room = 0;
    for (unsigned i = 0; i < datagram->count; i++) {
        room += datagram->buffers[i].length;
    }
    return room;
}

static enum net_error receive_one(uv_os_sock_t sock, struct net_datagram *datagram)
{
    struct host_datagram host;
    LPFN_WSARECVMSG receive = receive_message(sock);
    DWORD bytes = 0;
    if (receive == NULL) {
        return NET_NOT_SUPPORTED;
    }
    fill(&host, datagram);
    host.address.ss_family = AF_UNSPEC;
    host.message.namelen = sizeof(host.address);
    host.message.Control.len = sizeof(host.control);
    enum net_error error = error_of_call(receive(sock, &host.message, &bytes, NULL, NULL));
    if (error != NET_OK && error != NET_TOO_LONG) {
        return error;
    }
    address_from_host(&host.address, &datagram->address);
    read_control(&host.message, &datagram->control);
    datagram->length = error == NET_TOO_LONG ? room_of(datagram) : bytes;
    datagram->flags = flags_of(&host.message, &datagram->control, error == NET_TOO_LONG);
    return NET_OK;
}

enum net_error descriptor_receive_datagrams(uv_os_sock_t sock, struct net_datagram *datagrams,
                                            unsigned count, unsigned *done)
{
    enum net_error error = NET_OK;
    *done = 0;
    while (*done < count && error == NET_OK) {
        error = receive_one(sock, &datagrams[*done]);
        *done += error == NET_OK ? 1 : 0;
    }
    return *done != 0 ? NET_OK : error;
}

/* ---- sending ---- */

static void append(WSAMSG *message, int level, int type, const void *data, size_t length)
{
    WSACMSGHDR *item = (WSACMSGHDR *)(void *)(message->Control.buf + message->Control.len);
    item->cmsg_level = level;
    item->cmsg_type = type;
    item->cmsg_len = WSA_CMSG_LEN(length);
    memcpy(WSA_CMSG_DATA(item), data, length);
    message->Control.len += (ULONG)WSA_CMSG_SPACE(length);
}

static void append_packet(WSAMSG *message, bool is_ipv4, const struct net_control *control)
{
    if (is_ipv4) {
        IN_PKTINFO info = {.ipi_ifindex = control->interface_index};
        address_is_ipv4(&control->packet, &info.ipi_addr);
        append(message, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
        return;
    }
    IN6_PKTINFO info = {.ipi6_ifindex = control->interface_index};
    memcpy(&info.ipi6_addr, control->packet.bytes, sizeof(info.ipi6_addr));
    append(message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
}

static void write_control(struct host_datagram *host, const struct net_datagram *datagram)
{
    const struct net_control *control = &datagram->control;
    struct in_addr ignored;
    bool is_ipv4 = address_is_ipv4(&datagram->address, &ignored);
    int level = is_ipv4 ? IPPROTO_IP : IPPROTO_IPV6;
    memset(host->control, 0, sizeof(host->control));
    if ((control->present & NET_CONTROL_PACKET) != 0) {
        append_packet(&host->message, is_ipv4, control);
    }
    if ((control->present & NET_CONTROL_HOP_LIMIT) != 0) {
        append(&host->message, level, is_ipv4 ? IP_HOPLIMIT : IPV6_HOPLIMIT, &control->hop_limit,
               sizeof(int));
    }
    if ((control->present & NET_CONTROL_TRAFFIC) != 0) {
        append(&host->message, level, is_ipv4 ? IP_TOS : IPV6_TCLASS, &control->traffic,
               sizeof(int));
    }
    if (host->message.Control.len == 0) {
        host->message.Control.buf = NULL;
    }
}

static enum net_error send_one(uv_os_sock_t sock, const struct net_datagram *datagram)
{
    struct host_datagram host;
    DWORD bytes = 0;
    fill(&host, datagram);
    host.message.namelen = address_to_host(&datagram->address, &host.address);
    write_control(&host, datagram);
    return error_of_call(WSASendMsg(sock, &host.message, 0, &bytes, NULL, NULL));
}

enum net_error descriptor_send_datagrams(uv_os_sock_t sock, const struct net_datagram *datagrams,
                                         unsigned count, unsigned *done)
{
    enum net_error error = NET_OK;
    *done = 0;
    while (*done < count && error == NET_OK) {
        error = send_one(sock, &datagrams[*done]);
        *done += error == NET_OK ? 1 : 0;
    }
    return *done != 0 ? NET_OK : error;
}
