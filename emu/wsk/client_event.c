/* WskClientEvent: events of a client itself. None is defined yet, so only testers raise one. */
#include "ke/callback.h"
#include "ke/warning.h"
#include "wsk/memory.h"
#include "wsk/wsk.h"

/* The client of that entry, held by a request, or NULL at the list's end. The lock is held. */
static struct wsk_client *hold_entry(struct wsk_clients *clients, LIST_ENTRY *entry)
{
    if (entry == &clients->all) {
        return NULL;
    }
    struct wsk_client *client = CONTAINING_RECORD(entry, struct wsk_client, link);
    client->requests++;
    return client;
}

/* The client behind this one, which stays listed because it is held; NULL: the first. */
static struct wsk_client *next_client(struct wsk_client *client)
{
    struct wsk_clients *clients = &wsk_state()->clients;
    base_mutex_lock(&clients->lock);
    struct wsk_client *next =
        hold_entry(clients, client == NULL ? clients->all.Flink : client->link.Flink);
    base_mutex_unlock(&clients->lock);
    return next;
}

static BOOLEAN is_ending(const struct wsk_client *client)
{
    struct wsk_clients *clients = &wsk_state()->clients;
    base_mutex_lock(&clients->lock);
    BOOLEAN is_ending = client->is_ending;
    base_mutex_unlock(&clients->lock);
    return is_ending;
}

static void call_routine(const struct wsk_client *client, ULONG event_type, PVOID information,
                         SIZE_T information_length)
{
    PFN_WSK_CLIENT_EVENT routine = client->dispatch.WskClientEvent;
    struct ke_callback callback;
    if (routine == NULL || is_ending(client)) {
        return;
    }
    struct wsk_loan loan;
    wsk_loan_begin(&loan, information, information_length, "information of an event", "WSK-EVT-70");
    ke_callback_enter(&callback, "WskClientEvent", (void *)(ULONG_PTR)routine);
    NTSTATUS status = routine(client->npi.ClientContext, event_type, loan.copy, information_length);
    ke_callback_leave_with(&callback, status);
    wsk_loan_end(&loan, (const void *)(ULONG_PTR)routine);
    if (status != STATUS_NOT_IMPLEMENTED) {
        ke_callback_warn_of_status("WSK-EVT-69", "WskClientEvent", (const void *)(ULONG_PTR)routine,
                                   status, "it cannot know the event");
    }
}

void wsk_client_event(ULONG event_type, PVOID information, SIZE_T information_length)
{
    struct wsk_client *client = next_client(NULL);
    while (client != NULL) {
        call_routine(client, event_type, information, information_length);
        struct wsk_client *next = next_client(client);
        wsk_client_release_request(client);
        client = next;
    }
}
