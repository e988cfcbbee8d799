/*
 * Tests of event_echo. What any TCP echo server has to do is tested in ../support/stream_echo.c;
 * here are clients that never read, and an unload while indications are kept.
 */
#include "../support/service.h"
#include "../support/stream_echo.h"

#define BLOCK_BYTES 65536
#define KEPT_BLOCKS 48
#define SENT_BYTES_MAX (256 * 1024 * 1024)

WSKEMU_USE_DRIVER(event_echo);

const struct service service = {
    .image = &wskemu_image_event_echo,
    .parameters =
        L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\event_echo\\Parameters",
    .socket_type = SOCK_STREAM,
    .use = a_client_gets_back_what_it_sent,
};

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
    expect_unload_to_end_clients(*state, send_without_reading);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        /* ../support: of any TCP echo server, and of any service */
        wskemu_driver_test_setup(a_client_gets_back_what_it_sent, event_echo, choose_port),
        wskemu_driver_test_setup(a_client_that_sends_no_more_gets_the_rest_and_the_end, event_echo,
                                 choose_port),
        wskemu_driver_test_setup(what_is_longer_than_the_buffer_comes_back_whole, event_echo,
                                 choose_port),
        wskemu_driver_test_setup(many_clients_are_served_side_by_side, event_echo, choose_port),
        wskemu_driver_test_setup(a_reset_ends_one_connection_only, event_echo, choose_port),
        wskemu_driver_test_setup(a_second_load_serves_again, event_echo, choose_port),
        wskemu_test(a_taken_port_fails_the_load_and_leaves_nothing),
        /* of this one */
        wskemu_driver_test_setup(a_client_that_never_reads_is_cut_off, event_echo, choose_port),
        wskemu_driver_test_setup(unload_ends_what_is_connected, event_echo, choose_port),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
