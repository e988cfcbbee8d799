/* Stream sockets: either role, chosen by WskListen or a connect. */
#include "wsk_end.h"

#include <wskemu/network.h>

#include <wskemu/peer.h>

static struct wsk_end *const end = &test_end;

static struct driver {
    PVOID accept_context;
    PWSK_SOCKET accepted_socket;
    KEVENT accepted;
    PVOID receive_context;
    PWSK_DATA_INDICATION kept;
    SIZE_T kept_length;
    KEVENT received;
} driver;

static NTSTATUS WSKAPI note_connection(PVOID SocketContext, ULONG Flags, PSOCKADDR LocalAddress,
                                       PSOCKADDR RemoteAddress, PWSK_SOCKET AcceptSocket,
                                       PVOID *AcceptSocketContext,
                                       CONST WSK_CLIENT_CONNECTION_DISPATCH **AcceptSocketDispatch)
{
    driver.accept_context = SocketContext;
    driver.accepted_socket = AcceptSocket;
    KeSetEvent(&driver.accepted, IO_NO_INCREMENT, FALSE);
    return STATUS_SUCCESS;
}

static NTSTATUS WSKAPI keep_data(PVOID SocketContext, ULONG Flags,
                                 PWSK_DATA_INDICATION DataIndication, SIZE_T BytesIndicated,
                                 SIZE_T *BytesAccepted)
{
    driver.receive_context = SocketContext;
    driver.kept = DataIndication;
    driver.kept_length = BytesIndicated;
    KeSetEvent(&driver.received, IO_NO_INCREMENT, FALSE);
    return STATUS_PENDING;
}

static const WSK_CLIENT_LISTEN_DISPATCH listen_table = {note_connection, NULL, NULL};
static const WSK_CLIENT_CONNECTION_DISPATCH connect_table = {keep_data, NULL, NULL};
static const WSK_CLIENT_STREAM_DISPATCH tables = {&listen_table, &connect_table};

static PWSK_SOCKET make_stream(const WSK_CLIENT_STREAM_DISPATCH *dispatch)
{
    RtlZeroMemory(&driver, sizeof(driver));
    KeInitializeEvent(&driver.accepted, NotificationEvent, FALSE);
    KeInitializeEvent(&driver.received, NotificationEvent, FALSE);
    PWSK_SOCKET socket = make_socket(end, AF_INET, WSK_FLAG_STREAM_SOCKET, &driver, dispatch);
    assert_non_null(socket);
    return socket;
}

static const WSK_PROVIDER_STREAM_DISPATCH *table_of(PWSK_SOCKET socket)
{
    return socket->Dispatch;
}

static NTSTATUS listen_on(PWSK_SOCKET socket)
{
    return call_wait(&end->call, table_of(socket)->WskListen(socket, call_irp(&end->call)));
}

/* A listening stream socket on the loopback address. */
static PWSK_SOCKET make_listening(const WSK_CLIENT_STREAM_DISPATCH *dispatch, SOCKADDR_INET *bound)
{
    PWSK_SOCKET socket = make_stream(dispatch);
    assert_int_equal(bind_loopback(end, socket, AF_INET, bound), STATUS_SUCCESS);
    assert_int_equal(listen_on(socket), STATUS_SUCCESS);
    return socket;
}

static struct wskemu_peer *make_peer(const SOCKADDR_INET *server)
{
    struct wskemu_peer *peer;
    assert_int_equal(wskemu_peer_connect((const SOCKADDR *)server, &peer), STATUS_SUCCESS);
    return peer;
}

/* A connected stream socket, and its peer. */
static PWSK_SOCKET make_connected(const WSK_CLIENT_STREAM_DISPATCH *dispatch,
                                  struct wskemu_peer **peer)
{
    struct wskemu_peer *server;
    SOCKADDR_STORAGE address;
    PWSK_SOCKET socket = make_stream(dispatch);
    assert_int_equal(wskemu_peer_listen(WSKEMU_LOOPBACK(AF_INET, 0), &server), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_local_address(server, &address), STATUS_SUCCESS);
    assert_int_equal(bind_loopback(end, socket, AF_INET, NULL), STATUS_SUCCESS);
    assert_int_equal(connect_socket(end, socket, (const SOCKADDR_INET *)&address), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_accept(server, peer), STATUS_SUCCESS);
    wskemu_peer_close(server);
    return socket;
}

