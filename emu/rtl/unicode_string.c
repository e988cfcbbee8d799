/*
 * Counted strings of 16-bit characters. Lengths are bytes; the text need not end with a null
 * (rule RTL-01).
 */
#include <wdm.h>

#include "rtl/string_memory.h"
#include "rtl/level.h"

#include "ke/bugcheck.h"
#include "ke/warning.h"
#include "verifier/resident.h"

#define LENGTH_MAX (UNICODE_STRING_MAX_BYTES - sizeof(WCHAR)) /* leaves room for a null */
#define HASH_FACTOR 65599

/* Points the string at SourceString, which may be NULL and is clamped to what 16 bits can say.
 * IRQL <= DISPATCH_LEVEL with resident memory. Rules RTL-02, RTL-03, RTL-04, RTL-06. */
VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    SIZE_T bytes = 0;
    DestinationString->Length = 0;
    DestinationString->MaximumLength = 0;
    DestinationString->Buffer = (PWCH)SourceString;
    if (SourceString == NULL) {
        return;
    }
    verifier_check_touch(SourceString, __func__, "RTL-41");
    bytes = wcslen(SourceString) * sizeof(WCHAR);
    if (bytes > LENGTH_MAX) {
        ke_warning("RTL-05",
                   "the driver called RtlInitUnicodeString with a text of %llu bytes, of which a "
                   "string holds %llu",
                   (unsigned long long)bytes, (unsigned long long)LENGTH_MAX);
        bytes = LENGTH_MAX;
    }
    DestinationString->Length = (USHORT)bytes;
    DestinationString->MaximumLength = (USHORT)(bytes + sizeof(WCHAR));
}

/* As RtlInitUnicodeString, but a text too long gives STATUS_NAME_TOO_LONG and an empty string. */
NTSTATUS RtlInitUnicodeStringEx(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    if (SourceString != NULL && wcslen(SourceString) * sizeof(WCHAR) > LENGTH_MAX) {
        RtlZeroMemory(DestinationString, sizeof(*DestinationString));
        return STATUS_NAME_TOO_LONG;
    }
    RtlInitUnicodeString(DestinationString, SourceString);
    return STATUS_SUCCESS;
}

/* Makes a copy in paged pool, for RtlFreeUnicodeString. FALSE if memory is short or the text is too
 * long. IRQL PASSIVE_LEVEL. Rule RTL-24. */
BOOLEAN RtlCreateUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    SIZE_T bytes = (wcslen(SourceString) + 1) * sizeof(WCHAR);
    if (bytes > UNICODE_STRING_MAX_BYTES) {
        return FALSE;
    }
    PWCH buffer = rtl_string_allocate(bytes);
    if (buffer == NULL) {
        return FALSE;
    }
    RtlCopyMemory(buffer, SourceString, bytes);
    DestinationString->Buffer = buffer;
    DestinationString->MaximumLength = (USHORT)bytes;
    DestinationString->Length = (USHORT)(bytes - sizeof(WCHAR));
    return TRUE;
}

/* Puts a null behind the text if there is room for it. */
static VOID terminate(PUNICODE_STRING string)
{
    if ((SIZE_T)string->Length + sizeof(WCHAR) <= string->MaximumLength) {
        string->Buffer[string->Length / sizeof(WCHAR)] = UNICODE_NULL;
    }
}

/* A string that nobody filled in: random bytes, of which some can be told. */
static VOID check_destination(PCUNICODE_STRING string)
{
    if (string->Buffer == NULL || (string->MaximumLength & 1) != 0 ||
        ((ULONG_PTR)string->Buffer & 1) != 0) {
        ke_violation(DRIVER_VERIFIER_DETECTED_VIOLATION, 0xE4, (ULONG_PTR)_ReturnAddress(),
                     (ULONG_PTR)string, 0, "RTL-12",
                     "The driver copied to the string %p, which is not initialised: its buffer is "
                     "%p, its MaximumLength %u.",
                     (const VOID *)string, (PVOID)string->Buffer, string->MaximumLength);
    }
}

/* Copies as much as fits; a NULL source empties the string. Any IRQL with resident memory. Rules
 * RTL-10, RTL-11. */
