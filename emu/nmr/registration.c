/*
 * Registrations: modules that offer or use an interface.
 *
 * A registration is held by its bindings and by the calls that work on it. Deregistering marks it,
 * so that no new binding is made, and starts the detachments; when the last hold goes it is
 * complete. The wait that finds it complete frees it, and from then on its handle is unknown.
 *
 * The driver's characteristics are used where they lie, as on Windows, but compared with a copy
 * each time, so that a structure that did not stay is found out.
 */
#include "nmr/registrar.h"

#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ke/patience.h"
#include "ke/warning.h"
#include "nmr/nmr.h"
#include "verifier/gone.h"

#include <stdlib.h>
#include <string.h>

static_assert(sizeof(NPI_CLIENT_CHARACTERISTICS) == sizeof(NPI_PROVIDER_CHARACTERISTICS),
              "both are copied and compared alike");

static const char *role_name(enum nmr_role role)
{
    return role == NMR_CLIENT ? "client" : "provider";
}

PNPI_REGISTRATION_INSTANCE nmr_instance(const struct nmr_registration *registration)
{
    return registration->role == NMR_CLIENT
               ? &registration->characteristics->client.ClientRegistrationInstance
               : &registration->characteristics->provider.ProviderRegistrationInstance;
}

void nmr_registration_check(const struct nmr_registration *registration)
{
    SIZE_T length = sizeof(registration->copy);
    nmr_check_there(registration->characteristics, "characteristics", "NMR-04");
    nmr_check_there(registration->context, "registration context", "NMR-05");
    if (RtlCompareMemory(registration->characteristics, &registration->copy, length) != length) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, NMR_VIOLATION,
                    (ULONG_PTR)registration->handle, (ULONG_PTR)registration->characteristics, 0,
                    "NMR-04",
                    "The characteristics %p of the NMR %s %p changed while it was registered.",
                    (const void *)registration->characteristics, role_name(registration->role),
                    registration->handle);
    }
    if (memcmp(nmr_instance(registration)->NpiId, &registration->npi, sizeof(NPIID)) != 0) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, NMR_VIOLATION,
                    (ULONG_PTR)registration->handle, (ULONG_PTR)nmr_instance(registration)->NpiId,
                    0, "NMR-06",
                    "The NPI identifier of the NMR %s %p changed while it was registered.",
                    role_name(registration->role), registration->handle);
    }
}

void nmr_check_there(const void *address, const char *what, const char *rule)
{
    const char *gone = verifier_gone(address);
    if (gone != NULL) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, NMR_VIOLATION, (ULONG_PTR)address, 0, 0,
                     rule, "The %s %p that a driver gave to NMR is still needed, but lies %s.",
                     what, address, gone);
    }
}

void nmr_registration_release(struct nmr_registration *registration)
{
    if (--registration->holds == 0 && registration->is_deregistered) {
        KeSetEvent(&registration->complete, IO_NO_INCREMENT, FALSE);
    }
}

static bool is_usable(enum nmr_role role, const union nmr_characteristics *characteristics)
{
    if (characteristics == NULL) {
        return false;
    }
    if (role == NMR_CLIENT) {
        return characteristics->client.ClientAttachProvider != NULL &&
               characteristics->client.ClientDetachProvider != NULL &&
               characteristics->client.ClientRegistrationInstance.NpiId != NULL;
    }
    return characteristics->provider.ProviderAttachClient != NULL &&
           characteristics->provider.ProviderDetachClient != NULL &&
           characteristics->provider.ProviderRegistrationInstance.NpiId != NULL;
}

static void warn_of_sizes(const struct nmr_registration *registration)
{
    const NPI_CLIENT_CHARACTERISTICS *module = &registration->copy.client;
    PNPI_REGISTRATION_INSTANCE instance = nmr_instance(registration);
    if (module->Version != 0 || module->Length != sizeof(*module)) {
        ke_warning("NMR-07",
                   "an NMR %s registered with characteristics of version %u and length %u; they "
                   "are 0 and %u.",
                   role_name(registration->role), module->Version, module->Length,
                   (unsigned)sizeof(*module));
    }
    if (instance->Version != 0 || instance->Size != sizeof(*instance)) {
        ke_warning("NMR-08",
                   "an NMR %s registered with an instance of version %u and size %u; they are 0 "
                   "and %u.",
                   role_name(registration->role), instance->Version, instance->Size,
                   (unsigned)sizeof(*instance));
    }
}

