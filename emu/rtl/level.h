/*
 * The IRQL that irql.csv asks of callers of the run-time library. Its functions also serve where no
 * kernel runs; there is no level then.
 */
#ifndef RTL_LEVEL_H
#define RTL_LEVEL_H

#include "ke/limit.h"

#include <stdatomic.h>

static inline void rtl_level_at_most(KIRQL highest, const char *function)
{
    /* The thread that boots the kernel has no thread object until its modules are started. */
    if (atomic_load(&ke_generation) != 0 && ke_current() != NULL) {
        ke_limit_at_most(highest, function);
    }
}

/* First statement of a function of the library. */
#define RTL_IRQL_AT_MOST(highest) rtl_level_at_most(highest, __func__)

#endif
