/* The options of a run. What the environment may not say is tested in tests/end. */
#include "kernel.h"
#include "log.h"
#include "test.h"
#include "wsk_datagram.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void what_a_boot_asks_for_is_printed(void **state)
{
    struct wskemu_options options = {.processors = 3,
                                     .completion = WSKEMU_COMPLETION_DEFERRED,
                                     .loops = 2,
                                     .verifier = WSKEMU_VERIFIER_FULL};
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
    log_capture();
    wskemu_print_options();
    const char *line = log_captured();
    assert_non_null(strstr(line, "WSKEMU_PROCESSORS=3 (asked for at boot)"));
    assert_non_null(strstr(line, "WSKEMU_COMPLETION=deferred (asked for at boot)"));
    assert_non_null(strstr(line, "WSKEMU_LOOPS=2 (asked for at boot)"));
    assert_non_null(strstr(line, "WSKEMU_VERIFIER=full (asked for at boot)"));
    assert_int_equal(wskemu_shutdown(), 0);
}

static void what_nobody_asked_for_is_the_policy(void **state)
{
    char text[64];
    struct wskemu_policy policy = wskemu_policy();
    UNREFERENCED_PARAMETER(state);
    assert_in_range(policy.processors, 1, 64);
    assert_in_range(policy.loops, 1, 8);
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    log_capture();
    wskemu_print_options();
    snprintf(text, sizeof(text), "WSKEMU_PROCESSORS=%u", (unsigned)policy.processors);
    assert_true(log_named(text));
    assert_int_equal(wskemu_shutdown(), 0);
}

/* How many of so many datagrams are sent when WskSendTo returns: what comes later does not come at
 * DISPATCH_LEVEL of the only processor. */
static unsigned sent_at_once(struct wsk_end *end, PWSK_SOCKET socket, SOCKADDR_INET *to,
                             unsigned count)
{
    unsigned at_once = 0;
    for (unsigned i = 0; i < count; i++) {
        WSK_BUF buffer = call_buffer(&end->call, "x", 1);
        PIRP irp = call_irp(&end->call);
        KIRQL old = KeRaiseIrqlToDpcLevel();
        NTSTATUS status =
            datagram_table(socket)->WskSendTo(socket, &buffer, 0, (PSOCKADDR)to, 0, NULL, irp);
        at_once += call_is_done(&end->call) ? 1 : 0;
        KeLowerIrql(old);
        assert_int_equal(call_wait(&end->call, status), STATUS_SUCCESS);
    }
    return at_once;
}

static void at_full_results_come_at_once_and_later(void **state)
{
    enum { DATAGRAMS = 32 };
    struct wskemu_options options = {.verifier = WSKEMU_VERIFIER_FULL, .processors = 1};
    struct wsk_end end = {0};
    SOCKADDR_INET bound;
    UNREFERENCED_PARAMETER(state);
    bool is_chosen = getenv("WSKEMU_COMPLETION") != NULL || getenv("WSKEMU_SEED") != NULL;
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
    assert_int_equal(open_wsk(&end), STATUS_SUCCESS);
    PWSK_SOCKET socket = open_datagram(&end, AF_INET, NULL, NULL, &bound);
    unsigned at_once = sent_at_once(&end, socket, &bound, DATAGRAMS);
    assert_true(is_chosen || (at_once > 0 && at_once < DATAGRAMS));
    close_socket(&end, socket);
    close_wsk(&end);
    log_capture();
    wskemu_print_options();
    assert_int_equal(log_named("WSKEMU_COMPLETION=random (of the verifier's level)"), !is_chosen);
    assert_int_equal(wskemu_shutdown(), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_a_boot_asks_for_is_printed),
    cmocka_unit_test(what_nobody_asked_for_is_the_policy),
    cmocka_unit_test(at_full_results_come_at_once_and_later),
};

TEST_MAIN(tests)
