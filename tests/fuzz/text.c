/*
 * Functions that read text: addresses, numbers, GUIDs, encodings. None reads behind its text (a
 * copy of the exact size, which the address checker guards), and what was read and can be written
 * again is read again as the same.
 */
#include <ntddk.h>

#include <ip2string.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition) {
        abort();
    }
}

static void read_addresses(const char *text)
{
    PCSTR end;
    IN_ADDR four;
    IN6_ADDR six;
    IN6_ADDR again;
    USHORT port;
    ULONG scope;
    char written[64];
    RtlIpv4StringToAddressA(text, TRUE, &end, &four);
    RtlIpv4StringToAddressA(text, FALSE, &end, &four);
    RtlIpv4StringToAddressExA(text, FALSE, &four, &port);
    RtlIpv6StringToAddressExA(text, &six, &scope, &port);
    if (NT_SUCCESS(RtlIpv6StringToAddressA(text, &end, &six))) {
        RtlIpv6AddressToStringA(&six, written);
        require(NT_SUCCESS(RtlIpv6StringToAddressA(written, &end, &again)));
        require(*end == '\0' && memcmp(&six, &again, sizeof(six)) == 0);
    }
}

static void read_numbers(const char *text, PCUNICODE_STRING wide)
{
    static const ULONG bases[] = {0, 2, 8, 10, 16, 7};
    ULONG value;
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        RtlCharToInteger(text, bases[i], &value);
        RtlUnicodeStringToInteger(wide, bases[i], &value);
    }
}

static void read_guid(PCUNICODE_STRING wide)
{
    GUID guid;
    GUID again;
    UNICODE_STRING written;
    if (!NT_SUCCESS(RtlGUIDFromString(wide, &guid))) {
        return;
    }
    if (NT_SUCCESS(RtlStringFromGUID(&guid, &written))) {
        require(NT_SUCCESS(RtlGUIDFromString(&written, &again)));
        require(memcmp(&guid, &again, sizeof(guid)) == 0);
        RtlFreeUnicodeString(&written);
    }
}

/* UTF-8 of UTF-16 and back: the same, once what was no text has been replaced. */
static void convert(PCUNICODE_STRING wide)
{
    ULONG bytes = wide->Length * 2u + 1;
    ULONG length;
    ULONG units;
    CHAR *narrow = malloc(bytes);
    WCHAR *back = malloc(wide->Length + 1u);
    if (narrow != NULL && back != NULL &&
        RtlUnicodeToUTF8N(narrow, bytes, &length, wide->Buffer, wide->Length) == STATUS_SUCCESS) {
        require(RtlUTF8ToUnicodeN(back, wide->Length, &units, narrow, length) == STATUS_SUCCESS);
        require(units == wide->Length && memcmp(back, wide->Buffer, units) == 0);
    }
    free(back);
    free(narrow);
}

static void compare(PCUNICODE_STRING wide)
{
    UNICODE_STRING half = *wide;
    half.Length = (USHORT)(wide->Length / 2 & ~1u);
    require(RtlEqualUnicodeString(wide, wide, TRUE));
    require(RtlPrefixUnicodeString(&half, wide, TRUE));
    require(RtlCompareUnicodeString(wide, wide, TRUE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096) {
        return 0;
    }
    char *text = malloc(size + 1);
    WCHAR *units = malloc(size + 1);
    if (text != NULL && units != NULL) {
        USHORT length = (USHORT)(size & ~(size_t)1);
        UNICODE_STRING wide = {length, length, units};
        memcpy(text, data, size);
        text[size] = '\0';
        memcpy(units, data, size);
        read_addresses(text);
        read_numbers(text, &wide);
        read_guid(&wide);
        convert(&wide);
        compare(&wide);
    }
    free(units);
    free(text);
    return 0;
}
