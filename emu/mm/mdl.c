/*
 * Memory descriptor lists.
 *
 * Everything lives in one address space, so a mapping is the buffer's own address, and a page's
 * frame number is its address divided by the page size. What is kept exact is the life of an MDL:
 * its flags say whether its pages are locked, built from non-paged pool, mapped or partial, and
 * every function checks that it is given an MDL in a state in which Windows would take it.
 */
#include "mm/mm.h"

#include "base/local.h"
#include "base/log.h"
#include "base/sanitize.h"
#include "base/stack.h"
#include "ex/paged.h"
#include "ke/bugcheck.h"
#include "ke/left.h"
#include "ke/warning.h"
#include "rtl/exception.h"
#include "verifier/history.h"
#include "verifier/object.h"
#include "verifier/rule.h"

#include <stdio.h>
#include <stdlib.h>

#define MDL_LENGTH_MAX (0xFFFFFFFFULL - PAGE_SIZE + 1)

static SIZE_T mdl_bytes(PVOID address, SIZE_T length)
{
    return sizeof(MDL) + ADDRESS_AND_SIZE_TO_SPAN_PAGES(address, length) * sizeof(PFN_NUMBER);
}

static void initialize(PMDL mdl, PVOID address, SIZE_T length)
{
    mdl->Next = NULL;
    mdl->Size = (CSHORT)mdl_bytes(address, length);
    mdl->MdlFlags = 0;
    mdl->Process = NULL;
    mdl->MappedSystemVa = NULL;
    mdl->StartVa = PAGE_ALIGN(address);
    mdl->ByteOffset = BYTE_OFFSET(address);
    mdl->ByteCount = (ULONG)length;
}

static void fill_pages(PMDL mdl)
{
    PPFN_NUMBER pages = MmGetMdlPfnArray(mdl);
    ULONG_PTR first = (ULONG_PTR)mdl->StartVa >> PAGE_SHIFT;
    ULONG count = ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(mdl), mdl->ByteCount);
    for (ULONG i = 0; i < count; i++) {
        pages[i] = first + i;
    }
}

static PMDL mdl_of(struct mm_mdl_record *record)
{
    return (PMDL)(PVOID)(record + 1);
}

static struct mm_mdl_record **bucket_of(struct mm_state *mm, const void *mdl)
{
    return &mm->bucket[(ULONG_PTR)mdl / 64 % MM_MDL_BUCKETS];
}

/* A record with room for an MDL behind it; at level full with pages of its own, so that an MDL
 * cannot be used after its end. */
static struct mm_mdl_record *allocate_record(SIZE_T bytes, const void *creator)
{
    struct ex_guarded *guarded = NULL;
    if (verifier_is_full()) {
        guarded = ex_guarded_obtain(sizeof(struct mm_mdl_record), bytes,
                                    MEMORY_ALLOCATION_ALIGNMENT, "MDL", creator);
    }
    struct mm_mdl_record *record = NULL;
    if (guarded != NULL) {
        guarded->freed_rule = "MDL-11";
        record = (struct mm_mdl_record *)(PVOID)guarded->start - 1;
    } else {
        record = malloc(sizeof(*record) + bytes);
    }
    if (record != NULL) {
        atomic_init(&record->uses, MM_MDL_KNOWN);
        record->creator = creator;
        record->guarded = guarded;
    }
    return record;
}

PMDL mm_mdl_allocate(PVOID address, SIZE_T length, const void *creator)
{
    struct mm_state *mm = mm_state();
    if (length > MDL_LENGTH_MAX) {
        return NULL;
    }
    struct mm_mdl_record *record = allocate_record(mdl_bytes(address, length), creator);
    if (record == NULL) {
        return NULL;
    }
    PMDL mdl = mdl_of(record);
    initialize(mdl, address, length);
    base_mutex_lock(&mm->lock);
    InsertTailList(&mm->mdls, &record->link);
    record->next = *bucket_of(mm, mdl);
    *bucket_of(mm, mdl) = record;
    base_mutex_unlock(&mm->lock);
    verifier_object_made("MDL", mdl, creator);
    return mdl;
}

