#include "host/run.h"

#include "host/process.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 101
#define ALONE_ROUNDS 3

uint64_t bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t bench_heap_bytes(void)
{
    struct mallinfo2 heap = mallinfo2();
    return heap.uordblks + heap.hblkhd;
}

uint64_t bench_resident_bytes(void)
{
    unsigned long total, resident;
    FILE *file = fopen("/proc/self/statm", "re");
    BENCH_REQUIRE(file != NULL && fscanf(file, "%lu %lu", &total, &resident) == 2);
    fclose(file);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

unsigned bench_side_count(const struct bench_measurement *measurement)
{
    unsigned count = 0;
    while (count < BENCH_SIDES_MAX && measurement->sides[count] != NULL) {
        count++;
    }
    return count;
}

/* ---- rounds ---- */

/* What the rounds of one side have come to so far. */
struct series {
    double values[ROUNDS_MAX];
    double processor, switches;
};

static uint64_t processor_ns(const struct rusage *usage)
{
    return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000000 +
           (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000;
}

static uint64_t switches(const struct rusage *usage)
{
    return (uint64_t)(usage->ru_nvcsw + usage->ru_nivcsw);
}

/* What one round took, in all. */
struct cost {
    uint64_t time, processor, switches;
};

static struct cost measure(const struct bench_side *side, uint64_t operations)
{
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    uint64_t begin = bench_now();
    side->round(operations);
    uint64_t end = bench_now();
    getrusage(RUSAGE_SELF, &after);
    return (struct cost){end - begin, processor_ns(&after) - processor_ns(&before),
                         switches(&after) - switches(&before)};
}

static void note(struct series *series, unsigned round, struct cost cost, uint64_t operations)
{
    series->values[round] = (double)cost.time / (double)operations;
    series->processor += (double)cost.processor;
    series->switches += (double)cost.switches;
}

static int compare(const void *left, const void *right)
{
    double one = *(const double *)left, other = *(const double *)right;
    return (one > other) - (one < other);
}

static void summarise(struct series *series, unsigned rounds, double operations,
                      struct bench_figures *figures)
{
    qsort(series->values, rounds, sizeof(double), compare);
    figures->minimum = series->values[0];
    figures->median = series->values[rounds / 2];
    figures->maximum = series->values[rounds - 1];
    figures->processor = series->processor / rounds / operations;
    figures->switches = series->switches / rounds / operations;
    figures->calls = -1;
}

static void run_together(const struct bench_measurement *measurement, unsigned rounds,
                         struct series *series)
{
    unsigned sides = bench_side_count(measurement);
    for (unsigned i = 0; i < sides; i++) {
        measurement->sides[i]->start(&measurement->load);
        measurement->sides[i]->round(measurement->operations);
    }
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < sides; i++) {
            note(&series[i], round, measure(measurement->sides[i], measurement->operations),
                 measurement->operations);
        }
    }
    for (unsigned i = sides; i-- != 0;) {
        measurement->sides[i]->stop();
    }
}

void bench_serve_apart(const struct bench_measurement *measurement, const struct bench_side *side)
{
    uint64_t operations;
    side->start(&measurement->load);
    while (read(STDIN_FILENO, &operations, sizeof(operations)) == sizeof(operations)) {
        struct cost cost = measure(side, operations);
        BENCH_REQUIRE(write(STDOUT_FILENO, &cost, sizeof(cost)) == sizeof(cost));
    }
    side->stop();
}

static struct cost measure_apart(struct bench_peer *process, uint64_t operations)
{
    struct cost cost;
    bench_peer_command(process, operations);
    cost.time = bench_peer_tell(process);
    cost.processor = bench_peer_tell(process);
    cost.switches = bench_peer_tell(process);
    return cost;
}

static void run_apart(const struct bench_measurement *measurement, unsigned rounds,
                      struct series *series)
{
    struct bench_peer *processes[BENCH_SIDES_MAX];
    unsigned sides = bench_side_count(measurement);
    for (unsigned i = 0; i < sides; i++) {
        processes[i] = bench_apart_start(measurement, i);
        measure_apart(processes[i], measurement->operations);
    }
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < sides; i++) {
            note(&series[i], round, measure_apart(processes[i], measurement->operations),
                 measurement->operations);
        }
    }
    for (unsigned i = 0; i < sides; i++) {
        bench_peer_stop(processes[i]);
    }
}

static void run_alone(const struct bench_measurement *measurement, unsigned rounds,
                      struct series *series)
{
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < bench_side_count(measurement); i++) {
            series[i].values[round] = bench_run_alone(measurement, i, measurement->operations);
        }
    }
}

/* Two runs of different length, so that what a start and an end cost drops out. */
static double count_calls(const struct bench_measurement *measurement, unsigned side)
{
    uint64_t operations = measurement->operations;
    double some = bench_count_calls(measurement, side, operations);
    double more = bench_count_calls(measurement, side, 2 * operations);
    return some < 0 || more < 0 ? -1 : (more - some) / (double)operations;
}

void bench_run(const struct bench_measurement *measurement, unsigned rounds,
               struct bench_result *result)
{
    static struct series series[BENCH_SIDES_MAX];
    result->measurement = measurement;
    rounds = rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    for (unsigned i = 0; i < BENCH_SIDES_MAX; i++) {
        series[i].processor = series[i].switches = 0;
    }
    if (measurement->is_alone) {
        rounds = ALONE_ROUNDS;
        run_alone(measurement, rounds, series);
    } else if (measurement->is_apart) {
        run_apart(measurement, rounds, series);
    } else {
        run_together(measurement, rounds, series);
    }
    for (unsigned i = 0; i < bench_side_count(measurement); i++) {
        summarise(&series[i], rounds, (double)measurement->operations, &result->figures[i]);
        if (measurement->counts_calls) {
            result->figures[i].calls = count_calls(measurement, i);
        }
    }
}
