/* WskSend. */
#include "log.h"
#include "wsk_datagram.h"
#include "wsk_pair.h"

#include <string.h>

#define BLOCK_BYTES 262144

static UCHAR block[BLOCK_BYTES];

static void a_send_reports_its_whole_length(void **state)
{
    struct wsk_pair pair;
    UCHAR bytes[32];
    PROVES("WSK-SEND-05", "WSK-SEND-08", "WSK-SEND-10", "WSK-SEND-11", "WSK-SEND-13");
    STAYS_SILENT("WSK-SEND-01", "WSK-SEND-02", "WSK-SEND-03", "WSK-SEND-15", "WSK-CONN-11");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    send_all(&pair, pair.near, "0123456789", 10);
    SIZE_T moved;
    assert_int_equal(send_bytes(&pair.end, pair.near, "abcdef", 6, WSK_FLAG_NODELAY, &moved),
                     STATUS_SUCCESS);
    assert_int_equal(moved, 6);
    assert_int_equal(receive_all(&pair, pair.far, bytes, 16), 16);
    assert_memory_equal(bytes, "0123456789abcdef", 16);
    close_pair(&pair);
}

static void an_empty_send_succeeds(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    WSK_BUF nothing = {NULL, 0, 0};
    PROVES("WSK-SEND-11", "WSK-BUF-04");
    STAYS_SILENT("WSK-BUF-03");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    NTSTATUS returned = send_of(pair.near)(pair.near, &nothing, 0, call_irp(&call));
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&call), 0);
    call_free(&call);
    close_pair(&pair);
}

static void a_flag_that_does_not_exist_is_refused(void **state)
{
    struct wsk_pair pair;
    PROVES("WSK-SEND-14", "WSK-SEND-15", "WSK-SEND-07");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    assert_int_equal(send_bytes(&pair.end, pair.near, "x", 1, WSK_FLAG_OOB, NULL),
                     STATUS_NOT_SUPPORTED);
    close_pair(&pair);
}

/* Reads what comes until so many bytes came, and checks that they count up. */
static void receive_counted(struct wsk_pair *pair, SIZE_T length)
{
    static UCHAR bytes[BLOCK_BYTES];
    SIZE_T received = 0;
    while (received < length) {
        SIZE_T moved;
        assert_int_equal(receive_bytes(&pair->end, pair->far, bytes, sizeof(bytes), 0, &moved),
                         STATUS_SUCCESS);
        assert_int_not_equal(moved, 0);
        for (SIZE_T i = 0; i < moved; i++) {
            assert_int_equal(bytes[i], (UCHAR)((received + i) % 251));
        }
        received += moved;
    }
    assert_int_equal(received, length);
}

static void a_send_waits_until_the_host_took_all(void **state)
{
    enum { BYTES = 251 * 40000 };
    struct wsk_pair pair;
    struct wsk_call call;
    PROVES("WSK-SEND-10", "WSK-SEND-05", "WSK-SEND-17");
    UNREFERENCED_PARAMETER(state);
    UCHAR *bytes = malloc(BYTES);
    for (SIZE_T i = 0; i < BYTES; i++) {
        bytes[i] = (UCHAR)(i % 251);
    }
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    NTSTATUS returned = begin_send(&call, pair.near, bytes, BYTES, 0);
    assert_int_equal(returned, STATUS_PENDING);
    assert_false(call_is_done(&call));
    receive_counted(&pair, BYTES);
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&call), BYTES);
    call_free(&call);
    close_pair(&pair);
    free(bytes);
}

static void several_sends_keep_their_order(void **state)
{
    enum { SENDS = 20, BYTES = 251 * 1000 };
    struct wsk_pair pair;
    static struct wsk_call calls[SENDS];
    NTSTATUS returned[SENDS];
    PROVES("WSK-SEND-16", "WSK-SEND-17");
    UNREFERENCED_PARAMETER(state);
    for (SIZE_T i = 0; i < BYTES; i++) {
        block[i] = (UCHAR)(i % 251);
    }
    open_pair(&pair, NULL, NULL);
    for (unsigned i = 0; i < SENDS; i++) {
        call_init(&calls[i]);
        returned[i] = begin_send(&calls[i], pair.near, block, BYTES, 0);
        assert_int_equal(returned[i], STATUS_PENDING);
    }
    receive_counted(&pair, (SIZE_T)SENDS * BYTES);
    for (unsigned i = 0; i < SENDS; i++) {
        assert_int_equal(call_wait(&calls[i], returned[i]), STATUS_SUCCESS);
        assert_int_equal(call_information(&calls[i]), BYTES);
        call_free(&calls[i]);
    }
    close_pair(&pair);
}

