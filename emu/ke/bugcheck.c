/*
 * Bug checks.
 *
 * A bug check halts the kernel: its generation stops being the running one, so that every thread
 * that enters the emulator finds itself halted and parks for ever (ke_current). Nothing is unwound.
 * Only a test that expects the bug check goes on: its thread jumps back to its expectation, and
 * leaves the halted kernel behind as it stands. Without an expectation the process ends.
 */
#include "ke/bugcheck.h"

#include "base/log.h"
#include "base/mutex.h"
#include "base/park.h"
#include "base/process.h"
#include "base/stack.h"
#include "ke/bugcheck_callback.h"
#include "ke/expectation.h"
#include "ke/kernel.h"
#include "rtl/exception.h"
#include "verifier/rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bugcheck_text {
    ULONG code;
    const char *name;
    const char *parameter[4];
};

#define X(code, name, p1, p2, p3, p4) {code, name, {p1, p2, p3, p4}},
static const struct bugcheck_text texts[] = {
#include "bugchecks_table.inc"
};
#undef X

struct ke_expectation *_Atomic ke_expectation;

/* What the calling thread expects, innermost first, until it has got it. */
static _Thread_local struct ke_expectation *own_expectation;

/* Whether the text of a first parameter begins with that value, as in "0x42 KeAcquireSpinLock...".
 * */
static bool begins_with(const char *text, ULONG_PTR value)
{
    char *end;
    unsigned long long number = strtoull(text, &end, 16);
    return end != text && *end == ' ' && number == value;
}

/* The row of a code, and of its first parameter where the code has several rows. */
static const struct bugcheck_text *text_of(ULONG code, ULONG_PTR parameter1)
{
    static const struct bugcheck_text unknown = {0, "UNKNOWN_BUG_CHECK", {"", "", "", ""}};
    const struct bugcheck_text *found = &unknown;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].code != code) {
            continue;
        }
        if (begins_with(texts[i].parameter[0], parameter1)) {
            return &texts[i];
        }
        if (found == &unknown) {
            found = &texts[i];
        }
    }
    return found;
}

/* Whether a frame belongs to stopping itself, which tells a driver's author nothing. */
static bool is_of_stop(const struct base_stack_frame *frame)
{
    static const char *const functions[] = {"base_stack_print", "print_banner", "stop",
                                            "ke_bugcheck", "KeBugCheckEx"};
    for (size_t i = 0; i < RTL_NUMBER_OF(functions) && frame->function != NULL; i++) {
        if (strcmp(frame->function, functions[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void print_frame(void *context, const struct base_stack_frame *frame)
{
    UNREFERENCED_PARAMETER(context);
    if (is_of_stop(frame)) {
        return;
    }
    base_log("    %s%s%s%s", frame->function != NULL ? frame->function : "?",
             frame->file != NULL ? " at " : "", frame->file != NULL ? frame->file : "",
             frame->file != NULL ? "" : "\n");
    if (frame->file != NULL) {
        base_log(":%u\n", frame->line);
    }
}

static void print_rule(const char *id)
{
    const struct verifier_rule *rule = verifier_rule_find(id);
    base_log("Rule %s: %s\n", id, rule != NULL ? rule->text : "not in the ledgers");
    if (rule != NULL) {
        base_log("See %s.\n", rule->source);
    }
}

static void print_banner(const struct wskemu_bugcheck *bugcheck)
{
    const struct bugcheck_text *text = text_of(bugcheck->code, bugcheck->parameter[0]);
    base_log("\n*** STOP: 0x%08X (0x%016llX,0x%016llX,0x%016llX,0x%016llX)\n*** %s\n\n",
             bugcheck->code, (unsigned long long)bugcheck->parameter[0],
             (unsigned long long)bugcheck->parameter[1], (unsigned long long)bugcheck->parameter[2],
             (unsigned long long)bugcheck->parameter[3], text->name);
    for (int i = 0; i < 4; i++) {
        base_log("    %d: %016llX  %s\n", i + 1, (unsigned long long)bugcheck->parameter[i],
                 text->parameter[i]);
    }
    if (bugcheck->sentence[0] != '\0') {
        base_log("\n%s\n", bugcheck->sentence);
    }
    if (bugcheck->rule != NULL) {
        print_rule(bugcheck->rule);
    }
    base_log("\nStack:\n");
    base_stack_print(print_frame, NULL);
    base_log("\n");
}

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
    if (ke_thread_slot.kernel != NULL) {
        ke_bugcheck_callbacks_run(ke_thread_slot.kernel);
    }
    struct ke_expectation *expectation = atomic_exchange(&ke_expectation, NULL);
    if (expectation == NULL || expectation->is_announced) {
        print_banner(bugcheck);
    }
    if (expectation == NULL) {
        base_process_end(BASE_EXIT_BUGCHECK);
    }
    meet(expectation, bugcheck);
    ke_halt_here();
}

_Noreturn void ke_bugcheck(ULONG code, ULONG_PTR parameter1, ULONG_PTR parameter2,
                           ULONG_PTR parameter3, ULONG_PTR parameter4, const char *rule,
                           const char *sentence, ...)
{
    struct wskemu_bugcheck bugcheck = {
        .code = code,
        .parameter = {parameter1, parameter2, parameter3, parameter4},
        .name = text_of(code, parameter1)->name,
        .rule = rule,
    };
    va_list arguments;
    va_start(arguments, sentence);
    vsnprintf(bugcheck.sentence, sizeof(bugcheck.sentence), sentence, arguments);
    va_end(arguments);
    stop(&bugcheck);
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
        .name = text_of(BugCheckCode, BugCheckParameter1)->name,
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

/* Runs body where a bug check resumes. Returns when either has ended. */
static void run_until_stop(struct ke_expectation *expectation, void (*body)(void *context),
                           void *context)
{
    struct ke_expectation *expected = expectation;
    expectation->outer = own_expectation;
    own_expectation = expectation;
    expectation->shadowed = atomic_exchange(&ke_expectation, expectation);
    if (BASE_JUMP_SET(expectation->resume) == 0) {
        body(context);
        look_whether_halted();
        if (!atomic_compare_exchange_strong(&ke_expectation, &expected, expectation->shadowed)) {
            ke_halt_here();
        }
    } else {
        atomic_store(&ke_expectation, expectation->shadowed);
    }
    own_expectation = expectation->outer;
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

static BOOLEAN run_and_catch(void (*body)(void *context), void *context,
                             struct wskemu_bugcheck *caught, bool is_announced)
{
    struct ke_expectation *expectation = create_expectation(is_announced);
    struct seh_barrier barrier;
    seh_barrier_push(&barrier);
    run_until_stop(expectation, body, context);
    seh_barrier_pop(&barrier);
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
