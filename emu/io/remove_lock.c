/*
 * Remove locks count who uses a device: one for the device's life, one for each that acquired. The
 * count that reaches zero after the removal began signals the remover.
 *
 * Windows' free builds keep no more than the count, and so does the lock here. At level full each
 * acquisition that was not released is known by its lock and tag, from the acquire until the
 * release that gives the same tag, so that a release with another is caught, and a remover that
 * waits for ever is told whom it waits for. Such a record outlives a lock whose memory went while
 * it was held; whoever initialises a lock at that address again drops it.
 */
#include "io/remove_lock.h"

#include "base/log.h"
#include "base/stack.h"
#include "io/io.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ke/patience.h"
#include "verifier/level.h"
#include "verifier/object.h"

#include <stdio.h>
#include <stdlib.h>

#define RELEASED_WRONGLY 0xD5 /* the first parameters of bug check 0xC4 */
#define AWAITED_WRONGLY 0xD6

/* An acquisition that was not released. */
struct io_hold {
    struct io_hold *next; /* in its bucket */
    const IO_REMOVE_LOCK *lock;
    const void *tag;
    const void *site; /* who acquired */
};

/* Who waits for a removal; on the waiter's stack. */
struct io_remover {
    LIST_ENTRY link;
    const IO_REMOVE_LOCK *lock;
};

/* ---- who holds them ---- */

static struct io_hold **bucket_of(struct io_remove_locks *locks, const void *lock, const void *tag)
{
    ULONG_PTR mixed = ((ULONG_PTR)lock >> 3) + (ULONG_PTR)tag * 31;
    return &locks->bucket[(mixed * 0x9E3779B97F4A7C15ULL >> 40) % IO_HOLD_BUCKETS];
}

static void note_hold(const IO_REMOVE_LOCK *lock, const void *tag, const void *site)
{
    struct io_remove_locks *locks = &io_state()->remove_locks;
    struct io_hold *hold = malloc(sizeof(*hold));
    base_mutex_lock(&locks->lock);
    if (hold != NULL) {
        struct io_hold **bucket = bucket_of(locks, lock, tag);
        *hold = (struct io_hold){.next = *bucket, .lock = lock, .tag = tag, .site = site};
        *bucket = hold;
    } else {
        locks->is_incomplete = true;
    }
    base_mutex_unlock(&locks->lock);
}

/* Takes the last acquisition with that tag out, which the caller frees; NULL if there is none. */
static struct io_hold *take_hold(const IO_REMOVE_LOCK *lock, const void *tag)
{
    struct io_remove_locks *locks = &io_state()->remove_locks;
    base_mutex_lock(&locks->lock);
    struct io_hold **link = bucket_of(locks, lock, tag);
    while (*link != NULL && ((*link)->lock != lock || (*link)->tag != tag)) {
        link = &(*link)->next;
    }
    struct io_hold *hold = *link;
    if (hold != NULL) {
        *link = hold->next;
    }
    base_mutex_unlock(&locks->lock);
    return hold;
}

/* Some acquisition of the lock; no tag if nobody is known to hold it. */
static struct io_hold find_hold(const IO_REMOVE_LOCK *lock, bool *is_known)
{
    struct io_remove_locks *locks = &io_state()->remove_locks;
    struct io_hold found = {0};
    base_mutex_lock(&locks->lock);
    for (unsigned i = 0; i < IO_HOLD_BUCKETS; i++) {
        for (const struct io_hold *hold = locks->bucket[i]; hold != NULL; hold = hold->next) {
            found = hold->lock == lock ? *hold : found;
        }
    }
    *is_known = found.lock != NULL && !locks->is_incomplete;
    base_mutex_unlock(&locks->lock);
    return found;
}

