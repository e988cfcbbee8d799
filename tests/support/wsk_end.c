#include "wsk_end.h"

#include "wsk/wsk.h"

#include <stdlib.h>

#define PATIENCE_MS 20000
#define TEARDOWN_MS 2000

static const WSK_CLIENT_DISPATCH client_dispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};

/* ---- calls ---- */

/* Assertions jump, and this may run on any thread. */
_Noreturn static void stop(const char *why)
{
    print_error("%s\n", why);
    abort();
}

void await(PVOID object)
{
    LARGE_INTEGER timeout = interval_ms(PATIENCE_MS);
    if (KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &timeout) != STATUS_SUCCESS) {
        stop("a test waited too long");
    }
}

static NTSTATUS note_completion(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct wsk_call *call = context;
    UNREFERENCED_PARAMETER(device);
    if (KeReadStateEvent(&call->done) != 0) {
        stop("an IRP was completed twice");
    }
    call->pending_returned = irp->PendingReturned;
    KeSetEvent(&call->done, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

void call_init(struct wsk_call *call)
{
    call->irp = IoAllocateIrp(1, FALSE);
    call->mdl = NULL;
    KeInitializeEvent(&call->done, NotificationEvent, FALSE);
}

/* A stack is not non-paged pool. (MDL-23, MDL-28) */
static void lock_stack(PMDL mdl)
{
    __try {
        MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        stop("a stack could not be locked");
    }
}

PMDL resident_mdl(const void *bytes, SIZE_T length)
{
    PMDL mdl = IoAllocateMdl((PVOID)(ULONG_PTR)bytes, (ULONG)length, FALSE, FALSE, NULL);
    if (IoWithinStackLimits((ULONG_PTR)bytes, length)) {
        lock_stack(mdl);
    } else {
        MmBuildMdlForNonPagedPool(mdl);
    }
    return mdl;
}

void free_resident_mdl(PMDL mdl)
{
    if ((mdl->MdlFlags & MDL_PAGES_LOCKED) != 0) {
        MmUnlockPages(mdl);
    }
    IoFreeMdl(mdl);
}

void call_free(struct wsk_call *call)
{
    if (call->mdl != NULL) {
        free_resident_mdl(call->mdl);
    }
    IoFreeIrp(call->irp);
}

PIRP call_irp(struct wsk_call *call)
{
    IoReuseIrp(call->irp, STATUS_UNSUCCESSFUL);
    KeClearEvent(&call->done);
    IoSetCompletionRoutine(call->irp, note_completion, call, TRUE, TRUE, TRUE);
    return call->irp;
}

WSK_BUF call_buffer(struct wsk_call *call, const void *bytes, SIZE_T length)
{
    if (call->mdl != NULL) {
        free_resident_mdl(call->mdl);
        call->mdl = NULL;
    }
    if (length != 0) {
        call->mdl = resident_mdl(bytes, length);
    }
    return (WSK_BUF){call->mdl, 0, length};
}

NTSTATUS call_wait(struct wsk_call *call, NTSTATUS returned)
{
    await(&call->done);
    if (returned != STATUS_PENDING && returned != call->irp->IoStatus.Status) {
        stop("a call returned another status than its IRP got");
    }
    if (call->pending_returned != (returned == STATUS_PENDING)) {
        stop("PendingReturned does not say whether the call returned STATUS_PENDING");
    }
    return call->irp->IoStatus.Status;
}

BOOLEAN call_is_done(struct wsk_call *call)
{
    return KeReadStateEvent(&call->done) != 0;
}

/* ---- the client ---- */

NTSTATUS open_wsk(struct wsk_end *end)
{
    WSK_CLIENT_NPI npi = {NULL, &client_dispatch};
    call_init(&end->call);
    NTSTATUS status = WskRegister(&npi, &end->registration);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    return WskCaptureProviderNPI(&end->registration, WSK_INFINITE_WAIT, &end->provider);
}

void close_wsk(struct wsk_end *end)
{
    WskReleaseProviderNPI(&end->registration);
    WskDeregister(&end->registration);
    call_free(&end->call);
}

struct wsk_end test_end;

int wsk_setup(void **state)
{
    if (kernel_setup(state) != 0) {
        return -1;
    }
    return NT_SUCCESS(open_wsk(&test_end)) ? 0 : -1;
}

/* Whether the client has no socket any more. One that was left open would block WskDeregister, and
 * with it the message of the assertion that failed. */
static bool are_sockets_closed(const struct wsk_end *end)
{
    struct wsk_client *client = end->provider.Client;
    LARGE_INTEGER pause = interval_ms(1);
    for (unsigned i = 0; i < TEARDOWN_MS; i++) {
        base_mutex_lock(&wsk_state()->clients.lock);
        bool is_closed = client->sockets == 0;
        base_mutex_unlock(&wsk_state()->clients.lock);
        if (is_closed) {
            return true;
        }
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
    return false;
}

int wsk_teardown(void **state)
{
    if (are_sockets_closed(&test_end)) {
        close_wsk(&test_end);
    }
    return kernel_teardown(state);
}

NTSTATUS control_client(struct wsk_end *end, ULONG code, const void *input, SIZE_T input_length,
                        void *output, SIZE_T output_length, SIZE_T *returned)
{
    return end->provider.Dispatch->WskControlClient(end->provider.Client, code, input_length,
                                                    (PVOID)(ULONG_PTR)input, output_length, output,
                                                    returned, NULL);
}

static WSK_EVENT_CALLBACK_CONTROL events(ULONG mask)
{
    return (WSK_EVENT_CALLBACK_CONTROL){(PNPIID)&NPI_WSK_INTERFACE_ID, mask};
}

NTSTATUS enable_static_events(struct wsk_end *end, ULONG mask)
{
    WSK_EVENT_CALLBACK_CONTROL control = events(mask);
    return control_client(end, WSK_SET_STATIC_EVENT_CALLBACKS, &control, sizeof(control), NULL, 0,
                          NULL);
}

/* ---- addresses ---- */

SOCKADDR_INET any_address(ADDRESS_FAMILY family, USHORT port)
{
    SOCKADDR_INET address = {0};
    address.si_family = family;
    address.Ipv4.sin_port = RtlUshortByteSwap(port); /* at the same place in both families */
    return address;
}

SOCKADDR_INET loopback_address(ADDRESS_FAMILY family, USHORT port)
{
    SOCKADDR_INET address = any_address(family, port);
    if (family == AF_INET) {
        address.Ipv4.sin_addr.s_addr = 0x0100007F;
    } else {
        address.Ipv6.sin6_addr.u.Byte[15] = 1;
    }
    return address;
}

USHORT port_of(const SOCKADDR_INET *address)
{
    return RtlUshortByteSwap(address->Ipv4.sin_port);
}

void assert_address_equal_(const char *file, int line, const SOCKADDR_INET *left,
                           const SOCKADDR_INET *right)
{
    bool is_ipv4 = left->si_family == AF_INET;
    SIZE_T offset =
        is_ipv4 ? FIELD_OFFSET(SOCKADDR_IN, sin_addr) : FIELD_OFFSET(SOCKADDR_IN6, sin6_addr);
    SIZE_T length = is_ipv4 ? sizeof(left->Ipv4.sin_addr) : sizeof(left->Ipv6.sin6_addr);
    if (left->si_family != right->si_family || port_of(left) != port_of(right) ||
        !RtlEqualMemory((const UCHAR *)left + offset, (const UCHAR *)right + offset, length)) {
        print_error("addresses of family %u, port %u and family %u, port %u differ\n",
                    left->si_family, port_of(left), right->si_family, port_of(right));
        _fail(file, line);
    }
}

/* ---- sockets ---- */

/* The tables are constants: which one belongs to a category is learned when a socket is made. */
static const VOID *volatile listen_table;
static const VOID *volatile datagram_table;
static const VOID *volatile stream_table;

static void learn(ULONG category, const VOID *table)
{
    const VOID *volatile *known = category == WSK_FLAG_LISTEN_SOCKET     ? &listen_table
                                  : category == WSK_FLAG_DATAGRAM_SOCKET ? &datagram_table
                                  : category == WSK_FLAG_STREAM_SOCKET   ? &stream_table
                                                                         : NULL;
    if (known != NULL) {
        InterlockedExchangePointer((PVOID volatile *)(ULONG_PTR)known, (PVOID)(ULONG_PTR)table);
    }
}

void learn_socket(ULONG category, PWSK_SOCKET socket)
{
    learn(category, socket->Dispatch);
}

static bool is_of(PWSK_SOCKET socket, const VOID *volatile *table)
{
    return socket->Dispatch ==
           InterlockedCompareExchangePointer((PVOID volatile *)(ULONG_PTR)table, NULL, NULL);
}

#define TABLE(socket, type) ((const type *)(socket)->Dispatch)

PFN_WSK_BIND bind_of(PWSK_SOCKET socket)
{
    return TABLE(socket, WSK_PROVIDER_LISTEN_DISPATCH)->WskBind; /* first in every table */
}

PFN_WSK_CONNECT connect_of(PWSK_SOCKET socket)
{
    return is_of(socket, &stream_table)
               ? TABLE(socket, WSK_PROVIDER_STREAM_DISPATCH)->WskConnect
               : TABLE(socket, WSK_PROVIDER_CONNECTION_DISPATCH)->WskConnect;
}

PFN_WSK_ACCEPT accept_of(PWSK_SOCKET socket)
{
    return is_of(socket, &stream_table) ? TABLE(socket, WSK_PROVIDER_STREAM_DISPATCH)->WskAccept
                                        : TABLE(socket, WSK_PROVIDER_LISTEN_DISPATCH)->WskAccept;
}

PFN_WSK_SEND send_of(PWSK_SOCKET socket)
{
    return is_of(socket, &stream_table) ? TABLE(socket, WSK_PROVIDER_STREAM_DISPATCH)->WskSend
                                        : TABLE(socket, WSK_PROVIDER_CONNECTION_DISPATCH)->WskSend;
}

PFN_WSK_RECEIVE receive_of(PWSK_SOCKET socket)
{
    return is_of(socket, &stream_table)
               ? TABLE(socket, WSK_PROVIDER_STREAM_DISPATCH)->WskReceive
               : TABLE(socket, WSK_PROVIDER_CONNECTION_DISPATCH)->WskReceive;
}

PFN_WSK_DISCONNECT disconnect_of(PWSK_SOCKET socket)
{
    return is_of(socket, &stream_table)
               ? TABLE(socket, WSK_PROVIDER_STREAM_DISPATCH)->WskDisconnect
               : TABLE(socket, WSK_PROVIDER_CONNECTION_DISPATCH)->WskDisconnect;
}

PFN_WSK_GET_LOCAL_ADDRESS local_of(PWSK_SOCKET socket)
{
    if (is_of(socket, &listen_table)) {
        return TABLE(socket, WSK_PROVIDER_LISTEN_DISPATCH)->WskGetLocalAddress;
    }
    if (is_of(socket, &datagram_table)) {
        return TABLE(socket, WSK_PROVIDER_DATAGRAM_DISPATCH)->WskGetLocalAddress;
    }
    return is_of(socket, &stream_table)
               ? TABLE(socket, WSK_PROVIDER_STREAM_DISPATCH)->WskGetLocalAddress
               : TABLE(socket, WSK_PROVIDER_CONNECTION_DISPATCH)->WskGetLocalAddress;
}

PFN_WSK_GET_REMOTE_ADDRESS remote_of(PWSK_SOCKET socket)
{
    return is_of(socket, &stream_table)
               ? TABLE(socket, WSK_PROVIDER_STREAM_DISPATCH)->WskGetRemoteAddress
               : TABLE(socket, WSK_PROVIDER_CONNECTION_DISPATCH)->WskGetRemoteAddress;
}

NTSTATUS try_socket(struct wsk_end *end, ADDRESS_FAMILY family, USHORT type, ULONG protocol,
                    ULONG category, PVOID context, const VOID *dispatch, PWSK_SOCKET *socket)
{
    NTSTATUS status =
        call_wait(&end->call, end->provider.Dispatch->WskSocket(
                                  end->provider.Client, family, type, protocol, category, context,
                                  dispatch, NULL, NULL, NULL, call_irp(&end->call)));
    *socket = NT_SUCCESS(status) ? (PWSK_SOCKET)call_information(&end->call) : NULL;
    if (*socket != NULL) {
        learn(category, (*socket)->Dispatch);
    }
    return status;
}

PWSK_SOCKET make_socket(struct wsk_end *end, ADDRESS_FAMILY family, ULONG category, PVOID context,
                        const VOID *dispatch)
{
    PWSK_SOCKET socket;
    bool is_datagram = category == WSK_FLAG_DATAGRAM_SOCKET;
    try_socket(end, family, is_datagram ? SOCK_DGRAM : SOCK_STREAM,
               is_datagram ? IPPROTO_UDP : IPPROTO_TCP, category, context, dispatch, &socket);
    return socket;
}

NTSTATUS bind_socket(struct wsk_end *end, PWSK_SOCKET socket, const SOCKADDR_INET *address)
{
    SOCKADDR_INET copy = *address;
    return call_wait(&end->call,
                     bind_of(socket)(socket, (PSOCKADDR)&copy, 0, call_irp(&end->call)));
}

NTSTATUS bind_loopback(struct wsk_end *end, PWSK_SOCKET socket, ADDRESS_FAMILY family,
                       SOCKADDR_INET *bound)
{
    SOCKADDR_INET address = loopback_address(family, 0);
    NTSTATUS status = bind_socket(end, socket, &address);
    return NT_SUCCESS(status) && bound != NULL ? local_address(end, socket, bound) : status;
}

NTSTATUS connect_socket(struct wsk_end *end, PWSK_SOCKET socket, const SOCKADDR_INET *remote)
{
    SOCKADDR_INET copy = *remote;
    return call_wait(&end->call,
                     connect_of(socket)(socket, (PSOCKADDR)&copy, 0, call_irp(&end->call)));
}

NTSTATUS accept_socket(struct wsk_end *end, PWSK_SOCKET listener, PVOID context,
                       const WSK_CLIENT_CONNECTION_DISPATCH *dispatch, PWSK_SOCKET *accepted)
{
    NTSTATUS status = call_wait(&end->call, accept_of(listener)(listener, 0, context, dispatch,
                                                                NULL, NULL, call_irp(&end->call)));
    *accepted = NT_SUCCESS(status) ? (PWSK_SOCKET)call_information(&end->call) : NULL;
    return status;
}

NTSTATUS local_address(struct wsk_end *end, PWSK_SOCKET socket, SOCKADDR_INET *address)
{
    RtlZeroMemory(address, sizeof(*address));
    return call_wait(&end->call,
                     local_of(socket)(socket, (PSOCKADDR)address, call_irp(&end->call)));
}

NTSTATUS remote_address(struct wsk_end *end, PWSK_SOCKET socket, SOCKADDR_INET *address)
{
    RtlZeroMemory(address, sizeof(*address));
    return call_wait(&end->call,
                     remote_of(socket)(socket, (PSOCKADDR)address, call_irp(&end->call)));
}

NTSTATUS disconnect_socket(struct wsk_end *end, PWSK_SOCKET socket, ULONG flags)
{
    return call_wait(&end->call, disconnect_of(socket)(socket, NULL, flags, call_irp(&end->call)));
}

NTSTATUS close_socket(struct wsk_end *end, PWSK_SOCKET socket)
{
    const WSK_PROVIDER_BASIC_DISPATCH *basic = socket->Dispatch;
    return call_wait(&end->call, basic->WskCloseSocket(socket, call_irp(&end->call)));
}

PWSK_SOCKET listen_loopback(struct wsk_end *end, ADDRESS_FAMILY family, PVOID context,
                            const WSK_CLIENT_LISTEN_DISPATCH *dispatch, SOCKADDR_INET *bound)
{
    PWSK_SOCKET socket = make_socket(end, family, WSK_FLAG_LISTEN_SOCKET, context, dispatch);
    if (socket != NULL && !NT_SUCCESS(bind_loopback(end, socket, family, bound))) {
        close_socket(end, socket);
        return NULL;
    }
    return socket;
}

PWSK_SOCKET connect_to(struct wsk_end *end, const SOCKADDR_INET *remote, PVOID context,
                       const WSK_CLIENT_CONNECTION_DISPATCH *dispatch)
{
    SOCKADDR_INET any = any_address(remote->si_family, 0);
    PWSK_SOCKET socket =
        make_socket(end, remote->si_family, WSK_FLAG_CONNECTION_SOCKET, context, dispatch);
    if (socket != NULL && (!NT_SUCCESS(bind_socket(end, socket, &any)) ||
                           !NT_SUCCESS(connect_socket(end, socket, remote)))) {
        close_socket(end, socket);
        return NULL;
    }
    return socket;
}

/* ---- data ---- */

static NTSTATUS end_transfer(struct wsk_call *call, NTSTATUS returned, SIZE_T *moved)
{
    NTSTATUS status = call_wait(call, returned);
    if (moved != NULL) {
        *moved = call_information(call);
    }
    return status;
}

NTSTATUS send_bytes(struct wsk_end *end, PWSK_SOCKET socket, const void *bytes, SIZE_T length,
                    ULONG flags, SIZE_T *moved)
{
    WSK_BUF buffer = call_buffer(&end->call, bytes, length);
    NTSTATUS returned = send_of(socket)(socket, &buffer, flags, call_irp(&end->call));
    return end_transfer(&end->call, returned, moved);
}

NTSTATUS receive_bytes(struct wsk_end *end, PWSK_SOCKET socket, void *bytes, SIZE_T length,
                       ULONG flags, SIZE_T *moved)
{
    WSK_BUF buffer = call_buffer(&end->call, bytes, length);
    NTSTATUS returned = receive_of(socket)(socket, &buffer, flags, call_irp(&end->call));
    return end_transfer(&end->call, returned, moved);
}

/* ---- control ---- */

static NTSTATUS control(PWSK_SOCKET socket, WSK_CONTROL_SOCKET_TYPE type, ULONG code, ULONG level,
                        const void *input, SIZE_T input_length, void *output, SIZE_T output_length,
                        SIZE_T *returned, PIRP irp)
{
    const WSK_PROVIDER_BASIC_DISPATCH *basic = socket->Dispatch;
    return basic->WskControlSocket(socket, type, code, level, input_length, (PVOID)(ULONG_PTR)input,
                                   output_length, output, returned, irp);
}

NTSTATUS control_socket(struct wsk_end *end, PWSK_SOCKET socket, WSK_CONTROL_SOCKET_TYPE type,
                        ULONG code, ULONG level, const void *input, SIZE_T input_length,
                        void *output, SIZE_T output_length, SIZE_T *information)
{
    NTSTATUS returned = control(socket, type, code, level, input, input_length, output,
                                output_length, NULL, call_irp(&end->call));
    return end_transfer(&end->call, returned, information);
}

NTSTATUS control_socket_now(PWSK_SOCKET socket, WSK_CONTROL_SOCKET_TYPE type, ULONG code,
                            ULONG level, const void *input, SIZE_T input_length, void *output,
                            SIZE_T output_length, SIZE_T *returned)
{
    return control(socket, type, code, level, input, input_length, output, output_length, returned,
                   NULL);
}

NTSTATUS set_option(struct wsk_end *end, PWSK_SOCKET socket, ULONG level, ULONG option, ULONG value)
{
    return control_socket(end, socket, WskSetOption, option, level, &value, sizeof(value), NULL, 0,
                          NULL);
}

NTSTATUS get_option(struct wsk_end *end, PWSK_SOCKET socket, ULONG level, ULONG option,
                    ULONG *value)
{
    return control_socket(end, socket, WskGetOption, option, level, NULL, 0, value, sizeof(*value),
                          NULL);
}

NTSTATUS enable_events(PWSK_SOCKET socket, ULONG mask)
{
    WSK_EVENT_CALLBACK_CONTROL wanted = events(mask);
    return control_socket_now(socket, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, &wanted,
                              sizeof(wanted), NULL, 0, NULL);
}

NTSTATUS disable_event_now(PWSK_SOCKET socket, ULONG event)
{
    return enable_events(socket, event | WSK_EVENT_DISABLE);
}

NTSTATUS disable_event(struct wsk_end *end, PWSK_SOCKET socket, ULONG event)
{
    WSK_EVENT_CALLBACK_CONTROL wanted = events(event | WSK_EVENT_DISABLE);
    return control_socket(end, socket, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, &wanted,
                          sizeof(wanted), NULL, 0, NULL);
}
