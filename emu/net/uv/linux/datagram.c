/*
 * Datagrams, many with one call.
 *
 * What goes along with a datagram comes as control messages. On a socket of IPv6 that takes IPv4
 * too, a datagram of IPv4 brings those of IPv4 besides those of IPv6; they say more, and win.
 * IP_PKTINFO names both the address in the packet's header and the machine's own address that took
 * it: where they differ, the packet went to a group or was a broadcast.
 */
#include "net/uv/descriptor.h"

#include "net/uv/address.h"
#include "net/uv/error.h"
#include "net/uv/linux/call.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define CONTROL_BYTES 256

/* Room for the host's view of one datagram. */
struct host_datagram {
    struct sockaddr_storage address;
    struct iovec pieces[NET_BUFFERS_MAX];
    _Alignas(struct cmsghdr) unsigned char control[CONTROL_BYTES];
};

static void fill_pieces(struct msghdr *message, struct host_datagram *host,
                        const struct net_datagram *datagram)
{
    memset(message, 0, sizeof(*message));
    for (unsigned i = 0; i < datagram->count; i++) {
        host->pieces[i].iov_base = datagram->buffers[i].base;
        host->pieces[i].iov_len = datagram->buffers[i].length;
    }
    message->msg_iov = host->pieces;
    message->msg_iovlen = datagram->count;
    message->msg_name = &host->address;
}

/* ---- receiving ---- */

/* The number in a control message: Linux gives the type of service in one byte. */
static int number_of(const struct cmsghdr *item)
{
    int number = 0;
    unsigned char byte;
    if (item->cmsg_len >= CMSG_LEN(sizeof(number))) {
        memcpy(&number, CMSG_DATA(item), sizeof(number));
        return number;
    }
    memcpy(&byte, CMSG_DATA(item), sizeof(byte));
    return byte;
}

static void read_ipv4_packet(const struct cmsghdr *item, struct net_datagram *datagram)
{
    struct in_pktinfo info;
    memcpy(&info, CMSG_DATA(item), sizeof(info));
    datagram->control.packet = address_from_ipv4(&info.ipi_addr);
    datagram->control.interface_index = (uint32_t)info.ipi_ifindex;
    if (address_is_multicast(&datagram->control.packet)) {
        datagram->flags |= NET_WAS_MULTICAST;
    } else if (info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr) {
        datagram->flags |= NET_WAS_BROADCAST;
    }
}

static void read_ipv6_packet(const struct cmsghdr *item, struct net_datagram *datagram)
{
    struct in6_pktinfo info;
    if (datagram->control.packet.family == NET_IPV4) {
        return;
    }
    memcpy(&info, CMSG_DATA(item), sizeof(info));
    struct net_address address = address_from_ipv6(&info.ipi6_addr);
    datagram->control.packet = address_unmapped(&address);
    datagram->control.interface_index = info.ipi6_ifindex;
    if (address_is_multicast(&datagram->control.packet)) {
        datagram->flags |= NET_WAS_MULTICAST;
    }
}

static void read_item(const struct cmsghdr *item, struct net_datagram *datagram)
{
    struct net_control *control = &datagram->control;
    bool is_ipv4 = item->cmsg_level == IPPROTO_IP;
    if (is_ipv4 && item->cmsg_type == IP_PKTINFO) {
        read_ipv4_packet(item, datagram);
        control->present |= NET_CONTROL_PACKET;
    } else if (!is_ipv4 && item->cmsg_type == IPV6_PKTINFO) {
        read_ipv6_packet(item, datagram);
        control->present |= NET_CONTROL_PACKET;
    } else if (item->cmsg_type == (is_ipv4 ? IP_TTL : IPV6_HOPLIMIT)) {
        control->hop_limit = number_of(item);
        control->present |= NET_CONTROL_HOP_LIMIT;
    } else if (item->cmsg_type == (is_ipv4 ? IP_TOS : IPV6_TCLASS)) {
        control->traffic = number_of(item);
        control->present |= NET_CONTROL_TRAFFIC;
    }
}

