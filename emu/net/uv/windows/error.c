#include <winsock2.h>

#include "net/uv/windows/error.h"

struct translation {
    int host;
    enum net_error error;
};

static const struct translation translations[] = {
    {0, NET_OK},
    {WSAEWOULDBLOCK, NET_AGAIN},
    {WSAEINTR, NET_AGAIN},
    {WSAEINPROGRESS, NET_AGAIN},
    {WSAEALREADY, NET_AGAIN},
    {WSAENOBUFS, NET_NO_MEMORY},
    {WSA_NOT_ENOUGH_MEMORY, NET_NO_MEMORY},
    {WSAEADDRINUSE, NET_ADDRESS_IN_USE},
    {WSAEADDRNOTAVAIL, NET_ADDRESS_NOT_AVAILABLE},
    {WSAEACCES, NET_ACCESS_DENIED},
    {WSAECONNREFUSED, NET_REFUSED},
    {WSAECONNRESET, NET_RESET},
    {WSAENETRESET, NET_RESET},
    {WSAECONNABORTED, NET_ABORTED},
    {WSAETIMEDOUT, NET_TIMED_OUT},
    {WSAENETUNREACH, NET_UNREACHABLE_NETWORK},
    {WSAENETDOWN, NET_UNREACHABLE_NETWORK},
    {WSAEHOSTUNREACH, NET_UNREACHABLE_HOST},
    {WSAEHOSTDOWN, NET_UNREACHABLE_HOST},
    {WSAENOTCONN, NET_NOT_CONNECTED},
    {WSAEDESTADDRREQ, NET_NOT_CONNECTED},
    {WSAESHUTDOWN, NET_SHUT_DOWN},
    {WSAEMFILE, NET_TOO_MANY},
    {WSAEMSGSIZE, NET_TOO_LONG},
    {WSAEAFNOSUPPORT, NET_NOT_SUPPORTED},
    {WSAEOPNOTSUPP, NET_NOT_SUPPORTED},
    {WSAENOPROTOOPT, NET_NOT_SUPPORTED},
    {WSAEPROTONOSUPPORT, NET_NOT_SUPPORTED},
    {WSAESOCKTNOSUPPORT, NET_NOT_SUPPORTED},
};

enum net_error error_of_host(int host)
{
    for (unsigned i = 0; i < sizeof(translations) / sizeof(translations[0]); i++) {
        if (translations[i].host == host) {
            return translations[i].error;
        }
    }
    return NET_INVALID;
}

enum net_error error_of_call(int returned)
{
    return returned == 0 ? NET_OK : error_of_host(WSAGetLastError());
}
