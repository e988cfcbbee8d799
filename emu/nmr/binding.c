/*
 * Bindings: a client and a provider of the same interface.
 *
 * What this keeps true:
 * - Every pair is offered once. Whoever registers second makes the binding, under the lock under
 *   which it becomes visible, so that two modules that register at the same time see each other
 *   exactly once; and it makes the offer itself, before its registration returns.
 * - Callbacks run without the lock. The state says who may go on meanwhile: a binding that is being
 *   offered belongs to the thread that offers it, which also detaches it if a side deregistered in
 *   the meantime. Only ATTACHED bindings are detached by others, and leaving that state under the
 *   lock is what makes it happen once.
 * - A side is done when its detach callback has returned and, if that returned STATUS_PENDING, its
 *   ...Complete function was called, in whichever order. Who makes the second side done cleans up,
 *   client first, and frees the binding. So the thread that calls the callbacks may use the binding
 *   until the provider's side is settled, and not after.
 */
#include "nmr/registrar.h"

#include "ke/bugcheck.h"
#include "ke/limit.h"
#include "ke/warning.h"

#include <stdlib.h>
#include <string.h>

static bool fits(const struct nmr_registration *one, const struct nmr_registration *other)
{
    return one->role != other->role && !other->is_deregistered &&
           memcmp(&one->npi, &other->npi, sizeof(one->npi)) == 0;
}

static bool pair(struct nmr_registration *registration, struct nmr_registration *other)
{
    struct nmr_binding *binding = calloc(1, sizeof(*binding));
    if (binding == NULL) {
        return false;
    }
    binding->handle = nmr_new_handle();
    binding->offerer = registration;
    binding->side[registration->role].registration = registration;
    binding->side[other->role].registration = other;
    registration->holds++;
    other->holds++;
    InsertTailList(&nmr_state()->bindings, &binding->link);
    return true;
}

/* Takes the binding off the list and frees it. The lock is held. */
static void forget(struct nmr_binding *binding)
{
    RemoveEntryList(&binding->link);
    nmr_registration_release(binding->side[NMR_CLIENT].registration);
    nmr_registration_release(binding->side[NMR_PROVIDER].registration);
    free(binding);
}

static bool is_of(const struct nmr_binding *binding, const struct nmr_registration *registration)
{
    return binding->side[registration->role].registration == registration;
}

/* The registration's first binding in that state, or NULL. The lock is held. */
static struct nmr_binding *first_in_state(const struct nmr_registration *registration,
                                          enum nmr_binding_state state)
{
    LIST_ENTRY *head = &nmr_state()->bindings;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        struct nmr_binding *binding = CONTAINING_RECORD(entry, struct nmr_binding, link);
        if (binding->state == state && is_of(binding, registration)) {
            return binding;
        }
    }
    return NULL;
}

/* The registration's first binding that it has to offer itself. The lock is held. */
static struct nmr_binding *first_to_offer(const struct nmr_registration *registration)
{
    LIST_ENTRY *head = &nmr_state()->bindings;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        struct nmr_binding *binding = CONTAINING_RECORD(entry, struct nmr_binding, link);
        if (binding->state == NMR_NEW && binding->offerer == registration) {
            return binding;
        }
    }
    return NULL;
}

static struct nmr_binding *find(HANDLE handle)
{
    LIST_ENTRY *head = &nmr_state()->bindings;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        struct nmr_binding *binding = CONTAINING_RECORD(entry, struct nmr_binding, link);
        if (binding->handle == handle) {
            return binding;
        }
    }
    return NULL;
}

