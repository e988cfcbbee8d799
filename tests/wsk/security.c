/* Cached security descriptors: WSK_CACHE_SD, WSK_RELEASE_SD, SO_WSK_SECURITY. Who may share an
 * address because of them: share.c. */
#include "security.h"
#include "kernel.h"
#include "log.h"
#include "wsk_end.h"

#include <wskemu/wskemu.h>

#include <string.h>

#define WSK_VIOLATION 0x57534B

static const struct test_entry everyone_all = {ENTRY_ALLOW, 0, GENERIC_ALL, &sid_everyone};

static void a_cached_descriptor_is_a_copy(void **state)
{
    PROVES("WSK-CTL-22", "WSK-CTL-23", "WSK-CTL-25", "WSK-CTL-42");
    STAYS_SILENT("WSK-CTL-22", "WSK-CTL-24", "WSK-CTL-25", "WSK-CTL-26", "WSK-SEC-05");
    struct wsk_end end;
    struct test_descriptor descriptor;
    PSECURITY_DESCRIPTOR cached = NULL;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    describe(&descriptor, &sid_administrators, &everyone_all, 1);
    assert_int_equal(cache_descriptor(&end, &descriptor, &cached), STATUS_SUCCESS);
    assert_non_null(cached);
    assert_ptr_not_equal(cached, &descriptor);
    assert_memory_equal(cached, &descriptor, 20);
    assert_memory_equal((UCHAR *)cached + 20, &sid_administrators, sizeof(sid_administrators));
    RtlFillMemory(&descriptor, sizeof(descriptor), 0xEE);
    assert_int_equal(*(UCHAR *)cached, SECURITY_DESCRIPTOR_REVISION);
    assert_int_equal(release_descriptor(&end, cached), STATUS_SUCCESS);
    close_wsk(&end);
}

static void an_absolute_descriptor_becomes_self_relative(void **state)
{
    PROVES("WSK-CTL-23");
    struct wsk_end end;
    _Alignas(8) UCHAR list[64];
    PSECURITY_DESCRIPTOR cached = NULL;
    struct test_descriptor expected;
    SECURITY_DESCRIPTOR absolute = {.Revision = SECURITY_DESCRIPTOR_REVISION,
                                    .Control = CONTROL_DACL_PRESENT,
                                    .Owner = (PSID)(ULONG_PTR)&sid_administrators,
                                    .Dacl = (PACL)list};
    USHORT list_bytes = write_acl(list, &everyone_all, 1);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    assert_int_equal(cache_descriptor(&end, &absolute, &cached), STATUS_SUCCESS);
    describe(&expected, &sid_administrators, &everyone_all, 1);
    assert_memory_equal(cached, &expected, 20 + sizeof(sid_administrators) + list_bytes);
    assert_int_equal(release_descriptor(&end, cached), STATUS_SUCCESS);
    close_wsk(&end);
}

static void what_is_no_descriptor_is_refused(void **state)
{
    PROVES("WSK-CTL-05");
    /* Offsets into a descriptor with an owner and one entry, and what makes it invalid there. */
    static const struct {
        USHORT offset;
        UCHAR value;
    } damages[] = {
        {0, 2},   /* revision */
        {20, 9},  /* revision of the owner */
        {21, 16}, /* its sub-authorities */
        {36, 9},  /* revision of the list */
        {38, 7},  /* its size */
        {40, 2},  /* entries that are not there */
        {46, 2},  /* size of the entry */
        {46, 14}, /* the same, too small for its user */
        {52, 9},  /* revision of the user */
        {53, 15}, /* its sub-authorities */
    };
    struct wsk_end end;
    PSECURITY_DESCRIPTOR cached = NULL;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(damages); i++) {
        struct test_descriptor descriptor;
        describe(&descriptor, &sid_administrators, &everyone_all, 1);
        descriptor.bytes[damages[i].offset] = damages[i].value;
        assert_int_equal(cache_descriptor(&end, &descriptor, &cached),
                         STATUS_INVALID_SECURITY_DESCR);
    }
    assert_int_equal(cache_descriptor(&end, NULL, &cached), STATUS_INVALID_SECURITY_DESCR);
    assert_null(cached);
    close_wsk(&end);
}

