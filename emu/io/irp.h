/* IRPs, for the parts of the emulator that make, send and complete them. See irp.c. */
#ifndef IO_IRP_H
#define IO_IRP_H

#include <wdm.h>

#include "base/mutex.h"
#include "base/sanitize.h"
#include "ke/code.h"

#include <stdatomic.h>
#include <stdbool.h>

/* AllocationFlags of an IRP that the emulator allocated, and that has a record before it. */
#define IO_IRP_ALLOCATED 0x80

/* Who ends an IRP. */
enum io_irp_kind {
    IO_IRP_DRIVERS,      /* IoAllocateIrp: its driver takes it back and frees it */
    IO_IRP_ASYNCHRONOUS, /* IoBuildAsynchronousFsdRequest: likewise */
    IO_IRP_THREADED,     /* the I/O manager, for the thread that it is queued to */
    IO_IRP_ASSOCIATED,   /* the I/O manager, for its master IRP */
    IO_IRP_SYSTEM,       /* the I/O manager, which waits for it */
};

/* To whom an IRP was given last. */
enum io_irp_receiver {
    IO_IRP_TO_NOBODY,
    IO_IRP_TO_DRIVER, /* IoCallDriver */
    IO_IRP_TO_WSK,    /* a call of WSK's */
};

/* Stands before every IRP that the emulator allocated: Irp->Flags holds Windows' flags only. */
struct io_irp_record {
    _Alignas(16) LIST_ENTRY link; /* in io_irps.all or .freed */
    const void *creator;          /* return address of who asked for it */
    PFILE_OBJECT file;            /* referenced for a request on a file, or NULL */
    PKEVENT event;                /* referenced event object to signal at the end, or NULL */
    ULONG output_bytes;           /* room in UserBuffer */
    enum io_irp_kind kind;
    enum io_irp_receiver receiver; /* the IRP's holder's, as its stack locations are */
    const DRIVER_OBJECT *driver;   /* whom IoCallDriver gave it last, and its location */
    CHAR driver_location;
    CHAR wsk_location;  /* which location WSK took, where it is the receiver */
    USHORT freed_bytes; /* how many of them a freed one was filled with */
    LONG references;    /* 1, and 1 more while the end of its thread cancels it */
    bool is_quota_charged;
    bool is_event_wanted;  /* its maker waits for an event, or should have a completion routine */
    bool is_ended_thread;  /* its thread ends and has cancelled it */
    bool is_freed_for_wsk; /* by the completion routine that WSK called */
};

struct io_irps {
    struct base_mutex lock; /* guards the lists and the records' references and flags */
    LIST_ENTRY all;         /* of struct io_irp_record */
    LIST_ENTRY freed;       /* those freed last, kept a while to know them again */
    unsigned freed_count;
    unsigned associated_count; /* in .all */
    LIST_ENTRY threaded;       /* by Irp->ThreadListEntry: those queued to a thread */
    atomic_uint threaded_count;
    LIST_ENTRY leaving; /* threads that end and wait for theirs; see thread_irps.c */
};

void io_irps_start(struct io_irps *irps);

/* Lets reports find and list them; see irp_report.c. */
void io_irps_describe(struct io_irps *irps);

/* Whether it is an IRP of those freed last, and a completion routine did that for WSK. */
bool io_irp_was_freed_for_wsk(PIRP irp);

/* Whether a completion routine runs on this thread, and none of the driver's other routines. */
bool io_completion_runs(void);

/* Whether an IRP that was sent is completed, as far as others can tell. */
bool io_irp_is_completed(PIRP irp);
void io_irps_stop(struct io_irps *irps);

/* Warns of associated IRPs that were not cancelled with their master, which may be gone. */
void io_irps_check_parts(const IRP *master);

/* Warns of a request on the file that a driver still queues after the file's cleanup. (DEV-57) */
void io_irps_check_cleaned(const FILE_OBJECT *file);

/* Warns of each IRP that code of the driver allocated and that is still there. (IRP-21) */
unsigned io_irps_report_driver(const struct ke_code *code);

/* Bug checks if a driver that is gone still has an IRP, or a completion routine in one. */
void io_irps_check_unloaded(const DRIVER_OBJECT *driver, const struct ke_code *code);

/* Prints the IRPs that were not freed and returns how many. */
unsigned io_irps_report(struct io_irps *irps);

/* A new IRP with its record; NULL when memory is short. */
PIRP io_irp_create(CCHAR stack_size, enum io_irp_kind kind, const void *creator);

/* One reference less; the last one frees the IRP. */
void io_irp_release(PIRP irp);

/* What the memory says that it is; it may have been freed, or never have been an IRP. */
BASE_NOT_SANITIZED static CSHORT io_irp_type(const volatile IRP *irp)
{
    return irp->Type;
}

BASE_NOT_SANITIZED static UCHAR io_irp_allocation_flags(const volatile IRP *irp)
{
    return irp->AllocationFlags;
}

/* Whether the memory still is an IRP: it may have been freed. */
static inline bool io_irp_is_alive(const IRP *irp)
{
    return irp != NULL && io_irp_type(irp) == IO_TYPE_IRP;
}

/* The record of an IRP that the emulator allocated, NULL for one in the driver's memory. */
static inline struct io_irp_record *io_irp_record(PIRP irp)
{
    bool is_ours = (io_irp_allocation_flags(irp) & IO_IRP_ALLOCATED) != 0;
    return is_ours ? (struct io_irp_record *)(PVOID)irp - 1 : NULL;
}

/* Whether its driver has to take it back: it allocated the IRP, or made it of its own memory. */
static inline bool io_irp_is_recorded_as_drivers(const struct io_irp_record *record)
{
    return record == NULL || record->kind == IO_IRP_DRIVERS || record->kind == IO_IRP_ASYNCHRONOUS;
}

static inline bool io_irp_is_drivers(PIRP irp)
{
    return io_irp_is_recorded_as_drivers(io_irp_record(irp));
}

/* The cancel routine, which others may be exchanging. */
static inline PDRIVER_CANCEL io_irp_cancel_routine(const IRP *irp)
{
    return __atomic_load_n(&irp->CancelRoutine, __ATOMIC_ACQUIRE);
}

#endif
