#include "verifier/once.h"

#include "verifier/verifier.h"

bool verifier_is_said_first(struct verifier_spoken *spoken, uint64_t number)
{
    size_t place = (size_t)((number * 0x9E3779B97F4A7C15ULL) >> 56);
    _Atomic uint64_t *said = &spoken->said[place % VERIFIER_SPOKEN_MAX];
    if (atomic_load_explicit(said, memory_order_relaxed) == number) {
        return false;
    }
    return atomic_exchange_explicit(said, number, memory_order_relaxed) != number;
}

/* Rules lie near each other, as places do: their numbers must not add up to those of others. */
static uint64_t scatter(uint64_t number)
{
    number = (number ^ number >> 31) * 0xBF58476D1CE4E5B9ULL;
    return number ^ number >> 29;
}

bool verifier_speaks_first(const char *rule, const void *site)
{
    struct verifier_state *verifier = verifier_state();
    uint64_t number = (scatter((uintptr_t)rule) + (uintptr_t)site) | 1;
    return verifier == NULL || verifier_is_said_first(&verifier->spoken, number);
}
