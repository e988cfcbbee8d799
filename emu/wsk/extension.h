/* Extension interfaces that a test provides. See extension.c. */
#ifndef WSK_EXTENSION_H
#define WSK_EXTENSION_H

#include <wskemu/network.h>

struct wsk_socket;
struct wsk_state;

/* See wskemu_extension_add. */
NTSTATUS wsk_extension_provide(const GUID *id, const struct wskemu_extension *provider,
                               PVOID context);

/* Frees what was provided, and what a socket registered; nobody uses it any more. */
void wsk_extensions_stop(struct wsk_state *wsk);
void wsk_extensions_end(struct wsk_socket *socket);

#endif
