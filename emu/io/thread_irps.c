/*
 * Requests queued to threads. One list holds them all, for a thread has few and seldom any.
 *
 * A thread that ends cancels its own. While it does so it holds a reference to the IRP, so that
 * completion, which may run at the same time, cannot free it. Then it waits until the last one has
 * left the list; the removing thread signals under the lock, so the event may be on the stack.
 */
#include "io/thread_irps.h"

#include "base/stack.h"
#include "io/io.h"
#include "ke/bugcheck.h"
#include "ke/kernel.h"
#include "ke/warning.h"
#include "verifier/level.h"

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
    atomic_fetch_add_explicit(&irps->threaded_count, 1, memory_order_relaxed);
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

/* The lock is held. */
static void take_out(struct io_irps *irps, PIRP irp)
{
    if (!IsListEmpty(&irp->ThreadListEntry)) {
        atomic_fetch_sub_explicit(&irps->threaded_count, 1, memory_order_relaxed);
    }
    RemoveEntryList(&irp->ThreadListEntry);
    InitializeListHead(&irp->ThreadListEntry);
}

void io_thread_irps_remove(PIRP irp)
{
    struct io_irps *irps = &io_state()->irps;
    base_mutex_lock(&irps->lock);
    take_out(irps, irp);
    tell_leaving(irps, irp->Tail.Overlay.Thread);
    base_mutex_unlock(&irps->lock);
}

/* ---- what a request still needs ---- */

/* So near below the running function there is nothing but the stack. */
#define DEAD_BYTES_MAX 0x10000

static bool is_dead(const void *object, const void *here)
{
    ULONG_PTR distance = (ULONG_PTR)here - (ULONG_PTR)object;
    return object != NULL && distance - 1 < DEAD_BYTES_MAX;
}

/* A request of the thread that needs what lies below here; *what is that. The lock is held. */
static PIRP find_dead(struct io_irps *irps, PETHREAD thread, const void *here, const void **what)
{
    for (LIST_ENTRY *entry = irps->threaded.Flink; entry != &irps->threaded; entry = entry->Flink) {
        PIRP irp = irp_of(entry);
        if (irp->Tail.Overlay.Thread != thread) {
            continue;
        }
        *what = is_dead(irp->UserEvent, here) ? (const void *)irp->UserEvent : irp->UserIosb;
        if (is_dead(*what, here)) {
            return irp;
        }
    }
    return NULL;
}

void io_thread_irps_check_frames(void)
{
    struct io_irps *irps = &io_state()->irps;
    const void *what = NULL;
    const void *here = &what;
    bool is_event = false;
    if (!verifier_is_on() ||
        atomic_load_explicit(&irps->threaded_count, memory_order_relaxed) == 0) {
        return; /* the thread's own ones would be seen: it put them there */
    }
    base_mutex_lock(&irps->lock);
    PIRP irp = find_dead(irps, (PETHREAD)ke_current(), here, &what);
    is_event = irp != NULL && what == irp->UserEvent;
    base_mutex_unlock(&irps->lock);
    if (irp != NULL) {
        ke_violation(DRIVER_VERIFIER_IOMANAGER_VIOLATION, is_event ? 0xD : 0xC, (ULONG_PTR)what, 0,
                     0, "IRP-103",
                     "The driver did not wait for the IRP %p, built by %s, and returned from the "
                     "function in which its %s %p is a variable.",
                     (void *)irp, base_stack_site(io_irp_record(irp)->creator).text,
                     is_event ? "event" : "status block", what);
    }
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
            take_out(irps, irp);
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
