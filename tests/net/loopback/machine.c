#include "loopback/memory.h"

#include <string.h>

enum net_error net_set_option(struct net_socket *socket, enum net_option option, int value)
{
    if (option == NET_OPTION_IPV6_ONLY && (socket->family == NET_IPV4 || value == 0)) {
        return NET_NOT_SUPPORTED;
    }
    base_mutex_lock(&socket->net->lock);
    socket->options[option] = value;
    base_mutex_unlock(&socket->net->lock);
    return NET_OK;
}

enum net_error net_get_option(struct net_socket *socket, enum net_option option, int *value)
{
    base_mutex_lock(&socket->net->lock);
    *value = socket->options[option];
    base_mutex_unlock(&socket->net->lock);
    return NET_OK;
}

enum net_error net_set_membership(struct net_socket *socket, bool is_join,
                                  const struct net_address *group, const struct net_address *source,
                                  uint32_t interface_index)
{
    (void)socket;
    (void)is_join;
    (void)group;
    (void)source;
    (void)interface_index;
    return NET_NOT_SUPPORTED;
}

enum net_error net_host_addresses(enum net_family family, struct net_address *addresses,
                                  unsigned count, unsigned *total)
{
    *total = 1;
    if (count != 0) {
        addresses[0] = memory_loopback(family, 0);
    }
    return NET_OK;
}

enum net_error net_interface_of(const struct net_address *address, uint32_t *index)
{
    struct net_address local = memory_loopback(address->family, 0);
    *index = 1;
    return memcmp(local.bytes, address->bytes, sizeof(local.bytes)) == 0
               ? NET_OK
               : NET_ADDRESS_NOT_AVAILABLE;
}
