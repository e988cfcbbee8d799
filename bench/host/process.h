/* Processes: the bench again, with other arguments. */
#ifndef BENCH_HOST_PROCESS_H
#define BENCH_HOST_PROCESS_H

#include "bench.h"

/* The main function of a peer's process: argv as bench_peer_start made it. */
int bench_peer_main(int argc, char **argv);

/* A side in a process of its own that runs a round at each command, and tells three numbers then:
 * nanoseconds, nanoseconds of processor time, context switches. */
struct bench_peer *bench_apart_start(const struct bench_measurement *measurement, unsigned side);

/* One side alone in a process: the value that it printed. */
double bench_run_alone(const struct bench_measurement *measurement, unsigned side,
                       uint64_t operations);

/* The same under a tracer: how many system calls it made. Negative if that cannot be found out. */
double bench_count_calls(const struct bench_measurement *measurement, unsigned side,
                         uint64_t operations);

/* calls.c: runs argv and counts, with the same meaning. */
double bench_trace_calls(char *const argv[]);

#endif
