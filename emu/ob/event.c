/* Events as objects, with handles and names. What they do is KEVENT's. */
#include "ke/limit.h"
#include "ob/object.h"

#include <ntifs.h>

static DISPATCHER_HEADER *waitable(void *object)
{
    return &((PRKEVENT)object)->Header;
}

static struct _OBJECT_TYPE event_type = {.name = "Event", .waitable = waitable};
static POBJECT_TYPE event_type_pointer = &event_type;
POBJECT_TYPE *ExEventObjectType = &event_type_pointer;

/*
 * Makes an event and opens a handle to it. ObjectAttributes may be NULL.
 * STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_NAME_EXISTS (with OBJ_OPENIF: the event that has the
 * name, as it is), STATUS_INVALID_PARAMETER for an unknown type. PASSIVE_LEVEL.
 */
NTSTATUS ZwCreateEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess,
                       POBJECT_ATTRIBUTES ObjectAttributes, EVENT_TYPE EventType,
                       BOOLEAN InitialState)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (EventType != NotificationEvent && EventType != SynchronizationEvent) {
        return STATUS_INVALID_PARAMETER;
    }
    PRKEVENT event = ob_create(&event_type, sizeof(*event));
    if (event == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeEvent(event, EventType, InitialState);
    return ob_insert(event, ObjectAttributes, DesiredAccess, EventHandle);
}

/* Opens a named event. STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_TYPE_MISMATCH. PASSIVE_LEVEL. */
NTSTATUS ZwOpenEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess,
                     POBJECT_ATTRIBUTES ObjectAttributes)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return ob_open(ObjectAttributes, &event_type, DesiredAccess, EventHandle);
}

/* Calls change with the event of a handle. */
static NTSTATUS change_event(HANDLE handle, PLONG previous, LONG (*change)(PRKEVENT event))
{
    void *event = NULL;
    ACCESS_MASK access = 0;
    NTSTATUS status = ob_reference_handle(handle, &event_type, &event, &access);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    LONG before = change(event);
    ob_dereference(event);
    if (previous != NULL) {
        *previous = before;
    }
    return STATUS_SUCCESS;
}

static LONG set(PRKEVENT event)
{
    return KeSetEvent(event, IO_NO_INCREMENT, FALSE);
}

/* Signals an event; *PreviousState, if wanted, is the state before. STATUS_INVALID_HANDLE,
 * STATUS_OBJECT_TYPE_MISMATCH. PASSIVE_LEVEL. */
NTSTATUS ZwSetEvent(HANDLE EventHandle, PLONG PreviousState)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return change_event(EventHandle, PreviousState, set);
}

/* Makes an event not signalled. Otherwise as ZwSetEvent. */
NTSTATUS ZwResetEvent(HANDLE EventHandle, PLONG PreviousState)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return change_event(EventHandle, PreviousState, KeResetEvent);
}

/* As ZwResetEvent, without the state before. */
NTSTATUS ZwClearEvent(HANDLE EventHandle)
{
    return ZwResetEvent(EventHandle, NULL);
}

static PKEVENT create_named(PUNICODE_STRING name, PHANDLE handle, EVENT_TYPE type)
{
    OBJECT_ATTRIBUTES attributes;
    void *event = NULL;
    ACCESS_MASK access = 0;
    InitializeObjectAttributes(&attributes, name, OBJ_OPENIF | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (!NT_SUCCESS(ZwCreateEvent(handle, EVENT_ALL_ACCESS, &attributes, type, TRUE))) {
        return NULL;
    }
    ob_reference_handle(*handle, &event_type, &event, &access);
    ob_dereference(event); /* the handle keeps it */
    return event;
}

/* The notification event of that name, made signalled if there is none; it lives as long as its
 * handles. NULL on failure. PASSIVE_LEVEL. */
PKEVENT IoCreateNotificationEvent(PUNICODE_STRING EventName, PHANDLE EventHandle)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return create_named(EventName, EventHandle, NotificationEvent);
}

/* As IoCreateNotificationEvent, for a synchronization event. */
PKEVENT IoCreateSynchronizationEvent(PUNICODE_STRING EventName, PHANDLE EventHandle)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return create_named(EventName, EventHandle, SynchronizationEvent);
}
