/* What mstcpip.h asks of internet addresses, and how it sets socket addresses. */
#include "test.h"

#include <ntddk.h>
#include <wsk.h>

#include <mstcpip.h>

static IN_ADDR ipv4(UCHAR first, UCHAR second, UCHAR third, UCHAR fourth)
{
    IN_ADDR address;
    UCHAR bytes[] = {first, second, third, fourth};
    RtlCopyMemory(&address, bytes, sizeof(bytes));
    return address;
}

static IN6_ADDR ipv6(PCSTR text)
{
    IN6_ADDR address;
    PCSTR end;
    assert_int_equal(RtlIpv6StringToAddressA(text, &end, &address), STATUS_SUCCESS);
    assert_int_equal(*end, 0);
    return address;
}

static void classes_are_of_addresses_in_network_order(void **state)
{
    assert_true(IN4_CLASSA(ipv4(127, 255, 255, 255).s_addr));
    assert_false(IN4_CLASSA(ipv4(128, 0, 0, 0).s_addr));
    assert_true(IN4_CLASSB(ipv4(191, 0, 0, 0).s_addr));
    assert_true(IN4_CLASSC(ipv4(192, 0, 0, 0).s_addr));
    assert_true(IN4_CLASSD(ipv4(239, 0, 0, 0).s_addr));
    assert_false(IN4_MULTICAST(ipv4(240, 0, 0, 224).s_addr));
    assert_true(IN4ADDR_ANY == 0 && IN4ADDR_BROADCAST == 0xffffffff && IN4ADDR_NONE == 0xffffffff);
    assert_int_equal(ipv4(127, 0, 0, 1).s_addr, IN4ADDR_LOOPBACK);
}

struct ipv4_case {
    UCHAR bytes[4];
    SCOPE_LEVEL scope;
    NL_ADDRESS_TYPE type;
    BOOLEAN is_for_6to4;
};

static const struct ipv4_case ipv4_cases[] = {
    {{0, 0, 0, 0}, ScopeLevelGlobal, NlatUnspecified, FALSE},
    {{0, 0, 0, 1}, ScopeLevelGlobal, NlatInvalid, FALSE},
    {{8, 8, 8, 8}, ScopeLevelGlobal, NlatUnicast, TRUE},
    {{10, 0, 0, 1}, ScopeLevelGlobal, NlatUnicast, FALSE},
    {{127, 1, 2, 3}, ScopeLevelLink, NlatUnicast, FALSE},
    {{169, 254, 0, 1}, ScopeLevelLink, NlatUnicast, FALSE},
    {{172, 31, 0, 1}, ScopeLevelGlobal, NlatUnicast, FALSE},
    {{172, 32, 0, 1}, ScopeLevelGlobal, NlatUnicast, TRUE},
    {{224, 0, 0, 251}, ScopeLevelLink, NlatMulticast, FALSE},
    {{224, 0, 1, 1}, ScopeLevelGlobal, NlatMulticast, FALSE},
    {{239, 255, 0, 1}, ScopeLevelAdmin, NlatMulticast, FALSE},
    {{239, 254, 0, 1}, ScopeLevelSite, NlatMulticast, FALSE},
    {{240, 0, 0, 1}, ScopeLevelGlobal, NlatInvalid, FALSE},
    {{255, 255, 255, 255}, ScopeLevelLink, NlatBroadcast, FALSE},
};

static void ipv4_addresses_have_scope_and_type(void **state)
{
    for (ULONG index = 0; index < RTL_NUMBER_OF(ipv4_cases); index++) {
        const struct ipv4_case *each = &ipv4_cases[index];
        UCHAR odd[5];
        IN_ADDR address;
        RtlCopyMemory(&address, each->bytes, sizeof(address));
        RtlCopyMemory(odd + 1, each->bytes, sizeof(address));
        assert_int_equal(Ipv4AddressScope(odd + 1), each->scope);
        assert_int_equal(Ipv4AddressType(odd + 1), each->type);
        assert_int_equal(IN4_IS_ADDR_6TO4ELIGIBLE(&address), each->is_for_6to4);
        assert_int_equal(IN4_IS_UNALIGNED_ADDR_6TO4ELIGIBLE(&address), each->is_for_6to4);
        assert_int_equal(IN4_IS_UNALIGNED_ADDR_MULTICAST(&address), each->type == NlatMulticast);
        assert_int_equal(IN4_IS_UNALIGNED_ADDR_BROADCAST(&address), each->type == NlatBroadcast);
        assert_int_equal(IN4_IS_UNALIGNED_ADDR_UNSPECIFIED(&address),
                         each->type == NlatUnspecified);
        assert_false(IN4_IS_ADDR_SITELOCAL(&address));
    }
}

