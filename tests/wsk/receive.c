/* WskReceive. */
#include "wsk_pair.h"

static const UCHAR message[] = "sixteen bytes...";
#define MESSAGE_BYTES 16

static void a_receive_takes_what_there_is(void **state)
{
    struct wsk_pair pair;
    UCHAR bytes[64];
    SIZE_T moved;
    PROVES("WSK-RECV-04", "WSK-RECV-05", "WSK-RECV-10", "WSK-BUF-06", "WSK-SEND-08", "WSK-SEND-11");
    STAYS_SILENT("WSK-RECV-01", "WSK-RECV-02", "WSK-RECV-03", "WSK-CONN-11");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    send_all(&pair, pair.far, message, MESSAGE_BYTES);
    assert_int_equal(receive_bytes(&pair.end, pair.near, bytes, sizeof(bytes), 0, &moved),
                     STATUS_SUCCESS);
    assert_int_equal(moved, MESSAGE_BYTES);
    assert_memory_equal(bytes, message, MESSAGE_BYTES);
    close_pair(&pair);
}

static void a_receive_waits_for_data(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    UCHAR bytes[64];
    PROVES("WSK-RECV-05", "WSK-IRP-19");
    STAYS_SILENT("WSK-RECV-21");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    NTSTATUS returned = begin_receive(&call, pair.near, bytes, sizeof(bytes), 0);
    assert_int_equal(returned, STATUS_PENDING);
    assert_false(call_is_done(&call));
    send_all(&pair, pair.far, message, MESSAGE_BYTES);
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&call), MESSAGE_BYTES);
    assert_true(call.pending_returned);
    call_free(&call);
    close_pair(&pair);
}

static void receives_are_served_in_order(void **state)
{
    struct wsk_pair pair;
    struct wsk_call calls[4];
    UCHAR bytes[4][4];
    NTSTATUS returned[4];
    PROVES("WSK-RECV-23");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    for (unsigned i = 0; i < 4; i++) {
        call_init(&calls[i]);
        returned[i] = begin_receive(&calls[i], pair.near, bytes[i], sizeof(bytes[i]), 0);
        assert_int_equal(returned[i], STATUS_PENDING);
    }
    send_all(&pair, pair.far, message, MESSAGE_BYTES);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(call_wait(&calls[i], returned[i]), STATUS_SUCCESS);
        assert_int_equal(call_information(&calls[i]), sizeof(bytes[i]));
        call_free(&calls[i]);
    }
    assert_memory_equal(bytes, message, MESSAGE_BYTES);
    close_pair(&pair);
}

static void wait_all_waits_until_the_buffer_is_full(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    UCHAR bytes[MESSAGE_BYTES * 2];
    PROVES("WSK-RECV-11", "WSK-RECV-16");
    STAYS_SILENT("WSK-RECV-15");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    NTSTATUS returned = begin_receive(&call, pair.near, bytes, sizeof(bytes), WSK_FLAG_WAITALL);
    send_all(&pair, pair.far, message, MESSAGE_BYTES);
    LARGE_INTEGER moment = interval_ms(5);
    assert_int_equal(KeWaitForSingleObject(&call.done, Executive, KernelMode, FALSE, &moment),
                     STATUS_TIMEOUT);
    send_all(&pair, pair.far, message, MESSAGE_BYTES);
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&call), sizeof(bytes));
    assert_memory_equal(bytes, message, MESSAGE_BYTES);
    assert_memory_equal(bytes + MESSAGE_BYTES, message, MESSAGE_BYTES);
    call_free(&call);
    close_pair(&pair);
}

static void wait_all_ends_early_at_a_disconnect(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    UCHAR bytes[MESSAGE_BYTES * 2];
    PROVES("WSK-RECV-11");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    NTSTATUS returned = begin_receive(&call, pair.near, bytes, sizeof(bytes), WSK_FLAG_WAITALL);
    send_all(&pair, pair.far, message, MESSAGE_BYTES);
    assert_int_equal(disconnect_socket(&pair.end, pair.far, 0), STATUS_SUCCESS);
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&call), MESSAGE_BYTES);
    call_free(&call);
    close_pair(&pair);
}

