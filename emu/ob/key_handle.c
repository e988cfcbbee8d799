/* Keys by handle: what drivers call on the registry. See key.c for the tree. */
#include "ke/limit.h"
#include "ob/key_query.h"
#include "ob/object.h"

#include <ntifs.h>

/* An open key. */
struct ob_key {
    struct ob_node *node;
};

static struct ob_registry *registry_of_kernel(void)
{
    return &ob_state()->registry;
}

static void lock(void)
{
    ob_registry_lock(registry_of_kernel());
}

static void unlock(void)
{
    ob_registry_unlock(registry_of_kernel());
}

static void destroy(void *object)
{
    lock();
    ob_node_release(((struct ob_key *)object)->node);
    unlock();
}

static ULONG query_name(void *object, WCHAR *buffer, ULONG bytes)
{
    lock();
    ULONG needed = ob_node_path(((struct ob_key *)object)->node, buffer, bytes);
    unlock();
    return needed;
}

static struct _OBJECT_TYPE key_type = {.name = "Key", .destroy = destroy, .query_name = query_name};

/* ---- opening ---- */

static NTSTATUS reference_key(HANDLE handle, struct ob_key **key)
{
    void *object = NULL;
    ACCESS_MASK access = 0;
    NTSTATUS status = ob_reference_handle(handle, &key_type, &object, &access);
    *key = object;
    return status;
}

/* The node that attributes name, referenced. */
static NTSTATUS find_node(const OBJECT_ATTRIBUTES *attributes, struct ob_key_creation *creation,
                          struct ob_node **node)
{
    struct ob_key *root = NULL;
    if (attributes == NULL || attributes->Length != sizeof(*attributes) ||
        attributes->ObjectName == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    if (attributes->RootDirectory != NULL) {
        NTSTATUS status = reference_key(attributes->RootDirectory, &root);
        if (!NT_SUCCESS(status)) {
            return status;
        }
    }
    lock();
    NTSTATUS status =
        ob_node_find(root != NULL ? root->node : NULL, attributes->ObjectName, creation, node);
    unlock();
    if (root != NULL) {
        ob_dereference(root);
    }
    return status;
}

static NTSTATUS open_key(const OBJECT_ATTRIBUTES *attributes, struct ob_key_creation *creation,
                         ACCESS_MASK access, PHANDLE handle)
{
    struct ob_node *node = NULL;
    NTSTATUS status = find_node(attributes, creation, &node);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    struct ob_key *key = ob_create(&key_type, sizeof(*key));
    if (key == NULL) {
        lock();
        ob_node_release(node);
        unlock();
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    key->node = node;
    status = ob_open_handle(key, access, handle);
    ob_dereference(key);
    return status;
}

/*
 * Opens a key, which is made if it is not there; the keys in front of it must be.
 * *Disposition, if wanted, is REG_CREATED_NEW_KEY or REG_OPENED_EXISTING_KEY.
 * STATUS_OBJECT_NAME_NOT_FOUND, STATUS_CHILD_MUST_BE_VOLATILE, STATUS_KEY_DELETED. PASSIVE_LEVEL.
 */
NTSTATUS ZwCreateKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess,
                     POBJECT_ATTRIBUTES ObjectAttributes, ULONG TitleIndex, PUNICODE_STRING Class,
                     ULONG CreateOptions, PULONG Disposition)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if ((CreateOptions & ~(ULONG)REG_LEGAL_OPTION) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    struct ob_key_creation creation = {
        .class_name = Class,
        .title_index = TitleIndex,
        .is_volatile = (CreateOptions & REG_OPTION_VOLATILE) != 0,
    };
    NTSTATUS status = open_key(ObjectAttributes, &creation, DesiredAccess, KeyHandle);
    if (NT_SUCCESS(status) && Disposition != NULL) {
        *Disposition = creation.is_new ? REG_CREATED_NEW_KEY : REG_OPENED_EXISTING_KEY;
    }
    return status;
}

/* Opens a key. STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_SYNTAX_BAD. PASSIVE_LEVEL. */
NTSTATUS ZwOpenKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess,
                   POBJECT_ATTRIBUTES ObjectAttributes)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    return open_key(ObjectAttributes, NULL, DesiredAccess, KeyHandle);
}

