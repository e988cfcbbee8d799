/* The IRQL at which WSK's functions may be called: each at its highest, and one above. Those of
 * names are in name.c, those of registrations in registration.c. */
#include "wsk_datagram.h"
#include "wsk_pair.h"

#include <mstcpip.h>

#define ABOVE_DISPATCH_LEVEL (DISPATCH_LEVEL + 1)

static struct wsk_pair pair;
static PWSK_SOCKET fresh; /* a connection-oriented socket that is not bound */
static PWSK_SOCKET datagram;
static SOCKADDR_INET datagram_address;
static UCHAR byte;
static SOCKADDR_INET any_local;
static SOCKADDR_INET answer;

/* One call, with the IRP and the buffer that were made below the level at which it is made. */
typedef NTSTATUS leveled(struct wsk_call *call);

/* ---- of the client ---- */

static NTSTATUS make_a_socket(struct wsk_call *call)
{
    return pair.end.provider.Dispatch->WskSocket(pair.end.provider.Client, AF_INET, SOCK_STREAM,
                                                 IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET, NULL,
                                                 NULL, NULL, NULL, NULL, call->irp);
}

static NTSTATUS make_a_connection(struct wsk_call *call)
{
    static SOCKADDR_INET nobody;
    nobody = loopback_address(AF_INET, 9);
    return pair.end.provider.Dispatch->WskSocketConnect(
        pair.end.provider.Client, SOCK_STREAM, IPPROTO_TCP, (PSOCKADDR)&any_local,
        (PSOCKADDR)&nobody, 0, NULL, NULL, NULL, NULL, NULL, call->irp);
}

static NTSTATUS ask_for_transports(struct wsk_call *call)
{
    SIZE_T required;
    UNREFERENCED_PARAMETER(call);
    return pair.end.provider.Dispatch->WskControlClient(
        pair.end.provider.Client, WSK_TRANSPORT_LIST_QUERY, 0, NULL, 0, NULL, &required, NULL);
}

/* ---- of sockets ---- */

static NTSTATUS bind_it(struct wsk_call *call)
{
    return bind_of(fresh)(fresh, (PSOCKADDR)&any_local, 0, call->irp);
}

static NTSTATUS connect_it(struct wsk_call *call)
{
    static SOCKADDR_INET nobody;
    nobody = loopback_address(AF_INET, 9);
    return connect_of(fresh)(fresh, (PSOCKADDR)&nobody, 0, call->irp);
}

static NTSTATUS accept_it(struct wsk_call *call)
{
    return accept_of(pair.listener)(pair.listener, 0, NULL, NULL, NULL, NULL, call->irp);
}

static NTSTATUS disconnect_it(struct wsk_call *call)
{
    return disconnect_of(pair.near)(pair.near, NULL, 0, call->irp);
}

static NTSTATUS close_it(struct wsk_call *call)
{
    const WSK_PROVIDER_BASIC_DISPATCH *basic = fresh->Dispatch;
    return basic->WskCloseSocket(fresh, call->irp);
}

static NTSTATUS send_it(struct wsk_call *call)
{
    WSK_BUF buffer = {call->mdl, 0, 1};
    return send_of(pair.near)(pair.near, &buffer, 0, call->irp);
}

static NTSTATUS receive_it(struct wsk_call *call)
{
    WSK_BUF buffer = {call->mdl, 0, 1};
    return receive_of(pair.far)(pair.far, &buffer, 0, call->irp);
}

static NTSTATUS ask_local(struct wsk_call *call)
{
    return local_of(pair.near)(pair.near, (PSOCKADDR)&answer, call->irp);
}

static NTSTATUS ask_remote(struct wsk_call *call)
{
    return remote_of(pair.near)(pair.near, (PSOCKADDR)&answer, call->irp);
}

static NTSTATUS send_to_it(struct wsk_call *call)
{
    WSK_BUF buffer = {call->mdl, 0, 1};
    return datagram_table(datagram)->WskSendTo(datagram, &buffer, 0, (PSOCKADDR)&datagram_address,
                                               0, NULL, call->irp);
}

static NTSTATUS receive_from_it(struct wsk_call *call)
{
    WSK_BUF buffer = {call->mdl, 0, 1};
    return datagram_table(datagram)->WskReceiveFrom(datagram, &buffer, 0, NULL, NULL, NULL, NULL,
                                                    call->irp);
}

static NTSTATUS set_an_option(struct wsk_call *call)
{
    static ULONG on = 1;
    const WSK_PROVIDER_BASIC_DISPATCH *basic = datagram->Dispatch;
    return basic->WskControlSocket(datagram, WskSetOption, SO_BROADCAST, SOL_SOCKET, sizeof(on),
                                   &on, 0, NULL, NULL, call->irp);
}

static NTSTATUS ask_for_addresses(struct wsk_call *call)
{
    static _Alignas(16) UCHAR list[4096];
    SIZE_T required;
    UNREFERENCED_PARAMETER(call);
    const WSK_PROVIDER_BASIC_DISPATCH *basic = fresh->Dispatch;
    return basic->WskControlSocket(fresh, WskIoctl, SIO_ADDRESS_LIST_QUERY, 0, 0, NULL,
                                   sizeof(list), list, &required, NULL);
}

