/*
 * Who runs the loop.
 *
 * One thread at a time leads: it polls (for the network, the next timer, a kick), and after each
 * poll delivers what became ready, expires timers and runs DPCs, on top of whatever it was waiting
 * for. That is what Windows does: a DPC runs on the thread that happens to be there.
 *
 * - A thread that has to wait takes the lead if nobody has it and somebody needs a leader: if the
 *   network is watched, a timer set, a DPC left. Else it parks, because waking a leader from its
 *   poll costs more. What needs a leader later calls the background thread.
 * - Leadership follows activity: a leader that satisfied another thread's wait gives the lead up
 *   and sleeps; that thread takes it with its next wait. So a driver thread that sends, receives
 *   and waits does all of it without waking another thread.
 * - An heir may come back to wait before its leader has given the lead up. It declines then, and
 *   the leader goes on: else both would sleep and nobody would lead.
 * - While the lead is free, the background thread looks once a grace period whether somebody took
 *   it. If nobody did for a whole period, it leads itself, so that sockets and timers go on while
 *   every thread computes. It sleeps for ever while somebody leads, or while there is nothing that
 *   needs a leader; called from there, it leads at once if threads are parked that might have, for
 *   they will not come by themselves.
 * - The emulator's own workers are never handed the lead.
 * - The background thread also looks, some times in WSKEMU_HANG_MS, whether the kernel hangs
 *   (verifier/hang.c), wherever it sleeps: waiting, leading, or inside a driver's routine.
 * - Who gives the lead up lets go of the poller first, because a host may count whoever polled as
 *   busy with it, and let nobody else poll as long as that thread computes (base/poller.h). While
 *   it still leads and delivers there is no need: nobody else polls then.
 *
 * All that is about the first poller. A network with several loops has a poller each, and each
 * further one has a thread of its own, which polls for ever and delivers at DISPATCH_LEVEL: the
 * network then uses several processors, whatever the threads of the drivers do.
 */
#include "ke/lead.h"

#include "base/clock.h"
#include "base/poller.h"
#include "base/thread.h"
#include "ke/dpc.h"
#include "ke/irql.h"
#include "ke/kernel.h"
#include "ke/wait.h"
#include "rtl/exception.h"
#include "verifier/hang.h"

#include <stdlib.h>

#define GRACE_NS 1000000

_Static_assert(KE_OTHERS_MAX == KE_LOOPS_MAX - 1, "a thread for each loop but the first");

bool ke_lead_is_poller(const struct ke_lead *lead, const struct _KTHREAD *thread)
{
    bool is_poller = thread == lead->background.thread;
    for (unsigned i = 0; i < lead->other_count; i++) {
        is_poller = is_poller || thread == lead->others[i].thread;
    }
    return is_poller;
}

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

static bool needs_leader(void)
{
    const struct base_poller *poller = &ke_entered()->pollers[0];
    return ke_timers_are_set() || ke_dpc_has_orphans() || poller->active(poller->context);
}

static unsigned poller_count(const struct ke_kernel *kernel)
{
    unsigned count = 0;
    while (count < KE_LOOPS_MAX && kernel->pollers[count].poll != NULL) {
        count++;
    }
    return count;
}

static void kick(const struct base_poller *poller)
{
    poller->kick(poller->context);
}

/* Wakes whoever sleeps there once the lock is free; of too many, this one at once. */
static void wake_later(struct base_park *park)
{
    struct ke_lead *lead = &ke_entered()->lead;
    if (lead->wake_count < KE_WAKES_MAX) {
        lead->wakes[lead->wake_count++] = base_park_retain(park);
    } else {
        base_park_wake(park);
    }
}

void ke_lead_unlock_and_wake(struct ke_kernel *kernel)
{
    struct base_park *wakes[KE_WAKES_MAX];
    unsigned count = kernel->lead.wake_count;
    for (unsigned i = 0; i < count; i++) {
        wakes[i] = kernel->lead.wakes[i];
    }
    kernel->lead.wake_count = 0;
    base_mutex_unlock(&kernel->lock); /* from here on the kernel may be gone */
    for (unsigned i = 0; i < count; i++) {
        base_park_wake(wakes[i]);
        base_park_release(wakes[i]);
    }
}

