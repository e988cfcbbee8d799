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

static void groups_and_prefixes_are_what_their_names_say(void **state)
{
    assert_memory_equal(&in4addr_allnodesonlink, "\xe0\0\0\x01", 4);
    assert_memory_equal(&in4addr_allroutersonlink, "\xe0\0\0\x02", 4);
    assert_memory_equal(&in4addr_alligmpv3routersonlink, "\xe0\0\0\x16", 4);
    assert_memory_equal(&in4addr_allteredohostsonlink, "\xe0\0\0\xfd", 4);
    assert_true(IN4_IS_ADDR_LINKLOCAL(&in4addr_linklocalprefix));
    assert_true(IN4_IS_ADDR_MULTICAST(&in4addr_multicastprefix));
    assert_true(IN6_IS_ADDR_MC_NODELOCAL(&in6addr_allnodesonnode));
    assert_int_equal(in6addr_allnodesonlink.s6_bytes[15], 1);
    assert_int_equal(in6addr_allroutersonlink.s6_bytes[15], 2);
    assert_int_equal(in6addr_allmldv2routersonlink.s6_bytes[15], 0x16);
    assert_true(IN6_IS_ADDR_LINKLOCAL(&in6addr_linklocalprefix));
    assert_true(IN6_IS_ADDR_MULTICAST(&in6addr_multicastprefix));
    assert_true(IN6_IS_ADDR_SOLICITEDNODE(&in6addr_solicitednodemulticastprefix));
    assert_true(IN6_IS_ADDR_V4MAPPED(&in6addr_v4mappedprefix));
    assert_true(IN6_IS_ADDR_6TO4(&in6addr_6to4prefix));
    assert_true(IN6_IS_ADDR_TEREDO(&in6addr_teredoprefix));
    assert_true(IN6_IS_ADDR_TEREDO(&in6addr_teredoprefix_old));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(addresses_are_what_their_names_say),
    cmocka_unit_test(groups_and_prefixes_are_what_their_names_say),
};

TEST_MAIN(tests)
