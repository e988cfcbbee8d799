/*
 * Conditional accept: WskInspectEvent, WskInspectComplete, WskAbortEvent.
 *
 * On Windows the driver is asked before TCP answers the peer. The host's sockets cannot do that:
 * they hand out connections whose handshake is done. So a listener in this mode takes each
 * connection at once, asks, and keeps it from the driver until it was let through. An arrival is a
 * connection that waits so:
 *
 *     asked      WskInspectEvent runs; WskInspectComplete may come before it returns
 *     pended     it returned WskInspectPend
 *     answered   WskInspectComplete let it through, but its peer has gone: only the abort is due
 *     decided    rejected or aborted, and about to go; or let through: then it is in the other
 *                list until an accept IRP or the accept event takes it
 *
 * Arrivals are the listener's, guarded by its lock. While an arrival is not decided, its
 * connection points to it and watches for the peer's end: the connection's lock comes before the
 * listener's. Whoever takes an arrival off its list clears that pointer, with no other lock held.
 *
 * What a driver and its peer observe differently from Windows:
 * - The peer's connect succeeds before the driver is asked; it may send, which waits unread. On
 *   Windows it goes on trying, so a slow inspection can end in the peer's timeout.
 * - A rejected peer, or one that waits when the listener closes, sees its connection reset, not
 *   refused.
 * - A request counts as dropped when the peer resets, or ends the stream without having sent
 *   anything. Windows knows no end of stream here. A peer that sent something and then ended its
 *   direction still wants an answer, so its request lives on.
 * - A request that was let through is established at once. If the peer goes then, the driver
 *   accepts a connection that has ended; on Windows it may see WskAbortEvent instead.
 * - Windows limits half-open connections; here at most ARRIVALS_MAX wait for the driver, and the
 *   rest in the host's backlog.
 * - The driver sees no abort for what it answered with WskInspectAccept inside the event, except
 *   if the peer went during that call.
 *
 * Chosen where the documents say nothing: an id that is unknown, answered or aborted gives
 * STATUS_NOT_FOUND; after WskCloseSocket was called WskAbortEvent is not called any more.
 */
#include "wsk/listener.h"

#include "ke/bugcheck.h"
#include "ke/warning.h"
#include "wsk/memory.h"
#include "wsk/misuse.h"
#include "wsk/wsk.h"

#include <stdlib.h>

#define ARRIVALS_MAX 512

/* A request is forgotten that waits while so many later ones were made. */
#define FORGOTTEN_AFTER 16

/* Decided ones are off the list; what their peer does now is their connection's affair. */
enum arrival_state { ARRIVAL_ASKED, ARRIVAL_PENDED, ARRIVAL_ANSWERED, ARRIVAL_DECIDED };

/* Guarded by the listener's lock. */
struct wsk_arrival {
    LIST_ENTRY link; /* in wsk_listener.inspected or .admitted */
    struct wsk_socket *listener;
    struct wsk_socket *accepted;
    WSK_INSPECT_ID id;
    WSK_INSPECT_ID given;          /* what the driver gets to see, and has to copy */
    const WSK_INSPECT_ID *on_loan; /* the same at level full */
    enum arrival_state state;
    WSK_INSPECT_ACTION early; /* of a WskInspectComplete while it is asked; pend: none came */
    bool is_dropped;
};

static const WSK_CLIENT_LISTEN_DISPATCH *table_of(const struct wsk_socket *socket)
{
    return socket->dispatch;
}

void wsk_inspect_start(struct wsk_socket *socket)
{
    InitializeListHead(&socket->listener.inspected);
    InitializeListHead(&socket->listener.admitted);
}

void wsk_inspect_check(const struct wsk_socket *socket)
{
    const WSK_CLIENT_LISTEN_DISPATCH *table = table_of(socket);
    if (!socket->listener.is_conditional ||
        (table != NULL && table->WskInspectEvent != NULL && table->WskAbortEvent != NULL)) {
        return;
    }
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)socket, 0, 0,
                "WSK-INSP-06",
                "The driver bound the listening socket %p in conditional accept mode, but gave it "
                "no WskInspectEvent or no WskAbortEvent.",
                (const void *)socket);
}

