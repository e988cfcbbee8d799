/*
 * Calling driver code: every completion routine, event callback, DPC, work item and thread routine
 * runs between ke_callback_enter and ke_callback_leave. A raise does not cross it, and it must
 * return at the level and with the locks with which it was entered.
 */
#ifndef KE_CALLBACK_H
#define KE_CALLBACK_H

#include <wdm.h>

#include "rtl/exception.h"

#include <stdbool.h>
#include <stdint.h>

/* What the two routines are called as that run in a thread of the system's. */
#define KE_CALLBACK_ENTRY "DriverEntry"
#define KE_CALLBACK_UNLOAD "the unload routine"

struct ke_callback {
    const char *what;    /* "a DPC routine" */
    const void *routine; /* the driver's */
    const char *started; /* the function with which it began a request of WSK last, or NULL */
    uint64_t number;     /* tells it from the thread's other routines, earlier and later */
    bool is_own;         /* the end of that request waits for the routine's return */
    KIRQL irql;
    unsigned spin_locks_held;
    SHORT kernel_apc_disable;
    SHORT special_apc_disable;
    struct seh_barrier barrier;
    struct ke_callback *outer; /* the one round it; to be compared, not to be looked at */
};

/* The calling thread's innermost routine of a driver that runs, or NULL. */
const struct ke_callback *ke_callback_innermost(void);

/* A bug check that was expected left all routines inside that one by a jump. */
void ke_callback_jumped_to(const struct ke_callback *callback);

void ke_callback_enter(struct ke_callback *callback, const char *what, const void *routine);

/* The calling thread's innermost routine, if there is one, began a request; see the members. */
void ke_callback_started(const char *function, bool is_own);

/* The APC disable counts on entry: special in the high, normal kernel in the low 16 bits. */
ULONG ke_callback_apc_counts(const struct ke_callback *callback);

/* Bug checks if the routine changed the IRQL, kept a spin lock or left a region. */
void ke_callback_leave(struct ke_callback *callback);

/* The same for a routine that returned this. */
void ke_callback_leave_with(struct ke_callback *callback, NTSTATUS status);

/* Warns that the driver's routine, which was called as what, returned a status that it may not.
 * what_follows: "the connection is refused", or NULL. */
void ke_callback_warn_of_status(const char *rule, const char *what, const void *routine,
                                NTSTATUS status, const char *what_follows);

#endif
