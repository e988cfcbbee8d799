/*
 * What the tests of every service share: a driver that listens at the port which its parameters in
 * the registry name. The test says which driver that is:
 *
 *     WSKEMU_USE_DRIVER(tcp_echo);
 *
 *     const struct service service = {.image = &wskemu_image_tcp_echo, ...};
 *
 * and has choose_port called before each load: wskemu_driver_test_setup(..., choose_port).
 */
#ifndef EXAMPLES_SUPPORT_SERVICE_H
#define EXAMPLES_SUPPORT_SERVICE_H

#include <wskemu/cmocka.h>
#include <wskemu/peer.h>

#include <ntddk.h>

struct service {
    const struct wskemu_driver_image *image;
    const WCHAR *parameters; /* the path of its Parameters key */
    USHORT socket_type;      /* SOCK_STREAM or SOCK_DGRAM */
    CMUnitTestFunction use;  /* a test that uses it once; for a_second_load_serves_again */
};

/* Defined by each test. */
extern const struct service service;

/* Gives the service, which is not loaded yet, a port that nobody uses. */
void choose_port(void);

/* The same with a port that the peer returned here has already. */
struct wskemu_peer *choose_taken_port(void);

/* The port chosen last, on the loopback address. As WSKEMU_LOOPBACK, in the block it stands in. */
#define SERVICE_ADDRESS WSKEMU_LOOPBACK(AF_INET, service_port())
USHORT service_port(void);

/* A test with the driver loaded: wskemu_driver_test_setup. */
void a_second_load_serves_again(void **state);

/* A test without: wskemu_test. */
void a_taken_port_fails_the_load_and_leaves_nothing(void **state);

#endif
