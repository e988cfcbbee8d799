/*
 * What happened, told to whoever watches: hooks that all may call, with no lock held. While nobody
 * watches each is one load and a test.
 */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include <wskemu/observe.h>

#include <stdatomic.h>
#include <stdbool.h>

extern _Atomic(wskemu_observer *) trace_observer;

/* Fills in the IRQL and tells the observer. */
void trace_report(struct wskemu_event *event);

static inline bool trace_is_on(void)
{
    return atomic_load_explicit(&trace_observer, memory_order_relaxed) != NULL;
}

/* The driver calls a function of WSK. */
static inline void trace_call(const char *name, const void *object, PIRP irp)
{
    if (trace_is_on()) {
        trace_report(&(struct wskemu_event){
            .kind = WSKEMU_EVENT_CALL, .name = name, .object = object, .irp = irp});
    }
}

/* An IRP is about to be completed, its IoStatus is set. */
static inline void trace_completion(PIRP irp)
{
    if (trace_is_on()) {
        trace_report(&(struct wskemu_event){.kind = WSKEMU_EVENT_COMPLETION,
                                            .irp = irp,
                                            .has_status = TRUE,
                                            .status = irp->IoStatus.Status,
                                            .information = irp->IoStatus.Information});
    }
}

/* A routine of the driver's is about to be called. */
static inline void trace_callback(const char *name, const void *routine)
{
    if (trace_is_on()) {
        trace_report(&(struct wskemu_event){
            .kind = WSKEMU_EVENT_CALLBACK, .name = name, .routine = routine});
    }
}

/* It returned; status is NULL where it returns none. */
static inline void trace_callback_return(const char *name, const void *routine,
                                         const NTSTATUS *status)
{
    if (trace_is_on()) {
        trace_report(&(struct wskemu_event){.kind = WSKEMU_EVENT_CALLBACK_RETURN,
                                            .name = name,
                                            .routine = routine,
                                            .has_status = status != NULL,
                                            .status = status != NULL ? *status : 0});
    }
}

#endif
