/*
 * Tests that a list names are skipped: those that the host of this run cannot run.
 *
 * WSKEMU_SKIP names the list, a file of lines TEST,REASON,REFERENCE; TEST is what CTest calls a
 * test function, area.topic.function. Without WSKEMU_SKIP nothing is skipped.
 */
#ifndef TESTS_SUPPORT_SKIP_H
#define TESTS_SUPPORT_SKIP_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the list names this function of program (a path); its line is put into line then. */
bool skip_is_listed(const char *program, const char *function, char *line, size_t bytes_max);

#endif
