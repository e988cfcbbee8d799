#include "base/mutex.h"

#include <stdlib.h>

BASE_THREAD_LOCAL struct base_mutex *base_mutex_held;

void base_mutex_init(struct base_mutex *mutex)
{
    atomic_init(&mutex->word, BASE_MUTEX_FREE);
    mutex->outer = NULL;
}

void base_mutex_destroy(struct base_mutex *mutex)
{
    if (atomic_load(&mutex->word) != BASE_MUTEX_FREE) {
        abort();
    }
}

/* Whoever had to sleep takes it as one that is waited for, because others may sleep on; the last of
 * them wakes nobody then. */
void base_mutex_await(struct base_mutex *mutex)
{
    while (atomic_exchange_explicit(&mutex->word, BASE_MUTEX_CONTENDED, memory_order_acquire) !=
           BASE_MUTEX_FREE) {
        base_word_wait(&mutex->word, BASE_MUTEX_CONTENDED, BASE_FOREVER);
    }
    mutex->outer = base_mutex_held;
    base_mutex_held = mutex;
}

/* Giving back what is not held is a mistake of ours. */
void base_mutex_forget_inner(struct base_mutex *mutex)
{
    struct base_mutex **place = &base_mutex_held;
    while (*place != mutex) {
        if (*place == NULL) {
            abort();
        }
        place = &(*place)->outer;
    }
    *place = mutex->outer;
}

void base_mutex_unlock_all(void)
{
    while (base_mutex_held != NULL) {
        base_mutex_unlock(base_mutex_held);
    }
}