static struct nmr_registration *create(enum nmr_role role,
                                       const union nmr_characteristics *characteristics,
                                       PVOID context, const void *creator)
{
    struct nmr_registration *registration = calloc(1, sizeof(*registration));
    if (registration == NULL) {
        return NULL;
    }
    registration->role = role;
    registration->characteristics = characteristics;
    RtlCopyMemory(&registration->copy, characteristics, sizeof(registration->copy));
    registration->npi = *nmr_instance(registration)->NpiId;
    registration->context = context;
    registration->creator = creator;
    registration->holds = 1;
    KeInitializeEvent(&registration->complete, NotificationEvent, FALSE);
    return registration;
}

/* Whether one is registered with these. The lock is held. */
static bool is_registered(const union nmr_characteristics *characteristics)
{
    LIST_ENTRY *head = &nmr_state()->registrations;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        const struct nmr_registration *other =
            CONTAINING_RECORD(entry, struct nmr_registration, link);
        if (other->characteristics == characteristics && !other->is_deregistered) {
            return true;
        }
    }
    return false;
}

/* Puts the registration on the list with its bindings made, or frees it. */
static NTSTATUS enlist(struct nmr_registration *registration)
{
    struct nmr_state *nmr = nmr_state();
    base_mutex_lock(&nmr->lock);
    registration->handle = nmr_new_handle();
    bool is_shared = is_registered(registration->characteristics);
    NTSTATUS status = nmr_bind_all(registration);
    if (NT_SUCCESS(status)) {
        InsertTailList(&nmr->registrations, &registration->link);
    }
    base_mutex_unlock(&nmr->lock);
    if (!NT_SUCCESS(status)) {
        free(registration);
        return status;
    }
    if (is_shared) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, NMR_VIOLATION,
                     (ULONG_PTR)registration->handle, (ULONG_PTR)registration->characteristics, 0,
                     "NMR-13",
                     "The driver registered the NMR %s %p with the characteristics %p, with which "
                     "another is registered: each role has its own structures.",
                     role_name(registration->role), registration->handle,
                     (const void *)registration->characteristics);
    }
    return status;
}

static NTSTATUS enter(enum nmr_role role, const union nmr_characteristics *characteristics,
                      PVOID context, const void *creator, bool is_own, PHANDLE handle)
{
    if (!is_usable(role, characteristics) || handle == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    struct nmr_registration *registration = create(role, characteristics, context, creator);
    if (registration == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    registration->is_own = is_own;
    warn_of_sizes(registration);
    NTSTATUS status = enlist(registration);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    *handle = registration->handle;
    nmr_offer_all(registration);
    base_mutex_lock(&nmr_state()->lock);
    nmr_registration_release(registration);
    base_mutex_unlock(&nmr_state()->lock);
    return STATUS_SUCCESS;
}

/* The registration of that handle and role, or NULL. The lock is held. */
static struct nmr_registration *find(HANDLE handle, enum nmr_role role)
{
    LIST_ENTRY *head = &nmr_state()->registrations;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        struct nmr_registration *registration =
            CONTAINING_RECORD(entry, struct nmr_registration, link);
        if (registration->handle == handle && registration->role == role) {
            return registration;
        }
    }
    return NULL;
}

static NTSTATUS deregister(HANDLE handle, enum nmr_role role)
{
    struct nmr_state *nmr = nmr_state();
    base_mutex_lock(&nmr->lock);
    struct nmr_registration *registration = find(handle, role);
    bool is_valid = registration != NULL && !registration->is_deregistered;
    if (is_valid) {
        registration->is_deregistered = true;
        registration->holds++;
        nmr_forget_new(registration);
    }
    base_mutex_unlock(&nmr->lock);
    if (!is_valid) {
        ke_warning("NMR-12", "the driver deregistered %p, which is no registered NMR %s.", handle,
                   role_name(role));
        return STATUS_INVALID_PARAMETER;
    }
    nmr_detach_all(registration);
    base_mutex_lock(&nmr->lock);
    nmr_registration_release(registration);
    base_mutex_unlock(&nmr->lock);
    return STATUS_PENDING;
}

static void say_what_is_left(void *context)
{
    const struct nmr_registration *registration = context;
    base_mutex_lock(&nmr_state()->lock);
    ULONG holds = registration->holds;
    base_mutex_unlock(&nmr_state()->lock);
    ke_warning("NMR-47",
               "the deregistration of the NMR %s %p takes long: %u bindings are not detached. A "
               "module whose detach callback returned STATUS_PENDING has to call its "
               "...DetachComplete function.",
               role_name(registration->role), registration->handle, holds);
}

/* Counts the caller as a waiter; NULL if there is nothing to wait for. */
static struct nmr_registration *start_wait(HANDLE handle, enum nmr_role role)
{
    base_mutex_lock(&nmr_state()->lock);
    struct nmr_registration *registration = find(handle, role);
    bool is_early = registration != NULL && !registration->is_deregistered;
    if (is_early) {
        registration = NULL;
    }
    if (registration != NULL) {
        registration->waiters++;
    }
    base_mutex_unlock(&nmr_state()->lock);
    if (registration == NULL) {
        ke_warning("NMR-42", "the driver waits for the deregistration of %p, which is %s.", handle,
                   is_early ? "not deregistered" : "no NMR registration of that kind");
    }
    return registration;
}

static NTSTATUS await(HANDLE handle, enum nmr_role role)
{
    struct nmr_registration *registration = start_wait(handle, role);
    if (registration == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    ke_wait_patiently(&registration->complete, &(struct ke_reason){.what = "deregistering from NMR",
                                                                   .object = handle,
                                                                   .kind = KE_REASON_END,
                                                                   .rule = "NMR-47",
                                                                   .verifier_code = NMR_VIOLATION,
                                                                   .say = say_what_is_left,
                                                                   .context = registration});
    base_mutex_lock(&nmr_state()->lock);
    bool is_last = --registration->waiters == 0;
    if (is_last) {
        RemoveEntryList(&registration->link);
    }
    base_mutex_unlock(&nmr_state()->lock);
    if (is_last) {
        free(registration);
    }
    return STATUS_SUCCESS;
}

/*
 * Registers a module that uses an interface. ClientCharacteristics stays the driver's and must stay
 * as it is until the deregistration is complete. ClientAttachProvider is called for every provider
 * of the interface, at once for those that are registered, before this returns.
 * STATUS_SUCCESS and *NmrClientHandle, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER.
 * PASSIVE_LEVEL. (NMR-02, NMR-04, NMR-15, WSK-IRQL-13)
 */
NTSTATUS NTAPI NmrRegisterClient(PNPI_CLIENT_CHARACTERISTICS ClientCharacteristics,
                                 PVOID ClientContext, PHANDLE NmrClientHandle)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return enter(NMR_CLIENT, (const union nmr_characteristics *)ClientCharacteristics,
                 ClientContext, _ReturnAddress(), false, NmrClientHandle);
}

/*
 * Registers a module that offers an interface. Clients of it are offered the provider before this
 * returns. Otherwise as NmrRegisterClient. PASSIVE_LEVEL. (NMR-03, NMR-16, WSK-IRQL-13)
 */
NTSTATUS NTAPI NmrRegisterProvider(PNPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics,
                                   PVOID ProviderContext, PHANDLE NmrProviderHandle)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return enter(NMR_PROVIDER, (const union nmr_characteristics *)ProviderCharacteristics,
                 ProviderContext, _ReturnAddress(), false, NmrProviderHandle);
}

