#include "ke/limit.h"

#include <wdmsec.h>

/* The library that drivers link for wdmsec.h. */

#define SDDL(text)                                                                                 \
    {                                                                                              \
        .Length = sizeof(text) - sizeof(WCHAR), .MaximumLength = sizeof(text),                     \
        .Buffer = (PWCH)(ULONG_PTR)(text)                                                          \
    }
#define SYSTEM L"D:P(A;;GA;;;SY)"
#define ADMINISTRATORS_RWX L"(A;;GRGWGX;;;BA)"

const UNICODE_STRING SDDL_DEVOBJ_KERNEL_ONLY = SDDL(L"D:P");
const UNICODE_STRING SDDL_DEVOBJ_SYS_ALL = SDDL(SYSTEM);
const UNICODE_STRING SDDL_DEVOBJ_SYS_ALL_ADM_ALL = SDDL(SYSTEM L"(A;;GA;;;BA)");
const UNICODE_STRING SDDL_DEVOBJ_SYS_ALL_ADM_RX = SDDL(SYSTEM L"(A;;GRGX;;;BA)");
const UNICODE_STRING SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R =
    SDDL(SYSTEM ADMINISTRATORS_RWX L"(A;;GR;;;WD)");
const UNICODE_STRING SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R_RES_R =
    SDDL(SYSTEM ADMINISTRATORS_RWX L"(A;;GR;;;WD)(A;;GR;;;RC)");
const UNICODE_STRING SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R =
    SDDL(SYSTEM ADMINISTRATORS_RWX L"(A;;GRGW;;;WD)(A;;GR;;;RC)");
const UNICODE_STRING SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RWX_RES_RWX =
    SDDL(SYSTEM ADMINISTRATORS_RWX L"(A;;GRGWGX;;;WD)(A;;GRGWGX;;;RC)");

/*
 * As IoCreateDevice, with a security descriptor in words, which is not enforced here. It must be
 * there; STATUS_INVALID_PARAMETER if not. PASSIVE_LEVEL. (DEV-31)
 */
NTSTATUS WdmlibIoCreateDeviceSecure(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize,
                                    PUNICODE_STRING DeviceName, DEVICE_TYPE DeviceType,
                                    ULONG DeviceCharacteristics, BOOLEAN Exclusive,
                                    PCUNICODE_STRING DefaultSDDLString, LPCGUID DeviceClassGuid,
                                    PDEVICE_OBJECT *DeviceObject)
{
    UNREFERENCED_PARAMETER(DeviceClassGuid);
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (DefaultSDDLString == NULL || DefaultSDDLString->Length == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    return IoCreateDevice(DriverObject, DeviceExtensionSize, DeviceName, DeviceType,
                          DeviceCharacteristics, Exclusive, DeviceObject);
}

/* As IoValidateDeviceIoControlAccess. */
NTSTATUS WdmlibIoValidateDeviceIoControlAccess(PIRP Irp, ULONG RequiredAccess)
{
    return IoValidateDeviceIoControlAccess(Irp, RequiredAccess);
}

/* As RtlInitUnicodeString; STATUS_NAME_TOO_LONG for a text that does not fit. Any IRQL. */
NTSTATUS WdmlibRtlInitUnicodeStringEx(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    SIZE_T length = 0;
    *DestinationString = (UNICODE_STRING){.Length = 0};
    if (SourceString == NULL) {
        return STATUS_SUCCESS;
    }
    while (SourceString[length] != 0) {
        length++;
    }
    if (length > (MAXUSHORT - sizeof(WCHAR)) / sizeof(WCHAR)) {
        return STATUS_NAME_TOO_LONG;
    }
    DestinationString->Buffer = (PWCH)(ULONG_PTR)SourceString;
    DestinationString->Length = (USHORT)(length * sizeof(WCHAR));
    DestinationString->MaximumLength = (USHORT)(DestinationString->Length + sizeof(WCHAR));
    return STATUS_SUCCESS;
}
