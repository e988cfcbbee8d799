/*
 * Executive resources: locks for readers and writers, recursive, with owners.
 *
 * Resource->SpinLock guards all fields for a few instructions at a time. The exclusive owner, or
 * the first shared one, stands in OwnerEntry, further shared owners in OwnerTable, whose first
 * entry holds the table's size. Whoever has to wait parks at Reserved2, which counts releases; each
 * release wakes all that wait, and they look again under the lock. SharedWaiters counts those that
 * a conversion has let in and that have not run since; nobody gets the resource alone before them.
 */
#include "ex/executive.h"
#include "ke/address.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ke/patience.h"
#include "ke/spin_lock.h"
#include "verifier/lock_order.h"
#include "verifier/resident.h"

#include <stdlib.h>

#define TABLE_FIRST 8

/* What a request asks for. */
enum wish { SHARED, SHARED_STARVE_EXCLUSIVE, SHARED_WAIT_FOR_EXCLUSIVE, EXCLUSIVE };

static void lock(PERESOURCE resource)
{
    ke_spin_lock_acquire(&resource->SpinLock);
}

static void unlock(PERESOURCE resource)
{
    ke_spin_lock_release(&resource->SpinLock);
}

static ERESOURCE_THREAD current_owner(void)
{
    return (ERESOURCE_THREAD)ke_current();
}

/* ---- owners; the lock is held ---- */

static bool is_exclusive(const ERESOURCE *resource)
{
    return (resource->Flag & ResourceOwnedExclusive) != 0;
}

static ULONG table_size(const ERESOURCE *resource)
{
    return resource->OwnerTable == NULL ? 0 : resource->OwnerTable[0].TableSize;
}

/* The entry of an owner, or with owner 0 a free one; NULL if there is none. */
static POWNER_ENTRY find(PERESOURCE resource, ERESOURCE_THREAD owner)
{
    if (resource->OwnerEntry.OwnerThread == owner) {
        return &resource->OwnerEntry;
    }
    for (ULONG i = 1; i < table_size(resource); i++) {
        if (resource->OwnerTable[i].OwnerThread == owner) {
            return &resource->OwnerTable[i];
        }
    }
    return NULL;
}

static void grow(PERESOURCE resource)
{
    ULONG size = table_size(resource);
    ULONG larger = size == 0 ? TABLE_FIRST : size * 2;
    POWNER_ENTRY table = realloc(resource->OwnerTable, larger * sizeof(OWNER_ENTRY));
    if (table == NULL) {
        abort();
    }
    RtlZeroMemory(table + size, (larger - size) * sizeof(OWNER_ENTRY));
    table[0].TableSize = larger;
    resource->OwnerTable = table;
    ex_registry_set_private(EX_RESOURCE, resource, table);
}

static void add_owner(PERESOURCE resource, ERESOURCE_THREAD owner)
{
    POWNER_ENTRY entry = find(resource, 0);
    if (entry == NULL) {
        grow(resource);
        entry = find(resource, 0);
    }
    entry->OwnerThread = owner;
    entry->OwnerCount = 1;
    resource->ActiveEntries++;
    resource->ActiveCount = 1;
}

/* ---- acquiring ---- */

/* Whether one that does not own the resource may share it now. */
static bool admits_sharer(const ERESOURCE *resource, enum wish wish)
{
    if (resource->ActiveEntries == 0) {
        return wish != SHARED_WAIT_FOR_EXCLUSIVE || resource->NumberOfExclusiveWaiters == 0;
    }
    return !is_exclusive(resource) &&
           (wish == SHARED_STARVE_EXCLUSIVE || resource->NumberOfExclusiveWaiters == 0);
}

/* Whether an owner may have it once more. */
static bool admits_again(const ERESOURCE *resource, enum wish wish)
{
    if (is_exclusive(resource)) {
        return true;
    }
    return wish == SHARED || wish == SHARED_STARVE_EXCLUSIVE ||
           (wish == SHARED_WAIT_FOR_EXCLUSIVE && resource->NumberOfExclusiveWaiters == 0);
}

