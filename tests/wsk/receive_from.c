/* WskReceiveFrom. */
#include "log.h"
#include "wsk_datagram.h"

#include <wskemu/network.h>

#define RECEIPTS 5

struct pair {
    struct wsk_end end;
    PWSK_SOCKET sender;
    PWSK_SOCKET receiver;
    SOCKADDR_INET sender_address;
    SOCKADDR_INET address; /* the receiver's */
    struct receipt receipt[RECEIPTS];
};

static void open_pair(struct pair *pair, ADDRESS_FAMILY family)
{
    assert_int_equal(open_wsk(&pair->end), STATUS_SUCCESS);
    pair->sender = open_datagram(&pair->end, family, NULL, NULL, &pair->sender_address);
    pair->receiver = open_datagram(&pair->end, family, NULL, NULL, &pair->address);
    assert_non_null(pair->sender);
    assert_non_null(pair->receiver);
    for (unsigned i = 0; i < RECEIPTS; i++) {
        receipt_init(&pair->receipt[i]);
    }
}

static void close_pair(struct pair *pair)
{
    assert_int_equal(close_socket(&pair->end, pair->sender), STATUS_SUCCESS);
    assert_int_equal(close_socket(&pair->end, pair->receiver), STATUS_SUCCESS);
    for (unsigned i = 0; i < RECEIPTS; i++) {
        receipt_free(&pair->receipt[i]);
    }
    close_wsk(&pair->end);
}

static void send_text(struct pair *pair, const char *text)
{
    SIZE_T length = strlen(text);
    assert_int_equal(send_datagram(&pair->end, pair->sender, text, length, &pair->address, NULL),
                     STATUS_SUCCESS);
}

static void start(struct pair *pair, unsigned i, SIZE_T length)
{
    assert_int_equal(start_receipt(&pair->receipt[i], pair->receiver, length), STATUS_PENDING);
}

static void expect(struct pair *pair, unsigned i, NTSTATUS status, const char *text)
{
    assert_int_equal(wait_receipt(&pair->receipt[i]), status);
    assert_int_equal(call_information(&pair->receipt[i].call), strlen(text));
    assert_memory_equal(pair->receipt[i].bytes, text, strlen(text));
}

/* A receive by the end's call, without the sender's address and control data. */
static NTSTATUS receive_plain(struct pair *pair, WSK_BUF buffer, ULONG flags, PULONG length,
                              PULONG control_flags)
{
    PIRP irp = call_irp(&pair->end.call);
    return datagram_table(pair->receiver)
        ->WskReceiveFrom(pair->receiver, &buffer, flags, NULL, length, NULL, control_flags, irp);
}

static void a_receive_waits_for_a_datagram(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-32", "WSK-DGRM-34");
    open_pair(&pair, AF_INET);
    start(&pair, 0, sizeof(pair.receipt[0].bytes));
    assert_false(call_is_done(&pair.receipt[0].call));
    send_text(&pair, "late");
    expect(&pair, 0, STATUS_SUCCESS, "late");
    assert_true(pair.receipt[0].call.pending_returned);
    assert_address_equal(&pair.receipt[0].from, &pair.sender_address);
    close_pair(&pair);
}

static void receives_are_served_in_order(void **state)
{
    static const char *const texts[RECEIPTS] = {"a", "bb", "ccc", "dddd", "eeeee"};
    struct pair pair;
    PROVES("WSK-DGRM-31", "WSK-DGRM-32");
    open_pair(&pair, AF_INET6);
    send_text(&pair, texts[0]);
    for (unsigned i = 0; i < RECEIPTS; i++) {
        start(&pair, i, sizeof(pair.receipt[i].bytes));
    }
    for (unsigned i = 1; i < RECEIPTS; i++) {
        send_text(&pair, texts[i]);
    }
    for (unsigned i = 0; i < RECEIPTS; i++) {
        expect(&pair, i, STATUS_SUCCESS, texts[i]);
    }
    close_pair(&pair);
}

static void each_result_is_optional(void **state)
{
    UCHAR bytes[8] = {0};
    ULONG length = 0;
    ULONG flags = 77;
    struct pair pair;
    PROVES("WSK-DGRM-53", "WSK-DGRM-37", "WSK-HDR-29");
    STAYS_SILENT("WSK-DGRM-38");
    open_pair(&pair, AF_INET);
    send_text(&pair, "1");
    send_text(&pair, "2");
    send_text(&pair, "3");
    PMDL mdl = make_chain(bytes, sizeof(bytes), 1);
    WSK_BUF buffer = {mdl, 0, sizeof(bytes)};
    assert_int_equal(call_wait(&pair.end.call, receive_plain(&pair, buffer, 0, NULL, NULL)),
                     STATUS_SUCCESS);
    assert_int_equal(bytes[0], '1');
    assert_int_equal(call_wait(&pair.end.call, receive_plain(&pair, buffer, 0, NULL, &flags)),
                     STATUS_SUCCESS);
    assert_int_equal(flags, 77);
    assert_int_equal(call_wait(&pair.end.call, receive_plain(&pair, buffer, 0, &length, &flags)),
                     STATUS_SUCCESS);
    assert_int_equal(bytes[0], '3');
    assert_int_equal(flags, 0);
    assert_int_equal(length, 0);
    free_chain(mdl);
    close_pair(&pair);
}

