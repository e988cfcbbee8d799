/* The one clock. Everything that knows the time asks here, so that virtual time can take its place.
 * */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Monotonic nanoseconds since some moment before the process began. */
uint64_t base_clock_ns(void);

/* Wall time in 100-nanosecond units since 1601-01-01 UTC, Windows' system time. */
uint64_t base_clock_wall_100ns(void);

/* Offset of local time from UTC in 100-nanosecond units: local = UTC - bias. */
int64_t base_clock_bias_100ns(void);

#endif
