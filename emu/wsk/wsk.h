/*
 * What the files of WSK share.
 *
 * provider.c     the provider's table; making sockets; start and stop
 * call.c, misuse.h   what a driver must keep when it calls functions of sockets
 * client.h, registration.c, control_client.c, name.h   what acts on a client
 * socket.c       a socket's life: references, readiness, close
 * request.c      IRPs while WSK owns them: taking, refusing, finishing, their memory
 * queue.c        a direction of a socket: requests in order, results in order, one deliverer
 * event.c        which event callbacks are enabled, which run
 * bind.c, query_address.c   binding; addresses of sockets
 * listener.c, inspect.c   accepting
 * stream.c       stream sockets: either role
 * connection.c, connect.c, send.c, receive.c, disconnect.c, indication.c   TCP connections
 * datagram.c     UDP and raw sockets
 * control.h, membership.c, address_list.c, extension.c   control of sockets: option.c, ioctl.c
 * share.c, security.c   who may have a local address
 * outlook.c      what is expected of the network
 * holder.c       which request holds an MDL
 *
 * Locks: a client's lock, then a socket's lock, then wsk_state.lock, then the network's. No lock is
 * held while driver code runs.
 */
#ifndef WSK_WSK_INTERNAL_H
#define WSK_WSK_INTERNAL_H

#include <ntddk.h>
#include <wsk.h>

#include "base/mutex.h"
#include "ke/callback.h"
#include "ke/kernel.h"
#include "net/net.h"
#include "wsk/call.h"
#include "wsk/client.h"
#include "wsk/connection.h"
#include "wsk/datagram.h"
#include "wsk/event.h"
#include "wsk/listener.h"
#include "wsk/name.h"
#include "wsk/queue.h"
#include "wsk/security.h"
#include "wsk/share.h"
#include "wsk/transport.h"

#include <stdatomic.h>
#include <stdbool.h>

/* So many closed sockets keep their memory, so that who uses one too long is told. */
#define WSK_GRAVES 64

/* What each file of WSK keeps beside its sockets and clients. */
struct wsk_state {
    struct net *net;
    struct base_mutex lock; /* guards the lists, drawn and the deferred results */
    struct wsk_clients clients;
    struct wsk_transports transports;
    struct wsk_securities securities;
    struct wsk_shares shares;
    struct wsk_names names;
    LIST_ENTRY sockets;  /* of struct wsk_socket */
    LIST_ENTRY deferred; /* of IRPs: results that belong to no queue; see request.c */
    KDPC deferred_dpc;
    LIST_ENTRY abandoned; /* of struct wsk_indication: kept by a driver beyond its socket's close */
    LIST_ENTRY spare;     /* of struct wsk_indication: free memory */
    unsigned spare_count;
    /* One each of those that own an emulated processor, which nobody else touches. */
    struct wsk_indication *own_spare[KE_PROCESSORS_MAX];
    struct wsk_socket *grave[WSK_GRAVES]; /* closed sockets; see socket.c */
    unsigned next_grave;
    LIST_ENTRY watches;               /* of struct wsk_watch: pending sends, at level full */
    LIST_ENTRY abandoned_datagrams;   /* of struct wsk_indications: the same of datagram sockets */
    atomic_bool is_depth_told;        /* a warning of WSK-IRP-23 went out */
    ULONG drawn;                      /* state of the random completion policy */
    struct wsk_extension *extensions; /* that a test provides; see extension.c */
};

extern const struct ke_module wsk_module;

static inline struct wsk_state *wsk_state(void)
{
    return ke_state(KE_MODULE_WSK);
}

static inline struct net *wsk_net(void)
{
    return wsk_state()->net;
}

/* Puts a client or a socket on its list in the state, and takes it off. */
void wsk_list_insert(LIST_ENTRY *list, LIST_ENTRY *link);
void wsk_list_remove(LIST_ENTRY *link);

/* ---- sockets ---- */

/* What a socket acts as. A stream socket acts as none until it listens or connects. */
enum wsk_role { WSK_ROLE_NONE, WSK_ROLE_LISTENER, WSK_ROLE_CONNECTION, WSK_ROLE_DATAGRAM };

enum wsk_socket_state { WSK_OPENED, WSK_BOUND, WSK_CONNECTING, WSK_CONNECTED, WSK_LISTENING };

