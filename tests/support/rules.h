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

struct rules_proof {
    const char *id;
    const char *test;
};

/* Whether the ledgers hold a rule with this id. */
bool rules_know(const char *id);

/*
 * Where a run of program (a path) puts its proofs, in path; selection is the test filter or NULL.
 * FALSE if no folder is named or the name does not fit.
 */
bool rules_file(const char *program, const char *selection, char *path, size_t bytes_max);

/* Removes what an earlier run left, so that a test that crashes proves nothing. */
void rules_clear(const char *path);

/* Writes one line a proof, "ID test". FALSE if the file cannot be written. */
bool rules_write(const char *path, const struct rules_proof *proofs, size_t count);

#ifdef __cplusplus
}
#endif

#endif
