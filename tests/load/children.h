/* Client processes of a load test. Plain C, no WDK header. */
#ifndef TESTS_LOAD_CHILDREN_H
#define TESTS_LOAD_CHILDREN_H

#include <stdbool.h>

/* Starts a program of this folder with these arguments (NULL ends them); its number, or -1. */
int child_start(const char *program, const char *const *arguments);

/* Whether a child has ended, and its exit status then. Does not wait. */
bool child_has_ended(int child, int *status);

/* Raises the limit of open files as far as it goes; returns it. */
unsigned long children_raise_files(void);

/* How many datagrams the host dropped at the UDP socket of this port, by its own count; -1 if it
 * does not tell. */
long children_udp_drops(unsigned short port);

#endif
