/*
 * What happened last to IRPs and to the sockets and devices that they were sent to: a ring that all
 * threads write to without a lock, and that only a report reads. At level off it is empty.
 */
#ifndef VERIFIER_HISTORY_H
#define VERIFIER_HISTORY_H

#include <wdm.h>

#include "verifier/level.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum verifier_act {
    VERIFIER_SENT,      /* an IRP: holder, name or major function, routine, context */
    VERIFIER_COMPLETED, /* an IRP: status, context is Information */
    VERIFIER_USED,      /* name */
    VERIFIER_FREED,     /* name is what it was, routine who made it */
};

struct verifier_event {
    uint64_t number; /* in the order in which events came */
    enum verifier_act act;
    const void *object; /* the IRP, or what was used or freed */
    const void *holder; /* the socket or device that an IRP was sent to */
    const char *name;   /* of the function called; NULL for a request to a device */
    const void *site;   /* return address of who called */
    const void *routine;
    ULONG_PTR context;
    NTSTATUS status;
    UCHAR major;
    UCHAR minor;
    UCHAR flags;
    UCHAR control;
    CHAR stack_count;
    CHAR location; /* the current one's number */
};

struct verifier_slot;

struct verifier_history {
    void *memory;
    struct verifier_slot *slots; /* in it, each in one line of the cache; NULL at level off */
    uint64_t slot_count;
    _Atomic uint64_t next;
};

bool verifier_history_start(struct verifier_history *history);
void verifier_history_stop(struct verifier_history *history);

/* What the functions below call. */
void verifier_history_add_sent(const void *holder, PIRP irp, const IO_STACK_LOCATION *location,
                               const char *name, const void *site);
void verifier_history_add_completed(const IRP *irp, const void *site);
void verifier_history_add_used(const void *object, const char *name, const void *site);
void verifier_history_add_freed(const void *object, const char *kind, const void *creator,
                                const void *site);

/*
 * The driver at site gives the IRP away: to a device (name is NULL, location is the device's) or by
 * the function name of WSK to a socket or client (location is NULL: WSK takes the next one). It may
 * be no IRP at all.
 */
static inline void verifier_note_sent(const void *holder, PIRP irp,
                                      const IO_STACK_LOCATION *location, const char *name,
                                      const void *site)
{
    if (verifier_is_on() && irp != NULL) {
        verifier_history_add_sent(holder, irp, location, name, site);
    }
}

/* The IRP, whose IoStatus is set, is about to be completed by whoever is at site. */
static inline void verifier_note_completed(PIRP irp, const void *site)
{
    if (verifier_is_on()) {
        verifier_history_add_completed(irp, site);
    }
}

/* The driver at site called the function name on the object. */
static inline void verifier_note_used(const void *object, const char *name, const void *site)
{
    if (verifier_is_on()) {
        verifier_history_add_used(object, name, site);
    }
}

/* The object, a kind ("IRP") that creator made, is freed by the driver at site. */
static inline void verifier_note_freed(const void *object, const char *kind, const void *creator,
                                       const void *site)
{
    if (verifier_is_on()) {
        verifier_history_add_freed(object, kind, creator, site);
    }
}

/* Calls visitor for the events from the newest back, until it returns true. */
typedef bool verifier_event_visitor(void *context, const struct verifier_event *event);
void verifier_history_visit(struct verifier_history *history, verifier_event_visitor *visitor,
                            void *context);

/* Prints the last 20 IRPs that were sent to the holder, in the form of !irp; none, nothing. */
void verifier_history_print(struct verifier_history *history, const void *holder);

#endif
