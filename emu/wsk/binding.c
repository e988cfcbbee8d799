/*
 * WSK as a provider of NMR, for clients that attach to it without WskRegister.
 *
 * A client's life: ProviderAttachClient makes it, ProviderDetachClient ends it, and while sockets
 * or requests hold it the detachment stays pending; the release that makes it idle completes it
 * (client.c). The cleanup callback takes it off the list, since until both sides have detached the
 * client may still have calls in progress (NMR-51).
 */
#include "ke/warning.h"
#include "nmr/nmr.h"
#include "wsk/registration.h"
#include "wsk/wsk.h"

/* What a client of WSK's interface should say of itself. */
static void check_instance(const NPI_REGISTRATION_INSTANCE *instance)
{
    if (instance->Number != 0) {
        ke_warning("NMR-09",
                   "a client of WSK registered with NMR as number %u; a module that has one "
                   "implementation of the interface gives 0",
                   (unsigned)instance->Number);
    }
    if (instance->NpiSpecificCharacteristics != NULL) {
        ke_warning("NMR-10", "a client of WSK registered with NMR with NpiSpecificCharacteristics; "
                             "its interface has none");
    }
}

static NTSTATUS NTAPI attach_client(HANDLE NmrBindingHandle, PVOID ProviderContext,
                                    PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
                                    PVOID ClientBindingContext, CONST VOID *ClientDispatch,
                                    PVOID *ProviderBindingContext, CONST VOID **ProviderDispatch)
{
    const WSK_CLIENT_NPI npi = {ClientBindingContext, ClientDispatch};
    struct wsk_clients *clients = &wsk_state()->clients;
    UNREFERENCED_PARAMETER(ProviderContext);
    check_instance(ClientRegistrationInstance);
    if (ClientDispatch == NULL || !wsk_client_is_supported(npi.Dispatch->Version)) {
        return STATUS_NOINTERFACE;
    }
    struct wsk_client *client = wsk_client_create(&npi, NULL);
    if (client == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    client->binding = NmrBindingHandle;
    client->captures = 1;
    base_mutex_lock(&clients->lock);
    InsertTailList(&clients->all, &client->link);
    base_mutex_unlock(&clients->lock);
    *ProviderBindingContext = client;
    *ProviderDispatch = &wsk_provider_dispatch;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI detach_client(PVOID ProviderBindingContext)
{
    struct wsk_client *client = ProviderBindingContext;
    struct wsk_clients *clients = &wsk_state()->clients;
    base_mutex_lock(&clients->lock);
    client->is_ending = TRUE;
    base_mutex_unlock(&clients->lock);
    wsk_client_end(client);
    base_mutex_lock(&clients->lock);
    BOOLEAN is_idle = wsk_client_is_idle(client);
    client->is_awaited = !is_idle;
    base_mutex_unlock(&clients->lock);
    return is_idle ? STATUS_SUCCESS : STATUS_PENDING;
}

static VOID NTAPI forget_client(PVOID ProviderBindingContext)
{
    struct wsk_client *client = ProviderBindingContext;
    struct wsk_clients *clients = &wsk_state()->clients;
    base_mutex_lock(&clients->lock);
    client->captures = 0;
    if (wsk_client_is_idle(client)) {
        wsk_client_bury(client);
    } else {
        client->is_orphan = TRUE;
    }
    base_mutex_unlock(&clients->lock);
}

const WSK_PROVIDER_CHARACTERISTICS wsk_provider_versions = {
    .HighestVersion = MAKE_WSK_VERSION(1, 0),
    .LowestVersion = MAKE_WSK_VERSION(1, 0),
};

static const NPI_MODULEID module_id = {
    .Length = sizeof(NPI_MODULEID),
    .Type = MIT_GUID,
    .Guid = {0x6A1C7F52, 0x3D0E, 0x4B8B, {0x9F, 0x11, 0x52, 0x7E, 0xD4, 0x60, 0x8C, 0x2B}},
};

static const NPI_PROVIDER_CHARACTERISTICS characteristics = {
    .Length = sizeof(NPI_PROVIDER_CHARACTERISTICS),
    .ProviderAttachClient = attach_client,
    .ProviderDetachClient = detach_client,
    .ProviderCleanupBindingContext = forget_client,
    .ProviderRegistrationInstance =
        {
            .Size = sizeof(NPI_REGISTRATION_INSTANCE),
            .NpiId = &NPI_WSK_INTERFACE_ID,
            .ModuleId = &module_id,
            .NpiSpecificCharacteristics = &wsk_provider_versions,
        },
};

NTSTATUS wsk_binding_register(HANDLE *provider)
{
    return nmr_register_own_provider(&characteristics, NULL, provider);
}

void wsk_binding_deregister(HANDLE provider)
{
    NmrDeregisterProvider(provider);
    NmrWaitForProviderDeregisterComplete(provider);
}
