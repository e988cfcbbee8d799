/*
 * The verifier's state, which hangs from the kernel. What others call stands in the headers beside:
 *
 *   level.h    how much is checked
 *   option.h   the options of a run
 *   rule.h     the documented rules
 *   history.h  what happened to IRPs, sockets and devices
 *   object.h   what lies at an address, and who made it
 *   once.h     warnings that are said once for each place
 *   silence.h  rules that are not to speak
 *   report.h   what a bug check and a warning print
 *   hang.h     who waits for ever
 *   dispatch_watch.h  who computes for ever at DISPATCH_LEVEL
 */
#ifndef VERIFIER_VERIFIER_H
#define VERIFIER_VERIFIER_H

#include "ke/kernel.h"
#include "verifier/dispatch_watch.h"
#include "verifier/hang.h"
#include "verifier/history.h"
#include "verifier/object.h"
#include "verifier/once.h"
#include "verifier/silence.h"

struct verifier_state {
    struct verifier_history history;
    struct verifier_objects objects;
    struct verifier_silences silences;
    struct verifier_spoken spoken;
    struct verifier_hang hang;
    struct verifier_dispatch_watch dispatch_watch;
};

extern const struct ke_module verifier_module;

/* Of the kernel that the calling thread has entered, also when it is halted; NULL without one. */
static inline struct verifier_state *verifier_state(void)
{
    struct ke_kernel *kernel = ke_thread_slot.kernel;
    return kernel != NULL ? kernel->state[KE_MODULE_VERIFIER] : NULL;
}

#endif