/* Of that lock; NULL: of all. */
static void drop_holds(struct io_remove_locks *locks, const IO_REMOVE_LOCK *lock)
{
    base_mutex_lock(&locks->lock);
    for (unsigned i = 0; i < IO_HOLD_BUCKETS; i++) {
        struct io_hold **link = &locks->bucket[i];
        while (*link != NULL) {
            struct io_hold *hold = *link;
            if (lock != NULL && hold->lock != lock) {
                link = &hold->next;
                continue;
            }
            *link = hold->next;
            free(hold);
        }
    }
    base_mutex_unlock(&locks->lock);
}

/* The lock is held. */
static void print_holds(const struct io_remove_locks *locks, const IO_REMOVE_LOCK *lock)
{
    if (!verifier_is_full()) {
        base_log("    who acquired it is recorded with WSKEMU_VERIFIER=full\n");
    }
    for (unsigned i = 0; i < IO_HOLD_BUCKETS; i++) {
        for (const struct io_hold *hold = locks->bucket[i]; hold != NULL; hold = hold->next) {
            if (hold->lock == lock) {
                base_log("    acquired with tag %p by %s\n", hold->tag,
                         base_stack_site(hold->site).text);
            }
        }
    }
}

/* For reports: the locks whose removal waits. */
static unsigned list_awaited(void *context)
{
    struct io_remove_locks *locks = context;
    unsigned count = 0;
    if (!verifier_lock(&locks->lock)) {
        return 0;
    }
    for (LIST_ENTRY *entry = locks->removers.Flink; entry != &locks->removers;
         entry = entry->Flink) {
        const struct io_remover *remover = CONTAINING_RECORD(entry, struct io_remover, link);
        base_log("pending: remove lock %p\n", (const void *)remover->lock);
        print_holds(locks, remover->lock);
        count++;
    }
    base_mutex_unlock(&locks->lock);
    return count;
}

void io_remove_locks_start(struct io_remove_locks *locks)
{
    base_mutex_init(&locks->lock);
    InitializeListHead(&locks->removers);
    verifier_finder_add(NULL, list_awaited, locks);
}

void io_remove_locks_stop(struct io_remove_locks *locks)
{
    drop_holds(locks, NULL);
    base_mutex_destroy(&locks->lock);
}

/* A tag with which nobody acquired, while others hold the lock. */
static void report_tag(const IO_REMOVE_LOCK *lock, const void *tag, const struct io_hold *held,
                       ULONG code)
{
    ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, code, (ULONG_PTR)lock, (ULONG_PTR)tag,
                 code == AWAITED_WRONGLY ? (ULONG_PTR)held->tag : 0, "FAST-49",
                 "The driver released the remove lock %p with the tag %p, with which it was not "
                 "acquired; it is held with the tag %p, acquired by %s.",
                 (const void *)lock, tag, held->tag, base_stack_site(held->site).text);
}

/* The caller is about to release. */
static void forget_hold(const IO_REMOVE_LOCK *lock, const void *tag, ULONG code)
{
    bool is_known;
    if (!verifier_is_full()) {
        return;
    }
    struct io_hold *hold = take_hold(lock, tag);
    if (hold == NULL) {
        struct io_hold held = find_hold(lock, &is_known);
        if (is_known) {
            report_tag(lock, tag, &held, code);
            hold = take_hold(lock, held.tag); /* one of them has gone all the same */
        }
    }
    free(hold);
}

/* ---- the locks ---- */

/* Prepares a remove lock. The tag, time and watermark are for checked builds. PASSIVE_LEVEL. */
VOID IoInitializeRemoveLockEx(PIO_REMOVE_LOCK Lock, ULONG AllocateTag, ULONG MaxLockedMinutes,
                              ULONG HighWatermark, ULONG RemlockSize)
{
    UNREFERENCED_PARAMETER(AllocateTag);
    UNREFERENCED_PARAMETER(MaxLockedMinutes);
    UNREFERENCED_PARAMETER(HighWatermark);
    UNREFERENCED_PARAMETER(RemlockSize);
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (verifier_is_full()) {
        drop_holds(&io_state()->remove_locks, Lock);
    }
    Lock->Common.Removed = FALSE;
    Lock->Common.IoCount = 1;
    KeInitializeEvent(&Lock->Common.RemoveEvent, SynchronizationEvent, FALSE);
}

