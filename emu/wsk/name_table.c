/* The names and services that a test gave, which are asked before the host is. */
#include "wsk/wsk.h"

#include <stdlib.h>
#include <string.h>

struct name {
    LIST_ENTRY link; /* in wsk_names.table */
    bool is_held;
    ULONG count; /* 0: known to have no address */
    struct net_address addresses[NET_RESOLVED_MAX];
    WCHAR text[NET_NAME_MAX];
};

struct service {
    LIST_ENTRY link; /* in wsk_names.services */
    USHORT port;
    bool is_datagram;
    WCHAR text[NET_NAME_MAX];
};

static bool is_same(PCWSTR left, PCWSTR right)
{
    UNICODE_STRING left_string, right_string;
    RtlInitUnicodeString(&left_string, left);
    RtlInitUnicodeString(&right_string, right);
    return RtlEqualUnicodeString(&left_string, &right_string, TRUE);
}

static void copy_text(WCHAR to[NET_NAME_MAX], const WCHAR from[NET_NAME_MAX])
{
    RtlCopyMemory(to, from, NET_NAME_MAX * sizeof(WCHAR));
}

static bool is_same_host(const struct net_address *left, const struct net_address *right)
{
    return left->family == right->family && left->scope == right->scope &&
           memcmp(left->bytes, right->bytes, left->family == NET_IPV4 ? 4 : 16) == 0;
}

/* ---- finding ---- */

static struct name *find_name(struct wsk_names *names, PCWSTR text)
{
    for (LIST_ENTRY *entry = names->table.Flink; entry != &names->table; entry = entry->Flink) {
        struct name *name = CONTAINING_RECORD(entry, struct name, link);
        if (is_same(name->text, text)) {
            return name;
        }
    }
    return NULL;
}

enum wsk_verdict wsk_table_find(struct wsk_names *names, struct wsk_lookup *lookup)
{
    const struct name *name = find_name(names, lookup->node);
    if (name == NULL) {
        return WSK_NAME_UNKNOWN;
    }
    if (name->is_held) {
        return WSK_NAME_HELD;
    }
    lookup->status = name->count == 0 ? STATUS_NOT_FOUND : STATUS_SUCCESS;
    lookup->count = name->count;
    RtlCopyMemory(lookup->addresses, name->addresses, sizeof(name->addresses));
    copy_text(lookup->found_node, name->text);
    return WSK_NAME_KNOWN;
}

static bool has_address(const struct name *name, const struct net_address *address)
{
    for (ULONG i = 0; i < name->count; i++) {
        if (is_same_host(&name->addresses[i], address)) {
            return true;
        }
    }
    return false;
}

enum wsk_verdict wsk_table_find_address(struct wsk_names *names, struct wsk_lookup *lookup)
{
    for (LIST_ENTRY *entry = names->table.Flink; entry != &names->table; entry = entry->Flink) {
        const struct name *name = CONTAINING_RECORD(entry, struct name, link);
        if (!has_address(name, &lookup->address)) {
            continue;
        }
        if (name->is_held) {
            return WSK_NAME_HELD;
        }
        copy_text(lookup->found_node, name->text);
        lookup->has_name = true;
        return WSK_NAME_KNOWN;
    }
    return WSK_NAME_UNKNOWN;
}

enum wsk_verdict wsk_table_find_service(struct wsk_names *names, struct wsk_lookup *lookup)
{
    for (LIST_ENTRY *entry = names->services.Flink; entry != &names->services;
         entry = entry->Flink) {
        const struct service *service = CONTAINING_RECORD(entry, struct service, link);
        bool is_this = lookup->is_of_address ? service->port == lookup->port
                                             : is_same(service->text, lookup->service);
        if (is_this && service->is_datagram == (lookup->type == NET_DATAGRAM)) {
            lookup->port = service->port;
            copy_text(lookup->found_service, service->text);
            return WSK_NAME_KNOWN;
        }
    }
    return WSK_NAME_UNKNOWN;
}

