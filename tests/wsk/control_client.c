/* WskControlClient in general, static event callbacks and what is left of TDI. Transports have
 * transport.c, security descriptors security.c. */
#include "kernel.h"
#include "log.h"
#include "security.h"
#include "wsk_end.h"

static const ULONG tdi_behavior = WSK_TDI_BEHAVIOR_BYPASS_TDI;
static const WSK_TDI_MAP tdi_map = {SOCK_STREAM, AF_INET, IPPROTO_TCP, L"\\Device\\Tcp"};
static const WSK_TDI_MAP_INFO tdi_maps = {1, &tdi_map};
static const WSK_EVENT_CALLBACK_CONTROL accept_events = {(PNPIID)&NPI_WSK_INTERFACE_ID,
                                                         WSK_EVENT_ACCEPT};

/* The operations that end within the call, with input that they take. */
struct immediate {
    ULONG code;
    const char *rule;
    const void *input;
    SIZE_T input_bytes;
};

static const struct immediate immediate[] = {
    {WSK_SET_STATIC_EVENT_CALLBACKS, "WSK-CTL-27", &accept_events, sizeof(accept_events)},
    {WSK_TDI_DEVICENAME_MAPPING, "WSK-CTL-35", &tdi_maps, sizeof(tdi_maps)},
    {WSK_TDI_BEHAVIOR, "WSK-CTL-39", &tdi_behavior, sizeof(tdi_behavior)},
};

static NTSTATUS run(struct wsk_end *end, const struct immediate *operation)
{
    return control_client(end, operation->code, operation->input, operation->input_bytes, NULL, 0,
                          NULL);
}

static void the_codes_are_those_of_the_header(void **state)
{
    PROVES("WSK-HDR-08");
    assert_int_equal(WSK_TRANSPORT_LIST_QUERY, 2);
    assert_int_equal(WSK_TRANSPORT_LIST_CHANGE, 3);
    assert_int_equal(WSK_CACHE_SD, 4);
    assert_int_equal(WSK_RELEASE_SD, 5);
    assert_int_equal(WSK_TDI_DEVICENAME_MAPPING, 6);
    assert_int_equal(WSK_SET_STATIC_EVENT_CALLBACKS, 7);
    assert_int_equal(WSK_TDI_BEHAVIOR, 8);
    assert_int_equal(WSK_TDI_BEHAVIOR_BYPASS_TDI, 1);
}

static void without_an_irp_the_returned_status_is_final(void **state)
{
    PROVES("WSK-CTL-02", "WSK-CTL-42");
    STAYS_SILENT("WSK-CTL-06", "WSK-CTL-07", "WSK-CTL-27", "WSK-CTL-28", "WSK-CTL-35", "WSK-CTL-36",
                 "WSK-CTL-39");
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(immediate); i++) {
        assert_int_equal(run(&end, &immediate[i]), STATUS_SUCCESS);
    }
    close_wsk(&end);
}

static void no_client_is_no_handle(void **state)
{
    PROVES("WSK-DISP-06");
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    assert_int_equal(end.provider.Dispatch->WskControlClient(NULL, WSK_TDI_BEHAVIOR, 0, NULL, 0,
                                                             NULL, NULL, call_irp(&end.call)),
                     STATUS_INVALID_HANDLE);
    assert_false(call_is_done(&end.call));
    close_wsk(&end);
}

static NTSTATUS control_with_irp(struct wsk_end *end, ULONG code, const void *input, SIZE_T bytes)
{
    return call_wait(&end->call, end->provider.Dispatch->WskControlClient(
                                     end->provider.Client, code, bytes, (PVOID)(ULONG_PTR)input, 0,
                                     NULL, NULL, call_irp(&end->call)));
}

static void an_unknown_code_is_refused(void **state)
{
    PROVES("WSK-CTL-05");
    static const ULONG codes[] = {0, 1, 9, 0xFFFFFFFF};
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(codes); i++) {
        assert_int_equal(control_client(&end, codes[i], NULL, 0, NULL, 0, NULL),
                         STATUS_INVALID_PARAMETER);
        assert_int_equal(control_with_irp(&end, codes[i], NULL, 0), STATUS_INVALID_PARAMETER);
    }
    close_wsk(&end);
}

