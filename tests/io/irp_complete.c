/* Sending IRPs down a stack of devices, and completing them on the way up. */
#include "bugcheck.h"
#include "io_driver.h"

/* What a completion routine saw; one for each level. */
struct seen {
    LONG calls;
    PDEVICE_OBJECT device;
    PVOID context;
    BOOLEAN pending_returned;
    NTSTATUS status;
    KIRQL irql;
    NTSTATUS answer;
    BOOLEAN marks;
    LONG order;
};

static LONG last_order;

static NTSTATUS look(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct seen *seen = context;
    seen->calls++;
    seen->order = ++last_order;
    seen->device = device;
    seen->context = context;
    seen->pending_returned = irp->PendingReturned;
    seen->status = irp->IoStatus.Status;
    seen->irql = KeGetCurrentIrql();
    if (seen->marks && irp->PendingReturned) {
        IoMarkIrpPending(irp);
    }
    return seen->answer;
}

/* What a device of the stack does. */
struct level {
    struct seen seen;
    NTSTATUS status; /* of the lowest device's completion */
    ULONG_PTR information;
    BOOLEAN is_pending;  /* mark pending, keep the IRP */
    BOOLEAN has_routine; /* pass on with a completion routine */
    BOOLEAN is_skipped;  /* pass on the own location */
    PIRP kept;
    PIO_STACK_LOCATION location;
    UCHAR major_function;
    PDEVICE_OBJECT device_of_location;
};

static NTSTATUS finish_or_keep(PDEVICE_OBJECT device, PIRP irp)
{
    struct level *level = node_of(device)->context;
    level->location = IoGetCurrentIrpStackLocation(irp);
    level->major_function = level->location->MajorFunction;
    level->device_of_location = level->location->DeviceObject;
    if (level->is_pending) {
        IoMarkIrpPending(irp);
        level->kept = irp;
        return STATUS_PENDING;
    }
    return complete(irp, level->status, level->information);
}

static NTSTATUS pass_on(PDEVICE_OBJECT device, PIRP irp)
{
    struct level *level = node_of(device)->context;
    if (level->is_skipped) {
        IoSkipCurrentIrpStackLocation(irp);
    } else {
        IoCopyCurrentIrpStackLocationToNext(irp);
    }
    if (level->has_routine) {
        level->seen.marks = TRUE;
        IoSetCompletionRoutine(irp, look, &level->seen, TRUE, TRUE, TRUE);
    }
    return IoCallDriver(node_of(device)->lower, irp);
}

struct stack {
    PDRIVER_OBJECT driver;
    PDEVICE_OBJECT bottom;
    PDEVICE_OBJECT top;
    struct level low;
    struct level high;
    struct seen owner;
    PIRP irp;
};

/* A stack of two devices and an IRP for it whose owner looks at it and takes it back. */
static void make_stack(struct stack *stack)
{
    RtlZeroMemory(stack, sizeof(*stack));
    stack->driver = load_plain();
    stack->bottom = add_device(stack->driver, NULL, finish_or_keep, &stack->low);
    stack->top = add_device_above(stack->driver, stack->bottom, pass_on, &stack->high);
    stack->irp = IoAllocateIrp(stack->top->StackSize, FALSE);
    stack->owner.answer = STATUS_MORE_PROCESSING_REQUIRED;
    IoSetCompletionRoutine(stack->irp, look, &stack->owner, TRUE, TRUE, TRUE);
    IoGetNextIrpStackLocation(stack->irp)->MajorFunction = IRP_MJ_READ;
}

static void a_call_reaches_the_driver_of_the_device(void **state)
{
    PROVES("IRP-38", "DEV-52");
    struct stack stack;
    make_stack(&stack);
    stack.low.status = STATUS_NOT_SUPPORTED;
    assert_int_equal(IoCallDriver(stack.top, stack.irp), STATUS_NOT_SUPPORTED);
    assert_int_equal(stack.low.major_function, IRP_MJ_READ);
    assert_ptr_equal(stack.low.device_of_location, stack.bottom);
    assert_ptr_equal(stack.low.location, (PIO_STACK_LOCATION)(PVOID)(stack.irp + 1));
    assert_int_equal(stack.owner.calls, 1);
    IoFreeIrp(stack.irp);
}

