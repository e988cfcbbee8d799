/* What the test asks of the driver; each request answers with a status, some with a number. */
#ifndef TESTS_FOREIGN_CODES_H
#define TESTS_FOREIGN_CODES_H

#define FOREIGN_DEVICE_NAME L"\\Device\\Foreign"

#define FOREIGN_CODE(function)                                                                     \
    CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800 + (function), METHOD_BUFFERED, FILE_ANY_ACCESS)

#define IOCTL_FOREIGN_LEVELS FOREIGN_CODE(0)
#define IOCTL_FOREIGN_TIMER FOREIGN_CODE(1)
#define IOCTL_FOREIGN_MEMORY FOREIGN_CODE(2)
#define IOCTL_FOREIGN_STRINGS FOREIGN_CODE(3)
#define IOCTL_FOREIGN_OBJECTS FOREIGN_CODE(4)
#define IOCTL_FOREIGN_SERVE FOREIGN_CODE(5) /* the answer is the port, in host order */
#define IOCTL_FOREIGN_LOWER_WITH_LOCK FOREIGN_CODE(6)
#define IOCTL_FOREIGN_SHARED_PAGE FOREIGN_CODE(7)

/* A request is answered with this and the line of the check that failed. */
#define FOREIGN_CHECK_FAILED(line) ((NTSTATUS)(0xE0000000L | (line)))

#endif
