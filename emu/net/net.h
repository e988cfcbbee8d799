/*
 * The wall to the network: what WSK needs of the outside world, in plain C. Behind it stands uv/
 * (libuv and the host's sockets); another implementation may take its place.
 *
 * - A call tries once and never blocks: it does its work in place or returns NET_AGAIN.
 * - After NET_AGAIN the caller says what it wants (net_want); when that may be possible, on_ready
 *   is called by whoever delivers for the poller, with no lock of the network held.
 * - net_close may be called at any time and once; on_closed is the last call for that socket.
 * - Calls for one socket are the caller's to serialise; net_want and net_close lock by themselves.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "base/poller.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum net_error {
    NET_OK,
    NET_AGAIN,
    NET_NO_MEMORY,
    NET_ADDRESS_IN_USE,
    NET_ADDRESS_NOT_AVAILABLE,
    NET_ACCESS_DENIED,
    NET_REFUSED,
    NET_RESET,
    NET_ABORTED,
    NET_TIMED_OUT,
    NET_UNREACHABLE_NETWORK,
    NET_UNREACHABLE_HOST,
    NET_NOT_CONNECTED,
    NET_SHUT_DOWN,
    NET_TOO_MANY,
    NET_NOT_SUPPORTED,
    NET_INVALID,
};

enum net_family { NET_IPV4 = 4, NET_IPV6 = 6 };

enum net_type { NET_STREAM, NET_DATAGRAM };

enum net_events { NET_READABLE = 1, NET_WRITABLE = 2 };

/* An address: IPv4 uses the first four bytes. port is in host order. */
struct net_address {
    enum net_family family;
    uint16_t port;
    uint32_t scope;
    uint32_t flow;
    uint8_t bytes[16];
};

/* A piece of memory of a gathered send or scattered receive. */
struct net_buffer {
    void *base;
    size_t length;
};

/* Most pieces of one call; callers with more call again. */
#define NET_BUFFERS_MAX 16

struct net;
struct net_socket;

struct net_callbacks {
    void (*on_ready)(void *context, unsigned events);
    void (*on_closed)(void *context);
};

/* Opens the network and fills the poller that drives it. */
enum net_error net_open(struct net **net, struct base_poller *poller);

/* Closes the network, after net_close of every socket; delivers the last on_closed. Nobody polls.
 * */
void net_destroy(struct net *net);

enum net_error net_socket_open(struct net *net, enum net_family family, enum net_type type,
                               const struct net_callbacks *callbacks, void *context,
                               struct net_socket **socket);
enum net_error net_bind(struct net_socket *socket, const struct net_address *address);
enum net_error net_listen(struct net_socket *socket, int backlog);

/* Takes one connection; the new socket has the callbacks and context given. */
enum net_error net_accept(struct net_socket *listener, const struct net_callbacks *callbacks,
                          void *context, struct net_socket **accepted);

/* Begins to connect: NET_AGAIN until writable, then net_connect_result tells. */
enum net_error net_connect(struct net_socket *socket, const struct net_address *address);
enum net_error net_connect_result(struct net_socket *socket);

/* Moves at most what the buffers hold; *moved is 0 with NET_OK at the end of a received stream. */
enum net_error net_receive(struct net_socket *socket, const struct net_buffer *buffers,
                           unsigned count, size_t *moved);
enum net_error net_send(struct net_socket *socket, const struct net_buffer *buffers, unsigned count,
                        size_t *moved);

enum net_error net_shutdown_send(struct net_socket *socket);
enum net_error net_local_address(struct net_socket *socket, struct net_address *address);
enum net_error net_remote_address(struct net_socket *socket, struct net_address *address);

/* Sets what on_ready shall be called for from now on. */
void net_want(struct net_socket *socket, unsigned events);

/* Closes the socket, with a reset if is_abortive; on_closed may be called before this returns. */
void net_close(struct net_socket *socket, bool is_abortive);

#endif
