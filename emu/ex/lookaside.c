/*
 * Lookaside lists: caches of blocks of one size, on a sequenced list in the driver's own memory.
 *
 * A block keeps its content while it is cached, but for its first eight bytes, which link it.
 * Blocks of a list without allocate routine of its own belong to nobody while they are cached, so
 * AddressSanitizer is told that they may not be touched. The depth begins small, as on Windows, and
 * grows by one whenever a block has to be freed because the list is full; Windows grows it by what
 * it sees once a second.
 */
#include "ex/executive.h"
#include "ex/poison.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ke/warning.h"
#include "verifier/level.h"
#include "verifier/resident.h"

#define DEPTH_FIRST 4
#define LINK_BYTES sizeof(PVOID)

/* All three kinds of list share the fields of this one. */
typedef GENERAL_LOOKASIDE_POOL lookaside;

C_ASSERT(FIELD_OFFSET(GENERAL_LOOKASIDE, ListEntry) ==
         FIELD_OFFSET(GENERAL_LOOKASIDE_POOL, ListEntry));

static lookaside *fields_of(void *list)
{
    return list;
}

/* Whether the driver allocates the blocks itself. A list of the newer kind has NULL otherwise. */
static bool has_own_routine(const lookaside *list)
{
    return list->Allocate != NULL && list->Allocate != ExAllocatePoolWithTag;
}

static void count(ULONG *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* ---- preparing and deleting ---- */

static void check_prepared(void *list, size_t list_bytes, SIZE_T size, USHORT depth,
                           const void *creator)
{
    if (size < LOOKASIDE_MINIMUM_BLOCK_SIZE) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xCD, (ULONG_PTR)list, size,
                    LOOKASIDE_MINIMUM_BLOCK_SIZE, "POOL-43",
                    "The driver prepared the lookaside list %p for entries of %llu bytes; the "
                    "least is %u.",
                    list, (unsigned long long)size, LOOKASIDE_MINIMUM_BLOCK_SIZE);
    }
    verifier_check_object(list, "lookaside list", 0xE1, "POOL-42");
    if (depth != 0) {
        ke_warning("POOL-42", "the driver gave the lookaside list %p a depth of %u; it must be 0",
                   list, depth);
    }
    struct ex_registry_entry entry = {
        .kind = EX_LOOKASIDE, .object = list, .bytes = list_bytes, .creator = creator};
    if (!ex_registry_add(&entry)) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xCA, (ULONG_PTR)list, 0, 0, "POOL-52",
                    "The driver prepared the lookaside list %p again without deleting it.", list);
    }
}

static void prepare(lookaside *list, POOL_TYPE type, SIZE_T size, ULONG tag)
{
    RtlZeroMemory(list, sizeof(*list));
    InitializeSListHead(&list->ListHead);
    list->Depth = DEPTH_FIRST;
    list->MaximumDepth = EX_MAXIMUM_LOOKASIDE_DEPTH_BASE;
    list->Type = type;
    list->Tag = tag;
    list->Size = (ULONG)size;
    InitializeListHead(&list->ListEntry);
}

static void forget(void *list)
{
    if (!ex_registry_remove(EX_LOOKASIDE, list, NULL)) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xCB, (ULONG_PTR)list, 0, 0, "POOL-52",
                    "The driver deleted the lookaside list %p, which was not prepared.", list);
    }
}

/* ---- blocks ---- */

static void shield(const lookaside *list, UCHAR *block)
{
    if (!has_own_routine(list) && list->Size > LINK_BYTES) {
        ex_poison(block + LINK_BYTES, list->Size - LINK_BYTES);
    }
}

static void unshield(const lookaside *list, UCHAR *block)
{
    if (!has_own_routine(list) && list->Size > LINK_BYTES) {
        ex_unpoison(block + LINK_BYTES, list->Size - LINK_BYTES);
    }
}

/* A cached block, or NULL. */
static void *take_cached(lookaside *list)
{
    count(&list->TotalAllocates);
    void *block = InterlockedPopEntrySList(&list->ListHead);
    if (block != NULL) {
        unshield(list, block);
    } else {
        count(&list->AllocateMisses);
    }
    return block;
}

/* Caches the block unless the list is full; then the caller frees it. */
static bool put_cached(lookaside *list, void *block)
{
    USHORT depth = __atomic_load_n(&list->Depth, __ATOMIC_RELAXED);
    count(&list->TotalFrees);
    if (ExQueryDepthSList(&list->ListHead) >= depth) {
        count(&list->FreeMisses);
        if (depth < list->MaximumDepth) {
            __atomic_store_n(&list->Depth, (USHORT)(depth + 1), __ATOMIC_RELAXED);
        }
        return false;
    }
    shield(list, block);
    InterlockedPushEntrySList(&list->ListHead, block);
    return true;
}

static bool is_paged(POOL_TYPE type)
{
    return ((ULONG)type & PagedPool) != 0;
}

