/* WSK_TRANSPORT_LIST_QUERY and WSK_TRANSPORT_LIST_CHANGE. */
#include "host.h"
#include "kernel.h"
#include "log.h"
#include "wsk_end.h"

#include <wskemu/network.h>

#define TRANSPORTS_MAX 64

static const WSK_TRANSPORT invented = {
    .Version = 7, .SocketType = SOCK_STREAM, .Protocol = 200, .AddressFamily = 77};

static NTSTATUS query(struct wsk_end *end, void *buffer, SIZE_T bytes, SIZE_T *returned)
{
    return control_client(end, WSK_TRANSPORT_LIST_QUERY, NULL, 0, buffer, bytes, returned);
}

/* How many there are. */
static SIZE_T query_all(struct wsk_end *end, WSK_TRANSPORT transports[TRANSPORTS_MAX])
{
    SIZE_T returned = 0;
    NTSTATUS status = query(end, transports, TRANSPORTS_MAX * sizeof(WSK_TRANSPORT), &returned);
    return NT_SUCCESS(status) ? returned / sizeof(WSK_TRANSPORT) : 0;
}

static bool is_listed(struct wsk_end *end, ADDRESS_FAMILY family, USHORT type, ULONG protocol)
{
    WSK_TRANSPORT all[TRANSPORTS_MAX];
    SIZE_T count = query_all(end, all);
    for (SIZE_T i = 0; i < count; i++) {
        if (all[i].AddressFamily == family && all[i].SocketType == type &&
            all[i].Protocol == protocol) {
            return true;
        }
    }
    return false;
}

static void a_query_without_a_buffer_tells_the_size(void **state)
{
    PROVES("WSK-CTL-04", "WSK-CTL-13", "WSK-CTL-14", "WSK-CTL-42", "WSK-HDR-14");
    STAYS_SILENT("WSK-CTL-12");
    struct wsk_end end;
    SIZE_T required = 0;
    SIZE_T returned = 0;
    WSK_TRANSPORT all[TRANSPORTS_MAX];
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    assert_int_equal(query(&end, NULL, 0, &required), STATUS_BUFFER_OVERFLOW);
    assert_true(required != 0 && required % sizeof(WSK_TRANSPORT) == 0);
    assert_int_equal(query(&end, all, sizeof(all), &returned), STATUS_SUCCESS);
    assert_int_equal(returned, required);
    assert_int_equal(query(&end, all, required, &returned), STATUS_SUCCESS);
    assert_int_equal(returned, required);
    close_wsk(&end);
}

static void too_small_a_buffer_is_left_alone(void **state)
{
    PROVES("WSK-CTL-04");
    struct wsk_end end;
    SIZE_T returned = 0;
    WSK_TRANSPORT one = {.Protocol = 0xABCD};
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    assert_int_equal(query(&end, &one, sizeof(one), &returned), STATUS_BUFFER_OVERFLOW);
    assert_true(returned > sizeof(one));
    assert_int_equal(one.Protocol, 0xABCD);
    close_wsk(&end);
}

static void one_variable_serves_as_both_sizes(void **state)
{
    PROVES("WSK-CTL-04", "WSK-CTL-13");
    struct wsk_end end;
    WSK_TRANSPORT all[TRANSPORTS_MAX];
    SIZE_T size = 0;
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    for (int i = 0; i < 3 && !NT_SUCCESS(status); i++) {
        status = query(&end, size == 0 ? NULL : all, size, &size);
    }
    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(size, query_all(&end, all) * sizeof(WSK_TRANSPORT));
    close_wsk(&end);
}

