/* How much the verifier does: off, standard, full. */
#include "kernel.h"
#include "log.h"
#include "test.h"

#include "ke/bugcheck.h"
#include "ke/warning.h"
#include "verifier/level.h"

static void boot_at(enum wskemu_verifier level)
{
    struct wskemu_options options = {.verifier = level};
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
}

static void a_boot_says_the_level(void **state)
{
    UNREFERENCED_PARAMETER(state);
    boot_at(WSKEMU_VERIFIER_OFF);
    assert_false(verifier_is_on());
    assert_int_equal(wskemu_shutdown(), 0);
    boot_at(WSKEMU_VERIFIER_STANDARD);
    assert_true(verifier_is_on());
    assert_false(verifier_is_full());
    assert_int_equal(wskemu_shutdown(), 0);
    boot_at(WSKEMU_VERIFIER_FULL);
    assert_true(verifier_is_full());
    assert_int_equal(wskemu_shutdown(), 0);
}

static void an_impossible_level_is_refused(void **state)
{
    struct wskemu_options options = {.verifier = (enum wskemu_verifier)4};
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_boot(&options), STATUS_INVALID_PARAMETER);
}

static void a_soft_rule_is_not_spoken_of_at_level_off(void **state)
{
    UNREFERENCED_PARAMETER(state);
    boot_at(WSKEMU_VERIFIER_OFF);
    log_capture();
    ke_warning("IRP-67", "something");
    bool is_named = log_named("something");
    assert_int_equal(wskemu_shutdown(), 0);
    assert_false(is_named);
}

static void a_breach_that_can_be_survived_is_survived_at_level_off(void **state)
{
    UNREFERENCED_PARAMETER(state);
    boot_at(WSKEMU_VERIFIER_OFF);
    ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 1, 2, 3, 4, "IRP-67", "something");
    assert_int_equal(wskemu_shutdown(), 0);
}

static void break_a_rule(void *context)
{
    UNREFERENCED_PARAMETER(context);
    ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 1, 2, 3, 4, "IRP-67", "something");
}

static void it_is_a_bug_check_at_level_standard(void **state)
{
    PROVES("IRP-67");
    UNREFERENCED_PARAMETER(state);
    boot_at(WSKEMU_VERIFIER_STANDARD);
    expect_bugcheck(break_a_rule, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 1, "IRP-67");
    assert_int_equal(wskemu_shutdown(), 0);
}

static void release_what_nobody_holds(void *context)
{
    KeReleaseSpinLock(context, PASSIVE_LEVEL);
}

static void what_protects_the_emulator_stops_at_level_off_too(void **state)
{
    KSPIN_LOCK lock;
    UNREFERENCED_PARAMETER(state);
    KeInitializeSpinLock(&lock);
    boot_at(WSKEMU_VERIFIER_OFF);
    expect_bugcheck(release_what_nobody_holds, &lock, DRIVER_VERIFIER_DETECTED_VIOLATION,
                    ANY_PARAMETER, "SPIN-05");
    assert_int_equal(wskemu_shutdown(), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_boot_says_the_level),
    cmocka_unit_test(an_impossible_level_is_refused),
    cmocka_unit_test(a_soft_rule_is_not_spoken_of_at_level_off),
    cmocka_unit_test(a_breach_that_can_be_survived_is_survived_at_level_off),
    cmocka_unit_test(it_is_a_bug_check_at_level_standard),
    cmocka_unit_test(what_protects_the_emulator_stops_at_level_off_too),
};

TEST_MAIN(tests)
