/*
 * Bug checks.
 *
 * A bug check halts the kernel: its generation stops being the running one, so that every thread
 * that enters the emulator finds itself halted and parks for ever (ke_current). Nothing is unwound.
 * Only a test that expects the bug check goes on: its thread jumps back to its expectation, and
 * leaves the halted kernel behind as it stands. Without an expectation the process ends.
 */
#include "ke/bugcheck.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/frames.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/park.h"
#include "base/process.h"
#include "ke/bugcheck_callback.h"
#include "ke/callback.h"
#include "ke/expectation.h"
#include "ke/kernel.h"
#include "ke/sentence.h"
#include "rtl/exception.h"
#include "trace/trace.h"
#include "verifier/call_stack.h"
#include "verifier/level.h"
#include "verifier/report.h"
#include "verifier/rule.h"
#include "verifier/silence.h"

#include <wskemu/expectation.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct ke_expectation *_Atomic ke_expectation;

/* What the calling thread expects, innermost first, until it has got it. */
static _Thread_local struct ke_expectation *own_expectation;

/* The first thread of a running kernel that gets here stops it; all others park. */
static void stop_kernel(void)
{
    uint64_t generation = ke_thread_slot.generation;
    bool was_running = atomic_compare_exchange_strong(&ke_generation, &generation, 0);
    if (was_running) {
        atomic_store(&ke_is_halted, true);
    } else if (ke_thread_slot.kernel != NULL) {
        ke_halt_here();
    }
}

/* On the thread's own parking place: it may be in a signal handler, where nothing is allocated. */
static _Noreturn void park_for_ever(void)
{
    struct _KTHREAD *thread = ke_thread_slot.thread;
    struct base_park *park = thread != NULL ? thread->park : base_park_create();
    for (;;) {
        base_park_wait(park, BASE_FOREVER);
    }
}

/* The kernel is halted a moment before what stopped it is written down. */
static void await_met(const struct ke_expectation *expectation)
{
    while (!atomic_load(&expectation->is_met)) {
        base_park_wait(expectation->thread->park, BASE_FOREVER);
    }
}

_Noreturn void ke_halt_here(void)
{
    struct ke_expectation *expectation = own_expectation;
    base_mutex_unlock_all();
    if (expectation == NULL) {
        park_for_ever();
    }
    await_met(expectation);
    base_frames_keep(expectation->frame);
    BASE_JUMP_TO(expectation->resume);
}

/* Hands the bug check over and wakes the thread that expects it, wherever it sleeps. That thread
 * may then leave, and take its expectation and ke_kernel with it. */
static void meet(struct ke_expectation *expectation, const struct wskemu_bugcheck *bugcheck)
{
    struct ke_kernel *kernel = ke_thread_slot.kernel;
    struct _KTHREAD *thread = expectation->thread;
    bool is_own = expectation == own_expectation;
    expectation->caught = *bugcheck;
    atomic_store(&expectation->is_met, true);
    if (!is_own && thread != NULL) {
        base_park_wake(thread->park);
        ke_lead_kick_all(kernel);
    }
}

static _Noreturn void stop(const struct wskemu_bugcheck *bugcheck)
{
    stop_kernel();
    trace_bugcheck(bugcheck->name, bugcheck->code, bugcheck->parameter[0], bugcheck->sentence);
    if (ke_thread_slot.kernel != NULL) {
        ke_bugcheck_callbacks_run(ke_thread_slot.kernel);
    }
    struct ke_expectation *expectation = atomic_exchange(&ke_expectation, NULL);
    if (expectation == NULL || expectation->is_announced) {
        verifier_report_bugcheck(bugcheck);
    }
    if (expectation == NULL) {
        base_process_end(BASE_EXIT_BUGCHECK);
    }
    meet(expectation, bugcheck);
    ke_halt_here();
}

static _Noreturn void stop_for_rule(struct wskemu_bugcheck *bugcheck)
{
    bugcheck->name = verifier_bugcheck_name(bugcheck->code, bugcheck->parameter[0]);
    verifier_rule_speak(bugcheck->rule);
    stop(bugcheck);
}

