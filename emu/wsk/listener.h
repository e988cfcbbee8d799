/* A listener's own state. See listener.c and inspect.c. */
#ifndef WSK_LISTENER_H
#define WSK_LISTENER_H

#include <ntddk.h>
#include <wsk.h>

#include <stdbool.h>

struct wsk_socket;

/* What a connection is while it waits at a listener in conditional accept mode. See inspect.c. */
struct wsk_arrival;

/* Guarded by the socket's lock. */
struct wsk_listener {
    bool is_conditional;     /* SO_CONDITIONAL_ACCEPT */
    bool is_forgotten_told;  /* a warning went out that a request is not answered */
    ULONG arrivals;          /* in both lists */
    ULONG dropped;           /* of inspected: whose peer has gone */
    ULONG serial;            /* of the last inspect id */
    SIZE_T accepted_backlog; /* ideal send backlog that accepted ones begin with; 0: not known */
    LIST_ENTRY inspected;    /* of struct wsk_arrival: WskInspectEvent was called, no verdict yet */
    LIST_ENTRY admitted;     /* of struct wsk_arrival: what inspection let through, in order */
};

/* ---- listener.c ---- */

/* Has the host listen on the bound address. The lock is held. */
NTSTATUS wsk_listener_listen(struct wsk_socket *socket);

/* Calls one event callback, if one is due. The lock is held, not meanwhile. See queue.h. */
bool wsk_listener_indicate(struct wsk_socket *socket);

/* Takes a connection from the host: STATUS_PENDING if none waits. The lock is held. */
NTSTATUS wsk_listener_take(struct wsk_socket *socket, struct wsk_socket **accepted);

/* Gives the connections that can be had to the accepts that wait. The lock is held. */
void wsk_listener_feed(struct wsk_socket *socket);

/* The socket that the IRP of a successful WskAccept tells of, referenced; else NULL. */
struct wsk_socket *wsk_listener_accepted(PIRP irp);

/* The driver has the accepted socket: its events may come. Drops a reference of it. */
void wsk_listener_offer(struct wsk_socket *accepted);

/* ---- inspect.c; the lock is held unless it is said otherwise ---- */

void wsk_inspect_start(struct wsk_socket *socket);

/* Bug checks unless the driver's table has the routines that the mode needs. */
void wsk_inspect_check(const struct wsk_socket *socket);

/* Takes the first connection that inspection let through; STATUS_PENDING if there is none. */
NTSTATUS wsk_inspect_take(struct wsk_socket *socket, struct wsk_socket **accepted);

/* Whether another connection may be taken from the host. */
bool wsk_inspect_has_room(const struct wsk_socket *socket);

/* Call one callback, if one is due; return whether they did. The lock is not held meanwhile. */
bool wsk_inspect_indicate(struct wsk_socket *socket);
bool wsk_inspect_indicate_abort(struct wsk_socket *socket);
bool wsk_inspect_indicate_death(struct wsk_socket *socket);

/* The peer of a connection with an arrival has shut down or reset. The connection's lock is held,
 * not its listener's. */
void wsk_inspect_hung_up(struct wsk_socket *accepted);

/* Resets all that waits. Nobody else uses the listener any more; the lock is not held. */
void wsk_inspect_end(struct wsk_socket *socket);

#endif
