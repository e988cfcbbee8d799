/*
 * User sessions, for a test or a program: they come and go as these functions say, and drivers that
 * registered with IoRegisterContainerNotification are told.
 *
 *     wskemu_session_create(1);
 *     wskemu_session_connect(1, TRUE);
 *     wskemu_session_logon(1);
 *     ... the driver sees a user at the machine itself ...
 *     wskemu_session_terminate(1);
 *
 * A session moves through Windows' states, one event a step:
 *
 *     Initialized          Created -> Created
 *     Created              Connected -> Connected, Disconnected -> Disconnected, Terminated
 *     Connected            Disconnected -> Disconnected, Logon -> LoggedOn, Terminated
 *     Disconnected         Connected -> Connected, Logon -> DisconnectedLoggedOn, Terminated
 *     LoggedOn             Disconnected -> DisconnectedLoggedOn, Logoff -> LoggedOff, Terminated
 *     DisconnectedLoggedOn Logoff -> Disconnected, Terminated
 *     LoggedOff            Disconnected -> Disconnected, Terminated
 *     Terminated           nothing
 *
 * A kernel boots without sessions. Each function that is an event has the drivers' callbacks
 * called on the calling thread and returns when they have returned: PASSIVE_LEVEL, and not from
 * inside such a callback. Events of one session come one after the other, whichever threads ask.
 */
#ifndef WSKEMU_SESSION_H
#define WSKEMU_SESSION_H

#include <wdm.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The events. STATUS_SUCCESS; STATUS_NOT_FOUND if there is no session of that id;
 * STATUS_INVALID_DEVICE_STATE if the table above has no such step; STATUS_POSSIBLE_DEADLOCK inside
 * a callback for the same session. create also makes the session, if there is none of that id or
 * only a terminated one: STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS wskemu_session_create(ULONG id);
NTSTATUS wskemu_session_connect(ULONG id, BOOLEAN is_local); /* FALSE: from another machine */
NTSTATUS wskemu_session_disconnect(ULONG id);
NTSTATUS wskemu_session_logon(ULONG id);
NTSTATUS wskemu_session_logoff(ULONG id);
NTSTATUS wskemu_session_terminate(ULONG id);

/* Any of them by its number; is_local counts for IoSessionEventConnected. Other numbers are
 * STATUS_INVALID_PARAMETER. */
NTSTATUS wskemu_session_event(ULONG id, IO_SESSION_EVENT event, BOOLEAN is_local);

/* Makes a session in state Initialized, of which drivers do not know yet.
 * STATUS_OBJECT_NAME_COLLISION if there is one of that id; STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS wskemu_session_add(ULONG id);

/* The session as it stands; LocalSession is how it was last connected. STATUS_NOT_FOUND. */
NTSTATUS wskemu_session_query(ULONG id, PIO_SESSION_STATE_INFORMATION information);

/* Fills in at most count sessions, those that have not terminated, in the order in which they were
 * made; returns how many there are. */
ULONG wskemu_session_list(PIO_SESSION_STATE_INFORMATION list, ULONG count);

/* "connect" for IoSessionEventConnected and so on, as the functions above; NULL for a number that
 * is none. And back: IoSessionEventIgnore for a name that is none. */
const char *wskemu_session_event_name(IO_SESSION_EVENT event);
IO_SESSION_EVENT wskemu_session_event_of(const char *name);

/* "LoggedOn" for IoSessionStateLoggedOn and so on; NULL for a number that is none. */
const char *wskemu_session_state_name(IO_SESSION_STATE state);

/* What Windows' documentation leaves open, and what may go wrong. All zero is how a kernel boots.
 */
struct wskemu_session_options {
    BOOLEAN calls_at_apc_level; /* callbacks come at APC_LEVEL instead of PASSIVE_LEVEL */
    BOOLEAN spares_payload;     /* only Connected has a payload, else it is NULL of length 0 */
    BOOLEAN can_reconnect;      /* DisconnectedLoggedOn: Connected -> LoggedOn; undocumented */
    BOOLEAN lacks_memory;       /* registering gives STATUS_INSUFFICIENT_RESOURCES */
    /* Called inside IoRegisterContainerNotification, once the registration counts and before the
     * driver knows it; or NULL. */
    void (*registered)(void *context);
    void *context;
};

/* The options from now on; NULL for all zero. */
void wskemu_session_configure(const struct wskemu_session_options *options);

/*
 * Has the sessions of the machine itself appear as sessions here, as its login manager tells them
 * now and from now on, until the call of stop or the shutdown. manager is "logind" (systemd's, by
 * the system's D-Bus, which DBUS_SYSTEM_BUS_ADDRESS may name). Reconnecting is allowed from then on
 * (can_reconnect). The callbacks come on a thread of the emulator's.
 *
 * A user's session is LoggedOn while it is in front or remote, DisconnectedLoggedOn while another
 * is in front of it, LoggedOff while it closes; a login screen is Connected. A name of the
 * manager's that is a number is the session's id; others count from WSKEMU_SESSION_ID_FIRST on.
 * Changes that follow each other at once may be told as one.
 *
 * STATUS_SUCCESS; STATUS_NOT_SUPPORTED for another manager, or where the host or this build has
 * none; STATUS_DEVICE_NOT_CONNECTED if it does not answer, which the log explains;
 * STATUS_DEVICE_ALREADY_ATTACHED if it runs already; STATUS_INSUFFICIENT_RESOURCES. PASSIVE_LEVEL.
 */
#define WSKEMU_SESSION_ID_FIRST 0x10000
NTSTATUS wskemu_session_mirror_start(const char *manager);
void wskemu_session_mirror_stop(void);

#ifdef __cplusplus
}
#endif

#endif
