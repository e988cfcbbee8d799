/*
 * Hangs.
 *
 * The background thread of the dispatcher looks LOOKS times in WSKEMU_HANG_MS, and calls it a hang
 * when LOOKS looks in a row found the same: nothing happened since (no wait was satisfied, nothing
 * was delivered), and one of
 *
 *   - a deadlock: threads wait in a circle, each for what the next one holds;
 *   - some thread waits without a limit, and nothing can happen any more that would end that: no
 *     thread runs or waits with a time limit, no timer is set, no DPC is queued, no socket waits
 *     for the network, no lookup is under way;
 *   - the same, but for sockets that wait for what others may send and timers that only tick, some
 *     times in each look, while a thread waits inside something that has to end: an unload
 *     routine, WskDeregister.
 *
 * Looks are counted, not time, so that a process that stood still (in a debugger, on a loaded
 * machine) hangs no sooner. A thread that is outside of the kernel runs, as far as anybody knows.
 *
 * What is seen is seen under the dispatcher lock, under which threads wait. Then each waiting
 * thread is woken to write its own stack down, which no other thread can do for it everywhere, and
 * sleeps on. If still nothing has happened, the kernel stops with what was gathered.
 */
#include "verifier/hang.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/sanitize.h"
#include "base/stack.h"
#include "ke/bugcheck.h"
#include "ke/crash.h"
#include "ke/dpc.h"
#include "ke/kernel.h"
#include "ke/patience.h"
#include "ke/wait.h"
#include "ps/thread.h"
#include "verifier/call_stack.h"
#include "verifier/report.h"
#include "verifier/verifier.h"
#include "verifier/specific.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOKS 10
#define NANOSECONDS 1000000ULL /* of a millisecond */
#define STACK_MS 500           /* how long threads have to write their stacks down */
#define CIRCLE_MAX 16
#define TOLD_MAX 256

static _Atomic unsigned long limit_ms;

/* A thread of a hang. */
struct told {
    const struct _KTHREAD *thread;
    char line[256];
    struct verifier_stack stack;
};

struct verifier_hang_report {
    struct told *told;
    unsigned count;
};

/* Threads that wait for each other, in order. */
struct circle {
    const struct _KTHREAD *thread[CIRCLE_MAX];
    unsigned count;
};

/* What one look sees. */
struct view {
    const struct _KTHREAD *waiter; /* who is best named, of those that wait without a limit */
    unsigned rank;
    bool can_act; /* somebody runs, waits with a limit, or waits for the user */
    bool is_ending;
    struct circle circle;
};

void verifier_hang_set(unsigned long milliseconds)
{
    atomic_store(&limit_ms, milliseconds);
}

unsigned long verifier_hang_ms(void)
{
    return atomic_load(&limit_ms);
}

void verifier_asker_add(verifier_asker *ask, verifier_suspect *suspect, void *context)
{
    struct verifier_state *verifier = verifier_state();
    if (verifier != NULL && verifier->hang.asker_count < VERIFIER_ASKERS_MAX) {
        unsigned n = verifier->hang.asker_count++;
        verifier->hang.askers[n].ask = ask;
        verifier->hang.askers[n].suspect = suspect;
        verifier->hang.askers[n].context = context;
    }
}

/* ---- what threads do; the lock is held ---- */

static bool sleeps(const struct _KTHREAD *thread)
{
    const struct ke_lead *lead = &ke_entered()->lead;
    return thread->is_parked || (thread == lead->leader && lead->is_polling) ||
           thread == ke_thread_slot.thread;
}

static const struct ke_wait *wait_of(const struct _KTHREAD *thread)
{
    return thread->wait != NULL && !thread->wait->is_done && sleeps(thread) ? thread->wait : NULL;
}

static bool waits_for_ever(const struct _KTHREAD *thread)
{
    const struct ke_wait *wait = wait_of(thread);
    return wait != NULL && wait->deadline_ns == BASE_FOREVER;
}