VOID RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
    if (SourceString == NULL) {
        DestinationString->Length = 0;
        return;
    }
    USHORT bytes = min(SourceString->Length, DestinationString->MaximumLength);
    if (bytes != 0) {
        check_destination(DestinationString);
        verifier_check_touch(DestinationString->Buffer, __func__, "RTL-41");
        verifier_check_touch(SourceString->Buffer, __func__, "RTL-41");
        RtlMoveMemory(DestinationString->Buffer, SourceString->Buffer, bytes);
    }
    DestinationString->Length = bytes;
    terminate(DestinationString);
}

static NTSTATUS append(PUNICODE_STRING destination, const VOID *text, SIZE_T bytes)
{
    if (destination->Length + bytes > destination->MaximumLength) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (bytes == 0) {
        return STATUS_SUCCESS;
    }
    RtlMoveMemory((PUCHAR)destination->Buffer + destination->Length, text, bytes);
    destination->Length = (USHORT)(destination->Length + bytes);
    terminate(destination);
    return STATUS_SUCCESS;
}

/* Appends, or returns STATUS_BUFFER_TOO_SMALL and changes nothing. Any IRQL with resident memory.
 * Rule RTL-13. */
NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
    return append(Destination, Source->Buffer, Source->Length);
}

/* As RtlAppendUnicodeStringToString; a NULL source appends nothing. Rules RTL-13, RTL-14. */
NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source)
{
    if (Source == NULL) {
        return STATUS_SUCCESS;
    }
    return append(Destination, Source, wcslen(Source) * sizeof(WCHAR));
}

/* STATUS_INVALID_PARAMETER unless the lengths are even and ordered and the buffer is there. */
NTSTATUS RtlValidateUnicodeString(ULONG Flags, PCUNICODE_STRING String)
{
    if (Flags != 0 || String == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    BOOLEAN odd = (String->Length | String->MaximumLength) % sizeof(WCHAR) != 0;
    BOOLEAN headless = String->Buffer == NULL && String->MaximumLength != 0;
    if (odd || headless || String->Length > String->MaximumLength) {
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

/* Makes a copy in pool for RtlFreeUnicodeString, with a null behind it if Flags says so; an empty
 * text gets no buffer unless Flags asks for one. IRQL PASSIVE_LEVEL. STATUS_SUCCESS,
 * STATUS_INVALID_PARAMETER, STATUS_NAME_TOO_LONG, STATUS_NO_MEMORY. */
NTSTATUS RtlDuplicateUnicodeString(ULONG Flags, PCUNICODE_STRING StringIn,
                                   PUNICODE_STRING StringOut)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    BOOLEAN terminated = (Flags & RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE) != 0;
    BOOLEAN even_empty = (Flags & RTL_DUPLICATE_UNICODE_STRING_ALLOCATE_NULL_STRING) != 0;
    if (Flags > 3 || (even_empty && !terminated) || StringOut == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    if (StringIn != NULL && !NT_SUCCESS(RtlValidateUnicodeString(0, StringIn))) {
        return STATUS_INVALID_PARAMETER;
    }
    USHORT length = StringIn != NULL ? StringIn->Length : 0;
    if (terminated && length > LENGTH_MAX) {
        return STATUS_NAME_TOO_LONG;
    }
    RtlZeroMemory(StringOut, sizeof(*StringOut));
    if (length == 0 && !even_empty) {
        return STATUS_SUCCESS;
    }
    USHORT size = (USHORT)(length + (terminated ? sizeof(WCHAR) : 0));
    StringOut->Buffer = rtl_string_allocate(size);
    if (StringOut->Buffer == NULL) {
        return STATUS_NO_MEMORY;
    }
    StringOut->MaximumLength = size;
    if (StringIn != NULL) {
        RtlCopyUnicodeString(StringOut, StringIn);
    }
    terminate(StringOut);
    return STATUS_SUCCESS;
}

/* Compares texts of so many characters by their codes, or by those of their upper case. Negative, 0
 * or positive. IRQL PASSIVE_LEVEL. */
LONG RtlCompareUnicodeStrings(PCWCH String1, SIZE_T String1Length, PCWCH String2,
                              SIZE_T String2Length, BOOLEAN CaseInSensitive)
{
    SIZE_T common = min(String1Length, String2Length);
    for (SIZE_T index = 0; index < common; index++) {
        WCHAR unit1 = String1[index];
        WCHAR unit2 = String2[index];
        if (unit1 != unit2 && CaseInSensitive) {
            unit1 = RtlUpcaseUnicodeChar(unit1);
            unit2 = RtlUpcaseUnicodeChar(unit2);
        }
        if (unit1 != unit2) {
            return (LONG)unit1 - (LONG)unit2;
        }
    }
    if (String1Length == String2Length) {
        return 0;
    }
    return String1Length < String2Length ? -1 : 1;
}

/* Negative, 0 or positive. IRQL PASSIVE_LEVEL. Rule RTL-15. */
LONG RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
                             BOOLEAN CaseInSensitive)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    return RtlCompareUnicodeStrings(String1->Buffer, String1->Length / sizeof(WCHAR),
                                    String2->Buffer, String2->Length / sizeof(WCHAR),
                                    CaseInSensitive);
}

/* IRQL PASSIVE_LEVEL. Rule RTL-15. */
BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
                              BOOLEAN CaseInSensitive)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    return String1->Length == String2->Length &&
           RtlCompareUnicodeString(String1, String2, CaseInSensitive) == 0;
}

