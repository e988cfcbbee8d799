/* Event callbacks: what they must leave alone once they have returned. */
#include "full.h"
#include "wsk_datagram.h"
#include "wsk_pair.h"

#include <wskemu/network.h>
#include <wskemu/peer.h>

#define VIOLATION DRIVER_VERIFIER_DETECTED_VIOLATION
#define WSK_VIOLATION 0x57534B
#define FREED DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL

static struct wsk_pair pair;

/* What a callback does, and what it saw. */
static struct {
    NTSTATUS answer;
    SIZE_T accepts; /* bytes of the first call; all if 0 */
    PVOID indication;
    volatile UCHAR *data;
    LONG calls;
    KEVENT called;
} seen;

static void reset(NTSTATUS answer)
{
    RtlZeroMemory(&seen, sizeof(seen));
    seen.answer = answer;
    KeInitializeEvent(&seen.called, NotificationEvent, FALSE);
}

/* ---- received data ---- */

static NTSTATUS WSKAPI on_receive(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                  SIZE_T indicated, SIZE_T *accepted)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(indicated);
    if (seen.calls == 0) {
        seen.indication = indication;
        seen.data =
            (UCHAR *)MmGetSystemAddressForMdlSafe(indication->Buffer.Mdl, NormalPagePriority) +
            indication->Buffer.Offset;
        if (seen.accepts != 0) {
            *accepted = seen.accepts;
        }
    }
    seen.calls++;
    NTSTATUS verdict = seen.answer; /* the test goes on before this returns */
    KeSetEvent(&seen.called, IO_NO_INCREMENT, FALSE);
    return verdict;
}

static const WSK_CLIENT_CONNECTION_DISPATCH receive_table = {.WskReceiveEvent = on_receive};

static void indicate_data(void)
{
    open_pair(&pair, NULL, &receive_table);
    enable_events(pair.near, WSK_EVENT_RECEIVE);
    send_all(&pair, pair.far, "hello", 5);
    await(&seen.called);
    disable_event(&pair.end, pair.near, WSK_EVENT_RECEIVE); /* the event has returned */
}

static void touch_data(void *context)
{
    UNREFERENCED_PARAMETER(context);
    reset(STATUS_SUCCESS);
    indicate_data();
    read_at(seen.data);
}

static void touch_list(void *context)
{
    UNREFERENCED_PARAMETER(context);
    reset(STATUS_SUCCESS);
    indicate_data();
    read_at(seen.indication);
}

static void touch_refused_data(void *context)
{
    UNREFERENCED_PARAMETER(context);
    reset(STATUS_DATA_NOT_ACCEPTED);
    indicate_data();
    read_at(seen.data);
}

static void release(PVOID indication)
{
    const WSK_PROVIDER_CONNECTION_DISPATCH *table = pair.near->Dispatch;
    table->WskRelease(pair.near, indication);
}

static void touch_released_data(void *context)
{
    UNREFERENCED_PARAMETER(context);
    reset(STATUS_PENDING);
    indicate_data();
    release(seen.indication);
    read_at(seen.data);
}

static void touch_kept_data(void *context)
{
    static UCHAR bytes[5];
    UNREFERENCED_PARAMETER(context);
    reset(STATUS_PENDING);
    indicate_data();
    read_at(seen.data);
    release(seen.indication);
    close_pair(&pair);
    reset(STATUS_SUCCESS);
    seen.accepts = 2;
    indicate_data();
    receive_all(&pair, pair.near, bytes, 3);
    assert_memory_equal(bytes, "llo", 3);
    close_pair(&pair);
}

/* ---- datagrams ---- */

static NTSTATUS WSKAPI on_datagrams(PVOID context, ULONG flags, PWSK_DATAGRAM_INDICATION indication)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    seen.indication = indication;
    NTSTATUS verdict = seen.answer; /* the test goes on before this returns */
    KeSetEvent(&seen.called, IO_NO_INCREMENT, FALSE);
    return verdict;
}

static const WSK_CLIENT_DATAGRAM_DISPATCH datagrams_table = {.WskReceiveFromEvent = on_datagrams};
static PWSK_SOCKET datagram;

static void indicate_datagram(void)
{
    SOCKADDR_INET bound;
    open_wsk(&pair.end);
    datagram = open_datagram(&pair.end, AF_INET, NULL, &datagrams_table, &bound);
    enable_events(datagram, WSK_EVENT_RECEIVE_FROM);
    send_datagram(&pair.end, datagram, "hello", 5, &bound, NULL);
    await(&seen.called);
    disable_event(&pair.end, datagram, WSK_EVENT_RECEIVE_FROM);
}

