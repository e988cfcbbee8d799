/* Session notifications: registering, which events come, what a callback is given, cancelling. */
#include "log.h"
#include "session_driver.h"

#include <initguid.h>

#include <devpkey.h>

static void a_registration_gives_an_opaque_object(void **state)
{
    PROVES("SESS-11", "SESS-29", "SESS-67");
    static const char marker;
    PVOID registration = (PVOID)(ULONG_PTR)&marker;
    PDRIVER_OBJECT driver = load_plain();
    IO_SESSION_STATE_NOTIFICATION notification = notification_of(driver, NULL);
    assert_int_equal(register_with(&notification, note_event, &registration), STATUS_SUCCESS);
    assert_ptr_not_equal(registration, &marker);
    assert_non_null(registration);
    IoUnregisterContainerNotification(registration);
    /* A context is never looked into. */
    notification.Context = (PVOID)(ULONG_PTR)0x1234;
    assert_int_equal(register_with(&notification, note_event, &registration), STATUS_SUCCESS);
    IoUnregisterContainerNotification(registration);
    make_session(1); /* calls nobody */
}

static NTSTATUS register_class(PVOID object, IO_CONTAINER_NOTIFICATION_CLASS class, ULONG length)
{
    UCHAR bytes[64] = {0};
    IO_SESSION_STATE_NOTIFICATION notification = notification_of(object, NULL);
    PVOID registration = NULL;
    RtlCopyMemory(bytes, &notification, sizeof(notification));
    NTSTATUS status = IoRegisterContainerNotification(
        class, (PIO_CONTAINER_NOTIFICATION_FUNCTION)(ULONG_PTR)note_event, bytes, length,
        &registration);
    assert_null(registration);
    return status;
}

static void class_and_length_are_checked(void **state)
{
    PROVES("SESS-13", "SESS-16");
    PDRIVER_OBJECT driver = load_plain();
    ULONG size = sizeof(IO_SESSION_STATE_NOTIFICATION);
    assert_int_equal(register_class(driver, IoMaxContainerNotificationClass, size),
                     STATUS_INVALID_PARAMETER_1);
    assert_int_equal(register_class(driver, (IO_CONTAINER_NOTIFICATION_CLASS)77, size),
                     STATUS_INVALID_PARAMETER_1);
    static const LONG differences[] = {-32, -8, -1, 1, 8};
    for (size_t i = 0; i < RTL_NUMBER_OF(differences); i++) {
        assert_int_equal(register_class(driver, IoSessionStateNotification, size + differences[i]),
                         STATUS_INVALID_PARAMETER_4);
    }
}

/* The status of a registration with that structure, which must not succeed. */
static NTSTATUS refused(const IO_SESSION_STATE_NOTIFICATION *notification)
{
    PVOID registration = NULL;
    log_capture();
    NTSTATUS status = register_with(notification, note_event, &registration);
    log_captured();
    assert_null(registration);
    return status;
}

static void contents_are_checked(void **state)
{
    PROVES("SESS-14", "SESS-15");
    KEVENT event;
    PVOID registration = NULL;
    PDRIVER_OBJECT driver = load_plain();
    const IO_SESSION_STATE_NOTIFICATION good = notification_of(driver, NULL);
    IO_SESSION_STATE_NOTIFICATION bad = good;
    bad.Size--;
    assert_int_equal(refused(&bad), STATUS_INVALID_PARAMETER_3);
    bad.Size += 2;
    assert_int_equal(refused(&bad), STATUS_INVALID_PARAMETER_3);
    bad = good;
    bad.Flags = 1;
    assert_int_equal(refused(&bad), STATUS_INVALID_PARAMETER_3);
    bad = good;
    bad.IoObject = NULL;
    assert_int_equal(refused(&bad), STATUS_INVALID_PARAMETER_3);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    bad.IoObject = &event;
    assert_int_equal(refused(&bad), STATUS_INVALID_PARAMETER_3);
    bad.IoObject = (PVOID)(ULONG_PTR)0x12345678;
    assert_int_equal(refused(&bad), STATUS_INVALID_PARAMETER_3);
    bad.IoObject = KeGetCurrentThread(); /* an object, but of another type */
    assert_int_equal(refused(&bad), STATUS_INVALID_PARAMETER_3);
    assert_int_equal(
        IoRegisterContainerNotification(IoSessionStateNotification,
                                        (PIO_CONTAINER_NOTIFICATION_FUNCTION)(ULONG_PTR)note_event,
                                        NULL, sizeof(good), &registration),
        STATUS_INVALID_PARAMETER_3);
    assert_null(registration);
}

