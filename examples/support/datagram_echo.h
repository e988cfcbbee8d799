/* What any UDP echo server has to do, as tests of the service (service.h) of that kind. With the
 * driver loaded: wskemu_driver_test_setup. */
#ifndef EXAMPLES_SUPPORT_DATAGRAM_ECHO_H
#define EXAMPLES_SUPPORT_DATAGRAM_ECHO_H

#include "service.h"

void a_datagram_comes_back_to_its_sender(void **state);
void empty_and_long_datagrams_come_back_whole(void **state);
void each_client_gets_its_own(void **state);
void a_burst_comes_back_whole(void **state);
void a_client_that_is_gone_does_no_harm(void **state);
void unload_in_the_middle_of_a_burst_leaves_nothing(void **state);

#endif