NTSTATUS nmr_register_own_provider(PNPI_PROVIDER_CHARACTERISTICS characteristics, PVOID context,
                                   PHANDLE handle)
{
    return enter(NMR_PROVIDER, (const union nmr_characteristics *)characteristics, context,
                 _ReturnAddress(), true, handle);
}

/*
 * Starts the deregistration: detaches the client from every provider. Always STATUS_PENDING, or
 * STATUS_INVALID_PARAMETER for a handle that is not a registered client's.
 * IRQL <= DISPATCH_LEVEL. (NMR-35, NMR-36, WSK-IRQL-14)
 */
NTSTATUS NTAPI NmrDeregisterClient(HANDLE NmrClientHandle)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return deregister(NmrClientHandle, NMR_CLIENT);
}

/* As NmrDeregisterClient, for a provider. IRQL <= DISPATCH_LEVEL. (NMR-35, NMR-36, WSK-IRQL-14) */
NTSTATUS NTAPI NmrDeregisterProvider(HANDLE NmrProviderHandle)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    return deregister(NmrProviderHandle, NMR_PROVIDER);
}

/*
 * Waits until the client is detached from all providers, they from it, and all is cleaned up; the
 * handle is then gone. STATUS_SUCCESS, or STATUS_INVALID_PARAMETER if the handle is not valid or
 * NmrDeregisterClient was not called. IRQL < DISPATCH_LEVEL. (NMR-40, NMR-41, NMR-43, WSK-IRQL-15)
 */
NTSTATUS NTAPI NmrWaitForClientDeregisterComplete(HANDLE NmrClientHandle)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    return await(NmrClientHandle, NMR_CLIENT);
}

/* As NmrWaitForClientDeregisterComplete, for a provider. (NMR-40, NMR-41, NMR-43, WSK-IRQL-15) */
NTSTATUS NTAPI NmrWaitForProviderDeregisterComplete(HANDLE NmrProviderHandle)
{
    KE_IRQL_AT_MOST(APC_LEVEL);
    return await(NmrProviderHandle, NMR_PROVIDER);
}
