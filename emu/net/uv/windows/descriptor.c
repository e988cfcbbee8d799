#include <winsock2.h>
#include <ws2tcpip.h>

#include "net/uv/descriptor.h"

#include "net/uv/address.h"

#include <string.h>

struct translation {
    int host;
    enum net_error error;
};

static const struct translation translations[] = {
    {0, NET_OK},
    {WSAEWOULDBLOCK, NET_AGAIN},
    {WSAEINTR, NET_AGAIN},
    {WSAEINPROGRESS, NET_AGAIN},
    {WSAENOBUFS, NET_NO_MEMORY},
    {WSAEADDRINUSE, NET_ADDRESS_IN_USE},
    {WSAEADDRNOTAVAIL, NET_ADDRESS_NOT_AVAILABLE},
    {WSAEACCES, NET_ACCESS_DENIED},
    {WSAECONNREFUSED, NET_REFUSED},
    {WSAECONNRESET, NET_RESET},
    {WSAECONNABORTED, NET_ABORTED},
    {WSAETIMEDOUT, NET_TIMED_OUT},
    {WSAENETUNREACH, NET_UNREACHABLE_NETWORK},
    {WSAEHOSTUNREACH, NET_UNREACHABLE_HOST},
    {WSAENOTCONN, NET_NOT_CONNECTED},
    {WSAESHUTDOWN, NET_SHUT_DOWN},
    {WSAEMFILE, NET_TOO_MANY},
    {WSAEAFNOSUPPORT, NET_NOT_SUPPORTED},
    {WSAEOPNOTSUPP, NET_NOT_SUPPORTED},
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
    return returned == 0 ? NET_OK : translate(WSAGetLastError());
}

static enum net_error make_non_blocking(uv_os_sock_t sock)
{
    u_long on = 1;
    enum net_error error = result(ioctlsocket(sock, FIONBIO, &on));
    if (error != NET_OK) {
        closesocket(sock);
    }
    return error;
}

enum net_error descriptor_open(enum net_family family, enum net_type type, uv_os_sock_t *sock)
{
    int domain = family == NET_IPV4 ? AF_INET : AF_INET6;
    int kind = type == NET_STREAM ? SOCK_STREAM : SOCK_DGRAM;
    *sock = WSASocketW(domain, kind, 0, NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    return *sock == INVALID_SOCKET ? translate(WSAGetLastError()) : make_non_blocking(*sock);
}

enum net_error descriptor_bind(uv_os_sock_t sock, const struct net_address *address)
{
    struct sockaddr_storage host;
    int length = address_to_host(address, &host);
    return result(bind(sock, (struct sockaddr *)&host, length));
}

enum net_error descriptor_listen(uv_os_sock_t sock, int backlog)
{
    return result(listen(sock, backlog));
}

enum net_error descriptor_accept(uv_os_sock_t listener, uv_os_sock_t *accepted)
{
    *accepted = accept(listener, NULL, NULL);
    return *accepted == INVALID_SOCKET ? translate(WSAGetLastError())
                                       : make_non_blocking(*accepted);
}

enum net_error descriptor_connect(uv_os_sock_t sock, const struct net_address *address)
{
    struct sockaddr_storage host;
    int length = address_to_host(address, &host);
    return result(connect(sock, (struct sockaddr *)&host, length));
}

enum net_error descriptor_error(uv_os_sock_t sock)
{
    int error = 0;
    int length = sizeof(error);
    if (getsockopt(sock, SOL_SOCKET, SO_ERROR, (char *)&error, &length) != 0) {
        return translate(WSAGetLastError());
    }
    return translate(error);
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
    return result(returned);
}

enum net_error descriptor_send(uv_os_sock_t sock, const struct net_buffer *buffers, unsigned count,
                               size_t *moved)
{
    WSABUF pieces[NET_BUFFERS_MAX];
    DWORD bytes = 0;
    fill(pieces, buffers, count);
    int returned = WSASend(sock, pieces, count, &bytes, 0, NULL, NULL);
    *moved = bytes;
    return result(returned);
}

enum net_error descriptor_shutdown_send(uv_os_sock_t sock)
{
    return result(shutdown(sock, SD_SEND));
}

enum net_error descriptor_local(uv_os_sock_t sock, struct net_address *address)
{
    struct sockaddr_storage host;
    int length = sizeof(host);
    if (getsockname(sock, (struct sockaddr *)&host, &length) != 0) {
        return translate(WSAGetLastError());
    }
    return address_from_host(&host, address) ? NET_OK : NET_NOT_SUPPORTED;
}

enum net_error descriptor_remote(uv_os_sock_t sock, struct net_address *address)
{
    struct sockaddr_storage host;
    int length = sizeof(host);
    if (getpeername(sock, (struct sockaddr *)&host, &length) != 0) {
        return translate(WSAGetLastError());
    }
    return address_from_host(&host, address) ? NET_OK : NET_NOT_SUPPORTED;
}

void descriptor_close(uv_os_sock_t sock, bool is_abortive)
{
    if (is_abortive) {
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        setsockopt(sock, SOL_SOCKET, SO_LINGER, (const char *)&reset, sizeof(reset));
    }
    closesocket(sock);
}