static void wrong_sizes_are_refused(void **state)
{
    PROVES("WSK-CTL-22", "WSK-CTL-25");
    struct wsk_end end;
    struct test_descriptor descriptor;
    PSECURITY_DESCRIPTOR uncached = &descriptor;
    PSECURITY_DESCRIPTOR cached = NULL;
    describe(&descriptor, NULL, &everyone_all, 1);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    log_capture();
    NTSTATUS short_input =
        control_client(&end, WSK_CACHE_SD, &uncached, 4, &cached, sizeof(cached), NULL);
    NTSTATUS short_output =
        control_client(&end, WSK_CACHE_SD, &uncached, sizeof(uncached), &cached, 4, NULL);
    NTSTATUS no_output =
        control_client(&end, WSK_CACHE_SD, &uncached, sizeof(uncached), NULL, 8, NULL);
    assert_true(log_named("WSK-CTL-22"));
    assert_int_equal(short_input, STATUS_INVALID_PARAMETER);
    assert_int_equal(short_output, STATUS_INVALID_PARAMETER);
    assert_int_equal(no_output, STATUS_INVALID_PARAMETER);
    log_capture();
    short_input = control_client(&end, WSK_RELEASE_SD, &uncached, 4, NULL, 0, NULL);
    assert_true(log_named("WSK-CTL-25"));
    assert_int_equal(short_input, STATUS_INVALID_PARAMETER);
    close_wsk(&end);
}

/* ---- contracts ---- */

static void release_what_was_never_cached(void *context)
{
    struct wsk_end end;
    struct test_descriptor descriptor;
    UNREFERENCED_PARAMETER(context);
    describe(&descriptor, NULL, &everyone_all, 1);
    open_wsk(&end);
    release_descriptor(&end, &descriptor);
}

static void release_twice(void *context)
{
    struct wsk_end end;
    UNREFERENCED_PARAMETER(context);
    open_wsk(&end);
    PSECURITY_DESCRIPTOR cached = cached_grant(&end, &sid_everyone, GENERIC_ALL);
    release_descriptor(&end, cached);
    release_descriptor(&end, cached);
}

static void release_twice_while_a_socket_has_it(void *context)
{
    struct wsk_end end;
    UNREFERENCED_PARAMETER(context);
    open_wsk(&end);
    struct test_owner owner = {.security = cached_grant(&end, &sid_everyone, GENERIC_ALL)};
    make_owned(&end, WSK_FLAG_DATAGRAM_SOCKET, &owner);
    release_descriptor(&end, owner.security);
    release_descriptor(&end, owner.security);
}

static void only_what_the_driver_has_can_be_released(void **state)
{
    PROVES("WSK-CTL-26", "WSK-SEC-05");
    expect_bugcheck(release_what_was_never_cached, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION,
                    WSK_VIOLATION, "WSK-CTL-26");
    expect_bugcheck(release_twice, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION,
                    "WSK-CTL-26");
    expect_bugcheck(release_twice_while_a_socket_has_it, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION,
                    WSK_VIOLATION, "WSK-SEC-05");
}

static void make_a_socket_with_its_own_descriptor(void *context)
{
    struct wsk_end end;
    struct test_descriptor descriptor;
    struct test_owner owner = {.security = &descriptor};
    UNREFERENCED_PARAMETER(context);
    describe(&descriptor, NULL, &everyone_all, 1);
    open_wsk(&end);
    make_owned(&end, WSK_FLAG_LISTEN_SOCKET, &owner);
}

