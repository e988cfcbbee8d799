/*
 * Deferred procedure calls.
 *
 * Each processor has a queue. The thread that owns a processor drains its queue before it gives the
 * processor up. A DPC queued below DISPATCH_LEVEL for no processor in particular runs at once, on
 * the caller's thread, as the software interrupt would make it on Windows: the thread owns a
 * processor while it queues, and gives it up. One for a processor that nobody owns, or of low
 * importance, is an orphan until the leader runs it.
 */
#include "ke/dpc.h"

#include "base/log.h"
#include "ke/bugcheck.h"
#include "ke/callback.h"
#include "ke/irql.h"
#include "ke/kernel.h"
#include "ke/limit.h"
#include "ke/timer.h"
#include "trace/trace.h"
#include "verifier/level.h"
#include "verifier/resident.h"

/* KDPC.Number of a targeted DPC is this much more than the processor's. */
#define TARGET_BASE 2048

/* Set in KDPC.DpcData, beside the processor that has it queued, when a timer queued it. */
#define BY_TIMER ((ULONG_PTR)1)

static bool is_targeted(const KDPC *dpc)
{
    return dpc->Number >= TARGET_BASE;
}

/* Where the DPC is queued, or NULL. */
static struct ke_processor *queue_of(const KDPC *dpc)
{
    return (struct ke_processor *)((ULONG_PTR)dpc->DpcData & ~BY_TIMER);
}

static bool is_by_timer(const KDPC *dpc)
{
    return ((ULONG_PTR)dpc->DpcData & BY_TIMER) != 0;
}

static PKDPC next_of(const KDPC *dpc)
{
    return dpc->DpcListEntry.Next == NULL
               ? NULL
               : CONTAINING_RECORD(dpc->DpcListEntry.Next, KDPC, DpcListEntry);
}

static void link_next(PKDPC dpc, PKDPC next)
{
    dpc->DpcListEntry.Next = next == NULL ? NULL : &next->DpcListEntry;
}

/* How many DPCs are queued anywhere; only the lock's holder changes it. */
static unsigned queued_count(void)
{
    return atomic_load_explicit(&ke_entered()->processors.dpc_count, memory_order_relaxed);
}

static void count_queued(int more)
{
    atomic_store_explicit(&ke_entered()->processors.dpc_count, queued_count() + (unsigned)more,
                          memory_order_relaxed);
}

static void insert(struct ke_processor *processor, PKDPC dpc, ULONG_PTR by)
{
    dpc->DpcData = (PVOID)((ULONG_PTR)processor | by);
    link_next(dpc, NULL);
    if (processor->dpc_first == NULL) {
        processor->dpc_first = dpc;
        processor->dpc_last = dpc;
    } else if (dpc->Importance == HighImportance) {
        link_next(dpc, processor->dpc_first);
        processor->dpc_first = dpc;
    } else {
        link_next(processor->dpc_last, dpc);
        processor->dpc_last = dpc;
    }
    atomic_fetch_add(&processor->dpc_count, 1);
    count_queued(1);
}

static void remove_after(struct ke_processor *processor, PKDPC before, PKDPC dpc)
{
    PKDPC next = next_of(dpc);
    if (before == NULL) {
        processor->dpc_first = next;
    } else {
        link_next(before, next);
    }
    if (processor->dpc_last == dpc) {
        processor->dpc_last = before;
    }
    dpc->DpcData = NULL;
    atomic_fetch_sub(&processor->dpc_count, 1);
    count_queued(-1);
}

static ULONG target_of(const KDPC *dpc)
{
    ULONG number = (ULONG)dpc->Number - TARGET_BASE;
    ULONG count = ke_kernel()->processors.count;
    if (number >= count) {
        ke_bugcheck(TIMER_OR_DPC_INVALID, 0x3, (ULONG_PTR)dpc, number, count, "DPC-07",
                    "The driver queued the DPC %p for processor %u; there are %u, from 0.",
                    (const void *)dpc, number, count);
    }
    return number;
}

static struct ke_processor *processor_for(const KDPC *dpc)
{
    struct ke_processors *processors = &ke_kernel()->processors;
    struct _KTHREAD *thread = ke_current();
    if (is_targeted(dpc)) {
        return &processors->processor[target_of(dpc)];
    }
    if (thread->processor != NULL) {
        return thread->processor;
    }
    return thread->last_processor != NULL ? thread->last_processor : &processors->processor[0];
}

static void trace_queued(const KDPC *dpc, const struct ke_processor *processor)
{
    trace_object(TRACE_DPC_QUEUE, TRACE_DISPATCH, dpc, (ULONG_PTR)dpc->DeferredRoutine,
                 processor->number);
}

