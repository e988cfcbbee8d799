/* Rules that are silenced, each with a reason. */
#include "kernel.h"
#include "log.h"
#include "test.h"

#include "ke/bugcheck.h"
#include "ke/warning.h"

#include <string.h>

/* At level standard, whatever the environment says: at level off nothing speaks. */
static void boot(void)
{
    struct wskemu_options options = {.verifier = WSKEMU_VERIFIER_STANDARD};
    assert_int_equal(wskemu_boot(&options), STATUS_SUCCESS);
}

static void a_rule_is_silenced_by_its_id_with_a_reason(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_true(wskemu_silence_rule("IRP-67", "known since 1.0"));
    assert_false(wskemu_silence_rule("IRP-9999", "no such rule"));
    assert_false(wskemu_silence_rule("IRP-68", ""));
}

static void a_silenced_warning_is_not_printed(void **state)
{
    UNREFERENCED_PARAMETER(state);
    unsigned spoken = wskemu_rule_spoken("IRP-67");
    boot();
    wskemu_silence_rule("IRP-67", "known since 1.0");
    log_capture();
    ke_warning("IRP-67", "something");
    ke_warning("IRP-34", "something else");
    const char *text = log_captured();
    assert_int_equal(wskemu_shutdown(), 0);
    assert_null(strstr(text, "warning IRP-67"));
    assert_non_null(strstr(text, "warning IRP-34"));
    assert_int_equal(wskemu_rule_spoken("IRP-67"), spoken);
}

static void the_shutdown_says_what_was_silenced_and_how_often(void **state)
{
    UNREFERENCED_PARAMETER(state);
    boot();
    wskemu_silence_rule("IRP-67", "known since 1.0");
    log_capture();
    ke_warning("IRP-67", "something");
    ke_warning("IRP-67", "something");
    unsigned left = wskemu_shutdown();
    const char *text = log_captured();
    assert_int_equal(left, 0);
    assert_non_null(
        strstr(text, "silenced: rule IRP-67 would have spoken 2 times (known since 1.0)"));
}

static void a_silence_ends_with_its_kernel(void **state)
{
    UNREFERENCED_PARAMETER(state);
    boot();
    wskemu_silence_rule("IRP-67", "known since 1.0");
    assert_int_equal(wskemu_shutdown(), 0);
    boot();
    log_capture();
    ke_warning("IRP-67", "something");
    bool is_printed = log_named("warning IRP-67");
    assert_int_equal(wskemu_shutdown(), 0);
    assert_true(is_printed);
}

static void a_silenced_hard_rule_lets_the_kernel_go_on_where_it_can(void **state)
{
    KIRQL irql;
    UNREFERENCED_PARAMETER(state);
    wskemu_silence_rule("IRQL-13", "an old driver");
    KeRaiseIrql(HIGH_LEVEL, &irql);
    PIRP irp = IoAllocateIrp(1, FALSE); /* at most at DISPATCH_LEVEL */
    KeLowerIrql(irql);
    assert_non_null(irp);
    IoFreeIrp(irp);
}

static void break_what_protects_the_kernel(void *context)
{
    UNREFERENCED_PARAMETER(context);
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0, 0, 0, 0, "IRP-93", "something");
}

static void one_that_cannot_go_on_stops_and_says_so(void **state)
{
    UNREFERENCED_PARAMETER(state);
    boot();
    wskemu_silence_rule("IRP-93", "an old driver");
    log_capture();
    BOOLEAN is_caught = wskemu_contain_bugcheck(break_what_protects_the_kernel, NULL, NULL);
    const char *text = log_captured();
    assert_true(is_caught);
    assert_non_null(strstr(text, "The rule is silenced (an old driver), but the kernel cannot"));
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_rule_is_silenced_by_its_id_with_a_reason),
    cmocka_unit_test(a_silenced_warning_is_not_printed),
    cmocka_unit_test(the_shutdown_says_what_was_silenced_and_how_often),
    cmocka_unit_test(a_silence_ends_with_its_kernel),
    kernel_test(a_silenced_hard_rule_lets_the_kernel_go_on_where_it_can),
    cmocka_unit_test(one_that_cannot_go_on_stops_and_says_so),
};

TEST_MAIN(tests)
