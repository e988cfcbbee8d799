/*
 * Which event callbacks are enabled, and which run.
 *
 * Callbacks of one direction are serial, so one bit says that one runs. A disable takes effect at
 * once for calls that have not begun. If one runs, the disable's IRP waits for its return among the
 * disables; without an IRP STATUS_EVENT_PENDING tells that one still runs.
 *
 * The connection events of a listener are not its own: they are what sockets accepted by
 * WskAcceptEvent begin with.
 */
#include "wsk/event.h"

#include "ke/callback.h"
#include "ke/irql.h"
#include "ke/warning.h"
#include "wsk/memory.h"
#include "wsk/table.h"
#include "wsk/wsk.h"

ULONG wsk_events_of(const struct wsk_socket *socket)
{
    return wsk_role_of(socket)->events;
}

void wsk_events_init(struct wsk_socket *socket)
{
    InitializeListHead(&socket->events.disables);
    wsk_events_begin_role(socket);
}

void wsk_events_begin_role(struct wsk_socket *socket)
{
    socket->events.fixed = socket->client->static_events & wsk_events_of(socket);
    socket->events.enabled = socket->events.fixed;
    if (socket->role == WSK_ROLE_LISTENER) {
        socket->events.inherited = socket->client->static_events & WSK_CONNECTION_EVENTS;
    }
}

bool wsk_event_begin(struct wsk_socket *socket, ULONG event)
{
    if ((socket->events.enabled & event) == 0 || socket->is_closing) {
        return false;
    }
    wsk_table_check_there(socket);
    socket->events.running |= event;
    wsk_event_of = socket;
    return true;
}

/* The callback was disabled while it ran: until now it may have used what the driver made for it.
 * The lock is held. (WSK-CBE-14) */
static void check_context(const struct wsk_socket *socket, ULONG event)
{
    if ((socket->events.enabled & event) == 0 && verifier_is_full() && !socket->is_closing) {
        wsk_memory_check_there(socket->context, "socket context", "WSK-CBE-14");
    }
}

void wsk_event_end(struct wsk_socket *socket, struct wsk_queue *queue, ULONG event)
{
    PLIST_ENTRY entry = socket->events.disables.Flink;
    check_context(socket, event);
    socket->events.running &= ~event;
    while (entry != &socket->events.disables) {
        PIRP irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
        entry = entry->Flink;
        if (wsk_request_of(irp)->left == event) {
            RemoveEntryList(&irp->Tail.Overlay.ListEntry);
            irp->IoStatus.Status = STATUS_SUCCESS;
            InsertTailList(&queue->done, &irp->Tail.Overlay.ListEntry);
        }
    }
}

ULONG wsk_event_flags(void)
{
    return KeGetCurrentIrql() == DISPATCH_LEVEL ? WSK_FLAG_AT_DISPATCH_LEVEL : 0;
}

/* Whether the socket has got as far as its events may be enabled. (WSK-CBE-03, WSK-CBE-04) */
static bool is_far_enough(const struct wsk_socket *socket)
{
    return socket->role == WSK_ROLE_CONNECTION ? socket->state == WSK_CONNECTED
                                               : socket->state != WSK_OPENED;
}

