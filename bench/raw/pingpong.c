/* 1: a thread with blocking sockets sends 64 bytes and waits for them to come back. */
#include "host/socket.h"
#include "raw/waiter.h"
#include "sides.h"

#include <pthread.h>
#include <unistd.h>

static int fd = -1;
static struct bench_peer *peer;
static pthread_t thread;

static void start_process(const struct bench_load *load)
{
    waiter_start(load);
    peer = bench_peer_start("echo", 0, load);
    fd = connect_loopback((uint16_t)bench_peer_tell(peer));
}

static void stop_process(void)
{
    set_reset_on_close(fd);
    close(fd);
    bench_peer_stop(peer);
    waiter_stop();
}

static void *echo(void *context)
{
    char bytes[BENCH_MESSAGE_BYTES];
    ssize_t moved;
    int listener = (int)(intptr_t)context;
    int accepted = accept_one(listener);
    close(listener);
    while ((moved = recv(accepted, bytes, sizeof(bytes), 0)) > 0) {
        BENCH_REQUIRE(send(accepted, bytes, (size_t)moved, 0) == moved);
    }
    close(accepted);
    return NULL;
}

static void start_thread(const struct bench_load *load)
{
    uint16_t port;
    int listener = listen_loopback(0, &port);
    waiter_start(load);
    BENCH_REQUIRE(pthread_create(&thread, NULL, echo, (void *)(intptr_t)listener) == 0);
    fd = connect_loopback(port);
}

static void stop_thread(void)
{
    set_reset_on_close(fd);
    close(fd);
    pthread_join(thread, NULL);
    waiter_stop();
}

static void exchange(uint64_t operations)
{
    char bytes[BENCH_MESSAGE_BYTES] = {0};
    for (; operations != 0; operations--) {
        BENCH_REQUIRE(send(fd, bytes, sizeof(bytes), 0) == sizeof(bytes));
        for (size_t done = 0; done < sizeof(bytes);) {
            ssize_t moved = recv(fd, bytes + done, sizeof(bytes) - done, 0);
            BENCH_REQUIRE(moved > 0);
            done += (size_t)moved;
        }
    }
}

const struct bench_side raw_pingpong_process = {"blocking sockets", start_process, exchange,
                                                stop_process, NULL};
const struct bench_side raw_pingpong_thread = {"blocking threads", start_thread, exchange,
                                               stop_thread, NULL};