struct wsk_socket {
    WSK_SOCKET public; /* first: what the driver sees */
    LIST_ENTRY link;   /* in wsk_state.sockets */
    struct wsk_client *client;
    ADDRESS_FAMILY family;
    USHORT type;
    ULONG protocol;
    ULONG category;       /* WSK_FLAG_..._SOCKET it was made with */
    PVOID context;        /* the driver's; this and dispatch are set before any event */
    const VOID *dispatch; /* the driver's table of the role, or NULL */
    const WSK_CLIENT_STREAM_DISPATCH *stream_dispatch; /* of a stream socket, or NULL */
    PEPROCESS process;   /* whose rights count in sharing of addresses; see share.c */
    const void *creator; /* the driver's call site, or NULL */
    const struct wsk_table_rules *rules; /* under which it got its table; see table.c */
    const VOID *entered;                 /* the table that its client knows it by, or NULL */
    PSECURITY_DESCRIPTOR security;       /* a cached one, referenced, or NULL for the default */
    atomic_bool is_security_named;       /* by an IRP that has not completed */
    /* Written under the lock; a call of the driver looks without it whether it may go on. */
    atomic_bool is_closing;          /* WskCloseSocket was called: no event, no new request */
    atomic_bool is_dead;             /* no longer works: STATUS_FILE_FORCED_CLOSED */
    bool is_refused;                 /* by WskAcceptEvent, which made WSK close it */
    atomic_bool is_closed;           /* the close is completing: only the memory is left */
    atomic_uint dead_calls;          /* that were refused because it is dead */
    _Atomic(const char *) dead_rule; /* by which the driver knows of that, or NULL */

    struct base_mutex lock; /* guards all below */
    struct net_socket *net; /* NULL once an abortive disconnect gave it away */
    enum wsk_role role;
    enum wsk_socket_state state;
    bool is_dead_reported; /* the NULL indication went out */
    unsigned wanted;       /* what net_want was last told */
    ULONG references;
    PIRP close_irp;
    struct net_address local;  /* valid from WSK_BOUND on */
    struct net_address remote; /* valid in WSK_CONNECTED */
    struct wsk_queue receive;  /* receives, or accepts of a listener; their events */
    struct wsk_queue send;     /* connect, sends, disconnect; the backlog event */
    struct wsk_queue control;  /* SIO_ADDRESS_LIST_CHANGE */
    struct wsk_events events;
    struct wsk_share *share; /* its entry in the table of bound addresses; see share.c */
    ULONG options;           /* enum wsk_socket_options of option.h */
    struct wsk_extension_use *extensions; /* registered on it; see extension.c */
    union {
        struct wsk_listener listener;
        struct wsk_connection connection;
        struct wsk_datagram datagram;
    };
};

static inline struct wsk_socket *wsk_socket_of(PWSK_SOCKET socket)
{
    return CONTAINING_RECORD(socket, struct wsk_socket, public);
}

/* Everything WskSocket is told, for those who make sockets. */
struct wsk_socket_request {
    struct wsk_client *client;
    ADDRESS_FAMILY family;
    USHORT type;
    ULONG protocol;
    ULONG category;
    PVOID context;
    const VOID *dispatch;
    PEPROCESS process;
    PETHREAD thread;
    PSECURITY_DESCRIPTOR security;
    const void *creator; /* return address of who asked for it, or NULL */
    const struct wsk_table_rules *rules;
};

/* Whether there are sockets of this category, family, type and protocol: STATUS_SUCCESS, or
 * STATUS_INVALID_PARAMETER, STATUS_NOT_SUPPORTED. (WSK-SOCK-08, WSK-SOCK-32 to -36) */
NTSTATUS wsk_socket_check(const struct wsk_socket_request *request);

/* Makes a socket with one reference and, unless it is a basic one, opens its net socket. */
NTSTATUS wsk_socket_open(const struct wsk_socket_request *request, struct wsk_socket **socket);

/* Gives the socket its net socket; a basic socket has none until a control operation needs it. The
 * lock is held, or nobody else knows the socket yet. */
NTSTATUS wsk_socket_open_net(struct wsk_socket *socket);

/* Makes a connection for one that arrived at a listener; its net socket is taken from the host, or
 * NET_AGAIN (as STATUS_PENDING) if none waits. It inherits no events yet. */
NTSTATUS wsk_socket_accept(struct wsk_socket *listener, struct wsk_socket **accepted);

/* Closes a socket that no driver has seen, or that a driver refused; abortively. */
void wsk_socket_discard(struct wsk_socket *socket);

