#include "base/park.h"

#include "base/clock.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <uv.h>

struct base_park {
    uv_mutex_t lock; /* guards wakes */
    uv_cond_t woken;
    unsigned wakes;
    atomic_uint references;
};

struct base_park *base_park_create(void)
{
    struct base_park *park = calloc(1, sizeof(*park));
    if (park == NULL) {
        return NULL;
    }
    if (uv_mutex_init(&park->lock) != 0 || uv_cond_init(&park->woken) != 0) {
        abort();
    }
    atomic_init(&park->references, 1);
    return park;
}

struct base_park *base_park_retain(struct base_park *park)
{
    atomic_fetch_add(&park->references, 1);
    return park;
}

void base_park_release(struct base_park *park)
{
    if (atomic_fetch_sub(&park->references, 1) != 1) {
        return;
    }
    uv_cond_destroy(&park->woken);
    uv_mutex_destroy(&park->lock);
    free(park);
}

/* Sleeps once, the lock held. Returns false when the deadline has passed. */
static bool sleep_once(struct base_park *park, uint64_t deadline_ns)
{
    if (deadline_ns == BASE_FOREVER) {
        uv_cond_wait(&park->woken, &park->lock);
        return true;
    }
    uint64_t now = base_clock_ns();
    if (now >= deadline_ns) {
        return false;
    }
    uv_cond_timedwait(&park->woken, &park->lock, deadline_ns - now);
    return true;
}

bool base_park_wait(struct base_park *park, uint64_t deadline_ns)
{
    uv_mutex_lock(&park->lock);
    while (park->wakes == 0 && sleep_once(park, deadline_ns)) {
    }
    bool taken = park->wakes != 0;
    if (taken) {
        park->wakes--;
    }
    uv_mutex_unlock(&park->lock);
    return taken;
}

void base_park_wake(struct base_park *park)
{
    uv_mutex_lock(&park->lock);
    park->wakes++;
    uv_cond_signal(&park->woken);
    uv_mutex_unlock(&park->lock);
}
