/* Callbacks and completion routines must not wait for WSK: at DISPATCH_LEVEL a wait is found out.
 */
#include "bugcheck.h"
#include "wsk_pair.h"

#include <wskemu/peer.h>

static struct wsk_pair pair;
static struct wsk_call inner;
static UCHAR byte;

/* What a callback does with its socket, which must not be waited for. */
typedef NTSTATUS start_routine(PWSK_SOCKET socket);

struct trial {
    start_routine *start; /* NULL: nothing */
    const char *rule;
    BOOLEAN waits;
};

static struct trial trial;
static LONG calls;
static KEVENT called;

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

static NTSTATUS start_accept(PWSK_SOCKET socket)
{
    return accept_of(socket)(socket, 0, NULL, NULL, NULL, NULL, call_irp(&inner));
}

static void start_and_wait(PWSK_SOCKET socket)
{
    if (calls++ == 0 && trial.start != NULL) {
        trial.start(socket);
    }
    if (trial.waits) {
        KeWaitForSingleObject(&inner.done, Executive, KernelMode, FALSE, NULL);
    }
    KeSetEvent(&called, IO_NO_INCREMENT, FALSE);
}

static void begin_trial(const struct trial *wanted)
{
    trial = *wanted;
    calls = 0;
    KeInitializeEvent(&called, NotificationEvent, FALSE);
    call_init(&inner);
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

/* context: a trial. */
static void call_receive_event(void *context)
{
    static const WSK_CLIENT_CONNECTION_DISPATCH table = {.WskReceiveEvent = on_receive};
    begin_trial(context);
    open_pair(&pair, NULL, &table);
    enable_events(pair.near, WSK_EVENT_RECEIVE);
    send_all(&pair, pair.far, "x", 1);
    await(&called);
}

/* Inside a DPC that is another bug check than at DISPATCH_LEVEL elsewhere. */
static void assert_wait_is_caught(void (*body)(void *), struct trial wanted)
{
    struct wskemu_bugcheck bugcheck = bugcheck_of(body, &wanted);
    assert_string_equal(bugcheck.rule, wanted.rule);
}

static void a_receive_event_that_waits_is_caught(void **state)
{
    static const struct trial trials[] = {{start_receive, "WSK-EVT-07", TRUE},
                                          {start_close, "WSK-CLOSE-21", TRUE},
                                          {start_disable, "WSK-CBE-15", TRUE},
                                          {NULL, "WSK-EVT-10", TRUE}};
    PROVES("WSK-EVT-07", "WSK-EVT-10", "WSK-CLOSE-21", "WSK-CBE-15");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(trials); i++) {
        assert_wait_is_caught(call_receive_event, trials[i]);
    }
}

static void a_receive_event_that_starts_and_returns_is_fine(void **state)
{
    static const struct trial trials[] = {{.start = start_receive},
                                          {.start = start_close},
                                          {.start = start_disable},
                                          {.start = NULL}};
    STAYS_SILENT("WSK-EVT-07", "WSK-EVT-10", "WSK-CLOSE-21", "WSK-CBE-15", "WSK-IRP-25", "WAIT-09");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(trials); i++) {
        call_receive_event((void *)(ULONG_PTR)&trials[i]);
        if (trial.start == start_receive) {
            send_all(&pair, pair.far, "y", 1);
        }
        if (trial.start != NULL) {
            await(&inner.done);
        }
        call_free(&inner);
        pair.near = trial.start == start_close ? NULL : pair.near;
        close_pair(&pair);
    }
}

/* ---- completion routines ---- */

static NTSTATUS on_sent(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(context);
    start_and_wait(pair.near);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* At DISPATCH_LEVEL, where the routine runs, whoever completes the IRP. context: a trial. */
static void call_completion_routine(void *context)
{
    begin_trial(context);
    open_pair(&pair, NULL, NULL);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, on_sent, NULL, TRUE, TRUE, TRUE);
    WSK_BUF buffer = call_buffer(&pair.end.call, "x", 1);
    KIRQL old = KeRaiseIrqlToDpcLevel();
    send_of(pair.near)(pair.near, &buffer, 0, irp);
    KeLowerIrql(old);
    await(&called);
    IoFreeIrp(irp);
}

static void a_completion_routine_that_waits_is_caught(void **state)
{
    PROVES("WSK-IRP-25");
    UNREFERENCED_PARAMETER(state);
    assert_wait_is_caught(call_completion_routine,
                          (struct trial){start_receive, "WSK-IRP-25", TRUE});
}

