/*
 * The order of locks, at level full: whoever takes one lock while holding another says that the one
 * comes after the other. Two threads that disagree can deadlock, whether they do or not.
 */
#ifndef VERIFIER_LOCK_ORDER_H
#define VERIFIER_LOCK_ORDER_H

#include "verifier/level.h"

#include <stdbool.h>
#include <stddef.h>

struct ke_callback;

/* What an acquisition of a spin lock does to the IRQL, and what its release has to undo. */
enum verifier_pairing {
    VERIFIER_PAIR_ANY,    /* nobody knows, or either release will do */
    VERIFIER_PAIR_RAISED, /* raised it, and saved the level before */
    VERIFIER_PAIR_KEPT    /* left it alone */
};

struct verifier_lock_kind {
    const char *name;        /* "spin lock" */
    const char *rule;        /* of their order */
    const char *region_rule; /* that wants them in a critical region, or NULL */
    unsigned region_code;    /* of 0xC4 for a release outside of it */
};

extern const struct verifier_lock_kind verifier_spin_lock;
extern const struct verifier_lock_kind verifier_shared_spin_lock;
extern const struct verifier_lock_kind verifier_fast_mutex;
extern const struct verifier_lock_kind verifier_mutex;
extern const struct verifier_lock_kind verifier_push_lock;
extern const struct verifier_lock_kind verifier_resource;

/* When a kernel starts, before any thread takes a lock. */
void verifier_lock_order_start(void);

enum verifier_lock_end { VERIFIER_LOCK_INITIALISED, VERIFIER_LOCK_FREED, VERIFIER_LOCK_UNKNOWN };

void verifier_lock_order_want(const struct verifier_lock_kind *kind, const void *lock);
void verifier_lock_order_take(const struct verifier_lock_kind *kind, const void *lock,
                              const void *site, bool is_shared);
void verifier_lock_order_drop(const void *lock);
void verifier_lock_order_pair(const void *lock, enum verifier_pairing pairing, unsigned char old,
                              const void *saved);
void verifier_lock_order_unpair(const void *lock, enum verifier_pairing pairing, unsigned char to);
void verifier_lock_order_check_handle(const void *handle);
const void *verifier_lock_order_kept(const struct verifier_lock_kind *kind,
                                     const struct ke_callback *callback);
void verifier_lock_order_check_region(void);
void verifier_lock_order_check_left(const struct ke_callback *callback);
void verifier_lock_order_forget(const void *start, size_t bytes, enum verifier_lock_end end);
void verifier_lock_order_check_again(const struct verifier_lock_kind *kind, const void *lock,
                                     bool may_share, const char *rule);

/* Before the calling thread waits for a lock, for as long as that takes: bug checks if another
 * thread might wait for the calling thread in turn. Not for attempts that give up. */
static inline void verifier_lock_wanted(const struct verifier_lock_kind *kind, const void *lock)
{
    if (verifier_is_full()) {
        verifier_lock_order_want(kind, lock);
    }
}

/* The calling thread got the lock, once more if it holds it already. site called. */
static inline void verifier_lock_taken(const struct verifier_lock_kind *kind, const void *lock,
                                       const void *site)
{
    if (verifier_is_full()) {
        verifier_lock_order_take(kind, lock, site, false);
    }
}

/* The same for a spin lock: old is the level before if the acquisition raised it, and saved where
 * the driver keeps it, or NULL. */
static inline void verifier_spin_lock_taken(const void *lock, const void *site,
                                            enum verifier_pairing pairing, unsigned char old,
                                            const void *saved)
{
    if (verifier_is_full()) {
        verifier_lock_order_take(&verifier_spin_lock, lock, site, false);
        verifier_lock_order_pair(lock, pairing, old, saved);
    }
}

/* The same, together with others. */
static inline void verifier_lock_shared(const struct verifier_lock_kind *kind, const void *lock,
                                        const void *site)
{
    if (verifier_is_full()) {
        verifier_lock_order_take(kind, lock, site, true);
    }
}

/*
 * The calling thread asks for a lock that is not recursive, or only shared by one who shares it
 * (may_share): bug checks, naming the rule, if it holds the lock already.
 */
static inline void verifier_lock_not_again(const struct verifier_lock_kind *kind, const void *lock,
                                           bool may_share, const char *rule)
{
    if (verifier_is_full()) {
        verifier_lock_order_check_again(kind, lock, may_share, rule);
    }
}

/* The calling thread is about to release the lock. */
static inline void verifier_lock_dropped(const void *lock)
{
    if (verifier_is_full()) {
        verifier_lock_order_drop(lock);
    }
}

/* The same for a spin lock, in the way given: bug checks if that is not the way in which it was
 * acquired, or if to is not the level that was saved then. */
static inline void verifier_spin_lock_dropped(const void *lock, enum verifier_pairing pairing,
                                              unsigned char to)
{
    if (verifier_is_full()) {
        verifier_lock_order_unpair(lock, pairing, to);
        verifier_lock_order_drop(lock);
    }
}

/* The calling thread acquires a queued spin lock with this handle, which belongs on its stack. */
static inline void verifier_lock_handle(const void *handle)
{
    if (verifier_is_full()) {
        verifier_lock_order_check_handle(handle);
    }
}

/* A lock of that kind that a routine of the driver acquired and still holds; NULL if there is
 * none, or nobody knows. */
static inline const void *verifier_lock_kept(const struct verifier_lock_kind *kind,
                                             const struct ke_callback *callback)
{
    return verifier_is_full() ? verifier_lock_order_kept(kind, callback) : NULL;
}

/* Normal kernel APCs are enabled in the calling thread: bug checks if it holds a lock that wants
 * them disabled. */
static inline void verifier_region_left(void)
{
    if (verifier_is_full()) {
        verifier_lock_order_check_region();
    }
}

/* A routine of the driver returned: bug checks if it keeps a resource that it acquired. */
static inline void verifier_routine_left(const struct ke_callback *callback)
{
    if (verifier_is_full()) {
        verifier_lock_order_check_left(callback);
    }
}

/* A lock begins a new life. Bug checks if the calling thread holds it. */
static inline void verifier_lock_initialised(const void *lock)
{
    if (verifier_is_full()) {
        verifier_lock_order_forget(lock, 1, VERIFIER_LOCK_INITIALISED);
    }
}

/* The memory is freed, with the locks in it. Bug checks if the calling thread holds one. */
static inline void verifier_locks_gone(const void *start, size_t bytes)
{
    if (verifier_is_full()) {
        verifier_lock_order_forget(start, bytes, VERIFIER_LOCK_FREED);
    }
}

/* A dispatcher object begins a new life; it may be part of a lock. */
static inline void verifier_object_initialised(const void *object)
{
    if (verifier_is_full()) {
        verifier_lock_order_forget((const char *)object - 32, 64, VERIFIER_LOCK_UNKNOWN);
    }
}

#endif
