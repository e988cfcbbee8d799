/*
 * event_echo: a TCP echo server without a receive of its own. Its callbacks are enabled once, for
 * all sockets to come (WSK_SET_STATIC_EVENT_CALLBACKS). WskReceiveEvent keeps what it is shown by
 * returning STATUS_PENDING, sends it back from the very memory in which it arrived, and gives it
 * back by WskRelease when it was sent: not one byte is copied, unless WSK wants its memory back.
 *
 * A connection counts references: one while it is open, one for each indication on its way back,
 * one for each call that some other code is making on its socket. Whoever drops the last one takes
 * the next step, a graceful disconnect, and then the close. So a socket is never closed while an
 * indication is kept or a call is in progress, both of which WSK forbids.
 */
#include <ntddk.h>
#include <wsk.h>

#define DEFAULT_PORT 7777
#define PROVIDER_WAIT_MS 1000
#define KEPT_BYTES_MAX (4 * 1024 * 1024) /* a client that never reads is cut off here */
#define POOL_TAG 'cEvE'

typedef enum _CONNECTION_STAGE { Open, Disconnecting, Closing } CONNECTION_STAGE;

typedef struct _CONNECTION {
    PWSK_SOCKET Socket;
    const WSK_PROVIDER_CONNECTION_DISPATCH *Dispatch;
    PIRP EndIrp;   /* the graceful disconnect, then the close */
    PIRP AbortIrp; /* the abortive disconnect, at most one */
    /* Server.Lock guards the rest. */
    LIST_ENTRY Link;
    CONNECTION_STAGE Stage;
    ULONG References;
    BOOLEAN IsOpen;    /* the first reference is still held */
    BOOLEAN IsBroken;  /* there is nobody to disconnect from gracefully */
    BOOLEAN IsAborted; /* AbortIrp is used */
    SIZE_T KeptBytes;
} CONNECTION, *PCONNECTION;

/* An indication on its way back, or a copy of one, which lies behind the structure. */
typedef struct _ECHO {
    PCONNECTION Connection;
    PWSK_DATA_INDICATION Indication; /* NULL for a copy */
    PMDL Copy;                       /* or NULL */
    SIZE_T Bytes;
    volatile LONG Left; /* sends that have not completed, and the callback that makes them */
} ECHO, *PECHO;

static struct {
    WSK_REGISTRATION Registration;
    WSK_PROVIDER_NPI Provider;
    PWSK_SOCKET Listener;
    const WSK_PROVIDER_LISTEN_DISPATCH *Dispatch; /* the listener's */
    PIRP Irp;                                     /* the listener's creation and bind */
    KEVENT Done;                                  /* Irp is back */
    PIRP CloseIrp;                                /* the listener's close */
    KEVENT Closed;                                /* CloseIrp is back */
    volatile LONG IsClosing;
    EX_RUNDOWN_REF Alive; /* held by each connection */
    KSPIN_LOCK Lock;
    LIST_ENTRY Connections; /* those whose socket is not being closed */
} Server;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD EchoUnload;
static IO_COMPLETION_ROUTINE StepCompleted;
static IO_COMPLETION_ROUTINE ConnectionClosed;
static IO_COMPLETION_ROUTINE EchoSent;
static IO_COMPLETION_ROUTINE SignalEvent;

/* ---- a connection ---- */

static VOID ConnectionFree(PCONNECTION Connection)
{
    if (Connection->EndIrp != NULL) {
        IoFreeIrp(Connection->EndIrp);
    }
    if (Connection->AbortIrp != NULL) {
        IoFreeIrp(Connection->AbortIrp);
    }
    ExFreePoolWithTag(Connection, POOL_TAG);
}

/* With both IRPs: an end must not fail for want of memory. */
static PCONNECTION ConnectionAllocate(PWSK_SOCKET Socket)
{
    PCONNECTION Connection = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Connection), POOL_TAG);
    if (Connection == NULL) {
        return NULL;
    }
    Connection->Socket = Socket;
    Connection->Dispatch = Socket->Dispatch;
    Connection->References = 1;
    Connection->IsOpen = TRUE;
    Connection->EndIrp = IoAllocateIrp(1, FALSE);
    Connection->AbortIrp = IoAllocateIrp(1, FALSE);
    if (Connection->EndIrp == NULL || Connection->AbortIrp == NULL) {
        ConnectionFree(Connection);
        return NULL;
    }
    return Connection;
}