/* The link to the record of an MDL, or to NULL; the MDL itself is not touched. The lock is held. */
static struct mm_mdl_record **link_to(struct mm_state *mm, const void *mdl)
{
    struct mm_mdl_record **link = bucket_of(mm, mdl);
    while (*link != NULL && mdl_of(*link) != mdl) {
        link = &(*link)->next;
    }
    return link;
}

/* Who freed the MDL last, or NULL. The lock is held. */
static const void *freer_of(const struct mm_state *mm, const void *mdl)
{
    for (unsigned back = 1; back <= MM_MDL_FREED; back++) {
        const struct mm_mdl_freed *freed = &mm->freed[(mm->next_freed - back) % MM_MDL_FREED];
        if (mdl != NULL && freed->mdl == mdl) {
            return freed->freer;
        }
    }
    return NULL;
}

void mm_mdl_check(PMDL mdl)
{
    struct mm_state *mm = mm_state();
    base_mutex_lock(&mm->lock);
    bool is_live = *link_to(mm, mdl) != NULL;
    const void *freer = is_live ? NULL : freer_of(mm, mdl);
    base_mutex_unlock(&mm->lock);
    if (freer != NULL) {
        ke_bugcheck(BAD_POOL_CALLER, 0x46, (ULONG_PTR)mdl, 0, 0, "MDL-11",
                    "The driver freed the MDL %p again; it was freed by %s.", (void *)mdl,
                    base_stack_site(freer).text);
    }
    if (!is_live) {
        ke_bugcheck(BAD_POOL_CALLER, 0x46, (ULONG_PTR)mdl, 0, 0, "MDL-11",
                    "The driver freed the MDL %p, which IoAllocateMdl did not return.",
                    (void *)mdl);
    }
}

static void free_record(struct mm_mdl_record *record, const void *freer)
{
    if (record->guarded != NULL) {
        ex_guarded_retire(record->guarded, freer);
    } else {
        free(record);
    }
}

/*
 * The record before an MDL that IoAllocateMdl made, else NULL. What stands before another MDL is
 * looked at only if it lies in the same page.
 */
BASE_NOT_SANITIZED static struct mm_mdl_record *record_before(const MDL *mdl)
{
    struct mm_mdl_record *record = (struct mm_mdl_record *)(ULONG_PTR)mdl - 1;
    if (BYTE_OFFSET(mdl) < sizeof(*record)) {
        struct mm_state *mm = mm_state();
        base_mutex_lock(&mm->lock);
        record = *link_to(mm, mdl);
        base_mutex_unlock(&mm->lock);
        return record;
    }
    ULONG64 uses = *(volatile ULONG64 *)(PVOID)&record->uses;
    return (uses & ~(MM_MDL_COUNT | MM_MDL_GIVEN)) == MM_MDL_KNOWN ? record : NULL;
}

static void count_uses(const MDL *first, ULONG64 change)
{
    for (const MDL *mdl = first; mdl != NULL; mdl = mdl->Next) {
        struct mm_mdl_record *record = record_before(mdl);
        if (record != NULL) {
            atomic_fetch_add_explicit(&record->uses, change, memory_order_relaxed);
        }
    }
}

void mm_mdl_hold(const MDL *first)
{
    count_uses(first, 1);
}

void mm_mdl_let_go(const MDL *first)
{
    count_uses(first, 0 - (ULONG64)1);
}

void mm_mdl_note_given(const MDL *mdl)
{
    struct mm_mdl_record *record = record_before(mdl);
    if (record != NULL &&
        (atomic_load_explicit(&record->uses, memory_order_relaxed) & MM_MDL_GIVEN) == 0) {
        atomic_fetch_or_explicit(&record->uses, MM_MDL_GIVEN, memory_order_relaxed);
    }
}

void mm_mdl_ask_for_rule(ULONG code, const char *(*rule_of_hold)(const MDL *mdl))
{
    mm_state()->code_of_hold = code;
    mm_state()->rule_of_hold = rule_of_hold;
}

/* The rule against freeing an MDL that is held. */
static const char *rule_against(const MDL *mdl)
{
    const struct mm_state *mm = mm_state();
    const char *rule = mm->rule_of_hold != NULL ? mm->rule_of_hold(mdl) : NULL;
    return rule != NULL ? rule : "WSK-BUF-09";
}

