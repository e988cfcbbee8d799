#include "ke/limit.h"

#include <ntifs.h>

/* Who made a request, and what a thread keeps of its requests. */

/* Irp->Flags bits 17 to 19: one more than the priority hint, 0 for none. */
#define PRIORITY_SHIFT 17
#define PRIORITY_MASK (7u << PRIORITY_SHIFT)

static _Thread_local PIRP top_level_irp;

/* The process that made the request; NULL if it has no thread. IRQL <= DISPATCH_LEVEL. */
PEPROCESS IoGetRequestorProcess(PIRP Irp)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return Irp->Tail.Overlay.Thread != NULL ? IoThreadToProcess(Irp->Tail.Overlay.Thread) : NULL;
}

/* The number of that process; 0 if there is none. IRQL <= DISPATCH_LEVEL. */
ULONG IoGetRequestorProcessId(PIRP Irp)
{
    PEPROCESS process = IoGetRequestorProcess(Irp);
    return process != NULL ? (ULONG)(ULONG_PTR)PsGetProcessId(process) : 0;
}

/* FALSE: there are no 32-bit processes. IRQL <= DISPATCH_LEVEL. */
BOOLEAN IoIs32bitProcess(PIRP Irp)
{
    UNREFERENCED_PARAMETER(Irp);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return FALSE;
}

/* Whether the requestor waits for the request inside the I/O manager. IRQL <= DISPATCH_LEVEL. */
BOOLEAN IoIsOperationSynchronous(PIRP Irp)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    const FILE_OBJECT *file = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    return (Irp->Flags & IRP_SYNCHRONOUS_API) != 0 ||
           (file != NULL && (file->Flags & FO_SYNCHRONOUS_IO) != 0);
}

/* What IoSetTopLevelIrp stored for the thread. IRQL <= DISPATCH_LEVEL. */
PIRP IoGetTopLevelIrp(VOID)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return top_level_irp;
}

/* Stores a value for the thread; for file systems. IRQL <= DISPATCH_LEVEL. */
VOID IoSetTopLevelIrp(PIRP Irp)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    top_level_irp = Irp;
}

/* The request's priority; normal unless set. Any IRQL. */
IO_PRIORITY_HINT IoGetIoPriorityHint(PIRP Irp)
{
    ULONG stored = (Irp->Flags & PRIORITY_MASK) >> PRIORITY_SHIFT;
    return stored == 0 ? IoPriorityNormal : (IO_PRIORITY_HINT)(stored - 1);
}

/* Sets the request's priority. STATUS_INVALID_PARAMETER. Any IRQL. */
NTSTATUS IoSetIoPriorityHint(PIRP Irp, IO_PRIORITY_HINT PriorityHint)
{
    if ((ULONG)PriorityHint >= MaxIoPriorityTypes) {
        return STATUS_INVALID_PARAMETER;
    }
    Irp->Flags = (Irp->Flags & ~PRIORITY_MASK) | (((ULONG)PriorityHint + 1) << PRIORITY_SHIFT);
    return STATUS_SUCCESS;
}

/*
 * Checks that the requestor of a control opened the file for the access: any of FILE_READ_ACCESS
 * and FILE_WRITE_ACCESS. STATUS_ACCESS_DENIED, STATUS_INVALID_PARAMETER. Any IRQL. (DEV-65)
 */
NTSTATUS IoValidateDeviceIoControlAccess(PIRP Irp, ULONG RequiredAccess)
{
    ULONG known = FILE_READ_ACCESS | FILE_WRITE_ACCESS;
    UCHAR flags = IoGetCurrentIrpStackLocation(Irp)->Flags;
    if (RequiredAccess == 0 || (RequiredAccess & ~known) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    bool lacks_read =
        (RequiredAccess & FILE_READ_ACCESS) != 0 && (flags & SL_READ_ACCESS_GRANTED) == 0;
    bool lacks_write =
        (RequiredAccess & FILE_WRITE_ACCESS) != 0 && (flags & SL_WRITE_ACCESS_GRANTED) == 0;
    bool is_denied = Irp->RequestorMode != KernelMode && (lacks_read || lacks_write);
    return is_denied ? STATUS_ACCESS_DENIED : STATUS_SUCCESS;
}
