/* What goes along with datagrams on real networks. */
#include "fixture/datagram.h"

static struct net_address local_host(uint8_t last)
{
    struct net_address address = loopback(NET_IPV4, 0);
    address.bytes[3] = last;
    return address;
}

/* The IPv4 loopback address as a socket of IPv6 names it. */
static struct net_address mapped_loopback(uint16_t port)
{
    struct net_address address = any_address(NET_IPV6, port);
    memcpy(address.bytes, (uint8_t[16]){[10] = 255, 255, 127, 0, 0, 1}, 16);
    return address;
}

static void open_two(void *state, enum net_family family, struct endpoint *from,
                     struct endpoint *to, struct net_address *target)
{
    endpoint_open(state, from, family, NET_DATAGRAM);
    endpoint_open(state, to, family, NET_DATAGRAM);
    *target = endpoint_bind(to, any_address(family, 0));
    *target = loopback(family, target->port);
}

static void close_two(struct endpoint *from, struct endpoint *to)
{
    endpoint_close(from, false);
    endpoint_close(to, false);
}

static void hop_limit_and_traffic_class_come_when_asked_for(void **state)
{
    static const enum net_family families[] = {NET_IPV4, NET_IPV6};
    for (int i = 0; i < 2; i++) {
        struct endpoint from;
        struct endpoint to;
        struct net_address target;
        char byte;
        open_two(*state, families[i], &from, &to, &target);
        assert_int_equal(net_set_option(from.socket, NET_OPTION_HOP_LIMIT, 33), NET_OK);
        assert_int_equal(net_set_option(to.socket, NET_OPTION_RECEIVE_HOP_LIMIT, 1), NET_OK);
        send_to(&from, &target, "x", 1);
        struct net_datagram datagram = receive_from(&to, &byte, 1);
        assert_int_equal(datagram.control.present, NET_CONTROL_PACKET | NET_CONTROL_HOP_LIMIT);
        assert_int_equal(datagram.control.hop_limit, 33);
        assert_int_equal(net_set_option(to.socket, NET_OPTION_RECEIVE_TRAFFIC, 1), NET_OK);
        assert_int_equal(net_set_option(from.socket, NET_OPTION_TRAFFIC, 0x28), NET_OK);
        send_to(&from, &target, "x", 1);
        datagram = receive_from(&to, &byte, 1);
        assert_int_equal(datagram.control.present,
                         NET_CONTROL_PACKET | NET_CONTROL_HOP_LIMIT | NET_CONTROL_TRAFFIC);
        assert_int_equal(datagram.control.traffic, 0x28);
        close_two(&from, &to);
    }
}

static void a_sent_datagram_carries_its_own_hop_limit_and_traffic_class(void **state)
{
    static const enum net_family families[] = {NET_IPV4, NET_IPV6};
    for (int i = 0; i < 2; i++) {
        struct endpoint from;
        struct endpoint to;
        struct net_address target;
        struct net_control control = {.present = NET_CONTROL_HOP_LIMIT | NET_CONTROL_TRAFFIC,
                                      .hop_limit = 7,
                                      .traffic = 0x02};
        char byte;
        open_two(*state, families[i], &from, &to, &target);
        assert_int_equal(net_set_option(to.socket, NET_OPTION_RECEIVE_HOP_LIMIT, 1), NET_OK);
        assert_int_equal(net_set_option(to.socket, NET_OPTION_RECEIVE_TRAFFIC, 1), NET_OK);
        assert_int_equal(send_with(&from, &target, "x", 1, &control), NET_OK);
        struct net_datagram datagram = receive_from(&to, &byte, 1);
        assert_int_equal(datagram.control.hop_limit, 7);
        assert_int_equal(datagram.control.traffic, 0x02);
        send_to(&from, &target, "x", 1);
        datagram = receive_from(&to, &byte, 1);
        assert_int_not_equal(datagram.control.hop_limit, 7);
        assert_int_equal(datagram.control.traffic, 0);
        close_two(&from, &to);
    }
}

static void a_sent_datagram_chooses_its_source_address(void **state)
{
    struct endpoint from;
    struct endpoint to;
    struct net_address target;
    struct net_control control = {.present = NET_CONTROL_PACKET, .packet = local_host(9)};
    char byte;
    open_two(*state, NET_IPV4, &from, &to, &target);
    assert_int_equal(send_with(&from, &target, "x", 1, &control), NET_OK);
    struct net_datagram datagram = receive_from(&to, &byte, 1);
    assert_memory_equal(datagram.address.bytes, control.packet.bytes, 4);
    control.packet.bytes[0] = 192;
    assert_int_equal(send_with(&from, &target, "x", 1, &control), NET_ADDRESS_NOT_AVAILABLE);
    close_two(&from, &to);
}

