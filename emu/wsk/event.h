/*
 * Which event callbacks of a socket are enabled, and which run. See event.c.
 *
 * A callback is enabled statically (for ever), by SO_WSK_EVENT_CALLBACK, or by inheritance from the
 * listening socket. One that runs while it is disabled is waited for by the IRP of the disable.
 */
#ifndef WSK_EVENT_H
#define WSK_EVENT_H

#include <ntddk.h>
#include <wsk.h>

#include <stdbool.h>

struct wsk_queue;
struct wsk_socket;

#define WSK_CONNECTION_EVENTS (WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT | WSK_EVENT_SEND_BACKLOG)

/* Guarded by the socket's lock. */
struct wsk_events {
    ULONG enabled;
    ULONG fixed;         /* enabled statically: cannot be disabled */
    ULONG inherited;     /* of a listener: connection events that accepted sockets begin with */
    ULONG running;       /* callbacks in progress */
    LIST_ENTRY disables; /* IRPs that wait for a running callback, by ListEntry */
};

/* The events that a socket may enable: by its category and role. */
ULONG wsk_events_of(const struct wsk_socket *socket);

void wsk_events_init(struct wsk_socket *socket);

/* The role is known: its static events are enabled. The lock is held. */
void wsk_events_begin_role(struct wsk_socket *socket);

/* Whether the callback may be called now; it counts as running then. The lock is held. */
bool wsk_event_begin(struct wsk_socket *socket, ULONG event);

/* It returned. Completes the disables that waited, through queue. The lock is held. */
void wsk_event_end(struct wsk_socket *socket, struct wsk_queue *queue, ULONG event);

/* WSK_FLAG_AT_DISPATCH_LEVEL or 0, as it is. */
ULONG wsk_event_flags(void);

/* SO_WSK_EVENT_CALLBACK: enables, or disables one. irp may be NULL; it is not taken yet. Returns
 * what WskControlSocket returns. The lock is not held. */
NTSTATUS wsk_event_control(struct wsk_socket *socket, const WSK_EVENT_CALLBACK_CONTROL *control,
                           PIRP irp);

#endif
