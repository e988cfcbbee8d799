#include "net/uv/error.h"

enum net_error error_of_host(int host)
{
    for (unsigned i = 0; i < host_error_count; i++) {
        if (host_errors[i].host == host) {
            return host_errors[i].error;
        }
    }
    return NET_INVALID;
}

enum net_error error_of_call(int returned)
{
    return returned == 0 ? NET_OK : error_of_host(last_host_error());
}
