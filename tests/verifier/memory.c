/* Memory that is not there, or not at this level: what drivers touch, and how it is explained. */
#include "full.h"

#define TAG 'omeM'
#define BYTES 64

struct device {
    UCHAR filler[0x48];
    ULONG counter;
};

static void expect_words(void (*body)(void *), ULONG code, const char *words)
{
    struct wskemu_bugcheck stop = bugcheck_of(body, NULL);
    assert_int_equal(stop.code, code);
    if (strstr(stop.sentence, words) == NULL) {
        print_error("expected \"%s\", got: %s\n", words, stop.sentence);
        fail();
    }
}

/* ---- addresses ---- */

WILD static void touch_null_member(void *context)
{
    struct device *volatile device = NULL;
    device->counter = 1;
}

WILD static void touch_null_member_at_dispatch(void *context)
{
    KeRaiseIrqlToDpcLevel();
    touch_null_member(context);
}

/* The sanitizers have memory of their own in most places, but not here. */
WILD static void touch_wild(void *context)
{
    volatile UCHAR *volatile wild = (UCHAR *)0x4242424000;
    *wild = 1;
}

WILD static void call_null(void *context)
{
    void (*volatile routine)(void) = NULL;
    routine();
}

static void a_null_pointer_is_called_by_its_name(void **state)
{
    UNREFERENCED_PARAMETER(state);
    expect_words(touch_null_member, SYSTEM_THREAD_EXCEPTION_NOT_HANDLED,
                 "a NULL pointer and an offset of 72");
    expect_words(touch_null_member_at_dispatch, DRIVER_IRQL_NOT_LESS_OR_EQUAL,
                 "a NULL pointer and an offset of 72");
    expect_words(touch_wild, PAGE_FAULT_IN_NONPAGED_AREA, "where no memory is");
    expect_words(call_null, SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, "executed");
}

/* ---- the stack of a thread that ended ---- */

static PRKEVENT left_event;

static VOID leave_event_behind(PVOID context)
{
    KEVENT local;
    KeInitializeEvent(&local, NotificationEvent, FALSE);
    InterlockedExchangePointer((PVOID *)&left_event, &local);
}

static void signal_left_event(void *context)
{
    join_thread(start_thread(leave_event_behind, NULL));
    KeSetEvent(left_event, IO_NO_INCREMENT, FALSE);
}

