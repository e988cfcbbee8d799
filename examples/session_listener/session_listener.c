/*
 * session_listener: a TCP service that is there only while a user is. It tells whoever connects how
 * many users are logged on, and closes its listening socket while there is none.
 *
 * Three parts that meet in few places. The session callback keeps the list of sessions with a user
 * in front of them and sets an event when the first came or the last went. The keeper, a system
 * thread, waits for that event and opens or closes the listener: a notification is no place to wait
 * for sockets. The accept callback serves each connection by one IRP, used four times: it sends the
 * greeting, disconnects, waits for the client's end, and closes.
 */
#include <ntddk.h>
#include <wsk.h>

#define DEFAULT_PORT 7777
#define PROVIDER_WAIT_MS 1000
#define SESSIONS_MAX 64 /* of which the driver knows the user, two digits; more do not count */
#define GREETING_BYTES 16
#define POOL_TAG 'siLS'

typedef enum _CONNECTION_STATE {
    Greeting,
    Disconnecting,
    Draining, /* until the client ends, too */
    Closing,
} CONNECTION_STATE;

typedef struct _CONNECTION {
    LIST_ENTRY Link; /* in Driver.Draining; points to itself while it is in no list */
    PWSK_SOCKET Socket;
    const WSK_PROVIDER_CONNECTION_DISPATCH *Dispatch;
    PIRP Irp;
    PMDL Mdl;           /* of Text */
    volatile LONG Left; /* of the call on the socket: its completion, its return, and who cancels */
    CONNECTION_STATE State;
    CHAR Text[GREETING_BYTES];
} CONNECTION, *PCONNECTION;

static struct {
    WSK_REGISTRATION Registration;
    WSK_PROVIDER_NPI Provider;
    PVOID Notification; /* of sessions */
    USHORT Port;
    KSPIN_LOCK Lock; /* guards the next four */
    ULONG Active[SESSIONS_MAX];
    ULONG ActiveCount;
    LIST_ENTRY Draining; /* connections that wait for their clients */
    BOOLEAN IsUnloading; /* none waits any more */
    /* The keeper's. */
    PVOID Keeper;
    KEVENT Changed;
    volatile LONG IsStopping;
    volatile LONG IsBroken; /* the listener no longer works */
    PWSK_SOCKET Listener;   /* NULL while there is no user */
    PIRP Irp;
    KEVENT Done; /* Irp is back */
    EX_RUNDOWN_REF Connections;
} Driver;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD ListenerUnload;
static KSTART_ROUTINE Keep;
static IO_SESSION_NOTIFICATION_FUNCTION SessionChanged;
static IO_COMPLETION_ROUTINE SignalDone;
static IO_COMPLETION_ROUTINE StepCompleted;
static IO_COMPLETION_ROUTINE ConnectionClosed;

/* ---- sessions ---- */

static ULONG CountActive(VOID)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Driver.Lock, &Irql);
    ULONG Count = Driver.ActiveCount;
    KeReleaseSpinLock(&Driver.Lock, Irql);
    return Count;
}

/* Says whether that made a difference. Telling it twice does no harm. */
static BOOLEAN SetActive(ULONG SessionId, BOOLEAN IsActive)
{
    KIRQL Irql;
    ULONG Place = 0;
    KeAcquireSpinLock(&Driver.Lock, &Irql);
    while (Place < Driver.ActiveCount && Driver.Active[Place] != SessionId) {
        Place++;
    }
    BOOLEAN WasActive = Place < Driver.ActiveCount;
    if (IsActive && !WasActive && Place < SESSIONS_MAX) {
        Driver.Active[Driver.ActiveCount++] = SessionId;
    } else if (!IsActive && WasActive) {
        Driver.Active[Place] = Driver.Active[--Driver.ActiveCount];
    }
    KeReleaseSpinLock(&Driver.Lock, Irql);
    return WasActive != IsActive;
}

/*
 * Runs at any IRQL up to APC_LEVEL, in anybody's thread. The state says all, so the event and its
 * payload, which may be missing, are not looked at. The session's object is not kept.
 */