static void touch_datagram(void *context)
{
    UNREFERENCED_PARAMETER(context);
    reset(STATUS_SUCCESS);
    indicate_datagram();
    read_at(seen.indication);
}

static void touch_kept_datagram(void *context)
{
    UNREFERENCED_PARAMETER(context);
    reset(STATUS_PENDING);
    indicate_datagram();
    read_at(seen.indication);
    datagram_table(datagram)->WskRelease(datagram, seen.indication);
    close_socket(&pair.end, datagram);
    close_wsk(&pair.end);
}

static void test_touching_what_an_event_gave_is_caught(void **state)
{
    PROVES("WSK-IND-06");
    expect_at_full(touch_data, FREED, "WSK-IND-06", "received data");
    expect_at_full(touch_list, FREED, "WSK-IND-06", "received data");
    expect_at_full(touch_refused_data, FREED, "WSK-IND-06", "received data");
    expect_at_full(touch_released_data, FREED, "WSK-IND-06", "received data");
    expect_at_full(touch_datagram, FREED, "WSK-IND-06", "received datagram");
}

static void test_touching_what_is_kept_is_fine(void **state)
{
    STAYS_SILENT("WSK-IND-06", "WSK-IND-08", "WSK-IND-10");
    expect_silence_at_full(touch_kept_data);
    expect_silence_at_full(touch_kept_datagram);
}

/* ---- lists that are cut, and kept too long ---- */

static struct {
    PWSK_DATAGRAM_INDICATION list;
    unsigned count;
} kept;

static NTSTATUS WSKAPI keep_datagrams(PVOID context, ULONG flags,
                                      PWSK_DATAGRAM_INDICATION indication)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    kept.list = indication;
    kept.count = 0;
    for (PWSK_DATAGRAM_INDICATION next = indication; next != NULL; next = next->Next) {
        kept.count++;
    }
    KeSetEvent(&seen.called, IO_NO_INCREMENT, FALSE);
    return STATUS_PENDING;
}

/* Several datagrams in one list. context: whether its second is released first. */
static void release_a_list(void *context)
{
    static const WSK_CLIENT_DATAGRAM_DISPATCH table = {.WskReceiveFromEvent = keep_datagrams};
    SOCKADDR_INET bound;
    struct wskemu_options options = {.verifier = WSKEMU_VERIFIER_STANDARD};
    wskemu_shutdown();
    wskemu_boot(&options);
    reset(STATUS_PENDING);
    open_wsk(&pair.end);
    datagram = open_datagram(&pair.end, AF_INET, NULL, &table, &bound);
    for (unsigned i = 0; i < 4; i++) {
        send_datagram(&pair.end, datagram, "x", 1, &bound, NULL);
    }
    enable_events(datagram, WSK_EVENT_RECEIVE_FROM);
    await(&seen.called);
    disable_event(&pair.end, datagram, WSK_EVENT_RECEIVE_FROM);
    assert_true(kept.count > 1);
    if (context != NULL) {
        PWSK_DATAGRAM_INDICATION rest = kept.list->Next;
        kept.list->Next = NULL;
        datagram_table(datagram)->WskRelease(datagram, rest);
    }
    datagram_table(datagram)->WskRelease(datagram, kept.list);
    close_socket(&pair.end, datagram);
    close_wsk(&pair.end);
}

static void test_cutting_a_list_is_warned_of(void **state)
{
    PROVES("WSK-IND-09");
    expect_warning(release_a_list, &kept, "WSK-IND-09");
}

static void test_releasing_a_list_by_its_head_is_fine(void **state)
{
    STAYS_SILENT("WSK-IND-09");
    expect_silence(release_a_list, NULL);
}

#define HOARD 4096
#define SENDS 96
#define BYTES 65536

static struct {
    PWSK_DATA_INDICATION lists[HOARD];
    volatile LONG count;
    SIZE_T bytes;
} hoard;

static NTSTATUS WSKAPI hoard_data(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                  SIZE_T indicated, SIZE_T *accepted)
{
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(accepted);
    hoard.bytes += indicated;
    if (hoard.bytes == SENDS * BYTES) {
        KeSetEvent(&seen.called, IO_NO_INCREMENT, FALSE);
    }
    if (context == NULL || hoard.count == HOARD) {
        return STATUS_SUCCESS;
    }
    hoard.lists[hoard.count] = indication;
    InterlockedIncrement(&hoard.count);
    return STATUS_PENDING;
}

