#include <ntddk.h>

#include "guard.h"

NTSTATUS ByMacro(void)
{
    NTSTATUS status = STATUS_SUCCESS;
    GUARDED(ExRaiseStatus(STATUS_IN_PAGE_ERROR), status)
    return status;
}
