/*
 * What a driver gives with a socket for its event callbacks.
 *
 * A table does not say of which category it is. But one that belongs to open sockets of one
 * category cannot belong to a socket of another, and a routine that is to be called must be there.
 * No table is looked at before an event is enabled: drivers in the field pass anything until then.
 */
#include "wsk/table.h"

#include "ke/bugcheck.h"
#include "ke/warning.h"
#include "verifier/local_object.h"
#include "wsk/memory.h"
#include "wsk/wsk.h"

const struct wsk_table_rules wsk_socket_rules = {"WskSocket", "WSK-SOCK-12", "WSK-SOCK-15"};
const struct wsk_table_rules wsk_socket_connect_rules = {"WskSocketConnect", "WSK-SOCK-46",
                                                         "WSK-SOCK-46"};
const struct wsk_table_rules wsk_accept_rules = {"WskAccept", "WSK-ACC-11", "WSK-ACC-12"};
const struct wsk_table_rules wsk_accept_event_rules = {"WskAcceptEvent", "WSK-ACC-31",
                                                       "WSK-ACC-12"};

/* What a driver should not give but may. */
static void warn(ULONG category, PVOID context, const VOID *table,
                 const struct wsk_table_rules *rules)
{
    if (category == WSK_FLAG_BASIC_SOCKET && (context != NULL || table != NULL)) {
        ke_warning("WSK-SOCK-14",
                   "the driver gave %s a context or table for a basic socket, which "
                   "has no events",
                   rules->function);
        return;
    }
    if (table == NULL && context != NULL) {
        ke_warning("WSK-SOCK-13",
                   "the driver gave %s the context %p, but no table: nothing will be called with "
                   "it",
                   rules->function, context);
    }
}

void wsk_table_given(struct wsk_socket *socket, PVOID context, const VOID *table,
                     const struct wsk_table_rules *rules)
{
    if (!verifier_is_on()) {
        return;
    }
    socket->rules = rules;
    if (table != NULL) {
        verifier_local_object_born(table);
    }
    wsk_memory_check_resident(context, "context", rules->function, rules->context);
    warn(socket->category, context, table, rules);
    ULONG dynamic = socket->events.enabled & ~socket->client->static_events;
    if (rules == &wsk_accept_event_rules && table == NULL && dynamic != 0) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)socket, dynamic,
                     0, "WSK-ACC-30",
                     "The driver's WskAcceptEvent accepted the socket %p without setting "
                     "*AcceptSocketDispatch, but the events 0x%X of it are enabled.",
                     (void *)socket, (unsigned)dynamic);
    }
}

void wsk_table_check_there(const struct wsk_socket *socket)
{
    const VOID *table =
        socket->stream_dispatch != NULL ? socket->stream_dispatch : socket->dispatch;
    if (table != NULL && verifier_is_on() && verifier_local_object_find_gone(table)) {
        ke_violation(
            DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)table, (ULONG_PTR)socket,
            0, "WSK-EVT-12",
            "The driver's table of event callbacks %p of the %s socket %p is still needed, "
            "but lies on the stack of a function that has returned.",
            table, wsk_category_name(socket->category), (const void *)socket);
    }
}

/* The category under which the table is known if it is another, else 0; enters it. */
static ULONG enter(struct wsk_socket *socket)
{
    struct wsk_state *wsk = wsk_state();
    struct wsk_tables *tables = &socket->client->tables;
    ULONG other = 0;
    unsigned place = WSK_TABLES_MAX;
    base_mutex_lock(&wsk->lock);
    for (unsigned i = 0; i < WSK_TABLES_MAX; i++) {
        bool is_it = tables->known[i].table == socket->entered;
        if (is_it && tables->known[i].category != socket->category) {
            other = tables->known[i].category;
        } else if (is_it || (tables->known[i].table == NULL && place == WSK_TABLES_MAX)) {
            place = i;
        }
    }
    if (place < WSK_TABLES_MAX) {
        tables->known[place].table = socket->entered;
        tables->known[place].category = socket->category;
        tables->known[place].sockets++;
    } else {
        socket->entered = NULL;
    }
    base_mutex_unlock(&wsk->lock);
    return other;
}

static void check_category(struct wsk_socket *socket)
{
    const VOID *table =
        socket->stream_dispatch != NULL ? (const VOID *)socket->stream_dispatch : socket->dispatch;
    if (socket->entered != NULL || socket->rules == NULL) {
        return;
    }
    socket->entered = table;
    ULONG other = enter(socket);
    if (other != 0) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)table, other,
                     socket->category, socket->rules->table,
                     "The driver enabled events of the socket %p, a %s socket with the table %p, "
                     "but that table belongs to a %s socket, too: each category has a type of its "
                     "own.",
                     (void *)socket, wsk_category_name(socket->category), table,
                     wsk_category_name(other));
    }
}

void wsk_table_leave(struct wsk_socket *socket)
{
    struct wsk_state *wsk = wsk_state();
    struct wsk_tables *tables = &socket->client->tables;
    if (socket->entered == NULL) {
        return;
    }
    base_mutex_lock(&wsk->lock);
    for (unsigned i = 0; i < WSK_TABLES_MAX; i++) {
        if (tables->known[i].table == socket->entered &&
            tables->known[i].category == socket->category && --tables->known[i].sockets == 0) {
            tables->known[i].table = NULL;
        }
    }
    base_mutex_unlock(&wsk->lock);
}

/* The routine of an event, which the role has; NULL if there is none. */
static PVOID routine_of(const struct wsk_socket *socket, ULONG event)
{
    const WSK_CLIENT_CONNECTION_DISPATCH *connection = socket->dispatch;
    const WSK_CLIENT_LISTEN_DISPATCH *listen = socket->dispatch;
    const WSK_CLIENT_DATAGRAM_DISPATCH *datagram = socket->dispatch;
    switch (event) {
    case WSK_EVENT_ACCEPT:
        return (PVOID)(ULONG_PTR)listen->WskAcceptEvent;
    case WSK_EVENT_RECEIVE_FROM:
        return (PVOID)(ULONG_PTR)datagram->WskReceiveFromEvent;
    case WSK_EVENT_RECEIVE:
        return (PVOID)(ULONG_PTR)connection->WskReceiveEvent;
    case WSK_EVENT_DISCONNECT:
        return (PVOID)(ULONG_PTR)connection->WskDisconnectEvent;
    default:
        return (PVOID)(ULONG_PTR)connection->WskSendBacklogEvent;
    }
}

void wsk_table_check_events(struct wsk_socket *socket, ULONG mask)
{
    bool is_in_accept = socket->role == WSK_ROLE_CONNECTION && !socket->connection.is_offered;
    bool is_missing = socket->dispatch == NULL;
    if (mask == 0 || !verifier_is_on()) {
        return;
    }
    if (!is_missing) {
        check_category(socket);
    }
    for (ULONG left = mask; left != 0 && !is_missing; left &= left - 1) {
        is_missing = routine_of(socket, left & (0 - left)) == NULL;
    }
    if (is_missing) {
        ke_warning(is_in_accept ? "WSK-HDR-21" : "WSK-SOCK-16",
                   "the driver enabled the events 0x%X of the socket %p, %s", (unsigned)mask,
                   (const void *)socket,
                   is_in_accept ? "before it had set *AcceptSocketDispatch"
                                : "but gave it no table, or one without a routine for them");
    }
}
