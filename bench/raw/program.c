/* 7: whole programs, one with wskemu and one without, from start to end. */
#include "sides.h"

static void start(const struct bench_load *load)
{
    (void)load;
}

static void stop(void)
{
}

static void run_raw(uint64_t operations)
{
    for (; operations != 0; operations--) {
        bench_run_program("bench_program_raw");
    }
}

static void run_wsk(uint64_t operations)
{
    for (; operations != 0; operations--) {
        bench_run_program("bench_program_wsk");
    }
}

const struct bench_side raw_program = {"without", start, run_raw, stop, NULL};
const struct bench_side emu_program = {"wskemu", start, run_wsk, stop, NULL};
