/* Keys and values of the registry by handle. */
#include "kernel.h"

#include <ntifs.h>

#define PARENT L"\\Registry\\Machine\\Software\\Parent"

static UNICODE_STRING parent = RTL_CONSTANT_STRING(PARENT);
static UNICODE_STRING child = RTL_CONSTANT_STRING(L"Child");
static UNICODE_STRING number = RTL_CONSTANT_STRING(L"Number");
static UNICODE_STRING text = RTL_CONSTANT_STRING(L"Text");

static NTSTATUS create_at(HANDLE root, UNICODE_STRING *path, ULONG options, HANDLE *key,
                          ULONG *disposition)
{
    UNICODE_STRING class_name = RTL_CONSTANT_STRING(L"Kind");
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, root,
                               NULL);
    return ZwCreateKey(key, KEY_ALL_ACCESS, &attributes, 0, &class_name, options, disposition);
}

static NTSTATUS open_at(HANDLE root, UNICODE_STRING *path, HANDLE *key)
{
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, root,
                               NULL);
    return ZwOpenKey(key, KEY_READ, &attributes);
}

static HANDLE new_key(HANDLE root, UNICODE_STRING *path)
{
    HANDLE key = NULL;
    assert_int_equal(create_at(root, path, 0, &key, NULL), STATUS_SUCCESS);
    return key;
}

static void set_number(HANDLE key, UNICODE_STRING *name, ULONG value)
{
    assert_int_equal(ZwSetValueKey(key, name, 0, REG_DWORD, &value, sizeof(value)), STATUS_SUCCESS);
}

