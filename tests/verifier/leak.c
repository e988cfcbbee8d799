/*
 * What a driver must not leave behind when it is unloaded: the driver leaky leaves one thing, as
 * its registry key says, and with act 0 nothing.
 */
#include "../io/io_driver.h"
#include "ke/code.h"
#include "leaky/leaky.h"
#include "ps/thread.h"
#include "twins.h"

#include <wskemu/registry.h>

#define SERVICE L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\leaky"

static NTSTATUS hold_reads(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    if (IoGetCurrentIrpStackLocation(irp)->MajorFunction != IRP_MJ_READ) {
        return complete(irp, STATUS_SUCCESS, 0);
    }
    IoMarkIrpPending(irp);
    return STATUS_PENDING;
}

static PDRIVER_OBJECT load_leaky(ULONG act)
{
    PDRIVER_OBJECT driver = NULL;
    add_device(load_plain(), LEAKY_OTHER, hold_reads, NULL);
    wskemu_registry_set(SERVICE, L"Act", REG_DWORD, &act, sizeof(act));
    assert_int_equal(wskemu_load_driver(WSKEMU_DRIVER(leaky), &driver), STATUS_SUCCESS);
    return driver;
}

/* context is the act. */
static void unload_leaky(void *context)
{
    wskemu_unload_driver(load_leaky((ULONG)(ULONG_PTR)context));
}

/* Waits until the driver's thread does. */
static void unload_blocked(void *context)
{
    LARGE_INTEGER moment = interval_ms(1);
    PDRIVER_OBJECT driver = load_leaky((ULONG)(ULONG_PTR)context);
    PETHREAD thread = ps_find_thread_of(ke_code_of((const void *)(ULONG_PTR)driver->DriverUnload));
    assert_non_null(thread);
    while (!ps_is_blocked(thread)) {
        KeDelayExecutionThread(KernelMode, FALSE, &moment);
    }
    ObDereferenceObject(thread);
    wskemu_unload_driver(driver);
}

#define ACT(act) ((PVOID)(ULONG_PTR)(act))

/* Expects the warning, and that shutdown counts what was left. */
static void expect_left(ULONG act, const char *rule)
{
    expect_warning(unload_leaky, ACT(act), rule);
    log_capture();
    unsigned left = wskemu_shutdown();
    log_captured();
    assert_true(left > 0);
    assert_int_equal(wskemu_boot(NULL), STATUS_SUCCESS);
}

static void test_memory_left_at_unload_is_caught(void **state)
{
    PROVES("IRP-21", "POOL-38", "MDL-12", "DEV-19", "DEV-20", "WORK-25", "WSK-IRP-15");
    expect_left(LEAKY_IRP, "IRP-21");
    expect_left(LEAKY_MDL, "MDL-12");
    expect_left(LEAKY_POOL, "POOL-38");
    expect_left(LEAKY_WORK_ITEM, "WORK-25");
}

static void test_handles_and_names_left_at_unload_are_caught(void **state)
{
    PROVES("OB-24", "THREAD-09", "DEV-48", "DEV-44");
    expect_left(LEAKY_HANDLE, "OB-24");
    expect_left(LEAKY_THREAD_HANDLE, "THREAD-09");
    expect_left(LEAKY_LINK, "DEV-48");
    expect_left(LEAKY_FILE, "DEV-44");
}

static void test_a_timer_or_dpc_left_at_unload_is_caught(void **state)
{
    PROVES("DEV-18", "DEV-19", "DEV-38", "TIMER-12");
    expect_bugcheck(unload_leaky, ACT(LEAKY_TIMER), TIMER_OR_DPC_INVALID, 0x2, "TIMER-12");
    expect_bugcheck(unload_leaky, ACT(LEAKY_EXTENSION_TIMER), TIMER_OR_DPC_INVALID, 0x0, "DEV-38");
}

static void test_an_allocated_timer_or_a_resolution_left_at_unload_is_caught(void **state)
{
    PROVES("TIMER-28", "TIME-14");
    expect_left(LEAKY_ALLOCATED_TIMER, "TIMER-28");
    expect_left(LEAKY_RESOLUTION, "TIME-14");
}