/* What a driver's own routine delivered; of memory that is no pool nothing is known. */
static void *check_delivered(const lookaside *list, void *block)
{
    struct ex_pool_info info;
    if (block == NULL || !verifier_is_on() || !ex_pool_find_start(block, &info)) {
        return block;
    }
    if (info.bytes < list->Size || is_paged(info.type) != is_paged(list->Type)) {
        ke_violation(BAD_POOL_CALLER, 0x46, (ULONG_PTR)block, info.bytes, (ULONG_PTR)info.type,
                     "POOL-47",
                     "The allocate routine of the lookaside list %p delivered %llu bytes of %s "
                     "pool; the list's blocks are %u bytes of %s pool.",
                     (const void *)list, (unsigned long long)info.bytes,
                     is_paged(info.type) ? "paged" : "non-paged", list->Size,
                     is_paged(list->Type) ? "paged" : "non-paged");
    }
    if (info.tag != list->Tag) {
        ke_warning("POOL-47",
                   "the allocate routine of the lookaside list %p delivered a block with the tag "
                   "0x%08X; the list's is 0x%08X",
                   (const void *)list, info.tag, list->Tag);
    }
    return block;
}

static void *allocate(lookaside *list, const void *creator)
{
    void *block = take_cached(list);
    if (block != NULL) {
        return block;
    }
    return has_own_routine(list)
               ? check_delivered(list, list->Allocate(list->Type, list->Size, list->Tag))
               : ex_pool_allocate(list->Type, list->Size, list->Tag, creator);
}

static void release(lookaside *list, void *block, const void *freer)
{
    if (list->Free == ExFreePool) {
        ex_pool_free(block, has_own_routine(list) ? 0 : list->Tag, freer);
    } else {
        list->Free(block);
    }
}

typedef void release_routine(lookaside *list, void *block, const void *freer);

/* Frees what is cached. */
static void flush(lookaside *list, release_routine *release_block, const void *freer)
{
    PSLIST_ENTRY block = InterlockedFlushSList(&list->ListHead);
    while (block != NULL) {
        PSLIST_ENTRY next = block->Next;
        unshield(list, (UCHAR *)block);
        release_block(list, block, freer);
        block = next;
    }
}

static void set_routines(lookaside *list, PALLOCATE_FUNCTION allocate_routine,
                         PFREE_FUNCTION free_routine)
{
    list->Allocate = allocate_routine != NULL ? allocate_routine : ExAllocatePoolWithTag;
    list->Free = free_routine != NULL ? free_routine : ExFreePool;
}

/* ---- non-paged ---- */

/*
 * Prepares a list of blocks of Size bytes of non-paged pool. Allocate and Free may be NULL for
 * pool's own; Flags may be POOL_RAISE_IF_ALLOCATION_FAILURE and POOL_NX_ALLOCATION; Depth is 0.
 * IRQL <= DISPATCH_LEVEL. (POOL-41 to POOL-44)
 */
VOID(ExInitializeNPagedLookasideList)
(PNPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free, ULONG Flags,
 SIZE_T Size, ULONG Tag, USHORT Depth)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_prepared(Lookaside, sizeof(*Lookaside), Size, Depth, _ReturnAddress());
    prepare(fields_of(Lookaside), (POOL_TYPE)(NonPagedPool | Flags), Size, Tag);
    set_routines(fields_of(Lookaside), Allocate, Free);
}

/* Frees what the list holds; blocks that are out stay the driver's. IRQL <= DISPATCH. (POOL-51) */
VOID(ExDeleteNPagedLookasideList)(PNPAGED_LOOKASIDE_LIST Lookaside)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    forget(Lookaside);
    flush(fields_of(Lookaside), release, _ReturnAddress());
}

/* The block freed last, or a new one, or NULL. IRQL <= DISPATCH_LEVEL. (POOL-45) */
PVOID(ExAllocateFromNPagedLookasideList)(PNPAGED_LOOKASIDE_LIST Lookaside)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return allocate(fields_of(Lookaside), _ReturnAddress());
}

/* Gives a block back to the list. IRQL <= DISPATCH_LEVEL. (POOL-46) */
VOID(ExFreeToNPagedLookasideList)(PNPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (!put_cached(fields_of(Lookaside), Entry)) {
        release(fields_of(Lookaside), Entry, _ReturnAddress());
    }
}

/* ---- paged ---- */

/* As ExInitializeNPagedLookasideList, of paged pool. IRQL <= APC_LEVEL. */
VOID(ExInitializePagedLookasideList)
(PPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free, ULONG Flags,
 SIZE_T Size, ULONG Tag, USHORT Depth)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    check_prepared(Lookaside, sizeof(*Lookaside), Size, Depth, _ReturnAddress());
    prepare(fields_of(Lookaside), (POOL_TYPE)(PagedPool | Flags), Size, Tag);
    set_routines(fields_of(Lookaside), Allocate, Free);
}

