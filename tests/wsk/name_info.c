/* WskGetNameInfo. */
#include "wsk_names.h"

#include <wskemu/network.h>

struct answer {
    WCHAR node[64];
    WCHAR service[64];
    UNICODE_STRING node_string;
    UNICODE_STRING service_string;
};

static NTSTATUS begin_name(struct names *names, const SOCKADDR_INET *address, ULONG flags,
                           struct answer *answer)
{
    ULONG bytes = address->si_family == AF_INET ? sizeof(SOCKADDR_IN) : sizeof(SOCKADDR_IN6);
    RtlFillMemory(answer->node, sizeof(answer->node), 0xEE);
    RtlFillMemory(answer->service, sizeof(answer->service), 0xEE);
    answer->node_string = (UNICODE_STRING){0, sizeof(answer->node), answer->node};
    answer->service_string = (UNICODE_STRING){0, sizeof(answer->service), answer->service};
    return names->end.provider.Dispatch->WskGetNameInfo(
        names->end.provider.Client, (PSOCKADDR)address, bytes, &answer->node_string,
        &answer->service_string, flags, NULL, NULL, call_irp(&names->end.call));
}

static NTSTATUS name_of(struct names *names, SOCKADDR_INET address, ULONG flags,
                        struct answer *answer)
{
    return call_wait(&names->end.call, begin_name(names, &address, flags, answer));
}

static void expect_names(const struct answer *answer, PCWSTR node, PCWSTR service)
{
    expect_text(answer->node, node);
    expect_text(answer->service, service);
    assert_int_equal(answer->node_string.Length, string_of(node).Length);
    assert_int_equal(answer->service_string.Length, string_of(service).Length);
}

static void an_address_has_the_name_it_was_added_under(void **state)
{
    struct names names;
    struct answer answer;
    PROVES("WSK-NAME-01", "WSK-NAME-08", "WSK-NAME-17", "WSK-NAME-20", "WSK-NAME-25");
    STAYS_SILENT("WSK-NAME-14", "WSK-NAME-15", "WSK-NAME-16", "WSK-IRQL-06");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    add_name("Server.Example", ipv4(192, 0, 2, 1, 0));
    assert_int_equal(wskemu_service_add("stream-test", 4711, FALSE), STATUS_SUCCESS);
    assert_int_equal(wskemu_service_add("datagram-test", 4711, TRUE), STATUS_SUCCESS);
    SOCKADDR_INET address = ipv4(192, 0, 2, 1, 4711);
    NTSTATUS returned = begin_name(&names, &address, 0, &answer);
    assert_int_equal(returned, STATUS_PENDING);
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&names.end.call), 0);
    expect_names(&answer, L"Server.Example", L"stream-test");
    assert_int_equal(name_of(&names, address, NI_DGRAM, &answer), STATUS_SUCCESS);
    expect_names(&answer, L"Server.Example", L"datagram-test");
    assert_int_equal(name_of(&names, address, NI_NUMERICSERV, &answer), STATUS_SUCCESS);
    expect_names(&answer, L"Server.Example", L"4711");
    close_names(&names);
}

static void digits_can_be_asked_for(void **state)
{
    struct names names;
    struct answer answer;
    PROVES("WSK-NAME-18", "WSK-NAME-20");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    add_name("server.example", ipv4(192, 0, 2, 1, 0));
    assert_int_equal(
        name_of(&names, ipv4(192, 0, 2, 1, 80), NI_NUMERICHOST | NI_NUMERICSERV, &answer),
        STATUS_SUCCESS);
    expect_names(&answer, L"192.0.2.1", L"80");
    SOCKADDR_INET address = ipv6(10, 65535);
    address.Ipv6.sin6_scope_id = 3;
    assert_int_equal(name_of(&names, address, NI_NUMERICHOST | NI_NUMERICSERV, &answer),
                     STATUS_SUCCESS);
    expect_names(&answer, L"2001:db8::a%3", L"65535");
    close_names(&names);
}

