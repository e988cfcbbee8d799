#include "base/log.h"
#include "ke/limit.h"

#include <stdlib.h>

/* The system's event log: an entry that is written becomes a line of the emulator's log. */

/* A zeroed entry of that many bytes, or NULL. IRQL <= DISPATCH_LEVEL. */
PVOID IoAllocateErrorLogEntry(PVOID IoObject, UCHAR EntrySize)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (IoObject == NULL || EntrySize < sizeof(IO_ERROR_LOG_PACKET)) {
        return NULL;
    }
    return calloc(1, EntrySize);
}

/* Frees an entry that is not to be written. IRQL <= DISPATCH_LEVEL. */
VOID IoFreeErrorLogEntry(PVOID ElEntry)
{
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    free(ElEntry);
}

/* Writes an entry and frees it. IRQL <= DISPATCH_LEVEL. */
VOID IoWriteErrorLogEntry(PVOID ElEntry)
{
    const IO_ERROR_LOG_PACKET *entry = ElEntry;
    KE_IRQL_AT_MOST(DISPATCH_LEVEL);
    base_log("event log: error 0x%08X, unique value 0x%X, final status 0x%08X\n",
             (unsigned)entry->ErrorCode, entry->UniqueErrorValue, (unsigned)entry->FinalStatus);
    free(ElEntry);
}
