/*
 * Work items: a routine to be called in a worker thread on behalf of a device or driver object.
 *
 * While an item is queued and its routine runs, the object is referenced and its driver stays
 * loaded. The item has left the queue before the routine is called, which may free it or queue it
 * again; so all that is needed after the call is copied before.
 */
#include "io/work_item.h"

#include "base/log.h"
#include "base/stack.h"
#include "ex/pool.h"
#include "ex/work_queue.h"
#include "io/device.h"
#include "io/io.h"
#include "ke/bugcheck.h"
#include "ke/callback.h"
#include "ke/limit.h"
#include "ke/warning.h"
#include "ob/object.h"
#include "verifier/level.h"
#include "verifier/history.h"
#include "verifier/object.h"

#include <stdlib.h>

struct _IO_WORKITEM {
    WORK_QUEUE_ITEM item;
    PVOID object; /* the device or driver object; NULL once uninitialised */
    PIO_WORKITEM_ROUTINE routine;
    PIO_WORKITEM_ROUTINE_EX routine_ex; /* one of the two is NULL */
    PVOID context;
    const void *creator; /* return address of who allocated it */
    LIST_ENTRY link;     /* in io_work_items.allocated; own items of drivers are not in it */
    bool is_allocated;
};

/* For reports. */
static bool find(void *context, const void *address, struct verifier_description *description)
{
    struct io_work_items *items = context;
    bool is_found = false;
    if (!verifier_lock(&items->lock)) {
        return false;
    }
    for (LIST_ENTRY *entry = items->allocated.Flink; entry != &items->allocated && !is_found;
         entry = entry->Flink) {
        const struct _IO_WORKITEM *item = CONTAINING_RECORD(entry, struct _IO_WORKITEM, link);
        is_found = item == address;
        if (is_found) {
            description->kind = "work item";
            description->start = item;
            description->creator = item->creator;
        }
    }
    base_mutex_unlock(&items->lock);
    return is_found;
}

void io_work_items_start(struct io_work_items *items)
{
    base_mutex_init(&items->lock);
    InitializeListHead(&items->allocated);
    verifier_finder_add(find, NULL, items);
}

unsigned io_work_items_report(struct io_work_items *items)
{
    unsigned left = 0;
    for (LIST_ENTRY *entry = items->allocated.Flink; entry != &items->allocated;
         entry = entry->Flink) {
        const struct _IO_WORKITEM *item = CONTAINING_RECORD(entry, struct _IO_WORKITEM, link);
        base_log("left: work item %p, allocated by %s\n", (const void *)item,
                 base_stack_site(item->creator).text);
        left++;
    }
    return left;
}

unsigned io_work_items_report_driver(const struct ke_code *code)
{
    struct io_work_items *items = &io_state()->work_items;
    unsigned left = 0;
    base_mutex_lock(&items->lock);
    for (LIST_ENTRY *entry = items->allocated.Flink; entry != &items->allocated;
         entry = entry->Flink) {
        const struct _IO_WORKITEM *item = CONTAINING_RECORD(entry, struct _IO_WORKITEM, link);
        left += ke_code_warn_of_left(code, "WORK-25", "work item", item, item->creator);
    }
    base_mutex_unlock(&items->lock);
    return left;
}

void io_work_items_stop(struct io_work_items *items)
{
    while (!IsListEmpty(&items->allocated)) {
        free(CONTAINING_RECORD(RemoveHeadList(&items->allocated), struct _IO_WORKITEM, link));
    }
    base_mutex_destroy(&items->lock);
}

static bool is_device(const void *object)
{
    return *(const CSHORT *)object == IO_TYPE_DEVICE;
}

static PDRIVER_OBJECT driver_of(PVOID object)
{
    return is_device(object) ? ((PDEVICE_OBJECT)object)->DriverObject : object;
}

static void check_object(PIO_WORKITEM item, const void *object)
{
    if (object == NULL || (!is_device(object) && *(const CSHORT *)object != IO_TYPE_DRIVER)) {
        ke_bugcheck(WORKER_INVALID, 0x3, (ULONG_PTR)item, (ULONG_PTR)object, 0, "WORK-26",
                    "The driver made the work item %p for %p, which is neither a device nor a "
                    "driver object.",
                    (void *)item, object);
    }
}

