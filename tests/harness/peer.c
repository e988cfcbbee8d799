/* Peers against each other. */
#include "test.h"

#include "kernel.h"

#include <wskemu/peer.h>

#define SHORT_MS 20

static UCHAR big[4 << 20];

/* Two connected peers. */
static void connect_two(ADDRESS_FAMILY family, struct wskemu_peer **one, struct wskemu_peer **other)
{
    struct wskemu_peer *listener;
    SOCKADDR_STORAGE address;
    assert_int_equal(wskemu_peer_listen(WSKEMU_LOOPBACK(family, 0), &listener), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_local_address(listener, &address), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_connect((SOCKADDR *)&address, one), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_accept(listener, other), STATUS_SUCCESS);
    wskemu_peer_close(listener);
}

static void close_two(struct wskemu_peer *one, struct wskemu_peer *other)
{
    wskemu_peer_close(one);
    wskemu_peer_close(other);
}

static void bytes_go_both_ways(void **state)
{
    static const ADDRESS_FAMILY families[] = {AF_INET, AF_INET6};
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(families); i++) {
        struct wskemu_peer *one, *other;
        connect_two(families[i], &one, &other);
        assert_int_equal(wskemu_peer_send_all(one, "ping", 4), STATUS_SUCCESS);
        assert_int_equal(wskemu_peer_expect_bytes(other, "ping", 4), STATUS_SUCCESS);
        assert_int_equal(wskemu_peer_send_all(other, "pong", 4), STATUS_SUCCESS);
        assert_int_equal(wskemu_peer_expect_bytes(one, "pong", 4), STATUS_SUCCESS);
        close_two(one, other);
    }
}

static void each_end_knows_both_addresses(void **state)
{
    struct wskemu_peer *one, *other;
    SOCKADDR_STORAGE local, remote;
    UNREFERENCED_PARAMETER(state);
    connect_two(AF_INET6, &one, &other);
    assert_int_equal(wskemu_peer_local_address(one, &local), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_remote_address(other, &remote), STATUS_SUCCESS);
    assert_memory_equal(&local, &remote, sizeof(local));
    assert_int_equal(local.ss_family, AF_INET6);
    assert_int_not_equal(wskemu_port((SOCKADDR *)&local), 0);
    assert_int_equal(wskemu_peer_remote_address(one, &remote), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_local_address(other, &local), STATUS_SUCCESS);
    assert_memory_equal(&local, &remote, sizeof(local));
    close_two(one, other);
}

