/*
 * The wall to the network: what WSK needs of the outside world, in plain C. Behind it stands uv/
 * (libuv and the host's sockets); another implementation may take its place.
 *
 * - A call tries once and never blocks: it does its work in place or returns NET_AGAIN. A receive
 *   or send may return that without a try, where those before it were in vain and nothing was told
 *   since.
 * - After NET_AGAIN the caller says what it wants (net_want); when that may be possible, on_ready
 *   is called by whoever delivers for the socket's poller, with no lock of the network held. It may
 *   be called in vain.
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
    NET_TOO_LONG, /* more than one datagram holds */
    NET_NOT_SUPPORTED,
    NET_NOT_FOUND, /* no such name, no such membership */
    NET_INVALID,
};

enum net_family { NET_IPV4 = 4, NET_IPV6 = 6 };

enum net_type { NET_STREAM, NET_DATAGRAM, NET_RAW };

/*
 * NET_READABLE: data, a connection or the end of the stream. NET_WRITABLE: room, or the result of a
 * connect. NET_HUNG_UP: the peer has shut down or reset, whether or not data is still unread; it is
 * told once and then no longer wanted, until a net_want that names it again.
 */
enum net_events { NET_READABLE = 1, NET_WRITABLE = 2, NET_HUNG_UP = 4 };

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

/* Most pieces of one call; callers with more call again (streams) or join them (datagrams). */
#define NET_BUFFERS_MAX 16

/* What goes along with a datagram besides its data; present says which fields count. */
enum net_control_fields {
    NET_CONTROL_PACKET = 1,    /* destination (received) or source (sent), and interface */
    NET_CONTROL_HOP_LIMIT = 2, /* TTL or hop limit */
    NET_CONTROL_TRAFFIC = 4,   /* TOS or traffic class; its two low bits are ECN */
};

struct net_control {
    unsigned present;
    struct net_address packet; /* IPv4 too on a socket of IPv6 that got an IPv4 datagram */
    uint32_t interface_index;
    int hop_limit;
    int traffic;
};

enum net_datagram_flags { NET_TRUNCATED = 1, NET_WAS_BROADCAST = 2, NET_WAS_MULTICAST = 4 };

/* One datagram: the caller fills buffers and count, and for a send address and control. */
struct net_datagram {
    const struct net_buffer *buffers;
    unsigned count;
    struct net_address address; /* whom it is from or to; v4-mapped on a socket of IPv6 */
    struct net_control control; /* received: always NET_CONTROL_PACKET, the others as asked for */
    size_t length;              /* received: bytes stored */
    unsigned flags;             /* received */
};

/* Most datagrams of one call. */
#define NET_DATAGRAMS_MAX 32

/* Options; the values are numbers, truth values are 0 and 1. */
enum net_option {
    /* Before bind: do not refuse an address that another socket of this process overlaps. Only the
     * later one has to ask. */
    NET_OPTION_ADDRESS_SHARED,
    NET_OPTION_BROADCAST,
    NET_OPTION_KEEP_ALIVE,
    NET_OPTION_KEEP_IDLE,     /* seconds */
    NET_OPTION_KEEP_INTERVAL, /* seconds */
    NET_OPTION_KEEP_COUNT,
    NET_OPTION_RECEIVE_BUFFER, /* bytes */
    NET_OPTION_SEND_BUFFER,    /* bytes */
    NET_OPTION_NO_DELAY,
    NET_OPTION_IPV6_ONLY, /* before bind */
    NET_OPTION_HOP_LIMIT, /* of unicast */
    NET_OPTION_TRAFFIC,   /* TOS or traffic class */
    NET_OPTION_DONT_FRAGMENT,
    NET_OPTION_MULTICAST_HOP_LIMIT,
    NET_OPTION_MULTICAST_LOOP,
    NET_OPTION_MULTICAST_INTERFACE, /* interface index */
    NET_OPTION_UNICAST_INTERFACE,   /* interface index */
    NET_OPTION_RECEIVE_HOP_LIMIT,   /* received datagrams carry NET_CONTROL_HOP_LIMIT */
    NET_OPTION_RECEIVE_TRAFFIC,     /* received datagrams carry NET_CONTROL_TRAFFIC */
    NET_OPTION_HEADER_INCLUDED,     /* raw sockets: sent data begins with the IP header */
    NET_OPTION_COUNT,
};

struct net;
struct net_socket;

struct net_callbacks {
    void (*on_ready)(void *context, unsigned events);
    void (*on_closed)(void *context);
};

/* Most loops of one network. */
#define NET_LOOPS_MAX 8

