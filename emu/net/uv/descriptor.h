/* The host's sockets: one non-blocking descriptor each. One small file a host. */
#ifndef NET_UV_DESCRIPTOR_H
#define NET_UV_DESCRIPTOR_H

#include "net/net.h"

#include <uv.h>

enum net_error descriptor_open(enum net_family family, enum net_type type, uv_os_sock_t *sock);
enum net_error descriptor_bind(uv_os_sock_t sock, const struct net_address *address);
enum net_error descriptor_listen(uv_os_sock_t sock, int backlog);
enum net_error descriptor_accept(uv_os_sock_t listener, uv_os_sock_t *accepted);
enum net_error descriptor_connect(uv_os_sock_t sock, const struct net_address *address);
enum net_error descriptor_error(uv_os_sock_t sock);
enum net_error descriptor_receive(uv_os_sock_t sock, const struct net_buffer *buffers,
                                  unsigned count, size_t *moved);
enum net_error descriptor_send(uv_os_sock_t sock, const struct net_buffer *buffers, unsigned count,
                               size_t *moved);
enum net_error descriptor_shutdown_send(uv_os_sock_t sock);
enum net_error descriptor_local(uv_os_sock_t sock, struct net_address *address);
enum net_error descriptor_remote(uv_os_sock_t sock, struct net_address *address);
void descriptor_close(uv_os_sock_t sock, bool is_abortive);

#endif
