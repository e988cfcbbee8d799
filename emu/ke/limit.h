/* The IRQL that a kernel function asks of its caller; see irql.csv in docs/rules. */
#ifndef KE_LIMIT_H
#define KE_LIMIT_H

#include <wdm.h>

#include "ke/thread.h"

/* Returns where the rule does not speak: level off, or silenced. */
void ke_limit_broken(KIRQL irql, KIRQL limit, bool is_exact, const char *function);

static inline void ke_limit_at_most(KIRQL highest, const char *function)
{
    KIRQL irql = ke_current()->irql;
    if (irql > highest) {
        ke_limit_broken(irql, highest, false, function);
    }
}

static inline void ke_limit_exactly(KIRQL required, const char *function)
{
    KIRQL irql = ke_current()->irql;
    if (irql != required) {
        ke_limit_broken(irql, required, true, function);
    }
}

/* First statement of a kernel function. */
#define KE_IRQL_AT_MOST(highest) ke_limit_at_most(highest, __func__)
#define KE_IRQL_EXACTLY(required) ke_limit_exactly(required, __func__)

#endif
