/*
 * Memory descriptor lists.
 *
 * Everything lives in one address space, so a mapping is the buffer's own address, and a page's
 * frame number is its address divided by the page size. What is kept exact is the life of an MDL:
 * its flags say whether its pages are locked, built from non-paged pool, mapped or partial, and
 * every function checks that it is given an MDL in a state in which Windows would take it.
 */
#include "mm/mm.h"

#include "base/log.h"
#include "base/stack.h"
#include "ke/bugcheck.h"

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

PMDL mm_mdl_allocate(PVOID address, SIZE_T length, const void *creator)
{
    struct mm_state *mm = mm_state();
    if (length > MDL_LENGTH_MAX) {
        return NULL;
    }
    struct mm_mdl_record *record = malloc(sizeof(*record) + mdl_bytes(address, length));
    if (record == NULL) {
        return NULL;
    }
    record->creator = creator;
    record->magic = MM_MDL_RECORD_MAGIC;
    PMDL mdl = (PMDL)(PVOID)(record + 1);
    initialize(mdl, address, length);
    base_mutex_lock(&mm->lock);
    InsertTailList(&mm->mdls, &record->link);
    base_mutex_unlock(&mm->lock);
    return mdl;
}

static void check_record(const struct mm_mdl_record *record, PMDL mdl)
{
    if (record->magic != MM_MDL_RECORD_MAGIC) {
        ke_bugcheck(BAD_POOL_CALLER, 0x46, (ULONG_PTR)mdl, 0, 0, "MDL-11",
                    "The driver freed the MDL %p, which IoAllocateMdl did not return, or which it "
                    "freed before.",
                    (void *)mdl);
    }
}

void mm_mdl_free(PMDL mdl)
{
    struct mm_state *mm = mm_state();
    struct mm_mdl_record *record = (struct mm_mdl_record *)(PVOID)mdl - 1;
    check_record(record, mdl);
    base_mutex_lock(&mm->lock);
    RemoveEntryList(&record->link);
    base_mutex_unlock(&mm->lock);
    record->magic = 0;
    free(record);
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

/* Makes an MDL of resident memory complete; it counts as mapped. IRQL <= DISPATCH. (MDL-21) */
VOID MmBuildMdlForNonPagedPool(PMDL MemoryDescriptorList)
{
    PMDL mdl = MemoryDescriptorList;
    ke_current();
    if ((mdl->MdlFlags & MDL_PAGES_LOCKED) != 0) {
        wrong_state(mdl, 0xB0, "MDL-24",
                    "The driver called MmBuildMdlForNonPagedPool on an MDL that is locked.");
    }
    fill_pages(mdl);
    mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
    mdl->MappedSystemVa = MmGetMdlVirtualAddress(mdl);
}

static void check_lockable(PMDL mdl)
{
    if (ke_current()->irql > DISPATCH_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x70, ke_current()->irql, (ULONG_PTR)mdl, 0,
                    "MDL-33", "The driver called MmProbeAndLockPages at IRQL %u.",
                    ke_current()->irql);
    }
    if ((mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL)) != 0) {
        wrong_state(mdl, 0xB0, "MDL-30",
                    "The driver locked an MDL that is locked, built from non-paged pool, or "
                    "partial.");
    }
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
    UNREFERENCED_PARAMETER(BugCheckOnFailure);
    UNREFERENCED_PARAMETER(Priority);
    ke_current();
    if (AccessMode == UserMode) {
        return MmGetMdlVirtualAddress(mdl);
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
    return MmMapLockedPagesSpecifyCache(MemoryDescriptorList, AccessMode, MmCached, NULL, TRUE,
                                        HighPagePriority);
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

static NTSTATUS start(void *state)
{
    struct mm_state *mm = state;
    base_mutex_init(&mm->lock);
    InitializeListHead(&mm->mdls);
    InitializeListHead(&mm->pages);
    return STATUS_SUCCESS;
}

static unsigned report(void *state)
{
    struct mm_state *mm = state;
    unsigned left = 0;
    for (LIST_ENTRY *entry = mm->mdls.Flink; entry != &mm->mdls; entry = entry->Flink) {
        struct mm_mdl_record *record = CONTAINING_RECORD(entry, struct mm_mdl_record, link);
        PMDL mdl = (PMDL)(PVOID)(record + 1);
        base_log("left: MDL %p of %u bytes, allocated by %s\n", (void *)mdl, mdl->ByteCount,
                 base_stack_site(record->creator).text);
        left++;
    }
    return left;
}

static void stop(void *state)
{
    struct mm_state *mm = state;
    while (!IsListEmpty(&mm->mdls)) {
        free(CONTAINING_RECORD(RemoveHeadList(&mm->mdls), struct mm_mdl_record, link));
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
