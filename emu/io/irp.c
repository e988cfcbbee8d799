/*
 * IRPs: making and freeing them.
 *
 * The stack locations follow the IRP. CurrentLocation counts from StackCount + 1 (nobody's) down to
 * 1 (the lowest driver's). An IRP may lie in any memory of the driver; one that the emulator
 * allocated has a record before it. A freed IRP is kept a while, unreadable for the driver where
 * AddressSanitizer is in use, so that a second free or completion is told for what it is.
 */
#include "io/irp.h"

#include "base/log.h"
#include "base/stack.h"
#include "ex/poison.h"
#include "io/io.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"

#include <stdlib.h>

#define FREED_IRPS_MAX 64
#define STACK_SIZE_MAX 126 /* CurrentLocation is a CHAR and reaches StackCount + 1 */

#if defined(__GNUC__)
#define NOT_SANITIZED __attribute__((no_sanitize("address", "thread"), noinline))
#else
#define NOT_SANITIZED
#endif

static size_t bytes_of(CCHAR stack_size)
{
    return sizeof(IRP) + (size_t)stack_size * sizeof(IO_STACK_LOCATION);
}

NOT_SANITIZED static CSHORT type_of(const volatile IRP *irp)
{
    return irp->Type;
}

NOT_SANITIZED static UCHAR allocation_flags_of(const volatile IRP *irp)
{
    return irp->AllocationFlags;
}

bool io_irp_is_alive(const IRP *irp)
{
    return irp != NULL && type_of(irp) == IO_TYPE_IRP;
}

struct io_irp_record *io_irp_record(PIRP irp)
{
    bool is_ours = (allocation_flags_of(irp) & IO_IRP_ALLOCATED) != 0;
    return is_ours ? (struct io_irp_record *)(PVOID)irp - 1 : NULL;
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
    if (type_of(irp) != IO_TYPE_IRP || (allocation_flags_of(irp) & IO_IRP_ALLOCATED) == 0) {
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
    const struct io_irp_record *record = find_record(Irp);
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
    struct io_irp_record *record = malloc(sizeof(*record) + bytes_of(stack_size));
    if (record == NULL) {
        return NULL;
    }
    PIRP irp = (PIRP)(PVOID)(record + 1);
    initialize(irp, (USHORT)bytes_of(stack_size), stack_size);
    irp->AllocationFlags = IO_IRP_ALLOCATED;
    *record = (struct io_irp_record){.creator = creator, .kind = kind, .references = 1};
    base_mutex_lock(&irps->lock);
    InsertTailList(&irps->all, &record->link);
    base_mutex_unlock(&irps->lock);
    return irp;
}

/*
 * A new IRP with StackSize zeroed stack locations, or NULL when memory is short. It belongs to no
 * thread. IRQL <= DISPATCH_LEVEL. (IRP-01, IRP-03)
 */
PIRP IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    PIRP irp = io_irp_create(StackSize, IO_IRP_DRIVERS, _ReturnAddress());
    if (irp != NULL) {
        io_irp_record(irp)->is_quota_charged = ChargeQuota != FALSE;
    }
    return irp;
}

/* As IoAllocateIrp, for an IRP that will be sent to DeviceObject. (IRP-08) */
PIRP IoAllocateIrpEx(PDEVICE_OBJECT DeviceObject, CCHAR StackSize, BOOLEAN ChargeQuota)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    return IoAllocateIrp(StackSize, ChargeQuota);
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

static void dispose(struct io_irp_record *record)
{
    if (record != NULL) {
        ex_unpoison(record + 1, sizeof(IRP));
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
        irp->Type = 0;
        ex_poison(irp, sizeof(IRP));
        RemoveEntryList(&record->link);
        InsertTailList(&irps->freed, &record->link);
        irps->freed_count++;
        oldest = take_oldest(irps);
    }
    base_mutex_unlock(&irps->lock);
    dispose(oldest);
}

