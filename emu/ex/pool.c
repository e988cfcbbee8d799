/*
 * Pool memory.
 *
 * What this keeps true:
 * - Every block is one allocation of the host, so that its heap checkers see each block alone, with
 *   a header before it and a pattern behind it. Under AddressSanitizer both are out of bounds.
 * - Every live block is in a table by its address, in one of several shards with a lock each. A
 *   free looks the address up first and never believes the memory before an address it was given,
 *   so that freeing anything whatever ends in a bug check with a name, not in a crash.
 * - A shard remembers its last frees, so that a double free can be told from a wild pointer.
 * - A block of a page or more begins on a page; a smaller one never crosses a page's end (POOL-18).
 * - At level full every block has pages of its own (guarded.c): what is written behind it, or after
 *   its end, faults at once. Its header still stands right before it.
 * - Live blocks of paged pool are counted, and found fast: paged.c.
 */
#include "ex/pool.h"

#include "base/cold.h"
#include "base/local.h"
#include "base/log.h"
#include "base/stack.h"
#include "ex/executive.h"
#include "ex/paged.h"
#include "ex/poison.h"
#include "ke/bugcheck.h"
#include "ke/freed.h"
#include "ke/left.h"
#include "ke/thread.h"
#include "ke/warning.h"
#include "verifier/level.h"
#include "verifier/lock_order.h"
#include "verifier/object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUARD_BYTES 16
#define HUGE_BYTES_MIN 65536
#define DRIVER_BLOCKS_MAX 16 /* named of those that a driver left */
#define GUARD_BYTE 0xFD
#define CACHE_LINE_BYTES 64
#define BLOCK_BYTES_MAX 0x80000000ULL

/* Bits of a POOL_TYPE that say what memory it is; the others are wishes. */
#define TYPE_BASE_MASK 3
#define TYPE_MUST_SUCCEED 2
#define TYPE_CACHE_ALIGNED 4
#define TYPE_SESSION 32

/* The bit of a tag by which old drivers asked for a checked free. */
#define TAG_PROTECTED 0x80000000u

#define TAG_NONE 0x656E6F4Eu /* "None" */
#define TAG_BIG 0x00474942u  /* "BIG" */

/* Stands right before the block. */
struct ex_pool_block {
    struct ex_pool_block *next; /* in its bucket; guarded by the shard's lock */
    void *raw;                  /* what the host gave */
    size_t bytes;
    ULONG tag;
    POOL_TYPE type;
    const void *creator;
    struct ex_guarded *guarded; /* its pages at level full, else NULL */
    UCHAR guard[GUARD_BYTES];
};

C_ASSERT(sizeof(struct ex_pool_block) == 64);

/* What an allocation asks for. */
struct request {
    POOL_TYPE type; /* without wishes */
    size_t bytes;
    ULONG tag;
    size_t alignment;
    bool is_zeroed;
    const void *creator;
};

static bool is_paged(POOL_TYPE type)
{
    return ((ULONG)type & 1) != 0;
}

static struct ex_pool *pool_of_kernel(void)
{
    struct ex_state *ex = ke_entered()->state[KE_MODULE_EX]; /* all who come here have entered */
    return &ex->pool;
}

static size_t hash_of(const void *address)
{
    ULONG_PTR key = (ULONG_PTR)address >> 4;
    return (size_t)((key * 0x9E3779B97F4A7C15ULL) >> 40);
}

static struct ex_pool_shard *shard_of(const void *address)
{
    return &pool_of_kernel()->shard[hash_of(address) % EX_POOL_SHARDS];
}

static struct ex_pool_block **bucket_of(struct ex_pool_shard *shard, const void *address)
{
    return &shard->bucket[hash_of(address) / EX_POOL_SHARDS % EX_POOL_BUCKETS];
}

static void *address_of(struct ex_pool_block *block)
{
    return block + 1;
}

/* ---- making and unmaking blocks ---- */

static bool crosses_page(const void *start, size_t bytes)
{
    ULONG_PTR first = (ULONG_PTR)start;
    return bytes != 0 && first / PAGE_SIZE != (first + bytes - 1) / PAGE_SIZE;
}

static ULONG_PTR round_up(ULONG_PTR value, size_t alignment)
{
    return (value + alignment - 1) & ~((ULONG_PTR)alignment - 1);
}

/* Asks the host for a block that begins at a multiple of alignment; NULL if it refuses. It gets
 * large zeroed blocks from the system, which needs not write them; small ones it keeps at hand, but
 * only those that it need not zero. */
static inline struct ex_pool_block *obtain(const struct request *request, size_t alignment)
{
    size_t slack = alignment <= MEMORY_ALLOCATION_ALIGNMENT ? 0 : alignment;
    size_t total = sizeof(struct ex_pool_block) + request->bytes + GUARD_BYTES + slack;
    bool is_huge = request->is_zeroed && total >= HUGE_BYTES_MIN;
    void *raw = is_huge ? calloc(1, total) : malloc(total);
    if (raw == NULL) {
        return NULL;
    }
    ULONG_PTR first = (ULONG_PTR)raw + sizeof(struct ex_pool_block);
    struct ex_pool_block *block = (struct ex_pool_block *)round_up(first, alignment) - 1;
    if (request->is_zeroed && !is_huge) {
        memset(address_of(block), 0, request->bytes);
    }
    block->raw = raw;
    block->guarded = NULL;
    return block;
}

