/* WskGetAddressInfo and WskFreeAddressInfo, and what WskGetNameInfo shares with them. */
#include "wsk_names.h"

#include <wskemu/network.h>
#include <wskemu/process.h>

#include <ntifs.h>
#include <string.h>

/* This is the address. */
static void expect_address(const ADDRINFOEXW *info, SOCKADDR_INET wanted)
{
    SOCKADDR_INET found = {0};
    assert_non_null(info);
    assert_int_equal(info->ai_family, wanted.si_family);
    assert_int_equal(info->ai_addrlen, wanted.si_family == AF_INET ? 16 : 28);
    RtlCopyMemory(&found, info->ai_addr, info->ai_addrlen);
    assert_address_equal(&found, &wanted);
    assert_null(info->ai_blob);
    assert_null(info->ai_provider);
}

/* It is the only one of the list, which is freed. */
static void expect_only(struct names *names, SOCKADDR_INET wanted)
{
    expect_address(names->list, wanted);
    assert_null(names->list->ai_next);
    free_list(names);
}

static void a_name_in_the_table_has_its_addresses(void **state)
{
    struct names names;
    PROVES("WSK-NAME-01", "WSK-NAME-02", "WSK-NAME-05", "WSK-NAME-08", "WSK-NAME-25");
    STAYS_SILENT("WSK-NAME-06", "WSK-NAME-07", "WSK-NAME-21", "WSK-HDR-27", "WSK-IRQL-06");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    add_name("Server.Example", ipv4(192, 0, 2, 1, 0));
    add_name("server.example", ipv6(7, 0));
    NTSTATUS returned =
        begin_find(&names, L"SERVER.example", L"80", NS_ALL, NULL, NULL, &names.end.call);
    assert_int_equal(returned, STATUS_PENDING);
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_SUCCESS);
    assert_int_equal(call_information(&names.end.call), 0);
    expect_address(names.list, ipv4(192, 0, 2, 1, 80));
    expect_address(names.list->ai_next, ipv6(7, 80));
    assert_null(names.list->ai_next->ai_next);
    assert_null(names.list->ai_canonname);
    free_list(&names);
    close_names(&names);
}

static void an_unknown_name_is_not_found(void **state)
{
    struct names names;
    PROVES("WSK-NAME-09", "WSK-NAME-23", "WSK-NAME-25");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    assert_int_equal(wskemu_name_add("nobody.example", NULL), STATUS_SUCCESS);
    NTSTATUS returned =
        begin_find(&names, L"nobody.example", NULL, NS_ALL, NULL, NULL, &names.end.call);
    assert_int_equal(returned, STATUS_PENDING);
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_NOT_FOUND);
    assert_int_equal((NTSTATUS)call_information(&names.end.call), STATUS_NOT_FOUND);
    assert_null(names.list);
    close_names(&names);
}

static void digits_need_no_host(void **state)
{
    static const struct {
        PCWSTR text;
        UCHAR last;
        ULONG scope;
    } cases[] = {{L"2001:db8::9", 9, 0}, {L"2001:DB8:0:0:0:0:0:a%17", 10, 17}};
    ADDRINFOEXW hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct names names;
    PROVES("WSK-NAME-02");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    assert_int_equal(find(&names, L"192.0.2.33", L"443", &hints), STATUS_SUCCESS);
    expect_only(&names, ipv4(192, 0, 2, 33, 443));
    for (unsigned i = 0; i < RTL_NUMBER_OF(cases); i++) {
        assert_int_equal(find(&names, cases[i].text, NULL, &hints), STATUS_SUCCESS);
        assert_int_equal(((SOCKADDR_IN6 *)names.list->ai_addr)->sin6_scope_id, cases[i].scope);
        expect_only(&names, ipv6(cases[i].last, 0));
    }
    assert_int_equal(find(&names, L"localhost", NULL, &hints), STATUS_NOT_FOUND);
    assert_int_equal(find(&names, L"[2001:db8::9]:80", NULL, &hints), STATUS_NOT_FOUND);
    assert_int_equal(find(&names, L"192.0.2.33", L"https", &hints), STATUS_NOT_FOUND);
    assert_int_equal(find(&names, L"192.0.2.33", L"65536", &hints), STATUS_NOT_FOUND);
    close_names(&names);
}

