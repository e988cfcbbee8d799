/* Conditional accept: WskInspectEvent, WskInspectComplete, WskAbortEvent. */
#include "log.h"
#include "wsk_end.h"

#include "wsk/client.h"

#include <wskemu/network.h>

#include <wskemu/peer.h>

#define CONNECTIONS 4
#define RECORDS 16

static struct wsk_end *const end = &test_end;

struct inspection {
    PVOID context;
    SOCKADDR_INET local;
    SOCKADDR_INET remote;
    BOOLEAN has_id;
    WSK_INSPECT_ID id;
    LONG accepts; /* events before it */
};

static struct driver {
    PWSK_SOCKET listener;
    SOCKADDR_INET address;
    WSK_INSPECT_ACTION action;
    void (*inside)(const WSK_INSPECT_ID *id); /* what to do in the inspect event */
    struct inspection inspections[RECORDS];
    volatile LONG inspects;
    KSEMAPHORE inspected;
    struct inspection aborted;
    volatile LONG aborts;
    KSEMAPHORE abort_called;
    NTSTATUS abort_answer;
    PWSK_SOCKET accepted_socket;
    volatile LONG accepts;
    KSEMAPHORE accepted;
    struct wsk_call call; /* made inside of the inspect event */
    NTSTATUS returned;
} driver;

static void copy_address(SOCKADDR_INET *copy, PSOCKADDR address)
{
    RtlCopyMemory(copy, address,
                  address->sa_family == AF_INET ? sizeof(SOCKADDR_IN) : sizeof(SOCKADDR_IN6));
}

static WSK_INSPECT_ACTION WSKAPI inspect(PVOID SocketContext, PSOCKADDR LocalAddress,
                                         PSOCKADDR RemoteAddress, PWSK_INSPECT_ID InspectID)
{
    struct inspection *inspection = &driver.inspections[(ULONG)driver.inspects % RECORDS];
    inspection->context = SocketContext;
    copy_address(&inspection->local, LocalAddress);
    copy_address(&inspection->remote, RemoteAddress);
    inspection->has_id = InspectID != NULL;
    inspection->accepts = driver.accepts;
    if (InspectID != NULL) {
        inspection->id = *InspectID;
    }
    if (driver.inside != NULL) {
        driver.inside(InspectID);
    }
    WSK_INSPECT_ACTION action = driver.action;
    InterlockedIncrement(&driver.inspects);
    KeReleaseSemaphore(&driver.inspected, IO_NO_INCREMENT, 1, FALSE);
    return action;
}

static NTSTATUS WSKAPI note_abort(PVOID SocketContext, PWSK_INSPECT_ID InspectID)
{
    driver.aborted.context = SocketContext;
    driver.aborted.id = *InspectID;
    InterlockedIncrement(&driver.aborts);
    KeReleaseSemaphore(&driver.abort_called, IO_NO_INCREMENT, 1, FALSE);
    return driver.abort_answer;
}