/* A block with pages of its own; NULL where there are no more of them. */
static struct ex_pool_block *obtain_guarded(const struct request *request)
{
    struct ex_guarded *guarded =
        ex_guarded_obtain(sizeof(struct ex_pool_block), request->bytes, request->alignment,
                          "pool block", request->creator);
    if (guarded == NULL) {
        return NULL;
    }
    guarded->tag = request->tag;
    struct ex_pool_block *block = (struct ex_pool_block *)(void *)guarded->start - 1;
    block->raw = NULL;
    block->guarded = guarded;
    return block;
}

/* What a block of less than a page is aligned to so that it never crosses a page's end. */
static size_t boundary_of(size_t bytes)
{
    size_t boundary = CACHE_LINE_BYTES;
    while (boundary < bytes) {
        boundary *= 2;
    }
    return boundary;
}

/* The few that lie where others must not. */
static BASE_COLD struct ex_pool_block *obtain_apart(const struct request *request)
{
    struct ex_pool_block *guarded = verifier_is_full() ? obtain_guarded(request) : NULL;
    if (guarded != NULL) {
        return guarded;
    }
    bool is_large = request->bytes >= PAGE_SIZE;
    return obtain(request, is_large ? PAGE_SIZE : boundary_of(request->bytes));
}

static inline struct ex_pool_block *obtain_placed(const struct request *request)
{
    if (verifier_is_full() || request->bytes >= PAGE_SIZE) {
        return obtain_apart(request);
    }
    struct ex_pool_block *block = obtain(request, request->alignment);
    if (block != NULL && crosses_page(address_of(block), request->bytes)) {
        free(block->raw);
        block = obtain_apart(request);
    }
    return block;
}

static UCHAR *guard_behind(struct ex_pool_block *block)
{
    return (UCHAR *)address_of(block) + block->bytes;
}

/* How many bytes of a guard's pattern stand behind the block. */
static size_t bytes_behind(struct ex_pool_block *block)
{
    return block->guarded != NULL ? ex_guarded_slack(block->guarded) : GUARD_BYTES;
}

static void set_guards(struct ex_pool_block *block)
{
    memset(block->guard, GUARD_BYTE, GUARD_BYTES);
    memset(guard_behind(block), GUARD_BYTE, bytes_behind(block));
    ex_poison(block->guard, GUARD_BYTES);
    ex_poison(guard_behind(block), bytes_behind(block));
}

static void lift_guards(struct ex_pool_block *block)
{
    ex_unpoison(block->guard, GUARD_BYTES);
    ex_unpoison(guard_behind(block), bytes_behind(block));
}

/* Whether a guard of the usual size is as it was. */
static bool is_whole(const UCHAR *guard)
{
    const ULONG64 pattern = 0x0101010101010101ULL * GUARD_BYTE;
    ULONG64 words[GUARD_BYTES / 8];
    memcpy(words, guard, sizeof(words));
    return words[0] == pattern && words[1] == pattern;
}

/* The first byte of a guard that was overwritten, or NULL. */
static const UCHAR *damage_of(const UCHAR *guard, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (guard[i] != GUARD_BYTE) {
            return &guard[i];
        }
    }
    return NULL;
}

static inline struct ex_pool_block *create(const struct request *request)
{
    struct ex_pool_block *block = obtain_placed(request);
    if (block == NULL) {
        return NULL;
    }
    block->bytes = request->bytes;
    block->tag = request->tag;
    block->type = request->type;
    block->creator = request->creator;
    if (!request->is_zeroed) {
        memset(address_of(block), EX_POOL_FRESH_BYTE, min(request->bytes, EX_POOL_FRESH_BYTES_MAX));
    }
    set_guards(block);
    return block;
}

/* ---- the table of live blocks ---- */

static inline void insert(struct ex_pool_block *block)
{
    struct ex_pool_shard *shard = shard_of(address_of(block));
    struct ex_pool_block **bucket = bucket_of(shard, address_of(block));
    base_mutex_lock(&shard->lock);
    block->next = *bucket;
    *bucket = block;
    base_mutex_unlock(&shard->lock);
}

/* The link that points at the block, or at NULL. The shard's lock is held. */
static struct ex_pool_block **link_to(struct ex_pool_shard *shard, const void *address)
{
    struct ex_pool_block **link = bucket_of(shard, address);
    while (*link != NULL && address_of(*link) != address) {
        link = &(*link)->next;
    }
    return link;
}

static void remember(struct ex_pool_shard *shard, struct ex_pool_block *block, const void *freer)
{
    shard->freed[shard->next_freed++ % EX_POOL_FREED] =
        (struct ex_pool_freed){.address = address_of(block), .freer = freer, .tag = block->tag};
}

/* Takes the block out of the table; NULL if no block begins at address. */
static struct ex_pool_block *remove_block(const void *address, const void *freer)
{
    struct ex_pool_shard *shard = shard_of(address);
    base_mutex_lock(&shard->lock);
    struct ex_pool_block **link = link_to(shard, address);
    struct ex_pool_block *block = *link;
    if (block != NULL) {
        *link = block->next;
        remember(shard, block, freer);
    }
    base_mutex_unlock(&shard->lock);
    return block;
}

