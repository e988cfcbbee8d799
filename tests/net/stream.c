/* Streams, as net.h promises them. */
#include "fixture/network.h"

#include <stdlib.h>

static void a_stream_carries_bytes_both_ways(void **state)
{
    struct pair pair;
    char text[6];
    pair_open(*state, &pair, NET_IPV4);
    send_all(&pair.client, "hello", 6);
    receive_all(&pair.server, text, 6);
    assert_string_equal(text, "hello");
    send_all(&pair.server, "world", 6);
    receive_all(&pair.client, text, 6);
    assert_string_equal(text, "world");
    pair_close(&pair);
}

static void a_stream_of_ipv6_knows_both_addresses(void **state)
{
    struct pair pair;
    struct net_address near_side;
    struct net_address far_side;
    pair_open(*state, &pair, NET_IPV6);
    assert_int_equal(net_local_address(pair.client.socket, &near_side), NET_OK);
    assert_int_equal(net_remote_address(pair.server.socket, &far_side), NET_OK);
    assert_int_equal(far_side.family, NET_IPV6);
    assert_int_equal(far_side.port, near_side.port);
    assert_memory_equal(far_side.bytes, near_side.bytes, 16);
    pair_close(&pair);
}

static void buffers_are_gathered_and_scattered(void **state)
{
    struct pair pair;
    char in[3][2];
    struct net_buffer out_buffers[] = {{"ab", 2}, {"", 0}, {"cdef", 4}};
    struct net_buffer in_buffers[] = {{in[0], 2}, {in[1], 2}, {in[2], 2}};
    size_t moved;
    pair_open(*state, &pair, NET_IPV4);
    assert_int_equal(net_send(pair.client.socket, out_buffers, 3, &moved), NET_OK);
    assert_int_equal(moved, 6);
    await_ready(&pair.server, NET_READABLE);
    assert_int_equal(net_receive(pair.server.socket, in_buffers, 3, &moved), NET_OK);
    assert_int_equal(moved, 6);
    assert_memory_equal(in, "abcdef", 6);
    pair_close(&pair);
}

static void an_empty_stream_says_again(void **state)
{
    struct pair pair;
    char byte;
    struct net_buffer buffer = {&byte, 1};
    size_t moved = 1;
    pair_open(*state, &pair, NET_IPV4);
    assert_int_equal(net_receive(pair.server.socket, &buffer, 1, &moved), NET_AGAIN);
    assert_int_equal(moved, 0);
    pair_close(&pair);
}

static void a_full_stream_says_again_and_then_has_room(void **state)
{
    struct pair pair;
    static char block[65536];
    struct net_buffer buffer = {block, sizeof(block)};
    size_t moved;
    size_t sent = 0;
    pair_open(*state, &pair, NET_IPV4);
    enum net_error error;
    while ((error = net_send(pair.client.socket, &buffer, 1, &moved)) == NET_OK) {
        sent += moved;
    }
    assert_int_equal(error, NET_AGAIN);
    assert_int_equal(moved, 0);
    while (sent != 0) {
        assert_int_equal(receive_once(&pair.server, block, sizeof(block), &moved), NET_OK);
        sent -= moved;
    }
    await_ready(&pair.client, NET_WRITABLE);
    send_all(&pair.client, "x", 1);
    pair_close(&pair);
}

static void a_shutdown_is_the_end_of_the_stream(void **state)
{
    struct pair pair;
    char byte;
    size_t moved = 1;
    struct net_buffer buffer = {"y", 1};
    pair_open(*state, &pair, NET_IPV4);
    send_all(&pair.client, "x", 1);
    assert_int_equal(net_shutdown_send(pair.client.socket), NET_OK);
    assert_int_equal(net_send(pair.client.socket, &buffer, 1, &moved), NET_SHUT_DOWN);
    receive_all(&pair.server, &byte, 1);
    assert_int_equal(receive_once(&pair.server, &byte, 1, &moved), NET_OK);
    assert_int_equal(moved, 0);
    send_all(&pair.server, "z", 1);
    receive_all(&pair.client, &byte, 1);
    assert_int_equal(byte, 'z');
    pair_close(&pair);
}

