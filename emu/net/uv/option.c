/*
 * Setting and getting options, by the host's table.
 *
 * Some are kept here: sharing of an address is asked for at bind only; interfaces for sending can
 * be set at every host, but not every host tells them.
 */
#include "net/uv/option.h"

#include "net/uv/descriptor.h"
#include "net/uv/loop.h"

/* The host's row of an option; NULL if there is none. */
static const struct host_option *option_of_host(enum net_option option)
{
    return (unsigned)option < NET_OPTION_COUNT ? &host_options[option] : NULL;
}

static enum net_error set_at(uv_os_sock_t sock, const struct host_option *option,
                             const struct option_place *place, int value)
{
    if (place->level == NO_PLACE) {
        return NET_NOT_SUPPORTED;
    }
    if (option->set != NULL) {
        return option->set(sock, place, value);
    }
    int written = option->encode != NULL ? option->encode(value) : value;
    return descriptor_set(sock, place->level, place->name, &written, sizeof(written));
}

static enum net_error set_at_host(struct net_socket *socket, enum net_option option, int value)
{
    const struct host_option *host = option_of_host(option);
    if (host == NULL) {
        return NET_NOT_SUPPORTED;
    }
    if (socket->family == NET_IPV4) {
        return set_at(socket->sock, host, &host->ipv4, value);
    }
    enum net_error error = set_at(socket->sock, host, &host->ipv6, value);
    if (error == NET_OK && host->is_for_both) {
        set_at(socket->sock, host, &host->ipv4, value);
    }
    return error;
}

enum net_error net_set_option(struct net_socket *socket, enum net_option option, int value)
{
    if (option == NET_OPTION_ADDRESS_SHARED) {
        socket->is_shared = value != 0;
        return NET_OK;
    }
    enum net_error error = set_at_host(socket, option, value);
    if (error == NET_OK && option == NET_OPTION_MULTICAST_INTERFACE) {
        socket->multicast_interface = value;
    } else if (error == NET_OK && option == NET_OPTION_UNICAST_INTERFACE) {
        socket->unicast_interface = value;
    }
    return error;
}

enum net_error net_get_option(struct net_socket *socket, enum net_option option, int *value)
{
    if (option == NET_OPTION_ADDRESS_SHARED) {
        *value = socket->is_shared ? 1 : 0;
        return NET_OK;
    }
    if (option == NET_OPTION_MULTICAST_INTERFACE || option == NET_OPTION_UNICAST_INTERFACE) {
        *value = option == NET_OPTION_MULTICAST_INTERFACE ? socket->multicast_interface
                                                          : socket->unicast_interface;
        return NET_OK;
    }
    const struct host_option *host = option_of_host(option);
    if (host == NULL) {
        return NET_NOT_SUPPORTED;
    }
    const struct option_place *place = socket->family == NET_IPV4 ? &host->ipv4 : &host->ipv6;
    if (place->level == NO_PLACE) {
        return NET_NOT_SUPPORTED;
    }
    int read = 0;
    enum net_error error = descriptor_get(socket->sock, place->level, place->name, &read);
    *value = host->decode != NULL ? host->decode(read) : read;
    return error;
}