static NTSTATUS SessionChanged(PVOID SessionObject, PVOID IoObject, ULONG Event, PVOID Context,
                               PVOID NotificationPayload, ULONG PayloadLength)
{
    IO_SESSION_STATE_INFORMATION Information;
    UNREFERENCED_PARAMETER(IoObject);
    UNREFERENCED_PARAMETER(Event);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(NotificationPayload);
    UNREFERENCED_PARAMETER(PayloadLength);
    NTSTATUS Status = IoGetContainerInformation(IoSessionStateInformation, SessionObject,
                                                &Information, sizeof(Information));
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (SetActive(Information.SessionId, Information.SessionState == IoSessionStateLoggedOn)) {
        KeSetEvent(&Driver.Changed, IO_NO_INCREMENT, FALSE);
    }
    return STATUS_SUCCESS;
}

/* A driver object sees all sessions. From here on the callback may run. */
static NTSTATUS WatchSessions(PDRIVER_OBJECT DriverObject)
{
    IO_SESSION_STATE_NOTIFICATION Notification = {0};
    Notification.Size = sizeof(Notification);
    Notification.IoObject = DriverObject;
    Notification.EventMask = IO_SESSION_STATE_ALL_EVENTS;
    return IoRegisterContainerNotification(
        IoSessionStateNotification, (PIO_CONTAINER_NOTIFICATION_FUNCTION)SessionChanged,
        &Notification, sizeof(Notification), &Driver.Notification);
}

/* ---- a connection ---- */

static VOID ConnectionFree(PCONNECTION Connection)
{
    if (Connection->Mdl != NULL) {
        IoFreeMdl(Connection->Mdl);
    }
    if (Connection->Irp != NULL) {
        IoFreeIrp(Connection->Irp);
    }
    ExFreePoolWithTag(Connection, POOL_TAG);
    ExReleaseRundownProtection(&Driver.Connections);
}

static PCONNECTION ConnectionAllocate(PWSK_SOCKET Socket)
{
    if (!ExAcquireRundownProtection(&Driver.Connections)) {
        return NULL;
    }
    PCONNECTION Connection = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Connection), POOL_TAG);
    if (Connection == NULL) {
        ExReleaseRundownProtection(&Driver.Connections);
        return NULL;
    }
    InitializeListHead(&Connection->Link);
    Connection->Socket = Socket;
    Connection->Dispatch = Socket->Dispatch;
    Connection->Irp = IoAllocateIrp(1, FALSE);
    Connection->Mdl = IoAllocateMdl(Connection->Text, GREETING_BYTES, FALSE, FALSE, NULL);
    if (Connection->Irp == NULL || Connection->Mdl == NULL) {
        ConnectionFree(Connection);
        return NULL;
    }
    MmBuildMdlForNonPagedPool(Connection->Mdl);
    return Connection;
}

static NTSTATUS ConnectionClosed(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    ConnectionFree(Context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID ConnectionClose(PCONNECTION Connection)
{
    Connection->State = Closing;
    IoSetCompletionRoutine(Connection->Irp, ConnectionClosed, Connection, TRUE, TRUE, TRUE);
    Connection->Dispatch->Basic.WskCloseSocket(Connection->Socket, Connection->Irp);
}

static VOID ConnectionDisconnect(PCONNECTION Connection)
{
    Connection->State = Disconnecting;
    IoSetCompletionRoutine(Connection->Irp, StepCompleted, Connection, TRUE, TRUE, TRUE);
    Connection->Dispatch->WskDisconnect(Connection->Socket, NULL, 0, Connection->Irp);
}

/* A close before the client has ended its direction, too, would be a reset, and the client might
 * lose the greeting: WSK_FLAG_DRAIN throws away what still comes, and completes at the end. */
static VOID ConnectionDrain(PCONNECTION Connection)
{
    WSK_BUF Nothing = {Connection->Mdl, 0, 0};
    Connection->State = Draining;
    IoSetCompletionRoutine(Connection->Irp, StepCompleted, Connection, TRUE, TRUE, TRUE);
    Connection->Dispatch->WskReceive(Connection->Socket, &Nothing, WSK_FLAG_DRAIN, Connection->Irp);
}

/* Whether it may wait for its client; then the unload finds it. */
static BOOLEAN BeginDraining(PCONNECTION Connection)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Driver.Lock, &Irql);
    BOOLEAN MayWait = !Driver.IsUnloading;
    if (MayWait) {
        InsertTailList(&Driver.Draining, &Connection->Link);
    }
    KeReleaseSpinLock(&Driver.Lock, Irql);
    return MayWait;
}

