/* The host's sockets: one non-blocking descriptor each. A few small files a host. */
#ifndef NET_UV_DESCRIPTOR_H
#define NET_UV_DESCRIPTOR_H

#include "net/net.h"

#include <uv.h>

enum net_error descriptor_open(enum net_family family, enum net_type type, int protocol,
                               uv_os_sock_t *sock);
enum net_error descriptor_bind(uv_os_sock_t sock, enum net_type type,
                               const struct net_address *address, bool is_shared);
enum net_error descriptor_listen(uv_os_sock_t sock, int backlog);
/* *remote: who connected; getpeername() does not know any more once that one has reset. */
enum net_error descriptor_accept(uv_os_sock_t listener, uv_os_sock_t *accepted,
                                 struct net_address *remote);
enum net_error descriptor_connect(uv_os_sock_t sock, const struct net_address *address);
enum net_error descriptor_error(uv_os_sock_t sock);

/* For a connect without an error: NET_OK, connected; NET_AGAIN, not yet; NET_RESET, it was. */
enum net_error descriptor_connected(uv_os_sock_t sock);
enum net_error descriptor_receive(uv_os_sock_t sock, const struct net_buffer *buffers,
                                  unsigned count, size_t *moved);
enum net_error descriptor_send(uv_os_sock_t sock, const struct net_buffer *buffers, unsigned count,
                               size_t *moved);
enum net_error descriptor_receive_datagrams(uv_os_sock_t sock, struct net_datagram *datagrams,
                                            unsigned count, unsigned *done);
enum net_error descriptor_send_datagrams(uv_os_sock_t sock, const struct net_datagram *datagrams,
                                         unsigned count, unsigned *done);
enum net_error descriptor_unread(uv_os_sock_t sock, size_t *bytes);
enum net_error descriptor_shutdown_send(uv_os_sock_t sock);
enum net_error descriptor_local(uv_os_sock_t sock, struct net_address *address);
enum net_error descriptor_remote(uv_os_sock_t sock, struct net_address *address);
void descriptor_close(uv_os_sock_t sock, bool is_abortive);

/* What libuv has to poll for so that a hang-up is told, and whether what it then told is one. */
int descriptor_hang_up_events(uv_os_sock_t sock);
bool descriptor_has_hung_up(uv_os_sock_t sock, int uv_events);

/* Options by the host's own numbers. Of a value that the host keeps in one byte, that is read. */
enum net_error descriptor_set(uv_os_sock_t sock, int level, int name, const void *value,
                              size_t length);
enum net_error descriptor_get(uv_os_sock_t sock, int level, int name, int *value);

#endif
