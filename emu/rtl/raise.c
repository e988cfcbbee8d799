/* Raising exceptions: by the driver, by the kernel for it, and by the processor. */
#include "rtl/exception.h"

#include <ntddk.h>

#include "base/fault.h"
#include "ke/bugcheck.h"
#include "ke/control_register.h"
#include "ke/thread.h"
#include "verifier/fault.h"
#include "verifier/resident.h"

#include <string.h>

/* Below it lies no memory, so that a small offset from NULL is an ordinary exception. */
#define LOWEST_ADDRESS 0x10000

/* The page of times that Windows' kernel has here; headers other than ours inline reads of it. */
#define SHARED_USER_DATA 0xFFFFF78000000000ULL

/* The page fault's third parameter of 0x50, by ExceptionInformation[0]. */
static ULONG_PTR page_fault_access(ULONG_PTR access)
{
    if (access == EXCEPTION_EXECUTE_FAULT) {
        return 0x10;
    }
    return access == EXCEPTION_WRITE_FAULT ? 2 : 0;
}

static const char *access_verb(ULONG_PTR access)
{
    if (access == EXCEPTION_EXECUTE_FAULT) {
        return "executed";
    }
    return access == EXCEPTION_WRITE_FAULT ? "wrote to" : "read from";
}

static struct verifier_place where(ULONG_PTR address)
{
    static const struct verifier_place shared = {" (the kernel's shared user data)", NULL};
    return address - SHARED_USER_DATA < PAGE_SIZE ? shared : verifier_place_of(address);
}

static bool is_fault(const EXCEPTION_RECORD *record)
{
    return (record->ExceptionFlags & EXCEPTION_SOFTWARE_ORIGINATE) == 0;
}

static _Noreturn void stop_at_page_fault(const EXCEPTION_RECORD *record, KIRQL irql)
{
    ULONG_PTR access = record->ExceptionInformation[0];
    ULONG_PTR address = record->ExceptionInformation[1];
    ULONG_PTR pc = (ULONG_PTR)record->ExceptionAddress;
    struct verifier_place place = where(address);
    if (irql >= DISPATCH_LEVEL) {
        ke_bugcheck(DRIVER_IRQL_NOT_LESS_OR_EQUAL, address, irql, access, pc, place.rule,
                    "The driver %s address %p%s, where no memory is, at IRQL %u.",
                    access_verb(access), (void *)address, place.text, irql);
    }
    ke_bugcheck(PAGE_FAULT_IN_NONPAGED_AREA, address, page_fault_access(access), pc, 2, place.rule,
                "The driver %s address %p%s, where no memory is, and no handler was there.",
                access_verb(access), (void *)address, place.text);
}

static _Noreturn void stop_unhandled(const EXCEPTION_RECORD *record, const CONTEXT *machine)
{
    KIRQL irql = KeGetCurrentIrql();
    ULONG_PTR pc = (ULONG_PTR)record->ExceptionAddress;
    ULONG code = (ULONG)record->ExceptionCode;
    bool is_access = is_fault(record) && record->ExceptionCode == STATUS_ACCESS_VIOLATION;
    if (is_access &&
        (irql >= DISPATCH_LEVEL || record->ExceptionInformation[1] >= LOWEST_ADDRESS)) {
        stop_at_page_fault(record, irql);
    }
    if (irql >= DISPATCH_LEVEL) {
        ke_bugcheck(KMODE_EXCEPTION_NOT_HANDLED, code, pc, record->ExceptionInformation[0],
                    record->ExceptionInformation[1], NULL,
                    "Exception 0x%08X was raised at IRQL %u, and no handler caught it.", code,
                    irql);
    }
    if (is_access) {
        struct verifier_place place = where(record->ExceptionInformation[1]);
        ke_bugcheck(SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, code, pc, (ULONG_PTR)record,
                    (ULONG_PTR)machine, place.rule,
                    "The driver %s address %p%s, where no memory is, and no handler was there.",
                    access_verb(record->ExceptionInformation[0]),
                    (void *)record->ExceptionInformation[1], place.text);
    }
    ke_bugcheck(SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, code, pc, (ULONG_PTR)record,
                (ULONG_PTR)machine, NULL, "Exception 0x%08X was raised, and no handler caught it.",
                code);
}

_Noreturn void seh_raise(const EXCEPTION_RECORD *record, const CONTEXT *machine)
{
    seh_dispatch(record, machine);
    stop_unhandled(record, machine);
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

static bool on_fault(struct base_fault *fault)
{
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
        record.NumberParameters = 2;
        record.ExceptionInformation[0] = fault->access;
        record.ExceptionInformation[1] = fault->address;
        if (is_emulated_thread()) {
            verifier_check_fault(fault->address, fault->access, fault->pc);
        }
    }
    seh_dispatch(&record, &machine);
    if (is_emulated_thread()) {
        stop_unhandled(&record, &machine);
    }
    return false;
}

void seh_catch_faults(void)
{
    base_fault_install(on_fault);
}