static ULONG_PTR let_in(const ERESOURCE *resource)
{
    return (ULONG_PTR)resource->SharedWaiters;
}

static bool admits(const ERESOURCE *resource, enum wish wish, bool is_owner)
{
    if (is_owner) {
        return admits_again(resource, wish);
    }
    return wish == EXCLUSIVE ? resource->ActiveEntries == 0 && let_in(resource) == 0
                             : admits_sharer(resource, wish);
}

/* Notes the calling thread as an owner, once or once more. */
static void grant(PERESOURCE resource, POWNER_ENTRY entry)
{
    if (entry != NULL) {
        entry->OwnerCount++;
    } else {
        add_owner(resource, current_owner());
    }
}

/* Takes the resource if the wish can be granted now. The lock is held. */
static bool try_grant(PERESOURCE resource, enum wish wish)
{
    POWNER_ENTRY entry = find(resource, current_owner());
    if (!admits(resource, wish, entry != NULL)) {
        return false;
    }
    grant(resource, entry);
    if (wish == EXCLUSIVE) {
        resource->Flag |= ResourceOwnedExclusive;
    }
    return true;
}

/* Takes the resource if a conversion let the calling thread in. The lock is held. */
static bool enter_if_let_in(PERESOURCE resource, enum wish wish)
{
    if (wish == EXCLUSIVE || let_in(resource) == 0) {
        return false;
    }
    resource->SharedWaiters = (PVOID)(let_in(resource) - 1);
    grant(resource, find(resource, current_owner()));
    return true;
}

static ULONG_PTR releases_of(const ERESOURCE *resource)
{
    return (ULONG_PTR)__atomic_load_n(&resource->Reserved2, __ATOMIC_SEQ_CST);
}

static void check_not_sharer(PERESOURCE resource)
{
    if (find(resource, current_owner()) != NULL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1000, (ULONG_PTR)resource, 0, 0,
                    "FAST-20",
                    "The driver asked for the resource %p exclusively in a thread that owns it "
                    "shared. On Windows it would wait for ever.",
                    (void *)resource);
    }
}

/* The n-th owner, in a resource that nobody is changing: all who might, wait. */
static const void *holder_of(const void *object, unsigned n)
{
    const ERESOURCE *resource = object;
    const OWNER_ENTRY *entry = &resource->OwnerEntry;
    for (ULONG i = 1; entry != NULL; i++) {
        if (entry->OwnerThread != 0 && n-- == 0) {
            return (const void *)entry->OwnerThread;
        }
        entry = i < table_size(resource) ? &resource->OwnerTable[i] : NULL;
    }
    return NULL;
}

/* Waits until the wish is granted. The lock is held on entry and on return. */
static void wait_for_grant(PERESOURCE resource, enum wish wish)
{
    ULONG *waiters =
        wish == EXCLUSIVE ? &resource->NumberOfExclusiveWaiters : &resource->NumberOfSharedWaiters;
    if (wish == EXCLUSIVE) {
        check_not_sharer(resource);
    }
    struct ke_reason reason = {.what = "the resource",
                               .object = resource,
                               .kind = KE_REASON_LOCK,
                               .rule = "MUTEX-12",
                               .holder = holder_of};
    ke_reason_begin(&reason);
    resource->ContentionCount++;
    ++*waiters;
    for (;;) {
        ULONG_PTR seen = releases_of(resource);
        unlock(resource);
        ke_address_wait(&resource->Reserved2, sizeof(resource->Reserved2), seen, true);
        lock(resource);
        --*waiters;
        if (enter_if_let_in(resource, wish) || try_grant(resource, wish)) {
            ke_reason_end(&reason);
            return;
        }
        ++*waiters;
    }
}

static void check_alignment(PERESOURCE resource)
{
    if ((ULONG_PTR)resource % sizeof(PVOID) != 0) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x3D, 0, 0, (ULONG_PTR)resource, "FAST-16",
                    "The resource %p is not aligned.", (void *)resource);
    }
}

