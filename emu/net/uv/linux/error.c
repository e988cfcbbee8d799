#include "net/uv/linux/error.h"

#include <errno.h>

struct translation {
    int host;
    enum net_error error;
};

static const struct translation translations[] = {
    {0, NET_OK},
    {EAGAIN, NET_AGAIN},
    {EINTR, NET_AGAIN},
    {EINPROGRESS, NET_AGAIN},
    {EALREADY, NET_AGAIN},
    {ENOMEM, NET_NO_MEMORY},
    {ENOBUFS, NET_NO_MEMORY},
    {EADDRINUSE, NET_ADDRESS_IN_USE},
    {EADDRNOTAVAIL, NET_ADDRESS_NOT_AVAILABLE},
    {ENODEV, NET_ADDRESS_NOT_AVAILABLE},
    {ENXIO, NET_ADDRESS_NOT_AVAILABLE},
    {EACCES, NET_ACCESS_DENIED},
    {EPERM, NET_ACCESS_DENIED},
    {ECONNREFUSED, NET_REFUSED},
    {ECONNRESET, NET_RESET},
    {ECONNABORTED, NET_ABORTED},
    {ETIMEDOUT, NET_TIMED_OUT},
    {ENETUNREACH, NET_UNREACHABLE_NETWORK},
    {ENETDOWN, NET_UNREACHABLE_NETWORK},
    {EHOSTUNREACH, NET_UNREACHABLE_HOST},
    {EHOSTDOWN, NET_UNREACHABLE_HOST},
    {ENOTCONN, NET_NOT_CONNECTED},
    {EDESTADDRREQ, NET_NOT_CONNECTED},
    {EPIPE, NET_SHUT_DOWN},
    {EMFILE, NET_TOO_MANY},
    {ENFILE, NET_TOO_MANY},
    {EMSGSIZE, NET_TOO_LONG},
    {EAFNOSUPPORT, NET_NOT_SUPPORTED},
    {EOPNOTSUPP, NET_NOT_SUPPORTED},
    {ENOPROTOOPT, NET_NOT_SUPPORTED},
    {EPROTONOSUPPORT, NET_NOT_SUPPORTED},
    {ESOCKTNOSUPPORT, NET_NOT_SUPPORTED},
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
    return returned == 0 ? NET_OK : error_of_host(errno);
}
