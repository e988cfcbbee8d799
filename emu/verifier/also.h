/*
 * Rules that are broken together.
 *
 * Some rules say the same as others, in Driver Verifier's words or for one kind of routine only. A
 * check names one rule; a report counts and prints with it those that are always broken by the
 * same mistake, here and now.
 */
#ifndef VERIFIER_ALSO_H
#define VERIFIER_ALSO_H

#include <stdbool.h>

/* The next rule that is broken with that one, counted from *next, which begins at 0; or NULL. */
const char *verifier_rule_also(const char *rule, unsigned *next);

#endif
