/*
 * Bug checks of exceptions that nobody handles.
 *
 * A sentence says of a fault what is known, and no more: the host may tell the address, or the
 * instruction may, or nothing does. Windows' parameters stay what they would be there, even where
 * the sentence knows better.
 */
#include "rtl/unhandled.h"

#include <ntddk.h>

#include "base/fault.h"
#include "base/stack.h"
#include "ke/bugcheck.h"
#include "rtl/status_name.h"
#include "verifier/fault.h"
#include "verifier/stack_use.h"

#include <stdio.h>
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

static const char *access_verb(const struct base_fault *fault)
{
    if (!fault->is_access_known) {
        return "accessed";
    }
    if (fault->access == BASE_FAULT_EXECUTE) {
        return fault->is_return ? "returned to" : "executed";
    }
    return fault->access == BASE_FAULT_WRITE ? "wrote to" : "read from";
}

/* Whether the instruction is one of the list functions', which are inlined from that header. */
static bool is_in_list_function(ULONG_PTR pc)
{
    struct base_stack_frame frame;
    base_stack_name(pc, &frame);
    const char *file = frame.header != NULL ? frame.header : frame.file;
    const char *name = file == NULL ? NULL : strrchr(file, '/');
    return name != NULL && strcmp(name, "/wdm_rtl.h") == 0;
}

/* A link of a zeroed list is followed at the offset of another link. */
static bool is_link_of_null(ULONG_PTR address, ULONG_PTR pc)
{
    return (address == FIELD_OFFSET(LIST_ENTRY, Flink) ||
            address == FIELD_OFFSET(LIST_ENTRY, Blink)) &&
           is_in_list_function(pc);
}

static struct verifier_place where(ULONG_PTR address, ULONG_PTR pc)
{
    static const struct verifier_place shared = {" (the kernel's shared user data)", NULL};
    static const struct verifier_place list = {", following a NULL link of a list that was never "
                                               "initialised, or of an entry that is in no "
                                               "list",
                                               "RTL-42"};
    if (is_link_of_null(address, pc)) {
        return list;
    }
    return address - SHARED_USER_DATA < PAGE_SIZE ? shared : verifier_place_of(address);
}

/* ---- accesses ---- */

static _Noreturn void stop_at_page_fault(const struct base_fault *fault, KIRQL irql)
{
    ULONG_PTR address = fault->address;
    struct verifier_place place = where(address, fault->pc);
    if (irql >= DISPATCH_LEVEL) {
        ke_bugcheck(DRIVER_IRQL_NOT_LESS_OR_EQUAL, address, irql, fault->access, fault->pc,
                    place.rule, "The driver %s address 0x%llX%s, where no memory is, at IRQL %u.",
                    access_verb(fault), (unsigned long long)address, place.text, irql);
    }
    ke_bugcheck(PAGE_FAULT_IN_NONPAGED_AREA, address, page_fault_access(fault->access), fault->pc,
                2, place.rule,
                "The driver %s address 0x%llX%s, where no memory is, and no handler was there.",
                access_verb(fault), (unsigned long long)address, place.text);
}

/* There is memory, which allows less. */
static _Noreturn void stop_at_protection(const struct base_fault *fault)
{
    struct verifier_place place = where(fault->address, fault->pc);
    if (fault->reason == BASE_FAULT_NO_CODE) {
        ke_bugcheck(
            ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY, fault->address, 0, 0, 0, place.rule,
            "The driver executed address 0x%llX%s, where data lies and not code: the memory "
            "may not be executed.",
            (unsigned long long)fault->address, place.text);
    }
    ke_bugcheck(
        ATTEMPTED_WRITE_TO_READONLY_MEMORY, fault->address, 0, 0, 0, place.rule,
        "The driver wrote to address 0x%llX%s, where memory is that may only be read: a string "
        "constant, a const variable or code.",
        (unsigned long long)fault->address, place.text);
}

struct refusal {
    char text[400];
};

static struct refusal describe_refusal(const struct base_fault *fault)
{
    struct refusal refusal;
    if (fault->reason == BASE_FAULT_NOT_CANONICAL) {
        snprintf(refusal.text, sizeof(refusal.text),
                 "The driver %s address 0x%llX, which no processor can map (its bits 63 to 47 "
                 "differ)%s%s",
                 access_verb(fault), (unsigned long long)fault->address,
                 fault->is_return ? "; its return address on the stack was overwritten, as by a "
                                    "write behind the end of a local variable"
                                  : "",
                 fault->is_return ? "" : verifier_pattern_of(fault->address));
    } else if (fault->address != BASE_FAULT_NO_ADDRESS) {
        snprintf(refusal.text, sizeof(refusal.text),
                 "The driver accessed address 0x%llX by an instruction that the processor refused; "
                 "it may demand a multiple of 16 there",
                 (unsigned long long)fault->address);
    } else {
        snprintf(refusal.text, sizeof(refusal.text),
                 "The processor refused an instruction of the driver, mostly because of an address "
                 "that it cannot map; which one is not known");
    }
    return refusal;
}

