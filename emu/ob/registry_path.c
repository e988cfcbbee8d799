/* The registry by path, for the run-time library: one call opens a key, does one thing to it, and
 * closes it. */
#include "ob/registry_path.h"

#include "ke/limit.h"

#include <stdlib.h>

static const WCHAR *const places[RTL_REGISTRY_MAXIMUM] = {
    [RTL_REGISTRY_ABSOLUTE] = L"",
    [RTL_REGISTRY_SERVICES] = L"\\Registry\\Machine\\System\\CurrentControlSet\\Services",
    [RTL_REGISTRY_CONTROL] = L"\\Registry\\Machine\\System\\CurrentControlSet\\Control",
    [RTL_REGISTRY_WINDOWS_NT] = (L"\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\"
                                 L"CurrentVersion"),
    [RTL_REGISTRY_DEVICEMAP] = L"\\Registry\\Machine\\Hardware\\DeviceMap",
    [RTL_REGISTRY_USER] = L"\\Registry\\User\\.Default",
};

/* Joins a place and a path into *joined, whose buffer the caller frees. */
static NTSTATUS join(const WCHAR *place, const WCHAR *path, UNICODE_STRING *joined)
{
    UNICODE_STRING front;
    UNICODE_STRING back;
    RtlInitUnicodeString(&front, place);
    RtlInitUnicodeString(&back, path);
    size_t bytes = (size_t)front.Length + sizeof(WCHAR) + back.Length;
    if (bytes > MAXUSHORT) {
        return STATUS_NAME_TOO_LONG;
    }
    joined->Buffer = malloc(bytes);
    joined->Length = 0;
    joined->MaximumLength = (USHORT)bytes;
    if (joined->Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlAppendUnicodeStringToString(joined, &front);
    if (front.Length != 0 && back.Length != 0) {
        RtlAppendUnicodeToString(joined, L"\\");
    }
    RtlAppendUnicodeStringToString(joined, &back);
    return STATUS_SUCCESS;
}

static NTSTATUS open_path(PUNICODE_STRING path, bool is_created, HANDLE *key)
{
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    return is_created ? ZwCreateKey(key, KEY_ALL_ACCESS, &attributes, 0, NULL, 0, NULL)
                      : ZwOpenKey(key, KEY_ALL_ACCESS, &attributes);
}

NTSTATUS ob_registry_open(ULONG relative_to, const WCHAR *path, bool is_created, HANDLE *key)
{
    ULONG place = relative_to & ~(ULONG)(RTL_REGISTRY_HANDLE | RTL_REGISTRY_OPTIONAL);
    UNICODE_STRING joined;
    if ((relative_to & RTL_REGISTRY_HANDLE) != 0) {
        *key = (HANDLE)(ULONG_PTR)path;
        return STATUS_SUCCESS;
    }
    if (place >= RTL_REGISTRY_MAXIMUM) {
        return STATUS_INVALID_PARAMETER;
    }
    NTSTATUS status = join(places[place], path, &joined);
    if (NT_SUCCESS(status)) {
        status = open_path(&joined, is_created, key);
        free(joined.Buffer);
    }
    return status;
}

void ob_registry_close(ULONG relative_to, HANDLE key)
{
    if ((relative_to & RTL_REGISTRY_HANDLE) == 0) {
        ZwClose(key);
    }
}

/* Sets a value of a key, which is made if only its last part is not there. Statuses of ZwCreateKey
 * and ZwSetValueKey. PASSIVE_LEVEL. */
NTSTATUS RtlWriteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName, ULONG ValueType,
                               PVOID ValueData, ULONG ValueLength)
{
    HANDLE key = NULL;
    UNICODE_STRING name;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = ob_registry_open(RelativeTo, Path, true, &key);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    RtlInitUnicodeString(&name, ValueName);
    status = ZwSetValueKey(key, &name, 0, ValueType, ValueData, ValueLength);
    ob_registry_close(RelativeTo, key);
    return status;
}

/* Removes a value of a key. STATUS_OBJECT_NAME_NOT_FOUND. PASSIVE_LEVEL. */
NTSTATUS RtlDeleteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName)
{
    HANDLE key = NULL;
    UNICODE_STRING name;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = ob_registry_open(RelativeTo, Path, false, &key);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    RtlInitUnicodeString(&name, ValueName);
    status = ZwDeleteValueKey(key, &name);
    ob_registry_close(RelativeTo, key);
    return status;
}

static NTSTATUS visit_key(ULONG relative_to, const WCHAR *path, bool is_created)
{
    HANDLE key = NULL;
    NTSTATUS status = ob_registry_open(relative_to, path, is_created, &key);
    if (NT_SUCCESS(status)) {
        ob_registry_close(relative_to, key);
    }
    return status;
}

/* Makes a key, if it is not there. Statuses of ZwCreateKey. PASSIVE_LEVEL. */
NTSTATUS RtlCreateRegistryKey(ULONG RelativeTo, PWSTR Path)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return visit_key(RelativeTo, Path, true);
}

/* Whether a key is there: STATUS_SUCCESS or STATUS_OBJECT_NAME_NOT_FOUND. PASSIVE_LEVEL. */
NTSTATUS RtlCheckRegistryKey(ULONG RelativeTo, PWSTR Path)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return visit_key(RelativeTo, Path, false);
}