bool wsk_inspect_has_room(const struct wsk_socket *socket)
{
    return socket->listener.arrivals < ARRIVALS_MAX;
}

/* ---- arrivals ---- */

static struct wsk_arrival *arrival_of(LIST_ENTRY *entry)
{
    return CONTAINING_RECORD(entry, struct wsk_arrival, link);
}

/* The connection's watch for its peer's end begins. No lock is held. */
static void watch(struct wsk_arrival *arrival)
{
    struct wsk_socket *accepted = arrival->accepted;
    wsk_socket_lock(accepted);
    accepted->connection.arrival = arrival;
    wsk_socket_want(accepted);
    wsk_socket_unlock(accepted);
}

/* The watch ends; the arrival is in no list. No lock is held. */
static void unwatch(struct wsk_arrival *arrival, bool is_admitted)
{
    struct wsk_socket *accepted = arrival->accepted;
    wsk_socket_lock(accepted);
    accepted->connection.arrival = NULL;
    if (is_admitted) {
        accepted->connection.has_inspect_id = true;
        accepted->connection.inspect_id = arrival->id;
    }
    wsk_socket_want(accepted);
    wsk_socket_unlock(accepted);
}

/* Takes an arrival off the list of inspected ones. The lock is held. */
static void decide(struct wsk_socket *socket, struct wsk_arrival *arrival)
{
    RemoveEntryList(&arrival->link);
    arrival->state = ARRIVAL_DECIDED;
    socket->listener.dropped -= arrival->is_dropped ? 1 : 0;
}

static void discard(struct wsk_arrival *arrival)
{
    wsk_socket_discard(arrival->accepted);
    free(arrival);
}

/* The lock is held on entry and return. */
static void reject(struct wsk_socket *socket, struct wsk_arrival *arrival)
{
    decide(socket, arrival);
    socket->listener.arrivals--;
    wsk_socket_unlock(socket);
    unwatch(arrival, false);
    discard(arrival);
    wsk_socket_lock(socket);
}

/* The lock is held on entry and return. */
static void admit(struct wsk_socket *socket, struct wsk_arrival *arrival)
{
    if (arrival->is_dropped) {
        arrival->state = ARRIVAL_ANSWERED;
        return;
    }
    decide(socket, arrival);
    wsk_socket_unlock(socket);
    unwatch(arrival, true);
    wsk_socket_lock(socket);
    InsertTailList(&socket->listener.admitted, &arrival->link);
    wsk_listener_feed(socket);
}

NTSTATUS wsk_inspect_take(struct wsk_socket *socket, struct wsk_socket **accepted)
{
    if (IsListEmpty(&socket->listener.admitted)) {
        return STATUS_PENDING;
    }
    struct wsk_arrival *arrival = arrival_of(RemoveHeadList(&socket->listener.admitted));
    socket->listener.arrivals--;
    *accepted = arrival->accepted;
    free(arrival);
    return STATUS_SUCCESS;
}

/* Whether the peer has given up: it reset, or ended the stream and sent nothing. */
static bool has_gone(struct wsk_socket *accepted)
{
    size_t unread = 0;
    return accepted->net == NULL || net_error_of(accepted->net) != NET_OK ||
           net_unread(accepted->net, &unread) != NET_OK || unread == 0;
}

void wsk_inspect_hung_up(struct wsk_socket *accepted)
{
    struct wsk_arrival *arrival = accepted->connection.arrival;
    struct wsk_socket *socket = arrival->listener;
    if (!has_gone(accepted)) {
        return;
    }
    wsk_socket_lock(socket);
    if (!socket->is_closing && !arrival->is_dropped && arrival->state != ARRIVAL_DECIDED) {
        arrival->is_dropped = true;
        socket->listener.dropped++;
        socket->receive.is_event_due = true;
        wsk_queue_post(&socket->receive);
    }
    wsk_socket_unlock(socket);
}

/* The connections of a listener that was left open are left open, too: only the arrivals go. */
static void end_list(LIST_ENTRY *list, bool is_left_open)
{
    while (!IsListEmpty(list)) {
        struct wsk_arrival *arrival = arrival_of(RemoveHeadList(list));
        if (is_left_open) {
            free(arrival);
            continue;
        }
        unwatch(arrival, false);
        discard(arrival);
    }
}