static void a_longer_datagram_is_truncated(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-40", "WSK-DGRM-42");
    open_pair(&pair, AF_INET);
    start(&pair, 0, 4);
    send_text(&pair, "truncated");
    send_text(&pair, "next");
    expect(&pair, 0, STATUS_BUFFER_OVERFLOW, "trun");
    assert_int_equal(pair.receipt[0].flags, MSG_TRUNC);
    start(&pair, 0, 4);
    expect(&pair, 0, STATUS_SUCCESS, "next");
    assert_int_equal(pair.receipt[0].flags, 0);
    start(&pair, 0, 0);
    send_text(&pair, "gone");
    expect(&pair, 0, STATUS_BUFFER_OVERFLOW, "");
    close_pair(&pair);
}

static void a_chain_receives_one_datagram(void **state)
{
    static UCHAR bytes[500];
    struct pair pair;
    PROVES("WSK-DGRM-31");
    open_pair(&pair, AF_INET);
    PMDL few = make_chain(bytes, 3, 4);
    PMDL many = make_chain(bytes, 10, 50);
    send_text(&pair, "abcdefghij");
    assert_int_equal(
        call_wait(&pair.end.call, receive_plain(&pair, (WSK_BUF){few, 1, 11}, 0, NULL, NULL)),
        STATUS_SUCCESS);
    assert_int_equal(call_information(&pair.end.call), 10);
    assert_memory_equal(bytes + 1, "abcdefghij", 10);
    NTSTATUS returned = receive_plain(&pair, (WSK_BUF){many, 5, 495}, 0, NULL, NULL);
    /* The end's call is under way: another one sends. */
    WSK_BUF out = call_buffer(&pair.receipt[0].call, "0123456789", 10);
    NTSTATUS sent = datagram_table(pair.sender)
                        ->WskSendTo(pair.sender, &out, 0, (PSOCKADDR)&pair.address, 0, NULL,
                                    call_irp(&pair.receipt[0].call));
    assert_int_equal(call_wait(&pair.receipt[0].call, sent), STATUS_SUCCESS);
    assert_int_equal(call_wait(&pair.end.call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&pair.end.call), 10);
    assert_memory_equal(bytes + 5, "0123456789", 10);
    free_chain(few);
    free_chain(many);
    close_pair(&pair);
}

