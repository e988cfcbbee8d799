/*
 * Listeners: accepting by IRP and by WskAcceptEvent.
 *
 * A connection waits in the host's backlog until somebody takes it: an accept IRP, or, if none is
 * queued, the accept event. So nothing is lost while the event is disabled. In conditional accept
 * mode inspect.c takes connections at once, and those it lets through wait here instead.
 *
 * The accept event runs in the receive direction's deliverer, after the results of that direction:
 * what an IRP could take, it has taken before.
 *
 * The driver has an accepted socket from the call of the event on, or from the completion of the
 * IRP. The socket's own events come later: after the event returned STATUS_SUCCESS, after the
 * completion routine of the IRP ran (wsk_connection.is_offered).
 */
#include "wsk/listener.h"

#include "ke/bugcheck.h"
#include "ke/warning.h"
#include "trace/network.h"
#include "wsk/memory.h"
#include "wsk/misuse.h"
#include "wsk/option.h"
#include "wsk/wsk.h"

/* Connections that the host keeps until somebody takes them. (WSK-BIND-20) */
#define BACKLOG 4096

/* Connections that broke while they waited at the host, of one try. */
#define BROKEN_MAX 8

static void start(struct wsk_socket *socket)
{
    RtlZeroMemory(&socket->listener, sizeof(socket->listener));
    socket->listener.is_conditional = (socket->options & WSK_OPTION_CONDITIONAL) != 0;
    wsk_inspect_start(socket);
    socket->receive.indicate = wsk_listener_indicate;
}

NTSTATUS wsk_listener_listen(struct wsk_socket *socket)
{
    wsk_connection_set_no_delay(socket);
    enum net_error error = net_listen(socket->net, BACKLOG);
    if (error == NET_OK) {
        socket->state = WSK_LISTENING;
        trace_socket(TRACE_SOCKET_LISTEN, socket, 0, STATUS_SUCCESS, &socket->local, NULL);
    }
    return wsk_status(error);
}

static void end(struct wsk_socket *socket)
{
    wsk_inspect_end(socket);
}

/* The routine of the accept event if it may be called, else NULL. */
static PFN_WSK_ACCEPT_EVENT enabled_routine(const struct wsk_socket *socket)
{
    const WSK_CLIENT_LISTEN_DISPATCH *dispatch = socket->dispatch;
    bool is_enabled = (socket->events.enabled & WSK_EVENT_ACCEPT) != 0;
    return is_enabled && dispatch != NULL ? dispatch->WskAcceptEvent : NULL;
}

/* While the deliverer works it finds by itself what arrives, and asks again when it stops. */
static unsigned wanted(struct wsk_socket *socket)
{
    if (socket->state != WSK_LISTENING || socket->receive.is_delivering) {
        return 0;
    }
    if (socket->listener.is_conditional) {
        return wsk_inspect_has_room(socket) ? NET_READABLE : 0;
    }
    bool is_wanted = wsk_queue_first(&socket->receive) != NULL || enabled_routine(socket) != NULL;
    return is_wanted ? NET_READABLE : 0;
}

static void ready(struct wsk_socket *socket, unsigned events)
{
    if ((events & NET_READABLE) != 0) {
        wsk_listener_feed(socket);
        socket->receive.is_event_due = true;
    }
}

NTSTATUS wsk_listener_take(struct wsk_socket *socket, struct wsk_socket **accepted)
{
    NTSTATUS status = STATUS_PENDING;
    for (unsigned i = 0; i < BROKEN_MAX; i++) {
        status = wsk_socket_accept(socket, accepted);
        if (status == STATUS_SUCCESS || status == STATUS_PENDING ||
            status == STATUS_INSUFFICIENT_RESOURCES) {
            return status;
        }
    }
    return status;
}

/* The next connection that a driver may have. The lock is held. */
static NTSTATUS take_next(struct wsk_socket *socket, struct wsk_socket **accepted)
{
    return socket->listener.is_conditional ? wsk_inspect_take(socket, accepted)
                                           : wsk_listener_take(socket, accepted);
}

/* ---- by IRP ---- */

/* The arguments of WskAccept. */
struct accept_arguments {
    PVOID context;
    const WSK_CLIENT_CONNECTION_DISPATCH *dispatch;
    PSOCKADDR local;
    PSOCKADDR remote;
};

