/* Events by handle, and waits by handle. */
#include "kernel.h"

#include <ntifs.h>

static NTSTATUS poll_handle(HANDLE handle)
{
    LARGE_INTEGER none = {.QuadPart = 0};
    return ZwWaitForSingleObject(handle, FALSE, &none);
}

static void event_is_set_and_reset(void **state)
{
    HANDLE handle = NULL;
    LONG before = -1;
    assert_int_equal(ZwCreateEvent(&handle, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE),
                     STATUS_SUCCESS);
    assert_int_equal(poll_handle(handle), STATUS_TIMEOUT);
    assert_int_equal(ZwSetEvent(handle, &before), STATUS_SUCCESS);
    assert_int_equal(before, 0);
    assert_int_equal(poll_handle(handle), STATUS_SUCCESS);
    assert_int_equal(poll_handle(handle), STATUS_SUCCESS);
    assert_int_equal(ZwResetEvent(handle, &before), STATUS_SUCCESS);
    assert_int_equal(before, 1);
    assert_int_equal(poll_handle(handle), STATUS_TIMEOUT);
    ZwSetEvent(handle, NULL);
    assert_int_equal(ZwClearEvent(handle), STATUS_SUCCESS);
    assert_int_equal(poll_handle(handle), STATUS_TIMEOUT);
    ZwClose(handle);
    assert_int_equal(ZwSetEvent(handle, NULL), STATUS_INVALID_HANDLE);
    assert_int_equal(ZwSetEvent(ZwCurrentThread(), NULL), STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(ZwCreateEvent(&handle, EVENT_ALL_ACCESS, NULL, (EVENT_TYPE)7, FALSE),
                     STATUS_INVALID_PARAMETER);
}

static void synchronization_event_releases_once(void **state)
{
    HANDLE handle = NULL;
    ZwCreateEvent(&handle, EVENT_ALL_ACCESS, NULL, SynchronizationEvent, TRUE);
    assert_int_equal(poll_handle(handle), STATUS_SUCCESS);
    assert_int_equal(poll_handle(handle), STATUS_TIMEOUT);
    ZwClose(handle);
}

static void named_event_is_shared(void **state)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\Shared");
    HANDLE first = NULL;
    HANDLE second = NULL;
    PKEVENT event = IoCreateNotificationEvent(&name, &first);
    assert_non_null(event);
    assert_int_equal(KeReadStateEvent(event), 1); /* a new one is signalled */
    KeClearEvent(event);
    assert_ptr_equal(IoCreateNotificationEvent(&name, &second), event);
    assert_int_equal(KeReadStateEvent(event), 0); /* an old one is as it is */
    ZwClose(second);
    ZwClose(first);
    event = IoCreateSynchronizationEvent(&name, &first);
    assert_non_null(event);
    assert_int_equal(poll_object(event), STATUS_SUCCESS);
    assert_int_equal(poll_object(event), STATUS_TIMEOUT);
    ZwClose(first);
}

static void end_thread(PVOID context)
{
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void wait_by_handle(void **state)
{
    HANDLE thread = NULL;
    assert_int_equal(
        PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, end_thread, NULL),
        STATUS_SUCCESS);
    assert_int_equal(ZwWaitForSingleObject(thread, FALSE, NULL), STATUS_SUCCESS);
    ZwClose(thread);
    assert_int_equal(poll_handle(thread), STATUS_INVALID_HANDLE);
    assert_int_equal(poll_handle(ZwCurrentProcess()), STATUS_TIMEOUT);

    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\??");
    OBJECT_ATTRIBUTES attributes;
    HANDLE directory = NULL;
    InitializeObjectAttributes(&attributes, &name, OBJ_OPENIF | OBJ_KERNEL_HANDLE, NULL, NULL);
    assert_int_equal(ZwCreateDirectoryObject(&directory, DIRECTORY_ALL_ACCESS, &attributes),
                     STATUS_OBJECT_NAME_EXISTS);
    assert_int_equal(poll_handle(directory), STATUS_OBJECT_TYPE_MISMATCH);
    ZwClose(directory);
}

static const struct CMUnitTest tests[] = {
    kernel_test(event_is_set_and_reset),
    kernel_test(synchronization_event_releases_once),
    kernel_test(named_event_is_shared),
    kernel_test(wait_by_handle),
};

TEST_MAIN(tests)
