/* Hooks become events, and events go to who watches: the recorder, the observer, the listener. */
#include "trace/trace.h"

#include "ke/thread.h"
#include "trace/network.h"
#include "trace/recorder.h"

#include <wskemu/observe.h>

#include <string.h>

_Atomic unsigned trace_groups;

/* The tester's, not a kernel's: they watch from before boot. */
static _Atomic(wskemu_observer *) observer;
static void *observer_context;
static _Atomic(trace_listener *) listener;
static void *listener_context;
static unsigned listener_groups;

void trace_groups_update(void)
{
    unsigned groups = atomic_load(&trace_recorded_groups);
    groups |= atomic_load(&observer) != NULL ? (unsigned)TRACE_CALLS : 0;
    groups |= atomic_load(&listener) != NULL ? listener_groups : 0;
    atomic_store(&trace_groups, groups);
}

void wskemu_observe(wskemu_observer *routine, void *context)
{
    atomic_store(&observer, NULL);
    observer_context = context;
    atomic_store(&observer, routine);
    trace_groups_update();
}

void trace_listen(trace_listener *routine, void *context, unsigned groups)
{
    atomic_store(&listener, NULL);
    listener_context = context;
    listener_groups = groups;
    atomic_store(&listener, routine);
    trace_groups_update();
}

/* ---- who is told ---- */

static bool is_observed(enum trace_kind kind)
{
    return kind == TRACE_CALL || kind == TRACE_COMPLETE || kind == TRACE_CALLBACK ||
           kind == TRACE_RETURN;
}

static enum wskemu_event_kind observed_kind(enum trace_kind kind)
{
    switch (kind) {
    case TRACE_CALL:
        return WSKEMU_EVENT_CALL;
    case TRACE_COMPLETE:
        return WSKEMU_EVENT_COMPLETION;
    case TRACE_CALLBACK:
        return WSKEMU_EVENT_CALLBACK;
    default:
        return WSKEMU_EVENT_CALLBACK_RETURN;
    }
}

static void tell_observer(const struct trace_event *event)
{
    wskemu_observer *routine = atomic_load(&observer);
    if (routine == NULL || !is_observed(event->kind)) {
        return;
    }
    bool is_routine = event->kind == TRACE_CALLBACK || event->kind == TRACE_RETURN;
    struct wskemu_event told = {
        .kind = observed_kind(event->kind),
        .irql = KeGetCurrentIrql(),
        .name = event->name,
        .object = event->object,
        .routine = is_routine ? (const void *)(ULONG_PTR)event->first : NULL,
        .irp = (PIRP)(ULONG_PTR)event->irp,
        .has_status = (event->flags & TRACE_HAS_STATUS) != 0,
        .status = event->status,
        .information = is_routine ? 0 : (ULONG_PTR)event->first,
    };
    routine(observer_context, &told);
}

static const unsigned group_of[TRACE_KIND_COUNT] = {
#define X(kind, text, group) [TRACE_##kind] = group,
    TRACE_KINDS(X)
#undef X
};

void trace_tell(const struct trace_event *event)
{
    unsigned group = group_of[event->kind];
    if ((atomic_load_explicit(&trace_recorded_groups, memory_order_relaxed) & group) != 0) {
        trace_record(event);
    }
    tell_observer(event);
    trace_listener *routine = atomic_load(&listener);
    if (routine != NULL && (listener_groups & group) != 0) {
        routine(listener_context, event);
    }
}

/* ---- events ---- */

/* Sites in events lie inside the call, return addresses behind it. */
void trace_tell_call(const char *name, const void *object, PIRP irp, const void *site)
{
    trace_tell(&(struct trace_event){.kind = TRACE_CALL,
                                     .name = name,
                                     .object = object,
                                     .irp = irp,
                                     .site = (const char *)site - 1});
}

void trace_tell_completion(PIRP irp)
{
    trace_tell(&(struct trace_event){.kind = TRACE_COMPLETE,
                                     .irp = irp,
                                     .flags = TRACE_HAS_STATUS,
                                     .status = irp->IoStatus.Status,
                                     .first = irp->IoStatus.Information});
}

void trace_tell_callback(const char *name, const void *routine)
{
    trace_tell(
        &(struct trace_event){.kind = TRACE_CALLBACK, .name = name, .first = (ULONG_PTR)routine});
}