static VOID send_in_pieces(PVOID context)
{
    LARGE_INTEGER pause = interval_ms(1);
    for (const char *at = "pieces"; *at != '\0'; at++) {
        wskemu_peer_send_all(context, at, 1);
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
}

static void exactly_so_many_bytes_come_out_of_pieces(void **state)
{
    struct wskemu_peer *one, *other;
    char received[6];
    UNREFERENCED_PARAMETER(state);
    connect_two(AF_INET, &one, &other);
    PKTHREAD sender = start_thread(send_in_pieces, one);
    assert_int_equal(wskemu_peer_receive_exactly(other, received, 6), STATUS_SUCCESS);
    assert_memory_equal(received, "pieces", 6);
    join_thread(sender);
    close_two(one, other);
}

static VOID send_big(PVOID context)
{
    wskemu_peer_send_all(context, big, sizeof(big));
}

static void more_than_the_host_holds_arrives_whole(void **state)
{
    struct wskemu_peer *one, *other;
    UNREFERENCED_PARAMETER(state);
    for (SIZE_T i = 0; i < sizeof(big); i++) {
        big[i] = (UCHAR)(i * 31 >> 3);
    }
    connect_two(AF_INET, &one, &other);
    PKTHREAD sender = start_thread(send_big, one);
    assert_int_equal(wskemu_peer_expect_bytes(other, big, sizeof(big)), STATUS_SUCCESS);
    join_thread(sender);
    close_two(one, other);
}

static void receive_takes_what_is_there(void **state)
{
    struct wskemu_peer *one, *other;
    char received[16];
    SIZE_T length;
    UNREFERENCED_PARAMETER(state);
    connect_two(AF_INET, &one, &other);
    assert_int_equal(wskemu_peer_send(one, "abc", 3, &length), STATUS_SUCCESS);
    assert_int_equal(length, 3);
    assert_int_equal(wskemu_peer_receive(other, received, sizeof(received), &length),
                     STATUS_SUCCESS);
    assert_int_equal(length, 3);
    assert_int_equal(wskemu_peer_receive(other, received, 0, &length), STATUS_SUCCESS);
    assert_int_equal(length, 0);
    close_two(one, other);
}

static void the_end_of_one_direction_leaves_the_other(void **state)
{
    struct wskemu_peer *one, *other;
    char received[4];
    SIZE_T length;
    UNREFERENCED_PARAMETER(state);
    connect_two(AF_INET, &one, &other);
    assert_int_equal(wskemu_peer_send_all(one, "ab", 2), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_shutdown_send(one), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_receive_exactly(other, received, 4), STATUS_END_OF_FILE);
    assert_int_equal(wskemu_peer_receive(other, received, 4, &length), STATUS_END_OF_FILE);
    assert_int_equal(wskemu_peer_expect_end(other), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_send_all(other, "cd", 2), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(one, "cd", 2), STATUS_SUCCESS);
    close_two(one, other);
}

static void a_close_ends_the_stream_of_the_other(void **state)
{
    struct wskemu_peer *one, *other;
    UNREFERENCED_PARAMETER(state);
    connect_two(AF_INET, &one, &other);
    wskemu_peer_close(one);
    assert_int_equal(wskemu_peer_expect_end(other), STATUS_SUCCESS);
    wskemu_peer_close(other);
}

static void a_reset_is_seen_as_one(void **state)
{
    struct wskemu_peer *one, *other;
    char received[4];
    SIZE_T length;
    UNREFERENCED_PARAMETER(state);
    connect_two(AF_INET, &one, &other);
    wskemu_peer_reset(one);
    assert_int_equal(wskemu_peer_receive(other, received, 4, &length), STATUS_CONNECTION_RESET);
    wskemu_peer_close(other);
}

static VOID reset_later(PVOID context)
{
    LARGE_INTEGER pause = interval_ms(2);
    KeDelayExecutionThread(KernelMode, FALSE, &pause);
    wskemu_peer_reset(context);
}

static void a_reset_ends_a_waiting_receive(void **state)
{
    struct wskemu_peer *one, *other;
    char received[4];
    UNREFERENCED_PARAMETER(state);
    connect_two(AF_INET, &one, &other);
    PKTHREAD thread = start_thread(reset_later, one);
    assert_int_equal(wskemu_peer_receive_exactly(other, received, 4), STATUS_CONNECTION_RESET);
    join_thread(thread);
    wskemu_peer_close(other);
}

static void nobody_listens_and_the_connection_is_refused(void **state)
{
    struct wskemu_peer *peer;
    USHORT port = wskemu_free_port(AF_INET, SOCK_STREAM);
    UNREFERENCED_PARAMETER(state);
    assert_int_not_equal(port, 0);
    assert_int_equal(wskemu_peer_connect(WSKEMU_LOOPBACK(AF_INET, port), &peer),
                     STATUS_CONNECTION_REFUSED);
    assert_null(peer);
}

static void a_deadline_ends_a_wait_and_the_peer_goes_on(void **state)
{
    struct wskemu_peer *one, *other;
    char received[2];
    UNREFERENCED_PARAMETER(state);
    connect_two(AF_INET, &one, &other);
    wskemu_peer_set_deadline(other, SHORT_MS);
    assert_int_equal(wskemu_peer_send_all(one, "a", 1), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_receive_exactly(other, received, 2), STATUS_TIMEOUT);
    assert_int_equal(wskemu_peer_expect_end(other), STATUS_TIMEOUT);
    wskemu_peer_set_deadline(one, SHORT_MS);
    NTSTATUS status = STATUS_SUCCESS;
    while (status == STATUS_SUCCESS) { /* until the host's buffers are full */
        status = wskemu_peer_send_all(one, big, sizeof(big));
    }
    assert_int_equal(status, STATUS_TIMEOUT);
    wskemu_peer_reset(one);
    wskemu_peer_reset(other);
}

static void an_accepted_peer_has_the_deadline_of_its_listener(void **state)
{
    struct wskemu_peer *listener, *one, *other;
    SOCKADDR_STORAGE address;
    char received[2];
    UNREFERENCED_PARAMETER(state);
    wskemu_peer_set_deadline(NULL, SHORT_MS);
    assert_int_equal(wskemu_peer_listen(WSKEMU_LOOPBACK(AF_INET, 0), &listener), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_accept(listener, &other), STATUS_TIMEOUT);
    assert_null(other);
    wskemu_peer_local_address(listener, &address);
    assert_int_equal(wskemu_peer_connect((SOCKADDR *)&address, &one), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_accept(listener, &other), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_receive_exactly(other, received, 2), STATUS_TIMEOUT);
    wskemu_peer_close(listener);
    close_two(one, other);
}

static void other_bytes_or_too_few_are_no_match(void **state)
{
    struct wskemu_peer *one, *other;
    UNREFERENCED_PARAMETER(state);
    connect_two(AF_INET, &one, &other);
    assert_int_equal(wskemu_peer_send_all(one, "abXd", 4), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(other, "abcd", 4), STATUS_DATA_ERROR);
    assert_int_equal(wskemu_peer_send_all(one, "ab", 2), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_end(other), STATUS_DATA_ERROR);
    assert_int_equal(wskemu_peer_shutdown_send(one), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(other, "bc", 2), STATUS_END_OF_FILE);
    close_two(one, other);
}

static void datagrams_come_whole_and_with_their_source(void **state)
{
    static const ADDRESS_FAMILY families[] = {AF_INET, AF_INET6};
    UNREFERENCED_PARAMETER(state);
    for (unsigned i = 0; i < RTL_NUMBER_OF(families); i++) {
        struct wskemu_peer *one, *other;
        SOCKADDR_STORAGE here, there, source;
        char received[8];
        SIZE_T length;
        const SOCKADDR *any = WSKEMU_LOOPBACK(families[i], 0);
        assert_int_equal(wskemu_peer_open_datagram(any, &one), STATUS_SUCCESS);
        assert_int_equal(wskemu_peer_open_datagram(any, &other), STATUS_SUCCESS);
        wskemu_peer_local_address(one, &here);
        wskemu_peer_local_address(other, &there);
        assert_int_equal(wskemu_peer_send_to(one, (SOCKADDR *)&there, "abc", 3), STATUS_SUCCESS);
        assert_int_equal(wskemu_peer_send_to(one, (SOCKADDR *)&there, NULL, 0), STATUS_SUCCESS);
        assert_int_equal(wskemu_peer_send_to(one, (SOCKADDR *)&there, "too long", 8),
                         STATUS_SUCCESS);
        assert_int_equal(wskemu_peer_receive_from(other, received, 8, &length, &source),
                         STATUS_SUCCESS);
        assert_int_equal(length, 3);
        assert_memory_equal(received, "abc", 3);
        assert_memory_equal(&source, &here, sizeof(source));
        assert_int_equal(wskemu_peer_receive_from(other, received, 8, &length, NULL),
                         STATUS_SUCCESS);
        assert_int_equal(length, 0);
        assert_int_equal(wskemu_peer_receive_from(other, received, 3, &length, NULL),
                         STATUS_BUFFER_OVERFLOW);
        assert_int_equal(length, 3);
        assert_memory_equal(received, "too", 3);
        wskemu_peer_set_deadline(other, SHORT_MS);
        assert_int_equal(wskemu_peer_receive_from(other, received, 8, &length, NULL),
                         STATUS_TIMEOUT);
        close_two(one, other);
    }
}

#define MANY 300

static void many_peers_stand_beside_each_other(void **state)
{
    struct wskemu_peer *listener, *clients[MANY], *servers[MANY];
    SOCKADDR_STORAGE address;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_peer_listen(WSKEMU_LOOPBACK(AF_INET, 0), &listener), STATUS_SUCCESS);
    wskemu_peer_local_address(listener, &address);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(wskemu_peer_connect((SOCKADDR *)&address, &clients[i]), STATUS_SUCCESS);
        assert_int_equal(wskemu_peer_accept(listener, &servers[i]), STATUS_SUCCESS);
    }
    for (int i = MANY - 1; i >= 0; i--) {
        assert_int_equal(wskemu_peer_send_all(servers[i], &i, sizeof(i)), STATUS_SUCCESS);
    }
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(wskemu_peer_expect_bytes(clients[i], &i, sizeof(i)), STATUS_SUCCESS);
        close_two(clients[i], servers[i]);
    }
    wskemu_peer_close(listener);
}