static void keep_arguments(PIRP irp, const struct accept_arguments *arguments)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    stack->Parameters.Others.Argument1 = arguments->context;
    stack->Parameters.Others.Argument2 = (PVOID)(ULONG_PTR)arguments->dispatch;
    stack->Parameters.Others.Argument3 = arguments->local;
    stack->Parameters.Others.Argument4 = arguments->remote;
}

static struct accept_arguments kept_arguments(PIRP irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    return (struct accept_arguments){.context = stack->Parameters.Others.Argument1,
                                     .dispatch = stack->Parameters.Others.Argument2,
                                     .local = stack->Parameters.Others.Argument3,
                                     .remote = stack->Parameters.Others.Argument4};
}

/* Makes the connection what WskAccept asked for. No driver knows it yet. */
static void apply(struct wsk_socket *accepted, const struct accept_arguments *arguments)
{
    accepted->context = arguments->context;
    accepted->dispatch = arguments->dispatch;
    wsk_memory_check_there(arguments->local, "buffer for an address", "WSK-ACC-15");
    wsk_memory_check_there(arguments->remote, "buffer for an address", "WSK-ACC-15");
    if (arguments->local != NULL) {
        wsk_address_to(&accepted->local, arguments->local);
    }
    if (arguments->remote != NULL) {
        wsk_address_to(&accepted->remote, arguments->remote);
    }
}

void wsk_listener_feed(struct wsk_socket *socket)
{
    PIRP irp;
    while ((irp = wsk_queue_first(&socket->receive)) != NULL) {
        struct wsk_socket *accepted;
        NTSTATUS status = take_next(socket, &accepted);
        if (status == STATUS_PENDING) {
            return;
        }
        if (!NT_SUCCESS(status)) {
            wsk_queue_finish(&socket->receive, irp, status, 0);
            continue;
        }
        struct accept_arguments arguments = kept_arguments(irp);
        apply(accepted, &arguments);
        wsk_queue_finish(&socket->receive, irp, STATUS_SUCCESS, (ULONG_PTR)&accepted->public);
    }
}

struct wsk_socket *wsk_listener_accepted(PIRP irp)
{
    if (wsk_request_of(irp)->operation != WSK_OPERATION_ACCEPT ||
        irp->IoStatus.Status != STATUS_SUCCESS) {
        return NULL;
    }
    struct wsk_socket *accepted = wsk_socket_of((PWSK_SOCKET)irp->IoStatus.Information);
    wsk_table_given(accepted, accepted->context, accepted->dispatch, &wsk_accept_rules);
    wsk_socket_reference(accepted);
    return accepted;
}

void wsk_listener_offer(struct wsk_socket *accepted)
{
    wsk_socket_lock(accepted);
    accepted->connection.is_offered = true;
    if (accepted->events.enabled != 0 && !accepted->is_closing) {
        accepted->receive.is_event_due = true;
        wsk_queue_post(&accepted->receive);
        wsk_socket_want(accepted);
    }
    wsk_socket_unlock_and_dereference(accepted);
}

/* Completes a WskAccept for which a connection waits: at once, as its page promises. */
static NTSTATUS accept_now(struct wsk_socket *accepted, const struct accept_arguments *arguments,
                           PIRP irp)
{
    apply(accepted, arguments);
    wsk_table_given(accepted, arguments->context, arguments->dispatch, &wsk_accept_rules);
    wsk_socket_reference(accepted);
    NTSTATUS status = wsk_irp_succeed(irp, (ULONG_PTR)&accepted->public);
    wsk_listener_offer(accepted);
    return status;
}

static void check_arguments(const struct accept_arguments *arguments)
{
    wsk_memory_check_resident(arguments->context, "context", "WskAccept", "WSK-ACC-11");
    wsk_memory_check_resident(arguments->local, "buffer", "WskAccept", "WSK-ACC-14");
    wsk_memory_check_resident(arguments->remote, "buffer", "WskAccept", "WSK-ACC-14");
}

static NTSTATUS accept_connection(struct wsk_socket *socket,
                                  const struct accept_arguments *arguments, PIRP irp)
{
    struct wsk_socket *accepted;
    wsk_socket_lock(socket);
    if (socket->state != WSK_LISTENING) {
        return wsk_misuse_refuse_state(socket, irp, STATUS_INVALID_DEVICE_STATE, "WskAccept");
    }
    bool is_first = wsk_queue_first(&socket->receive) == NULL && IsListEmpty(&socket->receive.done);
    if (is_first && take_next(socket, &accepted) == STATUS_SUCCESS) {
        wsk_socket_unlock(socket);
        return accept_now(accepted, arguments, irp);
    }
    wsk_irp_take(irp);
    wsk_request_start(irp, socket, WSK_OPERATION_ACCEPT, NULL, 0);
    keep_arguments(irp, arguments);
    wsk_queue_append(&socket->receive, irp);
    wsk_listener_feed(socket);
    return wsk_call_end(&socket->receive);
}

