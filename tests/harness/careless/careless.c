/* A driver that does not survive all that can fail: a sweep of faults has to find each of the ways.
 */
#include <ntddk.h>

#define TAG 'lraC'

static PVOID First;
static PVOID Second;
static PIRP Irp;
static PMDL Mdl;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static VOID Unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    IoFreeMdl(Mdl);
    IoFreeIrp(Irp);
    ExFreePoolWithTag(Second, TAG);
    ExFreePoolWithTag(First, TAG);
}

static VOID WaitForNobody(VOID)
{
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    First = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, TAG);
    if (First == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Second = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, TAG);
    if (Second == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES; /* the first is lost */
    }
    Irp = IoAllocateIrp(1, FALSE);
    if (Irp == NULL) {
        ExFreePoolWithTag(Second, TAG);
        ExFreePoolWithTag(First, TAG);
        ExFreePoolWithTag(Second, TAG); /* again */
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Mdl = IoAllocateMdl(First, 64, FALSE, FALSE, NULL);
    if (Mdl == NULL) {
        WaitForNobody();
    }
    DriverObject->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
