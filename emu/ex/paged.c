/*
 * Paged pool, by address. A block of less than a page never crosses a page's end, so that it stands
 * in one bucket, that of its page; the few larger ones stand in a list. A block for which the host
 * has no memory is left out: it is then taken for resident.
 *
 * At level full blocks have pages of their own (guarded.c), and are paged out as Driver Verifier
 * does it (DV-27): when a thread raises its IRQL to DISPATCH_LEVEL, the pages of all of them are
 * forbidden. The next access faults. Below DISPATCH_LEVEL the block is then let in again, and
 * nobody notices; above, the fault is the driver's mistake (POOL-29).
 * - A block is in the list of those present while its pages are allowed and no MDL has locked it.
 * - A block that is let in by one thread is there for all, so that another one that touches it at
 *   DISPATCH_LEVEL in that moment is not caught. Nobody is ever caught wrongly.
 * - What stands before a block in its page is its header, the emulator's own: it is let in at any
 *   level.
 * - The lock is never held where a paged block is touched, so that a fault can take it anywhere.
 */
#include "ex/paged.h"

#include "base/pages.h"
#include "ex/executive.h"
#include "rtl/exception.h"

#include <stdlib.h>

struct ex_paged_block {
    struct ex_paged_block *next;
    ULONG_PTR start;
    size_t bytes;
    void *pages; /* its own, or NULL */
    size_t pages_bytes;
    unsigned locks;
    bool is_out;
    bool is_listed; /* among those present */
    struct ex_paged_block *next_present;
};

atomic_size_t ex_paged_count;
atomic_size_t ex_paged_present;
atomic_size_t ex_paged_out;

/* Of the kernel that was started last: faults come where no kernel may be asked for. */
static struct ex_paged *_Atomic last_started;

static struct ex_paged *paged_of_kernel(void)
{
    return &ex_state()->paged;
}

static struct ex_paged_block **list_for(struct ex_paged *paged, ULONG_PTR start, size_t bytes)
{
    if (bytes >= PAGE_SIZE) {
        return &paged->large;
    }
    return &paged->bucket[start / PAGE_SIZE % EX_PAGED_BUCKETS];
}

/* ---- in and out; the lock is held ---- */

static void list(struct ex_paged *paged, struct ex_paged_block *block)
{
    if (block->pages != NULL && block->locks == 0 && !block->is_listed) {
        block->is_listed = true;
        block->next_present = paged->present;
        paged->present = block;
        atomic_fetch_add_explicit(&ex_paged_present, 1, memory_order_relaxed);
    }
}

static void unlist(struct ex_paged *paged, struct ex_paged_block *block)
{
    if (!block->is_listed) {
        return;
    }
    struct ex_paged_block **link = &paged->present;
    while (*link != block) {
        link = &(*link)->next_present;
    }
    *link = block->next_present;
    block->is_listed = false;
    atomic_fetch_sub_explicit(&ex_paged_present, 1, memory_order_relaxed);
}

static void let_in(struct ex_paged *paged, struct ex_paged_block *block)
{
    if (block->is_out) {
        base_pages_allow(block->pages, block->pages_bytes);
        block->is_out = false;
        atomic_fetch_sub_explicit(&ex_paged_out, 1, memory_order_relaxed);
    }
    list(paged, block);
}

static void page_out_all(struct ex_paged *paged)
{
    while (paged->present != NULL) {
        struct ex_paged_block *block = paged->present;
        unlist(paged, block);
        block->is_out = base_pages_forbid(block->pages, block->pages_bytes);
        if (block->is_out) {
            atomic_fetch_add_explicit(&ex_paged_out, 1, memory_order_relaxed);
        }
    }
}

/* ---- the table ---- */

void ex_paged_add(const void *start, size_t bytes, bool has_pages)
{
    struct ex_paged *paged = paged_of_kernel();
    struct ex_paged_block *block = calloc(1, sizeof(*block));
    if (block == NULL) {
        return;
    }
    block->start = (ULONG_PTR)start;
    block->bytes = bytes;
    if (has_pages && bytes != 0) {
        block->pages = PAGE_ALIGN(start);
        block->pages_bytes = BYTES_TO_PAGES(BYTE_OFFSET(start) + bytes) * PAGE_SIZE;
    }
    struct ex_paged_block **blocks = list_for(paged, block->start, bytes);
    base_mutex_lock(&paged->lock);
    block->next = *blocks;
    *blocks = block;
    list(paged, block);
    base_mutex_unlock(&paged->lock);
    atomic_fetch_add_explicit(&ex_paged_count, 1, memory_order_relaxed);
}

