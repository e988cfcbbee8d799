/* Call stacks, kept to be told later: who allocated, freed, acquired. */
#ifndef VERIFIER_CALL_STACK_H
#define VERIFIER_CALL_STACK_H

#include <stdint.h>

#define VERIFIER_STACK_FRAMES 16

struct verifier_stack {
    uintptr_t pc[VERIFIER_STACK_FRAMES]; /* innermost first */
    unsigned count;
};

/* Keeps the calling thread's stack. Costs some microseconds. */
void verifier_stack_capture(struct verifier_stack *stack);

/* Writes a stack, a line a frame. */
void verifier_stack_print(const struct verifier_stack *stack);

/*
 * Evidence of the bug check that the calling thread is about to make: a line and the stack that
 * belongs to it. The report prints all that was added; the stack must live until then. A third and
 * further ones are dropped.
 */
void verifier_evidence_add(const struct verifier_stack *stack, const char *title);

/* Writes the calling thread's evidence, a paragraph each. */
void verifier_evidence_print(void);

/* After a bug check that did not come, because its rule was silenced. */
void verifier_evidence_forget(void);

#endif
