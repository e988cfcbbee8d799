/*
 * User sessions: what moves them, and what is known of them.
 *
 * A session moves one event at a time: whoever moves it takes its turn, makes the step under the
 * lock, and has the drivers told before the turn is given back. So the callbacks of one session
 * come in order, and what they ask is the state after the step. Sessions live until the kernel
 * ends, or until their id is used again, so that a driver that keeps a session's object too long is
 * answered and told instead of reading freed memory.
 */
#include "io/container.h"
#include "io/io.h"
#include "ke/limit.h"
#include "ke/thread.h"
#include "trace/trace.h"

#include <stdlib.h>
#include <string.h>

/* Every step there is. (SESS-89 to 95) */
static const struct {
    IO_SESSION_STATE from;
    IO_SESSION_EVENT event;
    IO_SESSION_STATE to;
} steps[] = {
    {IoSessionStateInitialized, IoSessionEventCreated, IoSessionStateCreated},
    {IoSessionStateCreated, IoSessionEventConnected, IoSessionStateConnected},
    {IoSessionStateCreated, IoSessionEventDisconnected, IoSessionStateDisconnected},
    {IoSessionStateCreated, IoSessionEventTerminated, IoSessionStateTerminated},
    {IoSessionStateConnected, IoSessionEventDisconnected, IoSessionStateDisconnected},
    {IoSessionStateConnected, IoSessionEventLogon, IoSessionStateLoggedOn},
    {IoSessionStateConnected, IoSessionEventTerminated, IoSessionStateTerminated},
    {IoSessionStateDisconnected, IoSessionEventConnected, IoSessionStateConnected},
    {IoSessionStateDisconnected, IoSessionEventLogon, IoSessionStateDisconnectedLoggedOn},
    {IoSessionStateDisconnected, IoSessionEventTerminated, IoSessionStateTerminated},
    {IoSessionStateLoggedOn, IoSessionEventDisconnected, IoSessionStateDisconnectedLoggedOn},
    {IoSessionStateLoggedOn, IoSessionEventLogoff, IoSessionStateLoggedOff},
    {IoSessionStateLoggedOn, IoSessionEventTerminated, IoSessionStateTerminated},
    {IoSessionStateDisconnectedLoggedOn, IoSessionEventLogoff, IoSessionStateDisconnected},
    {IoSessionStateDisconnectedLoggedOn, IoSessionEventTerminated, IoSessionStateTerminated},
    {IoSessionStateLoggedOff, IoSessionEventDisconnected, IoSessionStateDisconnected},
    {IoSessionStateLoggedOff, IoSessionEventTerminated, IoSessionStateTerminated},
};

static const char *const event_names[IoSessionEventMax] = {
    [IoSessionEventCreated] = "create",    [IoSessionEventTerminated] = "terminate",
    [IoSessionEventConnected] = "connect", [IoSessionEventDisconnected] = "disconnect",
    [IoSessionEventLogon] = "logon",       [IoSessionEventLogoff] = "logoff",
};

static const char *const state_names[IoSessionStateMax] = {
    [IoSessionStateCreated] = "Created",
    [IoSessionStateInitialized] = "Initialized",
    [IoSessionStateConnected] = "Connected",
    [IoSessionStateDisconnected] = "Disconnected",
    [IoSessionStateDisconnectedLoggedOn] = "DisconnectedLoggedOn",
    [IoSessionStateLoggedOn] = "LoggedOn",
    [IoSessionStateLoggedOff] = "LoggedOff",
    [IoSessionStateTerminated] = "Terminated",
};

static struct io_containers *containers_lock(void)
{
    struct io_containers *containers = &io_state()->containers;
    base_mutex_lock(&containers->lock);
    return containers;
}

/* ---- the list; the lock is held ---- */

static struct io_session *find(const struct io_containers *containers, ULONG id)
{
    const LIST_ENTRY *head = &containers->sessions;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        struct io_session *session = CONTAINING_RECORD(entry, struct io_session, link);
        if (session->id == id) {
            return session;
        }
    }
    return NULL;
}

static void begin(struct io_session *session, ULONG id)
{
    session->id = id;
    session->state = IoSessionStateInitialized;
    session->is_local = FALSE;
}

