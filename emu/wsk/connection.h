/* A connection's own state. See connection.c. */
#ifndef WSK_CONNECTION_H
#define WSK_CONNECTION_H

#include <ntddk.h>
#include <wsk.h>

#include "net/net.h"

#include <stdbool.h>

struct wsk_arrival;
struct wsk_indication;
struct wsk_socket;

/* Guarded by the socket's lock. */
struct wsk_connection {
    struct wsk_indication *held;      /* data from the host that the driver has not accepted yet */
    struct wsk_indication *indicated; /* what the receive event that runs was given; what follows
                                       * waits for its verdict */
    LIST_ENTRY retained;              /* of struct wsk_indication: what receive events kept */
    SIZE_T retained_bytes;
    ULONG urged;        /* of them: lists that WSK asked back */
    bool is_hoard_told; /* a warning went out that they are too many */
    bool is_offered;    /* the driver has it: events may come */
    bool is_drained;    /* the host had no more than the event got; until it is readable again */
    bool is_suspended;  /* a receive event did not accept all: silent until a receive completed */
    bool is_hung_up;    /* the host says that the peer has shut down or reset */
    bool has_ended;     /* end of the received stream reached, or failure */
    bool is_end_reported;
    bool is_local_end; /* the driver itself disconnected abortively */
    bool is_send_shut; /* graceful disconnect done or queued: no more sends */
    NTSTATUS failure;  /* why it ended abortively; STATUS_SUCCESS otherwise */
    SIZE_T ideal_backlog;
    bool is_backlog_changed;
    struct wsk_arrival *arrival; /* it is being inspected, see inspect.c; the driver has it not */
    bool has_inspect_id;
    WSK_INSPECT_ID inspect_id; /* of a conditionally accepted one */
};

/* The connection is established: reads its addresses. The lock is held. */
void wsk_connection_begin(struct wsk_socket *socket);

/* The same for one that the listener accepted: asks the host only for what is not known. */
void wsk_connection_begin_accepted(struct wsk_socket *socket, struct wsk_socket *listener);

/* Has no send of the connection, or of those that the listener will accept, wait for another. */
void wsk_connection_set_no_delay(struct wsk_socket *socket);

/* The socket cannot move data any more, for this reason; ends what is pending. The lock is held. */
void wsk_connection_fail(struct wsk_socket *socket, NTSTATUS failure);

/* Reads once from the host; notes the end of the stream. Returns the bytes read, 0 if there are
 * none now. The lock is held. */
SIZE_T wsk_connection_read(struct wsk_socket *socket, const struct net_buffer *buffers,
                           unsigned count);

/* Something changed that the receive and disconnect events may tell of. The lock is held. */
void wsk_connection_look_for_events(struct wsk_socket *socket);

/* Whether the driver wants this event and has a routine for it. The lock is held. */
bool wsk_connection_listens(const struct wsk_socket *socket, ULONG event);

/* Does what the pending receives, or connect, sends and disconnect, allow now. The lock is held. */
void wsk_receive_pump(struct wsk_socket *socket);
void wsk_send_pump(struct wsk_socket *socket);

/* Ends the connect that is pending: it was cancelled. The lock is held. */
void wsk_connect_cancelled(struct wsk_socket *socket);

/* The send backlog event; see wsk_queue.indicate. */
bool wsk_send_indicate(struct wsk_socket *socket);

/* Asks the host how much it takes; a change makes the backlog event due. The lock is held. */
void wsk_send_measure_backlog(struct wsk_socket *socket);

/* Whether the socket is connected, be it broken: STATUS_SUCCESS, or why not. The lock is held. */
NTSTATUS wsk_connection_status(const struct wsk_socket *socket);

/* Whether the socket can move data: STATUS_SUCCESS, or why not. The lock is held. */
NTSTATUS wsk_connection_stream_status(const struct wsk_socket *socket);

#endif