static void check_unused(PMDL mdl, const char *act)
{
    struct mm_mdl_record *record = verifier_is_on() ? record_before(mdl) : NULL;
    if (record == NULL) {
        return;
    }
    ULONG64 uses = atomic_load_explicit(&record->uses, memory_order_relaxed) & MM_MDL_COUNT;
    if (uses != 0) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, mm_state()->code_of_hold, (ULONG_PTR)mdl,
                     uses, 0, rule_against(mdl),
                     "The driver %s the MDL %p, allocated by %s, while %u requests that it gave to "
                     "WSK with it have not completed.",
                     act, (void *)mdl, base_stack_site(record->creator).text, (unsigned)uses);
    }
}

void mm_mdl_free(PMDL mdl, const void *freer)
{
    struct mm_state *mm = mm_state();
    mm_mdl_check(mdl);
    check_unused(mdl, "freed");
    base_mutex_lock(&mm->lock);
    struct mm_mdl_record **link = link_to(mm, mdl);
    struct mm_mdl_record *record = *link;
    atomic_store_explicit(&record->uses, 0, memory_order_relaxed);
    *link = record->next;
    RemoveEntryList(&record->link);
    mm->freed[mm->next_freed++ % MM_MDL_FREED] = (struct mm_mdl_freed){.mdl = mdl, .freer = freer};
    base_mutex_unlock(&mm->lock);
    verifier_note_freed(mdl, "MDL", record->creator, freer);
    verifier_object_unmade(mdl);
    free_record(record, freer);
}

void mm_mdl_fill(PMDL mdl, PVOID address, SIZE_T length)
{
    initialize(mdl, address, length);
    fill_pages(mdl);
}

/* Stops with bug check 0xC4 on an MDL in the wrong state. */
static void wrong_state(PMDL mdl, ULONG code, const char *rule, const char *sentence)
{
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, code, (ULONG_PTR)mdl,
                (ULONG_PTR)(USHORT)mdl->MdlFlags, 0, rule, "MDL %p (flags 0x%X): %s", (void *)mdl,
                (USHORT)mdl->MdlFlags, sentence);
}

/* Bytes of an MDL for that buffer. Any IRQL. (MDL-05) */
SIZE_T MmSizeOfMdl(PVOID Base, SIZE_T Length)
{
    return mdl_bytes(Base, Length);
}

/* Where the calling thread's stack begins, its highest address; 0 if nobody has asked yet. */
static BASE_THREAD_LOCAL ULONG_PTR stack_begin;

/* Whether the address lies in a frame of our callers'. Nearly all are told by the first look. */
static bool is_on_stack(const void *address)
{
    ULONG_PTR here = (ULONG_PTR)&address;
    ULONG_PTR end = 0;
    if (stack_begin < here) {
        IoGetStackLimits(&end, &stack_begin);
    }
    return (ULONG_PTR)address - here < stack_begin - here &&
           IoWithinStackLimits((ULONG_PTR)address, 1);
}

/* What an MDL of non-paged pool must not describe. */
static void check_buffer(PMDL mdl)
{
    const void *buffer = MmGetMdlVirtualAddress(mdl);
    if (ex_is_paged(buffer)) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x7F, ke_current()->irql, (ULONG_PTR)mdl,
                     (ULONG_PTR)(USHORT)mdl->MdlFlags, "MDL-22",
                     "The driver called MmBuildMdlForNonPagedPool for the buffer %p, which lies in "
                     "paged pool. Such a buffer is locked with MmProbeAndLockPages.",
                     buffer);
    }
    if (is_on_stack(buffer)) {
        ke_warning("MDL-23",
                   "the driver called MmBuildMdlForNonPagedPool for the buffer %p, which lies on "
                   "its stack; such a buffer is locked with MmProbeAndLockPages",
                   buffer);
    }
}

/* Makes an MDL of resident memory complete; it counts as mapped. IRQL <= DISPATCH. (MDL-21) */
VOID MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList)
{
    PMDL mdl = MemoryDescriptorList;
    ke_current();
    if ((mdl->MdlFlags & MDL_PAGES_LOCKED) != 0) {
        wrong_state(mdl, 0xB0, "MDL-30",
                    "The driver called MmBuildMdlForNonPagedPool on an MDL that is locked.");
    }
    if (verifier_is_on()) {
        check_buffer(mdl);
    }
    fill_pages(mdl);
    mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
    mdl->MappedSystemVa = MmGetMdlVirtualAddress(mdl);
}