static void wake_background(void)
{
    ke_entered()->lead.background_sleeps = false;
    wake_later(ke_entered()->lead.background_park);
}

/* Polls without the kernel's locks. Returns whether deliver has work. */
static bool poll(const struct base_poller *poller, uint64_t deadline_ns)
{
    struct seh_barrier barrier; /* a raise must not cross the loop's frames */
    seh_barrier_push(&barrier);
    bool has_ready = poller->poll(poller->context, deadline_ns);
    seh_barrier_pop(&barrier);
    ke_current();
    return has_ready;
}

/* Delivers as a DPC would: at DISPATCH_LEVEL, on this thread. */
static void deliver_ready(const struct base_poller *poller)
{
    struct _KTHREAD *thread = ke_current();
    ke_lead_note_progress(&ke_kernel()->lead);
    thread->dpc_depth++;
    poller->deliver(poller->context);
    thread->dpc_depth--;
}

/* Expires timers, delivers and runs DPCs at DISPATCH_LEVEL. */
static void deliver(bool has_ready)
{
    KIRQL old = ke_raise_irql(DISPATCH_LEVEL);
    if (has_ready) {
        deliver_ready(&ke_kernel()->pollers[0]);
    }
    if (ke_timers_are_set()) {
        ke_lock();
        ke_timers_expire(base_clock_ns());
        ke_unlock();
    }
    ke_lower_irql(old);
    ke_dpc_run_orphans();
}

/* One turn: poll, then deliver. The lock is held on entry and return, not between. */
static void turn(uint64_t deadline_ns)
{
    struct ke_lead *lead = &ke_entered()->lead;
    lead->poll_deadline_ns = ke_dpc_has_orphans() ? 0 : earlier(deadline_ns, ke_timers_next());
    lead->was_kicked = false;
    lead->is_polling = true;
    ke_unlock();
    bool has_ready = poll(&ke_entered()->pollers[0], lead->poll_deadline_ns);
    ke_lock();
    lead->is_polling = false;
    if (has_ready || ke_is_past(ke_timers_next()) || ke_dpc_has_orphans()) {
        ke_unlock();
        deliver(has_ready);
        ke_lock();
    }
}

static bool may_lead(const struct ke_wait *wait)
{
    return wait->may_lead && !wait->thread->is_worker;
}

bool ke_lead_is_free_for(const struct ke_wait *wait)
{
    const struct ke_lead *lead = &ke_entered()->lead;
    return may_lead(wait) && lead->leader == NULL &&
           (lead->heir == NULL || lead->heir == wait->thread) && needs_leader();
}

static void take(struct _KTHREAD *thread)
{
    struct ke_lead *lead = &ke_entered()->lead;
    lead->leader = thread;
    lead->heir = NULL;
    lead->turn++;
}

static void give_up(void)
{
    struct ke_lead *lead = &ke_entered()->lead;
    base_poller_leave();
    lead->leader = NULL;
    lead->turn++;
    if (lead->background_sleeps && needs_leader()) {
        wake_background();
    }
}

void ke_lead(struct ke_wait *wait, uint64_t deadline_ns)
{
    struct ke_lead *lead = &ke_entered()->lead;
    take(wait->thread);
    while (!wait->is_done && lead->heir == NULL && wait->stack == NULL &&
           !ke_is_past(deadline_ns)) {
        turn(deadline_ns);
    }
    give_up();
}

void ke_lead_kick(void)
{
    struct ke_lead *lead = &ke_entered()->lead;
    if (lead->is_polling && !lead->was_kicked) {
        lead->was_kicked = true;
        kick(&ke_entered()->pollers[0]);
    }
    if (lead->leader == NULL && lead->background_sleeps) {
        atomic_store(&lead->is_called, true);
        wake_background();
    }
}

