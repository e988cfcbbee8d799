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
    STAYS_SILENT("WSK-SOCK-02", "WSK-SOCK-08");
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

static void each_category_serves_its_purpose_only(void **state)
{
    static const ULONG none = 0;
    struct wsk_end end;
    SIZE_T backlog;
    SOCKADDR_INET bound;
    PROVES("WSK-SOCK-28");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET listener = listen_loopback(&end, AF_INET, NULL, NULL, &bound);
    PWSK_SOCKET connection = connect_to(&end, &bound, NULL, NULL);
    PWSK_SOCKET datagram = make_socket(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    assert_int_equal(bind_loopback(&end, datagram, AF_INET, NULL), STATUS_SUCCESS);
    const struct {
        PWSK_SOCKET socket;
        WSK_CONTROL_SOCKET_TYPE type;
        ULONG code;
        ULONG level;
    } misuses[] = {
        {listener, WskIoctl, SIO_WSK_QUERY_RECEIVE_BACKLOG, 0},
        {datagram, WskIoctl, SIO_WSK_QUERY_RECEIVE_BACKLOG, 0},
        {listener, WskSetOption, SO_BROADCAST, SOL_SOCKET},
        {connection, WskSetOption, SO_BROADCAST, SOL_SOCKET},
        {connection, WskSetOption, SO_CONDITIONAL_ACCEPT, SOL_SOCKET},
        {datagram, WskSetOption, SO_CONDITIONAL_ACCEPT, SOL_SOCKET},
        {datagram, WskSetOption, SO_KEEPALIVE, SOL_SOCKET},
    };
    for (unsigned i = 0; i < RTL_NUMBER_OF(misuses); i++) {
        BOOLEAN is_query = misuses[i].type == WskIoctl;
        assert_int_equal(control_socket(&end, misuses[i].socket, misuses[i].type, misuses[i].code,
                                        misuses[i].level, is_query ? NULL : &none,
                                        is_query ? 0 : sizeof(none), is_query ? &backlog : NULL,
                                        is_query ? sizeof(backlog) : 0, NULL),
                         STATUS_INVALID_DEVICE_REQUEST);
    }
    assert_int_equal(enable_events(listener, WSK_EVENT_RECEIVE_FROM), STATUS_INVALID_PARAMETER);
    assert_int_equal(enable_events(connection, WSK_EVENT_ACCEPT), STATUS_INVALID_PARAMETER);
    assert_int_equal(enable_events(datagram, WSK_EVENT_RECEIVE), STATUS_INVALID_PARAMETER);
    close_socket(&end, datagram);
    close_socket(&end, connection);
    close_socket(&end, listener);
    close_wsk(&end);
}

static void each_category_has_its_events(void **state)
{
    static const ULONG all = WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE_FROM | WSK_EVENT_RECEIVE |
                             WSK_EVENT_DISCONNECT | WSK_EVENT_SEND_BACKLOG;
    static const ULONG of_connections =
        WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT | WSK_EVENT_SEND_BACKLOG;
    struct wsk_end end;
    SOCKADDR_INET bound;
    PROVES("WSK-EVT-01", "WSK-HDR-07");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET basic = make_socket(&end, AF_INET, WSK_FLAG_BASIC_SOCKET, NULL, NULL);
    PWSK_SOCKET listener = listen_loopback(&end, AF_INET, NULL, NULL, &bound);
    PWSK_SOCKET connection = connect_to(&end, &bound, NULL, NULL);
    PWSK_SOCKET datagram = make_socket(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    assert_int_equal(bind_loopback(&end, datagram, AF_INET, NULL), STATUS_SUCCESS);
    const struct {
        PWSK_SOCKET socket;
        ULONG events;
    } kinds[] = {
        {basic, 0},
        {listener, WSK_EVENT_ACCEPT | of_connections}, /* those are for what it accepts */
        {connection, of_connections},
        {datagram, WSK_EVENT_RECEIVE_FROM},
    };
    for (unsigned i = 0; i < RTL_NUMBER_OF(kinds); i++) {
        for (ULONG event = 1; event < WSK_EVENT_DISABLE; event <<= 1) {
            NTSTATUS status = enable_events(kinds[i].socket, event & all);
            assert_int_equal(NT_SUCCESS(status), (event & kinds[i].events) != 0);
        }
    }
    /* Inspecting has callbacks, and SO_CONDITIONAL_ACCEPT for a switch instead of a flag. */
    assert_int_equal(sizeof(WSK_CLIENT_LISTEN_DISPATCH), 3 * sizeof(PVOID));
    assert_int_equal(sizeof(WSK_CLIENT_DATAGRAM_DISPATCH), sizeof(PVOID));
    assert_int_equal(sizeof(WSK_CLIENT_CONNECTION_DISPATCH), 3 * sizeof(PVOID));
    close_socket(&end, datagram);
    close_socket(&end, connection);
    close_socket(&end, listener);
    close_socket(&end, basic);
    close_wsk(&end);
}

static void addresses_have_the_type_of_their_family(void **state)
{
    struct wsk_end end;
    PROVES("WSK-SOCK-31");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    SOCKADDR_IN ipv4 = {.sin_family = AF_INET, .sin_addr.s_addr = 0x0100007F};
    SOCKADDR_IN6 ipv6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const struct {
        ADDRESS_FAMILY family;
        PSOCKADDR address;
        SIZE_T length;
    } families[] = {{AF_INET, (PSOCKADDR)&ipv4, sizeof(ipv4)},
                    {AF_INET6, (PSOCKADDR)&ipv6, sizeof(ipv6)}};
    for (unsigned i = 0; i < RTL_NUMBER_OF(families); i++) {
        UCHAR stored[sizeof(SOCKADDR_INET) + 1];
        RtlFillMemory(stored, sizeof(stored), 0xEE);
        PWSK_SOCKET socket =
            make_socket(&end, families[i].family, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
        NTSTATUS returned = bind_of(socket)(socket, families[i].address, 0, call_irp(&end.call));
        assert_int_equal(call_wait(&end.call, returned), STATUS_SUCCESS);
        returned = local_of(socket)(socket, (PSOCKADDR)stored, call_irp(&end.call));
        assert_int_equal(call_wait(&end.call, returned), STATUS_SUCCESS);
        assert_int_equal(((PSOCKADDR)stored)->sa_family, families[i].family);
        assert_int_not_equal(stored[families[i].length - 1], 0xEE);
        assert_int_equal(stored[families[i].length], 0xEE);
        PSOCKADDR other = families[1 - i].address;
        returned = connect_of(socket)(socket, other, 0, call_irp(&end.call));
        assert_int_equal(call_wait(&end.call, returned), STATUS_INVALID_PARAMETER);
        close_socket(&end, socket);
    }
    close_wsk(&end);
}

/* What the host lets nobody but the privileged have is refused as that, not as no combination. */
static void raw_datagram_sockets_take_any_protocol(void **state)
{
    static const ADDRESS_FAMILY families[] = {AF_INET, AF_INET6};
    static const ULONG protocols[] = {1, 2, 6, 17, 41, 58, 89, 132, 253, 254, 255};
    struct wsk_end end;
    PWSK_SOCKET socket;
    PROVES("WSK-SOCK-34");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    for (unsigned f = 0; f < RTL_NUMBER_OF(families); f++) {
        assert_int_equal(try_socket(&end, families[f], SOCK_DGRAM, IPPROTO_UDP,
                                    WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL, &socket),
                         STATUS_SUCCESS);
        close_socket(&end, socket);
        for (unsigned i = 0; i < RTL_NUMBER_OF(protocols); i++) {
            NTSTATUS status = try_socket(&end, families[f], SOCK_RAW, protocols[i],
                                         WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL, &socket);
            if (NT_SUCCESS(status)) {
                close_socket(&end, socket);
            } else {
                assert_int_equal(status, STATUS_ACCESS_DENIED);
            }
        }
        assert_int_equal(try_socket(&end, families[f], SOCK_DGRAM, IPPROTO_TCP,
                                    WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL, &socket),
                         STATUS_NOT_SUPPORTED);
    }
    close_wsk(&end);
}

static void protocols_are_levels_of_options(void **state)
{
    struct wsk_end end;
    ULONG value;
    PROVES("WSK-SOCK-37");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    static const struct {
        ADDRESS_FAMILY family;
        ULONG category;
        ULONG level;
        ULONG option;
        ULONG value;
    } options[] = {
        {AF_INET, WSK_FLAG_CONNECTION_SOCKET, IPPROTO_IP, IP_TTL, 7},
        {AF_INET6, WSK_FLAG_DATAGRAM_SOCKET, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 7},
        {AF_INET, WSK_FLAG_CONNECTION_SOCKET, IPPROTO_TCP, TCP_KEEPCNT, 5},
        {AF_INET, WSK_FLAG_DATAGRAM_SOCKET, IPPROTO_UDP, UDP_SEND_MSG_SIZE, 500},
    };
    for (unsigned i = 0; i < RTL_NUMBER_OF(options); i++) {
        PWSK_SOCKET socket = make_socket(&end, options[i].family, options[i].category, NULL, NULL);
        ULONG option = options[i].option;
        assert_int_equal(set_option(&end, socket, options[i].level, option, options[i].value),
                         STATUS_SUCCESS);
        assert_int_equal(get_option(&end, socket, options[i].level, option, &value),
                         STATUS_SUCCESS);
        assert_int_equal(value, options[i].value);
        assert_false(NT_SUCCESS(set_option(&end, socket, IPPROTO_ICMP, option, 1)));
        close_socket(&end, socket);
    }
    close_wsk(&end);
}

static const struct CMUnitTest tests[] = {
    kernel_test(only_sensible_combinations_exist),
    kernel_test(each_category_has_its_table),
    kernel_test(sockets_are_made_and_closed_at_dispatch_level),
    kernel_test(a_socket_outlives_the_capture),
    kernel_test(a_level_above_dispatch_is_caught),
    kernel_test(each_category_serves_its_purpose_only),
    kernel_test(each_category_has_its_events),
    kernel_test(addresses_have_the_type_of_their_family),
    kernel_test(raw_datagram_sockets_take_any_protocol),
    kernel_test(protocols_are_levels_of_options),
};

TEST_MAIN(tests)
