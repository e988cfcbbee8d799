/* WskReceiveEvent, what it returns, and WskRelease. */
#include "log.h"
#include "wsk_pair.h"

#define CALLS_MAX 64

/* What the callback shall do with its n-th call, and what it saw. */
struct listener {
    PWSK_SOCKET socket;
    NTSTATUS verdicts[CALLS_MAX]; /* STATUS_SUCCESS: accept take[n] bytes, if not 0 */
    SIZE_T take[CALLS_MAX];
    PWSK_DATA_INDICATION kept[CALLS_MAX];
    UCHAR bytes[4096];      /* all that was accepted, in order */
    volatile SIZE_T length; /* written last: who has seen it may look at the rest */
    volatile ULONG calls;
    ULONG inside;
    ULONG overlaps;
    ULONG flags;
    SIZE_T indicated;
    BOOLEAN is_consistent;
    KIRQL irql;
    SIZE_T initial_accepted;
    KEVENT called; /* one call each */
    KEVENT go_on;  /* what a call waits for, spinning, if asked */
    volatile LONG is_held;
};

static SIZE_T length_of(const WSK_DATA_INDICATION *indication)
{
    SIZE_T length = 0;
    for (; indication != NULL; indication = indication->Next) {
        length += indication->Buffer.Length;
    }
    return length;
}

static void copy(UCHAR *to, const WSK_DATA_INDICATION *indication, SIZE_T length)
{
    for (; indication != NULL && length != 0; indication = indication->Next) {
        const WSK_BUF *buffer = &indication->Buffer;
        const UCHAR *from = MmGetSystemAddressForMdlSafe(buffer->Mdl, NormalPagePriority);
        SIZE_T here = buffer->Length < length ? buffer->Length : length;
        RtlCopyMemory(to, from + buffer->Offset, here);
        to += here;
        length -= here;
    }
}

static NTSTATUS WSKAPI on_receive(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                  SIZE_T indicated, SIZE_T *accepted)
{
    struct listener *listener = context;
    ULONG n = listener->calls;
    SIZE_T length = 0;
    if (listener->inside++ != 0) {
        listener->overlaps++;
    }
    listener->flags = flags;
    listener->indicated = indicated;
    listener->irql = KeGetCurrentIrql();
    listener->is_consistent = indication != NULL && length_of(indication) == indicated;
    listener->initial_accepted = *accepted;
    while (InterlockedCompareExchange(&listener->is_held, 0, 0) != 0) {
        YieldProcessor();
    }
    NTSTATUS verdict = listener->verdicts[n % CALLS_MAX];
    SIZE_T take = listener->take[n % CALLS_MAX];
    if (indication != NULL && verdict != STATUS_DATA_NOT_ACCEPTED) {
        length = verdict == STATUS_SUCCESS && take != 0 && take < indicated ? take : indicated;
        copy(listener->bytes + listener->length, indication, length);
        if (verdict == STATUS_SUCCESS && take != 0) {
            *accepted = length;
        }
    }
    if (verdict == STATUS_PENDING) {
        listener->kept[n % CALLS_MAX] = indication;
        *accepted = 0; /* counts with STATUS_SUCCESS only */
    }
    listener->calls++;
    listener->inside--;
    listener->length += length;
    KeSetEvent(&listener->called, IO_NO_INCREMENT, FALSE);
    return verdict;
}

static const WSK_CLIENT_CONNECTION_DISPATCH table = {.WskReceiveEvent = on_receive};

