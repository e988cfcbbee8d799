/*
 * Peers: making, waiting, ending.
 *
 * A peer is a socket of net.h and an event. Every call tries first, on the caller's own thread;
 * what has to wait tells the network what for, and waits for the event in the dispatcher, where it
 * leads the loop as any waiter does. The network's callback only signals that event, so that a wake
 * too many costs one more try and nothing else. The memory of a peer belongs to whoever closes it;
 * when that is shutdown, to the last callback.
 */
#include "harness/peer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/stack.h"
#include "harness/fault.h"
#include "ke/left.h"
#include "ke/limit.h"

#include <stdatomic.h>
#include <stdlib.h>

#define DEADLINE_MS_DEFAULT 10000
#define UNITS_PER_MS 10000LL
#define MOMENT_MS 20

struct peers {
    struct base_mutex lock; /* guards open */
    LIST_ENTRY open;
    atomic_uint deadline_ms; /* of peers to come */
};

static struct peers *peers(void)
{
    return ke_state(KE_MODULE_HARNESS);
}

NTSTATUS peer_enter(const struct wskemu_peer *peer, const char *function)
{
    if (peer->kernel != atomic_load(&ke_running)) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    ke_limit_exactly(PASSIVE_LEVEL, function);
    return atomic_load(&peer->use) == PEER_IDLE ? STATUS_SUCCESS : STATUS_INVALID_DEVICE_STATE;
}

static void on_ready(void *context, unsigned events)
{
    struct wskemu_peer *peer = context;
    UNREFERENCED_PARAMETER(events);
    KeSetEvent(&peer->ready, IO_NO_INCREMENT, FALSE);
}

static void on_closed(void *context)
{
    struct wskemu_peer *peer = context;
    if (peer->is_left) {
        free(peer);
    } else {
        KeSetEvent(&peer->closed, IO_NO_INCREMENT, FALSE);
    }
}

const struct net_callbacks peer_callbacks = {.on_ready = on_ready, .on_closed = on_closed};

struct wskemu_peer *peer_create(enum peer_kind kind, const void *creator)
{
    struct wskemu_peer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL) {
        return NULL;
    }
    peer->kernel = ke_kernel();
    peer->kind = kind;
    peer->creator = creator;
    peer->deadline_ms = atomic_load(&peers()->deadline_ms);
    KeInitializeEvent(&peer->ready, SynchronizationEvent, FALSE);
    KeInitializeEvent(&peer->closed, NotificationEvent, FALSE);
    base_mutex_lock(&peers()->lock);
    InsertTailList(&peers()->open, &peer->link);
    base_mutex_unlock(&peers()->lock);
    return peer;
}

void peer_free(struct wskemu_peer *peer)
{
    base_mutex_lock(&peers()->lock);
    RemoveEntryList(&peer->link);
    base_mutex_unlock(&peers()->lock);
    free(peer);
}