void ke_lead_wake(const struct ke_wait *wait)
{
    struct ke_lead *lead = &ke_entered()->lead;
    struct _KTHREAD *thread = wait->thread;
    if (thread == lead->leader && lead->is_polling) {
        ke_lead_kick();
        return;
    }
    bool is_by_leader = lead->leader != NULL && lead->leader == ke_thread_slot.thread;
    if (is_by_leader && thread != lead->leader && may_lead(wait)) {
        lead->heir = thread;
    }
    /* A leader that delivers may be parked too: for a processor, or for a spin lock. */
    if (thread->is_parked) {
        thread->is_parked = false;
        wake_later(thread->park);
    }
}

void ke_lead_park(const struct ke_wait *wait, uint64_t deadline_ns)
{
    struct ke_lead *lead = &ke_entered()->lead;
    struct _KTHREAD *thread = wait->thread;
    unsigned idle = may_lead(wait) ? 1 : 0;
    bool is_background = thread == lead->background.thread;
    ke_lead_forget(thread);
    lead->idle += idle;
    thread->is_parked = true;
    if (is_background) {
        deadline_ns = earlier(deadline_ns, verifier_hang_next());
    }
    ke_unlock();
    base_park_wait(thread->park, deadline_ns);
    ke_lock();
    if (is_background) {
        verifier_hang_look();
    }
    thread->is_parked = false;
    lead->idle -= idle;
}

void ke_lead_forget(const struct _KTHREAD *thread)
{
    struct ke_lead *lead = &ke_entered()->lead;
    if (lead->heir == thread) {
        lead->heir = NULL;
    }
}

/* Leads until the lead is passed on, the kernel stops, or there is nothing to lead for. */
static void lead_in_background(struct _KTHREAD *thread)
{
    struct ke_lead *lead = &ke_entered()->lead;
    take(thread);
    while (lead->heir == NULL && !lead->is_stopping && needs_leader()) {
        turn(verifier_hang_next());
        verifier_hang_look();
    }
    base_poller_leave();
    lead->leader = NULL;
    lead->turn++;
}

/* Sleeps a grace period, or until woken. The lock is held on entry and return. */
static void sleep_in_background(uint64_t deadline_ns)
{
    struct ke_lead *lead = &ke_entered()->lead;
    lead->background_sleeps = deadline_ns == BASE_FOREVER;
    deadline_ns = earlier(deadline_ns, verifier_hang_next());
    ke_unlock();
    base_park_wait(lead->background_park, deadline_ns);
    ke_lock();
    lead->background_sleeps = false;
}

/* Whether something calls for a leader while those who might lead sleep. The lock is held. */
static bool must_lead_at_once(void)
{
    struct ke_lead *lead = &ke_entered()->lead;
    return atomic_exchange(&lead->is_called, false) && lead->idle != 0 && lead->leader == NULL &&
           needs_leader();
}

/* Watches the lead for one grace period and does what nobody else did. The lock is held. */
static void watch(struct _KTHREAD *thread)
{
    struct ke_lead *lead = &ke_entered()->lead;
    uint64_t seen = lead->turn;
    if (!must_lead_at_once()) {
        sleep_in_background(base_clock_ns() + GRACE_NS);
    }
    if (lead->turn != seen || lead->is_stopping) {
        return;
    }
    if (lead->leader != NULL || !needs_leader()) {
        sleep_in_background(BASE_FOREVER);
        return;
    }
    lead_in_background(thread);
}

static void background(void *context)
{
    struct _KTHREAD *thread = context;
    ke_thread_enter(thread, true);
    ke_lock();
    while (!ke_kernel()->lead.is_stopping) {
        watch(thread);
        verifier_hang_look();
    }
    ke_unlock();
    ke_thread_leave(thread);
    ke_thread_forget();
}

/* What a thread of a further poller starts with. */
struct other {
    struct _KTHREAD *thread;
    const struct base_poller *poller;
};

