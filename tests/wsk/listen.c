/* WskBind of every category, the addresses of sockets, listening sockets. */
#include "wsk_end.h"

#include <wskemu/network.h>

#include <wskemu/peer.h>

static struct wsk_end *const end = &test_end;

static NTSTATUS return_of_bind(PWSK_SOCKET socket, const SOCKADDR_INET *address, ULONG flags)
{
    SOCKADDR_INET copy = *address;
    NTSTATUS returned = bind_of(socket)(socket, (PSOCKADDR)&copy, flags, call_irp(&end->call));
    RtlFillMemory(&copy, sizeof(copy), 0xEE);
    call_wait(&end->call, returned);
    return returned;
}

static NTSTATUS last_status(void)
{
    return end->call.irp->IoStatus.Status;
}

static const ULONG stream_categories[] = {WSK_FLAG_LISTEN_SOCKET, WSK_FLAG_CONNECTION_SOCKET,
                                          WSK_FLAG_STREAM_SOCKET, WSK_FLAG_DATAGRAM_SOCKET};

static void bind_is_accepted_and_completes_for_every_category(void **state)
{
    PROVES("WSK-BIND-03", "WSK-BIND-04", "WSK-ADDR-02", "WSK-ADDR-03", "WSK-ADDR-13");
    STAYS_SILENT("WSK-BIND-01", "WSK-ADDR-01", "WSK-ADDR-09");
    for (unsigned i = 0; i < RTL_NUMBER_OF(stream_categories); i++) {
        ADDRESS_FAMILY family = i % 2 == 0 ? AF_INET : AF_INET6;
        PWSK_SOCKET socket = make_socket(end, family, stream_categories[i], NULL, NULL);
        SOCKADDR_INET wanted = loopback_address(family, 0);
        SOCKADDR_INET bound;
        assert_int_equal(return_of_bind(socket, &wanted, 0), STATUS_PENDING);
        assert_int_equal(last_status(), STATUS_SUCCESS);
        assert_int_equal(call_information(&end->call), 0);
        assert_int_equal(local_address(end, socket, &bound), STATUS_SUCCESS);
        assert_int_not_equal(port_of(&bound), 0);
        wanted = loopback_address(family, port_of(&bound));
        assert_address_equal(&bound, &wanted);
        close_socket(end, socket);
    }
}