void wsk_inspect_end(struct wsk_socket *socket)
{
    bool is_left_open = socket->references != 0;
    end_list(&socket->listener.inspected, is_left_open);
    end_list(&socket->listener.admitted, is_left_open);
}

/* ---- WskInspectEvent ---- */

/* What follows from an answer. The lock is held on entry and return. */
static void act(struct wsk_socket *socket, struct wsk_arrival *arrival, WSK_INSPECT_ACTION action)
{
    switch (action) {
    case WskInspectAccept:
        admit(socket, arrival);
        return;
    case WskInspectReject:
        reject(socket, arrival);
        return;
    case WskInspectPend:
    case WskInspectMax:
        arrival->state = ARRIVAL_PENDED;
        return;
    }
}

/* The event returned. The lock is held. */
static void settle(struct wsk_socket *socket, struct wsk_arrival *arrival,
                   WSK_INSPECT_ACTION action)
{
    if (action == WskInspectPend) {
        act(socket, arrival, arrival->early);
        return;
    }
    if (arrival->early != WskInspectPend) {
        ke_warning("WSK-INSP-21", "WskInspectComplete was called for a request that "
                                  "WskInspectEvent itself then answered");
    }
    act(socket, arrival, action);
}

static WSK_INSPECT_ACTION call_routine(PFN_WSK_INSPECT_EVENT routine, PVOID context,
                                       const struct net_address *local,
                                       const struct net_address *remote, PWSK_INSPECT_ID id)
{
    SOCKADDR_INET local_address;
    SOCKADDR_INET remote_address;
    struct ke_callback callback;
    struct wsk_loan loans[2];
    wsk_address_to(local, (PSOCKADDR)&local_address);
    wsk_address_to(remote, (PSOCKADDR)&remote_address);
    wsk_loan_begin(&loans[0], &local_address, sizeof(local_address), "address", "WSK-INSP-17");
    wsk_loan_begin(&loans[1], &remote_address, sizeof(remote_address), "address", "WSK-INSP-17");
    ke_callback_enter(&callback, "WskInspectEvent", (void *)(ULONG_PTR)routine);
    WSK_INSPECT_ACTION action = routine(context, loans[0].copy, loans[1].copy, id);
    ke_callback_leave(&callback);
    wsk_loan_end(&loans[0], (const void *)(ULONG_PTR)routine);
    wsk_loan_end(&loans[1], (const void *)(ULONG_PTR)routine);
    return action;
}

/* Asks the driver; no lock is held. */
static WSK_INSPECT_ACTION ask(PFN_WSK_INSPECT_EVENT routine, PVOID context,
                              struct wsk_arrival *arrival)
{
    struct wsk_loan loan;
    struct net_address local = arrival->accepted->local;
    struct net_address remote = arrival->accepted->remote;
    arrival->given = arrival->id;
    wsk_loan_begin(&loan, &arrival->given, sizeof(arrival->given), "WSK_INSPECT_ID", "WSK-INSP-15");
    arrival->on_loan = loan.copy;
    WSK_INSPECT_ACTION action = call_routine(routine, context, &local, &remote, loan.copy);
    wsk_loan_end(&loan, (const void *)(ULONG_PTR)routine);
    if (action != WskInspectAccept && action != WskInspectReject && action != WskInspectPend) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)arrival->listener,
                    (ULONG_PTR)action, 0, "WSK-INSP-14",
                    "The driver's WskInspectEvent returned %d, which is no answer that it may "
                    "give.",
                    (int)action);
    }
    return action;
}

/* Takes a connection from the host as an arrival; NULL if none waits. The lock is held. */
static struct wsk_arrival *next_arrival(struct wsk_socket *socket)
{
    struct wsk_socket *accepted;
    struct wsk_listener *listener = &socket->listener;
    if (!wsk_inspect_has_room(socket)) {
        return NULL;
    }
    struct wsk_arrival *arrival = calloc(1, sizeof(*arrival));
    if (arrival == NULL) {
        return NULL; /* the connection stays with the host */
    }
    if (wsk_listener_take(socket, &accepted) != STATUS_SUCCESS) {
        free(arrival);
        return NULL;
    }
    arrival->listener = socket;
    arrival->accepted = accepted;
    arrival->early = WskInspectPend;
    arrival->id = (WSK_INSPECT_ID){.Key = (ULONG_PTR)accepted, .SerialNumber = ++listener->serial};
    InsertTailList(&listener->inspected, &arrival->link);
    listener->arrivals++;
    return arrival;
}

