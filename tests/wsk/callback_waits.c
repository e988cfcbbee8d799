/* Callbacks must not wait for WSK: they run at DISPATCH_LEVEL, where a wait is found out. */
#include "bugcheck.h"
#include "wsk_pair.h"

#include <wskemu/peer.h>

static struct wsk_pair pair;
static struct wsk_call inner;
static UCHAR byte;

/* What a callback does with its socket, which must not be waited for. */
typedef NTSTATUS start_routine(PWSK_SOCKET socket);

static start_routine *start;

static NTSTATUS start_receive(PWSK_SOCKET socket)
{
    return begin_receive(&inner, socket, &byte, 1, 0);
}

static NTSTATUS start_close(PWSK_SOCKET socket)
{
    const WSK_PROVIDER_BASIC_DISPATCH *table = socket->Dispatch;
    return table->WskCloseSocket(socket, call_irp(&inner));
}

static NTSTATUS start_disable(PWSK_SOCKET socket)
{
    WSK_EVENT_CALLBACK_CONTROL control = {&NPI_WSK_INTERFACE_ID,
                                          WSK_EVENT_RECEIVE | WSK_EVENT_DISABLE};
    const WSK_PROVIDER_BASIC_DISPATCH *table = socket->Dispatch;
    return table->WskControlSocket(socket, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET,
                                   sizeof(control), &control, 0, NULL, NULL, call_irp(&inner));
}

static void start_and_wait(PWSK_SOCKET socket)
{
    start(socket);
    KeWaitForSingleObject(&inner.done, Executive, KernelMode, FALSE, NULL);
}

static NTSTATUS WSKAPI on_receive(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                  SIZE_T indicated, SIZE_T *accepted)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(indication);
    UNREFERENCED_PARAMETER(indicated);
    UNREFERENCED_PARAMETER(accepted);
    start_and_wait(pair.near);
    return STATUS_SUCCESS;
}

static void wait_in_receive_event(void *routine)
{
    static const WSK_CLIENT_CONNECTION_DISPATCH table = {.WskReceiveEvent = on_receive};
    KEVENT never;
    start = *(start_routine **)routine;
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    open_pair(&pair, NULL, &table);
    call_init(&inner);
    enable_events(pair.near, WSK_EVENT_RECEIVE);
    send_all(&pair, pair.far, "x", 1);
    await(&never);
}

/* Inside a DPC that is another bug check than at DISPATCH_LEVEL elsewhere. */
static void assert_wait_is_caught(void (*body)(void *), void *context)
{
    struct wskemu_bugcheck bugcheck = bugcheck_of(body, context);
    assert_string_equal(bugcheck.rule, "WAIT-09");
}

static void a_receive_event_that_waits_is_caught(void **state)
{
    static start_routine *routines[] = {start_receive, start_close, start_disable};
    PROVES("WSK-EVT-07", "WSK-EVT-10", "WSK-CLOSE-21", "WSK-CBE-15", "WSK-IRP-25");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(routines); i++) {
        assert_wait_is_caught(wait_in_receive_event, &routines[i]);
    }
}

/* ---- listeners ---- */

static NTSTATUS WSKAPI on_accept(PVOID context, ULONG flags, PSOCKADDR local, PSOCKADDR remote,
                                 PWSK_SOCKET accepted, PVOID *accepted_context,
                                 CONST WSK_CLIENT_CONNECTION_DISPATCH **dispatch)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(local);
    UNREFERENCED_PARAMETER(remote);
    UNREFERENCED_PARAMETER(accepted_context);
    UNREFERENCED_PARAMETER(dispatch);
    start_and_wait(accepted);
    return STATUS_SUCCESS;
}

static WSK_INSPECT_ACTION WSKAPI on_inspect(PVOID context, PSOCKADDR local, PSOCKADDR remote,
                                            PWSK_INSPECT_ID id)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(local);
    UNREFERENCED_PARAMETER(remote);
    UNREFERENCED_PARAMETER(id);
    start_and_wait(pair.listener);
    return WskInspectAccept;
}

static NTSTATUS WSKAPI on_abort(PVOID context, PWSK_INSPECT_ID id)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(id);
    return STATUS_SUCCESS;
}

static void wait_in_listener_event(void *is_conditional)
{
    static const WSK_CLIENT_LISTEN_DISPATCH table = {on_accept, on_inspect, on_abort};
    SOCKADDR_INET address;
    struct wskemu_peer *peer;
    KEVENT never;
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    open_wsk(&pair.end);
    call_init(&inner);
    pair.listener = make_socket(&pair.end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, &table);
    start = start_receive;
    if (is_conditional != NULL) {
        set_option(&pair.end, pair.listener, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1);
        start = start_close;
    }
    bind_loopback(&pair.end, pair.listener, AF_INET, &address);
    enable_events(pair.listener, WSK_EVENT_ACCEPT);
    wskemu_peer_connect((PSOCKADDR)&address, &peer);
    await(&never);
}

static void a_listeners_event_that_waits_is_caught(void **state)
{
    PROVES("WSK-ACC-35", "WSK-INSP-35", "WSK-EVT-07");
    UNREFERENCED_PARAMETER(state);
    assert_wait_is_caught(wait_in_listener_event, NULL);
    assert_wait_is_caught(wait_in_listener_event, &pair);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_receive_event_that_waits_is_caught),
    kernel_test(a_listeners_event_that_waits_is_caught),
};

TEST_MAIN(tests)
