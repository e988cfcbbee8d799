#include "rtl/string_memory.h"
#include "rtl/level.h"

#include "verifier/resident.h"

#define STRING_TAG 0x67727453 /* "Strg" */

PVOID rtl_string_allocate(SIZE_T bytes)
{
    return ExAllocatePool2(POOL_FLAG_PAGED, max(bytes, sizeof(WCHAR)), STRING_TAG);
}

VOID rtl_string_free(PVOID buffer)
{
    ExFreePool(buffer);
}

/* Frees the buffer of a string that the run-time library made, and empties the string. IRQL <=
 * APC_LEVEL. Rules RTL-19, RTL-24. */
VOID RtlFreeUnicodeString(PUNICODE_STRING UnicodeString)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    if (UnicodeString->Buffer != NULL) {
        verifier_check_owned(UnicodeString->Buffer, STRING_TAG, "RtlFreeUnicodeString", "RTL-20");
        rtl_string_free(UnicodeString->Buffer);
        RtlZeroMemory(UnicodeString, sizeof(*UnicodeString));
    }
}

/* As RtlFreeUnicodeString. */
VOID RtlFreeAnsiString(PANSI_STRING AnsiString)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    if (AnsiString->Buffer != NULL) {
        verifier_check_owned(AnsiString->Buffer, STRING_TAG, "RtlFreeAnsiString", "RTL-20");
        rtl_string_free(AnsiString->Buffer);
        RtlZeroMemory(AnsiString, sizeof(*AnsiString));
    }
}

/* As RtlFreeUnicodeString. */
VOID RtlFreeOemString(POEM_STRING OemString)
{
    RtlFreeAnsiString(OemString);
}

/* As RtlFreeUnicodeString; PASSIVE_LEVEL. */
VOID RtlFreeUTF8String(PUTF8_STRING utf8String)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    RtlFreeAnsiString(utf8String);
}
