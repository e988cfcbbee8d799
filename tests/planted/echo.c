/*
 * An echo server as drivers have it: a thread that listens, event callbacks for what comes, a
 * statistics timer, and a device that is asked for the numbers.
 *
 * It is built once as it should be (PLANTED 0), and once for each of the mistakes that plants.h
 * lists, with that one mistake in it. The line that a report has to name is marked.
 */
#include <ntifs.h>
#include <wsk.h>

#ifndef PLANTED
#define PLANTED 0
#endif
#define PLANT(n) (PLANTED == (n))

#define TAG 'tnlP'
#define TICK_MS 1

/* One piece of data on its way back. */
typedef struct _ECHO {
    PIRP Irp;
    PMDL Mdl;
    struct _CONNECTION *Connection;
    SIZE_T Length;
    UCHAR Data[];
} ECHO, *PECHO;

typedef struct _CONNECTION {
    PWSK_SOCKET Socket;
    PIRP CloseIrp;
    PWSK_DATA_INDICATION Kept;
} CONNECTION, *PCONNECTION;

typedef struct _STATISTICS {
    ULONG Ticks;
    ULONG Bytes;
} STATISTICS, *PSTATISTICS;

static WSK_REGISTRATION Registration;
static WSK_PROVIDER_NPI Provider;
static PWSK_SOCKET Listener;
static PVOID Thread;
static KEVENT Ready;
static KEVENT Stop;
static KEVENT Idle; /* no connection is left */
static LONG Connections;
static ULONG Port;
static PDEVICE_OBJECT Device;
static PIO_WORKITEM WorkItem;
static PIRP StatisticsIrp;
static KSPIN_LOCK Lock; /* guards the next */
static STATISTICS Statistics;
static PWSTR Name; /* paged */
static KTIMER Timer;
static KDPC Dpc;

static UNICODE_STRING DeviceName = RTL_CONSTANT_STRING(L"\\Device\\PlantedEcho");
static const WSK_CLIENT_DISPATCH ClientDispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static DRIVER_DISPATCH Dispatch;
static DRIVER_CANCEL CancelStatistics;
static KSTART_ROUTINE Serve;
static KDEFERRED_ROUTINE Tick;
static IO_WORKITEM_ROUTINE CompleteStatistics;

/* ---- calls that are waited for ---- */

static NTSTATUS Signal(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP NewIrp(PKEVENT Done)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);
    KeInitializeEvent(Done, NotificationEvent, FALSE);
    IoSetCompletionRoutine(Irp, Signal, Done, TRUE, TRUE, TRUE);
    return Irp;
}

static NTSTATUS Await(PIRP Irp, PKEVENT Done, PULONG_PTR Information)
{
    KeWaitForSingleObject(Done, Executive, KernelMode, FALSE, NULL); /* plant 17 */
    NTSTATUS Status = Irp->IoStatus.Status;
    if (Information != NULL) {
        *Information = Irp->IoStatus.Information;
    }
    IoFreeIrp(Irp);
    return Status;
}

static NTSTATUS CloseSocket(PWSK_SOCKET Socket)
{
    KEVENT Done;
    PIRP Irp = NewIrp(&Done);
    const WSK_PROVIDER_BASIC_DISPATCH *Basic = Socket->Dispatch;
    Basic->WskCloseSocket(Socket, Irp);
    return Await(Irp, &Done, NULL);
}

/* ---- sending back ---- */

static VOID FreeEcho(PECHO Echo)
{
    if (!PLANT(11)) {
        IoFreeMdl(Echo->Mdl);
    }
    if (!PLANT(10)) {
        IoFreeIrp(Echo->Irp);
    }
    if (!PLANT(9)) {
        ExFreePoolWithTag(Echo, PLANT(28) ? 'ohcE' : TAG); /* plant 28 */
    }
    if (PLANT(29)) {
        ExFreePoolWithTag(Echo, TAG); /* plant 29 */
    }
}

static VOID CountBytes(ULONG Bytes)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Lock, &Irql);
    Statistics.Bytes += Bytes;
    if (PLANT(18) && Bytes != 0) {
        return;
    }
    if (PLANT(19)) {
        KeAcquireSpinLock(&Lock, &Irql); /* plant 19 */
    }
    KeReleaseSpinLock(&Lock, Irql);
}

