/*
 * IRPs: making and freeing them.
 *
 * The stack locations follow the IRP. CurrentLocation counts from StackCount + 1 (nobody's) down to
 * 1 (the lowest driver's). An IRP may lie in any memory of the driver; one that the emulator
 * allocated has a record before it, and behind it one location more that is nobody's: a driver that
 * writes to a stack location without having one writes there. A freed IRP is kept a while, filled
 * with a pattern, and unreadable for the driver where AddressSanitizer is in use, so that a second
 * free or completion is told for what it is, and a write to it is found.
 */
#include "io/irp.h"

#include "base/log.h"
#include "base/stack.h"
#include "ex/poison.h"
#include "io/io.h"
#include "io/irp_check.h"
#include "ke/bugcheck.h"
#include "ke/left.h"
#include "ke/limit.h"
#include "ke/warning.h"
#include "trace/trace.h"
#include "verifier/level.h"
#include "verifier/history.h"
#include "verifier/object.h"
#include "verifier/rule.h"

#include <stdlib.h>
#include <string.h>

#define FREED_IRPS_MAX 64
#define FREED_BYTE 0xDD    /* leaves IO_IRP_ALLOCATED set, and is no type of an IRP */
#define STACK_SIZE_MAX 126 /* CurrentLocation is a CHAR and reaches StackCount + 1 */

static size_t bytes_of(CCHAR stack_size)
{
    return sizeof(IRP) + (size_t)stack_size * sizeof(IO_STACK_LOCATION);
}

/* Bytes of an IRP with that many stack locations. Any IRQL. (IRP-09) */
USHORT(IoSizeOfIrp)(CCHAR StackSize)
{
    return (USHORT)bytes_of(StackSize);
}

static void initialize(PIRP irp, USHORT bytes, CCHAR stack_size)
{
    RtlZeroMemory(irp, bytes);
    irp->Type = IO_TYPE_IRP;
    irp->Size = bytes;
    irp->StackCount = stack_size;
    irp->CurrentLocation = (CCHAR)(stack_size + 1);
    InitializeListHead(&irp->ThreadListEntry);
    irp->Tail.Overlay.CurrentStackLocation = (PIO_STACK_LOCATION)(PVOID)(irp + 1) + stack_size;
}

/* The record of an IRP of IoAllocateIrp at that address, which may be raw memory. */
static struct io_irp_record *find_record(PIRP irp)
{
    struct io_irps *irps = &io_state()->irps;
    struct io_irp_record *found = NULL;
    if (io_irp_type(irp) != IO_TYPE_IRP || (io_irp_allocation_flags(irp) & IO_IRP_ALLOCATED) == 0) {
        return NULL;
    }
    base_mutex_lock(&irps->lock);
    for (LIST_ENTRY *entry = irps->all.Flink; entry != &irps->all; entry = entry->Flink) {
        struct io_irp_record *record = CONTAINING_RECORD(entry, struct io_irp_record, link);
        if ((PIRP)(PVOID)(record + 1) == irp) {
            found = record;
            break;
        }
    }
    base_mutex_unlock(&irps->lock);
    return found;
}

/*
 * Makes an IRP of raw memory, or anew of one from IoAllocateIrp without quota.
 * IRQL <= DISPATCH_LEVEL. (IRP-10, IRP-14)
 */
VOID IoInitializeIrp(PIRP Irp, USHORT PacketSize, CCHAR StackSize)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    struct io_irp_record *record = find_record(Irp);
    if (record != NULL) {
        io_irp_check_reusable(Irp, _ReturnAddress());
        record->receiver = IO_IRP_TO_NOBODY;
    }
    if (record != NULL && record->is_quota_charged) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x20D, (ULONG_PTR)_ReturnAddress(),
                    (ULONG_PTR)Irp, 0, "IRP-06",
                    "The driver called IoInitializeIrp on the IRP %p, which it allocated with "
                    "quota.",
                    (void *)Irp);
    }
    initialize(Irp, PacketSize, StackSize);
    if (record != NULL) {
        Irp->AllocationFlags = IO_IRP_ALLOCATED;
    }
}