static void the_host_knows_itself(void **state)
{
    ADDRINFOEXW hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct names names;
    PROVES("WSK-NAME-01", "WSK-NAME-08");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    NTSTATUS returned =
        begin_find(&names, L"localhost", L"7", NS_ALL, NULL, &hints, &names.end.call);
    assert_int_equal(returned, STATUS_PENDING);
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_SUCCESS);
    expect_address(names.list, ipv4(127, 0, 0, 1, 7));
    free_list(&names);
    close_names(&names);
}

static void a_service_has_its_port(void **state)
{
    ADDRINFOEXW udp = {.ai_socktype = SOCK_DGRAM, .ai_protocol = IPPROTO_UDP};
    struct names names;
    PROVES("WSK-NAME-02", "WSK-NAME-04");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    assert_int_equal(wskemu_service_add("wskemu-test", 4711, FALSE), STATUS_SUCCESS);
    assert_int_equal(wskemu_service_add("wskemu-test", 4712, TRUE), STATUS_SUCCESS);
    assert_int_equal(find(&names, L"192.0.2.1", L"WSKEMU-test", NULL), STATUS_SUCCESS);
    expect_only(&names, ipv4(192, 0, 2, 1, 4711));
    assert_int_equal(find(&names, L"192.0.2.1", L"wskemu-test", &udp), STATUS_SUCCESS);
    expect_only(&names, ipv4(192, 0, 2, 1, 4712));
    assert_int_equal(find(&names, L"192.0.2.1", L"no-such-service-at-all", NULL), STATUS_NOT_FOUND);
    close_names(&names);
}

static void a_service_alone_is_of_this_machine(void **state)
{
    ADDRINFOEXW passive = {.ai_flags = AI_PASSIVE};
    ADDRINFOEXW passive_ipv4 = {.ai_flags = AI_PASSIVE, .ai_family = AF_INET};
    struct names names;
    PROVES("WSK-NAME-04");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    assert_int_equal(find(&names, NULL, L"80", NULL), STATUS_SUCCESS);
    expect_address(names.list, loopback_address(AF_INET6, 80));
    expect_address(names.list->ai_next, loopback_address(AF_INET, 80));
    free_list(&names);
    assert_int_equal(find(&names, NULL, L"80", &passive), STATUS_SUCCESS);
    expect_address(names.list, any_address(AF_INET6, 80));
    expect_address(names.list->ai_next, any_address(AF_INET, 80));
    free_list(&names);
    assert_int_equal(find(&names, NULL, L"80", &passive_ipv4), STATUS_SUCCESS);
    expect_only(&names, any_address(AF_INET, 80));
    close_names(&names);
}

