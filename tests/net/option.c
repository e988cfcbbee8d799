/* Options keep what they are told. */
#include "fixture/datagram.h"
#include "host.h"

struct row {
    enum net_type type;
    enum net_option option;
    int value;
};

static const struct row rows[] = {
    {NET_STREAM, NET_OPTION_ADDRESS_SHARED, 1},
    {NET_STREAM, NET_OPTION_KEEP_ALIVE, 1},
    {NET_STREAM, NET_OPTION_KEEP_IDLE, 77},
    {NET_STREAM, NET_OPTION_KEEP_INTERVAL, 5},
    {NET_STREAM, NET_OPTION_KEEP_COUNT, 4},
    {NET_STREAM, NET_OPTION_RECEIVE_BUFFER, 32768},
    {NET_STREAM, NET_OPTION_SEND_BUFFER, 32768},
    {NET_STREAM, NET_OPTION_NO_DELAY, 1},
    {NET_STREAM, NET_OPTION_HOP_LIMIT, 9},
    {NET_DATAGRAM, NET_OPTION_BROADCAST, 1},
    {NET_DATAGRAM, NET_OPTION_RECEIVE_BUFFER, 65536},
    {NET_DATAGRAM, NET_OPTION_HOP_LIMIT, 33},
    {NET_DATAGRAM, NET_OPTION_TRAFFIC, 0x20},
    {NET_DATAGRAM, NET_OPTION_DONT_FRAGMENT, 1},
    {NET_DATAGRAM, NET_OPTION_DONT_FRAGMENT, 0},
    {NET_DATAGRAM, NET_OPTION_MULTICAST_HOP_LIMIT, 3},
    {NET_DATAGRAM, NET_OPTION_MULTICAST_LOOP, 0},
    {NET_DATAGRAM, NET_OPTION_MULTICAST_LOOP, 1},
    {NET_DATAGRAM, NET_OPTION_MULTICAST_INTERFACE, 1},
    {NET_DATAGRAM, NET_OPTION_UNICAST_INTERFACE, 1},
    {NET_DATAGRAM, NET_OPTION_RECEIVE_HOP_LIMIT, 1},
    {NET_DATAGRAM, NET_OPTION_RECEIVE_TRAFFIC, 1},
};

static void an_option_reads_as_it_was_written(void **state)
{
    static const enum net_family families[] = {NET_IPV4, NET_IPV6};
    for (unsigned i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i / 2];
        struct endpoint endpoint;
        int value = -1;
        endpoint_open(*state, &endpoint, families[i % 2], row->type);
        enum net_error error = net_set_option(endpoint.socket, row->option, row->value);
        if (error == NET_OK) {
            error = net_get_option(endpoint.socket, row->option, &value);
        }
        if (error != NET_OK || value != row->value) {
            print_message("family %d, option %d: error %d, value %d\n", families[i % 2],
                          row->option, error, value);
        }
        assert_true((error == NET_OK && value == row->value) ||
                    (error != NET_OK && host_is_wine()));
        endpoint_close(&endpoint, false);
    }
}

static void ipv6_only_belongs_to_ipv6(void **state)
{
    struct endpoint endpoint;
    int value = -1;
    endpoint_open(*state, &endpoint, NET_IPV6, NET_STREAM);
    assert_int_equal(net_get_option(endpoint.socket, NET_OPTION_IPV6_ONLY, &value), NET_OK);
    assert_int_equal(value, 1);
    assert_int_equal(net_set_option(endpoint.socket, NET_OPTION_IPV6_ONLY, 0), NET_OK);
    assert_int_equal(net_get_option(endpoint.socket, NET_OPTION_IPV6_ONLY, &value), NET_OK);
    assert_int_equal(value, 0);
    endpoint_close(&endpoint, false);
    endpoint_open(*state, &endpoint, NET_IPV4, NET_STREAM);
    assert_int_equal(net_set_option(endpoint.socket, NET_OPTION_IPV6_ONLY, 0), NET_NOT_SUPPORTED);
    endpoint_close(&endpoint, false);
}

static void the_machine_has_a_loopback_address(void **state)
{
    static const enum net_family families[] = {NET_IPV4, NET_IPV6};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct net_address addresses[64];
        struct net_address wanted = loopback(families[i], 0);
        unsigned total = 0;
        unsigned found = 0;
        assert_int_equal(net_host_addresses(families[i], addresses, 64, &total), NET_OK);
        assert_int_not_equal(total, 0);
        for (unsigned j = 0; j < total && j < 64; j++) {
            assert_int_equal(addresses[j].family, families[i]);
            found += memcmp(addresses[j].bytes, wanted.bytes, 16) == 0;
        }
        assert_int_equal(found, 1);
        assert_int_equal(net_host_addresses(families[i], NULL, 0, &found), NET_OK);
        assert_int_equal(found, total);
    }
}

static const struct CMUnitTest tests[] = {
    network_test(an_option_reads_as_it_was_written),
    network_test(ipv6_only_belongs_to_ipv6),
    network_test(the_machine_has_a_loopback_address),
};

TEST_MAIN(tests)
