/* WskControlSocket: forms, IRPs, sizes, levels; what holds for all operations. */
#include "log.h"
#include "wsk_pair.h"

#include <wskemu/network.h>

#include <mstcpip.h>

static NTSTATUS control(PWSK_SOCKET socket, WSK_CONTROL_SOCKET_TYPE type, ULONG code, ULONG level,
                        PVOID buffer, SIZE_T length, SIZE_T *returned, PIRP irp)
{
    const WSK_PROVIDER_BASIC_DISPATCH *basic = socket->Dispatch;
    bool is_set = type == WskSetOption;
    return basic->WskControlSocket(socket, type, code, level, is_set ? length : 0,
                                   is_set ? buffer : NULL, is_set ? 0 : length,
                                   is_set ? NULL : buffer, returned, irp);
}

static void values_are_those_of_windows(void **state)
{
    PROVES("WSK-HDR-05", "WSK-HDR-09", "WSK-HDR-10", "WSK-HDR-11", "WSK-HDR-13");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(WSK_FLAG_ABORTIVE, 1);
    assert_int_equal(WSK_FLAG_RELEASE_ASAP, 2);
    assert_int_equal(WSK_FLAG_NODELAY, 2);
    assert_int_equal(WSK_FLAG_WAITALL, 2);
    assert_int_equal(WSK_FLAG_ENTIRE_MESSAGE, 4);
    assert_int_equal(WSK_FLAG_DRAIN, 4);
    assert_int_equal(WSK_FLAG_AT_DISPATCH_LEVEL, 8);
    assert_int_equal(WskSetOption, 0);
    assert_int_equal(WskGetOption, 1);
    assert_int_equal(WskIoctl, 2);
    assert_int_equal(WskInspectReject, 0);
    assert_int_equal(WskInspectAccept, 1);
    assert_int_equal(WskInspectPend, 2);
    assert_int_equal(SO_WSK_SECURITY, 0x4001);
    assert_int_equal(SO_WSK_EVENT_CALLBACK, 0x4002);
    assert_int_equal(SO_CONDITIONAL_ACCEPT, 0x3002);
    assert_int_equal(SIO_WSK_SET_REMOTE_ADDRESS, IOC_IN | IOC_WSK | 1);
    assert_int_equal(SIO_WSK_REGISTER_EXTENSION, IOC_INOUT | IOC_WSK | 2);
    assert_int_equal(SIO_WSK_QUERY_IDEAL_SEND_BACKLOG, IOC_OUT | IOC_WSK | 3);
    assert_int_equal(SIO_WSK_QUERY_RECEIVE_BACKLOG, IOC_OUT | IOC_WSK | 4);
    assert_int_equal(SIO_WSK_QUERY_INSPECT_ID, IOC_OUT | IOC_WSK | 5);
    assert_int_equal(SIO_WSK_SET_SENDTO_ADDRESS, IOC_IN | IOC_WSK | 6);
    assert_int_equal(SIO_WSK_SET_TCP_SILENT_MODE, IOC_VOID | IOC_WSK | 7);
    assert_int_equal(SIO_WSK_SET_RECEIVE_EX_CALLBACK, IOC_IN | IOC_WSK | 8);
    assert_int_equal(MSG_TRUNC, 0x100);
    assert_int_equal(MSG_CTRUNC, 0x200);
    assert_int_equal(MSG_BCAST, 0x400);
    assert_int_equal(MSG_MCAST, 0x800);
}

static void sockets_of_all_categories_can_be_controlled(void **state)
{
    static const ULONG categories[] = {WSK_FLAG_BASIC_SOCKET, WSK_FLAG_LISTEN_SOCKET,
                                       WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_DATAGRAM_SOCKET,
                                       WSK_FLAG_STREAM_SOCKET};
    PROVES("WSK-SKO-14", "WSK-SKO-01", "WSK-SKO-04", "WSK-SOCK-26");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(categories); i++) {
        PWSK_SOCKET socket = make_socket(&test_end, AF_INET, categories[i], NULL, NULL);
        USHORT type = categories[i] == WSK_FLAG_DATAGRAM_SOCKET ? SOCK_DGRAM : SOCK_STREAM;
        ULONG value = 0;
        SIZE_T stored;
        assert_non_null(socket);
        assert_int_equal(control_socket(&test_end, socket, WskGetOption, SO_TYPE, SOL_SOCKET, NULL,
                                        0, &value, sizeof(value), &stored),
                         STATUS_SUCCESS);
        assert_int_equal(value, type);
        assert_int_equal(stored, sizeof(value));
        assert_int_equal(set_option(&test_end, socket, IPPROTO_IP, IP_TTL, 77), STATUS_SUCCESS);
        assert_int_equal(get_option(&test_end, socket, IPPROTO_IP, IP_TTL, &value), STATUS_SUCCESS);
        assert_int_equal(value, 77);
        close_socket(&test_end, socket);
    }
}

