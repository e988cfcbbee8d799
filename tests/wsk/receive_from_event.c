/* WskReceiveFromEvent, and WskRelease of datagrams. */
#include "wsk_datagram.h"

#include "wsk/client.h"

#include <wskemu/network.h>

#define SEEN_MAX 128
#define CALLS_MAX 64
#define LARGE 60000

/* One datagram that was indicated. */
struct seen {
    PWSK_DATAGRAM_INDICATION indication;
    SIZE_T length;
    UCHAR first;
    USHORT port; /* of the sender */
};

/* Who listens, what he answers, and what he saw. */
struct listener {
    KSPIN_LOCK lock;
    KEVENT called;
    PWSK_SOCKET socket;
    NTSTATUS verdict;
    BOOLEAN releases_inside; /* releases all but the first of a list inside the callback */
    BOOLEAN echoes;
    struct wsk_call echo;
    unsigned calls;
    unsigned nulls;
    unsigned broken; /* laws of an indication that did not hold */
    ULONG flags[CALLS_MAX];
    unsigned counts[CALLS_MAX]; /* datagrams of each call */
    unsigned count;
    struct seen seen[SEEN_MAX];
};

static BOOLEAN is_whole(const WSK_DATAGRAM_INDICATION *indication)
{
    const WSK_BUF *buffer = &indication->Buffer;
    PMDL mdl = buffer->Mdl;
    if (mdl == NULL || mdl->Next != NULL ||
        (mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)) == 0) {
        return FALSE;
    }
    return mdl->MappedSystemVa != NULL && mdl->ByteCount == buffer->Length && buffer->Offset == 0;
}

static void note_datagram(struct listener *listener, PWSK_DATAGRAM_INDICATION indication)
{
    struct seen *seen = &listener->seen[listener->count++];
    const UCHAR *data = indication->Buffer.Mdl->MappedSystemVa;
    seen->indication = indication;
    seen->length = indication->Buffer.Length;
    seen->first = seen->length == 0 ? 0 : data[0];
    seen->port = port_of((const SOCKADDR_INET *)indication->RemoteAddress);
    if (!is_whole(indication) || indication->ControlInfo != NULL ||
        indication->ControlInfoLength != 0 || indication->RemoteAddress->sa_family != AF_INET) {
        listener->broken++;
    }
    for (SIZE_T i = 1; i < seen->length; i++) {
        if (data[i] != (UCHAR)(seen->first + i)) {
            listener->broken++;
            return;
        }
    }
}

static void echo(struct listener *listener, const WSK_DATAGRAM_INDICATION *indication)
{
    SOCKADDR_INET to = *(SOCKADDR_INET *)indication->RemoteAddress;
    WSK_BUF buffer = call_buffer(&listener->echo, "echo", 4);
    datagram_table(listener->socket)
        ->WskSendTo(listener->socket, &buffer, 0, (PSOCKADDR)&to, 0, NULL,
                    call_irp(&listener->echo));
}

static void release_all_but_first(struct listener *listener, PWSK_DATAGRAM_INDICATION list)
{
    PWSK_DATAGRAM_INDICATION rest = list->Next;
    list->Next = NULL;
    if (rest != NULL &&
        datagram_table(listener->socket)->WskRelease(listener->socket, rest) != STATUS_SUCCESS) {
        listener->broken++;
    }
}

static NTSTATUS WSKAPI on_datagrams(PVOID context, ULONG flags, PWSK_DATAGRAM_INDICATION list)
{
    struct listener *listener = context;
    KIRQL irql;
    BOOLEAN is_at_dispatch = KeGetCurrentIrql() == DISPATCH_LEVEL;
    KeAcquireSpinLock(&listener->lock, &irql);
    if (((flags & WSK_FLAG_AT_DISPATCH_LEVEL) != 0) != is_at_dispatch) {
        listener->broken++;
    }
    NTSTATUS verdict = listener->verdict;
    listener->flags[listener->calls] = flags & ~WSK_FLAG_AT_DISPATCH_LEVEL;
    listener->nulls += list == NULL;
    for (PWSK_DATAGRAM_INDICATION next = list; next != NULL; next = next->Next) {
        note_datagram(listener, next);
        listener->counts[listener->calls]++;
    }
    listener->calls++;
    KeReleaseSpinLock(&listener->lock, irql);
    if (listener->echoes && list != NULL) {
        echo(listener, list);
    }
    if (listener->releases_inside && list != NULL) {
        release_all_but_first(listener, list);
    }
    KeSetEvent(&listener->called, IO_NO_INCREMENT, FALSE);
    return verdict;
}

