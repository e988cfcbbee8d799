/*
 * What all of the bench shares, in plain C: wskemu's side is compiled with WDK headers, all others
 * with the host's, and neither sees the other's types.
 *
 * A measurement has sides that do the same work: raw sockets, perhaps a second counterpart, and
 * wskemu. All sides are started, then take turns, round by round, so that what else the machine
 * does meanwhile falls on all of them.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_SIDES_MAX 3
#define BENCH_TARGETS_MAX 2
#define BENCH_MESSAGE_BYTES 64
#define BENCH_BLOCK_BYTES 65536
#define BENCH_BURST 64 /* datagrams that one credit allows */

/* What a side is started with; what a measurement does not use is zero. */
struct bench_load {
    unsigned connections;
    unsigned depth;     /* messages on their way, of a connection or, with rotate, of all */
    bool rotate;        /* each message takes the next connection */
    bool has_waiter;    /* another thread of the process waits for ever */
    unsigned list;      /* datagrams of one call */
    bool is_all_traced; /* calls and IRPs are recorded too, not the network only */
};

/* One way to do the work. round does so many operations and returns when they are done. reading is
 * there instead of a time where something else is measured: it gives the value. */
struct bench_side {
    const char *name;
    void (*start)(const struct bench_load *load);
    void (*round)(uint64_t operations);
    void (*stop)(void);
    double (*reading)(void);
};

enum bench_unit {
    BENCH_NANOSECONDS,
    BENCH_MICROSECONDS,
    BENCH_MILLISECONDS,
    BENCH_PER_SECOND,
    BENCH_MEGABYTES_PER_SECOND, /* an operation is a block */
    BENCH_BYTES,                /* a reading */
};

enum bench_target_kind {
    BENCH_NO_TARGET,
    BENCH_TIME_RATIO,    /* at most limit x the time of side against */
    BENCH_TIME_OR_RATIO, /* at most limit x that time, or at most value */
    BENCH_RATE_RATIO,    /* at least limit x the rate of side against */
    BENCH_EFFORT,        /* no more context switches and system calls than side against */
    BENCH_VALUE,         /* at most value */
    BENCH_DIFFERENCE,    /* at most value more than side against */
    BENCH_GROWTH,        /* at most limit x what the measurement named base has */
};

enum bench_when { BENCH_ALWAYS, BENCH_PINNED, BENCH_UNPINNED };

struct bench_target {
    enum bench_target_kind kind;
    enum bench_when when;
    double limit;
    double value; /* in the measurement's unit */
    unsigned against;
    const char *base;
};

/* The last side is wskemu's. One without sides keeps a place for what cannot be measured yet. */
struct bench_measurement {
    const char *name;
    const char *what;
    enum bench_unit unit;
    uint64_t operations; /* of a round */
    struct bench_load load;
    bool is_alone;     /* each round in a process of its own */
    bool is_apart;     /* each side in a process of its own: together they hold too many files */
    bool counts_calls; /* system calls are counted as well */
    const struct bench_side *sides[BENCH_SIDES_MAX];
    struct bench_target targets[BENCH_TARGETS_MAX];
};

extern const struct bench_measurement bench_measurements[];
extern const unsigned bench_measurement_count;

/* ---- for the sides ---- */

/* Ends the program with a message if it is not so. */
#define BENCH_REQUIRE(condition)                                                                   \
    ((condition) ? (void)0 : bench_fail(__FILE__, __LINE__, #condition))
_Noreturn void bench_fail(const char *file, int line, const char *what);

/* Bytes that the C library's allocator has given out. */
uint64_t bench_heap_bytes(void);

/* Bytes of the process that are in memory. */
uint64_t bench_resident_bytes(void);

/*
 * The other end of the wire, a process of its own: one of bench_peers. It is told what to do by
 * commands, a number each; what a number says, and what it tells, is said at each peer.
 */
struct bench_peer;
struct bench_peer *bench_peer_start(const char *kind, uint16_t port, const struct bench_load *load);
void bench_peer_command(struct bench_peer *peer, uint64_t number);
uint64_t bench_peer_tell(struct bench_peer *peer); /* waits for a number from the peer */
void bench_peer_stop(struct bench_peer *peer);

/* A UDP port of the loopback address that nobody reads; what is sent there is dropped in the end.
 */
uint16_t bench_datagram_hole_open(void);
void bench_datagram_hole_close(void);

/* Runs a program of the bench's folder and waits for its end, which must be good. */
void bench_run_program(const char *name);

#endif