static void check_region(PERESOURCE resource, ULONG verifier_code, const char *what)
{
    const struct _KTHREAD *thread = ke_current();
    if (thread->kernel_apc_disable == 0 && thread->special_apc_disable == 0 &&
        thread->irql < APC_LEVEL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, verifier_code, thread->irql,
                    (ULONG_PTR)thread->kernel_apc_disable, (ULONG_PTR)resource, "FAST-18",
                    "The driver %s the resource %p outside a critical region. Normal kernel APCs "
                    "have to be disabled from before the acquisition until after the release.",
                    what, (void *)resource);
    }
}

static void note_taken(PERESOURCE resource, enum wish wish, const void *site)
{
    if (wish == EXCLUSIVE) {
        verifier_lock_taken(&verifier_resource, resource, site);
    } else {
        verifier_lock_shared(&verifier_resource, resource, site);
    }
}

static BASE_COLD void report_uninitialised(PERESOURCE resource, const char *function)
{
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xD1, (ULONG_PTR)resource, 0, 0, "FAST-17",
                "The driver called %s for the resource %p, which was never initialised, or was "
                "deleted.",
                function, (void *)resource);
}

/* The list stays empty from the initialisation on, until the resource is deleted. */
static void check_initialised(PERESOURCE resource, const char *function)
{
    if (resource->SystemResourcesList.Flink != &resource->SystemResourcesList) {
        report_uninitialised(resource, function);
    }
}

static BOOLEAN acquire(PERESOURCE resource, enum wish wish, BOOLEAN wait, const char *function,
                       const void *site)
{
    check_alignment(resource);
    check_initialised(resource, function);
    check_region(resource, 0x37, "acquired");
    if (wait && wish == EXCLUSIVE) {
        verifier_lock_wanted(&verifier_resource, resource);
    }
    lock(resource);
    bool is_granted = try_grant(resource, wish);
    if (!is_granted && wait) {
        wait_for_grant(resource, wish);
        is_granted = true;
    }
    unlock(resource);
    if (is_granted) {
        note_taken(resource, wish, site);
    }
    return is_granted;
}

/* ---- releasing ---- */

/* Notes a release; returns whether somebody waits. The lock is held. */
static bool note_release(PERESOURCE resource)
{
    ULONG_PTR releases = releases_of(resource) + 1;
    __atomic_store_n(&resource->Reserved2, (PVOID)releases, __ATOMIC_SEQ_CST);
    return resource->NumberOfSharedWaiters != 0 || resource->NumberOfExclusiveWaiters != 0;
}

static void wake(PERESOURCE resource, bool has_waiters)
{
    if (has_waiters) {
        ke_address_wake(&resource->Reserved2, true);
    }
}

/* Takes the last hold of an owner away. The lock is held. */
static void drop(PERESOURCE resource, POWNER_ENTRY entry)
{
    entry->OwnerThread = 0;
    entry->OwnerCount = 0;
    resource->ActiveEntries--;
    if (resource->ActiveEntries == 0) {
        resource->ActiveCount = 0;
        resource->Flag &= (USHORT)~ResourceOwnedExclusive;
    }
}

static void release_for(PERESOURCE resource, ERESOURCE_THREAD owner)
{
    bool has_waiters = false;
    lock(resource);
    POWNER_ENTRY entry = owner == 0 ? NULL : find(resource, owner);
    if (entry == NULL) {
        ke_bugcheck(RESOURCE_NOT_OWNED, (ULONG_PTR)resource, owner, (ULONG_PTR)resource->OwnerTable,
                    0, "FAST-25",
                    "The driver released the resource %p, which the thread %p does not own.",
                    (void *)resource, (void *)owner);
    }
    if (entry->OwnerCount > 1) {
        entry->OwnerCount--;
    } else {
        drop(resource, entry);
        has_waiters = note_release(resource);
    }
    verifier_lock_dropped(resource);
    unlock(resource);
    wake(resource, has_waiters);
}

/* ---- kernel functions ---- */