/* What the item said; another thread may queue it again as soon as it has left the queue. */
static struct _IO_WORKITEM copy(const struct _IO_WORKITEM *item)
{
    struct io_work_items *items = &io_state()->work_items;
    base_mutex_lock(&items->lock);
    struct _IO_WORKITEM copied = *item;
    base_mutex_unlock(&items->lock);
    return copied;
}

static VOID run(PVOID parameter)
{
    struct _IO_WORKITEM item = copy(parameter);
    struct ke_callback callback;
    const void *routine = item.routine_ex != NULL ? (const void *)(ULONG_PTR)item.routine_ex
                                                  : (const void *)(ULONG_PTR)item.routine;
    ke_callback_enter(&callback, "a work routine", routine);
    if (item.routine_ex != NULL) {
        item.routine_ex(item.object, item.context, parameter);
    } else {
        item.routine(item.object, item.context);
    }
    ex_work_check_return(routine, item.context, parameter);
    ke_callback_leave(&callback);
    io_driver_unpin(driver_of(item.object));
    ob_dereference(item.object);
}

static void initialize(PIO_WORKITEM item, PVOID object)
{
    *item = (struct _IO_WORKITEM){.object = object};
    ExInitializeWorkItem(&item->item, run, item);
}

/*
 * A work item for a device or driver object, or NULL when memory is short. IRQL <= DISPATCH_LEVEL.
 * (WORK-01)
 */
PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
    struct io_work_items *items = &io_state()->work_items;
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_object(NULL, DeviceObject);
    PIO_WORKITEM item = malloc(sizeof(*item));
    if (item == NULL) {
        return NULL;
    }
    initialize(item, DeviceObject);
    item->is_allocated = true;
    item->creator = _ReturnAddress();
    base_mutex_lock(&items->lock);
    InsertTailList(&items->allocated, &item->link);
    base_mutex_unlock(&items->lock);
    verifier_object_made("work item", item, item->creator);
    return item;
}

static void check_not_queued(PIO_WORKITEM item, const char *what)
{
    if (ex_work_is_queued(&item->item)) {
        ke_bugcheck(WORKER_INVALID, 0x2, (ULONG_PTR)item, (ULONG_PTR)item->routine, 0, "WORK-09",
                    "The driver %s the work item %p, which is queued.", what, (void *)item);
    }
}

static void check_origin(PIO_WORKITEM item, bool is_allocated, const char *function)
{
    if (item->object == NULL || item->is_allocated != is_allocated) {
        ke_bugcheck(WORKER_INVALID, 0x2, (ULONG_PTR)item, (ULONG_PTR)item->routine, 0,
                    is_allocated || item->is_allocated ? "WORK-03" : "WORK-05",
                    "The driver called %s on the work item %p, which was not made for that.",
                    function, (void *)item);
    }
}

/* Frees an item of IoAllocateWorkItem that is not queued. IRQL <= DISPATCH_LEVEL. (WORK-03) */
VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
    struct io_work_items *items = &io_state()->work_items;
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_origin(IoWorkItem, true, "IoFreeWorkItem");
    check_not_queued(IoWorkItem, "freed");
    base_mutex_lock(&items->lock);
    RemoveEntryList(&IoWorkItem->link);
    base_mutex_unlock(&items->lock);
    IoWorkItem->object = NULL;
    verifier_note_freed(IoWorkItem, "work item", IoWorkItem->creator, _ReturnAddress());
    verifier_object_unmade(IoWorkItem);
    free(IoWorkItem);
}

/* Bytes of a work item in the driver's own memory. Any IRQL. (WORK-04) */
ULONG IoSizeofWorkItem(VOID)
{
    return sizeof(struct _IO_WORKITEM);
}

static void check_memory(const struct _IO_WORKITEM *item)
{
    struct ex_pool_info info;
    if (verifier_is_on() && ex_pool_find(item, &info) && info.type == PagedPool) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x131, (ULONG_PTR)item, 0, 0, "WORK-05",
                     "The driver made the work item %p in a block of paged pool.",
                     (const void *)item);
    }
}

/* Makes a work item in the driver's own memory. Any IRQL. (WORK-04) */
VOID IoInitializeWorkItem(PVOID IoObject, PIO_WORKITEM IoWorkItem)
{
    ke_current();
    check_object(IoWorkItem, IoObject);
    check_memory(IoWorkItem);
    initialize(IoWorkItem, IoObject);
}

