/*
 * The rules that tests prove. Plain C, no WDK header.
 *
 * A test that passed hands over the ids it named; at the end of a run without a failure they are
 * written to the folder that WSKEMU_RULES_DIR names, for `./dev rules` to count.
 */
#ifndef TESTS_SUPPORT_RULES_H
#define TESTS_SUPPORT_RULES_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a test shows of a rule. */
enum rules_part {
    RULES_PROVEN,     /* it proves the rule */
    RULES_CAUGHT,     /* and the verifier named the rule meanwhile: a bad driver was caught */
    RULES_KEPT_SILENT /* a good driver: the verifier did not name it */
};

struct rules_proof {
    const char *id;
    const char *test;
    enum rules_part part;
    unsigned spoken; /* how often the verifier had named the rule before */
};

/* Whether the ledgers hold a rule with this id. */
bool rules_know(const char *id);

/* The last part of a path, and how long it is without the .exe of Windows. */
const char *rules_program_name(const char *path, size_t *length);

/*
 * Where a run of program (a path) puts its proofs, in path; selection is the test filter or NULL.
 * FALSE if no folder is named or the name does not fit.
 */
bool rules_file(const char *program, const char *selection, char *path, size_t bytes_max);

/* Removes what an earlier run left, so that a test that crashes proves nothing. */
void rules_clear(const char *path);

/* Writes one line a proof: "ID test", "ID:caught test" or "ID:silent test". FALSE if the file
 * cannot be written. */
bool rules_write(const char *path, const struct rules_proof *proofs, size_t count);

#ifdef __cplusplus
}
#endif

#endif
