/*
 * firewall: a TCP service that lets in only whom a rule allows. It decides before a connection is
 * there at all, by conditional accept:
 *
 *   WskInspectEvent     asks whether a connection request may go on. It may answer at once, or
 * pend. WskInspectComplete  answers a request that was pended. WskAbortEvent       says that a
 * request has gone away before it became a connection.
 *
 * The rules stand in the registry, under Parameters\Rules of the service's key: the value with the
 * client's address as its name, "192.0.2.7", is 1 to allow and 0 to block; whom no value names is
 * blocked. The registry can be read at PASSIVE_LEVEL only and WskInspectEvent may run at
 * DISPATCH_LEVEL, so a stranger is pended and a work item looks for the rule. It remembers what it
 * found: who comes again gets the answer at once.
 *
 * A request that was let through comes out of WskAccept as a connection, which a thread welcomes:
 * it sends a line of text, waits for the client to end, and closes. The thread waits for all
 * connections at once: their IRPs complete into a queue, from which it takes what is ready for the
 * next step.
 */
#include <ntddk.h>
#include <wsk.h>

#include <ip2string.h>
#include <ntstrsafe.h>

#define DEFAULT_PORT 7799
#define PROVIDER_WAIT_MS 1000
#define CONNECTIONS_MAX 64
#define KNOWN_MAX 64
#define POOL_TAG 'lwrF'

/* A request whose inspection is pended. Non-paged: WSK's callbacks touch it. */
typedef struct _INSPECTION {
    LIST_ENTRY Link;   /* in Firewall.Pended */
    WSK_INSPECT_ID Id; /* a copy: WSK's own is gone when the event returns; so is the address */
    IN_ADDR Client;
} INSPECTION, *PINSPECTION;

typedef enum _CONNECTION_STATE { Disconnecting, Draining, Closing } CONNECTION_STATE;

/* A connection that was let in. */
typedef struct _CONNECTION {
    LIST_ENTRY Link;      /* in Firewall.Connections */
    LIST_ENTRY ReadyLink; /* in Firewall.Ready, when Irp is back */
    PWSK_SOCKET Socket;
    const WSK_PROVIDER_CONNECTION_DISPATCH *Dispatch;
    CONNECTION_STATE State;
    PIRP Irp;
} CONNECTION, *PCONNECTION;

static CHAR Welcome[] = "You are welcome.\r\n";

static struct {
    WSK_REGISTRATION Registration;
    WSK_PROVIDER_NPI Provider;
    PWSK_SOCKET Listener;
    const WSK_PROVIDER_LISTEN_DISPATCH *Dispatch;
    PIRP Irp;    /* the thread's; DriverEntry's before it runs, Unload's after it has ended */
    KEVENT Done; /* Irp is back */
    PETHREAD Thread;
    KEVENT Stop;
    BOOLEAN IsStopping; /* the thread's own, with the next three */
    LIST_ENTRY Connections;
    ULONG ConnectionCount;
    PCONNECTION Next;     /* what the accept will fill, while Irp is pending */
    KSPIN_LOCK ReadyLock; /* guards the list */
    LIST_ENTRY Ready;
    KEVENT SomeReady;
    PIRP AnswerIrp;  /* the work item's */
    KEVENT Answered; /* AnswerIrp is back */
    PMDL WelcomeMdl;
    PDEVICE_OBJECT Device;
    PIO_WORKITEM WorkItem;
    WCHAR Rules[256];    /* path of the key */
    EX_RUNDOWN_REF Work; /* held while the work item is queued or runs */
    KSPIN_LOCK Lock;     /* guards what follows */
    BOOLEAN IsWorkQueued;
    LIST_ENTRY Pended;
    ULONG KnownCount;
    struct {
        IN_ADDR Client;
        BOOLEAN IsAllowed;
    } Known[KNOWN_MAX]; /* verdicts; the oldest gives way */
} Firewall;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD FirewallUnload;
static IO_COMPLETION_ROUTINE SignalCompletion;
static IO_WORKITEM_ROUTINE JudgeWork;
static IO_COMPLETION_ROUTINE ConnectionCompleted;
static KSTART_ROUTINE WelcomeThread;

