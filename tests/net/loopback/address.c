#include "loopback/memory.h"

#include <string.h>

static bool is_any(const struct net_address *address)
{
    static const uint8_t zero[16];
    return memcmp(address->bytes, zero, sizeof(zero)) == 0;
}

static bool is_at(const struct net_socket *socket, const struct net_address *address)
{
    return socket->is_bound && !socket->is_closing && socket->family == address->family &&
           socket->local.port == address->port;
}

static bool is_same(const struct net_address *one, const struct net_address *other)
{
    return memcmp(one->bytes, other->bytes, sizeof(one->bytes)) == 0;
}

struct net_address memory_loopback(enum net_family family, uint16_t port)
{
    struct net_address address = {.family = family, .port = port};
    address.bytes[0] = family == NET_IPV4 ? 127 : 0;
    address.bytes[family == NET_IPV4 ? 3 : 15] = 1;
    return address;
}

/* The specific goes before the wildcard. A connection is found by its peer only. */
struct net_socket *memory_find(struct net *net, enum net_type type, const struct net_address *to)
{
    struct net_socket *found = NULL;
    for (struct net_socket *socket = net->sockets; socket != NULL; socket = socket->next) {
        bool is_candidate = is_at(socket, to) && socket->type == type && !socket->is_connected;
        if (is_candidate && is_same(&socket->local, to)) {
            return socket;
        }
        if (is_candidate && is_any(&socket->local)) {
            found = socket;
        }
    }
    return found;
}

static bool conflicts(const struct net_socket *socket, const struct net_address *address)
{
    for (const struct net_socket *other = socket->net->sockets; other != NULL;
         other = other->next) {
        bool is_sharing = socket->options[NET_OPTION_ADDRESS_SHARED] != 0;
        if (is_at(other, address) && other->type == socket->type && !other->is_connected &&
            !is_sharing) {
            return true;
        }
    }
    return false;
}

static enum net_error bind_to(struct net_socket *socket, const struct net_address *address)
{
    struct net_address chosen = *address;
    struct net_address local = memory_loopback(socket->family, address->port);
    if (socket->is_bound || address->family != socket->family) {
        return NET_INVALID;
    }
    if (!is_any(address) && !is_same(address, &local)) {
        return NET_ADDRESS_NOT_AVAILABLE;
    }
    if (address->port != 0 && conflicts(socket, address)) {
        return NET_ADDRESS_IN_USE;
    }
    while (chosen.port == 0) {
        socket->net->port = (uint16_t)(socket->net->port < 49152 ? 49152 : socket->net->port + 1);
        chosen.port = socket->net->port;
        chosen.port = conflicts(socket, &chosen) ? 0 : chosen.port;
    }
    socket->local = chosen;
    socket->is_bound = true;
    return NET_OK;
}

bool memory_bind_if_needed(struct net_socket *socket)
{
    struct net_address address = {.family = socket->family};
    return socket->is_bound || bind_to(socket, &address) == NET_OK;
}

enum net_error net_bind(struct net_socket *socket, const struct net_address *address)
{
    base_mutex_lock(&socket->net->lock);
    enum net_error error = bind_to(socket, address);
    base_mutex_unlock(&socket->net->lock);
    return error;
}

enum net_error net_local_address(struct net_socket *socket, struct net_address *address)
{
    base_mutex_lock(&socket->net->lock);
    *address = socket->local;
    base_mutex_unlock(&socket->net->lock);
    return NET_OK;
}

enum net_error net_remote_address(struct net_socket *socket, struct net_address *address)
{
    base_mutex_lock(&socket->net->lock);
    bool is_connected = socket->is_connected;
    *address = socket->remote;
    base_mutex_unlock(&socket->net->lock);
    return is_connected ? NET_OK : NET_NOT_CONNECTED;
}