/* What is locked already, or needs no lock. */
static void check_not_resident(PMDL mdl)
{
    if ((mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL) != 0) {
        wrong_state(mdl, 0xB0, "MDL-24",
                    "The driver locked an MDL that was built from non-paged pool.");
    }
    if ((mdl->MdlFlags & MDL_PARTIAL) != 0) {
        wrong_state(mdl, 0xB0, "MDL-32", "The driver locked a partial MDL.");
    }
    if ((mdl->MdlFlags & MDL_PAGES_LOCKED) != 0) {
        wrong_state(mdl, 0xB0, "MDL-30", "The driver locked an MDL that is locked.");
    }
}

static void check_lockable(PMDL mdl)
{
    if (ke_current()->irql > APC_LEVEL && ex_is_paged(MmGetMdlVirtualAddress(mdl))) {
        ke_violation(DRIVER_IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)MmGetMdlVirtualAddress(mdl),
                     ke_current()->irql, 0, 0, "MDL-33",
                     "The driver called MmProbeAndLockPages at IRQL %u for paged pool; the highest "
                     "level allowed is APC_LEVEL.",
                     ke_current()->irql);
    }
    if (!seh_is_protected()) {
        ke_warning("MDL-28",
                   "the driver called MmProbeAndLockPages for the MDL %p outside a try "
                   "statement with a handler",
                   (void *)mdl);
    }
    if (ke_current()->irql > DISPATCH_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x70, ke_current()->irql, (ULONG_PTR)mdl, 0,
                    "MDL-33", "The driver called MmProbeAndLockPages at IRQL %u.",
                    ke_current()->irql);
    }
    check_not_resident(mdl);
}

/*
 * Locks the pages of an MDL for the operation, or raises STATUS_ACCESS_VIOLATION with nothing
 * locked. IRQL <= APC_LEVEL for pageable memory, else <= DISPATCH_LEVEL. (MDL-26, MDL-27)
 */
VOID MmProbeAndLockPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
                         LOCK_OPERATION Operation)
{
    PMDL mdl = MemoryDescriptorList;
    check_lockable(mdl);
    if (AccessMode == UserMode) {
        mm_probe_user(MmGetMdlVirtualAddress(mdl), mdl->ByteCount);
    }
    mm_probe(MmGetMdlVirtualAddress(mdl), mdl->ByteCount, Operation != IoReadAccess);
    if (ex_is_paged(MmGetMdlVirtualAddress(mdl))) {
        ex_paged_lock(MmGetMdlVirtualAddress(mdl));
    }
    fill_pages(mdl);
    mdl->MdlFlags |= MDL_PAGES_LOCKED;
    if (Operation != IoReadAccess) {
        mdl->MdlFlags |= MDL_WRITE_OPERATION;
    }
}

/* As MmProbeAndLockPages: there is one process. */
VOID MmProbeAndLockProcessPages(PMDL MemoryDescriptorList, PEPROCESS Process,
                                KPROCESSOR_MODE AccessMode, LOCK_OPERATION Operation)
{
    UNREFERENCED_PARAMETER(Process);
    MmProbeAndLockPages(MemoryDescriptorList, AccessMode, Operation);
}

/* Unmaps and unlocks. IRQL <= DISPATCH_LEVEL. (MDL-34, MDL-35) */
VOID MmUnlockPages(PMDL MemoryDescriptorList)
{
    PMDL mdl = MemoryDescriptorList;
    ke_current();
    if ((mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL) != 0) {
        wrong_state(mdl, 0x7D, "MDL-32",
                    "The driver unlocked an MDL that was built from non-paged pool.");
    }
    if ((mdl->MdlFlags & MDL_PARTIAL) != 0) {
        wrong_state(mdl, 0xB4, "MDL-35", "The driver unlocked a partial MDL.");
    }
    if ((mdl->MdlFlags & MDL_PAGES_LOCKED) == 0) {
        wrong_state(mdl, 0x7C, "MDL-35", "The driver unlocked an MDL that is not locked.");
    }
    check_unused(mdl, "unlocked");
    if (ex_is_paged(MmGetMdlVirtualAddress(mdl))) {
        ex_paged_unlock(MmGetMdlVirtualAddress(mdl));
    }
    mdl->MdlFlags &= (CSHORT) ~(MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA | MDL_WRITE_OPERATION);
    mdl->MappedSystemVa = NULL;
}

