/* Dispatch routines that run, and what becomes of their IRPs meanwhile. See call.c. */
#ifndef IO_CALL_H
#define IO_CALL_H

#include <wdm.h>

#include "base/mutex.h"
#include "verifier/level.h"

#include <stdatomic.h>
#include <stdbool.h>

#define IO_CALL_SHARDS 16

/* One part of the running calls: those whose IRPs' addresses fall into it. */
struct io_call_shard {
    struct base_mutex lock; /* guards the list and, while one is in it, its IRP's position */
    LIST_ENTRY calls;       /* of struct io_call, newest first */
    atomic_uint count;
};

struct io_calls {
    struct io_call_shard shard[IO_CALL_SHARDS];
};

/* Bug checks if the device or the IRP is none, or in no state to be sent. caller is the driver's
 * return address. */
void io_call_check(PDEVICE_OBJECT device, PIRP irp, const void *caller);

/* Whether the innermost routine of a driver on this thread is the dispatch routine that was called
 * with the IRP. */
bool io_call_is_in_dispatch(const IRP *irp);

/* Looks at the location that an IRP was given to. caller is the driver's return address;
 * is_skipped: the sender skipped its location, so that it is that one. */
void io_call_check_location(PIRP irp, const IO_STACK_LOCATION *location, bool is_skipped,
                            const void *caller);

/* Bug checks if the request must not be sent at the current IRQL. */
void io_call_check_level(PIRP irp, UCHAR major_function, const void *caller);

/* Whether the address lies in a buffer of a METHOD_NEITHER control whose dispatch routine runs on
 * the calling thread. For reports: it knows nothing while somebody holds a lock. */
bool io_calls_have_pointer(ULONG_PTR address);

void io_calls_start(struct io_calls *calls);
void io_calls_stop(struct io_calls *calls);

/*
 * Whether IoCallDriver may have given the IRP, which somebody has, to a routine that still runs.
 * While the IRP is in its first location that one tells: only IoCallDriver notes a device in it.
 * (A driver that wrote to a location below the last one has spoilt the pointer to the current.)
 */
static inline bool io_calls_may_have(const IRP *irp)
{
    const IO_STACK_LOCATION *locations = (const IO_STACK_LOCATION *)(const void *)(irp + 1);
    return irp->CurrentLocation != irp->StackCount ||
           locations[irp->StackCount - 1].DeviceObject != NULL;
}

void io_call_look_for_held(const IRP *irp, ULONG code, const char *what, const void *caller);

/* Bug checks if the dispatch routine that runs on this thread passed the IRP down and a driver
 * below still has it. code and what say what the routine does with it: 0x205, "sent". */
static inline void io_call_check_held(const IRP *irp, ULONG code, const char *what,
                                      const void *caller)
{
    if (verifier_is_on() && io_calls_may_have(irp)) {
        io_call_look_for_held(irp, code, what, caller);
    }
}

/* The locked part in which calls with that IRP are, or NULL if there are none. */
struct io_call_shard *io_calls_lock(const IRP *irp);
void io_calls_unlock(struct io_call_shard *shard);

/* Notes that completion leaves a location: its call is done. The part is locked. */
void io_calls_note_left(struct io_call_shard *shard, const IRP *irp,
                        const IO_STACK_LOCATION *location);

#endif
