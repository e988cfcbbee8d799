/* Bug checks of exceptions that nobody handles, and what they say. */
#ifndef RTL_UNHANDLED_H
#define RTL_UNHANDLED_H

#include <wdm.h>

struct base_fault;

/* fault is what raised it, or NULL: software did. */
_Noreturn void rtl_stop_unhandled(const EXCEPTION_RECORD *record, const CONTEXT *machine,
                                  const struct base_fault *fault);

/* The calling thread's stack is exhausted. No handler gets that: Windows has no stack to call it
 * on, so that its processor meets a double fault. */
_Noreturn void rtl_stop_at_stack_end(const struct base_fault *fault);

#endif
