/*
 * Receive and disconnect events of connections.
 *
 * One read from the host becomes one indication of all that it brought, in one mapped MDL. Data
 * that the driver did not accept stays in wsk_connection.held, and everything that follows waits
 * behind it: the host is asked for more only when nothing is held. While a receive event runs its
 * verdict is unknown, so receives wait for its return too. That is what keeps the stream whole.
 *
 * The end of the stream is reported after all data was accepted; a reset at once.
 */
#include "wsk/indication.h"

#include "base/log.h"
#include "base/stack.h"
#include "ex/guarded.h"
#include "ex/poison.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ke/warning.h"
#include "trace/trace.h"
#include "verifier/rule.h"
#include "wsk/wsk.h"

#include <stdlib.h>

/* Freed ones that are kept for the next read, which allocates nothing then. */
#define SPARE_MAX 16

/* With more bytes than this kept by the driver, WSK asks for them back. (WSK-EVT-20) */
#define RETAINED_BYTES_MAX (16 * WSK_INDICATION_BYTES)

/* So much, and so many lists that WSK asked back, are too much for a driver to keep. */
#define KEPT_BYTES_MAX (4 * RETAINED_BYTES_MAX)
#define URGED_MAX 4

/* ---- memory ---- */

static void give_back(struct wsk_indication *indication)
{
    if (indication->guarded != NULL) {
        ex_guarded_retire(indication->guarded, indication->user);
        return;
    }
    ex_unpoison(indication->data, WSK_INDICATION_BYTES);
    free(indication->mdl);
    free(indication->data);
    free(indication);
}

/* The place for a spare one that only the calling thread uses; NULL below DISPATCH_LEVEL. */
static struct wsk_indication **own_place(struct wsk_state *wsk)
{
    const struct ke_processor *processor = ke_current()->processor;
    return processor != NULL ? &wsk->own_spare[processor->number] : NULL;
}

static struct wsk_indication *take_spare(struct wsk_state *wsk)
{
    struct wsk_indication **own = own_place(wsk);
    struct wsk_indication *indication = own != NULL ? *own : NULL;
    if (indication != NULL) {
        *own = NULL;
        return indication;
    }
    base_mutex_lock(&wsk->lock);
    if (!IsListEmpty(&wsk->spare)) {
        indication = CONTAINING_RECORD(RemoveHeadList(&wsk->spare), struct wsk_indication, link);
        wsk->spare_count--;
    }
    base_mutex_unlock(&wsk->lock);
    return indication;
}

/* Whether it is kept for the next one. */
static bool make_spare(struct wsk_state *wsk, struct wsk_indication *indication)
{
    struct wsk_indication **own = own_place(wsk);
    if (indication->guarded != NULL) {
        return false;
    }
    if (own != NULL && *own == NULL) {
        ex_poison(indication->data, WSK_INDICATION_BYTES);
        *own = indication;
        return true;
    }
    base_mutex_lock(&wsk->lock);
    bool is_kept = wsk->spare_count < SPARE_MAX;
    if (is_kept) {
        ex_poison(indication->data, WSK_INDICATION_BYTES);
        InsertHeadList(&wsk->spare, &indication->link);
        wsk->spare_count++;
    }
    base_mutex_unlock(&wsk->lock);
    return is_kept;
}

static SIZE_T mdl_size(void)
{
    return MmSizeOfMdl((PVOID)(PAGE_SIZE - 1), WSK_INDICATION_BYTES);
}

/* In pages of its own, which nobody may touch once the driver must not. */
static struct wsk_indication *allocate_guarded(void)
{
    SIZE_T header = (sizeof(struct wsk_indication) + 15) & ~(SIZE_T)15;
    SIZE_T mdl_bytes = (mdl_size() + 15) & ~(SIZE_T)15;
    struct ex_guarded *guarded =
        ex_guarded_obtain(0, header + mdl_bytes + WSK_INDICATION_BYTES, 16, "received data", NULL);
    if (guarded == NULL) {
        return NULL;
    }
    struct wsk_indication *indication = (struct wsk_indication *)(PVOID)guarded->start;
    guarded->freed_rule = "WSK-IND-06";
    indication->guarded = guarded;
    indication->mdl = (PMDL)(PVOID)(guarded->start + header);
    indication->data = guarded->start + header + mdl_bytes;
    return indication;
}

