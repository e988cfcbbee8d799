/* Options of sockets. */
#include "wsk_pair.h"

#include <mstcpip.h>

struct trial {
    const char *name;
    ULONG level;
    ULONG option;
    ULONG value;
};

#define TRIAL(level, option, value)                                                                \
    {                                                                                              \
#option, level, option, value                                                              \
    }

static void assert_reads(PWSK_SOCKET socket, ULONG level, ULONG option, ULONG expected)
{
    ULONG value = ~expected;
    SIZE_T stored = 0;
    assert_int_equal(control_socket(&test_end, socket, WskGetOption, option, level, NULL, 0, &value,
                                    sizeof(value), &stored),
                     STATUS_SUCCESS);
    assert_int_equal(value, expected);
    assert_int_equal(stored, sizeof(value));
}

static void assert_takes(PWSK_SOCKET socket, ULONG level, ULONG option, ULONG value)
{
    assert_int_equal(set_option(&test_end, socket, level, option, value), STATUS_SUCCESS);
    assert_reads(socket, level, option, value);
}

/* Neither form works without an IRP. */
static void assert_needs_irp(PWSK_SOCKET socket, ULONG option)
{
    ULONG value = 1;
    assert_int_equal(control_socket_now(socket, WskSetOption, option, SOL_SOCKET, &value,
                                        sizeof(value), NULL, 0, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(control_socket_now(socket, WskGetOption, option, SOL_SOCKET, NULL, 0, &value,
                                        sizeof(value), NULL),
                     STATUS_INVALID_PARAMETER);
}

/* What Linux has, other hosts may lack; then the refusal is said, and nothing else happens. */
static bool is_lacking(const char *what, NTSTATUS status)
{
#ifdef __linux__
    bool may_lack = false;
#else
    bool may_lack = status == STATUS_NOT_SUPPORTED;
#endif
    if (may_lack) {
        print_message("this host has no %s\n", what);
    }
    return may_lack;
}

static void assert_takes_if_known(PWSK_SOCKET socket, const struct trial *trial)
{
    NTSTATUS status = set_option(&test_end, socket, trial->level, trial->option, trial->value);
    if (!is_lacking(trial->name, status)) {
        assert_takes(socket, trial->level, trial->option, trial->value);
    }
}

static PWSK_SOCKET make(ADDRESS_FAMILY family, ULONG category)
{
    PWSK_SOCKET socket = make_socket(&test_end, family, category, NULL, NULL);
    assert_non_null(socket);
    return socket;
}

static void broadcast_is_off_until_it_is_allowed(void **state)
{
    PWSK_SOCKET socket = make(AF_INET, WSK_FLAG_DATAGRAM_SOCKET);
    PROVES("WSK-OPT-01", "WSK-OPT-02", "WSK-OPT-03", "WSK-OPT-32");
    UNREFERENCED_PARAMETER(state);
    assert_reads(socket, SOL_SOCKET, SO_BROADCAST, 0);
    assert_takes(socket, SOL_SOCKET, SO_BROADCAST, 1);
    assert_takes(socket, SOL_SOCKET, SO_BROADCAST, 0);
    assert_needs_irp(socket, SO_BROADCAST);
    close_socket(&test_end, socket);
}

/* Off at first, can be set, but not after the bind. */
static void assert_is_before_bind(PWSK_SOCKET socket, ULONG option)
{
    assert_reads(socket, SOL_SOCKET, option, 0);
    assert_takes(socket, SOL_SOCKET, option, 1);
    assert_takes(socket, SOL_SOCKET, option, 0);
    assert_needs_irp(socket, option);
    assert_int_equal(bind_loopback(&test_end, socket, AF_INET, NULL), STATUS_SUCCESS);
    assert_int_equal(set_option(&test_end, socket, SOL_SOCKET, option, 1),
                     STATUS_INVALID_DEVICE_STATE);
    assert_reads(socket, SOL_SOCKET, option, 0);
    close_socket(&test_end, socket);
}

static void conditional_accept_is_set_before_bind(void **state)
{
    PROVES("WSK-OPT-04", "WSK-OPT-05", "WSK-OPT-06", "WSK-OPT-07", "WSK-OPT-32");
    UNREFERENCED_PARAMETER(state);
    assert_is_before_bind(make(AF_INET, WSK_FLAG_LISTEN_SOCKET), SO_CONDITIONAL_ACCEPT);
}

static void conditional_accept_is_set_with_an_irp_and_in_time(void **state)
{
    STAYS_SILENT("WSK-OPT-05", "WSK-OPT-07", "WSK-INSP-02");
    UNREFERENCED_PARAMETER(state);
    PWSK_SOCKET socket = make(AF_INET, WSK_FLAG_LISTEN_SOCKET);
    assert_takes(socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1);
    assert_takes(socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 0);
    assert_int_equal(bind_loopback(&test_end, socket, AF_INET, NULL), STATUS_SUCCESS);
    assert_reads(socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 0);
    close_socket(&test_end, socket);
}

static const ULONG bindable[] = {WSK_FLAG_LISTEN_SOCKET, WSK_FLAG_DATAGRAM_SOCKET,
                                 WSK_FLAG_CONNECTION_SOCKET};

static void exclusive_use_is_set_before_bind(void **state)
{
    PROVES("WSK-OPT-08", "WSK-OPT-09", "WSK-OPT-10", "WSK-OPT-11", "WSK-SHR-46");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(bindable); i++) {
        assert_is_before_bind(make(AF_INET, bindable[i]), (ULONG)SO_EXCLUSIVEADDRUSE);
    }
}

static void sharing_is_set_before_bind(void **state)
{
    PROVES("WSK-OPT-12", "WSK-OPT-13", "WSK-OPT-14", "WSK-OPT-15", "WSK-SHR-46");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(bindable); i++) {
        assert_is_before_bind(make(AF_INET, bindable[i]), SO_REUSEADDR);
    }
}

