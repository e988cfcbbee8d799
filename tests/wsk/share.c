/*
 * Sharing of local addresses: what becomes of a second bind to a port that a first socket has. The
 * whole matrix runs through real binds, for listening sockets and for datagrams.
 */
#include "host.h"
#include "kernel.h"
#include "security.h"
#include "wsk_end.h"

#include <wskemu/process.h>

enum wish { NONE, REUSE, EXCLUSIVE };

enum kind { WILDCARD, SPECIFIC };

enum verdict { SUCCESS, INUSE, DENIED, CHECK };

struct cell {
    const char *rule;
    enum wish second;
    enum kind second_kind;
    enum wish first;
    enum kind first_kind;
    enum verdict verdict;
};

static const struct cell cells[] = {
    {"WSK-SHR-10", NONE, WILDCARD, NONE, WILDCARD, INUSE},
    {"WSK-SHR-11", NONE, WILDCARD, NONE, SPECIFIC, SUCCESS},
    {"WSK-SHR-12", NONE, WILDCARD, REUSE, WILDCARD, INUSE},
    {"WSK-SHR-13", NONE, WILDCARD, REUSE, SPECIFIC, SUCCESS},
    {"WSK-SHR-14", NONE, WILDCARD, EXCLUSIVE, WILDCARD, INUSE},
    {"WSK-SHR-15", NONE, WILDCARD, EXCLUSIVE, SPECIFIC, SUCCESS},
    {"WSK-SHR-16", NONE, SPECIFIC, NONE, WILDCARD, CHECK},
    {"WSK-SHR-17", NONE, SPECIFIC, NONE, SPECIFIC, INUSE},
    {"WSK-SHR-18", NONE, SPECIFIC, REUSE, WILDCARD, CHECK},
    {"WSK-SHR-19", NONE, SPECIFIC, REUSE, SPECIFIC, DENIED},
    {"WSK-SHR-20", NONE, SPECIFIC, EXCLUSIVE, WILDCARD, DENIED},
    {"WSK-SHR-21", NONE, SPECIFIC, EXCLUSIVE, SPECIFIC, INUSE},
    {"WSK-SHR-22", REUSE, WILDCARD, NONE, WILDCARD, DENIED},
    {"WSK-SHR-23", REUSE, WILDCARD, NONE, SPECIFIC, SUCCESS},
    {"WSK-SHR-24", REUSE, WILDCARD, REUSE, WILDCARD, SUCCESS},
    {"WSK-SHR-25", REUSE, WILDCARD, REUSE, SPECIFIC, SUCCESS},
    {"WSK-SHR-26", REUSE, WILDCARD, EXCLUSIVE, WILDCARD, DENIED},
    {"WSK-SHR-27", REUSE, WILDCARD, EXCLUSIVE, SPECIFIC, SUCCESS},
    {"WSK-SHR-28", REUSE, SPECIFIC, NONE, WILDCARD, CHECK},
    {"WSK-SHR-29", REUSE, SPECIFIC, NONE, SPECIFIC, DENIED},
    {"WSK-SHR-30", REUSE, SPECIFIC, REUSE, WILDCARD, SUCCESS},
    {"WSK-SHR-31", REUSE, SPECIFIC, REUSE, SPECIFIC, SUCCESS},
    {"WSK-SHR-32", REUSE, SPECIFIC, EXCLUSIVE, WILDCARD, DENIED},
    {"WSK-SHR-33", REUSE, SPECIFIC, EXCLUSIVE, SPECIFIC, DENIED},
    {"WSK-SHR-34", EXCLUSIVE, WILDCARD, NONE, WILDCARD, INUSE},
    {"WSK-SHR-35", EXCLUSIVE, WILDCARD, NONE, SPECIFIC, INUSE},
    {"WSK-SHR-36", EXCLUSIVE, WILDCARD, REUSE, WILDCARD, INUSE},
    {"WSK-SHR-37", EXCLUSIVE, WILDCARD, REUSE, SPECIFIC, INUSE},
    {"WSK-SHR-38", EXCLUSIVE, WILDCARD, EXCLUSIVE, WILDCARD, INUSE},
    {"WSK-SHR-39", EXCLUSIVE, WILDCARD, EXCLUSIVE, SPECIFIC, INUSE},
    {"WSK-SHR-40", EXCLUSIVE, SPECIFIC, NONE, WILDCARD, CHECK},
    {"WSK-SHR-41", EXCLUSIVE, SPECIFIC, NONE, SPECIFIC, INUSE},
    {"WSK-SHR-42", EXCLUSIVE, SPECIFIC, REUSE, WILDCARD, CHECK},
    {"WSK-SHR-43", EXCLUSIVE, SPECIFIC, REUSE, SPECIFIC, INUSE},
    {"WSK-SHR-44", EXCLUSIVE, SPECIFIC, EXCLUSIVE, WILDCARD, DENIED},
    {"WSK-SHR-45", EXCLUSIVE, SPECIFIC, EXCLUSIVE, SPECIFIC, INUSE},
};