static void release(struct ex_pool_block *block, const void *freer)
{
    if (is_paged(block->type)) {
        ex_paged_remove(address_of(block), block->bytes);
    }
    if (block->guarded != NULL) {
        ex_guarded_retire(block->guarded, freer);
    } else {
        free(block->raw);
    }
}

typedef bool visit_routine(struct ex_pool_block *block, void *context);

/* Calls visit for every live block until it returns true. */
static bool visit_all(struct ex_pool *pool, visit_routine *visit, void *context)
{
    bool is_done = false;
    for (int i = 0; i < EX_POOL_SHARDS && !is_done; i++) {
        struct ex_pool_shard *shard = &pool->shard[i];
        base_mutex_lock(&shard->lock);
        for (int j = 0; j < EX_POOL_BUCKETS && !is_done; j++) {
            struct ex_pool_block *next = NULL;
            for (struct ex_pool_block *block = shard->bucket[j]; block != NULL && !is_done;
                 block = next) {
                next = block->next;
                is_done = visit(block, context);
            }
        }
        base_mutex_unlock(&shard->lock);
    }
    return is_done;
}

struct search {
    ULONG_PTR address;
    struct ex_pool_info *info;
};

static void fill_in(struct ex_pool_info *info, struct ex_pool_block *block)
{
    *info = (struct ex_pool_info){.start = address_of(block),
                                  .bytes = block->bytes,
                                  .tag = block->tag,
                                  .type = block->type,
                                  .creator = block->creator};
}

bool ex_pool_find_start(const void *start, struct ex_pool_info *info)
{
    ke_current();
    struct ex_pool_shard *shard = shard_of(start);
    base_mutex_lock(&shard->lock);
    struct ex_pool_block *block = *link_to(shard, start);
    if (block != NULL) {
        fill_in(info, block);
    }
    base_mutex_unlock(&shard->lock);
    return block != NULL;
}

const UCHAR *ex_pool_damage(const void *start)
{
    const UCHAR *damage = NULL;
    ke_current();
    struct ex_pool_shard *shard = shard_of(start);
    base_mutex_lock(&shard->lock);
    struct ex_pool_block *block = *link_to(shard, start);
    if (block != NULL) {
        lift_guards(block);
        const UCHAR *behind = damage_of(guard_behind(block), bytes_behind(block));
        damage = behind != NULL ? behind : damage_of(block->guard, GUARD_BYTES);
        ex_poison(block->guard, GUARD_BYTES);
        ex_poison(guard_behind(block), bytes_behind(block));
    }
    base_mutex_unlock(&shard->lock);
    return damage;
}

static bool is_around(struct ex_pool_block *block, void *context)
{
    const struct search *search = context;
    ULONG_PTR start = (ULONG_PTR)address_of(block);
    if (search->address < start || search->address - start >= block->bytes) {
        return false;
    }
    fill_in(search->info, block);
    return true;
}

bool ex_pool_find(const void *address, struct ex_pool_info *info)
{
    struct search search = {.address = (ULONG_PTR)address, .info = info};
    ke_current();
    return visit_all(pool_of_kernel(), is_around, &search);
}

struct walk {
    void (*visit)(void *context, const struct ex_pool_info *info);
    void *context;
};

static bool visit_one(struct ex_pool_block *block, void *context)
{
    const struct walk *walk = context;
    struct ex_pool_info info;
    fill_in(&info, block);
    walk->visit(walk->context, &info);
    return false;
}

void ex_pool_each(void (*visit)(void *context, const struct ex_pool_info *info), void *context)
{
    struct walk walk = {visit, context};
    ke_current();
    visit_all(pool_of_kernel(), visit_one, &walk);
}

/* ---- what a driver must not do ---- */

struct tag_text {
    char text[5];
};

static struct tag_text text_of(ULONG tag)
{
    struct tag_text text;
    for (int i = 0; i < 4; i++) {
        char letter = (char)((tag >> (8 * i)) & 0x7F);
        text.text[i] = letter >= ' ' && letter <= '~' ? letter : ' ';
    }
    text.text[4] = '\0';
    return text;
}

static bool has_letter_or_digit(ULONG tag)
{
    for (int i = 0; i < 4; i++) {
        ULONG letter = (tag >> (8 * i)) & 0x7F;
        if ((letter >= '0' && letter <= '9') ||
            ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'z')) {
            return true;
        }
    }
    return false;
}

static void check_old_tag(POOL_TYPE type, size_t bytes, ULONG tag, const void *creator)
{
    if (tag == 0 || tag == TAG_BIG) {
        ke_violation(
            BAD_POOL_CALLER, tag == 0 ? 0x9B : 0x9C, (ULONG_PTR)type, bytes, (ULONG_PTR)creator,
            "POOL-24",
            "The driver allocated %llu bytes of pool with the tag %s, which is not allowed.",
            (unsigned long long)bytes, tag == 0 ? "0" : "'BIG'");
    }
    if (!has_letter_or_digit(tag)) {
        ke_violation(
            BAD_POOL_CALLER, 0x9D, tag, (ULONG_PTR)type, (ULONG_PTR)creator, "POOL-24",
            "The driver allocated %llu bytes of pool with the tag 0x%08X, which has neither "
            "a letter nor a digit.",
            (unsigned long long)bytes, tag);
    }
}