/* Frees a socket that a driver left open, when the kernel stops. */
void wsk_socket_abandon(struct wsk_socket *socket);

/* Frees the memory of closed sockets. */
void wsk_graves_stop(struct wsk_state *wsk);

/* A reference; the lock is held. */
static inline void wsk_socket_reference_locked(struct wsk_socket *socket)
{
    socket->references++;
}

void wsk_socket_reference(struct wsk_socket *socket);

/* Frees the socket, then completes its close IRP, which may be NULL. */
void wsk_socket_finish_close(struct wsk_socket *socket, PIRP irp);

/* The last one frees the socket and completes WskCloseSocket. The lock is not held. */
void wsk_socket_dereference(struct wsk_socket *socket);

/* The same; the lock is held on entry, not on return. */
void wsk_socket_unlock_and_dereference(struct wsk_socket *socket);

/* The socket no longer works: ends all that is pending with STATUS_FILE_FORCED_CLOSED and indicates
 * NULL where the driver listens. The lock is not held. */
void wsk_socket_kill(struct wsk_socket *socket);

/* Asks the network for what the queues and events of the socket need now. The lock is held. */
void wsk_socket_want(struct wsk_socket *socket);

static inline void wsk_socket_lock(struct wsk_socket *socket)
{
    base_mutex_lock(&socket->lock);
}

static inline void wsk_socket_unlock(struct wsk_socket *socket)
{
    base_mutex_unlock(&socket->lock);
}

/* What a role does. */
struct wsk_role_operations {
    ULONG events; /* that a socket in this role may enable */

    /* Begins the role: its lists and its queues' indicate. The lock is held, or nobody else knows
     * the socket yet. */
    void (*start)(struct wsk_socket *socket);

    /* The net socket is ready; what the role wants of it. Both with the lock held. */
    void (*ready)(struct wsk_socket *socket, unsigned events);
    unsigned (*wanted)(struct wsk_socket *socket);

    /* Frees what the role holds; the net socket has closed, nothing is pending. */
    void (*end)(struct wsk_socket *socket);
};

extern const struct wsk_role_operations wsk_listener_role;
extern const struct wsk_role_operations wsk_connection_role;
extern const struct wsk_role_operations wsk_datagram_role;

/* The operations of the socket's role. The lock is held, or the role does not change any more. */
const struct wsk_role_operations *wsk_role_of(const struct wsk_socket *socket);

/* A stream socket takes a role, with the driver's table of it, or loses it (WSK_ROLE_NONE). */
void wsk_stream_set_role(struct wsk_socket *socket, enum wsk_role role);

/* ---- calls and IRPs: request.c ---- */

/*
 * First statement of each function that takes an IRP: STATUS_SUCCESS, or what the function returns
 * at once: STATUS_INVALID_PARAMETER for a NULL IRP (untouched), STATUS_FILE_FORCED_CLOSED for a
 * dead socket (the IRP is completed). A call after WskCloseSocket is a bug check (WSK-CLOSE-10).
 */
#define wsk_call_begin(socket, irp, function)                                                      \
    wsk_call_begin_from(socket, irp, function, _ReturnAddress())
NTSTATUS wsk_call_begin_from(struct wsk_socket *socket, PIRP irp, const char *function,
                             const void *site);

/* The same for WskControlSocket, whose IRP may be NULL. */
#define wsk_control_begin(socket, irp, function)                                                   \
    wsk_control_begin_from(socket, irp, function, _ReturnAddress())
NTSTATUS wsk_control_begin_from(struct wsk_socket *socket, PIRP irp, const char *function,
                                const void *site);

/* First statement of WskRelease, which takes no IRP. */
#define wsk_release_begin(socket) wsk_release_begin_from(socket, _ReturnAddress())
void wsk_release_begin_from(struct wsk_socket *socket, const void *site);

/* The same for WskCloseSocket, which a dead socket lets through. From then on it is closing. */
#define wsk_close_begin(socket, irp, function)                                                     \
    wsk_close_begin_from(socket, irp, function, _ReturnAddress())
NTSTATUS wsk_close_begin_from(struct wsk_socket *socket, PIRP irp, const char *function,
                              const void *site);

/* Ends a function whose IRP stands in this queue, or has stood there: asks the network for what is
 * needed, and delivers. The lock is held on entry, not on return. Returns STATUS_PENDING. */
NTSTATUS wsk_call_end(struct wsk_queue *queue);

