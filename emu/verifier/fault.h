/* What an address was at which no memory is: the words of a report on a fault. */
#ifndef VERIFIER_FAULT_H
#define VERIFIER_FAULT_H

#include <wdm.h>

#include <stdbool.h>

struct verifier_place {
    char text[400];   /* ", ..." or empty */
    const char *rule; /* that the access breaks, or NULL */
};

/* A call of function, by caller, was made to fail with NULL as its result; and one that was not. */
void verifier_note_refused(const char *function, const void *caller);
void verifier_note_granted(const char *function);

struct verifier_place verifier_place_of(ULONG_PTR address);

/* What a pointer is that nobody set, the same byte again and again: "; ..." or empty. */
const char *verifier_pattern_of(ULONG_PTR address);

/*
 * Bug checks if the address lies in freed memory or behind a block, as Windows does for special
 * pool, whatever handler there is. access is EXCEPTION_READ_FAULT and so on.
 */
void verifier_check_fault(ULONG_PTR address, ULONG_PTR access, ULONG_PTR pc);

/* Whether the address lies on the stack of one of the threads that ended last. */
bool verifier_is_on_ended_stack(ULONG_PTR address);

/* The calling thread's stack is about to end; or begins, and may have got the same memory. */
void verifier_stack_ended(void);
void verifier_stack_begins(void);

#endif
