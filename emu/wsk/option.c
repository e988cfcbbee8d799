/*
 * Socket options: the table, and what its rows do.
 *
 * An option is kept by the network, or as a bit of the socket, or as a record that datagrams bring
 * along. Values are ULONGs unless a row says otherwise. Basic sockets get a net socket when an
 * option first needs one.
 */
#include "wsk/option.h"

#include "wsk/control.h"
#include "wsk/security.h"
#include "wsk/wsk.h"

/* ---- values ---- */

static ULONG input_value(const struct wsk_control *control)
{
    ULONG value;
    RtlCopyMemory(&value, control->input, sizeof(value));
    return value;
}

/* As a ULONG, or in one byte where the row lets the driver ask for one. */
static void store_value(struct wsk_control *control, ULONG value)
{
    UCHAR byte = (UCHAR)value;
    if (control->output_bytes < sizeof(value)) {
        wsk_control_store(control, &byte, sizeof(byte));
        return;
    }
    wsk_control_store(control, &value, sizeof(value));
}

static NTSTATUS need_net(struct wsk_socket *socket)
{
    if (socket->net != NULL) {
        return STATUS_SUCCESS;
    }
    return socket->category == WSK_FLAG_BASIC_SOCKET ? wsk_socket_open_net(socket)
                                                     : STATUS_INVALID_DEVICE_STATE;
}

/* ---- options of the network ---- */

static NTSTATUS set_net(struct wsk_socket *socket, ULONG option, ULONG value)
{
    NTSTATUS status = need_net(socket);
    return NT_SUCCESS(status)
               ? wsk_status(net_set_option(socket->net, (enum net_option)option, (int)value))
               : status;
}

static NTSTATUS get_net(struct wsk_socket *socket, ULONG option, ULONG *value)
{
    int number = 0;
    NTSTATUS status = need_net(socket);
    if (NT_SUCCESS(status)) {
        status = wsk_status(net_get_option(socket->net, (enum net_option)option, &number));
    }
    *value = (ULONG)number;
    return status;
}

/* Reads or writes a value as it stands. */
static NTSTATUS run_number(struct wsk_control *control, const struct wsk_control_row *row)
{
    ULONG value;
    if (control->type == WskSetOption) {
        value = input_value(control);
        return value > MAXLONG ? STATUS_INVALID_PARAMETER
                               : set_net(control->socket, row->argument, value);
    }
    NTSTATUS status = get_net(control->socket, row->argument, &value);
    if (NT_SUCCESS(status)) {
        store_value(control, value);
    }
    return status;
}

static NTSTATUS run_truth(struct wsk_control *control, const struct wsk_control_row *row)
{
    if (control->type == WskSetOption) {
        return set_net(control->socket, row->argument, input_value(control) != 0);
    }
    return run_number(control, row);
}

/* The send buffer is what the ideal send backlog is measured by. */
static NTSTATUS run_send_buffer(struct wsk_control *control, const struct wsk_control_row *row)
{
    struct wsk_socket *socket = control->socket;
    NTSTATUS status = run_number(control, row);
    if (NT_SUCCESS(status) && control->type == WskSetOption &&
        socket->role == WSK_ROLE_CONNECTION && socket->state == WSK_CONNECTED) {
        wsk_send_measure_backlog(socket);
        wsk_queue_post(&socket->send);
    }
    if (socket->role == WSK_ROLE_LISTENER) {
        socket->listener.accepted_backlog = 0;
    }
    return status;
}

/* What records of control data add to is kept beside the network. */
static NTSTATUS run_traffic(struct wsk_control *control, const struct wsk_control_row *row)
{
    NTSTATUS status = run_number(control, row);
    if (NT_SUCCESS(status) && control->type == WskSetOption &&
        control->socket->role == WSK_ROLE_DATAGRAM) {
        control->socket->datagram.traffic = (int)input_value(control);
    }
    return status;
}

