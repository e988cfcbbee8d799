/*
 * Hooks become events, and events go to who watches: the recorder, the observer, the listener.
 *
 * An event is passed by value to functions that the compiler puts in place: so nothing is built
 * of it but what is used, which for the recorder alone is the record itself.
 */
#include "trace/trace.h"

#include "ke/thread.h"
#include "trace/network.h"
#include "trace/recorder.h"

#include <wskemu/observe.h>
#include <wskemu/trace.h>

#include <string.h>

_Atomic unsigned trace_groups;

/* The tester's, not a kernel's: they watch from before boot. */
static _Atomic(wskemu_observer *) observer;
static void *observer_context;
static _Atomic(trace_listener *) listener;
static void *listener_context;
static unsigned listener_groups;
static _Atomic unsigned told_groups; /* to the two of them */

void trace_groups_update(void)
{
    unsigned groups = atomic_load(&observer) != NULL ? (unsigned)TRACE_CALLS : 0;
    groups |= atomic_load(&listener) != NULL ? listener_groups : 0;
    atomic_store(&told_groups, groups);
    atomic_store(&trace_groups, groups | atomic_load(&trace_recorded_groups));
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

static void tell_others(const struct trace_event *event, unsigned group)
{
    tell_observer(event);
    trace_listener *routine = atomic_load(&listener);
    if (routine != NULL && (listener_groups & group) != 0) {
        routine(listener_context, event);
    }
}

static bool has_data(const struct trace_event *event)
{
    return (event->flags & TRACE_HAS_ADDRESSES) != 0 || event->text_bytes != 0 ||
           event->payload_bytes != 0;
}

BASE_COLD static void tell_slowly(const struct trace_event *event, unsigned group)
{
    if ((atomic_load_explicit(&trace_recorded_groups, memory_order_relaxed) & group) != 0) {
        trace_record(event);
    }
    if ((atomic_load_explicit(&told_groups, memory_order_relaxed) & group) != 0) {
        tell_others(event, group);
    }
}

/* Whoever calls this has found that somebody wants the group. */
TRACE_IN_PLACE static inline void tell(struct trace_event event, unsigned group)
{
    if ((atomic_load_explicit(&told_groups, memory_order_relaxed) & group) != 0 ||
        has_data(&event) || !trace_record_at_once(&event)) {
        const struct trace_event whole = event;
        tell_slowly(&whole, group);
    }
}

void trace_tell(const struct trace_event *event)
{
    tell(*event, group_of[event->kind]);
}

/* ---- events ---- */

/* Sites in events lie inside the call, return addresses behind it. */
void trace_tell_call(const char *name, const void *object, PIRP irp, const void *site)
{
    tell((struct trace_event){.kind = TRACE_CALL,
                              .flags = TRACE_HAS_OBJECT | TRACE_HAS_IRP | TRACE_HAS_SITE |
                                       TRACE_HAS_NAME,
                              .name = name,
                              .object = object,
                              .irp = irp,
                              .site = (const char *)site - 1},
         TRACE_CALLS);
}

void trace_tell_completion(PIRP irp)
{
    tell((struct trace_event){.kind = TRACE_COMPLETE,
                              .flags = TRACE_HAS_IRP | TRACE_HAS_STATUS | TRACE_HAS_FIRST,
                              .irp = irp,
                              .status = irp->IoStatus.Status,
                              .first = irp->IoStatus.Information},
         TRACE_CALLS);
}

void trace_tell_callback(const char *name, const void *routine)
{
    tell((struct trace_event){.kind = TRACE_CALLBACK,
                              .flags = TRACE_HAS_FIRST | TRACE_HAS_NAME,
                              .is_routine_first = true,
                              .name = name,
                              .first = (ULONG_PTR)routine},
         TRACE_CALLS);
}

TRACE_IN_PLACE static inline void tell_return(const char *name, const void *routine, unsigned flags,
                                              NTSTATUS status)
{
    tell((struct trace_event){.kind = TRACE_RETURN,
                              .flags = flags,
                              .name = name,
                              .first = (ULONG_PTR)routine,
                              .status = status},
         TRACE_CALLS);
}

void trace_tell_return(const char *name, const void *routine, const NTSTATUS *status)
{
    if (status != NULL) {
        tell_return(name, routine, TRACE_HAS_FIRST | TRACE_HAS_NAME | TRACE_HAS_STATUS, *status);
    } else {
        tell_return(name, routine, TRACE_HAS_FIRST | TRACE_HAS_NAME, 0);
    }
}

void trace_tell_irp(enum trace_kind kind, const void *irp, const void *object, ULONG64 first)
{
    tell((struct trace_event){.kind = kind,
                              .flags = TRACE_HAS_OBJECT | TRACE_HAS_IRP | TRACE_HAS_SITE |
                                       TRACE_HAS_SHORT,
                              .irp = irp,
                              .object = object,
                              .first = first,
                              .site = trace_driver_site()},
         TRACE_IRPS);
}

static bool has_routine(enum trace_kind kind)
{
    return kind == TRACE_DPC_QUEUE || kind == TRACE_DPC_RUN || kind == TRACE_WORK_QUEUE ||
           kind == TRACE_WORK_RUN || kind == TRACE_THREAD_START;
}

void trace_tell_object(enum trace_kind kind, const void *object, ULONG64 first, ULONG64 second)
{
    tell((struct trace_event){.kind = kind,
                              .flags = TRACE_HAS_OBJECT | TRACE_HAS_FIRST | TRACE_HAS_SECOND,
                              .is_routine_first = has_routine(kind),
                              .object = object,
                              .first = first,
                              .second = second},
         group_of[kind]);
}

void trace_tell_wait_end(const void *object, const void *wait, NTSTATUS status)
{
    tell((struct trace_event){.kind = TRACE_WAIT_END,
                              .flags = TRACE_HAS_OBJECT | TRACE_HAS_FIRST | TRACE_HAS_STATUS,
                              .object = object,
                              .first = (ULONG_PTR)wait,
                              .status = status},
         TRACE_WAITS);
}

void trace_tell_text(enum trace_kind kind, const char *name, const char *text, SIZE_T bytes)
{
    tell((struct trace_event){.kind = kind,
                              .flags = name != NULL ? (unsigned)TRACE_HAS_NAME : 0,
                              .name = name,
                              .text = text,
                              .text_bytes = bytes},
         TRACE_TEXTS);
}

void trace_bugcheck(const char *name, ULONG code, ULONG_PTR parameter, const char *sentence)
{
    if (trace_wants(TRACE_TEXTS)) {
        tell((struct trace_event){.kind = TRACE_BUGCHECK,
                                  .flags = TRACE_HAS_FIRST | TRACE_HAS_SECOND | TRACE_HAS_NAME,
                                  .name = name,
                                  .first = code,
                                  .second = parameter,
                                  .text = sentence,
                                  .text_bytes = strlen(sentence)},
             TRACE_TEXTS);
        wskemu_trace_name_sites();
    }
}

void trace_tell_session(const char *name, ULONG session)
{
    tell((struct trace_event){.kind = TRACE_SESSION,
                              .flags = TRACE_HAS_FIRST | TRACE_HAS_NAME,
                              .name = name,
                              .first = session},
         TRACE_TEXTS);
}

/* ---- the network ---- */

void trace_tell_socket(enum trace_kind kind, const void *socket, ULONG64 first, NTSTATUS status,
                       const struct net_address *local, const struct net_address *remote)
{
    bool has_addresses = local != NULL || remote != NULL;
    bool has_status =
        kind == TRACE_SOCKET_BIND || kind == TRACE_SOCKET_CONNECT || kind == TRACE_SOCKET_FAIL;
    tell((struct trace_event){.kind = kind,
                              .flags = (unsigned)TRACE_HAS_OBJECT | TRACE_HAS_FIRST |
                                       (has_addresses ? (unsigned)TRACE_HAS_ADDRESSES : 0) |
                                       (has_status ? (unsigned)TRACE_HAS_STATUS : 0),
                              .object = socket,
                              .first = first,
                              .status = status,
                              .addresses = {local, remote}},
         TRACE_SOCKETS);
}

void trace_socket_open(const void *socket, USHORT family, USHORT type, ULONG protocol,
                       ULONG category)
{
    if (trace_wants(TRACE_SOCKETS)) {
        tell((struct trace_event){.kind = TRACE_SOCKET_OPEN,
                                  .flags = TRACE_HAS_OBJECT | TRACE_HAS_FIRST | TRACE_HAS_SECOND,
                                  .object = socket,
                                  .first = family | (ULONG64)type << 16 | (ULONG64)protocol << 32,
                                  .second = category},
             TRACE_SOCKETS);
    }
}

TRACE_IN_PLACE static inline void tell_stream(enum trace_kind kind, unsigned flags,
                                              const void *socket, PIRP irp, SIZE_T moved,
                                              const struct net_buffer *buffers, SIZE_T payload)
{
    tell((struct trace_event){.kind = kind,
                              .flags = flags,
                              .object = socket,
                              .irp = irp,
                              .first = moved,
                              .buffers = buffers,
                              .payload_bytes = payload},
         TRACE_TRAFFIC);
}

void trace_tell_stream(enum trace_kind kind, const void *socket, PIRP irp,
                       const struct net_buffer *buffers, SIZE_T moved)
{
    const unsigned flags = TRACE_HAS_OBJECT | TRACE_HAS_SHORT;
    if (trace_recording.payload_max != 0 || moved > TRACE_SHORT_MAX) {
        tell_stream(kind, TRACE_HAS_OBJECT | TRACE_HAS_FIRST | TRACE_HAS_IRP, socket, irp, moved,
                    buffers, trace_recording.payload_max != 0 ? moved : 0);
    } else if (irp != NULL) {
        tell_stream(kind, flags | TRACE_HAS_IRP, socket, irp, moved, NULL, 0);
    } else {
        tell_stream(kind, flags, socket, NULL, moved, NULL, 0);
    }
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
        tell((struct trace_event){.kind = is_send ? TRACE_SEND_TO : TRACE_RECEIVE_FROM,
                                  .flags = TRACE_HAS_OBJECT | TRACE_HAS_FIRST | TRACE_HAS_ADDRESSES,
                                  .object = socket,
                                  .first = length,
                                  .addresses = {local, &datagram->address},
                                  .buffers = datagram->buffers,
                                  .payload_bytes = length},
             TRACE_TRAFFIC);
    }
}
