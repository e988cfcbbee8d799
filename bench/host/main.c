/*
 * The bench.
 *
 *     bench [--json] [--pin] [--check] [--list] [--rounds N] [NAME...]
 *     bench --one NAME SIDE OPERATIONS     one round of one side, for profilers and counters
 *     bench --peer ...                     the other end of the wire (peer/peer.h)
 *
 * A NAME selects all measurements that begin with it. --check: the exit code says whether every
 * target that was judged is met.
 */
#include "host/process.h"
#include "host/run.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct arguments {
    bool is_json, is_pinned, is_check, is_list;
    unsigned rounds;
    char **names; /* up to NULL */
};

/* A side holds up to 10,000 connections. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* To the last processor: the first serves most interrupts. What is started later inherits it. */
static void pin(void)
{
    cpu_set_t allowed, one;
    BENCH_REQUIRE(sched_getaffinity(0, sizeof(allowed), &allowed) == 0);
    int last = CPU_SETSIZE - 1;
    while (!CPU_ISSET(last, &allowed)) {
        last--;
    }
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    BENCH_REQUIRE(sched_setaffinity(0, sizeof(one), &one) == 0);
}

static const struct bench_measurement *find_measurement(const char *name)
{
    for (unsigned i = 0; i < bench_measurement_count; i++) {
        if (strcmp(bench_measurements[i].name, name) == 0) {
            return &bench_measurements[i];
        }
    }
    bench_fail(__FILE__, __LINE__, name);
}

static const struct bench_side *find_side(const struct bench_measurement *measurement,
                                          const char *name)
{
    for (unsigned i = 0; i < bench_side_count(measurement); i++) {
        if (strcmp(measurement->sides[i]->name, name) == 0) {
            return measurement->sides[i];
        }
    }
    bench_fail(__FILE__, __LINE__, name);
}

static int run_one(char **argv)
{
    const struct bench_measurement *measurement = find_measurement(argv[0]);
    const struct bench_side *side = find_side(measurement, argv[1]);
    side->start(&measurement->load);
    if (side->reading != NULL) {
        printf("%f\n", side->reading());
    } else {
        uint64_t operations = strtoull(argv[2], NULL, 10), begin = bench_now();
        side->round(operations);
        printf("%f\n", (double)(bench_now() - begin) / (double)operations);
    }
    fflush(stdout);
    side->stop();
    return 0;
}

static int run_apart(char **argv)
{
    const struct bench_measurement *measurement = find_measurement(argv[0]);
    bench_serve_apart(measurement, find_side(measurement, argv[1]));
    return 0;
}

static bool is_selected(const struct arguments *arguments, const char *name)
{
    bool is_any = arguments->names[0] == NULL;
    for (char **wanted = arguments->names; *wanted != NULL; wanted++) {
        is_any = is_any || strncmp(name, *wanted, strlen(*wanted)) == 0;
    }
    return is_any;
}

static unsigned count_missed(const struct bench_result *results, unsigned count, bool is_pinned)
{
    unsigned missed = 0;
    for (unsigned i = 0; i < count; i++) {
        for (unsigned j = 0; j < BENCH_TARGETS_MAX; j++) {
            const struct bench_target *target = &results[i].measurement->targets[j];
            const struct bench_result *base = bench_find(results, count, target->base);
            missed += bench_judge(&results[i], target, base, is_pinned) == BENCH_MISSED;
        }
    }
    return missed;
}

static int run_selected(const struct arguments *arguments)
{
    struct bench_result *results = calloc(bench_measurement_count, sizeof(*results));
    unsigned count = 0;
    BENCH_REQUIRE(results != NULL);
    for (unsigned i = 0; i < bench_measurement_count; i++) {
        const struct bench_measurement *measurement = &bench_measurements[i];
        if (!is_selected(arguments, measurement->name)) {
            continue;
        }
        if (arguments->is_list) {
            printf("%-26s %s\n", measurement->name, measurement->what);
            continue;
        }
        struct bench_result *result = &results[count++];
        result->measurement = measurement;
        if (measurement->sides[0] != NULL) {
            bench_run(measurement, arguments->rounds, result);
        }
        if (!arguments->is_json) {
            bench_report(result, results, count, arguments->is_pinned);
        }
    }
    if (arguments->is_json && !arguments->is_list) {
        bench_report_json(results, count, arguments->is_pinned, arguments->rounds);
    }
    unsigned missed = count_missed(results, count, arguments->is_pinned);
    free(results);
    return arguments->is_check && missed != 0 ? 1 : 0;
}

static int usage(const char *word)
{
    fprintf(stderr, "bench: not understood: %s\n", word);
    fprintf(stderr, "bench [--json] [--pin] [--check] [--list] [--rounds N] [NAME...]\n");
    return 2;
}

static int run_arguments(char **argv)
{
    struct arguments arguments = {.rounds = BENCH_ROUNDS};
    for (argv++; *argv != NULL && (*argv)[0] == '-'; argv++) {
        if (strcmp(*argv, "--json") == 0) {
            arguments.is_json = true;
        } else if (strcmp(*argv, "--pin") == 0) {
            arguments.is_pinned = true;
        } else if (strcmp(*argv, "--check") == 0) {
            arguments.is_check = true;
        } else if (strcmp(*argv, "--list") == 0) {
            arguments.is_list = true;
        } else if (strcmp(*argv, "--rounds") == 0 && argv[1] != NULL && atoi(argv[1]) > 0) {
            arguments.rounds = (unsigned)atoi(*++argv);
        } else {
            return usage(*argv);
        }
    }
    if (arguments.is_pinned) {
        pin();
    }
    arguments.names = argv;
    return run_selected(&arguments);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    if (argc > 1 && strcmp(argv[1], "--peer") == 0) {
        return bench_peer_main(argc, argv);
    }
    if (argc == 5 && strcmp(argv[1], "--one") == 0) {
        return run_one(argv + 2);
    }
    if (argc == 4 && strcmp(argv[1], "--apart") == 0) {
        return run_apart(argv + 2);
    }
    return run_arguments(argv);
}