/* A socket that shall be bound. */
struct binder {
    ADDRESS_FAMILY family;
    ULONG category;
    enum wish wish;
    enum kind kind;
    struct test_owner owner; /* of IPv4 sockets */
};

static PWSK_SOCKET make(struct wsk_end *end, const struct binder *binder)
{
    PWSK_SOCKET socket = binder->family == AF_INET
                             ? make_owned(end, binder->category, &binder->owner)
                             : make_socket(end, binder->family, binder->category, NULL, NULL);
    assert_non_null(socket);
    if (binder->wish == REUSE) {
        assert_int_equal(set_option(end, socket, SOL_SOCKET, SO_REUSEADDR, 1), STATUS_SUCCESS);
    }
    if (binder->wish == EXCLUSIVE) {
        assert_int_equal(set_option(end, socket, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1),
                         STATUS_SUCCESS);
    }
    return socket;
}

static SOCKADDR_INET address_of(const struct binder *binder, USHORT port)
{
    return binder->kind == WILDCARD ? any_address(binder->family, port)
                                    : loopback_address(binder->family, port);
}

/* Binds first and then second to the same port; what the second bind says. */
static NTSTATUS bind_both(struct wsk_end *end, const struct binder *first,
                          const struct binder *second)
{
    PWSK_SOCKET sockets[] = {make(end, first), make(end, second)};
    SOCKADDR_INET address = address_of(first, 0);
    assert_int_equal(bind_socket(end, sockets[0], &address), STATUS_SUCCESS);
    assert_int_equal(local_address(end, sockets[0], &address), STATUS_SUCCESS);
    address = address_of(second, port_of(&address));
    NTSTATUS status = bind_socket(end, sockets[1], &address);
    if (NT_SUCCESS(status)) {
        SOCKADDR_INET bound;
        assert_int_equal(local_address(end, sockets[1], &bound), STATUS_SUCCESS);
        assert_address_equal(&bound, &address);
    }
    assert_int_equal(close_socket(end, sockets[1]), STATUS_SUCCESS);
    assert_int_equal(close_socket(end, sockets[0]), STATUS_SUCCESS);
    return status;
}

static NTSTATUS status_of(enum verdict verdict)
{
    switch (verdict) {
    case SUCCESS:
        return STATUS_SUCCESS;
    case INUSE:
        return STATUS_ADDRESS_ALREADY_EXISTS;
    default:
        return STATUS_ACCESS_DENIED; /* a check against the default descriptor too */
    }
}

/* The cell with default descriptors, and a check also with one that lets everybody in. */
static void try_cell(struct wsk_end *end, const struct cell *cell, ADDRESS_FAMILY family,
                     ULONG category)
{
    struct binder first = {family, category, cell->first, cell->first_kind, {0}};
    struct binder second = {family, category, cell->second, cell->second_kind, {0}};
    if (host_is_wine() && cell->verdict == SUCCESS) {
        return;
    }
    NTSTATUS status = bind_both(end, &first, &second);
    if (status != status_of(cell->verdict)) {
        print_error("%s: %08x\n", cell->rule, (unsigned)status);
    }
    assert_int_equal(status, status_of(cell->verdict));
    if (cell->verdict != CHECK || family != AF_INET || host_is_wine()) {
        return;
    }
    first.owner.security = cached_grant(end, &sid_everyone, GENERIC_ALL);
    assert_int_equal(bind_both(end, &first, &second), STATUS_SUCCESS);
    assert_int_equal(release_descriptor(end, first.owner.security), STATUS_SUCCESS);
}

