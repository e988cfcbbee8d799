/*
 * What lies at an address: for reports. At level off nothing is recorded.
 *
 * An area that keeps records of its own objects (IRPs, pool blocks, MDLs, work items, threads) adds
 * a finder, which is asked when a report is written; it pays nothing before. Of other objects, and
 * at level full of all, the verifier keeps the record.
 */
#ifndef VERIFIER_OBJECT_H
#define VERIFIER_OBJECT_H

#include <wdm.h>

#include "base/mutex.h"
#include "verifier/level.h"

#include <stdbool.h>

#define VERIFIER_NOTE_BYTES 128
#define VERIFIER_FINDERS_MAX 16
#define VERIFIER_SHARDS 16
#define VERIFIER_BUCKETS 256 /* of each shard */

struct verifier_description {
    const char *kind;               /* "IRP" */
    const void *start;              /* where the object begins */
    const void *creator;            /* return address of who made it, or NULL */
    char note[VERIFIER_NOTE_BYTES]; /* what else there is to say: "64 bytes, tag 'Echo'" */
};

/*
 * Whether one of context's objects lies at the address, and which. The kernel may be halted, and
 * locks may be held by threads that will never give them back, by the caller's own too: a finder
 * tries a lock with verifier_lock, and gives up without it. It calls no function that enters the
 * kernel (ke_current).
 */
typedef bool verifier_finder(void *context, const void *address,
                             struct verifier_description *description);

/* Prints what is pending, a line each, under the same conditions. */
typedef unsigned verifier_lister(void *context);

struct verifier_object;

struct verifier_shard {
    struct base_mutex lock; /* guards the buckets */
    struct verifier_object *bucket[VERIFIER_BUCKETS];
};

struct verifier_objects {
    struct {
        verifier_finder *find; /* or NULL */
        verifier_lister *list; /* or NULL */
        void *context;
    } finders[VERIFIER_FINDERS_MAX];
    unsigned finder_count;
    struct verifier_shard shards[VERIFIER_SHARDS];
};

void verifier_objects_start(struct verifier_objects *objects);
void verifier_objects_stop(struct verifier_objects *objects);

/* Has a finder and a lister asked; either may be NULL. While the kernel starts. */
void verifier_finder_add(verifier_finder *finder, verifier_lister *lister, void *context);

/* Takes a lock for a report, if that can be done. */
bool verifier_lock(struct base_mutex *lock);

/* What the functions below call. */
void verifier_object_record(const char *kind, const void *object, const void *site);
void verifier_object_forget(const void *object);
void verifier_object_bury(const void *object, const void *site);

/* The driver at site made an object of a kind that the verifier keeps the record of. */
static inline void verifier_object_born(const char *kind, const void *object, const void *site)
{
    if (verifier_is_on()) {
        verifier_object_record(kind, object, site);
    }
}

/* The same of a kind that has a finder: at level full only. */
static inline void verifier_object_made(const char *kind, const void *object, const void *site)
{
    if (verifier_is_full()) {
        verifier_object_record(kind, object, site);
    }
}

/* An object of the first sort is about to be freed; site may be NULL. It is remembered a while. */
static inline void verifier_object_gone(const void *object, const void *site)
{
    if (verifier_is_on()) {
        verifier_object_bury(object, site);
    }
}

/* One of the second sort is. Whoever frees it says so with verifier_note_freed. */
static inline void verifier_object_unmade(const void *object)
{
    if (verifier_is_full()) {
        verifier_object_forget(object);
    }
}

/* The next report of this thread is about this object, too. */
void verifier_object_is_subject(const void *object);

/* Prints all that is known of what lies at the address; returns whether anything is. */
bool verifier_object_print(const void *address);

/* Prints what the calling thread's report is about beside its parameters. */
void verifier_subjects_print(void);

/* Whether the last that happened to the IRP is its completion or its end. */
bool verifier_irp_is_completed(const void *irp);

/* Whether it is its completion; an end would be that of another that had its memory before. */
bool verifier_irp_was_completed(const void *irp);

/* One line for a lister: the object, who made it, and the last that happened to it. */
void verifier_pending_line(const char *kind, const void *object, const void *creator);

/* Prints what is pending: IRPs with where they were sent from, sockets with where they were made.
 */
unsigned verifier_pending_print(void);

#endif
