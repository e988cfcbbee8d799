/*
 * WSK, as far as it stands: the walking skeleton of TCP over IPv4 and IPv6. What a driver calls
 * beyond it stops with a bug check that names the function (missing.c).
 *
 * Lock order: a socket's lock, then the network's.
 */
#ifndef WSK_WSK_INTERNAL_H
#define WSK_WSK_INTERNAL_H

#include <ntddk.h>
#include <wsk.h>

#include "base/mutex.h"
#include "ke/kernel.h"
#include "net/net.h"

#include <stdbool.h>

struct wsk_state {
    struct net *net;
    struct base_mutex lock; /* guards the two lists; taken last */
    LIST_ENTRY clients;
    LIST_ENTRY sockets;
};

extern const struct ke_module wsk_module;

/* A registered client: what WskRegister made of a driver. */
struct wsk_client {
    LIST_ENTRY link; /* in wsk_state.clients */
    WSK_CLIENT_NPI npi;
    WSK_CLIENT_DISPATCH dispatch;
    struct base_mutex lock; /* guards holds */
    ULONG holds;            /* captures and sockets */
    KEVENT released;        /* signalled while holds is 0 */
};

void wsk_client_hold(struct wsk_client *client);
void wsk_client_release(struct wsk_client *client);

/* What a request keeps in its IRP's DriverContext while WSK owns it. */
struct wsk_request {
    PMDL mdl;
    ULONG_PTR offset; /* into the chain, of the next byte */
    SIZE_T left;
    SIZE_T moved;
};

/* One direction of a socket: requests in order, and their results in order. */
struct wsk_queue {
    LIST_ENTRY pending; /* of IRPs, by Tail.Overlay.ListEntry */
    LIST_ENTRY done;    /* with IoStatus set */
    bool is_delivering; /* somebody drains done */
};

enum wsk_socket_state { WSK_OPENED, WSK_BOUND, WSK_CONNECTING, WSK_CONNECTED, WSK_LISTENING };

struct wsk_socket {
    WSK_SOCKET public; /* first: what the driver sees */
    LIST_ENTRY link;   /* in wsk_state.sockets */
    struct wsk_client *client;
    PVOID context;
    ADDRESS_FAMILY family;
    struct net_socket *net;

    struct base_mutex lock; /* guards all below */
    enum wsk_socket_state state;
    struct wsk_queue receive; /* receives, or accepts of a listener */
    struct wsk_queue send;    /* sends and the connect */
    unsigned wanted;
    ULONG references;
    PIRP close_irp;
};

/* Puts a client or a socket on its list in the state, and takes it off. */
void wsk_list_insert(LIST_ENTRY *list, LIST_ENTRY *link);
void wsk_list_remove(LIST_ENTRY *link);

static inline struct wsk_state *wsk_state(void)
{
    return ke_state(KE_MODULE_WSK);
}

/* Takes over the IRP: WSK's own stack location becomes current. */
void wsk_irp_take(PIRP irp);

/* Completes a refused IRP and returns its status. */
NTSTATUS wsk_irp_refuse(PIRP irp, NTSTATUS status);

/* Completes an accepted IRP and returns STATUS_PENDING. */
NTSTATUS wsk_irp_finish(PIRP irp, NTSTATUS status, ULONG_PTR information);

struct wsk_request *wsk_request_of(PIRP irp);
void wsk_request_start(PIRP irp, const WSK_BUF *buffer);

/* The request's next pieces of memory; returns how many, at most NET_BUFFERS_MAX. */
unsigned wsk_request_buffers(const struct wsk_request *request, struct net_buffer *buffers);
void wsk_request_advance(struct wsk_request *request, SIZE_T moved);

/* Queues an IRP. The socket's lock is held. */
void wsk_queue_append(struct wsk_queue *queue, PIRP irp);
PIRP wsk_queue_first(const struct wsk_queue *queue);

/* Moves the first pending IRP to the results. The socket's lock is held. */
void wsk_queue_finish_first(struct wsk_queue *queue, NTSTATUS status, ULONG_PTR information);

/* Completes the results in order; the lock is not held. */
void wsk_queue_deliver(struct wsk_socket *socket, struct wsk_queue *queue);

/* Makes a socket; net may be NULL to open a new one. */
NTSTATUS wsk_socket_create(struct wsk_client *client, ADDRESS_FAMILY family, const VOID *dispatch,
                           PVOID context, struct wsk_socket **socket);
void wsk_socket_reference(struct wsk_socket *socket);
void wsk_socket_dereference(struct wsk_socket *socket);
extern const struct net_callbacks wsk_socket_callbacks;

/* Does what the queues allow now. The lock is held. */
void wsk_socket_pump(struct wsk_socket *socket, unsigned events);

/* Runs one step of each kind; the lock is held. Each returns false when it has to wait. */
bool wsk_accept_step(struct wsk_socket *listener, PIRP irp);
bool wsk_receive_step(struct wsk_socket *socket, PIRP irp);
bool wsk_send_step(struct wsk_socket *socket, PIRP irp);

static inline struct wsk_socket *wsk_socket_of(PWSK_SOCKET socket)
{
    return CONTAINING_RECORD(socket, struct wsk_socket, public);
}

bool wsk_address_from(const SOCKADDR *sockaddr, struct net_address *address);
void wsk_address_to(const struct net_address *address, SOCKADDR *sockaddr);
NTSTATUS wsk_status(enum net_error error);

extern const WSK_PROVIDER_DISPATCH wsk_provider_dispatch;
extern const WSK_PROVIDER_LISTEN_DISPATCH wsk_listen_dispatch;
extern const WSK_PROVIDER_CONNECTION_DISPATCH wsk_connection_dispatch;

NTSTATUS WSKAPI wsk_close_socket(PWSK_SOCKET Socket, PIRP Irp);
NTSTATUS WSKAPI wsk_bind(PWSK_SOCKET Socket, PSOCKADDR LocalAddress, ULONG Flags, PIRP Irp);
NTSTATUS WSKAPI wsk_get_local_address(PWSK_SOCKET Socket, PSOCKADDR LocalAddress, PIRP Irp);

#endif
