/* Sockets that no longer work: what every function says then, and who is told. */
#include "wsk_pair.h"

#include <wskemu/network.h>

static UCHAR block[262144];

/* Whether the call, refused at once, completed its IRP with the same and without PendingReturned.
 */
static void assert_refused(struct wsk_call *call, NTSTATUS returned)
{
    assert_int_equal(returned, STATUS_FILE_FORCED_CLOSED);
    assert_true(call_is_done(call));
    assert_false(call->pending_returned);
    assert_int_equal(call->irp->IoStatus.Status, STATUS_FILE_FORCED_CLOSED);
}

static void a_dead_connection_refuses_every_function(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    SOCKADDR_INET address;
    UCHAR byte = 0;
    PROVES("WSK-SEND-06", "WSK-RECV-06", "WSK-DISC-07", "WSK-ADDR-08", "WSK-SKO-05");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    const WSK_PROVIDER_CONNECTION_DISPATCH *table = pair.near->Dispatch;
    wskemu_socket_break(pair.near);
    assert_refused(&call, begin_send(&call, pair.near, &byte, 1, 0));
    assert_refused(&call, begin_receive(&call, pair.near, &byte, 1, 0));
    assert_refused(&call, table->WskDisconnect(pair.near, NULL, 0, call_irp(&call)));
    assert_refused(&call,
                   table->WskDisconnect(pair.near, NULL, WSK_FLAG_ABORTIVE, call_irp(&call)));
    assert_refused(&call,
                   table->WskGetLocalAddress(pair.near, (PSOCKADDR)&address, call_irp(&call)));
    assert_refused(&call,
                   table->WskGetRemoteAddress(pair.near, (PSOCKADDR)&address, call_irp(&call)));
    assert_refused(&call, table->WskControlSocket(pair.near, WskSetOption, SO_KEEPALIVE, SOL_SOCKET,
                                                  1, &byte, 0, NULL, NULL, call_irp(&call)));
    assert_int_equal(enable_events(pair.near, WSK_EVENT_RECEIVE), STATUS_FILE_FORCED_CLOSED);
    call_free(&call);
    close_pair(&pair);
}

static void a_dead_socket_does_not_connect(void **state)
{
    static const ULONG categories[] = {WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_STREAM_SOCKET};
    SOCKADDR_INET remote;
    struct wsk_call call;
    PROVES("WSK-CONN-06", "WSK-CONN-22");
    UNREFERENCED_PARAMETER(state);
    call_init(&call);
    PWSK_SOCKET listener = listen_loopback(&test_end, AF_INET, NULL, NULL, &remote);
    PSOCKADDR address = (PSOCKADDR)&remote;
    for (unsigned i = 0; i < RTL_NUMBER_OF(categories); i++) {
        PWSK_SOCKET socket = make_socket(&test_end, AF_INET, categories[i], NULL, NULL);
        assert_int_equal(bind_loopback(&test_end, socket, AF_INET, NULL), STATUS_SUCCESS);
        wskemu_socket_break(socket);
        assert_refused(&call, connect_of(socket)(socket, address, 0, call_irp(&call)));
        const WSK_PROVIDER_CONNECTION_DISPATCH *connection = socket->Dispatch;
        const WSK_PROVIDER_STREAM_DISPATCH *stream = socket->Dispatch;
        PFN_WSK_CONNECT_EX connect_ex = categories[i] == WSK_FLAG_STREAM_SOCKET
                                            ? stream->WskConnectEx
                                            : connection->WskConnectEx;
        assert_refused(&call, connect_ex(socket, address, NULL, 0, call_irp(&call)));
        close_socket(&test_end, socket);
    }
    close_socket(&test_end, listener);
    call_free(&call);
}

static void what_is_pending_ends_when_the_socket_dies(void **state)
{
    struct wsk_pair pair;
    struct wsk_call send, receive, disconnect;
    SIZE_T sent;
    UCHAR byte;
    PROVES("WSK-SEND-06", "WSK-RECV-06", "WSK-DISC-07");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&send);
    call_init(&receive);
    call_init(&disconnect);
    NTSTATUS received = begin_receive(&receive, pair.near, &byte, 1, 0);
    NTSTATUS begun = fill_until_pending(&pair, &send, pair.near, block, sizeof(block), &sent);
    NTSTATUS ended = disconnect_of(pair.near)(pair.near, NULL, 0, call_irp(&disconnect));
    wskemu_socket_break(pair.near);
    assert_int_equal(call_wait(&receive, received), STATUS_FILE_FORCED_CLOSED);
    assert_int_equal(call_wait(&send, begun), STATUS_FILE_FORCED_CLOSED);
    assert_int_equal(call_wait(&disconnect, ended), STATUS_FILE_FORCED_CLOSED);
    call_free(&send);
    call_free(&receive);
    call_free(&disconnect);
    close_pair(&pair);
}

