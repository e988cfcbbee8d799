#include "wsk_datagram.h"

PWSK_SOCKET make_datagram(struct wsk_end *end, ADDRESS_FAMILY family, PVOID context,
                          const WSK_CLIENT_DATAGRAM_DISPATCH *dispatch)
{
    return make_socket(end, family, WSK_FLAG_DATAGRAM_SOCKET, context, dispatch);
}

PWSK_SOCKET open_datagram(struct wsk_end *end, ADDRESS_FAMILY family, PVOID context,
                          const WSK_CLIENT_DATAGRAM_DISPATCH *dispatch, SOCKADDR_INET *bound)
{
    PWSK_SOCKET socket = make_datagram(end, family, context, dispatch);
    if (socket != NULL && !NT_SUCCESS(bind_loopback(end, socket, family, bound))) {
        close_socket(end, socket);
        return NULL;
    }
    return socket;
}

static NTSTATUS send_all(struct wsk_end *end, PWSK_SOCKET socket, const void *bytes, SIZE_T length,
                         const SOCKADDR_INET *to, const void *control, ULONG control_length)
{
    WSK_BUF buffer = call_buffer(&end->call, bytes, length);
    NTSTATUS returned = datagram_table(socket)->WskSendTo(
        socket, &buffer, 0, (PSOCKADDR)(ULONG_PTR)to, control_length, (PCMSGHDR)(ULONG_PTR)control,
        call_irp(&end->call));
    return call_wait(&end->call, returned);
}

NTSTATUS send_datagram(struct wsk_end *end, PWSK_SOCKET socket, const void *bytes, SIZE_T length,
                       const SOCKADDR_INET *to, SIZE_T *sent)
{
    NTSTATUS status = send_all(end, socket, bytes, length, to, NULL, 0);
    if (sent != NULL) {
        *sent = call_information(&end->call);
    }
    return status;
}

NTSTATUS send_with_control(struct wsk_end *end, PWSK_SOCKET socket, const void *bytes,
                           SIZE_T length, const SOCKADDR_INET *to, const void *control,
                           ULONG control_length)
{
    return send_all(end, socket, bytes, length, to, control, control_length);
}

void receipt_init(struct receipt *receipt)
{
    RtlZeroMemory(receipt, sizeof(*receipt));
    call_init(&receipt->call);
}

void receipt_free(struct receipt *receipt)
{
    call_free(&receipt->call);
}

NTSTATUS start_receipt(struct receipt *receipt, PWSK_SOCKET socket, SIZE_T length)
{
    WSK_BUF buffer = call_buffer(&receipt->call, receipt->bytes, length);
    RtlZeroMemory(&receipt->from, sizeof(receipt->from));
    receipt->control_length = sizeof(receipt->control);
    receipt->flags = 0xFFFFFFFF;
    return datagram_table(socket)->WskReceiveFrom(
        socket, &buffer, 0, (PSOCKADDR)&receipt->from, &receipt->control_length,
        (PCMSGHDR)receipt->control, &receipt->flags, call_irp(&receipt->call));
}

NTSTATUS wait_receipt(struct receipt *receipt)
{
    return call_wait(&receipt->call, STATUS_PENDING);
}

NTSTATUS receive_datagram(struct receipt *receipt, PWSK_SOCKET socket)
{
    return call_wait(&receipt->call, start_receipt(receipt, socket, sizeof(receipt->bytes)));
}

const CMSGHDR *find_record(const void *control, ULONG length, INT level, INT type,
                           const void **data)
{
    WSAMSG message = {.Control = {.len = length, .buf = (CHAR *)(ULONG_PTR)control}};
    for (PCMSGHDR header = WSA_CMSG_FIRSTHDR(&message); header != NULL;
         header = WSA_CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == level && header->cmsg_type == type) {
            *data = WSA_CMSG_DATA(header);
            return header;
        }
    }
    return NULL;
}

void add_record(UCHAR *control, ULONG *length, INT level, INT type, const void *data,
                SIZE_T data_length)
{
    PCMSGHDR header = (PCMSGHDR)(PVOID)(control + *length);
    header->cmsg_len = WSA_CMSG_LEN(data_length);
    header->cmsg_level = level;
    header->cmsg_type = type;
    if (data_length != 0) {
        RtlCopyMemory(WSA_CMSG_DATA(header), data, data_length);
    }
    *length += (ULONG)WSA_CMSG_SPACE(data_length);
}

PMDL make_chain(UCHAR *bytes, SIZE_T piece, unsigned count)
{
    PMDL first = NULL;
    PMDL *end = &first;
    for (unsigned i = 0; i < count; i++) {
        PMDL mdl = resident_mdl(bytes + i * piece, piece);
        *end = mdl;
        end = &mdl->Next;
    }
    return first;
}

void free_chain(PMDL mdl)
{
    while (mdl != NULL) {
        PMDL next = mdl->Next;
        free_resident_mdl(mdl);
        mdl = next;
    }
}