static bool has_reason(const struct _KTHREAD *thread, enum ke_reason_kind kind)
{
    const struct ke_reason *reason = thread->reason;
    while (reason != NULL && reason->kind != kind) {
        reason = reason->outer;
    }
    return reason != NULL;
}

/* Its own count, which nobody else may rely on; what it tells is looked at again. */
BASE_NOT_SANITIZED static bool runs_routines(const struct _KTHREAD *thread)
{
    return ((const volatile struct _KTHREAD *)thread)->dpc_depth != 0;
}

/* Whether the thread may change what others wait for. */
static bool can_act(const struct _KTHREAD *thread)
{
    const struct ke_wait *wait = wait_of(thread);
    if (wait != NULL) {
        return wait->deadline_ns != BASE_FOREVER || has_reason(thread, KE_REASON_OUTSIDE);
    }
    return !ke_lead_is_poller(&ke_entered()->lead, thread) || runs_routines(thread);
}

/* How much a thread tells of the hang. */
static unsigned rank_of(const struct _KTHREAD *thread)
{
    if (has_reason(thread, KE_REASON_END)) {
        return 4;
    }
    return thread->reason != NULL && thread->reason->rule != NULL ? 3 : thread->is_adopted ? 1 : 2;
}

/* The emulator's own, for which nobody of a driver waits. */
static bool is_beside(const struct _KTHREAD *thread)
{
    bool is_idle =
        wait_of(thread) != NULL && thread->reason != NULL && thread->reason->kind == KE_REASON_IDLE;
    return is_idle || atomic_load(&thread->is_aside);
}

static void view_thread(struct view *view, const struct _KTHREAD *thread)
{
    if (is_beside(thread)) {
        return;
    }
    view->can_act = view->can_act || can_act(thread);
    if (!waits_for_ever(thread)) {
        return;
    }
    view->is_ending = view->is_ending || has_reason(thread, KE_REASON_END);
    if (rank_of(thread) > view->rank) {
        view->rank = rank_of(thread);
        view->waiter = thread;
    }
}

/* ---- circles; the lock is held ---- */

static const struct _KTHREAD *known_thread(const void *address)
{
    LIST_ENTRY *head = &ke_entered()->threads.all;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        const struct _KTHREAD *thread = CONTAINING_RECORD(entry, struct _KTHREAD, link);
        if (thread == address) {
            return thread;
        }
    }
    return NULL;
}

static bool waits_for_lock(const struct _KTHREAD *thread)
{
    const struct ke_wait *wait = wait_of(thread);
    return wait != NULL && wait->count == 0 && thread->reason != NULL &&
           thread->reason->kind == KE_REASON_LOCK;
}

/* Who would have to let go of an object, or to end; NULL if nobody is known. */
static const void *holder_of_object(const DISPATCHER_HEADER *object)
{
    switch (object->Type) {
    case KE_MUTANT:
        return CONTAINING_RECORD(object, KMUTANT, Header)->OwnerThread;
    case KE_THREAD:
        return object;
    default:
        return NULL;
    }
}

/* The n-th of those without whom the thread cannot go on. */
static const struct _KTHREAD *holder_of(const struct _KTHREAD *thread, unsigned n)
{
    const struct ke_wait *wait = wait_of(thread);
    if (waits_for_lock(thread)) {
        const struct ke_reason *reason = thread->reason;
        return reason->holder != NULL ? known_thread(reason->holder(reason->object, n)) : NULL;
    }
    bool is_needed = wait != NULL && n < wait->count && (wait->is_all || wait->count == 1);
    return is_needed ? known_thread(holder_of_object(wait->blocks[n].object)) : NULL;
}

static bool is_in(const struct circle *circle, const struct _KTHREAD *thread)
{
    for (unsigned i = 0; i < circle->count; i++) {
        if (circle->thread[i] == thread) {
            return true;
        }
    }
    return false;
}