static void a_name_of_this_machine_can_go_without_domain(void **state)
{
    struct names names;
    struct answer answer;
    PROVES("WSK-NAME-17", "WSK-NAME-18");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    add_name("me.corp.example", ipv4(127, 0, 0, 7, 0));
    add_name("it.corp.example", ipv4(192, 0, 2, 1, 0));
    assert_int_equal(name_of(&names, ipv4(127, 0, 0, 7, 1), NI_NUMERICSERV, &answer),
                     STATUS_SUCCESS);
    expect_names(&answer, L"me.corp.example", L"1");
    assert_int_equal(name_of(&names, ipv4(127, 0, 0, 7, 1), NI_NUMERICSERV | NI_NOFQDN, &answer),
                     STATUS_SUCCESS);
    expect_names(&answer, L"me", L"1");
    assert_int_equal(name_of(&names, ipv4(192, 0, 2, 1, 1), NI_NUMERICSERV | NI_NOFQDN, &answer),
                     STATUS_SUCCESS);
    expect_names(&answer, L"it.corp.example", L"1");
    close_names(&names);
}

/* 192.0.2.0/24 is for documentation: no host has names for it. */
static void an_address_without_a_name_is_digits_or_an_error(void **state)
{
    struct names names;
    struct answer answer;
    PROVES("WSK-NAME-09", "WSK-NAME-19");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    SOCKADDR_INET address = ipv4(192, 0, 2, 77, 1);
    assert_int_equal(name_of(&names, address, NI_NUMERICSERV, &answer), STATUS_SUCCESS);
    expect_names(&answer, L"192.0.2.77", L"1");
    assert_int_equal(name_of(&names, address, NI_NAMEREQD, &answer), STATUS_NO_MATCH);
    assert_int_equal(name_of(&names, address, NI_NAMEREQD | NI_NUMERICHOST, &answer),
                     STATUS_INVALID_PARAMETER);
    close_names(&names);
}

static void either_name_may_be_unwanted(void **state)
{
    WCHAR text[32];
    UNICODE_STRING out = {0, sizeof(text), text};
    UNICODE_STRING nothing = {0, 0, NULL};
    SOCKADDR_INET address = ipv4(192, 0, 2, 1, 80);
    struct names names;
    PROVES("WSK-NAME-15");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    const WSK_PROVIDER_NPI *provider = &names.end.provider;
    const ULONG digits = NI_NUMERICHOST | NI_NUMERICSERV;
    NTSTATUS returned =
        provider->Dispatch->WskGetNameInfo(provider->Client, (PSOCKADDR)&address, 16, &out, NULL,
                                           digits, NULL, NULL, call_irp(&names.end.call));
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_SUCCESS);
    expect_text(text, L"192.0.2.1");
    returned =
        provider->Dispatch->WskGetNameInfo(provider->Client, (PSOCKADDR)&address, 16, &nothing,
                                           &out, digits, NULL, NULL, call_irp(&names.end.call));
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_SUCCESS);
    expect_text(text, L"80");
    returned =
        provider->Dispatch->WskGetNameInfo(provider->Client, (PSOCKADDR)&address, 16, NULL, NULL,
                                           digits, NULL, NULL, call_irp(&names.end.call));
    assert_int_equal(returned, STATUS_INVALID_PARAMETER);
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_INVALID_PARAMETER);
    close_names(&names);
}

static void a_name_that_does_not_fit_is_not_written(void **state)
{
    WCHAR text[16] = {0};
    SOCKADDR_INET address = ipv4(192, 0, 2, 1, 80);
    struct names names;
    PROVES("WSK-NAME-16");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    const WSK_PROVIDER_NPI *provider = &names.end.provider;
    for (USHORT characters = 1; characters <= 10; characters++) {
        UNICODE_STRING out = {0, characters * sizeof(WCHAR), text};
        RtlZeroMemory(text, sizeof(text));
        NTSTATUS returned = provider->Dispatch->WskGetNameInfo(
            provider->Client, (PSOCKADDR)&address, 16, &out, NULL, NI_NUMERICHOST, NULL, NULL,
            call_irp(&names.end.call));
        bool fits = characters == 10; /* 192.0.2.1 and a null */
        assert_int_equal(call_wait(&names.end.call, returned),
                         fits ? STATUS_SUCCESS : STATUS_BUFFER_TOO_SMALL);
        assert_int_equal(out.Length, fits ? 18 : 0);
        assert_int_equal(text[0], fits ? L'1' : 0);
    }
    close_names(&names);
}

