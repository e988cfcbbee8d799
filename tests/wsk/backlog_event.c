/* WskSendBacklogEvent. The ideal backlog follows the host's send buffer. */
#include "log.h"
#include "wsk_pair.h"

struct listener {
    SIZE_T ideal;
    LONG calls;
    KIRQL irql;
    NTSTATUS answer;
    KEVENT called;
};

static NTSTATUS WSKAPI on_backlog(PVOID context, SIZE_T ideal)
{
    struct listener *listener = context;
    listener->ideal = ideal;
    listener->irql = KeGetCurrentIrql();
    InterlockedIncrement(&listener->calls);
    KeSetEvent(&listener->called, IO_NO_INCREMENT, FALSE);
    return listener->answer;
}

static const WSK_CLIENT_CONNECTION_DISPATCH table = {.WskSendBacklogEvent = on_backlog};

static void open_listening_pair(struct wsk_pair *pair, struct listener *listener)
{
    RtlZeroMemory(listener, sizeof(*listener));
    KeInitializeEvent(&listener->called, SynchronizationEvent, FALSE);
    open_pair(pair, listener, &table);
}

static SIZE_T ideal_of(struct wsk_pair *pair)
{
    SIZE_T ideal = 0;
    assert_int_equal(control_socket(&pair->end, pair->near, WskIoctl,
                                    SIO_WSK_QUERY_IDEAL_SEND_BACKLOG, 0, NULL, 0, &ideal,
                                    sizeof(ideal), NULL),
                     STATUS_SUCCESS);
    return ideal;
}

/* Sets the send buffer to a multiple of what is ideal now, so that the ideal changes. */
static void change_buffer(struct wsk_pair *pair, ULONG bytes)
{
    assert_int_equal(set_option(&pair->end, pair->near, SOL_SOCKET, SO_SNDBUF, bytes),
                     STATUS_SUCCESS);
}

static void a_change_of_the_ideal_backlog_is_told(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    PROVES("WSK-EVT-64", "WSK-IOC-17", "WSK-EVT-01");
    STAYS_SILENT("WSK-EVT-65");
    UNREFERENCED_PARAMETER(state);
    open_listening_pair(&pair, &listener);
    assert_int_equal(enable_events(pair.near, WSK_EVENT_SEND_BACKLOG), STATUS_SUCCESS);
    SIZE_T before = ideal_of(&pair);
    for (ULONG bytes = 100000; bytes <= 200000; bytes += 100000) {
        change_buffer(&pair, bytes);
        await(&listener.called);
        assert_int_equal(listener.ideal, ideal_of(&pair));
        assert_int_not_equal(listener.ideal, before);
        assert_true(listener.irql <= DISPATCH_LEVEL);
        before = listener.ideal;
    }
    change_buffer(&pair, 200000); /* which is no change */
    close_pair(&pair);
    assert_int_equal(listener.calls, 2);
}

static void nothing_is_told_while_the_event_is_disabled(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    PROVES("WSK-EVT-64", "WSK-EVT-02");
    UNREFERENCED_PARAMETER(state);
    open_listening_pair(&pair, &listener);
    change_buffer(&pair, 100000);
    assert_int_equal(enable_events(pair.near, WSK_EVENT_SEND_BACKLOG), STATUS_SUCCESS);
    await(&listener.called); /* what it missed */
    assert_int_equal(listener.ideal, ideal_of(&pair));
    assert_int_equal(disable_event(&pair.end, pair.near, WSK_EVENT_SEND_BACKLOG), STATUS_SUCCESS);
    change_buffer(&pair, 200000);
    close_pair(&pair);
    assert_int_equal(listener.calls, 1);
}

static void another_answer_than_success_is_warned_of(void **state)
{
    struct wsk_pair pair;
    struct listener listener;
    PROVES("WSK-EVT-65");
    UNREFERENCED_PARAMETER(state);
    open_listening_pair(&pair, &listener);
    listener.answer = STATUS_UNSUCCESSFUL;
    assert_int_equal(enable_events(pair.near, WSK_EVENT_SEND_BACKLOG), STATUS_SUCCESS);
    log_capture();
    change_buffer(&pair, 100000);
    await(&listener.called);
    close_pair(&pair); /* which waits until the event is over */
    assert_true(log_named("WSK-EVT-65"));
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_change_of_the_ideal_backlog_is_told),
    kernel_test(nothing_is_told_while_the_event_is_disabled),
    kernel_test(another_answer_than_success_is_warned_of),
};

TEST_MAIN(tests)