/* An interface by its index in network order, as IPv4 has it; 0 is none in particular. */
static NTSTATUS run_swapped(struct wsk_control *control, const struct wsk_control_row *row)
{
    ULONG value;
    if (control->type == WskSetOption) {
        value = RtlUlongByteSwap(input_value(control));
        return value > MAXLONG ? STATUS_INVALID_PARAMETER
                               : set_net(control->socket, row->argument, value);
    }
    NTSTATUS status = get_net(control->socket, row->argument, &value);
    if (NT_SUCCESS(status)) {
        store_value(control, RtlUlongByteSwap(value));
    }
    return status;
}

/* An interface by one of its addresses too. It reads back as its index. */
static NTSTATUS run_ipv4_interface(struct wsk_control *control, const struct wsk_control_row *row)
{
    ULONG interface;
    if (control->type == WskGetOption) {
        return run_swapped(control, row);
    }
    NTSTATUS status = wsk_interface_of(input_value(control), &interface);
    return NT_SUCCESS(status) ? set_net(control->socket, row->argument, interface) : status;
}

/* ---- options of the socket ---- */

/* The argument is a bit of enum wsk_socket_options. */
static NTSTATUS run_bit(struct wsk_control *control, const struct wsk_control_row *row)
{
    struct wsk_socket *socket = control->socket;
    if (control->type == WskGetOption) {
        store_value(control, (socket->options & row->argument) != 0);
        return STATUS_SUCCESS;
    }
    socket->options &= ~row->argument;
    socket->options |= input_value(control) != 0 ? row->argument : 0;
    return STATUS_SUCCESS;
}