static void read_control(struct msghdr *message, struct net_datagram *datagram)
{
    memset(&datagram->control, 0, sizeof(datagram->control));
    for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item != NULL;
         item = CMSG_NXTHDR(message, item)) {
        if (item->cmsg_level == IPPROTO_IP || item->cmsg_level == IPPROTO_IPV6) {
            read_item(item, datagram);
        }
    }
}

/* One datagram costs less by the call that knows one only. */
static int receive(uv_os_sock_t sock, struct mmsghdr *messages, unsigned count)
{
    if (count != 1) {
        return recvmmsg(sock, messages, count, MSG_DONTWAIT, NULL);
    }
    ssize_t length = recvmsg(sock, &messages->msg_hdr, MSG_DONTWAIT);
    messages->msg_len = length < 0 ? 0 : (unsigned)length;
    return length < 0 ? -1 : 1;
}

static void read_result(struct mmsghdr *result, const struct host_datagram *host,
                        struct net_datagram *datagram)
{
    address_from_host(&host->address, &datagram->address);
    datagram->length = result->msg_len;
    datagram->flags = (result->msg_hdr.msg_flags & MSG_TRUNC) != 0 ? NET_TRUNCATED : 0;
    read_control(&result->msg_hdr, datagram);
}

enum net_error descriptor_receive_datagrams(uv_os_sock_t sock, struct net_datagram *datagrams,
                                            unsigned count, unsigned *done)
{
    struct mmsghdr messages[NET_DATAGRAMS_MAX];
    struct host_datagram hosts[NET_DATAGRAMS_MAX];
    *done = 0;
    for (unsigned i = 0; i < count; i++) {
        struct msghdr *message = &messages[i].msg_hdr;
        hosts[i].address.ss_family = AF_UNSPEC;
        fill_pieces(message, &hosts[i], &datagrams[i]);
        message->msg_namelen = sizeof(hosts[i].address);
        message->msg_control = hosts[i].control;
        message->msg_controllen = sizeof(hosts[i].control);
    }
    int received = receive(sock, messages, count);
    if (received < 0) {
        return error_of_host(errno);
    }
    for (int i = 0; i < received; i++) {
        read_result(&messages[i], &hosts[i], &datagrams[i]);
    }
    *done = (unsigned)received;
    return NET_OK;
}

/* ---- sending ---- */

static void append(struct msghdr *message, int level, int type, const void *data, size_t length)
{
    struct cmsghdr *item =
        (struct cmsghdr *)(void *)((unsigned char *)message->msg_control + message->msg_controllen);
    item->cmsg_level = level;
    item->cmsg_type = type;
    item->cmsg_len = CMSG_LEN(length);
    memcpy(CMSG_DATA(item), data, length);
    message->msg_controllen += CMSG_SPACE(length);
}