static void hints_choose_and_are_repeated(void **state)
{
    ADDRINFOEXW tcp4 = {
        .ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    ADDRINFOEXW any6 = {.ai_family = AF_INET6};
    struct names names;
    PROVES("WSK-NAME-04");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    add_name("both.example", ipv4(192, 0, 2, 1, 0));
    add_name("both.example", ipv6(1, 0));
    add_name("old.example", ipv4(192, 0, 2, 2, 0));
    assert_int_equal(find(&names, L"both.example", NULL, &tcp4), STATUS_SUCCESS);
    assert_int_equal(names.list->ai_socktype, SOCK_STREAM);
    assert_int_equal(names.list->ai_protocol, IPPROTO_TCP);
    expect_only(&names, ipv4(192, 0, 2, 1, 0));
    assert_int_equal(find(&names, L"both.example", NULL, &any6), STATUS_SUCCESS);
    assert_int_equal(names.list->ai_socktype, 0);
    assert_int_equal(names.list->ai_protocol, 0);
    expect_only(&names, ipv6(1, 0));
    assert_int_equal(find(&names, L"old.example", NULL, &any6), STATUS_NOT_FOUND);
    assert_int_equal(find(&names, L"192.0.2.2", NULL, &any6), STATUS_NOT_FOUND);
    close_names(&names);
}

static void old_addresses_are_mapped_if_wanted(void **state)
{
    ADDRINFOEXW hints = {.ai_family = AF_INET6, .ai_flags = AI_V4MAPPED};
    SOCKADDR_INET mapped = any_address(AF_INET6, 0);
    struct names names;
    PROVES("WSK-NAME-04");
    UNREFERENCED_PARAMETER(state);
    mapped.Ipv6.sin6_addr.u.Word[5] = 0xFFFF;
    mapped.Ipv6.sin6_addr.u.Byte[12] = 192;
    mapped.Ipv6.sin6_addr.u.Byte[14] = 2;
    mapped.Ipv6.sin6_addr.u.Byte[15] = 1;
    open_names(&names);
    add_name("old.example", ipv4(192, 0, 2, 1, 0));
    add_name("both.example", ipv4(192, 0, 2, 1, 0));
    add_name("both.example", ipv6(1, 0));
    assert_int_equal(find(&names, L"old.example", NULL, &hints), STATUS_SUCCESS);
    expect_only(&names, mapped);
    assert_int_equal(find(&names, L"both.example", NULL, &hints), STATUS_SUCCESS);
    expect_only(&names, ipv6(1, 0));
    hints.ai_flags |= AI_ALL;
    assert_int_equal(find(&names, L"both.example", NULL, &hints), STATUS_SUCCESS);
    expect_address(names.list, ipv6(1, 0));
    expect_address(names.list->ai_next, mapped);
    free_list(&names);
    close_names(&names);
}

static void the_canonical_name_stands_at_the_first(void **state)
{
    ADDRINFOEXW hints = {.ai_flags = AI_CANONNAME};
    struct names names;
    PROVES("WSK-NAME-04");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    add_name("Canonical.Example", ipv4(192, 0, 2, 1, 0));
    add_name("canonical.example", ipv4(192, 0, 2, 2, 0));
    assert_int_equal(find(&names, L"CANONICAL.EXAMPLE", NULL, &hints), STATUS_SUCCESS);
    expect_text(names.list->ai_canonname, L"Canonical.Example");
    assert_int_equal(names.list->ai_flags, AI_CANONNAME);
    assert_null(names.list->ai_next->ai_canonname);
    free_list(&names);
    assert_int_equal(find(&names, L"192.0.2.9", NULL, &hints), STATUS_SUCCESS);
    expect_text(names.list->ai_canonname, L"192.0.2.9");
    free_list(&names);
    assert_int_equal(find(&names, NULL, L"80", &hints), STATUS_INVALID_PARAMETER);
    close_names(&names);
}

static void names_may_be_of_any_script(void **state)
{
    struct names names;
    PROVES("WSK-NAME-02");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    add_name("b\xC3\xBC"
             "cher.example",
             ipv4(192, 0, 2, 1, 0));
    assert_int_equal(find(&names,
                          L"B\x00DC"
                          L"CHER.example",
                          NULL, NULL),
                     STATUS_SUCCESS);
    expect_only(&names, ipv4(192, 0, 2, 1, 0));
    close_names(&names);
}

static void the_name_space_limits_who_is_asked(void **state)
{
    static const ULONG asked[] = {NS_ALL, NS_DNS, NS_TCPIP_HOSTS};
    static const ULONG others[] = {NS_WINS, NS_BTH, NS_NLA, NS_EMAIL};
    static GUID other = {0x12345678, 1, 2, {3}};
    static GUID any = {0};
    struct names names;
    PROVES("WSK-NAME-03");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    add_name("server.example", ipv4(192, 0, 2, 1, 0));
    for (unsigned i = 0; i < RTL_NUMBER_OF(asked); i++) {
        NTSTATUS returned =
            begin_find(&names, L"server.example", NULL, asked[i], &any, NULL, &names.end.call);
        assert_int_equal(call_wait(&names.end.call, returned), STATUS_SUCCESS);
        free_list(&names);
    }
    for (unsigned i = 0; i < RTL_NUMBER_OF(others); i++) {
        NTSTATUS returned =
            begin_find(&names, L"server.example", NULL, others[i], NULL, NULL, &names.end.call);
        assert_int_equal(call_wait(&names.end.call, returned), STATUS_NOT_FOUND);
    }
    NTSTATUS returned =
        begin_find(&names, L"server.example", NULL, NS_ALL, &other, NULL, &names.end.call);
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_NOT_FOUND);
    returned = begin_find(&names, L"192.0.2.5", NULL, NS_BTH, NULL, NULL, &names.end.call);
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_SUCCESS);
    free_list(&names);
    close_names(&names);
}