/* The same for an IRP that has its result at once and never stood in the queue, which is idle. */
NTSTATUS wsk_call_end_with(struct wsk_queue *queue, PIRP irp, NTSTATUS status,
                           ULONG_PTR information);

/* Takes over the IRP and marks it pending: WSK's own stack location becomes current. */
void wsk_irp_take(PIRP irp);

/* Completes a refused IRP and returns its status. */
NTSTATUS wsk_irp_refuse(PIRP irp, NTSTATUS status);

/* Completes an IRP whose result is known at once and belongs to no queue, by the completion policy:
 * now or later. socket may be NULL; else it is kept alive until then. Returns STATUS_PENDING. */
NTSTATUS wsk_irp_finish(struct wsk_socket *socket, PIRP irp, NTSTATUS status,
                        ULONG_PTR information);

/* The same for a success whose output the driver has to keep until the IRP completes: that is
 * looked at then. (rule) */
NTSTATUS wsk_irp_finish_output(struct wsk_socket *socket, PIRP irp, ULONG_PTR information,
                               const VOID *output, const char *rule);

/* The same for an IRP that is already taken. */
void wsk_irp_complete(struct wsk_socket *socket, PIRP irp, NTSTATUS status, ULONG_PTR information);

/* The same for an IRP that belongs to no socket: then releases a request of the client. */
void wsk_irp_complete_for_client(struct wsk_client *client, PIRP irp, NTSTATUS status,
                                 ULONG_PTR information);

/* Completes at once with STATUS_SUCCESS and returns it, where a page promises that (WSK-IRP-37). */
NTSTATUS wsk_irp_succeed(PIRP irp, ULONG_PTR information);

/* What a request keeps in its IRP's DriverContext while WSK owns it. The bytes moved so far stand
 * in IoStatus.Information; other arguments in the stack location's Parameters.Others. */
struct wsk_request {
    struct wsk_socket *socket;
    union {
        PMDL mdl;                  /* the first, or NULL */
        struct wsk_client *client; /* of a result without a socket */
        const char *rule;          /* of a result with an output, whose address is left */
    };
    ULONG offset;           /* of the next byte, into the chain */
    USHORT flags;           /* of the call; and WSK_REQUEST_HOLDS and _CONNECTS */
    UCHAR operation;        /* enum wsk_operation */
    UCHAR awaits_canceller; /* its result stands; its cancel routine is still on its way */
    SIZE_T left;
};

enum wsk_operation {
    WSK_OPERATION_ACCEPT,
    WSK_OPERATION_CONNECT,
    WSK_OPERATION_SOCKET_CONNECT,
    WSK_OPERATION_SEND,
    WSK_OPERATION_RECEIVE,
    WSK_OPERATION_DISCONNECT,
    WSK_OPERATION_SEND_TO,
    WSK_OPERATION_RECEIVE_FROM,
    WSK_OPERATION_DISABLE_EVENT,
    WSK_OPERATION_CONTROL,
    WSK_OPERATION_CLOSE,
    WSK_OPERATION_RESULT, /* belongs to no queue: its result is known */
};

/* The request is pending and has its MDLs held. */
#define WSK_REQUEST_HOLDS 0x8000

/* The request is that of WskConnectEx, also while it sends. */
#define WSK_REQUEST_CONNECTS 0x4000

static inline struct wsk_request *wsk_request_of(PIRP irp)
{
    return (struct wsk_request *)(PVOID)irp->Tail.Overlay.DriverContext;
}

/* Fills the request; buffer may be NULL. A buffer that breaks WSK-BUF-03, -05 or -08 is a bug
 * check; one that breaks WSK-BUF-02 works, with a warning. */
void wsk_request_start(PIRP irp, struct wsk_socket *socket, enum wsk_operation operation,
                       const WSK_BUF *buffer, ULONG flags);

/* The request stays pending, so the driver must leave its memory alone; and will be completed now.
 */
void wsk_request_hold(PIRP irp);
void wsk_request_let_go(PIRP irp);

/* What a cancelled request leaves behind at its socket. The lock is held. */
void wsk_request_cancelled(struct wsk_socket *socket, PIRP irp);

/* Completes WskCloseSocket of a socket without references, which goes with it. */
void wsk_irp_complete_close(struct wsk_socket *socket, PIRP irp);

void wsk_requests_start(struct wsk_state *wsk);
void wsk_outlook_start(struct wsk_state *wsk);
void wsk_holders_start(void);

