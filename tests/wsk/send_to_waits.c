/*
 * Datagrams for which the host has no room. A host's loopback always has room, so this file has a
 * copy of WSK's sending of its own, in which the host can be full; what waits is then sent by the
 * real one.
 */
#include "host.h"
#include "wsk_datagram.h"

#include "wsk/wsk.h"

static unsigned sends_before_full;

static enum net_error send_until_full(struct net_socket *socket,
                                      const struct net_datagram *datagrams, unsigned count,
                                      unsigned *done)
{
    if (sends_before_full == 0) {
        return NET_AGAIN;
    }
    enum net_error error = net_send_datagrams(
        socket, datagrams, count < sends_before_full ? count : sends_before_full, done);
    sends_before_full -= *done;
    return error;
}

#define net_send_datagrams send_until_full
#define wsk_send_to full_send_to
#define wsk_send_messages full_send_messages
#define wsk_datagram_send_more full_send_more
#define wsk_datagram_drop_sends full_drop_sends
#include "../../emu/wsk/datagram_send.c"

struct pair {
    struct wsk_end end;
    PWSK_SOCKET sender;
    PWSK_SOCKET receiver;
    SOCKADDR_INET address; /* the receiver's */
    struct receipt receipt;
    struct wsk_call call[3];
};

static void open_pair(struct pair *pair)
{
    sends_before_full = 0;
    assert_int_equal(open_wsk(&pair->end), STATUS_SUCCESS);
    pair->sender = open_datagram(&pair->end, AF_INET, NULL, NULL, NULL);
    pair->receiver = open_datagram(&pair->end, AF_INET, NULL, NULL, &pair->address);
    receipt_init(&pair->receipt);
    for (unsigned i = 0; i < RTL_NUMBER_OF(pair->call); i++) {
        call_init(&pair->call[i]);
    }
}

static void close_pair(struct pair *pair)
{
    for (unsigned i = 0; i < RTL_NUMBER_OF(pair->call); i++) {
        call_free(&pair->call[i]);
    }
    assert_int_equal(close_socket(&pair->end, pair->sender), STATUS_SUCCESS);
    assert_int_equal(close_socket(&pair->end, pair->receiver), STATUS_SUCCESS);
    receipt_free(&pair->receipt);
    close_wsk(&pair->end);
}

/* Sends by call i; whatever stands on the stack is gone when it returns. */
static void start_send(struct pair *pair, unsigned i, const char *text)
{
    _Alignas(8) UCHAR control[64];
    ULONG control_length = 0;
    INT hops = 9;
    SOCKADDR_INET to = pair->address;
    WSK_BUF buffer = call_buffer(&pair->call[i], text, strlen(text));
    add_record(control, &control_length, IPPROTO_IP, IP_TTL, &hops, sizeof(hops));
    assert_int_equal(full_send_to(pair->sender, &buffer, 0, (PSOCKADDR)&to, control_length,
                                  (PCMSGHDR)(PVOID)control, call_irp(&pair->call[i])),
                     STATUS_PENDING);
    RtlFillMemory(&to, sizeof(to), 0xEE);
    RtlFillMemory(&buffer, sizeof(buffer), 0xEE);
    RtlFillMemory(control, sizeof(control), 0xEE);
}

/* Lets what waits wait: the network counts as asked for room. Until let_go. */
static void hold_back(struct pair *pair)
{
    struct wsk_socket *socket = wsk_socket_of(pair->sender);
    wsk_socket_lock(socket);
    socket->wanted = NET_WRITABLE;
    wsk_socket_unlock(socket);
}

static void let_go(struct pair *pair)
{
    struct wsk_socket *socket = wsk_socket_of(pair->sender);
    wsk_socket_lock(socket);
    socket->wanted = 0;
    wsk_socket_want(socket);
    wsk_socket_unlock(socket);
}

static void expect_datagram(struct pair *pair, const char *text)
{
    const void *hops;
    assert_int_equal(receive_datagram(&pair->receipt, pair->receiver), STATUS_SUCCESS);
    assert_int_equal(call_information(&pair->receipt.call), strlen(text));
    assert_memory_equal(pair->receipt.bytes, text, strlen(text));
    if (host_is_wine()) {
        return; /* no hop limits there */
    }
    assert_non_null(find_record(pair->receipt.control, pair->receipt.control_length, IPPROTO_IP,
                                IP_HOPLIMIT, &hops));
    assert_int_equal(*(const INT *)hops, 9);
}

