/*
 * Callback objects: a named list of routines that whoever knows the name may register with or
 * notify.
 *
 * A notification runs the routines without the lock, so a registration that is being called stays
 * in its list: ExUnregisterCallback marks it as going, so that no further call begins, and waits
 * for the calls that run. A registration holds a reference to its object.
 */
#include "base/mutex.h"
#include "ke/callback.h"
#include "ke/limit.h"
#include "ob/object.h"

#include <stdlib.h>

struct _CALLBACK_OBJECT {
    struct base_mutex lock; /* guards all below, and the registrations */
    LIST_ENTRY registrations;
    BOOLEAN allows_multiple;
};

struct registration {
    LIST_ENTRY link;
    PCALLBACK_OBJECT object;
    PCALLBACK_FUNCTION function;
    PVOID context;
    ULONG calls; /* running now */
    BOOLEAN is_going;
    KEVENT idle; /* signalled when calls falls to 0 while is_going */
};

static void destroy(void *object)
{
    PCALLBACK_OBJECT callback = object;
    base_mutex_destroy(&callback->lock);
}

static struct _OBJECT_TYPE callback_type = {.name = "Callback", .destroy = destroy};

static NTSTATUS create(HANDLE *handle, POBJECT_ATTRIBUTES attributes, BOOLEAN allows_multiple)
{
    PCALLBACK_OBJECT callback = ob_create(&callback_type, sizeof(*callback));
    if (callback == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    base_mutex_init(&callback->lock);
    InitializeListHead(&callback->registrations);
    callback->allows_multiple = allows_multiple;
    OBJECT_ATTRIBUTES open_if = {.Length = sizeof(open_if)};
    if (attributes != NULL) {
        open_if = *attributes;
    }
    open_if.Attributes |= OBJ_OPENIF;
    return ob_insert(callback, &open_if, 0, handle);
}

/* Opens the object that has the name, or, if Create, makes it. */
static NTSTATUS open_or_create(HANDLE *handle, POBJECT_ATTRIBUTES attributes, BOOLEAN create_it,
                               BOOLEAN allows_multiple)
{
    if (create_it) {
        return create(handle, attributes, allows_multiple);
    }
    if (attributes == NULL || attributes->ObjectName == NULL) {
        return STATUS_UNSUCCESSFUL;
    }
    return ob_open(attributes, &callback_type, 0, handle);
}

/*
 * Opens a callback object by name, or makes it if Create. *CallbackObject is referenced and goes
 * with ObDereferenceObject. AllowMultipleCallbacks counts for a new object only.
 * STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_TYPE_MISMATCH, STATUS_UNSUCCESSFUL (neither a name
 * nor Create). PASSIVE_LEVEL. (DV-39)
 */
NTSTATUS ExCreateCallback(PCALLBACK_OBJECT *CallbackObject, POBJECT_ATTRIBUTES ObjectAttributes,
                          BOOLEAN Create, BOOLEAN AllowMultipleCallbacks)
{
    HANDLE handle = NULL;
    ACCESS_MASK access = 0;
    void *object = NULL;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = open_or_create(&handle, ObjectAttributes, Create, AllowMultipleCallbacks);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = ob_reference_handle(handle, &callback_type, &object, &access);
    ob_close_handle(handle);
    *CallbackObject = object;
    return status;
}

static BOOLEAN insert(PCALLBACK_OBJECT callback, struct registration *registration)
{
    base_mutex_lock(&callback->lock);
    BOOLEAN is_allowed = callback->allows_multiple || IsListEmpty(&callback->registrations);
    if (is_allowed) {
        InsertTailList(&callback->registrations, &registration->link);
    }
    base_mutex_unlock(&callback->lock);
    return is_allowed;
}

/*
 * Has CallbackFunction called with CallbackContext at each notification. Returns what
 * ExUnregisterCallback takes; NULL if the object has its one routine already, or if memory is
 * short. IRQL <= APC_LEVEL.
 */
PVOID ExRegisterCallback(PCALLBACK_OBJECT CallbackObject, PCALLBACK_FUNCTION CallbackFunction,
                         PVOID CallbackContext)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    struct registration *registration = calloc(1, sizeof(*registration));
    if (registration == NULL) {
        return NULL;
    }
    registration->object = CallbackObject;
    registration->function = CallbackFunction;
    registration->context = CallbackContext;
    KeInitializeEvent(&registration->idle, NotificationEvent, FALSE);
    if (!insert(CallbackObject, registration)) {
        free(registration);
        return NULL;
    }
    ob_reference(CallbackObject);
    return registration;
}

/* Ends a registration; no call of its routine runs when this returns. IRQL <= APC_LEVEL, and not
 * from within that routine. */
VOID ExUnregisterCallback(PVOID CallbackRegistration)
{
    struct registration *registration = CallbackRegistration;
    PCALLBACK_OBJECT callback = registration->object;
    KE_IRQL_AT_MOST(APC_LEVEL);
    base_mutex_lock(&callback->lock);
    registration->is_going = TRUE;
    BOOLEAN is_running = registration->calls != 0;
    base_mutex_unlock(&callback->lock);
    if (is_running) {
        KeWaitForSingleObject(&registration->idle, Executive, KernelMode, FALSE, NULL);
    }
    base_mutex_lock(&callback->lock);
    RemoveEntryList(&registration->link);
    base_mutex_unlock(&callback->lock);
    free(registration);
    ob_dereference(callback);
}

static void call(const struct registration *registration, PVOID argument1, PVOID argument2)
{
    struct ke_callback callback;
    ke_callback_enter(&callback, "a callback object's routine",
                      (const void *)(ULONG_PTR)registration->function);
    registration->function(registration->context, argument1, argument2);
    ke_callback_leave(&callback);
}

/* The first registration from entry on that may be called, counted as running. The lock is held. */
static struct registration *begin_call(PCALLBACK_OBJECT callback, LIST_ENTRY *entry)
{
    for (; entry != &callback->registrations; entry = entry->Flink) {
        struct registration *registration = CONTAINING_RECORD(entry, struct registration, link);
        if (!registration->is_going) {
            registration->calls++;
            return registration;
        }
    }
    return NULL;
}

/* Ends a call, begins the next one and drops the lock. The event comes last, without the lock, for
 * whoever waits for it frees the registration. */
static struct registration *next_call(PCALLBACK_OBJECT callback, struct registration *registration)
{
    struct registration *next = begin_call(callback, registration->link.Flink);
    registration->calls--;
    BOOLEAN is_awaited = registration->calls == 0 && registration->is_going;
    base_mutex_unlock(&callback->lock);
    if (is_awaited) {
        KeSetEvent(&registration->idle, IO_NO_INCREMENT, FALSE);
    }
    return next;
}

/* Calls the registered routines in the order of their registration, at the caller's level. IRQL <=
 * DISPATCH_LEVEL. */
VOID ExNotifyCallback(PVOID CallbackObject, PVOID Argument1, PVOID Argument2)
{
    PCALLBACK_OBJECT callback = CallbackObject;
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    base_mutex_lock(&callback->lock);
    struct registration *registration = begin_call(callback, callback->registrations.Flink);
    base_mutex_unlock(&callback->lock);
    while (registration != NULL) {
        call(registration, Argument1, Argument2);
        base_mutex_lock(&callback->lock);
        registration = next_call(callback, registration);
    }
}