static VOID signal_event(PVOID context)
{
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

static VOID wait_for_own_event(PVOID context)
{
    KEVENT local;
    KeInitializeEvent(&local, NotificationEvent, FALSE);
    PKTHREAD other = start_thread(signal_event, &local);
    wait_object(&local);
    join_thread(other);
}

static void threads_use_their_stacks(void *context)
{
    for (int i = 0; i < 5; i++) {
        join_thread(start_thread(wait_for_own_event, NULL));
    }
}

static void an_event_on_the_stack_of_an_ended_thread_is_caught(void **state)
{
    PROVES("EVT-02");
    expect_at_full(signal_left_event, DRIVER_VERIFIER_DETECTED_VIOLATION, "EVT-02",
                   "on the stack of a thread that has ended");
}

static void events_on_living_stacks_are_left_alone(void **state)
{
    STAYS_SILENT("EVT-02");
    expect_silence_at_full(threads_use_their_stacks);
}

/* ---- objects in paged pool ---- */

static PVOID paged(void)
{
    PVOID block = ExAllocatePool2(POOL_FLAG_PAGED, PAGE_SIZE / 2, TAG);
    assert_non_null(block);
    return block;
}

static void paged_event(void *context)
{
    KeInitializeEvent(paged(), NotificationEvent, FALSE);
}

static void paged_mutex(void *context)
{
    KeInitializeMutex(paged(), 0);
}

static void paged_timer(void *context)
{
    KeInitializeTimer(paged());
}

static void paged_dpc(void *context)
{
    KeInitializeDpc(paged(), NULL, NULL);
}

static void paged_spin_lock(void *context)
{
    KeInitializeSpinLock(paged());
}

static void paged_resource(void *context)
{
    ExInitializeResourceLite(paged());
}

static void paged_semaphore(void *context)
{
    KeInitializeSemaphore(paged(), 0, 1);
}

static void paged_fast_mutex(void *context)
{
    ExInitializeFastMutex(paged());
}

static VOID no_work(PVOID context)
{
}

static void paged_work_item(void *context)
{
    PWORK_QUEUE_ITEM item = paged();
    ExInitializeWorkItem(item, no_work, NULL);
    ExQueueWorkItem(item, DelayedWorkQueue);
}

static void paged_list(void *context)
{
    static KSPIN_LOCK lock;
    PLIST_ENTRY head = paged();
    InitializeListHead(head);
    ExInterlockedRemoveHeadList(head, &lock);
}

static void paged_entry(void *context)
{
    static KSPIN_LOCK lock;
    static LIST_ENTRY head;
    InitializeListHead(&head);
    ExInterlockedInsertTailList(&head, paged(), &lock);
}

static void paged_list_lock(void *context)
{
    static LIST_ENTRY head;
    InitializeListHead(&head);
    ExInterlockedRemoveHeadList(&head, paged());
}

static void paged_wait_blocks(void *context)
{
    static KEVENT event;
    PVOID objects[] = {&event};
    KeInitializeEvent(&event, NotificationEvent, TRUE);
    KeWaitForMultipleObjects(1, objects, WaitAll, Executive, KernelMode, FALSE, NULL, paged());
}

struct case_of {
    void (*body)(void *context);
    const char *rule;
};

static void an_object_in_paged_pool_is_caught(void **state)
{
    PROVES("EVT-02", "MUTEX-02", "TIMER-02", "SPIN-02", "FAST-16", "WAIT-11", "WAIT-25", "WORK-20",
           "RTL-54", "RTL-55", "POOL-28");
    static const struct case_of cases[] = {
        {paged_event, "EVT-02"},        {paged_mutex, "MUTEX-02"},    {paged_timer, "TIMER-02"},
        {paged_dpc, "TIMER-02"},        {paged_spin_lock, "SPIN-02"}, {paged_resource, "FAST-16"},
        {paged_semaphore, "WAIT-11"},   {paged_fast_mutex, "EVT-02"}, {paged_work_item, "WORK-20"},
        {paged_list, "RTL-55"},         {paged_entry, "RTL-55"},      {paged_list_lock, "RTL-54"},
        {paged_wait_blocks, "WAIT-25"},
    };
    for (size_t i = 0; i < RTL_NUMBER_OF(cases); i++) {
        expect_bugcheck(cases[i].body, NULL, DRIVER_VERIFIER_DETECTED_VIOLATION, ANY_PARAMETER,
                        cases[i].rule);
    }
}

/* The block lies between others of both kinds. */
struct objects {
    KEVENT event;
    KMUTEX mutex;
    KTIMER timer;
    KDPC dpc;
    KSPIN_LOCK lock;
    ERESOURCE resource;
    KSEMAPHORE semaphore;
    FAST_MUTEX fast_mutex;
    LIST_ENTRY head;
    LIST_ENTRY entry;
};

static void use_resident_objects(void *context)
{
    PVOID before = paged();
    struct objects *objects = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*objects), TAG);
    PVOID after = paged();
    KeInitializeEvent(&objects->event, NotificationEvent, TRUE);
    KeInitializeMutex(&objects->mutex, 0);
    KeInitializeTimer(&objects->timer);
    KeInitializeDpc(&objects->dpc, NULL, NULL);
    KeInitializeSpinLock(&objects->lock);
    ExInitializeResourceLite(&objects->resource);
    KeInitializeSemaphore(&objects->semaphore, 0, 1);
    ExInitializeFastMutex(&objects->fast_mutex);
    InitializeListHead(&objects->head);
    ExInterlockedInsertTailList(&objects->head, &objects->entry, &objects->lock);
    ExInterlockedRemoveHeadList(&objects->head, &objects->lock);
    ExDeleteResourceLite(&objects->resource);
    ExFreePool(before);
    ExFreePool(objects);
    ExFreePool(after);
}

