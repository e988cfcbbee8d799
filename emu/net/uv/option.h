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

/* The host's row of an option; NULL if the host has none. */
const struct host_option *option_of_host(enum net_option option);

#endif