static struct wsk_indication *allocate(void)
{
    struct wsk_indication *indication = verifier_is_full() ? allocate_guarded() : NULL;
    if (indication != NULL) {
        return indication;
    }
    indication = calloc(1, sizeof(*indication));
    SIZE_T mdl_bytes = mdl_size();
    if (indication == NULL) {
        return NULL;
    }
    indication->mdl = malloc(mdl_bytes);
    indication->data = malloc(WSK_INDICATION_BYTES);
    if (indication->mdl == NULL || indication->data == NULL) {
        give_back(indication);
        return NULL;
    }
    return indication;
}

struct wsk_indication *wsk_indication_create(void)
{
    struct wsk_indication *indication = take_spare(wsk_state());
    if (indication == NULL) {
        return allocate();
    }
    ex_unpoison(indication->data, WSK_INDICATION_BYTES);
    indication->start = 0;
    indication->is_retained = false;
    indication->is_released = false;
    return indication;
}

void wsk_indication_free(struct wsk_indication *indication)
{
    if (indication != NULL && !make_spare(wsk_state(), indication)) {
        give_back(indication);
    }
}

void wsk_indication_abandon(struct wsk_indication *indication)
{
    wsk_list_insert(&wsk_state()->abandoned, &indication->link);
}

void wsk_indications_start(struct wsk_state *wsk)
{
    InitializeListHead(&wsk->abandoned);
    InitializeListHead(&wsk->spare);
}

unsigned wsk_indications_report(struct wsk_state *wsk)
{
    unsigned left = 0;
    for (LIST_ENTRY *entry = wsk->abandoned.Flink; entry != &wsk->abandoned; entry = entry->Flink) {
        struct wsk_indication *indication = CONTAINING_RECORD(entry, struct wsk_indication, link);
        verifier_rule_speak("WSK-EVT-29");
        base_log("left: received data %p, kept with STATUS_PENDING and never given to WskRelease "
                 "(WSK-EVT-29)\n",
                 (void *)&indication->public);
        left++;
    }
    return left;
}

void wsk_indications_stop(struct wsk_state *wsk)
{
    while (!IsListEmpty(&wsk->abandoned)) {
        give_back(CONTAINING_RECORD(RemoveHeadList(&wsk->abandoned), struct wsk_indication, link));
    }
    for (unsigned i = 0; i < KE_PROCESSORS_MAX; i++) {
        if (wsk->own_spare[i] != NULL) {
            give_back(wsk->own_spare[i]);
        }
    }
    while (!IsListEmpty(&wsk->spare)) {
        give_back(CONTAINING_RECORD(RemoveHeadList(&wsk->spare), struct wsk_indication, link));
    }
}

void wsk_indication_describe(struct wsk_indication *indication)
{
    SIZE_T length = indication->end - indication->start;
    MmInitializeMdl(indication->mdl, indication->data + indication->start, length);
    MmBuildMdlForNonPagedPool(indication->mdl);
    indication->public.Next = NULL;
    indication->public.Buffer = (WSK_BUF){.Mdl = indication->mdl, .Offset = 0, .Length = length};
}

static const WSK_CLIENT_CONNECTION_DISPATCH *table_of(const struct wsk_socket *socket)
{
    return socket->dispatch;
}

bool wsk_connection_listens(const struct wsk_socket *socket, ULONG event)
{
    if (!socket->connection.is_offered || (socket->events.enabled & event) == 0) {
        return false; /* before it is offered, its table is written without the lock */
    }
    const WSK_CLIENT_CONNECTION_DISPATCH *table = table_of(socket);
    if (table == NULL) {
        return false;
    }
    switch (event) {
    case WSK_EVENT_RECEIVE:
        return table->WskReceiveEvent != NULL;
    case WSK_EVENT_DISCONNECT:
        return table->WskDisconnectEvent != NULL;
    default:
        return table->WskSendBacklogEvent != NULL;
    }
}

