/* Calls on sockets: with a table, before the close, and while they work. */
#include "twins.h"
#include "wsk_pair.h"

#include <wskemu/network.h>

#define VIOLATION DRIVER_VERIFIER_DETECTED_VIOLATION
#define WSK_VIOLATION 0x57534B

static struct wsk_pair pair;
static UCHAR byte;

/* ---- a close while another thread calls ---- */

static const GUID extension_id = {
    0x5E1C0A11, 0x77AB, 0x4D20, {0x91, 0x3C, 0x0E, 0x55, 0x2A, 0x18, 0x7F, 0x01}};

static struct {
    struct wsk_call close;
    KEVENT is_called; /* the extension is asked, inside WskControlSocket */
    KEVENT is_closed; /* it may answer */
} race;

static NTSTATUS begin_close(struct wsk_call *call, PWSK_SOCKET socket)
{
    const WSK_PROVIDER_BASIC_DISPATCH *basic = socket->Dispatch;
    return basic->WskCloseSocket(socket, call_irp(call));
}

/* Runs inside WskControlSocket, which cannot return before. */
static NTSTATUS wait_inside(void *context, PWSK_SOCKET socket,
                            const WSK_EXTENSION_CONTROL_IN *input,
                            PWSK_EXTENSION_CONTROL_OUT output)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(socket);
    UNREFERENCED_PARAMETER(input);
    UNREFERENCED_PARAMETER(output);
    KeSetEvent(&race.is_called, IO_NO_INCREMENT, FALSE);
    wait_object(&race.is_closed);
    return STATUS_NOT_SUPPORTED;
}

static VOID register_extension(PVOID context)
{
    WSK_EXTENSION_CONTROL_IN input = {.NpiId = (PNPIID)(ULONG_PTR)&extension_id};
    WSK_EXTENSION_CONTROL_OUT output;
    UNREFERENCED_PARAMETER(context);
    control_socket_now(pair.near, WskIoctl, SIO_WSK_REGISTER_EXTENSION, 0, &input, sizeof(input),
                       &output, sizeof(output), NULL);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* A thread that is inside a call on the near socket. */
static PKTHREAD start_race(void)
{
    static const struct wskemu_extension extension = {.attach = wait_inside};
    KeInitializeEvent(&race.is_called, NotificationEvent, FALSE);
    KeInitializeEvent(&race.is_closed, NotificationEvent, FALSE);
    open_pair(&pair, NULL, NULL);
    wskemu_extension_add(&extension_id, &extension, NULL);
    PKTHREAD thread = start_thread(register_extension, NULL);
    wait_object(&race.is_called);
    return thread;
}

static void close_while_another_thread_calls(void *context)
{
    UNREFERENCED_PARAMETER(context);
    start_race();
    call_init(&race.close);
    begin_close(&race.close, pair.near);
}

static void close_when_the_call_has_returned(void *context)
{
    UNREFERENCED_PARAMETER(context);
    PKTHREAD thread = start_race();
    close_far(&pair); /* of another socket */
    KeSetEvent(&race.is_closed, IO_NO_INCREMENT, FALSE);
    join_thread(thread);
    close_pair(&pair);
}

static NTSTATUS close_inside(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(context);
    begin_close(&race.close, pair.near);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* In the completion routine of its own IRP, whether that runs inside the call or not. */
static void close_inside_an_own_call(void *context)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, NULL, NULL);
    call_init(&race.close);
    IoSetCompletionRoutine(irp, close_inside, NULL, TRUE, TRUE, TRUE);
    WSK_BUF buffer = call_buffer(&pair.end.call, "x", 1);
    send_of(pair.near)(pair.near, &buffer, 0, irp);
    await(&race.close.done);
    IoFreeIrp(irp);
    call_free(&race.close);
    pair.near = NULL;
    close_pair(&pair);
}

static void test_a_close_while_another_thread_calls_is_caught(void **state)
{
    PROVES("WSK-CLOSE-05", "WSK-HDR-30");
    expect_bugcheck(close_while_another_thread_calls, NULL, VIOLATION, WSK_VIOLATION,
                    "WSK-CLOSE-05");
}

static void test_a_close_when_no_other_thread_calls_is_fine(void **state)
{
    STAYS_SILENT("WSK-CLOSE-05", "WSK-HDR-30");
    expect_silence(close_when_the_call_has_returned, NULL);
    expect_silence(close_inside_an_own_call, NULL);
}

/* ---- calls after the close ---- */

