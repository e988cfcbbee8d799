/* Loaded drivers. See driver.c. */
#ifndef IO_DRIVER_H
#define IO_DRIVER_H

#include <wdm.h>

#include "base/mutex.h"
#include "ke/code.h"

#include <wskemu/driver_image.h>

#include <stdatomic.h>
#include <stdbool.h>

/* A driver object with what the emulator keeps beside it. All is guarded by io_drivers.lock. */
struct io_driver {
    DRIVER_OBJECT object; /* first */
    DRIVER_EXTENSION extension;
    LIST_ENTRY link;              /* in io_drivers.loaded */
    LIST_ENTRY extensions;        /* of IoAllocateDriverObjectExtension */
    LIST_ENTRY reinitializations; /* see reinitialize.c */
    const struct wskemu_driver_image *image;
    struct ke_code code;    /* where its routines are */
    bool is_unload_pending; /* asked for; its devices admit nobody */
    bool is_unloading;      /* the unload routine was called, or is about to be */
    ULONG pins;             /* work items and completion routines that keep the driver loaded */
    KEVENT unpinned;        /* signalled when the last pin goes */
    WCHAR name[64];
    WCHAR service_key[128];
};

struct io_drivers {
    struct base_mutex lock; /* guards drivers, their device lists, attachments and open counts */
    LIST_ENTRY loaded;      /* newest first */
    unsigned devices_left;  /* devices that unloaded drivers left behind */
    _Atomic(struct _KTHREAD *) entering; /* the thread that runs the last DriverEntry, or NULL */
};

void io_drivers_start(struct io_drivers *drivers);
void io_drivers_stop(struct io_drivers *drivers);

/* Prints the drivers that could not be unloaded and returns how many things were left. */
unsigned io_drivers_report(struct io_drivers *drivers);

/* A driver object for the image, not in the list yet; NULL when memory is short. */
struct io_driver *io_driver_create(const struct wskemu_driver_image *image);

/* Writes prefix and name into buffer and makes string describe it. */
void io_driver_make_name(PUNICODE_STRING string, WCHAR *buffer, size_t characters,
                         const WCHAR *prefix, const char *name);

/* Whether the calling thread runs a DriverEntry. */
bool io_driver_is_entering(void);

/* The emulator's part of a driver object. */
struct io_driver *io_driver_of(PDRIVER_OBJECT object);

/* Keeps a driver loaded. IRQL <= DISPATCH_LEVEL. */
void io_driver_pin(PDRIVER_OBJECT object);
void io_driver_unpin(PDRIVER_OBJECT object);

/* Waits until nothing pins the driver; bug checks if that takes too long. PASSIVE_LEVEL. */
void io_driver_wait_for_pins(struct io_driver *driver);

/* Unloads a driver whose unload is pending if nothing uses its devices any more. PASSIVE_LEVEL. */
void io_driver_unused(PDRIVER_OBJECT object);

/* Sends shutdown notifications and unloads every driver, the newest first. */
void io_unload_all(void);

/* Calls the routines of IoRegisterDriverReinitialization after DriverEntry succeeded. */
void io_reinitialize(struct io_driver *driver);

/* Forgets those that were not called. */
void io_reinitialize_forget(struct io_driver *driver);

#endif
