/* IRPs that drivers get and pass on, complete or keep: what they must do, and drivers that do. */
#include "../io/passing.h"
#include "twins.h"

/* A device on top with that dispatch routine, one below; the maker takes the IRP back. */
struct stack {
    PDRIVER_DISPATCH upper;
    PDRIVER_DISPATCH lower;
};

static NTSTATUS send_through(const struct stack *stack)
{
    PDRIVER_OBJECT driver = load_plain();
    PDEVICE_OBJECT bottom = add_device(driver, NULL, stack->lower, NULL);
    PDEVICE_OBJECT top = add_device_above(driver, bottom, stack->upper, NULL);
    PIRP irp = allocate_for(top, IRP_MJ_READ, NULL);
    IoGetNextIrpStackLocation(irp)->Parameters.Read.Length = 1;
    NTSTATUS status = IoCallDriver(top, irp);
    IoFreeIrp(irp);
    wskemu_unload_driver(driver);
    return status;
}

static void send(void *context)
{
    send_through(context);
}

#define expect_caught(upper_routine, lower_routine, code, rule)                                    \
    do {                                                                                           \
        struct stack stack = {upper_routine, lower_routine};                                       \
        expect_bugcheck(send, &stack, DRIVER_VERIFIER_IOMANAGER_VIOLATION, code, rule);            \
    } while (0)

#define expect_warned(upper_routine, lower_routine, rule)                                          \
    do {                                                                                           \
        struct stack stack = {upper_routine, lower_routine};                                       \
        expect_warning(send, &stack, rule);                                                        \
    } while (0)

#define expect_fine(upper_routine, lower_routine)                                                  \
    do {                                                                                           \
        struct stack stack = {upper_routine, lower_routine};                                       \
        expect_silence(send, &stack);                                                              \
    } while (0)

/* ---- drivers below ---- */

static PIRP held;

static NTSTATUS hold(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoMarkIrpPending(irp);
    held = irp;
    return STATUS_PENDING;
}

/* ---- good drivers ---- */

/* Passes it down, waits, and completes it itself. */
static NTSTATUS pass_and_wait(PDEVICE_OBJECT device, PIRP irp)
{
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, take_back, &event, TRUE, TRUE, TRUE);
    if (IoCallDriver(node_of(device)->lower, irp) == STATUS_PENDING) {
        wait_object(&event);
    }
    return complete(irp, irp->IoStatus.Status, irp->IoStatus.Information);
}

static void test_passing_an_irp_on_as_documented_is_fine(void **state)
{
    STAYS_SILENT("IRP-29", "IRP-30", "IRP-31", "IRP-33", "IRP-34", "IRP-36", "IRP-40", "IRP-44",
                 "IRP-56", "IRP-70", "IRP-72", "IRP-78", "DV-61", "DV-62", "IRP-42", "IRP-68",
                 "IRP-80", "IRP-91");
    static const PDRIVER_DISPATCH uppers[] = {pass_copied, pass_skipped, pass_marked,
                                              pass_and_wait};
    for (size_t i = 0; i < RTL_NUMBER_OF(uppers); i++) {
        expect_fine(uppers[i], NULL);
        expect_fine(uppers[i], complete_marked);
    }
}

/* ---- bad: the stack locations ---- */

static NTSTATUS skip_and_set_routine(PDEVICE_OBJECT device, PIRP irp)
{
    IoSkipCurrentIrpStackLocation(irp);
    IoSetCompletionRoutine(irp, mark_and_continue, NULL, TRUE, TRUE, TRUE);
    return IoCallDriver(node_of(device)->lower, irp);
}

static NTSTATUS mark_and_skip(PDEVICE_OBJECT device, PIRP irp)
{
    IoMarkIrpPending(irp);
    IoSkipCurrentIrpStackLocation(irp);
    IoCallDriver(node_of(device)->lower, irp);
    return STATUS_PENDING;
}

static NTSTATUS skip_and_mark(PDEVICE_OBJECT device, PIRP irp)
{
    IoSkipCurrentIrpStackLocation(irp);
    IoMarkIrpPending(irp);
    IoCallDriver(node_of(device)->lower, irp);
    return STATUS_PENDING;
}

