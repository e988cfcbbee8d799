/* A test's expectation of a bug check. At most one at a time in a process. */
#ifndef KE_EXPECTATION_H
#define KE_EXPECTATION_H

#include <wskemu/wskemu.h>

#include "base/jump.h"
#include "ke/thread.h"

#include <stdatomic.h>
#include <stdbool.h>

struct ke_expectation {
    base_jump resume;
    struct _KTHREAD *thread; /* who expects */
    struct wskemu_bugcheck *caught;
    atomic_bool is_met;
};

/* What is expected. Whoever takes it out, the bug check or the end of the test's body, has it. */
extern struct ke_expectation *_Atomic ke_expectation;

#endif
