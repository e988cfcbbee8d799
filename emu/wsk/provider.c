/* The provider: its table, making sockets, start and stop. */
#include "base/log.h"
#include "ke/limit.h"
#include "trace/trace.h"
#include "verifier/rule.h"
#include "wsk/extension.h"
#include "wsk/indication.h"
#include "wsk/misuse.h"
#include "wsk/unload.h"
#include "wsk/watch.h"
#include "wsk/wsk.h"

#include <stdlib.h>

CONST NPIID NPI_WSK_INTERFACE_ID = {
    0x2227E803, 0x8D8B, 0x11D4, {0xAB, 0xAD, 0x00, 0x90, 0x27, 0x71, 0x9E, 0x09}};

/* Whether a socket type and protocol belong to a category. (WSK-SOCK-32 to WSK-SOCK-36) */
static bool is_combination(ULONG category, USHORT type, ULONG protocol)
{
    bool is_tcp = type == SOCK_STREAM && protocol == IPPROTO_TCP;
    bool is_udp = type == SOCK_DGRAM && protocol == IPPROTO_UDP;
    bool is_raw = type == SOCK_RAW && protocol <= 255;
    switch (category) {
    case WSK_FLAG_BASIC_SOCKET:
        return is_tcp || is_udp || is_raw;
    case WSK_FLAG_DATAGRAM_SOCKET:
        return is_udp || is_raw;
    case WSK_FLAG_LISTEN_SOCKET:
        return is_tcp || is_udp; /* of UDP it can be made, not bound, as on Windows */
    default:
        return is_tcp;
    }
}

NTSTATUS wsk_socket_check(const struct wsk_socket_request *request)
{
    switch (request->category) {
    case WSK_FLAG_BASIC_SOCKET:
    case WSK_FLAG_LISTEN_SOCKET:
    case WSK_FLAG_CONNECTION_SOCKET:
    case WSK_FLAG_DATAGRAM_SOCKET:
    case WSK_FLAG_STREAM_SOCKET:
        break;
    default:
        return STATUS_INVALID_PARAMETER;
    }
    if ((request->family != AF_INET && request->family != AF_INET6) ||
        !is_combination(request->category, request->type, request->protocol)) {
        return STATUS_NOT_SUPPORTED;
    }
    return STATUS_SUCCESS;
}

static void warn_of_category(const struct wsk_socket_request *request)
{
    ULONG flags = request->category & (WSK_FLAG_LISTEN_SOCKET | WSK_FLAG_CONNECTION_SOCKET |
                                       WSK_FLAG_DATAGRAM_SOCKET | WSK_FLAG_STREAM_SOCKET);
    if ((flags & (flags - 1)) != 0) {
        wsk_misuse("WSK-SOCK-08", "WskSocket", "client", request->client,
                   "with the flags of more than one category");
    }
}

static NTSTATUS make_socket(const struct wsk_socket_request *request, PIRP irp)
{
    struct wsk_socket *socket;
    NTSTATUS status = wsk_socket_check(request);
    warn_of_category(request);
    if (NT_SUCCESS(status)) {
        status = wsk_socket_open(request, &socket);
    }
    if (!NT_SUCCESS(status)) {
        return wsk_irp_refuse(irp, status);
    }
    wsk_irp_take(irp);
    wsk_irp_complete(socket, irp, STATUS_SUCCESS, (ULONG_PTR)&socket->public);
    return STATUS_PENDING;
}

/*
 * Makes a socket. Information: the socket. STATUS_INVALID_HANDLE without a client and
 * STATUS_INVALID_PARAMETER without an IRP leave the IRP alone. <= DISPATCH_LEVEL. (WSK-SOCK)
 */
