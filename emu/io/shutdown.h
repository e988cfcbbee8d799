/* Devices that want to know of a shutdown. See shutdown.c. */
#ifndef IO_SHUTDOWN_H
#define IO_SHUTDOWN_H

#include <wdm.h>

#include "base/mutex.h"

struct io_shutdowns {
    struct base_mutex lock; /* guards the lists */
    LIST_ENTRY registered;  /* newest first */
    LIST_ENTRY last_chance; /* newest first */
};

void io_shutdowns_start(struct io_shutdowns *shutdowns);
void io_shutdowns_stop(struct io_shutdowns *shutdowns);

/* Prints the registrations that deleted devices left and returns how many. */
unsigned io_shutdowns_report(struct io_shutdowns *shutdowns);

/* Sends IRP_MJ_SHUTDOWN to each registered device. PASSIVE_LEVEL. */
void io_shutdowns_send(void);

#endif
