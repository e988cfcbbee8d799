/*
 * What happened, told to whoever watches: hooks that all may call, whatever locks they hold. While
 * nobody watches that group each is one load and a test.
 */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include <wdm.h>

#include "trace/format.h"
#include "verifier/history.h"

#include <stdatomic.h>
#include <stdbool.h>

struct net_address;
struct net_buffer;

/* The groups that anybody watches: enum trace_group. In every build it lies beside the hooks. */
#ifdef __ELF__
#ifdef __GNUC__
__attribute__((visibility("hidden")))
#endif
#endif
extern _Atomic unsigned trace_groups;

/* One event; what it does not have is zero. See format.h for what the fields say. The flags say
 * which of them are written to a file. */
struct trace_event {
    enum trace_kind kind;
    unsigned flags;        /* enum trace_flags */
    bool is_routine_first; /* first is code that is to be named */
    const char *name;      /* lives as long as the process */
    const void *object;
    const void *irp;
    const void *site;
    ULONG64 first;
    ULONG64 second;
    NTSTATUS status;
    const char *text;
    SIZE_T text_bytes;
    const struct net_address *addresses[2]; /* local, remote; NULL: none */
    const struct net_buffer *buffers;       /* of payload */
    SIZE_T payload_bytes;
};

/* Tells everybody who watches its group. */
void trace_tell(const struct trace_event *event);

/* Watches groups beside what else watches; one listener at a time. It is called on any thread,
 * several at a time, with whatever locks the event happens under: it must not wait or call the
 * kernel. NULL ends it; call when no kernel runs. */
typedef void trace_listener(void *context, const struct trace_event *event);
void trace_listen(trace_listener *listener, void *context, unsigned groups);

/* Where the driver's code is on the calling thread's stack: an address in the innermost call that a
 * driver made; NULL if it is not near. */
const void *trace_driver_site(void);

static inline bool trace_wants(unsigned group)
{
    return (atomic_load_explicit(&trace_groups, memory_order_relaxed) & group) != 0;
}

/* ---- calls: TRACE_CALLS ---- */

void trace_tell_call(const char *name, const void *object, PIRP irp, const void *site);
void trace_tell_completion(PIRP irp);
void trace_tell_callback(const char *name, const void *routine);
void trace_tell_return(const char *name, const void *routine, const NTSTATUS *status);

/* The driver, at site, calls a function of WSK. */
static inline void trace_call_from(const char *name, const void *object, PIRP irp, const void *site)
{
    if (irp != NULL) {
        verifier_note_sent(object, irp, NULL, name, site);
    } else {
        verifier_note_used(object, name, site);
    }
    if (trace_wants(TRACE_CALLS)) {
        trace_tell_call(name, object, irp, site);
    }
}

/* In the function itself, which the driver called. */
#define trace_call(name, object, irp) trace_call_from(name, object, irp, _ReturnAddress())

/* An IRP is about to be completed by who is at site, its IoStatus is set. */
static inline void trace_completion(PIRP irp, const void *site)
{
    verifier_note_completed(irp, site);
    if (trace_wants(TRACE_CALLS)) {
        trace_tell_completion(irp);
    }
}

/* A routine of the driver's is about to be called. */
static inline void trace_callback(const char *name, const void *routine)
{
    if (trace_wants(TRACE_CALLS)) {
        trace_tell_callback(name, routine);
    }
}

/* It returned; status is NULL where it returns none. */
static inline void trace_callback_return(const char *name, const void *routine,
                                         const NTSTATUS *status)
{
    if (trace_wants(TRACE_CALLS)) {
        trace_tell_return(name, routine, status);
    }
}

/* ---- IRPs: TRACE_IRPS ---- */

void trace_tell_irp(enum trace_kind kind, const void *irp, const void *object, ULONG64 first);

static inline void trace_irp_allocate(PIRP irp, CCHAR stack_size)
{
    if (trace_wants(TRACE_IRPS)) {
        trace_tell_irp(TRACE_IRP_ALLOCATE, irp, NULL, (ULONG64)stack_size);
    }
}

/* It goes to a device's dispatch routine. */
static inline void trace_irp_send(PIRP irp, const void *device, UCHAR major, UCHAR minor)
{
    if (trace_wants(TRACE_IRPS)) {
        trace_tell_irp(TRACE_IRP_SEND, irp, device, (ULONG64)major << 8 | minor);
    }
}

static inline void trace_irp_cancel(PIRP irp, bool has_routine)
{
    if (trace_wants(TRACE_IRPS)) {
        trace_tell_irp(TRACE_IRP_CANCEL, irp, NULL, has_routine);
    }
}

static inline void trace_irp_free(PIRP irp)
{
    if (trace_wants(TRACE_IRPS)) {
        trace_tell_irp(TRACE_IRP_FREE, irp, NULL, 0);
    }
}

/* ---- the dispatcher: TRACE_DISPATCH, TRACE_WAITS, TRACE_LEVELS, TRACE_THREADS ---- */

void trace_tell_object(enum trace_kind kind, const void *object, ULONG64 first, ULONG64 second);

/* DPCs, timers, work items, threads, waits: what format.h says of the kind. */
static inline void trace_object(enum trace_kind kind, unsigned group, const void *object,
                                ULONG64 first, ULONG64 second)
{
    if (trace_wants(group)) {
        trace_tell_object(kind, object, first, second);
    }
}

void trace_tell_wait_end(const void *object, const void *wait, NTSTATUS status);

static inline void trace_wait_end(const void *object, const void *wait, NTSTATUS status)
{
    if (trace_wants(TRACE_WAITS)) {
        trace_tell_wait_end(object, wait, status);
    }
}

static inline void trace_irql(KIRQL before, KIRQL after)
{
    if (trace_wants(TRACE_LEVELS)) {
        trace_tell_object(TRACE_IRQL, NULL, before, after);
    }
}

/* ---- texts: TRACE_TEXTS ---- */

void trace_tell_text(enum trace_kind kind, const char *name, const char *text, SIZE_T bytes);

static inline void trace_print(const char *text, SIZE_T bytes)
{
    if (trace_wants(TRACE_TEXTS)) {
        trace_tell_text(TRACE_PRINT, NULL, text, bytes);
    }
}

/* rule may be NULL. */
static inline void trace_warning(const char *rule, const char *text, SIZE_T bytes)
{
    if (trace_wants(TRACE_TEXTS)) {
        trace_tell_text(TRACE_WARNING, rule, text, bytes);
    }
}

/* Also gives the call sites their names: nothing comes after it. */
void trace_bugcheck(const char *name, ULONG code, ULONG_PTR parameter, const char *sentence);

void trace_tell_session(const char *name, ULONG session);

/* A session moves; name is the event's, "logon". */
static inline void trace_session(const char *name, ULONG session)
{
    if (trace_wants(TRACE_TEXTS)) {
        trace_tell_session(name, session);
    }
}

/* ---- threads ---- */

/* What the calling thread is called from here on: its kind, if nobody says more. */
void trace_name_thread(const char *name);

/* The calling thread, which is about to look at the kernel only, is not recorded; of what it did
 * before neither, unless that was much. */
void trace_leave_out_thread(void);

/* ---- drivers ---- */

/* A driver is loaded: its object, its code from begin to end; and gone again. */
void trace_driver_load(const void *driver, const char *name, const void *begin, const void *end);
void trace_driver_unload(const void *driver, const char *name);

#endif
