/* WskAcceptEvent, and what accepted sockets inherit. */
#include "log.h"
#include "wsk_end.h"

#include "wsk/client.h"

#include <wskemu/network.h>

#include <wskemu/peer.h>

#define CONNECTIONS 3
#define RECORDS 16

static struct wsk_end *const end = &test_end;

/* What one call of the accept event was told. */
struct record {
    PVOID context;
    ULONG flags;
    KIRQL irql;
    SOCKADDR_INET local;
    SOCKADDR_INET remote;
    PWSK_SOCKET socket;
    PVOID preset_context;
    const VOID *preset_dispatch;
};

/* What the driver of these tests does and saw. Results are for one thread at a time: call counts
 * are read after the semaphore told of the call. */
static struct driver {
    PWSK_SOCKET listener;
    SOCKADDR_INET address;
    NTSTATUS answer;
    void (*inside)(PWSK_SOCKET accepted); /* what to do in the accept event */
    PVOID context;                        /* of accepted sockets, with the table; NULL: untouched */
    struct record records[RECORDS];
    volatile LONG accepts;
    KSEMAPHORE accepted;
    BOOLEAN is_in_event;
    BOOLEAN was_early; /* a receive event came before the accept event returned */
    PVOID receive_context;
    PWSK_SOCKET received_on;
    volatile LONG receives;
    KSEMAPHORE received;
    struct wsk_call call; /* made inside of the event */
    UCHAR byte;
} driver;

