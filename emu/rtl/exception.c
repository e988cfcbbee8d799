/*
 * The runtime of structured exception handling for gcc and clang; excpt.h has the macros.
 * (Microsoft's keywords are not written out here: sources that hold them are built another way.)
 *
 * Each body that is entered has a guard. A thread's guards are a stack, the innermost on top. What
 * is kept true:
 *
 *   - The macros tell of every exit of a body, so a guard in state GUARD_BODY stands for a body
 *     in which the thread is. Only a jump over whole functions (a test's expectation, a failed
 *     assertion) leaves guards behind: their activation then lies below the stack pointer of who
 *     looks, and they are dropped unseen.
 *   - A raise goes to the innermost guard in that state, and never beyond the innermost barrier.
 *   - Once an exception arrived at a guard, its state tells so, and it takes part in no raise more.
 *     The end of a handler is not told, so the guard stays for GetExceptionCode until a body round
 *     it ends, the same body is entered again, or a function further out enters one.
 *   - A body with a finally block that is left past the block, or a block that is left before its
 *     end, is a bug check at once, naming file and line.
 *
 * An exception is delivered in one step, from guard to guard: into the innermost, whose filter then
 * says whether to go on outwards, or whose finally block runs and then goes on. If no handler is on
 * the way to the barrier, nothing is unwound and the bug check sees the whole stack.
 */
#include "rtl/exception.h"

#include "base/mutex.h"

#include "ke/bugcheck.h"
#include "ke/crash.h"

#include <stdint.h>
#include <stdlib.h>

#ifndef _MSC_VER

enum guard_state {
    GUARD_BODY,    /* the body executes */
    GUARD_DONE,    /* the body came to its end */
    GUARD_RAISED,  /* an exception arrived; its filter has not spoken yet */
    GUARD_HANDLER, /* in the handler's block, or done with it */
    GUARD_FINALLY  /* in the finally block */
};

struct wskemu_seh_guard {
    wskemu_seh_environment environment; /* first: the macros know it there */
    struct wskemu_seh_guard *outer;
    struct wskemu_seh_place place;
    enum guard_state state;
    bool is_abnormal; /* the finally block runs because of an exception */
    EXCEPTION_RECORD record;
    CONTEXT machine;
    EXCEPTION_POINTERS pointers;
};

BASE_THREAD_LOCAL struct seh_guards seh_guards;

/* The stack of guards. */

static void pop_guard(void)
{
    struct wskemu_seh_guard *guard = seh_guards.top;
    seh_guards.top = guard->outer;
    free(guard);
}

void seh_forget_above(const struct wskemu_seh_guard *stop)
{
    while (seh_guards.top != stop) {
        pop_guard();
    }
}

/* Functions whose frames lie below that address are not running: stacks grow downwards. */
static void forget_below(uintptr_t address)
{
    while (seh_guards.top != seh_guards.base &&
           (uintptr_t)seh_guards.top->place.activation < address) {
        pop_guard();
    }
}

/* A statement that is entered again is not in its handler, and neither is one entered since. */
static void forget_former(const struct wskemu_seh_place *place)
{
    const struct wskemu_seh_guard *stop = seh_guards.top;
    for (const struct wskemu_seh_guard *guard = seh_guards.top;
         guard != seh_guards.base && guard->place.activation == place->activation;
         guard = guard->outer) {
        if (guard->place.number == place->number) {
            stop = guard->outer;
        }
    }
    seh_forget_above(stop);
}

static struct wskemu_seh_guard *find_guard(void *activation, int number)
{
    for (struct wskemu_seh_guard *guard = seh_guards.top; guard != seh_guards.base;
         guard = guard->outer) {
        if (guard->place.activation == activation && guard->place.number == number &&
            guard->state != GUARD_BODY) {
            return guard;
        }
    }
    ke_bugcheck(MANUALLY_INITIATED_CRASH, KE_CRASH_EXCEPTION, (ULONG_PTR)activation,
                (ULONG_PTR)number, 0, NULL,
                "An exception was asked for in a function that is not handling one.");
}

void seh_thread_exit(void)
{
    seh_guards.base = NULL;
    seh_forget_above(NULL);
}

/* Raising. */

static struct wskemu_seh_guard *next_body(struct wskemu_seh_guard *guard)
{
    while (guard != seh_guards.base && guard->state != GUARD_BODY) {
        guard = guard->outer;
    }
    return guard != seh_guards.base ? guard : NULL;
}

static bool has_handler(void)
{
    const struct wskemu_seh_guard *guard = next_body(seh_guards.top);
    while (guard != NULL && guard->place.is_finally) {
        guard = next_body(guard->outer);
    }
    return guard != NULL;
}

bool seh_is_protected(void)
{
    forget_below((uintptr_t)__builtin_frame_address(0));
    return has_handler();
}

static _Noreturn void jump_to(struct wskemu_seh_guard *guard)
{
#ifdef _WIN32
    longjmp(guard->environment, 1);
#else
    siglongjmp(guard->environment, 1);
#endif
}

