/* Handles: what they lead to, what they say of it, and how they end. */
#include "kernel.h"

#include <ntifs.h>

#define UNKNOWN ((HANDLE)(LONG_PTR)0x1234)

static HANDLE new_event(ACCESS_MASK access)
{
    HANDLE handle = NULL;
    NTSTATUS status = ZwCreateEvent(&handle, access, NULL, NotificationEvent, FALSE);
    assert_int_equal(status, STATUS_SUCCESS);
    return handle;
}

static ULONG handle_count(HANDLE handle)
{
    PUBLIC_OBJECT_BASIC_INFORMATION info;
    NTSTATUS status = ZwQueryObject(handle, ObjectBasicInformation, &info, sizeof(info), NULL);
    assert_int_equal(status, STATUS_SUCCESS);
    return info.HandleCount;
}

static ULONG pointer_count(HANDLE handle)
{
    PUBLIC_OBJECT_BASIC_INFORMATION info;
    NTSTATUS status = ZwQueryObject(handle, ObjectBasicInformation, &info, sizeof(info), NULL);
    assert_int_equal(status, STATUS_SUCCESS);
    return info.PointerCount;
}

static void reference_by_handle_checks_handle_and_type(void **state)
{
    PROVES("OB-01", "OB-04");
    HANDLE handle = new_event(EVENT_ALL_ACCESS);
    PVOID object = NULL;
    OBJECT_HANDLE_INFORMATION info;
    assert_int_equal(ObReferenceObjectByHandle(handle, EVENT_MODIFY_STATE, *ExEventObjectType,
                                               KernelMode, &object, &info),
                     STATUS_SUCCESS);
    assert_non_null(object);
    assert_int_equal(info.GrantedAccess, EVENT_ALL_ACCESS);
    ObDereferenceObject(object);

    assert_int_equal(ObReferenceObjectByHandle(handle, 0, *PsThreadType, KernelMode, &object, NULL),
                     STATUS_OBJECT_TYPE_MISMATCH);
    assert_null(object);

    object = handle;
    assert_int_equal(ObReferenceObjectByHandle(UNKNOWN, 0, NULL, KernelMode, &object, NULL),
                     STATUS_INVALID_HANDLE);
    assert_null(object);

    object = handle;
    assert_int_equal(ObReferenceObjectByHandle(NULL, 0, NULL, KernelMode, &object, NULL),
                     STATUS_INVALID_HANDLE);
    assert_null(object);
    ZwClose(handle);
}

