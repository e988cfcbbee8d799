/* The options of a run. What the environment may not say is tested in tests/end. */
#include "kernel.h"
#include "log.h"
#include "test.h"

#include <stdio.h>
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

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_a_boot_asks_for_is_printed),
    cmocka_unit_test(what_nobody_asked_for_is_the_policy),
};

TEST_MAIN(tests)
