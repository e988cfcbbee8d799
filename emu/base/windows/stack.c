#include "base/stack.h"

#include <stddef.h>
#include <windows.h>

/* Goes on to the caller; returns whether it was done by the unwind tables. */
static bool unwind_by_table(CONTEXT *machine)
{
    DWORD64 image = 0;
    void *handler_data = NULL;
    DWORD64 establisher = 0;
    RUNTIME_FUNCTION *function = RtlLookupFunctionEntry(machine->Rip, &image, NULL);
    if (function == NULL) {
        return false;
    }
    RtlVirtualUnwind(UNW_FLAG_NHANDLER, image, machine->Rip, function, machine, &handler_data,
                     &establisher, NULL);
    return true;
}

/* What has no table has no frame: its return address is on top of the stack. So is a function
 * without one, and so is nothing at all, where a call went through a wild pointer. */
static void unwind_by_return_address(CONTEXT *machine)
{
    machine->Rip = *(const DWORD64 *)machine->Rsp;
    machine->Rsp += sizeof(DWORD64);
}

void base_stack_walk_host(base_stack_visitor *visitor, void *context)
{
    CONTEXT machine;
    DWORD64 stack_end = (DWORD64)((const NT_TIB *)NtCurrentTeb())->StackBase;
    bool had_table = true;
    RtlCaptureContext(&machine);
    while (machine.Rsp + sizeof(DWORD64) < stack_end) {
        DWORD64 sp = machine.Rsp;
        bool has_table = unwind_by_table(&machine);
        if (!has_table && !had_table) {
            return;
        }
        if (!has_table) {
            unwind_by_return_address(&machine);
        }
        had_table = has_table;
        /* A return address may be the first byte of what follows the calling block. */
        if (machine.Rsp <= sp || visitor(context, machine.Rip - 1, machine.Rbp)) {
            return;
        }
    }
}

void base_stack_bounds(uintptr_t *low, uintptr_t *high)
{
    ULONG_PTR first = 0;
    ULONG_PTR end = 0;
    GetCurrentThreadStackLimits(&first, &end);
    *low = first;
    *high = end;
}
