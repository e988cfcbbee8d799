/*
 * Memory of the driver's that WSK comes back to after the call that named it, and memory of WSK's
 * that a driver has for the time of a callback only.
 */
#include "wsk/memory.h"

#include "ex/guarded.h"
#include "ke/bugcheck.h"
#include "verifier/gone.h"
#include "wsk/client.h"

#include <string.h>

void wsk_memory_check_there(const void *address, const char *what, const char *rule)
{
    const char *gone = verifier_gone(address);
    if (gone != NULL) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)address, 0, 0,
                     rule, "The driver's %s %p is still needed, but lies %s.", what, address, gone);
    }
}

void wsk_memory_report_paged(const void *address, const char *what, const char *function,
                             const char *rule)
{
    ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)address, 0, 0, rule,
                 "The driver gave %s the %s %p, which lies in paged pool: it is used at "
                 "DISPATCH_LEVEL.",
                 function, what, address);
}

void wsk_loan_begin(struct wsk_loan *loan, void *original, size_t bytes, const char *what,
                    const char *rule)
{
    *loan = (struct wsk_loan){.copy = original, .original = original, .bytes = bytes};
    if (original == NULL || bytes == 0 || !verifier_is_full()) {
        return;
    }
    loan->guarded = ex_guarded_obtain(0, bytes, MEMORY_ALLOCATION_ALIGNMENT, what, NULL);
    if (loan->guarded != NULL) {
        loan->guarded->freed_rule = rule;
        loan->copy = loan->guarded->start;
        memcpy(loan->copy, original, bytes);
    }
}

void wsk_loan_end(struct wsk_loan *loan, const void *routine)
{
    if (loan->guarded == NULL) {
        return;
    }
    const char *rule = loan->guarded->freed_rule;
    const char *what = loan->guarded->what;
    bool is_changed = memcmp(loan->copy, loan->original, loan->bytes) != 0;
    ex_guarded_retire(loan->guarded, (const char *)routine + 1);
    if (is_changed) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)routine, 0, 0,
                     rule, "The driver wrote to the %s that a callback of it may only read.", what);
    }
}
