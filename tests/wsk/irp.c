/* What WSK does with IRPs, whatever the call. */
#include "wsk_pair.h"

struct seen {
    LONG calls;
    BOOLEAN pending_returned;
    NTSTATUS status;
    ULONG_PTR information;
    KIRQL irql;
    PDEVICE_OBJECT device;
    KEVENT done;
};

static NTSTATUS note(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct seen *seen = context;
    seen->calls++;
    seen->pending_returned = irp->PendingReturned;
    seen->status = irp->IoStatus.Status;
    seen->information = irp->IoStatus.Information;
    seen->irql = KeGetCurrentIrql();
    seen->device = device;
    KeSetEvent(&seen->done, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void prepare(struct seen *seen)
{
    RtlZeroMemory(seen, sizeof(*seen));
    KeInitializeEvent(&seen->done, NotificationEvent, FALSE);
}

static void an_accepted_irp_is_completed_once(void **state)
{
    struct wsk_pair pair;
    struct seen seen;
    PROVES("WSK-IRP-01", "WSK-IRP-03", "WSK-IRP-07", "WSK-IRP-19", "WSK-IRP-26", "WSK-HDR-23");
    STAYS_SILENT("WSK-BUF-12", "WSK-IRP-33");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    prepare(&seen);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, note, &seen, TRUE, TRUE, TRUE);
    WSK_BUF buffer = call_buffer(&pair.end.call, "x", 1);
    assert_int_equal(send_of(pair.near)(pair.near, &buffer, 0, irp), STATUS_PENDING);
    await(&seen.done);
    close_near(&pair);
    assert_int_equal(seen.calls, 1);
    assert_true(seen.pending_returned);
    assert_null(seen.device);
    assert_true(seen.irql <= DISPATCH_LEVEL);
    IoFreeIrp(irp);
    close_pair(&pair);
}

static void a_refused_irp_is_completed_with_what_was_returned(void **state)
{
    struct wsk_pair pair;
    struct seen seen;
    PROVES("WSK-IRP-01", "WSK-IRP-04");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    prepare(&seen);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, note, &seen, TRUE, TRUE, TRUE);
    WSK_BUF buffer = call_buffer(&pair.end.call, "x", 1);
    assert_int_equal(send_of(pair.near)(pair.near, &buffer, 0x80, irp), STATUS_NOT_SUPPORTED);
    assert_int_equal(seen.calls, 1);
    assert_false(seen.pending_returned);
    assert_int_equal(seen.status, STATUS_NOT_SUPPORTED);
    IoFreeIrp(irp);
    close_pair(&pair);
}

static void a_null_client_leaves_the_irp_alone(void **state)
{
    struct wsk_end end;
    struct seen seen;
    PROVES("WSK-IRP-01", "WSK-SOCK-02");
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    prepare(&seen);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, note, &seen, TRUE, TRUE, TRUE);
    assert_int_equal(end.provider.Dispatch->WskSocket(NULL, AF_INET, SOCK_STREAM, IPPROTO_TCP,
                                                      WSK_FLAG_LISTEN_SOCKET, NULL, NULL, NULL,
                                                      NULL, NULL, irp),
                     STATUS_INVALID_HANDLE);
    assert_int_equal(end.provider.Dispatch->WskSocket(end.provider.Client, AF_INET, SOCK_STREAM,
                                                      IPPROTO_TCP, WSK_FLAG_LISTEN_SOCKET, NULL,
                                                      NULL, NULL, NULL, NULL, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(seen.calls, 0);
    IoFreeIrp(irp);
    close_wsk(&end);
}

/* Which statuses call the routine. The IRP of a call that does not goes on to its end, where an
 * IRP that the driver allocated must not go: so each is seen by a second location's routine. */
static void the_routine_is_called_as_it_was_set(void **state)
{
    struct wsk_pair pair;
    struct seen below;
    struct seen above;
    static const struct {
        BOOLEAN on_success, on_error;
        ULONG flags;
        LONG calls;
    } cases[] = {
        {TRUE, FALSE, 0, 1},
        {FALSE, TRUE, 0, 0},
        {TRUE, FALSE, 0x80, 0},
        {FALSE, TRUE, 0x80, 1},
    };
    PROVES("WSK-IRP-29");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    for (unsigned i = 0; i < RTL_NUMBER_OF(cases); i++) {
        prepare(&below);
        prepare(&above);
        PIRP irp = IoAllocateIrp(2, FALSE);
        IoSetCompletionRoutine(irp, note, &above, TRUE, TRUE, TRUE);
        IoSetNextIrpStackLocation(irp);
        IoSetCompletionRoutine(irp, note, &below, cases[i].on_success, cases[i].on_error, FALSE);
        WSK_BUF buffer = call_buffer(&pair.end.call, "x", 1);
        send_of(pair.near)(pair.near, &buffer, cases[i].flags, irp);
        await(cases[i].calls != 0 ? &below.done : &above.done);
        assert_int_equal(below.calls, cases[i].calls);
        assert_int_equal(above.calls, 1 - cases[i].calls);
        IoFreeIrp(irp);
    }
    close_pair(&pair);
}

static void an_irp_may_lie_in_the_drivers_own_memory(void **state)
{
    struct wsk_pair pair;
    struct seen seen;
    _Alignas(16) UCHAR memory[sizeof(IRP) + sizeof(IO_STACK_LOCATION)];
    PROVES("WSK-IRP-05", "WSK-IRP-12");
    STAYS_SILENT("WSK-IRP-05");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    PIRP irp = (PIRP)memory;
    IoInitializeIrp(irp, sizeof(memory), 1);
    for (unsigned i = 0; i < 3; i++) {
        prepare(&seen);
        IoSetCompletionRoutine(irp, note, &seen, TRUE, TRUE, TRUE);
        WSK_BUF buffer = call_buffer(&pair.end.call, "x", 1);
        assert_int_equal(send_of(pair.near)(pair.near, &buffer, 0, irp), STATUS_PENDING);
        await(&seen.done);
        assert_int_equal(seen.status, STATUS_SUCCESS);
        assert_int_equal(seen.information, 1);
        IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
    }
    close_pair(&pair);
}

static void a_cancelled_irp_is_cancelled_at_once(void **state)
{
    struct wsk_pair pair;
    struct seen seen;
    UCHAR byte;
    PROVES("WSK-IRP-30", "WSK-IRP-32", "WSK-RECV-22");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    prepare(&seen);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, note, &seen, TRUE, TRUE, TRUE);
    assert_false(IoCancelIrp(irp)); /* before it was sent: nobody to ask */
    WSK_BUF buffer = call_buffer(&pair.end.call, &byte, 1);
    assert_int_equal(receive_of(pair.near)(pair.near, &buffer, 0, irp), STATUS_PENDING);
    await(&seen.done);
    assert_int_equal(seen.status, STATUS_CANCELLED);
    IoFreeIrp(irp);
    close_pair(&pair);
}

