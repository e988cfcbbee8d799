/*
 * A driver that serves many connections by callbacks: WskReceiveEvent sends back what it is shown,
 * from the memory in which it came, with IRPs that are kept for the next time.
 */
#ifndef BENCH_WSK_SERVER_H
#define BENCH_WSK_SERVER_H

#include "wsk/end.h"

/* For so many connections; has_receive_event: whether they have theirs. */
void server_open(unsigned connections, bool has_receive_event, USHORT *port);
void server_close(void);

/* Waits for all connections. */
void server_await_connections(void);
PWSK_SOCKET server_connection(unsigned index);

/* The next wait is for so many bytes to be sent back, from now on. */
void server_expect(uint64_t bytes);
void server_await_bytes(void);

#endif