static bool leads_to(const struct _KTHREAD *from, const struct _KTHREAD *to, struct circle *circle)
{
    const struct _KTHREAD *holder;
    if (circle->count == CIRCLE_MAX || !waits_for_ever(from)) {
        return false;
    }
    circle->thread[circle->count++] = from;
    for (unsigned n = 0; (holder = holder_of(from, n)) != NULL; n++) {
        if (holder == to || (!is_in(circle, holder) && leads_to(holder, to, circle))) {
            return true;
        }
    }
    circle->count--;
    return false;
}

static void view_all(struct view *view)
{
    LIST_ENTRY *head = &ke_entered()->threads.all;
    *view = (struct view){0};
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        const struct _KTHREAD *thread = CONTAINING_RECORD(entry, struct _KTHREAD, link);
        view_thread(view, thread);
        if (view->circle.count == 0) {
            leads_to(thread, thread, &view->circle);
        }
    }
    const struct _KTHREAD *leader = ke_entered()->lead.leader;
    bool is_leader_stuck = leader != NULL && leader != ke_thread_slot.thread && leader->is_parked;
    bool is_timer = view->is_ending ? ke_timers_do_more_than_tick(verifier_hang_ms() / LOOKS)
                                    : ke_timers_are_set();
    if (!is_leader_stuck && (is_timer || ke_dpc_has_orphans())) {
        view->can_act = true;
    }
}

/* ---- what is to be told; the lock is held ---- */

static const char *kind_of(const DISPATCHER_HEADER *object)
{
    switch (object->Type) {
    case KE_MUTANT:
        return "the mutex";
    case KE_THREAD:
        return "the end of the thread";
    case KE_SEMAPHORE:
        return "the semaphore";
    case KE_TIMER_NOTIFICATION:
    case KE_TIMER_SYNCHRONIZATION:
        return "the timer";
    case KE_QUEUE:
        return "the queue";
    default:
        return "the event";
    }
}

/* "the event 0x...", "the spin lock 0x...". */
static void write_goal(const struct _KTHREAD *thread, char *text, size_t bytes)
{
    const struct ke_wait *wait = wait_of(thread);
    const struct ke_reason *reason = wait != NULL ? thread->reason : NULL;
    if (wait == NULL) {
        snprintf(text, bytes, "nothing");
    } else if (reason != NULL && reason->describe != NULL) {
        reason->describe(reason, text, bytes);
    } else if (wait->count == 1) {
        const DISPATCHER_HEADER *object = wait->blocks[0].object;
        snprintf(text, bytes, "%s %p", kind_of(object), (const void *)object);
    } else if (wait->count > 1) {
        snprintf(text, bytes, "%s of %u objects, the first %s %p", wait->is_all ? "all" : "any",
                 (unsigned)wait->count, kind_of(wait->blocks[0].object),
                 (const void *)wait->blocks[0].object);
    } else if (reason != NULL && reason->object != NULL) {
        snprintf(text, bytes, "%s %p", reason->what, reason->object);
    } else {
        snprintf(text, bytes, "%p", wait->what);
    }
}

/* Where its routine begins, or what it is for. */
static void write_name(const struct _KTHREAD *thread, char *text, size_t bytes)
{
    const struct _ETHREAD *whole = CONTAINING_RECORD(thread, struct _ETHREAD, Tcb);
    const void *routine = (const void *)(ULONG_PTR)whole->start_routine;
    if (ke_lead_is_poller(&ke_entered()->lead, thread)) {
        snprintf(text, bytes, "which delivers");
    } else if (whole->name != NULL || routine == NULL) {
        snprintf(text, bytes, "%s", whole->name != NULL ? whole->name : "of the program");
    } else {
        struct base_site site = base_stack_site((const char *)routine + 1);
        snprintf(text, bytes, "%.*s", (int)bytes - 1, site.text);
    }
}

