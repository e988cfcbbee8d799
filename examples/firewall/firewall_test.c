/* Clients from several addresses of the loopback network knock at the firewall. */
#include <wskemu/cmocka.h>
#include <wskemu/peer.h>
#include <wskemu/registry.h>

#define PARAMETERS L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\firewall\\Parameters"
#define WELCOME "You are welcome.\r\n"
#define VISITS 20

#define ALLOWED 1 /* last part of the address, 127.0.0.x */
#define BLOCKED 2
#define STRANGER 3
#define ALLOWED_TOO 4

WSKEMU_USE_DRIVER(firewall);

static USHORT port;

static void set_value(const WCHAR *key, const WCHAR *name, ULONG value)
{
    assert_int_equal(wskemu_registry_set(key, name, REG_DWORD, &value, sizeof(value)),
                     STATUS_SUCCESS);
}

static void set_rules(void)
{
    port = wskemu_free_port(AF_INET, SOCK_STREAM);
    set_value(PARAMETERS, L"Port", port);
    set_value(PARAMETERS L"\\Rules", L"127.0.0.1", 1);
    set_value(PARAMETERS L"\\Rules", L"127.0.0.2", 0);
    set_value(PARAMETERS L"\\Rules", L"127.0.0.4", 1);
}

/* NULL: turned away already. On Windows who is turned away is never connected; on other hosts he
 * is, and cut off. */
static struct wskemu_peer *knock_from(UCHAR last)
{
    struct wskemu_peer *peer;
    SOCKADDR_IN local = {.sin_family = AF_INET, .sin_addr.S_un.S_un_b = {127, 0, 0, last}};
    NTSTATUS status =
        wskemu_peer_connect_from((PSOCKADDR)&local, WSKEMU_LOOPBACK(AF_INET, port), &peer);
    assert_true(status == STATUS_SUCCESS || status == STATUS_CONNECTION_RESET);
    return peer;
}

static void expect_welcome(struct wskemu_peer *peer)
{
    assert_non_null(peer);
    assert_int_equal(wskemu_peer_expect_bytes(peer, WELCOME, sizeof(WELCOME) - 1), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_end(peer), STATUS_SUCCESS);
    wskemu_peer_close(peer);
}

static void expect_no_entry(struct wskemu_peer *peer)
{
    UCHAR byte;
    SIZE_T received;
    if (peer != NULL) {
        NTSTATUS status = wskemu_peer_receive(peer, &byte, 1, &received);
        assert_true(status == STATUS_CONNECTION_RESET || status == STATUS_END_OF_FILE); /* Wine */
        wskemu_peer_close(peer);
    }
}

static void whom_a_rule_allows_is_let_in(void **state)
{
    (void)state;
    expect_welcome(knock_from(ALLOWED));
    expect_welcome(knock_from(ALLOWED_TOO));
}

static void whom_a_rule_blocks_is_not(void **state)
{
    (void)state;
    expect_no_entry(knock_from(BLOCKED));
}

static void whom_no_rule_knows_is_not(void **state)
{
    (void)state;
    expect_no_entry(knock_from(STRANGER));
}

/* The first visit is pended, the others are answered at once: with the same result. */
static void the_answer_stays_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < VISITS; i++) {
        expect_welcome(knock_from(ALLOWED));
        expect_no_entry(knock_from(BLOCKED));
    }
}

static void many_knock_at_once(void **state)
{
    struct wskemu_peer *allowed[VISITS];
    struct wskemu_peer *blocked[VISITS];
    (void)state;
    for (int i = 0; i < VISITS; i++) {
        blocked[i] = knock_from(i % 2 == 0 ? BLOCKED : STRANGER);
        allowed[i] = knock_from(i % 2 == 0 ? ALLOWED : ALLOWED_TOO);
    }
    for (int i = 0; i < VISITS; i++) {
        expect_welcome(allowed[i]);
        expect_no_entry(blocked[i]);
    }
}

/* Whether its request was aborted, let through or rejected before it went: nothing is left of it.
 */
static void who_goes_while_he_is_inspected_does_no_harm(void **state)
{
    (void)state;
    for (UCHAR last = 1; last < VISITS; last++) {
        wskemu_peer_reset(knock_from(last));
    }
    expect_welcome(knock_from(ALLOWED));
}

static void a_client_that_lingers_holds_up_nobody(void **state)
{
    (void)state;
    struct wskemu_peer *lingering = knock_from(ALLOWED);
    assert_int_equal(wskemu_peer_send_all(lingering, "hello", 5), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_bytes(lingering, WELCOME, sizeof(WELCOME) - 1),
                     STATUS_SUCCESS);
    expect_welcome(knock_from(ALLOWED));
    assert_int_equal(wskemu_peer_send_all(lingering, "hello", 5), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_end(lingering), STATUS_SUCCESS);
    wskemu_peer_close(lingering);
}

/* A client that does not end its direction is closed with the driver. */
static void the_driver_unloads_while_a_client_lingers(void **state)
{
    struct wskemu_peer *peer = knock_from(ALLOWED);
    assert_int_equal(wskemu_peer_expect_bytes(peer, WELCOME, sizeof(WELCOME) - 1), STATUS_SUCCESS);
    assert_int_equal(wskemu_unload_driver(*state), STATUS_SUCCESS);
    wskemu_peer_close(peer);
}

static void the_driver_unloads_while_many_knock(void **state)
{
    struct wskemu_peer *peers[VISITS];
    for (UCHAR i = 0; i < VISITS; i++) {
        peers[i] = knock_from(i + 1);
    }
    assert_int_equal(wskemu_unload_driver(*state), STATUS_SUCCESS);
    for (UCHAR i = 0; i < VISITS; i++) {
        wskemu_peer_close(peers[i]);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        wskemu_driver_test_setup(whom_a_rule_allows_is_let_in, firewall, set_rules),
        wskemu_driver_test_setup(whom_a_rule_blocks_is_not, firewall, set_rules),
        wskemu_driver_test_setup(whom_no_rule_knows_is_not, firewall, set_rules),
        wskemu_driver_test_setup(the_answer_stays_the_same, firewall, set_rules),
        wskemu_driver_test_setup(many_knock_at_once, firewall, set_rules),
        wskemu_driver_test_setup(who_goes_while_he_is_inspected_does_no_harm, firewall, set_rules),
        wskemu_driver_test_setup(a_client_that_lingers_holds_up_nobody, firewall, set_rules),
        wskemu_driver_test_setup(the_driver_unloads_while_a_client_lingers, firewall, set_rules),
        wskemu_driver_test_setup(the_driver_unloads_while_many_knock, firewall, set_rules),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