/* Whether String2 begins with String1. IRQL PASSIVE_LEVEL. Rule RTL-15. */
BOOLEAN RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
                               BOOLEAN CaseInSensitive)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    SIZE_T count = String1->Length / sizeof(WCHAR);
    return String1->Length <= String2->Length &&
           RtlCompareUnicodeStrings(String1->Buffer, count, String2->Buffer, count,
                                    CaseInSensitive) == 0;
}

/* Whether String2 ends with String1. IRQL PASSIVE_LEVEL. */
BOOLEAN RtlSuffixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
                               BOOLEAN CaseInSensitive)
{
    SIZE_T count = String1->Length / sizeof(WCHAR);
    if (String1->Length > String2->Length) {
        return FALSE;
    }
    PCWCH end = String2->Buffer + (String2->Length / sizeof(WCHAR) - count);
    return RtlCompareUnicodeStrings(String1->Buffer, count, end, count, CaseInSensitive) == 0;
}

/* A 32-bit hash. IRQL <= APC_LEVEL. STATUS_INVALID_PARAMETER for NULL pointers and for algorithms
 * other than HASH_STRING_ALGORITHM_DEFAULT and _X65599, which are the same. Rule RTL-30. */
NTSTATUS RtlHashUnicodeString(PCUNICODE_STRING String, BOOLEAN CaseInSensitive, ULONG HashAlgorithm,
                              PULONG HashValue)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    if (String == NULL || HashValue == NULL || HashAlgorithm > HASH_STRING_ALGORITHM_X65599) {
        return STATUS_INVALID_PARAMETER;
    }
    ULONG hash = 0;
    for (SIZE_T index = 0; index < String->Length / sizeof(WCHAR); index++) {
        WCHAR unit = String->Buffer[index];
        hash = hash * HASH_FACTOR + (CaseInSensitive ? RtlUpcaseUnicodeChar(unit) : unit);
    }
    *HashValue = hash;
    return STATUS_SUCCESS;
}

static NTSTATUS convert(PUNICODE_STRING destination, PCUNICODE_STRING source, BOOLEAN allocate,
                        WCHAR (*change)(WCHAR))
{
    if (allocate) {
        destination->Buffer = rtl_string_allocate(source->Length);
        if (destination->Buffer == NULL) {
            return STATUS_NO_MEMORY;
        }
        destination->MaximumLength = source->Length;
    } else if (source->Length > destination->MaximumLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    for (SIZE_T index = 0; index < source->Length / sizeof(WCHAR); index++) {
        destination->Buffer[index] = change(source->Buffer[index]);
    }
    destination->Length = source->Length;
    return STATUS_SUCCESS;
}

/* Puts the text in upper case into the destination, which is allocated for RtlFreeUnicodeString if
 * the last argument is TRUE. IRQL <= APC_LEVEL. STATUS_SUCCESS, STATUS_BUFFER_OVERFLOW,
 * STATUS_NO_MEMORY. Rule RTL-23. */
NTSTATUS RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                BOOLEAN AllocateDestinationString)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    return convert(DestinationString, SourceString, AllocateDestinationString,
                   RtlUpcaseUnicodeChar);
}

/* As RtlUpcaseUnicodeString, in lower case; PASSIVE_LEVEL. */
NTSTATUS RtlDowncaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                  BOOLEAN AllocateDestinationString)
{
    return convert(DestinationString, SourceString, AllocateDestinationString,
                   RtlDowncaseUnicodeChar);
}
