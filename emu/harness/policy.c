/*
 * What a driver must not depend on, a run may draw: so far the number of processors. WSKEMU_SEED
 * in the environment is a number, from which all is drawn, or the word random, which draws the
 * number too. Without it everything has its default. A process draws once.
 */
#include <wskemu/wskemu.h>

#include "base/process.h"

#include <stdlib.h>
#include <string.h>

#define PROCESSORS_DEFAULT 2
#define PROCESSORS_DRAWN_MIN 2
#define PROCESSORS_DRAWN_MAX 4

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

struct wskemu_policy wskemu_policy(void)
{
    static struct wskemu_policy policy; /* written once, by the thread that boots */
    if (policy.processors != 0) {
        return policy;
    }
    const char *text = base_environment("WSKEMU_SEED", "");
    policy.processors = PROCESSORS_DEFAULT;
    if (text[0] != '\0') {
        policy.is_drawn = TRUE;
        policy.seed = seed_of(text);
        policy.processors = PROCESSORS_DRAWN_MIN +
                            spread(policy.seed) % (PROCESSORS_DRAWN_MAX - PROCESSORS_DRAWN_MIN + 1);
    }
    return policy;
}
