/* Work items of devices and drivers. */
#include "bugcheck.h"
#include "io_driver.h"

/* A routine's run, and what it saw. */
struct work {
    PIO_WORKITEM item;
    KEVENT done;
    KEVENT go;
    volatile LONG runs;
    KIRQL irql;
    PETHREAD thread;
    PVOID object;
    PVOID context;
    PIO_WORKITEM seen_item;
};

static void prepare(struct work *work, PVOID object)
{
    RtlZeroMemory(work, sizeof(*work));
    KeInitializeEvent(&work->done, SynchronizationEvent, FALSE);
    KeInitializeEvent(&work->go, NotificationEvent, FALSE);
    work->item = IoAllocateWorkItem(object);
    assert_non_null(work->item);
}

static VOID note(PDEVICE_OBJECT device, PVOID context)
{
    struct work *work = context;
    work->runs++;
    work->irql = KeGetCurrentIrql();
    work->thread = PsGetCurrentThread();
    work->object = device;
    work->context = context;
    KeSetEvent(&work->done, IO_NO_INCREMENT, FALSE);
}

static VOID note_ex(PVOID object, PVOID context, PIO_WORKITEM item)
{
    struct work *work = context;
    work->seen_item = item;
    note(object, context);
}

static void a_routine_runs_at_passive_level_for_its_device(void **state)
{
    PROVES("WORK-01", "WORK-06");
    STAYS_SILENT("WORK-02", "WORK-03");
    struct work work;
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    prepare(&work, device);
    KIRQL old = KeRaiseIrqlToDpcLevel();
    IoQueueWorkItem(work.item, note, DelayedWorkQueue, &work);
    KeLowerIrql(old);
    wait_object(&work.done);
    assert_int_equal(work.runs, 1);
    assert_int_equal(work.irql, PASSIVE_LEVEL);
    assert_ptr_equal(work.object, device);
    assert_ptr_equal(work.context, &work);
    assert_true(PsIsSystemThread(work.thread));
    IoFreeWorkItem(work.item);
}

static void the_ex_routine_gets_the_item(void **state)
{
    PROVES("WORK-01", "WORK-07");
    struct work work;
    PDRIVER_OBJECT driver = load_plain();
    prepare(&work, driver);
    IoQueueWorkItemEx(work.item, note_ex, DelayedWorkQueue, &work);
    wait_object(&work.done);
    assert_ptr_equal(work.object, driver);
    assert_ptr_equal(work.seen_item, work.item);
    IoFreeWorkItem(work.item);
}

static void an_item_may_lie_in_the_drivers_memory(void **state)
{
    PROVES("WORK-04");
    struct work work;
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    prepare(&work, device);
    IoFreeWorkItem(work.item);
    work.item = ExAllocatePool2(POOL_FLAG_NON_PAGED, IoSizeofWorkItem(), 'tseT');
    IoInitializeWorkItem(device, work.item);
    for (int i = 0; i < 2; i++) {
        IoQueueWorkItemEx(work.item, note_ex, DelayedWorkQueue, &work);
        wait_object(&work.done);
    }
    assert_int_equal(work.runs, 2);
    IoUninitializeWorkItem(work.item);
    ExFreePool(work.item);
}

static VOID queue_again(PVOID object, PVOID context, PIO_WORKITEM item)
{
    struct work *work = context;
    UNREFERENCED_PARAMETER(object);
    if (InterlockedIncrement(&work->runs) < 3) {
        IoQueueWorkItemEx(item, queue_again, DelayedWorkQueue, work);
        return;
    }
    IoFreeWorkItem(item);
    KeSetEvent(&work->done, IO_NO_INCREMENT, FALSE);
}

static void a_routine_may_queue_again_and_free_its_item(void **state)
{
    PROVES("WORK-08");
    STAYS_SILENT("WORK-09");
    struct work work;
    prepare(&work, add_device(load_plain(), NULL, NULL, NULL));
    IoQueueWorkItemEx(work.item, queue_again, DelayedWorkQueue, &work);
    wait_object(&work.done);
    assert_int_equal(work.runs, 3);
}