_Noreturn void ke_bugcheck(ULONG code, ULONG_PTR parameter1, ULONG_PTR parameter2,
                           ULONG_PTR parameter3, ULONG_PTR parameter4, const char *rule,
                           const char *sentence, ...)
{
    struct wskemu_bugcheck bugcheck = {
        .code = code,
        .parameter = {parameter1, parameter2, parameter3, parameter4},
        .rule = rule,
    };
    va_list arguments;
    va_start(arguments, sentence);
    ke_sentence(bugcheck.sentence, sizeof(bugcheck.sentence), sentence, arguments);
    va_end(arguments);
    stop_for_rule(&bugcheck);
}

void ke_violation(ULONG code, ULONG_PTR parameter1, ULONG_PTR parameter2, ULONG_PTR parameter3,
                  ULONG_PTR parameter4, const char *rule, const char *sentence, ...)
{
    struct wskemu_bugcheck bugcheck = {
        .code = code,
        .parameter = {parameter1, parameter2, parameter3, parameter4},
        .rule = rule,
    };
    va_list arguments;
    if (!verifier_is_on() || verifier_is_silenced(rule)) {
        verifier_evidence_forget();
        return;
    }
    va_start(arguments, sentence);
    ke_sentence(bugcheck.sentence, sizeof(bugcheck.sentence), sentence, arguments);
    va_end(arguments);
    stop_for_rule(&bugcheck);
}

_Noreturn void ke_not_implemented(const char *function)
{
    ke_bugcheck(MANUALLY_INITIATED_CRASH, 0, 0, 0, 0, NULL,
                "The driver called %s, which wskemu does not implement yet.", function);
}

/* Stops the system with a code and four parameters. Does not return. Any IRQL. */
DECLSPEC_NORETURN VOID KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1,
                                    ULONG_PTR BugCheckParameter2, ULONG_PTR BugCheckParameter3,
                                    ULONG_PTR BugCheckParameter4)
{
    struct wskemu_bugcheck bugcheck = {
        .code = BugCheckCode,
        .parameter = {BugCheckParameter1, BugCheckParameter2, BugCheckParameter3,
                      BugCheckParameter4},
        .name = verifier_bugcheck_name(BugCheckCode, BugCheckParameter1),
    };
    stop(&bugcheck);
}

/* Stops the system with a code. Does not return. Any IRQL. */
DECLSPEC_NORETURN VOID KeBugCheck(ULONG BugCheckCode)
{
    KeBugCheckEx(BugCheckCode, 0, 0, 0, 0);
}

void ke_expectation_follow(struct _KTHREAD *thread)
{
    for (struct ke_expectation *own = own_expectation; own != NULL; own = own->outer) {
        own->thread = thread;
    }
}

/* Another thread may have stopped the kernel while the body ran outside of it; the body itself may
 * have taken it down. */
static void look_whether_halted(void)
{
    if (atomic_load(&ke_running) != NULL) {
        ke_current();
    }
}

/* Leaves a halted kernel behind, so that the next can be booted. */
static void leave_halted_kernel(void)
{
    ke_kernel_abandon();
    ke_thread_forget();
}

/* On the heap: a body that was left by a jump leaves an expectation that may still be met. */
static struct ke_expectation *create_expectation(bool is_announced)
{
    struct ke_expectation *expectation = calloc(1, sizeof(*expectation));
    if (expectation == NULL) {
        base_log("wskemu: out of memory while expecting a bug check.\n");
        base_process_end(BASE_EXIT_BUGCHECK);
    }
    expectation->thread = atomic_load(&ke_running) != NULL ? ke_current() : NULL;
    expectation->is_announced = is_announced;
    return expectation;
}

static struct ke_expectation *begin(bool is_announced)
{
    struct ke_expectation *expectation = create_expectation(is_announced);
    seh_barrier_push(&expectation->barrier);
    expectation->callback = ke_callback_innermost();
    expectation->frame = BASE_FRAME_HERE();
    expectation->outer = own_expectation;
    own_expectation = expectation;
    expectation->shadowed = atomic_exchange(&ke_expectation, expectation);
    return expectation;
}

