/* Session notifications: what drivers do wrong, each beside a driver that does it right. */
#include "bugcheck.h"
#include "log.h"
#include "session_driver.h"

#include <wskemu/network.h>

#include "rtl/exception.h"

#include <string.h>

#define VIOLATION 0x534553

static NTSTATUS ignore_event(PVOID session, PVOID object, ULONG event, PVOID context, PVOID payload,
                             ULONG length)
{
    UNREFERENCED_PARAMETER(session);
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(event);
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(payload);
    UNREFERENCED_PARAMETER(length);
    return STATUS_SUCCESS;
}

/* ---- the level of the calls ---- */

static void register_high(void *context)
{
    KIRQL irql;
    PVOID registration = NULL;
    IO_SESSION_STATE_NOTIFICATION notification = notification_of(load_plain(), NULL);
    UNREFERENCED_PARAMETER(context);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    register_with(&notification, ignore_event, &registration);
}

static void cancel_high(void *context)
{
    KIRQL irql;
    PVOID registration = register_function(load_plain(), ignore_event, NULL);
    UNREFERENCED_PARAMETER(context);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    IoUnregisterContainerNotification(registration);
}

static NTSTATUS ask_high(PVOID session, PVOID object, ULONG event, PVOID context, PVOID payload,
                         ULONG length)
{
    KIRQL irql;
    IO_SESSION_STATE_INFORMATION information;
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(event);
    UNREFERENCED_PARAMETER(payload);
    UNREFERENCED_PARAMETER(length);
    KeRaiseIrql(*(KIRQL *)context, &irql);
    NTSTATUS status = IoGetContainerInformation(IoSessionStateInformation, session, &information,
                                                sizeof(information));
    KeLowerIrql(irql);
    return status;
}

static void ask_at(PDRIVER_OBJECT driver, KIRQL level)
{
    PVOID registration = register_function(driver, ask_high, &level);
    make_session(1);
    IoUnregisterContainerNotification(registration);
}

static void ask_at_dispatch_level(void *context)
{
    UNREFERENCED_PARAMETER(context);
    ask_at(load_plain(), DISPATCH_LEVEL);
}

static void calls_at_dispatch_level_are_caught(void **state)
{
    PROVES("SESS-12", "SESS-68", "SESS-78");
    expect_bugcheck(register_high, NULL, DRIVER_VIOLATION, ANY_PARAMETER, "SESS-12");
    expect_bugcheck(cancel_high, NULL, DRIVER_VIOLATION, ANY_PARAMETER, "SESS-68");
    expect_bugcheck(ask_at_dispatch_level, NULL, DRIVER_VIOLATION, ANY_PARAMETER, "SESS-78");
}

static void calls_at_apc_level_are_fine(void **state)
{
    STAYS_SILENT("SESS-12", "SESS-68", "SESS-78");
    KIRQL irql;
    PDRIVER_OBJECT driver = load_plain();
    KeRaiseIrql(APC_LEVEL, &irql);
    PVOID registration = register_function(driver, ignore_event, NULL);
    IoUnregisterContainerNotification(registration);
    KeLowerIrql(irql);
    ask_at(driver, APC_LEVEL);
}

/* ---- what is registered ---- */

/* Whether a registration with this structure and function is refused and names the rule. */
static bool is_told(IO_SESSION_STATE_NOTIFICATION notification,
                    IO_SESSION_NOTIFICATION_FUNCTION *function, NTSTATUS expected, const char *rule)
{
    PVOID registration = NULL;
    log_capture();
    NTSTATUS status = register_with(&notification, function, &registration);
    return log_named(rule) && status == expected && registration == NULL;
}

static void a_missing_callback_is_caught(void **state)
{
    PROVES("SESS-27");
    IO_SESSION_STATE_NOTIFICATION notification = notification_of(load_plain(), NULL);
    assert_true(is_told(notification, NULL, STATUS_INVALID_PARAMETER_2, "SESS-27"));
}

static void a_missing_result_is_caught(void **state)
{
    PROVES("SESS-19");
    IO_SESSION_STATE_NOTIFICATION notification = notification_of(load_plain(), NULL);
    log_capture();
    NTSTATUS status = register_with(&notification, ignore_event, NULL);
    assert_true(log_named("SESS-19"));
    assert_int_equal(status, STATUS_INVALID_PARAMETER_5);
}

