/*
 * A lock. Lock order of the whole emulator stands in docs/architecture.md.
 *
 * A lock is one word that is free, held, or held and waited for, so that taking and giving back
 * one that nobody else wants is an atomic operation each and no call. Beside it stands which lock
 * the holder took before: from base_mutex_held on these make a list of all that a thread holds,
 * which whoever leaves frames behind needs to give them back.
 *
 * A zeroed lock is a free one.
 */
#ifndef BASE_MUTEX_H
#define BASE_MUTEX_H

#include "base/cold.h"
#include "base/local.h"
#include "base/word.h"

#include <stdbool.h>
#include <stddef.h>

enum { BASE_MUTEX_FREE, BASE_MUTEX_HELD, BASE_MUTEX_CONTENDED };

struct base_mutex {
    base_word word;
    struct base_mutex *outer; /* what the holder took before; its own to use */
};

/* What the calling thread holds, the latest first. */
extern BASE_THREAD_LOCAL struct base_mutex *base_mutex_held;

void base_mutex_init(struct base_mutex *mutex);
void base_mutex_destroy(struct base_mutex *mutex);

/* Unlocks all that the calling thread holds: it leaves a halted kernel, where others must not wait
 * for it. */
void base_mutex_unlock_all(void);

/* What is behind the three below. */
BASE_COLD void base_mutex_await(struct base_mutex *mutex);
BASE_COLD void base_mutex_forget_inner(struct base_mutex *mutex);

/* Locks it if nobody holds it: the way to take a lock against the lock order. */
static inline bool base_mutex_try_lock(struct base_mutex *mutex)
{
    uint32_t seen = BASE_MUTEX_FREE;
    if (!atomic_compare_exchange_strong_explicit(&mutex->word, &seen, BASE_MUTEX_HELD,
                                                 memory_order_acquire, memory_order_relaxed)) {
        return false;
    }
    mutex->outer = base_mutex_held;
    base_mutex_held = mutex;
    return true;
}

static inline void base_mutex_lock(struct base_mutex *mutex)
{
    if (!base_mutex_try_lock(mutex)) {
        base_mutex_await(mutex);
    }
}

/* Locks are mostly given back in the reverse order. */
static inline void base_mutex_unlock(struct base_mutex *mutex)
{
    if (base_mutex_held == mutex) {
        base_mutex_held = mutex->outer;
    } else {
        base_mutex_forget_inner(mutex);
    }
    if (atomic_exchange_explicit(&mutex->word, BASE_MUTEX_FREE, memory_order_release) ==
        BASE_MUTEX_CONTENDED) {
        base_word_wake(&mutex->word);
    }
}

#endif