static void check_old_type(POOL_TYPE type, size_t bytes, ULONG tag)
{
    if ((type & TYPE_BASE_MASK) == TYPE_MUST_SUCCEED || (type & TYPE_SESSION) != 0) {
        ke_violation(
            BAD_POOL_CALLER, 0x9A, (ULONG_PTR)type, bytes, tag, "POOL-21",
            "The driver allocated %llu bytes of the pool type %u, which is not for drivers.",
            (unsigned long long)bytes, (unsigned)type);
    }
}

static KIRQL highest_level(POOL_TYPE type)
{
    return is_paged(type) ? APC_LEVEL : DISPATCH_LEVEL;
}

static BASE_COLD void report_allocation_level(POOL_TYPE type, size_t bytes, KIRQL irql)
{
    ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, is_paged(type) ? 0x01 : 0x02, irql,
                 (ULONG_PTR)type, bytes, "POOL-27",
                 "The driver allocated %llu bytes of %s pool at IRQL %u; the highest level "
                 "allowed is %u.",
                 (unsigned long long)bytes, is_paged(type) ? "paged" : "non-paged", irql,
                 highest_level(type));
}

static void check_allocation_level(POOL_TYPE type, size_t bytes)
{
    KIRQL irql = ke_current()->irql;
    if (irql > highest_level(type)) {
        report_allocation_level(type, bytes, irql);
    }
}

static BASE_COLD void report_free_level(const struct ex_pool_block *block, void *address,
                                        KIRQL irql)
{
    ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, is_paged(block->type) ? 0x11 : 0x12, irql,
                 (ULONG_PTR)block->type, (ULONG_PTR)address, "POOL-27",
                 "The driver freed the %s pool block %p at IRQL %u; the highest level allowed "
                 "is %u.",
                 is_paged(block->type) ? "paged" : "non-paged", address, irql,
                 highest_level(block->type));
}

static void check_free_level(const struct ex_pool_block *block, void *address)
{
    KIRQL irql = ke_thread_slot.thread->irql;
    if (irql > highest_level(block->type)) {
        report_free_level(block, address, irql);
    }
}

static BASE_COLD void report_tag(const struct ex_pool_block *block, void *address, ULONG tag)
{
    ke_violation(BAD_POOL_CALLER, 0x0A, (ULONG_PTR)address, block->tag, tag, "POOL-31",
                 "The driver freed the pool block %p with the tag '%s'; it was allocated with "
                 "the tag '%s' by %s.",
                 address, text_of(tag).text, text_of(block->tag).text,
                 base_stack_site(block->creator).text);
}

static void check_tag(const struct ex_pool_block *block, void *address, ULONG tag)
{
    if (tag != 0 && ((block->tag ^ tag) & ~TAG_PROTECTED) != 0) {
        report_tag(block, address, tag);
    }
}

static void tell_creation(const struct ex_pool_block *block)
{
    if (block->guarded != NULL) {
        verifier_evidence_add(&block->guarded->created, "Stack of the allocation");
    }
}

static BASE_COLD void report_guards(struct ex_pool_block *block, void *address)
{
    const UCHAR *behind = damage_of(guard_behind(block), bytes_behind(block));
    if (behind != NULL) {
        tell_creation(block);
        ke_bugcheck(BAD_POOL_HEADER, 0x21, (ULONG_PTR)address, block->bytes, *behind, "POOL-36",
                    "The driver wrote behind the pool block %p of %llu bytes, tag '%s', allocated "
                    "by %s: the byte at offset %llu was overwritten with 0x%02X.",
                    address, (unsigned long long)block->bytes, text_of(block->tag).text,
                    base_stack_site(block->creator).text,
                    (unsigned long long)(behind - (const UCHAR *)address), *behind);
    }
    if (damage_of(block->guard, GUARD_BYTES) != NULL) {
        tell_creation(block);
        ke_bugcheck(BAD_POOL_HEADER, 0x20, (ULONG_PTR)address, (ULONG_PTR)address + block->bytes, 0,
                    "POOL-19",
                    "The driver wrote before the pool block %p of %llu bytes, tag '%s', allocated "
                    "by %s.",
                    address, (unsigned long long)block->bytes, text_of(block->tag).text,
                    base_stack_site(block->creator).text);
    }
}

static void check_guards(struct ex_pool_block *block, void *address)
{
    lift_guards(block);
    if (block->guarded != NULL || !is_whole(block->guard) || !is_whole(guard_behind(block))) {
        report_guards(block, address);
    }
}

static _Noreturn void report_holds(const struct ex_registry_entry *object,
                                   const struct ex_pool_block *block, void *address)
{
    bool is_lookaside = object->kind == EX_LOOKASIDE;
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, is_lookaside ? 0xCC : 0xD2,
                (ULONG_PTR)object->object, (ULONG_PTR)address, block->bytes, "POOL-37",
                "The driver freed the pool block %p while the %s %p in it was not deleted.",
                address, is_lookaside ? "lookaside list" : "resource", object->object);
}

