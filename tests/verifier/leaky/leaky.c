/*
 * A driver that leaves something behind when it is unloaded: what, the value Act of its service's
 * registry key says. With Act 0 it makes one of each and gives all back.
 */
#include "leaky.h"

#include "../act.h"

#include <ntifs.h>

#define TAG 'ykaL'

typedef struct _LEAKY {
    KTIMER Timer;
    KDPC Dpc;
} LEAKY, *PLEAKY;

static ULONG Act;
static PDEVICE_OBJECT Device;
static KTIMER Timer;
static KDPC Dpc;
static KEVENT Stop;
static KEVENT Ending;
static PEX_TIMER AllocatedTimer;
static PVOID Thread;
static PVOID Block;
static PIRP Irp;
static PMDL Mdl;
static PIO_WORKITEM WorkItem;
static HANDLE Handle;
static PFILE_OBJECT File;
static UNICODE_STRING DeviceName = RTL_CONSTANT_STRING(LEAKY_NAME);
static UNICODE_STRING OtherName = RTL_CONSTANT_STRING(LEAKY_OTHER);
static UNICODE_STRING LinkName = RTL_CONSTANT_STRING(L"\\DosDevices\\Leaky");

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static DRIVER_DISPATCH Dispatch;
static KDEFERRED_ROUTINE Expire;
static KSTART_ROUTINE Run;
static IO_WORKITEM_ROUTINE Work;
static WORKER_THREAD_ROUTINE Worker;
static KEVENT Never;
static KEVENT Worked;
static WORK_QUEUE_ITEM QueueItem;

static BOOLEAN Leaves(ULONG what)
{
    return Act == what;
}

static VOID Expire(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(argument1);
    UNREFERENCED_PARAMETER(argument2);
    UNREFERENCED_PARAMETER(dpc);
}

