#include "wsk/misuse.h"

#include "ke/warning.h"
#include "verifier/once.h"
#include "wsk/wsk.h"

#include <stdio.h>
#include <string.h>

void wsk_misuse(const char *rule, const char *function, const char *kind, const void *object,
                const char *how)
{
    if (verifier_is_on() && verifier_speaks_first(rule, object)) {
        ke_warning(rule, "the driver called %s on the %s %p, %s", function, kind, object, how);
    }
}

NTSTATUS wsk_misuse_refuse(struct wsk_socket *socket, PIRP irp, NTSTATUS status, const char *rule,
                           const char *function, const char *how)
{
    wsk_misuse(rule, function, "socket", socket, how);
    return wsk_irp_refuse(irp, status);
}

/* What stands in the table of a connection-oriented socket where that of a datagram socket has the
 * function, or NULL: who took the one for the other passes other arguments. */
static const char *mistaken_for(const char *function, const char *kind, const void *object)
{
    static const char *const names[][2] = {
        {"WskSendTo", "WskConnect"},
        {"WskReceiveFrom", "WskGetLocalAddress"},
        {"WskGetLocalAddress", "WskSend"},
        {"WskSendMessages", "WskReceive"},
    };
    const struct wsk_socket *socket = object;
    if (strcmp(kind, "socket") != 0 || socket->category != WSK_FLAG_DATAGRAM_SOCKET) {
        return NULL;
    }
    for (unsigned i = 0; i < RTL_NUMBER_OF(names); i++) {
        if (strcmp(names[i][0], function) == 0) {
            return names[i][1];
        }
    }
    return NULL;
}

static void report_no_irp(const char *rule, const char *function, const char *kind,
                          const void *object)
{
    const char *other = mistaken_for(function, kind, object);
    char how[160] = "without an IRP";
    if (other != NULL) {
        snprintf(how, sizeof(how),
                 "a datagram socket, without an IRP; in the table of a connection-oriented socket "
                 "%s stands at that place",
                 other);
    }
    wsk_misuse(rule, function, kind, object, how);
}

void wsk_misuse_no_irp(const char *function, const char *kind, const void *object)
{
    static const struct {
        const char *function;
        const char *rule;
    } rules[] = {
        {"WskSocket", "WSK-SOCK-02"},
        {"WskBind", "WSK-BIND-01"},
        {"WskListen", "WSK-LSTN-01"},
        {"WskAccept", "WSK-ACC-01"},
        {"WskInspectComplete", "WSK-INSP-20"},
        {"WskConnect", "WSK-CONN-01"},
        {"WskConnectEx", "WSK-CONN-15"},
        {"WskSocketConnect", "WSK-SOCK-39"},
        {"WskSend", "WSK-SEND-01"},
        {"WskReceive", "WSK-RECV-01"},
        {"WskDisconnect", "WSK-DISC-01"},
        {"WskSendTo", "WSK-DGRM-01"},
        {"WskSendMessages", "WSK-DGRM-20"},
        {"WskReceiveFrom", "WSK-DGRM-28"},
        {"WskCloseSocket", "WSK-CLOSE-01"},
        {"WskGetLocalAddress", "WSK-ADDR-01"},
        {"WskGetRemoteAddress", "WSK-ADDR-01"},
    };
    for (unsigned i = 0; i < RTL_NUMBER_OF(rules); i++) {
        if (strcmp(rules[i].function, function) == 0) {
            report_no_irp(rules[i].rule, function, kind, object);
        }
    }
}

/* ---- states ---- */

enum situation { UNBOUND = 1, IDLE = 2, CONNECTING = 4, LISTENER = 8, CONNECTION = 16, SHUT = 32 };

#define NOT_CONNECTED (UNBOUND | IDLE | CONNECTING)

/* The lock is held. */
static enum situation situation_of(const struct wsk_socket *socket)
{
    switch (socket->state) {
    case WSK_OPENED:
        return UNBOUND;
    case WSK_LISTENING:
        return LISTENER;
    case WSK_CONNECTING:
        return CONNECTING;
    case WSK_CONNECTED:
        return socket->connection.is_send_shut ? SHUT : CONNECTION;
    default:
        return IDLE;
    }
}

static const char *describe(enum situation situation)
{
    switch (situation) {
    case UNBOUND:
        return "which is not bound";
    case CONNECTING:
        return "which is not connected yet";
    case LISTENER:
        return "which listens";
    case CONNECTION:
        return "which is a connection";
    case SHUT:
        return "whose sending direction it had ended with WskDisconnect";
    default:
        return "which is bound, but neither listens nor is connected";
    }
}

