/* Running other programs. */
#ifndef SPAWN_H
#define SPAWN_H

#include <stdbool.h>
#include <stddef.h>

/* Runs a program, found by PATH, with what it prints going to a file; returns its exit status, or
 * -1 if it could not be started or was killed. arguments ends with NULL. */
int spawn_and_wait(const char *const *arguments, const char *output);

/* Whether PATH has the program; its path goes to found if that is not NULL. */
bool spawn_find(const char *program, char *found, size_t size);

#endif
