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
};

/* How many blocks there are: most drivers have none, and then nobody looks further. */
extern atomic_size_t ex_paged_count;

void ex_paged_start(struct ex_paged *paged);
void ex_paged_stop(struct ex_paged *paged);

void ex_paged_add(const void *start, size_t bytes);
void ex_paged_remove(const void *start, size_t bytes);

bool ex_paged_search(const void *address);

/* Whether the address lies in a block of paged pool. */
static inline bool ex_is_paged(const void *address)
{
    return atomic_load_explicit(&ex_paged_count, memory_order_relaxed) != 0 &&
           ex_paged_search(address);
}

#endif
