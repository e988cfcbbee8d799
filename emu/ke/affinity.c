/* On which processors the calling thread may run. 0 stands for all, the thread's own affinity. */
#include "ke/kernel.h"
#include "ke/limit.h"

#include <ntifs.h>

/* Sets the affinity and returns the one before; a mask without any processor changes nothing. */
static KAFFINITY set_affinity(KAFFINITY affinity)
{
    struct _KTHREAD *thread = ke_current();
    KAFFINITY before = thread->affinity;
    KAFFINITY allowed = affinity & KeQueryActiveProcessors();
    if (allowed != 0) {
        thread->affinity = allowed;
    }
    return before;
}

/* Binds the calling thread to processors, from its next raise to DISPATCH_LEVEL on. IRQL <=
 * DISPATCH_LEVEL. */
VOID KeSetSystemAffinityThread(KAFFINITY Affinity)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    set_affinity(Affinity);
}

/* As KeSetSystemAffinityThread; returns the mask before, 0 if there was none. */
KAFFINITY KeSetSystemAffinityThreadEx(KAFFINITY Affinity)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return set_affinity(Affinity);
}

/* Lets the calling thread run on all processors again. IRQL <= APC_LEVEL. */
VOID KeRevertToUserAffinityThread(VOID)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    ke_current()->affinity = 0;
}

/* Restores what KeSetSystemAffinityThreadEx returned. IRQL <= DISPATCH_LEVEL. */
VOID KeRevertToUserAffinityThreadEx(KAFFINITY Affinity)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    ke_current()->affinity = Affinity;
}

static bool is_valid(const GROUP_AFFINITY *affinity)
{
    return affinity->Group == 0 && affinity->Reserved[0] == 0 && affinity->Reserved[1] == 0 &&
           affinity->Reserved[2] == 0 && (affinity->Mask & KeQueryActiveProcessors()) != 0;
}

/* As KeSetSystemAffinityThread, for a group; *PreviousAffinity is all zero if nothing was set
 * before, or if Affinity is invalid, and then nothing changes. IRQL <= DISPATCH_LEVEL. */
VOID KeSetSystemGroupAffinityThread(PGROUP_AFFINITY Affinity, PGROUP_AFFINITY PreviousAffinity)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    KAFFINITY before = is_valid(Affinity) ? set_affinity(Affinity->Mask) : 0;
    if (PreviousAffinity != NULL) {
        RtlZeroMemory(PreviousAffinity, sizeof(*PreviousAffinity));
        PreviousAffinity->Mask = before;
    }
}

/* Restores what KeSetSystemGroupAffinityThread stored. IRQL <= DISPATCH_LEVEL. */
VOID KeRevertToUserGroupAffinityThread(PGROUP_AFFINITY PreviousAffinity)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    ke_current()->affinity = PreviousAffinity->Mask;
}

/* Names the processor that a thread would like best, a hint that is only kept; returns the one
 * before. A processor that is not there changes nothing. IRQL <= DISPATCH_LEVEL. */
UCHAR KeSetIdealProcessorThread(PKTHREAD Thread, UCHAR Processor)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (Processor >= ke_kernel()->processors.count) {
        return __atomic_load_n(&Thread->ideal_processor, __ATOMIC_RELAXED);
    }
    return __atomic_exchange_n(&Thread->ideal_processor, Processor, __ATOMIC_RELAXED);
}