static VOID wait_for_go(PVOID object, PVOID context, PIO_WORKITEM item)
{
    struct work *work = context;
    UNREFERENCED_PARAMETER(object);
    UNREFERENCED_PARAMETER(item);
    KeSetEvent(&work->done, IO_NO_INCREMENT, FALSE);
    wait_object(&work->go);
}

static void items_run_beside_each_other(void **state)
{
    PROVES("WORK-16");
    static struct work works[3]; /* the routines may look at them after this function */
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        prepare(&works[i], device);
        IoQueueWorkItemEx(works[i].item, wait_for_go, DelayedWorkQueue, &works[i]);
    }
    for (int i = 0; i < 3; i++) {
        wait_object(&works[i].done);
    }
    for (int i = 0; i < 3; i++) {
        KeSetEvent(&works[i].go, IO_NO_INCREMENT, FALSE);
        IoFreeWorkItem(works[i].item);
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

static VOID wait_and_free(PVOID object, PVOID context, PIO_WORKITEM item)
{
    struct work *work = context;
    wait_for_go(object, context, item);
    work->object = object;
    IoFreeWorkItem(item);
}

static void a_running_item_keeps_its_driver_and_device(void **state)
{
    PROVES("WORK-10");
    struct work work;
    struct unloading unloading = {.driver = load_plain()};
    PDEVICE_OBJECT device = add_device(unloading.driver, NULL, NULL, NULL);
    prepare(&work, device);
    IoQueueWorkItemEx(work.item, wait_and_free, DelayedWorkQueue, &work);
    wait_object(&work.done);
    PKTHREAD thread = start_thread(unload_in_thread, &unloading);
    await_blocked(thread);
    assert_int_equal(unloading.is_unloaded, 0);
    assert_int_equal(device->Type, IO_TYPE_DEVICE);
    KeSetEvent(&work.go, IO_NO_INCREMENT, FALSE);
    join_thread(thread);
    assert_int_equal(unloading.is_unloaded, 1);
    assert_ptr_equal(work.object, device);
}

/* Fills all workers, so that an item stays queued until the test lets them go. */
#define BLOCKERS 32

static void trying_tells_whether_the_item_was_queued(void **state)
{
    PROVES("WORK-23");
    static struct work blockers[BLOCKERS];
    struct work work;
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    for (int i = 0; i < BLOCKERS; i++) {
        prepare(&blockers[i], device);
        IoQueueWorkItemEx(blockers[i].item, wait_for_go, DelayedWorkQueue, &blockers[i]);
        wait_object(&blockers[i].done);
    }
    prepare(&work, device);
    assert_true(IoTryQueueWorkItem(work.item, note_ex, DelayedWorkQueue, &work));
    assert_false(IoTryQueueWorkItem(work.item, note_ex, DelayedWorkQueue, &work));
    for (int i = 0; i < BLOCKERS; i++) {
        KeSetEvent(&blockers[i].go, IO_NO_INCREMENT, FALSE);
        IoFreeWorkItem(blockers[i].item);
    }
    wait_object(&work.done);
    assert_int_equal(work.runs, 1);
    IoFreeWorkItem(work.item);
}

/* ---- what must be caught ---- */

/* Threads of a kernel that a bug check halted may be in their set still: none is used twice. */
static void block_workers(PDEVICE_OBJECT device)
{
    static struct work sets[2][BLOCKERS];
    static size_t sets_used;
    assert_true(sets_used < RTL_NUMBER_OF(sets));
    struct work *blockers = sets[sets_used++];
    for (int i = 0; i < BLOCKERS; i++) {
        prepare(&blockers[i], device);
        IoQueueWorkItemEx(blockers[i].item, wait_for_go, DelayedWorkQueue, &blockers[i]);
        wait_object(&blockers[i].done);
    }
}

static struct work *queued_work(void)
{
    static struct work work;
    PDEVICE_OBJECT device = add_device(load_plain(), NULL, NULL, NULL);
    block_workers(device);
    prepare(&work, device);
    IoQueueWorkItem(work.item, note, DelayedWorkQueue, &work);
    return &work;
}

static void queue_twice(void *context)
{
    UNREFERENCED_PARAMETER(context);
    struct work *work = queued_work();
    IoQueueWorkItem(work->item, note, DelayedWorkQueue, work);
}

static void free_queued(void *context)
{
    UNREFERENCED_PARAMETER(context);
    IoFreeWorkItem(queued_work()->item);
}

static void make_for_nothing(void *context)
{
    static CSHORT nothing[8];
    UNREFERENCED_PARAMETER(context);
    IoAllocateWorkItem((PDEVICE_OBJECT)(PVOID)nothing);
}

static void queue_drivers_item_plainly(void *context)
{
    struct work work;
    UNREFERENCED_PARAMETER(context);
    prepare(&work, load_plain());
    IoQueueWorkItem(work.item, note, DelayedWorkQueue, &work);
}

static void queue_without_routine(void *context)
{
    struct work work;
    UNREFERENCED_PARAMETER(context);
    prepare(&work, add_device(load_plain(), NULL, NULL, NULL));
    IoQueueWorkItem(work.item, NULL, DelayedWorkQueue, &work);
}

static void queue_to_nowhere(void *context)
{
    struct work work;
    UNREFERENCED_PARAMETER(context);
    prepare(&work, add_device(load_plain(), NULL, NULL, NULL));
    IoQueueWorkItem(work.item, note, (WORK_QUEUE_TYPE)20, &work);
}

static void uninitialise_allocated(void *context)
{
    struct work work;
    UNREFERENCED_PARAMETER(context);
    prepare(&work, add_device(load_plain(), NULL, NULL, NULL));
    IoUninitializeWorkItem(work.item);
}

static VOID stay_high(PDEVICE_OBJECT device, PVOID context)
{
    KIRQL old;
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(context);
    KeRaiseIrql(APC_LEVEL, &old);
}

static void queue_to_stay_high(void *context)
{
    struct work work;
    UNREFERENCED_PARAMETER(context);
    prepare(&work, add_device(load_plain(), NULL, NULL, NULL));
    IoQueueWorkItem(work.item, stay_high, DelayedWorkQueue, &work);
    wait_object(&work.done);
}

static void misuse_of_a_work_item_is_caught(void **state)
{
    PROVES("WORK-02", "WORK-03", "WORK-09", "WORK-24", "WORK-26");
    expect_bugcheck(queue_twice, NULL, WORKER_INVALID, 1, "WORK-09");
    expect_bugcheck(free_queued, NULL, WORKER_INVALID, 2, "WORK-09");
    expect_bugcheck(make_for_nothing, NULL, WORKER_INVALID, 3, "WORK-26");
    expect_bugcheck(queue_drivers_item_plainly, NULL, WORKER_INVALID, 3, "WORK-02");
    expect_bugcheck(queue_to_nowhere, NULL, WORKER_INVALID, 6, "WORK-26");
    expect_bugcheck(queue_without_routine, NULL, WORKER_INVALID, 7, "WORK-26");
    expect_bugcheck(uninitialise_allocated, NULL, WORKER_INVALID, 2, "WORK-03");
    expect_bugcheck(queue_to_stay_high, NULL, WORKER_THREAD_RETURNED_AT_BAD_IRQL,
                    (ULONG_PTR)stay_high, "WORK-24");
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_routine_runs_at_passive_level_for_its_device),
    kernel_test(the_ex_routine_gets_the_item),
    kernel_test(an_item_may_lie_in_the_drivers_memory),
    kernel_test(a_routine_may_queue_again_and_free_its_item),
    kernel_test(items_run_beside_each_other),
    kernel_test(a_running_item_keeps_its_driver_and_device),
    kernel_test(trying_tells_whether_the_item_was_queued),
    kernel_test(misuse_of_a_work_item_is_caught),
};

TEST_MAIN(tests)
