/*
 * relay: accepts connections on Parameters\Port of 127.0.0.1, connects each to Parameters\Target of
 * 127.0.0.1, and forwards both ways until both ends have ended.
 *
 * A pair of connections has two directions, each with an IRP and a buffer: receive, send what came,
 * receive again; at the end of the stream, end it at the other side. One thread makes all calls.
 * Completion routines only put the direction that is ready into a queue.
 */
#include <ntddk.h>
#include <wsk.h>

#define DEFAULT_PORT 7000
#define DEFAULT_TARGET 7001
#define PROVIDER_WAIT_MS 1000
#define BUFFER_BYTES 65536
#define POOL_TAG 'yleR'

typedef enum _STATE { Connecting, Receiving, Sending, Disconnecting, Ended, Closing } STATE;

typedef struct _DIRECTION {
    LIST_ENTRY ReadyLink;
    struct _PAIR *Pair;
    PWSK_SOCKET From; /* closed by this direction's IRP, at last */
    PWSK_SOCKET To;
    STATE State;
    PIRP Irp;
    PMDL Mdl;
    UCHAR Buffer[BUFFER_BYTES];
} DIRECTION, *PDIRECTION;

typedef struct _PAIR {
    LIST_ENTRY Link;
    BOOLEAN IsBroken; /* an end was reset, or the driver stops */
    ULONG Unclosed;   /* sockets */
    DIRECTION Up;     /* from the client to the target */
    DIRECTION Down;
} PAIR, *PPAIR;

static struct {
    WSK_REGISTRATION Registration;
    WSK_PROVIDER_NPI Provider;
    USHORT Target;
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
    LIST_ENTRY Pairs;
    BOOLEAN IsAccepting;
} Relay;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD RelayUnload;
static IO_COMPLETION_ROUTINE SignalDone;
static IO_COMPLETION_ROUTINE DirectionCompleted;
static KSTART_ROUTINE RelayThread;

/* ---- calls ---- */

