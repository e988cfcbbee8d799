/*
 * Waiting.
 *
 * What this keeps true:
 * - All waits are guarded by the dispatcher lock. A dispatcher object holds no lock and no host
 *   resource, only its state and a list of wait blocks, which are the waiters' own, on their
 * stacks. - Whoever satisfies a wait unlinks all of its blocks first. The write of SignalState is
 * the last   touch of a signalled object, because a reader without the lock (KeReadStateEvent) may
 * free the   object the moment it sees it. A waiter cannot run on before the lock is dropped.
 * - A thread that has to sleep either leads (runs the loop, see lead.c) or sleeps on its own
 *   parking place. It looks again after every wake, so that a wake too many does no harm.
 */
#include "ke/wait.h"

#include "base/sanitize.h"
#include "ke/bugcheck.h"
#include "ke/callback.h"
#include "ke/irql.h"
#include "ke/kernel.h"
#include "ke/limit.h"
#include "ke/mutant.h"
#include "ke/warning.h"
#include "trace/trace.h"
#include "verifier/call_stack.h"
#include "verifier/gone.h"
#include "verifier/lock_order.h"
#include "verifier/resident.h"
#include "verifier/specific.h"
#include "verifier/stack_use.h"

#include <string.h>

#define NS_PER_UNIT 100

/* An object that is being made signalled, and the state that it will have. Nobody sees that state
 * before all waits are satisfied. */
struct fresh {
    DISPATCHER_HEADER *object; /* or NULL */
    LONG state;
};

static LONG state_of(const DISPATCHER_HEADER *object, const struct fresh *fresh)
{
    return object == fresh->object ? fresh->state : object->SignalState;
}

static void set_state(DISPATCHER_HEADER *object, struct fresh *fresh, LONG state)
{
    if (object == fresh->object) {
        fresh->state = state;
    } else {
        WriteRelease(&object->SignalState, state);
    }
}