/* The body has come back: takes the expectation out, unless a bug check has taken it. */
static void body_ended(struct ke_expectation *expectation)
{
    struct ke_expectation *expected = expectation;
    look_whether_halted();
    if (!atomic_compare_exchange_strong(&ke_expectation, &expected, expectation->shadowed)) {
        ke_halt_here();
    }
}

static void resumed(struct ke_expectation *expectation)
{
    if (expectation->caught.code == UNEXPECTED_KERNEL_MODE_TRAP) {
        base_fault_stack_left();
    }
    ke_callback_jumped_to(expectation->callback);
    atomic_store(&ke_expectation, expectation->shadowed);
}

static BOOLEAN end(struct ke_expectation *expectation, struct wskemu_bugcheck *caught)
{
    own_expectation = expectation->outer;
    seh_barrier_pop(&expectation->barrier);
    bool is_met = atomic_load(&expectation->is_met);
    if (is_met && caught != NULL) {
        *caught = expectation->caught;
    }
    free(expectation);
    if (is_met) {
        leave_halted_kernel();
    }
    return is_met;
}

static BOOLEAN run_and_catch(void (*body)(void *context), void *context,
                             struct wskemu_bugcheck *caught, bool is_announced)
{
    struct ke_expectation *expectation = begin(is_announced);
    if (BASE_JUMP_SET(expectation->resume) == 0) {
        body(context);
        body_ended(expectation);
    } else {
        resumed(expectation);
    }
    return end(expectation, caught);
}

BOOLEAN wskemu_catch_bugcheck(void (*body)(void *context), void *context,
                              struct wskemu_bugcheck *caught)
{
    return run_and_catch(body, context, caught, false);
}

BOOLEAN wskemu_contain_bugcheck(void (*body)(void *context), void *context,
                                struct wskemu_bugcheck *caught)
{
    return run_and_catch(body, context, caught, true);
}

/* ---- the same in pieces ---- */

C_ASSERT(sizeof(wskemu_jump) == sizeof(base_jump));

static struct ke_expectation *inner(struct wskemu_expectation *expectation)
{
    return (struct ke_expectation *)(void *)expectation;
}

struct wskemu_expectation *wskemu_expect_begin(void)
{
    return (struct wskemu_expectation *)(void *)begin(false);
}

wskemu_jump *wskemu_expect_jump(struct wskemu_expectation *expectation)
{
    return &inner(expectation)->resume;
}

/* Each look finds itself in a halted kernel, and goes on at the jump, once the bug check came. */
void wskemu_expect_statement_ended(struct wskemu_expectation *expectation, ULONG timeout_ms)
{
    LARGE_INTEGER moment = {.QuadPart = -10000};
    uint64_t deadline_ns = base_clock_ns() + timeout_ms * 1000000ULL;
    while (atomic_load(&ke_running) != NULL && base_clock_ns() < deadline_ns &&
           ke_current()->irql < DISPATCH_LEVEL) {
        KeDelayExecutionThread(KernelMode, FALSE, &moment);
    }
    body_ended(inner(expectation));
}

void wskemu_expect_resumed(struct wskemu_expectation *expectation)
{
    resumed(inner(expectation));
}

BOOLEAN wskemu_expect_end(struct wskemu_expectation *expectation, struct wskemu_bugcheck *caught)
{
    return end(inner(expectation), caught);
}

/* Whether a bug check came that nobody has left behind yet. */
static bool is_halting(void)
{
    return atomic_load(&ke_running) != NULL && atomic_load(&ke_generation) == 0;
}

/* Whoever left their bodies by a jump left them behind. */
static void free_own_expectations(void)
{
    while (own_expectation != NULL) {
        struct ke_expectation *expectation = own_expectation;
        own_expectation = expectation->outer;
        free(expectation);
    }
}

/* A bug check of another thread may be about to meet what is forgotten: it is waited for. */
void wskemu_forget_expectations(void)
{
    struct ke_expectation *own = own_expectation;
    if (own != NULL && (is_halting() || atomic_exchange(&ke_expectation, NULL) == NULL)) {
        await_met(own);
    }
    atomic_store(&ke_expectation, NULL);
    free_own_expectations();
    seh_thread_exit();
    if (is_halting()) {
        leave_halted_kernel();
    }
}
