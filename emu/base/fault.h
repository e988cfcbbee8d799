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
    BASE_FAULT_PRIVILEGED,   /* an instruction for a kernel; CR8's at least are told from others */
    BASE_FAULT_STACK         /* the thread's stack is exhausted; the handler runs on another */
};

/* Why an access was refused. */
enum base_fault_reason {
    BASE_FAULT_NO_MEMORY,     /* nothing is there that may be touched at all */
    BASE_FAULT_READ_ONLY,     /* a write to memory that can only be read */
    BASE_FAULT_NO_CODE,       /* an instruction was fetched from memory that can only be read */
    BASE_FAULT_NOT_CANONICAL, /* an address that the processor cannot map */
    BASE_FAULT_UNTOLD         /* the processor refused the instruction, and the host says no more */
};

/* Windows' numbers. */
enum base_fault_access { BASE_FAULT_READ = 0, BASE_FAULT_WRITE = 1, BASE_FAULT_EXECUTE = 8 };

/* What Windows gives as the address where the processor does not tell one. */
#define BASE_FAULT_NO_ADDRESS UINTPTR_MAX

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
    enum base_fault_access access; /* of BASE_FAULT_ACCESS, as the next three */
    enum base_fault_reason reason;
    bool is_return;       /* a function returned to that address */
    bool is_access_known; /* else access is BASE_FAULT_READ */
    uintptr_t address;    /* what was accessed, or BASE_FAULT_NO_ADDRESS */
    uintptr_t pc;         /* the instruction that faulted */
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

/*
 * Makes exhaustion of the calling thread's stack a fault that the handler gets, on a stack of its
 * own or on what the host keeps back for that. Nothing happens the second time. The thread gives it
 * back at its end.
 */
void base_fault_guard_stack(void);

/* After a jump out of the handler of BASE_FAULT_STACK: the next exhaustion is a fault again. */
void base_fault_stack_left(void);

#endif