/* Whether somebody's wait names the object. The lock is held. */
static bool is_waited_for(const DISPATCHER_HEADER *object)
{
    LIST_ENTRY *head = &ke_kernel()->threads.all;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        const struct _KTHREAD *thread = CONTAINING_RECORD(entry, struct _KTHREAD, link);
        for (const struct ke_wait *wait = thread->wait; wait != NULL; wait = wait->outer) {
            for (ULONG i = 0; i < wait->count; i++) {
                if (wait->blocks[i].object == object) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* Whatever stands in memory that was never an object, only the waits themselves are believed. */
static void check_not_waited_for(const DISPATCHER_HEADER *object)
{
    const LIST_ENTRY *first = object->WaitListHead.Flink;
    if (first == NULL || first == &object->WaitListHead || atomic_load(&ke_generation) == 0) {
        return;
    }
    ke_lock();
    bool is_in_use = is_waited_for(object);
    ke_unlock();
    if (is_in_use) {
        ke_bugcheck(KERNEL_SECURITY_CHECK_FAILURE, FAST_FAIL_CORRUPT_LIST_ENTRY, 0, 0, 0, "EVT-02",
                    "The driver initialised the object %p again while a thread waited for it.",
                    (const void *)object);
    }
}

/* The rule that wants an object of that type in resident memory. */
static const char *rule_of_type(UCHAR type)
{
    switch (type) {
    case KE_MUTANT:
        return "MUTEX-02";
    case KE_TIMER_NOTIFICATION:
    case KE_TIMER_SYNCHRONIZATION:
        return "TIMER-02";
    case KE_EVENT_NOTIFICATION:
    case KE_EVENT_SYNCHRONIZATION:
        return "EVT-02";
    default:
        return "WAIT-11";
    }
}

void ke_object_initialize(DISPATCHER_HEADER *object, UCHAR type, UCHAR words, LONG state)
{
    verifier_check_object(object, "dispatcher object", 0xE1, rule_of_type(type));
    verifier_object_initialised(object);
    check_not_waited_for(object);
    verifier_local_object_born(object);
    object->Type = type;
    object->Signalling = 0;
    object->Size = words;
    object->Reserved1 = 0;
    InitializeListHead(&object->WaitListHead);
    object->SignalState = state;
}

/* Whether it looks like a fast mutex, which has an event behind its head. What is looked at lies in
 * the object's page, so that it is there. */
BASE_NOT_SANITIZED static bool is_fast_mutex(const DISPATCHER_HEADER *object)
{
    const FAST_MUTEX *mutex = (const FAST_MUTEX *)(const void *)object;
    const DISPATCHER_HEADER *event = &mutex->Event.Header;
    return (ULONG_PTR)mutex % PAGE_SIZE <= PAGE_SIZE - sizeof(*mutex) &&
           event->Type == KE_EVENT_SYNCHRONIZATION &&
           event->WaitListHead.Flink == &event->WaitListHead;
}

/* Whether that is the stack of a thread that runs something else. The lock is held. */
static bool is_on_stack_of_another(const void *object)
{
    LIST_ENTRY *head = &ke_kernel()->threads.all;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        const struct _KTHREAD *thread = CONTAINING_RECORD(entry, struct _KTHREAD, link);
        if ((ULONG_PTR)object >= thread->stack_low && (ULONG_PTR)object < thread->stack_high) {
            return thread != ke_current();
        }
    }
    return false;
}

/* Where an object lies that is none any more, or NULL. The lock is held. */
static const char *where_gone(const void *object)
{
    if (verifier_local_object_find_gone(object)) {
        return "on the stack of a function that has returned";
    }
    const char *gone = verifier_gone(object);
    return gone == NULL && is_on_stack_of_another(object)
               ? "on the stack of another thread, whose function has returned or never initialised "
                 "it"
               : gone;
}

_Noreturn void ke_object_is_none(const DISPATCHER_HEADER *object, const char *what)
{
    if (is_fast_mutex(object)) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE1, (ULONG_PTR)object, 0, 0, "FAST-10",
                    "The driver used the fast or guarded mutex %p as %s.", (const void *)object,
                    what);
    }
    const char *gone = where_gone(object);
    if (gone != NULL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE1, (ULONG_PTR)object, 0, 0, "EVT-02",
                    "The driver used %p as %s, which lies %s.", (const void *)object, what, gone);
    }
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE1, (ULONG_PTR)object, 0, 0, "WAIT-11",
                "The driver used %p as %s, which was never initialised.", (const void *)object,
                what);
}

void ke_wait_next(void)
{
    struct _KTHREAD *thread = ke_current();
    thread->wait_irql = ke_raise_irql(DISPATCH_LEVEL);
    thread->is_wait_next = true;
}

void ke_report_wait_next(const char *function)
{
    ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE5, ke_current()->irql, 0, 0, "WAIT-30",
                 "The driver called %s after a call with Wait TRUE. Its next call has to be a "
                 "KeWait... function.",
                 function);
}

/* Restores the level that a call with Wait TRUE left raised. */
static void restore_level(struct _KTHREAD *thread)
{
    if (thread->is_wait_next) {
        thread->is_wait_next = false;
        ke_lower_irql(thread->wait_irql);
    }
}

uint64_t ke_deadline(const LARGE_INTEGER *timeout)
{
    if (timeout == NULL) {
        return BASE_FOREVER;
    }
    LONGLONG units = timeout->QuadPart;
    uint64_t origin = base_clock_ns();
    uint64_t distance = 0 - (uint64_t)units;
    if (units > 0) {
        uint64_t boot = ke_kernel()->boot_wall_100ns;
        origin = ke_kernel()->boot_ns;
        distance = (uint64_t)units > boot ? (uint64_t)units - boot : 0;
    }
    uint64_t room = (BASE_FOREVER - 1 - origin) / NS_PER_UNIT;
    return origin + (distance < room ? distance : room) * NS_PER_UNIT;
}

/* Whether the waiting thread may take the object. */
static bool is_ready(const DISPATCHER_HEADER *object, const struct ke_wait *wait,
                     const struct fresh *fresh)
{
    if (state_of(object, fresh) > 0) {
        return true;
    }
    return object->Type == KE_MUTANT && ke_mutant_is_owner(object, wait);
}