/* As ExDeleteNPagedLookasideList. IRQL <= APC_LEVEL. */
VOID(ExDeletePagedLookasideList)(PPAGED_LOOKASIDE_LIST Lookaside)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    forget(Lookaside);
    flush(fields_of(Lookaside), release, _ReturnAddress());
}

/* As ExAllocateFromNPagedLookasideList. IRQL <= APC_LEVEL. */
PVOID(ExAllocateFromPagedLookasideList)(PPAGED_LOOKASIDE_LIST Lookaside)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    return allocate(fields_of(Lookaside), _ReturnAddress());
}

/* As ExFreeToNPagedLookasideList. IRQL <= APC_LEVEL. */
VOID(ExFreeToPagedLookasideList)(PPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    if (!put_cached(fields_of(Lookaside), Entry)) {
        release(fields_of(Lookaside), Entry, _ReturnAddress());
    }
}

/* ---- the newer kind ---- */

#define FLAGS_EX                                                                                   \
    (EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL | EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE)

static void release_ex(lookaside *list, void *block, const void *freer)
{
    if (list->FreeEx != NULL) {
        list->FreeEx(block, CONTAINING_RECORD(list, LOOKASIDE_LIST_EX, L));
    } else {
        ex_pool_free(block, has_own_routine(list) ? 0 : list->Tag, freer);
    }
}

static bool is_pool_type(POOL_TYPE type)
{
    return type == NonPagedPool || type == PagedPool || type == NonPagedPoolNx;
}

/* The bits that tell an allocate routine how to fail. */
static ULONG failure_bits(ULONG flags)
{
    if ((flags & EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL) != 0) {
        return POOL_RAISE_IF_ALLOCATION_FAILURE;
    }
    return (flags & EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE) != 0
               ? POOL_QUOTA_FAIL_INSTEAD_OF_RAISE
               : 0;
}

static void check_routines(const void *list, PALLOCATE_FUNCTION_EX allocate_routine, ULONG flags)
{
    if (allocate_routine == NULL && (flags & EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE) != 0) {
        ke_warning("POOL-49",
                   "the driver gave the lookaside list %p the flag FAIL_NO_RAISE, but no allocate "
                   "routine",
                   list);
    }
}

/*
 * Prepares a list of blocks of Size bytes. Allocate and Free may be NULL for pool's own. IRQL <=
 * DISPATCH_LEVEL. STATUS_SUCCESS, STATUS_INVALID_PARAMETER_4 for another PoolType than non-paged
 * and paged, STATUS_INVALID_PARAMETER_5 for bad Flags. (POOL-48)
 */
NTSTATUS(ExInitializeLookasideListEx)
(PLOOKASIDE_LIST_EX Lookaside, PALLOCATE_FUNCTION_EX Allocate, PFREE_FUNCTION_EX Free,
 POOL_TYPE PoolType, ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (!is_pool_type(PoolType)) {
        return STATUS_INVALID_PARAMETER_4;
    }
    if ((Flags & ~(ULONG)FLAGS_EX) != 0 || Flags == FLAGS_EX) {
        return STATUS_INVALID_PARAMETER_5;
    }
    check_routines(Lookaside, Allocate, Flags);
    check_prepared(Lookaside, sizeof(*Lookaside), Size, Depth, _ReturnAddress());
    prepare(&Lookaside->L, (POOL_TYPE)((ULONG)PoolType | failure_bits(Flags)), Size, Tag);
    Lookaside->L.AllocateEx = Allocate;
    Lookaside->L.FreeEx = Free;
    return STATUS_SUCCESS;
}

/* Frees what the list holds. IRQL <= DISPATCH_LEVEL. (POOL-51) */
VOID(ExDeleteLookasideListEx)(PLOOKASIDE_LIST_EX Lookaside)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    forget(Lookaside);
    flush(&Lookaside->L, release_ex, _ReturnAddress());
}

/* Frees what the list holds and goes on. IRQL <= DISPATCH_LEVEL. */
VOID(ExFlushLookasideListEx)(PLOOKASIDE_LIST_EX Lookaside)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    flush(&Lookaside->L, release_ex, _ReturnAddress());
}

/* The block freed last, or a new one, or NULL. IRQL <= DISPATCH_LEVEL. (POOL-45) */
PVOID(ExAllocateFromLookasideListEx)(PLOOKASIDE_LIST_EX Lookaside)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    lookaside *list = &Lookaside->L;
    void *block = take_cached(list);
    if (block != NULL) {
        return block;
    }
    return has_own_routine(list)
               ? check_delivered(list,
                                 list->AllocateEx(list->Type, list->Size, list->Tag, Lookaside))
               : ex_pool_allocate(list->Type, list->Size, list->Tag, _ReturnAddress());
}

/* Gives a block back to the list. IRQL <= DISPATCH_LEVEL. (POOL-46) */
VOID(ExFreeToLookasideListEx)(PLOOKASIDE_LIST_EX Lookaside, PVOID Entry)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (!put_cached(&Lookaside->L, Entry)) {
        release_ex(&Lookaside->L, Entry, _ReturnAddress());
    }
}
