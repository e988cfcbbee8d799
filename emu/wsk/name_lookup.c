/*
 * A lookup while it runs.
 *
 * It asks the table, then the host for what the table does not know. While it is pending it is in
 * wsk_names.lookups and its IRP can be cancelled; wsk_names.lock guards it. Who ends it takes the
 * IRP's cancel routine away first. If that is on its way already, the lookup is left to it.
 *
 * The host's request cannot be ended, only abandoned: then net calls back no more, unless it is
 * just about to. In that case the cancel routine completes the IRP and leaves the lookup, without
 * an IRP, for the call from net to free.
 */
#include "rtl/encoding.h"
#include "wsk/wsk.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of UTF-8 that a name may take, with a null. */
#define UTF8_MAX (NET_NAME_MAX * 3)

/* ---- the end ---- */

/* Completes the IRP and frees the lookup, which is in no list. The lock is not held. The status
 * stands in Information too, as the pages say. (WSK-NAME-25) */
static void complete(struct wsk_lookup *lookup)
{
    NTSTATUS status = lookup->status;
    if (NT_SUCCESS(status)) {
        status = lookup->answer(lookup);
    }
    struct wsk_client *client = lookup->client;
    PIRP irp = lookup->irp;
    free(lookup);
    wsk_irp_complete_for_client(client, irp, status, (ULONG)status);
}

static struct wsk_lookup *lookup_of(PIRP irp)
{
    return IoGetCurrentIrpStackLocation(irp)->Parameters.Others.Argument1;
}

/* Completes a cancelled lookup, which is in no list. The lock is held on entry, not on return. */
static void complete_cancelled(struct wsk_names *names, struct wsk_lookup *lookup)
{
    struct wsk_client *client = lookup->client;
    PIRP irp = lookup->irp;
    bool is_known = lookup->host != NULL && !net_lookup_abandon(lookup->host);
    lookup->irp = NULL;
    wsk_names_unlock(names);
    if (!is_known) {
        free(lookup);
    }
    wsk_irp_complete_for_client(client, irp, STATUS_CANCELLED, (ULONG)STATUS_CANCELLED);
}

static VOID cancel(PDEVICE_OBJECT device, PIRP irp)
{
    struct wsk_lookup *lookup = lookup_of(irp);
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    struct wsk_names *names = wsk_names_lock();
    RemoveEntryList(&lookup->link);
    complete_cancelled(names, lookup);
}

/* Whether the lookup may be completed; it is in no list then. The lock is held. */
static bool take(struct wsk_lookup *lookup)
{
    if (IoSetCancelRoutine(lookup->irp, NULL) == NULL) {
        return false;
    }
    RemoveEntryList(&lookup->link);
    return true;
}

/* ---- the host ---- */

static void copy_utf8(WCHAR to[NET_NAME_MAX], const char *from)
{
    ULONG bytes;
    if (from[0] == '\0') {
        return;
    }
    RtlZeroMemory(to, NET_NAME_MAX * sizeof(WCHAR));
    rtl_utf8_to_wide(to, (NET_NAME_MAX - 1) * sizeof(WCHAR), &bytes, from, (ULONG)strlen(from));
}

static void take_addresses(struct wsk_lookup *lookup, const struct net_resolved *resolved)
{
    if (resolved->count != 0 && lookup->wants_service) {
        lookup->port = resolved->addresses[0].port;
    }
    if (!lookup->wants_node) {
        return;
    }
    lookup->count = resolved->count;
    RtlCopyMemory(lookup->addresses, resolved->addresses,
                  resolved->count * sizeof(resolved->addresses[0]));
    copy_utf8(lookup->found_node, resolved->name);
}

/* The host answers with digits where it has no name. */
static void take_names(struct wsk_lookup *lookup, const struct net_resolved *resolved)
{
    WCHAR name[NET_NAME_MAX] = {0};
    struct net_address digits;
    copy_utf8(name, resolved->name);
    if (lookup->wants_node && name[0] != L'\0' && !wsk_name_is_address(name, &digits)) {
        RtlCopyMemory(lookup->found_node, name, sizeof(name));
        lookup->has_name = true;
    }
    if (lookup->wants_service) {
        copy_utf8(lookup->found_service, resolved->service);
    }
}

/* A name server that does not answer leaves a name as unknown as one that does not know it. An
 * address without a name is no error here: it has its digits. */
static void take_host_answer(struct wsk_lookup *lookup, const struct net_resolved *resolved)
{
    bool is_unknown = resolved->error == NET_NOT_FOUND || resolved->error == NET_TIMED_OUT;
    if (resolved->error != NET_OK && !(is_unknown && lookup->is_of_address)) {
        lookup->status = is_unknown ? STATUS_NOT_FOUND : wsk_status(resolved->error);
    } else if (resolved->error == NET_OK && lookup->is_of_address) {
        take_names(lookup, resolved);
    } else if (resolved->error == NET_OK) {
        take_addresses(lookup, resolved);
    }
}

static void on_resolved(void *context, const struct net_resolved *resolved)
{
    struct wsk_lookup *lookup = context;
    struct wsk_names *names = wsk_names_lock();
    lookup->host = NULL;
    bool is_cancelled = lookup->irp == NULL;
    bool is_mine = !is_cancelled && take(lookup);
    wsk_names_unlock(names);
    if (is_cancelled) {
        free(lookup);
    }
    if (is_mine) {
        take_host_answer(lookup, resolved);
        complete(lookup);
    }
}

