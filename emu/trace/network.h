/* Hooks for what happens at sockets, beside trace.h. */
#ifndef TRACE_NETWORK_H
#define TRACE_NETWORK_H

#include "net/net.h"
#include "trace/trace.h"

void trace_tell_socket(enum trace_kind kind, const void *socket, ULONG64 first, NTSTATUS status,
                       const struct net_address *local, const struct net_address *remote);

/* Something happened in a socket's life: what format.h says of the kind. Addresses may be NULL. */
static inline void trace_socket(enum trace_kind kind, const void *socket, ULONG64 first,
                                NTSTATUS status, const struct net_address *local,
                                const struct net_address *remote)
{
    if (trace_wants(TRACE_SOCKETS)) {
        trace_tell_socket(kind, socket, first, status, local, remote);
    }
}

void trace_socket_open(const void *socket, USHORT family, USHORT type, ULONG protocol,
                       ULONG category);

/* Bytes that moved on a connection: the first of those that the buffers have room for. irp may be
 * NULL. */
void trace_tell_stream(enum trace_kind kind, const void *socket, PIRP irp,
                       const struct net_buffer *buffers, SIZE_T moved);

static inline void trace_stream(enum trace_kind kind, const void *socket, PIRP irp,
                                const struct net_buffer *buffers, SIZE_T moved)
{
    if (moved != 0 && trace_wants(TRACE_TRAFFIC)) {
        trace_tell_stream(kind, socket, irp, buffers, moved);
    }
}

/* Datagrams that moved, count of them. is_send: their length is that of their buffers. */
void trace_tell_datagrams(const void *socket, const struct net_address *local,
                          const struct net_datagram *datagrams, unsigned count, bool is_send);

static inline void trace_datagrams(const void *socket, const struct net_address *local,
                                   const struct net_datagram *datagrams, unsigned count,
                                   bool is_send)
{
    if (trace_wants(TRACE_TRAFFIC)) {
        trace_tell_datagrams(socket, local, datagrams, count, is_send);
    }
}

#endif
