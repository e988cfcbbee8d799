/*
 * Datagrams that are kept, linked together by the driver's own use of Next, and released one by one
 * by another thread: while others arrive, and often before the callback has returned.
 */
#include "wsk_datagram.h"

#define ROUNDS 100
#define DATAGRAMS 20
#define BYTES 300

struct relay {
    KSPIN_LOCK lock;
    PWSK_SOCKET socket;
    PWSK_DATAGRAM_INDICATION kept; /* guarded by lock, by Next */
    unsigned released;             /* guarded by lock, as all below */
    unsigned broken;
    BOOLEAN is_ending;
    KEVENT filled;
    KEVENT emptied;
};

static NTSTATUS WSKAPI on_datagrams(PVOID context, ULONG flags, PWSK_DATAGRAM_INDICATION list)
{
    struct relay *relay = context;
    while (list != NULL) {
        PWSK_DATAGRAM_INDICATION next = list->Next;
        KIRQL irql;
        KeAcquireSpinLock(&relay->lock, &irql);
        list->Next = relay->kept;
        relay->kept = list;
        KeReleaseSpinLock(&relay->lock, irql);
        KeSetEvent(&relay->filled, IO_NO_INCREMENT, FALSE);
        list = next;
    }
    return STATUS_PENDING;
}

static BOOLEAN is_intact(const WSK_DATAGRAM_INDICATION *indication)
{
    const UCHAR *data = indication->Buffer.Mdl->MappedSystemVa;
    for (unsigned i = 1; i < BYTES; i++) {
        if (data[i] != (UCHAR)(data[0] + i)) {
            return FALSE;
        }
    }
    return indication->Buffer.Length == BYTES;
}

static PWSK_DATAGRAM_INDICATION take(struct relay *relay, BOOLEAN *is_ending)
{
    KIRQL irql;
    KeAcquireSpinLock(&relay->lock, &irql);
    PWSK_DATAGRAM_INDICATION indication = relay->kept;
    if (indication != NULL) {
        relay->kept = indication->Next;
    }
    *is_ending = relay->is_ending;
    KeReleaseSpinLock(&relay->lock, irql);
    return indication;
}

static void give_back(struct relay *relay, PWSK_DATAGRAM_INDICATION indication)
{
    KIRQL irql;
    BOOLEAN is_broken = !is_intact(indication);
    indication->Next = NULL;
    NTSTATUS status = datagram_table(relay->socket)->WskRelease(relay->socket, indication);
    KeAcquireSpinLock(&relay->lock, &irql);
    relay->broken += is_broken || status != STATUS_SUCCESS;
    relay->released++;
    KeReleaseSpinLock(&relay->lock, irql);
}

static VOID release_kept(PVOID context)
{
    struct relay *relay = context;
    BOOLEAN is_ending = FALSE;
    while (!is_ending) {
        PWSK_DATAGRAM_INDICATION indication;
        await(&relay->filled);
        while ((indication = take(relay, &is_ending)) != NULL) {
            give_back(relay, indication);
        }
        KeSetEvent(&relay->emptied, IO_NO_INCREMENT, FALSE);
    }
}

static unsigned released(struct relay *relay)
{
    KIRQL irql;
    KeAcquireSpinLock(&relay->lock, &irql);
    unsigned count = relay->released;
    KeReleaseSpinLock(&relay->lock, irql);
    return count;
}

static void end_thread(struct relay *relay, PKTHREAD thread)
{
    KIRQL irql;
    KeAcquireSpinLock(&relay->lock, &irql);
    relay->is_ending = TRUE;
    KeReleaseSpinLock(&relay->lock, irql);
    KeSetEvent(&relay->filled, IO_NO_INCREMENT, FALSE);
    join_thread(thread);
}

static void datagrams_are_released_while_others_arrive(void **state)
{
    static const WSK_CLIENT_DATAGRAM_DISPATCH dispatch = {on_datagrams};
    struct relay relay = {0};
    struct wsk_end end;
    SOCKADDR_INET address;
    UCHAR bytes[BYTES];
    PROVES("WSK-EVT-46", "WSK-IND-07", "WSK-IND-17");
    KeInitializeSpinLock(&relay.lock);
    KeInitializeEvent(&relay.filled, SynchronizationEvent, FALSE);
    KeInitializeEvent(&relay.emptied, SynchronizationEvent, FALSE);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    relay.socket = open_datagram(&end, AF_INET, &relay, &dispatch, &address);
    PWSK_SOCKET sender = open_datagram(&end, AF_INET, NULL, NULL, NULL);
    assert_int_equal(enable_events(relay.socket, WSK_EVENT_RECEIVE_FROM), STATUS_SUCCESS);
    PKTHREAD thread = start_thread(release_kept, &relay);
    for (unsigned i = 0; i < ROUNDS * DATAGRAMS; i++) {
        for (unsigned j = 0; j < BYTES; j++) {
            bytes[j] = (UCHAR)(i + j);
        }
        assert_int_equal(send_datagram(&end, sender, bytes, BYTES, &address, NULL), STATUS_SUCCESS);
        /* Not more under way than a socket surely buffers. */
        while ((i + 1) % DATAGRAMS == 0 && released(&relay) <= i) {
            await(&relay.emptied);
        }
    }
    end_thread(&relay, thread);
    assert_int_equal(relay.released, ROUNDS * DATAGRAMS);
    assert_int_equal(relay.broken, 0);
    disable_event(&end, relay.socket, WSK_EVENT_RECEIVE_FROM);
    close_socket(&end, relay.socket);
    close_socket(&end, sender);
    close_wsk(&end);
}

static const struct CMUnitTest tests[] = {
    kernel_test(datagrams_are_released_while_others_arrive),
};

TEST_MAIN(tests)
