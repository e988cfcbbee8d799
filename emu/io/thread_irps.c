/*
 * Requests queued to threads. One list holds them all, for a thread has few and seldom any.
 *
 * A thread that ends cancels its own. While it does so it holds a reference to the IRP, so that
 * completion, which may run at the same time, cannot free it. Then it waits until the last one has
 * left the list; the removing thread signals under the lock, so the event may be on the stack.
 */
#include "io/thread_irps.h"

#include "io/io.h"
#include "ke/kernel.h"
#include "ke/warning.h"

/* How long an ending thread waits for its IRPs, in 100 ns. (CANCEL-23) */
#define WAIT_100NS_MAX (5LL * 60 * 1000 * 1000 * 10)

/* A thread that ends. On its stack. */
struct leaving_thread {
    LIST_ENTRY link; /* in io_irps.leaving */
    PETHREAD thread;
    KEVENT is_free; /* none of its IRPs is left */
};

static PIRP irp_of(LIST_ENTRY *entry)
{
    return CONTAINING_RECORD(entry, IRP, ThreadListEntry);
}

static bool has_irps(struct io_irps *irps, PETHREAD thread)
{
    for (LIST_ENTRY *entry = irps->threaded.Flink; entry != &irps->threaded; entry = entry->Flink) {
        if (irp_of(entry)->Tail.Overlay.Thread == thread) {
            return true;
        }
    }
    return false;
}

void io_thread_irps_insert(PIRP irp)
{
    struct io_irps *irps = &io_state()->irps;
    base_mutex_lock(&irps->lock);
    InsertTailList(&irps->threaded, &irp->ThreadListEntry);
    base_mutex_unlock(&irps->lock);
}

/* Tells the thread that ends that it has no IRPs any more. The lock is held. */
static void tell_leaving(struct io_irps *irps, PETHREAD thread)
{
    for (LIST_ENTRY *entry = irps->leaving.Flink; entry != &irps->leaving; entry = entry->Flink) {
        struct leaving_thread *leaving = CONTAINING_RECORD(entry, struct leaving_thread, link);
        if (leaving->thread == thread && !has_irps(irps, thread)) {
            KeSetEvent(&leaving->is_free, IO_NO_INCREMENT, FALSE);
        }
    }
}

void io_thread_irps_remove(PIRP irp)
{
    struct io_irps *irps = &io_state()->irps;
    base_mutex_lock(&irps->lock);
    RemoveEntryList(&irp->ThreadListEntry);
    InitializeListHead(&irp->ThreadListEntry);
    tell_leaving(irps, irp->Tail.Overlay.Thread);
    base_mutex_unlock(&irps->lock);
}

/* The next IRP of the thread that it has not cancelled yet, referenced; NULL if there is none. */
static PIRP take_next(struct io_irps *irps, PETHREAD thread)
{
    PIRP found = NULL;
    base_mutex_lock(&irps->lock);
    for (LIST_ENTRY *entry = irps->threaded.Flink; entry != &irps->threaded && found == NULL;
         entry = entry->Flink) {
        PIRP irp = irp_of(entry);
        struct io_irp_record *record = io_irp_record(irp);
        if (irp->Tail.Overlay.Thread == thread && !record->is_ended_thread) {
            record->is_ended_thread = true;
            record->references++;
            found = irp;
        }
    }
    base_mutex_unlock(&irps->lock);
    return found;
}

/* Lets go of the IRPs that nobody completed in time. The lock is held. */
static void detach(struct io_irps *irps, PETHREAD thread)
{
    LIST_ENTRY *entry = irps->threaded.Flink;
    while (entry != &irps->threaded) {
        PIRP irp = irp_of(entry);
        entry = entry->Flink;
        if (irp->Tail.Overlay.Thread == thread) {
            RemoveEntryList(&irp->ThreadListEntry);
            InitializeListHead(&irp->ThreadListEntry);
            irp->Tail.Overlay.Thread = NULL;
            ke_warning("CANCEL-23", "the IRP %p was cancelled and not completed; its thread ended",
                       (void *)irp);
        }
    }
}

void io_thread_irps_cancel(PETHREAD thread)
{
    struct io_irps *irps = &io_state()->irps;
    struct leaving_thread leaving = {.thread = thread};
    LARGE_INTEGER timeout = {.QuadPart = -WAIT_100NS_MAX};
    KeInitializeEvent(&leaving.is_free, NotificationEvent, FALSE);
    base_mutex_lock(&irps->lock);
    bool has_any = has_irps(irps, thread);
    if (has_any) {
        InsertTailList(&irps->leaving, &leaving.link);
    }
    base_mutex_unlock(&irps->lock);
    if (!has_any) {
        return;
    }
    for (PIRP irp = take_next(irps, thread); irp != NULL; irp = take_next(irps, thread)) {
        IoCancelIrp(irp);
        io_irp_release(irp);
    }
    KeWaitForSingleObject(&leaving.is_free, Executive, KernelMode, FALSE, &timeout);
    base_mutex_lock(&irps->lock);
    RemoveEntryList(&leaving.link);
    detach(irps, thread);
    base_mutex_unlock(&irps->lock);
}
