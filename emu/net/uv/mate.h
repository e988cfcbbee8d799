/* Two ends of one connection that are both sockets here. See mate.c. */
#ifndef NET_UV_MATE_H
#define NET_UV_MATE_H

#include "net/uv/loop.h"

/* The socket connects: if over the loopback, whoever accepts it may find it. */
void mate_seek(struct net_socket *socket);

/* The socket was accepted: looks for the one that connected. */
void mate_find(struct net_socket *accepted);

/* The socket closes, or failed to connect. The loop's lock is held. */
void mate_part(struct net_socket *socket);

/* Puts on the ready list whom hints are for. The leader's; the loop's lock is held. */
void mate_take_hints(struct net_loop *loop);

void mate_give_hint(struct net_socket *socket);

/* The socket sent something. */
static inline void mate_hint(struct net_socket *socket)
{
    if (atomic_load_explicit(&socket->mate, memory_order_relaxed) != NULL) {
        mate_give_hint(socket);
    }
}

#endif