static void only_the_length_of_a_string_counts(void **state)
{
    static WCHAR text[] = L"server.example and what follows";
    UNICODE_STRING node = {14 * sizeof(WCHAR), sizeof(text), text};
    UNICODE_STRING absent = {0, sizeof(text), text};
    UNICODE_STRING nothing = {0, 0, NULL};
    struct names names;
    PROVES("WSK-HDR-27");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    add_name("server.example", ipv4(192, 0, 2, 1, 0));
    const WSK_PROVIDER_NPI *provider = &names.end.provider;
    NTSTATUS returned =
        provider->Dispatch->WskGetAddressInfo(provider->Client, &node, &absent, 0, NULL, NULL,
                                              &names.list, NULL, NULL, call_irp(&names.end.call));
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_SUCCESS);
    expect_only(&names, ipv4(192, 0, 2, 1, 0));
    node.MaximumLength = node.Length;
    returned =
        provider->Dispatch->WskGetAddressInfo(provider->Client, &node, &nothing, 0, NULL, NULL,
                                              &names.list, NULL, NULL, call_irp(&names.end.call));
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_SUCCESS);
    expect_only(&names, ipv4(192, 0, 2, 1, 0));
    returned =
        provider->Dispatch->WskGetAddressInfo(provider->Client, &absent, &nothing, 0, NULL, NULL,
                                              &names.list, NULL, NULL, call_irp(&names.end.call));
    assert_int_equal(returned, STATUS_INVALID_PARAMETER);
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_INVALID_PARAMETER);
    node.Length = 3;
    returned =
        provider->Dispatch->WskGetAddressInfo(provider->Client, &node, NULL, 0, NULL, NULL,
                                              &names.list, NULL, NULL, call_irp(&names.end.call));
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_INVALID_PARAMETER);
    close_names(&names);
}

static void wrong_hints_are_refused(void **state)
{
    static WCHAR text[] = L"name";
    ADDRINFOEXW wrong[] = {
        {.ai_family = 3},
        {.ai_socktype = 9},
        {.ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_UDP},
        {.ai_socktype = SOCK_DGRAM, .ai_protocol = IPPROTO_TCP},
        {.ai_flags = (INT)AI_EXTENDED},
        {.ai_flags = AI_CANONNAME | AI_FQDN},
        {.ai_addrlen = 16},
        {.ai_canonname = text},
        {.ai_next = &wrong[0]},
    };
    struct names names;
    PROVES("WSK-NAME-10", "WSK-NAME-23");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    for (unsigned i = 0; i < RTL_NUMBER_OF(wrong); i++) {
        NTSTATUS returned =
            begin_find(&names, L"192.0.2.1", NULL, NS_ALL, NULL, &wrong[i], &names.end.call);
        assert_int_equal(returned, STATUS_INVALID_PARAMETER);
        assert_int_equal(call_wait(&names.end.call, returned), STATUS_INVALID_PARAMETER);
    }
    close_names(&names);
}

static void no_irp_or_no_client_touches_nothing(void **state)
{
    struct names names;
    UNICODE_STRING node = string_of(L"192.0.2.1");
    SOCKADDR_INET address = loopback_address(AF_INET, 80);
    WCHAR text[16];
    UNICODE_STRING out = {0, sizeof(text), text};
    PROVES("WSK-NAME-10", "WSK-NAME-26");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    const WSK_PROVIDER_DISPATCH *dispatch = names.end.provider.Dispatch;
    PWSK_CLIENT client = names.end.provider.Client;
    PIRP irp = call_irp(&names.end.call);
    assert_int_equal(dispatch->WskGetAddressInfo(client, &node, NULL, 0, NULL, NULL, &names.list,
                                                 NULL, NULL, NULL),
                     STATUS_INVALID_PARAMETER);
    assert_ptr_equal(names.list, (PVOID)(ULONG_PTR)1);
    assert_int_equal(
        dispatch->WskGetAddressInfo(NULL, &node, NULL, 0, NULL, NULL, &names.list, NULL, NULL, irp),
        STATUS_INVALID_HANDLE);
    assert_int_equal(
        dispatch->WskGetNameInfo(client, (PSOCKADDR)&address, 16, &out, NULL, 0, NULL, NULL, NULL),
        STATUS_INVALID_PARAMETER);
    assert_int_equal(
        dispatch->WskGetNameInfo(NULL, (PSOCKADDR)&address, 16, &out, NULL, 0, NULL, NULL, irp),
        STATUS_INVALID_HANDLE);
    assert_false(call_is_done(&names.end.call));
    NTSTATUS returned = dispatch->WskGetAddressInfo(client, &node, NULL, 0, NULL, NULL, NULL, NULL,
                                                    NULL, call_irp(&names.end.call));
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_INVALID_PARAMETER);
    close_names(&names);
}

