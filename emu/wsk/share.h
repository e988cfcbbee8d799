/* The table of bound local addresses. See share.c; wsk.h has what binds and closes call. */
#ifndef WSK_SHARE_H
#define WSK_SHARE_H

#include <ntddk.h>

#include "base/mutex.h"

#define WSK_SHARE_BUCKETS 1024 /* a power of two */

/* Part of wsk_state. */
struct wsk_shares {
    struct base_mutex lock;                /* taken with a socket's lock held; a leaf */
    LIST_ENTRY buckets[WSK_SHARE_BUCKETS]; /* of struct wsk_share, by port */
};

void wsk_shares_start(struct wsk_shares *shares);
void wsk_shares_stop(struct wsk_shares *shares);

#endif
