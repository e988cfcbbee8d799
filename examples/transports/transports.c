/*
 * transports: knows at any time which transports WSK offers.
 *
 * WSK_TRANSPORT_LIST_QUERY gives the list at once. WSK_TRANSPORT_LIST_CHANGE takes an IRP and
 * completes it after the next change, once: who wants to see all changes sends it again.
 *
 * The order matters: the IRP goes first, the query second. The other way round, a change between
 * the two would go unseen; this way the list may only be read once more than needed.
 *
 * All of it is done by one thread. It alone sends the IRP, waits for it, and cancels it, so there
 * is no question who owns it; and it ends before the driver gives WSK back.
 */
#include <ntddk.h>
#include <wsk.h>

#include "transports_codes.h"

#define PROVIDER_WAIT_MS 1000
#define POOL_TAG 'srpT'

static struct {
    WSK_REGISTRATION Registration;
    WSK_PROVIDER_NPI Provider;
    PETHREAD Thread;
    PIRP Irp;
    KEVENT Changed; /* Irp is back */
    KEVENT Stop;
    FAST_MUTEX Lock;     /* guards what follows */
    PWSK_TRANSPORT List; /* as of the last query */
    ULONG Count;
    PKEVENT Listener; /* the application's event, or NULL */
    PFILE_OBJECT ListenerFile;
} Watch;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD TransportsUnload;
static DRIVER_DISPATCH TransportsCreateClose;
static DRIVER_DISPATCH TransportsCleanup;
static DRIVER_DISPATCH TransportsControl;
static IO_COMPLETION_ROUTINE WatchCompleted;
static KSTART_ROUTINE WatchThread;

/* ---- the list ---- */

