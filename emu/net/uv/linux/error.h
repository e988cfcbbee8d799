/* The host's error numbers. */
#ifndef NET_UV_LINUX_ERROR_H
#define NET_UV_LINUX_ERROR_H

#include "net/net.h"

enum net_error error_of_host(int host);

/* What a call that returned 0 or -1 means. */
enum net_error error_of_call(int returned);

#endif