/* Always shared and never shared exclude each other. */
static NTSTATUS run_sharing(struct wsk_control *control, const struct wsk_control_row *row)
{
    ULONG both = WSK_OPTION_REUSE_ADDRESS | WSK_OPTION_EXCLUSIVE_ADDRESS;
    if (control->type == WskSetOption && input_value(control) != 0 &&
        (control->socket->options & both & ~row->argument) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    return run_bit(control, row);
}

static NTSTATUS run_conditional(struct wsk_control *control, const struct wsk_control_row *row)
{
    struct wsk_socket *socket = control->socket;
    if (socket->category == WSK_FLAG_STREAM_SOCKET) {
        return STATUS_INVALID_DEVICE_REQUEST; /* it could not answer: WSK-STRM-08 */
    }
    NTSTATUS status = run_bit(control, row);
    if (socket->role == WSK_ROLE_LISTENER) {
        socket->listener.is_conditional = (socket->options & WSK_OPTION_CONDITIONAL) != 0;
    }
    return status;
}

static NTSTATUS run_ipv6_only(struct wsk_control *control, const struct wsk_control_row *row)
{
    if (control->type == WskSetOption) {
        NTSTATUS status = set_net(control->socket, NET_OPTION_IPV6_ONLY, input_value(control) != 0);
        if (!NT_SUCCESS(status)) {
            return status;
        }
    }
    return run_bit(control, row);
}

static NTSTATUS run_type(struct wsk_control *control, const struct wsk_control_row *row)
{
    UNREFERENCED_PARAMETER(row);
    store_value(control, control->socket->type);
    return STATUS_SUCCESS;
}

static NTSTATUS run_segment(struct wsk_control *control, const struct wsk_control_row *row)
{
    UNREFERENCED_PARAMETER(row);
    if (control->type == WskSetOption) {
        control->socket->datagram.segment = input_value(control);
    } else {
        store_value(control, control->socket->datagram.segment);
    }
    return STATUS_SUCCESS;
}

/* ---- control data of datagrams ---- */

/* Has the network tell what this record needs, now that these are wanted. */
static NTSTATUS ask_for_record(struct wsk_socket *socket, ULONG record, unsigned wanted)
{
    unsigned traffic = WSK_RECORD_TRAFFIC | WSK_RECORD_ECN;
    switch (record) {
    case WSK_RECORD_PACKET:
        return STATUS_SUCCESS;
    case WSK_RECORD_HOP_LIMIT:
        return set_net(socket, NET_OPTION_RECEIVE_HOP_LIMIT, (wanted & record) != 0);
    default:
        return set_net(socket, NET_OPTION_RECEIVE_TRAFFIC, (wanted & traffic) != 0);
    }
}

/* The argument is one of enum wsk_record. */
static NTSTATUS run_record(struct wsk_control *control, const struct wsk_control_row *row)
{
    struct wsk_datagram *datagram = &control->socket->datagram;
    unsigned *records =
        row->level == IPPROTO_IP ? &datagram->ipv4_records : &datagram->ipv6_records;
    unsigned others = row->level == IPPROTO_IP ? datagram->ipv6_records : datagram->ipv4_records;
    if (control->type == WskGetOption) {
        store_value(control, (*records & row->argument) != 0);
        return STATUS_SUCCESS;
    }
    unsigned wanted = *records & ~row->argument;
    wanted |= input_value(control) != 0 ? row->argument : 0;
    NTSTATUS status = ask_for_record(control->socket, row->argument, wanted | others);
    if (NT_SUCCESS(status)) {
        *records = wanted;
    }
    return status;
}

/* ---- WSK's own ---- */

static NTSTATUS run_security(struct wsk_control *control, const struct wsk_control_row *row)
{
    struct wsk_socket *socket = control->socket;
    PSECURITY_DESCRIPTOR descriptor;
    if (control->type == WskGetOption) {
        NTSTATUS status = wsk_security_hand_out(socket->security, control->creator, &descriptor);
        if (NT_SUCCESS(status)) {
            wsk_control_store(control, &descriptor, sizeof(descriptor));
        }
        return status;
    }
    RtlCopyMemory(&descriptor, control->input, sizeof(descriptor));
    wsk_security_replace(socket, descriptor, row->name);
    return STATUS_SUCCESS;
}

static NTSTATUS own_events(struct wsk_control *control, const struct wsk_control_row *row)
{
    UNREFERENCED_PARAMETER(row);
    bool is_known;
    NTSTATUS status = wsk_extension_set_events(control, &is_known);
    if (is_known) {
        return status;
    }
    if (control->socket->category == WSK_FLAG_BASIC_SOCKET) {
        return wsk_control_end(control, STATUS_INVALID_DEVICE_REQUEST);
    }
    return wsk_event_control(control->socket, control->input, control->irp);
}

/* ---- the table ---- */

#define BOTH (WSK_CAN_SET | WSK_CAN_GET)
#define DOCUMENTED (BOTH | WSK_IRP_REQUIRED)
#define ON_STREAMS (WSK_ON_LISTENER | WSK_ON_CONNECTION)
#define ON_TRANSPORT (WSK_ON_LISTENER | WSK_ON_CONNECTION | WSK_ON_DATAGRAM)
#define ON_PACKETS (WSK_ON_BASIC | WSK_ON_DATAGRAM)

#define VALUE(option_level, option, on, how, function, what)                                       \
    {                                                                                              \
        .level = (option_level), .code = (ULONG)(option),                                          \
        .name = "WskControlSocket (" #option ")", .sockets = (on), .flags = (how),                 \
        .input_bytes = sizeof(ULONG), .output_bytes = sizeof(ULONG), .run = (function),            \
        .argument = (what)                                                                         \
    }

/* The same of SOL_SOCKET, with an IRP that is required by a rule of its own. */
#define WITH_IRP(option, on, function, what, needed)                                               \
    {                                                                                              \
        .level = SOL_SOCKET, .code = (ULONG)(option), .name = "WskControlSocket (" #option ")",    \
        .sockets = (on), .flags = DOCUMENTED, .input_bytes = sizeof(ULONG),                        \
        .output_bytes = sizeof(ULONG), .run = (function), .argument = (what), .form = (needed)     \
    }

#define BEFORE_BIND(option, on, function, what, needed, broken)                                    \
    {                                                                                              \
        .level = SOL_SOCKET, .code = (ULONG)(option), .name = "WskControlSocket (" #option ")",    \
        .sockets = (on), .flags = DOCUMENTED | WSK_BEFORE_BIND, .input_bytes = sizeof(ULONG),      \
        .output_bytes = sizeof(ULONG), .run = (function), .argument = (what), .form = (needed),    \
        .rule = (broken)                                                                           \
    }

#define INPUT(option_level, option, type, function, what)                                          \
    {                                                                                              \
        .level = (option_level), .code = (ULONG)(option),                                          \
        .name = "WskControlSocket (" #option ")", .sockets = ON_PACKETS, .flags = WSK_CAN_SET,     \
        .input_bytes = sizeof(type), .run = (function), .argument = (what)                         \
    }

static const struct wsk_control_row rows[] = {
    WITH_IRP(SO_BROADCAST, WSK_ON_DATAGRAM, run_truth, NET_OPTION_BROADCAST, "WSK-OPT-02"),
    BEFORE_BIND(SO_CONDITIONAL_ACCEPT, WSK_ON_LISTENER, run_conditional, WSK_OPTION_CONDITIONAL,
                "WSK-OPT-05", "WSK-OPT-07"),
    BEFORE_BIND(SO_EXCLUSIVEADDRUSE, ON_TRANSPORT, run_sharing, WSK_OPTION_EXCLUSIVE_ADDRESS,
                "WSK-OPT-09", "WSK-OPT-11"),
    BEFORE_BIND(SO_REUSEADDR, ON_TRANSPORT, run_sharing, WSK_OPTION_REUSE_ADDRESS, "WSK-OPT-13",
                "WSK-OPT-15"),
    {.level = SOL_SOCKET,
     .code = SO_KEEPALIVE,
     .name = "WskControlSocket (SO_KEEPALIVE)",
     .sockets = ON_STREAMS,
     .flags = DOCUMENTED,
     .input_bytes = sizeof(ULONG),
     .output_bytes = sizeof(UCHAR),
     .run = run_truth,
     .argument = NET_OPTION_KEEP_ALIVE,
     .form = "WSK-OPT-17"},
    WITH_IRP(SO_RCVBUF, ON_TRANSPORT, run_number, NET_OPTION_RECEIVE_BUFFER, "WSK-OPT-22"),
    VALUE(SOL_SOCKET, SO_SNDBUF, ON_TRANSPORT, BOTH, run_send_buffer, NET_OPTION_SEND_BUFFER),
    VALUE(SOL_SOCKET, SO_TYPE, WSK_ON_ANY, WSK_CAN_GET, run_type, 0),
    {.level = SOL_SOCKET,
     .code = SO_WSK_SECURITY,
     .name = "WskControlSocket (SO_WSK_SECURITY)",
     .sockets = ON_TRANSPORT,
     .flags = DOCUMENTED | WSK_BEFORE_BIND,
     .input_bytes = sizeof(PSECURITY_DESCRIPTOR),
     .output_bytes = sizeof(PSECURITY_DESCRIPTOR),
     .run = run_security,
     .form = "WSK-OPT-28",
     .rule = "WSK-OPT-27"},
    {.level = SOL_SOCKET,
     .code = SO_WSK_EVENT_CALLBACK,
     .name = "WskControlSocket (SO_WSK_EVENT_CALLBACK)",
     .sockets = WSK_ON_ANY,
     .flags = WSK_CAN_SET,
     .input_bytes = sizeof(WSK_EVENT_CALLBACK_CONTROL),
     .own = own_events,
     .input_rule = "WSK-CBE-01"},

    VALUE(IPPROTO_IP, IP_TTL, WSK_ON_ANY, BOTH, run_number, NET_OPTION_HOP_LIMIT),
    VALUE(IPPROTO_IP, IP_TOS, WSK_ON_ANY, BOTH, run_traffic, NET_OPTION_TRAFFIC),
    VALUE(IPPROTO_IP, IP_DONTFRAGMENT, WSK_ON_ANY, BOTH, run_truth, NET_OPTION_DONT_FRAGMENT),
    VALUE(IPPROTO_IP, IP_UNICAST_IF, WSK_ON_ANY, BOTH, run_swapped, NET_OPTION_UNICAST_INTERFACE),
    VALUE(IPPROTO_IP, IP_HDRINCL, ON_PACKETS, BOTH, run_truth, NET_OPTION_HEADER_INCLUDED),
    VALUE(IPPROTO_IP, IP_MULTICAST_IF, ON_PACKETS, BOTH, run_ipv4_interface,
          NET_OPTION_MULTICAST_INTERFACE),
    VALUE(IPPROTO_IP, IP_MULTICAST_TTL, ON_PACKETS, BOTH, run_number,
          NET_OPTION_MULTICAST_HOP_LIMIT),
    VALUE(IPPROTO_IP, IP_MULTICAST_LOOP, ON_PACKETS, BOTH, run_truth, NET_OPTION_MULTICAST_LOOP),
    VALUE(IPPROTO_IP, IP_PKTINFO, ON_PACKETS, BOTH, run_record, WSK_RECORD_PACKET),
    VALUE(IPPROTO_IP, IP_HOPLIMIT, ON_PACKETS, BOTH, run_record, WSK_RECORD_HOP_LIMIT),
    VALUE(IPPROTO_IP, IP_RECVTOS, ON_PACKETS, BOTH, run_record, WSK_RECORD_TRAFFIC),
    VALUE(IPPROTO_IP, IP_RECVECN, ON_PACKETS, BOTH, run_record, WSK_RECORD_ECN),
    VALUE(IPPROTO_IP, IP_RECVERR, ON_PACKETS, BOTH, run_bit, WSK_OPTION_IPV4_ERRORS),
    INPUT(IPPROTO_IP, IP_ADD_MEMBERSHIP, IP_MREQ, wsk_membership_ipv4, TRUE),
    INPUT(IPPROTO_IP, IP_DROP_MEMBERSHIP, IP_MREQ, wsk_membership_ipv4, FALSE),
    INPUT(IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, IP_MREQ_SOURCE, wsk_membership_ipv4, TRUE),
    INPUT(IPPROTO_IP, IP_DROP_SOURCE_MEMBERSHIP, IP_MREQ_SOURCE, wsk_membership_ipv4, FALSE),
    INPUT(IPPROTO_IP, MCAST_JOIN_GROUP, GROUP_REQ, wsk_membership_group, TRUE),
    INPUT(IPPROTO_IP, MCAST_LEAVE_GROUP, GROUP_REQ, wsk_membership_group, FALSE),
    INPUT(IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, GROUP_SOURCE_REQ, wsk_membership_group, TRUE),
    INPUT(IPPROTO_IP, MCAST_LEAVE_SOURCE_GROUP, GROUP_SOURCE_REQ, wsk_membership_group, FALSE),

    {.level = IPPROTO_IPV6,
     .code = IPV6_V6ONLY,
     .name = "WskControlSocket (IPV6_V6ONLY)",
     .sockets = WSK_ON_ANY,
     .flags = BOTH | WSK_BEFORE_BIND,
     .input_bytes = sizeof(ULONG),
     .output_bytes = sizeof(ULONG),
     .run = run_ipv6_only,
     .argument = WSK_OPTION_IPV6_ONLY},
    VALUE(IPPROTO_IPV6, IPV6_UNICAST_HOPS, WSK_ON_ANY, BOTH, run_number, NET_OPTION_HOP_LIMIT),
    VALUE(IPPROTO_IPV6, IPV6_TCLASS, WSK_ON_ANY, BOTH, run_traffic, NET_OPTION_TRAFFIC),
    VALUE(IPPROTO_IPV6, IPV6_DONTFRAG, WSK_ON_ANY, BOTH, run_truth, NET_OPTION_DONT_FRAGMENT),
    VALUE(IPPROTO_IPV6, IPV6_UNICAST_IF, WSK_ON_ANY, BOTH, run_number,
          NET_OPTION_UNICAST_INTERFACE),
    VALUE(IPPROTO_IPV6, IPV6_HDRINCL, ON_PACKETS, BOTH, run_truth, NET_OPTION_HEADER_INCLUDED),
    VALUE(IPPROTO_IPV6, IPV6_MULTICAST_IF, ON_PACKETS, BOTH, run_number,
          NET_OPTION_MULTICAST_INTERFACE),
    VALUE(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ON_PACKETS, BOTH, run_number,
          NET_OPTION_MULTICAST_HOP_LIMIT),
    VALUE(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, ON_PACKETS, BOTH, run_truth,
          NET_OPTION_MULTICAST_LOOP),
    VALUE(IPPROTO_IPV6, IPV6_PKTINFO, ON_PACKETS, BOTH, run_record, WSK_RECORD_PACKET),
    VALUE(IPPROTO_IPV6, IPV6_HOPLIMIT, ON_PACKETS, BOTH, run_record, WSK_RECORD_HOP_LIMIT),
    VALUE(IPPROTO_IPV6, IPV6_RECVTCLASS, ON_PACKETS, BOTH, run_record, WSK_RECORD_TRAFFIC),
    VALUE(IPPROTO_IPV6, IPV6_RECVECN, ON_PACKETS, BOTH, run_record, WSK_RECORD_ECN),
    VALUE(IPPROTO_IPV6, IPV6_RECVERR, ON_PACKETS, BOTH, run_bit, WSK_OPTION_IPV6_ERRORS),
    INPUT(IPPROTO_IPV6, IPV6_JOIN_GROUP, IPV6_MREQ, wsk_membership_ipv6, TRUE),
    INPUT(IPPROTO_IPV6, IPV6_LEAVE_GROUP, IPV6_MREQ, wsk_membership_ipv6, FALSE),
    INPUT(IPPROTO_IPV6, MCAST_JOIN_GROUP, GROUP_REQ, wsk_membership_group, TRUE),
    INPUT(IPPROTO_IPV6, MCAST_LEAVE_GROUP, GROUP_REQ, wsk_membership_group, FALSE),
    INPUT(IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, GROUP_SOURCE_REQ, wsk_membership_group, TRUE),
    INPUT(IPPROTO_IPV6, MCAST_LEAVE_SOURCE_GROUP, GROUP_SOURCE_REQ, wsk_membership_group, FALSE),

    VALUE(IPPROTO_TCP, TCP_FASTOPEN, ON_STREAMS, BOTH, run_bit, WSK_OPTION_FAST_OPEN),
    VALUE(IPPROTO_TCP, TCP_KEEPIDLE, WSK_ON_ANY, BOTH, run_number, NET_OPTION_KEEP_IDLE),
    VALUE(IPPROTO_TCP, TCP_KEEPCNT, WSK_ON_ANY, BOTH, run_number, NET_OPTION_KEEP_COUNT),
    VALUE(IPPROTO_TCP, TCP_KEEPINTVL, WSK_ON_ANY, BOTH, run_number, NET_OPTION_KEEP_INTERVAL),

    VALUE(IPPROTO_UDP, UDP_SEND_MSG_SIZE, WSK_ON_DATAGRAM, BOTH, run_segment, 0),
};

const struct wsk_control_row *wsk_option_find(ULONG level, ULONG code)
{
    for (ULONG i = 0; i < RTL_NUMBER_OF(rows); i++) {
        if (rows[i].level == level && rows[i].code == code) {
            return &rows[i];
        }
    }
    return NULL;
}
