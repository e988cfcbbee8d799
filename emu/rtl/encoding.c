/*
 * Text between encodings, by length: the system code page (one byte a character, for ANSI and for
 * OEM) and UTF-8. All counts are bytes. Nothing here stops at a null or adds one (rule RTL-35).
 */
#include <wdm.h>

#include "rtl/code_page.h"
#include "rtl/encoding.h"
#include "rtl/level.h"

#define REPLACEMENT 0xFFFD

/* ---- the code page ---- */

/* Cuts off silently: the count of bytes tells (rule RTL-36). Always STATUS_SUCCESS. IRQL <=
 * APC_LEVEL. */
NTSTATUS RtlMultiByteToUnicodeN(PWCH UnicodeString, ULONG MaxBytesInUnicodeString,
                                PULONG BytesInUnicodeString, const CHAR *MultiByteString,
                                ULONG BytesInMultiByteString)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    ULONG count = min(MaxBytesInUnicodeString / (ULONG)sizeof(WCHAR), BytesInMultiByteString);
    for (ULONG index = 0; index < count; index++) {
        UnicodeString[index] = rtl_code_page_to_wide((UCHAR)MultiByteString[index]);
    }
    if (BytesInUnicodeString != NULL) {
        *BytesInUnicodeString = count * (ULONG)sizeof(WCHAR);
    }
    return STATUS_SUCCESS;
}

/* The bytes that RtlMultiByteToUnicodeN needs. */
NTSTATUS RtlMultiByteToUnicodeSize(PULONG BytesInUnicodeString, const CHAR *MultiByteString,
                                   ULONG BytesInMultiByteString)
{
    UNREFERENCED_PARAMETER(MultiByteString);
    *BytesInUnicodeString = BytesInMultiByteString * (ULONG)sizeof(WCHAR);
    return STATUS_SUCCESS;
}

static NTSTATUS to_code_page(PCHAR destination, ULONG capacity, PULONG produced, PCWCH source,
                             ULONG bytes, BOOLEAN upper)
{
    ULONG count = min(capacity, bytes / (ULONG)sizeof(WCHAR));
    for (ULONG index = 0; index < count; index++) {
        WCHAR unit = upper ? RtlUpcaseUnicodeChar(source[index]) : source[index];
        destination[index] = (CHAR)rtl_code_page_from_wide(unit);
    }
    if (produced != NULL) {
        *produced = count;
    }
    return STATUS_SUCCESS;
}

/* What the code page lacks becomes '?'. Cuts off silently (rule RTL-36). Always STATUS_SUCCESS.
 * IRQL <= APC_LEVEL. */
NTSTATUS RtlUnicodeToMultiByteN(PCHAR MultiByteString, ULONG MaxBytesInMultiByteString,
                                PULONG BytesInMultiByteString, PCWCH UnicodeString,
                                ULONG BytesInUnicodeString)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    return to_code_page(MultiByteString, MaxBytesInMultiByteString, BytesInMultiByteString,
                        UnicodeString, BytesInUnicodeString, FALSE);
}

/* As RtlUnicodeToMultiByteN, in upper case. */
NTSTATUS RtlUpcaseUnicodeToMultiByteN(PCHAR MultiByteString, ULONG MaxBytesInMultiByteString,
                                      PULONG BytesInMultiByteString, PCWCH UnicodeString,
                                      ULONG BytesInUnicodeString)
{
    return to_code_page(MultiByteString, MaxBytesInMultiByteString, BytesInMultiByteString,
                        UnicodeString, BytesInUnicodeString, TRUE);
}

/* The bytes that RtlUnicodeToMultiByteN needs. */
NTSTATUS RtlUnicodeToMultiByteSize(PULONG BytesInMultiByteString, PCWCH UnicodeString,
                                   ULONG BytesInUnicodeString)
{
    UNREFERENCED_PARAMETER(UnicodeString);
    *BytesInMultiByteString = BytesInUnicodeString / (ULONG)sizeof(WCHAR);
    return STATUS_SUCCESS;
}

/* As RtlMultiByteToUnicodeN: the OEM code page is the same. */
NTSTATUS RtlOemToUnicodeN(PWCH UnicodeString, ULONG MaxBytesInUnicodeString,
                          PULONG BytesInUnicodeString, PCCH OemString, ULONG BytesInOemString)
{
    return RtlMultiByteToUnicodeN(UnicodeString, MaxBytesInUnicodeString, BytesInUnicodeString,
                                  OemString, BytesInOemString);
}

