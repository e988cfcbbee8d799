/* Cancel-safe queues. */
#include "io_driver.h"

#define REFUSED STATUS_DEVICE_BUSY

/* A queue in the driver's memory, and a record of what its callbacks were asked. */
struct queue {
    IO_CSQ csq;
    KSPIN_LOCK lock;
    LIST_ENTRY irps;
    LONG inserted;
    LONG removed;
    LONG cancelled;
    LONG locked;
    LONG unlocked;
    BOOLEAN is_locked;
    BOOLEAN was_locked_in_insert;
    BOOLEAN was_locked_in_cancel;
    BOOLEAN is_refusing;
    BOOLEAN is_racing; /* two threads use the queue: is_locked is not to be looked at */
    KIRQL irql;
    PVOID insert_context;
    PVOID peek_context;
    PIRP first_peeked;
};

static struct queue *queue_of(PIO_CSQ csq)
{
    return CONTAINING_RECORD(csq, struct queue, csq);
}

static VOID insert_irp(PIO_CSQ csq, PIRP irp)
{
    struct queue *queue = queue_of(csq);
    queue->was_locked_in_insert = queue->is_locked;
    queue->inserted++;
    InsertTailList(&queue->irps, &irp->Tail.Overlay.ListEntry);
}

static NTSTATUS insert_irp_or_refuse(PIO_CSQ csq, PIRP irp, PVOID insert_context)
{
    struct queue *queue = queue_of(csq);
    queue->insert_context = insert_context;
    if (queue->is_refusing) {
        return REFUSED;
    }
    insert_irp(csq, irp);
    return STATUS_SUCCESS;
}

static VOID remove_irp(PIO_CSQ csq, PIRP irp)
{
    queue_of(csq)->removed++;
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
}

static PIRP peek_next_irp(PIO_CSQ csq, PIRP irp, PVOID peek_context)
{
    struct queue *queue = queue_of(csq);
    LIST_ENTRY *entry = irp == NULL ? queue->irps.Flink : irp->Tail.Overlay.ListEntry.Flink;
    queue->peek_context = peek_context;
    if (irp == NULL) {
        queue->first_peeked = irp;
    }
    for (; entry != &queue->irps; entry = entry->Flink) {
        PIRP found = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
        if (peek_context == NULL || found->Tail.Overlay.DriverContext[0] == peek_context) {
            return found;
        }
    }
    return NULL;
}

static VOID acquire_lock(PIO_CSQ csq, PKIRQL irql)
{
    struct queue *queue = queue_of(csq);
    KeAcquireSpinLock(&queue->lock, irql);
    queue->irql = *irql;
    queue->is_locked = TRUE;
    queue->locked++;
}

static VOID release_lock(PIO_CSQ csq, KIRQL irql)
{
    struct queue *queue = queue_of(csq);
    queue->unlocked += irql == queue->irql;
    queue->is_locked = FALSE;
    KeReleaseSpinLock(&queue->lock, irql);
}

static VOID complete_cancelled(PIO_CSQ csq, PIRP irp)
{
    struct queue *queue = queue_of(csq);
    if (!queue->is_racing) {
        queue->was_locked_in_cancel = queue->is_locked;
    }
    queue->cancelled++;
    complete(irp, STATUS_CANCELLED, 0);
}

static void make_queue(struct queue *queue)
{
    RtlZeroMemory(queue, sizeof(*queue));
    KeInitializeSpinLock(&queue->lock);
    InitializeListHead(&queue->irps);
    assert_int_equal(IoCsqInitialize(&queue->csq, insert_irp, remove_irp, peek_next_irp,
                                     acquire_lock, release_lock, complete_cancelled),
                     STATUS_SUCCESS);
}

static void make_queue_ex(struct queue *queue)
{
    make_queue(queue);
    assert_int_equal(IoCsqInitializeEx(&queue->csq, insert_irp_or_refuse, remove_irp, peek_next_irp,
                                       acquire_lock, release_lock, complete_cancelled),
                     STATUS_SUCCESS);
}

/* An IRP in the hands of the driver that has the queue. */
static PIRP hold_irp(void)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(irp, take_back, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(irp);
    return irp;
}

static bool is_marked_pending(PIRP irp)
{
    return (IoGetCurrentIrpStackLocation(irp)->Control & SL_PENDING_RETURNED) != 0;
}

static void end(PIRP irp)
{
    complete(irp, STATUS_SUCCESS, 0);
    IoFreeIrp(irp);
}

