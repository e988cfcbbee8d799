/* The memory manager's state: MDLs and pages that were allocated. */
#ifndef MM_MM_H
#define MM_MM_H

#include <wdm.h>

#include "base/mutex.h"
#include "ke/kernel.h"

#define MM_MDL_RECORD_MAGIC 0x4C444D52454B5357ULL

/* The largest address that a process may use, plus one. */
#define MM_USER_END 0x7FFFFFFF0000ULL

/* Stands before every MDL that was allocated. */
struct mm_mdl_record {
    LIST_ENTRY link; /* in mm_state.mdls; guarded by its lock */
    const void *creator;
    ULONG64 magic;
};

struct mm_state {
    struct base_mutex lock; /* guards the lists */
    LIST_ENTRY mdls;
    LIST_ENTRY pages; /* of MmAllocatePagesForMdl; see pages.c */
};

extern const struct ke_module mm_module;

static inline struct mm_state *mm_state(void)
{
    return ke_state(KE_MODULE_MM);
}

/* A new MDL for the buffer, recorded with who asked for it; NULL when memory is short. */
PMDL mm_mdl_allocate(PVOID address, SIZE_T length, const void *creator);
void mm_mdl_free(PMDL mdl);

/* Writes an MDL for the buffer, of MmSizeOfMdl bytes, with its pages. */
void mm_mdl_fill(PMDL mdl, PVOID address, SIZE_T length);

/* Touches the pages as the operation would; raises STATUS_ACCESS_VIOLATION. */
void mm_probe(PVOID address, SIZE_T length, BOOLEAN for_write);

/* Raises STATUS_ACCESS_VIOLATION for a range that is not a process's: pool, or beyond its end. */
void mm_probe_user(const volatile void *address, SIZE_T length);

/* Forgets the pages of MmAllocatePagesForMdl. The pool reports and frees those that are left. */
void mm_pages_stop(struct mm_state *mm);

#endif
