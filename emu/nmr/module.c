#include "nmr/nmr.h"

#include "base/log.h"
#include "base/stack.h"
#include "nmr/registrar.h"

#include <stdlib.h>

/* Handles are no addresses, so that a driver that looks into one faults. */
#define FIRST_HANDLE ((ULONG_PTR)0x4E4D520000000000)
#define HANDLE_STEP 16

HANDLE nmr_new_handle(void)
{
    return (HANDLE)(nmr_state()->last_handle += HANDLE_STEP);
}

static NTSTATUS start(void *state)
{
    struct nmr_state *nmr = state;
    base_mutex_init(&nmr->lock);
    InitializeListHead(&nmr->registrations);
    InitializeListHead(&nmr->bindings);
    nmr->last_handle = FIRST_HANDLE;
    nmr_unload_start();
    return STATUS_SUCCESS;
}

static void report_one(const struct nmr_registration *registration)
{
    const char *role = registration->role == NMR_CLIENT ? "client" : "provider";
    struct base_site site = base_stack_site(registration->creator);
    if (!registration->is_deregistered) {
        base_log("left: NMR %s %p, never deregistered (NMR-12), registered by %s\n", role,
                 registration->handle, site.text);
        return;
    }
    base_log("left: NMR %s %p, deregistered but never waited for (NMR-38), %u bindings not "
             "detached, registered by %s\n",
             role, registration->handle, registration->holds, site.text);
}

static unsigned report(void *state)
{
    struct nmr_state *nmr = state;
    unsigned left = 0;
    for (LIST_ENTRY *entry = nmr->registrations.Flink; entry != &nmr->registrations;
         entry = entry->Flink) {
        const struct nmr_registration *registration =
            CONTAINING_RECORD(entry, struct nmr_registration, link);
        if (!registration->is_own) {
            report_one(registration);
            left++;
        }
    }
    return left;
}

static void stop(void *state)
{
    struct nmr_state *nmr = state;
    while (!IsListEmpty(&nmr->bindings)) {
        free(CONTAINING_RECORD(RemoveHeadList(&nmr->bindings), struct nmr_binding, link));
    }
    while (!IsListEmpty(&nmr->registrations)) {
        free(CONTAINING_RECORD(RemoveHeadList(&nmr->registrations), struct nmr_registration, link));
    }
    base_mutex_destroy(&nmr->lock);
}

const struct ke_module nmr_module = {
    .name = "NMR",
    .state_bytes = sizeof(struct nmr_state),
    .start = start,
    .report = report,
    .stop = stop,
};
