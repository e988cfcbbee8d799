/*
 * The trace file, for who writes it (recorder.c) and who reads it (tools/wskemu).
 *
 * The file is an array of chunks of TRACE_CHUNK_BYTES. Chunk 0 holds the file's header. Every other
 * one belongs to one thread of the traced process: it begins with a struct trace_chunk, which says
 * which and how many bytes of the chunk count, its own included; then follow that thread's records
 * in the order in which they happened. A thread's chunks have sequence numbers, 0 for its first.
 *
 * A thread writes to one chunk, its first, which is mapped memory. When that is full its contents
 * are copied to a new chunk behind all others, and it goes on under the next sequence number. So of
 * one thread two chunks may have the same number, if its process was killed in between: the first
 * in the file is then the one that is complete. What counts of a chunk is told by one number that
 * is stored after the record, so that a killed process leaves every event that had ended by then.
 *
 * A record is a struct trace_record, the fields that its flags say, each of 8 bytes, and its data,
 * filled up to a multiple of 8. What is small shares a field: name, status and the data's length
 * are one, and the first number of an event that nearly always is below 65536 lies in the upper 16
 * bits of its object's, as addresses of the program have no more than 48. Numbers are
 * little-endian.
 *
 * Times are counted by the processor, or by the clock, from the header's start on. A record has the
 * lower half of its time; it is the first such moment from the last TRACE_TIME record on. Each
 * chunk begins with one, and one is written when the half would no longer do. Its moment lies
 * TRACE_TIME_SLACK before that, as the counters of two processors may differ by a little.
 *
 * Names are numbers: a TRACE_STRING record with the text precedes their first use, in time but
 * perhaps in another chunk. Call sites are code addresses; a TRACE_SITE record anywhere in the file
 * may give one its text. Threads are numbered as they write their first record; the last of its
 * TRACE_THREAD records gives a thread's name.
 */
#ifndef TRACE_FORMAT_H
#define TRACE_FORMAT_H

#include <stdint.h>

#define TRACE_MAGIC "WSKTRACE"
#define TRACE_VERSION 3
#define TRACE_CHUNK_BYTES 16384
#define TRACE_CHUNK_MARK 0x4B4E4843u

/* Which events are wanted. */
enum trace_group {
    TRACE_META = 1,      /* what other records refer to; always there */
    TRACE_CALLS = 2,     /* calls of WSK, completions, routines of the driver */
    TRACE_IRPS = 4,      /* allocated, sent to a device, cancelled, freed */
    TRACE_SOCKETS = 8,   /* a socket's life */
    TRACE_TRAFFIC = 16,  /* bytes sent and received */
    TRACE_DISPATCH = 32, /* DPCs, timers, work items */
    TRACE_WAITS = 64,    /* waits and who ends them */
    TRACE_LEVELS = 128,  /* changes of the IRQL */
    TRACE_THREADS = 256,
    TRACE_TEXTS = 512, /* what is printed; warnings, bug checks, sessions */
};

/*
 * X(KIND, text, group), with what the record's fields say; each has time, thread, IRQL and
 * processor. "data" is what follows the fields.
 */
#define TRACE_KINDS(X)                                                                             \
    X(STRING, "string", TRACE_META)           /* name; data: text */                               \
    X(SITE, "site", TRACE_META)               /* site; data: text */                               \
    X(THREAD, "thread", TRACE_META)           /* what the thread is; data: its name */             \
    X(DRIVER_LOAD, "driver-load", TRACE_META) /* object, first: code's begin; data: its name */    \
    X(DRIVER_UNLOAD, "driver-unload", TRACE_META) /* object; data: its name */                     \
    X(CALL, "call", TRACE_CALLS)                  /* name, object, irp, site */                    \
    X(COMPLETE, "complete", TRACE_CALLS)          /* irp, status, first: information */            \
    X(CALLBACK, "callback", TRACE_CALLS)          /* name, first: routine */                       \
    X(RETURN, "return", TRACE_CALLS)              /* name, first: routine, status if it has one */ \
    X(IRP_ALLOCATE, "irp-allocate", TRACE_IRPS)   /* irp, site, first: stack locations */          \
    X(IRP_SEND, "irp-send", TRACE_IRPS)     /* irp, site, object: device, first: major, minor */   \
    X(IRP_CANCEL, "irp-cancel", TRACE_IRPS) /* irp, site, first: whether it had a routine */       \
    X(IRP_FREE, "irp-free", TRACE_IRPS)     /* irp, site */                                        \
    X(SOCKET_OPEN, "socket-open", TRACE_SOCKETS)         /* object, first: family, type, protocol, \
                                                            second: category */                    \
    X(SOCKET_BIND, "socket-bind", TRACE_SOCKETS)         /* object, status; data: addresses */     \
    X(SOCKET_LISTEN, "socket-listen", TRACE_SOCKETS)     /* object; data: addresses */             \
    X(SOCKET_CONNECT, "socket-connect", TRACE_SOCKETS)   /* object, status; data: addresses */     \
    X(SOCKET_ACCEPT, "socket-accept", TRACE_SOCKETS)     /* object, first: listener;               \
                                                            data: addresses */                     \
    X(SOCKET_SHUTDOWN, "socket-shutdown", TRACE_SOCKETS) /* object: it sends no more */            \
    X(SOCKET_END, "socket-end", TRACE_SOCKETS)           /* object: its peer sends no more */      \
    X(SOCKET_FAIL, "socket-fail", TRACE_SOCKETS)         /* object, status, first: by itself */    \
    X(SOCKET_CLOSE, "socket-close", TRACE_SOCKETS)       /* object, first: abortively */           \
    X(SEND, "send", TRACE_TRAFFIC)       /* object, irp, first: bytes; data: the first of them */  \
    X(RECEIVE, "receive", TRACE_TRAFFIC) /* the same */                                            \
    X(SEND_TO, "send-to", TRACE_TRAFFIC) /* the same; data: addresses, then bytes */               \
    X(RECEIVE_FROM, "receive-from", TRACE_TRAFFIC)                                                 \
    X(BYTES, "bytes", TRACE_TRAFFIC)          /* data: what did not fit into the record before */  \
    X(DPC_QUEUE, "dpc-queue", TRACE_DISPATCH) /* object, first: routine, second: processor */      \
    X(DPC_RUN, "dpc-run", TRACE_DISPATCH)     /* object, first: routine */                         \
    X(TIMER_SET, "timer-set",                                                                      \
      TRACE_DISPATCH) /* object, first: clock when due, second: period ms */                       \
    X(TIMER_CANCEL, "timer-cancel", TRACE_DISPATCH) /* object */                                   \
    X(TIMER_EXPIRE, "timer-expire", TRACE_DISPATCH) /* object, first: DPC */                       \
    X(WORK_QUEUE, "work-queue", TRACE_DISPATCH)     /* object, first: routine */                   \
    X(WORK_RUN, "work-run", TRACE_DISPATCH)         /* object, first: routine */                   \
    X(WAIT, "wait", TRACE_WAITS)                    /* object, first: wait, second: objects */     \
    X(WAKE, "wake", TRACE_WAITS)         /* object: thread, first: wait; by who ends it */         \
    X(WAIT_END, "wait-end", TRACE_WAITS) /* object, first: wait, status; on the thread itself */   \
    X(IRQL, "irql", TRACE_LEVELS)        /* first: old, second: new */                             \
    X(THREAD_START, "thread-start", TRACE_THREADS) /* object, first: routine */                    \
    X(THREAD_END, "thread-end", TRACE_THREADS)     /* object */                                    \
    X(PRINT, "print", TRACE_TEXTS)                 /* data: text */                                \
    X(WARNING, "warning", TRACE_TEXTS)             /* name: rule; data: text */                    \
    X(BUGCHECK, "bugcheck", TRACE_TEXTS)           /* name, first: code, second: first parameter,  \
                                                      data: text */                                \
    X(SESSION, "session", TRACE_TEXTS)             /* name: event, first: session */               \
    X(TIME, "time", TRACE_META)                    /* first: ticks, from which the next count */

