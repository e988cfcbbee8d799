/* What is under way and what moved, for who looks at a running driver from outside. */
#ifndef HARNESS_ACTIVITY_H
#define HARNESS_ACTIVITY_H

#include <wdm.h>

#include <stdbool.h>
#include <stdint.h>

/* Gets a line, without its end, for each connection that comes or ends, and for each problem: what
 * cannot be bound or connected. Any thread. */
typedef void activity_teller(const char *line, bool is_problem);

/* Begins to keep book; call it when no kernel runs. teller may be NULL. */
void activity_begin(activity_teller *teller);

/* An IRP that WSK or a device has. */
struct activity_irp {
    const void *irp;
    const char *function; /* "WskReceive"; NULL: it was sent to a device */
    const void *object;   /* socket, client or device */
    const void *site;     /* where the driver made the call, or NULL */
    uint64_t since_ns;
};

/* Copies at most count of those that are pending, the oldest first; returns how many there are. */
unsigned activity_irps(struct activity_irp *irps, unsigned count);

/* Bytes that moved on a socket. */
struct activity_bytes {
    uint64_t received;
    uint64_t sent;
};
struct activity_bytes activity_bytes_of(const void *socket);

#endif
