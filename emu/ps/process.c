#include "ps/process.h"

#include "ke/limit.h"
#include "ke/wait.h"
#include "ob/object.h"
#include "ps/thread.h"

#include <ntifs.h>
#include <stdatomic.h>

/* The number of the system's process is 4, as on Windows. */
#define SYSTEM_PROCESS_ID 4

union sid {
    SID sid;
    UCHAR bytes[SECURITY_MAX_SID_SIZE];
};

struct _KPROCESS {
    DISPATCHER_HEADER Header; /* never signalled: the process does not end */
    ULONG_PTR id;
    ULONG sid_count;
    union sid sids[PS_SIDS_MAX + 1]; /* the first is Everyone */
};

static const union sid everyone = {
    .sid = {SID_REVISION, 1, {{0, 0, 0, 0, 0, 1}}, {0}},
};

/* LocalSystem and the administrators. */
static const union sid of_system[] = {
    {.bytes = {SID_REVISION, 1, 0, 0, 0, 0, 0, 5, 18}},
    {.bytes = {SID_REVISION, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 0x02}},
};

static DISPATCHER_HEADER *waitable(void *object)
{
    return &((PEPROCESS)object)->Header;
}

static struct _OBJECT_TYPE process_type = {.name = "Process", .waitable = waitable};
static POBJECT_TYPE process_type_pointer = &process_type;
POBJECT_TYPE *PsProcessType = &process_type_pointer;
PEPROCESS PsInitialSystemProcess;

static PEPROCESS create(ULONG_PTR id)
{
    PEPROCESS process = ob_create(&process_type, sizeof(*process));
    if (process != NULL) {
        ke_object_initialize(&process->Header, KE_PROCESS, sizeof(DISPATCHER_HEADER) / sizeof(LONG),
                             0);
        process->id = id;
        process->sids[process->sid_count++] = everyone;
    }
    return process;
}

NTSTATUS ps_process_create(void)
{
    PEPROCESS process = create(SYSTEM_PROCESS_ID);
    if (process == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ob_make_internal(process);
    for (ULONG i = 0; i < RTL_NUMBER_OF(of_system); i++) {
        process->sids[process->sid_count++] = of_system[i];
    }
    PsInitialSystemProcess = process;
    return STATUS_SUCCESS;
}

static ULONG sid_bytes(const SID *sid)
{
    return FIELD_OFFSET(SID, SubAuthority) + sid->SubAuthorityCount * sizeof(ULONG);
}

NTSTATUS ps_process_create_other(const PSID *sids, ULONG count, PEPROCESS *process)
{
    if (count > PS_SIDS_MAX) {
        return STATUS_TOO_MANY_SIDS;
    }
    PEPROCESS created = create(ps_new_id());
    if (created == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    for (ULONG i = 0; i < count; i++) {
        const SID *sid = sids[i];
        if (sid->Revision != SID_REVISION || sid->SubAuthorityCount > SID_MAX_SUB_AUTHORITIES) {
            ob_dereference(created);
            return STATUS_INVALID_SID;
        }
        RtlCopyMemory(&created->sids[created->sid_count++], sid, sid_bytes(sid));
    }
    *process = created;
    return STATUS_SUCCESS;
}

bool ps_process_is(PEPROCESS process, const void *sid)
{
    ULONG bytes = sid_bytes(sid);
    for (ULONG i = 0; i < process->sid_count; i++) {
        if (sid_bytes(&process->sids[i].sid) == bytes &&
            RtlEqualMemory(&process->sids[i], sid, bytes)) {
            return true;
        }
    }
    return false;
}

PEPROCESS ps_thread_identity(PETHREAD thread)
{
    PEPROCESS identity = atomic_load(&thread->identity);
    return identity != NULL ? identity : PsGetThreadProcess(thread);
}

void ps_thread_impersonate(PETHREAD thread, PEPROCESS process)
{
    atomic_store(&thread->identity, process);
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
    ke_current();
    return (HANDLE)Process->id;
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

/* Whether a process is the system's. Any IRQL. */
BOOLEAN PsIsSystemProcess(PEPROCESS Process)
{
    ke_current();
    return Process == PsInitialSystemProcess;
}

static bool has_id(const void *object, ULONG_PTR key)
{
    return ((const struct _KPROCESS *)object)->id == key;
}

/* The process of that number, referenced. STATUS_INVALID_PARAMETER if there is none. IRQL <=
 * APC_LEVEL. */
NTSTATUS PsLookupProcessByProcessId(HANDLE ProcessId, PEPROCESS *Process)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    PEPROCESS found = ob_find(&process_type, has_id, (ULONG_PTR)ProcessId);
    if (found == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    *Process = found;
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
