/* Where in memory the timers lie that are set; see timer_index.c. Guarded by the dispatcher lock.
 */
#ifndef KE_TIMER_INDEX_H
#define KE_TIMER_INDEX_H

#include <wdm.h>

#include <stdbool.h>
#include <stddef.h>

struct ke_timer_index {
    PKTIMER *place; /* NULL while there is no index */
    size_t count;
    size_t mask; /* places are a power of two */
};

/* Adds to an index that is there; drops the index if the host is out of memory. */
void ke_timer_index_add(struct ke_timer_index *index, PKTIMER timer);

/* Removes what was added. Nothing happens if there is no index. */
void ke_timer_index_remove(struct ke_timer_index *index, const KTIMER *timer);

/* Whether the range is small enough for ke_timer_index_find to be quicker than a look at every one
 * of so many timers. */
bool ke_timer_index_pays(size_t bytes, size_t timers);

/* A timer that begins in the range, or NULL. *steps grows by how many places were looked at. */
PKTIMER ke_timer_index_find(const struct ke_timer_index *index, const void *start, size_t bytes,
                            size_t *steps);

/* Begins an index with room for so many timers; without memory there is none. */
void ke_timer_index_begin(struct ke_timer_index *index, size_t timers);

void ke_timer_index_free(struct ke_timer_index *index);

#endif
