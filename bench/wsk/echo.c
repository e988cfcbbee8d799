/* 2 and 9: the server by callbacks; this thread waits as a test does. */
#include "sides.h"
#include "wsk/server.h"

static struct bench_peer *peer;

static void start(const struct bench_load *load)
{
    USHORT port;
    kernel_start();
    server_open(load->connections, true, &port);
    peer = bench_peer_start("load", port, load);
    server_await_connections();
    bench_peer_tell(peer);
}

static void run(uint64_t operations)
{
    server_expect(operations * BENCH_MESSAGE_BYTES);
    bench_peer_command(peer, operations);
    server_await_bytes();
}

static void stop(void)
{
    bench_peer_stop(peer);
    server_close();
    kernel_stop();
}

const struct bench_side emu_echo = {"wskemu", start, run, stop, NULL};
