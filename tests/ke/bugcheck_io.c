/* Bug checks of IRPs and MDLs: 0x35, 0x40, 0x44, 0xC9, 0x11B, 0x12E. */
#include "../io/io_driver.h"
#include "bugcheck.h"

static PIRP irp;
static PMDL source;
static PMDL target;
static UCHAR buffer[3 * PAGE_SIZE];

static void send_without_location(void *context)
{
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    irp = IoAllocateIrp(1, FALSE);
    IoSetNextIrpStackLocation(irp);
    IoCallDriver(device, irp);
}

static void an_irp_without_locations_stops(void **state)
{
    PROVES("BUGCHECK-18");
    struct wskemu_bugcheck stop = bugcheck_of(send_without_location, NULL);
    assert_bugcheck(stop, NO_MORE_IRP_STACK_LOCATIONS, irp, 0, 0, 0);
}

static NTSTATUS keep(PDEVICE_OBJECT device, PIRP request, PVOID context)
{
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void complete_twice(void *context)
{
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    irp = IoAllocateIrp(1, FALSE);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_DEVICE_CONTROL;
    IoSetCompletionRoutine(irp, keep, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(device, irp);
    irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
}

static void an_irp_completed_twice_stops(void **state)
{
    PROVES("BUGCHECK-22");
    struct wskemu_bugcheck stop = bugcheck_of(complete_twice, NULL);
    assert_bugcheck(stop, MULTIPLE_IRP_COMPLETE_REQUESTS, irp, 0, 0, 0);
}

static DRIVER_CANCEL keep_cancel_lock;

static VOID keep_cancel_lock(PDEVICE_OBJECT device, PIRP request)
{
}

static void cancel(void *context)
{
    irp = IoAllocateIrp(1, FALSE);
    IoSetCancelRoutine(irp, keep_cancel_lock);
    IoCancelIrp(irp);
}

static void a_cancel_routine_that_keeps_the_lock_stops(void **state)
{
    PROVES("BUGCHECK-64");
    struct wskemu_bugcheck stop = bugcheck_of(cancel, NULL);
    assert_bugcheck(stop, DRIVER_RETURNED_HOLDING_CANCEL_LOCK, irp, keep_cancel_lock, ANY, ANY);
}

static void free_twice(void *context)
{
    irp = IoAllocateIrp(1, FALSE);
    IoFreeIrp(irp);
    IoFreeIrp(irp);
}

static NTSTATUS complete_pending(PDEVICE_OBJECT device, PIRP request)
{
    return complete(request, STATUS_PENDING, 0);
}

static NTSTATUS complete_cancelable(PDEVICE_OBJECT device, PIRP request)
{
    IoSetCancelRoutine(request, keep_cancel_lock);
    return complete(request, STATUS_SUCCESS, 0);
}

static void send_to(void *context)
{
    PDEVICE_OBJECT device =
        add_device(load_plain(), NULL, (PDRIVER_DISPATCH)(ULONG_PTR)context, NULL);
    irp = IoAllocateIrp(1, FALSE);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_DEVICE_CONTROL;
    IoSetCompletionRoutine(irp, keep, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(device, irp);
}

static void wrong_use_of_irps_stops(void **state)
{
    PROVES("BUGCHECK-42");
    const ULONG code = DRIVER_VERIFIER_IOMANAGER_VIOLATION;
    struct wskemu_bugcheck stop = bugcheck_of(free_twice, NULL);
    assert_bugcheck(stop, code, 0x01, irp, 0, 0);
    stop = bugcheck_of(send_to, (void *)(ULONG_PTR)complete_pending);
    assert_bugcheck(stop, code, 0x06, STATUS_PENDING, irp, 0);
    stop = bugcheck_of(send_to, (void *)(ULONG_PTR)complete_cancelable);
    assert_bugcheck(stop, code, 0x07, keep_cancel_lock, irp, 0);
}

static void build_partial(ULONG target_bytes, PVOID address, ULONG length)
{
    source = IoAllocateMdl(buffer, sizeof(buffer), FALSE, FALSE, NULL);
    target = IoAllocateMdl(buffer, target_bytes, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(source);
    IoBuildPartialMdl(source, target, address, length);
}

static void build_too_small(void *context)
{
    build_partial(1, buffer, sizeof(buffer));
}

static void build_outside(void *context)
{
    build_partial(sizeof(buffer), buffer + sizeof(buffer) - 10, 20);
}

static void a_partial_mdl_that_does_not_fit_stops(void **state)
{
    PROVES("BUGCHECK-21", "BUGCHECK-70");
    struct wskemu_bugcheck stop = bugcheck_of(build_too_small, NULL);
    assert_bugcheck(stop, TARGET_MDL_TOO_SMALL, 0, 0, 0, 0);
    stop = bugcheck_of(build_outside, NULL);
    assert_bugcheck(stop, INVALID_MDL_RANGE, source, target, buffer + sizeof(buffer) - 10, 20);
}

static const struct CMUnitTest tests[] = {
    kernel_test(an_irp_without_locations_stops),
    kernel_test(an_irp_completed_twice_stops),
    kernel_test(a_cancel_routine_that_keeps_the_lock_stops),
    kernel_test(wrong_use_of_irps_stops),
    kernel_test(a_partial_mdl_that_does_not_fit_stops),
};

TEST_MAIN(tests)
