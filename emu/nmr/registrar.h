/* The registrar's objects: registrations (registration.c) and bindings (binding.c). */
#ifndef NMR_REGISTRAR_H
#define NMR_REGISTRAR_H

#include <wdm.h>
#include <netioddk.h>

#include "base/mutex.h"
#include "ke/kernel.h"

#include <stdbool.h>

/* First parameter of bug check 0xC4 for a broken rule of NMR; the second is the handle. */
#define NMR_VIOLATION 0x4E4D52

enum nmr_role { NMR_CLIENT, NMR_PROVIDER, NMR_ROLES };

/* What a module gave when it registered. Both structures are alike but for their callbacks. */
union nmr_characteristics {
    NPI_CLIENT_CHARACTERISTICS client;
    NPI_PROVIDER_CHARACTERISTICS provider;
};

struct nmr_state {
    struct base_mutex lock; /* guards all registrations and bindings */
    LIST_ENTRY registrations;
    LIST_ENTRY bindings;
    ULONG_PTR last_handle;
};

struct nmr_registration {
    LIST_ENTRY link;
    HANDLE handle;
    enum nmr_role role;
    const union nmr_characteristics *characteristics; /* the driver's */
    union nmr_characteristics copy;                   /* as they were at registration */
    NPIID npi;
    PVOID context;
    const void *creator;
    bool is_own; /* the emulator's */
    bool is_deregistered;
    ULONG holds;     /* bindings, and calls in progress */
    ULONG waiters;   /* threads in NmrWaitFor...DeregisterComplete */
    KEVENT complete; /* signalled once it is deregistered and nothing holds it */
};

enum nmr_binding_state {
    NMR_NEW,       /* not offered yet */
    NMR_OFFERED,   /* ClientAttachProvider runs */
    NMR_ATTACHING, /* and in it ProviderAttachClient */
    NMR_ACCEPTED,  /* the provider is attached, ClientAttachProvider still runs */
    NMR_ATTACHED,
    NMR_DETACHING,
};

enum nmr_detach {
    NMR_DETACH_NONE,
    NMR_DETACH_RUNNING, /* the callback runs */
    NMR_DETACH_PENDING, /* it returned STATUS_PENDING */
    NMR_DETACH_DONE,
};

struct nmr_side {
    struct nmr_registration *registration;
    PVOID context; /* the module's binding context */
    const VOID *dispatch;
    enum nmr_detach detach;
    bool is_completed; /* ...Complete was called while the callback ran */
};

struct nmr_binding {
    LIST_ENTRY link;
    HANDLE handle;
    enum nmr_binding_state state;
    const struct nmr_registration *offerer; /* who registered second and so offers the pair */
    NTSTATUS attach_status;                 /* of the last NmrClientAttachProvider */
    bool is_tried;                          /* there was one */
    struct nmr_side side[NMR_ROLES];
};

static inline struct nmr_state *nmr_state(void)
{
    return ke_state(KE_MODULE_NMR);
}

/* A handle that was never given before. The lock is held. */
HANDLE nmr_new_handle(void);

/* What the driver's characteristics say of the module itself. */
PNPI_REGISTRATION_INSTANCE nmr_instance(const struct nmr_registration *registration);

/* Bug checks if the driver's characteristics are no longer what they were. (NMR-04, NMR-06) */
void nmr_registration_check(const struct nmr_registration *registration);

/* Bug checks if what a module gave, and has to keep, is there no more. */
void nmr_check_there(const void *address, const char *what, const char *rule);

/* Has drivers looked at that are unloaded: unload.c. While NMR starts. */
void nmr_unload_start(void);

/* Drops a hold. The lock is held. */
void nmr_registration_release(struct nmr_registration *registration);

/* Makes a binding of every registered module that the registration fits. The lock is held. */
NTSTATUS nmr_bind_all(struct nmr_registration *registration);

/* Forgets the registration's bindings that were not offered yet. The lock is held. */
void nmr_forget_new(const struct nmr_registration *registration);

/* Offers the bindings that nmr_bind_all made. PASSIVE_LEVEL. */
void nmr_offer_all(const struct nmr_registration *registration);

/* Detaches what is attached to the registration. IRQL <= DISPATCH_LEVEL. */
void nmr_detach_all(const struct nmr_registration *registration);

/* Calls the modules' callbacks. No lock is held. */
NTSTATUS nmr_call_client_attach(const struct nmr_binding *binding);
NTSTATUS nmr_call_provider_attach(const struct nmr_binding *binding, PVOID client_context,
                                  const VOID *client_dispatch, PVOID *provider_context,
                                  const VOID **provider_dispatch);
NTSTATUS nmr_call_detach(const struct nmr_binding *binding, enum nmr_role role);
void nmr_call_cleanup(const struct nmr_binding *binding, enum nmr_role role);

#endif
