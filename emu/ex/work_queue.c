/*
 * Work queues.
 *
 * There is a queue a priority; workers take from the highest. A worker is started when an item is
 * queued and no worker is idle, up to EX_WORKERS_MAX, so that items may wait for each other within
 * reason. An item that is queued has a non-NULL List.Flink; it is cleared before the routine is
 * called, and after that the item is not touched again, for the routine may free it.
 */
#include "ex/work_queue.h"

#include "base/log.h"
#include "base/stack.h"
#include "ex/executive.h"
#include "ke/bugcheck.h"
#include "ke/callback.h"
#include "ke/crash.h"
#include "ke/limit.h"
#include "ke/patience.h"
#include "ke/warning.h"
#include "ps/thread.h"
#include "trace/trace.h"
#include "verifier/hang.h"
#include "verifier/resident.h"

#include <stdio.h>

#define PATIENCE_MS 2000

/* Thread priorities of the enumerated queues. (WORK-14) */
static const UCHAR priorities[MaximumWorkQueue] = {
    [CriticalWorkQueue] = 13,      [DelayedWorkQueue] = 12,   [HyperCriticalWorkQueue] = 15,
    [NormalWorkQueue] = 8,         [BackgroundWorkQueue] = 7, [RealTimeWorkQueue] = 18,
    [SuperCriticalWorkQueue] = 14,
};

static struct ex_work_queues *queues_of_kernel(void)
{
    return &ex_state()->work;
}

bool ex_work_is_valid_type(WORK_QUEUE_TYPE type)
{
    ULONG value = (ULONG)type;
    return value < MaximumWorkQueue || (value >= CustomPriorityWorkQueue &&
                                        value < CustomPriorityWorkQueue + EX_WORK_PRIORITIES);
}

static unsigned priority_of(WORK_QUEUE_TYPE type)
{
    ULONG value = (ULONG)type;
    return value < MaximumWorkQueue ? priorities[value] : value - CustomPriorityWorkQueue;
}

/* ---- running items ---- */

/* Takes the first item of the highest priority; NULL if there is none. The lock is held. */
static PWORK_QUEUE_ITEM take(struct ex_work_queues *work, unsigned *priority)
{
    for (unsigned i = EX_WORK_PRIORITIES; i-- > 0;) {
        if (!IsListEmpty(&work->queue[i])) {
            PWORK_QUEUE_ITEM item =
                CONTAINING_RECORD(RemoveHeadList(&work->queue[i]), WORK_QUEUE_ITEM, List);
            item->List.Flink = NULL;
            atomic_fetch_sub(&work->queued, 1);
            *priority = i;
            return item;
        }
    }
    return NULL;
}

static void check_level(const void *routine, PVOID parameter, const void *item)
{
    KIRQL irql = ke_current()->irql;
    if (irql != PASSIVE_LEVEL) {
        ke_bugcheck(WORKER_THREAD_RETURNED_AT_BAD_IRQL, (ULONG_PTR)routine, irql,
                    (ULONG_PTR)parameter, (ULONG_PTR)item, "WORK-24",
                    "The driver's work routine %p returned at IRQL %u; it was called at "
                    "PASSIVE_LEVEL.",
                    routine, irql);
    }
}

static void check_mutexes(const void *routine, PVOID parameter, const void *item)
{
    if (!IsListEmpty(&ke_current()->mutants)) {
        ke_bugcheck(SYSTEM_EXIT_OWNED_MUTEX, (ULONG_PTR)routine, (ULONG_PTR)parameter,
                    (ULONG_PTR)item, 0, "WORK-24",
                    "The driver's work routine %p returned while it owned a mutex.", routine);
    }
}

void ex_work_check_return(const void *routine, PVOID parameter, const void *item)
{
    check_level(routine, parameter, item);
    check_mutexes(routine, parameter, item);
}

static void run(PWORK_QUEUE_ITEM item, PWORKER_THREAD_ROUTINE routine)
{
    PVOID parameter = item->Parameter;
    struct ke_callback callback;
    trace_object(TRACE_WORK_RUN, TRACE_DISPATCH, item, (ULONG_PTR)routine, 0);
    ke_callback_enter(&callback, "a work routine", (void *)(ULONG_PTR)routine);
    routine(parameter);
    ex_work_check_return((const void *)(ULONG_PTR)routine, parameter, item);
    ke_callback_leave(&callback);
}

