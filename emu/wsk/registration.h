/* What ends with a client: see registration.c. */
#ifndef WSK_REGISTRATION_H
#define WSK_REGISTRATION_H

#include "wsk/client.h"

/*
 * The client is ending: cancels its pending WSK_TRANSPORT_LIST_CHANGE IRPs. Called by
 * WskDeregister at PASSIVE_LEVEL, and when NMR detaches the client at IRQL <= DISPATCH_LEVEL; no
 * lock is held. (WSK-REG-41)
 */
void wsk_client_end(struct wsk_client *client);

#endif
