#include <winsock2.h>
#include <ws2tcpip.h>

#include "net/uv/descriptor.h"

#include "net/uv/address.h"
#include "net/uv/error.h"

#include <mswsock.h>

#ifndef SIO_UDP_NETRESET
#define SIO_UDP_NETRESET _WSAIOW(IOC_VENDOR, 15)
#endif

#define NEVER_CONNECTED 0xFFFFFFFFu /* as SO_CONNECT_TIME says it */

static void turn(uv_os_sock_t sock, int level, int name, int value)
{
    setsockopt(sock, level, name, (const char *)&value, sizeof(value));
}

static void turn_off(uv_os_sock_t sock, DWORD code)
{
    BOOL off = FALSE;
    DWORD bytes = 0;
    WSAIoctl(sock, code, &off, sizeof(off), NULL, 0, &bytes, NULL, NULL);
}

/* Each datagram says where it went to; what ICMP tells of those that were sent is not told. */
static void set_defaults(uv_os_sock_t sock, enum net_family family, enum net_type type)
{
    if (type == NET_STREAM) {
        return;
    }
    turn(sock, IPPROTO_IP, IP_PKTINFO, 1);
    if (family == NET_IPV6) {
        turn(sock, IPPROTO_IPV6, IPV6_PKTINFO, 1);
    }
    turn_off(sock, SIO_UDP_CONNRESET);
    turn_off(sock, SIO_UDP_NETRESET);
}

static enum net_error make_non_blocking(uv_os_sock_t sock)
{
    u_long on = 1;
    enum net_error error = error_of_call(ioctlsocket(sock, FIONBIO, &on));
    if (error != NET_OK) {
        closesocket(sock);
    }
    return error;
}

enum net_error descriptor_open(enum net_family family, enum net_type type, int protocol,
                               uv_os_sock_t *sock)
{
    int domain = family == NET_IPV4 ? AF_INET : AF_INET6;
    int kind = type == NET_STREAM ? SOCK_STREAM : type == NET_DATAGRAM ? SOCK_DGRAM : SOCK_RAW;
    *sock = WSASocketW(domain, kind, type == NET_RAW ? protocol : 0, NULL, 0,
                       WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    if (*sock == INVALID_SOCKET) {
        return error_of_host(WSAGetLastError());
    }
    set_defaults(*sock, family, type);
    return make_non_blocking(*sock);
}

/* Windows itself has the rules of sharing by which the emulator above decided. */
enum net_error descriptor_bind(uv_os_sock_t sock, enum net_type type,
                               const struct net_address *address, bool is_shared)
{
    struct sockaddr_storage host;
    int length = address_to_host(address, &host);
    (void)type;
    if (is_shared && address->port != 0) {
        turn(sock, SOL_SOCKET, SO_REUSEADDR, 1);
    }
    return error_of_call(bind(sock, (struct sockaddr *)&host, length));
}

enum net_error descriptor_listen(uv_os_sock_t sock, int backlog)
{
    return error_of_call(listen(sock, backlog));
}

/* A connection that its peer has reset in the queue: there may be another. */
enum net_error descriptor_accept(uv_os_sock_t listener, uv_os_sock_t *accepted,
                                 struct net_address *remote)
{
    struct sockaddr_storage host;
    do {
        int length = sizeof(host);
        *accepted = accept(listener, (struct sockaddr *)&host, &length);
    } while (*accepted == INVALID_SOCKET && WSAGetLastError() == WSAECONNRESET);
    if (*accepted == INVALID_SOCKET) {
        return error_of_host(WSAGetLastError());
    }
    address_from_host(&host, remote);
    return make_non_blocking(*accepted);
}

enum net_error descriptor_connect(uv_os_sock_t sock, const struct net_address *address)
{
    struct sockaddr_storage host;
    int length = address_to_host(address, &host);
    return error_of_call(connect(sock, (struct sockaddr *)&host, length));
}

enum net_error descriptor_error(uv_os_sock_t sock)
{
    int error = 0;
    int length = sizeof(error);
    if (getsockopt(sock, SOL_SOCKET, SO_ERROR, (char *)&error, &length) != 0) {
        return error_of_host(WSAGetLastError());
    }
    return error_of_host(error);
}

static void fill(WSABUF *pieces, const struct net_buffer *buffers, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        pieces[i].buf = buffers[i].base;
        pieces[i].len = (ULONG)buffers[i].length;
    }
}

