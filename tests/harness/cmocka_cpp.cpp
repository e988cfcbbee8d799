/* The fixtures and peers of a test in C++. */
#include "test.h"

#include <wskemu/cmocka.h>
#include <wskemu/peer.h>

WSKEMU_USE_DRIVER(counting);

static void peers_talk(void **state)
{
    struct wskemu_peer *listener, *one, *other;
    SOCKADDR_STORAGE address = wskemu_loopback(AF_INET, 0);
    assert_null(*state);
    assert_int_equal(wskemu_peer_listen((PSOCKADDR)&address, &listener), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_local_address(listener, &address), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_connect((PSOCKADDR)&address, &one), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_accept(listener, &other), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_send_all(one, "hello", 5), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(other, "hello", 5), STATUS_SUCCESS);
    wskemu_peer_close(one);
    wskemu_peer_close(other);
    wskemu_peer_close(listener);
}

static void the_driver_is_there(void **state)
{
    assert_non_null(*state);
}

static const struct CMUnitTest tests[] = {
    wskemu_test(peers_talk),
    wskemu_driver_test(the_driver_is_there, counting),
};

TEST_MAIN(tests)