static void an_irp_and_a_size_are_both_filled(void **state)
{
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    ULONG value = 99;
    SIZE_T stored = 0;
    PROVES("WSK-HDR-14", "WSK-SKO-04");
    UNREFERENCED_PARAMETER(state);
    NTSTATUS returned = control(socket, WskGetOption, SO_BROADCAST, SOL_SOCKET, &value,
                                sizeof(value), &stored, call_irp(&test_end.call));
    assert_int_equal(call_wait(&test_end.call, returned), STATUS_SUCCESS);
    assert_int_equal(stored, sizeof(value));
    assert_int_equal(call_information(&test_end.call), sizeof(value));
    assert_int_equal(value, 0);
    close_socket(&test_end, socket);
}

static void without_an_irp_the_call_is_the_whole_operation(void **state)
{
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    ULONG value = 55;
    SIZE_T stored = 0;
    PROVES("WSK-SKO-17", "WSK-HDR-33");
    STAYS_SILENT("WSK-SKO-09", "WSK-SKO-11");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(
        control(socket, WskSetOption, IP_TTL, IPPROTO_IP, &value, sizeof(value), NULL, NULL),
        STATUS_SUCCESS);
    value = 0;
    assert_int_equal(
        control(socket, WskGetOption, IP_TTL, IPPROTO_IP, &value, sizeof(value), &stored, NULL),
        STATUS_SUCCESS);
    assert_int_equal(value, 55);
    assert_int_equal(stored, sizeof(value));
    close_socket(&test_end, socket);
}

static void a_required_irp_cannot_be_null(void **state)
{
    PWSK_SOCKET listener = make_socket(&test_end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    ULONG value = 1;
    PROVES("WSK-SKO-17", "WSK-SKO-08");
    UNREFERENCED_PARAMETER(state);
    static const ULONG options[] = {SO_CONDITIONAL_ACCEPT, (ULONG)SO_EXCLUSIVEADDRUSE, SO_REUSEADDR,
                                    SO_KEEPALIVE, SO_RCVBUF};
    for (unsigned i = 0; i < RTL_NUMBER_OF(options); i++) {
        assert_int_equal(control(listener, WskSetOption, options[i], SOL_SOCKET, &value,
                                 sizeof(value), NULL, NULL),
                         STATUS_INVALID_PARAMETER);
        assert_int_equal(control(listener, WskGetOption, options[i], SOL_SOCKET, &value,
                                 sizeof(value), NULL, NULL),
                         STATUS_INVALID_PARAMETER);
    }
    close_socket(&test_end, listener);
}

/* There is no IRP to complete later. */
static void what_cannot_end_at_once_is_not_accepted_without_an_irp(void **state)
{
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_BASIC_SOCKET, NULL, NULL);
    PROVES("WSK-HDR-24", "WSK-SKO-17", "WSK-IOC-04");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(control(socket, WskIoctl, SIO_ADDRESS_LIST_CHANGE, 0, NULL, 0, NULL, NULL),
                     STATUS_REQUEST_NOT_ACCEPTED);
    close_socket(&test_end, socket);
}

