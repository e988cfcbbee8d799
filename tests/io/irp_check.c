/* What drivers must not do with IRPs, and good twins that must pass. */
#include "bugcheck.h"
#include "passing.h"

/* One device and an IRP for it, whose dispatch routine misbehaves. */
static NTSTATUS send_to(PDRIVER_DISPATCH dispatch, UCHAR major_function)
{
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, dispatch, NULL);
    PIRP irp = allocate_for(device, major_function, NULL);
    NTSTATUS status = IoCallDriver(device, irp);
    IoFreeIrp(irp);
    return status;
}

/* The same with a device on top that passes the IRP on. */
static NTSTATUS send_through(PDRIVER_DISPATCH upper, PDRIVER_DISPATCH lower)
{
    PDRIVER_OBJECT driver = load_plain();
    PDEVICE_OBJECT bottom = add_device(driver, NULL, lower, NULL);
    PDEVICE_OBJECT top = add_device_above(driver, bottom, upper, NULL);
    PIRP irp = allocate_for(top, IRP_MJ_READ, NULL);
    NTSTATUS status = IoCallDriver(top, irp);
    IoFreeIrp(irp);
    return status;
}

static void send_read_to(void *context)
{
    send_to((PDRIVER_DISPATCH)(ULONG_PTR)context, IRP_MJ_READ);
}

#define expect_misbehaviour(dispatch, code, rule)                                                  \
    expect_bugcheck(send_read_to, (PVOID)(ULONG_PTR)(dispatch),                                    \
                    DRIVER_VERIFIER_IOMANAGER_VIOLATION, code, rule)

static VOID cancel_routine(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
}

/* ---- the status that a dispatch routine returns ---- */

static NTSTATUS keep_silently(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    return STATUS_PENDING;
}

static NTSTATUS keep_and_deny(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoMarkIrpPending(irp);
    return STATUS_SUCCESS;
}

static NTSTATUS forget(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    return STATUS_SUCCESS;
}

static NTSTATUS complete_and_say_pending(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    complete(irp, STATUS_SUCCESS, 0);
    return STATUS_PENDING;
}

static NTSTATUS complete_marked_and_deny(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoMarkIrpPending(irp);
    return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS complete_and_say_other(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    complete(irp, STATUS_UNSUCCESSFUL, 0);
    return STATUS_SUCCESS;
}

static NTSTATUS complete_and_say_nonsense(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    complete(irp, STATUS_SUCCESS, 0);
    return (NTSTATUS)0xFFFFFFFF;
}

static void a_wrong_return_status_is_caught(void **state)
{
    PROVES("IRP-77", "IRP-79", "IRP-80", "IRP-81", "IRP-82", "IRP-83");
    expect_misbehaviour(keep_silently, 0x23D, "IRP-80");
    expect_misbehaviour(keep_and_deny, 0x23E, "IRP-79");
    expect_misbehaviour(forget, 0x226, "IRP-77");
    expect_misbehaviour(complete_and_say_pending, 0x23D, "IRP-81");
    expect_misbehaviour(complete_marked_and_deny, 0x23E, "IRP-79");
    expect_misbehaviour(complete_and_say_other, 0x224, "IRP-82");
    expect_misbehaviour(complete_and_say_nonsense, 0x225, "IRP-83");
}

/* Hands the IRP to a component that takes it without IoCallDriver, as WSK does. */
static NTSTATUS pass_to_component(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, mark_and_continue, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(irp);
    IoMarkIrpPending(irp);
    complete(irp, STATUS_SUCCESS, 0);
    return STATUS_PENDING;
}

static void what_drivers_rightly_return_passes(void **state)
{
    PROVES("IRP-79", "IRP-80", "IRP-81", "IRP-82");
    STAYS_SILENT("IRP-43", "IRP-79", "IRP-81", "IRP-82", "IRP-83");
    PDRIVER_DISPATCH uppers[] = {pass_copied, pass_skipped};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(send_through(uppers[i], NULL), STATUS_SUCCESS);
        kernel_teardown(NULL);
        kernel_setup(NULL);
        assert_int_equal(send_through(uppers[i], complete_marked), STATUS_PENDING);
        kernel_teardown(NULL);
        kernel_setup(NULL);
    }
    assert_int_equal(send_through(pass_marked, NULL), STATUS_PENDING);
    kernel_teardown(NULL);
    kernel_setup(NULL);
    assert_int_equal(send_through(pass_to_component, NULL), STATUS_PENDING);
}