static NTSTATUS find_as(struct names *names, PEPROCESS process, PETHREAD thread)
{
    UNICODE_STRING node = string_of(L"192.0.2.1");
    NTSTATUS returned = names->end.provider.Dispatch->WskGetAddressInfo(
        names->end.provider.Client, &node, NULL, 0, NULL, NULL, &names->list, process, thread,
        call_irp(&names->end.call));
    return call_wait(&names->end.call, returned);
}

static NTSTATUS name_as(struct names *names, PEPROCESS process, PETHREAD thread)
{
    WCHAR text[32];
    UNICODE_STRING out = {0, sizeof(text), text};
    SOCKADDR_INET address = ipv4(192, 0, 2, 1, 0);
    NTSTATUS returned = names->end.provider.Dispatch->WskGetNameInfo(
        names->end.provider.Client, (PSOCKADDR)&address, sizeof(SOCKADDR_IN), &out, NULL,
        NI_NUMERICHOST, process, thread, call_irp(&names->end.call));
    return call_wait(&names->end.call, returned);
}

static void an_owner_is_a_process_first(void **state)
{
    struct names names;
    PROVES("WSK-NAME-11");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    PETHREAD thread = PsGetCurrentThread();
    assert_int_equal(find_as(&names, NULL, thread), STATUS_INVALID_PARAMETER);
    assert_int_equal(name_as(&names, NULL, thread), STATUS_INVALID_PARAMETER);
    assert_int_equal(find_as(&names, PsGetCurrentProcess(), thread), STATUS_SUCCESS);
    free_list(&names);
    assert_int_equal(name_as(&names, PsGetCurrentProcess(), NULL), STATUS_SUCCESS);
    close_names(&names);
}