void ex_paged_remove(const void *start, size_t bytes)
{
    struct ex_paged *paged = paged_of_kernel();
    struct ex_paged_block **link = list_for(paged, (ULONG_PTR)start, bytes);
    base_mutex_lock(&paged->lock);
    while (*link != NULL && (*link)->start != (ULONG_PTR)start) {
        link = &(*link)->next;
    }
    struct ex_paged_block *block = *link;
    if (block != NULL) {
        *link = block->next;
        let_in(paged, block);
        unlist(paged, block);
    }
    base_mutex_unlock(&paged->lock);
    if (block != NULL) {
        atomic_fetch_sub_explicit(&ex_paged_count, 1, memory_order_relaxed);
        free(block);
    }
}

static struct ex_paged_block *find_among(struct ex_paged_block *block, ULONG_PTR address)
{
    while (block != NULL && address - block->start >= block->bytes) {
        block = block->next;
    }
    return block;
}

/* The block in which the address lies, or NULL. The lock is held. */
static struct ex_paged_block *find(struct ex_paged *paged, ULONG_PTR address)
{
    struct ex_paged_block *block = find_among(*list_for(paged, address, 1), address);
    return block != NULL ? block : find_among(paged->large, address);
}

bool ex_paged_search(const void *address)
{
    if (atomic_load(&ke_generation) == 0 || ke_current() == NULL) {
        return false; /* the run-time library also serves where no kernel runs */
    }
    struct ex_paged *paged = paged_of_kernel();
    base_mutex_lock(&paged->lock);
    bool is_found = find(paged, (ULONG_PTR)address) != NULL;
    base_mutex_unlock(&paged->lock);
    return is_found;
}

/* ---- paging ---- */

void ex_paged_page_out(void)
{
    struct ex_paged *paged = paged_of_kernel();
    seh_catch_faults(); /* somebody may have taken the host's signals since the last time */
    base_mutex_lock(&paged->lock);
    page_out_all(paged);
    base_mutex_unlock(&paged->lock);
}

void ex_paged_expect_faults(void)
{
    seh_catch_faults();
}

void ex_paged_lock(const void *address)
{
    struct ex_paged *paged = paged_of_kernel();
    base_mutex_lock(&paged->lock);
    struct ex_paged_block *block = find(paged, (ULONG_PTR)address);
    if (block != NULL) {
        let_in(paged, block);
        unlist(paged, block);
        block->locks++;
    }
    base_mutex_unlock(&paged->lock);
}

void ex_paged_unlock(const void *address)
{
    struct ex_paged *paged = paged_of_kernel();
    base_mutex_lock(&paged->lock);
    struct ex_paged_block *block = find(paged, (ULONG_PTR)address);
    if (block != NULL && block->locks != 0) {
        block->locks--;
        list(paged, block);
    }
    base_mutex_unlock(&paged->lock);
}

static struct ex_paged_block *find_by_pages(struct ex_paged_block *block, ULONG_PTR address)
{
    while (block != NULL && address - (ULONG_PTR)block->pages >= block->pages_bytes) {
        block = block->next;
    }
    return block;
}

/* The same by any address in the pages of a block: the header of a small one lies there, too. */
static struct ex_paged_block *find_faulted(struct ex_paged *paged, ULONG_PTR address)
{
    struct ex_paged_block *block = find_by_pages(*list_for(paged, address, 1), address);
    return block != NULL ? block : find_by_pages(paged->large, address);
}

enum ex_paged_fault ex_paged_fault(ULONG_PTR address, bool is_too_high)
{
    struct ex_paged *paged = atomic_load(&last_started);
    if (paged == NULL || atomic_load(&ex_paged_count) == 0) {
        return EX_PAGED_ELSEWHERE;
    }
    enum ex_paged_fault result = EX_PAGED_ELSEWHERE;
    base_mutex_lock(&paged->lock);
    struct ex_paged_block *block = find_faulted(paged, address);
    if (block != NULL) {
        result = is_too_high && address >= block->start ? EX_PAGED_TOO_HIGH : EX_PAGED_BACK;
        let_in(paged, block); /* the report of it reads the header, too */
    }
    base_mutex_unlock(&paged->lock);
    return result;
}

void ex_paged_start(struct ex_paged *paged)
{
    base_mutex_init(&paged->lock);
    atomic_store(&ex_paged_count, 0);
    atomic_store(&ex_paged_present, 0);
    atomic_store(&ex_paged_out, 0);
    atomic_store(&last_started, paged);
}

static void free_list(struct ex_paged_block *block)
{
    while (block != NULL) {
        struct ex_paged_block *next = block->next;
        free(block);
        block = next;
    }
}

void ex_paged_stop(struct ex_paged *paged)
{
    atomic_store(&last_started, NULL);
    for (int i = 0; i < EX_PAGED_BUCKETS; i++) {
        free_list(paged->bucket[i]);
    }
    free_list(paged->large);
    base_mutex_destroy(&paged->lock);
}