static VOID EndDraining(PCONNECTION Connection)
{
    KIRQL Irql;
    KeAcquireSpinLock(&Driver.Lock, &Irql);
    RemoveEntryList(&Connection->Link);
    InitializeListHead(&Connection->Link);
    KeReleaseSpinLock(&Driver.Lock, Irql);
}

/* The next call on the socket, when the one before it has both completed and returned: a socket
 * must not be closed while another call on it is in progress. Who is gone, or does not answer when
 * the driver goes, is not waited for. */
static VOID ConnectionContinue(PCONNECTION Connection)
{
    if (InterlockedDecrement(&Connection->Left) != 0) {
        return;
    }
    BOOLEAN IsGood = NT_SUCCESS(Connection->Irp->IoStatus.Status);
    IoReuseIrp(Connection->Irp, STATUS_UNSUCCESSFUL);
    Connection->Left = 2;
    if (Connection->State == Greeting) {
        ConnectionDisconnect(Connection);
    } else if (Connection->State == Disconnecting && IsGood && BeginDraining(Connection)) {
        ConnectionDrain(Connection);
    } else {
        ConnectionClose(Connection);
        return;
    }
    ConnectionContinue(Connection);
}

/* Whether or not it succeeded: a client that is gone is disconnected from and closed, too. */
static NTSTATUS StepCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PCONNECTION Connection = Context;
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    if (Connection->State == Draining) {
        EndDraining(Connection);
    }
    ConnectionContinue(Connection);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* A connection that waits for its client, which from then on does not go on without the caller. */
static PCONNECTION TakeDraining(VOID)
{
    KIRQL Irql;
    PCONNECTION Connection = NULL;
    KeAcquireSpinLock(&Driver.Lock, &Irql);
    Driver.IsUnloading = TRUE;
    if (!IsListEmpty(&Driver.Draining)) {
        PLIST_ENTRY Entry = RemoveHeadList(&Driver.Draining);
        InitializeListHead(Entry);
        Connection = CONTAINING_RECORD(Entry, CONNECTION, Link);
        InterlockedIncrement(&Connection->Left);
    }
    KeReleaseSpinLock(&Driver.Lock, Irql);
    return Connection;
}

/* No lock is held over IoCancelIrp: it runs the completion routine. */
static VOID StopDraining(VOID)
{
    PCONNECTION Connection;
    while ((Connection = TakeDraining()) != NULL) {
        IoCancelIrp(Connection->Irp);
        ConnectionContinue(Connection);
    }
}

/* Returns its length. The safe string functions would need PASSIVE_LEVEL. */
static SIZE_T WriteGreeting(PCHAR Text, ULONG Users)
{
    static const CHAR Words[] = "users: ";
    SIZE_T Length = sizeof(Words) - 1;
    RtlCopyMemory(Text, Words, Length);
    if (Users >= 10) {
        Text[Length++] = (CHAR)('0' + Users / 10);
    }
    Text[Length++] = (CHAR)('0' + Users % 10);
    Text[Length++] = '\n';
    return Length;
}

static VOID ConnectionGreet(PCONNECTION Connection)
{
    WSK_BUF Buffer = {0};
    Buffer.Mdl = Connection->Mdl;
    Buffer.Length = WriteGreeting(Connection->Text, CountActive());
    Connection->State = Greeting;
    Connection->Left = 2;
    IoSetCompletionRoutine(Connection->Irp, StepCompleted, Connection, TRUE, TRUE, TRUE);
    Connection->Dispatch->WskSend(Connection->Socket, &Buffer, 0, Connection->Irp);
    ConnectionContinue(Connection);
}

