#include "ex/registry.h"

#include "base/log.h"
#include "base/stack.h"
#include "ex/executive.h"

#include <stdlib.h>

void ex_registry_start(struct ex_registry *registry)
{
    base_mutex_init(&registry->lock);
}

static const char *name_of(enum ex_registry_kind kind)
{
    return kind == EX_LOOKASIDE ? "lookaside list" : "resource";
}

unsigned ex_registry_report(struct ex_registry *registry)
{
    size_t count = atomic_load(&registry->count);
    for (size_t i = 0; i < count; i++) {
        const struct ex_registry_entry *entry = &registry->entries[i];
        base_log("left: %s %p, never deleted, made by %s\n", name_of(entry->kind), entry->object,
                 base_stack_site(entry->creator).text);
    }
    return (unsigned)count;
}

void ex_registry_stop(struct ex_registry *registry)
{
    size_t count = atomic_load(&registry->count);
    for (size_t i = 0; i < count; i++) {
        free(registry->entries[i].private);
    }
    free(registry->entries);
    base_mutex_destroy(&registry->lock);
}

/* The object's place, or the count if it is not there. The lock is held. */
static size_t place_of(const struct ex_registry *registry, enum ex_registry_kind kind,
                       const void *object)
{
    size_t count = atomic_load(&registry->count);
    size_t place = 0;
    while (place < count &&
           (registry->entries[place].object != object || registry->entries[place].kind != kind)) {
        place++;
    }
    return place;
}

static void grow(struct ex_registry *registry)
{
    size_t capacity = registry->capacity == 0 ? 16 : registry->capacity * 2;
    struct ex_registry_entry *entries =
        realloc(registry->entries, capacity * sizeof(struct ex_registry_entry));
    if (entries == NULL) {
        abort();
    }
    registry->entries = entries;
    registry->capacity = capacity;
}

bool ex_registry_add(const struct ex_registry_entry *entry)
{
    struct ex_registry *registry = &ex_state()->registry;
    base_mutex_lock(&registry->lock);
    size_t count = atomic_load(&registry->count);
    bool is_new = place_of(registry, entry->kind, entry->object) == count;
    if (is_new) {
        if (count == registry->capacity) {
            grow(registry);
        }
        registry->entries[count] = *entry;
        atomic_store(&registry->count, count + 1);
    }
    base_mutex_unlock(&registry->lock);
    return is_new;
}

bool ex_registry_remove(enum ex_registry_kind kind, const void *object, void **private)
{
    struct ex_registry *registry = &ex_state()->registry;
    base_mutex_lock(&registry->lock);
    size_t count = atomic_load(&registry->count);
    size_t place = place_of(registry, kind, object);
    bool is_known = place < count;
    if (is_known) {
        if (private != NULL) {
            *private = registry->entries[place].private;
        }
        registry->entries[place] = registry->entries[count - 1];
        atomic_store(&registry->count, count - 1);
    }
    base_mutex_unlock(&registry->lock);
    return is_known;
}

void ex_registry_set_private(enum ex_registry_kind kind, const void *object, void *private)
{
    struct ex_registry *registry = &ex_state()->registry;
    base_mutex_lock(&registry->lock);
    size_t place = place_of(registry, kind, object);
    if (place < atomic_load(&registry->count)) {
        registry->entries[place].private = private;
    }
    base_mutex_unlock(&registry->lock);
}

bool ex_registry_find(const void *start, size_t bytes, struct ex_registry_entry *found)
{
    struct ex_registry *registry = &ex_state()->registry;
    ULONG_PTR low = (ULONG_PTR)start;
    bool is_found = false;
    if (atomic_load(&registry->count) == 0) {
        return false;
    }
    base_mutex_lock(&registry->lock);
    size_t count = atomic_load(&registry->count);
    for (size_t i = 0; i < count && !is_found; i++) {
        const struct ex_registry_entry *entry = &registry->entries[i];
        ULONG_PTR object = (ULONG_PTR)entry->object;
        if (object < low + bytes && low < object + entry->bytes) {
            *found = *entry;
            is_found = true;
        }
    }
    base_mutex_unlock(&registry->lock);
    return is_found;
}