static NTSTATUS WSKAPI note_connection(PVOID SocketContext, ULONG Flags, PSOCKADDR LocalAddress,
                                       PSOCKADDR RemoteAddress, PWSK_SOCKET AcceptSocket,
                                       PVOID *AcceptSocketContext,
                                       CONST WSK_CLIENT_CONNECTION_DISPATCH **AcceptSocketDispatch)
{
    driver.accepted_socket = AcceptSocket;
    InterlockedIncrement(&driver.accepts);
    KeReleaseSemaphore(&driver.accepted, IO_NO_INCREMENT, 1, FALSE);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_LISTEN_DISPATCH inspecting = {note_connection, inspect, note_abort};

static void make_listener(const WSK_CLIENT_LISTEN_DISPATCH *dispatch, ULONG is_conditional)
{
    RtlZeroMemory(&driver, sizeof(driver));
    KeInitializeSemaphore(&driver.inspected, 0, RECORDS);
    KeInitializeSemaphore(&driver.abort_called, 0, RECORDS);
    KeInitializeSemaphore(&driver.accepted, 0, RECORDS);
    driver.listener = make_socket(end, AF_INET, WSK_FLAG_LISTEN_SOCKET, &driver, dispatch);
    assert_int_equal(
        set_option(end, driver.listener, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, is_conditional),
        STATUS_SUCCESS);
}

static void start_inspecting(WSK_INSPECT_ACTION action)
{
    make_listener(&inspecting, 1);
    driver.action = action;
    assert_int_equal(bind_loopback(end, driver.listener, AF_INET, &driver.address), STATUS_SUCCESS);
}

static struct wskemu_peer *make_peer(void)
{
    struct wskemu_peer *peer;
    assert_int_equal(wskemu_peer_connect((PSOCKADDR)&driver.address, &peer), STATUS_SUCCESS);
    return peer;
}

static const struct inspection *await_inspection(unsigned number)
{
    await(&driver.inspected);
    return &driver.inspections[number];
}

static void assert_is_peer(const SOCKADDR_INET *remote, struct wskemu_peer *peer)
{
    SOCKADDR_STORAGE local;
    assert_int_equal(wskemu_peer_local_address(peer, &local), STATUS_SUCCESS);
    assert_address_equal(remote, (const SOCKADDR_INET *)&local);
}

static void assert_socket_is_peer(PWSK_SOCKET socket, struct wskemu_peer *peer)
{
    SOCKADDR_INET remote;
    assert_int_equal(remote_address(end, socket, &remote), STATUS_SUCCESS);
    assert_is_peer(&remote, peer);
}

static void assert_peer_is_cut_off(struct wskemu_peer *peer)
{
    NTSTATUS status = wskemu_peer_expect_end(peer);
    assert_true(status == STATUS_SUCCESS || status == STATUS_CONNECTION_RESET);
}

static PFN_WSK_INSPECT_COMPLETE complete_of(PWSK_SOCKET socket)
{
    const WSK_PROVIDER_LISTEN_DISPATCH *table = socket->Dispatch;
    return table->WskInspectComplete;
}

static NTSTATUS complete(const WSK_INSPECT_ID *id, WSK_INSPECT_ACTION action)
{
    WSK_INSPECT_ID copy = *id;
    return call_wait(&end->call, complete_of(driver.listener)(driver.listener, &copy, action,
                                                              call_irp(&end->call)));
}

static NTSTATUS begin_accept(struct wsk_call *call)
{
    return accept_of(driver.listener)(driver.listener, 0, NULL, NULL, NULL, NULL, call_irp(call));
}

static void finish(PWSK_SOCKET accepted, struct wskemu_peer *peer)
{
    if (accepted != NULL) {
        close_socket(end, accepted);
    }
    wskemu_peer_close(peer);
}

/* ---- answers of the event ---- */

static void a_connection_is_inspected_before_it_is_accepted(void **state)
{
    PROVES("WSK-INSP-01", "WSK-INSP-03", "WSK-INSP-07", "WSK-INSP-08", "WSK-INSP-11", "WSK-HDR-20");
    STAYS_SILENT("WSK-INSP-02", "WSK-INSP-06", "WSK-INSP-14", "WSK-OPT-05", "WSK-OPT-07");
    start_inspecting(WskInspectAccept);
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    for (LONG i = 0; i < CONNECTIONS; i++) {
        struct wskemu_peer *peer = make_peer();
        await(&driver.accepted);
        const struct inspection *inspection = await_inspection((unsigned)i);
        assert_ptr_equal(inspection->context, &driver);
        assert_true(inspection->has_id);
        assert_int_equal(inspection->accepts, i);
        assert_address_equal(&inspection->local, &driver.address);
        assert_is_peer(&inspection->remote, peer);
        assert_socket_is_peer(driver.accepted_socket, peer);
        finish(driver.accepted_socket, peer);
    }
    assert_int_equal(driver.aborts, 0);
    close_socket(end, driver.listener);
}

static void the_mode_is_off_by_default(void **state)
{
    PROVES("WSK-INSP-01", "WSK-OPT-06");
    PWSK_SOCKET accepted;
    ULONG value = 7;
    make_listener(&inspecting, 0);
    assert_int_equal(get_option(end, driver.listener, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, &value),
                     STATUS_SUCCESS);
    assert_int_equal(value, 0);
    assert_int_equal(bind_loopback(end, driver.listener, AF_INET, &driver.address), STATUS_SUCCESS);
    struct wskemu_peer *peer = make_peer();
    assert_int_equal(accept_socket(end, driver.listener, NULL, NULL, &accepted), STATUS_SUCCESS);
    assert_int_equal(driver.inspects, 0);
    finish(accepted, peer);
    close_socket(end, driver.listener);
}

static void the_mode_stays_on(void **state)
{
    PROVES("WSK-INSP-04");
    start_inspecting(WskInspectReject);
    assert_false(
        NT_SUCCESS(set_option(end, driver.listener, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 0)));
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    assert_int_equal(disable_event(end, driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    struct wskemu_peer *peer = make_peer();
    await_inspection(0);
    assert_peer_is_cut_off(peer);
    wskemu_peer_close(peer);
    close_socket(end, driver.listener);
}

static void an_accept_waits_for_the_inspection(void **state)
{
    PROVES("WSK-INSP-07", "WSK-INSP-11", "WSK-INSP-13");
    struct wsk_call call;
    call_init(&call);
    start_inspecting(WskInspectPend);
    NTSTATUS returned = begin_accept(&call);
    struct wskemu_peer *peer = make_peer();
    const struct inspection *inspection = await_inspection(0);
    assert_false(call_is_done(&call));
    assert_int_equal(complete(&inspection->id, WskInspectAccept), STATUS_SUCCESS);
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    PWSK_SOCKET accepted = (PWSK_SOCKET)call_information(&call);
    assert_socket_is_peer(accepted, peer);
    finish(accepted, peer);
    close_socket(end, driver.listener);
    call_free(&call);
}

static void what_inspection_let_through_waits_for_an_accept(void **state)
{
    PROVES("WSK-INSP-11");
    struct wskemu_peer *peers[CONNECTIONS];
    start_inspecting(WskInspectAccept);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        peers[i] = make_peer();
        assert_is_peer(&await_inspection(i)->remote, peers[i]);
    }
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        PWSK_SOCKET accepted;
        assert_int_equal(accept_socket(end, driver.listener, NULL, NULL, &accepted),
                         STATUS_SUCCESS);
        assert_socket_is_peer(accepted, peers[i]);
        finish(accepted, peers[i]);
    }
    close_socket(end, driver.listener);
}

static void a_rejected_connection_is_dropped(void **state)
{
    PROVES("WSK-INSP-12", "WSK-HDR-19");
    start_inspecting(WskInspectReject);
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    struct wskemu_peer *rejected = make_peer();
    await_inspection(0);
    assert_peer_is_cut_off(rejected);
    driver.action = WskInspectAccept;
    struct wskemu_peer *peer = make_peer();
    await(&driver.accepted);
    assert_socket_is_peer(driver.accepted_socket, peer);
    assert_int_equal(driver.accepts, 1);
    assert_int_equal(driver.aborts, 0);
    finish(driver.accepted_socket, peer);
    finish(NULL, rejected);
    close_socket(end, driver.listener);
}

/* ---- pended inspections ---- */

static void pended_requests_are_answered_in_any_order(void **state)
{
    PROVES("WSK-INSP-13", "WSK-INSP-18", "WSK-INSP-24", "WSK-INSP-25", "WSK-INSP-27", "WSK-INSP-28",
           "WSK-INSP-36", "WSK-IOC-21");
    STAYS_SILENT("WSK-INSP-14", "WSK-INSP-20", "WSK-INSP-21", "WSK-INSP-22");
    struct wskemu_peer *peers[CONNECTIONS];
    start_inspecting(WskInspectPend);
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        peers[i] = make_peer();
        await_inspection(i);
        for (unsigned before = 0; before < i; before++) {
            assert_memory_not_equal(&driver.inspections[before].id, &driver.inspections[i].id,
                                    sizeof(WSK_INSPECT_ID));
        }
    }
    assert_int_equal(driver.accepts, 0);
    for (unsigned i = CONNECTIONS; i-- > 1;) {
        WSK_INSPECT_ID id = {0};
        SIZE_T length = 0;
        assert_int_equal(complete(&driver.inspections[i].id, WskInspectAccept), STATUS_SUCCESS);
        await(&driver.accepted);
        assert_socket_is_peer(driver.accepted_socket, peers[i]);
        assert_int_equal(control_socket_now(driver.accepted_socket, WskIoctl,
                                            SIO_WSK_QUERY_INSPECT_ID, 0, NULL, 0, &id, sizeof(id),
                                            &length),
                         STATUS_SUCCESS);
        assert_int_equal(id.Key, driver.inspections[i].id.Key);
        assert_int_equal(id.SerialNumber, driver.inspections[i].id.SerialNumber);
        finish(driver.accepted_socket, peers[i]);
    }
    assert_int_equal(complete(&driver.inspections[0].id, WskInspectReject), STATUS_SUCCESS);
    assert_peer_is_cut_off(peers[0]);
    finish(NULL, peers[0]);
    assert_int_equal(driver.accepts, CONNECTIONS - 1);
    assert_int_equal(driver.aborts, 0);
    close_socket(end, driver.listener);
}

