#include "base/log.h"
#include "wsk/missing.h"
#include "wsk/wsk.h"

#include <stdlib.h>

/* The provider: its dispatch table, and making sockets. */

CONST NPIID NPI_WSK_INTERFACE_ID = {
    0x2227E803, 0x8D8B, 0x11D4, {0xAB, 0xAD, 0x00, 0x90, 0x27, 0x71, 0x9E, 0x09}};

static enum net_family net_family_of(ADDRESS_FAMILY family)
{
    return family == AF_INET ? NET_IPV4 : NET_IPV6;
}

static NTSTATUS open_socket(struct wsk_client *client, ADDRESS_FAMILY family, ULONG flags,
                            PVOID context, struct wsk_socket **socket)
{
    struct wsk_state *wsk = ke_state(KE_MODULE_WSK);
    const VOID *dispatch = flags == WSK_FLAG_LISTEN_SOCKET ? (const VOID *)&wsk_listen_dispatch
                                                           : (const VOID *)&wsk_connection_dispatch;
    if ((family != AF_INET && family != AF_INET6) ||
        (flags != WSK_FLAG_LISTEN_SOCKET && flags != WSK_FLAG_CONNECTION_SOCKET)) {
        return STATUS_NOT_SUPPORTED;
    }
    NTSTATUS status = wsk_socket_create(client, family, dispatch, context, socket);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    enum net_error error = net_socket_open(wsk->net, net_family_of(family), NET_STREAM,
                                           &wsk_socket_callbacks, *socket, &(*socket)->net);
    if (error != NET_OK) {
        wsk_socket_dereference(*socket);
    }
    return wsk_status(error);
}

static NTSTATUS WSKAPI create_socket(PWSK_CLIENT Client, ADDRESS_FAMILY AddressFamily,
                                     USHORT SocketType, ULONG Protocol, ULONG Flags,
                                     PVOID SocketContext, CONST VOID *Dispatch,
                                     PEPROCESS OwningProcess, PETHREAD OwningThread,
                                     PSECURITY_DESCRIPTOR SecurityDescriptor, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Dispatch);
    UNREFERENCED_PARAMETER(OwningProcess);
    UNREFERENCED_PARAMETER(OwningThread);
    UNREFERENCED_PARAMETER(SecurityDescriptor);
    if (Client == NULL) {
        return STATUS_INVALID_HANDLE;
    }
    if (Irp == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    if (SocketType != SOCK_STREAM || (Protocol != IPPROTO_TCP && Protocol != 0)) {
        return wsk_irp_refuse(Irp, STATUS_NOT_SUPPORTED);
    }
    struct wsk_socket *socket;
    NTSTATUS status = open_socket(Client, AddressFamily, Flags, SocketContext, &socket);
    if (!NT_SUCCESS(status)) {
        return wsk_irp_refuse(Irp, status);
    }
    return wsk_irp_finish(Irp, STATUS_SUCCESS, (ULONG_PTR)&socket->public);
}

const WSK_PROVIDER_DISPATCH wsk_provider_dispatch = {
    .Version = MAKE_WSK_VERSION(1, 0),
    .WskSocket = create_socket,
    .WskSocketConnect = wsk_socket_connect,
    .WskControlClient = wsk_control_client,
    .WskGetAddressInfo = wsk_get_address_info,
    .WskFreeAddressInfo = wsk_free_address_info,
    .WskGetNameInfo = wsk_get_name_info,
};

static NTSTATUS start(void *state)
{
    struct wsk_state *wsk = state;
    base_mutex_init(&wsk->lock);
    InitializeListHead(&wsk->clients);
    InitializeListHead(&wsk->sockets);
    return wsk_status(net_open(&wsk->net, &ke_kernel()->poller));
}

void wsk_list_insert(LIST_ENTRY *list, LIST_ENTRY *link)
{
    base_mutex_lock(&wsk_state()->lock);
    InsertTailList(list, link);
    base_mutex_unlock(&wsk_state()->lock);
}

void wsk_list_remove(LIST_ENTRY *link)
{
    base_mutex_lock(&wsk_state()->lock);
    RemoveEntryList(link);
    base_mutex_unlock(&wsk_state()->lock);
}

static unsigned report_list(const LIST_ENTRY *list, const char *what)
{
    unsigned left = 0;
    for (const LIST_ENTRY *entry = list->Flink; entry != list; entry = entry->Flink) {
        base_log("left: %s %p\n", what, (const void *)entry);
        left++;
    }
    return left;
}

static unsigned report(void *state)
{
    const struct wsk_state *wsk = state;
    return report_list(&wsk->sockets, "WSK socket, not closed,") +
           report_list(&wsk->clients, "WSK registration, not deregistered,");
}

/* Closes what a driver left open, so that the network can go. */
static void stop(void *state)
{
    struct wsk_state *wsk = state;
    LIST_ENTRY *entry = wsk->sockets.Flink;
    while (entry != &wsk->sockets) {
        struct wsk_socket *socket = CONTAINING_RECORD(entry, struct wsk_socket, link);
        entry = entry->Flink;
        net_close(socket->net, true);
    }
    net_destroy(wsk->net);
    while (!IsListEmpty(&wsk->clients)) {
        free(CONTAINING_RECORD(RemoveHeadList(&wsk->clients), struct wsk_client, link));
    }
    base_mutex_destroy(&wsk->lock);
}

const struct ke_module wsk_module = {
    .name = "WSK",
    .state_bytes = sizeof(struct wsk_state),
    .start = start,
    .report = report,
    .stop = stop,
};
