/* Which routines of drivers run. See running.c. */
#ifndef VERIFIER_RUNNING_H
#define VERIFIER_RUNNING_H

/*
 * Prints each routine of a driver that has been called and has not returned: what it was called as,
 * its name and place, and the stack of its thread. Any thread of the host may call it, also one
 * that never entered the kernel; no lock of the kernel is taken. Returns how many it printed.
 */
unsigned verifier_running_print(void);

#endif
