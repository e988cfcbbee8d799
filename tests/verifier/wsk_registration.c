/* WskRegister and what belongs to it: memory that stays, captures in DriverEntry, the unload. */
#include "full.h"
#include "wsk_end.h"
#include "wsk_leaver/wsk_leaver.h"

#include <wskemu/network.h>
#include <wskemu/registry.h>

#define VIOLATION DRIVER_VERIFIER_DETECTED_VIOLATION
#define WSK_VIOLATION 0x57534B
#define SERVICE L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\wsk_leaver"

/* ---- memory that does not stay ---- */

static PWSK_REGISTRATION lost;
static KEVENT registered;
static KEVENT captured;

static VOID register_on_its_stack(PVOID context)
{
    WSK_REGISTRATION registration;
    static const WSK_CLIENT_DISPATCH dispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};
    WSK_CLIENT_NPI npi = {NULL, &dispatch};
    WskRegister(&npi, &registration);
    lost = &registration;
    KeSetEvent(&registered, IO_NO_INCREMENT, FALSE);
    if (context != NULL) {
        wait_object(&captured);
        WskDeregister(&registration);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void use_a_block_of_an_ended_thread(void *context)
{
    WSK_PROVIDER_NPI provider;
    KeInitializeEvent(&registered, NotificationEvent, FALSE);
    KeInitializeEvent(&captured, NotificationEvent, FALSE);
    PKTHREAD thread = start_thread(register_on_its_stack, context);
    wait_object(&registered);
    if (context == NULL) {
        join_thread(thread);
    }
    WskCaptureProviderNPI(lost, WSK_NO_WAIT, &provider);
    WskReleaseProviderNPI(lost);
    KeSetEvent(&captured, IO_NO_INCREMENT, FALSE);
    join_thread(thread);
}

static void use_a_freed_block(void *context)
{
    static const WSK_CLIENT_DISPATCH dispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};
    WSK_CLIENT_NPI npi = {NULL, &dispatch};
    PWSK_REGISTRATION block = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*block), 'gRsW');
    UNREFERENCED_PARAMETER(context);
    WskRegister(&npi, block);
    ExFreePoolWithTag(block, 'gRsW');
    WskDeregister(block);
}

static void test_a_registration_block_that_goes_is_caught(void **state)
{
    PROVES("WSK-REG-06");
    expect_bugcheck(use_a_block_of_an_ended_thread, NULL, VIOLATION, WSK_VIOLATION, "WSK-REG-06");
    expect_at_full(use_a_freed_block, VIOLATION, "WSK-REG-06", "in a block that was freed");
}

static void test_a_registration_block_that_stays_is_fine(void **state)
{
    STAYS_SILENT("WSK-REG-06");
    expect_silence(use_a_block_of_an_ended_thread, &registered);
}

/* context: whether the dispatch changes. */
static void give_a_dispatch(void *context)
{
    static WSK_REGISTRATION registration;
    WSK_CLIENT_DISPATCH dispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};
    WSK_CLIENT_NPI npi = {NULL, &dispatch};
    at_full();
    WskRegister(&npi, &registration);
    if (context != NULL) {
        RtlFillMemory(&dispatch, sizeof(dispatch), 0xEE);
    }
    WskDeregister(&registration);
}

static void free_a_dispatch(void *context)
{
    static WSK_REGISTRATION registration;
    PWSK_CLIENT_DISPATCH dispatch = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*dispatch), 'gRsW');
    WSK_CLIENT_NPI npi = {NULL, dispatch};
    UNREFERENCED_PARAMETER(context);
    dispatch->Version = MAKE_WSK_VERSION(1, 0);
    WskRegister(&npi, &registration);
    ExFreePoolWithTag(dispatch, 'gRsW');
    WskDeregister(&registration);
}

static void test_a_client_dispatch_that_does_not_stay_is_warned_of(void **state)
{
    PROVES("WSK-REG-08");
    expect_warning(give_a_dispatch, &registered, "WSK-REG-08");
    at_full();
    expect_warning(free_a_dispatch, NULL, "WSK-REG-08");
}

static void test_a_client_dispatch_that_stays_is_fine(void **state)
{
    STAYS_SILENT("WSK-REG-08");
    expect_silence(give_a_dispatch, NULL);
}

