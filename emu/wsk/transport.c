/*
 * The transports that WSK offers: the list, and telling of changes.
 *
 * A client's IRP of WSK_TRANSPORT_LIST_CHANGE stands in one list for all clients, until a change,
 * its cancel or the end of its client takes it out; whoever takes it out under the lock and gets
 * its cancel routine completes it. If that routine is on its way already, it does. A client that
 * ends while one of its calls adds an IRP is looked for again after it was added, so that none is
 * left behind. (WSK-CTL-21)
 */
#include "wsk/transport.h"

#include "wsk/registration.h"
#include "wsk/wsk.h"

/* IPv4 and IPv6 are a provider each, with several combinations. */
#define IPV4_PROVIDER                                                                              \
    {                                                                                              \
        0x5D3B1C80, 0x1E5A, 0x4C37,                                                                \
        {                                                                                          \
            0x8A, 0x42, 0xC6, 0x19, 0x77, 0x0D, 0xE2, 0x04                                         \
        }                                                                                          \
    }
#define IPV6_PROVIDER                                                                              \
    {                                                                                              \
        0x5D3B1C80, 0x1E5A, 0x4C37,                                                                \
        {                                                                                          \
            0x8A, 0x42, 0xC6, 0x19, 0x77, 0x0D, 0xE2, 0x06                                         \
        }                                                                                          \
    }

/*
 * Raw sockets take any protocol, which the list has no way to say: it names those that exist for
 * themselves, and IPPROTO_RAW.
 */
static const WSK_TRANSPORT at_boot[] = {
    {1, SOCK_STREAM, IPPROTO_TCP, AF_INET, IPV4_PROVIDER},
    {1, SOCK_DGRAM, IPPROTO_UDP, AF_INET, IPV4_PROVIDER},
    {1, SOCK_RAW, IPPROTO_ICMP, AF_INET, IPV4_PROVIDER},
    {1, SOCK_RAW, IPPROTO_IGMP, AF_INET, IPV4_PROVIDER},
    {1, SOCK_RAW, IPPROTO_RAW, AF_INET, IPV4_PROVIDER},
    {1, SOCK_STREAM, IPPROTO_TCP, AF_INET6, IPV6_PROVIDER},
    {1, SOCK_DGRAM, IPPROTO_UDP, AF_INET6, IPV6_PROVIDER},
    {1, SOCK_RAW, IPPROTO_ICMPV6, AF_INET6, IPV6_PROVIDER},
    {1, SOCK_RAW, IPPROTO_RAW, AF_INET6, IPV6_PROVIDER},
};

void wsk_transports_start(struct wsk_transports *transports)
{
    base_mutex_init(&transports->lock);
    RtlCopyMemory(transports->all, at_boot, sizeof(at_boot));
    transports->count = RTL_NUMBER_OF(at_boot);
    InitializeListHead(&transports->changes);
}

void wsk_transports_stop(struct wsk_transports *transports)
{
    base_mutex_destroy(&transports->lock);
}

static struct wsk_transports *lock(void)
{
    struct wsk_transports *transports = &wsk_state()->transports;
    base_mutex_lock(&transports->lock);
    return transports;
}

static void unlock(struct wsk_transports *transports)
{
    base_mutex_unlock(&transports->lock);
}

/* ---- the list ---- */

/* The lock is held. */
static WSK_TRANSPORT *find(struct wsk_transports *transports, ADDRESS_FAMILY family, USHORT type,
                           ULONG protocol)
{
    for (ULONG i = 0; i < transports->count; i++) {
        WSK_TRANSPORT *transport = &transports->all[i];
        if (transport->AddressFamily == family && transport->SocketType == type &&
            transport->Protocol == protocol) {
            return transport;
        }
    }
    return NULL;
}

