/* Memory between pages that nobody may touch, for the blocks of level full. See guarded.c. */
#ifndef EX_GUARDED_H
#define EX_GUARDED_H

#include <wdm.h>

#include "base/mutex.h"
#include "verifier/call_stack.h"

#include <stdbool.h>

/* One block. What it says of itself stands outside of the memory that the driver can spoil. */
struct ex_guarded {
    LIST_ENTRY link; /* in one of the two lists; guarded by the lock */
    UCHAR *pages;    /* what the host gave; the last page is forbidden */
    size_t pages_bytes;
    UCHAR *start; /* of the block */
    size_t bytes;
    const char *what;       /* "pool block" */
    const char *freed_rule; /* what breaks who uses it after its end */
    ULONG tag;              /* 0 if it has none */
    bool is_freed;
    const void *creator;
    const void *freer;
    struct verifier_stack created;
    struct verifier_stack freed;
};

struct ex_guarded_memory {
    struct base_mutex lock;
    LIST_ENTRY live;
    LIST_ENTRY quarantine; /* freed, the oldest first; their pages are forbidden */
    size_t live_count;
    size_t quarantine_count;
    size_t quarantine_bytes;
};

void ex_guarded_start(struct ex_guarded_memory *memory);
void ex_guarded_stop(struct ex_guarded_memory *memory);

/*
 * A zeroed block whose end lies as near before the forbidden page as its alignment allows, behind
 * front_bytes of the caller's. A block of a page or more begins on a page. NULL if there are too
 * many, or memory is short; ordinary memory has to do then.
 */
struct ex_guarded *ex_guarded_obtain(size_t front_bytes, size_t bytes, size_t alignment,
                                     const char *what, const void *creator);

/* The end of a block: its pages are forbidden for as long as the quarantine has room. */
void ex_guarded_retire(struct ex_guarded *block, const void *freer);

/* Bytes between the block's end and the forbidden page. */
static inline size_t ex_guarded_slack(const struct ex_guarded *block)
{
    return (size_t)(block->pages + block->pages_bytes - PAGE_SIZE - (block->start + block->bytes));
}

/* What is known of an address. */
enum ex_guarded_place { EX_GUARDED_NOWHERE, EX_GUARDED_FREED, EX_GUARDED_BEHIND };

/*
 * Whether the address lies in memory that was freed or behind a live block, and in which. For
 * reports: it may be called where a fault came, and knows nothing while somebody holds the lock.
 */
enum ex_guarded_place ex_guarded_find(const void *address, struct ex_guarded *found);

#endif
