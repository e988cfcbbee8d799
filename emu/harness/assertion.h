/* Assertions of any thread, for the harness itself. See include/wskemu/assert.h. */
#ifndef HARNESS_ASSERTION_H
#define HARNESS_ASSERTION_H

#include <stdbool.h>

/* Whether one has failed that nobody has taken. */
bool assertion_has_failed(void);

#endif
