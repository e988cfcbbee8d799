/* WskSocket. */
#include "wsk_end.h"

struct combination {
    ULONG category;
    USHORT type;
    ULONG protocol;
    NTSTATUS status;
};

static void only_sensible_combinations_exist(void **state)
{
    static const struct combination combinations[] = {
        {WSK_FLAG_BASIC_SOCKET, SOCK_STREAM, IPPROTO_TCP, STATUS_SUCCESS},
        {WSK_FLAG_BASIC_SOCKET, SOCK_DGRAM, IPPROTO_UDP, STATUS_SUCCESS},
        {WSK_FLAG_BASIC_SOCKET, SOCK_RAW, IPPROTO_ICMP, STATUS_SUCCESS},
        {WSK_FLAG_BASIC_SOCKET, SOCK_STREAM, IPPROTO_UDP, STATUS_NOT_SUPPORTED},
        {WSK_FLAG_LISTEN_SOCKET, SOCK_STREAM, IPPROTO_TCP, STATUS_SUCCESS},
        {WSK_FLAG_LISTEN_SOCKET, SOCK_RAW, IPPROTO_TCP, STATUS_NOT_SUPPORTED},
        {WSK_FLAG_DATAGRAM_SOCKET, SOCK_DGRAM, IPPROTO_UDP, STATUS_SUCCESS},
        {WSK_FLAG_DATAGRAM_SOCKET, SOCK_STREAM, IPPROTO_TCP, STATUS_NOT_SUPPORTED},
        {WSK_FLAG_CONNECTION_SOCKET, SOCK_STREAM, IPPROTO_TCP, STATUS_SUCCESS},
        {WSK_FLAG_CONNECTION_SOCKET, SOCK_DGRAM, IPPROTO_UDP, STATUS_NOT_SUPPORTED},
        {WSK_FLAG_STREAM_SOCKET, SOCK_STREAM, IPPROTO_TCP, STATUS_SUCCESS},
        {WSK_FLAG_STREAM_SOCKET, SOCK_DGRAM, IPPROTO_UDP, STATUS_NOT_SUPPORTED},
        {WSK_FLAG_LISTEN_SOCKET | WSK_FLAG_CONNECTION_SOCKET, SOCK_STREAM, IPPROTO_TCP,
         STATUS_INVALID_PARAMETER},
        {0x10, SOCK_STREAM, IPPROTO_TCP, STATUS_INVALID_PARAMETER},
    };
    static const ADDRESS_FAMILY families[] = {AF_INET, AF_INET6};
    struct wsk_end end;
    PWSK_SOCKET socket;
    PROVES("WSK-SOCK-01", "WSK-SOCK-04", "WSK-SOCK-05", "WSK-SOCK-06", "WSK-SOCK-07", "WSK-SOCK-08",
           "WSK-SOCK-10", "WSK-SOCK-32", "WSK-SOCK-33", "WSK-SOCK-35", "WSK-HDR-04");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    for (unsigned f = 0; f < RTL_NUMBER_OF(families); f++) {
        for (unsigned i = 0; i < RTL_NUMBER_OF(combinations); i++) {
            const struct combination *it = &combinations[i];
            assert_int_equal(try_socket(&end, families[f], it->type, it->protocol, it->category,
                                        NULL, NULL, &socket),
                             it->status);
            if (NT_SUCCESS(it->status)) {
                close_socket(&end, socket);
            }
        }
    }
    assert_int_equal(try_socket(&end, AF_UNIX, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_LISTEN_SOCKET,
                                NULL, NULL, &socket),
                     STATUS_NOT_SUPPORTED);
    close_wsk(&end);
}

