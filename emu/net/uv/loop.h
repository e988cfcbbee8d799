/* The loops and their sockets. See loop.c. */
#ifndef NET_UV_LOOP_H
#define NET_UV_LOOP_H

#include "base/mutex.h"
#include "net/fifo.h"
#include "net/net.h"

#include <stdatomic.h>
#include <uv.h>

/* Lists that those who look for their mate are spread over. */
#define NET_SEEKERS 256

/* One loop; its poller's context. */
struct net_loop {
    struct net *net;
    struct base_poller *poller; /* what net_open filled; its owner's part is read from there */
    uv_loop_t loop;
    uv_async_t async;
    uv_timer_t timer;

    struct base_mutex lock; /* guards the four below and the sockets' fields of them */
    atomic_bool is_polling; /* a thread is, or is about to be, asleep in the loop; set under lock */
    bool is_kicked;
    struct net_fifo requests;                /* sockets whose watch shall change */
    struct net_fifo hints;                   /* sockets whose mate sent; see mate.c */
    struct net_socket *seekers[NET_SEEKERS]; /* by local port: sockets that look for their mate */

    atomic_uint watched; /* sockets that have, or ask for, a poll handle; and lookups */

    /* The leader's alone. */
    struct net_fifo ready; /* sockets to deliver for */
    uint64_t timer_ns;     /* what the timer is set for, while it is active */
    unsigned hinted;       /* polls in a row that were spared because of hints */
};

struct net {
    unsigned count;
    atomic_uint sockets;        /* ever made: they go to the loops in turn */
    struct net_lookup *lookups; /* guarded by the resolver's lock; see lookup.c */
    atomic_uint resolved;       /* how many of them have their result */
    struct net_loop loops[NET_LOOPS_MAX];
};

struct net_socket {
    struct net_loop *loop;
    uv_os_sock_t sock;
    enum net_family family;
    enum net_type type;
    bool is_connecting; /* begun, and nobody has learnt the result yet */
    bool has_remote;    /* it is or was connected, and remote says to whom */
    bool is_accepted;
    bool is_full;   /* the last send left some of it, and none was tried since */
    bool has_local; /* local is known: it connected over the loopback */
    struct net_address local;
    struct net_address remote;
    enum net_error broken;   /* what ended a connection that was only just established */
    bool is_shared;          /* NET_OPTION_ADDRESS_SHARED */
    int multicast_interface; /* as set: not every host tells */
    int unicast_interface;
    struct net_callbacks callbacks;
    void *context;

    atomic_uint wanted;
    atomic_uint armed;       /* what libuv watches for; the leader changes it */
    atomic_bool is_told;     /* something was, since the last receive */
    atomic_bool has_hung_up; /* the end may stand behind what is unread */
    unsigned misses;         /* receives in a row that followed another at once and were in vain */
    unsigned spared;         /* such that were not tried */

    /* Guarded by loop->lock. */
    bool is_watched; /* counted in loop->watched */
    bool is_closing;
    bool is_abortive;
    struct net_link request;           /* in loop->requests */
    struct net_link hint;              /* in loop->hints */
    _Atomic(struct net_socket *) mate; /* the other end, a socket of the same loop; or NULL */
    bool is_seeking;                   /* stands in loop->seekers */
    struct net_socket *next_seeker;

    /* The leader's alone. */
    uv_poll_t poll;
    bool has_poll;
    int polled;     /* what libuv was told for it */
    bool is_broken; /* an error has disarmed it */
    bool is_closed;
    unsigned ready_events;
    struct net_link ready; /* in loop->ready */
};

/* Makes the loop and fills its poller. */
enum net_error loop_open(struct net_loop *loop, struct net *net, struct base_poller *poller);

/* Carries out what is left, delivers the last on_closed and ends the loop. Nobody polls. */
void loop_close(struct net_loop *loop);

/* Ends the current poll or the next one. Any thread. */
void loop_kick(struct net_loop *loop);

/* Counts something that is to be watched, or no longer; wakes whoever shall lead then. */
void loop_watch(struct net_loop *loop);
void loop_unwatch(struct net_loop *loop);

#endif