static void options_of_sharing_are_set_with_an_irp_and_in_time(void **state)
{
    static const ULONG options[] = {(ULONG)SO_EXCLUSIVEADDRUSE, SO_REUSEADDR};
    STAYS_SILENT("WSK-OPT-09", "WSK-OPT-11", "WSK-OPT-13", "WSK-OPT-15", "WSK-SHR-46");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(options) * RTL_NUMBER_OF(bindable); i++) {
        PWSK_SOCKET socket = make(AF_INET, bindable[i / 2]);
        assert_takes(socket, SOL_SOCKET, options[i % 2], 1);
        assert_int_equal(bind_loopback(&test_end, socket, AF_INET, NULL), STATUS_SUCCESS);
        assert_reads(socket, SOL_SOCKET, options[i % 2], 1);
        close_socket(&test_end, socket);
    }
}

static void other_options_are_set_with_an_irp_at_any_time(void **state)
{
    STAYS_SILENT("WSK-OPT-02", "WSK-OPT-17", "WSK-OPT-22", "WSK-SKO-08");
    UNREFERENCED_PARAMETER(state);
    PWSK_SOCKET datagram = make(AF_INET, WSK_FLAG_DATAGRAM_SOCKET);
    PWSK_SOCKET connection = make(AF_INET, WSK_FLAG_CONNECTION_SOCKET);
    for (unsigned is_bound = 0; is_bound <= 1; is_bound++) {
        assert_takes(datagram, SOL_SOCKET, SO_BROADCAST, 1 - is_bound);
        assert_takes(datagram, SOL_SOCKET, SO_RCVBUF, 40000 + 1000 * is_bound);
        assert_takes(connection, SOL_SOCKET, SO_KEEPALIVE, 1 - is_bound);
        bind_loopback(&test_end, datagram, AF_INET, NULL);
        bind_loopback(&test_end, connection, AF_INET, NULL);
    }
    close_socket(&test_end, datagram);
    close_socket(&test_end, connection);
}

