/*
 * Control data: a chain of records, each a CMSGHDR and data. A driver's chain is never trusted: its
 * headers and data are copied before they are looked at, and no length is used before it was
 * compared with what is left.
 */
#include "wsk/control_data.h"

#include "wsk/wsk.h"

#define HEADER_BYTES WSA_CMSG_LEN(0)

/* ---- sending ---- */

/* What a chain has said so far. */
struct reading {
    const struct wsk_socket *socket;
    struct wsk_send_control *control;
    bool has_traffic;
    bool has_ecn;
    int ecn;
};

struct record {
    INT level;
    INT type;
    ULONG bytes; /* of its data, at least */
    NTSTATUS (*read)(struct reading *reading, const UCHAR *data);
};

static INT int_of(const UCHAR *data)
{
    INT value;
    RtlCopyMemory(&value, data, sizeof(value));
    return value;
}

static NTSTATUS read_packet(struct reading *reading, enum net_family family, const void *address,
                            SIZE_T address_bytes, ULONG interface_index)
{
    struct net_control *net = &reading->control->net;
    net->present |= NET_CONTROL_PACKET;
    RtlZeroMemory(&net->packet, sizeof(net->packet));
    net->packet.family = family;
    RtlCopyMemory(net->packet.bytes, address, address_bytes);
    net->interface_index = interface_index;
    return STATUS_SUCCESS;
}

static NTSTATUS read_ipv4_packet(struct reading *reading, const UCHAR *data)
{
    IN_PKTINFO info;
    RtlCopyMemory(&info, data, sizeof(info));
    return read_packet(reading, NET_IPV4, &info.ipi_addr, sizeof(info.ipi_addr), info.ipi_ifindex);
}

static NTSTATUS read_ipv6_packet(struct reading *reading, const UCHAR *data)
{
    IN6_PKTINFO info;
    RtlCopyMemory(&info, data, sizeof(info));
    return read_packet(reading, NET_IPV6, &info.ipi6_addr, sizeof(info.ipi6_addr),
                       info.ipi6_ifindex);
}

static NTSTATUS read_hop_limit(struct reading *reading, const UCHAR *data)
{
    INT value = int_of(data);
    if (value < 1 || value > MAXUCHAR) {
        return STATUS_INVALID_PARAMETER;
    }
    reading->control->net.present |= NET_CONTROL_HOP_LIMIT;
    reading->control->net.hop_limit = value;
    return STATUS_SUCCESS;
}

static NTSTATUS read_traffic(struct reading *reading, const UCHAR *data)
{
    INT value = int_of(data);
    if (value < 0 || value > MAXUCHAR) {
        return STATUS_INVALID_PARAMETER;
    }
    reading->has_traffic = true;
    reading->control->net.traffic = value;
    return STATUS_SUCCESS;
}

static NTSTATUS read_ecn(struct reading *reading, const UCHAR *data)
{
    INT value = int_of(data);
    if (value < 0 || value > 3) {
        return STATUS_INVALID_PARAMETER;
    }
    reading->has_ecn = true;
    reading->ecn = value;
    return STATUS_SUCCESS;
}

static NTSTATUS read_segment(struct reading *reading, const UCHAR *data)
{
    INT value = int_of(data);
    if (reading->socket->type != SOCK_DGRAM) {
        return STATUS_NOT_SUPPORTED;
    }
    if (value < 0 || value > MAXUSHORT) {
        return STATUS_INVALID_PARAMETER;
    }
    reading->control->segment = (ULONG)value;
    return STATUS_SUCCESS;
}

/* NULL: may stand there without data, and says nothing then. */
static const struct record records[] = {
    {IPPROTO_IP, IP_PKTINFO, sizeof(IN_PKTINFO), read_ipv4_packet},
    {IPPROTO_IP, IP_TTL, sizeof(INT), read_hop_limit},
    {IPPROTO_IP, IP_HOPLIMIT, sizeof(INT), read_hop_limit},
    {IPPROTO_IP, IP_TOS, sizeof(INT), read_traffic},
    {IPPROTO_IP, IP_TCLASS, sizeof(INT), read_traffic},
    {IPPROTO_IP, IP_ECN, sizeof(INT), read_ecn},
    {IPPROTO_IP, IP_OPTIONS, 0, NULL},
    {IPPROTO_IP, IP_RTHDR, 0, NULL},
    {IPPROTO_IPV6, IPV6_PKTINFO, sizeof(IN6_PKTINFO), read_ipv6_packet},
    {IPPROTO_IPV6, IPV6_HOPLIMIT, sizeof(INT), read_hop_limit},
    {IPPROTO_IPV6, IPV6_TCLASS, sizeof(INT), read_traffic},
    {IPPROTO_IPV6, IPV6_ECN, sizeof(INT), read_ecn},
    {IPPROTO_IPV6, IPV6_RTHDR, 0, NULL},
    {IPPROTO_UDP, UDP_SEND_MSG_SIZE, sizeof(ULONG), read_segment},
};

