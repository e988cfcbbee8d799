/*
 * Tests of udp_echo: what any UDP echo server has to do (../support/datagram_echo.c), and any
 * service (../support/service.c).
 */
#include "../support/datagram_echo.h"
#include "../support/service.h"

WSKEMU_USE_DRIVER(udp_echo);

const struct service service = {
    .image = &wskemu_image_udp_echo,
    .parameters = L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\udp_echo\\Parameters",
    .socket_type = SOCK_DGRAM,
    .use = a_datagram_comes_back_to_its_sender,
};

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        wskemu_driver_test_setup(a_datagram_comes_back_to_its_sender, udp_echo, choose_port),
        wskemu_driver_test_setup(empty_and_long_datagrams_come_back_whole, udp_echo, choose_port),
        wskemu_driver_test_setup(each_client_gets_its_own, udp_echo, choose_port),
        wskemu_driver_test_setup(a_burst_comes_back_whole, udp_echo, choose_port),
        wskemu_driver_test_setup(a_client_that_is_gone_does_no_harm, udp_echo, choose_port),
        wskemu_driver_test_setup(unload_in_the_middle_of_a_burst_leaves_nothing, udp_echo,
                                 choose_port),
        wskemu_driver_test_setup(a_second_load_serves_again, udp_echo, choose_port),
        wskemu_test(a_taken_port_fails_the_load_and_leaves_nothing),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