static void try_matrix(ADDRESS_FAMILY family, ULONG category)
{
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(cells); i++) {
        PROVES(cells[i].rule);
        try_cell(&end, &cells[i], family, category);
    }
    close_wsk(&end);
}

static void the_matrix_holds_for_datagrams(void **state)
{
    PROVES("WSK-SHR-02", "WSK-SHR-03", "WSK-SHR-04", "WSK-SHR-05", "WSK-SHR-07", "WSK-BIND-18",
           "WSK-OPT-08", "WSK-OPT-10", "WSK-OPT-12", "WSK-OPT-14");
    try_matrix(AF_INET, WSK_FLAG_DATAGRAM_SOCKET);
}

static void the_matrix_holds_for_listening_sockets(void **state)
{
    PROVES("WSK-SHR-02", "WSK-SHR-03", "WSK-SHR-04", "WSK-SHR-05", "WSK-SHR-07", "WSK-BIND-18",
           "WSK-OPT-08", "WSK-OPT-10", "WSK-OPT-12", "WSK-OPT-14");
    try_matrix(AF_INET, WSK_FLAG_LISTEN_SOCKET);
}

static void the_matrix_holds_for_connection_sockets(void **state)
{
    PROVES("WSK-SHR-02", "WSK-SHR-03", "WSK-SHR-04", "WSK-BIND-18", "WSK-OPT-08", "WSK-OPT-12");
    try_matrix(AF_INET, WSK_FLAG_CONNECTION_SOCKET);
}

static void the_matrix_holds_for_stream_sockets(void **state)
{
    PROVES("WSK-SHR-02", "WSK-SHR-03", "WSK-SHR-04", "WSK-BIND-18");
    try_matrix(AF_INET, WSK_FLAG_STREAM_SOCKET);
}

static void the_matrix_holds_for_ipv6(void **state)
{
    PROVES("WSK-SHR-02", "WSK-SHR-03", "WSK-SHR-04", "WSK-BIND-18");
    try_matrix(AF_INET6, WSK_FLAG_DATAGRAM_SOCKET);
    try_matrix(AF_INET6, WSK_FLAG_LISTEN_SOCKET);
}

/* ---- what meets ---- */

/* A bound socket, or NULL with the status. */
static PWSK_SOCKET make_bound(struct wsk_end *end, ADDRESS_FAMILY family, ULONG category,
                              const SOCKADDR_INET *address, NTSTATUS *status)
{
    PWSK_SOCKET socket = make_socket(end, family, category, NULL, NULL);
    assert_non_null(socket);
    *status = bind_socket(end, socket, address);
    if (NT_SUCCESS(*status)) {
        return socket;
    }
    close_socket(end, socket);
    return NULL;
}

static USHORT port_at(struct wsk_end *end, PWSK_SOCKET socket)
{
    SOCKADDR_INET address;
    assert_int_equal(local_address(end, socket, &address), STATUS_SUCCESS);
    return port_of(&address);
}

static void by_default_an_address_is_not_bound_twice(void **state)
{
    PROVES("WSK-SHR-01", "WSK-SHR-03");
    struct wsk_end end;
    NTSTATUS status;
    SOCKADDR_INET address = loopback_address(AF_INET, 0);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET first = make_bound(&end, AF_INET, WSK_FLAG_CONNECTION_SOCKET, &address, &status);
    address = loopback_address(AF_INET, port_at(&end, first));
    assert_null(make_bound(&end, AF_INET, WSK_FLAG_LISTEN_SOCKET, &address, &status));
    assert_int_equal(status, STATUS_ADDRESS_ALREADY_EXISTS);
    assert_int_equal(close_socket(&end, first), STATUS_SUCCESS);
    close_wsk(&end);
}

