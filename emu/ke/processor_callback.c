/* Notifications of added processors: none is ever added, so only those that exist are told of. */
#include "ke/bugcheck.h"
#include "ke/callback.h"
#include "ke/kernel.h"
#include "ke/limit.h"

#include <stdlib.h>

struct registration {
    PPROCESSOR_CALLBACK_FUNCTION function;
    PVOID context;
};

static NTSTATUS tell(const struct registration *registration,
                     KE_PROCESSOR_CHANGE_NOTIFY_STATE state, ULONG number)
{
    KE_PROCESSOR_CHANGE_NOTIFY_CONTEXT change = {
        .State = state, .NtNumber = number, .Status = STATUS_SUCCESS};
    NTSTATUS status = STATUS_SUCCESS;
    struct ke_callback callback;
    KeGetProcessorNumberFromIndex(number, &change.ProcNumber);
    ke_callback_enter(&callback, "a processor change callback",
                      (void *)(ULONG_PTR)registration->function);
    registration->function(registration->context, &change, &status);
    ke_callback_leave(&callback);
    return status;
}

/* Tells of every processor; false if the driver refused one. */
static bool tell_of_existing(const struct registration *registration)
{
    ULONG count = ke_kernel()->processors.count;
    for (ULONG i = 0; i < count; i++) {
        if (!NT_SUCCESS(tell(registration, KeProcessorAddStartNotify, i))) {
            return false;
        }
    }
    for (ULONG i = 0; i < count; i++) {
        tell(registration, KeProcessorAddCompleteNotify, i);
    }
    return true;
}

/*
 * Registers a callback for added processors; with KE_PROCESSOR_CHANGE_ADD_EXISTING it is called for
 * those that exist, and NULL is returned if it refuses one. NULL also when memory is short.
 * PASSIVE_LEVEL.
 */
PVOID KeRegisterProcessorChangeCallback(PPROCESSOR_CALLBACK_FUNCTION CallbackFunction,
                                        PVOID CallbackContext, ULONG Flags)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    struct registration *registration = calloc(1, sizeof(*registration));
    if (registration == NULL) {
        return NULL;
    }
    registration->function = CallbackFunction;
    registration->context = CallbackContext;
    if ((Flags & KE_PROCESSOR_CHANGE_ADD_EXISTING) != 0 && !tell_of_existing(registration)) {
        free(registration);
        return NULL;
    }
    return registration;
}

/* Ends a registration. PASSIVE_LEVEL. */
VOID KeDeregisterProcessorChangeCallback(PVOID CallbackHandle)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    free(CallbackHandle);
}
