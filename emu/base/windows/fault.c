#include "base/fault.h"

#include "base/attempt.h"
#include "base/instruction.h"
#include "base/memory.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <windows.h>

/* What a report needs of an exhausted stack. */
#define KEPT_BYTES (128 * 1024)

static base_fault_handler *_Atomic current;
static void *registration;
static SRWLOCK lock = SRWLOCK_INIT;

/* False if the exception is none of ours. */
static bool kind_of(DWORD code, enum base_fault_kind *kind)
{
    switch (code) {
    case EXCEPTION_ACCESS_VIOLATION:
    case EXCEPTION_IN_PAGE_ERROR:
        *kind = BASE_FAULT_ACCESS;
        return true;
    case EXCEPTION_DATATYPE_MISALIGNMENT:
        *kind = BASE_FAULT_MISALIGNMENT;
        return true;
    case EXCEPTION_INT_DIVIDE_BY_ZERO:
        *kind = BASE_FAULT_DIVIDE;
        return true;
    case EXCEPTION_INT_OVERFLOW:
        *kind = BASE_FAULT_OVERFLOW;
        return true;
    case EXCEPTION_PRIV_INSTRUCTION:
        *kind = BASE_FAULT_PRIVILEGED;
        return true;
    case EXCEPTION_STACK_OVERFLOW:
        *kind = BASE_FAULT_STACK;
        return true;
    default:
        return false;
    }
}

/* Memory may be there and allow another access. */
static enum base_fault_reason reason_of(const struct base_fault *fault)
{
    if (fault->access == BASE_FAULT_READ ||
        !base_memory_is_readable((const void *)fault->address)) {
        return BASE_FAULT_NO_MEMORY;
    }
    return fault->access == BASE_FAULT_WRITE ? BASE_FAULT_READ_ONLY : BASE_FAULT_NO_CODE;
}

static void describe_access(struct base_fault *fault, const EXCEPTION_RECORD *record)
{
    if (record->NumberParameters < 2) {
        return;
    }
    fault->access = (enum base_fault_access)record->ExceptionInformation[0];
    fault->address = record->ExceptionInformation[1];
    if (fault->access == BASE_FAULT_READ && fault->address == BASE_FAULT_NO_ADDRESS) {
        base_decode_refused(fault);
        return;
    }
    fault->is_access_known = true;
    fault->reason = reason_of(fault);
}

static bool describe(struct base_fault *fault, const EXCEPTION_POINTERS *exception)
{
    const EXCEPTION_RECORD *record = exception->ExceptionRecord;
    memset(fault, 0, sizeof(*fault));
    if (!kind_of(record->ExceptionCode, &fault->kind)) {
        return false;
    }
    fault->pc = exception->ContextRecord->Rip;
    /* The system's record holds the registers in the same order, without a gap. */
    memcpy(fault->registers, &exception->ContextRecord->Rax, sizeof(fault->registers));
    if (fault->kind == BASE_FAULT_ACCESS) {
        describe_access(fault, record);
    }
    return true;
}

static LONG CALLBACK on_exception(EXCEPTION_POINTERS *exception)
{
    base_fault_handler *handler = atomic_load(&current);
    struct base_fault fault;
    if (exception->ExceptionRecord->ExceptionCode == EXCEPTION_ACCESS_VIOLATION) {
        base_attempt_failed();
    }
    if (handler == NULL || !describe(&fault, exception) || !handler(&fault)) {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    exception->ContextRecord->Rip = fault.pc;
    memcpy(&exception->ContextRecord->Rax, fault.registers, sizeof(fault.registers));
    return EXCEPTION_CONTINUE_EXECUTION;
}

void base_fault_install(base_fault_handler *handler)
{
    atomic_store(&current, handler);
    AcquireSRWLockExclusive(&lock);
    if (registration == NULL) {
        registration = AddVectoredExceptionHandler(1, on_exception);
    }
    ReleaseSRWLockExclusive(&lock);
}

void base_fault_remove(void)
{
    atomic_store(&current, NULL);
    AcquireSRWLockExclusive(&lock);
    if (registration != NULL) {
        RemoveVectoredExceptionHandler(registration);
        registration = NULL;
    }
    ReleaseSRWLockExclusive(&lock);
}

void base_fault_guard_stack(void)
{
    ULONG bytes = KEPT_BYTES;
    SetThreadStackGuarantee(&bytes);
}

void base_fault_stack_left(void)
{
    _resetstkoflw();
}