/* ---- a driver ---- */

/* context is the act. */
static void load_and_unload(void *context)
{
    ULONG act = (ULONG)(ULONG_PTR)context;
    PDRIVER_OBJECT driver = NULL;
    wskemu_registry_set(SERVICE, L"Act", REG_DWORD, &act, sizeof(act));
    assert_int_equal(wskemu_load_driver(WSKEMU_DRIVER(wsk_leaver), &driver), STATUS_SUCCESS);
    wskemu_unload_driver(driver);
}

static void fail_to_load(void *context)
{
    ULONG act = (ULONG)(ULONG_PTR)context;
    PDRIVER_OBJECT driver = NULL;
    wskemu_registry_set(SERVICE, L"Act", REG_DWORD, &act, sizeof(act));
    wskemu_load_driver(WSKEMU_DRIVER(wsk_leaver), &driver);
}

static VOID start_wsk(PVOID context)
{
    await_blocked(context);
    wskemu_provider_set_ready(TRUE);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* WSK starts while DriverEntry waits for it. */
static void load_before_wsk(void *context)
{
    wskemu_provider_set_ready(FALSE);
    PKTHREAD thread = start_thread(start_wsk, KeGetCurrentThread());
    load_and_unload(context);
    join_thread(thread);
}

#define ACT(act) ((PVOID)(ULONG_PTR)(act))
#define UNLOADED DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS

static void test_a_registration_left_at_unload_is_caught(void **state)
{
    PROVES("WSK-REG-44", "NMR-39", "WSK-CLOSE-19");
    expect_bugcheck(load_and_unload, ACT(LEAVER_REGISTRATION), UNLOADED, ANY_PARAMETER,
                    "WSK-REG-44");
    expect_bugcheck(load_and_unload, ACT(LEAVER_NMR_CLIENT), UNLOADED, ANY_PARAMETER, "NMR-39");
    expect_bugcheck(load_and_unload, ACT(LEAVER_SOCKET), UNLOADED, ANY_PARAMETER, "WSK-REG-44");
}

static void test_a_registration_left_by_a_failed_driver_entry_is_caught(void **state)
{
    PROVES("DEV-03");
    expect_bugcheck(fail_to_load, ACT(LEAVER_FAILS), UNLOADED, ANY_PARAMETER, "DEV-03");
}

/* The registration stays until the kernel ends. */
static void test_a_deregistration_nobody_waits_for_is_warned_of(void **state)
{
    PROVES("NMR-38");
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
    expect_warning(load_and_unload, ACT(LEAVER_NMR_WAIT), "NMR-38");
    log_capture();
    assert_int_equal(wskemu_shutdown(), 1);
    assert_true(log_named("NMR-38"));
}

static void test_waiting_for_wsk_in_driver_entry_is_warned_of(void **state)
{
    PROVES("WSK-REG-31", "WSK-REG-32");
    expect_warning(load_and_unload, ACT(LEAVER_WAITS), "WSK-REG-31");
    expect_warning(load_before_wsk, ACT(LEAVER_WAITS), "WSK-REG-32");
}

static void test_a_driver_that_leaves_nothing_is_fine(void **state)
{
    STAYS_SILENT("WSK-REG-44", "NMR-38", "NMR-39", "WSK-REG-31", "WSK-REG-32", "WSK-REG-45");
    expect_silence(load_and_unload, ACT(LEAVER_NOTHING));
}

static const struct CMUnitTest tests[] = {
    kernel_test(test_a_registration_left_by_a_failed_driver_entry_is_caught),
    kernel_test(test_a_registration_block_that_goes_is_caught),
    kernel_test(test_a_registration_block_that_stays_is_fine),
    kernel_test(test_a_client_dispatch_that_does_not_stay_is_warned_of),
    kernel_test(test_a_client_dispatch_that_stays_is_fine),
    kernel_test(test_a_registration_left_at_unload_is_caught),
    cmocka_unit_test(test_a_deregistration_nobody_waits_for_is_warned_of),
    kernel_test(test_waiting_for_wsk_in_driver_entry_is_warned_of),
    kernel_test(test_a_driver_that_leaves_nothing_is_fine),
};

TEST_MAIN(tests)
