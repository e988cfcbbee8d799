/* What the files of peers share. See include/wskemu/peer.h. */
#ifndef HARNESS_PEER_H
#define HARNESS_PEER_H

#include <wskemu/peer.h>

#include "ke/kernel.h"
#include "net/net.h"
#include "wsk/wsk.h"

#include <stdatomic.h>
#include <stdbool.h>

extern const struct ke_module peer_module;

/* A peer is BUSY while a call of its may wait. Shutdown ends those that are not. */
enum peer_use { PEER_IDLE, PEER_BUSY, PEER_ENDED };

enum peer_kind { PEER_CONNECTION, PEER_LISTENER, PEER_DATAGRAM };

struct wskemu_peer {
    LIST_ENTRY link; /* in the list of open peers; guarded by its lock */
    struct ke_kernel *kernel;
    struct net_socket *net;
    enum peer_kind kind;
    ULONG deadline_ms;
    KEVENT ready;   /* the network said that something may be possible now */
    KEVENT closed;  /* the network knows the socket no more */
    atomic_int use; /* enum peer_use */
    bool is_left;   /* its kernel goes: nobody waits for closed */
    const void *creator;
};

/* One call of the tester's: what it moves, and until when it may wait. */
struct peer_call {
    struct wskemu_peer *peer;
    LARGE_INTEGER until; /* system time; 0 before the first wait */
    uint64_t since_ns;   /* when it began to wait */
    UCHAR *bytes;
    SIZE_T left;
    SIZE_T moved;
};

/* STATUS_INVALID_DEVICE_STATE if the peer's kernel does not run any more. */
NTSTATUS peer_enter(const struct wskemu_peer *peer, const char *function);

/* A peer whose socket is bound, to the unspecified address if bind_to is NULL. */
NTSTATUS peer_open(enum peer_kind kind, enum net_family family, const struct net_address *bind_to,
                   const void *creator, struct wskemu_peer **peer);

/* A peer without a socket, known to its kernel. NULL: out of memory. */
struct wskemu_peer *peer_create(enum peer_kind kind, const void *creator);
void peer_free(struct wskemu_peer *peer);
extern const struct net_callbacks peer_callbacks;

void peer_close(struct wskemu_peer *peer, bool is_abortive);

/* Resets all that the test left open, so that drivers need not wait for it. They stay known. */
void peer_end_all(void);

/* Repeats the step until it is done, failed, or the deadline has passed: STATUS_TIMEOUT. */
NTSTATUS peer_repeat(struct peer_call *call, unsigned events,
                     enum net_error (*step)(struct peer_call *call));

#endif