/* Receives more than any driver should keep. context: NULL for one that keeps nothing. */
static void receive_much(void *context)
{
    static const WSK_CLIENT_CONNECTION_DISPATCH table = {.WskReceiveEvent = hoard_data};
    static UCHAR much[BYTES];
    reset(STATUS_PENDING);
    RtlZeroMemory(&hoard, sizeof(hoard));
    open_pair(&pair, context, &table);
    enable_events(pair.near, WSK_EVENT_RECEIVE);
    for (unsigned i = 0; i < SENDS; i++) {
        send_all(&pair, pair.far, much, sizeof(much));
    }
    await(&seen.called);
    disable_event(&pair.end, pair.near, WSK_EVENT_RECEIVE);
    for (LONG i = 0; i < hoard.count; i++) {
        release(hoard.lists[i]);
    }
    close_pair(&pair);
}

static void test_keeping_too_much_is_warned_of(void **state)
{
    PROVES("WSK-EVT-21", "WSK-IND-15");
    expect_warning(receive_much, &hoard, "WSK-EVT-21");
    expect_warning(receive_much, &hoard, "WSK-IND-15");
}

static void test_keeping_nothing_is_fine(void **state)
{
    STAYS_SILENT("WSK-EVT-21", "WSK-IND-15");
    expect_silence(receive_much, NULL);
}

/* ---- addresses and ids of listeners ---- */

static struct {
    PSOCKADDR local;
    PSOCKADDR remote;
    PWSK_INSPECT_ID id;
    WSK_INSPECT_ID copies[64];
    WSK_INSPECT_ACTION action;
    volatile LONG count;
    KSEMAPHORE called;
    PWSK_SOCKET listener;
    SOCKADDR_INET address;
    struct wskemu_peer *peers[32];
} inspector;

static NTSTATUS WSKAPI on_accept(PVOID context, ULONG flags, PSOCKADDR local, PSOCKADDR remote,
                                 PWSK_SOCKET accepted, PVOID *accepted_context,
                                 CONST WSK_CLIENT_CONNECTION_DISPATCH **accepted_dispatch)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(accepted);
    UNREFERENCED_PARAMETER(accepted_context);
    UNREFERENCED_PARAMETER(accepted_dispatch);
    inspector.local = local;
    inspector.remote = remote;
    KeReleaseSemaphore(&inspector.called, IO_NO_INCREMENT, 1, FALSE);
    return STATUS_REQUEST_NOT_ACCEPTED;
}

static WSK_INSPECT_ACTION WSKAPI on_inspect(PVOID context, PSOCKADDR local, PSOCKADDR remote,
                                            PWSK_INSPECT_ID id)
{
    UNREFERENCED_PARAMETER(context);
    inspector.local = local;
    inspector.remote = remote;
    inspector.id = id;
    inspector.copies[inspector.count] = *id;
    InterlockedIncrement(&inspector.count);
    WSK_INSPECT_ACTION action = inspector.action; /* the test goes on before this returns */
    KeReleaseSemaphore(&inspector.called, IO_NO_INCREMENT, 1, FALSE);
    return action;
}

static NTSTATUS WSKAPI on_abort(PVOID context, PWSK_INSPECT_ID id)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(id);
    return STATUS_SUCCESS;
}

static void connect_peers(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        wskemu_peer_connect((PSOCKADDR)&inspector.address, &inspector.peers[i]);
        await(&inspector.called);
    }
}

static void listen_with(const WSK_CLIENT_LISTEN_DISPATCH *table, ULONG is_conditional)
{
    RtlZeroMemory(&inspector, sizeof(inspector));
    KeInitializeSemaphore(&inspector.called, 0, 64);
    inspector.action = WskInspectPend;
    open_wsk(&pair.end);
    inspector.listener = make_socket(&pair.end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, table);
    set_option(&pair.end, inspector.listener, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, is_conditional);
    bind_loopback(&pair.end, inspector.listener, AF_INET, &inspector.address);
}

static const WSK_CLIENT_LISTEN_DISPATCH inspecting = {NULL, on_inspect, on_abort};
static const WSK_CLIENT_LISTEN_DISPATCH accepting = {.WskAcceptEvent = on_accept};