/*
 * Maps the pages of an MDL: into system space, where the address is the buffer's own. NULL is
 * never returned. IRQL <= DISPATCH_LEVEL. (MDL-37, MDL-45)
 */
PVOID MmMapLockedPagesSpecifyCache(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
                                   MEMORY_CACHING_TYPE CacheType, PVOID RequestedAddress,
                                   ULONG BugCheckOnFailure, ULONG Priority)
{
    PMDL mdl = MemoryDescriptorList;
    UNREFERENCED_PARAMETER(CacheType);
    UNREFERENCED_PARAMETER(RequestedAddress);
    UNREFERENCED_PARAMETER(Priority);
    ke_current();
    if (AccessMode == UserMode) {
        return MmGetMdlVirtualAddress(mdl);
    }
    if (BugCheckOnFailure) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x82, (ULONG_PTR)mdl,
                     (ULONG_PTR)(USHORT)mdl->MdlFlags, 0, "MDL-46",
                     "The driver mapped the MDL %p with BugCheckOnFailure TRUE. Ask for FALSE and "
                     "look whether NULL came.",
                     (void *)mdl);
    }
    if ((mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)) != 0) {
        wrong_state(mdl, 0xB2, "MDL-47", "The driver mapped an MDL that is mapped already.");
    }
    if ((mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_PARTIAL)) == 0) {
        wrong_state(mdl, 0xB3, "MDL-39", "The driver mapped an MDL whose pages are not locked.");
    }
    mdl->MappedSystemVa = MmGetMdlVirtualAddress(mdl);
    mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    if ((mdl->MdlFlags & MDL_PARTIAL) != 0) {
        mdl->MdlFlags |= MDL_PARTIAL_HAS_BEEN_MAPPED;
    }
    return mdl->MappedSystemVa;
}

/* As MmMapLockedPagesSpecifyCache, cached. */
PVOID MmMapLockedPages(PMDL MemoryDescriptorList, KPROCESSOR_MODE AccessMode)
{
    PMDL mdl = MemoryDescriptorList;
    ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x81, (ULONG_PTR)mdl,
                 (ULONG_PTR)(USHORT)mdl->MdlFlags, 0, "MDL-46",
                 "The driver called MmMapLockedPages for the MDL %p, which stops the system when "
                 "it fails. Use MmGetSystemAddressForMdlSafe.",
                 (void *)mdl);
    return MmMapLockedPagesSpecifyCache(mdl, AccessMode, MmCached, NULL, FALSE, HighPagePriority);
}

/* Ends a mapping. IRQL <= DISPATCH_LEVEL. (MDL-48) */
VOID MmUnmapLockedPages(PVOID BaseAddress, PMDL MemoryDescriptorList)
{
    PMDL mdl = MemoryDescriptorList;
    ke_current();
    if ((mdl->MdlFlags & (MDL_PARTIAL | MDL_PARTIAL_HAS_BEEN_MAPPED)) == MDL_PARTIAL) {
        wrong_state(mdl, 0xB5, "MDL-48", "The driver unmapped a partial MDL.");
    }
    if ((mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) == 0) {
        if (BaseAddress == MmGetMdlVirtualAddress(mdl)) {
            return; /* a user mapping */
        }
        wrong_state(mdl, 0xB6, "MDL-48", "The driver unmapped an MDL that is not mapped.");
    }
    mdl->MdlFlags &= (CSHORT) ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
    mdl->MappedSystemVa = NULL;
}

/* Moves the start of an MDL by NumberOfBytes. STATUS_INVALID_PARAMETER_2 past its end. (MDL-54) */
NTSTATUS MmAdvanceMdl(PMDL Mdl, ULONG NumberOfBytes)
{
    if (NumberOfBytes >= Mdl->ByteCount) {
        return STATUS_INVALID_PARAMETER_2;
    }
    UCHAR *address = (UCHAR *)MmGetMdlVirtualAddress(Mdl) + NumberOfBytes;
    Mdl->StartVa = PAGE_ALIGN(address);
    Mdl->ByteOffset = BYTE_OFFSET(address);
    Mdl->ByteCount -= NumberOfBytes;
    if (Mdl->MappedSystemVa != NULL) {
        Mdl->MappedSystemVa = address;
    }
    fill_pages(Mdl);
    return STATUS_SUCCESS;
}

