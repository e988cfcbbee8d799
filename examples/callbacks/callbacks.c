/*
 * callbacks: a TCP server that turns its event callbacks on and off while it works. It counts what
 * its client sends; an application pauses it, looks at the count, and lets it go on.
 *
 * Callbacks are enabled and disabled by an option of the socket, SO_WSK_EVENT_CALLBACK:
 *
 *   - Enabling takes several callbacks at once, needs no IRP, and works at once. What a listener
 *     enables of a connection's callbacks is enabled on each connection that it accepts.
 *   - Disabling takes one callback at a time. It may be running at that moment, on another
 *     processor. Without an IRP the call then returns STATUS_EVENT_PENDING and nothing tells when
 *     the callback has returned. With an IRP it returns STATUS_PENDING, and the IRP completes when
 *     the callback is off and does not run.
 *
 * The statistics show what that is good for: they are two numbers that belong together, written by
 * the callback without a lock. Whoever wants to read them disables the callback first, with an IRP.
 *
 * What arrives while WskReceiveEvent is disabled waits in the transport, and a client that goes on
 * sending is held up; nothing is lost.
 */
#include <ntddk.h>
#include <wsk.h>

#include "callbacks_codes.h"

#define DEFAULT_PORT 7788
#define PROVIDER_WAIT_MS 1000

typedef enum _RECEIVING { Enabled, MaybeRunning, Disabled } RECEIVING;

/* An IRP that somebody waits for. */
typedef struct _CALL {
    PIRP Irp;
    KEVENT Done;
} CALL, *PCALL;

static struct {
    WSK_REGISTRATION Registration;
    WSK_PROVIDER_NPI Provider;
    PWSK_SOCKET Listener;
    CALL Call;                /* whose user holds Lock, but for DriverEntry and Unload */
    CALL AcceptCall;          /* disables WskAcceptEvent */
    EX_RUNDOWN_REF Accepting; /* held by the accept callback while it uses Listener */
    PDEVICE_OBJECT Device;
    PIO_WORKITEM WorkItem;
    FAST_MUTEX Lock;             /* held by whoever uses Socket: so it is not closed meanwhile */
    PWSK_SOCKET volatile Socket; /* the client's, or NULL; set by the accept callback */
    RECEIVING Receiving;
    BOOLEAN IsStopping;
    KEVENT NoClient; /* until one is accepted; again when its socket is closed */
    volatile LONG HasClient;
    volatile LONG IsEnding;          /* the work item is queued, or has been */
    BOOLEAN IsAbortive;              /* there is nobody to disconnect from */
    CALLBACKS_STATISTICS Statistics; /* the receive callback's */
    CALLBACKS_STATISTICS Last;       /* of the last client */
} Server;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD CallbacksUnload;
static DRIVER_DISPATCH CallbacksCreateClose;
static DRIVER_DISPATCH CallbacksControl;
static IO_COMPLETION_ROUTINE CallCompleted;
static IO_WORKITEM_ROUTINE EndWork;

/* ---- calls ---- */