/* Runs one item. Returns false when the worker shall end. */
static bool run_next(struct ex_work_queues *work)
{
    unsigned priority = 0;
    struct ke_reason reason = {.kind = KE_REASON_IDLE};
    ke_reason_begin(&reason);
    KeWaitForSingleObject(&work->available, WrQueue, KernelMode, FALSE, NULL);
    ke_reason_end(&reason);
    base_mutex_lock(&work->lock);
    struct ex_work_run run_now = {.worker = ke_current()};
    PWORKER_THREAD_ROUTINE routine = NULL;
    PWORK_QUEUE_ITEM item = take(work, &priority);
    work->idle--;
    if (item != NULL) {
        routine = item->WorkerRoutine;
        run_now.routine = (const void *)(ULONG_PTR)routine;
        InsertTailList(&work->running, &run_now.link);
    }
    base_mutex_unlock(&work->lock);
    if (item == NULL) {
        return false;
    }
    KeSetPriorityThread(KeGetCurrentThread(), (KPRIORITY)priority);
    run(item, routine);
    base_mutex_lock(&work->lock);
    RemoveEntryList(&run_now.link);
    work->idle++;
    base_mutex_unlock(&work->lock);
    return true;
}

static void run_worker(void *context)
{
    while (run_next(context)) {
    }
}

/* ---- queueing ---- */

/* Starts the worker whose slot was reserved. */
static void start_worker(struct ex_work_queues *work, unsigned slot)
{
    struct _KTHREAD *thread = NULL;
    NTSTATUS status = ps_start_worker("work queue", run_worker, work, &thread);
    base_mutex_lock(&work->lock);
    work->worker[slot] = thread;
    if (!NT_SUCCESS(status)) {
        work->idle--;
    }
    base_mutex_unlock(&work->lock);
    if (!NT_SUCCESS(status)) {
        ke_warning(NULL, "the host refused a worker thread; work items wait for another");
    }
}

/* Reserves a worker if the items queued outnumber the idle workers. The lock is held. */
static bool reserve_worker(struct ex_work_queues *work, unsigned *slot)
{
    if (atomic_load(&work->queued) <= work->idle || work->worker_count == EX_WORKERS_MAX) {
        return false;
    }
    *slot = work->worker_count++;
    work->idle++;
    return true;
}

bool ex_work_insert(PWORK_QUEUE_ITEM item, WORK_QUEUE_TYPE type)
{
    struct ex_work_queues *work = queues_of_kernel();
    unsigned slot = 0;
    base_mutex_lock(&work->lock);
    if (item->List.Flink != NULL) {
        base_mutex_unlock(&work->lock);
        return false;
    }
    InsertTailList(&work->queue[priority_of(type)], &item->List);
    atomic_fetch_add(&work->queued, 1);
    trace_object(TRACE_WORK_QUEUE, TRACE_DISPATCH, item, (ULONG_PTR)item->WorkerRoutine, 0);
    bool is_reserved = reserve_worker(work, &slot);
    base_mutex_unlock(&work->lock);
    if (is_reserved) {
        start_worker(work, slot);
    }
    KeReleaseSemaphore(&work->available, IO_NO_INCREMENT, 1, FALSE);
    return true;
}

bool ex_work_is_queued(const WORK_QUEUE_ITEM *item)
{
    struct ex_work_queues *work = queues_of_kernel();
    base_mutex_lock(&work->lock);
    bool is_queued = item->List.Flink != NULL;
    base_mutex_unlock(&work->lock);
    return is_queued;
}

static bool lies_in(const WORK_QUEUE_ITEM *item, const void *start, size_t bytes)
{
    ULONG_PTR low = (ULONG_PTR)start;
    ULONG_PTR place = (ULONG_PTR)item;
    return place < low + bytes && low < place + sizeof(*item);
}

