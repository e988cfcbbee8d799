/* 5: a server on an epoll that accepts connections and closes them. */
#include "host/socket.h"
#include "sides.h"

#include <sys/epoll.h>
#include <unistd.h>

static int listener, epoll;
static struct bench_peer *peer;

static void start(const struct bench_load *load)
{
    struct epoll_event event = {.events = EPOLLIN};
    uint16_t port;
    listener = listen_loopback(SOCK_NONBLOCK, &port);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    BENCH_REQUIRE(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) == 0);
    peer = bench_peer_start("connector", port, load);
}

static unsigned close_all(void)
{
    unsigned count = 0;
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        set_no_delay(fd);
        close(fd);
        count++;
    }
    return count;
}

static void run(uint64_t operations)
{
    struct epoll_event event;
    bench_peer_command(peer, operations);
    for (uint64_t done = 0; done < operations; done += close_all()) {
        epoll_wait(epoll, &event, 1, -1);
    }
}

static void stop(void)
{
    bench_peer_stop(peer);
    close(epoll);
    close(listener);
}

const struct bench_side raw_accept = {"epoll", start, run, stop, NULL};
