/*
 * Options of Winsock.
 *
 * Interfaces are indexes, for IPv4 in network order. A socket of IPv6 takes options of IPv4 only
 * while it takes IPv4 at all, so what was set at opening is set once more when that is switched on.
 */
#include <winsock2.h>
#include <ws2tcpip.h>

#include "net/uv/option.h"

#include "net/uv/descriptor.h"

/* Newer than MinGW's headers. */
#ifndef TCP_KEEPIDLE
#define TCP_KEEPIDLE 3
#endif
#ifndef TCP_KEEPCNT
#define TCP_KEEPCNT 16
#endif
#ifndef TCP_KEEPINTVL
#define TCP_KEEPINTVL 17
#endif

/* Of IPv4 only; IPv6 wants the index as it stands. */
static enum net_error set_interface(uv_os_sock_t sock, const struct option_place *place, int value)
{
    DWORD written = place->level == IPPROTO_IP ? htonl((u_long)value) : (DWORD)value;
    return descriptor_set(sock, place->level, place->name, &written, sizeof(written));
}

static enum net_error set_ipv6_only(uv_os_sock_t sock, const struct option_place *place, int value)
{
    int on = 1;
    enum net_error error = descriptor_set(sock, place->level, place->name, &value, sizeof(value));
    if (error == NET_OK && value == 0) {
        descriptor_set(sock, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
    }
    return error;
}

const struct host_option host_options[NET_OPTION_COUNT] = {
    OPTIONS_OF_ALL_HOSTS,
    [NET_OPTION_RECEIVE_BUFFER] = {EVERYWHERE(SOL_SOCKET, SO_RCVBUF)},
    [NET_OPTION_SEND_BUFFER] = {EVERYWHERE(SOL_SOCKET, SO_SNDBUF)},
    [NET_OPTION_IPV6_ONLY] = {.ipv4 = NOWHERE,
                              .ipv6 = {IPPROTO_IPV6, IPV6_V6ONLY},
                              .set = set_ipv6_only},
    [NET_OPTION_DONT_FRAGMENT] = {.ipv4 = {IPPROTO_IP, IP_DONTFRAGMENT},
                                  .ipv6 = {IPPROTO_IPV6, IPV6_DONTFRAG},
                                  .is_for_both = true},
    [NET_OPTION_MULTICAST_INTERFACE] = {.ipv4 = {IPPROTO_IP, IP_MULTICAST_IF},
                                        .ipv6 = {IPPROTO_IPV6, IPV6_MULTICAST_IF},
                                        .is_for_both = true,
                                        .set = set_interface},
    [NET_OPTION_UNICAST_INTERFACE] = {.ipv4 = {IPPROTO_IP, IP_UNICAST_IF},
                                      .ipv6 = {IPPROTO_IPV6, IPV6_UNICAST_IF},
                                      .is_for_both = true,
                                      .set = set_interface},
    [NET_OPTION_RECEIVE_HOP_LIMIT] = {.ipv4 = {IPPROTO_IP, IP_HOPLIMIT},
                                      .ipv6 = {IPPROTO_IPV6, IPV6_HOPLIMIT},
                                      .is_for_both = true},
};