static NTSTATUS CallCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PCALL Call = Context;
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(&Call->Done, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP CallPrepare(PCALL Call)
{
    IoReuseIrp(Call->Irp, STATUS_UNSUCCESSFUL);
    KeClearEvent(&Call->Done);
    IoSetCompletionRoutine(Call->Irp, CallCompleted, Call, TRUE, TRUE, TRUE);
    return Call->Irp;
}

static NTSTATUS CallWait(PCALL Call)
{
    KeWaitForSingleObject(&Call->Done, Executive, KernelMode, FALSE, NULL);
    return Call->Irp->IoStatus.Status;
}

static const WSK_PROVIDER_BASIC_DISPATCH *BasicOf(PWSK_SOCKET Socket)
{
    return Socket->Dispatch; /* each table begins with this one */
}

/* The only way to enable or disable a callback. The control block is read during the call. */
static NTSTATUS SetEvents(PWSK_SOCKET Socket, ULONG EventMask, PIRP Irp)
{
    WSK_EVENT_CALLBACK_CONTROL Control = {&NPI_WSK_INTERFACE_ID, EventMask};
    return BasicOf(Socket)->WskControlSocket(Socket, WskSetOption, SO_WSK_EVENT_CALLBACK,
                                             SOL_SOCKET, sizeof(Control), &Control, 0, NULL, NULL,
                                             Irp);
}

/* ---- the end of a client ---- */

/* Of the callbacks that see the end only the first queues the work item. */
static VOID QueueEnd(BOOLEAN IsAbortive)
{
    if (InterlockedExchange(&Server.IsEnding, TRUE) == FALSE) {
        Server.IsAbortive = IsAbortive;
        IoQueueWorkItem(Server.WorkItem, EndWork, DelayedWorkQueue, NULL);
    }
}

static VOID CloseClient(VOID)
{
    const WSK_PROVIDER_CONNECTION_DISPATCH *Dispatch = Server.Socket->Dispatch;
    if (!Server.IsAbortive) {
        Dispatch->WskDisconnect(Server.Socket, NULL, 0, CallPrepare(&Server.Call));
        CallWait(&Server.Call);
    }
    Dispatch->Basic.WskCloseSocket(Server.Socket, CallPrepare(&Server.Call));
    CallWait(&Server.Call);
    Server.Socket = NULL;
}

/* Everything that has to wait for WSK happens here and not in a callback: a callback that waits for
 * its own end, as for a close or a disable, waits for ever. */
static VOID EndWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Context);
    /* The disable may be newer than this client's end: enabling before it is through would be
     * undone by it. */
    CallWait(&Server.AcceptCall);
    ExAcquireFastMutex(&Server.Lock);
    CloseClient();
    Server.Last = Server.Statistics;
    RtlZeroMemory(&Server.Statistics, sizeof(Server.Statistics));
    Server.Receiving = Enabled; /* as the next client's will be, by the listener's setting */
    InterlockedExchange(&Server.IsEnding, FALSE);
    InterlockedExchange(&Server.HasClient, FALSE);
    KeSetEvent(&Server.NoClient, IO_NO_INCREMENT, FALSE);
    if (!Server.IsStopping) {
        SetEvents(Server.Listener, WSK_EVENT_ACCEPT, NULL);
    }
    ExReleaseFastMutex(&Server.Lock);
}

/* ---- callbacks; at DISPATCH_LEVEL or below ---- */

static VOID CountBytes(const UCHAR *Bytes, SIZE_T Length)
{
    for (SIZE_T i = 0; i < Length; i++) {
        Server.Statistics.Sum = Server.Statistics.Sum * 31 + Bytes[i];
    }
    Server.Statistics.Bytes += Length;
}

/* FALSE: an MDL could not be mapped. */
static BOOLEAN CountBuffer(const WSK_BUF *Buffer)
{
    SIZE_T Left = Buffer->Length;
    SIZE_T Offset = Buffer->Offset;
    for (PMDL Mdl = Buffer->Mdl; Left != 0; Mdl = Mdl->Next) {
        PUCHAR Address = MmGetSystemAddressForMdlSafe(Mdl, LowPagePriority | MdlMappingNoExecute);
        SIZE_T Length = min(Left, MmGetMdlByteCount(Mdl) - Offset);
        if (Address == NULL) {
            return FALSE;
        }
        CountBytes(Address + Offset, Length);
        Left -= Length;
        Offset = 0; /* it counts in the first MDL only */
    }
    return TRUE;
}

/* WSK calls it for one socket never twice at once, so there is nobody to share the numbers with. */
static NTSTATUS WSKAPI ClientReceive(PVOID SocketContext, ULONG Flags,
                                     PWSK_DATA_INDICATION DataIndication, SIZE_T BytesIndicated,
                                     SIZE_T *BytesAccepted)
{
    UNREFERENCED_PARAMETER(SocketContext);
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(BytesIndicated);
    UNREFERENCED_PARAMETER(BytesAccepted); /* untouched: all */
    if (DataIndication == NULL) {
        QueueEnd(TRUE);
        return STATUS_SUCCESS;
    }
    for (; DataIndication != NULL; DataIndication = DataIndication->Next) {
        if (!CountBuffer(&DataIndication->Buffer)) {
            QueueEnd(TRUE);
            break;
        }
    }
    return STATUS_SUCCESS;
}

static NTSTATUS WSKAPI ClientDisconnect(PVOID SocketContext, ULONG Flags)
{
    UNREFERENCED_PARAMETER(SocketContext);
    QueueEnd((Flags & WSK_FLAG_ABORTIVE) != 0);
    return STATUS_SUCCESS;
}

/* These must stay where they are as long as WSK may use them. */
static const WSK_CLIENT_DISPATCH ClientDispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};
static const WSK_CLIENT_CONNECTION_DISPATCH ConnectionDispatch = {ClientReceive, ClientDisconnect,
                                                                  NULL};

/* One client at a time. While there is one the accept event is off, and the next waits with the
 * transport. A callback may disable itself, only not wait for that: this IRP completes when we have
 * returned, and EndWork waits for it. */