/* Prepares a resource that nobody owns. IRQL <= DISPATCH_LEVEL. STATUS_SUCCESS. (FAST-15) */
NTSTATUS ExInitializeResourceLite(PERESOURCE Resource)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_alignment(Resource);
    verifier_check_object(Resource, "resource", 0xE1, "FAST-16");
    verifier_lock_initialised(Resource);
    struct ex_registry_entry entry = {.kind = EX_RESOURCE,
                                      .object = Resource,
                                      .bytes = sizeof(*Resource),
                                      .creator = _ReturnAddress()};
    if (!ex_registry_add(&entry)) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xD0, (ULONG_PTR)Resource, 0, 0, "FAST-17",
                    "The driver initialised the resource %p again without deleting it.",
                    (void *)Resource);
    }
    RtlZeroMemory(Resource, sizeof(*Resource));
    InitializeListHead(&Resource->SystemResourcesList);
    return STATUS_SUCCESS;
}

static void check_initialized(bool is_known, PERESOURCE resource, const char *function)
{
    if (!is_known) {
        report_uninitialised(resource, function);
    }
}

/* Makes an initialised resource, which nobody owns, as new. STATUS_SUCCESS. (FAST-15) */
NTSTATUS ExReinitializeResourceLite(PERESOURCE Resource)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    struct ex_registry_entry entry;
    check_initialized(ex_registry_find(Resource, 1, &entry), Resource, __func__);
    POWNER_ENTRY table = Resource->OwnerTable;
    RtlZeroMemory(Resource, sizeof(*Resource));
    InitializeListHead(&Resource->SystemResourcesList);
    Resource->OwnerTable = table;
    return STATUS_SUCCESS;
}

/* Deletes a resource that nobody owns. IRQL <= APC_LEVEL. STATUS_SUCCESS. (FAST-15) */
NTSTATUS ExDeleteResourceLite(PERESOURCE Resource)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    void *table = NULL;
    check_initialized(ex_registry_remove(EX_RESOURCE, Resource, &table), Resource, __func__);
    if (Resource->ActiveEntries != 0) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x100B, (ULONG_PTR)Resource,
                    Resource->OwnerEntry.OwnerThread, 0, "FAST-16",
                    "The driver deleted the resource %p while somebody owns it.", (void *)Resource);
    }
    Resource->OwnerTable = NULL;
    Resource->SystemResourcesList.Flink = NULL;
    free(table);
    return STATUS_SUCCESS;
}

/*
 * Takes the resource alone; TRUE also for the exclusive owner. If another owns it: FALSE, or with
 * Wait TRUE waits. In a critical region, IRQL <= APC_LEVEL. (FAST-19)
 */
BOOLEAN ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    return acquire(Resource, EXCLUSIVE, Wait, __func__, _ReturnAddress());
}

/* As ExAcquireResourceExclusiveLite without Wait. */
BOOLEAN ExTryToAcquireResourceExclusiveLite(PERESOURCE Resource)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    return acquire(Resource, EXCLUSIVE, FALSE, __func__, _ReturnAddress());
}

/* Shares the resource; one who waits for exclusive access goes first, unless the caller owns the
 * resource already. In a critical region, IRQL <= APC_LEVEL. (FAST-21) */
BOOLEAN ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    return acquire(Resource, SHARED, Wait, __func__, _ReturnAddress());
}

/* As ExAcquireResourceSharedLite, but never waits for those who wait. (FAST-23) */
BOOLEAN ExAcquireSharedStarveExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    return acquire(Resource, SHARED_STARVE_EXCLUSIVE, Wait, __func__, _ReturnAddress());
}

/* As ExAcquireResourceSharedLite, but lets those go first even if the caller shares it. (FAST-23)
 */
BOOLEAN ExAcquireSharedWaitForExclusive(PERESOURCE Resource, BOOLEAN Wait)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    return acquire(Resource, SHARED_WAIT_FOR_EXCLUSIVE, Wait, __func__, _ReturnAddress());
}

/* Undoes one acquisition by the calling thread. IRQL <= DISPATCH_LEVEL. (FAST-25) */
VOID ExReleaseResourceLite(PERESOURCE Resource)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    check_region(Resource, 0x38, "released");
    release_for(Resource, current_owner());
}

/* Undoes one acquisition by another thread, or under an owner pointer. IRQL <= DISPATCH_LEVEL. */
VOID ExReleaseResourceForThreadLite(PERESOURCE Resource, ERESOURCE_THREAD ResourceThreadId)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    release_for(Resource, ResourceThreadId);
}

