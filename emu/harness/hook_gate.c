/*
 * Gates stand where a function of any prototype is expected. Each loads its number and jumps to the
 * code that all share, which keeps the registers that carry arguments, asks hook_enter, and either
 * returns a result or gives the registers back and jumps to where hook_enter says. The stack is
 * then as the caller left it, so that whoever is jumped to finds its arguments and, as return
 * address, the caller's. Unwinders find the caller, too, by what the directives say.
 */
#include "harness/hook_gate.h"

#include <stddef.h>

#if HOOK_GATES_MAX != 0

C_ASSERT(sizeof(struct hook_frame) == 208 && offsetof(struct hook_frame, rax) == 48 &&
         offsetof(struct hook_frame, vectors) == 64 && offsetof(struct hook_frame, stack) == 192);

#define GATE_BYTES 16
#define DIGITS_OF(value) #value
#define DIGITS(value) DIGITS_OF(value)

/* FRAME: where the frame lies from rsp. */
#ifdef _WIN32
#define FRAME "32"
#define ENTER                                                                                      \
    ".seh_proc hook_shared\nhook_shared:\n"                                                        \
    "pushq %rbp\n.seh_pushreg %rbp\n"                                                              \
    "movq %rsp, %rbp\n.seh_setframe %rbp, 0\n"                                                     \
    "subq $240, %rsp\n.seh_stackalloc 240\n.seh_endprologue\n"
#define LEAVE "leaq 0(%rbp), %rsp\npopq %rbp\n"
#define END ".seh_endproc\n"
#define REGISTERS(MOVE) MOVE("%rcx", "0") MOVE("%rdx", "8") MOVE("%r8", "16") MOVE("%r9", "24")
#define CALL "movl %r11d, %ecx\nleaq " FRAME "(%rsp), %rdx\ncall hook_enter\n"
#define HIDDEN(name)
#else
#define FRAME "0"
#define ENTER                                                                                      \
    ".type hook_shared, @function\nhook_shared:\n.cfi_startproc\n"                                 \
    "pushq %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset 6, -16\n"                                     \
    "movq %rsp, %rbp\n.cfi_def_cfa_register 6\n"                                                   \
    "subq $208, %rsp\n"
#define LEAVE "leaq 0(%rbp), %rsp\npopq %rbp\n.cfi_remember_state\n.cfi_def_cfa 7, 8\n"
#define AFTER_LEAVE ".cfi_restore_state\n"
#define END ".cfi_endproc\n.size hook_shared, . - hook_shared\n"
#define REGISTERS(MOVE)                                                                            \
    MOVE("%rdi", "0")                                                                              \
    MOVE("%rsi", "8") MOVE("%rdx", "16") MOVE("%rcx", "24") MOVE("%r8", "32") MOVE("%r9", "40")
#define CALL "movl %r11d, %edi\nleaq " FRAME "(%rsp), %rsi\ncall hook_enter\n"
#define HIDDEN(name) ".hidden " name "\n"
#endif
#ifndef AFTER_LEAVE
#define AFTER_LEAVE
#endif

#define KEEP(name, offset) "movq " name ", " FRAME "+" offset "(%rsp)\n"
#define GIVE_BACK(name, offset) "movq " FRAME "+" offset "(%rsp), " name "\n"
/* clang-format off */
#define VECTORS(MOVE)                                                                              \
    MOVE("%xmm0", "64") MOVE("%xmm1", "80") MOVE("%xmm2", "96") MOVE("%xmm3", "112")               \
    MOVE("%xmm4", "128") MOVE("%xmm5", "144") MOVE("%xmm6", "160") MOVE("%xmm7", "176")
/* clang-format on */
#define KEEP_VECTOR(name, offset) "movups " name ", " FRAME "+" offset "(%rsp)\n"
#define GIVE_BACK_VECTOR(name, offset) "movups " FRAME "+" offset "(%rsp), " name "\n"

/* clang-format off */
#if defined(__GNUC__)
__asm__(".text\n"
        ".balign 16\n"
        ENTER
        REGISTERS(KEEP) KEEP("%rax", "48") KEEP("%r10", "56")
        VECTORS(KEEP_VECTOR)
        "leaq 8(%rbp), %rax\n" KEEP("%rax", "192")
        CALL
        "testq %rax, %rax\n"
        "je 1f\n"
        "movq %rax, %r11\n"
        REGISTERS(GIVE_BACK) GIVE_BACK("%rax", "48") GIVE_BACK("%r10", "56")
        VECTORS(GIVE_BACK_VECTOR)
        LEAVE
        "jmp *%r11\n"
        AFTER_LEAVE
        "1:\n"
        GIVE_BACK("%rax", "48")
        LEAVE
        "ret\n"
        END
        ".balign 16\n"
        ".globl hook_gates\n" HIDDEN("hook_gates") HIDDEN("hook_enter")
        "hook_gates:\n"
        ".set hook_number, 0\n"
        ".rept " DIGITS(HOOK_GATES_MAX) "\n"
        ".balign " DIGITS(GATE_BYTES) "\n"
        "movl $hook_number, %r11d\n"
        "jmp hook_shared\n"
        ".set hook_number, hook_number + 1\n"
        ".endr\n"
        ".balign 16\n");
#endif
/* clang-format on */

extern char hook_gates[];

void *hook_gate(unsigned n)
{
    return hook_gates + (size_t)n * GATE_BYTES;
}

#else

void *hook_gate(unsigned n)
{
    UNREFERENCED_PARAMETER(n);
    return NULL;
}

#endif