static void a_pending_send_can_be_cancelled(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    SIZE_T sent;
    PROVES("WSK-IRP-32");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    NTSTATUS returned = fill_until_pending(&pair, &call, pair.near, block, sizeof(block), &sent);
    assert_int_equal(returned, STATUS_PENDING);
    assert_true(IoCancelIrp(call.irp));
    assert_int_equal(call_wait(&call, returned), STATUS_CANCELLED);
    assert_true(call_information(&call) < sizeof(block));
    call_free(&call);
    close_pair(&pair);
}

static void a_send_to_a_peer_that_has_gone_fails(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    SIZE_T sent;
    PROVES("WSK-SEND-07", "WSK-SEND-20");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    NTSTATUS returned = fill_until_pending(&pair, &call, pair.near, block, sizeof(block), &sent);
    close_far(&pair);
    NTSTATUS status = call_wait(&call, returned);
    assert_true(status == STATUS_CONNECTION_RESET || status == STATUS_CONNECTION_DISCONNECTED);
    call_free(&call);
    close_pair(&pair);
}

struct broken {
    const char *rule;
    WSK_BUF buffer;
};

static void send_broken_buffer(void *context)
{
    static struct wsk_pair pair;
    static struct wsk_call call;
    struct broken *broken = context;
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    if (broken->buffer.Mdl != NULL) {
        broken->buffer.Mdl = call_buffer(&call, block, 16).Mdl;
        if (strcmp(broken->rule, "WSK-BUF-05") == 0) {
            broken->buffer.Mdl->MdlFlags &= ~MDL_SOURCE_IS_NONPAGED_POOL;
        }
    }
    send_of(pair.near)(pair.near, &broken->buffer, 0, call_irp(&call));
}

static void broken_buffers_are_caught(void **state)
{
    static MDL any;
    struct broken broken[] = {
        {"WSK-BUF-03", {NULL, 0, 1}},  {"WSK-BUF-08", {&any, 17, 1}},
        {"WSK-BUF-08", {&any, 8, 9}},  {"WSK-BUF-08", {&any, 8, (SIZE_T)-4}},
        {"WSK-BUF-05", {&any, 0, 16}},
    };
    PROVES("WSK-BUF-03", "WSK-BUF-05", "WSK-BUF-08");
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(broken); i++) {
        expect_bugcheck(send_broken_buffer, &broken[i], DRIVER_VERIFIER_DETECTED_VIOLATION,
                        ANY_PARAMETER, broken[i].rule);
    }
}

static void an_offset_may_lie_in_a_later_mdl(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    UCHAR pieces[12] = {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'};
    UCHAR received[12] = {0};
    PROVES("WSK-BUF-01", "WSK-BUF-02");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    PMDL chain = make_chain(pieces, 4, 3);
    WSK_BUF sent = {chain, 6, 5};
    log_capture();
    NTSTATUS returned = send_of(pair.near)(pair.near, &sent, 0, call_irp(&call));
    assert_true(log_named("WSK-BUF-02"));
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&call), 5);
    assert_int_equal(receive_all(&pair, pair.far, received, 5), 5);
    assert_memory_equal(received, "ghijk", 5);
    send_all(&pair, pair.far, "WXYZ", 4);
    WSK_BUF taken = {chain, 5, 4};
    log_capture();
    returned = receive_of(pair.near)(pair.near, &taken, WSK_FLAG_WAITALL, call_irp(&call));
    assert_true(log_named("WSK-BUF-02"));
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    assert_memory_equal(pieces, "abcdeWXYZjkl", 12);
    free_chain(chain);
    call_free(&call);
    close_pair(&pair);
}

