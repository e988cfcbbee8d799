/*
 * The peers: processes at the other end of the wire. Each is given its commands as numbers on its
 * standard input, tells numbers on its standard output, and ends when there are no more commands.
 */
#ifndef BENCH_PEER_PEER_H
#define BENCH_PEER_PEER_H

#include "bench.h"

/* The next command; false at their end. */
bool peer_command(uint64_t *number);
void peer_tell(uint64_t number);

void peer_echo(uint16_t port, const struct bench_load *load);
void peer_sink(uint16_t port, const struct bench_load *load);
void peer_source(uint16_t port, const struct bench_load *load);
void peer_load(uint16_t port, const struct bench_load *load);
void peer_idle(uint16_t port, const struct bench_load *load);
void peer_datagrams(uint16_t port, const struct bench_load *load);
void peer_connector(uint16_t port, const struct bench_load *load);

#endif