static NTSTATUS answer(PWSK_INSPECT_ID id)
{
    const WSK_PROVIDER_LISTEN_DISPATCH *table = inspector.listener->Dispatch;
    return call_wait(&pair.end.call,
                     table->WskInspectComplete(inspector.listener, id, WskInspectReject,
                                               call_irp(&pair.end.call)));
}

static void end_listening(unsigned peers)
{
    for (unsigned i = 0; i < peers; i++) {
        wskemu_peer_close(inspector.peers[i]);
    }
    close_socket(&pair.end, inspector.listener);
    close_wsk(&pair.end);
}

static void inspect(unsigned peers)
{
    listen_with(&inspecting, 1);
    connect_peers(peers);
}

static void answer_by_pointer(void *context)
{
    UNREFERENCED_PARAMETER(context);
    inspect(1);
    PWSK_INSPECT_ID first = inspector.id;
    connect_peers(1); /* the first event has returned */
    answer(first);
}

/* The event has returned: the next one was called. */
static void touch_id(void *context)
{
    UNREFERENCED_PARAMETER(context);
    inspect(1);
    PWSK_INSPECT_ID first = inspector.id;
    connect_peers(1);
    read_at((UCHAR *)first);
}

static void touch_inspected_address(void *context)
{
    UNREFERENCED_PARAMETER(context);
    inspect(1);
    PSOCKADDR first = inspector.remote;
    connect_peers(1);
    read_at((UCHAR *)first);
}

static void touch_accepted_address(void *context)
{
    UNREFERENCED_PARAMETER(context);
    listen_with(&accepting, 0);
    enable_events(inspector.listener, WSK_EVENT_ACCEPT);
    connect_peers(1);
    disable_event(&pair.end, inspector.listener, WSK_EVENT_ACCEPT);
    read_at((UCHAR *)inspector.remote);
}

/* context: whether the first request is left alone. */
static void answer_all_but(void *context)
{
    inspect(20);
    for (LONG i = context != NULL ? 1 : 0; i < 20; i++) {
        answer(&inspector.copies[i]);
    }
    end_listening(20);
}

static void test_keeping_pointers_of_a_listeners_events_is_caught(void **state)
{
    PROVES("WSK-INSP-23", "WSK-INSP-15", "WSK-INSP-17", "WSK-ACC-32");
    expect_bugcheck(answer_by_pointer, NULL, VIOLATION, WSK_VIOLATION, "WSK-INSP-23");
    expect_at_full(touch_id, FREED, "WSK-INSP-15", "WSK_INSPECT_ID");
    expect_at_full(touch_inspected_address, FREED, "WSK-INSP-17", "address");
    expect_at_full(touch_accepted_address, FREED, "WSK-ACC-32", "address");
}

static void test_a_request_that_is_forgotten_is_warned_of(void **state)
{
    PROVES("WSK-INSP-16");
    expect_warning(answer_all_but, &inspector, "WSK-INSP-16");
}

static void test_answering_every_request_by_its_copy_is_fine(void **state)
{
    STAYS_SILENT("WSK-INSP-23", "WSK-INSP-15", "WSK-INSP-16", "WSK-INSP-17", "WSK-ACC-32");
    expect_silence(answer_all_but, NULL);
    at_full();
    expect_silence(answer_all_but, NULL);
}

/* ---- WskClientEvent ---- */

static NTSTATUS WSKAPI on_client_event(PVOID context, ULONG type, PVOID information, SIZE_T length)
{
    UNREFERENCED_PARAMETER(type);
    UNREFERENCED_PARAMETER(length);
    if (context != NULL) {
        write_at(information);
    }
    seen.data = information;
    return STATUS_NOT_IMPLEMENTED;
}

static void send_client_event(BOOLEAN writes, BOOLEAN touches)
{
    static const WSK_CLIENT_DISPATCH dispatch = {MAKE_WSK_VERSION(1, 0), 0, on_client_event};
    static WSK_REGISTRATION registration;
    WSK_CLIENT_NPI npi = {writes ? &seen : NULL, &dispatch};
    ULONG information = 1;
    WskRegister(&npi, &registration);
    wskemu_client_event(1, &information, sizeof(information));
    if (touches) {
        read_at(seen.data);
    }
    WskDeregister(&registration);
}

static void write_to_information(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_client_event(TRUE, FALSE);
}

static void touch_information_later(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_client_event(FALSE, TRUE);
}

