/*
 * Paged pool, by address. A block of less than a page never crosses a page's end, so that it stands
 * in one bucket, that of its page; the few larger ones stand in a list. A block for which the host
 * has no memory is left out: it is then taken for resident.
 */
#include "ex/paged.h"

#include "ex/executive.h"

#include <stdlib.h>

struct ex_paged_block {
    struct ex_paged_block *next;
    ULONG_PTR start;
    size_t bytes;
};

atomic_size_t ex_paged_count;

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

void ex_paged_add(const void *start, size_t bytes)
{
    struct ex_paged *paged = paged_of_kernel();
    struct ex_paged_block *block = malloc(sizeof(*block));
    if (block == NULL) {
        return;
    }
    block->start = (ULONG_PTR)start;
    block->bytes = bytes;
    struct ex_paged_block **list = list_for(paged, block->start, bytes);
    base_mutex_lock(&paged->lock);
    block->next = *list;
    *list = block;
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
    }
    base_mutex_unlock(&paged->lock);
    if (block != NULL) {
        atomic_fetch_sub_explicit(&ex_paged_count, 1, memory_order_relaxed);
        free(block);
    }
}

static bool lies_in_one_of(const struct ex_paged_block *block, ULONG_PTR address)
{
    while (block != NULL && address - block->start >= block->bytes) {
        block = block->next;
    }
    return block != NULL;
}

bool ex_paged_search(const void *address)
{
    if (atomic_load(&ke_generation) == 0 || ke_current() == NULL) {
        return false; /* the run-time library also serves where no kernel runs */
    }
    struct ex_paged *paged = paged_of_kernel();
    ULONG_PTR place = (ULONG_PTR)address;
    base_mutex_lock(&paged->lock);
    bool is_found =
        lies_in_one_of(*list_for(paged, place, 1), place) || lies_in_one_of(paged->large, place);
    base_mutex_unlock(&paged->lock);
    return is_found;
}

void ex_paged_start(struct ex_paged *paged)
{
    base_mutex_init(&paged->lock);
    atomic_store(&ex_paged_count, 0);
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
    for (int i = 0; i < EX_PAGED_BUCKETS; i++) {
        free_list(paged->bucket[i]);
    }
    free_list(paged->large);
    base_mutex_destroy(&paged->lock);
}
