#include "ke/thread.h"

/*
 * How long DPCs may run. STATUS_SUCCESS at DISPATCH_LEVEL, with limits of zero, which say that
 * nobody watches; else STATUS_UNSUCCESSFUL. (DPC-18)
 */
NTSTATUS KeQueryDpcWatchdogInformation(PKDPC_WATCHDOG_INFORMATION WatchdogInformation)
{
    if (ke_current()->irql < DISPATCH_LEVEL) {
        return STATUS_UNSUCCESSFUL;
    }
    RtlZeroMemory(WatchdogInformation, sizeof(*WatchdogInformation));
    return STATUS_SUCCESS;
}
