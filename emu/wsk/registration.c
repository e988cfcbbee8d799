#include "wsk/wsk.h"

#include <stdlib.h>

/* Registering with WSK, and capturing its provider. */

static struct wsk_client *client_of(PWSK_REGISTRATION registration)
{
    return registration->ReservedRegistrationContext;
}

void wsk_client_hold(struct wsk_client *client)
{
    base_mutex_lock(&client->lock);
    client->holds++;
    KeClearEvent(&client->released);
    base_mutex_unlock(&client->lock);
}

void wsk_client_release(struct wsk_client *client)
{
    base_mutex_lock(&client->lock);
    if (--client->holds == 0) {
        KeSetEvent(&client->released, IO_NO_INCREMENT, FALSE);
    }
    base_mutex_unlock(&client->lock);
}

/* Registers a client. The NPI and its dispatch are copied. PASSIVE_LEVEL. (WSK-REG) */
NTSTATUS WSKAPI WskRegister(PWSK_CLIENT_NPI WskClientNpi, PWSK_REGISTRATION WskRegistration)
{
    struct wsk_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    client->npi = *WskClientNpi;
    client->dispatch = *WskClientNpi->Dispatch;
    base_mutex_init(&client->lock);
    KeInitializeEvent(&client->released, NotificationEvent, TRUE);
    wsk_list_insert(&wsk_state()->clients, &client->link);
    RtlZeroMemory(WskRegistration, sizeof(*WskRegistration));
    WskRegistration->ReservedRegistrationContext = client;
    return STATUS_SUCCESS;
}

/* Gives the provider's dispatch table; it is always there. PASSIVE_LEVEL. (WSK-REG) */
NTSTATUS WSKAPI WskCaptureProviderNPI(PWSK_REGISTRATION WskRegistration, ULONG WaitTimeout,
                                      PWSK_PROVIDER_NPI WskProviderNpi)
{
    UNREFERENCED_PARAMETER(WaitTimeout);
    struct wsk_client *client = client_of(WskRegistration);
    wsk_client_hold(client);
    WskProviderNpi->Client = client;
    WskProviderNpi->Dispatch = &wsk_provider_dispatch;
    return STATUS_SUCCESS;
}

/* Ends what WskCaptureProviderNPI began. IRQL <= DISPATCH_LEVEL. (WSK-REG) */
VOID WSKAPI WskReleaseProviderNPI(PWSK_REGISTRATION WskRegistration)
{
    wsk_client_release(client_of(WskRegistration));
}

/* The versions of WSK that the provider offers. PASSIVE_LEVEL. (WSK-REG) */
NTSTATUS WSKAPI WskQueryProviderCharacteristics(PWSK_REGISTRATION WskRegistration,
                                                PWSK_PROVIDER_CHARACTERISTICS Characteristics)
{
    UNREFERENCED_PARAMETER(WskRegistration);
    Characteristics->HighestVersion = MAKE_WSK_VERSION(1, 0);
    Characteristics->LowestVersion = MAKE_WSK_VERSION(1, 0);
    return STATUS_SUCCESS;
}

/* Waits until every capture is released and every socket closed, then forgets the client.
 * PASSIVE_LEVEL. (WSK-REG) */
VOID WSKAPI WskDeregister(PWSK_REGISTRATION WskRegistration)
{
    struct wsk_client *client = client_of(WskRegistration);
    KeWaitForSingleObject(&client->released, Executive, KernelMode, FALSE, NULL);
    /* Whoever released it last may still hold the lock. */
    base_mutex_lock(&client->lock);
    base_mutex_unlock(&client->lock);
    wsk_list_remove(&client->link);
    base_mutex_destroy(&client->lock);
    free(client);
}
