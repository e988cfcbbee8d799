/* Translation between net_address and the host's sockaddr. */
#ifndef NET_UV_ADDRESS_H
#define NET_UV_ADDRESS_H

#include "net/net.h"

#include <uv.h>

/* Fills *host and returns its length. */
int address_to_host(const struct net_address *address, struct sockaddr_storage *host);

/* False for a family that is neither IPv4 nor IPv6. */
bool address_from_host(const struct sockaddr_storage *host, struct net_address *address);

/* An address without a port from the host's in_addr and in6_addr. */
struct net_address address_from_ipv4(const struct in_addr *host);
struct net_address address_from_ipv6(const struct in6_addr *host);

/* Whether it is IPv4, or IPv4 in the form of IPv6; stores the four bytes. */
bool address_is_ipv4(const struct net_address *address, struct in_addr *host);

/* An address without a port; IPv4 in the form of IPv6 becomes IPv4. */
struct net_address address_unmapped(const struct net_address *address);

bool address_is_multicast(const struct net_address *address);

/* 255.255.255.255 */
bool address_is_limited_broadcast(const struct net_address *address);

#endif
