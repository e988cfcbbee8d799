/* The measurements and their targets. */
#include "sides.h"

#define RATE(ratio, side)                                                                          \
    {                                                                                              \
        .kind = BENCH_RATE_RATIO, .limit = (ratio), .against = (side)                              \
    }
#define RATE_PINNED(ratio, side)                                                                   \
    {                                                                                              \
        .kind = BENCH_RATE_RATIO, .when = BENCH_PINNED, .limit = (ratio), .against = (side)        \
    }
#define EFFORT                                                                                     \
    {                                                                                              \
        .kind = BENCH_EFFORT, .when = BENCH_UNPINNED                                               \
    }
#define PINNED_TIME                                                                                \
    {                                                                                              \
        .kind = BENCH_TIME_RATIO, .when = BENCH_PINNED, .limit = 1.10                              \
    }
#define CALLBACK_TIME                                                                              \
    {                                                                                              \
        .kind = BENCH_TIME_OR_RATIO, .when = BENCH_UNPINNED, .limit = 0.3, .value = 12             \
    }
#define SYNC_TIME                                                                                  \
    {                                                                                              \
        .kind = BENCH_TIME_RATIO, .when = BENCH_UNPINNED, .limit = 1.0                             \
    }

#define PINGPONG(waiter)                                                                           \
    BENCH_MICROSECONDS, 5000,                                                                      \
    {                                                                                              \
        .has_waiter = (waiter)                                                                     \
    }
#define GROWTH(count)                                                                              \
    {                                                                                              \
        .connections = (count), .depth = (count) < 5 ? (count) : 5, .rotate = true                 \
    }
#define GROWTH_TARGET                                                                              \
    {                                                                                              \
        .kind = BENCH_GROWTH, .limit = 1.5, .base = "growth_10"                                    \
    }