static bool is_removed(const IO_REMOVE_LOCK *lock)
{
    return __atomic_load_n(&lock->Common.Removed, __ATOMIC_SEQ_CST) != FALSE;
}

static void drop(PIO_REMOVE_LOCK lock, PVOID tag)
{
    LONG left = InterlockedDecrement(&lock->Common.IoCount);
    if (left < 0 || (left == 0 && !is_removed(lock))) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, RELEASED_WRONGLY, (ULONG_PTR)lock,
                    (ULONG_PTR)tag, 0, "FAST-49",
                    "The driver released the remove lock %p more often than it acquired it.",
                    (void *)lock);
    }
    if (left == 0) {
        KeSetEvent(&lock->Common.RemoveEvent, IO_NO_INCREMENT, FALSE);
    }
}

/*
 * Acquires the lock: STATUS_SUCCESS, or STATUS_DELETE_PENDING once removal has begun.
 * IRQL <= DISPATCH_LEVEL. (FAST-48)
 */
NTSTATUS IoAcquireRemoveLockEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, PCSTR File, ULONG Line,
                               ULONG RemlockSize)
{
    UNREFERENCED_PARAMETER(File);
    UNREFERENCED_PARAMETER(Line);
    UNREFERENCED_PARAMETER(RemlockSize);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    InterlockedIncrement(&RemoveLock->Common.IoCount);
    if (is_removed(RemoveLock)) {
        drop(RemoveLock, Tag);
        return STATUS_DELETE_PENDING;
    }
    if (verifier_is_full()) {
        note_hold(RemoveLock, Tag, _ReturnAddress());
    }
    return STATUS_SUCCESS;
}

/* Releases what IoAcquireRemoveLock acquired. IRQL <= DISPATCH_LEVEL. (FAST-49) */
VOID IoReleaseRemoveLockEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, ULONG RemlockSize)
{
    UNREFERENCED_PARAMETER(RemlockSize);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    forget_hold(RemoveLock, Tag, RELEASED_WRONGLY);
    drop(RemoveLock, Tag);
}

/* Called for a report, while the remover sleeps. */
static void describe(const struct ke_reason *reason, char *text, size_t bytes)
{
    const IO_REMOVE_LOCK *lock = reason->object;
    snprintf(text, bytes, "the remove lock %p, acquired %ld times without release",
             (const void *)lock, (long)__atomic_load_n(&lock->Common.IoCount, __ATOMIC_SEQ_CST));
}

static void wait_for_others(PIO_REMOVE_LOCK lock)
{
    struct io_remove_locks *locks = &io_state()->remove_locks;
    struct io_remover remover = {.lock = lock};
    struct ke_reason reason = {
        .what = "the remove lock", .object = lock, .rule = "FAST-49", .describe = describe};
    base_mutex_lock(&locks->lock);
    InsertTailList(&locks->removers, &remover.link);
    base_mutex_unlock(&locks->lock);
    ke_reason_begin(&reason);
    KeWaitForSingleObject(&lock->Common.RemoveEvent, Executive, KernelMode, FALSE, NULL);
    ke_reason_end(&reason);
    base_mutex_lock(&locks->lock);
    RemoveEntryList(&remover.link);
    base_mutex_unlock(&locks->lock);
}

/* Refuses newcomers, releases the caller's own and waits for all others. PASSIVE_LEVEL. */
VOID IoReleaseRemoveLockAndWaitEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, ULONG RemlockSize)
{
    UNREFERENCED_PARAMETER(RemlockSize);
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    forget_hold(RemoveLock, Tag, AWAITED_WRONGLY);
    __atomic_store_n(&RemoveLock->Common.Removed, TRUE, __ATOMIC_SEQ_CST);
    drop(RemoveLock, Tag);
    if (InterlockedDecrement(&RemoveLock->Common.IoCount) > 0) {
        wait_for_others(RemoveLock);
    }
}
