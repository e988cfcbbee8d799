/* Timers that are set: a heap by due time. Guarded by the dispatcher lock. See timer.c. */
#ifndef KE_TIMER_H
#define KE_TIMER_H

#include <wdm.h>

#include "ke/code.h"
#include "ke/timer_index.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct ke_timer_slot {
    uint64_t due_ns;
    uint64_t order; /* of setting, so that equal due times expire in that order */
    PKTIMER timer;
};

struct ke_timers {
    struct ke_timer_slot *heap;
    _Atomic size_t count; /* written under the lock */
    size_t capacity;
    uint64_t order;
    struct ke_timer_index index;
    size_t steps; /* how many timers were looked at for ranges of memory, for tests */
};

/* Whether any timer is set. */
bool ke_timers_are_set(void);

/* Whether a timer is set that is to do more than tick at least every so many milliseconds. The lock
 * is held. */
bool ke_timers_do_more_than_tick(unsigned long milliseconds);

/* When the next timer is due, BASE_FOREVER when none is set. The lock is held. */
uint64_t ke_timers_next(void);

/* Signals every timer due at now_ns and queues their DPCs. The lock is held. */
void ke_timers_expire(uint64_t now_ns);

/* The first timer that is set and whose object begins in the range, or NULL; no lock is held. */
PKTIMER ke_timers_find(const void *start, size_t bytes);

/* A timer that is set and queues that DPC, or NULL. */
PKTIMER ke_timers_find_by_dpc(const KDPC *dpc);

/* The first timer that is set and whose DPC's routine lies in the code, or NULL; no lock is held.
 */
PKTIMER ke_timers_find_of(const struct ke_code *code);

/* Prints the timers still set and returns how many. */
unsigned ke_timers_report(void);

/* Frees the heap. */
void ke_timers_free(void);

#endif