/* The state of an object without an owner, once a wait has taken it. */
static LONG state_after_wait(const DISPATCHER_HEADER *object, LONG state)
{
    switch (object->Type) {
    case KE_EVENT_SYNCHRONIZATION:
    case KE_TIMER_SYNCHRONIZATION:
        return 0;
    case KE_SEMAPHORE:
        return state - 1;
    default:
        return state;
    }
}

/* Takes what a satisfied wait takes. Returns STATUS_ABANDONED for a mutex left by its owner. */
static NTSTATUS consume(DISPATCHER_HEADER *object, struct ke_wait *wait, struct fresh *fresh)
{
    LONG state = state_of(object, fresh);
    if (object->Type == KE_MUTANT) {
        set_state(object, fresh, state - 1);
        return state > 0 ? ke_mutant_acquire(object, wait) : STATUS_SUCCESS;
    }
    LONG after = state_after_wait(object, state);
    if (after != state) {
        set_state(object, fresh, after);
    }
    return STATUS_SUCCESS;
}

static void unlink_blocks(struct ke_wait *wait)
{
    for (ULONG i = 0; i < wait->count; i++) {
        RemoveEntryList(&wait->blocks[i].link);
    }
    wait->count = 0;
}

void ke_wait_finish(struct ke_wait *wait, NTSTATUS status)
{
    trace_object(TRACE_WAKE, TRACE_WAITS, wait->thread, (ULONG_PTR)wait, 0);
    unlink_blocks(wait);
    ke_lead_note_progress(&ke_entered()->lead);
    wait->status = status;
    wait->is_done = true;
    if (wait->thread->wait == wait) {
        wait->thread->wait = NULL;
    }
    ke_lead_wake(wait);
}

static bool all_ready(const struct ke_wait *wait, const struct fresh *fresh)
{
    for (ULONG i = 0; i < wait->count; i++) {
        if (!is_ready(wait->blocks[i].object, wait, fresh)) {
            return false;
        }
    }
    return true;
}

static NTSTATUS consume_all(struct ke_wait *wait, struct fresh *fresh)
{
    NTSTATUS status = STATUS_SUCCESS;
    for (ULONG i = 0; i < wait->count; i++) {
        if (consume(wait->blocks[i].object, wait, fresh) == STATUS_ABANDONED) {
            status = STATUS_ABANDONED;
        }
    }
    return status;
}

/* The status of a wait-any that its n-th object satisfied. */
static NTSTATUS any_status(NTSTATUS consumed, ULONG n)
{
    return (NTSTATUS)(n + (ULONG)(consumed == STATUS_ABANDONED ? STATUS_ABANDONED_WAIT_0
                                                               : STATUS_WAIT_0));
}

/* Satisfies the wait of a block of the fresh object, if it can be. */
static bool satisfy(struct ke_wait_block *block, struct fresh *fresh)
{
    struct ke_wait *wait = block->wait;
    if (!wait->is_all) {
        NTSTATUS consumed = consume(fresh->object, wait, fresh);
        ke_wait_finish(wait, any_status(consumed, (ULONG)(block - wait->blocks)));
        return true;
    }
    if (!all_ready(wait, fresh)) {
        return false;
    }
    ke_wait_finish(wait, consume_all(wait, fresh));
    return true;
}

void ke_object_signal(DISPATCHER_HEADER *object, LONG state)
{
    struct fresh fresh = {.object = object, .state = state};
    LIST_ENTRY *head = &object->WaitListHead;
    LIST_ENTRY *entry = head->Flink;
    while (fresh.state > 0 && entry != head) {
        struct ke_wait_block *block = CONTAINING_RECORD(entry, struct ke_wait_block, link);
        /* A wait that ends may take several blocks out of this list. */
        entry = satisfy(block, &fresh) ? head->Flink : entry->Flink;
    }
    WriteRelease(&object->SignalState, fresh.state);
}

