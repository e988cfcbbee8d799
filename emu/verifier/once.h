/* Warnings that are said once for each place in a driver, because such a place is passed often. */
#ifndef VERIFIER_ONCE_H
#define VERIFIER_ONCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define VERIFIER_SPOKEN_MAX 256 /* a power of two */

/* Of what was said last, a number each. Two that fall on one another are said in turn. */
struct verifier_spoken {
    _Atomic uint64_t said[VERIFIER_SPOKEN_MAX];
};

/* Whether the number, which is not 0, is not among them yet. It is from now on. */
bool verifier_is_said_first(struct verifier_spoken *spoken, uint64_t number);

/* Whether the rule, a string that stays, has not spoken of that place yet. It has from now on. */
bool verifier_speaks_first(const char *rule, const void *site);

#endif