NTSTATUS nmr_bind_all(struct nmr_registration *registration)
{
    LIST_ENTRY *head = &nmr_state()->registrations;
    for (LIST_ENTRY *entry = head->Flink; entry != head; entry = entry->Flink) {
        struct nmr_registration *other = CONTAINING_RECORD(entry, struct nmr_registration, link);
        if (fits(registration, other) && !pair(registration, other)) {
            nmr_forget_new(registration);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    return STATUS_SUCCESS;
}

void nmr_forget_new(const struct nmr_registration *registration)
{
    struct nmr_binding *binding;
    while ((binding = first_in_state(registration, NMR_NEW)) != NULL) {
        forget(binding);
    }
}

/* Notes how a side's detach callback returned, or that its ...Complete was called. Returns whether
 * both sides are done, so that the caller has to finish the binding. The lock is held. */
static bool is_last_done(struct nmr_binding *binding, struct nmr_side *side)
{
    side->detach = NMR_DETACH_DONE;
    return binding->side[NMR_CLIENT].detach == NMR_DETACH_DONE &&
           binding->side[NMR_PROVIDER].detach == NMR_DETACH_DONE;
}

static void finish(struct nmr_binding *binding)
{
    nmr_call_cleanup(binding, NMR_CLIENT);
    nmr_call_cleanup(binding, NMR_PROVIDER);
    base_mutex_lock(&nmr_state()->lock);
    forget(binding);
    base_mutex_unlock(&nmr_state()->lock);
}

static const char *detach_name(enum nmr_role role)
{
    return role == NMR_CLIENT ? "ClientDetachProvider" : "ProviderDetachClient";
}

static const char *complete_name(enum nmr_role role)
{
    return role == NMR_CLIENT ? "NmrClientDetachProviderComplete"
                              : "NmrProviderDetachClientComplete";
}

static _Noreturn void stop_for_completing(HANDLE handle, enum nmr_role role)
{
    ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, NMR_VIOLATION, (ULONG_PTR)handle, 0, 0,
                "NMR-48",
                "The driver called %s for the binding %p, whose %s did not return STATUS_PENDING, "
                "or which it completed before.",
                complete_name(role), handle, detach_name(role));
}

static void check_detach_status(const struct nmr_binding *binding, enum nmr_role role,
                                NTSTATUS status)
{
    if (status != STATUS_SUCCESS && status != STATUS_PENDING) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, NMR_VIOLATION, (ULONG_PTR)binding->handle,
                    (ULONG_PTR)(ULONG)status, 0, "NMR-45",
                    "The driver's %s returned status 0x%08X; it may return STATUS_SUCCESS or "
                    "STATUS_PENDING.",
                    detach_name(role), (ULONG)status);
    }
    if (status == STATUS_SUCCESS && binding->side[role].is_completed) {
        stop_for_completing(binding->handle, role);
    }
}

static void detach_side(struct nmr_binding *binding, enum nmr_role role)
{
    struct nmr_state *nmr = nmr_state();
    struct nmr_side *side = &binding->side[role];
    base_mutex_lock(&nmr->lock);
    side->detach = NMR_DETACH_RUNNING;
    base_mutex_unlock(&nmr->lock);
    NTSTATUS status = nmr_call_detach(binding, role);
    base_mutex_lock(&nmr->lock);
    check_detach_status(binding, role, status);
    bool is_done = status == STATUS_SUCCESS || side->is_completed;
    bool is_last = false;
    if (is_done) {
        is_last = is_last_done(binding, side);
    } else {
        side->detach = NMR_DETACH_PENDING;
    }
    base_mutex_unlock(&nmr->lock);
    if (is_last) {
        finish(binding);
    }
}

/* Detaches both sides of a binding that the caller has just made DETACHING. */
static void detach(struct nmr_binding *binding)
{
    detach_side(binding, NMR_CLIENT);
    detach_side(binding, NMR_PROVIDER);
}

void nmr_detach_all(const struct nmr_registration *registration)
{
    struct nmr_state *nmr = nmr_state();
    for (;;) {
        base_mutex_lock(&nmr->lock);
        struct nmr_binding *binding = first_in_state(registration, NMR_ATTACHED);
        if (binding != NULL) {
            binding->state = NMR_DETACHING;
        }
        base_mutex_unlock(&nmr->lock);
        if (binding == NULL) {
            return;
        }
        detach(binding);
    }
}

