/* The well-known internet addresses. */
#include "test.h"

#include <ntddk.h>
#include <ws2ipdef.h>

#include <mstcpip.h>

static void addresses_are_what_their_names_say(void **state)
{
    assert_int_equal(scopeid_unspecified.Value, 0);
    assert_true(IN4_IS_ADDR_UNSPECIFIED(&in4addr_any));
    assert_true(IN4_IS_ADDR_LOOPBACK(&in4addr_loopback));
    assert_true(IN4_IS_ADDR_BROADCAST(&in4addr_broadcast));
    assert_true(IN6_IS_ADDR_UNSPECIFIED(&in6addr_any));
    assert_true(IN6_IS_ADDR_LOOPBACK(&in6addr_loopback));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(addresses_are_what_their_names_say),
};

TEST_MAIN(tests)
