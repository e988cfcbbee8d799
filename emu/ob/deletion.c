/*
 * Destroying objects elsewhere: for a caller that holds locks which the destruction needs (OB-14),
 * or whose IRQL is too high for it (OB-11). One thread does it, started with the first such object.
 */
#include "ob/deletion.h"

#include "ke/patience.h"
#include "ob/object.h"
#include "ps/thread.h"

#include <stdlib.h>

void ob_deletions_start(struct ob_deletions *deletions)
{
    InitializeListHead(&deletions->queue);
    KeInitializeSemaphore(&deletions->available, 0, MAXLONG);
    KeInitializeEvent(&deletions->idle, NotificationEvent, TRUE);
}

static struct ob_header *take(struct ob_deletions *deletions)
{
    ob_lock();
    struct ob_header *header = NULL;
    if (!IsListEmpty(&deletions->queue)) {
        header = CONTAINING_RECORD(RemoveHeadList(&deletions->queue), struct ob_header, link);
        InitializeListHead(&header->link);
    }
    ob_unlock();
    return header;
}

static void finish(struct ob_deletions *deletions)
{
    ob_lock();
    bool is_last = --deletions->pending == 0;
    if (is_last) {
        KeSetEvent(&deletions->idle, IO_NO_INCREMENT, FALSE);
    }
    ob_unlock();
}

static void run(void *context)
{
    struct ob_deletions *deletions = context;
    for (;;) {
        struct ke_reason reason = {.kind = KE_REASON_IDLE};
        ke_reason_begin(&reason);
        KeWaitForSingleObject(&deletions->available, WrQueue, KernelMode, FALSE, NULL);
        ke_reason_end(&reason);
        struct ob_header *header = take(deletions);
        if (header == NULL) {
            return;
        }
        ob_destroy(header);
        finish(deletions);
    }
}

static void start_thread(struct ob_deletions *deletions)
{
    struct _KTHREAD *thread = NULL;
    if (!NT_SUCCESS(ps_start_worker("object deletion", run, deletions, &thread))) {
        abort();
    }
    ob_lock();
    deletions->thread = thread;
    ob_unlock();
}

void ob_delete_later(struct ob_header *header)
{
    struct ob_deletions *deletions = &ob_state()->deletions;
    ob_lock();
    RemoveEntryList(&header->link);
    InsertTailList(&deletions->queue, &header->link);
    if (deletions->pending++ == 0) {
        KeClearEvent(&deletions->idle);
    }
    bool is_first = !deletions->is_started;
    deletions->is_started = true;
    ob_unlock();
    if (is_first) {
        start_thread(deletions);
    }
    KeReleaseSemaphore(&deletions->available, IO_NO_INCREMENT, 1, FALSE);
}

void ob_wait_for_deletions(void)
{
    struct ob_deletions *deletions = &ob_state()->deletions;
    KeWaitForSingleObject(&deletions->idle, Executive, KernelMode, FALSE, NULL);
}

void ob_deletions_quiesce(struct ob_deletions *deletions)
{
    if (deletions->is_started) {
        KeReleaseSemaphore(&deletions->available, IO_NO_INCREMENT, 1, FALSE);
        ps_join_worker(deletions->thread);
    }
}