/* Makes the session, or lets one that has terminated begin anew. (SESS-88) */
static NTSTATUS add(struct io_containers *containers, ULONG id)
{
    struct io_session *session = find(containers, id);
    if (session != NULL) {
        if (session->state != IoSessionStateTerminated || session->mover != NULL) {
            return STATUS_OBJECT_NAME_COLLISION;
        }
        RemoveEntryList(&session->link);
    } else {
        session = calloc(1, sizeof(*session));
        if (session == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        KeInitializeEvent(&session->turn, SynchronizationEvent, TRUE);
    }
    begin(session, id);
    InsertTailList(&containers->sessions, &session->link);
    return STATUS_SUCCESS;
}

static bool next_state(const struct io_session *session, IO_SESSION_EVENT event, bool can_reconnect,
                       IO_SESSION_STATE *next)
{
    if (can_reconnect && session->state == IoSessionStateDisconnectedLoggedOn &&
        event == IoSessionEventConnected) {
        *next = IoSessionStateLoggedOn; /* SESS-98 */
        return true;
    }
    for (size_t i = 0; i < RTL_NUMBER_OF(steps); i++) {
        if (steps[i].from == session->state && steps[i].event == event) {
            *next = steps[i].to;
            return true;
        }
    }
    return false;
}

/* ---- events ---- */

/* Makes the step and says what the drivers are to be told. */
static NTSTATUS step(struct io_session *session, IO_SESSION_EVENT event, BOOLEAN is_local,
                     struct io_session_notice *notice)
{
    struct io_containers *containers = containers_lock();
    NTSTATUS status = STATUS_INVALID_DEVICE_STATE;
    bool can_reconnect = containers->can_reconnect || containers->options.can_reconnect;
    if (next_state(session, event, can_reconnect, &session->state)) {
        if (event == IoSessionEventConnected) {
            session->is_local = is_local;
        }
        *notice = (struct io_session_notice){
            .session = session,
            .event = event,
            .last_number = containers->last_number,
            .options = containers->options,
        };
        status = STATUS_SUCCESS;
    }
    base_mutex_unlock(&containers->lock);
    return status;
}

static void set_mover(struct io_session *session, struct _KTHREAD *mover)
{
    struct io_containers *containers = containers_lock();
    session->mover = mover;
    base_mutex_unlock(&containers->lock);
}

static NTSTATUS move(ULONG id, IO_SESSION_EVENT event, BOOLEAN is_local)
{
    struct io_session_notice notice;
    struct io_containers *containers = containers_lock();
    struct io_session *session = find(containers, id);
    bool is_mine = session != NULL && session->mover == ke_current();
    base_mutex_unlock(&containers->lock);
    if (session == NULL) {
        return STATUS_NOT_FOUND;
    }
    if (is_mine) {
        return STATUS_POSSIBLE_DEADLOCK;
    }
    KeWaitForSingleObject(&session->turn, Executive, KernelMode, FALSE, NULL);
    set_mover(session, ke_current());
    NTSTATUS status = step(session, event, is_local, &notice);
    if (NT_SUCCESS(status)) {
        trace_session(event_names[event], id);
        io_containers_notify(&notice);
    }
    set_mover(session, NULL);
    KeSetEvent(&session->turn, IO_NO_INCREMENT, FALSE);
    return status;
}

NTSTATUS wskemu_session_add(ULONG id)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    struct io_containers *containers = containers_lock();
    NTSTATUS status = add(containers, id);
    base_mutex_unlock(&containers->lock);
    return status;
}

NTSTATUS wskemu_session_create(ULONG id)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = wskemu_session_add(id);
    if (!NT_SUCCESS(status) && status != STATUS_OBJECT_NAME_COLLISION) {
        return status;
    }
    return move(id, IoSessionEventCreated, FALSE);
}

NTSTATUS wskemu_session_connect(ULONG id, BOOLEAN is_local)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return move(id, IoSessionEventConnected, is_local);
}

NTSTATUS wskemu_session_disconnect(ULONG id)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return move(id, IoSessionEventDisconnected, FALSE);
}

NTSTATUS wskemu_session_logon(ULONG id)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return move(id, IoSessionEventLogon, FALSE);
}

NTSTATUS wskemu_session_logoff(ULONG id)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return move(id, IoSessionEventLogoff, FALSE);
}

NTSTATUS wskemu_session_terminate(ULONG id)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return move(id, IoSessionEventTerminated, FALSE);
}

NTSTATUS wskemu_session_event(ULONG id, IO_SESSION_EVENT event, BOOLEAN is_local)
{
    if (wskemu_session_event_name(event) == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    if (event == IoSessionEventCreated) {
        return wskemu_session_create(id);
    }
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return move(id, event, is_local);
}

void wskemu_session_configure(const struct wskemu_session_options *options)
{
    struct io_containers *containers = containers_lock();
    containers->options = options != NULL ? *options : (struct wskemu_session_options){0};
    base_mutex_unlock(&containers->lock);
}

void io_sessions_allow_reconnect(void)
{
    struct io_containers *containers = containers_lock();
    containers->can_reconnect = true;
    base_mutex_unlock(&containers->lock);
}

/* ---- asking ---- */

static IO_SESSION_STATE_INFORMATION describe(const struct io_session *session)
{
    return (IO_SESSION_STATE_INFORMATION){
        .SessionId = session->id,
        .SessionState = session->state,
        .LocalSession = session->is_local,
    };
}

NTSTATUS wskemu_session_query(ULONG id, PIO_SESSION_STATE_INFORMATION information)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    struct io_containers *containers = containers_lock();
    const struct io_session *session = find(containers, id);
    if (session != NULL) {
        *information = describe(session);
    }
    base_mutex_unlock(&containers->lock);
    return session != NULL ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

ULONG wskemu_session_list(PIO_SESSION_STATE_INFORMATION list, ULONG count)
{
    ULONG found = 0;
    KE_IRQL_AT_MOST(APC_LEVEL);
    struct io_containers *containers = containers_lock();
    const LIST_ENTRY *head = &containers->sessions;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        const struct io_session *session = CONTAINING_RECORD(entry, struct io_session, link);
        if (session->state == IoSessionStateTerminated) {
            continue;
        }
        if (found < count) {
            list[found] = describe(session);
        }
        found++;
    }
    base_mutex_unlock(&containers->lock);
    return found;
}

const char *wskemu_session_event_name(IO_SESSION_EVENT event)
{
    return (unsigned)event < IoSessionEventMax ? event_names[event] : NULL;
}

IO_SESSION_EVENT wskemu_session_event_of(const char *name)
{
    for (int event = IoSessionEventCreated; event < IoSessionEventMax; event++) {
        if (strcmp(event_names[event], name) == 0) {
            return (IO_SESSION_EVENT)event;
        }
    }
    return IoSessionEventIgnore;
}

const char *wskemu_session_state_name(IO_SESSION_STATE state)
{
    return (unsigned)state < IoSessionStateMax ? state_names[state] : NULL;
}
