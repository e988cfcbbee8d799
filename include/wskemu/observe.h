/*
 * What a driver and WSK do to each other, told while it happens: for a demonstration, or for a test
 * that asks in which order things came.
 *
 *     static void print(void *context, const struct wskemu_event *event)
 *     {
 *         printf("%s at IRQL %u\n", event->name, event->irql);
 *     }
 *
 *     wskemu_observe(print, NULL);
 *     wskemu_boot(NULL);
 */
#ifndef WSKEMU_OBSERVE_H
#define WSKEMU_OBSERVE_H

#include <wdm.h>

#ifdef __cplusplus
extern "C" {
#endif

enum wskemu_event_kind {
    WSKEMU_EVENT_CALL,            /* the driver calls WSK: name, object, irp */
    WSKEMU_EVENT_COMPLETION,      /* an IRP is completed: irp, status, information */
    WSKEMU_EVENT_CALLBACK,        /* a routine of the driver's is called: name, routine */
    WSKEMU_EVENT_CALLBACK_RETURN, /* and returned; status if has_status */
};

/* Valid during the observer's call. What an event does not have is zero. */
struct wskemu_event {
    enum wskemu_event_kind kind;
    KIRQL irql;         /* of the thread on which it happens */
    const char *name;   /* "WskReceive", "WskAcceptEvent", "a completion routine", "DriverEntry" */
    const void *object; /* the socket, client or registration of a call */
    const void *routine;
    PIRP irp; /* NULL for a call without one */
    BOOLEAN has_status;
    NTSTATUS status;
    ULONG_PTR information;
};

/*
 * Runs where the event happens, on any thread and several at a time, with no lock held. It may
 * print; it must not wait, call the kernel or touch the IRP.
 */
typedef void wskemu_observer(void *context, const struct wskemu_event *event);

/* Has observer called at each event; NULL ends that. Call it before boot or after shutdown: at no
 * other time is it certain that none runs. */
void wskemu_observe(wskemu_observer *observer, void *context);

#ifdef __cplusplus
}
#endif

#endif