static void an_irp_where_none_belongs_is_refused_and_completed(void **state)
{
    PROVES("WSK-CTL-05", "WSK-CTL-08", "WSK-CTL-12", "WSK-CTL-22", "WSK-CTL-25", "WSK-CTL-27",
           "WSK-CTL-35", "WSK-CTL-39");
    static const struct immediate others[] = {
        {WSK_TRANSPORT_LIST_QUERY, "WSK-CTL-12", NULL, 0},
        {WSK_CACHE_SD, "WSK-CTL-22", NULL, 0},
        {WSK_RELEASE_SD, "WSK-CTL-25", NULL, 0},
    };
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(immediate) + RTL_NUMBER_OF(others); i++) {
        const struct immediate *operation =
            i < RTL_NUMBER_OF(immediate) ? &immediate[i] : &others[i - RTL_NUMBER_OF(immediate)];
        log_capture();
        NTSTATUS status =
            control_with_irp(&end, operation->code, operation->input, operation->input_bytes);
        assert_true(log_named(operation->rule));
        assert_int_equal(status, STATUS_INVALID_PARAMETER);
        assert_int_equal(call_information(&end.call), 0);
    }
    close_wsk(&end);
}

static void input_of_a_wrong_size_is_refused(void **state)
{
    PROVES("WSK-CTL-05");
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(immediate); i++) {
        struct immediate operation = immediate[i];
        operation.input_bytes--;
        log_capture();
        NTSTATUS status = run(&end, &operation);
        assert_true(log_named(operation.rule));
        assert_int_equal(status, STATUS_INVALID_PARAMETER);
        operation = immediate[i];
        operation.input = NULL;
        log_capture();
        status = run(&end, &operation);
        assert_true(log_named(operation.rule));
        assert_int_equal(status, STATUS_INVALID_PARAMETER);
    }
    close_wsk(&end);
}

static void what_an_operation_does_not_have_is_warned_of(void **state)
{
    PROVES("WSK-CTL-06", "WSK-CTL-07");
    struct wsk_end end;
    UCHAR output[8] = {0};
    SIZE_T returned = 4711;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    log_capture();
    NTSTATUS status = control_client(&end, WSK_TDI_BEHAVIOR, &tdi_behavior, sizeof(tdi_behavior),
                                     output, sizeof(output), &returned);
    const char *text = log_captured();
    assert_non_null(strstr(text, "WSK-CTL-06"));
    assert_non_null(strstr(text, "WSK-CTL-07"));
    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(returned, 4711);
    log_capture();
    status = run(&end, &immediate[2]);
    assert_string_equal(log_captured(), "");
    close_wsk(&end);
}

static void what_comes_before_sockets_is_refused_after_one(void **state)
{
    PROVES("WSK-CTL-28", "WSK-CTL-36", "WSK-CTL-39");
    static const char *const rules[] = {"WSK-CTL-28", "WSK-CTL-36", "WSK-CTL-39"};
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(&end, AF_INET, WSK_FLAG_BASIC_SOCKET, NULL, NULL);
    assert_non_null(socket);
    assert_int_equal(close_socket(&end, socket), STATUS_SUCCESS);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(immediate); i++) {
        log_capture();
        NTSTATUS status = run(&end, &immediate[i]);
        assert_true(log_named(rules[i]));
        assert_int_equal(status, STATUS_INVALID_DEVICE_STATE);
    }
    close_wsk(&end);
}

static void the_mapping_of_tdi_devices_changes_no_native_socket(void **state)
{
    PROVES("WSK-CTL-37", "WSK-CTL-40");
    struct wsk_end end;
    SOCKADDR_INET bound;
    PWSK_SOCKET socket;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    assert_int_equal(run(&end, &immediate[1]), STATUS_SUCCESS);
    assert_int_equal(run(&end, &immediate[2]), STATUS_SUCCESS);
    assert_non_null(socket = listen_loopback(&end, AF_INET, NULL, NULL, &bound));
    assert_int_equal(close_socket(&end, socket), STATUS_SUCCESS);
    close_wsk(&end);
}

/* ---- static event callbacks ---- */

static void only_known_events_of_wsk_are_static(void **state)
{
    PROVES("WSK-CTL-27");
    static const GUID other = {1, 2, 3, {4}};
    static const ULONG masks[] = {0, 0x1, WSK_EVENT_ACCEPT | WSK_EVENT_DISABLE, 0x20};
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(masks); i++) {
        assert_int_equal(enable_static_events(&end, masks[i]), STATUS_INVALID_PARAMETER);
    }
    WSK_EVENT_CALLBACK_CONTROL control = {(PNPIID)&other, WSK_EVENT_ACCEPT};
    struct immediate operation = {WSK_SET_STATIC_EVENT_CALLBACKS, NULL, &control, sizeof(control)};
    assert_int_equal(run(&end, &operation), STATUS_INVALID_PARAMETER);
    control.NpiId = NULL;
    assert_int_equal(run(&end, &operation), STATUS_INVALID_PARAMETER);
    close_wsk(&end);
}

