#include "loopback/memory.h"

#include <stdlib.h>
#include <string.h>

static size_t length_of(const struct net_datagram *datagram)
{
    size_t length = 0;
    for (unsigned i = 0; i < datagram->count; i++) {
        length += datagram->buffers[i].length;
    }
    return length;
}

static struct packet *make_packet(const struct net_socket *socket,
                                  const struct net_datagram *datagram, size_t length)
{
    struct packet *packet = calloc(1, sizeof(*packet) + length);
    const struct net_control *control = &datagram->control;
    if (packet == NULL) {
        return NULL;
    }
    packet->from = memory_loopback(socket->family, socket->local.port);
    packet->to = datagram->address;
    packet->hop_limit = (control->present & NET_CONTROL_HOP_LIMIT) != 0
                            ? control->hop_limit
                            : socket->options[NET_OPTION_HOP_LIMIT];
    packet->traffic = (control->present & NET_CONTROL_TRAFFIC) != 0
                          ? control->traffic
                          : socket->options[NET_OPTION_TRAFFIC];
    for (unsigned i = 0; i < datagram->count; i++) {
        memcpy(packet->data + packet->length, datagram->buffers[i].base,
               datagram->buffers[i].length);
        packet->length += datagram->buffers[i].length;
    }
    return packet;
}

/* What nobody takes is lost. */
static enum net_error send_one(struct net_socket *socket, const struct net_datagram *datagram)
{
    size_t length = length_of(datagram);
    if (length > DATAGRAM_BYTES_MAX) {
        return NET_TOO_LONG;
    }
    if (!memory_bind_if_needed(socket)) {
        return NET_ADDRESS_IN_USE;
    }
    struct net_socket *to = memory_find(socket->net, NET_DATAGRAM, &datagram->address);
    if (to == NULL) {
        return NET_OK;
    }
    struct packet *packet = make_packet(socket, datagram, length);
    if (packet == NULL) {
        return NET_NO_MEMORY;
    }
    *to->packets_end = packet;
    to->packets_end = &packet->next;
    memory_notify(to);
    return NET_OK;
}

static size_t scatter(const struct packet *packet, const struct net_datagram *datagram)
{
    size_t moved = 0;
    for (unsigned i = 0; i < datagram->count; i++) {
        size_t left = packet->length - moved;
        size_t length = datagram->buffers[i].length < left ? datagram->buffers[i].length : left;
        memcpy(datagram->buffers[i].base, packet->data + moved, length);
        moved += length;
    }
    return moved;
}

static enum net_error receive_one(struct net_socket *socket, struct net_datagram *datagram)
{
    struct packet *packet = socket->packets;
    const int *options = socket->options;
    if (packet == NULL) {
        return NET_AGAIN;
    }
    datagram->address = packet->from;
    datagram->length = scatter(packet, datagram);
    datagram->flags = datagram->length < packet->length ? NET_TRUNCATED : 0;
    datagram->control = (struct net_control){.present = NET_CONTROL_PACKET,
                                             .packet = packet->to,
                                             .interface_index = 1,
                                             .hop_limit = packet->hop_limit,
                                             .traffic = packet->traffic};
    datagram->control.packet.port = 0;
    datagram->control.present |=
        (options[NET_OPTION_RECEIVE_HOP_LIMIT] != 0 ? (unsigned)NET_CONTROL_HOP_LIMIT : 0) |
        (options[NET_OPTION_RECEIVE_TRAFFIC] != 0 ? (unsigned)NET_CONTROL_TRAFFIC : 0);
    socket->packets = packet->next;
    if (socket->packets == NULL) {
        socket->packets_end = &socket->packets;
    }
    free(packet);
    return NET_OK;
}

enum net_error net_receive_datagrams(struct net_socket *socket, struct net_datagram *datagrams,
                                     unsigned count, unsigned *done)
{
    enum net_error error = NET_OK;
    *done = 0;
    base_mutex_lock(&socket->net->lock);
    while (*done < count && *done < NET_DATAGRAMS_MAX && error == NET_OK) {
        error = receive_one(socket, &datagrams[*done]);
        *done += error == NET_OK ? 1 : 0;
    }
    base_mutex_unlock(&socket->net->lock);
    return *done != 0 ? NET_OK : error;
}

enum net_error net_send_datagrams(struct net_socket *socket, const struct net_datagram *datagrams,
                                  unsigned count, unsigned *done)
{
    enum net_error error = NET_OK;
    *done = 0;
    base_mutex_lock(&socket->net->lock);
    while (*done < count && *done < NET_DATAGRAMS_MAX && error == NET_OK) {
        error = send_one(socket, &datagrams[*done]);
        *done += error == NET_OK ? 1 : 0;
    }
    base_mutex_unlock(&socket->net->lock);
    return *done != 0 ? NET_OK : error;
}

enum net_error net_unread(struct net_socket *socket, size_t *bytes)
{
    base_mutex_lock(&socket->net->lock);
    *bytes = socket->packets != NULL ? socket->packets->length : socket->length;
    base_mutex_unlock(&socket->net->lock);
    return NET_OK;
}

void memory_free_packets(struct net_socket *socket)
{
    while (socket->packets != NULL) {
        struct packet *packet = socket->packets;
        socket->packets = packet->next;
        free(packet);
    }
}
