/* Work items of the executive. */
#include "kernel.h"

#include <ntifs.h>

struct work {
    WORK_QUEUE_ITEM item;
    KEVENT done;
    KEVENT go;
    volatile LONG runs;
    KIRQL irql;
    PKTHREAD thread;
    KPRIORITY priority;
    PVOID parameter;
};

static VOID note_run(PVOID context)
{
    struct work *work = context;
    work->irql = KeGetCurrentIrql();
    work->thread = KeGetCurrentThread();
    work->priority = KeQueryPriorityThread(KeGetCurrentThread());
    work->parameter = context;
    InterlockedIncrement(&work->runs);
    KeSetEvent(&work->done, 0, FALSE);
}

static void prepare(struct work *work, PWORKER_THREAD_ROUTINE routine)
{
    RtlZeroMemory(work, sizeof(*work));
    ExInitializeWorkItem(&work->item, routine, work);
    KeInitializeEvent(&work->done, SynchronizationEvent, FALSE);
    KeInitializeEvent(&work->go, NotificationEvent, FALSE);
}

static void routines_run_at_passive_level_in_a_worker(void **state)
{
    PROVES("WORK-19");
    struct work work;
    prepare(&work, note_run);
    KIRQL old = KeRaiseIrqlToDpcLevel();
    ExQueueWorkItem(&work.item, DelayedWorkQueue);
    KeLowerIrql(old);
    wait_object(&work.done);
    assert_int_equal(work.runs, 1);
    assert_int_equal(work.irql, PASSIVE_LEVEL);
    assert_ptr_equal(work.parameter, &work);
    assert_ptr_not_equal(work.thread, KeGetCurrentThread());
    assert_true(PsIsSystemThread((PETHREAD)work.thread));
}

static void queues_are_priorities(void **state)
{
    PROVES("WORK-14");
    STAYS_SILENT("WORK-26");
    static const KPRIORITY priorities[] = {13, 12, 15, 8, 7, 18, 14};
    struct work work;
    prepare(&work, note_run);
    for (int type = 0; type < MaximumWorkQueue; type++) {
        ExQueueWorkItem(&work.item, (WORK_QUEUE_TYPE)type);
        wait_object(&work.done);
        assert_int_equal(work.priority, priorities[type]);
    }
    ExQueueWorkItem(&work.item, (WORK_QUEUE_TYPE)(CustomPriorityWorkQueue + 11));
    wait_object(&work.done);
    assert_int_equal(work.priority, 11);
}

static VOID queue_again(PVOID context)
{
    struct work *work = context;
    if (InterlockedIncrement(&work->runs) < 5) {
        ExQueueWorkItem(&work->item, DelayedWorkQueue);
    } else {
        KeSetEvent(&work->done, 0, FALSE);
    }
}

static VOID free_itself(PVOID context)
{
    struct work *work = context;
    PKEVENT done = work->parameter;
    ExFreePool(work);
    KeSetEvent(done, 0, FALSE);
}

static void routines_may_queue_again_or_free(void **state)
{
    PROVES("WORK-19", "WORK-20");
    STAYS_SILENT("WORK-09", "WORK-20");
    struct work work;
    prepare(&work, queue_again);
    ExQueueWorkItem(&work.item, CriticalWorkQueue);
    wait_object(&work.done);
    assert_int_equal(work.runs, 5);

    struct work *own = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*own), 'kroW');
    prepare(own, free_itself);
    own->parameter = &work.done;
    ExQueueWorkItem(&own->item, DelayedWorkQueue);
    wait_object(&work.done);
}

static VOID wait_for_go(PVOID context)
{
    struct work *work = context;
    KeSetEvent(&work->done, 0, FALSE);
    wait_object(&work->go);
    InterlockedIncrement(&work->runs);
    KeSetEvent(&work->done, 0, FALSE);
}

static void several_routines_run_at_once(void **state)
{
    PROVES("WORK-16");
    struct work works[4];
    for (int i = 0; i < 4; i++) {
        prepare(&works[i], wait_for_go);
        ExQueueWorkItem(&works[i].item, DelayedWorkQueue);
    }
    for (int i = 0; i < 4; i++) {
        wait_object(&works[i].done);
    }
    for (int i = 0; i < 4; i++) {
        KeSetEvent(&works[i].go, 0, FALSE);
        wait_object(&works[i].done);
        assert_int_equal(works[i].runs, 1);
    }
}

/* ---- misuse ---- */

static VOID stay_high(PVOID context)
{
    KeRaiseIrqlToDpcLevel();
}

static VOID keep_mutex(PVOID context)
{
    struct work *work = context;
    static KMUTEX mutex;
    UNREFERENCED_PARAMETER(work);
    KeInitializeMutex(&mutex, 0);
    wait_object(&mutex);
}

static VOID stay_in_region(PVOID context)
{
    KeEnterCriticalRegion();
}

static struct work misused;

static void run_misused(void *context)
{
    wait_object(&misused.go);
}

static void queue_and_wait(void *context)
{
    prepare(&misused, (PWORKER_THREAD_ROUTINE)(ULONG_PTR)context);
    ExQueueWorkItem(&misused.item, DelayedWorkQueue);
    run_misused(NULL);
}

static void queue_twice(void *context)
{
    static struct work blockers[40]; /* the workers of the halted kernel may still look at them */
    for (int i = 0; i < 40; i++) {
        prepare(&blockers[i], wait_for_go);
        ExQueueWorkItem(&blockers[i].item, DelayedWorkQueue);
    }
    ExQueueWorkItem(&blockers[39].item, DelayedWorkQueue);
}

static void queue_nowhere(void *context)
{
    prepare(&misused, note_run);
    ExQueueWorkItem(&misused.item, (WORK_QUEUE_TYPE)9);
}

static void queue_nothing(void *context)
{
    prepare(&misused, NULL);
    ExQueueWorkItem(&misused.item, DelayedWorkQueue);
}

static void misuse_stops(void **state)
{
    PROVES("WORK-09", "WORK-24", "WORK-26");
    expect_bugcheck(queue_and_wait, (void *)(ULONG_PTR)stay_high,
                    WORKER_THREAD_RETURNED_AT_BAD_IRQL, (ULONG_PTR)stay_high, "WORK-24");
    expect_bugcheck(queue_and_wait, (void *)(ULONG_PTR)keep_mutex, SYSTEM_EXIT_OWNED_MUTEX,
                    (ULONG_PTR)keep_mutex, "WORK-24");
    expect_bugcheck(queue_and_wait, (void *)(ULONG_PTR)stay_in_region, APC_INDEX_MISMATCH,
                    (ULONG_PTR)stay_in_region, NULL);
    expect_bugcheck(queue_nowhere, NULL, WORKER_INVALID, 6, "WORK-26");
    expect_bugcheck(queue_nothing, NULL, WORKER_INVALID, 7, "WORK-26");
    expect_bugcheck(queue_twice, NULL, WORKER_INVALID, 1, "WORK-09");
}

static const struct CMUnitTest tests[] = {
    kernel_test(routines_run_at_passive_level_in_a_worker),
    kernel_test(queues_are_priorities),
    kernel_test(routines_may_queue_again_or_free),
    kernel_test(several_routines_run_at_once),
    kernel_test(misuse_stops),
};

TEST_MAIN(tests)
