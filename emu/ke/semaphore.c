#include "ke/kernel.h"
#include "ke/limit.h"
#include "ke/wait.h"

/* Prepares a semaphore with Count units of at most Limit. Any IRQL. (SEM-01) */
VOID KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit)
{
    UCHAR words = sizeof(*Semaphore) / sizeof(LONG);
    ke_object_initialize(&Semaphore->Header, KE_SEMAPHORE, words, Count);
    Semaphore->Limit = Limit;
}

/*
 * Adds Adjustment units and returns the count before. Raises STATUS_SEMAPHORE_LIMIT_EXCEEDED,
 * with nothing changed, beyond the limit and where Adjustment is negative. IRQL <= DISPATCH_LEVEL;
 * with Wait TRUE PASSIVE_LEVEL. (SEM-05, SEM-06, SEM-07)
 */
LONG KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment, BOOLEAN Wait)
{
    UNREFERENCED_PARAMETER(Increment);
    KE_IRQL_AT_MOST(Wait ? PASSIVE_LEVEL : DISPATCH_LEVEL);
    ke_lock();
    ke_object_check(&Semaphore->Header, "a semaphore");
    LONG before = Semaphore->Header.SignalState;
    LONG after = (LONG)((ULONG)before + (ULONG)Adjustment);
    if (after > Semaphore->Limit || after < before) {
        ke_unlock();
        ExRaiseStatus(STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    }
    ke_object_signal(&Semaphore->Header, after);
    ke_unlock();
    if (Wait) {
        ke_wait_next();
    }
    return before;
}

/* The count. Any IRQL. */
LONG KeReadStateSemaphore(PRKSEMAPHORE Semaphore)
{
    return ReadAcquire(&Semaphore->Header.SignalState);
}
