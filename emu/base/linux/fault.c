/*
 * The host's signals.
 *
 * They are delivered on a stack of their own, for the thread's may be exhausted. All but that one
 * fault are then moved to where the host would have put them without it: on top of the code that
 * faulted. There the handler may run for long, run a driver's routines and meet further faults, and
 * the next signal finds the other stack empty. Nothing is moved under the sanitizers, which look at
 * what is called in between.
 */
#include "base/fault.h"

#include "base/attempt.h"
#include "base/frames.h"
#include "base/instruction.h"
#include "base/memory.h"
#include "base/sanitize.h"
#include "base/stack.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

/* Bits of the page fault's error code. */
#define ERROR_WRITE 0x02
#define ERROR_FETCH 0x10

/* The report of a bug check, names of frames from debug information and all, fits in it. */
#define SIGNAL_STACK_BYTES (512 * 1024)

/* So near the end of its stack, or beyond it, a thread has exhausted it: guard pages and all. */
#define STACK_END_BYTES (64 * 1024)

/* No function has more than that in its frame, which may reach far beyond the end. */
#define FRAME_BYTES_MAX (64 * 1024 * 1024)

/* What functions that call no other use below their stack pointer. */
#define RED_ZONE_BYTES 128

/* The processor's number of what it does to a forbidden instruction, among others. */
#define TRAP_PROTECTION 13

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE};
#define SIGNAL_COUNT (sizeof(signals) / sizeof(signals[0]))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction previous[SIGNAL_COUNT]; /* guarded by lock, but for the handler */
static base_fault_handler *_Atomic current;

static const int host_register[BASE_REGISTER_COUNT] = {
    [BASE_RAX] = REG_RAX, [BASE_RCX] = REG_RCX, [BASE_RDX] = REG_RDX, [BASE_RBX] = REG_RBX,
    [BASE_RSP] = REG_RSP, [BASE_RBP] = REG_RBP, [BASE_RSI] = REG_RSI, [BASE_RDI] = REG_RDI,
    [BASE_R8] = REG_R8,   [BASE_R9] = REG_R9,   [BASE_R10] = REG_R10, [BASE_R11] = REG_R11,
    [BASE_R12] = REG_R12, [BASE_R13] = REG_R13, [BASE_R14] = REG_R14, [BASE_R15] = REG_R15,
};

static bool is_general_protection(const ucontext_t *machine)
{
    const greg_t *host = machine->uc_mcontext.gregs;
    return host[REG_TRAPNO] == TRAP_PROTECTION && base_is_canonical((uintptr_t)host[REG_RIP]);
}

static bool is_privileged(const ucontext_t *machine)
{
    struct base_cr8_move move;
    uintptr_t pc = (uintptr_t)machine->uc_mcontext.gregs[REG_RIP];
    return is_general_protection(machine) &&
           (base_decode_cr8(pc, &move) || base_decode_is_privileged(pc));
}

/* Whether the stack pointer has come to the end of the thread's stack, and the access with it. */
static bool is_stack_exhausted(const siginfo_t *information, const ucontext_t *machine)
{
    uintptr_t address = (uintptr_t)information->si_addr;
    uintptr_t pointer = (uintptr_t)machine->uc_mcontext.gregs[REG_RSP];
    uintptr_t low;
    uintptr_t high;
    if (information->si_signo != SIGSEGV || information->si_code == SI_KERNEL) {
        return false;
    }
    base_stack_bounds(&low, &high);
    return pointer < low + STACK_END_BYTES && address < low + STACK_END_BYTES &&
           address + RED_ZONE_BYTES >= pointer && low - address + STACK_END_BYTES < FRAME_BYTES_MAX;
}

static enum base_fault_kind kind_of(const siginfo_t *information, const ucontext_t *machine)
{
    if (is_stack_exhausted(information, machine)) {
        return BASE_FAULT_STACK;
    }
    if (information->si_signo == SIGSEGV && is_privileged(machine)) {
        return BASE_FAULT_PRIVILEGED;
    }
    if (information->si_signo == SIGFPE) {
        return BASE_FAULT_DIVIDE;
    }
    if (information->si_signo == SIGBUS && information->si_code == BUS_ADRALN) {
        return BASE_FAULT_MISALIGNMENT;
    }
    return BASE_FAULT_ACCESS;
}

static enum base_fault_access access_of(greg_t error)
{
    if ((error & ERROR_FETCH) != 0) {
        return BASE_FAULT_EXECUTE;
    }
    return (error & ERROR_WRITE) != 0 ? BASE_FAULT_WRITE : BASE_FAULT_READ;
}

/* Memory may be there and allow another access. */
static enum base_fault_reason reason_of(const siginfo_t *information,
                                        const struct base_fault *fault)
{
    if (information->si_signo != SIGSEGV || information->si_code != SEGV_ACCERR ||
        fault->access == BASE_FAULT_READ ||
        !base_memory_is_readable((const void *)fault->address)) {
        return BASE_FAULT_NO_MEMORY;
    }
    return fault->access == BASE_FAULT_WRITE ? BASE_FAULT_READ_ONLY : BASE_FAULT_NO_CODE;
}

