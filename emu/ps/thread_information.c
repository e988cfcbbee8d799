/*
 * What is asked of threads and set for them by handle. Priorities and affinities are kept by the
 * dispatcher; the other hints are checked and accepted.
 */
#include "ke/limit.h"
#include "ob/object.h"
#include "ps/thread.h"

#include <ntifs.h>

/* Classes that drivers use and Windows' headers do not name. */
#define THREAD_NAME_INFORMATION_CLASS 38

/* What ThreadBasicInformation answers. */
struct thread_basic_information {
    NTSTATUS ExitStatus;
    PVOID TebBaseAddress;
    CLIENT_ID ClientId;
    KAFFINITY AffinityMask;
    KPRIORITY Priority;
    LONG BasePriority;
};

C_ASSERT(sizeof(struct thread_basic_information) == 48);

static NTSTATUS reference_thread(HANDLE handle, PETHREAD *thread)
{
    void *object = NULL;
    ACCESS_MASK access = 0;
    NTSTATUS status = ob_reference_handle(handle, *PsThreadType, &object, &access);
    *thread = object;
    return status;
}

/* The bytes that a class takes; 0 for a class that cannot be set. */
static ULONG settable_bytes(THREADINFOCLASS class)
{
    switch ((ULONG) class) {
    case ThreadPriority:
    case ThreadBasePriority:
    case ThreadIdealProcessor:
    case ThreadPriorityBoost:
    case ThreadIoPriority:
    case ThreadPagePriority:
    case ThreadActualBasePriority:
        return sizeof(ULONG);
    case ThreadAffinityMask:
        return sizeof(KAFFINITY);
    case ThreadGroupInformation:
        return sizeof(GROUP_AFFINITY);
    case ThreadIdealProcessorEx:
        return sizeof(PROCESSOR_NUMBER);
    case THREAD_NAME_INFORMATION_CLASS:
        return sizeof(UNICODE_STRING);
    default:
        return 0;
    }
}

