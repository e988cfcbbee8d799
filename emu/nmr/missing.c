/* What is not implemented: each function stops with a bug check that names it, so that no driver
 * mistakes it for a success. */
#include "ke/bugcheck.h"

#include <wdm.h>
#include <netioddk.h>

NTSTATUS NTAPI NmrRegisterClient(PNPI_CLIENT_CHARACTERISTICS ClientCharacteristics,
                                 PVOID ClientContext, PHANDLE NmrClientHandle)
{
    ke_not_implemented(__func__);
}

NTSTATUS NTAPI NmrDeregisterClient(HANDLE NmrClientHandle)
{
    ke_not_implemented(__func__);
}

NTSTATUS NTAPI NmrWaitForClientDeregisterComplete(HANDLE NmrClientHandle)
{
    ke_not_implemented(__func__);
}

NTSTATUS NTAPI NmrClientAttachProvider(HANDLE NmrBindingHandle, PVOID ClientBindingContext,
                                       CONST VOID *ClientDispatch, PVOID *ProviderBindingContext,
                                       CONST VOID **ProviderDispatch)
{
    ke_not_implemented(__func__);
}

VOID NTAPI NmrClientDetachProviderComplete(HANDLE NmrBindingHandle)
{
    ke_not_implemented(__func__);
}

NTSTATUS NTAPI NmrRegisterProvider(PNPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics,
                                   PVOID ProviderContext, PHANDLE NmrProviderHandle)
{
    ke_not_implemented(__func__);
}

NTSTATUS NTAPI NmrDeregisterProvider(HANDLE NmrProviderHandle)
{
    ke_not_implemented(__func__);
}

NTSTATUS NTAPI NmrWaitForProviderDeregisterComplete(HANDLE NmrProviderHandle)
{
    ke_not_implemented(__func__);
}

VOID NTAPI NmrProviderDetachClientComplete(HANDLE NmrBindingHandle)
{
    ke_not_implemented(__func__);
}
