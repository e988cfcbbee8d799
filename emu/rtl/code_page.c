#include "rtl/code_page.h"

#include <stddef.h>

/* Bytes 0x80 to 0x9F; everywhere else a byte is the character of the same number. */
static const WCHAR special[32] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
};

WCHAR rtl_code_page_to_wide(UCHAR byte)
{
    return byte >= 0x80 && byte <= 0x9F ? special[byte - 0x80] : byte;
}

static int find(WCHAR unit)
{
    if (unit < 0x80 || (unit > 0x9F && unit <= 0xFF)) {
        return unit;
    }
    for (int index = 0; index < (int)RTL_NUMBER_OF(special); index++) {
        if (special[index] == unit) {
            return 0x80 + index;
        }
    }
    return -1;
}

UCHAR rtl_code_page_from_wide(WCHAR unit)
{
    int byte = find(unit);
    return byte < 0 ? '?' : (UCHAR)byte;
}

bool rtl_code_page_has(WCHAR unit)
{
    return find(unit) >= 0;
}
