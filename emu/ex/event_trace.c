/*
 * Event tracing by registered providers, on a system where nobody listens: no session enables a
 * provider, so that its callback is never called and what it writes goes nowhere, as on any Windows
 * without a session for it.
 */
#include "ke/limit.h"
#include "ob/object.h"

struct provider {
    GUID id;
    PETWENABLECALLBACK callback;
    PVOID context;
};

static struct _OBJECT_TYPE provider_type = {.name = "EtwRegistration"};

/*
 * Registers a provider. A handle that is still registered at shutdown is reported.
 * STATUS_INVALID_PARAMETER, STATUS_NO_MEMORY. PASSIVE_LEVEL.
 */
NTSTATUS EtwRegister(LPCGUID ProviderId, PETWENABLECALLBACK EnableCallback, PVOID CallbackContext,
                     PREGHANDLE RegHandle)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (ProviderId == NULL || RegHandle == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    struct provider *provider = ob_create(&provider_type, sizeof(*provider));
    if (provider == NULL) {
        return STATUS_NO_MEMORY;
    }
    provider->id = *ProviderId;
    provider->callback = EnableCallback;
    provider->context = CallbackContext;
    *RegHandle = (ULONG_PTR)provider;
    return STATUS_SUCCESS;
}

/* Ends a registration. STATUS_INVALID_HANDLE for 0. PASSIVE_LEVEL. */
NTSTATUS EtwUnregister(REGHANDLE RegHandle)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (RegHandle == 0) {
        return STATUS_INVALID_HANDLE;
    }
    ob_dereference((PVOID)(ULONG_PTR)RegHandle);
    return STATUS_SUCCESS;
}

static NTSTATUS write_nowhere(REGHANDLE handle)
{
    return handle == 0 ? STATUS_INVALID_HANDLE : STATUS_SUCCESS;
}

/* Writes an event to the sessions that enabled the provider: there are none. STATUS_INVALID_HANDLE
 * for handle 0. Any IRQL. */
NTSTATUS EtwWrite(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor, LPCGUID ActivityId,
                  ULONG UserDataCount, PEVENT_DATA_DESCRIPTOR UserData)
{
    return write_nowhere(RegHandle);
}

/* As EtwWrite, with a related activity. */
NTSTATUS EtwWriteTransfer(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor,
                          LPCGUID ActivityId, LPCGUID RelatedActivityId, ULONG UserDataCount,
                          PEVENT_DATA_DESCRIPTOR UserData)
{
    return write_nowhere(RegHandle);
}

/* As EtwWrite, for a text. */
NTSTATUS EtwWriteString(REGHANDLE RegHandle, UCHAR Level, ULONGLONG Keyword, LPCGUID ActivityId,
                        PCWSTR String)
{
    return write_nowhere(RegHandle);
}

/* Whether a session wants that event: never. Any IRQL. */
BOOLEAN EtwEventEnabled(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor)
{
    return FALSE;
}

/* Whether a session wants events of that level and keyword: never. Any IRQL. */
BOOLEAN EtwProviderEnabled(REGHANDLE RegHandle, UCHAR Level, ULONGLONG Keyword)
{
    return FALSE;
}
