/* Headers in other letters than their files', and with backslashes. */
#include <NTDDK.h>
#include <Wsk.h>
#include <NtStrSafe.h>
#include "INC\First.h"
#include "inc/SECOND.H"
#include "..\odd_names\Inc\third.h"

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
    return FIRST + SECOND + THIRD == 6 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
