/* What the callbacks driver and its callers share. */
#ifndef CALLBACKS_CODES_H
#define CALLBACKS_CODES_H

#define CALLBACKS_DEVICE_NAME L"\\Device\\CallbacksExample"
#define CALLBACKS_LINK_NAME L"\\DosDevices\\CallbacksExample"

/* No buffers. Both disable WskReceiveEvent of the client's socket. STATUS_DEVICE_NOT_CONNECTED:
 * there is no client; STATUS_INVALID_DEVICE_STATE: it is paused already. */

/* Returns at once. STATUS_EVENT_PENDING: the callback may still run. */
#define IOCTL_CALLBACKS_PAUSE CTL_CODE(0x8000, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
/* Returns when the callback does not run any more. */
#define IOCTL_CALLBACKS_PAUSE_AND_WAIT CTL_CODE(0x8000, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)

/* No buffers: enables it again. */
#define IOCTL_CALLBACKS_RESUME CTL_CODE(0x8000, 0x802, METHOD_BUFFERED, FILE_ANY_ACCESS)

/* Buffered: CALLBACKS_STATISTICS of the client, or of the last one. STATUS_DEVICE_BUSY: the
 * callback may run and change them. */
#define IOCTL_CALLBACKS_QUERY CTL_CODE(0x8000, 0x803, METHOD_BUFFERED, FILE_ANY_ACCESS)

typedef struct _CALLBACKS_STATISTICS {
    ULONGLONG Bytes;
    ULONG Sum; /* for each byte: 31 times the sum, plus the byte */
} CALLBACKS_STATISTICS;

#endif
