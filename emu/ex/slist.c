/*
 * Sequenced lists: last in, first out, from any number of threads at any IRQL.
 *
 * The header has Windows' layout: depth and sequence in one word, the first entry in the other. The
 * low bits of the entry's word, zero on Windows, lock the header for the few instructions of an
 * operation: bit 0 while it is locked, bit 1 once somebody sleeps for it. So no entry is read that
 * another thread may have freed meanwhile, which a lock-free pop would do.
 */
#include "ke/address.h"
#include "ke/thread.h"
#include "ke/warning.h"
#include "verifier/resident.h"

#define LOCKED 0x1ULL
#define CONTENDED 0x2ULL
#define LOCK_BITS 0xFULL

#define DEPTH_MASK 0xFFFFULL
#define SEQUENCE_ONE 0x10000ULL

static bool try_swap(PSLIST_HEADER list, ULONG64 from, ULONG64 to)
{
    return __atomic_compare_exchange_n(&list->Region, &from, to, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_RELAXED);
}

static ULONG64 load(const SLIST_HEADER *list)
{
    return __atomic_load_n(&list->Region, __ATOMIC_ACQUIRE);
}

static void lock_contended(PSLIST_HEADER list)
{
    for (;;) {
        ULONG64 word = load(list);
        if ((word & LOCKED) == 0) {
            if (try_swap(list, word, word | LOCKED | CONTENDED)) {
                return;
            }
        } else if ((word & CONTENDED) != 0 || try_swap(list, word, word | CONTENDED)) {
            ke_address_wait(&list->Region, sizeof(list->Region), word | CONTENDED, false);
        }
    }
}

/* Locks the list and returns its first entry. */
static PSLIST_ENTRY lock(PSLIST_HEADER list)
{
    ULONG64 word = load(list);
    if ((word & LOCKED) != 0 || !try_swap(list, word, word | LOCKED)) {
        lock_contended(list);
    }
    return (PSLIST_ENTRY)(ULONG_PTR)(load(list) & ~LOCK_BITS);
}

/* Makes first the first entry and unlocks the list, which may be gone afterwards. */
static void unlock(PSLIST_HEADER list, PSLIST_ENTRY first)
{
    ULONG64 before =
        __atomic_exchange_n(&list->Region, (ULONG64)(ULONG_PTR)first, __ATOMIC_SEQ_CST);
    if ((before & CONTENDED) != 0) {
        ke_address_wake(&list->Region, false);
    }
}

/* Sets the depth and counts the operation. The list is locked. */
static void set_depth(PSLIST_HEADER list, ULONG64 depth)
{
    ULONG64 sequence = (list->Alignment & ~DEPTH_MASK) + SEQUENCE_ONE;
    __atomic_store_n(&list->Alignment, sequence | (depth & DEPTH_MASK), __ATOMIC_RELAXED);
}

static ULONG64 depth_of(const SLIST_HEADER *list)
{
    return __atomic_load_n(&list->Alignment, __ATOMIC_RELAXED) & DEPTH_MASK;
}

BASE_COLD static void refuse_alignment(const volatile void *address)
{
    ke_warning("RTL-57",
               "the driver used a list head or entry at %p, which is not aligned to %u bytes; that "
               "raises STATUS_DATATYPE_MISALIGNMENT",
               (const void *)(ULONG_PTR)address, MEMORY_ALLOCATION_ALIGNMENT);
    ExRaiseStatus(STATUS_DATATYPE_MISALIGNMENT);
}

static void check_alignment(const volatile void *address)
{
    if ((ULONG_PTR)address % MEMORY_ALLOCATION_ALIGNMENT != 0) {
        refuse_alignment(address);
    }
}

/* Makes the list empty. Raises STATUS_DATATYPE_MISALIGNMENT unless it is 16-byte aligned. */
VOID(InitializeSListHead)(PSLIST_HEADER SListHead)
{
    check_alignment(SListHead);
    SListHead->Alignment = 0;
    __atomic_store_n(&SListHead->Region, 0, __ATOMIC_RELEASE);
}

/* The first entry, which another thread may take at any time, or NULL. */
PSLIST_ENTRY(FirstEntrySList)(const SLIST_HEADER *SListHead)
{
    return (PSLIST_ENTRY)(ULONG_PTR)(load(SListHead) & ~LOCK_BITS);
}

/* Puts ListEntry (16-byte aligned) first; returns what was first, NULL if nothing. Any IRQL. */
PSLIST_ENTRY(InterlockedPushEntrySList)(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry)
{
    ke_current();
    check_alignment(ListEntry);
    verifier_check_touch(ListEntry, "InterlockedPushEntrySList", "RTL-55");
    PSLIST_ENTRY first = lock(ListHead);
    ListEntry->Next = first;
    set_depth(ListHead, depth_of(ListHead) + 1);
    unlock(ListHead, ListEntry);
    return first;
}

/* Takes the first entry; NULL if the list is empty. Any IRQL. */
PSLIST_ENTRY(InterlockedPopEntrySList)(PSLIST_HEADER ListHead)
{
    ke_current();
    if ((load(ListHead) & ~LOCK_BITS) == 0) {
        return NULL;
    }
    PSLIST_ENTRY first = lock(ListHead);
    if (first != NULL) {
        set_depth(ListHead, depth_of(ListHead) - 1);
    }
    unlock(ListHead, first != NULL ? first->Next : NULL);
    return first;
}

/* Takes all entries, linked by Next; NULL if the list is empty. Any IRQL. */
PSLIST_ENTRY(InterlockedFlushSList)(PSLIST_HEADER ListHead)
{
    ke_current();
    PSLIST_ENTRY first = lock(ListHead);
    set_depth(ListHead, 0);
    unlock(ListHead, NULL);
    return first;
}

/* The number of entries, modulo 65536. Any IRQL. */
USHORT(ExQueryDepthSList)(PSLIST_HEADER SListHead)
{
    return (USHORT)depth_of(SListHead);
}

/* As InterlockedPushEntrySList. */
PSLIST_ENTRY ExpInterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry)
{
    return (InterlockedPushEntrySList)(ListHead, ListEntry);
}

/* As InterlockedPopEntrySList. */
PSLIST_ENTRY ExpInterlockedPopEntrySList(PSLIST_HEADER ListHead)
{
    return (InterlockedPopEntrySList)(ListHead);
}

/* As InterlockedFlushSList. */
PSLIST_ENTRY ExpInterlockedFlushSList(PSLIST_HEADER ListHead)
{
    return (InterlockedFlushSList)(ListHead);
}
