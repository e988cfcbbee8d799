/* Who runs the loop. See lead.c. */
#ifndef KE_LEAD_H
#define KE_LEAD_H

#include <wdm.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct _KTHREAD;
struct ke_kernel;
struct ke_wait;
struct base_park;
struct base_thread;

/* Most threads that poll for one loop each. */
#define KE_OTHERS_MAX 7

/* Most threads that are woken together. */
#define KE_WAKES_MAX 8

/* A thread that runs a poller: the kernel's object for it, and the host's. */
struct ke_poller_thread {
    struct _KTHREAD *thread;
    struct base_thread *host; /* NULL: not started */
};

/* Guarded by the dispatcher lock. */
struct ke_lead {
    struct _KTHREAD *leader; /* who leads, or NULL */
    bool is_polling;         /* the leader is, or is about to be, in poll */
    bool was_kicked;         /* this poll was kicked already */
    struct _KTHREAD *heir;   /* was woken by a leader and shall lead next; NULL: anybody may */
    uint64_t poll_deadline_ns;
    uint64_t turn;             /* counts changes of the lead */
    _Atomic uint64_t progress; /* changes with each wait that is satisfied and each delivery */
    unsigned idle;             /* threads that are parked and may lead */

    /* Where threads sleep that run on as soon as the lock is free, a reference each. */
    struct base_park *wakes[KE_WAKES_MAX];
    unsigned wake_count;

    struct ke_poller_thread background;
    struct base_park *background_park;
    bool background_sleeps; /* for ever, until woken */
    atomic_bool is_called;  /* something needs a leader that did not before; no lock guards it */
    bool is_stopping;

    struct ke_poller_thread others[KE_OTHERS_MAX]; /* of the other pollers */
    unsigned other_count;
};

/* Leads until the wait is done or the deadline has passed; the dispatcher lock is held on entry and
 * return, and nobody leads on entry. */
void ke_lead(struct ke_wait *wait, uint64_t deadline_ns);

/* Wakes the thread whose wait is done, wherever it sleeps. The dispatcher lock is held. */
void ke_lead_wake(const struct ke_wait *wait);

/* Unlocks the dispatcher lock, then wakes whoever was to be woken: woken before, they would only
 * run into the lock. */
void ke_lead_unlock_and_wake(struct ke_kernel *kernel);

/* Says that the leader has something new to look at, such as an earlier timer. Lock held. */
void ke_lead_kick(void);

/* Whether the thread of this wait may take the lead now. The lock is held. */
bool ke_lead_is_free_for(const struct ke_wait *wait);

/* Sleeps on the parking place of the wait's thread, without leading. The lock is held on entry and
 * return, not between. */
void ke_lead_park(const struct ke_wait *wait, uint64_t deadline_ns);

/* Something happened: for whoever looks whether anything does. Not counted exactly. */
static inline void ke_lead_note_progress(struct ke_lead *lead)
{
    uint64_t before = atomic_load_explicit(&lead->progress, memory_order_relaxed);
    atomic_store_explicit(&lead->progress, before + 1, memory_order_relaxed);
}

/* Whether it is one of the threads that poll. */
bool ke_lead_is_poller(const struct ke_lead *lead, const struct _KTHREAD *thread);

/* Forgets a thread that ends. The lock is held. */
void ke_lead_forget(const struct _KTHREAD *thread);

/* Ends the current or next poll of each poller of a kernel that may be halted. No lock is held. */
void ke_lead_kick_all(struct ke_kernel *kernel);

/* Starts the background thread with the thread object given, and a thread for each poller but the
 * first; false when the host refuses. */
bool ke_lead_start(struct _KTHREAD *thread);

/* Ends these threads. The dispatcher lock is not held. */
void ke_lead_stop(void);

#endif