static NTSTATUS WSKAPI ServerAccept(PVOID SocketContext, ULONG Flags, PSOCKADDR LocalAddress,
                                    PSOCKADDR RemoteAddress, PWSK_SOCKET AcceptSocket,
                                    PVOID *AcceptSocketContext,
                                    const WSK_CLIENT_CONNECTION_DISPATCH **AcceptSocketDispatch)
{
    UNREFERENCED_PARAMETER(SocketContext);
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(LocalAddress);
    UNREFERENCED_PARAMETER(RemoteAddress);
    /* The second, because it is not said that no call begins before the disable is through. */
    if (AcceptSocket == NULL || !ExAcquireRundownProtection(&Server.Accepting)) {
        return STATUS_REQUEST_NOT_ACCEPTED;
    }
    if (InterlockedExchange(&Server.HasClient, TRUE)) {
        ExReleaseRundownProtection(&Server.Accepting);
        return STATUS_REQUEST_NOT_ACCEPTED;
    }
    KeClearEvent(&Server.NoClient);
    SetEvents(Server.Listener, WSK_EVENT_ACCEPT | WSK_EVENT_DISABLE,
              CallPrepare(&Server.AcceptCall));
    ExReleaseRundownProtection(&Server.Accepting);
    *AcceptSocketContext = NULL;
    *AcceptSocketDispatch = &ConnectionDispatch;
    InterlockedExchangePointer((PVOID *)&Server.Socket,
                               AcceptSocket); /* from now on controls see it */
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_LISTEN_DISPATCH ListenDispatch = {ServerAccept, NULL, NULL};

/* ---- controls; Lock is held ---- */

static NTSTATUS CheckReceiving(BOOLEAN IsEnabled)
{
    if (Server.Socket == NULL) {
        return STATUS_DEVICE_NOT_CONNECTED;
    }
    return (Server.Receiving == Enabled) == IsEnabled ? STATUS_SUCCESS
                                                      : STATUS_INVALID_DEVICE_STATE;
}

/* STATUS_EVENT_PENDING is a success, and has to be told from STATUS_SUCCESS. */
static NTSTATUS Pause(VOID)
{
    NTSTATUS Status = CheckReceiving(TRUE);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = SetEvents(Server.Socket, WSK_EVENT_RECEIVE | WSK_EVENT_DISABLE, NULL);
    if (NT_SUCCESS(Status)) {
        Server.Receiving = Status == STATUS_EVENT_PENDING ? MaybeRunning : Disabled;
    }
    return Status;
}

/* The IRP completes also where the call returns STATUS_SUCCESS, so the wait is always right. */
static NTSTATUS PauseAndWait(VOID)
{
    NTSTATUS Status = CheckReceiving(TRUE);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    SetEvents(Server.Socket, WSK_EVENT_RECEIVE | WSK_EVENT_DISABLE, CallPrepare(&Server.Call));
    Status = CallWait(&Server.Call);
    if (NT_SUCCESS(Status)) {
        Server.Receiving = Disabled;
    }
    return Status;
}

static NTSTATUS Resume(VOID)
{
    NTSTATUS Status = CheckReceiving(FALSE);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Server.Receiving = Enabled;
    return SetEvents(Server.Socket, WSK_EVENT_RECEIVE, NULL);
}

static NTSTATUS Query(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    if (Stack->Parameters.DeviceIoControl.OutputBufferLength < sizeof(CALLBACKS_STATISTICS)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (Server.Socket != NULL && Server.Receiving != Disabled) {
        return STATUS_DEVICE_BUSY;
    }
    *(CALLBACKS_STATISTICS *)Irp->AssociatedIrp.SystemBuffer =
        Server.Socket != NULL ? Server.Statistics : Server.Last;
    Irp->IoStatus.Information = sizeof(CALLBACKS_STATISTICS);
    return STATUS_SUCCESS;
}

static NTSTATUS Control(PIRP Irp, PIO_STACK_LOCATION Stack)
{
    switch (Stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_CALLBACKS_PAUSE:
        return Pause();
    case IOCTL_CALLBACKS_PAUSE_AND_WAIT:
        return PauseAndWait();
    case IOCTL_CALLBACKS_RESUME:
        return Resume();
    case IOCTL_CALLBACKS_QUERY:
        return Query(Irp, Stack);
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS CallbacksControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Information = 0;
    ExAcquireFastMutex(&Server.Lock);
    NTSTATUS Status = Control(Irp, IoGetCurrentIrpStackLocation(Irp));
    ExReleaseFastMutex(&Server.Lock);
    return Complete(Irp, Status);
}

static NTSTATUS CallbacksCreateClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Information = 0;
    return Complete(Irp, STATUS_SUCCESS);
}

/* ---- the driver ---- */

/* Once the close has begun the callback must not use the listener any more. */
static VOID CloseListener(VOID)
{
    ExWaitForRundownProtectionRelease(&Server.Accepting);
    BasicOf(Server.Listener)->WskCloseSocket(Server.Listener, CallPrepare(&Server.Call));
    CallWait(&Server.Call);
}

/* Three callbacks by one call: the listener's own, and two that each of its connections will have.
 */
static NTSTATUS Listen(USHORT Port)
{
    SOCKADDR_IN Address = {.sin_family = AF_INET, .sin_port = RtlUshortByteSwap(Port)};
    Server.Provider.Dispatch->WskSocket(Server.Provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP,
                                        WSK_FLAG_LISTEN_SOCKET, NULL, &ListenDispatch, NULL, NULL,
                                        NULL, CallPrepare(&Server.Call));
    NTSTATUS Status = CallWait(&Server.Call);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Server.Listener = (PWSK_SOCKET)Server.Call.Irp->IoStatus.Information;
    const WSK_PROVIDER_LISTEN_DISPATCH *Dispatch = Server.Listener->Dispatch;
    Dispatch->WskBind(Server.Listener, (PSOCKADDR)&Address, 0, CallPrepare(&Server.Call));
    Status = CallWait(&Server.Call);
    if (NT_SUCCESS(Status)) {
        Status = SetEvents(Server.Listener,
                           WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT, NULL);
    }
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
        Status = Listen(Port);
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
    UNICODE_STRING Link = RTL_CONSTANT_STRING(CALLBACKS_LINK_NAME);
    IoDeleteSymbolicLink(&Link);
    if (Server.Call.Irp != NULL) {
        IoFreeIrp(Server.Call.Irp);
    }
    if (Server.AcceptCall.Irp != NULL) {
        IoFreeIrp(Server.AcceptCall.Irp);
    }
    if (Server.WorkItem != NULL) {
        IoFreeWorkItem(Server.WorkItem);
    }
    IoDeleteDevice(Server.Device);
}

static NTSTATUS AllocateAll(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(CALLBACKS_DEVICE_NAME);
    UNICODE_STRING Link = RTL_CONSTANT_STRING(CALLBACKS_LINK_NAME);
    NTSTATUS Status = IoCreateDevice(DriverObject, 0, &Name, 0x8000, FILE_DEVICE_SECURE_OPEN, FALSE,
                                     &Server.Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IoCreateSymbolicLink(&Link, &Name);
    Server.Call.Irp = IoAllocateIrp(1, FALSE);
    Server.AcceptCall.Irp = IoAllocateIrp(1, FALSE);
    Server.WorkItem = IoAllocateWorkItem(Server.Device);
    if (Server.Call.Irp == NULL || Server.AcceptCall.Irp == NULL || Server.WorkItem == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
    }
    if (!NT_SUCCESS(Status)) {
        FreeAll();
    }
    return Status;
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

/* No new clients; then the client, if there is one, by the same way as always. */
static VOID CallbacksUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    ExAcquireFastMutex(&Server.Lock);
    Server.IsStopping = TRUE;
    CloseListener();
    if (Server.HasClient) {
        QueueEnd(TRUE);
    }
    ExReleaseFastMutex(&Server.Lock);
    KeWaitForSingleObject(&Server.NoClient, Executive, KernelMode, FALSE, NULL);
    ExAcquireFastMutex(&Server.Lock); /* until the work item has let go of it */
    ExReleaseFastMutex(&Server.Lock);
    WskReleaseProviderNPI(&Server.Registration);
    WskDeregister(&Server.Registration);
    FreeAll();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ExInitializeFastMutex(&Server.Lock);
    ExInitializeRundownProtection(&Server.Accepting);
    KeInitializeEvent(&Server.Call.Done, NotificationEvent, FALSE);
    KeInitializeEvent(&Server.AcceptCall.Done, NotificationEvent, FALSE);
    KeInitializeEvent(&Server.NoClient, NotificationEvent, TRUE);
    NTSTATUS Status = AllocateAll(DriverObject);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = Start(ReadPort(RegistryPath));
    if (!NT_SUCCESS(Status)) {
        FreeAll();
        return Status;
    }
    DriverObject->MajorFunction[IRP_MJ_CREATE] = CallbacksCreateClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = CallbacksCreateClose;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = CallbacksControl;
    DriverObject->DriverUnload = CallbacksUnload;
    return STATUS_SUCCESS;
}
