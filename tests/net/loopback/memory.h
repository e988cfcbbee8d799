/*
 * A network in memory: sockets of one process talk to each other, no host is asked. It stands in
 * for emu/net/uv in tests, and keeps to net.h. One lock guards all of it.
 *
 * network.c   loops, readiness, wanting, closing
 * address.c   binding, and who is found at an address
 * stream.c    listeners and connections
 * datagram.c  datagrams
 * machine.c   options and what a machine knows of itself
 * lookup.c    names
 */
#ifndef TESTS_NET_LOOPBACK_MEMORY_H
#define TESTS_NET_LOOPBACK_MEMORY_H

#include "base/mutex.h"
#include "net/fifo.h"
#include "net/net.h"

#include <stdbool.h>

#define STREAM_BYTES 65536
#define DATAGRAM_BYTES_MAX 65507

struct net_loop {
    struct net *net;
    struct base_poller *poller;
    struct base_park *park;
    struct net_fifo ready;
    unsigned watched;
};

struct net {
    struct base_mutex lock;
    unsigned count;
    unsigned made; /* sockets ever made: they go to the loops in turn */
    uint16_t port; /* last one that was given out */
    struct net_socket *sockets;
    struct net_lookup *lookups;
    struct net_loop loops[NET_LOOPS_MAX];
};

struct packet {
    struct packet *next;
    struct net_address from;
    struct net_address to;
    int hop_limit;
    int traffic;
    size_t length;
    unsigned char data[];
};

struct net_socket {
    struct net *net;
    struct net_loop *loop;
    struct net_socket *next; /* in net->sockets */
    struct net_callbacks callbacks;
    void *context;
    enum net_family family;
    enum net_type type;
    struct net_address local;
    bool is_bound;
    int options[NET_OPTION_COUNT];

    unsigned wanted;
    bool is_watched;
    bool is_closing;
    struct net_link ready; /* in loop->ready */

    /* A listener: connections that wait. */
    bool is_listening;
    struct net_socket *backlog;
    struct net_socket *next_in_backlog;

    /* A connection. */
    struct net_socket *peer; /* NULL: not connected, or the peer has closed */
    struct net_address remote;
    bool is_connected;
    bool is_shut;  /* this side sends no more */
    bool is_ended; /* the other side sends no more */
    bool is_reset;
    size_t start; /* in stream */
    size_t length;
    unsigned char *stream;

    struct packet *packets;
    struct packet **packets_end;
};

/* All of these are called with the lock held. */
struct net_socket *memory_socket(struct net *net, enum net_family family, enum net_type type);
void memory_notify(struct net_socket *socket);
bool memory_bind_if_needed(struct net_socket *socket);
struct net_socket *memory_find(struct net *net, enum net_type type, const struct net_address *to);
unsigned memory_events(const struct net_socket *socket);
void memory_disconnect(struct net_socket *socket, bool is_abortive);
void memory_free_packets(struct net_socket *socket);
struct net_address memory_loopback(enum net_family family, uint16_t port);

/* Lookups, without the lock. */
bool memory_has_answers(struct net *net);
void memory_deliver_answers(struct net *net);
void memory_forget_lookups(struct net *net);

#endif