/* Reads once into a new held indication. Returns whether there is data now. */
static bool load(struct wsk_socket *socket)
{
    struct wsk_connection *connection = &socket->connection;
    struct wsk_indication *indication = wsk_indication_create();
    if (indication == NULL) {
        return false; /* the data stays with the host, the next readiness tries again */
    }
    struct net_buffer buffer = {.base = indication->data, .length = WSK_INDICATION_BYTES};
    SIZE_T moved = wsk_connection_read(socket, &buffer, 1);
    if (moved == 0) {
        wsk_indication_free(indication);
        return false;
    }
    indication->end = moved;
    indication->is_end_of_message = moved < WSK_INDICATION_BYTES;
    connection->is_drained = indication->is_end_of_message;
    connection->held = indication;
    return true;
}

/* ---- the receive event ---- */

/* The driver goes on keeping what WSK wants back. The lock is held. */
static void warn_of_kept(struct wsk_socket *socket)
{
    struct wsk_connection *connection = &socket->connection;
    connection->urged++;
    if (connection->urged == URGED_MAX) {
        ke_warning("WSK-EVT-21",
                   "the driver kept %u lists of data of the socket %p that it got with "
                   "WSK_FLAG_RELEASE_ASAP",
                   URGED_MAX, (void *)socket);
    }
    if (connection->retained_bytes > KEPT_BYTES_MAX && !connection->is_hoard_told) {
        connection->is_hoard_told = true;
        ke_warning("WSK-IND-15", "the driver keeps %llu bytes of received data of the socket %p",
                   (unsigned long long)connection->retained_bytes, (void *)socket);
    }
}

static void retain(struct wsk_socket *socket, struct wsk_indication *indication)
{
    struct wsk_connection *connection = &socket->connection;
    if (indication->is_released) {
        wsk_indication_free(indication);
        return;
    }
    indication->is_retained = true;
    connection->retained_bytes += indication->end - indication->start;
    InsertTailList(&connection->retained, &indication->link);
    if (indication->was_urged) {
        warn_of_kept(socket);
    }
}

/* What the driver has seen becomes forbidden; what is left will be indicated from elsewhere. */
static struct wsk_indication *move_away(struct wsk_indication *indication)
{
    struct wsk_indication *other = indication->guarded != NULL ? allocate_guarded() : NULL;
    if (other == NULL) {
        return indication;
    }
    other->start = indication->start;
    other->end = indication->end;
    other->is_end_of_message = indication->is_end_of_message;
    RtlCopyMemory(other->data + other->start, indication->data + other->start,
                  other->end - other->start);
    give_back(indication);
    return other;
}

static void hold_back(struct wsk_connection *connection, struct wsk_indication *indication)
{
    connection->held = move_away(indication);
    connection->is_suspended = true;
}

static void accept_part(struct wsk_socket *socket, struct wsk_indication *indication,
                        SIZE_T accepted)
{
    SIZE_T indicated = indication->end - indication->start;
    if (accepted > indicated) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)socket, accepted, indicated,
                    (ULONG_PTR)table_of(socket)->WskReceiveEvent, "WSK-EVT-26",
                    "The driver's WskReceiveEvent accepted %llu bytes of the %llu that it was "
                    "given.",
                    (unsigned long long)accepted, (unsigned long long)indicated);
    }
    indication->start += accepted;
    if (accepted == indicated) {
        wsk_indication_free(indication);
    } else {
        hold_back(&socket->connection, indication);
    }
}

/* The lock is held again. */
static void settle(struct wsk_socket *socket, struct wsk_indication *indication, NTSTATUS verdict,
                   SIZE_T accepted)
{
    switch (verdict) {
    case STATUS_SUCCESS:
        accept_part(socket, indication, accepted);
        return;
    case STATUS_PENDING:
        retain(socket, indication);
        return;
    default:
        ke_callback_warn_of_status("WSK-EVT-34", "WskReceiveEvent",
                                   (const void *)(ULONG_PTR)table_of(socket)->WskReceiveEvent,
                                   verdict, "taken as not accepted");
        hold_back(&socket->connection, indication);
        return;
    case STATUS_DATA_NOT_ACCEPTED:
        hold_back(&socket->connection, indication);
        return;
    }
}

static ULONG flags_of(const struct wsk_socket *socket, const struct wsk_indication *indication)
{
    return (indication->is_end_of_message ? WSK_FLAG_ENTIRE_MESSAGE : 0) |
           (socket->connection.retained_bytes > RETAINED_BYTES_MAX ? WSK_FLAG_RELEASE_ASAP : 0);
}

