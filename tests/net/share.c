/* Sharing of local addresses: who does not ask meets an error, who asks is not refused. */
#include "fixture/datagram.h"

static struct net_address address_of(bool is_wildcard, uint16_t port)
{
    return is_wildcard ? any_address(NET_IPV4, port) : loopback(NET_IPV4, port);
}

static void share(void *state, enum net_type type, bool is_first_wildcard, bool is_second_wildcard)
{
    struct endpoint first;
    struct endpoint second;
    endpoint_open(state, &first, NET_IPV4, type);
    endpoint_open(state, &second, NET_IPV4, type);
    bool is_same = is_first_wildcard == is_second_wildcard;
    net_set_option(first.socket, NET_OPTION_ADDRESS_SHARED, is_same ? 1 : 0);
    struct net_address bound = endpoint_bind(&first, address_of(is_first_wildcard, 0));
    struct net_address same = address_of(is_second_wildcard, bound.port);
    if (type == NET_STREAM) {
        assert_int_equal(net_listen(first.socket, 8), NET_OK);
    }
    assert_int_equal(net_set_option(second.socket, NET_OPTION_ADDRESS_SHARED, 1), NET_OK);
    assert_int_equal(net_bind(second.socket, &same), NET_OK);
    if (type == NET_STREAM) {
        assert_int_equal(net_listen(second.socket, 8), NET_OK);
    }
    endpoint_close(&first, false);
    endpoint_close(&second, false);
}

/* Those that the rules of sharing allow: the same address only if both ask. */
static void every_combination_can_be_shared(void **state)
{
    for (int i = 0; i < 8; i++) {
        share(*state, (i & 4) != 0 ? NET_STREAM : NET_DATAGRAM, (i & 1) != 0, (i & 2) != 0);
    }
}

static void who_does_not_ask_meets_an_address_in_use(void **state)
{
    static const enum net_type types[] = {NET_STREAM, NET_DATAGRAM};
    for (int i = 0; i < 2; i++) {
        struct endpoint first;
        struct endpoint second;
        endpoint_open(*state, &first, NET_IPV4, types[i]);
        endpoint_open(*state, &second, NET_IPV4, types[i]);
        struct net_address bound = endpoint_bind(&first, loopback(NET_IPV4, 0));
        if (types[i] == NET_STREAM) {
            assert_int_equal(net_listen(first.socket, 8), NET_OK);
        }
        assert_int_equal(net_bind(second.socket, &bound), NET_ADDRESS_IN_USE);
        endpoint_close(&first, false);
        endpoint_close(&second, false);
    }
}

static void listeners_may_share_in_either_order_of_listening(void **state)
{
    struct endpoint first;
    struct endpoint second;
    endpoint_open(*state, &first, NET_IPV4, NET_STREAM);
    endpoint_open(*state, &second, NET_IPV4, NET_STREAM);
    net_set_option(first.socket, NET_OPTION_ADDRESS_SHARED, 1);
    struct net_address bound = endpoint_bind(&first, loopback(NET_IPV4, 0));
    net_set_option(second.socket, NET_OPTION_ADDRESS_SHARED, 1);
    assert_int_equal(net_bind(second.socket, &bound), NET_OK);
    assert_int_equal(net_listen(second.socket, 8), NET_OK);
    assert_int_equal(net_listen(first.socket, 8), NET_OK);
    endpoint_close(&first, false);
    endpoint_close(&second, false);
}

static void a_specific_address_goes_before_the_wildcard(void **state)
{
    struct endpoint wide;
    struct endpoint narrow;
    struct endpoint from;
    char byte;
    endpoint_open(*state, &wide, NET_IPV4, NET_DATAGRAM);
    endpoint_open(*state, &narrow, NET_IPV4, NET_DATAGRAM);
    endpoint_open(*state, &from, NET_IPV4, NET_DATAGRAM);
    struct net_address bound = endpoint_bind(&wide, any_address(NET_IPV4, 0));
    struct net_address same = loopback(NET_IPV4, bound.port);
    net_set_option(narrow.socket, NET_OPTION_ADDRESS_SHARED, 1);
    assert_int_equal(net_bind(narrow.socket, &same), NET_OK);
    send_to(&from, &same, "x", 1);
    receive_from(&narrow, &byte, 1);
    assert_false(has_datagram(&wide));
    endpoint_close(&from, false);
    endpoint_close(&wide, false);
    endpoint_close(&narrow, false);
}

static void a_port_of_past_connections_can_be_listened_at(void **state)
{
    struct pair pair;
    struct endpoint again;
    struct net_address address;
    char byte;
    size_t moved;
    pair_open(*state, &pair, NET_IPV4);
    assert_int_equal(net_local_address(pair.listener.socket, &address), NET_OK);
    endpoint_close(&pair.server, false);
    assert_int_equal(receive_once(&pair.client, &byte, 1, &moved), NET_OK);
    endpoint_close(&pair.client, false);
    endpoint_close(&pair.listener, false);
    endpoint_open(*state, &again, NET_IPV4, NET_STREAM);
    assert_int_equal(net_bind(again.socket, &address), NET_OK);
    assert_int_equal(net_listen(again.socket, 8), NET_OK);
    endpoint_close(&again, false);
}

static const struct CMUnitTest tests[] = {
    network_test(who_does_not_ask_meets_an_address_in_use),
    network_test(every_combination_can_be_shared),
    network_test(listeners_may_share_in_either_order_of_listening),
    network_test(a_specific_address_goes_before_the_wildcard),
    network_test(a_port_of_past_connections_can_be_listened_at),
};

TEST_MAIN(tests)