static void fill(PKDPC dpc, PVOID argument1, PVOID argument2)
{
    dpc->SystemArgument1 = argument1;
    dpc->SystemArgument2 = argument2;
}

/* Returns FALSE if the DPC was queued already. */
static BOOLEAN queue_dpc(PKDPC dpc, PVOID argument1, PVOID argument2, ULONG_PTR by)
{
    if (dpc->DpcData != NULL) {
        return FALSE;
    }
    fill(dpc, argument1, argument2);
    insert(processor_for(dpc), dpc, by);
    trace_queued(dpc, queue_of(dpc));
    return TRUE;
}

void ke_dpc_queue_for_timer(PKDPC dpc, PVOID argument1, PVOID argument2)
{
    queue_dpc(dpc, argument1, argument2, BY_TIMER);
}

/* Takes the first DPC and copies it: the object may be gone as soon as its routine runs. */
static PKDPC take_first(struct ke_processor *processor, KDPC *copy)
{
    PKDPC dpc = processor->dpc_first;
    if (dpc != NULL) {
        *copy = *dpc;
        remove_after(processor, NULL, dpc);
    }
    return dpc;
}

static void check_apc_counts(const struct ke_callback *callback, const KDPC *copy)
{
    const struct _KTHREAD *thread = ke_current();
    ULONG before = ke_callback_apc_counts(callback);
    ULONG after = ke_thread_apc_counts(thread);
    if (before != after) {
        ke_bugcheck(TIMER_OR_DPC_INVALID, is_by_timer(copy) ? 0x5 : 0x4,
                    (ULONG_PTR)copy->DeferredRoutine, before, after, "DPC-13",
                    "The driver's DPC routine %p returned inside a critical or guarded region "
                    "that it entered, owning a mutex, or left a region that it did not enter.",
                    (void *)(ULONG_PTR)copy->DeferredRoutine);
    }
}

static void run(PKDPC dpc, const KDPC *copy)
{
    struct _KTHREAD *thread = ke_current();
    struct ke_callback callback;
    thread->dpc_depth++;
    trace_object(TRACE_DPC_RUN, TRACE_DISPATCH, dpc, (ULONG_PTR)copy->DeferredRoutine, 0);
    ke_callback_enter(&callback,
                      copy->Type == KE_DPC_THREADED ? "a threaded DPC routine" : "a DPC routine",
                      (void *)(ULONG_PTR)copy->DeferredRoutine);
    copy->DeferredRoutine(dpc, copy->DeferredContext, copy->SystemArgument1, copy->SystemArgument2);
    check_apc_counts(&callback, copy);
    ke_callback_leave(&callback);
    thread->dpc_depth--;
}

void ke_dpc_drain(struct ke_processor *processor)
{
    while (atomic_load(&processor->dpc_count) != 0) {
        KDPC copy;
        ke_lock();
        PKDPC dpc = take_first(processor, &copy);
        ke_unlock();
        if (dpc == NULL) {
            return;
        }
        run(dpc, &copy);
    }
}

bool ke_dpc_has_orphans(void)
{
    struct ke_processors *processors = &ke_entered()->processors;
    for (ULONG i = 0; queued_count() != 0 && i < processors->count; i++) {
        struct ke_processor *processor = &processors->processor[i];
        if (atomic_load(&processor->dpc_count) != 0 && atomic_load(&processor->owner) == NULL) {
            return true;
        }
    }
    return false;
}

void ke_dpc_run_orphans(void)
{
    struct _KTHREAD *thread = ke_current();
    struct ke_processors *processors = &thread->kernel->processors;
    for (ULONG i = 0; queued_count() != 0 && i < processors->count; i++) {
        struct ke_processor *processor = &processors->processor[i];
        if (atomic_load(&processor->dpc_count) == 0 || !ke_processor_try_claim(thread, processor)) {
            continue;
        }
        KIRQL old = thread->irql;
        thread->irql = DISPATCH_LEVEL;
        ex_paged_raised();
        ke_lower_irql(old);
    }
}

/* The first queued DPC whose object begins in the range. The lock is held. */
static PKDPC find_queued(ULONG_PTR start, size_t bytes)
{
    struct ke_processors *processors = &ke_kernel()->processors;
    for (ULONG i = 0; i < processors->count; i++) {
        for (PKDPC dpc = processors->processor[i].dpc_first; dpc != NULL; dpc = next_of(dpc)) {
            if ((ULONG_PTR)dpc - start < bytes) {
                return dpc;
            }
        }
    }
    return NULL;
}

PKDPC ke_dpc_find(const void *start, size_t bytes)
{
    ke_current();
    if (queued_count() == 0) {
        return NULL;
    }
    ke_lock();
    PKDPC dpc = find_queued((ULONG_PTR)start, bytes);
    ke_unlock();
    return dpc;
}

