/*
 * Routines that keep a processor at DISPATCH_LEVEL: Windows' DPC watchdog.
 *
 * A thread of the host, which is none of the kernel's, looks LOOKS times in WSKEMU_HANG_MS who owns
 * the emulated processors. A routine that was entered at DISPATCH_LEVEL and has since used that
 * much of its thread's processor time stops the kernel. Time of the processor, not of the clock:
 * on a loaded machine, or in a debugger, no routine is slower by it.
 *
 * What runs is asked of the threads themselves, and only when one of them owned a processor at
 * LOOKS looks in a row; a routine's number tells it from the next one of the same thread.
 */
#include "verifier/dispatch_watch.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/park.h"
#include "base/stack.h"
#include "base/thread.h"
#include "ke/bugcheck.h"
#include "ke/callback.h"
#include "ke/kernel.h"
#include "verifier/call_stack.h"
#include "verifier/hang.h"
#include "verifier/level.h"

#include <string.h>

#define LOOKS 10
#define NANOSECONDS 1000000ULL /* of a millisecond */
#define SUSPECTS_MAX 16
#define TICKS_PER_SECOND 64 /* of Windows' clock */

/* A routine that was entered at DISPATCH_LEVEL. */
struct suspect {
    const struct _KTHREAD *thread;
    uint64_t number;
    uint64_t since_ns; /* of the thread's processor time, when it was seen first */
};

/* What one thread answers. */
struct answer {
    struct suspect suspect; /* since_ns is now; thread NULL: it runs no such routine */
    const char *what;
    const void *routine;
    struct verifier_stack stack;
};

/* Between two looks. */
struct view {
    const struct _KTHREAD *owner[KE_PROCESSORS_MAX];
    unsigned looks[KE_PROCESSORS_MAX]; /* in a row, with that owner */
    struct suspect suspects[SUSPECTS_MAX];
    unsigned suspect_count;
};

/* Between two questions. */
struct inquiry {
    struct answer answer;
    struct view *view;
    struct suspect seen[SUSPECTS_MAX];
    unsigned seen_count;
    struct answer guilty;
};

/* On the thread that is asked. */
static void look(void *context)
{
    struct answer *answer = &((struct inquiry *)context)->answer;
    const struct _KTHREAD *thread = ke_thread_slot.thread;
    answer->suspect.thread = NULL;
    if (thread == NULL || thread->irql < DISPATCH_LEVEL) {
        return;
    }
    for (const struct ke_callback *callback = ke_callback_innermost();
         callback != NULL && callback->irql >= DISPATCH_LEVEL; callback = callback->outer) {
        answer->suspect = (struct suspect){thread, callback->number, base_thread_time_ns()};
        answer->what = callback->what;
        answer->routine = callback->routine;
    }
    if (answer->suspect.thread != NULL) {
        verifier_stack_capture(&answer->stack);
    }
}

/* Whether it was seen the last time too, and if so, since when. */
static bool was_seen(const struct view *view, const struct suspect *now, uint64_t *since_ns)
{
    for (unsigned i = 0; i < view->suspect_count; i++) {
        const struct suspect *each = &view->suspects[i];
        if (each->thread == now->thread && each->number == now->number) {
            *since_ns = each->since_ns;
            return true;
        }
    }
    return false;
}

static void note(void *context)
{
    struct inquiry *inquiry = context;
    struct suspect suspect = inquiry->answer.suspect;
    uint64_t now_ns = suspect.since_ns;
    if (suspect.thread == NULL || inquiry->seen_count == SUSPECTS_MAX) {
        return;
    }
    if (was_seen(inquiry->view, &suspect, &suspect.since_ns) &&
        now_ns - suspect.since_ns > verifier_hang_ms() * NANOSECONDS) {
        inquiry->guilty = inquiry->answer;
    }
    inquiry->seen[inquiry->seen_count++] = suspect;
}

static _Noreturn void tell(const struct answer *guilty)
{
    bool is_dpc = strcmp(guilty->what, "a DPC routine") == 0;
    ULONG_PTR ticks = verifier_hang_ms() * TICKS_PER_SECOND / 1000;
    ke_current();
    verifier_evidence_add(&guilty->stack, "What the routine does");
    ke_bugcheck(DPC_WATCHDOG_VIOLATION, is_dpc ? 0 : 1, ticks, ticks, 0, "DPC-14",
                "The driver's routine %s, called as %s, keeps its processor at DISPATCH_LEVEL: it "
                "has computed for more than %lu ms.",
                base_stack_site((const char *)guilty->routine + 1).text, guilty->what,
                verifier_hang_ms());
}

static void inquire(struct view *view)
{
    struct inquiry inquiry = {.view = view};
    base_threads_ask(look, note, &inquiry);
    memcpy(view->suspects, inquiry.seen, sizeof(inquiry.seen));
    view->suspect_count = inquiry.seen_count;
    bool is_halted = atomic_load(&ke_generation) == 0;
    if (inquiry.guilty.suspect.thread != NULL && !is_halted && !base_is_traced()) {
        tell(&inquiry.guilty);
    }
}

/* Whether somebody has kept a processor for long. */
static bool is_kept(struct view *view, const struct ke_processors *processors)
{
    bool is = false;
    for (ULONG i = 0; i < processors->count; i++) {
        const struct _KTHREAD *owner = atomic_load(&processors->processor[i].owner);
        bool is_same = owner != NULL && owner == view->owner[i];
        view->owner[i] = owner;
        view->looks[i] = is_same ? view->looks[i] + 1 : 0;
        is = is || view->looks[i] >= LOOKS;
    }
    return is;
}

static void run(void *context)
{
    struct verifier_dispatch_watch *watch = context;
    struct ke_kernel *kernel = watch->kernel;
    struct view view = {.suspect_count = 0};
    uint64_t pause_ns = verifier_hang_ms() * NANOSECONDS / LOOKS;
    for (;;) {
        base_park_wait(watch->park, base_clock_ns() + pause_ns);
        if (atomic_load(&watch->is_over) || atomic_load(&ke_running) != kernel) {
            return;
        }
        if (is_kept(&view, &kernel->processors)) {
            inquire(&view);
        } else {
            view.suspect_count = 0;
        }
    }
}

void verifier_dispatch_watch_start(struct verifier_dispatch_watch *watch, struct ke_kernel *kernel)
{
    if (verifier_hang_ms() == 0 || !verifier_is_on() || !base_can_ask()) {
        return;
    }
    watch->kernel = kernel;
    watch->park = base_park_create();
    watch->thread = watch->park != NULL ? base_thread_start(run, watch) : NULL;
}

void verifier_dispatch_watch_stop(struct verifier_dispatch_watch *watch)
{
    if (watch->thread != NULL) {
        atomic_store(&watch->is_over, true);
        base_park_wake(watch->park);
        base_thread_join(watch->thread);
    }
    if (watch->park != NULL) {
        base_park_release(watch->park);
    }
}
