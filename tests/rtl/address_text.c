/* Internet and Ethernet addresses and their text. */
#include "test.h"

#include <ntddk.h>
#include <ip2string.h>
#include <netiodef.h>

static IN_ADDR ipv4(ULONG host_order)
{
    IN_ADDR address;
    address.s_addr = RtlUlongByteSwap(host_order);
    return address;
}

/* From eight groups. */
static IN6_ADDR ipv6(const USHORT groups[8])
{
    IN6_ADDR address;
    for (ULONG index = 0; index < 8; index++) {
        address.u.Word[index] = RtlUshortByteSwap(groups[index]);
    }
    return address;
}
#define IPV6(...) ipv6((const USHORT[8]){__VA_ARGS__})

static void widen(const char *text, WCHAR *wide)
{
    do {
        *wide++ = (WCHAR)*text;
    } while (*text++ != 0);
}

static void ipv4_to_text(void **state)
{
    PROVES("RTL-85");
    CHAR narrow[16];
    WCHAR wide[16];
    IN_ADDR address = ipv4(0xFFFFFFFF);
    assert_ptr_equal(RtlIpv4AddressToStringA(&address, narrow), narrow + 15);
    assert_string_equal(narrow, "255.255.255.255");
    address = ipv4(0x7F000001);
    assert_ptr_equal(RtlIpv4AddressToStringW(&address, wide), wide + 9);
    assert_memory_equal(wide, L"127.0.0.1", 20);
}

