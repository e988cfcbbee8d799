/* SO_WSK_EVENT_CALLBACK and WSK_SET_STATIC_EVENT_CALLBACKS on connections. */
#include "wsk_pair.h"

struct listener {
    KEVENT entered;
    volatile LONG is_held; /* the receive event waits while it is not 0 */
    LONG receives;
    LONG disconnects;
    KEVENT disconnected;
};

static NTSTATUS WSKAPI on_receive(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                  SIZE_T indicated, SIZE_T *accepted)
{
    struct listener *listener = context;
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(indication);
    UNREFERENCED_PARAMETER(indicated);
    UNREFERENCED_PARAMETER(accepted);
    InterlockedIncrement(&listener->receives);
    KeSetEvent(&listener->entered, IO_NO_INCREMENT, FALSE);
    while (InterlockedCompareExchange(&listener->is_held, 0, 0) != 0) {
        YieldProcessor();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS WSKAPI on_disconnect(PVOID context, ULONG flags)
{
    struct listener *listener = context;
    UNREFERENCED_PARAMETER(flags);
    InterlockedIncrement(&listener->disconnects);
    KeSetEvent(&listener->disconnected, IO_NO_INCREMENT, FALSE);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH table = {.WskReceiveEvent = on_receive,
                                                     .WskDisconnectEvent = on_disconnect};

static void prepare(struct listener *listener)
{
    RtlZeroMemory(listener, sizeof(*listener));
    KeInitializeEvent(&listener->entered, SynchronizationEvent, FALSE);
    KeInitializeEvent(&listener->disconnected, SynchronizationEvent, FALSE);
}

static void several_events_are_enabled_at_once(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    PROVES("WSK-CBE-06", "WSK-CBE-08", "WSK-CBE-19", "WSK-SKO-17");
    STAYS_SILENT("WSK-CBE-04", "WSK-BIND-02", "WSK-CONN-02", "WSK-CBE-01", "WSK-CBE-16",
                 "WSK-CBE-20");
    UNREFERENCED_PARAMETER(state);
    prepare(&listener);
    open_pair(&pair, &listener, &table);
    assert_int_equal(
        enable_events(pair.near, WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT | WSK_EVENT_SEND_BACKLOG),
        STATUS_SUCCESS);
    send_all(&pair, pair.far, "x", 1);
    await(&listener.entered);
    assert_int_equal(disconnect_socket(&pair.end, pair.far, 0), STATUS_SUCCESS);
    await(&listener.disconnected);
    close_pair(&pair);
}

static void enabling_adds(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    UCHAR byte;
    PROVES("WSK-CBE-33", "WSK-CBE-10", "WSK-EVT-02");
    UNREFERENCED_PARAMETER(state);
    prepare(&listener);
    open_pair(&pair, &listener, &table);
    assert_int_equal(enable_events(pair.near, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    assert_int_equal(enable_events(pair.near, WSK_EVENT_DISCONNECT), STATUS_SUCCESS);
    send_all(&pair, pair.far, "x", 1);
    await(&listener.entered);
    assert_int_equal(disable_event(&pair.end, pair.near, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    send_all(&pair, pair.far, "y", 1);
    assert_int_equal(receive_all(&pair, pair.near, &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_int_equal(listener.receives, 1);
    assert_int_equal(enable_events(pair.near, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    send_all(&pair, pair.far, "z", 1);
    await(&listener.entered);
    assert_int_equal(disconnect_socket(&pair.end, pair.far, 0), STATUS_SUCCESS);
    await(&listener.disconnected);
    close_pair(&pair);
}

static void an_idle_event_is_disabled_at_once(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    PROVES("WSK-CBE-07", "WSK-CBE-10", "WSK-CBE-13", "WSK-IRP-37");
    UNREFERENCED_PARAMETER(state);
    prepare(&listener);
    open_pair(&pair, &listener, &table);
    assert_int_equal(enable_events(pair.near, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    assert_int_equal(disable_event_now(pair.near, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    assert_int_equal(disable_event(&pair.end, pair.near, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    close_pair(&pair);
}

static VOID send_one(PVOID context)
{
    struct wsk_pair *pair = context;
    struct wsk_call call;
    call_init(&call);
    call_wait(&call, begin_send(&call, pair->far, "x", 1, 0));
    call_free(&call);
}

/* One byte comes in and the event is held in the middle of its call. A thread that waits may lead
 * and be held itself: so another thread sends, and this one only looks. */
static PKTHREAD hold_a_call(struct wsk_pair *pair, struct listener *listener)
{
    prepare(listener);
    open_pair(pair, listener, &table);
    assert_int_equal(enable_events(pair->near, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    listener->is_held = 1;
    PKTHREAD sender = start_thread(send_one, pair);
    while (KeReadStateEvent(&listener->entered) == 0) {
        YieldProcessor();
    }
    return sender;
}

static NTSTATUS disable_with(struct wsk_call *call, PWSK_SOCKET socket, ULONG event)
{
    const WSK_PROVIDER_BASIC_DISPATCH *basic = socket->Dispatch;
    WSK_EVENT_CALLBACK_CONTROL control = {(PNPIID)&NPI_WSK_INTERFACE_ID, event | WSK_EVENT_DISABLE};
    NTSTATUS returned =
        basic->WskControlSocket(socket, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET,
                                sizeof(control), &control, 0, NULL, NULL, call_irp(call));
    RtlFillMemory(&control, sizeof(control), 0xEE); /* it was read during the call */
    return returned;
}

static void a_disable_waits_for_the_running_call(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    struct wsk_call call;
    PROVES("WSK-CBE-11", "WSK-CBE-34", "WSK-CBE-14");
    UNREFERENCED_PARAMETER(state);
    PKTHREAD sender = hold_a_call(&pair, &listener);
    call_init(&call);
    NTSTATUS returned = disable_with(&call, pair.near, WSK_EVENT_RECEIVE);
    assert_int_equal(returned, STATUS_PENDING);
    assert_false(call_is_done(&call));
    InterlockedExchange(&listener.is_held, 0);
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    assert_int_equal(listener.receives, 1);
    call_free(&call);
    join_thread(sender);
    close_pair(&pair);
}

static void a_disable_without_irp_tells_that_a_call_runs(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    PROVES("WSK-CBE-12", "WSK-CBE-13", "WSK-CBE-14");
    UNREFERENCED_PARAMETER(state);
    PKTHREAD sender = hold_a_call(&pair, &listener);
    assert_int_equal(disable_event_now(pair.near, WSK_EVENT_RECEIVE), STATUS_EVENT_PENDING);
    InterlockedExchange(&listener.is_held, 0);
    while (disable_event_now(pair.near, WSK_EVENT_RECEIVE) == STATUS_EVENT_PENDING) {
        YieldProcessor();
    }
    join_thread(sender);
    close_pair(&pair);
}

static void a_close_waits_for_the_running_call(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    struct wsk_call call;
    const WSK_PROVIDER_BASIC_DISPATCH *basic;
    PROVES("WSK-CLOSE-08", "WSK-CLOSE-09", "WSK-CLOSE-03");
    UNREFERENCED_PARAMETER(state);
    PKTHREAD sender = hold_a_call(&pair, &listener);
    call_init(&call);
    basic = pair.near->Dispatch;
    NTSTATUS returned = basic->WskCloseSocket(pair.near, call_irp(&call));
    assert_int_equal(returned, STATUS_PENDING);
    assert_false(call_is_done(&call));
    InterlockedExchange(&listener.is_held, 0);
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    pair.near = NULL;
    assert_int_equal(listener.receives, 1);
    call_free(&call);
    join_thread(sender);
    close_pair(&pair);
}

static void what_makes_no_sense_is_refused(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    PROVES("WSK-CBE-09", "WSK-CBE-16", "WSK-CBE-20", "WSK-CBE-04", "WSK-CBE-03");
    UNREFERENCED_PARAMETER(state);
    prepare(&listener);
    open_pair(&pair, &listener, &table);
    assert_int_equal(enable_events(pair.near, WSK_EVENT_ACCEPT), STATUS_INVALID_PARAMETER);
    assert_int_equal(enable_events(pair.near, 0), STATUS_INVALID_PARAMETER);
    assert_int_equal(disable_event_now(pair.near, WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT),
                     STATUS_INVALID_PARAMETER);
    WSK_EVENT_CALLBACK_CONTROL control = {NULL, WSK_EVENT_RECEIVE};
    assert_int_equal(control_socket_now(pair.near, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET,
                                        &control, sizeof(control), NULL, 0, NULL),
                     STATUS_INVALID_PARAMETER);
    PWSK_SOCKET socket =
        make_socket(&pair.end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, &listener, &table);
    assert_int_equal(enable_events(socket, WSK_EVENT_RECEIVE), STATUS_INVALID_DEVICE_STATE);
    close_socket(&pair.end, socket);
    socket = make_socket(&pair.end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    assert_int_equal(enable_events(socket, WSK_EVENT_ACCEPT), STATUS_INVALID_DEVICE_STATE);
    close_socket(&pair.end, socket);
    socket = make_socket(&pair.end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    assert_int_equal(enable_events(socket, WSK_EVENT_RECEIVE_FROM), STATUS_INVALID_DEVICE_STATE);
    close_socket(&pair.end, socket);
    close_pair(&pair);
}

static void static_events_need_no_option(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    SOCKADDR_INET bound;
    STAYS_SILENT("WSK-CBE-29", "WSK-CTL-31");
    UNREFERENCED_PARAMETER(state);
    prepare(&listener);
    assert_int_equal(open_wsk(&pair.end), STATUS_SUCCESS);
    assert_int_equal(enable_static_events(&pair.end, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    pair.listener = listen_loopback(&pair.end, AF_INET, NULL, NULL, &bound);
    pair.near = connect_to(&pair.end, &bound, &listener, &table);
    assert_int_equal(accept_socket(&pair.end, pair.listener, &listener, &table, &pair.far),
                     STATUS_SUCCESS);
    assert_int_equal(enable_events(pair.near, WSK_EVENT_DISCONNECT), STATUS_SUCCESS);
    send_all(&pair, pair.far, "x", 1);
    await(&listener.entered);
    assert_int_equal(disable_event_now(pair.near, WSK_EVENT_DISCONNECT), STATUS_SUCCESS);
    close_pair(&pair);
}

static void static_events_are_there_from_the_beginning(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    SOCKADDR_INET bound;
    PROVES("WSK-CTL-29", "WSK-CTL-30", "WSK-CTL-31", "WSK-CBE-29", "WSK-SOCK-11");
    UNREFERENCED_PARAMETER(state);
    prepare(&listener);
    assert_int_equal(open_wsk(&pair.end), STATUS_SUCCESS);
    assert_int_equal(enable_static_events(&pair.end, WSK_EVENT_RECEIVE | WSK_EVENT_ACCEPT |
                                                         WSK_EVENT_RECEIVE_FROM),
                     STATUS_SUCCESS);
    pair.listener = listen_loopback(&pair.end, AF_INET, NULL, NULL, &bound);
    pair.near = connect_to(&pair.end, &bound, &listener, &table);
    assert_int_equal(accept_socket(&pair.end, pair.listener, NULL, NULL, &pair.far),
                     STATUS_SUCCESS);
    send_all(&pair, pair.far, "x", 1);
    await(&listener.entered);
    assert_int_equal(disable_event_now(pair.near, WSK_EVENT_RECEIVE), STATUS_INVALID_PARAMETER);
    assert_int_equal(enable_events(pair.near, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    send_all(&pair, pair.far, "y", 1);
    await(&listener.entered);
    close_pair(&pair);
}

static const struct CMUnitTest tests[] = {
    kernel_test(several_events_are_enabled_at_once),
    kernel_test(enabling_adds),
    kernel_test(an_idle_event_is_disabled_at_once),
    kernel_test(a_disable_waits_for_the_running_call),
    kernel_test(a_disable_without_irp_tells_that_a_call_runs),
    kernel_test(a_close_waits_for_the_running_call),
    kernel_test(what_makes_no_sense_is_refused),
    kernel_test(static_events_are_there_from_the_beginning),
    kernel_test(static_events_need_no_option),
};

TEST_MAIN(tests)
