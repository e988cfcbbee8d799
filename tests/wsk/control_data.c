/* Control data of datagrams: what a send asks for, and what a receive tells. */
#include "wsk_datagram.h"

struct pair {
    struct wsk_end end;
    ADDRESS_FAMILY family;
    PWSK_SOCKET sender;
    PWSK_SOCKET receiver;
    SOCKADDR_INET address; /* the receiver's */
    struct receipt receipt;
    ULONG length;
    _Alignas(8) UCHAR control[512]; /* of the next send */
};

static void open_pair(struct pair *pair, ADDRESS_FAMILY family)
{
    RtlZeroMemory(pair, sizeof(*pair));
    pair->family = family;
    assert_int_equal(open_wsk(&pair->end), STATUS_SUCCESS);
    pair->sender = open_datagram(&pair->end, family, NULL, NULL, NULL);
    pair->receiver = open_datagram(&pair->end, family, NULL, NULL, &pair->address);
    assert_non_null(pair->sender);
    assert_non_null(pair->receiver);
    receipt_init(&pair->receipt);
}

static void close_pair(struct pair *pair)
{
    assert_int_equal(close_socket(&pair->end, pair->sender), STATUS_SUCCESS);
    assert_int_equal(close_socket(&pair->end, pair->receiver), STATUS_SUCCESS);
    receipt_free(&pair->receipt);
    close_wsk(&pair->end);
}

static void ask(struct pair *pair, ULONG level, ULONG option)
{
    assert_int_equal(set_option(&pair->end, pair->receiver, level, option, 1), STATUS_SUCCESS);
}

static void add(struct pair *pair, INT level, INT type, const void *data, SIZE_T length)
{
    add_record(pair->control, &pair->length, level, type, data, length);
}

static void add_int(struct pair *pair, INT level, INT type, INT value)
{
    add(pair, level, type, &value, sizeof(value));
}

/* Sends with the records added so far, and forgets them. */
static NTSTATUS send(struct pair *pair, const char *text)
{
    NTSTATUS status = send_with_control(&pair->end, pair->sender, text, strlen(text),
                                        &pair->address, pair->control, pair->length);
    pair->length = 0;
    return status;
}

static void receive(struct pair *pair)
{
    assert_int_equal(receive_datagram(&pair->receipt, pair->receiver), STATUS_SUCCESS);
}

static const void *told(struct pair *pair, INT level, INT type, SIZE_T length)
{
    const void *data = NULL;
    const CMSGHDR *header =
        find_record(pair->receipt.control, pair->receipt.control_length, level, type, &data);
    assert_non_null(header);
    assert_int_equal(header->cmsg_len, WSA_CMSG_LEN(length));
    return data;
}

static INT told_int(struct pair *pair, INT level, INT type)
{
    return *(const INT *)told(pair, level, type, sizeof(INT));
}

/* ---- receiving ---- */

static void without_options_there_is_none(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-36", "WSK-DGRM-40");
    open_pair(&pair, AF_INET);
    assert_int_equal(send(&pair, "x"), STATUS_SUCCESS);
    receive(&pair);
    assert_int_equal(pair.receipt.control_length, 0);
    assert_int_equal(pair.receipt.flags, 0);
    close_pair(&pair);
}

static void the_destination_of_ipv4_is_told(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-36", "WSK-DGRM-52");
    open_pair(&pair, AF_INET);
    ask(&pair, IPPROTO_IP, IP_PKTINFO);
    assert_int_equal(send(&pair, "x"), STATUS_SUCCESS);
    receive(&pair);
    const IN_PKTINFO *info = told(&pair, IPPROTO_IP, IP_PKTINFO, sizeof(*info));
    assert_int_equal(info->ipi_addr.s_addr, 0x0100007F);
    assert_int_not_equal(info->ipi_ifindex, 0);
    assert_int_equal(pair.receipt.control_length, WSA_CMSG_SPACE(sizeof(*info)));
    close_pair(&pair);
}

static void the_destination_of_ipv6_is_told(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-36", "WSK-DGRM-52");
    open_pair(&pair, AF_INET6);
    ask(&pair, IPPROTO_IPV6, IPV6_PKTINFO);
    assert_int_equal(send(&pair, "x"), STATUS_SUCCESS);
    receive(&pair);
    const IN6_PKTINFO *info = told(&pair, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(*info));
    assert_memory_equal(&info->ipi6_addr, &pair.address.Ipv6.sin6_addr, sizeof(IN6_ADDR));
    assert_int_not_equal(info->ipi6_ifindex, 0);
    close_pair(&pair);
}