static NTSTATUS WSKAPI Accept(PVOID SocketContext, ULONG Flags, PSOCKADDR LocalAddress,
                              PSOCKADDR RemoteAddress, PWSK_SOCKET AcceptSocket,
                              PVOID *AcceptSocketContext,
                              const WSK_CLIENT_CONNECTION_DISPATCH **AcceptSocketDispatch)
{
    UNREFERENCED_PARAMETER(SocketContext);
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(LocalAddress);
    UNREFERENCED_PARAMETER(RemoteAddress);
    if (AcceptSocket == NULL) {
        InterlockedExchange(&Driver.IsBroken, TRUE); /* the keeper closes it */
        KeSetEvent(&Driver.Changed, IO_NO_INCREMENT, FALSE);
        return STATUS_REQUEST_NOT_ACCEPTED;
    }
    PCONNECTION Connection = ConnectionAllocate(AcceptSocket);
    if (Connection == NULL) {
        return STATUS_REQUEST_NOT_ACCEPTED; /* WSK closes the socket */
    }
    *AcceptSocketContext = NULL; /* no callbacks on this socket: it is served by its IRP */
    *AcceptSocketDispatch = NULL;
    ConnectionGreet(Connection);
    return STATUS_SUCCESS;
}

/* ---- the listener; only the keeper touches it ---- */

/* Both must stay where they are as long as WSK may use them. */
static const WSK_CLIENT_DISPATCH ClientDispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};
static const WSK_CLIENT_LISTEN_DISPATCH ListenDispatch = {Accept, NULL, NULL};