/* ---- how a dispatch routine returns ---- */

static NTSTATUS return_raised(PDEVICE_OBJECT device, PIRP irp)
{
    KIRQL old;
    UNREFERENCED_PARAMETER(device);
    KeRaiseIrql(APC_LEVEL, &old);
    return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS return_in_region(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    KeEnterCriticalRegion();
    return complete(irp, STATUS_SUCCESS, 0);
}

static void a_dispatch_routine_must_return_as_it_was_called(void **state)
{
    PROVES("IRP-47");
    expect_misbehaviour(return_raised, 0x5, "IRP-47");
    expect_bugcheck(send_read_to, (PVOID)(ULONG_PTR)return_in_region,
                    DRIVER_VERIFIER_DETECTED_VIOLATION, 0xC5, "IRP-47");
}

static NTSTATUS return_lowered(PDEVICE_OBJECT device, PIRP irp)
{
    KIRQL old;
    UNREFERENCED_PARAMETER(device);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    KeLowerIrql(old);
    KeEnterCriticalRegion();
    KeLeaveCriticalRegion();
    return complete(irp, STATUS_SUCCESS, 0);
}

static void a_dispatch_routine_that_returns_as_it_was_called_passes(void **state)
{
    STAYS_SILENT("IRP-47", "DV-46");
    assert_int_equal(send_to(return_lowered, IRP_MJ_READ), STATUS_SUCCESS);
}

/* ---- sending ---- */

static void send_to_null(void *context)
{
    UNREFERENCED_PARAMETER(context);
    IoCallDriver(NULL, IoAllocateIrp(1, FALSE));
}

static void send_to_garbage(void *context)
{
    static DEVICE_OBJECT garbage;
    UNREFERENCED_PARAMETER(context);
    IoCallDriver(&garbage, IoAllocateIrp(1, FALSE));
}

static void send_freed(void *context)
{
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    UNREFERENCED_PARAMETER(context);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoFreeIrp(irp);
    IoCallDriver(device, irp);
}

static NTSTATUS pass_cancelable(PDEVICE_OBJECT device, PIRP irp)
{
    IoSetCancelRoutine(irp, cancel_routine);
    IoSkipCurrentIrpStackLocation(irp);
    return IoCallDriver(node_of(device)->lower, irp);
}

static void send_cancelable(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_through(pass_cancelable, NULL);
}

static void send_create_raised(void *context)
{
    KIRQL old;
    UNREFERENCED_PARAMETER(context);
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    PIRP irp = allocate_for(device, IRP_MJ_CREATE, NULL);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    IoCallDriver(device, irp);
}

static void send_read_above_dispatch(void *context)
{
    KIRQL old;
    UNREFERENCED_PARAMETER(context);
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    PIRP irp = allocate_for(device, IRP_MJ_READ, NULL);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &old);
    IoCallDriver(device, irp);
}

static void send_unknown(void *context)
{
    PDRIVER_OBJECT driver = load_plain();
    UNREFERENCED_PARAMETER(context);
    PDEVICE_OBJECT device = add_device(driver, NULL, NULL, NULL);
    IoCallDriver(device, allocate_for(device, IRP_MJ_MAXIMUM_FUNCTION + 1, NULL));
}

static void sending_the_wrong_thing_is_caught(void **state)
{
    PROVES("IRP-42", "IRP-43", "IRP-45", "CANCEL-13");
    ULONG code = DRIVER_VERIFIER_IOMANAGER_VIOLATION;
    expect_bugcheck(send_to_null, NULL, code, 0x204, "IRP-43");
    expect_bugcheck(send_to_garbage, NULL, code, 0x4, "IRP-43");
    expect_bugcheck(send_freed, NULL, code, 0x3, "IRP-43");
    expect_bugcheck(send_cancelable, NULL, code, 0x203, "IRP-42");
    expect_bugcheck(send_create_raised, NULL, code, 0x23A, "IRP-45");
    expect_bugcheck(send_read_above_dispatch, NULL, code, 0x10, "IRP-45");
    expect_bugcheck(send_unknown, NULL, code, 0x21F, NULL);
}

