/*
 * The calls that move data, which never block here. The C library's functions of that name are
 * points where a thread may be cancelled, and bracket each call of the kernel by two atomic
 * operations in a process that has threads; for calls that do not wait nobody needs that.
 * Sanitizers have to see the memory that is written, so they get the functions that they know.
 */
#ifndef NET_UV_LINUX_CALL_H
#define NET_UV_LINUX_CALL_H

#include "base/sanitize.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(SYS_recvfrom) && defined(SYS_sendto) && !defined(BASE_IS_SANITIZED)

static inline ssize_t call_recv(int sock, void *bytes, size_t length)
{
    return syscall(SYS_recvfrom, sock, bytes, length, 0, NULL, NULL);
}

static inline ssize_t call_sendto(int sock, const void *bytes, size_t length,
                                  const struct sockaddr *address, socklen_t address_length)
{
    return syscall(SYS_sendto, sock, bytes, length, MSG_NOSIGNAL, address, address_length);
}

#else

static inline ssize_t call_recv(int sock, void *bytes, size_t length)
{
    return recv(sock, bytes, length, 0);
}

static inline ssize_t call_sendto(int sock, const void *bytes, size_t length,
                                  const struct sockaddr *address, socklen_t address_length)
{
    return sendto(sock, bytes, length, MSG_NOSIGNAL, address, address_length);
}

#endif

static inline ssize_t call_send(int sock, const void *bytes, size_t length)
{
    return call_sendto(sock, bytes, length, NULL, 0);
}

#endif