struct ipv6_case {
    PCSTR text;
    SCOPE_LEVEL scope;
    NL_ADDRESS_TYPE type;
};

static const struct ipv6_case ipv6_cases[] = {
    {"::", ScopeLevelGlobal, NlatUnspecified},
    {"::1", ScopeLevelLink, NlatUnicast},
    {"2001:db8::1", ScopeLevelGlobal, NlatUnicast},
    {"fe80::1", ScopeLevelLink, NlatUnicast},
    {"fec0::1", ScopeLevelSite, NlatUnicast},
    {"ff01::1", ScopeLevelInterface, NlatMulticast},
    {"ff0e::1", ScopeLevelGlobal, NlatMulticast},
    {"::ffff:1.2.3.4", ScopeLevelGlobal, NlatUnicast},
    {"::ffff:224.0.0.1", ScopeLevelGlobal, NlatInvalid},
    {"2002:102:304::1", ScopeLevelGlobal, NlatUnicast},
    {"2002:e000:1::1", ScopeLevelGlobal, NlatInvalid},
    {"2001:db8::200:5efe:1.2.3.4", ScopeLevelGlobal, NlatUnicast},
    {"2001:db8::5efe:255.255.255.255", ScopeLevelGlobal, NlatInvalid},
};

static void ipv6_addresses_have_scope_and_type(void **state)
{
    for (ULONG index = 0; index < RTL_NUMBER_OF(ipv6_cases); index++) {
        const struct ipv6_case *each = &ipv6_cases[index];
        IN6_ADDR address = ipv6(each->text);
        assert_int_equal(Ipv6AddressScope(address.s6_bytes), each->scope);
        assert_int_equal(Ipv6AddressType(address.s6_bytes), each->type);
    }
}

static void ipv6_addresses_are_known_by_their_prefixes(void **state)
{
    IN6_ADDR teredo = ipv6("2001::1");
    IN6_ADDR old_teredo = ipv6("3ffe:831f::1");
    IN6_ADDR other = ipv6("2001:1::1");
    IN6_ADDR solicited = ipv6("ff02::1:ffab:cdef");
    assert_true(IN6_IS_ADDR_TEREDO(&teredo));
    assert_true(IN6_IS_ADDR_TEREDO(&old_teredo));
    assert_false(IN6_IS_ADDR_TEREDO(&other));
    assert_true(IN6_IS_ADDR_SOLICITEDNODE(&solicited));
    assert_true(IN6_IS_ADDR_ALLNODESONNODE(&in6addr_allnodesonnode));
    assert_true(IN6_IS_ADDR_ALLNODESONLINK(&in6addr_allnodesonlink));
    assert_false(IN6_IS_ADDR_ALLNODESONLINK(&in6addr_allroutersonlink));
    assert_true(IN6_IS_ADDR_ALLROUTERSONLINK(&in6addr_allroutersonlink));
    assert_true(IN6_PREFIX_EQUAL(&teredo, &other, 31));
    assert_false(IN6_PREFIX_EQUAL(&teredo, &other, 32));
    assert_true(IN6_PREFIX_EQUAL(&teredo, &old_teredo, 3));
    assert_false(IN6_PREFIX_EQUAL(&teredo, &old_teredo, 4));
    assert_true(IN6_PREFIX_EQUAL(&teredo, &teredo, 128));
    assert_true(IN6_PREFIX_EQUAL(&teredo, &solicited, 0));
}