static void test_skipping_and_then_using_the_location_is_caught(void **state)
{
    PROVES("IRP-29", "IRP-30", "IRP-31");
    expect_caught(skip_and_set_routine, NULL, 0x212, "IRP-29");
    expect_caught(mark_and_skip, NULL, 0x212, "IRP-30");
    expect_caught(skip_and_mark, NULL, 0x212, "IRP-31");
}

static NTSTATUS copy_by_hand(PDEVICE_OBJECT device, PIRP irp)
{
    *IoGetNextIrpStackLocation(irp) = *IoGetCurrentIrpStackLocation(irp);
    return IoCallDriver(node_of(device)->lower, irp);
}

static void send_with_context(void *context)
{
    KEVENT event;
    PDRIVER_OBJECT driver = load_plain();
    PDEVICE_OBJECT bottom = add_device(driver, NULL, NULL, NULL);
    PDEVICE_OBJECT top =
        add_device_above(driver, bottom, (PDRIVER_DISPATCH)(ULONG_PTR)context, NULL);
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    PIRP irp = allocate_for(top, IRP_MJ_READ, &event);
    IoCallDriver(top, irp);
    IoFreeIrp(irp);
    wskemu_unload_driver(driver);
}

static NTSTATUS write_control(PDEVICE_OBJECT device, PIRP irp)
{
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, mark_and_continue, NULL, TRUE, TRUE, TRUE);
    IoGetNextIrpStackLocation(irp)->Control |= SL_PENDING_RETURNED;
    return IoCallDriver(node_of(device)->lower, irp);
}

static NTSTATUS pass_unprepared(PDEVICE_OBJECT device, PIRP irp)
{
    return IoCallDriver(node_of(device)->lower, irp);
}

static NTSTATUS copy_only(PDEVICE_OBJECT device, PIRP irp)
{
    IoCopyCurrentIrpStackLocationToNext(irp);
    return IoCallDriver(node_of(device)->lower, irp);
}

static void test_a_badly_made_location_is_caught(void **state)
{
    PROVES("IRP-33", "IRP-34", "IRP-36", "IRP-40");
    expect_bugcheck(send_with_context, (PVOID)(ULONG_PTR)copy_by_hand,
                    DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x207, "IRP-33");
    expect_caught(write_control, NULL, 0x206, "IRP-36");
    expect_caught(pass_unprepared, NULL, 0x212, "IRP-40");
    expect_warned(copy_only, NULL, "IRP-34");
}

static void test_a_copied_location_with_a_context_is_fine(void **state)
{
    STAYS_SILENT("IRP-33");
    expect_silence(send_with_context, (PVOID)(ULONG_PTR)pass_copied);
}

static NTSTATUS set_routine_below_nothing(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoSetCompletionRoutine(irp, mark_and_continue, NULL, TRUE, TRUE, TRUE);
    return complete(irp, STATUS_SUCCESS, 0);
}

static void test_a_completion_routine_of_the_lowest_driver_is_caught(void **state)
{
    PROVES("IRP-56");
    expect_caught(pass_copied, set_routine_below_nothing, 0x208, "IRP-56");
}

/* ---- bad: what the driver below still has ---- */

static NTSTATUS pass_twice(PDEVICE_OBJECT device, PIRP irp)
{
    pass_copied(device, irp);
    return IoCallDriver(node_of(device)->lower, irp);
}