static PKDPC find_queued_of(const struct ke_code *code)
{
    struct ke_processors *processors = &ke_kernel()->processors;
    for (ULONG i = 0; i < processors->count; i++) {
        for (PKDPC dpc = processors->processor[i].dpc_first; dpc != NULL; dpc = next_of(dpc)) {
            if (ke_code_holds(code, (void *)(ULONG_PTR)dpc->DeferredRoutine)) {
                return dpc;
            }
        }
    }
    return NULL;
}

PKDPC ke_dpc_find_of(const struct ke_code *code)
{
    ke_lock();
    PKDPC dpc = find_queued_of(code);
    ke_unlock();
    return dpc;
}

/* The memory may never have been a DPC, so only the queues are believed. */
static void check_not_queued(const KDPC *dpc)
{
    if (queue_of(dpc) == NULL || atomic_load(&ke_generation) == 0 || ke_dpc_find(dpc, 1) == NULL) {
        return;
    }
    ke_bugcheck(KERNEL_SECURITY_CHECK_FAILURE, FAST_FAIL_CORRUPT_LIST_ENTRY, 0, 0, 0, "TIMER-02",
                "The driver initialised the DPC %p again while it was queued.", (const void *)dpc);
}

static void initialize(PKDPC dpc, UCHAR type, PKDEFERRED_ROUTINE routine, PVOID context)
{
    verifier_check_object(dpc, "DPC", 0xE1, "TIMER-02");
    check_not_queued(dpc);
    RtlZeroMemory(dpc, sizeof(*dpc));
    dpc->Type = type;
    dpc->Importance = MediumImportance;
    dpc->DeferredRoutine = routine;
    dpc->DeferredContext = context;
}

/* Prepares a DPC object in the driver's resident memory. Any IRQL. (DPC-01) */
VOID KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    initialize(Dpc, KE_DPC_ORDINARY, DeferredRoutine, DeferredContext);
}

/* As KeInitializeDpc, for a routine that may run at PASSIVE_LEVEL; here it runs as a plain DPC,
 * which the documentation allows. */
VOID KeInitializeThreadedDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    initialize(Dpc, KE_DPC_THREADED, DeferredRoutine, DeferredContext);
}

_Noreturn void ke_dpc_is_none(const KDPC *dpc, const char *function)
{
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE1, (ULONG_PTR)dpc, 0, 0, "DPC-01",
                "The driver called %s for the DPC %p, which was never initialised.", function,
                (const void *)dpc);
}

/* Whether the DPC runs on the calling thread as soon as its level allows. */
static bool is_for_here(const KDPC *dpc)
{
    return !is_targeted(dpc) && dpc->Importance != LowImportance;
}

/* Queues a DPC where nothing but those before it keeps it from running. If there are none, it runs
 * without having been in the queue. */
static BOOLEAN run_here(PKDPC dpc, PVOID argument1, PVOID argument2)
{
    const struct ke_processor *processor = ke_current()->processor;
    KDPC copy;
    ke_lock();
    bool is_queued = dpc->DpcData != NULL;
    bool is_first = !is_queued && processor->dpc_first == NULL;
    if (is_first) {
        fill(dpc, argument1, argument2);
        trace_queued(dpc, processor);
        copy = *dpc;
    } else {
        queue_dpc(dpc, argument1, argument2, 0);
    }
    ke_unlock();
    if (is_first) {
        run(dpc, &copy);
    }
    return !is_queued;
}

static BOOLEAN queue_for_later(PKDPC dpc, PVOID argument1, PVOID argument2)
{
    ke_lock();
    BOOLEAN queued = queue_dpc(dpc, argument1, argument2, 0);
    if (ke_dpc_has_orphans()) {
        ke_lead_kick();
    }
    ke_unlock();
    return queued;
}

/* A timer that is set queues its DPC itself. */
static void check_no_timer(const KDPC *dpc)
{
    const KTIMER *timer = verifier_is_full() ? ke_timers_find_by_dpc(dpc) : NULL;
    if (timer != NULL) {
        ke_violation(TIMER_OR_DPC_INVALID, 0x1, (ULONG_PTR)dpc, (ULONG_PTR)timer, 0, "TIMER-14",
                     "The driver called KeInsertQueueDpc for the DPC %p of the timer %p, which is "
                     "set.",
                     (const void *)dpc, (const void *)timer);
    }
}

/*
 * Queues a DPC; FALSE if it is queued already, and then nothing changes. Below DISPATCH_LEVEL it
 * has run when the call returns, unless it is bound to a processor or of low importance: such a one
 * is left to the leader, or to the next drain of its processor. Any IRQL. (DPC-02, DPC-08)
 */
