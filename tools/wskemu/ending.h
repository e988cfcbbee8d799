/*
 * How a run comes to its end, also when a driver does not let it: watches for signals and for the
 * time that --for allows, on a thread that never enters the kernel, so that no driver can hold it.
 */
#ifndef ENDING_H
#define ENDING_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Begins to watch; false when the host refuses. The first signal calls stop(), the second says what
 * runs and ends the program with EXIT_INTERRUPT. limit_ms is how long drivers may take to come back
 * after they were asked to end; 0: for ever. leave() is called before the program is ended.
 */
bool ending_start(void (*stop)(void), void (*leave)(void), uint64_t limit_ms);

/* The drivers shall have come back after so many milliseconds from now, and the limit; otherwise
 * what runs is told, and the program ends with EXIT_STUCK. */
void ending_expect(uint64_t milliseconds);

/* All came back. */
void ending_stop(void);

#endif
