/* Counted strings of bytes. */
#include "ke/warning.h"
#include "verifier/resident.h"

#include <wdm.h>

#define LENGTH_MAX (MAXUSHORT - 1) /* leaves room for a null */

/* Points the string at SourceString, which may be NULL and is clamped to what 16 bits can say.
 * IRQL <= DISPATCH_LEVEL with resident memory. Rules RTL-02, RTL-03, RTL-04, RTL-06. */
VOID RtlInitString(PSTRING DestinationString, PCSZ SourceString)
{
    DestinationString->Length = 0;
    DestinationString->MaximumLength = 0;
    DestinationString->Buffer = (PCHAR)(ULONG_PTR)SourceString;
    if (SourceString != NULL) {
        verifier_check_touch(SourceString, __func__, "RTL-41");
        SIZE_T length = strlen(SourceString);
        if (length > LENGTH_MAX) {
            ke_warning("RTL-05",
                       "the driver called RtlInitString with a text of %llu bytes, of which a "
                       "string holds %u",
                       (unsigned long long)length, LENGTH_MAX);
            length = LENGTH_MAX;
        }
        DestinationString->Length = (USHORT)length;
        DestinationString->MaximumLength = (USHORT)(length + 1);
    }
}

/* As RtlInitString, but a text too long gives STATUS_NAME_TOO_LONG and an empty string. */
NTSTATUS RtlInitStringEx(PSTRING DestinationString, PCSZ SourceString)
{
    if (SourceString != NULL && strlen(SourceString) > LENGTH_MAX) {
        RtlZeroMemory(DestinationString, sizeof(*DestinationString));
        return STATUS_NAME_TOO_LONG;
    }
    RtlInitString(DestinationString, SourceString);
    return STATUS_SUCCESS;
}

/* As RtlInitString. */
VOID RtlInitAnsiString(PANSI_STRING DestinationString, PCSZ SourceString)
{
    RtlInitString(DestinationString, SourceString);
}

/* As RtlInitStringEx. */
NTSTATUS RtlInitAnsiStringEx(PANSI_STRING DestinationString, PCSZ SourceString)
{
    return RtlInitStringEx(DestinationString, SourceString);
}

/* As RtlInitString. */
VOID RtlInitUTF8String(PUTF8_STRING DestinationString, PCSZ SourceString)
{
    RtlInitString(DestinationString, SourceString);
}

/* As RtlInitStringEx. */
NTSTATUS RtlInitUTF8StringEx(PUTF8_STRING DestinationString, PCSZ SourceString)
{
    return RtlInitStringEx(DestinationString, SourceString);
}

/* Copies as much as fits, without a null; a NULL source empties the string. */
VOID RtlCopyString(PSTRING DestinationString, const STRING *SourceString)
{
    if (SourceString == NULL) {
        DestinationString->Length = 0;
        return;
    }
    USHORT length = min(SourceString->Length, DestinationString->MaximumLength);
    if (length != 0) {
        RtlMoveMemory(DestinationString->Buffer, SourceString->Buffer, length);
    }
    DestinationString->Length = length;
}

static NTSTATUS append(PSTRING destination, const CHAR *text, SIZE_T length)
{
    if (length > (SIZE_T)destination->MaximumLength - destination->Length) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (length != 0) {
        RtlMoveMemory(destination->Buffer + destination->Length, text, length);
        destination->Length = (USHORT)(destination->Length + length);
    }
    return STATUS_SUCCESS;
}

/* Appends, or returns STATUS_BUFFER_TOO_SMALL and changes nothing. */
NTSTATUS RtlAppendStringToString(PSTRING Destination, const STRING *Source)
{
    return append(Destination, Source->Buffer, Source->Length);
}

/* As RtlAppendStringToString; a NULL source appends nothing. */
NTSTATUS RtlAppendAsciizToString(PSTRING Destination, PCSZ Source)
{
    return Source == NULL ? STATUS_SUCCESS : append(Destination, Source, strlen(Source));
}

static LONG compare(const CHAR *text1, SIZE_T length1, const CHAR *text2, SIZE_T length2,
                    BOOLEAN ignore_case)
{
    SIZE_T common = min(length1, length2);
    for (SIZE_T index = 0; index < common; index++) {
        UCHAR byte1 = (UCHAR)(ignore_case ? RtlUpperChar(text1[index]) : text1[index]);
        UCHAR byte2 = (UCHAR)(ignore_case ? RtlUpperChar(text2[index]) : text2[index]);
        if (byte1 != byte2) {
            return (LONG)byte1 - (LONG)byte2;
        }
    }
    return (LONG)length1 - (LONG)length2;
}

/* Negative, 0 or positive. */
LONG RtlCompareString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive)
{
    return compare(String1->Buffer, String1->Length, String2->Buffer, String2->Length,
                   CaseInSensitive);
}

BOOLEAN RtlEqualString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive)
{
    return RtlCompareString(String1, String2, CaseInSensitive) == 0;
}

/* Whether String2 begins with String1. */
BOOLEAN RtlPrefixString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive)
{
    return String1->Length <= String2->Length &&
           compare(String1->Buffer, String1->Length, String2->Buffer, String1->Length,
                   CaseInSensitive) == 0;
}

/* Copies as much as fits, in upper case. */
VOID RtlUpperString(PSTRING DestinationString, const STRING *SourceString)
{
    USHORT length = min(SourceString->Length, DestinationString->MaximumLength);
    for (USHORT index = 0; index < length; index++) {
        DestinationString->Buffer[index] = RtlUpperChar(SourceString->Buffer[index]);
    }
    DestinationString->Length = length;
}
