/* Where in memory the timers lie that are set; see timer_index.c. Guarded by the dispatcher lock.
 */
#ifndef KE_TIMER_INDEX_H
#define KE_TIMER_INDEX_H

#include <wdm.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory is looked at in pieces of that size. */
#define KE_TIMER_GRANULE 256

#define KE_TIMER_COUNTS 4096 /* a power of two */

struct ke_timer_index {
    /* How many timers begin in the granules that share a count; kept for every timer that is set,
     * and read by anybody. */
    atomic_uint counts[KE_TIMER_COUNTS];
    PKTIMER *place; /* NULL while there is no index */
    size_t count;
    size_t mask; /* places are a power of two */
};

static inline size_t ke_timer_hash(ULONG_PTR granule)
{
    return (size_t)((granule * 0x9E3779B97F4A7C15ULL) >> 32);
}

/* Counts a timer that is set, or was. */
static inline void ke_timer_index_count(struct ke_timer_index *index, const KTIMER *timer, int more)
{
    size_t place = ke_timer_hash((ULONG_PTR)timer / KE_TIMER_GRANULE) % KE_TIMER_COUNTS;
    unsigned before = atomic_load_explicit(&index->counts[place], memory_order_relaxed);
    atomic_store_explicit(&index->counts[place], before + (unsigned)more, memory_order_relaxed);
}

/* False if no timer begins in the range. Needs no lock. */
bool ke_timer_index_may_hold(const struct ke_timer_index *index, const void *start, size_t bytes);

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
