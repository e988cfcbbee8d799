/* What is not implemented: each function stops with a bug check that names it, so that no driver
 * mistakes it for a success. */
#include "ke/bugcheck.h"

#include <ntifs.h>

NTSTATUS ZwOpenProcess(PHANDLE ProcessHandle, ACCESS_MASK DesiredAccess,
                       POBJECT_ATTRIBUTES ObjectAttributes, PCLIENT_ID ClientId)
{
    ke_not_implemented(__func__);
}

NTSTATUS ZwTerminateProcess(HANDLE ProcessHandle, NTSTATUS ExitStatus)
{
    ke_not_implemented(__func__);
}

PACCESS_TOKEN PsReferencePrimaryToken(PEPROCESS Process)
{
    ke_not_implemented(__func__);
}

VOID PsDereferencePrimaryToken(PACCESS_TOKEN PrimaryToken)
{
    ke_not_implemented(__func__);
}

NTSTATUS PsSetCreateProcessNotifyRoutine(PCREATE_PROCESS_NOTIFY_ROUTINE NotifyRoutine,
                                         BOOLEAN Remove)
{
    ke_not_implemented(__func__);
}

NTSTATUS PsSetCreateProcessNotifyRoutineEx(PCREATE_PROCESS_NOTIFY_ROUTINE_EX NotifyRoutine,
                                           BOOLEAN Remove)
{
    ke_not_implemented(__func__);
}

NTSTATUS PsSetCreateThreadNotifyRoutine(PCREATE_THREAD_NOTIFY_ROUTINE NotifyRoutine)
{
    ke_not_implemented(__func__);
}

NTSTATUS PsRemoveCreateThreadNotifyRoutine(PCREATE_THREAD_NOTIFY_ROUTINE NotifyRoutine)
{
    ke_not_implemented(__func__);
}

NTSTATUS PsSetLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine)
{
    ke_not_implemented(__func__);
}

NTSTATUS PsRemoveLoadImageNotifyRoutine(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine)
{
    ke_not_implemented(__func__);
}
