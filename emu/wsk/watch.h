/* At level full: what pending sends were to send. See watch.c. */
#ifndef WSK_WATCH_H
#define WSK_WATCH_H

#include <wdm.h>

/* The send stays pending: takes a sum of its data. The socket's lock is held. */
void wsk_watch_begin(PIRP irp);

/* It will be completed now: bug checks if the data has changed. (WSK-SEND-12) */
void wsk_watch_end(PIRP irp);

struct wsk_state;
void wsk_watches_start(struct wsk_state *wsk);
void wsk_watches_stop(struct wsk_state *wsk);

#endif
