/* 2: the echo server as a plain program of libuv. */
#include "raw/uv_server.h"
#include "sides.h"

static void start(const struct bench_load *load)
{
    uv_server_start(load, "load", NULL);
}

const struct bench_side uv_echo = {"libuv", start, uv_server_exchange, uv_server_stop, NULL};
