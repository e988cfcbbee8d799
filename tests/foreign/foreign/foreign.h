/* The parts of the driver. */
#ifndef TESTS_FOREIGN_FOREIGN_H
#define TESTS_FOREIGN_FOREIGN_H

#include <ntddk.h>

#include "codes.h"

/* Ends the function with the line's number. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            return FOREIGN_CHECK_FAILED(__LINE__);                                                 \
        }                                                                                          \
    } while (0)

/* checks.c: one for each code. */
NTSTATUS CheckLevels(VOID);
NTSTATUS CheckTimer(VOID);
NTSTATUS CheckMemory(VOID);
NTSTATUS CheckStrings(VOID);
NTSTATUS CheckObjects(PFILE_OBJECT FileObject);
NTSTATUS LowerWithLock(VOID);
NTSTATUS ReadSharedPage(VOID);

/* server.c: a TCP echo for one connection, on a thread of its own. */
NTSTATUS ServerStart(PUSHORT Port);
VOID ServerStop(VOID);

#endif
