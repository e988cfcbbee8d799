/* Push locks: a word lock in the low half of the driver's pointer-sized variable. */
#include "ex/word_lock.h"
#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "verifier/lock_order.h"

static volatile ULONG *word_of(PEX_PUSH_LOCK lock)
{
    return (volatile ULONG *)(void *)lock;
}

static bool has_apcs_disabled(const struct _KTHREAD *thread)
{
    return thread->kernel_apc_disable != 0 || thread->special_apc_disable != 0 ||
           thread->irql >= APC_LEVEL;
}

static void check_region(PEX_PUSH_LOCK lock, ULONG verifier_code, const char *function)
{
    const struct _KTHREAD *thread = ke_current();
    if (!has_apcs_disabled(thread)) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, verifier_code, thread->irql,
                    (ULONG_PTR)thread->kernel_apc_disable, (ULONG_PTR)lock, "FAST-30",
                    "The driver called %s outside a critical region. A push lock is acquired and "
                    "held with normal kernel APCs disabled.",
                    function);
    }
}

static _Noreturn void report_not_held(PEX_PUSH_LOCK lock, const char *function)
{
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x1007, (ULONG_PTR)lock, 0, 0, "FAST-34",
                "The driver called %s for the push lock %p, which is not held in that mode.",
                function, (void *)lock);
}

/* Makes the lock free. Any IRQL. (FAST-29) */
VOID(ExInitializePushLock)(PEX_PUSH_LOCK PushLock)
{
    verifier_lock_initialised(PushLock);
    __atomic_store_n(PushLock, 0, __ATOMIC_RELEASE);
}

/* Takes the lock alone. In a critical region, IRQL <= APC_LEVEL. (FAST-29) */
VOID ExAcquirePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    KE_IRQL_AT_MOST(APC_LEVEL);
    check_region(PushLock, 0xEA, __func__);
    verifier_lock_not_again(&verifier_push_lock, PushLock, false, "FAST-32");
    verifier_lock_wanted(&verifier_push_lock, PushLock);
    ex_word_lock_exclusive(word_of(PushLock), true);
    ex_word_lock_note_writer(word_of(PushLock));
    verifier_lock_taken(&verifier_push_lock, PushLock, _ReturnAddress());
}

/* Takes the lock with others that share it. In a critical region, IRQL <= APC_LEVEL. (FAST-31) */
VOID ExAcquirePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    KE_IRQL_AT_MOST(APC_LEVEL);
    check_region(PushLock, 0xEA, __func__);
    verifier_lock_not_again(&verifier_push_lock, PushLock, true, "FAST-32");
    ex_word_lock_shared(word_of(PushLock), true);
    verifier_lock_shared(&verifier_push_lock, PushLock, _ReturnAddress());
}

/* Undoes ExAcquirePushLockExclusiveEx. IRQL <= APC_LEVEL. (FAST-34) */
VOID ExReleasePushLockExclusiveEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    KE_IRQL_AT_MOST(APC_LEVEL);
    check_region(PushLock, 0xEB, __func__);
    verifier_lock_dropped(PushLock);
    ex_word_lock_forget_writer(word_of(PushLock));
    if (!ex_word_lock_release_exclusive(word_of(PushLock))) {
        report_not_held(PushLock, __func__);
    }
}

/* Undoes ExAcquirePushLockSharedEx. IRQL <= APC_LEVEL. (FAST-34) */
VOID ExReleasePushLockSharedEx(PEX_PUSH_LOCK PushLock, ULONG Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    KE_IRQL_AT_MOST(APC_LEVEL);
    check_region(PushLock, 0xEB, __func__);
    verifier_lock_dropped(PushLock);
    if (!ex_word_lock_release_shared(word_of(PushLock))) {
        report_not_held(PushLock, __func__);
    }
}
