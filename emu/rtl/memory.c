/* Memory: what a macro over the host's functions cannot do. */
#include "verifier/resident.h"

#include <wdm.h>

/* Whether memory may be touched at this level. */
#define CHECK_TOUCH(address) verifier_check_touch(address, __func__, "RTL-41")

/* The number of equal leading bytes. Any IRQL with resident memory. Rule RTL-37. */
SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length)
{
    const UCHAR *bytes1 = Source1;
    const UCHAR *bytes2 = Source2;
    SIZE_T index = 0;
    CHECK_TOUCH(Source1);
    CHECK_TOUCH(Source2);
    while (index < Length && bytes1[index] == bytes2[index]) {
        index++;
    }
    return index;
}

/* The number of leading bytes that repeat the pattern, in whole patterns. */
SIZE_T RtlCompareMemoryUlong(PVOID Source, SIZE_T Length, ULONG Pattern)
{
    SIZE_T offset = 0;
    while (offset + sizeof(Pattern) <= Length &&
           RtlEqualMemory((PUCHAR)Source + offset, &Pattern, sizeof(Pattern))) {
        offset += sizeof(Pattern);
    }
    return offset;
}

/* Repeats the pattern, as often as it fits as a whole. */
VOID RtlFillMemoryUlong(PVOID Destination, SIZE_T Length, ULONG Pattern)
{
    for (SIZE_T offset = 0; offset + sizeof(Pattern) <= Length; offset += sizeof(Pattern)) {
        RtlCopyMemory((PUCHAR)Destination + offset, &Pattern, sizeof(Pattern));
    }
}

/* As RtlFillMemoryUlong. */
VOID RtlFillMemoryUlonglong(PVOID Destination, SIZE_T Length, ULONGLONG Pattern)
{
    for (SIZE_T offset = 0; offset + sizeof(Pattern) <= Length; offset += sizeof(Pattern)) {
        RtlCopyMemory((PUCHAR)Destination + offset, &Pattern, sizeof(Pattern));
    }
}

/* Clears memory in a way that no compiler removes. Returns ptr. Any IRQL with resident memory. Rule
 * RTL-40. */
PVOID RtlSecureZeroMemory(PVOID ptr, SIZE_T cnt)
{
    volatile UCHAR *bytes = ptr;
    CHECK_TOUCH(ptr);
    while (cnt-- != 0) {
        *bytes++ = 0;
    }
    return ptr;
}

BOOLEAN RtlIsZeroMemory(PVOID Buffer, SIZE_T Length)
{
    const UCHAR *bytes = Buffer;
    CHECK_TOUCH(Buffer);
    for (SIZE_T index = 0; index < Length; index++) {
        if (bytes[index] != 0) {
            return FALSE;
        }
    }
    return TRUE;
}