/* ---- IRPs that somebody waits for ---- */

static NTSTATUS SignalCompletion(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Context, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP Prepare(PIRP Irp, PKEVENT Event)
{
    IoReuseIrp(Irp, STATUS_UNSUCCESSFUL);
    KeClearEvent(Event);
    IoSetCompletionRoutine(Irp, SignalCompletion, Event, TRUE, TRUE, TRUE);
    return Irp;
}

static NTSTATUS Wait(PIRP Irp, PKEVENT Event)
{
    KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, NULL);
    return Irp->IoStatus.Status;
}

/* ---- verdicts ---- */

static WSK_INSPECT_ACTION ActionOf(BOOLEAN IsAllowed)
{
    return IsAllowed ? WskInspectAccept : WskInspectReject;
}

/* The lock is held. WskInspectPend: the client is not known. */
static WSK_INSPECT_ACTION FindKnown(IN_ADDR Client)
{
    for (ULONG i = 0; i < min(Firewall.KnownCount, KNOWN_MAX); i++) {
        if (Firewall.Known[i].Client.s_addr == Client.s_addr) {
            return ActionOf(Firewall.Known[i].IsAllowed);
        }
    }
    return WskInspectPend;
}

static VOID Remember(IN_ADDR Client, BOOLEAN IsAllowed)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Firewall.Lock, &Irql);
    if (FindKnown(Client) == WskInspectPend) {
        ULONG i = Firewall.KnownCount++ % KNOWN_MAX;
        Firewall.Known[i].Client = Client;
        Firewall.Known[i].IsAllowed = IsAllowed;
    }
    KeReleaseSpinLock(&Firewall.Lock, Irql);
}

/* PASSIVE_LEVEL. */
static BOOLEAN ReadRule(IN_ADDR Client)
{
    RTL_QUERY_REGISTRY_TABLE Table[2] = {{0}};
    WCHAR Address[16];
    ULONG IsAllowed = FALSE;
    RtlIpv4AddressToStringW(&Client, Address);
    Table[0].Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK;
    Table[0].Name = Address;
    Table[0].EntryContext = &IsAllowed;
    Table[0].DefaultType = (REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) | REG_NONE;
    RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, Firewall.Rules, Table, NULL, NULL);
    DbgPrint("firewall: %ws is %s\n", Address, IsAllowed ? "allowed" : "blocked");
    return IsAllowed != FALSE;
}

/* The oldest request, or NULL; then the work item is no longer queued. */
static PINSPECTION NextPended(VOID)
{
    PINSPECTION Inspection = NULL;
    KIRQL Irql;
    KeAcquireSpinLock(&Firewall.Lock, &Irql);
    if (!IsListEmpty(&Firewall.Pended)) {
        PLIST_ENTRY Entry = RemoveHeadList(&Firewall.Pended);
        Inspection = CONTAINING_RECORD(Entry, INSPECTION, Link);
    } else {
        Firewall.IsWorkQueued = FALSE;
    }
    KeReleaseSpinLock(&Firewall.Lock, Irql);
    return Inspection;
}

/* The request may have been aborted since it was taken off the list: then WSK refuses the answer,
 * which is as good. */
static VOID JudgeWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    PINSPECTION Inspection;
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    while ((Inspection = NextPended()) != NULL) {
        BOOLEAN IsAllowed = ReadRule(Inspection->Client);
        Remember(Inspection->Client, IsAllowed);
        Firewall.Dispatch->WskInspectComplete(Firewall.Listener, &Inspection->Id,
                                              ActionOf(IsAllowed),
                                              Prepare(Firewall.AnswerIrp, &Firewall.Answered));
        Wait(Firewall.AnswerIrp, &Firewall.Answered);
        ExFreePoolWithTag(Inspection, POOL_TAG);
    }
    ExReleaseRundownProtection(&Firewall.Work);
}

/* ---- inspection ---- */

/* The lock is held. One work item serves all requests, and one rundown reference covers it. FALSE:
 * the driver is about to unload. */
