/* Faults, for the rest of the harness. See fault.c. */
#ifndef HARNESS_FAULT_H
#define HARNESS_FAULT_H

#include <wskemu/fault.h>

#include <stdbool.h>
#include <stdint.h>

/* Begins the faults that the environment asks for, at the first boot; false, having said why, if it
 * asks for what is not possible. */
bool fault_boot(void);

/* Ends faults that the test began. */
void fault_end(void);

/* Notes for a sweep how much was left at shutdown. */
void fault_note_left(unsigned left);

/* Whether calls may fail or have failed in this run; and whether a test that has waited since then
 * has waited long enough for a driver that met a fault. */
bool fault_is_armed(void);
bool fault_is_late(uint64_t since_ns);

#endif