static void ipv4_addresses_stand_in_ipv6_ones(void **state)
{
    IN_ADDR global = ipv4(1, 2, 3, 4);
    IN_ADDR private_one = ipv4(10, 0, 0, 1);
    IN6_ADDR made = ipv6("2001:db8:1:2:3:4:5:6");
    IN6_ADDR expected = ipv6("2001:db8:1:2:200:5efe:1.2.3.4");
    IN6_SET_ISATAP_IDENTIFIER(&made, &global);
    assert_true(IN6_ADDR_EQUAL(&made, &expected));
    assert_memory_equal(IN6_EXTRACT_V4ADDR_FROM_ISATAP(&made), &global, sizeof(global));
    IN6_SET_ISATAP_IDENTIFIER(&made, &private_one);
    expected = ipv6("2001:db8:1:2:0:5efe:10.0.0.1");
    assert_true(IN6_ADDR_EQUAL(&made, &expected));
    IN6_SET_6TO4_PREFIX(&made, &global);
    expected = ipv6("2002:102:304:0:0:5efe:10.0.0.1");
    assert_true(IN6_ADDR_EQUAL(&made, &expected));
    assert_memory_equal(IN6_EXTRACT_V4ADDR_FROM_6TO4(&made), &global, sizeof(global));
    IN6_SET_ADDR_SOLICITEDNODE(&made, &expected);
    expected = ipv6("ff02::1:ff00:1");
    assert_true(IN6_ADDR_EQUAL(&made, &expected));
}

static void ipv4_socket_addresses_are_set_whole(void **state)
{
    SOCKADDR_IN address;
    SOCKADDR_IN clean = {.sin_family = AF_INET};
    IN_ADDR target = ipv4(1, 2, 3, 4);
    RtlFillMemory(&address, sizeof(address), 0xee);
    IN4ADDR_SETANY(&address);
    assert_memory_equal(&address, &clean, sizeof(address));
    assert_true(IN4ADDR_ISANY(&address) && IN4ADDR_ISUNSPECIFIED(&address));
    RtlFillMemory(&address, sizeof(address), 0xee);
    IN4ADDR_SETLOOPBACK(&address);
    clean.sin_addr = in4addr_loopback;
    assert_memory_equal(&address, &clean, sizeof(address));
    assert_true(IN4ADDR_ISLOOPBACK(&address) && !IN4ADDR_ISANY(&address));
    IN4ADDR_SETSOCKADDR(&address, &target, RtlUshortByteSwap(80));
    clean.sin_addr = target;
    clean.sin_port = RtlUshortByteSwap(80);
    assert_memory_equal(&address, &clean, sizeof(address));
    assert_true(IN4ADDR_ISEQUAL(&address, &clean));
    assert_int_equal(IN4ADDR_SCOPE_ID(&address).Value, 0);
}

static SCOPE_ID scope_of(PCSTR text, SCOPE_LEVEL level, ULONG zone)
{
    SOCKADDR_IN6 address;
    IN6_ADDR target = ipv6(text);
    SCOPE_ID scope = {.Value = 0};
    scope.Level = level;
    scope.Zone = zone;
    RtlFillMemory(&address, sizeof(address), 0xee);
    IN6ADDR_SETSOCKADDR(&address, &target, scope, 7);
    assert_int_equal(address.sin6_family, AF_INET6);
    assert_int_equal(address.sin6_port, 7);
    assert_int_equal(address.sin6_flowinfo, 0);
    assert_true(IN6_ADDR_EQUAL(&address.sin6_addr, &target));
    return address.sin6_scope_struct;
}