static BOOLEAN QueueWork(VOID)
{
    if (Firewall.IsWorkQueued) {
        return TRUE;
    }
    if (!ExAcquireRundownProtection(&Firewall.Work)) {
        return FALSE;
    }
    Firewall.IsWorkQueued = TRUE;
    IoQueueWorkItem(Firewall.WorkItem, JudgeWork, DelayedWorkQueue, NULL);
    return TRUE;
}

static WSK_INSPECT_ACTION Pend(IN_ADDR Client, PWSK_INSPECT_ID InspectID)
{
    PINSPECTION Inspection = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Inspection), POOL_TAG);
    KIRQL Irql;
    if (Inspection == NULL) {
        return WskInspectReject;
    }
    Inspection->Id = *InspectID;
    Inspection->Client = Client;
    KeAcquireSpinLock(&Firewall.Lock, &Irql);
    BOOLEAN IsQueued = QueueWork();
    if (IsQueued) {
        InsertTailList(&Firewall.Pended, &Inspection->Link);
    }
    KeReleaseSpinLock(&Firewall.Lock, Irql);
    if (!IsQueued) {
        ExFreePoolWithTag(Inspection, POOL_TAG);
        return WskInspectReject;
    }
    return WskInspectPend;
}

/* At DISPATCH_LEVEL or below. */
static WSK_INSPECT_ACTION WSKAPI FirewallInspect(PVOID SocketContext, PSOCKADDR LocalAddress,
                                                 PSOCKADDR RemoteAddress, PWSK_INSPECT_ID InspectID)
{
    KIRQL Irql;
    UNREFERENCED_PARAMETER(SocketContext);
    UNREFERENCED_PARAMETER(LocalAddress);
    if (InspectID == NULL) {
        return WskInspectReject; /* the listener no longer works; Unload closes it */
    }
    IN_ADDR Client = ((PSOCKADDR_IN)RemoteAddress)->sin_addr;
    KeAcquireSpinLock(&Firewall.Lock, &Irql);
    WSK_INSPECT_ACTION Action = FindKnown(Client);
    KeReleaseSpinLock(&Firewall.Lock, Irql);
    return Action != WskInspectPend ? Action : Pend(Client, InspectID);
}

/* Ids are compared by what they hold; the pointer is another each time. */
static NTSTATUS WSKAPI FirewallAbort(PVOID SocketContext, PWSK_INSPECT_ID InspectID)
{
    PINSPECTION Found = NULL;
    KIRQL Irql;
    UNREFERENCED_PARAMETER(SocketContext);
    KeAcquireSpinLock(&Firewall.Lock, &Irql);
    for (PLIST_ENTRY Entry = Firewall.Pended.Flink; Entry != &Firewall.Pended;
         Entry = Entry->Flink) {
        PINSPECTION Inspection = CONTAINING_RECORD(Entry, INSPECTION, Link);
        if (Inspection->Id.Key == InspectID->Key &&
            Inspection->Id.SerialNumber == InspectID->SerialNumber) {
            RemoveEntryList(Entry);
            Found = Inspection;
            break;
        }
    }
    KeReleaseSpinLock(&Firewall.Lock, Irql);
    if (Found != NULL) {
        ExFreePoolWithTag(Found, POOL_TAG);
    }
    return STATUS_SUCCESS;
}

/* ---- who was let in ---- */

