#include "base/mutex.h"

#include <stdlib.h>
#include <uv.h>

_Static_assert(sizeof(uv_mutex_t) <= BASE_MUTEX_BYTES, "raise BASE_MUTEX_BYTES");

/* What the calling thread holds; more than this many at once is a mistake of ours. */
#define HELD_MAX 8
static _Thread_local struct base_mutex *held[HELD_MAX];
static _Thread_local unsigned held_count;

static uv_mutex_t *host_mutex(struct base_mutex *mutex)
{
    return (uv_mutex_t *)(void *)mutex->storage;
}

void base_mutex_init(struct base_mutex *mutex)
{
    if (uv_mutex_init(host_mutex(mutex)) != 0) {
        abort();
    }
}

void base_mutex_destroy(struct base_mutex *mutex)
{
    uv_mutex_destroy(host_mutex(mutex));
}

static void note(struct base_mutex *mutex)
{
    if (held_count == HELD_MAX) {
        abort();
    }
    held[held_count++] = mutex;
}

void base_mutex_lock(struct base_mutex *mutex)
{
    uv_mutex_lock(host_mutex(mutex));
    note(mutex);
}

bool base_mutex_try_lock(struct base_mutex *mutex)
{
    if (uv_mutex_trylock(host_mutex(mutex)) != 0) {
        return false;
    }
    note(mutex);
    return true;
}

/* Locks are mostly given back in the reverse order, so the search ends at its first step. */
static void forget(const struct base_mutex *mutex)
{
    unsigned place = held_count;
    while (held[place - 1] != mutex) {
        place--;
    }
    for (held_count--; place <= held_count; place++) {
        held[place - 1] = held[place];
    }
}

void base_mutex_unlock(struct base_mutex *mutex)
{
    forget(mutex);
    uv_mutex_unlock(host_mutex(mutex));
}

void base_mutex_unlock_all(void)
{
    while (held_count != 0) {
        uv_mutex_unlock(host_mutex(held[--held_count]));
    }
}
