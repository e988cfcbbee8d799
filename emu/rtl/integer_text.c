/* Whole numbers as text: bases 2, 8, 10 and 16, and 0 for decimal or, reading, for what a prefix
 * says. */
#include "rtl/level.h"

#include <wdm.h>

#define DIGITS_MAX 64

static BOOLEAN is_base(ULONG base)
{
    return base == 0 || base == 2 || base == 8 || base == 10 || base == 16;
}

/* Writes a number and a null. IRQL PASSIVE_LEVEL. STATUS_SUCCESS, STATUS_INVALID_PARAMETER (base),
 * STATUS_BUFFER_OVERFLOW. Rule RTL-25. */
NTSTATUS RtlInt64ToUnicodeString(ULONGLONG Value, ULONG Base, PUNICODE_STRING String)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    if (!is_base(Base)) {
        return STATUS_INVALID_PARAMETER;
    }
    CHAR digits[DIGITS_MAX];
    PCHAR first = digits + sizeof(digits);
    ULONG base = Base != 0 ? Base : 10;
    do {
        *--first = "0123456789ABCDEF"[Value % base];
        Value /= base;
    } while (Value != 0);
    STRING text = {(USHORT)(digits + sizeof(digits) - first), sizeof(digits), first};
    return RtlAnsiStringToUnicodeString(String, &text, FALSE);
}

/* As RtlInt64ToUnicodeString. */
NTSTATUS RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    return RtlInt64ToUnicodeString(Value, Base, String);
}

/* Text of either width, with an end. */
struct reader {
    const VOID *text;
    BOOLEAN wide;
    SIZE_T count;
    SIZE_T position;
};

/* The next character, 0 at the end. */
static WCHAR peek(const struct reader *reader)
{
    if (reader->position == reader->count) {
        return 0;
    }
    return reader->wide ? ((PCWCH)reader->text)[reader->position]
                        : ((const UCHAR *)reader->text)[reader->position];
}

static ULONG digit_value(WCHAR unit)
{
    if (unit >= '0' && unit <= '9') {
        return unit - '0';
    }
    if (unit >= 'a' && unit <= 'f') {
        return unit - 'a' + 10;
    }
    return unit >= 'A' && unit <= 'F' ? unit - 'A' + 10u : MAXULONG;
}

/* Takes the prefix 0x, 0o or 0b and returns its base; 10 where there is none. */
static ULONG take_prefix(struct reader *reader)
{
    static const struct {
        WCHAR letter;
        ULONG base;
    } prefixes[] = {{'x', 16}, {'o', 8}, {'b', 2}};
    if (peek(reader) != '0' || reader->count - reader->position < 2) {
        return 10;
    }
    reader->position++;
    for (ULONG index = 0; index < RTL_NUMBER_OF(prefixes); index++) {
        if (peek(reader) == prefixes[index].letter) {
            reader->position++;
            return prefixes[index].base;
        }
    }
    reader->position--;
    return 10;
}

/* White space, a sign, a prefix if base is 0, digits. Numbers that are too large wrap; *overflow
 * says so. */
static ULONG64 read_number(struct reader *reader, ULONG base, BOOLEAN *overflow)
{
    while (reader->position < reader->count && peek(reader) <= ' ') {
        reader->position++;
    }
    BOOLEAN negative = peek(reader) == '-';
    if (negative || peek(reader) == '+') {
        reader->position++;
    }
    if (base == 0) {
        base = take_prefix(reader);
    }
    ULONG64 value = 0;
    for (; reader->position < reader->count; reader->position++) {
        ULONG digit = digit_value(peek(reader));
        if (digit >= base) {
            break;
        }
        *overflow = *overflow || value > (MAXULONG64 - digit) / base;
        value = value * base + digit;
    }
    return negative ? 0 - value : value;
}

/* Reads a number as far as its digits go. IRQL PASSIVE_LEVEL. STATUS_SUCCESS, also with value 0 for
 * a text without digits; STATUS_INVALID_PARAMETER for an empty text or a bad base. Rules RTL-26 to
 * RTL-28. */
NTSTATUS RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    struct reader reader = {String->Buffer, TRUE, String->Length / sizeof(WCHAR), 0};
    BOOLEAN overflow = FALSE;
    if (reader.count == 0 || !is_base(Base)) {
        return STATUS_INVALID_PARAMETER;
    }
    *Value = (ULONG)read_number(&reader, Base, &overflow);
    return STATUS_SUCCESS;
}

/* As RtlUnicodeStringToInteger with 64 bits, and where the number ended (EndPointer may be NULL).
 * STATUS_INTEGER_OVERFLOW for a number that 64 bits cannot hold. */
NTSTATUS RtlUnicodeStringToInt64(PCUNICODE_STRING String, ULONG Base, PLONG64 Number,
                                 PWSTR *EndPointer)
{
    struct reader reader = {String->Buffer, TRUE, String->Length / sizeof(WCHAR), 0};
    BOOLEAN overflow = FALSE;
    if (reader.count == 0 || !is_base(Base)) {
        return STATUS_INVALID_PARAMETER;
    }
    ULONG64 value = read_number(&reader, Base, &overflow);
    if (EndPointer != NULL) {
        *EndPointer = String->Buffer + reader.position;
    }
    if (overflow) {
        return STATUS_INTEGER_OVERFLOW;
    }
    *Number = (LONG64)value;
    return STATUS_SUCCESS;
}

/* As RtlUnicodeStringToInteger for a text of bytes that ends with a null. Rule RTL-29. */
NTSTATUS RtlCharToInteger(PCSZ String, ULONG Base, PULONG Value)
{
    RTL_IRQL_AT_MOST(APC_LEVEL);
    struct reader reader = {String, FALSE, strlen(String), 0};
    BOOLEAN overflow = FALSE;
    if (reader.count == 0 || !is_base(Base)) {
        return STATUS_INVALID_PARAMETER;
    }
    *Value = (ULONG)read_number(&reader, Base, &overflow);
    return STATUS_SUCCESS;
}
