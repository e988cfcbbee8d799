/* WskAccept. */
#include "wsk_end.h"

#include <wskemu/network.h>

#include <wskemu/peer.h>

#define CALLS 4

static struct wsk_end *const end = &test_end;

static PWSK_SOCKET listener;
static SOCKADDR_INET server;

static void listen_at(ADDRESS_FAMILY family)
{
    listener = listen_loopback(end, family, NULL, NULL, &server);
    assert_non_null(listener);
}

static struct wskemu_peer *make_peer(void)
{
    struct wskemu_peer *peer;
    assert_int_equal(wskemu_peer_connect((PSOCKADDR)&server, &peer), STATUS_SUCCESS);
    return peer;
}

/* Begins an accept that is not waited for. */
static NTSTATUS begin_accept(struct wsk_call *call)
{
    return accept_of(listener)(listener, 0, NULL, NULL, NULL, NULL, call_irp(call));
}

static PWSK_SOCKET accepted_by(const struct wsk_call *call)
{
    return (PWSK_SOCKET)call_information(call);
}

static void assert_is_peer(PWSK_SOCKET socket, struct wskemu_peer *peer)
{
    SOCKADDR_STORAGE local;
    SOCKADDR_INET remote;
    assert_int_equal(wskemu_peer_local_address(peer, &local), STATUS_SUCCESS);
    assert_int_equal(remote_address(end, socket, &remote), STATUS_SUCCESS);
    assert_address_equal(&remote, (const SOCKADDR_INET *)&local);
}

