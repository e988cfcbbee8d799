/*
 * Calls of functions of sockets.
 *
 * Each thread keeps record of the sockets that it executes calls on, so that a close by another
 * thread meanwhile is found out. A call counts until it returns, or until what becomes of its IRP
 * stands: from then on another thread may complete the IRP, and a driver that waits for its
 * completion routine and closes then cannot know whether the call has returned. On Windows it
 * cannot either. A thread that closes the socket inside a call of its own is left alone.
 * (WSK-CLOSE-05, WSK-CLOSE-28)
 *
 * A closed socket keeps its memory for a while (see socket.c), so that who calls it is told, and a
 * call that executes finds it.
 *
 * The table of one category is not that of another. What a driver calls behind the end of the
 * table that it has stops here, too.
 */
#include "wsk/call.h"

#include "ke/bugcheck.h"
#include "ke/warning.h"
#include "verifier/object.h"
#include "wsk/wsk.h"

#include <string.h>

/* So often a driver may call a socket of which it was told that it no longer works. */
#define DEAD_CALLS_MAX 8

BASE_THREAD_LOCAL const struct wsk_socket *wsk_event_of;

const char *wsk_category_name(ULONG category)
{
    switch (category) {
    case WSK_FLAG_LISTEN_SOCKET:
        return "listening";
    case WSK_FLAG_CONNECTION_SOCKET:
        return "connection-oriented";
    case WSK_FLAG_DATAGRAM_SOCKET:
        return "datagram";
    case WSK_FLAG_STREAM_SOCKET:
        return "stream";
    default:
        return "basic";
    }
}

/* Every socket points at one of these, a closed one too. */
static bool is_socket(const struct wsk_socket *socket)
{
    const VOID *const tables[] = {&wsk_listen_dispatch, &wsk_connection_dispatch,
                                  &wsk_datagram_dispatch, &wsk_stream_dispatch,
                                  &wsk_basic_dispatch};
    for (unsigned i = 0; i < RTL_NUMBER_OF(tables); i++) {
        if (socket->public.Dispatch == tables[i]) {
            return true;
        }
    }
    return false;
}

void wsk_call_wrong_category(struct wsk_socket *socket, const char *function)
{
    if (!is_socket(socket)) {
        verifier_object_is_subject(socket);
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)socket, 0, 0,
                    "WSK-SOCK-06", "The driver called %s on %p, which is no socket.", function,
                    (void *)socket);
    }
    ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)socket,
                 socket->category, 0, "WSK-SOCK-30",
                 "The driver called %s on the socket %p, which is a %s socket: its table has no "
                 "such function.",
                 function, (void *)socket, wsk_category_name(socket->category));
}

NTSTATUS WSKAPI wsk_call_beyond(PWSK_SOCKET Socket)
{
    const struct wsk_socket *socket = wsk_socket_of(Socket);
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)socket,
                socket->category, 0, "WSK-SOCK-30",
                "The driver called a function that lies behind the end of the table of the socket "
                "%p: it is a %s socket, and the table was taken for that of another category.",
                (const void *)socket, wsk_category_name(socket->category));
}

static unsigned calls_of(const struct _KTHREAD *thread, const struct wsk_socket *socket)
{
    unsigned count = 0;
    for (unsigned i = 0; i < KE_CALLS_MAX; i++) {
        count += atomic_load_explicit(&thread->calls[i], memory_order_relaxed) == socket;
    }
    return count;
}

unsigned wsk_calls_elsewhere(const struct wsk_socket *socket)
{
    const LIST_ENTRY *all = &ke_kernel()->threads.all;
    unsigned count = 0;
    ke_lock();
    for (const LIST_ENTRY *entry = all->Flink; entry != all; entry = entry->Flink) {
        const struct _KTHREAD *thread = CONTAINING_RECORD(entry, struct _KTHREAD, link);
        count += thread != ke_thread_slot.thread ? calls_of(thread, socket) : 0;
    }
    ke_unlock();
    return count;
}

