/* The memory manager's state: MDLs and pages that were allocated. */
#ifndef MM_MM_H
#define MM_MM_H

#include <wdm.h>

#include "base/mutex.h"
#include "ex/guarded.h"
#include "ke/code.h"
#include "ke/kernel.h"

#include <stdatomic.h>

#define MM_MDL_BUCKETS 256
#define MM_MDL_FREED 64 /* frees that are remembered */

/* The largest address that a process may use, plus one. */
#define MM_USER_END 0x7FFFFFFF0000ULL

/* Stands before every MDL that was allocated. */
struct mm_mdl_record {
    LIST_ENTRY link;            /* in mm_state.mdls; guarded by its lock, as next */
    struct mm_mdl_record *next; /* in its bucket */
    const void *creator;
    struct ex_guarded *guarded; /* its pages at level full, else NULL */
    _Atomic(ULONG64) uses;      /* MM_MDL_KNOWN, MM_MDL_GIVEN, how many requests use it */
};

/* In the high bits of uses while there is a record. */
#define MM_MDL_KNOWN 0x6D646C5F72656300ULL
#define MM_MDL_GIVEN 0x80ULL /* a driver passed it to WSK */
#define MM_MDL_COUNT 0x7FULL

C_ASSERT(sizeof(struct mm_mdl_record) % MEMORY_ALLOCATION_ALIGNMENT == 0);

/* An MDL that was freed, remembered to tell a second free from a wild one. */
struct mm_mdl_freed {
    const void *mdl;
    const void *freer;
};

/* Of the pages that MmAllocatePagesForMdl gives: "MMPg". */
#define MM_PAGES_TAG 0x67504D4Du

struct mm_state {
    struct base_mutex lock; /* guards all below */
    struct mm_mdl_record *bucket[MM_MDL_BUCKETS];
    struct mm_mdl_freed freed[MM_MDL_FREED];
    unsigned next_freed;
    LIST_ENTRY mdls;
    LIST_ENTRY pages;                            /* of MmAllocatePagesForMdl; see pages.c */
    ULONG code_of_hold;                          /* see mm_mdl_ask_for_rule */
    const char *(*rule_of_hold)(const MDL *mdl); /* see mm_mdl_ask_for_rule; or NULL */
};

extern const struct ke_module mm_module;

static inline struct mm_state *mm_state(void)
{
    return ke_state(KE_MODULE_MM);
}

/* Warns of each MDL that code of the driver allocated and that is still there. (MDL-12) */
unsigned mm_mdls_report_driver(const struct ke_code *code);

/* A new MDL for the buffer, recorded with who asked for it; NULL when memory is short. */
PMDL mm_mdl_allocate(PVOID address, SIZE_T length, const void *creator);
void mm_mdl_free(PMDL mdl, const void *freer);

/* Bug checks unless mm_mdl_allocate gave the MDL and it was not freed since. */
void mm_mdl_check(PMDL mdl);

/* Writes an MDL for the buffer, of MmSizeOfMdl bytes, with its pages. */
void mm_mdl_fill(PMDL mdl, PVOID address, SIZE_T length);

/*
 * A request that WSK has not completed uses the MDLs of the chain, and does not any more: a driver
 * that frees or unlocks one meanwhile is stopped. MDLs in memory of the driver's own are not known.
 */
void mm_mdl_hold(const MDL *first);
void mm_mdl_let_go(const MDL *first);

/* The driver passes the MDL to WSK. */
void mm_mdl_note_given(const MDL *mdl);

/* Asks whoever holds MDLs which rule a driver breaks that frees or unlocks one; it may say NULL.
 * code: the first parameter of bug check 0xC4 then. */
void mm_mdl_ask_for_rule(ULONG code, const char *(*rule_of_hold)(const MDL *mdl));

/* Touches the pages as the operation would; raises STATUS_ACCESS_VIOLATION. */
void mm_probe(PVOID address, SIZE_T length, BOOLEAN for_write);

/* Raises STATUS_ACCESS_VIOLATION for a range that is not a process's: pool, or beyond its end. */
void mm_probe_user(const volatile void *address, SIZE_T length);

/* Forgets the pages of MmAllocatePagesForMdl. The pool reports and frees those that are left. */
void mm_pages_stop(struct mm_state *mm);

#endif
