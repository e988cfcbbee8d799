/* Bitmaps in 32-bit words. */
#include <wdm.h>

#define WORD_BITS 32

/* IRQL as the memory allows, for all of them. */
VOID RtlInitializeBitMap(PRTL_BITMAP BitMapHeader, PULONG BitMapBuffer, ULONG SizeOfBitMap)
{
    BitMapHeader->SizeOfBitMap = SizeOfBitMap;
    BitMapHeader->Buffer = BitMapBuffer;
}

VOID RtlClearBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    BitMapHeader->Buffer[BitNumber / WORD_BITS] &= ~(1u << BitNumber % WORD_BITS);
}

VOID RtlSetBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    BitMapHeader->Buffer[BitNumber / WORD_BITS] |= 1u << BitNumber % WORD_BITS;
}

BOOLEAN RtlTestBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    return BitMapHeader->Buffer[BitNumber / WORD_BITS] >> BitNumber % WORD_BITS & 1;
}

VOID RtlClearAllBits(PRTL_BITMAP BitMapHeader)
{
    RtlZeroMemory(BitMapHeader->Buffer, (BitMapHeader->SizeOfBitMap + 31ULL) / WORD_BITS * 4);
}

VOID RtlSetAllBits(PRTL_BITMAP BitMapHeader)
{
    RtlFillMemory(BitMapHeader->Buffer, (BitMapHeader->SizeOfBitMap + 31ULL) / WORD_BITS * 4, 0xFF);
}

VOID RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear)
{
    for (ULONG index = 0; index < NumberToClear; index++) {
        RtlClearBit(BitMapHeader, StartingIndex + index);
    }
}

VOID RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet)
{
    for (ULONG index = 0; index < NumberToSet; index++) {
        RtlSetBit(BitMapHeader, StartingIndex + index);
    }
}

/* How many bits of the value follow one another from the index on, at most limit. */
static ULONG run_length(PRTL_BITMAP map, ULONG start, ULONG limit, BOOLEAN value)
{
    ULONG length = 0;
    while (length < limit && RtlTestBit(map, start + length) == value) {
        length++;
    }
    return length;
}

static BOOLEAN are_bits(PRTL_BITMAP map, ULONG start, ULONG length, BOOLEAN value)
{
    if (length == 0 || start >= map->SizeOfBitMap || length > map->SizeOfBitMap - start) {
        return FALSE;
    }
    return run_length(map, start, length, value) == length;
}

/* FALSE for a range that is empty or leaves the bitmap. */
BOOLEAN RtlAreBitsClear(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    return are_bits(BitMapHeader, StartingIndex, Length, FALSE);
}

/* As RtlAreBitsClear. */
BOOLEAN RtlAreBitsSet(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    return are_bits(BitMapHeader, StartingIndex, Length, TRUE);
}

ULONG RtlNumberOfSetBits(PRTL_BITMAP BitMapHeader)
{
    ULONG count = 0;
    for (ULONG index = 0; index < BitMapHeader->SizeOfBitMap; index++) {
        count += RtlTestBit(BitMapHeader, index);
    }
    return count;
}

ULONG RtlNumberOfClearBits(PRTL_BITMAP BitMapHeader)
{
    return BitMapHeader->SizeOfBitMap - RtlNumberOfSetBits(BitMapHeader);
}

static ULONG find_between(PRTL_BITMAP map, ULONG number, ULONG start, ULONG end, BOOLEAN value)
{
    while (start < end && map->SizeOfBitMap - start >= number) {
        ULONG length = run_length(map, start, number, value);
        if (length == number) {
            return start;
        }
        start += length + 1;
    }
    return RTL_BITMAP_NOT_FOUND;
}

/* Looks from the hint on, then from the start. */
static ULONG find_bits(PRTL_BITMAP map, ULONG number, ULONG hint, BOOLEAN value)
{
    if (hint >= map->SizeOfBitMap) {
        hint = 0;
    }
    if (number == 0) {
        return hint & ~7u;
    }
    ULONG found = find_between(map, number, hint, map->SizeOfBitMap, value);
    return found != RTL_BITMAP_NOT_FOUND ? found : find_between(map, number, 0, hint, value);
}

/* The index of so many clear bits in a row, or RTL_BITMAP_NOT_FOUND. */
ULONG RtlFindClearBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    return find_bits(BitMapHeader, NumberToFind, HintIndex, FALSE);
}

/* As RtlFindClearBits, for set ones. */
ULONG RtlFindSetBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    return find_bits(BitMapHeader, NumberToFind, HintIndex, TRUE);
}

ULONG RtlFindClearBitsAndSet(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG found = RtlFindClearBits(BitMapHeader, NumberToFind, HintIndex);
    if (found != RTL_BITMAP_NOT_FOUND) {
        RtlSetBits(BitMapHeader, found, NumberToFind);
    }
    return found;
}

ULONG RtlFindSetBitsAndClear(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG found = RtlFindSetBits(BitMapHeader, NumberToFind, HintIndex);
    if (found != RTL_BITMAP_NOT_FOUND) {
        RtlClearBits(BitMapHeader, found, NumberToFind);
    }
    return found;
}