/* Turns the exclusive owner into a sharer and lets in those who wait to share. (FAST-24) */
VOID ExConvertExclusiveToSharedLite(PERESOURCE Resource)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    lock(Resource);
    if (!is_exclusive(Resource) || find(Resource, current_owner()) == NULL) {
        ke_bugcheck(RESOURCE_NOT_OWNED, (ULONG_PTR)Resource, current_owner(),
                    (ULONG_PTR)Resource->OwnerTable, 0, "FAST-25",
                    "The driver converted the resource %p, which it does not own exclusively.",
                    (void *)Resource);
    }
    Resource->Flag &= (USHORT)~ResourceOwnedExclusive;
    Resource->SharedWaiters = (PVOID)(ULONG_PTR)Resource->NumberOfSharedWaiters;
    bool has_waiters = note_release(Resource);
    unlock(Resource);
    wake(Resource, has_waiters);
}

/* Replaces the calling thread as an owner by OwnerPointer, whose two low bits are set. */
VOID ExSetResourceOwnerPointer(PERESOURCE Resource, PVOID OwnerPointer)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    lock(Resource);
    POWNER_ENTRY entry = find(Resource, current_owner());
    if (entry == NULL) {
        ke_bugcheck(RESOURCE_NOT_OWNED, (ULONG_PTR)Resource, current_owner(),
                    (ULONG_PTR)Resource->OwnerTable, 0, "FAST-25",
                    "The driver set the owner of the resource %p, which it does not own.",
                    (void *)Resource);
    }
    entry->OwnerThread = (ERESOURCE_THREAD)OwnerPointer;
    verifier_lock_dropped(Resource);
    unlock(Resource);
}

/* Nobody's priority is boosted here. */
VOID ExDisableResourceBoostLite(PERESOURCE Resource)
{
    UNREFERENCED_PARAMETER(Resource);
}

/* Whether the calling thread owns the resource exclusively. IRQL <= DISPATCH_LEVEL. (FAST-27) */
BOOLEAN ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    lock(Resource);
    bool is_owner = is_exclusive(Resource) && find(Resource, current_owner()) != NULL;
    unlock(Resource);
    return is_owner;
}

/* How often the calling thread owns the resource, in either mode. (FAST-27) */
ULONG ExIsResourceAcquiredSharedLite(PERESOURCE Resource)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    lock(Resource);
    const OWNER_ENTRY *entry = find(Resource, current_owner());
    ULONG count = entry == NULL ? 0 : entry->OwnerCount;
    unlock(Resource);
    return count;
}

/* How many threads wait for exclusive access. IRQL <= DISPATCH_LEVEL. */
ULONG ExGetExclusiveWaiterCount(PERESOURCE Resource)
{
    lock(Resource);
    ULONG count = Resource->NumberOfExclusiveWaiters;
    unlock(Resource);
    return count;
}

/* How many threads wait to share. IRQL <= DISPATCH_LEVEL. */
ULONG ExGetSharedWaiterCount(PERESOURCE Resource)
{
    lock(Resource);
    ULONG count = Resource->NumberOfSharedWaiters;
    unlock(Resource);
    return count;
}

/* Enters a critical region and acquires. The result means nothing. (FAST-28) */
PVOID ExEnterCriticalRegionAndAcquireResourceExclusive(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    ExAcquireResourceExclusiveLite(Resource, TRUE);
    return ke_current();
}

PVOID ExEnterCriticalRegionAndAcquireResourceShared(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    ExAcquireResourceSharedLite(Resource, TRUE);
    return ke_current();
}

PVOID ExEnterCriticalRegionAndAcquireSharedWaitForExclusive(PERESOURCE Resource)
{
    KeEnterCriticalRegion();
    ExAcquireSharedWaitForExclusive(Resource, TRUE);
    return ke_current();
}

/* Releases and leaves the critical region. (FAST-28) */
VOID ExReleaseResourceAndLeaveCriticalRegion(PERESOURCE Resource)
{
    ExReleaseResourceLite(Resource);
    KeLeaveCriticalRegion();
}