static void objects_in_resident_memory_are_left_alone(void **state)
{
    STAYS_SILENT("EVT-02", "MUTEX-02", "TIMER-02", "SPIN-02", "FAST-16", "WAIT-11", "RTL-54",
                 "RTL-55", "POOL-28");
    expect_silence(use_resident_objects, NULL);
    expect_silence_at_full(use_resident_objects);
}

/* ---- paged pool at DISPATCH_LEVEL ---- */

static void copy_paged_string(void *context)
{
    WCHAR room[8];
    UNICODE_STRING to = {.MaximumLength = sizeof(room), .Buffer = room};
    UNICODE_STRING from = {.Length = 4, .MaximumLength = 4, .Buffer = paged()};
    KeRaiseIrqlToDpcLevel();
    RtlCopyUnicodeString(&to, &from);
}

static void compare_paged(void *context)
{
    UCHAR local[4] = {0};
    PVOID block = paged();
    KeRaiseIrqlToDpcLevel();
    RtlCompareMemory(local, block, sizeof(local));
}

static void point_at_paged_text(void *context)
{
    UNICODE_STRING string;
    PVOID block = paged();
    KeRaiseIrqlToDpcLevel();
    RtlInitUnicodeString(&string, block);
}

static void hold_paged_rundown(void *context)
{
    PEX_RUNDOWN_REF reference = paged();
    ExInitializeRundownProtection(reference);
    KeRaiseIrqlToDpcLevel();
    ExAcquireRundownProtection(reference);
}

/* The driver's own code: caught at level full, where such blocks are paged out at each raise. */
WILD static void write_paged_at_dispatch_level(void *context)
{
    volatile UCHAR *block = paged();
    *block = 1;
    KeRaiseIrqlToDpcLevel();
    *block = 2;
}

WILD static void read_large_paged_at_dispatch_level(void *context)
{
    volatile UCHAR *block = ExAllocatePool2(POOL_FLAG_PAGED, 4 * PAGE_SIZE, TAG);
    KeRaiseIrqlToDpcLevel();
    (void)block[3 * PAGE_SIZE];
}

static KSPIN_LOCK counter_lock;

WILD static void count_under_lock(void *context)
{
    struct device *device = paged();
    KIRQL old;
    KeInitializeSpinLock(&counter_lock);
    KeAcquireSpinLock(&counter_lock, &old);
    device->counter++;
}

WILD static VOID count_in_dpc(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    ++*(volatile UCHAR *)context;
}

static void count_by_dpc(void *context)
{
    static KDPC dpc;
    KeInitializeDpc(&dpc, count_in_dpc, paged());
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeFlushQueuedDpcs();
}

static void driver_code_that_touches_paged_pool_at_dispatch_level_is_caught(void **state)
{
    PROVES("POOL-28", "POOL-29", "DV-27");
    expect_at_full(write_paged_at_dispatch_level, DRIVER_IRQL_NOT_LESS_OR_EQUAL, "POOL-29",
                   "allocated by paged");
    expect_at_full(read_large_paged_at_dispatch_level, DRIVER_IRQL_NOT_LESS_OR_EQUAL, "POOL-29",
                   "read from");
    expect_at_full(count_under_lock, DRIVER_IRQL_NOT_LESS_OR_EQUAL, "POOL-29", "at IRQL 2");
    expect_at_full(count_by_dpc, DRIVER_IRQL_NOT_LESS_OR_EQUAL, "POOL-29", "in paged pool");
}