static void a_dual_socket_tells_of_ipv4(void **state)
{
    static const UCHAR mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127, 0, 0, 1};
    struct pair pair;
    PROVES("WSK-DGRM-34", "WSK-DGRM-52");
    open_pair(&pair, AF_INET);
    PWSK_SOCKET dual = make_datagram(&pair.end, AF_INET6, NULL, NULL);
    SOCKADDR_INET any = any_address(AF_INET6, 0);
    SOCKADDR_INET bound;
    assert_int_equal(set_option(&pair.end, dual, IPPROTO_IPV6, IPV6_V6ONLY, 0), STATUS_SUCCESS);
    assert_int_equal(set_option(&pair.end, dual, IPPROTO_IP, IP_PKTINFO, 1), STATUS_SUCCESS);
    assert_int_equal(set_option(&pair.end, dual, IPPROTO_IPV6, IPV6_PKTINFO, 1), STATUS_SUCCESS);
    assert_int_equal(bind_socket(&pair.end, dual, &any), STATUS_SUCCESS);
    assert_int_equal(local_address(&pair.end, dual, &bound), STATUS_SUCCESS);
    SOCKADDR_INET to = loopback_address(AF_INET, port_of(&bound));
    assert_int_equal(send_datagram(&pair.end, pair.sender, "4", 1, &to, NULL), STATUS_SUCCESS);
    assert_int_equal(receive_datagram(&pair.receipt, dual), STATUS_SUCCESS);
    assert_int_equal(pair.receipt.from.si_family, AF_INET6);
    assert_memory_equal(&pair.receipt.from.Ipv6.sin6_addr, mapped, sizeof(mapped));
    const IN_PKTINFO *info = told(&pair, IPPROTO_IP, IP_PKTINFO, sizeof(*info));
    assert_int_equal(info->ipi_addr.s_addr, 0x0100007F);
    /* And back, with a source, to the address that was told. */
    IN_PKTINFO source = {.ipi_addr.s_addr = 0x0100007F};
    add(&pair, IPPROTO_IP, IP_PKTINFO, &source, sizeof(source));
    SOCKADDR_INET from = pair.receipt.from;
    assert_int_equal(
        send_with_control(&pair.end, dual, "back", 4, &from, pair.control, pair.length),
        STATUS_SUCCESS);
    assert_int_equal(receive_datagram(&pair.receipt, pair.sender), STATUS_SUCCESS);
    assert_int_equal(port_of(&pair.receipt.from), port_of(&bound));
    close_socket(&pair.end, dual);
    close_pair(&pair);
}

static void exchange_numbers(ADDRESS_FAMILY family, INT level, INT hop_limit, INT traffic, INT ecn,
                             ULONG receive_traffic, ULONG receive_ecn)
{
    struct pair pair;
    open_pair(&pair, family);
    ask(&pair, level, hop_limit);
    ask(&pair, level, receive_traffic);
    ask(&pair, level, receive_ecn);
    add_int(&pair, level, family == AF_INET ? IP_TTL : hop_limit, 17);
    add_int(&pair, level, traffic, 0x28);
    add_int(&pair, level, ecn, 2);
    assert_int_equal(send(&pair, "x"), STATUS_SUCCESS);
    receive(&pair);
    assert_int_equal(told_int(&pair, level, hop_limit), 17);
    assert_int_equal(told_int(&pair, level, traffic), 0x2A);
    assert_int_equal(told_int(&pair, level, ecn), 2);
    add_int(&pair, level, ecn, 1);
    assert_int_equal(send(&pair, "y"), STATUS_SUCCESS);
    receive(&pair);
    assert_int_equal(told_int(&pair, level, ecn), 1);
    assert_int_equal(told_int(&pair, level, traffic), 1);
    close_pair(&pair);
}

static void hop_limit_and_traffic_of_ipv4_go_along(void **state)
{
    PROVES("WSK-DGRM-14", "WSK-DGRM-52");
    exchange_numbers(AF_INET, IPPROTO_IP, IP_HOPLIMIT, IP_TOS, IP_ECN, IP_RECVTOS, IP_RECVECN);
}

static void hop_limit_and_traffic_of_ipv6_go_along(void **state)
{
    PROVES("WSK-DGRM-14", "WSK-DGRM-52");
    exchange_numbers(AF_INET6, IPPROTO_IPV6, IPV6_HOPLIMIT, IPV6_TCLASS, IPV6_ECN, IPV6_RECVTCLASS,
                     IPV6_RECVECN);
}