static void an_object_has_one_registration(void **state)
{
    PROVES("SESS-17", "SESS-24", "SESS-25");
    struct watch first;
    struct watch other;
    PVOID second = NULL;
    PDRIVER_OBJECT driver = load_plain();
    PDEVICE_OBJECT device = add_device(driver, NULL, NULL, NULL);
    begin_watch(&first, driver);
    IO_SESSION_STATE_NOTIFICATION again = notification_of(driver, &first);
    assert_int_equal(register_with(&again, note_event, &second), STATUS_ALREADY_COMMITTED);
    again.EventMask = IO_SESSION_STATE_LOGON_EVENT;
    again.Context = NULL;
    assert_int_equal(register_with(&again, note_event, &second), STATUS_ALREADY_COMMITTED);
    assert_null(second);
    begin_watch(&other, device); /* of the same driver, for another object */
    make_session(1);
    assert_int_equal(first.count, 1);
    assert_int_equal(other.count, 1);
    end_watch(&first);
    begin_watch(&first, driver);
    end_watch(&first);
    end_watch(&other);
}

static void lack_of_memory_is_told(void **state)
{
    PROVES("SESS-18");
    PVOID registration = NULL;
    const struct wskemu_session_options poor = {.lacks_memory = TRUE};
    IO_SESSION_STATE_NOTIFICATION notification = notification_of(load_plain(), NULL);
    wskemu_session_configure(&poor);
    assert_int_equal(register_with(&notification, note_event, &registration),
                     STATUS_INSUFFICIENT_RESOURCES);
    assert_null(registration);
    wskemu_session_configure(NULL);
    assert_int_equal(register_with(&notification, note_event, &registration), STATUS_SUCCESS);
    IoUnregisterContainerNotification(registration);
}

static void the_structure_is_copied(void **state)
{
    PROVES("SESS-23", "SESS-51");
    struct watch watch;
    PDRIVER_OBJECT driver = load_plain();
    begin_watch(&watch, driver); /* overwrites the structure after the call */
    log_on(1, TRUE);
    assert_int_equal(watch.count, 3);
    assert_ptr_equal(last_noted(&watch)->object, driver);
    assert_ptr_equal(last_noted(&watch)->context, &watch);
    end_watch(&watch);
}

static void sessions_that_exist_are_not_told(void **state)
{
    PROVES("SESS-32");
    struct watch watch;
    log_on(1, TRUE);
    begin_watch(&watch, load_plain());
    assert_int_equal(watch.count, 0);
    assert_int_equal(wskemu_session_logoff(1), STATUS_SUCCESS);
    assert_int_equal(watch.count, 1);
    assert_int_equal(last_noted(&watch)->event, IoSessionEventLogoff);
    end_watch(&watch);
}

/* Registers another object, in the middle of an event. */
struct newcomer {
    struct watch watch;
    PDEVICE_OBJECT device;
};

static NTSTATUS register_another(PVOID session, PVOID object, ULONG event, PVOID context,
                                 PVOID payload, ULONG length)
{
    struct newcomer *newcomer = context;
    UNREFERENCED_PARAMETER(session);
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(payload);
    UNREFERENCED_PARAMETER(length);
    if (event == IoSessionEventCreated) {
        begin_watch(&newcomer->watch, newcomer->device);
    }
    return STATUS_SUCCESS;
}

static void who_registers_during_an_event_hears_of_the_next(void **state)
{
    PROVES("SESS-32");
    struct newcomer newcomer = {.device = NULL};
    PDRIVER_OBJECT driver = load_plain();
    newcomer.device = add_device(driver, NULL, NULL, NULL);
    PVOID registration = register_function(driver, register_another, &newcomer);
    make_session(1);
    assert_int_equal(newcomer.watch.count, 0);
    assert_int_equal(wskemu_session_connect(1, TRUE), STATUS_SUCCESS);
    assert_int_equal(newcomer.watch.count, 1);
    end_watch(&newcomer.watch);
    IoUnregisterContainerNotification(registration);
}

/* ---- which sessions ---- */

