#include "net/uv/address.h"

#include <string.h>

int address_to_host(const struct net_address *address, struct sockaddr_storage *host)
{
    if (address->family == NET_IPV4) {
        struct sockaddr_in *ipv4 = (struct sockaddr_in *)host;
        memset(ipv4, 0, sizeof(*ipv4));
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(address->port);
        memcpy(&ipv4->sin_addr, address->bytes, sizeof(ipv4->sin_addr));
        return (int)sizeof(*ipv4);
    }
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)host;
    memset(ipv6, 0, sizeof(*ipv6));
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons(address->port);
    ipv6->sin6_flowinfo = address->flow;
    ipv6->sin6_scope_id = address->scope;
    memcpy(&ipv6->sin6_addr, address->bytes, sizeof(ipv6->sin6_addr));
    return (int)sizeof(*ipv6);
}

bool address_from_host(const struct sockaddr_storage *host, struct net_address *address)
{
    memset(address, 0, sizeof(*address));
    if (host->ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)host;
        address->family = NET_IPV4;
        address->port = ntohs(ipv4->sin_port);
        memcpy(address->bytes, &ipv4->sin_addr, sizeof(ipv4->sin_addr));
        return true;
    }
    if (host->ss_family != AF_INET6) {
        return false;
    }
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)host;
    address->family = NET_IPV6;
    address->port = ntohs(ipv6->sin6_port);
    address->flow = ipv6->sin6_flowinfo;
    address->scope = ipv6->sin6_scope_id;
    memcpy(address->bytes, &ipv6->sin6_addr, sizeof(ipv6->sin6_addr));
    return true;
}

struct net_address address_from_ipv4(const struct in_addr *host)
{
    struct net_address address = {.family = NET_IPV4};
    memcpy(address.bytes, host, sizeof(*host));
    return address;
}

struct net_address address_from_ipv6(const struct in6_addr *host)
{
    struct net_address address = {.family = NET_IPV6};
    memcpy(address.bytes, host, sizeof(*host));
    return address;
}

bool address_is_ipv4(const struct net_address *address, struct in_addr *host)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (address->family == NET_IPV4) {
        memcpy(host, address->bytes, sizeof(*host));
        return true;
    }
    memcpy(host, address->bytes + sizeof(mapped), sizeof(*host));
    return memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
}

struct net_address address_unmapped(const struct net_address *address)
{
    struct in_addr host;
    return address_is_ipv4(address, &host) ? address_from_ipv4(&host) : *address;
}

bool address_is_multicast(const struct net_address *address)
{
    return address->family == NET_IPV4 ? address->bytes[0] >> 4 == 14 : address->bytes[0] == 0xff;
}

bool address_is_limited_broadcast(const struct net_address *address)
{
    static const uint8_t ones[4] = {0xff, 0xff, 0xff, 0xff};
    return address->family == NET_IPV4 && memcmp(address->bytes, ones, sizeof(ones)) == 0;
}
