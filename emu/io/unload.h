/* What a driver must not leave behind. See unload.c. */
#ifndef IO_UNLOAD_H
#define IO_UNLOAD_H

#include "io/driver.h"
#include "ke/code.h"

#include <stdbool.h>

#define IO_UNLOAD_HOOKS_MAX 4

/* Looks at what a driver that was unloaded has left, when nothing of it is to run any more. */
void io_unload_check(const struct io_driver *driver);

/* Whether the driver that the calling thread takes away is one whose DriverEntry failed, so that
 * its Unload was not called. */
bool io_unload_is_of_failed(void);

/*
 * Has routine called for each driver that was unloaded, at PASSIVE_LEVEL, for areas above this one:
 * it bug checks if the driver left a registration whose callbacks lie in its code, and warns of
 * all else that code of the driver made. To be called while its area starts.
 */
typedef void io_unload_hook(const DRIVER_OBJECT *driver, const struct ke_code *code);
void io_unload_add_hook(io_unload_hook *hook);

#endif
