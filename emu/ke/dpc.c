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

/* KDPC.Type, Windows' values. */
enum { DPC_OBJECT = 19, THREADED_DPC_OBJECT = 24 };

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

/* Returns FALSE if the DPC was queued already. */
static BOOLEAN queue_dpc(PKDPC dpc, PVOID argument1, PVOID argument2, ULONG_PTR by)
{
    if (dpc->DpcData != NULL) {
        return FALSE;
    }
    dpc->SystemArgument1 = argument1;
    dpc->SystemArgument2 = argument2;
    insert(processor_for(dpc), dpc, by);
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
    ke_callback_enter(&callback, "a DPC routine", (void *)(ULONG_PTR)copy->DeferredRoutine);
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
    struct ke_processors *processors = &ke_kernel()->processors;
    for (ULONG i = 0; i < processors->count; i++) {
        struct ke_processor *processor = &processors->processor[i];
        if (atomic_load(&processor->dpc_count) != 0 && atomic_load(&processor->owner) == NULL) {
            return true;
        }
    }
    return false;
}

void ke_dpc_run_orphans(void)
{
    struct ke_processors *processors = &ke_kernel()->processors;
    struct _KTHREAD *thread = ke_current();
    for (ULONG i = 0; i < processors->count; i++) {
        struct ke_processor *processor = &processors->processor[i];
        if (atomic_load(&processor->dpc_count) == 0 || !ke_processor_try_claim(thread, processor)) {
            continue;
        }
        KIRQL old = thread->irql;
        thread->irql = DISPATCH_LEVEL;
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

static bool is_any_queued(void)
{
    struct ke_processors *processors = &ke_kernel()->processors;
    for (ULONG i = 0; i < processors->count; i++) {
        if (atomic_load(&processors->processor[i].dpc_count) != 0) {
            return true;
        }
    }
    return false;
}

PKDPC ke_dpc_find(const void *start, size_t bytes)
{
    if (!is_any_queued()) {
        return NULL;
    }
    ke_lock();
    PKDPC dpc = find_queued((ULONG_PTR)start, bytes);
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
    initialize(Dpc, DPC_OBJECT, DeferredRoutine, DeferredContext);
}

/* As KeInitializeDpc, for a routine that may run at PASSIVE_LEVEL; here it runs as a plain DPC,
 * which the documentation allows. */
VOID KeInitializeThreadedDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    initialize(Dpc, THREADED_DPC_OBJECT, DeferredRoutine, DeferredContext);
}

/* Whether the DPC runs on the calling thread as soon as its level allows. */
static bool is_for_here(const KDPC *dpc)
{
    return !is_targeted(dpc) && dpc->Importance != LowImportance;
}

/*
 * Queues a DPC; FALSE if it is queued already, and then nothing changes. Below DISPATCH_LEVEL it
 * has run when the call returns, unless it is bound to a processor or of low importance: such a one
 * is left to the leader, or to the next drain of its processor. Any IRQL. (DPC-02, DPC-08)
 */
BOOLEAN KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2)
{
    KIRQL old = ke_current()->irql;
    bool is_interrupt = old < DISPATCH_LEVEL && is_for_here(Dpc);
    if (is_interrupt) {
        ke_raise_irql(DISPATCH_LEVEL);
    }
    ke_lock();
    BOOLEAN queued = queue_dpc(Dpc, SystemArgument1, SystemArgument2, 0);
    if (ke_dpc_has_orphans()) {
        ke_lead_kick();
    }
    ke_unlock();
    if (is_interrupt) {
        ke_lower_irql(old);
    }
    return queued;
}

/* Takes a DPC from its queue; FALSE if it was not queued. Any IRQL. (DPC-10) */
BOOLEAN KeRemoveQueueDpc(PRKDPC Dpc)
{
    ke_current();
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

/* Says how urgent the DPC is. Any IRQL. */
VOID KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance)
{
    Dpc->Importance = (UCHAR)Importance;
}

/* Binds the DPC to a processor by number. Any IRQL. */
VOID KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number)
{
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