static void each_category_has_its_table(void **state)
{
    struct wsk_end end;
    PROVES("WSK-DISP-07", "WSK-DISP-08", "WSK-DISP-09", "WSK-DISP-10", "WSK-DISP-11", "WSK-DISP-12",
           "WSK-DISP-13", "WSK-DISP-15", "WSK-SOCK-26", "WSK-SOCK-27", "WSK-BIND-08", "WSK-SKO-14",
           "WSK-LSTN-09", "WSK-STRM-02");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET basic = make_socket(&end, AF_INET, WSK_FLAG_BASIC_SOCKET, NULL, NULL);
    PWSK_SOCKET listen = make_socket(&end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    PWSK_SOCKET connection = make_socket(&end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    PWSK_SOCKET datagram = make_socket(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    PWSK_SOCKET stream = make_socket(&end, AF_INET, WSK_FLAG_STREAM_SOCKET, NULL, NULL);
    const WSK_PROVIDER_BASIC_DISPATCH *b = basic->Dispatch;
    const WSK_PROVIDER_LISTEN_DISPATCH *l = listen->Dispatch;
    const WSK_PROVIDER_CONNECTION_DISPATCH *c = connection->Dispatch;
    const WSK_PROVIDER_DATAGRAM_DISPATCH *d = datagram->Dispatch;
    const WSK_PROVIDER_STREAM_DISPATCH *s = stream->Dispatch;
    assert_true(b->WskControlSocket == l->WskControlSocket && l->WskCloseSocket != NULL);
    assert_true(c->WskCloseSocket == b->WskCloseSocket && d->WskCloseSocket == b->WskCloseSocket);
    assert_true(s->WskCloseSocket == b->WskCloseSocket);
    assert_true(l->WskBind && l->WskAccept && l->WskInspectComplete && l->WskGetLocalAddress);
    assert_true(c->WskBind && c->WskConnect && c->WskGetLocalAddress && c->WskGetRemoteAddress &&
                c->WskSend && c->WskReceive && c->WskDisconnect && c->WskRelease &&
                c->WskConnectEx && c->WskSendEx && c->WskReceiveEx);
    assert_true(d->WskBind && d->WskSendTo && d->WskReceiveFrom && d->WskRelease &&
                d->WskGetLocalAddress && d->WskSendMessages);
    assert_true(s->WskBind && s->WskAccept && s->WskConnect && s->WskListen && s->WskSend &&
                s->WskReceive && s->WskDisconnect && s->WskRelease && s->WskGetLocalAddress &&
                s->WskGetRemoteAddress && s->WskConnectEx && s->WskSendEx && s->WskReceiveEx);
    close_socket(&end, basic);
    close_socket(&end, listen);
    close_socket(&end, connection);
    close_socket(&end, datagram);
    close_socket(&end, stream);
    close_wsk(&end);
}

static void sockets_are_made_and_closed_at_dispatch_level(void **state)
{
    struct wsk_end end;
    PWSK_SOCKET socket = NULL;
    PROVES("WSK-IRQL-05", "WSK-IRQL-07");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    KIRQL old = KeRaiseIrqlToDpcLevel();
    NTSTATUS returned = end.provider.Dispatch->WskSocket(
        end.provider.Client, AF_INET6, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_LISTEN_SOCKET, NULL, NULL,
        NULL, NULL, NULL, call_irp(&end.call));
    KeLowerIrql(old);
    assert_int_equal(call_wait(&end.call, returned), STATUS_SUCCESS);
    socket = (PWSK_SOCKET)call_information(&end.call);
    const WSK_PROVIDER_BASIC_DISPATCH *basic = socket->Dispatch;
    old = KeRaiseIrqlToDpcLevel();
    returned = basic->WskCloseSocket(socket, call_irp(&end.call));
    KeLowerIrql(old);
    assert_int_equal(call_wait(&end.call, returned), STATUS_SUCCESS);
    close_wsk(&end);
}

static void a_socket_outlives_the_capture(void **state)
{
    struct wsk_end end;
    PROVES("WSK-REG-27");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(&end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    WskReleaseProviderNPI(&end.registration);
    assert_int_equal(bind_loopback(&end, socket, AF_INET, NULL), STATUS_SUCCESS);
    close_socket(&end, socket);
    assert_int_equal(WskCaptureProviderNPI(&end.registration, WSK_INFINITE_WAIT, &end.provider),
                     STATUS_SUCCESS);
    close_wsk(&end);
}

static void create_at_high_level(void *context)
{
    static struct wsk_end end;
    KIRQL old;
    UNREFERENCED_PARAMETER(context);
    open_wsk(&end);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &old);
    end.provider.Dispatch->WskSocket(end.provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP,
                                     WSK_FLAG_LISTEN_SOCKET, NULL, NULL, NULL, NULL, NULL,
                                     end.call.irp);
}

static void a_level_above_dispatch_is_caught(void **state)
{
    PROVES("WSK-IRQL-05");
    UNREFERENCED_PARAMETER(state);
    expect_bugcheck(create_at_high_level, NULL, DRIVER_VIOLATION, ANY_PARAMETER, NULL);
}

static const struct CMUnitTest tests[] = {
    kernel_test(only_sensible_combinations_exist),
    kernel_test(each_category_has_its_table),
    kernel_test(sockets_are_made_and_closed_at_dispatch_level),
    kernel_test(a_socket_outlives_the_capture),
    kernel_test(a_level_above_dispatch_is_caught),
};

TEST_MAIN(tests)
