/* 8: what an idle connection costs a plain program of libuv. */
#include "raw/uv_server.h"
#include "sides.h"

static unsigned connections;
static uint64_t heap_before, resident_before;

static void note_before(void)
{
    heap_before = bench_heap_bytes();
    resident_before = bench_resident_bytes();
}

static void start(const struct bench_load *load)
{
    connections = load->connections;
    uv_server_start(load, "idle", note_before);
}

static double heap(void)
{
    return (double)(bench_heap_bytes() - heap_before) / connections;
}

static double resident(void)
{
    return (double)(bench_resident_bytes() - resident_before) / connections;
}

const struct bench_side uv_connection_heap = {"libuv", start, NULL, uv_server_stop, heap};
const struct bench_side uv_connection_resident = {"libuv", start, NULL, uv_server_stop, resident};
