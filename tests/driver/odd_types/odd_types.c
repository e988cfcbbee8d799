/* Types that do not match, as Microsoft's compiler lets them pass in C. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD DriverUnload;

struct context {
    ULONG Marker;
    KEVENT Done;
};

static NTSTATUS Complete(PDEVICE_OBJECT Device, PIRP Irp, struct context *Context)
{
    UNREFERENCED_PARAMETER(Device);
    UNREFERENCED_PARAMETER(Irp);
    Context->Marker++;
    KeSetEvent(&Context->Done, 0, 0);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

VOID DriverUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

static VOID Swap(PVOID *slot, PVOID value)
{
    *slot = value;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    struct context context = {0};
    struct context *pointer = 0;
    unsigned int count = 41;
    PIRP irp;
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = DriverUnload;
    KeInitializeEvent(&context.Done, NotificationEvent, FALSE);

    irp = IoAllocateIrp(1, FALSE);
    if (!irp)
        return STATUS_INSUFFICIENT_RESOURCES;
    IoSetCompletionRoutine(irp, Complete, &context, TRUE, TRUE, TRUE);
    irp->IoStatus.Status = STATUS_SUCCESS;
    IoSetNextIrpStackLocation(irp);
    IoSkipCurrentIrpStackLocation(irp);
    IoFreeIrp(irp);

    Complete(NULL, NULL, &context);
    Swap(&pointer, &context);
    InterlockedIncrement(&count);
    return context.Marker == 1 && pointer == &context && count == 42 ? STATUS_SUCCESS
                                                                     : STATUS_UNSUCCESSFUL;
}