/* Opens the network and fills loops pollers that drive it; sockets are spread over them. */
enum net_error net_open(struct net **net, unsigned loops, struct base_poller *pollers);

/* Closes the network, after net_close of every socket; delivers the last on_closed. Nobody polls.
 * Lookups that still run are abandoned. */
void net_destroy(struct net *net);

/* protocol counts for NET_RAW only. */
enum net_error net_socket_open(struct net *net, enum net_family family, enum net_type type,
                               int protocol, const struct net_callbacks *callbacks, void *context,
                               struct net_socket **socket);
enum net_error net_bind(struct net_socket *socket, const struct net_address *address);
enum net_error net_listen(struct net_socket *socket, int backlog);

/* Takes one connection; the new socket has the callbacks and context given. */
enum net_error net_accept(struct net_socket *listener, const struct net_callbacks *callbacks,
                          void *context, struct net_socket **accepted);

/* Begins to connect: NET_AGAIN until writable, then net_error_of tells. */
enum net_error net_connect(struct net_socket *socket, const struct net_address *address);

/* The error that waits at the socket, and clears it; NET_OK if there is none. */
enum net_error net_error_of(struct net_socket *socket);

/* Moves at most what the buffers hold; *moved is 0 with NET_OK at the end of a received stream. */
enum net_error net_receive(struct net_socket *socket, const struct net_buffer *buffers,
                           unsigned count, size_t *moved);
enum net_error net_send(struct net_socket *socket, const struct net_buffer *buffers, unsigned count,
                        size_t *moved);

/* Moves whole datagrams, at most count; *done says how many. NET_OK if it is at least one, else the
 * error of the first. Sending: an error of a later one comes with the next call. */
enum net_error net_receive_datagrams(struct net_socket *socket, struct net_datagram *datagrams,
                                     unsigned count, unsigned *done);
enum net_error net_send_datagrams(struct net_socket *socket, const struct net_datagram *datagrams,
                                  unsigned count, unsigned *done);

/* Bytes that wait to be received. */
enum net_error net_unread(struct net_socket *socket, size_t *bytes);

enum net_error net_shutdown_send(struct net_socket *socket);
enum net_error net_local_address(struct net_socket *socket, struct net_address *address);
enum net_error net_remote_address(struct net_socket *socket, struct net_address *address);

enum net_error net_set_option(struct net_socket *socket, enum net_option option, int value);
enum net_error net_get_option(struct net_socket *socket, enum net_option option, int *value);

/* Joins or leaves a multicast group on an interface (index, 0: any), of one source if given. */
enum net_error net_set_membership(struct net_socket *socket, bool is_join,
                                  const struct net_address *group, const struct net_address *source,
                                  uint32_t interface_index);

/* Sets what on_ready shall be called for from now on. */
void net_want(struct net_socket *socket, unsigned events);

/* Closes the socket, with a reset if is_abortive; on_closed may be called before this returns. */
void net_close(struct net_socket *socket, bool is_abortive);

/* The machine's addresses of a family, loopback last: stores at most count, *total says how many
 * there are. */
enum net_error net_host_addresses(enum net_family family, struct net_address *addresses,
                                  unsigned count, unsigned *total);

/* The index of the interface that has this address; NET_ADDRESS_NOT_AVAILABLE if none has. */
enum net_error net_interface_of(const struct net_address *address, uint32_t *index);

/*
 * Name lookups. The strings are UTF-8 and copied; NULL means absent. family is 0 for any. Exactly
 * one on_resolved comes for each net_resolve or net_resolve_address that returned NET_AGAIN, by
 * whoever delivers, unless net_lookup_abandon came first: then none comes any more.
 */
struct net_lookup;

#define NET_NAME_MAX 256
#define NET_RESOLVED_MAX 32

struct net_resolved {
    enum net_error error;
    unsigned count;
    struct net_address addresses[NET_RESOLVED_MAX];
    char name[NET_NAME_MAX]; /* canonical name, or the host name of an address */
    char service[NET_NAME_MAX];
};

typedef void net_on_resolved(void *context, const struct net_resolved *resolved);

enum net_error net_resolve(struct net *net, const char *node, const char *service,
                           enum net_type type, unsigned family, net_on_resolved *on_resolved,
                           void *context, struct net_lookup **lookup);
enum net_error net_resolve_address(struct net *net, const struct net_address *address,
                                   bool is_datagram, net_on_resolved *on_resolved, void *context,
                                   struct net_lookup **lookup);

/* Whether it was in time: on_resolved will not be called. lookup is invalid after on_resolved
 * returned or after this. */
bool net_lookup_abandon(struct net_lookup *lookup);

#endif