static void a_broken_call_is_refused(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-28", "WSK-DGRM-30", "WSK-DGRM-29", "WSK-BIND-10");
    open_pair(&pair, AF_INET);
    WSK_BUF buffer = {NULL, 0, 0};
    const WSK_PROVIDER_DATAGRAM_DISPATCH *table = datagram_table(pair.receiver);
    assert_int_equal(table->WskReceiveFrom(pair.receiver, &buffer, 0, NULL, NULL, NULL, NULL, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(call_wait(&pair.end.call, receive_plain(&pair, buffer, 4, NULL, NULL)),
                     STATUS_INVALID_PARAMETER);
    assert_false(pair.end.call.pending_returned);
    assert_int_equal(
        call_wait(&pair.end.call, table->WskReceiveFrom(pair.receiver, NULL, 0, NULL, NULL, NULL,
                                                        NULL, call_irp(&pair.end.call))),
        STATUS_INVALID_PARAMETER);
    PWSK_SOCKET socket = make_datagram(&pair.end, AF_INET, NULL, NULL);
    assert_int_equal(
        call_wait(&pair.end.call, table->WskReceiveFrom(socket, &buffer, 0, NULL, NULL, NULL, NULL,
                                                        call_irp(&pair.end.call))),
        STATUS_INVALID_DEVICE_STATE);
    close_socket(&pair.end, socket);
    close_pair(&pair);
}

static void a_cancelled_receive_takes_no_datagram(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-33");
    open_pair(&pair, AF_INET);
    start(&pair, 0, 100);
    start(&pair, 1, 100);
    assert_true(IoCancelIrp(pair.receipt[0].call.irp));
    expect(&pair, 0, STATUS_CANCELLED, "");
    send_text(&pair, "kept");
    expect(&pair, 1, STATUS_SUCCESS, "kept");
    close_pair(&pair);
}

static void closing_cancels_what_waits(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-33");
    open_pair(&pair, AF_INET);
    start(&pair, 0, 100);
    start(&pair, 1, 100);
    assert_int_equal(close_socket(&pair.end, pair.receiver), STATUS_SUCCESS);
    assert_true(call_is_done(&pair.receipt[0].call));
    assert_true(call_is_done(&pair.receipt[1].call));
    expect(&pair, 0, STATUS_CANCELLED, "");
    expect(&pair, 1, STATUS_CANCELLED, "");
    pair.receiver = open_datagram(&pair.end, AF_INET, NULL, NULL, NULL);
    close_pair(&pair);
}

static void with_a_fixed_remote_address_others_are_not_heard(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-44", "WSK-IOC-06", "WSK-IOC-11", "WSK-IOC-12");
    open_pair(&pair, AF_INET);
    PWSK_SOCKET stranger = open_datagram(&pair.end, AF_INET, NULL, NULL, NULL);
    assert_int_equal(control_socket(&pair.end, pair.receiver, WskIoctl, SIO_WSK_SET_REMOTE_ADDRESS,
                                    0, &pair.sender_address, sizeof(SOCKADDR_IN), NULL, 0, NULL),
                     STATUS_SUCCESS);
    start(&pair, 0, 100);
    assert_int_equal(send_datagram(&pair.end, stranger, "strange", 7, &pair.address, NULL),
                     STATUS_SUCCESS);
    send_text(&pair, "known");
    expect(&pair, 0, STATUS_SUCCESS, "known");
    assert_int_equal(control_socket(&pair.end, pair.receiver, WskIoctl, SIO_WSK_SET_REMOTE_ADDRESS,
                                    0, NULL, 0, NULL, 0, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(control_socket(&pair.end, pair.receiver, WskIoctl, SIO_WSK_SET_SENDTO_ADDRESS,
                                    0, &pair.sender_address, sizeof(SOCKADDR_IN), NULL, 0, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(send_datagram(&pair.end, stranger, "heard", 5, &pair.address, NULL),
                     STATUS_SUCCESS);
    start(&pair, 0, 100);
    expect(&pair, 0, STATUS_SUCCESS, "heard");
    close_socket(&pair.end, stranger);
    close_pair(&pair);
}

static void a_dead_socket_refuses_all(void **state)
{
    struct pair pair;
    PROVES("WSK-DGRM-06", "WSK-DGRM-33");
    open_pair(&pair, AF_INET);
    start(&pair, 0, 100);
    wskemu_socket_break(pair.receiver);
    expect(&pair, 0, STATUS_FILE_FORCED_CLOSED, "");
    assert_int_equal(receive_datagram(&pair.receipt[1], pair.receiver), STATUS_FILE_FORCED_CLOSED);
    assert_int_equal(send_datagram(&pair.end, pair.receiver, "x", 1, &pair.sender_address, NULL),
                     STATUS_FILE_FORCED_CLOSED);
    close_pair(&pair);
}

static void control_data_without_a_length_is_warned_of(void **state)
{
    struct pair pair;
    CMSGHDR control;
    PROVES("WSK-DGRM-38");
    open_pair(&pair, AF_INET);
    UCHAR byte;
    WSK_BUF buffer = call_buffer(&pair.end.call, &byte, 1);
    const WSK_PROVIDER_DATAGRAM_DISPATCH *table = datagram_table(pair.receiver);
    log_capture();
    NTSTATUS returned = table->WskReceiveFrom(pair.receiver, &buffer, 0, NULL, NULL, &control, NULL,
                                              call_irp(&pair.end.call));
    assert_true(log_named("WSK-DGRM-38"));
    IoCancelIrp(pair.end.call.irp);
    assert_int_equal(call_wait(&pair.end.call, returned), STATUS_CANCELLED);
    close_pair(&pair);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_receive_waits_for_a_datagram),
    kernel_test(receives_are_served_in_order),
    kernel_test(each_result_is_optional),
    kernel_test(a_longer_datagram_is_truncated),
    kernel_test(a_chain_receives_one_datagram),
    kernel_test(a_broken_call_is_refused),
    kernel_test(a_cancelled_receive_takes_no_datagram),
    kernel_test(closing_cancels_what_waits),
    kernel_test(with_a_fixed_remote_address_others_are_not_heard),
    kernel_test(a_dead_socket_refuses_all),
    kernel_test(control_data_without_a_length_is_warned_of),
};

TEST_MAIN(tests)
