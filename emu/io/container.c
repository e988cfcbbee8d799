/*
 * Session (container) notifications: who registered, and calling them.
 *
 * A registration counts from the instant at which it enters the list. It has a number then, and an
 * event is for the registrations whose number is not above the last one given out when the session
 * moved: nobody hears of what was before. Callbacks run without the lock. A call that runs is in
 * its registration's list of calls, which keeps the registration in the list of all: cancelling it
 * marks it as going, so that no further call begins, and waits for those that run. Callbacks of
 * different sessions may run side by side, also for one registration.
 *
 * The driver's pointers are compared with what is in the lists before anything is read through
 * them. A cancelled registration keeps its memory for a while, as objects do, so that its address
 * is not at once another's.
 */
#include "io/container.h"

#include "base/local.h"
#include "base/log.h"
#include "base/stack.h"
#include "io/device.h"
#include "io/file.h"
#include "io/io.h"
#include "ke/bugcheck.h"
#include "ke/callback.h"
#include "ke/limit.h"
#include "ke/patience.h"
#include "ke/warning.h"
#include "ob/object.h"

#include <ntifs.h>

#include <stdlib.h>

/* What a payload, and a field that is not to be used, holds for those who read it nevertheless. */
#define POISON 0xDD

struct registration {
    LIST_ENTRY link;
    ULONG64 number;
    PVOID object; /* the driver's IoObject; not referenced */
    PDRIVER_OBJECT driver;
    PIO_SESSION_NOTIFICATION_FUNCTION function;
    ULONG event_mask;
    PVOID context;
    ULONG session_id;    /* of which it hears; 0: of all */
    const void *creator; /* return address of who registered */
    LIST_ENTRY calls;    /* running now */
    bool is_going;
    KEVENT idle; /* signalled when the last call ends while is_going */
};

/* A call that runs, on the stack of its thread. */
struct call {
    LIST_ENTRY link; /* in registration.calls */
    struct registration *registration;
    struct _KTHREAD *thread;
};

static struct _OBJECT_TYPE registration_type = {.name = "Session notification"};

static struct io_containers *containers_lock(void)
{
    struct io_containers *containers = &io_state()->containers;
    base_mutex_lock(&containers->lock);
    return containers;
}

void io_containers_start(struct io_containers *containers)
{
    base_mutex_init(&containers->lock);
    InitializeListHead(&containers->registrations);
    InitializeListHead(&containers->sessions);
}

void io_containers_stop(struct io_containers *containers)
{
    while (!IsListEmpty(&containers->sessions)) {
        free(CONTAINING_RECORD(RemoveHeadList(&containers->sessions), struct io_session, link));
    }
    base_mutex_destroy(&containers->lock);
}

unsigned io_containers_report(struct io_containers *containers)
{
    unsigned left = 0;
    LIST_ENTRY *head = &containers->registrations;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        const struct registration *registration =
            CONTAINING_RECORD(entry, struct registration, link);
        base_log("left: session notification %p of driver %s, registered in %s\n",
                 (const void *)registration, io_driver_of(registration->driver)->image->name,
                 base_stack_site(registration->creator).text);
        left++;
    }
    return left;
}

/* ---- calling ---- */

static bool is_for(const struct registration *registration, const struct io_session_notice *notice)
{
    ULONG bit = 1U << (notice->event - 1); /* SESS-10 */
    ULONG id = registration->session_id;
    return !registration->is_going && registration->number <= notice->last_number &&
           (registration->event_mask & bit) != 0 && (id == 0 || id == notice->session->id);
}

/* Begins the call of the first registration from entry on that is to be told; false if there is
 * none. The lock is held. */
static bool begin_call(struct io_containers *containers, LIST_ENTRY *entry,
                       const struct io_session_notice *notice, struct call *call)
{
    for (; entry != &containers->registrations; entry = entry->Flink) {
        struct registration *registration = CONTAINING_RECORD(entry, struct registration, link);
        if (is_for(registration, notice)) {
            call->registration = registration;
            call->thread = ke_current();
            InsertTailList(&registration->calls, &call->link);
            notice->session->callbacks++;
            return true;
        }
    }
    return false;
}

/* Ends a call and begins the next. The event comes last, without the lock, for whoever waits for it
 * frees the registration. */
static bool next_call(const struct io_session_notice *notice, struct call *call)
{
    struct registration *registration = call->registration;
    struct io_containers *containers = containers_lock();
    RemoveEntryList(&call->link);
    notice->session->callbacks--;
    bool is_awaited = registration->is_going && IsListEmpty(&registration->calls);
    bool is_next = begin_call(containers, registration->link.Flink, notice, call);
    base_mutex_unlock(&containers->lock);
    if (is_awaited) {
        KeSetEvent(&registration->idle, IO_NO_INCREMENT, FALSE);
    }
    return is_next;
}

