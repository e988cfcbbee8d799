/* Mistakes that keep a program from ending, each at its number in the parameter Act. */
#include <ntddk.h>

enum {
    EndlessEntry = 1,
    EndlessDpc,
    EndlessThread,
    PendsForEver,
    NotCompleted,
    WorkAtUnload,
    TerminatesEntry
};

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static KDEFERRED_ROUTINE ComputeAtDispatch;
static KSTART_ROUTINE SleepForEver;
static WORKER_THREAD_ROUTINE SleepLong;
_Dispatch_type_(IRP_MJ_CREATE) _Dispatch_type_(IRP_MJ_CLOSE) static DRIVER_DISPATCH Succeed;
_Dispatch_type_(IRP_MJ_DEVICE_CONTROL) static DRIVER_DISPATCH Control;

static ULONG Act;
static PDEVICE_OBJECT Device;
static KDPC Dpc;
static PVOID Thread;
static WORK_QUEUE_ITEM Item;

static VOID Compute(VOID)
{
    DbgPrint("stuck: computes\n");
    for (volatile LONG i = 1; i;) {
    }
}

static VOID ComputeAtDispatch(PKDPC Self, PVOID Context, PVOID First, PVOID Second)
{
    UNREFERENCED_PARAMETER(Self);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(First);
    UNREFERENCED_PARAMETER(Second);
    Compute();
}

static VOID Delay(LONG Milliseconds)
{
    LARGE_INTEGER Interval;
    Interval.QuadPart = -10000LL * Milliseconds;
    KeDelayExecutionThread(KernelMode, FALSE, &Interval);
}

static VOID SleepForEver(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    for (;;) {
        Delay(10);
    }
}

static VOID SleepLong(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Delay(60000);
}

static NTSTATUS Succeed(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    if (Act == NotCompleted) {
        return STATUS_SUCCESS;
    }
    IoMarkIrpPending(Irp);
    DbgPrint("stuck: has the IRP\n");
    return STATUS_PENDING;
}

static NTSTATUS MakeDevice(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\Stuck");
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Succeed;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Succeed;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Succeed;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    return IoCreateDevice(DriverObject, 0, &Name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN,
                          FALSE, &Device);
}

static NTSTATUS StartThread(VOID)
{
    HANDLE Handle;
    NTSTATUS Status =
        PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, SleepForEver, NULL);
    if (NT_SUCCESS(Status)) {
        ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode, &Thread, NULL);
        ZwClose(Handle);
    }
    return Status;
}

static NTSTATUS Begin(PDRIVER_OBJECT DriverObject)
{
    switch (Act) {
    case EndlessEntry:
        Compute();
        return STATUS_SUCCESS;
    case EndlessDpc:
        KeInitializeDpc(&Dpc, ComputeAtDispatch, NULL);
        KeInsertQueueDpc(&Dpc, NULL, NULL);
        return STATUS_SUCCESS;
    case EndlessThread:
        return StartThread();
    case WorkAtUnload:
        ExInitializeWorkItem(&Item, SleepLong, NULL);
        ExQueueWorkItem(&Item, DelayedWorkQueue);
        return STATUS_SUCCESS;
    case TerminatesEntry:
        return PsTerminateSystemThread(STATUS_SUCCESS);
    default:
        return MakeDevice(DriverObject);
    }
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    if (Thread != NULL) {
        KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
        ObDereferenceObject(Thread);
    }
    if (Device != NULL) {
        IoDeleteDevice(Device);
    }
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    RTL_QUERY_REGISTRY_TABLE Table[2] = {{0}};
    HANDLE Key;
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    NTSTATUS Status =
        IoOpenDriverRegistryKey(DriverObject, DriverRegKeyParameters, KEY_READ, 0, &Key);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Table[0].Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK;
    Table[0].Name = L"Act";
    Table[0].EntryContext = &Act;
    Table[0].DefaultType = (REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) | REG_NONE;
    RtlQueryRegistryValues(RTL_REGISTRY_HANDLE, (PCWSTR)Key, Table, NULL, NULL);
    ZwClose(Key);
    return Begin(DriverObject);
}