/* Whether the wait can be satisfied at once; if so, takes it. */
static bool try_wait(struct ke_wait *wait)
{
    struct fresh none = {.object = NULL};
    if (wait->is_all) {
        if (!all_ready(wait, &none)) {
            return false;
        }
        wait->status = consume_all(wait, &none);
        return true;
    }
    for (ULONG i = 0; i < wait->count; i++) {
        DISPATCHER_HEADER *object = wait->blocks[i].object;
        if (is_ready(object, wait, &none)) {
            wait->status = any_status(consume(object, wait, &none), i);
            return true;
        }
    }
    return false;
}

/* Somebody explains a hang, and asked where this thread is. The lock is held. */
BASE_COLD static void tell_stack(struct ke_wait *wait)
{
    verifier_stack_capture(wait->stack);
    wait->stack = NULL;
}

void ke_block(struct ke_wait *wait, uint64_t deadline_ns)
{
    struct _KTHREAD *thread = wait->thread;
    trace_object(TRACE_WAIT, TRACE_WAITS, wait->what, (ULONG_PTR)wait, wait->count);
    wait->outer = thread->wait;
    thread->wait = wait;
    wait->deadline_ns = deadline_ns;
    while (!wait->is_done && !ke_is_past(deadline_ns)) {
        if (wait->stack != NULL) {
            tell_stack(wait);
        }
        if (ke_lead_is_free_for(wait)) {
            ke_lead(wait, deadline_ns);
        } else {
            ke_lead_park(wait, deadline_ns);
        }
    }
    if (!wait->is_done) {
        unlink_blocks(wait);
        wait->status = STATUS_TIMEOUT;
        wait->is_done = true;
    }
    thread->wait = wait->outer != NULL && wait->outer->is_done ? NULL : wait->outer;
    trace_wait_end(wait->what, wait, wait->status);
}

static void link_blocks(struct ke_wait *wait)
{
    for (ULONG i = 0; i < wait->count; i++) {
        struct ke_wait_block *block = &wait->blocks[i];
        InsertTailList(&block->object->WaitListHead, &block->link);
    }
}

/* The rule that such a wait breaks. wait is NULL for an object that is looked at first. */
BASE_COLD static const char *rule_of_wait(const struct _KTHREAD *thread, const struct ke_wait *wait,
                                          const void *what)
{
    const char *rule = verifier_wait_rule(ke_callback_innermost(), what);
    if (strcmp(rule, "WAIT-09") != 0) {
        return rule;
    }
    if (wait != NULL && wait->count != 0 && what != wait->blocks[0].object) {
        return "WAIT-27";
    }
    return thread->spin_locks_held != 0 ? "SPIN-21" : rule;
}

static void check_level(const struct _KTHREAD *thread, const struct ke_wait *wait, const void *what,
                        const LARGE_INTEGER *timeout)
{
    bool is_poll = timeout != NULL && timeout->QuadPart == 0;
    if (thread->irql < DISPATCH_LEVEL || (thread->irql == DISPATCH_LEVEL && is_poll)) {
        return;
    }
    const char *rule = rule_of_wait(thread, wait, what);
    if (thread->irql == DISPATCH_LEVEL && thread->dpc_depth != 0) {
        ke_bugcheck(ATTEMPTED_SWITCH_FROM_DPC, (ULONG_PTR)thread, 0,
                    (ULONG_PTR)__builtin_frame_address(0), 0, rule,
                    "The driver waited for %p inside a DPC, which can never block.", what);
    }
    ULONG_PTR kind = timeout == NULL ? 0x121 : 0x122;
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, thread->irql > DISPATCH_LEVEL ? 0x120 : kind,
                (ULONG_PTR)&thread->irql, (ULONG_PTR)what, (ULONG_PTR)timeout, rule,
                "The driver waited for %p at IRQL %u%s. At DISPATCH_LEVEL a thread may only look "
                "at an object, with a timeout of zero; above it may not even do that.",
                what, thread->irql, thread->spin_locks_held != 0 ? ", holding a spin lock" : "");
}

/* Bug checks for what was never an object; raises in a thread that asks once too often for a mutex
 * that it owns. The lock is held. */
static void check_objects(const struct ke_wait *wait)
{
    for (ULONG i = 0; i < wait->count; i++) {
        const DISPATCHER_HEADER *object = wait->blocks[i].object;
        ke_object_check(object, "an object to wait for");
        if (object->Type == KE_MUTANT && ke_mutant_is_at_limit(object, wait)) {
            ke_unlock();
            ExRaiseStatus(STATUS_MUTANT_LIMIT_EXCEEDED);
        }
    }
}