void trace_tell_return(const char *name, const void *routine, const NTSTATUS *status)
{
    trace_tell(&(struct trace_event){.kind = TRACE_RETURN,
                                     .name = name,
                                     .first = (ULONG_PTR)routine,
                                     .flags = status != NULL ? TRACE_HAS_STATUS : 0,
                                     .status = status != NULL ? *status : 0});
}

void trace_tell_irp(enum trace_kind kind, const void *irp, const void *object, ULONG64 first)
{
    trace_tell(&(struct trace_event){
        .kind = kind, .irp = irp, .object = object, .first = first, .site = trace_driver_site()});
}

void trace_tell_object(enum trace_kind kind, const void *object, ULONG64 first, ULONG64 second)
{
    trace_tell(
        &(struct trace_event){.kind = kind, .object = object, .first = first, .second = second});
}

void trace_tell_wait_end(const void *object, const void *wait, NTSTATUS status)
{
    trace_tell(&(struct trace_event){.kind = TRACE_WAIT_END,
                                     .object = object,
                                     .first = (ULONG_PTR)wait,
                                     .flags = TRACE_HAS_STATUS,
                                     .status = status});
}

void trace_tell_text(enum trace_kind kind, const char *name, const char *text, SIZE_T bytes)
{
    trace_tell(
        &(struct trace_event){.kind = kind, .name = name, .text = text, .text_bytes = bytes});
}

void trace_bugcheck(const char *name, ULONG code, ULONG_PTR parameter, const char *sentence)
{
    if (trace_wants(TRACE_TEXTS)) {
        trace_tell(&(struct trace_event){.kind = TRACE_BUGCHECK,
                                         .name = name,
                                         .first = code,
                                         .second = parameter,
                                         .text = sentence,
                                         .text_bytes = strlen(sentence)});
    }
}

void trace_session(const char *name, ULONG session)
{
    if (trace_wants(TRACE_TEXTS)) {
        trace_tell(&(struct trace_event){.kind = TRACE_SESSION, .name = name, .first = session});
    }
}

/* ---- the network ---- */

void trace_tell_socket(enum trace_kind kind, const void *socket, ULONG64 first, NTSTATUS status,
                       const struct net_address *local, const struct net_address *remote)
{
    bool has_addresses = local != NULL || remote != NULL;
    bool has_status =
        kind == TRACE_SOCKET_BIND || kind == TRACE_SOCKET_CONNECT || kind == TRACE_SOCKET_FAIL;
    trace_tell(&(struct trace_event){.kind = kind,
                                     .object = socket,
                                     .first = first,
                                     .status = status,
                                     .flags = (has_addresses ? (unsigned)TRACE_HAS_ADDRESSES : 0) |
                                              (has_status ? (unsigned)TRACE_HAS_STATUS : 0),
                                     .addresses = {local, remote}});
}

void trace_socket_open(const void *socket, USHORT family, USHORT type, ULONG protocol,
                       ULONG category)
{
    if (trace_wants(TRACE_SOCKETS)) {
        trace_tell(&(struct trace_event){
            .kind = TRACE_SOCKET_OPEN,
            .object = socket,
            .first = family | (ULONG64)type << 16 | (ULONG64)protocol << 32,
            .second = category,
        });
    }
}

void trace_tell_stream(enum trace_kind kind, const void *socket, PIRP irp,
                       const struct net_buffer *buffers, SIZE_T moved)
{
    trace_tell(&(struct trace_event){.kind = kind,
                                     .object = socket,
                                     .irp = irp,
                                     .first = moved,
                                     .buffers = buffers,
                                     .payload_bytes = moved});
}

void trace_tell_datagrams(const void *socket, const struct net_address *local,
                          const struct net_datagram *datagrams, unsigned count, bool is_send)
{
    for (unsigned i = 0; i < count; i++) {
        const struct net_datagram *datagram = &datagrams[i];
        SIZE_T length = datagram->length;
        for (unsigned piece = 0; is_send && piece < datagram->count; piece++) {
            length = (piece == 0 ? 0 : length) + datagram->buffers[piece].length;
        }
        trace_tell(&(struct trace_event){.kind = is_send ? TRACE_SEND_TO : TRACE_RECEIVE_FROM,
                                         .object = socket,
                                         .first = length,
                                         .flags = TRACE_HAS_ADDRESSES,
                                         .addresses = {local, &datagram->address},
                                         .buffers = datagram->buffers,
                                         .payload_bytes = length});
    }
}