static NTSTATUS WSKAPI note_data(PVOID SocketContext, ULONG Flags,
                                 PWSK_DATA_INDICATION DataIndication, SIZE_T BytesIndicated,
                                 SIZE_T *BytesAccepted)
{
    driver.was_early = driver.was_early || driver.is_in_event;
    driver.receive_context = SocketContext;
    InterlockedIncrement(&driver.receives);
    KeReleaseSemaphore(&driver.received, IO_NO_INCREMENT, 1, FALSE);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH receiving = {note_data, NULL, NULL};

static void copy_address(SOCKADDR_INET *copy, PSOCKADDR address)
{
    RtlCopyMemory(copy, address,
                  address->sa_family == AF_INET ? sizeof(SOCKADDR_IN) : sizeof(SOCKADDR_IN6));
}

static NTSTATUS WSKAPI note_connection(PVOID SocketContext, ULONG Flags, PSOCKADDR LocalAddress,
                                       PSOCKADDR RemoteAddress, PWSK_SOCKET AcceptSocket,
                                       PVOID *AcceptSocketContext,
                                       CONST WSK_CLIENT_CONNECTION_DISPATCH **AcceptSocketDispatch)
{
    struct record *record = &driver.records[(ULONG)driver.accepts % RECORDS];
    driver.is_in_event = TRUE;
    record->context = SocketContext;
    record->flags = Flags;
    record->irql = KeGetCurrentIrql();
    copy_address(&record->local, LocalAddress);
    copy_address(&record->remote, RemoteAddress);
    record->socket = AcceptSocket;
    record->preset_context = *AcceptSocketContext;
    record->preset_dispatch = *AcceptSocketDispatch;
    if (driver.context != NULL) {
        *AcceptSocketContext = driver.context;
        *AcceptSocketDispatch = &receiving;
    }
    if (driver.inside != NULL) {
        driver.inside(AcceptSocket);
    }
    driver.is_in_event = FALSE;
    InterlockedIncrement(&driver.accepts);
    KeReleaseSemaphore(&driver.accepted, IO_NO_INCREMENT, 1, FALSE);
    return driver.answer;
}

static const WSK_CLIENT_LISTEN_DISPATCH accepting = {note_connection, NULL, NULL};

static void reset_driver(void)
{
    RtlZeroMemory(&driver, sizeof(driver));
    KeInitializeSemaphore(&driver.accepted, 0, RECORDS);
    KeInitializeSemaphore(&driver.received, 0, RECORDS);
}

static void start_listening(ADDRESS_FAMILY family)
{
    reset_driver();
    driver.listener = listen_loopback(end, family, &driver, &accepting, &driver.address);
    assert_non_null(driver.listener);
}

static struct wskemu_peer *make_peer(void)
{
    struct wskemu_peer *peer;
    assert_int_equal(wskemu_peer_connect((PSOCKADDR)&driver.address, &peer), STATUS_SUCCESS);
    return peer;
}

static PWSK_SOCKET await_connection(unsigned number)
{
    await(&driver.accepted);
    return driver.records[number].socket;
}

static void assert_is_peer(const SOCKADDR_INET *remote, struct wskemu_peer *peer)
{
    SOCKADDR_STORAGE local;
    assert_int_equal(wskemu_peer_local_address(peer, &local), STATUS_SUCCESS);
    assert_address_equal(remote, (const SOCKADDR_INET *)&local);
}

static void assert_peer_is_cut_off(struct wskemu_peer *peer)
{
    NTSTATUS status = wskemu_peer_expect_end(peer);
    assert_true(status == STATUS_SUCCESS || status == STATUS_CONNECTION_RESET);
}

static void finish(PWSK_SOCKET accepted, struct wskemu_peer *peer)
{
    if (accepted != NULL) {
        close_socket(end, accepted);
    }
    wskemu_peer_close(peer);
}

/* ---- the event ---- */

static void check_record(unsigned number, struct wskemu_peer *peer)
{
    const struct record *record = &driver.records[number];
    SOCKADDR_INET address;
    assert_ptr_equal(record->context, &driver);
    assert_int_equal(record->flags & ~WSK_FLAG_AT_DISPATCH_LEVEL, 0);
    assert_int_equal(record->flags != 0, record->irql == DISPATCH_LEVEL);
    assert_null(record->preset_context);
    assert_null(record->preset_dispatch);
    assert_address_equal(&record->local, &driver.address);
    assert_is_peer(&record->remote, peer);
    assert_int_equal(local_address(end, record->socket, &address), STATUS_SUCCESS);
    assert_address_equal(&address, &record->local);
    assert_int_equal(remote_address(end, record->socket, &address), STATUS_SUCCESS);
    assert_address_equal(&address, &record->remote);
}

static void each_connection_is_indicated(void **state)
{
    PROVES("WSK-ACC-21", "WSK-ACC-22", "WSK-ACC-23", "WSK-ACC-26", "WSK-ACC-33", "WSK-EVT-03",
           "WSK-EVT-05", "WSK-DISP-16", "WSK-DISP-17", "WSK-CBE-17");
    for (unsigned round = 0; round < 2; round++) {
        ADDRESS_FAMILY family = round == 0 ? AF_INET : AF_INET6;
        start_listening(family);
        assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
        PWSK_SOCKET other = make_socket(end, family, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
        for (unsigned i = 0; i < CONNECTIONS; i++) {
            struct wskemu_peer *peer = make_peer();
            PWSK_SOCKET accepted = await_connection(i);
            assert_ptr_equal(accepted->Dispatch, other->Dispatch);
            check_record(i, peer);
            assert_int_equal(send_bytes(end, accepted, "hello", 5, 0, NULL), STATUS_SUCCESS);
            assert_int_equal(wskemu_peer_expect_bytes(peer, "hello", 5), STATUS_SUCCESS);
            finish(accepted, peer);
        }
        close_socket(end, other);
        close_socket(end, driver.listener);
    }
}

static void connections_that_came_before_the_event_was_enabled_are_indicated(void **state)
{
    struct wskemu_peer *peers[CONNECTIONS];
    start_listening(AF_INET);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        peers[i] = make_peer();
    }
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        PWSK_SOCKET accepted = await_connection(i);
        assert_is_peer(&driver.records[i].remote, peers[i]);
        finish(accepted, peers[i]);
    }
    close_socket(end, driver.listener);
}