static NTSTATUS SignalDone(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);
    KeSetEvent(&Relay.Done, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP Prepare(VOID)
{
    IoReuseIrp(Relay.Irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(Relay.Irp, SignalDone, NULL, TRUE, TRUE, TRUE);
    return Relay.Irp;
}

static NTSTATUS Wait(VOID)
{
    KeWaitForSingleObject(&Relay.Done, Executive, KernelMode, FALSE, NULL);
    return Relay.Irp->IoStatus.Status;
}

static NTSTATUS DirectionCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PDIRECTION Direction = Context;
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    ExInterlockedInsertTailList(&Relay.Ready, &Direction->ReadyLink, &Relay.ReadyLock);
    KeSetEvent(&Relay.SomeReady, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP DirectionPrepare(PDIRECTION Direction, STATE State)
{
    Direction->State = State;
    IoReuseIrp(Direction->Irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(Direction->Irp, DirectionCompleted, Direction, TRUE, TRUE, TRUE);
    return Direction->Irp;
}

static const WSK_PROVIDER_CONNECTION_DISPATCH *DispatchOf(PWSK_SOCKET Socket)
{
    return Socket->Dispatch;
}

/* ---- a direction ---- */

static VOID DirectionReceive(PDIRECTION Direction)
{
    WSK_BUF Buffer = {Direction->Mdl, 0, BUFFER_BYTES};
    DispatchOf(Direction->From)
        ->WskReceive(Direction->From, &Buffer, 0, DirectionPrepare(Direction, Receiving));
}

static VOID DirectionSend(PDIRECTION Direction, SIZE_T Length)
{
    WSK_BUF Buffer = {Direction->Mdl, 0, Length};
    DispatchOf(Direction->To)
        ->WskSend(Direction->To, &Buffer, 0, DirectionPrepare(Direction, Sending));
}

static VOID DirectionEndStream(PDIRECTION Direction)
{
    DispatchOf(Direction->To)
        ->WskDisconnect(Direction->To, NULL, 0, DirectionPrepare(Direction, Disconnecting));
}

/* ---- a pair ---- */

static VOID DirectionFree(PDIRECTION Direction)
{
    if (Direction->Irp != NULL) {
        IoFreeIrp(Direction->Irp);
    }
    if (Direction->Mdl != NULL) {
        IoFreeMdl(Direction->Mdl);
    }
}

static VOID PairFree(PPAIR Pair)
{
    DirectionFree(&Pair->Up);
    DirectionFree(&Pair->Down);
    ExFreePoolWithTag(Pair, POOL_TAG);
}

static BOOLEAN DirectionInitialize(PPAIR Pair, PDIRECTION Direction)
{
    Direction->Pair = Pair;
    Direction->State = Ended;
    Direction->Irp = IoAllocateIrp(1, FALSE);
    Direction->Mdl = IoAllocateMdl(Direction->Buffer, BUFFER_BYTES, FALSE, FALSE, NULL);
    if (Direction->Irp == NULL || Direction->Mdl == NULL) {
        return FALSE;
    }
    MmBuildMdlForNonPagedPool(Direction->Mdl);
    return TRUE;
}

static PPAIR PairAllocate(VOID)
{
    PPAIR Pair = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Pair), POOL_TAG);
    if (Pair == NULL) {
        return NULL;
    }
    if (!DirectionInitialize(Pair, &Pair->Up) || !DirectionInitialize(Pair, &Pair->Down)) {
        PairFree(Pair);
        return NULL;
    }
    return Pair;
}

static VOID PairConnect(PPAIR Pair)
{
    SOCKADDR_IN Local = {.sin_family = AF_INET};
    SOCKADDR_IN Remote = {.sin_family = AF_INET,
                          .sin_port = RtlUshortByteSwap(Relay.Target),
                          .sin_addr.S_un.S_un_b = {127, 0, 0, 1}};
    Relay.Provider.Dispatch->WskSocketConnect(
        Relay.Provider.Client, SOCK_STREAM, IPPROTO_TCP, (PSOCKADDR)&Local, (PSOCKADDR)&Remote, 0,
        NULL, NULL, NULL, NULL, NULL, DirectionPrepare(&Pair->Up, Connecting));
}

/* Closes the sockets that there are; the last close that completes frees the pair. */
static VOID PairClose(PPAIR Pair)
{
    PDIRECTION Directions[] = {&Pair->Up, &Pair->Down};
    Pair->Unclosed = Pair->Down.From != NULL ? 2 : 1;
    for (ULONG i = 0; i < Pair->Unclosed; i++) {
        PWSK_SOCKET Socket = Directions[i]->From;
        DispatchOf(Socket)->Basic.WskCloseSocket(Socket, DirectionPrepare(Directions[i], Closing));
    }
}

static VOID PairBreak(PPAIR Pair)
{
    PDIRECTION Directions[] = {&Pair->Up, &Pair->Down};
    Pair->IsBroken = TRUE;
    for (ULONG i = 0; i < RTL_NUMBER_OF(Directions); i++) {
        if (Directions[i]->State != Ended && Directions[i]->State != Closing) {
            IoCancelIrp(Directions[i]->Irp);
        }
    }
}

static VOID DirectionEnd(PDIRECTION Direction)
{
    PPAIR Pair = Direction->Pair;
    Direction->State = Ended;
    if (Pair->Up.State == Ended && Pair->Down.State == Ended) {
        PairClose(Pair);
    }
}

static VOID PairStart(PPAIR Pair)
{
    Pair->Up.To = Pair->Down.From = (PWSK_SOCKET)Pair->Up.Irp->IoStatus.Information;
    Pair->Down.To = Pair->Up.From;
    if (Pair->IsBroken) {
        PairClose(Pair);
        return;
    }
    DirectionReceive(&Pair->Down);
    DirectionReceive(&Pair->Up);
}

static VOID DirectionGoOn(PDIRECTION Direction)
{
    PPAIR Pair = Direction->Pair;
    BOOLEAN IsSuccess = NT_SUCCESS(Direction->Irp->IoStatus.Status);
    SIZE_T Length = Direction->Irp->IoStatus.Information;
    if (Direction->State == Closing) {
        if (--Pair->Unclosed == 0) {
            RemoveEntryList(&Pair->Link);
            PairFree(Pair);
        }
    } else if (Direction->State == Connecting && IsSuccess) {
        PairStart(Pair);
    } else if (!IsSuccess || Pair->IsBroken) {
        Direction->State = Ended;
        PairBreak(Pair);
        DirectionEnd(Direction);
    } else if (Direction->State == Receiving && Length != 0) {
        DirectionSend(Direction, Length);
    } else if (Direction->State == Receiving) {
        DirectionEndStream(Direction);
    } else if (Direction->State == Sending) {
        DirectionReceive(Direction);
    } else {
        DirectionEnd(Direction);
    }
}

/* ---- the thread ---- */

static VOID BeginAccept(VOID)
{
    if (!Relay.IsAccepting && !Relay.IsStopping) {
        Relay.IsAccepting = TRUE;
        Relay.Dispatch->WskAccept(Relay.Listener, 0, NULL, NULL, NULL, NULL, Prepare());
    }
}

static VOID EndAccept(VOID)
{
    Relay.IsAccepting = FALSE;
    if (!NT_SUCCESS(Relay.Irp->IoStatus.Status)) {
        Relay.IsStopping = TRUE;
        return;
    }
    PWSK_SOCKET Socket = (PWSK_SOCKET)Relay.Irp->IoStatus.Information;
    PPAIR Pair = PairAllocate();
    if (Pair == NULL) {
        DispatchOf(Socket)->Basic.WskCloseSocket(Socket, Prepare());
        Wait();
        return;
    }
    Pair->Up.From = Socket;
    InsertTailList(&Relay.Pairs, &Pair->Link);
    PairConnect(Pair);
}

static VOID GoOnWithReady(VOID)
{
    PLIST_ENTRY Entry;
    while ((Entry = ExInterlockedRemoveHeadList(&Relay.Ready, &Relay.ReadyLock)) != NULL) {
        DirectionGoOn(CONTAINING_RECORD(Entry, DIRECTION, ReadyLink));
    }
}

static VOID BeginStop(VOID)
{
    Relay.IsStopping = TRUE;
    if (Relay.IsAccepting) {
        IoCancelIrp(Relay.Irp);
    }
    for (PLIST_ENTRY Entry = Relay.Pairs.Flink; Entry != &Relay.Pairs; Entry = Entry->Flink) {
        PairBreak(CONTAINING_RECORD(Entry, PAIR, Link));
    }
}

static VOID RelayThread(PVOID Context)
{
    PVOID Objects[] = {&Relay.Done, &Relay.SomeReady, &Relay.Stop};
    UNREFERENCED_PARAMETER(Context);
    BeginAccept();
    while (!Relay.IsStopping || Relay.IsAccepting || !IsListEmpty(&Relay.Pairs)) {
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
    Relay.Dispatch->Basic.WskCloseSocket(Relay.Listener, Prepare());
    Wait();
}

static NTSTATUS Listen(USHORT Port)
{
    SOCKADDR_IN Address = {.sin_family = AF_INET,
                           .sin_port = RtlUshortByteSwap(Port),
                           .sin_addr.S_un.S_un_b = {127, 0, 0, 1}};
    Relay.Provider.Dispatch->WskSocket(Relay.Provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP,
                                       WSK_FLAG_LISTEN_SOCKET, NULL, NULL, NULL, NULL, NULL,
                                       Prepare());
    NTSTATUS Status = Wait();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Relay.Listener = (PWSK_SOCKET)Relay.Irp->IoStatus.Information;
    Relay.Dispatch = Relay.Listener->Dispatch;
    Relay.Dispatch->WskBind(Relay.Listener, (PSOCKADDR)&Address, 0, Prepare());
    Status = Wait();
    if (!NT_SUCCESS(Status)) {
        CloseListener();
    }
    return Status;
}

static NTSTATUS StartThread(VOID)
{
    HANDLE Handle;
    NTSTATUS Status =
        PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, RelayThread, NULL);
    if (NT_SUCCESS(Status)) {
        ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode,
                                  (PVOID *)&Relay.Thread, NULL);
        ZwClose(Handle);
    }
    return Status;
}

static NTSTATUS StartRelaying(USHORT Port)
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
    NTSTATUS Status = WskRegister(&Client, &Relay.Registration);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = WskCaptureProviderNPI(&Relay.Registration, PROVIDER_WAIT_MS, &Relay.Provider);
    if (NT_SUCCESS(Status)) {
        Status = StartRelaying(Port);
        if (!NT_SUCCESS(Status)) {
            WskReleaseProviderNPI(&Relay.Registration);
        }
    }
    if (!NT_SUCCESS(Status)) {
        WskDeregister(&Relay.Registration);
    }
    return Status;
}