/* The callbacks of the socket may run until here, so their context is freed only here. */
static NTSTATUS ConnectionClosed(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    ConnectionFree(Context);
    ExReleaseRundownProtection(&Server.Alive);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* What follows when nobody holds the connection; the lock is held. */
static CONNECTION_STAGE ConnectionNextStage(PCONNECTION Connection)
{
    if (Connection->Stage == Open && !Connection->IsBroken) {
        Connection->References = 2; /* the call and its completion, whichever is last */
        return Disconnecting;
    }
    RemoveEntryList(&Connection->Link);
    return Closing;
}

static VOID ConnectionDereference(PCONNECTION Connection)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Server.Lock, &Irql);
    if (--Connection->References != 0) {
        KeReleaseSpinLock(&Server.Lock, Irql);
        return;
    }
    CONNECTION_STAGE Stage = ConnectionNextStage(Connection);
    Connection->Stage = Stage;
    KeReleaseSpinLock(&Server.Lock, Irql);
    if (Stage == Disconnecting) {
        IoSetCompletionRoutine(Connection->EndIrp, StepCompleted, Connection, TRUE, TRUE, TRUE);
        Connection->Dispatch->WskDisconnect(Connection->Socket, NULL, 0, Connection->EndIrp);
        ConnectionDereference(Connection);
    } else {
        IoReuseIrp(Connection->EndIrp, STATUS_UNSUCCESSFUL);
        IoSetCompletionRoutine(Connection->EndIrp, ConnectionClosed, Connection, TRUE, TRUE, TRUE);
        Connection->Dispatch->Basic.WskCloseSocket(Connection->Socket, Connection->EndIrp);
    }
}

/* The IRP is the driver's own, so completion stops here. */
static NTSTATUS StepCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    ConnectionDereference(Context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Nothing more comes: the connection ends when what it holds has been sent. */
static VOID ConnectionEnd(PCONNECTION Connection, BOOLEAN IsBroken)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Server.Lock, &Irql);
    BOOLEAN WasOpen = Connection->IsOpen;
    Connection->IsOpen = FALSE;
    Connection->IsBroken = Connection->IsBroken || IsBroken;
    KeReleaseSpinLock(&Server.Lock, Irql);
    if (WasOpen) {
        ConnectionDereference(Connection);
    }
}

/* A reference for the abortive disconnect, and one for who calls it. The lock is held; a
 * connection on the list is not being closed, so it may be held. */
static BOOLEAN ConnectionPrepareAbort(PCONNECTION Connection)
{
    if (Connection->IsAborted) {
        return FALSE;
    }
    Connection->IsAborted = TRUE;
    Connection->References += 2;
    return TRUE;
}

/* Ends what is pending, sends as well as a graceful disconnect that the client does not answer. */
static VOID ConnectionAbort(PCONNECTION Connection)
{
    IoSetCompletionRoutine(Connection->AbortIrp, StepCompleted, Connection, TRUE, TRUE, TRUE);
    Connection->Dispatch->WskDisconnect(Connection->Socket, NULL, WSK_FLAG_ABORTIVE,
                                        Connection->AbortIrp);
    ConnectionEnd(Connection, TRUE);
    ConnectionDereference(Connection);
}

/* ---- what is sent back ---- */

/* Holds the connection for an indication. FALSE if it has ended: a callback may still run then, but
 * must not use the socket. */
static BOOLEAN ConnectionKeep(PCONNECTION Connection, SIZE_T Bytes, PBOOLEAN IsTooMuch)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Server.Lock, &Irql);
    BOOLEAN IsOpen = Connection->IsOpen;
    *IsTooMuch = FALSE;
    if (IsOpen && Connection->KeptBytes + Bytes > KEPT_BYTES_MAX) {
        *IsTooMuch = ConnectionPrepareAbort(Connection);
        IsOpen = FALSE;
    }
    if (IsOpen) {
        Connection->References++;
        Connection->KeptBytes += Bytes;
    }
    KeReleaseSpinLock(&Server.Lock, Irql);
    return IsOpen;
}

static VOID EchoFree(PECHO Echo)
{
    if (Echo->Copy != NULL) {
        IoFreeMdl(Echo->Copy);
    }
    ExFreePoolWithTag(Echo, POOL_TAG);
}

static VOID CopyBuffer(PUCHAR To, PWSK_BUF Buffer)
{
    SIZE_T Offset = Buffer->Offset;
    SIZE_T Left = Buffer->Length;
    for (PMDL Mdl = Buffer->Mdl; Left != 0; Mdl = Mdl->Next) {
        SIZE_T Bytes = min(MmGetMdlByteCount(Mdl) - Offset, Left);
        RtlCopyMemory(To, (PUCHAR)MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority) + Offset,
                      Bytes);
        To += Bytes;
        Left -= Bytes;
        Offset = 0;
    }
}

