/*
 * Sending datagrams.
 *
 * What a call shall send is a walk along a list of buffers: each is one datagram, or several if it
 * is split into segments. In place the walk goes along the driver's own list. If the host has no
 * room, the rest of the walk is captured: list elements by value, address and control data, since
 * only the MDL chains outlive the call. Captures stand in a list in the order of the send queue;
 * one whose IRP was cancelled is found out when the next one's turn comes, or at the end.
 */
#include "trace/network.h"
#include "wsk/control_data.h"
#include "wsk/misuse.h"
#include "wsk/wsk.h"

#include <stdlib.h>

/* Where a walk stands. */
struct cursor {
    const WSK_BUF_LIST *element; /* NULL: at the end */
    SIZE_T offset;               /* of the next segment in it */
};

struct outgoing {
    struct net_address address;
    struct wsk_send_control control;
    struct cursor at;
    SIZE_T sent;
};

struct capture {
    LIST_ENTRY link; /* in wsk_datagram.sends */
    struct outgoing outgoing;
    WSK_BUF_LIST elements[];
};

struct batch {
    unsigned count;
    UCHAR *joined; /* memory of its last datagram if that has too many pieces, else NULL */
    struct net_datagram datagrams[NET_DATAGRAMS_MAX];
    struct net_buffer pieces[NET_DATAGRAMS_MAX][NET_BUFFERS_MAX];
};

static SIZE_T length_of(const struct outgoing *outgoing, const struct cursor *at)
{
    SIZE_T left = at->element->Buffer.Length - at->offset;
    ULONG segment = outgoing->control.segment;
    return segment != 0 && segment < left ? segment : left;
}

static void step(struct cursor *at, SIZE_T length)
{
    at->offset += length;
    if (at->offset >= at->element->Buffer.Length) {
        at->element = at->element->Next;
        at->offset = 0;
    }
}

static SIZE_T total_of(const struct net_buffer *pieces, unsigned count)
{
    SIZE_T total = 0;
    for (unsigned i = 0; i < count; i++) {
        total += pieces[i].length;
    }
    return total;
}

/* The pieces of a datagram; returns their count, which may not cover all of it. */
static unsigned pieces_of(const struct cursor *at, SIZE_T skip, SIZE_T length,
                          struct net_buffer *pieces)
{
    struct wsk_request request = {.mdl = at->element->Buffer.Mdl,
                                  .offset = (ULONG)(at->element->Buffer.Offset + at->offset + skip),
                                  .left = length - skip};
    return wsk_request_buffers(&request, pieces);
}

/* Copies a datagram together; NULL when the host is out of memory. */
static UCHAR *join(const struct cursor *at, SIZE_T length)
{
    struct net_buffer pieces[NET_BUFFERS_MAX];
    UCHAR *joined = malloc(length);
    SIZE_T done = 0;
    while (joined != NULL && done < length) {
        unsigned count = pieces_of(at, done, length, pieces);
        for (unsigned i = 0; i < count; i++) {
            RtlCopyMemory(joined + done, pieces[i].base, pieces[i].length);
            done += pieces[i].length;
        }
    }
    return joined;
}

/* Appends the datagram at the cursor; false when the host is out of memory. */
static bool add(struct batch *batch, const struct outgoing *outgoing, const struct cursor *at)
{
    struct net_datagram *datagram = &batch->datagrams[batch->count];
    struct net_buffer *pieces = batch->pieces[batch->count];
    SIZE_T length = length_of(outgoing, at);
    unsigned count = pieces_of(at, 0, length, pieces);
    if (total_of(pieces, count) < length) {
        batch->joined = join(at, length);
        if (batch->joined == NULL) {
            return false;
        }
        pieces[0] = (struct net_buffer){.base = batch->joined, .length = length};
        count = 1;
    }
    datagram->buffers = pieces;
    datagram->count = count;
    datagram->address = outgoing->address;
    datagram->control = outgoing->control.net;
    batch->count++;
    return true;
}

static void fill(struct batch *batch, const struct outgoing *outgoing)
{
    struct cursor at = outgoing->at;
    batch->count = 0;
    batch->joined = NULL;
    while (at.element != NULL && batch->count < NET_DATAGRAMS_MAX && batch->joined == NULL &&
           add(batch, outgoing, &at)) {
        step(&at, length_of(outgoing, &at));
    }
}