struct receiver {
    KEVENT came;
    LONG calls;
};

static NTSTATUS WSKAPI receive_from(PVOID context, ULONG flags, PWSK_DATAGRAM_INDICATION data)
{
    struct receiver *receiver = context;
    if (data != NULL) {
        InterlockedIncrement(&receiver->calls);
        KeSetEvent(&receiver->came, IO_NO_INCREMENT, FALSE);
    }
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_DATAGRAM_DISPATCH receives = {receive_from};

static NTSTATUS send_datagram(struct wsk_end *end, PWSK_SOCKET socket, const SOCKADDR_INET *to)
{
    static UCHAR bytes[4] = "data";
    const WSK_PROVIDER_DATAGRAM_DISPATCH *dispatch = socket->Dispatch;
    WSK_BUF buffer = call_buffer(&end->call, bytes, sizeof(bytes));
    SOCKADDR_INET remote = *to;
    return call_wait(&end->call, dispatch->WskSendTo(socket, &buffer, 0, (PSOCKADDR)&remote, 0,
                                                     NULL, call_irp(&end->call)));
}

static void static_events_begin_with_the_socket_and_stay(void **state)
{
    PROVES("WSK-CTL-29", "WSK-CTL-30", "WSK-CTL-31");
    struct wsk_end end;
    struct receiver receiver = {.calls = 0};
    SOCKADDR_INET address;
    KeInitializeEvent(&receiver.came, NotificationEvent, FALSE);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    assert_int_equal(
        enable_static_events(&end, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE_FROM | WSK_EVENT_RECEIVE),
        STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, &receiver, &receives);
    assert_non_null(socket);
    assert_int_equal(bind_loopback(&end, socket, AF_INET, &address), STATUS_SUCCESS);
    log_capture();
    NTSTATUS status = disable_event_now(socket, WSK_EVENT_RECEIVE_FROM);
    assert_true(log_named("WSK-CTL-31"));
    assert_false(NT_SUCCESS(status));
    assert_int_equal(send_datagram(&end, socket, &address), STATUS_SUCCESS);
    await(&receiver.came);
    assert_int_equal(receiver.calls, 1);
    assert_int_equal(close_socket(&end, socket), STATUS_SUCCESS);
    close_wsk(&end);
}

static void a_second_call_adds_static_events(void **state)
{
    PROVES("WSK-CTL-29", "WSK-CTL-30");
    STAYS_SILENT("WSK-CTL-31");
    struct wsk_end end;
    struct receiver receiver = {.calls = 0};
    SOCKADDR_INET address;
    KeInitializeEvent(&receiver.came, NotificationEvent, FALSE);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    assert_int_equal(enable_static_events(&end, WSK_EVENT_RECEIVE_FROM), STATUS_SUCCESS);
    assert_int_equal(enable_static_events(&end, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, &receiver, &receives);
    assert_non_null(socket);
    assert_int_equal(bind_loopback(&end, socket, AF_INET, &address), STATUS_SUCCESS);
    assert_int_equal(send_datagram(&end, socket, &address), STATUS_SUCCESS);
    await(&receiver.came);
    assert_int_equal(close_socket(&end, socket), STATUS_SUCCESS);
    close_wsk(&end);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_codes_are_those_of_the_header),
    kernel_test(without_an_irp_the_returned_status_is_final),
    kernel_test(no_client_is_no_handle),
    kernel_test(an_unknown_code_is_refused),
    kernel_test(an_irp_where_none_belongs_is_refused_and_completed),
    kernel_test(input_of_a_wrong_size_is_refused),
    kernel_test(what_an_operation_does_not_have_is_warned_of),
    kernel_test(what_comes_before_sockets_is_refused_after_one),
    kernel_test(the_mapping_of_tdi_devices_changes_no_native_socket),
    kernel_test(only_known_events_of_wsk_are_static),
    kernel_test(static_events_begin_with_the_socket_and_stay),
    kernel_test(a_second_call_adds_static_events),
};

TEST_MAIN(tests)
