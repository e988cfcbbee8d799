/*
 * WskReceiveFrom: one datagram for each IRP, in order. The host writes straight into the driver's
 * memory; several IRPs that wait are served by one call.
 *
 * The four optional results are written when the IRP's result stands, under the socket's lock:
 * before that the driver may cancel the IRP, after it the IRP may already be the driver's again.
 */
#include "wsk/control_data.h"
#include "wsk/memory.h"
#include "wsk/misuse.h"
#include "wsk/wsk.h"

#include "ke/warning.h"
#include "trace/network.h"

#include <stdlib.h>

/* Errors of earlier datagrams that are skipped in one go. */
#define PASSING_MAX 16

/* The largest datagram that the host can have. */
#define DATAGRAM_BYTES_MAX 65535

struct batch {
    unsigned count;
    PIRP irps[NET_DATAGRAMS_MAX];
    struct net_datagram datagrams[NET_DATAGRAMS_MAX];
    struct net_buffer pieces[NET_DATAGRAMS_MAX][NET_BUFFERS_MAX];
};

/* ---- results ---- */

/* Returns MSG_CTRUNC or 0. */
static ULONG write_control(const IO_STACK_LOCATION *location, const struct wsk_received *received)
{
    PULONG length = location->Parameters.Others.Argument2;
    PVOID info = location->Parameters.Others.Argument3;
    ULONG size = info == NULL ? 0 : *length;
    ULONG fits = wsk_control_fit(received->control, received->control_length, size);
    if (fits != 0) {
        RtlCopyMemory(info, received->control, fits);
    }
    *length = fits;
    return fits < received->control_length ? MSG_CTRUNC : 0;
}

static void check_outputs(const IO_STACK_LOCATION *location)
{
    const char *rule = "WSK-DGRM-47";
    wsk_memory_check_there(location->Parameters.Others.Argument1, "buffer for the address", rule);
    wsk_memory_check_there(location->Parameters.Others.Argument2, "ControlLength", rule);
    wsk_memory_check_there(location->Parameters.Others.Argument3, "ControlInfo buffer", rule);
    wsk_memory_check_there(location->Parameters.Others.Argument4, "ControlFlags", rule);
}

void wsk_datagram_finish_receive(struct wsk_socket *socket, PIRP irp,
                                 const struct wsk_received *received)
{
    const IO_STACK_LOCATION *location = IoGetCurrentIrpStackLocation(irp);
    PSOCKADDR remote = location->Parameters.Others.Argument1;
    PULONG flags = location->Parameters.Others.Argument4;
    bool is_truncated = (received->flags & NET_TRUNCATED) != 0;
    if (verifier_is_full()) {
        check_outputs(location);
    }
    ULONG told = (is_truncated ? MSG_TRUNC : 0) |
                 ((received->flags & NET_WAS_BROADCAST) != 0 ? MSG_BCAST : 0) |
                 ((received->flags & NET_WAS_MULTICAST) != 0 ? MSG_MCAST : 0);
    if (remote != NULL) {
        wsk_address_to(&received->address, remote);
    }
    if (location->Parameters.Others.Argument2 != NULL) {
        told |= write_control(location, received);
        if (flags != NULL) {
            *flags = told;
        }
    }
    wsk_queue_finish(&socket->receive, irp, is_truncated ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS,
                     received->length);
}

static void finish(struct wsk_socket *socket, PIRP irp, const struct net_datagram *datagram)
{
    _Alignas(8) UCHAR control[WSK_CONTROL_BYTES_MAX];
    struct wsk_received received = {.length = datagram->length,
                                    .address = datagram->address,
                                    .flags = datagram->flags,
                                    .control = control};
    received.control_length = wsk_control_compose(socket, &datagram->control, control);
    wsk_datagram_finish_receive(socket, irp, &received);
}

/* ---- from the host ---- */

/* Appends an IRP whose memory has few enough pieces; false if it has too many. */
static bool add(struct batch *batch, PIRP irp)
{
    const struct wsk_request *request = wsk_request_of(irp);
    struct net_buffer *pieces = batch->pieces[batch->count];
    unsigned count = wsk_request_buffers(request, pieces);
    SIZE_T total = 0;
    for (unsigned i = 0; i < count; i++) {
        total += pieces[i].length;
    }
    if (total < request->left) {
        return false;
    }
    batch->irps[batch->count] = irp;
    batch->datagrams[batch->count].buffers = pieces;
    batch->datagrams[batch->count].count = count;
    batch->count++;
    return true;
}

/* The IRPs at the head of the queue. While senders are refused it is one: the next datagram may be
 * for the same IRP. */
static void fill(struct batch *batch, const struct wsk_socket *socket)
{
    const LIST_ENTRY *pending = &socket->receive.pending;
    unsigned most = socket->datagram.has_remote ? 1 : NET_DATAGRAMS_MAX;
    batch->count = 0;
    for (LIST_ENTRY *entry = pending->Flink; entry != pending && batch->count < most;
         entry = entry->Flink) {
        if (!add(batch, CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry))) {
            return;
        }
    }
}

/* As net_receive_datagrams, without errors that are no concern of a receive. */
static enum net_error receive(struct wsk_socket *socket, struct net_datagram *datagrams,
                              unsigned count, unsigned *done)
{
    enum net_error error = NET_AGAIN;
    for (unsigned i = 0; i < PASSING_MAX; i++) {
        error = net_receive_datagrams(socket->net, datagrams, count, done);
        if (!wsk_datagram_is_passing(error)) {
            trace_datagrams(socket, &socket->local, datagrams, error == NET_OK ? *done : 0, false);
            return error;
        }
    }
    return NET_AGAIN;
}

