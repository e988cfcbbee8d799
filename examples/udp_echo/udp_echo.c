/*
 * udp_echo: a UDP echo server by IRPs. A few slots, each with an IRP and a buffer of its own, wait
 * in WskReceiveFrom side by side; whichever gets a datagram sends it back by WskSendTo and waits
 * again. While one slot sends, the others receive.
 *
 * A slot is turned by one thread at a time, as a connection of tcp_echo is: a completion, and the
 * wish to stop, are turns; whoever brings the first one goes on until none is left. So completions
 * do not nest, and IoCancelIrp never meets an IRP that is just being sent again.
 *
 * The last slot that ends closes the socket: then no call on it is in progress any more.
 */
#include <ntddk.h>
#include <wsk.h>

#define DEFAULT_PORT 7777
#define PROVIDER_WAIT_MS 1000
#define SLOTS 4
#define BUFFER_BYTES 65536 /* no datagram is longer, so none is truncated */
#define POOL_TAG 'cEpU'

/* Non-paged: WSK writes to From and Buffer at DISPATCH_LEVEL. */
typedef struct _SLOT {
    PIRP Irp;
    PMDL Mdl; /* of Buffer */
    BOOLEAN IsReceiving;
    volatile LONG Turns;
    volatile LONG HasCompleted; /* Irp is back */
    SOCKADDR_IN From;
    UCHAR Buffer[BUFFER_BYTES];
} SLOT, *PSLOT;

static struct {
    WSK_REGISTRATION Registration;
    WSK_PROVIDER_NPI Provider;
    PWSK_SOCKET Socket;
    const WSK_PROVIDER_DATAGRAM_DISPATCH *Dispatch;
    PIRP Irp;      /* the socket's creation and bind */
    KEVENT Done;   /* Irp is back */
    PIRP CloseIrp; /* the socket's close */
    KEVENT Closed; /* CloseIrp is back */
    volatile LONG IsStopping;
    volatile LONG LiveSlots;
    PSLOT Slots[SLOTS];
} Server;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD EchoUnload;
static IO_COMPLETION_ROUTINE SlotCompleted;
static IO_COMPLETION_ROUTINE SignalEvent;

/* ---- calls on the socket that are not a slot's ---- */

static NTSTATUS SignalEvent(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Context, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED; /* the IRP is the driver's own */
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

/* Does not wait: the last slot may end at DISPATCH_LEVEL. Unload waits for Closed, an event of its
 * own: Done is still set from the bind. */
static VOID ServerClose(VOID)
{
    IoSetCompletionRoutine(Server.CloseIrp, SignalEvent, &Server.Closed, TRUE, TRUE, TRUE);
    Server.Dispatch->Basic.WskCloseSocket(Server.Socket, Server.CloseIrp);
}

static VOID ServerWaitClosed(VOID)
{
    KeWaitForSingleObject(&Server.Closed, Executive, KernelMode, FALSE, NULL);
}

/* ---- a slot ---- */

static PIRP SlotPrepare(PSLOT Slot, BOOLEAN IsReceiving)
{
    Slot->IsReceiving = IsReceiving;
    IoReuseIrp(Slot->Irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(Slot->Irp, SlotCompleted, Slot, TRUE, TRUE, TRUE);
    return Slot->Irp;
}

static VOID SlotReceive(PSLOT Slot)
{
    WSK_BUF Buffer = {Slot->Mdl, 0, BUFFER_BYTES};
    Server.Dispatch->WskReceiveFrom(Server.Socket, &Buffer, 0, (PSOCKADDR)&Slot->From, NULL, NULL,
                                    NULL, SlotPrepare(Slot, TRUE));
}

/* An empty datagram is one too: it goes back as it came. */
static VOID SlotSend(PSLOT Slot, SIZE_T Length)
{
    WSK_BUF Buffer = {Slot->Mdl, 0, Length};
    Server.Dispatch->WskSendTo(Server.Socket, &Buffer, 0, (PSOCKADDR)&Slot->From, 0, NULL,
                               SlotPrepare(Slot, FALSE));
}

/* Whether the slot has to end. Any other failure concerns one datagram: UDP may lose it. */
static BOOLEAN IsOver(NTSTATUS Status)
{
    return Server.IsStopping || Status == STATUS_CANCELLED || Status == STATUS_FILE_FORCED_CLOSED;
}

/* One turn. FALSE: the slot has ended, and may be freed by now. */
static BOOLEAN SlotTurn(PSLOT Slot)
{
    if (!InterlockedExchange(&Slot->HasCompleted, FALSE)) {
        IoCancelIrp(Slot->Irp); /* this turn is Unload's */
        return TRUE;
    }
    NTSTATUS Status = Slot->Irp->IoStatus.Status;
    if (IsOver(Status)) {
        if (InterlockedDecrement(&Server.LiveSlots) == 0) {
            ServerClose();
        }
        return FALSE;
    }
    if (Slot->IsReceiving && NT_SUCCESS(Status)) {
        SlotSend(Slot, Slot->Irp->IoStatus.Information);
    } else {
        SlotReceive(Slot);
    }
    return TRUE;
}

static VOID SlotRun(PSLOT Slot)
{
    while (SlotTurn(Slot) && InterlockedDecrement(&Slot->Turns) != 0) {
        continue;
    }
}

static VOID SlotAddTurn(PSLOT Slot)
{
    if (InterlockedIncrement(&Slot->Turns) == 1) {
        SlotRun(Slot);
    }
}

static NTSTATUS SlotCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PSLOT Slot = Context;
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    InterlockedExchange(&Slot->HasCompleted, TRUE);
    SlotAddTurn(Slot);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* The first turn is this thread's: it ends when the receive is under way. */
static VOID SlotStart(PSLOT Slot)
{
    Slot->Turns = 1;
    SlotReceive(Slot);
    if (InterlockedDecrement(&Slot->Turns) != 0) {
        SlotRun(Slot);
    }
}

static VOID SlotFree(PSLOT Slot)
{
    if (Slot->Irp != NULL) {
        IoFreeIrp(Slot->Irp);
    }
    if (Slot->Mdl != NULL) {
        IoFreeMdl(Slot->Mdl);
    }
    ExFreePoolWithTag(Slot, POOL_TAG);
}

static PSLOT SlotAllocate(VOID)
{
    PSLOT Slot = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Slot), POOL_TAG);
    if (Slot == NULL) {
        return NULL;
    }
    Slot->Irp = IoAllocateIrp(1, FALSE);
    Slot->Mdl = IoAllocateMdl(Slot->Buffer, BUFFER_BYTES, FALSE, FALSE, NULL);
    if (Slot->Irp == NULL || Slot->Mdl == NULL) {
        SlotFree(Slot);
        return NULL;
    }
    MmBuildMdlForNonPagedPool(Slot->Mdl);
    return Slot;
}