/* As IoInitializeIrp, for an IRP that will be sent to DeviceObject. */
VOID IoInitializeIrpEx(PIRP Irp, PDEVICE_OBJECT DeviceObject, USHORT PacketSize, CCHAR StackSize)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    IoInitializeIrp(Irp, PacketSize, StackSize);
}

PIRP io_irp_create(CCHAR stack_size, enum io_irp_kind kind, const void *creator)
{
    struct io_irps *irps = &io_state()->irps;
    if (stack_size < 0 || stack_size > STACK_SIZE_MAX) {
        return NULL;
    }
    size_t bytes = bytes_of(stack_size);
    struct io_irp_record *record = malloc(sizeof(*record) + bytes + sizeof(IO_STACK_LOCATION));
    if (record == NULL) {
        return NULL;
    }
    PIRP irp = (PIRP)(PVOID)(record + 1);
    initialize(irp, (USHORT)bytes, stack_size);
    RtlZeroMemory((UCHAR *)irp + bytes, sizeof(IO_STACK_LOCATION));
    irp->AllocationFlags = IO_IRP_ALLOCATED;
    *record = (struct io_irp_record){.creator = creator, .kind = kind, .references = 1};
    base_mutex_lock(&irps->lock);
    InsertTailList(&irps->all, &record->link);
    irps->associated_count += kind == IO_IRP_ASSOCIATED;
    base_mutex_unlock(&irps->lock);
    verifier_object_made("IRP", irp, creator);
    trace_irp_allocate(irp, stack_size);
    return irp;
}

/* Quota is charged to the thread that asks: one that made the request the driver works on. */
static void check_quota(const void *caller)
{
    const struct _KTHREAD *thread = ke_current();
    if (thread->irql >= DISPATCH_LEVEL || thread->is_worker) {
        ke_warning("IRP-07",
                   "the driver allocated an IRP with ChargeQuota TRUE, at %s, in a thread that did "
                   "not issue a request; pass FALSE",
                   base_stack_site(caller).text);
    }
}

static PIRP allocate(CCHAR stack_size, BOOLEAN charge_quota, const void *caller)
{
    PIRP irp = io_irp_create(stack_size, IO_IRP_DRIVERS, caller);
    if (irp != NULL && charge_quota) {
        check_quota(caller);
        io_irp_record(irp)->is_quota_charged = true;
    }
    return irp;
}

/*
 * A new IRP with StackSize zeroed stack locations, or NULL when memory is short. It belongs to no
 * thread. IRQL <= DISPATCH_LEVEL. (IRP-01, IRP-03)
 */
PIRP IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return allocate(StackSize, ChargeQuota, _ReturnAddress());
}

/* As IoAllocateIrp, for an IRP that will be sent to DeviceObject. (IRP-08) */
PIRP IoAllocateIrpEx(PDEVICE_OBJECT DeviceObject, CCHAR StackSize, BOOLEAN ChargeQuota)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return allocate(StackSize, ChargeQuota, _ReturnAddress());
}

/* Forgets the IRP that was freed longest ago. The lock is held. */
static struct io_irp_record *take_oldest(struct io_irps *irps)
{
    if (irps->freed_count <= FREED_IRPS_MAX) {
        return NULL;
    }
    irps->freed_count--;
    return CONTAINING_RECORD(RemoveHeadList(&irps->freed), struct io_irp_record, link);
}

/* Fills a freed IRP. */
static void fill(struct io_irp_record *record, PIRP irp)
{
    record->freed_bytes = irp->Size;
    if (verifier_is_on()) {
        memset(irp, FREED_BYTE, record->freed_bytes);
    } else {
        irp->Type = 0;
    }
}

/* Whether a freed IRP still is as fill() left it. */
static bool is_untouched(const struct io_irp_record *record)
{
    const UCHAR *start = (const UCHAR *)(record + 1);
    /* The first byte is right, and each further one is as the one before it. */
    return !verifier_is_on() ||
           (*start == FREED_BYTE && memcmp(start, start + 1, record->freed_bytes - 1U) == 0);
}