static void reads_and_controls_may_be_sent_at_dispatch_level(void **state)
{
    PROVES("DEV-53");
    STAYS_SILENT("IRP-45", "IRP-95", "DV-47");
    static const UCHAR functions[] = {IRP_MJ_READ, IRP_MJ_WRITE, IRP_MJ_DEVICE_CONTROL,
                                      IRP_MJ_INTERNAL_DEVICE_CONTROL};
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    for (size_t i = 0; i < RTL_NUMBER_OF(functions); i++) {
        PIRP irp = allocate_for(device, functions[i], NULL);
        KIRQL old = KeRaiseIrqlToDpcLevel();
        NTSTATUS status = IoCallDriver(device, irp);
        KeLowerIrql(old);
        assert_int_equal(status, STATUS_SUCCESS);
        IoFreeIrp(irp);
    }
}

/* ---- completing ---- */

static NTSTATUS complete_pending_status(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    return complete(irp, STATUS_PENDING, 0);
}

static NTSTATUS complete_cancelable(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoSetCancelRoutine(irp, cancel_routine);
    return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS complete_raised(PDEVICE_OBJECT device, PIRP irp)
{
    KIRQL old;
    UNREFERENCED_PARAMETER(device);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &old);
    return complete(irp, STATUS_SUCCESS, 0);
}

static void completing_in_the_wrong_state_is_caught(void **state)
{
    PROVES("IRP-89", "IRP-91", "IRP-92");
    expect_misbehaviour(complete_pending_status, 0x6, "IRP-89");
    expect_misbehaviour(complete_cancelable, 0x7, "IRP-91");
    expect_misbehaviour(complete_raised, 0xE, "IRP-92");
}

static NTSTATUS complete_at_dispatch_level(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    KIRQL old = KeRaiseIrqlToDpcLevel();
    NTSTATUS status = complete(irp, STATUS_SUCCESS, 0);
    KeLowerIrql(old);
    return status;
}

static void completing_at_dispatch_level_passes(void **state)
{
    STAYS_SILENT("IRP-89", "IRP-91", "IRP-92");
    assert_int_equal(send_to(complete_at_dispatch_level, IRP_MJ_READ), STATUS_SUCCESS);
}

/* ---- completion routines ---- */

static NTSTATUS keep_mark_low(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(context);
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS pass_without_mark(PDEVICE_OBJECT device, PIRP irp)
{
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, keep_mark_low, NULL, TRUE, TRUE, TRUE);
    return IoCallDriver(node_of(device)->lower, irp);
}

static void lose_the_mark(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_through(pass_without_mark, complete_marked);
}

static NTSTATUS raise_and_return(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    KIRQL old;
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(context);
    KeRaiseIrql(APC_LEVEL, &old);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS enter_and_return(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(context);
    KeEnterGuardedRegion();
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void complete_into(void *context)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, (PIO_COMPLETION_ROUTINE)(ULONG_PTR)context, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(irp);
    complete(irp, STATUS_SUCCESS, 0);
}

static void a_completion_routine_must_leave_things_as_they_were(void **state)
{
    PROVES("IRP-65", "IRP-68");
    expect_bugcheck(lose_the_mark, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x228, "IRP-68");
    expect_bugcheck(complete_into, (PVOID)(ULONG_PTR)raise_and_return,
                    DRIVER_VERIFIER_DETECTED_VIOLATION, 0xFA, "IRP-65");
    expect_bugcheck(complete_into, (PVOID)(ULONG_PTR)enter_and_return,
                    DRIVER_VERIFIER_DETECTED_VIOLATION, 0xFB, "IRP-65");
}

static void an_own_irp_must_be_taken_back(void **state)
{
    PROVES("IRP-04");
    expect_bugcheck(complete_into, (PVOID)(ULONG_PTR)keep_mark_low,
                    DRIVER_VERIFIER_IOMANAGER_VIOLATION, ANY_PARAMETER, "IRP-04");
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_wrong_return_status_is_caught),
    kernel_test(what_drivers_rightly_return_passes),
    kernel_test(a_dispatch_routine_must_return_as_it_was_called),
    kernel_test(a_dispatch_routine_that_returns_as_it_was_called_passes),
    kernel_test(sending_the_wrong_thing_is_caught),
    kernel_test(reads_and_controls_may_be_sent_at_dispatch_level),
    kernel_test(completing_in_the_wrong_state_is_caught),
    kernel_test(completing_at_dispatch_level_passes),
    kernel_test(a_completion_routine_must_leave_things_as_they_were),
    kernel_test(an_own_irp_must_be_taken_back),
};

TEST_MAIN(tests)
