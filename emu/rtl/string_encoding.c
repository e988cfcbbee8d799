/*
 * Counted strings between encodings. Each conversion ends its text with a null. With TRUE as the
 * last argument the destination is allocated, for the free function that is named like its type;
 * otherwise its buffer must hold the text and the null (rules RTL-17, RTL-18, RTL-19). On failure
 * no memory has been allocated (RTL-21).
 */
#include <wdm.h>

#include "rtl/code_page.h"
#include "rtl/string_memory.h"
#include "rtl/level.h"

/* Finds room for bytes of text and a null of null_bytes. */
static NTSTATUS reserve(PVOID *buffer, USHORT *maximum_length, SIZE_T bytes, SIZE_T null_bytes,
                        BOOLEAN allocate)
{
    if (bytes + null_bytes > MAXUSHORT) {
        return STATUS_INVALID_PARAMETER_2;
    }
    if (!allocate) {
        return bytes + null_bytes <= *maximum_length ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
    }
    PVOID memory = rtl_string_allocate(bytes + null_bytes);
    if (memory == NULL) {
        return STATUS_NO_MEMORY;
    }
    *buffer = memory;
    *maximum_length = (USHORT)(bytes + null_bytes);
    return STATUS_SUCCESS;
}

static NTSTATUS reserve_wide(PUNICODE_STRING string, SIZE_T bytes, BOOLEAN allocate)
{
    PVOID buffer = string->Buffer;
    NTSTATUS status =
        reserve(&buffer, &string->MaximumLength, bytes, sizeof(UNICODE_NULL), allocate);
    string->Buffer = buffer;
    return status;
}

static NTSTATUS reserve_narrow(PSTRING string, SIZE_T bytes, BOOLEAN allocate)
{
    PVOID buffer = string->Buffer;
    NTSTATUS status = reserve(&buffer, &string->MaximumLength, bytes, sizeof(ANSI_NULL), allocate);
    string->Buffer = buffer;
    return status;
}

/* IRQL PASSIVE_LEVEL. STATUS_SUCCESS, STATUS_BUFFER_OVERFLOW, STATUS_NO_MEMORY,
 * STATUS_INVALID_PARAMETER_2 (too long for a counted string). */
NTSTATUS RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString, PCANSI_STRING SourceString,
                                      BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    ULONG bytes = SourceString->Length * (ULONG)sizeof(WCHAR);
    NTSTATUS status = reserve_wide(DestinationString, bytes, AllocateDestinationString);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    RtlMultiByteToUnicodeN(DestinationString->Buffer, bytes, NULL, SourceString->Buffer,
                           SourceString->Length);
    DestinationString->Length = (USHORT)bytes;
    DestinationString->Buffer[SourceString->Length] = UNICODE_NULL;
    return STATUS_SUCCESS;
}

/* As RtlAnsiStringToUnicodeString; what does not fit is cut off, with STATUS_BUFFER_OVERFLOW. */
NTSTATUS RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString, PCUNICODE_STRING SourceString,
                                      BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    ULONG count = SourceString->Length / (ULONG)sizeof(WCHAR);
    NTSTATUS status = reserve_narrow(DestinationString, count, AllocateDestinationString);
    if (status == STATUS_BUFFER_OVERFLOW && DestinationString->MaximumLength != 0) {
        count = DestinationString->MaximumLength - 1u;
    } else if (!NT_SUCCESS(status)) {
        return status;
    }
    RtlUnicodeToMultiByteN(DestinationString->Buffer, count, NULL, SourceString->Buffer,
                           SourceString->Length);
    DestinationString->Length = (USHORT)count;
    DestinationString->Buffer[count] = ANSI_NULL;
    return status;
}

