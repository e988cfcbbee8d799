/* WskSendTo and WskSendMessages. */
#include "wsk_datagram.h"

#define MANY 70

/* A sender and a receiver. */
struct pair {
    struct wsk_end end;
    PWSK_SOCKET sender;
    PWSK_SOCKET receiver;
    SOCKADDR_INET sender_address;
    SOCKADDR_INET address; /* the receiver's */
    struct receipt receipt;
};

static void open_pair(struct pair *pair, ADDRESS_FAMILY family)
{
    assert_int_equal(open_wsk(&pair->end), STATUS_SUCCESS);
    pair->sender = open_datagram(&pair->end, family, NULL, NULL, &pair->sender_address);
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

static void expect_datagram(struct pair *pair, const void *bytes, SIZE_T length)
{
    assert_int_equal(receive_datagram(&pair->receipt, pair->receiver), STATUS_SUCCESS);
    assert_int_equal(call_information(&pair->receipt.call), length);
    assert_memory_equal(pair->receipt.bytes, bytes, length);
}

static NTSTATUS send_buffer(struct pair *pair, PWSK_SOCKET socket, WSK_BUF buffer, ULONG flags,
                            const void *to)
{
    return call_wait(&pair->end.call, datagram_table(socket)->WskSendTo(
                                          socket, &buffer, flags, (PSOCKADDR)(ULONG_PTR)to, 0, NULL,
                                          call_irp(&pair->end.call)));
}

static NTSTATUS send_list(struct pair *pair, PWSK_BUF_LIST list, ULONG flags, const void *to)
{
    return call_wait(&pair->end.call,
                     datagram_table(pair->sender)
                         ->WskSendMessages(pair->sender, list, flags, (PSOCKADDR)(ULONG_PTR)to, 0,
                                           NULL, call_irp(&pair->end.call)));
}

static void exchange(ADDRESS_FAMILY family)
{
    struct pair pair;
    SIZE_T sent = 0;
    open_pair(&pair, family);
    NTSTATUS status = send_datagram(&pair.end, pair.sender, "over there", 10, &pair.address, &sent);
    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(sent, 10);
    assert_true(pair.end.call.pending_returned);
    expect_datagram(&pair, "over there", 10);
    assert_address_equal(&pair.receipt.from, &pair.sender_address);
    assert_int_equal(pair.receipt.flags, 0);
    close_pair(&pair);
}

static void a_datagram_of_ipv4_arrives(void **state)
{
    PROVES("WSK-DGRM-05", "WSK-DGRM-08", "WSK-DGRM-12", "WSK-DGRM-34", "WSK-DISP-11");
    STAYS_SILENT("WSK-DGRM-01", "WSK-DGRM-02", "WSK-DGRM-03", "WSK-DGRM-10", "WSK-DGRM-13",
                 "WSK-DGRM-28", "WSK-DGRM-29", "WSK-DGRM-30");
    exchange(AF_INET);
}

static void a_datagram_of_ipv6_arrives(void **state)
{
    PROVES("WSK-DGRM-05", "WSK-DGRM-08", "WSK-DGRM-34");
    exchange(AF_INET6);
}

static void an_empty_datagram_arrives(void **state)
{
    struct pair pair;
    SIZE_T sent = 1;
    open_pair(&pair, AF_INET);
    NTSTATUS status = send_datagram(&pair.end, pair.sender, NULL, 0, &pair.address, &sent);
    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(sent, 0);
    expect_datagram(&pair, "", 0);
    close_pair(&pair);
}

static void a_chain_is_one_datagram(void **state)
{
    static UCHAR bytes[1000];
    struct pair pair;
    PROVES("WSK-DGRM-08");
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (UCHAR)(i * 7);
    }
    open_pair(&pair, AF_INET);
    PMDL few = make_chain(bytes, 250, 4);
    PMDL many = make_chain(bytes, 20, 50);
    assert_int_equal(send_buffer(&pair, pair.sender, (WSK_BUF){few, 100, 800}, 0, &pair.address),
                     STATUS_SUCCESS);
    expect_datagram(&pair, bytes + 100, 800);
    assert_int_equal(send_buffer(&pair, pair.sender, (WSK_BUF){many, 3, 990}, 0, &pair.address),
                     STATUS_SUCCESS);
    assert_int_equal(call_information(&pair.end.call), 990);
    expect_datagram(&pair, bytes + 3, 990);
    free_chain(few);
    free_chain(many);
    close_pair(&pair);
}

