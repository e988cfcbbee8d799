/* The run-time library's way to the registry, by path and by table. */
#include "kernel.h"

#include <ntddk.h>

#include <wskemu/registry.h>

#define SERVICE L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\asked"

/* What a query routine was called with. */
struct call {
    WCHAR name[16];
    ULONG type;
    ULONG length;
    WCHAR text[32];
    PVOID context;
};

static struct call calls[8];
static ULONG call_count;

static NTSTATUS note(PWSTR ValueName, ULONG ValueType, PVOID ValueData, ULONG ValueLength,
                     PVOID Context, PVOID EntryContext)
{
    struct call *call = &calls[call_count++];
    memset(call, 0, sizeof(*call));
    for (ULONG i = 0; ValueName != NULL && ValueName[i] != 0; i++) {
        call->name[i] = ValueName[i];
    }
    call->type = ValueType;
    call->length = ValueLength;
    call->context = Context;
    if (ValueLength != 0) {
        memcpy(call->text, ValueData, min(ValueLength, sizeof(call->text)));
    }
    return EntryContext != NULL ? *(NTSTATUS *)EntryContext : STATUS_SUCCESS;
}

static NTSTATUS query(RTL_QUERY_REGISTRY_TABLE *table)
{
    call_count = 0;
    return RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"asked", table, &calls, NULL);
}

static void set(const WCHAR *name, ULONG type, const void *data, ULONG length)
{
    assert_int_equal(wskemu_registry_set(SERVICE, name, type, data, length), STATUS_SUCCESS);
}

static void set_number(const WCHAR *name, ULONG value)
{
    set(name, REG_DWORD, &value, sizeof(value));
}

static void assert_text(const WCHAR *actual, const WCHAR *expected)
{
    UNICODE_STRING left;
    UNICODE_STRING right;
    RtlInitUnicodeString(&left, actual);
    RtlInitUnicodeString(&right, expected);
    assert_true(RtlEqualUnicodeString(&left, &right, FALSE));
}

static void routine_gets_the_value(void **state)
{
    static const WCHAR text[] = L"Hello";
    RTL_QUERY_REGISTRY_TABLE table[] = {
        {.QueryRoutine = note, .Name = L"Text"},
        {.QueryRoutine = note, .Name = L"Absent"},
        {.QueryRoutine = note, .Name = L"Number"},
        {0},
    };
    set(L"Text", REG_SZ, text, sizeof(text));
    set_number(L"Number", 7);
    assert_int_equal(query(table), STATUS_SUCCESS);
    assert_int_equal(call_count, 2);
    assert_text(calls[0].name, L"Text");
    assert_text(calls[0].text, L"Hello");
    assert_int_equal(calls[0].type, REG_SZ);
    assert_int_equal(calls[0].length, sizeof(text));
    assert_ptr_equal(calls[0].context, &calls);
    assert_int_equal(calls[1].type, REG_DWORD);
    assert_int_equal(calls[1].text[0], 7);
}

static void routines_failure_ends_the_query(void **state)
{
    NTSTATUS failure = STATUS_UNSUCCESSFUL;
    RTL_QUERY_REGISTRY_TABLE table[] = {
        {.QueryRoutine = note, .Name = L"Number", .EntryContext = &failure},
        {.QueryRoutine = note, .Name = L"Number"},
        {0},
    };
    set_number(L"Number", 7);
    assert_int_equal(query(table), STATUS_UNSUCCESSFUL);
    assert_int_equal(call_count, 1);
}

