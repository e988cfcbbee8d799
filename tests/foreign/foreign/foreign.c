/* A driver compiled against headers that are not ours: its device, by which the test asks. */
#include "foreign.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD ForeignUnload;
static DRIVER_DISPATCH ForeignOpenOrClose;
static DRIVER_DISPATCH ForeignControl;

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI ForeignOpenOrClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS Serve(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    if (Stack->Parameters.DeviceIoControl.OutputBufferLength < sizeof(USHORT)) {
        return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    }
    NTSTATUS Status = ServerStart(Irp->AssociatedIrp.SystemBuffer);
    return Complete(Irp, Status, NT_SUCCESS(Status) ? sizeof(USHORT) : 0);
}

static NTSTATUS NTAPI ForeignControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    UNREFERENCED_PARAMETER(DeviceObject);
    switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_FOREIGN_LEVELS:
        return Complete(Irp, CheckLevels(), 0);
    case IOCTL_FOREIGN_TIMER:
        return Complete(Irp, CheckTimer(), 0);
    case IOCTL_FOREIGN_MEMORY:
        return Complete(Irp, CheckMemory(), 0);
    case IOCTL_FOREIGN_STRINGS:
        return Complete(Irp, CheckStrings(), 0);
    case IOCTL_FOREIGN_OBJECTS:
        return Complete(Irp, CheckObjects(Stack->FileObject), 0);
    case IOCTL_FOREIGN_SERVE:
        return Serve(Irp, Stack);
    case IOCTL_FOREIGN_LOWER_WITH_LOCK:
        return Complete(Irp, LowerWithLock(), 0);
    case IOCTL_FOREIGN_SHARED_PAGE:
        return Complete(Irp, ReadSharedPage(), 0);
    default:
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

static VOID NTAPI ForeignUnload(PDRIVER_OBJECT DriverObject)
{
    ServerStop();
    IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name;
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);
    RtlInitUnicodeString(&Name, FOREIGN_DEVICE_NAME);
    DriverObject->MajorFunction[IRP_MJ_CREATE] = ForeignOpenOrClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = ForeignOpenOrClose;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = ForeignControl;
    DriverObject->DriverUnload = ForeignUnload;
    return IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device);
}