bool wsk_inspect_indicate(struct wsk_socket *socket)
{
    struct wsk_arrival *arrival = socket->listener.is_conditional ? next_arrival(socket) : NULL;
    if (arrival == NULL) {
        return false;
    }
    PFN_WSK_INSPECT_EVENT routine = table_of(socket)->WskInspectEvent;
    PVOID context = socket->context;
    wsk_socket_unlock(socket);
    watch(arrival);
    WSK_INSPECT_ACTION action = ask(routine, context, arrival);
    wsk_socket_lock(socket);
    settle(socket, arrival, action);
    return true;
}

bool wsk_inspect_indicate_death(struct wsk_socket *socket)
{
    if (!socket->listener.is_conditional || socket->is_closing) {
        return false;
    }
    PFN_WSK_INSPECT_EVENT routine = table_of(socket)->WskInspectEvent;
    struct net_address nowhere = {.family = wsk_net_family(socket->family)};
    wsk_dead_tell(socket, "WSK-INSP-10");
    PVOID context = socket->context;
    wsk_socket_unlock(socket);
    call_routine(routine, context, &nowhere, &nowhere, NULL);
    wsk_socket_lock(socket);
    return true;
}

/* ---- WskAbortEvent ---- */

static struct wsk_arrival *find_dropped(struct wsk_socket *socket)
{
    LIST_ENTRY *list = &socket->listener.inspected;
    if (socket->listener.dropped == 0) {
        return NULL;
    }
    for (LIST_ENTRY *entry = list->Flink; entry != list; entry = entry->Flink) {
        struct wsk_arrival *arrival = arrival_of(entry);
        if (arrival->is_dropped && arrival->state != ARRIVAL_ASKED) {
            return arrival;
        }
    }
    return NULL;
}

static void call_abort_event(PFN_WSK_ABORT_EVENT routine, PVOID context, WSK_INSPECT_ID id)
{
    struct ke_callback callback;
    ke_callback_enter(&callback, "WskAbortEvent", (void *)(ULONG_PTR)routine);
    NTSTATUS status = routine(context, &id);
    ke_callback_leave_with(&callback, status);
    if (status != STATUS_SUCCESS) {
        ke_callback_warn_of_status("WSK-INSP-32", "WskAbortEvent", (const void *)(ULONG_PTR)routine,
                                   status, NULL);
    }
}

bool wsk_inspect_indicate_abort(struct wsk_socket *socket)
{
    struct wsk_arrival *arrival = find_dropped(socket);
    if (arrival == NULL) {
        return false;
    }
    PFN_WSK_ABORT_EVENT routine = table_of(socket)->WskAbortEvent;
    PVOID context = socket->context;
    decide(socket, arrival);
    socket->listener.arrivals--;
    wsk_socket_unlock(socket);
    unwatch(arrival, false);
    call_abort_event(routine, context, arrival->id);
    discard(arrival);
    wsk_socket_lock(socket);
    return true;
}

/* ---- WskInspectComplete ---- */

/* The request that waits for this answer, or NULL. The lock is held. */
static struct wsk_arrival *find_unanswered(struct wsk_socket *socket, const WSK_INSPECT_ID *id)
{
    LIST_ENTRY *list = &socket->listener.inspected;
    for (LIST_ENTRY *entry = list->Flink; entry != list; entry = entry->Flink) {
        struct wsk_arrival *arrival = arrival_of(entry);
        bool is_open = arrival->state == ARRIVAL_PENDED ||
                       (arrival->state == ARRIVAL_ASKED && arrival->early == WskInspectPend);
        if (is_open && arrival->id.Key == id->Key && arrival->id.SerialNumber == id->SerialNumber) {
            return arrival;
        }
    }
    return NULL;
}

