/* Translation between net_address and the host's sockaddr. */
#ifndef NET_UV_ADDRESS_H
#define NET_UV_ADDRESS_H

#include "net/net.h"

#include <uv.h>

/* Fills *host and returns its length. */
int address_to_host(const struct net_address *address, struct sockaddr_storage *host);

/* False for a family that is neither IPv4 nor IPv6. */
bool address_from_host(const struct sockaddr_storage *host, struct net_address *address);

#endif