static _Noreturn void stop_at_refusal(const EXCEPTION_RECORD *record, const CONTEXT *machine,
                                      const struct base_fault *fault, KIRQL irql)
{
    ULONG code = (ULONG)record->ExceptionCode;
    struct refusal refusal = describe_refusal(fault);
    if (irql >= DISPATCH_LEVEL) {
        ke_bugcheck(KMODE_EXCEPTION_NOT_HANDLED, code, fault->pc, record->ExceptionInformation[0],
                    record->ExceptionInformation[1], NULL, "%s, at IRQL %u.", refusal.text, irql);
    }
    ke_bugcheck(SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, code, fault->pc, (ULONG_PTR)record,
                (ULONG_PTR)machine, NULL, "%s, and no handler was there.", refusal.text);
}

static _Noreturn void stop_at_access(const EXCEPTION_RECORD *record, const CONTEXT *machine,
                                     const struct base_fault *fault)
{
    KIRQL irql = KeGetCurrentIrql();
    struct verifier_place place;
    switch (fault->reason) {
    case BASE_FAULT_READ_ONLY:
    case BASE_FAULT_NO_CODE:
        stop_at_protection(fault);
    case BASE_FAULT_NOT_CANONICAL:
    case BASE_FAULT_UNTOLD:
        stop_at_refusal(record, machine, fault, irql);
    case BASE_FAULT_NO_MEMORY:
        break;
    }
    if (irql >= DISPATCH_LEVEL || fault->address >= LOWEST_ADDRESS) {
        stop_at_page_fault(fault, irql);
    }
    place = where(fault->address, fault->pc);
    ke_bugcheck(SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, (ULONG)record->ExceptionCode, fault->pc,
                (ULONG_PTR)record, (ULONG_PTR)machine, place.rule,
                "The driver %s address 0x%llX%s, where no memory is, and no handler was there.",
                access_verb(fault), (unsigned long long)fault->address, place.text);
}

/* ---- everything else ---- */

struct explanation {
    NTSTATUS status;
    const char *text;
};

static const struct explanation explanations[] = {
    {STATUS_INTEGER_DIVIDE_BY_ZERO, "the driver divided an integer by zero"},
    {STATUS_INTEGER_OVERFLOW, "the quotient of a division does not fit"},
    {STATUS_DATATYPE_MISALIGNMENT, "an address is not a multiple of what the access needs"},
    {STATUS_PRIVILEGED_INSTRUCTION,
     "the driver executed an instruction for kernels, which wskemu does not emulate"},
    {STATUS_BREAKPOINT, "the driver met a breakpoint or a failed assertion, and no debugger is "
                        "attached"},
    {STATUS_ASSERTION_FAILURE, "an assertion of the driver failed"},
    {STATUS_MUTANT_NOT_OWNED, "the driver released a mutex that this thread does not own"},
    {STATUS_MUTANT_LIMIT_EXCEEDED, "the driver acquired a mutex too often without a release"},
    {STATUS_SEMAPHORE_LIMIT_EXCEEDED, "the driver released a semaphore beyond its limit"},
    {STATUS_ACCESS_VIOLATION, "the driver, or a routine that it called, raised this by software; "
                              "no access faulted"},
    {STATUS_INSUFFICIENT_RESOURCES, "memory that was asked for by a call that raises was refused"},
    {STATUS_NONCONTINUABLE_EXCEPTION, "a filter wanted to go on after an exception that does not "
                                      "allow it"},
};

static const char *explanation_of(NTSTATUS status)
{
    for (size_t i = 0; i < RTL_NUMBER_OF(explanations); i++) {
        if (explanations[i].status == status) {
            return explanations[i].text;
        }
    }
    return "the driver, or a routine that it called, raised it";
}

static _Noreturn void stop_at_exception(const EXCEPTION_RECORD *record, const CONTEXT *machine)
{
    KIRQL irql = KeGetCurrentIrql();
    ULONG_PTR pc = (ULONG_PTR)record->ExceptionAddress;
    ULONG code = (ULONG)record->ExceptionCode;
    const char *name = rtl_status_name(record->ExceptionCode);
    const char *explanation = explanation_of(record->ExceptionCode);
    name = name != NULL ? name : "without a name";
    if (irql >= DISPATCH_LEVEL) {
        ke_bugcheck(KMODE_EXCEPTION_NOT_HANDLED, code, pc, record->ExceptionInformation[0],
                    record->ExceptionInformation[1], NULL,
                    "Exception 0x%08X, %s, was raised at IRQL %u, and no handler caught it: %s.",
                    code, name, irql, explanation);
    }
    ke_bugcheck(
        SYSTEM_THREAD_EXCEPTION_NOT_HANDLED, code, pc, (ULONG_PTR)record, (ULONG_PTR)machine, NULL,
        "Exception 0x%08X, %s, was raised, and no handler caught it: %s.", code, name, explanation);
}

_Noreturn void rtl_stop_unhandled(const EXCEPTION_RECORD *record, const CONTEXT *machine,
                                  const struct base_fault *fault)
{
    if (fault != NULL && fault->kind == BASE_FAULT_ACCESS) {
        stop_at_access(record, machine, fault);
    }
    stop_at_exception(record, machine);
}

/* First parameter of 0x7F: the processor's number of a double fault. */
#define DOUBLE_FAULT 8

_Noreturn void rtl_stop_at_stack_end(const struct base_fault *fault)
{
    ke_bugcheck(UNEXPECTED_KERNEL_MODE_TRAP, DOUBLE_FAULT, 0, fault->registers[BASE_RSP], fault->pc,
                "THREAD-36",
                "The thread's stack is exhausted, %s. Windows' has 24 KB, and ends in a double "
                "fault.",
                verifier_stack_content().text);
}