static const WSK_CLIENT_DATAGRAM_DISPATCH dispatch = {on_datagrams};

/* A listener and a socket that sends to it. */
struct scene {
    struct wsk_end end;
    PWSK_SOCKET sender;
    SOCKADDR_INET address; /* the listener's */
    SOCKADDR_INET sender_address;
    struct listener listener;
};

static void open_scene(struct scene *scene, BOOLEAN is_static)
{
    RtlZeroMemory(scene, sizeof(*scene));
    KeInitializeSpinLock(&scene->listener.lock);
    KeInitializeEvent(&scene->listener.called, SynchronizationEvent, FALSE);
    assert_int_equal(open_wsk(&scene->end), STATUS_SUCCESS);
    if (is_static) {
        assert_int_equal(enable_static_events(&scene->end, WSK_EVENT_RECEIVE_FROM), STATUS_SUCCESS);
    }
    scene->listener.socket =
        open_datagram(&scene->end, AF_INET, &scene->listener, &dispatch, &scene->address);
    assert_non_null(scene->listener.socket);
    scene->sender = open_datagram(&scene->end, AF_INET, NULL, NULL, &scene->sender_address);
    assert_non_null(scene->sender);
}

static void close_scene(struct scene *scene)
{
    assert_int_equal(scene->listener.broken, 0);
    if (scene->listener.socket != NULL) {
        assert_int_equal(close_socket(&scene->end, scene->listener.socket), STATUS_SUCCESS);
    }
    assert_int_equal(close_socket(&scene->end, scene->sender), STATUS_SUCCESS);
    close_wsk(&scene->end);
}

/* Sends a datagram whose bytes count up from first. */
static void send_pattern(struct scene *scene, UCHAR first, SIZE_T length)
{
    static UCHAR bytes[LARGE];
    for (SIZE_T i = 0; i < length; i++) {
        bytes[i] = (UCHAR)(first + i);
    }
    assert_int_equal(
        send_datagram(&scene->end, scene->sender, bytes, length, &scene->address, NULL),
        STATUS_SUCCESS);
}

static void enable(struct scene *scene)
{
    assert_int_equal(enable_events(scene->listener.socket, WSK_EVENT_RECEIVE_FROM), STATUS_SUCCESS);
}

static unsigned read_number(struct listener *listener, const unsigned *number)
{
    KIRQL irql;
    KeAcquireSpinLock(&listener->lock, &irql);
    unsigned value = *number;
    KeReleaseSpinLock(&listener->lock, irql);
    return value;
}

/* Waits until count datagrams were indicated in all. */
static void await_count(struct scene *scene, unsigned count)
{
    while (read_number(&scene->listener, &scene->listener.count) < count) {
        await(&scene->listener.called);
    }
}

static void await_calls(struct scene *scene, unsigned calls)
{
    while (read_number(&scene->listener, &scene->listener.calls) < calls) {
        await(&scene->listener.called);
    }
}

static NTSTATUS release(struct scene *scene, PWSK_DATAGRAM_INDICATION indication)
{
    return datagram_table(scene->listener.socket)->WskRelease(scene->listener.socket, indication);
}

/* ---- calls ---- */

static void check_one(struct scene *scene)
{
    send_pattern(scene, 7, 100);
    await_count(scene, 1);
    assert_int_equal(scene->listener.seen[0].length, 100);
    assert_int_equal(scene->listener.seen[0].first, 7);
    assert_int_equal(scene->listener.seen[0].port, port_of(&scene->sender_address));
    assert_int_equal(scene->listener.flags[0], 0);
}

static void a_statically_enabled_event_gets_a_datagram(void **state)
{
    struct scene scene;
    PROVES("WSK-EVT-40", "WSK-EVT-42", "WSK-EVT-45", "WSK-EVT-03", "WSK-IND-02", "WSK-IND-03",
           "WSK-IND-04", "WSK-DISP-18");
    STAYS_SILENT("WSK-EVT-52");
    open_scene(&scene, TRUE);
    check_one(&scene);
    close_scene(&scene);
}