static void a_reset_is_told_to_the_receiver(void **state)
{
    struct pair pair;
    char byte;
    size_t moved;
    pair_open(*state, &pair, NET_IPV4);
    endpoint_close(&pair.client, true);
    assert_int_equal(receive_once(&pair.server, &byte, 1, &moved), NET_RESET);
    endpoint_close(&pair.server, false);
    endpoint_close(&pair.listener, false);
}

static void a_connect_that_is_reset_before_it_is_looked_at_has_succeeded(void **state)
{
    struct pair pair;
    struct net_address remote;
    char byte;
    size_t moved;
    enum net_error error = pair_connect(*state, &pair, NET_IPV4);
    endpoint_close(&pair.server, true);
    pair_finish(&pair, error);
    assert_int_equal(net_remote_address(pair.client.socket, &remote), NET_OK);
    assert_int_equal(receive_once(&pair.client, &byte, 1, &moved), NET_RESET);
    endpoint_close(&pair.client, false);
    endpoint_close(&pair.listener, false);
}

/* As who looks for more after each message: the network learns that there is none. */
static void exchange_and_look_for_more(struct pair *pair)
{
    char text[4];
    struct net_buffer buffer = {text, sizeof(text)};
    size_t moved;
    for (int i = 0; i < 8; i++) {
        send_all(&pair->client, "abc", 4);
        receive_all(&pair->server, text, 4);
        assert_int_equal(net_receive(pair->server.socket, &buffer, 1, &moved), NET_AGAIN);
    }
}

static void what_comes_after_looking_in_vain_is_received(void **state)
{
    struct pair pair;
    char text[4];
    pair_open(*state, &pair, NET_IPV4);
    exchange_and_look_for_more(&pair);
    for (int i = 0; i < 40; i++) {
        send_all(&pair.client, "def", 4);
        receive_all(&pair.server, text, 4);
        assert_string_equal(text, "def");
    }
    pair_close(&pair);
}

static void an_end_after_looking_in_vain_is_found_at_once(void **state)
{
    struct pair pair;
    char byte;
    struct net_buffer buffer = {&byte, 1};
    size_t moved = 1;
    pair_open(*state, &pair, NET_IPV4);
    exchange_and_look_for_more(&pair);
    assert_int_equal(net_shutdown_send(pair.client.socket), NET_OK);
    await_ready(&pair.server, NET_HUNG_UP);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(net_receive(pair.server.socket, &buffer, 1, &moved), NET_OK);
        assert_int_equal(moved, 0);
    }
    pair_close(&pair);
}

static void a_refused_connect_is_told(void **state)
{
    struct endpoint listener;
    struct endpoint client;
    endpoint_open(*state, &listener, NET_IPV4, NET_STREAM);
    struct net_address address = endpoint_bind(&listener, loopback(NET_IPV4, 0));
    endpoint_open(*state, &client, NET_IPV4, NET_STREAM);
    enum net_error error = net_connect(client.socket, &address);
    if (error == NET_AGAIN) {
        await_ready(&client, NET_WRITABLE);
        error = net_error_of(client.socket);
    }
    assert_int_equal(error, NET_REFUSED);
    endpoint_close(&client, false);
    endpoint_close(&listener, false);
}

static void a_hang_up_is_told_beside_unread_data_and_once(void **state)
{
    struct pair pair;
    size_t unread = 0;
    pair_open(*state, &pair, NET_IPV4);
    send_all(&pair.client, "abc", 3);
    assert_int_equal(net_shutdown_send(pair.client.socket), NET_OK);
    net_want(pair.server.socket, NET_HUNG_UP);
    await_ready(&pair.server, NET_HUNG_UP);
    assert_int_equal(atomic_load(&pair.server.calls), 1);
    net_want(pair.server.socket, NET_READABLE);
    await_ready(&pair.server, NET_READABLE);
    drain(*state);
    assert_int_equal(net_unread(pair.server.socket, &unread), NET_OK);
    assert_int_equal(unread, 3);
    net_want(pair.server.socket, NET_HUNG_UP);
    assert_int_equal(await_ready(&pair.server, NET_HUNG_UP), NET_HUNG_UP);
    pair_close(&pair);
}