/* Whether a driver below still has the IRP: it is cancelable there, or deep in its stack. */
static bool is_in_use(const IRP *irp)
{
    return io_irp_cancel_routine(irp) != NULL || irp->CurrentLocation < irp->StackCount;
}

static void check_freeable(PIRP irp, const void *caller)
{
    if (!io_irp_is_alive(irp)) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x1, (ULONG_PTR)irp, 0, 0, "IRP-19",
                    "The driver called IoFreeIrp on %p, which is no IRP, or was freed already.",
                    (void *)irp);
    }
    const struct io_irp_record *record = io_irp_record(irp);
    if (record != NULL && (record->kind == IO_IRP_THREADED || record->kind == IO_IRP_SYSTEM)) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x2, (ULONG_PTR)irp, 0, 0, "IRP-102",
                    "The driver freed the IRP %p, which belongs to a thread: it has to be "
                    "completed, and the I/O manager frees it.",
                    (void *)irp);
    }
    if (is_in_use(irp)) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x20B, (ULONG_PTR)caller, (ULONG_PTR)irp,
                    0, "IRP-18",
                    "The driver freed the IRP %p, which a driver below or the network still has.",
                    (void *)irp);
    }
}

/*
 * Frees an IRP: one of IoAllocateIrp, or pool memory that IoInitializeIrp made one. Its MDLs stay.
 * IRQL <= DISPATCH_LEVEL. (IRP-17, IRP-20)
 */
VOID IoFreeIrp(PIRP Irp)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_freeable(Irp, _ReturnAddress());
    if (io_irp_record(Irp) == NULL) {
        ExFreePoolWithTag(Irp, 0);
        return;
    }
    io_irp_release(Irp);
}

static void check_reusable(PIRP irp, const void *caller)
{
    const struct io_irp_record *record = io_irp_record(irp);
    if (is_in_use(irp)) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x310, (ULONG_PTR)caller, (ULONG_PTR)irp,
                    0, "IRP-15", "The driver reused the IRP %p, which is still in use.",
                    (void *)irp);
    }
    if (record != NULL && record->kind != IO_IRP_DRIVERS && record->kind != IO_IRP_ASYNCHRONOUS) {
        ke_bugcheck(DRIVER_VERIFIER_IOMANAGER_VIOLATION, 0x311, (ULONG_PTR)caller, (ULONG_PTR)irp,
                    0, "IRP-12",
                    "The driver reused the IRP %p, which the I/O manager frees when it is done.",
                    (void *)irp);
    }
}

/* Makes an IRP ready for another use with the given status. IRQL <= DISPATCH_LEVEL. (IRP-11) */
VOID IoReuseIrp(PIRP Irp, NTSTATUS Iostatus)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_reusable(Irp, _ReturnAddress());
    UCHAR allocation_flags = Irp->AllocationFlags;
    initialize(Irp, Irp->Size, Irp->StackCount);
    Irp->AllocationFlags = allocation_flags;
    Irp->IoStatus.Status = Iostatus;
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
}

unsigned io_irps_report(struct io_irps *irps)
{
    unsigned left = 0;
    for (LIST_ENTRY *entry = irps->all.Flink; entry != &irps->all; entry = entry->Flink) {
        const struct io_irp_record *record = CONTAINING_RECORD(entry, struct io_irp_record, link);
        base_log("left: IRP %p, allocated by %s\n", (const void *)(record + 1),
                 base_stack_site(record->creator).text);
        left++;
    }
    return left;
}

static void free_list(LIST_ENTRY *list)
{
    while (!IsListEmpty(list)) {
        dispose(CONTAINING_RECORD(RemoveHeadList(list), struct io_irp_record, link));
    }
}

void io_irps_stop(struct io_irps *irps)
{
    free_list(&irps->all);
    free_list(&irps->freed);
    base_mutex_destroy(&irps->lock);
}