static void make_a_socket_with_a_released_one(void *context)
{
    struct wsk_end end;
    UNREFERENCED_PARAMETER(context);
    open_wsk(&end);
    struct test_owner owner = {.security = cached_grant(&end, &sid_everyone, GENERIC_ALL)};
    release_descriptor(&end, owner.security);
    make_owned(&end, WSK_FLAG_LISTEN_SOCKET, &owner);
}

static void a_socket_takes_only_a_cached_descriptor(void **state)
{
    PROVES("WSK-SOCK-20", "WSK-SEC-04");
    expect_bugcheck(make_a_socket_with_its_own_descriptor, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION,
                    WSK_VIOLATION, "WSK-SOCK-20");
    expect_bugcheck(make_a_socket_with_a_released_one, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION,
                    WSK_VIOLATION, "WSK-SOCK-20");
}

static void a_descriptor_may_go_once_the_socket_is_made(void **state)
{
    PROVES("WSK-SOCK-21", "WSK-SEC-06");
    STAYS_SILENT("WSK-SEC-06", "WSK-SEC-04", "WSK-CLOSE-18", "WSK-SOCK-20", "WSK-SOCK-21");
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    struct test_owner owner = {.security = cached_grant(&end, &sid_everyone, GENERIC_ALL)};
    PWSK_SOCKET socket = make_owned(&end, WSK_FLAG_DATAGRAM_SOCKET, &owner);
    assert_non_null(socket);
    assert_int_equal(release_descriptor(&end, owner.security), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, socket), STATUS_SUCCESS);
    close_wsk(&end);
}

/* Nothing is delivered while the only processor is this thread's. */
static void release_before_the_socket_is_made(void *context)
{
    struct wsk_end end;
    KIRQL irql;
    UNREFERENCED_PARAMETER(context);
    open_wsk(&end);
    PSECURITY_DESCRIPTOR cached = cached_grant(&end, &sid_everyone, GENERIC_ALL);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    end.provider.Dispatch->WskSocket(end.provider.Client, AF_INET, SOCK_DGRAM, IPPROTO_UDP,
                                     WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL, NULL, NULL, cached,
                                     call_irp(&end.call));
    release_descriptor(&end, cached);
    KeLowerIrql(irql);
}

static void release_before_the_connection_is_made(void *context)
{
    struct wsk_end end;
    KIRQL irql;
    SOCKADDR_INET local = any_address(AF_INET, 0);
    SOCKADDR_INET remote;
    UNREFERENCED_PARAMETER(context);
    open_wsk(&end);
    listen_loopback(&end, AF_INET, NULL, NULL, &remote);
    PSECURITY_DESCRIPTOR cached = cached_grant(&end, &sid_everyone, GENERIC_ALL);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    end.provider.Dispatch->WskSocketConnect(end.provider.Client, SOCK_STREAM, IPPROTO_TCP,
                                            (PSOCKADDR)&local, (PSOCKADDR)&remote, 0, NULL, NULL,
                                            NULL, NULL, cached, call_irp(&end.call));
    release_descriptor(&end, cached);
    KeLowerIrql(irql);
}

static void start_deferred(void)
{
    struct wskemu_options options = {.processors = 1, .completion = WSKEMU_COMPLETION_DEFERRED};
    assert_int_equal(wskemu_shutdown(), 0);
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
}

static void a_descriptor_must_not_go_before_its_irp_completed(void **state)
{
    PROVES("WSK-SOCK-21", "WSK-SOCK-49", "WSK-SEC-06");
    start_deferred();
    expect_bugcheck(release_before_the_socket_is_made, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION,
                    WSK_VIOLATION, "WSK-SOCK-21");
    start_deferred();
    expect_bugcheck(release_before_the_connection_is_made, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION,
                    WSK_VIOLATION, "WSK-SOCK-49");
}

