/*
 * udp_echo_event: a UDP echo server by WskReceiveFromEvent. The callback runs at DISPATCH_LEVEL and
 * should be short, so it only keeps the list of datagrams that it is shown (STATUS_PENDING) and
 * puts it on a queue. A thread of the driver's, at PASSIVE_LEVEL, takes list after list, sends each
 * datagram back from the memory in which it arrived, and releases the list.
 *
 * The thread owns the socket: besides the callback only it uses it, so it knows when nothing is
 * kept and no call is in progress, and closes it then.
 */
#include <ntddk.h>
#include <wsk.h>

#define DEFAULT_PORT 7777
#define PROVIDER_WAIT_MS 1000
#define KEPT_MAX 256 /* lists; what comes beyond is dropped, as UDP may */
#define POOL_TAG 'cEvU'

/* A list that the callback kept. */
typedef struct _KEPT {
    LIST_ENTRY Link;
    PWSK_DATAGRAM_INDICATION Datagrams;
} KEPT, *PKEPT;

static struct {
    WSK_REGISTRATION Registration;
    WSK_PROVIDER_NPI Provider;
    PWSK_SOCKET Socket;
    const WSK_PROVIDER_DATAGRAM_DISPATCH *Dispatch;
    PIRP Irp; /* one call after the other, each waited for */
    KEVENT Done;
    PETHREAD Thread;
    KEVENT Work; /* the queue has changed, or IsStopping */
    KSPIN_LOCK Lock;
    LIST_ENTRY Queue; /* of KEPT; guarded by the lock, as the rest */
    ULONG KeptCount;
    BOOLEAN IsStopping; /* nothing is kept any more */
} Server;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD EchoUnload;
static KSTART_ROUTINE ServerThread;
static IO_COMPLETION_ROUTINE ServerCompleted;

/* ---- calls, each waited for: at PASSIVE_LEVEL, by one thread at a time ---- */

static NTSTATUS ServerCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);
    KeSetEvent(&Server.Done, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED; /* the IRP is the driver's own */
}

static PIRP ServerPrepare(VOID)
{
    IoReuseIrp(Server.Irp, STATUS_UNSUCCESSFUL);
    KeClearEvent(&Server.Done);
    IoSetCompletionRoutine(Server.Irp, ServerCompleted, NULL, TRUE, TRUE, TRUE);
    return Server.Irp;
}

static NTSTATUS ServerWait(VOID)
{
    KeWaitForSingleObject(&Server.Done, Executive, KernelMode, FALSE, NULL);
    return Server.Irp->IoStatus.Status;
}

/* ---- the callback ---- */

static BOOLEAN Keep(PKEPT Kept)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Server.Lock, &Irql);
    BOOLEAN IsKept = !Server.IsStopping && Server.KeptCount < KEPT_MAX;
    if (IsKept) {
        InsertTailList(&Server.Queue, &Kept->Link);
        Server.KeptCount++;
    }
    KeReleaseSpinLock(&Server.Lock, Irql);
    return IsKept;
}

static VOID Stop(VOID)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Server.Lock, &Irql);
    Server.IsStopping = TRUE;
    KeReleaseSpinLock(&Server.Lock, Irql);
    KeSetEvent(&Server.Work, IO_NO_INCREMENT, FALSE);
}

/* STATUS_SUCCESS gives the list back at once: its datagrams count as taken, which here means lost.
 * STATUS_PENDING keeps it; the callback may be called again long before it is released. */
static NTSTATUS WSKAPI ServerReceive(PVOID SocketContext, ULONG Flags,
                                     PWSK_DATAGRAM_INDICATION DataIndication)
{
    UNREFERENCED_PARAMETER(SocketContext);
    UNREFERENCED_PARAMETER(Flags);
    if (DataIndication == NULL) {
        Stop(); /* the socket no longer works: the thread closes it */
        return STATUS_SUCCESS;
    }
    PKEPT Kept = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Kept), POOL_TAG);
    if (Kept == NULL) {
        return STATUS_SUCCESS;
    }
    Kept->Datagrams = DataIndication;
    if (!Keep(Kept)) {
        ExFreePoolWithTag(Kept, POOL_TAG);
        return STATUS_SUCCESS;
    }
    KeSetEvent(&Server.Work, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_PENDING;
}

/* ---- the thread ---- */

static PKEPT Next(PBOOLEAN IsStopping)
{
    PKEPT Kept = NULL;
    KIRQL Irql;
    KeAcquireSpinLock(&Server.Lock, &Irql);
    if (!IsListEmpty(&Server.Queue)) {
        Kept = CONTAINING_RECORD(RemoveHeadList(&Server.Queue), KEPT, Link);
        Server.KeptCount--;
    }
    *IsStopping = Server.IsStopping;
    KeReleaseSpinLock(&Server.Lock, Irql);
    return Kept;
}

/* Buffer and address of each datagram are WSK's and stay valid until the release. A datagram that
 * cannot be sent is lost, as it might be on its way. */
static VOID Echo(PKEPT Kept)
{
    PWSK_DATAGRAM_INDICATION Datagram = Kept->Datagrams;
    for (; Datagram != NULL; Datagram = Datagram->Next) {
        Server.Dispatch->WskSendTo(Server.Socket, &Datagram->Buffer, 0, Datagram->RemoteAddress, 0,
                                   NULL, ServerPrepare());
        ServerWait();
    }
    Server.Dispatch->WskRelease(Server.Socket, Kept->Datagrams);
    ExFreePoolWithTag(Kept, POOL_TAG);
}

/* A callback may still run when the close begins; it finds IsStopping and keeps nothing. The close
 * completes when none runs any more. */