void seh_dispatch(const EXCEPTION_RECORD *record, const CONTEXT *machine)
{
    /* Not this function's frame: a fault may be dispatched on a stack of its own. */
    forget_below(machine->Rsp);
    if (!has_handler()) {
        return;
    }
    struct wskemu_seh_guard *guard = next_body(seh_guards.top);
    guard->state = GUARD_RAISED;
    guard->record = *record;
    guard->machine = *machine;
    guard->pointers.ExceptionRecord = &guard->record;
    guard->pointers.ContextRecord = &guard->machine;
    seh_forget_above(guard);
    base_mutex_unlock_all(); /* a fault in a driver's pointer may have come while one was held */
    jump_to(guard);
}

/* What the macros call. */

struct wskemu_seh_guard *wskemu_seh_enter(const struct wskemu_seh_place *place)
{
    forget_below((uintptr_t)place->activation);
    forget_former(place);
    if (next_body(seh_guards.top) == NULL) {
        seh_catch_faults(); /* somebody may have taken the host's signals since the last time */
    }
    struct wskemu_seh_guard *guard = calloc(1, sizeof(*guard));
    if (guard == NULL) {
        ke_bugcheck(MANUALLY_INITIATED_CRASH, 0, 0, 0, 0, NULL,
                    "The host is out of memory at the try statement of %s:%d.", place->file,
                    place->line);
    }
    guard->place = *place;
    guard->outer = seh_guards.top;
    seh_guards.top = guard;
    return guard;
}

/* At the end of a body, however it was reached: whether the statement ends there. */
int wskemu_seh_finish(struct wskemu_seh_guard *guard)
{
    seh_forget_above(guard);
    if (guard->place.is_finally) {
        guard->is_abnormal = guard->state == GUARD_RAISED;
        guard->state = GUARD_FINALLY;
        return 0;
    }
    if (guard->state == GUARD_RAISED) {
        return 0;
    }
    guard->state = GUARD_DONE;
    return 1;
}

/* On every way out of a body. */
void wskemu_seh_exit(struct wskemu_seh_guard **body)
{
    struct wskemu_seh_guard *guard = *body;
    if (guard->state == GUARD_BODY && guard->place.is_finally) {
        ke_bugcheck(MANUALLY_INITIATED_CRASH, KE_CRASH_EXCEPTION,
                    (ULONG_PTR)guard->place.activation, (ULONG_PTR)guard->place.line, 0, NULL,
                    "The try statement at %s:%d was left by return, goto, break or continue. Its "
                    "finally block cannot run then with this compiler. Use leave.",
                    guard->place.file, guard->place.line);
    }
    if (guard->state == GUARD_BODY || guard->state == GUARD_DONE) {
        seh_forget_above(guard);
        pop_guard();
    }
}

static _Noreturn void refuse_to_continue(const struct wskemu_seh_guard *guard)
{
    if ((guard->record.ExceptionFlags & EXCEPTION_NONCONTINUABLE) == 0) {
        ke_not_implemented("EXCEPTION_CONTINUE_EXECUTION");
    }
    EXCEPTION_RECORD refused = {
        .ExceptionCode = STATUS_NONCONTINUABLE_EXCEPTION,
        .ExceptionFlags = EXCEPTION_NONCONTINUABLE | EXCEPTION_SOFTWARE_ORIGINATE,
        .ExceptionAddress = guard->record.ExceptionAddress,
    };
    seh_raise(&refused, &guard->machine);
}

/* Takes the filter's answer; returns 0 if the handler is to run, else does not return. */
int wskemu_seh_refuse(void *activation, int number, int disposition)
{
    struct wskemu_seh_guard *guard = find_guard(activation, number);
    if (disposition == EXCEPTION_CONTINUE_SEARCH) {
        seh_raise(&guard->record, &guard->machine);
    }
    if (disposition < 0) {
        refuse_to_continue(guard);
    }
    guard->state = GUARD_HANDLER;
    return 0;
}

struct wskemu_seh_guard *wskemu_seh_finally_begin(void *activation, int number)
{
    return find_guard(activation, number);
}

/* After the finally block: goes on with the exception if there was one. */
struct wskemu_seh_guard *wskemu_seh_finally_end(struct wskemu_seh_guard *guard)
{
    seh_forget_above(guard);
    if (guard->is_abnormal) {
        seh_raise(&guard->record, &guard->machine);
    }
    pop_guard();
    return NULL;
}

/* On every way out of a finally block; the ordinary one has forgotten the guard. */
void wskemu_seh_finally_exit(struct wskemu_seh_guard **block)
{
    const struct wskemu_seh_guard *guard = *block;
    if (guard != NULL) {
        ke_bugcheck(MANUALLY_INITIATED_CRASH, KE_CRASH_EXCEPTION,
                    (ULONG_PTR)guard->place.activation, (ULONG_PTR)guard->place.line, 0, NULL,
                    "The finally block of the try statement at %s:%d was left by return, goto or "
                    "break.",
                    guard->place.file, guard->place.line);
    }
}

ULONG wskemu_seh_code(void *activation, int number)
{
    return (ULONG)find_guard(activation, number)->record.ExceptionCode;
}

PEXCEPTION_POINTERS wskemu_seh_information(void *activation, int number)
{
    return &find_guard(activation, number)->pointers;
}

int wskemu_seh_is_abnormal(const struct wskemu_seh_guard *guard)
{
    return guard->is_abnormal;
}

#endif /* _MSC_VER */
