/* Tests of session_listener: users come and go, and the service with them. */
#include <wskemu/cmocka.h>
#include <wskemu/peer.h>
#include <wskemu/session.h>

#include <ntddk.h>

#include <string.h>

#include "../support/service.h"

WSKEMU_USE_DRIVER(session_listener);

const struct service service = {
    .image = &wskemu_image_session_listener,
    .parameters =
        L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\session_listener\\Parameters",
    .socket_type = SOCK_STREAM,
};

struct attempt {
    NTSTATUS expected;
    struct wskemu_peer *peer;
};

static BOOLEAN ends_as_expected(void *context)
{
    struct attempt *attempt = context;
    wskemu_peer_close(attempt->peer);
    attempt->peer = NULL;
    return wskemu_peer_connect(SERVICE_ADDRESS, &attempt->peer) == attempt->expected;
}

/* The driver opens and closes its listener in a thread of its own: looks until it has. */
static struct wskemu_peer *connect_until(NTSTATUS expected)
{
    struct attempt attempt = {.expected = expected};
    assert_wait_until(ends_as_expected, &attempt, 10000);
    return attempt.peer;
}

/* The greeting, and then the driver's end, while the client's stays open. */
static void expect_greeting(struct wskemu_peer *peer, const char *greeting)
{
    assert_int_equal(wskemu_peer_expect_bytes(peer, greeting, strlen(greeting)), STATUS_SUCCESS);
    assert_int_equal(wskemu_peer_expect_end(peer), STATUS_SUCCESS);
}

static void expect_service(const char *greeting)
{
    struct wskemu_peer *peer = connect_until(STATUS_SUCCESS);
    expect_greeting(peer, greeting);
    wskemu_peer_close(peer);
}

static void expect_no_service(void)
{
    connect_until(STATUS_CONNECTION_REFUSED);
}

static void log_on(ULONG id)
{
    assert_int_equal(wskemu_session_create(id), STATUS_SUCCESS);
    assert_int_equal(wskemu_session_connect(id, TRUE), STATUS_SUCCESS);
    assert_int_equal(wskemu_session_logon(id), STATUS_SUCCESS);
}

static void there_is_no_service_without_a_user(void **state)
{
    (void)state;
    expect_no_service();
    assert_int_equal(wskemu_session_create(1), STATUS_SUCCESS);
    assert_int_equal(wskemu_session_connect(1, TRUE), STATUS_SUCCESS);
    expect_no_service(); /* a login screen is no user */
}

static void a_user_brings_the_service_and_takes_it_away(void **state)
{
    (void)state;
    log_on(1);
    expect_service("users: 1\n");
    assert_int_equal(wskemu_session_logoff(1), STATUS_SUCCESS);
    expect_no_service();
    assert_int_equal(wskemu_session_terminate(1), STATUS_SUCCESS);
    log_on(2);
    expect_service("users: 1\n");
}

static void a_user_who_is_away_does_not_count(void **state)
{
    static const struct wskemu_session_options options = {.can_reconnect = TRUE};
    (void)state;
    wskemu_session_configure(&options);
    log_on(1);
    expect_service("users: 1\n");
    assert_int_equal(wskemu_session_disconnect(1), STATUS_SUCCESS);
    expect_no_service();
    assert_int_equal(wskemu_session_connect(1, FALSE), STATUS_SUCCESS);
    expect_service("users: 1\n");
}

static void the_last_user_turns_off_the_light(void **state)
{
    (void)state;
    log_on(1);
    log_on(2);
    log_on(3);
    expect_service("users: 3\n");
    assert_int_equal(wskemu_session_terminate(2), STATUS_SUCCESS);
    assert_int_equal(wskemu_session_terminate(1), STATUS_SUCCESS);
    expect_service("users: 1\n");
    assert_int_equal(wskemu_session_disconnect(3), STATUS_SUCCESS);
    expect_no_service();
}

static void many_users_are_counted(void **state)
{
    (void)state;
    for (ULONG id = 1; id <= 70; id++) {
        log_on(id);
    }
    expect_service("users: 64\n");
    for (ULONG id = 1; id <= 50; id++) {
        assert_int_equal(wskemu_session_terminate(id), STATUS_SUCCESS);
    }
    expect_service("users: 14\n");
}

static void whatever_the_documentation_leaves_open(void **state)
{
    static const struct wskemu_session_options options = {.calls_at_apc_level = TRUE,
                                                          .spares_payload = TRUE};
    (void)state;
    wskemu_session_configure(&options);
    log_on(1);
    expect_service("users: 1\n");
    assert_int_equal(wskemu_session_terminate(1), STATUS_SUCCESS);
    expect_no_service();
}