static void describe(struct base_fault *fault, const siginfo_t *information,
                     const ucontext_t *machine)
{
    const greg_t *host = machine->uc_mcontext.gregs;
    memset(fault, 0, sizeof(*fault));
    fault->kind = kind_of(information, machine);
    fault->pc = (uintptr_t)host[REG_RIP];
    for (int i = 0; i < BASE_REGISTER_COUNT; i++) {
        fault->registers[i] = (uint64_t)host[host_register[i]];
    }
    if (information->si_signo == SIGSEGV && information->si_code == SI_KERNEL) {
        base_decode_refused(fault);
        return;
    }
    fault->access = access_of(host[REG_ERR]);
    fault->is_access_known = true;
    fault->address = (uintptr_t)information->si_addr;
    fault->reason = reason_of(information, fault);
}

/*
 * After a call through a wild pointer there is no function to unwind from. Lets the stack look as
 * if the call instruction itself had faulted: its return address is the top of the stack.
 */
static void undo_wild_call(const struct base_fault *fault, ucontext_t *machine)
{
    greg_t *host = machine->uc_mcontext.gregs;
    if (fault->access == BASE_FAULT_EXECUTE && fault->pc == fault->address &&
        base_memory_is_readable((const void *)host[REG_RSP])) {
        uintptr_t return_address;
        memcpy(&return_address, (const void *)host[REG_RSP], sizeof(return_address));
        host[REG_RIP] = (greg_t)(return_address - 1);
        host[REG_RSP] += (greg_t)sizeof(return_address);
    }
}

static void go_on(const struct base_fault *fault, ucontext_t *machine)
{
    greg_t *host = machine->uc_mcontext.gregs;
    host[REG_RIP] = (greg_t)fault->pc;
    for (int i = 0; i < BASE_REGISTER_COUNT; i++) {
        host[host_register[i]] = (greg_t)fault->registers[i];
    }
}

static size_t index_of(int signal_number)
{
    size_t i = 0;
    while (signals[i] != signal_number) {
        i++;
    }
    return i;
}

static void pass_on(int signal_number, siginfo_t *information, void *machine)
{
    const struct sigaction *action = &previous[index_of(signal_number)];
    if ((action->sa_flags & SA_SIGINFO) != 0) {
        action->sa_sigaction(signal_number, information, machine);
    } else if (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN) {
        action->sa_handler(signal_number);
    } else {
        /* Returning repeats the fault, or the signal is sent anew; both now end the process. */
        signal(signal_number, SIG_DFL);
        if (information->si_code <= 0) {
            raise(signal_number);
        }
    }
}

/* On top of the code that faulted, or, if its stack is exhausted, on the stack for signals. */
static void handle(int signal_number, siginfo_t *information, void *context)
{
    base_fault_handler *handler = atomic_load(&current);
    ucontext_t *machine = context;
    bool is_fault = information->si_code > 0; /* else another process or thread sent it */
    if (is_fault && handler != NULL) {
        struct base_fault fault;
        greg_t pc = machine->uc_mcontext.gregs[REG_RIP];
        greg_t sp = machine->uc_mcontext.gregs[REG_RSP];
        base_frames_interrupted((const void *)sp);
        describe(&fault, information, machine);
        undo_wild_call(&fault, machine);
        /* The handler may not come back, and whoever called us may have blocked every signal. */
        pthread_sigmask(SIG_SETMASK, &machine->uc_sigmask, NULL);
        if (handler(&fault)) {
            go_on(&fault, machine);
            return;
        }
        machine->uc_mcontext.gregs[REG_RIP] = pc;
        machine->uc_mcontext.gregs[REG_RSP] = sp;
    }
    pass_on(signal_number, information, context);
}

#if defined(BASE_IS_SANITIZED)

static void on_signal(int signal_number, siginfo_t *information, void *context)
{
    base_attempt_failed();
    handle(signal_number, information, context);
}

#else

/* What the host puts on the stack: the address to return to, which restores everything, then this,
 * the information, and the floating point state. */
struct frame {
    void *return_address;
    ucontext_t machine; /* the host's ends behind the signal mask's first word */
};

#define HOST_MACHINE_BYTES (offsetof(ucontext_t, uc_sigmask) + sizeof(uint64_t))

static const char *end_of_frame(const ucontext_t *machine)
{
    const char *state = (const char *)machine->uc_mcontext.fpregs;
    struct _fpx_sw_bytes extension; /* at the end of what was there before it was extended */
    size_t bytes = sizeof(struct _libc_fpstate);
    memcpy(&extension, state + bytes - sizeof(extension), sizeof(extension));
    return state + (extension.magic1 == FP_XSTATE_MAGIC1 ? extension.extended_size : bytes);
}

/* The handler is entered as the host would have entered it with its frame there. */
static _Noreturn void enter_at(char *frame, int signal_number, ptrdiff_t information)
{
    __asm__ volatile("mov %0, %%rsp\n\tjmp *%1"
                     :
                     : "r"(frame), "r"(handle), "D"(signal_number), "S"(frame + information),
                       "d"(frame + offsetof(struct frame, machine))
                     : "memory");
    __builtin_unreachable();
}

