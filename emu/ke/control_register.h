/* CR8, which is the IRQL; see control_register.c. */
#ifndef KE_CONTROL_REGISTER_H
#define KE_CONTROL_REGISTER_H

#include <stdbool.h>

struct base_fault;

/* Does what the instruction that faulted wanted and moves on to the next one. False, and nothing
 * done, if it is none of those known here. */
bool ke_emulate_instruction(struct base_fault *fault);

#endif
