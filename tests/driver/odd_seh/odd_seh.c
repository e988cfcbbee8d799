/* The plain words that a kernel build gives C, and a macro that hides them. */
#include <ntddk.h>

#include "guard.h"

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD DriverUnload;

VOID DriverUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

static NTSTATUS Caught(void)
{
    int step = 0;
    try {
        step = 1;
        ExRaiseStatus(STATUS_ACCESS_VIOLATION);
        step = 2;
    } except (EXCEPTION_EXECUTE_HANDLER) {
        return step == 1 ? GetExceptionCode() : STATUS_DATA_ERROR;
    }
    return STATUS_UNSUCCESSFUL;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = DriverUnload;
    if (Caught() != STATUS_ACCESS_VIOLATION)
        return STATUS_UNSUCCESSFUL;
    return ByMacro() == STATUS_IN_PAGE_ERROR ? STATUS_SUCCESS : STATUS_DATA_ERROR;
}
