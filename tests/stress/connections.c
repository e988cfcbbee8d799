/*
 * Threads that do what they like to connections: send, receive, cancel, enable and disable events,
 * keep data and release it, disconnect, reset and close.
 *
 * Each direction of a pair carries a stream whose byte at position p is known, so whoever gets
 * bytes, a completed receive or an event, knows whether they are the next ones. A direction's bytes
 * are delivered in order by one deliverer at a time, so the position needs no lock of its own; it
 * is checked all the same that nobody else is there. After a graceful end as many bytes have
 * arrived as were sent; after a reset no more than that. After a close nothing is pending and
 * nothing runs.
 *
 * The run is short; WSKEMU_LONG=1 makes it half a minute.
 */
#include "wsk_pair.h"

#include <stdlib.h>

enum { PAIRS = 8, THREADS = 4, RECEIVES = 3, KEPT_MAX = 8, SEND_MAX = 20000, RECEIVE_MAX = 9000 };

#define SHORT_RUN_MS 400
#define LONG_RUN_MS 30000

struct end;

/* One IRP with its memory; idle or under way. */
struct slot {
    struct wsk_call call; /* its MDL describes bytes */
    struct end *end;
    PIRP irp;
    UCHAR *bytes;
    SIZE_T length;
    volatile LONG is_busy;
    volatile LONG64 times; /* completions */
    LONG64 started;
};

/* One socket of a pair. */
struct end {
    struct pair *pair;
    struct end *other;
    PWSK_SOCKET socket;
    ULONG seed;  /* of the stream that it sends */
    SIZE_T sent; /* bytes whose sends succeeded or were begun */
    struct slot send;
    struct slot receives[RECEIVES];
    volatile LONG is_at_end; /* a receive saw the end of the stream */
    SIZE_T received;
    volatile LONG is_receiving; /* somebody takes bytes: must be one at a time */
    KSPIN_LOCK kept_lock;
    PWSK_DATA_INDICATION kept[KEPT_MAX];
    unsigned kept_count;
    ULONG verdicts; /* draws what events return */
    volatile LONG is_closed;
};

struct pair {
    ERESOURCE lock; /* shared: to use the sockets; exclusive: to end them and make new ones */
    struct end ends[2];
};

struct run {
    struct wsk_end wsk;
    PWSK_SOCKET listener;
    SOCKADDR_INET address;
    FAST_MUTEX connecting; /* one pair is made at a time */
    struct pair pairs[PAIRS];
    volatile LONG is_over;
    volatile LONG64 moved;
    volatile LONG ends, resets, cancels, kept, events;
};

static struct run run;