#define THREADS 4
#define ROUNDS 50

/* Sends back what comes, on one connection of the listener. */
static VOID serve(PVOID context)
{
    struct wskemu_peer *peer;
    UCHAR bytes[64];
    SIZE_T length;
    if (wskemu_peer_accept(context, &peer) != STATUS_SUCCESS) {
        return;
    }
    while (wskemu_peer_receive(peer, bytes, sizeof(bytes), &length) == STATUS_SUCCESS) {
        wskemu_peer_send_all(peer, bytes, length);
    }
    wskemu_peer_close(peer);
}

static void threads_wait_at_peers_of_their_own(void **state)
{
    struct wskemu_peer *listener[THREADS], *client[THREADS];
    PKTHREAD thread[THREADS];
    SOCKADDR_STORAGE address;
    UNREFERENCED_PARAMETER(state);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(wskemu_peer_listen(WSKEMU_LOOPBACK(AF_INET, 0), &listener[i]),
                         STATUS_SUCCESS);
        wskemu_peer_local_address(listener[i], &address);
        thread[i] = start_thread(serve, listener[i]);
        assert_int_equal(wskemu_peer_connect((SOCKADDR *)&address, &client[i]), STATUS_SUCCESS);
    }
    for (int round = 0; round < ROUNDS * THREADS; round++) {
        struct wskemu_peer *peer = client[round % THREADS];
        assert_int_equal(wskemu_peer_send_all(peer, &round, sizeof(round)), STATUS_SUCCESS);
        assert_int_equal(wskemu_peer_expect_bytes(peer, &round, sizeof(round)), STATUS_SUCCESS);
    }
    for (int i = 0; i < THREADS; i++) {
        wskemu_peer_close(client[i]);
        join_thread(thread[i]);
        wskemu_peer_close(listener[i]);
    }
}