static void two_specific_addresses_never_conflict(void **state)
{
    PROVES("WSK-SHR-08");
    struct wsk_end end;
    SOCKADDR_INET address;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    for (int first = NONE; first <= EXCLUSIVE; first++) {
        for (int second = NONE; second <= EXCLUSIVE; second++) {
            struct binder binders[] = {
                {AF_INET, WSK_FLAG_LISTEN_SOCKET, (enum wish)first, SPECIFIC, {0}},
                {AF_INET, WSK_FLAG_LISTEN_SOCKET, (enum wish)second, SPECIFIC, {0}},
            };
            PWSK_SOCKET sockets[] = {make(&end, &binders[0]), make(&end, &binders[1])};
            assert_int_equal(bind_loopback(&end, sockets[0], AF_INET, &address), STATUS_SUCCESS);
            address.Ipv4.sin_addr.S_un.S_un_b.s_b4 = 2; /* 127.0.0.2 */
            assert_int_equal(bind_socket(&end, sockets[1], &address), STATUS_SUCCESS);
            assert_int_equal(close_socket(&end, sockets[0]), STATUS_SUCCESS);
            assert_int_equal(close_socket(&end, sockets[1]), STATUS_SUCCESS);
        }
    }
    close_wsk(&end);
}

static void port_0_conflicts_with_nobody(void **state)
{
    PROVES("WSK-SHR-01");
    struct wsk_end end;
    NTSTATUS status;
    SOCKADDR_INET address = any_address(AF_INET, 0);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET first = make_bound(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, &address, &status);
    PWSK_SOCKET second = make_bound(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, &address, &status);
    assert_true(first != NULL && second != NULL);
    assert_int_not_equal(port_at(&end, first), port_at(&end, second));
    assert_int_equal(close_socket(&end, first), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, second), STATUS_SUCCESS);
    close_wsk(&end);
}

static void an_address_is_free_once_its_socket_is_closed(void **state)
{
    PROVES("WSK-SHR-01", "WSK-SHR-10");
    struct wsk_end end;
    NTSTATUS status;
    SOCKADDR_INET address = any_address(AF_INET, 0);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET first = make_bound(&end, AF_INET, WSK_FLAG_LISTEN_SOCKET, &address, &status);
    address = any_address(AF_INET, port_at(&end, first));
    PWSK_SOCKET second = make_socket(&end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    assert_int_equal(bind_socket(&end, second, &address), STATUS_ADDRESS_ALREADY_EXISTS);
    assert_int_equal(close_socket(&end, first), STATUS_SUCCESS);
    assert_int_equal(bind_socket(&end, second, &address), STATUS_SUCCESS); /* may try again */
    assert_int_equal(close_socket(&end, second), STATUS_SUCCESS);
    close_wsk(&end);
}

static void tcp_and_udp_have_ports_of_their_own(void **state)
{
    PROVES("WSK-SHR-01");
    struct wsk_end end;
    NTSTATUS status;
    SOCKADDR_INET address = any_address(AF_INET, 0);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET stream = make_bound(&end, AF_INET, WSK_FLAG_LISTEN_SOCKET, &address, &status);
    address = any_address(AF_INET, port_at(&end, stream));
    PWSK_SOCKET datagram = make_bound(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, &address, &status);
    assert_int_equal(status, STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, stream), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, datagram), STATUS_SUCCESS);
    close_wsk(&end);
}

