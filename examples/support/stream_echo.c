#include "stream_echo.h"

#define CLIENTS 50
#define BLOCK_BYTES 65536
#define BLOCKS 16

struct wskemu_peer *connect_client(void)
{
    struct wskemu_peer *client;
    assert_int_equal(wskemu_peer_connect(SERVICE_ADDRESS, &client), STATUS_SUCCESS);
    return client;
}

void expect_echo(struct wskemu_peer *client, const void *bytes, SIZE_T length)
{
    assert_int_equal(wskemu_peer_send_all(client, bytes, length), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(client, bytes, length), STATUS_SUCCESS);
}

void a_client_gets_back_what_it_sent(void **state)
{
    (void)state;
    struct wskemu_peer *client = connect_client();
    expect_echo(client, "hello", 5);
    expect_echo(client, "kernel", 6);
    wskemu_peer_close(client);
}

void a_client_that_sends_no_more_gets_the_rest_and_the_end(void **state)
{
    (void)state;
    struct wskemu_peer *client = connect_client();
    assert_int_equal(wskemu_peer_send_all(client, "goodbye", 7), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_shutdown_send(client), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(client, "goodbye", 7), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_end(client), STATUS_SUCCESS);
    wskemu_peer_close(client);
}

void what_is_longer_than_the_buffer_comes_back_whole(void **state)
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

void many_clients_are_served_side_by_side(void **state)
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

void a_reset_ends_one_connection_only(void **state)
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

void expect_unload_to_end_clients(PDRIVER_OBJECT driver,
                                  void (*send_unread)(struct wskemu_peer *client))
{
    UCHAR byte;
    SIZE_T received;
    struct wskemu_peer *talking = connect_client();
    struct wskemu_peer *silent = connect_client();
    struct wskemu_peer *deaf = connect_client();
    expect_echo(talking, "hello", 5);
    send_unread(deaf);
    assert_int_equal(wskemu_unload_driver(driver), STATUS_SUCCESS);
    assert_false(NT_SUCCESS(wskemu_peer_receive(talking, &byte, 1, &received)));
    assert_false(NT_SUCCESS(wskemu_peer_receive(silent, &byte, 1, &received)));
    struct wskemu_peer *late;
    assert_int_equal(wskemu_peer_connect(SERVICE_ADDRESS, &late), STATUS_CONNECTION_REFUSED);
    wskemu_peer_close(talking);
    wskemu_peer_close(silent);
    wskemu_peer_close(deaf);
}