static void a_query_ignores_its_input_and_needs_the_size(void **state)
{
    PROVES("WSK-HDR-32", "WSK-CTL-06", "WSK-CTL-12");
    struct wsk_end end;
    ULONG input = 1;
    SIZE_T returned = 0;
    WSK_TRANSPORT all[TRANSPORTS_MAX];
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    log_capture();
    NTSTATUS status = control_client(&end, WSK_TRANSPORT_LIST_QUERY, &input, sizeof(input), all,
                                     sizeof(all), &returned);
    assert_true(log_named("WSK-CTL-06"));
    assert_int_equal(status, STATUS_SUCCESS);
    log_capture();
    status = query(&end, all, sizeof(all), NULL);
    assert_true(log_named("WSK-CTL-12"));
    assert_int_equal(status, STATUS_INVALID_PARAMETER);
    close_wsk(&end);
}

static ULONG category_of(const WSK_TRANSPORT *transport)
{
    return transport->SocketType == SOCK_STREAM ? WSK_FLAG_CONNECTION_SOCKET
                                                : WSK_FLAG_DATAGRAM_SOCKET;
}

/* Only an administrator may have raw sockets, on many hosts; Wine lacks some of them. */
static bool may_be(const WSK_TRANSPORT *transport, NTSTATUS status)
{
    return status == STATUS_SUCCESS || (transport->SocketType == SOCK_RAW &&
                                        (status == STATUS_ACCESS_DENIED || host_is_wine()));
}

static void every_listed_transport_makes_a_socket(void **state)
{
    PROVES("WSK-CTL-15", "WSK-SOCK-23");
    struct wsk_end end;
    WSK_TRANSPORT all[TRANSPORTS_MAX];
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    SIZE_T count = query_all(&end, all);
    assert_int_not_equal(count, 0);
    for (SIZE_T i = 0; i < count; i++) {
        PWSK_SOCKET socket;
        NTSTATUS status = try_socket(&end, all[i].AddressFamily, all[i].SocketType, all[i].Protocol,
                                     category_of(&all[i]), NULL, NULL, &socket);
        assert_true(may_be(&all[i], status));
        if (socket != NULL) {
            assert_int_equal(close_socket(&end, socket), STATUS_SUCCESS);
        }
    }
    close_wsk(&end);
}

static void the_list_holds_both_families(void **state)
{
    PROVES("WSK-CTL-15", "WSK-CTL-16", "WSK-SOCK-23", "WSK-HDR-16");
    static const ADDRESS_FAMILY families[] = {AF_INET, AF_INET6};
    struct wsk_end end;
    WSK_TRANSPORT all[TRANSPORTS_MAX];
    ULONG of_one_provider = 0;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    for (int i = 0; i < 2; i++) {
        assert_true(is_listed(&end, families[i], SOCK_STREAM, IPPROTO_TCP));
        assert_true(is_listed(&end, families[i], SOCK_DGRAM, IPPROTO_UDP));
        assert_true(is_listed(&end, families[i], SOCK_RAW, IPPROTO_RAW));
    }
    SIZE_T count = query_all(&end, all);
    for (SIZE_T i = 0; i < count; i++) {
        of_one_provider += IsEqualGUID(&all[i].ProviderId, &all[0].ProviderId) ? 1 : 0;
    }
    assert_true(of_one_provider > 1);
    close_wsk(&end);
}

static void a_combination_that_is_not_listed_makes_no_socket(void **state)
{
    PROVES("WSK-SOCK-23");
    struct wsk_end end;
    PWSK_SOCKET socket;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    assert_false(is_listed(&end, AF_INET, SOCK_STREAM, IPPROTO_UDP));
    assert_false(NT_SUCCESS(try_socket(&end, AF_INET, SOCK_STREAM, IPPROTO_UDP,
                                       WSK_FLAG_CONNECTION_SOCKET, NULL, NULL, &socket)));
    assert_false(is_listed(&end, invented.AddressFamily, SOCK_STREAM, IPPROTO_TCP));
    assert_false(NT_SUCCESS(try_socket(&end, invented.AddressFamily, SOCK_STREAM, IPPROTO_TCP,
                                       WSK_FLAG_CONNECTION_SOCKET, NULL, NULL, &socket)));
    close_wsk(&end);
}

