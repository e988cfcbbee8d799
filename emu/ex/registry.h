/*
 * Objects in driver memory that have to be deleted before their memory goes: lookaside lists and
 * resources. The registry knows where they are, without touching them.
 */
#ifndef EX_REGISTRY_H
#define EX_REGISTRY_H

#include <wdm.h>

#include "base/mutex.h"

#include <stdatomic.h>
#include <stdbool.h>

enum ex_registry_kind { EX_LOOKASIDE, EX_RESOURCE };

struct ex_registry_entry {
    enum ex_registry_kind kind;
    const void *object;
    size_t bytes;
    const void *creator; /* return address of who initialised it */
    void *private;       /* the emulator's part of the object, freed with the entry; may be NULL */
};

struct ex_registry {
    struct base_mutex lock; /* guards the array */
    struct ex_registry_entry *entries;
    size_t capacity;
    atomic_size_t count;
};

void ex_registry_start(struct ex_registry *registry);
unsigned ex_registry_report(struct ex_registry *registry);
void ex_registry_stop(struct ex_registry *registry);

/* Adds an object; false if it is registered already. */
bool ex_registry_add(const struct ex_registry_entry *entry);

/* Removes an object; false if it is not registered. *private, if wanted, becomes the caller's. */
bool ex_registry_remove(enum ex_registry_kind kind, const void *object, void **private);

/* Sets the emulator's part of a registered object. */
void ex_registry_set_private(enum ex_registry_kind kind, const void *object, void *private);

/* Finds an object that lies, even in part, in the range; false if there is none. */
bool ex_registry_find(const void *start, size_t bytes, struct ex_registry_entry *found);

#endif