/* Begins the next call on the connection. */
static PIRP ConnectionPrepare(PCONNECTION Connection, CONNECTION_STATE State)
{
    Connection->State = State;
    IoReuseIrp(Connection->Irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(Connection->Irp, ConnectionCompleted, Connection, TRUE, TRUE, TRUE);
    return Connection->Irp;
}

/* Only hands the connection to the thread. */
static NTSTATUS ConnectionCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PCONNECTION Connection = Context;
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    ExInterlockedInsertTailList(&Firewall.Ready, &Connection->ReadyLink, &Firewall.ReadyLock);
    KeSetEvent(&Firewall.SomeReady, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID ConnectionClose(PCONNECTION Connection)
{
    Connection->Dispatch->Basic.WskCloseSocket(Connection->Socket,
                                               ConnectionPrepare(Connection, Closing));
}

static VOID ConnectionFree(PCONNECTION Connection)
{
    RemoveEntryList(&Connection->Link);
    Firewall.ConnectionCount--;
    IoFreeIrp(Connection->Irp);
    ExFreePoolWithTag(Connection, POOL_TAG);
}

/* The disconnect takes a last buffer along, so one call greets and says farewell. */
static VOID ConnectionStart(PCONNECTION Connection, PWSK_SOCKET Socket)
{
    WSK_BUF Text = {Firewall.WelcomeMdl, 0, sizeof(Welcome) - 1};
    Connection->Socket = Socket;
    Connection->Dispatch = Socket->Dispatch;
    Connection->Dispatch->WskDisconnect(Socket, &Text, 0,
                                        ConnectionPrepare(Connection, Disconnecting));
}

/* A close before the client has ended its direction, too, would be a reset, and the client might
 * lose the text: WSK_FLAG_DRAIN throws away what still comes, and completes at the end. */
static VOID ConnectionGoOn(PCONNECTION Connection)
{
    WSK_BUF Nothing = {Firewall.WelcomeMdl, 0, 0};
    if (Connection->State == Closing) {
        ConnectionFree(Connection);
    } else if (Connection->State == Disconnecting && NT_SUCCESS(Connection->Irp->IoStatus.Status) &&
               !Firewall.IsStopping) {
        Connection->Dispatch->WskReceive(Connection->Socket, &Nothing, WSK_FLAG_DRAIN,
                                         ConnectionPrepare(Connection, Draining));
    } else {
        ConnectionClose(Connection);
    }
}

/* Asks for the next connection, unless there are too many; its record is made first, because later
 * there would be nobody to report a failure to. */
static VOID BeginAccept(VOID)
{
    if (Firewall.Next != NULL || Firewall.IsStopping ||
        Firewall.ConnectionCount == CONNECTIONS_MAX) {
        return;
    }
    PCONNECTION Connection = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Connection), POOL_TAG);
    if (Connection == NULL) {
        return; /* the next connection that ends brings the next try */
    }
    Connection->Irp = IoAllocateIrp(1, FALSE);
    if (Connection->Irp == NULL) {
        ExFreePoolWithTag(Connection, POOL_TAG);
        return;
    }
    InsertTailList(&Firewall.Connections, &Connection->Link);
    Firewall.ConnectionCount++;
    Firewall.Next = Connection;
    Firewall.Dispatch->WskAccept(Firewall.Listener, 0, NULL, NULL, NULL, NULL,
                                 Prepare(Firewall.Irp, &Firewall.Done));
}

static VOID EndAccept(VOID)
{
    PCONNECTION Connection = Firewall.Next;
    Firewall.Next = NULL;
    if (NT_SUCCESS(Firewall.Irp->IoStatus.Status)) {
        ConnectionStart(Connection, (PWSK_SOCKET)Firewall.Irp->IoStatus.Information);
    } else {
        ConnectionFree(Connection);
        Firewall.IsStopping = TRUE; /* cancelled, or the listener no longer works */
    }
}

static VOID GoOnWithReady(VOID)
{
    PLIST_ENTRY Entry;
    while ((Entry = ExInterlockedRemoveHeadList(&Firewall.Ready, &Firewall.ReadyLock)) != NULL) {
        ConnectionGoOn(CONTAINING_RECORD(Entry, CONNECTION, ReadyLink));
    }
}

/* What is pending comes back soon; each connection is then closed. An IRP that is back already is
 * not harmed: it is still ours. */
static VOID BeginStop(VOID)
{
    Firewall.IsStopping = TRUE;
    if (Firewall.Next != NULL) {
        IoCancelIrp(Firewall.Irp);
    }
    for (PLIST_ENTRY Entry = Firewall.Connections.Flink; Entry != &Firewall.Connections;
         Entry = Entry->Flink) {
        PCONNECTION Connection = CONTAINING_RECORD(Entry, CONNECTION, Link);
        if (Connection != Firewall.Next && Connection->State != Closing) {
            IoCancelIrp(Connection->Irp);
        }
    }
}

