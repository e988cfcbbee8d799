#include "ke/mutant.h"

#include "ke/bugcheck.h"
#include "ke/kernel.h"
#include "ke/limit.h"
#include "ke/wait.h"
#include "verifier/lock_order.h"

#include <ntifs.h>

/*
 * Mutex objects. SignalState is 1 while free, 0 while held once, and one less for each further
 * acquisition by the owner. Owner is a thread below DISPATCH_LEVEL, or a thread at DISPATCH_LEVEL:
 * a DPC is not the thread on which it happens to run, and Header.DpcActive keeps them apart.
 */

static KMUTANT *mutant_of(const DISPATCHER_HEADER *object)
{
    return CONTAINING_RECORD(object, KMUTANT, Header);
}

static bool is_owned_by(const KMUTANT *mutant, const struct _KTHREAD *thread, KIRQL irql)
{
    return mutant->OwnerThread == thread && mutant->Header.DpcActive == (irql >= DISPATCH_LEVEL);
}

bool ke_mutant_is_owner(const DISPATCHER_HEADER *object, const struct ke_wait *wait)
{
    return is_owned_by(mutant_of(object), wait->thread, wait->irql);
}

bool ke_mutant_is_at_limit(const DISPATCHER_HEADER *object, const struct ke_wait *wait)
{
    return object->SignalState == (LONG)MINLONG && ke_mutant_is_owner(object, wait);
}

NTSTATUS ke_mutant_acquire(DISPATCHER_HEADER *object, struct ke_wait *wait)
{
    KMUTANT *mutant = mutant_of(object);
    mutant->OwnerThread = wait->thread;
    mutant->Header.DpcActive = wait->irql >= DISPATCH_LEVEL;
    wait->apc_disable = (SHORT)(wait->apc_disable + mutant->ApcDisable);
    InsertTailList(&wait->thread->mutants, &mutant->MutantListEntry);
    BOOLEAN was_abandoned = mutant->Abandoned;
    mutant->Abandoned = FALSE;
    return was_abandoned ? STATUS_ABANDONED : STATUS_SUCCESS;
}

static void initialize(PRKMUTANT mutant, UCHAR apc_disable)
{
    if (((ULONG_PTR)mutant & 7) != 0) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE1, (ULONG_PTR)mutant, 0, 0, "MUTEX-02",
                    "The driver initialised a mutex at %p, which is not a multiple of 8.",
                    (void *)mutant);
    }
    ke_object_initialize(&mutant->Header, KE_MUTANT, sizeof(*mutant) / sizeof(LONG), 1);
    mutant->Header.MutantSize = sizeof(*mutant) / sizeof(LONG);
    mutant->Header.DpcActive = FALSE;
    InitializeListHead(&mutant->MutantListEntry);
    mutant->OwnerThread = NULL;
    mutant->MutantFlags = 0;
    mutant->ApcDisable = apc_disable;
}

/* Prepares a mutex that is free. Level is ignored. Any IRQL. (MUTEX-01) */
VOID KeInitializeMutex(PRKMUTEX Mutex, ULONG Level)
{
    UNREFERENCED_PARAMETER(Level);
    initialize(Mutex, 1);
}

/*
 * Prepares a mutant: a mutex that leaves APCs as they are. It is free, or the calling thread's if
 * InitialOwner. IRQL <= DISPATCH_LEVEL.
 */
VOID KeInitializeMutant(PRKMUTANT Mutant, BOOLEAN InitialOwner)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    struct _KTHREAD *thread = ke_current();
    initialize(Mutant, 0);
    if (!InitialOwner) {
        return;
    }
    ke_lock();
    Mutant->OwnerThread = thread;
    Mutant->Header.DpcActive = thread->irql >= DISPATCH_LEVEL;
    Mutant->Header.SignalState = 0;
    InsertTailList(&thread->mutants, &Mutant->MutantListEntry);
    ke_unlock();
}

/* What a release raises in a thread that does not own the mutex; STATUS_SUCCESS in its owner. */
static NTSTATUS release_status(const KMUTANT *mutant, const struct _KTHREAD *thread)
{
    if (is_owned_by(mutant, thread, thread->irql)) {
        return STATUS_SUCCESS;
    }
    return mutant->Abandoned ? STATUS_ABANDONED : STATUS_MUTANT_NOT_OWNED;
}

/* Takes a mutex from the thread that owns it, and lets the next one have it. */
static void set_free(PRKMUTEX mutex, struct _KTHREAD *owner)
{
    if (mutex->ApcDisable != 0) {
        owner->kernel_apc_disable = (SHORT)(owner->kernel_apc_disable + mutex->ApcDisable);
    }
    mutex->OwnerThread = NULL;
    RemoveEntryList(&mutex->MutantListEntry);
    ke_object_signal(&mutex->Header, 1);
}

static void release(PRKMUTEX mutex, struct _KTHREAD *thread)
{
    LONG before = mutex->Header.SignalState;
    if (before != 0) {
        WriteRelease(&mutex->Header.SignalState, before + 1);
        return;
    }
    set_free(mutex, thread);
}

/* Releases a mutex once, or, if abandoned, for good and whoever owns it. */
static NTSTATUS release_checked(PRKMUTEX mutex, BOOLEAN abandoned)
{
    struct _KTHREAD *thread = ke_current();
    NTSTATUS status = abandoned ? STATUS_SUCCESS : release_status(mutex, thread);
    if (status != STATUS_SUCCESS) {
        return status;
    }
    if (!abandoned) {
        release(mutex, thread);
    } else if (mutex->OwnerThread != NULL) {
        mutex->Abandoned = TRUE;
        set_free(mutex, mutex->OwnerThread);
    }
    return STATUS_SUCCESS;
}

static LONG release_or_raise(PRKMUTEX mutex, BOOLEAN abandoned, BOOLEAN wait)
{
    ke_current();
    ke_lock();
    ke_object_check(&mutex->Header, "a mutex");
    LONG before = mutex->Header.SignalState;
    NTSTATUS status = release_checked(mutex, abandoned);
    ke_unlock();
    if (status != STATUS_SUCCESS) {
        ExRaiseStatus(status);
    }
    verifier_lock_dropped(mutex);
    if (wait) {
        ke_wait_next();
    }
    return before;
}

/*
 * Releases a mutex once and returns its state before: zero when this release freed it. Raises
 * STATUS_MUTANT_NOT_OWNED in a thread that does not own it, STATUS_ABANDONED if its owner left it.
 * IRQL <= DISPATCH_LEVEL. (MUTEX-06, MUTEX-07)
 */
LONG KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return release_or_raise(Mutex, FALSE, Wait);
}

/*
 * As KeReleaseMutex, for a mutant. If Abandoned, it is freed whoever owns it and however often, and
 * the next wait for it returns STATUS_ABANDONED. Increment, a priority boost, has no effect here.
 */
LONG KeReleaseMutant(PRKMUTANT Mutant, KPRIORITY Increment, BOOLEAN Abandoned, BOOLEAN Wait)
{
    UNREFERENCED_PARAMETER(Increment);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return release_or_raise(Mutant, Abandoned, Wait);
}

/* 1 if the mutex is free. IRQL <= DISPATCH_LEVEL. */
LONG KeReadStateMutex(PRKMUTEX Mutex)
{
    return ReadAcquire(&Mutex->Header.SignalState);
}

/* As KeReadStateMutex. */
LONG KeReadStateMutant(PRKMUTANT Mutant)
{
    return KeReadStateMutex(Mutant);
}