/* Asks for the size, then for the list. It may have grown in between, so until it fits. */
static NTSTATUS QueryTransports(PWSK_TRANSPORT *List, SIZE_T *Bytes)
{
    PFN_WSK_CONTROL_CLIENT Control = Watch.Provider.Dispatch->WskControlClient;
    *List = NULL;
    *Bytes = 0;
    for (;;) {
        SIZE_T Room = *Bytes;
        NTSTATUS Status = Control(Watch.Provider.Client, WSK_TRANSPORT_LIST_QUERY, 0, NULL, Room,
                                  *List, Bytes, NULL);
        if (Status == STATUS_SUCCESS) {
            return STATUS_SUCCESS;
        }
        if (*List != NULL) {
            ExFreePoolWithTag(*List, POOL_TAG);
            *List = NULL;
        }
        if (Status != STATUS_BUFFER_OVERFLOW) { /* a warning: NT_SUCCESS takes it for an error */
            return Status;
        }
        *List = ExAllocatePool2(POOL_FLAG_NON_PAGED, *Bytes, POOL_TAG);
        if (*List == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    }
}

static BOOLEAN Contains(const WSK_TRANSPORT *List, ULONG Count, const WSK_TRANSPORT *Transport)
{
    for (ULONG i = 0; i < Count; i++) {
        if (List[i].AddressFamily == Transport->AddressFamily &&
            List[i].SocketType == Transport->SocketType &&
            List[i].Protocol == Transport->Protocol) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Prints what stands in one list and not in the other. */
static VOID PrintMissing(const WSK_TRANSPORT *List, ULONG Count, const WSK_TRANSPORT *Other,
                         ULONG OtherCount, const char *What)
{
    for (ULONG i = 0; i < Count; i++) {
        if (!Contains(Other, OtherCount, &List[i])) {
            DbgPrint("transports: %s family %u, type %u, protocol %lu\n", What,
                     List[i].AddressFamily, List[i].SocketType, List[i].Protocol);
        }
    }
}

static NTSTATUS WatchRefresh(VOID)
{
    PWSK_TRANSPORT List;
    SIZE_T Bytes;
    NTSTATUS Status = QueryTransports(&List, &Bytes);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    ULONG Count = (ULONG)(Bytes / sizeof(*List));
    ExAcquireFastMutex(&Watch.Lock);
    PWSK_TRANSPORT Old = Watch.List;
    PrintMissing(List, Count, Old, Watch.Count, "added");
    PrintMissing(Old, Watch.Count, List, Count, "removed");
    Watch.List = List;
    Watch.Count = Count;
    if (Watch.Listener != NULL) {
        KeSetEvent(Watch.Listener, IO_NO_INCREMENT, FALSE);
    }
    ExReleaseFastMutex(&Watch.Lock);
    if (Old != NULL) {
        ExFreePoolWithTag(Old, POOL_TAG);
    }
    return STATUS_SUCCESS;
}

/* ---- the watch ---- */

static NTSTATUS WatchCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);
    KeSetEvent(&Watch.Changed, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* No buffers, no sizes: the IRP is all that this control takes. */
static VOID WatchNextChange(VOID)
{
    IoReuseIrp(Watch.Irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(Watch.Irp, WatchCompleted, NULL, TRUE, TRUE, TRUE);
    Watch.Provider.Dispatch->WskControlClient(Watch.Provider.Client, WSK_TRANSPORT_LIST_CHANGE, 0,
                                              NULL, 0, NULL, NULL, Watch.Irp);
}

/* Waits for a change. FALSE: the driver stops, or WSK reports no more changes. Then Irp is back. */
static BOOLEAN WatchWait(VOID)
{
    PVOID Objects[] = {&Watch.Stop, &Watch.Changed};
    NTSTATUS Status = KeWaitForMultipleObjects(RTL_NUMBER_OF(Objects), Objects, WaitAny, Executive,
                                               KernelMode, FALSE, NULL, NULL);
    if (Status == STATUS_WAIT_0) {
        IoCancelIrp(Watch.Irp);
        KeWaitForSingleObject(&Watch.Changed, Executive, KernelMode, FALSE, NULL);
        return FALSE;
    }
    return NT_SUCCESS(Watch.Irp->IoStatus.Status);
}

static VOID WatchThread(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    do {
        WatchNextChange();
        NTSTATUS Status = WatchRefresh();
        if (!NT_SUCCESS(Status)) { /* the old list stays; the next change brings the next try */
            DbgPrint("transports: the query failed with 0x%08lX\n", Status);
        }
    } while (WatchWait());
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* ---- the device ---- */

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS ControlQuery(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    TRANSPORTS_LIST *Out = Irp->AssociatedIrp.SystemBuffer;
    ULONG Room = Stack->Parameters.DeviceIoControl.OutputBufferLength;
    ULONG Header = FIELD_OFFSET(TRANSPORTS_LIST, Entries);
    if (Room < Header) {
        return Complete(Irp, STATUS_BUFFER_TOO_SMALL, 0);
    }
    ExAcquireFastMutex(&Watch.Lock);
    ULONG Bytes = Header + Watch.Count * sizeof(TRANSPORTS_ENTRY);
    BOOLEAN Fits = Bytes <= Room;
    Out->Count = Watch.Count;
    for (ULONG i = 0; Fits && i < Watch.Count; i++) {
        Out->Entries[i].AddressFamily = Watch.List[i].AddressFamily;
        Out->Entries[i].SocketType = Watch.List[i].SocketType;
        Out->Entries[i].Protocol = Watch.List[i].Protocol;
    }
    ExReleaseFastMutex(&Watch.Lock);
    return Complete(Irp, Fits ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW, Fits ? Bytes : Header);
}

/* Replaces the event. NULL removes it, but only the one of that file if File is not NULL. */
static VOID ReplaceListener(PKEVENT Event, PFILE_OBJECT File, PFILE_OBJECT OnlyOf)
{
    PKEVENT Old = Event;
    ExAcquireFastMutex(&Watch.Lock);
    if (OnlyOf == NULL || OnlyOf == Watch.ListenerFile) {
        Old = Watch.Listener;
        Watch.Listener = Event;
        Watch.ListenerFile = File;
        if (Event != NULL) {
            KeSetEvent(Event, IO_NO_INCREMENT, FALSE); /* there is a list to look at */
        }
    }
    ExReleaseFastMutex(&Watch.Lock);
    if (Old != NULL) {
        ObDereferenceObject(Old);
    }
}

/* A handle means something only in the process that sent it, and only now: take the object. */
static NTSTATUS ControlSetEvent(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    PKEVENT Event;
    if (Stack->Parameters.DeviceIoControl.InputBufferLength != sizeof(HANDLE)) {
        return Complete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    HANDLE Handle = *(HANDLE *)Irp->AssociatedIrp.SystemBuffer;
    NTSTATUS Status = ObReferenceObjectByHandle(Handle, EVENT_MODIFY_STATE, *ExEventObjectType,
                                                Irp->RequestorMode, (PVOID *)&Event, NULL);
    if (NT_SUCCESS(Status)) {
        ReplaceListener(Event, Stack->FileObject, NULL);
    }
    return Complete(Irp, Status, 0);
}

static NTSTATUS TransportsControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    UNREFERENCED_PARAMETER(DeviceObject);
    switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_TRANSPORTS_QUERY:
        return ControlQuery(Irp, Stack);
    case IOCTL_TRANSPORTS_SET_EVENT:
        return ControlSetEvent(Irp, Stack);
    default:
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

static NTSTATUS TransportsCreateClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

/* The last handle of the file is closed: nobody is left who waits for the event. */
static NTSTATUS TransportsCleanup(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    ReplaceListener(NULL, NULL, IoGetCurrentIrpStackLocation(Irp)->FileObject);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

/* ---- the driver ---- */

/* Must stay where it is as long as WSK may use it. */
static const WSK_CLIENT_DISPATCH ClientDispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};

static NTSTATUS WatchStart(VOID)
{
    HANDLE Handle;
    Watch.Irp = IoAllocateIrp(1, FALSE);
    if (Watch.Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NTSTATUS Status =
        PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, WatchThread, NULL);
    if (!NT_SUCCESS(Status)) {
        IoFreeIrp(Watch.Irp);
        return Status;
    }
    /* Cannot fail: the handle is ours and has all rights. */
    ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode,
                              (PVOID *)&Watch.Thread, NULL);
    ZwClose(Handle);
    return STATUS_SUCCESS;
}

static NTSTATUS Start(VOID)
{
    WSK_CLIENT_NPI Client = {NULL, &ClientDispatch};
    NTSTATUS Status = WskRegister(&Client, &Watch.Registration);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = WskCaptureProviderNPI(&Watch.Registration, PROVIDER_WAIT_MS, &Watch.Provider);
    if (NT_SUCCESS(Status)) {
        Status = WatchStart();
        if (!NT_SUCCESS(Status)) {
            WskReleaseProviderNPI(&Watch.Registration);
        }
    }
    if (!NT_SUCCESS(Status)) {
        WskDeregister(&Watch.Registration);
    }
    return Status;
}

static VOID DeleteDevice(PDEVICE_OBJECT Device)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(TRANSPORTS_LINK_NAME);
    IoDeleteSymbolicLink(&Link);
    IoDeleteDevice(Device);
}

static VOID TransportsUnload(PDRIVER_OBJECT DriverObject)
{
    DeleteDevice(DriverObject->DeviceObject);
    KeSetEvent(&Watch.Stop, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(Watch.Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Watch.Thread);
    WskReleaseProviderNPI(&Watch.Registration);
    WskDeregister(&Watch.Registration);
    IoFreeIrp(Watch.Irp);
    if (Watch.List != NULL) {
        ExFreePoolWithTag(Watch.List, POOL_TAG);
    }
}

static NTSTATUS CreateDevice(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT *Device)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(TRANSPORTS_DEVICE_NAME);
    UNICODE_STRING Link = RTL_CONSTANT_STRING(TRANSPORTS_LINK_NAME);
    NTSTATUS Status =
        IoCreateDevice(DriverObject, 0, &Name, 0x8000, FILE_DEVICE_SECURE_OPEN, FALSE, Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IoCreateSymbolicLink(&Link, &Name);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(*Device);
    }
    return Status;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PDEVICE_OBJECT Device;
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeEvent(&Watch.Changed, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Watch.Stop, NotificationEvent, FALSE);
    ExInitializeFastMutex(&Watch.Lock);
    NTSTATUS Status = CreateDevice(DriverObject, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = Start();
    if (!NT_SUCCESS(Status)) {
        DeleteDevice(Device);
        return Status;
    }
    DriverObject->MajorFunction[IRP_MJ_CREATE] = TransportsCreateClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = TransportsCreateClose;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = TransportsCleanup;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = TransportsControl;
    DriverObject->DriverUnload = TransportsUnload;
    return STATUS_SUCCESS;
}
