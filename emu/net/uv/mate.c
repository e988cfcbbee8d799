/*
 * Two ends of one connection that are both sockets of one loop: mates.
 *
 * What one sends over the loopback is with the other before the call returns, so the host need not
 * be asked whether that one may read: a hint says so, and the next poll puts it on the ready list
 * and does not ask. Hints are given only while nobody polls; whoever polls is told by the host.
 *
 * A hint is no more than that: if there is nothing to read after all, the receive was in vain, and
 * the host tells of it later. So it does not matter either if two sockets are taken for mates that
 * are not, as the ends of two connections with one local address would be.
 *
 * Who connects over the loopback stands in the loop's table, by its local port, until whoever
 * accepts it finds it there by the peer's address. All is guarded by the loop's lock.
 */
#include "net/uv/mate.h"

#include "net/uv/descriptor.h"

#include <string.h>

static bool is_loopback(const struct net_address *address)
{
    static const uint8_t ipv6[16] = {[15] = 1};
    return address->family == NET_IPV4 ? address->bytes[0] == 127
                                       : memcmp(address->bytes, ipv6, sizeof(ipv6)) == 0;
}

static struct net_socket **bucket_of(struct net_loop *loop, uint16_t port)
{
    return &loop->seekers[port % NET_SEEKERS];
}

static bool is_any(const struct net_address *address)
{
    static const uint8_t any[16];
    return memcmp(address->bytes, any, sizeof(any)) == 0;
}

/* Before it connects: whoever accepts it may be another thread. */
void mate_seek(struct net_socket *socket)
{
    struct net_loop *loop = socket->loop;
    if (!is_loopback(&socket->remote) || descriptor_local(socket->sock, &socket->local) != NET_OK ||
        socket->local.port == 0) {
        return;
    }
    socket->has_local = !is_any(&socket->local);
    base_mutex_lock(&loop->lock);
    struct net_socket **bucket = bucket_of(loop, socket->local.port);
    socket->is_seeking = true;
    socket->next_seeker = *bucket;
    *bucket = socket;
    base_mutex_unlock(&loop->lock);
}

static void stop_seeking(struct net_socket *socket)
{
    struct net_socket **place = bucket_of(socket->loop, socket->local.port);
    while (*place != socket) {
        place = &(*place)->next_seeker;
    }
    *place = socket->next_seeker;
    socket->is_seeking = false;
}

static bool has_address(const struct net_socket *seeker, const struct net_address *address)
{
    const struct net_address *local = &seeker->local;
    return local->port == address->port && local->family == address->family &&
           (!seeker->has_local || memcmp(local->bytes, address->bytes, sizeof(local->bytes)) == 0);
}

void mate_find(struct net_socket *accepted)
{
    struct net_loop *loop = accepted->loop;
    if (!is_loopback(&accepted->remote)) {
        return;
    }
    base_mutex_lock(&loop->lock);
    struct net_socket *seeker = *bucket_of(loop, accepted->remote.port);
    while (seeker != NULL && !has_address(seeker, &accepted->remote)) {
        seeker = seeker->next_seeker;
    }
    if (seeker != NULL) {
        stop_seeking(seeker);
        atomic_store(&seeker->mate, accepted);
        atomic_store(&accepted->mate, seeker);
    }
    base_mutex_unlock(&loop->lock);
}

void mate_part(struct net_socket *socket)
{
    struct net_socket *mate = atomic_load(&socket->mate);
    if (socket->is_seeking) {
        stop_seeking(socket);
    }
    if (mate != NULL) {
        atomic_store(&mate->mate, NULL);
        atomic_store(&socket->mate, NULL);
    }
}

/* Whether the socket would be told of something to read. The lock is held. */
static bool wants_hint(const struct net_socket *socket)
{
    return socket->is_watched && !socket->is_closing &&
           (atomic_load(&socket->wanted) & NET_READABLE) != 0;
}

void mate_give_hint(struct net_socket *socket)
{
    struct net_loop *loop = socket->loop;
    if (atomic_load_explicit(&loop->is_polling, memory_order_relaxed)) {
        return; /* or it was until just now, and polls again without a hint */
    }
    base_mutex_lock(&loop->lock);
    struct net_socket *mate = atomic_load(&socket->mate);
    if (mate != NULL && !atomic_load(&loop->is_polling) && wants_hint(mate)) {
        net_fifo_append(&loop->hints, &mate->hint);
    }
    base_mutex_unlock(&loop->lock);
}

void mate_take_hints(struct net_loop *loop)
{
    struct net_socket *socket;
    while ((socket = NET_OF_LINK(net_fifo_take(&loop->hints), struct net_socket, hint)) != NULL) {
        if (wants_hint(socket)) {
            atomic_store_explicit(&socket->is_told, true, memory_order_relaxed);
            socket->ready_events |= NET_READABLE;
            net_fifo_append(&loop->ready, &socket->ready);
        }
    }
}
