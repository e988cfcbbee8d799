/*
 * Pages of their own, described by an MDL. Both are pool, so that the pool's report says who leaked
 * them; the list here knows which MDL has which pages.
 */
#include "ex/pool.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "mm/mm.h"

#include <stdlib.h>
#include <string.h>

#define TAG_MDL 0x6C644D4Du /* "MMdl" */
#define BYTES_MAX (0xFFFFFFFFULL - PAGE_SIZE + 1)

/* Pages that an MDL holds. */
struct mm_pages {
    LIST_ENTRY link; /* in mm_state.pages; guarded by its lock */
    PMDL mdl;
    void *memory;
};

static void insert(struct mm_pages *pages)
{
    struct mm_state *mm = mm_state();
    base_mutex_lock(&mm->lock);
    InsertTailList(&mm->pages, &pages->link);
    base_mutex_unlock(&mm->lock);
}

/* Takes the record of an MDL off the list; NULL if there is none. */
static struct mm_pages *take(PMDL mdl)
{
    struct mm_state *mm = mm_state();
    struct mm_pages *found = NULL;
    base_mutex_lock(&mm->lock);
    for (LIST_ENTRY *entry = mm->pages.Flink; entry != &mm->pages && found == NULL;
         entry = entry->Flink) {
        struct mm_pages *pages = CONTAINING_RECORD(entry, struct mm_pages, link);
        if (pages->mdl == mdl) {
            RemoveEntryList(entry);
            found = pages;
        }
    }
    base_mutex_unlock(&mm->lock);
    return found;
}

/* How many of the bytes, in whole pages, lie at physical addresses from low to high. */
static SIZE_T within(SIZE_T wished, PHYSICAL_ADDRESS low, PHYSICAL_ADDRESS high)
{
    ULONG64 first_page = ((ULONG64)low.QuadPart + PAGE_SIZE - 1) / PAGE_SIZE;
    ULONG64 end_page = ((ULONG64)high.QuadPart / PAGE_SIZE) +
                       ((ULONG64)high.QuadPart % PAGE_SIZE == PAGE_SIZE - 1 ? 1 : 0);
    ULONG64 pages = end_page > first_page ? end_page - first_page : 0;
    return (SIZE_T)min(pages, BYTES_TO_PAGES(wished)) * PAGE_SIZE;
}

/* bytes: as many of them as can be had, in whole pages. */
static PMDL allocate(SIZE_T total_bytes, SIZE_T bytes, ULONG flags, const void *creator)
{
    if (total_bytes == 0 || total_bytes > BYTES_MAX || bytes == 0) {
        return NULL;
    }
    if (bytes < total_bytes && (flags & MM_ALLOCATE_FULLY_REQUIRED) != 0) {
        return NULL;
    }
    struct mm_pages *pages = calloc(1, sizeof(*pages));
    PMDL mdl = ex_pool_allocate(NonPagedPoolNx, MmSizeOfMdl(NULL, bytes), TAG_MDL, creator);
    void *memory = ex_pool_allocate(NonPagedPoolNx, bytes, MM_PAGES_TAG, creator);
    if (pages == NULL || mdl == NULL || memory == NULL) {
        free(pages);
        if (mdl != NULL) {
            ex_pool_free(mdl, TAG_MDL, creator);
        }
        if (memory != NULL) {
            ex_pool_free(memory, MM_PAGES_TAG, creator);
        }
        return NULL;
    }
    if ((flags & MM_DONT_ZERO_ALLOCATION) == 0) {
        memset(memory, 0, bytes);
    }
    mm_mdl_fill(mdl, memory, bytes);
    mdl->MdlFlags = MDL_PAGES_LOCKED;
    pages->mdl = mdl;
    pages->memory = memory;
    insert(pages);
    return mdl;
}

/*
 * An MDL with zeroed pages of its own; NULL when memory is short. Its pages hold TotalBytes, or as
 * many as there are physical addresses from LowAddress to HighAddress; where they really lie is not
 * bound by that. SkipBytes is ignored. Freed with MmFreePagesFromMdl and then
 * ExFreePool. IRQL <= DISPATCH_LEVEL. (MDL-55)
 */
PMDL MmAllocatePagesForMdl(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
                           PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes)
{
    UNREFERENCED_PARAMETER(SkipBytes);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return allocate(TotalBytes, within(TotalBytes, LowAddress, HighAddress), 0, _ReturnAddress());
}

/* As MmAllocatePagesForMdl; of the flags, MM_DONT_ZERO_ALLOCATION and MM_ALLOCATE_FULLY_REQUIRED
 * (all or NULL) matter. */
PMDL MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress, PHYSICAL_ADDRESS HighAddress,
                             PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes,
                             MEMORY_CACHING_TYPE CacheType, ULONG Flags)
{
    UNREFERENCED_PARAMETER(SkipBytes);
    UNREFERENCED_PARAMETER(CacheType);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return allocate(TotalBytes, within(TotalBytes, LowAddress, HighAddress), Flags,
                    _ReturnAddress());
}

/* Unmaps and frees the pages of such an MDL; the MDL itself is left to ExFreePool. IRQL <=
 * DISPATCH_LEVEL. (MDL-44, MDL-55) */
VOID MmFreePagesFromMdl(PMDL MemoryDescriptorList)
{
    PMDL mdl = MemoryDescriptorList;
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    struct mm_pages *pages = take(mdl);
    if (pages == NULL) {
        ke_bugcheck(BAD_POOL_CALLER, 0x46, (ULONG_PTR)mdl, 0, 0, "MDL-55",
                    "The driver called MmFreePagesFromMdl for the MDL %p, which holds no pages of "
                    "MmAllocatePagesForMdl.",
                    (void *)mdl);
    }
    mdl->MdlFlags &= (CSHORT) ~(MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA);
    mdl->MappedSystemVa = NULL;
    ex_pool_free(pages->memory, MM_PAGES_TAG, _ReturnAddress());
    free(pages);
}

void mm_pages_stop(struct mm_state *mm)
{
    while (!IsListEmpty(&mm->pages)) {
        free(CONTAINING_RECORD(RemoveHeadList(&mm->pages), struct mm_pages, link));
    }
}
