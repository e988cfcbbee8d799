/*
 * RtlQueryRegistryValues: works through a table of values. It asks the registry with the same
 * services that drivers have, so it holds no lock while it calls a driver's query routine.
 */
#include "ex/pool.h"
#include "ke/callback.h"
#include "ke/limit.h"
#include "ob/registry_path.h"

#include <stdlib.h>
#include <string.h>

#define TAG_STRING 0x67727453u /* "Strg": RtlFreeUnicodeString frees it */
#define SMALL_BYTES_MAX sizeof(ULONG)
#define TYPE_MASK 0xFFu

/* A query at work. */
struct query {
    HANDLE top; /* the key of the call */
    HANDLE key; /* the key that entries mean now: top or a subkey */
    PVOID context;
};

/* A value that was found, or a default. */
struct found {
    WCHAR *name;
    ULONG type;
    void *data;
    ULONG length;
};

static bool is_string(ULONG type)
{
    return type == REG_SZ || type == REG_EXPAND_SZ || type == REG_MULTI_SZ;
}

/* Bytes of text up to its end, without it. */
static ULONG text_bytes(const struct found *found)
{
    ULONG count = found->length / sizeof(WCHAR);
    const WCHAR *text = found->data;
    if (count != 0 && text[count - 1] == L'\0') {
        count--;
    }
    return count * (ULONG)sizeof(WCHAR);
}