/* Ends the use of an item that IoInitializeWorkItem made. Any IRQL. (WORK-05) */
VOID IoUninitializeWorkItem(PIO_WORKITEM IoWorkItem)
{
    ke_current();
    check_origin(IoWorkItem, false, "IoUninitializeWorkItem");
    check_not_queued(IoWorkItem, "uninitialised");
    IoWorkItem->object = NULL;
}

static void check_queueable(PIO_WORKITEM item, const void *routine, WORK_QUEUE_TYPE type)
{
    check_object(item, item->object);
    if (!ex_work_is_valid_type(type)) {
        ke_bugcheck(WORKER_INVALID, 0x6, (ULONG_PTR)item, (ULONG_PTR)type, 0, "WORK-26",
                    "The driver queued the work item %p to the queue %u, which does not exist.",
                    (void *)item, (unsigned)type);
    }
    if ((ULONG)type < MaximumWorkQueue && type != DelayedWorkQueue) {
        ke_warning("WORK-12",
                   "the driver queued the work item %p to the queue %u; drivers use "
                   "DelayedWorkQueue",
                   (void *)item, (unsigned)type);
    }
    if (routine == NULL) {
        ke_bugcheck(WORKER_INVALID, 0x7, (ULONG_PTR)item, (ULONG_PTR)type, 0, "WORK-26",
                    "The driver queued the work item %p without a routine.", (void *)item);
    }
}

/* Queues an item that is not queued. What it refers to is taken before it can run. */
static bool try_queue(PIO_WORKITEM item, PIO_WORKITEM_ROUTINE routine,
                      PIO_WORKITEM_ROUTINE_EX routine_ex, WORK_QUEUE_TYPE type, PVOID context)
{
    struct io_work_items *items = &io_state()->work_items;
    PVOID object = item->object;
    ob_reference(object);
    io_driver_pin(driver_of(object));
    base_mutex_lock(&items->lock);
    bool is_free = !ex_work_is_queued(&item->item);
    if (is_free) {
        item->routine = routine;
        item->routine_ex = routine_ex;
        item->context = context;
        ex_work_insert(&item->item, type);
    }
    base_mutex_unlock(&items->lock);
    if (!is_free) {
        io_driver_unpin(driver_of(object));
        ob_dereference(object);
    }
    return is_free;
}

static void queue(PIO_WORKITEM item, PIO_WORKITEM_ROUTINE routine,
                  PIO_WORKITEM_ROUTINE_EX routine_ex, WORK_QUEUE_TYPE type, PVOID context)
{
    if (!try_queue(item, routine, routine_ex, type, context)) {
        ke_bugcheck(WORKER_INVALID, 0x1, (ULONG_PTR)item, (ULONG_PTR)type, 0, "WORK-09",
                    "The driver queued the work item %p, which is queued already.", (void *)item);
    }
}

/*
 * Has WorkerRoutine(device, Context) called at PASSIVE_LEVEL in a worker thread. The item must not
 * be queued and must be a device's. IRQL <= DISPATCH_LEVEL. (WORK-06)
 */
VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine,
                     WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_queueable(IoWorkItem, (const void *)(ULONG_PTR)WorkerRoutine, QueueType);
    if (!is_device(IoWorkItem->object)) {
        ke_bugcheck(WORKER_INVALID, 0x3, (ULONG_PTR)IoWorkItem, (ULONG_PTR)IoWorkItem->object, 0,
                    "WORK-02",
                    "The driver queued the work item %p, which it made for a driver object, with "
                    "IoQueueWorkItem; only IoQueueWorkItemEx takes it.",
                    (void *)IoWorkItem);
    }
    queue(IoWorkItem, WorkerRoutine, NULL, QueueType, Context);
}

/* As IoQueueWorkItem, for WorkerRoutine(object, Context, item). (WORK-07) */
VOID IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
                       WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_queueable(IoWorkItem, (const void *)(ULONG_PTR)WorkerRoutine, QueueType);
    queue(IoWorkItem, NULL, WorkerRoutine, QueueType, Context);
}

/* As IoQueueWorkItemEx; FALSE, and nothing is done, if the item is queued. (WORK-23) */
BOOLEAN IoTryQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
                           WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_queueable(IoWorkItem, (const void *)(ULONG_PTR)WorkerRoutine, QueueType);
    return try_queue(IoWorkItem, NULL, WorkerRoutine, QueueType, Context);
}