static NTSTATUS take_the_fast_path(struct wsk_call *call)
{
    static ULONG on = 1;
    const WSK_PROVIDER_BASIC_DISPATCH *basic = fresh->Dispatch;
    return basic->WskControlSocket(fresh, WskIoctl, SIO_LOOPBACK_FAST_PATH, 0, sizeof(on), &on, 0,
                                   NULL, NULL, call->irp);
}

/* ---- IRPs ---- */

static NTSTATUS handle_an_irp(struct wsk_call *call)
{
    UNREFERENCED_PARAMETER(call);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoCancelIrp(irp);
    IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
    IoFreeIrp(irp);
    return STATUS_SUCCESS;
}

/* ---- trials ---- */

/* In the order in which a driver may call them one after another. */
static const struct level_case {
    leveled *function;
    KIRQL highest;
    const char *rule;
} cases[] = {
    {take_the_fast_path, PASSIVE_LEVEL, "WSK-IRQL-10"},
    {ask_for_addresses, PASSIVE_LEVEL, "WSK-IRQL-09"},
    {set_an_option, DISPATCH_LEVEL, "WSK-IRQL-09"},
    {ask_for_transports, DISPATCH_LEVEL, "WSK-IRQL-05"},
    {make_a_socket, DISPATCH_LEVEL, "WSK-IRQL-05"},
    {make_a_connection, DISPATCH_LEVEL, "WSK-IRQL-05"},
    {bind_it, DISPATCH_LEVEL, "WSK-IRQL-07"},
    {connect_it, DISPATCH_LEVEL, "WSK-IRQL-07"},
    {close_it, DISPATCH_LEVEL, "WSK-IRQL-07"},
    {send_it, DISPATCH_LEVEL, "WSK-IRQL-08"},
    {receive_it, DISPATCH_LEVEL, "WSK-IRQL-08"},
    {ask_local, DISPATCH_LEVEL, "WSK-IRQL-08"},
    {ask_remote, DISPATCH_LEVEL, "WSK-IRQL-08"},
    {disconnect_it, DISPATCH_LEVEL, "WSK-IRQL-07"},
    {send_to_it, DISPATCH_LEVEL, "WSK-IRQL-08"},
    {receive_from_it, DISPATCH_LEVEL, "WSK-IRQL-08"},
    {handle_an_irp, DISPATCH_LEVEL, "WSK-IRQL-17"},
};

static void open_sockets(void)
{
    any_local = any_address(AF_INET, 0);
    open_pair(&pair, NULL, NULL);
    fresh = make_socket(&pair.end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    datagram = open_datagram(&pair.end, AF_INET, NULL, NULL, &datagram_address);
}

static void prepare(struct wsk_call *call)
{
    call_init(call);
    call_buffer(call, &byte, 1);
    call_irp(call);
}

static void call_one_level_above(void *context)
{
    const struct level_case *level_case = context;
    struct wsk_call call;
    KIRQL old;
    open_sockets();
    prepare(&call);
    KeRaiseIrql(level_case->highest + 1, &old);
    level_case->function(&call);
}

static void accept_too_high(void *context)
{
    static const struct level_case accepts = {accept_it, DISPATCH_LEVEL, "WSK-IRQL-07"};
    UNREFERENCED_PARAMETER(context);
    call_one_level_above((void *)(ULONG_PTR)&accepts);
}

static void a_call_above_its_level_is_caught(void **state)
{
    PROVES("WSK-IRQL-05", "WSK-IRQL-07", "WSK-IRQL-08", "WSK-IRQL-09", "WSK-IRQL-10",
           "WSK-IRQL-17");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(cases); i++) {
        expect_bugcheck(call_one_level_above, (void *)(ULONG_PTR)&cases[i], DRIVER_VIOLATION,
                        ANY_PARAMETER, cases[i].rule);
    }
    expect_bugcheck(accept_too_high, NULL, DRIVER_VIOLATION, ANY_PARAMETER, "WSK-IRQL-07");
}

static void call_at_highest(const struct level_case *level_case)
{
    struct wsk_call call;
    KIRQL old;
    prepare(&call);
    KeRaiseIrql(level_case->highest, &old);
    NTSTATUS returned = level_case->function(&call);
    KeLowerIrql(old);
    if (returned == STATUS_PENDING) {
        await(&call.done);
    }
    if (level_case->function == make_a_socket) {
        assert_int_equal(call.irp->IoStatus.Status, STATUS_SUCCESS);
        PWSK_SOCKET socket = (PWSK_SOCKET)call_information(&call);
        close_socket(&pair.end, socket);
    }
    call_free(&call);
}

static void a_call_at_its_highest_level_is_fine(void **state)
{
    STAYS_SILENT("WSK-IRQL-05", "WSK-IRQL-07", "WSK-IRQL-08", "WSK-IRQL-09", "WSK-IRQL-10",
                 "WSK-IRQL-17");
    UNREFERENCED_PARAMETER(state);
    open_sockets();
    for (unsigned i = 0; i < RTL_NUMBER_OF(cases); i++) {
        call_at_highest(&cases[i]);
    }
    assert_int_equal(close_socket(&pair.end, datagram), STATUS_SUCCESS);
    close_pair(&pair);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_call_above_its_level_is_caught),
    kernel_test(a_call_at_its_highest_level_is_fine),
};

TEST_MAIN(tests)
