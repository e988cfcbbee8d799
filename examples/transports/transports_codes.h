/* What the transports driver and its callers share. */
#ifndef TRANSPORTS_CODES_H
#define TRANSPORTS_CODES_H

#define TRANSPORTS_DEVICE_NAME L"\\Device\\TransportsExample"
#define TRANSPORTS_LINK_NAME L"\\DosDevices\\TransportsExample"

/* Buffered: the list, a TRANSPORTS_LIST. STATUS_BUFFER_OVERFLOW: only Count is there. */
#define IOCTL_TRANSPORTS_QUERY CTL_CODE(0x8000, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
/* Buffered: the handle of an event, which is set now, and after each change. */
#define IOCTL_TRANSPORTS_SET_EVENT CTL_CODE(0x8000, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)

typedef struct _TRANSPORTS_ENTRY {
    USHORT AddressFamily;
    USHORT SocketType;
    ULONG Protocol;
} TRANSPORTS_ENTRY;

typedef struct _TRANSPORTS_LIST {
    ULONG Count;
    TRANSPORTS_ENTRY Entries[ANYSIZE_ARRAY];
} TRANSPORTS_LIST;

#endif