static void a_small_buffer_gets_whole_records(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-43", "WSK-DGRM-40");
    open_pair(&pair, AF_INET);
    ask(&pair, IPPROTO_IP, IP_PKTINFO);
    ask(&pair, IPPROTO_IP, IP_HOPLIMIT);
    for (ULONG room = 0; room <= 48; room += 24) {
        assert_int_equal(send(&pair, "x"), STATUS_SUCCESS);
        WSK_BUF buffer = call_buffer(&pair.receipt.call, pair.receipt.bytes, 10);
        ULONG length = room;
        ULONG flags = 0;
        PCMSGHDR info = room == 0 ? NULL : (PCMSGHDR)pair.receipt.control;
        NTSTATUS returned = datagram_table(pair.receiver)
                                ->WskReceiveFrom(pair.receiver, &buffer, 0, NULL, &length, info,
                                                 &flags, call_irp(&pair.receipt.call));
        assert_int_equal(call_wait(&pair.receipt.call, returned), STATUS_SUCCESS);
        assert_int_equal(length, room);
        assert_int_equal(flags, room == 48 ? 0 : MSG_CTRUNC);
    }
    close_pair(&pair);
}

/* ---- sending ---- */

static void the_source_is_chosen(void **state)
{
    struct pair pair;
    SOCKADDR_INET any = any_address(AF_INET, 0);
    IN_PKTINFO source = {.ipi_addr.s_addr = 0x0200007F}; /* 127.0.0.2 */
    PROVES("WSK-DGRM-14");
    open_pair(&pair, AF_INET);
    PWSK_SOCKET bound = pair.sender;
    pair.sender = make_datagram(&pair.end, AF_INET, NULL, NULL);
    assert_int_equal(bind_socket(&pair.end, pair.sender, &any), STATUS_SUCCESS);
    add(&pair, IPPROTO_IP, IP_PKTINFO, &source, sizeof(source));
    assert_int_equal(send(&pair, "x"), STATUS_SUCCESS);
    receive(&pair);
    assert_int_equal(pair.receipt.from.Ipv4.sin_addr.s_addr, 0x0200007F);
    close_socket(&pair.end, bound);
    close_pair(&pair);
}

static void an_empty_record_is_skipped(void **state)
{
    struct pair pair;
    ADDRESS_FAMILY families[] = {AF_INET, AF_INET6};
    PROVES("WSK-DGRM-14");
    for (unsigned i = 0; i < 2; i++) {
        open_pair(&pair, families[i]);
        if (families[i] == AF_INET) {
            add(&pair, IPPROTO_IP, IP_OPTIONS, NULL, 0);
        } else {
            add(&pair, IPPROTO_IPV6, IPV6_RTHDR, NULL, 0);
        }
        assert_int_equal(send(&pair, "skipped"), STATUS_SUCCESS);
        receive(&pair);
        assert_int_equal(call_information(&pair.receipt.call), 7);
        close_pair(&pair);
    }
}

static void data_is_split_into_segments(void **state)
{
    struct pair pair;
    ULONG segment = 4;
    static const char *const parts[] = {"abcd", "efgh", "ij"};
    PROVES("WSK-DGRM-14", "WSK-DGRM-08");
    open_pair(&pair, AF_INET);
    add(&pair, IPPROTO_UDP, UDP_SEND_MSG_SIZE, &segment, sizeof(segment));
    assert_int_equal(send(&pair, "abcdefghij"), STATUS_SUCCESS);
    assert_int_equal(call_information(&pair.end.call), 10);
    for (unsigned i = 0; i < RTL_NUMBER_OF(parts); i++) {
        receive(&pair);
        assert_int_equal(call_information(&pair.receipt.call), strlen(parts[i]));
        assert_memory_equal(pair.receipt.bytes, parts[i], strlen(parts[i]));
    }
    close_pair(&pair);
}

static NTSTATUS send_header(struct pair *pair, SIZE_T claimed, ULONG length)
{
    PCMSGHDR header = (PCMSGHDR)(PVOID)pair->control;
    *header = (CMSGHDR){.cmsg_len = claimed, .cmsg_level = IPPROTO_IP, .cmsg_type = IP_TTL};
    pair->length = length;
    return send(pair, "x");
}

