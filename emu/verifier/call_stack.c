#include "verifier/call_stack.h"

#include "base/log.h"
#include "base/stack.h"
#include "ke/thread.h"

#include <stdbool.h>
#include <stddef.h>

#define EVIDENCE_MAX 2

static _Thread_local struct {
    const struct verifier_stack *stack;
    const char *title;
} evidence[EVIDENCE_MAX];

static _Thread_local unsigned evidence_count;

/* Of the kernel to which the evidence belongs: a bug check that nobody prints leaves it behind. */
static _Thread_local uint64_t evidence_generation;

static bool keep_frame(void *context, uintptr_t pc, uintptr_t frame_pointer)
{
    struct verifier_stack *stack = context;
    (void)frame_pointer;
    stack->pc[stack->count++] = pc;
    return stack->count == VERIFIER_STACK_FRAMES;
}

void verifier_stack_capture(struct verifier_stack *stack)
{
    stack->count = 0;
    base_stack_walk(keep_frame, stack);
}

void verifier_evidence_add(const struct verifier_stack *stack, const char *title)
{
    if (evidence_generation != ke_thread_slot.generation) {
        evidence_generation = ke_thread_slot.generation;
        evidence_count = 0;
    }
    if (evidence_count < EVIDENCE_MAX) {
        evidence[evidence_count].stack = stack;
        evidence[evidence_count++].title = title;
    }
}

void verifier_stack_print(const struct verifier_stack *stack)
{
    for (unsigned i = 0; i < stack->count; i++) {
        struct base_stack_frame frame;
        base_stack_name(stack->pc[i], &frame);
        const char *function = frame.function != NULL ? frame.function : "?";
        if (frame.file != NULL) {
            base_log("    %s at %s:%u\n", function, frame.file, frame.line);
        } else {
            base_log("    %s\n", function);
        }
    }
}

void verifier_evidence_print(void)
{
    if (evidence_generation != ke_thread_slot.generation) {
        return;
    }
    for (unsigned i = 0; i < evidence_count; i++) {
        base_log("\n%s:\n", evidence[i].title);
        verifier_stack_print(evidence[i].stack);
    }
}

void verifier_evidence_forget(void)
{
    evidence_count = 0;
}
