/* Taking a DPC back, and knowing that it does not run any more. */
#include "kernel.h"

struct slow {
    LONG has_begun;
    LONG may_end;
    LONG has_ended;
};

static VOID run_slowly(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct slow *slow = context;
    WriteRelease(&slow->has_begun, 1);
    while (ReadAcquire(&slow->may_end) == 0) {
        YieldProcessor();
    }
    WriteRelease(&slow->has_ended, 1);
}

static void queue_here(PVOID context)
{
    KeInsertQueueDpc(context, NULL, NULL);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void end_when_waited_for(PVOID context)
{
    await_blocked(((PVOID *)context)[1]);
    WriteRelease(&((struct slow *)((PVOID *)context)[0])->may_end, 1);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void removal_waits_for_the_routine(void **state)
{
    struct slow slow = {0};
    PVOID context[2] = {&slow, KeGetCurrentThread()};
    KDPC dpc;
    KeInitializeDpc(&dpc, run_slowly, &slow);
    PKTHREAD queuer = start_thread(queue_here, &dpc);
    while (ReadAcquire(&slow.has_begun) == 0) {
        YieldProcessor();
    }
    PKTHREAD helper = start_thread(end_when_waited_for, context);
    assert_false(KeRemoveQueueDpcEx(&dpc, TRUE));
    assert_int_equal(ReadAcquire(&slow.has_ended), 1);
    join_thread(helper);
    join_thread(queuer);
}

static void removed_dpc_does_not_run(void **state)
{
    struct slow slow = {.may_end = 1};
    KDPC dpc;
    KIRQL old;
    KeInitializeDpc(&dpc, run_slowly, &slow);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    BOOLEAN was_queued = KeRemoveQueueDpcEx(&dpc, FALSE);
    KeLowerIrql(old);
    assert_true(was_queued);
    assert_int_equal(slow.has_begun, 0);
}

static const struct CMUnitTest tests[] = {
    kernel_test(removal_waits_for_the_routine),
    kernel_test(removed_dpc_does_not_run),
};

TEST_MAIN(tests)