/* The next pieces of memory; returns how many, at most NET_BUFFERS_MAX. */
unsigned wsk_request_buffers(const struct wsk_request *request, struct net_buffer *buffers);
void wsk_request_advance(PIRP irp, SIZE_T moved);

/* Copies into the request's memory what fits, and advances; returns how much. */
SIZE_T wsk_request_copy_in(PIRP irp, const void *data, SIZE_T length);

/* The pieces of a WSK_BUF that is no request; the same checks. */
unsigned wsk_buffer_pieces(const WSK_BUF *buffer, struct net_buffer *buffers);

/* ---- addresses and errors: address.c ---- */

bool wsk_address_from(const SOCKADDR *sockaddr, struct net_address *address);
void wsk_address_to(const struct net_address *address, SOCKADDR *sockaddr);

/* Reads an address that must be of the socket's family; STATUS_INVALID_PARAMETER otherwise. */
NTSTATUS wsk_address_of(const struct wsk_socket *socket, const SOCKADDR *sockaddr,
                        struct net_address *address);

/* Says that the address that a function was given is none of the socket's family. */
void wsk_address_warn(const char *rule, const char *function, const struct wsk_socket *socket,
                      const SOCKADDR *sockaddr);
bool wsk_address_is_wildcard(const struct net_address *address);
enum net_family wsk_net_family(ADDRESS_FAMILY family);
NTSTATUS wsk_status(enum net_error error);

/* Binds a socket (bind.c); the lock is held. A listening socket listens then. */
NTSTATUS wsk_bind_address(struct wsk_socket *socket, const struct net_address *address);

/* An IRP of the socket is about to be completed: its first is the one that made the socket, and
 * from then on the driver may release the descriptor that it named. (WSK-SEC-06) */
static inline void wsk_security_settle(struct wsk_socket *socket)
{
    if (atomic_load_explicit(&socket->is_security_named, memory_order_relaxed)) {
        wsk_security_settle_named(socket);
    }
}

/* ---- sharing of local addresses: share.c ---- */

/* Enters the socket's address into the table of bound addresses before it is bound, or refuses:
 * STATUS_ADDRESS_ALREADY_EXISTS, STATUS_ACCESS_DENIED. The lock is held. (WSK-SHR) */
NTSTATUS wsk_share_enter(struct wsk_socket *socket, const struct net_address *address);

/* The port is known: the bind succeeded with this address. */
void wsk_share_settle(struct wsk_socket *socket, const struct net_address *bound);
void wsk_share_leave(struct wsk_socket *socket);

/* ---- tables ---- */

extern WSK_PROVIDER_DISPATCH wsk_provider_dispatch;

/* A table that a socket has, and what stops who takes it for a longer one. */
#define WSK_TABLE(type, name)                                                                      \
    struct name##_and_beyond {                                                                     \
        type table;                                                                                \
        wsk_beyond *beyond[WSK_BEYOND];                                                            \
    };                                                                                             \
    extern struct name##_and_beyond name##_and_beyond

WSK_TABLE(WSK_PROVIDER_BASIC_DISPATCH, wsk_basic);
WSK_TABLE(WSK_PROVIDER_LISTEN_DISPATCH, wsk_listener);
WSK_TABLE(WSK_PROVIDER_CONNECTION_DISPATCH, wsk_connection);
WSK_TABLE(WSK_PROVIDER_DATAGRAM_DISPATCH, wsk_datagram);
WSK_TABLE(WSK_PROVIDER_STREAM_DISPATCH, wsk_stream);

#define wsk_basic_dispatch wsk_basic_and_beyond.table
#define wsk_listen_dispatch wsk_listener_and_beyond.table
#define wsk_connection_dispatch wsk_connection_and_beyond.table
#define wsk_datagram_dispatch wsk_datagram_and_beyond.table
#define wsk_stream_dispatch wsk_stream_and_beyond.table

/* The functions of these tables; each is in the file that its name says. */
NTSTATUS WSKAPI wsk_socket(PWSK_CLIENT Client, ADDRESS_FAMILY AddressFamily, USHORT SocketType,
                           ULONG Protocol, ULONG Flags, PVOID SocketContext, CONST VOID *Dispatch,
                           PEPROCESS OwningProcess, PETHREAD OwningThread,
                           PSECURITY_DESCRIPTOR SecurityDescriptor, PIRP Irp);