static void complete_inside(const WSK_INSPECT_ID *id)
{
    WSK_INSPECT_ID copy = *id;
    driver.returned = complete_of(driver.listener)(driver.listener, &copy, WskInspectAccept,
                                                   call_irp(&driver.call));
}

static void a_request_may_be_answered_before_its_event_returned_pend(void **state)
{
    PWSK_SOCKET accepted;
    start_inspecting(WskInspectPend);
    call_init(&driver.call);
    driver.inside = complete_inside;
    struct wskemu_peer *peer = make_peer();
    await_inspection(0);
    assert_int_equal(call_wait(&driver.call, driver.returned), STATUS_SUCCESS);
    assert_int_equal(accept_socket(end, driver.listener, NULL, NULL, &accepted), STATUS_SUCCESS);
    assert_socket_is_peer(accepted, peer);
    finish(accepted, peer);
    close_socket(end, driver.listener);
    call_free(&driver.call);
}

static void check_abort(const struct inspection *inspection)
{
    await(&driver.abort_called);
    assert_ptr_equal(driver.aborted.context, &driver);
    assert_int_equal(driver.aborted.id.Key, inspection->id.Key);
    assert_int_equal(driver.aborted.id.SerialNumber, inspection->id.SerialNumber);
    assert_int_equal(complete(&inspection->id, WskInspectAccept), STATUS_NOT_FOUND);
}

