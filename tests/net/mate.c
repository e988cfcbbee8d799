/* Two ends of one connection that are both sockets of one network: whoever sends says so itself. */
#include "fixture/network.h"

#define TURNS 100

/* One turn of whoever leads, which never sleeps. */
static void turn(struct network *network)
{
    struct base_poller *poller = &network->pollers[0];
    if (poller->poll(poller->context, 0)) {
        poller->deliver(poller->context);
    }
}

static void open_quiet_pair(struct network *network, struct pair *pair)
{
    pair_open(network, pair, NET_IPV4);
    net_want(pair->client.socket, NET_READABLE);
    net_want(pair->server.socket, NET_READABLE);
    drain(network);
    atomic_store(&pair->client.ready, 0);
    atomic_store(&pair->server.ready, 0);
}

static void send_byte(struct endpoint *endpoint)
{
    struct net_buffer buffer = {"x", 1};
    size_t moved = 0;
    assert_int_equal(net_send(endpoint->socket, &buffer, 1, &moved), NET_OK);
    assert_int_equal(moved, 1);
}

static enum net_error receive_byte(struct endpoint *endpoint)
{
    char byte;
    struct net_buffer buffer = {&byte, 1};
    size_t moved;
    return net_receive(endpoint->socket, &buffer, 1, &moved);
}

static void what_one_end_sends_is_told_to_the_other_in_one_turn(void **state)
{
    struct pair pair;
    open_quiet_pair(*state, &pair);
    for (int i = 0; i < TURNS; i++) {
        struct endpoint *from = i % 2 == 0 ? &pair.client : &pair.server;
        struct endpoint *to = i % 2 == 0 ? &pair.server : &pair.client;
        send_byte(from);
        turn(*state);
        assert_int_equal(atomic_exchange(&to->ready, 0), NET_READABLE);
        assert_int_equal(receive_byte(to), NET_OK);
    }
    pair_close(&pair);
}

static void what_is_not_read_is_told_again(void **state)
{
    struct pair pair;
    open_quiet_pair(*state, &pair);
    send_byte(&pair.client);
    turn(*state);
    assert_int_equal(atomic_load(&pair.server.ready), NET_READABLE);
    await_ready(&pair.server, NET_READABLE);
    await_ready(&pair.server, NET_READABLE);
    assert_int_equal(receive_byte(&pair.server), NET_OK);
    pair_close(&pair);
}

static void what_comes_while_nobody_wants_it_is_told_to_who_wants_it_later(void **state)
{
    struct pair pair;
    open_quiet_pair(*state, &pair);
    net_want(pair.server.socket, 0);
    send_byte(&pair.client);
    turn(*state);
    assert_int_equal(atomic_load(&pair.server.calls), 0);
    net_want(pair.server.socket, NET_READABLE);
    await_ready(&pair.server, NET_READABLE);
    assert_int_equal(receive_byte(&pair.server), NET_OK);
    pair_close(&pair);
}

static void an_end_that_closes_is_told_of_nothing_more(void **state)
{
    struct pair pair;
    open_quiet_pair(*state, &pair);
    send_byte(&pair.client);
    unsigned calls = atomic_load(&pair.server.calls);
    endpoint_close(&pair.server, true);
    assert_int_equal(atomic_load(&pair.server.calls), calls);
    await_ready(&pair.client, NET_READABLE);
    endpoint_close(&pair.client, true);
    endpoint_close(&pair.listener, true);
}

static void sockets_beside_a_busy_pair_have_their_turn(void **state)
{
    struct pair pair;
    struct endpoint other;
    struct net_buffer buffer = {"x", 1};
    struct net_datagram datagram = {.buffers = &buffer, .count = 1};
    unsigned done;
    endpoint_open(*state, &other, NET_IPV4, NET_DATAGRAM);
    datagram.address = endpoint_bind(&other, loopback(NET_IPV4, 0));
    open_quiet_pair(*state, &pair);
    net_want(other.socket, NET_READABLE);
    drain(*state);
    assert_int_equal(net_send_datagrams(other.socket, &datagram, 1, &done), NET_OK);
    for (int i = 0; i < TURNS && atomic_load(&other.ready) == 0; i++) {
        send_byte(&pair.client);
        turn(*state);
        assert_int_equal(receive_byte(&pair.server), NET_OK);
    }
    assert_int_equal(atomic_load(&other.ready), NET_READABLE);
    endpoint_close(&other, false);
    pair_close(&pair);
}

static void a_socket_that_failed_to_connect_leaves_nothing_behind(void **state)
{
    struct network *network = *state;
    struct pair pair;
    struct endpoint closed;
    endpoint_open(network, &closed, NET_IPV4, NET_STREAM);
    struct net_address nobody = endpoint_bind(&closed, loopback(NET_IPV4, 0));
    endpoint_open(network, &pair.client, NET_IPV4, NET_STREAM);
    endpoint_bind(&pair.client, loopback(NET_IPV4, 0));
    enum net_error error = net_connect(pair.client.socket, &nobody);
    if (error == NET_AGAIN) {
        net_want(pair.client.socket, NET_WRITABLE);
        await_ready(&pair.client, NET_WRITABLE);
        error = net_error_of(pair.client.socket);
    }
    assert_int_equal(error, NET_REFUSED);
    endpoint_close(&closed, false);
    endpoint_close(&pair.client, false);
    open_quiet_pair(network, &pair);
    send_byte(&pair.client);
    turn(network);
    assert_int_equal(atomic_load(&pair.server.ready), NET_READABLE);
    pair_close(&pair);
}

static const struct CMUnitTest tests[] = {
    network_test(what_one_end_sends_is_told_to_the_other_in_one_turn),
    network_test(what_is_not_read_is_told_again),
    network_test(what_comes_while_nobody_wants_it_is_told_to_who_wants_it_later),
    network_test(an_end_that_closes_is_told_of_nothing_more),
    network_test(sockets_beside_a_busy_pair_have_their_turn),
    network_test(a_socket_that_failed_to_connect_leaves_nothing_behind),
};

TEST_MAIN(tests)