static void the_table_has_both_roles_and_never_changes(void **state)
{
    PROVES("WSK-STRM-01", "WSK-STRM-02", "WSK-DISP-13", "WSK-DISP-15");
    PWSK_SOCKET socket = make_stream(&tables);
    const WSK_PROVIDER_STREAM_DISPATCH *table = table_of(socket);
    PFN_WSK_BIND const *functions = &table->WskBind;
    assert_int_equal(sizeof(*table), 15 * sizeof(PVOID)); /* no room for WskInspectComplete */
    assert_non_null(table->WskControlSocket);
    assert_non_null(table->WskCloseSocket);
    for (unsigned i = 0; i < 13; i++) {
        assert_non_null(functions[i]);
    }
    assert_int_equal(bind_loopback(end, socket, AF_INET, NULL), STATUS_SUCCESS);
    assert_int_equal(listen_on(socket), STATUS_SUCCESS);
    assert_ptr_equal(socket->Dispatch, table);
    close_socket(end, socket);
    struct wskemu_peer *peer;
    socket = make_connected(NULL, &peer);
    assert_ptr_equal(socket->Dispatch, table);
    close_socket(end, socket);
    wskemu_peer_close(peer);
}

static void a_bound_stream_socket_listens_when_it_is_told_to(void **state)
{
    PROVES("WSK-BIND-17", "WSK-LSTN-03", "WSK-LSTN-04");
    STAYS_SILENT("WSK-LSTN-01", "WSK-LSTN-02", "WSK-LSTN-07");
    struct wskemu_peer *peer;
    SOCKADDR_INET any = any_address(AF_INET, 0);
    SOCKADDR_INET bound;
    PWSK_SOCKET socket = make_stream(NULL);
    assert_int_equal(bind_socket(end, socket, &any), STATUS_SUCCESS);
    assert_int_equal(local_address(end, socket, &bound), STATUS_SUCCESS);
    SOCKADDR_INET server = loopback_address(AF_INET, port_of(&bound));
    assert_int_not_equal(wskemu_peer_connect((PSOCKADDR)&server, &peer), STATUS_SUCCESS);
    NTSTATUS returned = table_of(socket)->WskListen(socket, call_irp(&end->call));
    assert_int_equal(returned, STATUS_PENDING);
    assert_int_equal(call_wait(&end->call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&end->call), 0);
    peer = make_peer(&server);
    wskemu_peer_close(peer);
    close_socket(end, socket);
}