/* One datagram for memory in too many pieces. */
static enum net_error receive_joined(struct wsk_socket *socket, PIRP irp)
{
    SIZE_T left = wsk_request_of(irp)->left;
    struct net_buffer piece = {.length = left < DATAGRAM_BYTES_MAX ? left : DATAGRAM_BYTES_MAX};
    struct net_datagram datagram = {.buffers = &piece, .count = 1};
    unsigned done = 0;
    piece.base = malloc(piece.length);
    if (piece.base == NULL) {
        wsk_queue_finish(&socket->receive, irp, STATUS_INSUFFICIENT_RESOURCES, 0);
        return NET_OK;
    }
    enum net_error error = receive(socket, &datagram, 1, &done);
    if (error == NET_OK && wsk_datagram_is_welcome(socket, &datagram.address)) {
        wsk_request_copy_in(irp, piece.base, datagram.length);
        finish(socket, irp, &datagram);
    }
    free(piece.base);
    return error;
}

/* Serves the IRPs at the head of the queue; *has_more tells whether more datagrams may be there. */
static enum net_error receive_batch(struct wsk_socket *socket, bool *has_more)
{
    struct batch batch;
    unsigned done = 0;
    fill(&batch, socket);
    *has_more = true;
    if (batch.count == 0) {
        return receive_joined(socket, wsk_queue_first(&socket->receive));
    }
    enum net_error error = receive(socket, batch.datagrams, batch.count, &done);
    if (error != NET_OK) {
        return error;
    }
    for (unsigned i = 0; i < done; i++) {
        if (wsk_datagram_is_welcome(socket, &batch.datagrams[i].address)) {
            finish(socket, batch.irps[i], &batch.datagrams[i]);
        }
    }
    *has_more = done == batch.count;
    return NET_OK;
}

void wsk_datagram_receive_more(struct wsk_socket *socket)
{
    bool has_more = true;
    PIRP irp;
    while (has_more && (irp = wsk_queue_first(&socket->receive)) != NULL) {
        if (wsk_datagram_receive_held(socket, irp)) {
            continue;
        }
        enum net_error error = receive_batch(socket, &has_more);
        if (error == NET_AGAIN) {
            return;
        }
        if (error != NET_OK) {
            wsk_queue_finish(&socket->receive, irp, wsk_status(error), 0);
        }
    }
}

/* ---- the call ---- */

static void note_results(PIRP irp, PSOCKADDR remote, PULONG length, PCMSGHDR info, PULONG flags)
{
    PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
    location->Parameters.Others.Argument1 = remote;
    location->Parameters.Others.Argument2 = length;
    location->Parameters.Others.Argument3 = info;
    location->Parameters.Others.Argument4 = flags;
    wsk_memory_check_resident(remote, "buffer", "WskReceiveFrom", "WSK-DGRM-35");
    if (length == NULL && info != NULL) {
        ke_warning("WSK-DGRM-38", "WskReceiveFrom ignores ControlInfo when ControlLength is NULL");
    }
}

/*
 * Receives one datagram; Information is the bytes stored. A longer one is truncated: the IRP
 * completes with STATUS_BUFFER_OVERFLOW, and the rest is lost. RemoteAddress, ControlLength (bytes
 * of ControlInfo; then what was stored there, whole records), ControlInfo and ControlFlags may be
 * NULL. Without ControlLength the last two are ignored. IRQL <= DISPATCH_LEVEL.
 * STATUS_INVALID_PARAMETER, STATUS_INVALID_DEVICE_STATE when not bound. (WSK-DGRM-28 to -54)
 */
NTSTATUS WSKAPI wsk_receive_from(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags,
                                 PSOCKADDR RemoteAddress, PULONG ControlLength,
                                 PCMSGHDR ControlInfo, PULONG ControlFlags, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    WSK_CALL(socket, WSK_FLAG_DATAGRAM_SOCKET, "WskReceiveFrom");
    NTSTATUS status = wsk_call_begin(socket, Irp, "WskReceiveFrom");
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (Flags != 0 || Buffer == NULL) {
        bool is_flags = Flags != 0;
        return wsk_misuse_refuse(socket, Irp, STATUS_INVALID_PARAMETER,
                                 is_flags ? "WSK-DGRM-28" : "WSK-DGRM-29", "WskReceiveFrom",
                                 is_flags ? "with flags, which are reserved" : "without a buffer");
    }
    wsk_socket_lock(socket);
    if (socket->state != WSK_BOUND) {
        return wsk_misuse_refuse_state(socket, Irp, STATUS_INVALID_DEVICE_STATE, "WskReceiveFrom");
    }
    wsk_irp_take(Irp);
    wsk_request_start(Irp, socket, WSK_OPERATION_RECEIVE_FROM, Buffer, Flags);
    note_results(Irp, RemoteAddress, ControlLength, ControlInfo, ControlFlags);
    wsk_queue_append(&socket->receive, Irp);
    if (wsk_queue_first(&socket->receive) == Irp) {
        wsk_datagram_receive_more(socket);
    }
    return wsk_call_end(&socket->receive);
}
