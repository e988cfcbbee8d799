/* One listener, one connection, one thread, one IRP. */
#include "foreign.h"

#include <wsk.h>

#define BUFFER_BYTES 4096
#define POOL_TAG 'nroF'

static struct {
    WSK_REGISTRATION Registration;
    WSK_PROVIDER_NPI Provider;
    PWSK_SOCKET Listener;
    PIRP Irp;
    KEVENT Done;
    PKTHREAD Thread; /* NULL: there is no server */
} Server;

static const WSK_CLIENT_DISPATCH ClientDispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};

static NTSTATUS NTAPI SignalEvent(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Context, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP Prepare(VOID)
{
    IoReuseIrp(Server.Irp, STATUS_UNSUCCESSFUL);
    KeClearEvent(&Server.Done);
    IoSetCompletionRoutine(Server.Irp, SignalEvent, &Server.Done, TRUE, TRUE, TRUE);
    return Server.Irp;
}

static NTSTATUS Await(VOID)
{
    KeWaitForSingleObject(&Server.Done, Executive, KernelMode, FALSE, NULL);
    return Server.Irp->IoStatus.Status;
}

static VOID CloseSocket(PWSK_SOCKET Socket)
{
    const WSK_PROVIDER_BASIC_DISPATCH *Dispatch = Socket->Dispatch;
    Dispatch->WskCloseSocket(Socket, Prepare());
    Await();
}

static VOID Echo(PWSK_SOCKET Socket, PMDL Mdl)
{
    const WSK_PROVIDER_CONNECTION_DISPATCH *Dispatch = Socket->Dispatch;
    for (;;) {
        WSK_BUF Buffer = {Mdl, 0, BUFFER_BYTES};
        Dispatch->WskReceive(Socket, &Buffer, 0, Prepare());
        if (!NT_SUCCESS(Await()) || Server.Irp->IoStatus.Information == 0) {
            break;
        }
        Buffer.Length = Server.Irp->IoStatus.Information;
        Dispatch->WskSend(Socket, &Buffer, 0, Prepare());
        if (!NT_SUCCESS(Await())) {
            break;
        }
    }
    Dispatch->WskDisconnect(Socket, NULL, 0, Prepare());
    Await();
}

static VOID EchoInMemory(PWSK_SOCKET Socket)
{
    PVOID Memory = ExAllocatePoolWithTag(NonPagedPoolNx, BUFFER_BYTES, POOL_TAG);
    PMDL Mdl = NULL;
    if (Memory != NULL) {
        Mdl = IoAllocateMdl(Memory, BUFFER_BYTES, FALSE, FALSE, NULL);
    }
    if (Mdl != NULL) {
        MmBuildMdlForNonPagedPool(Mdl);
        Echo(Socket, Mdl);
        IoFreeMdl(Mdl);
    }
    if (Memory != NULL) {
        ExFreePoolWithTag(Memory, POOL_TAG);
    }
}

static VOID NTAPI Serve(PVOID Context)
{
    const WSK_PROVIDER_LISTEN_DISPATCH *Dispatch = Server.Listener->Dispatch;
    UNREFERENCED_PARAMETER(Context);
    Dispatch->WskAccept(Server.Listener, 0, NULL, NULL, NULL, NULL, Prepare());
    if (NT_SUCCESS(Await())) {
        PWSK_SOCKET Socket = (PWSK_SOCKET)Server.Irp->IoStatus.Information;
        EchoInMemory(Socket);
        CloseSocket(Socket);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS Bind(PUSHORT Port)
{
    const WSK_PROVIDER_LISTEN_DISPATCH *Dispatch = Server.Listener->Dispatch;
    SOCKADDR_IN Address;
    RtlZeroMemory(&Address, sizeof(Address));
    Address.sin_family = AF_INET;
    Address.sin_addr.S_un.S_addr = RtlUlongByteSwap(INADDR_LOOPBACK);
    Dispatch->WskBind(Server.Listener, (PSOCKADDR)&Address, 0, Prepare());
    NTSTATUS Status = Await();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Dispatch->WskGetLocalAddress(Server.Listener, (PSOCKADDR)&Address, Prepare());
    Status = Await();
    *Port = RtlUshortByteSwap(Address.sin_port);
    return Status;
}

static NTSTATUS StartThread(VOID)
{
    HANDLE Handle;
    NTSTATUS Status =
        PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Serve, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    ObReferenceObjectByHandle(Handle, THREAD_ALL_ACCESS, NULL, KernelMode, (PVOID *)&Server.Thread,
                              NULL);
    ZwClose(Handle);
    return STATUS_SUCCESS;
}

static NTSTATUS Listen(PUSHORT Port)
{
    Server.Provider.Dispatch->WskSocket(Server.Provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP,
                                        WSK_FLAG_LISTEN_SOCKET, NULL, NULL, NULL, NULL, NULL,
                                        Prepare());
    NTSTATUS Status = Await();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Server.Listener = (PWSK_SOCKET)Server.Irp->IoStatus.Information;
    Status = Bind(Port);
    if (NT_SUCCESS(Status)) {
        Status = StartThread();
    }
    if (!NT_SUCCESS(Status)) {
        CloseSocket(Server.Listener);
    }
    return Status;
}

static VOID Release(VOID)
{
    WskReleaseProviderNPI(&Server.Registration);
    WskDeregister(&Server.Registration);
    IoFreeIrp(Server.Irp);
}

NTSTATUS ServerStart(PUSHORT Port)
{
    WSK_CLIENT_NPI Client = {NULL, &ClientDispatch};
    KeInitializeEvent(&Server.Done, NotificationEvent, FALSE);
    Server.Irp = IoAllocateIrp(1, FALSE);
    if (Server.Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NTSTATUS Status = WskRegister(&Client, &Server.Registration);
    if (!NT_SUCCESS(Status)) {
        IoFreeIrp(Server.Irp);
        return Status;
    }
    Status = WskCaptureProviderNPI(&Server.Registration, WSK_INFINITE_WAIT, &Server.Provider);
    if (!NT_SUCCESS(Status)) {
        WskDeregister(&Server.Registration);
        IoFreeIrp(Server.Irp);
        return Status;
    }
    Status = Listen(Port);
    if (!NT_SUCCESS(Status)) {
        Release();
    }
    return Status;
}

/* A connection that never came, or never ended, is cancelled. */
VOID ServerStop(VOID)
{
    if (Server.Thread == NULL) {
        return;
    }
    IoCancelIrp(Server.Irp);
    KeWaitForSingleObject(Server.Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Server.Thread);
    CloseSocket(Server.Listener);
    Release();
}
