#include "trace/trace.h"

#include <wdm.h>

/* The tester's, not a kernel's: it watches from before boot. */
_Atomic(wskemu_observer *) trace_observer;
static void *observer_context;

void wskemu_observe(wskemu_observer *observer, void *context)
{
    atomic_store(&trace_observer, NULL);
    observer_context = context;
    atomic_store(&trace_observer, observer);
}

void trace_report(struct wskemu_event *event)
{
    wskemu_observer *observer = atomic_load(&trace_observer);
    if (observer != NULL) {
        event->irql = KeGetCurrentIrql();
        observer(observer_context, event);
    }
}