/* ---- changes ---- */

static NTSTATUS await_change(struct wsk_end *end, struct wsk_call *call)
{
    return end->provider.Dispatch->WskControlClient(end->provider.Client, WSK_TRANSPORT_LIST_CHANGE,
                                                    0, NULL, 0, NULL, NULL, call_irp(call));
}

static void an_irp_reports_one_change(void **state)
{
    PROVES("WSK-CTL-03", "WSK-CTL-19", "WSK-CTL-20");
    STAYS_SILENT("WSK-CTL-18", "WSK-CTL-08");
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    NTSTATUS returned = await_change(&end, &end.call);
    assert_int_equal(returned, STATUS_PENDING);
    assert_false(call_is_done(&end.call));
    assert_int_equal(wskemu_transport_add(&invented), STATUS_SUCCESS);
    assert_int_equal(call_wait(&end.call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&end.call), 0);
    assert_true(is_listed(&end, invented.AddressFamily, SOCK_STREAM, invented.Protocol));

    assert_int_equal(wskemu_transport_remove(invented.AddressFamily, SOCK_STREAM, 200),
                     STATUS_SUCCESS);
    returned = await_change(&end, &end.call);
    assert_false(call_is_done(&end.call)); /* the change before it does not count */
    wskemu_transport_changed();
    assert_int_equal(call_wait(&end.call, returned), STATUS_SUCCESS);
    assert_false(is_listed(&end, invented.AddressFamily, SOCK_STREAM, invented.Protocol));
    close_wsk(&end);
}

static void a_change_is_reported_to_all_clients(void **state)
{
    PROVES("WSK-CTL-19", "WSK-CTL-20");
    struct wsk_end ends[2];
    struct wsk_call second;
    call_init(&second);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(open_wsk(&ends[i]), STATUS_SUCCESS);
        assert_int_equal(await_change(&ends[i], &ends[i].call), STATUS_PENDING);
    }
    assert_int_equal(await_change(&ends[0], &second), STATUS_PENDING);
    assert_int_equal(wskemu_transport_remove(AF_INET6, SOCK_RAW, IPPROTO_RAW), STATUS_SUCCESS);
    assert_int_equal(call_wait(&ends[0].call, STATUS_PENDING), STATUS_SUCCESS);
    assert_int_equal(call_wait(&ends[1].call, STATUS_PENDING), STATUS_SUCCESS);
    assert_int_equal(call_wait(&second, STATUS_PENDING), STATUS_SUCCESS);
    close_wsk(&ends[0]);
    close_wsk(&ends[1]);
    call_free(&second);
}

static void what_did_not_change_is_not_reported(void **state)
{
    PROVES("WSK-CTL-19");
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    assert_int_equal(await_change(&end, &end.call), STATUS_PENDING);
    assert_int_equal(wskemu_transport_remove(AF_INET, SOCK_STREAM, 200), STATUS_NOT_FOUND);
    WSK_TRANSPORT known = {.SocketType = SOCK_STREAM, .Protocol = IPPROTO_TCP};
    known.AddressFamily = AF_INET;
    assert_int_equal(wskemu_transport_add(&known), STATUS_OBJECT_NAME_COLLISION);
    assert_false(call_is_done(&end.call));
    IoCancelIrp(end.call.irp);
    assert_int_equal(call_wait(&end.call, STATUS_PENDING), STATUS_CANCELLED);
    close_wsk(&end);
}

static void a_change_irp_can_be_cancelled(void **state)
{
    PROVES("WSK-CTL-03");
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    assert_int_equal(await_change(&end, &end.call), STATUS_PENDING);
    assert_true(IoCancelIrp(end.call.irp));
    assert_int_equal(call_wait(&end.call, STATUS_PENDING), STATUS_CANCELLED);

    PIRP irp = call_irp(&end.call);
    irp->Cancel = TRUE; /* as one that was cancelled on its way here */
    assert_int_equal(end.provider.Dispatch->WskControlClient(end.provider.Client,
                                                             WSK_TRANSPORT_LIST_CHANGE, 0, NULL, 0,
                                                             NULL, NULL, irp),
                     STATUS_PENDING);
    assert_int_equal(call_wait(&end.call, STATUS_PENDING), STATUS_CANCELLED);
    close_wsk(&end);
}