static void a_wrong_address_is_refused(void **state)
{
    struct names names;
    struct answer answer;
    SOCKADDR_STORAGE large[2] = {{0}};
    PROVES("WSK-NAME-10", "WSK-NAME-14");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    const WSK_PROVIDER_NPI *provider = &names.end.provider;
    SOCKADDR_INET address = ipv6(1, 80);
    assert_int_equal(name_of(&names, address, 0x8000, &answer), STATUS_INVALID_PARAMETER);
    static const struct {
        ADDRESS_FAMILY family;
        ULONG bytes;
        NTSTATUS status;
    } cases[] = {{AF_INET6, 27, STATUS_INVALID_PARAMETER}, {AF_INET, 15, STATUS_INVALID_PARAMETER},
                 {AF_INET, 1, STATUS_INVALID_PARAMETER},   {3, 128, STATUS_INVALID_PARAMETER},
                 {AF_INET, 128, STATUS_SUCCESS},           {AF_INET, 200, STATUS_SUCCESS}};
    for (unsigned i = 0; i < RTL_NUMBER_OF(cases); i++) {
        large[0].ss_family = cases[i].family;
        NTSTATUS returned = provider->Dispatch->WskGetNameInfo(
            provider->Client, (PSOCKADDR)large, cases[i].bytes, &answer.node_string, NULL,
            NI_NUMERICHOST, NULL, NULL, call_irp(&names.end.call));
        assert_int_equal(call_wait(&names.end.call, returned), cases[i].status);
    }
    close_names(&names);
}

static void the_lookup_of_an_address_can_be_cancelled(void **state)
{
    struct names names;
    struct answer answer;
    PROVES("WSK-NAME-23");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    add_name("never.example", ipv4(192, 0, 2, 1, 0));
    assert_int_equal(wskemu_name_hold("never.example"), STATUS_SUCCESS);
    SOCKADDR_INET address = ipv4(192, 0, 2, 1, 80);
    NTSTATUS returned = begin_name(&names, &address, NI_NUMERICSERV, &answer);
    assert_int_equal(returned, STATUS_PENDING);
    assert_false(call_is_done(&names.end.call));
    assert_true(IoCancelIrp(names.end.call.irp));
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_CANCELLED);
    assert_int_equal(answer.node[0], 0xEEEE);
    close_names(&names);
}

static void the_host_names_its_loopback(void **state)
{
    struct names names;
    struct answer answer;
    PROVES("WSK-NAME-01");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    assert_int_equal(name_of(&names, ipv4(127, 0, 0, 1, 80), 0, &answer), STATUS_SUCCESS);
    assert_int_not_equal(answer.node_string.Length, 0);
    assert_int_not_equal(answer.service_string.Length, 0);
    close_names(&names);
}

static const struct CMUnitTest tests[] = {
    kernel_test(an_address_has_the_name_it_was_added_under),
    kernel_test(digits_can_be_asked_for),
    kernel_test(a_name_of_this_machine_can_go_without_domain),
    kernel_test(an_address_without_a_name_is_digits_or_an_error),
    kernel_test(either_name_may_be_unwanted),
    kernel_test(a_name_that_does_not_fit_is_not_written),
    kernel_test(a_wrong_address_is_refused),
    kernel_test(the_lookup_of_an_address_can_be_cancelled),
    kernel_test(the_host_names_its_loopback),
};

TEST_MAIN(tests)
