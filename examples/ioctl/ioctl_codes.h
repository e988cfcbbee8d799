/* What the ioctl driver and its callers share. */
#ifndef IOCTL_CODES_H
#define IOCTL_CODES_H

#define IOCTL_DEVICE_NAME L"\\Device\\IoctlExample"
#define IOCTL_LINK_NAME L"\\DosDevices\\IoctlExample"

/* Buffered: returns its input in reverse order. */
#define IOCTL_EXAMPLE_REVERSE CTL_CODE(0x8000, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
/* Direct: fills the output buffer with the first byte of the input. */
#define IOCTL_EXAMPLE_FILL CTL_CODE(0x8000, 0x801, METHOD_OUT_DIRECT, FILE_ANY_ACCESS)
/* Buffered: pends until IOCTL_EXAMPLE_POST, whose input it returns, or until it is cancelled. */
#define IOCTL_EXAMPLE_WAIT CTL_CODE(0x8000, 0x802, METHOD_BUFFERED, FILE_ANY_ACCESS)
/* Buffered: completes the oldest IOCTL_EXAMPLE_WAIT with its input. */
#define IOCTL_EXAMPLE_POST CTL_CODE(0x8000, 0x803, METHOD_BUFFERED, FILE_ANY_ACCESS)

#endif
