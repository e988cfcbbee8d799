/*
 * Guarded memory: each block has pages of its own.
 *
 *     | ... front | block | slack | forbidden page |
 *
 * What this keeps true:
 * - The page behind a block is forbidden, so that an access beyond its end faults at once, except
 *   in the slack that alignment leaves; the caller fills that with a pattern.
 * - The pages of a freed block are forbidden until the quarantine has no room for it any more:
 * until then an access to freed memory faults, and nobody else gets that address.
 * - Both are bounded, because hosts bound the number of ranges that a process may have.
 */
#include "ex/guarded.h"

#include "base/pages.h"
#include "ex/executive.h"
#include "ke/callback.h"

#include <stdlib.h>
#include <string.h>

#define LIVE_MAX 8192
#define QUARANTINE_MAX 4096
#define QUARANTINE_BYTES_MAX (64ULL << 20)

static struct ex_guarded_memory *memory_of_kernel(void)
{
    return &ex_state()->guarded;
}

static size_t in_pages(size_t bytes)
{
    return (bytes + BASE_PAGE_BYTES - 1) / BASE_PAGE_BYTES * BASE_PAGE_BYTES;
}

/* Where the block begins in pages, of which so many bytes may be used. */
static size_t offset_of(size_t usable, size_t bytes, size_t alignment)
{
    size_t boundary = bytes >= BASE_PAGE_BYTES ? BASE_PAGE_BYTES : alignment;
    return (usable - bytes) / boundary * boundary;
}

static bool take_pages(struct ex_guarded *block, size_t front_bytes, size_t alignment)
{
    /* What alignment leaves free behind the block may not cost it its front. */
    size_t slack = block->bytes >= BASE_PAGE_BYTES ? BASE_PAGE_BYTES : alignment;
    size_t usable = in_pages(front_bytes + block->bytes + slack - 1);
    block->pages_bytes = usable + BASE_PAGE_BYTES;
    block->pages = base_pages_take(block->pages_bytes);
    if (block->pages == NULL) {
        return false;
    }
    if (!base_pages_forbid(block->pages + usable, BASE_PAGE_BYTES)) {
        base_pages_give_back(block->pages, block->pages_bytes);
        return false;
    }
    block->start = block->pages + offset_of(usable, block->bytes, alignment);
    return true;
}

static bool insert(struct ex_guarded_memory *memory, struct ex_guarded *block)
{
    base_mutex_lock(&memory->lock);
    bool has_room = memory->live_count < LIVE_MAX;
    if (has_room) {
        InsertTailList(&memory->live, &block->link);
        memory->live_count++;
    }
    base_mutex_unlock(&memory->lock);
    return has_room;
}

static void give_back(struct ex_guarded *block)
{
    base_pages_give_back(block->pages, block->pages_bytes);
    free(block);
}

struct ex_guarded *ex_guarded_obtain(size_t front_bytes, size_t bytes, size_t alignment,
                                     const char *what, const void *creator)
{
    struct ex_guarded *block = malloc(sizeof(*block));
    if (block == NULL) {
        return NULL;
    }
    block->bytes = bytes;
    block->what = what;
    block->freed_rule = "POOL-35";
    block->tag = 0;
    block->is_freed = false;
    block->creator = creator;
    block->freer = NULL;
    if (!take_pages(block, front_bytes, alignment)) {
        free(block);
        return NULL;
    }
    verifier_stack_capture(&block->created);
    if (!insert(memory_of_kernel(), block)) {
        give_back(block);
        return NULL;
    }
    return block;
}

/* Takes the oldest blocks off the quarantine until it has room. The lock is held. */
static void make_room(struct ex_guarded_memory *memory, LIST_ENTRY *surplus)
{
    while (memory->quarantine_count > QUARANTINE_MAX ||
           memory->quarantine_bytes > QUARANTINE_BYTES_MAX) {
        LIST_ENTRY *entry = RemoveHeadList(&memory->quarantine);
        memory->quarantine_count--;
        memory->quarantine_bytes -= CONTAINING_RECORD(entry, struct ex_guarded, link)->pages_bytes;
        InsertTailList(surplus, entry);
    }
}

static void give_back_all(LIST_ENTRY *list)
{
    while (!IsListEmpty(list)) {
        give_back(CONTAINING_RECORD(RemoveHeadList(list), struct ex_guarded, link));
    }
}

/* Whether a driver is told that a file's last handle is closed: requests may still come. */
static bool is_in_cleanup(void)
{
    const struct ke_callback *innermost = ke_callback_innermost();
    return innermost != NULL && strcmp(innermost->what, "a cleanup routine") == 0;
}

void ex_guarded_retire(struct ex_guarded *block, const void *freer)
{
    struct ex_guarded_memory *memory = memory_of_kernel();
    LIST_ENTRY surplus;
    InitializeListHead(&surplus);
    verifier_stack_capture(&block->freed);
    base_pages_forbid(block->pages, block->pages_bytes);
    base_mutex_lock(&memory->lock);
    RemoveEntryList(&block->link);
    memory->live_count--;
    block->freer = freer;
    block->is_freed = true;
    if (is_in_cleanup() && strcmp(block->freed_rule, "POOL-35") == 0) {
        block->freed_rule = "DEV-58";
    }
    InsertTailList(&memory->quarantine, &block->link);
    memory->quarantine_count++;
    memory->quarantine_bytes += block->pages_bytes;
    make_room(memory, &surplus);
    base_mutex_unlock(&memory->lock);
    give_back_all(&surplus);
}

static bool lies_in(const struct ex_guarded *block, ULONG_PTR address)
{
    return address - (ULONG_PTR)block->pages < block->pages_bytes;
}

static const struct ex_guarded *find_in(const LIST_ENTRY *list, ULONG_PTR address)
{
    for (const LIST_ENTRY *entry = list->Flink; entry != list; entry = entry->Flink) {
        const struct ex_guarded *block = CONTAINING_RECORD(entry, struct ex_guarded, link);
        if (lies_in(block, address)) {
            return block;
        }
    }
    return NULL;
}

enum ex_guarded_place ex_guarded_find(const void *address, struct ex_guarded *found)
{
    struct ex_guarded_memory *memory = memory_of_kernel();
    if (memory == NULL || !base_mutex_try_lock(&memory->lock)) {
        return EX_GUARDED_NOWHERE;
    }
    const struct ex_guarded *block = find_in(&memory->quarantine, (ULONG_PTR)address);
    if (block == NULL) {
        block = find_in(&memory->live, (ULONG_PTR)address);
    }
    if (block != NULL) {
        *found = *block;
    }
    base_mutex_unlock(&memory->lock);
    if (block == NULL) {
        return EX_GUARDED_NOWHERE;
    }
    if (found->is_freed) {
        return EX_GUARDED_FREED;
    }
    return (const UCHAR *)address >= found->start + found->bytes ? EX_GUARDED_BEHIND
                                                                 : EX_GUARDED_NOWHERE;
}

void ex_guarded_start(struct ex_guarded_memory *memory)
{
    base_mutex_init(&memory->lock);
    InitializeListHead(&memory->live);
    InitializeListHead(&memory->quarantine);
}

void ex_guarded_stop(struct ex_guarded_memory *memory)
{
    give_back_all(&memory->live);
    give_back_all(&memory->quarantine);
    base_mutex_destroy(&memory->lock);
}