/* Waits for the objects that wait->blocks name. */
static NTSTATUS wait_for_objects(struct ke_wait *wait, const LARGE_INTEGER *timeout)
{
    struct _KTHREAD *thread = wait->thread;
    restore_level(thread);
    check_level(thread, wait, wait->what, timeout);
    bool is_poll = timeout != NULL && timeout->QuadPart == 0;
    wait->irql = thread->irql;
    ke_lock();
    check_objects(wait);
    if (!try_wait(wait)) {
        if (is_poll) {
            wait->status = STATUS_TIMEOUT;
        } else {
            uint64_t deadline_ns = ke_deadline(timeout);
            link_blocks(wait);
            ke_block(wait, deadline_ns);
        }
    }
    ke_unlock();
    thread->kernel_apc_disable = (SHORT)(thread->kernel_apc_disable - wait->apc_disable);
    return wait->status;
}

/* Bug checks a user-mode wait for something on the stack, which could be paged out meanwhile. */
static void check_mode(const struct ke_wait *wait, KPROCESSOR_MODE mode)
{
    for (ULONG i = 0; mode == UserMode && i < wait->count; i++) {
        if (wait->blocks[i].object->Type == KE_MUTANT) {
            ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE1,
                         (ULONG_PTR)wait->blocks[i].object, 0, 0, "WAIT-13",
                         "The driver waited in user mode for the mutex %p.",
                         (const void *)wait->blocks[i].object);
        }
        ULONG_PTR object = (ULONG_PTR)wait->blocks[i].object;
        if (IoWithinStackLimits(object, sizeof(DISPATCHER_HEADER))) {
            ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x123, object, 0, 0, "WAIT-12",
                        "The driver waited in user mode for the object %p on its stack.",
                        (void *)object);
        }
    }
}

/* The short way of a wait: takes an object that is signalled already and has no owner. */
static bool take_at_once(DISPATCHER_HEADER *object, const LARGE_INTEGER *timeout)
{
    struct _KTHREAD *thread = ke_current();
    restore_level(thread);
    check_level(thread, NULL, object, timeout);
    if (ReadAcquire(&object->SignalState) <= 0) {
        return false;
    }
    ke_lock();
    ke_object_check(object, "an object to wait for");
    LONG state = object->SignalState;
    bool is_taken = state > 0 && object->Type != KE_MUTANT;
    LONG after = is_taken ? state_after_wait(object, state) : state;
    if (after != state) {
        WriteRelease(&object->SignalState, after);
    }
    ke_unlock();
    return is_taken;
}

/* A completion routine runs in whatever thread completes, which is not the driver's to block. */
static void check_may_block(const struct ke_wait *wait, const LARGE_INTEGER *timeout)
{
    const struct ke_callback *callback = ke_callback_innermost();
    bool is_poll = timeout != NULL && timeout->QuadPart == 0;
    if (is_poll || wait->thread->irql >= DISPATCH_LEVEL || callback == NULL ||
        strcmp(callback->what, "a completion routine") != 0) {
        return;
    }
    ke_warning("WAIT-28",
               "the driver's completion routine %p waited for %p, at IRQL %u; it may be called at "
               "DISPATCH_LEVEL, and in any thread",
               callback->routine, wait->what, wait->thread->irql);
}

/* Waits for an object at level full; tells the order of locks where it is a mutex. */
static NTSTATUS wait_at_full(struct ke_wait *wait, const LARGE_INTEGER *timeout, const void *site)
{
    check_may_block(wait, timeout);
    verifier_stack_use("waited");
    if (wait->blocks[0].object->Type != KE_MUTANT) {
        return wait_for_objects(wait, timeout);
    }
    const void *mutex = wait->blocks[0].object;
    if (timeout == NULL) {
        verifier_lock_wanted(&verifier_mutex, mutex);
    }
    NTSTATUS status = wait_for_objects(wait, timeout);
    if (status == STATUS_SUCCESS || status == STATUS_ABANDONED) {
        verifier_lock_taken(&verifier_mutex, mutex, site);
    }
    return status;
}