enum net_error descriptor_receive(uv_os_sock_t sock, const struct net_buffer *buffers,
                                  unsigned count, size_t *moved)
{
    WSABUF pieces[NET_BUFFERS_MAX];
    DWORD bytes = 0;
    DWORD flags = 0;
    fill(pieces, buffers, count);
    int returned = WSARecv(sock, pieces, count, &bytes, &flags, NULL, NULL);
    *moved = bytes;
    return error_of_call(returned);
}

enum net_error descriptor_send(uv_os_sock_t sock, const struct net_buffer *buffers, unsigned count,
                               size_t *moved)
{
    WSABUF pieces[NET_BUFFERS_MAX];
    DWORD bytes = 0;
    fill(pieces, buffers, count);
    int returned = WSASend(sock, pieces, count, &bytes, 0, NULL, NULL);
    *moved = bytes;
    return error_of_call(returned);
}

enum net_error descriptor_unread(uv_os_sock_t sock, size_t *bytes)
{
    u_long unread = 0;
    enum net_error error = error_of_call(ioctlsocket(sock, FIONREAD, &unread));
    *bytes = unread;
    return error;
}

enum net_error descriptor_shutdown_send(uv_os_sock_t sock)
{
    return error_of_call(shutdown(sock, SD_SEND));
}

enum net_error descriptor_local(uv_os_sock_t sock, struct net_address *address)
{
    struct sockaddr_storage host;
    int length = sizeof(host);
    if (getsockname(sock, (struct sockaddr *)&host, &length) != 0) {
        return error_of_host(WSAGetLastError());
    }
    return address_from_host(&host, address) ? NET_OK : NET_NOT_SUPPORTED;
}

enum net_error descriptor_remote(uv_os_sock_t sock, struct net_address *address)
{
    struct sockaddr_storage host;
    int length = sizeof(host);
    if (getpeername(sock, (struct sockaddr *)&host, &length) != 0) {
        return error_of_host(WSAGetLastError());
    }
    return address_from_host(&host, address) ? NET_OK : NET_NOT_SUPPORTED;
}

/* Wine keeps a reset to itself: neither SO_ERROR nor a receive tells it. It is seen by the address,
 * which is forgotten, of a socket that has the time when it was connected. The time is asked for
 * first, for the connect may succeed between the two questions. */
enum net_error descriptor_connected(uv_os_sock_t sock)
{
    struct net_address remote;
    DWORD seconds = NEVER_CONNECTED;
    int length = sizeof(seconds);
    bool was_connected =
        getsockopt(sock, SOL_SOCKET, SO_CONNECT_TIME, (char *)&seconds, &length) == 0 &&
        seconds != NEVER_CONNECTED;
    if (descriptor_remote(sock, &remote) == NET_OK) {
        return NET_OK;
    }
    return was_connected ? NET_RESET : NET_AGAIN;
}

enum net_error descriptor_set(uv_os_sock_t sock, int level, int name, const void *value,
                              size_t length)
{
    return error_of_call(setsockopt(sock, level, name, value, (int)length));
}

enum net_error descriptor_get(uv_os_sock_t sock, int level, int name, int *value)
{
    int length = sizeof(*value);
    *value = 0;
    return error_of_call(getsockopt(sock, level, name, (char *)value, &length));
}

void descriptor_close(uv_os_sock_t sock, bool is_abortive)
{
    if (is_abortive) {
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        setsockopt(sock, SOL_SOCKET, SO_LINGER, (const char *)&reset, sizeof(reset));
    }
    closesocket(sock);
}

/* libuv asks for a reset only together with data, and data that nobody reads would be told without
 * end. So a reset behind unread data stays untold until that was read. */
int descriptor_hang_up_events(uv_os_sock_t sock)
{
    size_t unread = 0;
    bool is_empty = descriptor_unread(sock, &unread) != NET_OK || unread == 0;
    return UV_DISCONNECT | (is_empty ? UV_READABLE : 0);
}

bool descriptor_has_hung_up(uv_os_sock_t sock, int uv_events)
{
    char byte;
    if ((uv_events & UV_DISCONNECT) != 0) {
        return true;
    }
    if ((uv_events & UV_READABLE) == 0) {
        return false;
    }
    int peeked = recv(sock, &byte, 1, MSG_PEEK);
    return peeked == 0 || (peeked < 0 && WSAGetLastError() != WSAEWOULDBLOCK);
}