static void an_event_enabled_by_the_option_gets_a_datagram(void **state)
{
    struct scene scene;
    PROVES("WSK-EVT-40", "WSK-EVT-02", "WSK-CBE-18", "WSK-EVT-45");
    open_scene(&scene, FALSE);
    enable(&scene);
    check_one(&scene);
    send_pattern(&scene, 8, 1);
    await_count(&scene, 2);
    assert_int_equal(disable_event(&scene.end, scene.listener.socket, WSK_EVENT_RECEIVE_FROM),
                     STATUS_SUCCESS);
    struct receipt receipt;
    receipt_init(&receipt);
    send_pattern(&scene, 9, 1);
    assert_int_equal(receive_datagram(&receipt, scene.listener.socket), STATUS_SUCCESS);
    assert_int_equal(receipt.bytes[0], 9);
    assert_int_equal(scene.listener.calls, 2);
    receipt_free(&receipt);
    close_scene(&scene);
}

static void datagrams_of_one_turn_are_one_list(void **state)
{
    struct scene scene;
    unsigned total = 0;
    PROVES("WSK-EVT-41", "WSK-IND-02");
    open_scene(&scene, FALSE);
    for (unsigned i = 0; i < 60; i++) {
        send_pattern(&scene, (UCHAR)i, i);
    }
    enable(&scene);
    await_count(&scene, 60);
    for (unsigned i = 0; i < 60; i++) {
        assert_int_equal(scene.listener.seen[i].length, i);
        assert_int_equal(scene.listener.seen[i].first, i);
    }
    for (unsigned i = 0; i < scene.listener.calls; i++) {
        total += scene.listener.counts[i];
    }
    assert_int_equal(total, 60);
    assert_in_range(scene.listener.calls, 1, 15);
    close_scene(&scene);
}

static void long_datagrams_come_whole(void **state)
{
    struct scene scene;
    PROVES("WSK-EVT-73", "WSK-IND-02");
    open_scene(&scene, TRUE);
    send_pattern(&scene, 1, 2048);
    send_pattern(&scene, 2, 2049);
    send_pattern(&scene, 3, LARGE);
    send_pattern(&scene, 4, 0);
    await_count(&scene, 4);
    assert_int_equal(scene.listener.seen[0].length, 2048);
    assert_int_equal(scene.listener.seen[1].length, 2049);
    assert_int_equal(scene.listener.seen[2].length, LARGE);
    assert_int_equal(scene.listener.seen[3].length, 0);
    close_scene(&scene);
}

static void a_receive_that_waits_goes_before_the_event(void **state)
{
    struct scene scene;
    struct receipt receipt;
    PROVES("WSK-DGRM-45", "WSK-EVT-40");
    open_scene(&scene, TRUE);
    receipt_init(&receipt);
    start_receipt(&receipt, scene.listener.socket, 100);
    send_pattern(&scene, 1, 1);
    send_pattern(&scene, 2, 1);
    assert_int_equal(wait_receipt(&receipt), STATUS_SUCCESS);
    assert_int_equal(receipt.bytes[0], 1);
    await_count(&scene, 1);
    assert_int_equal(scene.listener.seen[0].first, 2);
    receipt_free(&receipt);
    close_scene(&scene);
}

static void a_callback_may_send(void **state)
{
    struct scene scene;
    struct receipt receipt;
    PROVES("WSK-EVT-08");
    open_scene(&scene, TRUE);
    receipt_init(&receipt);
    call_init(&scene.listener.echo);
    scene.listener.echoes = TRUE;
    send_pattern(&scene, 1, 10);
    assert_int_equal(receive_datagram(&receipt, scene.sender), STATUS_SUCCESS);
    assert_memory_equal(receipt.bytes, "echo", 4);
    assert_int_equal(call_wait(&scene.listener.echo, STATUS_PENDING), STATUS_SUCCESS);
    receipt_free(&receipt);
    call_free(&scene.listener.echo);
    close_scene(&scene);
}

