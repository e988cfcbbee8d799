/*
 * Kernel queues: entries for worker threads of a driver.
 *
 * SignalState counts the entries in the list. A thread that finds none stands in the header's wait
 * list, not with a wait block but with the record below, for nobody waits for a queue in any other
 * way than by KeRemoveQueue. Entries go to the thread that came last, as on Windows. MaximumCount
 * is kept and not enforced: no thread is held back while others run.
 */
#include "ke/address.h"
#include "ke/bugcheck.h"
#include "ke/kernel.h"
#include "ke/limit.h"
#include "ke/wait.h"

#include <ntifs.h>

/* A thread in KeRemoveQueue. Lives on its stack. */
struct remover {
    LIST_ENTRY link;
    PLIST_ENTRY entry;
    struct ke_wait wait;
};

/* Prepares a queue. Count is the number of threads that shall run at once, 0 for one a processor.
 * IRQL <= DISPATCH_LEVEL. */
VOID KeInitializeQueue(PRKQUEUE Queue, ULONG Count)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    RtlZeroMemory(Queue, sizeof(*Queue));
    ke_object_initialize(&Queue->Header, KE_QUEUE, sizeof(*Queue) / sizeof(LONG), 0);
    InitializeListHead(&Queue->EntryListHead);
    InitializeListHead(&Queue->ThreadListHead);
    Queue->MaximumCount = Count != 0 ? Count : ke_kernel()->processors.count;
}

/* The number of entries. IRQL <= DISPATCH_LEVEL. */
LONG KeReadStateQueue(PRKQUEUE Queue)
{
    return ReadAcquire(&Queue->Header.SignalState);
}

static void end_removal(struct remover *remover, PLIST_ENTRY entry)
{
    RemoveEntryList(&remover->link);
    InitializeListHead(&remover->link);
    remover->entry = entry;
    ke_wait_finish(&remover->wait, STATUS_SUCCESS);
}

static LONG insert(PRKQUEUE queue, PLIST_ENTRY entry, bool is_first)
{
    ke_lock();
    LONG before = queue->Header.SignalState;
    LIST_ENTRY *waiting = &queue->Header.WaitListHead;
    if (!IsListEmpty(waiting)) {
        end_removal(CONTAINING_RECORD(waiting->Blink, struct remover, link), entry);
    } else {
        if (is_first) {
            InsertHeadList(&queue->EntryListHead, entry);
        } else {
            InsertTailList(&queue->EntryListHead, entry);
        }
        WriteRelease(&queue->Header.SignalState, before + 1);
    }
    ke_unlock();
    return before;
}

/* Puts an entry last, or gives it to a thread that waits; returns how many there were. IRQL <=
 * DISPATCH_LEVEL. */
LONG KeInsertQueue(PRKQUEUE Queue, PLIST_ENTRY Entry)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return insert(Queue, Entry, false);
}

/* As KeInsertQueue, first. */
LONG KeInsertHeadQueue(PRKQUEUE Queue, PLIST_ENTRY Entry)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return insert(Queue, Entry, true);
}

/* Takes the first entry; NULL if there is none. The lock is held. */
static PLIST_ENTRY take(PRKQUEUE queue)
{
    if (IsListEmpty(&queue->EntryListHead)) {
        return NULL;
    }
    WriteRelease(&queue->Header.SignalState, queue->Header.SignalState - 1);
    return RemoveHeadList(&queue->EntryListHead);
}

/* Waits for an entry. The lock is held on entry and on return. */
static PLIST_ENTRY wait_for_entry(PRKQUEUE queue, uint64_t deadline_ns)
{
    struct remover remover = {
        .wait = {.thread = ke_current(), .may_lead = true, .what = queue},
    };
    InsertTailList(&queue->Header.WaitListHead, &remover.link);
    ke_block(&remover.wait, deadline_ns);
    if (remover.wait.status == STATUS_TIMEOUT) {
        RemoveEntryList(&remover.link);
        return (PLIST_ENTRY)(ULONG_PTR)STATUS_TIMEOUT;
    }
    return remover.entry;
}

/*
 * Takes the first entry, waiting for one as long as Timeout (as KeWaitForSingleObject's) says. The
 * result is an entry, or STATUS_TIMEOUT or STATUS_ABANDONED cast to a pointer. IRQL <= APC_LEVEL;
 * DISPATCH_LEVEL with a zero timeout.
 */
PLIST_ENTRY KeRemoveQueue(PRKQUEUE Queue, KPROCESSOR_MODE WaitMode, PLARGE_INTEGER Timeout)
{
    bool is_poll = Timeout != NULL && Timeout->QuadPart == 0;
    UNREFERENCED_PARAMETER(WaitMode);
    KE_IRQL_AT_MOST(is_poll ? DISPATCH_LEVEL : APC_LEVEL);
    uint64_t deadline_ns = ke_deadline(Timeout);
    ke_lock();
    PLIST_ENTRY entry = take(Queue);
    if (entry == NULL) {
        entry =
            is_poll ? (PLIST_ENTRY)(ULONG_PTR)STATUS_TIMEOUT : wait_for_entry(Queue, deadline_ns);
    }
    ke_unlock();
    return entry;
}

/* Ends all waits with STATUS_ABANDONED and empties the queue. Returns the first of the entries,
 * which stay linked in a ring, or NULL. IRQL <= DISPATCH_LEVEL. */
PLIST_ENTRY KeRundownQueue(PRKQUEUE Queue)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    ke_lock();
    LIST_ENTRY *waiting = &Queue->Header.WaitListHead;
    while (!IsListEmpty(waiting)) {
        end_removal(CONTAINING_RECORD(waiting->Flink, struct remover, link),
                    (PLIST_ENTRY)(ULONG_PTR)STATUS_ABANDONED);
    }
    PLIST_ENTRY first = NULL;
    if (!IsListEmpty(&Queue->EntryListHead)) {
        first = Queue->EntryListHead.Flink;
        RemoveEntryList(&Queue->EntryListHead);
        InitializeListHead(&Queue->EntryListHead);
    }
    WriteRelease(&Queue->Header.SignalState, 0);
    ke_unlock();
    return first;
}
