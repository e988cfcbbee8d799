/* The registry keys of a driver. */
#include "ke/limit.h"
#include "ob/object.h"

#include <wdm.h>

#define SYSTEM L"\\Registry\\Machine\\System\\CurrentControlSet\\"
#define PATH_CHARACTERS_MAX 256

/* What stands before and behind the service's name. */
static const struct {
    const WCHAR *front;
    const WCHAR *back;
} places[] = {
    [DriverRegKeyParameters] = {SYSTEM L"Services\\", L"\\Parameters"},
    [DriverRegKeyPersistentState] = {SYSTEM L"ServiceState\\", L"\\Data"},
    [DriverRegKeySharedPersistentState] = {SYSTEM L"ServiceState\\", L"\\SharedState"},
};

static NTSTATUS make_path(PUNICODE_STRING path, const UNICODE_STRING *service,
                          DRIVER_REGKEY_TYPE type)
{
    NTSTATUS status = RtlAppendUnicodeToString(path, places[type].front);
    if (NT_SUCCESS(status)) {
        status = RtlAppendUnicodeStringToString(path, service);
    }
    if (NT_SUCCESS(status)) {
        status = RtlAppendUnicodeToString(path, places[type].back);
    }
    return status;
}

/*
 * Opens a key of the driver's own, which is made if it is not there. STATUS_INVALID_PARAMETER for
 * an unknown type or flags. PASSIVE_LEVEL.
 */
NTSTATUS IoOpenDriverRegistryKey(PDRIVER_OBJECT DriverObject, DRIVER_REGKEY_TYPE RegKeyType,
                                 ACCESS_MASK DesiredAccess, ULONG Flags, PHANDLE DriverRegKey)
{
    OBJECT_ATTRIBUTES attributes;
    WCHAR text[PATH_CHARACTERS_MAX + 1] = {0};
    UNICODE_STRING path = {.MaximumLength = PATH_CHARACTERS_MAX * sizeof(WCHAR), .Buffer = text};
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (Flags != 0 || (ULONG)RegKeyType >= RTL_NUMBER_OF(places)) {
        return STATUS_INVALID_PARAMETER;
    }
    NTSTATUS status = make_path(&path, &DriverObject->DriverExtension->ServiceKeyName, RegKeyType);
    if (NT_SUCCESS(status)) {
        status = ob_registry_make_key(text);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    InitializeObjectAttributes(&attributes, &path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    return ZwOpenKey(DriverRegKey, DesiredAccess, &attributes);
}