NTSTATUS WSKAPI wsk_socket_connect(PWSK_CLIENT Client, USHORT SocketType, ULONG Protocol,
                                   PSOCKADDR LocalAddress, PSOCKADDR RemoteAddress, ULONG Flags,
                                   PVOID SocketContext,
                                   CONST WSK_CLIENT_CONNECTION_DISPATCH *Dispatch,
                                   PEPROCESS OwningProcess, PETHREAD OwningThread,
                                   PSECURITY_DESCRIPTOR SecurityDescriptor, PIRP Irp);
NTSTATUS WSKAPI wsk_control_client(PWSK_CLIENT Client, ULONG ControlCode, SIZE_T InputSize,
                                   PVOID InputBuffer, SIZE_T OutputSize, PVOID OutputBuffer,
                                   SIZE_T *OutputSizeReturned, PIRP Irp);
NTSTATUS WSKAPI wsk_get_address_info(PWSK_CLIENT Client, PUNICODE_STRING NodeName,
                                     PUNICODE_STRING ServiceName, ULONG NameSpace, GUID *Provider,
                                     PADDRINFOEXW Hints, PADDRINFOEXW *Result,
                                     PEPROCESS OwningProcess, PETHREAD OwningThread, PIRP Irp);
VOID WSKAPI wsk_free_address_info(PWSK_CLIENT Client, PADDRINFOEXW AddrInfo);
NTSTATUS WSKAPI wsk_get_name_info(PWSK_CLIENT Client, PSOCKADDR SockAddr, ULONG SockAddrLength,
                                  PUNICODE_STRING NodeName, PUNICODE_STRING ServiceName,
                                  ULONG Flags, PEPROCESS OwningProcess, PETHREAD OwningThread,
                                  PIRP Irp);

NTSTATUS WSKAPI wsk_control_socket(PWSK_SOCKET Socket, WSK_CONTROL_SOCKET_TYPE RequestType,
                                   ULONG ControlCode, ULONG Level, SIZE_T InputSize,
                                   PVOID InputBuffer, SIZE_T OutputSize, PVOID OutputBuffer,
                                   SIZE_T *OutputSizeReturned, PIRP Irp);
NTSTATUS WSKAPI wsk_close_socket(PWSK_SOCKET Socket, PIRP Irp);
NTSTATUS WSKAPI wsk_bind(PWSK_SOCKET Socket, PSOCKADDR LocalAddress, ULONG Flags, PIRP Irp);
NTSTATUS WSKAPI wsk_get_local_address(PWSK_SOCKET Socket, PSOCKADDR LocalAddress, PIRP Irp);
NTSTATUS WSKAPI wsk_get_remote_address(PWSK_SOCKET Socket, PSOCKADDR RemoteAddress, PIRP Irp);

NTSTATUS WSKAPI wsk_listen(PWSK_SOCKET Socket, PIRP Irp);
NTSTATUS WSKAPI wsk_accept(PWSK_SOCKET ListenSocket, ULONG Flags, PVOID AcceptSocketContext,
                           CONST WSK_CLIENT_CONNECTION_DISPATCH *AcceptSocketDispatch,
                           PSOCKADDR LocalAddress, PSOCKADDR RemoteAddress, PIRP Irp);
NTSTATUS WSKAPI wsk_inspect_complete(PWSK_SOCKET ListenSocket, PWSK_INSPECT_ID InspectID,
                                     WSK_INSPECT_ACTION Action, PIRP Irp);

NTSTATUS WSKAPI wsk_connect(PWSK_SOCKET Socket, PSOCKADDR RemoteAddress, ULONG Flags, PIRP Irp);
NTSTATUS WSKAPI wsk_connect_ex(PWSK_SOCKET Socket, PSOCKADDR RemoteAddress, PWSK_BUF Buffer,
                               ULONG Flags, PIRP Irp);
NTSTATUS WSKAPI wsk_send(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags, PIRP Irp);
NTSTATUS WSKAPI wsk_send_ex(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags,
                            ULONG ControlInfoLength, PCMSGHDR ControlInfo, PIRP Irp);
NTSTATUS WSKAPI wsk_receive(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags, PIRP Irp);
NTSTATUS WSKAPI wsk_receive_ex(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags,
                               PULONG ControlInfoLength, PCMSGHDR ControlInfo, PULONG ControlFlags,
                               PIRP Irp);
NTSTATUS WSKAPI wsk_disconnect(PWSK_SOCKET Socket, PWSK_BUF Buffer, ULONG Flags, PIRP Irp);
NTSTATUS WSKAPI wsk_release_data(PWSK_SOCKET Socket, PWSK_DATA_INDICATION DataIndication);

#endif