/* Success has one value. (SESS-55) */
static void check_status(const struct registration *registration, NTSTATUS status)
{
    if (status != STATUS_SUCCESS && NT_SUCCESS(status)) {
        ke_warning("SESS-55",
                   "The driver's session callback %p returned 0x%08X: it may return "
                   "STATUS_SUCCESS or an error.",
                   (const void *)(ULONG_PTR)registration->function, (unsigned)status);
    }
}

/* The call of the driver that runs on this thread, the innermost. */
static BASE_THREAD_LOCAL struct {
    const struct ke_callback *callback;
    bool has_payload;
} running;

/* Whether the calling thread is between the registration and its return to the driver. */
static BASE_THREAD_LOCAL bool is_registering;

const char *io_container_fault_rule(void)
{
    const struct ke_callback *innermost = ke_callback_innermost();
    if (innermost == NULL || innermost != running.callback) {
        return NULL;
    }
    if (!running.has_payload) {
        return "SESS-60";
    }
    return is_registering ? "SESS-31" : NULL;
}

static void call_driver(const struct registration *registration,
                        const struct io_session_notice *notice)
{
    struct ke_callback callback;
    struct io_session *session = notice->session;
    bool has_payload = notice->event == IoSessionEventConnected || !notice->options.spares_payload;
    KIRQL irql = KeGetCurrentIrql();
    RtlZeroMemory(&session->payload, sizeof(session->payload));
    session->payload.SessionId = session->id;
    session->payload.LocalSession = session->is_local;
    if (notice->options.calls_at_apc_level) {
        KeRaiseIrql(APC_LEVEL, &irql);
    }
    ke_callback_enter(&callback, "a session callback",
                      (const void *)(ULONG_PTR)registration->function);
    running.callback = &callback;
    running.has_payload = has_payload;
    NTSTATUS status = registration->function(
        session, registration->object, (ULONG)notice->event, registration->context,
        has_payload ? &session->payload : NULL, has_payload ? sizeof(session->payload) : 0);
    ke_callback_leave_with(&callback, status);
    if (notice->options.calls_at_apc_level) {
        KeLowerIrql(irql);
    }
    RtlFillMemory(&session->payload, sizeof(session->payload), POISON); /* SESS-61 */
    check_status(registration, status);
}

void io_containers_notify(const struct io_session_notice *notice)
{
    struct call call;
    struct io_containers *containers = containers_lock();
    bool is_next = begin_call(containers, containers->registrations.Flink, notice, &call);
    base_mutex_unlock(&containers->lock);
    while (is_next) {
        call_driver(call.registration, notice);
        is_next = next_call(notice, &call);
    }
}

/* ---- registering ---- */

static bool is_object(const void *object, ULONG_PTR key)
{
    return (ULONG_PTR)object == key;
}

/* Whose I/O object that is, and of which sessions it hears. False if it is no device, driver or
 * file object, or a deleted device. The pointer may point anywhere. */
static bool resolve(PVOID object, struct registration *registration)
{
    POBJECT_TYPE types[] = {&io_device_type, *IoDriverObjectType, &io_file_type};
    void *found = NULL;
    size_t type = 0;
    while (type < RTL_NUMBER_OF(types) && found == NULL) {
        found = ob_find(types[type++], is_object, (ULONG_PTR)object);
    }
    if (found == NULL) {
        return false;
    }
    bool is_good = true;
    if (ob_type_of(found) == &io_device_type) {
        is_good = !io_device_is_deleted(found);
        registration->driver = ((PDEVICE_OBJECT)found)->DriverObject;
        registration->session_id = io_device_session(found); /* SESS-34, SESS-41 */
    } else if (ob_type_of(found) == &io_file_type) {
        registration->driver = ((PFILE_OBJECT)found)->DeviceObject->DriverObject;
    } else {
        registration->driver = found;
    }
    registration->object = found;
    ob_dereference(found);
    return is_good;
}

