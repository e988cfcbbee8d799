#include "ke/warning.h"
#include "verifier/once.h"
#include "wsk/wsk.h"

#include <string.h>

/* Addresses: Windows' structures and the network's. */

static USHORT swap(USHORT value)
{
    return (USHORT)((value << 8) | (value >> 8));
}

bool wsk_address_from(const SOCKADDR *sockaddr, struct net_address *address)
{
    RtlZeroMemory(address, sizeof(*address));
    if (sockaddr->sa_family == AF_INET) {
        const SOCKADDR_IN *ipv4 = (const SOCKADDR_IN *)sockaddr;
        address->family = NET_IPV4;
        address->port = swap(ipv4->sin_port);
        RtlCopyMemory(address->bytes, &ipv4->sin_addr, sizeof(ipv4->sin_addr));
        return true;
    }
    if (sockaddr->sa_family != AF_INET6) {
        return false;
    }
    const SOCKADDR_IN6 *ipv6 = (const SOCKADDR_IN6 *)sockaddr;
    address->family = NET_IPV6;
    address->port = swap(ipv6->sin6_port);
    address->flow = ipv6->sin6_flowinfo;
    address->scope = ipv6->sin6_scope_id;
    RtlCopyMemory(address->bytes, &ipv6->sin6_addr, sizeof(ipv6->sin6_addr));
    return true;
}

void wsk_address_to(const struct net_address *address, SOCKADDR *sockaddr)
{
    if (address->family == NET_IPV4) {
        SOCKADDR_IN *ipv4 = (SOCKADDR_IN *)sockaddr;
        RtlZeroMemory(ipv4, sizeof(*ipv4));
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = swap(address->port);
        RtlCopyMemory(&ipv4->sin_addr, address->bytes, sizeof(ipv4->sin_addr));
        return;
    }
    SOCKADDR_IN6 *ipv6 = (SOCKADDR_IN6 *)sockaddr;
    RtlZeroMemory(ipv6, sizeof(*ipv6));
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = swap(address->port);
    ipv6->sin6_flowinfo = address->flow;
    ipv6->sin6_scope_id = address->scope;
    RtlCopyMemory(&ipv6->sin6_addr, address->bytes, sizeof(ipv6->sin6_addr));
}

enum net_family wsk_net_family(ADDRESS_FAMILY family)
{
    return family == AF_INET ? NET_IPV4 : NET_IPV6;
}

NTSTATUS wsk_address_of(const struct wsk_socket *socket, const SOCKADDR *sockaddr,
                        struct net_address *address)
{
    bool is_right = sockaddr != NULL && sockaddr->sa_family == socket->family &&
                    wsk_address_from(sockaddr, address);
    return is_right ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

void wsk_address_warn(const char *rule, const char *function, const struct wsk_socket *socket,
                      const SOCKADDR *sockaddr)
{
    if (!verifier_speaks_first(rule, socket)) {
        return;
    }
    if (sockaddr == NULL) {
        ke_warning(rule, "%s was called without an address", function);
        return;
    }
    ke_warning(rule, "%s was given an address of family %u for a socket of family %u", function,
               (unsigned)sockaddr->sa_family, (unsigned)socket->family);
}

bool wsk_address_is_wildcard(const struct net_address *address)
{
    static const uint8_t zeros[16];
    size_t length = address->family == NET_IPV4 ? 4 : sizeof(zeros);
    return memcmp(address->bytes, zeros, length) == 0;
}

NTSTATUS wsk_status(enum net_error error)
{
    static const NTSTATUS statuses[] = {
        [NET_OK] = STATUS_SUCCESS,
        [NET_AGAIN] = STATUS_PENDING,
        [NET_NO_MEMORY] = STATUS_INSUFFICIENT_RESOURCES,
        [NET_ADDRESS_IN_USE] = STATUS_ADDRESS_ALREADY_EXISTS,
        [NET_ADDRESS_NOT_AVAILABLE] = STATUS_INVALID_ADDRESS_COMPONENT,
        [NET_ACCESS_DENIED] = STATUS_ACCESS_DENIED,
        [NET_REFUSED] = STATUS_CONNECTION_REFUSED,
        [NET_RESET] = STATUS_CONNECTION_RESET,
        [NET_ABORTED] = STATUS_CONNECTION_ABORTED,
        [NET_TIMED_OUT] = STATUS_IO_TIMEOUT,
        [NET_UNREACHABLE_NETWORK] = STATUS_NETWORK_UNREACHABLE,
        [NET_UNREACHABLE_HOST] = STATUS_HOST_UNREACHABLE,
        [NET_NOT_CONNECTED] = STATUS_INVALID_DEVICE_STATE,
        [NET_SHUT_DOWN] = STATUS_CONNECTION_DISCONNECTED,
        [NET_TOO_MANY] = STATUS_INSUFFICIENT_RESOURCES,
        [NET_TOO_LONG] = STATUS_INVALID_BUFFER_SIZE,
        [NET_NOT_FOUND] = STATUS_NOT_FOUND,
        [NET_NOT_SUPPORTED] = STATUS_NOT_SUPPORTED,
        [NET_INVALID] = STATUS_INVALID_PARAMETER,
    };
    return statuses[error];
}
