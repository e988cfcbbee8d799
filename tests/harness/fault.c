/* Faults: which calls of a driver fail, and how. */
#include "hooked/hooked.h"
#include "kernel.h"
#include "log.h"
#include "test.h"
#include "wsk_end.h"

#include <wskemu/cmocka.h>
#include <wskemu/fault.h>
#include <wskemu/hook.h>

WSKEMU_USE_DRIVER(hooked);

static void every_function_that_can_fail_can_be_hooked(void **state)
{
    static const char *const names[] = {
#define X(function, kind, manner) #function,
#include "harness/fault_table.h"
#undef X
    };
    UNREFERENCED_PARAMETER(state);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_status(wskemu_hook_watch(names[i]), STATUS_SUCCESS);
    }
}

static void the_nth_call_of_the_driver_fails(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_status(wskemu_fault("nth:2"), STATUS_SUCCESS);
    assert_true(hooked_allocates());
    PVOID block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 16, 'tset'); /* not the driver's */
    assert_non_null(block);
    ExFreePoolWithTag(block, 'tset');
    assert_false(hooked_allocates());
    assert_true(hooked_allocates());
    assert_int_equal(wskemu_fault_calls(), 3);
    assert_int_equal(wskemu_faults(), 1);
}

static void a_call_that_asks_for_an_exception_gets_one(void **state)
{
    PVOID block = NULL;
    UNREFERENCED_PARAMETER(state);
    wskemu_fault("nth:1");
    assert_status(HookedAllocateRaising(&block), STATUS_INSUFFICIENT_RESOURCES);
    assert_status(HookedAllocateRaising(&block), STATUS_SUCCESS);
    HookedFree(block);
}

static void each_call_stack_fails_once(void **state)
{
    PVOID block;
    UNREFERENCED_PARAMETER(state);
    wskemu_fault("stacks");
    assert_false(hooked_allocates());
    assert_true(hooked_allocates());
    assert_status(HookedAllocateRaising(&block), STATUS_INSUFFICIENT_RESOURCES);
    assert_status(HookedAllocateRaising(&block), STATUS_SUCCESS);
    HookedFree(block);
    assert_int_equal(wskemu_faults(), 2);
}

static void a_rate_fails_about_so_many(void **state)
{
    UNREFERENCED_PARAMETER(state);
    log_capture();
    wskemu_fault("random:0.25");
    for (int i = 0; i < 2000; i++) {
        hooked_allocates();
    }
    log_captured();
    assert_in_range(wskemu_faults(), 350, 650);
    wskemu_fault("random:0");
    assert_true(hooked_allocates());
}

static void only_the_kinds_that_are_wanted_fail(void **state)
{
    UNREFERENCED_PARAMETER(state);
    assert_status(wskemu_fault_kinds("irp,mdl"), STATUS_SUCCESS);
    wskemu_fault("nth:1");
    assert_true(hooked_allocates());
    assert_int_equal(wskemu_fault_calls(), 0);
    assert_status(wskemu_fault_kinds("pool"), STATUS_SUCCESS);
    assert_false(hooked_allocates());
}

static void what_is_no_fault_is_refused(void **state)
{
    static const char *const wrong[] = {"",        "nth",      "nth:0",    "nth:-1", "nth:1x",
                                        "stack:0", "random:2", "random:x", "stacksx"};
    UNREFERENCED_PARAMETER(state);
    log_capture();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_status(wskemu_fault(wrong[i]), STATUS_INVALID_PARAMETER);
    }
    assert_status(wskemu_fault_kinds("pool,irps"), STATUS_INVALID_PARAMETER);
    assert_true(log_named("none of nth:N, stack:HASH, stacks, random:RATE"));
}

static void faults_of_a_test_end_with_it(void **state)
{
    UNREFERENCED_PARAMETER(state);
    wskemu_fault("random:1");
    wskemu_shutdown();
    assert_status(wskemu_boot(NULL), STATUS_SUCCESS);
    assert_true(hooked_allocates());
}

static PMDL locked_mdl(void)
{
    static UCHAR buffer[16];
    PMDL mdl = IoAllocateMdl(buffer, sizeof(buffer), FALSE, FALSE, NULL);
    __try {
        MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        fail();
    }
    return mdl;
}

static void the_use_of_a_mapping_that_failed_is_explained(void **state)
{
    PROVES("MDL-38");
    UNREFERENCED_PARAMETER(state);
    PMDL mdl = locked_mdl();
    wskemu_fault("nth:1");
    assert_bugcheck("MDL-38", HookedMark(mdl, FALSE));
}

static void a_driver_that_looks_at_its_mapping_is_left_alone(void **state)
{
    STAYS_SILENT("MDL-38");
    UNREFERENCED_PARAMETER(state);
    PMDL mdl = locked_mdl();
    wskemu_fault("nth:1");
    HookedMark(mdl, TRUE);
    HookedMark(mdl, TRUE);
    assert_int_equal(wskemu_faults(), 1);
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
}

/* Without a driver the test's own calls of WSK count. */
static void a_call_of_wsk_fails_as_the_completion_policy_says(void **state)
{
    struct wsk_end end;
    SOCKADDR_INET bound;
    UNREFERENCED_PARAMETER(state);
    assert_status(open_wsk(&end), STATUS_SUCCESS);
    wskemu_fault_kinds("bind");
    wskemu_fault("nth:1");
    assert_null(listen_loopback(&end, AF_INET, NULL, NULL, &bound));
    assert_int_equal(wskemu_faults(), 1);
    PWSK_SOCKET listener = listen_loopback(&end, AF_INET, NULL, NULL, &bound);
    assert_non_null(listener);
    close_socket(&end, listener);
    close_wsk(&end);
}

static const struct CMUnitTest tests[] = {
    wskemu_test(every_function_that_can_fail_can_be_hooked),
    wskemu_test(a_call_of_wsk_fails_as_the_completion_policy_says),
    wskemu_driver_test(the_nth_call_of_the_driver_fails, hooked),
    wskemu_driver_test(a_call_that_asks_for_an_exception_gets_one, hooked),
    wskemu_driver_test(each_call_stack_fails_once, hooked),
    wskemu_driver_test(a_rate_fails_about_so_many, hooked),
    wskemu_driver_test(only_the_kinds_that_are_wanted_fail, hooked),
    wskemu_driver_test(what_is_no_fault_is_refused, hooked),
    wskemu_driver_test(faults_of_a_test_end_with_it, hooked),
    wskemu_driver_test(the_use_of_a_mapping_that_failed_is_explained, hooked),
    wskemu_driver_test(a_driver_that_looks_at_its_mapping_is_left_alone, hooked),
};

TEST_MAIN(tests)
