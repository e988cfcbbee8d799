/* A datagram socket's own state, and what its files share. See datagram.c. */
#ifndef WSK_DATAGRAM_H
#define WSK_DATAGRAM_H

#include <ntddk.h>
#include <wsk.h>

#include "net/net.h"

#include <stdbool.h>

struct wsk_indications;
struct wsk_socket;
struct wsk_state;

/* Control data that the driver wants to have with received datagrams, by socket options. */
enum wsk_record {
    WSK_RECORD_PACKET = 1,    /* IP_PKTINFO, IPV6_PKTINFO */
    WSK_RECORD_HOP_LIMIT = 2, /* IP_HOPLIMIT, IPV6_HOPLIMIT */
    WSK_RECORD_TRAFFIC = 4,   /* IP_RECVTOS, IPV6_RECVTCLASS */
    WSK_RECORD_ECN = 8,       /* IP_RECVECN, IPV6_RECVECN */
};

/* Guarded by the socket's lock. */
struct wsk_datagram {
    bool has_remote; /* SIO_WSK_SET_REMOTE_ADDRESS */
    bool has_target; /* SIO_WSK_SET_SENDTO_ADDRESS */
    struct net_address remote;
    struct net_address target;
    unsigned ipv4_records; /* enum wsk_record: for IPv4 datagrams, on a socket of IPv6 too */
    unsigned ipv6_records;
    int traffic;                         /* IP_TOS, IPV6_TCLASS: what an IP_ECN record adds to */
    ULONG segment;                       /* UDP_SEND_MSG_SIZE in bytes, 0: none */
    LIST_ENTRY sends;                    /* what the sends that wait have captured, in order */
    struct wsk_indications *indications; /* NULL before the first event */
};

/* Sets the fixed addresses; NULL clears. The lock is held. (WSK-IOC-06, WSK-IOC-12) */
void wsk_datagram_set_remote(struct wsk_socket *socket, const struct net_address *address);
void wsk_datagram_set_target(struct wsk_socket *socket, const struct net_address *address);

/* Of the datagrams that drivers kept beyond the life of their sockets. */
void wsk_datagrams_start(struct wsk_state *wsk);
unsigned wsk_datagrams_report(const struct wsk_state *wsk);
void wsk_datagrams_stop(struct wsk_state *wsk);

/* ---- between datagram*.c; the socket's lock is held ---- */

/* Whether a datagram of this sender may come in. (WSK-DGRM-44) */
bool wsk_datagram_is_welcome(const struct wsk_socket *socket, const struct net_address *sender);

/* An error that says something of an earlier datagram, not of the socket. */
bool wsk_datagram_is_passing(enum net_error error);

/* Sends what waits; forgets what was captured for sends that have ended. */
void wsk_datagram_send_more(struct wsk_socket *socket);
void wsk_datagram_drop_sends(struct wsk_socket *socket);

/* Receives for the IRPs that wait, as far as there are datagrams. */
void wsk_datagram_receive_more(struct wsk_socket *socket);

/* What came with a datagram besides its data. */
struct wsk_received {
    SIZE_T length; /* bytes stored */
    struct net_address address;
    unsigned flags; /* enum net_datagram_flags */
    const UCHAR *control;
    ULONG control_length;
};

/* Finishes the receive whose data is stored. */
void wsk_datagram_finish_receive(struct wsk_socket *socket, PIRP irp,
                                 const struct wsk_received *received);

/* Whether WskReceiveFromEvent may be called. */
bool wsk_datagram_is_event_wanted(const struct wsk_socket *socket);

/* See wsk_queue.indicate. */
bool wsk_datagram_indicate(struct wsk_socket *socket);

/* Finishes a receive with a datagram that the event refused; false if none is buffered. */
bool wsk_datagram_receive_held(struct wsk_socket *socket, PIRP irp);

/* Frees what was indicated or buffered; what the driver still keeps is left to the report. */
void wsk_datagram_end_indications(struct wsk_socket *socket);

NTSTATUS WSKAPI wsk_send_to(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags,
                            PSOCKADDR RemoteAddress, ULONG ControlInfoLength, PCMSGHDR ControlInfo,
                            PIRP Irp);
NTSTATUS WSKAPI wsk_send_messages(PWSK_SOCKET Socket, PWSK_BUF_LIST BufferList, ULONG Flags,
                                  PSOCKADDR RemoteAddress, ULONG ControlInfoLength,
                                  PCMSGHDR ControlInfo, PIRP Irp);
NTSTATUS WSKAPI wsk_receive_from(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags,
                                 PSOCKADDR RemoteAddress, PULONG ControlLength,
                                 PCMSGHDR ControlInfo, PULONG ControlFlags, PIRP Irp);
NTSTATUS WSKAPI wsk_release_datagrams(PWSK_SOCKET Socket,
                                      PWSK_DATAGRAM_INDICATION DatagramIndication);

#endif