static const struct {
    USHORT groups[8];
    PCSTR text;
} ipv6_texts[] = {
    {{0}, "::"},
    {{0, 0, 0, 0, 0, 0, 0, 1}, "::1"},
    {{0x2001, 0xdb8, 0, 0, 0, 0, 0x1428, 0x57ab}, "2001:db8::1428:57ab"},
    {{1, 0, 0, 2, 0, 0, 0, 3}, "1:0:0:2::3"},
    {{1, 0, 0, 2, 0, 0, 3, 4}, "1::2:0:0:3:4"},
    {{1, 2, 3, 4, 5, 6, 0, 8}, "1:2:3:4:5:6:0:8"},
    {{1, 2, 3, 4, 5, 6, 0, 0}, "1:2:3:4:5:6::"},
    {{0, 1, 2, 3, 4, 5, 6, 7}, "0:1:2:3:4:5:6:7"},
    {{0, 0, 0, 0, 0, 0, 0x0d01, 0x4403}, "::13.1.68.3"},
    {{0, 0, 0, 0, 0, 0xffff, 0x0d01, 0x4403}, "::ffff:13.1.68.3"},
    {{0, 0, 0, 0, 0xffff, 0, 0x0d01, 0x4403}, "::ffff:0:13.1.68.3"},
    {{0xfe80, 0, 0, 0, 0, 0x5efe, 0xc0a8, 1}, "fe80::5efe:192.168.0.1"},
    {{0xfe80, 0, 0, 0, 0x200, 0x5efe, 0xc0a8, 1}, "fe80::200:5efe:192.168.0.1"},
    {{1, 2, 3, 4, 0, 0x5efe, 0xc0a8, 1}, "1:2:3:4:0:5efe:192.168.0.1"},
    {{0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff},
     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
};

static void ipv6_to_text(void **state)
{
    PROVES("RTL-86");
    for (ULONG index = 0; index < RTL_NUMBER_OF(ipv6_texts); index++) {
        CHAR narrow[46];
        WCHAR wide[46];
        WCHAR expected[46];
        IN6_ADDR address = ipv6(ipv6_texts[index].groups);
        PSTR end = RtlIpv6AddressToStringA(&address, narrow);
        assert_string_equal(narrow, ipv6_texts[index].text);
        assert_ptr_equal(end, narrow + strlen(narrow));
        RtlIpv6AddressToStringW(&address, wide);
        widen(narrow, expected);
        assert_memory_equal(wide, expected, (strlen(narrow) + 1) * sizeof(WCHAR));
        IN6_ADDR back;
        PCSTR terminator;
        assert_int_equal(RtlIpv6StringToAddressA(narrow, &terminator, &back), STATUS_SUCCESS);
        assert_memory_equal(&back, &address, sizeof(back));
    }
}

static void ipv4_with_port_to_text(void **state)
{
    PROVES("RTL-87", "RTL-89");
    IN_ADDR address = ipv4(0x7F000001);
    CHAR narrow[32];
    WCHAR wide[32];
    ULONG length = sizeof(narrow);
    assert_int_equal(RtlIpv4AddressToStringExA(&address, RtlUshortByteSwap(8080), narrow, &length),
                     STATUS_SUCCESS);
    assert_string_equal(narrow, "127.0.0.1:8080");
    assert_int_equal(length, 15);
    length = 10;
    assert_int_equal(RtlIpv4AddressToStringExW(&address, 0, wide, &length), STATUS_SUCCESS);
    assert_memory_equal(wide, L"127.0.0.1", 20);
    length = 14;
    assert_int_equal(RtlIpv4AddressToStringExA(&address, RtlUshortByteSwap(8080), narrow, &length),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(length, 15);
    assert_int_equal(RtlIpv4AddressToStringExA(&address, 0, NULL, &length),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlIpv4AddressToStringExA(&address, 0, narrow, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlIpv4AddressToStringExA(NULL, 0, narrow, &length), STATUS_INVALID_PARAMETER);
}

static void ipv6_with_port_to_text(void **state)
{
    PROVES("RTL-88", "RTL-89");
    IN6_ADDR address = IPV6(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    static const struct {
        ULONG scope;
        USHORT port;
        PCSTR text;
    } cases[] = {
        {0, 0, "fe80::1"},
        {4294949819u, 0, "fe80::1%4294949819"},
        {0, 80, "[fe80::1]:80"},
        {3, 65535, "[fe80::1%3]:65535"},
    };
    for (ULONG index = 0; index < RTL_NUMBER_OF(cases); index++) {
        CHAR narrow[65];
        WCHAR wide[65];
        WCHAR expected[65];
        ULONG length = sizeof(narrow);
        USHORT port = RtlUshortByteSwap(cases[index].port);
        assert_int_equal(
            RtlIpv6AddressToStringExA(&address, cases[index].scope, port, narrow, &length),
            STATUS_SUCCESS);
        assert_string_equal(narrow, cases[index].text);
        assert_int_equal(length, strlen(narrow) + 1);
        length--;
        assert_int_equal(
            RtlIpv6AddressToStringExW(&address, cases[index].scope, port, wide, &length),
            STATUS_INVALID_PARAMETER);
        assert_int_equal(length, strlen(narrow) + 1);
        assert_int_equal(
            RtlIpv6AddressToStringExW(&address, cases[index].scope, port, wide, &length),
            STATUS_SUCCESS);
        widen(narrow, expected);
        assert_memory_equal(wide, expected, length * sizeof(WCHAR));
    }
}

#define BAD STATUS_INVALID_PARAMETER

static const struct {
    PCSTR text;
    NTSTATUS status;
    NTSTATUS strict_status;
    ULONG end;
    ULONG strict_end;
    ULONG address;
} ipv4_parses[] = {
    {"1.2.3.4", 0, 0, 7, 7, 0x01020304},
    {"255.255.255.255", 0, 0, 15, 15, 0xFFFFFFFF},
    {"1.2.3.4:80", 0, 0, 7, 7, 0x01020304},
    {"1.2.3.4 x", 0, 0, 7, 7, 0x01020304},
    {"1.2.3.4.5", BAD, BAD, 7, 7, 0},
    {"1.2.3.4.", BAD, BAD, 7, 7, 0},
    {"1.2.3.256", BAD, BAD, 9, 9, 0},
    {"1.2.3.0xfF", 0, BAD, 10, 8, 0x010203FF},
    {"1.2.3.010", 0, BAD, 9, 7, 0x01020308},
    {"1.2.3.08", BAD, BAD, 7, 7, 0},
    {"1.2.3.0a", 0, 0, 7, 7, 0x01020300},
    {"1.2.3.0x", BAD, BAD, 8, 8, 0},
    {"0x7f000001", 0, BAD, 10, 2, 0x7F000001},
    {"2130706433", 0, BAD, 10, 10, 0x7F000001},
    {"1.223756", 0, BAD, 8, 8, 0x01036A0C},
    {"3.4.756", 0, BAD, 7, 7, 0x030402F4},
    {"3.4.756.1", BAD, BAD, 9, 9, 0},
    {"3.4.65536", BAD, BAD, 9, 9, 0},
    {"1.2.3.4294967296", BAD, BAD, 15, 15, 0},
    {"", BAD, BAD, 0, 0, 0},
    {"a", BAD, BAD, 0, 0, 0},
    {".", BAD, BAD, 1, 1, 0},
    {"1.", BAD, BAD, 2, 2, 0},
    {"1..", BAD, BAD, 3, 3, 0},
    {"1.2.3.-4", BAD, BAD, 6, 6, 0},
    {" 1.2.3.4", BAD, BAD, 0, 0, 0},
};

static void text_to_ipv4(void **state)
{
    PROVES("RTL-90", "RTL-91");
    for (ULONG index = 0; index < RTL_NUMBER_OF(ipv4_parses); index++) {
        PCSTR text = ipv4_parses[index].text;
        WCHAR wide[32];
        widen(text, wide);
        for (BOOLEAN strict = FALSE; strict <= TRUE; strict++) {
            IN_ADDR address;
            IN_ADDR expected = ipv4(ipv4_parses[index].address);
            PCSTR end;
            PCWSTR wide_end;
            NTSTATUS status = strict ? ipv4_parses[index].strict_status : ipv4_parses[index].status;
            ULONG stop = strict ? ipv4_parses[index].strict_end : ipv4_parses[index].end;
            assert_int_equal(RtlIpv4StringToAddressA(text, strict, &end, &address), status);
            assert_int_equal(end - text, stop);
            assert_true(status != STATUS_SUCCESS || address.s_addr == expected.s_addr);
            assert_int_equal(RtlIpv4StringToAddressW(wide, strict, &wide_end, &address), status);
            assert_int_equal(wide_end - wide, stop);
            assert_true(status != STATUS_SUCCESS || address.s_addr == expected.s_addr);
        }
    }
}

static void text_to_ipv4_with_port(void **state)
{
    PROVES("RTL-92");
    IN_ADDR address;
    USHORT port = 1;
    assert_int_equal(RtlIpv4StringToAddressExA("1.2.3.4:8080", TRUE, &address, &port),
                     STATUS_SUCCESS);
    assert_int_equal(port, RtlUshortByteSwap(8080));
    assert_int_equal(address.s_addr, ipv4(0x01020304).s_addr);
    assert_int_equal(RtlIpv4StringToAddressExW(L"1.2.3.4", TRUE, &address, &port), STATUS_SUCCESS);
    assert_int_equal(port, 0);
    assert_int_equal(RtlIpv4StringToAddressExA("1.2.3.4:0xffff", TRUE, &address, &port),
                     STATUS_SUCCESS);
    assert_int_equal(port, 65535);
    static const PCSTR refused[] = {"1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:80x",
                                    "1.2.3.4 ", "1.2.3.4:0",     "1.2.3:80",
                                    "",         "1.2.3.4: 1"};
    for (ULONG index = 0; index < RTL_NUMBER_OF(refused); index++) {
        assert_int_equal(RtlIpv4StringToAddressExA(refused[index], TRUE, &address, &port),
                         STATUS_INVALID_PARAMETER);
        assert_int_equal(port, 65535);
    }
    assert_int_equal(RtlIpv4StringToAddressExA(NULL, TRUE, &address, &port),
                     STATUS_INVALID_PARAMETER);
}

static const struct {
    PCSTR text;
    NTSTATUS status;
    ULONG end;
    USHORT groups[8];
} ipv6_parses[] = {
    {"::", 0, 2, {0}},
    {"::1", 0, 3, {0, 0, 0, 0, 0, 0, 0, 1}},
    {"1::", 0, 3, {1}},
    {"1:2:3:4:5:6:7:8", 0, 15, {1, 2, 3, 4, 5, 6, 7, 8}},
    {"1:2:3:4:5:6:7::", 0, 15, {1, 2, 3, 4, 5, 6, 7, 0}},
    {"1:2::7:8", 0, 8, {1, 2, 0, 0, 0, 0, 7, 8}},
    {"FEDC:ba98::", 0, 11, {0xfedc, 0xba98}},
    {"::1.2.3.4", 0, 9, {0, 0, 0, 0, 0, 0, 0x102, 0x304}},
    {"1:2:3:4:5:6:1.2.3.4", 0, 19, {1, 2, 3, 4, 5, 6, 0x102, 0x304}},
    {"::%16", 0, 2, {0}},
    {"::/16", 0, 2, {0}},
    {"::.", 0, 2, {0}},
    {"1::2::3", 0, 4, {1, 0, 0, 0, 0, 0, 0, 2}},
    {"1:2:::", 0, 5, {1, 2}},
    {"1:2:3:4:5:6:7:8:9", 0, 15, {1, 2, 3, 4, 5, 6, 7, 8}},
    {"1:2:3:4:5:6:7:1.2.3.4", 0, 15, {1, 2, 3, 4, 5, 6, 7, 1}},
    {"1:2:3:4:5::0x88", 0, 12, {1, 2, 3, 4, 5}},
    {"1::5:", BAD, 5, {0}},
    {":", BAD, 0, {0}},
    {":1::", BAD, 0, {0}},
    {"", BAD, 0, {0}},
    {"1", BAD, 1, {0}},
    {"1:2:", BAD, 4, {0}},
    {"1:2:3", BAD, 5, {0}},
    {"1.2.3.4", BAD, 7, {0}},
    {"1::12345", BAD, 8, {0}},
    {"1::1.2.3", BAD, 8, {0}},
    {"1::1.2.3.256", BAD, 12, {0}},
    {"1:2:3: 4::", BAD, 6, {0}},
    {"[::]", BAD, 0, {0}},
};

static void text_to_ipv6(void **state)
{
    PROVES("RTL-91", "RTL-95");
    for (ULONG index = 0; index < RTL_NUMBER_OF(ipv6_parses); index++) {
        PCSTR text = ipv6_parses[index].text;
        WCHAR wide[64];
        PCSTR end;
        PCWSTR wide_end;
        IN6_ADDR address;
        IN6_ADDR expected = ipv6(ipv6_parses[index].groups);
        widen(text, wide);
        assert_int_equal(RtlIpv6StringToAddressA(text, &end, &address), ipv6_parses[index].status);
        assert_int_equal(end - text, ipv6_parses[index].end);
        if (ipv6_parses[index].status == STATUS_SUCCESS) {
            assert_memory_equal(&address, &expected, sizeof(address));
        }
        assert_int_equal(RtlIpv6StringToAddressW(wide, &wide_end, &address),
                         ipv6_parses[index].status);
        assert_int_equal(wide_end - wide, ipv6_parses[index].end);
    }
}

static void text_to_ipv6_with_scope_and_port(void **state)
{
    PROVES("RTL-93");
    static const struct {
        PCSTR text;
        ULONG scope;
        USHORT port;
    } cases[] = {
        {"fe80::1", 0, 0},           {"fe80::1%12", 12, 0},
        {"[fe80::1]:8080", 0, 8080}, {"[fe80::1%4294967295]:80", 4294967295u, 80},
        {"[fe80::1]", 0, 0},         {"[fe80::1%0]:0x50", 0, 80},
    };
    IN6_ADDR expected = IPV6(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    for (ULONG index = 0; index < RTL_NUMBER_OF(cases); index++) {
        WCHAR wide[64];
        IN6_ADDR address;
        ULONG scope = 99;
        USHORT port = 99;
        widen(cases[index].text, wide);
        assert_int_equal(RtlIpv6StringToAddressExA(cases[index].text, &address, &scope, &port),
                         STATUS_SUCCESS);
        assert_memory_equal(&address, &expected, sizeof(address));
        assert_int_equal(scope, cases[index].scope);
        assert_int_equal(port, RtlUshortByteSwap(cases[index].port));
        assert_int_equal(RtlIpv6StringToAddressExW(wide, &address, &scope, &port), STATUS_SUCCESS);
        assert_int_equal(scope, cases[index].scope);
    }
    static const PCSTR refused[] = {
        "[::1", "[::1]:080", "[::1]:65536", "[::1].80",         "::1%",     "::1%-1", "::1%0x10",
        "::1 ", "[ ::1]",    "::1]:80",     "[::1%4294967296]", "[::1/64]", ""};
    for (ULONG index = 0; index < RTL_NUMBER_OF(refused); index++) {
        IN6_ADDR address;
        ULONG scope = 99;
        USHORT port = 99;
        assert_int_equal(RtlIpv6StringToAddressExA(refused[index], &address, &scope, &port),
                         STATUS_INVALID_PARAMETER);
        assert_int_equal(scope, 99);
        assert_int_equal(port, 99);
    }
}

static void ethernet_to_text(void **state)
{
    DL_EUI48 address = {.Byte = {0xf4, 0xce, 0x46, 0x2d, 0x90, 0x0c}};
    CHAR text[18];
    WCHAR wide[18];
    WCHAR expected[18];
    assert_ptr_equal(RtlEthernetAddressToStringA(&address, text), text + 17);
    assert_string_equal(text, "F4-CE-46-2D-90-0C");
    assert_ptr_equal(RtlEthernetAddressToStringW(&address, wide), wide + 17);
    widen(text, expected);
    assert_memory_equal(wide, expected, sizeof(wide));
    assert_false(address.Oui.Group || address.Oui.Local);
    assert_int_equal(address.Ei48.Byte[2], 0x0c);
}

static const struct {
    PCSTR text;
    ULONG end;
    NTSTATUS status;
} ethernet_parses[] = {
    {"F4-CE-46-2D-90-0C", 17, STATUS_SUCCESS},
    {"f4-ce-46-2d-90-0c", 17, STATUS_SUCCESS},
    {"F4-CE-46-2D-90-0C rest", 17, STATUS_SUCCESS},
    {"F4-CE-46-2D-90", 14, STATUS_INVALID_PARAMETER},
    {"F4-CE-46-2D-90-C", 15, STATUS_INVALID_PARAMETER},
    {"F4-C-46-2D-90-0C", 3, STATUS_INVALID_PARAMETER},
    {"F4-CEE-46-2D-90-0C", 5, STATUS_INVALID_PARAMETER},
    {"F4.CE.46.2D.90.0C", 2, STATUS_INVALID_PARAMETER},
    {"", 0, STATUS_INVALID_PARAMETER},
};

static void text_to_ethernet(void **state)
{
    const DL_EUI48 expected = {.Byte = {0xf4, 0xce, 0x46, 0x2d, 0x90, 0x0c}};
    const DL_EUI48 untouched = {.Byte = {9, 9, 9, 9, 9, 9}};
    for (ULONG index = 0; index < RTL_NUMBER_OF(ethernet_parses); index++) {
        PCSTR text = ethernet_parses[index].text;
        NTSTATUS status = ethernet_parses[index].status;
        PCSTR end;
        PCWSTR wide_end;
        WCHAR wide[64];
        DL_EUI48 address = untouched;
        DL_EUI48 wide_address = untouched;
        widen(text, wide);
        assert_int_equal(RtlEthernetStringToAddressA(text, &end, &address), status);
        assert_int_equal(RtlEthernetStringToAddressW(wide, &wide_end, &wide_address), status);
        assert_int_equal(end - text, ethernet_parses[index].end);
        assert_int_equal(wide_end - wide, ethernet_parses[index].end);
        assert_memory_equal(&address, NT_SUCCESS(status) ? &expected : &untouched, 6);
        assert_memory_equal(&wide_address, &address, 6);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(ipv4_to_text),           cmocka_unit_test(ipv6_to_text),
    cmocka_unit_test(ipv4_with_port_to_text), cmocka_unit_test(ipv6_with_port_to_text),
    cmocka_unit_test(text_to_ipv4),           cmocka_unit_test(text_to_ipv4_with_port),
    cmocka_unit_test(text_to_ipv6),           cmocka_unit_test(text_to_ipv6_with_scope_and_port),
    cmocka_unit_test(ethernet_to_text),       cmocka_unit_test(text_to_ethernet),
};

TEST_MAIN(tests)
