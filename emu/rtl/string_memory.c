#include "rtl/string_memory.h"
#include "rtl/level.h"

#include "ke/warning.h"
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

/* The pool stops next for a buffer that is no block; this says what the driver made of it. */
static void check_buffer(const void *buffer, const char *function)
{
    if (!verifier_check_owned(buffer, STRING_TAG, function, "RTL-20")) {
        ke_warning("RTL-19",
                   "the driver called %s for a buffer at %p, which the library did not allocate or "
                   "which was freed already",
                   function, buffer);
    }
}

/* Frees the buffer of a string that the run-time library made, and empties the string. IRQL <=
 * APC_LEVEL. Rules RTL-19, RTL-24. */
VOID RtlFreeUnicodeString(PUNICODE_STRING UnicodeString)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    if (UnicodeString->Buffer != NULL) {
        check_buffer(UnicodeString->Buffer, "RtlFreeUnicodeString");
        rtl_string_free(UnicodeString->Buffer);
        RtlZeroMemory(UnicodeString, sizeof(*UnicodeString));
    }
}

/* As RtlFreeUnicodeString. */
VOID RtlFreeAnsiString(PANSI_STRING AnsiString)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    if (AnsiString->Buffer != NULL) {
        check_buffer(AnsiString->Buffer, "RtlFreeAnsiString");
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
