/* 1: a thread calls WskSend, WskReceive, and waits for each. */
#include "sides.h"
#include "wsk/server.h"

static struct end end, peer_end;
static struct call call;
static UCHAR bytes[BENCH_MESSAGE_BYTES];
static PWSK_SOCKET connection, peer_listener;
static struct bench_peer *peer;
static PKTHREAD peer_thread;

static void open_end(const struct bench_load *load, USHORT port)
{
    waiter_open(load);
    end_open(&end);
    call_open(&call, bytes, sizeof(bytes));
    connection = open_connection(&end, port);
}

static void close_end(void)
{
    close_socket(connection);
    call_close(&call);
    end_close(&end);
    waiter_close();
}

static void exchange(uint64_t operations)
{
    for (; operations != 0; operations--) {
        send_all(&call, connection, sizeof(bytes));
        for (ULONG left = sizeof(bytes); left != 0;) {
            ULONG moved = receive_some(&call, connection, left);
            BENCH_REQUIRE(moved != 0);
            left -= moved;
        }
    }
}

/* ---- the peer is a process ---- */

static void start_process(const struct bench_load *load)
{
    kernel_start();
    peer = bench_peer_start("echo", 0, load);
    open_end(load, (USHORT)bench_peer_tell(peer));
}

static void stop_process(void)
{
    close_end();
    bench_peer_stop(peer);
    kernel_stop();
}

/* ---- the peer is a driver with callbacks ---- */

static void start_callback(const struct bench_load *load)
{
    USHORT port;
    kernel_start();
    server_open(1, true, &port);
    open_end(load, port);
    server_await_connections();
}

static void stop_callback(void)
{
    close_end();
    server_close();
    kernel_stop();
}

/* ---- the peer is a driver that waits ---- */

static VOID serve(PVOID context)
{
    static UCHAR echo[BENCH_MESSAGE_BYTES];
    struct call echo_call;
    ULONG moved;
    UNREFERENCED_PARAMETER(context);
    PWSK_SOCKET accepted = accept_connection(peer_listener);
    call_open(&echo_call, echo, sizeof(echo));
    while ((moved = receive_some(&echo_call, accepted, sizeof(echo))) != 0) {
        send_all(&echo_call, accepted, moved);
    }
    call_close(&echo_call);
    close_socket(accepted);
}

static void start_thread(const struct bench_load *load)
{
    USHORT port;
    kernel_start();
    end_open(&peer_end);
    peer_listener = open_listener(&peer_end, NULL, NULL, &port);
    peer_thread = thread_start(serve, NULL);
    open_end(load, port);
}

static void stop_thread(void)
{
    close_end();
    thread_join(peer_thread);
    close_socket(peer_listener);
    end_close(&peer_end);
    kernel_stop();
}

const struct bench_side emu_pingpong_process = {"wskemu", start_process, exchange, stop_process,
                                                NULL};
const struct bench_side emu_pingpong_callback = {"wskemu", start_callback, exchange, stop_callback,
                                                 NULL};
const struct bench_side emu_pingpong_thread = {"wskemu", start_thread, exchange, stop_thread, NULL};