static VOID Serve(VOID)
{
    BOOLEAN IsStopping = FALSE;
    while (!IsStopping) {
        PKEPT Kept;
        KeWaitForSingleObject(&Server.Work, Executive, KernelMode, FALSE, NULL);
        while ((Kept = Next(&IsStopping)) != NULL) {
            Echo(Kept);
        }
    }
    Server.Dispatch->Basic.WskCloseSocket(Server.Socket, ServerPrepare());
    ServerWait();
}

static VOID ServerThread(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    Serve();
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* The object is referenced, because the handle belongs to whichever process loads the driver. */
static NTSTATUS StartThread(VOID)
{
    HANDLE Handle;
    NTSTATUS Status =
        PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, ServerThread, NULL);
    if (NT_SUCCESS(Status)) {
        Status = ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode,
                                           (PVOID *)&Server.Thread, NULL);
        NT_ASSERT(NT_SUCCESS(Status)); /* the handle is ours */
        ZwClose(Handle);
    }
    return Status;
}

/* ---- the driver ---- */

/* Both must stay where they are as long as WSK may use them. */
static const WSK_CLIENT_DISPATCH ClientDispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};
static const WSK_CLIENT_DATAGRAM_DISPATCH DatagramDispatch = {ServerReceive};

/* An event callback is enabled with no IRP, at once, and only after the bind. */
static NTSTATUS EnableReceive(VOID)
{
    WSK_EVENT_CALLBACK_CONTROL Control = {&NPI_WSK_INTERFACE_ID, WSK_EVENT_RECEIVE_FROM};
    return Server.Dispatch->Basic.WskControlSocket(Server.Socket, WskSetOption,
                                                   SO_WSK_EVENT_CALLBACK, SOL_SOCKET,
                                                   sizeof(Control), &Control, 0, NULL, NULL, NULL);
}

/* From the start of the thread on the socket is the thread's. */
static NTSTATUS ServerServe(VOID)
{
    NTSTATUS Status = EnableReceive();
    if (NT_SUCCESS(Status)) {
        Status = StartThread();
    }
    if (!NT_SUCCESS(Status)) {
        Stop(); /* something may be kept already: do here what the thread would do */
        Serve();
    }
    return Status;
}

static NTSTATUS ServerOpen(USHORT Port)
{
    SOCKADDR_IN Address = {.sin_family = AF_INET, .sin_port = RtlUshortByteSwap(Port)};
    Server.Provider.Dispatch->WskSocket(Server.Provider.Client, AF_INET, SOCK_DGRAM, IPPROTO_UDP,
                                        WSK_FLAG_DATAGRAM_SOCKET, NULL, &DatagramDispatch, NULL,
                                        NULL, NULL, ServerPrepare());
    NTSTATUS Status = ServerWait();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Server.Socket = (PWSK_SOCKET)Server.Irp->IoStatus.Information;
    Server.Dispatch = Server.Socket->Dispatch;
    Server.Dispatch->WskBind(Server.Socket, (PSOCKADDR)&Address, 0, ServerPrepare());
    Status = ServerWait();
    if (!NT_SUCCESS(Status)) {
        Server.Dispatch->Basic.WskCloseSocket(Server.Socket, ServerPrepare());
        ServerWait();
        return Status;
    }
    return ServerServe();
}

/* The value Port of the service's Parameters key, or the default. */
static USHORT ReadPort(PDRIVER_OBJECT DriverObject)
{
    RTL_QUERY_REGISTRY_TABLE Table[2] = {{0}};
    ULONG Port = DEFAULT_PORT;
    HANDLE Key;
    if (!NT_SUCCESS(
            IoOpenDriverRegistryKey(DriverObject, DriverRegKeyParameters, KEY_READ, 0, &Key))) {
        return DEFAULT_PORT;
    }
    Table[0].Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK;
    Table[0].Name = L"Port";
    Table[0].EntryContext = &Port;
    Table[0].DefaultType = (REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) | REG_NONE;
    RtlQueryRegistryValues(RTL_REGISTRY_HANDLE, (PCWSTR)Key, Table, NULL, NULL);
    ZwClose(Key);
    return (USHORT)Port;
}

static VOID EchoUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    Stop();
    KeWaitForSingleObject(Server.Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Server.Thread);
    WskReleaseProviderNPI(&Server.Registration);
    WskDeregister(&Server.Registration);
    IoFreeIrp(Server.Irp);
    DbgPrint("udp_echo_event: unloaded\n");
}

static NTSTATUS Start(USHORT Port)
{
    WSK_CLIENT_NPI Client = {NULL, &ClientDispatch};
    NTSTATUS Status = WskRegister(&Client, &Server.Registration);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = WskCaptureProviderNPI(&Server.Registration, PROVIDER_WAIT_MS, &Server.Provider);
    if (NT_SUCCESS(Status)) {
        Status = ServerOpen(Port);
        if (!NT_SUCCESS(Status)) {
            WskReleaseProviderNPI(&Server.Registration);
        }
    }
    if (!NT_SUCCESS(Status)) {
        WskDeregister(&Server.Registration);
    }
    return Status;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    USHORT Port = ReadPort(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeSpinLock(&Server.Lock);
    InitializeListHead(&Server.Queue);
    KeInitializeEvent(&Server.Done, NotificationEvent, FALSE);
    KeInitializeEvent(&Server.Work, SynchronizationEvent, FALSE);
    Server.Irp = IoAllocateIrp(1, FALSE);
    if (Server.Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NTSTATUS Status = Start(Port);
    if (!NT_SUCCESS(Status)) {
        IoFreeIrp(Server.Irp);
        return Status;
    }
    DriverObject->DriverUnload = EchoUnload;
    DbgPrint("udp_echo_event: receives on port %u\n", Port);
    return STATUS_SUCCESS;
}