static void a_disabled_event_leaves_connections_to_accepts_or_to_later(void **state)
{
    PROVES("WSK-EVT-02", "WSK-CBE-10", "WSK-CBE-33");
    STAYS_SILENT("WSK-CBE-03", "WSK-CBE-09");
    PWSK_SOCKET accepted;
    SOCKADDR_INET remote;
    start_listening(AF_INET);
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    assert_int_equal(disable_event_now(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    struct wskemu_peer *first = make_peer();
    struct wskemu_peer *second = make_peer();
    assert_int_equal(accept_socket(end, driver.listener, NULL, NULL, &accepted), STATUS_SUCCESS);
    assert_int_equal(remote_address(end, accepted, &remote), STATUS_SUCCESS);
    assert_is_peer(&remote, first);
    assert_int_equal(driver.accepts, 0);
    finish(accepted, first);
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    accepted = await_connection(0);
    assert_is_peer(&driver.records[0].remote, second);
    finish(accepted, second);
    close_socket(end, driver.listener);
}

static void a_queued_accept_takes_precedence(void **state)
{
    PROVES("WSK-ACC-17", "WSK-ACC-21");
    start_listening(AF_INET);
    NTSTATUS returned = accept_of(driver.listener)(driver.listener, 0, NULL, NULL, NULL, NULL,
                                                   call_irp(&end->call));
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    struct wskemu_peer *first = make_peer();
    assert_int_equal(call_wait(&end->call, returned), STATUS_SUCCESS);
    PWSK_SOCKET accepted = (PWSK_SOCKET)call_information(&end->call);
    assert_int_equal(driver.accepts, 0);
    struct wskemu_peer *second = make_peer();
    PWSK_SOCKET by_event = await_connection(0);
    assert_is_peer(&driver.records[0].remote, second);
    finish(by_event, second);
    finish(accepted, first);
    close_socket(end, driver.listener);
}

static void a_refused_connection_is_closed(void **state)
{
    PROVES("WSK-ACC-27");
    STAYS_SILENT("WSK-ACC-29");
    static const NTSTATUS refusals[] = {STATUS_REQUEST_NOT_ACCEPTED, STATUS_INSUFFICIENT_RESOURCES};
    start_listening(AF_INET);
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    for (unsigned i = 0; i < RTL_NUMBER_OF(refusals); i++) {
        driver.answer = refusals[i];
        struct wskemu_peer *peer = make_peer();
        await(&driver.accepted);
        assert_peer_is_cut_off(peer);
        finish(NULL, peer);
    }
    driver.answer = STATUS_SUCCESS;
    struct wskemu_peer *peer = make_peer();
    finish(await_connection(RTL_NUMBER_OF(refusals)), peer);
    close_socket(end, driver.listener);
}

static void another_success_accepts_the_connection_with_a_warning(void **state)
{
    start_listening(AF_INET);
    driver.answer = STATUS_PENDING;
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    struct wskemu_peer *peer = make_peer();
    PWSK_SOCKET accepted = await_connection(0);
    assert_int_equal(send_bytes(end, accepted, "hello", 5, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(peer, "hello", 5), STATUS_SUCCESS);
    finish(accepted, peer);
    close_socket(end, driver.listener);
}

static void a_dead_listener_is_indicated_without_a_socket(void **state)
{
    PROVES("WSK-ACC-24");
    static const NTSTATUS answers[] = {STATUS_SUCCESS, STATUS_REQUEST_NOT_ACCEPTED};
    for (unsigned i = 0; i < RTL_NUMBER_OF(answers); i++) {
        start_listening(AF_INET);
        driver.answer = answers[i];
        assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
        wskemu_socket_break(driver.listener);
        assert_null(await_connection(0));
        assert_ptr_equal(driver.records[0].context, &driver);
        assert_int_equal(close_socket(end, driver.listener), STATUS_SUCCESS);
        assert_int_equal(driver.accepts, 1);
    }
}

/* ---- inside the event ---- */

static void receive_inside(PWSK_SOCKET accepted)
{
    WSK_BUF buffer = call_buffer(&driver.call, &driver.byte, 1);
    receive_of(accepted)(accepted, &buffer, 0, call_irp(&driver.call));
}

static void the_event_may_use_the_accepted_socket(void **state)
{
    PROVES("WSK-EVT-08");
    start_listening(AF_INET);
    call_init(&driver.call);
    driver.inside = receive_inside;
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    struct wskemu_peer *peer = make_peer();
    PWSK_SOCKET accepted = await_connection(0);
    assert_int_equal(wskemu_peer_send_all(peer, "x", 1), STATUS_SUCCESS);
    await(&driver.call.done);
    assert_int_equal(driver.call.irp->IoStatus.Status, STATUS_SUCCESS);
    assert_int_equal(driver.byte, 'x');
    finish(accepted, peer);
    close_socket(end, driver.listener);
    call_free(&driver.call);
}

static void close_older_inside(PWSK_SOCKET accepted)
{
    if (driver.accepts == 1) {
        PWSK_SOCKET older = driver.records[0].socket;
        const WSK_PROVIDER_BASIC_DISPATCH *basic = older->Dispatch;
        basic->WskCloseSocket(older, call_irp(&driver.call));
    }
}

static void the_event_may_close_an_older_socket(void **state)
{
    start_listening(AF_INET);
    call_init(&driver.call);
    driver.inside = close_older_inside;
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    struct wskemu_peer *first = make_peer();
    await_connection(0);
    struct wskemu_peer *second = make_peer();
    PWSK_SOCKET accepted = await_connection(1);
    assert_int_equal(call_wait(&driver.call, STATUS_PENDING), STATUS_SUCCESS);
    assert_peer_is_cut_off(first);
    finish(NULL, first);
    finish(accepted, second);
    close_socket(end, driver.listener);
    call_free(&driver.call);
}

static void close_listener_inside(PWSK_SOCKET accepted)
{
    const WSK_PROVIDER_BASIC_DISPATCH *basic = driver.listener->Dispatch;
    basic->WskCloseSocket(driver.listener, call_irp(&driver.call));
}

static void the_event_may_close_its_listener(void **state)
{
    PROVES("WSK-CLOSE-08", "WSK-CLOSE-27");
    start_listening(AF_INET);
    call_init(&driver.call);
    driver.inside = close_listener_inside;
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    struct wskemu_peer *peer = make_peer();
    assert_int_equal(call_wait(&driver.call, STATUS_PENDING), STATUS_SUCCESS);
    assert_int_equal(driver.accepts, 1); /* counted as the event ends */
    finish(await_connection(0), peer);
    call_free(&driver.call);
}

static void enable_inside(PWSK_SOCKET accepted)
{
    enable_events(accepted, WSK_EVENT_RECEIVE);
}

static void events_enabled_inside_the_event_use_its_context_and_table(void **state)
{
    int context;
    start_listening(AF_INET);
    driver.context = &context;
    driver.inside = enable_inside;
    struct wskemu_peer *peer = make_peer();
    assert_int_equal(wskemu_peer_send_all(peer, "x", 1), STATUS_SUCCESS);
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    PWSK_SOCKET accepted = await_connection(0);
    await(&driver.received);
    assert_ptr_equal(driver.receive_context, &context);
    assert_false(driver.was_early);
    finish(accepted, peer);
    close_socket(end, driver.listener);
}

/* ---- inheritance ---- */

static void connection_events_of_the_listener_are_inherited(void **state)
{
    PROVES("WSK-ACC-34", "WSK-ACC-40", "WSK-CBE-21", "WSK-CBE-26");
    STAYS_SILENT("WSK-CBE-20", "WSK-CBE-24");
    int context;
    char byte;
    start_listening(AF_INET);
    driver.context = &context;
    struct wskemu_peer *peer = make_peer();
    assert_int_equal(wskemu_peer_send_all(peer, "x", 1), STATUS_SUCCESS);
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE),
                     STATUS_SUCCESS);
    PWSK_SOCKET accepted = await_connection(0);
    await(&driver.received);
    assert_ptr_equal(driver.receive_context, &context);
    assert_false(driver.was_early);
    assert_int_equal(disable_event(end, accepted, WSK_EVENT_RECEIVE), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_send_all(peer, "y", 1), STATUS_SUCCESS);
    assert_int_equal(receive_bytes(end, accepted, &byte, 1, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(byte, 'y');
    assert_int_equal(driver.receives, 1);
    finish(accepted, peer);
    close_socket(end, driver.listener);
}

static void nothing_is_inherited_that_was_not_enabled(void **state)
{
    PROVES("WSK-ACC-34");
    int context;
    char byte;
    start_listening(AF_INET);
    driver.context = &context;
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT | WSK_EVENT_DISCONNECT),
                     STATUS_SUCCESS);
    struct wskemu_peer *peer = make_peer();
    PWSK_SOCKET accepted = await_connection(0);
    assert_int_equal(wskemu_peer_send_all(peer, "x", 1), STATUS_SUCCESS);
    assert_int_equal(receive_bytes(end, accepted, &byte, 1, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(driver.receives, 0);
    finish(accepted, peer);
    close_socket(end, driver.listener);
}

static void inherited_events_stay_enabled_at_the_listener(void **state)
{
    PROVES("WSK-CBE-23", "WSK-CBE-25", "WSK-CBE-24");
    int context;
    start_listening(AF_INET);
    driver.context = &context;
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE),
                     STATUS_SUCCESS);
    log_capture();
    NTSTATUS status = disable_event_now(driver.listener, WSK_EVENT_RECEIVE);
    assert_true(log_named("WSK-CBE-24"));
    assert_false(NT_SUCCESS(status));
    assert_int_equal(disable_event(end, driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    struct wskemu_peer *peer = make_peer();
    PWSK_SOCKET accepted = await_connection(0);
    assert_int_equal(wskemu_peer_send_all(peer, "x", 1), STATUS_SUCCESS);
    await(&driver.received);
    finish(accepted, peer);
    close_socket(end, driver.listener);
}

static void static_events_reach_listeners_and_what_they_accept(void **state)
{
    PROVES("WSK-CTL-29", "WSK-CTL-30");
    int context;
    PWSK_SOCKET accepted;
    assert_int_equal(enable_static_events(end, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE),
                     STATUS_SUCCESS);
    start_listening(AF_INET);
    driver.context = &context;
    struct wskemu_peer *peer = make_peer();
    accepted = await_connection(0);
    assert_int_equal(wskemu_peer_send_all(peer, "x", 1), STATUS_SUCCESS);
    await(&driver.received);
    assert_ptr_equal(driver.receive_context, &context);
    finish(accepted, peer);
    /* The emulator's choice: sockets accepted by IRP have static events, too. */
    NTSTATUS returned = accept_of(driver.listener)(driver.listener, 0, &driver, &receiving, NULL,
                                                   NULL, call_irp(&end->call));
    peer = make_peer();
    assert_int_equal(call_wait(&end->call, returned), STATUS_SUCCESS);
    accepted = (PWSK_SOCKET)call_information(&end->call);
    assert_int_equal(wskemu_peer_send_all(peer, "x", 1), STATUS_SUCCESS);
    await(&driver.received);
    assert_ptr_equal(driver.receive_context, &driver);
    finish(accepted, peer);
    close_socket(end, driver.listener);
}

/* ---- many ---- */

#define MANY 200
#define PEER_THREADS 2
#define QUEUED 2

/* Connections that come by event, while accepts that are queued again and again take others. */
static struct crowd {
    PWSK_SOCKET sockets[MANY];
    volatile LONG count;
    KEVENT complete;
    struct wskemu_peer *peers[MANY];
    NTSTATUS statuses[PEER_THREADS];
    KSEMAPHORE ended; /* accepts that are not queued again */
} crowd;

static void join_crowd(PWSK_SOCKET accepted)
{
    LONG count = InterlockedIncrement(&crowd.count);
    if (count <= MANY) {
        crowd.sockets[count - 1] = accepted;
    }
    if (count == MANY) {
        KeSetEvent(&crowd.complete, IO_NO_INCREMENT, FALSE);
    }
}

static NTSTATUS WSKAPI join_by_event(PVOID SocketContext, ULONG Flags, PSOCKADDR LocalAddress,
                                     PSOCKADDR RemoteAddress, PWSK_SOCKET AcceptSocket,
                                     PVOID *AcceptSocketContext,
                                     CONST WSK_CLIENT_CONNECTION_DISPATCH **AcceptSocketDispatch)
{
    join_crowd(AcceptSocket);
    return STATUS_SUCCESS;
}

static NTSTATUS join_by_irp(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    if (NT_SUCCESS(irp->IoStatus.Status)) {
        join_crowd((PWSK_SOCKET)irp->IoStatus.Information);
    }
    if (!NT_SUCCESS(irp->IoStatus.Status) || crowd.count == MANY) {
        KeReleaseSemaphore(&crowd.ended, IO_NO_INCREMENT, 1, FALSE);
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(irp, join_by_irp, NULL, TRUE, TRUE, TRUE);
    accept_of(driver.listener)(driver.listener, 0, NULL, NULL, NULL, NULL, irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID send_peers(PVOID context)
{
    ULONG_PTR thread = (ULONG_PTR)context;
    NTSTATUS status = STATUS_SUCCESS;
    for (ULONG i = (ULONG)thread; i < MANY && status == STATUS_SUCCESS; i += PEER_THREADS) {
        status = wskemu_peer_connect((PSOCKADDR)&driver.address, &crowd.peers[i]);
        if (status == STATUS_SUCCESS) {
            status = wskemu_peer_send_all(crowd.peers[i], &i, sizeof(i));
        }
    }
    crowd.statuses[thread] = status;
}

static void check_crowd(void)
{
    BOOLEAN is_there[MANY] = {0};
    for (unsigned i = 0; i < MANY; i++) {
        ULONG number = MANY;
        assert_int_equal(
            receive_bytes(end, crowd.sockets[i], &number, sizeof(number), WSK_FLAG_WAITALL, NULL),
            STATUS_SUCCESS);
        assert_true(number < MANY);
        assert_false(is_there[number]);
        is_there[number] = TRUE;
        finish(crowd.sockets[i], crowd.peers[number]);
    }
}

static void many_connections_are_each_delivered_once(void **state)
{
    static const WSK_CLIENT_LISTEN_DISPATCH table = {join_by_event, NULL, NULL};
    PIRP irps[QUEUED];
    PKTHREAD threads[PEER_THREADS];
    RtlZeroMemory(&crowd, sizeof(crowd));
    KeInitializeEvent(&crowd.complete, NotificationEvent, FALSE);
    KeInitializeSemaphore(&crowd.ended, 0, QUEUED);
    reset_driver();
    driver.listener = listen_loopback(end, AF_INET, NULL, &table, &driver.address);
    assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
    for (ULONG_PTR i = 0; i < PEER_THREADS; i++) {
        threads[i] = start_thread(send_peers, (PVOID)i);
    }
    for (unsigned i = 0; i < QUEUED; i++) {
        irps[i] = IoAllocateIrp(1, FALSE);
        IoSetCompletionRoutine(irps[i], join_by_irp, NULL, TRUE, TRUE, TRUE);
        accept_of(driver.listener)(driver.listener, 0, NULL, NULL, NULL, NULL, irps[i]);
    }
    await(&crowd.complete);
    for (unsigned i = 0; i < PEER_THREADS; i++) {
        join_thread(threads[i]);
        assert_int_equal(crowd.statuses[i], STATUS_SUCCESS);
    }
    for (unsigned i = 0; i < QUEUED; i++) {
        IoCancelIrp(irps[i]); /* the one that took the last connection has ended already */
    }
    for (unsigned i = 0; i < QUEUED; i++) {
        await(&crowd.ended);
    }
    check_crowd();
    assert_int_equal(crowd.count, MANY);
    close_socket(end, driver.listener);
    for (unsigned i = 0; i < QUEUED; i++) {
        IoFreeIrp(irps[i]);
    }
}

/* ---- broken rules ---- */

static void close_it_inside(PWSK_SOCKET accepted)
{
    const WSK_PROVIDER_BASIC_DISPATCH *basic = accepted->Dispatch;
    basic->WskCloseSocket(accepted, call_irp(&driver.call));
}

static void refuse_a_closed_socket(void *context)
{
    KEVENT never;
    open_wsk(end);
    start_listening(AF_INET);
    call_init(&driver.call);
    driver.answer = STATUS_REQUEST_NOT_ACCEPTED;
    driver.inside = close_it_inside;
    enable_events(driver.listener, WSK_EVENT_ACCEPT);
    make_peer();
    KeInitializeEvent(&never, NotificationEvent, FALSE);
    await(&never);
}

static void refusing_a_socket_that_the_driver_closed_is_found_out(void **state)
{
    PROVES("WSK-ACC-29");
    expect_bugcheck(refuse_a_closed_socket, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION,
                    "WSK-ACC-29");
}

static void another_answer_is_warned_of(void **state)
{
    PROVES("WSK-ACC-28");
    static const struct {
        NTSTATUS answer;
        BOOLEAN is_accepted;
        const char *told;
    } answers[] = {{STATUS_UNSUCCESSFUL, FALSE, ") returned 0xC0000001 STATUS_UNSUCCESSFUL: "},
                   {STATUS_PENDING, TRUE, ") returned 0x00000103 STATUS_PENDING: "}};
    for (unsigned i = 0; i < RTL_NUMBER_OF(answers); i++) {
        start_listening(AF_INET);
        driver.answer = answers[i].answer;
        log_capture();
        assert_int_equal(enable_events(driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
        struct wskemu_peer *peer = make_peer();
        PWSK_SOCKET accepted = await_connection(0);
        assert_int_equal(disable_event(end, driver.listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS);
        assert_true(log_named("warning WSK-ACC-28: WskAcceptEvent ("));
        assert_true(log_named(answers[i].told));
        if (answers[i].is_accepted) {
            close_socket(end, accepted);
        }
        assert_peer_is_cut_off(peer);
        wskemu_peer_close(peer);
        close_socket(end, driver.listener);
    }
}

static const struct CMUnitTest tests[] = {
    kernel_test_wsk(each_connection_is_indicated),
    kernel_test_wsk(connections_that_came_before_the_event_was_enabled_are_indicated),
    kernel_test_wsk(a_disabled_event_leaves_connections_to_accepts_or_to_later),
    kernel_test_wsk(a_queued_accept_takes_precedence),
    kernel_test_wsk(a_refused_connection_is_closed),
    kernel_test_wsk(another_success_accepts_the_connection_with_a_warning),
    kernel_test_wsk(a_dead_listener_is_indicated_without_a_socket),
    kernel_test_wsk(the_event_may_use_the_accepted_socket),
    kernel_test_wsk(the_event_may_close_an_older_socket),
    kernel_test_wsk(the_event_may_close_its_listener),
    kernel_test_wsk(events_enabled_inside_the_event_use_its_context_and_table),
    kernel_test_wsk(connection_events_of_the_listener_are_inherited),
    kernel_test_wsk(nothing_is_inherited_that_was_not_enabled),
    kernel_test_wsk(inherited_events_stay_enabled_at_the_listener),
    kernel_test_wsk(static_events_reach_listeners_and_what_they_accept),
    kernel_test_wsk(many_connections_are_each_delivered_once),
    kernel_test(refusing_a_socket_that_the_driver_closed_is_found_out),
    kernel_test_wsk(another_answer_is_warned_of),
};

TEST_MAIN(tests)
