/*
 * A driver that has a device passes the IRPs it gets on to WSK: with a completion routine and
 * without. The one who made the IRP sees the result, as from any driver below.
 */
#include "../io/io_driver.h"
#include "log.h"
#include "wsk_pair.h"

#define CODE_MOVE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)

enum way {
    WAY_SKIP,
    WAY_COPY,
    WAY_GO_ON,
    WAY_KEEP,
    WAY_FORGET_PENDING,
    WAY_FORGET_KEPT,
    WAY_ANSWER_PENDING,
    WAY_FREE,
    WAY_REUSE
};

/* The driver's device, and what it does with an IRP. */
struct relay {
    struct wsk_pair pair;
    struct wsk_call call; /* for its buffer only */
    WSK_BUF buffer;
    BOOLEAN is_receive;
    ULONG flags;
    enum way way;
    LONG routines;
    BOOLEAN pending_returned;
    NTSTATUS status;
    ULONG_PTR information;
    PDEVICE_OBJECT device;
    PDEVICE_OBJECT routines_device;
    KEVENT kept;
};

static NTSTATUS on_completion(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct relay *relay = context;
    relay->routines++;
    relay->routines_device = device;
    relay->pending_returned = irp->PendingReturned;
    relay->status = irp->IoStatus.Status;
    relay->information = irp->IoStatus.Information;
    if (relay->way == WAY_FREE) {
        IoFreeIrp(irp);
    }
    if (relay->way == WAY_REUSE) {
        IoReuseIrp(irp, STATUS_SUCCESS);
    }
    if (relay->way == WAY_KEEP || relay->way == WAY_FORGET_KEPT) {
        KeSetEvent(&relay->kept, IO_NO_INCREMENT, FALSE);
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    if (irp->PendingReturned && relay->way != WAY_FORGET_PENDING) {
        IoMarkIrpPending(irp);
    }
    return relay->way == WAY_ANSWER_PENDING ? STATUS_PENDING : STATUS_SUCCESS;
}

static NTSTATUS pass_on(struct relay *relay, PIRP irp)
{
    PWSK_SOCKET socket = relay->pair.near;
    return relay->is_receive ? receive_of(socket)(socket, &relay->buffer, relay->flags, irp)
                             : send_of(socket)(socket, &relay->buffer, relay->flags, irp);
}

/* Waits for WSK's result and completes the IRP itself. */
static NTSTATUS pass_and_wait(struct relay *relay, PIRP irp)
{
    if (pass_on(relay, irp) == STATUS_PENDING) {
        await(&relay->kept);
    }
    if (relay->way == WAY_FORGET_KEPT) {
        IoMarkIrpPending(irp);
        return STATUS_PENDING;
    }
    return complete(irp, irp->IoStatus.Status, irp->IoStatus.Information);
}

static NTSTATUS serve(PDEVICE_OBJECT device, PIRP irp)
{
    struct relay *relay = node_of(device)->context;
    switch (relay->way) {
    case WAY_SKIP:
        IoSkipCurrentIrpStackLocation(irp);
        return pass_on(relay, irp);
    case WAY_COPY:
        IoCopyCurrentIrpStackLocationToNext(irp);
        return pass_on(relay, irp);
    default:
        IoCopyCurrentIrpStackLocationToNext(irp);
        IoSetCompletionRoutine(irp, on_completion, relay, TRUE, TRUE, TRUE);
        return relay->way == WAY_KEEP || relay->way == WAY_FORGET_KEPT ? pass_and_wait(relay, irp)
                                                                       : pass_on(relay, irp);
    }
}

static void open_relay(struct relay *relay, enum way way)
{
    RtlZeroMemory(relay, sizeof(*relay));
    KeInitializeEvent(&relay->kept, NotificationEvent, FALSE);
    relay->way = way;
    open_pair(&relay->pair, NULL, NULL);
    call_init(&relay->call);
    relay->device = add_device(load_plain(), NULL, serve, relay);
    relay->device->StackSize = 2; /* the device's own, and one for WSK */
}

static void close_relay(struct relay *relay)
{
    call_free(&relay->call);
    close_pair(&relay->pair);
    wskemu_unload_driver(relay->device->DriverObject);
}

/* What the one who makes an IRP keeps of it. */
struct request {
    KEVENT event;
    IO_STATUS_BLOCK block;
};

static NTSTATUS originate(struct relay *relay, struct request *request)
{
    KeInitializeEvent(&request->event, NotificationEvent, FALSE);
    PIRP irp = IoBuildDeviceIoControlRequest(CODE_MOVE, relay->device, NULL, 0, NULL, 0, FALSE,
                                             &request->event, &request->block);
    assert_non_null(irp);
    return IoCallDriver(relay->device, irp);
}

/* A request that failed at once tells its maker by what IoCallDriver returned, and by no more. */
static void assert_result(struct request *request, NTSTATUS returned, NTSTATUS status,
                          ULONG_PTR information)
{
    if (returned == STATUS_PENDING) {
        await(&request->event);
    } else {
        assert_int_equal(returned, status);
        if (NT_ERROR(status)) {
            return;
        }
    }
    assert_int_equal(request->block.Status, status);
    assert_int_equal(request->block.Information, information);
}

static void without_a_routine_the_irp_goes_on_to_its_maker(void **state)
{
    static const enum way ways[] = {WAY_SKIP, WAY_COPY};
    PROVES("WSK-IRP-20", "WSK-IRP-17", "WSK-IRP-04");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(ways); i++) {
        struct relay relay;
        struct request request;
        UCHAR bytes[8] = {0};
        open_relay(&relay, ways[i]);
        relay.buffer = call_buffer(&relay.call, "above", 5);
        NTSTATUS returned = originate(&relay, &request);
        assert_int_equal(returned, STATUS_PENDING);
        assert_result(&request, returned, STATUS_SUCCESS, 5);
        assert_int_equal(receive_all(&relay.pair, relay.pair.far, bytes, 5), 5);
        relay.flags = 0x80; /* refused at once */
        assert_result(&request, originate(&relay, &request), STATUS_NOT_SUPPORTED, 0);
        close_relay(&relay);
    }
}