/* The information structure's contents. (SESS-14, SESS-15) */
static NTSTATUS check_contents(const IO_SESSION_STATE_NOTIFICATION *information,
                               struct registration *registration)
{
    if (information == NULL) {
        return STATUS_INVALID_PARAMETER_3;
    }
    if (information->Size != sizeof(*information) || information->Flags != 0) {
        ke_warning("SESS-28",
                   "The driver called IoRegisterContainerNotification with Size %u and Flags 0x%X; "
                   "Size is that of IO_SESSION_STATE_NOTIFICATION (%u) and Flags 0.",
                   (unsigned)information->Size, (unsigned)information->Flags,
                   (unsigned)sizeof(*information));
        return STATUS_INVALID_PARAMETER_3;
    }
    if (!resolve(information->IoObject, registration)) {
        ke_warning("SESS-33",
                   "The driver called IoRegisterContainerNotification with the IoObject %p, which "
                   "is no device, driver or file object, or a deleted device.",
                   information->IoObject);
        return STATUS_INVALID_PARAMETER_3;
    }
    if ((information->EventMask & IO_SESSION_STATE_VALID_EVENT_MASK) == 0) {
        ke_warning("SESS-48",
                   "The driver called IoRegisterContainerNotification with the EventMask 0x%X, "
                   "which selects no event.",
                   (unsigned)information->EventMask);
    }
    return STATUS_SUCCESS;
}

/* What is wrong whatever the structure holds. (SESS-13, SESS-16, SESS-19, SESS-20) */
static NTSTATUS check_parameters(IO_CONTAINER_NOTIFICATION_CLASS class, const void *function,
                                 ULONG length, const void *result)
{
    if (class != IoSessionStateNotification) {
        return STATUS_INVALID_PARAMETER_1;
    }
    if (function == NULL) {
        ke_warning("SESS-27", "The driver called IoRegisterContainerNotification without a "
                              "CallbackFunction.");
        return STATUS_INVALID_PARAMETER_2;
    }
    if (length != sizeof(IO_SESSION_STATE_NOTIFICATION)) {
        return STATUS_INVALID_PARAMETER_4;
    }
    if (result == NULL) {
        ke_warning("SESS-19", "The driver called IoRegisterContainerNotification without a place "
                              "for CallbackRegistration.");
        return STATUS_INVALID_PARAMETER_5;
    }
    return STATUS_SUCCESS;
}

/* The registration for an I/O object; NULL if there is none. The lock is held. */
static struct registration *find_object(struct io_containers *containers, const void *object)
{
    LIST_ENTRY *head = &containers->registrations;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        struct registration *registration = CONTAINING_RECORD(entry, struct registration, link);
        if (registration->object == object && !registration->is_going) {
            return registration;
        }
    }
    return NULL;
}

/* From here on the registration counts. An I/O object has one driver, so that a second registration
 * for it is a second one of that driver. (SESS-17, SESS-25, SESS-30) */
static NTSTATUS insert(struct registration *registration)
{
    struct io_containers *containers = containers_lock();
    bool is_first = find_object(containers, registration->object) == NULL;
    if (is_first) {
        registration->number = ++containers->last_number;
        InsertTailList(&containers->registrations, &registration->link);
    }
    struct wskemu_session_options options = containers->options;
    base_mutex_unlock(&containers->lock);
    if (is_first && options.registered != NULL) {
        is_registering = true;
        options.registered(options.context);
        is_registering = false;
    }
    return is_first ? STATUS_SUCCESS : STATUS_ALREADY_COMMITTED;
}

static struct registration *create(const struct registration *values)
{
    struct registration *registration = NULL;
    struct io_containers *containers = containers_lock();
    bool lacks_memory = containers->options.lacks_memory;
    base_mutex_unlock(&containers->lock);
    if (!lacks_memory) {
        registration = ob_create(&registration_type, sizeof(*registration));
    }
    if (registration != NULL) {
        *registration = *values;
        ob_make_internal(registration); /* io_containers_report tells of it */
        InitializeListHead(&registration->calls);
        KeInitializeEvent(&registration->idle, NotificationEvent, FALSE);
    }
    return registration;
}

/*
 * Has CallbackFunction, an IO_SESSION_NOTIFICATION_FUNCTION, called at the events of sessions that
 * NotificationInformation, an IO_SESSION_STATE_NOTIFICATION of that many bytes, selects; that may
 * be before this returns. Stores what IoUnregisterContainerNotification takes, which has to come
 * before the I/O object goes and the driver unloads. STATUS_INVALID_PARAMETER_1 to _5,
 * STATUS_ALREADY_COMMITTED for an I/O object that has a registration,
 * STATUS_INSUFFICIENT_RESOURCES. IRQL <= APC_LEVEL. (SESS-11 to 36)
 */