/* Binds an IPv6 wildcard and then this IPv4 address to its port. */
static NTSTATUS bind_families(struct wsk_end *end, bool is_dual, const SOCKADDR_INET *ipv4)
{
    NTSTATUS status;
    SOCKADDR_INET address = any_address(AF_INET6, 0);
    PWSK_SOCKET first = make_socket(end, AF_INET6, WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    assert_int_equal(set_option(end, first, IPPROTO_IPV6, IPV6_V6ONLY, is_dual ? 0 : 1),
                     STATUS_SUCCESS);
    assert_int_equal(bind_socket(end, first, &address), STATUS_SUCCESS);
    address = *ipv4;
    address.Ipv4.sin_port = RtlUshortByteSwap(port_at(end, first));
    PWSK_SOCKET second = make_bound(end, AF_INET, WSK_FLAG_LISTEN_SOCKET, &address, &status);
    if (second != NULL) {
        assert_int_equal(close_socket(end, second), STATUS_SUCCESS);
    }
    assert_int_equal(close_socket(end, first), STATUS_SUCCESS);
    return status;
}

static void a_socket_of_both_families_has_the_port_of_both(void **state)
{
    PROVES("WSK-SHR-10", "WSK-SHR-16");
    struct wsk_end end;
    SOCKADDR_INET any = any_address(AF_INET, 0);
    SOCKADDR_INET loopback = loopback_address(AF_INET, 0);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    assert_int_equal(bind_families(&end, false, &any), STATUS_SUCCESS);
    assert_int_equal(bind_families(&end, false, &loopback), STATUS_SUCCESS);
    assert_int_equal(bind_families(&end, true, &any), STATUS_ADDRESS_ALREADY_EXISTS);
    assert_int_equal(bind_families(&end, true, &loopback), STATUS_ACCESS_DENIED);
    close_wsk(&end);
}

static void an_accepted_connection_holds_no_address(void **state)
{
    PROVES("WSK-SHR-01");
    struct wsk_end end;
    SOCKADDR_INET address;
    PWSK_SOCKET accepted;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET listener = listen_loopback(&end, AF_INET, NULL, NULL, &address);
    PWSK_SOCKET connected = connect_to(&end, &address, NULL, NULL);
    assert_int_equal(accept_socket(&end, listener, NULL, NULL, &accepted), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, listener), STATUS_SUCCESS);
    listener = make_socket(&end, AF_INET, WSK_FLAG_LISTEN_SOCKET, NULL, NULL);
    assert_int_equal(bind_socket(&end, listener, &address), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, listener), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, connected), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, accepted), STATUS_SUCCESS);
    close_wsk(&end);
}

static void options_after_the_bind_change_nothing(void **state)
{
    PROVES("WSK-SHR-46", "WSK-OPT-11", "WSK-OPT-15");
    struct wsk_end end;
    SOCKADDR_INET address;
    struct binder reuse = {AF_INET, WSK_FLAG_DATAGRAM_SOCKET, REUSE, SPECIFIC, {0}};
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET first = make_socket(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    assert_int_equal(bind_loopback(&end, first, AF_INET, &address), STATUS_SUCCESS);
    assert_false(NT_SUCCESS(set_option(&end, first, SOL_SOCKET, SO_REUSEADDR, 1)));
    assert_false(NT_SUCCESS(set_option(&end, first, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1)));
    PWSK_SOCKET second = make(&end, &reuse);
    assert_int_equal(bind_socket(&end, second, &address), STATUS_ACCESS_DENIED);
    assert_int_equal(close_socket(&end, first), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, second), STATUS_SUCCESS);
    close_wsk(&end);
}

static void the_first_that_refuses_says_why(void **state)
{
    PROVES("WSK-SHR-19", "WSK-SHR-30");
    struct wsk_end end;
    SOCKADDR_INET address = any_address(AF_INET, 0);
    struct binder reuse = {AF_INET, WSK_FLAG_DATAGRAM_SOCKET, REUSE, WILDCARD, {0}};
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    reuse.owner.security = cached_grant(&end, &sid_everyone, GENERIC_ALL);
    PWSK_SOCKET first = make(&end, &reuse);
    PWSK_SOCKET second = make(&end, &reuse);
    PWSK_SOCKET third = make_socket(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    assert_int_equal(bind_socket(&end, first, &address), STATUS_SUCCESS);
    address = loopback_address(AF_INET, port_at(&end, first));
    assert_int_equal(bind_socket(&end, second, &address), STATUS_SUCCESS);
    /* The wildcard would let it in, the specific one does not. */
    assert_int_equal(bind_socket(&end, third, &address), STATUS_ACCESS_DENIED);
    assert_int_equal(release_descriptor(&end, reuse.owner.security), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, first), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, second), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, third), STATUS_SUCCESS);
    close_wsk(&end);
}

/* ---- the access check ---- */

#define READ_WRITE (GENERIC_READ | GENERIC_WRITE)

/* What a check against a descriptor says to an owner. */
static NTSTATUS check(struct wsk_end *end, const void *descriptor, const struct test_owner *owner)
{
    struct binder first = {AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NONE, WILDCARD, {0}};
    struct binder second = {AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NONE, SPECIFIC, {0}};
    assert_int_equal(cache_descriptor(end, descriptor, &first.owner.security), STATUS_SUCCESS);
    second.owner = *owner;
    NTSTATUS status = bind_both(end, &first, &second);
    assert_int_equal(release_descriptor(end, first.owner.security), STATUS_SUCCESS);
    return status;
}