/* The descriptor is all that is left when the kernel goes, and is told of under that rule. */
static void expect_one_left(const char *rule)
{
    log_capture();
    unsigned left = wskemu_shutdown();
    const char *text = log_captured();
    assert_int_equal(left, 1);
    assert_non_null(strstr(text, rule));
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
}

static void a_descriptor_that_is_not_released_is_reported(void **state)
{
    PROVES("WSK-CTL-24", "WSK-SEC-05");
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    assert_non_null(cached_grant(&end, &sid_everyone, GENERIC_ALL));
    close_wsk(&end);
    expect_one_left("WSK-CTL-24");
}

static void a_closed_socket_leaves_its_descriptor_to_the_driver(void **state)
{
    PROVES("WSK-CLOSE-18", "WSK-CTL-24");
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    struct test_owner owner = {.security = cached_grant(&end, &sid_everyone, GENERIC_ALL)};
    PWSK_SOCKET socket = make_owned(&end, WSK_FLAG_DATAGRAM_SOCKET, &owner);
    assert_int_equal(close_socket(&end, socket), STATUS_SUCCESS);
    close_wsk(&end);
    expect_one_left("WSK-CLOSE-18");
}

/* ---- SO_WSK_SECURITY ---- */

static NTSTATUS set_security(struct wsk_end *end, PWSK_SOCKET socket, PSECURITY_DESCRIPTOR cached)
{
    return control_socket(end, socket, WskSetOption, SO_WSK_SECURITY, SOL_SOCKET, &cached,
                          sizeof(cached), NULL, 0, NULL);
}

static PSECURITY_DESCRIPTOR get_security(struct wsk_end *end, PWSK_SOCKET socket)
{
    PSECURITY_DESCRIPTOR cached = NULL;
    SIZE_T information = 0;
    NTSTATUS status = control_socket(end, socket, WskGetOption, SO_WSK_SECURITY, SOL_SOCKET, NULL,
                                     0, &cached, sizeof(cached), &information);
    return NT_SUCCESS(status) && information == sizeof(cached) ? cached : NULL;
}

static const ULONG categories[] = {WSK_FLAG_LISTEN_SOCKET, WSK_FLAG_DATAGRAM_SOCKET,
                                   WSK_FLAG_CONNECTION_SOCKET};

static void the_option_replaces_and_hands_out_the_descriptor(void **state)
{
    PROVES("WSK-OPT-26", "WSK-OPT-28", "WSK-OPT-30", "WSK-OPT-32", "WSK-SEC-01", "WSK-CLOSE-17");
    STAYS_SILENT("WSK-SEC-04", "WSK-SEC-05", "WSK-SEC-06", "WSK-CLOSE-18", "WSK-OPT-27",
                 "WSK-OPT-28", "WSK-OPT-29", "WSK-OPT-31");
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(categories); i++) {
        struct test_owner owner = {.security = cached_grant(&end, &sid_users, GENERIC_READ)};
        PSECURITY_DESCRIPTOR other = cached_grant(&end, &sid_guests, GENERIC_WRITE);
        PWSK_SOCKET socket = make_owned(&end, categories[i], &owner);
        assert_non_null(socket);
        PSECURITY_DESCRIPTOR got = get_security(&end, socket);
        assert_ptr_equal(got, owner.security);
        assert_int_equal(release_descriptor(&end, got), STATUS_SUCCESS);
        assert_int_equal(set_security(&end, socket, other), STATUS_SUCCESS);
        assert_int_equal(release_descriptor(&end, owner.security), STATUS_SUCCESS);
        assert_int_equal(release_descriptor(&end, other), STATUS_SUCCESS);
        got = get_security(&end, socket);
        assert_ptr_equal(got, other);
        assert_int_equal(close_socket(&end, socket), STATUS_SUCCESS);
        assert_int_equal(*(UCHAR *)got, SECURITY_DESCRIPTOR_REVISION); /* it is the driver's too */
        assert_int_equal(release_descriptor(&end, got), STATUS_SUCCESS);
    }
    close_wsk(&end);
}

