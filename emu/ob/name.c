/*
 * The namespace is a list of full paths, compared without regard to case: a driver has a handful
 * of names. A symbolic link is an object that replaces the front of a path; following stops after a
 * bounded number of links, so that a loop of links is an error and not a hang. A name is stored
 * with the links in front of it followed, so \DosDevices\Echo and \??\Echo are one.
 */
#include "ob/name.h"

#include "ob/directory.h"
#include "ob/link.h"
#include "ob/object.h"

#include <stdlib.h>
#include <string.h>

#define LINKS_FOLLOWED_MAX 16
#define PATH_BYTES_MAX 2048

struct ob_name {
    LIST_ENTRY link; /* in ob_state.names; guarded by ob_state.lock */
    void *object;
    UNICODE_STRING path;
    WCHAR text[];
};

/* A path on its way through links. */
struct walk {
    UNICODE_STRING path;  /* what is looked for now */
    struct ob_name *name; /* the longest name in front of it, or NULL */
    WCHAR buffer[PATH_BYTES_MAX / sizeof(WCHAR)];
};

static bool is_prefix(const UNICODE_STRING *name, const UNICODE_STRING *path)
{
    if (path->Length < name->Length || !RtlPrefixUnicodeString(name, path, TRUE)) {
        return false;
    }
    return path->Length == name->Length || path->Buffer[name->Length / sizeof(WCHAR)] == L'\\';
}

/* The longest name that is the path or its front. The lock is held. */
static struct ob_name *find_prefix(const UNICODE_STRING *path)
{
    struct ob_state *ob = ob_state();
    struct ob_name *best = NULL;
    for (LIST_ENTRY *entry = ob->names.Flink; entry != &ob->names; entry = entry->Flink) {
        struct ob_name *name = CONTAINING_RECORD(entry, struct ob_name, link);
        if (is_prefix(&name->path, path) &&
            (best == NULL || name->path.Length > best->path.Length)) {
            best = name;
        }
    }
    return best;
}

/* Replaces the link's path at the front of the walk's path by its target. */
static bool follow(struct walk *walk)
{
    const UNICODE_STRING *target = ob_link_target(walk->name->object);
    USHORT front = walk->name->path.Length;
    size_t rest = (size_t)walk->path.Length - front;
    if (target->Length + rest > PATH_BYTES_MAX) {
        return false;
    }
    memmove(walk->buffer + target->Length / sizeof(WCHAR),
            walk->path.Buffer + front / sizeof(WCHAR), rest);
    memcpy(walk->buffer, target->Buffer, target->Length);
    walk->path.Length = (USHORT)(target->Length + rest);
    walk->path.MaximumLength = walk->path.Length;
    walk->path.Buffer = walk->buffer;
    return true;
}

/* Finds the longest name in front of a path, through links. The lock is held. */
static NTSTATUS walk_path(struct walk *walk, const UNICODE_STRING *path, bool follow_last)
{
    walk->path = *path;
    for (int i = 0; i < LINKS_FOLLOWED_MAX; i++) {
        walk->name = find_prefix(&walk->path);
        if (walk->name == NULL || !ob_is_link(walk->name->object)) {
            return STATUS_SUCCESS;
        }
        if (!follow_last && walk->name->path.Length == walk->path.Length) {
            return STATUS_SUCCESS;
        }
        if (!follow(walk)) {
            return STATUS_NAME_TOO_LONG;
        }
    }
    return STATUS_OBJECT_NAME_NOT_FOUND;
}

/* What follows the name that was found. */
static UNICODE_STRING rest_of(const struct walk *walk)
{
    USHORT front = walk->name != NULL ? walk->name->path.Length : 0;
    UNICODE_STRING rest = walk->path;
    rest.Buffer += front / sizeof(WCHAR);
    rest.Length = (USHORT)(walk->path.Length - front);
    rest.MaximumLength = rest.Length;
    return rest;
}

/* Whether a name could stand under the name that was found: \, or a directory. */
static bool is_in_directory(const struct walk *walk)
{
    return walk->name == NULL || ob_is_directory(walk->name->object);
}

static bool has_one_component(const UNICODE_STRING *rest)
{
    for (size_t i = 1; i < rest->Length / sizeof(WCHAR); i++) {
        if (rest->Buffer[i] == L'\\') {
            return false;
        }
    }
    return rest->Length > sizeof(WCHAR);
}

/* The error for a path whose last or inner component is not there. */
static NTSTATUS absence_of(const UNICODE_STRING *rest)
{
    return has_one_component(rest) ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_OBJECT_PATH_NOT_FOUND;
}