static void a_receive_from_above_waits_for_data(void **state)
{
    static const enum way ways[] = {WAY_SKIP, WAY_GO_ON};
    PROVES("WSK-IRP-20", "WSK-IRP-17");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(ways); i++) {
        struct relay relay;
        struct request request;
        UCHAR bytes[8] = {0};
        open_relay(&relay, ways[i]);
        relay.is_receive = TRUE;
        relay.buffer = call_buffer(&relay.call, bytes, sizeof(bytes));
        NTSTATUS returned = originate(&relay, &request);
        assert_int_equal(returned, STATUS_PENDING);
        assert_int_equal(poll_object(&request.event), STATUS_TIMEOUT);
        send_all(&relay.pair, relay.pair.far, "late", 4);
        assert_result(&request, returned, STATUS_SUCCESS, 4);
        assert_memory_equal(bytes, "late", 4);
        close_relay(&relay);
    }
}

static void a_routine_that_marks_it_lets_the_irp_go_on(void **state)
{
    struct relay relay;
    struct request request;
    PROVES("WSK-IRP-17", "WSK-IRP-19", "WSK-IRP-21");
    STAYS_SILENT("WSK-IRP-21", "WSK-IRP-17", "WSK-IRP-13", "WSK-IRP-16");
    UNREFERENCED_PARAMETER(state);
    open_relay(&relay, WAY_GO_ON);
    relay.buffer = call_buffer(&relay.call, "above", 5);
    NTSTATUS returned = originate(&relay, &request);
    assert_result(&request, returned, STATUS_SUCCESS, 5);
    assert_int_equal(relay.routines, 1);
    assert_true(relay.pending_returned);
    assert_ptr_equal(relay.routines_device, relay.device);
    assert_int_equal(relay.status, STATUS_SUCCESS);
    assert_int_equal(relay.information, 5);
    relay.flags = 0x80;
    assert_result(&request, originate(&relay, &request), STATUS_NOT_SUPPORTED, 0);
    assert_int_equal(relay.routines, 2);
    assert_false(relay.pending_returned);
    close_relay(&relay);
}

