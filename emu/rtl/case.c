/* Upper and lower case of characters. */
#include <wdm.h>

#include "rtl/code_page.h"

struct case_range {
    WCHAR first;
    WCHAR last;
    USHORT step;
    LONG delta; /* from lower to upper */
};

static const struct case_range ranges[] = {
#include "rtl/case_table.h"
};

static BOOLEAN contains(const struct case_range *range, WCHAR lower)
{
    return lower >= range->first && lower <= range->last &&
           (lower - range->first) % range->step == 0;
}

/* One character in upper case; itself where it has none. IRQL <= APC_LEVEL. Rule RTL-23. */
WCHAR RtlUpcaseUnicodeChar(WCHAR SourceCharacter)
{
    if (SourceCharacter < 0x80) {
        BOOLEAN lower = SourceCharacter >= 'a' && SourceCharacter <= 'z';
        return lower ? (WCHAR)(SourceCharacter - 32) : SourceCharacter;
    }
    for (ULONG index = 0; index < RTL_NUMBER_OF(ranges); index++) {
        if (contains(&ranges[index], SourceCharacter)) {
            return (WCHAR)(SourceCharacter + ranges[index].delta);
        }
    }
    return SourceCharacter;
}

/* One character in lower case; itself where it has none. IRQL PASSIVE_LEVEL. Rule RTL-23. */
WCHAR RtlDowncaseUnicodeChar(WCHAR SourceCharacter)
{
    if (SourceCharacter < 0x80) {
        BOOLEAN upper = SourceCharacter >= 'A' && SourceCharacter <= 'Z';
        return upper ? (WCHAR)(SourceCharacter + 32) : SourceCharacter;
    }
    for (ULONG index = 0; index < RTL_NUMBER_OF(ranges); index++) {
        WCHAR lower = (WCHAR)(SourceCharacter - ranges[index].delta);
        if (contains(&ranges[index], lower)) {
            return lower;
        }
    }
    return SourceCharacter;
}

/* One byte of the system code page in upper case. */
CHAR RtlUpperChar(CHAR Character)
{
    WCHAR upper = RtlUpcaseUnicodeChar(rtl_code_page_to_wide((UCHAR)Character));
    return rtl_code_page_has(upper) ? (CHAR)rtl_code_page_from_wide(upper) : Character;
}
