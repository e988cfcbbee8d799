#include "wsk/end.h"

#define LOOPBACK 0x0100007F /* in network order */

static const WSK_CLIENT_DISPATCH client_dispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};

void kernel_start(void)
{
    BENCH_REQUIRE(NT_SUCCESS(wskemu_boot(NULL)));
}

void kernel_start_at(enum wskemu_verifier level)
{
    BENCH_REQUIRE(NT_SUCCESS(wskemu_boot(&(struct wskemu_options){.verifier = level})));
}

void kernel_stop(void)
{
    BENCH_REQUIRE(wskemu_shutdown() == 0);
}

void end_open(struct end *end)
{
    WSK_CLIENT_NPI client = {NULL, &client_dispatch};
    BENCH_REQUIRE(NT_SUCCESS(WskRegister(&client, &end->registration)));
    BENCH_REQUIRE(
        NT_SUCCESS(WskCaptureProviderNPI(&end->registration, WSK_INFINITE_WAIT, &end->provider)));
}

void end_close(struct end *end)
{
    WskReleaseProviderNPI(&end->registration);
    WskDeregister(&end->registration);
}

/* ---- calls ---- */

void call_open(struct call *call, void *bytes, ULONG length)
{
    call->irp = IoAllocateIrp(1, FALSE);
    KeInitializeEvent(&call->done, SynchronizationEvent, FALSE);
    call->buffer = (WSK_BUF){NULL, 0, length};
    if (bytes != NULL) {
        call->buffer.Mdl = IoAllocateMdl(bytes, length, FALSE, FALSE, NULL);
        MmBuildMdlForNonPagedPool(call->buffer.Mdl);
    }
}

void call_close(struct call *call)
{
    if (call->buffer.Mdl != NULL) {
        IoFreeMdl(call->buffer.Mdl);
    }
    IoFreeIrp(call->irp);
}

