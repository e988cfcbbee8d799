/* IRPs that drivers make themselves: what they must do with them, and drivers that do. */
#include "../io/io_driver.h"
#include "twins.h"

static NTSTATUS continue_completion(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(context);
    return STATUS_CONTINUE_COMPLETION;
}

static PDEVICE_OBJECT plain_device(void)
{
    return add_device(load_plain(), NULL, NULL, NULL);
}

/* What is sent, with the routine set for these outcomes; no routine if there are none. */
static void send_with(BOOLEAN on_success, BOOLEAN on_error, BOOLEAN on_cancel)
{
    PDEVICE_OBJECT device = plain_device();
    PIRP irp = IoAllocateIrp(device->StackSize, FALSE);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    if (on_success || on_error || on_cancel) {
        IoSetCompletionRoutine(irp, take_back, NULL, on_success, on_error, on_cancel);
    }
    IoCallDriver(device, irp);
    IoFreeIrp(irp);
    wskemu_unload_driver(device->DriverObject);
}

static void send_without_routine(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_with(FALSE, FALSE, FALSE);
}

static void send_for_success_only(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_with(TRUE, FALSE, TRUE);
}

static void send_not_for_cancel(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_with(TRUE, TRUE, FALSE);
}

static void send_for_all(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_with(TRUE, TRUE, TRUE);
}

static void test_sending_an_own_irp_that_nobody_takes_back_is_caught(void **state)
{
    PROVES("IRP-55", "DV-60");
    expect_bugcheck(send_without_routine, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x200,
                    "IRP-55");
    expect_bugcheck(send_for_success_only, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x200,
                    "IRP-55");
    expect_warning(send_not_for_cancel, NULL, "IRP-55");
}

static void test_sending_an_own_irp_with_a_routine_is_fine(void **state)
{
    STAYS_SILENT("IRP-55", "DV-60", "IRP-15", "IRP-18", "IRP-19", "IRP-39", "IRP-89", "IRP-93");
    expect_silence(send_for_all, NULL);
}

/* ---- a routine that does not take it back ---- */

