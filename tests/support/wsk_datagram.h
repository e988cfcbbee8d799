/* Datagram sockets for tests, beside wsk_end.h. */
#ifndef TESTS_SUPPORT_WSK_DATAGRAM_H
#define TESTS_SUPPORT_WSK_DATAGRAM_H

#include "wsk_end.h"

/* A receive: what it may store, and what it did. */
struct receipt {
    struct wsk_call call;
    UCHAR bytes[2048];
    SOCKADDR_INET from;
    ULONG control_length; /* set before the call: the room in control */
    ULONG flags;
    _Alignas(8) UCHAR control[256];
};

static inline const WSK_PROVIDER_DATAGRAM_DISPATCH *datagram_table(PWSK_SOCKET socket)
{
    return socket->Dispatch;
}

/* A socket of UDP, not bound; NULL if there is none. */
PWSK_SOCKET make_datagram(struct wsk_end *end, ADDRESS_FAMILY family, PVOID context,
                          const WSK_CLIENT_DATAGRAM_DISPATCH *dispatch);

/* The same, bound to the loopback address; *bound (may be NULL) is where. */
PWSK_SOCKET open_datagram(struct wsk_end *end, ADDRESS_FAMILY family, PVOID context,
                          const WSK_CLIENT_DATAGRAM_DISPATCH *dispatch, SOCKADDR_INET *bound);

/* Sends and waits. to may be NULL; *sent may be NULL. */
NTSTATUS send_datagram(struct wsk_end *end, PWSK_SOCKET socket, const void *bytes, SIZE_T length,
                       const SOCKADDR_INET *to, SIZE_T *sent);
NTSTATUS send_with_control(struct wsk_end *end, PWSK_SOCKET socket, const void *bytes,
                           SIZE_T length, const SOCKADDR_INET *to, const void *control,
                           ULONG control_length);

/* A receive of at most length bytes with all that it can tell: starts it, waits for it, both. */
void receipt_init(struct receipt *receipt);
void receipt_free(struct receipt *receipt);
NTSTATUS start_receipt(struct receipt *receipt, PWSK_SOCKET socket, SIZE_T length);
NTSTATUS wait_receipt(struct receipt *receipt);
NTSTATUS receive_datagram(struct receipt *receipt, PWSK_SOCKET socket);

/* The first record of that level and type in control data, or NULL; *data is its data. */
const CMSGHDR *find_record(const void *control, ULONG length, INT level, INT type,
                           const void **data);

/* Appends a record to control data of *length bytes. */
void add_record(UCHAR *control, ULONG *length, INT level, INT type, const void *data,
                SIZE_T data_length);

/* An MDL of each of count pieces of bytes, chained; free_chain frees them. */
PMDL make_chain(UCHAR *bytes, SIZE_T piece, unsigned count);
void free_chain(PMDL mdl);

#endif