static void with_a_fixed_remote_address_others_are_not_indicated(void **state)
{
    struct scene scene;
    PROVES("WSK-DGRM-44", "WSK-IOC-06");
    open_scene(&scene, FALSE);
    PWSK_SOCKET stranger = open_datagram(&scene.end, AF_INET, NULL, NULL, NULL);
    assert_int_equal(control_socket(&scene.end, scene.listener.socket, WskIoctl,
                                    SIO_WSK_SET_REMOTE_ADDRESS, 0, &scene.sender_address,
                                    sizeof(SOCKADDR_IN), NULL, 0, NULL),
                     STATUS_SUCCESS);
    send_pattern(&scene, 1, 1);
    assert_int_equal(send_datagram(&scene.end, stranger, "?", 1, &scene.address, NULL),
                     STATUS_SUCCESS);
    send_pattern(&scene, 2, 1);
    enable(&scene);
    await_count(&scene, 2);
    assert_int_equal(scene.listener.seen[0].first, 1);
    assert_int_equal(scene.listener.seen[1].first, 2);
    close_socket(&scene.end, stranger);
    close_scene(&scene);
}

static void a_dead_socket_indicates_null_once(void **state)
{
    struct scene scene;
    PROVES("WSK-EVT-43");
    open_scene(&scene, TRUE);
    wskemu_socket_break(scene.listener.socket);
    await_calls(&scene, 1);
    assert_int_equal(scene.listener.nulls, 1);
    wskemu_socket_break(scene.listener.socket);
    close_scene(&scene);
    assert_int_equal(scene.listener.calls, 1);
}

/* ---- keeping and releasing ---- */

/* Has count datagrams indicated and kept. */
static void keep(struct scene *scene, unsigned count)
{
    scene->listener.verdict = STATUS_PENDING;
    for (unsigned i = 0; i < count; i++) {
        send_pattern(scene, (UCHAR)i, 50 + i);
    }
    enable(scene);
    await_count(scene, count);
    /* The callback has returned when its event can be disabled. */
    assert_int_equal(disable_event(&scene->end, scene->listener.socket, WSK_EVENT_RECEIVE_FROM),
                     STATUS_SUCCESS);
}

static void kept_datagrams_are_released_one_by_one(void **state)
{
    struct scene scene;
    PROVES("WSK-EVT-46", "WSK-IND-05", "WSK-IND-07", "WSK-IND-11", "WSK-IND-12", "WSK-IND-17");
    STAYS_SILENT("WSK-EVT-47");
    open_scene(&scene, FALSE);
    keep(&scene, 40);
    for (unsigned i = 0; i < 40; i++) {
        scene.listener.seen[i].indication->Next = (PVOID)&scene;
    }
    enable(&scene);
    send_pattern(&scene, 40, 9);
    await_count(&scene, 41);
    disable_event(&scene.end, scene.listener.socket, WSK_EVENT_RECEIVE_FROM);
    for (unsigned i = 40; i-- > 0;) {
        const WSK_BUF *buffer = &scene.listener.seen[i].indication->Buffer;
        assert_int_equal(buffer->Length, 50 + i);
        assert_int_equal(*(const UCHAR *)buffer->Mdl->MappedSystemVa, i);
        assert_int_equal(release(&scene, scene.listener.seen[i].indication), STATUS_SUCCESS);
    }
    assert_int_equal(release(&scene, scene.listener.seen[40].indication), STATUS_SUCCESS);
    close_scene(&scene);
}

static void a_kept_list_is_released_by_its_head(void **state)
{
    struct scene scene;
    PROVES("WSK-EVT-46", "WSK-IND-07", "WSK-IND-11");
    open_scene(&scene, FALSE);
    keep(&scene, 3);
    assert_int_equal(scene.listener.counts[0], 3);
    assert_int_equal(release(&scene, scene.listener.seen[0].indication), STATUS_SUCCESS);
    close_scene(&scene);
}

static VOID release_all(PVOID context)
{
    struct scene *scene = context;
    for (unsigned i = 0; i < scene->listener.count; i++) {
        PWSK_DATAGRAM_INDICATION indication = scene->listener.seen[i].indication;
        indication->Next = NULL;
        scene->listener.broken += release(scene, indication) != STATUS_SUCCESS;
    }
}

