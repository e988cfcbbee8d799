/*
 * A driver that watches sessions: what its callbacks were given, and how to register them.
 */
#ifndef TESTS_IO_SESSION_DRIVER_H
#define TESTS_IO_SESSION_DRIVER_H

#include "io_driver.h"

#include <wskemu/session.h>

/* One call of note_event, and what IoGetContainerInformation said inside it. */
struct noted {
    PVOID session;
    PVOID object;
    ULONG event;
    PVOID context;
    PVOID payload;
    ULONG length;
    IO_SESSION_CONNECT_INFO info;
    KIRQL irql;
    NTSTATUS status;
    IO_SESSION_STATE_INFORMATION state;
};

/* The context of a registration. */
struct watch {
    ULONG count;
    struct noted noted[16];
    NTSTATUS answer; /* of the callback */
    PVOID registration;
};

static inline NTSTATUS note_event(PVOID session, PVOID object, ULONG event, PVOID context,
                                  PVOID payload, ULONG length)
{
    struct watch *watch = context;
    struct noted *noted = &watch->noted[watch->count++ % RTL_NUMBER_OF(watch->noted)];
    *noted = (struct noted){
        .session = session,
        .object = object,
        .event = event,
        .context = context,
        .payload = payload,
        .length = length,
        .irql = KeGetCurrentIrql(),
    };
    if (length >= sizeof(noted->info)) {
        noted->info = *(PIO_SESSION_CONNECT_INFO)payload;
    }
    noted->status = IoGetContainerInformation(IoSessionStateInformation, session, &noted->state,
                                              sizeof(noted->state));
    return watch->answer;
}

/* What the next registration is made of; a test changes what it is about. */
static inline IO_SESSION_STATE_NOTIFICATION notification_of(PVOID object, PVOID context)
{
    return (IO_SESSION_STATE_NOTIFICATION){
        .Size = sizeof(IO_SESSION_STATE_NOTIFICATION),
        .IoObject = object,
        .EventMask = IO_SESSION_STATE_ALL_EVENTS,
        .Context = context,
    };
}

static inline NTSTATUS register_with(const IO_SESSION_STATE_NOTIFICATION *notification,
                                     IO_SESSION_NOTIFICATION_FUNCTION *function, PVOID *result)
{
    IO_SESSION_STATE_NOTIFICATION copy = *notification;
    NTSTATUS status = IoRegisterContainerNotification(
        IoSessionStateNotification, (PIO_CONTAINER_NOTIFICATION_FUNCTION)(ULONG_PTR)function, &copy,
        sizeof(copy), result);
    RtlFillMemory(&copy, sizeof(copy), 0xEE); /* SESS-23 */
    return status;
}

static inline PVOID register_function(PVOID object, IO_SESSION_NOTIFICATION_FUNCTION *function,
                                      PVOID context)
{
    PVOID registration = NULL;
    IO_SESSION_STATE_NOTIFICATION notification = notification_of(object, context);
    assert_int_equal(register_with(&notification, function, &registration), STATUS_SUCCESS);
    assert_non_null(registration);
    return registration;
}

/* For all events and sessions that the object sees. */
static inline void begin_watch(struct watch *watch, PVOID object)
{
    RtlZeroMemory(watch, sizeof(*watch));
    watch->registration = register_function(object, note_event, watch);
}

static inline void begin_watch_of(struct watch *watch, PVOID object, ULONG mask)
{
    RtlZeroMemory(watch, sizeof(*watch));
    IO_SESSION_STATE_NOTIFICATION notification = notification_of(object, watch);
    notification.EventMask = mask;
    assert_int_equal(register_with(&notification, note_event, &watch->registration),
                     STATUS_SUCCESS);
}

static inline void end_watch(struct watch *watch)
{
    IoUnregisterContainerNotification(watch->registration);
}

/* The last call. */
static inline const struct noted *last_noted(const struct watch *watch)
{
    assert_true(watch->count != 0);
    return &watch->noted[(watch->count - 1) % RTL_NUMBER_OF(watch->noted)];
}

static inline void make_session(ULONG id)
{
    assert_int_equal(wskemu_session_create(id), STATUS_SUCCESS);
}

/* A session with a user who is there. */
static inline void log_on(ULONG id, BOOLEAN is_local)
{
    make_session(id);
    assert_int_equal(wskemu_session_connect(id, is_local), STATUS_SUCCESS);
    assert_int_equal(wskemu_session_logon(id), STATUS_SUCCESS);
}

#endif
