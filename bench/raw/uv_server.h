/* A libuv server of many connections, which echoes or only keeps them. */
#ifndef BENCH_RAW_UV_SERVER_H
#define BENCH_RAW_UV_SERVER_H

#include "bench.h"

/* Listens and connects so many from a peer of that kind ("load" or "idle"). on_listening (may be
 * NULL) is called before the first connection comes. */
void uv_server_start(const struct bench_load *load, const char *peer, void (*on_listening)(void));
void uv_server_exchange(uint64_t messages);
void uv_server_stop(void);

#endif
