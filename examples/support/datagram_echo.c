#include "datagram_echo.h"

#define CLIENTS 20
#define BURST 32
#define DATAGRAM_BYTES_MAX 60000

static struct wskemu_peer *open_client(void)
{
    struct wskemu_peer *client;
    assert_int_equal(wskemu_peer_open_datagram(WSKEMU_LOOPBACK(AF_INET, 0), &client),
                     STATUS_SUCCESS);
    return client;
}

static void send_to_driver(struct wskemu_peer *client, const void *bytes, SIZE_T length)
{
    assert_int_equal(wskemu_peer_send_to(client, SERVICE_ADDRESS, bytes, length), STATUS_SUCCESS);
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
    assert_int_equal(wskemu_port((PSOCKADDR)&from), service_port());
}

void a_datagram_comes_back_to_its_sender(void **state)
{
    (void)state;
    struct wskemu_peer *client = open_client();
    send_to_driver(client, "hello", 5);
    expect_from_driver(client, "hello", 5);
    wskemu_peer_close(client);
}

void empty_and_long_datagrams_come_back_whole(void **state)
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

void each_client_gets_its_own(void **state)
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

/* In any order: UDP promises none, and a driver may answer several side by side. */
void a_burst_comes_back_whole(void **state)
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
void a_client_that_is_gone_does_no_harm(void **state)
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

void unload_in_the_middle_of_a_burst_leaves_nothing(void **state)
{
    struct wskemu_peer *client = open_client();
    for (ULONG i = 0; i < BURST; i++) {
        send_to_driver(client, &i, sizeof(i));
    }
    assert_int_equal(wskemu_unload_driver(*state), STATUS_SUCCESS);
    wskemu_peer_close(client);
}
