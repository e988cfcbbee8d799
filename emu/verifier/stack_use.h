/* How much of the kernel stack a driver's routine uses, at level full; see stack_use.c. */
#ifndef VERIFIER_STACK_USE_H
#define VERIFIER_STACK_USE_H

#include "verifier/level.h"

/* What KeExpandKernelStackAndCallout calls its routine: it has asked for more. */
#define VERIFIER_EXPANDED "a routine on an expanded stack"

void verifier_stack_use_look(const char *action);

/* The calling thread's stack, as a sentence tells it: how large, and what is on it. */
struct verifier_stack_content {
    char text[400];
};

struct verifier_stack_content verifier_stack_content(void);

/* The driver called a function; action says which: "waited". Warns if its routine has more on the
 * stack than a kernel stack holds. */
static inline void verifier_stack_use(const char *action)
{
    if (verifier_is_full()) {
        verifier_stack_use_look(action);
    }
}

#endif