static ULONG draw(ULONG *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* The byte at a position of the stream with that seed. */
static UCHAR byte_at(ULONG seed, SIZE_T position)
{
    ULONG64 mixed = (seed + (position >> 3)) * 0x9E3779B97F4A7C15ULL;
    mixed ^= mixed >> 29;
    return (UCHAR)(mixed >> (8 * (position & 7)));
}

/* Takes the next bytes of the stream that this end receives. */
static void take(struct end *end, const UCHAR *bytes, SIZE_T length)
{
    if (InterlockedExchange(&end->is_receiving, 1) != 0) {
        fail_msg("two deliver to one direction at once");
    }
    ULONG seed = end->other->seed;
    for (SIZE_T i = 0; i < length; i++) {
        if (bytes[i] != byte_at(seed, end->received + i)) {
            print_error("byte %llu of a stream is wrong\n",
                        (unsigned long long)(end->received + i));
            abort();
        }
    }
    end->received += length;
    InterlockedAdd64(&run.moved, (LONG64)length);
    InterlockedExchange(&end->is_receiving, 0);
}

/* ---- IRPs ---- */

static NTSTATUS on_received(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct slot *slot = context;
    UNREFERENCED_PARAMETER(device);
    if (irp->IoStatus.Information != 0) {
        take(slot->end, slot->bytes, irp->IoStatus.Information);
    } else if (irp->IoStatus.Status == STATUS_SUCCESS) {
        InterlockedExchange(&slot->end->is_at_end, 1);
    }
    InterlockedIncrement64(&slot->times);
    InterlockedExchange(&slot->is_busy, 0);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS on_sent(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct slot *slot = context;
    UNREFERENCED_PARAMETER(device);
    if (NT_SUCCESS(irp->IoStatus.Status) && irp->IoStatus.Information != slot->length) {
        print_error("a send succeeded in part\n");
        abort();
    }
    slot->end->sent += irp->IoStatus.Information;
    InterlockedIncrement64(&slot->times);
    InterlockedExchange(&slot->is_busy, 0);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Makes an idle slot busy, its IRP ready, and its memory a WSK_BUF. */
static WSK_BUF prepare(struct slot *slot, PIO_COMPLETION_ROUTINE routine, SIZE_T length)
{
    if (slot->times != slot->started) {
        print_error("an IRP was completed twice\n");
        abort();
    }
    slot->started++;
    slot->length = length;
    IoReuseIrp(slot->irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(slot->irp, routine, slot, TRUE, TRUE, TRUE);
    return call_buffer(&slot->call, slot->bytes, length);
}

/* Sends the next bytes of the stream, if no send is under way. */
static void send_some(struct end *end, ULONG *random)
{
    struct slot *slot = &end->send;
    if (InterlockedCompareExchange(&slot->is_busy, 1, 0) != 0) {
        return;
    }
    SIZE_T length = 1 + draw(random) % SEND_MAX;
    for (SIZE_T i = 0; i < length; i++) {
        slot->bytes[i] = byte_at(end->seed, end->sent + i);
    }
    WSK_BUF buffer = prepare(slot, on_sent, length);
    send_of(end->socket)(end->socket, &buffer, 0, slot->irp);
}

static void receive_some(struct end *end, ULONG *random)
{
    struct slot *slot = &end->receives[draw(random) % RECEIVES];
    if (InterlockedCompareExchange(&slot->is_busy, 1, 0) != 0) {
        return;
    }
    WSK_BUF buffer = prepare(slot, on_received, 1 + draw(random) % RECEIVE_MAX);
    ULONG flags = draw(random) % 8 == 0 ? WSK_FLAG_WAITALL : 0;
    receive_of(end->socket)(end->socket, &buffer, flags, slot->irp);
}

/* ---- events ---- */

/* Room that stays: only the event adds. */
static bool has_room(struct end *end)
{
    KIRQL old;
    KeAcquireSpinLock(&end->kept_lock, &old);
    bool has = end->kept_count < KEPT_MAX;
    KeReleaseSpinLock(&end->kept_lock, old);
    return has;
}

/* From now on another thread may release it. */
static void keep(struct end *end, PWSK_DATA_INDICATION indication)
{
    KIRQL old;
    KeAcquireSpinLock(&end->kept_lock, &old);
    end->kept[end->kept_count++] = indication;
    KeReleaseSpinLock(&end->kept_lock, old);
}

static void release_one(struct end *end)
{
    const WSK_PROVIDER_CONNECTION_DISPATCH *dispatch = end->socket->Dispatch;
    PWSK_DATA_INDICATION indication = NULL;
    KIRQL old;
    KeAcquireSpinLock(&end->kept_lock, &old);
    if (end->kept_count != 0) {
        indication = end->kept[--end->kept_count];
    }
    KeReleaseSpinLock(&end->kept_lock, old);
    if (indication != NULL) {
        assert_int_equal(dispatch->WskRelease(end->socket, indication), STATUS_SUCCESS);
    }
}

static NTSTATUS WSKAPI on_receive_event(PVOID context, ULONG flags, PWSK_DATA_INDICATION indication,
                                        SIZE_T indicated, SIZE_T *accepted)
{
    struct end *end = context;
    UNREFERENCED_PARAMETER(flags);
    if (end->is_closed) {
        print_error("an event came after the close had completed\n");
        abort();
    }
    InterlockedIncrement(&run.events);
    const UCHAR *bytes = MmGetSystemAddressForMdlSafe(indication->Buffer.Mdl, NormalPagePriority);
    bytes += indication->Buffer.Offset;
    switch (draw(&end->verdicts) % 6) {
    case 0:
        return STATUS_DATA_NOT_ACCEPTED;
    case 1:
        *accepted = draw(&end->verdicts) % (indicated + 1);
        take(end, bytes, *accepted);
        return STATUS_SUCCESS;
    case 2:
        if (has_room(end)) {
            InterlockedIncrement(&run.kept);
            take(end, bytes, indicated);
            keep(end, indication);
            return STATUS_PENDING;
        }
        return STATUS_DATA_NOT_ACCEPTED;
    default:
        take(end, bytes, indicated);
        return STATUS_SUCCESS;
    }
}

static NTSTATUS WSKAPI on_disconnect_event(PVOID context, ULONG flags)
{
    struct end *end = context;
    UNREFERENCED_PARAMETER(flags);
    if (end->is_closed) {
        print_error("an event came after the close had completed\n");
        abort();
    }
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH table = {.WskReceiveEvent = on_receive_event,
                                                     .WskDisconnectEvent = on_disconnect_event};

static void switch_events(struct end *end, ULONG *random)
{
    switch (draw(random) % 3) {
    case 0:
        disable_event_now(end->socket, WSK_EVENT_RECEIVE);
        return;
    case 1:
        enable_events(end->socket, WSK_EVENT_DISCONNECT);
        return;
    default:
        enable_events(end->socket, WSK_EVENT_RECEIVE);
        return;
    }
}

/* ---- making and ending pairs; the pair's lock is held exclusively ---- */

static void renew(struct end *end, PWSK_SOCKET socket, ULONG seed)
{
    end->socket = socket;
    end->seed = seed;
    end->sent = 0;
    end->received = 0;
    end->is_at_end = 0;
    end->is_closed = 0;
}

static void connect_pair(struct wsk_end *wsk, struct pair *pair, ULONG *random)
{
    PWSK_SOCKET accepted;
    renew(&pair->ends[0], NULL, draw(random));
    renew(&pair->ends[1], NULL, draw(random));
    ExAcquireFastMutex(&run.connecting);
    PWSK_SOCKET socket = connect_to(wsk, &run.address, &pair->ends[0], &table);
    NTSTATUS status = accept_socket(wsk, run.listener, &pair->ends[1], &table, &accepted);
    ExReleaseFastMutex(&run.connecting);
    if (socket == NULL || !NT_SUCCESS(status)) {
        print_error("no new pair: 0x%08X\n", (unsigned)status);
        abort();
    }
    pair->ends[0].socket = socket;
    pair->ends[1].socket = accepted;
}

static void release_all(struct end *end)
{
    while (end->kept_count != 0) {
        release_one(end);
    }
}

static void close_end(struct wsk_end *wsk, struct end *end)
{
    disable_event(wsk, end->socket, WSK_EVENT_RECEIVE);
    release_all(end);
    assert_int_equal(close_socket(wsk, end->socket), STATUS_SUCCESS);
    end->is_closed = 1;
    if (end->send.is_busy) {
        print_error("a send outlived its socket\n");
        abort();
    }
    for (unsigned i = 0; i < RECEIVES; i++) {
        if (end->receives[i].is_busy) {
            print_error("a receive outlived its socket\n");
            abort();
        }
    }
}

/* Receives until the stream ends; receives that are pending get their share. */
static void drain(struct wsk_end *wsk, struct end *end)
{
    static const LONG moment_ms = 1;
    ULONG random = end->seed;
    UNREFERENCED_PARAMETER(wsk);
    while (!end->is_at_end) {
        LARGE_INTEGER moment = interval_ms(moment_ms);
        receive_some(end, &random);
        if (end->receives[0].is_busy && end->receives[1].is_busy && end->receives[2].is_busy) {
            KeDelayExecutionThread(KernelMode, FALSE, &moment);
        }
    }
}

static bool is_silent(const struct end *end)
{
    bool is_busy = end->send.is_busy != 0;
    for (unsigned i = 0; i < RECEIVES; i++) {
        is_busy = is_busy || end->receives[i].is_busy != 0;
    }
    return !is_busy;
}

static void end_gracefully(struct wsk_end *wsk, struct pair *pair)
{
    struct wsk_call calls[2];
    NTSTATUS returned[2];
    LARGE_INTEGER moment = interval_ms(1);
    for (unsigned i = 0; i < 2; i++) {
        struct end *end = &pair->ends[i];
        disable_event(wsk, end->socket, WSK_EVENT_RECEIVE);
        call_init(&calls[i]);
        returned[i] = disconnect_of(end->socket)(end->socket, NULL, 0, call_irp(&calls[i]));
    }
    drain(wsk, &pair->ends[0]);
    drain(wsk, &pair->ends[1]);
    for (unsigned i = 0; i < 2; i++) {
        if (!NT_SUCCESS(call_wait(&calls[i], returned[i]))) {
            print_error("a graceful disconnect failed\n");
            abort();
        }
        call_free(&calls[i]);
        while (!is_silent(&pair->ends[i])) {
            KeDelayExecutionThread(KernelMode, FALSE, &moment);
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        if (pair->ends[i].received != pair->ends[1 - i].sent) {
            print_error("%llu bytes were sent and %llu arrived\n",
                        (unsigned long long)pair->ends[1 - i].sent,
                        (unsigned long long)pair->ends[i].received);
            abort();
        }
    }
    InterlockedIncrement(&run.ends);
}

static void end_pair(struct wsk_end *wsk, struct pair *pair, bool is_graceful)
{
    if (is_graceful) {
        end_gracefully(wsk, pair);
    } else {
        InterlockedIncrement(&run.resets);
    }
    close_end(wsk, &pair->ends[0]);
    close_end(wsk, &pair->ends[1]);
}

/* ---- the threads ---- */

static void cancel_some(struct end *end, ULONG *random)
{
    struct slot *slot = &end->receives[draw(random) % RECEIVES];
    /* The slot's IRP is never freed; it may have completed already, or be made ready anew only
     * under this pair's lock by others, which is why the canceller has it exclusively. */
    if (slot->is_busy && IoCancelIrp(slot->irp)) {
        InterlockedIncrement(&run.cancels);
    }
}

static void use_pair(struct pair *pair, ULONG *random)
{
    struct end *end = &pair->ends[draw(random) % 2];
    ULONG what = draw(random) % 100;
    if (what < 45) {
        send_some(end, random);
    } else if (what < 85) {
        receive_some(end, random);
    } else if (what < 92) {
        switch_events(end, random);
    } else {
        release_one(end);
    }
}

static void step(struct wsk_end *wsk, ULONG *random)
{
    struct pair *pair = &run.pairs[draw(random) % PAIRS];
    ULONG what = draw(random) % 200;
    KeEnterCriticalRegion();
    if (what < 6) {
        ExAcquireResourceExclusiveLite(&pair->lock, TRUE);
        if (what < 2) {
            end_pair(wsk, pair, what == 0);
            connect_pair(wsk, pair, random);
        } else {
            cancel_some(&pair->ends[what % 2], random);
        }
    } else {
        ExAcquireResourceSharedLite(&pair->lock, TRUE);
        use_pair(pair, random);
    }
    ExReleaseResourceLite(&pair->lock);
    KeLeaveCriticalRegion();
}

static VOID work(PVOID context)
{
    ULONG random = (ULONG)(ULONG_PTR)context * 7919 + 1;
    struct wsk_end wsk = {.provider = run.wsk.provider}; /* the same client, an IRP of its own */
    LARGE_INTEGER none = {.QuadPart = 0};
    call_init(&wsk.call);
    while (!run.is_over) {
        step(&wsk, &random);
        if (draw(&random) % 16 == 0) {
            KeDelayExecutionThread(KernelMode, FALSE, &none);
        }
    }
    call_free(&wsk.call);
}

static void start_slot(struct slot *slot, struct end *end, SIZE_T length)
{
    RtlZeroMemory(slot, sizeof(*slot));
    call_init(&slot->call);
    slot->irp = IoAllocateIrp(1, FALSE);
    slot->bytes = malloc(length);
    slot->end = end;
}

static void stop_slot(struct slot *slot)
{
    call_free(&slot->call);
    IoFreeIrp(slot->irp);
    free(slot->bytes);
}

static void start_pair(struct pair *pair, ULONG *random)
{
    ExInitializeResourceLite(&pair->lock);
    for (unsigned i = 0; i < 2; i++) {
        struct end *end = &pair->ends[i];
        RtlZeroMemory(end, sizeof(*end));
        end->pair = pair;
        end->other = &pair->ends[1 - i];
        end->verdicts = draw(random);
        KeInitializeSpinLock(&end->kept_lock);
        start_slot(&end->send, end, SEND_MAX);
        for (unsigned n = 0; n < RECEIVES; n++) {
            start_slot(&end->receives[n], end, RECEIVE_MAX);
        }
    }
    connect_pair(&run.wsk, pair, random);
}

static void stop_pair(struct pair *pair)
{
    end_pair(&run.wsk, pair, true);
    ExDeleteResourceLite(&pair->lock);
    for (unsigned i = 0; i < 2; i++) {
        stop_slot(&pair->ends[i].send);
        for (unsigned n = 0; n < RECEIVES; n++) {
            stop_slot(&pair->ends[i].receives[n]);
        }
    }
}

static void no_byte_and_no_irp_is_lost(void **state)
{
    PKTHREAD threads[THREADS];
    ULONG random = wskemu_policy().seed + 1;
    LARGE_INTEGER length = interval_ms(getenv("WSKEMU_LONG") != NULL ? LONG_RUN_MS : SHORT_RUN_MS);
    PROVES("WSK-EVT-35", "WSK-SEND-17", "WSK-RECV-23", "WSK-IRP-01", "WSK-CLOSE-07",
           "WSK-CLOSE-09");
    UNREFERENCED_PARAMETER(state);
    RtlZeroMemory(&run, sizeof(run));
    ExInitializeFastMutex(&run.connecting);
    assert_int_equal(open_wsk(&run.wsk), STATUS_SUCCESS);
    run.listener = listen_loopback(&run.wsk, AF_INET, NULL, NULL, &run.address);
    for (unsigned i = 0; i < PAIRS; i++) {
        start_pair(&run.pairs[i], &random);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        threads[i] = start_thread(work, (PVOID)(ULONG_PTR)draw(&random));
    }
    KeDelayExecutionThread(KernelMode, FALSE, &length);
    InterlockedExchange(&run.is_over, 1);
    for (unsigned i = 0; i < THREADS; i++) {
        join_thread(threads[i]);
    }
    for (unsigned i = 0; i < PAIRS; i++) {
        stop_pair(&run.pairs[i]);
    }
    print_message("%lld bytes, %d events, %d kept, %d cancels, %d graceful ends, %d resets\n",
                  (long long)run.moved, run.events, run.kept, run.cancels, run.ends, run.resets);
    assert_true(run.moved > 0);
    close_socket(&run.wsk, run.listener);
    close_wsk(&run.wsk);
}

static const struct CMUnitTest tests[] = {
    kernel_test(no_byte_and_no_irp_is_lost),
};

TEST_MAIN(tests)
