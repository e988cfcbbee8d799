/* Winsock's error numbers. */
#ifndef NET_UV_WINDOWS_ERROR_H
#define NET_UV_WINDOWS_ERROR_H

#include "net/net.h"

enum net_error error_of_host(int host);

/* What a call that returned 0 or SOCKET_ERROR means. */
enum net_error error_of_call(int returned);

#endif