/* Looks for objects in the block that are in use. */
static void check_contents(const struct ex_pool_block *block, void *address)
{
    const struct ex_state *ex = ke_entered()->state[KE_MODULE_EX];
    struct ex_registry_entry object;
    ke_check_freed(address, block->bytes);
    if (atomic_load_explicit(&ex->registry.count, memory_order_relaxed) == 0 &&
        atomic_load_explicit(&ex->work.queued, memory_order_relaxed) == 0) {
        return;
    }
    if (ex_registry_find(address, block->bytes, &object)) {
        report_holds(&object, block, address);
    }
    const WORK_QUEUE_ITEM *item = ex_work_find(address, block->bytes);
    if (item != NULL) {
        ke_bugcheck(WORKER_INVALID, 0x0, (ULONG_PTR)item, (ULONG_PTR)address,
                    (ULONG_PTR)address + block->bytes, "POOL-37",
                    "The driver freed the pool block %p while the work item %p in it was queued.",
                    address, (const void *)item);
    }
}

static const struct ex_pool_freed *freed_before(const void *address)
{
    struct ex_pool_shard *shard = shard_of(address);
    for (unsigned back = 1; back <= EX_POOL_FREED; back++) {
        const struct ex_pool_freed *freed =
            &shard->freed[(shard->next_freed - back) % EX_POOL_FREED];
        if (address != NULL && freed->address == address) {
            return freed;
        }
    }
    return NULL;
}

/* Says what is wrong with an address at which no block begins. */
static BASE_COLD _Noreturn void report_bad_free(void *address)
{
    static struct ex_guarded guarded; /* evidence outlives this function's frame */
    if (ex_guarded_find(address, &guarded) == EX_GUARDED_FREED) {
        verifier_evidence_add(&guarded.created, "Stack of the allocation");
        verifier_evidence_add(&guarded.freed, "Stack of the first free");
    }
    const struct ex_pool_freed *freed = freed_before(address);
    if (freed != NULL) {
        ke_bugcheck(BAD_POOL_CALLER, 0x07, 0, freed->tag, (ULONG_PTR)address, "POOL-33",
                    "The driver freed the pool block %p, tag '%s', twice; the first time was by "
                    "%s.",
                    address, text_of(freed->tag).text, base_stack_site(freed->freer).text);
    }
    struct ex_pool_info info;
    if (ex_pool_find(address, &info)) {
        ke_bugcheck(BAD_POOL_CALLER, 0x46, (ULONG_PTR)address, 0, 0, "POOL-34",
                    "The driver freed %p, which lies %llu bytes inside the pool block %p of %llu "
                    "bytes, tag '%s'.",
                    address, (unsigned long long)((UCHAR *)address - (UCHAR *)info.start),
                    info.start, (unsigned long long)info.bytes, text_of(info.tag).text);
    }
    ke_bugcheck(BAD_POOL_CALLER, 0x46, (ULONG_PTR)address, 0, 0, "POOL-34",
                "The driver freed %p as pool, which no allocation returned.", address);
}

/* ---- allocating and freeing ---- */

/* Who asked in vain, if this thread's last allocation failed. */
static BASE_THREAD_LOCAL const void *failed_creator;

const void *ex_pool_failed_creator(void)
{
    return failed_creator;
}

static BASE_COLD void warn_of_no_bytes(const struct request *request)
{
    ke_warning("POOL-16", "the driver allocated zero bytes of pool, tag '%s', at %p",
               text_of(request->tag).text, request->creator);
}

static inline void *allocate(const struct request *request)
{
    check_allocation_level(request->type, request->bytes);
    if (request->bytes == 0) {
        warn_of_no_bytes(request);
    }
    struct ex_pool_block *block = request->bytes <= BLOCK_BYTES_MAX ? create(request) : NULL;
    failed_creator = block == NULL ? request->creator : NULL;
    if (block == NULL) {
        return NULL;
    }
    insert(block);
    if (is_paged(block->type)) {
        ex_paged_add(address_of(block), block->bytes, block->guarded != NULL);
    }
    return address_of(block);
}

static void *raise_if_null(void *memory, bool raises)
{
    if (memory == NULL && raises) {
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    }
    return memory;
}

/* The type that a block keeps: what memory it is. */
static POOL_TYPE kept_type(POOL_TYPE type)
{
    return (POOL_TYPE)((ULONG)type & (TYPE_BASE_MASK | POOL_NX_ALLOCATION));
}

void *ex_pool_allocate(POOL_TYPE type, size_t bytes, ULONG tag, const void *creator)
{
    check_old_type(type, bytes, tag);
    check_old_tag(type, bytes, tag, creator);
    struct request request = {
        .type = kept_type(type),
        .bytes = bytes,
        .tag = tag,
        .alignment = ((ULONG)type & TYPE_CACHE_ALIGNED) != 0 ? CACHE_LINE_BYTES
                                                             : MEMORY_ALLOCATION_ALIGNMENT,
        .is_zeroed = ((ULONG)type & POOL_ZERO_ALLOCATION) != 0,
        .creator = creator,
    };
    return raise_if_null(allocate(&request), ((ULONG)type & POOL_RAISE_IF_ALLOCATION_FAILURE) != 0);
}

void ex_pool_free(void *block, ULONG tag, const void *freer)
{
    ke_current();
    struct ex_pool_block *found = remove_block(block, freer);
    if (found == NULL) {
        report_bad_free(block);
    }
    check_free_level(found, block);
    check_tag(found, block, tag);
    check_guards(found, block);
    check_contents(found, block);
    verifier_locks_gone(block, found->bytes);
    release(found, freer);
}