static PMDL locked(PVOID block, ULONG bytes)
{
    PMDL mdl = IoAllocateMdl(block, bytes, FALSE, FALSE, NULL);
    __try {
        MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        fail();
    }
    return mdl;
}

/* Between raises, and at DISPATCH_LEVEL while it is locked. */
static void touch_paged_below_and_locked(void *context)
{
    UCHAR *small = ExAllocatePool2(POOL_FLAG_PAGED, BYTES, TAG);
    UCHAR *large = ExAllocatePool2(POOL_FLAG_PAGED, 3 * PAGE_SIZE, TAG);
    KIRQL old;
    for (UCHAR i = 0; i < 3; i++) {
        KeLowerIrql(KeRaiseIrqlToDpcLevel());
        small[BYTES - 1]++;
        large[2 * PAGE_SIZE] = small[BYTES - 1];
    }
    PMDL mdl = locked(large, 3 * PAGE_SIZE);
    PUCHAR mapped = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    mapped[2 * PAGE_SIZE]++;
    KeLowerIrql(old);
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
    KeLowerIrql(KeRaiseIrqlToDpcLevel());
    assert_int_equal(large[2 * PAGE_SIZE], 4);
    KeLowerIrql(KeRaiseIrqlToDpcLevel());
    ExFreePool(small);
    ExFreePool(large);
}

static void paged_pool_below_dispatch_level_or_locked_is_left_alone(void **state)
{
    STAYS_SILENT("POOL-28", "POOL-29");
    expect_silence_at_full(touch_paged_below_and_locked);
    expect_silence(touch_paged_below_and_locked, NULL);
}

static void paged_memory_at_dispatch_level_is_caught(void **state)
{
    PROVES("POOL-28", "POOL-29", "RTL-41", "FAST-47");
    static const struct case_of cases[] = {{copy_paged_string, "RTL-41"},
                                           {compare_paged, "RTL-41"},
                                           {point_at_paged_text, "RTL-41"},
                                           {hold_paged_rundown, "FAST-47"}};
    for (size_t i = 0; i < RTL_NUMBER_OF(cases); i++) {
        expect_bugcheck(cases[i].body, NULL, DRIVER_IRQL_NOT_LESS_OR_EQUAL, ANY_PARAMETER,
                        cases[i].rule);
    }
}

static void touch_at_the_right_level(void *context)
{
    UCHAR *resident = ExAllocatePool2(POOL_FLAG_NON_PAGED, BYTES, TAG);
    UCHAR *block = paged();
    KIRQL old;
    RtlCompareMemory(resident, block, BYTES);
    KeRaiseIrql(APC_LEVEL, &old);
    RtlCompareMemory(resident, block, BYTES);
    KeLowerIrql(old);
    KeRaiseIrql(DISPATCH_LEVEL, &old);
    RtlCompareMemory(resident, resident, BYTES);
    ExFreePool(resident);
    KeLowerIrql(old);
    ExFreePool(block);
}

static void memory_at_the_right_level_is_left_alone(void **state)
{
    STAYS_SILENT("POOL-27", "POOL-28", "POOL-29", "RTL-41", "FAST-47");
    expect_silence(touch_at_the_right_level, NULL);
    expect_silence_at_full(touch_at_the_right_level);
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_null_pointer_is_called_by_its_name),
    kernel_test(an_event_on_the_stack_of_an_ended_thread_is_caught),
    kernel_test(events_on_living_stacks_are_left_alone),
    kernel_test(an_object_in_paged_pool_is_caught),
    kernel_test(objects_in_resident_memory_are_left_alone),
    kernel_test(paged_memory_at_dispatch_level_is_caught),
    kernel_test(memory_at_the_right_level_is_left_alone),
    kernel_test(driver_code_that_touches_paged_pool_at_dispatch_level_is_caught),
    kernel_test(paged_pool_below_dispatch_level_or_locked_is_left_alone),
};

TEST_MAIN(tests)
