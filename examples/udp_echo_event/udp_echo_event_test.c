/* Tests of udp_echo_event: datagrams of all sizes, many clients, and an unload in between. */
#include <wskemu/cmocka.h>
#include <wskemu/peer.h>
#include <wskemu/registry.h>

#include <ntddk.h>

#define PARAMETERS                                                                                 \
    L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\udp_echo_event\\Parameters"
#define CLIENTS 20
#define BURST 32
#define DATAGRAM_BYTES_MAX 60000

WSKEMU_USE_DRIVER(udp_echo_event);

static USHORT port;

static void set_port(USHORT value)
{
    ULONG number = value;
    port = value;
    assert_int_equal(wskemu_registry_set(PARAMETERS, L"Port", REG_DWORD, &number, sizeof(number)),
                     STATUS_SUCCESS);
}

static void choose_port(void)
{
    set_port(wskemu_free_port(AF_INET, SOCK_DGRAM));
}

static struct wskemu_peer *open_client(void)
{
    struct wskemu_peer *client;
    assert_int_equal(wskemu_peer_open_datagram(WSKEMU_LOOPBACK(AF_INET, 0), &client),
                     STATUS_SUCCESS);
    return client;
}

static void send_to_driver(struct wskemu_peer *client, const void *bytes, SIZE_T length)
{
    assert_int_equal(wskemu_peer_send_to(client, WSKEMU_LOOPBACK(AF_INET, port), bytes, length),
                     STATUS_SUCCESS);
}

static void expect_from_driver(struct wskemu_peer *client, const void *bytes, SIZE_T length)
{
    static UCHAR received[DATAGRAM_BYTES_MAX];
    SOCKADDR_STORAGE from;
    SIZE_T received_bytes;
    assert_int_equal(
        wskemu_peer_receive_from(client, received, sizeof(received), &received_bytes, &from),
        STATUS_SUCCESS);
    assert_int_equal(received_bytes, length);
    assert_memory_equal(received, bytes, length);
    assert_int_equal(wskemu_port((PSOCKADDR)&from), port);
}

static void a_datagram_comes_back_to_its_sender(void **state)
{
    (void)state;
    struct wskemu_peer *client = open_client();
    send_to_driver(client, "hello", 5);
    expect_from_driver(client, "hello", 5);
    wskemu_peer_close(client);
}

static void empty_and_long_datagrams_come_back_whole(void **state)
{
    static UCHAR bytes[DATAGRAM_BYTES_MAX];
    static const SIZE_T lengths[] = {1, 0, 1473, 9000, DATAGRAM_BYTES_MAX};
    (void)state;
    struct wskemu_peer *client = open_client();
    for (ULONG i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (UCHAR)(i * 7 + i / 256);
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(lengths); i++) {
        send_to_driver(client, bytes, lengths[i]);
        expect_from_driver(client, bytes, lengths[i]);
    }
    wskemu_peer_close(client);
}

static void each_client_gets_its_own(void **state)
{
    struct wskemu_peer *clients[CLIENTS];
    (void)state;
    for (ULONG i = 0; i < CLIENTS; i++) {
        clients[i] = open_client();
        send_to_driver(clients[i], &i, sizeof(i));
    }
    for (ULONG i = CLIENTS; i-- > 0;) {
        expect_from_driver(clients[i], &i, sizeof(i));
        wskemu_peer_close(clients[i]);
    }
}

/* UDP promises no order, so none is asked for. */
static void a_burst_comes_back_whole(void **state)
{
    BOOLEAN is_back[BURST] = {FALSE};
    (void)state;
    struct wskemu_peer *client = open_client();
    for (ULONG i = 0; i < BURST; i++) {
        send_to_driver(client, &i, sizeof(i));
    }
    for (ULONG i = 0; i < BURST; i++) {
        ULONG number;
        SIZE_T length;
        assert_int_equal(wskemu_peer_receive_from(client, &number, sizeof(number), &length, NULL),
                         STATUS_SUCCESS);
        assert_int_equal(length, sizeof(number));
        assert_true(number < BURST && !is_back[number]);
        is_back[number] = TRUE;
    }
    wskemu_peer_close(client);
}

/* On some hosts a datagram to a closed port makes a later receive of the sender fail. */
static void a_client_that_is_gone_does_no_harm(void **state)
{
    (void)state;
    struct wskemu_peer *last = open_client(); /* first, or it might get the port of one that went */
    for (ULONG i = 0; i < CLIENTS; i++) {
        struct wskemu_peer *client = open_client();
        send_to_driver(client, "x", 1);
        wskemu_peer_close(client);
    }
    send_to_driver(last, "hello", 5);
    expect_from_driver(last, "hello", 5);
    wskemu_peer_close(last);
}

static void unload_in_the_middle_of_a_burst_leaves_nothing(void **state)
{
    struct wskemu_peer *client = open_client();
    for (ULONG i = 0; i < BURST; i++) {
        send_to_driver(client, &i, sizeof(i));
    }
    assert_int_equal(wskemu_unload_driver(*state), STATUS_SUCCESS);
    wskemu_peer_close(client);
}

static void a_second_load_serves_again(void **state)
{
    PDRIVER_OBJECT again;
    assert_int_equal(wskemu_unload_driver(*state), STATUS_SUCCESS);
    assert_int_equal(wskemu_load_driver(&wskemu_image_udp_echo_event, &again), STATUS_SUCCESS);
    a_datagram_comes_back_to_its_sender(state);
}

static void a_taken_port_fails_the_load_and_leaves_nothing(void **state)
{
    PDRIVER_OBJECT driver;
    SOCKADDR_STORAGE address;
    (void)state;
    struct wskemu_peer *owner = open_client();
    assert_int_equal(wskemu_peer_local_address(owner, &address), STATUS_SUCCESS);
    set_port(wskemu_port((PSOCKADDR)&address));
    assert_int_equal(wskemu_load_driver(&wskemu_image_udp_echo_event, &driver),
                     STATUS_ADDRESS_ALREADY_EXISTS);
    wskemu_peer_close(owner);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        wskemu_driver_test_setup(a_datagram_comes_back_to_its_sender, udp_echo_event, choose_port),
        wskemu_driver_test_setup(empty_and_long_datagrams_come_back_whole, udp_echo_event,
                                 choose_port),
        wskemu_driver_test_setup(each_client_gets_its_own, udp_echo_event, choose_port),
        wskemu_driver_test_setup(a_burst_comes_back_whole, udp_echo_event, choose_port),
        wskemu_driver_test_setup(a_client_that_is_gone_does_no_harm, udp_echo_event, choose_port),
        wskemu_driver_test_setup(unload_in_the_middle_of_a_burst_leaves_nothing, udp_echo_event,
                                 choose_port),
        wskemu_driver_test_setup(a_second_load_serves_again, udp_echo_event, choose_port),
        wskemu_test(a_taken_port_fails_the_load_and_leaves_nothing),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