/*
 * Accepts the next connection. LocalAddress, RemoteAddress: may be NULL; in the family's SOCKADDR
 * type. Flags: 0; WSK_FLAG_CONNECTION_SOCKET is tolerated. Information: the accepted socket.
 * STATUS_SUCCESS if a connection waits, else STATUS_PENDING; refused with
 * STATUS_INVALID_PARAMETER (flags), STATUS_INVALID_DEVICE_STATE (does not listen).
 * <= DISPATCH_LEVEL. (WSK-ACC-01 to WSK-ACC-20)
 */
NTSTATUS WSKAPI wsk_accept(PWSK_SOCKET ListenSocket, ULONG Flags, PVOID AcceptSocketContext,
                           CONST WSK_CLIENT_CONNECTION_DISPATCH *AcceptSocketDispatch,
                           PSOCKADDR LocalAddress, PSOCKADDR RemoteAddress, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(ListenSocket);
    WSK_CALL(socket, WSK_LISTENERS, "WskAccept");
    struct accept_arguments arguments = {.context = AcceptSocketContext,
                                         .dispatch = AcceptSocketDispatch,
                                         .local = LocalAddress,
                                         .remote = RemoteAddress};
    NTSTATUS status = wsk_call_begin(socket, Irp, "WskAccept");
    if (!NT_SUCCESS(status)) {
        return status;
    }
    check_arguments(&arguments);
    if (Flags != 0) {
        ke_warning("WSK-ACC-01", "WskAccept was called with Flags 0x%X, which are reserved",
                   (unsigned)Flags);
    }
    if ((Flags & ~WSK_FLAG_CONNECTION_SOCKET) != 0) {
        return wsk_irp_refuse(Irp, STATUS_INVALID_PARAMETER);
    }
    return accept_connection(socket, &arguments, Irp);
}

/* ---- by event ---- */

/* The driver refused the connection, or should not have answered so. */
static void refuse(struct wsk_socket *accepted, const void *routine, NTSTATUS status)
{
    if (status != STATUS_REQUEST_NOT_ACCEPTED) {
        ke_callback_warn_of_status("WSK-ACC-28", "WskAcceptEvent", routine, status,
                                   "the connection is refused");
    }
    if (accepted->is_closing) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)accepted,
                    (ULONG)status, 0, "WSK-ACC-29",
                    "The driver's WskAcceptEvent refused the socket %p with 0x%08X, but the driver "
                    "had called WskCloseSocket on it: WSK closes what is refused.",
                    (void *)accepted, (unsigned)status);
    }
    accepted->is_refused = true;
    wsk_socket_discard(accepted);
    wsk_socket_dereference(accepted);
}

/* The driver writes context and table in place, so that they hold already inside the callback.
 * (WSK-HDR-21) */
static NTSTATUS call_routine(PFN_WSK_ACCEPT_EVENT routine, PVOID context,
                             const struct net_address *local, const struct net_address *remote,
                             struct wsk_socket *accepted)
{
    SOCKADDR_INET local_address;
    SOCKADDR_INET remote_address;
    PVOID no_context = NULL;
    const WSK_CLIENT_CONNECTION_DISPATCH *no_dispatch = NULL;
    PWSK_SOCKET public = accepted != NULL ? &accepted->public : NULL;
    PVOID *its_context = accepted != NULL ? &accepted->context : &no_context;
    const WSK_CLIENT_CONNECTION_DISPATCH **its_dispatch =
        accepted != NULL ? (const WSK_CLIENT_CONNECTION_DISPATCH **)(PVOID)&accepted->dispatch
                         : &no_dispatch;
    struct ke_callback callback;
    struct wsk_loan loans[2];
    wsk_address_to(local, (PSOCKADDR)&local_address);
    wsk_address_to(remote, (PSOCKADDR)&remote_address);
    wsk_loan_begin(&loans[0], &local_address, sizeof(local_address), "address", "WSK-ACC-32");
    wsk_loan_begin(&loans[1], &remote_address, sizeof(remote_address), "address", "WSK-ACC-32");
    ke_callback_enter(&callback, "WskAcceptEvent", (void *)(ULONG_PTR)routine);
    NTSTATUS status = routine(context, wsk_event_flags(), loans[0].copy, loans[1].copy, public,
                              its_context, its_dispatch);
    ke_callback_leave_with(&callback, status);
    wsk_loan_end(&loans[0], (const void *)(ULONG_PTR)routine);
    wsk_loan_end(&loans[1], (const void *)(ULONG_PTR)routine);
    return status;
}