/* ---- who is told ---- */

struct listener {
    LONG calls;
    LONG nulls;
    LONG others;
    ULONG flags;
    SIZE_T indicated;
    NTSTATUS answer;
    KEVENT called;
};

static NTSTATUS WSKAPI on_receive(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                  SIZE_T indicated, SIZE_T *accepted)
{
    struct listener *listener = context;
    UNREFERENCED_PARAMETER(accepted);
    listener->nulls += indication == NULL;
    listener->flags = flags;
    listener->indicated = indicated;
    InterlockedIncrement(&listener->calls);
    KeSetEvent(&listener->called, IO_NO_INCREMENT, FALSE);
    return listener->answer;
}

static NTSTATUS WSKAPI on_disconnect(PVOID context, ULONG flags)
{
    struct listener *listener = context;
    UNREFERENCED_PARAMETER(flags);
    InterlockedIncrement(&listener->others);
    return STATUS_SUCCESS;
}

static NTSTATUS WSKAPI on_backlog(PVOID context, SIZE_T ideal)
{
    struct listener *listener = context;
    UNREFERENCED_PARAMETER(ideal);
    InterlockedIncrement(&listener->others);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH table = {on_receive, on_disconnect, on_backlog};

static void the_receive_event_is_told_once_without_data(void **state)
{
    static const NTSTATUS answers[] = {STATUS_SUCCESS, STATUS_PENDING, STATUS_DATA_NOT_ACCEPTED};
    PROVES("WSK-EVT-17");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(answers); i++) {
        struct wsk_pair pair;
        struct listener listener = {.answer = answers[i]};
        KeInitializeEvent(&listener.called, SynchronizationEvent, FALSE);
        open_pair(&pair, &listener, &table);
        assert_int_equal(enable_events(pair.near, WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT |
                                                      WSK_EVENT_SEND_BACKLOG),
                         STATUS_SUCCESS);
        wskemu_socket_break(pair.near);
        await(&listener.called);
        assert_int_equal(listener.nulls, 1);
        assert_int_equal(listener.indicated, 0);
        assert_int_equal(listener.flags & ~(ULONG)WSK_FLAG_AT_DISPATCH_LEVEL, 0);
        wskemu_socket_break(pair.near);
        send_all(&pair, pair.far, "unheard", 7);
        close_pair(&pair);
        assert_int_equal(listener.calls, 1);
        assert_int_equal(listener.others, 0);
    }
}

static void an_event_that_is_disabled_is_not_told(void **state)
{
    struct wsk_pair pair;
    struct listener listener = {0};
    PROVES("WSK-EVT-02");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, &listener, &table);
    wskemu_socket_break(pair.near);
    close_pair(&pair);
    assert_int_equal(listener.calls, 0);
}

/* ---- the only thing left to do ---- */

static void every_dead_socket_can_be_closed(void **state)
{
    static const ULONG categories[] = {WSK_FLAG_BASIC_SOCKET, WSK_FLAG_LISTEN_SOCKET,
                                       WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_DATAGRAM_SOCKET,
                                       WSK_FLAG_STREAM_SOCKET};
    PROVES("WSK-CLOSE-03", "WSK-SKO-05");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(categories); i++) {
        PWSK_SOCKET socket = make_socket(&test_end, AF_INET6, categories[i], NULL, NULL);
        wskemu_socket_break(socket);
        assert_int_equal(set_option(&test_end, socket, SOL_SOCKET, SO_KEEPALIVE, 1),
                         STATUS_FILE_FORCED_CLOSED);
        assert_int_equal(close_socket(&test_end, socket), STATUS_SUCCESS);
    }
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_dead_connection_refuses_every_function),
    kernel_test_wsk(a_dead_socket_does_not_connect),
    kernel_test(what_is_pending_ends_when_the_socket_dies),
    kernel_test(the_receive_event_is_told_once_without_data),
    kernel_test(an_event_that_is_disabled_is_not_told),
    kernel_test_wsk(every_dead_socket_can_be_closed),
};

TEST_MAIN(tests)