static void call_after_the_close_completed(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, NULL, NULL);
    close_socket(&pair.end, pair.near);
    send_bytes(&pair.end, pair.near, "x", 1, 0, NULL);
}

static void close_again_later(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, NULL, NULL);
    close_socket(&pair.end, pair.near);
    for (unsigned i = 0; i < 10; i++) {
        close_socket(&pair.end, make_socket(&pair.end, AF_INET, WSK_FLAG_BASIC_SOCKET, NULL, NULL));
    }
    close_socket(&pair.end, pair.near);
}

static void release_after_the_close(void *context)
{
    static WSK_DATA_INDICATION indication;
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, NULL, NULL);
    const WSK_PROVIDER_CONNECTION_DISPATCH *table = pair.near->Dispatch;
    close_socket(&pair.end, pair.near);
    table->WskRelease(pair.near, &indication);
}

static void close_last(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, NULL, NULL);
    send_all(&pair, pair.near, "x", 1);
    close_pair(&pair);
}

static void test_a_call_on_a_socket_that_is_gone_is_caught(void **state)
{
    PROVES("WSK-CLOSE-13");
    expect_bugcheck(call_after_the_close_completed, NULL, VIOLATION, WSK_VIOLATION, "WSK-CLOSE-13");
    expect_bugcheck(close_again_later, NULL, VIOLATION, WSK_VIOLATION, "WSK-CLOSE-13");
    expect_bugcheck(release_after_the_close, NULL, VIOLATION, WSK_VIOLATION, "WSK-CLOSE-13");
}

static void test_closing_last_is_fine(void **state)
{
    STAYS_SILENT("WSK-CLOSE-10", "WSK-CLOSE-13");
    expect_silence(close_last, NULL);
}

/* ---- a table of another category ---- */

static void call_behind_the_table(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, NULL, NULL);
    const WSK_PROVIDER_CONNECTION_DISPATCH *table = pair.listener->Dispatch;
    WSK_BUF buffer = call_buffer(&pair.end.call, "x", 1);
    table->WskSend(pair.listener, &buffer, 0, call_irp(&pair.end.call));
}

static void call_of_another_socket(void *context)
{
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, NULL, NULL);
    WSK_BUF buffer = call_buffer(&pair.end.call, "x", 1);
    send_of(pair.near)(pair.listener, &buffer, 0, call_irp(&pair.end.call));
}

static void test_a_table_of_another_category_is_caught(void **state)
{
    PROVES("WSK-SOCK-30");
    expect_bugcheck(call_behind_the_table, NULL, VIOLATION, WSK_VIOLATION, "WSK-SOCK-30");
    expect_bugcheck(call_of_another_socket, NULL, VIOLATION, WSK_VIOLATION, "WSK-SOCK-30");
}

static void call_of_no_socket(void *context)
{
    static ULONG64 wild[64];
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, NULL, NULL);
    WSK_BUF buffer = call_buffer(&pair.end.call, "x", 1);
    send_of(pair.near)((PWSK_SOCKET)(PVOID)wild, &buffer, 0, call_irp(&pair.end.call));
}

static void test_what_is_no_socket_is_called_so(void **state)
{
    expect_bugcheck(call_of_no_socket, NULL, VIOLATION, WSK_VIOLATION, "WSK-SOCK-06");
}

