/*
 * Sockets of Linux.
 *
 * Which local addresses two sockets of the emulator may share is decided above the wall; Linux must
 * merely not refuse. It looks at the flags of both sockets at the moment of the second's bind or
 * listen (measured on Linux 6.18, for wildcard and specific addresses in each order):
 *
 *   datagrams   wildcard beside specific and the same address twice: both need SO_REUSEADDR.
 *   streams     the same while neither listens: both need SO_REUSEADDR. One that listens is shared
 *               only if both have SO_REUSEPORT too, and the same user.
 *   TIME_WAIT   a port whose connections wait there: SO_REUSEADDR on both, which accepted sockets
 *               take over from their listener. Windows always lets a listener have such a port.
 *
 * So a socket gets after its bind what the next one will need of it, and before its bind only what
 * it needs itself: a socket that shares nothing still meets NET_ADDRESS_IN_USE, also where the
 * other one is another process's. Only two streams that do not listen yet are told apart first by
 * their listen. With port 0 nothing is shared, or Linux might choose a port that is taken.
 */
#include "net/uv/descriptor.h"

#include "net/uv/address.h"
#include "net/uv/error.h"
#include "net/uv/linux/call.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static void turn(uv_os_sock_t sock, int level, int name, int value)
{
    setsockopt(sock, level, name, &value, sizeof(value));
}

/* As on Windows: IPv6 alone, and no group that the socket has not joined. Each datagram says where
 * it went to, on a socket of both families in both ways. */