static void keys_are_created_one_at_a_time(void **state)
{
    UNICODE_STRING below = RTL_CONSTANT_STRING(PARENT L"\\Child\\Below");
    UNICODE_STRING same = RTL_CONSTANT_STRING(L"\\REGISTRY\\machine\\software\\PARENT\\child");
    HANDLE key = NULL;
    HANDLE other = NULL;
    ULONG disposition = 0;
    assert_int_equal(open_at(NULL, &parent, &key), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(create_at(NULL, &below, 0, &key, NULL), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(create_at(NULL, &parent, 0, &key, &disposition), STATUS_SUCCESS);
    assert_int_equal(disposition, REG_CREATED_NEW_KEY);
    assert_int_equal(create_at(key, &child, 0, &other, &disposition), STATUS_SUCCESS);
    assert_int_equal(disposition, REG_CREATED_NEW_KEY);
    ZwClose(other);
    assert_int_equal(create_at(NULL, &same, 0, &other, &disposition), STATUS_SUCCESS);
    assert_int_equal(disposition, REG_OPENED_EXISTING_KEY);
    ZwClose(other);
    assert_int_equal(open_at(key, &child, &other), STATUS_SUCCESS);
    ZwClose(other);
    ZwClose(key);
}

static void wrong_paths_are_refused(void **state)
{
    UNICODE_STRING elsewhere = RTL_CONSTANT_STRING(L"\\Device\\Parent");
    UNICODE_STRING doubled = RTL_CONSTANT_STRING(L"\\Registry\\\\Machine");
    HANDLE event = NULL;
    HANDLE key = NULL;
    assert_int_equal(open_at(NULL, &elsewhere, &key), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(open_at(NULL, &child, &key), STATUS_OBJECT_PATH_SYNTAX_BAD);
    assert_int_equal(open_at(NULL, &doubled, &key), STATUS_OBJECT_NAME_INVALID);
    ZwCreateEvent(&event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
    assert_int_equal(open_at(event, &child, &key), STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(ZwFlushKey(event), STATUS_OBJECT_TYPE_MISMATCH);
    ZwClose(event);
    key = new_key(NULL, &parent);
    assert_int_equal(open_at(key, &parent, &event), STATUS_OBJECT_PATH_SYNTAX_BAD);
    assert_int_equal(create_at(key, &child, 0x8000, &event, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(ZwFlushKey(key), STATUS_SUCCESS);
    ZwClose(key);
}

static void volatile_key_has_volatile_children(void **state)
{
    HANDLE key = NULL;
    HANDLE other = NULL;
    assert_int_equal(create_at(NULL, &parent, REG_OPTION_VOLATILE, &key, NULL), STATUS_SUCCESS);
    assert_int_equal(create_at(key, &child, REG_OPTION_NON_VOLATILE, &other, NULL),
                     STATUS_CHILD_MUST_BE_VOLATILE);
    assert_int_equal(create_at(key, &child, REG_OPTION_VOLATILE, &other, NULL), STATUS_SUCCESS);
    ZwClose(other);
    ZwClose(key);
}

static void key_is_deleted(void **state)
{
    HANDLE key = new_key(NULL, &parent);
    HANDLE other = new_key(key, &child);
    HANDLE gone = NULL;
    ULONG needed = 0;
    assert_int_equal(ZwDeleteKey(key), STATUS_CANNOT_DELETE);
    assert_int_equal(ZwDeleteKey(other), STATUS_SUCCESS);
    assert_int_equal(open_at(key, &child, &gone), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(ZwQueryKey(other, KeyBasicInformation, NULL, 0, &needed), STATUS_KEY_DELETED);
    assert_int_equal(ZwSetValueKey(other, &number, 0, REG_NONE, NULL, 0), STATUS_KEY_DELETED);
    assert_int_equal(create_at(other, &child, 0, &gone, NULL), STATUS_KEY_DELETED);
    assert_int_equal(ZwDeleteKey(key), STATUS_SUCCESS);
    ZwClose(other);
    ZwClose(key);
}

static void value_is_set_replaced_and_deleted(void **state)
{
    UCHAR buffer[64];
    PKEY_VALUE_PARTIAL_INFORMATION info = (PKEY_VALUE_PARTIAL_INFORMATION)(PVOID)buffer;
    HANDLE key = new_key(NULL, &parent);
    ULONG needed = 0;
    assert_int_equal(
        ZwQueryValueKey(key, &number, KeyValuePartialInformation, info, sizeof(buffer), &needed),
        STATUS_OBJECT_NAME_NOT_FOUND);
    set_number(key, &number, 7);
    set_number(key, &number, 8);
    assert_int_equal(
        ZwQueryValueKey(key, &number, KeyValuePartialInformation, info, sizeof(buffer), &needed),
        STATUS_SUCCESS);
    assert_int_equal(info->Type, REG_DWORD);
    assert_int_equal(info->DataLength, sizeof(ULONG));
    assert_int_equal(*(ULONG *)(PVOID)info->Data, 8);
    assert_int_equal(needed, FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data) + sizeof(ULONG));
    assert_int_equal(ZwDeleteValueKey(key, &number), STATUS_SUCCESS);
    assert_int_equal(ZwDeleteValueKey(key, &number), STATUS_OBJECT_NAME_NOT_FOUND);
    ZwDeleteKey(key);
    ZwClose(key);
}

static void short_buffers_tell_what_is_needed(void **state)
{
    static const struct {
        KEY_VALUE_INFORMATION_CLASS class;
        ULONG fixed;
        ULONG needed;
    } classes[] = {
        {KeyValueBasicInformation, 12, 12 + 8},         {KeyValueFullInformation, 20, 28 + 10},
        {KeyValueFullInformationAlign64, 20, 32 + 10},  {KeyValuePartialInformation, 12, 12 + 10},
        {KeyValuePartialInformationAlign64, 8, 8 + 10},
    };
    static WCHAR data[] = L"Data";
    HANDLE key = new_key(NULL, &parent);
    UCHAR buffer[64];
    assert_int_equal(ZwSetValueKey(key, &text, 0, REG_SZ, data, sizeof(data)), STATUS_SUCCESS);
    for (size_t i = 0; i < RTL_NUMBER_OF(classes); i++) {
        ULONG needed = 0;
        memset(buffer, 0xCC, sizeof(buffer));
        assert_int_equal(
            ZwQueryValueKey(key, &text, classes[i].class, buffer, classes[i].fixed - 1, &needed),
            STATUS_BUFFER_TOO_SMALL);
        assert_int_equal(needed, classes[i].needed);
        assert_int_equal(buffer[0], 0xCC);
        assert_int_equal(ZwQueryValueKey(key, &text, classes[i].class, buffer, needed - 1, &needed),
                         STATUS_BUFFER_OVERFLOW);
        assert_int_not_equal(buffer[0], 0xCC);
        assert_int_equal(buffer[needed - 1], 0xCC);
        assert_int_equal(ZwQueryValueKey(key, &text, classes[i].class, buffer, needed, &needed),
                         STATUS_SUCCESS);
        assert_int_equal(ZwEnumerateValueKey(key, 0, classes[i].class, buffer, needed, &needed),
                         STATUS_SUCCESS);
        assert_int_equal(needed, classes[i].needed);
    }
    ULONG needed = 0;
    assert_int_equal(ZwQueryValueKey(key, &text, MaxKeyValueInfoClass, buffer, 64, &needed),
                     STATUS_INVALID_PARAMETER);
    ZwDeleteKey(key);
    ZwClose(key);
}

static void full_information_has_name_and_data(void **state)
{
    UCHAR buffer[64];
    PKEY_VALUE_FULL_INFORMATION info = (PKEY_VALUE_FULL_INFORMATION)(PVOID)buffer;
    HANDLE key = new_key(NULL, &parent);
    ULONG needed = 0;
    set_number(key, &number, 77);
    assert_int_equal(
        ZwQueryValueKey(key, &number, KeyValueFullInformation, info, sizeof(buffer), &needed),
        STATUS_SUCCESS);
    assert_int_equal(info->Type, REG_DWORD);
    assert_int_equal(info->NameLength, number.Length);
    assert_memory_equal(info->Name, number.Buffer, number.Length);
    assert_int_equal(info->DataLength, sizeof(ULONG));
    assert_int_equal(*(ULONG *)(PVOID)(buffer + info->DataOffset), 77);
    ZwDeleteKey(key);
    ZwClose(key);
}

static void values_are_enumerated_as_made(void **state)
{
    static const WCHAR *const names[] = {L"Zulu", L"Alpha", L"Mike"};
    UCHAR buffer[64];
    PKEY_VALUE_BASIC_INFORMATION info = (PKEY_VALUE_BASIC_INFORMATION)(PVOID)buffer;
    HANDLE key = new_key(NULL, &parent);
    UNICODE_STRING name;
    ULONG needed = 0;
    for (ULONG i = 0; i < 3; i++) {
        RtlInitUnicodeString(&name, names[i]);
        set_number(key, &name, i);
    }
    for (ULONG i = 0; i < 3; i++) {
        RtlInitUnicodeString(&name, names[i]);
        assert_int_equal(
            ZwEnumerateValueKey(key, i, KeyValueBasicInformation, info, sizeof(buffer), &needed),
            STATUS_SUCCESS);
        assert_int_equal(info->NameLength, name.Length);
        assert_memory_equal(info->Name, name.Buffer, name.Length);
    }
    assert_int_equal(
        ZwEnumerateValueKey(key, 3, KeyValueBasicInformation, info, sizeof(buffer), &needed),
        STATUS_NO_MORE_ENTRIES);
    ZwDeleteKey(key);
    ZwClose(key);
}

static void keys_are_enumerated_in_order(void **state)
{
    static const WCHAR *const made[] = {L"mike", L"Zulu", L"Alpha"};
    static const WCHAR *const order[] = {L"Alpha", L"mike", L"Zulu"};
    UCHAR buffer[64];
    PKEY_BASIC_INFORMATION info = (PKEY_BASIC_INFORMATION)(PVOID)buffer;
    HANDLE key = new_key(NULL, &parent);
    UNICODE_STRING name;
    ULONG needed = 0;
    for (ULONG i = 0; i < 3; i++) {
        RtlInitUnicodeString(&name, made[i]);
        ZwClose(new_key(key, &name));
    }
    for (ULONG i = 0; i < 3; i++) {
        RtlInitUnicodeString(&name, order[i]);
        assert_int_equal(ZwEnumerateKey(key, i, KeyBasicInformation, info, sizeof(buffer), &needed),
                         STATUS_SUCCESS);
        assert_int_equal(info->NameLength, name.Length);
        assert_memory_equal(info->Name, name.Buffer, name.Length);
        assert_true(info->LastWriteTime.QuadPart != 0);
    }
    assert_int_equal(ZwEnumerateKey(key, 3, KeyBasicInformation, info, sizeof(buffer), &needed),
                     STATUS_NO_MORE_ENTRIES);
    assert_int_equal(ZwEnumerateKey(key, 0, KeyNameInformation, info, sizeof(buffer), &needed),
                     STATUS_INVALID_PARAMETER);
    ZwClose(key);
}

static void key_tells_what_it_holds(void **state)
{
    static WCHAR data[] = L"Some text";
    HANDLE key = new_key(NULL, &parent);
    KEY_FULL_INFORMATION info;
    ULONG needed = 0;
    ZwClose(new_key(key, &child));
    set_number(key, &number, 1);
    ZwSetValueKey(key, &text, 0, REG_SZ, data, sizeof(data));
    assert_int_equal(ZwQueryKey(key, KeyFullInformation, &info, 44, &needed),
                     STATUS_BUFFER_OVERFLOW);
    assert_int_equal(needed, FIELD_OFFSET(KEY_FULL_INFORMATION, Class) + 8);
    assert_int_equal(info.SubKeys, 1);
    assert_int_equal(info.MaxNameLen, child.Length);
    assert_int_equal(info.MaxClassLen, 8);
    assert_int_equal(info.Values, 2);
    assert_int_equal(info.MaxValueNameLen, number.Length);
    assert_int_equal(info.MaxValueDataLen, sizeof(data));
    assert_int_equal(info.ClassOffset, FIELD_OFFSET(KEY_FULL_INFORMATION, Class));
    assert_int_equal(info.ClassLength, 8);
    assert_int_equal(ZwQueryKey(key, (KEY_INFORMATION_CLASS)77, &info, sizeof(info), &needed),
                     STATUS_INVALID_PARAMETER);
    ZwClose(key);
}

static void node_information_has_name_and_class(void **state)
{
    UCHAR buffer[128];
    PKEY_NODE_INFORMATION info = (PKEY_NODE_INFORMATION)(PVOID)buffer;
    HANDLE key = new_key(NULL, &parent);
    ULONG needed = 0;
    assert_int_equal(ZwQueryKey(key, KeyNodeInformation, info, sizeof(buffer), &needed),
                     STATUS_SUCCESS);
    assert_int_equal(info->NameLength, 12);
    assert_memory_equal(info->Name, L"Parent", 12);
    assert_int_equal(info->ClassLength, 8);
    assert_memory_equal(buffer + info->ClassOffset, L"Kind", 8);
    assert_int_equal(needed, info->ClassOffset + 8);
    assert_int_equal(ZwQueryKey(key, KeyBasicInformation, info, 15, &needed),
                     STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(needed, FIELD_OFFSET(KEY_BASIC_INFORMATION, Name) + 12);
    ZwClose(key);
}

static void key_tells_its_path(void **state)
{
    UNICODE_STRING path = RTL_CONSTANT_STRING(L"\\REGISTRY\\MACHINE\\SOFTWARE\\Parent");
    UCHAR buffer[256];
    PKEY_NAME_INFORMATION info = (PKEY_NAME_INFORMATION)(PVOID)buffer;
    POBJECT_NAME_INFORMATION name = (POBJECT_NAME_INFORMATION)(PVOID)buffer;
    HANDLE key = new_key(NULL, &parent);
    ULONG needed = 0;
    assert_int_equal(ZwQueryKey(key, KeyNameInformation, info, sizeof(buffer), &needed),
                     STATUS_SUCCESS);
    assert_int_equal(info->NameLength, path.Length);
    assert_memory_equal(info->Name, path.Buffer, path.Length);
    assert_int_equal(ZwQueryObject(key, ObjectNameInformation, name, sizeof(buffer), &needed),
                     STATUS_SUCCESS);
    assert_true(RtlEqualUnicodeString(&name->Name, &path, FALSE));
    ZwClose(key);
}

static const struct CMUnitTest tests[] = {
    kernel_test(keys_are_created_one_at_a_time),
    kernel_test(wrong_paths_are_refused),
    kernel_test(volatile_key_has_volatile_children),
    kernel_test(key_is_deleted),
    kernel_test(value_is_set_replaced_and_deleted),
    kernel_test(short_buffers_tell_what_is_needed),
    kernel_test(full_information_has_name_and_data),
    kernel_test(values_are_enumerated_as_made),
    kernel_test(keys_are_enumerated_in_order),
    kernel_test(key_tells_what_it_holds),
    kernel_test(node_information_has_name_and_class),
    kernel_test(key_tells_its_path),
};

TEST_MAIN(tests)
