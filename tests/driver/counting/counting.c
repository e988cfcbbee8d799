/* Counts its loads in a static variable, which each load must find as the image has it. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD DriverUnload;

static int from_zero;
static int from_seven = 7;
static UCHAR block[4096];

VOID DriverUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    from_seven++;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = DriverUnload;
    from_zero++;
    from_seven++;
    block[sizeof(block) - 1]++;
    return from_zero == 1 && from_seven == 8 && block[sizeof(block) - 1] == 1
               ? STATUS_SUCCESS
               : STATUS_UNSUCCESSFUL;
}