static void an_address_cannot_be_both_shared_and_exclusive(void **state)
{
    PWSK_SOCKET socket = make(AF_INET, WSK_FLAG_DATAGRAM_SOCKET);
    UNREFERENCED_PARAMETER(state);
    assert_takes(socket, SOL_SOCKET, SO_REUSEADDR, 1);
    assert_int_equal(set_option(&test_end, socket, SOL_SOCKET, (ULONG)SO_EXCLUSIVEADDRUSE, 1),
                     STATUS_INVALID_PARAMETER);
    assert_reads(socket, SOL_SOCKET, (ULONG)SO_EXCLUSIVEADDRUSE, 0);
    close_socket(&test_end, socket);
}

static void keep_alive_is_off_until_it_is_set(void **state)
{
    PWSK_SOCKET socket = make(AF_INET, WSK_FLAG_CONNECTION_SOCKET);
    UCHAR byte = 0xFF;
    SIZE_T stored;
    PROVES("WSK-OPT-16", "WSK-OPT-17", "WSK-OPT-18");
    UNREFERENCED_PARAMETER(state);
    assert_reads(socket, SOL_SOCKET, SO_KEEPALIVE, 0);
    assert_takes(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    assert_int_equal(control_socket(&test_end, socket, WskGetOption, SO_KEEPALIVE, SOL_SOCKET, NULL,
                                    0, &byte, sizeof(byte), &stored),
                     STATUS_SUCCESS);
    assert_int_equal(byte, 1);
    assert_needs_irp(socket, SO_KEEPALIVE);
    assert_int_equal(stored, 1);
    close_socket(&test_end, socket);
}

static void a_connection_inherits_what_its_listener_has(void **state)
{
    SOCKADDR_INET address;
    PWSK_SOCKET accepted;
    ULONG inherited;
    PROVES("WSK-OPT-19", "WSK-OPT-21", "WSK-OPT-23", "WSK-OPT-24");
    UNREFERENCED_PARAMETER(state);
    PWSK_SOCKET listener = listen_loopback(&test_end, AF_INET, NULL, NULL, &address);
    assert_takes(listener, SOL_SOCKET, SO_KEEPALIVE, 1);
    assert_takes(listener, SOL_SOCKET, SO_RCVBUF, 32768);
    PWSK_SOCKET socket = connect_to(&test_end, &address, NULL, NULL);
    assert_non_null(socket);
    assert_int_equal(accept_socket(&test_end, listener, NULL, NULL, &accepted), STATUS_SUCCESS);
    assert_reads(accepted, SOL_SOCKET, SO_KEEPALIVE, 1);
    assert_int_equal(get_option(&test_end, accepted, SOL_SOCKET, SO_RCVBUF, &inherited),
                     STATUS_SUCCESS);
    assert_int_equal(inherited, 32768);
    assert_takes(accepted, SOL_SOCKET, SO_KEEPALIVE, 0);
    assert_takes(accepted, SOL_SOCKET, SO_RCVBUF, 65536);
    assert_reads(listener, SOL_SOCKET, SO_KEEPALIVE, 1);
    assert_reads(listener, SOL_SOCKET, SO_RCVBUF, 32768);
    close_socket(&test_end, accepted);
    close_socket(&test_end, socket);
    close_socket(&test_end, listener);
}

static void a_receive_buffer_has_a_size_from_the_start(void **state)
{
    PROVES("WSK-OPT-21", "WSK-OPT-22", "WSK-OPT-23");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(bindable); i++) {
        PWSK_SOCKET socket = make(AF_INET, bindable[i]);
        ULONG value = 0;
        assert_int_equal(get_option(&test_end, socket, SOL_SOCKET, SO_RCVBUF, &value),
                         STATUS_SUCCESS);
        assert_true(value != 0);
        assert_takes(socket, SOL_SOCKET, SO_RCVBUF, 40000);
        assert_needs_irp(socket, SO_RCVBUF);
        assert_takes(socket, SOL_SOCKET, SO_SNDBUF, 50000);
        close_socket(&test_end, socket);
    }
}

