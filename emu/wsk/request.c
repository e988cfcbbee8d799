/*
 * Requests: IRPs while WSK owns them.
 *
 * An accepted IRP is marked pending before anything else, so that PendingReturned is TRUE exactly
 * when STATUS_PENDING is returned, even if it completes first. What the request needs is kept in
 * the IRP's DriverContext; it stands in one list by ListEntry.
 */
#include "wsk/wsk.h"

C_ASSERT(sizeof(struct wsk_request) <= RTL_FIELD_SIZE(IRP, Tail.Overlay.DriverContext));

void wsk_irp_take(PIRP irp)
{
    IoSetNextIrpStackLocation(irp);
    irp->IoStatus.Status = STATUS_PENDING;
    irp->IoStatus.Information = 0;
}

static void complete(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IofCompleteRequest(irp, IO_NETWORK_INCREMENT);
}

NTSTATUS wsk_irp_refuse(PIRP irp, NTSTATUS status)
{
    wsk_irp_take(irp);
    complete(irp, status, 0);
    return status;
}

NTSTATUS wsk_irp_finish(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    wsk_irp_take(irp);
    IoMarkIrpPending(irp);
    complete(irp, status, information);
    return STATUS_PENDING;
}

struct wsk_request *wsk_request_of(PIRP irp)
{
    return (struct wsk_request *)(PVOID)irp->Tail.Overlay.DriverContext;
}

void wsk_request_start(PIRP irp, const WSK_BUF *buffer)
{
    struct wsk_request *request = wsk_request_of(irp);
    RtlZeroMemory(request, sizeof(*request));
    if (buffer != NULL) {
        request->mdl = buffer->Mdl;
        request->offset = buffer->Offset;
        request->left = buffer->Length;
    }
}

unsigned wsk_request_buffers(const struct wsk_request *request, struct net_buffer *buffers)
{
    SIZE_T left = request->left;
    ULONG_PTR offset = request->offset;
    unsigned count = 0;
    for (PMDL mdl = request->mdl; mdl != NULL && left != 0 && count < NET_BUFFERS_MAX;
         mdl = mdl->Next) {
        SIZE_T here = MmGetMdlByteCount(mdl);
        if (offset >= here) {
            offset -= here;
            continue;
        }
        SIZE_T length = here - offset < left ? here - offset : left;
        UCHAR *base = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
        buffers[count++] = (struct net_buffer){.base = base + offset, .length = length};
        left -= length;
        offset = 0;
    }
    return count;
}

void wsk_request_advance(struct wsk_request *request, SIZE_T moved)
{
    request->offset += moved;
    request->left -= moved;
    request->moved += moved;
}

void wsk_queue_append(struct wsk_queue *queue, PIRP irp)
{
    InsertTailList(&queue->pending, &irp->Tail.Overlay.ListEntry);
}

PIRP wsk_queue_first(const struct wsk_queue *queue)
{
    return IsListEmpty(&queue->pending)
               ? NULL
               : CONTAINING_RECORD(queue->pending.Flink, IRP, Tail.Overlay.ListEntry);
}

void wsk_queue_finish_first(struct wsk_queue *queue, NTSTATUS status, ULONG_PTR information)
{
    PLIST_ENTRY entry = RemoveHeadList(&queue->pending);
    PIRP irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    InsertTailList(&queue->done, entry);
}

void wsk_queue_deliver(struct wsk_socket *socket, struct wsk_queue *queue)
{
    base_mutex_lock(&socket->lock);
    bool is_mine = !queue->is_delivering;
    if (is_mine) {
        queue->is_delivering = true;
        while (!IsListEmpty(&queue->done)) {
            PLIST_ENTRY entry = RemoveHeadList(&queue->done);
            base_mutex_unlock(&socket->lock);
            IofCompleteRequest(CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry),
                               IO_NETWORK_INCREMENT);
            base_mutex_lock(&socket->lock);
        }
        queue->is_delivering = false;
    }
    base_mutex_unlock(&socket->lock);
}