/* As ZwOpenKey; the options change nothing here, for there are no links. */
NTSTATUS ZwOpenKeyEx(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess,
                     POBJECT_ATTRIBUTES ObjectAttributes, ULONG OpenOptions)
{
    if ((OpenOptions & ~(ULONG)REG_OPEN_LEGAL_OPTION) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    return ZwOpenKey(KeyHandle, DesiredAccess, ObjectAttributes);
}

/* ---- what is done with an open key ---- */

/* Finds the key of a handle and takes the lock; leave_key drops both. STATUS_KEY_DELETED. */
static NTSTATUS enter_key(HANDLE handle, struct ob_key **key)
{
    NTSTATUS status = reference_key(handle, key);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    lock();
    if ((*key)->node->is_deleted) {
        unlock();
        ob_dereference(*key);
        return STATUS_KEY_DELETED;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS leave_key(struct ob_key *key, NTSTATUS status)
{
    unlock();
    ob_dereference(key);
    return status;
}

/* Takes a key out of the registry; its handles answer STATUS_KEY_DELETED from then on.
 * STATUS_CANNOT_DELETE for a key with subkeys. PASSIVE_LEVEL. */
NTSTATUS ZwDeleteKey(HANDLE KeyHandle)
{
    struct ob_key *key = NULL;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = enter_key(KeyHandle, &key);
    return NT_SUCCESS(status) ? leave_key(key, ob_node_delete(key->node)) : status;
}

/* Does nothing: the registry is in memory. STATUS_INVALID_HANDLE, STATUS_KEY_DELETED.
 * PASSIVE_LEVEL. */
NTSTATUS ZwFlushKey(HANDLE KeyHandle)
{
    struct ob_key *key = NULL;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = enter_key(KeyHandle, &key);
    return NT_SUCCESS(status) ? leave_key(key, STATUS_SUCCESS) : status;
}

/*
 * What a key is: KeyBasicInformation, KeyNodeInformation, KeyFullInformation or KeyNameInformation.
 * *ResultLength is the bytes needed. STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_TOO_SMALL,
 * STATUS_INVALID_PARAMETER, STATUS_KEY_DELETED. PASSIVE_LEVEL.
 */
NTSTATUS ZwQueryKey(HANDLE KeyHandle, KEY_INFORMATION_CLASS KeyInformationClass,
                    PVOID KeyInformation, ULONG Length, PULONG ResultLength)
{
    struct ob_key *key = NULL;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = enter_key(KeyHandle, &key);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    return leave_key(
        key, ob_key_query(key->node, KeyInformationClass, KeyInformation, Length, ResultLength));
}

/*
 * What the subkey of that place is, in the order of names: the classes of ZwQueryKey but for
 * KeyNameInformation. STATUS_NO_MORE_ENTRIES, and those of ZwQueryKey. PASSIVE_LEVEL.
 */
NTSTATUS ZwEnumerateKey(HANDLE KeyHandle, ULONG Index, KEY_INFORMATION_CLASS KeyInformationClass,
                        PVOID KeyInformation, ULONG Length, PULONG ResultLength)
{
    struct ob_key *key = NULL;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    if (KeyInformationClass == KeyNameInformation) {
        return STATUS_INVALID_PARAMETER;
    }
    NTSTATUS status = enter_key(KeyHandle, &key);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    struct ob_node *child = ob_node_child(key->node, Index);
    status = child != NULL
                 ? ob_key_query(child, KeyInformationClass, KeyInformation, Length, ResultLength)
                 : STATUS_NO_MORE_ENTRIES;
    return leave_key(key, status);
}

/*
 * A value of a key: KeyValueBasicInformation, ...Full..., ...Partial... and the last two with
 * ...Align64. *ResultLength is the bytes needed. STATUS_OBJECT_NAME_NOT_FOUND,
 * STATUS_BUFFER_OVERFLOW (the fixed part and what fits were written), STATUS_BUFFER_TOO_SMALL
 * (nothing was), STATUS_INVALID_PARAMETER, STATUS_KEY_DELETED. PASSIVE_LEVEL.
 */
NTSTATUS ZwQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
                         KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass,
                         PVOID KeyValueInformation, ULONG Length, PULONG ResultLength)
{
    struct ob_key *key = NULL;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = enter_key(KeyHandle, &key);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    const struct ob_value *value = ob_node_value(key->node, ValueName);
    status = value != NULL ? ob_value_query(value, KeyValueInformationClass, KeyValueInformation,
                                            Length, ResultLength)
                           : STATUS_OBJECT_NAME_NOT_FOUND;
    return leave_key(key, status);
}

/* The value of that place, in the order in which they were made. STATUS_NO_MORE_ENTRIES, and those
 * of ZwQueryValueKey. PASSIVE_LEVEL. */
NTSTATUS ZwEnumerateValueKey(HANDLE KeyHandle, ULONG Index,
                             KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass,
                             PVOID KeyValueInformation, ULONG Length, PULONG ResultLength)
{
    struct ob_key *key = NULL;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = enter_key(KeyHandle, &key);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    const struct ob_value *value = ob_node_value_at(key->node, Index);
    status = value != NULL ? ob_value_query(value, KeyValueInformationClass, KeyValueInformation,
                                            Length, ResultLength)
                           : STATUS_NO_MORE_ENTRIES;
    return leave_key(key, status);
}

/* Makes or replaces a value; the data is copied. STATUS_KEY_DELETED,
 * STATUS_INSUFFICIENT_RESOURCES. PASSIVE_LEVEL. */
NTSTATUS ZwSetValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, ULONG TitleIndex, ULONG Type,
                       PVOID Data, ULONG DataSize)
{
    struct ob_key *key = NULL;
    UNREFERENCED_PARAMETER(TitleIndex);
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = enter_key(KeyHandle, &key);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    return leave_key(key, ob_node_set_value(key->node, ValueName, Type, Data, DataSize));
}

/* Removes a value. STATUS_OBJECT_NAME_NOT_FOUND, STATUS_KEY_DELETED. PASSIVE_LEVEL. */
NTSTATUS ZwDeleteValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName)
{
    struct ob_key *key = NULL;
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = enter_key(KeyHandle, &key);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    return leave_key(key, ob_node_delete_value(key->node, ValueName));
}