/* As RtlUnicodeToMultiByteN: the OEM code page is the same. */
NTSTATUS RtlUnicodeToOemN(PCHAR OemString, ULONG MaxBytesInOemString, PULONG BytesInOemString,
                          PCWCH UnicodeString, ULONG BytesInUnicodeString)
{
    return RtlUnicodeToMultiByteN(OemString, MaxBytesInOemString, BytesInOemString, UnicodeString,
                                  BytesInUnicodeString);
}

/* Takes one byte, and moves the pointer behind it. */
WCHAR RtlAnsiCharToUnicodeChar(PUCHAR *SourceCharacter)
{
    return rtl_code_page_to_wide(*(*SourceCharacter)++);
}

/* ---- UTF-8 ---- */

static BOOLEAN is_high_surrogate(WCHAR unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static BOOLEAN is_low_surrogate(WCHAR unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* Takes one character from *text; a surrogate without its partner is a REPLACEMENT. */
static ULONG take_wide(PCWCH *text, PCWCH end, BOOLEAN *mapped)
{
    WCHAR unit = *(*text)++;
    if (is_high_surrogate(unit) && *text < end && is_low_surrogate(**text)) {
        WCHAR low = *(*text)++;
        return 0x10000 + ((ULONG)(unit - 0xD800) << 10) + (ULONG)(low - 0xDC00);
    }
    if (is_high_surrogate(unit) || is_low_surrogate(unit)) {
        *mapped = FALSE;
        return REPLACEMENT;
    }
    return unit;
}

static ULONG encode_utf8(ULONG code, CHAR bytes[4])
{
    if (code < 0x80) {
        bytes[0] = (CHAR)code;
        return 1;
    }
    if (code < 0x800) {
        bytes[0] = (CHAR)(0xC0 | code >> 6);
        bytes[1] = (CHAR)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        bytes[0] = (CHAR)(0xE0 | code >> 12);
        bytes[1] = (CHAR)(0x80 | (code >> 6 & 0x3F));
        bytes[2] = (CHAR)(0x80 | (code & 0x3F));
        return 3;
    }
    bytes[0] = (CHAR)(0xF0 | code >> 18);
    bytes[1] = (CHAR)(0x80 | (code >> 12 & 0x3F));
    bytes[2] = (CHAR)(0x80 | (code >> 6 & 0x3F));
    bytes[3] = (CHAR)(0x80 | (code & 0x3F));
    return 4;
}

/*
 * Converts whole characters as long as they fit; with a NULL destination only counts. The count may
 * be NULL if there is a destination. IRQL PASSIVE_LEVEL. STATUS_SUCCESS, STATUS_SOME_NOT_MAPPED (a
 * surrogate without partner became U+FFFD), STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_PARAMETER,
 * STATUS_INVALID_PARAMETER_4, STATUS_INVALID_PARAMETER_5. Rules RTL-32 to RTL-35.
 */
NTSTATUS RtlUnicodeToUTF8N(PCHAR UTF8StringDestination, ULONG UTF8StringMaxByteCount,
                           PULONG UTF8StringActualByteCount, PCWCH UnicodeStringSource,
                           ULONG UnicodeStringByteCount)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    if (UnicodeStringSource == NULL) {
        return STATUS_INVALID_PARAMETER_4;
    }
    if (UTF8StringDestination == NULL && UTF8StringActualByteCount == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    if (UnicodeStringByteCount % sizeof(WCHAR) != 0) {
        return STATUS_INVALID_PARAMETER_5;
    }
    PCWCH text = UnicodeStringSource;
    PCWCH end = text + UnicodeStringByteCount / sizeof(WCHAR);
    BOOLEAN mapped = TRUE;
    BOOLEAN fits = TRUE;
    ULONG produced = 0;
    while (text < end) {
        CHAR bytes[4];
        ULONG count = encode_utf8(take_wide(&text, end, &mapped), bytes);
        if (UTF8StringDestination != NULL) {
            if (count > UTF8StringMaxByteCount - produced) {
                fits = FALSE;
                break;
            }
            RtlCopyMemory(UTF8StringDestination + produced, bytes, count);
        }
        produced += count;
    }
    if (UTF8StringActualByteCount != NULL) {
        *UTF8StringActualByteCount = produced;
    }
    return !fits ? STATUS_BUFFER_TOO_SMALL : mapped ? STATUS_SUCCESS : STATUS_SOME_NOT_MAPPED;
}

/* What may follow a first byte: how many bytes, and the bounds of the first of them. */
struct utf8_lead {
    ULONG followers;
    UCHAR low;
    UCHAR high;
};

static struct utf8_lead classify(UCHAR byte)
{
    struct utf8_lead lead = {0, 0x80, 0xBF};
    if (byte >= 0xC2 && byte <= 0xDF) {
        lead.followers = 1;
    } else if (byte >= 0xE0 && byte <= 0xEF) {
        lead.followers = 2;
        lead.low = byte == 0xE0 ? 0xA0 : 0x80;
        lead.high = byte == 0xED ? 0x9F : 0xBF;
    } else if (byte >= 0xF0 && byte <= 0xF4) {
        lead.followers = 3;
        lead.low = byte == 0xF0 ? 0x90 : 0x80;
        lead.high = byte == 0xF4 ? 0x8F : 0xBF;
    }
    return lead;
}

/* Takes one character from *text; the longest beginning of one that breaks off is a REPLACEMENT. */
static ULONG take_utf8(const UCHAR **text, const UCHAR *end, BOOLEAN *mapped)
{
    UCHAR byte = *(*text)++;
    if (byte < 0x80) {
        return byte;
    }
    struct utf8_lead lead = classify(byte);
    ULONG code = byte & (0x3Fu >> lead.followers);
    for (ULONG index = 0; index < lead.followers; index++) {
        if (*text == end || **text < lead.low || **text > lead.high) {
            lead.followers = 0;
            break;
        }
        code = code << 6 | (*(*text)++ & 0x3Fu);
        lead.low = 0x80;
        lead.high = 0xBF;
    }
    if (lead.followers == 0) {
        *mapped = FALSE;
        return REPLACEMENT;
    }
    return code;
}

static ULONG encode_wide(ULONG code, WCHAR units[2])
{
    if (code < 0x10000) {
        units[0] = (WCHAR)code;
        return 1;
    }
    units[0] = (WCHAR)(0xD800 + ((code - 0x10000) >> 10));
    units[1] = (WCHAR)(0xDC00 + ((code - 0x10000) & 0x3FF));
    return 2;
}

NTSTATUS rtl_utf8_to_wide(PWSTR destination, ULONG bytes_max, PULONG bytes, PCCH source,
                          ULONG source_bytes)
{
    const UCHAR *text = (const UCHAR *)source;
    const UCHAR *end = text + source_bytes;
    ULONG capacity = bytes_max / (ULONG)sizeof(WCHAR);
    BOOLEAN mapped = TRUE;
    BOOLEAN fits = TRUE;
    ULONG produced = 0; /* characters */
    while (text < end) {
        WCHAR units[2];
        ULONG count = encode_wide(take_utf8(&text, end, &mapped), units);
        if (destination != NULL) {
            if (count > capacity - produced) {
                fits = FALSE;
                break;
            }
            RtlCopyMemory(destination + produced, units, count * sizeof(WCHAR));
        }
        produced += count;
    }
    *bytes = produced * (ULONG)sizeof(WCHAR);
    return !fits ? STATUS_BUFFER_TOO_SMALL : mapped ? STATUS_SUCCESS : STATUS_SOME_NOT_MAPPED;
}

/* The reverse of RtlUnicodeToUTF8N, with the same statuses but STATUS_INVALID_PARAMETER_5; a broken
 * sequence becomes U+FFFD. Rules RTL-32 to RTL-35. */
NTSTATUS RtlUTF8ToUnicodeN(PWSTR UnicodeStringDestination, ULONG UnicodeStringMaxByteCount,
                           PULONG UnicodeStringActualByteCount, PCCH UTF8StringSource,
                           ULONG UTF8StringByteCount)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    if (UTF8StringSource == NULL) {
        return STATUS_INVALID_PARAMETER_4;
    }
    if (UnicodeStringDestination == NULL && UnicodeStringActualByteCount == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    ULONG produced;
    NTSTATUS status = rtl_utf8_to_wide(UnicodeStringDestination, UnicodeStringMaxByteCount,
                                       &produced, UTF8StringSource, UTF8StringByteCount);
    if (UnicodeStringActualByteCount != NULL) {
        *UnicodeStringActualByteCount = produced;
    }
    return status;
}