static void a_listening_stream_socket_accepts_connections(void **state)
{
    PROVES("WSK-STRM-07", "WSK-DISP-16");
    STAYS_SILENT("WSK-ACC-02", "WSK-LSTN-07", "WSK-STRM-06", "WSK-BIND-12");
    SOCKADDR_INET server;
    PWSK_SOCKET accepted;
    PWSK_SOCKET other = make_socket(end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    PWSK_SOCKET socket = make_listening(NULL, &server);
    struct wskemu_peer *peer = make_peer(&server);
    assert_int_equal(accept_socket(end, socket, NULL, NULL, &accepted), STATUS_SUCCESS);
    assert_ptr_equal(accepted->Dispatch, other->Dispatch);
    assert_int_equal(send_bytes(end, accepted, "hello", 5, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(peer, "hello", 5), STATUS_SUCCESS);
    close_socket(end, accepted);
    close_socket(end, socket);
    close_socket(end, other);
    wskemu_peer_close(peer);
}

static void a_listening_stream_socket_has_the_listen_callbacks(void **state)
{
    PROVES("WSK-STRM-03", "WSK-DISP-20");
    SOCKADDR_INET server;
    PWSK_SOCKET socket = make_listening(&tables, &server);
    assert_int_equal(enable_events(socket, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    struct wskemu_peer *peer = make_peer(&server);
    await(&driver.accepted);
    assert_ptr_equal(driver.accept_context, &driver);
    close_socket(end, driver.accepted_socket);
    close_socket(end, socket);
    wskemu_peer_close(peer);
}

static void a_connected_stream_socket_has_the_connection_callbacks(void **state)
{
    PROVES("WSK-STRM-03", "WSK-STRM-11", "WSK-DISP-20");
    struct wskemu_peer *peer;
    PWSK_SOCKET socket = make_connected(&tables, &peer);
    assert_int_equal(enable_events(socket, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_send_all(peer, "data", 4), STATUS_SUCCESS);
    await(&driver.received);
    assert_ptr_equal(driver.receive_context, &driver);
    const WSK_BUF *buffer = &driver.kept->Buffer;
    assert_int_equal(buffer->Length, driver.kept_length);
    const UCHAR *bytes = MmGetSystemAddressForMdlSafe(buffer->Mdl, NormalPagePriority);
    assert_int_equal(bytes[buffer->Offset], 'd');
    assert_int_equal(table_of(socket)->WskRelease(socket, driver.kept), STATUS_SUCCESS);
    close_socket(end, socket);
    wskemu_peer_close(peer);
}

static void a_connected_stream_socket_moves_data(void **state)
{
    STAYS_SILENT("WSK-BIND-12", "WSK-SEND-02", "WSK-RECV-02", "WSK-DISC-02", "WSK-DISC-20");
    char bytes[5];
    struct wskemu_peer *peer;
    PWSK_SOCKET socket = make_connected(NULL, &peer);
    assert_int_equal(send_bytes(end, socket, "hello", 5, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(peer, "hello", 5), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_send_all(peer, "world", 5), STATUS_SUCCESS);
    assert_int_equal(receive_bytes(end, socket, bytes, 5, WSK_FLAG_WAITALL, NULL), STATUS_SUCCESS);
    assert_memory_equal(bytes, "world", 5);
    assert_int_equal(disconnect_socket(end, socket, 0), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_end(peer), STATUS_SUCCESS);
    close_socket(end, socket);
    wskemu_peer_close(peer);
}

static void a_listener_cannot_act_as_a_connection(void **state)
{
    PROVES("WSK-LSTN-06", "WSK-STRM-05", "WSK-LSTN-07", "WSK-STRM-06");
    char byte = 'x';
    SOCKADDR_INET server, address;
    PWSK_SOCKET socket = make_listening(NULL, &server);
    assert_int_equal(connect_socket(end, socket, &server), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(send_bytes(end, socket, &byte, 1, 0, NULL), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(receive_bytes(end, socket, &byte, 1, 0, NULL), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(disconnect_socket(end, socket, 0), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(remote_address(end, socket, &address), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(listen_on(socket), STATUS_INVALID_DEVICE_STATE);
    close_socket(end, socket);
}

static void a_connection_cannot_act_as_a_listener(void **state)
{
    PROVES("WSK-STRM-05", "WSK-CONN-09", "WSK-CONN-10", "WSK-STRM-06");
    PWSK_SOCKET accepted;
    struct wskemu_peer *peer;
    PWSK_SOCKET socket = make_connected(NULL, &peer);
    assert_int_equal(listen_on(socket), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(accept_socket(end, socket, NULL, NULL, &accepted),
                     STATUS_INVALID_DEVICE_STATE);
    close_socket(end, socket);
    wskemu_peer_close(peer);
}

static void a_socket_without_a_role_can_only_be_bound(void **state)
{
    PROVES("WSK-LSTN-01", "WSK-LSTN-02", "WSK-BIND-12", "WSK-STRM-04", "WSK-STRM-06", "WSK-ACC-02",
           "WSK-SEND-02", "WSK-RECV-02", "WSK-DISC-02");
    char byte = 'x';
    PWSK_SOCKET accepted;
    SOCKADDR_INET address = loopback_address(AF_INET, 1);
    PWSK_SOCKET socket = make_stream(NULL);
    assert_int_equal(listen_on(socket), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(connect_socket(end, socket, &address), STATUS_INVALID_DEVICE_STATE);
    NTSTATUS returned =
        table_of(socket)->WskConnectEx(socket, (PSOCKADDR)&address, NULL, 0, call_irp(&end->call));
    assert_int_equal(call_wait(&end->call, returned), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(accept_socket(end, socket, NULL, NULL, &accepted),
                     STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(bind_loopback(end, socket, AF_INET, NULL), STATUS_SUCCESS);
    assert_int_equal(accept_socket(end, socket, NULL, NULL, &accepted),
                     STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(send_bytes(end, socket, &byte, 1, 0, NULL), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(receive_bytes(end, socket, &byte, 1, 0, NULL), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(disconnect_socket(end, socket, 0), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(table_of(socket)->WskListen(socket, NULL), STATUS_INVALID_PARAMETER);
    close_socket(end, socket);
}

static void a_failed_connect_chooses_no_role(void **state)
{
    PROVES("WSK-STRM-05");
    STAYS_SILENT("WSK-CONN-10");
    SOCKADDR_INET bound;
    SOCKADDR_INET server;
    PWSK_SOCKET accepted;
    PWSK_SOCKET socket = make_stream(NULL);
    SOCKADDR_INET nobody = loopback_address(AF_INET, wskemu_free_port(AF_INET, SOCK_STREAM));
    assert_int_equal(bind_loopback(end, socket, AF_INET, &bound), STATUS_SUCCESS);
    assert_int_equal(connect_socket(end, socket, &nobody), STATUS_CONNECTION_REFUSED);
    assert_int_equal(listen_on(socket), STATUS_SUCCESS);
    assert_int_equal(local_address(end, socket, &server), STATUS_SUCCESS);
    assert_address_equal(&server, &bound);
    struct wskemu_peer *peer = make_peer(&server);
    assert_int_equal(accept_socket(end, socket, NULL, NULL, &accepted), STATUS_SUCCESS);
    close_socket(end, accepted);
    close_socket(end, socket);
    wskemu_peer_close(peer);
}

static void conditional_accept_is_not_for_stream_sockets(void **state)
{
    PROVES("WSK-STRM-08");
    PWSK_SOCKET socket = make_stream(&tables);
    assert_int_equal(set_option(end, socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1),
                     STATUS_INVALID_DEVICE_REQUEST);
    close_socket(end, socket);
}

static void static_events_begin_with_the_role(void **state)
{
    PROVES("WSK-CTL-29");
    SOCKADDR_INET server;
    assert_int_equal(enable_static_events(end, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE),
                     STATUS_SUCCESS);
    PWSK_SOCKET socket = make_listening(&tables, &server);
    struct wskemu_peer *peer = make_peer(&server);
    await(&driver.accepted);
    close_socket(end, driver.accepted_socket);
    close_socket(end, socket);
    wskemu_peer_close(peer);
    socket = make_connected(&tables, &peer);
    assert_int_equal(wskemu_peer_send_all(peer, "data", 4), STATUS_SUCCESS);
    await(&driver.received);
    assert_int_equal(table_of(socket)->WskRelease(socket, driver.kept), STATUS_SUCCESS);
    close_socket(end, socket);
    wskemu_peer_close(peer);
}

static void a_dead_stream_socket_does_not_listen(void **state)
{
    PROVES("WSK-LSTN-05");
    PWSK_SOCKET socket = make_stream(NULL);
    assert_int_equal(bind_loopback(end, socket, AF_INET, NULL), STATUS_SUCCESS);
    wskemu_socket_break(socket);
    assert_int_equal(listen_on(socket), STATUS_FILE_FORCED_CLOSED);
    close_socket(end, socket);
}

static const struct CMUnitTest tests[] = {
    kernel_test_wsk(the_table_has_both_roles_and_never_changes),
    kernel_test_wsk(a_bound_stream_socket_listens_when_it_is_told_to),
    kernel_test_wsk(a_listening_stream_socket_accepts_connections),
    kernel_test_wsk(a_listening_stream_socket_has_the_listen_callbacks),
    kernel_test_wsk(a_connected_stream_socket_has_the_connection_callbacks),
    kernel_test_wsk(a_connected_stream_socket_moves_data),
    kernel_test_wsk(a_listener_cannot_act_as_a_connection),
    kernel_test_wsk(a_connection_cannot_act_as_a_listener),
    kernel_test_wsk(a_socket_without_a_role_can_only_be_bound),
    kernel_test_wsk(a_failed_connect_chooses_no_role),
    kernel_test_wsk(conditional_accept_is_not_for_stream_sockets),
    kernel_test_wsk(static_events_begin_with_the_role),
    kernel_test_wsk(a_dead_stream_socket_does_not_listen),
};

TEST_MAIN(tests)