/* ---- filling ---- */

/* The text of a test, in Windows' encoding. */
static NTSTATUS read_text(const char *utf8, WCHAR text[NET_NAME_MAX])
{
    ULONG bytes = 0;
    RtlZeroMemory(text, NET_NAME_MAX * sizeof(WCHAR));
    NTSTATUS status = RtlUTF8ToUnicodeN(text, (NET_NAME_MAX - 1) * sizeof(WCHAR), &bytes, utf8,
                                        (ULONG)strlen(utf8));
    return status == STATUS_SUCCESS && bytes != 0 ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* The name's entry, made if there is none; NULL when the host is out of memory. */
static struct name *obtain(struct wsk_names *names, const WCHAR text[NET_NAME_MAX])
{
    struct name *name = find_name(names, text);
    if (name != NULL) {
        return name;
    }
    name = calloc(1, sizeof(*name));
    if (name != NULL) {
        copy_text(name->text, text);
        InsertTailList(&names->table, &name->link);
    }
    return name;
}

static NTSTATUS add_address(struct name *name, const struct net_address *address)
{
    if (name == NULL || name->count == NET_RESOLVED_MAX) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (address != NULL) {
        name->addresses[name->count++] = *address;
    }
    return STATUS_SUCCESS;
}

NTSTATUS wsk_name_add(const char *utf8, const SOCKADDR *sockaddr)
{
    struct net_address address;
    WCHAR text[NET_NAME_MAX];
    NTSTATUS status = read_text(utf8, text);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (sockaddr != NULL && !wsk_address_from(sockaddr, &address)) {
        return STATUS_INVALID_PARAMETER;
    }
    struct wsk_names *names = wsk_names_lock();
    status = add_address(obtain(names, text), sockaddr != NULL ? &address : NULL);
    wsk_names_unlock(names);
    return status;
}

NTSTATUS wsk_name_hold(const char *utf8, bool is_held)
{
    WCHAR text[NET_NAME_MAX];
    NTSTATUS status = read_text(utf8, text);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    struct wsk_names *names = wsk_names_lock();
    struct name *name = is_held ? obtain(names, text) : find_name(names, text);
    if (name != NULL) {
        name->is_held = is_held;
    }
    wsk_names_unlock(names);
    if (name == NULL) {
        return is_held ? STATUS_INSUFFICIENT_RESOURCES : STATUS_NOT_FOUND;
    }
    wsk_lookups_resume();
    return STATUS_SUCCESS;
}

void wsk_name_release_all(void)
{
    struct wsk_names *names = wsk_names_lock();
    for (LIST_ENTRY *entry = names->table.Flink; entry != &names->table; entry = entry->Flink) {
        CONTAINING_RECORD(entry, struct name, link)->is_held = false;
    }
    wsk_names_unlock(names);
    wsk_lookups_resume();
}

NTSTATUS wsk_service_add(const char *utf8, USHORT port, bool is_datagram)
{
    struct service *service = calloc(1, sizeof(*service));
    if (service == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    NTSTATUS status = read_text(utf8, service->text);
    if (!NT_SUCCESS(status)) {
        free(service);
        return status;
    }
    service->port = port;
    service->is_datagram = is_datagram;
    struct wsk_names *names = wsk_names_lock();
    InsertTailList(&names->services, &service->link);
    wsk_names_unlock(names);
    return STATUS_SUCCESS;
}

void wsk_table_clear(struct wsk_names *names)
{
    while (!IsListEmpty(&names->table)) {
        free(CONTAINING_RECORD(RemoveHeadList(&names->table), struct name, link));
    }
    while (!IsListEmpty(&names->services)) {
        free(CONTAINING_RECORD(RemoveHeadList(&names->services), struct service, link));
    }
}

void wsk_name_clear(void)
{
    struct wsk_names *names = wsk_names_lock();
    wsk_table_clear(names);
    wsk_names_unlock(names);
    wsk_lookups_resume();
}
