/* Control data of datagrams: Windows' chain of CMSGHDR and the network's. See control_data.c. */
#ifndef WSK_CONTROL_DATA_H
#define WSK_CONTROL_DATA_H

#include <ntddk.h>
#include <wsk.h>

#include "net/net.h"

struct wsk_socket;

/* What wsk_control_compose needs at most: a packet record and three of an INT. */
#define WSK_CONTROL_BYTES_MAX                                                                      \
    (WSA_CMSG_SPACE(sizeof(IN6_PKTINFO)) + 3 * WSA_CMSG_SPACE(sizeof(INT)))

struct wsk_send_control {
    struct net_control net;
    ULONG segment; /* bytes of a datagram that the data is split into; 0: not split */
};

/*
 * Reads the control data of a send, with what the socket's options say where it says nothing.
 * STATUS_INVALID_PARAMETER for a broken chain or value, STATUS_NOT_SUPPORTED for a record that is
 * not known. The socket's lock is held. (WSK-DGRM-14)
 */
NTSTATUS wsk_control_parse(const struct wsk_socket *socket, const CMSGHDR *info, ULONG length,
                           struct wsk_send_control *control);

/* Writes the records that the socket's options ask for; returns their bytes. (WSK-DGRM-52) */
ULONG wsk_control_compose(const struct wsk_socket *socket, const struct net_control *control,
                          UCHAR *bytes);

/* How many of these bytes are whole records that fit into size bytes. */
ULONG wsk_control_fit(const UCHAR *bytes, ULONG length, ULONG size);

#endif