NTSTATUS wsk_transport_query(PVOID buffer, SIZE_T bytes, SIZE_T *required)
{
    struct wsk_transports *transports = lock();
    *required = transports->count * sizeof(WSK_TRANSPORT);
    bool fits = buffer != NULL && bytes >= *required;
    if (fits) {
        RtlCopyMemory(buffer, transports->all, *required);
    }
    unlock(transports);
    return fits ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

NTSTATUS wsk_transport_add(const WSK_TRANSPORT *transport)
{
    struct wsk_transports *transports = lock();
    NTSTATUS status = STATUS_SUCCESS;
    if (find(transports, transport->AddressFamily, transport->SocketType, transport->Protocol) !=
        NULL) {
        status = STATUS_OBJECT_NAME_COLLISION;
    } else if (transports->count == WSK_TRANSPORTS_MAX) {
        status = STATUS_INSUFFICIENT_RESOURCES;
    } else {
        transports->all[transports->count++] = *transport;
    }
    unlock(transports);
    if (NT_SUCCESS(status)) {
        wsk_transport_report_change();
    }
    return status;
}

NTSTATUS wsk_transport_remove(ADDRESS_FAMILY family, USHORT type, ULONG protocol)
{
    struct wsk_transports *transports = lock();
    WSK_TRANSPORT *transport = find(transports, family, type, protocol);
    if (transport != NULL) {
        const WSK_TRANSPORT *end = &transports->all[transports->count--];
        RtlMoveMemory(transport, transport + 1, (SIZE_T)(end - transport - 1) * sizeof(*transport));
    }
    unlock(transports);
    if (transport == NULL) {
        return STATUS_NOT_FOUND;
    }
    wsk_transport_report_change();
    return STATUS_SUCCESS;
}

/* ---- changes ---- */

static PIRP irp_of(PLIST_ENTRY entry)
{
    return CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
}

static void complete(PIRP irp, NTSTATUS status)
{
    wsk_irp_complete_for_client(wsk_request_of(irp)->client, irp, status, 0);
}

static VOID cancel(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    IoReleaseCancelSpinLock(irp->CancelIrql);
    struct wsk_transports *transports = lock();
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
    unlock(transports);
    complete(irp, STATUS_CANCELLED);
}

/* Completes the pending IRPs of a client, or of all for NULL. */
static void complete_all(const struct wsk_client *client, NTSTATUS status)
{
    LIST_ENTRY taken;
    InitializeListHead(&taken);
    struct wsk_transports *transports = lock();
    PLIST_ENTRY entry = transports->changes.Flink;
    while (entry != &transports->changes) {
        PIRP irp = irp_of(entry);
        entry = entry->Flink;
        if ((client == NULL || wsk_request_of(irp)->client == client) &&
            IoSetCancelRoutine(irp, NULL) != NULL) {
            RemoveEntryList(&irp->Tail.Overlay.ListEntry);
            InsertTailList(&taken, &irp->Tail.Overlay.ListEntry);
        }
    }
    unlock(transports);
    while (!IsListEmpty(&taken)) {
        complete(irp_of(RemoveHeadList(&taken)), status);
    }
}

void wsk_transport_report_change(void)
{
    KIRQL irql;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    complete_all(NULL, STATUS_SUCCESS);
    KeLowerIrql(irql);
}

void wsk_client_end(struct wsk_client *client)
{
    complete_all(client, STATUS_CANCELLED);
}

static bool is_ending(const struct wsk_client *client)
{
    struct wsk_clients *clients = &wsk_state()->clients;
    base_mutex_lock(&clients->lock);
    bool answer = client->is_ending;
    base_mutex_unlock(&clients->lock);
    return answer;
}

NTSTATUS wsk_transport_await_change(struct wsk_client *client, PIRP irp)
{
    wsk_irp_take(irp);
    wsk_request_start(irp, NULL, WSK_OPERATION_RESULT, NULL, 0);
    wsk_request_of(irp)->client = client;
    wsk_client_hold_request(client);
    struct wsk_transports *transports = lock();
    InsertTailList(&transports->changes, &irp->Tail.Overlay.ListEntry);
    IoSetCancelRoutine(irp, cancel);
    bool is_cancelled = irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL;
    if (is_cancelled) {
        RemoveEntryList(&irp->Tail.Overlay.ListEntry);
    }
    unlock(transports);
    if (is_cancelled) {
        complete(irp, STATUS_CANCELLED);
    }
    if (is_ending(client)) {
        wsk_client_end(client);
    }
    return STATUS_PENDING;
}