/*
 * All calls on the listener's connections are made here, one after the other, and never inside of a
 * completion routine: so a socket is not closed while another call on it is in progress, which WSK
 * forbids, and nothing here needs a lock.
 */
static VOID WelcomeThread(PVOID Context)
{
    PVOID Objects[] = {&Firewall.Done, &Firewall.SomeReady, &Firewall.Stop};
    UNREFERENCED_PARAMETER(Context);
    BeginAccept();
    while (!Firewall.IsStopping || Firewall.ConnectionCount != 0) {
        NTSTATUS Status = KeWaitForMultipleObjects(RTL_NUMBER_OF(Objects), Objects, WaitAny,
                                                   Executive, KernelMode, FALSE, NULL, NULL);
        if (Status == STATUS_WAIT_0) {
            EndAccept();
        } else if (Status == STATUS_WAIT_1) {
            GoOnWithReady();
        } else {
            BeginStop();
        }
        BeginAccept();
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* ---- the driver ---- */

/* Both must stay where they are as long as WSK may use them. */
static const WSK_CLIENT_DISPATCH ClientDispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};
static const WSK_CLIENT_LISTEN_DISPATCH ListenDispatch = {NULL, FirewallInspect, FirewallAbort};

/* The mode is an option like others, but it must be set before the bind, and with an IRP. It also
 * turns the two events on: SO_WSK_EVENT_CALLBACK does not know them. */
static NTSTATUS SetConditionalAccept(VOID)
{
    ULONG IsConditional = 1;
    Firewall.Dispatch->Basic.WskControlSocket(
        Firewall.Listener, WskSetOption, SO_CONDITIONAL_ACCEPT, SOL_SOCKET, sizeof(IsConditional),
        &IsConditional, 0, NULL, NULL, Prepare(Firewall.Irp, &Firewall.Done));
    return Wait(Firewall.Irp, &Firewall.Done);
}

static VOID CloseListener(VOID)
{
    Firewall.Dispatch->Basic.WskCloseSocket(Firewall.Listener,
                                            Prepare(Firewall.Irp, &Firewall.Done));
    Wait(Firewall.Irp, &Firewall.Done);
}

static NTSTATUS Listen(USHORT Port)
{
    SOCKADDR_IN Address = {.sin_family = AF_INET, .sin_port = RtlUshortByteSwap(Port)};
    Firewall.Provider.Dispatch->WskSocket(
        Firewall.Provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_LISTEN_SOCKET, NULL,
        &ListenDispatch, NULL, NULL, NULL, Prepare(Firewall.Irp, &Firewall.Done));
    NTSTATUS Status = Wait(Firewall.Irp, &Firewall.Done);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Firewall.Listener = (PWSK_SOCKET)Firewall.Irp->IoStatus.Information;
    Firewall.Dispatch = Firewall.Listener->Dispatch;
    Status = SetConditionalAccept();
    if (NT_SUCCESS(Status)) {
        Firewall.Dispatch->WskBind(Firewall.Listener, (PSOCKADDR)&Address, 0,
                                   Prepare(Firewall.Irp, &Firewall.Done));
        Status = Wait(Firewall.Irp, &Firewall.Done);
    }
    if (!NT_SUCCESS(Status)) {
        CloseListener();
    }
    return Status;
}

static NTSTATUS StartThread(VOID)
{
    HANDLE Handle;
    NTSTATUS Status =
        PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, WelcomeThread, NULL);
    if (NT_SUCCESS(Status)) {
        /* Cannot fail: the handle is ours and has all rights. */
        ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode,
                                  (PVOID *)&Firewall.Thread, NULL);
        ZwClose(Handle);
    }
    return Status;
}

/* After it no inspection is pended any more: those that come are rejected. So WskInspectComplete is
 * not in progress when the listener is closed. */
static VOID StopListening(VOID)
{
    ExWaitForRundownProtectionRelease(&Firewall.Work);
    CloseListener();
}

static NTSTATUS StartListening(USHORT Port)
{
    NTSTATUS Status = Listen(Port);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = StartThread();
    if (!NT_SUCCESS(Status)) {
        StopListening();
    }
    return Status;
}

