/* A direction of a socket. See queue.c. */
#ifndef WSK_QUEUE_H
#define WSK_QUEUE_H

#include <ntddk.h>

#include <stdbool.h>

struct wsk_socket;

struct wsk_queue {
    LIST_ENTRY pending; /* IRPs by Tail.Overlay.ListEntry; guarded, as all, by the socket's lock */
    LIST_ENTRY done;    /* IRPs with IoStatus set, to be completed in this order */
    bool is_delivering; /* somebody drains it */
    bool is_event_due;  /* something changed that indicate should look at */
    bool is_posted;     /* dpc is queued; it has a reference to the socket */
    KDPC dpc;
    struct wsk_socket *socket;
    /*
     * Calls one event callback, if one is due. The lock is held on entry and return, not while
     * driver code runs. Returns whether there may be another. NULL: no events in this direction.
     */
    bool (*indicate)(struct wsk_socket *socket);
};

void wsk_queue_init(struct wsk_queue *queue, struct wsk_socket *socket);

/* Queues a taken IRP, which becomes cancellable and holds a reference to the socket. The lock is
 * held. If it was cancelled already, its result is STATUS_CANCELLED at once. */
void wsk_queue_append(struct wsk_queue *queue, PIRP irp);

/* The first pending IRP, or NULL. */
static inline PIRP wsk_queue_first(const struct wsk_queue *queue)
{
    return IsListEmpty(&queue->pending)
               ? NULL
               : CONTAINING_RECORD(queue->pending.Flink, IRP, Tail.Overlay.ListEntry);
}

/* The last pending IRP; there is one. */
static inline PIRP wsk_queue_last(const struct wsk_queue *queue)
{
    return CONTAINING_RECORD(queue->pending.Blink, IRP, Tail.Overlay.ListEntry);
}

/* Whether nothing stands in it and nobody is at work on it: the next request may do all it has to
 * without standing in it. The lock is held. */
static inline bool wsk_queue_is_idle(const struct wsk_queue *queue)
{
    return IsListEmpty(&queue->pending) && IsListEmpty(&queue->done) && !queue->is_delivering;
}

/* Completes a taken IRP with its result that never stood in the queue, which is idle: in place or
 * later, as the completion policy says. The lock as with wsk_queue_deliver. */
void wsk_queue_complete(struct wsk_queue *queue, PIRP irp);

/* Moves a pending IRP to the results. The lock is held. */
void wsk_queue_finish(struct wsk_queue *queue, PIRP irp, NTSTATUS status, ULONG_PTR information);

/* Finishes all that is pending; Information is what was moved so far. The lock is held. */
void wsk_queue_finish_all(struct wsk_queue *queue, NTSTATUS status);

/* Completes the results of a call that the driver makes now: in place or later, as the completion
 * policy says; events that became due are called later, at DISPATCH_LEVEL. The lock is held on
 * entry and return, not while driver code runs; the caller has a reference to the socket. */
void wsk_queue_deliver(struct wsk_queue *queue);

/* Has results, and events if is_event_due, delivered later, at DISPATCH_LEVEL. The lock is held. */
void wsk_queue_post(struct wsk_queue *queue);

/* Delivers results and events now; whether there were any, and nobody else at it. DISPATCH_LEVEL;
 * the lock as with wsk_queue_deliver. */
bool wsk_queue_drain(struct wsk_queue *queue);

/* Whether the completion policy wants this result later. */
bool wsk_policy_defers(void);

#endif
