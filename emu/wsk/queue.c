/*
 * A direction of a socket.
 *
 * Requests wait in order; a result takes its place in the order of results before the socket's lock
 * is dropped. One deliverer at a time drains the results without the lock: whoever finds the queue
 * idle; whoever finds it busy leaves his result there. Event callbacks use the same deliverer, so
 * they are serial, and stand in order with the results.
 *
 * - A call of the driver delivers results in place, at the caller's IRQL, unless the completion
 *   policy says otherwise, or too many completions stand on each other on this thread already. Then
 *   a DPC does it, which the leader runs.
 * - Events never run inside a call of the driver: they come from the network's deliverer or from
 *   the DPC, at DISPATCH_LEVEL.
 *
 * Cancel: a pending IRP has a cancel routine. Who decides the result exchanges the routine for NULL
 * first. If it was NULL, the cancel routine is on its way and will ask for the socket's lock. The
 * result takes its place all the same, but it and what stands behind it wait there until the cancel
 * routine has come by: so the order holds, and the IRP's memory lives until both have seen it.
 *
 * A pending or finished IRP holds a reference to its socket until it was completed.
 */
#include "wsk/queue.h"

#include "ke/warning.h"
#include "wsk/wsk.h"

/* Completions that may stand on each other on one thread. */
#define DEPTH_MAX 8

/* Events delivered in one go before others get their turn. */
#define EVENTS_MAX 64

/* Once in a kernel: the next kernel has another state. */
static void warn_of_depth(void)
{
    struct wsk_state *wsk = wsk_state();
    if (verifier_is_on() && !atomic_exchange(&wsk->is_depth_told, true)) {
        ke_warning("WSK-IRP-23",
                   "completion routines that call WSK stand %u deep on each other; on Windows that "
                   "can exhaust the kernel stack",
                   DEPTH_MAX);
    }
}

bool wsk_policy_defers(void)
{
    struct wsk_state *wsk = wsk_state();
    if (ke_current()->completion_depth >= DEPTH_MAX) {
        warn_of_depth();
        return true;
    }
    switch (ke_kernel()->policy.completion) {
    case KE_COMPLETION_DEFERRED:
        return true;
    case KE_COMPLETION_RANDOM:
        base_mutex_lock(&wsk->lock);
        wsk->drawn = wsk->drawn * 1664525 + 1013904223;
        bool defers = (wsk->drawn >> 16 & 1) != 0;
        base_mutex_unlock(&wsk->lock);
        return defers;
    default:
        return false;
    }
}

static PIRP irp_of(PLIST_ENTRY entry)
{
    return CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
}

static struct wsk_queue *queue_of(const struct wsk_request *request)
{
    switch (request->operation) {
    case WSK_OPERATION_ACCEPT:
    case WSK_OPERATION_RECEIVE:
    case WSK_OPERATION_RECEIVE_FROM:
        return &request->socket->receive;
    case WSK_OPERATION_CONTROL:
        return &request->socket->control;
    default:
        return &request->socket->send;
    }
}

static VOID run_dpc(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct wsk_queue *queue = context;
    struct wsk_socket *socket = queue->socket;
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(argument1);
    UNREFERENCED_PARAMETER(argument2);
    wsk_socket_lock(socket);
    queue->is_posted = false;
    wsk_queue_drain(queue);
    wsk_socket_unlock_and_dereference(socket);
}

void wsk_queue_init(struct wsk_queue *queue, struct wsk_socket *socket)
{
    InitializeListHead(&queue->pending);
    InitializeListHead(&queue->done);
    queue->socket = socket;
    KeInitializeDpc(&queue->dpc, run_dpc, queue);
    /* Low: the leader runs it, and never the thread that queues it at once, under the lock. */
    KeSetImportanceDpc(&queue->dpc, LowImportance);
}

static VOID cancel(PDEVICE_OBJECT device, PIRP irp)
{
    struct wsk_request *request = wsk_request_of(irp);
    struct wsk_socket *socket = request->socket;
    struct wsk_queue *queue = queue_of(request);
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    wsk_socket_lock(socket);
    wsk_socket_reference_locked(socket);
    if (request->awaits_canceller) {
        request->awaits_canceller = FALSE;
    } else {
        RemoveEntryList(&irp->Tail.Overlay.ListEntry);
        irp->IoStatus.Status = STATUS_CANCELLED;
        wsk_request_cancelled(socket, irp);
        InsertTailList(&queue->done, &irp->Tail.Overlay.ListEntry);
    }
    wsk_queue_deliver(queue);
    wsk_socket_unlock_and_dereference(socket);
}

void wsk_queue_append(struct wsk_queue *queue, PIRP irp)
{
    wsk_socket_reference_locked(queue->socket);
    InsertTailList(&queue->pending, &irp->Tail.Overlay.ListEntry);
    IoSetCancelRoutine(irp, cancel);
    if (irp->Cancel) {
        wsk_queue_finish(queue, irp, STATUS_CANCELLED, irp->IoStatus.Information);
    }
}

void wsk_queue_finish(struct wsk_queue *queue, PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    wsk_request_of(irp)->awaits_canceller = IoSetCancelRoutine(irp, NULL) == NULL;
    InsertTailList(&queue->done, &irp->Tail.Overlay.ListEntry);
}

