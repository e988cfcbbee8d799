/* What the driver hooked does for a test that calls it. */
#ifndef TESTS_HARNESS_HOOKED_H
#define TESTS_HARNESS_HOOKED_H

#include <ntddk.h>

PVOID HookedAllocate(SIZE_T bytes);
NTSTATUS HookedAllocateRaising(PVOID *block); /* what was raised, or STATUS_SUCCESS */
VOID HookedFree(PVOID block);
/* Writes to the first byte of the MDL, if it can be mapped or does not look whether it can. */
VOID HookedMark(PMDL mdl, BOOLEAN looks);
VOID HookedPrint(VOID); /* "1 2 3 4 5 6 7 eight" */
PVOID HookedFind(PCWSTR name);
NTSTATUS HookedClose(HANDLE handle);

/* For tests: whether the driver gets memory, which it frees again. */
static inline BOOLEAN hooked_allocates(VOID)
{
    PVOID block = HookedAllocate(16);
    if (block != NULL) {
        HookedFree(block);
    }
    return block != NULL;
}

#endif