static VOID receive_one(PVOID context)
{
    UCHAR byte;
    wskemu_peer_receive_exactly(context, &byte, sizeof(byte));
}

static void a_peer_is_used_by_one_thread_at_a_time(void **state)
{
    struct wskemu_peer *one, *other;
    UNREFERENCED_PARAMETER(state);
    connect_two(AF_INET, &one, &other);
    PKTHREAD thread = start_thread(receive_one, other);
    await_blocked(thread);
    assert_int_equal(wskemu_peer_send_all(other, "a", 1), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(wskemu_peer_send_all(one, "a", 1), STATUS_SUCCESS);
    join_thread(thread);
    assert_int_equal(wskemu_peer_send_all(other, "a", 1), STATUS_SUCCESS);
    close_two(one, other);
}

static void peers_that_are_left_are_counted_and_closed(void **state)
{
    struct wskemu_peer *listener, *client;
    SOCKADDR_STORAGE address;
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_listen(WSKEMU_LOOPBACK(AF_INET, 0), &listener), STATUS_SUCCESS);
    wskemu_peer_set_deadline(listener, 1);
    assert_int_equal(wskemu_peer_accept(listener, &client), STATUS_TIMEOUT);
    wskemu_peer_local_address(listener, &address);
    assert_int_equal(wskemu_shutdown(), 1);

    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_connect((SOCKADDR *)&address, &client), STATUS_CONNECTION_REFUSED);
    assert_int_equal(wskemu_shutdown(), 0);
}

static struct wskemu_peer *halted;

static void stop_with_an_open_peer(void *context)
{
    UNREFERENCED_PARAMETER(context);
    wskemu_peer_listen(WSKEMU_LOOPBACK(AF_INET, 0), &halted);
    KeBugCheck(MANUALLY_INITIATED_CRASH);
}

static void a_peer_of_a_halted_kernel_is_of_no_use(void **state)
{
    struct wskemu_peer *accepted;
    UNREFERENCED_PARAMETER(state);
    assert_true(wskemu_catch_bugcheck(stop_with_an_open_peer, NULL, NULL));
    wskemu_peer_close(halted);
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_accept(halted, &accepted), STATUS_INVALID_DEVICE_STATE);
    wskemu_peer_close(halted);
}

static const struct CMUnitTest tests[] = {
    kernel_test(bytes_go_both_ways),
    kernel_test(each_end_knows_both_addresses),
    kernel_test(exactly_so_many_bytes_come_out_of_pieces),
    kernel_test(more_than_the_host_holds_arrives_whole),
    kernel_test(receive_takes_what_is_there),
    kernel_test(the_end_of_one_direction_leaves_the_other),
    kernel_test(a_close_ends_the_stream_of_the_other),
    kernel_test(a_reset_is_seen_as_one),
    kernel_test(a_reset_ends_a_waiting_receive),
    kernel_test(nobody_listens_and_the_connection_is_refused),
    kernel_test(a_deadline_ends_a_wait_and_the_peer_goes_on),
    kernel_test(an_accepted_peer_has_the_deadline_of_its_listener),
    kernel_test(other_bytes_or_too_few_are_no_match),
    kernel_test(datagrams_come_whole_and_with_their_source),
    kernel_test(many_peers_stand_beside_each_other),
    kernel_test(threads_wait_at_peers_of_their_own),
    kernel_test(a_peer_is_used_by_one_thread_at_a_time),
    cmocka_unit_test(peers_that_are_left_are_counted_and_closed),
    kernel_test(a_peer_of_a_halted_kernel_is_of_no_use),
};

TEST_MAIN(tests)