static PEPROCESS make_process(const struct test_sid *sid)
{
    PEPROCESS process = NULL;
    PSID sids[] = {(PSID)(ULONG_PTR)sid};
    assert_int_equal(wskemu_process_create(sids, sid == NULL ? 0 : 1, &process), STATUS_SUCCESS);
    return process;
}

static void entries_count_in_their_order(void **state)
{
    PROVES("WSK-SHR-05", "WSK-SEC-01", "WSK-SEC-03");
    static const struct {
        struct test_entry entries[3];
        USHORT count;
        NTSTATUS status; /* for a process of the users */
    } lists[] = {
        {{{0}}, 0, STATUS_ACCESS_DENIED},
        {{{ENTRY_ALLOW, 0, READ_WRITE, &sid_users}}, 1, STATUS_SUCCESS},
        {{{ENTRY_ALLOW, 0, FILE_ALL_ACCESS, &sid_users}}, 1, STATUS_SUCCESS},
        {{{ENTRY_ALLOW, 0, GENERIC_ALL, &sid_everyone}}, 1, STATUS_SUCCESS},
        {{{ENTRY_ALLOW, 0, GENERIC_ALL, &sid_guests}}, 1, STATUS_ACCESS_DENIED},
        {{{ENTRY_ALLOW, 0, GENERIC_READ, &sid_users}}, 1, STATUS_ACCESS_DENIED},
        {{{ENTRY_ALLOW, 0, GENERIC_READ, &sid_users},
          {ENTRY_ALLOW, 0, GENERIC_WRITE, &sid_everyone}},
         2,
         STATUS_SUCCESS},
        {{{ENTRY_DENY, 0, GENERIC_WRITE, &sid_users}, {ENTRY_ALLOW, 0, READ_WRITE, &sid_users}},
         2,
         STATUS_ACCESS_DENIED},
        {{{ENTRY_ALLOW, 0, READ_WRITE, &sid_users}, {ENTRY_DENY, 0, READ_WRITE, &sid_users}},
         2,
         STATUS_SUCCESS},
        {{{ENTRY_DENY, 0, READ_WRITE, &sid_guests}, {ENTRY_ALLOW, 0, READ_WRITE, &sid_users}},
         2,
         STATUS_SUCCESS},
        {{{ENTRY_ALLOW, ENTRY_INHERIT_ONLY, READ_WRITE, &sid_users}}, 1, STATUS_ACCESS_DENIED},
        {{{ENTRY_AUDIT, 0, READ_WRITE, &sid_users}}, 1, STATUS_ACCESS_DENIED},
    };
    struct wsk_end end;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    struct test_owner user = {.process = make_process(&sid_users)};
    for (SIZE_T i = 0; i < RTL_NUMBER_OF(lists); i++) {
        struct test_descriptor descriptor;
        describe(&descriptor, NULL, lists[i].entries, lists[i].count);
        assert_int_equal(check(&end, &descriptor, &user), lists[i].status);
    }
    ObDereferenceObject(user.process);
    close_wsk(&end);
}

static void a_descriptor_without_a_list_lets_everybody_in(void **state)
{
    PROVES("WSK-SHR-05");
    struct wsk_end end;
    SECURITY_DESCRIPTOR no_list = {.Revision = SECURITY_DESCRIPTOR_REVISION};
    SECURITY_DESCRIPTOR null_list = {.Revision = SECURITY_DESCRIPTOR_REVISION,
                                     .Control = CONTROL_DACL_PRESENT};
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    struct test_owner anybody = {.process = make_process(NULL)};
    assert_int_equal(check(&end, &no_list, &anybody), STATUS_SUCCESS);
    assert_int_equal(check(&end, &null_list, &anybody), STATUS_SUCCESS);
    ObDereferenceObject(anybody.process);
    close_wsk(&end);
}