enum trace_kind {
    TRACE_NONE,
#define X(kind, text, group) TRACE_##kind,
    TRACE_KINDS(X)
#undef X
        TRACE_KIND_COUNT
};

/* What a record has besides its head. Fields follow it in the order of their bits. */
enum trace_flags {
    TRACE_HAS_OBJECT = 1,
    TRACE_HAS_IRP = 2,
    TRACE_HAS_SITE = 4,
    TRACE_HAS_FIRST = 8,
    TRACE_HAS_SECOND = 16,
    TRACE_HAS_STATUS = 32, /* in struct trace_details, as are the next two */
    TRACE_HAS_NAME = 64,
    TRACE_HAS_DATA = 128,
    TRACE_HAS_SHORT = 256,     /* first, in the upper bits of the object's field */
    TRACE_HAS_ADDRESSES = 512, /* data begins with two of struct trace_address: local, remote */
};

#define TRACE_HAS_DETAILS (TRACE_HAS_STATUS | TRACE_HAS_NAME | TRACE_HAS_DATA)
#define TRACE_FIELDS_MAX 6
#define TRACE_FIELD_BYTES 8
#define TRACE_KIND_BITS 6
#define TRACE_SHORT_SHIFT 48
#define TRACE_SHORT_MAX 0xFFFF
#define TRACE_TIME_SLACK 0x100000
#define TRACE_NO_PROCESSOR 0xFF
#define TRACE_TICKS_PER_LENGTH 4294967296.0

/* Chunk 0. */
struct trace_header {
    char magic[8];
    uint32_t version;
    uint32_t chunk_bytes;
    uint32_t groups;
    uint32_t process;
    uint64_t start_ns;         /* of the clock that TRACE_TIMER_SET tells */
    uint64_t start_wall_100ns; /* the same moment, since 1601-01-01 UTC */
    uint64_t start_ticks;      /* the same moment, of what records count */
    uint64_t tick_length;      /* TRACE_TICKS_PER_LENGTH of them are so many nanoseconds; it is
                                  known better and better as time goes by */
    uint64_t chunks;           /* taken so far; those behind are empty */
    uint64_t lost;             /* events for which there was no room */
    uint32_t processors;       /* emulated; 0 if no kernel was booted */
    uint32_t is_closed;        /* the recording was ended, not its process */
};

/* At the begin of every other chunk. */
struct trace_chunk {
    uint32_t mark; /* TRACE_CHUNK_MARK, stored last */
    uint32_t thread;
    uint64_t state; /* the sequence number in the upper half, the bytes that count in the lower */
};

struct trace_record {
    uint32_t ticks; /* the lower half */
    uint16_t what;  /* the kind in TRACE_KIND_BITS, above them the flags */
    uint8_t irql;
    uint8_t processor; /* owned while at DISPATCH_LEVEL, or TRACE_NO_PROCESSOR */
};

/* The last of the fields, if there is any of TRACE_HAS_DETAILS. */
struct trace_details {
    uint16_t name;
    uint16_t data_bytes; /* behind the fields */
    uint32_t status;
};

/* family 4 or 6, 0: none. port is in host order. */
struct trace_address {
    uint8_t family;
    uint8_t reserved;
    uint16_t port;
    uint32_t scope;
    uint8_t bytes[16];
};

#endif