static NTSTATUS Start(USHORT Port)
{
    WSK_CLIENT_NPI Client = {NULL, &ClientDispatch};
    NTSTATUS Status = WskRegister(&Client, &Firewall.Registration);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = WskCaptureProviderNPI(&Firewall.Registration, PROVIDER_WAIT_MS, &Firewall.Provider);
    if (NT_SUCCESS(Status)) {
        Status = StartListening(Port);
        if (!NT_SUCCESS(Status)) {
            WskReleaseProviderNPI(&Firewall.Registration);
        }
    }
    if (!NT_SUCCESS(Status)) {
        WskDeregister(&Firewall.Registration);
    }
    return Status;
}

static VOID FreeAll(VOID)
{
    if (Firewall.Irp != NULL) {
        IoFreeIrp(Firewall.Irp);
    }
    if (Firewall.AnswerIrp != NULL) {
        IoFreeIrp(Firewall.AnswerIrp);
    }
    if (Firewall.WelcomeMdl != NULL) {
        IoFreeMdl(Firewall.WelcomeMdl);
    }
    if (Firewall.WorkItem != NULL) {
        IoFreeWorkItem(Firewall.WorkItem);
    }
    IoDeleteDevice(Firewall.Device);
}

static NTSTATUS AllocateAll(PDRIVER_OBJECT DriverObject)
{
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE,
                                     &Firewall.Device); /* a work item needs one */
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Firewall.Irp = IoAllocateIrp(1, FALSE);
    Firewall.AnswerIrp = IoAllocateIrp(1, FALSE);
    Firewall.WelcomeMdl = IoAllocateMdl(Welcome, sizeof(Welcome), FALSE, FALSE, NULL);
    Firewall.WorkItem = IoAllocateWorkItem(Firewall.Device);
    if (Firewall.Irp == NULL || Firewall.AnswerIrp == NULL || Firewall.WelcomeMdl == NULL ||
        Firewall.WorkItem == NULL) {
        FreeAll();
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    MmBuildMdlForNonPagedPool(Firewall.WelcomeMdl);
    return STATUS_SUCCESS;
}

/* Parameters\Port of the service's key, or the default. */
static USHORT ReadPort(PUNICODE_STRING RegistryPath)
{
    RTL_QUERY_REGISTRY_TABLE Table[3] = {{0}};
    ULONG Port = DEFAULT_PORT;
    Table[0].Flags = RTL_QUERY_REGISTRY_SUBKEY;
    Table[0].Name = L"Parameters";
    Table[1].Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK;
    Table[1].Name = L"Port";
    Table[1].EntryContext = &Port;
    Table[1].DefaultType = (REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) | REG_NONE;
    RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, RegistryPath->Buffer, Table, NULL, NULL);
    return (USHORT)Port;
}

static VOID FirewallUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    KeSetEvent(&Firewall.Stop, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(Firewall.Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Firewall.Thread);
    StopListening();
    WskReleaseProviderNPI(&Firewall.Registration);
    WskDeregister(&Firewall.Registration);
    FreeAll();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    KeInitializeSpinLock(&Firewall.Lock);
    InitializeListHead(&Firewall.Pended);
    ExInitializeRundownProtection(&Firewall.Work);
    InitializeListHead(&Firewall.Connections);
    KeInitializeSpinLock(&Firewall.ReadyLock);
    InitializeListHead(&Firewall.Ready);
    KeInitializeEvent(&Firewall.SomeReady, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Firewall.Stop, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Firewall.Done, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Firewall.Answered, SynchronizationEvent, FALSE);
    NTSTATUS Status = RtlStringCbPrintfW(Firewall.Rules, sizeof(Firewall.Rules),
                                         L"%wZ\\Parameters\\Rules", RegistryPath);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = AllocateAll(DriverObject);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = Start(ReadPort(RegistryPath));
    if (!NT_SUCCESS(Status)) {
        FreeAll();
        return Status;
    }
    DriverObject->DriverUnload = FirewallUnload;
    return STATUS_SUCCESS;
}