static void a_peer_that_gives_up_aborts_its_pended_request(void **state)
{
    PROVES("WSK-INSP-29", "WSK-INSP-30", "WSK-INSP-31", "WSK-INSP-34");
    STAYS_SILENT("WSK-INSP-32");
    start_inspecting(WskInspectPend);
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    struct wskemu_peer *resetting = make_peer();
    const struct inspection *inspection = await_inspection(0);
    wskemu_peer_reset(resetting);
    check_abort(inspection);
    struct wskemu_peer *closing = make_peer();
    inspection = await_inspection(1);
    wskemu_peer_close(closing);
    check_abort(inspection);
    assert_int_equal(driver.aborts, 2);
    assert_int_equal(driver.accepts, 0);
    close_socket(end, driver.listener);
}

static void a_peer_that_sent_something_and_ended_its_stream_still_waits(void **state)
{
    char bytes[3];
    PWSK_SOCKET accepted;
    start_inspecting(WskInspectPend);
    struct wskemu_peer *peer = make_peer();
    const struct inspection *inspection = await_inspection(0);
    assert_int_equal(wskemu_peer_send_all(peer, "ask", 3), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_shutdown_send(peer), STATUS_SUCCESS);
    /* One that gives up after it: its abort shows that the other's end was seen. */
    struct wskemu_peer *other = make_peer();
    const struct inspection *others = await_inspection(1);
    wskemu_peer_reset(other);
    check_abort(others);
    assert_int_equal(complete(&inspection->id, WskInspectAccept), STATUS_SUCCESS);
    assert_int_equal(accept_socket(end, driver.listener, NULL, NULL, &accepted), STATUS_SUCCESS);
    assert_int_equal(receive_bytes(end, accepted, bytes, 3, WSK_FLAG_WAITALL, NULL),
                     STATUS_SUCCESS);
    assert_memory_equal(bytes, "ask", 3);
    assert_int_equal(send_bytes(end, accepted, "tell", 4, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(peer, "tell", 4), STATUS_SUCCESS);
    finish(accepted, peer);
    close_socket(end, driver.listener);
}

static void inspect_complete_refuses_what_it_cannot_do(void **state)
{
    PROVES("WSK-INSP-26", "WSK-INSP-20", "WSK-INSP-21", "WSK-INSP-22");
    start_inspecting(WskInspectPend);
    struct wskemu_peer *peer = make_peer();
    WSK_INSPECT_ID id = await_inspection(0)->id;
    WSK_INSPECT_ID unknown = {id.Key, id.SerialNumber + 1};
    assert_int_equal(complete(&unknown, WskInspectAccept), STATUS_NOT_FOUND);
    assert_int_equal(complete(&id, WskInspectPend), STATUS_INVALID_PARAMETER);
    PFN_WSK_INSPECT_COMPLETE routine = complete_of(driver.listener);
    NTSTATUS returned = routine(driver.listener, NULL, WskInspectAccept, call_irp(&end->call));
    assert_int_equal(call_wait(&end->call, returned), STATUS_INVALID_PARAMETER);
    assert_int_equal(routine(driver.listener, &id, WskInspectAccept, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(complete(&id, WskInspectReject), STATUS_SUCCESS);
    assert_int_equal(complete(&id, WskInspectReject), STATUS_NOT_FOUND);
    close_socket(end, driver.listener);
    wskemu_peer_close(peer);
    make_listener(&inspecting, 0);
    assert_int_equal(bind_loopback(end, driver.listener, AF_INET, NULL), STATUS_SUCCESS);
    assert_int_equal(complete(&id, WskInspectAccept), STATUS_INVALID_DEVICE_STATE);
    close_socket(end, driver.listener);
}

/* ---- the end of the listener ---- */

static void closing_the_listener_resets_what_waits(void **state)
{
    start_inspecting(WskInspectPend);
    struct wskemu_peer *pended = make_peer();
    await_inspection(0);
    driver.action = WskInspectAccept;
    struct wskemu_peer *admitted = make_peer();
    await_inspection(1);
    assert_int_equal(close_socket(end, driver.listener), STATUS_SUCCESS);
    assert_peer_is_cut_off(pended);
    assert_peer_is_cut_off(admitted);
    assert_int_equal(driver.aborts, 0);
    wskemu_peer_close(pended);
    wskemu_peer_close(admitted);
}

static void a_dead_listener_is_indicated_without_an_id(void **state)
{
    PROVES("WSK-INSP-09", "WSK-INSP-26");
    start_inspecting(WskInspectPend);
    struct wskemu_peer *peer = make_peer();
    WSK_INSPECT_ID id = await_inspection(0)->id;
    wskemu_socket_break(driver.listener);
    const struct inspection *inspection = await_inspection(1);
    assert_false(inspection->has_id);
    assert_ptr_equal(inspection->context, &driver);
    assert_int_equal(complete(&id, WskInspectAccept), STATUS_FILE_FORCED_CLOSED);
    assert_int_equal(close_socket(end, driver.listener), STATUS_SUCCESS);
    assert_peer_is_cut_off(peer);
    wskemu_peer_close(peer);
}

static void a_listener_left_open_is_reported_with_what_waits_at_it(void **state)
{
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    assert_int_equal(open_wsk(end), STATUS_SUCCESS);
    start_inspecting(WskInspectPend);
    struct wskemu_peer *pended = make_peer();
    await_inspection(0);
    driver.action = WskInspectAccept;
    struct wskemu_peer *admitted = make_peer();
    await_inspection(1);
    wskemu_peer_close(pended);
    wskemu_peer_close(admitted);
    call_free(&end->call);
    assert_true(wskemu_shutdown() >= 2); /* the registration and the listener at least */
}

/* ---- broken rules ---- */

static void bind_without_routines(void *context)
{
    open_wsk(end);
    make_listener(context, 1);
    bind_loopback(end, driver.listener, AF_INET, NULL);
}

static void the_mode_needs_both_routines(void **state)
{
    PROVES("WSK-INSP-06");
    static const WSK_CLIENT_LISTEN_DISPATCH no_inspect = {note_connection, NULL, note_abort};
    static const WSK_CLIENT_LISTEN_DISPATCH no_abort = {note_connection, inspect, NULL};
    const WSK_CLIENT_LISTEN_DISPATCH *tables[] = {&no_inspect, &no_abort, NULL};
    for (unsigned i = 0; i < RTL_NUMBER_OF(tables); i++) {
        expect_bugcheck(bind_without_routines, (void *)(ULONG_PTR)tables[i],
                        DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, "WSK-INSP-06");
    }
}

static void answer_nonsense(void *context)
{
    KEVENT never;
    open_wsk(end);
    start_inspecting((WSK_INSPECT_ACTION)17);
    make_peer();
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    await(&never);
}

static void an_answer_that_is_none_is_found_out(void **state)
{
    PROVES("WSK-INSP-14");
    expect_bugcheck(answer_nonsense, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION,
                    "WSK-INSP-14");
}

static void another_answer_to_an_abort_is_warned_of(void **state)
{
    PROVES("WSK-INSP-32");
    start_inspecting(WskInspectPend);
    driver.abort_answer = STATUS_UNSUCCESSFUL;
    struct wskemu_peer *peer = make_peer();
    await_inspection(0);
    log_capture();
    wskemu_peer_reset(peer);
    await(&driver.abort_called);
    close_socket(end, driver.listener); /* which waits until the event is over */
    assert_true(log_named("WSK-INSP-32"));
}

static void the_mode_comes_before_the_bind(void **state)
{
    PROVES("WSK-INSP-02");
    make_listener(&inspecting, 0);
    assert_int_equal(bind_loopback(end, driver.listener, AF_INET, NULL), STATUS_SUCCESS);
    log_capture();
    NTSTATUS status = set_option(end, driver.listener, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1);
    assert_true(log_named("WSK-OPT-07"));
    assert_int_equal(status, STATUS_INVALID_DEVICE_STATE);
    close_socket(end, driver.listener);
}

static const struct CMUnitTest tests[] = {
    kernel_test_wsk(a_connection_is_inspected_before_it_is_accepted),
    kernel_test_wsk(the_mode_is_off_by_default),
    kernel_test_wsk(the_mode_stays_on),
    kernel_test_wsk(an_accept_waits_for_the_inspection),
    kernel_test_wsk(what_inspection_let_through_waits_for_an_accept),
    kernel_test_wsk(a_rejected_connection_is_dropped),
    kernel_test_wsk(pended_requests_are_answered_in_any_order),
    kernel_test_wsk(a_request_may_be_answered_before_its_event_returned_pend),
    kernel_test_wsk(a_peer_that_gives_up_aborts_its_pended_request),
    kernel_test_wsk(a_peer_that_sent_something_and_ended_its_stream_still_waits),
    kernel_test_wsk(inspect_complete_refuses_what_it_cannot_do),
    kernel_test_wsk(closing_the_listener_resets_what_waits),
    kernel_test_wsk(a_dead_listener_is_indicated_without_an_id),
    cmocka_unit_test(a_listener_left_open_is_reported_with_what_waits_at_it),
    kernel_test(the_mode_needs_both_routines),
    kernel_test(an_answer_that_is_none_is_found_out),
    kernel_test_wsk(another_answer_to_an_abort_is_warned_of),
    kernel_test_wsk(the_mode_comes_before_the_bind),
};

TEST_MAIN(tests)