static void write_inside(const struct _KTHREAD *thread, char *text, size_t bytes)
{
    const struct ke_reason *reason = wait_of(thread) != NULL ? thread->reason : NULL;
    while (reason != NULL && reason->kind != KE_REASON_END) {
        reason = reason->outer;
    }
    if (reason != NULL) {
        snprintf(text, bytes, ", inside %s of %p", reason->what, reason->object);
    }
}

static void write_line(const struct _KTHREAD *thread, char *text, size_t bytes)
{
    char goal[96];
    char name[96];
    char inside[64] = "";
    const struct ke_wait *wait = wait_of(thread);
    const char *how = wait == NULL                        ? " runs"
                      : wait->deadline_ns == BASE_FOREVER ? " waits without a limit for "
                                                          : " waits with a limit for ";
    write_goal(thread, goal, sizeof(goal));
    write_name(thread, name, sizeof(name));
    write_inside(thread, inside, sizeof(inside));
    snprintf(text, bytes, "Thread %p (%s)%s%s%s", (const void *)thread, name, how,
             wait != NULL ? goal : "", inside);
}

/* ---- stacks ---- */

/* Asks all that wait where they are. The lock is held. */
static void ask_for_stacks(struct verifier_hang_report *report)
{
    LIST_ENTRY *head = &ke_entered()->threads.all;
    for (LIST_ENTRY *entry = head->Flink; entry != head && report->count < TOLD_MAX;
         entry = entry->Flink) {
        struct _KTHREAD *thread = CONTAINING_RECORD(entry, struct _KTHREAD, link);
        struct told *told = &report->told[report->count++];
        told->thread = thread;
        write_line(thread, told->line, sizeof(told->line));
        if (thread == ke_thread_slot.thread) {
            verifier_stack_capture(&told->stack);
        } else if (wait_of(thread) != NULL) {
            thread->wait->stack = &told->stack;
            ke_lead_wake(thread->wait);
        }
    }
}

/* Takes back what was asked; returns how many have not answered. The lock is held. */
static unsigned forget_questions(bool is_end)
{
    LIST_ENTRY *head = &ke_entered()->threads.all;
    unsigned count = 0;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        struct _KTHREAD *thread = CONTAINING_RECORD(entry, struct _KTHREAD, link);
        if (thread->wait != NULL && thread->wait->stack != NULL) {
            count++;
            thread->wait->stack = is_end ? NULL : thread->wait->stack;
        }
    }
    return count;
}

/* The lock is held on entry and on return, not between. */
static struct verifier_hang_report *gather(void)
{
    struct verifier_hang_report *report = calloc(1, sizeof(*report));
    struct told *told = calloc(TOLD_MAX, sizeof(*told));
    struct base_park *park = base_park_create();
    if (report == NULL || told == NULL || park == NULL) {
        abort();
    }
    report->told = told;
    ask_for_stacks(report);
    uint64_t end_ns = base_clock_ns() + STACK_MS * NANOSECONDS;
    while (forget_questions(false) != 0 && !ke_is_past(end_ns)) {
        ke_unlock();
        base_park_wait(park, base_clock_ns() + NANOSECONDS);
        ke_lock();
    }
    forget_questions(true);
    base_park_release(park);
    return report;
}

static void free_report(struct verifier_hang_report *report)
{
    if (report != NULL) {
        free(report->told);
        free(report);
    }
}

void verifier_hang_stop(struct verifier_hang *hang)
{
    free_report(hang->report);
}

/* ---- causes ---- */

/* "waits for ..., which thread ... holds", for each of the circle. The lock is held. */
static void write_circle(const struct circle *circle, char *text, size_t bytes)
{
    size_t used = 0;
    for (unsigned i = 0; i < circle->count && used < bytes; i++) {
        char goal[96];
        char name[96];
        write_goal(circle->thread[i], goal, sizeof(goal));
        write_name(circle->thread[i], name, sizeof(name));
        int length = snprintf(text + used, bytes - used, "%sthread %p (%s)%s waits for %s",
                              i != 0 ? ", which is held by " : "", (const void *)circle->thread[i],
                              name, i != 0 ? ", which" : "", goal);
        used += length > 0 ? (size_t)length : 0;
    }
    if (used < bytes) {
        snprintf(text + used, bytes - used, ", which is held by the first.");
    }
}