NTSTATUS IoRegisterContainerNotification(IO_CONTAINER_NOTIFICATION_CLASS NotificationClass,
                                         PIO_CONTAINER_NOTIFICATION_FUNCTION CallbackFunction,
                                         PVOID NotificationInformation,
                                         ULONG NotificationInformationLength,
                                         PVOID CallbackRegistration)
{
    const IO_SESSION_STATE_NOTIFICATION *information = NotificationInformation;
    struct registration values = {.creator = _ReturnAddress()};
    KE_IRQL_AT_MOST(APC_LEVEL);
    NTSTATUS status = check_parameters(NotificationClass, (const void *)(ULONG_PTR)CallbackFunction,
                                       NotificationInformationLength, CallbackRegistration);
    if (NT_SUCCESS(status)) {
        status = check_contents(information, &values);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    values.function = (PIO_SESSION_NOTIFICATION_FUNCTION)(ULONG_PTR)CallbackFunction; /* SESS-26 */
    values.event_mask = information->EventMask;
    values.context = information->Context;
    struct registration *registration = create(&values);
    if (registration == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = insert(registration);
    if (!NT_SUCCESS(status)) {
        ob_dereference(registration);
        return status;
    }
    *(PVOID *)CallbackRegistration = registration;
    return STATUS_SUCCESS;
}

/* ---- cancelling ---- */

/* The registration behind a driver's pointer, which may point anywhere. The lock is held. */
static struct registration *find(struct io_containers *containers, const void *pointer)
{
    LIST_ENTRY *head = &containers->registrations;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        struct registration *registration = CONTAINING_RECORD(entry, struct registration, link);
        if (registration == pointer) {
            return registration;
        }
    }
    return NULL;
}

static bool calls_on(const struct registration *registration, const struct _KTHREAD *thread)
{
    const LIST_ENTRY *head = &registration->calls;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        if (CONTAINING_RECORD(entry, struct call, link)->thread == thread) {
            return true;
        }
    }
    return false;
}

/* Marks the registration as going and says whether calls of it run. */
static struct registration *begin_going(PVOID pointer, bool *is_running)
{
    struct io_containers *containers = containers_lock();
    struct registration *registration = find(containers, pointer);
    bool is_good = registration != NULL && !registration->is_going;
    bool is_inside = is_good && calls_on(registration, ke_current());
    if (is_good) {
        registration->is_going = true;
        *is_running = !IsListEmpty(&registration->calls);
    }
    base_mutex_unlock(&containers->lock);
    if (!is_good) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, IO_CONTAINER_VIOLATION, (ULONG_PTR)pointer,
                    0, 0, "SESS-70",
                    "The driver called IoUnregisterContainerNotification with %p, which is no "
                    "registration of IoRegisterContainerNotification, or was cancelled before.",
                    pointer);
    }
    if (is_inside) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, IO_CONTAINER_VIOLATION, (ULONG_PTR)pointer,
                    (ULONG_PTR)registration->function, 0, "SESS-73",
                    "The driver called IoUnregisterContainerNotification inside the callback %p of "
                    "the same registration. The call waits for that callback, so it would wait for "
                    "ever.",
                    (const void *)(ULONG_PTR)registration->function);
    }
    return registration;
}

static void say_waiting(void *context)
{
    const struct registration *registration = context;
    base_log("IoUnregisterContainerNotification still waits for the session callback %p, which "
             "has not returned (rule SESS-73: no lock may be held that the callback takes)\n",
             (const void *)(ULONG_PTR)registration->function);
}

/* Ends a registration; none of its callbacks runs when this returns. IRQL <= APC_LEVEL, and not
 * from within such a callback. (SESS-67 to 73) */
VOID IoUnregisterContainerNotification(PVOID CallbackRegistration)
{
    bool is_running = false;
    KE_IRQL_AT_MOST(APC_LEVEL);
    struct registration *registration = begin_going(CallbackRegistration, &is_running);
    if (is_running) {
        ke_wait_patiently(&registration->idle,
                          &(struct ke_reason){.what = "IoUnregisterContainerNotification",
                                              .object = CallbackRegistration,
                                              .kind = KE_REASON_END,
                                              .rule = "SESS-73",
                                              .verifier_code = IO_CONTAINER_VIOLATION,
                                              .say = say_waiting,
                                              .context = registration});
    }
    struct io_containers *containers = containers_lock();
    RemoveEntryList(&registration->link);
    base_mutex_unlock(&containers->lock);
    ob_dereference(registration);
}

/* ---- what goes too early ---- */

bool io_container_is_watched(const void *object)
{
    struct io_containers *containers = containers_lock();
    bool is_watched = find_object(containers, object) != NULL;
    base_mutex_unlock(&containers->lock);
    return is_watched;
}

