/* Windows' line ends, a byte order mark, and a comment in an old code page: ιό. */
#include <ntddk.h>

#pragma prefast(disable : 28197, \
                "two lines, joined by a backslash in front of CR LF")

#define SUM(a, b) \
    ((a) + \
     (b))

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD DriverUnload;

VOID DriverUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = DriverUnload;
    return SUM(1, 2) == 3 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