static void a_cancelled_wait_all_keeps_what_it_got(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    UCHAR bytes[MESSAGE_BYTES * 2];
    UCHAR rest[MESSAGE_BYTES];
    PROVES("WSK-RECV-22", "WSK-IRP-32", "WSK-IRP-30");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    send_all(&pair, pair.far, message, MESSAGE_BYTES);
    NTSTATUS returned = begin_receive(&call, pair.near, bytes, sizeof(bytes), WSK_FLAG_WAITALL);
    LARGE_INTEGER moment = interval_ms(5);
    KeWaitForSingleObject(&call.done, Executive, KernelMode, FALSE, &moment);
    assert_true(IoCancelIrp(call.irp));
    assert_int_equal(call_wait(&call, returned), STATUS_CANCELLED);
    assert_int_equal(call_information(&call), MESSAGE_BYTES);
    assert_memory_equal(bytes, message, MESSAGE_BYTES);
    send_all(&pair, pair.far, "the bytes beyond", MESSAGE_BYTES);
    assert_int_equal(receive_all(&pair, pair.near, rest, sizeof(rest)), sizeof(rest));
    assert_memory_equal(rest, "the bytes beyond", sizeof(rest));
    call_free(&call);
    close_pair(&pair);
}

static void drain_throws_everything_away(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    WSK_BUF nothing = {NULL, 0, 0};
    PROVES("WSK-RECV-12", "WSK-RECV-13", "WSK-RECV-16");
    STAYS_SILENT("WSK-RECV-03", "WSK-RECV-14", "WSK-RECV-15");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    send_all(&pair, pair.far, message, MESSAGE_BYTES);
    NTSTATUS returned = receive_of(pair.near)(pair.near, &nothing, WSK_FLAG_DRAIN, call_irp(&call));
    send_all(&pair, pair.far, message, MESSAGE_BYTES);
    LARGE_INTEGER moment = interval_ms(5);
    assert_int_equal(KeWaitForSingleObject(&call.done, Executive, KernelMode, FALSE, &moment),
                     STATUS_TIMEOUT);
    assert_int_equal(disconnect_socket(&pair.end, pair.far, 0), STATUS_SUCCESS);
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&call), 0);
    call_free(&call);
    close_pair(&pair);
}

static void an_empty_receive_takes_nothing(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    WSK_BUF nothing = {NULL, 17, 0};
    UCHAR bytes[MESSAGE_BYTES];
    PROVES("WSK-RECV-19", "WSK-RECV-20", "WSK-BUF-04", "WSK-BUF-07");
    STAYS_SILENT("WSK-BUF-03");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    send_all(&pair, pair.far, message, MESSAGE_BYTES);
    NTSTATUS returned = receive_of(pair.near)(pair.near, &nothing, 0, call_irp(&call));
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&call), 0);
    assert_int_equal(receive_all(&pair, pair.near, bytes, sizeof(bytes)), sizeof(bytes));
    assert_memory_equal(bytes, message, MESSAGE_BYTES);
    call_free(&call);
    close_pair(&pair);
}

static void nothing_received_is_the_end_of_the_stream(void **state)
{
    struct wsk_pair pair;
    UCHAR bytes[MESSAGE_BYTES];
    SIZE_T moved = 1;
    PROVES("WSK-RECV-04", "WSK-DISC-10");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    assert_int_equal(disconnect_socket(&pair.end, pair.far, 0), STATUS_SUCCESS);
    assert_int_equal(receive_bytes(&pair.end, pair.near, bytes, sizeof(bytes), 0, &moved),
                     STATUS_SUCCESS);
    assert_int_equal(moved, 0);
    moved = 1;
    assert_int_equal(receive_bytes(&pair.end, pair.near, bytes, sizeof(bytes), 0, &moved),
                     STATUS_SUCCESS);
    assert_int_equal(moved, 0);
    close_pair(&pair);
}

static void a_reset_fails_receives(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    UCHAR bytes[MESSAGE_BYTES];
    PROVES("WSK-RECV-09", "WSK-DISC-19", "WSK-EVT-59");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    NTSTATUS returned = begin_receive(&call, pair.near, bytes, sizeof(bytes), 0);
    assert_int_equal(disconnect_socket(&pair.end, pair.far, WSK_FLAG_ABORTIVE), STATUS_SUCCESS);
    assert_int_equal(call_wait(&call, returned), STATUS_CONNECTION_RESET);
    assert_int_equal(receive_bytes(&pair.end, pair.near, bytes, sizeof(bytes), 0, NULL),
                     STATUS_CONNECTION_RESET);
    assert_int_equal(send_bytes(&pair.end, pair.near, message, MESSAGE_BYTES, 0, NULL),
                     STATUS_CONNECTION_RESET);
    call_free(&call);
    close_pair(&pair);
}

