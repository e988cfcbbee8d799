#include "ke/thread.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/process.h"
#include "base/stack.h"
#include "ke/bugcheck.h"
#include "ke/expectation.h"
#include "ke/kernel.h"
#include "ke/wait.h"
#include "rtl/exception.h"

BASE_THREAD_LOCAL struct ke_thread_slot ke_thread_slot = {.generation = UINT64_MAX};

static _Noreturn void enter_without_kernel(void)
{
    base_log("wskemu: a kernel function was called while no kernel runs; call wskemu_boot() "
             "first.\n");
    base_process_end(BASE_EXIT_BUGCHECK);
}

struct _KTHREAD *ke_current_slow(void)
{
    const struct ke_thread_slot *slot = &ke_thread_slot;
    bool is_known = slot->generation != UINT64_MAX;
    struct ke_kernel *kernel = atomic_load(&ke_running);
    bool is_running = atomic_load(&ke_generation) != 0;
    /* A kernel that is halted still stands until its test abandons it. */
    bool is_halted = !is_running && (kernel != NULL || atomic_load(&ke_is_halted));
    if (is_known && (slot->is_emulated || is_halted)) {
        ke_halt_here();
    }
    if (!is_running || kernel == NULL) {
        enter_without_kernel();
    }
    ke_thread_enter_kernel(kernel);
    return ke_thread_adopt();
}

void ke_thread_enter_kernel(struct ke_kernel *kernel)
{
    ke_thread_slot = (struct ke_thread_slot){.generation = kernel->generation, .kernel = kernel};
}

struct _KTHREAD *ke_thread_adopt(void)
{
    struct _KTHREAD *thread = ke_kernel()->threads.adopt();
    if (thread == NULL) {
        base_log("wskemu: out of memory while adopting a thread.\n");
        base_process_end(BASE_EXIT_BUGCHECK);
    }
    thread->is_adopted = true;
    ke_expectation_follow(thread);
    ke_thread_enter(thread, false);
    return thread;
}

bool ke_thread_initialize(struct _KTHREAD *thread)
{
    ke_object_initialize(&thread->Header, KE_THREAD, sizeof(*thread) / sizeof(LONG), 0);
    thread->park = base_park_create();
    thread->kernel = ke_kernel();
    thread->generation = thread->kernel->generation;
    thread->priority = 8;
    InitializeListHead(&thread->mutants);
    InitializeListHead(&thread->link);
    return thread->park != NULL;
}

void ke_thread_enter(struct _KTHREAD *thread, bool is_emulated)
{
    ke_thread_slot = (struct ke_thread_slot){.generation = thread->generation,
                                             .kernel = thread->kernel,
                                             .thread = thread,
                                             .is_emulated = is_emulated};
    base_fault_guard_stack();
    /* The kernel may have been halted before this thread came to run. */
    ke_current();
    base_stack_bounds(&thread->stack_low, &thread->stack_high);
    ke_lock();
    InsertTailList(&ke_kernel()->threads.all, &thread->link);
    ke_unlock();
}

void ke_thread_leave(struct _KTHREAD *thread)
{
    ke_lock();
    RemoveEntryList(&thread->link);
    InitializeListHead(&thread->link);
    ke_lead_forget(thread);
    ke_object_signal(&thread->Header, 1);
    ke_unlock();
    seh_thread_exit();
}

void ke_thread_forget(void)
{
    ke_thread_slot = (struct ke_thread_slot){.generation = UINT64_MAX};
}

void ke_thread_finalize(struct _KTHREAD *thread)
{
    if (thread->park != NULL) {
        base_park_release(thread->park);
    }
}