static void the_owning_process_is_whom_a_check_asks_about(void **state)
{
    PROVES("WSK-SHR-06", "WSK-SEC-03", "WSK-SOCK-17");
    static const struct test_entry system_only = {ENTRY_ALLOW, 0, READ_WRITE, &sid_system};
    static const struct test_entry users_only = {ENTRY_ALLOW, 0, READ_WRITE, &sid_users};
    struct wsk_end end;
    struct test_descriptor descriptor;
    struct test_owner none = {0};
    struct test_owner system = {.process = PsInitialSystemProcess};
    struct test_owner user = {.process = make_process(&sid_users)};
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    describe(&descriptor, NULL, &system_only, 1);
    assert_int_equal(check(&end, &descriptor, &none), STATUS_SUCCESS);
    assert_int_equal(check(&end, &descriptor, &system), STATUS_SUCCESS);
    assert_int_equal(check(&end, &descriptor, &user), STATUS_ACCESS_DENIED);
    describe(&descriptor, NULL, &users_only, 1);
    assert_int_equal(check(&end, &descriptor, &none), STATUS_ACCESS_DENIED);
    assert_int_equal(check(&end, &descriptor, &user), STATUS_SUCCESS);
    ObDereferenceObject(user.process);
    close_wsk(&end);
}

static void the_owning_thread_goes_before_the_process(void **state)
{
    PROVES("WSK-SHR-06", "WSK-SEC-03", "WSK-SOCK-18");
    static const struct test_entry users_only = {ENTRY_ALLOW, 0, READ_WRITE, &sid_users};
    struct wsk_end end;
    struct test_descriptor descriptor;
    PEPROCESS user = make_process(&sid_users);
    struct test_owner thread = {.process = PsInitialSystemProcess, .thread = PsGetCurrentThread()};
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    describe(&descriptor, NULL, &users_only, 1);
    assert_int_equal(check(&end, &descriptor, &thread), STATUS_ACCESS_DENIED);
    wskemu_impersonate(thread.thread, user);
    NTSTATUS impersonating = check(&end, &descriptor, &thread);
    wskemu_impersonate(thread.thread, NULL);
    assert_int_equal(impersonating, STATUS_SUCCESS);
    assert_int_equal(check(&end, &descriptor, &thread), STATUS_ACCESS_DENIED);
    ObDereferenceObject(user);
    close_wsk(&end);
}

static void without_a_descriptor_not_even_the_system_shares(void **state)
{
    PROVES("WSK-SHR-07", "WSK-SEC-02", "WSK-SOCK-19");
    struct wsk_end end;
    struct binder first = {AF_INET, WSK_FLAG_LISTEN_SOCKET, NONE, WILDCARD, {0}};
    struct binder second = {AF_INET, WSK_FLAG_LISTEN_SOCKET, NONE, SPECIFIC, {0}};
    second.owner.process = PsInitialSystemProcess;
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    assert_int_equal(bind_both(&end, &first, &second), STATUS_ACCESS_DENIED);
    close_wsk(&end);
}

