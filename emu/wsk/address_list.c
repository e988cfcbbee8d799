/*
 * The list of the machine's addresses: asking for it, sorting it, waiting until it changes.
 *
 * Who waits stands in the control queue of his socket. A change is told to all sockets: their list
 * is guarded by a lock that comes after theirs, so a socket whose lock is not free is left for
 * another round. A socket on the list lives as long as that lock is held.
 */
#include "wsk/control.h"
#include "wsk/wsk.h"

#include <stdlib.h>

/* ---- asking ---- */

static SIZE_T address_bytes(ADDRESS_FAMILY family)
{
    return family == AF_INET ? sizeof(SOCKADDR_IN) : sizeof(SOCKADDR_IN6);
}

/* All addresses of a family, in memory that the caller frees. */
static NTSTATUS host_addresses(ADDRESS_FAMILY family, struct net_address **out, unsigned *count)
{
    unsigned room = 0;
    *out = NULL;
    for (;;) {
        unsigned total;
        enum net_error error = net_host_addresses(wsk_net_family(family), *out, room, &total);
        if (error == NET_OK && total <= room) {
            *count = total;
            return STATUS_SUCCESS;
        }
        free(*out);
        *out = NULL;
        if (error != NET_OK) {
            return wsk_status(error);
        }
        room = total;
        *out = calloc(room, sizeof(**out));
        if (*out == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    }
}

/* The list, and behind it the addresses that it points to. */
static NTSTATUS store_list(struct wsk_control *control, const struct net_address *addresses,
                           unsigned count)
{
    SIZE_T each = address_bytes(control->socket->family);
    SOCKET_ADDRESS_LIST *list = control->output;
    control->stored = SIZEOF_SOCKET_ADDRESS_LIST(count) + count * each;
    if (list == NULL || control->output_bytes < control->stored) {
        return STATUS_BUFFER_OVERFLOW;
    }
    UCHAR *next = (UCHAR *)list + SIZEOF_SOCKET_ADDRESS_LIST(count);
    list->iAddressCount = (INT)count;
    for (unsigned i = 0; i < count; i++) {
        list->Address[i].lpSockaddr = (LPSOCKADDR)(PVOID)next;
        list->Address[i].iSockaddrLength = (INT)each;
        wsk_address_to(&addresses[i], list->Address[i].lpSockaddr);
        next += each;
    }
    return STATUS_SUCCESS;
}

NTSTATUS wsk_address_list_query(struct wsk_control *control, const struct wsk_control_row *row)
{
    struct net_address *addresses;
    unsigned count = 0;
    UNREFERENCED_PARAMETER(row);
    NTSTATUS status = host_addresses(control->socket->family, &addresses, &count);
    if (NT_SUCCESS(status)) {
        status = store_list(control, addresses, count);
        free(addresses);
    }
    return wsk_control_end(control, status);
}

/* ---- sorting ---- */

/* How much an address is preferred, by its longest prefix: RFC 6724, section 2.1. */
struct precedence {
    UCHAR prefix[16];
    UCHAR bits;
    UCHAR value;
};

static const struct precedence precedences[] = {
    {{[15] = 1}, 128, 50},  {{[10] = 0xFF, [11] = 0xFF}, 96, 35},
    {{0}, 96, 1},           {{0x20, 0x01}, 32, 5},
    {{0x20, 0x02}, 16, 30}, {{0x3F, 0xFE}, 16, 1},
    {{0xFE, 0xC0}, 10, 1},  {{0xFC}, 7, 3},
    {{0}, 0, 40},
};

static bool has_prefix(const UCHAR *address, const struct precedence *row)
{
    for (unsigned bit = 0; bit < row->bits; bit++) {
        if (((address[bit / 8] ^ row->prefix[bit / 8]) & (0x80 >> bit % 8)) != 0) {
            return false;
        }
    }
    return true;
}

static UCHAR precedence_of(const SOCKET_ADDRESS *entry)
{
    const SOCKADDR_IN6 *address = (const SOCKADDR_IN6 *)(const VOID *)entry->lpSockaddr;
    const struct precedence *row = precedences;
    while (!has_prefix((const UCHAR *)&address->sin6_addr, row)) {
        row++;
    }
    return row->value;
}

static bool is_sortable(const struct wsk_control *control)
{
    const SOCKET_ADDRESS_LIST *list = control->input;
    if (list == NULL || control->input_bytes < SIZEOF_SOCKET_ADDRESS_LIST(0) ||
        list->iAddressCount < 0 ||
        control->input_bytes < SIZEOF_SOCKET_ADDRESS_LIST((SIZE_T)list->iAddressCount)) {
        return false;
    }
    for (INT i = 0; i < list->iAddressCount; i++) {
        const SOCKET_ADDRESS *entry = &list->Address[i];
        if (entry->lpSockaddr == NULL || entry->iSockaddrLength < (INT)sizeof(SOCKADDR_IN6) ||
            entry->lpSockaddr->sa_family != AF_INET6) {
            return false;
        }
    }
    return true;
}

/* The best first; equals keep their order. */
static void sort(SOCKET_ADDRESS_LIST *list)
{
    for (INT i = 1; i < list->iAddressCount; i++) {
        SOCKET_ADDRESS entry = list->Address[i];
        INT place = i;
        while (place > 0 && precedence_of(&list->Address[place - 1]) < precedence_of(&entry)) {
            list->Address[place] = list->Address[place - 1];
            place--;
        }
        list->Address[place] = entry;
    }
}

/* The addresses stay where they are, the list that points to them is sorted. Both buffers may be
 * the same. */
NTSTATUS wsk_address_list_sort(struct wsk_control *control, const struct wsk_control_row *row)
{
    UNREFERENCED_PARAMETER(row);
    if (!is_sortable(control)) {
        return wsk_control_end(control, STATUS_INVALID_PARAMETER);
    }
    const SOCKET_ADDRESS_LIST *list = control->input;
    control->stored = SIZEOF_SOCKET_ADDRESS_LIST((SIZE_T)list->iAddressCount);
    if (control->output == NULL || control->output_bytes < control->stored) {
        return wsk_control_end(control, STATUS_BUFFER_OVERFLOW);
    }
    RtlMoveMemory(control->output, list, control->stored);
    sort(control->output);
    return wsk_control_end(control, STATUS_SUCCESS);
}

/* ---- waiting for a change ---- */

NTSTATUS wsk_address_list_await(struct wsk_control *control, const struct wsk_control_row *row)
{
    struct wsk_socket *socket = control->socket;
    PIRP irp = control->irp;
    if (irp == NULL) {
        wsk_control_warn_of_form(control, row, "without an IRP");
        return STATUS_REQUEST_NOT_ACCEPTED;
    }
    wsk_irp_take(irp);
    wsk_request_start(irp, socket, WSK_OPERATION_CONTROL, NULL, 0);
    wsk_socket_lock(socket);
    wsk_queue_append(&socket->control, irp);
    return wsk_call_end(&socket->control);
}

/* Completes what waits at a socket. Returns false if its lock is not free. */
static bool tell(struct wsk_socket *socket)
{
    if (!base_mutex_try_lock(&socket->lock)) {
        return false;
    }
    if (wsk_queue_first(&socket->control) != NULL) {
        wsk_queue_finish_all(&socket->control, STATUS_SUCCESS);
        wsk_queue_post(&socket->control);
    }
    wsk_socket_unlock(socket);
    return true;
}

/* One round. A further one may tell of this change who began to wait after it: nothing lost. */
static bool tell_all(struct wsk_state *wsk)
{
    bool is_done = true;
    base_mutex_lock(&wsk->lock);
    for (LIST_ENTRY *entry = wsk->sockets.Flink; entry != &wsk->sockets; entry = entry->Flink) {
        is_done = tell(CONTAINING_RECORD(entry, struct wsk_socket, link)) && is_done;
    }
    base_mutex_unlock(&wsk->lock);
    return is_done;
}

void wsk_address_list_changed(void)
{
    while (!tell_all(wsk_state())) {
        YieldProcessor();
    }
}
