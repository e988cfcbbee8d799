/* A thread that waits for ever, as a test's own thread does. */
#ifndef BENCH_RAW_WAITER_H
#define BENCH_RAW_WAITER_H

#include "bench.h"

void waiter_start(const struct bench_load *load);
void waiter_stop(void);

#endif
