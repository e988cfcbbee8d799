/* A host lock. Lock order of the whole emulator stands in docs/architecture.md. */
#ifndef BASE_MUTEX_H
#define BASE_MUTEX_H

#include <stdbool.h>
#include <stdint.h>

#define BASE_MUTEX_BYTES 64

/* Room for the host's mutex, so that it can live in plain structures. */
struct base_mutex {
    _Alignas(8) unsigned char storage[BASE_MUTEX_BYTES];
};

void base_mutex_init(struct base_mutex *mutex);
void base_mutex_destroy(struct base_mutex *mutex);
void base_mutex_lock(struct base_mutex *mutex);
void base_mutex_unlock(struct base_mutex *mutex);

/* Locks it if nobody holds it: the way to take a lock against the lock order. */
bool base_mutex_try_lock(struct base_mutex *mutex);

/* Unlocks all that the calling thread holds: it leaves a halted kernel, where others must not wait
 * for it. */
void base_mutex_unlock_all(void);

#endif
