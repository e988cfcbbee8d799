/* Symbolic links: objects with the text that stands for their name. */
#include "ob/link.h"

#include "ke/limit.h"
#include "ob/name.h"
#include "ob/object.h"

#include <stdlib.h>

struct ob_link {
    UNICODE_STRING target;
    WCHAR text[];
};

static struct _OBJECT_TYPE link_type = {.name = "SymbolicLink"};

bool ob_is_link_type(POBJECT_TYPE type)
{
    return type == &link_type;
}

bool ob_is_link(const void *object)
{
    return ob_is_link_type(ob_type_of(object));
}

const UNICODE_STRING *ob_link_target(const void *link)
{
    return &((const struct ob_link *)link)->target;
}

static struct ob_link *create(const UNICODE_STRING *target)
{
    struct ob_link *link = ob_create(&link_type, sizeof(*link) + target->Length);
    if (link != NULL) {
        link->target.Buffer = link->text;
        link->target.Length = target->Length;
        link->target.MaximumLength = target->Length;
        if (target->Length != 0) {
            RtlCopyMemory(link->text, target->Buffer, target->Length);
        }
    }
    return link;
}

NTSTATUS ob_name_link(const UNICODE_STRING *path, const UNICODE_STRING *target)
{
    struct ob_link *link = create(target);
    if (link == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ob_header_of(link)->is_permanent = true; /* our reference is the namespace's now */
    NTSTATUS status = ob_name_insert(path, link);
    if (!NT_SUCCESS(status)) {
        ob_dereference(link);
    }
    return status;
}

NTSTATUS ob_name_unlink(const UNICODE_STRING *path)
{
    void *link = NULL;
    struct ob_name *name = NULL;
    ob_lock();
    NTSTATUS status = ob_name_find_locked(path, FALSE, &link);
    if (NT_SUCCESS(status) && !ob_is_link(link)) {
        status = STATUS_OBJECT_TYPE_MISMATCH;
    }
    if (NT_SUCCESS(status)) {
        name = ob_name_detach_locked(link);
        ob_header_of(link)->is_permanent = false;
    }
    ob_unlock();
    if (NT_SUCCESS(status)) {
        free(name);
        ob_dereference(link);
    }
    return status;
}

/*
 * Opens the link itself, not what it leads to. STATUS_OBJECT_NAME_NOT_FOUND,
 * STATUS_OBJECT_TYPE_MISMATCH. PASSIVE_LEVEL.
 */
NTSTATUS ZwOpenSymbolicLinkObject(PHANDLE LinkHandle, ACCESS_MASK DesiredAccess,
                                  POBJECT_ATTRIBUTES ObjectAttributes)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return ob_open(ObjectAttributes, &link_type, DesiredAccess, LinkHandle);
}

/*
 * Copies where a link leads; *ReturnedLength, if wanted, is the bytes of that.
 * STATUS_BUFFER_TOO_SMALL with nothing copied. PASSIVE_LEVEL.
 */
NTSTATUS ZwQuerySymbolicLinkObject(HANDLE LinkHandle, PUNICODE_STRING LinkTarget,
                                   PULONG ReturnedLength)
{
    void *object = NULL;
    ACCESS_MASK access = 0;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = ob_reference_handle(LinkHandle, &link_type, &object, &access);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    const UNICODE_STRING *target = ob_link_target(object);
    if (ReturnedLength != NULL) {
        *ReturnedLength = target->Length;
    }
    if (LinkTarget->MaximumLength < target->Length) {
        status = STATUS_BUFFER_TOO_SMALL;
    } else {
        RtlCopyMemory(LinkTarget->Buffer, target->Buffer, target->Length);
        LinkTarget->Length = target->Length;
    }
    ob_dereference(object);
    return status;
}