static void flags_that_do_not_exist_are_refused(void **state)
{
    struct wsk_pair pair;
    UCHAR bytes[MESSAGE_BYTES];
    PROVES("WSK-RECV-08", "WSK-RECV-09", "WSK-RECV-15", "WSK-RECV-14", "WSK-IRP-01", "WSK-IRP-04",
           "WSK-RECV-03", "WSK-SEND-03");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    assert_int_equal(receive_bytes(&pair.end, pair.near, bytes, sizeof(bytes), 0x100, NULL),
                     STATUS_NOT_SUPPORTED);
    assert_int_equal(receive_bytes(&pair.end, pair.near, bytes, sizeof(bytes),
                                   WSK_FLAG_WAITALL | WSK_FLAG_DRAIN, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(
        receive_bytes(&pair.end, pair.near, bytes, sizeof(bytes), WSK_FLAG_DRAIN, NULL),
        STATUS_INVALID_PARAMETER);
    NTSTATUS returned = receive_of(pair.near)(pair.near, NULL, 0, call_irp(&pair.end.call));
    assert_int_equal(call_wait(&pair.end.call, returned), STATUS_INVALID_PARAMETER);
    returned = send_of(pair.near)(pair.near, NULL, 0, call_irp(&pair.end.call));
    assert_int_equal(call_wait(&pair.end.call, returned), STATUS_INVALID_PARAMETER);
    close_pair(&pair);
}

static void a_receive_fills_a_chain_from_its_offset(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    UCHAR bytes[3][8];
    PMDL mdls[3];
    PROVES("WSK-BUF-01", "WSK-BUF-06");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    RtlFillMemory(bytes, sizeof(bytes), 0x55);
    for (unsigned i = 0; i < 3; i++) {
        mdls[i] = resident_mdl(bytes[i], sizeof(bytes[i]));
        if (i != 0) {
            mdls[i - 1]->Next = mdls[i];
        }
    }
    WSK_BUF buffer = {mdls[0], 5, MESSAGE_BYTES};
    send_all(&pair, pair.far, message, MESSAGE_BYTES);
    NTSTATUS returned =
        receive_of(pair.near)(pair.near, &buffer, WSK_FLAG_WAITALL, call_irp(&call));
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&call), MESSAGE_BYTES);
    assert_memory_equal(&bytes[0][5], message, MESSAGE_BYTES);
    assert_int_equal(bytes[0][4], 0x55);
    assert_int_equal(bytes[2][5], 0x55);
    for (unsigned i = 0; i < 3; i++) {
        free_resident_mdl(mdls[i]);
    }
    call_free(&call);
    close_pair(&pair);
}

static void an_unconnected_socket_cannot_receive(void **state)
{
    struct wsk_end end;
    UCHAR bytes[MESSAGE_BYTES];
    PROVES("WSK-RECV-02", "WSK-SEND-02", "WSK-CONN-11");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(&end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    assert_int_equal(receive_bytes(&end, socket, bytes, sizeof(bytes), 0, NULL),
                     STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(send_bytes(&end, socket, bytes, sizeof(bytes), 0, NULL),
                     STATUS_INVALID_DEVICE_STATE);
    close_socket(&end, socket);
    close_wsk(&end);
}

static void no_irp_is_refused(void **state)
{
    struct wsk_pair pair;
    UCHAR byte;
    PROVES("WSK-RECV-01", "WSK-SEND-01", "WSK-DISC-01");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    WSK_BUF buffer = call_buffer(&pair.end.call, &byte, 1);
    assert_int_equal(receive_of(pair.near)(pair.near, &buffer, 0, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(send_of(pair.near)(pair.near, &buffer, 0, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(disconnect_of(pair.near)(pair.near, NULL, 0, NULL), STATUS_INVALID_PARAMETER);
    close_pair(&pair);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_receive_takes_what_there_is),
    kernel_test(a_receive_waits_for_data),
    kernel_test(receives_are_served_in_order),
    kernel_test(wait_all_waits_until_the_buffer_is_full),
    kernel_test(wait_all_ends_early_at_a_disconnect),
    kernel_test(a_cancelled_wait_all_keeps_what_it_got),
    kernel_test(drain_throws_everything_away),
    kernel_test(an_empty_receive_takes_nothing),
    kernel_test(nothing_received_is_the_end_of_the_stream),
    kernel_test(a_reset_fails_receives),
    kernel_test(flags_that_do_not_exist_are_refused),
    kernel_test(a_receive_fills_a_chain_from_its_offset),
    kernel_test(an_unconnected_socket_cannot_receive),
    kernel_test(no_irp_is_refused),
};

TEST_MAIN(tests)
