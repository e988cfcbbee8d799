/* Sequenced lists, and lists under a spin lock. */
#include "kernel.h"

struct item {
    SLIST_ENTRY link;
    ULONG value;
};

static void last_in_is_first_out(void **state)
{
    SLIST_HEADER list;
    struct item items[3];
    InitializeSListHead(&list);
    assert_null(InterlockedPopEntrySList(&list));
    assert_null(FirstEntrySList(&list));
    assert_null(InterlockedPushEntrySList(&list, &items[0].link));
    assert_ptr_equal(InterlockedPushEntrySList(&list, &items[1].link), &items[0].link);
    assert_ptr_equal(InterlockedPushEntrySList(&list, &items[2].link), &items[1].link);
    assert_int_equal(ExQueryDepthSList(&list), 3);
    assert_ptr_equal(FirstEntrySList(&list), &items[2].link);
    assert_ptr_equal(InterlockedPopEntrySList(&list), &items[2].link);
    PSLIST_ENTRY all = InterlockedFlushSList(&list);
    assert_ptr_equal(all, &items[1].link);
    assert_ptr_equal(all->Next, &items[0].link);
    assert_null(all->Next->Next);
    assert_int_equal(ExQueryDepthSList(&list), 0);
    assert_null(InterlockedFlushSList(&list));
}

#define THREADS 4
#define ROUNDS 3000

static VOID push_and_pop(PVOID context)
{
    PSLIST_HEADER list = context;
    for (int i = 0; i < ROUNDS; i++) {
        struct item *item = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*item), 'tsiL');
        InterlockedPushEntrySList(list, &item->link);
        PSLIST_ENTRY entry = InterlockedPopEntrySList(list);
        if (entry != NULL) {
            ExFreePool(CONTAINING_RECORD(entry, struct item, link));
        }
    }
}

static void threads_never_lose_or_double_an_entry(void **state)
{
    SLIST_HEADER list;
    PKTHREAD threads[THREADS];
    InitializeSListHead(&list);
    for (int i = 0; i < THREADS; i++) {
        threads[i] = start_thread(push_and_pop, &list);
    }
    for (int i = 0; i < THREADS; i++) {
        join_thread(threads[i]);
    }
    assert_null(InterlockedPopEntrySList(&list));
}

static void misaligned_heads_are_refused(void **state)
{
    union {
        SLIST_HEADER list;
        UCHAR bytes[64];
    } memory;
    NTSTATUS status = STATUS_SUCCESS;
    __try {
        InitializeSListHead((PSLIST_HEADER)(PVOID)&memory.bytes[8]);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        status = GetExceptionCode();
    }
    assert_int_equal(status, STATUS_DATATYPE_MISALIGNMENT);
}

static void interlocked_lists_tell_what_was_there(void **state)
{
    LIST_ENTRY head;
    LIST_ENTRY entries[3];
    SINGLE_LIST_ENTRY single = {NULL};
    SINGLE_LIST_ENTRY links[2];
    KSPIN_LOCK lock;
    KIRQL old;
    InitializeListHead(&head);
    KeInitializeSpinLock(&lock);
    assert_null(ExInterlockedRemoveHeadList(&head, &lock));
    assert_null(ExInterlockedInsertTailList(&head, &entries[1], &lock));
    assert_ptr_equal(ExInterlockedInsertHeadList(&head, &entries[0], &lock), &entries[1]);
    assert_ptr_equal(ExInterlockedInsertTailList(&head, &entries[2], &lock), &entries[1]);
    KeRaiseIrql(HIGH_LEVEL, &old);
    PLIST_ENTRY first = ExInterlockedRemoveHeadList(&head, &lock);
    KIRQL level = KeGetCurrentIrql();
    KeLowerIrql(old);
    assert_int_equal(level, HIGH_LEVEL);
    assert_ptr_equal(first, &entries[0]);
    assert_ptr_equal(ExInterlockedRemoveHeadList(&head, &lock), &entries[1]);
    assert_ptr_equal(ExInterlockedRemoveHeadList(&head, &lock), &entries[2]);

    assert_null(ExInterlockedPushEntryList(&single, &links[0], &lock));
    assert_ptr_equal(ExInterlockedPushEntryList(&single, &links[1], &lock), &links[0]);
    assert_ptr_equal(ExInterlockedPopEntryList(&single, &lock), &links[1]);
    assert_ptr_equal(ExInterlockedPopEntryList(&single, &lock), &links[0]);
    assert_null(ExInterlockedPopEntryList(&single, &lock));
}

static void interlocked_sums_return_the_value_before(void **state)
{
    KSPIN_LOCK lock;
    ULONG sum = 40;
    LARGE_INTEGER large = {.QuadPart = 1LL << 40};
    LARGE_INTEGER one = {.QuadPart = -1};
    KeInitializeSpinLock(&lock);
    assert_int_equal(ExInterlockedAddUlong(&sum, 2, &lock), 40);
    assert_int_equal(sum, 42);
    assert_true(ExInterlockedAddLargeInteger(&large, one, &lock).QuadPart == 1LL << 40);
    assert_true(large.QuadPart == (1LL << 40) - 1);
}

static const struct CMUnitTest tests[] = {
    kernel_test(last_in_is_first_out),
    kernel_test(threads_never_lose_or_double_an_entry),
    kernel_test(misaligned_heads_are_refused),
    kernel_test(interlocked_lists_tell_what_was_there),
    kernel_test(interlocked_sums_return_the_value_before),
};

TEST_MAIN(tests)
