/* Plain sockets of the loopback address, for the counterparts and the peers. */
#ifndef BENCH_HOST_SOCKET_H
#define BENCH_HOST_SOCKET_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct sockaddr_in loopback(uint16_t port);

/* A listener, or a UDP socket, at a port that the host chooses. flags as of socket(). */
int listen_loopback(int flags, uint16_t *port);
int bind_datagram(int flags, uint16_t *port);

/* A blocking connection with TCP_NODELAY, which all sides use. */
int connect_loopback(uint16_t port);
int accept_one(int listener);
void set_no_delay(int fd);

/* The next close of the connection resets it: no port is left in TIME_WAIT. */
void set_reset_on_close(int fd);

/* Blocking; the end of the stream is no error of read_exactly, which then returns less. */
void write_all(int fd, const void *bytes, size_t length);
size_t read_exactly(int fd, void *bytes, size_t length);

#endif
