/*
 * A line begins with the IRQL at which it happens and is indented as deep as routines of the driver
 * stand on each other on that thread. IRPs and sockets are numbered as they are first seen.
 *
 * Several threads may tell something at once, so numbers are drawn under a lock of its own.
 */
#include "narrator.h"

#include <wskemu/observe.h>
#include <wskemu/wskemu.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define NUMBERED_MAX 64
#define LINE_BYTES_MAX 160

struct numbered {
    const void *object;
    const char *function; /* an IRP's: the call that it was last given to */
};

static struct numbered irps[NUMBERED_MAX];
static struct numbered sockets[NUMBERED_MAX];
static atomic_flag lock = ATOMIC_FLAG_INIT;
static _Thread_local int depth;

/* The number of an object, from 1 on, by its place in the table; the lock is held. */
static int place_of(struct numbered *table, const void *object)
{
    int i = 0;
    while (i < NUMBERED_MAX - 1 && table[i].object != object && table[i].object != NULL) {
        i++;
    }
    table[i].object = object;
    return i + 1;
}

/* function NULL: leaves it; returns it. */
static const char *note(struct numbered *table, const void *object, const char *function,
                        int *number)
{
    while (atomic_flag_test_and_set(&lock)) {
        continue;
    }
    *number = place_of(table, object);
    struct numbered *entry = &table[*number - 1];
    if (function != NULL) {
        entry->function = function;
    }
    function = entry->function;
    atomic_flag_clear(&lock);
    return function;
}

static const char *status_name(NTSTATUS status)
{
    switch (status) {
    case STATUS_SUCCESS:
        return "STATUS_SUCCESS";
    case STATUS_PENDING:
        return "STATUS_PENDING";
    case STATUS_CANCELLED:
        return "STATUS_CANCELLED";
    case STATUS_CONNECTION_RESET:
        return "STATUS_CONNECTION_RESET";
    case STATUS_REQUEST_NOT_ACCEPTED:
        return "STATUS_REQUEST_NOT_ACCEPTED";
    default:
        return NT_SUCCESS(status) ? "a success" : "a failure";
    }
}

static void tell(const struct wskemu_event *event, const char *text)
{
    const char *irql = event->irql == PASSIVE_LEVEL    ? "PASSIVE"
                       : event->irql == DISPATCH_LEVEL ? "DISPATCH"
                                                       : "APC";
    printf("%-8s  %*s%s\n", irql, 2 * depth, "", text);
}

/* Whether the first argument is a socket, and not a client or a registration. */
static bool is_on_socket(const char *function)
{
    static const char *const others[] = {
        "WskSocket",    "WskSocketConnect",      "WskControlClient",
        "WskRegister",  "WskCaptureProviderNPI", "WskReleaseProviderNPI",
        "WskDeregister"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strcmp(function, others[i]) == 0) {
            return false;
        }
    }
    return true;
}

static void tell_call(const struct wskemu_event *event)
{
    char text[LINE_BYTES_MAX];
    int irp = 0;
    int socket = 0;
    if (event->irp != NULL) {
        note(irps, event->irp, event->name, &irp);
    }
    if (is_on_socket(event->name)) {
        note(sockets, event->object, NULL, &socket);
    }
    if (irp != 0 && socket != 0) {
        snprintf(text, sizeof(text), "calls %s on socket %d with IRP %d", event->name, socket, irp);
    } else if (irp != 0) {
        snprintf(text, sizeof(text), "calls %s with IRP %d", event->name, irp);
    } else if (socket != 0) {
        snprintf(text, sizeof(text), "calls %s on socket %d", event->name, socket);
    } else {
        snprintf(text, sizeof(text), "calls %s", event->name);
    }
    tell(event, text);
}

static void tell_completion(const struct wskemu_event *event)
{
    char text[LINE_BYTES_MAX];
    char bytes[32] = "";
    int irp;
    const char *function = note(irps, event->irp, NULL, &irp);
    if (function == NULL) {
        return; /* not one of WSK's */
    }
    if (strcmp(function, "WskReceive") == 0 || strcmp(function, "WskSend") == 0) {
        snprintf(bytes, sizeof(bytes), ", %u bytes", (unsigned)event->information);
    }
    snprintf(text, sizeof(text), "IRP %d of %s completes with %s%s", irp, function,
             status_name(event->status), bytes);
    tell(event, text);
}

static bool is_named(const struct wskemu_event *event)
{
    return strncmp(event->name, "Wsk", 3) == 0 || strcmp(event->name, "DriverEntry") == 0 ||
           strcmp(event->name, "the unload routine") == 0;
}

/* A completion routine is told of by its IRP: it only indents. */
static bool is_followed(const struct wskemu_event *event)
{
    return is_named(event) || strcmp(event->name, "a completion routine") == 0;
}

static void tell_callback(const struct wskemu_event *event)
{
    char text[LINE_BYTES_MAX];
    if (is_named(event)) {
        snprintf(text, sizeof(text), "%s is called", event->name);
        tell(event, text);
    }
    depth += is_followed(event);
}

static void tell_return(const struct wskemu_event *event)
{
    char text[LINE_BYTES_MAX];
    depth -= is_followed(event);
    if (is_named(event)) {
        snprintf(text, sizeof(text), "%s returns%s%s", event->name, event->has_status ? " " : "",
                 event->has_status ? status_name(event->status) : "");
        tell(event, text);
    }
}

static void narrate(void *context, const struct wskemu_event *event)
{
    (void)context;
    switch (event->kind) {
    case WSKEMU_EVENT_CALL:
        tell_call(event);
        break;
    case WSKEMU_EVENT_COMPLETION:
        tell_completion(event);
        break;
    case WSKEMU_EVENT_CALLBACK:
        tell_callback(event);
        break;
    case WSKEMU_EVENT_CALLBACK_RETURN:
        tell_return(event);
        break;
    }
}

static void write_log(void *context, const char *text, size_t length)
{
    (void)context;
    printf("printed   %.*s", (int)length, text);
}

void narrator_start(void)
{
    wskemu_log_redirect(write_log, NULL);
    wskemu_observe(narrate, NULL);
}