/* ---- taking down ---- */

/* For reports. */
static bool describe(void *context, const void *address, struct verifier_description *description)
{
    struct ex_pool_info info;
    struct search search = {.address = (ULONG_PTR)address, .info = &info};
    if (!visit_all(context, is_around, &search)) {
        return false;
    }
    description->kind = "pool block";
    description->start = info.start;
    description->creator = info.creator;
    snprintf(description->note, sizeof(description->note), "%llu bytes, tag '%s'",
             (unsigned long long)info.bytes, text_of(info.tag).text);
    return true;
}

void ex_pool_start(struct ex_pool *pool)
{
    verifier_finder_add(describe, NULL, pool);
    for (int i = 0; i < EX_POOL_SHARDS; i++) {
        base_mutex_init(&pool->shard[i].lock);
    }
}

static bool count_block(struct ex_pool_block *block, void *context)
{
    UNREFERENCED_PARAMETER(block);
    ++*(size_t *)context;
    return false;
}

static bool collect(struct ex_pool_block *block, void *context)
{
    struct ex_pool_block ***next = context;
    *(*next)++ = block;
    return false;
}

static int compare_tags(const void *one, const void *other)
{
    const struct ex_pool_block *first = *(struct ex_pool_block *const *)one;
    const struct ex_pool_block *second = *(struct ex_pool_block *const *)other;
    if (first->tag != second->tag) {
        return first->tag < second->tag ? -1 : 1;
    }
    return 0;
}

static void print_blocks(struct ex_pool_block **blocks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        base_log("left: pool block %p of %llu bytes, tag '%s', allocated by %s\n",
                 address_of(blocks[i]), (unsigned long long)blocks[i]->bytes,
                 text_of(blocks[i]->tag).text, base_stack_site(blocks[i]->creator).text);
        ke_left_note(blocks[i]->creator);
    }
}

/* What is looked for, and how many were found. */
struct driver_blocks {
    const struct ke_code *code;
    struct ex_pool_block *found[DRIVER_BLOCKS_MAX];
    unsigned count;
};

static bool collect_drivers(struct ex_pool_block *block, void *context)
{
    struct driver_blocks *blocks = context;
    if (ke_code_called(blocks->code, block->creator)) {
        if (blocks->count < DRIVER_BLOCKS_MAX) {
            blocks->found[blocks->count] = block;
        }
        blocks->count++;
    }
    return false;
}

/* The driver is gone, so nobody frees them meanwhile. */
unsigned ex_pool_report_driver(const struct ke_code *code)
{
    struct driver_blocks blocks = {.code = code};
    ke_current();
    visit_all(pool_of_kernel(), collect_drivers, &blocks);
    for (unsigned i = 0; i < blocks.count && i < DRIVER_BLOCKS_MAX; i++) {
        const struct ex_pool_block *block = blocks.found[i];
        ke_warning("POOL-38",
                   "the driver %s was unloaded and did not free the pool block %p of %llu bytes, "
                   "tag '%s', that it allocated in %s",
                   code->driver, (const void *)(block + 1), (unsigned long long)block->bytes,
                   text_of(block->tag).text, base_stack_site(block->creator).text);
    }
    return blocks.count;
}

unsigned ex_pool_report(struct ex_pool *pool)
{
    size_t count = 0;
    visit_all(pool, count_block, &count);
    if (count == 0) {
        return 0;
    }
    struct ex_pool_block **blocks = calloc(count, sizeof(struct ex_pool_block *));
    if (blocks != NULL) {
        struct ex_pool_block **next = blocks;
        visit_all(pool, collect, &next);
        qsort(blocks, count, sizeof(struct ex_pool_block *), compare_tags);
        print_blocks(blocks, count);
    }
    free(blocks);
    return (unsigned)count;
}

static bool free_block(struct ex_pool_block *block, void *context)
{
    UNREFERENCED_PARAMETER(context);
    lift_guards(block);
    if (block->guarded == NULL) {
        free(block->raw);
    }
    return false;
}

void ex_pool_stop(struct ex_pool *pool)
{
    visit_all(pool, free_block, NULL);
    for (int i = 0; i < EX_POOL_SHARDS; i++) {
        base_mutex_destroy(&pool->shard[i].lock);
    }
}

/* ---- kernel functions ---- */

/* The flags of ExAllocatePool2 that can be met. */
#define FLAGS_KNOWN                                                                                \
    (POOL_FLAG_USE_QUOTA | POOL_FLAG_UNINITIALIZED | POOL_FLAG_CACHE_ALIGNED |                     \
     POOL_FLAG_RAISE_ON_FAILURE | POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE |              \
     POOL_FLAG_PAGED)

/* Required ones that are not for drivers. */
#define FLAGS_OF_SYSTEM                                                                            \
    (POOL_FLAG_SESSION | POOL_FLAG_RESERVED1 | POOL_FLAG_RESERVED2 | POOL_FLAG_RESERVED3)

