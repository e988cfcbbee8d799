/* A test's expectation of a bug check. One thread of a process has some at a time; its innermost is
 * met first. */
#ifndef KE_EXPECTATION_H
#define KE_EXPECTATION_H

#include <wskemu/wskemu.h>

#include "base/jump.h"
#include "ke/thread.h"
#include "rtl/exception.h"

#include <stdatomic.h>
#include <stdbool.h>

struct ke_callback;

struct ke_expectation {
    base_jump resume;
    struct _KTHREAD *thread; /* who expects, in the kernel that runs; NULL while none does */
    struct wskemu_bugcheck caught;
    struct seh_barrier barrier;
    const void *frame;                  /* where the frames begin that a jump leaves behind */
    const struct ke_callback *callback; /* the innermost that the thread was in */
    bool is_announced;                  /* the bug check is printed as if nobody expected it */
    atomic_bool is_met;
    struct ke_expectation *outer;    /* of the same thread */
    struct ke_expectation *shadowed; /* what ke_expectation was before */
};

/* What is expected. Whoever takes it out, the bug check or the end of the test's body, has it. */
extern struct ke_expectation *_Atomic ke_expectation;

/* The calling thread is adopted by a kernel: what it expects, it expects there. */
void ke_expectation_follow(struct _KTHREAD *thread);

#endif