static void a_driver_may_take_the_irp_back_and_complete_it_itself(void **state)
{
    struct relay relay;
    struct request request;
    PROVES("WSK-IRP-17", "WSK-IRP-18", "WSK-IRP-21");
    STAYS_SILENT("WSK-IRP-18", "WSK-IRP-21");
    UNREFERENCED_PARAMETER(state);
    open_relay(&relay, WAY_KEEP);
    relay.buffer = call_buffer(&relay.call, "above", 5);
    assert_int_equal(originate(&relay, &request), STATUS_SUCCESS);
    assert_int_equal(request.block.Status, STATUS_SUCCESS);
    assert_int_equal(request.block.Information, 5);
    assert_int_equal(relay.routines, 1);
    close_relay(&relay);
}

/* context: the way. */
static void relay_wrongly(void *context)
{
    static struct relay relay;
    static struct request request;
    open_relay(&relay, *(const enum way *)context);
    relay.buffer = call_buffer(&relay.call, "above", 5);
    originate(&relay, &request);
    if (relay.way == WAY_FORGET_KEPT) {
        await(&relay.kept);
        close_relay(&relay);
    }
    await(&request.event);
}

static void a_routine_that_forgets_to_mark_it_is_caught(void **state)
{
    enum way way = WAY_FORGET_PENDING;
    PROVES("WSK-IRP-21");
    UNREFERENCED_PARAMETER(state);
    expect_bugcheck(relay_wrongly, &way, DRIVER_VERIFIER_IOMANAGER_VIOLATION, ANY_PARAMETER,
                    "WSK-IRP-21");
}

static void a_routine_that_frees_or_reuses_it_is_caught(void **state)
{
    enum way frees = WAY_FREE;
    enum way reuses = WAY_REUSE;
    PROVES("WSK-IRP-13", "WSK-IRP-16");
    UNREFERENCED_PARAMETER(state);
    expect_bugcheck(relay_wrongly, &frees, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x2, "WSK-IRP-16");
    expect_bugcheck(relay_wrongly, &reuses, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x311,
                    "WSK-IRP-13");
}

static void an_irp_that_is_kept_for_ever_is_caught(void **state)
{
    enum way way = WAY_FORGET_KEPT;
    PROVES("WSK-IRP-18");
    UNREFERENCED_PARAMETER(state);
    expect_bugcheck(relay_wrongly, &way, DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS,
                    ANY_PARAMETER, "WSK-IRP-18");
}

static void a_routine_that_answers_pending_is_warned_of(void **state)
{
    struct relay relay;
    struct request request;
    PROVES("WSK-IRP-17");
    UNREFERENCED_PARAMETER(state);
    open_relay(&relay, WAY_ANSWER_PENDING);
    relay.buffer = call_buffer(&relay.call, "above", 5);
    log_capture();
    NTSTATUS returned = originate(&relay, &request);
    assert_result(&request, returned, STATUS_SUCCESS, 5);
    assert_true(log_named("WSK-IRP-17"));
    close_relay(&relay);
}

static const struct CMUnitTest tests[] = {
    kernel_test(without_a_routine_the_irp_goes_on_to_its_maker),
    kernel_test(a_receive_from_above_waits_for_data),
    kernel_test(a_routine_that_marks_it_lets_the_irp_go_on),
    kernel_test(a_driver_may_take_the_irp_back_and_complete_it_itself),
    kernel_test(a_routine_that_forgets_to_mark_it_is_caught),
    kernel_test(a_routine_that_frees_or_reuses_it_is_caught),
    kernel_test(an_irp_that_is_kept_for_ever_is_caught),
    kernel_test(a_routine_that_answers_pending_is_warned_of),
};

TEST_MAIN(tests)