static void a_queue_keeps_its_callbacks(void **state)
{
    PROVES("CANCEL-26", "CANCEL-27");
    struct queue queue;
    make_queue(&queue);
    assert_int_equal(sizeof(IO_CSQ), 64);
    assert_ptr_equal(queue.csq.CsqInsertIrp, insert_irp);
    assert_ptr_equal(queue.csq.CsqRemoveIrp, remove_irp);
    assert_ptr_equal(queue.csq.CsqPeekNextIrp, peek_next_irp);
    assert_ptr_equal(queue.csq.CsqAcquireLock, acquire_lock);
    assert_ptr_equal(queue.csq.CsqReleaseLock, release_lock);
    assert_ptr_equal(queue.csq.CsqCompleteCanceledIrp, complete_cancelled);
}

static void an_inserted_irp_is_pending_and_cancelable(void **state)
{
    PROVES("CANCEL-28", "CANCEL-30", "CANCEL-35", "CANCEL-37", "CANCEL-39");
    struct queue queue;
    make_queue(&queue);
    PIRP irp = hold_irp();
    irp->Tail.Overlay.DriverContext[3] = NULL;
    IoCsqInsertIrp(&queue.csq, irp, NULL);
    assert_int_equal(queue.inserted, 1);
    assert_true(queue.was_locked_in_insert);
    assert_int_equal(queue.locked, queue.unlocked);
    assert_true(is_marked_pending(irp));
    assert_non_null(irp->CancelRoutine);
    assert_non_null(irp->Tail.Overlay.DriverContext[3]);
    assert_null(IoCsqRemoveNextIrp(&queue.csq, &queue));
    assert_ptr_equal(queue.peek_context, &queue);
    assert_ptr_equal(IoCsqRemoveNextIrp(&queue.csq, NULL), irp);
    assert_null(irp->CancelRoutine);
    assert_null(irp->Tail.Overlay.DriverContext[3]);
    assert_int_equal(queue.removed, 1);
    assert_null(IoCsqRemoveNextIrp(&queue.csq, NULL));
    end(irp);
}

static void the_lock_callback_keeps_the_level(void **state)
{
    PROVES("CANCEL-39");
    struct queue queue;
    make_queue(&queue);
    PIRP irp = hold_irp();
    KIRQL old = KeRaiseIrqlToDpcLevel();
    IoCsqInsertIrp(&queue.csq, irp, NULL);
    KIRQL seen = queue.irql;
    PIRP removed = IoCsqRemoveNextIrp(&queue.csq, NULL);
    KeLowerIrql(old);
    assert_int_equal(seen, DISPATCH_LEVEL);
    assert_ptr_equal(removed, irp);
    assert_int_equal(queue.locked, queue.unlocked);
    end(irp);
}

static void cancelling_takes_the_irp_out_and_hands_it_over_unlocked(void **state)
{
    PROVES("CANCEL-38");
    struct queue queue;
    make_queue(&queue);
    PIRP irp = hold_irp();
    IoCsqInsertIrp(&queue.csq, irp, NULL);
    assert_true(IoCancelIrp(irp));
    assert_int_equal(queue.removed, 1);
    assert_int_equal(queue.cancelled, 1);
    assert_false(queue.was_locked_in_cancel);
    assert_true(IsListEmpty(&queue.irps));
    assert_int_equal(irp->IoStatus.Status, STATUS_CANCELLED);
    IoFreeIrp(irp);
}

static void an_irp_cancelled_before_is_not_kept(void **state)
{
    PROVES("CANCEL-31");
    struct queue queue;
    IO_CSQ_IRP_CONTEXT context;
    make_queue(&queue);
    for (int i = 0; i < 2; i++) {
        PIRP irp = hold_irp();
        assert_false(IoCancelIrp(irp));
        IoCsqInsertIrp(&queue.csq, irp, i == 0 ? NULL : &context);
        assert_true(IsListEmpty(&queue.irps));
        assert_int_equal(queue.cancelled, i + 1);
        assert_true(irp->PendingReturned);
        IoFreeIrp(irp);
    }
    assert_null(IoCsqRemoveIrp(&queue.csq, &context));
}

static void a_context_removes_its_irp(void **state)
{
    PROVES("CANCEL-36");
    struct queue queue;
    IO_CSQ_IRP_CONTEXT contexts[2];
    PIRP irps[2];
    make_queue(&queue);
    for (int i = 0; i < 2; i++) {
        irps[i] = hold_irp();
        IoCsqInsertIrp(&queue.csq, irps[i], &contexts[i]);
    }
    assert_ptr_equal(IoCsqRemoveIrp(&queue.csq, &contexts[1]), irps[1]);
    assert_null(IoCsqRemoveIrp(&queue.csq, &contexts[1]));
    IoCancelIrp(irps[0]);
    assert_null(IoCsqRemoveIrp(&queue.csq, &contexts[0]));
    IoFreeIrp(irps[0]);
    end(irps[1]);
}

