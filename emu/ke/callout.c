/* Stack expansion and floating point: nothing to do in a process, whose stacks are large. */
#include "ke/callback.h"
#include "ke/limit.h"
#include "verifier/stack_use.h"

/* Windows' limit: its large kernel stack less half a page. */
#define EXPANSION_BYTES_MAX (0x12000 - PAGE_SIZE / 2)

/* Calls Callout with at least Size bytes of stack. IRQL <= DISPATCH_LEVEL. STATUS_SUCCESS,
 * STATUS_INVALID_PARAMETER_3 for a larger Size than a kernel stack's. */
NTSTATUS KeExpandKernelStackAndCallout(PEXPAND_STACK_CALLOUT Callout, PVOID Parameter, SIZE_T Size)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (Size > EXPANSION_BYTES_MAX) {
        return STATUS_INVALID_PARAMETER_3;
    }
    struct ke_callback callback;
    ke_callback_enter(&callback, VERIFIER_EXPANDED, (void *)(ULONG_PTR)Callout);
    Callout(Parameter);
    ke_callback_leave(&callback);
    return STATUS_SUCCESS;
}

/* Saves the floating point state; on x64 there is nothing to save. IRQL <= DISPATCH_LEVEL. */
NTSTATUS KeSaveFloatingPointState(PKFLOATING_SAVE FloatSave)
{
    UNREFERENCED_PARAMETER(FloatSave);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return STATUS_SUCCESS;
}

/* Restores what KeSaveFloatingPointState saved. IRQL <= DISPATCH_LEVEL. */
NTSTATUS KeRestoreFloatingPointState(PKFLOATING_SAVE FloatSave)
{
    UNREFERENCED_PARAMETER(FloatSave);
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return STATUS_SUCCESS;
}
