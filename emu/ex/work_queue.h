/* Work items, Ex's and Io's, and the threads that run them. See work_queue.c. */
#ifndef EX_WORK_QUEUE_H
#define EX_WORK_QUEUE_H

#include <wdm.h>

#include "base/mutex.h"
#include "ke/code.h"

#include <stdatomic.h>
#include <stdbool.h>

#define EX_WORKERS_MAX 32
#define EX_WORK_PRIORITIES 32

struct _KTHREAD;

/* A routine that runs; on its worker's stack. */
struct ex_work_run {
    LIST_ENTRY link;
    const void *routine;
    const struct _KTHREAD *worker;
};

struct ex_work_queues {
    struct base_mutex lock; /* guards all below */
    LIST_ENTRY queue[EX_WORK_PRIORITIES];
    atomic_uint queued; /* items in the queues */
    unsigned idle;      /* workers that wait for an item */
    LIST_ENTRY running; /* ex_work_run */
    unsigned worker_count;
    struct _KTHREAD *worker[EX_WORKERS_MAX];
    unsigned left; /* items in the queues when the kernel stopped */
    bool is_stopping;
    KSEMAPHORE available; /* counts queued items, and a stop for each worker */
};

void ex_work_start(struct ex_work_queues *work);
void ex_work_quiesce(struct ex_work_queues *work);
unsigned ex_work_report(struct ex_work_queues *work);
void ex_work_stop(struct ex_work_queues *work);

/* Whether type names a queue: one of the enumerated, or CustomPriorityWorkQueue + priority. */
bool ex_work_is_valid_type(WORK_QUEUE_TYPE type);

/*
 * Queues an initialised item; false, and nothing is done, if it is queued already. The item has
 * left its queue before its routine is called, which may free it. IRQL <= DISPATCH_LEVEL.
 */
bool ex_work_insert(PWORK_QUEUE_ITEM item, WORK_QUEUE_TYPE type);

/* Bug checks if a routine returned at another level or with a mutex. item is for the report. */
void ex_work_check_return(const void *routine, PVOID parameter, const void *item);

/* Whether the item stands in a queue. */
bool ex_work_is_queued(const WORK_QUEUE_ITEM *item);

/* A routine in the driver's code that runs, or stands in a queue; NULL if there is none. */
const void *ex_work_find_of(const struct ke_code *code);

/* A queued item that lies in the range, or NULL. */
const WORK_QUEUE_ITEM *ex_work_find(const void *start, size_t bytes);

#endif
