/*
 * A driver that leaves something with WSK or NMR when it is unloaded: what, the value Act of its
 * service's registry key says.
 */
#include "wsk_leaver.h"

#include "../act.h"

#include <ntddk.h>
#include <netioddk.h>
#include <wsk.h>

static ULONG Act;
static WSK_REGISTRATION Registration;
static WSK_PROVIDER_NPI Provider;
static HANDLE NmrClient;
static PWSK_SOCKET Socket;
static PIRP Irp;
static KEVENT Done;

static const WSK_CLIENT_DISPATCH Dispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};
static const NPIID InterfaceId = {
    0x2F1B7C30, 0x1A2B, 0x4C5D, {0x8E, 0x9F, 1, 2, 3, 4, 5, 6}}; /* that nobody provides */
static const NPI_MODULEID ModuleId = {
    sizeof(NPI_MODULEID), MIT_GUID, {{0x2F1B7C31, 0x1A2B, 0x4C5D, {1, 2, 3, 4, 5, 6, 7, 8}}}};

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static NTSTATUS NTAPI AttachProvider(HANDLE Binding, PVOID Context,
                                     PNPI_REGISTRATION_INSTANCE Instance)
{
    UNREFERENCED_PARAMETER(Binding);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Instance);
    return STATUS_NOINTERFACE;
}

static NTSTATUS NTAPI DetachProvider(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    return STATUS_SUCCESS;
}

static const NPI_CLIENT_CHARACTERISTICS Characteristics = {
    .Length = sizeof(NPI_CLIENT_CHARACTERISTICS),
    .ClientAttachProvider = AttachProvider,
    .ClientDetachProvider = DetachProvider,
    .ClientRegistrationInstance = {.Size = sizeof(NPI_REGISTRATION_INSTANCE),
                                   .NpiId = &InterfaceId,
                                   .ModuleId = &ModuleId},
};

static NTSTATUS OnDone(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP NextIrp(VOID)
{
    IoReuseIrp(Irp, STATUS_UNSUCCESSFUL);
    KeClearEvent(&Done);
    IoSetCompletionRoutine(Irp, OnDone, &Done, TRUE, TRUE, TRUE);
    return Irp;
}

static VOID MakeSocket(VOID)
{
    Provider.Dispatch->WskSocket(Provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP,
                                 WSK_FLAG_BASIC_SOCKET, NULL, NULL, NULL, NULL, NULL, NextIrp());
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    Socket = (PWSK_SOCKET)Irp->IoStatus.Information;
}

static VOID CloseSocket(VOID)
{
    const WSK_PROVIDER_BASIC_DISPATCH *basic = Socket->Dispatch;
    basic->WskCloseSocket(Socket, NextIrp());
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
}

static VOID Unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    if (Act != LEAVER_SOCKET) {
        CloseSocket();
        WskReleaseProviderNPI(&Registration);
    }
    if (Act != LEAVER_REGISTRATION && Act != LEAVER_SOCKET && Act != LEAVER_FAILS) {
        WskDeregister(&Registration);
    }
    if (Act != LEAVER_NMR_CLIENT) {
        NmrDeregisterClient(NmrClient);
    }
    if (Act != LEAVER_NMR_CLIENT && Act != LEAVER_NMR_WAIT) {
        NmrWaitForClientDeregisterComplete(NmrClient);
    }
    IoFreeIrp(Irp);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WSK_CLIENT_NPI npi = {NULL, &Dispatch};
    read_act(RegistryPath, &Act);
    DriverObject->DriverUnload = Unload;
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    Irp = IoAllocateIrp(1, FALSE);
    WskRegister(&npi, &Registration);
    NmrRegisterClient((PNPI_CLIENT_CHARACTERISTICS)(ULONG_PTR)&Characteristics, NULL, &NmrClient);
    NTSTATUS status = WskCaptureProviderNPI(
        &Registration, Act == LEAVER_WAITS ? WSK_INFINITE_WAIT : WSK_NO_WAIT, &Provider);
    MakeSocket();
    if (Act == LEAVER_FAILS) {
        Unload(DriverObject);
        return STATUS_UNSUCCESSFUL;
    }
    return status;
}