bool io_irp_was_freed_for_wsk(PIRP irp)
{
    struct io_irps *irps = &io_state()->irps;
    bool was_freed = false;
    base_mutex_lock(&irps->lock);
    for (LIST_ENTRY *entry = irps->freed.Flink; entry != &irps->freed; entry = entry->Flink) {
        struct io_irp_record *record = CONTAINING_RECORD(entry, struct io_irp_record, link);
        was_freed |= (PIRP)(PVOID)(record + 1) == irp && record->is_freed_for_wsk;
    }
    base_mutex_unlock(&irps->lock);
    return was_freed;
}

/* Looks at a freed IRP for the last time. */
static void check_freed(const struct io_irp_record *record)
{
    const IRP *irp = (const IRP *)(const void *)(record + 1);
    if (!is_untouched(record)) {
        ke_violation(
            DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x20A, (ULONG_PTR)record->creator, (ULONG_PTR)irp,
            0, record->is_freed_for_wsk ? "WSK-IRP-28" : "IRP-94",
            "A driver wrote to the IRP %p, allocated by %s, after it had been completed or "
            "freed.",
            (const void *)irp, base_stack_site(record->creator).text);
    }
}

static void dispose(struct io_irp_record *record)
{
    if (record != NULL) {
        ex_unpoison(record + 1, sizeof(IRP));
        check_freed(record);
        free(record);
    }
}

void io_irp_release(PIRP irp)
{
    struct io_irps *irps = &io_state()->irps;
    struct io_irp_record *record = io_irp_record(irp);
    struct io_irp_record *oldest = NULL;
    base_mutex_lock(&irps->lock);
    if (--record->references == 0) {
        trace_irp_free(irp);
        verifier_object_unmade(irp);
        fill(record, irp);
        ex_poison(irp, sizeof(IRP));
        RemoveEntryList(&record->link);
        irps->associated_count -= record->kind == IO_IRP_ASSOCIATED;
        InsertTailList(&irps->freed, &record->link);
        irps->freed_count++;
        oldest = take_oldest(irps);
    }
    base_mutex_unlock(&irps->lock);
    dispose(oldest);
}

/*
 * Frees an IRP: one of IoAllocateIrp, or pool memory that IoInitializeIrp made one. Its MDLs stay.
 * IRQL <= DISPATCH_LEVEL. (IRP-17, IRP-20)
 */
VOID IoFreeIrp(PIRP Irp)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    io_irp_check_freeable(Irp, _ReturnAddress());
    struct io_irp_record *record = io_irp_record(Irp);
    if (record == NULL) {
        ExFreePoolWithTag(Irp, 0);
        return;
    }
    verifier_note_freed(Irp, "IRP", record->creator, _ReturnAddress());
    record->is_freed_for_wsk = record->receiver == IO_IRP_TO_WSK && io_completion_runs();
    io_irp_release(Irp);
}

/* Makes an IRP ready for another use with the given status. IRQL <= DISPATCH_LEVEL. (IRP-11) */
VOID IoReuseIrp(PIRP Irp, NTSTATUS Iostatus)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    verifier_note_used(Irp, __func__, _ReturnAddress());
    io_irp_check_reusable(Irp, _ReturnAddress());
    UCHAR allocation_flags = Irp->AllocationFlags;
    initialize(Irp, Irp->Size, Irp->StackCount);
    Irp->AllocationFlags = allocation_flags;
    Irp->IoStatus.Status = Iostatus;
    if (io_irp_record(Irp) != NULL) {
        io_irp_record(Irp)->receiver = IO_IRP_TO_NOBODY;
    }
}

/* Releases what an IRP holds beside its memory, before that is freed: nothing here. */
VOID IoCleanupIrp(PIRP Irp)
{
    UNREFERENCED_PARAMETER(Irp);
}