static void only_the_status_block_carries_results_up(void **state)
{
    PROVES("IRP-88");
    struct stack stack;
    make_stack(&stack);
    stack.low.status = STATUS_BUFFER_OVERFLOW;
    stack.low.information = 77;
    IoCallDriver(stack.top, stack.irp);
    assert_int_equal(stack.irp->IoStatus.Status, STATUS_BUFFER_OVERFLOW);
    assert_int_equal(stack.irp->IoStatus.Information, 77);
    IoFreeIrp(stack.irp);
}

static void routines_run_from_the_bottom_up(void **state)
{
    PROVES("IRP-84", "IRP-66");
    static const NTSTATUS answers[] = {STATUS_SUCCESS, STATUS_CONTINUE_COMPLETION,
                                       STATUS_UNSUCCESSFUL};
    for (int i = 0; i < 3; i++) {
        struct stack stack;
        make_stack(&stack);
        stack.high.has_routine = TRUE;
        stack.high.seen.answer = answers[i];
        IoCallDriver(stack.top, stack.irp);
        assert_int_equal(stack.high.seen.calls, 1);
        assert_int_equal(stack.owner.calls, 1);
        assert_true(stack.high.seen.order < stack.owner.order);
        IoFreeIrp(stack.irp);
        wskemu_unload_driver(stack.driver);
    }
}

static void a_routine_learns_its_own_device(void **state)
{
    PROVES("IRP-62", "IRP-63");
    struct stack stack;
    make_stack(&stack);
    stack.high.has_routine = TRUE;
    KIRQL old = KeRaiseIrqlToDpcLevel();
    IoCallDriver(stack.top, stack.irp);
    KeLowerIrql(old);
    assert_ptr_equal(stack.high.seen.device, stack.top);
    assert_ptr_equal(stack.high.seen.context, &stack.high.seen);
    assert_int_equal(stack.high.seen.irql, DISPATCH_LEVEL);
    assert_null(stack.owner.device);
    IoFreeIrp(stack.irp);
}

static void setting_a_routine_writes_the_next_location(void **state)
{
    PROVES("IRP-50");
    PIRP irp = IoAllocateIrp(1, FALSE);
    PIO_STACK_LOCATION next = IoGetNextIrpStackLocation(irp);
    next->Control = 0xFF;
    IoSetCompletionRoutine(irp, look, irp, TRUE, FALSE, TRUE);
    assert_ptr_equal(next->CompletionRoutine, look);
    assert_ptr_equal(next->Context, irp);
    assert_int_equal(next->Control, SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_CANCEL);
    IoSetCompletionRoutine(irp, look, irp, FALSE, TRUE, FALSE);
    assert_int_equal(next->Control, SL_INVOKE_ON_ERROR);
    IoFreeIrp(irp);
}

struct invoke {
    NTSTATUS status;
    BOOLEAN is_cancelled;
    BOOLEAN on_success;
    BOOLEAN on_error;
    BOOLEAN on_cancel;
    LONG calls;
};

