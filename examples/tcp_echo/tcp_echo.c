/*
 * tcp_echo: a TCP echo server. WskAcceptEvent brings the connections; each is then served by one
 * IRP: receive, send what came, receive again, until the client says that it sends no more.
 *
 * A connection is a machine of which only one thread at a time turns the crank. Whatever happens to
 * it (its IRP completed, its close completed, the driver is about to unload) is one more turn.
 * Whoever brings the first one turns, and goes on until none is left; whoever comes meanwhile only
 * leaves a turn behind. That answers three questions which every WSK driver meets:
 *
 *   - An IRP may complete before the call that sent it returned. Here its completion routine only
 *     leaves a turn for that caller, so calls and completions never nest deeper than this.
 *   - WskCloseSocket must not be called while another call on the socket is in progress. Here all
 *     calls on a socket are made by the crank, one after the other.
 *   - Nobody else touches a connection's fields, so they need no lock.
 */
#include <ntddk.h>
#include <wsk.h>

#define DEFAULT_PORT 7777
#define BUFFER_BYTES 4096
#define PROVIDER_WAIT_MS 1000
#define POOL_TAG 'cEpT'

typedef enum _CONNECTION_STATE { Receiving, Sending, Disconnecting, Closing } CONNECTION_STATE;

/* Non-paged, as all that completion routines and event callbacks touch. */
typedef struct _CONNECTION {
    LIST_ENTRY Link; /* in Server.Connections */
    PWSK_SOCKET Socket;
    const WSK_PROVIDER_CONNECTION_DISPATCH *Dispatch;
    CONNECTION_STATE State;
    PIRP Irp;                   /* receives, sends and disconnects, one after the other */
    PIRP CloseIrp;              /* its own: Irp may be pending when the socket is closed */
    volatile LONG Turns;        /* the one that runs, and those left behind */
    volatile LONG HasCompleted; /* Irp is back */
    volatile LONG HasClosed;    /* CloseIrp is back: nothing of the socket is left */
    PMDL Mdl;                   /* of Buffer */
    UCHAR Buffer[BUFFER_BYTES];
} CONNECTION, *PCONNECTION;

static struct {
    WSK_REGISTRATION Registration;
    WSK_PROVIDER_NPI Provider;
    PWSK_SOCKET Listener;
    const WSK_PROVIDER_LISTEN_DISPATCH *Dispatch; /* the listener's */
    PIRP Irp;                                     /* the listener's creation and bind */
    KEVENT Done;                                  /* Irp is back */
    PIRP CloseIrp;                                /* the listener's close */
    KEVENT Closed;                                /* CloseIrp is back */
    volatile LONG IsListenerClosing;
    volatile LONG IsStopping;
    EX_RUNDOWN_REF Alive;   /* held by each connection */
    KSPIN_LOCK Lock;        /* guards the list */
    LIST_ENTRY Connections; /* those that Unload has still to end */
} Server;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD EchoUnload;
static IO_COMPLETION_ROUTINE ConnectionCompleted;
static IO_COMPLETION_ROUTINE ConnectionClosed;
static IO_COMPLETION_ROUTINE SignalEvent;

/* ---- a connection ---- */

static VOID ConnectionFree(PCONNECTION Connection)
{
    if (Connection->Mdl != NULL) {
        IoFreeMdl(Connection->Mdl);
    }
    if (Connection->Irp != NULL) {
        IoFreeIrp(Connection->Irp);
    }
    if (Connection->CloseIrp != NULL) {
        IoFreeIrp(Connection->CloseIrp);
    }
    ExFreePoolWithTag(Connection, POOL_TAG);
}

/* All that the connection will ever need: later on there is nobody to report a failure to. */
static PCONNECTION ConnectionAllocate(VOID)
{
    PCONNECTION Connection = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Connection), POOL_TAG);
    if (Connection == NULL) {
        return NULL;
    }
    InitializeListHead(&Connection->Link);
    Connection->Irp = IoAllocateIrp(1, FALSE);
    Connection->CloseIrp = IoAllocateIrp(1, FALSE);
    Connection->Mdl = IoAllocateMdl(Connection->Buffer, BUFFER_BYTES, FALSE, FALSE, NULL);
    if (Connection->Irp == NULL || Connection->CloseIrp == NULL || Connection->Mdl == NULL) {
        ConnectionFree(Connection);
        return NULL;
    }
    MmBuildMdlForNonPagedPool(Connection->Mdl);
    return Connection;
}