static void who_impersonates_names_no_owner(void **state)
{
    struct names names;
    PEPROCESS other;
    PROVES("WSK-NAME-12");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    PETHREAD thread = PsGetCurrentThread();
    assert_int_equal(wskemu_process_create(NULL, 0, &other), STATUS_SUCCESS);
    wskemu_impersonate(thread, other);
    assert_int_equal(find_as(&names, PsGetCurrentProcess(), NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(find_as(&names, PsGetCurrentProcess(), thread), STATUS_INVALID_PARAMETER);
    assert_int_equal(name_as(&names, PsGetCurrentProcess(), NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(find_as(&names, NULL, NULL), STATUS_SUCCESS);
    free_list(&names);
    wskemu_impersonate(thread, NULL);
    ObDereferenceObject(other);
    close_names(&names);
}

/* ---- lookups that stay pending ---- */

static void a_held_name_is_answered_when_released(void **state)
{
    struct names names;
    PROVES("WSK-NAME-05", "WSK-NAME-08");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    assert_int_equal(wskemu_name_hold("late.example"), STATUS_SUCCESS);
    NTSTATUS returned =
        begin_find(&names, L"late.example", L"99", NS_ALL, NULL, NULL, &names.end.call);
    assert_int_equal(returned, STATUS_PENDING);
    assert_false(call_is_done(&names.end.call));
    add_name("late.example", ipv4(192, 0, 2, 1, 0));
    assert_false(call_is_done(&names.end.call));
    assert_int_equal(wskemu_name_release("late.example"), STATUS_SUCCESS);
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_SUCCESS);
    expect_only(&names, ipv4(192, 0, 2, 1, 99));
    assert_int_equal(wskemu_name_release("never.example"), STATUS_NOT_FOUND);
    close_names(&names);
}

static void a_cancelled_lookup_ends_at_once(void **state)
{
    struct names names;
    PROVES("WSK-NAME-10", "WSK-NAME-23");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    assert_int_equal(wskemu_name_hold("never.example"), STATUS_SUCCESS);
    NTSTATUS returned =
        begin_find(&names, L"never.example", NULL, NS_ALL, NULL, NULL, &names.end.call);
    assert_int_equal(returned, STATUS_PENDING);
    assert_true(IoCancelIrp(names.end.call.irp));
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_CANCELLED);
    PIRP irp = call_irp(&names.end.call);
    IoCancelIrp(irp);
    UNICODE_STRING node = string_of(L"never.example");
    returned = names.end.provider.Dispatch->WskGetAddressInfo(
        names.end.provider.Client, &node, NULL, 0, NULL, NULL, &names.list, NULL, NULL, irp);
    assert_int_equal(returned, STATUS_PENDING);
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_CANCELLED);
    assert_null(names.list);
    close_names(&names);
}

/* Whatever the host does meanwhile, the IRP ends once, and nothing is left. */
static void a_lookup_of_the_host_can_be_cancelled(void **state)
{
    struct names names;
    PROVES("WSK-NAME-23");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    for (unsigned round = 0; round < 20; round++) {
        NTSTATUS returned =
            begin_find(&names, L"localhost", NULL, NS_ALL, NULL, NULL, &names.end.call);
        assert_int_equal(returned, STATUS_PENDING);
        if (round % 2 != 0) {
            LARGE_INTEGER pause = {.QuadPart = -1000LL * (round / 2)};
            KeDelayExecutionThread(KernelMode, FALSE, &pause);
        }
        IoCancelIrp(names.end.call.irp);
        NTSTATUS status = call_wait(&names.end.call, returned);
        if (status == STATUS_SUCCESS) {
            free_list(&names);
        } else {
            assert_int_equal(status, STATUS_CANCELLED);
        }
    }
    close_names(&names);
}

static VOID deregister(PVOID context)
{
    struct names *names = context;
    WskReleaseProviderNPI(&names->end.registration);
    WskDeregister(&names->end.registration);
}

static void deregistering_waits_for_a_lookup(void **state)
{
    struct names names;
    struct wsk_call call;
    PROVES("WSK-REG-40");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    call_init(&call);
    assert_int_equal(wskemu_name_hold("late.example"), STATUS_SUCCESS);
    NTSTATUS returned = begin_find(&names, L"late.example", NULL, NS_ALL, NULL, NULL, &call);
    PKTHREAD thread = start_thread(deregister, &names);
    await_blocked(thread);
    assert_int_equal(poll_object(thread), STATUS_TIMEOUT);
    IoCancelIrp(call.irp);
    assert_int_equal(call_wait(&call, returned), STATUS_CANCELLED);
    join_thread(thread);
    call_free(&call);
    call_free(&names.end.call);
}

static void clearing_the_table_asks_the_host(void **state)
{
    ADDRINFOEXW hints = {.ai_family = AF_INET};
    struct names names;
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    assert_int_equal(wskemu_name_hold("localhost"), STATUS_SUCCESS);
    NTSTATUS returned =
        begin_find(&names, L"localhost", NULL, NS_ALL, NULL, &hints, &names.end.call);
    assert_false(call_is_done(&names.end.call));
    wskemu_name_clear();
    assert_int_equal(call_wait(&names.end.call, returned), STATUS_SUCCESS);
    expect_address(names.list, ipv4(127, 0, 0, 1, 0));
    free_list(&names);
    close_names(&names);
}

/* ---- WskFreeAddressInfo ---- */

static void free_wrongly(void *context)
{
    struct names names;
    ADDRINFOEXW own = {0};
    const int *which = context;
    open_names(&names);
    assert_int_equal(find(&names, NULL, L"80", NULL), STATUS_SUCCESS);
    PADDRINFOEXW wrong[] = {&own, names.list->ai_next, names.list};
    if (*which == 2) {
        free_list(&names);
    }
    names.end.provider.Dispatch->WskFreeAddressInfo(names.end.provider.Client, wrong[*which]);
}

static void only_a_result_can_be_freed_and_once(void **state)
{
    PROVES("WSK-NAME-07");
    UNREFERENCED_PARAMETER(state);
    for (int which = 0; which < 3; which++) {
        expect_bugcheck(free_wrongly, &which, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x57534B,
                        "WSK-NAME-07");
    }
}

static void freeing_nothing_is_a_warning(void **state)
{
    struct names names;
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    names.list = NULL;
    free_list(&names);
    close_names(&names);
}

struct text {
    char bytes[4096];
    size_t length;
};

static void collect(void *context, const char *text, size_t length)
{
    struct text *all = context;
    if (length < sizeof(all->bytes) - all->length) {
        memcpy(all->bytes + all->length, text, length);
        all->length += length;
    }
}

static void a_result_not_freed_is_reported(void **state)
{
    struct text text = {.length = 0};
    struct names names;
    PROVES("WSK-NAME-06");
    UNREFERENCED_PARAMETER(state);
    open_names(&names);
    assert_int_equal(find(&names, L"192.0.2.1", NULL, NULL), STATUS_SUCCESS);
    close_names(&names);
    wskemu_log_redirect(collect, &text);
    unsigned left = wskemu_shutdown();
    wskemu_log_redirect(NULL, NULL);
    assert_int_equal(left, 1);
    assert_non_null(strstr(text.bytes, "WskGetAddressInfo result"));
    assert_non_null(strstr(text.bytes, "not freed"));
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
}

/* ---- contracts ---- */

static void call_at_dispatch(void *context)
{
    struct names names;
    KIRQL irql;
    const int *which = context;
    UNICODE_STRING node = string_of(L"192.0.2.1");
    SOCKADDR_INET address = ipv4(192, 0, 2, 1, 80);
    open_names(&names);
    const WSK_PROVIDER_NPI *provider = &names.end.provider;
    PIRP irp = call_irp(&names.end.call);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    switch (*which) {
    case 0:
        provider->Dispatch->WskGetAddressInfo(provider->Client, &node, NULL, 0, NULL, NULL,
                                              &names.list, NULL, NULL, irp);
        break;
    case 1:
        provider->Dispatch->WskGetNameInfo(provider->Client, (PSOCKADDR)&address, 16, &node, NULL,
                                           0, NULL, NULL, irp);
        break;
    default:
        provider->Dispatch->WskFreeAddressInfo(provider->Client, NULL);
        break;
    }
    KeLowerIrql(irql);
}

static void names_are_for_passive_level(void **state)
{
    PROVES("WSK-IRQL-06");
    UNREFERENCED_PARAMETER(state);
    for (int which = 0; which < 3; which++) {
        expect_bugcheck(call_at_dispatch, &which, DRIVER_VIOLATION, ANY_PARAMETER, "WSK-IRQL-06");
    }
}

static void find_after_release(void *context)
{
    struct names names;
    UNREFERENCED_PARAMETER(context);
    open_names(&names);
    WskReleaseProviderNPI(&names.end.registration);
    find(&names, L"192.0.2.1", NULL, NULL);
}

static void names_are_for_who_has_the_provider(void **state)
{
    PROVES("WSK-NAME-21");
    UNREFERENCED_PARAMETER(state);
    expect_bugcheck(find_after_release, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x57534B,
                    "WSK-NAME-21");
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_name_in_the_table_has_its_addresses),
    kernel_test(an_unknown_name_is_not_found),
    kernel_test(digits_need_no_host),
    kernel_test(the_host_knows_itself),
    kernel_test(a_service_has_its_port),
    kernel_test(a_service_alone_is_of_this_machine),
    kernel_test(hints_choose_and_are_repeated),
    kernel_test(old_addresses_are_mapped_if_wanted),
    kernel_test(the_canonical_name_stands_at_the_first),
    kernel_test(names_may_be_of_any_script),
    kernel_test(the_name_space_limits_who_is_asked),
    kernel_test(only_the_length_of_a_string_counts),
    kernel_test(wrong_hints_are_refused),
    kernel_test(no_irp_or_no_client_touches_nothing),
    kernel_test(an_owner_is_a_process_first),
    kernel_test(who_impersonates_names_no_owner),
    kernel_test(a_held_name_is_answered_when_released),
    kernel_test(a_cancelled_lookup_ends_at_once),
    kernel_test(a_lookup_of_the_host_can_be_cancelled),
    kernel_test(deregistering_waits_for_a_lookup),
    kernel_test(clearing_the_table_asks_the_host),
    kernel_test(only_a_result_can_be_freed_and_once),
    kernel_test(freeing_nothing_is_a_warning),
    kernel_test(a_result_not_freed_is_reported),
    kernel_test(names_are_for_passive_level),
    kernel_test(names_are_for_who_has_the_provider),
};

TEST_MAIN(tests)