static USHORT ReadParameter(PUNICODE_STRING RegistryPath, PWSTR Name, ULONG Value)
{
    RTL_QUERY_REGISTRY_TABLE Table[3] = {{0}};
    Table[0].Flags = RTL_QUERY_REGISTRY_SUBKEY;
    Table[0].Name = L"Parameters";
    Table[1].Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK;
    Table[1].Name = Name;
    Table[1].EntryContext = &Value;
    Table[1].DefaultType = (REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) | REG_NONE;
    RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, RegistryPath->Buffer, Table, NULL, NULL);
    return (USHORT)Value;
}

static VOID RelayUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    KeSetEvent(&Relay.Stop, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(Relay.Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Relay.Thread);
    CloseListener();
    WskReleaseProviderNPI(&Relay.Registration);
    WskDeregister(&Relay.Registration);
    IoFreeIrp(Relay.Irp);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    Relay.Target = ReadParameter(RegistryPath, L"Target", DEFAULT_TARGET);
    KeInitializeSpinLock(&Relay.ReadyLock);
    InitializeListHead(&Relay.Ready);
    InitializeListHead(&Relay.Pairs);
    KeInitializeEvent(&Relay.SomeReady, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Relay.Stop, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Relay.Done, SynchronizationEvent, FALSE);
    Relay.Irp = IoAllocateIrp(1, FALSE);
    if (Relay.Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NTSTATUS Status = Start(ReadParameter(RegistryPath, L"Port", DEFAULT_PORT));
    if (!NT_SUCCESS(Status)) {
        IoFreeIrp(Relay.Irp);
        return Status;
    }
    DriverObject->DriverUnload = RelayUnload;
    return STATUS_SUCCESS;
}
