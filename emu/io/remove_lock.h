/* Remove locks. See remove_lock.c. */
#ifndef IO_REMOVE_LOCK_H
#define IO_REMOVE_LOCK_H

#include <wdm.h>

#include "base/mutex.h"

#include <stdbool.h>

#define IO_HOLD_BUCKETS 64

struct io_remove_locks {
    struct base_mutex lock; /* guards all below */
    LIST_ENTRY removers;    /* who waits for the others */
    /* At level full: who holds them, by lock and tag, the newest first. */
    struct io_hold *bucket[IO_HOLD_BUCKETS];
    bool is_incomplete; /* the host was out of memory once */
};

void io_remove_locks_start(struct io_remove_locks *locks);
void io_remove_locks_stop(struct io_remove_locks *locks);

#endif