static NTSTATUS Keep(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID Work(PDEVICE_OBJECT device, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

static VOID Run(PVOID context)
{
    BOOLEAN goesOn = Leaves(LEAKY_ENDING_THREAD);
    UNREFERENCED_PARAMETER(context);
    KeWaitForSingleObject(&Stop, Executive, KernelMode, FALSE, NULL);
    KeSetEvent(&Ending, IO_NO_INCREMENT, FALSE);
    while (goesOn) {
        KeGetCurrentIrql();
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* Tells of its end by its last line, unless it does not end. */
static VOID Worker(PVOID context)
{
    if (Leaves(LEAKY_WORK_ROUTINE)) {
        KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
    }
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS Complete(PIRP irp, NTSTATUS status)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = 0;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static VOID Cancel(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    Complete(irp, STATUS_CANCELLED);
}

static NTSTATUS Dispatch(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    if (Leaves(LEAKY_IRP_HELD)) {
        IoMarkIrpPending(irp);
        return STATUS_PENDING;
    }
    if (Leaves(LEAKY_CANCELLED_IRP_HELD)) {
        IoMarkIrpPending(irp);
        IoSetCancelRoutine(irp, Cancel);
        return STATUS_PENDING;
    }
    return Complete(irp, STATUS_SUCCESS);
}

static NTSTATUS StartThread(VOID)
{
    HANDLE handle;
    KeInitializeEvent(&Stop, NotificationEvent, FALSE);
    KeInitializeEvent(&Ending, NotificationEvent, FALSE);
    NTSTATUS status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Run, NULL);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, &Thread, NULL);
    if (!Leaves(LEAKY_THREAD_HANDLE)) {
        ZwClose(handle);
    }
    return STATUS_SUCCESS;
}

static VOID EndThread(VOID)
{
    if (!Leaves(LEAKY_THREAD)) {
        PVOID end = Leaves(LEAKY_ENDING_THREAD) ? (PVOID)&Ending : Thread;
        KeSetEvent(&Stop, IO_NO_INCREMENT, FALSE);
        KeWaitForSingleObject(end, Executive, KernelMode, FALSE, NULL);
    }
    ObDereferenceObject(Thread);
}

static VOID Allocate(VOID)
{
    LARGE_INTEGER later;
    OBJECT_ATTRIBUTES attributes;
    PDEVICE_OBJECT top;
    PLEAKY leaky = Device->DeviceExtension;
    Irp = IoAllocateIrp(1, FALSE);
    Block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, TAG);
    Mdl = IoAllocateMdl(Block, 64, FALSE, FALSE, NULL);
    WorkItem = IoAllocateWorkItem(Device);
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    ZwCreateEvent(&Handle, EVENT_ALL_ACCESS, &attributes, NotificationEvent, FALSE);
    IoCreateSymbolicLink(&LinkName, &DeviceName);
    AllocatedTimer = ExAllocateTimer(NULL, NULL, 0);
    ExSetTimerResolution(10000, TRUE);
    later.QuadPart = -10LL * 1000 * 1000 * 1000;
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, Expire, NULL);
    KeInitializeTimer(&leaky->Timer);
    KeSetTimer(&Timer, later, &Dpc);
    KeSetTimer(&leaky->Timer, later, NULL);
    IoGetDeviceObjectPointer(&OtherName, FILE_READ_DATA, &File, &top);
    if (Leaves(LEAKY_COMPLETION_ROUTINE)) {
        IoGetNextIrpStackLocation(Irp)->MajorFunction = IRP_MJ_READ;
        IoSetCompletionRoutine(Irp, Keep, NULL, TRUE, TRUE, TRUE);
        IoCallDriver(top, Irp);
    }
}

static VOID UseWorkItem(VOID)
{
    KEVENT done;
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IoQueueWorkItem(WorkItem, Work, DelayedWorkQueue, &done);
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    KeInitializeEvent(&Worked, NotificationEvent, FALSE);
    ExInitializeWorkItem(&QueueItem, Worker, &Worked);
    ExQueueWorkItem(&QueueItem, DelayedWorkQueue);
}

static VOID FreeMemory(VOID)
{
    if (!Leaves(LEAKY_IRP) && !Leaves(LEAKY_COMPLETION_ROUTINE)) {
        IoFreeIrp(Irp);
    }
    if (!Leaves(LEAKY_MDL)) {
        IoFreeMdl(Mdl);
    }
    if (!Leaves(LEAKY_POOL)) {
        ExFreePoolWithTag(Block, TAG);
    }
    if (!Leaves(LEAKY_WORK_ITEM)) {
        IoFreeWorkItem(WorkItem);
    }
}

static VOID CloseAll(VOID)
{
    if (!Leaves(LEAKY_HANDLE)) {
        ZwClose(Handle);
    }
    if (!Leaves(LEAKY_FILE)) {
        ObDereferenceObject(File);
    }
    if (!Leaves(LEAKY_LINK)) {
        IoDeleteSymbolicLink(&LinkName);
    }
    if (!Leaves(LEAKY_ALLOCATED_TIMER)) {
        ExDeleteTimer(AllocatedTimer, TRUE, TRUE, NULL);
    }
    if (!Leaves(LEAKY_RESOLUTION)) {
        ExSetTimerResolution(0, FALSE);
    }
    if (!Leaves(LEAKY_TIMER)) {
        KeCancelTimer(&Timer);
    }
    if (!Leaves(LEAKY_EXTENSION_TIMER)) {
        KeCancelTimer(&((PLEAKY)Device->DeviceExtension)->Timer);
    }
}

static VOID Unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    if (!Leaves(LEAKY_WORK_ROUTINE)) {
        KeWaitForSingleObject(&Worked, Executive, KernelMode, FALSE, NULL);
    }
    EndThread();
    FreeMemory();
    CloseAll();
    IoDeleteDevice(Device);
}

/* Writes where a driver only reads. */
static VOID Spoil(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
    if (Leaves(LEAKY_PATH)) {
        path->Buffer[0] = L'/';
    }
    if (Leaves(LEAKY_MEMBER)) {
        driver->DriverSize = 1;
    }
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    read_act(RegistryPath, &Act);
    NTSTATUS status = IoCreateDevice(DriverObject, sizeof(LEAKY), &DeviceName, 0x8000,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_READ] = Dispatch;
    status = StartThread();
    if (!NT_SUCCESS(status)) {
        IoDeleteDevice(Device);
        return status;
    }
    Allocate();
    UseWorkItem();
    Spoil(DriverObject, RegistryPath);
    return STATUS_SUCCESS;
}