BOOLEAN KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2)
{
    KIRQL old = ke_current()->irql;
    ke_dpc_check(Dpc, __func__);
    check_no_timer(Dpc);
    if (old >= DISPATCH_LEVEL || !is_for_here(Dpc)) {
        return queue_for_later(Dpc, SystemArgument1, SystemArgument2);
    }
    ke_raise_irql(DISPATCH_LEVEL);
    BOOLEAN queued = run_here(Dpc, SystemArgument1, SystemArgument2);
    ke_lower_irql(old);
    return queued;
}

/* Takes a DPC from its queue; FALSE if it was not queued. Any IRQL. (DPC-10) */
BOOLEAN KeRemoveQueueDpc(PRKDPC Dpc)
{
    ke_current();
    ke_dpc_check(Dpc, "KeRemoveQueueDpc");
    ke_lock();
    struct ke_processor *processor = queue_of(Dpc);
    if (processor != NULL) {
        PKDPC before = NULL;
        for (PKDPC each = processor->dpc_first; each != Dpc; each = next_of(each)) {
            before = each;
        }
        remove_after(processor, before, Dpc);
    }
    ke_unlock();
    return processor != NULL;
}

static void flush_processors(void);

/*
 * As KeRemoveQueueDpc; if WaitIfActive, the DPC's routine does not run any more when the call
 * returns. IRQL <= APC_LEVEL then, else any.
 */
BOOLEAN KeRemoveQueueDpcEx(PRKDPC Dpc, BOOLEAN WaitIfActive)
{
    if (WaitIfActive) {
        KE_IRQL_AT_MOST(APC_LEVEL);
    }
    BOOLEAN was_queued = KeRemoveQueueDpc(Dpc);
    if (WaitIfActive) {
        flush_processors();
    }
    return was_queued;
}

static void check_unqueued(const KDPC *dpc, const char *function)
{
    if (queue_of(dpc) != NULL && ke_dpc_find(dpc, 1) != NULL) {
        ke_violation(TIMER_OR_DPC_INVALID, 0x1, (ULONG_PTR)dpc, 0, 0, "DPC-09",
                     "The driver called %s for the DPC %p, which is queued. It has to be called "
                     "before.",
                     function, (const void *)dpc);
    }
}

/* Says how urgent the DPC is. Any IRQL. */
VOID KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance)
{
    ke_dpc_check(Dpc, __func__);
    check_unqueued(Dpc, __func__);
    Dpc->Importance = (UCHAR)Importance;
}

/* Binds the DPC to a processor by number. Any IRQL. */
VOID KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number)
{
    ke_dpc_check(Dpc, __func__);
    check_unqueued(Dpc, __func__);
    Dpc->Number = (USHORT)(TARGET_BASE + Number);
}

/* Binds the DPC to a processor; STATUS_INVALID_PARAMETER if there is none such. Any IRQL. */
NTSTATUS KeSetTargetProcessorDpcEx(PKDPC Dpc, PPROCESSOR_NUMBER ProcNumber)
{
    ke_current();
    if (ProcNumber->Group != 0 || ProcNumber->Number >= ke_kernel()->processors.count ||
        ProcNumber->Reserved != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    Dpc->Number = (USHORT)(TARGET_BASE + ProcNumber->Number);
    return STATUS_SUCCESS;
}

static KDEFERRED_ROUTINE note_flushed;

static VOID note_flushed(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(argument1);
    UNREFERENCED_PARAMETER(argument2);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

static void flush_processor(UCHAR number)
{
    KEVENT flushed;
    KDPC dpc;
    PROCESSOR_NUMBER target = {.Group = 0, .Number = number};
    KeInitializeEvent(&flushed, NotificationEvent, FALSE);
    KeInitializeDpc(&dpc, note_flushed, &flushed);
    KeSetTargetProcessorDpcEx(&dpc, &target);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeWaitForSingleObject(&flushed, Executive, KernelMode, FALSE, NULL);
}

static void flush_processors(void)
{
    for (ULONG i = 0; i < ke_kernel()->processors.count; i++) {
        flush_processor((UCHAR)i);
    }
}

/* Returns when every DPC queued before has run, on every processor. PASSIVE_LEVEL. (DPC-11) */
VOID KeFlushQueuedDpcs(VOID)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    flush_processors();
}

unsigned ke_dpc_report(void)
{
    struct ke_processors *processors = &ke_kernel()->processors;
    unsigned left = 0;
    for (ULONG i = 0; i < processors->count; i++) {
        for (PKDPC dpc = processors->processor[i].dpc_first; dpc != NULL; dpc = next_of(dpc)) {
            base_log("left: DPC %p, still queued on processor %u\n", (void *)dpc, i);
            left++;
        }
    }
    return left;
}
