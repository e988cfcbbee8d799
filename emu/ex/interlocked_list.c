/*
 * Lists and counters under a spin lock of the driver's, at any IRQL. On Windows the lock is held
 * with interrupts off, so the IRQL does not change; nor does it here. Such a lock must not be used
 * with KeAcquireSpinLock as well.
 */
#include "ke/bugcheck.h"
#include "ke/spin_lock.h"
#include "verifier/resident.h"

/* The lock and the list of an atomic operation are resident, whatever the level. */
static void check(const void *head, const void *entry, PKSPIN_LOCK lock)
{
    verifier_check_object(lock, "spin lock", 0xE1, "RTL-54");
    verifier_check_object(head, "list head", 0xE1, "RTL-55");
    verifier_check_object(entry, "list entry", 0xE1, "RTL-55");
}

/* The lock is held. */
static void check_initialised(const LIST_ENTRY *head, const char *function)
{
    if (head->Flink == NULL || head->Blink == NULL) {
        ke_bugcheck(KERNEL_SECURITY_CHECK_FAILURE, FAST_FAIL_CORRUPT_LIST_ENTRY, (ULONG_PTR)head, 0,
                    0, "RTL-42",
                    "The driver called %s for the list %p, which was never initialised.", function,
                    (const void *)head);
    }
}

static PLIST_ENTRY null_if_head(PLIST_ENTRY entry, PLIST_ENTRY head)
{
    return entry == head ? NULL : entry;
}

/* Puts ListEntry first; returns what was first, NULL if nothing. Any IRQL. */
PLIST_ENTRY ExInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry,
                                        PKSPIN_LOCK Lock)
{
    check(ListHead, ListEntry, Lock);
    ke_spin_lock_acquire(Lock);
    check_initialised(ListHead, __func__);
    PLIST_ENTRY first = null_if_head(ListHead->Flink, ListHead);
    InsertHeadList(ListHead, ListEntry);
    ke_spin_lock_release(Lock);
    return first;
}

/* Puts ListEntry last; returns what was last, NULL if nothing. Any IRQL. */
PLIST_ENTRY ExInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry,
                                        PKSPIN_LOCK Lock)
{
    check(ListHead, ListEntry, Lock);
    ke_spin_lock_acquire(Lock);
    check_initialised(ListHead, __func__);
    PLIST_ENTRY last = null_if_head(ListHead->Blink, ListHead);
    InsertTailList(ListHead, ListEntry);
    ke_spin_lock_release(Lock);
    return last;
}

/* Takes the first entry; NULL if the list is empty. Any IRQL. */
PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
    check(ListHead, NULL, Lock);
    ke_spin_lock_acquire(Lock);
    check_initialised(ListHead, __func__);
    PLIST_ENTRY first = IsListEmpty(ListHead) ? NULL : RemoveHeadList(ListHead);
    ke_spin_lock_release(Lock);
    return first;
}

/* Takes the first entry of a singly linked list; NULL if it is empty. Any IRQL. */
PSINGLE_LIST_ENTRY ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY ListHead, PKSPIN_LOCK Lock)
{
    check(ListHead, NULL, Lock);
    ke_spin_lock_acquire(Lock);
    PSINGLE_LIST_ENTRY first = PopEntryList(ListHead);
    ke_spin_lock_release(Lock);
    return first;
}

/* Puts ListEntry first; returns what was first, NULL if nothing. Any IRQL. */
PSINGLE_LIST_ENTRY ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY ListHead,
                                              PSINGLE_LIST_ENTRY ListEntry, PKSPIN_LOCK Lock)
{
    check(ListHead, ListEntry, Lock);
    ke_spin_lock_acquire(Lock);
    PSINGLE_LIST_ENTRY first = ListHead->Next;
    PushEntryList(ListHead, ListEntry);
    ke_spin_lock_release(Lock);
    return first;
}

/* Adds Increment and returns the value before. Any IRQL. */
ULONG(ExInterlockedAddUlong)(PULONG Addend, ULONG Increment, PKSPIN_LOCK Lock)
{
    check(Addend, NULL, Lock);
    ke_spin_lock_acquire(Lock);
    ULONG before = *Addend;
    *Addend = before + Increment;
    ke_spin_lock_release(Lock);
    return before;
}

/* Adds Increment and returns the value before. Any IRQL. */
LARGE_INTEGER ExInterlockedAddLargeInteger(PLARGE_INTEGER Addend, LARGE_INTEGER Increment,
                                           PKSPIN_LOCK Lock)
{
    check(Addend, NULL, Lock);
    ke_spin_lock_acquire(Lock);
    LARGE_INTEGER before = *Addend;
    Addend->QuadPart = (LONGLONG)((ULONGLONG)before.QuadPart + (ULONGLONG)Increment.QuadPart);
    ke_spin_lock_release(Lock);
    return before;
}