/* Cancels race with data: whoever wins, the IRP completes once and no byte is lost. */
static void cancels_race_with_data(void **state)
{
    enum { ROUNDS = 200 };
    struct wsk_pair pair;
    UCHAR next = 0;
    PROVES("WSK-IRP-32", "WSK-RECV-22", "WSK-IRP-01");
    STAYS_SILENT("WSK-DISP-14");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct wsk_call call;
        UCHAR bytes[4];
        UCHAR sent = (UCHAR)i;
        call_init(&call);
        NTSTATUS returned = begin_receive(&call, pair.near, bytes, sizeof(bytes), 0);
        send_all(&pair, pair.far, &sent, 1);
        IoCancelIrp(call.irp);
        NTSTATUS status = call_wait(&call, returned);
        if (status == STATUS_SUCCESS) {
            for (ULONG_PTR n = 0; n < call_information(&call); n++) {
                assert_int_equal(bytes[n], next);
                next++;
            }
        } else {
            assert_int_equal(status, STATUS_CANCELLED);
            assert_int_equal(call_information(&call), 0);
        }
        call_free(&call);
    }
    assert_int_equal(disconnect_socket(&pair.end, pair.far, 0), STATUS_SUCCESS);
    static UCHAR rest[ROUNDS];
    SIZE_T left = receive_all(&pair, pair.near, rest, sizeof(rest));
    for (SIZE_T n = 0; n < left; n++) {
        assert_int_equal(rest[n], next);
        next++;
    }
    assert_int_equal(next, (UCHAR)ROUNDS);
    close_pair(&pair);
}

/* A completion routine sends the next byte on another socket, and so on: the stack stays small. */
struct relay {
    struct wsk_pair pair;
    struct wsk_call call;
    WSK_BUF buffer;
    LONG left;
    LONG depth;
    LONG deepest;
    KEVENT done;
};

static NTSTATUS send_next(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct relay *relay = context;
    UNREFERENCED_PARAMETER(device);
    LONG depth = InterlockedIncrement(&relay->depth);
    if (depth > relay->deepest) {
        relay->deepest = depth;
    }
    if (InterlockedDecrement(&relay->left) > 0) {
        PWSK_SOCKET socket = relay->left % 2 != 0 ? relay->pair.near : relay->pair.far;
        IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
        IoSetCompletionRoutine(irp, send_next, relay, TRUE, TRUE, TRUE);
        send_of(socket)(socket, &relay->buffer, 0, irp);
        InterlockedDecrement(&relay->depth);
    } else {
        InterlockedDecrement(&relay->depth);
        KeSetEvent(&relay->done, IO_NO_INCREMENT, FALSE);
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void completions_do_not_pile_up(void **state)
{
    enum { SENDS = 1000, DEPTH_MAX = 16 };
    static struct relay relay;
    PROVES("WSK-IRP-26");
    UNREFERENCED_PARAMETER(state);
    RtlZeroMemory(&relay, sizeof(relay));
    KeInitializeEvent(&relay.done, NotificationEvent, FALSE);
    open_pair(&relay.pair, NULL, NULL);
    call_init(&relay.call);
    relay.buffer = call_buffer(&relay.call, "x", 1);
    relay.left = SENDS;
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, send_next, &relay, TRUE, TRUE, TRUE);
    assert_int_equal(send_of(relay.pair.near)(relay.pair.near, &relay.buffer, 0, irp),
                     STATUS_PENDING);
    await(&relay.done);
    assert_true(relay.deepest <= DEPTH_MAX);
    IoFreeIrp(irp);
    call_free(&relay.call);
    close_pair(&relay.pair);
}

static const struct CMUnitTest tests[] = {
    kernel_test(an_accepted_irp_is_completed_once),
    kernel_test(a_refused_irp_is_completed_with_what_was_returned),
    kernel_test(a_null_client_leaves_the_irp_alone),
    kernel_test(the_routine_is_called_as_it_was_set),
    kernel_test(an_irp_may_lie_in_the_drivers_own_memory),
    kernel_test(a_cancelled_irp_is_cancelled_at_once),
    kernel_test(cancels_race_with_data),
    kernel_test(completions_do_not_pile_up),
};

TEST_MAIN(tests)