/* Spinning at DISPATCH_LEVEL is what Windows itself notices. */
static void tell_circle(const struct circle *circle, struct verifier_hang_cause *cause)
{
    bool are_spinning = true;
    const void *lock = NULL;
    for (unsigned i = 0; i < circle->count; i++) {
        const struct _KTHREAD *thread = circle->thread[i];
        const struct ke_reason *reason = waits_for_lock(thread) ? thread->reason : NULL;
        are_spinning = are_spinning && reason != NULL && !thread->wait->may_lead;
        lock = lock != NULL ? lock : wait_of(thread)->what;
        cause->rule = cause->rule == NULL && reason != NULL ? reason->rule : cause->rule;
    }
    if (are_spinning) {
        cause->code = DPC_WATCHDOG_VIOLATION;
        cause->parameter[0] = 1;
        cause->parameter[1] = verifier_hang_ms();
    } else {
        cause->code = DRIVER_VERIFIER_DETECTED_VIOLATION;
        cause->parameter[0] = 0x1001;
        cause->parameter[1] = (ULONG_PTR)lock;
        cause->rule = cause->rule != NULL ? cause->rule : "MUTEX-12";
    }
    int length = snprintf(cause->sentence, sizeof(cause->sentence), "Deadlock: ");
    write_circle(circle, cause->sentence + length, sizeof(cause->sentence) - (size_t)length);
}

/* The innermost reason with a rule. */
static const struct ke_reason *ruling_reason(const struct _KTHREAD *thread)
{
    const struct ke_reason *reason = thread->reason;
    while (reason != NULL && reason->rule == NULL) {
        reason = reason->outer;
    }
    return reason;
}

static bool waits_for_thread(const struct _KTHREAD *thread)
{
    const struct ke_wait *wait = wait_of(thread);
    return wait != NULL && wait->count == 1 && wait->blocks[0].object->Type == KE_THREAD;
}

/* A work routine that waits for a lock whose holder waits, as well as may be for the routine. */
struct stalled_work {
    const struct _KTHREAD *worker;
    const struct _KTHREAD *holder;
};

static struct stalled_work find_stalled_work(void)
{
    LIST_ENTRY *head = &ke_entered()->threads.all;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        const struct _KTHREAD *worker = CONTAINING_RECORD(entry, struct _KTHREAD, link);
        const struct _KTHREAD *holder = worker->is_worker ? holder_of(worker, 0) : NULL;
        if (holder != NULL && waits_for_ever(holder) && !waits_for_thread(worker)) {
            return (struct stalled_work){worker, holder};
        }
    }
    return (struct stalled_work){NULL, NULL};
}

static const void *goal_of(const struct _KTHREAD *thread)
{
    const struct ke_wait *wait = wait_of(thread);
    bool is_described = wait != NULL && thread->reason != NULL && thread->reason->describe != NULL;
    return is_described ? thread->reason->object : wait != NULL ? wait->what : NULL;
}

/* The thread waits for ever, as that one waits. */
static void stop_for(const struct _KTHREAD *thread, const struct _KTHREAD *waiter,
                     struct verifier_hang_cause *cause)
{
    cause->code = MANUALLY_INITIATED_CRASH;
    cause->parameter[0] = KE_CRASH_HANG;
    cause->parameter[1] = (ULONG_PTR)thread;
    cause->parameter[2] = (ULONG_PTR)goal_of(waiter);
}

