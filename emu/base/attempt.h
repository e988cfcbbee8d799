/*
 * Reading what may not be there. While a thread attempts that, a fault of its own leads out of the
 * attempt and to nobody else:
 *
 *     struct base_attempt attempt;
 *     if (BASE_ATTEMPT(&attempt)) {
 *         ... reads, calls nobody who takes locks ...
 *         base_attempt_end();
 *     } else {
 *         ... it faulted ...
 *     }
 */
#ifndef BASE_ATTEMPT_H
#define BASE_ATTEMPT_H

#include "base/jump.h"

#include <stddef.h>

struct base_attempt {
    base_jump jump;
};

/* The calling thread's, or NULL. */
extern _Thread_local struct base_attempt *base_attempt;

#define BASE_ATTEMPT(attempt) (BASE_JUMP_SET((attempt)->jump) == 0 && base_attempt_begin(attempt))

static inline int base_attempt_begin(struct base_attempt *attempt)
{
    base_attempt = attempt;
    return 1;
}

static inline void base_attempt_end(void)
{
    base_attempt = NULL;
}

/* The handler of faults says so first. Returns if the thread attempts nothing. */
static inline void base_attempt_failed(void)
{
    struct base_attempt *failed = base_attempt;
    if (failed != NULL) {
        base_attempt = NULL;
        BASE_JUMP_TO(failed->jump);
    }
}

#endif
