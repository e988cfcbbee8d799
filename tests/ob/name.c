/* Names: who has them, how long, and how links and directories lead to them. */
#include "kernel.h"

#include <ntifs.h>

static OBJECT_ATTRIBUTES attributes_of(UNICODE_STRING *name, ULONG flags)
{
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, name, flags | OBJ_KERNEL_HANDLE, NULL, NULL);
    return attributes;
}

static NTSTATUS create(UNICODE_STRING *name, ULONG flags, HANDLE *handle)
{
    OBJECT_ATTRIBUTES attributes = attributes_of(name, flags);
    return ZwCreateEvent(handle, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE);
}

static NTSTATUS open(UNICODE_STRING *name, HANDLE *handle)
{
    OBJECT_ATTRIBUTES attributes = attributes_of(name, 0);
    return ZwOpenEvent(handle, EVENT_ALL_ACCESS, &attributes);
}

static NTSTATUS open_and_close(UNICODE_STRING *name)
{
    HANDLE handle = NULL;
    NTSTATUS status = open(name, &handle);
    if (NT_SUCCESS(status)) {
        ZwClose(handle);
    }
    return status;
}

static void name_goes_with_the_last_handle(void **state)
{
    PROVES("OB-21");
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\Temporary");
    HANDLE first = NULL;
    HANDLE second = NULL;
    PVOID event = NULL;
    assert_int_equal(create(&name, 0, &first), STATUS_SUCCESS);
    assert_int_equal(open(&name, &second), STATUS_SUCCESS);
    ObReferenceObjectByHandle(first, 0, NULL, KernelMode, &event, NULL);
    ZwClose(first);
    assert_int_equal(open_and_close(&name), STATUS_SUCCESS);
    ZwClose(second);
    assert_int_equal(open_and_close(&name), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(KeSetEvent(event, IO_NO_INCREMENT, FALSE), 0); /* the pointer stays valid */
    ObDereferenceObject(event);
}

static void permanent_object_stays(void **state)
{
    PROVES("OB-22");
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\Permanent");
    HANDLE handle = NULL;
    assert_int_equal(create(&name, OBJ_PERMANENT, &handle), STATUS_SUCCESS);
    ZwSetEvent(handle, NULL);
    ZwClose(handle);
    assert_int_equal(open(&name, &handle), STATUS_SUCCESS);
    LONG before = 0;
    ZwSetEvent(handle, &before);
    assert_int_equal(before, 1);
    assert_int_equal(ZwMakeTemporaryObject(handle), STATUS_SUCCESS);
    assert_int_equal(open_and_close(&name), STATUS_SUCCESS); /* a handle is left */
    ZwClose(handle);
    assert_int_equal(open_and_close(&name), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(ZwMakeTemporaryObject(NULL), STATUS_INVALID_HANDLE);
}

static void names_are_unique(void **state)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\Unique");
    UNICODE_STRING other_case = RTL_CONSTANT_STRING(L"\\basenamedobjects\\UNIQUE");
    HANDLE first = NULL;
    HANDLE second = NULL;
    assert_int_equal(create(&name, 0, &first), STATUS_SUCCESS);
    assert_int_equal(create(&other_case, 0, &second), STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(create(&other_case, OBJ_OPENIF, &second), STATUS_OBJECT_NAME_EXISTS);
    ZwSetEvent(second, NULL);
    LONG before = 0;
    ZwSetEvent(first, &before);
    assert_int_equal(before, 1);
    OBJECT_ATTRIBUTES attributes = attributes_of(&name, OBJ_OPENIF);
    HANDLE third = NULL;
    assert_int_equal(ZwCreateDirectoryObject(&third, DIRECTORY_ALL_ACCESS, &attributes),
                     STATUS_OBJECT_TYPE_MISMATCH);
    ZwClose(first);
    ZwClose(second);
}

static void wrong_names_are_refused(void **state)
{
    UNICODE_STRING relative = RTL_CONSTANT_STRING(L"Relative");
    UNICODE_STRING nowhere = RTL_CONSTANT_STRING(L"\\Nowhere\\Event");
    UNICODE_STRING absent = RTL_CONSTANT_STRING(L"\\Device\\Absent");
    UNICODE_STRING below = RTL_CONSTANT_STRING(L"\\Device\\Absent\\Below");
    UNICODE_STRING empty = {0};
    HANDLE handle = NULL;
    assert_int_equal(create(&relative, 0, &handle), STATUS_OBJECT_PATH_SYNTAX_BAD);
    assert_int_equal(create(&nowhere, 0, &handle), STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(open(&nowhere, &handle), STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(open(&absent, &handle), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(open(&below, &handle), STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(open(&empty, &handle), STATUS_OBJECT_PATH_SYNTAX_BAD);
    OBJECT_ATTRIBUTES attributes = attributes_of(&absent, 0);
    attributes.Length = 8;
    assert_int_equal(ZwOpenEvent(&handle, EVENT_ALL_ACCESS, &attributes), STATUS_INVALID_PARAMETER);
}

static void directory_holds_names(void **state)
{
    UNICODE_STRING path = RTL_CONSTANT_STRING(L"\\Device\\Folder");
    UNICODE_STRING inner = RTL_CONSTANT_STRING(L"\\Device\\Folder\\Event");
    UNICODE_STRING relative = RTL_CONSTANT_STRING(L"Event");
    HANDLE directory = NULL;
    HANDLE event = NULL;
    HANDLE same = NULL;
    OBJECT_ATTRIBUTES attributes = attributes_of(&path, 0);
    assert_int_equal(create(&inner, 0, &event), STATUS_OBJECT_PATH_NOT_FOUND);
    assert_int_equal(ZwCreateDirectoryObject(&directory, DIRECTORY_ALL_ACCESS, &attributes),
                     STATUS_SUCCESS);
    InitializeObjectAttributes(&attributes, &relative, OBJ_KERNEL_HANDLE, directory, NULL);
    assert_int_equal(ZwCreateEvent(&event, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE),
                     STATUS_SUCCESS);
    assert_int_equal(open(&inner, &same), STATUS_SUCCESS);
    assert_int_equal(open(&path, &same), STATUS_OBJECT_TYPE_MISMATCH);
    InitializeObjectAttributes(&attributes, &inner, OBJ_KERNEL_HANDLE, directory, NULL);
    assert_int_equal(ZwOpenEvent(&same, EVENT_ALL_ACCESS, &attributes),
                     STATUS_OBJECT_PATH_SYNTAX_BAD);
    ZwClose(same);
    ZwClose(event);
    ZwClose(directory);
}

static void links_lead_on(void **state)
{
    UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\DosDevices\\Short");
    UNICODE_STRING global = RTL_CONSTANT_STRING(L"\\??\\Global\\short");
    UNICODE_STRING root = RTL_CONSTANT_STRING(L"\\??\\GLOBALROOT\\BaseNamedObjects\\Long");
    UNICODE_STRING target = RTL_CONSTANT_STRING(L"\\BaseNamedObjects\\Long");
    HANDLE event = NULL;
    assert_int_equal(IoCreateSymbolicLink(&link, &target), STATUS_SUCCESS);
    assert_int_equal(open_and_close(&link), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(create(&target, 0, &event), STATUS_SUCCESS);
    assert_int_equal(open_and_close(&link), STATUS_SUCCESS);
    assert_int_equal(open_and_close(&global), STATUS_SUCCESS);
    assert_int_equal(open_and_close(&root), STATUS_SUCCESS);
    assert_int_equal(IoCreateSymbolicLink(&global, &target), STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(IoDeleteSymbolicLink(&global), STATUS_SUCCESS);
    assert_int_equal(IoDeleteSymbolicLink(&link), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(open_and_close(&link), STATUS_OBJECT_NAME_NOT_FOUND);
    ZwClose(event);
}

static void loop_of_links_ends(void **state)
{
    UNICODE_STRING left = RTL_CONSTANT_STRING(L"\\??\\Left");
    UNICODE_STRING right = RTL_CONSTANT_STRING(L"\\??\\Right");
    assert_int_equal(IoCreateSymbolicLink(&left, &right), STATUS_SUCCESS);
    assert_int_equal(IoCreateSymbolicLink(&right, &left), STATUS_SUCCESS);
    assert_int_equal(open_and_close(&left), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(IoDeleteSymbolicLink(&left), STATUS_SUCCESS);
    assert_int_equal(IoDeleteSymbolicLink(&right), STATUS_SUCCESS);
}

static void link_tells_its_target(void **state)
{
    UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\??\\Told");
    UNICODE_STRING target = RTL_CONSTANT_STRING(L"\\Device\\Target");
    OBJECT_ATTRIBUTES attributes = attributes_of(&link, 0);
    WCHAR buffer[32];
    UNICODE_STRING told = {0};
    HANDLE handle = NULL;
    ULONG bytes = 0;
    IoCreateSymbolicLink(&link, &target);
    assert_int_equal(ZwOpenSymbolicLinkObject(&handle, SYMBOLIC_LINK_QUERY, &attributes),
                     STATUS_SUCCESS);
    assert_int_equal(ZwQuerySymbolicLinkObject(handle, &told, &bytes), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(bytes, target.Length);
    told.Buffer = buffer;
    told.MaximumLength = sizeof(buffer);
    assert_int_equal(ZwQuerySymbolicLinkObject(handle, &told, NULL), STATUS_SUCCESS);
    assert_true(RtlEqualUnicodeString(&told, &target, FALSE));
    IoDeleteSymbolicLink(&link);
    assert_int_equal(ZwQuerySymbolicLinkObject(handle, &told, NULL), STATUS_SUCCESS);
    ZwClose(handle);
    assert_int_equal(ZwQuerySymbolicLinkObject(handle, &told, NULL), STATUS_INVALID_HANDLE);
}

static const struct CMUnitTest tests[] = {
    kernel_test(name_goes_with_the_last_handle),
    kernel_test(permanent_object_stays),
    kernel_test(names_are_unique),
    kernel_test(wrong_names_are_refused),
    kernel_test(directory_holds_names),
    kernel_test(links_lead_on),
    kernel_test(loop_of_links_ends),
    kernel_test(link_tells_its_target),
};

TEST_MAIN(tests)