static void the_option_decides_as_creation_does(void **state)
{
    PROVES("WSK-SEC-01", "WSK-OPT-26");
    struct wsk_end end;
    SOCKADDR_INET address = any_address(AF_INET, 0);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PSECURITY_DESCRIPTOR cached = cached_grant(&end, &sid_everyone, GENERIC_ALL);
    PWSK_SOCKET first = make_socket(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    PWSK_SOCKET second = make_socket(&end, AF_INET, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL);
    assert_int_equal(control_socket(&end, first, WskSetOption, SO_WSK_SECURITY, SOL_SOCKET, &cached,
                                    sizeof(cached), NULL, 0, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(release_descriptor(&end, cached), STATUS_SUCCESS);
    assert_int_equal(bind_socket(&end, first, &address), STATUS_SUCCESS);
    address = loopback_address(AF_INET, port_at(&end, first));
    assert_int_equal(bind_socket(&end, second, &address), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, first), STATUS_SUCCESS);
    assert_int_equal(close_socket(&end, second), STATUS_SUCCESS);
    close_wsk(&end);
}

/* WskSocketConnect from the specific address of a port that another socket has at the wildcard. */
static NTSTATUS connect_from_shared(struct wsk_end *end, const struct test_owner *owner)
{
    static const struct test_entry users_only = {ENTRY_ALLOW, 0, READ_WRITE, &sid_users};
    struct binder first = {AF_INET, WSK_FLAG_CONNECTION_SOCKET, NONE, WILDCARD, {0}};
    struct test_descriptor descriptor;
    SOCKADDR_INET remote;
    SOCKADDR_INET local = any_address(AF_INET, 0);
    describe(&descriptor, NULL, &users_only, 1);
    assert_int_equal(cache_descriptor(end, &descriptor, &first.owner.security), STATUS_SUCCESS);
    PWSK_SOCKET listener = listen_loopback(end, AF_INET, NULL, NULL, &remote);
    PWSK_SOCKET holder = make(end, &first);
    assert_int_equal(bind_socket(end, holder, &local), STATUS_SUCCESS);
    assert_int_equal(local_address(end, holder, &local), STATUS_SUCCESS);
    local = loopback_address(AF_INET, port_of(&local));
    NTSTATUS returned = end->provider.Dispatch->WskSocketConnect(
        end->provider.Client, SOCK_STREAM, IPPROTO_TCP, (PSOCKADDR)&local, (PSOCKADDR)&remote, 0,
        NULL, NULL, owner->process, owner->thread, owner->security, call_irp(&end->call));
    NTSTATUS status = call_wait(&end->call, returned);
    if (NT_SUCCESS(status)) {
        PWSK_SOCKET socket = (PWSK_SOCKET)call_information(&end->call);
        learn_socket(WSK_FLAG_CONNECTION_SOCKET, socket);
        close_socket(end, socket);
    }
    assert_int_equal(release_descriptor(end, first.owner.security), STATUS_SUCCESS);
    close_socket(end, holder);
    close_socket(end, listener);
    return status;
}

static void a_connection_made_in_one_call_belongs_to_its_owner(void **state)
{
    PROVES("WSK-SOCK-48");
    struct wsk_end end;
    struct test_owner none = {0};
    struct test_owner user = {.process = make_process(&sid_users)};
    struct test_owner thread = {.process = PsInitialSystemProcess, .thread = PsGetCurrentThread()};
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    assert_int_equal(connect_from_shared(&end, &none), STATUS_ACCESS_DENIED);
    assert_int_equal(connect_from_shared(&end, &user), STATUS_SUCCESS);
    assert_int_equal(connect_from_shared(&end, &thread), STATUS_ACCESS_DENIED);
    wskemu_impersonate(thread.thread, user.process);
    NTSTATUS impersonating = connect_from_shared(&end, &thread);
    wskemu_impersonate(thread.thread, NULL);
    assert_int_equal(impersonating, STATUS_SUCCESS);
    ObDereferenceObject(user.process);
    close_wsk(&end);
}

static const struct CMUnitTest tests[] = {
    kernel_test(the_matrix_holds_for_datagrams),
    kernel_test(the_matrix_holds_for_listening_sockets),
    kernel_test(the_matrix_holds_for_connection_sockets),
    kernel_test(the_matrix_holds_for_stream_sockets),
    kernel_test(the_matrix_holds_for_ipv6),
    kernel_test(by_default_an_address_is_not_bound_twice),
    kernel_test(two_specific_addresses_never_conflict),
    kernel_test(port_0_conflicts_with_nobody),
    kernel_test(an_address_is_free_once_its_socket_is_closed),
    kernel_test(tcp_and_udp_have_ports_of_their_own),
    kernel_test(a_socket_of_both_families_has_the_port_of_both),
    kernel_test(an_accepted_connection_holds_no_address),
    kernel_test(options_after_the_bind_change_nothing),
    kernel_test(the_first_that_refuses_says_why),
    kernel_test(entries_count_in_their_order),
    kernel_test(a_descriptor_without_a_list_lets_everybody_in),
    kernel_test(the_owning_process_is_whom_a_check_asks_about),
    kernel_test(the_owning_thread_goes_before_the_process),
    kernel_test(without_a_descriptor_not_even_the_system_shares),
    kernel_test(the_option_decides_as_creation_does),
    kernel_test(a_connection_made_in_one_call_belongs_to_its_owner),
};

TEST_MAIN(tests)