/* Moves the host's frame from the stack for signals to the stack that the signal interrupted. */
static _Noreturn void move(int signal_number, const siginfo_t *information,
                           const ucontext_t *machine)
{
    const size_t alignment = 64; /* of the floating point state */
    const char *from = (const char *)machine - offsetof(struct frame, machine);
    const char *end = end_of_frame(machine);
    uintptr_t top = (uintptr_t)machine->uc_mcontext.gregs[REG_RSP] - RED_ZONE_BYTES;
    uintptr_t distance = (top - (uintptr_t)end) & ~(uintptr_t)(alignment - 1);
    char *to = (char *)((uintptr_t)from + distance);
    memcpy(to, from, (size_t)(end - from));
    struct frame *frame = (struct frame *)(void *)to;
    frame->machine.uc_mcontext.fpregs = (void *)((uintptr_t)machine->uc_mcontext.fpregs + distance);
    enter_at(to, signal_number, (const char *)information - from);
}

/* Whether the signal came on the stack for signals, and its frame fits on the thread's own. */
static bool may_move(const siginfo_t *information, const ucontext_t *machine)
{
    uintptr_t here = (uintptr_t)machine;
    uintptr_t pointer = (uintptr_t)machine->uc_mcontext.gregs[REG_RSP];
    uintptr_t first = (uintptr_t)machine->uc_stack.ss_sp;
    uintptr_t low;
    uintptr_t high;
    if ((const char *)information - (const char *)machine != HOST_MACHINE_BYTES) {
        return false; /* an emulated host (Valgrind), whose frames are others */
    }
    if ((machine->uc_stack.ss_flags & SS_DISABLE) != 0 || information->si_code <= 0 ||
        here - first >= machine->uc_stack.ss_size || pointer - first < machine->uc_stack.ss_size) {
        return false;
    }
    base_stack_bounds(&low, &high);
    return pointer >= low + STACK_END_BYTES && pointer <= high;
}

static void on_signal(int signal_number, siginfo_t *information, void *context)
{
    base_attempt_failed();
    if (may_move(information, context)) {
        move(signal_number, information, context);
    }
    handle(signal_number, information, context);
}

#endif

/* ---- stacks for signals ---- */

#if defined(BASE_IS_SANITIZED) && !defined(BASE_IS_ADDRESS_SANITIZED)

/* ThreadSanitizer calls handlers in its own way, and on a stack of its own choice. */
void base_fault_guard_stack(void)
{
}

#else

/* At the far end of the memory; the stack begins behind it. */
struct signal_stack {
    stack_t former; /* AddressSanitizer has made one for each thread, and takes it away */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t signal_stack; /* the calling thread's */

static void give_back(void *memory)
{
    const struct signal_stack *stack = memory;
    sigaltstack(&stack->former, NULL);
    munmap(memory, SIGNAL_STACK_BYTES);
}

static void create_key(void)
{
    pthread_key_create(&signal_stack, give_back);
}

/* Puts the calling thread's stack for signals into that memory. */
static bool set_signal_stack(struct signal_stack *stack)
{
    const stack_t ours = {.ss_sp = stack + 1, .ss_size = SIGNAL_STACK_BYTES - sizeof(*stack)};
    return sigaltstack(&ours, &stack->former) == 0 && pthread_setspecific(signal_stack, stack) == 0;
}

void base_fault_guard_stack(void)
{
    uintptr_t low;
    uintptr_t high;
    pthread_once(&once, create_key);
    if (pthread_getspecific(signal_stack) != NULL) {
        return;
    }
    base_stack_bounds(&low, &high); /* which cannot be found out later, in the handler */
    void *memory = mmap(NULL, SIGNAL_STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory != MAP_FAILED && !set_signal_stack(memory)) {
        munmap(memory, SIGNAL_STACK_BYTES);
    }
}

#endif

/* The host's stacks have no state. */
void base_fault_stack_left(void)
{
}

static bool is_ours(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) != 0 && action->sa_sigaction == on_signal;
}

static bool is_installed(void)
{
    struct sigaction action;
    return atomic_load(&current) != NULL && sigaction(SIGSEGV, NULL, &action) == 0 &&
           is_ours(&action);
}

void base_fault_install(base_fault_handler *handler)
{
    struct sigaction ours = {.sa_sigaction = on_signal};
    if (is_installed()) {
        atomic_store(&current, handler);
        return;
    }
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&ours.sa_mask);
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        struct sigaction now;
        if (sigaction(signals[i], NULL, &now) == 0 && !is_ours(&now)) {
            previous[i] = now;
            sigaction(signals[i], &ours, NULL);
        }
    }
    atomic_store(&current, handler);
    pthread_mutex_unlock(&lock);
}

void base_fault_remove(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        struct sigaction now;
        if (sigaction(signals[i], NULL, &now) == 0 && is_ours(&now)) {
            sigaction(signals[i], &previous[i], NULL);
        }
    }
    atomic_store(&current, NULL);
    pthread_mutex_unlock(&lock);
}