static void wrong_size_and_flags_are_caught(void **state)
{
    PROVES("SESS-28");
    IO_SESSION_STATE_NOTIFICATION notification = notification_of(load_plain(), NULL);
    notification.Size = 20;
    assert_true(is_told(notification, ignore_event, STATUS_INVALID_PARAMETER_3, "SESS-28"));
    notification.Size = sizeof(notification);
    notification.Flags = 2;
    assert_true(is_told(notification, ignore_event, STATUS_INVALID_PARAMETER_3, "SESS-28"));
}

static void an_object_of_another_kind_is_caught(void **state)
{
    PROVES("SESS-33");
    PDRIVER_OBJECT driver = load_plain();
    IO_SESSION_STATE_NOTIFICATION notification = notification_of(driver, NULL);
    notification.IoObject = &notification;
    assert_true(is_told(notification, ignore_event, STATUS_INVALID_PARAMETER_3, "SESS-33"));
    notification.IoObject = NULL;
    assert_true(is_told(notification, ignore_event, STATUS_INVALID_PARAMETER_3, "SESS-33"));
    notification.IoObject = PsInitialSystemProcess;
    assert_true(is_told(notification, ignore_event, STATUS_INVALID_PARAMETER_3, "SESS-33"));
}

static void a_deleted_device_is_caught(void **state)
{
    PROVES("SESS-33");
    PDRIVER_OBJECT driver = load_plain();
    PDEVICE_OBJECT device = add_device(driver, NULL, NULL, NULL);
    IO_SESSION_STATE_NOTIFICATION notification = notification_of(device, NULL);
    ObReferenceObject(device);
    IoDeleteDevice(device);
    assert_true(is_told(notification, ignore_event, STATUS_INVALID_PARAMETER_3, "SESS-33"));
    ObDereferenceObject(device);
}

static void a_whole_registration_is_fine(void **state)
{
    STAYS_SILENT("SESS-19", "SESS-27", "SESS-28", "SESS-33", "SESS-48");
    PDRIVER_OBJECT driver = load_plain();
    PDEVICE_OBJECT device = add_device(driver, NULL, NULL, NULL);
    log_capture();
    PVOID of_driver = register_function(driver, ignore_event, NULL);
    PVOID of_device = register_function(device, ignore_event, NULL);
    IoUnregisterContainerNotification(of_device);
    IoUnregisterContainerNotification(of_driver);
    assert_string_equal(log_captured(), "");
}

/* ---- ready before registering ---- */

/* What the driver's callback works on, and when its device has it. */
struct readiness {
    PDRIVER_OBJECT driver;
    LONG *counter; /* the callback's, through the context */
    BOOLEAN is_early;
};

/* A sanitizer would report it before the kernel sees it. */
#define WILD __attribute__((noinline, no_sanitize("undefined", "address", "thread")))

WILD static NTSTATUS count_event(PVOID session, PVOID object, ULONG event, PVOID context,
                                 PVOID payload, ULONG length)
{
    struct readiness *readiness = context;
    UNREFERENCED_PARAMETER(session);
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(event);
    UNREFERENCED_PARAMETER(payload);
    UNREFERENCED_PARAMETER(length);
    ++*(volatile LONG *)readiness->counter;
    return STATUS_SUCCESS;
}

static void move_at_once(void *context)
{
    UNREFERENCED_PARAMETER(context);
    make_session(1);
}

/* An event comes between the registration and the return to the driver. */
static void register_ready_or_not(void *context)
{
    LONG count = 0;
    struct readiness *readiness = context;
    const struct wskemu_session_options options = {.registered = move_at_once};
    seh_catch_faults(); /* CMocka takes the host's signals for each test */
    wskemu_session_configure(&options);
    readiness->driver = load_plain();
    if (readiness->is_early) {
        readiness->counter = &count;
    }
    PVOID registration = register_function(readiness->driver, count_event, readiness);
    readiness->counter = &count;
    IoUnregisterContainerNotification(registration);
    assert_int_equal(count, 1);
}

static void registering_before_one_is_ready_is_caught(void **state)
{
    PROVES("SESS-31");
    struct readiness readiness = {.is_early = FALSE};
    struct wskemu_bugcheck stop = bugcheck_of(register_ready_or_not, &readiness);
    assert_string_equal(stop.rule, "SESS-31");
}

