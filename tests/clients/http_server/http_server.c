/*
 * http_server: an HTTP/1.1 server for real clients. It listens on IPv6 and IPv4 by one socket.
 *
 *   GET /        a page of a few words
 *   GET /large   4 MiB, by one send of an MDL chain
 *   PUT, POST    anything up to 4 GiB; the answer says how many bytes came, and their sum
 *
 * One thread makes all calls. Completion routines only put what is ready into a queue, from which
 * the thread takes it for the next step.
 */
#include <ntddk.h>
#include <wsk.h>

#include <ntstrsafe.h>

#define DEFAULT_PORT 8080
#define PROVIDER_WAIT_MS 1000
#define REQUEST_MAX 65536
#define HEADER_MAX 256
#define LARGE_BYTES (4 * 1024 * 1024)
#define POOL_TAG 'sttH'

typedef enum _STATE { Receiving, ReceivingBody, Sending, Disconnecting, Draining, Closing } STATE;

typedef struct _CONNECTION {
    LIST_ENTRY Link;
    LIST_ENTRY ReadyLink;
    PWSK_SOCKET Socket;
    const WSK_PROVIDER_CONNECTION_DISPATCH *Dispatch;
    STATE State;
    PIRP Irp;
    PMDL RequestMdl;
    PMDL HeaderMdl; /* chained to the body while both are sent */
    SIZE_T Length;  /* of the request so far */
    BOOLEAN IsLast; /* the client wants no more responses */
    ULONG BodyLeft; /* of a PUT */
    ULONG BodyBytes;
    ULONG BodySum;
    CHAR Header[HEADER_MAX];
    CHAR Request[REQUEST_MAX];
} CONNECTION, *PCONNECTION;

static CHAR Page[] = "<html><body>Hello from a driver.</body></html>\n";

static struct {
    WSK_REGISTRATION Registration;
    WSK_PROVIDER_NPI Provider;
    PWSK_SOCKET Listener;
    const WSK_PROVIDER_LISTEN_DISPATCH *Dispatch;
    PIRP Irp;    /* the thread's; DriverEntry's before it runs, Unload's after it has ended */
    KEVENT Done; /* Irp is back */
    PETHREAD Thread;
    KEVENT Stop;
    KSPIN_LOCK ReadyLock;
    LIST_ENTRY Ready;
    KEVENT SomeReady;
    BOOLEAN IsStopping; /* the thread's own, with the next two */
    LIST_ENTRY Connections;
    BOOLEAN IsAccepting;
    PUCHAR Large;
    PMDL LargeMdl;
    PMDL PageMdl;
} Server;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD ServerUnload;
static IO_COMPLETION_ROUTINE SignalDone;
static IO_COMPLETION_ROUTINE ConnectionCompleted;
static KSTART_ROUTINE ServerThread;

/* ---- calls ---- */