static NTSTATUS store_string(const struct found *found, PUNICODE_STRING string, const void *caller)
{
    ULONG bytes = text_bytes(found);
    ULONG room = bytes + (ULONG)sizeof(WCHAR);
    if (room > MAXUSHORT) {
        return STATUS_BUFFER_OVERFLOW;
    }
    if (string->Buffer == NULL) {
        string->Buffer = ex_pool_allocate(PagedPool, room, TAG_STRING, caller);
        if (string->Buffer == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        string->MaximumLength = (USHORT)room;
    } else if (string->MaximumLength < room) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    memmove(string->Buffer, found->data, bytes);
    string->Buffer[bytes / sizeof(WCHAR)] = L'\0';
    string->Length = (USHORT)bytes;
    return STATUS_SUCCESS;
}

/* Data of more than four bytes: the buffer begins with its own size, negative if the data is to
 * stand alone, else length and type come first. */
static NTSTATUS store_sized(const struct found *found, void *buffer)
{
    LONG size = *(LONG *)buffer;
    ULONG header[2] = {found->length, found->type};
    if (size < 0) {
        if (found->length > 0u - (ULONG)size) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        memcpy(buffer, found->data, found->length);
        return STATUS_SUCCESS;
    }
    if ((ULONG64)found->length + sizeof(header) > (ULONG64)size) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    memcpy(buffer, header, sizeof(header));
    memcpy((UCHAR *)buffer + sizeof(header), found->data, found->length);
    return STATUS_SUCCESS;
}

static NTSTATUS store(const struct found *found, const RTL_QUERY_REGISTRY_TABLE *entry,
                      const void *caller)
{
    if (is_string(found->type)) {
        bool is_refused = (entry->Flags & RTL_QUERY_REGISTRY_NOSTRING) != 0;
        return is_refused ? STATUS_OBJECT_TYPE_MISMATCH
                          : store_string(found, entry->EntryContext, caller);
    }
    if (found->length > SMALL_BYTES_MAX) {
        return store_sized(found, entry->EntryContext);
    }
    RtlCopyMemory(entry->EntryContext, found->data, found->length);
    return STATUS_SUCCESS;
}

static NTSTATUS call_routine(const struct query *query, const RTL_QUERY_REGISTRY_TABLE *entry,
                             const struct found *found)
{
    struct ke_callback callback;
    ke_callback_enter(&callback, "a registry query routine",
                      (const void *)(ULONG_PTR)entry->QueryRoutine);
    NTSTATUS status = entry->QueryRoutine(found->name, found->type, found->data, found->length,
                                          query->context, entry->EntryContext);
    ke_callback_leave(&callback);
    return status;
}

/* Calls the routine for each string. */
static NTSTATUS call_for_strings(const struct query *query, const RTL_QUERY_REGISTRY_TABLE *entry,
                                 const struct found *found)
{
    WCHAR *text = found->data;
    ULONG count = found->length / sizeof(WCHAR);
    NTSTATUS status = STATUS_SUCCESS;
    for (ULONG begin = 0, i = 0; i < count && NT_SUCCESS(status); i++) {
        if (text[i] != L'\0') {
            continue;
        }
        if (i == begin) {
            break; /* the empty string is the end */
        }
        struct found one = *found;
        one.type = REG_SZ;
        one.data = text + begin;
        one.length = (i + 1 - begin) * (ULONG)sizeof(WCHAR);
        status = call_routine(query, entry, &one);
        begin = i + 1;
    }
    return status;
}

/* What the system's environment says of a name, without regard to case; NULL if nothing. */
static const WCHAR *variable(const UNICODE_STRING *name)
{
    static const struct {
        UNICODE_STRING name;
        const WCHAR *value;
    } variables[] = {
        {RTL_CONSTANT_STRING(L"SystemRoot"), L"C:\\Windows"},
        {RTL_CONSTANT_STRING(L"windir"), L"C:\\Windows"},
        {RTL_CONSTANT_STRING(L"SystemDrive"), L"C:"},
    };
    for (size_t i = 0; i < RTL_NUMBER_OF(variables); i++) {
        if (RtlEqualUnicodeString(&variables[i].name, name, TRUE)) {
            return variables[i].value;
        }
    }
    return NULL;
}

/* The variable between percent signs at the front of text, and how many characters it takes. */
static const WCHAR *variable_at(const WCHAR *text, ULONG count, ULONG *taken)
{
    for (ULONG i = 1; text[0] == L'%' && i < count; i++) {
        if (text[i] == L'%') {
            UNICODE_STRING name = {.Buffer = (WCHAR *)(ULONG_PTR)(text + 1),
                                   .Length = (USHORT)((i - 1) * sizeof(WCHAR))};
            *taken = i + 1;
            return variable(&name);
        }
    }
    return NULL;
}

/* Calls the routine with the variables in the text replaced by their values. */
static NTSTATUS call_expanded(const struct query *query, const RTL_QUERY_REGISTRY_TABLE *entry,
                              const struct found *found)
{
    const WCHAR *text = found->data;
    ULONG count = text_bytes(found) / sizeof(WCHAR);
    UNICODE_STRING expanded = {.MaximumLength = MAXUSHORT - 1, .Buffer = malloc(MAXUSHORT + 1)};
    if (expanded.Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    for (ULONG i = 0; i < count;) {
        ULONG taken = 1;
        WCHAR one[2] = {text[i], L'\0'};
        const WCHAR *value = variable_at(text + i, count - i, &taken);
        RtlAppendUnicodeToString(&expanded, value != NULL ? value : one);
        i += value != NULL ? taken : 1;
    }
    struct found result = *found;
    expanded.Buffer[expanded.Length / sizeof(WCHAR)] = L'\0';
    result.type = REG_SZ;
    result.data = expanded.Buffer;
    result.length = expanded.Length + (ULONG)sizeof(WCHAR);
    NTSTATUS status = call_routine(query, entry, &result);
    free(expanded.Buffer);
    return status;
}

/* Gives a value to whoever the entry names. */
static NTSTATUS deliver(const struct query *query, const RTL_QUERY_REGISTRY_TABLE *entry,
                        const struct found *found, const void *caller)
{
    if ((entry->Flags & RTL_QUERY_REGISTRY_DIRECT) != 0) {
        return store(found, entry, caller);
    }
    bool is_expanded = (entry->Flags & RTL_QUERY_REGISTRY_NOEXPAND) == 0;
    if (is_expanded && found->type == REG_MULTI_SZ) {
        return call_for_strings(query, entry, found);
    }
    if (is_expanded && found->type == REG_EXPAND_SZ) {
        return call_expanded(query, entry, found);
    }
    return call_routine(query, entry, found);
}

/* Bytes of a default text whose length the table leaves out. */
static ULONG default_bytes(ULONG type, const WCHAR *text)
{
    ULONG count = 0;
    if (text == NULL || !is_string(type)) {
        return 0;
    }
    do {
        while (text[count] != L'\0') {
            count++;
        }
        count++;
    } while (type == REG_MULTI_SZ && text[count] != L'\0');
    return (count + (type == REG_MULTI_SZ)) * (ULONG)sizeof(WCHAR);
}

/* An entry whose value is not there. */
static NTSTATUS deliver_default(const struct query *query, const RTL_QUERY_REGISTRY_TABLE *entry,
                                const void *caller)
{
    ULONG type = entry->DefaultType & TYPE_MASK;
    if ((entry->Flags & RTL_QUERY_REGISTRY_REQUIRED) != 0) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    if (type == REG_NONE) {
        return STATUS_SUCCESS;
    }
    struct found found = {.name = entry->Name, .type = type, .data = entry->DefaultData};
    found.length =
        entry->DefaultLength != 0 ? entry->DefaultLength : default_bytes(type, entry->DefaultData);
    return deliver(query, entry, &found, caller);
}

static NTSTATUS check_type(const RTL_QUERY_REGISTRY_TABLE *entry, ULONG type)
{
    if ((entry->Flags & RTL_QUERY_REGISTRY_TYPECHECK) == 0) {
        return STATUS_SUCCESS;
    }
    ULONG wanted = entry->DefaultType >> RTL_QUERY_REGISTRY_TYPECHECK_SHIFT;
    return wanted == type ? STATUS_SUCCESS : STATUS_OBJECT_TYPE_MISMATCH;
}

/* The value in a buffer that the caller frees. */
static NTSTATUS read_value(HANDLE key, PUNICODE_STRING name, KEY_VALUE_PARTIAL_INFORMATION **info)
{
    ULONG bytes = 0;
    NTSTATUS status = ZwQueryValueKey(key, name, KeyValuePartialInformation, NULL, 0, &bytes);
    if (status != STATUS_BUFFER_TOO_SMALL) {
        return status;
    }
    *info = malloc(bytes);
    if (*info == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = ZwQueryValueKey(key, name, KeyValuePartialInformation, *info, bytes, &bytes);
    if (!NT_SUCCESS(status)) {
        free(*info);
    }
    return status;
}

static NTSTATUS query_value(const struct query *query, const RTL_QUERY_REGISTRY_TABLE *entry,
                            const void *caller)
{
    KEY_VALUE_PARTIAL_INFORMATION *info = NULL;
    UNICODE_STRING name;
    RtlInitUnicodeString(&name, entry->Name);
    NTSTATUS status = read_value(query->key, &name, &info);
    if (status == STATUS_OBJECT_NAME_NOT_FOUND) {
        return deliver_default(query, entry, caller);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    struct found found = {
        .name = entry->Name, .type = info->Type, .data = info->Data, .length = info->DataLength};
    status = check_type(entry, info->Type);
    if (NT_SUCCESS(status)) {
        status = deliver(query, entry, &found, caller);
    }
    free(info);
    if (NT_SUCCESS(status) && (entry->Flags & RTL_QUERY_REGISTRY_DELETE) != 0) {
        ZwDeleteValueKey(query->key, &name);
    }
    return status;
}

/* The value of that place, with an end behind its name, in a buffer that the caller frees. */
static NTSTATUS read_value_at(HANDLE key, ULONG index, KEY_VALUE_FULL_INFORMATION **info)
{
    ULONG bytes = 0;
    NTSTATUS status = ZwEnumerateValueKey(key, index, KeyValueFullInformation, NULL, 0, &bytes);
    if (status != STATUS_BUFFER_TOO_SMALL) {
        return status;
    }
    *info = calloc(1, bytes + sizeof(WCHAR));
    if (*info == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = ZwEnumerateValueKey(key, index, KeyValueFullInformation, *info, bytes, &bytes);
    if (!NT_SUCCESS(status)) {
        free(*info);
    }
    return status;
}

static NTSTATUS deliver_at(const struct query *query, const RTL_QUERY_REGISTRY_TABLE *entry,
                           KEY_VALUE_FULL_INFORMATION *info, const void *caller)
{
    WCHAR *name = calloc(1, info->NameLength + sizeof(WCHAR));
    if (name == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    memcpy(name, info->Name, info->NameLength);
    struct found found = {.name = name, .type = info->Type, .length = info->DataLength};
    found.data = info->DataLength != 0 ? (UCHAR *)info + info->DataOffset : NULL;
    NTSTATUS status = deliver(query, entry, &found, caller);
    free(name);
    return status;
}

/* Calls the entry's routine for every value of the key. */
static NTSTATUS query_all(const struct query *query, const RTL_QUERY_REGISTRY_TABLE *entry,
                          const void *caller)
{
    KEY_VALUE_FULL_INFORMATION *info = NULL;
    NTSTATUS status = STATUS_SUCCESS;
    ULONG index = 0;
    while (NT_SUCCESS(status)) {
        status = read_value_at(query->key, index, &info);
        if (!NT_SUCCESS(status)) {
            break;
        }
        status = deliver_at(query, entry, info, caller);
        free(info);
        index++;
    }
    if (status != STATUS_NO_MORE_ENTRIES) {
        return status;
    }
    bool is_missing = index == 0 && (entry->Flags & RTL_QUERY_REGISTRY_REQUIRED) != 0;
    return is_missing ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_SUCCESS;
}

/* Makes the entries from here on mean the call's key again. */
static void leave_subkey(struct query *query)
{
    if (query->key != query->top) {
        ZwClose(query->key);
        query->key = query->top;
    }
}

static NTSTATUS enter_subkey(struct query *query, const WCHAR *name)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING path;
    HANDLE key = NULL;
    RtlInitUnicodeString(&path, name);
    InitializeObjectAttributes(&attributes, &path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
                               query->top, NULL);
    NTSTATUS status = ZwOpenKey(&key, KEY_ALL_ACCESS, &attributes);
    if (NT_SUCCESS(status)) {
        query->key = key;
    }
    return status;
}

static NTSTATUS query_subkey(struct query *query, const RTL_QUERY_REGISTRY_TABLE *entry,
                             const void *caller)
{
    if (entry->Name == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    NTSTATUS status = enter_subkey(query, entry->Name);
    if (status == STATUS_OBJECT_NAME_NOT_FOUND) {
        bool is_required = (entry->Flags & RTL_QUERY_REGISTRY_REQUIRED) != 0;
        return is_required ? status : STATUS_SUCCESS;
    }
    if (NT_SUCCESS(status) && entry->QueryRoutine != NULL) {
        status = query_all(query, entry, caller);
    }
    return status;
}

static bool is_wrong(const RTL_QUERY_REGISTRY_TABLE *entry)
{
    return (entry->Flags & RTL_QUERY_REGISTRY_DIRECT) != 0 &&
           (entry->Name == NULL || entry->QueryRoutine != NULL ||
            (entry->Flags & RTL_QUERY_REGISTRY_SUBKEY) != 0);
}

static NTSTATUS query_entry(struct query *query, const RTL_QUERY_REGISTRY_TABLE *entry,
                            const void *caller)
{
    struct found nothing = {.type = REG_NONE};
    if (is_wrong(entry)) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((entry->Flags & (RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_TOPKEY)) != 0) {
        leave_subkey(query);
    }
    if ((entry->Flags & RTL_QUERY_REGISTRY_SUBKEY) != 0) {
        return query_subkey(query, entry, caller);
    }
    if (entry->Name != NULL) {
        return query_value(query, entry, caller);
    }
    if ((entry->Flags & RTL_QUERY_REGISTRY_NOVALUE) != 0) {
        return call_routine(query, entry, &nothing);
    }
    return query_all(query, entry, caller);
}

static bool is_end(const RTL_QUERY_REGISTRY_TABLE *entry)
{
    const ULONG without_routine = RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_DIRECT;
    return entry->QueryRoutine == NULL && (entry->Flags & without_routine) == 0;
}

/*
 * Asks for the values that a table names, until an entry without routine and name. Each is given to
 * the entry's routine with Context, or stored where the entry says. STATUS_OBJECT_NAME_NOT_FOUND
 * for a key, or a required value, that is not there, STATUS_OBJECT_TYPE_MISMATCH,
 * STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_PARAMETER, and what a routine returned. PASSIVE_LEVEL.
 */
NTSTATUS RtlQueryRegistryValues(ULONG RelativeTo, PCWSTR Path, PRTL_QUERY_REGISTRY_TABLE QueryTable,
                                PVOID Context, PVOID Environment)
{
    struct query query = {.context = Context};
    UNREFERENCED_PARAMETER(Environment);
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    NTSTATUS status = ob_registry_open(RelativeTo, Path, false, &query.top);
    if (!NT_SUCCESS(status)) {
        bool is_optional = (RelativeTo & RTL_REGISTRY_OPTIONAL) != 0;
        return is_optional && status == STATUS_OBJECT_NAME_NOT_FOUND ? STATUS_SUCCESS : status;
    }
    query.key = query.top;
    for (const RTL_QUERY_REGISTRY_TABLE *entry = QueryTable; NT_SUCCESS(status) && !is_end(entry);
         entry++) {
        status = query_entry(&query, entry, _ReturnAddress());
    }
    leave_subkey(&query);
    ob_registry_close(RelativeTo, query.top);
    return status;
}
