/* Units, ratios, and whether targets are met. */
#include "host/run.h"

#include <stdio.h>
#include <string.h>

/* Counts of switches and calls carry what a round costs once: the command to the peer and its like.
 */
#define EFFORT_SLACK 0.03

static const char *const unit_names[] = {"ns", "us", "ms", "/s", "MB/s", "bytes"};

static bool is_rate(const struct bench_measurement *measurement)
{
    return measurement->unit == BENCH_PER_SECOND || measurement->unit == BENCH_MEGABYTES_PER_SECOND;
}

double bench_in_unit(const struct bench_measurement *measurement, double figure)
{
    switch (measurement->unit) {
    case BENCH_MICROSECONDS:
        return figure / 1e3;
    case BENCH_MILLISECONDS:
        return figure / 1e6;
    case BENCH_PER_SECOND:
        return 1e9 / figure;
    case BENCH_MEGABYTES_PER_SECOND:
        return BENCH_BLOCK_BYTES * 1e3 / figure;
    default:
        return figure;
    }
}

const char *bench_unit_name(const struct bench_measurement *measurement)
{
    return unit_names[measurement->unit];
}

static const struct bench_figures *own(const struct bench_result *result)
{
    return &result->figures[bench_side_count(result->measurement) - 1];
}

double bench_ratio(const struct bench_result *result, unsigned against)
{
    double ours = own(result)->median, theirs = result->figures[against].median;
    return is_rate(result->measurement) ? theirs / ours : ours / theirs;
}

static bool is_no_more(double ours, double theirs)
{
    return ours <= theirs + EFFORT_SLACK;
}

static bool is_met(const struct bench_result *result, const struct bench_target *target,
                   const struct bench_result *base)
{
    const struct bench_figures *ours = own(result), *theirs = &result->figures[target->against];
    double value = bench_in_unit(result->measurement, ours->median);
    switch (target->kind) {
    case BENCH_TIME_RATIO:
        return bench_ratio(result, target->against) <= target->limit;
    case BENCH_TIME_OR_RATIO:
        return bench_ratio(result, target->against) <= target->limit || value <= target->value;
    case BENCH_RATE_RATIO:
        return bench_ratio(result, target->against) >= target->limit;
    case BENCH_EFFORT:
        return is_no_more(ours->switches, theirs->switches) &&
               is_no_more(ours->calls, theirs->calls);
    case BENCH_DIFFERENCE:
        return value - bench_in_unit(result->measurement, theirs->median) <= target->value;
    case BENCH_GROWTH:
        return ours->median <= target->limit * own(base)->median;
    default:
        return value <= target->value;
    }
}

enum bench_verdict bench_judge(const struct bench_result *result, const struct bench_target *target,
                               const struct bench_result *base, bool is_pinned)
{
    bool is_due = target->when == BENCH_ALWAYS || (target->when == BENCH_PINNED) == is_pinned;
    bool lacks_base = target->kind == BENCH_GROWTH && base == NULL;
    if (target->kind == BENCH_NO_TARGET || !is_due || lacks_base) {
        return BENCH_NOT_JUDGED;
    }
    return is_met(result, target, base) ? BENCH_OK : BENCH_MISSED;
}

void bench_describe(const struct bench_measurement *measurement, const struct bench_target *target,
                    char *text, size_t size)
{
    const char *unit = bench_unit_name(measurement);
    const struct bench_side *side = measurement->sides[target->against];
    const char *against = side == NULL ? "" : side->name;
    switch (target->kind) {
    case BENCH_TIME_RATIO:
        snprintf(text, size, "at most %.2f x the time of %s", target->limit, against);
        break;
    case BENCH_TIME_OR_RATIO:
        snprintf(text, size, "at most %g %s or %.2f x the time of %s", target->value, unit,
                 target->limit, against);
        break;
    case BENCH_RATE_RATIO:
        snprintf(text, size, "at least %.2f x the rate of %s", target->limit, against);
        break;
    case BENCH_EFFORT:
        snprintf(text, size, "no more context switches and system calls than %s", against);
        break;
    case BENCH_DIFFERENCE:
        snprintf(text, size, "at most %g %s more than %s", target->value, unit, against);
        break;
    case BENCH_GROWTH:
        snprintf(text, size, "at most %.2f x %s", target->limit, target->base);
        break;
    default:
        snprintf(text, size, "at most %g %s", target->value, unit);
        break;
    }
}

const struct bench_result *bench_find(const struct bench_result *results, unsigned count,
                                      const char *name)
{
    for (unsigned i = 0; name != NULL && i < count; i++) {
        if (strcmp(results[i].measurement->name, name) == 0) {
            return &results[i];
        }
    }
    return NULL;
}
