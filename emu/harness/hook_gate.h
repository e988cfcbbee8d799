/*
 * Gates: code that takes the place of a function of any prototype, keeps its arguments, and asks
 * hook_enter what to do. See hook_gate.c.
 */
#ifndef HARNESS_HOOK_GATE_H
#define HARNESS_HOOK_GATE_H

#include <wdm.h>

#if defined(__GNUC__)
#define HOOK_GATES_MAX 512
#else
#define HOOK_GATES_MAX 0
#endif

/* The arguments that are passed in registers; the others stand on the stack. */
#ifdef _WIN32
#define HOOK_REGISTERS 4
#define HOOK_STACK_FIRST 5 /* where on the stack, from the return address, the others begin */
#else
#define HOOK_REGISTERS 6
#define HOOK_STACK_FIRST 1
#endif

/* What a gate keeps, in this order. */
struct hook_frame {
    ULONG64 registers[6];
    ULONG64 rax; /* of variable arguments on entry; the result on return */
    ULONG64 r10;
    ULONG64 vectors[16];
    const ULONG64 *stack; /* at the return address */
    ULONG64 unused;
};

/* Gate n, for a slot or a table. */
void *hook_gate(unsigned n);

/* Called by a gate: what it shall jump to, or NULL to return frame->rax. */
const void *hook_enter(unsigned gate, struct hook_frame *frame);

#endif
