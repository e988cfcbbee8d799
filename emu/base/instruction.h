/* Instructions that only a kernel may execute, as far as drivers have them inlined. */
#ifndef BASE_INSTRUCTION_H
#define BASE_INSTRUCTION_H

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

#endif
