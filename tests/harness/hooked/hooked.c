/* A driver whose functions a test calls, to see what becomes of the calls that they make. */
#include "hooked.h"

#define TAG 'kooH'

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

PVOID HookedAllocate(SIZE_T bytes)
{
    PVOID block = ExAllocatePool2(POOL_FLAG_NON_PAGED, bytes, TAG);
    return block;
}

NTSTATUS HookedAllocateRaising(PVOID *block)
{
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        *block = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_RAISE_ON_FAILURE, 16, TAG);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    return status;
}

VOID HookedFree(PVOID block)
{
    ExFreePoolWithTag(block, TAG);
}

VOID HookedMark(PMDL mdl, BOOLEAN looks)
{
    volatile UCHAR *mapped =
        MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority | MdlMappingNoExecute);
    if (mapped != NULL || !looks) {
        *mapped = 1;
    }
}

VOID HookedPrint(VOID)
{
    DbgPrint("%d %d %d %d %d %d %d %s\n", 1, 2, 3, 4, 5, 6, 7, "eight");
}

PVOID HookedFind(PCWSTR name)
{
    UNICODE_STRING text;
    RtlInitUnicodeString(&text, name);
    return MmGetSystemRoutineAddress(&text);
}

NTSTATUS HookedClose(HANDLE handle)
{
    return ZwClose(handle);
}

static VOID Unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