static void open_listening_pair(struct wsk_pair *pair, struct listener *listener)
{
    RtlZeroMemory(listener, sizeof(*listener));
    KeInitializeEvent(&listener->called, SynchronizationEvent, FALSE);
    open_pair(pair, listener, &table);
    listener->socket = pair->near;
    assert_int_equal(enable_events(pair->near, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
}

/* Waits until so many bytes were accepted. */
static void await_bytes(struct listener *listener, SIZE_T length)
{
    while (listener->length < length) {
        await(&listener->called);
    }
}

static void data_is_indicated(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    PROVES("WSK-EVT-14", "WSK-EVT-16", "WSK-EVT-23", "WSK-EVT-02", "WSK-EVT-03", "WSK-EVT-04",
           "WSK-EVT-05", "WSK-IND-01", "WSK-HDR-18", "WSK-IRQL-12", "WSK-CBE-06", "WSK-DISP-19");
    UNREFERENCED_PARAMETER(state);
    open_listening_pair(&pair, &listener);
    send_all(&pair, pair.far, "hello", 5);
    await_bytes(&listener, 5);
    assert_memory_equal(listener.bytes, "hello", 5);
    assert_true(listener.is_consistent);
    assert_int_equal(listener.initial_accepted, listener.indicated);
    assert_int_equal(listener.irql == DISPATCH_LEVEL,
                     (listener.flags & WSK_FLAG_AT_DISPATCH_LEVEL) != 0);
    send_all(&pair, pair.far, "world", 5);
    await_bytes(&listener, 10);
    assert_memory_equal(listener.bytes, "helloworld", 10);
    close_pair(&pair);
}

static void data_from_before_is_indicated_when_the_event_is_enabled(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    PROVES("WSK-EVT-02", "WSK-SOCK-11", "WSK-CBE-33");
    UNREFERENCED_PARAMETER(state);
    RtlZeroMemory(&listener, sizeof(listener));
    KeInitializeEvent(&listener.called, SynchronizationEvent, FALSE);
    open_pair(&pair, &listener, &table);
    send_all(&pair, pair.far, "early", 5);
    LARGE_INTEGER moment = interval_ms(5);
    assert_int_equal(KeWaitForSingleObject(&listener.called, Executive, KernelMode, FALSE, &moment),
                     STATUS_TIMEOUT);
    assert_int_equal(enable_events(pair.near, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    await_bytes(&listener, 5);
    close_pair(&pair);
}

static void a_pending_receive_comes_first(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    struct wsk_call call;
    UCHAR bytes[5];
    PROVES("WSK-RECV-17");
    UNREFERENCED_PARAMETER(state);
    open_listening_pair(&pair, &listener);
    call_init(&call);
    NTSTATUS returned = begin_receive(&call, pair.near, bytes, sizeof(bytes), 0);
    send_all(&pair, pair.far, "onetwo", 6);
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&call), 5);
    assert_memory_equal(bytes, "onetw", 5);
    await_bytes(&listener, 1);
    assert_memory_equal(listener.bytes, "o", 1);
    call_free(&call);
    close_pair(&pair);
}

static void what_was_not_accepted_waits_for_a_receive(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    UCHAR bytes[16];
    SIZE_T moved;
    PROVES("WSK-EVT-24", "WSK-EVT-31", "WSK-EVT-35", "WSK-EVT-33");
    UNREFERENCED_PARAMETER(state);
    open_listening_pair(&pair, &listener);
    listener.take[0] = 2;
    send_all(&pair, pair.far, "abcdef", 6);
    await_bytes(&listener, 2);
    send_all(&pair, pair.far, "ghi", 3);
    LARGE_INTEGER moment = interval_ms(5);
    KeDelayExecutionThread(KernelMode, FALSE, &moment);
    assert_int_equal(listener.calls, 1);
    assert_int_equal(receive_bytes(&pair.end, pair.near, bytes, 2, 0, &moved), STATUS_SUCCESS);
    assert_int_equal(moved, 2);
    assert_memory_equal(bytes, "cd", 2);
    await_bytes(&listener, 7);
    assert_memory_equal(listener.bytes, "abefghi", 7);
    close_pair(&pair);
}

static void refused_data_comes_again_after_an_empty_receive(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    struct wsk_call call;
    WSK_BUF nothing = {NULL, 0, 0};
    PROVES("WSK-EVT-30", "WSK-EVT-32", "WSK-EVT-31", "WSK-EVT-27", "WSK-EVT-35", "WSK-RECV-19",
           "WSK-HDR-17");
    UNREFERENCED_PARAMETER(state);
    open_listening_pair(&pair, &listener);
    call_init(&call);
    listener.verdicts[0] = STATUS_DATA_NOT_ACCEPTED;
    send_all(&pair, pair.far, "again", 5);
    await(&listener.called);
    assert_int_equal(listener.length, 0);
    NTSTATUS returned = receive_of(pair.near)(pair.near, &nothing, 0, call_irp(&call));
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    await_bytes(&listener, 5);
    assert_memory_equal(listener.bytes, "again", 5);
    call_free(&call);
    close_pair(&pair);
}

static NTSTATUS release(PWSK_SOCKET socket, PWSK_DATA_INDICATION indication)
{
    const WSK_PROVIDER_CONNECTION_DISPATCH *dispatch = socket->Dispatch;
    return dispatch->WskRelease(socket, indication);
}

static void kept_data_stays_until_it_is_released(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    PROVES("WSK-EVT-28", "WSK-IND-05", "WSK-IND-07", "WSK-IND-11", "WSK-IND-12", "WSK-IND-17",
           "WSK-IRP-34");
    STAYS_SILENT("WSK-EVT-29", "WSK-CLOSE-11", "WSK-IND-13");
    UNREFERENCED_PARAMETER(state);
    open_listening_pair(&pair, &listener);
    listener.verdicts[0] = STATUS_PENDING;
    listener.verdicts[1] = STATUS_PENDING;
    send_all(&pair, pair.far, "kept", 4);
    await_bytes(&listener, 4);
    send_all(&pair, pair.far, "also", 4);
    await_bytes(&listener, 8);
    send_all(&pair, pair.far, "free", 4);
    await_bytes(&listener, 12);
    const WSK_BUF *buffer = &listener.kept[0]->Buffer;
    assert_memory_equal(MmGetSystemAddressForMdlSafe(buffer->Mdl, NormalPagePriority), "kept", 4);
    listener.kept[1]->Next = (PWSK_DATA_INDICATION)&listener; /* a driver's own use of Next */
    assert_int_equal(release(pair.near, listener.kept[1]), STATUS_SUCCESS);
    assert_int_equal(release(pair.near, listener.kept[0]), STATUS_SUCCESS);
    assert_int_equal(release(pair.near, NULL), STATUS_INVALID_PARAMETER);
    assert_memory_equal(listener.bytes, "keptalsofree", 12);
    close_pair(&pair);
}

static VOID release_later(PVOID context)
{
    struct listener *listener = context;
    release(listener->socket, listener->kept[0]);
}

static void kept_data_may_be_released_by_another_thread(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    PROVES("WSK-IND-07");
    UNREFERENCED_PARAMETER(state);
    open_listening_pair(&pair, &listener);
    listener.verdicts[0] = STATUS_PENDING;
    send_all(&pair, pair.far, "kept", 4);
    await_bytes(&listener, 4);
    join_thread(start_thread(release_later, &listener));
    close_pair(&pair);
}

static void what_is_not_kept_cannot_be_released(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    WSK_DATA_INDICATION own = {0};
    PROVES("WSK-IND-10", "WSK-IND-11");
    UNREFERENCED_PARAMETER(state);
    open_listening_pair(&pair, &listener);
    assert_int_equal(release(pair.near, &own), STATUS_INVALID_PARAMETER);
    close_pair(&pair);
}

static void calls_are_serial(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    PROVES("WSK-EVT-15", "WSK-EVT-35", "WSK-SEND-17");
    UNREFERENCED_PARAMETER(state);
    open_listening_pair(&pair, &listener);
    for (UCHAR i = 0; i < 200; i++) {
        send_all(&pair, pair.far, &i, 1);
    }
    await_bytes(&listener, 200);
    assert_int_equal(listener.overlaps, 0);
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(listener.bytes[i], i);
    }
    close_pair(&pair);
}

static void a_receive_waits_for_the_verdict_of_a_running_event(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    struct wsk_call call;
    UCHAR bytes[8];
    PROVES("WSK-EVT-35");
    UNREFERENCED_PARAMETER(state);
    open_listening_pair(&pair, &listener);
    call_init(&call);
    listener.take[0] = 1;
    send_all(&pair, pair.far, "abc", 3);
    NTSTATUS returned = begin_receive(&call, pair.near, bytes, sizeof(bytes), 0);
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    SIZE_T received = call_information(&call);
    /* The event may have come first and taken one byte, or the receive may have been first. */
    assert_memory_equal(bytes, &"abc"[listener.length], received);
    assert_int_equal(received + listener.length, 3);
    call_free(&call);
    close_pair(&pair);
}

static NTSTATUS WSKAPI accept_too_much(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                       SIZE_T indicated, SIZE_T *accepted)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(indication);
    *accepted = indicated + 1;
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH greedy_table = {.WskReceiveEvent = accept_too_much};

static void break_the_rule(void *context)
{
    static struct wsk_pair pair;
    KEVENT never;
    UNREFERENCED_PARAMETER(context);
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    open_pair(&pair, NULL, &greedy_table);
    enable_events(pair.near, WSK_EVENT_RECEIVE);
    send_all(&pair, pair.far, "a", 1);
    await(&never);
}

static void accepting_too_much_is_caught(void **state)
{
    PROVES("WSK-EVT-26");
    UNREFERENCED_PARAMETER(state);
    expect_bugcheck(break_the_rule, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, ANY_PARAMETER,
                    "WSK-EVT-26");
}

/* ---- flags of an indication ---- */

#define KEPT_MAX 256

/* Keeps all that it is given. */
struct keeper {
    PWSK_DATA_INDICATION kept[KEPT_MAX];
    ULONG flags[KEPT_MAX];
    ULONG calls;
    volatile SIZE_T bytes; /* written last: who sees it sees all of the above */
    KEVENT called;
};

static NTSTATUS WSKAPI keep_data(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                 SIZE_T indicated, SIZE_T *accepted)
{
    struct keeper *keeper = context;
    UNREFERENCED_PARAMETER(accepted);
    keeper->kept[keeper->calls % KEPT_MAX] = indication;
    keeper->flags[keeper->calls % KEPT_MAX] = flags;
    keeper->calls++;
    keeper->bytes = keeper->bytes + indicated;
    KeSetEvent(&keeper->called, IO_NO_INCREMENT, FALSE);
    return STATUS_PENDING;
}

static const WSK_CLIENT_CONNECTION_DISPATCH keeping_table = {.WskReceiveEvent = keep_data};

static void open_keeping_pair(struct wsk_pair *pair, struct keeper *keeper)
{
    RtlZeroMemory(keeper, sizeof(*keeper));
    KeInitializeEvent(&keeper->called, SynchronizationEvent, FALSE);
    open_pair(pair, keeper, &keeping_table);
    assert_int_equal(enable_events(pair->near, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
}

static void send_kept(struct wsk_pair *pair, struct keeper *keeper, SIZE_T length)
{
    static const UCHAR bytes[32768];
    SIZE_T expected = keeper->bytes + length;
    send_all(pair, pair->far, bytes, length);
    while (keeper->bytes < expected) {
        await(&keeper->called);
    }
}

static void release_kept(struct wsk_pair *pair, struct keeper *keeper)
{
    for (ULONG i = 0; i < keeper->calls; i++) {
        assert_int_equal(release(pair->near, keeper->kept[i]), STATUS_SUCCESS);
    }
}

static void much_kept_data_is_asked_back(void **state)
{
    struct wsk_pair pair;
    static struct keeper keeper;
    PROVES("WSK-EVT-20", "WSK-EVT-29");
    UNREFERENCED_PARAMETER(state);
    open_keeping_pair(&pair, &keeper);
    send_kept(&pair, &keeper, 1);
    assert_int_equal(keeper.flags[0] & WSK_FLAG_RELEASE_ASAP, 0);
    while ((keeper.flags[keeper.calls - 1] & WSK_FLAG_RELEASE_ASAP) == 0) {
        assert_in_range(keeper.calls, 1, KEPT_MAX - 64);
        send_kept(&pair, &keeper, 32768);
    }
    release_kept(&pair, &keeper);
    keeper.calls = 0;
    send_kept(&pair, &keeper, 1);
    assert_int_equal(keeper.flags[0] & WSK_FLAG_RELEASE_ASAP, 0);
    release_kept(&pair, &keeper);
    close_pair(&pair);
}

static void what_is_kept_beyond_the_close_is_left(void **state)
{
    struct wsk_pair pair;
    static struct keeper keeper;
    PROVES("WSK-EVT-29", "WSK-IND-13", "WSK-CLOSE-11");
    UNREFERENCED_PARAMETER(state);
    open_keeping_pair(&pair, &keeper);
    send_kept(&pair, &keeper, 1);
    /* Then the callback has returned: until it says so nothing is kept. */
    assert_int_equal(disable_event(&pair.end, pair.near, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    log_capture();
    close_near(&pair);
    assert_true(log_named("WSK-IND-13"));
    close_pair(&pair);
    log_capture();
    unsigned left = wskemu_shutdown();
    assert_true(log_named("WSK-EVT-29"));
    assert_int_equal(left, 1);
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
}

/* The host does not tell where a push bit was: all it had at once counts as such an end. */
static void a_message_of_its_own_is_entire(void **state)
{
    struct wsk_pair pair;
    static struct keeper keeper;
    PROVES("WSK-EVT-22");
    UNREFERENCED_PARAMETER(state);
    open_keeping_pair(&pair, &keeper);
    for (unsigned i = 0; i < 3; i++) {
        send_kept(&pair, &keeper, 100);
        assert_true((keeper.flags[keeper.calls - 1] & WSK_FLAG_ENTIRE_MESSAGE) != 0);
    }
    release_kept(&pair, &keeper);
    close_pair(&pair);
}

static NTSTATUS WSKAPI answer_nonsense(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                       SIZE_T indicated, SIZE_T *accepted)
{
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(indication);
    UNREFERENCED_PARAMETER(indicated);
    UNREFERENCED_PARAMETER(accepted);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
    return STATUS_INVALID_PARAMETER;
}

static void another_answer_is_warned_of(void **state)
{
    static const WSK_CLIENT_CONNECTION_DISPATCH odd_table = {.WskReceiveEvent = answer_nonsense};
    struct wsk_pair pair;
    KEVENT called;
    UCHAR bytes[4];
    PROVES("WSK-EVT-34");
    UNREFERENCED_PARAMETER(state);
    KeInitializeEvent(&called, SynchronizationEvent, FALSE);
    open_pair(&pair, &called, &odd_table);
    log_capture();
    assert_int_equal(enable_events(pair.near, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    send_all(&pair, pair.far, "data", 4);
    await(&called);
    assert_int_equal(disable_event(&pair.end, pair.near, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    assert_true(log_named("WSK-EVT-34"));
    assert_int_equal(receive_all(&pair, pair.near, bytes, 4), 4); /* it was not accepted */
    assert_memory_equal(bytes, "data", 4);
    close_pair(&pair);
}

static const struct CMUnitTest tests[] = {
    kernel_test(data_is_indicated),
    kernel_test(data_from_before_is_indicated_when_the_event_is_enabled),
    kernel_test(a_pending_receive_comes_first),
    kernel_test(what_was_not_accepted_waits_for_a_receive),
    kernel_test(refused_data_comes_again_after_an_empty_receive),
    kernel_test(kept_data_stays_until_it_is_released),
    kernel_test(kept_data_may_be_released_by_another_thread),
    kernel_test(what_is_not_kept_cannot_be_released),
    kernel_test(calls_are_serial),
    kernel_test(a_receive_waits_for_the_verdict_of_a_running_event),
    kernel_test(accepting_too_much_is_caught),
    kernel_test(much_kept_data_is_asked_back),
    kernel_test(what_is_kept_beyond_the_close_is_left),
    kernel_test(a_message_of_its_own_is_entire),
    kernel_test(another_answer_is_warned_of),
};

TEST_MAIN(tests)
