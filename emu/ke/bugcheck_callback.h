/* What drivers want to be called for when the system stops. */
#ifndef KE_BUGCHECK_CALLBACK_H
#define KE_BUGCHECK_CALLBACK_H

struct ke_kernel;

/* Calls the drivers' routines. The kernel is halted: a routine that calls it does not return. */
void ke_bugcheck_callbacks_run(struct ke_kernel *kernel);

/* Prints the records still registered and returns how many. */
unsigned ke_bugcheck_callbacks_report(void);

#endif