static NTSTATUS SignalDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);
    KeSetEvent(&Driver.Done, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP Prepare(VOID)
{
    IoReuseIrp(Driver.Irp, STATUS_UNSUCCESSFUL);
    KeClearEvent(&Driver.Done);
    IoSetCompletionRoutine(Driver.Irp, SignalDone, NULL, TRUE, TRUE, TRUE);
    return Driver.Irp;
}

static NTSTATUS Wait(VOID)
{
    KeWaitForSingleObject(&Driver.Done, Executive, KernelMode, FALSE, NULL);
    return Driver.Irp->IoStatus.Status;
}

static const WSK_PROVIDER_LISTEN_DISPATCH *ListenerDispatch(VOID)
{
    return Driver.Listener->Dispatch;
}

static VOID CloseListener(VOID)
{
    ListenerDispatch()->Basic.WskCloseSocket(Driver.Listener, Prepare());
    Wait();
    Driver.Listener = NULL;
    DbgPrint("session_listener: closed\n");
}

static NTSTATUS BindListener(VOID)
{
    SOCKADDR_IN Address = {.sin_family = AF_INET, .sin_port = RtlUshortByteSwap(Driver.Port)};
    WSK_EVENT_CALLBACK_CONTROL Control = {&NPI_WSK_INTERFACE_ID, WSK_EVENT_ACCEPT};
    ListenerDispatch()->WskBind(Driver.Listener, (PSOCKADDR)&Address, 0, Prepare());
    NTSTATUS Status = Wait();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    return ListenerDispatch()->Basic.WskControlSocket(
        Driver.Listener, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, sizeof(Control), &Control,
        0, NULL, NULL, NULL);
}

/* Without success there is no listener until the next change. */
static VOID OpenListener(VOID)
{
    InterlockedExchange(&Driver.IsBroken, FALSE);
    Driver.Provider.Dispatch->WskSocket(Driver.Provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP,
                                        WSK_FLAG_LISTEN_SOCKET, NULL, &ListenDispatch, NULL, NULL,
                                        NULL, Prepare());
    NTSTATUS Status = Wait();
    if (NT_SUCCESS(Status)) {
        Driver.Listener = (PWSK_SOCKET)Driver.Irp->IoStatus.Information;
        Status = BindListener();
    }
    if (NT_SUCCESS(Status)) {
        DbgPrint("session_listener: listens on port %u\n", Driver.Port);
        return;
    }
    DbgPrint("session_listener: cannot listen: 0x%08X\n", Status);
    if (Driver.Listener != NULL) {
        CloseListener();
    }
}

/* The end is read once a round: one that comes while the listener is being opened has set the event
 * again, and the next round closes it. */
static VOID Keep(PVOID Context)
{
    BOOLEAN IsStopping;
    UNREFERENCED_PARAMETER(Context);
    do {
        KeWaitForSingleObject(&Driver.Changed, Executive, KernelMode, FALSE, NULL);
        IsStopping = InterlockedCompareExchange(&Driver.IsStopping, 0, 0) != 0;
        BOOLEAN IsBroken = InterlockedCompareExchange(&Driver.IsBroken, 0, 0) != 0;
        BOOLEAN IsWanted = CountActive() != 0 && !IsStopping && !IsBroken;
        if (IsWanted && Driver.Listener == NULL) {
            OpenListener();
        } else if (!IsWanted && Driver.Listener != NULL) {
            CloseListener();
        }
    } while (!IsStopping);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS StartKeeper(VOID)
{
    HANDLE Handle;
    OBJECT_ATTRIBUTES Attributes;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS Status =
        PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, &Attributes, NULL, NULL, Keep, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    ObReferenceObjectByHandle(Handle, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, &Driver.Keeper,
                              NULL);
    ZwClose(Handle);
    return STATUS_SUCCESS;
}

static VOID StopKeeper(VOID)
{
    InterlockedExchange(&Driver.IsStopping, TRUE);
    KeSetEvent(&Driver.Changed, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(Driver.Keeper, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Driver.Keeper);
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

/* First what calls into the driver from outside, then who acts on it, then what it acts with. */
static VOID ListenerUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    IoUnregisterContainerNotification(Driver.Notification);
    StopKeeper();
    StopDraining();
    ExWaitForRundownProtectionRelease(&Driver.Connections);
    WskReleaseProviderNPI(&Driver.Registration);
    WskDeregister(&Driver.Registration);
    IoFreeIrp(Driver.Irp);
    DbgPrint("session_listener: unloaded\n");
}

/* All that the session callback needs stands before it is registered, which comes last. */
static NTSTATUS StartWatching(PDRIVER_OBJECT DriverObject)
{
    NTSTATUS Status = StartKeeper();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = WatchSessions(DriverObject);
    if (!NT_SUCCESS(Status)) {
        StopKeeper();
    }
    return Status;
}

static NTSTATUS Start(PDRIVER_OBJECT DriverObject)
{
    WSK_CLIENT_NPI Client = {NULL, &ClientDispatch};
    NTSTATUS Status = WskRegister(&Client, &Driver.Registration);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = WskCaptureProviderNPI(&Driver.Registration, PROVIDER_WAIT_MS, &Driver.Provider);
    if (NT_SUCCESS(Status)) {
        Status = StartWatching(DriverObject);
        if (!NT_SUCCESS(Status)) {
            WskReleaseProviderNPI(&Driver.Registration);
        }
    }
    if (!NT_SUCCESS(Status)) {
        WskDeregister(&Driver.Registration);
    }
    return Status;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    Driver.Port = ReadPort(DriverObject);
    KeInitializeSpinLock(&Driver.Lock);
    InitializeListHead(&Driver.Draining);
    KeInitializeEvent(&Driver.Changed, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Driver.Done, NotificationEvent, FALSE);
    ExInitializeRundownProtection(&Driver.Connections);
    Driver.Irp = IoAllocateIrp(1, FALSE);
    if (Driver.Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NTSTATUS Status = Start(DriverObject);
    if (!NT_SUCCESS(Status)) {
        IoFreeIrp(Driver.Irp);
        return Status;
    }
    DriverObject->DriverUnload = ListenerUnload;
    DbgPrint("session_listener: waits for a user\n");
    return STATUS_SUCCESS;
}
