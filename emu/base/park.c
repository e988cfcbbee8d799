#include "base/park.h"

#include "base/clock.h"

#include <stdlib.h>

/* The word is SLEEPING only while its thread sleeps, so that a wake that nobody sleeps for is no
 * call of the host. */
enum { EMPTY, WOKEN, SLEEPING };

struct base_park {
    base_word word;
    atomic_uint references;
};

struct base_park *base_park_create(void)
{
    struct base_park *park = calloc(1, sizeof(*park));
    if (park != NULL) {
        atomic_init(&park->word, EMPTY);
        atomic_init(&park->references, 1);
    }
    return park;
}

struct base_park *base_park_retain(struct base_park *park)
{
    atomic_fetch_add_explicit(&park->references, 1, memory_order_relaxed);
    return park;
}

void base_park_release(struct base_park *park)
{
    if (atomic_fetch_sub(&park->references, 1) == 1) {
        free(park);
    }
}

/* Whether the deadline has passed, or a wake ended the sleep. */
static bool sleep_once(struct base_park *park, uint64_t deadline_ns)
{
    base_word_wait(&park->word, SLEEPING, deadline_ns);
    return atomic_load(&park->word) != SLEEPING ||
           (deadline_ns != BASE_FOREVER && base_clock_ns() >= deadline_ns);
}

bool base_park_wait(struct base_park *park, uint64_t deadline_ns)
{
    uint32_t seen = EMPTY;
    if (atomic_compare_exchange_strong(&park->word, &seen, SLEEPING)) {
        while (!sleep_once(park, deadline_ns)) {
        }
    }
    return atomic_exchange(&park->word, EMPTY) == WOKEN;
}

void base_park_wake(struct base_park *park)
{
    if (atomic_exchange(&park->word, WOKEN) == SLEEPING) {
        base_word_wake(&park->word);
    }
}
