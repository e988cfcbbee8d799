/*
 * A driver with a listening socket and a thread that accepts. With Act 0 it idles until it is
 * unloaded; each other value is a mistake by which its unload never ends.
 */
#include "hanging.h"

#include "../act.h"

#include <ntifs.h>
#include <wsk.h>

static ULONG Act;
static WSK_REGISTRATION Registration;
static WSK_PROVIDER_NPI Provider;
static PWSK_SOCKET Listener;
static PVOID Thread;
static PIRP AcceptIrp;
static KEVENT Accepted;
static KEVENT Stop;

static const WSK_CLIENT_DISPATCH ClientDispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static KSTART_ROUTINE Serve;

static NTSTATUS Complete(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP NewIrp(PKEVENT done)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    KeInitializeEvent(done, NotificationEvent, FALSE);
    IoSetCompletionRoutine(irp, Complete, done, TRUE, TRUE, TRUE);
    return irp;
}

static NTSTATUS Await(PIRP irp, PKEVENT done)
{
    KeWaitForSingleObject(done, Executive, KernelMode, FALSE, NULL);
    NTSTATUS status = irp->IoStatus.Status;
    IoFreeIrp(irp);
    return status;
}

static VOID OpenListener(VOID)
{
    KEVENT done;
    SOCKADDR_IN address = {.sin_family = AF_INET};
    PIRP irp = NewIrp(&done);
    address.sin_addr.s_addr = RtlUlongByteSwap(INADDR_LOOPBACK);
    Provider.Dispatch->WskSocket(Provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP,
                                 WSK_FLAG_LISTEN_SOCKET, NULL, NULL, NULL, NULL, NULL, irp);
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    Listener = (PWSK_SOCKET)irp->IoStatus.Information;
    IoFreeIrp(irp);
    irp = NewIrp(&done);
    const WSK_PROVIDER_LISTEN_DISPATCH *dispatch = Listener->Dispatch;
    dispatch->WskBind(Listener, (PSOCKADDR)&address, 0, irp);
    Await(irp, &done);
}

static VOID CloseListener(VOID)
{
    KEVENT done;
    PIRP irp = NewIrp(&done);
    const WSK_PROVIDER_LISTEN_DISPATCH *dispatch = Listener->Dispatch;
    dispatch->Basic.WskCloseSocket(Listener, irp);
    Await(irp, &done);
}

/* Waits for a connection, or for the unload routine; nobody ever connects. */
static VOID Serve(PVOID context)
{
    PVOID objects[] = {&Accepted, &Stop};
    const WSK_PROVIDER_LISTEN_DISPATCH *dispatch = Listener->Dispatch;
    UNREFERENCED_PARAMETER(context);
    if (Act == HANGING_THREAD) {
        KeWaitForSingleObject(&Stop, Executive, KernelMode, FALSE, NULL);
        PsTerminateSystemThread(STATUS_SUCCESS);
    }
    AcceptIrp = NewIrp(&Accepted);
    dispatch->WskAccept(Listener, 0, NULL, NULL, NULL, NULL, AcceptIrp);
    KeWaitForMultipleObjects(2, objects, WaitAny, Executive, KernelMode, FALSE, NULL, NULL);
    IoCancelIrp(AcceptIrp);
    Await(AcceptIrp, &Accepted);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID StopThread(VOID)
{
    if (Act != HANGING_ACCEPT && Act != HANGING_THREAD) {
        KeSetEvent(&Stop, IO_NO_INCREMENT, FALSE);
    }
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Thread);
}

static VOID Unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    if (Act == HANGING_SOCKET) {
        WskReleaseProviderNPI(&Registration);
    }
    if (Act == HANGING_SOCKET || Act == HANGING_RELEASE) {
        WskDeregister(&Registration); /* before what it waits for */
    }
    StopThread();
    CloseListener();
    WskReleaseProviderNPI(&Registration);
    WskDeregister(&Registration);
}

static VOID StartThread(VOID)
{
    HANDLE handle;
    KeInitializeEvent(&Stop, NotificationEvent, FALSE);
    PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Serve, NULL);
    ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, &Thread, NULL);
    ZwClose(handle);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
    WSK_CLIENT_NPI client = {NULL, &ClientDispatch};
    driver->DriverUnload = Unload;
    read_act(path, &Act);
    WskRegister(&client, &Registration);
    WskCaptureProviderNPI(&Registration, WSK_NO_WAIT, &Provider);
    OpenListener();
    StartThread();
    return STATUS_SUCCESS;
}
