/* Creating and opening objects by what an OBJECT_ATTRIBUTES says. */
#include "ke/callback.h"
#include "ke/warning.h"
#include "ob/directory.h"
#include "ob/link.h"
#include "ob/name.h"
#include "ob/object.h"

#include <ntifs.h>

#include <stdlib.h>

/* A path made of a directory's and a name relative to it. */
struct path {
    UNICODE_STRING string;
    WCHAR *buffer; /* to be freed, or NULL */
};

/* A string that a driver gives to a Zw function is well formed. (OB-27) */
static void check_string(const UNICODE_STRING *name)
{
    if (name != NULL && (name->Length % sizeof(WCHAR) != 0 || name->Length > name->MaximumLength ||
                         (name->Length != 0 && name->Buffer == NULL))) {
        ke_warning("OB-27",
                   "the driver gave object attributes with a name of Length %u and MaximumLength "
                   "%u at %p",
                   name->Length, name->MaximumLength, (const void *)name->Buffer);
    }
}

static NTSTATUS check_attributes(const OBJECT_ATTRIBUTES *attributes)
{
    check_string(attributes->ObjectName);
    if (attributes->Length != sizeof(*attributes) ||
        (attributes->Attributes & ~(ULONG)OBJ_VALID_ATTRIBUTES) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

static bool has_name(const OBJECT_ATTRIBUTES *attributes)
{
    return attributes != NULL && attributes->ObjectName != NULL &&
           attributes->ObjectName->Length != 0;
}

/* Writes directory \ name into path. */
static NTSTATUS join(struct path *path, void *directory, const UNICODE_STRING *name)
{
    ULONG front = ob_name_copy(directory, NULL, 0);
    ULONG bytes = front + sizeof(WCHAR) + name->Length;
    if (bytes > MAXUSHORT) {
        return STATUS_NAME_TOO_LONG;
    }
    path->buffer = malloc(bytes);
    if (path->buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ob_name_copy(directory, path->buffer, front);
    path->buffer[front / sizeof(WCHAR)] = L'\\';
    RtlCopyMemory(path->buffer + front / sizeof(WCHAR) + 1, name->Buffer, name->Length);
    path->string.Buffer = path->buffer;
    path->string.Length = (USHORT)bytes;
    path->string.MaximumLength = (USHORT)bytes;
    return STATUS_SUCCESS;
}

/* The full path of a name that attributes hold. */
static NTSTATUS make_path(struct path *path, const OBJECT_ATTRIBUTES *attributes)
{
    void *directory = NULL;
    ACCESS_MASK access = 0;
    path->buffer = NULL;
    path->string = *attributes->ObjectName;
    if (attributes->RootDirectory == NULL) {
        return STATUS_SUCCESS;
    }
    NTSTATUS status = ob_reference_handle(attributes->RootDirectory, NULL, &directory, &access);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (!ob_is_directory(directory)) {
        status = STATUS_OBJECT_TYPE_MISMATCH;
    } else if (attributes->ObjectName->Buffer[0] == L'\\') {
        status = STATUS_OBJECT_PATH_SYNTAX_BAD;
    } else {
        status = join(path, directory, attributes->ObjectName);
    }
    ob_dereference(directory);
    return status;
}

/* A test's own thread, outside of the drivers' routines, is a program. */
static bool is_users_thread(void)
{
    return ke_callback_innermost() == NULL && !PsIsSystemThread(PsGetCurrentThread());
}

static void make_info(struct ob_handle_info *info, const OBJECT_ATTRIBUTES *attributes,
                      ACCESS_MASK access)
{
    ULONG flags = attributes != NULL ? attributes->Attributes : 0;
    info->access = access;
    info->attributes = flags & OBJ_INHERIT;
    info->is_users = (flags & OBJ_KERNEL_HANDLE) == 0 && is_users_thread();
}

static NTSTATUS insert_unnamed(void *object, const struct ob_handle_info *info, HANDLE *handle)
{
    ob_lock();
    NTSTATUS status = ob_open_handle_locked(object, info, handle);
    ob_unlock();
    return status;
}

/* Opens the object that has the name already; *referenced is dropped by the caller, without the
 * lock. The lock is held. */
static NTSTATUS open_existing(void *existing, POBJECT_TYPE type, const struct ob_handle_info *info,
                              HANDLE *handle, void **referenced)
{
    if (ob_type_of(existing) != type) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    if (!ob_reference_safe(existing)) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    *referenced = existing;
    return ob_open_handle_locked(existing, info, handle);
}

static void set_lifetime(void *object, const OBJECT_ATTRIBUTES *attributes)
{
    if ((attributes->Attributes & OBJ_PERMANENT) != 0) {
        ob_header_of(object)->is_permanent = true;
        ob_reference(object);
    } else {
        ob_header_of(object)->is_temporary = true;
    }
}

/* Names the new object, and opens it or the one that has the name. The lock is held. */
static NTSTATUS insert_named(void *object, const UNICODE_STRING *path,
                             const OBJECT_ATTRIBUTES *attributes, const struct ob_handle_info *info,
                             HANDLE *handle, void **referenced)
{
    void *existing = NULL;
    NTSTATUS status = ob_name_insert_locked(path, object, &existing);
    if (existing != NULL && (attributes->Attributes & OBJ_OPENIF) != 0) {
        status = open_existing(existing, ob_type_of(object), info, handle, referenced);
        return NT_SUCCESS(status) ? STATUS_OBJECT_NAME_EXISTS : status;
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = ob_open_handle_locked(object, info, handle);
    if (NT_SUCCESS(status)) {
        set_lifetime(object, attributes);
    }
    return status;
}

static NTSTATUS insert(void *object, const OBJECT_ATTRIBUTES *attributes, ACCESS_MASK access,
                       HANDLE *handle, void **referenced)
{
    struct path path;
    struct ob_handle_info info;
    make_info(&info, attributes, access);
    if (!has_name(attributes)) {
        return insert_unnamed(object, &info, handle);
    }
    NTSTATUS status = make_path(&path, attributes);
    if (NT_SUCCESS(status)) {
        ob_lock();
        status = insert_named(object, &path.string, attributes, &info, handle, referenced);
        ob_unlock();
    }
    free(path.buffer);
    return status;
}

NTSTATUS ob_insert(void *object, const OBJECT_ATTRIBUTES *attributes, ACCESS_MASK access,
                   HANDLE *handle)
{
    void *referenced = NULL;
    NTSTATUS status = attributes != NULL ? check_attributes(attributes) : STATUS_SUCCESS;
    if (NT_SUCCESS(status)) {
        status = insert(object, attributes, access, handle, &referenced);
    }
    if (referenced != NULL) {
        ob_dereference(referenced);
    }
    ob_dereference(object);
    return status;
}

NTSTATUS ob_open(const OBJECT_ATTRIBUTES *attributes, POBJECT_TYPE type, ACCESS_MASK access,
                 HANDLE *handle)
{
    struct path path;
    struct ob_handle_info info;
    void *object = NULL;
    void *referenced = NULL;
    if (attributes == NULL || !NT_SUCCESS(check_attributes(attributes))) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!has_name(attributes)) {
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    make_info(&info, attributes, access);
    NTSTATUS status = make_path(&path, attributes);
    if (NT_SUCCESS(status)) {
        ob_lock();
        status = ob_name_find_locked(&path.string, !ob_is_link_type(type), &object);
        if (NT_SUCCESS(status)) {
            status = open_existing(object, type, &info, handle, &referenced);
        }
        ob_unlock();
    }
    if (referenced != NULL) {
        ob_dereference(referenced);
    }
    free(path.buffer);
    return status;
}