static void type_null_is_any_type(void **state)
{
    PROVES("OB-02");
    STAYS_SILENT("OB-06");
    HANDLE handle = new_event(EVENT_ALL_ACCESS);
    PVOID object = NULL;
    assert_int_equal(ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, &object, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(KeReadStateEvent(object), 0);
    ObDereferenceObject(object);
    ZwClose(handle);
}

static void access_is_checked_for_user_mode_only(void **state)
{
    PROVES("OB-03", "OB-04");
    HANDLE handle = new_event(SYNCHRONIZE);
    PVOID object = NULL;
    assert_int_equal(ObReferenceObjectByHandle(handle, EVENT_MODIFY_STATE, *ExEventObjectType,
                                               KernelMode, &object, NULL),
                     STATUS_SUCCESS);
    ObDereferenceObject(object);
    assert_int_equal(ObReferenceObjectByHandle(handle, EVENT_MODIFY_STATE, *ExEventObjectType,
                                               UserMode, &object, NULL),
                     STATUS_ACCESS_DENIED);
    assert_null(object);
    assert_int_equal(
        ObReferenceObjectByHandle(handle, SYNCHRONIZE, *ExEventObjectType, UserMode, &object, NULL),
        STATUS_SUCCESS);
    ObDereferenceObject(object);
    assert_int_equal(pointer_count(handle), 1);
    ZwClose(handle);
}

static void types_are_told_apart(void **state)
{
    PROVES("OB-09");
    POBJECT_TYPE types[] = {*IoFileObjectType, *ExEventObjectType, *ExSemaphoreObjectType,
                            *PsThreadType,     *PsProcessType,     *SeTokenObjectType};
    for (size_t i = 0; i < RTL_NUMBER_OF(types); i++) {
        assert_non_null(types[i]);
        for (size_t j = 0; j < i; j++) {
            assert_ptr_not_equal(types[i], types[j]);
        }
    }
    HANDLE event = new_event(EVENT_ALL_ACCESS);
    PVOID object = NULL;
    for (size_t i = 0; i < RTL_NUMBER_OF(types); i++) {
        NTSTATUS status = ObReferenceObjectByHandle(event, 0, types[i], KernelMode, &object, NULL);
        assert_int_equal(status, types[i] == *ExEventObjectType ? STATUS_SUCCESS
                                                                : STATUS_OBJECT_TYPE_MISMATCH);
        if (NT_SUCCESS(status)) {
            ObDereferenceObject(object);
        }
    }
    ZwClose(event);
}

static void handles_and_references_are_counted(void **state)
{
    PROVES("OB-20");
    HANDLE first = new_event(EVENT_ALL_ACCESS);
    HANDLE second = NULL;
    PVOID object = NULL;
    assert_int_equal(handle_count(first), 1);
    assert_int_equal(pointer_count(first), 1); /* the creation's own reference is gone */
    ObReferenceObjectByHandle(first, 0, NULL, KernelMode, &object, NULL);
    assert_int_equal(handle_count(first), 1);
    assert_int_equal(pointer_count(first), 2);
    assert_int_equal(ObOpenObjectByPointer(object, OBJ_KERNEL_HANDLE, NULL, EVENT_ALL_ACCESS,
                                           *ExEventObjectType, KernelMode, &second),
                     STATUS_SUCCESS);
    assert_ptr_not_equal(first, second);
    assert_int_equal(handle_count(first), 2);
    assert_int_equal(pointer_count(first), 3);
    ZwClose(first);
    assert_int_equal(handle_count(second), 1);
    ZwClose(second);
    assert_int_equal(KeSetEvent(object, IO_NO_INCREMENT, FALSE), 0); /* a reference is left */
    ObDereferenceObject(object);
}

static void close_says_whether_there_was_a_handle(void **state)
{
    PROVES("OB-23");
    HANDLE handle = new_event(EVENT_ALL_ACCESS);
    assert_int_equal(ZwClose(handle), STATUS_SUCCESS);
    assert_int_equal(ZwClose(handle), STATUS_INVALID_HANDLE);
    assert_int_equal(ZwClose(NULL), STATUS_INVALID_HANDLE);
    assert_int_equal(ZwClose(UNKNOWN), STATUS_INVALID_HANDLE);
    handle = new_event(EVENT_ALL_ACCESS);
    assert_int_equal(ObCloseHandle(handle, KernelMode), STATUS_SUCCESS);
    assert_int_equal(ObCloseHandle(handle, KernelMode), STATUS_INVALID_HANDLE);
}

static void tagged_variants_do_the_same(void **state)
{
    PROVES("OB-17");
    HANDLE handle = new_event(EVENT_ALL_ACCESS);
    PVOID object = NULL;
    assert_int_equal(ObReferenceObjectByHandleWithTag(handle, 0, *ExEventObjectType, KernelMode,
                                                      'tseT', &object, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(
        ObReferenceObjectByPointerWithTag(object, 0, *ExEventObjectType, KernelMode, 'tseT'),
        STATUS_SUCCESS);
    ObReferenceObjectWithTag(object, 'tseT');
    assert_true(ObReferenceObjectSafeWithTag(object, 'tseT'));
    assert_int_equal(pointer_count(handle), 5);
    ObDereferenceObjectWithTag(object, 'tseT');
    ObDereferenceObjectWithTag(object, 'tseT');
    ObDereferenceObjectDeferDeleteWithTag(object, 'tseT');
    ObDereferenceObjectWithTag(object, 'tseT');
    assert_int_equal(pointer_count(handle), 1);
    ZwClose(handle);
}

static void pseudo_handles_mean_the_caller(void **state)
{
    PVOID object = NULL;
    assert_int_equal(
        ObReferenceObjectByHandle(ZwCurrentThread(), 0, *PsThreadType, KernelMode, &object, NULL),
        STATUS_SUCCESS);
    assert_ptr_equal(object, PsGetCurrentThread());
    ObDereferenceObject(object);
    assert_int_equal(
        ObReferenceObjectByHandle(ZwCurrentProcess(), 0, *PsProcessType, KernelMode, &object, NULL),
        STATUS_SUCCESS);
    assert_ptr_equal(object, PsGetCurrentProcess());
    ObDereferenceObject(object);
    assert_int_equal(
        ObReferenceObjectByHandle(ZwCurrentThread(), 0, *PsProcessType, KernelMode, &object, NULL),
        STATUS_OBJECT_TYPE_MISMATCH);
}

static void many_handles_are_all_different(void **state)
{
    HANDLE handles[300];
    for (size_t i = 0; i < RTL_NUMBER_OF(handles); i++) {
        handles[i] = new_event(EVENT_ALL_ACCESS);
        assert_true((LONG_PTR)handles[i] < 0); /* a kernel handle */
    }
    for (size_t i = 0; i < RTL_NUMBER_OF(handles); i++) {
        assert_int_equal(handle_count(handles[i]), 1);
        assert_int_equal(ZwClose(handles[i]), STATUS_SUCCESS);
    }
}

static void close_above_passive_level(void *context)
{
    KIRQL irql;
    KeRaiseIrql(APC_LEVEL, &irql);
    ZwClose(context);
}

static void close_needs_passive_level(void **state)
{
    PROVES("OB-06");
    HANDLE handle = new_event(EVENT_ALL_ACCESS);
    expect_bugcheck(close_above_passive_level, handle, DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE5,
                    "OB-06");
}

static void attributes_are_filled(void **state)
{
    PROVES("OB-28");
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Name");
    int descriptor;
    memset(&attributes, 0xCC, sizeof(attributes));
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, UNKNOWN, &descriptor);
    assert_int_equal(attributes.Length, sizeof(attributes));
    assert_ptr_equal(attributes.RootDirectory, UNKNOWN);
    assert_int_equal(attributes.Attributes, OBJ_KERNEL_HANDLE);
    assert_ptr_equal(attributes.ObjectName, &name);
    assert_ptr_equal(attributes.SecurityDescriptor, &descriptor);
    assert_null(attributes.SecurityQualityOfService);
}

static const struct CMUnitTest tests[] = {
    kernel_test(reference_by_handle_checks_handle_and_type),
    kernel_test(type_null_is_any_type),
    kernel_test(access_is_checked_for_user_mode_only),
    kernel_test(types_are_told_apart),
    kernel_test(handles_and_references_are_counted),
    kernel_test(close_says_whether_there_was_a_handle),
    kernel_test(tagged_variants_do_the_same),
    kernel_test(pseudo_handles_mean_the_caller),
    kernel_test(many_handles_are_all_different),
    kernel_test(close_needs_passive_level),
    kernel_test(attributes_are_filled),
};

TEST_MAIN(tests)