void io_irps_start(struct io_irps *irps)
{
    base_mutex_init(&irps->lock);
    InitializeListHead(&irps->all);
    InitializeListHead(&irps->freed);
    InitializeListHead(&irps->threaded);
    InitializeListHead(&irps->leaving);
    io_irps_describe(irps);
}

/* Whether it is a part of that master that nobody has cancelled. Others may be at work on it. */
BASE_NOT_SANITIZED static bool is_forgotten(const struct io_irp_record *record, const IRP *master)
{
    const volatile IRP *irp = (const volatile IRP *)(const volatile void *)(record + 1);
    return record->kind == IO_IRP_ASSOCIATED && irp->AssociatedIrp.MasterIrp == master &&
           irp->CurrentLocation <= irp->StackCount && !irp->Cancel;
}

void io_irps_check_parts(const IRP *master)
{
    struct io_irps *irps = &io_state()->irps;
    const void *forgotten = NULL;
    base_mutex_lock(&irps->lock);
    LIST_ENTRY *entry = irps->associated_count != 0 ? irps->all.Flink : &irps->all;
    for (; entry != &irps->all && forgotten == NULL; entry = entry->Flink) {
        const struct io_irp_record *record = CONTAINING_RECORD(entry, struct io_irp_record, link);
        forgotten = is_forgotten(record, master) ? (const void *)(record + 1) : NULL;
    }
    base_mutex_unlock(&irps->lock);
    if (forgotten != NULL) {
        ke_warning("CANCEL-25",
                   "the cancel routine of the master IRP %p returned and its associated IRP %p is "
                   "not cancelled",
                   (const void *)master, forgotten);
    }
}

void io_irps_check_cleaned(const FILE_OBJECT *file)
{
    struct io_irps *irps = &io_state()->irps;
    const void *queued = NULL;
    base_mutex_lock(&irps->lock);
    for (LIST_ENTRY *entry = irps->all.Flink; entry != &irps->all && queued == NULL;
         entry = entry->Flink) {
        const struct io_irp_record *record = CONTAINING_RECORD(entry, struct io_irp_record, link);
        const IRP *irp = (const IRP *)(const void *)(record + 1);
        bool is_queued = record->file == file && io_irp_cancel_routine(irp) != NULL;
        queued = is_queued ? irp : NULL;
    }
    base_mutex_unlock(&irps->lock);
    if (queued != NULL) {
        ke_warning("DEV-57",
                   "the last handle of the file %p was closed, and after its cleanup the driver "
                   "still queues the IRP %p of it, with a cancel routine set",
                   (const void *)file, queued);
    }
}

/* Of an IRP that was left: WSK's clients have a rule of their own. Others may be sending it. */
BASE_NOT_SANITIZED static const char *rule_of_left(const volatile struct io_irp_record *record)
{
    bool is_wsk = record->kind == IO_IRP_DRIVERS && record->receiver == IO_IRP_TO_WSK;
    return is_wsk ? "WSK-IRP-15" : "IRP-21";
}

unsigned io_irps_report_driver(const struct ke_code *code)
{
    struct io_irps *irps = &io_state()->irps;
    unsigned left = 0;
    base_mutex_lock(&irps->lock);
    for (LIST_ENTRY *entry = irps->all.Flink; entry != &irps->all; entry = entry->Flink) {
        const struct io_irp_record *record = CONTAINING_RECORD(entry, struct io_irp_record, link);
        left +=
            ke_code_warn_of_left(code, rule_of_left(record), "IRP", record + 1, record->creator);
    }
    base_mutex_unlock(&irps->lock);
    return left;
}

/* The rule that a driver breaks which goes while it has the IRP; NULL if it has not. Others may be
 * at work on it: only what stands above its position is looked at, which does not change. */