NTSTATUS peer_open(enum peer_kind kind, enum net_family family, const struct net_address *bind_to,
                   const void *creator, struct wskemu_peer **out)
{
    enum net_type type = kind == PEER_DATAGRAM ? NET_DATAGRAM : NET_STREAM;
    struct wskemu_peer *peer = peer_create(kind, creator);
    if (peer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    enum net_error error =
        net_socket_open(wsk_net(), family, type, 0, &peer_callbacks, peer, &peer->net);
    if (error != NET_OK) {
        peer_free(peer);
        return wsk_status(error);
    }
    error = bind_to != NULL ? net_bind(peer->net, bind_to) : NET_OK;
    if (error != NET_OK) {
        peer_close(peer, true);
        return wsk_status(error);
    }
    *out = peer;
    return STATUS_SUCCESS;
}

void peer_close(struct wskemu_peer *peer, bool is_abortive)
{
    net_close(peer->net, is_abortive);
    KeWaitForSingleObject(&peer->closed, Executive, KernelMode, FALSE, NULL);
    peer_free(peer);
}

void wskemu_peer_close(struct wskemu_peer *peer)
{
    if (peer != NULL && peer_enter(peer, __func__) == STATUS_SUCCESS) {
        peer_close(peer, false);
    }
}

void wskemu_peer_reset(struct wskemu_peer *peer)
{
    if (peer != NULL && peer_enter(peer, __func__) == STATUS_SUCCESS) {
        peer_close(peer, true);
    }
}

/* Waits a moment; STATUS_TIMEOUT when the deadline has passed, or when the driver met a fault and
 * does not go on. */
static NTSTATUS wait_shortly(struct peer_call *call)
{
    LARGE_INTEGER moment = {.QuadPart = -UNITS_PER_MS * MOMENT_MS};
    LARGE_INTEGER now;
    KeWaitForSingleObject(&call->peer->ready, Executive, KernelMode, FALSE, &moment);
    KeQuerySystemTimePrecise(&now);
    bool is_over = now.QuadPart >= call->until.QuadPart || fault_is_late(call->since_ns);
    return is_over ? STATUS_TIMEOUT : STATUS_SUCCESS;
}

/* Waits until the network says that one of the events may have happened. */
static NTSTATUS await(struct peer_call *call, unsigned events)
{
    struct wskemu_peer *peer = call->peer;
    if (call->until.QuadPart == 0) {
        KeQuerySystemTimePrecise(&call->until);
        call->until.QuadPart += UNITS_PER_MS * peer->deadline_ms;
        call->since_ns = base_clock_ns();
    }
    net_want(peer->net, events);
    NTSTATUS status = fault_is_armed() ? wait_shortly(call)
                                       : KeWaitForSingleObject(&peer->ready, Executive, KernelMode,
                                                               FALSE, &call->until);
    net_want(peer->net, 0);
    return status;
}

static NTSTATUS repeat(struct peer_call *call, unsigned events,
                       enum net_error (*step)(struct peer_call *call))
{
    enum net_error error;
    while ((error = step(call)) == NET_AGAIN) {
        NTSTATUS status = await(call, events);
        if (status != STATUS_SUCCESS) {
            return status;
        }
    }
    return wsk_status(error);
}

NTSTATUS peer_repeat(struct peer_call *call, unsigned events,
                     enum net_error (*step)(struct peer_call *call))
{
    int use = PEER_IDLE;
    if (!atomic_compare_exchange_strong(&call->peer->use, &use, PEER_BUSY)) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    NTSTATUS status = repeat(call, events, step);
    atomic_store(&call->peer->use, PEER_IDLE);
    return status;
}

void wskemu_peer_set_deadline(struct wskemu_peer *peer, ULONG milliseconds)
{
    if (peer != NULL) {
        peer->deadline_ms = milliseconds;
    } else {
        atomic_store(&peers()->deadline_ms, milliseconds);
    }
}

void peer_end_all(void)
{
    LIST_ENTRY *open = &peers()->open;
    for (LIST_ENTRY *entry = open->Flink; entry != open; entry = entry->Flink) {
        struct wskemu_peer *peer = CONTAINING_RECORD(entry, struct wskemu_peer, link);
        int use = PEER_IDLE;
        if (peer->net != NULL && atomic_compare_exchange_strong(&peer->use, &use, PEER_ENDED)) {
            net_close(peer->net, true);
            KeWaitForSingleObject(&peer->closed, Executive, KernelMode, FALSE, NULL);
        }
    }
}

static NTSTATUS start(void *state)
{
    struct peers *started = state;
    base_mutex_init(&started->lock);
    InitializeListHead(&started->open);
    atomic_store(&started->deadline_ms, DEADLINE_MS_DEFAULT);
    return STATUS_SUCCESS;
}

static unsigned report(void *state)
{
    static const char *const kinds[] = {[PEER_CONNECTION] = "connection",
                                        [PEER_LISTENER] = "listener",
                                        [PEER_DATAGRAM] = "datagram socket"};
    const LIST_ENTRY *open = &((struct peers *)state)->open;
    unsigned left = 0;
    for (const LIST_ENTRY *entry = open->Flink; entry != open; entry = entry->Flink) {
        const struct wskemu_peer *peer = CONTAINING_RECORD(entry, struct wskemu_peer, link);
        base_log("left: peer %p, a %s never closed, made by %s\n", (const void *)peer,
                 kinds[peer->kind], base_stack_site(peer->creator).text);
        ke_left_note(NULL);
        left++;
    }
    return left;
}

static void stop(void *state)
{
    struct peers *stopped = state;
    while (!IsListEmpty(&stopped->open)) {
        struct wskemu_peer *peer =
            CONTAINING_RECORD(RemoveHeadList(&stopped->open), struct wskemu_peer, link);
        if (peer->net == NULL || atomic_load(&peer->use) == PEER_ENDED) {
            free(peer);
        } else {
            peer->is_left = true;
            net_close(peer->net, true);
        }
    }
    base_mutex_destroy(&stopped->lock);
}

const struct ke_module peer_module = {
    .name = "peers",
    .state_bytes = sizeof(struct peers),
    .start = start,
    .report = report,
    .stop = stop,
};
