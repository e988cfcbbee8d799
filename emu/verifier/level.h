/*
 * How much the verifier does, for everybody to ask: one load.
 *
 * off       Only the checks stay that protect the emulator itself: those whose breach it could not
 *           survive (ke_bugcheck). What it survives (ke_violation) and soft rules (ke_warning) are
 *           not spoken of, nothing is recorded.
 * standard  All rules are checked, and who called is recorded.
 * full      Whole call stacks are recorded, and what costs is checked too.
 */
#ifndef VERIFIER_LEVEL_H
#define VERIFIER_LEVEL_H

#include <stdatomic.h>
#include <stdbool.h>

enum verifier_level { VERIFIER_OFF, VERIFIER_STANDARD, VERIFIER_FULL };

/* Set at boot. */
extern _Atomic(int) verifier_level_now;

static inline enum verifier_level verifier_level(void)
{
    return (enum verifier_level)atomic_load_explicit(&verifier_level_now, memory_order_relaxed);
}

static inline bool verifier_is_on(void)
{
    return verifier_level() != VERIFIER_OFF;
}

static inline bool verifier_is_full(void)
{
    return verifier_level() == VERIFIER_FULL;
}

#endif
