/*
 * The index of timers by address.
 *
 * Every free of pool asks whether a timer that is set lies in the block. Mostly none does, which
 * the counts tell without the lock. Where they cannot say, a look at all timers is cheapest as long
 * as there is a handful of them, and then there is no table. Beyond that the first who asks has one
 * made, and from then on setting and cancelling keep it.
 *
 * It is a table of timers with open addressing, by the granule of memory in which they begin: who
 * looks for a range asks for each of its granules. What this keeps true: no place between a timer's
 * own and the one where it stands is empty, so a search ends at the first empty place; taking one
 * out moves those behind it that would be lost.
 */
#include "ke/timer_index.h"

#include <stdint.h>
#include <stdlib.h>

#define PLACES_A_TIMER 4

/* For larger ranges the counts would say yes for some reason or other. */
#define GRANULES_MAX 64

/* With fewer timers no index pays. */
#define TIMERS_MIN 32

static size_t home_of(const struct ke_timer_index *index, ULONG_PTR granule)
{
    return ke_timer_hash(granule) & index->mask;
}

static size_t home_of_timer(const struct ke_timer_index *index, const KTIMER *timer)
{
    return home_of(index, (ULONG_PTR)timer / KE_TIMER_GRANULE);
}

static void put(struct ke_timer_index *index, PKTIMER timer)
{
    size_t place = home_of_timer(index, timer);
    while (index->place[place] != NULL) {
        place = (place + 1) & index->mask;
    }
    index->place[place] = timer;
    index->count++;
}

void ke_timer_index_begin(struct ke_timer_index *index, size_t timers)
{
    size_t places = PLACES_A_TIMER * TIMERS_MIN;
    while (places < timers * PLACES_A_TIMER) {
        places *= 2;
    }
    /* The places are pointers. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    index->place = calloc(places, sizeof(*index->place));
    index->mask = places - 1;
    index->count = 0;
}

void ke_timer_index_free(struct ke_timer_index *index)
{
    free(index->place);
    index->place = NULL;
}

static void grow(struct ke_timer_index *index)
{
    PKTIMER *small = index->place;
    size_t mask = index->mask;
    ke_timer_index_begin(index, index->count * 2);
    for (size_t i = 0; i <= mask && index->place != NULL; i++) {
        if (small[i] != NULL) {
            put(index, small[i]);
        }
    }
    free(small);
}

void ke_timer_index_add(struct ke_timer_index *index, PKTIMER timer)
{
    if ((index->count + 1) * 2 > index->mask) {
        grow(index);
    }
    if (index->place != NULL) {
        put(index, timer);
    }
}

/* Whether a timer at home there may stand in the gap, from where a search would still find it. */
static bool fits(const struct ke_timer_index *index, size_t home, size_t gap, size_t place)
{
    return ((place - home) & index->mask) >= ((place - gap) & index->mask);
}

static void close_gap(struct ke_timer_index *index, size_t gap)
{
    size_t place = (gap + 1) & index->mask;
    while (index->place[place] != NULL) {
        if (fits(index, home_of_timer(index, index->place[place]), gap, place)) {
            index->place[gap] = index->place[place];
            gap = place;
        }
        place = (place + 1) & index->mask;
    }
    index->place[gap] = NULL;
}

void ke_timer_index_remove(struct ke_timer_index *index, const KTIMER *timer)
{
    if (index->place == NULL) {
        return;
    }
    size_t place = home_of_timer(index, timer);
    while (index->place[place] != NULL && index->place[place] != timer) {
        place = (place + 1) & index->mask;
    }
    if (index->place[place] == timer) {
        index->count--;
        close_gap(index, place);
    }
}

bool ke_timer_index_may_hold(const struct ke_timer_index *index, const void *start, size_t bytes)
{
    ULONG_PTR first = (ULONG_PTR)start / KE_TIMER_GRANULE;
    ULONG_PTR last = ((ULONG_PTR)start + bytes - 1) / KE_TIMER_GRANULE;
    if (bytes == 0 || last - first >= GRANULES_MAX) {
        return bytes != 0;
    }
    for (ULONG_PTR granule = first; granule <= last; granule++) {
        size_t place = ke_timer_hash(granule) % KE_TIMER_COUNTS;
        if (atomic_load_explicit(&index->counts[place], memory_order_relaxed) != 0) {
            return true;
        }
    }
    return false;
}

bool ke_timer_index_pays(size_t bytes, size_t timers)
{
    return timers >= TIMERS_MIN && bytes / KE_TIMER_GRANULE < timers;
}

PKTIMER ke_timer_index_find(const struct ke_timer_index *index, const void *start, size_t bytes,
                            size_t *steps)
{
    ULONG_PTR last = ((ULONG_PTR)start + bytes - 1) / KE_TIMER_GRANULE;
    for (ULONG_PTR granule = (ULONG_PTR)start / KE_TIMER_GRANULE; bytes != 0 && granule <= last;
         granule++) {
        size_t place = home_of(index, granule);
        for (; index->place[place] != NULL; place = (place + 1) & index->mask) {
            (*steps)++;
            if ((ULONG_PTR)index->place[place] - (ULONG_PTR)start < bytes) {
                return index->place[place];
            }
        }
    }
    return NULL;
}
