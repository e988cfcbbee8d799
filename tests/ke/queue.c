/* Kernel queues. */
#include "kernel.h"

#include <ntifs.h>

struct remover {
    KQUEUE *queue;
    PLIST_ENTRY entry;
};

static VOID remove_one(PVOID context)
{
    struct remover *remover = context;
    remover->entry = KeRemoveQueue(remover->queue, KernelMode, NULL);
}

static void entries_come_in_order(void **state)
{
    KQUEUE queue;
    LIST_ENTRY entries[3];
    LARGE_INTEGER none = {.QuadPart = 0};
    KeInitializeQueue(&queue, 0);
    assert_int_equal(KeInsertQueue(&queue, &entries[1]), 0);
    assert_int_equal(KeInsertQueue(&queue, &entries[2]), 1);
    assert_int_equal(KeInsertHeadQueue(&queue, &entries[0]), 2);
    assert_int_equal(KeReadStateQueue(&queue), 3);
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(KeRemoveQueue(&queue, KernelMode, NULL), &entries[i]);
    }
    assert_int_equal((NTSTATUS)(ULONG_PTR)KeRemoveQueue(&queue, KernelMode, &none), STATUS_TIMEOUT);
    none = interval_ms(1);
    assert_int_equal((NTSTATUS)(ULONG_PTR)KeRemoveQueue(&queue, KernelMode, &none), STATUS_TIMEOUT);
    assert_null(KeRundownQueue(&queue));
}

static void a_waiting_thread_gets_the_entry(void **state)
{
    KQUEUE queue;
    LIST_ENTRY entry;
    struct remover remover = {.queue = &queue};
    KeInitializeQueue(&queue, 1);
    PKTHREAD thread = start_thread(remove_one, &remover);
    await_blocked(thread);
    KIRQL old = KeRaiseIrqlToDpcLevel();
    LONG before = KeInsertQueue(&queue, &entry);
    KeLowerIrql(old);
    join_thread(thread);
    assert_int_equal(before, 0);
    assert_ptr_equal(remover.entry, &entry);
    assert_int_equal(KeReadStateQueue(&queue), 0);
}

static void rundown_ends_waits_and_gives_the_entries(void **state)
{
    KQUEUE queue;
    LIST_ENTRY entries[2];
    struct remover remover = {.queue = &queue};
    KeInitializeQueue(&queue, 1);
    PKTHREAD thread = start_thread(remove_one, &remover);
    await_blocked(thread);
    assert_null(KeRundownQueue(&queue));
    join_thread(thread);
    assert_int_equal((NTSTATUS)(ULONG_PTR)remover.entry, STATUS_ABANDONED);
    KeInsertQueue(&queue, &entries[0]);
    KeInsertQueue(&queue, &entries[1]);
    PLIST_ENTRY first = KeRundownQueue(&queue);
    assert_ptr_equal(first, &entries[0]);
    assert_ptr_equal(first->Flink, &entries[1]);
    assert_ptr_equal(first->Flink->Flink, first);
}

static const struct CMUnitTest tests[] = {
    kernel_test(entries_come_in_order),
    kernel_test(a_waiting_thread_gets_the_entry),
    kernel_test(rundown_ends_waits_and_gives_the_entries),
};

TEST_MAIN(tests)
