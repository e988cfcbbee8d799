#include "loopback/memory.h"

#include <stdlib.h>
#include <string.h>

unsigned memory_events(const struct net_socket *socket)
{
    unsigned events = 0;
    bool is_over = socket->is_ended || socket->is_reset;
    if (socket->type == NET_DATAGRAM) {
        return NET_WRITABLE | (socket->packets != NULL ? (unsigned)NET_READABLE : 0);
    }
    if (socket->backlog != NULL || socket->length != 0 || is_over) {
        events |= NET_READABLE;
    }
    if (socket->is_connected && (socket->peer == NULL || socket->peer->length < STREAM_BYTES)) {
        events |= NET_WRITABLE;
    }
    return events | (is_over ? (unsigned)NET_HUNG_UP : 0);
}

enum net_error net_listen(struct net_socket *socket, int backlog)
{
    (void)backlog;
    base_mutex_lock(&socket->net->lock);
    bool is_bound = memory_bind_if_needed(socket);
    socket->is_listening = is_bound;
    base_mutex_unlock(&socket->net->lock);
    return is_bound ? NET_OK : NET_ADDRESS_IN_USE;
}

static void become(struct net_socket *socket, struct net_socket *peer)
{
    socket->peer = peer;
    socket->is_connected = true;
    socket->remote = peer->local;
}

static enum net_error meet(struct net_socket *socket, struct net_socket *listener)
{
    struct net_socket *other = memory_socket(socket->net, socket->family, NET_STREAM);
    if (other == NULL) {
        return NET_NO_MEMORY;
    }
    other->stream = malloc(STREAM_BYTES);
    socket->stream = malloc(STREAM_BYTES);
    other->is_bound = true;
    other->local = memory_loopback(socket->family, listener->local.port);
    socket->local = memory_loopback(socket->family, socket->local.port);
    become(socket, other);
    become(other, socket);
    struct net_socket **link = &listener->backlog;
    while (*link != NULL) {
        link = &(*link)->next_in_backlog;
    }
    *link = other;
    memory_notify(listener);
    return NET_OK;
}

enum net_error net_connect(struct net_socket *socket, const struct net_address *address)
{
    enum net_error error = NET_REFUSED;
    base_mutex_lock(&socket->net->lock);
    struct net_socket *listener = memory_find(socket->net, NET_STREAM, address);
    if (!memory_bind_if_needed(socket)) {
        error = NET_ADDRESS_IN_USE;
    } else if (listener != NULL && listener->is_listening) {
        error = meet(socket, listener);
    }
    base_mutex_unlock(&socket->net->lock);
    return error;
}

enum net_error net_accept(struct net_socket *listener, const struct net_callbacks *callbacks,
                          void *context, struct net_socket **accepted)
{
    base_mutex_lock(&listener->net->lock);
    struct net_socket *socket = listener->backlog;
    if (socket != NULL) {
        listener->backlog = socket->next_in_backlog;
        socket->callbacks = *callbacks;
        socket->context = context;
        *accepted = socket;
    }
    base_mutex_unlock(&listener->net->lock);
    return socket != NULL ? NET_OK : NET_AGAIN;
}

enum net_error net_error_of(struct net_socket *socket)
{
    base_mutex_lock(&socket->net->lock);
    bool is_reset = socket->is_reset;
    base_mutex_unlock(&socket->net->lock);
    return is_reset ? NET_RESET : NET_OK;
}

static size_t take(struct net_socket *socket, unsigned char *data, size_t length)
{
    size_t moved = 0;
    while (moved < length && socket->length != 0) {
        data[moved++] = socket->stream[socket->start];
        socket->start = (socket->start + 1) % STREAM_BYTES;
        socket->length--;
    }
    return moved;
}

static size_t put(struct net_socket *socket, const unsigned char *data, size_t length)
{
    size_t moved = 0;
    while (moved < length && socket->length < STREAM_BYTES) {
        socket->stream[(socket->start + socket->length++) % STREAM_BYTES] = data[moved++];
    }
    return moved;
}

static enum net_error receive(struct net_socket *socket, const struct net_buffer *buffers,
                              unsigned count, size_t *moved)
{
    if (!socket->is_connected) {
        return NET_NOT_CONNECTED;
    }
    if (socket->length == 0) {
        return socket->is_reset ? NET_RESET : socket->is_ended ? NET_OK : NET_AGAIN;
    }
    for (unsigned i = 0; i < count; i++) {
        *moved += take(socket, buffers[i].base, buffers[i].length);
    }
    if (socket->peer != NULL) {
        memory_notify(socket->peer);
    }
    return NET_OK;
}

static enum net_error send(struct net_socket *socket, const struct net_buffer *buffers,
                           unsigned count, size_t *moved)
{
    struct net_socket *peer = socket->peer;
    if (!socket->is_connected) {
        return NET_NOT_CONNECTED;
    }
    if (socket->is_shut || peer == NULL) {
        return socket->is_shut ? NET_SHUT_DOWN : NET_RESET;
    }
    if (peer->length == STREAM_BYTES) {
        return NET_AGAIN;
    }
    for (unsigned i = 0; i < count; i++) {
        *moved += put(peer, buffers[i].base, buffers[i].length);
    }
    memory_notify(peer);
    return NET_OK;
}

enum net_error net_receive(struct net_socket *socket, const struct net_buffer *buffers,
                           unsigned count, size_t *moved)
{
    *moved = 0;
    base_mutex_lock(&socket->net->lock);
    enum net_error error = receive(socket, buffers, count, moved);
    base_mutex_unlock(&socket->net->lock);
    return error;
}

enum net_error net_send(struct net_socket *socket, const struct net_buffer *buffers, unsigned count,
                        size_t *moved)
{
    *moved = 0;
    base_mutex_lock(&socket->net->lock);
    enum net_error error = send(socket, buffers, count, moved);
    base_mutex_unlock(&socket->net->lock);
    return error;
}

enum net_error net_shutdown_send(struct net_socket *socket)
{
    base_mutex_lock(&socket->net->lock);
    bool is_connected = socket->is_connected;
    socket->is_shut = is_connected;
    if (socket->peer != NULL) {
        socket->peer->is_ended = true;
        memory_notify(socket->peer);
    }
    base_mutex_unlock(&socket->net->lock);
    return is_connected ? NET_OK : NET_NOT_CONNECTED;
}

static void leave_peer(struct net_socket *socket, bool is_abortive)
{
    struct net_socket *peer = socket->peer;
    if (peer == NULL) {
        return;
    }
    socket->peer = NULL;
    peer->peer = NULL;
    peer->is_ended = true;
    peer->is_reset = is_abortive;
    peer->length = is_abortive ? 0 : peer->length;
    memory_notify(peer);
}

static void ignore_closed(void *context)
{
    (void)context;
}

/* Connections that nobody accepted go with their listener. */
void memory_disconnect(struct net_socket *socket, bool is_abortive)
{
    leave_peer(socket, is_abortive);
    while (socket->backlog != NULL) {
        struct net_socket *waiting = socket->backlog;
        socket->backlog = waiting->next_in_backlog;
        leave_peer(waiting, true);
        waiting->callbacks.on_closed = ignore_closed;
        waiting->is_closing = true;
        waiting->is_watched = true;
        waiting->loop->watched++;
        memory_notify(waiting);
    }
}
