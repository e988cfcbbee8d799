#include <Ntddk.h>

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD TinyUnload;

VOID TinyUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = TinyUnload;
    return STATUS_SUCCESS;
}