static void leave_information(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_client_event(FALSE, FALSE);
}

static void test_writing_to_a_client_events_information_is_caught(void **state)
{
    PROVES("WSK-EVT-70");
    expect_at_full(write_to_information, VIOLATION, "WSK-EVT-70", "wrote to");
    expect_at_full(touch_information_later, FREED, "WSK-EVT-70", "information");
}

static void test_reading_a_client_events_information_is_fine(void **state)
{
    STAYS_SILENT("WSK-EVT-70");
    expect_silence_at_full(leave_information);
}

/* ---- a callback that is disabled while it runs ---- */

static struct {
    volatile LONG is_entered;
    volatile LONG is_held; /* the callback does not return while it is not 0 */
} hold;

static NTSTATUS WSKAPI on_receive_held(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                       SIZE_T indicated, SIZE_T *accepted)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(indication);
    UNREFERENCED_PARAMETER(indicated);
    UNREFERENCED_PARAMETER(accepted);
    InterlockedExchange(&hold.is_entered, 1);
    while (InterlockedCompareExchange(&hold.is_held, 0, 0) != 0) {
        YieldProcessor();
    }
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH held_table = {.WskReceiveEvent = on_receive_held};

static VOID send_one(PVOID context)
{
    struct wsk_call call;
    UNREFERENCED_PARAMETER(context);
    call_init(&call);
    call_wait(&call, begin_send(&call, pair.far, "x", 1, 0));
    call_free(&call);
}

/* A thread that waits may lead, and be held itself: so another thread sends, and this one looks. */
static PKTHREAD hold_callback(PVOID context)
{
    hold.is_entered = 0;
    hold.is_held = 1;
    open_pair(&pair, context, &held_table);
    enable_events(pair.near, WSK_EVENT_RECEIVE);
    PKTHREAD sender = start_thread(send_one, NULL);
    while (InterlockedCompareExchange(&hold.is_entered, 0, 0) == 0) {
        YieldProcessor();
    }
    return sender;
}

static void disable_and_free(bool waits)
{
    PVOID own = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, 'tneV');
    PKTHREAD sender = hold_callback(own);
    disable_event_now(pair.near, WSK_EVENT_RECEIVE);
    if (!waits) {
        ExFreePoolWithTag(own, 'tneV');
    }
    InterlockedExchange(&hold.is_held, 0);
    while (disable_event_now(pair.near, WSK_EVENT_RECEIVE) == STATUS_EVENT_PENDING) {
        YieldProcessor();
    }
    join_thread(sender);
    close_pair(&pair);
    ExFreePoolWithTag(own, 'tneV');
}

static void free_while_it_runs(void *context)
{
    UNREFERENCED_PARAMETER(context);
    disable_and_free(false);
}

static void free_when_it_has_returned(void *context)
{
    UNREFERENCED_PARAMETER(context);
    disable_and_free(true);
}

static void test_freeing_the_context_of_a_disabled_callback_that_runs_is_caught(void **state)
{
    PROVES("WSK-CBE-14");
    expect_at_full(free_while_it_runs, VIOLATION, "WSK-CBE-14", "in a block that was freed");
}

static void test_freeing_the_context_when_the_callback_has_returned_is_fine(void **state)
{
    STAYS_SILENT("WSK-CBE-14", "WSK-CLOSE-23");
    expect_silence_at_full(free_when_it_has_returned);
}

static const struct CMUnitTest tests[] = {
    kernel_test(test_touching_what_an_event_gave_is_caught),
    kernel_test(test_touching_what_is_kept_is_fine),
    kernel_test(test_cutting_a_list_is_warned_of),
    kernel_test(test_releasing_a_list_by_its_head_is_fine),
    kernel_test(test_keeping_too_much_is_warned_of),
    kernel_test(test_keeping_nothing_is_fine),
    kernel_test(test_keeping_pointers_of_a_listeners_events_is_caught),
    kernel_test(test_a_request_that_is_forgotten_is_warned_of),
    kernel_test(test_answering_every_request_by_its_copy_is_fine),
    kernel_test(test_writing_to_a_client_events_information_is_caught),
    kernel_test(test_reading_a_client_events_information_is_fine),
    kernel_test(test_freeing_the_context_of_a_disabled_callback_that_runs_is_caught),
    kernel_test(test_freeing_the_context_when_the_callback_has_returned_is_fine),
};

TEST_MAIN(tests)