static void tell_stalled_work(const struct stalled_work *work, struct verifier_hang_cause *cause)
{
    char goal[96];
    char line[256];
    write_goal(work->worker, goal, sizeof(goal));
    write_line(work->holder, line, sizeof(line));
    snprintf(cause->sentence, sizeof(cause->sentence),
             "The driver hangs. A work routine waits for %s. Its holder waits, too: %s. For %lu ms "
             "nothing has happened, nor can it.",
             goal, line, verifier_hang_ms());
    stop_for(work->holder, work->worker, cause);
    cause->rule = "WORK-18";
}

/* Whether it waits for what a completion routine should have signalled: for an event that would
 * still be signalled then. */
static void look_for_forgetful(const struct _KTHREAD *waiter, struct verifier_hang_cause *cause)
{
    const struct ke_wait *wait = wait_of(waiter);
    const DISPATCHER_HEADER *what =
        wait != NULL && wait->count == 1 ? wait->blocks[0].object : NULL;
    if (what == NULL || what->Type != KE_EVENT_NOTIFICATION) {
        return;
    }
    const void *routine = verifier_forgetful_routine(what);
    if (routine == NULL) {
        return;
    }
    size_t length = strlen(cause->sentence);
    cause->rule = "DV-64";
    snprintf(cause->sentence + length, sizeof(cause->sentence) - length,
             " The completion routine %s was called with that event as its context, and did not "
             "set it.",
             base_stack_site((const char *)routine + 1).text);
}

static void tell_waiter(const struct view *view, struct verifier_hang_cause *cause)
{
    char line[256];
    const struct _KTHREAD *waiter = view->waiter;
    const struct ke_reason *reason = ruling_reason(waiter);
    write_line(waiter, line, sizeof(line));
    snprintf(cause->sentence, sizeof(cause->sentence),
             "The driver hangs. %s, and for %lu ms nothing has happened, nor can it: no other "
             "thread runs, no timer is set%s.",
             line, verifier_hang_ms(),
             view->is_ending ? "; who ends does not wait for what others may send"
                             : ", no socket waits for the network");
    stop_for(waiter, waiter, cause);
    if (reason != NULL) {
        cause->rule = reason->rule;
    } else if (view->is_ending && waits_for_thread(waiter)) {
        cause->rule = "THREAD-12";
    }
    if (cause->rule == NULL) {
        look_for_forgetful(waiter, cause);
    }
    if (reason != NULL && reason->verifier_code != 0) {
        cause->code = DRIVER_VERIFIER_DETECTED_VIOLATION;
        cause->parameter[0] = reason->verifier_code;
        cause->parameter[1] = (ULONG_PTR)reason->object;
        cause->parameter[2] = 0;
    }
}

static bool ask_suspects(struct verifier_hang *hang, struct verifier_hang_cause *cause)
{
    for (unsigned i = 0; i < hang->asker_count; i++) {
        verifier_suspect *suspect = hang->askers[i].suspect;
        if (suspect != NULL && suspect(hang->askers[i].context, cause)) {
            return true;
        }
    }
    return false;
}

static enum verifier_outlook ask_areas(struct verifier_hang *hang)
{
    enum verifier_outlook most = VERIFIER_NOTHING;
    for (unsigned i = 0; i < hang->asker_count; i++) {
        verifier_asker *ask = hang->askers[i].ask;
        enum verifier_outlook outlook =
            ask != NULL ? ask(hang->askers[i].context) : VERIFIER_NOTHING;
        most = outlook > most ? outlook : most;
    }
    return most;
}

/* ---- looking ---- */

static uint64_t progress_now(void)
{
    return atomic_load_explicit(&ke_entered()->lead.progress, memory_order_relaxed);
}