static NTSTATUS set_affinity(PETHREAD thread, KAFFINITY affinity)
{
    KAFFINITY allowed = affinity & KeQueryActiveProcessors();
    if (allowed == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    __atomic_store_n(&thread->Tcb.affinity, allowed, __ATOMIC_RELAXED);
    return STATUS_SUCCESS;
}

static NTSTATUS set_ideal_processor(PETHREAD thread, const PROCESSOR_NUMBER *processor)
{
    if (processor->Group != 0 || processor->Reserved != 0 ||
        processor->Number >= KeQueryMaximumProcessorCount()) {
        return STATUS_INVALID_PARAMETER;
    }
    KeSetIdealProcessorThread(&thread->Tcb, processor->Number);
    return STATUS_SUCCESS;
}

static NTSTATUS set_priority(PETHREAD thread, KPRIORITY priority)
{
    if (priority <= LOW_PRIORITY || priority > HIGH_PRIORITY) {
        return STATUS_INVALID_PARAMETER;
    }
    KeSetPriorityThread(&thread->Tcb, priority);
    return STATUS_SUCCESS;
}

static NTSTATUS set_information(PETHREAD thread, THREADINFOCLASS class, const void *information)
{
    const GROUP_AFFINITY *group = information;
    switch ((ULONG) class) {
    case ThreadPriority:
    case ThreadActualBasePriority:
        return set_priority(thread, *(const LONG *)information);
    case ThreadBasePriority:
        KeSetBasePriorityThread(&thread->Tcb, *(const LONG *)information);
        return STATUS_SUCCESS;
    case ThreadAffinityMask:
        return set_affinity(thread, *(const KAFFINITY *)information);
    case ThreadGroupInformation:
        return group->Group == 0 ? set_affinity(thread, group->Mask) : STATUS_INVALID_PARAMETER;
    case ThreadIdealProcessorEx:
        return set_ideal_processor(thread, information);
    default:
        return STATUS_SUCCESS;
    }
}

/*
 * Sets a priority, an affinity or a hint of a thread. STATUS_INVALID_INFO_CLASS,
 * STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_PARAMETER, STATUS_INVALID_HANDLE,
 * STATUS_OBJECT_TYPE_MISMATCH. PASSIVE_LEVEL.
 */
NTSTATUS ZwSetInformationThread(HANDLE ThreadHandle, THREADINFOCLASS ThreadInformationClass,
                                PVOID ThreadInformation, ULONG ThreadInformationLength)
{
    PETHREAD thread = NULL;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    ULONG bytes = settable_bytes(ThreadInformationClass);
    if (bytes == 0) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (ThreadInformationLength != bytes) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    NTSTATUS status = reference_thread(ThreadHandle, &thread);
    if (NT_SUCCESS(status)) {
        status = set_information(thread, ThreadInformationClass, ThreadInformation);
        ob_dereference(thread);
    }
    return status;
}

static KAFFINITY affinity_of(PETHREAD thread)
{
    KAFFINITY affinity = __atomic_load_n(&thread->Tcb.affinity, __ATOMIC_RELAXED);
    return affinity != 0 ? affinity : KeQueryActiveProcessors();
}

static void query_basic(PETHREAD thread, struct thread_basic_information *info)
{
    *info = (struct thread_basic_information){
        .ExitStatus = PsGetThreadExitStatus(thread),
        .ClientId = {.UniqueProcess = PsGetThreadProcessId(thread),
                     .UniqueThread = PsGetThreadId(thread)},
        .AffinityMask = affinity_of(thread),
        .Priority = KeQueryPriorityThread(&thread->Tcb),
        .BasePriority = KeQueryPriorityThread(&thread->Tcb),
    };
}

static ULONG queryable_bytes(THREADINFOCLASS class)
{
    switch ((ULONG) class) {
    case ThreadBasicInformation:
        return sizeof(struct thread_basic_information);
    case ThreadGroupInformation:
        return sizeof(GROUP_AFFINITY);
    case ThreadIdealProcessorEx:
        return sizeof(PROCESSOR_NUMBER);
    case ThreadIsTerminated:
        return sizeof(ULONG);
    default:
        return 0;
    }
}

static void query_information(PETHREAD thread, THREADINFOCLASS class, void *information)
{
    switch ((ULONG) class) {
    case ThreadBasicInformation:
        query_basic(thread, information);
        break;
    case ThreadGroupInformation:
        *(GROUP_AFFINITY *)information = (GROUP_AFFINITY){.Mask = affinity_of(thread)};
        break;
    case ThreadIdealProcessorEx:
        *(PROCESSOR_NUMBER *)information = (PROCESSOR_NUMBER){
            .Number = __atomic_load_n(&thread->Tcb.ideal_processor, __ATOMIC_RELAXED)};
        break;
    default:
        *(ULONG *)information = PsIsThreadTerminating(thread);
    }
}

/*
 * What a thread is: ThreadBasicInformation, ThreadGroupInformation, ThreadIdealProcessorEx or
 * ThreadIsTerminated. *ReturnLength, if wanted, is the bytes of it. Statuses as
 * ZwSetInformationThread. PASSIVE_LEVEL.
 */
NTSTATUS ZwQueryInformationThread(HANDLE ThreadHandle, THREADINFOCLASS ThreadInformationClass,
                                  PVOID ThreadInformation, ULONG ThreadInformationLength,
                                  PULONG ReturnLength)
{
    PETHREAD thread = NULL;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    ULONG bytes = queryable_bytes(ThreadInformationClass);
    if (bytes == 0) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (ThreadInformationLength != bytes) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    NTSTATUS status = reference_thread(ThreadHandle, &thread);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    query_information(thread, ThreadInformationClass, ThreadInformation);
    ob_dereference(thread);
    if (ReturnLength != NULL) {
        *ReturnLength = bytes;
    }
    return STATUS_SUCCESS;
}

/* Gives up the processor for now. PASSIVE_LEVEL. */
NTSTATUS ZwYieldExecution(VOID)
{
    LARGE_INTEGER none = {.QuadPart = 0};
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return KeDelayExecutionThread(KernelMode, FALSE, &none);
}
