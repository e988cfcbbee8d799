/*
 * A parking place: where one thread sleeps until another wakes it.
 *
 * A wake that comes before the sleep is kept, so that no wake is lost; several that nobody slept
 * for are one, so whoever sleeps looks for what it waits for. It is shared by reference count,
 * because a waker may still be inside base_park_wake when the sleeper has run on and even ended.
 */
#ifndef BASE_PARK_H
#define BASE_PARK_H

#include "base/word.h"

#include <stdbool.h>
#include <stdint.h>

struct base_park;

/* A parking place with one reference, or NULL when the host is out of memory. */
struct base_park *base_park_create(void);
struct base_park *base_park_retain(struct base_park *park);
void base_park_release(struct base_park *park);

/* Sleeps until a wake or until deadline_ns of base_clock_ns(). Returns whether a wake was taken. */
bool base_park_wait(struct base_park *park, uint64_t deadline_ns);

/* Lets the sleeper, or the next sleep, go on. */
void base_park_wake(struct base_park *park);

#endif