static void a_completion_routine_that_starts_and_returns_is_fine(void **state)
{
    struct trial wanted = {.start = start_receive};
    STAYS_SILENT("WSK-IRP-25", "WAIT-09");
    UNREFERENCED_PARAMETER(state);
    call_completion_routine(&wanted);
    send_all(&pair, pair.far, "y", 1);
    await(&inner.done);
    call_free(&inner);
    close_pair(&pair);
}

/* ---- threads ---- */

/* context: at which level the thread waits. */
static void wait_for_a_send(void *context)
{
    KIRQL level = *(const KIRQL *)context;
    KIRQL old;
    open_pair(&pair, NULL, NULL);
    call_init(&inner);
    begin_send(&inner, pair.near, "x", 1, 0);
    KeRaiseIrql(level, &old);
    KeWaitForSingleObject(&inner.done, Executive, KernelMode, FALSE, NULL);
    KeLowerIrql(old);
    call_free(&inner);
    close_pair(&pair);
}

static void a_thread_that_waits_at_dispatch_level_is_caught(void **state)
{
    KIRQL level = DISPATCH_LEVEL;
    PROVES("WSK-IRP-36");
    UNREFERENCED_PARAMETER(state);
    struct wskemu_bugcheck bugcheck = bugcheck_of(wait_for_a_send, &level);
    assert_string_equal(bugcheck.rule, "WSK-IRP-36");
}

static void a_thread_that_waits_below_dispatch_level_is_fine(void **state)
{
    KIRQL levels[] = {APC_LEVEL, PASSIVE_LEVEL};
    STAYS_SILENT("WSK-IRP-36", "WAIT-09");
    UNREFERENCED_PARAMETER(state);
    wait_for_a_send(&levels[0]);
    wait_for_a_send(&levels[1]);
}

/* ---- listeners ---- */

static struct wskemu_peer *peer;
static PWSK_SOCKET offered; /* by the accept event */

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
    offered = accepted;
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

/* context: a trial; with one that accepts, the event is WskInspectEvent. */
static void call_listener_event(void *context)
{
    static const WSK_CLIENT_LISTEN_DISPATCH table = {on_accept, on_inspect, on_abort};
    SOCKADDR_INET address;
    begin_trial(context);
    open_wsk(&pair.end);
    pair.listener = make_socket(&pair.end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, &table);
    if (trial.start == start_accept) {
        set_option(&pair.end, pair.listener, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1);
    }
    bind_loopback(&pair.end, pair.listener, AF_INET, &address);
    enable_events(pair.listener, WSK_EVENT_ACCEPT);
    wskemu_peer_connect((PSOCKADDR)&address, &peer);
    await(&called);
}

static void a_listeners_event_that_waits_is_caught(void **state)
{
    PROVES("WSK-ACC-35", "WSK-INSP-35");
    UNREFERENCED_PARAMETER(state);
    assert_wait_is_caught(call_listener_event, (struct trial){start_receive, "WSK-ACC-35", TRUE});
    assert_wait_is_caught(call_listener_event, (struct trial){start_accept, "WSK-INSP-35", TRUE});
}

static void a_listeners_event_that_starts_and_returns_is_fine(void **state)
{
    static const struct trial trials[] = {{.start = start_receive}, {.start = start_accept}};
    STAYS_SILENT("WSK-ACC-35", "WSK-INSP-35", "WSK-EVT-07", "WSK-ACC-28", "WSK-INSP-14");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(trials); i++) {
        call_listener_event((void *)(ULONG_PTR)&trials[i]);
        assert_int_equal(wskemu_peer_send_all(peer, "y", 1), STATUS_SUCCESS);
        await(&inner.done);
        bool is_accept = trials[i].start == start_accept;
        close_socket(&pair.end, is_accept ? (PWSK_SOCKET)call_information(&inner) : offered);
        close_socket(&pair.end, pair.listener);
        wskemu_peer_close(peer);
        call_free(&inner);
        close_wsk(&pair.end);
    }
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_receive_event_that_waits_is_caught),
    kernel_test(a_receive_event_that_starts_and_returns_is_fine),
    kernel_test(a_completion_routine_that_waits_is_caught),
    kernel_test(a_completion_routine_that_starts_and_returns_is_fine),
    kernel_test(a_thread_that_waits_at_dispatch_level_is_caught),
    kernel_test(a_thread_that_waits_below_dispatch_level_is_fine),
    kernel_test(a_listeners_event_that_waits_is_caught),
    kernel_test(a_listeners_event_that_starts_and_returns_is_fine),
};

TEST_MAIN(tests)