static void set_defaults(uv_os_sock_t sock, enum net_family family, enum net_type type)
{
    if (family == NET_IPV6) {
        turn(sock, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    }
    if (type == NET_STREAM) {
        return;
    }
    turn(sock, IPPROTO_IP, IP_PKTINFO, 1);
    turn(sock, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    if (family == NET_IPV6) {
        turn(sock, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        turn(sock, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
    }
}

enum net_error descriptor_open(enum net_family family, enum net_type type, int protocol,
                               uv_os_sock_t *sock)
{
    int domain = family == NET_IPV4 ? AF_INET : AF_INET6;
    int kind = type == NET_STREAM ? SOCK_STREAM : type == NET_DATAGRAM ? SOCK_DGRAM : SOCK_RAW;
    *sock = socket(domain, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, type == NET_RAW ? protocol : 0);
    if (*sock < 0) {
        return error_of_host(errno);
    }
    set_defaults(*sock, family, type);
    return NET_OK;
}

enum net_error descriptor_bind(uv_os_sock_t sock, enum net_type type,
                               const struct net_address *address, bool is_shared)
{
    struct sockaddr_storage host;
    int length = address_to_host(address, &host);
    bool is_sharing = is_shared && address->port != 0;
    turn(sock, SOL_SOCKET, SO_REUSEADDR, type == NET_STREAM || is_sharing);
    turn(sock, SOL_SOCKET, SO_REUSEPORT, type == NET_STREAM && is_sharing);
    if (bind(sock, (struct sockaddr *)&host, (socklen_t)length) != 0) {
        return error_of_host(errno);
    }
    turn(sock, SOL_SOCKET, SO_REUSEADDR, 1);
    turn(sock, SOL_SOCKET, SO_REUSEPORT, type == NET_STREAM);
    return NET_OK;
}

enum net_error descriptor_listen(uv_os_sock_t sock, int backlog)
{
    return error_of_call(listen(sock, backlog));
}

/* Errors that are those of a connection which died in the queue: there may be another. */
static bool is_of_connection(int error)
{
    return error == ECONNABORTED || error == EPROTO || error == ENETDOWN || error == EHOSTDOWN ||
           error == EHOSTUNREACH || error == ENETUNREACH || error == ENONET;
}

enum net_error descriptor_accept(uv_os_sock_t listener, uv_os_sock_t *accepted,
                                 struct net_address *remote)
{
    struct sockaddr_storage host;
    do {
        socklen_t length = sizeof(host);
        *accepted =
            accept4(listener, (struct sockaddr *)&host, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (*accepted < 0 && is_of_connection(errno));
    if (*accepted < 0) {
        return error_of_host(errno);
    }
    address_from_host(&host, remote);
    return NET_OK;
}

enum net_error descriptor_connect(uv_os_sock_t sock, const struct net_address *address)
{
    struct sockaddr_storage host;
    int length = address_to_host(address, &host);
    return error_of_call(connect(sock, (struct sockaddr *)&host, (socklen_t)length));
}

/* After a failed connect Linux refuses to listen, and to connect once, until told that there is
 * nobody; then it forgets a port that it chose itself. */
static void forget_connect(uv_os_sock_t sock)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    struct sockaddr_storage local;
    socklen_t length = sizeof(local);
    bool is_known = getsockname(sock, (struct sockaddr *)&local, &length) == 0;
    connect(sock, &nobody, sizeof(nobody));
    if (is_known) {
        bind(sock, (struct sockaddr *)&local, length);
    }
}

enum net_error descriptor_error(uv_os_sock_t sock)
{
    int error = 0;
    socklen_t length = sizeof(error);
    if (getsockopt(sock, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
        return error_of_host(errno);
    }
    if (error != 0 && error != ECONNRESET) {
        forget_connect(sock);
    }
    return error_of_host(error);
}

static void fill(struct msghdr *message, struct iovec *pieces, const struct net_buffer *buffers,
                 unsigned count)
{
    memset(message, 0, sizeof(*message));
    for (unsigned i = 0; i < count; i++) {
        pieces[i].iov_base = buffers[i].base;
        pieces[i].iov_len = buffers[i].length;
    }
    message->msg_iov = pieces;
    message->msg_iovlen = count;
}

static enum net_error moved_or_error(ssize_t moved, size_t *out)
{
    *out = moved < 0 ? 0 : (size_t)moved;
    return moved < 0 ? error_of_host(errno) : NET_OK;
}

enum net_error descriptor_receive(uv_os_sock_t sock, const struct net_buffer *buffers,
                                  unsigned count, size_t *moved)
{
    struct msghdr message;
    struct iovec pieces[NET_BUFFERS_MAX];
    if (count == 1) {
        return moved_or_error(call_recv(sock, buffers->base, buffers->length), moved);
    }
    fill(&message, pieces, buffers, count);
    return moved_or_error(recvmsg(sock, &message, 0), moved);
}

enum net_error descriptor_send(uv_os_sock_t sock, const struct net_buffer *buffers, unsigned count,
                               size_t *moved)
{
    struct msghdr message;
    struct iovec pieces[NET_BUFFERS_MAX];
    if (count == 1) {
        return moved_or_error(call_send(sock, buffers->base, buffers->length), moved);
    }
    fill(&message, pieces, buffers, count);
    return moved_or_error(sendmsg(sock, &message, MSG_NOSIGNAL), moved);
}

enum net_error descriptor_unread(uv_os_sock_t sock, size_t *bytes)
{
    int unread = 0;
    enum net_error error = error_of_call(ioctl(sock, FIONREAD, &unread));
    *bytes = (size_t)unread;
    return error;
}

enum net_error descriptor_shutdown_send(uv_os_sock_t sock)
{
    return error_of_call(shutdown(sock, SHUT_WR));
}

enum net_error descriptor_local(uv_os_sock_t sock, struct net_address *address)
{
    struct sockaddr_storage host;
    socklen_t length = sizeof(host);
    if (getsockname(sock, (struct sockaddr *)&host, &length) != 0) {
        return error_of_host(errno);
    }
    return address_from_host(&host, address) ? NET_OK : NET_NOT_SUPPORTED;
}

enum net_error descriptor_remote(uv_os_sock_t sock, struct net_address *address)
{
    struct sockaddr_storage host;
    socklen_t length = sizeof(host);
    if (getpeername(sock, (struct sockaddr *)&host, &length) != 0) {
        return error_of_host(errno);
    }
    return address_from_host(&host, address) ? NET_OK : NET_NOT_SUPPORTED;
}

/* A reset since the question for an error is told by the next such question. */
enum net_error descriptor_connected(uv_os_sock_t sock)
{
    struct net_address remote;
    return descriptor_remote(sock, &remote) == NET_OK ? NET_OK : NET_AGAIN;
}

enum net_error descriptor_set(uv_os_sock_t sock, int level, int name, const void *value,
                              size_t length)
{
    return error_of_call(setsockopt(sock, level, name, value, (socklen_t)length));
}

enum net_error descriptor_get(uv_os_sock_t sock, int level, int name, int *value)
{
    socklen_t length = sizeof(*value);
    *value = 0;
    return error_of_call(getsockopt(sock, level, name, value, &length));
}

void descriptor_close(uv_os_sock_t sock, bool is_abortive)
{
    if (is_abortive) {
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        setsockopt(sock, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    }
    close(sock);
}

int descriptor_hang_up_events(uv_os_sock_t sock)
{
    (void)sock;
    return UV_DISCONNECT;
}

bool descriptor_has_hung_up(uv_os_sock_t sock, int uv_events)
{
    (void)sock;
    return (uv_events & UV_DISCONNECT) != 0;
}
