#include "host/socket.h"

#include "bench.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define BACKLOG 4096

struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int bind_loopback(int type, uint16_t *port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    BENCH_REQUIRE(fd >= 0);
    BENCH_REQUIRE(bind(fd, (struct sockaddr *)&address, length) == 0);
    BENCH_REQUIRE(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    *port = ntohs(address.sin_port);
    return fd;
}

int listen_loopback(int flags, uint16_t *port)
{
    int fd = bind_loopback(SOCK_STREAM | flags, port);
    BENCH_REQUIRE(listen(fd, BACKLOG) == 0);
    return fd;
}

int bind_datagram(int flags, uint16_t *port)
{
    return bind_loopback(SOCK_DGRAM | flags, port);
}

void set_no_delay(int fd)
{
    int on = 1;
    BENCH_REQUIRE(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
}

int connect_loopback(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BENCH_REQUIRE(fd >= 0);
    BENCH_REQUIRE(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    set_no_delay(fd);
    return fd;
}

int accept_one(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    BENCH_REQUIRE(fd >= 0);
    set_no_delay(fd);
    return fd;
}

void set_reset_on_close(int fd)
{
    struct linger linger = {.l_onoff = 1};
    BENCH_REQUIRE(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0);
}

void write_all(int fd, const void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t moved = write(fd, (const char *)bytes + done, length - done);
        BENCH_REQUIRE(moved > 0);
        done += (size_t)moved;
    }
}

size_t read_exactly(int fd, void *bytes, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t moved = read(fd, (char *)bytes + done, length - done);
        if (moved <= 0) {
            break;
        }
        done += (size_t)moved;
    }
    return done;
}