/* An IRP whose cancel routine was taken, but has not got the queue's lock yet. */
static void an_irp_that_is_being_cancelled_is_passed_over(void **state)
{
    PROVES("CANCEL-35", "CANCEL-36");
    struct queue queue;
    IO_CSQ_IRP_CONTEXT context;
    PIRP irps[2];
    make_queue(&queue);
    for (int i = 0; i < 2; i++) {
        irps[i] = hold_irp();
        IoCsqInsertIrp(&queue.csq, irps[i], i == 0 ? &context : NULL);
    }
    PDRIVER_CANCEL taken = IoSetCancelRoutine(irps[0], NULL);
    assert_null(IoCsqRemoveIrp(&queue.csq, &context));
    assert_ptr_equal(IoCsqRemoveNextIrp(&queue.csq, NULL), irps[1]);
    assert_null(IoCsqRemoveNextIrp(&queue.csq, NULL));
    IoSetCancelRoutine(irps[0], taken);
    assert_true(IoCancelIrp(irps[0]));
    IoFreeIrp(irps[0]);
    end(irps[1]);
}

static void insertion_with_a_context_of_the_callbacks(void **state)
{
    PROVES("CANCEL-32", "CANCEL-33");
    struct queue queue;
    IO_CSQ_IRP_CONTEXT context;
    make_queue(&queue);
    PIRP irp = hold_irp();
    assert_int_equal(IoCsqInsertIrpEx(&queue.csq, irp, NULL, &queue), STATUS_SUCCESS);
    assert_null(queue.insert_context);
    assert_ptr_equal(IoCsqRemoveNextIrp(&queue.csq, NULL), irp);
    end(irp);

    make_queue_ex(&queue);
    irp = hold_irp();
    assert_int_equal(IoCsqInsertIrpEx(&queue.csq, irp, NULL, &queue), STATUS_SUCCESS);
    assert_ptr_equal(queue.insert_context, &queue);
    assert_ptr_equal(IoCsqRemoveNextIrp(&queue.csq, NULL), irp);
    end(irp);

    queue.is_refusing = TRUE;
    irp = hold_irp();
    assert_int_equal(IoCsqInsertIrpEx(&queue.csq, irp, &context, NULL), REFUSED);
    assert_true(IsListEmpty(&queue.irps));
    assert_int_equal(queue.cancelled, 0);
    assert_null(irp->CancelRoutine);
    assert_false(is_marked_pending(irp));
    assert_null(IoCsqRemoveIrp(&queue.csq, &context));
    end(irp);
}

/* Threads that insert, remove and cancel at once: every IRP ends exactly once. */
#define RACING_IRPS 200

struct race {
    struct queue queue;
    PIRP irps[RACING_IRPS];
    LONG removed;
};

static VOID cancel_all(PVOID context)
{
    struct race *race = context;
    for (int i = 0; i < RACING_IRPS; i++) {
        IoCancelIrp(race->irps[i]);
    }
}

static VOID remove_all(PVOID context)
{
    struct race *race = context;
    for (int i = 0; i < RACING_IRPS; i++) {
        PIRP irp = IoCsqRemoveNextIrp(&race->queue.csq, NULL);
        if (irp != NULL) {
            race->removed++;
            complete(irp, STATUS_SUCCESS, 0);
        }
    }
}

static void every_irp_ends_once(void **state)
{
    PROVES("CANCEL-35", "CANCEL-38");
    static struct race race;
    make_queue(&race.queue);
    race.queue.is_racing = TRUE;
    race.removed = 0;
    for (int i = 0; i < RACING_IRPS; i++) {
        race.irps[i] = hold_irp();
        IoCsqInsertIrp(&race.queue.csq, race.irps[i], NULL);
    }
    PKTHREAD canceller = start_thread(cancel_all, &race);
    PKTHREAD remover = start_thread(remove_all, &race);
    join_thread(canceller);
    join_thread(remover);
    assert_int_equal(race.removed + race.queue.cancelled, RACING_IRPS);
    assert_true(IsListEmpty(&race.queue.irps));
    for (int i = 0; i < RACING_IRPS; i++) {
        IoFreeIrp(race.irps[i]);
    }
}

static const struct CMUnitTest tests[] = {
    kernel_test(a_queue_keeps_its_callbacks),
    kernel_test(an_inserted_irp_is_pending_and_cancelable),
    kernel_test(the_lock_callback_keeps_the_level),
    kernel_test(cancelling_takes_the_irp_out_and_hands_it_over_unlocked),
    kernel_test(an_irp_cancelled_before_is_not_kept),
    kernel_test(a_context_removes_its_irp),
    kernel_test(an_irp_that_is_being_cancelled_is_passed_over),
    kernel_test(insertion_with_a_context_of_the_callbacks),
    kernel_test(every_irp_ends_once),
};

TEST_MAIN(tests)
