/*
 * The registry's tree.
 *
 * One lock guards all of it. A node lives while it is in the tree or a key object refers to it; a
 * deleted one has no parent and answers STATUS_KEY_DELETED. Children are kept in the order of their
 * names, as Windows enumerates them, and values in the order in which they were made.
 */
#include "ob/key.h"

#include "base/clock.h"
#include "ob/object.h"

#include <stdlib.h>

#define NAME_BYTES_MAX (255 * sizeof(WCHAR))

static const WCHAR *const first_keys[] = {
    L"\\Registry\\MACHINE\\SYSTEM\\CurrentControlSet\\Control",
    L"\\Registry\\MACHINE\\SYSTEM\\CurrentControlSet\\Services",
    L"\\Registry\\MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion",
    L"\\Registry\\MACHINE\\HARDWARE\\DEVICEMAP",
    L"\\Registry\\USER\\.DEFAULT",
};

/* ---- nodes ---- */

static void touch(struct ob_node *node)
{
    node->last_write.QuadPart = (LONGLONG)base_clock_wall_100ns();
}

static NTSTATUS set_class(struct ob_node *node, const UNICODE_STRING *class_name)
{
    if (class_name == NULL || class_name->Length == 0) {
        return STATUS_SUCCESS;
    }
    node->class_text = malloc(class_name->Length);
    if (node->class_text == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(node->class_text, class_name->Buffer, class_name->Length);
    node->class_bytes = class_name->Length;
    return STATUS_SUCCESS;
}

static struct ob_node *create_node(const UNICODE_STRING *name)
{
    struct ob_node *node = calloc(1, sizeof(*node) + name->Length);
    if (node == NULL) {
        return NULL;
    }
    node->references = 1;
    InitializeListHead(&node->link);
    InitializeListHead(&node->children);
    InitializeListHead(&node->values);
    node->name.Buffer = node->text;
    node->name.Length = name->Length;
    node->name.MaximumLength = name->Length;
    RtlCopyMemory(node->text, name->Buffer, name->Length);
    touch(node);
    return node;
}

static void free_value(struct ob_value *value)
{
    RemoveEntryList(&value->link);
    free(value->data);
    free(value);
}

void ob_node_release(struct ob_node *node)
{
    if (--node->references != 0) {
        return;
    }
    while (!IsListEmpty(&node->values)) {
        free_value(CONTAINING_RECORD(node->values.Flink, struct ob_value, link));
    }
    free(node->class_text);
    free(node);
}

static struct ob_node *find_child(struct ob_node *node, const UNICODE_STRING *name)
{
    for (LIST_ENTRY *entry = node->children.Flink; entry != &node->children; entry = entry->Flink) {
        struct ob_node *child = CONTAINING_RECORD(entry, struct ob_node, link);
        if (RtlEqualUnicodeString(&child->name, name, TRUE)) {
            return child;
        }
    }
    return NULL;
}

static void insert_child(struct ob_node *node, struct ob_node *child)
{
    LIST_ENTRY *place = node->children.Flink;
    while (place != &node->children &&
           RtlCompareUnicodeString(&CONTAINING_RECORD(place, struct ob_node, link)->name,
                                   &child->name, TRUE) < 0) {
        place = place->Flink;
    }
    InsertTailList(place, &child->link);
    child->parent = node;
    touch(node);
}

static NTSTATUS create_child(struct ob_node *node, const UNICODE_STRING *name,
                             struct ob_key_creation *creation, struct ob_node **child)
{
    if (node->is_volatile && !creation->is_volatile) {
        return STATUS_CHILD_MUST_BE_VOLATILE;
    }
    *child = create_node(name);
    if (*child == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NTSTATUS status = set_class(*child, creation->class_name);
    if (!NT_SUCCESS(status)) {
        ob_node_release(*child);
        return status;
    }
    (*child)->is_volatile = creation->is_volatile;
    (*child)->title_index = creation->title_index;
    insert_child(node, *child);
    creation->is_new = true;
    return STATUS_SUCCESS;
}

/* ---- paths ---- */

/* Takes the first component off a path, with the separator behind it. */
static UNICODE_STRING take_component(UNICODE_STRING *path)
{
    UNICODE_STRING component = *path;
    USHORT count = path->Length / sizeof(WCHAR);
    USHORT end = 0;
    while (end < count && path->Buffer[end] != L'\\') {
        end++;
    }
    component.Length = (USHORT)(end * sizeof(WCHAR));
    component.MaximumLength = component.Length;
    USHORT taken = end < count ? (USHORT)(end + 1) : end;
    path->Buffer += taken;
    path->Length = (USHORT)((count - taken) * sizeof(WCHAR));
    return component;
}

/* Takes \Registry off the front of an absolute path. */
static NTSTATUS enter_root(struct ob_registry *registry, UNICODE_STRING *path,
                           struct ob_node **root)
{
    if (path->Length < sizeof(WCHAR) || path->Buffer[0] != L'\\') {
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    path->Buffer++;
    path->Length -= sizeof(WCHAR);
    UNICODE_STRING first = take_component(path);
    *root = registry->root;
    bool is_registry = RtlEqualUnicodeString(&first, &registry->root->name, TRUE);
    return is_registry ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND;
}

static NTSTATUS step(struct ob_node *node, const UNICODE_STRING *component, bool is_last,
                     struct ob_key_creation *creation, struct ob_node **next)
{
    if (component->Length == 0 || component->Length > NAME_BYTES_MAX) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    *next = find_child(node, component);
    if (*next != NULL) {
        return STATUS_SUCCESS;
    }
    if (creation == NULL || !(is_last || creation->with_path)) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    return create_child(node, component, creation, next);
}

NTSTATUS ob_node_find(struct ob_node *parent, const UNICODE_STRING *path,
                      struct ob_key_creation *creation, struct ob_node **node)
{
    UNICODE_STRING rest = *path;
    struct ob_node *now = parent;
    NTSTATUS status = STATUS_SUCCESS;
    if (parent == NULL) {
        status = enter_root(&ob_state()->registry, &rest, &now);
    } else if (rest.Length != 0 && rest.Buffer[0] == L'\\') {
        status = STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    if (NT_SUCCESS(status) && now->is_deleted) {
        status = STATUS_KEY_DELETED;
    }
    while (NT_SUCCESS(status) && rest.Length != 0) {
        UNICODE_STRING component = take_component(&rest);
        status = step(now, &component, rest.Length == 0, creation, &now);
    }
    if (NT_SUCCESS(status)) {
        now->references++;
        *node = now;
    }
    return status;
}

NTSTATUS ob_node_delete(struct ob_node *node)
{
    if (node->is_deleted) {
        return STATUS_SUCCESS;
    }
    if (!IsListEmpty(&node->children) || node->parent == NULL) {
        return STATUS_CANNOT_DELETE;
    }
    RemoveEntryList(&node->link);
    touch(node->parent);
    node->parent = NULL;
    node->is_deleted = true;
    ob_node_release(node); /* the caller holds another reference */
    return STATUS_SUCCESS;
}

ULONG ob_node_path(const struct ob_node *node, WCHAR *buffer, ULONG bytes)
{
    ULONG front = node->parent != NULL ? ob_node_path(node->parent, buffer, bytes) : 0;
    ULONG needed = front + (ULONG)sizeof(WCHAR) + node->name.Length;
    for (ULONG i = front; i < min(needed, bytes); i += sizeof(WCHAR)) {
        ULONG place = (i - front) / (ULONG)sizeof(WCHAR);
        buffer[i / sizeof(WCHAR)] = place == 0 ? L'\\' : node->text[place - 1];
    }
    return needed;
}

struct ob_node *ob_node_child(struct ob_node *node, ULONG index)
{
    for (LIST_ENTRY *entry = node->children.Flink; entry != &node->children; entry = entry->Flink) {
        if (index-- == 0) {
            return CONTAINING_RECORD(entry, struct ob_node, link);
        }
    }
    return NULL;
}

/* ---- values ---- */

struct ob_value *ob_node_value_at(struct ob_node *node, ULONG index)
{
    for (LIST_ENTRY *entry = node->values.Flink; entry != &node->values; entry = entry->Flink) {
        if (index-- == 0) {
            return CONTAINING_RECORD(entry, struct ob_value, link);
        }
    }
    return NULL;
}

struct ob_value *ob_node_value(struct ob_node *node, const UNICODE_STRING *name)
{
    static const UNICODE_STRING no_name;
    const UNICODE_STRING *wanted = name != NULL ? name : &no_name;
    for (LIST_ENTRY *entry = node->values.Flink; entry != &node->values; entry = entry->Flink) {
        struct ob_value *value = CONTAINING_RECORD(entry, struct ob_value, link);
        if (RtlEqualUnicodeString(&value->name, wanted, TRUE)) {
            return value;
        }
    }
    return NULL;
}

static struct ob_value *create_value(const UNICODE_STRING *name)
{
    USHORT bytes = name != NULL ? name->Length : 0;
    struct ob_value *value = calloc(1, sizeof(*value) + bytes);
    if (value == NULL) {
        return NULL;
    }
    value->name.Buffer = value->text;
    value->name.Length = bytes;
    value->name.MaximumLength = bytes;
    if (bytes != 0) {
        RtlCopyMemory(value->text, name->Buffer, bytes);
    }
    return value;
}

/* A copy of data; NULL for none, or when memory is short. */
static void *copy_data(const void *data, ULONG length)
{
    void *copy = length != 0 ? malloc(length) : NULL;
    if (copy != NULL) {
        RtlCopyMemory(copy, data, length);
    }
    return copy;
}

NTSTATUS ob_node_set_value(struct ob_node *node, const UNICODE_STRING *name, ULONG type,
                           const void *data, ULONG length)
{
    void *copy = copy_data(data, length);
    if (copy == NULL && length != 0) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    struct ob_value *value = ob_node_value(node, name);
    if (value == NULL) {
        value = create_value(name);
        if (value == NULL) {
            free(copy);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        InsertTailList(&node->values, &value->link);
    }
    free(value->data);
    value->type = type;
    value->data = copy;
    value->length = length;
    touch(node);
    return STATUS_SUCCESS;
}

NTSTATUS ob_node_delete_value(struct ob_node *node, const UNICODE_STRING *name)
{
    struct ob_value *value = ob_node_value(node, name);
    if (value == NULL) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    free_value(value);
    touch(node);
    return STATUS_SUCCESS;
}

/* ---- the emulator's own keys ---- */

static NTSTATUS make_key(const WCHAR *text, struct ob_node **node)
{
    struct ob_key_creation creation = {.with_path = true};
    UNICODE_STRING path;
    RtlInitUnicodeString(&path, text);
    return ob_node_find(NULL, &path, &creation, node);
}

NTSTATUS ob_registry_make_key(const WCHAR *path)
{
    struct ob_registry *registry = &ob_state()->registry;
    struct ob_node *node = NULL;
    ob_registry_lock(registry);
    NTSTATUS status = make_key(path, &node);
    if (NT_SUCCESS(status)) {
        ob_node_release(node);
    }
    ob_registry_unlock(registry);
    return status;
}

NTSTATUS ob_registry_set(const WCHAR *path, const WCHAR *name, ULONG type, const void *data,
                         ULONG length)
{
    struct ob_registry *registry = &ob_state()->registry;
    struct ob_node *node = NULL;
    UNICODE_STRING value;
    RtlInitUnicodeString(&value, name);
    ob_registry_lock(registry);
    NTSTATUS status = make_key(path, &node);
    if (NT_SUCCESS(status)) {
        status = ob_node_set_value(node, &value, type, data, length);
        ob_node_release(node);
    }
    ob_registry_unlock(registry);
    return status;
}

#define SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"
#define SERVICE_PATH_CHARACTERS_MAX 256

/* Sets a value that is not there. */
static NTSTATUS set_default(struct ob_node *node, const WCHAR *name, ULONG number)
{
    UNICODE_STRING value;
    RtlInitUnicodeString(&value, name);
    if (ob_node_value(node, &value) != NULL) {
        return STATUS_SUCCESS;
    }
    return ob_node_set_value(node, &value, REG_DWORD, &number, sizeof(number));
}

static NTSTATUS set_service_defaults(struct ob_node *node)
{
    static const struct {
        const WCHAR *name;
        ULONG number;
    } defaults[] = {
        {L"Type", 1},         /* a kernel driver */
        {L"Start", 3},        /* on demand */
        {L"ErrorControl", 1}, /* normal */
    };
    NTSTATUS status = STATUS_SUCCESS;
    for (size_t i = 0; i < RTL_NUMBER_OF(defaults) && NT_SUCCESS(status); i++) {
        status = set_default(node, defaults[i].name, defaults[i].number);
    }
    return status;
}

NTSTATUS ob_registry_add_service(const char *name)
{
    struct ob_registry *registry = &ob_state()->registry;
    struct ob_node *node = NULL;
    WCHAR path[SERVICE_PATH_CHARACTERS_MAX] = SERVICES;
    size_t length = RTL_NUMBER_OF(SERVICES) - 1;
    for (; *name != '\0' && length + 1 < RTL_NUMBER_OF(path); name++) {
        path[length++] = (WCHAR)(UCHAR)*name;
    }
    ob_registry_lock(registry);
    NTSTATUS status = make_key(path, &node);
    if (NT_SUCCESS(status)) {
        status = set_service_defaults(node);
        ob_node_release(node);
    }
    ob_registry_unlock(registry);
    return status;
}

NTSTATUS ob_registry_start(struct ob_registry *registry)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"REGISTRY");
    base_mutex_init(&registry->lock);
    registry->root = create_node(&name);
    NTSTATUS status = registry->root != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
    for (size_t i = 0; i < RTL_NUMBER_OF(first_keys) && NT_SUCCESS(status); i++) {
        status = ob_registry_make_key(first_keys[i]);
    }
    return status;
}

/* Frees a node and all below it. */
static void free_tree(struct ob_node *node)
{
    while (!IsListEmpty(&node->children)) {
        struct ob_node *child =
            CONTAINING_RECORD(RemoveHeadList(&node->children), struct ob_node, link);
        free_tree(child);
    }
    node->references = 1;
    ob_node_release(node);
}

void ob_registry_stop(struct ob_registry *registry)
{
    if (registry->root != NULL) {
        free_tree(registry->root);
    }
    base_mutex_destroy(&registry->lock);
}