static void a_sent_datagram_chooses_its_interface(void **state)
{
    struct endpoint from;
    struct endpoint to;
    struct net_address target;
    char byte;
    open_two(*state, NET_IPV6, &from, &to, &target);
    send_to(&from, &target, "x", 1);
    struct net_datagram datagram = receive_from(&to, &byte, 1);
    struct net_control control = {.present = NET_CONTROL_PACKET,
                                  .packet = loopback(NET_IPV6, 0),
                                  .interface_index = datagram.control.interface_index};
    assert_int_equal(send_with(&from, &target, "y", 1, &control), NET_OK);
    datagram = receive_from(&to, &byte, 1);
    assert_int_equal(byte, 'y');
    assert_int_equal(datagram.control.interface_index, control.interface_index);
    close_two(&from, &to);
}

static void a_socket_of_both_families_tells_ipv4_as_ipv4(void **state)
{
    struct endpoint from;
    struct endpoint to;
    char byte;
    endpoint_open(*state, &from, NET_IPV4, NET_DATAGRAM);
    endpoint_open(*state, &to, NET_IPV6, NET_DATAGRAM);
    assert_int_equal(net_set_option(to.socket, NET_OPTION_IPV6_ONLY, 0), NET_OK);
    assert_int_equal(net_set_option(to.socket, NET_OPTION_RECEIVE_HOP_LIMIT, 1), NET_OK);
    struct net_address bound = endpoint_bind(&to, any_address(NET_IPV6, 0));
    struct net_address target = loopback(NET_IPV4, bound.port);
    struct net_address source = endpoint_bind(&from, loopback(NET_IPV4, 0));
    send_to(&from, &target, "x", 1);
    struct net_datagram datagram = receive_from(&to, &byte, 1);
    struct net_address mapped = mapped_loopback(source.port);
    assert_int_equal(datagram.address.family, NET_IPV6);
    assert_int_equal(datagram.address.port, source.port);
    assert_memory_equal(datagram.address.bytes, mapped.bytes, 16);
    assert_int_equal(datagram.control.present & NET_CONTROL_PACKET, NET_CONTROL_PACKET);
    assert_int_equal(datagram.control.packet.family, NET_IPV4);
    assert_memory_equal(datagram.control.packet.bytes, target.bytes, 4);
    assert_int_equal(datagram.control.present & NET_CONTROL_HOP_LIMIT, NET_CONTROL_HOP_LIMIT);
    assert_int_equal(datagram.flags, 0);
    send_to(&to, &datagram.address, "y", 1);
    datagram = receive_from(&from, &byte, 1);
    assert_int_equal(byte, 'y');
    close_two(&from, &to);
}

static void ipv6_alone_is_the_default(void **state)
{
    struct endpoint six;
    struct endpoint four;
    int value = 0;
    endpoint_open(*state, &six, NET_IPV6, NET_DATAGRAM);
    assert_int_equal(net_get_option(six.socket, NET_OPTION_IPV6_ONLY, &value), NET_OK);
    assert_int_equal(value, 1);
    struct net_address address = endpoint_bind(&six, any_address(NET_IPV6, 0));
    endpoint_open(*state, &four, NET_IPV4, NET_DATAGRAM);
    endpoint_bind(&four, any_address(NET_IPV4, address.port));
    close_two(&six, &four);
}

static void broadcast_needs_the_option_and_is_told(void **state)
{
    struct endpoint from;
    struct endpoint to;
    struct net_address target;
    char byte;
    open_two(*state, NET_IPV4, &from, &to, &target);
    target = (struct net_address){NET_IPV4, target.port, 0, 0, {127, 255, 255, 255}};
    assert_int_equal(send_with(&from, &target, "x", 1, NULL), NET_ACCESS_DENIED);
    assert_int_equal(net_set_option(from.socket, NET_OPTION_BROADCAST, 1), NET_OK);
    send_to(&from, &target, "x", 1);
    struct net_datagram datagram = receive_from(&to, &byte, 1);
    assert_int_equal(datagram.flags, NET_WAS_BROADCAST);
    assert_memory_equal(datagram.control.packet.bytes, target.bytes, 4);
    close_two(&from, &to);
}

/* The index of the loopback interface, from a datagram that came over it. */
static uint32_t loopback_index(void *state)
{
    struct endpoint from;
    struct endpoint to;
    struct net_address target;
    char byte;
    open_two(state, NET_IPV4, &from, &to, &target);
    send_to(&from, &target, "x", 1);
    struct net_datagram datagram = receive_from(&to, &byte, 1);
    close_two(&from, &to);
    return datagram.control.interface_index;
}

