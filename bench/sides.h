/* The sides of the measurements: raw_... and uv_... in raw/, emu_... in wsk/. */
#ifndef BENCH_SIDES_H
#define BENCH_SIDES_H

#include "bench.h"

/* pingpong.c: the peer is a process, a thread, or a driver with callbacks */
extern const struct bench_side raw_pingpong_process, emu_pingpong_process;
extern const struct bench_side raw_pingpong_thread, emu_pingpong_thread, emu_pingpong_callback;

/* echo.c: a server of many connections; also what serves the measurements of growth */
extern const struct bench_side raw_echo, uv_echo, emu_echo, emu_echo_traced;
extern const struct bench_side emu_echo_off, emu_echo_standard, emu_echo_full;

/* stream.c */
extern const struct bench_side raw_stream_send, emu_stream_send;
extern const struct bench_side raw_stream_receive, emu_stream_receive;

/* datagram.c */
extern const struct bench_side raw_sendto, raw_sendmmsg, emu_send_to, emu_send_messages;
extern const struct bench_side raw_recvfrom, raw_recvmmsg, emu_receive_from_event;

/* accept.c */
extern const struct bench_side raw_accept, emu_accept;

/* parts.c: what a driver uses besides sockets */
extern const struct bench_side raw_irp, emu_irp;
extern const struct bench_side raw_event, emu_event;
extern const struct bench_side raw_spin_lock, emu_spin_lock;
extern const struct bench_side uv_timer, emu_timer;
extern const struct bench_side raw_dpc, emu_dpc;
extern const struct bench_side raw_pool, emu_pool;

/* process.c */
extern const struct bench_side emu_boot;
extern const struct bench_side raw_program, emu_program;

/* memory.c */
extern const struct bench_side uv_connection_heap, emu_connection_heap;
extern const struct bench_side uv_connection_resident, emu_connection_resident;
extern const struct bench_side emu_irp_heap;

#endif
