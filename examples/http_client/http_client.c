/*
 * http_client: fetches a page over HTTP/1.0 for an application: finds the addresses of the host's
 * name, connects to the first that answers, sends the request, and receives until the server ends.
 *
 * The steps follow one another, so they are written as if each call waited; they run in a work
 * item, because whoever sent the control must not be held. What every step needs:
 *
 *   - a limit in time. WSK knows none: a server that says nothing keeps a receive pending for
 *     ever. Here the wait ends after a while, and the IRP is cancelled.
 *   - an end when the application gives up. Its IRP has a cancel routine, which sets an event; that
 *     ends the wait, and the IRP sent to WSK is cancelled.
 *
 * IoCancelIrp is only a wish. The IRP must be waited for in any case, and its status says who won:
 * it may have succeeded meanwhile, and then a socket is there that has to be closed.
 */
#include <ntddk.h>
#include <wsk.h>

#include <ntstrsafe.h>

#include "http_client_codes.h"

#define DEFAULT_TIMEOUT_MS 10000
#define PROVIDER_WAIT_MS 1000
#define RESPONSE_MAX 65536
#define REQUEST_MAX 1024
#define POOL_TAG 'gttH'

/* One fetch. Non-paged: WSK's completion routine and the cancel routine touch it. */
typedef struct _FETCH {
    PIRP Irp; /* the application's */
    PIO_WORKITEM WorkItem;
    KEVENT Cancelled; /* the application has given up */
    PIRP WskIrp;
    KEVENT Done; /* WskIrp is back */
    PWSK_SOCKET Socket;
    const WSK_PROVIDER_CONNECTION_DISPATCH *Dispatch;
    PMDL Mdl; /* of Text */
    SIZE_T Length;
    CHAR Text[RESPONSE_MAX]; /* the request, then the response */
} FETCH, *PFETCH;

static struct {
    WSK_REGISTRATION Registration;
    WSK_PROVIDER_NPI Provider;
    LARGE_INTEGER Timeout; /* of one step */
} Client;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD HttpUnload;
static DRIVER_DISPATCH HttpCreateClose;
static DRIVER_DISPATCH HttpControl;
static DRIVER_CANCEL HttpCancel;
static IO_WORKITEM_ROUTINE FetchWork;
static IO_COMPLETION_ROUTINE StepCompleted;

/* ---- a step ---- */