/* The driver kept the pointer to an id instead of the id. The lock is held. */
static void check_copied(struct wsk_socket *socket, const WSK_INSPECT_ID *id)
{
    LIST_ENTRY *list = &socket->listener.inspected;
    for (LIST_ENTRY *entry = list->Flink; entry != list; entry = entry->Flink) {
        const struct wsk_arrival *arrival = arrival_of(entry);
        if (arrival->state != ARRIVAL_ASKED && (id == &arrival->given || id == arrival->on_loan)) {
            ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)socket,
                         (ULONG_PTR)id, 0, "WSK-INSP-23",
                         "The driver called WskInspectComplete with the pointer %p that "
                         "WskInspectEvent got, and not with a copy of the id.",
                         (const void *)id);
        }
    }
}

/* Whether the driver has left a request alone while it answered so many later ones. The lock is
 * held. */
static void look_for_forgotten(struct wsk_socket *socket, ULONG serial)
{
    LIST_ENTRY *list = &socket->listener.inspected;
    if (IsListEmpty(list) || socket->listener.is_forgotten_told) {
        return;
    }
    const struct wsk_arrival *oldest = arrival_of(list->Flink);
    if (oldest->state == ARRIVAL_PENDED && serial - oldest->id.SerialNumber >= FORGOTTEN_AFTER &&
        serial > oldest->id.SerialNumber) {
        socket->listener.is_forgotten_told = true;
        ke_warning("WSK-INSP-16",
                   "the driver answered request %u of the listening socket %p, and has left "
                   "request %u pending",
                   (unsigned)serial, (void *)socket, (unsigned)oldest->id.SerialNumber);
    }
}

/* The lock is held. */
static NTSTATUS answer(struct wsk_socket *socket, const WSK_INSPECT_ID *id,
                       WSK_INSPECT_ACTION action)
{
    if (socket->state != WSK_LISTENING || !socket->listener.is_conditional) {
        wsk_misuse("WSK-INSP-21", "WskInspectComplete", "socket", socket,
                   "which does not listen in conditional accept mode");
        return STATUS_INVALID_DEVICE_STATE;
    }
    check_copied(socket, id);
    struct wsk_arrival *arrival = find_unanswered(socket, id);
    if (arrival == NULL) {
        return STATUS_NOT_FOUND;
    }
    look_for_forgotten(socket, arrival->id.SerialNumber);
    if (arrival->state == ARRIVAL_ASKED) {
        arrival->early = action;
        return STATUS_SUCCESS;
    }
    act(socket, arrival, action);
    return STATUS_SUCCESS;
}

/*
 * Answers a request whose WskInspectEvent returned WskInspectPend. Action: WskInspectAccept or
 * WskInspectReject. Information 0. Refused with STATUS_INVALID_PARAMETER (no id, other action),
 * STATUS_INVALID_DEVICE_STATE (not in conditional accept mode), STATUS_NOT_FOUND (no such request
 * waits for an answer). <= DISPATCH_LEVEL. (WSK-INSP-20 to WSK-INSP-31)
 */
NTSTATUS WSKAPI wsk_inspect_complete(PWSK_SOCKET ListenSocket, PWSK_INSPECT_ID InspectID,
                                     WSK_INSPECT_ACTION Action, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(ListenSocket);
    WSK_CALL(socket, WSK_LISTENERS, "WskInspectComplete");
    NTSTATUS status = wsk_call_begin(socket, Irp, "WskInspectComplete");
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (InspectID == NULL) {
        return wsk_irp_refuse(Irp, STATUS_INVALID_PARAMETER);
    }
    if (Action != WskInspectAccept && Action != WskInspectReject) {
        return wsk_misuse_refuse(socket, Irp, STATUS_INVALID_PARAMETER, "WSK-INSP-22",
                                 "WskInspectComplete",
                                 "with an action that is neither to accept nor to reject");
    }
    wsk_socket_lock(socket);
    wsk_socket_reference_locked(socket);
    status = answer(socket, InspectID, Action);
    socket->receive.is_event_due = true;
    wsk_socket_unlock(socket);
    status =
        NT_SUCCESS(status) ? wsk_irp_finish(socket, Irp, status, 0) : wsk_irp_refuse(Irp, status);
    wsk_socket_lock(socket);
    wsk_queue_deliver(&socket->receive);
    wsk_socket_unlock_and_dereference(socket);
    return status;
}
