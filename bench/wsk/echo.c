/* 2 and 9: the server by callbacks; this thread waits as a test does. */
#include "sides.h"
#include "wsk/server.h"

#include <wskemu/trace.h>

#include <stdio.h>

static struct bench_peer *peer;

static void serve(const struct bench_load *load)
{
    USHORT port;
    server_open(load->connections, true, &port);
    peer = bench_peer_start("load", port, load);
    server_await_connections();
    bench_peer_tell(peer);
}

static void start(const struct bench_load *load)
{
    kernel_start();
    serve(load);
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

/* ---- the same, checked more or less ---- */

static void start_off(const struct bench_load *load)
{
    kernel_start_at(WSKEMU_VERIFIER_OFF);
    serve(load);
}

static void start_standard(const struct bench_load *load)
{
    kernel_start_at(WSKEMU_VERIFIER_STANDARD);
    serve(load);
}

static void start_full(const struct bench_load *load)
{
    kernel_start_at(WSKEMU_VERIFIER_FULL);
    serve(load);
}

const struct bench_side emu_echo_off = {"off", start_off, run, stop, NULL};
const struct bench_side emu_echo_standard = {"standard", start_standard, run, stop, NULL};
const struct bench_side emu_echo_full = {"full", start_full, run, stop, NULL};

/* ---- the same, recorded ---- */

#define TRACE_PATH "bench_echo.trace"

static void start_traced(const struct bench_load *load)
{
    const struct wskemu_trace_options options = {
        .path = TRACE_PATH,
        .level = load->is_all_traced ? WSKEMU_TRACE_CALLS : WSKEMU_TRACE_NETWORK,
    };
    BENCH_REQUIRE(NT_SUCCESS(wskemu_trace_start(&options)));
    start(load);
}

static void stop_traced(void)
{
    stop();
    wskemu_trace_stop();
    remove(TRACE_PATH);
}

const struct bench_side emu_echo_traced = {"wskemu, traced", start_traced, run, stop_traced, NULL};
const struct bench_side emu_echo = {"wskemu", start, run, stop, NULL};
