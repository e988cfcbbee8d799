/*
 * Tests of tcp_echo. What any TCP echo server has to do is tested in ../support/stream_echo.c; here
 * is an unload while a send is stuck.
 */
#include "../support/service.h"
#include "../support/stream_echo.h"

#define BLOCK_BYTES 65536

WSKEMU_USE_DRIVER(tcp_echo);

const struct service service = {
    .image = &wskemu_image_tcp_echo,
    .parameters = L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\tcp_echo\\Parameters",
    .socket_type = SOCK_STREAM,
    .use = a_client_gets_back_what_it_sent,
};

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
    expect_unload_to_end_clients(*state, fill);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        /* ../support: of any TCP echo server, and of any service */
        wskemu_driver_test_setup(a_client_gets_back_what_it_sent, tcp_echo, choose_port),
        wskemu_driver_test_setup(a_client_that_sends_no_more_gets_the_rest_and_the_end, tcp_echo,
                                 choose_port),
        wskemu_driver_test_setup(what_is_longer_than_the_buffer_comes_back_whole, tcp_echo,
                                 choose_port),
        wskemu_driver_test_setup(many_clients_are_served_side_by_side, tcp_echo, choose_port),
        wskemu_driver_test_setup(a_reset_ends_one_connection_only, tcp_echo, choose_port),
        wskemu_driver_test_setup(a_second_load_serves_again, tcp_echo, choose_port),
        wskemu_test(a_taken_port_fails_the_load_and_leaves_nothing),
        /* of this one */
        wskemu_driver_test_setup(unload_ends_what_is_connected, tcp_echo, choose_port),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
