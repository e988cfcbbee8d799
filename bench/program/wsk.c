/* A test of a driver as one writes it: boot, load, one echo, unload, shutdown. */
#include <wskemu/cmocka.h>
#include <wskemu/peer.h>
#include <wskemu/registry.h>

#define PARAMETERS L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\tcp_echo\\Parameters"

WSKEMU_USE_DRIVER(tcp_echo);

static ULONG port;

static void choose_port(void)
{
    port = wskemu_free_port(AF_INET, SOCK_STREAM);
    assert_int_equal(wskemu_registry_set(PARAMETERS, L"Port", REG_DWORD, &port, sizeof(port)),
                     STATUS_SUCCESS);
}

static void a_message_comes_back(void **state)
{
    struct wskemu_peer *peer;
    (void)state;
    assert_int_equal(wskemu_peer_connect(WSKEMU_LOOPBACK(AF_INET, (USHORT)port), &peer),
                     STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_send_all(peer, "hello", 5), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(peer, "hello", 5), STATUS_SUCCESS);
    wskemu_peer_close(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        wskemu_driver_test_setup(a_message_comes_back, tcp_echo, choose_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