/* Calls the event for a connection. No lock is held. */
static void offer_by_event(PFN_WSK_ACCEPT_EVENT routine, PVOID context, struct wsk_socket *accepted)
{
    struct net_address local = accepted->local;
    struct net_address remote = accepted->remote;
    wsk_socket_reference(accepted);
    NTSTATUS status = call_routine(routine, context, &local, &remote, accepted);
    if (!NT_SUCCESS(status)) {
        refuse(accepted, (const void *)(ULONG_PTR)routine, status);
        return;
    }
    wsk_table_given(accepted, accepted->context, accepted->dispatch, &wsk_accept_event_rules);
    if (status != STATUS_SUCCESS) {
        ke_callback_warn_of_status("WSK-ACC-28", "WskAcceptEvent", (const void *)(ULONG_PTR)routine,
                                   status, "the connection is accepted");
    }
    wsk_listener_offer(accepted);
}

static bool indicate_connection(struct wsk_socket *socket)
{
    struct wsk_socket *accepted;
    PFN_WSK_ACCEPT_EVENT routine = enabled_routine(socket);
    if (routine == NULL || wsk_queue_first(&socket->receive) != NULL ||
        take_next(socket, &accepted) != STATUS_SUCCESS) {
        return false;
    }
    wsk_event_begin(socket, WSK_EVENT_ACCEPT); /* enabled, or there were no routine */
    PVOID context = socket->context;
    accepted->events.enabled |= socket->events.inherited;
    wsk_socket_unlock(socket);
    offer_by_event(routine, context, accepted);
    wsk_socket_lock(socket);
    wsk_event_end(socket, &socket->receive, WSK_EVENT_ACCEPT);
    return true;
}

/* The accept event of a dead listener tells of no socket. Any answer will do. (WSK-ACC-36) */
static bool indicate_no_socket(struct wsk_socket *socket)
{
    PFN_WSK_ACCEPT_EVENT routine = enabled_routine(socket);
    struct net_address nowhere = {.family = wsk_net_family(socket->family)};
    if (routine == NULL || !wsk_event_begin(socket, WSK_EVENT_ACCEPT)) {
        return false;
    }
    wsk_dead_tell(socket, "WSK-ACC-25");
    PVOID context = socket->context;
    wsk_socket_unlock(socket);
    call_routine(routine, context, &nowhere, &nowhere, NULL);
    wsk_socket_lock(socket);
    wsk_event_end(socket, &socket->receive, WSK_EVENT_ACCEPT);
    return true;
}

static bool indicate_death(struct wsk_socket *socket)
{
    if (socket->is_dead_reported) {
        return false;
    }
    socket->is_dead_reported = true;
    bool is_called = indicate_no_socket(socket);
    return wsk_inspect_indicate_death(socket) || is_called;
}

bool wsk_listener_indicate(struct wsk_socket *socket)
{
    if (socket->is_closing) {
        return false;
    }
    if (socket->is_dead) {
        return indicate_death(socket);
    }
    if (socket->state != WSK_LISTENING) {
        return false;
    }
    wsk_listener_feed(socket);
    return wsk_inspect_indicate_abort(socket) || indicate_connection(socket) ||
           wsk_inspect_indicate(socket);
}

const struct wsk_role_operations wsk_listener_role = {
    .events = WSK_EVENT_ACCEPT, .start = start, .ready = ready, .wanted = wanted, .end = end};

struct wsk_listener_and_beyond wsk_listener_and_beyond = {
    .table =
        {
            .Basic = {.WskControlSocket = wsk_control_socket, .WskCloseSocket = wsk_close_socket},
            .WskBind = wsk_bind,
            .WskAccept = wsk_accept,
            .WskInspectComplete = wsk_inspect_complete,
            .WskGetLocalAddress = wsk_get_local_address,
        },
    .beyond = WSK_ALL_BEYOND,
};