NTSTATUS WSKAPI wsk_socket(PWSK_CLIENT Client, ADDRESS_FAMILY AddressFamily, USHORT SocketType,
                           ULONG Protocol, ULONG Flags, PVOID SocketContext, CONST VOID *Dispatch,
                           PEPROCESS OwningProcess, PETHREAD OwningThread,
                           PSECURITY_DESCRIPTOR SecurityDescriptor, PIRP Irp)
{
    ke_limit_at_most(DISPATCH_LEVEL, "WskSocket");
    trace_call("WskSocket", Client, Irp);
    if (Client == NULL) {
        return STATUS_INVALID_HANDLE;
    }
    if (Irp == NULL) {
        wsk_misuse_no_irp("WskSocket", "client", Client);
        return STATUS_INVALID_PARAMETER;
    }
    struct wsk_socket_request request = {.client = wsk_client_enter(Client),
                                         .family = AddressFamily,
                                         .type = SocketType,
                                         .protocol = Protocol,
                                         .category = Flags,
                                         .context = SocketContext,
                                         .dispatch = Dispatch,
                                         .process = OwningProcess,
                                         .thread = OwningThread,
                                         .security = SecurityDescriptor,
                                         .creator = _ReturnAddress(),
                                         .rules = &wsk_socket_rules};
    NTSTATUS status = make_socket(&request, Irp);
    wsk_client_release_request(request.client);
    return status;
}

WSK_PROVIDER_DISPATCH wsk_provider_dispatch = {
    .Version = MAKE_WSK_VERSION(1, 0),
    .WskSocket = wsk_socket,
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
    InitializeListHead(&wsk->sockets);
    wsk->drawn = ke_kernel()->policy.seed;
    wsk_outlook_start(wsk);
    wsk_requests_start(wsk);
    wsk_holders_start();
    wsk_transports_start(&wsk->transports);
    wsk_securities_start(&wsk->securities);
    wsk_shares_start(&wsk->shares);
    wsk_names_start(&wsk->names);
    wsk_indications_start(wsk);
    wsk_datagrams_start(wsk);
    wsk_watches_start(wsk);
    wsk_unload_start();
    NTSTATUS status = wsk_clients_start(&wsk->clients);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    return wsk_status(net_open(&wsk->net, ke_kernel()->policy.loops, ke_kernel()->pollers));
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

static unsigned report_sockets(const struct wsk_state *wsk)
{
    unsigned left = 0;
    for (LIST_ENTRY *entry = wsk->sockets.Flink; entry != &wsk->sockets; entry = entry->Flink) {
        const struct wsk_socket *socket = CONTAINING_RECORD(entry, struct wsk_socket, link);
        verifier_rule_speak("WSK-CLOSE-19");
        base_log("left: WSK socket %p, not closed (WSK-CLOSE-19)\n", (const void *)&socket->public);
        left++;
    }
    return left;
}

static unsigned report(void *state)
{
    struct wsk_state *wsk = state;
    return report_sockets(wsk) + wsk_indications_report(wsk) + wsk_datagrams_report(wsk) +
           wsk_clients_report(&wsk->clients) + wsk_securities_report(&wsk->securities) +
           wsk_names_report(&wsk->names);
}

/* Closes the host's side of the sockets that a driver left open, so that the network can go. */
static void close_left(struct wsk_state *wsk)
{
    LIST_ENTRY *entry = wsk->sockets.Flink;
    while (entry != &wsk->sockets) {
        struct wsk_socket *socket = CONTAINING_RECORD(entry, struct wsk_socket, link);
        entry = entry->Flink;
        struct net_socket *net = socket->net;
        socket->net = NULL; /* a listener that closes now discards the connections that wait */
        if (net != NULL) {
            net_close(net, true);
        }
    }
}

/* Frees the sockets that were left open; the drivers are gone, so their IRPs are not completed. */
static void free_left(struct wsk_state *wsk)
{
    while (!IsListEmpty(&wsk->sockets)) {
        struct wsk_socket *socket =
            CONTAINING_RECORD(RemoveHeadList(&wsk->sockets), struct wsk_socket, link);
        wsk_socket_abandon(socket);
    }
}

static void stop(void *state)
{
    struct wsk_state *wsk = state;
    close_left(wsk);
    net_destroy(wsk->net);
    free_left(wsk);
    wsk_indications_stop(wsk);
    wsk_datagrams_stop(wsk);
    wsk_clients_stop(&wsk->clients);
    wsk_shares_stop(&wsk->shares);
    wsk_names_stop(&wsk->names);
    wsk_securities_stop(&wsk->securities);
    wsk_transports_stop(&wsk->transports);
    wsk_extensions_stop(wsk);
    wsk_graves_stop(wsk);
    wsk_watches_stop(wsk);
    base_mutex_destroy(&wsk->lock);
}

const struct ke_module wsk_module = {
    .name = "WSK",
    .state_bytes = sizeof(struct wsk_state),
    .start = start,
    .report = report,
    .stop = stop,
};