static void absent_value_has_its_default(void **state)
{
    ULONG number = 5;
    RTL_QUERY_REGISTRY_TABLE table[] = {
        {.QueryRoutine = note, .Name = L"Text", .DefaultType = REG_SZ, .DefaultData = L"None"},
        {.QueryRoutine = note,
         .Name = L"Number",
         .DefaultType = REG_DWORD,
         .DefaultData = &number,
         .DefaultLength = sizeof(number)},
        {0},
    };
    RTL_QUERY_REGISTRY_TABLE required[] = {
        {.QueryRoutine = note,
         .Name = L"Text",
         .Flags = RTL_QUERY_REGISTRY_REQUIRED,
         .DefaultType = REG_SZ,
         .DefaultData = L"None"},
        {0},
    };
    set_number(L"Other", 1);
    assert_int_equal(query(table), STATUS_SUCCESS);
    assert_int_equal(call_count, 2);
    assert_text(calls[0].text, L"None");
    assert_int_equal(calls[0].length, 5 * sizeof(WCHAR));
    assert_int_equal(calls[1].text[0], 5);
    assert_int_equal(query(required), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(call_count, 0);
}

static void strings_are_taken_apart_and_expanded(void **state)
{
    static const WCHAR several[] = L"one\0two\0";
    static const WCHAR path[] = L"%SystemRoot%\\x%absent%";
    RTL_QUERY_REGISTRY_TABLE table[] = {
        {.QueryRoutine = note, .Name = L"Several"},
        {.QueryRoutine = note, .Name = L"Path"},
        {.QueryRoutine = note, .Name = L"Several", .Flags = RTL_QUERY_REGISTRY_NOEXPAND},
        {.QueryRoutine = note, .Name = L"Path", .Flags = RTL_QUERY_REGISTRY_NOEXPAND},
        {0},
    };
    set(L"Several", REG_MULTI_SZ, several, sizeof(several));
    set(L"Path", REG_EXPAND_SZ, path, sizeof(path));
    assert_int_equal(query(table), STATUS_SUCCESS);
    assert_int_equal(call_count, 5);
    assert_text(calls[0].text, L"one");
    assert_int_equal(calls[0].type, REG_SZ);
    assert_int_equal(calls[0].length, 4 * sizeof(WCHAR));
    assert_text(calls[1].text, L"two");
    assert_text(calls[2].text, L"C:\\Windows\\x%absent%");
    assert_int_equal(calls[2].type, REG_SZ);
    assert_int_equal(calls[3].type, REG_MULTI_SZ);
    assert_int_equal(calls[3].length, sizeof(several));
    assert_int_equal(calls[4].type, REG_EXPAND_SZ);
    assert_text(calls[4].text, path);
}

static void direct_values_are_stored(void **state)
{
    static const WCHAR text[] = L"Stored";
    static const UCHAR bytes[12] = {1, 2, 3};
    ULONG number = 0;
    UNICODE_STRING made = {0};
    WCHAR room[16];
    UNICODE_STRING filled = {.MaximumLength = sizeof(room), .Buffer = room};
    ULONG with_header[8] = {sizeof(with_header)};
    union {
        LONG size;
        UCHAR bytes[12];
    } plain = {.size = -12};
    RTL_QUERY_REGISTRY_TABLE table[] = {
        {.Flags = RTL_QUERY_REGISTRY_DIRECT, .Name = L"Number", .EntryContext = &number},
        {.Flags = RTL_QUERY_REGISTRY_DIRECT, .Name = L"Text", .EntryContext = &made},
        {.Flags = RTL_QUERY_REGISTRY_DIRECT, .Name = L"Text", .EntryContext = &filled},
        {.Flags = RTL_QUERY_REGISTRY_DIRECT, .Name = L"Bytes", .EntryContext = with_header},
        {.Flags = RTL_QUERY_REGISTRY_DIRECT, .Name = L"Bytes", .EntryContext = &plain},
        {0},
    };
    set_number(L"Number", 99);
    set(L"Text", REG_SZ, text, sizeof(text));
    set(L"Bytes", REG_BINARY, bytes, sizeof(bytes));
    assert_int_equal(query(table), STATUS_SUCCESS);
    assert_int_equal(number, 99);
    assert_text(made.Buffer, L"Stored");
    assert_int_equal(made.Length, sizeof(text) - sizeof(WCHAR));
    RtlFreeUnicodeString(&made);
    assert_text(filled.Buffer, L"Stored");
    assert_int_equal(with_header[0], sizeof(bytes));
    assert_int_equal(with_header[1], REG_BINARY);
    assert_memory_equal(&with_header[2], bytes, sizeof(bytes));
    assert_memory_equal(plain.bytes, bytes, sizeof(bytes));
}

static void direct_values_are_checked(void **state)
{
    static const WCHAR text[] = L"Too long";
    WCHAR room[4];
    UNICODE_STRING small = {.MaximumLength = sizeof(room), .Buffer = room};
    ULONG number = 1;
    RTL_QUERY_REGISTRY_TABLE too_small[] = {
        {.Flags = RTL_QUERY_REGISTRY_DIRECT, .Name = L"Text", .EntryContext = &small}, {0}};
    RTL_QUERY_REGISTRY_TABLE mistyped[] = {
        {.Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK,
         .Name = L"Text",
         .EntryContext = &number,
         .DefaultType = REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT},
        {0}};
    RTL_QUERY_REGISTRY_TABLE typed[] = {
        {.Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK,
         .Name = L"Absent",
         .EntryContext = &number,
         .DefaultType = (REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) | REG_NONE},
        {0}};
    RTL_QUERY_REGISTRY_TABLE no_string[] = {
        {.Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_NOSTRING,
         .Name = L"Text",
         .EntryContext = &small},
        {0}};
    RTL_QUERY_REGISTRY_TABLE both[] = {
        {.Flags = RTL_QUERY_REGISTRY_DIRECT, .QueryRoutine = note, .Name = L"Text"}, {0}};
    set(L"Text", REG_SZ, text, sizeof(text));
    assert_int_equal(query(too_small), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(query(mistyped), STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(query(typed), STATUS_SUCCESS);
    assert_int_equal(number, 1);
    assert_int_equal(query(no_string), STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(query(both), STATUS_INVALID_PARAMETER);
}

static void subkeys_and_whole_keys(void **state)
{
    ULONG inner = 0;
    ULONG outer = 0;
    RTL_QUERY_REGISTRY_TABLE table[] = {
        {.Flags = RTL_QUERY_REGISTRY_SUBKEY, .Name = L"Parameters"},
        {.Flags = RTL_QUERY_REGISTRY_DIRECT, .Name = L"Number", .EntryContext = &inner},
        {.Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TOPKEY,
         .Name = L"Number",
         .EntryContext = &outer},
        {.QueryRoutine = note, .Flags = RTL_QUERY_REGISTRY_SUBKEY, .Name = L"Parameters"},
        {.QueryRoutine = note, .Flags = RTL_QUERY_REGISTRY_NOVALUE},
        {0},
    };
    RTL_QUERY_REGISTRY_TABLE absent[] = {
        {.Flags = RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_REQUIRED, .Name = L"Absent"}, {0}};
    ULONG value = 2;
    set_number(L"Number", 1);
    assert_int_equal(
        wskemu_registry_set(SERVICE L"\\Parameters", L"Number", REG_DWORD, &value, sizeof(value)),
        STATUS_SUCCESS);
    assert_int_equal(
        wskemu_registry_set(SERVICE L"\\Parameters", L"Second", REG_DWORD, &value, sizeof(value)),
        STATUS_SUCCESS);
    assert_int_equal(query(table), STATUS_SUCCESS);
    assert_int_equal(inner, 2);
    assert_int_equal(outer, 1);
    assert_int_equal(call_count, 3);
    assert_text(calls[0].name, L"Number");
    assert_text(calls[1].name, L"Second");
    assert_int_equal(calls[2].type, REG_NONE);
    assert_int_equal(calls[2].length, 0);
    assert_int_equal(query(absent), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void queried_value_can_be_deleted(void **state)
{
    RTL_QUERY_REGISTRY_TABLE table[] = {
        {.QueryRoutine = note,
         .Flags = RTL_QUERY_REGISTRY_DELETE | RTL_QUERY_REGISTRY_REQUIRED,
         .Name = L"Number"},
        {0},
    };
    set_number(L"Number", 7);
    assert_int_equal(query(table), STATUS_SUCCESS);
    assert_int_equal(query(table), STATUS_OBJECT_NAME_NOT_FOUND);
}

static void absent_key_may_be_optional(void **state)
{
    RTL_QUERY_REGISTRY_TABLE table[] = {{.QueryRoutine = note, .Name = L"Number"}, {0}};
    assert_int_equal(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"absent", table, NULL, NULL),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES | RTL_REGISTRY_OPTIONAL,
                                            L"absent", table, NULL, NULL),
                     STATUS_SUCCESS);
}

static void keys_and_values_by_path(void **state)
{
    ULONG number = 3;
    ULONG read = 0;
    RTL_QUERY_REGISTRY_TABLE table[] = {
        {.Flags = RTL_QUERY_REGISTRY_DIRECT, .Name = L"Number", .EntryContext = &read}, {0}};
    assert_int_equal(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, L"made"),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(RtlCreateRegistryKey(RTL_REGISTRY_SERVICES, L"made"), STATUS_SUCCESS);
    assert_int_equal(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, L"made"), STATUS_SUCCESS);
    assert_int_equal(RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, L"made", L"Number", REG_DWORD,
                                           &number, sizeof(number)),
                     STATUS_SUCCESS);
    assert_int_equal(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"made", table, NULL, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(read, 3);
    assert_int_equal(RtlDeleteRegistryValue(RTL_REGISTRY_SERVICES, L"made", L"Number"),
                     STATUS_SUCCESS);
    assert_int_equal(RtlDeleteRegistryValue(RTL_REGISTRY_SERVICES, L"made", L"Number"),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    for (ULONG place = RTL_REGISTRY_SERVICES; place < RTL_REGISTRY_MAXIMUM; place++) {
        assert_int_equal(RtlCheckRegistryKey(place, NULL), STATUS_SUCCESS);
    }
    assert_int_equal(RtlCheckRegistryKey(RTL_REGISTRY_MAXIMUM, L""), STATUS_INVALID_PARAMETER);
}

static const struct CMUnitTest tests[] = {
    kernel_test(routine_gets_the_value),       kernel_test(routines_failure_ends_the_query),
    kernel_test(absent_value_has_its_default), kernel_test(strings_are_taken_apart_and_expanded),
    kernel_test(direct_values_are_stored),     kernel_test(direct_values_are_checked),
    kernel_test(subkeys_and_whole_keys),       kernel_test(queried_value_can_be_deleted),
    kernel_test(absent_key_may_be_optional),   kernel_test(keys_and_values_by_path),
};

TEST_MAIN(tests)