/* The pool that the flags name; false unless they name exactly one and are all known. */
static bool type_of_flags(POOL_FLAGS flags, POOL_TYPE *type)
{
    if ((flags & 0xFFFFFFFFULL & ~(POOL_FLAGS)FLAGS_KNOWN) != 0) {
        return false;
    }
    switch (flags & (POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_PAGED)) {
    case POOL_FLAG_NON_PAGED:
        *type = NonPagedPoolNx;
        return true;
    case POOL_FLAG_NON_PAGED_EXECUTE:
        *type = NonPagedPool;
        return true;
    case POOL_FLAG_PAGED:
        *type = PagedPool;
        return true;
    default:
        return false;
    }
}

static BASE_COLD void *refuse(POOL_FLAGS flags)
{
    if ((flags & POOL_FLAG_RAISE_ON_FAILURE) != 0) {
        ExRaiseStatus(STATUS_INVALID_PARAMETER);
    }
    return NULL;
}

/* Whether each of four characters is between ' ' and '~'. */
static bool has_four_letters(ULONG tag)
{
    return (((tag - 0x20202020) | (tag + 0x01010101) | tag) & 0x80808080) == 0;
}

/* Each of a tag's one to four characters is a printable one; those behind them are 0. */
static bool is_short_tag(ULONG tag)
{
    if (tag == 0) {
        return false;
    }
    for (; tag != 0; tag >>= 8) {
        if ((tag & 0xFF) < ' ' || (tag & 0xFF) > '~') {
            return false;
        }
    }
    return true;
}

static inline bool is_proper_tag(ULONG tag)
{
    return has_four_letters(tag) || is_short_tag(tag);
}

/* What ExAllocatePool2 refuses, or takes, without a word. */
static BASE_COLD void warn_of_arguments(POOL_FLAGS flags, ULONG tag, const void *creator)
{
    if (!is_proper_tag(tag)) {
        ke_warning("POOL-23",
                   "the driver allocated pool with the tag 0x%08X, in %s; a tag has one to four "
                   "characters between ' ' and '~'",
                   tag, base_stack_site(creator).text);
    }
    if ((flags & FLAGS_OF_SYSTEM) != 0) {
        ke_warning("POOL-06",
                   "the driver allocated pool with the flags 0x%llX, in %s; POOL_FLAG_SESSION and "
                   "the reserved ones are for the system",
                   (unsigned long long)flags, base_stack_site(creator).text);
    }
}

static void check_quota(const void *creator)
{
    if (ke_current()->dpc_depth != 0) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x10B, 0, 0, 0, "POOL-12",
                     "The driver charged pool to a quota in a DPC routine, in %s: it runs in a "
                     "process that has nothing to do with it.",
                     base_stack_site(creator).text);
    }
}

static void *allocate_by_flags(POOL_FLAGS flags, size_t bytes, ULONG tag, const void *creator)
{
    POOL_TYPE type;
    if (!is_proper_tag(tag) || (flags & FLAGS_OF_SYSTEM) != 0) {
        warn_of_arguments(flags, tag, creator);
    }
    if ((flags & POOL_FLAG_USE_QUOTA) != 0) {
        check_quota(creator);
    }
    if (tag == 0 || !type_of_flags(flags, &type)) {
        return refuse(flags);
    }
    struct request request = {
        .type = type,
        .bytes = bytes,
        .tag = tag,
        .alignment =
            (flags & POOL_FLAG_CACHE_ALIGNED) != 0 ? CACHE_LINE_BYTES : MEMORY_ALLOCATION_ALIGNMENT,
        .is_zeroed = (flags & POOL_FLAG_UNINITIALIZED) == 0,
        .creator = creator,
    };
    return raise_if_null(allocate(&request), (flags & POOL_FLAG_RAISE_ON_FAILURE) != 0);
}

/*
 * Allocates NumberOfBytes of zeroed pool. NULL, or with POOL_FLAG_RAISE_ON_FAILURE an exception,
 * when memory is short, Tag is 0 or Flags are invalid. IRQL <= DISPATCH_LEVEL, <= APC_LEVEL for
 * paged pool. (POOL-01 to POOL-07)
 */
PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
    return allocate_by_flags(Flags, NumberOfBytes, Tag, _ReturnAddress());
}

static bool is_valid_parameter(const POOL_EXTENDED_PARAMETER *parameter)
{
    if (parameter->Reserved != 0) {
        return false;
    }
    switch (parameter->Type) {
    case PoolExtendedParameterPriority:
    case PoolExtendedParameterNumaNode:
        return true;
    default:
        return parameter->Optional && parameter->Type == PoolExtendedParameterSecurePool;
    }
}

/*
 * As ExAllocatePool2, with further wishes. Priority and node are accepted and make no difference;
 * secure pool does not exist here. (POOL-08)
 */
PVOID ExAllocatePool3(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag,
                      PCPOOL_EXTENDED_PARAMETER ExtendedParameters, ULONG ExtendedParametersCount)
{
    if (ExtendedParameters == NULL && ExtendedParametersCount != 0) {
        return refuse(Flags);
    }
    for (ULONG i = 0; i < ExtendedParametersCount; i++) {
        if (!is_valid_parameter(&ExtendedParameters[i])) {
            return refuse(Flags);
        }
    }
    return allocate_by_flags(Flags, NumberOfBytes, Tag, _ReturnAddress());
}

/* As ExAllocatePoolWithTag with the tag "None". */
PVOID(ExAllocatePool)(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    return ex_pool_allocate(PoolType, NumberOfBytes, TAG_NONE, _ReturnAddress());
}