/* Calls the receive event with what is held; the lock is held on entry and return. */
static void call_receive_event(struct wsk_socket *socket)
{
    struct wsk_connection *connection = &socket->connection;
    struct wsk_indication *indication = connection->held;
    PFN_WSK_RECEIVE_EVENT routine = table_of(socket)->WskReceiveEvent;
    SIZE_T indicated = indication->end - indication->start;
    SIZE_T accepted = indicated;
    ULONG flags = flags_of(socket, indication);
    struct ke_callback callback;
    connection->held = NULL;
    connection->indicated = indication;
    indication->was_urged = (flags & WSK_FLAG_RELEASE_ASAP) != 0;
    indication->user = (const char *)(ULONG_PTR)routine + 1;
    indication->is_released = false;
    wsk_indication_describe(indication);
    PVOID context = socket->context;
    wsk_socket_unlock(socket);
    ke_callback_enter(&callback, "WskReceiveEvent", (void *)(ULONG_PTR)routine);
    NTSTATUS verdict =
        routine(context, flags | wsk_event_flags(), &indication->public, indicated, &accepted);
    ke_callback_leave_with(&callback, verdict);
    wsk_socket_lock(socket);
    settle(socket, indication, verdict, accepted);
    connection->indicated = NULL;
    wsk_event_end(socket, &socket->receive, WSK_EVENT_RECEIVE);
    wsk_receive_pump(socket);
}

static bool indicate_data(struct wsk_socket *socket)
{
    struct wsk_connection *connection = &socket->connection;
    if (connection->is_suspended || connection->indicated != NULL ||
        wsk_queue_first(&socket->receive) != NULL ||
        !wsk_connection_listens(socket, WSK_EVENT_RECEIVE)) {
        return false;
    }
    if (connection->held == NULL &&
        (connection->is_drained || connection->has_ended || !load(socket))) {
        return false;
    }
    if (!wsk_event_begin(socket, WSK_EVENT_RECEIVE)) {
        return false;
    }
    call_receive_event(socket);
    return true;
}

/* ---- the disconnect event ---- */

/* Learns whether a stream that nobody reads has ended, once the host says that the peer is gone. A
 * reset ends it at once and drops what is unread; before a graceful end that has to be read. */
static void look_for_end(struct wsk_socket *socket)
{
    struct wsk_connection *connection = &socket->connection;
    if (!connection->is_hung_up || connection->has_ended || connection->indicated != NULL ||
        wsk_queue_first(&socket->receive) != NULL) {
        return;
    }
    enum net_error error = net_error_of(socket->net);
    if (error != NET_OK) {
        wsk_connection_fail(socket, wsk_status(error));
    } else if (connection->held == NULL) {
        load(socket);
    }
}

static void call_disconnect_event(struct wsk_socket *socket)
{
    PFN_WSK_DISCONNECT_EVENT routine = table_of(socket)->WskDisconnectEvent;
    ULONG flags = socket->connection.failure != STATUS_SUCCESS ? WSK_FLAG_ABORTIVE : 0;
    PVOID context = socket->context;
    struct ke_callback callback;
    wsk_socket_unlock(socket);
    ke_callback_enter(&callback, "WskDisconnectEvent", (void *)(ULONG_PTR)routine);
    NTSTATUS status = routine(context, flags | wsk_event_flags());
    ke_callback_leave_with(&callback, status);
    if (status != STATUS_SUCCESS) {
        ke_callback_warn_of_status("WSK-EVT-60", "WskDisconnectEvent",
                                   (const void *)(ULONG_PTR)routine, status, NULL);
    }
    wsk_socket_lock(socket);
    wsk_event_end(socket, &socket->receive, WSK_EVENT_DISCONNECT);
}

static bool indicate_end(struct wsk_socket *socket)
{
    struct wsk_connection *connection = &socket->connection;
    if (connection->is_end_reported || !wsk_connection_listens(socket, WSK_EVENT_DISCONNECT)) {
        return false;
    }
    look_for_end(socket);
    if (!connection->has_ended || connection->held != NULL || connection->is_local_end) {
        return false;
    }
    connection->is_end_reported = true;
    if (!wsk_event_begin(socket, WSK_EVENT_DISCONNECT)) {
        return false;
    }
    call_disconnect_event(socket);
    return true;
}

