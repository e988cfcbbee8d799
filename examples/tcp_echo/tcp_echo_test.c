/* Tests of tcp_echo: clients that behave, clients that do not, and an unload in between. */
#include <wskemu/cmocka.h>
#include <wskemu/peer.h>
#include <wskemu/registry.h>

#include <ntddk.h>

#define PARAMETERS L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\tcp_echo\\Parameters"
#define CLIENTS 50
#define BLOCK_BYTES 65536
#define BLOCKS 16

WSKEMU_USE_DRIVER(tcp_echo);

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

/* Sends until nothing fits any more: the driver's own sends are stuck as well then. */
static void fill(struct wskemu_peer *client)
{
    static const UCHAR block[BLOCK_BYTES];
    SIZE_T sent;
    wskemu_peer_set_deadline(client, 50);
    while (wskemu_peer_send(client, block, sizeof(block), &sent) == STATUS_SUCCESS) {
        continue;
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
    fill(deaf);
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
    assert_int_equal(wskemu_load_driver(&wskemu_image_tcp_echo, &again), STATUS_SUCCESS);
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
    assert_int_equal(wskemu_load_driver(&wskemu_image_tcp_echo, &driver),
                     STATUS_ADDRESS_ALREADY_EXISTS);
    wskemu_peer_close(owner);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        wskemu_driver_test_setup(a_client_gets_back_what_it_sent, tcp_echo, choose_port),
        wskemu_driver_test_setup(a_client_that_sends_no_more_gets_the_rest_and_the_end, tcp_echo,
                                 choose_port),
        wskemu_driver_test_setup(what_is_longer_than_the_buffer_comes_back_whole, tcp_echo,
                                 choose_port),
        wskemu_driver_test_setup(many_clients_are_served_side_by_side, tcp_echo, choose_port),
        wskemu_driver_test_setup(a_reset_ends_one_connection_only, tcp_echo, choose_port),
        wskemu_driver_test_setup(unload_ends_what_is_connected, tcp_echo, choose_port),
        wskemu_driver_test_setup(a_second_load_serves_again, tcp_echo, choose_port),
        wskemu_test(a_taken_port_fails_the_load_and_leaves_nothing),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
