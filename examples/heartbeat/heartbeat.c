/*
 * heartbeat: a small driver without a network. A periodic timer queues a DPC; the DPC, at
 * DISPATCH_LEVEL, counts and queues a work item; the work item, at PASSIVE_LEVEL, wakes a system
 * thread, which prints each beat. Unload stops all of it in the order that drivers need.
 */
#include <ntddk.h>

#define PERIOD_MS 20

typedef struct _HEARTBEAT {
    KTIMER Timer;
    KDPC Dpc;
    KEVENT Beat;
    volatile LONG Beats;
    volatile LONG Stopping;
    PIO_WORKITEM WorkItem;
    volatile LONG WorkQueued;
    EX_RUNDOWN_REF Work; /* held while the work item is queued or runs */
    PETHREAD Thread;
} HEARTBEAT, *PHEARTBEAT;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD HeartbeatUnload;
static KDEFERRED_ROUTINE HeartbeatDpc;
static IO_WORKITEM_ROUTINE HeartbeatWork;
static KSTART_ROUTINE HeartbeatThread;

static VOID HeartbeatDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PHEARTBEAT Heartbeat = Context;
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    LONG Beat = InterlockedIncrement(&Heartbeat->Beats);
    DbgPrint("heartbeat: DPC       beat %ld at IRQL %u\n", Beat, KeGetCurrentIrql());
    if (InterlockedExchange(&Heartbeat->WorkQueued, 1) == 0 &&
        ExAcquireRundownProtection(&Heartbeat->Work)) {
        IoQueueWorkItem(Heartbeat->WorkItem, HeartbeatWork, DelayedWorkQueue, Heartbeat);
    }
}

static VOID HeartbeatWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    PHEARTBEAT Heartbeat = Context;
    UNREFERENCED_PARAMETER(DeviceObject);
    InterlockedExchange(&Heartbeat->WorkQueued, 0);
    DbgPrint("heartbeat: work item beat %ld at IRQL %u\n", Heartbeat->Beats, KeGetCurrentIrql());
    KeSetEvent(&Heartbeat->Beat, IO_NO_INCREMENT, FALSE);
    ExReleaseRundownProtection(&Heartbeat->Work);
}

static VOID HeartbeatThread(PVOID Context)
{
    PHEARTBEAT Heartbeat = Context;
    while (!Heartbeat->Stopping) {
        KeWaitForSingleObject(&Heartbeat->Beat, Executive, KernelMode, FALSE, NULL);
        DbgPrint("heartbeat: thread    beat %ld at IRQL %u\n", Heartbeat->Beats,
                 KeGetCurrentIrql());
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS HeartbeatStartThread(PHEARTBEAT Heartbeat)
{
    HANDLE Handle;
    NTSTATUS Status = PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL,
                                           HeartbeatThread, Heartbeat);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode,
                                       (PVOID *)&Heartbeat->Thread, NULL);
    ZwClose(Handle);
    return Status;
}

static VOID HeartbeatUnload(PDRIVER_OBJECT DriverObject)
{
    PDEVICE_OBJECT Device = DriverObject->DeviceObject;
    PHEARTBEAT Heartbeat = Device->DeviceExtension;
    KeCancelTimer(&Heartbeat->Timer);
    KeFlushQueuedDpcs();
    ExWaitForRundownProtectionRelease(&Heartbeat->Work);
    InterlockedExchange(&Heartbeat->Stopping, 1);
    KeSetEvent(&Heartbeat->Beat, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(Heartbeat->Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Heartbeat->Thread);
    IoFreeWorkItem(Heartbeat->WorkItem);
    IoDeleteDevice(Device);
    DbgPrint("heartbeat: unloaded\n");
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Heartbeat");
    PDEVICE_OBJECT Device;
    LARGE_INTEGER Due = {.QuadPart = -10000LL * PERIOD_MS};
    DbgPrint("heartbeat: loaded from %wZ\n", RegistryPath);
    NTSTATUS Status = IoCreateDevice(DriverObject, sizeof(HEARTBEAT), &Name, FILE_DEVICE_UNKNOWN,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    PHEARTBEAT Heartbeat = Device->DeviceExtension;
    KeInitializeTimer(&Heartbeat->Timer);
    KeInitializeDpc(&Heartbeat->Dpc, HeartbeatDpc, Heartbeat);
    ExInitializeRundownProtection(&Heartbeat->Work);
    KeInitializeEvent(&Heartbeat->Beat, SynchronizationEvent, FALSE);
    Heartbeat->WorkItem = IoAllocateWorkItem(Device);
    Status = Heartbeat->WorkItem != NULL ? HeartbeatStartThread(Heartbeat)
                                         : STATUS_INSUFFICIENT_RESOURCES;
    if (!NT_SUCCESS(Status)) {
        if (Heartbeat->WorkItem != NULL) {
            IoFreeWorkItem(Heartbeat->WorkItem);
        }
        IoDeleteDevice(Device);
        return Status;
    }
    DriverObject->DriverUnload = HeartbeatUnload;
    KeSetTimerEx(&Heartbeat->Timer, Due, PERIOD_MS, &Heartbeat->Dpc);
    return STATUS_SUCCESS;
}
