/* Which memory is pageable: the blocks of paged pool, found by any address in them. See paged.c. */
#ifndef EX_PAGED_H
#define EX_PAGED_H

#include <wdm.h>

#include "base/mutex.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define EX_PAGED_BUCKETS 1024

struct ex_paged_block;

struct ex_paged {
    struct base_mutex lock;                          /* guards all below */
    struct ex_paged_block *bucket[EX_PAGED_BUCKETS]; /* by page: those that lie in one page */
    struct ex_paged_block *large;                    /* all others */
    struct ex_paged_block *present;                  /* those that may be paged out */
};

/* How many blocks there are: most drivers have none, and then nobody looks further. */
extern atomic_size_t ex_paged_count;

/* How many may be paged out, and how many are. */
extern atomic_size_t ex_paged_present;
extern atomic_size_t ex_paged_out;

void ex_paged_start(struct ex_paged *paged);
void ex_paged_stop(struct ex_paged *paged);

/* A block comes and goes. has_pages: the pages that it lies in are its alone, but for its header.
 */
void ex_paged_add(const void *start, size_t bytes, bool has_pages);
void ex_paged_remove(const void *start, size_t bytes);

bool ex_paged_search(const void *address);

/* Whether the address lies in a block of paged pool. */
static inline bool ex_is_paged(const void *address)
{
    return atomic_load_explicit(&ex_paged_count, memory_order_relaxed) != 0 &&
           ex_paged_search(address);
}

/* ---- paging, at level full ---- */

void ex_paged_page_out(void);

/* A thread has raised its IRQL to DISPATCH_LEVEL: from now on no paged block is there. */
static inline void ex_paged_raised(void)
{
    if (atomic_load_explicit(&ex_paged_present, memory_order_relaxed) != 0) {
        ex_paged_page_out();
    }
}

void ex_paged_expect_faults(void);

/* Driver code runs, and may touch what is out: faults have to come to us. */
static inline void ex_paged_routine_begins(void)
{
    if (atomic_load_explicit(&ex_paged_out, memory_order_relaxed) != 0) {
        ex_paged_expect_faults();
    }
}

/* The block in which the address lies stays where it is from lock to unlock; both nest. */
void ex_paged_lock(const void *address);
void ex_paged_unlock(const void *address);

/* What a fault at an address is. */
enum ex_paged_fault {
    EX_PAGED_ELSEWHERE, /* none of these blocks */
    EX_PAGED_BACK,      /* the block is there again */
    EX_PAGED_TOO_HIGH   /* it would be, but one must not touch it at that level */
};

/* Called where a fault came, on any thread. */
enum ex_paged_fault ex_paged_fault(ULONG_PTR address, bool is_too_high);

#endif