/* For reports. */
static bool find(void *context, const void *address, struct verifier_description *description)
{
    struct mm_state *mm = context;
    bool is_found = false;
    if (!verifier_lock(&mm->lock)) {
        return false;
    }
    for (LIST_ENTRY *entry = mm->mdls.Flink; entry != &mm->mdls && !is_found;
         entry = entry->Flink) {
        struct mm_mdl_record *record = CONTAINING_RECORD(entry, struct mm_mdl_record, link);
        const MDL *mdl = (const MDL *)(const void *)(record + 1);
        is_found = mdl == address;
        if (is_found) {
            description->kind = "MDL";
            description->start = mdl;
            description->creator = record->creator;
            snprintf(description->note, sizeof(description->note), "%u bytes at %p, flags 0x%X",
                     (unsigned)mdl->ByteCount, MmGetMdlVirtualAddress(mdl), (USHORT)mdl->MdlFlags);
        }
    }
    base_mutex_unlock(&mm->lock);
    return is_found;
}

static NTSTATUS start(void *state)
{
    struct mm_state *mm = state;
    base_mutex_init(&mm->lock);
    InitializeListHead(&mm->mdls);
    InitializeListHead(&mm->pages);
    verifier_finder_add(find, NULL, mm);
    return STATUS_SUCCESS;
}

/* Of an MDL that was left: it was neither unlocked nor freed, or only the latter. */
static const char *rule_of_left(const struct mm_mdl_record *record)
{
    const MDL *mdl = (const MDL *)(const void *)(record + 1);
    if ((mdl->MdlFlags & MDL_PAGES_LOCKED) != 0) {
        return "MDL-36";
    }
    return (atomic_load(&record->uses) & MM_MDL_GIVEN) != 0 ? "WSK-BUF-12" : "MDL-12";
}

unsigned mm_mdls_report_driver(const struct ke_code *code)
{
    struct mm_state *mm = mm_state();
    unsigned left = 0;
    base_mutex_lock(&mm->lock);
    for (LIST_ENTRY *entry = mm->mdls.Flink; entry != &mm->mdls; entry = entry->Flink) {
        const struct mm_mdl_record *record = CONTAINING_RECORD(entry, struct mm_mdl_record, link);
        left +=
            ke_code_warn_of_left(code, rule_of_left(record), "MDL", record + 1, record->creator);
    }
    base_mutex_unlock(&mm->lock);
    return left;
}

static unsigned report(void *state)
{
    struct mm_state *mm = state;
    unsigned left = 0;
    for (LIST_ENTRY *entry = mm->mdls.Flink; entry != &mm->mdls; entry = entry->Flink) {
        struct mm_mdl_record *record = CONTAINING_RECORD(entry, struct mm_mdl_record, link);
        PMDL mdl = (PMDL)(PVOID)(record + 1);
        verifier_rule_speak(rule_of_left(record));
        base_log("left: MDL %p of %u bytes%s, allocated by %s\n", (void *)mdl, mdl->ByteCount,
                 (mdl->MdlFlags & MDL_PAGES_LOCKED) != 0 ? " whose pages are locked" : "",
                 base_stack_site(record->creator).text);
        ke_left_note(record->creator);
        left++;
    }
    return left;
}

static void stop(void *state)
{
    struct mm_state *mm = state;
    while (!IsListEmpty(&mm->mdls)) {
        LIST_ENTRY *entry = RemoveHeadList(&mm->mdls);
        free_record(CONTAINING_RECORD(entry, struct mm_mdl_record, link), NULL);
    }
    mm_pages_stop(mm);
    base_mutex_destroy(&mm->lock);
}

const struct ke_module mm_module = {
    .name = "MDLs",
    .state_bytes = sizeof(struct mm_state),
    .start = start,
    .report = report,
    .stop = stop,
};