static NTSTATUS StepCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PFETCH Fetch = Context;
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(&Fetch->Done, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP StepBegin(PFETCH Fetch)
{
    IoReuseIrp(Fetch->WskIrp, STATUS_UNSUCCESSFUL);
    KeClearEvent(&Fetch->Done);
    IoSetCompletionRoutine(Fetch->WskIrp, StepCompleted, Fetch, TRUE, TRUE, TRUE);
    return Fetch->WskIrp;
}

/* WSK completes the IRP whatever the call returned, so that need not be looked at. */
static NTSTATUS StepWait(PFETCH Fetch)
{
    PVOID Objects[] = {&Fetch->Done, &Fetch->Cancelled};
    NTSTATUS Wait = KeWaitForMultipleObjects(RTL_NUMBER_OF(Objects), Objects, WaitAny, Executive,
                                             KernelMode, FALSE, &Client.Timeout, NULL);
    if (Wait != STATUS_WAIT_0) {
        IoCancelIrp(Fetch->WskIrp);
        KeWaitForSingleObject(&Fetch->Done, Executive, KernelMode, FALSE, NULL);
    }
    NTSTATUS Status = Fetch->WskIrp->IoStatus.Status;
    if (Wait == STATUS_TIMEOUT && Status == STATUS_CANCELLED) {
        return STATUS_IO_TIMEOUT;
    }
    return Status;
}

/* A close cannot be cancelled and needs no limit. */
static VOID FetchCloseSocket(PFETCH Fetch)
{
    Fetch->Dispatch->Basic.WskCloseSocket(Fetch->Socket, StepBegin(Fetch));
    KeWaitForSingleObject(&Fetch->Done, Executive, KernelMode, FALSE, NULL);
    Fetch->Socket = NULL;
}

/* ---- the connection ---- */

static NTSTATUS FetchConnectTo(PFETCH Fetch, PSOCKADDR Remote)
{
    /* Any address and port of ours, of the same family. */
    SOCKADDR_STORAGE Local = {.ss_family = Remote->sa_family};
    Client.Provider.Dispatch->WskSocketConnect(Client.Provider.Client, SOCK_STREAM, IPPROTO_TCP,
                                               (PSOCKADDR)&Local, Remote, 0, NULL, NULL, NULL, NULL,
                                               NULL, StepBegin(Fetch));
    NTSTATUS Status = StepWait(Fetch);
    if (NT_SUCCESS(Status)) {
        Fetch->Socket = (PWSK_SOCKET)Fetch->WskIrp->IoStatus.Information;
        Fetch->Dispatch = Fetch->Socket->Dispatch;
    }
    return Status;
}

/* A name may have several addresses, of which not each has to answer. */
static NTSTATUS FetchConnect(PFETCH Fetch, HTTP_CLIENT_GET *Get)
{
    UNICODE_STRING Host;
    UNICODE_STRING Port;
    PADDRINFOEXW Found = NULL;
    ADDRINFOEXW Hints = {.ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    RtlInitUnicodeString(&Host, Get->Host);
    RtlInitUnicodeString(&Port, Get->Port);
    Client.Provider.Dispatch->WskGetAddressInfo(Client.Provider.Client, &Host, &Port, NS_ALL, NULL,
                                                &Hints, &Found, NULL, NULL, StepBegin(Fetch));
    NTSTATUS Status = StepWait(Fetch);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = STATUS_NOT_FOUND;
    for (PADDRINFOEXW Next = Found; Next != NULL && Fetch->Socket == NULL; Next = Next->ai_next) {
        Status = FetchConnectTo(Fetch, Next->ai_addr);
        if (Status == STATUS_CANCELLED) {
            break; /* the application has given up, not only this address */
        }
    }
    Client.Provider.Dispatch->WskFreeAddressInfo(Client.Provider.Client, Found);
    return Status;
}

static NTSTATUS FetchSend(PFETCH Fetch, const HTTP_CLIENT_GET *Get)
{
    NTSTATUS Status = RtlStringCbPrintfA(
        Fetch->Text, REQUEST_MAX, "GET %s HTTP/1.0\r\nHost: %ws\r\n\r\n", Get->Path, Get->Host);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    WSK_BUF Buffer = {Fetch->Mdl, 0, strlen(Fetch->Text)};
    Fetch->Dispatch->WskSend(Fetch->Socket, &Buffer, 0, StepBegin(Fetch));
    return StepWait(Fetch);
}

/* One MDL serves all receives: each stores behind the one before, by the offset in WSK_BUF. */
static NTSTATUS FetchReceive(PFETCH Fetch)
{
    for (;;) {
        WSK_BUF Buffer = {Fetch->Mdl, (ULONG)Fetch->Length, RESPONSE_MAX - 1 - Fetch->Length};
        if (Buffer.Length == 0) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        Fetch->Dispatch->WskReceive(Fetch->Socket, &Buffer, 0, StepBegin(Fetch));
        NTSTATUS Status = StepWait(Fetch);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        if (Fetch->WskIrp->IoStatus.Information == 0) { /* the server has sent all */
            Fetch->Text[Fetch->Length] = '\0';
            return STATUS_SUCCESS;
        }
        Fetch->Length += Fetch->WskIrp->IoStatus.Information;
    }
}

/* Without it the server sees a reset instead of an end. */
static VOID FetchDisconnect(PFETCH Fetch)
{
    Fetch->Dispatch->WskDisconnect(Fetch->Socket, NULL, 0, StepBegin(Fetch));
    StepWait(Fetch);
}

/* ---- the response ---- */

/* The number behind a header's name, or MAXULONG if there is no such header. */
static ULONG HeaderNumber(PCSTR Headers, PCSTR End, PCSTR Name)
{
    SIZE_T Length = strlen(Name);
    for (PCSTR Line = Headers; Line < End; Line = strstr(Line, "\r\n") + 2) {
        ULONG Number;
        if (_strnicmp(Line, Name, Length) == 0 && Line[Length] == ':' &&
            NT_SUCCESS(RtlCharToInteger(Line + Length + 1, 10, &Number))) {
            return Number;
        }
    }
    return MAXULONG;
}

/* What a server sent is not to be trusted: a text without end, or without what belongs in it. */
static NTSTATUS ParseResponse(PFETCH Fetch, PULONG StatusCode, PCSTR *Body)
{
    PCSTR End = strstr(Fetch->Text, "\r\n\r\n");
    if (_strnicmp(Fetch->Text, "HTTP/1.", 7) != 0 || strlen(Fetch->Text) < 12 || End == NULL ||
        !NT_SUCCESS(RtlCharToInteger(Fetch->Text + 9, 10, StatusCode))) {
        return STATUS_INVALID_NETWORK_RESPONSE;
    }
    *Body = End + 4;
    ULONG Promised = HeaderNumber(Fetch->Text, End + 2, "Content-Length");
    SIZE_T Length = Fetch->Text + Fetch->Length - *Body;
    if (Promised != MAXULONG && Length < Promised) {
        return STATUS_CONNECTION_DISCONNECTED;
    }
    return STATUS_SUCCESS;
}

/* Only now the output is written: it shares the system buffer with the input. */
static NTSTATUS FetchAnswer(PFETCH Fetch)
{
    HTTP_CLIENT_PAGE *Page = Fetch->Irp->AssociatedIrp.SystemBuffer;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Fetch->Irp);
    SIZE_T Room =
        Stack->Parameters.DeviceIoControl.OutputBufferLength - FIELD_OFFSET(HTTP_CLIENT_PAGE, Body);
    ULONG StatusCode;
    PCSTR Body;
    NTSTATUS Status = ParseResponse(Fetch, &StatusCode, &Body);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    SIZE_T Length = Fetch->Text + Fetch->Length - Body;
    SIZE_T Copied = min(Length, Room);
    Page->StatusCode = StatusCode;
    Page->BodyBytes = (ULONG)Length;
    RtlCopyMemory(Page->Body, Body, Copied);
    Fetch->Irp->IoStatus.Information = FIELD_OFFSET(HTTP_CLIENT_PAGE, Body) + Copied;
    return Copied < Length ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

/* ---- a fetch ---- */

static VOID FetchFree(PFETCH Fetch)
{
    if (Fetch->WorkItem != NULL) {
        IoFreeWorkItem(Fetch->WorkItem);
    }
    if (Fetch->WskIrp != NULL) {
        IoFreeIrp(Fetch->WskIrp);
    }
    if (Fetch->Mdl != NULL) {
        IoFreeMdl(Fetch->Mdl);
    }
    ExFreePoolWithTag(Fetch, POOL_TAG);
}

static PFETCH FetchAllocate(PDEVICE_OBJECT Device, PIRP Irp)
{
    PFETCH Fetch = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Fetch), POOL_TAG);
    if (Fetch == NULL) {
        return NULL;
    }
    Fetch->Irp = Irp;
    KeInitializeEvent(&Fetch->Cancelled, NotificationEvent, FALSE);
    KeInitializeEvent(&Fetch->Done, NotificationEvent, FALSE);
    Fetch->WorkItem = IoAllocateWorkItem(Device);
    Fetch->WskIrp = IoAllocateIrp(1, FALSE);
    Fetch->Mdl = IoAllocateMdl(Fetch->Text, RESPONSE_MAX, FALSE, FALSE, NULL);
    if (Fetch->WorkItem == NULL || Fetch->WskIrp == NULL || Fetch->Mdl == NULL) {
        FetchFree(Fetch);
        return NULL;
    }
    MmBuildMdlForNonPagedPool(Fetch->Mdl);
    return Fetch;
}