static bool is_stopping(void)
{
    ke_lock();
    bool is = ke_kernel()->lead.is_stopping;
    ke_unlock();
    return is;
}

static void lead_other(void *context)
{
    struct other other = *(struct other *)context;
    free(context);
    ke_thread_enter(other.thread, true);
    while (!is_stopping()) {
        if (poll(other.poller, BASE_FOREVER)) {
            KIRQL old = ke_raise_irql(DISPATCH_LEVEL);
            deliver_ready(other.poller);
            ke_lower_irql(old);
        }
    }
    ke_thread_leave(other.thread);
    ke_thread_forget();
}

static bool start_other(const struct base_poller *poller)
{
    struct ke_lead *lead = &ke_kernel()->lead;
    struct other *other = calloc(1, sizeof(*other));
    if (other == NULL) {
        return false;
    }
    struct ke_poller_thread started = {.thread = ke_kernel()->threads.adopt()};
    other->poller = poller;
    other->thread = started.thread;
    if (started.thread != NULL) {
        started.thread->is_worker = true;
        started.host = base_thread_start(lead_other, other);
    }
    if (started.host == NULL) {
        free(other);
        return false;
    }
    ke_lock(); /* the background thread looks at them */
    lead->others[lead->other_count++] = started;
    ke_unlock();
    return true;
}

/* Something is watched now, and maybe nobody leads. Locks may be held. */
static void on_active(void *context)
{
    struct ke_lead *lead = context;
    atomic_store(&lead->is_called, true);
    base_park_wake(lead->background_park);
}

bool ke_lead_start(struct _KTHREAD *thread)
{
    struct ke_kernel *kernel = ke_kernel();
    struct ke_lead *lead = &kernel->lead;
    thread->is_worker = true;
    lead->background_park = base_park_create();
    if (lead->background_park == NULL) {
        return false;
    }
    kernel->pollers[0].on_active_context = lead;
    kernel->pollers[0].on_active = on_active;
    lead->background.thread = thread;
    lead->background.host = base_thread_start(background, thread);
    bool is_started = lead->background.host != NULL;
    for (unsigned i = 1; i < poller_count(kernel) && is_started; i++) {
        is_started = start_other(&kernel->pollers[i]);
    }
    return is_started;
}

void ke_lead_kick_all(struct ke_kernel *kernel)
{
    for (unsigned i = 0; i < poller_count(kernel); i++) {
        kick(&kernel->pollers[i]);
    }
}

/* Waits in the dispatcher, at any IRQL: a test that failed at a raised one shuts down there. */
static void await_end(struct _KTHREAD *thread)
{
    struct ke_wait wait = {.thread = ke_current(), .count = 1, .what = thread};
    struct ke_wait_block block = {.wait = &wait, .object = &thread->Header};
    wait.blocks = &block;
    wait.irql = wait.thread->irql;
    ke_lock();
    if (thread->Header.SignalState == 0) {
        InsertTailList(&thread->Header.WaitListHead, &block.link);
        ke_block(&wait, BASE_FOREVER);
    }
    ke_unlock();
}

/* A bug check that comes meanwhile ends the wait in the dispatcher, but never the thread. Once its
 * object is signalled it touches the kernel no more. */
static void join(const struct ke_poller_thread *poller)
{
    await_end(poller->thread);
    base_thread_join(poller->host);
}

void ke_lead_stop(void)
{
    struct ke_lead *lead = &ke_kernel()->lead;
    if (lead->background.host == NULL) {
        return;
    }
    ke_lock();
    lead->is_stopping = true;
    ke_lead_kick();
    wake_background();
    ke_unlock();
    ke_lead_kick_all(ke_kernel());
    join(&lead->background);
    for (unsigned i = 0; i < lead->other_count; i++) {
        join(&lead->others[i]);
    }
    ke_kernel()->pollers[0].on_active = NULL;
    base_park_release(lead->background_park);
}
