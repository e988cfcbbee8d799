/* Linked lists. */
#include "kernel.h"

static void empty_list_points_to_itself(void **state)
{
    PROVES("RTL-42");
    LIST_ENTRY head;
    InitializeListHead(&head);
    assert_ptr_equal(head.Flink, &head);
    assert_ptr_equal(head.Blink, &head);
    assert_true(IsListEmpty(&head));
}

static void remove_returns_the_entry_or_the_head(void **state)
{
    PROVES("RTL-43");
    LIST_ENTRY head;
    LIST_ENTRY entries[3];
    InitializeListHead(&head);
    assert_ptr_equal(RemoveHeadList(&head), &head);
    assert_ptr_equal(RemoveTailList(&head), &head);
    InsertTailList(&head, &entries[1]);
    InsertTailList(&head, &entries[2]);
    InsertHeadList(&head, &entries[0]);
    assert_false(IsListEmpty(&head));
    assert_ptr_equal(RemoveTailList(&head), &entries[2]);
    assert_ptr_equal(RemoveHeadList(&head), &entries[0]);
    assert_ptr_equal(RemoveHeadList(&head), &entries[1]);
    assert_true(IsListEmpty(&head));
}

static void remove_entry_tells_whether_the_list_is_empty(void **state)
{
    PROVES("RTL-45", "RTL-47");
    STAYS_SILENT("RTL-46");
    LIST_ENTRY head;
    LIST_ENTRY entries[2];
    InitializeListHead(&head);
    InsertTailList(&head, &entries[0]);
    InsertTailList(&head, &entries[1]);
    assert_false(RemoveEntryList(&entries[0]));
    assert_ptr_equal(entries[0].Flink, &entries[1]);
    assert_ptr_equal(entries[0].Blink, &head);
    assert_true(RemoveEntryList(&entries[1]));
}

static void append_takes_a_list_without_head(void **state)
{
    PROVES("RTL-48");
    LIST_ENTRY head;
    LIST_ENTRY entries[4];
    InitializeListHead(&head);
    InsertTailList(&head, &entries[0]);
    InitializeListHead(&entries[1]);
    InsertTailList(&entries[1], &entries[2]);
    InsertTailList(&entries[1], &entries[3]);
    AppendTailList(&head, &entries[1]);
    for (ULONG index = 0; index < RTL_NUMBER_OF(entries); index++) {
        assert_ptr_equal(RemoveHeadList(&head), &entries[index]);
    }
    assert_true(IsListEmpty(&head));
}

static void single_list_is_a_stack(void **state)
{
    PROVES("RTL-49");
    SINGLE_LIST_ENTRY head = {NULL};
    SINGLE_LIST_ENTRY entries[2];
    assert_null(PopEntryList(&head));
    PushEntryList(&head, &entries[0]);
    PushEntryList(&head, &entries[1]);
    assert_ptr_equal(PopEntryList(&head), &entries[1]);
    assert_ptr_equal(PopEntryList(&head), &entries[0]);
    assert_null(PopEntryList(&head));
}

static void remove_twice(void *context)
{
    LIST_ENTRY head;
    LIST_ENTRY entries[3];
    InitializeListHead(&head);
    for (ULONG index = 0; index < RTL_NUMBER_OF(entries); index++) {
        InsertTailList(&head, &entries[index]);
    }
    RemoveEntryList(&entries[1]);
    if (context != NULL) {
        RemoveEntryList(&entries[1]);
    }
}

static void insert_behind_a_broken_tail(void *context)
{
    LIST_ENTRY head;
    LIST_ENTRY entries[2];
    InitializeListHead(&head);
    InsertTailList(&head, &entries[0]);
    InitializeListHead(&entries[0]);
    InsertTailList(&head, &entries[1]);
}

static void inconsistent_neighbours_stop_the_system(void **state)
{
    PROVES("RTL-46");
    remove_twice(NULL);
    expect_bugcheck(remove_twice, "twice", KERNEL_SECURITY_CHECK_FAILURE,
                    FAST_FAIL_CORRUPT_LIST_ENTRY, "RTL-46");
    expect_bugcheck(insert_behind_a_broken_tail, NULL, KERNEL_SECURITY_CHECK_FAILURE,
                    FAST_FAIL_CORRUPT_LIST_ENTRY, "RTL-46");
}

static void locked_lists_return_neighbours(void **state)
{
    PROVES("RTL-51", "RTL-52");
    KSPIN_LOCK lock;
    LIST_ENTRY head;
    LIST_ENTRY entries[3];
    KeInitializeSpinLock(&lock);
    InitializeListHead(&head);
    assert_null(ExInterlockedRemoveHeadList(&head, &lock));
    assert_null(ExInterlockedInsertTailList(&head, &entries[1], &lock));
    assert_ptr_equal(ExInterlockedInsertTailList(&head, &entries[2], &lock), &entries[1]);
    assert_ptr_equal(ExInterlockedInsertHeadList(&head, &entries[0], &lock), &entries[1]);
    for (ULONG index = 0; index < RTL_NUMBER_OF(entries); index++) {
        assert_ptr_equal(ExInterlockedRemoveHeadList(&head, &lock), &entries[index]);
    }
    assert_null(ExInterlockedInsertHeadList(&head, &entries[0], &lock));
    SINGLE_LIST_ENTRY stack = {NULL};
    SINGLE_LIST_ENTRY links[2];
    assert_null(ExInterlockedPopEntryList(&stack, &lock));
    assert_null(ExInterlockedPushEntryList(&stack, &links[0], &lock));
    assert_ptr_equal(ExInterlockedPushEntryList(&stack, &links[1], &lock), &links[0]);
    assert_ptr_equal(ExInterlockedPopEntryList(&stack, &lock), &links[1]);
}

static void sequenced_list(void **state)
{
    PROVES("RTL-56", "RTL-58");
    SLIST_HEADER list;
    SLIST_ENTRY entries[3];
    ExInitializeSListHead(&list);
    assert_null(InterlockedPopEntrySList(&list));
    assert_null(FirstEntrySList(&list));
    assert_null(InterlockedPushEntrySList(&list, &entries[0]));
    assert_ptr_equal(InterlockedPushEntrySList(&list, &entries[1]), &entries[0]);
    assert_ptr_equal(InterlockedPushEntrySList(&list, &entries[2]), &entries[1]);
    assert_int_equal(ExQueryDepthSList(&list), 3);
    assert_int_equal(sizeof(ExQueryDepthSList(&list)), sizeof(USHORT));
    assert_ptr_equal(FirstEntrySList(&list), &entries[2]);
    assert_ptr_equal(InterlockedPopEntrySList(&list), &entries[2]);
    PSLIST_ENTRY chain = InterlockedFlushSList(&list);
    assert_ptr_equal(chain, &entries[1]);
    assert_ptr_equal(chain->Next, &entries[0]);
    assert_null(chain->Next->Next);
    assert_int_equal(ExQueryDepthSList(&list), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(empty_list_points_to_itself),
    cmocka_unit_test(remove_returns_the_entry_or_the_head),
    cmocka_unit_test(remove_entry_tells_whether_the_list_is_empty),
    cmocka_unit_test(append_takes_a_list_without_head),
    cmocka_unit_test(single_list_is_a_stack),
    kernel_test(inconsistent_neighbours_stop_the_system),
    kernel_test(locked_lists_return_neighbours),
    kernel_test(sequenced_list),
};

TEST_MAIN(tests)