const struct bench_measurement bench_measurements[] = {
    /* 1 */
    {"pingpong_process", "sync ping-pong of 64 bytes, the peer is another process", PINGPONG(false),
     .counts_calls = true, .sides = {&raw_pingpong_process, &emu_pingpong_process},
     .targets = {PINNED_TIME, EFFORT}},
    {"pingpong_process_waiter", "the same beside a thread that waits for ever", PINGPONG(true),
     .counts_calls = true, .sides = {&raw_pingpong_process, &emu_pingpong_process},
     .targets = {PINNED_TIME, EFFORT}},
    {"pingpong_callback", "sync ping-pong, the peer is a driver with callbacks in the process",
     PINGPONG(false), .counts_calls = true, .sides = {&raw_pingpong_thread, &emu_pingpong_callback},
     .targets = {PINNED_TIME, CALLBACK_TIME}},
    {"pingpong_callback_waiter", "the same beside a thread that waits for ever", PINGPONG(true),
     .counts_calls = true, .sides = {&raw_pingpong_thread, &emu_pingpong_callback},
     .targets = {PINNED_TIME, CALLBACK_TIME}},
    {"pingpong_thread", "sync ping-pong, the peer is a driver that waits in the process",
     PINGPONG(false), .counts_calls = true, .sides = {&raw_pingpong_thread, &emu_pingpong_thread},
     .targets = {PINNED_TIME, SYNC_TIME}},
    {"pingpong_thread_waiter", "the same beside a thread that waits for ever", PINGPONG(true),
     .counts_calls = true, .sides = {&raw_pingpong_thread, &emu_pingpong_thread},
     .targets = {PINNED_TIME, SYNC_TIME}},
    /* 2 */
    {"echo_1", "WskReceiveEvent echo, 64 connections, 1 message each on its way", BENCH_PER_SECOND,
     8000, .load = {.connections = 64, .depth = 1}, .sides = {&raw_echo, &uv_echo, &emu_echo},
     .targets = {RATE(0.95, 0)}},
    {"echo_16", "WskReceiveEvent echo, 64 connections, 16 messages each on their way",
     BENCH_PER_SECOND, 64000, .load = {.connections = 64, .depth = 16},
     .sides = {&raw_echo, &uv_echo, &emu_echo}, .targets = {RATE(0.95, 0)}},
    {"echo_traced", "echo_1 with its network side recorded to a file, 100,000 events a round",
     BENCH_PER_SECOND, 50000, .load = {.connections = 64, .depth = 1}, .is_apart = true,
     .sides = {&emu_echo, &emu_echo_traced}, .targets = {RATE(0.95, 0)}},
    {"echo_traced_calls", "the same with calls, IRPs, routines and DPCs", BENCH_PER_SECOND, 10000,
     .load = {.connections = 64, .depth = 1, .is_all_traced = true}, .is_apart = true,
     .sides = {&emu_echo, &emu_echo_traced}},
    /* 3 */
    {"stream_send", "WskSend of 64 KiB blocks", BENCH_MEGABYTES_PER_SECOND, 1000,
     .counts_calls = true, .sides = {&raw_stream_send, &emu_stream_send},
     .targets = {RATE_PINNED(0.95, 0), EFFORT}},
    {"stream_receive", "WskReceive of 64 KiB blocks", BENCH_MEGABYTES_PER_SECOND, 1000,
     .counts_calls = true, .sides = {&raw_stream_receive, &emu_stream_receive},
     .targets = {RATE_PINNED(0.95, 0), EFFORT}},
    /* 4 */
    {"send_to", "WskSendTo, 64 bytes", BENCH_PER_SECOND, 20000, .load = {.list = 1},
     .sides = {&raw_sendto, &raw_sendmmsg, &emu_send_to}, .targets = {RATE(0.95, 0)}},
    {"send_messages", "WskSendMessages, lists of 16", BENCH_PER_SECOND, 20000, .load = {.list = 16},
     .sides = {&raw_sendto, &raw_sendmmsg, &emu_send_messages}, .targets = {RATE(1.0, 0)}},
    {"receive_from_event", "WskReceiveFromEvent, 64 bytes", BENCH_PER_SECOND, 20032,
     .load = {.list = 16}, .sides = {&raw_recvfrom, &raw_recvmmsg, &emu_receive_from_event},
     .targets = {RATE(0.95, 0)}},
    /* 5 */
    {"accept", "WskAcceptEvent and close", BENCH_PER_SECOND, 800,
     .sides = {&raw_accept, &emu_accept}, .targets = {RATE(0.9, 0)}},
    /* 6 */
    {"irp", "IRP allocated, completed, freed; raw: malloc, a call, free", BENCH_NANOSECONDS, 50000,
     .sides = {&raw_irp, &emu_irp}},
    {"event", "KeSetEvent and wait between two threads, both ways; raw: semaphores",
     BENCH_NANOSECONDS, 2000, .sides = {&raw_event, &emu_event}},
    {"spin_lock", "spin lock taken and released; raw: pthread_spin_lock", BENCH_NANOSECONDS, 200000,
     .sides = {&raw_spin_lock, &emu_spin_lock}},
    {"timer", "timer set and cancelled; raw: uv_timer", BENCH_NANOSECONDS, 50000,
     .sides = {&uv_timer, &emu_timer}},
    {"dpc", "DPC queued and run; raw: a list under a mutex, taken out and called",
     BENCH_NANOSECONDS, 50000, .sides = {&raw_dpc, &emu_dpc}},
    {"pool", "256 bytes of pool; raw: calloc and free", BENCH_NANOSECONDS, 100000,
     .sides = {&raw_pool, &emu_pool}},
    /* 7 */
    {"boot", "boot, load, unload, shutdown", BENCH_MILLISECONDS, 10, .sides = {&emu_boot},
     .targets = {{.kind = BENCH_VALUE, .value = 1.0}}},
    {"test_program", "a CMocka program with one TCP echo; raw: without wskemu", BENCH_MILLISECONDS,
     5, .sides = {&raw_program, &emu_program},
     .targets = {{.kind = BENCH_DIFFERENCE, .value = 1.5}}},
    /* 8 */
    {"memory_heap", "allocated bytes of an idle connection, of 10,000", BENCH_BYTES, 1,
     .load = {.connections = 10000}, .is_alone = true,
     .sides = {&uv_connection_heap, &emu_connection_heap},
     .targets = {{.kind = BENCH_VALUE, .value = 1536}}},
    {"memory_resident", "resident bytes of an idle connection, of 10,000", BENCH_BYTES, 1,
     .load = {.connections = 10000}, .is_alone = true,
     .sides = {&uv_connection_resident, &emu_connection_resident},
     .targets = {{.kind = BENCH_VALUE, .value = 1536}}},
    {"memory_irp", "allocated bytes of a pending IRP, a WskReceive", BENCH_BYTES, 1,
     .load = {.connections = 1000}, .is_alone = true, .sides = {&emu_irp_heap}},
    /* 9 */
    {"growth_10", "echo, 5 messages on their way, 10 connections", BENCH_MICROSECONDS, 4000,
     .load = GROWTH(10), .sides = {&raw_echo, &emu_echo}},
    {"growth_1", "the same, 1 connection with 1 message", BENCH_MICROSECONDS, 2000,
     .load = GROWTH(1), .sides = {&raw_echo, &emu_echo}},
    {"growth_100", "the same, 100 connections", BENCH_MICROSECONDS, 4000, .load = GROWTH(100),
     .sides = {&raw_echo, &emu_echo}, .targets = {GROWTH_TARGET}},
    {"growth_1000", "the same, 1,000 connections", BENCH_MICROSECONDS, 4000, .load = GROWTH(1000),
     .sides = {&raw_echo, &emu_echo}, .targets = {GROWTH_TARGET}},
    {"growth_10000", "the same, 10,000 connections", BENCH_MICROSECONDS, 20000,
     .load = GROWTH(10000), .is_apart = true, .sides = {&raw_echo, &emu_echo},
     .targets = {GROWTH_TARGET}},
    /* 10 */
    {"verifier_standard", "echo_1 with the verifier at standard against off", BENCH_PER_SECOND,
     20000, .load = {.connections = 64, .depth = 1}, .is_apart = true,
     .sides = {&emu_echo_off, &emu_echo_standard}, .targets = {RATE(1 / 1.10, 0)}},
    {"verifier_full", "echo_1 with the verifier at full against off", BENCH_PER_SECOND, 20000,
     .load = {.connections = 64, .depth = 1}, .is_apart = true,
     .sides = {&emu_echo_off, &emu_echo_full}},
};

const unsigned bench_measurement_count = sizeof(bench_measurements) / sizeof(bench_measurements[0]);
