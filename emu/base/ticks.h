/*
 * The processor's counter: reading it takes a few nanoseconds where the clock takes twenty. It
 * counts from an unknown moment at a rate that whoever uses it has to find by the clock.
 */
#ifndef BASE_TICKS_H
#define BASE_TICKS_H

#include "base/clock.h"

#include <stdbool.h>

/* Whether it may be used: one rate for ever, and the same on every processor. */
bool base_ticks_are_steady(void);

/* The part of it that the host knows. */
bool base_ticks_are_trusted(void);

static inline uint64_t base_ticks(void)
{
#ifdef __x86_64__
#ifdef __GNUC__
    return __builtin_ia32_rdtsc();
#endif
#endif
    return base_clock_ns();
}

#endif
