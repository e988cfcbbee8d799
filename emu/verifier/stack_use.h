/* How much of the kernel stack a driver's routine uses, at level full; see stack_use.c. */
#ifndef VERIFIER_STACK_USE_H
#define VERIFIER_STACK_USE_H

#include "verifier/level.h"

/* What KeExpandKernelStackAndCallout calls its routine: it has asked for more. */
#define VERIFIER_EXPANDED "a routine on an expanded stack"

void verifier_stack_use_look(const char *action);

/* The driver called a function; action says which: "waited". Warns if its routine has more on the
 * stack than a kernel stack holds. */
static inline void verifier_stack_use(const char *action)
{
    if (verifier_is_full()) {
        verifier_stack_use_look(action);
    }
}

#endif