static void a_reset_is_a_hang_up(void **state)
{
    struct pair pair;
    char bytes[3];
    pair_open(*state, &pair, NET_IPV4);
    send_all(&pair.client, "abc", 3);
    await_ready(&pair.server, NET_READABLE);
    net_want(pair.server.socket, NET_HUNG_UP);
    drain(*state);
    assert_int_equal(atomic_load(&pair.server.ready), 0);
    receive_all(&pair.server, bytes, 3);
    net_want(pair.server.socket, 0);
    net_want(pair.server.socket, NET_HUNG_UP);
    drain(*state);
    endpoint_close(&pair.client, true);
    await_ready(&pair.server, NET_HUNG_UP);
    endpoint_close(&pair.server, false);
    endpoint_close(&pair.listener, false);
}

static void a_hang_up_that_is_not_asked_for_anew_is_silent(void **state)
{
    struct pair pair;
    pair_open(*state, &pair, NET_IPV4);
    endpoint_close(&pair.client, false);
    net_want(pair.server.socket, NET_HUNG_UP);
    while (atomic_load(&pair.server.calls) == 0) {
        struct network *network = *state;
        if (network->pollers[0].poll(network->pollers[0].context, UINT64_MAX)) {
            network->pollers[0].deliver(network->pollers[0].context);
        }
    }
    drain(*state);
    drain(*state);
    assert_int_equal(atomic_load(&pair.server.calls), 1);
    endpoint_close(&pair.server, false);
    endpoint_close(&pair.listener, false);
}

static void a_socket_closes_while_it_is_wanted(void **state)
{
    struct pair pair;
    pair_open(*state, &pair, NET_IPV4);
    net_want(pair.server.socket, NET_READABLE | NET_HUNG_UP);
    drain(*state);
    send_all(&pair.client, "x", 1);
    net_close(pair.server.socket, false);
    await_flag(*state, &pair.server.is_closed);
    unsigned calls = atomic_load(&pair.server.calls);
    drain(*state);
    assert_int_equal(atomic_load(&pair.server.calls), calls);
    endpoint_close(&pair.client, false);
    endpoint_close(&pair.listener, false);
}

static void the_network_ends_with_closes_still_to_be_told(void **state)
{
    struct pair pair;
    pair_open(*state, &pair, NET_IPV4);
    net_want(pair.server.socket, NET_READABLE);
    drain(*state);
    net_close(pair.server.socket, false);
    net_close(pair.client.socket, true);
    net_close(pair.listener.socket, false);
    ((struct network *)*state)->is_closing = true;
    network_teardown(state);
    assert_true(atomic_load(&pair.server.is_closed));
    assert_true(atomic_load(&pair.client.is_closed));
    assert_true(atomic_load(&pair.listener.is_closed));
    network_setup(state);
}

static void a_kick_ends_a_poll_that_comes_later(void **state)
{
    struct network *network = *state;
    network->pollers[0].kick(network->pollers[0].context);
    assert_false(network->pollers[0].poll(network->pollers[0].context, UINT64_MAX));
}

static void what_is_watched_makes_the_poller_active(void **state)
{
    struct network *network = *state;
    struct pair pair;
    pair_open(network, &pair, NET_IPV4);
    net_want(pair.server.socket, NET_READABLE);
    assert_true(network->pollers[0].active(network->pollers[0].context));
    pair_close(&pair);
    assert_false(network->pollers[0].active(network->pollers[0].context));
}

static const struct CMUnitTest tests[] = {
    network_test(a_stream_carries_bytes_both_ways),
    network_test(a_stream_of_ipv6_knows_both_addresses),
    network_test(buffers_are_gathered_and_scattered),
    network_test(an_empty_stream_says_again),
    network_test(a_full_stream_says_again_and_then_has_room),
    network_test(a_shutdown_is_the_end_of_the_stream),
    network_test(a_reset_is_told_to_the_receiver),
    network_test(a_connect_that_is_reset_before_it_is_looked_at_has_succeeded),
    network_test(what_comes_after_looking_in_vain_is_received),
    network_test(an_end_after_looking_in_vain_is_found_at_once),
    network_test(a_refused_connect_is_told),
    network_test(a_hang_up_is_told_beside_unread_data_and_once),
    network_test(a_reset_is_a_hang_up),
    network_test(a_hang_up_that_is_not_asked_for_anew_is_silent),
    network_test(a_socket_closes_while_it_is_wanted),
    network_test(the_network_ends_with_closes_still_to_be_told),
    network_test(a_kick_ends_a_poll_that_comes_later),
    network_test(what_is_watched_makes_the_poller_active),
};

TEST_MAIN(tests)
