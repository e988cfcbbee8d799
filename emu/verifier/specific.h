/* Where the ledgers have a rule of one function or routine beside a general one: which it is. A
 * report names that one, as it says what the driver can do instead. */
#ifndef VERIFIER_SPECIFIC_H
#define VERIFIER_SPECIFIC_H

#include <stdbool.h>

struct ke_callback;

/* Of the IRQL at which function is called; NULL if it has none of its own. */
const char *verifier_level_rule(const char *function);

/* Driver Verifier's rule on the same; NULL if it has none. */
const char *verifier_checked_level_rule(const char *function);

/* Of a wait for what where one may not wait. callback: the innermost of the driver's routines that
 * the thread is in, or NULL. Never NULL. */
const char *verifier_wait_rule(const struct ke_callback *callback, const void *what);

/* A completion routine that was set for a request to a device, with what somebody waits for as its
 * context; the request was completed, so that it was called. NULL if there is none. */
const void *verifier_forgetful_routine(const void *what);

#endif