/* What arrived goes back from where it lies, or from a copy. NULL if there is no memory. */
static PECHO EchoAllocate(PCONNECTION Connection, PWSK_DATA_INDICATION Indication, SIZE_T Bytes,
                          BOOLEAN IsCopied)
{
    SIZE_T CopiedBytes = IsCopied ? Bytes : 0;
    PECHO Echo = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Echo) + CopiedBytes, POOL_TAG);
    if (Echo == NULL) {
        return NULL;
    }
    *Echo = (ECHO){Connection, Indication, NULL, Bytes, 1};
    if (!IsCopied) {
        return Echo;
    }
    PUCHAR Place = (PUCHAR)(Echo + 1);
    Echo->Copy = IoAllocateMdl(Place, (ULONG)Bytes, FALSE, FALSE, NULL);
    if (Echo->Copy == NULL) {
        EchoFree(Echo);
        return NULL;
    }
    MmBuildMdlForNonPagedPool(Echo->Copy);
    for (Echo->Indication = NULL; Indication != NULL; Indication = Indication->Next) {
        CopyBuffer(Place, &Indication->Buffer);
        Place += Indication->Buffer.Length;
    }
    return Echo;
}

/* All of it was sent. */
static VOID EchoEnd(PECHO Echo)
{
    PCONNECTION Connection = Echo->Connection;
    KIRQL Irql;
    KeAcquireSpinLock(&Server.Lock, &Irql);
    Connection->KeptBytes -= Echo->Bytes;
    KeReleaseSpinLock(&Server.Lock, Irql);
    EchoFree(Echo);
    ConnectionDereference(Connection);
}

