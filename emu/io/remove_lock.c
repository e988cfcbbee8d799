#include "ke/bugcheck.h"
#include "ke/limit.h"

/*
 * Remove locks count who uses a device: one for the device's life, one for each that acquired. The
 * count that reaches zero after the removal began signals the remover.
 */

/* Prepares a remove lock. The tag, time and watermark are for checked builds. PASSIVE_LEVEL. */
VOID IoInitializeRemoveLockEx(PIO_REMOVE_LOCK Lock, ULONG AllocateTag, ULONG MaxLockedMinutes,
                              ULONG HighWatermark, ULONG RemlockSize)
{
    UNREFERENCED_PARAMETER(AllocateTag);
    UNREFERENCED_PARAMETER(MaxLockedMinutes);
    UNREFERENCED_PARAMETER(HighWatermark);
    UNREFERENCED_PARAMETER(RemlockSize);
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
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
        ke_bugcheck(
            DRIVER_VERIFIER_DETECTED_VIOLATION, 0xD5, (ULONG_PTR)lock, (ULONG_PTR)tag, 0, "FAST-49",
            "The driver released the remove lock %p more often than it acquired it.", (void *)lock);
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
    if (!is_removed(RemoveLock)) {
        return STATUS_SUCCESS;
    }
    drop(RemoveLock, Tag);
    return STATUS_DELETE_PENDING;
}

/* Releases what IoAcquireRemoveLock acquired. IRQL <= DISPATCH_LEVEL. (FAST-49) */
VOID IoReleaseRemoveLockEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, ULONG RemlockSize)
{
    UNREFERENCED_PARAMETER(RemlockSize);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    drop(RemoveLock, Tag);
}

/* Refuses newcomers, releases the caller's own and waits for all others. PASSIVE_LEVEL. */
VOID IoReleaseRemoveLockAndWaitEx(PIO_REMOVE_LOCK RemoveLock, PVOID Tag, ULONG RemlockSize)
{
    UNREFERENCED_PARAMETER(RemlockSize);
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    __atomic_store_n(&RemoveLock->Common.Removed, TRUE, __ATOMIC_SEQ_CST);
    drop(RemoveLock, Tag);
    if (InterlockedDecrement(&RemoveLock->Common.IoCount) > 0) {
        KeWaitForSingleObject(&RemoveLock->Common.RemoveEvent, Executive, KernelMode, FALSE, NULL);
    }
}