/* Looks whether ClientAttachProvider returned what it had to. */
static void check_attach_status(const struct nmr_binding *binding, NTSTATUS status)
{
    if ((status == STATUS_SUCCESS) != (binding->state == NMR_ACCEPTED)) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, NMR_VIOLATION, (ULONG_PTR)binding->handle,
                    (ULONG_PTR)(ULONG)status, 0, "NMR-21",
                    "The driver's ClientAttachProvider returned status 0x%08X while the provider "
                    "%s attached; it has to return the status of its last NmrClientAttachProvider.",
                    (ULONG)status, binding->state == NMR_ACCEPTED ? "is" : "is not");
    }
    if (!binding->is_tried && status != STATUS_NOINTERFACE) {
        ke_warning("NMR-20",
                   "ClientAttachProvider did not attach and returned 0x%08X; it has to return "
                   "STATUS_NOINTERFACE.",
                   (ULONG)status);
    }
    if (binding->is_tried && status != binding->attach_status) {
        ke_warning("NMR-21",
                   "ClientAttachProvider returned 0x%08X; its last NmrClientAttachProvider "
                   "returned 0x%08X.",
                   (ULONG)status, (ULONG)binding->attach_status);
    }
}

/* Offers a binding that the caller has just made OFFERED. */
static void offer(struct nmr_binding *binding)
{
    struct nmr_state *nmr = nmr_state();
    NTSTATUS status = nmr_call_client_attach(binding);
    check_attach_status(binding, status);
    base_mutex_lock(&nmr->lock);
    bool is_attached = binding->state == NMR_ACCEPTED;
    bool is_unwanted = binding->side[NMR_CLIENT].registration->is_deregistered ||
                       binding->side[NMR_PROVIDER].registration->is_deregistered;
    if (!is_attached) {
        forget(binding);
    } else if (is_unwanted) {
        binding->state = NMR_DETACHING;
    } else {
        binding->state = NMR_ATTACHED;
    }
    base_mutex_unlock(&nmr->lock);
    if (is_attached && is_unwanted) {
        detach(binding);
    }
}

void nmr_offer_all(const struct nmr_registration *registration)
{
    struct nmr_state *nmr = nmr_state();
    for (;;) {
        base_mutex_lock(&nmr->lock);
        struct nmr_binding *binding = first_to_offer(registration);
        if (binding != NULL) {
            binding->state = NMR_OFFERED;
        }
        base_mutex_unlock(&nmr->lock);
        if (binding == NULL) {
            return;
        }
        offer(binding);
    }
}

/* The binding of that handle, now ATTACHING; bug checks unless it is being offered. */
static struct nmr_binding *start_attach(HANDLE handle)
{
    struct nmr_state *nmr = nmr_state();
    base_mutex_lock(&nmr->lock);
    struct nmr_binding *binding = find(handle);
    bool is_offered = binding != NULL && binding->state == NMR_OFFERED;
    if (is_offered) {
        binding->state = NMR_ATTACHING;
    }
    base_mutex_unlock(&nmr->lock);
    if (!is_offered) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, NMR_VIOLATION, (ULONG_PTR)handle, 0, 0,
                    "NMR-23",
                    "The driver called NmrClientAttachProvider with %p, which is no binding that "
                    "is being offered to it: it may be called inside ClientAttachProvider only, "
                    "until it has succeeded.",
                    handle);
    }
    return binding;
}

static void end_attach(struct nmr_binding *binding, NTSTATUS status)
{
    base_mutex_lock(&nmr_state()->lock);
    binding->is_tried = true;
    binding->attach_status = status;
    binding->state = status == STATUS_SUCCESS ? NMR_ACCEPTED : NMR_OFFERED;
    base_mutex_unlock(&nmr_state()->lock);
}