const WORK_QUEUE_ITEM *ex_work_find(const void *start, size_t bytes)
{
    struct ex_work_queues *work = queues_of_kernel();
    const WORK_QUEUE_ITEM *found = NULL;
    if (atomic_load(&work->queued) == 0) {
        return NULL;
    }
    base_mutex_lock(&work->lock);
    for (int i = 0; i < EX_WORK_PRIORITIES && found == NULL; i++) {
        const LIST_ENTRY *head = &work->queue[i];
        for (const LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
            const WORK_QUEUE_ITEM *item = CONTAINING_RECORD(entry, WORK_QUEUE_ITEM, List);
            if (lies_in(item, start, bytes)) {
                found = item;
                break;
            }
        }
    }
    base_mutex_unlock(&work->lock);
    return found;
}

/* One that stands in a queue. The lock is held. */
static const void *find_queued_of(const struct ex_work_queues *work, const struct ke_code *code)
{
    for (int i = 0; i < EX_WORK_PRIORITIES; i++) {
        const LIST_ENTRY *head = &work->queue[i];
        for (const LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
            const WORK_QUEUE_ITEM *item = CONTAINING_RECORD(entry, WORK_QUEUE_ITEM, List);
            const void *routine = (const void *)(ULONG_PTR)item->WorkerRoutine;
            if (ke_code_holds(code, routine)) {
                return routine;
            }
        }
    }
    return NULL;
}

const void *ex_work_find_of(const struct ke_code *code)
{
    struct ex_work_queues *work = queues_of_kernel();
    const void *found = NULL;
    base_mutex_lock(&work->lock);
    for (const LIST_ENTRY *entry = work->running.Flink; entry != &work->running && found == NULL;
         entry = entry->Flink) {
        const struct ex_work_run *each = CONTAINING_RECORD(entry, struct ex_work_run, link);
        found = ke_code_holds(code, each->routine) ? each->routine : NULL;
    }
    if (found == NULL && atomic_load(&work->queued) != 0) {
        found = find_queued_of(work, code);
    }
    base_mutex_unlock(&work->lock);
    return found;
}

/* What the worker runs; NULL if nothing. */
static const void *routine_of(struct ex_work_queues *work, const struct _KTHREAD *worker)
{
    const void *found = NULL;
    base_mutex_lock(&work->lock);
    for (const LIST_ENTRY *entry = work->running.Flink; entry != &work->running;
         entry = entry->Flink) {
        const struct ex_work_run *each = CONTAINING_RECORD(entry, struct ex_work_run, link);
        found = each->worker == worker ? each->routine : found;
    }
    base_mutex_unlock(&work->lock);
    return found;
}

/* Routines that wait keep the items behind them from running, for which they may wait. */
static bool suspect(void *context, struct verifier_hang_cause *cause)
{
    struct ex_work_queues *work = context;
    base_mutex_lock(&work->lock);
    unsigned queued = atomic_load(&work->queued);
    bool is_exhausted = queued != 0 && work->idle == 0 && work->worker_count == EX_WORKERS_MAX;
    base_mutex_unlock(&work->lock);
    if (!is_exhausted) {
        return false;
    }
    *cause = (struct verifier_hang_cause){
        .code = MANUALLY_INITIATED_CRASH,
        .parameter = {KE_CRASH_WORKERS, (ULONG_PTR)work, queued},
        .rule = "WORK-17",
    };
    snprintf(cause->sentence, sizeof(cause->sentence),
             "The driver hangs. All %u worker threads run work routines that wait, so that the "
             "work items behind them (%u are queued) are not run, and for %lu ms nothing has "
             "happened.",
             (unsigned)EX_WORKERS_MAX, queued, verifier_hang_ms());
    return true;
}

/* ---- starting and stopping ---- */

void ex_work_start(struct ex_work_queues *work)
{
    base_mutex_init(&work->lock);
    for (int i = 0; i < EX_WORK_PRIORITIES; i++) {
        InitializeListHead(&work->queue[i]);
    }
    InitializeListHead(&work->running);
    KeInitializeSemaphore(&work->available, 0, MAXLONG);
    verifier_asker_add(NULL, suspect, work);
}