/* ---- the driver ---- */

static VOID FreeServer(VOID)
{
    for (ULONG i = 0; i < SLOTS; i++) {
        if (Server.Slots[i] != NULL) {
            SlotFree(Server.Slots[i]);
        }
    }
    if (Server.Irp != NULL) {
        IoFreeIrp(Server.Irp);
    }
    if (Server.CloseIrp != NULL) {
        IoFreeIrp(Server.CloseIrp);
    }
}

static NTSTATUS AllocateServer(VOID)
{
    Server.Irp = IoAllocateIrp(1, FALSE);
    Server.CloseIrp = IoAllocateIrp(1, FALSE);
    if (Server.Irp == NULL || Server.CloseIrp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    for (ULONG i = 0; i < SLOTS; i++) {
        Server.Slots[i] = SlotAllocate();
        if (Server.Slots[i] == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    return STATUS_SUCCESS;
}

static NTSTATUS ServerOpen(USHORT Port)
{
    SOCKADDR_IN Address = {.sin_family = AF_INET, .sin_port = RtlUshortByteSwap(Port)};
    Server.Provider.Dispatch->WskSocket(Server.Provider.Client, AF_INET, SOCK_DGRAM, IPPROTO_UDP,
                                        WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL, NULL, NULL, NULL,
                                        ServerPrepare());
    NTSTATUS Status = ServerWait();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Server.Socket = (PWSK_SOCKET)Server.Irp->IoStatus.Information;
    Server.Dispatch = Server.Socket->Dispatch;
    Server.Dispatch->WskBind(Server.Socket, (PSOCKADDR)&Address, 0, ServerPrepare());
    Status = ServerWait();
    if (!NT_SUCCESS(Status)) {
        ServerClose();
        ServerWaitClosed();
        return Status;
    }
    Server.LiveSlots = SLOTS;
    for (ULONG i = 0; i < SLOTS; i++) {
        SlotStart(Server.Slots[i]);
    }
    return STATUS_SUCCESS;
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
    InterlockedExchange(&Server.IsStopping, TRUE);
    for (ULONG i = 0; i < SLOTS; i++) {
        SlotAddTurn(Server.Slots[i]);
    }
    ServerWaitClosed(); /* by the last slot */
    WskReleaseProviderNPI(&Server.Registration);
    WskDeregister(&Server.Registration);
    FreeServer();
    DbgPrint("udp_echo: unloaded\n");
}

/* Must stay where it is as long as WSK may use it. */
static const WSK_CLIENT_DISPATCH ClientDispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};

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
    KeInitializeEvent(&Server.Done, NotificationEvent, FALSE);
    KeInitializeEvent(&Server.Closed, NotificationEvent, FALSE);
    NTSTATUS Status = AllocateServer();
    if (NT_SUCCESS(Status)) {
        Status = Start(Port);
    }
    if (!NT_SUCCESS(Status)) {
        FreeServer();
        return Status;
    }
    DriverObject->DriverUnload = EchoUnload;
    DbgPrint("udp_echo: receives on port %u\n", Port);
    return STATUS_SUCCESS;
}