static NTSTATUS SignalDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);
    KeSetEvent(&Server.Done, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP Prepare(VOID)
{
    IoReuseIrp(Server.Irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(Server.Irp, SignalDone, NULL, TRUE, TRUE, TRUE);
    return Server.Irp;
}

static NTSTATUS Wait(VOID)
{
    KeWaitForSingleObject(&Server.Done, Executive, KernelMode, FALSE, NULL);
    return Server.Irp->IoStatus.Status;
}

static NTSTATUS ConnectionCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PCONNECTION Connection = Context;
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    ExInterlockedInsertTailList(&Server.Ready, &Connection->ReadyLink, &Server.ReadyLock);
    KeSetEvent(&Server.SomeReady, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP ConnectionPrepare(PCONNECTION Connection, STATE State)
{
    Connection->State = State;
    IoReuseIrp(Connection->Irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(Connection->Irp, ConnectionCompleted, Connection, TRUE, TRUE, TRUE);
    return Connection->Irp;
}

/* ---- a connection ---- */

static PMDL MapNonPaged(PVOID Memory, ULONG Bytes)
{
    PMDL Mdl = IoAllocateMdl(Memory, Bytes, FALSE, FALSE, NULL);
    if (Mdl != NULL) {
        MmBuildMdlForNonPagedPool(Mdl);
    }
    return Mdl;
}

static VOID FreeMdl(PMDL Mdl)
{
    if (Mdl != NULL) {
        IoFreeMdl(Mdl);
    }
}

static VOID FreeIrp(PIRP Irp)
{
    if (Irp != NULL) {
        IoFreeIrp(Irp);
    }
}

static VOID ConnectionFree(PCONNECTION Connection)
{
    FreeMdl(Connection->RequestMdl);
    FreeMdl(Connection->HeaderMdl);
    FreeIrp(Connection->Irp);
    ExFreePoolWithTag(Connection, POOL_TAG);
}

static PCONNECTION ConnectionAllocate(VOID)
{
    PCONNECTION Connection = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Connection), POOL_TAG);
    if (Connection == NULL) {
        return NULL;
    }
    Connection->Irp = IoAllocateIrp(1, FALSE);
    Connection->RequestMdl = MapNonPaged(Connection->Request, REQUEST_MAX);
    Connection->HeaderMdl = MapNonPaged(Connection->Header, HEADER_MAX);
    if (Connection->Irp == NULL || Connection->RequestMdl == NULL ||
        Connection->HeaderMdl == NULL) {
        ConnectionFree(Connection);
        return NULL;
    }
    return Connection;
}

static VOID ConnectionClose(PCONNECTION Connection)
{
    Connection->Dispatch->Basic.WskCloseSocket(Connection->Socket,
                                               ConnectionPrepare(Connection, Closing));
}

static VOID ConnectionReceive(PCONNECTION Connection, STATE State)
{
    WSK_BUF Buffer = {Connection->RequestMdl, (ULONG)Connection->Length,
                      REQUEST_MAX - 1 - Connection->Length};
    Connection->Dispatch->WskReceive(Connection->Socket, &Buffer, 0,
                                     ConnectionPrepare(Connection, State));
}

static VOID ConnectionDisconnect(PCONNECTION Connection)
{
    Connection->Dispatch->WskDisconnect(Connection->Socket, NULL, 0,
                                        ConnectionPrepare(Connection, Disconnecting));
}

/* A close before the client ends would be a reset. */
static VOID ConnectionDrain(PCONNECTION Connection)
{
    WSK_BUF Nothing = {Connection->RequestMdl, 0, 0};
    Connection->Dispatch->WskReceive(Connection->Socket, &Nothing, WSK_FLAG_DRAIN,
                                     ConnectionPrepare(Connection, Draining));
}

/* ---- responses ---- */

/* The WSK_BUF begins in the header's last bytes, so that it ends where the body begins. */
static VOID Respond(PCONNECTION Connection, PCSTR Status, PMDL Body, ULONG BodyBytes)
{
    CHAR Text[HEADER_MAX];
    RtlStringCbPrintfA(Text, sizeof(Text),
                       "HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: %lu\r\n%s\r\n",
                       Status, BodyBytes, Connection->IsLast ? "Connection: close\r\n" : "");
    ULONG Length = (ULONG)strlen(Text);
    WSK_BUF Buffer = {Connection->HeaderMdl, HEADER_MAX - Length, Length + BodyBytes};
    RtlCopyMemory(Connection->Header + HEADER_MAX - Length, Text, Length);
    Connection->HeaderMdl->Next = Body; /* shared by all connections: the last of each chain */
    Connection->Dispatch->WskSend(Connection->Socket, &Buffer, 0,
                                  ConnectionPrepare(Connection, Sending));
}

/* The request's own memory holds the answer. */
static VOID RespondToPut(PCONNECTION Connection)
{
    RtlStringCbPrintfA(Connection->Request, REQUEST_MAX, "%lu bytes, sum %lu\n",
                       Connection->BodyBytes, Connection->BodySum);
    Respond(Connection, "200 OK", Connection->RequestMdl, (ULONG)strlen(Connection->Request));
}

static VOID RespondToGet(PCONNECTION Connection)
{
    PCSTR Path = Connection->Request + 4;
    if (strncmp(Path, "/ ", 2) == 0) {
        Respond(Connection, "200 OK", Server.PageMdl, sizeof(Page) - 1);
    } else if (strncmp(Path, "/large ", 7) == 0) {
        Respond(Connection, "200 OK", Server.LargeMdl, LARGE_BYTES);
    } else {
        Respond(Connection, "404 Not Found", NULL, 0);
    }
}

/* ---- requests ---- */

static PCSTR FindHeader(PCSTR Headers, PCSTR End, PCSTR Name)
{
    SIZE_T Length = strlen(Name);
    for (PCSTR Line = Headers; Line < End; Line = strstr(Line, "\r\n") + 2) {
        if (_strnicmp(Line, Name, Length) == 0 && Line[Length] == ':') {
            return Line + Length + 1 + (Line[Length + 1] == ' ');
        }
    }
    return NULL;
}

/* Counts what stands in the buffer behind the request's headers, and empties it. */
static VOID TakeBody(PCONNECTION Connection, SIZE_T From)
{
    for (SIZE_T i = From; i < Connection->Length; i++) {
        Connection->BodySum += (UCHAR)Connection->Request[i];
    }
    ULONG Bytes = (ULONG)(Connection->Length - From);
    Connection->BodyBytes += Bytes;
    Connection->BodyLeft -= min(Bytes, Connection->BodyLeft);
    Connection->Length = 0;
    if (Connection->BodyLeft != 0) {
        ConnectionReceive(Connection, ReceivingBody);
    } else {
        RespondToPut(Connection);
    }
}

static VOID ServeRequest(PCONNECTION Connection, PCSTR End)
{
    PCSTR Field = FindHeader(Connection->Request, End + 2, "Connection");
    PCSTR Length = FindHeader(Connection->Request, End + 2, "Content-Length");
    BOOLEAN IsOld = strstr(Connection->Request, " HTTP/1.0\r\n") != NULL;
    Connection->IsLast = IsOld || (Field != NULL && _strnicmp(Field, "close", 5) == 0);
    Connection->BodyLeft = Connection->BodyBytes = Connection->BodySum = 0;
    if (strncmp(Connection->Request, "GET ", 4) == 0) {
        Connection->Length = 0; /* this client does not send the next one before the answer */
        RespondToGet(Connection);
    } else if (Length != NULL && NT_SUCCESS(RtlCharToInteger(Length, 10, &Connection->BodyLeft))) {
        TakeBody(Connection, End + 4 - Connection->Request);
    } else {
        Connection->IsLast = TRUE;
        Respond(Connection, "400 Bad Request", NULL, 0);
    }
}

static VOID GoOnReceiving(PCONNECTION Connection)
{
    SIZE_T Received = Connection->Irp->IoStatus.Information;
    Connection->Length += Received;
    if (Received == 0) {
        ConnectionDisconnect(Connection);
        return;
    }
    if (Connection->State == ReceivingBody) {
        TakeBody(Connection, 0);
        return;
    }
    Connection->Request[Connection->Length] = '\0';
    PCSTR End = strstr(Connection->Request, "\r\n\r\n");
    if (End != NULL) {
        ServeRequest(Connection, End);
    } else if (Connection->Length < REQUEST_MAX - 1) {
        ConnectionReceive(Connection, Receiving);
    } else {
        ConnectionClose(Connection);
    }
}

static VOID ConnectionGoOn(PCONNECTION Connection)
{
    if (Connection->State == Closing) {
        RemoveEntryList(&Connection->Link);
        ConnectionFree(Connection);
        return;
    }
    if (!NT_SUCCESS(Connection->Irp->IoStatus.Status) || Server.IsStopping) {
        ConnectionClose(Connection);
        return;
    }
    switch (Connection->State) {
    case Sending:
        if (Connection->IsLast) {
            ConnectionDisconnect(Connection);
        } else {
            ConnectionReceive(Connection, Receiving);
        }
        break;
    case Disconnecting:
        ConnectionDrain(Connection);
        break;
    case Draining:
        ConnectionClose(Connection);
        break;
    default:
        GoOnReceiving(Connection);
        break;
    }
}

/* ---- the thread ---- */

static VOID BeginAccept(VOID)
{
    if (!Server.IsAccepting && !Server.IsStopping) {
        Server.IsAccepting = TRUE;
        Server.Dispatch->WskAccept(Server.Listener, 0, NULL, NULL, NULL, NULL, Prepare());
    }
}

static VOID RefuseConnection(PWSK_SOCKET Socket)
{
    const WSK_PROVIDER_BASIC_DISPATCH *Dispatch = Socket->Dispatch;
    Dispatch->WskCloseSocket(Socket, Prepare());
    Wait();
}

static VOID EndAccept(VOID)
{
    Server.IsAccepting = FALSE;
    if (!NT_SUCCESS(Server.Irp->IoStatus.Status)) {
        Server.IsStopping = TRUE;
        return;
    }
    PWSK_SOCKET Socket = (PWSK_SOCKET)Server.Irp->IoStatus.Information;
    PCONNECTION Connection = ConnectionAllocate();
    if (Connection == NULL) {
        RefuseConnection(Socket);
        return;
    }
    Connection->Socket = Socket;
    Connection->Dispatch = Socket->Dispatch;
    InsertTailList(&Server.Connections, &Connection->Link);
    ConnectionReceive(Connection, Receiving);
}

static VOID GoOnWithReady(VOID)
{
    PLIST_ENTRY Entry;
    while ((Entry = ExInterlockedRemoveHeadList(&Server.Ready, &Server.ReadyLock)) != NULL) {
        ConnectionGoOn(CONTAINING_RECORD(Entry, CONNECTION, ReadyLink));
    }
}

static VOID BeginStop(VOID)
{
    Server.IsStopping = TRUE;
    if (Server.IsAccepting) {
        IoCancelIrp(Server.Irp);
    }
    for (PLIST_ENTRY Entry = Server.Connections.Flink; Entry != &Server.Connections;
         Entry = Entry->Flink) {
        PCONNECTION Connection = CONTAINING_RECORD(Entry, CONNECTION, Link);
        if (Connection->State != Closing) {
            IoCancelIrp(Connection->Irp);
        }
    }
}

static VOID ServerThread(PVOID Context)
{
    PVOID Objects[] = {&Server.Done, &Server.SomeReady, &Server.Stop};
    UNREFERENCED_PARAMETER(Context);
    BeginAccept();
    while (!Server.IsStopping || Server.IsAccepting || !IsListEmpty(&Server.Connections)) {
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

static const WSK_CLIENT_DISPATCH ClientDispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};

static VOID CloseListener(VOID)
{
    Server.Dispatch->Basic.WskCloseSocket(Server.Listener, Prepare());
    Wait();
}

static NTSTATUS TakeIpv4Too(VOID)
{
    ULONG IsOnlyV6 = 0;
    Server.Dispatch->Basic.WskControlSocket(Server.Listener, WskSetOption, IPV6_V6ONLY,
                                            IPPROTO_IPV6, sizeof(IsOnlyV6), &IsOnlyV6, 0, NULL,
                                            NULL, Prepare());
    return Wait();
}

static NTSTATUS Listen(USHORT Port)
{
    SOCKADDR_IN6 Address = {.sin6_family = AF_INET6, .sin6_port = RtlUshortByteSwap(Port)};
    Server.Provider.Dispatch->WskSocket(Server.Provider.Client, AF_INET6, SOCK_STREAM, IPPROTO_TCP,
                                        WSK_FLAG_LISTEN_SOCKET, NULL, NULL, NULL, NULL, NULL,
                                        Prepare());
    NTSTATUS Status = Wait();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Server.Listener = (PWSK_SOCKET)Server.Irp->IoStatus.Information;
    Server.Dispatch = Server.Listener->Dispatch;
    Status = TakeIpv4Too();
    if (NT_SUCCESS(Status)) {
        Server.Dispatch->WskBind(Server.Listener, (PSOCKADDR)&Address, 0, Prepare());
        Status = Wait();
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
        PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, ServerThread, NULL);
    if (NT_SUCCESS(Status)) {
        ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode,
                                  (PVOID *)&Server.Thread, NULL);
        ZwClose(Handle);
    }
    return Status;
}

static NTSTATUS StartServing(USHORT Port)
{
    NTSTATUS Status = Listen(Port);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = StartThread();
    if (!NT_SUCCESS(Status)) {
        CloseListener();
    }
    return Status;
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
        Status = StartServing(Port);
        if (!NT_SUCCESS(Status)) {
            WskReleaseProviderNPI(&Server.Registration);
        }
    }
    if (!NT_SUCCESS(Status)) {
        WskDeregister(&Server.Registration);
    }
    return Status;
}

static VOID FreeAll(VOID)
{
    FreeIrp(Server.Irp);
    FreeMdl(Server.PageMdl);
    FreeMdl(Server.LargeMdl);
    if (Server.Large != NULL) {
        ExFreePoolWithTag(Server.Large, POOL_TAG);
    }
}

/* The large body: the test knows its formula, too. */
static NTSTATUS AllocateAll(VOID)
{
    Server.Irp = IoAllocateIrp(1, FALSE);
    Server.Large = ExAllocatePool2(POOL_FLAG_NON_PAGED, LARGE_BYTES, POOL_TAG);
    if (Server.Large != NULL) {
        Server.LargeMdl = MapNonPaged(Server.Large, LARGE_BYTES);
    }
    Server.PageMdl = MapNonPaged(Page, sizeof(Page));
    if (Server.Irp == NULL || Server.LargeMdl == NULL || Server.PageMdl == NULL) {
        FreeAll();
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    for (ULONG i = 0; i < LARGE_BYTES; i++) {
        Server.Large[i] = (UCHAR)(i * 2654435761U >> 24);
    }
    return STATUS_SUCCESS;
}

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

static VOID ServerUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    KeSetEvent(&Server.Stop, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(Server.Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Server.Thread);
    CloseListener();
    WskReleaseProviderNPI(&Server.Registration);
    WskDeregister(&Server.Registration);
    FreeAll();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    KeInitializeSpinLock(&Server.ReadyLock);
    InitializeListHead(&Server.Ready);
    InitializeListHead(&Server.Connections);
    KeInitializeEvent(&Server.SomeReady, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Server.Stop, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Server.Done, SynchronizationEvent, FALSE);
    NTSTATUS Status = AllocateAll();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = Start(ReadPort(RegistryPath));
    if (!NT_SUCCESS(Status)) {
        FreeAll();
        return Status;
    }
    DriverObject->DriverUnload = ServerUnload;
    return STATUS_SUCCESS;
}