void wsk_queue_finish_all(struct wsk_queue *queue, NTSTATUS status)
{
    PIRP irp;
    while ((irp = wsk_queue_first(queue)) != NULL) {
        wsk_queue_finish(queue, irp, status, irp->IoStatus.Information);
    }
}

void wsk_queue_post(struct wsk_queue *queue)
{
    if (queue->is_posted) {
        return;
    }
    queue->is_posted = true;
    wsk_socket_reference_locked(queue->socket);
    KeInsertQueueDpc(&queue->dpc, NULL, NULL);
}

/* Whether there is a result to complete now. The lock is held. */
static bool has_result(const struct wsk_queue *queue)
{
    return !IsListEmpty(&queue->done) &&
           !wsk_request_of(irp_of(queue->done.Flink))->awaits_canceller;
}

/* Whether there is work for a deliverer. The lock is held. */
static bool has_something(const struct wsk_queue *queue)
{
    return queue->is_event_due || has_result(queue);
}

/* Whether what stands first waits for its canceller, who will go on delivering. The lock is held.
 */
static bool is_blocked(const struct wsk_queue *queue)
{
    return !IsListEmpty(&queue->done) && !has_result(queue);
}

/* Completes the first result. The lock is held on entry and return. */
static void complete_first(struct wsk_queue *queue)
{
    struct wsk_socket *socket = queue->socket;
    PIRP irp = irp_of(RemoveHeadList(&queue->done));
    if ((wsk_request_of(irp)->flags & WSK_REQUEST_HOLDS) != 0) {
        wsk_request_let_go(irp);
    }
    bool is_stillborn = wsk_request_of(irp)->operation == WSK_OPERATION_SOCKET_CONNECT &&
                        !NT_SUCCESS(irp->IoStatus.Status);
    struct _KTHREAD *thread = ke_current();
    wsk_socket_unlock(socket);
    struct wsk_socket *accepted = wsk_listener_accepted(irp);
    if (is_stillborn) {
        wsk_socket_discard(socket);
    }
    wsk_security_settle(socket);
    thread->completion_depth++;
    IofCompleteRequest(irp, IO_NETWORK_INCREMENT);
    ke_current()->completion_depth--;
    if (accepted != NULL) {
        wsk_listener_offer(accepted);
    }
    wsk_socket_lock(socket);
    socket->references--; /* never the last: the deliverer has one */
}

/* Ends a turn of delivering. The lock is held. */
static void stop_delivering(struct wsk_queue *queue)
{
    queue->is_delivering = false;
    if (!is_blocked(queue) && has_something(queue)) {
        wsk_queue_post(queue);
    }
    wsk_socket_want(queue->socket);
}

/* Completes the results now, or leaves them for later, as the policy says. */
static void deliver_or_hold(struct wsk_queue *queue)
{
    if (wsk_policy_defers()) {
        for (LIST_ENTRY *entry = queue->done.Flink; entry != &queue->done; entry = entry->Flink) {
            wsk_request_hold(irp_of(entry));
        }
        return;
    }
    while (has_result(queue)) {
        complete_first(queue);
    }
}

/* Completes an IRP that stood in no list, while whoever else has a result leaves it to this. */
static void complete_alone(struct wsk_queue *queue, PIRP irp)
{
    struct wsk_socket *socket = queue->socket;
    struct _KTHREAD *thread = ke_current();
    queue->is_delivering = true;
    wsk_socket_unlock(socket);
    wsk_security_settle(socket);
    thread->completion_depth++;
    IofCompleteRequest(irp, IO_NETWORK_INCREMENT);
    ke_current()->completion_depth--;
    wsk_socket_lock(socket);
    queue->is_delivering = false;
    if (!IsListEmpty(&queue->done) || queue->is_event_due) {
        stop_delivering(queue);
    }
}

void wsk_queue_complete(struct wsk_queue *queue, PIRP irp)
{
    if (!wsk_policy_defers()) {
        complete_alone(queue, irp);
        return;
    }
    wsk_socket_reference_locked(queue->socket);
    InsertTailList(&queue->done, &irp->Tail.Overlay.ListEntry);
    wsk_request_hold(irp);
    wsk_queue_post(queue);
}

void wsk_queue_deliver(struct wsk_queue *queue)
{
    if (queue->is_delivering || !has_something(queue)) {
        return;
    }
    queue->is_delivering = true;
    if (has_result(queue)) {
        deliver_or_hold(queue);
    }
    stop_delivering(queue);
}

bool wsk_queue_drain(struct wsk_queue *queue)
{
    struct wsk_socket *socket = queue->socket;
    if (queue->is_delivering || !has_something(queue)) {
        return false;
    }
    queue->is_delivering = true;
    unsigned events = 0;
    bool has_more = true;
    while (has_more && events < EVENTS_MAX) {
        while (has_result(queue)) {
            complete_first(queue);
        }
        if (is_blocked(queue)) {
            queue->is_event_due = queue->indicate != NULL;
            has_more = false;
            break;
        }
        queue->is_event_due = false;
        has_more = queue->indicate != NULL && queue->indicate(socket);
        events++;
        has_more = has_more || has_something(queue);
    }
    queue->is_event_due = queue->is_event_due || has_more;
    stop_delivering(queue);
    return true;
}
