/*
 * What a driver must not depend on, a run may choose or draw: the number of processors, when
 * results are delivered, the number of loops. A process decides once.
 */
#include <wskemu/wskemu.h>

#include "base/process.h"

#include <stdlib.h>
#include <string.h>

#define PROCESSORS_DEFAULT 2
#define PROCESSORS_DRAWN_MIN 2
#define PROCESSORS_DRAWN_MAX 4
#define LOOPS_DEFAULT 1
#define LOOPS_DRAWN_MAX 2

static uint32_t seed_of(const char *text)
{
    uint32_t seed;
    if (strcmp(text, "random") != 0) {
        return (uint32_t)strtoul(text, NULL, 10);
    }
    base_random(&seed, sizeof(seed));
    return seed;
}

/* Spreads a seed's bits, so that neighbouring seeds draw different things. */
static uint32_t spread(uint32_t seed)
{
    seed ^= seed >> 16;
    seed *= 0x7FEB352D;
    seed ^= seed >> 15;
    seed *= 0x846CA68B;
    return seed ^ (seed >> 16);
}

/* The n-th number from lowest to highest that the seed draws. */
static ULONG draw(const struct wskemu_policy *policy, unsigned n, ULONG lowest, ULONG highest)
{
    return lowest + spread(policy->seed + n * 0x9E3779B9U) % (highest - lowest + 1);
}

static ULONG number_of(const char *variable, ULONG otherwise)
{
    const char *text = base_environment(variable, "");
    unsigned long number = strtoul(text, NULL, 10);
    return number != 0 ? (ULONG)number : otherwise;
}

static enum wskemu_completion completion_of(const char *variable, enum wskemu_completion otherwise)
{
    static const char *const names[] = {"", "inline", "deferred", "random"};
    const char *text = base_environment(variable, "");
    for (unsigned i = 1; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i]) == 0) {
            return (enum wskemu_completion)i;
        }
    }
    return otherwise;
}

static void draw_all(struct wskemu_policy *policy, const char *seed)
{
    policy->is_drawn = TRUE;
    policy->seed = seed_of(seed);
    policy->processors = draw(policy, 0, PROCESSORS_DRAWN_MIN, PROCESSORS_DRAWN_MAX);
    policy->completion =
        (enum wskemu_completion)draw(policy, 1, WSKEMU_COMPLETION_INLINE, WSKEMU_COMPLETION_RANDOM);
    policy->loops = draw(policy, 2, LOOPS_DEFAULT, LOOPS_DRAWN_MAX);
}

struct wskemu_policy wskemu_policy(void)
{
    static struct wskemu_policy policy; /* written once, by the thread that boots */
    if (policy.processors != 0) {
        return policy;
    }
    const char *seed = base_environment("WSKEMU_SEED", "");
    struct wskemu_policy decided = {.processors = PROCESSORS_DEFAULT,
                                    .completion = WSKEMU_COMPLETION_INLINE,
                                    .loops = LOOPS_DEFAULT};
    if (seed[0] != '\0') {
        draw_all(&decided, seed);
    }
    decided.processors = number_of("WSKEMU_PROCESSORS", decided.processors);
    decided.loops = number_of("WSKEMU_LOOPS", decided.loops);
    decided.completion = completion_of("WSKEMU_COMPLETION", decided.completion);
    policy = decided;
    return policy;
}