/* Several pages forbid the same; the rule that speaks of the function and the category is named.
 * The first row that fits counts. */
static const struct forbidden {
    const char *function;
    unsigned situations; /* enum situation */
    ULONG categories;
    const char *rule;
} forbidden[] = {
    {"WskAccept", UNBOUND, WSK_FLAG_LISTEN_SOCKET, "WSK-BIND-09"},
    {"WskAccept", UNBOUND, WSK_FLAG_STREAM_SOCKET, "WSK-ACC-02"},
    {"WskAccept", IDLE, WSK_FLAG_STREAM_SOCKET, "WSK-STRM-06"},
    {"WskAccept", CONNECTING | CONNECTION | SHUT, WSK_FLAG_STREAM_SOCKET, "WSK-CONN-10"},
    {"WskListen", UNBOUND, WSK_FLAG_STREAM_SOCKET, "WSK-LSTN-02"},
    {"WskListen", CONNECTING | CONNECTION | SHUT, WSK_FLAG_STREAM_SOCKET, "WSK-CONN-10"},
    {"WskConnect", UNBOUND, WSK_FLAG_CONNECTION_SOCKET, "WSK-CONN-03"},
    {"WskConnect", UNBOUND, WSK_FLAG_STREAM_SOCKET, "WSK-BIND-12"},
    {"WskConnectEx", UNBOUND, WSK_FLAG_CONNECTION_SOCKET, "WSK-BIND-11"},
    {"WskConnectEx", UNBOUND, WSK_FLAG_STREAM_SOCKET, "WSK-STRM-04"},
    {"WskConnect", LISTENER, WSK_STREAMS, "WSK-LSTN-07"},
    {"WskConnectEx", LISTENER, WSK_STREAMS, "WSK-LSTN-07"},
    {"WskSend", LISTENER, WSK_STREAMS, "WSK-LSTN-07"},
    {"WskSend", SHUT, WSK_STREAMS, "WSK-DISC-20"},
    {"WskSend", NOT_CONNECTED, WSK_FLAG_CONNECTION_SOCKET, "WSK-CONN-11"},
    {"WskSend", NOT_CONNECTED, WSK_FLAG_STREAM_SOCKET, "WSK-SEND-02"},
    {"WskReceive", LISTENER, WSK_STREAMS, "WSK-LSTN-07"},
    {"WskReceive", NOT_CONNECTED, WSK_FLAG_CONNECTION_SOCKET, "WSK-CONN-11"},
    {"WskReceive", NOT_CONNECTED, WSK_FLAG_STREAM_SOCKET, "WSK-RECV-02"},
    {"WskDisconnect", LISTENER, WSK_STREAMS, "WSK-LSTN-07"},
    {"WskDisconnect", NOT_CONNECTED, WSK_STREAMS, "WSK-DISC-02"},
    {"WskGetLocalAddress", UNBOUND, WSK_BINDABLE, "WSK-ADDR-09"},
    {"WskGetRemoteAddress", LISTENER, WSK_STREAMS, "WSK-LSTN-07"},
    {"WskGetRemoteAddress", NOT_CONNECTED, WSK_STREAMS, "WSK-ADDR-10"},
    {"WskSendTo", UNBOUND, WSK_FLAG_DATAGRAM_SOCKET, "WSK-DGRM-03"},
    {"WskSendMessages", UNBOUND, WSK_FLAG_DATAGRAM_SOCKET, "WSK-BIND-10"},
    {"WskReceiveFrom", UNBOUND, WSK_FLAG_DATAGRAM_SOCKET, "WSK-DGRM-30"},
};

static const char *rule_against(const char *function, enum situation situation, ULONG category)
{
    for (unsigned i = 0; i < RTL_NUMBER_OF(forbidden); i++) {
        const struct forbidden *row = &forbidden[i];
        if ((row->situations & (unsigned)situation) != 0 && (row->categories & category) != 0 &&
            strcmp(row->function, function) == 0) {
            return row->rule;
        }
    }
    return NULL;
}

NTSTATUS wsk_misuse_refuse_state(struct wsk_socket *socket, PIRP irp, NTSTATUS status,
                                 const char *function)
{
    enum situation situation = situation_of(socket);
    wsk_socket_unlock(socket);
    const char *rule = rule_against(function, situation, socket->category);
    if (status == STATUS_INVALID_DEVICE_STATE && rule != NULL) {
        wsk_misuse(rule, function, "socket", socket, describe(situation));
    }
    return wsk_irp_refuse(irp, status);
}
