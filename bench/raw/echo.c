/* 2 and 9: a server on an epoll, level-triggered, that sends back what each read brings. */
#include "host/socket.h"
#include "sides.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS 256
#define READ_BYTES 65536

static int listener, epoll;
static int *accepted;
static unsigned accepted_count;
static uint64_t echoed; /* bytes of this round */
static struct bench_peer *peer;

static void watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    BENCH_REQUIRE(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

static void accept_all(void)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        set_no_delay(fd);
        watch(fd);
        accepted[accepted_count++] = fd;
    }
    BENCH_REQUIRE(errno == EAGAIN);
}

static void echo(int fd)
{
    static char bytes[READ_BYTES];
    ssize_t moved = recv(fd, bytes, sizeof(bytes), 0);
    BENCH_REQUIRE(moved > 0);
    BENCH_REQUIRE(send(fd, bytes, (size_t)moved, 0) == moved);
    echoed += (uint64_t)moved;
}

static void serve(void)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
        if (events[i].data.fd == listener) {
            accept_all();
        } else {
            echo(events[i].data.fd);
        }
    }
}

static void start(const struct bench_load *load)
{
    uint16_t port;
    listener = listen_loopback(SOCK_NONBLOCK, &port);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    accepted = malloc(load->connections * sizeof(*accepted));
    accepted_count = 0;
    BENCH_REQUIRE(accepted != NULL);
    watch(listener);
    peer = bench_peer_start("load", port, load);
    while (accepted_count < load->connections) {
        serve();
    }
    bench_peer_tell(peer);
}

static void run(uint64_t operations)
{
    echoed = 0;
    bench_peer_command(peer, operations);
    while (echoed < operations * BENCH_MESSAGE_BYTES) {
        serve();
    }
}

static void stop(void)
{
    bench_peer_stop(peer);
    for (unsigned i = 0; i < accepted_count; i++) {
        close(accepted[i]);
    }
    free(accepted);
    close(epoll);
    close(listener);
}

const struct bench_side raw_echo = {"epoll", start, run, stop, NULL};