void wsk_call_check_close(struct wsk_socket *socket)
{
    unsigned callers = verifier_is_on() ? wsk_calls_elsewhere(socket) : 0;
    if (callers == 0) {
        return;
    }
    ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)socket, callers, 0,
                 "WSK-CLOSE-05",
                 "The driver called WskCloseSocket on the socket %p while %u of its calls on it, "
                 "in other threads, had not returned.",
                 (void *)socket, callers);
}

void wsk_call_after_close(const struct wsk_socket *socket, PIRP irp, const char *function)
{
    if (socket->is_refused) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)socket,
                    (ULONG_PTR)irp, 0, "WSK-HDR-22",
                    "The driver called %s on the socket %p, which its WskAcceptEvent had refused: "
                    "WSK has closed it.",
                    function, (const void *)socket);
    }
    if (atomic_load(&socket->is_closed)) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)socket,
                    (ULONG_PTR)irp, 0, "WSK-CLOSE-13",
                    "The driver called %s on the socket %p, which it had closed: the close has "
                    "completed and the socket is gone.",
                    function, (const void *)socket);
    }
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)socket, (ULONG_PTR)irp, 0, 0,
                "WSK-CLOSE-10",
                "The driver called %s on the socket %p after it had called WskCloseSocket on it.",
                function, (const void *)socket);
}

/* ---- sockets that no longer work ---- */

static const char *rule_of(const char *function)
{
    static const struct {
        const char *function;
        const char *rule;
    } rules[] = {
        {"WskBind", "WSK-BIND-07"},         {"WskAccept", "WSK-ACC-09"},
        {"WskConnect", "WSK-CONN-08"},      {"WskConnectEx", "WSK-CONN-08"},
        {"WskSend", "WSK-SEND-09"},         {"WskReceive", "WSK-RECV-07"},
        {"WskDisconnect", "WSK-DISC-09"},   {"WskSendTo", "WSK-DGRM-09"},
        {"WskSendMessages", "WSK-DGRM-09"}, {"WskReceiveFrom", "WSK-DGRM-09"},
        {"WskControlSocket", "WSK-SKO-07"},
    };
    for (unsigned i = 0; i < RTL_NUMBER_OF(rules); i++) {
        if (strcmp(rules[i].function, function) == 0) {
            return rules[i].rule;
        }
    }
    return "WSK-CLOSE-20";
}

void wsk_dead_tell(struct wsk_socket *socket, const char *rule)
{
    const char *none = NULL;
    atomic_compare_exchange_strong(&socket->dead_rule, &none, rule);
}

void wsk_dead_call(struct wsk_socket *socket, const char *function)
{
    wsk_dead_tell(socket, rule_of(function));
    if (atomic_fetch_add(&socket->dead_calls, 1) + 1 == DEAD_CALLS_MAX) {
        ke_warning(rule_of(function),
                   "the driver called %s on the socket %p, which no longer works: %u of its calls "
                   "were refused with STATUS_FILE_FORCED_CLOSED, and it did not close it",
                   function, (void *)socket, DEAD_CALLS_MAX);
    }
}

/* A socket of the client that the driver should have closed, to be named; or NULL. */
static struct wsk_socket *find_dead(const struct wsk_client *client)
{
    struct wsk_state *wsk = wsk_state();
    struct wsk_socket *found = NULL;
    base_mutex_lock(&wsk->lock);
    for (LIST_ENTRY *entry = wsk->sockets.Flink; entry != &wsk->sockets && found == NULL;
         entry = entry->Flink) {
        struct wsk_socket *socket = CONTAINING_RECORD(entry, struct wsk_socket, link);
        if (socket->client == client && !socket->is_closing &&
            atomic_load(&socket->dead_rule) != NULL) {
            found = socket;
        }
    }
    base_mutex_unlock(&wsk->lock);
    return found;
}

void wsk_dead_check(struct wsk_client *client)
{
    const struct wsk_socket *socket = verifier_is_on() ? find_dead(client) : NULL;
    if (socket != NULL) {
        ke_warning(atomic_load(&socket->dead_rule),
                   "the driver was told that the socket %p no longer works, and has not closed it",
                   (const void *)socket);
    }
}