/* The text in UTF-8, or NULL for what is not wanted. PASSIVE_LEVEL. */
static const char *host_text(bool is_wanted, PCWSTR text, char utf8[UTF8_MAX])
{
    UNICODE_STRING string;
    ULONG bytes = 0;
    if (!is_wanted) {
        return NULL;
    }
    RtlInitUnicodeString(&string, text);
    RtlUnicodeToUTF8N(utf8, UTF8_MAX - 1, &bytes, string.Buffer, string.Length);
    utf8[bytes] = '\0';
    return utf8;
}

/* Where only the service counts, an address will do whose name the host has at hand. */
static struct net_address address_for_host(const struct wsk_lookup *lookup)
{
    struct net_address address = {.family = NET_IPV4, .bytes = {127, 0, 0, 1}};
    if (lookup->wants_node) {
        address = lookup->address;
    }
    address.port = lookup->port;
    return address;
}

static enum net_error ask_host(struct wsk_lookup *lookup)
{
    char node[UTF8_MAX];
    char service[UTF8_MAX];
    if (lookup->is_of_address) {
        struct net_address address = address_for_host(lookup);
        return net_resolve_address(wsk_net(), &address, lookup->type == NET_DATAGRAM, on_resolved,
                                   lookup, &lookup->host);
    }
    return net_resolve(wsk_net(), host_text(lookup->wants_node, lookup->node, node),
                       host_text(lookup->wants_service, lookup->service, service), lookup->type,
                       lookup->wants_node ? lookup->family : 0, on_resolved, lookup, &lookup->host);
}

/* ---- the beginning ---- */

/* Whether a name is held back. The lock is held. */
static bool ask_table(struct wsk_names *names, struct wsk_lookup *lookup)
{
    if (lookup->wants_node) {
        enum wsk_verdict verdict = lookup->is_of_address ? wsk_table_find_address(names, lookup)
                                                         : wsk_table_find(names, lookup);
        if (verdict == WSK_NAME_HELD) {
            return true;
        }
        lookup->wants_node = verdict == WSK_NAME_UNKNOWN;
    }
    if (lookup->wants_service) {
        lookup->wants_service = wsk_table_find_service(names, lookup) == WSK_NAME_UNKNOWN;
    }
    return false;
}

/* Whether the answer stands; else it waits. The lock is held. */
static bool go_on(struct wsk_names *names, struct wsk_lookup *lookup)
{
    lookup->is_held = ask_table(names, lookup);
    if (lookup->is_held) {
        return false;
    }
    if (!NT_SUCCESS(lookup->status) || (!lookup->wants_node && !lookup->wants_service)) {
        return true;
    }
    enum net_error error = ask_host(lookup);
    if (error != NET_AGAIN) {
        lookup->status = wsk_status(error);
    }
    return error != NET_AGAIN;
}

/* Makes the lookup wait; whether it is cancelled already, and waits no more. The lock is held. */
static bool wait(struct wsk_names *names, struct wsk_lookup *lookup)
{
    PIRP irp = lookup->irp;
    InsertTailList(&names->lookups, &lookup->link);
    IoSetCancelRoutine(irp, cancel);
    return irp->Cancel && take(lookup);
}

NTSTATUS wsk_lookup_run(NTSTATUS status, struct wsk_lookup *lookup, struct wsk_client *client,
                        PIRP irp)
{
    if (!NT_SUCCESS(status)) {
        free(lookup);
        return wsk_irp_refuse(irp, status);
    }
    wsk_irp_take(irp);
    IoGetCurrentIrpStackLocation(irp)->Parameters.Others.Argument1 = lookup;
    wsk_client_hold_request(client);
    lookup->client = client;
    lookup->irp = irp;
    struct wsk_names *names = wsk_names_lock();
    bool is_ended = go_on(names, lookup);
    if (!is_ended && wait(names, lookup)) {
        complete_cancelled(names, lookup);
        return STATUS_PENDING;
    }
    wsk_names_unlock(names);
    if (is_ended) {
        complete(lookup);
    }
    return STATUS_PENDING;
}

/* Goes on with what is no longer held back; the ended ones go to that list. */
static void resume(struct wsk_names *names, LIST_ENTRY *ended)
{
    LIST_ENTRY *entry = names->lookups.Flink;
    while (entry != &names->lookups) {
        struct wsk_lookup *lookup = CONTAINING_RECORD(entry, struct wsk_lookup, link);
        entry = entry->Flink;
        if (lookup->is_held && go_on(names, lookup) && take(lookup)) {
            InsertTailList(ended, &lookup->link);
        }
    }
}

void wsk_lookups_resume(void)
{
    LIST_ENTRY ended;
    KIRQL irql;
    InitializeListHead(&ended);
    struct wsk_names *names = wsk_names_lock();
    resume(names, &ended);
    wsk_names_unlock(names);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    while (!IsListEmpty(&ended)) {
        complete(CONTAINING_RECORD(RemoveHeadList(&ended), struct wsk_lookup, link));
    }
    KeLowerIrql(irql);
}

/* ---- the module ---- */

void wsk_names_start(struct wsk_names *names)
{
    base_mutex_init(&names->lock);
    InitializeListHead(&names->table);
    InitializeListHead(&names->services);
    InitializeListHead(&names->lookups);
    InitializeListHead(&names->results);
}

unsigned wsk_names_report(struct wsk_names *names)
{
    return wsk_results_report(names); /* a pending lookup is counted with its client */
}

/* The network is gone, and with it the host's requests. */
void wsk_names_stop(struct wsk_names *names)
{
    while (!IsListEmpty(&names->lookups)) {
        free(CONTAINING_RECORD(RemoveHeadList(&names->lookups), struct wsk_lookup, link));
    }
    wsk_table_clear(names);
    wsk_results_stop(names);
    base_mutex_destroy(&names->lock);
}