static void take_for_a_connection(void *context)
{
    UNREFERENCED_PARAMETER(context);
    assert_int_equal(open_wsk(&pair.end), STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(&pair.end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    const WSK_PROVIDER_CONNECTION_DISPATCH *table = socket->Dispatch;
    WSK_BUF buffer = call_buffer(&pair.end.call, "x", 1);
    table->WskSend(socket, &buffer, 0, call_irp(&pair.end.call));
    close_socket(&pair.end, socket);
    close_wsk(&pair.end);
}

static void test_a_datagram_socket_taken_for_a_connection_is_told(void **state)
{
    PROVES("WSK-ADDR-01");
    log_capture();
    take_for_a_connection(NULL);
    assert_non_null(strstr(log_captured(), "WSK-ADDR-01"));
    assert_non_null(strstr(log_captured(), "WskSend stands at that place"));
}

/* ---- the driver's table ---- */

static NTSTATUS WSKAPI on_receive_locally(PVOID context, ULONG flags,
                                          PWSK_DATA_INDICATION indication, SIZE_T indicated,
                                          SIZE_T *accepted)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(indication);
    UNREFERENCED_PARAMETER(indicated);
    UNREFERENCED_PARAMETER(accepted);
    return STATUS_SUCCESS;
}

static PWSK_SOCKET made;
static bool shall_close;

/* A routine whose table lies on its stack. */
static VOID make_with_local_table(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    WSK_CLIENT_CONNECTION_DISPATCH table = {.WskReceiveEvent = on_receive_locally};
    made = make_socket(&pair.end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, &table);
    if (shall_close) {
        close_socket(&pair.end, made);
    }
}

static void make_in_a_routine(bool close_there)
{
    shall_close = close_there;
    assert_int_equal(open_wsk(&pair.end), STATUS_SUCCESS);
    join_thread(start_thread(make_with_local_table, NULL));
    if (!close_there) {
        close_socket(&pair.end, made);
    }
    close_wsk(&pair.end);
}

static void leave_table(void *context)
{
    UNREFERENCED_PARAMETER(context);
    make_in_a_routine(false);
}

static void close_before_table_goes(void *context)
{
    UNREFERENCED_PARAMETER(context);
    make_in_a_routine(true);
}

static void test_a_table_on_a_stack_that_is_gone_is_caught(void **state)
{
    expect_bugcheck(leave_table, NULL, VIOLATION, ANY_PARAMETER, "WSK-EVT-12");
}

static void test_a_table_that_stays_as_long_as_the_socket_is_fine(void **state)
{
    STAYS_SILENT("WSK-SOCK-16");
    expect_silence(close_before_table_goes, NULL);
}

static void use_stream_sockets(void *context)
{
    UNREFERENCED_PARAMETER(context);
    assert_int_equal(open_wsk(&pair.end), STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(&pair.end, AF_INET, WSK_FLAG_STREAM_SOCKET, NULL, NULL);
    const WSK_PROVIDER_STREAM_DISPATCH *table = socket->Dispatch;
    bind_loopback(&pair.end, socket, AF_INET, NULL);
    call_wait(&pair.end.call, table->WskListen(socket, call_irp(&pair.end.call)));
    close_socket(&pair.end, socket);
    close_wsk(&pair.end);
}

static void test_tables_of_the_right_category_are_fine(void **state)
{
    STAYS_SILENT("WSK-SOCK-30");
    expect_silence(close_last, NULL);
    expect_silence(use_stream_sockets, NULL);
}

/* ---- a socket that no longer works ---- */

#define CALLS 10

static SOCKADDR_INET near_address;

static void bind_it(PWSK_SOCKET socket)
{
    bind_socket(&pair.end, socket, &near_address);
}

static void accept_it(PWSK_SOCKET socket)
{
    PWSK_SOCKET accepted;
    accept_socket(&pair.end, socket, NULL, NULL, &accepted);
}

static void connect_it(PWSK_SOCKET socket)
{
    connect_socket(&pair.end, socket, &near_address);
}

static void send_it(PWSK_SOCKET socket)
{
    send_bytes(&pair.end, socket, "x", 1, 0, NULL);
}

static void receive_it(PWSK_SOCKET socket)
{
    receive_bytes(&pair.end, socket, &byte, 1, 0, NULL);
}

static void disconnect_it(PWSK_SOCKET socket)
{
    disconnect_socket(&pair.end, socket, 0);
}

static void control_it(PWSK_SOCKET socket)
{
    ULONG value;
    get_option(&pair.end, socket, SOL_SOCKET, SO_TYPE, &value);
}

static void send_to_it(PWSK_SOCKET socket)
{
    const WSK_PROVIDER_DATAGRAM_DISPATCH *table = socket->Dispatch;
    WSK_BUF buffer = call_buffer(&pair.end.call, "x", 1);
    call_wait(&pair.end.call, table->WskSendTo(socket, &buffer, 0, (PSOCKADDR)&near_address, 0,
                                               NULL, call_irp(&pair.end.call)));
}

struct dead {
    void (*call)(PWSK_SOCKET socket);
    ULONG category;
    const char *rule;
    unsigned calls;
};

static void call_dead(void *context)
{
    const struct dead *dead = context;
    near_address = loopback_address(AF_INET, 9);
    open_pair(&pair, NULL, NULL);
    PWSK_SOCKET socket = dead->category == WSK_FLAG_CONNECTION_SOCKET ? pair.near
                         : dead->category == WSK_FLAG_LISTEN_SOCKET
                             ? pair.listener
                             : make_socket(&pair.end, AF_INET, dead->category, NULL, NULL);
    wskemu_socket_break(socket);
    for (unsigned i = 0; i < dead->calls; i++) {
        dead->call(socket);
    }
    if (dead->category == WSK_FLAG_DATAGRAM_SOCKET) {
        close_socket(&pair.end, socket);
    }
    close_pair(&pair);
}

static struct dead deads[] = {
    {bind_it, WSK_FLAG_CONNECTION_SOCKET, "WSK-BIND-07", CALLS},
    {accept_it, WSK_FLAG_LISTEN_SOCKET, "WSK-ACC-09", CALLS},
    {connect_it, WSK_FLAG_CONNECTION_SOCKET, "WSK-CONN-08", CALLS},
    {send_it, WSK_FLAG_CONNECTION_SOCKET, "WSK-SEND-09", CALLS},
    {receive_it, WSK_FLAG_CONNECTION_SOCKET, "WSK-RECV-07", CALLS},
    {disconnect_it, WSK_FLAG_CONNECTION_SOCKET, "WSK-DISC-09", CALLS},
    {send_to_it, WSK_FLAG_DATAGRAM_SOCKET, "WSK-DGRM-09", CALLS},
    {control_it, WSK_FLAG_CONNECTION_SOCKET, "WSK-SKO-07", CALLS},
};

static void test_calling_a_dead_socket_again_and_again_is_caught(void **state)
{
    PROVES("WSK-BIND-07", "WSK-ACC-09", "WSK-CONN-08", "WSK-SEND-09", "WSK-RECV-07", "WSK-DISC-09",
           "WSK-DGRM-09", "WSK-SKO-07");
    for (unsigned i = 0; i < RTL_NUMBER_OF(deads); i++) {
        expect_warning(call_dead, &deads[i], deads[i].rule);
    }
}

static void test_closing_a_dead_socket_soon_is_fine(void **state)
{
    STAYS_SILENT("WSK-BIND-07", "WSK-ACC-09", "WSK-CONN-08", "WSK-SEND-09", "WSK-RECV-07",
                 "WSK-DISC-09", "WSK-DGRM-09", "WSK-SKO-07");
    for (unsigned i = 0; i < RTL_NUMBER_OF(deads); i++) {
        struct dead once = deads[i];
        once.calls = 2;
        expect_silence(call_dead, &once);
    }
}

/* ---- one of which an event told ---- */

static struct {
    KEVENT told;
    PWSK_SOCKET socket;
} heard;

static NTSTATUS WSKAPI on_receive(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                  SIZE_T indicated, SIZE_T *accepted)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(indicated);
    UNREFERENCED_PARAMETER(accepted);
    if (indication == NULL) {
        KeSetEvent(&heard.told, IO_NO_INCREMENT, FALSE);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS WSKAPI on_datagrams(PVOID context, ULONG flags, PWSK_DATAGRAM_INDICATION indication)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    if (indication == NULL) {
        KeSetEvent(&heard.told, IO_NO_INCREMENT, FALSE);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS WSKAPI on_accept(PVOID context, ULONG flags, PSOCKADDR local, PSOCKADDR remote,
                                 PWSK_SOCKET accepted, PVOID *accepted_context,
                                 CONST WSK_CLIENT_CONNECTION_DISPATCH **accepted_dispatch)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(local);
    UNREFERENCED_PARAMETER(remote);
    UNREFERENCED_PARAMETER(accepted_context);
    UNREFERENCED_PARAMETER(accepted_dispatch);
    if (accepted == NULL) {
        KeSetEvent(&heard.told, IO_NO_INCREMENT, FALSE);
    }
    return STATUS_REQUEST_NOT_ACCEPTED;
}

static WSK_INSPECT_ACTION WSKAPI on_inspect(PVOID context, PSOCKADDR local, PSOCKADDR remote,
                                            PWSK_INSPECT_ID id)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(local);
    UNREFERENCED_PARAMETER(remote);
    if (id == NULL) {
        KeSetEvent(&heard.told, IO_NO_INCREMENT, FALSE);
    }
    return WskInspectReject;
}

static NTSTATUS WSKAPI on_abort(PVOID context, PWSK_INSPECT_ID id)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(id);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH connection_table = {.WskReceiveEvent = on_receive};
static const WSK_CLIENT_DATAGRAM_DISPATCH datagram_table = {.WskReceiveFromEvent = on_datagrams};
static const WSK_CLIENT_LISTEN_DISPATCH listen_table = {.WskAcceptEvent = on_accept};
static const WSK_CLIENT_LISTEN_DISPATCH inspect_table = {NULL, on_inspect, on_abort};

static PWSK_SOCKET make_connection(void)
{
    return pair.near;
}

static struct wsk_call waiting;

/* One whose receive waits. */
static PWSK_SOCKET make_waiting(void)
{
    call_init(&waiting);
    begin_receive(&waiting, pair.near, &byte, 1, 0);
    return pair.near;
}

static PWSK_SOCKET make_datagram_socket(void)
{
    PWSK_SOCKET socket =
        make_socket(&pair.end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, &datagram_table);
    bind_loopback(&pair.end, socket, AF_INET, NULL);
    enable_events(socket, WSK_EVENT_RECEIVE_FROM);
    return socket;
}

static PWSK_SOCKET make_listener(void)
{
    PWSK_SOCKET socket = listen_loopback(&pair.end, AF_INET, NULL, &listen_table, NULL);
    enable_events(socket, WSK_EVENT_ACCEPT);
    return socket;
}

static PWSK_SOCKET make_inspector(void)
{
    PWSK_SOCKET socket =
        make_socket(&pair.end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, &inspect_table);
    set_option(&pair.end, socket, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1);
    bind_loopback(&pair.end, socket, AF_INET, NULL);
    return socket;
}

struct told {
    PWSK_SOCKET (*make)(void);
    const char *rule;
};

static VOID deregister(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    WskReleaseProviderNPI(&pair.end.registration);
    WskDeregister(&pair.end.registration);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static PWSK_SOCKET make_told(const struct told *told)
{
    KeInitializeEvent(&heard.told, NotificationEvent, FALSE);
    open_pair(&pair, NULL, &connection_table);
    enable_events(pair.near, WSK_EVENT_RECEIVE);
    PWSK_SOCKET socket = told->make();
    wskemu_socket_break(socket);
    await(&heard.told);
    return socket;
}

static void end_told(PWSK_SOCKET socket)
{
    close_socket(&pair.end, socket);
    if (socket != pair.near) {
        close_socket(&pair.end, pair.near);
    }
    close_socket(&pair.end, pair.far);
    close_socket(&pair.end, pair.listener);
    if (waiting.irp != NULL) {
        call_free(&waiting);
        waiting.irp = NULL;
    }
}

static void deregister_before_closing(void *context)
{
    PWSK_SOCKET socket = make_told(context);
    PKTHREAD thread = start_thread(deregister, NULL);
    await_blocked(thread);
    end_told(socket);
    join_thread(thread);
    call_free(&pair.end.call);
}

static void close_and_deregister(void *context)
{
    end_told(make_told(context));
    close_wsk(&pair.end);
}

static struct told tolds[] = {
    {make_connection, "WSK-EVT-18"}, {make_datagram_socket, "WSK-EVT-44"},
    {make_listener, "WSK-ACC-25"},   {make_inspector, "WSK-INSP-10"},
    {make_waiting, "WSK-CLOSE-20"},
};

static void test_leaving_a_dead_socket_open_is_caught(void **state)
{
    PROVES("WSK-EVT-18", "WSK-EVT-44", "WSK-ACC-25", "WSK-INSP-10", "WSK-CLOSE-20");
    for (unsigned i = 0; i < RTL_NUMBER_OF(tolds); i++) {
        expect_warning(deregister_before_closing, &tolds[i], tolds[i].rule);
    }
}

static void test_closing_a_dead_socket_is_fine(void **state)
{
    STAYS_SILENT("WSK-EVT-18", "WSK-EVT-44", "WSK-ACC-25", "WSK-INSP-10", "WSK-CLOSE-20");
    for (unsigned i = 0; i < RTL_NUMBER_OF(tolds); i++) {
        expect_silence(close_and_deregister, &tolds[i]);
    }
}

static const struct CMUnitTest tests[] = {
    kernel_test(test_what_is_no_socket_is_called_so),
    kernel_test(test_a_datagram_socket_taken_for_a_connection_is_told),
    kernel_test(test_a_table_on_a_stack_that_is_gone_is_caught),
    kernel_test(test_a_table_that_stays_as_long_as_the_socket_is_fine),
    kernel_test(test_a_close_while_another_thread_calls_is_caught),
    kernel_test(test_a_close_when_no_other_thread_calls_is_fine),
    kernel_test(test_a_call_on_a_socket_that_is_gone_is_caught),
    kernel_test(test_closing_last_is_fine),
    kernel_test(test_a_table_of_another_category_is_caught),
    kernel_test(test_tables_of_the_right_category_are_fine),
    kernel_test(test_calling_a_dead_socket_again_and_again_is_caught),
    kernel_test(test_closing_a_dead_socket_soon_is_fine),
    kernel_test(test_leaving_a_dead_socket_open_is_caught),
    kernel_test(test_closing_a_dead_socket_is_fine),
};

TEST_MAIN(tests)