/* ---- a dead socket ---- */

static bool indicate_death(struct wsk_socket *socket)
{
    struct ke_callback callback;
    SIZE_T accepted = 0;
    if (socket->is_dead_reported || !wsk_connection_listens(socket, WSK_EVENT_RECEIVE)) {
        return false;
    }
    socket->is_dead_reported = true;
    if (!wsk_event_begin(socket, WSK_EVENT_RECEIVE)) {
        return false;
    }
    wsk_dead_tell(socket, "WSK-EVT-18");
    PFN_WSK_RECEIVE_EVENT routine = table_of(socket)->WskReceiveEvent;
    PVOID context = socket->context;
    wsk_socket_unlock(socket);
    ke_callback_enter(&callback, "WskReceiveEvent", (void *)(ULONG_PTR)routine);
    NTSTATUS verdict = routine(context, wsk_event_flags(), NULL, 0, &accepted);
    ke_callback_leave_with(&callback, verdict);
    wsk_socket_lock(socket);
    wsk_event_end(socket, &socket->receive, WSK_EVENT_RECEIVE);
    return true;
}

/* Whether another look may find something after a receive event. The lock is held. */
static bool may_indicate_more(const struct wsk_socket *socket)
{
    const struct wsk_connection *connection = &socket->connection;
    return !connection->is_drained || connection->held != NULL || connection->has_ended ||
           connection->is_hung_up || socket->is_dead;
}

bool wsk_connection_indicate(struct wsk_socket *socket)
{
    if (socket->is_closing) {
        return false;
    }
    if (socket->is_dead) {
        return indicate_death(socket);
    }
    return indicate_data(socket) ? may_indicate_more(socket) : indicate_end(socket);
}

/* ---- release ---- */

static struct wsk_indication *find_retained(struct wsk_socket *socket,
                                            const WSK_DATA_INDICATION *public)
{
    LIST_ENTRY *retained = &socket->connection.retained;
    for (LIST_ENTRY *entry = retained->Flink; entry != retained; entry = entry->Flink) {
        struct wsk_indication *indication = CONTAINING_RECORD(entry, struct wsk_indication, link);
        if (&indication->public == public) {
            return indication;
        }
    }
    return NULL;
}

/* Another thread may give back what the receive event is only about to keep. The lock is held. */
static bool release_indicated(struct wsk_socket *socket, const WSK_DATA_INDICATION *public)
{
    struct wsk_indication *indicated =
        socket->role == WSK_ROLE_CONNECTION ? socket->connection.indicated : NULL;
    if (indicated == NULL || &indicated->public != public || indicated->is_released) {
        return false;
    }
    indicated->is_released = true;
    return true;
}

/*
 * Gives back received data that a WskReceiveEvent kept with STATUS_PENDING. STATUS_SUCCESS, or
 * STATUS_INVALID_PARAMETER for what is not kept. <= DISPATCH_LEVEL. (WSK-IND-08 to WSK-IND-17)
 */
NTSTATUS WSKAPI wsk_release_data(PWSK_SOCKET Socket, PWSK_DATA_INDICATION DataIndication)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    WSK_CALL(socket, WSK_STREAMS, "WskRelease");
    wsk_release_begin(socket);
    if (DataIndication == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    wsk_socket_lock(socket);
    if (release_indicated(socket, DataIndication)) {
        wsk_socket_unlock(socket);
        return STATUS_SUCCESS;
    }
    struct wsk_indication *indication =
        socket->role == WSK_ROLE_CONNECTION ? find_retained(socket, DataIndication) : NULL;
    if (indication != NULL) {
        RemoveEntryList(&indication->link);
        socket->connection.retained_bytes -= indication->end - indication->start;
        socket->connection.urged -= indication->was_urged ? 1 : 0;
        indication->user = _ReturnAddress();
    }
    wsk_socket_unlock(socket);
    if (indication == NULL) {
        ke_warning("WSK-IND-10",
                   "WskRelease was called for the list %p, which the driver does not "
                   "keep",
                   (void *)DataIndication);
        return STATUS_INVALID_PARAMETER;
    }
    wsk_indication_free(indication);
    return STATUS_SUCCESS;
}