static void a_broken_chain_is_refused(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-13", "WSK-DGRM-07");
    open_pair(&pair, AF_INET);
    assert_int_equal(send_header(&pair, 20, 8), STATUS_INVALID_PARAMETER);
    assert_false(pair.end.call.pending_returned);
    assert_int_equal(send_header(&pair, 8, 24), STATUS_INVALID_PARAMETER);
    assert_int_equal(send_header(&pair, 16, 24), STATUS_INVALID_PARAMETER);
    assert_int_equal(send_header(&pair, 25, 24), STATUS_INVALID_PARAMETER);
    assert_int_equal(send_header(&pair, ~(SIZE_T)0, 24), STATUS_INVALID_PARAMETER);
    assert_int_equal(send_with_control(&pair.end, pair.sender, "x", 1, &pair.address, NULL, 24),
                     STATUS_INVALID_PARAMETER);
    add_int(&pair, IPPROTO_IP, IP_TTL, 256);
    assert_int_equal(send(&pair, "x"), STATUS_INVALID_PARAMETER);
    add_int(&pair, IPPROTO_IP, IP_ECN, 4);
    assert_int_equal(send(&pair, "x"), STATUS_INVALID_PARAMETER);
    close_pair(&pair);
}

static void an_unknown_record_is_refused(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-07");
    open_pair(&pair, AF_INET);
    add_int(&pair, IPPROTO_IP, 4711, 1);
    assert_int_equal(send(&pair, "x"), STATUS_NOT_SUPPORTED);
    add_int(&pair, IPPROTO_IPV6, IPV6_HOPLIMIT, 1);
    assert_int_equal(send(&pair, "x"), STATUS_NOT_SUPPORTED);
    close_pair(&pair);
}

/* ---- the event ---- */

struct listener {
    KEVENT called;
    ULONG length;
    _Alignas(8) UCHAR control[256];
};

static NTSTATUS WSKAPI on_datagrams(PVOID context, ULONG flags, PWSK_DATAGRAM_INDICATION list)
{
    struct listener *listener = context;
    listener->length = list->ControlInfoLength;
    RtlCopyMemory(listener->control, list->ControlInfo, list->ControlInfoLength);
    KeSetEvent(&listener->called, IO_NO_INCREMENT, FALSE);
    return STATUS_SUCCESS;
}

static void the_event_gets_all_records(void **state)
{
    static const WSK_CLIENT_DATAGRAM_DISPATCH dispatch = {on_datagrams};
    struct pair pair;
    struct listener listener;
    const void *data;
    PROVES("WSK-IND-18", "WSK-EVT-73");
    KeInitializeEvent(&listener.called, NotificationEvent, FALSE);
    open_pair(&pair, AF_INET);
    PWSK_SOCKET other = pair.receiver;
    pair.receiver = open_datagram(&pair.end, AF_INET, &listener, &dispatch, &pair.address);
    ask(&pair, IPPROTO_IP, IP_PKTINFO);
    ask(&pair, IPPROTO_IP, IP_HOPLIMIT);
    ask(&pair, IPPROTO_IP, IP_RECVTOS);
    ask(&pair, IPPROTO_IP, IP_RECVECN);
    assert_int_equal(enable_events(pair.receiver, WSK_EVENT_RECEIVE_FROM), STATUS_SUCCESS);
    add_int(&pair, IPPROTO_IP, IP_TOS, 0x28);
    assert_int_equal(send(&pair, "x"), STATUS_SUCCESS);
    await(&listener.called);
    assert_non_null(find_record(listener.control, listener.length, IPPROTO_IP, IP_PKTINFO, &data));
    assert_non_null(find_record(listener.control, listener.length, IPPROTO_IP, IP_HOPLIMIT, &data));
    assert_non_null(find_record(listener.control, listener.length, IPPROTO_IP, IP_ECN, &data));
    assert_non_null(find_record(listener.control, listener.length, IPPROTO_IP, IP_TOS, &data));
    assert_int_equal(*(const INT *)data, 0x28);
    close_socket(&pair.end, other);
    close_pair(&pair);
}

static const struct CMUnitTest tests[] = {
    kernel_test(without_options_there_is_none),
    kernel_test(the_destination_of_ipv4_is_told),
    kernel_test(the_destination_of_ipv6_is_told),
    kernel_test(a_dual_socket_tells_of_ipv4),
    kernel_test(hop_limit_and_traffic_of_ipv4_go_along),
    kernel_test(hop_limit_and_traffic_of_ipv6_go_along),
    kernel_test(a_small_buffer_gets_whole_records),
    kernel_test(the_source_is_chosen),
    kernel_test(an_empty_record_is_skipped),
    kernel_test(data_is_split_into_segments),
    kernel_test(a_broken_chain_is_refused),
    kernel_test(an_unknown_record_is_refused),
    kernel_test(the_event_gets_all_records),
};

TEST_MAIN(tests)