BASE_NOT_SANITIZED static const char *rule_of_holder(const struct io_irp_record *record,
                                                     const DRIVER_OBJECT *driver,
                                                     const struct ke_code *code)
{
    const volatile IRP *irp = (const volatile IRP *)(const volatile void *)(record + 1);
    const volatile IO_STACK_LOCATION *first =
        (const volatile IO_STACK_LOCATION *)(const volatile void *)(irp + 1);
    CHAR position = irp->CurrentLocation;
    if (position < 1 || position > irp->StackCount || record->receiver == IO_IRP_TO_NOBODY) {
        return NULL;
    }
    if (record->driver == driver && record->driver_location == position) {
        bool is_forgotten = irp->Cancel && irp->CancelRoutine != NULL;
        const char *rule = record->receiver == IO_IRP_TO_WSK ? "WSK-IRP-18" : "DEV-18";
        return is_forgotten ? "CANCEL-10" : rule;
    }
    for (int i = position - 1; i < irp->StackCount; i++) {
        if (ke_code_holds(code, (const void *)(ULONG_PTR)first[i].CompletionRoutine)) {
            return "IRP-58";
        }
    }
    return NULL;
}

static const char *how_held(const char *rule)
{
    if (strcmp(rule, "CANCEL-10") == 0) {
        return "had set a cancel routine, without a look at Irp->Cancel after that, and so still "
               "had";
    }
    return strcmp(rule, "DEV-18") == 0 ? "had" : "had a completion routine in";
}

void io_irps_check_unloaded(const DRIVER_OBJECT *driver, const struct ke_code *code)
{
    struct io_irps *irps = &io_state()->irps;
    const char *rule = NULL;
    const void *irp = NULL;
    base_mutex_lock(&irps->lock);
    for (LIST_ENTRY *entry = irps->all.Flink; entry != &irps->all && rule == NULL;
         entry = entry->Flink) {
        const struct io_irp_record *record = CONTAINING_RECORD(entry, struct io_irp_record, link);
        rule = rule_of_holder(record, driver, code);
        irp = record + 1;
    }
    base_mutex_unlock(&irps->lock);
    if (rule != NULL) {
        ke_violation(DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS, (ULONG_PTR)irp, 0, 0, 0,
                     rule,
                     "The driver %s was unloaded while it %s the IRP %p, which is not completed.",
                     code->driver, how_held(rule), irp);
    }
}

/* Those that were written after they were freed and nobody has seen yet. */
static unsigned report_written(struct io_irps *irps)
{
    unsigned written = 0;
    for (LIST_ENTRY *entry = irps->freed.Flink; entry != &irps->freed; entry = entry->Flink) {
        struct io_irp_record *record = CONTAINING_RECORD(entry, struct io_irp_record, link);
        const IRP *irp = (const IRP *)(const void *)(record + 1);
        ex_unpoison(record + 1, sizeof(IRP));
        if (!is_untouched(record)) {
            base_log("IRP-94: a driver wrote to the IRP %p, allocated by %s, after it had been "
                     "completed or freed\n",
                     (const void *)irp, base_stack_site(record->creator).text);
            written++;
        }
    }
    return written;
}

unsigned io_irps_report(struct io_irps *irps)
{
    unsigned left = 0;
    for (LIST_ENTRY *entry = irps->all.Flink; entry != &irps->all; entry = entry->Flink) {
        const struct io_irp_record *record = CONTAINING_RECORD(entry, struct io_irp_record, link);
        verifier_rule_speak(rule_of_left(record));
        base_log("left: IRP %p, allocated by %s (%s)\n", (const void *)(record + 1),
                 base_stack_site(record->creator).text, rule_of_left(record));
        ke_left_note(record->creator);
        left++;
    }
    return left + report_written(irps);
}

static void free_list(LIST_ENTRY *list)
{
    while (!IsListEmpty(list)) {
        struct io_irp_record *record =
            CONTAINING_RECORD(RemoveHeadList(list), struct io_irp_record, link);
        ex_unpoison(record + 1, sizeof(IRP));
        free(record);
    }
}

void io_irps_stop(struct io_irps *irps)
{
    free_list(&irps->all);
    free_list(&irps->freed);
    base_mutex_destroy(&irps->lock);
}
