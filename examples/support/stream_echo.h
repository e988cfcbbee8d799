/* What any TCP echo server has to do, as tests of the service (service.h) of that kind. */
#ifndef EXAMPLES_SUPPORT_STREAM_ECHO_H
#define EXAMPLES_SUPPORT_STREAM_ECHO_H

#include "service.h"

/* Tests with the driver loaded: wskemu_driver_test_setup. */
void a_client_gets_back_what_it_sent(void **state);
void a_client_that_sends_no_more_gets_the_rest_and_the_end(void **state);
void what_is_longer_than_the_buffer_comes_back_whole(void **state);
void many_clients_are_served_side_by_side(void **state);
void a_reset_ends_one_connection_only(void **state);

/* For tests of one driver only. */

struct wskemu_peer *connect_client(void);

void expect_echo(struct wskemu_peer *client, const void *bytes, SIZE_T length);

/* Unloads the driver under a client that talked, one that is silent, and one that sends without
 * reading: what send_unread does, for the driver says how much of that it stands. */
void expect_unload_to_end_clients(PDRIVER_OBJECT driver,
                                  void (*send_unread)(struct wskemu_peer *client));

#endif