static NTSTATUS check_path(const UNICODE_STRING *path)
{
    if (path->Length % sizeof(WCHAR) != 0) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    if (path->Buffer == NULL || path->Length < 2 * sizeof(WCHAR) || path->Buffer[0] != L'\\') {
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    return STATUS_SUCCESS;
}

static struct ob_name *create_name(const UNICODE_STRING *path, void *object)
{
    struct ob_name *name = calloc(1, sizeof(*name) + path->Length);
    if (name != NULL) {
        name->object = object;
        name->path.Buffer = name->text;
        name->path.Length = path->Length;
        name->path.MaximumLength = path->Length;
        memcpy(name->text, path->Buffer, path->Length);
    }
    return name;
}

/* Whether the place that the walk came to is free. */
static NTSTATUS check_place(const struct walk *walk, void **existing)
{
    UNICODE_STRING rest = rest_of(walk);
    if (walk->name != NULL && rest.Length == 0) {
        *existing = walk->name->object;
        return STATUS_OBJECT_NAME_COLLISION;
    }
    if (rest.Length != 0 && rest.Buffer[rest.Length / sizeof(WCHAR) - 1] == L'\\') {
        return STATUS_OBJECT_NAME_INVALID;
    }
    bool is_place = is_in_directory(walk) && has_one_component(&rest);
    return is_place ? STATUS_SUCCESS : STATUS_OBJECT_PATH_NOT_FOUND;
}

NTSTATUS ob_name_insert_locked(const UNICODE_STRING *path, void *object, void **existing)
{
    struct walk walk;
    NTSTATUS status = check_path(path);
    *existing = NULL;
    if (NT_SUCCESS(status)) {
        status = walk_path(&walk, path, false);
    }
    if (NT_SUCCESS(status)) {
        status = check_place(&walk, existing);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    struct ob_name *name = create_name(&walk.path, object);
    if (name == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    InsertTailList(&ob_state()->names, &name->link);
    ob_header_of(object)->name = name;
    return STATUS_SUCCESS;
}

NTSTATUS ob_name_insert(const UNICODE_STRING *path, void *object)
{
    void *existing;
    ob_lock();
    NTSTATUS status = ob_name_insert_locked(path, object, &existing);
    ob_unlock();
    return status;
}

struct ob_name *ob_name_detach_locked(void *object)
{
    struct ob_header *header = ob_header_of(object);
    struct ob_name *name = header->name;
    header->name = NULL;
    if (name != NULL) {
        RemoveEntryList(&name->link);
    }
    return name;
}

void ob_name_remove(void *object)
{
    ob_lock();
    struct ob_name *name = ob_name_detach_locked(object);
    ob_unlock();
    free(name);
}

NTSTATUS ob_name_find_locked(const UNICODE_STRING *path, BOOLEAN follow_last, void **object)
{
    struct walk walk;
    NTSTATUS status = check_path(path);
    if (NT_SUCCESS(status)) {
        status = walk_path(&walk, path, follow_last);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    UNICODE_STRING rest = rest_of(&walk);
    if (rest.Length != 0) {
        return is_in_directory(&walk) ? absence_of(&rest) : STATUS_OBJECT_TYPE_MISMATCH;
    }
    *object = walk.name->object;
    return STATUS_SUCCESS;
}

/* Says the rest in the caller's own path; false where it is not the end of that. */
static bool set_rest(const struct walk *walk, const UNICODE_STRING *path, UNICODE_STRING *rest)
{
    UNICODE_STRING found = rest_of(walk);
    *rest = found;
    if (found.Length > path->Length) {
        return false;
    }
    rest->Buffer = path->Buffer + (path->Length - found.Length) / sizeof(WCHAR);
    return memcmp(rest->Buffer, found.Buffer, found.Length) == 0;
}

NTSTATUS ob_name_find(const UNICODE_STRING *path, void **object, UNICODE_STRING *rest)
{
    struct walk walk;
    NTSTATUS status = check_path(path);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    ob_lock();
    status = walk_path(&walk, path, true);
    if (NT_SUCCESS(status)) {
        UNICODE_STRING left = rest_of(&walk);
        if (is_in_directory(&walk) && (walk.name == NULL || left.Length != 0)) {
            status = absence_of(&left);
        } else if (!set_rest(&walk, path, rest)) {
            status = STATUS_OBJECT_PATH_NOT_FOUND;
        } else if (!ob_reference_safe(walk.name->object)) {
            status = STATUS_OBJECT_NAME_NOT_FOUND;
        } else {
            *object = walk.name->object;
        }
    }
    ob_unlock();
    return status;
}

ULONG ob_name_copy(void *object, WCHAR *buffer, ULONG bytes)
{
    POBJECT_TYPE type = ob_type_of(object);
    ULONG length = 0;
    if (type->query_name != NULL) {
        return type->query_name(object, buffer, bytes);
    }
    ob_lock();
    const struct ob_name *name = ob_header_of(object)->name;
    if (name != NULL) {
        length = name->path.Length;
        if (bytes != 0) {
            RtlCopyMemory(buffer, name->text, min(length, bytes));
        }
    }
    ob_unlock();
    return length;
}

void ob_name_print(const void *object, char *buffer, size_t size)
{
    const struct ob_name *name = ob_header_of(object)->name;
    size_t count = name != NULL ? min(name->path.Length / sizeof(WCHAR), size - 1) : 0;
    for (size_t i = 0; i < count; i++) {
        WCHAR character = name->path.Buffer[i];
        buffer[i] = character >= L' ' && character <= L'~' ? (char)character : '?';
    }
    buffer[count] = '\0';
}
