/* Pool memory. See pool.c. */
#ifndef EX_POOL_H
#define EX_POOL_H

#include <wdm.h>

#include "base/mutex.h"
#include "ke/code.h"

#include <stdbool.h>

#define EX_POOL_SHARDS 16
#define EX_POOL_BUCKETS 256 /* a shard */
#define EX_POOL_FREED 64    /* frees that a shard remembers */

/* What stands in memory that was asked for uninitialised, and how far: it looks like no zero. */
#define EX_POOL_FRESH_BYTE 0xBA
#define EX_POOL_FRESH_BYTES_MAX PAGE_SIZE

struct ex_pool_block;

/* A block that was freed, remembered to tell a double free from a wild one. */
struct ex_pool_freed {
    const void *address;
    const void *freer; /* return address of who freed it */
    ULONG tag;
};

struct ex_pool_shard {
    struct base_mutex lock; /* guards all below */
    struct ex_pool_block *bucket[EX_POOL_BUCKETS];
    struct ex_pool_freed freed[EX_POOL_FREED];
    unsigned next_freed;
};

struct ex_pool {
    struct ex_pool_shard shard[EX_POOL_SHARDS];
};

/* What is known of a block. */
struct ex_pool_info {
    void *start;
    size_t bytes;
    ULONG tag;
    POOL_TYPE type;      /* NonPagedPool, PagedPool or NonPagedPoolNx */
    const void *creator; /* return address of who allocated it */
};

/* Warns of each block that code of the driver allocated and that is still there. (POOL-38) */
unsigned ex_pool_report_driver(const struct ke_code *code);

void ex_pool_start(struct ex_pool *pool);
unsigned ex_pool_report(struct ex_pool *pool);
void ex_pool_stop(struct ex_pool *pool);

/*
 * Allocates as ExAllocatePoolWithTag with that type (flags included), on behalf of creator. NULL,
 * or a raised status where the type asks for it, when memory is short.
 */
void *ex_pool_allocate(POOL_TYPE type, size_t bytes, ULONG tag, const void *creator);

/* Frees a block; tag 0 skips the check of the tag. */
void ex_pool_free(void *block, ULONG tag, const void *freer);

/* Who asked for the pool that the calling thread did not get, if that was its last allocation;
 * else NULL. */
const void *ex_pool_failed_creator(void);

/* Finds the block that begins at start; false if none does. Fast. */
bool ex_pool_find_start(const void *start, struct ex_pool_info *info);

/* The first byte around the block, which begins at start and stays, that somebody wrote to outside
 * of it; NULL if there is none, and for what is no block. */
const UCHAR *ex_pool_damage(const void *start);

/* Calls visit for every block, with locks held that pool functions take. */
void ex_pool_each(void (*visit)(void *context, const struct ex_pool_info *info), void *context);

/* Finds the block in which address lies; false if there is none. Slow: for reports and checks. */
bool ex_pool_find(const void *address, struct ex_pool_info *info);

#endif
