/* Device queues. */
#include "kernel.h"

static void an_idle_queue_becomes_busy(void **state)
{
    KDEVICE_QUEUE queue;
    KDEVICE_QUEUE_ENTRY entries[3];
    KeInitializeDeviceQueue(&queue);
    assert_false(queue.Busy);
    assert_false(KeInsertDeviceQueue(&queue, &entries[0]));
    assert_true(queue.Busy);
    assert_false(entries[0].Inserted);
    assert_true(KeInsertDeviceQueue(&queue, &entries[1]));
    assert_true(KeInsertDeviceQueue(&queue, &entries[2]));
    assert_true(entries[1].Inserted);
    assert_ptr_equal(KeRemoveDeviceQueue(&queue), &entries[1]);
    assert_true(KeRemoveEntryDeviceQueue(&queue, &entries[2]));
    assert_false(KeRemoveEntryDeviceQueue(&queue, &entries[2]));
    assert_null(KeRemoveDeviceQueue(&queue));
    assert_false(queue.Busy);
    assert_null(KeRemoveByKeyDeviceQueueIfBusy(&queue, 0));
}

static void keys_sort_entries(void **state)
{
    KDEVICE_QUEUE queue;
    KDEVICE_QUEUE_ENTRY entries[5];
    static const ULONG keys[] = {0, 30, 10, 20, 20};
    KeInitializeDeviceQueue(&queue);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(KeInsertByKeyDeviceQueue(&queue, &entries[i], keys[i]), i != 0);
    }
    assert_ptr_equal(KeRemoveByKeyDeviceQueue(&queue, 15), &entries[3]);
    assert_ptr_equal(KeRemoveByKeyDeviceQueue(&queue, 15), &entries[4]);
    assert_ptr_equal(KeRemoveByKeyDeviceQueue(&queue, 31), &entries[2]);
    assert_ptr_equal(KeRemoveByKeyDeviceQueueIfBusy(&queue, 5), &entries[1]);
    assert_null(KeRemoveByKeyDeviceQueue(&queue, 0));
    assert_false(queue.Busy);
}

static const struct CMUnitTest tests[] = {
    kernel_test(an_idle_queue_becomes_busy),
    kernel_test(keys_sort_entries),
};

TEST_MAIN(tests)