static void registering_when_one_is_ready_is_fine(void **state)
{
    PROVES("SESS-30");
    STAYS_SILENT("SESS-31");
    struct readiness readiness = {.is_early = TRUE};
    register_ready_or_not(&readiness);
}

/* ---- what a callback may do ---- */

static KSPIN_LOCK kept_lock;

static NTSTATUS raise_level(PVOID session, PVOID object, ULONG event, PVOID context, PVOID payload,
                            ULONG length)
{
    KIRQL irql;
    UNREFERENCED_PARAMETER(session);
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(event);
    UNREFERENCED_PARAMETER(payload);
    UNREFERENCED_PARAMETER(length);
    KeRaiseIrql(APC_LEVEL, &irql);
    if (context != NULL) {
        KeLowerIrql(irql);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS take_lock(PVOID session, PVOID object, ULONG event, PVOID context, PVOID payload,
                          ULONG length)
{
    KIRQL irql;
    UNREFERENCED_PARAMETER(session);
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(event);
    UNREFERENCED_PARAMETER(payload);
    UNREFERENCED_PARAMETER(length);
    KeAcquireSpinLock(&kept_lock, &irql);
    if (context != NULL) {
        KeReleaseSpinLock(&kept_lock, irql);
    } else {
        KeLowerIrql(irql);
    }
    return STATUS_SUCCESS;
}

struct trial {
    IO_SESSION_NOTIFICATION_FUNCTION *function;
    PVOID context;
};

static void call_once(void *context)
{
    const struct trial *trial = context;
    KeInitializeSpinLock(&kept_lock);
    PVOID registration = register_function(load_plain(), trial->function, trial->context);
    make_session(1);
    IoUnregisterContainerNotification(registration);
}

static void a_callback_that_returns_raised_is_caught(void **state)
{
    PROVES("SESS-54");
    struct trial trial = {.function = raise_level};
    expect_bugcheck(call_once, &trial, IRQL_UNEXPECTED_VALUE, ANY_PARAMETER, "IRQL-14");
}

static void a_callback_that_keeps_a_lock_is_caught(void **state)
{
    PROVES("SESS-54");
    struct trial trial = {.function = take_lock};
    struct wskemu_bugcheck stop = bugcheck_of(call_once, &trial);
    assert_int_not_equal(stop.code, 0);
}

static void a_callback_that_leaves_as_it_came_is_fine(void **state)
{
    STAYS_SILENT("SESS-54");
    struct trial raised = {.function = raise_level, .context = &raised};
    struct trial locked = {.function = take_lock, .context = &locked};
    PDRIVER_OBJECT driver = load_plain();
    struct trial *const trials[] = {&raised, &locked};
    KeInitializeSpinLock(&kept_lock);
    for (ULONG i = 0; i < RTL_NUMBER_OF(trials); i++) {
        PVOID registration = register_function(driver, trials[i]->function, trials[i]->context);
        make_session(i);
        IoUnregisterContainerNotification(registration);
    }
}

static bool is_answer_told(NTSTATUS answer)
{
    struct watch watch;
    begin_watch(&watch, load_plain());
    watch.answer = answer;
    log_capture();
    make_session(1);
    bool is_told = log_named("SESS-55");
    end_watch(&watch);
    return is_told;
}

static void an_odd_success_of_the_callback_is_caught(void **state)
{
    PROVES("SESS-55");
    assert_true(is_answer_told(STATUS_PENDING));
}

static void a_success_of_the_callback_is_fine(void **state)
{
    STAYS_SILENT("SESS-55");
    assert_false(is_answer_told(STATUS_SUCCESS));
}

static void an_error_of_the_callback_is_fine(void **state)
{
    STAYS_SILENT("SESS-55");
    assert_false(is_answer_told(STATUS_INSUFFICIENT_RESOURCES));
}

/* Reads the payload, with or without a look at its length. */
WILD static NTSTATUS read_payload(PVOID session, PVOID object, ULONG event, PVOID context,
                                  PVOID payload, ULONG length)
{
    UNREFERENCED_PARAMETER(session);
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(event);
    if (context == NULL || length >= sizeof(IO_SESSION_CONNECT_INFO)) {
        (void)((volatile IO_SESSION_CONNECT_INFO *)payload)->SessionId;
    }
    return STATUS_SUCCESS;
}

static void read_sparse(void *context)
{
    const struct wskemu_session_options options = {.spares_payload = TRUE};
    seh_catch_faults();
    wskemu_session_configure(&options);
    call_once(context);
}

static void reading_a_payload_unseen_is_caught(void **state)
{
    PROVES("SESS-60");
    struct trial trial = {.function = read_payload};
    struct wskemu_bugcheck stop = bugcheck_of(read_sparse, &trial);
    assert_string_equal(stop.rule, "SESS-60");
}

static void reading_a_payload_by_its_length_is_fine(void **state)
{
    PROVES("SESS-58");
    STAYS_SILENT("SESS-60");
    struct trial trial = {.function = read_payload, .context = &trial};
    read_sparse(&trial);
}

/* ---- cancelling ---- */

static void cancel(void *context)
{
    IoUnregisterContainerNotification(context);
}

static void cancel_twice(void *context)
{
    PVOID registration = register_function(load_plain(), ignore_event, context);
    IoUnregisterContainerNotification(registration);
    IoUnregisterContainerNotification(registration);
}

static void cancelling_what_is_no_registration_is_caught(void **state)
{
    PROVES("SESS-69", "SESS-70");
    int foreign = 0;
    expect_bugcheck(cancel, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, VIOLATION, "SESS-70");
    expect_bugcheck(cancel, &foreign, DRIVER_VERIFIER_DETECTED_VIOLATION, VIOLATION, "SESS-70");
    expect_bugcheck(cancel_twice, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, VIOLATION, "SESS-70");
}

static void cancelling_each_once_is_fine(void **state)
{
    STAYS_SILENT("SESS-70");
    PDRIVER_OBJECT driver = load_plain();
    for (int i = 0; i < 100; i++) {
        IoUnregisterContainerNotification(register_function(driver, ignore_event, NULL));
    }
}

static NTSTATUS cancel_inside(PVOID session, PVOID object, ULONG event, PVOID context,
                              PVOID payload, ULONG length)
{
    UNREFERENCED_PARAMETER(session);
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(event);
    UNREFERENCED_PARAMETER(payload);
    UNREFERENCED_PARAMETER(length);
    IoUnregisterContainerNotification(*(PVOID *)context);
    return STATUS_SUCCESS;
}

static void cancel_from_own_callback(void *context)
{
    PVOID registration = NULL;
    UNREFERENCED_PARAMETER(context);
    registration = register_function(load_plain(), cancel_inside, &registration);
    make_session(1);
}

static void cancelling_inside_the_own_callback_is_caught(void **state)
{
    PROVES("SESS-73");
    expect_bugcheck(cancel_from_own_callback, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, VIOLATION,
                    "SESS-73");
}

static void cancelling_inside_another_callback_is_fine(void **state)
{
    STAYS_SILENT("SESS-73");
    PDRIVER_OBJECT driver = load_plain();
    struct watch watch;
    begin_watch(&watch, add_device(driver, NULL, NULL, NULL));
    IO_SESSION_STATE_NOTIFICATION notification = notification_of(driver, &watch.registration);
    PVOID registration = NULL;
    notification.EventMask = IO_SESSION_STATE_CREATION_EVENT;
    assert_int_equal(register_with(&notification, cancel_inside, &registration), STATUS_SUCCESS);
    make_session(1);
    wskemu_session_connect(1, TRUE);
    assert_int_equal(watch.count, 1); /* it was before the other */
    IoUnregisterContainerNotification(registration);
}

/* A lock, made of an event, that the callback takes and that whoever cancels holds. */
struct held {
    KEVENT lock;
    KEVENT entered;
    PVOID registration;
};

static NTSTATUS take_held(PVOID session, PVOID object, ULONG event, PVOID context, PVOID payload,
                          ULONG length)
{
    struct held *held = context;
    UNREFERENCED_PARAMETER(session);
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(event);
    UNREFERENCED_PARAMETER(payload);
    UNREFERENCED_PARAMETER(length);
    KeSetEvent(&held->entered, IO_NO_INCREMENT, FALSE);
    wait_object(&held->lock);
    KeSetEvent(&held->lock, IO_NO_INCREMENT, FALSE);
    return STATUS_SUCCESS;
}

static VOID make_first(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    wskemu_session_create(1);
}

static VOID cancel_in_thread(PVOID context)
{
    IoUnregisterContainerNotification(((struct held *)context)->registration);
}

static LONG has_said;

static void look_for_rule(void *context, const char *text, size_t length)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(length);
    if (strstr(text, "SESS-73") != NULL) {
        InterlockedExchange(&has_said, 1);
    }
}

/* Cancels while the callback waits for the lock, which is given back once the log has said so. */
static bool is_wait_told(bool is_lock_held)
{
    struct held held;
    LARGE_INTEGER pause = interval_ms(1);
    has_said = 0;
    KeInitializeEvent(&held.lock, SynchronizationEvent, !is_lock_held);
    KeInitializeEvent(&held.entered, NotificationEvent, FALSE);
    held.registration = register_function(load_plain(), take_held, &held);
    PKTHREAD mover = start_thread(make_first, NULL);
    wait_object(&held.entered);
    wskemu_log_redirect(look_for_rule, NULL);
    wskemu_set_patience(is_lock_held ? 1 : 10000);
    PKTHREAD canceller = start_thread(cancel_in_thread, &held);
    if (is_lock_held) {
        while (!InterlockedCompareExchange(&has_said, 0, 0)) {
            KeDelayExecutionThread(KernelMode, FALSE, &pause);
        }
        KeSetEvent(&held.lock, IO_NO_INCREMENT, FALSE);
    }
    join_thread(canceller);
    join_thread(mover);
    wskemu_set_patience(0);
    wskemu_log_redirect(NULL, NULL);
    return has_said != 0;
}

static void cancelling_with_the_callbacks_lock_held_is_caught(void **state)
{
    PROVES("SESS-73", "SESS-72");
    assert_true(is_wait_told(true));
}

static void cancelling_with_no_lock_held_is_fine(void **state)
{
    STAYS_SILENT("SESS-73");
    assert_false(is_wait_told(false));
}

/* ---- what goes too early ---- */

static PVOID left_registration;
static BOOLEAN is_tidy;

static VOID unload_with_notification(PDRIVER_OBJECT driver)
{
    if (is_tidy) {
        IoUnregisterContainerNotification(left_registration);
    }
    unload_devices(driver);
}

/* Cancels, if it is tidy, but after it deleted the device. */
static VOID unload_in_wrong_order(PDRIVER_OBJECT driver)
{
    if (is_tidy) {
        IoUnregisterContainerNotification(left_registration);
        unload_devices(driver);
    } else {
        unload_devices(driver);
        IoUnregisterContainerNotification(left_registration);
    }
}

static void unload_registered_driver(void *context)
{
    UNREFERENCED_PARAMETER(context);
    PDRIVER_OBJECT driver = load_plain();
    driver->DriverUnload = unload_with_notification;
    left_registration = register_function(driver, ignore_event, NULL);
    wskemu_unload_driver(driver);
}

static void unload_registered_device(void *context)
{
    UNREFERENCED_PARAMETER(context);
    PDRIVER_OBJECT driver = load_plain();
    driver->DriverUnload = unload_in_wrong_order;
    left_registration = register_function(add_device(driver, NULL, NULL, NULL), ignore_event, NULL);
    wskemu_unload_driver(driver);
}

static void delete_registered_device(void *context)
{
    UNREFERENCED_PARAMETER(context);
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    left_registration = register_function(device, ignore_event, NULL);
    if (is_tidy) {
        IoUnregisterContainerNotification(left_registration);
    }
    IoDeleteDevice(device);
}

static void unloading_with_a_registration_is_caught(void **state)
{
    PROVES("SESS-43", "SESS-74", "DEV-21");
    is_tidy = FALSE;
    struct wskemu_bugcheck stop = bugcheck_of(unload_registered_driver, NULL);
    assert_int_equal(stop.code, DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS);
    assert_string_equal(stop.rule, "SESS-74");
    assert_non_null(strstr(stop.sentence, "The driver test was unloaded"));
}

static void unloading_after_cancelling_is_fine(void **state)
{
    STAYS_SILENT("SESS-43", "SESS-74", "DEV-21");
    is_tidy = TRUE;
    unload_registered_driver(NULL);
}

static void deleting_the_device_first_at_unload_is_caught(void **state)
{
    PROVES("SESS-43", "SESS-76");
    is_tidy = FALSE;
    expect_bugcheck(unload_registered_device, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, VIOLATION,
                    "SESS-76");
}

static void cancelling_before_the_device_goes_at_unload_is_fine(void **state)
{
    STAYS_SILENT("SESS-76");
    is_tidy = TRUE;
    unload_registered_device(NULL);
}

static void deleting_a_registered_device_is_caught(void **state)
{
    PROVES("SESS-42", "SESS-43");
    is_tidy = FALSE;
    expect_bugcheck(delete_registered_device, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, VIOLATION,
                    "SESS-43");
}

static void deleting_a_device_after_cancelling_is_fine(void **state)
{
    STAYS_SILENT("SESS-42", "SESS-43");
    is_tidy = TRUE;
    delete_registered_device(NULL);
}

static int failing_entry(void *object, void *registry_path)
{
    plain_entry(object, registry_path);
    left_registration = register_function(object, ignore_event, NULL);
    if (is_tidy) {
        IoUnregisterContainerNotification(left_registration);
    }
    return STATUS_UNSUCCESSFUL;
}

static void load_failing(void *context)
{
    static struct wskemu_driver_image image = {.name = "failing", .entry = failing_entry};
    PDRIVER_OBJECT driver;
    UNREFERENCED_PARAMETER(context);
    assert_int_equal(wskemu_load_driver(&image, &driver), STATUS_UNSUCCESSFUL);
}

static void a_failed_entry_that_stays_registered_is_caught(void **state)
{
    PROVES("SESS-75");
    is_tidy = FALSE;
    expect_bugcheck(load_failing, NULL, DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS,
                    ANY_PARAMETER, "SESS-75");
}

static void a_failed_entry_that_cancelled_is_fine(void **state)
{
    STAYS_SILENT("SESS-75");
    is_tidy = TRUE;
    load_failing(NULL);
}

/* Registers each file that is opened; cancels at the major function that the test says. */
static NTSTATUS register_file(PDEVICE_OBJECT device, PIRP irp)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
    const UCHAR *end = node_of(device)->context;
    if (location->MajorFunction == IRP_MJ_CREATE) {
        left_registration = register_function(location->FileObject, ignore_event, NULL);
    } else if (location->MajorFunction == *end) {
        IoUnregisterContainerNotification(left_registration);
    }
    return complete(irp, STATUS_SUCCESS, 0);
}

