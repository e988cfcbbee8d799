/*
 * Whoever waits for the outside world: declared here so that the dispatcher need not know the net.
 *
 * Only the thread that leads calls poll and deliver, one thread at a time. poll sleeps until the
 * deadline, a kick, or readiness, and only notes what became ready; deliver, called after poll
 * returned and with no lock held, acts on it. kick may come from any thread and is never lost: it
 * ends the current poll or the next one.
 *
 * Whoever polls for the outside world fills all but on_active, which is for the one who leads.
 */
#ifndef BASE_POLLER_H
#define BASE_POLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct base_poller {
    void *context;
    /* Returns whether deliver has work. */
    bool (*poll)(void *context, uint64_t deadline_ns);
    void (*deliver)(void *context);
    void (*kick)(void *context);
    /* Whether anything is watched: a loop that watches nothing needs no leader. Any thread. */
    bool (*active)(void *context);

    /* Called when active turns true, by any thread, maybe with locks held; NULL: nobody asks. */
    void (*on_active)(void *context);
    void *on_active_context;
};

/* For whoever polls: active turned true. */
static inline void base_poller_tell_active(const struct base_poller *poller)
{
    if (poller->on_active != NULL) {
        poller->on_active(poller->on_active_context);
    }
}

/* Says that this thread, which polled, leaves polling to others now; it may compute as long as it
 * likes before it polls again or sleeps. Cheap, any lock may be held. */
void base_poller_leave(void);

#endif
