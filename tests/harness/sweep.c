/* The sweep: it finds what a careless driver does wrong, and nothing in a good one. */
#include "host.h"
#include "kernel.h"
#include "log.h"
#include "test.h"

#include <wskemu/cmocka.h>
#include <wskemu/fault.h>

#include <string.h>

WSKEMU_USE_DRIVER(careless);
WSKEMU_USE_DRIVER(hooked);

#define TIME_LIMIT_MS 3000

static void a_careless_driver_loads(void **state)
{
    UNREFERENCED_PARAMETER(state);
}

static void a_good_driver_loads(void **state)
{
    UNREFERENCED_PARAMETER(state);
}

static void sweep_careless(BOOLEAN is_each)
{
    struct wskemu_sweep sweep = {
        .test = "a_careless_driver_loads", .is_each = is_each, .time_limit_ms = TIME_LIMIT_MS};
    struct wskemu_sweep_result result;
    log_capture();
    NTSTATUS status = wskemu_fault_sweep_with(&sweep, &result);
    const char *text = log_captured();
    assert_status(status, STATUS_UNSUCCESSFUL);
    /* Under Wine two call stacks sometimes look the same; why is not known. */
    unsigned missed = host_is_wine() && !is_each && result.trials == 3 ? 1 : 0;
    assert_int_equal(result.trials, 4 - missed);
    assert_in_range(result.found, 3 - missed, 3);
    assert_non_null(strstr(text, "a_careless_driver_loads leaves 1 things"));
    assert_non_null(strstr(text, "a_careless_driver_loads bug check"));
    assert_non_null(strstr(text, "IoAllocateIrp, called by DriverEntry"));
    assert_non_null(strstr(text, is_each ? "repeat it: WSKEMU_FAULT=nth:2 "
                                         : "repeat it: WSKEMU_FAULT=stack:"));
}

static void each_call_of_a_careless_driver_is_tried(void **state)
{
    UNREFERENCED_PARAMETER(state);
    sweep_careless(TRUE);
}

static void each_call_stack_of_a_careless_driver_is_tried(void **state)
{
    UNREFERENCED_PARAMETER(state);
    sweep_careless(FALSE);
}

/* What one test hides the next may show: a sweep does not depend on those before it. */
static void a_second_sweep_tries_the_same_unless_it_is_to_spare_what_was_failed(void **state)
{
    struct wskemu_sweep sweep = {
        .test = "a_careless_driver_loads", .time_limit_ms = TIME_LIMIT_MS, .trials_max = 1};
    struct wskemu_sweep_result first, second, spared;
    UNREFERENCED_PARAMETER(state);
    log_capture();
    NTSTATUS status = wskemu_fault_sweep_with(&sweep, &first);
    assert_int_equal(first.trials, 1);
    assert_status(wskemu_fault_sweep_with(&sweep, &second), status);
    assert_int_equal(second.trials, 1);
    assert_int_equal(second.spared, 0);
    sweep.spares_done = TRUE;
    wskemu_fault_sweep_with(&sweep, &spared);
    assert_int_not_equal(spared.spared, 0);
    assert_true(log_named("call stacks left to earlier sweeps"));
}

static void nothing_is_found_in_a_good_driver(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_fault_sweep("a_good_driver_loads"), 0);
}

static void a_program_that_is_not_there_is_said(void **state)
{
    const struct wskemu_sweep sweep = {.program = "no/such/program", .test = "any"};
    struct wskemu_sweep_result result;
    UNREFERENCED_PARAMETER(state);
    log_capture();
    assert_status(wskemu_fault_sweep_with(&sweep, &result), STATUS_UNSUCCESSFUL);
    assert_true(log_named("could not be started"));
}

static const struct CMUnitTest tests[] = {
    wskemu_driver_test(a_careless_driver_loads, careless),
    wskemu_driver_test(a_good_driver_loads, hooked),
    cmocka_unit_test(each_call_of_a_careless_driver_is_tried),
    cmocka_unit_test(each_call_stack_of_a_careless_driver_is_tried),
    cmocka_unit_test(a_second_sweep_tries_the_same_unless_it_is_to_spare_what_was_failed),
    cmocka_unit_test(nothing_is_found_in_a_good_driver),
    cmocka_unit_test(a_program_that_is_not_there_is_said),
};

TEST_MAIN(tests)
