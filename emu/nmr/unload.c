/* A driver that was unloaded while NMR would still call it. */
#include "nmr/registrar.h"

#include "base/stack.h"
#include "io/unload.h"
#include "ke/bugcheck.h"

/* Where a registration that is left was made, or NULL. */
static const void *find_left(const struct ke_code *code, HANDLE *handle)
{
    struct nmr_state *nmr = nmr_state();
    const void *creator = NULL;
    base_mutex_lock(&nmr->lock);
    for (LIST_ENTRY *entry = nmr->registrations.Flink; entry != &nmr->registrations;
         entry = entry->Flink) {
        const struct nmr_registration *registration =
            CONTAINING_RECORD(entry, struct nmr_registration, link);
        bool is_complete = registration->is_deregistered && registration->holds == 0;
        if (!registration->is_own && !is_complete && ke_code_called(code, registration->creator)) {
            creator = registration->creator;
            *handle = registration->handle;
        }
    }
    base_mutex_unlock(&nmr->lock);
    return creator;
}

static void check_unloaded(const DRIVER_OBJECT *driver, const struct ke_code *code)
{
    HANDLE handle = NULL;
    const void *creator = find_left(code, &handle);
    UNREFERENCED_PARAMETER(driver);
    if (creator != NULL) {
        ke_violation(DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS, (ULONG_PTR)creator, 0,
                     (ULONG_PTR)creator, 0, "NMR-39",
                     "The driver %s was unloaded before the deregistration of %p, which it "
                     "registered with NMR in %s, was complete.",
                     code->driver, handle, base_stack_site(creator).text);
    }
}

void nmr_unload_start(void)
{
    io_unload_add_hook(check_unloaded);
}