static NTSTATUS FetchRun(PFETCH Fetch)
{
    HTTP_CLIENT_GET *Get = Fetch->Irp->AssociatedIrp.SystemBuffer;
    NTSTATUS Status = FetchConnect(Fetch, Get);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = FetchSend(Fetch, Get);
    if (NT_SUCCESS(Status)) {
        Status = FetchReceive(Fetch);
    }
    if (NT_SUCCESS(Status)) {
        FetchDisconnect(Fetch);
    }
    FetchCloseSocket(Fetch);
    return NT_SUCCESS(Status) ? FetchAnswer(Fetch) : Status;
}

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    if (NT_ERROR(Status)) {
        Irp->IoStatus.Information = 0;
    }
    IoCompleteRequest(Irp, IO_NETWORK_INCREMENT);
    return Status;
}

/* For many fetches at once the system's workers would be too few: a driver that has them is better
 * written as a machine that IRPs drive, see tcp_echo. */
static VOID FetchWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    PFETCH Fetch = Context;
    PIRP Irp = Fetch->Irp;
    UNREFERENCED_PARAMETER(DeviceObject);
    NTSTATUS Status = FetchRun(Fetch);
    if (IoSetCancelRoutine(Irp, NULL) == NULL) {
        /* The cancel routine runs: it uses Fetch until it has set the event. */
        KeWaitForSingleObject(&Fetch->Cancelled, Executive, KernelMode, FALSE, NULL);
    }
    FetchFree(Fetch);
    Complete(Irp, Status);
}

/* ---- the device ---- */

static VOID HttpCancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PFETCH Fetch = Irp->Tail.Overlay.DriverContext[0];
    UNREFERENCED_PARAMETER(DeviceObject);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    KeSetEvent(&Fetch->Cancelled, IO_NO_INCREMENT, FALSE);
}

static BOOLEAN IsValid(PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    HTTP_CLIENT_GET *Get = Irp->AssociatedIrp.SystemBuffer;
    if (Stack->Parameters.DeviceIoControl.InputBufferLength != sizeof(*Get) ||
        Stack->Parameters.DeviceIoControl.OutputBufferLength < sizeof(HTTP_CLIENT_PAGE)) {
        return FALSE;
    }
    return wcsnlen(Get->Host, HTTP_CLIENT_HOST_MAX) < HTTP_CLIENT_HOST_MAX &&
           wcsnlen(Get->Port, RTL_NUMBER_OF(Get->Port)) < RTL_NUMBER_OF(Get->Port) &&
           strnlen(Get->Path, HTTP_CLIENT_PATH_MAX) < HTTP_CLIENT_PATH_MAX;
}