static void send_to_continue(void *context)
{
    PDEVICE_OBJECT device = plain_device();
    UNREFERENCED_PARAMETER(context);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    IoSetCompletionRoutine(irp, continue_completion, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(device, irp);
}

static void build_to_continue(void *context)
{
    static UCHAR data[16];
    PDEVICE_OBJECT device = plain_device();
    UNREFERENCED_PARAMETER(context);
    PIRP irp = IoBuildAsynchronousFsdRequest(IRP_MJ_READ, device, data, sizeof(data), NULL, NULL);
    IoSetCompletionRoutine(irp, continue_completion, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(device, irp);
}

static void build_and_free(void *context)
{
    static UCHAR data[16];
    PDEVICE_OBJECT device = plain_device();
    UNREFERENCED_PARAMETER(context);
    PIRP irp = IoBuildAsynchronousFsdRequest(IRP_MJ_READ, device, data, sizeof(data), NULL, NULL);
    IoSetCompletionRoutine(irp, take_back, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(device, irp);
    IoFreeIrp(irp);
    wskemu_unload_driver(device->DriverObject);
}

static void test_letting_the_completion_of_an_own_irp_go_on_is_caught(void **state)
{
    PROVES("IRP-04", "IRP-109", "DV-59");
    expect_bugcheck(send_to_continue, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x200, "IRP-04");
    expect_bugcheck(build_to_continue, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x200, "IRP-109");
}

static void test_freeing_an_own_irp_that_came_back_is_fine(void **state)
{
    STAYS_SILENT("IRP-04", "IRP-109", "DV-59");
    expect_silence(send_for_all, NULL);
    expect_silence(build_and_free, NULL);
}

/* ---- a routine that is none ---- */

static void send_with_null_routine(void *context)
{
    PDEVICE_OBJECT device = plain_device();
    UNREFERENCED_PARAMETER(context);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    IoSetCompletionRoutine(irp, NULL, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(device, irp);
}

static void test_a_null_routine_that_is_to_be_called_is_caught(void **state)
{
    PROVES("IRP-51");
    expect_bugcheck(send_with_null_routine, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x200,
                    "IRP-51");
}

/* Forwarded with a NULL routine that is never called: it says that there is none. */
static NTSTATUS forward_without(PDEVICE_OBJECT device, PIRP irp)
{
    IoMarkIrpPending(irp);
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, NULL, NULL, FALSE, FALSE, FALSE);
    IoCallDriver(node_of(device)->lower, irp);
    return STATUS_PENDING;
}

static void forward_with_null_routine(void *context)
{
    PDRIVER_OBJECT driver = load_plain();
    UNREFERENCED_PARAMETER(context);
    PDEVICE_OBJECT bottom = add_device(driver, NULL, NULL, NULL);
    PDEVICE_OBJECT top = add_device_above(driver, bottom, forward_without, NULL);
    PIRP irp = allocate_for(top, IRP_MJ_READ, NULL);
    IoCallDriver(top, irp);
    IoFreeIrp(irp);
    wskemu_unload_driver(driver);
}

static void test_a_null_routine_that_is_never_called_is_fine(void **state)
{
    STAYS_SILENT("IRP-51");
    expect_silence(forward_with_null_routine, NULL);
}

/* ---- how many locations ---- */

static void send_through_two(CCHAR stack_size)
{
    PDRIVER_OBJECT driver = load_plain();
    PDEVICE_OBJECT bottom = add_device(driver, NULL, NULL, NULL);
    PDEVICE_OBJECT top = add_device_above(driver, bottom, NULL, NULL);
    PIRP irp = IoAllocateIrp(stack_size, FALSE);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    IoSetCompletionRoutine(irp, take_back, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(top, irp);
    IoFreeIrp(irp);
    wskemu_unload_driver(driver);
}

static void send_one_location(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_through_two(1);
}

static void send_two_locations(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_through_two(2);
}

static void test_too_few_stack_locations_are_caught(void **state)
{
    PROVES("IRP-02");
    expect_warning(send_one_location, NULL, "IRP-02");
}

static void test_enough_stack_locations_are_fine(void **state)
{
    STAYS_SILENT("IRP-02");
    expect_silence(send_two_locations, NULL);
}

/* ---- a location that is nobody's ---- */

static void fill_current_location(void *context)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    UNREFERENCED_PARAMETER(context);
    IoGetCurrentIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    IoFreeIrp(irp);
}

static void fill_own_location(void *context)
{
    PIRP irp = IoAllocateIrp(2, FALSE);
    UNREFERENCED_PARAMETER(context);
    IoSetNextIrpStackLocation(irp);
    IoGetCurrentIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    IoFreeIrp(irp);
}

static void test_writing_to_a_location_without_having_one_is_caught(void **state)
{
    PROVES("IRP-25");
    expect_bugcheck(fill_current_location, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x212,
                    "IRP-25");
}

static void test_writing_to_a_location_of_its_own_is_fine(void **state)
{
    STAYS_SILENT("IRP-25");
    expect_silence(fill_own_location, NULL);
}

static NTSTATUS mark_and_take_back(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(context);
    IoMarkIrpPending(irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Sends an own IRP with that many locations more than the device needs. */
static void send_to_mark(PIO_COMPLETION_ROUTINE routine, CCHAR own)
{
    PDEVICE_OBJECT device = plain_device();
    PIRP irp = IoAllocateIrp((CCHAR)(device->StackSize + own), FALSE);
    if (own != 0) {
        IoSetNextIrpStackLocation(irp);
    }
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    IoSetCompletionRoutine(irp, routine, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(device, irp);
    IoFreeIrp(irp);
    wskemu_unload_driver(device->DriverObject);
}

static void mark_without_location(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_to_mark(mark_and_take_back, 0);
}

static void mark_own_location(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_to_mark(take_back, 0);
}

static void test_marking_an_own_irp_pending_is_caught(void **state)
{
    PROVES("IRP-69");
    expect_bugcheck(mark_without_location, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x212,
                    "IRP-69");
}

static void test_not_marking_an_own_irp_pending_is_fine(void **state)
{
    STAYS_SILENT("IRP-69");
    expect_silence(mark_own_location, NULL);
}

/* ---- what was built for the driver ---- */

static IO_STATUS_BLOCK block;
static KEVENT done;

static PIRP build_for(PDEVICE_OBJECT device)
{
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    return IoBuildDeviceIoControlRequest(CTL_CODE(0x8000, 0x800, METHOD_BUFFERED, 0), device, NULL,
                                         0, NULL, 0, FALSE, &done, &block);
}

static void take_location_of_built(void *context)
{
    PDEVICE_OBJECT device = plain_device();
    UNREFERENCED_PARAMETER(context);
    device->StackSize = 2;
    PIRP irp = build_for(device);
    IoSetNextIrpStackLocation(irp);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    IoCallDriver(device, irp);
}

static void reuse_built(void *context)
{
    UNREFERENCED_PARAMETER(context);
    IoReuseIrp(build_for(plain_device()), STATUS_SUCCESS);
}

static void send_built(void *context)
{
    PDEVICE_OBJECT device = plain_device();
    UNREFERENCED_PARAMETER(context);
    if (IoCallDriver(device, build_for(device)) == STATUS_PENDING) {
        wait_object(&done);
    }
    wskemu_unload_driver(device->DriverObject);
}

static void test_a_location_or_a_second_use_of_a_built_irp_is_caught(void **state)
{
    PROVES("IRP-16", "IRP-27");
    expect_bugcheck(take_location_of_built, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x208,
                    "IRP-27");
    expect_bugcheck(reuse_built, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x311, "IRP-16");
}

static void test_sending_a_built_irp_once_is_fine(void **state)
{
    STAYS_SILENT("IRP-16", "IRP-27");
    expect_silence(send_built, NULL);
}

/* ---- waiting for what was built ---- */

static PIRP held;

static NTSTATUS hold(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoMarkIrpPending(irp);
    held = irp;
    return STATUS_PENDING;
}

#if defined(__GNUC__)
#define OUT_OF_LINE __attribute__((noinline))
#else
#define OUT_OF_LINE __declspec(noinline)
#endif

/* Far enough below that nothing which is called later lies over it at once. */
OUT_OF_LINE static void send_from_frame(PDEVICE_OBJECT device)
{
    volatile UCHAR room[256] = {0};
    KEVENT event;
    IO_STATUS_BLOCK result;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    IoCallDriver(device,
                 IoBuildDeviceIoControlRequest(CTL_CODE(0x8000, 0x800, METHOD_BUFFERED, 0), device,
                                               NULL, 0, NULL, 0, FALSE, &event, &result));
    UNREFERENCED_PARAMETER(room);
}

static NTSTATUS send_and_leave(PDEVICE_OBJECT device, PIRP irp)
{
    send_from_frame(node_of(device)->context);
    return complete(irp, STATUS_SUCCESS, 0);
}

static void forget_to_wait(void *context)
{
    PDRIVER_OBJECT driver = load_plain();
    UNREFERENCED_PARAMETER(context);
    PDEVICE_OBJECT other = add_device(driver, NULL, hold, NULL);
    PDEVICE_OBJECT device = add_device(driver, NULL, send_and_leave, other);
    IoCallDriver(device, allocate_for(device, IRP_MJ_READ, NULL));
}

static VOID complete_held(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    complete(held, STATUS_SUCCESS, 0);
}

static NTSTATUS send_and_wait(PDEVICE_OBJECT device, PIRP irp)
{
    KEVENT event;
    IO_STATUS_BLOCK result;
    PDEVICE_OBJECT other = node_of(device)->context;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    PIRP request = IoBuildDeviceIoControlRequest(CTL_CODE(0x8000, 0x800, METHOD_BUFFERED, 0), other,
                                                 NULL, 0, NULL, 0, FALSE, &event, &result);
    if (IoCallDriver(other, request) == STATUS_PENDING) {
        PKTHREAD thread = start_thread(complete_held, NULL);
        wait_object(&event);
        join_thread(thread);
    }
    return complete(irp, STATUS_SUCCESS, 0);
}

static void wait_as_it_should(void *context)
{
    PDRIVER_OBJECT driver = load_plain();
    UNREFERENCED_PARAMETER(context);
    PDEVICE_OBJECT other = add_device(driver, NULL, hold, NULL);
    PDEVICE_OBJECT device = add_device(driver, NULL, send_and_wait, other);
    PIRP irp = allocate_for(device, IRP_MJ_READ, NULL);
    IoCallDriver(device, irp);
    IoFreeIrp(irp);
    wskemu_unload_driver(driver);
}

static void test_leaving_a_pending_request_of_the_stack_is_caught(void **state)
{
    PROVES("IRP-103", "DV-63");
    expect_bugcheck(forget_to_wait, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, ANY_PARAMETER,
                    "IRP-103");
}

static void test_waiting_for_a_pending_request_is_fine(void **state)
{
    STAYS_SILENT("IRP-103", "DV-63");
    expect_silence(wait_as_it_should, NULL);
}

static void send_without_event(void *context)
{
    PDEVICE_OBJECT device = plain_device();
    UNREFERENCED_PARAMETER(context);
    IoCallDriver(device,
                 IoBuildDeviceIoControlRequest(CTL_CODE(0x8000, 0x800, METHOD_BUFFERED, 0), device,
                                               NULL, 0, NULL, 0, FALSE, NULL, &block));
    wskemu_unload_driver(device->DriverObject);
}

static void test_a_request_with_neither_event_nor_routine_is_caught(void **state)
{
    PROVES("IRP-105");
    expect_warning(send_without_event, NULL, "IRP-105");
}

static void send_with_routine_instead(void *context)
{
    PDEVICE_OBJECT device = plain_device();
    UNREFERENCED_PARAMETER(context);
    PIRP irp = IoBuildDeviceIoControlRequest(CTL_CODE(0x8000, 0x800, METHOD_BUFFERED, 0), device,
                                             NULL, 0, NULL, 0, FALSE, NULL, &block);
    IoSetCompletionRoutine(irp, continue_completion, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(device, irp);
    wskemu_unload_driver(device->DriverObject);
}

static void test_a_request_with_a_routine_instead_of_an_event_is_fine(void **state)
{
    STAYS_SILENT("IRP-105");
    expect_silence(send_with_routine_instead, NULL);
}

/* ---- the routine's context ---- */

static NTSTATUS take_back_quietly(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    return take_back(device, irp, NULL);
}

/* context: the flag of the pool. */
static void send_with_context(void *context)
{
    PDEVICE_OBJECT device = plain_device();
    PVOID memory = ExAllocatePool2((POOL_FLAGS)(ULONG_PTR)context, 64, 'txtC');
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    IoSetCompletionRoutine(irp, take_back_quietly, memory, TRUE, TRUE, TRUE);
    IoCallDriver(device, irp);
    IoFreeIrp(irp);
    ExFreePoolWithTag(memory, 'txtC');
    wskemu_unload_driver(device->DriverObject);
}

static void test_a_context_in_paged_pool_is_caught(void **state)
{
    PROVES("IRP-57");
    expect_bugcheck(send_with_context, (PVOID)POOL_FLAG_PAGED, DRIVER_VERIFIER_IOMANAGER_VIOLATION,
                    0x227, "IRP-57");
}

static void test_a_context_in_non_paged_pool_is_fine(void **state)
{
    STAYS_SILENT("IRP-57");
    expect_silence(send_with_context, (PVOID)POOL_FLAG_NON_PAGED);
}

/* ---- quota ---- */

static void allocate_charged(KIRQL irql)
{
    KIRQL old;
    KeRaiseIrql(irql, &old);
    PIRP irp = IoAllocateIrp(1, TRUE);
    KeLowerIrql(old);
    IoFreeIrp(irp);
}

static void charge_at_dispatch(void *context)
{
    UNREFERENCED_PARAMETER(context);
    allocate_charged(DISPATCH_LEVEL);
}

static void charge_at_passive(void *context)
{
    UNREFERENCED_PARAMETER(context);
    allocate_charged(PASSIVE_LEVEL);
}

static void test_charging_quota_outside_a_requests_thread_is_caught(void **state)
{
    PROVES("IRP-07");
    expect_warning(charge_at_dispatch, NULL, "IRP-07");
}

static void test_charging_quota_in_a_requests_thread_is_fine(void **state)
{
    STAYS_SILENT("IRP-07");
    expect_silence(charge_at_passive, NULL);
}

/* ---- after the end ---- */

#if defined(__GNUC__)
__attribute__((no_sanitize("address"), noinline))
#endif
static void
touch(volatile IRP *irp)
{
    irp->IoStatus.Information = 1;
}

static void write_after_free(void *context)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    UNREFERENCED_PARAMETER(context);
    IoFreeIrp(irp);
    touch(irp);
    for (int i = 0; i < 100; i++) {
        IoFreeIrp(IoAllocateIrp(1, FALSE));
    }
}

static void write_before_free(void *context)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    UNREFERENCED_PARAMETER(context);
    touch(irp);
    IoFreeIrp(irp);
    for (int i = 0; i < 100; i++) {
        IoFreeIrp(IoAllocateIrp(1, FALSE));
    }
}

static void test_writing_to_an_irp_that_is_gone_is_caught(void **state)
{
    PROVES("IRP-94");
    expect_bugcheck(write_after_free, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x20A, "IRP-94");
}

static void test_writing_to_an_irp_before_it_goes_is_fine(void **state)
{
    STAYS_SILENT("IRP-94");
    expect_silence(write_before_free, NULL);
}

static const struct CMUnitTest tests[] = {
    kernel_test(test_sending_an_own_irp_that_nobody_takes_back_is_caught),
    kernel_test(test_sending_an_own_irp_with_a_routine_is_fine),
    kernel_test(test_letting_the_completion_of_an_own_irp_go_on_is_caught),
    kernel_test(test_freeing_an_own_irp_that_came_back_is_fine),
    kernel_test(test_a_null_routine_that_is_to_be_called_is_caught),
    kernel_test(test_a_null_routine_that_is_never_called_is_fine),
    kernel_test(test_too_few_stack_locations_are_caught),
    kernel_test(test_enough_stack_locations_are_fine),
    kernel_test(test_writing_to_a_location_without_having_one_is_caught),
    kernel_test(test_writing_to_a_location_of_its_own_is_fine),
    kernel_test(test_marking_an_own_irp_pending_is_caught),
    kernel_test(test_not_marking_an_own_irp_pending_is_fine),
    kernel_test(test_a_location_or_a_second_use_of_a_built_irp_is_caught),
    kernel_test(test_sending_a_built_irp_once_is_fine),
    kernel_test(test_leaving_a_pending_request_of_the_stack_is_caught),
    kernel_test(test_waiting_for_a_pending_request_is_fine),
    kernel_test(test_a_request_with_neither_event_nor_routine_is_caught),
    kernel_test(test_a_request_with_a_routine_instead_of_an_event_is_fine),
    kernel_test(test_a_context_in_paged_pool_is_caught),
    kernel_test(test_a_context_in_non_paged_pool_is_fine),
    kernel_test(test_charging_quota_outside_a_requests_thread_is_caught),
    kernel_test(test_charging_quota_in_a_requests_thread_is_fine),
    kernel_test(test_writing_to_an_irp_that_is_gone_is_caught),
    kernel_test(test_writing_to_an_irp_before_it_goes_is_fine),
};

TEST_MAIN(tests)