static void print_queued(const struct ex_work_queues *work)
{
    for (int i = 0; i < EX_WORK_PRIORITIES; i++) {
        const LIST_ENTRY *head = &work->queue[i];
        for (const LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
            const WORK_QUEUE_ITEM *item = CONTAINING_RECORD(entry, WORK_QUEUE_ITEM, List);
            base_log("left: work item %p, still queued, routine %p\n", (const void *)item,
                     (void *)(ULONG_PTR)item->WorkerRoutine);
        }
    }
}

/* Waits for a worker's end, and says so if it does not come soon; a routine that waits for ever is
 * a hang. */
static void await_end(struct ex_work_queues *work, struct _KTHREAD *worker)
{
    LARGE_INTEGER soon = {.QuadPart = -PATIENCE_MS * 10000LL};
    if (KeWaitForSingleObject(worker, Executive, KernelMode, FALSE, &soon) != STATUS_TIMEOUT) {
        return;
    }
    const void *routine = routine_of(work, worker);
    struct ke_reason reason = {
        .what = "the shutdown", .object = worker, .kind = KE_REASON_END, .rule = "WORK-25"};
    base_log("wskemu: shutdown waits for the work routine %s, which does not return (WORK-25).\n",
             routine != NULL ? base_stack_site((const char *)routine + 1).text : "of a driver");
    ke_reason_begin(&reason);
    KeWaitForSingleObject(worker, Executive, KernelMode, FALSE, NULL);
    ke_reason_end(&reason);
}

/* Lets the workers finish what is queued and ends them. A routine that still runs is waited for,
 * and nothing left: its driver may have been told of its end by its last line. */
void ex_work_quiesce(struct ex_work_queues *work)
{
    base_mutex_lock(&work->lock);
    work->is_stopping = true;
    work->left = atomic_load(&work->queued);
    print_queued(work);
    unsigned workers = work->worker_count;
    base_mutex_unlock(&work->lock);
    if (workers != 0) {
        KeReleaseSemaphore(&work->available, IO_NO_INCREMENT, (LONG)workers, FALSE);
    }
    for (unsigned i = 0; i < workers; i++) {
        if (work->worker[i] != NULL) {
            await_end(work, work->worker[i]);
            ps_join_worker(work->worker[i]);
        }
    }
}

unsigned ex_work_report(struct ex_work_queues *work)
{
    return work->left;
}

void ex_work_stop(struct ex_work_queues *work)
{
    base_mutex_destroy(&work->lock);
}

/* ---- kernel functions ---- */

static void check_item(const WORK_QUEUE_ITEM *item, WORK_QUEUE_TYPE type)
{
    verifier_check_object(item, "work item", 0x131, "WORK-20");
    if (!ex_work_is_valid_type(type)) {
        ke_bugcheck(WORKER_INVALID, 0x6, (ULONG_PTR)item, (ULONG_PTR)type, 0, "WORK-26",
                    "The driver queued the work item %p to the queue %u, which does not exist.",
                    (const void *)item, (unsigned)type);
    }
    if (item->WorkerRoutine == NULL) {
        ke_bugcheck(WORKER_INVALID, 0x7, (ULONG_PTR)item, (ULONG_PTR)type, 0, "WORK-26",
                    "The driver queued the work item %p, which has no routine.",
                    (const void *)item);
    }
}

/*
 * Has the item's routine called with its parameter at PASSIVE_LEVEL in a worker thread. The item
 * must not be queued already. IRQL <= DISPATCH_LEVEL. (WORK-19)
 */
VOID ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_item(WorkItem, QueueType);
    if (QueueType == HyperCriticalWorkQueue) {
        ke_warning("WORK-15", "the driver used HyperCriticalWorkQueue, which is the system's");
    }
    if (!ex_work_insert(WorkItem, QueueType)) {
        ke_bugcheck(WORKER_INVALID, 0x1, (ULONG_PTR)WorkItem, (ULONG_PTR)QueueType, 0, "WORK-09",
                    "The driver queued the work item %p, which is queued already.",
                    (void *)WorkItem);
    }
}
