/* Device queues: a list of entries and a busy flag, under a spin lock, all in the driver's memory.
 */
#include "ke/irql.h"
#include "ke/limit.h"
#include "ke/spin_lock.h"

#define DEVICE_QUEUE_OBJECT 20

static KIRQL lock(PKDEVICE_QUEUE queue)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    KIRQL old = ke_raise_irql(DISPATCH_LEVEL);
    ke_spin_lock_acquire(&queue->Lock);
    return old;
}

static void unlock(PKDEVICE_QUEUE queue, KIRQL old)
{
    ke_spin_lock_release(&queue->Lock);
    ke_lower_irql(old);
}

static PKDEVICE_QUEUE_ENTRY entry_of(PLIST_ENTRY link)
{
    return CONTAINING_RECORD(link, KDEVICE_QUEUE_ENTRY, DeviceListEntry);
}

/* The first link whose entry's key is at least (or, if above, more than) key; else the head. */
static PLIST_ENTRY find(PKDEVICE_QUEUE queue, ULONG key, bool above)
{
    PLIST_ENTRY head = &queue->DeviceListHead;
    PLIST_ENTRY link = head->Flink;
    while (link != head &&
           (above ? entry_of(link)->SortKey <= key : entry_of(link)->SortKey < key)) {
        link = link->Flink;
    }
    return link;
}

/* Puts the entry before the link if the queue is busy, else makes the queue busy. */
static BOOLEAN insert_before(PKDEVICE_QUEUE queue, PKDEVICE_QUEUE_ENTRY entry, PLIST_ENTRY link)
{
    BOOLEAN was_busy = queue->Busy;
    queue->Busy = TRUE;
    entry->Inserted = was_busy;
    if (was_busy) {
        InsertTailList(link, &entry->DeviceListEntry);
    }
    return was_busy;
}

/* Takes the entry out; without one the queue is idle. */
static PKDEVICE_QUEUE_ENTRY take(PKDEVICE_QUEUE queue, PLIST_ENTRY link)
{
    if (IsListEmpty(&queue->DeviceListHead)) {
        queue->Busy = FALSE;
        return NULL;
    }
    PKDEVICE_QUEUE_ENTRY entry = entry_of(link);
    RemoveEntryList(&entry->DeviceListEntry);
    entry->Inserted = FALSE;
    return entry;
}

/* Prepares an idle queue. IRQL <= DISPATCH_LEVEL. */
VOID KeInitializeDeviceQueue(PKDEVICE_QUEUE DeviceQueue)
{
    RtlZeroMemory(DeviceQueue, sizeof(*DeviceQueue));
    DeviceQueue->Type = DEVICE_QUEUE_OBJECT;
    DeviceQueue->Size = sizeof(*DeviceQueue);
    InitializeListHead(&DeviceQueue->DeviceListHead);
}

/* Queues the entry last and returns TRUE if the queue is busy; else makes it busy and returns
 * FALSE. IRQL <= DISPATCH_LEVEL. */
BOOLEAN KeInsertDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry)
{
    KIRQL old = lock(DeviceQueue);
    BOOLEAN is_queued = insert_before(DeviceQueue, DeviceQueueEntry, &DeviceQueue->DeviceListHead);
    unlock(DeviceQueue, old);
    return is_queued;
}

/* As KeInsertDeviceQueue, behind the entries whose key is not larger. */
BOOLEAN KeInsertByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry,
                                 ULONG SortKey)
{
    KIRQL old = lock(DeviceQueue);
    DeviceQueueEntry->SortKey = SortKey;
    BOOLEAN is_queued =
        insert_before(DeviceQueue, DeviceQueueEntry, find(DeviceQueue, SortKey, true));
    unlock(DeviceQueue, old);
    return is_queued;
}

/* Takes the first entry; NULL, and the queue is idle, if there is none. IRQL <= DISPATCH_LEVEL. */
PKDEVICE_QUEUE_ENTRY KeRemoveDeviceQueue(PKDEVICE_QUEUE DeviceQueue)
{
    KIRQL old = lock(DeviceQueue);
    PKDEVICE_QUEUE_ENTRY entry = take(DeviceQueue, DeviceQueue->DeviceListHead.Flink);
    unlock(DeviceQueue, old);
    return entry;
}

static PKDEVICE_QUEUE_ENTRY take_by_key(PKDEVICE_QUEUE queue, ULONG key)
{
    PLIST_ENTRY link = find(queue, key, false);
    return take(queue, link != &queue->DeviceListHead ? link : link->Flink);
}

/* Takes the first entry whose key is at least SortKey, else the first of all; NULL, and the queue
 * is idle, if there is none. IRQL <= DISPATCH_LEVEL. */
PKDEVICE_QUEUE_ENTRY KeRemoveByKeyDeviceQueue(PKDEVICE_QUEUE DeviceQueue, ULONG SortKey)
{
    KIRQL old = lock(DeviceQueue);
    PKDEVICE_QUEUE_ENTRY entry = take_by_key(DeviceQueue, SortKey);
    unlock(DeviceQueue, old);
    return entry;
}

/* As KeRemoveByKeyDeviceQueue if the queue is busy, else NULL. IRQL <= DISPATCH_LEVEL. */
PKDEVICE_QUEUE_ENTRY KeRemoveByKeyDeviceQueueIfBusy(PKDEVICE_QUEUE DeviceQueue, ULONG SortKey)
{
    KIRQL old = lock(DeviceQueue);
    PKDEVICE_QUEUE_ENTRY entry = DeviceQueue->Busy ? take_by_key(DeviceQueue, SortKey) : NULL;
    unlock(DeviceQueue, old);
    return entry;
}

/* Takes that entry if it is queued; returns whether it was. IRQL <= DISPATCH_LEVEL. */
BOOLEAN KeRemoveEntryDeviceQueue(PKDEVICE_QUEUE DeviceQueue, PKDEVICE_QUEUE_ENTRY DeviceQueueEntry)
{
    KIRQL old = lock(DeviceQueue);
    BOOLEAN was_queued = DeviceQueueEntry->Inserted;
    if (was_queued) {
        RemoveEntryList(&DeviceQueueEntry->DeviceListEntry);
        DeviceQueueEntry->Inserted = FALSE;
    }
    unlock(DeviceQueue, old);
    return was_queued;
}
