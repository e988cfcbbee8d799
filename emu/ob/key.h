/* The registry: a tree of keys and their values, in memory. See key.c. */
#ifndef OB_KEY_H
#define OB_KEY_H

#include <wdm.h>

#include "base/mutex.h"

#include <stdbool.h>

/* A value; its data follows its name. */
struct ob_value {
    LIST_ENTRY link;
    ULONG type;
    ULONG length; /* bytes of data */
    void *data;
    UNICODE_STRING name;
    WCHAR text[];
};

/* A key. All is guarded by the registry's lock; names do not change. */
struct ob_node {
    struct ob_node *parent; /* NULL for the root and after deletion */
    LIST_ENTRY link;        /* among its siblings, in the order of names */
    LIST_ENTRY children;
    LIST_ENTRY values; /* in the order in which they were made */
    LONG references;   /* key objects; the tree counts as one */
    bool is_deleted;
    bool is_volatile;
    ULONG title_index;
    LARGE_INTEGER last_write;
    WCHAR *class_text;
    ULONG class_bytes;
    UNICODE_STRING name;
    WCHAR text[];
};

struct ob_registry {
    struct base_mutex lock;
    struct ob_node *root; /* \Registry */
};

/* What a new key is to be; NULL where none is to be made. */
struct ob_key_creation {
    const UNICODE_STRING *class_name; /* or NULL */
    ULONG title_index;
    bool is_volatile;
    bool with_path; /* makes the keys in front of it too */
    bool is_new;    /* result: whether it was made */
};

NTSTATUS ob_registry_start(struct ob_registry *registry);
void ob_registry_stop(struct ob_registry *registry);

static inline void ob_registry_lock(struct ob_registry *registry)
{
    base_mutex_lock(&registry->lock);
}

static inline void ob_registry_unlock(struct ob_registry *registry)
{
    base_mutex_unlock(&registry->lock);
}

/*
 * The node of a path, referenced: relative to parent, or from \Registry on if that is NULL. With
 * creation, the last key is made if it is not there. The lock is held.
 * STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_SYNTAX_BAD, STATUS_OBJECT_NAME_INVALID,
 * STATUS_KEY_DELETED, STATUS_CHILD_MUST_BE_VOLATILE, STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS ob_node_find(struct ob_node *parent, const UNICODE_STRING *path,
                      struct ob_key_creation *creation, struct ob_node **node);

/* Drops a reference; the lock is held. */
void ob_node_release(struct ob_node *node);

/* Takes the key out of the tree. STATUS_CANNOT_DELETE for one with subkeys. The lock is held. */
NTSTATUS ob_node_delete(struct ob_node *node);

/* The child or value of that place, or NULL. The lock is held. */
struct ob_node *ob_node_child(struct ob_node *node, ULONG index);
struct ob_value *ob_node_value_at(struct ob_node *node, ULONG index);

/* The value of that name (NULL is the key's own, of no name), or NULL. The lock is held. */
struct ob_value *ob_node_value(struct ob_node *node, const UNICODE_STRING *name);

/* Makes or replaces a value. STATUS_INSUFFICIENT_RESOURCES. The lock is held. */
NTSTATUS ob_node_set_value(struct ob_node *node, const UNICODE_STRING *name, ULONG type,
                           const void *data, ULONG length);

/* Removes a value. STATUS_OBJECT_NAME_NOT_FOUND. The lock is held. */
NTSTATUS ob_node_delete_value(struct ob_node *node, const UNICODE_STRING *name);

/* Writes at most that many bytes of the key's full path; returns how many it has. The lock is
 * held. */
ULONG ob_node_path(const struct ob_node *node, WCHAR *buffer, ULONG bytes);

/* Makes the key of that path, with those in front of it, for the emulator itself. */
NTSTATUS ob_registry_make_key(const WCHAR *path);

/* Sets a value of a key, which is made with those in front of it if it is not there. */
NTSTATUS ob_registry_set(const WCHAR *path, const WCHAR *name, ULONG type, const void *data,
                         ULONG length);

/* Makes the service key of a driver, as its installation would; values that are there stay. */
NTSTATUS ob_registry_add_service(const char *name);

#endif
