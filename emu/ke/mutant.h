/* Mutex objects, seen from the dispatcher. The dispatcher lock is held. */
#ifndef KE_MUTANT_H
#define KE_MUTANT_H

#include <wdm.h>

#include <stdbool.h>

struct ke_wait;

/* Whether the waiting thread owns the mutex, at the level at which it waits. */
bool ke_mutant_is_owner(const DISPATCHER_HEADER *object, const struct ke_wait *wait);

/* Whether the waiting thread owns the mutex as often as it can. */
bool ke_mutant_is_at_limit(const DISPATCHER_HEADER *object, const struct ke_wait *wait);

/* Gives a mutex that is free to the waiting thread; STATUS_ABANDONED if its last owner ended
 * without releasing it. The caller writes the state. */
NTSTATUS ke_mutant_acquire(DISPATCHER_HEADER *object, struct ke_wait *wait);

#endif
