/* Memory of the driver's that WSK comes back to, and of WSK's that it lends. See memory.c. */
#ifndef WSK_MEMORY_H
#define WSK_MEMORY_H

#include <wdm.h>

#include "ex/paged.h"
#include "verifier/level.h"

/* Bug checks if the memory has gone, to which function, or what was called then, comes back. */
void wsk_memory_check_there(const void *address, const char *what, const char *rule);

/* Says that what the driver gave to function lies in paged pool. */
void wsk_memory_report_paged(const void *address, const char *what, const char *function,
                             const char *rule);

/* Bug checks if a context or a buffer, which is used at DISPATCH_LEVEL, lies in paged pool. */
static inline void wsk_memory_check_resident(const void *address, const char *what,
                                             const char *function, const char *rule)
{
    if (ex_is_paged(address)) {
        wsk_memory_report_paged(address, what, function, rule);
    }
}

/* A copy for a callback of the driver's, which may use it only until it returns: at level full it
 * lies in pages of its own, which are forbidden then, and the driver may not write to it. */
struct wsk_loan {
    void *copy; /* what the driver gets */
    const void *original;
    size_t bytes;
    struct ex_guarded *guarded;
};

void wsk_loan_begin(struct wsk_loan *loan, void *original, size_t bytes, const char *what,
                    const char *rule);
/* routine is the callback, which has returned. */
void wsk_loan_end(struct wsk_loan *loan, const void *routine);

#endif
