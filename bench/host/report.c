#include "host/run.h"

#include <stdio.h>

#define TARGET_TEXT 160

static const char *const verdicts[] = {"not judged", "OK", "MISSED"};

/* The least and the greatest value: of a rate, the greatest figure is the least value. */
static void extremes(const struct bench_measurement *measurement,
                     const struct bench_figures *figures, double *least, double *greatest)
{
    double one = bench_in_unit(measurement, figures->minimum);
    double other = bench_in_unit(measurement, figures->maximum);
    *least = one < other ? one : other;
    *greatest = one < other ? other : one;
}

static void report_side(const struct bench_result *result, unsigned side)
{
    const struct bench_measurement *measurement = result->measurement;
    const struct bench_figures *figures = &result->figures[side];
    double least, greatest;
    extremes(measurement, figures, &least, &greatest);
    int digits = bench_in_unit(measurement, figures->median) < 1000 ? 2 : 0;
    printf("    %-16s %10.*f %-5s %10.*f .. %-10.*f", measurement->sides[side]->name, digits,
           bench_in_unit(measurement, figures->median), bench_unit_name(measurement), digits, least,
           digits, greatest);
    if (!measurement->is_alone) {
        printf(" cpu %8.2f us  switches %5.2f", figures->processor / 1e3, figures->switches);
    }
    if (figures->calls >= 0) {
        printf("  calls %5.2f", figures->calls);
    }
    if (side + 1 < bench_side_count(measurement)) {
        printf("  ratio %.2f", bench_ratio(result, side));
    }
    printf("\n");
}

void bench_report(const struct bench_result *result, const struct bench_result *results,
                  unsigned count, bool is_pinned)
{
    const struct bench_measurement *measurement = result->measurement;
    char text[TARGET_TEXT];
    printf("%s: %s\n", measurement->name, measurement->what);
    if (measurement->sides[0] == NULL) {
        printf("    cannot be measured yet: there is no such option\n");
        return;
    }
    for (unsigned i = 0; i < bench_side_count(measurement); i++) {
        report_side(result, i);
    }
    for (unsigned i = 0; i < BENCH_TARGETS_MAX; i++) {
        const struct bench_target *target = &measurement->targets[i];
        enum bench_verdict verdict =
            bench_judge(result, target, bench_find(results, count, target->base), is_pinned);
        if (verdict != BENCH_NOT_JUDGED) {
            bench_describe(measurement, target, text, sizeof(text));
            printf("    target: %s: %s\n", text, verdicts[verdict]);
        }
    }
    fflush(stdout);
}

/* ---- JSON ---- */

static void json_side(const struct bench_result *result, unsigned side)
{
    const struct bench_measurement *measurement = result->measurement;
    const struct bench_figures *figures = &result->figures[side];
    double least, greatest;
    extremes(measurement, figures, &least, &greatest);
    printf("%s\n      {\"name\": \"%s\", \"median\": %.6g, \"minimum\": %.6g, \"maximum\": %.6g",
           side == 0 ? "" : ",", measurement->sides[side]->name,
           bench_in_unit(measurement, figures->median), least, greatest);
    if (!measurement->is_alone) {
        printf(", \"processor_us\": %.4g, \"switches\": %.4g", figures->processor / 1e3,
               figures->switches);
    }
    if (figures->calls >= 0) {
        printf(", \"system_calls\": %.4g", figures->calls);
    }
    if (side + 1 < bench_side_count(measurement)) {
        printf(", \"ratio\": %.4g", bench_ratio(result, side));
    }
    printf("}");
}

static void json_targets(const struct bench_result *result, const struct bench_result *results,
                         unsigned count, bool is_pinned)
{
    const struct bench_measurement *measurement = result->measurement;
    const char *separator = "";
    char text[TARGET_TEXT];
    for (unsigned i = 0; i < BENCH_TARGETS_MAX; i++) {
        const struct bench_target *target = &measurement->targets[i];
        enum bench_verdict verdict =
            bench_judge(result, target, bench_find(results, count, target->base), is_pinned);
        if (verdict != BENCH_NOT_JUDGED) {
            bench_describe(measurement, target, text, sizeof(text));
            printf("%s\n      {\"target\": \"%s\", \"met\": %s}", separator, text,
                   verdict == BENCH_OK ? "true" : "false");
            separator = ",";
        }
    }
}

void bench_report_json(const struct bench_result *results, unsigned count, bool is_pinned,
                       unsigned rounds)
{
    printf("{\n  \"pinned\": %s,\n  \"rounds\": %u,\n  \"measurements\": [",
           is_pinned ? "true" : "false", rounds);
    for (unsigned i = 0; i < count; i++) {
        const struct bench_measurement *measurement = results[i].measurement;
        printf("%s\n   {\"name\": \"%s\", \"what\": \"%s\", \"unit\": \"%s\",\n    \"sides\": [",
               i == 0 ? "" : ",", measurement->name, measurement->what,
               bench_unit_name(measurement));
        for (unsigned side = 0; side < bench_side_count(measurement); side++) {
            json_side(&results[i], side);
        }
        printf("],\n    \"targets\": [");
        json_targets(&results[i], results, count, is_pinned);
        printf("]}");
    }
    printf("\n  ]\n}\n");
}