static void functions_of_the_system_are_warned_of(void **state)
{
    struct wsk_pair pair;
    struct wsk_call call;
    UCHAR bytes[4] = {0};
    ULONG length = 16;
    ULONG flags = 16;
    PROVES("WSK-DISP-14");
    UNREFERENCED_PARAMETER(state);
    open_pair(&pair, NULL, NULL);
    call_init(&call);
    const WSK_PROVIDER_CONNECTION_DISPATCH *table = pair.near->Dispatch;
    WSK_BUF buffer = call_buffer(&call, "data", 4);
    log_capture();
    NTSTATUS returned = table->WskSendEx(pair.near, &buffer, 0, 0, NULL, call_irp(&call));
    assert_true(log_named("WSK-DISP-14"));
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    buffer = call_buffer(&call, bytes, 4);
    log_capture();
    returned = table->WskReceiveEx(pair.far, &buffer, WSK_FLAG_WAITALL, &length, NULL, &flags,
                                   call_irp(&call));
    assert_true(log_named("WSK-DISP-14"));
    assert_int_equal(call_wait(&call, returned), STATUS_SUCCESS);
    assert_memory_equal(bytes, "data", 4);
    assert_int_equal(length, 0);
    assert_int_equal(flags, 0);
    call_free(&call);
    close_pair(&pair);
}

/* ---- levels ---- */

enum leveled { SEND, RECEIVE, RELEASE, LOCAL_ADDRESS, REMOTE_ADDRESS, SEND_TO, RECEIVE_FROM };

static void call_too_high(void *context)
{
    static struct wsk_pair pair;
    static SOCKADDR_INET address;
    static WSK_DATA_INDICATION indication;
    KIRQL old;
    open_pair(&pair, NULL, NULL);
    PWSK_SOCKET datagram = open_datagram(&pair.end, AF_INET, NULL, NULL, &address);
    const WSK_PROVIDER_CONNECTION_DISPATCH *table = pair.near->Dispatch;
    WSK_BUF buffer = call_buffer(&pair.end.call, block, 1);
    PIRP irp = call_irp(&pair.end.call);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &old);
    switch (*(const enum leveled *)context) {
    case SEND:
        table->WskSend(pair.near, &buffer, 0, irp);
        return;
    case RECEIVE:
        table->WskReceive(pair.near, &buffer, 0, irp);
        return;
    case RELEASE:
        table->WskRelease(pair.near, &indication);
        return;
    case LOCAL_ADDRESS:
        table->WskGetLocalAddress(pair.near, (PSOCKADDR)&address, irp);
        return;
    case REMOTE_ADDRESS:
        table->WskGetRemoteAddress(pair.near, (PSOCKADDR)&address, irp);
        return;
    case SEND_TO:
        datagram_table(datagram)->WskSendTo(datagram, &buffer, 0, (PSOCKADDR)&address, 0, NULL,
                                            irp);
        return;
    default:
        datagram_table(datagram)->WskReceiveFrom(datagram, &buffer, 0, NULL, NULL, NULL, NULL, irp);
        return;
    }
}

static void moving_data_above_dispatch_level_is_caught(void **state)
{
    PROVES("WSK-IRQL-08");
    UNREFERENCED_PARAMETER(state);
    for (enum leveled function = SEND; function <= RECEIVE_FROM; function++) {
        expect_bugcheck(call_too_high, &function, DRIVER_VIOLATION, ANY_PARAMETER, NULL);
    }
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_send_reports_its_whole_length),
    kernel_test(an_empty_send_succeeds),
    kernel_test(a_flag_that_does_not_exist_is_refused),
    kernel_test(a_send_waits_until_the_host_took_all),
    kernel_test(several_sends_keep_their_order),
    kernel_test(a_pending_send_can_be_cancelled),
    kernel_test(a_send_to_a_peer_that_has_gone_fails),
    kernel_test(broken_buffers_are_caught),
    kernel_test(an_offset_may_lie_in_a_later_mdl),
    kernel_test(functions_of_the_system_are_warned_of),
    kernel_test(moving_data_above_dispatch_level_is_caught),
};

TEST_MAIN(tests)
