/*
 * Faults of the processor: what a wild pointer or a division by zero does.
 *
 * The handler runs on the faulting thread, on top of the faulting code. It may jump out of it. If
 * it returns true, the code goes on at pc with the registers that the handler left; else the fault
 * goes on to whoever handled it before.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum base_fault_kind {
    BASE_FAULT_ACCESS,       /* no memory there, or none that allows the access */
    BASE_FAULT_MISALIGNMENT, /* an address that is not a multiple of what the access needs */
    BASE_FAULT_DIVIDE,       /* integer division by zero */
    BASE_FAULT_OVERFLOW,     /* integer quotient too large, where the host can tell */
    BASE_FAULT_PRIVILEGED    /* an instruction for a kernel; CR8's at least are told from others */
};

/* Windows' numbers. */
enum base_fault_access { BASE_FAULT_READ = 0, BASE_FAULT_WRITE = 1, BASE_FAULT_EXECUTE = 8 };

/* Order of the general registers, x86-64. */
enum base_register {
    BASE_RAX,
    BASE_RCX,
    BASE_RDX,
    BASE_RBX,
    BASE_RSP,
    BASE_RBP,
    BASE_RSI,
    BASE_RDI,
    BASE_R8,
    BASE_R9,
    BASE_R10,
    BASE_R11,
    BASE_R12,
    BASE_R13,
    BASE_R14,
    BASE_R15,
    BASE_REGISTER_COUNT
};

struct base_fault {
    enum base_fault_kind kind;
    enum base_fault_access access; /* of BASE_FAULT_ACCESS */
    uintptr_t address;             /* what was accessed */
    uintptr_t pc;                  /* the instruction that faulted */
    uint64_t registers[BASE_REGISTER_COUNT];
};

typedef bool base_fault_handler(struct base_fault *fault);

/*
 * Makes handler the first to see faults, on all threads. Cheap when it is so already: call it again
 * when somebody else may have taken the host's signals (CMocka does so for each test).
 */
void base_fault_install(base_fault_handler *handler);

/* Gives the host's signals back to whoever had them before. */
void base_fault_remove(void);

#endif
