/*
 * Options of Linux.
 *
 * Linux doubles the size of a buffer that it is told, for its own records, and tells the doubled
 * one; here a value reads as it was written. Interfaces for unicast are indexes in network order.
 */
#include "net/uv/option.h"

#include "net/uv/descriptor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static int half(int value)
{
    return value / 2;
}

static int to_network_order(int value)
{
    return (int)htonl((uint32_t)value);
}

static int discovery_of(int value)
{
    return value != 0 ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT;
}

static int is_discovery(int value)
{
    return value == IP_PMTUDISC_DO;
}

/* More than the system's limit is given to the privileged only. */
static enum net_error set_buffer(uv_os_sock_t sock, const struct option_place *place, int value)
{
    int forced = place->name == SO_RCVBUF ? SO_RCVBUFFORCE : SO_SNDBUFFORCE;
    if (descriptor_set(sock, place->level, forced, &value, sizeof(value)) == NET_OK) {
        return NET_OK;
    }
    return descriptor_set(sock, place->level, place->name, &value, sizeof(value));
}

static enum net_error set_multicast_interface(uv_os_sock_t sock, const struct option_place *place,
                                              int value)
{
    struct ip_mreqn request = {.imr_ifindex = value};
    if (place->level == IPPROTO_IPV6) {
        return descriptor_set(sock, place->level, place->name, &value, sizeof(value));
    }
    return descriptor_set(sock, place->level, place->name, &request, sizeof(request));
}

const struct host_option host_options[NET_OPTION_COUNT] = {
    OPTIONS_OF_ALL_HOSTS,
    [NET_OPTION_RECEIVE_BUFFER] = {EVERYWHERE(SOL_SOCKET, SO_RCVBUF), .decode = half,
                                   .set = set_buffer},
    [NET_OPTION_SEND_BUFFER] = {EVERYWHERE(SOL_SOCKET, SO_SNDBUF), .decode = half,
                                .set = set_buffer},
    [NET_OPTION_IPV6_ONLY] = {.ipv4 = NOWHERE, .ipv6 = {IPPROTO_IPV6, IPV6_V6ONLY}},
    [NET_OPTION_DONT_FRAGMENT] = {.ipv4 = {IPPROTO_IP, IP_MTU_DISCOVER},
                                  .ipv6 = {IPPROTO_IPV6, IPV6_MTU_DISCOVER},
                                  .is_for_both = true,
                                  .encode = discovery_of,
                                  .decode = is_discovery},
    [NET_OPTION_MULTICAST_INTERFACE] = {.ipv4 = {IPPROTO_IP, IP_MULTICAST_IF},
                                        .ipv6 = {IPPROTO_IPV6, IPV6_MULTICAST_IF},
                                        .is_for_both = true,
                                        .set = set_multicast_interface},
    [NET_OPTION_UNICAST_INTERFACE] = {.ipv4 = {IPPROTO_IP, IP_UNICAST_IF},
                                      .ipv6 = {IPPROTO_IPV6, IPV6_UNICAST_IF},
                                      .is_for_both = true,
                                      .encode = to_network_order},
    [NET_OPTION_RECEIVE_HOP_LIMIT] = {.ipv4 = {IPPROTO_IP, IP_RECVTTL},
                                      .ipv6 = {IPPROTO_IPV6, IPV6_RECVHOPLIMIT},
                                      .is_for_both = true},
};
