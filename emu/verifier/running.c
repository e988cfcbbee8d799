/*
 * Which routines of drivers run.
 *
 * The record of a thread's routines is its own (ke/callback.h), and so is its stack, so each thread
 * is interrupted to write both down, and goes on. What it wrote is printed by who asked. No lock of
 * the kernel is needed, which the thread that does not come back may hold.
 */
#include "verifier/running.h"

#include "base/interrupt.h"
#include "base/log.h"
#include "base/stack.h"
#include "ke/callback.h"
#include "ke/thread.h"
#include "verifier/call_stack.h"
#include "verifier/report.h"

#include <string.h>

#define NESTED_MAX 4

/* What one thread answers. */
struct answer {
    const char *what[NESTED_MAX]; /* its routines, the innermost first, and the outermost */
    const void *routine[NESTED_MAX];
    unsigned depth; /* 0: no routine of a driver runs on it */
    KIRQL irql;
    bool is_waiting;
    struct verifier_stack stack;
    unsigned count; /* of threads that were printed */
};

/* On the thread that is asked. */
static void look(void *context)
{
    struct answer *answer = context;
    const struct _KTHREAD *thread = ke_thread_slot.thread;
    answer->depth = 0;
    for (const struct ke_callback *callback = ke_callback_innermost();
         callback != NULL && thread != NULL; callback = callback->outer) {
        unsigned i = answer->depth < NESTED_MAX ? answer->depth++ : NESTED_MAX - 1;
        answer->what[i] = callback->what;
        answer->routine[i] = callback->routine;
    }
    if (answer->depth != 0) {
        answer->irql = thread->irql;
        answer->is_waiting = thread->wait != NULL;
        verifier_stack_capture(&answer->stack);
    }
}

/* The driver's own functions, and the kernel's that it called. */
static bool is_telling(const struct base_stack_frame *frame)
{
    if (frame->file == NULL || frame->function == NULL) {
        return false;
    }
    bool is_kernel = frame->function[0] >= 'A' && frame->function[0] <= 'Z';
    return verifier_is_own_frame(frame) ? is_kernel
                                        : frame->file[0] == '/' && verifier_is_driver_frame(frame);
}

static bool is_function_of(const struct base_stack_frame *frame, const void *routine)
{
    struct base_stack_frame first;
    if (routine == NULL || frame->function == NULL) {
        return false;
    }
    base_stack_name((uintptr_t)routine, &first);
    return first.function != NULL && strcmp(first.function, frame->function) == 0;
}

/* Down to the outermost routine. */
static void print_stack(const struct answer *answer)
{
    for (unsigned i = 0; i < answer->stack.count; i++) {
        struct base_stack_frame frame;
        base_stack_name(answer->stack.pc[i], &frame);
        if (is_telling(&frame)) {
            base_log("    %s at %s:%u\n", frame.function, frame.file, frame.line);
        }
        if (is_function_of(&frame, answer->routine[answer->depth - 1])) {
            return;
        }
    }
}

static void print_routine(const struct answer *answer, unsigned i)
{
    base_log("%s%s", i != 0 ? ", inside " : "  ", answer->what[i]);
    if (answer->routine[i] != NULL) {
        base_log(" (%s)", base_stack_site((const char *)answer->routine[i] + 1).text);
    }
}

static void print(void *context)
{
    struct answer *answer = context;
    for (unsigned i = 0; i < answer->depth; i++) {
        print_routine(answer, i);
    }
    if (answer->depth != 0) {
        base_log(" %s at IRQL %u:\n", answer->is_waiting ? "waits" : "runs",
                 (unsigned)answer->irql);
        print_stack(answer);
        answer->count++;
    }
}

unsigned verifier_running_print(void)
{
    struct answer answer = {0};
    base_threads_ask(look, print, &answer);
    return answer.count;
}
