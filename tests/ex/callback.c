/* Callback objects. */
#include "kernel.h"

#include <ntifs.h>

static PCALLBACK_OBJECT open_callback(PCWSTR name, BOOLEAN create, BOOLEAN allow_multiple)
{
    UNICODE_STRING string;
    OBJECT_ATTRIBUTES attributes;
    PCALLBACK_OBJECT callback = NULL;
    RtlInitUnicodeString(&string, name);
    InitializeObjectAttributes(&attributes, &string, OBJ_CASE_INSENSITIVE, NULL, NULL);
    NTSTATUS status = ExCreateCallback(&callback, &attributes, create, allow_multiple);
    return NT_SUCCESS(status) ? callback : NULL;
}

struct calls {
    ULONG count;
    PVOID argument1;
    PVOID argument2;
};

static VOID note_call(PVOID context, PVOID argument1, PVOID argument2)
{
    struct calls *calls = context;
    calls->count++;
    calls->argument1 = argument1;
    calls->argument2 = argument2;
}

static void notification_calls_every_routine(void **state)
{
    struct calls first = {0};
    struct calls second = {0};
    int argument = 0;
    PCALLBACK_OBJECT callback = open_callback(L"\\Callback\\All", TRUE, TRUE);
    assert_non_null(callback);
    ExNotifyCallback(callback, NULL, NULL); /* nobody is there */
    PVOID one = ExRegisterCallback(callback, note_call, &first);
    PVOID two = ExRegisterCallback(callback, note_call, &second);
    assert_non_null(one);
    assert_non_null(two);
    ExNotifyCallback(callback, &argument, &first);
    assert_int_equal(first.count, 1);
    assert_int_equal(second.count, 1);
    assert_ptr_equal(second.argument1, &argument);
    assert_ptr_equal(second.argument2, &first);
    ExUnregisterCallback(one);
    ExNotifyCallback(callback, NULL, NULL);
    assert_int_equal(first.count, 1);
    assert_int_equal(second.count, 2);
    ExUnregisterCallback(two);
    ObDereferenceObject(callback);
}

static void object_may_have_one_routine_only(void **state)
{
    struct calls calls = {0};
    PCALLBACK_OBJECT callback = NULL;
    assert_int_equal(ExCreateCallback(&callback, NULL, TRUE, FALSE), STATUS_SUCCESS);
    PVOID one = ExRegisterCallback(callback, note_call, &calls);
    assert_null(ExRegisterCallback(callback, note_call, &calls));
    ExUnregisterCallback(one);
    one = ExRegisterCallback(callback, note_call, &calls);
    assert_non_null(one);
    ExUnregisterCallback(one);
    ObDereferenceObject(callback);
}

static void object_is_found_by_name(void **state)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Callback\\Known");
    OBJECT_ATTRIBUTES attributes;
    HANDLE handle = NULL;
    assert_null(open_callback(L"\\Callback\\Known", FALSE, FALSE));
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
    assert_int_equal(
        ZwCreateEvent(&handle, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE),
        STATUS_SUCCESS);
    assert_null(open_callback(L"\\Callback\\Known", FALSE, FALSE)); /* of another type */
    assert_null(open_callback(L"\\Callback\\Known", TRUE, FALSE));
    ZwClose(handle);
}

struct meeting {
    PCALLBACK_OBJECT callback;
    KEVENT entered;
    KEVENT leave;
    LONG has_left;
};

static VOID stay(PVOID context, PVOID argument1, PVOID argument2)
{
    struct meeting *meeting = context;
    KeSetEvent(&meeting->entered, IO_NO_INCREMENT, FALSE);
    wait_object(&meeting->leave);
    InterlockedExchange(&meeting->has_left, 1);
}

static void notify(PVOID context)
{
    struct meeting *meeting = context;
    ExNotifyCallback(meeting->callback, NULL, NULL);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void let_leave(PVOID context)
{
    struct meeting *meeting = ((PVOID *)context)[0];
    await_blocked(((PVOID *)context)[1]);
    KeSetEvent(&meeting->leave, IO_NO_INCREMENT, FALSE);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void unregistering_waits_for_running_calls(void **state)
{
    struct meeting meeting = {0};
    PVOID context[2] = {&meeting, KeGetCurrentThread()};
    KeInitializeEvent(&meeting.entered, NotificationEvent, FALSE);
    KeInitializeEvent(&meeting.leave, NotificationEvent, FALSE);
    assert_int_equal(ExCreateCallback(&meeting.callback, NULL, TRUE, TRUE), STATUS_SUCCESS);
    PVOID registration = ExRegisterCallback(meeting.callback, stay, &meeting);
    PKTHREAD notifier = start_thread(notify, &meeting);
    wait_object(&meeting.entered);
    PKTHREAD helper = start_thread(let_leave, context);
    ExUnregisterCallback(registration);
    assert_int_equal(meeting.has_left, 1);
    join_thread(helper);
    join_thread(notifier);
    ObDereferenceObject(meeting.callback);
}

static const struct CMUnitTest tests[] = {
    kernel_test(notification_calls_every_routine),
    kernel_test(object_may_have_one_routine_only),
    kernel_test(object_is_found_by_name),
    kernel_test(unregistering_waits_for_running_calls),
};

TEST_MAIN(tests)