static LONG calls_of(const struct invoke *invoke)
{
    struct stack stack;
    struct seen middle = {.marks = TRUE};
    make_stack(&stack);
    PIRP irp = IoAllocateIrp(3, FALSE);
    IoSetCompletionRoutine(irp, look, &stack.owner, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(irp);
    IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
    IoSetCompletionRoutine(irp, look, &middle, invoke->on_success, invoke->on_error,
                           invoke->on_cancel);
    if (invoke->is_cancelled) {
        IoCancelIrp(irp);
    }
    stack.low.status = invoke->status;
    IoCallDriver(stack.top, irp);
    assert_int_equal(stack.owner.calls, 1);
    IoFreeIrp(irp);
    IoFreeIrp(stack.irp);
    wskemu_unload_driver(stack.driver);
    return middle.calls;
}

static void flags_and_status_decide_whether_a_routine_runs(void **state)
{
    PROVES("IRP-52", "IRP-53", "IRP-54");
    static const struct invoke cases[] = {
        {STATUS_SUCCESS, FALSE, TRUE, FALSE, FALSE, 1},
        {STATUS_SUCCESS, FALSE, FALSE, TRUE, TRUE, 0},
        {STATUS_UNSUCCESSFUL, FALSE, TRUE, FALSE, TRUE, 0},
        {STATUS_UNSUCCESSFUL, FALSE, FALSE, TRUE, FALSE, 1},
        {STATUS_OBJECT_NAME_EXISTS, FALSE, TRUE, FALSE, FALSE, 1},
        {STATUS_BUFFER_OVERFLOW, FALSE, TRUE, FALSE, FALSE, 0},
        {STATUS_BUFFER_OVERFLOW, FALSE, FALSE, TRUE, FALSE, 1},
        {STATUS_SUCCESS, TRUE, FALSE, FALSE, TRUE, 1},
        {STATUS_SUCCESS, TRUE, FALSE, FALSE, FALSE, 0},
        {STATUS_CANCELLED, FALSE, FALSE, FALSE, TRUE, 0},
    };
    for (size_t i = 0; i < RTL_NUMBER_OF(cases); i++) {
        assert_int_equal(calls_of(&cases[i]), cases[i].calls);
    }
}

static void a_kept_irp_completes_later(void **state)
{
    PROVES("IRP-85", "IRP-87");
    struct stack stack;
    make_stack(&stack);
    stack.low.is_pending = TRUE;
    assert_int_equal(IoCallDriver(stack.top, stack.irp), STATUS_PENDING);
    assert_int_equal(stack.owner.calls, 0);
    complete(stack.low.kept, STATUS_SUCCESS, 0);
    assert_int_equal(stack.owner.calls, 1);
    /* No routine of the upper device ran: the mark went up by itself. */
    assert_true(stack.owner.pending_returned);
    IoFreeIrp(stack.irp);
}

static void pending_is_told_to_each_routine(void **state)
{
    PROVES("IRP-85");
    for (int i = 0; i < 2; i++) {
        struct stack stack;
        make_stack(&stack);
        stack.low.is_pending = i == 1;
        stack.high.has_routine = TRUE;
        IoCallDriver(stack.top, stack.irp);
        if (stack.low.kept != NULL) {
            complete(stack.low.kept, STATUS_SUCCESS, 0);
        }
        assert_int_equal(stack.high.seen.pending_returned, i);
        assert_int_equal(stack.owner.pending_returned, i);
        IoFreeIrp(stack.irp);
        wskemu_unload_driver(stack.driver);
    }
}

static void a_skipped_location_serves_both_drivers(void **state)
{
    PROVES("IRP-28");
    struct stack stack;
    make_stack(&stack);
    stack.high.is_skipped = TRUE;
    stack.low.is_pending = TRUE;
    assert_int_equal(IoCallDriver(stack.top, stack.irp), STATUS_PENDING);
    assert_ptr_equal(stack.low.location, (PIO_STACK_LOCATION)(PVOID)(stack.irp + 1) + 1);
    complete(stack.low.kept, STATUS_SUCCESS, 0);
    assert_true(stack.owner.pending_returned);
    IoFreeIrp(stack.irp);
}

static void more_processing_stops_the_walk_and_a_completion_resumes_it(void **state)
{
    PROVES("IRP-66", "IRP-74", "IRP-75");
    struct stack stack;
    make_stack(&stack);
    stack.low.is_pending = TRUE;
    stack.high.has_routine = TRUE;
    stack.high.seen.answer = STATUS_MORE_PROCESSING_REQUIRED;
    IoCallDriver(stack.top, stack.irp);
    complete(stack.low.kept, STATUS_SUCCESS, 1);
    assert_int_equal(stack.high.seen.calls, 1);
    assert_int_equal(stack.owner.calls, 0);
    /* The IRP is the upper driver's, with its location as it was. */
    PIO_STACK_LOCATION own = IoGetCurrentIrpStackLocation(stack.irp);
    assert_ptr_equal(own->DeviceObject, stack.top);
    assert_int_equal(own->MajorFunction, IRP_MJ_READ);
    complete(stack.irp, STATUS_UNSUCCESSFUL, 2);
    assert_int_equal(stack.high.seen.calls, 1);
    assert_int_equal(stack.owner.calls, 1);
    assert_int_equal(stack.owner.status, STATUS_UNSUCCESSFUL);
    IoFreeIrp(stack.irp);
}

static void the_completing_drivers_location_is_emptied(void **state)
{
    PROVES("IRP-86");
    struct stack stack;
    make_stack(&stack);
    IoCallDriver(stack.top, stack.irp);
    PIO_STACK_LOCATION lowest = (PIO_STACK_LOCATION)(PVOID)(stack.irp + 1);
    assert_int_equal(lowest->Control, 0);
    assert_null(lowest->CompletionRoutine);
    assert_null(lowest->Context);
    assert_int_equal(lowest->Parameters.Read.Length, 0);
    IoFreeIrp(stack.irp);
}

static NTSTATUS wait_for_lower(PDEVICE_OBJECT device, PIRP irp)
{
    struct level *level = node_of(device)->context;
    if (!IoForwardIrpSynchronously(node_of(device)->lower, irp)) {
        return complete(irp, STATUS_UNSUCCESSFUL, 0);
    }
    level->seen.status = irp->IoStatus.Status;
    return complete(irp, STATUS_SUCCESS, 5);
}

static VOID complete_kept(PVOID context)
{
    struct level *level = context;
    LARGE_INTEGER pause = {.QuadPart = -500};
    while (ReadPointerAcquire((PVOID *)&level->kept) == NULL) {
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
    complete(level->kept, STATUS_NO_MEMORY, 0);
}

static NTSTATUS keep_for_thread(PDEVICE_OBJECT device, PIRP irp)
{
    struct level *level = node_of(device)->context;
    IoMarkIrpPending(irp);
    WritePointerRelease((PVOID *)&level->kept, irp);
    return STATUS_PENDING;
}

static void forwarding_synchronously_gives_the_irp_back(void **state)
{
    PROVES("IRP-48");
    struct stack stack;
    make_stack(&stack);
    node_of(stack.top)->dispatch = wait_for_lower;
    node_of(stack.bottom)->dispatch = keep_for_thread;
    PKTHREAD thread = start_thread(complete_kept, &stack.low);
    assert_int_equal(IoCallDriver(stack.top, stack.irp), STATUS_SUCCESS);
    join_thread(thread);
    assert_int_equal(stack.high.seen.status, STATUS_NO_MEMORY);
    assert_int_equal(stack.irp->IoStatus.Information, 5);
    assert_false(stack.owner.pending_returned);
    IoFreeIrp(stack.irp);
}

static void forwarding_needs_a_next_location(void **state)
{
    PROVES("IRP-48");
    struct stack stack;
    make_stack(&stack);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetNextIrpStackLocation(irp);
    assert_false(IoForwardIrpSynchronously(stack.bottom, irp));
    IoFreeIrp(irp);
    IoFreeIrp(stack.irp);
}

/* A component like WSK: takes the IRP without IoCallDriver. */
static void taking_an_irp_without_a_call_uses_the_next_location(void **state)
{
    PROVES("IRP-49");
    struct seen owner = {.answer = STATUS_MORE_PROCESSING_REQUIRED};
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, look, &owner, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(irp);
    IoMarkIrpPending(irp);
    complete(irp, STATUS_SUCCESS, 0);
    assert_int_equal(owner.calls, 1);
    assert_true(owner.pending_returned);
    IoFreeIrp(irp);
}

static void a_kept_routine_runs_as_its_flags_say(void **state)
{
    PROVES("IRP-59");
    static const NTSTATUS statuses[] = {STATUS_SUCCESS, STATUS_UNSUCCESSFUL};
    for (int i = 0; i < 2; i++) {
        struct stack stack;
        make_stack(&stack);
        struct seen seen = {.answer = STATUS_SUCCESS, .marks = TRUE};
        PIRP irp = IoAllocateIrp(3, FALSE);
        IoSetCompletionRoutine(irp, look, &stack.owner, TRUE, TRUE, TRUE);
        IoSetNextIrpStackLocation(irp);
        IoGetNextIrpStackLocation(irp)->MajorFunction = IRP_MJ_READ;
        assert_int_equal(IoSetCompletionRoutineEx(stack.top, irp, look, &seen, FALSE, TRUE, FALSE),
                         STATUS_SUCCESS);
        stack.low.status = statuses[i];
        stack.low.is_pending = TRUE;
        IoCallDriver(stack.top, irp);
        complete(stack.low.kept, statuses[i], 0);
        assert_int_equal(seen.calls, i);
        assert_true(stack.owner.pending_returned);
        IoFreeIrp(irp);
        IoFreeIrp(stack.irp);
        wskemu_unload_driver(stack.driver);
    }
}

struct unloading {
    PDRIVER_OBJECT driver;
    volatile LONG is_unloaded;
};

static VOID unload_in_thread(PVOID context)
{
    struct unloading *unloading = context;
    wskemu_unload_driver(unloading->driver);
    InterlockedExchange(&unloading->is_unloaded, 1);
}

static void a_kept_routine_keeps_its_driver_loaded(void **state)
{
    PROVES("IRP-59");
    struct seen seen = {.answer = STATUS_MORE_PROCESSING_REQUIRED};
    struct unloading unloading = {.driver = load_plain()};
    PDEVICE_OBJECT device = add_device(unloading.driver, NULL, NULL, NULL);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutineEx(device, irp, look, &seen, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(irp);
    PKTHREAD thread = start_thread(unload_in_thread, &unloading);
    await_blocked(thread);
    assert_int_equal(unloading.is_unloaded, 0);
    complete(irp, STATUS_SUCCESS, 0);
    join_thread(thread);
    assert_int_equal(unloading.is_unloaded, 1);
    IoFreeIrp(irp);
}

/* ---- what must be caught ---- */

static void send_too_deep(void *context)
{
    struct stack stack;
    UNREFERENCED_PARAMETER(context);
    make_stack(&stack);
    PIRP irp = allocate_for(stack.bottom, IRP_MJ_READ, NULL);
    IoCallDriver(stack.top, irp);
}

static void complete_twice(void *context)
{
    struct stack stack;
    UNREFERENCED_PARAMETER(context);
    make_stack(&stack);
    IoCallDriver(stack.top, stack.irp);
    IoCompleteRequest(stack.irp, IO_NO_INCREMENT);
}

static void complete_freed(void *context)
{
    UNREFERENCED_PARAMETER(context);
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoFreeIrp(irp);
    IoCompleteRequest(irp, IO_NO_INCREMENT);
}

static void complete_own(void *context)
{
    UNREFERENCED_PARAMETER(context);
    IoCompleteRequest(IoAllocateIrp(1, FALSE), IO_NO_INCREMENT);
}

static void completing_an_own_irp_that_nobody_got_is_called_so(void **state)
{
    PROVES("IRP-04");
    expect_bugcheck(complete_own, NULL, MULTIPLE_IRP_COMPLETE_REQUESTS, ANY_PARAMETER, "IRP-04");
}

static void a_stack_that_is_too_small_and_a_second_completion_are_caught(void **state)
{
    PROVES("IRP-39", "IRP-93");
    struct wskemu_bugcheck caught = bugcheck_of(send_too_deep, NULL);
    assert_bugcheck(caught, NO_MORE_IRP_STACK_LOCATIONS, ANY, 0, 0, 0);
    caught = bugcheck_of(complete_twice, NULL);
    assert_bugcheck(caught, MULTIPLE_IRP_COMPLETE_REQUESTS, ANY, 0, 0, 0);
    caught = bugcheck_of(complete_freed, NULL);
    assert_bugcheck(caught, MULTIPLE_IRP_COMPLETE_REQUESTS, ANY, 0, 0, 0);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_call_reaches_the_driver_of_the_device),
    kernel_test(only_the_status_block_carries_results_up),
    kernel_test(routines_run_from_the_bottom_up),
    kernel_test(a_routine_learns_its_own_device),
    kernel_test(setting_a_routine_writes_the_next_location),
    kernel_test(flags_and_status_decide_whether_a_routine_runs),
    kernel_test(a_kept_irp_completes_later),
    kernel_test(pending_is_told_to_each_routine),
    kernel_test(a_skipped_location_serves_both_drivers),
    kernel_test(more_processing_stops_the_walk_and_a_completion_resumes_it),
    kernel_test(the_completing_drivers_location_is_emptied),
    kernel_test(forwarding_synchronously_gives_the_irp_back),
    kernel_test(forwarding_needs_a_next_location),
    kernel_test(taking_an_irp_without_a_call_uses_the_next_location),
    kernel_test(a_kept_routine_runs_as_its_flags_say),
    kernel_test(a_kept_routine_keeps_its_driver_loaded),
    kernel_test(completing_an_own_irp_that_nobody_got_is_called_so),
    kernel_test(a_stack_that_is_too_small_and_a_second_completion_are_caught),
};

TEST_MAIN(tests)