static void a_broken_call_is_refused(void **state)
{
    struct pair pair;
    WSK_BUF_LIST list;
    PROVES("WSK-DGRM-01", "WSK-DGRM-07", "WSK-DGRM-10", "WSK-DGRM-20", "WSK-DGRM-24",
           "WSK-DGRM-02");
    open_pair(&pair, AF_INET);
    const WSK_PROVIDER_DATAGRAM_DISPATCH *table = datagram_table(pair.sender);
    SOCKADDR_INET other = loopback_address(AF_INET6, 9);
    WSK_BUF buffer = call_buffer(&pair.end.call, "x", 1);
    list = (WSK_BUF_LIST){NULL, buffer};

    assert_int_equal(
        table->WskSendTo(pair.sender, &buffer, 0, (PSOCKADDR)&pair.address, 0, NULL, NULL),
        STATUS_INVALID_PARAMETER);
    assert_int_equal(
        table->WskSendMessages(pair.sender, &list, 0, (PSOCKADDR)&pair.address, 0, NULL, NULL),
        STATUS_INVALID_PARAMETER);
    assert_int_equal(send_buffer(&pair, pair.sender, buffer, 1, &pair.address),
                     STATUS_INVALID_PARAMETER);
    assert_false(pair.end.call.pending_returned);
    NTSTATUS returned = table->WskSendTo(pair.sender, NULL, 0, (PSOCKADDR)&pair.address, 0, NULL,
                                         call_irp(&pair.end.call));
    assert_int_equal(call_wait(&pair.end.call, returned), STATUS_INVALID_PARAMETER);
    assert_int_equal(send_list(&pair, &list, 1, &pair.address), STATUS_INVALID_PARAMETER);
    assert_int_equal(send_list(&pair, NULL, 0, &pair.address), STATUS_INVALID_PARAMETER);
    assert_int_equal(send_buffer(&pair, pair.sender, buffer, 0, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(send_list(&pair, &list, 0, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(send_buffer(&pair, pair.sender, buffer, 0, &other), STATUS_INVALID_PARAMETER);
    close_pair(&pair);
}

static void a_socket_that_is_not_bound_does_not_send(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-03", "WSK-DGRM-07", "WSK-BIND-10");
    open_pair(&pair, AF_INET);
    PWSK_SOCKET socket = make_datagram(&pair.end, AF_INET, NULL, NULL);
    NTSTATUS status = send_datagram(&pair.end, socket, "x", 1, &pair.address, NULL);
    assert_int_equal(status, STATUS_INVALID_DEVICE_STATE);
    assert_false(pair.end.call.pending_returned);
    WSK_BUF_LIST list = {NULL, call_buffer(&pair.end.call, "x", 1)};
    NTSTATUS returned = datagram_table(socket)->WskSendMessages(
        socket, &list, 0, (PSOCKADDR)&pair.address, 0, NULL, call_irp(&pair.end.call));
    assert_int_equal(call_wait(&pair.end.call, returned), STATUS_INVALID_DEVICE_STATE);
    close_socket(&pair.end, socket);
    close_pair(&pair);
}

static NTSTATUS set_address(struct pair *pair, ULONG code, const SOCKADDR_INET *address)
{
    return control_socket(&pair->end, pair->sender, WskIoctl, code, 0, address,
                          address == NULL ? 0 : sizeof(SOCKADDR_IN), NULL, 0, NULL);
}

static void sends_without_address_go_to_the_fixed_one(void **state)
{
    static const ULONG codes[] = {SIO_WSK_SET_REMOTE_ADDRESS, SIO_WSK_SET_SENDTO_ADDRESS};
    struct pair pair;
    PROVES("WSK-DGRM-11", "WSK-DGRM-12", "WSK-DGRM-25", "WSK-IOC-06", "WSK-IOC-10", "WSK-IOC-12",
           "WSK-IOC-15");
    open_pair(&pair, AF_INET);
    SOCKADDR_INET elsewhere;
    PWSK_SOCKET other = open_datagram(&pair.end, AF_INET, NULL, NULL, &elsewhere);
    for (unsigned i = 0; i < RTL_NUMBER_OF(codes); i++) {
        assert_int_equal(set_address(&pair, codes[i], &elsewhere), STATUS_SUCCESS);
        assert_int_equal(send_datagram(&pair.end, pair.sender, "fixed", 5, NULL, NULL),
                         STATUS_SUCCESS);
        WSK_BUF_LIST list = {NULL, call_buffer(&pair.end.call, "list", 4)};
        assert_int_equal(send_list(&pair, &list, 0, NULL), STATUS_SUCCESS);
        assert_int_equal(send_datagram(&pair.end, pair.sender, "given", 5, &pair.address, NULL),
                         STATUS_SUCCESS);
        expect_datagram(&pair, "given", 5);
        assert_int_equal(receive_datagram(&pair.receipt, other), STATUS_SUCCESS);
        assert_memory_equal(pair.receipt.bytes, "fixed", 5);
        assert_int_equal(receive_datagram(&pair.receipt, other), STATUS_SUCCESS);
        assert_memory_equal(pair.receipt.bytes, "list", 4);
        assert_int_equal(set_address(&pair, codes[i], NULL), STATUS_SUCCESS);
        assert_int_equal(send_datagram(&pair.end, pair.sender, "none", 4, NULL, NULL),
                         STATUS_INVALID_PARAMETER);
    }
    close_socket(&pair.end, other);
    close_pair(&pair);
}

static void a_broadcast_needs_leave(void **state)
{
    struct pair pair;
    ULONG value = 1;
    PROVES("WSK-DGRM-17", "WSK-OPT-01", "WSK-OPT-03");
    open_pair(&pair, AF_INET);
    SOCKADDR_INET all = any_address(AF_INET, port_of(&pair.address));
    all.Ipv4.sin_addr.s_addr = 0xFFFFFF7F; /* 127.255.255.255 */
    assert_int_equal(get_option(&pair.end, pair.sender, SOL_SOCKET, SO_BROADCAST, &value),
                     STATUS_SUCCESS);
    assert_int_equal(value, 0);
    assert_int_equal(send_datagram(&pair.end, pair.sender, "all", 3, &all, NULL),
                     STATUS_ACCESS_DENIED);
    assert_int_equal(set_option(&pair.end, pair.sender, SOL_SOCKET, SO_BROADCAST, 1),
                     STATUS_SUCCESS);
    assert_int_equal(send_datagram(&pair.end, pair.sender, "all", 3, &all, NULL), STATUS_SUCCESS);
    close_pair(&pair);
}

static void a_datagram_longer_than_the_protocol_allows_fails(void **state)
{
    static UCHAR bytes[70000];
    struct pair pair;
    PROVES("WSK-DGRM-07");
    open_pair(&pair, AF_INET);
    NTSTATUS status =
        send_datagram(&pair.end, pair.sender, bytes, sizeof(bytes), &pair.address, NULL);
    assert_int_equal(status, STATUS_INVALID_BUFFER_SIZE);
    assert_int_equal(call_information(&pair.end.call), 0);
    close_pair(&pair);
}

static void each_element_of_a_list_is_a_datagram(void **state)
{
    static UCHAR bytes[MANY];
    static WSK_BUF_LIST list[MANY];
    struct pair pair;
    SIZE_T total = 0;
    PROVES("WSK-DGRM-21", "WSK-DGRM-23", "WSK-BUF-10", "WSK-DISP-11");
    STAYS_SILENT("WSK-BIND-10", "WSK-DGRM-20");
    open_pair(&pair, AF_INET);
    PMDL mdl = make_chain(bytes, sizeof(bytes), 1);
    for (unsigned i = 0; i < MANY; i++) {
        bytes[i] = (UCHAR)i;
        list[i].Next = i + 1 < MANY ? &list[i + 1] : NULL;
        list[i].Buffer = (WSK_BUF){mdl, 0, i};
        total += i;
    }
    assert_int_equal(send_list(&pair, list, 0, &pair.address), STATUS_SUCCESS);
    assert_int_equal(call_information(&pair.end.call), total);
    assert_true(pair.end.call.pending_returned);
    for (unsigned i = 0; i < MANY; i++) {
        expect_datagram(&pair, bytes, i);
    }
    free_chain(mdl);
    close_pair(&pair);
}

static void what_failed_in_a_list_fails_it(void **state)
{
    static UCHAR bytes[70000];
    struct pair pair;
    PROVES("WSK-DGRM-24");
    open_pair(&pair, AF_INET);
    PMDL mdl = make_chain(bytes, sizeof(bytes), 1);
    WSK_BUF_LIST list[2] = {{&list[1], {mdl, 0, 5}}, {NULL, {mdl, 0, sizeof(bytes)}}};
    assert_int_equal(send_list(&pair, list, 0, &pair.address), STATUS_INVALID_BUFFER_SIZE);
    assert_int_equal(call_information(&pair.end.call), 5);
    expect_datagram(&pair, bytes, 5);
    free_chain(mdl);
    close_pair(&pair);
}

static void sends_at_dispatch_level(void **state)
{
    struct pair pair;
    KIRQL irql;
    PROVES("WSK-DGRM-05");
    open_pair(&pair, AF_INET);
    WSK_BUF buffer = call_buffer(&pair.end.call, "high", 4);
    PIRP irp = call_irp(&pair.end.call);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    NTSTATUS returned =
        datagram_table(pair.sender)
            ->WskSendTo(pair.sender, &buffer, 0, (PSOCKADDR)&pair.address, 0, NULL, irp);
    KeLowerIrql(irql);
    assert_int_equal(call_wait(&pair.end.call, returned), STATUS_SUCCESS);
    expect_datagram(&pair, "high", 4);
    close_pair(&pair);
}

static void the_wildcard_receives_everywhere_and_sends_from_where_routing_says(void **state)
{
    PROVES("WSK-BIND-15");
    static const ULONG addresses[] = {0x0100007F, 0x0200007F}; /* 127.0.0.1, 127.0.0.2 */
    struct wsk_end end;
    SOCKADDR_INET any = any_address(AF_INET, 0);
    SOCKADDR_INET bound;
    struct receipt receipt;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    receipt_init(&receipt);
    PWSK_SOCKET everywhere = make_datagram(&end, AF_INET, NULL, NULL);
    assert_int_equal(bind_socket(&end, everywhere, &any), STATUS_SUCCESS);
    assert_int_equal(local_address(&end, everywhere, &bound), STATUS_SUCCESS);
    USHORT port = port_of(&bound);
    for (unsigned i = 0; i < RTL_NUMBER_OF(addresses); i++) {
        SOCKADDR_INET there = any_address(AF_INET, 0);
        there.Ipv4.sin_addr.s_addr = addresses[i];
        PWSK_SOCKET other = make_datagram(&end, AF_INET, NULL, NULL);
        assert_int_equal(bind_socket(&end, other, &there), STATUS_SUCCESS);
        assert_int_equal(local_address(&end, other, &there), STATUS_SUCCESS);
        bound.Ipv4.sin_addr.s_addr = addresses[i];
        assert_int_equal(send_datagram(&end, other, "to", 2, &bound, NULL), STATUS_SUCCESS);
        assert_int_equal(receive_datagram(&receipt, everywhere), STATUS_SUCCESS);
        assert_address_equal(&receipt.from, &there);
        assert_int_equal(send_datagram(&end, everywhere, "back", 4, &there, NULL), STATUS_SUCCESS);
        assert_int_equal(receive_datagram(&receipt, other), STATUS_SUCCESS);
        assert_int_equal(receipt.from.Ipv4.sin_addr.s_addr & 0xFF, 127); /* of loopback */
        assert_int_equal(port_of(&receipt.from), port);
        close_socket(&end, other);
    }
    receipt_free(&receipt);
    close_socket(&end, everywhere);
    close_wsk(&end);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_datagram_of_ipv4_arrives),
    kernel_test(a_datagram_of_ipv6_arrives),
    kernel_test(an_empty_datagram_arrives),
    kernel_test(a_chain_is_one_datagram),
    kernel_test(a_broken_call_is_refused),
    kernel_test(a_socket_that_is_not_bound_does_not_send),
    kernel_test(sends_without_address_go_to_the_fixed_one),
    kernel_test(a_broadcast_needs_leave),
    kernel_test(a_datagram_longer_than_the_protocol_allows_fails),
    kernel_test(each_element_of_a_list_is_a_datagram),
    kernel_test(what_failed_in_a_list_fails_it),
    kernel_test(sends_at_dispatch_level),
    kernel_test(the_wildcard_receives_everywhere_and_sends_from_where_routing_says),
};

TEST_MAIN(tests)