static void write_ipv4_control(struct msghdr *message, const struct net_control *control)
{
    if ((control->present & NET_CONTROL_PACKET) != 0) {
        struct in_pktinfo info = {.ipi_ifindex = (int)control->interface_index};
        address_is_ipv4(&control->packet, &info.ipi_spec_dst);
        append(message, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    }
    if ((control->present & NET_CONTROL_HOP_LIMIT) != 0) {
        append(message, IPPROTO_IP, IP_TTL, &control->hop_limit, sizeof(int));
    }
    if ((control->present & NET_CONTROL_TRAFFIC) != 0) {
        append(message, IPPROTO_IP, IP_TOS, &control->traffic, sizeof(int));
    }
}

static void write_ipv6_control(struct msghdr *message, const struct net_control *control)
{
    if ((control->present & NET_CONTROL_PACKET) != 0) {
        struct in6_pktinfo info = {.ipi6_ifindex = control->interface_index};
        memcpy(&info.ipi6_addr, control->packet.bytes, sizeof(info.ipi6_addr));
        append(message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    }
    if ((control->present & NET_CONTROL_HOP_LIMIT) != 0) {
        append(message, IPPROTO_IPV6, IPV6_HOPLIMIT, &control->hop_limit, sizeof(int));
    }
    if ((control->present & NET_CONTROL_TRAFFIC) != 0) {
        append(message, IPPROTO_IPV6, IPV6_TCLASS, &control->traffic, sizeof(int));
    }
}

static void write_control(struct msghdr *message, struct host_datagram *host,
                          const struct net_datagram *datagram)
{
    struct in_addr ignored;
    if (datagram->control.present == 0) {
        return;
    }
    memset(host->control, 0, sizeof(host->control));
    message->msg_control = host->control;
    if (address_is_ipv4(&datagram->address, &ignored)) {
        write_ipv4_control(message, &datagram->control);
    } else {
        write_ipv6_control(message, &datagram->control);
    }
}

/* Linux tells of a source address that is not the machine's in several ways, which mean other
 * things too: a bind asks it plainly. */
static enum net_error error_of_send(const struct net_datagram *datagram)
{
    enum net_error error = error_of_host(errno);
    uv_os_sock_t probe;
    bool is_of_source = (datagram->control.present & NET_CONTROL_PACKET) != 0 &&
                        (error == NET_INVALID || error == NET_UNREACHABLE_NETWORK);
    if (!is_of_source ||
        descriptor_open(datagram->control.packet.family, NET_DATAGRAM, 0, &probe) != NET_OK) {
        return error;
    }
    enum net_error bound = descriptor_bind(probe, NET_DATAGRAM, &datagram->control.packet, false);
    descriptor_close(probe, false);
    return bound == NET_ADDRESS_NOT_AVAILABLE ? bound : error;
}

/* One datagram in one piece with nothing beside it. */
static bool is_plain(const struct net_datagram *datagram)
{
    return datagram->count == 1 && datagram->control.present == 0;
}

static enum net_error send_plain(uv_os_sock_t sock, const struct net_datagram *datagram)
{
    const struct net_buffer *piece = datagram->buffers;
    struct sockaddr_storage host;
    socklen_t length = (socklen_t)address_to_host(&datagram->address, &host);
    return call_sendto(sock, piece->base, piece->length, (struct sockaddr *)&host, length) < 0
               ? error_of_send(datagram)
               : NET_OK;
}

/* By the call that asks for the least: it costs the least. */
static int transmit(uv_os_sock_t sock, struct mmsghdr *messages, unsigned count)
{
    const struct msghdr *first = &messages->msg_hdr;
    if (count != 1) {
        return sendmmsg(sock, messages, count, MSG_NOSIGNAL);
    }
    return sendmsg(sock, first, MSG_NOSIGNAL) < 0 ? -1 : 1;
}

static enum net_error send_list(uv_os_sock_t sock, const struct net_datagram *datagrams,
                                unsigned count, unsigned *done)
{
    struct mmsghdr messages[NET_DATAGRAMS_MAX];
    struct host_datagram hosts[NET_DATAGRAMS_MAX];
    *done = 0;
    for (unsigned i = 0; i < count; i++) {
        struct msghdr *message = &messages[i].msg_hdr;
        fill_pieces(message, &hosts[i], &datagrams[i]);
        message->msg_namelen = (socklen_t)address_to_host(&datagrams[i].address, &hosts[i].address);
        write_control(message, &hosts[i], &datagrams[i]);
    }
    int sent = transmit(sock, messages, count);
    if (sent < 0) {
        return error_of_send(datagrams);
    }
    *done = (unsigned)sent;
    return NET_OK;
}

enum net_error descriptor_send_datagrams(uv_os_sock_t sock, const struct net_datagram *datagrams,
                                         unsigned count, unsigned *done)
{
    if (count != 1 || !is_plain(datagrams)) {
        return send_list(sock, datagrams, count, done);
    }
    enum net_error error = send_plain(sock, datagrams);
    *done = error == NET_OK ? 1 : 0;
    return error;
}
