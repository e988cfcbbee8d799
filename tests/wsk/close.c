/* WskCloseSocket. */
#include "log.h"
#include "wsk_pair.h"

static NTSTATUS begin_close(struct wsk_call *call, PWSK_SOCKET socket)
{
    const WSK_PROVIDER_BASIC_DISPATCH *basic = socket->Dispatch;
    return basic->WskCloseSocket(socket, call_irp(call));
}

static void a_close_completes_with_nothing(void **state)
{
    struct wsk_end end;
    static const ULONG categories[] = {WSK_FLAG_BASIC_SOCKET, WSK_FLAG_LISTEN_SOCKET,
                                       WSK_FLAG_CONNECTION_SOCKET, WSK_FLAG_DATAGRAM_SOCKET,
                                       WSK_FLAG_STREAM_SOCKET};
    PROVES("WSK-CLOSE-03", "WSK-CLOSE-12", "WSK-SOCK-07", "WSK-SOCK-09", "WSK-DISP-09",
           "WSK-DISP-08", "WSK-DISP-21", "WSK-SOCK-22");
    STAYS_SILENT("WSK-CLOSE-01");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    for (unsigned i = 0; i < RTL_NUMBER_OF(categories); i++) {
        PWSK_SOCKET socket = make_socket(&end, AF_INET, categories[i], NULL, NULL);
        assert_non_null(socket);
        NTSTATUS returned = begin_close(&end.call, socket);
        assert_int_equal(returned, STATUS_PENDING);
        assert_int_equal(call_wait(&end.call, returned), STATUS_SUCCESS);
        assert_int_equal(call_information(&end.call), 0);
    }
    close_wsk(&end);
}

static void no_irp_is_refused(void **state)
{
    struct wsk_end end;
    PROVES("WSK-CLOSE-01", "WSK-CLOSE-04");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(&end, AF_INET, WSK_FLAG_BASIC_SOCKET, NULL, NULL);
    const WSK_PROVIDER_BASIC_DISPATCH *basic = socket->Dispatch;
    log_capture();
    NTSTATUS status = basic->WskCloseSocket(socket, NULL);
    assert_true(log_named("WSK-CLOSE-01"));
    assert_int_equal(status, STATUS_INVALID_PARAMETER);
    close_socket(&end, socket);
    close_wsk(&end);
}

struct order {
    LONG next;
    LONG seen[4];
};

struct ordered_irp {
    PIRP irp;
    struct order *order;
    unsigned place;
    KEVENT done;
};

