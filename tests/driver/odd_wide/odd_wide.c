/* Wide characters of 16 bits, also where a source asks the C library's own header for them. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD DriverUnload;

unsigned length_by_c_header(const wchar_t *text);

VOID DriverUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static const WCHAR text[] = L"sixteen";
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = DriverUnload;
    if (sizeof(text) != 16 || wcslen(text) != 7 || length_by_c_header(text) != 7)
        return STATUS_UNSUCCESSFUL;
    return wcscmp(text, L"sixteen") == 0 ? STATUS_SUCCESS : STATUS_DATA_ERROR;
}
