/* Several loops: sockets are spread over them, and each loop may be driven by another thread. */
#include "fixture/network.h"

#define two_loop_test(function)                                                                    \
    cmocka_unit_test_setup_teardown(function, network_setup_two_loops, network_teardown)

static void connections_work_on_either_loop(void **state)
{
    struct network *network = *state;
    struct pair pairs[4];
    char text[4];
    for (int i = 0; i < 4; i++) {
        pair_open(network, &pairs[i], NET_IPV4);
    }
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 4; i++) {
            send_all(&pairs[i].client, "abc", 4);
            receive_all(&pairs[i].server, text, 4);
            assert_string_equal(text, "abc");
            send_all(&pairs[i].server, "def", 4);
            receive_all(&pairs[i].client, text, 4);
            assert_string_equal(text, "def");
        }
    }
    for (int i = 0; i < 4; i++) {
        pair_close(&pairs[i]);
    }
}

/* Of the two ends one is on the loop of the other thread, which finds unwanted what arrives before
 * it is wanted. */
static void what_is_wanted_late_is_told(void **state)
{
    struct network *network = *state;
    struct pair pair;
    char byte;
    pair_open(network, &pair, NET_IPV4);
    for (int round = 0; round < 200; round++) {
        send_all(&pair.client, "x", 1);
        await_ready(&pair.server, NET_READABLE);
        receive_all(&pair.server, &byte, 1);
        send_all(&pair.server, "y", 1);
        await_ready(&pair.client, NET_READABLE);
        receive_all(&pair.client, &byte, 1);
    }
    pair_close(&pair);
}

static void sockets_are_spread_over_the_loops(void **state)
{
    struct network *network = *state;
    struct endpoint endpoints[2];
    for (int i = 0; i < 2; i++) {
        endpoint_open(network, &endpoints[i], NET_IPV4, NET_DATAGRAM);
        endpoint_bind(&endpoints[i], loopback(NET_IPV4, 0));
        net_want(endpoints[i].socket, NET_READABLE);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_true(network->pollers[i].active(network->pollers[i].context));
    }
    for (int i = 0; i < 2; i++) {
        endpoint_close(&endpoints[i], false);
        assert_int_equal(atomic_load(&endpoints[i].calls), 0);
    }
}

static void sockets_close_while_both_loops_are_busy(void **state)
{
    struct network *network = *state;
    for (int round = 0; round < 20; round++) {
        struct pair pair;
        pair_open(network, &pair, NET_IPV4);
        net_want(pair.server.socket, NET_READABLE | NET_HUNG_UP);
        net_want(pair.client.socket, NET_READABLE | NET_HUNG_UP);
        send_all(&pair.client, "x", 1);
        net_close(pair.client.socket, round % 2 != 0);
        net_close(pair.server.socket, round % 3 != 0);
        await_flag(network, &pair.client.is_closed);
        await_flag(network, &pair.server.is_closed);
        endpoint_close(&pair.listener, false);
    }
}

static void a_network_has_one_loop_at_least_and_some_at_most(void **state)
{
    struct base_poller pollers[NET_LOOPS_MAX + 1] = {0};
    struct net *net = NULL;
    (void)state;
    assert_int_equal(net_open(&net, 0, pollers), NET_INVALID);
    assert_int_equal(net_open(&net, NET_LOOPS_MAX + 1, pollers), NET_INVALID);
    assert_int_equal(net_open(&net, NET_LOOPS_MAX, pollers), NET_OK);
    net_destroy(net);
}

static void count(void *context)
{
    atomic_fetch_add((atomic_uint *)context, 1);
}

static void the_first_watch_is_told(void **state)
{
    struct network *network = *state;
    struct endpoint endpoints[2];
    atomic_uint told = 0;
    network->pollers[0].on_active_context = &told;
    network->pollers[0].on_active = count;
    for (int i = 0; i < 2; i++) {
        endpoint_open(network, &endpoints[i], NET_IPV4, NET_DATAGRAM);
        endpoint_bind(&endpoints[i], loopback(NET_IPV4, 0));
        net_want(endpoints[i].socket, NET_READABLE);
        assert_int_equal(atomic_load(&told), 1);
    }
    network->pollers[0].on_active = NULL;
    for (int i = 0; i < 2; i++) {
        endpoint_close(&endpoints[i], false);
    }
}

static const struct CMUnitTest tests[] = {
    two_loop_test(connections_work_on_either_loop),
    two_loop_test(what_is_wanted_late_is_told),
    two_loop_test(sockets_are_spread_over_the_loops),
    two_loop_test(sockets_close_while_both_loops_are_busy),
    network_test(the_first_watch_is_told),
    cmocka_unit_test(a_network_has_one_loop_at_least_and_some_at_most),
};

TEST_MAIN(tests)
