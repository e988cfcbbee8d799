/* Datagrams, as net.h promises them, on any network. */
#include "fixture/datagram.h"

static void a_datagram_says_whence_and_whither(void **state)
{
    static const enum net_family families[] = {NET_IPV4, NET_IPV6};
    for (int i = 0; i < 2; i++) {
        struct endpoint from;
        struct endpoint to;
        char text[8];
        endpoint_open(*state, &from, families[i], NET_DATAGRAM);
        endpoint_open(*state, &to, families[i], NET_DATAGRAM);
        struct net_address source = endpoint_bind(&from, loopback(families[i], 0));
        struct net_address target = endpoint_bind(&to, any_address(families[i], 0));
        target = loopback(families[i], target.port);
        send_to(&from, &target, "hello", 6);
        struct net_datagram datagram = receive_from(&to, text, sizeof(text));
        assert_int_equal(datagram.length, 6);
        assert_int_equal(datagram.flags, 0);
        assert_int_equal(datagram.address.port, source.port);
        assert_memory_equal(datagram.address.bytes, source.bytes, 16);
        assert_int_equal(datagram.control.present, NET_CONTROL_PACKET);
        assert_int_equal(datagram.control.packet.family, families[i]);
        assert_memory_equal(datagram.control.packet.bytes, target.bytes, 16);
        assert_int_not_equal(datagram.control.interface_index, 0);
        endpoint_close(&from, false);
        endpoint_close(&to, false);
    }
}

static void open_two(void *state, struct endpoint *from, struct endpoint *to,
                     struct net_address *target)
{
    endpoint_open(state, from, NET_IPV4, NET_DATAGRAM);
    endpoint_open(state, to, NET_IPV4, NET_DATAGRAM);
    *target = endpoint_bind(to, loopback(NET_IPV4, 0));
}

#define BATCH 48

static unsigned receive_batch(struct endpoint *to, unsigned char (*bytes)[16])
{
    struct net_buffer buffers[NET_DATAGRAMS_MAX];
    struct net_datagram datagrams[NET_DATAGRAMS_MAX];
    unsigned done = 0;
    for (unsigned i = 0; i < NET_DATAGRAMS_MAX; i++) {
        buffers[i] = (struct net_buffer){bytes[i], sizeof(bytes[i])};
        datagrams[i] = (struct net_datagram){.buffers = &buffers[i], .count = 1};
    }
    while (net_receive_datagrams(to->socket, datagrams, NET_DATAGRAMS_MAX, &done) == NET_AGAIN) {
        await_ready(to, NET_READABLE);
    }
    for (unsigned i = 0; i < done; i++) {
        assert_int_equal(datagrams[i].length, i % 3 + 1);
    }
    return done;
}

static void datagrams_go_and_come_in_batches_and_in_order(void **state)
{
    struct endpoint from;
    struct endpoint to;
    struct net_datagram out[BATCH];
    struct net_buffer buffers[BATCH];
    struct net_address target;
    unsigned char sent[BATCH];
    unsigned char received[NET_DATAGRAMS_MAX][16];
    unsigned done = 0;
    open_two(*state, &from, &to, &target);
    for (unsigned i = 0; i < BATCH; i++) {
        sent[i] = (unsigned char)i;
        buffers[i] = (struct net_buffer){&sent[i], i % 3 + 1 <= BATCH - i ? i % 3 + 1 : 1};
        out[i] = (struct net_datagram){.buffers = &buffers[i], .count = 1, .address = target};
    }
    assert_int_equal(net_send_datagrams(from.socket, out, 30, &done), NET_OK);
    assert_int_equal(done, 30);
    unsigned got = 0;
    while (got < 30) {
        unsigned batch = receive_batch(&to, received);
        for (unsigned i = 0; i < batch; i++) {
            assert_int_equal(received[i][0], got + i);
        }
        got += batch;
        if (got < 30) {
            assert_int_equal(got % 3, 0);
        }
    }
    assert_int_equal(got, 30);
    endpoint_close(&from, false);
    endpoint_close(&to, false);
}

static void a_batch_is_never_more_than_the_most(void **state)
{
    struct endpoint from;
    struct endpoint to;
    struct net_address target;
    struct net_datagram out[BATCH];
    struct net_buffer buffer = {"x", 1};
    unsigned done = 0;
    open_two(*state, &from, &to, &target);
    for (unsigned i = 0; i < BATCH; i++) {
        out[i] = (struct net_datagram){.buffers = &buffer, .count = 1, .address = target};
    }
    assert_int_equal(net_send_datagrams(from.socket, out, BATCH, &done), NET_OK);
    assert_in_range(done, 1, NET_DATAGRAMS_MAX);
    endpoint_close(&from, false);
    endpoint_close(&to, false);
}