/* control_socket checks that the returned and the final status are the same. */
static void what_is_not_known_is_refused(void **state)
{
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_BASIC_SOCKET, NULL, NULL);
    ULONG value = 1;
    PROVES("WSK-SKO-06");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(set_option(&test_end, socket, SOL_SOCKET, 0x7777, 1), STATUS_NOT_SUPPORTED);
    assert_int_equal(get_option(&test_end, socket, 0x1234, SO_TYPE, &value), STATUS_NOT_SUPPORTED);
    assert_int_equal(set_option(&test_end, socket, SOL_SOCKET, SO_TYPE, 1), STATUS_NOT_SUPPORTED);
    assert_int_equal(set_option(&test_end, socket, IPPROTO_TCP, TCP_NODELAY, 1),
                     STATUS_NOT_SUPPORTED);
    assert_int_equal(
        control_socket(&test_end, socket, WskIoctl, 0x12345678, 0, NULL, 0, NULL, 0, NULL),
        STATUS_NOT_SUPPORTED);
    assert_int_equal(control_socket(&test_end, socket, WskControlMax, SO_TYPE, SOL_SOCKET, NULL, 0,
                                    &value, sizeof(value), NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(
        control(socket, WskGetOption, 0x7777, SOL_SOCKET, &value, sizeof(value), NULL, NULL),
        STATUS_NOT_SUPPORTED);
    close_socket(&test_end, socket);
}

static void what_is_not_for_the_socket_is_refused(void **state)
{
    PWSK_SOCKET datagram = make_socket(&test_end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    PWSK_SOCKET listener = make_socket(&test_end, AF_INET6, WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    ULONG value;
    PROVES("WSK-SKO-06", "WSK-OPT-01", "WSK-OPT-04", "WSK-OPT-16", "WSK-SKO-02");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(set_option(&test_end, datagram, SOL_SOCKET, SO_KEEPALIVE, 1),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(set_option(&test_end, datagram, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(get_option(&test_end, datagram, IPPROTO_IPV6, IPV6_V6ONLY, &value),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(get_option(&test_end, datagram, IPPROTO_TCP, TCP_KEEPIDLE, &value),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(get_option(&test_end, listener, IPPROTO_IP, IP_TTL, &value),
                     STATUS_INVALID_DEVICE_REQUEST);
    assert_int_equal(get_option(&test_end, listener, SOL_SOCKET, SO_BROADCAST, &value),
                     STATUS_INVALID_DEVICE_REQUEST);
    close_socket(&test_end, datagram);
    close_socket(&test_end, listener);
}

static void buffers_that_are_too_small_are_refused(void **state)
{
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    ULONG value = 1;
    SIZE_T needed = 0;
    PROVES("WSK-SKO-06");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(control_socket(&test_end, socket, WskSetOption, SO_BROADCAST, SOL_SOCKET,
                                    &value, sizeof(value) - 1, NULL, 0, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(control_socket(&test_end, socket, WskSetOption, SO_BROADCAST, SOL_SOCKET, NULL,
                                    0, NULL, 0, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(control_socket(&test_end, socket, WskGetOption, SO_BROADCAST, SOL_SOCKET, NULL,
                                    0, &value, sizeof(value) - 1, NULL),
                     STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(control(socket, WskGetOption, IP_TTL, IPPROTO_IP, &value, 1, &needed, NULL),
                     STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(needed, sizeof(ULONG));
    close_socket(&test_end, socket);
}

/* As a sample of the documentation does: the value stands on a stack that is left before the IRP
 * completes. */
static void a_value_is_read_during_the_call(void **state)
{
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    ULONG value = 1;
    PROVES("WSK-SKO-16");
    UNREFERENCED_PARAMETER(state);
    NTSTATUS returned = control(socket, WskSetOption, (ULONG)SO_EXCLUSIVEADDRUSE, SOL_SOCKET,
                                &value, sizeof(value), NULL, call_irp(&test_end.call));
    value = 0;
    assert_int_equal(call_wait(&test_end.call, returned), STATUS_SUCCESS);
    assert_int_equal(get_option(&test_end, socket, SOL_SOCKET, (ULONG)SO_EXCLUSIVEADDRUSE, &value),
                     STATUS_SUCCESS);
    assert_int_equal(value, 1);
    close_socket(&test_end, socket);
}

static void the_level_of_an_ioctl_is_ignored(void **state)
{
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_BASIC_SOCKET, NULL, NULL);
    static const ULONG levels[] = {0, SOL_SOCKET, IPPROTO_TCP, 0x1234};
    PROVES("WSK-SKO-02");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(levels); i++) {
        SIZE_T needed = 0;
        assert_int_equal(
            control(socket, WskIoctl, SIO_ADDRESS_LIST_QUERY, levels[i], NULL, 0, &needed, NULL),
            STATUS_BUFFER_OVERFLOW);
        assert_true(needed != 0);
    }
    close_socket(&test_end, socket);
}

static void what_ends_at_once_may_say_so(void **state)
{
    struct wsk_pair pair;
    PROVES("WSK-SKO-03");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    WSK_EVENT_CALLBACK_CONTROL events = {(PNPIID)&NPI_WSK_INTERFACE_ID,
                                         WSK_EVENT_RECEIVE | WSK_EVENT_DISABLE};
    NTSTATUS returned = control(pair.near, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, &events,
                                sizeof(events), NULL, call_irp(&pair.end.call));
    assert_int_equal(returned, STATUS_SUCCESS);
    assert_int_equal(call_wait(&pair.end.call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&pair.end.call), 0);
    close_pair(&pair);
}

static void a_dead_socket_refuses_control(void **state)
{
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    ULONG value = 1;
    PROVES("WSK-SKO-05");
    UNREFERENCED_PARAMETER(state);
    wskemu_socket_break(socket);
    assert_int_equal(set_option(&test_end, socket, SOL_SOCKET, SO_BROADCAST, 1),
                     STATUS_FILE_FORCED_CLOSED);
    assert_int_equal(
        control(socket, WskGetOption, IP_TTL, IPPROTO_IP, &value, sizeof(value), NULL, NULL),
        STATUS_FILE_FORCED_CLOSED);
    close_socket(&test_end, socket);
}

static void options_can_be_set_at_dispatch_level(void **state)
{
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    ULONG value = 1;
    KIRQL irql;
    PROVES("WSK-IRQL-09");
    UNREFERENCED_PARAMETER(state);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    NTSTATUS returned = control(socket, WskSetOption, SO_BROADCAST, SOL_SOCKET, &value,
                                sizeof(value), NULL, call_irp(&test_end.call));
    KeLowerIrql(irql);
    assert_int_equal(call_wait(&test_end.call, returned), STATUS_SUCCESS);
    close_socket(&test_end, socket);
}

struct trial {
    ULONG code;
    KIRQL irql;
};

static void control_at(void *context)
{
    struct trial *trial = context;
    struct wsk_end end;
    KIRQL irql;
    open_wsk(&end);
    PWSK_SOCKET socket = make_socket(&end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    KeRaiseIrql(trial->irql, &irql);
    control(socket, WskIoctl, trial->code, 0, NULL, 0, NULL, call_irp(&end.call));
}

static void some_ioctls_are_for_passive_level(void **state)
{
    static const ULONG codes[] = {SIO_ADDRESS_LIST_QUERY,
                                  SIO_ADDRESS_LIST_CHANGE,
                                  SIO_ADDRESS_LIST_SORT,
                                  SIO_LOOPBACK_FAST_PATH,
                                  SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS,
                                  SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT,
                                  SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS};
    PROVES("WSK-IRQL-09", "WSK-IRQL-10", "WSK-IOC-32", "WSK-IOC-40");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(codes); i++) {
        struct trial trial = {codes[i], i % 2 == 0 ? DISPATCH_LEVEL : APC_LEVEL};
        expect_bugcheck(control_at, &trial, DRIVER_VIOLATION, ANY_PARAMETER,
                        i < 3 ? "WSK-IRQL-09" : "WSK-IRQL-10");
    }
}

static void what_has_no_use_is_warned_of(void **state)
{
    PWSK_SOCKET socket = make_socket(&test_end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    ULONG value = 1;
    ULONG extra = 1;
    SIZE_T stored;
    PROVES("WSK-SKO-09", "WSK-SKO-11");
    UNREFERENCED_PARAMETER(state);
    const WSK_PROVIDER_BASIC_DISPATCH *table = socket->Dispatch;
    log_capture();
    NTSTATUS returned =
        table->WskControlSocket(socket, WskGetOption, SO_BROADCAST, SOL_SOCKET, 0, NULL,
                                sizeof(value), &value, &stored, call_irp(&test_end.call));
    assert_true(log_named("WSK-SKO-09"));
    assert_int_equal(call_wait(&test_end.call, returned), STATUS_SUCCESS);
    log_capture();
    returned =
        table->WskControlSocket(socket, WskGetOption, SO_BROADCAST, SOL_SOCKET, sizeof(extra),
                                &extra, sizeof(value), &value, NULL, call_irp(&test_end.call));
    assert_true(log_named("WSK-SKO-11"));
    assert_int_equal(call_wait(&test_end.call, returned), STATUS_SUCCESS);
    log_capture();
    returned =
        table->WskControlSocket(socket, WskSetOption, SO_BROADCAST, SOL_SOCKET, sizeof(value),
                                &value, sizeof(extra), &extra, NULL, call_irp(&test_end.call));
    assert_true(log_named("WSK-SKO-11"));
    assert_int_equal(call_wait(&test_end.call, returned), STATUS_SUCCESS);
    close_socket(&test_end, socket);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_are_those_of_windows),
    kernel_test_wsk(sockets_of_all_categories_can_be_controlled),
    kernel_test_wsk(an_irp_and_a_size_are_both_filled),
    kernel_test_wsk(without_an_irp_the_call_is_the_whole_operation),
    kernel_test_wsk(a_required_irp_cannot_be_null),
    kernel_test_wsk(what_cannot_end_at_once_is_not_accepted_without_an_irp),
    kernel_test_wsk(what_is_not_known_is_refused),
    kernel_test_wsk(what_is_not_for_the_socket_is_refused),
    kernel_test_wsk(buffers_that_are_too_small_are_refused),
    kernel_test_wsk(a_value_is_read_during_the_call),
    kernel_test_wsk(the_level_of_an_ioctl_is_ignored),
    kernel_test(what_ends_at_once_may_say_so),
    kernel_test_wsk(a_dead_socket_refuses_control),
    kernel_test_wsk(options_can_be_set_at_dispatch_level),
    kernel_test(some_ioctls_are_for_passive_level),
    kernel_test_wsk(what_has_no_use_is_warned_of),
};

TEST_MAIN(tests)