static void check_provider_answer(HANDLE handle, NTSTATUS status, bool is_filled)
{
    if (status == STATUS_SUCCESS && !is_filled) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, NMR_VIOLATION, (ULONG_PTR)handle, 0, 0,
                    "NMR-31",
                    "The driver's ProviderAttachClient returned STATUS_SUCCESS without setting "
                    "both its binding context and its dispatch table.");
    }
    if (status != STATUS_SUCCESS && status != STATUS_NOINTERFACE) {
        ke_warning("NMR-31",
                   "ProviderAttachClient returned 0x%08X; a provider that does not attach returns "
                   "STATUS_NOINTERFACE.",
                   (ULONG)status);
    }
}

/*
 * Attaches the client to the provider that is being offered to it: calls ProviderAttachClient and
 * returns its status. The out parameters are written when that is STATUS_SUCCESS. After
 * STATUS_NOINTERFACE the client may try again with another dispatch table.
 * PASSIVE_LEVEL, inside ClientAttachProvider. (NMR-23, NMR-24, NMR-25, NMR-27, WSK-IRQL-13)
 */
NTSTATUS NTAPI NmrClientAttachProvider(HANDLE NmrBindingHandle, PVOID ClientBindingContext,
                                       CONST VOID *ClientDispatch, PVOID *ProviderBindingContext,
                                       CONST VOID **ProviderDispatch)
{
    static const char unset = 0;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (ProviderBindingContext == NULL || ProviderDispatch == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    struct nmr_binding *binding = start_attach(NmrBindingHandle);
    PVOID context = (PVOID)(ULONG_PTR)&unset;
    const VOID *dispatch = &unset;
    binding->side[NMR_CLIENT].context = ClientBindingContext;
    binding->side[NMR_CLIENT].dispatch = ClientDispatch;
    NTSTATUS status = nmr_call_provider_attach(binding, ClientBindingContext, ClientDispatch,
                                               &context, &dispatch);
    check_provider_answer(NmrBindingHandle, status, context != &unset && dispatch != &unset);
    if (status == STATUS_SUCCESS) {
        binding->side[NMR_PROVIDER].context = context;
        binding->side[NMR_PROVIDER].dispatch = dispatch;
        *ProviderBindingContext = context;
        *ProviderDispatch = dispatch;
    }
    end_attach(binding, status);
    return status;
}

static void complete(HANDLE handle, enum nmr_role role)
{
    struct nmr_state *nmr = nmr_state();
    bool is_last = false;
    base_mutex_lock(&nmr->lock);
    struct nmr_binding *binding = find(handle);
    struct nmr_side *side = binding != NULL ? &binding->side[role] : NULL;
    bool is_running = side != NULL && side->detach == NMR_DETACH_RUNNING && !side->is_completed;
    bool is_pending = side != NULL && side->detach == NMR_DETACH_PENDING;
    if (is_running) {
        side->is_completed = true;
    } else if (is_pending) {
        is_last = is_last_done(binding, side);
    }
    base_mutex_unlock(&nmr->lock);
    if (binding == NULL) {
        ke_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, NMR_VIOLATION, (ULONG_PTR)handle, 0, 0,
                    "NMR-49",
                    "The driver called %s with %p, which is no handle of a binding, or of one "
                    "that is detached already.",
                    complete_name(role), handle);
    }
    if (!is_running && !is_pending) {
        stop_for_completing(handle, role);
    }
    if (is_last) {
        finish(binding);
    }
}

/*
 * Says that the client, whose ClientDetachProvider returned STATUS_PENDING, has detached. May be
 * called from any thread, also before that callback returned. NmrBindingHandle is what
 * ClientAttachProvider got. IRQL <= DISPATCH_LEVEL. (NMR-47, NMR-48, NMR-49, WSK-IRQL-14)
 */
VOID NTAPI NmrClientDetachProviderComplete(HANDLE NmrBindingHandle)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    complete(NmrBindingHandle, NMR_CLIENT);
}

/* As NmrClientDetachProviderComplete, for the provider. (NMR-47, NMR-48, NMR-49, WSK-IRQL-14) */
VOID NTAPI NmrProviderDetachClientComplete(HANDLE NmrBindingHandle)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    complete(NmrBindingHandle, NMR_PROVIDER);
}
