/* Connecting, and what the sending direction begins. See connect.c and send.c. */
#ifndef WSK_CONNECT_H
#define WSK_CONNECT_H

#include "wsk/wsk.h"

/* Looks whether the pending connect has a result; the lock is held. Whether it is finished. */
bool wsk_connect_step(struct wsk_socket *socket, PIRP irp);

/* Queues a send or a disconnect, or refuses it. */
NTSTATUS wsk_send_start(struct wsk_socket *socket, enum wsk_operation operation,
                        const WSK_BUF *buffer, ULONG flags, PIRP irp);

#endif
