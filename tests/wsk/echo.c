/* The walking skeleton: TCP echo by WskReceive and WskSend, server and client in one process. */
#include "test.h"

#include <ntddk.h>
#include <wsk.h>

#define ROUNDS 200
#define MESSAGE_BYTES 64

/* One IRP with an event, used for one call after the other. */
struct call {
    PIRP irp;
    KEVENT done;
    BOOLEAN pending_returned;
};

struct end {
    WSK_REGISTRATION registration;
    WSK_PROVIDER_NPI provider;
    struct call call;
    UCHAR bytes[MESSAGE_BYTES];
    PMDL mdl;
};

struct server {
    struct end end;
    KEVENT listening;
    SOCKADDR_IN address;
    NTSTATUS status;
};

static const WSK_CLIENT_DISPATCH client_dispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};

static NTSTATUS note_completion(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct call *call = context;
    UNREFERENCED_PARAMETER(device);
    call->pending_returned = irp->PendingReturned;
    KeSetEvent(&call->done, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP prepare(struct call *call)
{
    IoReuseIrp(call->irp, STATUS_UNSUCCESSFUL);
    KeClearEvent(&call->done);
    IoSetCompletionRoutine(call->irp, note_completion, call, TRUE, TRUE, TRUE);
    return call->irp;
}

/* Waits for the call whose function returned status; gives the final status. */
static NTSTATUS finish(struct call *call, NTSTATUS returned)
{
    KeWaitForSingleObject(&call->done, Executive, KernelMode, FALSE, NULL);
    if (returned != STATUS_PENDING && returned != call->irp->IoStatus.Status) {
        return STATUS_INTERNAL_ERROR;
    }
    if (call->pending_returned != (returned == STATUS_PENDING)) {
        return STATUS_INTERNAL_ERROR;
    }
    return call->irp->IoStatus.Status;
}

static NTSTATUS open_end(struct end *end)
{
    WSK_CLIENT_NPI npi = {NULL, &client_dispatch};
    end->call.irp = IoAllocateIrp(1, FALSE);
    end->mdl = IoAllocateMdl(end->bytes, sizeof(end->bytes), FALSE, FALSE, NULL);
    KeInitializeEvent(&end->call.done, NotificationEvent, FALSE);
    MmBuildMdlForNonPagedPool(end->mdl);
    NTSTATUS status = WskRegister(&npi, &end->registration);
    if (NT_SUCCESS(status)) {
        status = WskCaptureProviderNPI(&end->registration, WSK_INFINITE_WAIT, &end->provider);
    }
    return status;
}

static void close_end(struct end *end)
{
    WskReleaseProviderNPI(&end->registration);
    WskDeregister(&end->registration);
    IoFreeMdl(end->mdl);
    IoFreeIrp(end->call.irp);
}

static PWSK_SOCKET open_socket(struct end *end, ULONG flags)
{
    NTSTATUS returned =
        end->provider.Dispatch->WskSocket(end->provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP,
                                          flags, NULL, NULL, NULL, NULL, NULL, prepare(&end->call));
    return NT_SUCCESS(finish(&end->call, returned))
               ? (PWSK_SOCKET)end->call.irp->IoStatus.Information
               : NULL;
}

static void close_socket(struct end *end, PWSK_SOCKET socket)
{
    const WSK_PROVIDER_BASIC_DISPATCH *basic = socket->Dispatch;
    finish(&end->call, basic->WskCloseSocket(socket, prepare(&end->call)));
}

/* Sends or receives; returns the bytes moved. */
static SIZE_T move(struct end *end, PWSK_SOCKET socket, SIZE_T offset, SIZE_T length, BOOLEAN send)
{
    const WSK_PROVIDER_CONNECTION_DISPATCH *dispatch = socket->Dispatch;
    WSK_BUF buffer = {end->mdl, (ULONG)offset, length};
    PIRP irp = prepare(&end->call);
    NTSTATUS returned = send ? dispatch->WskSend(socket, &buffer, 0, irp)
                             : dispatch->WskReceive(socket, &buffer, 0, irp);
    return NT_SUCCESS(finish(&end->call, returned)) ? irp->IoStatus.Information : 0;
}

static PWSK_SOCKET listen_and_accept(struct server *server, PWSK_SOCKET *listener)
{
    struct end *end = &server->end;
    SOCKADDR_IN any = {.sin_family = AF_INET, .sin_addr.s_addr = 0x0100007F};
    *listener = open_socket(end, WSK_FLAG_LISTEN_SOCKET);
    const WSK_PROVIDER_LISTEN_DISPATCH *dispatch = (*listener)->Dispatch;
    finish(&end->call, dispatch->WskBind(*listener, (PSOCKADDR)&any, 0, prepare(&end->call)));
    finish(&end->call, dispatch->WskGetLocalAddress(*listener, (PSOCKADDR)&server->address,
                                                    prepare(&end->call)));
    KeSetEvent(&server->listening, IO_NO_INCREMENT, FALSE);
    NTSTATUS returned =
        dispatch->WskAccept(*listener, 0, NULL, NULL, NULL, NULL, prepare(&end->call));
    server->status = finish(&end->call, returned);
    return (PWSK_SOCKET)end->call.irp->IoStatus.Information;
}

static VOID serve(PVOID context)
{
    struct server *server = context;
    struct end *end = &server->end;
    PWSK_SOCKET listener;
    server->status = open_end(end);
    PWSK_SOCKET accepted = listen_and_accept(server, &listener);
    SIZE_T moved;
    while ((moved = move(end, accepted, 0, MESSAGE_BYTES, FALSE)) != 0) {
        move(end, accepted, 0, moved, TRUE);
    }
    close_socket(end, accepted);
    close_socket(end, listener);
    close_end(end);
}

static PWSK_SOCKET connect_to(struct end *end, SOCKADDR_IN *server)
{
    SOCKADDR_IN any = {.sin_family = AF_INET};
    PWSK_SOCKET socket = open_socket(end, WSK_FLAG_CONNECTION_SOCKET);
    const WSK_PROVIDER_CONNECTION_DISPATCH *dispatch = socket->Dispatch;
    NTSTATUS returned = dispatch->WskBind(socket, (PSOCKADDR)&any, 0, prepare(&end->call));
    assert_int_equal(finish(&end->call, returned), STATUS_SUCCESS);
    returned = dispatch->WskConnect(socket, (PSOCKADDR)server, 0, prepare(&end->call));
    assert_int_equal(finish(&end->call, returned), STATUS_SUCCESS);
    return socket;
}

static void exchange(struct end *end, PWSK_SOCKET socket, unsigned round)
{
    SIZE_T received = 0;
    RtlFillMemory(end->bytes, MESSAGE_BYTES, (UCHAR)round);
    assert_int_equal(move(end, socket, 0, MESSAGE_BYTES, TRUE), MESSAGE_BYTES);
    RtlZeroMemory(end->bytes, MESSAGE_BYTES);
    while (received < MESSAGE_BYTES) {
        SIZE_T moved = move(end, socket, received, MESSAGE_BYTES - received, FALSE);
        assert_int_not_equal(moved, 0);
        received += moved;
    }
    for (unsigned i = 0; i < MESSAGE_BYTES; i++) {
        assert_int_equal(end->bytes[i], (UCHAR)round);
    }
}

static void a_thread_echoes_what_another_sends(void **state)
{
    struct server server = {.status = STATUS_UNSUCCESSFUL};
    struct end end;
    HANDLE thread;
    PVOID object;
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&server.listening, NotificationEvent, FALSE);
    NTSTATUS status =
        PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, serve, &server);
    assert_int_equal(status, STATUS_SUCCESS);
    status =
        ObReferenceObjectByHandle(thread, SYNCHRONIZE, *PsThreadType, KernelMode, &object, NULL);
    assert_int_equal(status, STATUS_SUCCESS);
    KeWaitForSingleObject(&server.listening, Executive, KernelMode, FALSE, NULL);
    assert_int_equal(open_end(&end), STATUS_SUCCESS);
    PWSK_SOCKET socket = connect_to(&end, &server.address);
    for (unsigned round = 0; round < ROUNDS; round++) {
        exchange(&end, socket, round);
    }
    close_socket(&end, socket);
    close_end(&end);
    KeWaitForSingleObject(object, Executive, KernelMode, FALSE, NULL);
    assert_int_equal(server.status, STATUS_SUCCESS);
    ObDereferenceObject(object);
    ZwClose(thread);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_thread_echoes_what_another_sends),
};

TEST_MAIN(tests)
