/* A driver that was unloaded while NMR would still call it, or knows it. */
#include "nmr/registrar.h"

#include "base/stack.h"
#include "io/unload.h"
#include "ke/bugcheck.h"
#include "ke/warning.h"

struct left {
    HANDLE handle;
    const void *creator; /* where the registration was made */
};

/* A registration of the driver that is left: one whose deregistration is complete and was never
 * waited for, or one that NMR would still call. Its creator is NULL if there is none. */
static struct left find_left(const struct ke_code *code, bool is_complete)
{
    struct nmr_state *nmr = nmr_state();
    struct left left = {NULL, NULL};
    base_mutex_lock(&nmr->lock);
    for (LIST_ENTRY *entry = nmr->registrations.Flink; entry != &nmr->registrations;
         entry = entry->Flink) {
        const struct nmr_registration *registration =
            CONTAINING_RECORD(entry, struct nmr_registration, link);
        bool is_over = registration->is_deregistered && registration->holds == 0;
        if (!registration->is_own && is_over == is_complete &&
            ke_code_called(code, registration->creator)) {
            left = (struct left){registration->handle, registration->creator};
        }
    }
    base_mutex_unlock(&nmr->lock);
    return left;
}

static void check_unloaded(const DRIVER_OBJECT *driver, const struct ke_code *code)
{
    struct left unawaited = find_left(code, true);
    struct left registered = find_left(code, false);
    UNREFERENCED_PARAMETER(driver);
    if (unawaited.creator != NULL) {
        ke_warning("NMR-38",
                   "the driver %s was unloaded and had not waited for the end of the "
                   "deregistration of %p, which it registered with NMR in %s",
                   code->driver, unawaited.handle, base_stack_site(unawaited.creator).text);
    }
    if (registered.creator != NULL) {
        ke_violation(DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS,
                     (ULONG_PTR)registered.creator, 0, (ULONG_PTR)registered.creator, 0, "NMR-39",
                     "The driver %s was unloaded before the deregistration of %p, which it "
                     "registered with NMR in %s, was complete.",
                     code->driver, registered.handle, base_stack_site(registered.creator).text);
    }
}

void nmr_unload_start(void)
{
    io_unload_add_hook(check_unloaded);
}