static void what_waits_is_sent_in_order_from_what_was_captured(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-05", "WSK-DGRM-08", "WSK-DGRM-16");
    STAYS_SILENT("WSK-DGRM-13");
    open_pair(&pair);
    assert_int_equal(set_option(&pair.end, pair.receiver, IPPROTO_IP, IP_HOPLIMIT, 1),
                     STATUS_SUCCESS);
    hold_back(&pair);
    start_send(&pair, 0, "first");
    sends_before_full = 10; /* too late: others wait already */
    start_send(&pair, 1, "second one");
    assert_int_equal(sends_before_full, 10);
    assert_false(call_is_done(&pair.call[0]));
    let_go(&pair);
    assert_int_equal(call_wait(&pair.call[1], STATUS_PENDING), STATUS_SUCCESS);
    assert_int_equal(call_wait(&pair.call[0], STATUS_PENDING), STATUS_SUCCESS);
    assert_int_equal(call_information(&pair.call[0]), 5);
    assert_int_equal(call_information(&pair.call[1]), 10);
    expect_datagram(&pair, "first");
    expect_datagram(&pair, "second one");
    close_pair(&pair);
}

static void a_cancelled_send_is_not_sent(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-07");
    open_pair(&pair);
    assert_int_equal(set_option(&pair.end, pair.receiver, IPPROTO_IP, IP_HOPLIMIT, 1),
                     STATUS_SUCCESS);
    hold_back(&pair);
    start_send(&pair, 0, "cancelled");
    start_send(&pair, 1, "sent");
    start_send(&pair, 2, "cancelled too");
    assert_true(IoCancelIrp(pair.call[0].irp));
    assert_true(IoCancelIrp(pair.call[2].irp));
    assert_int_equal(call_wait(&pair.call[0], STATUS_PENDING), STATUS_CANCELLED);
    assert_int_equal(call_wait(&pair.call[2], STATUS_PENDING), STATUS_CANCELLED);
    let_go(&pair);
    assert_int_equal(call_wait(&pair.call[1], STATUS_PENDING), STATUS_SUCCESS);
    expect_datagram(&pair, "sent");
    close_pair(&pair);
}

static void closing_cancels_what_waits(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-07");
    open_pair(&pair);
    hold_back(&pair);
    start_send(&pair, 0, "one");
    start_send(&pair, 1, "two");
    assert_int_equal(close_socket(&pair.end, pair.sender), STATUS_SUCCESS);
    assert_int_equal(call_wait(&pair.call[0], STATUS_PENDING), STATUS_CANCELLED);
    assert_int_equal(call_wait(&pair.call[1], STATUS_PENDING), STATUS_CANCELLED);
    pair.sender = open_datagram(&pair.end, AF_INET, NULL, NULL, NULL);
    close_pair(&pair);
}

static void the_rest_of_a_list_waits(void **state)
{
    static UCHAR bytes[] = "0123456789";
    struct pair pair;
    WSK_BUF_LIST list[5];
    PROVES("WSK-DGRM-21", "WSK-DGRM-23", "WSK-BUF-10");
    open_pair(&pair);
    PMDL mdl = make_chain(bytes, sizeof(bytes), 1);
    for (unsigned i = 0; i < RTL_NUMBER_OF(list); i++) {
        list[i].Next = i + 1 < RTL_NUMBER_OF(list) ? &list[i + 1] : NULL;
        list[i].Buffer = (WSK_BUF){mdl, i, 1};
    }
    sends_before_full = 2;
    assert_int_equal(full_send_messages(pair.sender, list, 0, (PSOCKADDR)&pair.address, 0, NULL,
                                        call_irp(&pair.call[0])),
                     STATUS_PENDING);
    RtlFillMemory(list, sizeof(list), 0xEE);
    assert_int_equal(call_wait(&pair.call[0], STATUS_PENDING), STATUS_SUCCESS);
    assert_int_equal(call_information(&pair.call[0]), 5);
    for (unsigned i = 0; i < RTL_NUMBER_OF(list); i++) {
        assert_int_equal(receive_datagram(&pair.receipt, pair.receiver), STATUS_SUCCESS);
        assert_int_equal(pair.receipt.bytes[0], '0' + i);
    }
    free_chain(mdl);
    close_pair(&pair);
}

static const struct CMUnitTest tests[] = {
    kernel_test(what_waits_is_sent_in_order_from_what_was_captured),
    kernel_test(a_cancelled_send_is_not_sent),
    kernel_test(closing_cancels_what_waits),
    kernel_test(the_rest_of_a_list_waits),
};

TEST_MAIN(tests)
