/* The namespace: \Device\..., \Driver\..., and symbolic links. See name.c. */
#ifndef OB_NAME_H
#define OB_NAME_H

#include <wdm.h>

struct ob_name;

/*
 * Names an object. The object is not referenced: it takes its name away when it goes.
 * STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_PATH_SYNTAX_BAD,
 * STATUS_OBJECT_PATH_NOT_FOUND, STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS ob_name_insert(const UNICODE_STRING *path, void *object);

/* The same, with the lock held. With a name in use, *existing is the object that has it. */
NTSTATUS ob_name_insert_locked(const UNICODE_STRING *path, void *object, void **existing);

/* Makes a permanent symbolic link. Statuses as ob_name_insert. */
NTSTATUS ob_name_link(const UNICODE_STRING *path, const UNICODE_STRING *target);

/* Removes a link. STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_TYPE_MISMATCH. */
NTSTATUS ob_name_unlink(const UNICODE_STRING *path);

/* Takes an object's name away, if it has one. */
void ob_name_remove(void *object);

/* The same with the lock held; the caller frees the result after it dropped the lock. */
struct ob_name *ob_name_detach_locked(void *object);

/*
 * Finds an object by its name, through links, and references it. A path that goes on behind a
 * name (\Device\Echo\file) finds the object too; *rest is then what follows the name, in the
 * caller's own path. STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND (also where a
 * link's target goes on behind a name), STATUS_OBJECT_PATH_SYNTAX_BAD.
 */
NTSTATUS ob_name_find(const UNICODE_STRING *path, void **object, UNICODE_STRING *rest);

/*
 * Finds the object of exactly that name; with the lock held, and not referenced. A link at the
 * path's end is followed if follow_last.
 */
NTSTATUS ob_name_find_locked(const UNICODE_STRING *path, BOOLEAN follow_last, void **object);

/* Writes at most that many bytes of the name, or of the full name of a key or a file, and returns
 * how many it has. */
ULONG ob_name_copy(void *object, WCHAR *buffer, ULONG bytes);

/* Writes the name as plain text for a report. The lock is held. */
void ob_name_print(const void *object, char *buffer, size_t size);

#endif
