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

#define NOWHERE                                                                                    \
    {                                                                                              \
        NO_PLACE, 0                                                                                \
    }
#define EVERYWHERE(level, name) .ipv4 = {level, name}, .ipv6 = {level, name}

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

static const struct host_option options[] = {
    [NET_OPTION_BROADCAST] = {EVERYWHERE(SOL_SOCKET, SO_BROADCAST)},
    [NET_OPTION_KEEP_ALIVE] = {EVERYWHERE(SOL_SOCKET, SO_KEEPALIVE)},
    [NET_OPTION_KEEP_IDLE] = {EVERYWHERE(IPPROTO_TCP, TCP_KEEPIDLE)},
    [NET_OPTION_KEEP_INTERVAL] = {EVERYWHERE(IPPROTO_TCP, TCP_KEEPINTVL)},
    [NET_OPTION_KEEP_COUNT] = {EVERYWHERE(IPPROTO_TCP, TCP_KEEPCNT)},
    [NET_OPTION_RECEIVE_BUFFER] = {EVERYWHERE(SOL_SOCKET, SO_RCVBUF)},
    [NET_OPTION_SEND_BUFFER] = {EVERYWHERE(SOL_SOCKET, SO_SNDBUF)},
    [NET_OPTION_NO_DELAY] = {EVERYWHERE(IPPROTO_TCP, TCP_NODELAY)},
    [NET_OPTION_IPV6_ONLY] = {.ipv4 = NOWHERE,
                              .ipv6 = {IPPROTO_IPV6, IPV6_V6ONLY},
                              .set = set_ipv6_only},
    [NET_OPTION_HOP_LIMIT] = {.ipv4 = {IPPROTO_IP, IP_TTL},
                              .ipv6 = {IPPROTO_IPV6, IPV6_UNICAST_HOPS},
                              .is_for_both = true},
    [NET_OPTION_TRAFFIC] = {.ipv4 = {IPPROTO_IP, IP_TOS},
                            .ipv6 = {IPPROTO_IPV6, IPV6_TCLASS},
                            .is_for_both = true},
    [NET_OPTION_DONT_FRAGMENT] = {.ipv4 = {IPPROTO_IP, IP_DONTFRAGMENT},
                                  .ipv6 = {IPPROTO_IPV6, IPV6_DONTFRAG},
                                  .is_for_both = true},
    [NET_OPTION_MULTICAST_HOP_LIMIT] = {.ipv4 = {IPPROTO_IP, IP_MULTICAST_TTL},
                                        .ipv6 = {IPPROTO_IPV6, IPV6_MULTICAST_HOPS},
                                        .is_for_both = true},
    [NET_OPTION_MULTICAST_LOOP] = {.ipv4 = {IPPROTO_IP, IP_MULTICAST_LOOP},
                                   .ipv6 = {IPPROTO_IPV6, IPV6_MULTICAST_LOOP},
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
    [NET_OPTION_RECEIVE_TRAFFIC] = {.ipv4 = {IPPROTO_IP, IP_RECVTOS},
                                    .ipv6 = {IPPROTO_IPV6, IPV6_RECVTCLASS},
                                    .is_for_both = true},
    [NET_OPTION_HEADER_INCLUDED] = {.ipv4 = {IPPROTO_IP, IP_HDRINCL},
                                    .ipv6 = {IPPROTO_IPV6, IPV6_HDRINCL}},
};

const struct host_option *option_of_host(enum net_option option)
{
    return (size_t)option < sizeof(options) / sizeof(options[0]) ? &options[option] : NULL;
}