static void open_and_close(void *context)
{
    HANDLE handle;
    add_device(load_plain(), L"\\Device\\Files", register_file, context);
    assert_int_equal(open_device(L"\\Device\\Files", FILE_READ_DATA, 0, &handle), STATUS_SUCCESS);
    ZwClose(handle);
}

static void closing_a_registered_file_is_caught(void **state)
{
    PROVES("SESS-43", "SESS-44");
    UCHAR never = IRP_MJ_PNP;
    expect_bugcheck(open_and_close, &never, DRIVER_VERIFIER_DETECTED_VIOLATION, VIOLATION,
                    "SESS-44");
}

static void cancelling_in_cleanup_is_fine(void **state)
{
    STAYS_SILENT("SESS-44");
    UCHAR end = IRP_MJ_CLEANUP;
    open_and_close(&end);
}

static void cancelling_in_close_is_fine(void **state)
{
    STAYS_SILENT("SESS-44");
    UCHAR end = IRP_MJ_CLOSE;
    open_and_close(&end);
}

static void what_a_driver_that_stays_leaves_is_reported(void **state)
{
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    PDRIVER_OBJECT driver = load_plain();
    driver->DriverUnload = NULL;
    register_function(driver, ignore_event, NULL);
    log_capture();
    assert_int_equal(wskemu_shutdown(), 3); /* and the driver, with its object */
    assert_true(log_named("left: session notification"));
}