static BOOLEAN is_greeted(void *context)
{
    struct wskemu_peer *peer = connect_until(STATUS_SUCCESS);
    NTSTATUS status = wskemu_peer_expect_bytes(peer, context, strlen(context));
    wskemu_peer_close(peer);
    return status == STATUS_SUCCESS;
}

/* The keeper may lag behind: a listener of an earlier user may still be closed under a client. */
static void users_come_and_go_quickly(void **state)
{
    (void)state;
    for (ULONG id = 1; id <= 100; id++) {
        log_on(id);
        assert_int_equal(wskemu_session_terminate(id), STATUS_SUCCESS);
    }
    expect_no_service();
    log_on(101);
    assert_wait_until(is_greeted, "users: 1\n", 10000);
    expect_service("users: 1\n");
}

static void unload_ends_the_service(void **state)
{
    log_on(1);
    expect_service("users: 1\n");
    assert_int_equal(wskemu_unload_driver(*state), STATUS_SUCCESS);
    expect_no_service();
    assert_int_equal(wskemu_session_logoff(1), STATUS_SUCCESS); /* calls nobody */
}

/* A client that talks on after the end is listened to, and its end is awaited. */
static void what_a_client_says_does_not_harm(void **state)
{
    static const char chatter[4096];
    (void)state;
    log_on(1);
    struct wskemu_peer *peer = connect_until(STATUS_SUCCESS);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(wskemu_peer_send_all(peer, chatter, sizeof(chatter)), STATUS_SUCCESS);
    }
    expect_greeting(peer, "users: 1\n");
    assert_int_equal(wskemu_peer_send_all(peer, chatter, sizeof(chatter)), STATUS_SUCCESS);
    wskemu_peer_close(peer);
    expect_service("users: 1\n");
}

/* The unload does not wait for clients that never end. */
static void unload_waits_for_no_client(void **state)
{
    struct wskemu_peer *peers[10];
    log_on(1);
    for (size_t i = 0; i < RTL_NUMBER_OF(peers); i++) {
        peers[i] = connect_until(STATUS_SUCCESS);
        expect_greeting(peers[i], "users: 1\n");
    }
    assert_int_equal(wskemu_unload_driver(*state), STATUS_SUCCESS);
    for (size_t i = 0; i < RTL_NUMBER_OF(peers); i++) {
        wskemu_peer_close(peers[i]);
    }
}

static void unload_amid_logons_leaves_nothing(void **state)
{
    for (ULONG id = 1; id <= 10; id++) {
        log_on(id);
    }
    assert_int_equal(wskemu_unload_driver(*state), STATUS_SUCCESS);
}

static void a_load_that_cannot_watch_sessions_fails_and_leaves_nothing(void **state)
{
    static const struct wskemu_session_options options = {.lacks_memory = TRUE};
    PDRIVER_OBJECT driver;
    (void)state;
    choose_port();
    wskemu_session_configure(&options);
    assert_int_equal(wskemu_load_driver(&wskemu_image_session_listener, &driver),
                     STATUS_INSUFFICIENT_RESOURCES);
}

static void a_taken_port_is_tried_again_at_the_next_change(void **state)
{
    PDRIVER_OBJECT driver;
    (void)state;
    struct wskemu_peer *owner = choose_taken_port();
    assert_int_equal(wskemu_load_driver(&wskemu_image_session_listener, &driver), STATUS_SUCCESS);
    log_on(1);
    wskemu_peer_close(owner);
    log_on(2);
    expect_service("users: 2\n");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        wskemu_driver_test_setup(there_is_no_service_without_a_user, session_listener, choose_port),
        wskemu_driver_test_setup(a_user_brings_the_service_and_takes_it_away, session_listener,
                                 choose_port),
        wskemu_driver_test_setup(a_user_who_is_away_does_not_count, session_listener, choose_port),
        wskemu_driver_test_setup(the_last_user_turns_off_the_light, session_listener, choose_port),
        wskemu_driver_test_setup(many_users_are_counted, session_listener, choose_port),
        wskemu_driver_test_setup(whatever_the_documentation_leaves_open, session_listener,
                                 choose_port),
        wskemu_driver_test_setup(users_come_and_go_quickly, session_listener, choose_port),
        wskemu_driver_test_setup(unload_ends_the_service, session_listener, choose_port),
        wskemu_driver_test_setup(what_a_client_says_does_not_harm, session_listener, choose_port),
        wskemu_driver_test_setup(unload_waits_for_no_client, session_listener, choose_port),
        wskemu_driver_test_setup(unload_amid_logons_leaves_nothing, session_listener, choose_port),
        wskemu_test(a_load_that_cannot_watch_sessions_fails_and_leaves_nothing),
        wskemu_test(a_taken_port_is_tried_again_at_the_next_change),
    };
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
