/* Tests of event_echo: clients that behave, clients that never read, and an unload in between. */
#include <wskemu/cmocka.h>
#include <wskemu/peer.h>
#include <wskemu/registry.h>

#include <ntddk.h>

#define PARAMETERS                                                                                 \
    L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\event_echo\\Parameters"
#define CLIENTS 50
#define BLOCK_BYTES 65536
#define BLOCKS 16
#define KEPT_BLOCKS 48
#define SENT_BYTES_MAX (256 * 1024 * 1024)

WSKEMU_USE_DRIVER(event_echo);

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
    set_port(wskemu_free_port(AF_INET, SOCK_STREAM));
}

static struct wskemu_peer *connect_client(void)
{
    struct wskemu_peer *client;
    assert_int_equal(wskemu_peer_connect(WSKEMU_LOOPBACK(AF_INET, port), &client), STATUS_SUCCESS);
    return client;
}

static void expect_echo(struct wskemu_peer *client, const void *bytes, SIZE_T length)
{
    assert_int_equal(wskemu_peer_send_all(client, bytes, length), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(client, bytes, length), STATUS_SUCCESS);
}

static void a_client_gets_back_what_it_sent(void **state)
{
    (void)state;
    struct wskemu_peer *client = connect_client();
    expect_echo(client, "hello", 5);
    expect_echo(client, "kernel", 6);
    wskemu_peer_close(client);
}

static void a_client_that_sends_no_more_gets_the_rest_and_the_end(void **state)
{
    (void)state;
    struct wskemu_peer *client = connect_client();
    assert_int_equal(wskemu_peer_send_all(client, "goodbye", 7), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_shutdown_send(client), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(client, "goodbye", 7), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_end(client), STATUS_SUCCESS);
    wskemu_peer_close(client);
}

static void what_is_longer_than_the_buffer_comes_back_whole(void **state)
{
    static UCHAR block[BLOCK_BYTES];
    (void)state;
    struct wskemu_peer *client = connect_client();
    for (ULONG round = 0; round < BLOCKS; round++) {
        for (ULONG i = 0; i < BLOCK_BYTES; i++) {
            block[i] = (UCHAR)(i * 31 + i / 256 + round);
        }
        expect_echo(client, block, BLOCK_BYTES);
    }
    wskemu_peer_close(client);
}

static void many_clients_are_served_side_by_side(void **state)
{
    struct wskemu_peer *clients[CLIENTS];
    (void)state;
    for (ULONG i = 0; i < CLIENTS; i++) {
        clients[i] = connect_client();
    }
    for (ULONG i = 0; i < CLIENTS; i++) {
        assert_int_equal(wskemu_peer_send_all(clients[i], &i, sizeof(i)), STATUS_SUCCESS);
    }
    for (ULONG i = CLIENTS; i-- > 0;) {
        assert_int_equal(wskemu_peer_expect_bytes(clients[i], &i, sizeof(i)), STATUS_SUCCESS);
        wskemu_peer_close(clients[i]);
    }
}

static void a_reset_ends_one_connection_only(void **state)
{
    (void)state;
    struct wskemu_peer *bystander = connect_client();
    expect_echo(bystander, "before", 6);
    for (ULONG i = 0; i < CLIENTS; i++) {
        struct wskemu_peer *client = connect_client();
        if (i % 2 == 0) {
            expect_echo(client, "x", 1);
        }
        wskemu_peer_reset(client);
    }
    expect_echo(bystander, "after", 5);
    wskemu_peer_close(bystander);
}

/* Sends and never reads: the driver cuts it off when it has to keep too much. */
static void a_client_that_never_reads_is_cut_off(void **state)
{
    static const UCHAR block[BLOCK_BYTES];
    NTSTATUS status = STATUS_SUCCESS;
    SIZE_T sent = 0;
    SIZE_T total = 0;
    (void)state;
    struct wskemu_peer *bystander = connect_client();
    struct wskemu_peer *client = connect_client();
    while (NT_SUCCESS(status) && total < SENT_BYTES_MAX) {
        status = wskemu_peer_send(client, block, sizeof(block), &sent);
        total += sent;
    }
    assert_false(NT_SUCCESS(status));
    expect_echo(bystander, "still here", 10);
    wskemu_peer_close(client);
    wskemu_peer_close(bystander);
}

/* Leaves the driver with sends that are stuck, and with indications that it keeps for them. */
static void send_without_reading(struct wskemu_peer *client)
{
    static const UCHAR block[BLOCK_BYTES];
    for (ULONG i = 0; i < KEPT_BLOCKS; i++) {
        SIZE_T sent;
        wskemu_peer_send(client, block, sizeof(block), &sent);
    }
}

static void unload_ends_what_is_connected(void **state)
{
    UCHAR byte;
    SIZE_T received;
    struct wskemu_peer *talking = connect_client();
    struct wskemu_peer *silent = connect_client();
    struct wskemu_peer *deaf = connect_client();
    expect_echo(talking, "hello", 5);
    send_without_reading(deaf);
    assert_int_equal(wskemu_unload_driver(*state), STATUS_SUCCESS);
    assert_false(NT_SUCCESS(wskemu_peer_receive(talking, &byte, 1, &received)));
    assert_false(NT_SUCCESS(wskemu_peer_receive(silent, &byte, 1, &received)));
    struct wskemu_peer *late;
    assert_int_equal(wskemu_peer_connect(WSKEMU_LOOPBACK(AF_INET, port), &late),
                     STATUS_CONNECTION_REFUSED);
    wskemu_peer_close(talking);
    wskemu_peer_close(silent);
    wskemu_peer_close(deaf);
}

static void a_second_load_serves_again(void **state)
{
    PDRIVER_OBJECT again;
    assert_int_equal(wskemu_unload_driver(*state), STATUS_SUCCESS);
    assert_int_equal(wskemu_load_driver(&wskemu_image_event_echo, &again), STATUS_SUCCESS);
    struct wskemu_peer *client = connect_client();
    expect_echo(client, "again", 5);
    wskemu_peer_close(client);
}

static void a_taken_port_fails_the_load_and_leaves_nothing(void **state)
{
    PDRIVER_OBJECT driver;
    SOCKADDR_STORAGE address;
    struct wskemu_peer *owner;
    (void)state;
    assert_int_equal(wskemu_peer_listen(WSKEMU_LOOPBACK(AF_INET, 0), &owner), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_local_address(owner, &address), STATUS_SUCCESS);
    set_port(wskemu_port((PSOCKADDR)&address));
    assert_int_equal(wskemu_load_driver(&wskemu_image_event_echo, &driver),
                     STATUS_ADDRESS_ALREADY_EXISTS);
    wskemu_peer_close(owner);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        wskemu_driver_test_setup(a_client_gets_back_what_it_sent, event_echo, choose_port),
        wskemu_driver_test_setup(a_client_that_sends_no_more_gets_the_rest_and_the_end, event_echo,
                                 choose_port),
        wskemu_driver_test_setup(what_is_longer_than_the_buffer_comes_back_whole, event_echo,
                                 choose_port),
        wskemu_driver_test_setup(many_clients_are_served_side_by_side, event_echo, choose_port),
        wskemu_driver_test_setup(a_reset_ends_one_connection_only, event_echo, choose_port),
        wskemu_driver_test_setup(a_client_that_never_reads_is_cut_off, event_echo, choose_port),
        wskemu_driver_test_setup(unload_ends_what_is_connected, event_echo, choose_port),
        wskemu_driver_test_setup(a_second_load_serves_again, event_echo, choose_port),
        wskemu_test(a_taken_port_fails_the_load_and_leaves_nothing),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
