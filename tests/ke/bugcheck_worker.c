/* Bug checks of work items and work routines: 0x1, 0x39, 0xE1, 0xE4, 0xE9. */
#include "bugcheck.h"
#include "kernel.h"

static WORK_QUEUE_ITEM item;
static KMUTEX mutex;
static KEVENT go;
static int parameter;

/* Queues an item whose routine makes a mistake, and waits for what comes of it. */
static void queue_and_wait(void *context)
{
    PWORKER_THREAD_ROUTINE routine = (PWORKER_THREAD_ROUTINE)(ULONG_PTR)context;
    KeInitializeMutex(&mutex, 0);
    KeInitializeEvent(&go, NotificationEvent, FALSE);
    ExInitializeWorkItem(&item, routine, &parameter);
    ExQueueWorkItem(&item, DelayedWorkQueue);
    wait_object(&go);
}

static struct wskemu_bugcheck stop_of(PWORKER_THREAD_ROUTINE routine)
{
    return bugcheck_of(queue_and_wait, (void *)(ULONG_PTR)routine);
}

static VOID stay_in_regions(PVOID context)
{
    KeEnterCriticalRegion();
    KeEnterCriticalRegion();
    KeEnterGuardedRegion();
}

static void a_work_routine_that_stays_in_regions_stops(void **state)
{
    PROVES("BUGCHECK-06", "IRQL-18");
    struct wskemu_bugcheck stop = stop_of(stay_in_regions);
    assert_bugcheck(stop, APC_INDEX_MISMATCH, stay_in_regions, 0, ANY, 1);
    /* Special APCs in the high half; a worker begins inside a critical region. */
    assert_int_equal(stop.parameter[2], 0xFFFF0000U | (USHORT)-3);
}

static VOID keep_mutex(PVOID context)
{
    wait_object(&mutex);
}

static void a_work_routine_that_keeps_a_mutex_stops(void **state)
{
    PROVES("BUGCHECK-20", "MUTEX-11");
    struct wskemu_bugcheck stop = stop_of(keep_mutex);
    assert_bugcheck(stop, SYSTEM_EXIT_OWNED_MUTEX, keep_mutex, &parameter, &item, 0);
}

static VOID stay_raised(PVOID context)
{
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
}

static void a_work_routine_that_stays_raised_stops(void **state)
{
    PROVES("BUGCHECK-57", "IRQL-14");
    struct wskemu_bugcheck stop = stop_of(stay_raised);
    assert_bugcheck(stop, WORKER_THREAD_RETURNED_AT_BAD_IRQL, stay_raised, DISPATCH_LEVEL,
                    &parameter, &item);
}

static VOID end_thread(PVOID context)
{
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void a_work_routine_that_ends_its_thread_stops(void **state)
{
    PROVES("BUGCHECK-60");
    struct wskemu_bugcheck stop = stop_of(end_thread);
    assert_bugcheck(stop, ACTIVE_EX_WORKER_THREAD_TERMINATION, ANY, 0, 0, 0);
    assert_true(stop.parameter[0] != 0);
}

/* ---- a work item that is queued ---- */

/* What keeps every worker busy, so that what is queued next stays queued. The workers of a halted
 * kernel may still be at it, so each kernel has its own. */
struct occupation {
    KEVENT never;
    WORK_QUEUE_ITEM items[64];
};

static struct occupation occupations[2];

static VOID wait_for_ever(PVOID context)
{
    wait_object(context);
}

static void occupy_workers(struct occupation *occupation)
{
    KeInitializeEvent(&occupation->never, NotificationEvent, FALSE);
    for (size_t i = 0; i < RTL_NUMBER_OF(occupation->items); i++) {
        ExInitializeWorkItem(&occupation->items[i], wait_for_ever, &occupation->never);
        ExQueueWorkItem(&occupation->items[i], CriticalWorkQueue);
    }
}

static void queue_twice(void *context)
{
    occupy_workers(&occupations[0]);
    ExInitializeWorkItem(&item, wait_for_ever, NULL);
    ExQueueWorkItem(&item, DelayedWorkQueue);
    ExQueueWorkItem(&item, DelayedWorkQueue);
}

static PWORK_QUEUE_ITEM freed;

static void free_queued(void *context)
{
    occupy_workers(&occupations[1]);
    freed = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*freed), 'metI');
    ExInitializeWorkItem(freed, wait_for_ever, NULL);
    ExQueueWorkItem(freed, DelayedWorkQueue);
    ExFreePool(freed);
}

static void queue_nowhere(void *context)
{
    ExInitializeWorkItem(&item, wait_for_ever, NULL);
    ExQueueWorkItem(&item, MaximumWorkQueue);
}

static void queue_without_routine(void *context)
{
    ExInitializeWorkItem(&item, NULL, NULL);
    ExQueueWorkItem(&item, DelayedWorkQueue);
}

static void work_items_used_wrongly_stop(void **state)
{
    PROVES("BUGCHECK-59", "WORK-09", "WORK-26", "POOL-37");
    struct wskemu_bugcheck stop = bugcheck_of(free_queued, NULL);
    assert_bugcheck(stop, WORKER_INVALID, 0x0, freed, freed, freed + 1);
    stop = bugcheck_of(queue_twice, NULL);
    assert_bugcheck(stop, WORKER_INVALID, 0x1, &item, DelayedWorkQueue, 0);
    stop = bugcheck_of(queue_nowhere, NULL);
    assert_bugcheck(stop, WORKER_INVALID, 0x6, &item, MaximumWorkQueue, 0);
    stop = bugcheck_of(queue_without_routine, NULL);
    assert_bugcheck(stop, WORKER_INVALID, 0x7, &item, DelayedWorkQueue, 0);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_work_routine_that_stays_in_regions_stops),
    kernel_test(a_work_routine_that_keeps_a_mutex_stops),
    kernel_test(a_work_routine_that_stays_raised_stops),
    kernel_test(a_work_routine_that_ends_its_thread_stops),
    kernel_test(work_items_used_wrongly_stop),
};

TEST_MAIN(tests)
