/* Calling the modules' callbacks. */
#include "ke/callback.h"
#include "nmr/registrar.h"

NTSTATUS nmr_call_client_attach(const struct nmr_binding *binding)
{
    const struct nmr_registration *client = binding->side[NMR_CLIENT].registration;
    const struct nmr_registration *provider = binding->side[NMR_PROVIDER].registration;
    nmr_registration_check(client);
    nmr_registration_check(provider);
    PNPI_CLIENT_ATTACH_PROVIDER_FN routine = client->characteristics->client.ClientAttachProvider;
    struct ke_callback callback;
    ke_callback_enter(&callback, "ClientAttachProvider", (const void *)(ULONG_PTR)routine);
    NTSTATUS status = routine(binding->handle, client->context, nmr_instance(provider));
    ke_callback_leave(&callback);
    return status;
}

NTSTATUS nmr_call_provider_attach(const struct nmr_binding *binding, PVOID client_context,
                                  const VOID *client_dispatch, PVOID *provider_context,
                                  const VOID **provider_dispatch)
{
    const struct nmr_registration *client = binding->side[NMR_CLIENT].registration;
    const struct nmr_registration *provider = binding->side[NMR_PROVIDER].registration;
    nmr_registration_check(client);
    nmr_registration_check(provider);
    PNPI_PROVIDER_ATTACH_CLIENT_FN routine =
        provider->characteristics->provider.ProviderAttachClient;
    struct ke_callback callback;
    ke_callback_enter(&callback, "ProviderAttachClient", (const void *)(ULONG_PTR)routine);
    NTSTATUS status = routine(binding->handle, provider->context, nmr_instance(client),
                              client_context, client_dispatch, provider_context, provider_dispatch);
    ke_callback_leave(&callback);
    return status;
}

NTSTATUS nmr_call_detach(const struct nmr_binding *binding, enum nmr_role role)
{
    const struct nmr_side *side = &binding->side[role];
    const char *rule = role == NMR_CLIENT ? "NMR-28" : "NMR-32";
    nmr_registration_check(side->registration);
    nmr_check_there(side->context, "binding context", rule);
    nmr_check_there(side->dispatch, "dispatch table", rule);
    const union nmr_characteristics *module = side->registration->characteristics;
    /* Both have the same type but for its name. */
    PNPI_CLIENT_DETACH_PROVIDER_FN routine = role == NMR_CLIENT
                                                 ? module->client.ClientDetachProvider
                                                 : module->provider.ProviderDetachClient;
    struct ke_callback callback;
    ke_callback_enter(&callback,
                      role == NMR_CLIENT ? "ClientDetachProvider" : "ProviderDetachClient",
                      (const void *)(ULONG_PTR)routine);
    NTSTATUS status = routine(side->context);
    ke_callback_leave(&callback);
    return status;
}

void nmr_call_cleanup(const struct nmr_binding *binding, enum nmr_role role)
{
    const struct nmr_side *side = &binding->side[role];
    nmr_registration_check(side->registration);
    nmr_check_there(side->context, "binding context", "NMR-56");
    const union nmr_characteristics *module = side->registration->characteristics;
    PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN routine =
        role == NMR_CLIENT ? module->client.ClientCleanupBindingContext
                           : module->provider.ProviderCleanupBindingContext;
    if (routine == NULL) {
        return;
    }
    struct ke_callback callback;
    ke_callback_enter(&callback,
                      role == NMR_CLIENT ? "ClientCleanupBindingContext"
                                         : "ProviderCleanupBindingContext",
                      (const void *)(ULONG_PTR)routine);
    routine(side->context);
    ke_callback_leave(&callback);
}
