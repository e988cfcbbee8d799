#include "ps/process.h"

#include "ke/limit.h"
#include "ke/wait.h"
#include "ob/object.h"
#include "ps/thread.h"

#include <ntifs.h>

/* The one process: the system's. Its number is 4, as on Windows. */

#define SYSTEM_PROCESS_ID 4

struct _KPROCESS {
    DISPATCHER_HEADER Header; /* never signalled: the process does not end */
};

static DISPATCHER_HEADER *waitable(void *object)
{
    return &((PEPROCESS)object)->Header;
}

static struct _OBJECT_TYPE process_type = {.name = "Process", .waitable = waitable};
static POBJECT_TYPE process_type_pointer = &process_type;
POBJECT_TYPE *PsProcessType = &process_type_pointer;
PEPROCESS PsInitialSystemProcess;

NTSTATUS ps_process_create(void)
{
    struct _KPROCESS *process = ob_create(&process_type, sizeof(*process));
    if (process == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ob_make_internal(process);
    ke_object_initialize(&process->Header, KE_PROCESS, sizeof(*process) / sizeof(LONG), 0);
    PsInitialSystemProcess = process;
    return STATUS_SUCCESS;
}

/* The calling thread's process. Any IRQL. */
PEPROCESS(PsGetCurrentProcess)(VOID)
{
    ke_current();
    return PsInitialSystemProcess;
}

/* As PsGetCurrentProcess. */
PEPROCESS IoGetCurrentProcess(VOID)
{
    return PsGetCurrentProcess();
}

/* The number of the calling thread's process. Any IRQL. */
HANDLE PsGetCurrentProcessId(VOID)
{
    ke_current();
    return (HANDLE)(ULONG_PTR)SYSTEM_PROCESS_ID;
}

/* The number of a process. Any IRQL. */
HANDLE PsGetProcessId(PEPROCESS Process)
{
    UNREFERENCED_PARAMETER(Process);
    return PsGetCurrentProcessId();
}

/* The number of a thread's process. Any IRQL. */
HANDLE PsGetThreadProcessId(PETHREAD Thread)
{
    UNREFERENCED_PARAMETER(Thread);
    return PsGetCurrentProcessId();
}

/* A thread's process, not referenced. Any IRQL. */
PEPROCESS PsGetThreadProcess(PETHREAD Thread)
{
    UNREFERENCED_PARAMETER(Thread);
    return PsGetCurrentProcess();
}

/* As PsGetThreadProcess. */
PEPROCESS IoThreadToProcess(PETHREAD Thread)
{
    return PsGetThreadProcess(Thread);
}

/* Whether a process is the system's: there is no other. Any IRQL. */
BOOLEAN PsIsSystemProcess(PEPROCESS Process)
{
    ke_current();
    return Process == PsInitialSystemProcess;
}

/* The process of that number, referenced. STATUS_INVALID_PARAMETER if there is none. IRQL <=
 * APC_LEVEL. */
NTSTATUS PsLookupProcessByProcessId(HANDLE ProcessId, PEPROCESS *Process)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    if (ProcessId != PsGetCurrentProcessId()) {
        return STATUS_INVALID_PARAMETER;
    }
    ob_reference(PsInitialSystemProcess);
    *Process = PsInitialSystemProcess;
    return STATUS_SUCCESS;
}

/* The exit status of a process: it does not end. IRQL <= APC_LEVEL. */
NTSTATUS PsGetProcessExitStatus(PEPROCESS Process)
{
    UNREFERENCED_PARAMETER(Process);
    KE_IRQL_AT_MOST(APC_LEVEL);
    return STATUS_PENDING;
}

/* When a process was made, in 100 ns since 1601. IRQL <= DISPATCH_LEVEL. */
LONGLONG PsGetProcessCreateTimeQuadPart(PEPROCESS Process)
{
    UNREFERENCED_PARAMETER(Process);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return (LONGLONG)ke_kernel()->boot_wall_100ns;
}
