/*
 * ioctl: a driver with one device that user mode controls. A control that has to wait stands in a
 * cancel-safe queue: it ends when another control brings what it waits for, when it is cancelled,
 * or when its file is closed.
 */
#include <ntddk.h>

#include "ioctl_codes.h"

typedef struct _DEVICE_EXTENSION {
    IO_CSQ Csq;
    KSPIN_LOCK Lock;
    LIST_ENTRY Waiting;
} DEVICE_EXTENSION, *PDEVICE_EXTENSION;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD IoctlUnload;
static DRIVER_DISPATCH IoctlCreateClose;
static DRIVER_DISPATCH IoctlCleanup;
static DRIVER_DISPATCH IoctlControl;

static IO_CSQ_INSERT_IRP IoctlInsertIrp;
static IO_CSQ_REMOVE_IRP IoctlRemoveIrp;
static IO_CSQ_PEEK_NEXT_IRP IoctlPeekNextIrp;
static IO_CSQ_ACQUIRE_LOCK IoctlAcquireLock;
static IO_CSQ_RELEASE_LOCK IoctlReleaseLock;
static IO_CSQ_COMPLETE_CANCELED_IRP IoctlCompleteCanceledIrp;

static PDEVICE_EXTENSION ExtensionOf(PIO_CSQ Csq)
{
    return CONTAINING_RECORD(Csq, DEVICE_EXTENSION, Csq);
}

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* The queue. */

static VOID IoctlInsertIrp(PIO_CSQ Csq, PIRP Irp)
{
    InsertTailList(&ExtensionOf(Csq)->Waiting, &Irp->Tail.Overlay.ListEntry);
}