/* ---- options of transports ---- */

static void transports_have_options_of_their_own(void **state)
{
    static const struct trial ipv4[] = {
        TRIAL(IPPROTO_IP, IP_TTL, 33),          TRIAL(IPPROTO_IP, IP_TOS, 0x28),
        TRIAL(IPPROTO_IP, IP_DONTFRAGMENT, 1),  TRIAL(IPPROTO_IP, IP_DONTFRAGMENT, 0),
        TRIAL(IPPROTO_IP, IP_PKTINFO, 1),       TRIAL(IPPROTO_IP, IP_PKTINFO, 0),
        TRIAL(IPPROTO_IP, IP_HOPLIMIT, 1),      TRIAL(IPPROTO_IP, IP_RECVTOS, 1),
        TRIAL(IPPROTO_IP, IP_ECN, 1),           TRIAL(IPPROTO_IP, IP_RECVERR, 1),
        TRIAL(IPPROTO_IP, IP_MULTICAST_TTL, 5), TRIAL(IPPROTO_IP, IP_MULTICAST_LOOP, 0),
    };
    static const struct trial ipv6[] = {
        TRIAL(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 33),
        TRIAL(IPPROTO_IPV6, IPV6_TCLASS, 0x28),
        TRIAL(IPPROTO_IPV6, IPV6_DONTFRAG, 1),
        TRIAL(IPPROTO_IPV6, IPV6_PKTINFO, 1),
        TRIAL(IPPROTO_IPV6, IPV6_HOPLIMIT, 1),
        TRIAL(IPPROTO_IPV6, IPV6_RECVTCLASS, 1),
        TRIAL(IPPROTO_IPV6, IPV6_ECN, 1),
        TRIAL(IPPROTO_IPV6, IPV6_RECVERR, 1),
        TRIAL(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 5),
        TRIAL(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0),
    };
    PWSK_SOCKET four = make(AF_INET, WSK_FLAG_DATAGRAM_SOCKET);
    PWSK_SOCKET six = make(AF_INET6, WSK_FLAG_DATAGRAM_SOCKET);
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(ipv4); i++) {
        assert_takes_if_known(four, &ipv4[i]);
    }
    for (unsigned i = 0; i < RTL_NUMBER_OF(ipv6); i++) {
        assert_takes_if_known(six, &ipv6[i]);
    }
    close_socket(&test_end, four);
    close_socket(&test_end, six);
}

static void keep_alive_can_be_timed(void **state)
{
    static const struct trial times[] = {
        TRIAL(IPPROTO_TCP, TCP_KEEPIDLE, 30),
        TRIAL(IPPROTO_TCP, TCP_KEEPCNT, 4),
        TRIAL(IPPROTO_TCP, TCP_KEEPINTVL, 2),
    };
    PWSK_SOCKET socket = make(AF_INET6, WSK_FLAG_CONNECTION_SOCKET);
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(times); i++) {
        assert_takes_if_known(socket, &times[i]);
    }
    assert_int_equal(set_option(&test_end, socket, IPPROTO_TCP, TCP_NODELAY, 1),
                     STATUS_NOT_SUPPORTED);
    close_socket(&test_end, socket);
}