static NTSTATUS pass_and_complete(PDEVICE_OBJECT device, PIRP irp)
{
    pass_copied(device, irp);
    return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS pass_and_cancel(PDEVICE_OBJECT device, PIRP irp)
{
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    UNREFERENCED_PARAMETER(device);
    IoCancelIrp(irp);
    return complete(irp, STATUS_CANCELLED, 0);
}

static void test_touching_what_a_driver_below_has_is_caught(void **state)
{
    PROVES("IRP-41", "IRP-44", "CANCEL-05");
    expect_caught(pass_twice, hold, 0x205, "IRP-44");
    expect_caught(pass_and_complete, hold, 0x209, "IRP-44");
    expect_warned(pass_and_cancel, NULL, "CANCEL-05");
}

/* ---- bad: pending ---- */

static NTSTATUS mark_wait_and_complete(PDEVICE_OBJECT device, PIRP irp)
{
    IoMarkIrpPending(irp);
    return pass_and_wait(device, irp);
}

static VOID complete_held(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    complete(held, STATUS_SUCCESS, 0);
}

/* Lets another thread have it before it is marked. */
static NTSTATUS queue_before_marking(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    held = irp;
    join_thread(start_thread(complete_held, NULL));
    return STATUS_PENDING;
}

static NTSTATUS queue_after_marking(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    held = irp;
    IoMarkIrpPending(irp);
    join_thread(start_thread(complete_held, NULL));
    return STATUS_PENDING;
}

static NTSTATUS complete_and_say_pending(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    complete(irp, STATUS_SUCCESS, 0);
    return STATUS_PENDING;
}

static NTSTATUS mark_and_deny(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoMarkIrpPending(irp);
    return STATUS_SUCCESS;
}

static void test_marking_pending_wrongly_is_caught(void **state)
{
    PROVES("IRP-70", "IRP-78", "DV-61", "DV-62");
    expect_caught(mark_wait_and_complete, NULL, 0x23E, "IRP-70");
    expect_caught(queue_before_marking, NULL, 0x23D, "IRP-78");
    expect_caught(mark_and_deny, NULL, 0x23E, "IRP-79");
    expect_caught(complete_and_say_pending, NULL, 0x23D, "IRP-81");
}

static void test_marking_before_queueing_is_fine(void **state)
{
    STAYS_SILENT("IRP-78", "IRP-77");
    expect_fine(queue_after_marking, NULL);
}

/* ---- completion routines ---- */

static NTSTATUS return_pending(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(context);
    return STATUS_PENDING;
}

static NTSTATUS free_and_continue(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(context);
    IoFreeIrp(irp);
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS free_and_keep(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    free_and_continue(device, irp, context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS change_status(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(context);
    irp->IoStatus.Status = STATUS_UNSUCCESSFUL;
    return STATUS_CONTINUE_COMPLETION;
}

static PDEVICE_OBJECT retry_on;

static NTSTATUS retry_and_continue(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(context);
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, mark_and_continue, NULL, TRUE, TRUE, TRUE);
    node_of(retry_on)->dispatch = hold;
    IoCallDriver(retry_on, irp);
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS use_dispatch_level_lock(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    static KSPIN_LOCK lock;
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(context);
    KeAcquireSpinLockAtDpcLevel(&lock);
    KeReleaseSpinLockFromDpcLevel(&lock);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS use_lock(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    static KSPIN_LOCK lock;
    KIRQL old;
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(context);
    KeAcquireSpinLock(&lock, &old);
    KeReleaseSpinLock(&lock, old);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS pass_to_change(PDEVICE_OBJECT device, PIRP irp)
{
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, change_status, NULL, TRUE, TRUE, TRUE);
    return IoCallDriver(node_of(device)->lower, irp);
}

static NTSTATUS pass_to_retry(PDEVICE_OBJECT device, PIRP irp)
{
    retry_on = node_of(device)->lower;
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, retry_and_continue, NULL, TRUE, TRUE, TRUE);
    return IoCallDriver(node_of(device)->lower, irp);
}

static NTSTATUS pass_to_return_pending(PDEVICE_OBJECT device, PIRP irp)
{
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, return_pending, NULL, TRUE, TRUE, TRUE);
    return IoCallDriver(node_of(device)->lower, irp);
}

/* An own IRP, which its routine may free. */
static void send_own_to(void *context)
{
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    PIO_COMPLETION_ROUTINE routine = (PIO_COMPLETION_ROUTINE)(ULONG_PTR)context;
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    IoSetCompletionRoutine(irp, routine, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(device, irp);
    if (routine != free_and_keep) {
        IoFreeIrp(irp);
    }
    wskemu_unload_driver(device->DriverObject);
}

static void test_a_completion_routine_that_lies_is_caught(void **state)
{
    PROVES("IRP-67", "IRP-71", "IRP-72", "IRP-73");
    expect_warned(pass_to_return_pending, NULL, "IRP-67");
    expect_bugcheck(send_own_to, (PVOID)(ULONG_PTR)free_and_continue,
                    DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x20A, "IRP-71");
    expect_caught(pass_to_change, NULL, 0x224, "IRP-72");
    expect_caught(pass_to_retry, NULL, 0x209, "IRP-73");
}

static void test_a_completion_routine_that_frees_and_keeps_is_fine(void **state)
{
    STAYS_SILENT("IRP-67", "IRP-71", "IRP-72", "IRP-73");
    expect_silence(send_own_to, (PVOID)(ULONG_PTR)free_and_keep);
}

static void test_a_completion_routine_that_relies_on_dispatch_level_is_caught(void **state)
{
    PROVES("IRP-64");
    expect_bugcheck(send_own_to, (PVOID)(ULONG_PTR)use_dispatch_level_lock,
                    DRIVER_VERIFIER_DETECTED_VIOLATION, ANY_PARAMETER, NULL);
}

static void test_a_completion_routine_for_any_level_is_fine(void **state)
{
    STAYS_SILENT("IRP-64");
    expect_silence(send_own_to, (PVOID)(ULONG_PTR)use_lock);
}

/* ---- routines that keep their driver loaded ---- */

static NTSTATUS set_ex_and_complete(PDEVICE_OBJECT device, PIRP irp)
{
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutineEx(device, irp, mark_and_continue, NULL, TRUE, TRUE, TRUE);
    return complete(irp, STATUS_UNSUCCESSFUL, 0);
}

static NTSTATUS set_ex_and_send(PDEVICE_OBJECT device, PIRP irp)
{
    IoCopyCurrentIrpStackLocationToNext(irp);
    NTSTATUS status =
        IoSetCompletionRoutineEx(device, irp, mark_and_continue, NULL, TRUE, TRUE, TRUE);
    return NT_SUCCESS(status) ? IoCallDriver(node_of(device)->lower, irp)
                              : complete(irp, status, 0);
}

static void set_ex_and_free(void *context)
{
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    UNREFERENCED_PARAMETER(context);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutineEx(device, irp, take_back, NULL, TRUE, TRUE, TRUE);
    IoFreeIrp(irp);
}

static void test_a_kept_routine_without_a_send_is_caught(void **state)
{
    PROVES("IRP-60", "DV-65");
    struct stack stack = {set_ex_and_complete, NULL};
    expect_bugcheck(send, &stack, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x4100F, "IRP-60");
    expect_bugcheck(set_ex_and_free, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x4100F, "IRP-60");
}

static void test_a_kept_routine_with_a_send_is_fine(void **state)
{
    STAYS_SILENT("IRP-60", "IRP-61", "DV-65");
    expect_fine(set_ex_and_send, NULL);
}

static NTSTATUS set_ex_for_the_lower(PDEVICE_OBJECT device, PIRP irp)
{
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutineEx(node_of(device)->lower, irp, mark_and_continue, NULL, TRUE, TRUE,
                             TRUE);
    return IoCallDriver(node_of(device)->lower, irp);
}

/* Two drivers, one on top of the other's device. */
static PDEVICE_OBJECT stack_of_two(PDRIVER_DISPATCH upper, DEVICE_TYPE type, ULONG flags)
{
    static struct wskemu_driver_image image = {.name = "other", .entry = plain_entry};
    PDRIVER_OBJECT other = NULL;
    PDEVICE_OBJECT bottom = add_device(load_plain(), NULL, NULL, NULL);
    assert_int_equal(wskemu_load_driver(&image, &other), STATUS_SUCCESS);
    bottom->Flags |= flags;
    PDEVICE_OBJECT top = add_device_above(other, bottom, upper, NULL);
    top->DeviceType = type;
    return top;
}

static void send_to_other(PDEVICE_OBJECT top)
{
    PDRIVER_OBJECT lower = node_of(top)->lower->DriverObject;
    PIRP irp = allocate_for(top, IRP_MJ_READ, NULL);
    IoCallDriver(top, irp);
    IoFreeIrp(irp);
    wskemu_unload_driver(top->DriverObject);
    wskemu_unload_driver(lower);
}

static void keep_the_other_loaded(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_to_other(stack_of_two(set_ex_for_the_lower, FILE_DEVICE_UNKNOWN, 0));
}

static void send_unbuffered(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_to_other(stack_of_two(pass_copied, FILE_DEVICE_UNKNOWN, DO_BUFFERED_IO));
}

static void send_of_other_type(void *context)
{
    UNREFERENCED_PARAMETER(context);
    send_to_other(stack_of_two(pass_copied, FILE_DEVICE_DISK, 0));
}

static void send_alike(void *context)
{
    UNREFERENCED_PARAMETER(context);
    PDEVICE_OBJECT top = stack_of_two(pass_copied, FILE_DEVICE_UNKNOWN, DO_BUFFERED_IO);
    top->Flags |= DO_BUFFERED_IO;
    send_to_other(top);
}

static void test_taking_another_drivers_device_for_ones_own_is_caught(void **state)
{
    PROVES("IRP-61");
    expect_bugcheck(keep_the_other_loaded, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x4100F,
                    "IRP-61");
}

static void test_a_device_on_top_that_differs_is_caught(void **state)
{
    PROVES("DEV-40");
    expect_bugcheck(send_unbuffered, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x244, "DEV-40");
    expect_bugcheck(send_of_other_type, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x246, "DEV-40");
}

static void test_a_device_on_top_that_took_over_is_fine(void **state)
{
    STAYS_SILENT("DEV-40");
    expect_silence(send_alike, NULL);
}

/* ---- completing ---- */

static void complete_unsent(void *context)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    UNREFERENCED_PARAMETER(context);
    IoSetCompletionRoutine(irp, take_back, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(irp);
    complete(irp, STATUS_SUCCESS, 0);
    IoFreeIrp(irp);
}

static void test_completing_an_irp_that_was_never_sent_is_caught(void **state)
{
    PROVES("IRP-95");
    expect_warning(complete_unsent, NULL, "IRP-95");
}

static NTSTATUS return_raised(PDEVICE_OBJECT device, PIRP irp)
{
    KIRQL old;
    UNREFERENCED_PARAMETER(device);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS answer_a_create(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    complete(irp, STATUS_ACCESS_DENIED, 0);
    return STATUS_SUCCESS;
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

static void send_create(void *context)
{
    PDEVICE_OBJECT device =
        add_device(load_plain(), NULL, (PDRIVER_DISPATCH)(ULONG_PTR)context, NULL);
    PIRP irp = allocate_for(device, IRP_MJ_CREATE, NULL);
    IoCallDriver(device, irp);
    IoFreeIrp(irp);
    wskemu_unload_driver(device->DriverObject);
}

static NTSTATUS refuse_a_create(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    return complete(irp, STATUS_ACCESS_DENIED, 0);
}

static void test_a_create_routine_that_returns_its_status_is_fine(void **state)
{
    STAYS_SILENT("DEV-54");
    expect_silence(send_create, (PVOID)(ULONG_PTR)refuse_a_create);
}

static void test_dispatch_routines_that_break_other_rules_are_caught(void **state)
{
    PROVES("DV-46", "DV-47", "DEV-54");
    expect_caught(return_raised, NULL, 0x5, "IRP-47");
    expect_bugcheck(send_create, (PVOID)(ULONG_PTR)answer_a_create,
                    DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x224, "DEV-54");
    expect_bugcheck(send_create_raised, NULL, DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x23A, "IRP-45");
}

static const struct CMUnitTest tests[] = {
    kernel_test(test_passing_an_irp_on_as_documented_is_fine),
    kernel_test(test_skipping_and_then_using_the_location_is_caught),
    kernel_test(test_a_badly_made_location_is_caught),
    kernel_test(test_a_copied_location_with_a_context_is_fine),
    kernel_test(test_a_completion_routine_of_the_lowest_driver_is_caught),
    kernel_test(test_touching_what_a_driver_below_has_is_caught),
    kernel_test(test_marking_pending_wrongly_is_caught),
    kernel_test(test_marking_before_queueing_is_fine),
    kernel_test(test_a_completion_routine_that_lies_is_caught),
    kernel_test(test_a_completion_routine_that_frees_and_keeps_is_fine),
    kernel_test(test_a_completion_routine_that_relies_on_dispatch_level_is_caught),
    kernel_test(test_a_completion_routine_for_any_level_is_fine),
    kernel_test(test_a_kept_routine_without_a_send_is_caught),
    kernel_test(test_a_kept_routine_with_a_send_is_fine),
    kernel_test(test_taking_another_drivers_device_for_ones_own_is_caught),
    kernel_test(test_a_device_on_top_that_differs_is_caught),
    kernel_test(test_a_device_on_top_that_took_over_is_fine),
    kernel_test(test_completing_an_irp_that_was_never_sent_is_caught),
    kernel_test(test_dispatch_routines_that_break_other_rules_are_caught),
    kernel_test(test_a_create_routine_that_returns_its_status_is_fine),
};

TEST_MAIN(tests)