static void scopes_keep_what_the_address_does_not_say(void **state)
{
    SOCKADDR_IN6 mapped;
    IN_ADDR linklocal = ipv4(169, 254, 0, 1);
    SCOPE_ID scope = {.Value = 0};
    assert_int_equal(scope_of("2001:db8::1", ScopeLevelLink, 5).Value, 0);
    assert_int_equal(scope_of("::1", ScopeLevelLink, 5).Value, 0);
    assert_int_equal(scope_of("fe80::1", ScopeLevelLink, 5).Value, 5);
    assert_int_equal(scope_of("fe80::1", ScopeLevelSite, 5).Level, ScopeLevelSite);
    assert_int_equal(scope_of("ff05::1", ScopeLevelSite, 9).Value, 9);
    scope.Level = ScopeLevelLink;
    scope.Zone = 3;
    IN6ADDR_SETV4MAPPED(&mapped, &linklocal, scope, 7);
    assert_int_equal(mapped.sin6_scope_id, 3);
    assert_true(IN6ADDR_ISV4MAPPED(&mapped));
    assert_false(IN6ADDR_ISISATAP(&mapped) || IN6ADDR_IS6TO4(&mapped) || IN6ADDR_ISTEREDO(&mapped));
    assert_memory_equal(IN6_GET_ADDR_V4MAPPED(&mapped.sin6_addr), &linklocal, sizeof(linklocal));
}

static void either_family_goes_by_its_number(void **state)
{
    SOCKADDR_INET address;
    IN_ADDR target = ipv4(1, 2, 3, 4);
    IN6_ADDR target6 = ipv6("fe80::1");
    SCOPE_ID scope = {.Value = 4};
    INETADDR_SETSOCKADDR(AF_INET, (PSOCKADDR)&address, &target, scope, 7);
    assert_int_equal(address.si_family, AF_INET);
    assert_int_equal(INETADDR_PORT((PSOCKADDR)&address), 7);
    assert_int_equal(INETADDR_SCOPE_ID((PSOCKADDR)&address).Value, 0);
    assert_memory_equal(INETADDR_ADDRESS((PSOCKADDR)&address), &target, sizeof(target));
    INETADDR_SETLOOPBACK((PSOCKADDR)&address);
    assert_true(INETADDR_ISLOOPBACK((PSOCKADDR)&address) && address.Ipv4.sin_port == 0);
    INETADDR_SETSOCKADDR(AF_INET6, (PSOCKADDR)&address, &target6, scope, 7);
    assert_int_equal(INETADDR_SCOPE_ID((PSOCKADDR)&address).Value, 4);
    assert_memory_equal(INETADDR_ADDRESS((PSOCKADDR)&address), &target6, sizeof(target6));
    INETADDR_SETANY((PSOCKADDR)&address);
    assert_true(INETADDR_ISUNSPECIFIED((PSOCKADDR)&address) && address.si_family == AF_INET6);
    assert_int_equal(INET_ADDR_LENGTH(AF_INET), 4);
    assert_int_equal(INET_ADDR_LENGTH(AF_INET6), 16);
    assert_int_equal(INET_SOCKADDR_LENGTH(AF_INET), 16);
    assert_int_equal(INET_SOCKADDR_LENGTH(AF_INET6), 28);
    assert_true(INET_IS_UNALIGNED_ADDR_UNSPECIFIED(AF_INET6, INET_ADDR_UNSPECIFIED(AF_INET6)));
    assert_true(INET_IS_ADDR_UNSPECIFIED(AF_INET, INET_ADDR_UNSPECIFIED(AF_INET)));
    assert_false(NL_IS_ADDR_UNSPECIFIED(AF_INET, scope, INET_ADDR_UNSPECIFIED(AF_INET)));
    assert_true(NL_ADDR_EQUAL(AF_INET6, scope, target6.s6_bytes, scope, target6.s6_bytes));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(classes_are_of_addresses_in_network_order),
    cmocka_unit_test(ipv4_addresses_have_scope_and_type),
    cmocka_unit_test(ipv6_addresses_have_scope_and_type),
    cmocka_unit_test(ipv6_addresses_are_known_by_their_prefixes),
    cmocka_unit_test(ipv4_addresses_stand_in_ipv6_ones),
    cmocka_unit_test(ipv4_socket_addresses_are_set_whole),
    cmocka_unit_test(scopes_keep_what_the_address_does_not_say),
    cmocka_unit_test(either_family_goes_by_its_number),
};

TEST_MAIN(tests)
