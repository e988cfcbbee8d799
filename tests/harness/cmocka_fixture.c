/* The fixtures of wskemu/cmocka.h where a test passes; tests/end/failing_tests.c shows the rest. */
#include "test.h"

#include <ntddk.h>
#include <wskemu/cmocka.h>
#include <wskemu/registry.h>

#define SERVICE L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\configured"

WSKEMU_USE_DRIVER(configured);
WSKEMU_USE_DRIVER(counting);

static void a_kernel_runs_while_the_test_does(void **state)
{
    assert_null(*state);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
    assert_int_equal(wskemu_boot(NULL), STATUS_DEVICE_ALREADY_ATTACHED);
}

static void crash(void *context)
{
    UNREFERENCED_PARAMETER(context);
    KeBugCheck(MANUALLY_INITIATED_CRASH);
}

static void boot_and_crash(void *context)
{
    UNREFERENCED_PARAMETER(context);
    assert_true(wskemu_catch_bugcheck(crash, NULL, NULL));
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    crash(NULL);
}

static void a_test_catches_bug_checks_of_its_own(void **state)
{
    UNREFERENCED_PARAMETER(state);
    for (int i = 0; i < 3; i++) {
        assert_true(wskemu_catch_bugcheck(crash, NULL, NULL));
        assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
        assert_true(wskemu_catch_bugcheck(boot_and_crash, NULL, NULL));
        assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    }
}

static void a_test_may_end_without_a_kernel(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_true(wskemu_catch_bugcheck(crash, NULL, NULL));
}

static void a_test_may_shut_down_and_boot(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_int_equal(wskemu_shutdown(), 0);
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    assert_int_equal(wskemu_shutdown(), 0);
}

static void the_driver_is_loaded_and_handed_over(void **state)
{
    PDRIVER_OBJECT driver = *state;
    assert_non_null(driver);
    assert_non_null(driver->DriverUnload);
}

static void a_test_may_unload_the_driver_itself(void **state)
{
    assert_int_equal(wskemu_unload_driver(*state), STATUS_SUCCESS);
}

static void set_value(void)
{
    ULONG value = 7;
    assert_int_equal(wskemu_registry_set(SERVICE, L"Value", REG_DWORD, &value, sizeof(value)),
                     STATUS_SUCCESS);
}

static void what_is_prepared_is_there_for_driver_entry(void **state)
{
    assert_non_null(*state);
}

static const struct CMUnitTest tests[] = {
    wskemu_test(a_kernel_runs_while_the_test_does),
    wskemu_test(a_test_catches_bug_checks_of_its_own),
    wskemu_test(a_test_may_end_without_a_kernel),
    wskemu_test(a_test_may_shut_down_and_boot),
    wskemu_driver_test(the_driver_is_loaded_and_handed_over, counting),
    wskemu_driver_test(a_test_may_unload_the_driver_itself, counting),
    wskemu_driver_test_setup(what_is_prepared_is_there_for_driver_entry, configured, set_value),
};

TEST_MAIN(tests)