/* Every WSK call needs a fresh IRP with a completion routine; what the call returns can then be
 * ignored, because WSK completes the IRP in any case, also when it refuses the call. */
static PIRP ConnectionPrepare(PCONNECTION Connection, CONNECTION_STATE State)
{
    Connection->State = State;
    IoReuseIrp(Connection->Irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(Connection->Irp, ConnectionCompleted, Connection, TRUE, TRUE, TRUE);
    return Connection->Irp;
}

static VOID ConnectionReceive(PCONNECTION Connection)
{
    WSK_BUF Buffer = {Connection->Mdl, 0, BUFFER_BYTES};
    Connection->Dispatch->WskReceive(Connection->Socket, &Buffer, 0,
                                     ConnectionPrepare(Connection, Receiving));
}

/* WSK does not buffer: the send completes when all of it went out, and until then the memory is
 * WSK's. So the next receive waits for it, and a client that does not read is not read from. */
static VOID ConnectionSend(PCONNECTION Connection, SIZE_T Length)
{
    WSK_BUF Buffer = {Connection->Mdl, 0, Length};
    Connection->Dispatch->WskSend(Connection->Socket, &Buffer, 0,
                                  ConnectionPrepare(Connection, Sending));
}

static VOID ConnectionDisconnect(PCONNECTION Connection)
{
    Connection->Dispatch->WskDisconnect(Connection->Socket, NULL, 0,
                                        ConnectionPrepare(Connection, Disconnecting));
}

/* Also cancels whatever is pending. No call on the socket may follow. */
static VOID ConnectionClose(PCONNECTION Connection)
{
    Connection->State = Closing;
    IoSetCompletionRoutine(Connection->CloseIrp, ConnectionClosed, Connection, TRUE, TRUE, TRUE);
    Connection->Dispatch->Basic.WskCloseSocket(Connection->Socket, Connection->CloseIrp);
}

static VOID ConnectionGoOn(PCONNECTION Connection)
{
    SIZE_T Length = Connection->Irp->IoStatus.Information;
    if (!NT_SUCCESS(Connection->Irp->IoStatus.Status)) {
        ConnectionClose(Connection);
        return;
    }
    switch (Connection->State) {
    case Receiving:
        if (Length != 0) {
            ConnectionSend(Connection, Length);
        } else {
            ConnectionDisconnect(Connection); /* the client sends no more: neither do we */
        }
        break;
    case Sending:
        ConnectionReceive(Connection);
        break;
    default:
        ConnectionClose(Connection); /* disconnected in both directions: nothing is cut off */
        break;
    }
}

/* One turn. FALSE: the connection is gone, whatever turns were left with it. */
static BOOLEAN ConnectionTurn(PCONNECTION Connection)
{
    KIRQL Irql;
    if (InterlockedExchange(&Connection->HasClosed, FALSE)) {
        KeAcquireSpinLock(&Server.Lock, &Irql);
        RemoveEntryList(&Connection->Link);
        KeReleaseSpinLock(&Server.Lock, Irql);
        ConnectionFree(Connection);
        ExReleaseRundownProtection(&Server.Alive);
        return FALSE;
    }
    if (Connection->State == Closing) {
        return TRUE; /* what the close cancelled comes back first */
    }
    if (Server.IsStopping) {
        ConnectionClose(Connection);
    } else if (InterlockedExchange(&Connection->HasCompleted, FALSE)) {
        ConnectionGoOn(Connection);
    }
    return TRUE;
}

static VOID ConnectionRun(PCONNECTION Connection)
{
    while (ConnectionTurn(Connection) && InterlockedDecrement(&Connection->Turns) != 0) {
        continue;
    }
}

static VOID ConnectionAddTurn(PCONNECTION Connection)
{
    if (InterlockedIncrement(&Connection->Turns) == 1) {
        ConnectionRun(Connection);
    }
}

/* The IRP is the driver's own: nobody above waits for it, so completion must stop here. */
static NTSTATUS ConnectionCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PCONNECTION Connection = Context;
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    InterlockedExchange(&Connection->HasCompleted, TRUE);
    ConnectionAddTurn(Connection);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS ConnectionClosed(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PCONNECTION Connection = Context;
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    InterlockedExchange(&Connection->HasClosed, TRUE);
    ConnectionAddTurn(Connection);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* ---- the listener ---- */

static PIRP ServerPrepare(VOID)
{
    IoReuseIrp(Server.Irp, STATUS_UNSUCCESSFUL);
    KeClearEvent(&Server.Done);
    IoSetCompletionRoutine(Server.Irp, SignalEvent, &Server.Done, TRUE, TRUE, TRUE);
    return Server.Irp;
}

static NTSTATUS SignalEvent(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Context, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Never in a callback: at DISPATCH_LEVEL nobody may wait, and nobody may wait there for WSK. */
static NTSTATUS ServerWait(VOID)
{
    KeWaitForSingleObject(&Server.Done, Executive, KernelMode, FALSE, NULL);
    return Server.Irp->IoStatus.Status;
}

/* Begins the close. Unload does, or the callback that learns that the socket no longer works;
 * Unload waits in either case. */
static VOID ServerCloseListener(VOID)
{
    if (!InterlockedExchange(&Server.IsListenerClosing, TRUE)) {
        IoSetCompletionRoutine(Server.CloseIrp, SignalEvent, &Server.Closed, TRUE, TRUE, TRUE);
        Server.Dispatch->Basic.WskCloseSocket(Server.Listener, Server.CloseIrp);
    }
}

static VOID ServerWaitClosed(VOID)
{
    KeWaitForSingleObject(&Server.Closed, Executive, KernelMode, FALSE, NULL);
}

/* At DISPATCH_LEVEL or below. The addresses are valid only until it returns. */
static NTSTATUS WSKAPI ServerAccept(PVOID SocketContext, ULONG Flags, PSOCKADDR LocalAddress,
                                    PSOCKADDR RemoteAddress, PWSK_SOCKET AcceptSocket,
                                    PVOID *AcceptSocketContext,
                                    const WSK_CLIENT_CONNECTION_DISPATCH **AcceptSocketDispatch)
{
    UNREFERENCED_PARAMETER(SocketContext);
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(LocalAddress);
    UNREFERENCED_PARAMETER(RemoteAddress);
    if (AcceptSocket == NULL) {
        ServerCloseListener();
        return STATUS_REQUEST_NOT_ACCEPTED;
    }
    if (!ExAcquireRundownProtection(&Server.Alive)) {
        return STATUS_REQUEST_NOT_ACCEPTED;
    }
    PCONNECTION Connection = ConnectionAllocate();
    if (Connection == NULL) {
        ExReleaseRundownProtection(&Server.Alive);
        return STATUS_REQUEST_NOT_ACCEPTED; /* WSK closes the socket */
    }
    Connection->Socket = AcceptSocket;
    Connection->Dispatch = AcceptSocket->Dispatch;
    Connection->Turns = 1; /* this one: nobody else runs the connection before it is set up */
    ExInterlockedInsertTailList(&Server.Connections, &Connection->Link, &Server.Lock);
    *AcceptSocketContext = NULL; /* no callbacks on this socket: it is served by IRPs */
    *AcceptSocketDispatch = NULL;
    ConnectionReceive(Connection);
    if (InterlockedDecrement(&Connection->Turns) != 0) {
        ConnectionRun(Connection);
    }
    return STATUS_SUCCESS;
}

/* Both must stay where they are as long as WSK may use them. */
static const WSK_CLIENT_DISPATCH ClientDispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};
static const WSK_CLIENT_LISTEN_DISPATCH ListenDispatch = {ServerAccept, NULL, NULL};

/* An event callback is enabled with no IRP, at once, and only after the bind. */
static NTSTATUS ServerEnableAccept(VOID)
{
    WSK_EVENT_CALLBACK_CONTROL Control = {&NPI_WSK_INTERFACE_ID, WSK_EVENT_ACCEPT};
    return Server.Dispatch->Basic.WskControlSocket(Server.Listener, WskSetOption,
                                                   SO_WSK_EVENT_CALLBACK, SOL_SOCKET,
                                                   sizeof(Control), &Control, 0, NULL, NULL, NULL);
}

static NTSTATUS ServerListen(USHORT Port)
{
    SOCKADDR_IN Address = {.sin_family = AF_INET, .sin_port = RtlUshortByteSwap(Port)};
    Server.Provider.Dispatch->WskSocket(Server.Provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP,
                                        WSK_FLAG_LISTEN_SOCKET, NULL, &ListenDispatch, NULL, NULL,
                                        NULL, ServerPrepare());
    NTSTATUS Status = ServerWait();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Server.Listener = (PWSK_SOCKET)Server.Irp->IoStatus.Information;
    Server.Dispatch = Server.Listener->Dispatch;
    Server.Dispatch->WskBind(Server.Listener, (PSOCKADDR)&Address, 0, ServerPrepare());
    Status = ServerWait();
    if (NT_SUCCESS(Status)) {
        Status = ServerEnableAccept();
    }
    if (!NT_SUCCESS(Status)) {
        ServerCloseListener();
        ServerWaitClosed();
    }
    return Status;
}

/* ---- the driver ---- */

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

/* Gives each connection a turn, in which it finds IsStopping and closes. It is added under the
 * lock: a connection leaves the list before it is freed, and whoever adds the first turn owns it.
 */
static VOID EndConnections(VOID)
{
    KIRQL Irql;
    InterlockedExchange(&Server.IsStopping, TRUE);
    KeAcquireSpinLock(&Server.Lock, &Irql);
    while (!IsListEmpty(&Server.Connections)) {
        PLIST_ENTRY Entry = RemoveHeadList(&Server.Connections);
        PCONNECTION Connection = CONTAINING_RECORD(Entry, CONNECTION, Link);
        InitializeListHead(Entry); /* so that it can be removed once more */
        BOOLEAN IsMine = InterlockedIncrement(&Connection->Turns) == 1;
        KeReleaseSpinLock(&Server.Lock, Irql);
        if (IsMine) {
            ConnectionRun(Connection);
        }
        KeAcquireSpinLock(&Server.Lock, &Irql);
    }
    KeReleaseSpinLock(&Server.Lock, Irql);
}

static VOID FreeServer(VOID)
{
    if (Server.Irp != NULL) {
        IoFreeIrp(Server.Irp);
    }
    if (Server.CloseIrp != NULL) {
        IoFreeIrp(Server.CloseIrp);
    }
}

/* From the outside in: no more connections, no connection, no provider, no registration. */
static VOID EchoUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    ServerCloseListener();
    ServerWaitClosed(); /* now no WskAcceptEvent runs, and none will */
    EndConnections();
    ExWaitForRundownProtectionRelease(&Server.Alive);
    WskReleaseProviderNPI(&Server.Registration);
    WskDeregister(&Server.Registration);
    FreeServer();
    DbgPrint("tcp_echo: unloaded\n");
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
        Status = ServerListen(Port);
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
    InitializeListHead(&Server.Connections);
    ExInitializeRundownProtection(&Server.Alive);
    KeInitializeEvent(&Server.Done, NotificationEvent, FALSE);
    KeInitializeEvent(&Server.Closed, NotificationEvent, FALSE);
    Server.Irp = IoAllocateIrp(1, FALSE);
    Server.CloseIrp = IoAllocateIrp(1, FALSE);
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;
    if (Server.Irp != NULL && Server.CloseIrp != NULL) {
        Status = Start(Port);
    }
    if (!NT_SUCCESS(Status)) {
        FreeServer();
        return Status;
    }
    DriverObject->DriverUnload = EchoUnload;
    DbgPrint("tcp_echo: listens on port %u\n", Port);
    return STATUS_SUCCESS;
}
