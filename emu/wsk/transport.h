/* The transports that WSK offers. See transport.c. */
#ifndef WSK_TRANSPORT_H
#define WSK_TRANSPORT_H

#include <ntddk.h>
#include <wsk.h>

#include "base/mutex.h"

struct wsk_client;

#define WSK_TRANSPORTS_MAX 64

/* Part of wsk_state. */
struct wsk_transports {
    struct base_mutex lock; /* a leaf; guards all below */
    ULONG count;
    WSK_TRANSPORT all[WSK_TRANSPORTS_MAX];
    LIST_ENTRY changes; /* pending IRPs of WSK_TRANSPORT_LIST_CHANGE, by ListEntry */
};

void wsk_transports_start(struct wsk_transports *transports);
void wsk_transports_stop(struct wsk_transports *transports);

/* Copies the whole list, if it fits; *required is its size in bytes in any case. STATUS_SUCCESS,
 * STATUS_BUFFER_OVERFLOW. (WSK-CTL-13, WSK-CTL-14) */
NTSTATUS wsk_transport_query(PVOID buffer, SIZE_T bytes, SIZE_T *required);

/* Takes an IRP that is completed after the next change of the list. The caller holds a request of
 * the client, the IRP gets one of its own. Returns STATUS_PENDING. (WSK-CTL-19) */
NTSTATUS wsk_transport_await_change(struct wsk_client *client, PIRP irp);

/* For tests, see include/wskemu/network.h; IRQL <= DISPATCH_LEVEL. */
NTSTATUS wsk_transport_add(const WSK_TRANSPORT *transport);
NTSTATUS wsk_transport_remove(ADDRESS_FAMILY family, USHORT type, ULONG protocol);
void wsk_transport_report_change(void);

#endif
