/*
 * The driver of docs/testing.md: connects to the port of 127.0.0.1 that its value "Port" names,
 * says hello, sends back all that comes, and closes when the server sends no more.
 */
#include <ntddk.h>
#include <wsk.h>

static const WSK_CLIENT_DISPATCH ClientDispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};

static WSK_REGISTRATION Registration;
static WSK_PROVIDER_NPI Provider;
static PETHREAD Thread;
static PIRP Irp;
static KEVENT Done;
static UCHAR Bytes[512];
static PMDL Mdl;
static USHORT Port;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD MyUnload;
static KSTART_ROUTINE MyThread;
static IO_COMPLETION_ROUTINE NoteCompletion;

static NTSTATUS NoteCompletion(PDEVICE_OBJECT DeviceObject, PIRP Completed, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Completed);
    UNREFERENCED_PARAMETER(Context);
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP Prepare(VOID)
{
    IoReuseIrp(Irp, STATUS_UNSUCCESSFUL);
    KeClearEvent(&Done);
    IoSetCompletionRoutine(Irp, NoteCompletion, NULL, TRUE, TRUE, TRUE);
    return Irp;
}

/* The IRP completes whatever the call returned. */
static NTSTATUS Wait(VOID)
{
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    return Irp->IoStatus.Status;
}

static NTSTATUS Connect(PWSK_SOCKET *Socket)
{
    SOCKADDR_IN Local = {.sin_family = AF_INET};
    SOCKADDR_IN Remote = {.sin_family = AF_INET,
                          .sin_port = RtlUshortByteSwap(Port),
                          .sin_addr.S_un.S_un_b = {127, 0, 0, 1}};
    Provider.Dispatch->WskSocket(Provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP,
                                 WSK_FLAG_CONNECTION_SOCKET, NULL, NULL, NULL, NULL, NULL,
                                 Prepare());
    NTSTATUS Status = Wait();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    *Socket = (PWSK_SOCKET)Irp->IoStatus.Information;
    const WSK_PROVIDER_CONNECTION_DISPATCH *Dispatch = (*Socket)->Dispatch;
    Dispatch->WskBind(*Socket, (PSOCKADDR)&Local, 0, Prepare());
    Status = Wait();
    if (NT_SUCCESS(Status)) {
        Dispatch->WskConnect(*Socket, (PSOCKADDR)&Remote, 0, Prepare());
        Status = Wait();
    }
    return Status;
}

static VOID Talk(PWSK_SOCKET Socket)
{
    const WSK_PROVIDER_CONNECTION_DISPATCH *Dispatch = Socket->Dispatch;
    SIZE_T Length = 5;
    RtlCopyMemory(Bytes, "hello", Length);
    while (Length != 0) {
        WSK_BUF Filled = {Mdl, 0, Length};
        WSK_BUF Empty = {Mdl, 0, sizeof(Bytes)};
        Dispatch->WskSend(Socket, &Filled, 0, Prepare());
        if (!NT_SUCCESS(Wait())) {
            return;
        }
        Dispatch->WskReceive(Socket, &Empty, 0, Prepare());
        if (!NT_SUCCESS(Wait())) {
            return;
        }
        Length = Irp->IoStatus.Information;
    }
    Dispatch->WskDisconnect(Socket, NULL, 0, Prepare()); /* a close alone would be a reset */
    Wait();
}

static VOID MyThread(PVOID Context)
{
    PWSK_SOCKET Socket = NULL;
    UNREFERENCED_PARAMETER(Context);
    NTSTATUS Status = Connect(&Socket);
    if (NT_SUCCESS(Status)) {
        Talk(Socket);
    }
    if (Socket != NULL) {
        ((const WSK_PROVIDER_BASIC_DISPATCH *)Socket->Dispatch)->WskCloseSocket(Socket, Prepare());
        Wait();
    }
    PsTerminateSystemThread(Status);
}

static NTSTATUS ReadPort(PUNICODE_STRING RegistryPath)
{
    RTL_QUERY_REGISTRY_TABLE Table[2] = {{0}};
    ULONG Value = 0;
    Table[0].Flags =
        RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_REQUIRED | RTL_QUERY_REGISTRY_TYPECHECK;
    Table[0].Name = L"Port";
    Table[0].EntryContext = &Value;
    Table[0].DefaultType = (REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) | REG_NONE;
    NTSTATUS Status =
        RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, RegistryPath->Buffer, Table, NULL, NULL);
    Port = (USHORT)Value;
    return Status;
}

static NTSTATUS StartThread(VOID)
{
    HANDLE Handle;
    NTSTATUS Status =
        PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, MyThread, NULL);
    if (NT_SUCCESS(Status)) {
        Status = ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode,
                                           (PVOID *)&Thread, NULL);
        ZwClose(Handle);
    }
    return Status;
}

static VOID FreeAll(VOID)
{
    if (Irp != NULL) {
        IoFreeIrp(Irp);
    }
    if (Mdl != NULL) {
        IoFreeMdl(Mdl);
    }
}

static VOID MyUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Thread);
    WskReleaseProviderNPI(&Registration);
    WskDeregister(&Registration);
    FreeAll();
}

static NTSTATUS Start(VOID)
{
    WSK_CLIENT_NPI ClientNpi = {NULL, &ClientDispatch};
    NTSTATUS Status = WskRegister(&ClientNpi, &Registration);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = WskCaptureProviderNPI(&Registration, WSK_INFINITE_WAIT, &Provider);
    if (NT_SUCCESS(Status)) {
        Status = StartThread();
        if (!NT_SUCCESS(Status)) {
            WskReleaseProviderNPI(&Registration);
        }
    }
    if (!NT_SUCCESS(Status)) {
        WskDeregister(&Registration);
    }
    return Status;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = ReadPort(RegistryPath);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    Irp = IoAllocateIrp(1, FALSE);
    Mdl = IoAllocateMdl(Bytes, sizeof(Bytes), FALSE, FALSE, NULL);
    Status = STATUS_INSUFFICIENT_RESOURCES;
    if (Irp != NULL && Mdl != NULL) {
        MmBuildMdlForNonPagedPool(Mdl);
        Status = Start();
    }
    if (!NT_SUCCESS(Status)) {
        FreeAll();
        return Status;
    }
    DriverObject->DriverUnload = MyUnload;
    return STATUS_SUCCESS;
}
