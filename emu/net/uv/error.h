/* The host's error numbers: a table a host. */
#ifndef NET_UV_ERROR_H
#define NET_UV_ERROR_H

#include "net/net.h"

enum net_error error_of_host(int host);

/* What a call that returned 0, or -1 with an error, means. */
enum net_error error_of_call(int returned);

/* The host's part. What the table does not name is NET_INVALID. */
struct host_error {
    int host;
    enum net_error error;
};

extern const struct host_error host_errors[];
extern const unsigned host_error_count;
int last_host_error(void);

#endif