/* Sends from where the walk stands: NET_OK at its end, NET_AGAIN if there is no room. */
static enum net_error transmit(struct wsk_socket *socket, struct outgoing *outgoing)
{
    struct batch batch;
    while (outgoing->at.element != NULL) {
        unsigned done = 0;
        fill(&batch, outgoing);
        enum net_error error =
            batch.count == 0 ? NET_NO_MEMORY
                             : net_send_datagrams(socket->net, batch.datagrams, batch.count, &done);
        trace_datagrams(socket, &socket->local, batch.datagrams, done, true);
        free(batch.joined);
        if (error != NET_OK) {
            return error;
        }
        for (unsigned i = 0; i < done; i++) {
            SIZE_T length = length_of(outgoing, &outgoing->at);
            outgoing->sent += length;
            step(&outgoing->at, length);
        }
    }
    return NET_OK;
}

/* ---- sends that wait ---- */

static struct capture *capture_of(PIRP irp)
{
    return IoGetCurrentIrpStackLocation(irp)->Parameters.Others.Argument1;
}

static void drop(struct capture *capture)
{
    RemoveEntryList(&capture->link);
    free(capture);
}

void wsk_datagram_drop_sends(struct wsk_socket *socket)
{
    LIST_ENTRY *sends = &socket->datagram.sends;
    while (!IsListEmpty(sends)) {
        drop(CONTAINING_RECORD(sends->Flink, struct capture, link));
    }
}

/* Keeps the rest of the walk for the IRP; false when the host is out of memory. */
static bool capture_rest(struct wsk_socket *socket, PIRP irp, const struct outgoing *outgoing)
{
    SIZE_T count = 0;
    for (const WSK_BUF_LIST *next = outgoing->at.element; next != NULL; next = next->Next) {
        count++;
    }
    struct capture *capture = malloc(sizeof(*capture) + count * sizeof(capture->elements[0]));
    if (capture == NULL) {
        return false;
    }
    capture->outgoing = *outgoing;
    capture->outgoing.at.element = capture->elements;
    const WSK_BUF_LIST *next = outgoing->at.element;
    for (SIZE_T i = 0; i < count; i++, next = next->Next) {
        capture->elements[i].Buffer = next->Buffer;
        capture->elements[i].Next = i + 1 < count ? &capture->elements[i + 1] : NULL;
    }
    InsertTailList(&socket->datagram.sends, &capture->link);
    IoGetCurrentIrpStackLocation(irp)->Parameters.Others.Argument1 = capture;
    return true;
}

void wsk_datagram_send_more(struct wsk_socket *socket)
{
    LIST_ENTRY *sends = &socket->datagram.sends;
    PIRP irp;
    while ((irp = wsk_queue_first(&socket->send)) != NULL) {
        struct capture *capture = capture_of(irp);
        while (sends->Flink != &capture->link) {
            drop(CONTAINING_RECORD(sends->Flink, struct capture, link));
        }
        enum net_error error = transmit(socket, &capture->outgoing);
        if (error == NET_AGAIN) {
            return;
        }
        wsk_queue_finish(&socket->send, irp, wsk_status(error), capture->outgoing.sent);
        drop(capture);
    }
    wsk_datagram_drop_sends(socket);
}

/* ---- the calls ---- */

/* Whom to send to; a fixed destination goes before a fixed remote address. */
static NTSTATUS find_address(const struct wsk_socket *socket, const SOCKADDR *remote,
                             struct net_address *address)
{
    if (remote != NULL) {
        return wsk_address_of(socket, remote, address);
    }
    if (!socket->datagram.has_target && !socket->datagram.has_remote) {
        return STATUS_INVALID_PARAMETER;
    }
    *address = socket->datagram.has_target ? socket->datagram.target : socket->datagram.remote;
    return STATUS_SUCCESS;
}

/* The lock is held. */
static NTSTATUS prepare(const struct wsk_socket *socket, const SOCKADDR *remote,
                        ULONG control_length, const CMSGHDR *control, struct outgoing *outgoing)
{
    if (socket->state != WSK_BOUND) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    NTSTATUS status = find_address(socket, remote, &outgoing->address);
    return NT_SUCCESS(status)
               ? wsk_control_parse(socket, control, control_length, &outgoing->control)
               : status;
}

