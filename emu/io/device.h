/* Device objects. See device.c and device_stack.c. */
#ifndef IO_DEVICE_H
#define IO_DEVICE_H

#include <wdm.h>

#include <stdbool.h>

/* Bits of DEVOBJ_EXTENSION.ExtensionFlags. */
#define IO_DEVICE_UNLOAD_PENDING 0x1
#define IO_DEVICE_DELETE_PENDING 0x2

/* A device object with what the emulator keeps beside it. All is guarded by io_drivers.lock. */
struct io_device {
    DEVICE_OBJECT object; /* first */
    DEVOBJ_EXTENSION extension;
    LIST_ENTRY properties; /* see device_property.c */
};

extern struct _OBJECT_TYPE io_device_type;

/* The device on top of a stack. io_drivers.lock is not held. */
PDEVICE_OBJECT io_device_top(PDEVICE_OBJECT device);

/* Whether IoDeleteDevice was called. */
bool io_device_is_deleted(PDEVICE_OBJECT device);

/* Takes a device off the one that it is attached to, if it is. */
void io_device_detach(PDEVICE_OBJECT device);

/* Admits one more open; STATUS_NO_SUCH_DEVICE, STATUS_ACCESS_DENIED. (DEV-15, DEV-29, DEV-51) */
NTSTATUS io_device_open(PDEVICE_OBJECT device);

/* Ends an open, and with it perhaps a pending unload. PASSIVE_LEVEL. */
void io_device_close(PDEVICE_OBJECT device);

/* The session that a per-session device belongs to; 0 for any other device. (SESS-35) */
ULONG io_device_session(PDEVICE_OBJECT device);

/* Frees the properties of a device that nobody references. */
void io_device_properties_free(PDEVICE_OBJECT device);

/* Stops and frees the timer of IoInitializeTimer, if there is one. */
void io_device_timer_free(PDEVICE_OBJECT device);

#endif