static VOID IoctlRemoveIrp(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

/* PeekContext is a file object whose IRPs are asked for, or NULL for all. */
static PIRP IoctlPeekNextIrp(PIO_CSQ Csq, PIRP Irp, PVOID PeekContext)
{
    PLIST_ENTRY Head = &ExtensionOf(Csq)->Waiting;
    PLIST_ENTRY Entry = Irp == NULL ? Head->Flink : Irp->Tail.Overlay.ListEntry.Flink;

    for (; Entry != Head; Entry = Entry->Flink) {
        PIRP Next = CONTAINING_RECORD(Entry, IRP, Tail.Overlay.ListEntry);
        if (PeekContext == NULL || IoGetCurrentIrpStackLocation(Next)->FileObject == PeekContext) {
            return Next;
        }
    }
    return NULL;
}

static VOID IoctlAcquireLock(PIO_CSQ Csq, PKIRQL Irql)
{
    KeAcquireSpinLock(&ExtensionOf(Csq)->Lock, Irql);
}

static VOID IoctlReleaseLock(PIO_CSQ Csq, KIRQL Irql)
{
    KeReleaseSpinLock(&ExtensionOf(Csq)->Lock, Irql);
}

static VOID IoctlCompleteCanceledIrp(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    Complete(Irp, STATUS_CANCELLED, 0);
}

/* The controls. */

static NTSTATUS Reverse(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    PUCHAR Buffer = Irp->AssociatedIrp.SystemBuffer;
    ULONG Length = Stack->Parameters.DeviceIoControl.InputBufferLength;

    if (Stack->Parameters.DeviceIoControl.OutputBufferLength < Length) {
        return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    }
    for (ULONG i = 0; i < Length / 2; i++) {
        UCHAR Byte = Buffer[i];
        Buffer[i] = Buffer[Length - 1 - i];
        Buffer[Length - 1 - i] = Byte;
    }
    return Complete(Irp, STATUS_SUCCESS, Length);
}

static NTSTATUS Fill(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    ULONG Length = Stack->Parameters.DeviceIoControl.OutputBufferLength;

    if (Stack->Parameters.DeviceIoControl.InputBufferLength < 1 || Irp->MdlAddress == NULL) {
        return Complete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    PVOID Buffer = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, NormalPagePriority);
    if (Buffer == NULL) {
        return Complete(Irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    RtlFillMemory(Buffer, Length, *(PUCHAR)Irp->AssociatedIrp.SystemBuffer);
    return Complete(Irp, STATUS_SUCCESS, Length);
}

static NTSTATUS Wait(PDEVICE_EXTENSION Extension, PIRP Irp)
{
    IoCsqInsertIrp(&Extension->Csq, Irp, NULL);
    return STATUS_PENDING;
}

static NTSTATUS Post(PDEVICE_EXTENSION Extension, PIRP Irp, PIO_STACK_LOCATION Stack)
{
    PIRP Waiter = IoCsqRemoveNextIrp(&Extension->Csq, NULL);
    ULONG Length = Stack->Parameters.DeviceIoControl.InputBufferLength;

    if (Waiter == NULL) {
        return Complete(Irp, STATUS_NO_MORE_ENTRIES, 0);
    }
    PIO_STACK_LOCATION WaiterStack = IoGetCurrentIrpStackLocation(Waiter);
    ULONG Room = WaiterStack->Parameters.DeviceIoControl.OutputBufferLength;
    ULONG Copied = Length < Room ? Length : Room;
    if (Copied != 0) {
        RtlCopyMemory(Waiter->AssociatedIrp.SystemBuffer, Irp->AssociatedIrp.SystemBuffer, Copied);
    }
    Complete(Waiter, STATUS_SUCCESS, Copied);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS IoctlControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PDEVICE_EXTENSION Extension = DeviceObject->DeviceExtension;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_EXAMPLE_REVERSE:
        return Reverse(Irp, Stack);
    case IOCTL_EXAMPLE_FILL:
        return Fill(Irp, Stack);
    case IOCTL_EXAMPLE_WAIT:
        return Wait(Extension, Irp);
    case IOCTL_EXAMPLE_POST:
        return Post(Extension, Irp, Stack);
    default:
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

/* The device. */

static NTSTATUS IoctlCreateClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static NTSTATUS IoctlCleanup(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PDEVICE_EXTENSION Extension = DeviceObject->DeviceExtension;
    PFILE_OBJECT File = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    PIRP Waiter;

    while ((Waiter = IoCsqRemoveNextIrp(&Extension->Csq, File)) != NULL) {
        Complete(Waiter, STATUS_CANCELLED, 0);
    }
    return Complete(Irp, STATUS_SUCCESS, 0);
}

static VOID IoctlUnload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(IOCTL_LINK_NAME);

    IoDeleteSymbolicLink(&Link);
    IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(IOCTL_DEVICE_NAME);
    UNICODE_STRING Link = RTL_CONSTANT_STRING(IOCTL_LINK_NAME);
    PDEVICE_OBJECT Device;

    UNREFERENCED_PARAMETER(RegistryPath);
    NTSTATUS Status = IoCreateDevice(DriverObject, sizeof(DEVICE_EXTENSION), &Name, 0x8000,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    PDEVICE_EXTENSION Extension = Device->DeviceExtension;
    KeInitializeSpinLock(&Extension->Lock);
    InitializeListHead(&Extension->Waiting);
    Status = IoCsqInitialize(&Extension->Csq, IoctlInsertIrp, IoctlRemoveIrp, IoctlPeekNextIrp,
                             IoctlAcquireLock, IoctlReleaseLock, IoctlCompleteCanceledIrp);
    if (NT_SUCCESS(Status)) {
        Status = IoCreateSymbolicLink(&Link, &Name);
    }
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
        return Status;
    }
    DriverObject->MajorFunction[IRP_MJ_CREATE] = IoctlCreateClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = IoctlCreateClose;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = IoctlCleanup;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = IoctlControl;
    DriverObject->DriverUnload = IoctlUnload;
    return STATUS_SUCCESS;
}