static NTSTATUS set_session(PDEVICE_OBJECT device, ULONG id)
{
    return IoSetDevicePropertyData(device, &DEVPKEY_Device_SessionId, 0, 0, DEVPROP_TYPE_UINT32,
                                   sizeof(id), &id);
}

static void the_session_of_a_device_is_a_property(void **state)
{
    PROVES("SESS-38");
    ULONG id = 0;
    ULONG bytes = 0;
    DEVPROPTYPE type = DEVPROP_TYPE_EMPTY;
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    assert_int_equal(IoGetDevicePropertyData(device, &DEVPKEY_Device_SessionId, 0, 0, sizeof(id),
                                             &id, &bytes, &type),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(set_session(device, 5), STATUS_SUCCESS);
    assert_int_equal(
        IoGetDevicePropertyData(device, &DEVPKEY_Device_SessionId, 0, 0, 2, &id, &bytes, &type),
        STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(bytes, sizeof(id));
    assert_int_equal(IoGetDevicePropertyData(device, &DEVPKEY_Device_SessionId, 0, 0, sizeof(id),
                                             &id, &bytes, &type),
                     STATUS_SUCCESS);
    assert_int_equal(id, 5);
    assert_int_equal(type, DEVPROP_TYPE_UINT32);
    assert_int_equal(set_session(device, 6), STATUS_SUCCESS);
    IoGetDevicePropertyData(device, &DEVPKEY_Device_SessionId, 0, 0, sizeof(id), &id, &bytes,
                            &type);
    assert_int_equal(id, 6);
    assert_int_equal(IoSetDevicePropertyData(device, &DEVPKEY_Device_SessionId, 0, 0,
                                             DEVPROP_TYPE_EMPTY, 0, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(IoGetDevicePropertyData(device, &DEVPKEY_Device_SessionId, 0, 0, sizeof(id),
                                             &id, &bytes, &type),
                     STATUS_OBJECT_NAME_NOT_FOUND);
}

static void a_per_session_device_hears_of_its_session_only(void **state)
{
    PROVES("SESS-34", "SESS-35");
    struct watch watch;
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    assert_int_equal(set_session(device, 2), STATUS_SUCCESS);
    begin_watch(&watch, device);
    log_on(1, TRUE);
    assert_int_equal(watch.count, 0);
    log_on(2, TRUE);
    assert_int_equal(watch.count, 3);
    assert_int_equal(last_noted(&watch)->state.SessionId, 2);
    /* The value at the time of registration counts. (SESS-41) */
    assert_int_equal(set_session(device, 1), STATUS_SUCCESS);
    wskemu_session_terminate(1);
    assert_int_equal(watch.count, 3);
    end_watch(&watch);
}

static void register_in_create(struct watch *watch, PIRP irp)
{
    if (watch->registration == NULL) {
        begin_watch(watch, IoGetCurrentIrpStackLocation(irp)->FileObject);
    }
}

/* Registers the file in its create, cancels in its cleanup or close. */
struct file_watch {
    struct watch watch;
    PFILE_OBJECT file;
    UCHAR end; /* the major function that cancels */
};

static NTSTATUS watch_file(PDEVICE_OBJECT device, PIRP irp)
{
    struct file_watch *watched = node_of(device)->context;
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
    if (location->MajorFunction == IRP_MJ_CREATE) {
        watched->file = location->FileObject;
        register_in_create(&watched->watch, irp);
    } else if (location->MajorFunction == watched->end) {
        end_watch(&watched->watch);
    }
    return complete(irp, STATUS_SUCCESS, 0);
}

static void every_other_object_hears_of_all_sessions(void **state)
{
    PROVES("SESS-36");
    struct watch of_device;
    struct watch of_zero;
    struct watch of_driver;
    struct file_watch of_file = {.end = IRP_MJ_CLEANUP};
    HANDLE handle;
    PDRIVER_OBJECT driver = load_plain();
    PDEVICE_OBJECT device = add_device(driver, NULL, NULL, NULL);
    PDEVICE_OBJECT zero = add_device(driver, NULL, NULL, NULL);
    add_device(driver, L"\\Device\\Watched", watch_file, &of_file);
    assert_int_equal(set_session(zero, 0), STATUS_SUCCESS);
    assert_int_equal(open_device(L"\\Device\\Watched", FILE_READ_DATA, 0, &handle), STATUS_SUCCESS);
    begin_watch(&of_device, device);
    begin_watch(&of_zero, zero); /* SESS-39 */
    begin_watch(&of_driver, driver);
    log_on(1, TRUE);
    log_on(7, FALSE);
    const struct watch *const all[] = {&of_device, &of_zero, &of_driver, &of_file.watch};
    for (size_t i = 0; i < RTL_NUMBER_OF(all); i++) {
        assert_int_equal(all[i]->count, 6);
        assert_int_equal(all[i]->noted[0].state.SessionId, 1);
        assert_int_equal(all[i]->noted[5].state.SessionId, 7);
    }
    assert_ptr_equal(of_file.watch.noted[0].object, of_file.file);
    ZwClose(handle);
    end_watch(&of_device);
    end_watch(&of_zero);
    end_watch(&of_driver);
}

/* ---- which events ---- */

/* A session's whole life, with each event at least once. */
static void live(ULONG id)
{
    static const IO_SESSION_EVENT life[] = {
        IoSessionEventCreated, IoSessionEventConnected,    IoSessionEventLogon,
        IoSessionEventLogoff,  IoSessionEventDisconnected, IoSessionEventTerminated,
    };
    for (size_t i = 0; i < RTL_NUMBER_OF(life); i++) {
        assert_int_equal(wskemu_session_event(id, life[i], TRUE), STATUS_SUCCESS);
    }
}

static void only_selected_events_come(void **state)
{
    PROVES("SESS-46");
    struct watch watch;
    PDRIVER_OBJECT driver = load_plain();
    for (ULONG event = IoSessionEventCreated; event < IoSessionEventMax; event++) {
        begin_watch_of(&watch, driver, 1U << (event - 1));
        live(event);
        assert_int_equal(watch.count, 1);
        assert_int_equal(last_noted(&watch)->event, event);
        end_watch(&watch);
    }
    begin_watch_of(&watch, driver, IO_SESSION_STATE_LOGON_EVENT | IO_SESSION_STATE_LOGOFF_EVENT);
    live(20);
    assert_int_equal(watch.count, 2);
    assert_int_equal(watch.noted[0].event, IoSessionEventLogon);
    assert_int_equal(watch.noted[1].event, IoSessionEventLogoff);
    end_watch(&watch);
}

static void unknown_bits_of_the_mask_select_nothing(void **state)
{
    PROVES("SESS-47", "SESS-49");
    struct watch watch;
    PDRIVER_OBJECT driver = load_plain();
    begin_watch_of(&watch, driver, IO_SESSION_STATE_ALL_EVENTS);
    live(1);
    assert_int_equal(watch.count, 6);
    assert_int_equal(wskemu_session_create(2), STATUS_SUCCESS);
    assert_int_equal(wskemu_session_event(2, IoSessionEventIgnore, TRUE), STATUS_INVALID_PARAMETER);
    assert_int_equal(wskemu_session_event(2, IoSessionEventMax, TRUE), STATUS_INVALID_PARAMETER);
    for (ULONG i = 0; i < watch.count; i++) {
        assert_in_range(watch.noted[i].event, IoSessionEventCreated, IoSessionEventLogoff);
    }
    end_watch(&watch);
    log_capture(); /* SESS-48 */
    begin_watch_of(&watch, driver, ~(ULONG)IO_SESSION_STATE_VALID_EVENT_MASK);
    assert_true(log_named("SESS-48"));
    live(3);
    assert_int_equal(watch.count, 0);
    end_watch(&watch);
}

/* ---- the callback ---- */

static void a_callback_gets_session_object_and_payload(void **state)
{
    PROVES("SESS-50", "SESS-52", "SESS-53", "SESS-57", "SESS-59");
    struct watch watch;
    PDRIVER_OBJECT driver = load_plain();
    begin_watch(&watch, driver);
    for (ULONG id = 1; id <= 2; id++) {
        BOOLEAN is_local = id == 1;
        make_session(id);
        assert_int_equal(wskemu_session_connect(id, is_local), STATUS_SUCCESS);
        const struct noted *noted = last_noted(&watch);
        assert_int_equal(noted->event, IoSessionEventConnected);
        assert_non_null(noted->session);
        assert_ptr_equal(noted->object, driver);
        assert_ptr_equal(noted->context, &watch);
        assert_non_null(noted->payload);
        assert_int_equal(noted->length, sizeof(IO_SESSION_CONNECT_INFO));
        assert_true(noted->length <= IO_SESSION_MAX_PAYLOAD_SIZE);
        assert_int_equal(noted->info.SessionId, id);
        assert_int_equal(noted->info.LocalSession, is_local);
        assert_int_equal(noted->irql, PASSIVE_LEVEL);
        assert_int_equal(noted->status, STATUS_SUCCESS);
        assert_int_equal(noted->state.SessionId, id);
    }
    end_watch(&watch);
}

static void a_callback_may_come_at_apc_level(void **state)
{
    PROVES("SESS-53");
    struct watch watch;
    const struct wskemu_session_options high = {.calls_at_apc_level = TRUE};
    begin_watch(&watch, load_plain());
    wskemu_session_configure(&high);
    make_session(1);
    assert_int_equal(last_noted(&watch)->irql, APC_LEVEL);
    assert_int_equal(last_noted(&watch)->status, STATUS_SUCCESS);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    end_watch(&watch);
}

static void the_payload_may_be_missing_but_at_connect(void **state)
{
    PROVES("SESS-57", "SESS-59");
    struct watch watch;
    const struct wskemu_session_options sparing = {.spares_payload = TRUE};
    begin_watch(&watch, load_plain());
    wskemu_session_configure(&sparing);
    live(1);
    assert_int_equal(watch.count, 6);
    for (ULONG i = 0; i < watch.count; i++) {
        BOOLEAN is_connect = watch.noted[i].event == IoSessionEventConnected;
        assert_int_equal(watch.noted[i].length, is_connect ? sizeof(IO_SESSION_CONNECT_INFO) : 0);
        assert_int_equal(watch.noted[i].payload != NULL, is_connect);
    }
    end_watch(&watch);
}

static void an_error_of_the_callback_changes_nothing(void **state)
{
    PROVES("SESS-56", "SESS-64");
    struct watch watch;
    struct watch other;
    PDRIVER_OBJECT driver = load_plain();
    begin_watch(&watch, driver);
    begin_watch(&other, add_device(driver, NULL, NULL, NULL));
    watch.answer = STATUS_UNSUCCESSFUL;
    log_on(1, TRUE);
    assert_int_equal(watch.count, 3);
    assert_int_equal(other.count, 3);
    assert_ptr_not_equal(last_noted(&watch)->context, last_noted(&other)->context);
    assert_ptr_not_equal(last_noted(&watch)->object, last_noted(&other)->object);
    assert_ptr_equal(last_noted(&watch)->session, last_noted(&other)->session);
    assert_int_equal(last_noted(&watch)->state.SessionState, IoSessionStateLoggedOn);
    end_watch(&watch);
    end_watch(&other);
}

static void several_drivers_hear_of_one_event(void **state)
{
    PROVES("SESS-64");
    static struct wskemu_driver_image second = {.name = "second", .entry = plain_entry};
    struct watch watches[2];
    PDRIVER_OBJECT other;
    begin_watch(&watches[0], load_plain());
    assert_int_equal(wskemu_load_driver(&second, &other), STATUS_SUCCESS);
    begin_watch(&watches[1], other);
    make_session(3);
    assert_int_equal(watches[0].count, 1);
    assert_int_equal(watches[1].count, 1);
    end_watch(&watches[1]);
    assert_int_equal(wskemu_unload_driver(other), STATUS_SUCCESS);
    assert_int_equal(wskemu_session_connect(3, TRUE), STATUS_SUCCESS);
    assert_int_equal(watches[0].count, 2);
    assert_int_equal(watches[1].count, 1);
    end_watch(&watches[0]);
}

/* ---- cancelling ---- */

static void no_callback_comes_after_cancelling(void **state)
{
    PROVES("SESS-67", "SESS-71");
    struct watch watch;
    begin_watch(&watch, load_plain());
    make_session(1);
    end_watch(&watch);
    assert_int_equal(wskemu_session_connect(1, TRUE), STATUS_SUCCESS);
    assert_int_equal(watch.count, 1);
}

/* A callback that stays until it is let go. */
struct stay {
    KEVENT entered;
    KEVENT leave;
    LONG has_left;
    LONG calls;
    LONG enough; /* so many calls at once let each other go; 0: no number does */
    PKTHREAD canceller;
};

static NTSTATUS stay(PVOID session, PVOID object, ULONG event, PVOID context, PVOID payload,
                     ULONG length)
{
    struct stay *staying = context;
    UNREFERENCED_PARAMETER(session);
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(event);
    UNREFERENCED_PARAMETER(payload);
    UNREFERENCED_PARAMETER(length);
    if (InterlockedIncrement(&staying->calls) == staying->enough) {
        KeSetEvent(&staying->leave, IO_NO_INCREMENT, FALSE);
    }
    KeSetEvent(&staying->entered, IO_NO_INCREMENT, FALSE);
    wait_object(&staying->leave);
    InterlockedExchange(&staying->has_left, 1);
    return STATUS_SUCCESS;
}

static VOID create_five(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    wskemu_session_create(5);
    wskemu_session_connect(5, TRUE);
}

static VOID let_leave(PVOID context)
{
    struct stay *staying = context;
    await_blocked(staying->canceller);
    KeSetEvent(&staying->leave, IO_NO_INCREMENT, FALSE);
}

static void begin_stay(struct stay *staying)
{
    RtlZeroMemory(staying, sizeof(*staying));
    KeInitializeEvent(&staying->entered, NotificationEvent, FALSE);
    KeInitializeEvent(&staying->leave, NotificationEvent, FALSE);
    staying->canceller = KeGetCurrentThread();
}

static void cancelling_waits_for_the_callback_that_runs(void **state)
{
    PROVES("SESS-71");
    struct stay staying;
    begin_stay(&staying);
    PVOID registration = register_function(load_plain(), stay, &staying);
    PKTHREAD mover = start_thread(create_five, NULL);
    wait_object(&staying.entered);
    PKTHREAD helper = start_thread(let_leave, &staying);
    IoUnregisterContainerNotification(registration);
    assert_int_equal(staying.has_left, 1);
    join_thread(helper);
    join_thread(mover);
    assert_int_equal(staying.calls, 1); /* not of the connect that followed */
}

static void cancelling_need_not_wait_for_another_registration(void **state)
{
    PROVES("SESS-71");
    struct stay staying;
    struct watch watch;
    PDRIVER_OBJECT driver = load_plain();
    begin_stay(&staying);
    PVOID registration = register_function(driver, stay, &staying);
    begin_watch(&watch, add_device(driver, NULL, NULL, NULL));
    PKTHREAD mover = start_thread(create_five, NULL);
    wait_object(&staying.entered);
    end_watch(&watch);
    assert_int_equal(staying.has_left, 0);
    KeSetEvent(&staying.leave, IO_NO_INCREMENT, FALSE);
    join_thread(mover);
    IoUnregisterContainerNotification(registration);
    assert_int_equal(watch.count, 0);
}

static void another_session_moves_while_a_callback_runs(void **state)
{
    PROVES("SESS-63");
    struct stay staying;
    begin_stay(&staying);
    staying.enough = 2;
    PVOID registration = register_function(load_plain(), stay, &staying);
    PKTHREAD mover = start_thread(create_five, NULL);
    wait_object(&staying.entered);
    make_session(6); /* returns only if the same registration is called meanwhile */
    join_thread(mover);
    assert_int_equal(staying.calls, 3);
    IoUnregisterContainerNotification(registration);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_registration_gives_an_opaque_object),
    kernel_test(class_and_length_are_checked),
    kernel_test(contents_are_checked),
    kernel_test(an_object_has_one_registration),
    kernel_test(lack_of_memory_is_told),
    kernel_test(the_structure_is_copied),
    kernel_test(sessions_that_exist_are_not_told),
    kernel_test(who_registers_during_an_event_hears_of_the_next),
    kernel_test(the_session_of_a_device_is_a_property),
    kernel_test(a_per_session_device_hears_of_its_session_only),
    kernel_test(every_other_object_hears_of_all_sessions),
    kernel_test(only_selected_events_come),
    kernel_test(unknown_bits_of_the_mask_select_nothing),
    kernel_test(a_callback_gets_session_object_and_payload),
    kernel_test(a_callback_may_come_at_apc_level),
    kernel_test(the_payload_may_be_missing_but_at_connect),
    kernel_test(an_error_of_the_callback_changes_nothing),
    kernel_test(several_drivers_hear_of_one_event),
    kernel_test(no_callback_comes_after_cancelling),
    kernel_test(cancelling_waits_for_the_callback_that_runs),
    kernel_test(cancelling_need_not_wait_for_another_registration),
    kernel_test(another_session_moves_while_a_callback_runs),
};

TEST_MAIN(tests)