static NTSTATUS read_record(struct reading *reading, const CMSGHDR *header, const UCHAR *data)
{
    ULONG bytes = (ULONG)(header->cmsg_len - HEADER_BYTES);
    if (header->cmsg_level == IPPROTO_IPV6 && reading->socket->family != AF_INET6) {
        return STATUS_NOT_SUPPORTED;
    }
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(records); i++) {
        const struct record *record = &records[i];
        if (record->level != header->cmsg_level || record->type != header->cmsg_type) {
            continue;
        }
        if (record->read == NULL) {
            return bytes == 0 ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
        }
        return bytes < record->bytes ? STATUS_INVALID_PARAMETER : record->read(reading, data);
    }
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS read_chain(struct reading *reading, const UCHAR *bytes, ULONG length)
{
    ULONG offset = 0;
    do {
        CMSGHDR header;
        if (length - offset < HEADER_BYTES) {
            return STATUS_INVALID_PARAMETER;
        }
        RtlCopyMemory(&header, bytes + offset, sizeof(header));
        if (header.cmsg_len < HEADER_BYTES || header.cmsg_len > length - offset) {
            return STATUS_INVALID_PARAMETER;
        }
        NTSTATUS status = read_record(reading, &header, bytes + offset + HEADER_BYTES);
        if (!NT_SUCCESS(status)) {
            return status;
        }
        offset += (ULONG)WSA_CMSGHDR_ALIGN(header.cmsg_len);
    } while (offset < length);
    return STATUS_SUCCESS;
}

NTSTATUS wsk_control_parse(const struct wsk_socket *socket, const CMSGHDR *info, ULONG length,
                           struct wsk_send_control *control)
{
    struct reading reading = {.socket = socket, .control = control};
    control->net.present = 0;
    control->net.traffic = socket->datagram.traffic;
    control->segment = socket->datagram.segment;
    if (length == 0) {
        return STATUS_SUCCESS;
    }
    if (info == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    NTSTATUS status = read_chain(&reading, (const UCHAR *)info, length);
    if (reading.has_ecn) {
        control->net.traffic = (control->net.traffic & ~3) | reading.ecn;
    }
    if (reading.has_traffic || reading.has_ecn) {
        control->net.present |= NET_CONTROL_TRAFFIC;
    }
    return status;
}

/* ---- receiving ---- */

/* Appends a record; returns where the next one goes. */
static UCHAR *put(UCHAR *next, INT level, INT type, const void *data, SIZE_T length)
{
    CMSGHDR header = {.cmsg_len = WSA_CMSG_LEN(length), .cmsg_level = level, .cmsg_type = type};
    SIZE_T space = WSA_CMSG_SPACE(length);
    RtlZeroMemory(next, space);
    RtlCopyMemory(next, &header, sizeof(header));
    RtlCopyMemory(next + HEADER_BYTES, data, length);
    return next + space;
}

static UCHAR *put_packet(UCHAR *next, const struct net_control *control)
{
    if (control->packet.family == NET_IPV4) {
        IN_PKTINFO info = {.ipi_ifindex = control->interface_index};
        RtlCopyMemory(&info.ipi_addr, control->packet.bytes, sizeof(info.ipi_addr));
        return put(next, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    }
    IN6_PKTINFO info = {.ipi6_ifindex = control->interface_index};
    RtlCopyMemory(&info.ipi6_addr, control->packet.bytes, sizeof(info.ipi6_addr));
    return put(next, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
}

static bool is_ipv4(const struct wsk_socket *socket, const struct net_control *control)
{
    return (control->present & NET_CONTROL_PACKET) != 0 ? control->packet.family == NET_IPV4
                                                        : socket->family == AF_INET;
}

ULONG wsk_control_compose(const struct wsk_socket *socket, const struct net_control *control,
                          UCHAR *bytes)
{
    bool is_v4 = is_ipv4(socket, control);
    unsigned wanted = is_v4 ? socket->datagram.ipv4_records : socket->datagram.ipv6_records;
    INT level = is_v4 ? IPPROTO_IP : IPPROTO_IPV6;
    INT ecn = control->traffic & 3;
    UCHAR *next = bytes;
    if ((wanted & WSK_RECORD_PACKET) != 0 && (control->present & NET_CONTROL_PACKET) != 0) {
        next = put_packet(next, control);
    }
    if ((wanted & WSK_RECORD_HOP_LIMIT) != 0 && (control->present & NET_CONTROL_HOP_LIMIT) != 0) {
        next =
            put(next, level, is_v4 ? IP_HOPLIMIT : IPV6_HOPLIMIT, &control->hop_limit, sizeof(INT));
    }
    if ((control->present & NET_CONTROL_TRAFFIC) == 0) {
        return (ULONG)(next - bytes);
    }
    if ((wanted & WSK_RECORD_TRAFFIC) != 0) {
        next = put(next, level, is_v4 ? IP_TOS : IPV6_TCLASS, &control->traffic, sizeof(INT));
    }
    if ((wanted & WSK_RECORD_ECN) != 0) {
        next = put(next, level, is_v4 ? IP_ECN : IPV6_ECN, &ecn, sizeof(ecn));
    }
    return (ULONG)(next - bytes);
}

ULONG wsk_control_fit(const UCHAR *bytes, ULONG length, ULONG size)
{
    ULONG fits = 0;
    while (fits < length) {
        const CMSGHDR *header = (const CMSGHDR *)(const void *)(bytes + fits);
        ULONG end = fits + (ULONG)WSA_CMSGHDR_ALIGN(header->cmsg_len);
        if (end > size) {
            return fits;
        }
        fits = end;
    }
    return fits;
}