/*
 * Allocates NumberOfBytes of uninitialised pool. NULL when memory is short, unless PoolType has
 * POOL_RAISE_IF_ALLOCATION_FAILURE. IRQL <= DISPATCH_LEVEL, <= APC_LEVEL for paged pool. (POOL-09)
 */
PVOID(ExAllocatePoolWithTag)(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return ex_pool_allocate(PoolType, NumberOfBytes, Tag, _ReturnAddress());
}

/* As ExAllocatePoolWithTag, of zeroed memory. (POOL-10) */
PVOID(ExAllocatePoolZero)(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return ex_pool_allocate((POOL_TYPE)((ULONG)PoolType | POOL_ZERO_ALLOCATION), NumberOfBytes, Tag,
                            _ReturnAddress());
}

/* As ExAllocatePoolWithTag. (POOL-10) */
PVOID(ExAllocatePoolUninitialized)(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return ex_pool_allocate(PoolType, NumberOfBytes, Tag, _ReturnAddress());
}

/* As ExAllocatePoolWithTag; Priority matters only when memory is short. (POOL-13) */
PVOID(ExAllocatePoolWithTagPriority)
(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, EX_POOL_PRIORITY Priority)
{
    UNREFERENCED_PARAMETER(Priority);
    return ex_pool_allocate(PoolType, NumberOfBytes, Tag, _ReturnAddress());
}

/* As ExAllocatePoolWithTagPriority, of zeroed memory. */
PVOID(ExAllocatePoolPriorityZero)
(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, EX_POOL_PRIORITY Priority)
{
    UNREFERENCED_PARAMETER(Priority);
    return ex_pool_allocate((POOL_TYPE)((ULONG)PoolType | POOL_ZERO_ALLOCATION), NumberOfBytes, Tag,
                            _ReturnAddress());
}

/* As ExAllocatePoolWithTagPriority. */
PVOID(ExAllocatePoolPriorityUninitialized)
(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag, EX_POOL_PRIORITY Priority)
{
    UNREFERENCED_PARAMETER(Priority);
    return ex_pool_allocate(PoolType, NumberOfBytes, Tag, _ReturnAddress());
}

static POOL_TYPE quota_type(POOL_TYPE type, ULONG wishes)
{
    ULONG raises = ((ULONG)type & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE) != 0
                       ? 0
                       : POOL_RAISE_IF_ALLOCATION_FAILURE;
    return (POOL_TYPE)(((ULONG)type & ~(ULONG)POOL_QUOTA_FAIL_INSTEAD_OF_RAISE) | raises | wishes);
}

/* As ExAllocatePoolWithTag, but raises when memory is short, unless PoolType has
 * POOL_QUOTA_FAIL_INSTEAD_OF_RAISE. No quota is counted. (POOL-11) */
PVOID(ExAllocatePoolWithQuotaTag)(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    check_quota(_ReturnAddress());
    return ex_pool_allocate(quota_type(PoolType, 0), NumberOfBytes, Tag, _ReturnAddress());
}

/* As ExAllocatePoolWithQuotaTag with the tag "None". */
PVOID(ExAllocatePoolWithQuota)(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    check_quota(_ReturnAddress());
    return ex_pool_allocate(quota_type(PoolType, 0), NumberOfBytes, TAG_NONE, _ReturnAddress());
}

/* As ExAllocatePoolWithQuotaTag, of zeroed memory. (POOL-11) */
PVOID(ExAllocatePoolQuotaZero)(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    check_quota(_ReturnAddress());
    return ex_pool_allocate(quota_type(PoolType, POOL_ZERO_ALLOCATION), NumberOfBytes, Tag,
                            _ReturnAddress());
}

/* As ExAllocatePoolWithQuotaTag. (POOL-11) */
PVOID(ExAllocatePoolQuotaUninitialized)(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    check_quota(_ReturnAddress());
    return ex_pool_allocate(quota_type(PoolType, 0), NumberOfBytes, Tag, _ReturnAddress());
}

/* Frees a block of pool. IRQL <= DISPATCH_LEVEL, <= APC_LEVEL for paged pool. (POOL-30) */
VOID(ExFreePool)(PVOID P)
{
    ex_pool_free(P, 0, _ReturnAddress());
}

/* As ExFreePool, and checks that Tag, unless 0, is the allocation's. (POOL-31) */
VOID(ExFreePoolWithTag)(PVOID P, ULONG Tag)
{
    ex_pool_free(P, Tag, _ReturnAddress());
}

/* As ExFreePoolWithTag; the parameters matter to secure pool only. */
VOID(ExFreePool2)
(PVOID P, ULONG Tag, PCPOOL_EXTENDED_PARAMETER ExtendedParameters, ULONG ExtendedParametersCount)
{
    UNREFERENCED_PARAMETER(ExtendedParameters);
    UNREFERENCED_PARAMETER(ExtendedParametersCount);
    ex_pool_free(P, Tag, _ReturnAddress());
}

/* Says how the driver means NonPagedPool. No pool here is executable, so there is nothing to do.
 * PASSIVE_LEVEL. */
VOID(ExInitializeDriverRuntime)(ULONG RuntimeFlags)
{
    UNREFERENCED_PARAMETER(RuntimeFlags);
}