/* Whether this look sees a hang. The lock is held on entry and on return, not between. */
static bool seems_to_hang(struct verifier_hang *hang, struct view *view)
{
    uint64_t progress = progress_now();
    view_all(view);
    if (view->circle.count != 0) {
        return true;
    }
    if (view->waiter == NULL || view->can_act) {
        return false;
    }
    ke_unlock();
    enum verifier_outlook outlook = ask_areas(hang);
    ke_lock();
    bool is_alike = progress == progress_now();
    return is_alike &&
           (outlook == VERIFIER_NOTHING || (outlook == VERIFIER_TRAFFIC && view->is_ending));
}

/* Stops the kernel, unless something has happened after all. The lock is held on entry and on
 * return. */
static void tell(struct verifier_hang *hang, uint64_t progress)
{
    struct view view;
    struct verifier_hang_cause cause = {0};
    struct verifier_hang_report *report = gather();
    bool is_hang = progress == progress_now() && seems_to_hang(hang, &view);
    if (!is_hang) {
        hang->quiet = 0;
        free_report(report);
        return;
    }
    struct stalled_work work = find_stalled_work();
    if (view.circle.count != 0) {
        tell_circle(&view.circle, &cause);
    } else if (work.worker != NULL) {
        tell_stalled_work(&work, &cause);
    } else {
        tell_waiter(&view, &cause);
    }
    hang->report = report;
    ke_unlock();
    if (view.circle.count == 0) {
        ask_suspects(hang, &cause);
    }
    ke_bugcheck(cause.code, cause.parameter[0], cause.parameter[1], cause.parameter[2],
                cause.parameter[3], cause.rule, "%s", cause.sentence);
}

uint64_t verifier_hang_next(void)
{
    struct verifier_state *verifier = verifier_state();
    unsigned long milliseconds = verifier_hang_ms();
    if (verifier == NULL || milliseconds == 0) {
        return BASE_FOREVER;
    }
    if (verifier->hang.next_ns == 0) {
        verifier->hang.next_ns = base_clock_ns() + milliseconds * NANOSECONDS / LOOKS;
    }
    return verifier->hang.next_ns;
}

void verifier_hang_look(void)
{
    struct verifier_state *verifier = verifier_state();
    struct view view;
    if (!ke_is_past(verifier_hang_next()) || verifier->hang.is_looking) {
        return;
    }
    struct verifier_hang *hang = &verifier->hang;
    uint64_t progress = progress_now();
    hang->is_looking = true;
    bool is_quiet = progress == hang->progress && seems_to_hang(hang, &view);
    hang->progress = progress;
    hang->quiet = is_quiet ? hang->quiet + 1 : 0;
    if (hang->quiet >= LOOKS) {
        tell(hang, progress);
    }
    hang->next_ns = base_clock_ns() + verifier_hang_ms() * NANOSECONDS / LOOKS;
    hang->is_looking = false;
}

/* ---- the report ---- */

/* The first frames are the emulator's, down to the function that the driver called. */
static bool is_inner(const struct base_stack_frame *frame)
{
    return frame->function != NULL && frame->file != NULL && frame->function[0] >= 'a' &&
           frame->function[0] <= 'z' && verifier_is_own_frame(frame);
}

static void print_stack(const struct verifier_stack *stack)
{
    bool is_inside = true;
    for (unsigned i = 0; i < stack->count; i++) {
        struct base_stack_frame frame;
        base_stack_name(stack->pc[i], &frame);
        is_inside = is_inside && is_inner(&frame);
        if (!is_inside && frame.file != NULL) {
            base_log("    %s at %s:%u\n", frame.function != NULL ? frame.function : "?", frame.file,
                     frame.line);
        }
    }
}

bool verifier_hang_print(void)
{
    struct verifier_state *verifier = verifier_state();
    const struct verifier_hang_report *report = verifier != NULL ? verifier->hang.report : NULL;
    for (unsigned i = 0; report != NULL && i < report->count; i++) {
        base_log("%s\n", report->told[i].line);
        print_stack(&report->told[i].stack);
        base_log("\n");
    }
    if (report != NULL && verifier_pending_print() == 0) {
        base_log("pending: nothing\n");
    }
    return report != NULL;
}