static void the_default_descriptor_grants_nobody_anything(void **state)
{
    PROVES("WSK-OPT-30", "WSK-SEC-02", "WSK-SOCK-19");
    struct wsk_end end;
    struct test_descriptor nobody;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET socket = make_socket(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    assert_non_null(socket);
    PSECURITY_DESCRIPTOR got = get_security(&end, socket);
    assert_non_null(got);
    describe(&nobody, NULL, NULL, 0);
    assert_memory_equal(got, &nobody, 20 + sizeof(ACL));
    assert_int_equal(release_descriptor(&end, got), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, socket), STATUS_SUCCESS);
    close_wsk(&end);
}

static void a_descriptor_from_the_option_has_to_be_released(void **state)
{
    PROVES("WSK-OPT-31", "WSK-CTL-26");
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    struct test_owner owner = {.security = cached_grant(&end, &sid_everyone, GENERIC_ALL)};
    PWSK_SOCKET socket = make_owned(&end, WSK_FLAG_DATAGRAM_SOCKET, &owner);
    assert_non_null(get_security(&end, socket));
    assert_int_equal(release_descriptor(&end, owner.security), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, socket), STATUS_SUCCESS);
    close_wsk(&end);
    expect_one_left("WSK-OPT-31");
}

static void a_bound_socket_keeps_its_descriptor(void **state)
{
    PROVES("WSK-OPT-27");
    struct wsk_end end;
    SOCKADDR_INET bound;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    struct test_owner owner = {.security = cached_grant(&end, &sid_users, GENERIC_ALL)};
    PSECURITY_DESCRIPTOR other = cached_grant(&end, &sid_guests, GENERIC_ALL);
    PWSK_SOCKET socket = make_owned(&end, WSK_FLAG_DATAGRAM_SOCKET, &owner);
    assert_non_null(socket);
    assert_int_equal(bind_loopback(&end, socket, AF_INET, &bound), STATUS_SUCCESS);
    log_capture();
    NTSTATUS status = set_security(&end, socket, other);
    log_captured();
    assert_false(NT_SUCCESS(status));
    PSECURITY_DESCRIPTOR got = get_security(&end, socket);
    assert_ptr_equal(got, owner.security);
    assert_int_equal(release_descriptor(&end, got), STATUS_SUCCESS);
    assert_int_equal(release_descriptor(&end, other), STATUS_SUCCESS);
    assert_int_equal(release_descriptor(&end, owner.security), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, socket), STATUS_SUCCESS);
    close_wsk(&end);
}

static void the_option_needs_an_irp(void **state)
{
    PROVES("WSK-OPT-28");
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PSECURITY_DESCRIPTOR cached = cached_grant(&end, &sid_users, GENERIC_ALL);
    PWSK_SOCKET socket = make_socket(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    PSECURITY_DESCRIPTOR out = NULL;
    log_capture();
    NTSTATUS set = control_socket_now(socket, WskSetOption, SO_WSK_SECURITY, SOL_SOCKET, &cached,
                                      sizeof(cached), NULL, 0, NULL);
    NTSTATUS get = control_socket_now(socket, WskGetOption, SO_WSK_SECURITY, SOL_SOCKET, NULL, 0,
                                      &out, sizeof(out), NULL);
    log_captured();
    assert_int_equal(set, STATUS_INVALID_PARAMETER);
    assert_int_equal(get, STATUS_INVALID_PARAMETER);
    assert_null(out);
    assert_int_equal(release_descriptor(&end, cached), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, socket), STATUS_SUCCESS);
    close_wsk(&end);
}