static void test_a_thread_left_at_unload_is_caught(void **state)
{
    PROVES("THREAD-12", "THREAD-14", "THREAD-16");
    expect_bugcheck(unload_blocked, ACT(LEAKY_THREAD),
                    DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS, ANY_PARAMETER,
                    "THREAD-14");
    expect_bugcheck(unload_leaky, ACT(LEAKY_ENDING_THREAD),
                    DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS, ANY_PARAMETER,
                    "THREAD-16");
}

static void test_a_work_routine_left_at_unload_is_caught(void **state)
{
    PROVES("WORK-25");
    expect_bugcheck(unload_leaky, ACT(LEAKY_WORK_ROUTINE),
                    DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS, ANY_PARAMETER,
                    "WORK-25");
}

static PIRP send_read(PDRIVER_OBJECT driver)
{
    PIRP irp = allocate_for(driver->DeviceObject, IRP_MJ_READ, NULL);
    IoCallDriver(driver->DeviceObject, irp);
    return irp;
}

static void unload_while_holding(void *context)
{
    PDRIVER_OBJECT driver = load_leaky((ULONG)(ULONG_PTR)context);
    send_read(driver);
    wskemu_unload_driver(driver);
}

static void unload_while_holding_cancelled(void *context)
{
    PDRIVER_OBJECT driver = load_leaky((ULONG)(ULONG_PTR)context);
    PIRP irp = allocate_for(driver->DeviceObject, IRP_MJ_READ, NULL);
    IoCancelIrp(irp);
    IoCallDriver(driver->DeviceObject, irp);
    wskemu_unload_driver(driver);
}

static void test_an_irp_left_at_unload_is_caught(void **state)
{
    PROVES("IRP-58", "DEV-18", "CANCEL-10", "DV-67");
    ULONG code = DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS;
    expect_bugcheck(unload_leaky, ACT(LEAKY_COMPLETION_ROUTINE), code, ANY_PARAMETER, "IRP-58");
    expect_bugcheck(unload_while_holding, ACT(LEAKY_IRP_HELD), code, ANY_PARAMETER, "DEV-18");
    expect_bugcheck(unload_while_holding_cancelled, ACT(LEAKY_CANCELLED_IRP_HELD), code,
                    ANY_PARAMETER, "CANCEL-10");
}

static void unload_after_a_read(void *context)
{
    PDRIVER_OBJECT driver = load_leaky((ULONG)(ULONG_PTR)context);
    PIRP irp = send_read(driver);
    IoFreeIrp(irp);
    wskemu_unload_driver(driver);
}

static void test_writing_what_is_to_be_read_is_caught(void **state)
{
    PROVES("DEV-05", "DEV-06");
    expect_warning(unload_leaky, ACT(LEAKY_PATH), "DEV-05");
    kernel_teardown(NULL);
    kernel_setup(NULL);
    expect_warning(unload_leaky, ACT(LEAKY_MEMBER), "DEV-06");
}

static void test_a_driver_that_gives_all_back_is_fine(void **state)
{
    STAYS_SILENT("MDL-12", "TIMER-12", "IRP-21", "POOL-38", "DEV-05", "DEV-06", "DEV-18", "DEV-19",
                 "DEV-20", "DEV-38", "DEV-44", "DEV-48", "WORK-25", "OB-24", "THREAD-09",
                 "THREAD-12", "THREAD-14", "THREAD-16", "IRP-58", "CANCEL-10", "DV-67",
                 "WSK-IRP-15", "TIMER-28", "TIME-14");
    expect_silence(unload_leaky, ACT(LEAKY_NOTHING));
    kernel_teardown(NULL);
    kernel_setup(NULL);
    expect_silence(unload_after_a_read, ACT(LEAKY_NOTHING));
}

static const struct CMUnitTest tests[] = {
    kernel_test(test_memory_left_at_unload_is_caught),
    kernel_test(test_handles_and_names_left_at_unload_are_caught),
    kernel_test(test_a_timer_or_dpc_left_at_unload_is_caught),
    kernel_test(test_an_allocated_timer_or_a_resolution_left_at_unload_is_caught),
    kernel_test(test_a_thread_left_at_unload_is_caught),
    kernel_test(test_a_work_routine_left_at_unload_is_caught),
    kernel_test(test_an_irp_left_at_unload_is_caught),
    kernel_test(test_writing_what_is_to_be_read_is_caught),
    kernel_test(test_a_driver_that_gives_all_back_is_fine),
};

TEST_MAIN(tests)
