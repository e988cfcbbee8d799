/* File objects: devices that were opened. See file.c. */
#ifndef IO_FILE_H
#define IO_FILE_H

#include <wdm.h>

/* How a device is opened. */
struct io_open {
    const UNICODE_STRING *name; /* full, or what follows related's name */
    PFILE_OBJECT related;       /* may be NULL */
    ACCESS_MASK access;         /* specific rights */
    KPROCESSOR_MODE mode;
    ULONG disposition;
    ULONG options;
    USHORT attributes;
    USHORT share_access;
    PVOID ea;
    ULONG ea_bytes;
    LONGLONG allocation_bytes;
};

extern struct _OBJECT_TYPE io_file_type;

/* For whom the calling thread's system services work. */
KPROCESSOR_MODE io_caller_mode(void);

/* The specific rights that an access mask of a file means. */
ACCESS_MASK io_file_access(ACCESS_MASK access);

/*
 * Opens a device: sends IRP_MJ_CREATE and gives the file object, referenced, and what the driver
 * left in Information. STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND,
 * STATUS_OBJECT_TYPE_MISMATCH, STATUS_NO_SUCH_DEVICE, STATUS_ACCESS_DENIED,
 * STATUS_INSUFFICIENT_RESOURCES, the driver's own. PASSIVE_LEVEL.
 */
NTSTATUS io_file_open(const struct io_open *open, PFILE_OBJECT *file, ULONG_PTR *information);

#endif
