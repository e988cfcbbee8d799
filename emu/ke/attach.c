/* Attaching to a process's address space: there is one process, so nothing changes. */
#include "ke/bugcheck.h"
#include "ke/limit.h"

#include <ntifs.h>

/* Attaches the thread to a process; *ApcState is what KeUnstackDetachProcess takes. IRQL <=
 * APC_LEVEL. */
VOID KeStackAttachProcess(PRKPROCESS Process, PRKAPC_STATE ApcState)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    RtlZeroMemory(ApcState, sizeof(*ApcState));
    InitializeListHead(&ApcState->ApcListHead[KernelMode]);
    InitializeListHead(&ApcState->ApcListHead[UserMode]);
    ApcState->Process = Process;
}

/* Ends an attachment. IRQL <= APC_LEVEL. */
VOID KeUnstackDetachProcess(PRKAPC_STATE ApcState)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    if (ApcState->Process == NULL) {
        ke_bugcheck(INVALID_PROCESS_DETACH_ATTEMPT, (ULONG_PTR)ApcState, 0, 0, 0, NULL,
                    "The driver called KeUnstackDetachProcess with a state that "
                    "KeStackAttachProcess did not fill.");
    }
    ApcState->Process = NULL;
}