static NTSTATUS OnSent(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{ /* plant 2 18 */
    PECHO Echo = Context;
    UNREFERENCED_PARAMETER(DeviceObject);
    CountBytes((ULONG)Irp->IoStatus.Information);
    if (PLANT(2)) {
        return STATUS_SUCCESS;
    }
    FreeEcho(Echo);
    if (PLANT(13)) {
        CountBytes((ULONG)Echo->Length); /* plant 13 */
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PECHO NewEcho(PCONNECTION Connection, SIZE_T Length)
{
    PECHO Echo = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(ECHO) + Length, TAG); /* plant 9 30 */
    Echo->Connection = Connection;
    Echo->Length = Length;
    Echo->Irp = IoAllocateIrp(1, FALSE);                                      /* plant 10 */
    Echo->Mdl = IoAllocateMdl(Echo->Data, (ULONG)Length, FALSE, FALSE, NULL); /* plant 11 */
    if (!PLANT(24)) {
        MmBuildMdlForNonPagedPool(Echo->Mdl);
    }
    return Echo;
}

static VOID SendBack(PECHO Echo)
{
    PWSK_SOCKET Socket = Echo->Connection->Socket;
    const WSK_PROVIDER_CONNECTION_DISPATCH *Functions = Socket->Dispatch;
    WSK_BUF Buffer = {Echo->Mdl, 0, Echo->Length};
    if (PLANT(22)) {
        Buffer.Length += 100;
    }
    if (!PLANT(1)) {
        IoSetCompletionRoutine(Echo->Irp, OnSent, Echo, TRUE, !PLANT(3), TRUE);
    }
    PIRP Irp = Echo->Irp;
    Functions->WskSend(Socket, &Buffer, 0, Irp); /* plant 1 3 22 24 */
    if (PLANT(5)) {
        IoReuseIrp(Irp, STATUS_SUCCESS); /* plant 5 */
    }
    if (PLANT(23)) {
        IoFreeIrp(Irp); /* plant 23 */
    }
}

static VOID CopyIndication(PUCHAR Target, PWSK_DATA_INDICATION Indication)
{
    for (; Indication != NULL; Indication = Indication->Next) {
        PMDL Mdl = Indication->Buffer.Mdl;
        ULONG Offset = Indication->Buffer.Offset;
        SIZE_T Left = Indication->Buffer.Length;
        while (Left != 0) {
            SIZE_T Length = min(Left, MmGetMdlByteCount(Mdl) - Offset);
            PUCHAR Source = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
            RtlCopyMemory(Target, Source + Offset, Length);
            Target += Length;
            Left -= Length;
            Offset = 0;
            Mdl = Mdl->Next;
        }
    }
}

/* ---- events ---- */

static NTSTATUS OnClosed(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PCONNECTION Connection = Context;
    UNREFERENCED_PARAMETER(DeviceObject);
    IoFreeIrp(Irp);
    ExFreePoolWithTag(Connection, TAG);
    if (InterlockedDecrement(&Connections) == 0) {
        KeSetEvent(&Idle, IO_NO_INCREMENT, FALSE);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID CloseConnection(PCONNECTION Connection)
{
    const WSK_PROVIDER_CONNECTION_DISPATCH *Functions = Connection->Socket->Dispatch;
    PWSK_SOCKET Socket = Connection->Socket;
    if (PLANT(21)) {
        CloseSocket(Socket); /* plant 21 */
        return;
    }
    PIRP Irp = Connection->CloseIrp;
    IoSetCompletionRoutine(Irp, OnClosed, Connection, TRUE, TRUE, TRUE);
    Functions->Basic.WskCloseSocket(Socket, Irp); /* plant 25 */
    if (PLANT(14)) {
        SendBack(NewEcho(Connection, 1)); /* plant 14 */
    }
}

static NTSTATUS WSKAPI OnReceive(PVOID SocketContext, ULONG Flags, PWSK_DATA_INDICATION Indication,
                                 SIZE_T Indicated, SIZE_T *Accepted)
{ /* plant 26 27 */
    PCONNECTION Connection = SocketContext;
    UNREFERENCED_PARAMETER(Flags);
    if (Indication == NULL) {
        return STATUS_SUCCESS;
    }
    PECHO Echo = NewEcho(Connection, PLANT(30) ? 1 : Indicated);
    CopyIndication(Echo->Data, Indication);
    if (PLANT(17)) {
        KEVENT Never;
        KeInitializeEvent(&Never, NotificationEvent, FALSE);
        Await(Echo->Irp, &Never, NULL);
    }
    if (PLANT(20)) {
        UNICODE_STRING String;
        RtlInitUnicodeString(&String, Name); /* plant 20 */
    }
    SendBack(Echo);
    if (PLANT(25)) {
        Connection->Kept = Indication;
        return STATUS_PENDING;
    }
    if (PLANT(26)) {
        *Accepted = Indicated + 1;
    }
    return PLANT(27) ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

static NTSTATUS WSKAPI OnDisconnect(PVOID SocketContext, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    CloseConnection(SocketContext);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH ConnectionEvents = {OnReceive, OnDisconnect, NULL};

static NTSTATUS WSKAPI OnAccept(PVOID SocketContext, ULONG Flags, PSOCKADDR Local, PSOCKADDR Remote,
                                PWSK_SOCKET Socket, PVOID *AcceptContext,
                                const WSK_CLIENT_CONNECTION_DISPATCH **AcceptDispatch)
{
    UNREFERENCED_PARAMETER(SocketContext);
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(Local);
    UNREFERENCED_PARAMETER(Remote);
    if (Socket == NULL) {
        return STATUS_REQUEST_NOT_ACCEPTED;
    }
    PCONNECTION Connection = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Connection), TAG);
    Connection->Socket = Socket;
    Connection->CloseIrp = IoAllocateIrp(1, FALSE);
    InterlockedIncrement(&Connections);
    KeClearEvent(&Idle);
    *AcceptContext = Connection;
    *AcceptDispatch = &ConnectionEvents;
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_LISTEN_DISPATCH ListenEvents = {OnAccept, NULL, NULL};

/* ---- the server ---- */

static NTSTATUS EnableEvents(VOID)
{
    WSK_EVENT_CALLBACK_CONTROL Control = {
        &NPI_WSK_INTERFACE_ID, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT};
    return Provider.Dispatch->WskControlClient(Provider.Client, WSK_SET_STATIC_EVENT_CALLBACKS,
                                               sizeof(Control), &Control, 0, NULL, NULL, NULL);
}

static NTSTATUS OpenListener(VOID)
{
    KEVENT Done;
    ULONG_PTR Socket;
    SOCKADDR_IN Address = {.sin_family = AF_INET};
    PIRP Irp = NewIrp(&Done);
    Address.sin_port = RtlUshortByteSwap((USHORT)Port);
    Address.sin_addr.s_addr = RtlUlongByteSwap(INADDR_LOOPBACK);
    PFN_WSK_SOCKET WskSocket = Provider.Dispatch->WskSocket;
    WskSocket(Provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP, /* plant 8 */
              WSK_FLAG_LISTEN_SOCKET, NULL, &ListenEvents, NULL, NULL, NULL, Irp);
    NTSTATUS Status = Await(Irp, &Done, &Socket);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Listener = (PWSK_SOCKET)Socket;
    const WSK_PROVIDER_LISTEN_DISPATCH *Functions = Listener->Dispatch;
    Irp = NewIrp(&Done);
    Functions->WskBind(Listener, (PSOCKADDR)&Address, 0, Irp);
    return Await(Irp, &Done, NULL);
}

static VOID CloseServer(VOID)
{
    if (!PLANT(8)) {
        CloseSocket(Listener);
    }
    KeWaitForSingleObject(&Idle, Executive, KernelMode, FALSE, NULL);
    WskReleaseProviderNPI(&Registration);
    if (PLANT(15)) {
        WskReleaseProviderNPI(&Registration); /* plant 15 */
    }
    if (PLANT(16)) {
        EnableEvents(); /* plant 16 */
    }
}

static VOID Serve(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    NTSTATUS Status = WskCaptureProviderNPI(&Registration, WSK_INFINITE_WAIT, &Provider);
    if (NT_SUCCESS(Status)) {
        EnableEvents();
        OpenListener();
        KeSetEvent(&Ready, IO_NO_INCREMENT, FALSE);
        KeWaitForSingleObject(&Stop, Executive, KernelMode, FALSE, NULL);
        CloseServer();
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* ---- statistics ---- */

static VOID Tick(PKDPC Unused, PVOID Context, PVOID Argument1, PVOID Argument2)
{ /* plant 31 */
    UNREFERENCED_PARAMETER(Unused);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    KeAcquireSpinLockAtDpcLevel(&Lock);
    Statistics.Ticks++;
    KeReleaseSpinLockFromDpcLevel(&Lock);
}

static VOID CompleteStatistics(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    KIRQL Irql;
    PIRP Irp = InterlockedExchangePointer((PVOID *)&StatisticsIrp, NULL);
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    if (Irp == NULL || (!PLANT(7) && IoSetCancelRoutine(Irp, NULL) == NULL)) {
        return;
    }
    KeAcquireSpinLock(&Lock, &Irql);
    *(PSTATISTICS)Irp->AssociatedIrp.SystemBuffer = Statistics;
    KeReleaseSpinLock(&Lock, Irql);
    Irp->IoStatus.Status = PLANT(6) ? STATUS_PENDING : STATUS_SUCCESS;
    Irp->IoStatus.Information = sizeof(STATISTICS);
    IoCompleteRequest(Irp, IO_NO_INCREMENT); /* plant 6 7 */
    if (PLANT(4)) {
        IoCompleteRequest(Irp, IO_NO_INCREMENT); /* plant 4 */
    }
}

static VOID CancelStatistics(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    InterlockedExchangePointer((PVOID *)&StatisticsIrp, NULL);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    Irp->IoStatus.Status = STATUS_CANCELLED;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
}

static NTSTATUS Dispatch(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{ /* plant 12 */
    UNREFERENCED_PARAMETER(DeviceObject);
    if (IoGetCurrentIrpStackLocation(Irp)->MajorFunction != IRP_MJ_DEVICE_CONTROL) {
        Irp->IoStatus.Status = STATUS_SUCCESS;
        Irp->IoStatus.Information = 0;
        IoCompleteRequest(Irp, IO_NO_INCREMENT);
        return STATUS_SUCCESS;
    }
    if (PLANT(12)) {
        return STATUS_PENDING;
    }
    IoMarkIrpPending(Irp);
    IoSetCancelRoutine(Irp, CancelStatistics);
    InterlockedExchangePointer((PVOID *)&StatisticsIrp, Irp);
    IoQueueWorkItem(WorkItem, CompleteStatistics, DelayedWorkQueue, NULL);
    return STATUS_PENDING;
}

/* ---- the driver ---- */

static VOID ReadPort(PUNICODE_STRING Path)
{
    RTL_QUERY_REGISTRY_TABLE Table[2] = {0};
    Table[0].Flags = RTL_QUERY_REGISTRY_DIRECT;
    Table[0].Name = L"Port";
    Table[0].EntryContext = &Port;
    Table[0].DefaultType = REG_DWORD;
    Table[0].DefaultData = &Port;
    Table[0].DefaultLength = sizeof(Port);
    RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, Path->Buffer, Table, NULL, NULL);
}

static VOID StartTimer(VOID)
{
    LARGE_INTEGER Due = {.QuadPart = -10000LL * TICK_MS};
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, Tick, NULL);
    KeSetTimerEx(&Timer, Due, TICK_MS, &Dpc);
}

static VOID StartThread(VOID)
{
    HANDLE Handle;
    PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Serve, NULL);
    ObReferenceObjectByHandle(Handle, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, &Thread, NULL);
    ZwClose(Handle);
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    KeSetEvent(&Stop, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Thread);
    if (!PLANT(31)) {
        KeCancelTimer(&Timer);
    }
    KeFlushQueuedDpcs();
    if (!PLANT(32)) {
        WskDeregister(&Registration);
    }
    IoFreeWorkItem(WorkItem);
    IoDeleteDevice(Device);
    ExFreePoolWithTag(Name, TAG);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WSK_CLIENT_NPI Client = {NULL, &ClientDispatch};
    ReadPort(RegistryPath);
    KeInitializeSpinLock(&Lock);
    KeInitializeEvent(&Ready, NotificationEvent, FALSE);
    KeInitializeEvent(&Stop, NotificationEvent, FALSE);
    KeInitializeEvent(&Idle, NotificationEvent, TRUE);
    DriverObject->DriverUnload = Unload;
    DriverObject->MajorFunction[IRP_MJ_CREATE] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_CLEANUP] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = Dispatch;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Dispatch;
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, &DeviceName, FILE_DEVICE_UNKNOWN,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Name = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(L"echo"), TAG);
    WorkItem = IoAllocateWorkItem(Device);
    Status = WskRegister(&Client, &Registration); /* plant 32 */
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    StartTimer();
    StartThread();
    return KeWaitForSingleObject(&Ready, Executive, KernelMode, FALSE, NULL);
}
