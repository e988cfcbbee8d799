/* Session (container) notifications. See container.c. */
#ifndef IO_CONTAINER_H
#define IO_CONTAINER_H

#include <wdm.h>

#include "base/mutex.h"

#include <wskemu/session.h>

#include <stdbool.h>

/* First parameter of bug check 0xC4 for a broken rule of notifications; the second is the object.
 */
#define IO_CONTAINER_VIOLATION 0x534553

struct io_containers {
    struct base_mutex lock;   /* guards all below, the registrations and the sessions */
    LIST_ENTRY registrations; /* oldest first */
    ULONG64 last_number;      /* of a registration */
    LIST_ENTRY sessions;      /* oldest first; terminated ones too, until their id is used again */
    struct wskemu_session_options options;
    bool can_reconnect; /* whatever the options say */
};

/* A user session. See session.c. */
struct io_session {
    LIST_ENTRY link; /* in io_containers.sessions */
    ULONG id;
    IO_SESSION_STATE state;
    BOOLEAN is_local;
    ULONG callbacks;                 /* running now */
    KEVENT turn;                     /* taken by whoever moves the session */
    struct _KTHREAD *mover;          /* who that is */
    IO_SESSION_CONNECT_INFO payload; /* of the callback that runs */
};

/* What a driver is told. */
struct io_session_notice {
    struct io_session *session;
    IO_SESSION_EVENT event;
    ULONG64 last_number; /* later registrations do not hear of it */
    struct wskemu_session_options options;
};

/* Lets users come back to the sessions that they left, as on real machines. (SESS-98) */
void io_sessions_allow_reconnect(void);

void io_containers_start(struct io_containers *containers);
void io_containers_stop(struct io_containers *containers);

/* Prints the registrations that are left and returns how many. */
unsigned io_containers_report(struct io_containers *containers);

/* Calls each driver that wants to know. The session's turn is taken. PASSIVE_LEVEL. */
void io_containers_notify(const struct io_session_notice *notice);

/* Whether a registration for that I/O object is left. */
bool io_container_is_watched(const void *object);

/* Bug checks if one is; how ends "the device %p ..." */
void io_container_check_object(const void *object, const char *rule, const char *how);

/* Bug checks if a registration of that driver is left; how ends "the driver ..." */
void io_container_check_driver(PDRIVER_OBJECT driver, const char *rule, const char *how);

/* The rule that a session callback breaks that touches what is not there, or NULL: of the routine
 * that runs on the calling thread. */
const char *io_container_fault_rule(void);

#endif
