/* The loop and its sockets. See loop.c. */
#ifndef NET_UV_LOOP_H
#define NET_UV_LOOP_H

#include "base/mutex.h"
#include "net/net.h"

#include <uv.h>

struct net {
    uv_loop_t loop;
    uv_async_t async;
    uv_timer_t timer;

    struct base_mutex lock; /* guards the five below and each socket's wanted and request fields */
    bool is_polling;        /* a thread is, or is about to be, asleep in the loop */
    bool is_kicked;
    struct net_socket *requests; /* sockets whose watch shall change */
    struct net_socket *requests_last;
    unsigned watched; /* sockets that have, or ask for, a poll handle */

    /* The leader's alone. */
    struct net_socket *ready;
    struct net_socket *ready_last;
};

struct net_socket {
    struct net *net;
    uv_os_sock_t sock;
    struct net_callbacks callbacks;
    void *context;

    /* Guarded by net->lock. */
    unsigned wanted;
    bool is_watched;   /* counted in net->watched */
    bool is_requested; /* in net->requests */
    bool is_closing;
    bool is_abortive;
    struct net_socket *next_request;

    /* The leader's alone. */
    uv_poll_t poll;
    bool has_poll;
    unsigned armed;
    bool is_ready; /* in net->ready */
    bool is_closed;
    unsigned ready_events;
    struct net_socket *next_ready;
};

#endif
