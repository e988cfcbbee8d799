/* 8: what an idle connection costs, and a pending IRP. */
#include "sides.h"
#include "wsk/server.h"

#include <stdlib.h>

static struct bench_peer *peer;
static struct call *calls;
static unsigned connections;
static uint64_t heap_before, resident_before;
static UCHAR byte;

static void note_before(void)
{
    heap_before = bench_heap_bytes();
    resident_before = bench_resident_bytes();
}

static void start_server(const struct bench_load *load, bool has_receive_event)
{
    USHORT port;
    connections = load->connections;
    kernel_start();
    server_open(connections, has_receive_event, &port);
    note_before();
    peer = bench_peer_start("idle", port, load);
    server_await_connections();
    bench_peer_tell(peer);
}

static void start_connections(const struct bench_load *load)
{
    start_server(load, true);
}

static void start_irps(const struct bench_load *load)
{
    start_server(load, false);
    calls = calloc(connections, sizeof(*calls));
    BENCH_REQUIRE(calls != NULL);
    note_before();
    for (unsigned i = 0; i < connections; i++) {
        call_open(&calls[i], NULL, 0);
    }
    uint64_t mdls_begin = bench_heap_bytes();
    for (unsigned i = 0; i < connections; i++) {
        calls[i].buffer = (WSK_BUF){IoAllocateMdl(&byte, 1, FALSE, FALSE, NULL), 0, 1};
        MmBuildMdlForNonPagedPool(calls[i].buffer.Mdl);
    }
    heap_before += bench_heap_bytes() - mdls_begin; /* the driver's, not the IRP's */
    for (unsigned i = 0; i < connections; i++) {
        PWSK_SOCKET socket = server_connection(i);
        connection_table(socket)->WskReceive(socket, &calls[i].buffer, 0, call_irp(&calls[i]));
    }
}

static void stop_server(void)
{
    server_close();
    bench_peer_stop(peer);
    kernel_stop();
}

static void stop_irps(void)
{
    bench_peer_stop(peer); /* its end completes the receives */
    for (unsigned i = 0; i < connections; i++) {
        call_wait(&calls[i]);
        call_close(&calls[i]);
    }
    free(calls);
    server_close();
    kernel_stop();
}

static double heap(void)
{
    return (double)(bench_heap_bytes() - heap_before) / connections;
}

static double resident(void)
{
    return (double)(bench_resident_bytes() - resident_before) / connections;
}

const struct bench_side emu_connection_heap = {"wskemu", start_connections, NULL, stop_server,
                                               heap};
const struct bench_side emu_connection_resident = {"wskemu", start_connections, NULL, stop_server,
                                                   resident};
const struct bench_side emu_irp_heap = {"wskemu", start_irps, NULL, stop_irps, heap};