static NTSTATUS note_order(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct ordered_irp *ordered = context;
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    ordered->order->seen[ordered->place] = InterlockedIncrement(&ordered->order->next);
    KeSetEvent(&ordered->done, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP order_irp(struct ordered_irp *ordered, struct order *order, unsigned place)
{
    ordered->irp = IoAllocateIrp(1, FALSE);
    ordered->order = order;
    ordered->place = place;
    KeInitializeEvent(&ordered->done, NotificationEvent, FALSE);
    IoSetCompletionRoutine(ordered->irp, note_order, ordered, TRUE, TRUE, TRUE);
    return ordered->irp;
}

static void what_is_pending_is_cancelled_before_the_close_completes(void **state)
{
    struct wsk_pair pair;
    struct order order = {0};
    struct ordered_irp receives[2];
    struct ordered_irp close;
    UCHAR bytes[2][8];
    struct wsk_call buffers[2];
    PROVES("WSK-CLOSE-06", "WSK-CLOSE-07", "WSK-CLOSE-09", "WSK-IRP-01");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    for (unsigned i = 0; i < 2; i++) {
        call_init(&buffers[i]);
        WSK_BUF buffer = call_buffer(&buffers[i], bytes[i], sizeof(bytes[i]));
        NTSTATUS returned =
            receive_of(pair.near)(pair.near, &buffer, 0, order_irp(&receives[i], &order, i));
        assert_int_equal(returned, STATUS_PENDING);
    }
    const WSK_PROVIDER_BASIC_DISPATCH *basic = pair.near->Dispatch;
    assert_int_equal(basic->WskCloseSocket(pair.near, order_irp(&close, &order, 2)),
                     STATUS_PENDING);
    pair.near = NULL;
    await(&close.done);
    assert_int_equal(close.irp->IoStatus.Status, STATUS_SUCCESS);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(receives[i].irp->IoStatus.Status, STATUS_CANCELLED);
        assert_int_equal(receives[i].irp->IoStatus.Information, 0);
        assert_true(order.seen[i] < order.seen[2]);
        IoFreeIrp(receives[i].irp);
        call_free(&buffers[i]);
    }
    assert_true(order.seen[0] < order.seen[1]);
    IoFreeIrp(close.irp);
    close_pair(&pair);
}

static void closing_a_live_connection_resets_it(void **state)
{
    struct wsk_pair pair;
    UCHAR byte;
    PROVES("WSK-CLOSE-14");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    close_near(&pair);
    assert_int_equal(receive_bytes(&pair.end, pair.far, &byte, 1, 0, NULL),
                     STATUS_CONNECTION_RESET);
    close_pair(&pair);
}

static void closing_a_finished_connection_does_not_reset_it(void **state)
{
    struct wsk_pair pair;
    UCHAR bytes[8];
    SIZE_T moved;
    PROVES("WSK-CLOSE-15");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    assert_int_equal(disconnect_socket(&pair.end, pair.far, 0), STATUS_SUCCESS);
    assert_int_equal(receive_bytes(&pair.end, pair.near, bytes, sizeof(bytes), 0, &moved),
                     STATUS_SUCCESS);
    assert_int_equal(moved, 0);
    send_all(&pair, pair.near, "bye", 3);
    assert_int_equal(disconnect_socket(&pair.end, pair.near, 0), STATUS_SUCCESS);
    close_near(&pair);
    assert_int_equal(receive_all(&pair, pair.far, bytes, sizeof(bytes)), 3);
    assert_memory_equal(bytes, "bye", 3);
    close_pair(&pair);
}

static void half_a_disconnect_is_not_enough(void **state)
{
    struct wsk_pair pair;
    UCHAR bytes[8];
    SIZE_T moved;
    PROVES("WSK-CLOSE-14");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    assert_int_equal(disconnect_socket(&pair.end, pair.near, 0), STATUS_SUCCESS);
    assert_int_equal(receive_bytes(&pair.end, pair.far, bytes, sizeof(bytes), 0, &moved),
                     STATUS_SUCCESS);
    assert_int_equal(moved, 0);
    close_near(&pair);
    NTSTATUS status;
    /* The reset arrives at its own time: sends fail once it is there. */
    do {
        status = send_bytes(&pair.end, pair.far, "x", 1, 0, NULL);
    } while (NT_SUCCESS(status));
    assert_true(status == STATUS_CONNECTION_RESET || status == STATUS_CONNECTION_DISCONNECTED);
    close_pair(&pair);
}

/* ---- closing inside a callback ---- */

struct closer {
    PWSK_SOCKET socket;
    struct wsk_call call;
    NTSTATUS returned;
    BOOLEAN was_done_inside;
    LONG calls;
    KEVENT called;
};

static NTSTATUS WSKAPI close_inside(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                    SIZE_T indicated, SIZE_T *accepted)
{
    struct closer *closer = context;
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(indication);
    UNREFERENCED_PARAMETER(indicated);
    UNREFERENCED_PARAMETER(accepted);
    closer->calls++;
    closer->returned = begin_close(&closer->call, closer->socket);
    closer->was_done_inside = call_is_done(&closer->call);
    KeSetEvent(&closer->called, IO_NO_INCREMENT, FALSE);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH closing_table = {.WskReceiveEvent = close_inside};

static void a_callback_may_close_its_socket(void **state)
{
    struct wsk_pair pair;
    struct closer closer;
    PROVES("WSK-CLOSE-27", "WSK-CLOSE-08", "WSK-EVT-08");
    STAYS_SILENT("WSK-CLOSE-21");
    UNREFERENCED_PARAMETER(state);
    RtlZeroMemory(&closer, sizeof(closer));
    call_init(&closer.call);
    KeInitializeEvent(&closer.called, NotificationEvent, FALSE);
    open_pair(&pair, &closer, &closing_table);
    closer.socket = pair.near;
    assert_int_equal(enable_events(pair.near, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    send_all(&pair, pair.far, "x", 1);
    await(&closer.called);
    assert_int_equal(closer.returned, STATUS_PENDING);
    assert_false(closer.was_done_inside);
    assert_int_equal(call_wait(&closer.call, closer.returned), STATUS_SUCCESS);
    assert_int_equal(closer.calls, 1);
    pair.near = NULL;
    call_free(&closer.call);
    close_pair(&pair);
}

struct chain {
    PIRP close_irp;
    PWSK_SOCKET socket;
    KEVENT closed;
};

static NTSTATUS note_closed(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct chain *chain = context;
    UNREFERENCED_PARAMETER(device);
    IoFreeIrp(irp);
    KeSetEvent(&chain->closed, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS close_next(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct chain *chain = context;
    const WSK_PROVIDER_BASIC_DISPATCH *basic = chain->socket->Dispatch;
    UNREFERENCED_PARAMETER(device);
    IoFreeIrp(irp);
    IoSetCompletionRoutine(chain->close_irp, note_closed, chain, TRUE, TRUE, TRUE);
    basic->WskCloseSocket(chain->socket, chain->close_irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void a_completion_routine_may_close_its_socket(void **state)
{
    struct wsk_pair pair;
    struct chain chain;
    PROVES("WSK-CLOSE-06", "WSK-IRP-28", "WSK-IRP-03");
    STAYS_SILENT("WSK-IRP-28", "WSK-IRP-02");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    chain.close_irp = IoAllocateIrp(1, FALSE);
    chain.socket = pair.near;
    KeInitializeEvent(&chain.closed, NotificationEvent, FALSE);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, close_next, &chain, TRUE, TRUE, TRUE);
    WSK_BUF buffer = call_buffer(&pair.end.call, "x", 1);
    assert_int_equal(send_of(pair.near)(pair.near, &buffer, 0, irp), STATUS_PENDING);
    await(&chain.closed);
    pair.near = NULL;
    close_pair(&pair);
}

static void close_twice(void *context)
{
    static struct wsk_pair pair;
    static struct wsk_call calls[2];
    UNREFERENCED_PARAMETER(context);
    open_pair(&pair, NULL, NULL);
    call_init(&calls[0]);
    call_init(&calls[1]);
    /* At DISPATCH_LEVEL nothing is delivered, so that the first close has not completed. */
    KIRQL old = KeRaiseIrqlToDpcLevel();
    begin_close(&calls[0], pair.near);
    begin_close(&calls[1], pair.near);
    KeLowerIrql(old);
}

static void a_call_after_the_close_is_caught(void **state)
{
    PROVES("WSK-CLOSE-10");
    UNREFERENCED_PARAMETER(state);
    expect_bugcheck(close_twice, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, ANY_PARAMETER,
                    "WSK-CLOSE-10");
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_close_completes_with_nothing),
    kernel_test(no_irp_is_refused),
    kernel_test(what_is_pending_is_cancelled_before_the_close_completes),
    kernel_test(closing_a_live_connection_resets_it),
    kernel_test(closing_a_finished_connection_does_not_reset_it),
    kernel_test(half_a_disconnect_is_not_enough),
    kernel_test(a_callback_may_close_its_socket),
    kernel_test(a_completion_routine_may_close_its_socket),
    kernel_test(a_call_after_the_close_is_caught),
};

TEST_MAIN(tests)
