/* What objects say of themselves, and handles made from others. */
#include "kernel.h"

#include <ntifs.h>

static UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\Asked");

static HANDLE new_event(UNICODE_STRING *path)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE handle = NULL;
    InitializeObjectAttributes(&attributes, path, OBJ_KERNEL_HANDLE, NULL, NULL);
    assert_int_equal(
        ZwCreateEvent(&handle, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE),
        STATUS_SUCCESS);
    return handle;
}

static void name_is_told_with_its_size(void **state)
{
    HANDLE handle = new_event(&name);
    UCHAR buffer[256];
    POBJECT_NAME_INFORMATION info = (POBJECT_NAME_INFORMATION)(PVOID)buffer;
    PVOID event = NULL;
    ULONG needed = 0;
    ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, &event, NULL);
    assert_int_equal(ObQueryNameString(event, NULL, 0, &needed), STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(needed, sizeof(*info) + name.Length + sizeof(WCHAR));
    assert_int_equal(ObQueryNameString(event, info, needed - 1, &needed),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(ObQueryNameString(event, info, needed, &needed), STATUS_SUCCESS);
    assert_true(RtlEqualUnicodeString(&info->Name, &name, FALSE));
    assert_int_equal(info->Name.MaximumLength, name.Length + sizeof(WCHAR));
    assert_int_equal(info->Name.Buffer[name.Length / sizeof(WCHAR)], 0);
    memset(buffer, 0, sizeof(buffer));
    assert_int_equal(ZwQueryObject(handle, ObjectNameInformation, info, sizeof(buffer), &needed),
                     STATUS_SUCCESS);
    assert_true(RtlEqualUnicodeString(&info->Name, &name, FALSE));
    ObDereferenceObject(event);
    ZwClose(handle);
}

static void nameless_object_has_an_empty_name(void **state)
{
    HANDLE handle = new_event(NULL);
    OBJECT_NAME_INFORMATION info;
    ULONG needed = 0;
    assert_int_equal(ZwQueryObject(handle, ObjectNameInformation, &info, sizeof(info), &needed),
                     STATUS_SUCCESS);
    assert_int_equal(needed, sizeof(info));
    assert_int_equal(info.Name.Length, 0);
    assert_null(info.Name.Buffer);
    ZwClose(handle);
}

static void type_is_told(void **state)
{
    HANDLE handle = new_event(NULL);
    UCHAR buffer[256];
    PPUBLIC_OBJECT_TYPE_INFORMATION info = (PPUBLIC_OBJECT_TYPE_INFORMATION)(PVOID)buffer;
    UNICODE_STRING type = RTL_CONSTANT_STRING(L"Event");
    ULONG needed = 0;
    assert_int_equal(ZwQueryObject(handle, ObjectTypeInformation, NULL, 0, &needed),
                     STATUS_INFO_LENGTH_MISMATCH);
    assert_int_equal(ZwQueryObject(handle, ObjectTypeInformation, info, needed, NULL),
                     STATUS_SUCCESS);
    assert_true(RtlEqualUnicodeString(&info->TypeName, &type, FALSE));
    ZwClose(handle);
}

static void wrong_questions_are_refused(void **state)
{
    HANDLE handle = new_event(NULL);
    PUBLIC_OBJECT_BASIC_INFORMATION info;
    assert_int_equal(ZwQueryObject(handle, (OBJECT_INFORMATION_CLASS)99, &info, sizeof(info), NULL),
                     STATUS_INVALID_INFO_CLASS);
    assert_int_equal(ZwQueryObject(handle, ObjectBasicInformation, &info, 4, NULL),
                     STATUS_INFO_LENGTH_MISMATCH);
    ZwClose(handle);
    assert_int_equal(ZwQueryObject(handle, ObjectBasicInformation, &info, sizeof(info), NULL),
                     STATUS_INVALID_HANDLE);
}

static ACCESS_MASK access_of(HANDLE handle)
{
    PUBLIC_OBJECT_BASIC_INFORMATION info;
    assert_int_equal(ZwQueryObject(handle, ObjectBasicInformation, &info, sizeof(info), NULL),
                     STATUS_SUCCESS);
    return info.GrantedAccess;
}

static void handle_is_duplicated(void **state)
{
    HANDLE source = new_event(NULL);
    HANDLE target = NULL;
    assert_int_equal(ZwDuplicateObject(ZwCurrentProcess(), source, ZwCurrentProcess(), &target,
                                       SYNCHRONIZE, 0, 0),
                     STATUS_SUCCESS);
    assert_int_equal(access_of(target), SYNCHRONIZE);
    ZwClose(target);
    assert_int_equal(ZwDuplicateObject(ZwCurrentProcess(), source, ZwCurrentProcess(), &target, 0,
                                       0, DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE),
                     STATUS_SUCCESS);
    assert_int_equal(access_of(target), EVENT_ALL_ACCESS);
    assert_int_equal(
        ZwDuplicateObject(ZwCurrentProcess(), target, NULL, NULL, 0, 0, DUPLICATE_CLOSE_SOURCE),
        STATUS_SUCCESS);
    assert_int_equal(ZwClose(target), STATUS_INVALID_HANDLE);
    assert_int_equal(
        ZwDuplicateObject(ZwCurrentProcess(), source, ZwCurrentProcess(), &target, 0, 0, 0),
        STATUS_INVALID_HANDLE);
    assert_int_equal(
        ZwDuplicateObject(ZwCurrentThread(), source, ZwCurrentProcess(), &target, 0, 0, 0),
        STATUS_OBJECT_TYPE_MISMATCH);
}

static void handle_from_pointer_checks_the_type(void **state)
{
    HANDLE handle = NULL;
    PVOID process = PsInitialSystemProcess;
    assert_int_equal(ObOpenObjectByPointer(process, OBJ_KERNEL_HANDLE, NULL, PROCESS_ALL_ACCESS,
                                           *PsThreadType, KernelMode, &handle),
                     STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(ObOpenObjectByPointer(process, OBJ_KERNEL_HANDLE, NULL, PROCESS_ALL_ACCESS,
                                           NULL, KernelMode, &handle),
                     STATUS_SUCCESS);
    assert_int_equal(ZwDuplicateObject(handle, ZwCurrentThread(), handle, NULL, 0, 0, 0),
                     STATUS_SUCCESS);
    ZwClose(handle);
}

static const struct CMUnitTest tests[] = {
    kernel_test(name_is_told_with_its_size),
    kernel_test(nameless_object_has_an_empty_name),
    kernel_test(type_is_told),
    kernel_test(wrong_questions_are_refused),
    kernel_test(handle_is_duplicated),
    kernel_test(handle_from_pointer_checks_the_type),
};

TEST_MAIN(tests)
