/* Runs a measurement and keeps what came of it. */
#ifndef BENCH_HOST_RUN_H
#define BENCH_HOST_RUN_H

#include "bench.h"

#define BENCH_ROUNDS 7

/* Times are nanoseconds of an operation; of a side with a reading they are that. */
struct bench_figures {
    double median, minimum, maximum;
    double processor; /* nanoseconds of processor time of an operation, of the bench's process */
    double switches;  /* context switches of an operation, of the bench's process */
    double calls;     /* system calls of an operation; negative: not counted */
};

struct bench_result {
    const struct bench_measurement *measurement;
    struct bench_figures figures[BENCH_SIDES_MAX];
};

enum bench_verdict { BENCH_NOT_JUDGED, BENCH_OK, BENCH_MISSED };

uint64_t bench_now(void); /* nanoseconds */
unsigned bench_side_count(const struct bench_measurement *measurement);
void bench_run(const struct bench_measurement *measurement, unsigned rounds,
               struct bench_result *result);

/* What bench_apart_start starts: runs rounds until there are no more commands. */
void bench_serve_apart(const struct bench_measurement *measurement, const struct bench_side *side);

/* The value of a figure in the measurement's unit, and the unit's name. */
double bench_in_unit(const struct bench_measurement *measurement, double figure);
const char *bench_unit_name(const struct bench_measurement *measurement);

/* wskemu's figure over that of another side, so that less is better for times and more for rates.
 */
double bench_ratio(const struct bench_result *result, unsigned against);

/* Whether a target is met. base is the result that it names, or NULL. */
enum bench_verdict bench_judge(const struct bench_result *result, const struct bench_target *target,
                               const struct bench_result *base, bool is_pinned);

/* Prints the target as a sentence. */
void bench_describe(const struct bench_measurement *measurement, const struct bench_target *target,
                    char *text, size_t size);

/* A table for people, or JSON for programs. */
void bench_report(const struct bench_result *result, const struct bench_result *results,
                  unsigned count, bool is_pinned);
void bench_report_json(const struct bench_result *results, unsigned count, bool is_pinned,
                       unsigned rounds);

/* The result of that name, or NULL. */
const struct bench_result *bench_find(const struct bench_result *results, unsigned count,
                                      const char *name);

#endif