static void set_its_own_descriptor(void *context)
{
    struct wsk_end end;
    struct test_descriptor descriptor;
    UNREFERENCED_PARAMETER(context);
    describe(&descriptor, NULL, &everyone_all, 1);
    open_wsk(&end);
    PWSK_SOCKET socket = make_socket(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    set_security(&end, socket, &descriptor);
}

static void release_before_the_option_is_set(void *context)
{
    struct wsk_end end;
    KIRQL irql;
    UNREFERENCED_PARAMETER(context);
    open_wsk(&end);
    PSECURITY_DESCRIPTOR cached = cached_grant(&end, &sid_everyone, GENERIC_ALL);
    PWSK_SOCKET socket = make_socket(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    const WSK_PROVIDER_BASIC_DISPATCH *basic = socket->Dispatch;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    basic->WskControlSocket(socket, WskSetOption, SO_WSK_SECURITY, SOL_SOCKET, sizeof(cached),
                            &cached, 0, NULL, NULL, call_irp(&end.call));
    release_descriptor(&end, cached);
    KeLowerIrql(irql);
}

static void the_option_takes_only_a_cached_descriptor(void **state)
{
    PROVES("WSK-OPT-29", "WSK-SEC-04", "WSK-SEC-06");
    expect_bugcheck(set_its_own_descriptor, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION,
                    "WSK-OPT-29");
    start_deferred();
    expect_bugcheck(release_before_the_option_is_set, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION,
                    WSK_VIOLATION, "WSK-SEC-06");
}

static void a_connection_made_in_one_call_has_its_descriptor(void **state)
{
    PROVES("WSK-SOCK-48");
    STAYS_SILENT("WSK-SOCK-49");
    struct wsk_end end;
    SOCKADDR_INET local = any_address(AF_INET, 0);
    SOCKADDR_INET remote;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET listener = listen_loopback(&end, AF_INET, NULL, NULL, &remote);
    PSECURITY_DESCRIPTOR cached = cached_grant(&end, &sid_users, GENERIC_READ);
    NTSTATUS returned = end.provider.Dispatch->WskSocketConnect(
        end.provider.Client, SOCK_STREAM, IPPROTO_TCP, (PSOCKADDR)&local, (PSOCKADDR)&remote, 0,
        NULL, NULL, NULL, NULL, cached, call_irp(&end.call));
    assert_int_equal(call_wait(&end.call, returned), STATUS_SUCCESS);
    PWSK_SOCKET socket = (PWSK_SOCKET)call_information(&end.call);
    learn_socket(WSK_FLAG_CONNECTION_SOCKET, socket);
    PSECURITY_DESCRIPTOR got = get_security(&end, socket);
    assert_ptr_equal(got, cached);
    assert_int_equal(release_descriptor(&end, got), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, socket), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, listener), STATUS_SUCCESS);
    assert_int_equal(release_descriptor(&end, cached), STATUS_SUCCESS);
    close_wsk(&end);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_cached_descriptor_is_a_copy),
    kernel_test(an_absolute_descriptor_becomes_self_relative),
    kernel_test(what_is_no_descriptor_is_refused),
    kernel_test(wrong_sizes_are_refused),
    kernel_test(only_what_the_driver_has_can_be_released),
    kernel_test(a_socket_takes_only_a_cached_descriptor),
    kernel_test(a_descriptor_may_go_once_the_socket_is_made),
    kernel_test(a_descriptor_must_not_go_before_its_irp_completed),
    kernel_test(a_descriptor_that_is_not_released_is_reported),
    kernel_test(a_closed_socket_leaves_its_descriptor_to_the_driver),
    kernel_test(the_option_replaces_and_hands_out_the_descriptor),
    kernel_test(the_default_descriptor_grants_nobody_anything),
    kernel_test(a_descriptor_from_the_option_has_to_be_released),
    kernel_test(a_bound_socket_keeps_its_descriptor),
    kernel_test(the_option_needs_an_irp),
    kernel_test(the_option_takes_only_a_cached_descriptor),
    kernel_test(a_connection_made_in_one_call_has_its_descriptor),
};

TEST_MAIN(tests)
