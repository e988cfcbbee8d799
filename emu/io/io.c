#include "io/io.h"

#include "io/thread_irps.h"
#include "ps/thread.h"

/* The I/O manager as an area of the kernel. */

static NTSTATUS start(void *state)
{
    struct io_state *io = state;
    io_irps_start(&io->irps);
    io_calls_start(&io->calls);
    io_drivers_start(&io->drivers);
    io_work_items_start(&io->work_items);
    io_shutdowns_start(&io->shutdowns);
    io_containers_start(&io->containers);
    io_remove_locks_start(&io->remove_locks);
    ps_on_thread_end(io_thread_irps_cancel);
    return STATUS_SUCCESS;
}

static unsigned report(void *state)
{
    struct io_state *io = state;
    return io_work_items_report(&io->work_items) + io_irps_report(&io->irps) +
           io_shutdowns_report(&io->shutdowns) + io_containers_report(&io->containers) +
           io_drivers_report(&io->drivers);
}

static void stop(void *state)
{
    struct io_state *io = state;
    io_remove_locks_stop(&io->remove_locks);
    io_containers_stop(&io->containers);
    io_shutdowns_stop(&io->shutdowns);
    io_work_items_stop(&io->work_items);
    io_drivers_stop(&io->drivers);
    io_calls_stop(&io->calls);
    io_irps_stop(&io->irps);
}

const struct ke_module io_module = {
    .name = "I/O",
    .state_bytes = sizeof(struct io_state),
    .start = start,
    .report = report,
    .stop = stop,
};
