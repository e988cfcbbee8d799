#include "base/fault.h"

#include "base/frames.h"
#include "base/instruction.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <ucontext.h>

/* Bits of the page fault's error code. */
#define ERROR_WRITE 0x02
#define ERROR_FETCH 0x10

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

static bool is_privileged(const ucontext_t *machine)
{
    struct base_cr8_move move;
    const greg_t *host = machine->uc_mcontext.gregs;
    return host[REG_TRAPNO] == TRAP_PROTECTION && base_decode_cr8((uintptr_t)host[REG_RIP], &move);
}

static enum base_fault_kind kind_of(const siginfo_t *information, const ucontext_t *machine)
{
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

static void describe(struct base_fault *fault, const siginfo_t *information,
                     const ucontext_t *machine)
{
    const greg_t *host = machine->uc_mcontext.gregs;
    fault->kind = kind_of(information, machine);
    fault->access = access_of(host[REG_ERR]);
    fault->address = (uintptr_t)information->si_addr;
    fault->pc = (uintptr_t)host[REG_RIP];
    for (int i = 0; i < BASE_REGISTER_COUNT; i++) {
        fault->registers[i] = (uint64_t)host[host_register[i]];
    }
}

/*
 * After a call through a wild pointer there is no function to unwind from. Lets the stack look as
 * if the call instruction itself had faulted: its return address is the top of the stack.
 */
static void undo_wild_call(const struct base_fault *fault, ucontext_t *machine)
{
    greg_t *host = machine->uc_mcontext.gregs;
    if (fault->access == BASE_FAULT_EXECUTE && fault->pc == fault->address) {
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

static void on_signal(int signal_number, siginfo_t *information, void *context)
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
