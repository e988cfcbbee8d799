/* Memory that has to be resident: what is touched at DISPATCH_LEVEL, and what others wait for. */
#ifndef VERIFIER_RESIDENT_H
#define VERIFIER_RESIDENT_H

#include "ex/paged.h"
#include "ke/thread.h"
#include "verifier/level.h"

void verifier_look_for_ended_stack(const void *object, const char *function, const char *rule);
void verifier_report_object(const void *object, const char *what, ULONG code, const char *rule);
void verifier_report_touch(const void *address, const char *function, const char *rule);

/*
 * Warns if the memory, which function is about to free because the run-time library made it, is a
 * pool block of another tag. False if no pool block begins there.
 */
bool verifier_check_owned(const void *memory, ULONG tag, const char *function, const char *rule);

/* A fault at the address; whether it was only a block of paged pool that was out, and is there
 * again. Bug checks if the thread, at DISPATCH_LEVEL or above, must not touch it. */
bool verifier_page_in(ULONG_PTR address, ULONG_PTR access, ULONG_PTR pc);

/*
 * Bug checks if the object, a "spin lock" say, lies in paged pool. code is the first parameter of
 * 0xC4: 0xE1 for what threads wait for or synchronise by.
 */
static inline void verifier_check_object(const void *object, const char *what, ULONG code,
                                         const char *rule)
{
    if (ex_is_paged(object)) {
        verifier_report_object(object, what, code, rule);
    }
}

/* Bug checks at level full if the object, which is used by a call to function, lies on the stack of
 * a thread that has ended. */
static inline void verifier_check_alive(const void *object, const char *function, const char *rule)
{
    if (verifier_is_full()) {
        verifier_look_for_ended_stack(object, function, rule);
    }
}

/* Bug checks if the calling thread, at DISPATCH_LEVEL or above, gave paged pool to function, which
 * touches it. */
static inline void verifier_check_touch(const void *address, const char *function, const char *rule)
{
    if (ex_is_paged(address) && ke_current()->irql >= DISPATCH_LEVEL) {
        verifier_report_touch(address, function, rule);
    }
}

#endif