static void a_datagram_is_gathered_and_scattered(void **state)
{
    struct endpoint from;
    struct endpoint to;
    struct net_address target;
    char in[2][3];
    struct net_buffer out_buffers[] = {{"ab", 2}, {"cdef", 4}};
    struct net_buffer in_buffers[] = {{in[0], 3}, {in[1], 3}};
    struct net_datagram out = {.buffers = out_buffers, .count = 2};
    struct net_datagram datagram = {.buffers = in_buffers, .count = 2};
    unsigned done;
    open_two(*state, &from, &to, &target);
    out.address = target;
    assert_int_equal(net_send_datagrams(from.socket, &out, 1, &done), NET_OK);
    await_ready(&to, NET_READABLE);
    assert_int_equal(net_receive_datagrams(to.socket, &datagram, 1, &done), NET_OK);
    assert_int_equal(datagram.length, 6);
    assert_memory_equal(in, "abcdef", 6);
    endpoint_close(&from, false);
    endpoint_close(&to, false);
}

static void a_datagram_that_does_not_fit_is_truncated(void **state)
{
    struct endpoint from;
    struct endpoint to;
    struct net_address target;
    char text[3];
    open_two(*state, &from, &to, &target);
    send_to(&from, &target, "hello", 6);
    struct net_datagram datagram = receive_from(&to, text, sizeof(text));
    assert_int_equal(datagram.flags & NET_TRUNCATED, NET_TRUNCATED);
    assert_int_equal(datagram.length, 3);
    assert_memory_equal(text, "hel", 3);
    endpoint_close(&from, false);
    endpoint_close(&to, false);
}

static void a_datagram_may_be_empty(void **state)
{
    struct endpoint from;
    struct endpoint to;
    struct net_address target;
    char byte;
    open_two(*state, &from, &to, &target);
    send_to(&from, &target, "", 0);
    struct net_datagram datagram = receive_from(&to, &byte, 1);
    assert_int_equal(datagram.length, 0);
    assert_int_equal(datagram.flags & NET_TRUNCATED, 0);
    endpoint_close(&from, false);
    endpoint_close(&to, false);
}

static void a_datagram_longer_than_any_is_refused(void **state)
{
    static char data[70000];
    struct endpoint from;
    struct endpoint to;
    struct net_address target;
    open_two(*state, &from, &to, &target);
    assert_int_equal(send_with(&from, &target, data, sizeof(data), NULL), NET_TOO_LONG);
    endpoint_close(&from, false);
    endpoint_close(&to, false);
}

static void a_datagram_to_nobody_is_no_error(void **state)
{
    struct endpoint from;
    struct endpoint gone;
    struct net_address target;
    open_two(*state, &from, &gone, &target);
    endpoint_bind(&from, loopback(NET_IPV4, 0));
    endpoint_close(&gone, false);
    for (int i = 0; i < 3; i++) {
        send_to(&from, &target, "x", 1);
        drain(*state);
        assert_false(has_datagram(&from));
    }
    assert_int_equal(net_error_of(from.socket), NET_OK);
    endpoint_close(&from, false);
}

static void what_is_unread_is_counted(void **state)
{
    struct endpoint from;
    struct endpoint to;
    struct net_address target;
    size_t unread = 1;
    open_two(*state, &from, &to, &target);
    assert_int_equal(net_unread(to.socket, &unread), NET_OK);
    assert_int_equal(unread, 0);
    send_to(&from, &target, "hello", 5);
    await_ready(&to, NET_READABLE);
    assert_int_equal(net_unread(to.socket, &unread), NET_OK);
    assert_int_equal(unread, 5);
    endpoint_close(&from, false);
    endpoint_close(&to, false);
}

static const struct CMUnitTest tests[] = {
    network_test(a_datagram_says_whence_and_whither),
    network_test(datagrams_go_and_come_in_batches_and_in_order),
    network_test(a_batch_is_never_more_than_the_most),
    network_test(a_datagram_is_gathered_and_scattered),
    network_test(a_datagram_that_does_not_fit_is_truncated),
    network_test(a_datagram_may_be_empty),
    network_test(a_datagram_longer_than_any_is_refused),
    network_test(a_datagram_to_nobody_is_no_error),
    network_test(what_is_unread_is_counted),
};

TEST_MAIN(tests)