static void another_thread_releases(void **state)
{
    struct scene scene;
    PROVES("WSK-IND-07", "WSK-IND-17");
    open_scene(&scene, FALSE);
    keep(&scene, 5);
    join_thread(start_thread(release_all, &scene));
    close_scene(&scene);
}

static void a_part_is_released_inside_the_callback(void **state)
{
    struct scene scene;
    PROVES("WSK-IND-17", "WSK-EVT-46");
    open_scene(&scene, FALSE);
    scene.listener.releases_inside = TRUE;
    keep(&scene, 4);
    assert_int_equal(scene.listener.counts[0], 4);
    PWSK_DATAGRAM_INDICATION kept = scene.listener.seen[0].indication;
    assert_int_equal(*(const UCHAR *)kept->Buffer.Mdl->MappedSystemVa, 0);
    assert_int_equal(release(&scene, kept), STATUS_SUCCESS);
    close_scene(&scene);
}

static void what_is_not_kept_is_not_released(void **state)
{
    struct scene scene;
    WSK_DATAGRAM_INDICATION own = {0};
    PROVES("WSK-IND-10", "WSK-IND-11");
    open_scene(&scene, FALSE);
    assert_int_equal(release(&scene, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(release(&scene, &own), STATUS_INVALID_PARAMETER);
    enable(&scene);
    send_pattern(&scene, 1, 1);
    await_count(&scene, 1);
    disable_event(&scene.end, scene.listener.socket, WSK_EVENT_RECEIVE_FROM);
    assert_int_equal(release(&scene, scene.listener.seen[0].indication), STATUS_INVALID_PARAMETER);
    assert_int_equal(release(&scene, &own), STATUS_INVALID_PARAMETER);
    close_scene(&scene);
}

static void release_twice(void *context)
{
    struct scene *scene = context;
    open_scene(scene, FALSE);
    keep(scene, 1);
    release(scene, scene->listener.seen[0].indication);
    release(scene, scene->listener.seen[0].indication);
}

static void a_second_release_is_caught(void **state)
{
    static struct scene scene;
    PROVES("WSK-IND-08");
    expect_bugcheck(release_twice, &scene, DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION,
                    "WSK-IND-08");
}

/* Without the fixture, which wants nothing to be left. */
static void what_is_kept_beyond_the_close_is_left(void **state)
{
    struct scene scene;
    PROVES("WSK-IND-13", "WSK-IND-14", "WSK-CLOSE-11", "WSK-EVT-47");
    wskemu_boot(NULL);
    open_scene(&scene, FALSE);
    keep(&scene, 2);
    assert_int_equal(close_socket(&scene.end, scene.listener.socket), STATUS_SUCCESS);
    assert_int_equal(*(const UCHAR *)scene.listener.seen[1].indication->Buffer.Mdl->MappedSystemVa,
                     1);
    scene.listener.socket = NULL;
    close_scene(&scene);
    assert_int_equal(wskemu_shutdown(), 2);
}

/* ---- refusing ---- */

static void answer(struct scene *scene, NTSTATUS verdict)
{
    KIRQL irql;
    KeAcquireSpinLock(&scene->listener.lock, &irql);
    scene->listener.verdict = verdict;
    KeReleaseSpinLock(&scene->listener.lock, irql);
}

static void refuse_first(struct scene *scene, NTSTATUS verdict)
{
    answer(scene, verdict);
    send_pattern(scene, 1, 10);
    await_calls(scene, 1);
    answer(scene, STATUS_SUCCESS);
}

static void a_refusal_disables_until_enabled_again(void **state)
{
    struct scene scene;
    PROVES("WSK-EVT-48", "WSK-EVT-49", "WSK-EVT-51", "WSK-CBE-28", "WSK-CBE-33");
    open_scene(&scene, FALSE);
    enable(&scene);
    refuse_first(&scene, STATUS_DATA_NOT_ACCEPTED);
    /* Disabling it says that the callback has returned. */
    assert_int_equal(disable_event(&scene.end, scene.listener.socket, WSK_EVENT_RECEIVE_FROM),
                     STATUS_SUCCESS);
    send_pattern(&scene, 2, 10);
    assert_int_equal(scene.listener.calls, 1);
    enable(&scene);
    await_count(&scene, 3);
    assert_int_equal(scene.listener.seen[1].first, 1);
    assert_int_equal(scene.listener.seen[2].first, 2);
    close_scene(&scene);
}

static void a_receive_takes_what_was_refused(void **state)
{
    struct scene scene;
    struct receipt receipt;
    PROVES("WSK-EVT-48", "WSK-EVT-49");
    open_scene(&scene, FALSE);
    enable(&scene);
    refuse_first(&scene, STATUS_DATA_NOT_ACCEPTED);
    disable_event(&scene.end, scene.listener.socket, WSK_EVENT_RECEIVE_FROM);
    send_pattern(&scene, 2, 10);
    receipt_init(&receipt);
    for (UCHAR first = 1; first <= 2; first++) {
        NTSTATUS returned = start_receipt(&receipt, scene.listener.socket, 4);
        assert_int_equal(call_wait(&receipt.call, returned), STATUS_BUFFER_OVERFLOW);
        assert_int_equal(receipt.bytes[0], first);
        assert_int_equal(call_information(&receipt.call), 4);
        assert_int_equal(receipt.flags, MSG_TRUNC);
        assert_address_equal(&receipt.from, &scene.sender_address);
    }
    receipt_free(&receipt);
    assert_int_equal(scene.listener.calls, 1);
    close_scene(&scene);
}

static void a_refusal_of_a_static_event_waits_for_new_datagrams(void **state)
{
    struct scene scene;
    PROVES("WSK-EVT-50", "WSK-EVT-51");
    open_scene(&scene, TRUE);
    refuse_first(&scene, STATUS_DATA_NOT_ACCEPTED);
    send_pattern(&scene, 2, 10);
    await_count(&scene, 3);
    assert_int_equal(scene.listener.calls, 2);
    assert_int_equal(scene.listener.counts[1], 2);
    assert_int_equal(scene.listener.seen[1].first, 1);
    assert_int_equal(scene.listener.seen[2].first, 2);
    close_scene(&scene);
}

static void an_unknown_status_counts_as_a_refusal(void **state)
{
    struct scene scene;
    PROVES("WSK-EVT-52");
    open_scene(&scene, FALSE);
    enable(&scene);
    refuse_first(&scene, STATUS_DEVICE_NOT_READY);
    disable_event(&scene.end, scene.listener.socket, WSK_EVENT_RECEIVE_FROM);
    enable(&scene);
    await_count(&scene, 2);
    assert_int_equal(scene.listener.seen[1].first, 1);
    close_scene(&scene);
}

static void closing_forgets_what_was_refused(void **state)
{
    struct scene scene;
    PROVES("WSK-EVT-48");
    open_scene(&scene, TRUE);
    refuse_first(&scene, STATUS_DATA_NOT_ACCEPTED);
    close_scene(&scene);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_statically_enabled_event_gets_a_datagram),
    kernel_test(an_event_enabled_by_the_option_gets_a_datagram),
    kernel_test(datagrams_of_one_turn_are_one_list),
    kernel_test(long_datagrams_come_whole),
    kernel_test(a_receive_that_waits_goes_before_the_event),
    kernel_test(a_callback_may_send),
    kernel_test(with_a_fixed_remote_address_others_are_not_indicated),
    kernel_test(a_dead_socket_indicates_null_once),
    kernel_test(kept_datagrams_are_released_one_by_one),
    kernel_test(a_kept_list_is_released_by_its_head),
    kernel_test(another_thread_releases),
    kernel_test(a_part_is_released_inside_the_callback),
    kernel_test(what_is_not_kept_is_not_released),
    kernel_test(a_second_release_is_caught),
    cmocka_unit_test(what_is_kept_beyond_the_close_is_left),
    kernel_test(a_refusal_disables_until_enabled_again),
    kernel_test(a_receive_takes_what_was_refused),
    kernel_test(a_refusal_of_a_static_event_waits_for_new_datagrams),
    kernel_test(an_unknown_status_counts_as_a_refusal),
    kernel_test(closing_forgets_what_was_refused),
};

TEST_MAIN(tests)