static void bind_refuses_wrong_arguments(void **state)
{
    PROVES("WSK-BIND-06", "WSK-BIND-01", "WSK-BIND-02");
    PWSK_SOCKET socket = make_socket(end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    SOCKADDR_INET ipv6 = loopback_address(AF_INET6, 0);
    SOCKADDR_INET ipv4 = loopback_address(AF_INET, 0);
    assert_int_equal(return_of_bind(socket, &ipv6, 0), STATUS_INVALID_PARAMETER);
    assert_int_equal(return_of_bind(socket, &ipv4, 1), STATUS_INVALID_PARAMETER);
    NTSTATUS returned = bind_of(socket)(socket, NULL, 0, call_irp(&end->call));
    assert_int_equal(call_wait(&end->call, returned), STATUS_INVALID_PARAMETER);
    assert_int_equal(bind_of(socket)(socket, (PSOCKADDR)&ipv4, 0, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(return_of_bind(socket, &ipv4, 0), STATUS_PENDING);
    assert_int_equal(return_of_bind(socket, &ipv4, 0), STATUS_INVALID_DEVICE_STATE);
    close_socket(end, socket);
}

static void a_socket_whose_bind_failed_can_be_bound_elsewhere(void **state)
{
    PROVES("WSK-BIND-18");
    SOCKADDR_INET taken;
    PWSK_SOCKET first = listen_loopback(end, AF_INET, NULL, NULL, &taken);
    PWSK_SOCKET second = make_socket(end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    assert_int_equal(bind_socket(end, second, &taken), STATUS_ADDRESS_ALREADY_EXISTS);
    assert_int_equal(local_address(end, second, &taken), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(bind_loopback(end, second, AF_INET, NULL), STATUS_SUCCESS);
    close_socket(end, first);
    close_socket(end, second);
}

static void a_basic_socket_cannot_be_bound(void **state)
{
    PROVES("WSK-BIND-08");
    PWSK_SOCKET basic = make_socket(end, AF_INET, WSK_FLAG_BASIC_SOCKET, NULL, NULL);
    PWSK_SOCKET other = make_socket(end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    assert_ptr_not_equal(basic->Dispatch, other->Dispatch);
    assert_int_equal(sizeof(WSK_PROVIDER_BASIC_DISPATCH), 2 * sizeof(PVOID)); /* control, close */
    close_socket(end, basic);
    close_socket(end, other);
}

static void a_listening_socket_of_udp_is_made_but_not_bound(void **state)
{
    PWSK_SOCKET socket;
    SOCKADDR_INET any = any_address(AF_INET, 0);
    assert_int_equal(try_socket(end, AF_INET, SOCK_DGRAM, IPPROTO_UDP, WSK_FLAG_LISTEN_SOCKET, NULL,
                                NULL, &socket),
                     STATUS_SUCCESS);
    assert_int_equal(return_of_bind(socket, &any, 0), STATUS_PENDING);
    assert_int_equal(last_status(), STATUS_NOT_IMPLEMENTED);
    close_socket(end, socket);
}

static void a_datagram_socket_is_bound_to_a_multicast_address(void **state)
{
    PROVES("WSK-HDR-25");
    PWSK_SOCKET socket = make_socket(end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    SOCKADDR_INET group = any_address(AF_INET, 0);
    SOCKADDR_INET bound;
    group.Ipv4.sin_addr.s_addr = 0x030201EF; /* 239.1.2.3 */
    assert_int_equal(bind_socket(end, socket, &group), STATUS_SUCCESS);
    assert_int_equal(local_address(end, socket, &bound), STATUS_SUCCESS);
    assert_int_equal(bound.Ipv4.sin_addr.s_addr, group.Ipv4.sin_addr.s_addr);
    assert_int_not_equal(port_of(&bound), 0);
    close_socket(end, socket);
}

static void a_listening_socket_listens_from_bind_on(void **state)
{
    PROVES("WSK-BIND-13", "WSK-LSTN-09", "WSK-DISP-10");
    SOCKADDR_INET bound;
    struct wskemu_peer *peer;
    PWSK_SOCKET socket = listen_loopback(end, AF_INET6, NULL, NULL, &bound);
    const WSK_PROVIDER_LISTEN_DISPATCH *table = socket->Dispatch;
    assert_non_null(table->WskControlSocket);
    assert_ptr_equal(table->Basic.WskCloseSocket, table->WskCloseSocket);
    assert_non_null(table->WskBind);
    assert_non_null(table->WskAccept);
    assert_non_null(table->WskInspectComplete);
    assert_non_null(table->WskGetLocalAddress);
    assert_int_equal(wskemu_peer_connect((PSOCKADDR)&bound, &peer), STATUS_SUCCESS);
    wskemu_peer_close(peer);
    close_socket(end, socket);
}

static void a_listener_at_the_wildcard_listens_on_all_addresses(void **state)
{
    PROVES("WSK-BIND-14");
    static const ULONG addresses[] = {0x0100007F, 0x0200007F}; /* 127.0.0.1, 127.0.0.2 */
    PWSK_SOCKET listener = make_socket(end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    SOCKADDR_INET any = any_address(AF_INET, 0);
    SOCKADDR_INET bound;
    assert_int_equal(bind_socket(end, listener, &any), STATUS_SUCCESS);
    local_address(end, listener, &bound);
    assert_int_equal(bound.Ipv4.sin_addr.s_addr, 0);
    for (unsigned i = 0; i < RTL_NUMBER_OF(addresses); i++) {
        PWSK_SOCKET accepted;
        SOCKADDR_INET local;
        struct wskemu_peer *peer;
        bound.Ipv4.sin_addr.s_addr = addresses[i];
        assert_int_equal(wskemu_peer_connect((PSOCKADDR)&bound, &peer), STATUS_SUCCESS);
        assert_int_equal(accept_socket(end, listener, NULL, NULL, &accepted), STATUS_SUCCESS);
        assert_int_equal(local_address(end, accepted, &local), STATUS_SUCCESS);
        assert_address_equal(&local, &bound);
        wskemu_peer_close(peer);
        close_socket(end, accepted);
    }
    close_socket(end, listener);
}

static void an_unbound_socket_has_no_address(void **state)
{
    PROVES("WSK-ADDR-04", "WSK-ADDR-07", "WSK-ADDR-09", "WSK-ADDR-10");
    SOCKADDR_INET address;
    for (unsigned i = 0; i < RTL_NUMBER_OF(stream_categories); i++) {
        PWSK_SOCKET socket = make_socket(end, AF_INET, stream_categories[i], NULL, NULL);
        NTSTATUS returned = local_of(socket)(socket, (PSOCKADDR)&address, call_irp(&end->call));
        assert_int_equal(returned, STATUS_INVALID_DEVICE_STATE);
        assert_int_equal(call_wait(&end->call, returned), STATUS_INVALID_DEVICE_STATE);
        close_socket(end, socket);
    }
    PWSK_SOCKET socket = make_socket(end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    assert_int_equal(bind_loopback(end, socket, AF_INET, NULL), STATUS_SUCCESS);
    assert_int_equal(remote_address(end, socket, &address), STATUS_INVALID_DEVICE_STATE);
    close_socket(end, socket);
}

static void queries_refuse_wrong_arguments(void **state)
{
    PROVES("WSK-ADDR-01");
    SOCKADDR_INET address;
    PWSK_SOCKET socket = listen_loopback(end, AF_INET, NULL, NULL, &address);
    assert_int_equal(local_of(socket)(socket, (PSOCKADDR)&address, NULL), STATUS_INVALID_PARAMETER);
    NTSTATUS returned = local_of(socket)(socket, NULL, call_irp(&end->call));
    assert_int_equal(call_wait(&end->call, returned), STATUS_INVALID_PARAMETER);
    PWSK_SOCKET connection = connect_to(end, &address, NULL, NULL);
    assert_int_equal(remote_of(connection)(connection, (PSOCKADDR)&address, NULL),
                     STATUS_INVALID_PARAMETER);
    close_socket(end, connection);
    close_socket(end, socket);
}

static void a_connection_gets_its_address_when_it_connects(void **state)
{
    PROVES("WSK-BIND-16", "WSK-ADDR-05", "WSK-ADDR-06", "WSK-ADDR-14", "WSK-ADDR-16");
    STAYS_SILENT("WSK-ADDR-01", "WSK-ADDR-09", "WSK-ADDR-10");
    SOCKADDR_INET server, before, after, remote;
    SOCKADDR_INET any = any_address(AF_INET, 0);
    PWSK_SOCKET listener = listen_loopback(end, AF_INET, NULL, NULL, &server);
    PWSK_SOCKET socket = make_socket(end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    assert_int_equal(bind_socket(end, socket, &any), STATUS_SUCCESS);
    assert_int_equal(local_address(end, socket, &before), STATUS_SUCCESS);
    assert_int_equal(before.Ipv4.sin_addr.s_addr, 0);
    assert_int_not_equal(port_of(&before), 0);
    assert_int_equal(connect_socket(end, socket, &server), STATUS_SUCCESS);
    assert_int_equal(local_address(end, socket, &after), STATUS_SUCCESS);
    before.Ipv4.sin_addr.s_addr = 0x0100007F;
    assert_address_equal(&after, &before);
    assert_int_equal(remote_address(end, socket, &remote), STATUS_SUCCESS);
    assert_address_equal(&remote, &server);
    close_socket(end, socket);
    close_socket(end, listener);
}

static void an_address_query_stores_no_more_than_its_family_needs(void **state)
{
    PROVES("WSK-ADDR-15");
    SOCKADDR_INET server;
    PWSK_SOCKET accepted;
    struct {
        SOCKADDR_IN address;
        ULONG guard;
    } out = {.guard = 0x600DCAFE};
    PWSK_SOCKET listener = listen_loopback(end, AF_INET, NULL, NULL, &server);
    PWSK_SOCKET socket = connect_to(end, &server, NULL, NULL);
    assert_int_equal(accept_socket(end, listener, NULL, NULL, &accepted), STATUS_SUCCESS);
    NTSTATUS returned = local_of(accepted)(accepted, (PSOCKADDR)&out.address, call_irp(&end->call));
    assert_int_equal(call_wait(&end->call, returned), STATUS_SUCCESS);
    assert_int_equal(out.address.sin_family, AF_INET);
    assert_int_equal(out.address.sin_port, server.Ipv4.sin_port);
    assert_int_equal(out.guard, 0x600DCAFE);
    close_socket(end, accepted);
    close_socket(end, socket);
    close_socket(end, listener);
}

static void a_dead_socket_says_so(void **state)
{
    PROVES("WSK-BIND-05", "WSK-ADDR-08");
    SOCKADDR_INET any = any_address(AF_INET, 0);
    SOCKADDR_INET address;
    PWSK_SOCKET socket = make_socket(end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    wskemu_socket_break(socket);
    assert_int_equal(return_of_bind(socket, &any, 0), STATUS_FILE_FORCED_CLOSED);
    assert_int_equal(local_address(end, socket, &address), STATUS_FILE_FORCED_CLOSED);
    assert_int_equal(remote_address(end, socket, &address), STATUS_FILE_FORCED_CLOSED);
    assert_int_equal(close_socket(end, socket), STATUS_SUCCESS);
}

static void binding_and_querying_work_at_dispatch_level(void **state)
{
    KIRQL old;
    SOCKADDR_INET address = loopback_address(AF_INET, 0);
    PWSK_SOCKET socket = make_socket(end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    PIRP irp = call_irp(&end->call);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    NTSTATUS returned = bind_of(socket)(socket, (PSOCKADDR)&address, 0, irp);
    KeLowerIrql(old);
    assert_int_equal(call_wait(&end->call, returned), STATUS_SUCCESS);
    irp = call_irp(&end->call);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    returned = local_of(socket)(socket, (PSOCKADDR)&address, irp);
    KeLowerIrql(old);
    assert_int_equal(call_wait(&end->call, returned), STATUS_SUCCESS);
    assert_int_not_equal(port_of(&address), 0);
    close_socket(end, socket);
}

static const struct CMUnitTest tests[] = {
    kernel_test_wsk(bind_is_accepted_and_completes_for_every_category),
    kernel_test_wsk(bind_refuses_wrong_arguments),
    kernel_test_wsk(a_socket_whose_bind_failed_can_be_bound_elsewhere),
    kernel_test_wsk(a_basic_socket_cannot_be_bound),
    kernel_test_wsk(a_listening_socket_of_udp_is_made_but_not_bound),
    kernel_test_wsk(a_datagram_socket_is_bound_to_a_multicast_address),
    kernel_test_wsk(a_listening_socket_listens_from_bind_on),
    kernel_test_wsk(a_listener_at_the_wildcard_listens_on_all_addresses),
    kernel_test_wsk(an_unbound_socket_has_no_address),
    kernel_test_wsk(queries_refuse_wrong_arguments),
    kernel_test_wsk(a_connection_gets_its_address_when_it_connects),
    kernel_test_wsk(an_address_query_stores_no_more_than_its_family_needs),
    kernel_test_wsk(a_dead_socket_says_so),
    kernel_test_wsk(binding_and_querying_work_at_dispatch_level),
};

TEST_MAIN(tests)
