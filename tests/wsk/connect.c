/* WskConnect, WskConnectEx and WskSocketConnect. */
#include "wsk_pair.h"

#include "wsk/wsk.h"

static PWSK_SOCKET bound_socket(struct wsk_end *end)
{
    SOCKADDR_INET any = any_address(AF_INET, 0);
    PWSK_SOCKET socket = make_socket(end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    assert_int_equal(bind_socket(end, socket, &any), STATUS_SUCCESS);
    return socket;
}

/* An address where nobody listens. */
static SOCKADDR_INET nobody(struct wsk_end *end)
{
    SOCKADDR_INET bound;
    PWSK_SOCKET listener = listen_loopback(end, AF_INET, NULL, NULL, &bound);
    close_socket(end, listener);
    return bound;
}

static void connecting_an_unbound_socket_is_refused(void **state)
{
    struct wsk_end end;
    PROVES("WSK-CONN-03", "WSK-CONN-07", "WSK-BIND-11", "WSK-IRP-04");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(&end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    SOCKADDR_INET remote = loopback_address(AF_INET, 9);
    NTSTATUS returned = connect_of(socket)(socket, (PSOCKADDR)&remote, 0, call_irp(&end.call));
    assert_int_equal(returned, STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(call_wait(&end.call, returned), STATUS_INVALID_DEVICE_STATE);
    close_socket(&end, socket);
    close_wsk(&end);
}

static void a_connect_establishes(void **state)
{
    struct wsk_pair pair;
    SOCKADDR_INET near_local, near_remote, far_local, far_remote;
    PROVES("WSK-CONN-05", "WSK-ADDR-14", "WSK-BIND-16", "WSK-ADDR-16", "WSK-DISP-16");
    STAYS_SILENT("WSK-CONN-01", "WSK-CONN-03");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    assert_int_equal(local_address(&pair.end, pair.near, &near_local), STATUS_SUCCESS);
    assert_int_equal(remote_address(&pair.end, pair.near, &near_remote), STATUS_SUCCESS);
    assert_int_equal(local_address(&pair.end, pair.far, &far_local), STATUS_SUCCESS);
    assert_int_equal(remote_address(&pair.end, pair.far, &far_remote), STATUS_SUCCESS);
    assert_address_equal(&near_local, &far_remote);
    assert_address_equal(&near_remote, &far_local);
    close_pair(&pair);
}

static void a_refused_connect_fails(void **state)
{
    struct wsk_end end;
    PROVES("WSK-CONN-05", "WSK-CONN-07");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    SOCKADDR_INET remote = nobody(&end);
    PWSK_SOCKET socket = bound_socket(&end);
    assert_int_equal(connect_socket(&end, socket, &remote), STATUS_CONNECTION_REFUSED);
    close_socket(&end, socket);
    close_wsk(&end);
}

static void flags_are_refused(void **state)
{
    struct wsk_end end;
    PROVES("WSK-CONN-01", "WSK-CONN-18", "WSK-CONN-17", "WSK-CONN-19", "WSK-CONN-02", "WSK-CONN-15",
           "WSK-CONN-23", "WSK-BIND-11");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET socket = bound_socket(&end);
    const WSK_PROVIDER_CONNECTION_DISPATCH *dispatch = socket->Dispatch;
    SOCKADDR_INET remote = loopback_address(AF_INET, 9);
    SOCKADDR_INET other = loopback_address(AF_INET6, 9);
    PSOCKADDR address = (PSOCKADDR)&remote;
    WSK_BUF large = {NULL, 0, 65536};
    assert_int_equal(dispatch->WskConnect(socket, address, 0, NULL), STATUS_INVALID_PARAMETER);
    NTSTATUS returned = dispatch->WskConnect(socket, address, 1, call_irp(&end.call));
    assert_int_equal(call_wait(&end.call, returned), STATUS_INVALID_PARAMETER);
    returned = dispatch->WskConnectEx(socket, address, NULL, 1, call_irp(&end.call));
    assert_int_equal(returned, STATUS_INVALID_PARAMETER);
    assert_int_equal(call_wait(&end.call, returned), STATUS_INVALID_PARAMETER);
    returned = dispatch->WskConnectEx(socket, address, &large, 0, call_irp(&end.call));
    assert_int_equal(returned, STATUS_BUFFER_OVERFLOW);
    assert_int_equal(call_wait(&end.call, returned), STATUS_BUFFER_OVERFLOW);
    assert_false(end.call.pending_returned);
    assert_int_equal(dispatch->WskConnectEx(socket, address, NULL, 0, NULL),
                     STATUS_INVALID_PARAMETER);
    returned = dispatch->WskConnectEx(socket, (PSOCKADDR)&other, NULL, 0, call_irp(&end.call));
    assert_int_equal(call_wait(&end.call, returned), STATUS_INVALID_PARAMETER);
    PWSK_SOCKET unbound = make_socket(&end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    returned = dispatch->WskConnectEx(unbound, address, NULL, 0, call_irp(&end.call));
    assert_int_equal(returned, STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(call_wait(&end.call, returned), STATUS_INVALID_DEVICE_STATE);
    close_socket(&end, unbound);
    returned = dispatch->WskConnect(socket, (PSOCKADDR)&other, 0, call_irp(&end.call));
    assert_int_equal(call_wait(&end.call, returned), STATUS_INVALID_PARAMETER);
    close_socket(&end, socket);
    close_wsk(&end);
}

/* WskConnectEx of a connection-oriented or stream socket; bytes NULL: without a buffer. */
static NTSTATUS connect_ex(struct wsk_end *end, PWSK_SOCKET socket, const SOCKADDR_INET *remote,
                           const void *bytes, SIZE_T length)
{
    const WSK_PROVIDER_CONNECTION_DISPATCH *connection = socket->Dispatch;
    const WSK_PROVIDER_STREAM_DISPATCH *stream = socket->Dispatch;
    BOOLEAN is_stream = connect_of(socket) != connection->WskConnect;
    WSK_BUF buffer = call_buffer(&end->call, bytes != NULL ? bytes : "", length);
    PFN_WSK_CONNECT_EX routine = is_stream ? stream->WskConnectEx : connection->WskConnectEx;
    return call_wait(&end->call, routine(socket, (PSOCKADDR)remote, bytes != NULL ? &buffer : NULL,
                                         0, call_irp(&end->call)));
}

static void connect_ex_sends_its_buffer(void **state)
{
    struct wsk_end end;
    struct wsk_call call;
    SOCKADDR_INET bound;
    PWSK_SOCKET accepted;
    UCHAR bytes[8];
    SIZE_T moved;
    PROVES("WSK-CONN-16", "WSK-CONN-21", "WSK-CONN-25");
    STAYS_SILENT("WSK-CONN-15", "WSK-CONN-19", "WSK-CONN-24", "WSK-BIND-11");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    call_init(&call);
    PWSK_SOCKET listener = listen_loopback(&end, AF_INET, NULL, NULL, &bound);
    PWSK_SOCKET socket = bound_socket(&end);
    const WSK_PROVIDER_CONNECTION_DISPATCH *dispatch = socket->Dispatch;
    WSK_BUF buffer = call_buffer(&call, "first", 5);
    NTSTATUS returned =
        dispatch->WskConnectEx(socket, (PSOCKADDR)&bound, &buffer, 0, call_irp(&call));
    assert_int_equal(returned, STATUS_PENDING);
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&call), 5);
    assert_int_equal(accept_socket(&end, listener, NULL, NULL, &accepted), STATUS_SUCCESS);
    assert_int_equal(receive_bytes(&end, accepted, bytes, 5, WSK_FLAG_WAITALL, &moved),
                     STATUS_SUCCESS);
    assert_memory_equal(bytes, "first", 5);
    call_free(&call);
    close_socket(&end, accepted);
    close_socket(&end, socket);
    close_socket(&end, listener);
    close_wsk(&end);
}

/* Whether the bytes travel in the SYN nobody can see; they arrive. */
static void connect_ex_may_send_with_its_first_segment(void **state)
{
    static const ULONG categories[] = {WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_STREAM_SOCKET};
    struct wsk_end end;
    SOCKADDR_INET bound;
    PWSK_SOCKET accepted;
    UCHAR bytes[8];
    ULONG value = 0;
    PROVES("WSK-CONN-27", "WSK-CONN-16");
    STAYS_SILENT("WSK-STRM-04", "WSK-BIND-11", "WSK-CONN-15");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET listener = listen_loopback(&end, AF_INET, NULL, NULL, &bound);
    for (unsigned i = 0; i < RTL_NUMBER_OF(categories); i++) {
        PWSK_SOCKET socket = make_socket(&end, AF_INET, categories[i], NULL, NULL);
        assert_int_equal(set_option(&end, socket, IPPROTO_TCP, TCP_FASTOPEN, 1), STATUS_SUCCESS);
        assert_int_equal(get_option(&end, socket, IPPROTO_TCP, TCP_FASTOPEN, &value),
                         STATUS_SUCCESS);
        assert_int_equal(value, 1);
        assert_int_equal(bind_loopback(&end, socket, AF_INET, NULL), STATUS_SUCCESS);
        assert_int_equal(connect_ex(&end, socket, &bound, "first", 5), STATUS_SUCCESS);
        assert_int_equal(accept_socket(&end, listener, NULL, NULL, &accepted), STATUS_SUCCESS);
        assert_int_equal(receive_bytes(&end, accepted, bytes, 5, WSK_FLAG_WAITALL, NULL),
                         STATUS_SUCCESS);
        assert_memory_equal(bytes, "first", 5);
        close_socket(&end, accepted);
        close_socket(&end, socket);
    }
    close_socket(&end, listener);
    close_wsk(&end);
}

static void connect_ex_makes_a_stream_socket_a_connection(void **state)
{
    struct wsk_end end;
    SOCKADDR_INET bound;
    PWSK_SOCKET accepted;
    PROVES("WSK-CONN-26", "WSK-SOCK-29");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET listener = listen_loopback(&end, AF_INET, NULL, NULL, &bound);
    PWSK_SOCKET socket = make_socket(&end, AF_INET, WSK_FLAG_STREAM_SOCKET, NULL, NULL);
    const WSK_PROVIDER_STREAM_DISPATCH *table = socket->Dispatch;
    assert_int_equal(bind_loopback(&end, socket, AF_INET, NULL), STATUS_SUCCESS);
    assert_int_equal(connect_ex(&end, socket, &bound, NULL, 0), STATUS_SUCCESS);
    NTSTATUS returned = table->WskListen(socket, call_irp(&end.call));
    assert_int_equal(call_wait(&end.call, returned), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(accept_socket(&end, socket, NULL, NULL, &accepted),
                     STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(send_bytes(&end, socket, "x", 1, 0, NULL), STATUS_SUCCESS);
    close_socket(&end, socket);
    close_socket(&end, listener);
    close_wsk(&end);
}

static NTSTATUS socket_connect(struct wsk_end *end, USHORT type, const SOCKADDR_INET *local,
                               const SOCKADDR_INET *remote, ULONG flags, PWSK_SOCKET *socket)
{
    NTSTATUS returned = end->provider.Dispatch->WskSocketConnect(
        end->provider.Client, type, IPPROTO_TCP, (PSOCKADDR)local, (PSOCKADDR)remote, flags, NULL,
        NULL, NULL, NULL, NULL, call_irp(&end->call));
    NTSTATUS status = call_wait(&end->call, returned);
    *socket = NT_SUCCESS(status) ? (PWSK_SOCKET)call_information(&end->call) : NULL;
    return status;
}

static void socket_connect_does_all_in_one(void **state)
{
    struct wsk_end end;
    SOCKADDR_INET bound;
    PWSK_SOCKET socket;
    PWSK_SOCKET accepted;
    UCHAR byte;
    static const ULONG flags[] = {0, WSK_FLAG_CONNECTION_SOCKET};
    PROVES("WSK-SOCK-38", "WSK-SOCK-41", "WSK-SOCK-43", "WSK-SOCK-44", "WSK-DISP-16", "WSK-ADDR-13",
           "WSK-ADDR-14");
    STAYS_SILENT("WSK-SOCK-45");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET listener = listen_loopback(&end, AF_INET, NULL, NULL, &bound);
    SOCKADDR_INET any = any_address(AF_INET, 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(socket_connect(&end, SOCK_STREAM, &any, &bound, flags[i], &socket),
                         STATUS_SUCCESS);
        assert_int_equal(accept_socket(&end, listener, NULL, NULL, &accepted), STATUS_SUCCESS);
        assert_int_equal(send_bytes(&end, socket, "x", 1, 0, NULL), STATUS_SUCCESS);
        assert_int_equal(receive_bytes(&end, accepted, &byte, 1, 0, NULL), STATUS_SUCCESS);
        close_socket(&end, socket);
        close_socket(&end, accepted);
    }
    close_socket(&end, listener);
    close_wsk(&end);
}

static void a_failed_socket_connect_leaves_no_socket(void **state)
{
    struct wsk_end end;
    PWSK_SOCKET socket;
    PROVES("WSK-SOCK-42", "WSK-SOCK-39", "WSK-SOCK-45");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    SOCKADDR_INET any = any_address(AF_INET, 0);
    SOCKADDR_INET remote = nobody(&end);
    SOCKADDR_INET other = loopback_address(AF_INET6, 9);
    assert_int_equal(socket_connect(&end, SOCK_STREAM, &any, &remote, 0, &socket),
                     STATUS_CONNECTION_REFUSED);
    assert_int_equal(socket_connect(&end, SOCK_STREAM, &any, &other, 0, &socket),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(socket_connect(&end, SOCK_STREAM, NULL, &remote, 0, &socket),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(socket_connect(&end, SOCK_STREAM, &any, &remote, 0x100, &socket),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(socket_connect(&end, SOCK_DGRAM, &any, &remote, 0, &socket),
                     STATUS_NOT_SUPPORTED);
    close_wsk(&end);
}

static void ignore_ready(void *context, unsigned events)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(events);
}

static void ignore_closed(void *context)
{
    UNREFERENCED_PARAMETER(context);
}

/* A host socket that listens, with room for next to no connection, and never accepts. */
static struct net_socket *listen_deafly(SOCKADDR_INET *address)
{
    static const struct net_callbacks callbacks = {ignore_ready, ignore_closed};
    struct net_address local;
    struct net_socket *deaf;
    *address = loopback_address(AF_INET, 0);
    assert_true(wsk_address_from((PSOCKADDR)address, &local));
    assert_int_equal(net_socket_open(wsk_net(), NET_IPV4, NET_STREAM, 0, &callbacks, NULL, &deaf),
                     NET_OK);
    assert_int_equal(net_bind(deaf, &local), NET_OK);
    assert_int_equal(net_listen(deaf, 0), NET_OK);
    assert_int_equal(net_local_address(deaf, &local), NET_OK);
    wsk_address_to(&local, (PSOCKADDR)address);
    return deaf;
}

/* Hosts whose queue is full either let a connect wait or refuse it. */
static void a_pending_connect_can_be_cancelled(void **state)
{
    enum { CONNECTS = 8 };
    struct wsk_end end;
    static struct wsk_call calls[CONNECTS];
    NTSTATUS returned[CONNECTS];
    PWSK_SOCKET sockets[CONNECTS];
    SOCKADDR_INET remote;
    PROVES("WSK-IRP-32", "WSK-CONN-05");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    struct net_socket *deaf = listen_deafly(&remote);
    for (unsigned i = 0; i < CONNECTS; i++) {
        call_init(&calls[i]);
        sockets[i] = bound_socket(&end);
        returned[i] =
            connect_of(sockets[i])(sockets[i], (PSOCKADDR)&remote, 0, call_irp(&calls[i]));
        assert_int_equal(returned[i], STATUS_PENDING);
    }
    for (unsigned i = 0; i < CONNECTS; i++) {
        BOOLEAN was_cancelled = IoCancelIrp(calls[i].irp);
        NTSTATUS status = call_wait(&calls[i], returned[i]);
        assert_true(was_cancelled
                        ? status == STATUS_CANCELLED
                        : status == STATUS_SUCCESS || status == STATUS_CONNECTION_REFUSED);
        close_socket(&end, sockets[i]);
        call_free(&calls[i]);
    }
    net_close(deaf, true);
    close_wsk(&end);
}

/* ---- events of a socket that WskSocketConnect made ---- */

struct listener {
    LONG calls;
    KEVENT called;
};

static NTSTATUS note_call(PVOID context)
{
    struct listener *listener = context;
    InterlockedIncrement(&listener->calls);
    KeSetEvent(&listener->called, IO_NO_INCREMENT, FALSE);
    return STATUS_SUCCESS;
}

static NTSTATUS WSKAPI on_receive(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                  SIZE_T indicated, SIZE_T *accepted)
{
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(indication);
    UNREFERENCED_PARAMETER(indicated);
    UNREFERENCED_PARAMETER(accepted);
    return note_call(context);
}

static NTSTATUS WSKAPI on_disconnect(PVOID context, ULONG flags)
{
    UNREFERENCED_PARAMETER(flags);
    return note_call(context);
}

static NTSTATUS WSKAPI on_backlog(PVOID context, SIZE_T ideal)
{
    UNREFERENCED_PARAMETER(ideal);
    return note_call(context);
}

static void events_of_a_new_connection_are_disabled(void **state)
{
    static const WSK_CLIENT_CONNECTION_DISPATCH table = {on_receive, on_disconnect, on_backlog};
    struct wsk_end end;
    struct listener listener = {0};
    SOCKADDR_INET bound;
    PWSK_SOCKET accepted;
    UCHAR byte;
    PROVES("WSK-SOCK-47");
    STAYS_SILENT("WSK-SOCK-39");
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&listener.called, SynchronizationEvent, FALSE);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET server = listen_loopback(&end, AF_INET, NULL, NULL, &bound);
    SOCKADDR_INET any = any_address(AF_INET, 0);
    NTSTATUS returned = end.provider.Dispatch->WskSocketConnect(
        end.provider.Client, SOCK_STREAM, IPPROTO_TCP, (PSOCKADDR)&any, (PSOCKADDR)&bound, 0,
        &listener, &table, NULL, NULL, NULL, call_irp(&end.call));
    assert_int_equal(call_wait(&end.call, returned), STATUS_SUCCESS);
    PWSK_SOCKET socket = (PWSK_SOCKET)call_information(&end.call);
    learn_socket(WSK_FLAG_CONNECTION_SOCKET, socket);
    assert_int_equal(accept_socket(&end, server, NULL, NULL, &accepted), STATUS_SUCCESS);
    assert_int_equal(set_option(&end, socket, SOL_SOCKET, SO_SNDBUF, 100000), STATUS_SUCCESS);
    assert_int_equal(send_bytes(&end, accepted, "x", 1, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(receive_bytes(&end, socket, &byte, 1, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(listener.calls, 0);
    assert_int_equal(enable_events(socket, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    assert_int_equal(send_bytes(&end, accepted, "y", 1, 0, NULL), STATUS_SUCCESS);
    await(&listener.called);
    assert_int_equal(disconnect_socket(&end, accepted, 0), STATUS_SUCCESS);
    close_socket(&end, socket);
    assert_int_equal(listener.calls, 1);
    close_socket(&end, accepted);
    close_socket(&end, server);
    close_wsk(&end);
}

static const struct CMUnitTest tests[] = {
    kernel_test(connecting_an_unbound_socket_is_refused),
    kernel_test(a_connect_establishes),
    kernel_test(a_refused_connect_fails),
    kernel_test(flags_are_refused),
    kernel_test(connect_ex_sends_its_buffer),
    kernel_test(socket_connect_does_all_in_one),
    kernel_test(a_failed_socket_connect_leaves_no_socket),
    kernel_test(a_pending_connect_can_be_cancelled),
    kernel_test(connect_ex_may_send_with_its_first_segment),
    kernel_test(connect_ex_makes_a_stream_socket_a_connection),
    kernel_test(events_of_a_new_connection_are_disabled),
};

TEST_MAIN(tests)