static void deregistering_cancels_a_change_irp(void **state)
{
    PROVES("WSK-CTL-21");
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    assert_int_equal(await_change(&end, &end.call), STATUS_PENDING);
    WskReleaseProviderNPI(&end.registration);
    WskDeregister(&end.registration);
    assert_int_equal(call_wait(&end.call, STATUS_PENDING), STATUS_CANCELLED);
    call_free(&end.call);
}

static void a_change_needs_an_irp_and_ignores_all_else(void **state)
{
    PROVES("WSK-CTL-18", "WSK-HDR-15", "WSK-HDR-32", "WSK-CTL-08");
    struct wsk_end end;
    UCHAR bytes[4] = {1, 2, 3, 4};
    SIZE_T returned_size = 4711;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    log_capture();
    NTSTATUS status = control_client(&end, WSK_TRANSPORT_LIST_CHANGE, NULL, 0, NULL, 0, NULL);
    assert_true(log_named("WSK-CTL-08"));
    assert_int_equal(status, STATUS_INVALID_PARAMETER);

    log_capture();
    status = end.provider.Dispatch->WskControlClient(end.provider.Client, WSK_TRANSPORT_LIST_CHANGE,
                                                     sizeof(bytes), bytes, sizeof(bytes), bytes,
                                                     &returned_size, call_irp(&end.call));
    assert_true(log_named("WSK-CTL-18"));
    wskemu_transport_changed();
    assert_int_equal(call_wait(&end.call, status), STATUS_SUCCESS);
    assert_int_equal(call_information(&end.call), 0);
    assert_int_equal(returned_size, 4711);
    assert_int_equal(bytes[0], 1);
    close_wsk(&end);
}

#define RACES 300

static KEVENT race_over;

static VOID report_changes(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    while (KeReadStateEvent(&race_over) == 0) {
        wskemu_transport_changed();
    }
}

static void a_change_and_a_cancel_at_once_complete_it_once(void **state)
{
    PROVES("WSK-CTL-20");
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    KeInitializeEvent(&race_over, NotificationEvent, FALSE);
    PKTHREAD thread = start_thread(report_changes, NULL);
    bool is_right = true;
    for (int i = 0; i < RACES; i++) {
        NTSTATUS returned = await_change(&end, &end.call);
        if ((i & 1) != 0) {
            IoCancelIrp(end.call.irp);
        }
        NTSTATUS status = call_wait(&end.call, returned);
        is_right = is_right && (status == STATUS_SUCCESS || status == STATUS_CANCELLED);
    }
    KeSetEvent(&race_over, IO_NO_INCREMENT, FALSE);
    join_thread(thread);
    assert_true(is_right);
    close_wsk(&end);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_query_without_a_buffer_tells_the_size),
    kernel_test(too_small_a_buffer_is_left_alone),
    kernel_test(one_variable_serves_as_both_sizes),
    kernel_test(a_query_ignores_its_input_and_needs_the_size),
    kernel_test(every_listed_transport_makes_a_socket),
    kernel_test(the_list_holds_both_families),
    kernel_test(a_combination_that_is_not_listed_makes_no_socket),
    kernel_test(an_irp_reports_one_change),
    kernel_test(a_change_is_reported_to_all_clients),
    kernel_test(what_did_not_change_is_not_reported),
    kernel_test(a_change_irp_can_be_cancelled),
    kernel_test(deregistering_cancels_a_change_irp),
    kernel_test(a_change_needs_an_irp_and_ignores_all_else),
    kernel_test(a_change_and_a_cancel_at_once_complete_it_once),
};

TEST_MAIN(tests)