/* As RtlAnsiStringToUnicodeString: the OEM code page is the same. */
NTSTATUS RtlOemStringToUnicodeString(PUNICODE_STRING DestinationString, PCOEM_STRING SourceString,
                                     BOOLEAN AllocateDestinationString)
{
    return RtlAnsiStringToUnicodeString(DestinationString, (PSTRING)(ULONG_PTR)SourceString,
                                        AllocateDestinationString);
}

/* As RtlUnicodeStringToAnsiString: the OEM code page is the same. */
NTSTATUS RtlUnicodeStringToOemString(POEM_STRING DestinationString, PCUNICODE_STRING SourceString,
                                     BOOLEAN AllocateDestinationString)
{
    return RtlUnicodeStringToAnsiString(DestinationString, SourceString, AllocateDestinationString);
}

/* As RtlAnsiStringToUnicodeString, and STATUS_SOME_NOT_MAPPED where bytes were no UTF-8. */
NTSTATUS RtlUTF8StringToUnicodeString(PUNICODE_STRING DestinationString, PUTF8_STRING SourceString,
                                      BOOLEAN AllocateDestinationString)
{
    static const CHAR nothing[1];
    const CHAR *source = SourceString->Length != 0 ? SourceString->Buffer : nothing;
    ULONG bytes = 0;
    RtlUTF8ToUnicodeN(NULL, 0, &bytes, source, SourceString->Length);
    NTSTATUS status = reserve_wide(DestinationString, bytes, AllocateDestinationString);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status =
        RtlUTF8ToUnicodeN(DestinationString->Buffer, bytes, &bytes, source, SourceString->Length);
    DestinationString->Length = (USHORT)bytes;
    DestinationString->Buffer[bytes / sizeof(WCHAR)] = UNICODE_NULL;
    return status;
}

/* As RtlAnsiStringToUnicodeString, and STATUS_SOME_NOT_MAPPED where surrogates were alone. */
NTSTATUS RtlUnicodeStringToUTF8String(PUTF8_STRING DestinationString, PCUNICODE_STRING SourceString,
                                      BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    static const WCHAR nothing[1];
    ULONG source_bytes = SourceString->Length & ~1u;
    PCWCH source = source_bytes != 0 ? SourceString->Buffer : nothing;
    ULONG bytes = 0;
    RtlUnicodeToUTF8N(NULL, 0, &bytes, source, source_bytes);
    NTSTATUS status = reserve_narrow(DestinationString, bytes, AllocateDestinationString);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = RtlUnicodeToUTF8N(DestinationString->Buffer, bytes, &bytes, source, source_bytes);
    DestinationString->Length = (USHORT)bytes;
    DestinationString->Buffer[bytes] = ANSI_NULL;
    return status;
}

/* The bytes that RtlAnsiStringToUnicodeString needs, with the null. */
ULONG RtlxAnsiStringToUnicodeSize(PCANSI_STRING AnsiString)
{
    return (AnsiString->Length + 1u) * (ULONG)sizeof(WCHAR);
}

/* The bytes that RtlUnicodeStringToAnsiString needs, with the null; 0 if the code page lacks a
 * character of the text. Rule RTL-22. */
ULONG RtlxUnicodeStringToAnsiSize(PCUNICODE_STRING UnicodeString)
{
    ULONG count = UnicodeString->Length / (ULONG)sizeof(WCHAR);
    for (ULONG index = 0; index < count; index++) {
        if (!rtl_code_page_has(UnicodeString->Buffer[index])) {
            return 0;
        }
    }
    return count + 1;
}

/* As RtlxAnsiStringToUnicodeSize. */
ULONG RtlxOemStringToUnicodeSize(PCOEM_STRING OemString)
{
    return RtlxAnsiStringToUnicodeSize((PSTRING)(ULONG_PTR)OemString);
}

/* As RtlxUnicodeStringToAnsiSize. */
ULONG RtlxUnicodeStringToOemSize(PCUNICODE_STRING UnicodeString)
{
    return RtlxUnicodeStringToAnsiSize(UnicodeString);
}