static void assert_data_passes(PWSK_SOCKET socket, struct wskemu_peer *peer)
{
    char bytes[5];
    SIZE_T moved;
    assert_int_equal(send_bytes(end, socket, "down", 4, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(peer, "down", 4), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_send_all(peer, "up", 2), STATUS_SUCCESS);
    assert_int_equal(receive_bytes(end, socket, bytes, 2, WSK_FLAG_WAITALL, &moved),
                     STATUS_SUCCESS);
    assert_memory_equal(bytes, "up", 2);
}

static void an_accept_takes_a_connection_that_waits(void **state)
{
    PROVES("WSK-ACC-04", "WSK-ACC-06", "WSK-ACC-20", "WSK-DISP-16");
    STAYS_SILENT("WSK-ACC-01", "WSK-BIND-09", "WSK-ACC-02");
    NTSTATUS returned = STATUS_PENDING;
    listen_at(AF_INET);
    PWSK_SOCKET other = make_socket(end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    /* A peer is connected a moment before its connection waits at the listener. */
    for (unsigned i = 0; i < 100 && returned == STATUS_PENDING; i++) {
        struct wskemu_peer *peer = make_peer();
        returned = begin_accept(&end->call);
        assert_int_equal(call_wait(&end->call, returned), STATUS_SUCCESS);
        PWSK_SOCKET accepted = accepted_by(&end->call);
        assert_ptr_equal(accepted->Dispatch, other->Dispatch);
        assert_is_peer(accepted, peer);
        assert_data_passes(accepted, peer);
        close_socket(end, accepted);
        wskemu_peer_close(peer);
    }
    assert_int_equal(returned, STATUS_SUCCESS);
    close_socket(end, other);
    close_socket(end, listener);
}

static void an_accept_waits_for_a_connection(void **state)
{
    PROVES("WSK-ACC-05", "WSK-ACC-06", "WSK-DISP-16");
    STAYS_SILENT("WSK-BIND-09");
    listen_at(AF_INET6);
    assert_int_equal(begin_accept(&end->call), STATUS_PENDING);
    assert_false(call_is_done(&end->call));
    struct wskemu_peer *peer = make_peer();
    assert_int_equal(call_wait(&end->call, STATUS_PENDING), STATUS_SUCCESS);
    PWSK_SOCKET accepted = accepted_by(&end->call);
    assert_is_peer(accepted, peer);
    assert_data_passes(accepted, peer);
    close_socket(end, accepted);
    close_socket(end, listener);
    wskemu_peer_close(peer);
}

static void each_accept_takes_one_connection_in_order(void **state)
{
    PROVES("WSK-ACC-19");
    struct wsk_call calls[CALLS];
    struct wskemu_peer *peers[CALLS];
    listen_at(AF_INET);
    for (unsigned i = 0; i < CALLS; i++) {
        call_init(&calls[i]);
        assert_int_equal(begin_accept(&calls[i]), STATUS_PENDING);
    }
    for (unsigned i = 0; i < CALLS; i++) {
        peers[i] = make_peer();
        assert_int_equal(call_wait(&calls[i], STATUS_PENDING), STATUS_SUCCESS);
        for (unsigned later = i + 1; later < CALLS; later++) {
            assert_false(call_is_done(&calls[later]));
        }
    }
    for (unsigned i = 0; i < CALLS; i++) {
        PWSK_SOCKET accepted = accepted_by(&calls[i]);
        assert_is_peer(accepted, peers[i]);
        close_socket(end, accepted);
        wskemu_peer_close(peers[i]);
        call_free(&calls[i]);
    }
    close_socket(end, listener);
}

static void connections_wait_until_they_are_accepted(void **state)
{
    struct wskemu_peer *peers[CALLS];
    listen_at(AF_INET);
    for (unsigned i = 0; i < CALLS; i++) {
        peers[i] = make_peer();
        assert_int_equal(wskemu_peer_send_all(peers[i], &i, sizeof(i)), STATUS_SUCCESS);
    }
    for (unsigned i = 0; i < CALLS; i++) {
        PWSK_SOCKET accepted;
        unsigned number;
        assert_int_equal(accept_socket(end, listener, NULL, NULL, &accepted), STATUS_SUCCESS);
        assert_int_equal(
            receive_bytes(end, accepted, &number, sizeof(number), WSK_FLAG_WAITALL, NULL),
            STATUS_SUCCESS);
        assert_int_equal(number, i);
        close_socket(end, accepted);
    }
    for (unsigned i = 0; i < CALLS; i++) {
        wskemu_peer_close(peers[i]);
    }
    close_socket(end, listener);
}

/* Accepts with both addresses asked for, the connection coming before or after. */
static void check_addresses(ADDRESS_FAMILY family, bool is_waiting)
{
    struct {
        SOCKADDR_INET local;
        SOCKADDR_INET remote;
    } stored = {0};
    SOCKADDR_INET local, remote;
    struct wskemu_peer *peer = NULL;
    listen_at(family);
    if (is_waiting) {
        peer = make_peer();
    }
    NTSTATUS returned = accept_of(listener)(listener, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL,
                                            (PSOCKADDR)&stored.local, (PSOCKADDR)&stored.remote,
                                            call_irp(&end->call));
    if (!is_waiting) {
        peer = make_peer();
    }
    assert_int_equal(call_wait(&end->call, returned), STATUS_SUCCESS);
    PWSK_SOCKET accepted = accepted_by(&end->call);
    assert_int_equal(local_address(end, accepted, &local), STATUS_SUCCESS);
    assert_int_equal(remote_address(end, accepted, &remote), STATUS_SUCCESS);
    assert_address_equal(&stored.local, &local);
    assert_address_equal(&stored.local, &server);
    assert_address_equal(&stored.remote, &remote);
    assert_is_peer(accepted, peer);
    close_socket(end, accepted);
    close_socket(end, listener);
    wskemu_peer_close(peer);
}

static void an_accept_stores_both_addresses(void **state)
{
    PROVES("WSK-ACC-13", "WSK-ADDR-15");
    check_addresses(AF_INET, true);
    check_addresses(AF_INET, false);
    check_addresses(AF_INET6, true);
    check_addresses(AF_INET6, false);
}

static struct receiver {
    KEVENT called;
    PVOID context;
    volatile LONG calls;
} receiver;

static NTSTATUS WSKAPI note_data(PVOID SocketContext, ULONG Flags,
                                 PWSK_DATA_INDICATION DataIndication, SIZE_T BytesIndicated,
                                 SIZE_T *BytesAccepted)
{
    receiver.context = SocketContext;
    InterlockedIncrement(&receiver.calls);
    KeSetEvent(&receiver.called, IO_NO_INCREMENT, FALSE);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH receiving = {note_data, NULL, NULL};

static void reset_receiver(void)
{
    RtlZeroMemory(&receiver, sizeof(receiver));
    KeInitializeEvent(&receiver.called, NotificationEvent, FALSE);
}

static void an_accepted_socket_has_the_context_and_table_of_the_call(void **state)
{
    PROVES("WSK-ACC-10", "WSK-EVT-03");
    for (unsigned is_waiting = 0; is_waiting <= 1; is_waiting++) {
        int context;
        struct wskemu_peer *peer = NULL;
        reset_receiver();
        listen_at(AF_INET);
        if (is_waiting != 0) {
            peer = make_peer();
        }
        NTSTATUS returned = accept_of(listener)(listener, 0, &context, &receiving, NULL, NULL,
                                                call_irp(&end->call));
        if (is_waiting == 0) {
            peer = make_peer();
        }
        assert_int_equal(call_wait(&end->call, returned), STATUS_SUCCESS);
        PWSK_SOCKET accepted = accepted_by(&end->call);
        assert_int_equal(enable_events(accepted, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
        assert_int_equal(wskemu_peer_send_all(peer, "x", 1), STATUS_SUCCESS);
        await(&receiver.called);
        assert_ptr_equal(receiver.context, &context);
        close_socket(end, accepted);
        close_socket(end, listener);
        wskemu_peer_close(peer);
    }
}

static void sockets_accepted_by_irp_inherit_no_events(void **state)
{
    PROVES("WSK-ACC-16", "WSK-CBE-22");
    char byte;
    PWSK_SOCKET accepted;
    reset_receiver();
    listen_at(AF_INET);
    assert_int_equal(enable_events(listener, WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT),
                     STATUS_SUCCESS);
    struct wskemu_peer *peer = make_peer();
    assert_int_equal(wskemu_peer_send_all(peer, "x", 1), STATUS_SUCCESS);
    assert_int_equal(accept_socket(end, listener, NULL, &receiving, &accepted), STATUS_SUCCESS);
    assert_int_equal(receive_bytes(end, accepted, &byte, 1, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_send_all(peer, "y", 1), STATUS_SUCCESS);
    assert_int_equal(receive_bytes(end, accepted, &byte, 1, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(byte, 'y');
    assert_int_equal(receiver.calls, 0);
    close_socket(end, accepted);
    close_socket(end, listener);
    wskemu_peer_close(peer);
}

static void accept_refuses_what_it_cannot_do(void **state)
{
    PROVES("WSK-ACC-08", "WSK-ACC-01", "WSK-ACC-02", "WSK-BIND-09");
    PWSK_SOCKET unbound = make_socket(end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    NTSTATUS returned =
        accept_of(unbound)(unbound, 0, NULL, NULL, NULL, NULL, call_irp(&end->call));
    assert_int_equal(call_wait(&end->call, returned), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(returned, STATUS_INVALID_DEVICE_STATE);
    close_socket(end, unbound);
    listen_at(AF_INET);
    returned = accept_of(listener)(listener, WSK_FLAG_LISTEN_SOCKET, NULL, NULL, NULL, NULL,
                                   call_irp(&end->call));
    assert_int_equal(call_wait(&end->call, returned), STATUS_INVALID_PARAMETER);
    assert_int_equal(accept_of(listener)(listener, 0, NULL, NULL, NULL, NULL, NULL),
                     STATUS_INVALID_PARAMETER);
    close_socket(end, listener);
}

static void a_cancelled_accept_takes_no_connection(void **state)
{
    struct wsk_call call;
    call_init(&call);
    listen_at(AF_INET);
    assert_int_equal(begin_accept(&call), STATUS_PENDING);
    assert_true(IoCancelIrp(call.irp));
    assert_int_equal(call_wait(&call, STATUS_PENDING), STATUS_CANCELLED);
    assert_int_equal(call_information(&call), 0);
    NTSTATUS returned = begin_accept(&call);
    struct wskemu_peer *peer = make_peer();
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    PWSK_SOCKET accepted = accepted_by(&call);
    assert_is_peer(accepted, peer);
    close_socket(end, accepted);
    close_socket(end, listener);
    wskemu_peer_close(peer);
    call_free(&call);
}

static void closing_a_listener_cancels_its_accepts_but_not_its_connections(void **state)
{
    PROVES("WSK-CLOSE-06", "WSK-CLOSE-07");
    struct wsk_call calls[CALLS];
    PWSK_SOCKET accepted;
    listen_at(AF_INET);
    struct wskemu_peer *peer = make_peer();
    assert_int_equal(accept_socket(end, listener, NULL, NULL, &accepted), STATUS_SUCCESS);
    for (unsigned i = 0; i < CALLS; i++) {
        call_init(&calls[i]);
        assert_int_equal(begin_accept(&calls[i]), STATUS_PENDING);
    }
    assert_int_equal(close_socket(end, listener), STATUS_SUCCESS);
    for (unsigned i = 0; i < CALLS; i++) {
        assert_true(call_is_done(&calls[i]));
        assert_int_equal(call_wait(&calls[i], STATUS_PENDING), STATUS_CANCELLED);
        assert_int_equal(call_information(&calls[i]), 0);
        call_free(&calls[i]);
    }
    assert_data_passes(accepted, peer);
    close_socket(end, accepted);
    wskemu_peer_close(peer);
}

static void a_dead_listener_accepts_nothing(void **state)
{
    PROVES("WSK-ACC-07");
    struct wsk_call call;
    PWSK_SOCKET accepted;
    call_init(&call);
    listen_at(AF_INET);
    assert_int_equal(begin_accept(&call), STATUS_PENDING);
    wskemu_socket_break(listener);
    assert_int_equal(call_wait(&call, STATUS_PENDING), STATUS_FILE_FORCED_CLOSED);
    assert_int_equal(accept_socket(end, listener, NULL, NULL, &accepted),
                     STATUS_FILE_FORCED_CLOSED);
    close_socket(end, listener);
    call_free(&call);
}

/* Accepts again from within the completion routine, as servers do. */
static struct server {
    PWSK_SOCKET accepted[CALLS];
    unsigned count;
    KEVENT done;
} chain;

static NTSTATUS accept_next(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    chain.accepted[chain.count++] = (PWSK_SOCKET)irp->IoStatus.Information;
    if (chain.count == CALLS) {
        KeSetEvent(&chain.done, IO_NO_INCREMENT, FALSE);
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(irp, accept_next, NULL, TRUE, TRUE, TRUE);
    accept_of(listener)(listener, 0, NULL, NULL, NULL, NULL, irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void a_completion_routine_accepts_the_next(void **state)
{
    struct wskemu_peer *peers[CALLS];
    PIRP irp = IoAllocateIrp(1, FALSE);
    RtlZeroMemory(&chain, sizeof(chain));
    KeInitializeEvent(&chain.done, NotificationEvent, FALSE);
    listen_at(AF_INET);
    peers[0] = make_peer();
    peers[1] = make_peer();
    IoSetCompletionRoutine(irp, accept_next, NULL, TRUE, TRUE, TRUE);
    accept_of(listener)(listener, 0, NULL, NULL, NULL, NULL, irp);
    for (unsigned i = 2; i < CALLS; i++) {
        peers[i] = make_peer();
    }
    await(&chain.done);
    for (unsigned i = 0; i < CALLS; i++) {
        assert_is_peer(chain.accepted[i], peers[i]);
        close_socket(end, chain.accepted[i]);
        wskemu_peer_close(peers[i]);
    }
    close_socket(end, listener);
    IoFreeIrp(irp);
}

static void accepted_sockets_inherit_options_and_may_change_them(void **state)
{
    PROVES("WSK-OPT-19", "WSK-OPT-24");
    PWSK_SOCKET accepted;
    ULONG listeners, value;
    listener = make_socket(end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    assert_int_equal(set_option(end, listener, SOL_SOCKET, SO_KEEPALIVE, 1), STATUS_SUCCESS);
    assert_int_equal(set_option(end, listener, SOL_SOCKET, SO_RCVBUF, 20000), STATUS_SUCCESS);
    assert_int_equal(get_option(end, listener, SOL_SOCKET, SO_RCVBUF, &listeners), STATUS_SUCCESS);
    assert_int_equal(bind_loopback(end, listener, AF_INET, &server), STATUS_SUCCESS);
    struct wskemu_peer *peer = make_peer();
    assert_int_equal(accept_socket(end, listener, NULL, NULL, &accepted), STATUS_SUCCESS);
    assert_int_equal(get_option(end, accepted, SOL_SOCKET, SO_KEEPALIVE, &value), STATUS_SUCCESS);
    assert_int_equal(value, 1);
    assert_int_equal(get_option(end, accepted, SOL_SOCKET, SO_RCVBUF, &value), STATUS_SUCCESS);
    assert_int_equal(value, listeners);
    assert_int_equal(set_option(end, accepted, SOL_SOCKET, SO_KEEPALIVE, 0), STATUS_SUCCESS);
    assert_int_equal(get_option(end, accepted, SOL_SOCKET, SO_KEEPALIVE, &value), STATUS_SUCCESS);
    assert_int_equal(value, 0);
    assert_int_equal(get_option(end, listener, SOL_SOCKET, SO_KEEPALIVE, &value), STATUS_SUCCESS);
    assert_int_equal(value, 1);
    close_socket(end, accepted);
    close_socket(end, listener);
    wskemu_peer_close(peer);
}

static void accept_works_at_dispatch_level(void **state)
{
    KIRQL old;
    listen_at(AF_INET);
    PIRP irp = call_irp(&end->call);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    NTSTATUS returned = accept_of(listener)(listener, 0, NULL, NULL, NULL, NULL, irp);
    KeLowerIrql(old);
    struct wskemu_peer *peer = make_peer();
    assert_int_equal(call_wait(&end->call, returned), STATUS_SUCCESS);
    PWSK_SOCKET accepted = accepted_by(&end->call);
    assert_is_peer(accepted, peer);
    close_socket(end, accepted);
    close_socket(end, listener);
    wskemu_peer_close(peer);
}

static const struct CMUnitTest tests[] = {
    kernel_test_wsk(an_accept_takes_a_connection_that_waits),
    kernel_test_wsk(an_accept_waits_for_a_connection),
    kernel_test_wsk(each_accept_takes_one_connection_in_order),
    kernel_test_wsk(connections_wait_until_they_are_accepted),
    kernel_test_wsk(an_accept_stores_both_addresses),
    kernel_test_wsk(an_accepted_socket_has_the_context_and_table_of_the_call),
    kernel_test_wsk(sockets_accepted_by_irp_inherit_no_events),
    kernel_test_wsk(accept_refuses_what_it_cannot_do),
    kernel_test_wsk(a_cancelled_accept_takes_no_connection),
    kernel_test_wsk(closing_a_listener_cancels_its_accepts_but_not_its_connections),
    kernel_test_wsk(a_dead_listener_accepts_nothing),
    kernel_test_wsk(a_completion_routine_accepts_the_next),
    kernel_test_wsk(accepted_sockets_inherit_options_and_may_change_them),
    kernel_test_wsk(accept_works_at_dispatch_level),
};

TEST_MAIN(tests)
