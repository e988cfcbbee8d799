/*
 * The options of a run: variables WSKEMU_... of the environment, in one table
 * (emu/verifier/data/options.csv), which `./dev options` and docs/testing.md show.
 */
#ifndef VERIFIER_OPTION_H
#define VERIFIER_OPTION_H

#include <stdbool.h>

enum verifier_option {
#define X(name, kind, values, lowest, highest, otherwise) OPTION_##name,
#include "options_table.inc"
#undef X
    OPTION_COUNT
};

/* Looks at all WSKEMU_... variables; says what is wrong with them, a line each, and returns whether
 * nothing is. */
bool verifier_options_check(void);

/* Whether the variable is set. */
bool verifier_option_is_set(enum verifier_option option);

/* Its text, or the default's. */
const char *verifier_option_text(enum verifier_option option);

/* The number of an option that is one. */
unsigned long verifier_option_number(enum verifier_option option);

/* Which of its choices it is, from 0. */
unsigned verifier_option_choice(enum verifier_option option);

/* What a run uses: what the environment says, and then what was drawn by a seed or asked for at
 * boot; how says which ("drawn"). Only boot calls these. */
void verifier_options_use_environment(void);
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void verifier_option_use(enum verifier_option option, const char *how, const char *format, ...);
void verifier_option_use_choice(enum verifier_option option, const char *how, unsigned n);

/* Prints the options that the run uses, in one line. */
void verifier_options_print(void);

#endif
