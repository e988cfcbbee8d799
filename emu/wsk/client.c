/*
 * Clients: what holds them and how they end.
 *
 * What this keeps true: all counts of all clients are guarded by one lock, so that "nothing holds
 * it" is one look. A client that ends through WskDeregister is waited for by that call (event
 * idle), which alone takes it off the list; one that ends through NMR is waited for by nobody: the
 * release that makes it idle says so to NMR, whose cleanup callback takes it off the list. A client
 * off the list is found by no function, and keeps its memory for a while.
 */
#include "wsk/client.h"

#include "base/log.h"
#include "base/stack.h"
#include "ke/bugcheck.h"
#include "verifier/rule.h"
#include "wsk/wsk.h"

#include <stdlib.h>

static struct wsk_clients *all_clients(void)
{
    return &wsk_state()->clients;
}

BOOLEAN wsk_client_is_supported(USHORT version)
{
    return version >= wsk_provider_versions.LowestVersion &&
           version <= wsk_provider_versions.HighestVersion;
}

struct wsk_client *wsk_client_create(const WSK_CLIENT_NPI *npi, const void *creator)
{
    struct wsk_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return NULL;
    }
    client->npi = *npi;
    client->dispatch = *npi->Dispatch;
    client->npi.Dispatch = &client->dispatch;
    client->given = npi->Dispatch;
    client->creator = creator;
    base_mutex_init(&client->lock);
    KeInitializeEvent(&client->ending, NotificationEvent, FALSE);
    KeInitializeEvent(&client->idle, NotificationEvent, FALSE);
    return client;
}

BOOLEAN wsk_client_is_idle(const struct wsk_client *client)
{
    BOOLEAN is_captured = client->registration != NULL && client->captures != 0;
    return !is_captured && client->sockets == 0 && client->requests == 0 && client->callers == 0;
}

static void client_free(struct wsk_client *client)
{
    base_mutex_destroy(&client->lock);
    free(client);
}

void wsk_client_bury(struct wsk_client *client)
{
    struct wsk_clients *clients = all_clients();
    struct wsk_client **grave = &clients->grave[clients->next_grave++ % WSK_CLIENT_GRAVES];
    RemoveEntryList(&client->link);
    client->captures = 0;
    if (*grave != NULL) {
        client_free(*grave);
    }
    *grave = client;
}

void wsk_client_note_release(struct wsk_client *client)
{
    if (!client->is_ending || !wsk_client_is_idle(client)) {
        return;
    }
    KeSetEvent(&client->idle, IO_NO_INCREMENT, FALSE);
    if (client->is_orphan) {
        wsk_client_bury(client);
    }
}

static void hold(ULONG *count)
{
    base_mutex_lock(&all_clients()->lock);
    ++*count;
    base_mutex_unlock(&all_clients()->lock);
}

static void release(struct wsk_client *client, ULONG *count)
{
    struct wsk_clients *clients = all_clients();
    HANDLE detached = NULL;
    base_mutex_lock(&clients->lock);
    --*count;
    if (client->is_awaited && wsk_client_is_idle(client)) {
        client->is_awaited = FALSE;
        detached = client->binding;
    }
    wsk_client_note_release(client);
    base_mutex_unlock(&clients->lock);
    if (detached != NULL) {
        NmrProviderDetachClientComplete(detached);
    }
}

void wsk_client_hold_socket(struct wsk_client *client)
{
    base_mutex_lock(&client->lock);
    client->has_had_sockets = TRUE;
    base_mutex_unlock(&client->lock);
    hold(&client->sockets);
}

void wsk_client_release_socket(struct wsk_client *client)
{
    release(client, &client->sockets);
}

void wsk_client_hold_request(struct wsk_client *client)
{
    hold(&client->requests);
}

void wsk_client_release_request(struct wsk_client *client)
{
    release(client, &client->requests);
}

static BOOLEAN is_listed(const struct wsk_clients *clients, const struct wsk_client *client)
{
    for (const LIST_ENTRY *entry = clients->all.Flink; entry != &clients->all;
         entry = entry->Flink) {
        if (entry == &client->link) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Whether it was a client that NMR attached, and has detached. */
static BOOLEAN was_detached(const struct wsk_clients *clients, const struct wsk_client *client)
{
    for (unsigned i = 0; i < WSK_CLIENT_GRAVES; i++) {
        if (client != NULL && clients->grave[i] == client) {
            return client->registration == NULL;
        }
    }
    return FALSE;
}

struct wsk_client *wsk_client_enter(PWSK_CLIENT client)
{
    return wsk_client_enter_by(client, "WSK-REG-25");
}

struct wsk_client *wsk_client_enter_by(PWSK_CLIENT Client, const char *own_rule)
{
    struct wsk_client *client = Client;
    struct wsk_clients *clients = all_clients();
    base_mutex_lock(&clients->lock);
    BOOLEAN is_known = is_listed(clients, client);
    BOOLEAN is_captured = is_known && client->captures != 0;
    const char *rule = !is_known && was_detached(clients, client) ? "NMR-52" : own_rule;
    if (is_captured) {
        client->requests++;
    }
    base_mutex_unlock(&clients->lock);
    if (!is_captured) {
        ke_bugcheck(
            DRIVER_VERIFIER_DETECTED_VIOLATION, WSK_VIOLATION, (ULONG_PTR)client, 0, 0, rule,
            "The driver called a function of WSK_PROVIDER_DISPATCH with the client %p, %s.", Client,
            is_known ? "after it had released the provider"
                     : "which is none, or was deregistered or detached");
    }
    return client;
}

static void report_client(const struct wsk_client *client)
{
    if (client->binding != NULL) {
        base_log("left: WSK client, attached through NMR (binding %p) and never detached, with %u "
                 "sockets and %u requests\n",
                 client->binding, client->sockets, client->requests);
        return;
    }
    verifier_rule_speak("WSK-REG-45");
    base_log("left: WSK registration %p, never deregistered (WSK-REG-45), with %u captures, %u "
             "sockets and %u requests, made by %s\n",
             (void *)client->registration, client->captures, client->sockets, client->requests,
             base_stack_site(client->creator).text);
}

unsigned wsk_clients_report(struct wsk_clients *clients)
{
    unsigned left = 0;
    for (LIST_ENTRY *entry = clients->all.Flink; entry != &clients->all; entry = entry->Flink) {
        report_client(CONTAINING_RECORD(entry, struct wsk_client, link));
        left++;
    }
    return left;
}

NTSTATUS wsk_clients_start(struct wsk_clients *clients)
{
    base_mutex_init(&clients->lock);
    InitializeListHead(&clients->all);
    KeInitializeEvent(&clients->ready, NotificationEvent, TRUE);
    clients->is_ready = TRUE;
    return wsk_binding_register(&clients->provider);
}

void wsk_clients_stop(struct wsk_clients *clients)
{
    while (!IsListEmpty(&clients->all)) {
        client_free(CONTAINING_RECORD(RemoveHeadList(&clients->all), struct wsk_client, link));
    }
    for (unsigned i = 0; i < WSK_CLIENT_GRAVES; i++) {
        if (clients->grave[i] != NULL) {
            client_free(clients->grave[i]);
        }
    }
    base_mutex_destroy(&clients->lock);
}
