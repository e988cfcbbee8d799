/* Raising exceptions: by the driver, by the kernel for it, and by the processor. */
#include "rtl/exception.h"

#include <ntddk.h>

#include "base/fault.h"
#include "base/local.h"
#include "ke/control_register.h"
#include "ke/thread.h"
#include "rtl/unhandled.h"
#include "verifier/fault.h"
#include "verifier/resident.h"

#include <string.h>

static BASE_THREAD_LOCAL struct base_fault last_fault;

_Noreturn void seh_raise(const EXCEPTION_RECORD *record, const CONTEXT *machine)
{
    seh_dispatch(record, machine);
    bool is_of_fault = last_fault.pc == (uintptr_t)record->ExceptionAddress &&
                       (record->ExceptionFlags & EXCEPTION_SOFTWARE_ORIGINATE) == 0;
    rtl_stop_unhandled(record, machine, is_of_fault ? &last_fault : NULL);
}

/* Raises status as if the instruction at pc had done so. */
static _Noreturn void raise_at(NTSTATUS status, void *pc, void *frame)
{
    EXCEPTION_RECORD record = {
        .ExceptionCode = status,
        .ExceptionFlags = EXCEPTION_NONCONTINUABLE | EXCEPTION_SOFTWARE_ORIGINATE,
        .ExceptionAddress = pc,
    };
    CONTEXT machine = {
        .ContextFlags = CONTEXT_CONTROL,
        .Rip = (ULONG_PTR)pc,
        .Rsp = (ULONG_PTR)frame,
        .Rbp = (ULONG_PTR)frame,
    };
    seh_raise(&record, &machine);
}

/*
 * Raises Status into the innermost try statement, or bug checks 0x7E or 0x1E. Does not return.
 * IRQL <= APC_LEVEL. RTL-101.
 */
DECLSPEC_NORETURN VOID ExRaiseStatus(NTSTATUS Status)
{
    raise_at(Status, _ReturnAddress(), __builtin_frame_address(0));
}

/* Raises STATUS_ACCESS_VIOLATION. Does not return. IRQL <= APC_LEVEL. */
DECLSPEC_NORETURN VOID ExRaiseAccessViolation(VOID)
{
    raise_at(STATUS_ACCESS_VIOLATION, _ReturnAddress(), __builtin_frame_address(0));
}

/* Raises STATUS_DATATYPE_MISALIGNMENT. Does not return. IRQL <= APC_LEVEL. */
DECLSPEC_NORETURN VOID ExRaiseDatatypeMisalignment(VOID)
{
    raise_at(STATUS_DATATYPE_MISALIGNMENT, _ReturnAddress(), __builtin_frame_address(0));
}

/* Raises the exception that the caller describes. Does not return. IRQL <= APC_LEVEL. */
DECLSPEC_NORETURN VOID ExRaiseException(PEXCEPTION_RECORD ExceptionRecord)
{
    CONTEXT machine = {.ContextFlags = CONTEXT_CONTROL};
    EXCEPTION_RECORD record = *ExceptionRecord;
    record.ExceptionFlags |= EXCEPTION_SOFTWARE_ORIGINATE;
    record.ExceptionAddress = _ReturnAddress();
    machine.Rip = (ULONG_PTR)record.ExceptionAddress;
    machine.Rbp = (ULONG_PTR)__builtin_frame_address(0);
    machine.Rsp = machine.Rbp;
    seh_raise(&record, &machine);
}

static NTSTATUS status_of(enum base_fault_kind kind)
{
    switch (kind) {
    case BASE_FAULT_MISALIGNMENT:
        return STATUS_DATATYPE_MISALIGNMENT;
    case BASE_FAULT_DIVIDE:
        return STATUS_INTEGER_DIVIDE_BY_ZERO;
    case BASE_FAULT_OVERFLOW:
        return STATUS_INTEGER_OVERFLOW;
    case BASE_FAULT_PRIVILEGED:
        return STATUS_PRIVILEGED_INSTRUCTION;
    case BASE_FAULT_STACK:
        return STATUS_STACK_OVERFLOW;
    case BASE_FAULT_ACCESS:
        break;
    }
    return STATUS_ACCESS_VIOLATION;
}

/* Whether the calling thread has entered the running kernel. */
static bool is_emulated_thread(void)
{
    return ke_thread_slot.thread != NULL &&
           ke_thread_slot.generation == atomic_load(&ke_generation);
}

/* The two that Windows gives. It knows no address of what the processor refused without a word. */
static void set_access(EXCEPTION_RECORD *record, const struct base_fault *fault)
{
    bool is_told = fault->reason != BASE_FAULT_NOT_CANONICAL && fault->reason != BASE_FAULT_UNTOLD;
    record->NumberParameters = 2;
    record->ExceptionInformation[0] = is_told ? fault->access : EXCEPTION_READ_FAULT;
    record->ExceptionInformation[1] = is_told ? fault->address : BASE_FAULT_NO_ADDRESS;
}

static bool on_fault(struct base_fault *fault)
{
    if (fault->kind == BASE_FAULT_STACK) {
        if (is_emulated_thread()) {
            rtl_stop_at_stack_end(fault);
        }
        return false;
    }
    if (fault->kind == BASE_FAULT_PRIVILEGED && ke_emulate_instruction(fault)) {
        return true;
    }
    if (fault->kind == BASE_FAULT_ACCESS &&
        verifier_page_in(fault->address, fault->access, fault->pc)) {
        return true;
    }
    EXCEPTION_RECORD record = {
        .ExceptionCode = status_of(fault->kind),
        .ExceptionAddress = (PVOID)fault->pc,
    };
    /* Both flags name the processor. NOLINTNEXTLINE(misc-redundant-expression) */
    CONTEXT machine = {.ContextFlags = CONTEXT_CONTROL | CONTEXT_INTEGER, .Rip = fault->pc};
    C_ASSERT(FIELD_OFFSET(CONTEXT, Rip) == FIELD_OFFSET(CONTEXT, Rax) + sizeof(fault->registers));
    memcpy((UCHAR *)&machine + FIELD_OFFSET(CONTEXT, Rax), fault->registers,
           sizeof(fault->registers));
    if (fault->kind == BASE_FAULT_ACCESS) {
        set_access(&record, fault);
        if (is_emulated_thread()) {
            verifier_check_fault(fault->address, fault->access, fault->pc);
        }
    }
    last_fault = *fault;
    seh_dispatch(&record, &machine);
    if (is_emulated_thread()) {
        rtl_stop_unhandled(&record, &machine, fault);
    }
    return false;
}

void seh_catch_faults(void)
{
    base_fault_install(on_fault);
}
