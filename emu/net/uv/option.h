/* Options as the host knows them: a table a host. */
#ifndef NET_UV_OPTION_H
#define NET_UV_OPTION_H

#include "net/net.h"

#include <uv.h>

/* Where the host keeps an option; level is NO_PLACE where the host has none. */
struct option_place {
    int level;
    int name;
};

#define NO_PLACE (-1)

struct host_option {
    struct option_place ipv4;
    struct option_place ipv6;
    bool is_for_both; /* a socket of IPv6 has it for its IPv4 traffic too */
    /* How the host writes the value; NULL: as it stands. */
    int (*encode)(int value);
    int (*decode)(int value);
    /* For values that are no number at the host; NULL: a number. */
    enum net_error (*set)(uv_os_sock_t sock, const struct option_place *place, int value);
};

/* For rows of a table: a place of neither family, and the same place for both. */
#define NOWHERE                                                                                    \
    {                                                                                              \
        NO_PLACE, 0                                                                                \
    }
#define EVERYWHERE(level, name) .ipv4 = {level, name}, .ipv6 = {level, name}

/* The rows in which hosts do not differ but in the numbers behind the names. */
#define OPTIONS_OF_ALL_HOSTS                                                                       \
    [NET_OPTION_BROADCAST] = {EVERYWHERE(SOL_SOCKET, SO_BROADCAST)},                               \
    [NET_OPTION_KEEP_ALIVE] = {EVERYWHERE(SOL_SOCKET, SO_KEEPALIVE)},                              \
    [NET_OPTION_KEEP_IDLE] = {EVERYWHERE(IPPROTO_TCP, TCP_KEEPIDLE)},                              \
    [NET_OPTION_KEEP_INTERVAL] = {EVERYWHERE(IPPROTO_TCP, TCP_KEEPINTVL)},                         \
    [NET_OPTION_KEEP_COUNT] = {EVERYWHERE(IPPROTO_TCP, TCP_KEEPCNT)},                              \
    [NET_OPTION_NO_DELAY] = {EVERYWHERE(IPPROTO_TCP, TCP_NODELAY)},                                \
    [NET_OPTION_HOP_LIMIT] = {.ipv4 = {IPPROTO_IP, IP_TTL},                                        \
                              .ipv6 = {IPPROTO_IPV6, IPV6_UNICAST_HOPS},                           \
                              .is_for_both = true},                                                \
    [NET_OPTION_TRAFFIC] = {.ipv4 = {IPPROTO_IP, IP_TOS},                                          \
                            .ipv6 = {IPPROTO_IPV6, IPV6_TCLASS},                                   \
                            .is_for_both = true},                                                  \
    [NET_OPTION_MULTICAST_HOP_LIMIT] = {.ipv4 = {IPPROTO_IP, IP_MULTICAST_TTL},                    \
                                        .ipv6 = {IPPROTO_IPV6, IPV6_MULTICAST_HOPS},               \
                                        .is_for_both = true},                                      \
    [NET_OPTION_MULTICAST_LOOP] = {.ipv4 = {IPPROTO_IP, IP_MULTICAST_LOOP},                        \
                                   .ipv6 = {IPPROTO_IPV6, IPV6_MULTICAST_LOOP},                    \
                                   .is_for_both = true},                                           \
    [NET_OPTION_RECEIVE_TRAFFIC] = {.ipv4 = {IPPROTO_IP, IP_RECVTOS},                              \
                                    .ipv6 = {IPPROTO_IPV6, IPV6_RECVTCLASS},                       \
                                    .is_for_both = true},                                          \
    [NET_OPTION_HEADER_INCLUDED] = {.ipv4 = {IPPROTO_IP, IP_HDRINCL},                              \
                                    .ipv6 = {IPPROTO_IPV6, IPV6_HDRINCL}}

/* The host's table. */
extern const struct host_option host_options[NET_OPTION_COUNT];

#endif