static void a_group_is_heard_by_members_only(void **state)
{
    struct endpoint from;
    struct endpoint to;
    struct endpoint stranger;
    struct net_address target;
    uint32_t index = loopback_index(*state);
    char byte;
    open_two(*state, NET_IPV4, &from, &to, &target);
    struct net_address group = {NET_IPV4, target.port, 0, 0, {239, 255, 77, 1}};
    endpoint_open(*state, &stranger, NET_IPV4, NET_DATAGRAM);
    net_set_option(stranger.socket, NET_OPTION_ADDRESS_SHARED, 1);
    assert_int_equal(net_set_membership(to.socket, true, &group, NULL, index), NET_OK);
    endpoint_bind(&stranger, any_address(NET_IPV4, target.port));
    assert_int_equal(net_set_option(from.socket, NET_OPTION_MULTICAST_INTERFACE, (int)index),
                     NET_OK);
    send_to(&from, &group, "x", 1);
    struct net_datagram datagram = receive_from(&to, &byte, 1);
    assert_int_equal(datagram.flags, NET_WAS_MULTICAST);
    assert_memory_equal(datagram.control.packet.bytes, group.bytes, 4);
    assert_int_equal(datagram.control.interface_index, index);
    drain(*state);
    assert_false(has_datagram(&stranger));
    assert_int_equal(net_set_membership(to.socket, false, &group, NULL, index), NET_OK);
    assert_int_equal(net_set_membership(to.socket, false, &group, NULL, index), NET_NOT_FOUND);
    endpoint_close(&stranger, false);
    close_two(&from, &to);
}

static void a_group_may_be_heard_of_one_source(void **state)
{
    struct endpoint from;
    struct endpoint to;
    struct net_address target;
    uint32_t index = loopback_index(*state);
    struct net_address wanted = local_host(7);
    struct net_control control = {.present = NET_CONTROL_PACKET};
    char byte;
    open_two(*state, NET_IPV4, &from, &to, &target);
    struct net_address group = {NET_IPV4, target.port, 0, 0, {239, 255, 77, 2}};
    assert_int_equal(net_set_membership(to.socket, true, &group, &wanted, index), NET_OK);
    control.interface_index = index;
    control.packet = local_host(8);
    assert_int_equal(send_with(&from, &group, "x", 1, &control), NET_OK);
    control.packet = wanted;
    assert_int_equal(send_with(&from, &group, "y", 1, &control), NET_OK);
    struct net_datagram datagram = receive_from(&to, &byte, 1);
    assert_int_equal(byte, 'y');
    assert_memory_equal(datagram.address.bytes, wanted.bytes, 4);
    assert_int_equal(net_set_membership(to.socket, false, &group, &wanted, index), NET_OK);
    close_two(&from, &to);
}

static void a_group_of_ipv6_is_joined_and_left(void **state)
{
    struct endpoint to;
    uint32_t index = loopback_index(*state);
    struct net_address group = {NET_IPV6, 0, 0, 0, {0xff, 0x15, [15] = 0x77}};
    endpoint_open(*state, &to, NET_IPV6, NET_DATAGRAM);
    assert_int_equal(net_set_membership(to.socket, true, &group, NULL, index), NET_OK);
    assert_int_equal(net_set_membership(to.socket, false, &group, NULL, index), NET_OK);
    assert_int_equal(net_set_membership(to.socket, false, &group, NULL, index), NET_NOT_FOUND);
    endpoint_close(&to, false);
}

/* An echo request to the machine itself; IPv4 gives the IP header along, as on Windows. */
static void a_raw_socket_gives_the_header_of_ipv4(void **state)
{
    static const unsigned char echo[] = {8, 0, 0xa5, 0xff, 0x52, 0, 0, 0};
    struct endpoint raw;
    unsigned char packet[64];
    struct net_address target = loopback(NET_IPV4, 0);
    memset(&raw, 0, sizeof(raw));
    raw.network = *state;
    enum net_error error = net_socket_open(raw.network->net, NET_IPV4, NET_RAW, 1,
                                           &endpoint_callbacks, &raw, &raw.socket);
    if (error == NET_ACCESS_DENIED || error == NET_NOT_SUPPORTED) {
        skip();
    }
    assert_int_equal(error, NET_OK);
    atomic_fetch_add(&raw.network->open, 1);
    send_to(&raw, &target, echo, sizeof(echo));
    struct net_datagram datagram = receive_from(&raw, packet, sizeof(packet));
    assert_int_equal(packet[0], 0x45);
    assert_int_equal(packet[9], 1);
    assert_int_equal(datagram.length, 20 + sizeof(echo));
    endpoint_close(&raw, false);
}

static const struct CMUnitTest tests[] = {
    network_test(hop_limit_and_traffic_class_come_when_asked_for),
    network_test(a_sent_datagram_carries_its_own_hop_limit_and_traffic_class),
    network_test(a_sent_datagram_chooses_its_source_address),
    network_test(a_sent_datagram_chooses_its_interface),
    network_test(a_socket_of_both_families_tells_ipv4_as_ipv4),
    network_test(ipv6_alone_is_the_default),
    network_test(broadcast_needs_the_option_and_is_told),
    network_test(a_group_is_heard_by_members_only),
    network_test(a_group_may_be_heard_of_one_source),
    network_test(a_group_of_ipv6_is_joined_and_left),
    network_test(a_raw_socket_gives_the_header_of_ipv4),
};

TEST_MAIN(tests)
