/* What the instruction is at which a fault came. */
#ifndef BASE_INSTRUCTION_H
#define BASE_INSTRUCTION_H

#include "base/fault.h"

#include <stdbool.h>
#include <stdint.h>

/* mov from or to CR8, the processor's task priority: on x86-64 that is the IRQL. */
struct base_cr8_move {
    bool is_write;
    unsigned general; /* the other operand, an enum base_register */
    unsigned bytes;   /* length of the instruction */
};

/* False if there is another instruction at pc. Reads no byte behind the instruction. */
bool base_decode_cr8(uintptr_t pc, struct base_cr8_move *move);

/* Whether the instruction is one of those that only a kernel may execute: cli, hlt, wrmsr ... */
bool base_decode_is_privileged(uintptr_t pc);

/* An operand in memory, or a place to go on at. */
struct base_operand {
    uintptr_t address;
    enum base_fault_access access;
    bool is_access_known;
    bool is_return; /* the address was a function's return address */
};

/* Whether a processor can map that address: bits 63 to 47 are the same. */
static inline bool base_is_canonical(uintptr_t address)
{
    return (uintptr_t)((intptr_t)(address << 16) >> 16) == address;
}

/*
 * The operand that the processor refused, with the registers' values: it is not canonical, or there
 * is only one. False if the instruction is not known well enough.
 */
bool base_decode_operand(uintptr_t pc, const uint64_t *registers, struct base_operand *operand);

/* The processor refused the instruction at pc, and told no address: finds out what it accessed. */
void base_decode_refused(struct base_fault *fault);

#endif
