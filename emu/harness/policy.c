/*
 * What a driver must not depend on, a run may choose or draw: the number of processors, when
 * results are delivered, the number of loops. A process decides once; each boot may ask otherwise.
 */
#include <wskemu/wskemu.h>

#include "base/process.h"
#include "harness/policy.h"
#include "verifier/option.h"

#include <stdlib.h>
#include <string.h>

#define PROCESSORS_DRAWN_MIN 2
#define PROCESSORS_DRAWN_MAX 4
#define LOOPS_DRAWN_MIN 1
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

static enum wskemu_completion completion_of_environment(void)
{
    return (enum wskemu_completion)(WSKEMU_COMPLETION_INLINE +
                                    verifier_option_choice(OPTION_COMPLETION));
}

static void draw_all(struct wskemu_policy *policy, const char *seed)
{
    policy->is_drawn = TRUE;
    policy->seed = seed_of(seed);
    if (!verifier_option_is_set(OPTION_PROCESSORS)) {
        policy->processors = draw(policy, 0, PROCESSORS_DRAWN_MIN, PROCESSORS_DRAWN_MAX);
    }
    if (!verifier_option_is_set(OPTION_COMPLETION)) {
        policy->completion = (enum wskemu_completion)draw(policy, 1, WSKEMU_COMPLETION_INLINE,
                                                          WSKEMU_COMPLETION_RANDOM);
    }
    if (!verifier_option_is_set(OPTION_LOOPS)) {
        policy->loops = draw(policy, 2, LOOPS_DRAWN_MIN, LOOPS_DRAWN_MAX);
    }
}

struct wskemu_policy wskemu_policy(void)
{
    static struct wskemu_policy policy; /* written once, by the thread that boots */
    if (policy.processors != 0) {
        return policy;
    }
    struct wskemu_policy decided = {.processors = (ULONG)verifier_option_number(OPTION_PROCESSORS),
                                    .completion = completion_of_environment(),
                                    .loops = (ULONG)verifier_option_number(OPTION_LOOPS)};
    if (verifier_option_is_set(OPTION_SEED)) {
        draw_all(&decided, verifier_option_text(OPTION_SEED));
    }
    policy = decided;
    return policy;
}

/* Why the run has a value: the options of boot say it, or the seed does. */
static const char *how_of(bool is_asked, bool is_drawn, enum verifier_option option)
{
    if (is_asked) {
        return "asked for at boot";
    }
    return is_drawn && !verifier_option_is_set(option) ? "drawn" : NULL;
}

/* At level full results come at once or later, unless somebody has chosen: a driver that is right
 * with one of the two only is found. */
static bool is_mixed(const struct wskemu_options *asked, const struct wskemu_options *used)
{
    return asked->completion == WSKEMU_COMPLETION_DEFAULT &&
           used->verifier == WSKEMU_VERIFIER_FULL && !wskemu_policy().is_drawn &&
           !verifier_option_is_set(OPTION_COMPLETION);
}

static const char *how_of_completion(const struct wskemu_options *asked,
                                     const struct wskemu_options *used, bool is_drawn)
{
    if (is_mixed(asked, used)) {
        return "of the verifier's level";
    }
    return how_of(asked->completion != 0, is_drawn, OPTION_COMPLETION);
}

static void note_use(const struct wskemu_options *asked, const struct wskemu_options *used)
{
    struct wskemu_policy policy = wskemu_policy();
    bool is_drawn = policy.is_drawn != FALSE;
    verifier_options_use_environment();
    if (is_drawn) {
        verifier_option_use(OPTION_SEED, NULL, "%lu", (unsigned long)policy.seed);
    }
    verifier_option_use(OPTION_PROCESSORS,
                        how_of(asked->processors != 0, is_drawn, OPTION_PROCESSORS), "%lu",
                        (unsigned long)used->processors);
    verifier_option_use(OPTION_LOOPS, how_of(asked->loops != 0, is_drawn, OPTION_LOOPS), "%lu",
                        (unsigned long)used->loops);
    verifier_option_use_choice(OPTION_COMPLETION, how_of_completion(asked, used, is_drawn),
                               (unsigned)used->completion - WSKEMU_COMPLETION_INLINE);
    verifier_option_use(OPTION_HANG_MS, how_of(asked->hang_ms != 0, false, OPTION_HANG_MS), "%lu",
                        (unsigned long)used->hang_ms);
    verifier_option_use_choice(OPTION_VERIFIER,
                               how_of(asked->verifier != 0, false, OPTION_VERIFIER),
                               (unsigned)used->verifier - WSKEMU_VERIFIER_OFF);
}

struct wskemu_options policy_apply(const struct wskemu_options *options)
{
    const struct wskemu_options none = {0};
    const struct wskemu_options *asked = options != NULL ? options : &none;
    struct wskemu_policy policy = wskemu_policy();
    struct wskemu_options used = *asked;
    if (used.processors == 0) {
        used.processors = policy.processors;
    }
    if (used.loops == 0) {
        used.loops = policy.loops;
    }
    if (used.completion == WSKEMU_COMPLETION_DEFAULT) {
        used.completion = policy.completion;
    }
    if (used.verifier == WSKEMU_VERIFIER_DEFAULT) {
        used.verifier =
            (enum wskemu_verifier)(WSKEMU_VERIFIER_OFF + verifier_option_choice(OPTION_VERIFIER));
    }
    if (is_mixed(asked, &used)) {
        used.completion = WSKEMU_COMPLETION_RANDOM;
    }
    if (used.hang_ms == 0) {
        used.hang_ms = (ULONG)verifier_option_number(OPTION_HANG_MS);
    } else if (used.hang_ms == WSKEMU_HANG_NEVER) {
        used.hang_ms = 0;
    }
    note_use(asked, &used);
    return used;
}
