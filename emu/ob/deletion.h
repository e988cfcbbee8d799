/* Objects that are destroyed later, by a thread of the emulator's. See deletion.c. */
#ifndef OB_DELETION_H
#define OB_DELETION_H

#include <wdm.h>

#include <stdbool.h>

struct ob_header;
struct _KTHREAD;

struct ob_deletions {
    LIST_ENTRY queue; /* of ob_header.link; guarded by ob_state.lock, as all down to the thread */
    ULONG pending;    /* objects in the queue or being destroyed */
    bool is_started;
    struct _KTHREAD *thread;
    KSEMAPHORE available; /* counts objects in the queue, and the stop */
    KEVENT idle;          /* signalled while nothing is pending */
};

void ob_deletions_start(struct ob_deletions *deletions);

/* Ends the thread, after the last object. */
void ob_deletions_quiesce(struct ob_deletions *deletions);

/* Leaves an object without references to the deleting thread. IRQL <= DISPATCH_LEVEL. */
void ob_delete_later(struct ob_header *header);

/* Waits until all such objects are destroyed. PASSIVE_LEVEL. */
void ob_wait_for_deletions(void);

#endif
