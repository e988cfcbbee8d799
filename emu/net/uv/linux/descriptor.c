#include "net/uv/descriptor.h"

#include "net/uv/address.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct translation {
    int host;
    enum net_error error;
};

static const struct translation translations[] = {
    {0, NET_OK},
    {EAGAIN, NET_AGAIN},
    {EINTR, NET_AGAIN},
    {EINPROGRESS, NET_AGAIN},
    {ENOMEM, NET_NO_MEMORY},
    {ENOBUFS, NET_NO_MEMORY},
    {EADDRINUSE, NET_ADDRESS_IN_USE},
    {EADDRNOTAVAIL, NET_ADDRESS_NOT_AVAILABLE},
    {EACCES, NET_ACCESS_DENIED},
    {EPERM, NET_ACCESS_DENIED},
    {ECONNREFUSED, NET_REFUSED},
    {ECONNRESET, NET_RESET},
    {ECONNABORTED, NET_ABORTED},
    {ETIMEDOUT, NET_TIMED_OUT},
    {ENETUNREACH, NET_UNREACHABLE_NETWORK},
    {EHOSTUNREACH, NET_UNREACHABLE_HOST},
    {ENOTCONN, NET_NOT_CONNECTED},
    {EPIPE, NET_SHUT_DOWN},
    {EMFILE, NET_TOO_MANY},
    {ENFILE, NET_TOO_MANY},
    {EAFNOSUPPORT, NET_NOT_SUPPORTED},
    {EOPNOTSUPP, NET_NOT_SUPPORTED},
};

static enum net_error translate(int host)
{
    for (size_t i = 0; i < sizeof(translations) / sizeof(translations[0]); i++) {
        if (translations[i].host == host) {
            return translations[i].error;
        }
    }
    return NET_INVALID;
}

static enum net_error result(int returned)
{
    return returned == 0 ? NET_OK : translate(errno);
}

enum net_error descriptor_open(enum net_family family, enum net_type type, uv_os_sock_t *sock)
{
    int domain = family == NET_IPV4 ? AF_INET : AF_INET6;
    int kind = type == NET_STREAM ? SOCK_STREAM : SOCK_DGRAM;
    *sock = socket(domain, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return *sock < 0 ? translate(errno) : NET_OK;
}

enum net_error descriptor_bind(uv_os_sock_t sock, const struct net_address *address)
{
    struct sockaddr_storage host;
    int on = 1;
    int length = address_to_host(address, &host);
    /* Windows lets a listener take the port of connections in TIME_WAIT; Linux wants to be told. */
    setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    return result(bind(sock, (struct sockaddr *)&host, (socklen_t)length));
}

enum net_error descriptor_listen(uv_os_sock_t sock, int backlog)
{
    return result(listen(sock, backlog));
}

enum net_error descriptor_accept(uv_os_sock_t listener, uv_os_sock_t *accepted)
{
    *accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return *accepted < 0 ? translate(errno) : NET_OK;
}

enum net_error descriptor_connect(uv_os_sock_t sock, const struct net_address *address)
{
    struct sockaddr_storage host;
    int length = address_to_host(address, &host);
    return result(connect(sock, (struct sockaddr *)&host, (socklen_t)length));
}

enum net_error descriptor_error(uv_os_sock_t sock)
{
    int error = 0;
    socklen_t length = sizeof(error);
    if (getsockopt(sock, SOL_SOCKET, SO_ERROR, &error, &length) != 0) {
        return translate(errno);
    }
    return translate(error);
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
    return moved < 0 ? translate(errno) : NET_OK;
}

enum net_error descriptor_receive(uv_os_sock_t sock, const struct net_buffer *buffers,
                                  unsigned count, size_t *moved)
{
    struct msghdr message;
    struct iovec pieces[NET_BUFFERS_MAX];
    fill(&message, pieces, buffers, count);
    return moved_or_error(recvmsg(sock, &message, 0), moved);
}

enum net_error descriptor_send(uv_os_sock_t sock, const struct net_buffer *buffers, unsigned count,
                               size_t *moved)
{
    struct msghdr message;
    struct iovec pieces[NET_BUFFERS_MAX];
    fill(&message, pieces, buffers, count);
    return moved_or_error(sendmsg(sock, &message, MSG_NOSIGNAL), moved);
}

enum net_error descriptor_shutdown_send(uv_os_sock_t sock)
{
    return result(shutdown(sock, SHUT_WR));
}

enum net_error descriptor_local(uv_os_sock_t sock, struct net_address *address)
{
    struct sockaddr_storage host;
    socklen_t length = sizeof(host);
    if (getsockname(sock, (struct sockaddr *)&host, &length) != 0) {
        return translate(errno);
    }
    return address_from_host(&host, address) ? NET_OK : NET_NOT_SUPPORTED;
}

enum net_error descriptor_remote(uv_os_sock_t sock, struct net_address *address)
{
    struct sockaddr_storage host;
    socklen_t length = sizeof(host);
    if (getpeername(sock, (struct sockaddr *)&host, &length) != 0) {
        return translate(errno);
    }
    return address_from_host(&host, address) ? NET_OK : NET_NOT_SUPPORTED;
}

void descriptor_close(uv_os_sock_t sock, bool is_abortive)
{
    if (is_abortive) {
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        setsockopt(sock, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    }
    close(sock);
}
