/*
 * Why a thread waits: kept on its stack while it does, for whoever explains a hang
 * (verifier/hang.c). And waits that speak after a while, because they may last for ever when a
 * driver forgot something.
 */
#ifndef KE_PATIENCE_H
#define KE_PATIENCE_H

#include <wdm.h>

#include "ke/thread.h"

/* After so many milliseconds such a wait speaks, unless ke_set_patience said otherwise. */
#define KE_PATIENCE_MS 2000

enum ke_reason_kind {
    KE_REASON_OTHER,
    KE_REASON_LOCK,    /* somebody holds what it waits for */
    KE_REASON_END,     /* something ends, for which nobody may have to wait for ever */
    KE_REASON_IDLE,    /* one of the emulator's own, without work */
    KE_REASON_OUTSIDE, /* for the user: no hang, however long it takes */
};

struct ke_reason {
    const char *what; /* "the spin lock" */
    const void *object;
    enum ke_reason_kind kind;
    const char *rule;        /* that a wait without end breaks, or NULL */
    ULONG_PTR verifier_code; /* its first parameter of bug check 0xC4; 0 if there is none */
    /* The n-th thread that holds the object; NULL if there is none, or nobody knows. It is called
     * by another thread with the dispatcher lock held, while the thread sleeps. */
    const void *(*holder)(const void *object, unsigned n);
    /* Writes what is waited for where the object of the wait does not tell it; or NULL. Called as
     * holder is. */
    void (*describe)(const struct ke_reason *reason, char *text, size_t bytes);
    void (*say)(void *context); /* see ke_wait_patiently */
    void *context;
    const struct ke_reason *outer;
};

/* The calling thread waits for this reason until ke_reason_end. Its other reasons stay. */
static inline void ke_reason_begin(struct ke_reason *reason)
{
    struct _KTHREAD *thread = ke_current();
    reason->outer = thread->reason;
    thread->reason = reason;
}

static inline void ke_reason_end(const struct ke_reason *reason)
{
    ke_current()->reason = reason->outer;
}

/* A setting of the process, as the log's sink is; 0 restores the default. */
void ke_set_patience(ULONG milliseconds);

/* Waits for the event for that reason; once it has taken long calls reason->say(reason->context),
 * and waits on. IRQL <= APC_LEVEL. */
void ke_wait_patiently(PKEVENT event, struct ke_reason *reason);

#endif