static NTSTATUS HttpControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    if (Stack->Parameters.DeviceIoControl.IoControlCode != IOCTL_HTTP_CLIENT_GET) {
        return Complete(Irp, STATUS_INVALID_DEVICE_REQUEST);
    }
    if (!IsValid(Irp)) {
        return Complete(Irp, STATUS_INVALID_PARAMETER);
    }
    PFETCH Fetch = FetchAllocate(DeviceObject, Irp);
    if (Fetch == NULL) {
        return Complete(Irp, STATUS_INSUFFICIENT_RESOURCES);
    }
    IoMarkIrpPending(Irp);
    Irp->Tail.Overlay.DriverContext[0] = Fetch;
    IoSetCancelRoutine(Irp, HttpCancel);
    if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL) {
        FetchFree(Fetch); /* cancelled before, so nobody called or will call the routine */
        Complete(Irp, STATUS_CANCELLED);
        return STATUS_PENDING;
    }
    IoQueueWorkItem(Fetch->WorkItem, FetchWork, DelayedWorkQueue, Fetch);
    return STATUS_PENDING;
}

static NTSTATUS HttpCreateClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return Complete(Irp, STATUS_SUCCESS);
}

/* ---- the driver ---- */

/* Must stay where it is as long as WSK may use it. */
static const WSK_CLIENT_DISPATCH ClientDispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};

/* Parameters\TimeoutMs of the service's key, or the default. */
static VOID ReadTimeout(PUNICODE_STRING RegistryPath)
{
    RTL_QUERY_REGISTRY_TABLE Table[3] = {{0}};
    ULONG Milliseconds = DEFAULT_TIMEOUT_MS;
    Table[0].Flags = RTL_QUERY_REGISTRY_SUBKEY;
    Table[0].Name = L"Parameters";
    Table[1].Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK;
    Table[1].Name = L"TimeoutMs";
    Table[1].EntryContext = &Milliseconds;
    Table[1].DefaultType = (REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) | REG_NONE;
    RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, RegistryPath->Buffer, Table, NULL, NULL);
    Client.Timeout.QuadPart = -10000LL * Milliseconds; /* negative: from now on */
}

static NTSTATUS Start(VOID)
{
    WSK_CLIENT_NPI Npi = {NULL, &ClientDispatch};
    NTSTATUS Status = WskRegister(&Npi, &Client.Registration);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = WskCaptureProviderNPI(&Client.Registration, PROVIDER_WAIT_MS, &Client.Provider);
    if (!NT_SUCCESS(Status)) {
        WskDeregister(&Client.Registration);
    }
    return Status;
}

static NTSTATUS CreateDevice(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(HTTP_CLIENT_DEVICE_NAME);
    UNICODE_STRING Link = RTL_CONSTANT_STRING(HTTP_CLIENT_LINK_NAME);
    PDEVICE_OBJECT Device;
    NTSTATUS Status =
        IoCreateDevice(DriverObject, 0, &Name, 0x8000, FILE_DEVICE_SECURE_OPEN, FALSE, &Device);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IoCreateSymbolicLink(&Link, &Name);
    if (!NT_SUCCESS(Status)) {
        IoDeleteDevice(Device);
    }
    return Status;
}

/* No fetch runs any more: each has an open file and a work item, and both hold the device. */
static VOID HttpUnload(PDRIVER_OBJECT DriverObject)
{
    UNICODE_STRING Link = RTL_CONSTANT_STRING(HTTP_CLIENT_LINK_NAME);
    WskReleaseProviderNPI(&Client.Registration);
    WskDeregister(&Client.Registration);
    IoDeleteSymbolicLink(&Link);
    IoDeleteDevice(DriverObject->DeviceObject);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ReadTimeout(RegistryPath);
    NTSTATUS Status = Start();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = CreateDevice(DriverObject); /* last: from now on there are callers */
    if (!NT_SUCCESS(Status)) {
        WskReleaseProviderNPI(&Client.Registration);
        WskDeregister(&Client.Registration);
        return Status;
    }
    DriverObject->MajorFunction[IRP_MJ_CREATE] = HttpCreateClose;
    DriverObject->MajorFunction[IRP_MJ_CLOSE] = HttpCreateClose;
    DriverObject->MajorFunction[IRP_MJ_DEVICE_CONTROL] = HttpControl;
    DriverObject->DriverUnload = HttpUnload;
    return STATUS_SUCCESS;
}