/*
 * Waits until Object is signalled. Timeout in 100 ns: NULL for ever, negative relative, positive
 * absolute system time, zero looks only. IRQL <= APC_LEVEL; DISPATCH_LEVEL with a zero timeout.
 * STATUS_SUCCESS, STATUS_TIMEOUT, STATUS_ABANDONED_WAIT_0. (WAIT-01 and following)
 */
NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode,
                               BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    UNREFERENCED_PARAMETER(WaitReason);
    UNREFERENCED_PARAMETER(Alertable);
    if (WaitMode == KernelMode && take_at_once(Object, Timeout)) {
        return STATUS_SUCCESS;
    }
    struct ke_wait wait = {.thread = ke_current(), .count = 1, .may_lead = true, .what = Object};
    struct ke_wait_block block = {.wait = &wait, .object = Object};
    wait.blocks = &block;
    check_mode(&wait, WaitMode);
    return verifier_is_full() ? wait_at_full(&wait, Timeout, _ReturnAddress())
                              : wait_for_objects(&wait, Timeout);
}

static void check_count(ULONG count, const void *wait_block_array)
{
    ULONG maximum = wait_block_array != NULL ? MAXIMUM_WAIT_OBJECTS : THREAD_WAIT_OBJECTS;
    if (count == 0 || count > maximum) {
        ke_bugcheck(MAXIMUM_WAIT_OBJECTS_EXCEEDED, 0, 0, 0, 0, "WAIT-24",
                    "The driver waited for %u objects; without a wait block array at most %u are "
                    "allowed, with one %u.",
                    count, THREAD_WAIT_OBJECTS, MAXIMUM_WAIT_OBJECTS);
    }
}

/*
 * Waits until any or all of Count objects are signalled. WaitBlockArray is needed for more than
 * THREAD_WAIT_OBJECTS objects. IRQL as KeWaitForSingleObject. STATUS_WAIT_0 + index of the object
 * that ended a WaitAny, STATUS_SUCCESS for a WaitAll, STATUS_ABANDONED_WAIT_0 + index,
 * STATUS_TIMEOUT. (WAIT-20 and following)
 */
NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType,
                                  KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode,
                                  BOOLEAN Alertable, PLARGE_INTEGER Timeout,
                                  PKWAIT_BLOCK WaitBlockArray)
{
    UNREFERENCED_PARAMETER(WaitReason);
    UNREFERENCED_PARAMETER(Alertable);
    struct ke_wait_block blocks[MAXIMUM_WAIT_OBJECTS];
    struct ke_wait wait = {.thread = ke_current(),
                           .blocks = blocks,
                           .count = Count,
                           .is_all = WaitType == WaitAll,
                           .may_lead = true,
                           .what = Object};
    check_count(Count, WaitBlockArray);
    verifier_check_object(WaitBlockArray, "wait block array", 0xE1, "WAIT-25");
    for (ULONG i = 0; i < Count; i++) {
        blocks[i].wait = &wait;
        blocks[i].object = Object[i];
    }
    check_mode(&wait, WaitMode);
    return wait_for_objects(&wait, Timeout);
}

/*
 * Sleeps for Interval (100 ns: negative relative, positive absolute). IRQL <= APC_LEVEL.
 * STATUS_SUCCESS. (THREAD, Delay)
 */
NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
                                PLARGE_INTEGER Interval)
{
    UNREFERENCED_PARAMETER(WaitMode);
    UNREFERENCED_PARAMETER(Alertable);
    struct ke_wait wait = {.thread = ke_current(), .may_lead = true, .what = "a delay"};
    restore_level(wait.thread);
    if (wait.thread->dpc_depth != 0) {
        check_level(wait.thread, NULL, wait.what, NULL);
    }
    KE_IRQL_AT_MOST(APC_LEVEL);
    uint64_t deadline_ns = ke_deadline(Interval);
    ke_lock();
    ke_block(&wait, deadline_ns);
    ke_unlock();
    return STATUS_SUCCESS;
}