static NTSTATUS EchoSent(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PECHO Echo = Context;
    PCONNECTION Connection = Echo->Connection;
    UNREFERENCED_PARAMETER(DeviceObject);
    if (!NT_SUCCESS(Irp->IoStatus.Status)) {
        ConnectionEnd(Connection, TRUE);
    }
    IoFreeIrp(Irp);
    if (InterlockedDecrement(&Echo->Left) == 0) {
        if (Echo->Indication != NULL) {
            Connection->Dispatch->WskRelease(Connection->Socket, Echo->Indication);
        }
        EchoEnd(Echo);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static BOOLEAN EchoSendBuffer(PECHO Echo, PWSK_BUF Buffer)
{
    PCONNECTION Connection = Echo->Connection;
    PIRP Irp = IoAllocateIrp(1, FALSE);
    if (Irp == NULL) {
        ConnectionEnd(Connection, TRUE); /* with a gap the stream is worth nothing */
        return FALSE;
    }
    InterlockedIncrement(&Echo->Left);
    IoSetCompletionRoutine(Irp, EchoSent, Echo, TRUE, TRUE, TRUE);
    Connection->Dispatch->WskSend(Connection->Socket, Buffer, 0, Irp);
    return TRUE;
}

/* One send for each buffer of the list. Sends go out in the order of the calls. */
static VOID EchoSend(PECHO Echo)
{
    PWSK_DATA_INDICATION Data = Echo->Indication;
    if (Data == NULL) {
        WSK_BUF Copy = {Echo->Copy, 0, Echo->Bytes};
        EchoSendBuffer(Echo, &Copy);
    }
    while (Data != NULL && EchoSendBuffer(Echo, &Data->Buffer)) {
        Data = Data->Next;
    }
}

/* What this returns says who owns the list: STATUS_PENDING keeps it until WskRelease. If all sends
 * have completed already, or a copy was made, it is not kept, and STATUS_SUCCESS gives it back. */
static NTSTATUS WSKAPI ConnectionReceive(PVOID SocketContext, ULONG Flags,
                                         PWSK_DATA_INDICATION DataIndication, SIZE_T BytesIndicated,
                                         SIZE_T *BytesAccepted)
{
    PCONNECTION Connection = SocketContext;
    BOOLEAN IsCopied = (Flags & WSK_FLAG_RELEASE_ASAP) != 0;
    BOOLEAN IsTooMuch;
    UNREFERENCED_PARAMETER(BytesAccepted); /* untouched: all of them */
    if (DataIndication == NULL) {
        ConnectionEnd(Connection, TRUE); /* the socket no longer works */
        return STATUS_SUCCESS;
    }
    PECHO Echo = EchoAllocate(Connection, DataIndication, BytesIndicated, IsCopied);
    if (Echo == NULL) {
        ConnectionEnd(Connection, TRUE);
        return STATUS_SUCCESS;
    }
    if (!ConnectionKeep(Connection, BytesIndicated, &IsTooMuch)) {
        EchoFree(Echo);
        if (IsTooMuch) {
            ConnectionAbort(Connection);
        }
        return STATUS_SUCCESS;
    }
    EchoSend(Echo);
    if (InterlockedDecrement(&Echo->Left) != 0) {
        return IsCopied ? STATUS_SUCCESS : STATUS_PENDING;
    }
    EchoEnd(Echo);
    return STATUS_SUCCESS;
}

/* The client sends no more, or is gone. All it sent was indicated before. */
static NTSTATUS WSKAPI ConnectionDisconnect(PVOID SocketContext, ULONG Flags)
{
    ConnectionEnd(SocketContext, (Flags & WSK_FLAG_ABORTIVE) != 0);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH ConnectionDispatch = {ConnectionReceive,
                                                                  ConnectionDisconnect, NULL};

/* ---- the listener ---- */

static NTSTATUS SignalEvent(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Context, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID ServerCloseListener(VOID)
{
    if (!InterlockedExchange(&Server.IsClosing, TRUE)) {
        IoSetCompletionRoutine(Server.CloseIrp, SignalEvent, &Server.Closed, TRUE, TRUE, TRUE);
        Server.Dispatch->Basic.WskCloseSocket(Server.Listener, Server.CloseIrp);
    }
}

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
        ServerCloseListener(); /* the listener no longer works */
        return STATUS_REQUEST_NOT_ACCEPTED;
    }
    if (!ExAcquireRundownProtection(&Server.Alive)) {
        return STATUS_REQUEST_NOT_ACCEPTED;
    }
    PCONNECTION Connection = ConnectionAllocate(AcceptSocket);
    if (Connection == NULL) {
        ExReleaseRundownProtection(&Server.Alive);
        return STATUS_REQUEST_NOT_ACCEPTED; /* WSK closes the socket */
    }
    ExInterlockedInsertTailList(&Server.Connections, &Connection->Link, &Server.Lock);
    *AcceptSocketContext = Connection; /* its callbacks may begin as soon as this returns */
    *AcceptSocketDispatch = &ConnectionDispatch;
    return STATUS_SUCCESS;
}

/* Both must stay where they are as long as WSK may use them. */
static const WSK_CLIENT_DISPATCH ClientDispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};
static const WSK_CLIENT_LISTEN_DISPATCH ListenDispatch = {ServerAccept, NULL, NULL};

/* Before the first socket, without an IRP, and for good: none of them can be disabled later. */
static NTSTATUS ServerEnableEvents(VOID)
{
    WSK_EVENT_CALLBACK_CONTROL Control = {
        &NPI_WSK_INTERFACE_ID, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT};
    return Server.Provider.Dispatch->WskControlClient(
        Server.Provider.Client, WSK_SET_STATIC_EVENT_CALLBACKS, sizeof(Control), &Control, 0, NULL,
        NULL, NULL);
}

static PIRP ServerPrepare(VOID)
{
    IoReuseIrp(Server.Irp, STATUS_UNSUCCESSFUL);
    KeClearEvent(&Server.Done);
    IoSetCompletionRoutine(Server.Irp, SignalEvent, &Server.Done, TRUE, TRUE, TRUE);
    return Server.Irp;
}

static NTSTATUS ServerWait(VOID)
{
    KeWaitForSingleObject(&Server.Done, Executive, KernelMode, FALSE, NULL);
    return Server.Irp->IoStatus.Status;
}

/* With static events the first connection may come before the bind's IRP does. */
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
    if (!NT_SUCCESS(Status)) {
        ServerCloseListener();
        KeWaitForSingleObject(&Server.Closed, Executive, KernelMode, FALSE, NULL);
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

/* A connection that is not aborted yet, held twice for that; NULL if there is none. */
static PCONNECTION NextToAbort(VOID)
{
    PCONNECTION Found = NULL;
    KIRQL Irql;
    KeAcquireSpinLock(&Server.Lock, &Irql);
    for (PLIST_ENTRY Entry = Server.Connections.Flink; Entry != &Server.Connections;
         Entry = Entry->Flink) {
        PCONNECTION Connection = CONTAINING_RECORD(Entry, CONNECTION, Link);
        if (ConnectionPrepareAbort(Connection)) {
            Found = Connection;
            break;
        }
    }
    KeReleaseSpinLock(&Server.Lock, Irql);
    return Found;
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
    PCONNECTION Connection;
    UNREFERENCED_PARAMETER(DriverObject);
    ServerCloseListener();
    KeWaitForSingleObject(&Server.Closed, Executive, KernelMode, FALSE, NULL);
    while ((Connection = NextToAbort()) != NULL) {
        ConnectionAbort(Connection);
    }
    ExWaitForRundownProtectionRelease(&Server.Alive);
    WskReleaseProviderNPI(&Server.Registration);
    WskDeregister(&Server.Registration);
    FreeServer();
    DbgPrint("event_echo: unloaded\n");
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
        Status = ServerEnableEvents();
        if (NT_SUCCESS(Status)) {
            Status = ServerListen(Port);
        }
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
    DbgPrint("event_echo: listens on port %u\n", Port);
    return STATUS_SUCCESS;
}
