/* What a running kernel has. See status.c. */
#ifndef HARNESS_STATUS_H
#define HARNESS_STATUS_H

#include <stdbool.h>

/*
 * Drivers, sockets, pending IRPs with their age and call site, threads, pool by tag, and sessions,
 * as text or as JSON; free() it. NULL when memory is short. Ages and bytes are known only where
 * activity_begin() was called. PASSIVE_LEVEL.
 */
char *status_report(bool is_json);

#endif