static void a_socket_of_both_families_has_the_options_of_both(void **state)
{
    PWSK_SOCKET socket = make(AF_INET6, WSK_FLAG_DATAGRAM_SOCKET);
    UNREFERENCED_PARAMETER(state);
    assert_reads(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    assert_int_equal(set_option(&test_end, socket, IPPROTO_IP, IP_PKTINFO, 1),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_takes(socket, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    assert_takes(socket, IPPROTO_IP, IP_PKTINFO, 1);
    assert_takes(socket, IPPROTO_IP, IP_DONTFRAGMENT, 1);
    assert_takes(socket, IPPROTO_IPV6, IPV6_PKTINFO, 1);
    assert_int_equal(bind_loopback(&test_end, socket, AF_INET6, NULL), STATUS_SUCCESS);
    assert_int_equal(set_option(&test_end, socket, IPPROTO_IPV6, IPV6_V6ONLY, 1),
                     STATUS_INVALID_DEVICE_STATE);
    assert_reads(socket, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    close_socket(&test_end, socket);
}

static void a_basic_socket_is_good_for_probing(void **state)
{
    PWSK_SOCKET socket;
    ULONG value;
    RSS_SCALABILITY_INFO scalability;
    PROVES("WSK-SOCK-26");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(try_socket(&test_end, AF_INET, SOCK_DGRAM, IPPROTO_UDP, WSK_FLAG_BASIC_SOCKET,
                                NULL, NULL, &socket),
                     STATUS_SUCCESS);
    assert_takes(socket, IPPROTO_IP, IP_DONTFRAGMENT, 1);
    assert_takes(socket, IPPROTO_IP, IP_PKTINFO, 1);
    assert_false(NT_SUCCESS(get_option(&test_end, socket, IPPROTO_UDP, UDP_SEND_MSG_SIZE, &value)));
    assert_int_equal(
        get_option(&test_end, socket, IPPROTO_UDP, UDP_RECV_MAX_COALESCED_SIZE, &value),
        STATUS_NOT_SUPPORTED);
    assert_int_equal(control_socket(&test_end, socket, WskIoctl, SIO_QUERY_RSS_SCALABILITY_INFO, 0,
                                    NULL, 0, &scalability, sizeof(scalability), NULL),
                     STATUS_NOT_SUPPORTED);
    close_socket(&test_end, socket);
}

/* ---- multicast ---- */

#define GROUP_ADDRESS 0x070000E0    /* 224.0.0.7 */
#define LOOPBACK_ADDRESS 0x0100007F /* 127.0.0.1 */
#define NOBODYS_ADDRESS 0x010200C0  /* 192.0.2.1 */

static NTSTATUS set_membership(PWSK_SOCKET socket, ULONG level, ULONG option, const void *request,
                               SIZE_T length)
{
    return control_socket(&test_end, socket, WskSetOption, option, level, request, length, NULL, 0,
                          NULL);
}

static void a_group_is_joined_and_left(void **state)
{
    PWSK_SOCKET socket = make(AF_INET, WSK_FLAG_DATAGRAM_SOCKET);
    IP_MREQ request = {.imr_multiaddr.s_addr = GROUP_ADDRESS,
                       .imr_interface.s_addr = LOOPBACK_ADDRESS};
    IP_MREQ nobodys = {.imr_multiaddr.s_addr = GROUP_ADDRESS,
                       .imr_interface.s_addr = NOBODYS_ADDRESS};
    ULONG interface;
    UNREFERENCED_PARAMETER(state);
    NTSTATUS status =
        set_membership(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request));
    if (is_lacking("MCAST_JOIN_GROUP", status)) {
        close_socket(&test_end, socket);
        return;
    }
    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(
        set_membership(socket, IPPROTO_IP, IP_DROP_MEMBERSHIP, &request, sizeof(request)),
        STATUS_SUCCESS);
    assert_int_equal(
        set_membership(socket, IPPROTO_IP, IP_DROP_MEMBERSHIP, &request, sizeof(request)),
        STATUS_NOT_FOUND);
    assert_int_equal(
        set_membership(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, &nobodys, sizeof(nobodys)),
        STATUS_INVALID_ADDRESS_COMPONENT);
    assert_int_equal(
        set_membership(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request) - 1),
        STATUS_INVALID_PARAMETER);
    assert_int_equal(set_option(&test_end, socket, IPPROTO_IP, IP_MULTICAST_IF, LOOPBACK_ADDRESS),
                     STATUS_SUCCESS);
    assert_int_equal(get_option(&test_end, socket, IPPROTO_IP, IP_MULTICAST_IF, &interface),
                     STATUS_SUCCESS);
    assert_int_equal(interface & 0xFF, 0);
    assert_takes(socket, IPPROTO_IP, IP_MULTICAST_IF, interface);
    assert_takes(socket, IPPROTO_IP, IP_UNICAST_IF, interface);
    close_socket(&test_end, socket);
}

static void a_group_of_one_source_is_joined_and_left(void **state)
{
    PWSK_SOCKET socket = make(AF_INET, WSK_FLAG_DATAGRAM_SOCKET);
    IP_MREQ_SOURCE request = {.imr_multiaddr.s_addr = 0x070000E8, /* 232.0.0.7 */
                              .imr_sourceaddr.s_addr = LOOPBACK_ADDRESS,
                              .imr_interface.s_addr = LOOPBACK_ADDRESS};
    UNREFERENCED_PARAMETER(state);
    NTSTATUS status =
        set_membership(socket, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, &request, sizeof(request));
    if (is_lacking("MCAST_JOIN_SOURCE_GROUP", status)) {
        close_socket(&test_end, socket);
        return;
    }
    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(
        set_membership(socket, IPPROTO_IP, IP_DROP_SOURCE_MEMBERSHIP, &request, sizeof(request)),
        STATUS_SUCCESS);
    close_socket(&test_end, socket);
}

static void a_group_of_ipv6_is_joined_and_left(void **state)
{
    PWSK_SOCKET socket = make(AF_INET6, WSK_FLAG_DATAGRAM_SOCKET);
    IPV6_MREQ request = {.ipv6mr_interface = 1};
    GROUP_REQ other = {.gr_interface = 1};
    SOCKADDR_IN6 *group = (SOCKADDR_IN6 *)&other.gr_group;
    UNREFERENCED_PARAMETER(state);
    request.ipv6mr_multiaddr.u.Byte[0] = 0xFF;
    request.ipv6mr_multiaddr.u.Byte[1] = 0x01;
    request.ipv6mr_multiaddr.u.Byte[15] = 0x77;
    group->sin6_family = AF_INET6;
    group->sin6_addr = request.ipv6mr_multiaddr;
    NTSTATUS status =
        set_membership(socket, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof(request));
    if (is_lacking("MCAST_JOIN_GROUP", status)) {
        close_socket(&test_end, socket);
        return;
    }
    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(set_membership(socket, IPPROTO_IPV6, MCAST_LEAVE_GROUP, &other, sizeof(other)),
                     STATUS_SUCCESS);
    assert_int_equal(
        set_membership(socket, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &request, sizeof(request)),
        STATUS_NOT_FOUND);
    group->sin6_family = AF_INET;
    assert_int_equal(set_membership(socket, IPPROTO_IPV6, MCAST_JOIN_GROUP, &other, sizeof(other)),
                     STATUS_INVALID_PARAMETER);
    close_socket(&test_end, socket);
}

/* ---- event callbacks ---- */

static void event_callbacks_can_only_be_set(void **state)
{
    SOCKADDR_INET address;
    WSK_EVENT_CALLBACK_CONTROL events = {(PNPIID)&NPI_WSK_INTERFACE_ID, WSK_EVENT_ACCEPT};
    PROVES("WSK-CBE-01", "WSK-CBE-02");
    UNREFERENCED_PARAMETER(state);
    PWSK_SOCKET listener = listen_loopback(&test_end, AF_INET, NULL, NULL, &address);
    assert_int_equal(control_socket(&test_end, listener, WskGetOption, SO_WSK_EVENT_CALLBACK,
                                    SOL_SOCKET, NULL, 0, &events, sizeof(events), NULL),
                     STATUS_NOT_SUPPORTED);
    assert_int_equal(control_socket(&test_end, listener, WskSetOption, SO_WSK_EVENT_CALLBACK,
                                    SOL_SOCKET, &events, sizeof(events) - 1, NULL, 0, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(control_socket_now(listener, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET,
                                        &events, sizeof(events), NULL, 0, NULL),
                     STATUS_SUCCESS);
    close_socket(&test_end, listener);
}

struct backlog {
    KEVENT changed;
    SIZE_T ideal;
};

static NTSTATUS WSKAPI on_backlog(PVOID context, SIZE_T ideal)
{
    struct backlog *backlog = context;
    backlog->ideal = ideal;
    KeSetEvent(&backlog->changed, IO_NO_INCREMENT, FALSE);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH backlog_table = {.WskSendBacklogEvent = on_backlog};

static void another_send_buffer_is_another_backlog(void **state)
{
    struct wsk_pair pair;
    struct backlog backlog = {.ideal = 0};
    SIZE_T before;
    SIZE_T after;
    PROVES("WSK-IOC-17", "WSK-EVT-66");
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&backlog.changed, SynchronizationEvent, FALSE);
    open_pair(&pair, &backlog, &backlog_table);
    assert_int_equal(enable_events(pair.near, WSK_EVENT_SEND_BACKLOG), STATUS_SUCCESS);
    assert_int_equal(control_socket(&pair.end, pair.near, WskIoctl,
                                    SIO_WSK_QUERY_IDEAL_SEND_BACKLOG, 0, NULL, 0, &before,
                                    sizeof(before), NULL),
                     STATUS_SUCCESS);
    assert_int_equal(set_option(&pair.end, pair.near, SOL_SOCKET, SO_SNDBUF, (ULONG)before * 2),
                     STATUS_SUCCESS);
    await(&backlog.changed);
    assert_int_equal(control_socket(&pair.end, pair.near, WskIoctl,
                                    SIO_WSK_QUERY_IDEAL_SEND_BACKLOG, 0, NULL, 0, &after,
                                    sizeof(after), NULL),
                     STATUS_SUCCESS);
    assert_int_equal(backlog.ideal, after);
    assert_true(after != before);
    close_pair(&pair);
}

static const struct CMUnitTest tests[] = {
    kernel_test_wsk(broadcast_is_off_until_it_is_allowed),
    kernel_test_wsk(conditional_accept_is_set_before_bind),
    kernel_test_wsk(conditional_accept_is_set_with_an_irp_and_in_time),
    kernel_test_wsk(exclusive_use_is_set_before_bind),
    kernel_test_wsk(sharing_is_set_before_bind),
    kernel_test_wsk(options_of_sharing_are_set_with_an_irp_and_in_time),
    kernel_test_wsk(other_options_are_set_with_an_irp_at_any_time),
    kernel_test_wsk(an_address_cannot_be_both_shared_and_exclusive),
    kernel_test_wsk(keep_alive_is_off_until_it_is_set),
    kernel_test_wsk(a_connection_inherits_what_its_listener_has),
    kernel_test_wsk(a_receive_buffer_has_a_size_from_the_start),
    kernel_test_wsk(transports_have_options_of_their_own),
    kernel_test_wsk(keep_alive_can_be_timed),
    kernel_test_wsk(a_socket_of_both_families_has_the_options_of_both),
    kernel_test_wsk(a_basic_socket_is_good_for_probing),
    kernel_test_wsk(a_group_is_joined_and_left),
    kernel_test_wsk(a_group_of_one_source_is_joined_and_left),
    kernel_test_wsk(a_group_of_ipv6_is_joined_and_left),
    kernel_test_wsk(event_callbacks_can_only_be_set),
    kernel_test(another_send_buffer_is_another_backlog),
};

TEST_MAIN(tests)
