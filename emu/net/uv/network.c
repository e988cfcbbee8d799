/* The network as a whole, and the machine it is on. */
#include "net/uv/address.h"
#include "net/uv/interface.h"
#include "net/uv/lookup.h"
#include "net/uv/loop.h"

#include <stdlib.h>
#include <string.h>

enum net_error net_open(struct net **out, unsigned loops, struct base_poller *pollers)
{
    if (loops == 0 || loops > NET_LOOPS_MAX) {
        return NET_INVALID;
    }
    struct net *net = calloc(1, sizeof(*net));
    if (net == NULL) {
        return NET_NO_MEMORY;
    }
    enum net_error error = NET_OK;
    while (net->count < loops && error == NET_OK) {
        error = loop_open(&net->loops[net->count], net, &pollers[net->count]);
        net->count += error == NET_OK ? 1 : 0;
    }
    if (error != NET_OK) {
        net_destroy(net);
        return error;
    }
    *out = net;
    return NET_OK;
}

void net_destroy(struct net *net)
{
    lookup_abandon_all(net);
    for (unsigned i = 0; i < net->count; i++) {
        loop_close(&net->loops[i]);
    }
    free(net);
}

static void store(const uv_interface_address_t *from, enum net_family family,
                  struct net_address *addresses, unsigned count, unsigned *total)
{
    struct sockaddr_storage host = {0};
    struct net_address address;
    memcpy(&host, &from->address, sizeof(from->address));
    if (!address_from_host(&host, &address) || address.family != family) {
        return;
    }
    if (*total < count) {
        addresses[*total] = address;
    }
    (*total)++;
}

enum net_error net_host_addresses(enum net_family family, struct net_address *addresses,
                                  unsigned count, unsigned *total)
{
    uv_interface_address_t *all;
    int length;
    *total = 0;
    if (uv_interface_addresses(&all, &length) != 0) {
        return NET_NO_MEMORY;
    }
    for (int loopback = 0; loopback <= 1; loopback++) {
        for (int i = 0; i < length; i++) {
            if (all[i].is_internal == loopback) {
                store(&all[i], family, addresses, count, total);
            }
        }
    }
    uv_free_interface_addresses(all, length);
    return NET_OK;
}

enum net_error net_interface_of(const struct net_address *address, uint32_t *index)
{
    uv_interface_address_t *all;
    int length;
    *index = 0;
    if (uv_interface_addresses(&all, &length) != 0) {
        return NET_NO_MEMORY;
    }
    for (int i = 0; i < length && *index == 0; i++) {
        struct net_address here;
        unsigned total = 0;
        store(&all[i], address->family, &here, 1, &total);
        if (total != 0 && memcmp(here.bytes, address->bytes, sizeof(here.bytes)) == 0) {
            *index = interface_index(all[i].name);
        }
    }
    uv_free_interface_addresses(all, length);
    return *index != 0 ? NET_OK : NET_ADDRESS_NOT_AVAILABLE;
}