/* Whether it was the address that prepare refused. The lock is held. */
static void warn_of_address(const struct wsk_socket *socket, const SOCKADDR *remote,
                            const char *function)
{
    struct net_address address;
    if (socket->state == WSK_BOUND && !NT_SUCCESS(find_address(socket, remote, &address))) {
        wsk_address_warn("WSK-DGRM-10", function, socket, remote);
    }
}

/* Control information without a length, or the other way round. */
static void warn_of_control(const struct wsk_socket *socket, ULONG length, const CMSGHDR *control,
                            const char *rule, const char *function)
{
    if ((control == NULL) != (length == 0)) {
        wsk_misuse(rule, function, "socket", socket,
                   "with one of ControlInfo and ControlInfoLength and without the other");
    }
}

/* Stops at a buffer that is broken. */
static void check_buffers(const WSK_BUF_LIST *list)
{
    struct net_buffer pieces[NET_BUFFERS_MAX];
    for (; list != NULL; list = list->Next) {
        wsk_buffer_pieces(&list->Buffer, pieces);
    }
}

/* Sends in place, or lets the IRP, which stands last in the queue, wait. The lock is held. */
static void send_or_wait(struct wsk_socket *socket, PIRP irp, struct outgoing *outgoing)
{
    if (socket->send.pending.Blink != &irp->Tail.Overlay.ListEntry) {
        return; /* it was cancelled before the call */
    }
    bool is_first = wsk_queue_first(&socket->send) == irp;
    enum net_error error = is_first ? transmit(socket, outgoing) : NET_AGAIN;
    if (error == NET_AGAIN) {
        if (capture_rest(socket, irp, outgoing)) {
            return;
        }
        error = NET_NO_MEMORY;
    }
    wsk_queue_finish(&socket->send, irp, wsk_status(error), outgoing->sent);
}

static void take(struct wsk_socket *socket, PIRP irp, const WSK_BUF_LIST *list)
{
    wsk_irp_take(irp);
    wsk_request_start(irp, socket, WSK_OPERATION_SEND_TO, NULL, 0);
    wsk_request_of(irp)->mdl = list->Buffer.Mdl; /* to be held */
}

/* Sends one datagram, which is all there is. */
static enum net_error transmit_one(struct wsk_socket *socket, struct outgoing *outgoing,
                                   const struct net_buffer *pieces, unsigned count)
{
    struct net_datagram datagram;
    unsigned done = 0;
    datagram.buffers = pieces;
    datagram.count = count;
    datagram.address = outgoing->address;
    datagram.control.present = outgoing->control.net.present;
    if (datagram.control.present != 0) {
        datagram.control = outgoing->control.net;
    }
    enum net_error error = net_send_datagrams(socket->net, &datagram, 1, &done);
    trace_datagrams(socket, &socket->local, &datagram, done, true);
    outgoing->sent = error == NET_OK ? outgoing->at.element->Buffer.Length : 0;
    return error;
}

/* One datagram that nothing stands before: it stands in the queue only if it has to wait. The lock
 * is held on entry, not on return. */
static NTSTATUS send_at_once(struct wsk_socket *socket, PIRP irp, struct outgoing *outgoing)
{
    const WSK_BUF_LIST *list = outgoing->at.element;
    struct net_buffer pieces[NET_BUFFERS_MAX];
    unsigned count = wsk_buffer_pieces(&list->Buffer, pieces);
    bool is_whole = total_of(pieces, count) == list->Buffer.Length;
    take(socket, irp, list);
    enum net_error error =
        is_whole ? transmit_one(socket, outgoing, pieces, count) : transmit(socket, outgoing);
    if (error != NET_AGAIN) {
        return wsk_call_end_with(&socket->send, irp, wsk_status(error), outgoing->sent);
    }
    wsk_queue_append(&socket->send, irp);
    if (wsk_queue_first(&socket->send) == irp && !capture_rest(socket, irp, outgoing)) {
        wsk_queue_finish(&socket->send, irp, wsk_status(NET_NO_MEMORY), 0);
    }
    return wsk_call_end(&socket->send);
}