static NTSTATUS signal_done(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct call *call = context;
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(&call->done, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

PIRP call_irp(struct call *call)
{
    IoReuseIrp(call->irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(call->irp, signal_done, call, TRUE, TRUE, TRUE);
    return call->irp;
}

NTSTATUS call_wait(struct call *call)
{
    wait_for(&call->done);
    return call->irp->IoStatus.Status;
}

ULONG_PTR call_result(struct call *call)
{
    BENCH_REQUIRE(NT_SUCCESS(call_wait(call)));
    return call->irp->IoStatus.Information;
}

/* ---- sockets ---- */

SOCKADDR_IN loopback_address(USHORT port)
{
    SOCKADDR_IN address = {.sin_family = AF_INET, .sin_port = RtlUshortByteSwap(port)};
    address.sin_addr.s_addr = LOOPBACK;
    return address;
}

PWSK_SOCKET open_socket(struct end *end, ULONG category, PVOID context, const VOID *dispatch)
{
    struct call call;
    bool is_datagram = category == WSK_FLAG_DATAGRAM_SOCKET;
    call_open(&call, NULL, 0);
    end->provider.Dispatch->WskSocket(end->provider.Client, AF_INET,
                                      is_datagram ? SOCK_DGRAM : SOCK_STREAM,
                                      is_datagram ? IPPROTO_UDP : IPPROTO_TCP, category, context,
                                      dispatch, NULL, NULL, NULL, call_irp(&call));
    PWSK_SOCKET socket = (PWSK_SOCKET)call_result(&call);
    call_close(&call);
    return socket;
}

/* Binds to a port that the host chooses; both tables have these two functions. */
static USHORT bind_loopback(PWSK_SOCKET socket, PFN_WSK_BIND bind, PFN_WSK_GET_LOCAL_ADDRESS local)
{
    SOCKADDR_IN address = loopback_address(0);
    struct call call;
    call_open(&call, NULL, 0);
    bind(socket, (PSOCKADDR)&address, 0, call_irp(&call));
    call_result(&call);
    local(socket, (PSOCKADDR)&address, call_irp(&call));
    call_result(&call);
    call_close(&call);
    return RtlUshortByteSwap(address.sin_port);
}

PWSK_SOCKET open_listener(struct end *end, PVOID context,
                          const WSK_CLIENT_LISTEN_DISPATCH *dispatch, USHORT *port)
{
    PWSK_SOCKET socket = open_socket(end, WSK_FLAG_LISTEN_SOCKET, context, dispatch);
    const WSK_PROVIDER_LISTEN_DISPATCH *table = socket->Dispatch;
    *port = bind_loopback(socket, table->WskBind, table->WskGetLocalAddress);
    return socket;
}

PWSK_SOCKET open_datagram(struct end *end, PVOID context,
                          const WSK_CLIENT_DATAGRAM_DISPATCH *dispatch, USHORT *port)
{
    PWSK_SOCKET socket = open_socket(end, WSK_FLAG_DATAGRAM_SOCKET, context, dispatch);
    const WSK_PROVIDER_DATAGRAM_DISPATCH *table = socket->Dispatch;
    *port = bind_loopback(socket, table->WskBind, table->WskGetLocalAddress);
    return socket;
}

PWSK_SOCKET open_connection(struct end *end, USHORT port)
{
    SOCKADDR_IN remote = loopback_address(port);
    struct call call;
    PWSK_SOCKET socket = open_socket(end, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    const WSK_PROVIDER_CONNECTION_DISPATCH *table = connection_table(socket);
    bind_loopback(socket, table->WskBind, table->WskGetLocalAddress);
    call_open(&call, NULL, 0);
    table->WskConnect(socket, (PSOCKADDR)&remote, 0, call_irp(&call));
    call_result(&call);
    call_close(&call);
    return socket;
}

PWSK_SOCKET accept_connection(PWSK_SOCKET listener)
{
    const WSK_PROVIDER_LISTEN_DISPATCH *table = listener->Dispatch;
    struct call call;
    call_open(&call, NULL, 0);
    table->WskAccept(listener, 0, NULL, NULL, NULL, NULL, call_irp(&call));
    PWSK_SOCKET socket = (PWSK_SOCKET)call_result(&call);
    call_close(&call);
    return socket;
}

void enable_event(PWSK_SOCKET socket, ULONG event)
{
    WSK_EVENT_CALLBACK_CONTROL control = {&NPI_WSK_INTERFACE_ID, event};
    const WSK_PROVIDER_BASIC_DISPATCH *table = socket->Dispatch;
    BENCH_REQUIRE(
        NT_SUCCESS(table->WskControlSocket(socket, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET,
                                           sizeof(control), &control, 0, NULL, NULL, NULL)));
}

void close_socket(PWSK_SOCKET socket)
{
    const WSK_PROVIDER_BASIC_DISPATCH *table = socket->Dispatch;
    struct call call;
    call_open(&call, NULL, 0);
    table->WskCloseSocket(socket, call_irp(&call));
    call_result(&call);
    call_close(&call);
}

/* ---- data ---- */

void send_all(struct call *call, PWSK_SOCKET socket, ULONG length)
{
    call->buffer.Length = length;
    connection_table(socket)->WskSend(socket, &call->buffer, 0, call_irp(call));
    BENCH_REQUIRE(call_result(call) == length);
}

ULONG receive_some(struct call *call, PWSK_SOCKET socket, ULONG length)
{
    call->buffer.Length = length;
    connection_table(socket)->WskReceive(socket, &call->buffer, 0, call_irp(call));
    return NT_SUCCESS(call_wait(call)) ? (ULONG)call->irp->IoStatus.Information : 0;
}

/* ---- threads ---- */

PKTHREAD thread_start(PKSTART_ROUTINE routine, PVOID context)
{
    HANDLE handle;
    PVOID thread;
    BENCH_REQUIRE(NT_SUCCESS(
        PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, routine, context)));
    BENCH_REQUIRE(NT_SUCCESS(
        ObReferenceObjectByHandle(handle, SYNCHRONIZE, *PsThreadType, KernelMode, &thread, NULL)));
    ZwClose(handle);
    return thread;
}

void thread_join(PKTHREAD thread)
{
    wait_for(thread);
    ObDereferenceObject(thread);
}

static KEVENT waiter_end;
static PKTHREAD waiter;

static VOID wait_for_end(PVOID context)
{
    wait_for(context);
}

void waiter_open(const struct bench_load *load)
{
    waiter = NULL;
    KeInitializeEvent(&waiter_end, NotificationEvent, FALSE);
    if (load->has_waiter) {
        waiter = thread_start(wait_for_end, &waiter_end);
    }
}

void waiter_close(void)
{
    if (waiter != NULL) {
        KeSetEvent(&waiter_end, IO_NO_INCREMENT, FALSE);
        thread_join(waiter);
    }
}