/* The lock is held. */
static NTSTATUS enable(struct wsk_socket *socket, ULONG mask)
{
    ULONG own = wsk_events_of(socket);
    ULONG inheritable = socket->role == WSK_ROLE_LISTENER ? WSK_CONNECTION_EVENTS : 0;
    if ((mask & ~(own | inheritable)) != 0) {
        ke_warning("WSK-CBE-20",
                   "event callbacks 0x%X were enabled on the socket %p, a %s socket: they are not "
                   "all of its category",
                   (unsigned)mask, (void *)&socket->public, wsk_category_name(socket->category));
    }
    if (mask == 0 || (mask & ~(own | inheritable)) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((mask & socket->events.fixed) != 0) {
        ke_warning("WSK-CBE-29",
                   "event callbacks of the socket %p were enabled that are enabled statically",
                   (void *)&socket->public);
    }
    if (!is_far_enough(socket)) {
        ke_warning(socket->role == WSK_ROLE_CONNECTION ? "WSK-CBE-04" : "WSK-CBE-03",
                   "event callbacks of the socket %p were enabled before it was %s",
                   (void *)&socket->public,
                   socket->role == WSK_ROLE_CONNECTION ? "connected" : "bound");
        return STATUS_INVALID_DEVICE_STATE;
    }
    wsk_table_check_events(socket, mask & own);
    socket->events.enabled |= mask & own;
    socket->events.inherited |= mask & inheritable;
    socket->receive.is_event_due = true;
    socket->send.is_event_due = true;
    wsk_queue_post(&socket->receive);
    wsk_queue_post(&socket->send);
    return STATUS_SUCCESS;
}

/* Takes the IRP, which waits for the callback that runs. The lock is held. */
static void await_return(struct wsk_socket *socket, ULONG event, PIRP irp)
{
    wsk_irp_take(irp);
    wsk_request_start(irp, socket, WSK_OPERATION_DISABLE_EVENT, NULL, 0);
    wsk_request_of(irp)->left = event;
    wsk_socket_reference_locked(socket);
    InsertTailList(&socket->events.disables, &irp->Tail.Overlay.ListEntry);
    ke_callback_started("WskControlSocket", wsk_event_of == socket);
    wsk_call_settle();
}

/* The lock is held. STATUS_PENDING means that the IRP waits. */
static NTSTATUS disable(struct wsk_socket *socket, ULONG event, PIRP irp)
{
    bool is_one = event != 0 && (event & (event - 1)) == 0;
    if (!is_one) {
        ke_warning("WSK-CBE-09", "WSK_EVENT_DISABLE came with %s event flags, 0x%X",
                   event == 0 ? "no" : "several", (unsigned)event);
    }
    if (!is_one || (event & ~(wsk_events_of(socket) | WSK_CONNECTION_EVENTS)) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((event & wsk_events_of(socket)) == 0) {
        ke_warning("WSK-CBE-24", "connection events enabled on a listening socket stay enabled");
        return STATUS_INVALID_PARAMETER;
    }
    if ((socket->events.fixed & event) != 0) {
        ke_warning("WSK-CTL-31", "a statically enabled event callback cannot be disabled");
        return STATUS_INVALID_PARAMETER;
    }
    socket->events.enabled &= ~event;
    wsk_socket_want(socket);
    if ((socket->events.running & event) == 0) {
        return STATUS_SUCCESS;
    }
    if (irp == NULL) {
        return STATUS_EVENT_PENDING;
    }
    await_return(socket, event, irp);
    return STATUS_PENDING;
}

NTSTATUS wsk_event_control(struct wsk_socket *socket, const WSK_EVENT_CALLBACK_CONTROL *control,
                           PIRP irp)
{
    ULONG mask = control->EventMask;
    bool is_disable = (mask & WSK_EVENT_DISABLE) != 0;
    if (control->NpiId == NULL || !IsEqualGUID(control->NpiId, &NPI_WSK_INTERFACE_ID)) {
        ke_warning("WSK-CBE-16",
                   "SO_WSK_EVENT_CALLBACK came with %s NpiId for event callbacks of the socket %p",
                   control->NpiId == NULL ? "no" : "an unknown", (void *)&socket->public);
        return irp == NULL ? STATUS_INVALID_PARAMETER
                           : wsk_irp_refuse(irp, STATUS_INVALID_PARAMETER);
    }
    wsk_socket_lock(socket);
    NTSTATUS status =
        is_disable ? disable(socket, mask & ~WSK_EVENT_DISABLE, irp) : enable(socket, mask);
    wsk_socket_unlock(socket);
    if (irp == NULL || status == STATUS_PENDING) {
        return status;
    }
    if (!NT_SUCCESS(status)) {
        return wsk_irp_refuse(irp, status);
    }
    if (!is_disable) {
        ke_warning("WSK-CBE-05", "the driver gave an IRP with SO_WSK_EVENT_CALLBACK to enable "
                                 "callbacks; none is needed");
    }
    return is_disable ? wsk_irp_succeed(irp, 0) : wsk_irp_finish(socket, irp, status, 0);
}