/* ---- the session object ---- */

static void ask_about(void *context)
{
    IO_SESSION_STATE_INFORMATION information;
    make_session(1);
    IoGetContainerInformation(IoSessionStateInformation, context, &information,
                              sizeof(information));
}

static void asking_about_what_is_no_session_is_caught(void **state)
{
    PROVES("SESS-84");
    int foreign = 0;
    expect_bugcheck(ask_about, &foreign, DRIVER_VERIFIER_DETECTED_VIOLATION, VIOLATION, "SESS-84");
}

static void asking_about_the_callbacks_session_is_fine(void **state)
{
    STAYS_SILENT("SESS-84");
    struct watch watch;
    begin_watch(&watch, load_plain());
    log_capture();
    log_on(1, TRUE);
    end_watch(&watch);
    assert_string_equal(log_captured(), "");
    assert_int_equal(last_noted(&watch)->status, STATUS_SUCCESS);
}

static void keeping_session_and_payload_is_noticed(void **state)
{
    PROVES("SESS-61");
    struct watch watch;
    IO_SESSION_STATE_INFORMATION information;
    begin_watch(&watch, load_plain());
    log_on(1, TRUE);
    const struct noted *noted = last_noted(&watch);
    assert_int_equal(((PIO_SESSION_CONNECT_INFO)noted->payload)->SessionId, 0xDDDDDDDD);
    log_capture();
    assert_int_equal(IoGetContainerInformation(IoSessionStateInformation, noted->session,
                                               &information, sizeof(information)),
                     STATUS_SUCCESS);
    assert_true(log_named("SESS-61"));
    end_watch(&watch);
}