void io_container_check_object(const void *object, const char *rule, const char *how)
{
    struct io_containers *containers = containers_lock();
    const struct registration *registration = find_object(containers, object);
    const void *creator = registration != NULL ? registration->creator : NULL;
    base_mutex_unlock(&containers->lock);
    if (registration != NULL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, IO_CONTAINER_VIOLATION,
                    (ULONG_PTR)registration, (ULONG_PTR)object, 0, rule,
                    "The %s %p %s while its session notification was registered (in %s); "
                    "call IoUnregisterContainerNotification first.",
                    ob_type_of(object) == &io_file_type ? "file object" : "device", object, how,
                    base_stack_site(creator).text);
    }
}

void io_container_check_driver(PDRIVER_OBJECT driver, const char *rule, const char *how)
{
    struct io_containers *containers = containers_lock();
    const struct registration *left = NULL;
    LIST_ENTRY *head = &containers->registrations;
    for (LIST_ENTRY *entry = head->Flink; entry != head && left == NULL; entry = entry->Flink) {
        const struct registration *registration =
            CONTAINING_RECORD(entry, struct registration, link);
        left = registration->driver == driver && !registration->is_going ? registration : NULL;
    }
    const void *creator = left != NULL ? left->creator : NULL;
    base_mutex_unlock(&containers->lock);
    if (left != NULL) {
        ke_bugcheck(DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS, (ULONG_PTR)left, 0, 0, 0,
                    rule,
                    "The driver %s %s while a session notification of its was registered (in %s): "
                    "the next event would call into memory that is gone.",
                    io_driver_of(driver)->image->name, how, base_stack_site(creator).text);
    }
}

/* ---- asking ---- */

/* The session behind a driver's pointer, which may point anywhere. The lock is held. */
static struct io_session *find_session(struct io_containers *containers, const void *pointer)
{
    LIST_ENTRY *head = &containers->sessions;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        struct io_session *session = CONTAINING_RECORD(entry, struct io_session, link);
        if (session == pointer) {
            return session;
        }
    }
    return NULL;
}

/* Only in these states does LocalSession say something. (SESS-87) */
static bool tells_locality(IO_SESSION_STATE state)
{
    return state == IoSessionStateConnected || state == IoSessionStateLoggedOn ||
           state == IoSessionStateLoggedOff;
}

static bool describe(const void *pointer, IO_SESSION_STATE_INFORMATION *information,
                     bool *is_in_callback)
{
    struct io_containers *containers = containers_lock();
    const struct io_session *session = find_session(containers, pointer);
    if (session != NULL) {
        RtlZeroMemory(information, sizeof(*information));
        information->SessionId = session->id;
        information->SessionState = session->state;
        information->LocalSession = tells_locality(session->state) ? session->is_local : POISON;
        *is_in_callback = session->callbacks != 0;
    }
    base_mutex_unlock(&containers->lock);
    return session != NULL;
}

/*
 * Writes an IO_SESSION_STATE_INFORMATION about the session whose SessionObject a callback was
 * given. LocalSession is neither TRUE nor FALSE in the states in which it may not be used.
 * STATUS_INVALID_PARAMETER_1 to _4. IRQL <= APC_LEVEL. (SESS-77 to 87)
 */
NTSTATUS IoGetContainerInformation(IO_CONTAINER_INFORMATION_CLASS InformationClass,
                                   PVOID ContainerObject, PVOID Buffer, ULONG BufferLength)
{
    IO_SESSION_STATE_INFORMATION information;
    bool is_in_callback = false;
    KE_IRQL_AT_MOST(APC_LEVEL);
    if (InformationClass != IoSessionStateInformation) {
        return STATUS_INVALID_PARAMETER_1;
    }
    if (ContainerObject == NULL) {
        return STATUS_INVALID_PARAMETER_2;
    }
    if (Buffer == NULL) {
        return STATUS_INVALID_PARAMETER_3;
    }
    if (BufferLength < sizeof(information)) {
        return STATUS_INVALID_PARAMETER_4;
    }
    if (!describe(ContainerObject, &information, &is_in_callback)) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, IO_CONTAINER_VIOLATION,
                    (ULONG_PTR)ContainerObject, 0, 0, "SESS-84",
                    "The driver called IoGetContainerInformation with %p, which is no "
                    "SessionObject that a callback was given.",
                    ContainerObject);
    }
    if (!is_in_callback) {
        ke_warning("SESS-61",
                   "The driver called IoGetContainerInformation with the SessionObject %p after "
                   "the callback had returned; Windows does not say that it is still valid then.",
                   ContainerObject);
    }
    RtlCopyMemory(Buffer, &information, sizeof(information));
    return STATUS_SUCCESS;
}
