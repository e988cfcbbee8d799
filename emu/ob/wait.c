/* Waiting by handle. */
#include "ke/limit.h"
#include "ob/object.h"

#include <ntifs.h>

/*
 * Waits for the object of a handle, as KeWaitForSingleObject does. STATUS_INVALID_HANDLE,
 * STATUS_OBJECT_TYPE_MISMATCH for an object that is never signalled. PASSIVE_LEVEL.
 */
NTSTATUS ZwWaitForSingleObject(HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    void *object = NULL;
    ACCESS_MASK access = 0;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = ob_reference_handle(Handle, NULL, &object, &access);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    POBJECT_TYPE type = ob_type_of(object);
    if (type->waitable == NULL) {
        status = STATUS_OBJECT_TYPE_MISMATCH;
    } else {
        status = KeWaitForSingleObject(type->waitable(object), UserRequest, KernelMode, Alertable,
                                       Timeout);
    }
    ob_dereference(object);
    return status;
}