/* LocalSession where it says nothing is neither TRUE nor FALSE, so that no use of it is right. */
static void using_local_session_in_other_states_is_caught(void **state)
{
    PROVES("SESS-87");
    struct watch watch;
    begin_watch(&watch, load_plain());
    log_on(1, TRUE);
    wskemu_session_disconnect(1);
    assert_int_equal(last_noted(&watch)->state.SessionState, IoSessionStateDisconnectedLoggedOn);
    assert_int_not_equal(last_noted(&watch)->state.LocalSession, TRUE);
    assert_int_not_equal(last_noted(&watch)->state.LocalSession, FALSE);
    end_watch(&watch);
}

static void using_local_session_where_it_counts_is_fine(void **state)
{
    STAYS_SILENT("SESS-87");
    struct watch watch;
    begin_watch(&watch, load_plain());
    log_on(1, TRUE);
    assert_int_equal(last_noted(&watch)->state.LocalSession, TRUE);
    end_watch(&watch);
}

static const struct CMUnitTest tests[] = {
    kernel_test(calls_at_dispatch_level_are_caught),
    kernel_test(calls_at_apc_level_are_fine),
    kernel_test(a_missing_callback_is_caught),
    kernel_test(a_missing_result_is_caught),
    kernel_test(wrong_size_and_flags_are_caught),
    kernel_test(an_object_of_another_kind_is_caught),
    kernel_test(a_deleted_device_is_caught),
    kernel_test(a_whole_registration_is_fine),
    kernel_test(registering_before_one_is_ready_is_caught),
    kernel_test(registering_when_one_is_ready_is_fine),
    kernel_test(a_callback_that_returns_raised_is_caught),
    kernel_test(a_callback_that_keeps_a_lock_is_caught),
    kernel_test(a_callback_that_leaves_as_it_came_is_fine),
    kernel_test(an_odd_success_of_the_callback_is_caught),
    kernel_test(a_success_of_the_callback_is_fine),
    kernel_test(an_error_of_the_callback_is_fine),
    kernel_test(reading_a_payload_unseen_is_caught),
    kernel_test(reading_a_payload_by_its_length_is_fine),
    kernel_test(cancelling_what_is_no_registration_is_caught),
    kernel_test(cancelling_each_once_is_fine),
    kernel_test(cancelling_inside_the_own_callback_is_caught),
    kernel_test(cancelling_inside_another_callback_is_fine),
    kernel_test(cancelling_with_the_callbacks_lock_held_is_caught),
    kernel_test(cancelling_with_no_lock_held_is_fine),
    kernel_test(unloading_with_a_registration_is_caught),
    kernel_test(unloading_after_cancelling_is_fine),
    kernel_test(deleting_the_device_first_at_unload_is_caught),
    kernel_test(cancelling_before_the_device_goes_at_unload_is_fine),
    kernel_test(deleting_a_registered_device_is_caught),
    kernel_test(deleting_a_device_after_cancelling_is_fine),
    kernel_test(a_failed_entry_that_stays_registered_is_caught),
    kernel_test(a_failed_entry_that_cancelled_is_fine),
    kernel_test(closing_a_registered_file_is_caught),
    kernel_test(cancelling_in_cleanup_is_fine),
    kernel_test(cancelling_in_close_is_fine),
    cmocka_unit_test(what_a_driver_that_stays_leaves_is_reported),
    kernel_test(asking_about_what_is_no_session_is_caught),
    kernel_test(asking_about_the_callbacks_session_is_fine),
    kernel_test(keeping_session_and_payload_is_noticed),
    kernel_test(using_local_session_in_other_states_is_caught),
    kernel_test(using_local_session_where_it_counts_is_fine),
};

TEST_MAIN(tests)