static NTSTATUS send_list(struct wsk_socket *socket, const WSK_BUF_LIST *list,
                          const SOCKADDR *remote, ULONG control_length, const CMSGHDR *control,
                          PIRP irp, const char *function)
{
    struct outgoing outgoing;
    outgoing.at = (struct cursor){.element = list};
    outgoing.sent = 0;
    wsk_socket_lock(socket);
    NTSTATUS status = prepare(socket, remote, control_length, control, &outgoing);
    if (!NT_SUCCESS(status)) {
        warn_of_address(socket, remote, function);
        return wsk_misuse_refuse_state(socket, irp, status, function);
    }
    bool is_alone = list->Next == NULL && outgoing.control.segment == 0;
    if (is_alone && wsk_queue_is_idle(&socket->send) && !irp->Cancel) {
        return send_at_once(socket, irp, &outgoing);
    }
    check_buffers(list);
    take(socket, irp, list);
    wsk_queue_append(&socket->send, irp);
    send_or_wait(socket, irp, &outgoing);
    return wsk_call_end(&socket->send);
}

/*
 * Sends one datagram: to RemoteAddress, or to the fixed address if that is NULL. ControlInfo has
 * ControlInfoLength bytes. Completes with the bytes sent when the host took it. IRQL <= DISPATCH.
 * STATUS_INVALID_PARAMETER, STATUS_INVALID_DEVICE_STATE when not bound, STATUS_NOT_SUPPORTED for
 * control data that is not known. (WSK-DGRM-01 to -19)
 */
NTSTATUS WSKAPI wsk_send_to(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags,
                            PSOCKADDR RemoteAddress, ULONG ControlInfoLength, PCMSGHDR ControlInfo,
                            PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    WSK_CALL(socket, WSK_FLAG_DATAGRAM_SOCKET, "WskSendTo");
    NTSTATUS status = wsk_call_begin(socket, Irp, "WskSendTo");
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (Buffer == NULL || Flags != 0) {
        bool is_buffer = Buffer == NULL;
        return wsk_misuse_refuse(socket, Irp, STATUS_INVALID_PARAMETER,
                                 is_buffer ? "WSK-DGRM-02" : "WSK-DGRM-01", "WskSendTo",
                                 is_buffer ? "without a buffer" : "with flags, which are reserved");
    }
    warn_of_control(socket, ControlInfoLength, ControlInfo, "WSK-DGRM-13", "WskSendTo");
    WSK_BUF_LIST list = {.Next = NULL, .Buffer = *Buffer};
    return send_list(socket, &list, RemoteAddress, ControlInfoLength, ControlInfo, Irp,
                     "WskSendTo");
}

/*
 * Sends each element of the list as one datagram, all to one address with one set of control data.
 * Completes with the bytes of all of them. IRQL <= DISPATCH_LEVEL. Statuses as WskSendTo; if one
 * datagram fails, the others before it are sent. (WSK-DGRM-20 to -27, WSK-BUF-10)
 */
NTSTATUS WSKAPI wsk_send_messages(PWSK_SOCKET Socket, PWSK_BUF_LIST BufferList, ULONG Flags,
                                  PSOCKADDR RemoteAddress, ULONG ControlInfoLength,
                                  PCMSGHDR ControlInfo, PIRP Irp)
{
    struct wsk_socket *socket = wsk_socket_of(Socket);
    WSK_CALL(socket, WSK_FLAG_DATAGRAM_SOCKET, "WskSendMessages");
    NTSTATUS status = wsk_call_begin(socket, Irp, "WskSendMessages");
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (BufferList == NULL || Flags != 0) {
        return wsk_misuse_refuse(socket, Irp, STATUS_INVALID_PARAMETER, "WSK-DGRM-20",
                                 "WskSendMessages",
                                 Flags != 0 ? "with flags, which are reserved" : "without buffers");
    }
    warn_of_control(socket, ControlInfoLength, ControlInfo, "WSK-DGRM-26", "WskSendMessages");
    return send_list(socket, BufferList, RemoteAddress, ControlInfoLength, ControlInfo, Irp,
                     "WskSendMessages");
}
