/* Groups of multicast that a socket joins and leaves, and the names of interfaces. */
#include "wsk/control.h"
#include "wsk/wsk.h"

/* 0.x.x.x is an index in network order, as an address of an interface is. */
#define INDEX_MAX 0x00FFFFFF

static struct net_address ipv4_of(const IN_ADDR *from)
{
    struct net_address address = {.family = NET_IPV4};
    RtlCopyMemory(address.bytes, from, sizeof(*from));
    return address;
}

static struct net_address ipv6_of(const IN6_ADDR *from)
{
    struct net_address address = {.family = NET_IPV6};
    RtlCopyMemory(address.bytes, from, sizeof(*from));
    return address;
}

NTSTATUS wsk_interface_of(ULONG value, ULONG *interface)
{
    ULONG index = RtlUlongByteSwap(value);
    struct net_address address = {.family = NET_IPV4};
    if (index <= INDEX_MAX) {
        *interface = index;
        return STATUS_SUCCESS;
    }
    RtlCopyMemory(address.bytes, &value, sizeof(value));
    return wsk_status(net_interface_of(&address, interface));
}

/* Joins or leaves; only an operation of one source has a source. */
static NTSTATUS change(struct wsk_socket *socket, bool is_join, const struct net_address *group,
                       const struct net_address *source, ULONG interface)
{
    if (socket->net == NULL) {
        NTSTATUS status = wsk_socket_open_net(socket);
        if (!NT_SUCCESS(status)) {
            return status;
        }
    }
    return wsk_status(net_set_membership(socket->net, is_join, group, source, interface));
}

NTSTATUS wsk_membership_ipv4(struct wsk_control *control, const struct wsk_control_row *row)
{
    IP_MREQ_SOURCE request;
    IP_MREQ any;
    bool has_source = row->input_bytes == sizeof(IP_MREQ_SOURCE);
    if (has_source) {
        RtlCopyMemory(&request, control->input, sizeof(request));
    } else {
        RtlCopyMemory(&any, control->input, sizeof(any));
        request.imr_multiaddr = any.imr_multiaddr;
        request.imr_interface = any.imr_interface;
        request.imr_sourceaddr = any.imr_interface;
    }
    ULONG interface;
    NTSTATUS status = wsk_interface_of(request.imr_interface.s_addr, &interface);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    struct net_address group = ipv4_of(&request.imr_multiaddr);
    struct net_address source = ipv4_of(&request.imr_sourceaddr);
    return change(control->socket, row->argument != 0, &group, has_source ? &source : NULL,
                  interface);
}

NTSTATUS wsk_membership_ipv6(struct wsk_control *control, const struct wsk_control_row *row)
{
    IPV6_MREQ request;
    RtlCopyMemory(&request, control->input, sizeof(request));
    struct net_address group = ipv6_of(&request.ipv6mr_multiaddr);
    return change(control->socket, row->argument != 0, &group, NULL, request.ipv6mr_interface);
}

/* The form that serves both families, with or without a source. */
NTSTATUS wsk_membership_group(struct wsk_control *control, const struct wsk_control_row *row)
{
    GROUP_SOURCE_REQ request = {0};
    struct net_address group;
    struct net_address source;
    bool has_source = row->input_bytes == sizeof(GROUP_SOURCE_REQ);
    enum net_family family = row->level == IPPROTO_IP ? NET_IPV4 : NET_IPV6;
    C_ASSERT(FIELD_OFFSET(GROUP_SOURCE_REQ, gsr_group) == FIELD_OFFSET(GROUP_REQ, gr_group));
    RtlCopyMemory(&request, control->input, row->input_bytes);
    if (!wsk_address_from((const SOCKADDR *)&request.gsr_group, &group) || group.family != family) {
        return STATUS_INVALID_PARAMETER;
    }
    if (has_source && (!wsk_address_from((const SOCKADDR *)&request.gsr_source, &source) ||
                       source.family != family)) {
        return STATUS_INVALID_PARAMETER;
    }
    return change(control->socket, row->argument != 0, &group, has_source ? &source : NULL,
                  request.gsr_interface);
}
