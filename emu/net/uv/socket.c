#include "net/uv/descriptor.h"
#include "net/uv/loop.h"
#include "net/uv/mate.h"

#include <stdlib.h>

/*
 * The calls of net.h on one socket: in place, never blocking.
 *
 * A receive that follows another at once most often finds nothing, and costs a system call. It is
 * spared if those before it were in vain: it returns NET_AGAIN untried, and whoever then wants to
 * read is told as soon as there is something, even if it was there already. It is tried all the
 * same when the loop has told anything since the last one; after the peer has hung up, which is
 * told but once; and now and then, to learn whether data now comes faster than it is read.
 */

/* Receives in a row that were in vain before one is spared, and how many until one is tried. */
#define MISSES 2
#define SPARED_MAX 16

static enum net_error wrap(struct net *net, uv_os_sock_t sock, enum net_family family,
                           enum net_type type, const struct net_callbacks *callbacks, void *context,
                           struct net_socket **out)
{
    struct net_socket *socket = calloc(1, sizeof(*socket));
    if (socket == NULL) {
        descriptor_close(sock, true);
        return NET_NO_MEMORY;
    }
    socket->loop = &net->loops[atomic_fetch_add(&net->sockets, 1) % net->count];
    socket->sock = sock;
    socket->family = family;
    socket->type = type;
    socket->callbacks = *callbacks;
    socket->context = context;
    *out = socket;
    return NET_OK;
}

enum net_error net_socket_open(struct net *net, enum net_family family, enum net_type type,
                               int protocol, const struct net_callbacks *callbacks, void *context,
                               struct net_socket **socket)
{
    uv_os_sock_t sock;
    enum net_error error = descriptor_open(family, type, protocol, &sock);
    return error != NET_OK ? error : wrap(net, sock, family, type, callbacks, context, socket);
}

enum net_error net_accept(struct net_socket *listener, const struct net_callbacks *callbacks,
                          void *context, struct net_socket **accepted)
{
    uv_os_sock_t sock;
    struct net_address remote = {.family = listener->family};
    enum net_error error = descriptor_accept(listener->sock, &sock, &remote);
    if (error == NET_OK) {
        error = wrap(listener->loop->net, sock, listener->family, listener->type, callbacks,
                     context, accepted);
    }
    if (error == NET_OK) {
        (*accepted)->has_remote = true;
        (*accepted)->is_accepted = true;
        (*accepted)->remote = remote;
        mate_find(*accepted);
    }
    return error;
}

enum net_error net_bind(struct net_socket *socket, const struct net_address *address)
{
    return descriptor_bind(socket->sock, socket->type, address, socket->is_shared);
}

enum net_error net_listen(struct net_socket *socket, int backlog)
{
    return descriptor_listen(socket->sock, backlog);
}

/* Nobody is connected to it, and the host may choose another address for it. */
static void forget_mate(struct net_socket *socket)
{
    base_mutex_lock(&socket->loop->lock);
    mate_part(socket);
    base_mutex_unlock(&socket->loop->lock);
    socket->has_local = false;
}

enum net_error net_connect(struct net_socket *socket, const struct net_address *address)
{
    socket->is_connecting = socket->type == NET_STREAM;
    socket->remote = *address;
    if (socket->is_connecting) {
        mate_seek(socket);
    }
    enum net_error error = descriptor_connect(socket->sock, address);
    if (error != NET_OK && error != NET_AGAIN) {
        forget_mate(socket);
    }
    return error;
}

/* A connect is refused, not reset: one that was reset had succeeded before. */
static enum net_error connect_result(struct net_socket *socket, enum net_error error)
{
    if (error == NET_OK) {
        error = descriptor_connected(socket->sock);
    }
    if (error == NET_AGAIN) {
        return NET_OK; /* not yet */
    }
    bool was_reset = error == NET_RESET;
    socket->is_connecting = false;
    if (error != NET_OK) {
        forget_mate(socket);
    }
    socket->has_remote = was_reset || error == NET_OK;
    socket->broken = was_reset ? error : NET_OK;
    return was_reset ? NET_OK : error;
}

enum net_error net_error_of(struct net_socket *socket)
{
    enum net_error error = descriptor_error(socket->sock);
    if (socket->is_connecting) {
        return connect_result(socket, error);
    }
    return socket->broken != NET_OK ? socket->broken : error;
}

/* Whether the receive follows another, with nothing told in between that might have changed. */
static bool follows_at_once(struct net_socket *socket)
{
    return !atomic_load_explicit(&socket->is_told, memory_order_relaxed) &&
           !atomic_load_explicit(&socket->has_hung_up, memory_order_relaxed);
}

enum net_error net_receive(struct net_socket *socket, const struct net_buffer *buffers,
                           unsigned count, size_t *moved)
{
    if (socket->broken != NET_OK) {
        return socket->broken;
    }
    bool is_doubtful = follows_at_once(socket);
    if (is_doubtful && socket->misses >= MISSES && ++socket->spared % SPARED_MAX != 0) {
        *moved = 0;
        return NET_AGAIN;
    }
    atomic_store_explicit(&socket->is_told, false, memory_order_relaxed);
    enum net_error error = descriptor_receive(socket->sock, buffers, count, moved);
    if (is_doubtful) {
        socket->misses = error == NET_AGAIN ? socket->misses + 1 : 0;
    }
    return error;
}

static size_t total_of(const struct net_buffer *buffers, unsigned count)
{
    size_t total = 0;
    for (unsigned i = 0; i < count; i++) {
        total += buffers[i].length;
    }
    return total;
}

/* A send that follows one which left something would find no room: it is spared, once. */
enum net_error net_send(struct net_socket *socket, const struct net_buffer *buffers, unsigned count,
                        size_t *moved)
{
    if (socket->broken != NET_OK) {
        return socket->broken;
    }
    if (socket->is_full) {
        socket->is_full = false;
        *moved = 0;
        return NET_AGAIN;
    }
    enum net_error error = descriptor_send(socket->sock, buffers, count, moved);
    if (error == NET_OK) {
        socket->is_full = *moved < total_of(buffers, count);
        mate_hint(socket);
    }
    return error;
}

static unsigned at_most(unsigned count)
{
    return count < NET_DATAGRAMS_MAX ? count : NET_DATAGRAMS_MAX;
}

enum net_error net_receive_datagrams(struct net_socket *socket, struct net_datagram *datagrams,
                                     unsigned count, unsigned *done)
{
    return descriptor_receive_datagrams(socket->sock, datagrams, at_most(count), done);
}

enum net_error net_send_datagrams(struct net_socket *socket, const struct net_datagram *datagrams,
                                  unsigned count, unsigned *done)
{
    return descriptor_send_datagrams(socket->sock, datagrams, at_most(count), done);
}

enum net_error net_unread(struct net_socket *socket, size_t *bytes)
{
    return descriptor_unread(socket->sock, bytes);
}

enum net_error net_shutdown_send(struct net_socket *socket)
{
    return descriptor_shutdown_send(socket->sock);
}

enum net_error net_local_address(struct net_socket *socket, struct net_address *address)
{
    if (socket->has_local) {
        *address = socket->local;
        return NET_OK;
    }
    return descriptor_local(socket->sock, address);
}

enum net_error net_remote_address(struct net_socket *socket, struct net_address *address)
{
    if (socket->is_accepted) {
        *address = socket->remote;
        return NET_OK;
    }
    enum net_error error = descriptor_remote(socket->sock, address);
    if (error != NET_OK && socket->has_remote) {
        *address = socket->remote; /* the host forgets it when the peer resets */
        return NET_OK;
    }
    return error;
}
